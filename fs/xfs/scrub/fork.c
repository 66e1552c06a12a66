// SPDX-License-Identifier: MIT
/*
 * Ways over all extents of a fork, in the inode or in a tree, which nobody changes, as the inode is
 * locked. Levels descend; each block of a level is where the one before says that it is, and begins
 * with the number that the block above has.
 */
#include "fs/xfs/scrub/scrub.h"
#include <alloc/slab.h>
#include <sched/task.h>

#define ROOM(sb) (((sb)->blocksize - (u32)sizeof(struct xfs_dbt_long)) / 16)

struct level {
	struct xfs_blk blk;		/* data NULL: none */
	u32 at, n;
	u64 before, before_right;	/* of this level, visited before */
	bool some;			/* there was one */
};

struct walk {
	struct xfs_scrub *sc;
	struct xfs_scrub_fork *f;
	struct xfs_fork k;
	u32 root;			/* its level */
	u64 end;			/* behind the extents before */
	u64 tree;			/* blocks of the tree */
	struct level lv[XFS_BT_MAXLEVELS];
};

static int extent(struct walk *w, const struct xfs_ext *x)
{
	if (!xfs_ext_ok(&w->sc->mp->fs.vol.sb, x) || x->off < w->end ||
	    ++w->f->exts > w->k.nextents)
		return -XFS_CORRUPT;
	if (fatal_signal_pending(current))
		return -EINTR;
	w->end = x->off + x->count;
	w->f->blocks += x->count;
	return w->f->ext ? w->f->ext(w->sc, x, w->f->ctx) : 0;
}

static int in_inode(struct walk *w)
{
	struct xfs_ext x;
	int e = 0;

	for (u64 i = 0; !e && i < w->k.nextents; i++) {
		xfs_ext_get(w->k.data + (size_t)i * 16, &x);
		e = extent(w, &x);
	}
	return e;
}

static u64 first_of(const struct level *l, u32 level)
{
	struct xfs_ext x;

	if (level)
		return xfs_bmbt_key_at(l->blk.data, 0);
	xfs_bmbt_ext_at(l->blk.data, 0, &x);
	return x.off;
}

/* The block at LEVEL, below one that says that it begins with KEY. */
static bool place_ok(struct walk *w, u32 level, u64 fsb, u64 key)
{
	struct level *l = &w->lv[level];
	struct xfs_bt_block h;

	xfs_bmbt_head(l->blk.data, &h);
	l->n = h.numrecs;
	if (h.level != level || h.owner != xfs_scrub_node(w->sc)->core.ino || !h.numrecs ||
	    h.numrecs > ROOM(&w->sc->mp->fs.vol.sb) || first_of(l, level) != key ||
	    h.left != (l->some ? l->before : XFS_NULL64) || (l->some && l->before_right != fsb))
		return false;
	/* Those below the root need not be half full. */
	if (level + 1 < w->root && h.numrecs < ROOM(&w->sc->mp->fs.vol.sb) / 2)
		return false;
	l->some = true;
	l->before = fsb;
	l->before_right = h.right;
	return true;
}

static void leave(struct walk *w, u32 level)
{
	struct level *l = &w->lv[level];

	if (l->blk.data)
		xfs_buf_put(&w->sc->mp->cache, &l->blk);
	l->blk.data = NULL;
}

static int enter(struct walk *w, u32 level, u64 fsb, u64 key)
{
	const struct xfs_sb *sb = &w->sc->mp->fs.vol.sb;
	struct level *l = &w->lv[level];
	struct xfs_run run = { 0, sb->blocksize / XFS_SECTOR };
	int e;

	if (!xfs_fsb_ok(sb, fsb, 1) || ++w->tree > sb->dblocks)
		return -XFS_CORRUPT;
	run.daddr = xfs_fsb_daddr(sb, fsb);
	e = xfs_scrub_get_block(w->sc, XFS_BLK_BMBT, &run, 1, &l->blk);
	if (e) {
		l->blk.data = NULL;
		return e;
	}
	l->at = 0;
	if (!place_ok(w, level, fsb, key))
		return -XFS_CORRUPT;
	return w->f->block ? w->f->block(w->sc, fsb, w->f->ctx) : 0;
}

/* One step in the block at *LEVEL, which the root is not. */
static int step(struct walk *w, u32 *level)
{
	struct level *l = &w->lv[*level];
	struct xfs_ext x;
	int e;

	if (l->at == l->n) {
		leave(w, (*level)++);
		return 0;
	}
	if (!*level) {
		xfs_bmbt_ext_at(l->blk.data, l->at++, &x);
		return extent(w, &x);
	}
	cond_resched();
	e = enter(w, *level - 1, xfs_bmbt_ptr_at(&w->sc->mp->fs.vol.sb, l->blk.data, l->at),
		  xfs_bmbt_key_at(l->blk.data, l->at));
	l->at++;
	--*level;
	return e;
}

static int in_tree(struct walk *w)
{
	u32 n;
	int e = 0;

	xfs_bmdr_head(&w->k, &w->root, &n);
	if (!w->root || w->root >= XFS_BT_MAXLEVELS)
		return -XFS_CORRUPT;
	for (u32 i = 0; !e && i < n; i++) {
		u32 level = w->root - 1;

		e = enter(w, level, xfs_bmdr_ptr_at(&w->k, i), xfs_bmdr_key_at(&w->k, i));
		while (!e && level < w->root)
			e = step(w, &level);
	}
	for (u32 i = 0; i < w->root; i++) {
		leave(w, i);
		if (!e && w->lv[i].some && w->lv[i].before_right != XFS_NULL64)
			e = -XFS_CORRUPT;
	}
	w->f->blocks += w->tree;
	return e;
}

int xfs_scrub_walk_fork(struct xfs_scrub *sc, struct xfs_scrub_fork *f)
{
	const struct xfs_node *n = xfs_scrub_node(sc);
	struct walk *w;
	int e = 0;

	f->exts = f->blocks = 0;
	w = kzalloc(sizeof(*w), GFP_NOFS);
	if (!w)
		return -ENOMEM;
	w->sc = sc;
	w->f = f;
	if (xfs_fork_of(&sc->mp->fs.vol.sb, &n->core, n->literal, f->attr, &w->k)) {
		if (w->k.format == XFS_FMT_EXTENTS)
			e = in_inode(w);
		else if (w->k.format == XFS_FMT_BTREE)
			e = in_tree(w);
		if (!e && f->exts != w->k.nextents)
			e = -XFS_CORRUPT;
	}
	kfree(w);
	return e;
}
