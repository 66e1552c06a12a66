// SPDX-License-Identifier: MIT
/* See memtx.h. This file: transactions and their blocks. */
#include <stdio.h>
#include <stdlib.h>
#include "fs/xfs/tx/test/memtx_priv.h"
#include <lib/minmax.h>

#define CHUNK XFS_LB_CHUNK
#define OP_HEAD 12u		/* in the log, before each region */
#define BUF_HEAD 40u		/* of an item for a block */

static u32 seed = 1;

void memtx_seed(u32 s)
{
	seed = s ? s : 1;
}

u32 xfs_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

void *xfs_mem(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	assert(p);
	return p;
}

void xfs_mem_free(void *p)
{
	free(p);
}

/* ---- blocks of a transaction ---- */

static struct mtx *mtx_of(struct xfs_tx *tx)
{
	return (struct mtx *)tx;
}

static struct memtx *memtx_of(struct xfs_tx *tx)
{
	return (struct memtx *)tx->fs;
}

static void lock_runs(struct memtx *m, const struct mblock *b, bool on)
{
	for (u32 i = 0; i < b->nr; i++)
		memtx_mark(m->locked, b->runs[i].daddr, b->runs[i].bbs, on);
}

static void drop_block(struct memtx *m, struct mblock *b)
{
	struct mblock **at = &m->hash[b->b.daddr % MEMTX_HASH];

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	list_del(&b->node);
	lock_runs(m, b, false);
	free(b->b.data);
	free(b->before);
	free(b->logged);
	free(b);
}

/* Headers of AGs are waited for in ascending order. */
static void check_order(struct xfs_tx *tx, enum xfs_kind kind, u64 daddr, u32 flags)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u32 agno = (u32)((daddr >> (sb->blocklog - 9)) / sb->agblocks);

	if (kind != XFS_BLK_AGF && kind != XFS_BLK_AGI)
		return;
	assert(agno >= mtx_of(tx)->highest || flags & XFS_GET_TRY);
	if (agno > mtx_of(tx)->highest)
		mtx_of(tx)->highest = agno;
}

/* A block that is asked for as another kind than it is. */
static int verify_as(struct memtx *m, const struct mblock *b, enum xfs_kind kind)
{
	struct xfs_fault f = { 0 };
	u8 *p = xfs_mem(b->b.len);
	int e;

	memcpy(p, b->b.data, b->b.len);
	xfs_block_stamp(&m->fs.vol.sb, kind, p, b->b.len, 0);
	e = xfs_verify(&m->fs.vol.sb, kind, b->b.daddr, p, b->b.len, &f);
	free(p);
	if (e)
		m->fs.vol.report(&m->fs.vol, &f);
	return e;
}

static int again(struct mblock *b, struct xfs_tx *tx, enum xfs_kind kind, u32 len, u32 flags,
		 struct xfs_txbuf **out)
{
	int e;

	if (b->b.len != len && ((struct memtx *)tx->fs)->damaged)
		return xfs_tx_bad(tx, "block", "length", b->b.daddr, len);
	assert(b->tx == tx && b->b.len == len);
	if (flags & XFS_GET_NEW) {
		memset(b->b.data, 0, len);
		memset(b->before, 0, len);
		memset(b->logged, 0, len / CHUNK + 1);
		b->killed = false;
	}
	if (b->killed && ((struct memtx *)tx->fs)->damaged)
		return xfs_tx_bad(tx, "block", "freed", b->b.daddr, kind);
	assert(!b->killed);
	if (b->b.kind != kind && !(flags & XFS_GET_NEW)) {
		e = verify_as((struct memtx *)tx->fs, b, kind);
		if (e)
			return e;
	}
	b->b.kind = (u8)kind;
	b->got++;
	*out = &b->b;
	return 0;
}

static struct mblock *new_block(struct memtx *m, struct xfs_tx *tx, const struct xfs_run *runs,
				u32 n)
{
	struct mblock *b = xfs_mem(sizeof(*b));
	u32 len = memtx_runs_len(runs, n);

	b->b = (struct xfs_txbuf){ xfs_mem(len), runs[0].daddr, len, 0 };
	b->before = xfs_mem(len);
	b->logged = xfs_mem(len / CHUNK + 1);
	b->tx = tx;
	b->got = 1;
	b->nr = n;
	memcpy(b->runs, runs, sizeof(*runs) * n);
	b->next = m->hash[b->b.daddr % MEMTX_HASH];
	m->hash[b->b.daddr % MEMTX_HASH] = b;
	list_add_tail(&b->node, &mtx_of(tx)->blocks);
	for (u32 i = 0; i < n; i++)
		assert(!memtx_marked(m->locked, runs[i].daddr, runs[i].bbs));
	lock_runs(m, b, true);
	return b;
}

int xfs_tx_get_runs(struct xfs_tx *tx, enum xfs_kind kind, const struct xfs_run *runs, u32 n,
		    u32 flags, struct xfs_txbuf **out)
{
	struct memtx *m = memtx_of(tx);
	struct xfs_fault f = { 0 };
	struct mblock *b;
	int e = 0;

	assert(memtx_runs_ok(m, runs, n) && !m->shut);
	m->gets++;
	b = memtx_find_block(m, runs[0].daddr);
	if (b && b->tx != tx) {
		assert(flags & XFS_GET_TRY);	/* else a deadlock */
		return -EAGAIN;
	}
	if (b)
		return again(b, tx, kind, memtx_runs_len(runs, n), flags, out);
	b = new_block(m, tx, runs, n);
	if (!(flags & XFS_GET_NEW)) {
		memtx_image_read(m, runs, n, b->b.data);
		e = xfs_verify(&m->fs.vol.sb, kind, runs[0].daddr, b->b.data, b->b.len, &f);
	}
	if (e) {
		m->fs.vol.report(&m->fs.vol, &f);
		drop_block(m, b);
		return e;
	}
	check_order(tx, kind, runs[0].daddr, flags);
	memcpy(b->before, b->b.data, b->b.len);
	b->b.kind = (u8)kind;
	b->fresh = flags & XFS_GET_NEW;
	*out = &b->b;
	return 0;
}

static bool was_logged(const struct mblock *b)
{
	for (u32 i = 0; i <= b->b.len / CHUNK; i++)
		if (b->logged[i])
			return true;
	return false;
}

void xfs_tx_put(struct xfs_tx *tx, struct xfs_txbuf *t)
{
	struct mblock *b = (struct mblock *)t;

	assert(b->tx == tx);
	if (b->got > 1 || b->killed || b->hold || was_logged(b))
		return;
	assert(!memcmp(b->before, b->b.data, b->b.len));
	drop_block(memtx_of(tx), b);
}

void xfs_tx_log(struct xfs_tx *tx, struct xfs_txbuf *t, u32 off, u32 len)
{
	struct mblock *b = (struct mblock *)t;

	assert(b->tx == tx && len && off < t->len && len <= t->len - off);
	assert(!b->killed || memtx_of(tx)->damaged);
	tx->dirty = true;
	for (u32 i = off / CHUNK; i <= (off + len - 1) / CHUNK; i++)
		b->logged[i] = 1;
}

void xfs_tx_retype(struct xfs_tx *tx, struct xfs_txbuf *b, enum xfs_kind kind)
{
	assert(((struct mblock *)b)->tx == tx);
	b->kind = (u8)kind;
}

void xfs_tx_kill(struct xfs_tx *tx, struct xfs_txbuf *t)
{
	struct mblock *b = (struct mblock *)t;

	assert(b->tx == tx && (!b->killed || memtx_of(tx)->damaged));
	b->killed = true;
	tx->dirty = true;
}

void xfs_tx_kill_at(struct xfs_tx *tx, u64 daddr, u32 bbs)
{
	struct mblock *b = memtx_find_block(memtx_of(tx), daddr);

	if (b && !b->killed) {
		assert(b->b.len == bbs * XFS_SECTOR);
		xfs_tx_kill(tx, &b->b);
	}
	tx->dirty = true;
}

void xfs_tx_forget_at(struct xfs_tx *tx, u64 daddr, u32 bbs)
{
	struct mblock *b = memtx_find_block(memtx_of(tx), daddr);

	assert(bbs && (!b || b->killed || memtx_of(tx)->damaged));
}

void xfs_tx_hold(struct xfs_tx *tx, struct xfs_txbuf *b)
{
	assert(((struct mblock *)b)->tx == tx);
	((struct mblock *)b)->hold = true;
}

int xfs_tx_new_inodes(struct xfs_tx *tx, u32 agno, u32 agb, u32 count, u32 blocks, u32 gen)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u32 cluster = min(xfs_cluster_blocks(sb), blocks), per = cluster << sb->inopblog;

	assert(count && count == blocks << sb->inopblog && !(blocks % cluster));
	for (u32 i = 0; i < count; i++) {
		struct xfs_txbuf *b;
		struct xfs_dinode *d;
		int e = xfs_tx_get(tx, XFS_BLK_INODES,
				   xfs_agb_daddr(sb, agno,
						 agb + (i >> sb->inopblog) / cluster * cluster),
				   cluster << (sb->blocklog - 9), i % per ? 0 : XFS_GET_NEW, &b);

		assert(!e);
		d = (struct xfs_dinode *)(void *)(b->data + (size_t)(i % per) * sb->inodesize);
		d->magic = be16_make(XFS_DI_MAGIC);
		d->version = 3;
		d->gen = be32_make(gen);
		d->next_unlinked = be32_make(XFS_NULL32);
		d->ino = be64_make(xfs_ino_make(sb, agno, (agb << sb->inopblog) + i));
		memcpy(d->uuid, sb->meta_uuid, XFS_UUID_SIZE);
		xfs_inode_stamp(sb, (u8 *)d);
		if (i % per == per - 1)
			xfs_tx_log_all(tx, b);
	}
	return 0;
}

int xfs_tx_write(struct xfs_tx *tx, enum xfs_kind kind, const struct xfs_run *runs, u32 n,
		 const u8 *data)
{
	struct memtx *m = memtx_of(tx);
	struct xfs_fault f = { 0 };
	u32 len = memtx_runs_len(runs, n);
	u8 *p = xfs_mem(len);
	int e;

	assert(memtx_runs_ok(m, runs, n));
	for (u32 i = 0; i < n; i++)
		assert(!memtx_marked(m->locked, runs[i].daddr, runs[i].bbs));
	memcpy(p, data, len);
	xfs_block_stamp(&m->fs.vol.sb, kind, p, len, 0);
	e = xfs_verify(&m->fs.vol.sb, kind, runs[0].daddr, p, len, &f);
	if (e)
		m->fs.vol.report(&m->fs.vol, &f);
	assert(!e);
	memtx_image_write(m, runs, n, p);
	free(p);
	return 0;
}

/* ---- transactions ---- */

static struct muse *use_of(struct memtx *m, const char *op)
{
	struct muse *u = m->uses;

	while (u && strcmp(u->op, op))
		u = u->next;
	if (u)
		return u;
	u = xfs_mem(sizeof(*u));
	u->op = op;
	u->next = m->uses;
	m->uses = u;
	return u;
}

struct xfs_tx *memtx_begin(struct xfs_fs *fs, u32 blocks, const char *op)
{
	struct memtx *m = (struct memtx *)fs;
	struct mtx *t;

	assert(!m->shut);
	if (blocks > m->free)
		return NULL;
	m->free -= blocks;
	m->open++;
	t = xfs_mem(sizeof(*t));
	t->tx.fs = fs;
	t->tx.blocks = t->reserved = blocks;
	t->use = use_of(m, op);
	INIT_LIST_HEAD(&t->tx.work);
	INIT_LIST_HEAD(&t->blocks);
	INIT_LIST_HEAD(&t->inodes);
	return &t->tx;
}

/* Bytes of the log that a changed block takes. */
static u32 count_logged(const struct mblock *b)
{
	u32 bytes = OP_HEAD + BUF_HEAD;

	for (u32 i = 0; i <= b->b.len / CHUNK; i++) {
		if (b->logged[i])
			bytes += CHUNK + (i && b->logged[i - 1] ? 0 : OP_HEAD);
	}
	return bytes;
}

/* Only what was logged differs from what it was. */
static void check_logged(const struct mblock *b)
{
	for (u32 i = 0; i * CHUNK < b->b.len; i++) {
		u32 n = b->b.len - i * CHUNK < CHUNK ? b->b.len - i * CHUNK : CHUNK;

		assert(b->logged[i] || !memcmp(b->before + i * CHUNK, b->b.data + i * CHUNK, n));
	}
}

/* As trans/ does: inodes with changed bytes. */
static void stamp_inodes(const struct xfs_sb *sb, struct mblock *b)
{
	for (u32 i = 0; i < b->b.len / CHUNK; i++)
		if (b->logged[i])
			xfs_inode_stamp(sb, b->b.data + i * CHUNK / sb->inodesize * sb->inodesize);
}

static void commit_block(struct memtx *m, struct mblock *b)
{
	struct xfs_fault f = { 0 };
	int e;

	if (b->killed || !was_logged(b)) {
		if (!b->killed)
			check_logged(b);
		return;
	}
	check_logged(b);
	if (b->b.kind == XFS_BLK_INODES)
		stamp_inodes(&m->fs.vol.sb, b);
	xfs_block_stamp(&m->fs.vol.sb, (enum xfs_kind)b->b.kind, b->b.data, b->b.len, 0);
	e = xfs_verify(&m->fs.vol.sb, (enum xfs_kind)b->b.kind, b->b.daddr, b->b.data, b->b.len,
		       &f);
	if (e)
		m->fs.vol.report(&m->fs.vol, &f);
	if (e && m->damaged) {
		m->shut = true;
		return;
	}
	assert(!e);
	memtx_image_write(m, b->runs, b->nr, b->b.data);
}

static void keep_held(struct mblock *b)
{
	memcpy(b->before, b->b.data, b->b.len);
	memset(b->logged, 0, b->b.len / CHUNK + 1);
	b->hold = false;
	b->got = 1;
}

/* What both ends of a transaction and a roll do. */
static void commit_part(struct mtx *t, bool roll)
{
	struct memtx *m = memtx_of(&t->tx);
	struct mblock *b, *next;
	u32 bytes = t->item_bytes;

	list_for_each_entry_safe(b, next, &t->blocks, node) {
		if (!b->killed && was_logged(b))
			bytes += count_logged(b);
		else if (b->killed)
			bytes += OP_HEAD + BUF_HEAD;
		commit_block(m, b);
		if (roll && b->hold && !b->killed)
			keep_held(b);
		else
			drop_block(m, b);
	}
	bytes += memtx_commit_inodes(t);
	t->use->count++;
	if (bytes > t->use->bytes)
		t->use->bytes = bytes;
	t->item_bytes = 0;
	m->fs.vol.sb.fdblocks += (u64)t->tx.fdblocks;
	m->fs.vol.sb.icount += (u64)t->tx.icount;
	m->fs.vol.sb.ifree += (u64)t->tx.ifree;
	m->free += (u64)t->tx.fdblocks;
	assert(t->tx.blocks <= t->reserved || t->tx.refill);
	m->free += (u64)t->reserved - t->tx.blocks;	/* used ones are in fdblocks */
	if (t->tx.blocks < t->reserved && t->reserved - t->tx.blocks > t->use->blocks)
		t->use->blocks = t->reserved - t->tx.blocks;
	t->reserved = t->tx.blocks;
	t->tx.fdblocks = t->tx.icount = t->tx.ifree = 0;
	t->tx.lowest = t->highest = 0;
	t->tx.dirty = false;
	memtx_intents_commit(m, &t->tx);
	memtx_busy_commit(m, &t->tx);
}

static void end_tx(struct mtx *t)
{
	struct memtx *m = memtx_of(&t->tx);

	m->free += t->tx.blocks;
	m->open--;
	memtx_drop_inodes(t);
	free(t);
}

int xfs_tx_roll(struct xfs_tx *tx)
{
	commit_part(mtx_of(tx), true);
	return memtx_of(tx)->shut ? -EIO : 0;
}

void memtx_commit(struct xfs_tx *tx)
{
	int e = list_empty(&tx->work) ? 0 : xfs_defer_finish(tx);

	if (e && memtx_of(tx)->damaged) {
		memtx_cancel_dirty(tx);
		return;
	}
	assert(!e);
	commit_part(mtx_of(tx), false);
	end_tx(mtx_of(tx));
}

void memtx_cancel(struct xfs_tx *tx)
{
	struct mblock *b, *next;

	assert(!tx->dirty && list_empty(&tx->work) && list_empty(&mtx_of(tx)->inodes));
	assert(!tx->fdblocks && !tx->icount && !tx->ifree && tx->blocks == mtx_of(tx)->reserved);
	list_for_each_entry_safe(b, next, &mtx_of(tx)->blocks, node) {
		check_logged(b);
		drop_block(memtx_of(tx), b);
	}
	end_tx(mtx_of(tx));
}

void memtx_cancel_dirty(struct xfs_tx *tx)
{
	struct mblock *b, *next;

	if (tx->dirty)
		memtx_of(tx)->shut = true;
	xfs_defer_drop(tx);
	list_for_each_entry_safe(b, next, &mtx_of(tx)->blocks, node)
		drop_block(memtx_of(tx), b);
	end_tx(mtx_of(tx));
}

u64 memtx_free(struct xfs_fs *fs)
{
	return ((struct memtx *)fs)->free;
}

unsigned long memtx_faults(struct xfs_fs *fs, bool quiet)
{
	((struct memtx *)fs)->quiet = quiet;
	return ((struct memtx *)fs)->faults;
}

void memtx_print_use(struct xfs_fs *fs)
{
	for (struct muse *u = ((struct memtx *)fs)->uses; u; u = u->next)
		printf("%-16s %6u transactions, at most %4u blocks, %6u bytes\n", u->op, u->count,
		       u->blocks, u->bytes);
}

u32 memtx_most_bytes(struct xfs_fs *fs, const char *op)
{
	return use_of((struct memtx *)fs, op)->bytes;
}

void memtx_damaged(struct xfs_fs *fs)
{
	((struct memtx *)fs)->damaged = true;
}

bool memtx_is_shut(struct xfs_fs *fs)
{
	return ((struct memtx *)fs)->shut;
}
