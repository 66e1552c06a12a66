// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "balloon.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST	(1ul << 30)		/* bytes */
#define STEP	(256l << 10)	/* bytes */

static void score(const char *text)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror("fuzz: oom_score_adj");
	if (fd >= 0)
		close(fd);
}

/* Bytes; 0 where nothing is known. */
static long free_now(void)
{
	char text[2048], *at;
	int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	at = strstr(text, "MemFree:");
	return at ? strtol(at + 8, NULL, 10) << 10 : 0;
}

/*
 * Ten times a second what is too much is taken, and of what is too little some is given back: that is for the fuzzer, which grows with
 * its corpus. A program that eats up what is free is faster.
 */
static _Noreturn void hold(long want)
{
	char *area = mmap(NULL, MOST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t held = 0;

	if (area == MAP_FAILED) {
		perror("fuzz: no memory to take");
		_exit(1);
	}
	for (;;) {
		while (held + (size_t)STEP <= MOST && free_now() > want + STEP && !madvise(area + held, STEP, MADV_POPULATE_WRITE))
			held += STEP;
		for (int i = 0; i < 4 && held && free_now() < want - STEP; i++) {
			held -= STEP;
			madvise(area + held, STEP, MADV_DONTNEED);
		}
		nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
	}
}

void balloon_start(long free_kib)
{
	if (fork())
		return;
	score("-1000");
	for (;;) {
		pid_t pid = fork();

		if (!pid) {
			score("-900");		/* after each program, before the fuzzer */
			hold(free_kib << 10);
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			nanosleep(&(struct timespec){ 1, 0 }, NULL);
	}
}
