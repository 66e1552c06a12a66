// SPDX-License-Identifier: MIT
/*
 * io_uring(7): timeouts whose time is in the SQE, in nanoseconds (IORING_TIMEOUT_IMMEDIATE_ARG);
 * waits that count as waits for I/O.
 * proves: io_uring_enter
 */
#include "uring.h"
#include <time.h>

#define LATE 100000000000ull

#ifndef IORING_TIMEOUT_IMMEDIATE_ARG
#define IORING_TIMEOUT_IMMEDIATE_ARG (1u << 7)
#endif

static struct io_uring_sqe *timeout(struct ring *r, int op, unsigned long long ns,
				    unsigned int flags, unsigned long long data)
{
	struct io_uring_sqe *s = sqe(r, op, -1, data);

	s->addr = ns;
	s->len = 1;
	s->timeout_flags = IORING_TIMEOUT_IMMEDIATE_ARG | flags;
	return s;
}

static struct io_uring_sqe *change(struct ring *r, unsigned long long which, unsigned long long ns,
				   unsigned int flags, unsigned long long data)
{
	struct io_uring_sqe *s = sqe(r, IORING_OP_TIMEOUT_REMOVE, -1, data);

	s->addr = which;
	s->addr2 = ns;
	s->timeout_flags = IORING_TIMEOUT_IMMEDIATE_ARG | flags;
	return s;
}

TEST(a_time_in_the_request)
{
	struct ring r = ring(8);
	struct timespec now;

	/* Nothing is at these addresses. */
	timeout(&r, IORING_OP_TIMEOUT, 8, 0, 1);
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	is(&r, 1, -ETIME);
	OK(clock_gettime(CLOCK_MONOTONIC, &now));
	timeout(&r, IORING_OP_TIMEOUT,
		(unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec,
		IORING_TIMEOUT_ABS, 2);
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	is(&r, 2, -ETIME);
	timeout(&r, IORING_OP_TIMEOUT, 1ull << 63, 0, 3);
	EQ(submit(&r, 1), 1);
	is(&r, 3, -EINVAL);
	timeout(&r, IORING_OP_TIMEOUT, 8, 1u << 8, 4);
	EQ(submit(&r, 1), 1);
	is(&r, 4, -EINVAL);
	end(&r);
}

TEST(a_time_that_is_changed)
{
	struct ring r = ring(8);

	timeout(&r, IORING_OP_TIMEOUT, LATE, 0, 1);
	change(&r, 1, 1000, IORING_TIMEOUT_UPDATE, 2);
	EQ(enter(&r, 2, 2, IORING_ENTER_GETEVENTS), 2);
	wait_for(&r, 2);
	is(&r, 2, 0);
	is(&r, 1, -ETIME);
	/* Without a change there is no time. */
	timeout(&r, IORING_OP_TIMEOUT, LATE, 0, 3);
	change(&r, 3, 0, 0, 4);
	EQ(submit(&r, 2), 2);
	is(&r, 4, -EINVAL);
	change(&r, 3, 1ull << 63, IORING_TIMEOUT_UPDATE, 5);
	EQ(submit(&r, 1), 1);
	is(&r, 5, -EINVAL);
	EQ(there(&r), 0);
	end(&r);
}

TEST(a_time_that_limits)
{
	struct ring r = ring(8);
	int p[2];
	char b = 0;

	OK(pipe(p));
	rw(&r, IORING_OP_READ, p[0], &b, 1, 0, 1)->flags = IOSQE_IO_LINK;
	timeout(&r, IORING_OP_LINK_TIMEOUT, 1000, 0, 2);
	EQ(enter(&r, 2, 2, IORING_ENTER_GETEVENTS), 2);
	wait_for(&r, 2);
	are(&r, 1, 2, (int[]){ -ECANCELED, -ETIME });
	close(p[0]);
	close(p[1]);
	end(&r);
}

/* ---- time that a CPU waits for requests ---- */

/* Ticks of CPU 0. */
static unsigned long iowait(void)
{
	char b[8192] = "", *line;
	unsigned long user, nice, system, idle, ticks;
	int fd = OK(open("/proc/stat", O_RDONLY));

	CHECK(read(fd, b, sizeof(b) - 1) > 0);
	close(fd);
	line = strstr(b, "cpu0 ");
	CHECK(line);
	EQ(sscanf(line, "cpu0 %lu %lu %lu %lu %lu", &user, &nice, &system, &idle, &ticks), 5);
	return ticks;
}

static void wait_20ms(struct ring *r, unsigned int flags)
{
	struct __kernel_timespec t = { 0, 20000000 };
	struct io_uring_getevents_arg a = { .ts = (uintptr_t)&t };

	ERR((int)syscall(SYS_io_uring_enter, r->fd, 0, 1,
			 IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | flags, &a, sizeof(a)),
	    ETIME);
}

TEST(a_wait_for_requests_is_iowait)
{
	struct ring r = ring(8);
	unsigned long from;
	cpu_set_t set;
	int p[2];
	char b = 0;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	OK(sched_setaffinity(0, sizeof(set), &set));
	CHECK(r.p.features & IORING_FEAT_NO_IOWAIT);
	OK(pipe(p));
	/* Nothing is under way. */
	from = iowait();
	for (int i = 0; i < 10; i++)
		wait_20ms(&r, 0);
	EQ(iowait(), from);
	rw(&r, IORING_OP_READ, p[0], &b, 1, 0, 1);
	EQ(submit(&r, 1), 1);
	for (int i = 0; i < 10; i++)
		wait_20ms(&r, IORING_ENTER_NO_IOWAIT);
	EQ(iowait(), from);
	for (int i = 0; i < 500 && iowait() == from; i++)
		wait_20ms(&r, 0);
	CHECK(iowait() != from);
	EQ(write(p[1], "x", 1), 1);
	wait_for(&r, 1);
	is(&r, 1, 1);
	close(p[0]);
	close(p[1]);
	end(&r);
}
