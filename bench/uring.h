/* SPDX-License-Identifier: MIT */
/* Operations of io_uring(7), for ops.c. */
#pragma once

#include <linux/filter.h>
#include <linux/io_uring/bpf_filter.h>
#include <stddef.h>
#include "ring.h"

/* Of Linux 7.0, which the headers of a compiler need not know. */
#ifndef IORING_REGISTER_BPF_FILTER
#define IORING_REGISTER_BPF_FILTER 37
#endif

static void make_deferred(void)
{
	make_uring_of(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
}

static void file_and_uring(void)
{
	setup_file();
	make_uring();
}

static void fixed_file_and_uring(void)
{
	file_and_uring();
	uring_fix(buf, 65536, fd);
}

static void drop_file_and_uring(void)
{
	uring_unfix();
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

/* A filter of the ring's opens, with a program of N instructions. */
static void filter_opens(struct sock_filter *program, unsigned int n)
{
	struct io_uring_bpf b = {
		.cmd_type = IO_URING_BPF_CMD_FILTER,
		.filter = { .opcode = IORING_OP_OPENAT,
			    .filter_len = n,
			    .pdu_size = sizeof(((struct io_uring_bpf_ctx *)0)->open),
			    .filter_ptr = (uintptr_t)program },
	};

	must(!syscall(SYS_io_uring_register, uring, IORING_REGISTER_BPF_FILTER, &b, 1), "filter");
}

static void tree_and_filter_of_1(void)
{
	struct sock_filter p[] = { BPF_STMT(BPF_RET | BPF_K, 1) };

	tree_and_uring();
	filter_opens(p, 1);
}

/* No file is made. */
static void tree_and_filter_of_4(void)
{
	struct sock_filter p[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct io_uring_bpf_ctx, open.flags)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 1),
	};

	tree_and_uring();
	filter_opens(p, 4);
}

/* Sockets of TCP, connected to each other. */
static void tcp_and_uring(void)
{
	make_tcp();
	make_uring();
}

static void drop_tcp_and_uring(void)
{
	drop_uring();
	close_pair();
}

static void uring_byte(int op, int f)
{
	struct io_uring_sqe *s = uring_sqe(op, f);

	s->addr = (uintptr_t)buf;
	s->len = 1;
	must(uring_enter(1) == 1, "byte");
}

/* There and back. */
OP(op_uring_echo)
{
	LOOP
	{
		uring_byte(IORING_OP_SEND, pair[0]);
		uring_byte(IORING_OP_RECV, pair[1]);
		uring_byte(IORING_OP_SEND, pair[1]);
		uring_byte(IORING_OP_RECV, pair[0]);
	}
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
		uring_read(fd, buf, 4096 * (unsigned long)(i & 255));
		uring_enter(1);
	}
}

OP(op_uring_read_fixed)
{
	LOOP
	{
		uring_read_fixed(buf, 4096 * (unsigned long)(i & 255));
		uring_enter(1);
	}
}

OP(op_uring_reads)
{
	LOOP
	{
		for (int k = 0; k < 32; k++)
			uring_read(fd, buf, 4096 * (unsigned long)((i + k) & 255));
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
