// SPDX-License-Identifier: MIT
/*
 * Forks of an inode, made anew from what the trees of owners of all AGs say that the inode has. Its
 * lock is held for writing from before they are read until the new forks are committed, and nothing
 * is pending for an AG while it is read: so what is gathered is what the inode has.
 *
 * Extents that fit lie in the inode. Others get a tree, whose blocks are written as those of AGs'
 * trees are (repair.h), in an AG that the transaction has locked; the blocks of the old tree are
 * freed.
 */
#include "fs/xfs/repair/fork.h"
#include <lib/minmax.h>
#include <sched/task.h>

#define EXT_MOST 0x1fffffu		/* blocks of one extent on the disk */

/* ---- what it has ---- */

struct owned {
	struct xfs_repair *r;
	struct xfs_owned *o;
};

static int add_ext(struct xfs_list *l, const struct xfs_ext *x)
{
	u8 rec[16];
	int e;

	xfs_ext_set(rec, x);
	e = xfs_list_add(l, xfs_get64(rec));
	return e ?: xfs_list_add(l, xfs_get64(rec + 8));
}

static int add_exts(struct owned *w, const struct xfs_bt_rec *rec, struct xfs_list *l)
{
	struct xfs_ext x = { .off = rec->offset & XFS_RMAP_OFF,
			     .fsb = xfs_fsb_make(w->r->sb, w->r->ag->agno, rec->start),
			     .unwritten = rec->offset & XFS_RMAP_UNWRITTEN };
	u32 left = rec->count;
	int e = 0;

	while (!e && left) {
		x.count = min(left, EXT_MOST);
		e = add_ext(l, &x);
		x.off += x.count;
		x.fsb += x.count;
		left -= x.count;
	}
	return e;
}

static int add_owned(struct xfs_scrub *sc, const struct xfs_bt_rec *rec, void *ctx)
{
	struct owned *w = ctx;
	struct xfs_owned_fork *f;
	int e = 0;

	(void)sc;
	if (rec->owner != w->o->ino)
		return 0;
	f = &w->o->fork[!!(rec->offset & XFS_RMAP_ATTR)];
	w->o->blocks += rec->count;
	if (!(rec->offset & XFS_RMAP_BMBT))
		return add_exts(w, rec, &f->exts);
	for (u32 i = 0; !e && i < rec->count; i++)
		e = xfs_list_add(&f->tree, xfs_fsb_make(w->r->sb, w->r->ag->agno, rec->start + i));
	return e;
}

static void ext_at(const struct xfs_list *l, u32 i, struct xfs_ext *x)
{
	u8 rec[16];

	xfs_put64(rec, l->v[2 * i]);
	xfs_put64(rec + 8, l->v[2 * i + 1]);
	xfs_ext_get(rec, x);
}

/* Does another file have blocks of the extents from FROM on, which are of SC's AG? Unknown: yes. */
static bool some_shared(struct xfs_scrub *sc, const struct xfs_list *l, u32 from)
{
	bool known = true, shared = false;

	memset(sc->no, 0, sizeof(sc->no));
	for (u32 i = from; known && !shared && i < l->n / 2; i++) {
		struct xfs_ext x;

		ext_at(l, i, &x);
		shared = xfs_scrub_shared(sc, xfs_fsb_agb(&sc->mp->fs.vol.sb, x.fsb), x.count,
					  &known);
	}
	return shared || !known;
}

static int gather_ag(struct owned *w, u32 agno)
{
	struct xfs_repair *r = w->r;
	struct xfs_scrub_tree t = {
		.kind = XFS_BT_RMAP, .rec = add_owned, .ctx = w, .last = U32_MAX
	};
	struct xfs_list *data = &w->o->fork[0].exts;
	u32 had = data->n / 2;
	int e;

	r->ag = xfs_ag_of(&r->mp->fs, agno);
	e = xfs_scrub_lock_ag(&r->sc, agno);
	e = e ?: xfs_repair_sound(r, XFS_SCRUB_RMAPBT);
	e = e ?: xfs_scrub_walk(&r->sc, &t);
	if (!e && !w->o->shared && xfs_scrub_has(&r->sc, XFS_BT_REFC))
		w->o->shared = some_shared(&r->sc, data, had);
	xfs_scrub_unlock_ag(&r->sc);
	return e;
}

/* Sorted, and none over another. */
static int in_order(const struct xfs_sb *sb, struct xfs_list *l, bool attr, u64 limit)
{
	u64 end = 0;

	xfs_list_sort_exts(l);
	for (u32 i = 0; i < l->n / 2; i++) {
		struct xfs_ext x;

		ext_at(l, i, &x);
		if (!xfs_ext_ok(sb, &x) || x.off < end || (attr && x.unwritten))
			return -XFS_CORRUPT;
		end = x.off + x.count;
	}
	return end > limit ? -XFS_CORRUPT : 0;
}

int xfs_gather_inode(struct xfs_repair *r, struct xfs_owned *o, bool dir)
{
	u32 ags = smp_load_acquire(&r->mp->fs.vol.sb.agcount);
	struct owned w = { r, o };
	int e = 0;

	for (u32 i = 0; !e && i < ags; i++) {
		e = fatal_signal_pending(current) ? -EINTR : gather_ag(&w, i);
		cond_resched();
	}
	e = e ?: in_order(r->sb, &o->fork[0].exts, false, dir ? 1ull << 32 : XFS_OFF_MAX);
	return e ?: in_order(r->sb, &o->fork[1].exts, true, 1ull << 32);
}

void xfs_owned_end(struct xfs_owned *o)
{
	for (u32 i = 0; i < 2; i++) {
		xfs_list_free(&o->fork[i].exts);
		xfs_list_free(&o->fork[i].tree);
		xfs_list_free(&o->fork[i].pieces);
	}
}

/* ---- the new fork ---- */

static void put_exts(const struct xfs_list *l, u8 *p)
{
	for (u32 i = 0; i < l->n; i++)
		xfs_put64(p + (size_t)i * 8, l->v[i]);
}

/* The tree is written; who has its blocks is not changed yet. */
static int make_tree(struct xfs_repair *r, struct xfs_owned *o, struct xfs_owned_fork *f, u8 *p,
		     u32 size)
{
	struct xfs_new_tree t = {
		.recs = &f->exts, .n = f->exts.n / 2, .ino = o->ino, .iroot = p, .iroot_size = size
	};
	int e;

	if (size < sizeof(struct xfs_dbmdr) + 16)
		return -XFS_CORRUPT;
	xfs_new_tree_size(r, &t);
	e = xfs_lock_space(r);
	e = e ?: xfs_pick_blocks(r, t.blocks, true);
	e = e ?: xfs_load_tree(r, &t);
	swap(f->pieces, r->pieces);
	r->at_piece = r->at_block = 0;
	r->most_pieces -= min(r->most_pieces, f->pieces.n);
	f->new_blocks = t.blocks;
	return e;
}

int xfs_make_fork(struct xfs_repair *r, struct xfs_owned *o, bool attr, struct xfs_core *c,
		  u8 *literal)
{
	struct xfs_owned_fork *f = &o->fork[attr];
	u32 all = xfs_literal_size(r->sb), n = f->exts.n / 2;
	u32 size = attr ? all - c->forkoff : c->forkoff ?: all;
	u8 *p = literal + (attr ? c->forkoff : 0);
	bool tree = n > size / 16;
	int e = 0;

	memset(p, 0, size);
	if (tree)
		e = make_tree(r, o, f, p, size);
	else
		put_exts(&f->exts, p);
	f->made = true;
	if (attr) {
		c->aformat = tree ? XFS_FMT_BTREE : XFS_FMT_EXTENTS;
		c->anextents = n;
	} else {
		c->format = tree ? XFS_FMT_BTREE : XFS_FMT_EXTENTS;
		c->nextents = n;
	}
	return e;
}

u64 xfs_blocks_of(const struct xfs_owned *o)
{
	u64 n = o->blocks;

	for (u32 i = 0; i < 2; i++)
		if (o->fork[i].made)
			n += o->fork[i].new_blocks - (u64)o->fork[i].tree.n;
	return n;
}

/* ---- blocks change hands ---- */

static struct xfs_owner owner_of(const struct xfs_owned *o, bool attr)
{
	return (struct xfs_owner){ o->ino, XFS_RMAP_BMBT | (attr ? XFS_RMAP_ATTR : 0), false };
}

static int own_tree(struct xfs_repair *r, struct xfs_owned *o, bool attr)
{
	struct xfs_owned_fork *f = &o->fork[attr];
	struct xfs_owner owner = owner_of(o, attr);
	struct xfs_agop op;
	int e;

	swap(f->pieces, r->pieces);
	xfs_agop_open(&op, r->tx, r->ag->agno, r->agf);
	e = xfs_own_pieces(r, &op, &owner);
	xfs_agop_close(&op);
	swap(f->pieces, r->pieces);
	r->tx->fdblocks -= f->new_blocks;
	return e;
}

int xfs_own_forks(struct xfs_repair *r, struct xfs_owned *o)
{
	bool some = o->fork[0].pieces.n || o->fork[1].pieces.n;
	int e = some ? bdev_flush(r->mp->sb->s_bdev) : 0;

	for (u32 i = 0; !e && i < 2; i++)
		if (o->fork[i].pieces.n)
			e = own_tree(r, o, i);
	return e ?: xfs_reap_forks(r, o);
}

static u32 run_of(const struct xfs_sb *sb, const struct xfs_list *l, u32 at, u32 most)
{
	u32 n = 1;

	while (n < most && at + n < l->n && l->v[at + n] == l->v[at] + n &&
	       xfs_fsb_ag(sb, l->v[at + n]) == xfs_fsb_ag(sb, l->v[at]))
		n++;
	return n;
}

int xfs_reap_forks(struct xfs_repair *r, struct xfs_owned *o)
{
	u32 bbs = r->sb->blocksize / XFS_SECTOR, left = XFS_REAP_MOST, exts = r->most_extents;
	int e = 0;

	for (u32 i = 0; i < 2; i++) {
		struct xfs_owned_fork *f = &o->fork[i];
		struct xfs_owner owner = owner_of(o, i);

		while (!e && f->made && left && exts && f->gone < f->tree.n) {
			u64 fsb = f->tree.v[f->gone];
			u32 n = run_of(r->sb, &f->tree, f->gone, left);

			/* What is in memory, or in the log, of it is not written any more. */
			for (u32 k = 0; k < n; k++)
				xfs_tx_kill_at(r->tx, xfs_fsb_daddr(r->sb, fsb + k), bbs);
			e = xfs_free_later(r->tx, fsb, n, &owner, true);
			f->gone += n;
			left -= n;
			exts--;
		}
	}
	return e;
}

bool xfs_forks_left(const struct xfs_owned *o)
{
	for (u32 i = 0; i < 2; i++)
		if (o->fork[i].made && o->fork[i].gone < o->fork[i].tree.n)
			return true;
	return false;
}
