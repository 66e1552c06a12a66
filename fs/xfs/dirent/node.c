// SPDX-License-Identifier: MIT
/*
 * Blocks of names with a tree of hashes (da/tree.h), and an index of free space (free.c).
 */
#include "fs/xfs/dirent/dirent_priv.h"

static u32 leaf_max(const struct xfs_sb *sb)
{
	return (sb->dirblksize - (u32)sizeof(struct xfs_ddir_leaf)) /
	       (u32)sizeof(struct xfs_ddir_ent);
}

/* ---- what the tree asks of a leaf ---- */

static u32 used(const void *p)
{
	const struct xfs_ddir_leaf *h = p;

	return be16_get(h->count) - be16_get(h->stale);
}

static bool leaf_empty(struct xfs_da *d, const void *p)
{
	(void)d;
	return !used(p);
}

static bool leaf_small(struct xfs_da *d, const void *p)
{
	return used(p) <= leaf_max(&d->tx->fs->vol.sb) / 2;
}

static u32 leaf_last(const void *p)
{
	u32 n = xfs_dir_leaf_count(p);

	return n ? be32_get(xfs_dir_leaf_ents(p)[n - 1].hash) : 0;
}

static bool leaf_join(struct xfs_da *d, struct xfs_txbuf *left, struct xfs_txbuf *right)
{
	struct xfs_ents l = xfs_dirleaf_ents(left), r = xfs_dirleaf_ents(right);
	u32 max = leaf_max(&d->tx->fs->vol.sb);
	struct xfs_dop o = { .tx = d->tx };

	if (l.n - l.stale + r.n - r.stale > max - max / 4)
		return false;
	xfs_ents_pack(&l, 0);
	for (u32 i = 0; i < r.n && l.n < max; i++)
		if (be32_get(r.e[i].addr))
			l.e[l.n++] = r.e[i];
	xfs_dirleaf_set(&o, left, &l, (struct xfs_ents_range){ 0, l.n });
	return true;
}

static const struct xfs_da_leaf dir_leaf = {
	.magic = XFS_DIR_LEAFN_MAGIC,
	.empty = leaf_empty,
	.small = leaf_small,
	.join = leaf_join,
	.last = leaf_last,
};

static struct xfs_da tree_of(struct xfs_dop *o)
{
	return (struct xfs_da){ .tx = o->tx, .ip = o->dp, .leaf = &dir_leaf };
}

/* ---- a name ---- */

/* Entry *I of P's leaf is O's name, at *AT of *B; -ENOENT. */
static int node_find(struct xfs_dop *o, struct xfs_da *d, struct xfs_da_path *p, u32 *i,
		     struct xfs_txbuf **b, u32 *at)
{
	u64 left = o->dp->node.core.nblocks + 1;
	int e = xfs_da_find(d, o->hash, p);

	if (e)
		return e;
	for (; left; left--) {
		struct xfs_ents s = xfs_dirleaf_ents(xfs_da_leaf_at(p)->b);

		e = xfs_ents_find(o, &s, NULL, i, b, at);
		if (e <= 0)
			return e;
		e = xfs_da_next(d, p);
		if (e <= 0)
			return e ?: -ENOENT;
	}
	return xfs_dop_bad(o, "leaves", o->dp->node.core.nblocks);
}

/* P's leaf, full, is split; P goes to the half where O's hash belongs. */
static int split_leaf(struct xfs_dop *o, struct xfs_da *d, struct xfs_da_path *p)
{
	struct xfs_da_at new;
	struct xfs_ents s, to;
	u32 keep;
	int e = xfs_da_add_leaf(d, p, &new);

	if (e)
		return e;
	s = xfs_dirleaf_ents(xfs_da_leaf_at(p)->b);
	to = xfs_dirleaf_ents(new.b);
	keep = s.n / 2;
	memcpy(to.e, s.e + keep, (s.n - keep) * sizeof(*s.e));
	to.n = s.n - keep;
	s.n = keep;
	xfs_dirleaf_set(o, new.b, &to, (struct xfs_ents_range){ 0, to.n });
	xfs_dirleaf_set(o, xfs_da_leaf_at(p)->b, &s, (struct xfs_ents_range){ 0, 0 });
	xfs_da_fix(d, p, leaf_last(xfs_da_leaf_at(p)->b->data));
	if (o->hash > be32_get(s.e[keep - 1].hash))
		xfs_da_go_right(p, &new);
	return 0;
}

/* O's hash and ADDR go into P's leaf. */
static int put_hash(struct xfs_dop *o, struct xfs_da *d, struct xfs_da_path *p, u32 addr)
{
	struct xfs_txbuf *b = xfs_da_leaf_at(p)->b;
	struct xfs_ents s = xfs_dirleaf_ents(b);
	struct xfs_ents_range r;

	if (!s.stale && s.n >= leaf_max(o->sb)) {
		int e = split_leaf(o, d, p);

		if (e)
			return e;
		b = xfs_da_leaf_at(p)->b;
		s = xfs_dirleaf_ents(b);
	}
	r = xfs_ents_put(&s, o->hash, addr);
	if (!r.hi)
		return xfs_dop_bad(o, "stale", s.stale);
	xfs_dirleaf_set(o, b, &s, r);
	xfs_da_fix(d, p, leaf_last(b->data));
	return 0;
}

int xfs_dirnode_add(struct xfs_dop *o)
{
	struct xfs_da d = tree_of(o);
	struct xfs_da_path p;
	struct xfs_ents s;
	struct xfs_txbuf *b;
	u32 i, at, db;
	int e = node_find(o, &d, &p, &i, &b, &at), old;

	if (e != -ENOENT)
		return e ?: -EEXIST;
	old = xfs_dirfree_find(o, xfs_dd_size(o->len), &db);
	e = old < 0 ? old : xfs_da_find(&d, o->hash, &p);
	if (e)
		return e;
	s = xfs_dirleaf_ents(xfs_da_leaf_at(&p)->b);
	if (!old || (!s.stale && s.n >= leaf_max(o->sb)))
		e = xfs_dop_grow(o);
	e = e ?: old ? xfs_dd_get(o, db, &b) : xfs_dd_new(o, db, &b);
	e = e ?: xfs_dd_find(o, b, xfs_dd_size(o->len), &at);
	if (e)
		return e;
	if (!at)
		return xfs_dop_bad(o, "bests", db);
	xfs_dd_use(o, b, at, at, xfs_dd_size(o->len));
	xfs_dd_put(o, b, at, o->name, o->len, o->ino, o->ftype);
	e = xfs_dirfree_set(o, db, xfs_dd_best(b));
	return e ?: put_hash(o, &d, &p, xfs_dir_addr(o->sb, db, at));
}

int xfs_dirnode_replace(struct xfs_dop *o)
{
	struct xfs_da d = tree_of(o);
	struct xfs_da_path p;
	struct xfs_txbuf *b;
	u32 i, at;
	int e = node_find(o, &d, &p, &i, &b, &at);

	if (!e)
		xfs_dd_set_ino(o, b, at);
	return e;
}

/* ---- smaller ---- */

/* Where one leaf has room for all entries and the index, it becomes leaf form. */
static int to_leaf(struct xfs_dop *o, struct xfs_txbuf *leaf)
{
	u32 n = 0, end = (u32)(o->dp->node.core.size / o->sb->dirblksize), got;
	struct xfs_ents s = xfs_dirleaf_ents(leaf);
	const struct xfs_ddir_free *h;
	struct xfs_txbuf *fb;
	be16 *best;
	int e = xfs_dirfree_end(o, end, &n);

	if (e || n > xfs_dirfree_max(o->sb) || !xfs_fork_may_free(o->tx, false, 1))
		return e;
	if (sizeof(struct xfs_ddir_leaf) + (s.n - s.stale) * sizeof(*s.e) + 4 + 2 * n >
	    o->sb->dirblksize)
		return 0;
	e = xfs_dirfree_get(o, 0, &fb);
	if (e)
		return e;
	h = (const void *)fb->data;
	xfs_ents_pack(&s, 0);
	((struct xfs_dda *)leaf->data)->magic = be16_make(XFS_DIR_LEAF1_MAGIC);
	xfs_dirleaf_set(o, leaf, &s, (struct xfs_ents_range){ 0, s.n });
	memset(leaf->data + leaf->len - 4, 0, 4);
	xfs_dirleaf_set_bests(o, leaf, n);
	best = xfs_dirleaf_bests(o->sb, leaf, &got);
	memcpy(best, h->best, n * sizeof(*best));
	e = xfs_fork_shrink(o->tx, o->dp, false, XFS_DIR_FREE_START >> o->sb->blocklog, fb);
	return e ?: xfs_dirleaf_to_block(o, leaf);
}

/* The block DB of names, all free, goes, and perhaps others are the last then. */
static int drop_names(struct xfs_dop *o, u32 db, struct xfs_txbuf *b)
{
	u32 end = (u32)(o->dp->node.core.size / o->sb->dirblksize), last;
	int e = xfs_dd_drop(o, db, b);

	e = e ?: xfs_dirfree_set(o, db, XFS_DIR_NULL_BEST);
	if (e || db + 1 < end)
		return e;
	e = xfs_dirfree_end(o, end, &last);
	if (!e)
		xfs_dd_set_size(o, last);
	return e;
}

int xfs_dirnode_remove(struct xfs_dop *o)
{
	struct xfs_da d = tree_of(o);
	struct xfs_da_path p;
	struct xfs_txbuf *b, *root;
	struct xfs_dirent ent;
	struct xfs_ents s;
	u32 i, at, db;
	int e = node_find(o, &d, &p, &i, &b, &at);

	if (e)
		return e;
	root = p.at[0].b;
	s = xfs_dirleaf_ents(xfs_da_leaf_at(&p)->b);
	db = xfs_dir_addr_db(o->sb, be32_get(s.e[i].addr));
	if (!xfs_dir_data_entry(o->sb, b->data, db, at, &ent) || ent.ino != o->ino)
		return -ENOENT;
	s.e[i].addr = be32_make(0);
	s.stale++;
	xfs_dirleaf_set(o, xfs_da_leaf_at(&p)->b, &s, (struct xfs_ents_range){ i, i + 1 });
	xfs_dd_free(o, b, at, xfs_dd_size(o->len));
	if (db && xfs_dd_empty(o->sb, b) && xfs_fork_may_free(o->tx, false, 2))
		e = drop_names(o, db, b);
	else
		e = xfs_dirfree_set(o, db, xfs_dd_best(b));
	e = e ?: xfs_da_shrink(&d, &p);
	if (e || xfs_da_magic(root->data) != XFS_DIR_LEAFN_MAGIC)
		return e;
	return to_leaf(o, root);
}
