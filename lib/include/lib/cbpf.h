/* SPDX-License-Identifier: MIT */
/*
 * Classic BPF (struct sock_filter of <linux/filter.h>): a checker and an interpreter. A program that was checked cannot loop, jump
 * outside itself, read scratch memory that it did not write, or divide by a constant zero; it ends in a return.
 */
#pragma once

#include <lib/types.h>
#include <linux/filter.h>

/* 0 or -EINVAL. SCRATCH: room for LEN numbers, for the checker's own use. */
int cbpf_check(const struct sock_filter *f, unsigned int len, u16 *scratch);

/*
 * The same of a program that looks at SIZE bytes by aligned words alone, and has no remainders: seccomp's, io_uring's.
 */
int cbpf_check_words(const struct sock_filter *f, unsigned int len, u32 size, u16 *scratch);

/*
 * Runs a checked program over DATA. NATIVE: loads are of words in the machine's byte order (seccomp), else network order (packets).
 * A load outside DATA ends the program with 0. Offsets wrap at 2^32, as Linux's do.
 */
u32 cbpf_run(const struct sock_filter *f, const void *data, u32 len, bool native);

/* What a program looks at, where that is more than flat bytes: a packet. */
struct cbpf_input {
	const void *data;		/* the first LINEAR bytes */
	u32 linear;
	u32 len;			/* of all: what BPF_LEN loads */
	bool native;
	/* A load that is not within LINEAR; OFF is as the program has it, modulo 2^32. False: not there. NULL: none is. */
	bool (*far)(const struct cbpf_input *in, u32 off, u32 size, u32 *out);
	/* SKF_AD_*: *A becomes the fact, given *A and X. False: ends the program with 0. NULL: there are none. */
	bool (*fact)(const struct cbpf_input *in, u32 fact, u32 x, u32 *a);
};

/* As cbpf_run(), over IN. */
u32 cbpf_run_input(const struct sock_filter *f, const struct cbpf_input *in);
