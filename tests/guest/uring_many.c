// SPDX-License-Identifier: MIT
/*
 * io_uring(7): thousands of rings that come and go with requests in flight. Files, pinned pages and
 * descriptors come back: their limits are far below what all of them would need.
 * proves: io_uring_setup io_uring_register
 */
#include "uring.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define RINGS 4000
#define SLOW_RINGS 1000	/* where allocations are checked */
#define FREE 200	/* of them on all CPUs, where their memory goes slowly */
#define CHILDREN 50
#define SMALL (16 * 4096)

static int reg(struct ring *r, unsigned int op, void *arg, unsigned int nr)
{
	return (int)syscall(SYS_io_uring_register, r->fd, op, arg, nr);
}

struct shared {
	int empty[2], held[2], event;
	char *page;
};

/* The limit is reached while those before are still on their way out: not for long. */
static void pin(struct ring *r, const struct shared *s)
{
	struct iovec v = { s->page, 4096 };

	while (reg(r, IORING_REGISTER_BUFFERS, &v, 1)) {
		EQ(errno, ENOMEM);
		sched_yield();
	}
}

static void begin(struct ring *r, const struct shared *s, int i, char *b)
{
	static const struct __kernel_timespec late = { 100000, 0 };
	struct io_uring_sqe *e;
	unsigned int n = 0;

	rw(r, IORING_OP_READ, s->empty[0], b, 1, 0, ++n)->flags = IOSQE_IO_LINK;
	sqe(r, IORING_OP_NOP, -1, ++n);
	e = sqe(r, IORING_OP_POLL_ADD, s->empty[0], ++n);
	e->poll32_events = POLLIN;
	e->len = IORING_POLL_ADD_MULTI;
	e = sqe(r, IORING_OP_TIMEOUT, -1, ++n);
	e->addr = (uintptr_t)&late;
	e->len = 1;
	rw(r, IORING_OP_READ_FIXED, s->empty[0], s->page, 1, 0, ++n);
	if (i % 8 == 0) {
		/* A worker waits in it. */
		e = sqe(r, IORING_OP_SPLICE, s->held[1], ++n);
		e->splice_fd_in = s->empty[0];
		e->splice_off_in = e->off = (unsigned long long)-1;
		e->len = 1;
	}
	EQ(submit(r, n), (int)n);
	EQ(there(r), 0);
}

static void one(const struct shared *s, int i, bool leave)
{
	static const unsigned int flags[] = { 0,
					      IORING_SETUP_SINGLE_ISSUER |
						      IORING_SETUP_DEFER_TASKRUN,
					      IORING_SETUP_COOP_TASKRUN };
	struct ring r = ring_as_it_is(8, (struct io_uring_params){ .flags = flags[i % 3] });
	char b;

	OK(reg(&r, IORING_REGISTER_FILES, (int[]){ s->held[1] }, 1));
	OK(reg(&r, IORING_REGISTER_EVENTFD, (int[]){ s->event }, 1));
	pin(&r, s);
	begin(&r, s, i, &b);
	if (leave)
		_exit(0);
	end(&r);
}

TEST(rings_come_and_go)
{
	struct rlimit files = { 32, 32 }, pinned = { SMALL, SMALL };
	struct ring first = ring(1);
	struct shared s;
	int n = access("/proc/self/fail-nth", F_OK) ? RINGS : SLOW_RINGS;
	cpu_set_t cpu;
	char b;

	end(&first);
	OK(pipe(s.empty));
	OK(pipe(s.held));
	s.event = OK(eventfd(0, 0));
	s.page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(s.page != MAP_FAILED);
	if (sysconf(_SC_PAGESIZE) != 4096)
		SKIP("pages of another size");
	OK(setrlimit(RLIMIT_NOFILE, &files));
	OK(setrlimit(RLIMIT_MEMLOCK, &pinned));
	OK(setgid(1000));
	OK(setuid(1000));
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	for (int i = 0; i < n; i++) {
		if (i == FREE)
			OK(sched_setaffinity(0, sizeof(cpu), &cpu));
		one(&s, i, false);
	}
	for (int i = 0; i < CHILDREN; i++) {
		int status;
		pid_t pid = OK(fork());

		if (!pid)
			one(&s, i, true);
		EQ(waitpid(pid, &status, 0), pid);
		EQ(status, 0);
	}
	/* No ring and no request holds the other end any more. */
	close(s.held[1]);
	EQ(read(s.held[0], &b, 1), 0);
}
