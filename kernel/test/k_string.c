// SPDX-License-Identifier: MIT
/* Copies and fills of every short length, at every distance from themselves, and what lies around them. */
#include <lib/types.h>
#include <lib/string.h>
#include <kernel/ktest.h>

#define AREA 320
#define MARGIN 40
#define LONGEST 200

static u8 area[AREA], want[AREA];

static void fill(void)
{
	for (unsigned int i = 0; i < AREA; i++)
		area[i] = want[i] = (u8)(i * 7 + i / 32);
}

/* The length is the compiler's secret: it would not call the function for one that it knows. */
static size_t hidden(size_t n)
{
	OPTIMIZER_HIDE_VAR(n);
	return n;
}

KTEST(string_copies)
{
	for (size_t n = 0; n <= LONGEST / 2; n++) {
		for (size_t skew = 0; skew < 8; skew++) {
			u8 *from = area + MARGIN + skew, *to = area + MARGIN + LONGEST / 2 + 8;

			fill();
			for (size_t i = 0; i < n; i++)
				want[to - area + i] = area[from - area + i];
			KT_ASSERT(memcpy(to, from, hidden(n)) == to);
			KT_ASSERT(!memcmp(area, want, AREA));
		}
	}
}

KTEST(string_moves)
{
	for (size_t n = 0; n <= LONGEST; n++) {
		for (int distance = -MARGIN; distance <= MARGIN; distance++) {
			u8 *from = area + MARGIN, *to = from + distance, was[LONGEST];

			fill();
			for (size_t i = 0; i < n; i++)
				was[i] = from[i];
			for (size_t i = 0; i < n; i++)
				want[to - area + i] = was[i];
			KT_ASSERT(memmove(to, from, hidden(n)) == to);
			KT_ASSERT(!memcmp(area, want, AREA));
		}
	}
}

KTEST(string_fills)
{
	for (size_t n = 0; n <= LONGEST; n++) {
		for (size_t skew = 0; skew < 8; skew++) {
			u8 *to = area + MARGIN + skew;

			fill();
			for (size_t i = 0; i < n; i++)
				want[to - area + i] = 0xa5;
			KT_ASSERT(memset(to, 0xa5, hidden(n)) == to);
			KT_ASSERT(!memcmp(area, want, AREA));
		}
	}
}
