// SPDX-License-Identifier: MIT
/*
 * A tree of records that are in memory, level by level from the leaves up. Blocks of a level get
 * the same number of entries, but for one: three quarters of what fits, so that changes soon after
 * do not split each, and at least half, as whoever changes trees leaves them.
 */
#include "fs/xfs/repair/repair.h"
#include "fs/xfs/format/stamp.h"
#include <alloc/slab.h>
#include <lib/minmax.h>
#include <sched/task.h>

static const struct xfs_bt_shape *shape_of(const struct xfs_new_tree *t)
{
	return t->ino ? &xfs_bmbt_shape : &xfs_bt_shapes[t->kind];
}

/* Blocks of a level with N entries. */
static u32 blocks_of(const struct xfs_repair *r, const struct xfs_new_tree *t, u32 level, u32 n)
{
	u32 most = xfs_bt_max(r->sb, shape_of(t), level);
	u32 nb = DIV_ROUND_UP(n, max(most - most / 4, 1u));

	while (nb > 1 && n / nb < most / 2)
		nb--;
	return max(nb, 1u);
}

/* Entries of the root in an inode. */
static u32 iroot_most(const struct xfs_new_tree *t)
{
	return (t->iroot_size - (u32)sizeof(struct xfs_dbmdr)) / 16;
}

void xfs_new_tree_size(const struct xfs_repair *r, struct xfs_new_tree *t)
{
	u32 n = t->n, top = t->ino ? iroot_most(t) : 1;

	t->levels = t->blocks = 0;
	do {
		n = blocks_of(r, t, t->levels++, n);
		t->blocks += n;
	} while (n > top);
}

/* ---- blocks ---- */

/*
 * The part of free extent V that may be written now, at its beginning or its end; not all of it,
 * unless WHOLE: then it stays an extent.
 */
static u32 usable(struct xfs_repair *r, u64 v, bool whole, u32 *agb)
{
	u32 start = (u32)(v >> 32), len = (u32)v, n;

	*agb = start;
	n = xfs_busy_trim(&r->mp->fs, r->ag->agno, agb, len, false);
	if (*agb != start && *agb + n != start + len)
		return 0;
	if (n == len && !whole)
		n--;
	return n;
}

/* What is usable of each free extent, with its place in the list, by length; *SUM of all. */
static int usable_all(struct xfs_repair *r, bool whole, struct xfs_list *l, u64 *sum)
{
	int e = 0;

	l->n = 0;
	*sum = 0;
	for (u32 i = 0; !e && i < r->free.n; i++) {
		u32 agb, n = usable(r, r->free.v[i], whole, &agb);

		*sum += n;
		e = n ? xfs_list_add(l, xfs_pair(n, i)) : 0;
	}
	xfs_list_sort(l);
	return e;
}

/* LEN blocks of free extent *V become a piece. What was usable only ever grows. */
static int take_piece(struct xfs_repair *r, u64 *v, bool whole, u32 len)
{
	u32 start = (u32)(*v >> 32), left = (u32)*v - len, agb;
	u32 n = usable(r, *v, whole, &agb);

	if (n < len)
		return -ENOSPC;
	if (agb == start) {
		*v = xfs_pair(start + len, left);
	} else {
		agb = start + left;
		*v = xfs_pair(start, left);
	}
	return xfs_list_add(&r->pieces, xfs_pair(agb, len));
}

/* Those that went are no extents any more. */
static void forget_taken(struct xfs_list *l)
{
	u32 to = 0;

	for (u32 i = 0; i < l->n; i++)
		if ((u32)l->v[i])
			l->v[to++] = l->v[i];
	l->n = to;
}

/* Free blocks that are left, so that the free list can be filled meanwhile. */
#define LEFT (6u * XFS_BT_MAXLEVELS)

static int pick(struct xfs_repair *r, u32 want)
{
	struct xfs_list by_len = { 0 };
	bool whole = false;
	u64 sum;
	int e = usable_all(r, whole, &by_len, &sum);

	if (!e && sum < want) {
		whole = true;
		e = usable_all(r, whole, &by_len, &sum);
	}
	if (!e && sum < want)
		e = -ENOSPC;
	for (u32 i = by_len.n; !e && want; i--) {
		u32 len = min((u32)(by_len.v[i - 1] >> 32), want);

		e = take_piece(r, &r->free.v[(u32)by_len.v[i - 1]], whole, len);
		want -= len;
	}
	xfs_list_free(&by_len);
	forget_taken(&r->free);
	return e;
}

/* Log for N pieces: what each may take; at most all blocks that the AG's trees then have. */
static void ask_for_more(struct xfs_repair *r, u32 n)
{
	u64 each = (u64)DIV_ROUND_UP(n, XFS_PART_PIECES) * r->mp->res[XFS_RES_TRUNCATE].bytes;
	u64 blocks = (u64)r->own.n + r->old.n + r->rmap_blocks + 3ull * n;

	r->more_pieces = n;
	r->more_bytes = min(each, blocks * (r->sb->blocksize + 128));
}

int xfs_pick_blocks(struct xfs_repair *r, u32 want, bool counted)
{
	u64 all = 0;
	int e;

	for (u32 i = 0; i < r->free.n; i++)
		all += (u32)r->free.v[i];
	if (all < (u64)want + LEFT || (counted && xfs_counts_of(r->mp).fdblocks < want))
		return -ENOSPC;
	e = pick(r, want);
	if (e || r->pieces.n <= r->most_pieces)
		return e;
	ask_for_more(r, r->pieces.n + r->pieces.n / 4);
	return -E2BIG;
}

/* The block after those that are taken; false: there is none. */
static bool next_free(struct xfs_repair *r, u32 *agb)
{
	if (r->at_piece == r->pieces.n)
		return false;
	*agb = (u32)(r->pieces.v[r->at_piece] >> 32) + r->at_block;
	if (++r->at_block == (u32)r->pieces.v[r->at_piece]) {
		r->at_piece++;
		r->at_block = 0;
	}
	return true;
}

int xfs_spare_blocks(struct xfs_repair *r)
{
	u32 agb, had = r->old.n;
	int e = 0;

	while (!e && next_free(r, &agb))
		e = xfs_list_add(&r->old, agb);
	if (r->old.n != had)
		xfs_list_sort(&r->old);
	return e;
}

/* ---- writing ---- */

struct load {
	struct xfs_repair *r;
	const struct xfs_new_tree *t;
	const struct xfs_bt_shape *s;
	u8 *p;				/* the block */
	u32 level, n, nb;		/* entries of the level, and blocks */
	/* Of the blocks of this level, and of the one below, which are its entries. */
	u32 *at, *below;
	u8 *keys, *below_keys;
};

static void put_rec(const struct xfs_new_tree *t, u32 i, u8 *rec)
{
	const u64 *v = t->recs->v;

	if (!t->ino && t->kind == XFS_BT_BNO) {
		xfs_put64(rec, v[i]);
	} else if (!t->ino && t->kind == XFS_BT_CNT) {
		xfs_put64(rec, v[i] << 32 | v[i] >> 32);
	} else {
		xfs_put64(rec, v[2 * i]);
		if (!t->ino && t->kind == XFS_BT_REFC)
			xfs_put32(rec + 8, (u32)v[2 * i + 1]);
		else
			xfs_put64(rec + 8, v[2 * i + 1]);
	}
}

static u32 head_size(const struct xfs_bt_shape *s)
{
	return s->wide ? sizeof(struct xfs_dbt_long) : sizeof(struct xfs_dbt_short);
}

/* The I-th pointer of those at P. */
static void put_ptr(const struct load *l, u8 *p, u32 i, u32 agb)
{
	if (l->s->wide)
		xfs_put64(p + (size_t)i * 8, xfs_fsb_make(l->r->sb, l->r->ag->agno, agb));
	else
		xfs_put32(p + (size_t)i * 4, agb);
}

/* N entries from FIRST on; the key of the block. */
static void put_entries(struct load *l, u32 first, u32 n, struct xfs_bt_key *key)
{
	u32 most = xfs_bt_max(l->r->sb, l->s, l->level), size = l->level ? l->s->key : l->s->rec;
	u8 *p = l->p + head_size(l->s);

	for (u32 i = 0; i < n; i++) {
		if (!l->level) {
			put_rec(l->t, first + i, p + (size_t)i * size);
			continue;
		}
		memcpy(p + (size_t)i * size, l->below_keys + (size_t)(first + i) * size, size);
		put_ptr(l, p + (size_t)most * size, i, l->below[first + i]);
	}
	if (l->level)
		memcpy(key->b, p, size);
	else if (n)
		l->s->key_of(p, key);
}

/* The head of a short block, of N entries, the I-th of its level, at DADDR. */
static void put_short(struct load *l, u32 i, u32 n, u64 daddr)
{
	struct xfs_dbt_short d = {
		.magic = be32_make(l->s->magic),
		.level = be16_make((u16)l->level),
		.numrecs = be16_make((u16)n),
		.left = be32_make(i ? l->at[i - 1] : XFS_NULL32),
		.right = be32_make(i + 1 < l->nb ? l->at[i + 1] : XFS_NULL32),
		.blkno = be64_make(daddr),
		.owner = be32_make(l->r->ag->agno),
	};

	memcpy(d.uuid, l->r->sb->meta_uuid, sizeof(d.uuid));
	memcpy(l->p, &d, sizeof(d));
}

static u64 sibling(const struct load *l, bool there, u32 i)
{
	return there ? xfs_fsb_make(l->r->sb, l->r->ag->agno, l->at[i]) : XFS_NULL64;
}

/* The same of a block of a fork. */
static void put_long(struct load *l, u32 i, u32 n, u64 daddr)
{
	struct xfs_dbt_long d = {
		.magic = be32_make(l->s->magic),
		.level = be16_make((u16)l->level),
		.numrecs = be16_make((u16)n),
		.left = be64_make(sibling(l, i, i - 1)),
		.right = be64_make(sibling(l, i + 1 < l->nb, i + 1)),
		.blkno = be64_make(daddr),
		.owner = be64_make(l->t->ino),
	};

	memcpy(d.uuid, l->r->sb->meta_uuid, sizeof(d.uuid));
	memcpy(l->p, &d, sizeof(d));
}

static int put_block(struct load *l, u32 i, u32 first, u32 n)
{
	const struct xfs_sb *sb = l->r->sb;
	u64 daddr = xfs_agb_daddr(sb, l->r->ag->agno, l->at[i]);
	struct xfs_bt_key key = { 0 };

	memset(l->p, 0, sb->blocksize);
	if (l->s->wide)
		put_long(l, i, n, daddr);
	else
		put_short(l, i, n, daddr);
	put_entries(l, first, n, &key);
	memcpy(l->keys + (size_t)i * l->s->key, key.b, l->s->key);
	xfs_block_stamp(sb, l->s->kind, l->p, sb->blocksize, 0);
	/* As a free block nobody has it; what it was once may still be in memory. */
	xfs_cache_forget(&l->r->mp->cache, daddr, sb->blocksize);
	cond_resched();
	return xfs_write_raw(l->r->mp->sb->s_bdev, daddr, l->p, sb->blocksize);
}

/* The root in the inode, which has the blocks of the highest level. */
static void put_iroot(struct load *l)
{
	const struct xfs_new_tree *t = l->t;
	u8 *p = t->iroot + sizeof(struct xfs_dbmdr);
	const struct xfs_dbmdr d = { be16_make((u16)t->levels), be16_make((u16)l->n) };

	memcpy(t->iroot, &d, sizeof(d));
	memcpy(p, l->below_keys, (size_t)l->n * l->s->key);
	for (u32 i = 0; i < l->n; i++)
		put_ptr(l, p + (size_t)iroot_most(t) * l->s->key, i, l->below[i]);
}

static int put_level(struct load *l)
{
	u32 first = 0;
	int e = 0;

	l->nb = blocks_of(l->r, l->t, l->level, l->n);
	l->at = kvmalloc_array(l->nb, sizeof(*l->at), GFP_NOFS);
	l->keys = kvmalloc_array(l->nb, l->s->key, GFP_NOFS);
	if (!l->at || !l->keys)
		return -ENOMEM;
	for (u32 i = 0; i < l->nb; i++)
		if (WARN_ON_ONCE(!next_free(l->r, &l->at[i])))
			return -ENOSPC;
	for (u32 i = 0; !e && i < l->nb; i++) {
		u32 n = l->n / l->nb + (i < l->n % l->nb);

		e = put_block(l, i, first, n);
		first += n;
	}
	return e;
}

int xfs_load_tree(struct xfs_repair *r, struct xfs_new_tree *t)
{
	struct load l = { .r = r, .t = t, .s = shape_of(t), .n = t->n };
	int e = 0;

	l.p = kmalloc(r->sb->blocksize, GFP_NOFS);
	if (!l.p)
		return -ENOMEM;
	for (; !e && l.level < t->levels; l.level++) {
		e = put_level(&l);
		if (!e)
			t->root = l.at[0];
		kvfree(l.below);
		kvfree(l.below_keys);
		l.below = l.at;
		l.below_keys = l.keys;
		l.at = NULL;
		l.keys = NULL;
		l.n = l.nb;
	}
	if (!e && t->ino)
		put_iroot(&l);
	kvfree(l.below);
	kvfree(l.below_keys);
	kfree(l.p);
	return e;
}
