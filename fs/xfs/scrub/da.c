// SPDX-License-Identifier: MIT
/*
 * Ways over the tree of hashes of a directory or of attributes, whose inode is locked. Levels
 * descend, and each block of a level is where the one before says that it is.
 */
#include "fs/xfs/scrub/scrub.h"
#include "fs/xfs/format/da.h"
#include <alloc/slab.h>
#include <sched/task.h>

struct level {
	struct xfs_blk blk;		/* data NULL: none */
	u32 at, n;
	u32 before, before_right;	/* of this level, visited before */
	bool some;			/* there was one */
};

struct walk {
	struct xfs_scrub *sc;
	const struct xfs_scrub_da *d;
	u32 root;			/* its level; 0: it is a leaf */
	struct level lv[XFS_DA_MAXLEVELS + 1];
};

int xfs_scrub_da_block(struct xfs_scrub *sc, bool attr, enum xfs_kind kind, u32 off,
		       struct xfs_blk *out)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;

	if (fatal_signal_pending(current))
		return -EINTR;
	out->data = NULL;
	return xfs_get_mapped(sc->vol, xfs_scrub_node(sc), attr, kind, off,
			      attr ? 1 : 1u << sb->dirblklog, out);
}

static void leave(struct walk *w, u32 level)
{
	if (w->lv[level].blk.data)
		w->sc->vol->put(w->sc->vol, &w->lv[level].blk);
	w->lv[level].blk.data = NULL;
}

static int read_block(struct walk *w, u32 off, struct xfs_blk *b)
{
	const struct xfs_sb *sb = &w->sc->mp->fs.vol.sb;

	if (!w->d->attr &&
	    (off < XFS_DIR_LEAF_START >> sb->blocklog || off >= XFS_DIR_FREE_START >> sb->blocklog))
		return -XFS_CORRUPT;
	return xfs_scrub_da_block(w->sc, w->d->attr, w->d->attr ? XFS_BLK_ATTR : XFS_BLK_DIR_HASH,
				  off, b);
}

/* The block OFF at LEVEL, whose last hash is LIMIT by the node above (NULL: the root). */
static bool place_ok(struct walk *w, u32 level, u32 off, const u32 *limit)
{
	struct level *l = &w->lv[level];
	const struct xfs_dda *h = l->blk.data;

	if (be64_get(h->owner) != xfs_scrub_node(w->sc)->core.ino || be16_get(h->pad) ||
	    be32_get(h->back) != (l->some ? l->before : 0) || (l->some && l->before_right != off))
		return false;
	l->some = true;
	l->before = off;
	l->before_right = be32_get(h->forw);
	if (!level)
		return xfs_da_magic(h) != XFS_DA_NODE_MAGIC;
	if (xfs_da_magic(h) != XFS_DA_NODE_MAGIC || xfs_da_level(h) != level)
		return false;
	l->n = xfs_da_count(h);
	return !limit || be32_get(xfs_da_ents(h)[l->n - 1].hash) == *limit;
}

static int arrived(struct walk *w, u32 level, u32 off, const u32 *limit)
{
	if (!place_ok(w, level, off, limit))
		return -XFS_CORRUPT;
	w->lv[level].at = 0;
	return level ? 0 : w->d->leaf(w->sc, w->lv[0].blk.data, limit, w->d->ctx);
}

static int below(struct walk *w, u32 *level)
{
	struct level *l = &w->lv[*level];
	const struct xfs_dda_ent *ent = xfs_da_ents(l->blk.data) + l->at++;
	u32 off = be32_get(ent->before), limit = be32_get(ent->hash);
	int e = read_block(w, off, &w->lv[*level - 1].blk);

	if (e == -ENOENT)
		return -XFS_CORRUPT;
	--*level;
	cond_resched();
	return e ?: arrived(w, *level, off, &limit);
}

static int go(struct walk *w, struct xfs_blk *root, u32 off)
{
	u32 level = 0;
	int e;

	if (xfs_da_magic(root->data) == XFS_DA_NODE_MAGIC)
		level = xfs_da_level(root->data);
	w->root = level;
	w->lv[level].blk = *root;
	e = arrived(w, level, off, NULL);
	while (!e && w->root) {
		if (level && w->lv[level].at < w->lv[level].n) {
			e = below(w, &level);
			continue;
		}
		leave(w, level);
		if (level++ == w->root)
			break;
	}
	for (u32 i = 0; i <= w->root; i++) {
		leave(w, i);
		if (!e && w->lv[i].some && w->lv[i].before_right)
			e = -XFS_CORRUPT;
	}
	return e;
}

int xfs_scrub_walk_da(struct xfs_scrub *sc, const struct xfs_scrub_da *d)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	u32 off = d->attr ? 0 : (u32)(XFS_DIR_LEAF_START >> sb->blocklog);
	struct walk *w = kzalloc(sizeof(*w), GFP_NOFS);
	struct xfs_blk root;
	int e;

	if (!w)
		return -ENOMEM;
	w->sc = sc;
	w->d = d;
	e = read_block(w, off, &root);
	if (!e)
		e = go(w, &root, off);
	kfree(w);
	return e;
}
