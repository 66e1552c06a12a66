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

/* Blocks of a level with N entries. */
static u32 blocks_of(const struct xfs_repair *r, enum xfs_bt kind, u32 level, u32 n)
{
	u32 most = xfs_bt_max(r->sb, &xfs_bt_shapes[kind], level);
	u32 nb = DIV_ROUND_UP(n, max(most - most / 4, 1u));

	while (nb > 1 && n / nb < most / 2)
		nb--;
	return max(nb, 1u);
}

void xfs_new_tree_size(const struct xfs_repair *r, struct xfs_new_tree *t)
{
	u32 n = t->n;

	t->levels = t->blocks = 0;
	do {
		n = blocks_of(r, t->kind, t->levels++, n);
		t->blocks += n;
	} while (n > 1);
}

/* ---- blocks ---- */

/*
 * The part of free extent V that may be written now, at its beginning or its end, but not all of
 * it: then it stays an extent.
 */
static u32 usable(struct xfs_repair *r, u64 v, u32 *agb)
{
	u32 start = (u32)(v >> 32), len = (u32)v, n;

	*agb = start;
	n = xfs_busy_trim(&r->mp->fs, r->ag->agno, agb, len, false);
	if (*agb != start && *agb + n != start + len)
		return 0;
	if (n == len)
		n--;
	return n;
}

/* Free blocks that are left, so that the free list can be filled meanwhile. */
#define LEFT (6u * XFS_BT_MAXLEVELS)

int xfs_pick_blocks(struct xfs_repair *r, u32 want, bool counted)
{
	u64 all = 0;

	for (u32 i = 0; i < r->free.n; i++)
		all += (u32)r->free.v[i];
	if (all < (u64)want + LEFT || (counted && xfs_counts_of(r->mp).fdblocks < want))
		return -ENOSPC;
	while (want) {
		u32 best = 0, at = 0, i, len;
		u64 *v;

		for (i = 0; i < r->free.n && best < want; i++) {
			u32 agb, n = (u32)r->free.v[i] > best + 1 ? usable(r, r->free.v[i], &agb) :
								    0;

			if (n > best) {
				best = n;
				at = i;
			}
		}
		if (!best || r->nr_pieces == XFS_PIECES)
			return -ENOSPC;
		v = &r->free.v[at];
		len = min(usable(r, *v, &i), want);
		if (i == (u32)(*v >> 32)) {
			*v = xfs_pair(i + len, (u32)*v - len);
		} else {
			i = (u32)(*v >> 32) + (u32)*v - len;
			*v -= len;
		}
		r->piece[r->nr_pieces].agb = i;
		r->piece[r->nr_pieces++].len = len;
		want -= len;
	}
	return 0;
}

static u32 next_block(struct xfs_repair *r)
{
	u32 agb = r->piece[r->at_piece].agb + r->at_block;

	if (++r->at_block == r->piece[r->at_piece].len) {
		r->at_piece++;
		r->at_block = 0;
	}
	return agb;
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

	if (t->kind == XFS_BT_BNO) {
		xfs_put64(rec, v[i]);
	} else if (t->kind == XFS_BT_CNT) {
		xfs_put64(rec, v[i] << 32 | v[i] >> 32);
	} else {
		xfs_put64(rec, v[2 * i]);
		if (t->kind == XFS_BT_REFC)
			xfs_put32(rec + 8, (u32)v[2 * i + 1]);
		else
			xfs_put64(rec + 8, v[2 * i + 1]);
	}
}

/* N entries from FIRST on; the key of the block. */
static void put_entries(struct load *l, u32 first, u32 n, struct xfs_bt_key *key)
{
	u32 most = xfs_bt_max(l->r->sb, l->s, l->level), size = l->level ? l->s->key : l->s->rec;
	u8 *p = l->p + sizeof(struct xfs_dbt_short);

	for (u32 i = 0; i < n; i++) {
		if (!l->level) {
			put_rec(l->t, first + i, p + (size_t)i * size);
			continue;
		}
		memcpy(p + (size_t)i * size, l->below_keys + (size_t)(first + i) * size, size);
		xfs_put32(p + (size_t)most * size + (size_t)i * 4, l->below[first + i]);
	}
	if (l->level)
		memcpy(key->b, p, size);
	else if (n)
		l->s->key_of(p, key);
}

static int put_block(struct load *l, u32 i, u32 first, u32 n)
{
	const struct xfs_sb *sb = l->r->sb;
	u64 daddr = xfs_agb_daddr(sb, l->r->ag->agno, l->at[i]);
	struct xfs_dbt_short d = {
		.magic = be32_make(l->s->magic),
		.level = be16_make((u16)l->level),
		.numrecs = be16_make((u16)n),
		.left = be32_make(i ? l->at[i - 1] : XFS_NULL32),
		.right = be32_make(i + 1 < l->nb ? l->at[i + 1] : XFS_NULL32),
		.blkno = be64_make(daddr),
		.owner = be32_make(l->r->ag->agno),
	};
	struct xfs_bt_key key = { 0 };

	memcpy(d.uuid, sb->meta_uuid, sizeof(d.uuid));
	memset(l->p, 0, sb->blocksize);
	memcpy(l->p, &d, sizeof(d));
	put_entries(l, first, n, &key);
	memcpy(l->keys + (size_t)i * l->s->key, key.b, l->s->key);
	xfs_block_stamp(sb, l->s->kind, l->p, sb->blocksize, 0);
	/* As a free block nobody has it; what it was once may still be in memory. */
	xfs_cache_forget(&l->r->mp->cache, daddr, sb->blocksize);
	cond_resched();
	return xfs_write_raw(l->r->mp->sb->s_bdev, daddr, l->p, sb->blocksize);
}

static int put_level(struct load *l)
{
	u32 first = 0;
	int e = 0;

	l->nb = blocks_of(l->r, l->t->kind, l->level, l->n);
	l->at = kvmalloc_array(l->nb, sizeof(*l->at), GFP_NOFS);
	l->keys = kvmalloc_array(l->nb, l->s->key, GFP_NOFS);
	if (!l->at || !l->keys)
		return -ENOMEM;
	for (u32 i = 0; i < l->nb; i++)
		l->at[i] = next_block(l->r);
	for (u32 i = 0; !e && i < l->nb; i++) {
		u32 n = l->n / l->nb + (i < l->n % l->nb);

		e = put_block(l, i, first, n);
		first += n;
	}
	return e;
}

int xfs_load_tree(struct xfs_repair *r, struct xfs_new_tree *t)
{
	struct load l = { .r = r, .t = t, .s = &xfs_bt_shapes[t->kind], .n = t->n };
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
	kvfree(l.below);
	kvfree(l.below_keys);
	kfree(l.p);
	return e;
}
