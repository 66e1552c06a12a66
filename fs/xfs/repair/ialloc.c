// SPDX-License-Identifier: MIT
/*
 * Both trees of inodes: the blocks that the tree of owners says to be inodes are read, and each
 * inode says whether it is in use; of those in memory, memory says it.
 */
#include "fs/xfs/repair/repair.h"
#include "fs/xfs/inode/inode.h"
#include <lib/minmax.h>

struct ialloc {
	struct xfs_repair *r;
	struct xfs_list all, free;	/* records, as the disk has them in two numbers */
	u32 start;			/* the chunk's first inode */
	u64 there, used;		/* the chunk's; THERE 0: there is none */
	u32 inodes, unused;
};

static int stash(struct ialloc *a)
{
	bool sparse = a->r->sb->incompat & XFS_IN_SPINODES;
	u32 n = (u32)__builtin_popcountll(a->there), nfree;
	u64 mask = ~a->used, head = 0;
	int e;

	if (!a->there)
		return 0;
	nfree = (u32)__builtin_popcountll(mask & a->there);
	for (u32 i = 0; i < 16; i++)
		if (!(a->there >> i * 4 & 1))
			head |= 1ull << i;
	if (head && !sparse)
		return -XFS_CORRUPT;
	head = sparse ? head << 16 | n << 8 | nfree : nfree;
	head |= (u64)a->start << 32;
	a->inodes += n;
	a->unused += nfree;
	a->there = a->used = 0;
	e = xfs_list_add(&a->all, head);
	e = e ?: xfs_list_add(&a->all, mask);
	if (!e && nfree)
		e = xfs_list_add(&a->free, head) ?: xfs_list_add(&a->free, mask);
	return e;
}

/* Inode AGINO, whose record is P, or by what memory says. */
static int look(struct ialloc *a, u32 agino, const u8 *p)
{
	struct xfs_repair *r = a->r;
	u64 ino = xfs_ino_make(r->sb, r->ag->agno, agino);
	const struct xfs_dinode *d = (const void *)p;
	u16 mode = be16_get(d->mode);

	if (be16_get(d->magic) != XFS_DI_MAGIC || d->version != 3 || be64_get(d->ino) != ino ||
	    memcmp(d->uuid, r->sb->meta_uuid, XFS_UUID_SIZE))
		return -XFS_CORRUPT;
	(void)xfs_ino_mode_in_memory(&r->mp->fs, ino, &mode);
	if (agino - a->start >= 64)
		return -XFS_CORRUPT;
	a->there |= 1ull << (agino - a->start);
	a->used |= mode ? 1ull << (agino - a->start) : 0;
	return 0;
}

/* The cluster of blocks that begins at AGB. */
static int look_at_cluster(struct ialloc *a, u32 agb, u32 blocks)
{
	struct xfs_repair *r = a->r;
	struct xfs_run run = { xfs_agb_daddr(r->sb, r->ag->agno, agb),
			       blocks * (r->sb->blocksize / XFS_SECTOR) };
	bool sparse = r->sb->incompat & XFS_IN_SPINODES;
	u32 agino = agb << r->sb->inopblog, n = blocks << r->sb->inopblog;
	struct xfs_blk b;
	int e = xfs_scrub_get_block(&r->sc, XFS_BLK_INODES, &run, 1, &b);

	if (e)
		return e;
	for (u32 i = 0; !e && i < n; i++) {
		if (!a->there || agino + i - a->start >= 64) {
			e = stash(a);
			a->start = sparse ? (agino + i) & ~63u : agino + i;
		}
		e = e ?: look(a, agino + i, (const u8 *)b.data + ((size_t)i << r->sb->inodelog));
	}
	xfs_buf_put(&r->mp->cache, &b);
	return e;
}

static int look_at_all(struct ialloc *a)
{
	u32 per = xfs_cluster_blocks(a->r->sb);
	int e = 0;

	for (u32 i = 0; !e && i < a->r->inodes.n; i++) {
		u32 agb = (u32)(a->r->inodes.v[i] >> 32), len = (u32)a->r->inodes.v[i];

		if (agb % per || len % per)
			return -XFS_CORRUPT;
		for (u32 k = 0; !e && k < len; k += per)
			e = look_at_cluster(a, agb + k, per);
	}
	return e ?: stash(a);
}

/* The blocks of both old trees are all that their owner has. */
static void set_roots(struct ialloc *a, const struct xfs_new_tree *ino,
		      const struct xfs_new_tree *fino)
{
	struct xfs_repair *r = a->r;
	struct xfs_dagi *d = (struct xfs_dagi *)r->agi->data;
	bool counted = r->sb->ro_compat & XFS_RO_INOBTCNT;

	d->root = be32_make(ino->root);
	d->level = be32_make(ino->levels);
	d->free_root = be32_make(fino->root);
	d->free_level = be32_make(fino->levels);
	d->iblocks = be32_make(counted ? ino->blocks : 0);
	d->fblocks = be32_make(counted ? fino->blocks : 0);
	d->count = be32_make(a->inodes);
	d->freecount = be32_make(a->unused);
	xfs_tx_log_all(r->tx, r->agi);
	r->tx->icount += (s64)a->inodes - r->ag->inodes;
	r->tx->ifree += (s64)a->unused - r->ag->freeinodes;
	r->ag->inodes = a->inodes;
	r->ag->freeinodes = a->unused;
}

static int switch_roots(struct ialloc *a, const struct xfs_new_tree *ino,
			const struct xfs_new_tree *fino, u32 had_free)
{
	struct xfs_repair *r = a->r;
	const struct xfs_owner owner = { XFS_OWN_INOBT, 0, false };
	struct xfs_agop op;
	int e;

	xfs_agop_open(&op, r->tx, r->ag->agno, r->agf);
	e = xfs_own_pieces(r, &op, &owner);
	xfs_agop_close(&op);
	r->tx->fdblocks -= ino->blocks + fino->blocks;
	xfs_ag_use_kept(r->tx, r->ag, (s32)(fino->blocks - had_free));
	set_roots(a, ino, fino);
	swap(r->inobt, r->old);
	r->old_owner = XFS_OWN_INOBT;
	return e ?: xfs_reap(r);
}

int xfs_repair_ialloc(struct xfs_repair *r)
{
	bool free = xfs_scrub_has(&r->sc, XFS_BT_FINO);
	struct ialloc a = { .r = r };
	struct xfs_new_tree ino = { .kind = XFS_BT_INO, .recs = &a.all },
			    fino = { .kind = XFS_BT_FINO, .recs = &a.free };
	u32 had = be32_get(((const struct xfs_dagi *)r->agi->data)->fblocks);
	int e = xfs_gather_owners(r);

	e = e ?: xfs_repair_space_ok(r);
	e = e ?: look_at_all(&a);
	ino.n = a.all.n / 2;
	fino.n = a.free.n / 2;
	xfs_new_tree_size(r, &ino);
	if (free)
		xfs_new_tree_size(r, &fino);
	e = e ?: xfs_pick_blocks(r, ino.blocks + fino.blocks, true);
	e = e ?: xfs_load_tree(r, &ino);
	if (!e && free)
		e = xfs_load_tree(r, &fino);
	e = e ?: bdev_flush(r->mp->sb->s_bdev);
	e = e	  ?:
		    switch_roots(&a, &ino, &fino,
				 r->sb->ro_compat & XFS_RO_INOBTCNT ? had : fino.blocks);
	xfs_list_free(&a.all);
	xfs_list_free(&a.free);
	return e;
}
