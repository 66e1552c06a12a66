// SPDX-License-Identifier: MIT
/*
 * Run in the guest: side DEVICE DIR OPTIONS SEED. Threads write directly over blocks of one file,
 * each its own: the device has several of these writes at a time (its time for them is a multiple
 * of the time that passed). Then the same while the file's other half is cut, grows, gets holes and
 * while the file is cloned: nobody's block is lost, and a clone has of each block what it had once.
 * Set-id bits and capabilities that a file gets between such writes go with the next.
 */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096u
#define THREADS 8u
#define OWN 16u				/* blocks of each thread */
#define HALF (THREADS * OWN)

static uint32_t stamp[HALF];  /* the last that was written, of a block of the first half */
static unsigned int rounds;
static int fd, stop;

static void fill(void *p, unsigned int block, uint32_t s)
{
	uint32_t *w = p;

	for (unsigned int i = 0; i < BLOCK / 4; i++)
		w[i] = i & 1 ? s : block;
}

static void *writer(void *arg)
{
	unsigned int t = (unsigned int)(uintptr_t)arg;
	char *p = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (unsigned int i = 0; i < rounds; i++) {
		unsigned int b = i % OWN * THREADS + t;

		fill(p, b, stamp[b] + 1);
		CHECK(pwrite(fd, p, BLOCK, (off_t)b * BLOCK) == BLOCK);
		stamp[b]++;
	}
	munmap(p, BLOCK);
	__atomic_fetch_add(&stop, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void start(pthread_t *t, unsigned int n)
{
	rounds = n;
	stop = 0;
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&t[i], NULL, writer, (void *)i));
}

static void join(pthread_t *t)
{
	for (unsigned int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i], NULL));
}

/* Milliseconds that writes of DEVICE took, all of them together. */
static unsigned long long written_ms(const char *device)
{
	unsigned long long ms = 0;
	char line[300], name[40];
	FILE *f = fopen("/proc/diskstats", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*u %*u %39s %*u %*u %*u %*u %*u %*u %*u %llu", name, &ms) == 2 &&
		    !strcmp(name, strrchr(device, '/') + 1))
			break;
	fclose(f);
	return ms;
}

static void at_once(const char *device)
{
	unsigned long long ms = written_ms(device), passed;
	struct timespec a, b;
	pthread_t t[THREADS];

	clock_gettime(CLOCK_MONOTONIC, &a);
	start(t, 2 * OWN);
	join(t);
	clock_gettime(CLOCK_MONOTONIC, &b);
	ms = written_ms(device) - ms;
	passed = (unsigned long long)(b.tv_sec - a.tv_sec) * 1000 +
		 (unsigned long long)(b.tv_nsec / 1000000) -
		 (unsigned long long)(a.tv_nsec / 1000000);
	printf("%llu ms of writes in %llu ms\n", ms, passed);
	CHECK(ms >= 2 * passed);
}

/* The file named NAME has each block of the first half as it is, or (ONCE) as it was. */
static void compare(const char *name, int once)
{
	int f = open(name, O_RDONLY);
	uint32_t w[BLOCK / 4];

	CHECK(f >= 0);
	for (unsigned int b = 0; b < HALF; b++) {
		CHECK(pread(f, w, BLOCK, (off_t)b * BLOCK) == BLOCK);
		CHECK(w[0] == b && (once ? w[1] <= stamp[b] : w[1] == stamp[b]));
		/* A clone is of one moment; a block is written in one piece of the device's. */
		for (unsigned int i = 2; i < BLOCK / 4; i++)
			CHECK(w[i] == w[i & 1]);
	}
	close(f);
}

static void beside_changes(unsigned long seed)
{
	pthread_t t[THREADS];
	unsigned int clones = 0;
	struct stat s;

	start(t, 6 * OWN);
	for (unsigned int i = 0; __atomic_load_n(&stop, __ATOMIC_ACQUIRE) < (int)THREADS; i++) {
		off_t at = (off_t)(HALF + (i * 7 + seed) % HALF) * BLOCK;
		int c;

		switch (i % 5) {
		case 0:
			CHECK(!ftruncate(fd, at));
			break;
		case 1:
			CHECK(!ftruncate(fd, (off_t)2 * HALF * BLOCK));
			break;
		case 2:
			CHECK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
					 3 * BLOCK));
			break;
		case 3:
			CHECK(!fallocate(fd, 0, at, 2 * BLOCK));
			break;
		default:
			if (clones++ % 8)
				break;
			c = open("clone", O_CREAT | O_TRUNC | O_RDWR, 0600);
			CHECK(c >= 0);
			CHECK(!ioctl(c, FICLONE, fd) || errno == EOPNOTSUPP || errno == EINVAL);
			close(c);
		}
	}
	join(t);
	compare("f", 0);
	if (!stat("clone", &s) && s.st_size)
		compare("clone", 1);
}

static void rights(void)
{
	/* cap_net_raw+ep, as setcap(8) writes it */
	static const unsigned char caps[20] = { 1, 0, 0, 2, 0, 0x20 };
	void *p = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int f = open("r", O_CREAT | O_RDWR | O_DIRECT, 0777);
	struct stat s;
	char got[40];

	CHECK(f >= 0);
	for (int i = 0; i < 3; i++) {
		for (int n = 0; n < 2; n++)
			CHECK(pwrite(f, p, BLOCK, 0) == BLOCK);
		CHECK(!fchmod(f, 04777));
		CHECK(!seteuid(1000));
		CHECK(pwrite(f, p, BLOCK, 0) == BLOCK);
		CHECK(!seteuid(0));
		CHECK(!fstat(f, &s) && (s.st_mode & 07777) == 0777);
		CHECK(pwrite(f, p, BLOCK, 0) == BLOCK);
		CHECK(!fsetxattr(f, "security.capability", caps, sizeof(caps), 0));
		CHECK(fgetxattr(f, "security.capability", got, sizeof(got)) == sizeof(caps));
		CHECK(pwrite(f, p, BLOCK, 0) == BLOCK);
		FAILS(fgetxattr(f, "security.capability", got, sizeof(got)), ENODATA);
	}
	close(f);
}

int main(int argc, char **argv)
{
	static char all[HALF * BLOCK];

	if (argc != 5)
		return 2;
	CHECK(!mount(argv[1], argv[2], "xfs", 0, argv[3]) && !chdir(argv[2]));
	for (unsigned int b = 0; b < HALF; b++)
		fill(all + b * BLOCK, b, 0);
	fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK(fd >= 0 && write(fd, all, sizeof(all)) == sizeof(all) && !fsync(fd));
	close(fd);
	fd = open("f", O_RDWR | O_DIRECT);
	CHECK(fd >= 0);
	at_once(argv[1]);
	compare("f", 0);
	beside_changes(strtoul(argv[4], NULL, 0));
	rights();
	close(fd);
	CHECK(!chdir("/") && !umount(argv[2]));
	CHECK(!mount(argv[1], argv[2], "xfs", MS_RDONLY, argv[3]) && !chdir(argv[2]));
	compare("f", 0);
	CHECK(!chdir("/") && !umount(argv[2]));
	puts("side: ok");
	return 0;
}
