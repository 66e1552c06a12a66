// SPDX-License-Identifier: MIT
/* sources: lib/bitmap.c lib/bitmap_text.c lib/format.c lib/numbers.c lib/string.c */
/* Bitmaps as text: lists and masks of any length, also into too little room. */
#include <assert.h>
#include <lib/bitmap.h>

int main(void)
{
	static const struct {
		unsigned long map[2], bits;
		const char *mask, *list;
	} cases[] = {
		{ { 1, 0 }, 1, "1", "0" }, { { 0xf, 0 }, 4, "f", "0-3" }, { { 6, 0 }, 5, "06", "1-2" }, { { 0, 0 }, 8, "00", "" },
		{ { 0x80000001, 0 }, 32, "80000001", "0,31" }, { { 0x100000001, 0 }, 33, "1,00000001", "0,32" },
		{ { ~0ul, 0 }, 64, "ffffffff,ffffffff", "0-63" }, { { ~0ul, ~0ul }, 6, "3f", "0-5" },
		{ { 1ul << 63, 5 }, 100, "0,00000005,80000000,00000000", "63-64,66" },
	};
	char text[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int n = bitmap_print_mask(text, sizeof(text), cases[i].map, cases[i].bits);

		assert(!__builtin_strcmp(text, cases[i].mask) && n == (int)__builtin_strlen(cases[i].mask));
		n = bitmap_print_list(text, sizeof(text), cases[i].map, cases[i].bits);
		assert(!__builtin_strcmp(text, cases[i].list) && n == (int)__builtin_strlen(cases[i].list));
		n = bitmap_print_mask(text, 3, cases[i].map, cases[i].bits);
		assert(n == (int)__builtin_strlen(cases[i].mask) && __builtin_strlen(text) < 3 && !__builtin_strncmp(text, cases[i].mask, __builtin_strlen(text)));
	}
	return 0;
}
