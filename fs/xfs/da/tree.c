// SPDX-License-Identifier: MIT
/* Ways through a tree of hashes, and what its blocks have in common. */
#include "fs/xfs/da/tree.h"
#include <lib/string.h>
#include <abi/errno.h>

static const struct xfs_sb *sb_of(const struct xfs_da *d)
{
	return &d->tx->fs->vol.sb;
}

static u64 ino_of(const struct xfs_da *d)
{
	return d->ip->node.core.ino;
}

static enum xfs_kind kind_of(const struct xfs_da *d)
{
	return d->attr ? XFS_BLK_ATTR : XFS_BLK_DIR_HASH;
}

u32 xfs_da_node_max(const struct xfs_da *d)
{
	return (xfs_fork_bytes(d->tx, d->attr) - (u32)sizeof(struct xfs_dda_node)) /
	       (u32)sizeof(struct xfs_dda_ent);
}

void xfs_da_set_count(struct xfs_txbuf *b, u32 n)
{
	((struct xfs_dda_node *)b->data)->count = be16_make((u16)n);
}

/* The header of node B, and its entries from I to N, were changed. */
void xfs_da_log_from(struct xfs_da *d, struct xfs_txbuf *b, u32 i, u32 n)
{
	xfs_tx_log(d->tx, b, 0, sizeof(struct xfs_dda_node));
	if (i < n)
		xfs_tx_log(d->tx, b,
			   (u32)(sizeof(struct xfs_dda_node) + i * sizeof(struct xfs_dda_ent)),
			   (u32)((n - i) * sizeof(struct xfs_dda_ent)));
}

/* ---- blocks ---- */

/* A block of hashes may lie there. */
static bool place_ok(const struct xfs_da *d, u32 blk)
{
	u64 root = xfs_da_root(d);

	if (d->attr)
		return blk != 0;
	return blk > root && blk < XFS_DIR_FREE_START >> sb_of(d)->blocklog &&
	       !(blk & (xfs_fork_count(d->tx, false) - 1));
}

int xfs_da_get(struct xfs_da *d, u32 blk, struct xfs_txbuf **out)
{
	u32 magic;
	int e;

	if (blk != xfs_da_root(d) && !place_ok(d, blk))
		return xfs_da_bad(d, "block", blk);
	e = xfs_fork_get(d->tx, d->ip, d->attr, blk, kind_of(d), 0, out);
	if (e)
		return e;
	magic = xfs_da_magic((*out)->data);
	if (magic != XFS_DA_NODE_MAGIC && magic != d->leaf->magic)
		return xfs_da_bad(d, "magic", magic);
	if (xfs_da_owner((*out)->data) != ino_of(d))
		return xfs_da_bad(d, "owner", xfs_da_owner((*out)->data));
	return 0;
}

void xfs_da_init(struct xfs_da *d, struct xfs_txbuf *b, u16 magic)
{
	struct xfs_dda *h = (void *)b->data;

	*h = (struct xfs_dda){ .magic = be16_make(magic),
			       .blkno = be64_make(b->daddr),
			       .owner = be64_make(ino_of(d)) };
	memcpy(h->uuid, sb_of(d)->meta_uuid, XFS_UUID_SIZE);
}

int xfs_da_new(struct xfs_da *d, u16 magic, u32 *blk, struct xfs_txbuf **out)
{
	u64 off = xfs_da_root(d),
	    end = d->attr ? XFS_NULL32 : XFS_DIR_FREE_START >> sb_of(d)->blocklog;
	int e = xfs_fork_hole(d->tx, d->ip, d->attr, &off, end, xfs_fork_count(d->tx, d->attr));

	e = e ?: xfs_fork_new(d->tx, d->ip, d->attr, off, kind_of(d), out);
	if (e)
		return e;
	*blk = (u32)off;
	xfs_da_init(d, *out, magic);
	xfs_tx_log_all(d->tx, *out);
	return 0;
}

/* RB becomes the right neighbour of LB in the chain; LB's old one comes behind RB. */
int xfs_da_link(struct xfs_da *d, u32 left, struct xfs_txbuf *lb, u32 right, struct xfs_txbuf *rb)
{
	struct xfs_dda *l = (void *)lb->data, *r = (void *)rb->data;
	u32 next = be32_get(l->forw);

	if (next) {
		struct xfs_txbuf *nb;
		int e = xfs_da_get(d, next, &nb);

		if (e)
			return e;
		((struct xfs_dda *)nb->data)->back = be32_make(right);
		xfs_tx_log(d->tx, nb, 0, sizeof(struct xfs_dda));
	}
	r->forw = l->forw;
	r->back = be32_make(left);
	l->forw = be32_make(right);
	xfs_tx_log(d->tx, lb, 0, sizeof(struct xfs_dda));
	xfs_tx_log(d->tx, rb, 0, sizeof(struct xfs_dda));
	return 0;
}

/* ---- ways ---- */

/* The first entry of a node whose hash is not below HASH; the last one where all are. */
static u32 index_of(const void *p, u32 hash)
{
	const struct xfs_dda_ent *e = xfs_da_ents(p);
	u32 lo = 0, hi = xfs_da_count(p) - 1;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (be32_get(e[mid].hash) < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * From P's last block down to a leaf, by HASH, or to the first one. LEVEL: the level that the last
 * block must have, 0: any.
 */
static int descend(struct xfs_da *d, struct xfs_da_path *p, bool first, u32 hash, u32 level)
{
	for (;;) {
		struct xfs_da_at *at = &p->at[p->n - 1];
		const void *b = at->b->data;
		u32 blk;
		int e;

		if (xfs_da_magic(b) != XFS_DA_NODE_MAGIC)
			return p->n == 1 || level == 0 ? 0 : xfs_da_bad(d, "level", level);
		if ((p->n > 1 && xfs_da_level(b) != level) || xfs_da_level(b) > XFS_DA_MAXLEVELS ||
		    p->n > XFS_DA_MAXLEVELS || !xfs_da_count(b) ||
		    xfs_da_count(b) > xfs_da_node_max(d))
			return xfs_da_bad(d, "level", xfs_da_level(b));
		level = xfs_da_level(b) - 1;
		at->i = first ? 0 : index_of(b, hash);
		blk = be32_get(xfs_da_ents(b)[at->i].before);
		if (blk == xfs_da_root(d))
			return xfs_da_bad(d, "before", blk);
		at = &p->at[p->n];
		e = xfs_da_get(d, blk, &at->b);
		if (e)
			return e;
		at->blk = blk;
		at->i = 0;
		p->n++;
	}
}

int xfs_da_find(struct xfs_da *d, u32 hash, struct xfs_da_path *p)
{
	int e;

	p->n = 1;
	p->at[0] = (struct xfs_da_at){ .blk = xfs_da_root(d) };
	e = xfs_da_get(d, p->at[0].blk, &p->at[0].b);
	return e ?: descend(d, p, false, hash, 0);
}

int xfs_da_next(struct xfs_da *d, struct xfs_da_path *p)
{
	u32 k = p->n - 1, level, blk;
	int e;

	while (k && p->at[k - 1].i + 1 >= xfs_da_count(p->at[k - 1].b->data))
		k--;
	if (!k)
		return 0;
	level = xfs_da_level(p->at[k - 1].b->data) - 1;
	blk = be32_get(xfs_da_ents(p->at[k - 1].b->data)[++p->at[k - 1].i].before);
	if (blk == xfs_da_root(d))
		return xfs_da_bad(d, "before", blk);
	p->at[k] = (struct xfs_da_at){ .blk = blk };
	e = xfs_da_get(d, blk, &p->at[k].b);
	p->n = k + 1;
	e = e ?: descend(d, p, true, 0, level);
	return e ?: 1;
}

void xfs_da_fix(struct xfs_da *d, struct xfs_da_path *p, u32 hash)
{
	for (u32 k = p->n - 1; k-- > 0;) {
		struct xfs_da_at *at = &p->at[k];
		struct xfs_dda_ent *e = xfs_da_ents_mut(at->b) + at->i;

		if (be32_get(e->hash) == hash)
			break;
		e->hash = be32_make(hash);
		xfs_tx_log(d->tx, at->b, (u32)((u8 *)e - at->b->data), sizeof(*e));
		if (at->i + 1 < xfs_da_count(at->b->data))
			break;
	}
}

void xfs_da_go_right(struct xfs_da_path *p, const struct xfs_da_at *out)
{
	p->at[p->n - 2].i++;
	p->at[p->n - 1] = *out;
}
