/* SPDX-License-Identifier: MIT */
/*
 * uring_run, a call that is none of the kernel's: SQEs into a ring, io_uring_enter(2), completions
 * out of it (uring.c).
 */
#pragma once

#include <linux/io_uring.h>
#include <stddef.h>
#include <stdint.h>

/* How it is run, beside the number of completions to take. */
#define URING_TAIL 0x100	/* the tail is moved further than the ring is long */
#define URING_ARRAY 0x200	/* every other index is none */
#define URING_HEAD 0x400	/* the head of the completions is before their tail */
#define URING_REWRITE 0x800	/* only overwrites the SQEs that are next, many times */
#define URING_STAY 0x1000	/* does not enter */
#define URING_MORE 0x2000	/* submits more than there are */

#define URING_NO_SQARRAY 0x10000u
#define URING_EXT_ARG 8u

struct uring_run {
	struct io_uring_params p;
	uint8_t *rings, *sqes;
	size_t rings_size, sqes_size;
	uint32_t n;
	int shift, plain;
	long result;		/* where it is not entered */
	uint64_t arg[3], limit[2];	/* of io_uring_enter(2) */
};

/*
 * PARAMS: the struct io_uring_params of the call that made the ring, NULL: none is known. A: the
 * six arguments. True where io_uring_enter(2) is to be called, with ENTER; uring_end() comes after
 * it in any case.
 */
int uring_begin(struct uring_run *u, const void *params, const uint64_t *a, uint64_t *enter);
void uring_end(struct uring_run *u, const uint64_t *a);
