// SPDX-License-Identifier: MIT
/* Blocks that are promised (delay.h). Ranges neither overlap nor touch. */
#include "fs/xfs/inode/inode.h"
#include "fs/xfs/bmap/bmap.h"
#include <alloc/slab.h>
#include <lib/minmax.h>

struct range {
	struct rb_node node;
	u64 off, count;
	u32 room;			/* blocks taken for the tree */
};

void xfs_delays_init(struct xfs_delays *d)
{
	*d = (struct xfs_delays){ .root = RB_ROOT };
}

void xfs_map_changed(struct inode *inode)
{
	struct xfs_delays *d = &XFS_I(inode)->delays;

	lockdep_assert_held(&XFS_I(inode)->li->lock);
	WRITE_ONCE(d->cookie, d->cookie + 1);
}

static struct range *range_of(struct rb_node *n)
{
	return n ? rb_entry(n, struct range, node) : NULL;
}

/* The first range that ends behind OFF. */
static struct range *at_or_after(const struct xfs_delays *d, u64 off)
{
	struct rb_node *n = d->root.node;
	struct range *best = NULL;

	while (n) {
		struct range *r = range_of(n);

		if (r->off + r->count > off) {
			best = r;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

bool xfs_delay_find(const struct xfs_delays *d, u64 off, u64 *first, u64 *count)
{
	const struct range *r = at_or_after(d, off);

	if (!r)
		return false;
	*first = r->off;
	*count = r->count;
	return true;
}

static void insert(struct xfs_delays *d, struct range *new)
{
	struct rb_node **link = &d->root.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = range_of(parent)->off > new->off ? &parent->left : &parent->right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &d->root);
}

static bool take(struct xfs_live *live, u64 blocks)
{
	s64 low = (s64)xfs_pool_blocks(live->mp), was = atomic64_read(&live->fdblocks);

	do {
		if (was - (s64)blocks < low)
			return false;
	} while (!atomic64_try_cmpxchg(&live->fdblocks, &was, was - (s64)blocks));
	atomic64_add((s64)blocks, &live->delayed);
	return true;
}

static void give(struct inode *inode, u64 blocks)
{
	struct xfs_live *live = XFS_M(inode->i_sb)->live;

	atomic64_sub((s64)blocks, &live->delayed);
	atomic64_add((s64)blocks, &live->fdblocks);
}

static void remove(struct xfs_delays *d, struct range *r)
{
	rb_erase(&r->node, &d->root);
	kfree(r);
}

int xfs_delay_add(struct inode *inode, u64 off, u64 count)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	struct xfs_delays *d = &XFS_I(inode)->delays;
	struct range *next = at_or_after(d, off),
		     *prev = range_of(next ? rb_prev(&next->node) : rb_last(&d->root));
	bool joins_prev = prev && prev->off + prev->count == off,
	     joins_next = next && next->off == off + count;
	u32 room = joins_prev || joins_next ? 0 : xfs_bmap_tree_room(&mp->fs.vol.sb, false);
	struct range *r = joins_prev || joins_next ? NULL : kzalloc(sizeof(*r), GFP_NOFS);

	if (!joins_prev && !joins_next && !r)
		return -ENOMEM;
	if (!take(mp->live, count + room)) {
		kfree(r);
		return -ENOSPC;
	}
	if (joins_prev) {
		prev->count += count;
		if (joins_next) {
			prev->count += next->count;
			give(inode, next->room);
			remove(d, next);
		}
	} else if (joins_next) {
		next->off = off;
		next->count += count;
	} else {
		*r = (struct range){ .off = off, .count = count, .room = room };
		insert(d, r);
	}
	d->blocks += count;
	xfs_map_changed(inode);
	return 0;
}

/*
 * Takes what lies between OFF and END out of R, or makes R the part before it and NEW, which is
 * used then, the part behind. *ROOM: what R had for the tree, if nothing is left of it.
 */
static u64 cut(struct xfs_delays *d, struct range *r, u64 off, u64 end, struct range **new,
	       u32 *room)
{
	u64 from = max(r->off, off), to = min(r->off + r->count, end),
	    rest = r->off + r->count - to;

	d->blocks -= to - from;
	if (from > r->off) {
		r->count = from - r->off;
		if (rest && !WARN_ON_ONCE(!*new)) {
			**new = (struct range){ .off = to, .count = rest };
			insert(d, *new);
			*new = NULL;
		}
	} else if (rest) {
		r->off = to;
		r->count = rest;
	} else {
		*room += r->room;
		remove(d, r);
	}
	return to - from;
}

/* Blocks that were promised between OFF and END; they are the caller's, with ROOM for trees. */
static u64 cut_all(struct inode *inode, u64 off, u64 end, u32 *room)
{
	struct xfs_delays *d = &XFS_I(inode)->delays;
	struct range *r = at_or_after(d, off), *new = NULL;
	u64 n = 0;

	*room = 0;
	if (!r || r->off >= end)
		return 0;
	if (r->off < off && r->off + r->count > end)
		new = kzalloc(sizeof(*new), GFP_NOFS | __GFP_NOFAIL);
	while (r && r->off < end) {
		n += cut(d, r, off, end, &new, room);
		r = at_or_after(d, off);
	}
	kfree(new);
	xfs_map_changed(inode);
	return n;
}

void xfs_delay_drop(struct inode *inode, u64 off, u64 count)
{
	u32 room;
	u64 n = cut_all(inode, off, count > U64_MAX - off ? U64_MAX : off + count, &room);

	if (n)
		give(inode, n + room);
}

void xfs_delay_to_tx(struct inode *inode, struct xfs_tx *tx, u64 off, u64 count)
{
	u32 room;
	u64 n = cut_all(inode, off, off + count, &room);

	atomic64_sub((s64)(n + room), &XFS_M(inode->i_sb)->live->delayed);
	xfs_trans_add_blocks(tx, (u32)n + room);
}

void xfs_delay_from_tx(struct inode *inode, struct xfs_tx *tx, u64 off, u64 count)
{
	struct xfs_delays *d = &XFS_I(inode)->delays;
	struct range *next = at_or_after(d, off);

	count = min(count, (u64)tx->blocks);
	if (!count)
		return;
	xfs_trans_take_blocks(tx, (u32)count);
	atomic64_add((s64)count, &XFS_M(inode->i_sb)->live->delayed);
	d->blocks += count;
	if (next && next->off == off + count) {
		next->off = off;
		next->count += count;
	} else {
		struct range *r = kzalloc(sizeof(*r), GFP_NOFS | __GFP_NOFAIL);

		*r = (struct range){ .off = off, .count = count };
		insert(d, r);
	}
	xfs_map_changed(inode);
}
