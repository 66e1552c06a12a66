/* SPDX-License-Identifier: MIT */
/*
 * Relocations in two halves, of which the second names the place of the first one. Pure. A table of
 * first halves, sorted, serves a search for each second one.
 */
#pragma once

#include <lib/types.h>

struct ko_half {
	u64 pc;			/* where the first half lies */
	u64 distance;		/* how far its symbol is from there */
};

/* By PC. Takes N log N steps, whatever order they are in. */
void ko_sort_halves(struct ko_half *h, u32 n);
/* One at PC of N sorted ones; NULL: there is none. */
const struct ko_half *ko_find_half(const struct ko_half *h, u32 n, u64 pc);
