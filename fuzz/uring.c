// SPDX-License-Identifier: MIT
/*
 * The pseudo-call uring_run(FD, SQES, BYTES, HOW, FLAGS, MIN): maps the rings of FD, writes SQEs at
 * the tail, enters, takes completions and unmaps. It stands in the C programs that toc.c writes,
 * too, and so needs nothing of the fuzzer.
 *
 *	HOW	the low byte: how many completions are taken afterwards; URING_* beside it
 *	FLAGS	of io_uring_enter(2); with EXT_ARG its argument has a limit of 1 ms
 *	MIN	completions to wait for: who calls it interrupts it
 */
#include "uring.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define SQE 64
#define MOST_SQ 32768u
#define REWRITES 200

static uint32_t *ring_word(struct uring_run *u, uint32_t off)
{
	return (uint32_t *)(u->rings + off);
}

static int inside(const struct uring_run *u, uint32_t off)
{
	return off % 4 == 0 && off + 4ul <= u->rings_size;
}

/*
 * What the rings have of bytes, by what io_uring_setup(2) said; 0 where that makes no sense:
 * programs write there, too.
 */
static int measure(struct uring_run *u)
{
	const struct io_uring_params *p = &u->p;
	size_t cq = p->cq_off.cqes +
		    ((size_t)p->cq_entries << (p->flags & IORING_SETUP_CQE32 ? 5 : 4)),
	       sq = p->sq_off.array + p->sq_entries * 4ul;

	u->shift = p->flags & IORING_SETUP_SQE128 ? 7 : 6;
	u->plain = p->flags & URING_NO_SQARRAY;
	if (!p->sq_entries || p->sq_entries > MOST_SQ || p->cq_entries > 2 * MOST_SQ ||
	    p->sq_entries & (p->sq_entries - 1))
		return 0;
	u->rings_size = sq > cq ? sq : cq;
	u->sqes_size = (size_t)p->sq_entries << u->shift;
	return u->rings_size < (8ul << 20) && inside(u, p->sq_off.head) &&
	       inside(u, p->sq_off.tail) && inside(u, p->cq_off.head) && inside(u, p->cq_off.tail);
}

static void write_sqes(struct uring_run *u, uint32_t tail, const uint64_t *a)
{
	for (uint32_t i = 0; i < u->n; i++) {
		uint32_t at = (tail + i) & (u->p.sq_entries - 1);
		uint8_t *sqe = u->sqes + ((size_t)at << u->shift);

		memset(sqe, 0, 1ul << u->shift);
		memcpy(sqe, (const void *)(a[1] + i * SQE), SQE);
		if (!u->plain)
			ring_word(u, u->p.sq_off.array)[at] = a[3] & URING_ARRAY && i % 2 ? ~i : at;
	}
}

int uring_begin(struct uring_run *u, const void *params, const uint64_t *a, uint64_t *enter)
{
	int fd = (int)a[0];
	uint32_t *tail;

	memset(u, 0, sizeof(*u));
	u->rings = u->sqes = MAP_FAILED;
	u->result = -EINVAL;
	if (!params)
		return 0;
	memcpy(&u->p, params, sizeof(u->p));
	if (!measure(u))
		return 0;
	u->rings = mmap(NULL, u->rings_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
			(off_t)IORING_OFF_SQ_RING);
	if (u->rings != MAP_FAILED)
		u->sqes = mmap(NULL, u->sqes_size, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_POPULATE, fd, (off_t)IORING_OFF_SQES);
	if (u->rings == MAP_FAILED || u->sqes == MAP_FAILED) {
		u->result = -errno;
		return 0;
	}
	u->n = (uint32_t)(a[1] ? a[2] / SQE < u->p.sq_entries ? a[2] / SQE : u->p.sq_entries : 0);
	u->result = u->n;
	tail = ring_word(u, u->p.sq_off.tail);
	if (a[3] & URING_REWRITE) {	/* what another thread submits meanwhile */
		for (int i = 0; i < REWRITES; i++)
			write_sqes(u, *(volatile uint32_t *)ring_word(u, u->p.sq_off.head), a);
		return 0;
	}
	write_sqes(u, *(volatile uint32_t *)tail, a);
	__atomic_store_n(tail, *(volatile uint32_t *)tail + u->n + (a[3] & URING_TAIL ? 0x8001 : 0),
			 __ATOMIC_RELEASE);
	if (a[3] & URING_HEAD)
		__atomic_store_n(ring_word(u, u->p.cq_off.head),
				 *(volatile uint32_t *)ring_word(u, u->p.cq_off.tail) + 0x1000,
				 __ATOMIC_RELEASE);
	if (a[3] & URING_STAY)
		return 0;
	u->limit[1] = 1000000;
	u->arg[2] = (uint64_t)u->limit;
	enter[0] = a[0];
	enter[1] = a[3] & URING_MORE ? UINT32_MAX : u->n;
	enter[2] = a[5];
	enter[3] = a[4];
	enter[4] = a[4] & URING_EXT_ARG ? (uint64_t)u->arg : 0;
	enter[5] = a[4] & URING_EXT_ARG ? sizeof(u->arg) : 0;
	return 1;
}

void uring_end(struct uring_run *u, const uint64_t *a)
{
	if (u->sqes != MAP_FAILED) {
		uint32_t *head = ring_word(u, u->p.cq_off.head),
			 there = *(volatile uint32_t *)ring_word(u, u->p.cq_off.tail) -
				 *(volatile uint32_t *)head;
		uint32_t take = a[3] & 0xff;

		__atomic_store_n(head, *(volatile uint32_t *)head + (take < there ? take : there),
				 __ATOMIC_RELEASE);
		munmap(u->sqes, u->sqes_size);
	}
	if (u->rings != MAP_FAILED)
		munmap(u->rings, u->rings_size);
}
