// SPDX-License-Identifier: MIT
/*
 * The list of a fork's extents (bmap.h). In the inode they are an array, searched by halving; in a
 * tree the cursor is the position.
 */
#include "fs/xfs/bmap/bmap_priv.h"

/* ---- where a fork lies ---- */

u8 *xfs_fork_bytes_at(const struct xfs_ino *ip, bool attr, u32 *size)
{
	u32 all = xfs_literal_size(&ip->fs->vol.sb), forkoff = ip->node.core.forkoff;

	*size = attr ? all - forkoff : forkoff ? forkoff : all;
	return xfs_ino_literal(ip) + (attr ? forkoff : 0);
}

u8 *xfs_fork_format(struct xfs_ino *ip, bool attr)
{
	return attr ? &ip->node.core.aformat : &ip->node.core.format;
}

u64 *xfs_fork_nextents(struct xfs_ino *ip, bool attr)
{
	return attr ? &ip->node.core.anextents : &ip->node.core.nextents;
}

static bool in_tree(const struct xfs_exts *l)
{
	return *xfs_fork_format(l->ip, l->attr) == XFS_FMT_BTREE;
}

static u8 *inline_at(const struct xfs_exts *l, u32 i)
{
	u32 size;

	return xfs_fork_bytes_at(l->ip, l->attr, &size) + (size_t)i * 16;
}

/* ---- the list ---- */

void xfs_exts_open(struct xfs_exts *l, struct xfs_tx *tx, struct xfs_ino *ip, bool attr)
{
	*l = (struct xfs_exts){ .tx = tx, .ip = ip, .attr = attr };
	xfs_bt_open_ino(&l->bt, tx, &xfs_bmap_bt_ops, ip, attr);
}

void xfs_exts_close(struct xfs_exts *l)
{
	xfs_bt_close(&l->bt);
	l->have = false;
}

/* Reads the extent at the position, which is behind all that ends before END. */
static int read_here(struct xfs_exts *l)
{
	const u8 *rec = in_tree(l) ? xfs_bt_rec(&l->bt) : inline_at(l, l->at);

	xfs_ext_get(rec, &l->x);
	if (xfs_ext_ok(&l->tx->fs->vol.sb, &l->x) && !(l->attr && l->x.unwritten))
		return 0;
	l->have = false;
	return xfs_tx_bad_ino(l->tx, l->ip, xfs_sick_bmbt(l->attr), "inode", "extent", l->x.off);
}

static int seek_inline(struct xfs_exts *l, u64 off)
{
	u32 lo = 0, hi = (u32)*xfs_fork_nextents(l->ip, l->attr);

	l->have = hi > 0;
	while (lo < hi) {
		u32 mid = (lo + hi) / 2;
		struct xfs_ext x;

		xfs_ext_get(inline_at(l, mid), &x);
		if (x.off <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	l->at = lo ? lo - 1 : 0;
	return l->have ? read_here(l) : 0;
}

int xfs_exts_seek(struct xfs_exts *l, u64 off)
{
	struct xfs_bt_key k = { 0 };
	int e;

	if (!in_tree(l))
		return seek_inline(l, off);
	xfs_put64(k.b, off);
	e = xfs_bt_lookup(&l->bt, &k, XFS_BT_LE, &l->have);
	if (!e && !l->have)
		e = xfs_bt_lookup(&l->bt, &k, XFS_BT_GE, &l->have);
	return e ?: l->have ? read_here(l) : 0;
}

int xfs_exts_next(struct xfs_exts *l)
{
	u64 end = l->x.off + l->x.count;
	int e = 0;

	if (in_tree(l)) {
		e = xfs_bt_next(&l->bt, &l->have);
	} else {
		l->have = l->at + 1 < *xfs_fork_nextents(l->ip, l->attr);
		l->at += l->have;
	}
	e = e ?: l->have ? read_here(l) : 0;
	if (!e && l->have && l->x.off < end)
		e = xfs_tx_bad_ino(l->tx, l->ip, xfs_sick_bmbt(l->attr), "inode",
				   "order of extents", l->x.off);
	return e;
}

/* ---- changing one record ---- */

/* That there are N more extents; fields of the fork's list are logged. */
static void count_extents(struct xfs_exts *l, int n)
{
	*xfs_fork_nextents(l->ip, l->attr) += (u64)(s64)n;
	xfs_tx_inode(l->tx, l->ip,
		     XFS_LI_CORE | (in_tree(l) ? 0 :
				    l->attr    ? XFS_LI_AEXT :
						 XFS_LI_DEXT));
}

static int set_here(struct xfs_exts *l, const struct xfs_ext *x)
{
	u8 rec[16];

	xfs_ext_set(rec, x);
	if (in_tree(l))
		return xfs_bt_update(&l->bt, rec);
	memcpy(inline_at(l, l->at), rec, sizeof(rec));
	count_extents(l, 0);
	return 0;
}

/* The list has room for one more: in the inode, or in a tree that it becomes. */
static int make_room(struct xfs_exts *l)
{
	u64 n = *xfs_fork_nextents(l->ip, l->attr);
	u32 size;

	xfs_fork_bytes_at(l->ip, l->attr, &size);
	if (in_tree(l) || (n + 1) * 16 <= size)
		return 0;
	return xfs_bmap_to_tree(l->tx, l->ip, l->attr);
}

static int insert(struct xfs_exts *l, const struct xfs_ext *x)
{
	u64 n = *xfs_fork_nextents(l->ip, l->attr);
	u8 rec[16], *at;
	int e = make_room(l);

	if (e)
		return e;
	xfs_ext_set(rec, x);
	if (in_tree(l)) {
		e = xfs_bt_insert(&l->bt, rec);
		if (!e)
			count_extents(l, 1);
		return e;
	}
	e = seek_inline(l, x->off);
	if (e)
		return e;
	if (l->have && l->x.off < x->off)
		l->at++;
	at = inline_at(l, l->at);
	memmove(at + 16, at, (size_t)(n - l->at) * 16);
	memcpy(at, rec, sizeof(rec));
	count_extents(l, 1);
	return 0;
}

static int delete_here(struct xfs_exts *l)
{
	u64 n = *xfs_fork_nextents(l->ip, l->attr);
	u8 *at;
	int e;

	if (in_tree(l)) {
		e = xfs_bt_delete(&l->bt);
		if (e)
			return e;
		count_extents(l, -1);
		return xfs_bmap_from_tree(l->tx, l->ip, l->attr);
	}
	at = inline_at(l, l->at);
	memmove(at, at + 16, (size_t)(n - l->at - 1) * 16);
	memset(inline_at(l, (u32)n - 1), 0, 16);
	count_extents(l, -1);
	return 0;
}

/* ---- adding ---- */

/* B continues A. */
static bool continues(const struct xfs_ext *a, const struct xfs_ext *b)
{
	return a->off + a->count == b->off && a->fsb + a->count == b->fsb &&
	       a->unwritten == b->unwritten && (u64)a->count + b->count <= XFS_EXT_MOST;
}

u64 xfs_most_extents(const struct xfs_ino *ip, bool attr)
{
	bool many = ip->node.core.flags2 & XFS_DIFLAG2_NREXT64;

	return attr ? many ? 0xffffffffull : 0x7fff : many ? (1ull << 48) - 1 : 0x7fffffff;
}

/* The extents beside X: which there are, and whether X lies in a hole. */
static int neighbours(struct xfs_exts *l, const struct xfs_ext *x, struct xfs_ext *left,
		      struct xfs_ext *right)
{
	int e = xfs_exts_seek(l, x->off);

	left->count = right->count = 0;
	if (!e && l->have && l->x.off <= x->off) {
		*left = l->x;
		e = xfs_exts_next(l);
	}
	if (e)
		return e;
	if (l->have)
		*right = l->x;
	if ((left->count && left->off + left->count > x->off) ||
	    (right->count && x->off + x->count > right->off))
		return xfs_tx_bad_ino(l->tx, l->ip, xfs_sick_bmbt(l->attr), "inode",
				      "extent in the way", x->off);
	return 0;
}

int xfs_exts_add(struct xfs_exts *l, const struct xfs_ext *x)
{
	struct xfs_ext left, right, all = *x;
	bool with_left, with_right;
	int e = neighbours(l, x, &left, &right);

	if (e)
		return e;
	with_left = left.count && continues(&left, x);
	if (with_left) {
		all = left;
		all.count += x->count;
	}
	with_right = right.count && continues(&all, &right);
	if (with_right)
		all.count += right.count;
	if (!with_left && !with_right) {
		if (*xfs_fork_nextents(l->ip, l->attr) >= xfs_most_extents(l->ip, l->attr))
			return -EFBIG;
		e = insert(l, x);
	} else if (with_left && with_right) {
		/* The right one goes, and the left one takes its blocks. */
		e = xfs_exts_seek(l, right.off);
		e = e ?: delete_here(l);
		e = e ?: xfs_exts_seek(l, left.off);
		e = e ?: set_here(l, &all);
	} else {
		e = xfs_exts_seek(l, with_left ? left.off : right.off);
		e = e ?: set_here(l, &all);
	}
	l->have = false;
	return e;
}

/* ---- cutting ---- */

int xfs_exts_cut(struct xfs_exts *l, u64 off, u64 count, struct xfs_ext *cut)
{
	u64 end = off + count, last;
	struct xfs_ext x, rest;
	int e = xfs_exts_seek(l, off);

	cut->count = 0;
	if (!e && l->have && l->x.off + l->x.count <= off)
		e = xfs_exts_next(l);
	if (e || !l->have || l->x.off >= end)
		return e;
	x = l->x;
	last = x.off + x.count;
	*cut = x;
	cut->off = max(off, x.off);
	cut->fsb = x.fsb + (cut->off - x.off);
	cut->count = (u32)(min(end, last) - cut->off);
	rest = (struct xfs_ext){ cut->off + cut->count, cut->fsb + cut->count,
				 (u32)(last - cut->off - cut->count), x.unwritten };
	if (cut->off == x.off && !rest.count) {
		e = delete_here(l);
	} else if (cut->off == x.off) {
		e = set_here(l, &rest);
	} else if (!rest.count) {
		x.count = (u32)(cut->off - x.off);
		e = set_here(l, &x);
	} else {
		if (*xfs_fork_nextents(l->ip, l->attr) >= xfs_most_extents(l->ip, l->attr))
			return -EFBIG;
		x.count = (u32)(cut->off - x.off);
		e = set_here(l, &x);
		e = e ?: insert(l, &rest);
	}
	l->have = false;
	return e;
}

/* ---- moving ---- */

int xfs_exts_move(struct xfs_exts *l, u64 off)
{
	struct xfs_ext was = l->x, x = was, left = { 0 };
	int e;

	x.off = off;
	if (off < was.off) {
		e = xfs_exts_seek(l, off);
		if (e)
			return e;
		if (l->x.off < was.off)
			left = l->x;
	} else {
		e = xfs_exts_next(l);
		if (!e && l->have && l->x.off < off + was.count)
			e = xfs_tx_bad_ino(l->tx, l->ip, xfs_sick_bmbt(l->attr), "inode",
					   "extent in the way", off);
		if (e)
			return e;
	}
	if (left.count && left.off + left.count > off)
		return xfs_tx_bad_ino(l->tx, l->ip, xfs_sick_bmbt(l->attr), "inode",
				      "extent in the way", off);
	e = xfs_exts_seek(l, was.off);
	if (!e && left.count && continues(&left, &x)) {
		e = delete_here(l);
		e = e ?: xfs_exts_seek(l, left.off);
		left.count += x.count;
		x = left;
	}
	e = e ?: set_here(l, &x);
	l->have = false;
	l->x = was;
	return e;
}

int xfs_exts_split(struct xfs_exts *l, u64 off)
{
	struct xfs_ext x = l->x, rest = { off, x.fsb + (off - x.off), x.count - (u32)(off - x.off),
					  x.unwritten };
	int e;

	if (*xfs_fork_nextents(l->ip, l->attr) >= xfs_most_extents(l->ip, l->attr))
		return -EFBIG;
	x.count -= rest.count;
	e = set_here(l, &x);
	e = e ?: insert(l, &rest);
	l->have = false;
	return e;
}
