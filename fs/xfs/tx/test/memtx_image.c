// SPDX-License-Identifier: MIT
/* See memtx.h. This file: the image, and the volume that walks see. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "fs/xfs/tx/test/memtx_priv.h"

u32 memtx_runs_len(const struct xfs_run *runs, u32 n)
{
	u32 len = 0;

	for (u32 i = 0; i < n; i++)
		len += runs[i].bbs * XFS_SECTOR;
	return len;
}

bool memtx_runs_ok(const struct memtx *m, const struct xfs_run *runs, u32 n)
{
	u64 end = m->fs.vol.sb.dblocks << (m->fs.vol.sb.blocklog - 9);

	for (u32 i = 0; i < n; i++)
		if (!runs[i].bbs || runs[i].daddr >= end || runs[i].bbs > end - runs[i].daddr)
			return false;
	return n > 0 && n <= XFS_MAX_RUNS;
}

void memtx_image_read(const struct memtx *m, const struct xfs_run *runs, u32 n, u8 *p)
{
	for (u32 i = 0; i < n; i++) {
		u32 len = runs[i].bbs * XFS_SECTOR;

		memcpy(p, m->map + runs[i].daddr * XFS_SECTOR, len);
		p += len;
	}
}

void memtx_mark(u8 *bits, u64 daddr, u32 bbs, bool on)
{
	for (u64 i = daddr; i < daddr + bbs; i++)
		if (on)
			bits[i / 8] |= (u8)(1u << i % 8);
		else
			bits[i / 8] &= (u8) ~(1u << i % 8);
}

bool memtx_marked(const u8 *bits, u64 daddr, u32 bbs)
{
	for (u64 i = daddr; i < daddr + bbs; i++)
		if (bits[i / 8] >> i % 8 & 1)
			return true;
	return false;
}

void memtx_image_write(struct memtx *m, const struct xfs_run *runs, u32 n, const u8 *p)
{
	for (u32 i = 0; i < n; i++) {
		u32 len = runs[i].bbs * XFS_SECTOR;

		memcpy(m->map + runs[i].daddr * XFS_SECTOR, p, len);
		memtx_mark(m->dirty, runs[i].daddr, runs[i].bbs, true);
		p += len;
	}
}

struct mblock *memtx_find_block(struct memtx *m, u64 daddr)
{
	struct mblock *b = m->hash[daddr % MEMTX_HASH];

	while (b && b->b.daddr != daddr)
		b = b->next;
	return b;
}

/* ---- walks ---- */

static int vol_get(struct xfs_vol *v, enum xfs_kind kind, const struct xfs_run *runs, u32 n,
		   struct xfs_blk *out)
{
	struct memtx *m = (struct memtx *)v;
	struct mblock *b = memtx_find_block(m, runs[0].daddr);
	struct xfs_fault f = { 0 };
	u32 len = memtx_runs_len(runs, n);
	u8 *p;
	int e = 0;

	assert(memtx_runs_ok(m, runs, n));
	p = xfs_mem(len);
	if (b) {	/* as it is in the transaction */
		assert(b->b.len == len);
		memcpy(p, b->b.data, len);
	} else {
		memtx_image_read(m, runs, n, p);
		e = xfs_verify(&v->sb, kind, runs[0].daddr, p, len, &f);
	}
	if (e) {
		v->report(v, &f);
		free(p);
		return e;
	}
	*out = (struct xfs_blk){ p, p };
	return 0;
}

static void vol_put(struct xfs_vol *v, struct xfs_blk *b)
{
	(void)v;
	free(b->ref);
	b->ref = NULL;
}

static void vol_report(struct xfs_vol *v, const struct xfs_fault *f)
{
	struct memtx *m = (struct memtx *)v;

	m->faults++;
	if (!m->quiet)
		fprintf(stderr, "%s %llu: %s is wrong (%llu)\n", f->what, (u64)f->place, f->field,
			(u64)f->value);
}

static bool vol_stop(struct xfs_vol *v)
{
	(void)v;
	return false;
}

/* ---- opening ---- */

static void fail(const char *path, const char *why)
{
	fprintf(stderr, "memtx: %s: %s\n", path, why);
	exit(1);
}

static void open_ags(struct memtx *m)
{
	const struct xfs_sb *sb = &m->fs.vol.sb;

	m->fs.nr_ags = sb->agcount;
	m->fs.ags = xfs_mem(sizeof(struct xfs_ag) * sb->agcount);
	for (u32 i = 0; i < sb->agcount; i++) {
		m->fs.ags[i].agno = i;
		m->fs.ags[i].length = xfs_ag_blocks(sb, i);
	}
}

struct xfs_fs *memtx_open(const char *path)
{
	struct memtx *m = xfs_mem(sizeof(*m));
	struct xfs_sb *sb = &m->fs.vol.sb;
	struct xfs_fault f;
	u64 sectors;

	m->fd = open(path, O_RDWR | O_CLOEXEC);
	m->bytes = m->fd < 0 ? 0 : (u64)lseek(m->fd, 0, SEEK_END);
	if (m->bytes < 65536)
		fail(path, "no image");
	m->map = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, m->fd, 0);
	if (m->map == MAP_FAILED)
		fail(path, "cannot be mapped");
	m->fs.vol.get = vol_get;
	m->fs.vol.put = vol_put;
	m->fs.vol.report = vol_report;
	m->fs.vol.stop = vol_stop;
	if (xfs_sb_decode(m->map, 32768, sb, &f) || sb->dblocks << sb->blocklog > m->bytes)
		fail(path, "no file system");
	sectors = sb->dblocks << (sb->blocklog - 9);
	m->dirty = xfs_mem(sectors / 8 + 1);
	m->locked = xfs_mem(sectors / 8 + 1);
	m->busy_age = 8;
	m->free = sb->fdblocks;
	INIT_LIST_HEAD(&m->intents);
	open_ags(m);
	return &m->fs;
}

void memtx_close(struct xfs_fs *fs)
{
	struct memtx *m = (struct memtx *)fs;

	assert(m->shut || (!m->open && list_empty(&m->intents)));
	/* Each piece of deferred work was done or forgotten. */
	for (u32 i = 0; i < m->fs.nr_ags; i++)
		assert(!m->fs.ags[i].pending);
	memtx_free_rest(m);
	munmap(m->map, m->bytes);
	close(m->fd);
	free(m->dirty);
	free(m->locked);
	free(m->fs.ags);
	free(m);
}

void memtx_write_counters(struct memtx *m)
{
	const struct xfs_sb *sb = &m->fs.vol.sb;
	struct xfs_dsb *d = (struct xfs_dsb *)(void *)m->map;
	le32 crc;

	d->icount = be64_make(sb->icount);
	d->ifree = be64_make(sb->ifree);
	d->fdblocks = be64_make(sb->fdblocks);
	crc = le32_make(xfs_crc(m->map, sb->sectsize, offsetof(struct xfs_dsb, crc)));
	d->crc = crc;
	memtx_mark(m->dirty, 0, sb->sectsize / XFS_SECTOR, true);
}

void memtx_sync(struct xfs_fs *fs)
{
	struct memtx *m = (struct memtx *)fs;
	u64 sectors = fs->vol.sb.dblocks << (fs->vol.sb.blocklog - 9);

	assert(!m->shut && !m->open);
	memtx_write_counters(m);
	for (u64 i = 0; i < sectors;) {
		u64 n = 0;

		if (!(i % 8) && !m->dirty[i / 8]) {
			i += 8;
			continue;
		}
		while (i + n < sectors && memtx_marked(m->dirty, i + n, 1))
			n++;
		if (n)
			assert(pwrite(m->fd, m->map + i * XFS_SECTOR, n * XFS_SECTOR,
				      (off_t)(i * XFS_SECTOR)) == (ssize_t)(n * XFS_SECTOR));
		memtx_mark(m->dirty, i, (u32)n, false);
		i += n + 1;
	}
	memtx_busy_expire(m, true);
}
