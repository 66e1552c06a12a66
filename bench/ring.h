/* SPDX-License-Identifier: MIT */
/* A ring of io_uring(7), for ops.c and disk.c. What is submitted is waited for in the same call. */
#pragma once

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static int uring = -1;
static struct io_uring_params uring_p;
static char *uring_map;
static size_t uring_bytes;
static struct io_uring_sqe *uring_sqes;
static unsigned int uring_tail;

static void make_uring_of(unsigned int flags)
{
	memset(&uring_p, 0, sizeof(uring_p));
	uring_p.flags = flags;
	uring = (int)syscall(SYS_io_uring_setup, 64, &uring_p);
	must(uring >= 0, "io_uring_setup");
	uring_bytes = uring_p.sq_off.array + uring_p.sq_entries * 4;
	uring_map = mmap(NULL, uring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			 uring, IORING_OFF_SQ_RING);
	uring_sqes = mmap(NULL, uring_p.sq_entries * sizeof(*uring_sqes), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, uring, IORING_OFF_SQES);
	must(uring_map != MAP_FAILED && uring_sqes != MAP_FAILED, "rings");
	uring_tail = 0;
	for (unsigned int i = 0; i < uring_p.sq_entries; i++)
		((unsigned int *)(uring_map + uring_p.sq_off.array))[i] = i;
}

static void make_uring(void)
{
	make_uring_of(0);
}

static void drop_uring(void)
{
	munmap(uring_map, uring_bytes);
	munmap(uring_sqes, uring_p.sq_entries * sizeof(*uring_sqes));
	close(uring);
}

static struct io_uring_sqe *uring_sqe(int op, int f)
{
	struct io_uring_sqe *s = &uring_sqes[uring_tail++ & (uring_p.sq_entries - 1)];

	memset(s, 0, sizeof(*s));
	s->opcode = (unsigned char)op;
	s->fd = f;
	return s;
}

/* The result of the last of N. */
static int uring_enter(unsigned int n)
{
	unsigned int *head = (unsigned int *)(uring_map + uring_p.cq_off.head);
	const struct io_uring_cqe *c = (void *)(uring_map + uring_p.cq_off.cqes);
	int res;

	__atomic_store_n((unsigned int *)(uring_map + uring_p.sq_off.tail), uring_tail,
			 __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, uring, n, n, IORING_ENTER_GETEVENTS, NULL, 0);
	res = c[(*head + n - 1) & (uring_p.cq_entries - 1)].res;
	__atomic_store_n(head, *head + n, __ATOMIC_RELEASE);
	return res;
}

/* F is registered as file 0, the BYTES at AT as buffer 0. */
static void uring_fix(char *at, size_t bytes, int f)
{
	struct iovec v = { at, bytes };

	must(!syscall(SYS_io_uring_register, uring, IORING_REGISTER_FILES, &f, 1) &&
		     !syscall(SYS_io_uring_register, uring, IORING_REGISTER_BUFFERS, &v, 1),
	     "registered");
}

/* The other way, at once: a kernel may drop them late where they go with the ring. */
static void uring_unfix(void)
{
	syscall(SYS_io_uring_register, uring, IORING_UNREGISTER_FILES, NULL, 0);
	syscall(SYS_io_uring_register, uring, IORING_UNREGISTER_BUFFERS, NULL, 0);
}

/* 4 KiB at OFF of F to AT. */
static void uring_read(int f, char *at, unsigned long off)
{
	struct io_uring_sqe *s = uring_sqe(IORING_OP_READ, f);

	s->addr = (uintptr_t)at;
	s->len = 4096;
	s->off = off;
}

/* The same of what uring_fix() registered. */
static void uring_read_fixed(char *at, unsigned long off)
{
	struct io_uring_sqe *s = uring_sqe(IORING_OP_READ_FIXED, 0);

	s->flags = IOSQE_FIXED_FILE;
	s->addr = (uintptr_t)at;
	s->len = 4096;
	s->off = off;
}
