// SPDX-License-Identifier: MIT
/* sources: lib/string.c lib/numbers.c */
/* Runs of zero words, up to each place where one ends, and never a word beyond. */
#include <assert.h>
#include <stdlib.h>
#include <lib/string.h>

int main(void)
{
	for (size_t n = 0; n <= 20; n++) {
		u64 *p = calloc(n, sizeof(*p));		/* of just that length: the sanitizer sees a look beyond it */

		assert(leading_zero_words(p, n) == n);
		for (size_t i = n; i-- > 0;) {
			p[i] = 1ull << (i * 3);
			assert(leading_zero_words(p, n) == i);
			for (size_t from = 0; from <= i; from++)
				assert(leading_zero_words(p + from, n - from) == i - from);
		}
		free(p);
	}
	return 0;
}
