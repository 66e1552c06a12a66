// SPDX-License-Identifier: MIT
/*
 * Owners of blocks. Records of one owner that touch are one record, where their offsets touch too;
 * metadata that is not a file's, and blocks of a file's trees, have no offsets.
 *
 * Blocks of files that share blocks have several owners, whose records overlap in any way. The
 * record before a key is the one that is looked for where it begins at that block, as it does in
 * each copy of a whole extent. Where it is not, the record that has a block of an owner is found by
 * the intervals that the tree's nodes note. That takes time by the number of owners of the block,
 * as it does on Linux, which searches in the same two ways.
 */
#include "fs/xfs/ag/ag.h"
#include <lib/string.h>
#include <abi/errno.h>

struct rec {
	u32 start, len;
	u64 owner, offset;
};

static bool no_offset(u64 owner, u64 offset)
{
	return owner >> 63 || offset & XFS_RMAP_BMBT;
}

static void get(const struct xfs_bt_cur *c, struct rec *r)
{
	const u8 *p = xfs_bt_rec(c);

	*r = (struct rec){ xfs_get32(p), xfs_get32(p + 4), xfs_get64(p + 8), xfs_get64(p + 16) };
}

static void put(const struct rec *r, u8 *p)
{
	xfs_put32(p, r->start);
	xfs_put32(p + 4, r->len);
	xfs_put64(p + 8, r->owner);
	xfs_put64(p + 16, r->offset);
}

static int update(struct xfs_bt_cur *c, const struct rec *r)
{
	u8 p[24];

	put(r, p);
	return xfs_bt_update(c, p);
}

static int insert(struct xfs_bt_cur *c, const struct rec *r)
{
	u8 p[24];

	put(r, p);
	return xfs_bt_insert(c, p);
}

static void key(const struct rec *r, struct xfs_bt_key *k)
{
	xfs_put32(k->b, r->start);
	xfs_put64(k->b + 4, r->owner);
	xfs_put64(k->b + 12, r->offset & ~XFS_RMAP_UNWRITTEN);
}

static int bad(struct xfs_agop *op, const char *field, const struct rec *r)
{
	return xfs_tx_bad_ag(op->tx, op->ag->agno, XFS_SICK_AG_RMAPBT, "rmapbt", field,
			     xfs_agb_daddr(&op->tx->fs->vol.sb, op->ag->agno, r->start), r->owner);
}

/* Do they make one record, B directly behind A? */
static bool touch(const struct rec *a, const struct rec *b)
{
	if (a->owner != b->owner || a->start + a->len != b->start || a->len + b->len < a->len)
		return false;
	if (no_offset(a->owner, a->offset))
		return a->offset == b->offset;
	return a->offset + a->len == b->offset;
}

static bool enabled(const struct xfs_agop *op)
{
	return op->tx->fs->vol.sb.ro_compat & XFS_RO_RMAPBT;
}

/* The records before R and behind it; a LEN of 0: there is none. */
static int around(struct xfs_agop *op, const struct rec *r, struct rec *left, struct rec *right)
{
	struct xfs_bt_key k;
	bool found;
	int e;

	*left = *right = (struct rec){ 0 };
	key(r, &k);
	e = xfs_bt_lookup(&op->rmap, &k, XFS_BT_LE, &found);
	if (e)
		return e;
	if (found) {
		get(&op->rmap, left);
		if (left->start + left->len > r->start)
			return bad(op, "owner of a free block", left);
		e = xfs_bt_next(&op->rmap, &found);
	} else {
		e = xfs_bt_lookup(&op->rmap, &k, XFS_BT_GE, &found);
	}
	if (e)
		return e;
	if (found) {
		get(&op->rmap, right);
		if (right->start < r->start + r->len)
			return bad(op, "owner of a free block", right);
	}
	return 0;
}

/* ---- where records overlap ---- */

/* Is REC R's owner's, and part of the same piece of the file as R's first block? */
static bool has_first(const u8 *rec, const void *what)
{
	const struct rec *r = what;
	u32 start = xfs_get32(rec);

	return r->start >= start && r->start - start < xfs_get32(rec + 4) &&
	       xfs_get64(rec + 8) == r->owner &&
	       xfs_get64(rec + 16) + (r->start - start) == r->offset;
}

/* The record with R's first block, where the cursor is then; a LEN of 0: there is none. */
static int find_shared(struct xfs_agop *op, const struct rec *r, struct rec *has)
{
	struct xfs_bt_key k;
	bool found;
	int e;

	has->len = 0;
	key(r, &k);
	e = xfs_bt_lookup(&op->rmap, &k, XFS_BT_LE, &found);
	if (!e && !(found && has_first(xfs_bt_rec(&op->rmap), r)))
		e = xfs_bt_find_span(&op->rmap, &k, has_first, r, &found);
	if (!e && found)
		get(&op->rmap, has);
	return e;
}

/* As around(), of R's owner alone, and only what touches R. */
static int around_shared(struct xfs_agop *op, const struct rec *r, struct rec *left,
			 struct rec *right)
{
	struct rec before = { r->start - 1, 1, r->owner, r->offset - 1 },
		   behind = { r->start + r->len, 1, r->owner, r->offset + r->len };
	struct xfs_bt_key k;
	bool found;
	int e = 0;

	*left = *right = (struct rec){ 0 };
	if (r->start && r->offset & XFS_RMAP_OFF)
		e = find_shared(op, &before, left);
	if (!e && left->len && left->start + left->len != r->start)
		return bad(op, "owner twice", left);
	key(&behind, &k);
	e = e ?: xfs_bt_lookup(&op->rmap, &k, XFS_BT_EQ, &found);
	if (e || !found)
		return e;
	get(&op->rmap, right);
	if (right->offset != behind.offset)	/* the other mark */
		right->len = 0;
	return 0;
}

/* ---- */

static int go_to(struct xfs_agop *op, const struct rec *r)
{
	struct xfs_bt_key k;
	bool found;
	int e;

	key(r, &k);
	e = xfs_bt_lookup(&op->rmap, &k, XFS_BT_EQ, &found);
	return e ?: found ? 0 : bad(op, "record", r);
}

/* The record at the cursor becomes R, which begins elsewhere. */
static int move_to(struct xfs_agop *op, const struct rec *r, bool shared)
{
	int e;

	if (!shared)
		return update(&op->rmap, r);
	/* Records of others may lie between. */
	e = xfs_bt_delete(&op->rmap);
	return e ?: insert(&op->rmap, r);
}

int xfs_rmap_map(struct xfs_agop *op, u32 agb, u32 len, const struct xfs_owner *o)
{
	struct rec r = { agb, len, o->owner, o->offset }, left, right, sum;
	bool l, h;
	int e;

	if (!enabled(op) || o->owner == XFS_OWN_NULL)
		return 0;
	e = o->shared ? around_shared(op, &r, &left, &right) : around(op, &r, &left, &right);
	if (e)
		return e;
	l = left.len && touch(&left, &r);
	h = right.len && touch(&r, &right);
	sum = l ? left : r;
	sum.len = (l ? left.len : 0) + len + (h ? right.len : 0);
	if (!l && !h)
		return insert(&op->rmap, &r);
	if (l && h) {
		e = go_to(op, &right);
		e = e ?: xfs_bt_delete(&op->rmap);
	}
	e = e ?: go_to(op, l ? &left : &right);
	return e ?: l ? update(&op->rmap, &sum) : move_to(op, &sum, o->shared);
}

/* The record that R is to be taken from, where the cursor is then; a LEN of 0: there is none. */
static int holder(struct xfs_agop *op, struct rec *r, struct rec *has)
{
	bool any = r->owner == XFS_OWN_UNKNOWN, found;
	struct xfs_bt_key k;
	int e;

	*has = (struct rec){ 0 };
	key(r, &k);
	e = xfs_bt_lookup(&op->rmap, &k, XFS_BT_LE, &found);
	if (e)
		return e;
	if (found)
		get(&op->rmap, has);
	if (any && (!found || has->start + has->len <= r->start)) {
		has->len = 0;
		return 0;
	}
	if (!found || r->start - has->start >= has->len ||
	    r->len > has->len - (r->start - has->start))
		return bad(op, "extent", r);
	if (any) {
		r->owner = has->owner;
		r->offset = has->offset;
		if (!no_offset(r->owner, r->offset))
			r->offset += r->start - has->start;
	}
	if (has->owner != r->owner)
		return bad(op, "owner", has);
	if (r->offset != has->offset + (no_offset(r->owner, r->offset) ? 0 : r->start - has->start))
		return bad(op, "offset", has);
	return 0;
}

static int holder_shared(struct xfs_agop *op, const struct rec *r, struct rec *has)
{
	int e = find_shared(op, r, has);

	if (!e && (!has->len || r->len > has->len - (r->start - has->start)))
		e = bad(op, "shared extent", r);
	return e;
}

int xfs_rmap_unmap(struct xfs_agop *op, u32 agb, u32 len, const struct xfs_owner *o)
{
	struct rec r = { agb, len, o->owner, o->offset }, has, rest;
	u32 before, behind;
	int e;

	if (!enabled(op) || o->owner == XFS_OWN_NULL)
		return 0;
	e = o->shared ? holder_shared(op, &r, &has) : holder(op, &r, &has);
	if (e || !has.len)
		return e;
	before = agb - has.start;
	behind = has.len - before - len;
	if (!before && !behind)
		return xfs_bt_delete(&op->rmap);
	rest = has;
	rest.start = agb + len;
	rest.len = behind;
	if (!no_offset(has.owner, has.offset))
		rest.offset += before + len;
	if (!before)
		return move_to(op, &rest, o->shared);
	has.len = before;
	e = update(&op->rmap, &has);
	if (!e && behind)
		e = insert(&op->rmap, &rest);
	return e;
}

int xfs_rmap_convert(struct xfs_agop *op, u32 agb, u32 len, const struct xfs_owner *o)
{
	struct xfs_owner now = { o->owner, o->offset ^ XFS_RMAP_UNWRITTEN, o->shared };
	int e = xfs_rmap_unmap(op, agb, len, o);

	return e ?: xfs_rmap_map(op, agb, len, &now);
}
