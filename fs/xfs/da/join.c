// SPDX-License-Identifier: MIT
/*
 * A tree of hashes shrinks. An empty block is taken out of its chain and its parent, and freed; a
 * small one is joined with a neighbour that has the same parent. What became of the parent is
 * looked at next, up to the root; a root with one child takes that child's place, or rather its
 * content.
 */
#include "fs/xfs/da/tree.h"
#include <lib/string.h>
#include <abi/errno.h>

static bool is_node(const void *p)
{
	return xfs_da_magic(p) == XFS_DA_NODE_MAGIC;
}

static bool block_empty(struct xfs_da *d, const void *p)
{
	return is_node(p) ? !xfs_da_count(p) : d->leaf->empty(d, p);
}

static bool block_small(struct xfs_da *d, const void *p)
{
	return is_node(p) ? xfs_da_count(p) <= xfs_da_node_max(d) / 2 : d->leaf->small(d, p);
}

static u32 last_of(struct xfs_da *d, const void *p)
{
	return is_node(p) ? be32_get(xfs_da_ents(p)[xfs_da_count(p) - 1].hash) : d->leaf->last(p);
}

/* All entries of RIGHT go into LEFT, where some room is left after that. */
static bool join_nodes(struct xfs_da *d, struct xfs_txbuf *left, struct xfs_txbuf *right)
{
	u32 l = xfs_da_count(left->data), r = xfs_da_count(right->data), max = xfs_da_node_max(d);

	if (xfs_da_level(left->data) != xfs_da_level(right->data) || l + r > max - max / 4)
		return false;
	memcpy(xfs_da_ents_mut(left) + l, xfs_da_ents_mut(right), r * sizeof(struct xfs_dda_ent));
	xfs_da_set_count(left, l + r);
	xfs_da_log_from(d, left, l, l + r);
	return true;
}

/* B leaves the chain of its level. */
static int unlink_block(struct xfs_da *d, u32 blk, struct xfs_txbuf *b)
{
	const struct xfs_dda *h = (const void *)b->data;
	u32 forw = be32_get(h->forw), back = be32_get(h->back);
	struct xfs_txbuf *lb = NULL, *rb = NULL;
	int e = back ? xfs_da_get(d, back, &lb) : 0;

	if (!e && forw)
		e = xfs_da_get(d, forw, &rb);
	if (e)
		return e;
	if ((lb && xfs_da_forw(lb->data) != blk) ||
	    (rb && be32_get(((struct xfs_dda *)rb->data)->back) != blk) || lb == b || rb == b)
		return xfs_da_bad(d, "forw", blk);
	if (lb) {
		((struct xfs_dda *)lb->data)->forw = be32_make(forw);
		xfs_tx_log(d->tx, lb, 0, sizeof(*h));
	}
	if (rb) {
		((struct xfs_dda *)rb->data)->back = be32_make(back);
		xfs_tx_log(d->tx, rb, 0, sizeof(*h));
	}
	return 0;
}

/* Block K, below the root, goes; its parent loses the entry that P took, and nodes above know. */
static int drop(struct xfs_da *d, struct xfs_da_path *p, u32 k)
{
	struct xfs_da_at *at = &p->at[k], *up = &p->at[k - 1];
	struct xfs_dda_ent *e = xfs_da_ents_mut(up->b);
	u32 n = xfs_da_count(up->b->data), whole = p->n;
	int err = unlink_block(d, at->blk, at->b);

	err = err ?: xfs_fork_shrink(d->tx, d->ip, d->attr, at->blk, at->b);
	if (err)
		return err;
	memmove(e + up->i, e + up->i + 1, (n - up->i - 1) * sizeof(*e));
	xfs_da_set_count(up->b, n - 1);
	xfs_da_log_from(d, up->b, up->i, n - 1);
	if (up->i == n - 1 && n > 1) {
		p->n = k;	/* the parent's last hash is that of another child now */
		xfs_da_fix(d, p, be32_get(e[n - 2].hash));
		p->n = whole;
	}
	return 0;
}

/* The block at index I of P's node K - 1. */
static int neighbour(struct xfs_da *d, struct xfs_da_path *p, u32 k, u32 i, struct xfs_da_at *out)
{
	out->blk = be32_get(xfs_da_ents(p->at[k - 1].b->data)[i].before);
	out->i = 0;
	if (out->blk == xfs_da_root(d) || out->blk == p->at[k].blk)
		return xfs_da_bad(d, "before", out->blk);
	return xfs_da_get(d, out->blk, &out->b);
}

/* Joins block K with the neighbour at index I of its parent: 1: it was done. */
static int join_with(struct xfs_da *d, struct xfs_da_path *p, u32 k, u32 i)
{
	struct xfs_da_at other, *at = &p->at[k], *up = &p->at[k - 1];
	struct xfs_da_at *left = i < up->i ? &other : at, *right = i < up->i ? at : &other;
	struct xfs_da_at keep;
	u32 whole = p->n;
	int e = neighbour(d, p, k, i, &other);

	if (e)
		return e;
	if (is_node(other.b->data) != is_node(at->b->data) ||
	    be32_get(((struct xfs_dda *)right->b->data)->back) != left->blk)
		return xfs_da_bad(d, "back", right->blk);
	if (!(is_node(at->b->data) ? join_nodes : d->leaf->join)(d, left->b, right->b))
		return 0;
	if (i > up->i)
		up->i = i;	/* the right one goes */
	keep = *left;
	p->at[k] = *right;
	e = drop(d, p, k);
	if (e)
		return e;
	p->at[k] = keep;
	up->i--;
	p->n = k + 1;
	xfs_da_fix(d, p, last_of(d, keep.b->data));
	p->n = whole;
	return 1;
}

static int join_level(struct xfs_da *d, struct xfs_da_path *p, u32 k)
{
	const void *b = p->at[k].b->data;
	u32 n = xfs_da_count(p->at[k - 1].b->data), i = p->at[k - 1].i;
	int ret = 0;

	if (block_empty(d, b))
		return drop(d, p, k);
	if (!block_small(d, b))
		return 0;
	if (i + 1 < n)
		ret = join_with(d, p, k, i + 1);
	if (!ret && i)
		ret = join_with(d, p, k, i - 1);
	return ret < 0 ? ret : 0;
}

/* A root with one child becomes that child. */
static int collapse(struct xfs_da *d, struct xfs_txbuf *root)
{
	for (u32 left = XFS_DA_MAXLEVELS; left && is_node(root->data); left--) {
		struct xfs_txbuf *b;
		u32 blk;
		int e;

		if (xfs_da_count(root->data) != 1 || !xfs_fork_may_free(d->tx, d->attr, 1))
			return 0;
		blk = be32_get(xfs_da_ents(root->data)[0].before);
		if (blk == xfs_da_root(d))
			return xfs_da_bad(d, "before", blk);
		e = xfs_da_get(d, blk, &b);
		if (e)
			return e;
		if (xfs_da_forw(b->data) || be32_get(((struct xfs_dda *)b->data)->back) ||
		    (is_node(b->data) && xfs_da_level(b->data) + 1 != xfs_da_level(root->data)))
			return xfs_da_bad(d, "root", blk);
		memcpy(root->data, b->data, root->len);
		((struct xfs_dda *)root->data)->blkno = be64_make(root->daddr);
		xfs_tx_log_all(d->tx, root);
		e = xfs_fork_shrink(d->tx, d->ip, d->attr, blk, b);
		if (e)
			return e;
	}
	return 0;
}

/* P's leaf is the only one. */
static bool alone(const struct xfs_da_path *p)
{
	for (u32 k = 0; k + 1 < p->n; k++)
		if (xfs_da_count(p->at[k].b->data) != 1)
			return false;
	return true;
}

int xfs_da_shrink(struct xfs_da *d, struct xfs_da_path *p)
{
	struct xfs_txbuf *root = p->at[0].b;

	if (!xfs_fork_may_free(d->tx, d->attr, p->n))
		return 0;
	for (u32 k = p->n - 1; k && !alone(p); k--) {
		const void *b = p->at[k].b->data;
		int e;

		if (!block_empty(d, b) && !block_small(d, b))
			break;
		e = join_level(d, p, k);
		if (e)
			return e;
		p->n = k;
	}
	return collapse(d, root);
}
