// SPDX-License-Identifier: MIT
/* Bitmaps of any length, a word at a time. */
#include <lib/bitmap.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

static unsigned long find_next(const unsigned long *map, unsigned long size, unsigned long start, unsigned long flip)
{
	unsigned long w;

	if (start >= size)
		return size;
	w = (map[BIT_WORD(start)] ^ flip) & (~0UL << (start % BITS_PER_LONG));
	start = ALIGN_DOWN(start, (unsigned long)BITS_PER_LONG);
	while (!w) {
		start += BITS_PER_LONG;
		if (start >= size)
			return size;
		w = map[BIT_WORD(start)] ^ flip;
	}
	return min(start + __ffs(w), size);
}

unsigned long find_next_bit(const unsigned long *map, unsigned long size, unsigned long start)
{
	return find_next(map, size, start, 0);
}

unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size, unsigned long start)
{
	return find_next(map, size, start, ~0UL);
}

/* Sets or clears the bits [start, start + n), whole words at a time. */
static void bitmap_fill_range(unsigned long *map, unsigned long start, unsigned long n, bool set)
{
	while (n) {
		unsigned long off = start % BITS_PER_LONG, part = min(n, BITS_PER_LONG - off);
		unsigned long mask = (part == BITS_PER_LONG ? ~0UL : (1UL << part) - 1) << off;

		if (set)
			map[BIT_WORD(start)] |= mask;
		else
			map[BIT_WORD(start)] &= ~mask;
		start += part;
		n -= part;
	}
}

void bitmap_set(unsigned long *map, unsigned long start, unsigned long n)
{
	bitmap_fill_range(map, start, n, true);
}

void bitmap_clear(unsigned long *map, unsigned long start, unsigned long n)
{
	bitmap_fill_range(map, start, n, false);
}

static unsigned long last_word_mask(unsigned long bits)
{
	return ~0UL >> (-bits & (BITS_PER_LONG - 1));
}

unsigned long bitmap_weight(const unsigned long *map, unsigned long bits)
{
	unsigned long n = 0, i;

	for (i = 0; i < bits / BITS_PER_LONG; i++)
		n += hweight64(map[i]);
	if (bits % BITS_PER_LONG)
		n += hweight64(map[i] & last_word_mask(bits));
	return n;
}

unsigned long bitmap_find_next_zero_area(const unsigned long *map, unsigned long size,
					 unsigned long start, unsigned long n, unsigned long align_mask)
{
	for (;;) {
		unsigned long used;

		start = find_next_zero_bit(map, size, start);
		start = (start + align_mask) & ~align_mask;
		if (start + n > size || start + n < start)
			return size;
		used = find_next_bit(map, start + n, start);
		if (used >= start + n)
			return start;
		start = used + 1;
	}
}

bool bitmap_empty(const unsigned long *map, unsigned long bits)
{
	return find_next_bit(map, bits, 0) >= bits;
}

bool bitmap_full(const unsigned long *map, unsigned long bits)
{
	return find_next_zero_bit(map, bits, 0) >= bits;
}

void bitmap_zero(unsigned long *map, unsigned long bits)
{
	memset(map, 0, BITS_TO_LONGS(bits) * sizeof(*map));
}

void bitmap_fill(unsigned long *map, unsigned long bits)
{
	bitmap_zero(map, bits);
	bitmap_set(map, 0, bits);
}

void bitmap_copy(unsigned long *dst, const unsigned long *src, unsigned long bits)
{
	memcpy(dst, src, BITS_TO_LONGS(bits) * sizeof(*dst));
}

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
