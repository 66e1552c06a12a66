// SPDX-License-Identifier: MIT
/* sources: boot/memmap.c */
/* with sources: lib/numbers.c lib/string.c */
/* The firmware's memory map: what comes out is sorted and without overlaps, and RAM is what somebody said to be RAM and nobody something else. */
/* fuzz: -max_len=512 */
#define FUZZ_MAX 8192
#include <assert.h>
#include "lib/test/fuzz.h"
#include <boot/memmap.h>

#define PIECE 18	/* 8 bytes start, 8 bytes size, 2 bytes type */

/* Does the result say that this byte is RAM? */
static bool is_ram(const struct boot_info *bi, u64 at)
{
	for (unsigned int i = 0; i < bi->nr_map; i++)
		if (bi->map[i].start <= at && at < bi->map[i].end)
			return bi->map[i].type == BOOT_MEM_RAM;
	return false;
}

static bool should_be(const struct boot_info *bi, u64 at)
{
	bool ram = false;

	for (unsigned int i = 0; i < bi->nr_map; i++) {
		if (bi->map[i].start <= at && at < bi->map[i].end && bi->map[i].type != BOOT_MEM_RAM)
			return false;
		ram |= bi->map[i].start <= at && at < bi->map[i].end;
	}
	return ram;
}

static void fuzz_one(const u8 *p, size_t n)
{
	static struct boot_info bi, was;
	char *line = malloc(n + 1);
	u64 start, size;
	u16 type;

	memcpy(line, p, n);
	line[n] = '\0';
	boot_mem_option(line);
	if (boot_initrd_option(line, &start, &size))
		assert(size && start + size > start);
	bi.nr_map = 0;
	boot_set_cmdline(&bi, (const char *)p, n);
	assert(strlen(bi.cmdline) < BOOT_CMDLINE_MAX);
	free(line);
	for (; n >= PIECE; p += PIECE, n -= PIECE) {
		memcpy(&start, p, 8);
		memcpy(&size, p + 8, 8);
		memcpy(&type, p + 16, 2);
		boot_map_add(&bi, start, size, type);
	}
	assert(bi.nr_map <= BOOT_MAP_MAX);
	was = bi;
	boot_map_finish(&bi);
	assert(bi.nr_map <= BOOT_MAP_MAX);
	for (unsigned int i = 0; i < bi.nr_map; i++) {
		assert(bi.map[i].start < bi.map[i].end);
		assert(!i || bi.map[i - 1].end <= bi.map[i].start);
	}
	if (was.nr_map > BOOT_MAP_MAX / 3)
		return;		/* cutting may have run out of room, which loses what is weaker */
	for (unsigned int i = 0; i < was.nr_map; i++) {
		assert(is_ram(&bi, was.map[i].start) == should_be(&was, was.map[i].start));
		assert(is_ram(&bi, was.map[i].end - 1) == should_be(&was, was.map[i].end - 1));
		assert(is_ram(&bi, was.map[i].end) == should_be(&was, was.map[i].end));
	}
}

static size_t piece(u8 *p, u64 start, u64 size, u16 type)
{
	memcpy(p, &start, 8);
	memcpy(p + 8, &size, 8);
	memcpy(p + 16, &type, 2);
	return PIECE;
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	size_t n = 0;

	switch (i) {
	case 0:
		n += piece(buf + n, 0, 0x9fc00, 1);
		n += piece(buf + n, 0x9fc00, 0x400, 2);
		n += piece(buf + n, 0x100000, 0x7fee0000, 1);
		n += piece(buf + n, 0x7ffe0000, 0x20000, 3);
		n += piece(buf + n, 0x100000000, 0x80000000, 1);
		return n;
	case 1:		/* a hole in the middle, the same twice, one over the end, one of no known type */
		n += piece(buf + n, 0x1000, 0x100000, 1);
		n += piece(buf + n, 0x20000, 0x1000, 0);
		n += piece(buf + n, 0x8000, 0x1000, 2);
		n += piece(buf + n, 0x8000, 0x1000, 2);
		n += piece(buf + n, 0x8800, 0x100, 4);
		n += piece(buf + n, 0xfffffffffffff000, 0x2000, 7);
		return n;
	case 2:
		return (size_t)sprintf((char *)buf, "quiet mem=64M xmem=1k mem=0x40000000 mem=x");
	case 3:		/* too many, each cutting one large piece */
		n += piece(buf + n, 0, 1 << 30, 1);
		for (u64 k = 1; k < BOOT_MAP_MAX + 4; k++)
			n += piece(buf + n, k << 16, 0x1000, 2);
		return n;
	case 4:		/* a command line that is cut */
		memset(buf, 'x', 5000);
		return 5000;
	}
	return 0;
}
