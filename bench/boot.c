// SPDX-License-Identifier: MIT
/* The first program of a machine that is measured: how many instructions ran before it, and what is left of the memory. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cpu.h"

int main(void)
{
	char buf[4096];
	ssize_t n = -1;
	int f;

	/* The second mark of count.c, without the first: all since the reset is counted. */
	MARK_END();
	printf("clock %llu\n", (unsigned long long)now());
	fflush(stdout);
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	f = open("/proc/meminfo", O_RDONLY);
	if (f >= 0)
		n = read(f, buf, 600);
	if (n > 0)
		write(1, buf, (size_t)n);
	puts("\nend");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 1;
}
