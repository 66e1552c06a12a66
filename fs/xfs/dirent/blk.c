// SPDX-License-Identifier: MIT
/*
 * One block with all names and, at its end, their hashes: the array of these grows downwards into
 * the free piece before it.
 */
#include "fs/xfs/dirent/dirent_priv.h"

static struct xfs_ddir_tail *tail_of(const struct xfs_sb *sb, struct xfs_txbuf *b)
{
	return (void *)(b->data + sb->dirblksize - sizeof(struct xfs_ddir_tail));
}

struct xfs_ents xfs_dirblk_ents(const struct xfs_sb *sb, struct xfs_txbuf *b)
{
	struct xfs_ddir_tail *t = tail_of(sb, b);
	u32 n = be32_get(t->count);

	return (struct xfs_ents){ (struct xfs_ddir_ent *)t - n, n, be32_get(t->stale) };
}

void xfs_dirblk_set(struct xfs_dop *o, struct xfs_txbuf *b, const struct xfs_ents *s)
{
	struct xfs_ddir_tail *t = tail_of(o->sb, b);
	struct xfs_ddir_ent *to = (struct xfs_ddir_ent *)t - s->n;

	if (to != s->e)
		memmove(to, s->e, s->n * sizeof(*to));
	t->count = be32_make(s->n);
	t->stale = be32_make(s->stale);
	xfs_tx_log(o->tx, b, (u32)((u8 *)to - b->data), (u32)(b->data + b->len - (u8 *)to));
}

/* The block, and O's name in it: 0, -ENOENT. */
static int blk_find(struct xfs_dop *o, struct xfs_txbuf **b, u32 *i, u32 *at)
{
	struct xfs_txbuf *found;
	struct xfs_ents s;
	int e = xfs_dd_get(o, 0, b);

	if (e)
		return e;
	if (!xfs_dir_data_is_block((*b)->data))
		return xfs_dop_bad(o, "form", o->dp->node.core.size);
	s = xfs_dirblk_ents(o->sb, *b);
	e = xfs_ents_find(o, &s, *b, i, &found, at);
	return e > 0 ? -ENOENT : e;
}

/* Room for one more hash, and for the name at *AT of the piece *FROM. */
static int blk_room(struct xfs_dop *o, struct xfs_txbuf *b, const struct xfs_ents *s, u32 *at)
{
	u32 need = xfs_dd_size(o->len), tail, from = 0;
	int e = xfs_dd_find(o, b, need, at);

	if (e)
		return e;
	if (!*at)
		return -EFBIG;
	if (s->stale)
		return 0;
	tail = xfs_dd_tail(o, b, &from);
	return tail < (*at == from ? need + 8 : 8) ? -EFBIG : 0;
}

int xfs_dirblk_add(struct xfs_dop *o)
{
	struct xfs_txbuf *b;
	struct xfs_ents s;
	u32 i, at, from;
	int e = blk_find(o, &b, &i, &at);

	if (e != -ENOENT)
		return e ?: -EEXIST;
	s = xfs_dirblk_ents(o->sb, b);
	e = blk_room(o, b, &s, &at);
	if (e == -EFBIG && s.stale > 1) {
		u32 old = xfs_dd_end(o->sb, b);

		xfs_ents_pack(&s, 1);
		xfs_dirblk_set(o, b, &s);
		if (xfs_dd_end(o->sb, b) > old)
			xfs_dd_free(o, b, old, xfs_dd_end(o->sb, b) - old);
		e = blk_room(o, b, &s, &at);
	}
	if (e)
		return e;
	xfs_dd_use(o, b, at, at, xfs_dd_size(o->len));
	xfs_dd_put(o, b, at, o->name, o->len, o->ino, o->ftype);
	s = xfs_dirblk_ents(o->sb, b);
	if (!s.stale) {
		if (xfs_dd_tail(o, b, &from) < 8)
			return xfs_dop_bad(o, "free", from);
		xfs_dd_use(o, b, from, xfs_dd_end(o->sb, b) - 8, 8);
		memmove(s.e - 1, s.e, s.n * sizeof(*s.e));
		s.e--;
	}
	if (!xfs_ents_put(&s, o->hash, xfs_dir_addr(o->sb, 0, at)).hi)
		return xfs_dop_bad(o, "stale", s.stale);
	xfs_dirblk_set(o, b, &s);
	return 0;
}

static u64 ino_at(const struct xfs_txbuf *b, u32 at)
{
	be64 v;

	memcpy(&v, b->data + at, sizeof(v));
	return be64_get(v);
}

int xfs_dirblk_remove(struct xfs_dop *o)
{
	struct xfs_txbuf *b;
	struct xfs_ents s;
	u32 i, at;
	int e = blk_find(o, &b, &i, &at);

	if (e)
		return e;
	if (ino_at(b, at) != o->ino)
		return -ENOENT;
	s = xfs_dirblk_ents(o->sb, b);
	s.e[i].addr = be32_make(0);
	tail_of(o->sb, b)->stale = be32_make(s.stale + 1);
	xfs_tx_log(o->tx, b, (u32)((u8 *)(s.e + i) - b->data), sizeof(*s.e));
	xfs_tx_log(o->tx, b, o->sb->dirblksize - 8, 8);
	xfs_dd_free(o, b, at, xfs_dd_size(o->len));
	return xfs_dirblk_to_short(o, b);
}

int xfs_dirblk_replace(struct xfs_dop *o)
{
	struct xfs_txbuf *b;
	u32 i, at;
	int e = blk_find(o, &b, &i, &at);

	if (!e)
		xfs_dd_set_ino(o, b, at);
	return e;
}

/* The hashes get a block of their own. */
int xfs_dirblk_to_leaf(struct xfs_dop *o)
{
	struct xfs_txbuf *b, *leaf;
	struct xfs_da d = { .tx = o->tx, .ip = o->dp };
	struct xfs_ents s, to;
	u32 end;
	int e = xfs_dop_grow(o);

	e = e ?: xfs_dd_get(o, 0, &b);
	e = e	  ?:
		    xfs_fork_new(o->tx, o->dp, false, xfs_dir_leaf_off(o->sb), XFS_BLK_DIR_HASH,
				 &leaf);
	if (e)
		return e;
	xfs_da_init(&d, leaf, XFS_DIR_LEAF1_MAGIC);
	s = xfs_dirblk_ents(o->sb, b);
	to = xfs_dirleaf_ents(leaf);
	memcpy(to.e, s.e, s.n * sizeof(*s.e));
	to.n = s.n;
	to.stale = s.stale;
	xfs_dirleaf_set(o, leaf, &to, (struct xfs_ents_range){ 0, 0 });
	end = xfs_dd_end(o->sb, b);
	((struct xfs_ddir_blk *)b->data)->magic = be32_make(XFS_DIR_DATA_MAGIC);
	xfs_dd_free(o, b, end, o->sb->dirblksize - end);
	xfs_dirleaf_set_bests(o, leaf, 1);
	*xfs_dirleaf_bests(o->sb, leaf, &end) = be16_make((u16)xfs_dd_best(b));
	xfs_tx_log_all(o->tx, leaf);
	return 0;
}
