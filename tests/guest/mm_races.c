// SPDX-License-Identifier: MIT
// slow: races are waited for
/*
 * What one thread unmaps, truncates or gives up while another faults, splits mappings or reclaims.
 * proves: mprotect munmap fallocate
 */
#define TEST_LIMIT 60
#include "t.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define PG ((unsigned long)PAGE)
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static atomic_uint gen;		/* what state the memory is in */
static atomic_bool stop;
static atomic_uint wrong;
static _Thread_local sigjmp_buf back;

static void jump(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static void catch (int sig)
{
	struct sigaction sa = { .sa_handler = jump, .sa_flags = SA_NODEFER };

	OK(sigaction(sig, &sa, NULL));
}

/* While gen is odd there is no memory at p: a write that begins and ends then cannot succeed. */
static void *write_to_nothing(void *p)
{
	while (!stop) {
		unsigned int g = gen;

		if (sigsetjmp(back, 0))
			continue;
		*(volatile char *)p = 1;
		if (g & 1 && gen == g)
			wrong++;
	}
	return NULL;
}

TEST(nothing_is_mapped_after_munmap)
{
	char *p = mmap(NULL, PG, RW, ANON, -1, 0);
	pthread_t t[3];

	CHECK(p != MAP_FAILED);
	catch (SIGSEGV);
	for (int i = 0; i < 3; i++)
		EQ(pthread_create(&t[i], NULL, write_to_nothing, p), 0);
	for (int i = 0; i < 4000; i++) {
		OK(munmap(p, PG));
		gen++;
		if (i % 4 == 0)
			sched_yield();
		gen++;
		CHECK(mmap(p, PG, RW, ANON | MAP_FIXED, -1, 0) == p);
	}
	stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	EQ(wrong, 0);
}

enum { FILE_PAGES = 16 };

static void *split_and_merge(void *m)
{
	while (!stop) {
		mprotect((char *)m + 4 * PG, 4 * PG, PROT_READ);
		mprotect((char *)m + 4 * PG, 4 * PG, RW);
	}
	return NULL;
}

/*
 * Before gen moves to g everything from before was truncated: what is read while it is g is 0 or g.
 */
static void *read_pages(void *m)
{
	for (volatile unsigned int i = 0; !stop; i++) {
		unsigned int g = gen, x;

		if (sigsetjmp(back, 0))
			continue;
		x = *(volatile unsigned int *)((char *)m + i % FILE_PAGES * PG);
		if (gen == g && x && x != g)
			wrong++;
	}
	return NULL;
}

TEST(truncated_pages_leave_split_mappings)
{
	int fd = (int)syscall(SYS_memfd_create, "truncated", 0);
	struct stat st;
	pthread_t t[3];
	char *m;

	OK(fd);
	OK(ftruncate(fd, FILE_PAGES * PG));
	m = mmap(NULL, FILE_PAGES * PG, RW, MAP_SHARED, fd, 0);
	CHECK(m != MAP_FAILED);
	catch (SIGBUS);
	EQ(pthread_create(&t[0], NULL, split_and_merge, m), 0);
	for (int i = 1; i < 3; i++)
		EQ(pthread_create(&t[i], NULL, read_pages, m), 0);
	for (unsigned int g = 1; g <= 1000; g++) {
		gen = g;
		for (int i = 0; i < FILE_PAGES; i++)
			EQ(pwrite(fd, &g, sizeof(g), (off_t)(i * PG)), sizeof(g));
		for (int i = 0; i < FILE_PAGES; i++)
			EQ(*(volatile unsigned int *)(m + i * PG), g);
		OK(ftruncate(fd, 0));
		OK(fstat(fd, &st));
		EQ(st.st_blocks, 0);
		OK(ftruncate(fd, FILE_PAGES * PG));
	}
	stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	EQ(wrong, 0);
}

enum { RESERVED = 6000 };
static atomic_int written;

/* Behind a fallocate under way: each page as soon as it is there. */
static void *write_reserved(void *m)
{
	unsigned char in;

	while (!mincore(m, PG, &in) && !in && !stop)
		;
	if (!sigsetjmp(back, 0))
		while (written < RESERVED) {
			((volatile char *)m)[(size_t)written * PG] = 1;
			written++;
		}
	return NULL;
}

TEST(a_failed_fallocate_keeps_what_was_written)
{
	const char *dir = "/tmp/mm_races";
	int filler, fd;

	mkdir(dir, 0700);
	if (mount("none", dir, "tmpfs", 0, "size=24m"))
		SKIP("no tmpfs to mount");
	catch (SIGBUS);
	filler = open("/tmp/mm_races/filler", O_CREAT | O_RDWR, 0600);
	OK(filler);
	OK(fallocate(filler, 0, 0, (off_t)(1000 * PG)));
	for (int round = 0; round < 6; round++) {
		pthread_t t;
		char *m;

		fd = open("/tmp/mm_races/file", O_CREAT | O_RDWR | O_TRUNC, 0600);
		OK(fd);
		OK(ftruncate(fd, (off_t)(RESERVED * PG)));
		m = mmap(NULL, RESERVED * PG, RW, MAP_SHARED, fd, 0);
		CHECK(m != MAP_FAILED);
		written = 0;
		stop = false;
		EQ(pthread_create(&t, NULL, write_reserved, m), 0);
		ERR(fallocate(fd, 0, 0, (off_t)(RESERVED * PG)), ENOSPC);
		stop = true;
		pthread_join(t, NULL);
		for (int i = 0; i < written; i++)
			if (!m[(size_t)i * PG])
				FAIL("round %d: page %d of %d written is gone", round, i,
				     (int)written);
		OK(munmap(m, RESERVED * PG));
		OK(close(fd));
	}
	OK(close(filler));
	OK(umount(dir));
}

static void *reclaim(void *arg)
{
	int fd = *(int *)arg;

	while (!stop)
		if (pwrite(fd, "1", 1, 0) != 1)
			wrong++;
	return NULL;
}

TEST(reclaim_of_given_up_memory_while_its_owner_exits)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	const size_t len = 1024 * PG;
	pthread_t t;

	if (fd < 0)
		SKIP("not allowed to drop caches");
	EQ(pthread_create(&t, NULL, reclaim, &fd), 0);
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid) {
			char *p = mmap(NULL, len, RW, ANON, -1, 0);

			memset(p, 1, len);
			madvise(p, len, MADV_FREE);
			for (size_t k = 0; k < len; k += 3 * PG) {
				p[k] = 2;
				if (p[k] != 2)
					_exit(1);
			}
			_exit(0);
		}
		CHECK(t_child_ok(pid));
	}
	stop = true;
	pthread_join(t, NULL);
	EQ(wrong, 0);
	OK(close(fd));
}

static int shared_fd;
#define RUN 0x10000

static void *read_runs(void *unused)
{
	static _Thread_local unsigned char got[RUN];

	(void)unused;
	while (!stop) {
		ssize_t n = pread(shared_fd, got, RUN, 0);

		for (ssize_t i = 0; i < n; i++)
			if (got[i] && got[i] != 0x5a)
				wrong++;
	}
	return NULL;
}

/* What others find in pages that they are given must not be seen in the file. */
static void *use_pages(void *unused)
{
	(void)unused;
	while (!stop) {
		char *p = mmap(NULL, 4 * RUN, RW, ANON, -1, 0);

		if (p == MAP_FAILED)
			continue;
		memset(p, 0xee, 4 * RUN);
		munmap(p, 4 * RUN);
	}
	return NULL;
}

TEST(reads_in_runs_while_the_file_is_cut)
{
	static unsigned char data[RUN];
	pthread_t t[4];

	stop = false;
	wrong = 0;
	shared_fd = OK(memfd_create("cut", 0));
	memset(data, 0x5a, RUN);
	for (int i = 0; i < 4; i++)
		EQ(pthread_create(&t[i], NULL, i < 2 ? read_runs : use_pages, NULL), 0);
	for (int i = 0; i < 1500; i++) {
		EQ(pwrite(shared_fd, data, RUN, 0), RUN);
		if (i % 3)
			OK(ftruncate(shared_fd, (i * 4099) & (RUN - 1)));
		else
			OK(fallocate(shared_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				     (i * 4099) & (RUN - 1), RUN));
	}
	stop = true;
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	EQ(wrong, 0);
	close(shared_fd);
}
