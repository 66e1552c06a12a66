// SPDX-License-Identifier: MIT
/* The decoder of partition tables. A table is believed only as far as its checksums and the disk's size allow. */
#include <lib/partition.h>
#include <lib/string.h>
#include <abi/errno.h>

#define NUMBERS 256U		/* numbers are below it, as Linux's */

static u32 le32_at(const u8 *p)
{
	return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static u64 le64_at(const u8 *p)
{
	return le32_at(p) | (u64)le32_at(p + 4) << 32;
}

/* CRC-32 of IEEE 802.3, bit by bit: a few kilobytes at boot do not want a table. */
static u32 crc32_step(u32 crc, const u8 *p, size_t n)
{
	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (0xedb88320U & (0U - (crc & 1)));
	}
	return crc;
}

struct gpt {
	u64 entries_lba, first, last;
	u32 count, entry_size, crc;
};

static int gpt_header(const struct partition_reader *r, u8 *buf, u64 lba, struct gpt *g)
{
	u32 size, crc;
	int e = r->read(r->ctx, lba, buf);

	if (e)
		return e;
	size = le32_at(buf + 12);
	if (memcmp(buf, "EFI PART", 8) || size < 92 || size > r->block_size || le64_at(buf + 24) != lba)
		return -EINVAL;
	crc = le32_at(buf + 16);
	memset(buf + 16, 0, 4);
	if ((crc32_step(~0U, buf, size) ^ ~0U) != crc)
		return -EINVAL;
	*g = (struct gpt){ le64_at(buf + 72), le64_at(buf + 40), le64_at(buf + 48), le32_at(buf + 80), le32_at(buf + 84), le32_at(buf + 88) };
	if (g->entry_size < 128 || g->entry_size > r->block_size || (g->entry_size & (g->entry_size - 1)) || g->count > 16384 ||
	    g->last < g->first || g->last >= r->blocks || g->entries_lba >= r->blocks)
		return -EINVAL;
	return 0;
}

/* 0 when the entries' checksum holds. */
static int gpt_entries_ok(const struct partition_reader *r, u8 *buf, const struct gpt *g)
{
	u64 left = (u64)g->count * g->entry_size;
	u32 crc = ~0U;

	for (u64 lba = g->entries_lba; left; lba++) {
		u32 n = left < r->block_size ? (u32)left : r->block_size;
		int e = lba < r->blocks ? r->read(r->ctx, lba, buf) : -EINVAL;

		if (e)
			return e;
		crc = crc32_step(crc, buf, n);
		left -= n;
	}
	return (crc ^ ~0U) == g->crc ? 0 : -EINVAL;
}

static int gpt_each(const struct partition_reader *r, u8 *buf, const struct gpt *g,
		    int (*fn)(void *arg, const struct partition *p), void *arg)
{
	static const u8 unused[16];
	u32 per_block = r->block_size / g->entry_size;
	int n = 0;

	for (u32 i = 0; i < g->count && i + 1 < NUMBERS; i++) {
		const u8 *p = buf + (size_t)(i % per_block) * g->entry_size;
		struct partition out = { .number = i + 1 };
		u64 last;
		int e;

		if (i % per_block == 0) {
			e = r->read(r->ctx, g->entries_lba + i / per_block, buf);
			if (e)
				return e;
		}
		if (!memcmp(p, unused, 16))
			continue;
		out.start = le64_at(p + 32);
		last = le64_at(p + 40);
		if (out.start < g->first || last > g->last || last < out.start)
			continue;
		out.count = last - out.start + 1;
		memcpy(out.type_guid, p, 16);
		memcpy(out.uuid, p + 16, 16);
		for (int c = 0; c < 36; c++) {
			u16 ch = (u16)(p[56 + 2 * c] | p[57 + 2 * c] << 8);

			out.name[c] = (char)(ch && (ch < ' ' || ch > '~') ? '?' : ch);
		}
		e = fn(arg, &out);
		if (e)
			return e;
		n++;
	}
	return n;
}

static bool is_extended(u8 type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

/* A partition of an MBR; SIGNATURE: the disk's, which names its partitions. */
static int emit(const struct partition_reader *r, u32 signature, u32 number, u64 start, u64 count, u8 type,
		int (*fn)(void *arg, const struct partition *p), void *arg)
{
	struct partition out = { .number = number, .start = start, .count = count, .mbr_type = type, .mbr_signature = signature };

	if (start >= r->blocks)
		return 0;
	if (count > r->blocks - start) {
		out.count = r->blocks - start;
		out.cut = true;
	}
	return fn(arg, &out);
}

/* Was START among the N links of a chain? */
static bool is_among(const u32 *links, u32 n, u32 start)
{
	while (n--)
		if (links[n] == start)
			return true;
	return false;
}

/*
 * The chain of logical partitions, whose links lie in any order on the disk; a loop or a long chain ends it. Each partition gets the next
 * *NUMBER, a link that has none takes none.
 */
static int mbr_logical(const struct partition_reader *r, u32 signature, u8 *buf, u64 base, u64 size, u32 *number, int *n,
		       int (*fn)(void *arg, const struct partition *p), void *arg)
{
	u32 links[NUMBERS], at = 0;

	for (u32 nr = 0; nr < NUMBERS && *number < NUMBERS; nr++) {
		bool more = false;
		u32 next = 0;
		int e = r->read(r->ctx, base + at, buf);

		if (e)
			return e;
		if (buf[510] != 0x55 || buf[511] != 0xaa)
			return 0;
		links[nr] = at;
		for (int i = 0; i < 2; i++) {
			const u8 *p = buf + 446 + 16 * i;
			u32 start = le32_at(p + 8), count = le32_at(p + 12);

			if (!count)
				continue;
			if (is_extended(p[4])) {
				next = start;
				more = true;
			} else if (*number < NUMBERS) {
				e = emit(r, signature, (*number)++, base + at + start, count, p[4], fn, arg);
				if (e)
					return e;
				++*n;
			}
		}
		if (!more || next >= size || base + next >= r->blocks || is_among(links, nr + 1, next))
			return 0;
		at = next;
	}
	return 0;
}

static int mbr_scan(const struct partition_reader *r, u8 *buf, int (*fn)(void *arg, const struct partition *p), void *arg)
{
	u32 signature = le32_at(buf + 440);
	u32 number = 5;			/* of the next logical one */
	u8 table[64];
	int n = 0;

	memcpy(table, buf + 446, sizeof(table));
	for (int i = 0; i < 4; i++)
		if (table[16 * i] & 0x7f)
			return 0;		/* not 0x00 or 0x80: a filesystem's boot block, no table */
	for (u32 i = 0; i < 4; i++) {
		const u8 *p = table + 16 * i;
		u64 start = le32_at(p + 8), count = le32_at(p + 12);
		int e;

		if (!count || !p[4] || start >= r->blocks)
			continue;
		/* An extended partition's own node is two blocks, as Linux shows it. */
		e = emit(r, signature, i + 1, start, is_extended(p[4]) && count > 2 ? 2 : count, p[4], fn, arg);
		if (e)
			return e;
		n++;
		if (is_extended(p[4])) {
			e = mbr_logical(r, signature, buf, start, count, &number, &n, fn, arg);
			if (e)
				return e;
		}
	}
	return n;
}

int partitions_scan(const struct partition_reader *r, u8 *buf, int (*fn)(void *arg, const struct partition *p), void *arg)
{
	struct gpt g;
	bool gpt = false;
	int e;

	if (r->block_size < 512 || r->block_size > 4096 || r->blocks < 2) /* not a page */
		return 0;
	e = r->read(r->ctx, 0, buf);
	if (e)
		return e;
	if (buf[510] != 0x55 || buf[511] != 0xaa)
		return 0;
	for (int i = 0; i < 4; i++)
		gpt |= buf[446 + 16 * i + 4] == 0xee;
	if (!gpt)
		return mbr_scan(r, buf, fn, arg);
	e = gpt_header(r, buf, 1, &g);
	e = e ?: gpt_entries_ok(r, buf, &g);
	if (e) {		/* the copy at the end of the disk */
		e = gpt_header(r, buf, r->blocks - 1, &g);
		e = e ?: gpt_entries_ok(r, buf, &g);
	}
	if (e)
		return e == -EINVAL ? 0 : e;
	return gpt_each(r, buf, &g, fn, arg);
}
