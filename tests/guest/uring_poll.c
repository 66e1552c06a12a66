// SPDX-License-Identifier: MIT
/*
 * io_uring(7): polls, once and many times.
 * proves: io_uring_enter
 */
#include "uring.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static struct io_uring_sqe *poll_add(struct ring *r, int fd, unsigned int events,
				     unsigned int flags, unsigned long long data)
{
	struct io_uring_sqe *s = sqe(r, IORING_OP_POLL_ADD, fd, data);

	s->poll32_events = events;
	s->len = flags;
	return s;
}

TEST(polls)
{
	struct ring r = ring(8);
	struct cqe c;
	int p[2];
	char b[8];

	OK(pipe(p));
	poll_add(&r, p[1], POLLOUT, 0, 1);
	poll_add(&r, p[0], POLLIN, 0, 2);
	poll_add(&r, 99, POLLIN, 0, 3);
	EQ(enter(&r, 3, 2, IORING_ENTER_GETEVENTS), 3);
	is(&r, 1, POLLOUT);
	is(&r, 3, -EBADF);
	EQ(there(&r), 0);
	EQ(write(p[1], "x", 1), 1);
	wait_for(&r, 1);
	is(&r, 2, POLLIN);
	/* Of many: each write tells. */
	poll_add(&r, p[0], POLLIN, IORING_POLL_ADD_MULTI, 4);
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	for (int i = 0; i < 3; i++) {
		wait_for(&r, 1);
		c = next(&r);
		EQ(c.user_data, 4);
		EQ(c.res, POLLIN);
		EQ(c.flags, IORING_CQE_F_MORE);
		EQ(read(p[0], b, 8), 1);
		EQ(write(p[1], "x", 1), 1);
	}
	wait_for(&r, 1);
	next(&r);
	sqe(&r, IORING_OP_POLL_REMOVE, -1, 5)->addr = 4;
	EQ(enter(&r, 1, 2, IORING_ENTER_GETEVENTS), 1);
	are(&r, 4, 2, (int[]){ -ECANCELED, 0 });
	sqe(&r, IORING_OP_POLL_REMOVE, -1, 6)->addr = 4;
	EQ(submit(&r, 1), 1);
	is(&r, 6, -ENOENT);
	close(p[0]);
	close(p[1]);
	end(&r);
}

/* Of many, each completion tells what its wake-up was for. */
TEST(a_poll_of_both_directions)
{
	struct ring r = ring(8);
	struct cqe c;
	int s[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	poll_add(&r, s[0], POLLIN | POLLOUT | POLLRDHUP, IORING_POLL_ADD_MULTI, 1);
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	EQ(next(&r).res, POLLOUT);
	for (int i = 0; i < 2; i++) {
		EQ(write(s[1], "x", 1), 1);
		wait_for(&r, 1);
		c = next(&r);
		EQ(c.res, POLLIN);
		EQ(c.flags, IORING_CQE_F_MORE);
	}
	OK(shutdown(s[1], SHUT_WR));
	wait_for(&r, 1);
	EQ(next(&r).res, POLLIN | POLLOUT | POLLRDHUP);
	poll_add(&r, s[1], POLLIN, IORING_POLL_ADD_LEVEL, 2);
	EQ(submit(&r, 1), 1);
	is(&r, 2, -EINVAL);
	close(s[0]);
	close(s[1]);
	end(&r);
}

/* Of many, what is ready at first is deferred like the rest, and is told with it. */
TEST(a_poll_that_is_deferred)
{
	struct io_uring_params p = { .flags = IORING_SETUP_SINGLE_ISSUER |
					      IORING_SETUP_DEFER_TASKRUN };
	struct ring r = ring_of(8, p);
	struct cqe c;
	int s[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	poll_add(&r, s[0], POLLIN | POLLOUT, IORING_POLL_ADD_MULTI, 1);
	EQ(submit(&r, 1), 1);
	EQ(there(&r), 0);
	EQ(write(s[1], "x", 1), 1);
	wait_for(&r, 1);
	c = next(&r);
	EQ(c.user_data, 1);
	EQ(c.res, POLLIN | POLLOUT);
	EQ(c.flags, IORING_CQE_F_MORE);
	EQ(there(&r), 0);
	close(s[0]);
	close(s[1]);
	end(&r);
}

/* What a ring's own completions wake is told once more, and no more. */
TEST(a_poll_that_wakes_itself)
{
	struct ring r = ring(8);
	int e = OK(eventfd(0, 0)), ep = OK(epoll_create1(0));
	struct epoll_event ev = { .events = EPOLLIN };

	OK(epoll_ctl(ep, EPOLL_CTL_ADD, e, &ev));
	OK(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_EVENTFD, &e, 1));
	for (int i = 0; i < 2; i++) {
		uint64_t n;
		struct cqe c;
		struct io_uring_sqe *s = sqe(&r, IORING_OP_POLL_ADD, i ? ep : e, 1);

		s->len = IORING_POLL_ADD_MULTI;
		s->poll32_events = POLLIN;
		EQ(submit(&r, 1), 1);
		EQ(there(&r), 0);
		sqe(&r, IORING_OP_NOP, -1, 2);
		EQ(submit(&r, 1), 1);
		if (there(&r) < 2)
			wait_for(&r, 2);
		is(&r, 2, 0);
		c = next(&r);
		EQ(c.user_data, 1);
		EQ(c.res, POLLIN);
		EQ(c.flags, 0);
		EQ(there(&r), 0);
		EQ(read(e, &n, sizeof(n)), 8);
		EQ(n, 2);
	}
	close(ep);
	close(e);
	end(&r);
}

TEST(a_poll_that_is_changed)
{
	struct ring r = ring(8);
	struct io_uring_sqe *s;
	int p[2];

	OK(pipe(p));
	poll_add(&r, p[1], POLLERR, 0, 1);
	s = sqe(&r, IORING_OP_POLL_REMOVE, -1, 2);
	s->addr = 1;
	s->off = 3;
	s->len = IORING_POLL_UPDATE_USER_DATA;
	EQ(enter(&r, 2, 1, IORING_ENTER_GETEVENTS), 2);
	is(&r, 2, 0);
	s = sqe(&r, IORING_OP_POLL_REMOVE, -1, 4);
	s->addr = 3;
	s->len = IORING_POLL_UPDATE_EVENTS;
	s->poll32_events = POLLOUT;
	EQ(enter(&r, 1, 2, IORING_ENTER_GETEVENTS), 1);
	are(&r, 3, 2, (int[]){ POLLOUT, 0 });
	close(p[0]);
	close(p[1]);
	end(&r);
}
