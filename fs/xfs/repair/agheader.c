// SPDX-License-Identifier: MIT
/*
 * AGF and AGI. Of the old AGF only the root of the tree of owners is believed, and then what that
 * tree says of itself. Roots are found among the blocks of their owner: those without neighbours
 * whose tree has what it must have: all free space, or all blocks of the owner.
 */
#include "fs/xfs/repair/repair.h"
#include "fs/xfs/inode/inode.h"
#include <alloc/slab.h>
#include <lib/minmax.h>

static struct xfs_dagf *agf_of(struct xfs_repair *r)
{
	return (struct xfs_dagf *)r->old_agf.tx.data;
}

static struct xfs_dagi *agi_of(struct xfs_repair *r)
{
	return (struct xfs_dagi *)r->old_agi.tx.data;
}

/* The header in sector SECTOR as it is, into B's data, whatever it says. */
static int copy_header(struct xfs_repair *r, const struct xfs_txbuf *locked, u32 sector,
		       struct xfs_buf *b)
{
	u64 daddr = xfs_agb_daddr(r->sb, r->ag->agno, 0) + sector * (r->sb->sectsize / XFS_SECTOR);

	b->tx.data = kmalloc(r->sb->sectsize, GFP_NOFS);
	if (!b->tx.data)
		return -ENOMEM;
	if (!locked)
		return xfs_read_raw(r->mp->sb->s_bdev, daddr, b->tx.data, r->sb->sectsize);
	memcpy(b->tx.data, locked->data, r->sb->sectsize);
	return 0;
}

static void set_root(struct xfs_repair *r, enum xfs_bt kind, u32 root, u32 levels)
{
	struct xfs_dagf *f = agf_of(r);
	struct xfs_dagi *i = agi_of(r);
	be32 n = be32_make(root), l = be32_make(levels);

	switch (kind) {
	case XFS_BT_BNO:
		f->bno_root = n;
		f->bno_level = l;
		break;
	case XFS_BT_CNT:
		f->cnt_root = n;
		f->cnt_level = l;
		break;
	case XFS_BT_RMAP:
		f->rmap_root = n;
		f->rmap_level = l;
		break;
	case XFS_BT_REFC:
		f->refc_root = n;
		f->refc_level = l;
		break;
	case XFS_BT_INO:
		i->root = n;
		i->level = l;
		break;
	default:
		i->free_root = n;
		i->free_level = l;
	}
}

/* Block AGB becomes the root. False: it cannot be one. */
static bool try_root(struct xfs_repair *r, enum xfs_bt kind, u32 agb, int *e)
{
	struct xfs_run run = { xfs_agb_daddr(r->sb, r->ag->agno, agb),
			       r->sb->blocksize / XFS_SECTOR };
	struct xfs_bt_block h;
	struct xfs_blk b;

	if (!xfs_agb_ok(r->sb, r->ag->agno, agb))
		return false;
	*e = xfs_scrub_get_block(&r->sc, (enum xfs_kind)(XFS_BLK_BT + kind), &run, 1, &b);
	if (*e) {
		if (*e == -XFS_CORRUPT)
			*e = 0;
		return false;
	}
	xfs_bt_head(b.data, &h);
	xfs_buf_put(&r->mp->cache, &b);
	set_root(r, kind, agb, h.level + 1);
	return h.left == XFS_NULL32 && h.right == XFS_NULL32;
}

/* The tree of that root is sound; its blocks are in L, sorted, of which the owner has N. */
static int judge_tree(struct xfs_repair *r, enum xfs_bt kind, struct xfs_list *l)
{
	int e;

	if (kind == XFS_BT_BNO || kind == XFS_BT_CNT)
		e = xfs_repair_same_space(r, kind);
	else
		e = xfs_repair_sound(r, kind == XFS_BT_INO  ? XFS_SCRUB_INOBT :
					kind == XFS_BT_FINO ? XFS_SCRUB_FINOBT :
							      XFS_SCRUB_REFCNTBT);
	l->n = 0;
	e = e ?: xfs_repair_blocks(r, kind, l);
	xfs_list_sort(l);
	return e;
}

/*
 * The root of KIND among the blocks of FROM, out of which all of the tree's go; *BLOCKS: how many.
 */
static int find_root(struct xfs_repair *r, enum xfs_bt kind, struct xfs_list *from, bool all,
		     u32 *blocks)
{
	struct xfs_list l = { 0 };
	int e = 0;

	for (u32 i = 0; !e && i < from->n; i++) {
		if (!try_root(r, kind, (u32)from->v[i], &e))
			continue;
		e = judge_tree(r, kind, &l);
		if (!e && (!all || l.n == from->n)) {
			*blocks = l.n;
			e = xfs_list_subtract(from, &l);
			xfs_list_free(&l);
			return e;
		}
		if (e == -XFS_CORRUPT)
			e = 0;
	}
	xfs_list_free(&l);
	return e ?: -XFS_CORRUPT;
}

/* ---- AGF ---- */

static void begin_agf(struct xfs_repair *r)
{
	struct xfs_dagf *d = agf_of(r), old = *d;

	memset(d, 0, r->sb->sectsize);
	d->magic = be32_make(XFS_AGF_MAGIC);
	d->version = be32_make(1);
	d->seqno = be32_make(r->ag->agno);
	d->length = be32_make(r->ag->length);
	d->rmap_root = old.rmap_root;
	memcpy(d->uuid, r->sb->meta_uuid, sizeof(d->uuid));
}

static int find_all(struct xfs_repair *r)
{
	struct xfs_dagf *d = agf_of(r);
	u32 bno = 0, cnt = 0, refc = 0, sum = 0, longest = 0;
	int e = 0;

	if (!try_root(r, XFS_BT_RMAP, be32_get(d->rmap_root), &e))
		return e ?: -XFS_CORRUPT;
	e = xfs_gather_owners(r);
	e = e ?: find_root(r, XFS_BT_BNO, &r->own, false, &bno);
	e = e ?: find_root(r, XFS_BT_CNT, &r->own, false, &cnt);
	if (!e && xfs_scrub_has(&r->sc, XFS_BT_REFC))
		e = find_root(r, XFS_BT_REFC, &r->refc, true, &refc);
	if (e)
		return e;
	for (u32 i = 0; i < r->free.n; i++) {
		sum += (u32)r->free.v[i];
		longest = max(longest, (u32)r->free.v[i]);
	}
	d->freeblks = be32_make(sum);
	d->longest = be32_make(longest);
	d->rmap_blocks = be32_make(r->rmap_blocks);
	d->refc_blocks = be32_make(refc);
	d->btreeblks = be32_make(r->rmap_blocks + bno + cnt - 3);
	return 0;
}

/* What was found becomes the header, and what the trees leave of their owner's blocks the list. */
static int write_agf(struct xfs_repair *r)
{
	u32 bbs = r->sb->sectsize / XFS_SECTOR;
	s64 was = (s64)r->ag->freeblks + r->ag->flcount + r->ag->btreeblks;
	struct xfs_agop op;
	int e = 0;

	if (!r->agf)
		e = xfs_tx_get(r->tx, XFS_BLK_AGF, xfs_agb_daddr(r->sb, r->ag->agno, 0) + bbs, bbs,
			       XFS_GET_NEW, &r->agf);
	if (e)
		return e;
	memcpy(r->agf->data, agf_of(r), r->sb->sectsize);
	xfs_tx_log_all(r->tx, r->agf);
	xfs_agop_open(&op, r->tx, r->ag->agno, r->agf);
	e = xfs_write_agfl(r, &op);
	xfs_agf_log(&op);
	xfs_agop_close(&op);
	r->tx->fdblocks += (s64)r->ag->freeblks + r->ag->flcount + r->ag->btreeblks - was;
	r->ag->agf_known = true;
	return e ?: xfs_reap(r);
}

int xfs_repair_agf(struct xfs_repair *r)
{
	int e = copy_header(r, r->agf, 1, &r->old_agf);

	if (e)
		return e;
	begin_agf(r);
	r->sc.agf = &r->old_agf;
	e = find_all(r);
	return e ?: write_agf(r);
}

/* ---- AGI ---- */

struct lists {				/* of inodes without names, as memory has them */
	u32 head[XFS_AGI_BUCKETS], n[XFS_AGI_BUCKETS];
	u32 count, free;
	bool bad;
};

static void add_listed(struct xfs_repair *r, struct lists *l, u32 agino)
{
	struct xfs_ino *ip = xfs_ino_in_memory(&r->mp->fs, xfs_ino_make(r->sb, r->ag->agno, agino));
	u32 k = agino % XFS_AGI_BUCKETS;

	if (!ip)
		return;
	l->n[k]++;
	if (ip->prev_unlinked != XFS_NULL32)
		return;
	l->bad |= l->head[k] != XFS_NULL32;
	l->head[k] = agino;
}

struct chunks {
	struct xfs_repair *r;
	struct lists *l;
};

static int add_chunk(struct xfs_scrub *sc, const struct xfs_bt_rec *rec, void *ctx)
{
	struct chunks *c = ctx;

	(void)sc;
	c->l->count += rec->inodes;
	c->l->free += rec->freecount;
	for (u32 i = 0; i < 64; i++)
		if (!(rec->free >> i & 1))
			add_listed(c->r, c->l, rec->start + i);
	return 0;
}

/* Each list, from its head on, has all that memory has of it. */
static bool complete(struct xfs_repair *r, const struct lists *l, u32 k)
{
	u32 agino = l->head[k], n = 0;

	while (agino != XFS_NULL32 && n <= l->n[k]) {
		struct xfs_ino *ip = NULL;

		if (agino % XFS_AGI_BUCKETS == k && xfs_agino_ok(r->sb, r->ag->agno, agino))
			ip = xfs_ino_in_memory(&r->mp->fs, xfs_ino_make(r->sb, r->ag->agno, agino));
		if (!ip)
			return false;
		agino = ip->node.core.next_unlinked;
		n++;
	}
	return n == l->n[k];
}

static int find_lists(struct xfs_repair *r, struct lists *l)
{
	struct chunks c = { r, l };
	struct xfs_scrub_tree t = {
		.kind = XFS_BT_INO, .rec = add_chunk, .ctx = &c, .last = U32_MAX
	};
	int e;

	memset(l->head, 0xff, sizeof(l->head));
	e = xfs_scrub_walk(&r->sc, &t);
	for (u32 i = 0; !e && i < XFS_AGI_BUCKETS; i++)
		if (l->bad || !complete(r, l, i))
			e = -XFS_CORRUPT;
	return e;
}

static void begin_agi(struct xfs_repair *r)
{
	struct xfs_dagi *d = agi_of(r);

	memset(d, 0, r->sb->sectsize);
	d->magic = be32_make(XFS_AGI_MAGIC);
	d->version = be32_make(1);
	d->seqno = be32_make(r->ag->agno);
	d->length = be32_make(r->ag->length);
	d->newino = be32_make(XFS_NULL32);
	d->dirino = be32_make(XFS_NULL32);
	memcpy(d->uuid, r->sb->meta_uuid, sizeof(d->uuid));
}

static int write_agi(struct xfs_repair *r, const struct lists *l)
{
	u32 bbs = r->sb->sectsize / XFS_SECTOR;
	int e = 0;

	if (!r->agi)
		e = xfs_tx_get(r->tx, XFS_BLK_AGI, xfs_agb_daddr(r->sb, r->ag->agno, 0) + 2 * bbs,
			       bbs, XFS_GET_NEW, &r->agi);
	if (e)
		return e;
	memcpy(r->agi->data, agi_of(r), r->sb->sectsize);
	xfs_tx_log_all(r->tx, r->agi);
	r->tx->icount += (s64)l->count - r->ag->inodes;
	r->tx->ifree += (s64)l->free - r->ag->freeinodes;
	r->ag->inodes = l->count;
	r->ag->freeinodes = l->free;
	r->ag->agi_known = true;
	return 0;
}

static int find_inodes(struct xfs_repair *r, struct lists *l)
{
	bool free = xfs_scrub_has(&r->sc, XFS_BT_FINO),
	     counted = r->sb->ro_compat & XFS_RO_INOBTCNT;
	struct xfs_dagi *d = agi_of(r);
	u32 iblocks = 0, fblocks = 0;
	int e = xfs_gather_owners(r);

	e = e ?: find_root(r, XFS_BT_INO, &r->inobt, !free, &iblocks);
	if (!e && free)
		e = find_root(r, XFS_BT_FINO, &r->inobt, true, &fblocks);
	e = e ?: find_lists(r, l);
	if (e)
		return e;
	d->count = be32_make(l->count);
	d->freecount = be32_make(l->free);
	d->iblocks = be32_make(counted ? iblocks : 0);
	d->fblocks = be32_make(counted ? fblocks : 0);
	for (u32 i = 0; i < XFS_AGI_BUCKETS; i++)
		d->unlinked[i] = be32_make(l->head[i]);
	return 0;
}

int xfs_repair_agi(struct xfs_repair *r)
{
	struct lists *l = kzalloc(sizeof(*l), GFP_NOFS);
	int e = l ? copy_header(r, r->agi, 2, &r->old_agi) : -ENOMEM;

	if (!e) {
		begin_agi(r);
		r->sc.agi = &r->old_agi;
		e = find_inodes(r, l);
	}
	e = e ?: write_agi(r, l);
	kfree(l);
	return e;
}
