// SPDX-License-Identifier: MIT
/* The table of first halves: a heap sort, for compilers write them in order, but need not. */
#include <lib/ko_pairs.h>

static void swap_halves(struct ko_half *a, struct ko_half *b)
{
	struct ko_half was = *a;

	*a = *b;
	*b = was;
}

/* The one at I moves down the heap of N until none below it is greater. */
static void sift(struct ko_half *h, u32 i, u32 n)
{
	for (u32 c; (c = 2 * i + 1) < n; i = c) {
		if (c + 1 < n && h[c].pc < h[c + 1].pc)
			c++;
		if (h[i].pc >= h[c].pc)
			return;
		swap_halves(&h[i], &h[c]);
	}
}

static bool is_sorted(const struct ko_half *h, u32 n)
{
	for (u32 i = 1; i < n; i++)
		if (h[i - 1].pc > h[i].pc)
			return false;
	return true;
}

void ko_sort_halves(struct ko_half *h, u32 n)
{
	if (is_sorted(h, n))
		return;
	for (u32 i = n / 2; i--;)
		sift(h, i, n);
	for (u32 i = n; i-- > 1;) {
		swap_halves(&h[0], &h[i]);
		sift(h, 0, i);
	}
}

const struct ko_half *ko_find_half(const struct ko_half *h, u32 n, u64 pc)
{
	for (; n; n >>= 1) {
		const struct ko_half *mid = h + (n >> 1);

		if (mid->pc == pc)
			return mid;
		if (mid->pc < pc) {
			h = mid + 1;
			n--;
		}
	}
	return NULL;
}
