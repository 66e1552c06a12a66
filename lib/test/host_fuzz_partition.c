// SPDX-License-Identifier: MIT
/* sources: lib/partition.c */
/* with sources: lib/inflate.c */
/* fuzz: -max_len=15361 */
/* Partition tables: whatever a disk holds, a partition that is found lies on it, and looking ends. */
#define FUZZ_ROUNDS 60000
#define FUZZ_MAX 270000
#include <assert.h>
#include <errno.h>
#include "lib/test/fuzz.h"
#include <lib/inflate.h>
#include <lib/partition.h>

/*
 * The first byte says how the rest is a disk: bits 0 and 1 the size of a block (512 << n), bit 2 whether its checksums are made right, so
 * that damage gets behind them. The bits above: which read fails, and all after it (1 to 5), or who is told of partitions has enough of them (the same), that only the headers' checksums are made right (6), that the
 * blocks have a size that none may have (7).
 */
struct disk {
	u8 *p;
	u64 blocks;
	u32 size;
	unsigned long reads, fails, found, enough;
};

static int read_block(void *ctx, u64 lba, void *buf)
{
	struct disk *d = ctx;

	assert(lba < d->blocks);
	assert(++d->reads < 100000);
	if (d->fails && d->fails < 6 && d->reads >= d->fails)
		return -EIO;
	memcpy(buf, d->p + lba * d->size, d->size);
	return 0;
}

static int found(void *arg, const struct partition *p)
{
	struct disk *d = arg;

	assert(p->number >= 1);
	assert(p->start < d->blocks && p->count && p->count <= d->blocks - p->start);
	assert(!memchr(p->name, 0, sizeof(p->name)) || strlen(p->name) < sizeof(p->name));
	return d->enough && ++d->found == d->enough ? -ENOMEM : 0;
}

static u32 get32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, 4);
	return v;
}

static void put32(u8 *p, u32 v)
{
	memcpy(p, &v, 4);
}

static void make_right(struct disk *d, u64 lba, bool entries)
{
	u8 *h = d->p + lba * d->size;
	u64 at;
	u32 len = get32(h + 12);

	memcpy(&at, h + 72, 8);
	if (entries && at < d->blocks && (u64)get32(h + 80) * get32(h + 84) <= (d->blocks - at) * d->size)
		put32(h + 88, crc32_le(0, d->p + at * d->size, get32(h + 80) * get32(h + 84)));
	put32(h + 16, 0);
	if (len >= 92 && len <= d->size)
		put32(h + 16, crc32_le(0, h, len));
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct disk d = { .size = 512 };
	struct partition_reader r = { read_block, &d, 0, 0 };
	u8 *buf;

	if (n < 1)
		return;
	d.size <<= p[0] & 3;
	d.blocks = (n - 1) / d.size;
	d.p = malloc(n);
	memcpy(d.p, p + 1, n - 1);
	if (p[0] & 4 && d.blocks > 2) {
		make_right(&d, 1, (p[0] >> 3 & 7) != 6);
		make_right(&d, d.blocks - 1, (p[0] >> 3 & 7) != 6);
	}
	if (p[0] & 128)
		d.enough = p[0] >> 3 & 7;
	else
		d.fails = p[0] >> 3 & 7;
	r.block_size = (p[0] >> 3 & 15) != 7 ? d.size : p[0] & 1 ? 256 : 8192;
	r.blocks = d.blocks;
	buf = malloc(2 * d.size);
	partitions_scan(&r, buf, found, &d);
	free(buf);
	free(d.p);
}

static void gpt(struct disk *d, u64 lba, u64 entries, u64 other)
{
	u8 *h = d->p + lba * d->size;
	u64 v;

	memcpy(h, "EFI PART\0\0\1", 12);
	put32(h + 12, 92);
	memcpy(h + 24, &lba, 8);
	memcpy(h + 32, &other, 8);
	v = 4;
	memcpy(h + 40, &v, 8);
	v = d->blocks - 4;
	memcpy(h + 48, &v, 8);
	memcpy(h + 72, &entries, 8);
	put32(h + 80, 4);
	put32(h + 84, 128);
	for (u32 i = 0; i < 3; i++) {
		u8 *e = d->p + entries * d->size + 128 * i;

		memset(e, 0x11 + (int)i, 32);
		v = 4 + 5 * i;
		memcpy(e + 32, &v, 8);
		v += 4;
		memcpy(e + 40, &v, 8);
		memcpy(e + 56, "r\0o\0o\0t", 8);
	}
	make_right(d, lba, true);
}

static void mbr_entry(u8 *sector, int i, u8 type, u32 start, u32 count)
{
	u8 *e = sector + 446 + 16 * i;

	e[4] = type;
	put32(e + 8, start);
	put32(e + 12, count);
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	struct disk d = { .p = buf + 1, .size = i == 1 ? 4096 : 512, .blocks = i == 1 ? 12 : 30 };	/* 2, 4, 6, 8: MBR; others GPT */

	if (i >= FUZZ_SEEDS)
		return 0;
	memset(buf, 0, FUZZ_MAX);
	if (i == 11) {
		buf[0] = 7 << 3 | 1;
		return 1 + 512 * 3;
	}
	if (i == 10) {		/* a chain longer than names go */
		d.size = 512;
		d.blocks = 2 * 260;
		mbr_entry(d.p, 0, 0x85, 2, 2 * 258);
		for (u32 k = 1; k < 259; k++) {
			mbr_entry(d.p + 2 * k * 512, 0, 0x83, 1, 1);
			mbr_entry(d.p + 2 * k * 512, 1, 5, 2 * k, 2);
		}
		return 1 + 512 * d.blocks;
	}
	buf[0] = i == 1 ? 7 : 4;
	if (i < 2 || i % 2 || i == 8) {
		mbr_entry(d.p, 0, 0xee, 1, (u32)d.blocks - 1);
		gpt(&d, 1, 2, d.blocks - 1);
		gpt(&d, d.blocks - 1, d.blocks - 2, 1);
	} else {
		mbr_entry(d.p, 0, 0x83, 1, 3);
		mbr_entry(d.p, 1, 0x05, 5, 20);
		mbr_entry(d.p + 5 * 512, 0, 0x83, 1, 3);
		mbr_entry(d.p + 5 * 512, 1, 0x05, 8, 8);
		mbr_entry(d.p + 13 * 512, 0, 0x83, 2, 4);
	}
	if (i == 15)		/* the first two with what goes wrong */
		buf[0] |= 4 << 3;
	else if (i >= 12)
		buf[0] |= (u8)(128 | (i - 11) << 3);
	else if (i >= 3)
		buf[0] |= (u8)((i - 2) << 3);
	if (i == 7 || i == 8)	/* 6 */
		buf[1 + 2 * 512 + 60] ^= 1;
	return 1 + (size_t)d.size * d.blocks;
}
