// SPDX-License-Identifier: MIT
/* 128-bit division, which compilers call by these names (there is no libgcc here). Shift and subtract: it is rare. */
#include <lib/types.h>

#ifdef __KERNEL_OCHRE__
typedef unsigned __int128 u128;

u128 __udivti3(u128 a, u128 b);
u128 __umodti3(u128 a, u128 b);

static u128 divide(u128 a, u128 b, u128 *rem)
{
	u128 q = 0, r = 0;

	for (int i = 127; i >= 0; i--) {
		r = r << 1 | (a >> i & 1);
		if (r >= b) {
			r -= b;
			q |= (u128)1 << i;
		}
	}
	*rem = r;
	return q;
}

u128 __udivti3(u128 a, u128 b)
{
	u128 r;

	return divide(a, b, &r);
}

u128 __umodti3(u128 a, u128 b)
{
	u128 r;

	divide(a, b, &r);
	return r;
}
#endif
