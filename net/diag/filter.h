/* SPDX-License-Identifier: MIT */
/* A filter of inet_diag (INET_DIAG_REQ_BYTECODE): pure. */
#pragma once

#include <lib/byteorder.h>
#include <lib/types.h>

struct diag_ends {
	u8 family;
	u16 sport, dport;		/* of the host's order */
	u32 saddr[4], daddr[4];		/* IPv4: the first word */
	u32 ifindex, mark;
	bool bound;			/* its port was chosen by a program */
};
/* 0, or -EINVAL: CODE of LEN bytes jumps elsewhere or is none. */
int diag_filter_check(const void *code, size_t len) __must_check;
/* Whether the code, which was checked, accepts E. */
bool diag_filter_run(const void *code, size_t len, const struct diag_ends *e);
