// SPDX-License-Identifier: MIT
/*
 * A tree of hashes grows. The root's place is fixed: when it is full, its content goes to a new
 * block first, and the root becomes a node with that one child; then the child is split as any
 * other. A full node is split when a child of it is about to be: so from the lowest node that has
 * room downwards.
 */
#include "fs/xfs/da/tree.h"
#include <lib/string.h>
#include <abi/errno.h>

static u32 last_hash(struct xfs_da *d, const void *p)
{
	return xfs_da_magic(p) == XFS_DA_NODE_MAGIC ?
		       be32_get(xfs_da_ents(p)[xfs_da_count(p) - 1].hash) :
		       d->leaf->last(p);
}

/* The tree gets a level: the way P becomes longer by one at its beginning. */
static int push_root(struct xfs_da *d, struct xfs_da_path *p)
{
	struct xfs_txbuf *root = p->at[0].b, *b;
	bool leaf = xfs_da_magic(root->data) != XFS_DA_NODE_MAGIC;
	u32 level = leaf ? 0 : xfs_da_level(root->data), blk;
	struct xfs_dda_node *n = (void *)root->data;
	int e = xfs_da_new(d, XFS_DA_NODE_MAGIC, &blk, &b);

	if (e)
		return e;
	memcpy(b->data, root->data, b->len);
	((struct xfs_dda *)b->data)->blkno = be64_make(b->daddr);
	xfs_tx_log_all(d->tx, b);
	memset(root->data, 0, root->len);
	xfs_da_init(d, root, XFS_DA_NODE_MAGIC);
	n->count = be16_make(1);
	n->level = be16_make((u16)(level + 1));
	xfs_da_ents_mut(root)[0] =
		(struct xfs_dda_ent){ be32_make(last_hash(d, b->data)), be32_make(blk) };
	xfs_tx_log_all(d->tx, root);
	memmove(p->at + 1, p->at, p->n * sizeof(p->at[0]));
	p->n++;
	p->at[0].i = 0;
	p->at[1].b = b;
	p->at[1].blk = blk;
	return 0;
}

/* Node K, which has room, gets an entry behind the one that P took. */
static void insert_entry(struct xfs_da *d, struct xfs_da_path *p, u32 k, u32 hash, u32 blk)
{
	struct xfs_da_at *at = &p->at[k];
	struct xfs_dda_ent *e = xfs_da_ents_mut(at->b);
	u32 n = xfs_da_count(at->b->data), i = at->i + 1;

	memmove(e + i + 1, e + i, (n - i) * sizeof(*e));
	e[i] = (struct xfs_dda_ent){ be32_make(hash), be32_make(blk) };
	xfs_da_set_count(at->b, n + 1);
	xfs_da_log_from(d, at->b, i, n + 1);
}

/* Half of node K, which is not the root, goes into a new one; node K - 1 has room. */
static int split_node(struct xfs_da *d, struct xfs_da_path *p, u32 k)
{
	struct xfs_da_at *at = &p->at[k], *up = &p->at[k - 1];
	struct xfs_dda_ent *e = xfs_da_ents_mut(at->b);
	u32 n = xfs_da_count(at->b->data), keep = n / 2, blk;
	struct xfs_txbuf *b;
	int err = xfs_da_new(d, XFS_DA_NODE_MAGIC, &blk, &b);

	err = err ?: xfs_da_link(d, at->blk, at->b, blk, b);
	if (err)
		return err;
	memcpy(xfs_da_ents_mut(b), e + keep, (n - keep) * sizeof(*e));
	((struct xfs_dda_node *)b->data)->level = ((struct xfs_dda_node *)at->b->data)->level;
	xfs_da_set_count(b, n - keep);
	xfs_tx_log_all(d->tx, b);
	xfs_da_set_count(at->b, keep);
	xfs_da_log_from(d, at->b, 0, 0);
	insert_entry(d, p, k - 1, be32_get(e[n - 1].hash), blk);
	xfs_da_ents_mut(up->b)[up->i].hash = e[keep - 1].hash;
	xfs_da_log_from(d, up->b, up->i, up->i + 1);
	if (at->i >= keep) {
		at->b = b;
		at->blk = blk;
		at->i -= keep;
		up->i++;
	}
	return 0;
}

/* The leaf's parent has room for one more: it and those above are split as it needs. */
static int make_room(struct xfs_da *d, struct xfs_da_path *p)
{
	u32 max = xfs_da_node_max(d), full = p->n - 1;

	while (full && xfs_da_count(p->at[full - 1].b->data) >= max)
		full--;		/* the highest full node below one with room */
	if (!full) {
		int e;

		if (p->n >= XFS_DA_DEPTH)
			return -ENOSPC;
		e = push_root(d, p);
		if (e)
			return e;
		full = 1;
	}
	for (; full < p->n - 1; full++) {
		int e = split_node(d, p, full);

		if (e)
			return e;
	}
	return 0;
}

int xfs_da_add_leaf(struct xfs_da *d, struct xfs_da_path *p, struct xfs_da_at *out)
{
	struct xfs_da_at *at;
	u32 hash;
	int e = make_room(d, p);

	if (e)
		return e;
	at = xfs_da_leaf_at(p);
	hash = be32_get(xfs_da_ents(p->at[p->n - 2].b->data)[p->at[p->n - 2].i].hash);
	e = xfs_da_new(d, d->leaf->magic, &out->blk, &out->b);
	e = e ?: xfs_da_link(d, at->blk, at->b, out->blk, out->b);
	if (e)
		return e;
	out->i = 0;
	insert_entry(d, p, p->n - 2, hash, out->blk);
	return 0;
}
