// SPDX-License-Identifier: MIT
/* Says whether a block device is somebody's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDONLY | O_EXCL) : -1;

	puts(fd >= 0 ? "free" : errno == EBUSY ? "busy" : strerror(errno));
	return 0;
}
