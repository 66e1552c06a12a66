// SPDX-License-Identifier: MIT
/*
 * Copying on write (copies.h). Blocks of a copy are allocated when data come into the page cache,
 * so that a full disk refuses the write; the staging is in the log, so that recovery frees them if
 * the power goes. Writeback writes to them, and then they take the place of the file's blocks. A
 * block that was no other file's does not become one while data for it are in the page cache: who
 * shares (file/remap.c) locks the file, and has such data written first.
 *
 * The question which blocks are shared and the staging are two transactions, as the first locks an
 * AGF and the second may allocate in any AG. Memory is taken before anything is changed.
 */
#include "fs/xfs/inode/copies.h"
#include "fs/xfs/bmap/reflink.h"
#include "fs/xfs/inode/inode.h"
#include <alloc/slab.h>
#include <lib/minmax.h>

#define STAGE_MOST 256u			/* blocks at once */

struct copy {
	struct rb_node node;
	struct xfs_ext x;
};

static struct copy *copy_of(struct rb_node *n)
{
	return n ? rb_entry(n, struct copy, node) : NULL;
}

/* The first copy that ends behind OFF. */
static struct copy *at_or_after(const struct inode *inode, u64 off)
{
	struct rb_node *n = XFS_I(inode)->copies.node;
	struct copy *best = NULL;

	while (n) {
		struct copy *c = copy_of(n);

		if (c->x.off + c->x.count > off) {
			best = c;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

bool xfs_copy_find(const struct inode *inode, u64 off, struct xfs_ext *x)
{
	const struct copy *c = at_or_after(inode, off);

	if (c)
		*x = c->x;
	return c;
}

static void insert(struct inode *inode, struct copy *new)
{
	struct rb_root *root = &XFS_I(inode)->copies;
	struct rb_node **link = &root->node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = copy_of(parent)->x.off > new->x.off ? &parent->left : &parent->right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, root);
	xfs_map_changed(inode);
}

/* X, a part of C, is no copy any more. SPARE is used where C becomes two, and NULL then. */
static void cut(struct inode *inode, struct copy *c, const struct xfs_ext *x, struct copy **spare)
{
	u32 before = (u32)(x->off - c->x.off), after = c->x.count - before - x->count;

	if (before && after) {
		(*spare)->x =
			(struct xfs_ext){ x->off + x->count, x->fsb + x->count, after, false };
		insert(inode, *spare);
		*spare = NULL;
	}
	if (before) {
		c->x.count = before;
	} else if (after) {
		c->x = (struct xfs_ext){ x->off + x->count, x->fsb + x->count, after, false };
	} else {
		rb_erase(&c->node, &XFS_I(inode)->copies);
		kfree(c);
	}
	xfs_map_changed(inode);
}

/* ---- staging ---- */

/*
 * What OFF lies in, li->lock held. *N of COUNT blocks are of one kind; *X is what the file has
 * there, with fsb 0 where nothing need be copied.
 */
static int look(struct inode *inode, u64 off, u64 count, struct xfs_ext *x, u64 *n)
{
	struct xfs_map m;
	struct xfs_ext c;
	int e;

	*x = (struct xfs_ext){ off, 0, 0, false };
	*n = min(count, (u64)STAGE_MOST);
	if (xfs_copy_find(inode, off, &c)) {
		if (c.off <= off) {
			*n = min(*n, c.off + c.count - off);
			return 0;
		}
		*n = min(*n, c.off - off);
	}
	e = xfs_bmap(&XFS_M(inode->i_sb)->fs.vol, xfs_node_of(inode), false, off, &m);
	if (e)
		return e;
	*n = min(*n, m.off + m.count - off);
	if (m.type == XFS_MAP_DATA)
		*x = (struct xfs_ext){ off, m.fsb + (off - m.off), (u32)*n, false };
	return 0;
}

/* *N blocks of X's begin are shared, or, with X's fsb 0, are not. */
static int ask(struct inode *inode, u64 off, u64 count, struct xfs_ext *x, u64 *n)
{
	struct xfs_tx *tx;
	u32 skip, shared;
	int e = xfs_begin(XFS_M(inode->i_sb), XFS_RES_WRITE, 0, 0, XFS_TX_RESERVE, &tx);

	if (e)
		return e;
	xfs_read_lock(inode);
	e = look(inode, off, count, x, n);
	if (!e && x->fsb) {
		e = xfs_bmap_shared(tx, x, &skip, &shared);
		if (!e && (skip || !shared)) {
			*n = shared ? skip : x->count;
			x->fsb = 0;
		} else if (!e) {
			*n = shared;
		}
	}
	xfs_trans_cancel(tx);
	xfs_read_unlock(inode);
	return e;
}

/* Up to N blocks of a copy of those from OFF on, which are shared; *OK: so many. */
static int stage(struct inode *inode, u64 off, u32 n, u64 *ok)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	struct xfs_lino *li = XFS_I(inode)->li;
	struct copy *c = kzalloc(sizeof(*c), GFP_NOFS);
	struct xfs_tx *tx;
	struct xfs_ext x;
	u64 still;
	int e;

	if (!c)
		return -ENOMEM;
	e = xfs_begin(mp, XFS_RES_WRITE, 0, n, 0, &tx);
	if (e == -ENOSPC && n > 1)
		e = xfs_begin(mp, XFS_RES_WRITE, 0, n = 1, 0, &tx);
	if (e) {
		kfree(c);
		return e;
	}
	down_write(&li->lock);
	/* Another folio's change may have been here. */
	e = look(inode, off, n, &x, &still);
	*ok = still;
	if (!e && x.fsb) {
		e = xfs_cow_stage(tx, &li->ip, off, 1, (u32)still, 0, &c->x);
		if (!e) {
			*ok = c->x.count;
			insert(inode, c);
			c = NULL;
		}
	}
	e = xfs_end(tx, e);
	up_write(&li->lock);
	kfree(c);
	return e;
}

int xfs_copy_stage(struct inode *inode, u64 off, u64 count, u64 *ok, bool *new)
{
	struct xfs_ext x;
	int e;

	*new = false;
	xfs_read_lock(inode);
	e = look(inode, off, count, &x, ok);
	xfs_read_unlock(inode);
	if (e || !x.fsb)
		return e;
	e = ask(inode, off, count, &x, ok);
	if (e || !x.fsb)
		return e;
	*new = true;
	return stage(inode, off, (u32)*ok, ok);
}

/* ---- the end of copies ---- */

/* The next part of a copy in the range; false: none. li->lock is held. */
static struct copy *next_in(const struct inode *inode, u64 off, u64 end, struct xfs_ext *x)
{
	struct copy *c = at_or_after(inode, off);
	u64 from;

	if (!c || c->x.off >= end)
		return NULL;
	from = max(c->x.off, off);
	*x = (struct xfs_ext){ from, c->x.fsb + (from - c->x.off),
			       (u32)(min(c->x.off + c->x.count, end) - from), false };
	return c;
}

/* One step; *MORE: there was something. DROP: freed, not mapped. */
static int end_some(struct inode *inode, u64 off, u64 end, bool drop, bool *more)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	struct copy *spare = kzalloc(sizeof(*spare), GFP_NOFS | __GFP_NOFAIL), *c;
	struct xfs_lino *li = XFS_I(inode)->li;
	u32 room = drop ? 0 : xfs_bmap_remap_room(&mp->fs.vol.sb);
	struct xfs_tx *tx;
	struct xfs_ext x;
	int e = xfs_begin_freeing(mp, XFS_RES_WRITE, 0, room, 0, &tx);

	if (e) {
		kfree(spare);
		return e;
	}
	down_write(&li->lock);
	c = next_in(inode, off, end, &x);
	*more = c;
	if (c) {
		e = drop ? xfs_cow_cancel(tx, x.fsb, x.count) :
			   xfs_cow_finish(tx, &li->ip, &x, &x.count);
		if (!e)
			cut(inode, c, &x, &spare);
		inode->i_blocks = li->ip.node.core.nblocks << (inode->i_blkbits - 9);
	}
	e = xfs_end(tx, e);
	up_write(&li->lock);
	kfree(spare);
	return e;
}

static int end_all(struct inode *inode, u64 off, u64 count, bool drop)
{
	u64 end = count > U64_MAX - off ? U64_MAX : off + count;
	struct xfs_ext x;
	bool more = true;
	int e = 0;

	while (!e && more) {
		xfs_read_lock(inode);
		more = next_in(inode, off, end, &x);
		xfs_read_unlock(inode);
		if (more)
			e = end_some(inode, off, end, drop, &more);
		cond_resched();
	}
	return e;
}

int xfs_copy_finish(struct inode *inode, u64 off, u64 count)
{
	return end_all(inode, off, count, false);
}

int xfs_copy_drop(struct inode *inode, u64 off, u64 count)
{
	return end_all(inode, off, count, true);
}

void xfs_copies_forget(struct inode *inode)
{
	struct rb_root *root = &XFS_I(inode)->copies;
	struct copy *c;

	while ((c = copy_of(rb_first(root)))) {
		rb_erase(&c->node, root);
		kfree(c);
	}
}
