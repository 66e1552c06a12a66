// SPDX-License-Identifier: MIT
/*
 * The tree of counts of references (refcount.h): runs are cut out, and put back with another count.
 */
#include "fs/xfs/ag/refcount.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

#define MOST_REFS 0xffffffffu		/* stays for ever */

struct run {
	u32 at, len, refs;		/* AT with XFS_REFC_STAGED */
};

static void get_run(const struct xfs_bt_cur *c, struct run *r)
{
	const u8 *p = xfs_bt_rec(c);

	*r = (struct run){ xfs_get32(p), xfs_get32(p + 4), xfs_get32(p + 8) };
}

static void put_run(u8 *rec, const struct run *r)
{
	xfs_put32(rec, r->at);
	xfs_put32(rec + 4, r->len);
	xfs_put32(rec + 8, r->refs);
}

static int check(struct xfs_bt_cur *c, const struct run *r)
{
	u32 at = r->at & ~XFS_REFC_STAGED, length = xfs_ag_of(c->tx->fs, c->agno)->length;
	bool staged = r->at & XFS_REFC_STAGED;

	if (!r->len || at >= length || r->len > length - at ||
	    (staged ? r->refs != 1 : r->refs < 2))
		return xfs_tx_bad_ag(c->tx, c->agno, XFS_SICK_AG_REFCNTBT, "refcountbt", "record",
				     c->agno, r->at);
	return 0;
}

/* The run that has AT, or begins behind it; len 0: there is none. */
static int seek(struct xfs_bt_cur *c, u32 at, struct run *r)
{
	struct xfs_bt_key k = { 0 };
	bool found;
	int e;

	r->len = 0;
	xfs_put32(k.b, at);
	e = xfs_bt_lookup(c, &k, XFS_BT_LE, &found);
	if (!e && found) {
		get_run(c, r);
		e = check(c, r);
		if (e || at - r->at < r->len)
			return e;
		e = xfs_bt_next(c, &found);
	} else if (!e) {
		e = xfs_bt_lookup(c, &k, XFS_BT_GE, &found);
	}
	r->len = 0;
	if (e || !found)
		return e;
	get_run(c, r);
	return check(c, r);
}

static int set_run(struct xfs_bt_cur *c, const struct run *r)
{
	u8 rec[12];

	put_run(rec, r);
	return xfs_bt_update(c, rec);
}

static int insert_run(struct xfs_bt_cur *c, const struct run *r)
{
	u8 rec[12];

	put_run(rec, r);
	return xfs_bt_insert(c, rec);
}

/* LEN blocks from AT on, part of R, which C stands at, go from it. */
static int cut(struct xfs_bt_cur *c, const struct run *r, u32 at, u32 len)
{
	struct run left = { r->at, at - r->at, r->refs },
		   right = { at + len, r->at + r->len - at - len, r->refs };
	int e;

	if (!left.len && !right.len)
		return xfs_bt_delete(c);
	if (!left.len)
		return set_run(c, &right);
	e = set_run(c, &left);
	return e ?: right.len ? insert_run(c, &right) : 0;
}

/* R, which no run has, becomes one, or a part of its neighbours. */
static int add(struct xfs_bt_cur *c, struct run r)
{
	struct run left = { 0 }, right = { 0 };
	bool found, joined = false;
	struct xfs_bt_key k = { 0 };
	int e;

	xfs_put32(k.b, r.at);
	e = xfs_bt_lookup(c, &k, XFS_BT_LE, &found);
	if (!e && found) {
		get_run(c, &left);
		e = check(c, &left);
		if (!e && left.at + left.len > r.at)
			e = xfs_tx_bad_ag(c->tx, c->agno, XFS_SICK_AG_REFCNTBT, "refcountbt",
					  "run in the way", c->agno, r.at);
	}
	e = e ?: seek(c, r.at, &right);
	if (e)
		return e;
	if (right.len && right.at == r.at + r.len && right.refs == r.refs) {
		e = xfs_bt_delete(c);
		r.len += right.len;
	}
	if (!e && left.len && left.at + left.len == r.at && left.refs == r.refs) {
		xfs_put32(k.b, left.at);
		e = xfs_bt_lookup(c, &k, XFS_BT_EQ, &found);
		if (!e && !found)
			e = xfs_tx_bad_ag(c->tx, c->agno, XFS_SICK_AG_REFCNTBT, "refcountbt",
					  "left", c->agno, left.at);
		left.len += r.len;
		e = e ?: set_run(c, &left);
		joined = true;
	}
	return e ?: joined ? 0 : insert_run(c, &r);
}

/* ---- references ---- */

/* One run of LEN blocks from AGB on: *N blocks, whose count is REFS (1: they are in no run). */
static int step(struct xfs_bt_cur *c, u32 agb, u32 len, bool up, u32 *n)
{
	static const struct xfs_owner nobody = { XFS_OWN_NULL, 0, false };
	struct run r;
	u32 refs = 1;
	int e = seek(c, agb, &r);

	if (e)
		return e;
	if (r.len && r.at <= agb) {
		refs = r.refs;
		*n = min(len, r.at + r.len - agb);
	} else {
		*n = r.len ? min(len, r.at - agb) : len;
	}
	if (refs == MOST_REFS)
		return 0;
	if (refs == 1 && !up)
		return xfs_free_later(c->tx, xfs_fsb_make(&c->tx->fs->vol.sb, c->agno, agb), *n,
				      &nobody, false);
	if (refs > 1)
		e = cut(c, &r, agb, *n);
	refs = up ? refs + 1 : refs - 1;
	c->tx->moved |= refs == 1;
	return e ?: refs > 1 ? add(c, (struct run){ agb, *n, refs }) : 0;
}

int xfs_refcount_adjust(struct xfs_bt_cur *c, u32 agb, u32 len, bool up, u32 steps, u32 *done)
{
	*done = 0;
	while (*done < len && steps--) {
		u32 n;
		int e = step(c, agb + *done, len - *done, up, &n);

		if (e)
			return e;
		*done += n;
	}
	return 0;
}

int xfs_refcount_shared(struct xfs_bt_cur *c, u32 agb, u32 len, u32 *first, u32 *n)
{
	struct run r;
	int e = seek(c, agb, &r);

	*n = 0;
	if (e || !r.len || r.at & XFS_REFC_STAGED || r.at >= agb + len)
		return e;
	*first = max(agb, r.at);
	*n = min(agb + len, r.at + r.len) - *first;
	return 0;
}

/* ---- staging ---- */

int xfs_refcount_stage(struct xfs_bt_cur *c, u32 agb, u32 len, bool staged)
{
	struct xfs_owner o = { XFS_OWN_COW, 0, false };
	u32 at = agb | XFS_REFC_STAGED;
	struct run r;
	int e;

	if (staged) {
		e = add(c, (struct run){ at, len, 1 });
		return e ?: xfs_rmap_map(c->ctx, agb, len, &o);
	}
	e = seek(c, at, &r);
	if (!e && (!r.len || r.at > at || at + len > r.at + r.len))
		e = xfs_tx_bad_ag(c->tx, c->agno, XFS_SICK_AG_REFCNTBT, "refcountbt",
				  "staged blocks", c->agno, agb);
	e = e ?: cut(c, &r, at, len);
	return e ?: xfs_rmap_unmap(c->ctx, agb, len, &o);
}

int xfs_refcount_staged(struct xfs_bt_cur *c, u32 *agb, u32 *len)
{
	struct run r;
	int e = seek(c, *agb | XFS_REFC_STAGED, &r);

	*len = 0;
	if (e || !r.len)
		return e;
	*agb = r.at & ~XFS_REFC_STAGED;
	*len = r.len;
	return 0;
}

/* ---- the tree ---- */

static void root(struct xfs_bt_cur *c, u64 *ptr, u32 *levels)
{
	const struct xfs_dagf *d = xfs_agop_agf(c->ctx);

	*ptr = be32_get(d->refc_root);
	*levels = be32_get(d->refc_level);
}

static void set_root(struct xfs_bt_cur *c, u64 ptr, u32 levels)
{
	struct xfs_dagf *d = xfs_agop_agf(c->ctx);

	d->refc_root = be32_make((u32)ptr);
	d->refc_level = be32_make(levels);
	xfs_agf_log(c->ctx);
}

static const struct xfs_owner the_tree = { XFS_OWN_REFC, 0, false };

static void count_block(struct xfs_bt_cur *c, u32 by)
{
	struct xfs_dagf *d = xfs_agop_agf(c->ctx);

	d->refc_blocks = be32_make(be32_get(d->refc_blocks) + by);
	xfs_agf_log(c->ctx);
}

static int take_block(struct xfs_bt_cur *c, u64 near, u64 *ptr)
{
	int e;

	xfs_agop_close(c->ctx);		/* its cursors must not outlive a change by others */
	e = xfs_tree_block(c, near, &the_tree, true, ptr);
	if (!e)
		count_block(c, 1);
	return e;
}

static int free_block(struct xfs_bt_cur *c, u64 ptr)
{
	count_block(c, (u32)-1);
	xfs_agop_close(c->ctx);
	return xfs_tree_block_free(c, ptr, &the_tree, true);
}

static const struct xfs_bt_ops ops = {
	.root = root, .set_root = set_root, .alloc = take_block, .free = free_block
};

void xfs_refc_open(struct xfs_bt_cur *c, struct xfs_agop *op)
{
	xfs_bt_open_ag(c, op->tx, XFS_BT_REFC, &ops, op->ag->agno, op->agf);
	c->ctx = op;
}
