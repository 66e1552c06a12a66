// SPDX-License-Identifier: MIT
/* Attributes: finding one by its hash, going over all, reading values. */
#include "fs/xfs/format/walk_priv.h"
#include <lib/string.h>

static int attr_bad(struct xfs_vol *v, const struct xfs_node *n, const char *what,
		    const char *field, u64 value)
{
	return xfs_walk_bad_ino(v, &n->core, XFS_SICK_INO_XATTR, what, field, value);
}

/* A node or leaf at block OFF of the attribute fork. */
static int attr_block(struct xfs_vol *v, const struct xfs_node *n, u32 off, struct xfs_blk *b)
{
	int e = xfs_get_mapped(v, n, true, XFS_BLK_ATTR, off, 1, b);

	if (e == -ENOENT)
		return attr_bad(v, n, "attributes", "block", off);
	if (e || xfs_da_owner(b->data) == n->core.ino)
		return e;
	e = attr_bad(v, n, "attributes", "owner", xfs_da_owner(b->data));
	v->put(v, b);
	return e;
}

/* The leaf of HASH; the first one for 0. */
static int attr_leaf(struct xfs_vol *v, const struct xfs_node *n, u32 hash, struct xfs_blk *b)
{
	u32 level = XFS_DA_MAXLEVELS + 1, off = 0;

	for (;;) {
		u32 is;
		int e = attr_block(v, n, off, b);

		if (e)
			return e;
		if (xfs_da_magic(b->data) == XFS_ATTR_LEAF_MAGIC)
			return 0;
		is = xfs_da_level(b->data);
		off = xfs_da_child(b->data, hash);
		v->put(v, b);
		if (is >= level)
			return attr_bad(v, n, "hash node", "level", is);
		level = is;
	}
}

/* B, a leaf, becomes the next one: 1; 0: it was the last, and is put. */
static int next_leaf(struct xfs_vol *v, const struct xfs_node *n, struct xfs_chain *chain,
		     struct xfs_blk *b)
{
	u32 next = xfs_da_forw(b->data);
	int e;

	v->put(v, b);
	if (!next)
		return 0;
	if (v->stop(v))
		return -EINTR;
	if (xfs_chain_loops(chain, next))
		return attr_bad(v, n, "attribute leaf", "forw", next);
	e = attr_block(v, n, next, b);
	if (!e && xfs_da_magic(b->data) != XFS_ATTR_LEAF_MAGIC) {
		v->put(v, b);
		e = attr_bad(v, n, "attribute leaf", "forw", next);
	}
	return e ?: 1;
}

int xfs_attr_value(struct xfs_vol *v, const struct xfs_node *n, const struct xfs_attr *a, u8 *buf)
{
	if (a->value) {
		memcpy(buf, a->value, a->valuelen);
		return 0;
	}
	for (u32 got = 0, off = a->block; got < a->valuelen; off++) {
		struct xfs_blk b;
		const u8 *data;
		u32 part;
		int e = xfs_get_mapped(v, n, true, XFS_BLK_ATTR_RMT, off, 1, &b);

		if (e)
			return e == -ENOENT ? attr_bad(v, n, "attribute value", "block", off) : e;
		part = min(xfs_rmt_data(&v->sb, b.data, n->core.ino, got, &data),
			   a->valuelen - got);
		memcpy(buf + got, data, part);
		v->put(v, &b);
		if (!part)
			return attr_bad(v, n, "attribute value", "owner", off);
		got += part;
	}
	return 0;
}

struct sought {
	const u8 *name;
	u32 len;
	u8 space;
	u8 *buf;
	size_t size;
};

static bool is_it(const struct sought *s, const struct xfs_attr *a)
{
	return a->namelen == s->len && (a->flags & XFS_ATTR_SPACE) == s->space &&
	       !(a->flags & XFS_ATTR_INCOMPLETE) && !memcmp(a->name, s->name, s->len);
}

static long answer(struct xfs_vol *v, const struct xfs_node *n, const struct sought *s,
		   const struct xfs_attr *a)
{
	int e = 0;

	if (s->size && s->size < a->valuelen)
		return -ERANGE;
	if (s->size)
		e = xfs_attr_value(v, n, a, s->buf);
	return e ?: (long)a->valuelen;
}

static long get_short(struct xfs_vol *v, const struct xfs_node *n, const struct xfs_fork *k,
		      const struct sought *s)
{
	struct xfs_attr a;

	for (u32 at = 0; xfs_attrsf_next(k->data, &at, &a);)
		if (is_it(s, &a))
			return answer(v, n, s, &a);
	return -ENODATA;
}

/* In one leaf: the answer; 1 << 30: not here, the next one may have it. */
#define NEXT_LEAF (1l << 30)
static long get_in_leaf(struct xfs_vol *v, const struct xfs_node *n, const void *p, u32 hash,
			const struct sought *s)
{
	u32 count = xfs_attr_leaf_count(p);

	for (u32 i = xfs_attr_leaf_find(p, hash); i < count; i++) {
		struct xfs_attr a;

		xfs_attr_leaf_at(p, i, &a);
		if (a.hash != hash)
			return -ENODATA;
		if (is_it(s, &a))
			return answer(v, n, s, &a);
	}
	return NEXT_LEAF;
}

long xfs_attr_get(struct xfs_vol *v, const struct xfs_node *n, const u8 *name, u32 len, u8 space,
		  void *buf, size_t size)
{
	struct sought s = { name, len, space, buf, size };
	u32 hash = xfs_da_hash(name, len);
	struct xfs_chain chain = { 0 };
	struct xfs_fork k;
	struct xfs_blk b;
	long ret;

	if (!xfs_fork_of(&v->sb, &n->core, n->literal, true, &k) ||
	    (k.format == XFS_FMT_EXTENTS && !k.nextents))
		return -ENODATA;
	if (k.format == XFS_FMT_LOCAL)
		return get_short(v, n, &k, &s);
	ret = attr_leaf(v, n, hash, &b);
	while (!ret) {
		ret = get_in_leaf(v, n, b.data, hash, &s);
		if (ret != NEXT_LEAF) {
			v->put(v, &b);
			return ret;
		}
		ret = next_leaf(v, n, &chain, &b);
		if (!ret)
			return -ENODATA;
		ret = ret < 0 ? ret : 0;
	}
	return ret;
}

static bool walk_leaf(const void *p, u32 hash, xfs_attr_fn fn, void *ctx)
{
	u32 count = xfs_attr_leaf_count(p);

	for (u32 i = xfs_attr_leaf_find(p, hash); i < count; i++) {
		struct xfs_attr a;

		xfs_attr_leaf_at(p, i, &a);
		if (!(a.flags & XFS_ATTR_INCOMPLETE) && !fn(ctx, &a))
			return false;
	}
	return true;
}

int xfs_attr_walk(struct xfs_vol *v, const struct xfs_node *n, xfs_attr_fn fn, void *ctx)
{
	return xfs_attr_walk_from(v, n, 0, fn, ctx);
}

int xfs_attr_walk_from(struct xfs_vol *v, const struct xfs_node *n, u32 hash, xfs_attr_fn fn,
		       void *ctx)
{
	struct xfs_chain chain = { 0 };
	struct xfs_fork k;
	struct xfs_attr a;
	struct xfs_blk b;
	int e;

	if (!xfs_fork_of(&v->sb, &n->core, n->literal, true, &k) ||
	    (k.format == XFS_FMT_EXTENTS && !k.nextents))
		return 0;
	if (k.format == XFS_FMT_LOCAL) {
		for (u32 at = 0; xfs_attrsf_next(k.data, &at, &a);)
			if (!fn(ctx, &a))
				break;
		return 0;
	}
	e = attr_leaf(v, n, hash, &b);
	while (!e) {
		if (!walk_leaf(b.data, hash, fn, ctx)) {
			v->put(v, &b);
			return 0;
		}
		e = next_leaf(v, n, &chain, &b);
		if (!e)
			return 0;
		e = e < 0 ? e : 0;
	}
	return e;
}
