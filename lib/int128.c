// SPDX-License-Identifier: MIT
/*
 * 128-bit division, which compilers call by these names (there is no libgcc here): the machine's own division where
 * both numbers fit 64 bits, else shift and subtract over the bits that differ.
 */
#include <lib/types.h>

typedef unsigned __int128 u128;

u128 __udivti3(u128 a, u128 b);
u128 __umodti3(u128 a, u128 b);

static unsigned int width(u128 v)
{
	u64 hi = (u64)(v >> 64), lo = (u64)v;

	return hi ? 128 - (unsigned int)__builtin_clzll(hi) : lo ? 64 - (unsigned int)__builtin_clzll(lo) : 0;
}

/* Dividing by 0 traps, like the instruction. */
static u128 divide(u128 a, u128 b, u128 *rem)
{
	unsigned int shift;
	u128 q = 0;

	if (!((a | b) >> 64) || !b) {
		*rem = (u64)a % (u64)b;
		return (u64)a / (u64)b;
	}
	*rem = a;
	if (a < b)
		return 0;
	shift = width(a) - width(b);
	for (b <<= shift; ; b >>= 1) {
		q <<= 1;
		if (a >= b) {
			a -= b;
			q |= 1;
		}
		if (!shift--)
			break;
	}
	*rem = a;
	return q;
}

u128 __udivti3(u128 a, u128 b)
{
	u128 rem;

	return divide(a, b, &rem);
}

u128 __umodti3(u128 a, u128 b)
{
	u128 rem;

	divide(a, b, &rem);
	return rem;
}
