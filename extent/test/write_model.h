// SPDX-License-Identifier: MIT
/*
 * The disk and the filesystem in memory of k_write.c, its only user: blocks that are holes,
 * reserved, unwritten, written or shared, as a seed and the calls decide.
 */
#pragma once

#include <lib/err.h>
#include <lib/minmax.h>
#include <alloc/page.h>
#include <alloc/vmalloc.h>
#include <block/blk.h>
#include <extent/file.h>
#include <kernel/ktest.h>
#include <sched/work.h>
#include <vfs/fs.h>
#include <abi/errno.h>
#include "extent/extent_priv.h"

#define FILE_MOST (48u * (unsigned int)PAGE_SIZE)
#define DISK_BYTES (4u * FILE_MOST)

static u8 *platter, *want;
static struct disk *disk;
static bool fail_writes;

static int queue(struct disk *d, unsigned int q, struct bio *b)
{
	u64 at = b->disk_sector << SECTOR_SHIFT;

	(void)d;
	(void)q;
	for (unsigned int i = 0; i < b->nvecs && !(fail_writes && b->op == REQ_WRITE); i++) {
		u8 *p = (u8 *)page_address(b->vecs[i].bv_page) + b->vecs[i].bv_offset;
		unsigned int n = b->vecs[i].bv_len;

		if (b->op == REQ_WRITE)
			memcpy(platter + at, p, n);
		else
			memcpy(p, platter + at, n);
		at += n;
	}
	bio_done(b, fail_writes && b->op == REQ_WRITE ? -EIO : 0);
	return 0;
}

static const struct disk_ops disk_ops = { .queue = queue };

/* ---- the model of a filesystem ---- */

struct block {
	u8 type;
	bool shared;
	u32 addr;			/* in blocks */
};

static struct {
	struct mutex lock;
	struct block map[FILE_MOST / 1024];	/* lock */
	bool taken[DISK_BYTES / 1024];		/* lock */
	u64 cookie;
	u32 bits, blocks, left;			/* lock: blocks that may be had */
	loff_t disk_size;
	struct workqueue_struct *wq;
} fs;

static u64 chance_state;

static u32 chance(u32 n)
{
	chance_state = chance_state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(chance_state >> 33) % n;
}

static u32 take(u32 near)
{
	u32 n = DISK_BYTES >> fs.bits, at = near;

	while (fs.taken[at % n])
		at++;
	fs.taken[at % n] = true;
	return at % n;
}

/* Of one kind and contiguous, from the block of OFF on. */
static void answer(loff_t off, u64 len, struct extent *out)
{
	u32 b = (u32)(off >> fs.bits), n = 1;
	struct block *m = &fs.map[b];

	*out = (struct extent){ .off = (loff_t)b << fs.bits, .cookie = fs.cookie };
	if (b >= fs.blocks) {
		out->len = 1ull << 60;
		return;
	}
	while (b + n < fs.blocks && m[n].type == m->type && m[n].shared == m->shared &&
	       (m->type == EXTENT_HOLE || m->type == EXTENT_DELAYED || m[n].addr == m->addr + n) &&
	       (u64)n << fs.bits < len + 4096)
		n++;
	out->len = (u64)n << fs.bits;
	out->type = m->type;
	out->addr = (u64)m->addr << fs.bits;
	out->flags = m->shared ? EXTENT_SHARED : 0;
}

static int map(struct inode *inode, loff_t off, u64 len, bool attr, struct extent *out)
{
	mutex_lock(&fs.lock);
	answer(off, len, out);
	mutex_unlock(&fs.lock);
	return 0;
}

static u64 cookie(struct inode *inode)
{
	return READ_ONCE(fs.cookie);
}

static int map_write(struct inode *inode, loff_t off, u64 len, struct extent *out)
{
	u32 b = (u32)(off >> fs.bits), n = 1 + chance(6);
	int e = 0;

	mutex_lock(&fs.lock);
	if (fs.map[b].type == EXTENT_HOLE) {
		e = fs.left ? 0 : -ENOSPC;
		for (u32 i = b; i < b + n && i < fs.blocks && fs.left &&
				(u64)(i - b) << fs.bits < len && fs.map[i].type == EXTENT_HOLE;
		     i++, fs.left--)
			fs.map[i].type = EXTENT_DELAYED;
		fs.cookie++;
		answer(off, len, out);
		out->flags |= EXTENT_NEW;
	} else if (fs.map[b].shared) {
		e = -EOPNOTSUPP;
	} else {
		answer(off, len, out);
	}
	mutex_unlock(&fs.lock);
	return e;
}

static void unreserve(struct inode *inode, loff_t off, u64 len)
{
	u32 b = (u32)(((u64)off + (1u << fs.bits) - 1) >> fs.bits),
	    end = (u32)(((u64)off + len) >> fs.bits);

	mutex_lock(&fs.lock);
	for (; b < min(end, fs.blocks); b++)
		if (fs.map[b].type == EXTENT_DELAYED) {
			fs.map[b].type = EXTENT_HOLE;
			fs.left++;
		}
	fs.cookie++;
	mutex_unlock(&fs.lock);
}

static void allocate(u32 b, u32 most)
{
	u32 at = chance(2) ? chance(DISK_BYTES >> fs.bits) : fs.map[b ? b - 1 : 0].addr + 1;

	for (u32 i = 0; i < most && b + i < fs.blocks; i++) {
		struct block *m = &fs.map[b + i];

		if (m->type != EXTENT_DELAYED && m->type != EXTENT_HOLE)
			break;
		at = take(at);
		*m = (struct block){ EXTENT_UNWRITTEN, false, at };
	}
	fs.cookie++;
}

static int map_alloc(struct inode *inode, loff_t off, u64 len, struct extent *out)
{
	u32 b = (u32)(off >> fs.bits), n = 0;

	mutex_lock(&fs.lock);
	while (b + n < fs.blocks && fs.map[b + n].type == EXTENT_DELAYED && n < 9)
		n++;
	if (n)
		allocate(b, n);
	answer(off, len, out);
	mutex_unlock(&fs.lock);
	return 0;
}

static int map_direct(struct inode *inode, loff_t off, u64 len, struct extent *out)
{
	u32 b = (u32)(off >> fs.bits);
	int e = 0;

	mutex_lock(&fs.lock);
	if (fs.map[b].shared)
		e = -EOPNOTSUPP;
	else if (fs.map[b].type == EXTENT_HOLE || fs.map[b].type == EXTENT_DELAYED)
		allocate(b, (u32)max(len >> fs.bits, 1ull));
	answer(off, len, out);
	mutex_unlock(&fs.lock);
	return e;
}

static bool grows(struct inode *inode, u64 end)
{
	return (u64)READ_ONCE(fs.disk_size) < min(end, (u64)i_size_read(inode));
}

static int written(struct inode *inode, loff_t off, u64 len, bool unwritten)
{
	loff_t end = min(off + (loff_t)len, i_size_read(inode));

	mutex_lock(&fs.lock);
	for (u32 b = (u32)(off >> fs.bits); unwritten && (u64)b << fs.bits < (u64)off + len; b++)
		if (fs.map[b].type == EXTENT_UNWRITTEN)
			fs.map[b].type = EXTENT_MAPPED;
	fs.cookie++;
	fs.disk_size = max(fs.disk_size, end);
	mutex_unlock(&fs.lock);
	return 0;
}

static void later(struct inode *inode, struct work_struct *w)
{
	queue_work(fs.wq, w);
}

static const struct extent_ops extent_ops = {
	.map = map,
	.cookie = cookie,
	.map_write = map_write,
	.unreserve = unreserve,
	.map_alloc = map_alloc,
	.map_direct = map_direct,
	.grows = grows,
	.written = written,
	.later = later,
};
static const struct mapping_ops mapping_ops = {
	.read_folio = extent_read_folio,
	.readahead = extent_readahead,
	.writepages = extent_writepages,
	.dirty_folio = extent_dirty_folio,
	.dirty_part = extent_dirty_part,
	.forget_part = extent_forget_part,
	.split_folio = extent_split_folio,
	.invalidate_folio = extent_invalidate_folio,
	.release_folio = extent_release_folio,
};
