// SPDX-License-Identifier: MIT
/* See memtx.h. This file: inodes, busy blocks, intents. */
#include <stdlib.h>
#include "fs/xfs/tx/test/memtx_priv.h"

/* ---- inodes ---- */

static void remember(struct mino *i)
{
	memcpy(i->before, i->literal, sizeof(i->before));
	i->core = i->ip.node.core;
}

static bool differs(const struct mino *i)
{
	u8 a[2048 + 176] = { 0 }, b[2048 + 176] = { 0 };
	const struct xfs_sb *sb = &i->ip.fs->vol.sb;

	xfs_inode_encode(sb, &i->core, i->before, a);
	xfs_inode_encode(sb, &i->ip.node.core, i->literal, b);
	return memcmp(a, b, sb->inodesize);
}

struct xfs_ino *memtx_iget(struct xfs_fs *fs, u64 ino)
{
	struct memtx *m = (struct memtx *)fs;
	struct mino *i = m->inodes;
	int e;

	while (i && i->core.ino != ino)
		i = i->next;
	if (i && !i->tx && !i->core.mode) {	/* its chunk may be another one since */
		e = xfs_node_read(&fs->vol, ino, i->literal, &i->ip.node);
		assert(!e || e == -ESTALE);
		remember(i);
	}
	if (i)
		return &i->ip;
	i = xfs_mem(sizeof(*i));
	i->ip.fs = fs;
	e = xfs_node_read(&fs->vol, ino, i->literal, &i->ip.node);
	if (e && e != -ESTALE) {
		free(i);
		return NULL;
	}
	if (e)
		i->ip.node.core.mode = 0;
	i->ip.node.core.ino = ino;
	remember(i);
	i->next = m->inodes;
	m->inodes = i;
	return &i->ip;
}

struct xfs_ino *xfs_ino_in_memory(struct xfs_fs *fs, u64 ino)
{
	struct mino *i = ((struct memtx *)fs)->inodes;

	while (i && i->ip.node.core.ino != ino)
		i = i->next;
	return i ? &i->ip : NULL;
}

void xfs_tx_inode(struct xfs_tx *tx, struct xfs_ino *ip, u32 fields)
{
	struct mino *i = (struct mino *)ip;

	assert(!i->tx || i->tx == tx);
	if (!i->tx)
		list_add_tail(&i->node, &((struct mtx *)tx)->inodes);
	i->tx = tx;
	i->fields |= fields;
	tx->dirty = true;
}

/* Bytes in which the forks of BEFORE and now differ were logged. */
static void check_fields(const struct mino *i)
{
	const struct xfs_core *c = &i->ip.node.core;
	u32 all = xfs_literal_size(&i->ip.fs->vol.sb), off = c->forkoff ? c->forkoff : all;

	if (!c->mode)
		return;
	if (memcmp(i->before, i->literal, off))
		assert(i->fields & (XFS_LI_DDATA | XFS_LI_DEXT | XFS_LI_DBROOT | XFS_LI_DEV));
	if (off < all && memcmp(i->before + off, i->literal + off, all - off))
		assert(i->fields & (XFS_LI_ADATA | XFS_LI_AEXT | XFS_LI_ABROOT));
}

static u32 commit_inode(struct memtx *m, struct mino *i)
{
	const struct xfs_sb *sb = &m->fs.vol.sb;
	u64 ino = i->core.ino, block = xfs_fsb_daddr(sb, ino >> sb->inopblog) * XFS_SECTOR;
	u64 at = block + ((ino & ((1u << sb->inopblog) - 1)) << sb->inodelog);
	struct xfs_run run = { at / XFS_SECTOR, sb->inodesize / XFS_SECTOR };
	struct xfs_fault f = { 0 };
	struct xfs_core c;
	u8 p[2048];
	u32 bytes = 12 + 56 + 12 + (u32)sizeof(struct xfs_dinode);
	int e;

	/* A damaged fork may have bytes behind its extents, of which nothing needs to be logged. */
	if (!m->damaged)
		check_fields(i);
	memcpy(p, m->map + at, sb->inodesize);
	xfs_inode_encode(sb, &i->ip.node.core, i->literal, p);
	e = xfs_inode_decode(sb, ino, p, &c, &f);
	if (e && e != -ESTALE)
		m->fs.vol.report(&m->fs.vol, &f);
	assert(!e || (e == -ESTALE && !i->ip.node.core.mode));
	memtx_image_write(m, &run, 1, p);
	if (i->fields & ~(u32)XFS_LI_CORE)
		bytes += 24 + xfs_literal_size(sb);
	i->fields = 0;
	remember(i);
	return bytes;
}

u32 memtx_commit_inodes(struct mtx *t)
{
	struct memtx *m = (struct memtx *)t->tx.fs;
	struct mino *i;
	u32 bytes = 0;

	list_for_each_entry(i, &t->inodes, node)
		if (i->fields)
			bytes += commit_inode(m, i);
	for (i = m->inodes; i; i = i->next)
		assert((i->tx && i->tx != &t->tx) || !differs(i));
	return bytes;
}

void memtx_drop_inodes(struct mtx *t)
{
	struct mino *i, *next;

	list_for_each_entry_safe(i, next, &t->inodes, node) {
		list_del(&i->node);
		i->tx = NULL;
		i->fields = 0;
	}
}

/* ---- busy blocks ---- */

void xfs_tx_busy(struct xfs_tx *tx, u32 agno, u32 agb, u32 len, bool keep)
{
	struct memtx *m = (struct memtx *)tx->fs;
	struct mbusy *b;

	assert(len && agno < m->fs.vol.sb.agcount && agb + len <= m->fs.ags[agno].length);
	for (b = m->busy; b; b = b->next)
		assert(b->agno != agno || agb >= b->agb + b->len || b->agb >= agb + len ||
		       m->damaged);
	b = xfs_mem(sizeof(*b));
	*b = (struct mbusy){ m->busy, agno, agb, len, 0, keep, tx };
	m->busy = b;
}

/* The first part of the LEN blocks at AGB that is busy. */
static const struct mbusy *first_busy(const struct memtx *m, u32 agno, u32 agb, u32 len, bool again)
{
	const struct mbusy *found = NULL;

	for (const struct mbusy *b = m->busy; b; b = b->next)
		if (b->agno == agno && b->agb < agb + len && agb < b->agb + b->len &&
		    !(again && b->keep) && (!found || b->agb < found->agb))
			found = b;
	return found;
}

u32 xfs_busy_trim(struct xfs_fs *fs, u32 agno, u32 *agb, u32 len, bool used_again)
{
	struct memtx *m = (struct memtx *)fs;
	u32 at = *agb, end = at + len, best = 0;

	while (at < end) {
		const struct mbusy *b = first_busy(m, agno, at, end - at, used_again);
		u32 n = !b ? end - at : b->agb > at ? b->agb - at : 0;

		if (n > best) {
			best = n;
			*agb = at;
		}
		at = b ? b->agb + b->len : end;
	}
	return best;
}

static void add_rest(struct memtx *m, const struct mbusy *of, u32 agb, u32 end)
{
	struct mbusy *b;

	if (agb >= end)
		return;
	b = xfs_mem(sizeof(*b));
	*b = *of;
	b->agb = agb;
	b->len = end - agb;
	b->next = m->busy;
	m->busy = b;
}

void xfs_tx_unbusy(struct xfs_tx *tx, u32 agno, u32 agb, u32 len)
{
	struct memtx *m = (struct memtx *)tx->fs;
	struct mbusy **at = &m->busy;

	while (*at) {
		struct mbusy *b = *at;

		if (b->agno != agno || b->agb >= agb + len || agb >= b->agb + b->len) {
			at = &b->next;
			continue;
		}
		assert(b->keep || m->damaged);
		*at = b->next;
		add_rest(m, b, b->agb, agb);
		add_rest(m, b, agb + len, b->agb + b->len);
		free(b);
		at = &m->busy;
	}
}

u32 xfs_busy_ended(struct xfs_fs *fs, u32 agno)
{
	(void)agno;
	return ((struct memtx *)fs)->ended;
}

int xfs_busy_wait(struct xfs_tx *tx, u32 agno, u32 ended)
{
	struct memtx *m = (struct memtx *)tx->fs;
	struct mbusy **at = &m->busy;

	while (*at) {
		struct mbusy *b = *at;

		if (b->agno != agno || b->tx) {
			at = &b->next;
			continue;
		}
		*at = b->next;
		free(b);
		m->ended++;
	}
	return m->ended != ended ? 0 : -EAGAIN;
}

void memtx_busy_commit(struct memtx *m, struct xfs_tx *tx)
{
	m->commits++;
	for (struct mbusy *b = m->busy; b; b = b->next)
		if (b->tx == tx) {
			b->tx = NULL;
			b->born = m->commits;
		}
	memtx_busy_expire(m, false);
}

void memtx_busy_expire(struct memtx *m, bool all)
{
	struct mbusy **at = &m->busy;

	while (*at) {
		struct mbusy *b = *at;

		if (b->tx || (!all && (m->busy_age == ~0u || m->commits - b->born < m->busy_age))) {
			at = &b->next;
			continue;
		}
		*at = b->next;
		free(b);
		m->ended++;
	}
}

void memtx_busy_age(struct xfs_fs *fs, u32 commits)
{
	((struct memtx *)fs)->busy_age = commits;
}

/* ---- intents ---- */

/* An item's regions, as the log would have them, are sound. */
static void check_item(struct mtx *t, const struct xfs_lpart *parts, u32 n, struct xfs_litem *it,
		       u8 *bytes, struct xfs_lregion *r)
{
	struct xfs_fault f = { 0 };
	const char *why = NULL;
	u32 at = 0;

	for (u32 i = 0; i < n; i++) {
		r[i] = (struct xfs_lregion){ at, parts[i].len };
		memcpy(bytes + at, parts[i].p, parts[i].len);
		at += parts[i].len;
	}
	assert(!xfs_litem_get(bytes, r, n, 0, it, &why, &f) && !why && it->n == n);
	t->item_bytes += at + 12 * n;
}

static u8 *item_room(const struct xfs_lpart *parts, u32 n)
{
	u32 len = 0;

	for (u32 i = 0; i < n; i++)
		len += parts[i].len;
	return xfs_mem(len);
}

struct xfs_intent *xfs_tx_intent(struct xfs_tx *tx, const struct xfs_lpart *parts, u32 n)
{
	struct memtx *m = (struct memtx *)tx->fs;
	struct xfs_intent *in = xfs_mem(sizeof(*in));
	struct xfs_lregion r[16];
	struct xfs_litem it;
	u8 *bytes = item_room(parts, n);

	assert(n <= 16);
	check_item((struct mtx *)tx, parts, n, &it, bytes, r);
	in->id = ++m->next_id;
	in->type = it.type;
	in->begun = tx;
	memcpy(bytes + 8, &in->id, sizeof(in->id));
	in->bytes = bytes;
	for (u32 i = 0; i < n; i++)
		in->len += parts[i].len;
	list_add_tail(&in->node, &m->intents);
	tx->dirty = true;
	return in;
}

void xfs_tx_done(struct xfs_tx *tx, struct xfs_intent *in, const void *head, u32 len)
{
	struct xfs_lpart part = { head, len };
	struct xfs_lregion r;
	struct xfs_litem it;
	u8 *bytes = item_room(&part, 1);

	assert(!in->done);
	check_item((struct mtx *)tx, &part, 1, &it, bytes, &r);
	assert(it.type == in->type + 1);
	in->done = tx;
	tx->dirty = true;
	free(bytes);
}

void memtx_intents_commit(struct memtx *m, struct xfs_tx *tx)
{
	struct xfs_intent *in, *next;

	list_for_each_entry_safe(in, next, &m->intents, node)
		if (in->done == tx) {
			list_del(&in->node);
			free(in->bytes);
			free(in);
		} else if (in->begun == tx) {
			in->begun = NULL;
		}
	memtx_cut_commit(m);
}

void memtx_free_rest(struct memtx *m)
{
	struct xfs_intent *in, *next;

	list_for_each_entry_safe(in, next, &m->intents, node) {
		free(in->bytes);
		free(in);
	}
	while (m->busy) {
		struct mbusy *b = m->busy;

		m->busy = b->next;
		free(b);
	}
	while (m->inodes) {
		struct mino *i = m->inodes;

		m->inodes = i->next;
		free(i);
	}
	while (m->uses) {
		struct muse *u = m->uses;

		m->uses = u->next;
		free(u);
	}
}
