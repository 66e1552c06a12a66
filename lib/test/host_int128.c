// SPDX-License-Identifier: MIT
/* 128-bit division against q * b + r == a. */
#define __udivti3 our_udivti3
#define __umodti3 our_umodti3
#include "lib/int128.c"
#include <assert.h>
#include <stdlib.h>

int main(void)
{
	srand(1);
	for (int i = 0; i < 300000; i++) {
		unsigned __int128 a = 0, b = 0, q, r;

		for (int k = 0; k < 5; k++) {
			a = a << 31 ^ (unsigned)rand();
			b = b << 31 ^ (unsigned)rand();
		}
		a >>= rand() % 128;
		b >>= rand() % 128;
		if (!b)
			continue;
		q = our_udivti3(a, b);
		r = our_umodti3(a, b);
		assert(r < b && q * b + r == a);
	}
	return 0;
}
