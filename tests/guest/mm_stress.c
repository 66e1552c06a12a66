// SPDX-License-Identifier: MIT
/*
 * Threads that fault while others unmap, protect, move and fork; too much memory; leaks. proves:
 * process_vm_readv
 */
#define TEST_LIMIT 60
#include "t.h"
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>

#define PG ((unsigned long)PAGE)
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static volatile int stop;
static char *arena, *landing;
static pthread_barrier_t all_there;
enum { SLOTS = 64, SLOT_PAGES = 16 };

/*
 * Each thread owns slots i % n == id; what it writes it must read back, whatever happens next door.
 */
static void *churn(void *arg)
{
	long id = (long)arg;
	unsigned int seed = (unsigned int)id * 77 + 1;

	/* A hole of the arena must not become the stack of a thread that is still to come. */
	pthread_barrier_wait(&all_there);
	for (int round = 0; !stop && round < 200; round++) {
		int slot = (int)((unsigned int)rand_r(&seed) % (SLOTS / 4)) * 4 + (int)id;
		char *p = arena + (size_t)slot * SLOT_PAGES * PG;
		size_t len = SLOT_PAGES * PG;

		switch (rand_r(&seed) % 6) {
		case 0:
			if (mmap(p, len, RW, ANON | MAP_FIXED, -1, 0) != p)
				return "mmap";
			for (size_t i = 0; i < len; i += PG)
				if (p[i])
					return "a fresh page is not zero";
			break;
		case 1:
			mprotect(p, len / 2, PROT_READ);
			mprotect(p, len, RW);
			break;
		case 2:
			madvise(p, len, MADV_DONTNEED);
			if (p[PG])
				return "DONTNEED left data";
			break;
		case 3: {
			char *q;

			/*
			 * To a place of our own: a hole left here must not be taken by a
			 * neighbour's growth.
			 */
			memset(p, (int)id + 1, len);
			q = landing + (size_t)id * 2 * len;
			if (mremap(p, len, 2 * len, MREMAP_MAYMOVE | MREMAP_FIXED, q) != q)
				return "mremap";
			for (size_t i = 0; i < len; i += PG)
				if (q[i] != (char)(id + 1))
					return "mremap lost data";
			if (mmap(q, 2 * len, PROT_NONE, ANON | MAP_FIXED, -1, 0) != q)
				return "mmap of the landing place";
			if (mmap(p, len, RW, ANON | MAP_FIXED, -1, 0) != p)
				return "mmap again";
			break;
		}
		default:
			for (size_t i = 0; i < len; i += PG)
				p[i] = (char)round;
			for (size_t i = 0; i < len; i += PG)
				if (p[i] != (char)round)
					return "lost a write";
		}
	}
	return NULL;
}

TEST(threads_against_the_map)
{
	pthread_t t[4];
	void *why;

	arena = mmap(NULL, (size_t)SLOTS * SLOT_PAGES * PG, RW, ANON, -1, 0);
	landing = mmap(NULL, 8ul * SLOT_PAGES * PG, PROT_NONE, ANON, -1, 0);
	CHECK(arena != MAP_FAILED && landing != MAP_FAILED);
	EQ(pthread_barrier_init(&all_there, NULL, 4), 0);
	for (long i = 0; i < 4; i++)
		EQ(pthread_create(&t[i], NULL, churn, (void *)i), 0);
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (!pid) {
			for (size_t k = 0; k < (size_t)SLOTS * SLOT_PAGES; k += 3)
				arena[k * PG]++;
			_exit(0);
		}
		t_wait(pid);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &why);
		if (why)
			FAIL("thread %d: %s", i, (char *)why);
	}
}

static void *toucher(void *arg)
{
	volatile char *p = arg;

	while (!stop)
		for (int i = 0; i < 64; i++)
			p[(size_t)i * PG]++;
	return NULL;
}

TEST(fork_while_threads_write)
{
	char *p = mmap(NULL, 64 * PG, RW, ANON, -1, 0);
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		EQ(pthread_create(&t[i], NULL, toucher, p), 0);
	for (int i = 0; i < 60; i++) {
		pid_t pid = fork();

		if (!pid) {
			char copy[64];

			for (int k = 0; k < 64; k++)
				copy[k] = p[(size_t)k * PG];
			usleep(100);
			for (int k = 0; k < 64; k++)
				if (p[(size_t)k * PG] != copy[k])
					_exit(1);
			_exit(0);
		}
		CHECK(t_child_ok(pid));
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}

TEST(many_mappings)
{
	enum { N = 5000 };
	char *base = mmap(NULL, N * 2 * PG, PROT_NONE, ANON, -1, 0);

	CHECK(base != MAP_FAILED);
	for (long i = 0; i < N; i++)
		OK(mprotect(base + i * 2 * PG, PG, RW));
	for (long i = 0; i < N; i += 7)
		base[i * 2 * PG] = (char)i;
	pid_t pid = fork();

	if (!pid) {
		for (long i = 0; i < N; i += 7)
			if (base[i * 2 * PG] != (char)i)
				_exit(1);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	for (long i = 0; i < N; i += 2)
		OK(munmap(base + i * 2 * PG, 2 * PG));
	OK(munmap(base, N * 2 * PG));
}

TEST(memory_comes_back)
{
	struct sysinfo a, b;

	for (int round = 0; round < 2; round++) {
		OK(sysinfo(&a));
		for (int i = 0; i < 20; i++) {
			pid_t pid = fork();

			if (!pid) {
				char *p = mmap(NULL, 500 * PG, RW, ANON, -1, 0);

				memset(p, 1, 500 * PG);
				_exit(0);
			}
			CHECK(t_child_ok(pid));
		}
		OK(sysinfo(&b));
	}
	long long diff = ((long long)a.freeram - (long long)b.freeram) * a.mem_unit;

	if (diff > 1 << 20)
		FAIL("%lld bytes did not come back", diff);
}

TEST(hog_is_killed_and_others_live)
{
	struct sysinfo si;
	pid_t pid;
	int st;

	OK(sysinfo(&si));
	if (si.totalram * si.mem_unit > 600ull << 20)
		SKIP("too much memory to fill");
	pid = fork();
	if (!pid) {
		for (;;) {
			char *p = mmap(NULL, 1 << 20, RW, ANON, -1, 0);

			if (p == MAP_FAILED)
				_exit(3);
			memset(p, 1, 1 << 20);
		}
	}
	st = t_wait(pid);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
	OK(sysinfo(&si));
	CHECK(si.freeram * 3 > si.totalram);
}

TEST(read_another_process)
{
	char secret[] = "what the parent knows", got[sizeof(secret)] = "";
	struct iovec l = { got, sizeof(got) }, r = { secret, sizeof(secret) };
	long n = syscall(SYS_process_vm_readv, getpid(), &l, 1, &r, 1, 0);

	if (n < 0 && errno == ENOSYS)
		SKIP("not there yet");
	EQ(n, sizeof(secret));
	CHECK(!strcmp(got, secret));
	ERR(syscall(SYS_process_vm_readv, getpid(), &l, 1, &r, 1, 1), EINVAL);
	ERR(syscall(SYS_process_vm_readv, 999999, &l, 1, &r, 1, 0), ESRCH);
	r.iov_base = (void *)8;
	ERR(syscall(SYS_process_vm_readv, getpid(), &l, 1, &r, 1, 0), EFAULT);
}
