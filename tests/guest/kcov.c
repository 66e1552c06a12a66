// SPDX-License-Identifier: MIT
/*
 * Coverage of a task in the debug build, as fuzzers use it; the release build has no trace of it.
 */
#include "t.h"
#include <linux/kcov.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>

#define WORDS (64 << 10)
#define DEBUG "/sys/kernel/debug"

static int kcov_open(void)
{
	if (access(DEBUG "/plant", F_OK))
		mount("debugfs", DEBUG, "debugfs", 0, NULL);
	if (access(DEBUG "/plant", F_OK)) {
		ERR(open(DEBUG "/kcov", O_RDWR), ENOENT);
		SKIP("a release kernel");
	}
	return OK(open(DEBUG "/kcov", O_RDWR | O_CLOEXEC));
}

static uint64_t *kcov_area(int fd)
{
	void *p;

	OK(ioctl(fd, KCOV_INIT_TRACE, WORDS));
	p = mmap(NULL, WORDS * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

static bool visited(const uint64_t *area, uint64_t pc)
{
	for (uint64_t i = 1; i <= area[0]; i++)
		if (area[i] == pc)
			return true;
	return false;
}

TEST(order_of_calls)
{
	int fd = kcov_open(), other = kcov_open();
	uint64_t *p;
	char c;

	ERR(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC), EINVAL);
	ERR(ioctl(fd, KCOV_DISABLE, 0), EINVAL);
	ERR(ioctl(fd, KCOV_INIT_TRACE, 0), EINVAL);
	ERR(ioctl(fd, KCOV_INIT_TRACE, 1), EINVAL);
	ERR(ioctl(fd, KCOV_INIT_TRACE, 1ul << 40), EINVAL);
	ERR(ioctl(fd, 12345, 0), ENOTTY);
	CHECK(mmap(NULL, WORDS * 8, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EINVAL);
	p = kcov_area(fd);
	CHECK(mmap(NULL, WORDS * 4, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EINVAL);
	ERR(ioctl(fd, KCOV_INIT_TRACE, WORDS), EBUSY);
	ERR(ioctl(fd, KCOV_ENABLE, 77), EINVAL);
	OK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC));
	ERR(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC), EINVAL);
	ERR(ioctl(fd, KCOV_DISABLE, 1), EINVAL);
	/* One descriptor a task. */
	kcov_area(other);
	ERR(ioctl(other, KCOV_ENABLE, KCOV_TRACE_PC), EBUSY);
	ERR(ioctl(other, KCOV_DISABLE, 0), EINVAL);
	OK(ioctl(fd, KCOV_DISABLE, 0));
	ERR(ioctl(fd, KCOV_DISABLE, 0), EINVAL);
	OK(ioctl(other, KCOV_ENABLE, KCOV_TRACE_CMP));
	OK(ioctl(other, KCOV_DISABLE, 0));
	CHECK(p[0] > 0);
	ERR(read(fd, &c, 1), EINVAL);
	ERR(lseek(fd, 0, SEEK_SET), ESPIPE);
}

TEST(mode_is_0600)
{
	int fd = kcov_open();

	close(fd);
	OK(setresuid(1000, 1000, 1000));
	ERR(open(DEBUG "/kcov", O_RDWR), EACCES);
}

TEST(traces_the_call)
{
	static uint64_t first[WORDS];
	int fd = kcov_open(), pfd[2];
	uint64_t *p = kcov_area(fd), n, other = 0;
	char c = 0;

	OK(pipe(pfd));
	OK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC));
	p[0] = 0;
	EQ(write(pfd[1], &c, 1), 1);
	n = p[0];
	CHECK(n > 5 && n < WORDS);
	memcpy(first, p, (n + 1) * 8);
	/* The same again is the same; another call is another way. */
	p[0] = 0;
	EQ(write(pfd[1], &c, 1), 1);
	for (uint64_t i = 1; i <= p[0]; i++)
		other += !visited(first, p[i]);
	CHECK(other < p[0] / 2);
	p[0] = 0;
	access("/proc/self/status", F_OK);
	CHECK(p[0] > 5);
	other = 0;
	for (uint64_t i = 1; i <= p[0]; i++)
		other += !visited(first, p[i]);
	CHECK(other > p[0] / 2);
	OK(ioctl(fd, KCOV_DISABLE, 0));
	/* Nothing after. */
	n = p[0];
	EQ(write(pfd[1], &c, 1), 1);
	EQ(p[0], n);
}

TEST(comparisons)
{
	int fd = kcov_open(), plant = OK(open(DEBUG "/plant", O_WRONLY));
	uint64_t *p = kcov_area(fd), at = 0;
	bool near = false;

	OK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_CMP));
	p[0] = 0;
	EQ(write(plant, "covered", 7), 7);
	OK(ioctl(fd, KCOV_DISABLE, 0));
	CHECK(p[0] > 5 && p[0] * 4 < WORDS);
	for (uint64_t i = 0; i < p[0]; i++) {
		uint64_t *e = p + 1 + i * 4;

		if (e[1] == 0xc0ffee || e[2] == 0xc0ffee) {
			EQ(e[0], KCOV_CMP_CONST | KCOV_CMP_SIZE(2));
			EQ(e[1] == 0xc0ffee ? e[2] : e[1], 40);
			at = e[3];
		}
	}
	CHECK(at);
	/* The same place, as a place. */
	OK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC));
	p[0] = 0;
	EQ(write(plant, "covered", 7), 7);
	OK(ioctl(fd, KCOV_DISABLE, 0));
	for (uint64_t i = 1; i <= p[0]; i++)
		near |= p[i] > at - 200 && p[i] < at + 200;
	CHECK(near);
}

TEST(a_full_area_stays_as_it_is)
{
	size_t words = (size_t)getpagesize() / 8;
	int fd = kcov_open();
	uint64_t *p;

	OK(ioctl(fd, KCOV_INIT_TRACE, words));
	p = mmap(NULL, words * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	OK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC));
	for (int i = 0; i < 50 * (int)(words / 512); i++)
		access("/tmp/nothing/here", F_OK);
	EQ(p[0], words - 1);
	p[0] = UINT64_MAX;		/* what a program writes there leads nowhere else */
	access("/tmp/nothing/here", F_OK);
	p[0] = UINT64_MAX / 4;
	access("/tmp/nothing/here", F_OK);
	OK(ioctl(fd, KCOV_DISABLE, 0));
	OK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_CMP));
	p[0] = UINT64_MAX;
	access("/tmp/nothing/here", F_OK);
	p[0] = UINT64_MAX / 4;
	access("/tmp/nothing/here", F_OK);
	p[0] = 0;
	for (int i = 0; i < 50 * (int)(words / 512); i++)
		access("/tmp/nothing/here", F_OK);
	EQ(p[0], (words - 1) / 4);
	OK(ioctl(fd, KCOV_DISABLE, 0));
}

TEST(a_child_is_not_traced)
{
	int fd = kcov_open();
	uint64_t *p = kcov_area(fd), n;
	int go[2];
	char c = 0;
	pid_t pid;

	OK(pipe(go));
	OK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC));
	pid = fork();
	if (!pid) {
		if (read(go[0], &c, 1) != 1)
			_exit(1);
		for (int i = 0; i < 100; i++)
			access("/tmp/nothing", F_OK);
		/* It may not end what its parent began, nor begin itself. */
		if (ioctl(fd, KCOV_DISABLE, 0) != -1 || errno != EINVAL)
			_exit(2);
		if (ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC) != -1 || errno != EINVAL)
			_exit(3);
		/* But it is free for a descriptor of its own. */
		fd = kcov_open();
		kcov_area(fd);
		_exit(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC) ? 4 : 0);
	}
	n = p[0];
	memset(p, 0, WORDS * 8);
	EQ(write(go[1], &c, 1), 1);
	EQ(t_wait(pid), 0);
	OK(ioctl(fd, KCOV_DISABLE, 0));
	CHECK(n > 0 && p[0] > 0);
	/* With the parent's tracing over, another may. */
	pid = OK(fork());
	if (!pid) {
		int r = ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC);

		access("/tmp/nothing", F_OK);
		_exit(r ? 1 : 0);	/* with tracing on: its end gives the descriptor back */
	}
	CHECK(t_child_ok(pid));
	CHECK(p[0] > 0);
	OK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC));
	OK(ioctl(fd, KCOV_DISABLE, 0));
}

TEST(closing_is_not_the_end)
{
	int fd = kcov_open(), other;
	uint64_t *p = kcov_area(fd), n;

	OK(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC));
	close(fd);
	n = p[0];
	access("/tmp/nothing", F_OK);
	CHECK(p[0] > n);
	/* The task stays bound to what nobody can reach any more. */
	other = kcov_open();
	OK(ioctl(other, KCOV_INIT_TRACE, WORDS));
	ERR(ioctl(other, KCOV_ENABLE, KCOV_TRACE_PC), EBUSY);
	munmap(p, WORDS * 8);
	access("/tmp/nothing", F_OK);
}

static void *traced_thread(void *arg)
{
	int fd = *(int *)arg;

	return (void *)(long)ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC);
}

TEST(each_thread_for_itself)
{
	int fd = kcov_open();
	uint64_t *p = kcov_area(fd), n;
	pthread_t t;
	void *r;

	EQ(pthread_create(&t, NULL, traced_thread, &fd), 0);
	EQ(pthread_join(t, &r), 0);
	EQ((long)r, 0);
	n = p[0];
	access("/tmp/nothing", F_OK);
	EQ(p[0], n);
	/* The thread is gone, or about to be: its descriptor is free then. */
	while (ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC)) {
		EQ(errno, EINVAL);
		sched_yield();
	}
	OK(ioctl(fd, KCOV_DISABLE, 0));
}

TEST(remote_coverage_is_refused)
{
	int fd = kcov_open();
	struct kcov_remote_arg arg = { .trace_mode = KCOV_TRACE_PC, .area_size = WORDS };

	ERR(ioctl(fd, KCOV_REMOTE_ENABLE, &arg), EINVAL);
	kcov_area(fd);
	ERR(ioctl(fd, KCOV_REMOTE_ENABLE, &arg), 524);
}
