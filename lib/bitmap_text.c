// SPDX-License-Identifier: MIT
/* Bitmaps as text: lists ("0-3,7") and masks ("ff,00000001"), as files of /proc and /sys have them. */
#include <lib/bitmap.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

int bitmap_parselist(const char *s, unsigned long *map, unsigned long bits)
{
	bitmap_zero(map, bits);
	while (*s && *s != '\n') {
		char *e;
		u64 a, b;

		if (*s < '0' || *s > '9')
			return -EINVAL;
		a = b = simple_strtoull(s, &e, 10);
		if (*e == '-') {
			if (e[1] < '0' || e[1] > '9')
				return -EINVAL;
			b = simple_strtoull(e + 1, &e, 10);
		}
		if (a > b)
			return -EINVAL;
		if (b >= bits)
			return -ERANGE;
		bitmap_set(map, a, b - a + 1);
		s = e;
		if (*s == ',')
			s++;
		else if (*s && *s != '\n')
			return -EINVAL;
	}
	return 0;
}

int bitmap_print_list(char *buf, size_t size, const unsigned long *map, unsigned long bits)
{
	unsigned long a, b;
	int n = 0;

	if (size)
		*buf = '\0';
	for (a = find_next_bit(map, bits, 0); a < bits; a = find_next_bit(map, bits, b)) {
		size_t room = (size_t)n < size ? size - (size_t)n : 0;

		b = find_next_zero_bit(map, bits, a);
		n += snprintf(room ? buf + n : NULL, room, b - a > 1 ? "%s%lu-%lu" : "%s%lu", n ? "," : "", a, b - 1);
	}
	return n;
}

int bitmap_print_mask(char *buf, size_t size, const unsigned long *map, unsigned long bits)
{
	int n = 0;

	if (size)
		*buf = '\0';
	for (unsigned long i = DIV_ROUND_UP(bits, 32); i-- > 0;) {
		size_t room = (size_t)n < size ? size - (size_t)n : 0;
		unsigned long left = bits - i * 32;
		u32 w = (u32)(map[i * 32 / BITS_PER_LONG] >> (i * 32 % BITS_PER_LONG));

		if (left < 32)
			w &= (1u << left) - 1;
		n += snprintf(room ? buf + n : NULL, room, "%0*x%s", (int)(min(left, 32ul) + 3) / 4, w, i ? "," : "");
	}
	return n;
}
