/* SPDX-License-Identifier: MIT */
/* Operations of io_uring(7), for ops.c. What is submitted is waited for in the same call. */
#pragma once

#include <linux/io_uring.h>

static int uring = -1;
static struct io_uring_params uring_p;
static char *uring_map;
static size_t uring_bytes;
static struct io_uring_sqe *uring_sqes;
static unsigned int uring_tail;

static void make_uring_of(unsigned int flags)
{
	int f = open("/proc/sys/kernel/io_uring_disabled", O_WRONLY);

	if (f >= 0)
		must(write(f, "0", 1) == 1, "io_uring_disabled");
	close(f);
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

static void make_deferred(void)
{
	make_uring_of(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
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

static void file_and_uring(void)
{
	setup_file();
	make_uring();
}

static void drop_file_and_uring(void)
{
	drop_uring();
	close_file();
}

static void tree_and_uring(void)
{
	make_tree();
	make_uring();
}

static void drop_tree_and_uring(void)
{
	drop_uring();
	drop_tree();
}

OP(op_uring_nop)
{
	LOOP
	{
		uring_sqe(IORING_OP_NOP, -1);
		uring_enter(1);
	}
}

OP(op_uring_nops)
{
	LOOP
	{
		for (int k = 0; k < 32; k++)
			uring_sqe(IORING_OP_NOP, -1);
		uring_enter(32);
	}
}

OP(op_uring_read)
{
	LOOP
	{
		struct io_uring_sqe *s = uring_sqe(IORING_OP_READ, fd);

		s->addr = (uintptr_t)buf;
		s->len = 4096;
		s->off = 4096 * (unsigned long)(i & 255);
		uring_enter(1);
	}
}

OP(op_uring_reads)
{
	LOOP
	{
		for (int k = 0; k < 32; k++) {
			struct io_uring_sqe *s = uring_sqe(IORING_OP_READ, fd);

			s->addr = (uintptr_t)buf;
			s->len = 4096;
			s->off = 4096 * (unsigned long)((i + k) & 255);
		}
		uring_enter(32);
	}
}

OP(op_uring_fsync)
{
	LOOP
	{
		uring_sqe(IORING_OP_FSYNC, fd);
		uring_enter(1);
	}
}

OP(op_uring_open)
{
	LOOP
	{
		struct io_uring_sqe *s = uring_sqe(IORING_OP_OPENAT, AT_FDCWD);
		int f;

		s->addr = (uintptr_t)"/tmp/a/b/c/d/file";
		f = uring_enter(1);
		uring_sqe(IORING_OP_CLOSE, f);
		uring_enter(1);
	}
}
