// SPDX-License-Identifier: MIT
/*
 * Blocks of names with one leaf of hashes, at whose end is a table of the largest free piece of
 * each block of names; the table grows downwards.
 */
#include "fs/xfs/dirent/dirent_priv.h"

static struct xfs_ddir_leaf *leaf_of(struct xfs_txbuf *b)
{
	return (void *)b->data;
}

struct xfs_ents xfs_dirleaf_ents(struct xfs_txbuf *b)
{
	return (struct xfs_ents){ (void *)(leaf_of(b) + 1), be16_get(leaf_of(b)->count),
				  be16_get(leaf_of(b)->stale) };
}

void xfs_dirleaf_set(struct xfs_dop *o, struct xfs_txbuf *b, const struct xfs_ents *s,
		     struct xfs_ents_range r)
{
	leaf_of(b)->count = be16_make((u16)s->n);
	leaf_of(b)->stale = be16_make((u16)s->stale);
	xfs_tx_log(o->tx, b, 0, sizeof(struct xfs_ddir_leaf));
	if (r.hi > r.lo)
		xfs_tx_log(o->tx, b, (u32)((u8 *)(s->e + r.lo) - b->data),
			   (r.hi - r.lo) * (u32)sizeof(*s->e));
}

static be32 *count_of(const struct xfs_sb *sb, struct xfs_txbuf *b)
{
	return (void *)(b->data + sb->dirblksize - 4);
}

be16 *xfs_dirleaf_bests(const struct xfs_sb *sb, struct xfs_txbuf *b, u32 *n)
{
	*n = be32_get(*count_of(sb, b));
	return (be16 *)count_of(sb, b) - *n;
}

void xfs_dirleaf_set_bests(struct xfs_dop *o, struct xfs_txbuf *b, u32 n)
{
	u32 old;
	be16 *from = xfs_dirleaf_bests(o->sb, b, &old), *to = from + old - n;

	memmove(to, from, min(n, old) * sizeof(*to));
	for (u32 i = old; i < n; i++)
		to[i] = be16_make(XFS_DIR_NULL_BEST);
	*count_of(o->sb, b) = be32_make(n);
	xfs_tx_log(o->tx, b, o->sb->dirblksize - 4 - 2 * n, 4 + 2 * n);
}

static void set_best(struct xfs_dop *o, struct xfs_txbuf *b, u32 db, u32 best)
{
	u32 n;
	be16 *p = xfs_dirleaf_bests(o->sb, b, &n) + db;

	*p = be16_make((u16)best);
	xfs_tx_log(o->tx, b, (u32)((u8 *)p - b->data), 2);
}

static int leaf_get(struct xfs_dop *o, struct xfs_txbuf **b)
{
	return xfs_fork_get(o->tx, o->dp, false, xfs_dir_leaf_off(o->sb), XFS_BLK_DIR_HASH, 0, b);
}

/* O's name: entry I of the leaf, at *AT of block *B. */
static int leaf_find(struct xfs_dop *o, struct xfs_txbuf **leaf, u32 *i, struct xfs_txbuf **b,
		     u32 *at)
{
	struct xfs_ents s;
	int e = leaf_get(o, leaf);

	if (e)
		return e;
	s = xfs_dirleaf_ents(*leaf);
	e = xfs_ents_find(o, &s, NULL, i, b, at);
	return e > 0 ? -ENOENT : e;
}

/* A block of names with room, 1; or the number that a new one gets, 0. */
static bool leaf_pick(struct xfs_dop *o, struct xfs_txbuf *leaf, u32 *db)
{
	u32 n, need = xfs_dd_size(o->len);
	const be16 *best = xfs_dirleaf_bests(o->sb, leaf, &n);

	for (*db = 0; *db < n; ++*db)
		if (be16_get(best[*db]) != XFS_DIR_NULL_BEST && be16_get(best[*db]) >= need)
			return true;
	for (*db = 0; *db < n && be16_get(best[*db]) != XFS_DIR_NULL_BEST;)
		++*db;
	return false;
}

/* Bytes of a leaf with so many entries and blocks of names. */
static u32 leaf_bytes(u32 entries, u32 bests)
{
	return (u32)(sizeof(struct xfs_ddir_leaf) + entries * sizeof(struct xfs_ddir_ent)) + 4 +
	       2 * bests;
}

/* There is room in LEAF for another entry, and for block DB in the table: stale ones may go. */
static bool leaf_room(struct xfs_dop *o, struct xfs_txbuf *leaf, u32 db)
{
	struct xfs_ents s = xfs_dirleaf_ents(leaf);
	u32 n;

	xfs_dirleaf_bests(o->sb, leaf, &n);
	n = max(n, db + 1);
	if (leaf_bytes(s.n + !s.stale, n) <= o->sb->dirblksize)
		return true;
	if (s.stale < 2 || leaf_bytes(s.n - s.stale + 1, n) > o->sb->dirblksize)
		return false;
	xfs_ents_pack(&s, 1);
	xfs_dirleaf_set(o, leaf, &s, (struct xfs_ents_range){ 0, s.n });
	return leaf_bytes(s.n + !s.stale, n) <= o->sb->dirblksize;
}

int xfs_dirleaf_add(struct xfs_dop *o)
{
	struct xfs_txbuf *leaf, *b;
	struct xfs_ents_range r;
	struct xfs_ents s;
	u32 i, at, db, n;
	bool old;
	int e = leaf_find(o, &leaf, &i, &b, &at);

	if (e != -ENOENT)
		return e ?: -EEXIST;
	old = leaf_pick(o, leaf, &db);
	e = old ? 0 : xfs_dop_grow(o);
	if (!e && !leaf_room(o, leaf, db))
		e = -EFBIG;
	e = e ?: old ? xfs_dd_get(o, db, &b) : xfs_dd_new(o, db, &b);
	e = e ?: xfs_dd_find(o, b, xfs_dd_size(o->len), &at);
	if (e)
		return e;
	if (!at)
		return xfs_dop_bad(o, "bests", db);
	s = xfs_dirleaf_ents(leaf);
	r = xfs_ents_put(&s, o->hash, xfs_dir_addr(o->sb, db, at));
	if (!r.hi)
		return xfs_dop_bad(o, "stale", s.stale);
	xfs_dirleaf_set(o, leaf, &s, r);
	xfs_dd_use(o, b, at, at, xfs_dd_size(o->len));
	xfs_dd_put(o, b, at, o->name, o->len, o->ino, o->ftype);
	xfs_dirleaf_bests(o->sb, leaf, &n);
	if (db >= n)
		xfs_dirleaf_set_bests(o, leaf, db + 1);
	set_best(o, leaf, db, xfs_dd_best(b));
	return 0;
}

/* Block DB of names, all free, goes. */
static int leaf_drop(struct xfs_dop *o, struct xfs_txbuf *leaf, u32 db, struct xfs_txbuf *b)
{
	u32 n;
	const be16 *best = xfs_dirleaf_bests(o->sb, leaf, &n);
	int e = xfs_dd_drop(o, db, b);

	if (e)
		return e;
	set_best(o, leaf, db, XFS_DIR_NULL_BEST);
	if (db + 1 < n)
		return 0;
	while (n && be16_get(best[n - 1]) == XFS_DIR_NULL_BEST)
		n--;
	xfs_dirleaf_set_bests(o, leaf, n);
	xfs_dd_set_size(o, n);
	return 0;
}

int xfs_dirleaf_remove(struct xfs_dop *o)
{
	struct xfs_txbuf *leaf, *b;
	struct xfs_dirent d;
	struct xfs_ents s;
	u32 i, at, db, n;
	int e = leaf_find(o, &leaf, &i, &b, &at);

	if (e)
		return e;
	s = xfs_dirleaf_ents(leaf);
	db = xfs_dir_addr_db(o->sb, be32_get(s.e[i].addr));
	xfs_dirleaf_bests(o->sb, leaf, &n);
	if (db >= n)
		return xfs_dop_bad(o, "bestcount", n);
	if (!xfs_dir_data_entry(o->sb, b->data, db, at, &d) || d.ino != o->ino)
		return -ENOENT;
	s.e[i].addr = be32_make(0);
	s.stale++;
	xfs_dirleaf_set(o, leaf, &s, (struct xfs_ents_range){ i, i + 1 });
	xfs_dd_free(o, b, at, xfs_dd_size(o->len));
	set_best(o, leaf, db, xfs_dd_best(b));
	if (db && xfs_dd_empty(o->sb, b) && xfs_fork_may_free(o->tx, false, 1))
		e = leaf_drop(o, leaf, db, b);
	return e ?: xfs_dirleaf_to_block(o, leaf);
}

int xfs_dirleaf_replace(struct xfs_dop *o)
{
	struct xfs_txbuf *leaf, *b;
	u32 i, at;
	int e = leaf_find(o, &leaf, &i, &b, &at);

	if (!e)
		xfs_dd_set_ino(o, b, at);
	return e;
}

/* The hashes go to the end of block 0, the only one of names, where a free piece is. */
static int join_block(struct xfs_dop *o, struct xfs_txbuf *leaf)
{
	struct xfs_ents s = xfs_dirleaf_ents(leaf), to = { .n = 0 };
	u32 need = (s.n - s.stale) * (u32)sizeof(*s.e) + (u32)sizeof(struct xfs_ddir_tail);
	u32 from = 0, end = o->sb->dirblksize;
	struct xfs_txbuf *b;
	int e = xfs_dd_get(o, 0, &b);

	if (e || xfs_dd_tail(o, b, &from) < need || xfs_dir_data_is_block(b->data))
		return e;
	xfs_dd_use(o, b, from, end - need, need);
	((struct xfs_ddir_blk *)b->data)->magic = be32_make(XFS_DIR_BLOCK_MAGIC);
	to.e = (void *)(b->data + end - need);
	for (u32 i = 0; i < s.n; i++)
		if (be32_get(s.e[i].addr) && to.n < s.n - s.stale)
			to.e[to.n++] = s.e[i];
	if (to.n != s.n - s.stale)
		return xfs_dop_bad(o, "stale", s.stale);
	xfs_dirblk_set(o, b, &to);
	xfs_dd_rescan(o, b);
	e = xfs_fork_shrink(o->tx, o->dp, false, xfs_dir_leaf_off(o->sb), leaf);
	return e ?: xfs_dirblk_to_short(o, b);
}

int xfs_dirleaf_to_block(struct xfs_dop *o, struct xfs_txbuf *leaf)
{
	u32 n;
	const be16 *best = xfs_dirleaf_bests(o->sb, leaf, &n);

	/* Blocks at the end that could not be freed when they became empty. */
	while (n > 1 && be16_get(best[n - 1]) == o->sb->dirblksize - XFS_DD_HEAD &&
	       xfs_fork_may_free(o->tx, false, 1)) {
		struct xfs_txbuf *b;
		int e = xfs_dd_get(o, n - 1, &b);

		if (!e && !xfs_dd_empty(o->sb, b))
			e = xfs_dop_bad(o, "bests", n - 1);
		e = e ?: leaf_drop(o, leaf, n - 1, b);
		if (e)
			return e;
		best = xfs_dirleaf_bests(o->sb, leaf, &n);
	}
	return n == 1 && xfs_fork_may_free(o->tx, false, 2) ? join_block(o, leaf) : 0;
}

/* The table of free space gets a block of its own. */
int xfs_dirleaf_to_node(struct xfs_dop *o)
{
	struct xfs_txbuf *leaf, *fb;
	struct xfs_ddir_free *h;
	const be16 *best;
	u32 n, used = 0;
	int e = xfs_dop_grow(o);

	e = e ?: leaf_get(o, &leaf);
	e = e ?: xfs_dirfree_new(o, 0, &fb);
	if (e)
		return e;
	best = xfs_dirleaf_bests(o->sb, leaf, &n);
	if (n > xfs_dirfree_max(o->sb))
		return xfs_dop_bad(o, "bestcount", n);
	h = (void *)fb->data;
	for (u32 i = 0; i < n; i++) {
		h->best[i] = best[i];
		used += be16_get(best[i]) != XFS_DIR_NULL_BEST;
	}
	h->nvalid = be32_make(n);
	h->nused = be32_make(used);
	xfs_tx_log_all(o->tx, fb);
	leaf_of(leaf)->h.magic = be16_make(XFS_DIR_LEAFN_MAGIC);
	xfs_tx_log(o->tx, leaf, 0, sizeof(struct xfs_ddir_leaf));
	return 0;
}
