// SPDX-License-Identifier: MIT
/* sources: lib/numbers.c lib/bitmap_text.c */
/* with sources: lib/string.c lib/bitmap.c lib/format.c */
/* Text that is written to files of /proc, /sys and cgroups: numbers as the C library reads them, yes and no, lists of processors. */
/* fuzz: -max_len=64 */
#define FUZZ_MAX 512
#include <lib/bitmap.h>	/* its ffs() before the C library's */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include "lib/test/fuzz.h"
#include <lib/string.h>

#define BITS 200

/* What strtoull says of a text that kstrtoull accepts. */
static void check_number(const char *s)
{
	static const unsigned int bases[] = { 0, 8, 10, 16 };
	unsigned long ul;
	unsigned int u;
	long sl;
	u64 v, w;
	s64 l;
	bool b;
	int i;

	for (unsigned int k = 0; k < sizeof(bases) / sizeof(*bases); k++) {
		int e = kstrtoull(s, bases[k], &v);
		char *end;

		errno = 0;
		w = strtoull(s, &end, (int)bases[k]);
		if (!e)
			assert(!errno && v == w && (!*end || (*end == '\n' && !end[1])) && *s != '-');
		else if (e == -ERANGE)
			assert(errno == ERANGE);
		if (!kstrtouint(s, bases[k], &u))
			assert(!e && u == v);
		e = kstrtoll(s, bases[k], &l);
		errno = 0;
		if (!e)
			assert(l == strtoll(s, NULL, (int)bases[k]) && !errno);
		if (!kstrtoint(s, bases[k], &i))
			assert(!e && i == l);
		if (!kstrtoul(s, bases[k], &ul))
			assert(!kstrtoull(s, bases[k], &v) && ul == v);
		if (!kstrtol(s, bases[k], &sl))
			assert(!e && sl == l);
		assert(simple_strtoull(s, NULL, bases[k]) == simple_strtoull(s, &end, bases[k]));
		assert(end >= s && end <= s + strlen(s));
		simple_strtol(s, &end, bases[k]);
	}
	if (!kstrtobool(s, &b))
		assert(strchr(b ? "yYtT1oO" : "nNfF0oO", s[0]));
}

static void check_list(const char *s)
{
	unsigned long map[BITS_TO_LONGS(BITS)], again[BITS_TO_LONGS(BITS)], bits = (unsigned char)s[0] % BITS + 1;
	char text[1024], small[8];
	size_t room = strlen(s) % (sizeof(small) + 1);	/* none, too little */
	int n;

	if (bitmap_parselist(s, map, bits))
		return;
	assert(find_next_bit(map, bits, 0) <= bits);
	n = bitmap_print_list(text, sizeof(text), map, bits);
	assert(n >= 0 && n < (int)sizeof(text) && strlen(text) == (size_t)n);
	assert(!bitmap_parselist(text, again, bits) && !memcmp(map, again, BITS_TO_LONGS(bits) * sizeof(*map)));
	assert(bitmap_print_list(small, room, map, bits) == n && (!room || (strlen(small) < room && !strncmp(small, text, strlen(small)))));
	n = bitmap_print_mask(text, sizeof(text), map, bits);
	assert(n >= 0 && n < (int)sizeof(text));
	assert(bitmap_print_mask(small, room, map, bits) == n && (!room || (strlen(small) < room && !strncmp(small, text, strlen(small)))));
}

static void fuzz_one(const u8 *p, size_t n)
{
	char *s = malloc(n + 1), *t, *e;

	memcpy(s, p, n);
	s[n] = '\0';
	check_number(s);
	check_list(s);
	assert(memparse(s, NULL) == memparse(s, &e));
	assert(e >= s && e <= s + strlen(s));
	assert(sysfs_streq(s, s) && (!sysfs_streq(s, "online") || !strncmp(s, "online", 6)));
	assert(skip_spaces(s) <= s + strlen(s));
	t = strim(s);
	assert(!*t || (!isspace((unsigned char)*t) && !isspace((unsigned char)t[strlen(t) - 1])));
	free(s);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const char *const texts[] = { "0x7fffffffffffffff\n", "-9223372036854775808", "+0177 ", "18446744073709551615\n", "512M", "  12k\t\n", "0-3,7,9-11\n", "on", "off",
					     "online\n", "99999999999999999999", "4294967296", "-2147483649", "1t", "2G", "no" };

	if (i >= sizeof(texts) / sizeof(*texts))
		return 0;
	strcpy((char *)buf, texts[i]);
	return strlen(texts[i]);
}
