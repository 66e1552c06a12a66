// SPDX-License-Identifier: MIT
/* sources: lib/ko_pairs.c */
/* First halves of relocations: in whatever order they come, each is found, and nothing else. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <lib/ko_pairs.h>

#define MOST 100U

static void check(u32 n, u32 order)
{
	struct ko_half *h = malloc((n ?: 1) * sizeof(*h));

	/* 0: in order; 1: backwards; others: by steps that have no common factor with a prime */
	for (u32 i = 0; i < n; i++) {
		u32 k = order == 0 ? i : order == 1 ? n - 1 - i : (u32)((u64)i * order % 101 % n);

		h[i] = (struct ko_half){ 0xffffffff80000000 + 4ULL * k, 7000 + k };
	}
	ko_sort_halves(h, n);
	for (u32 i = 1; i < n; i++)
		assert(h[i - 1].pc <= h[i].pc);
	for (u32 k = 0; order < 2 && k < n; k++) {
		const struct ko_half *f = ko_find_half(h, n, 0xffffffff80000000 + 4ULL * k);

		assert(f == &h[k] && f->distance == 7000 + k);
		assert(!ko_find_half(h, n, 0xffffffff80000002 + 4ULL * k));
	}
	for (u32 i = 0; i < n; i++)
		assert(h[i].distance - 7000 == (h[i].pc - 0xffffffff80000000) / 4 &&
		       ko_find_half(h, n, h[i].pc)->pc == h[i].pc);
	assert(!ko_find_half(h, n, 0) && !ko_find_half(h, n, ~0ULL));
	free(h);
}

int main(void)
{
	for (u32 n = 0; n < MOST; n++)
		for (u32 order = 0; order < 60; order++)
			check(n, order);
	puts("ok");
	return 0;
}
