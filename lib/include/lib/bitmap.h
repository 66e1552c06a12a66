/* SPDX-License-Identifier: MIT */
/* Bitmaps of any length, kept in arrays of unsigned long. */
#pragma once

#include <lib/bits.h>

#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]

/* Index of the first set / clear bit at or after START, or SIZE when there is none. */
unsigned long find_next_bit(const unsigned long *map, unsigned long size, unsigned long start);
unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size, unsigned long start);
static inline unsigned long find_first_bit(const unsigned long *map, unsigned long size)
{
	return find_next_bit(map, size, 0);
}

static inline unsigned long find_first_zero_bit(const unsigned long *map, unsigned long size)
{
	return find_next_zero_bit(map, size, 0);
}

#define for_each_set_bit(i, map, size) \
	for ((i) = find_next_bit((map), (size), 0); (i) < (size); (i) = find_next_bit((map), (size), (i) + 1))

void bitmap_set(unsigned long *map, unsigned long start, unsigned long n);
void bitmap_clear(unsigned long *map, unsigned long start, unsigned long n);
unsigned long bitmap_weight(const unsigned long *map, unsigned long bits);
/* First run of N clear bits whose start is aligned to ALIGN_MASK + 1, or SIZE. */
unsigned long bitmap_find_next_zero_area(const unsigned long *map, unsigned long size,
					 unsigned long start, unsigned long n, unsigned long align_mask);
bool bitmap_empty(const unsigned long *map, unsigned long bits);
bool bitmap_full(const unsigned long *map, unsigned long bits);
void bitmap_zero(unsigned long *map, unsigned long bits);
void bitmap_fill(unsigned long *map, unsigned long bits);
void bitmap_copy(unsigned long *dst, const unsigned long *src, unsigned long bits);

/* Parses "0-3,7,9" into MAP; 0, -EINVAL, or -ERANGE when a number is BITS or more. */
int bitmap_parselist(const char *s, unsigned long *map, unsigned long bits);
/* Writes such a list; returns what snprintf would. */
int bitmap_print_list(char *buf, size_t size, const unsigned long *map, unsigned long bits);
/* The same as hexadecimal digits, as many as BITS need, in groups of 32 bits. */
int bitmap_print_mask(char *buf, size_t size, const unsigned long *map, unsigned long bits);
