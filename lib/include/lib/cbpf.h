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
 * Runs a checked program over DATA. NATIVE: loads are of words in the machine's byte order (seccomp), else network order (packets).
 * A load outside DATA ends the program with 0.
 */
u32 cbpf_run(const struct sock_filter *f, const void *data, u32 len, bool native);
