// SPDX-License-Identifier: MIT
/* Setting and removing: which form, and changes of a leaf or a tree of leaves. */
#include "fs/xfs/xattr/xattr_priv.h"

u32 xfs_xattr_hash(const struct xfs_xattr *x)
{
	u32 h = xfs_da_hash(x->name, x->len);

	if (x->space & XFS_ATTR_PARENT && x->valuelen >= 8) {
		be64 v;

		/* Names of one file in many directories have different hashes. */
		memcpy(&v, x->value, sizeof(v));
		h ^= (u32)(be64_get(v) >> 32) ^ (u32)be64_get(v);
	}
	return h;
}

bool xfs_xop_is(const struct xfs_xop *o, const struct xfs_attr *a)
{
	const struct xfs_xattr *x = o->x;

	if (a->namelen != x->len || (a->flags & XFS_ATTR_SPACE) != x->space ||
	    !(a->flags & XFS_ATTR_INCOMPLETE) == o->torn || memcmp(a->name, x->name, x->len))
		return false;
	return !(x->space & XFS_ATTR_PARENT) ||
	       (a->value && a->valuelen == x->valuelen && !memcmp(a->value, x->value, x->valuelen));
}

u32 xfs_xattr_room(const struct xfs_sb *sb, u32 valuelen)
{
	/* Two leaves may be new, and a block of each level; the directory form may change. */
	return xfs_bmap_tree_room(sb, true) * (XFS_DA_DEPTH + 3) +
	       xfs_fork_room(sb, true, 2 * XFS_DA_DEPTH + xfs_xremote_blocks(sb, valuelen)) +
	       xfs_fork_room(sb, false, XFS_DA_DEPTH + 2);
}

bool xfs_xop_in_inode(const struct xfs_xop *o)
{
	const struct xfs_core *c = &o->ip->node.core;

	return !c->forkoff || c->aformat == XFS_FMT_LOCAL ||
	       (c->aformat == XFS_FMT_EXTENTS && !c->anextents);
}

/* ---- in leaves ---- */

/* O's name: *I of P's leaf: 0; -ENODATA. */
static int find(struct xfs_xop *o, struct xfs_da *d, struct xfs_da_path *p, u32 *i,
		struct xfs_attr *a)
{
	u64 left = o->ip->node.core.nblocks + 1;
	int e = xfs_da_find(d, o->hash, p);

	if (e)
		return e;
	for (; left; left--) {
		const void *b = xfs_da_leaf_at(p)->b->data;
		u32 n = xfs_attr_leaf_count(b);

		for (*i = xfs_attr_leaf_find(b, o->hash); *i < n; ++*i) {
			xfs_attr_leaf_at(b, *i, a);
			if (a->hash != o->hash)
				return -ENODATA;
			if (xfs_xop_is(o, a))
				return 0;
		}
		e = xfs_da_next(d, p);
		if (e <= 0)
			return e ?: -ENODATA;
	}
	return xfs_xop_bad(o, "leaves", o->ip->node.core.nblocks);
}

static int put_at(struct xfs_xop *o, struct xfs_da *d, struct xfs_da_path *p, u32 i,
		  const struct xfs_attr *a)
{
	struct xfs_txbuf *b = xfs_da_leaf_at(p)->b;

	if (!xfs_xleaf_put(o->tx, b, i, a))
		return xfs_xop_bad(o, "usedbytes", i);
	xfs_da_fix(d, p, xfs_xleaf.last(b->data));
	return 0;
}

/*
 * Where the N entries of a leaf are split so that A, at place AT, fits: the first entry that goes;
 * *RIGHT: A goes with them. *ALONE: it fits on neither side, and gets a leaf of its own between.
 */
static u32 choose(const struct xfs_txbuf *b, u32 n, u32 at, const struct xfs_attr *a, bool *right,
		  bool *alone)
{
	u32 size = xfs_xleaf_size(a) + 8, room = xfs_xleaf_room(b), s = 0;
	u32 half = (xfs_xleaf_bytes(b->data, 0, n) + size) / 2;

	while (s < n && xfs_xleaf_bytes(b->data, 0, s) + (at < s ? size : 0) < half)
		s++;
	*alone = false;
	*right = at >= s;
	if (s && s < n &&
	    (*right ? xfs_xleaf_bytes(b->data, s, n) : xfs_xleaf_bytes(b->data, 0, s)) + size <=
		    room)
		return s;
	*right = at && xfs_xleaf_bytes(b->data, at, n) + size <= room;
	if (!*right)
		*alone = xfs_xleaf_bytes(b->data, 0, at) + size > room;
	return at;
}

static int split_put(struct xfs_xop *o, struct xfs_da *d, struct xfs_da_path *p, u32 at,
		     const struct xfs_attr *a)
{
	struct xfs_txbuf *b = xfs_da_leaf_at(p)->b;
	struct xfs_da_at new;
	bool right, alone;
	u32 s = choose(b, xfs_attr_leaf_count(b->data), at, a, &right, &alone);
	int e = xfs_da_add_leaf(d, p, &new);

	if (e)
		return e;
	b = xfs_da_leaf_at(p)->b;
	xfs_xleaf_split(o->tx, b, new.b, s);
	if (s)
		xfs_da_fix(d, p, xfs_xleaf.last(b->data));
	if (right) {
		xfs_da_go_right(p, &new);
		return put_at(o, d, p, at - s, a);
	}
	if (!alone)
		return put_at(o, d, p, at, a);
	e = xfs_da_add_leaf(d, p, &new);
	if (e)
		return e;
	xfs_xleaf_split(o->tx, xfs_da_leaf_at(p)->b, new.b,
			xfs_attr_leaf_count(xfs_da_leaf_at(p)->b->data));
	xfs_da_go_right(p, &new);
	return put_at(o, d, p, 0, a);
}

/* EMPTY: the way to a leaf without entries, which gets it; else NULL. */
static int put(struct xfs_xop *o, struct xfs_da *d, struct xfs_da_path *empty)
{
	const struct xfs_xattr *x = o->x;
	struct xfs_attr a = { x->name,
			      x->value,
			      o->hash,
			      0,
			      x->valuelen,
			      (u8)x->len,
			      (u8)(x->space | XFS_ATTR_LOCAL) };
	struct xfs_da_path p;
	struct xfs_txbuf *b;
	u32 i;
	int e = 0;

	if (xfs_xleaf_size(&a) >= o->sb->blocksize / 4 * 3) {
		a.flags = x->space;
		a.value = NULL;
		e = xfs_xremote_write(o, &a.block);
	}
	if (!e && empty)
		return put_at(o, d, empty, 0, &a);
	e = e ?: xfs_da_find(d, o->hash, &p);
	if (e)
		return e;
	b = xfs_da_leaf_at(&p)->b;
	i = xfs_attr_leaf_find(b->data, o->hash);
	if (!xfs_xleaf_put(o->tx, b, i, &a))
		return split_put(o, d, &p, i, &a);
	xfs_da_fix(d, &p, xfs_xleaf.last(b->data));
	return 0;
}

/* Entry I, A, of P's leaf goes, its value too. */
static int take(struct xfs_xop *o, struct xfs_da *d, struct xfs_da_path *p, u32 i,
		const struct xfs_attr *a)
{
	struct xfs_txbuf *b = xfs_da_leaf_at(p)->b;
	int e = xfs_xremote_free(o, a);

	if (e)
		return e;
	xfs_xleaf_del(o->tx, b, i);
	if (xfs_attr_leaf_count(b->data))
		xfs_da_fix(d, p, xfs_xleaf.last(b->data));
	return 0;
}

int xfs_xattr_remove_in_tree(struct xfs_xop *o)
{
	struct xfs_da d = { o->tx, o->ip, &xfs_xleaf, true };
	struct xfs_txbuf *root;
	struct xfs_da_path p;
	struct xfs_attr a;
	u32 i;
	int e = find(o, &d, &p, &i, &a);

	if (e)
		return e;
	/* A leaf may become empty, and must not stay. */
	if (!xfs_fork_may_free(o->tx, true, XFS_DA_DEPTH + 3))
		return -ENOSPC;
	root = p.at[0].b;
	e = take(o, &d, &p, i, &a);
	e = e ?: xfs_da_shrink(&d, &p);
	if (e || xfs_da_magic(root->data) != XFS_ATTR_LEAF_MAGIC)
		return e;
	return xfs_xleaf_to_short(o, root);
}

/* ---- all forms ---- */

struct xfs_xop xfs_xop_of(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_xattr *x)
{
	return (struct xfs_xop){ tx, ip, &tx->fs->vol.sb, x, xfs_xattr_hash(x), false };
}

static bool short_has(const struct xfs_xop *o)
{
	const struct xfs_core *c = &o->ip->node.core;
	struct xfs_attr a;

	if (c->forkoff && c->aformat == XFS_FMT_LOCAL)
		for (u32 i = 0; xfs_attrsf_next(o->ip->node.literal + c->forkoff, &i, &a);)
			if (xfs_xop_is(o, &a))
				return true;
	return false;
}

static int set_in_tree(struct xfs_xop *o, struct xfs_da_path *p, u32 i, const struct xfs_attr *old)
{
	struct xfs_da d = { o->tx, o->ip, &xfs_xleaf, true };
	int e = old ? take(o, &d, p, i, old) : 0;
	bool empty = !e && old && !xfs_attr_leaf_count(xfs_da_leaf_at(p)->b->data);

	return e ?: put(o, &d, empty ? p : NULL);
}

int xfs_xattr_set(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_xattr *x, u32 flags)
{
	struct xfs_xop o = xfs_xop_of(tx, ip, x);
	struct xfs_da d = { tx, ip, &xfs_xleaf, true };
	struct xfs_da_path p;
	struct xfs_attr a;
	u32 i = 0;
	bool has, inside = xfs_xop_in_inode(&o);
	int e = inside ? (short_has(&o) ? 0 : -ENODATA) : find(&o, &d, &p, &i, &a);

	if (e && e != -ENODATA)
		return e;
	has = !e;
	if (has && (flags & XFS_XATTR_CREATE))
		return -EEXIST;
	if (!has && (flags & XFS_XATTR_REPLACE))
		return -ENODATA;
	if (inside) {
		e = xfs_xshort_change(&o, false);
		if (e != -EFBIG)
			return e;
	}
	if (tx->blocks < xfs_xattr_room(o.sb, x->valuelen))
		return -ENOSPC;
	if (!inside)
		return set_in_tree(&o, &p, i, has ? &a : NULL);
	if (has) {
		e = xfs_xshort_change(&o, true);
		if (e)
			return e;
	}
	e = xfs_xshort_to_leaf(&o);
	return e ?: put(&o, &d, NULL);
}

int xfs_xattr_remove(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_xattr *x)
{
	struct xfs_xop o = xfs_xop_of(tx, ip, x);

	if (!xfs_xop_in_inode(&o))
		return xfs_xattr_remove_in_tree(&o);
	return short_has(&o) ? xfs_xshort_change(&o, true) : -ENODATA;
}
