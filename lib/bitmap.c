// SPDX-License-Identifier: MIT
/* Bitmaps of any length, a word at a time. */
#include <lib/bitmap.h>
#include <lib/minmax.h>
#include <lib/string.h>

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
