// SPDX-License-Identifier: MIT
/*
 * The first program of a machine whose devices break the rules (tools/ochre/fuzz_virtio.py): uses every disk and takes whatever
 * comes. On the second serial line it says "S CALLS FAILURES" once a second; a byte there ends it:
 * all its processes are killed and must be gone, then it says "E 0".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define BLKDISCARD 0x1277
#define BLKZEROOUT 0x127f
#define MOST (64 << 10)

static struct { volatile unsigned long calls, failures; } *shown;
static uint64_t state;
static sigjmp_buf back;

static uint64_t chance(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below ? (state >> 11) % below : 0;
}

static void count(long r)
{
	__atomic_add_fetch(&shown->calls, 1, __ATOMIC_RELAXED);
	if (r < 0)
		__atomic_add_fetch(&shown->failures, 1, __ATOMIC_RELAXED);
}

static void on_bus(int sig)
{
	siglongjmp(back, sig);
}

static void touch(int fd, uint64_t size)
{
	size_t len = 4096 * (1 + chance(8));
	volatile char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)(size ? chance(size) & ~4095ULL : 0));

	if (p == MAP_FAILED)
		return;
	if (!sigsetjmp(back, 1)) {
		for (size_t i = 0; i < len; i += 4096)
			if (chance(2))
				p[i] = 1;
			else
				(void)p[i];
	}
	munmap((void *)p, len);
}

static void use_disk(const char *path)
{
	static char room[MOST + 4096];
	char *buf = (char *)(((uintptr_t)room + 4095) & ~4095UL);
	uint64_t size = 0, range[2];
	int fd = open(path, O_RDWR | (chance(3) ? 0 : O_DIRECT) | O_NONBLOCK), v;
	size_t n;

	if (fd < 0)
		fd = open(path, O_RDONLY);
	count(fd);
	if (fd < 0)
		return;
	ioctl(fd, BLKGETSIZE64, &size);
	ioctl(fd, BLKSSZGET, &v);
	for (int i = 0; i < 30; i++) {
		uint64_t at = chance(4) ? chance(1 << 20) & ~511ULL : chance(size);

		n = (chance(2) ? 512 : 4096) * (1 + chance(16));
		switch (chance(12)) {
		case 0: case 1: case 2:
			count(pread(fd, buf, n, (off_t)at));
			break;
		case 3: case 4: case 5:
			memset(buf, (int)chance(256), n);
			count(pwrite(fd, buf, n, (off_t)at));
			break;
		case 6:
			count(fsync(fd));
			break;
		case 7:
			count(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) ? -1 : 0);
			count(ioctl(fd, BLKFLSBUF, 0));
			break;
		case 8:
			range[0] = at & ~4095ULL;
			range[1] = 4096 * (1 + chance(100));
			count(ioctl(fd, chance(2) ? BLKDISCARD : BLKZEROOUT, range));
			break;
		case 9:
			touch(fd, size);
			break;
		case 10:
			count(ioctl(fd, BLKRRPART, 0));
			break;
		case 11:
			count(readahead(fd, (off_t)at, 1 << 18));
		}
	}
	close(fd);
	if (!chance(8))
		count(mount(path, "/mnt", chance(2) ? "ext4" : "vfat", MS_RDONLY, NULL));
}

/* Disks of now and their partitions: the I-th of them. */
static int nth(unsigned int i, char *path, size_t size)
{
	DIR *d = opendir("/dev");
	struct dirent *e;
	int found = 0;

	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, "vd", 2) && !i--) {
			snprintf(path, size, "/dev/%s", e->d_name);
			found = 1;
			break;
		}
	if (d)
		closedir(d);
	return found;
}

static void work(unsigned int number)
{
	char path[300];

	state = (number + 1) * 0x9E3779B97F4A7C15ULL;
	signal(SIGBUS, on_bus);
	for (unsigned int turn = 0;; turn++) {
		/* Each worker has a device of its own in the first place, and looks at any now and then. */
		if (!nth(turn % 4 ? number / 2 : (unsigned int)chance(40), path, sizeof(path)) && !nth(0, path, sizeof(path))) {
			poll(NULL, 0, 100);
			continue;
		}
		use_disk(path);
	}
}

/* The machine itself must be all right, whatever its devices did. */
static int healthy(void)
{
	char buf[65536];
	int fd = open("/tmp/x", O_RDWR | O_CREAT | O_TRUNC, 0600), status;
	pid_t pid;

	memset(buf, 7, sizeof(buf));
	if (fd < 0 || write(fd, buf, sizeof(buf)) != sizeof(buf) || pread(fd, buf, sizeof(buf), 0) != sizeof(buf) || buf[777] != 7)
		return 0;
	pid = fork();
	if (!pid)
		_exit(42);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 42;
}

int main(int argc, char **argv)
{
	unsigned int workers = argc > 1 ? (unsigned int)atoi(argv[1]) : 16;
	struct pollfd p = { .events = POLLIN };
	struct termios t;
	pid_t pid[64];
	int wire;

	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mkdir("/mnt", 0755);
	wire = p.fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY);
	if (wire < 0)
		return 1;
	tcgetattr(wire, &t);
	cfmakeraw(&t);
	tcsetattr(wire, TCSANOW, &t);
	shown = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (unsigned int i = 0; i < workers && i < 64; i++) {
		pid[i] = fork();
		if (!pid[i])
			work(i);
	}
	while (!poll(&p, 1, 1000))
		dprintf(wire, "S %lu %lu\n", shown->calls, shown->failures);
	for (unsigned int i = 0; i < workers && i < 64; i++)
		kill(pid[i], SIGKILL);
	for (unsigned int i = 0; i < workers && i < 64; i++) {
		waitpid(pid[i], NULL, 0);
		dprintf(wire, "W %u\n", i);
	}
	dprintf(wire, "S %lu %lu\n", shown->calls, shown->failures);
	dprintf(wire, "E %d\n", healthy() ? 0 : 1);
	for (;;)
		pause();
}
