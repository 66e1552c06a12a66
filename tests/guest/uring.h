/* SPDX-License-Identifier: MIT */
/* Rings of io_uring(7) by system calls alone, for tests. */
#pragma once

#include "t.h"
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#pragma GCC diagnostic ignored "-Wunused-function"

struct ring {
	int fd;
	struct io_uring_params p;
	char *shared;
	size_t bytes;
	struct io_uring_sqe *sqes;
	unsigned int tail;
};

static unsigned int *at(const struct ring *r, unsigned int off)
{
	return (unsigned int *)(r->shared + off);
}

static void enable(void)
{
	if (access("/proc/sys/kernel/io_uring_disabled", F_OK))
		SKIP("no io_uring");
}

static int setup(unsigned int n, struct io_uring_params *p)
{
	return (int)syscall(SYS_io_uring_setup, n, p);
}

/* Where rings may be made already. */
static struct ring ring_as_it_is(unsigned int n, struct io_uring_params p)
{
	struct ring r = { .p = p };

	r.fd = OK(setup(n, &r.p));
	r.bytes = r.p.cq_off.cqes + r.p.cq_entries * sizeof(struct io_uring_cqe);
	if (r.p.sq_off.array + r.p.sq_entries * 4 > r.bytes)
		r.bytes = r.p.sq_off.array + r.p.sq_entries * 4;
	r.shared = mmap(NULL, r.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r.fd,
			IORING_OFF_SQ_RING);
	CHECK(r.shared != MAP_FAILED);
	r.sqes = mmap(NULL, r.p.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_POPULATE, r.fd, IORING_OFF_SQES);
	CHECK(r.sqes != MAP_FAILED);
	return r;
}

static struct ring ring_of(unsigned int n, struct io_uring_params p)
{
	enable();
	return ring_as_it_is(n, p);
}

static struct ring ring(unsigned int n)
{
	return ring_of(n, (struct io_uring_params){ 0 });
}

static struct io_uring_sqe *sqe(struct ring *r, int op, int fd, unsigned long long data)
{
	unsigned int i = r->tail++ & (r->p.sq_entries - 1);
	struct io_uring_sqe *s = &r->sqes[i];

	if (!(r->p.flags & IORING_SETUP_NO_SQARRAY))
		at(r, r->p.sq_off.array)[i] = i;
	memset(s, 0, sizeof(*s));
	s->opcode = (unsigned char)op;
	s->fd = fd;
	s->user_data = data;
	return s;
}

static int enter(struct ring *r, unsigned int n, unsigned int min, unsigned int flags)
{
	__atomic_store_n(at(r, r->p.sq_off.tail), r->tail, __ATOMIC_RELEASE);
	return (int)syscall(SYS_io_uring_enter, r->fd, n, min, flags, NULL, 0);
}

static int submit(struct ring *r, unsigned int n)
{
	return enter(r, n, 0, 0);
}

static unsigned int there(struct ring *r)
{
	return __atomic_load_n(at(r, r->p.cq_off.tail), __ATOMIC_ACQUIRE) -
	       *at(r, r->p.cq_off.head);
}

/* What the header's ends with may not be passed by value. */
struct cqe {
	uint64_t user_data;
	int res;
	unsigned int flags;
};

/* The next completion; it is there. */
static struct cqe next(struct ring *r)
{
	unsigned int head = *at(r, r->p.cq_off.head);
	struct io_uring_cqe *c;
	struct cqe got;

	CHECK(there(r));
	c = (struct io_uring_cqe *)(r->shared + r->p.cq_off.cqes) + (head & (r->p.cq_entries - 1));
	memcpy(&got, c, sizeof(got));
	__atomic_store_n(at(r, r->p.cq_off.head), head + 1, __ATOMIC_RELEASE);
	return got;
}

static void is(struct ring *r, unsigned long long data, int res)
{
	struct cqe c = next(r);

	EQ(c.user_data, data);
	EQ(c.res, res);
	EQ(c.flags, 0);
}

/* All that are there, whatever their order: RES[I] is the result of FIRST + I. */
static void are(struct ring *r, unsigned long long first, unsigned int n, const int *res)
{
	unsigned int seen = 0;

	EQ(there(r), n);
	for (unsigned int i = 0; i < n; i++) {
		struct cqe c = next(r);

		CHECK(c.user_data >= first && c.user_data < first + n);
		EQ(c.res, res[c.user_data - first]);
		seen |= 1u << (c.user_data - first);
	}
	EQ(seen, (1u << n) - 1);
}

static void wait_for(struct ring *r, unsigned int n)
{
	EQ(enter(r, 0, n, IORING_ENTER_GETEVENTS), 0);
}

static void end(struct ring *r)
{
	OK(close(r->fd));
	OK(munmap(r->shared, r->bytes));
	OK(munmap(r->sqes, r->p.sq_entries * sizeof(struct io_uring_sqe)));
}

static int file(void)
{
	char name[] = "/tmp/uring-XXXXXX";
	int fd = OK(mkstemp(name));

	unlink(name);
	return fd;
}

static struct io_uring_sqe *rw(struct ring *r, int op, int fd, const void *b, unsigned int n,
			       long long off, unsigned long long data)
{
	struct io_uring_sqe *s = sqe(r, op, fd, data);

	s->addr = (uintptr_t)b;
	s->len = n;
	s->off = (unsigned long long)off;
	return s;
}
