// SPDX-License-Identifier: MIT
/*
 * io_uring(7): timeouts whose time is in the SQE, in nanoseconds (IORING_TIMEOUT_IMMEDIATE_ARG).
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
	char b;

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
