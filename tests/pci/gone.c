// SPDX-License-Identifier: MIT
/*
 * What an open disk says when its device is taken away, line by line: gone DISK PARTITION FILE,
 * which is "remove" of the device in /sys; the disk is written by another task meanwhile. gone
 * hear: the events of devices, until there is one of lo.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name_of(int e)
{
	static const struct {
		int e;
		const char *name;
	} names[] = { { EIO, "EIO" },	    { ENXIO, "ENXIO" },	  { ENODEV, "ENODEV" },
		      { ENOSPC, "ENOSPC" }, { EINVAL, "EINVAL" }, { ENOENT, "ENOENT" },
		      { EBUSY, "EBUSY" },   { EBADF, "EBADF" },	  { EACCES, "EACCES" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].e == e)
			return names[i].name;
	return strerror(e);
}

static void say(const char *what, long r)
{
	printf("%s: %ld %s\n", what, r, r < 0 ? name_of(errno) : "");
	fflush(stdout);
}

static int hear(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT), room = 1 << 20;
	char event[8192];
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		return 1;
	puts("ready");
	fflush(stdout);
	while ((n = recv(fd, event, sizeof(event) - 1, 0)) > 0) {
		event[n] = 0;
		puts(event);
		fflush(stdout);
		if (strstr(event, "/net/lo"))
			return 0;
	}
	return 1;
}

/* Writes past the cache until that fails: its status says how. It has begun when this is back. */
static pid_t writer(const char *disk)
{
	int fd, begun[2];
	pid_t pid;
	void *page;
	char c;

	if (pipe(begun))
		return -1;
	pid = fork();
	if (pid) {
		close(begun[1]);
		if (read(begun[0], &c, 1) != 1)
			return -1;
		return pid;
	}
	fd = open(disk, O_WRONLY | O_DIRECT);
	if (fd < 0 || posix_memalign(&page, 4096, 65536))
		_exit(100);
	memset(page, 'x', 65536);
	for (off_t at = 0;; at = (at + 65536) & ((1 << 20) - 1)) {
		ssize_t n = pwrite(fd, page, 65536, at);

		if (n != 65536)
			_exit(n >= 0 ? 101 : errno);
		if (!at && write(begun[1], "", 1) != 1)
			_exit(102);
	}
}

static void use(const char *what, int fd)
{
	static char page[4096] __attribute__((aligned(4096)));
	uint64_t size = 1;

	printf("%s\n", what);
	say("read", pread(fd, page, sizeof(page), 8 << 20));
	say("write", pwrite(fd, page, sizeof(page), 8 << 20));
	say("fsync", fsync(fd));
	say("size", ioctl(fd, BLKGETSIZE64, &size) ? -1 : (long)size);
	say("again", ioctl(fd, BLKRRPART));
}

int main(int argc, char **argv)
{
	int disk, part, gone, status;
	pid_t pid;

	if (argc == 2 && !strcmp(argv[1], "hear"))
		return hear();
	if (argc != 4)
		return 2;
	disk = open(argv[1], O_RDWR);
	part = open(argv[2], O_RDWR);
	gone = open(argv[3], O_WRONLY);
	say("opened", disk < 0 || part < 0 || gone < 0 ? -1 : 0);
	pid = writer(argv[2]);
	say("remove", write(gone, "1\n", 2));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 1;
	/* Where the disk is found gone decides whether it is an error or the end. */
	printf("writer: %s\n", name_of(WEXITSTATUS(status)));
	use("the disk", disk);
	use("the partition", part);
	say("open", open(argv[1], O_RDONLY));
	say("remove", write(gone, "1\n", 2));
	return 0;
}
