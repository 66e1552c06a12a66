// SPDX-License-Identifier: MIT
/*
 * io_uring(7): cancellation of many requests, beside many that stay. Most have the same user data,
 * so that the kernel finds them in one place.
 * proves: io_uring_enter
 */
#include "uring.h"
#include <poll.h>
#include <sys/eventfd.h>

#define MANY 1500

enum { IT = 1, HEAD, CANCEL, KINDS };	/* user data, or its lower half */

static struct ring big_ring(void)
{
	return ring_of(64, (struct io_uring_params){ .flags = IORING_SETUP_CQSIZE,
						     .cq_entries = 8192 });
}

/*
 * Waits for N events and takes them: RES[i] is the result of all whose user data is I; *SEEN how
 * many.
 */
static void take(struct ring *r, unsigned int n, const int *res, unsigned int *seen)
{
	wait_for(r, n);
	EQ(there(r), n);
	memset(seen, 0, KINDS * sizeof(*seen));
	for (unsigned int i = 0; i < n; i++) {
		struct cqe c = next(r);

		unsigned int kind = (unsigned int)c.user_data;

		CHECK(kind >= IT && kind < KINDS);
		EQ(c.res, res[kind]);
		seen[kind]++;
	}
}

static struct io_uring_sqe *poll_add(struct ring *r, int fd, unsigned long long data)
{
	struct io_uring_sqe *s = sqe(r, IORING_OP_POLL_ADD, fd, data);

	s->poll32_events = POLLIN;
	return s;
}

/* HEAD waits, with a limit of time whose user data is DATA. */
static void limit(struct ring *r, struct io_uring_sqe *head, unsigned long long data)
{
	static const struct __kernel_timespec late = { 100000, 0 };
	struct io_uring_sqe *s = sqe(r, IORING_OP_LINK_TIMEOUT, -1, data);

	head->flags = IOSQE_IO_LINK;
	s->addr = (uintptr_t)&late;
	s->len = 1;
}

static struct io_uring_sqe *cancel(struct ring *r, unsigned long long what, unsigned int flags)
{
	struct io_uring_sqe *s = sqe(r, IORING_OP_ASYNC_CANCEL, -1, CANCEL);

	s->addr = what;
	s->cancel_flags = flags | IORING_ASYNC_CANCEL_ALL;
	return s;
}

TEST(those_of_one_file)
{
	int stay = OK(eventfd(0, 0)), go = OK(eventfd(0, 0));
	struct ring r = big_ring();
	unsigned int n[KINDS];
	uint64_t one = 1;

	for (int i = 0; i < MANY; i++) {
		poll_add(&r, stay, IT);
		poll_add(&r, go, IT);
		EQ(submit(&r, 2), 2);
	}
	cancel(&r, 0, IORING_ASYNC_CANCEL_FD)->fd = go;
	EQ(submit(&r, 1), 1);
	take(&r, MANY + 1, (int[]){ [IT] = -ECANCELED, [CANCEL] = MANY }, n);
	EQ(n[IT], MANY);
	cancel(&r, 0, IORING_ASYNC_CANCEL_FD)->fd = go;
	EQ(submit(&r, 1), 1);
	take(&r, 1, (int[]){ [CANCEL] = 0 }, n);
	EQ(n[CANCEL], 1);
	EQ(write(stay, &one, 8), 8);
	take(&r, MANY, (int[]){ [IT] = POLLIN }, n);
	EQ(n[IT], MANY);
	close(stay);
	close(go);
	end(&r);
}

/* The limit, which is found beside its request, ends with it: that is one. */
TEST(limits_that_end_with_their_requests)
{
	int f = OK(eventfd(0, 0));
	struct ring r = big_ring();
	unsigned int n[KINDS];
	uint64_t b = 0;

	for (int i = 0; i < MANY; i++) {
		limit(&r, rw(&r, IORING_OP_READ, f, &b, 8, 0, IT), IT);
		EQ(submit(&r, 2), 2);
	}
	cancel(&r, IT, 0);
	EQ(submit(&r, 1), 1);
	take(&r, 2 * MANY + 1, (int[]){ [IT] = -ECANCELED, [CANCEL] = MANY }, n);
	EQ(n[IT], 2 * MANY);
	EQ(n[CANCEL], 1);
	close(f);
	end(&r);
}

/* A poll that is changed is found before its limit, others behind theirs. */
TEST(limits_on_either_side)
{
	int f = OK(eventfd(0, 0));
	struct ring r = big_ring();
	unsigned int n[KINDS];

	for (uint64_t i = 0; i < MANY; i++) {
		unsigned long long data = i << 32 | IT;
		struct io_uring_sqe *s;

		limit(&r, poll_add(&r, f, data), data);
		EQ(submit(&r, 2), 2);
		if (i & 1)
			continue;
		s = sqe(&r, IORING_OP_POLL_REMOVE, -1, HEAD);
		s->addr = data;
		s->len = IORING_POLL_UPDATE_EVENTS;
		s->poll32_events = POLLIN | POLLPRI;
		EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
		is(&r, HEAD, 0);
	}
	cancel(&r, 0, IORING_ASYNC_CANCEL_ANY);
	EQ(submit(&r, 1), 1);
	take(&r, 2 * MANY + 1, (int[]){ [IT] = -ECANCELED, [CANCEL] = MANY }, n);
	EQ(n[IT], 2 * MANY);
	close(f);
	end(&r);
}

/* A limit is not stopped by itself, and the one beside it is. */
TEST(limits_that_stay)
{
	int f = OK(eventfd(0, 0)), go = OK(eventfd(0, 0));
	struct ring r = big_ring();
	unsigned int n[KINDS];
	uint64_t b = 0;

	for (int i = 0; i < MANY; i++) {
		limit(&r, rw(&r, IORING_OP_READ, f, &b, 8, 0, HEAD), IT);
		poll_add(&r, go, IT);
		EQ(submit(&r, 3), 3);
	}
	cancel(&r, IT, 0);
	EQ(submit(&r, 1), 1);
	take(&r, MANY + 1, (int[]){ [IT] = -ECANCELED, [CANCEL] = MANY }, n);
	EQ(n[IT], MANY);
	cancel(&r, IT, 0);
	cancel(&r, 0, IORING_ASYNC_CANCEL_OP)->len = IORING_OP_LINK_TIMEOUT;
	EQ(submit(&r, 2), 2);
	take(&r, 2, (int[]){ [CANCEL] = 0 }, n);
	EQ(n[CANCEL], 2);
	cancel(&r, HEAD, 0);
	EQ(submit(&r, 1), 1);
	take(&r, 2 * MANY + 1, (int[]){ [IT] = -ECANCELED, [HEAD] = -ECANCELED, [CANCEL] = MANY },
	     n);
	EQ(n[IT], MANY);
	EQ(n[HEAD], MANY);
	close(f);
	close(go);
	end(&r);
}
