// SPDX-License-Identifier: MIT
/*
 * Ways over a whole tree of an AG, or the part that has a range of numbers. Levels descend, so each
 * way down ends, and a check sees each block of a level where the one before says that it is; a
 * walk that only looks things up counts its blocks against the AG's.
 */
#include "fs/xfs/scrub/scrub.h"
#include <alloc/slab.h>
#include <lib/minmax.h>
#include <sched/task.h>

#define HEAD ((u32)sizeof(struct xfs_dbt_short))

struct level {
	struct xfs_blk blk;		/* data NULL: none */
	u32 agb, at, n;
	u32 before, before_right;	/* of this level, visited before; XFS_NULL32: none */
	bool some;			/* there was one before */
};

struct walk {
	struct xfs_scrub *sc;
	struct xfs_scrub_tree *t;
	const struct xfs_bt_shape *shape;
	u32 levels;
	struct level lv[XFS_BT_MAXLEVELS];
	u8 last[XFS_BT_REC_MAX];	/* the record before */
	bool any;
};

bool xfs_scrub_has(const struct xfs_scrub *sc, enum xfs_bt kind)
{
	u32 ro = sc->mp->fs.vol.sb.ro_compat;

	return kind == XFS_BT_FINO ? ro & XFS_RO_FINOBT :
	       kind == XFS_BT_RMAP ? ro & XFS_RO_RMAPBT :
	       kind == XFS_BT_REFC ? ro & XFS_RO_REFLINK :
				     true;
}

static struct xfs_btroot root_of(const struct xfs_scrub *sc, enum xfs_bt kind)
{
	struct xfs_btroot r = { 0 };

	if (kind == XFS_BT_INO || kind == XFS_BT_FINO) {
		const struct xfs_dagi *d = sc->agi ? xfs_scrub_agi(sc) : NULL;

		if (d)
			r = (struct xfs_btroot){
				be32_get(kind == XFS_BT_INO ? d->root : d->free_root),
				be32_get(kind == XFS_BT_INO ? d->level : d->free_level)
			};
	} else if (sc->agf) {
		const struct xfs_dagf *d = xfs_scrub_agf(sc);

		r.block = be32_get(kind == XFS_BT_BNO  ? d->bno_root :
				   kind == XFS_BT_CNT  ? d->cnt_root :
				   kind == XFS_BT_RMAP ? d->rmap_root :
							 d->refc_root);
		r.levels = be32_get(kind == XFS_BT_BNO	? d->bno_level :
				    kind == XFS_BT_CNT	? d->cnt_level :
				    kind == XFS_BT_RMAP ? d->rmap_level :
							  d->refc_level);
	}
	return r;
}

/* ---- blocks ---- */

#define TRIES 100u		/* of a lock, a jiffy each */

int xfs_scrub_get_block(struct xfs_scrub *sc, enum xfs_kind kind, const struct xfs_run *runs, u32 n,
			struct xfs_blk *out)
{
	struct xfs_fault f;
	int e = -EAGAIN;

	for (u32 i = 0; e == -EAGAIN && i < TRIES; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (i)
			schedule_timeout_uninterruptible(1);
		e = xfs_buf_try_get(&sc->mp->cache, &sc->mp->fs.vol.sb, kind, runs, n, out, &f);
	}
	return e == -EAGAIN ? -EDEADLK : xfs_errno(e);
}

static int get_block(struct xfs_scrub *sc, enum xfs_bt kind, u32 agb, struct xfs_blk *out)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	struct xfs_run run = { xfs_agb_daddr(sb, sc->agno, agb), sb->blocksize / XFS_SECTOR };

	return xfs_scrub_get_block(sc, (enum xfs_kind)(XFS_BLK_BT + kind), &run, 1, out);
}

static u32 entry_of(const struct walk *w, u32 level)
{
	return !level ? w->shape->rec : w->shape->key * (w->shape->overlap ? 2u : 1u);
}

static const u8 *entry(const struct walk *w, u32 level, u32 i)
{
	return (const u8 *)w->lv[level].blk.data + HEAD + (size_t)i * entry_of(w, level);
}

static void leave(struct walk *w, u32 level)
{
	struct level *l = &w->lv[level];

	if (l->blk.data)
		xfs_buf_put(&w->sc->mp->cache, &l->blk);
	l->blk.data = NULL;
}

/* Is what a cached block says of itself right? It may have changed since it was verified. */
static bool head_ok(const struct walk *w, u32 level, u32 agb)
{
	const struct xfs_sb *sb = &w->sc->mp->fs.vol.sb;
	const struct xfs_dbt_short *d = w->lv[level].blk.data;
	u32 n = be16_get(d->numrecs), most = xfs_bt_max(sb, w->shape, level);

	return be32_get(d->magic) == w->shape->magic && be16_get(d->level) == level &&
	       be64_get(d->blkno) == xfs_agb_daddr(sb, w->sc->agno, agb) &&
	       be32_get(d->owner) == w->sc->agno &&
	       !memcmp(d->uuid, sb->meta_uuid, XFS_UUID_SIZE) && n <= most && (n || !level);
}

/* The lowest and the highest key of the block at LEVEL, as a node above has them. */
static void keys_of(const struct walk *w, u32 level, struct xfs_bt_key *low,
		    struct xfs_bt_key *high)
{
	for (u32 i = 0; i < w->lv[level].n; i++) {
		const u8 *p = entry(w, level, i);
		struct xfs_bt_key k;

		if (!i && level)
			memcpy(low->b, p, w->shape->key);
		else if (!i)
			w->shape->key_of(p, low);
		if (!w->shape->overlap)
			return;
		if (level)
			memcpy(k.b, p + w->shape->key, w->shape->key);
		else
			w->shape->high_of(p, &k);
		if (!i || w->shape->cmp(k.b, high->b) > 0)
			*high = k;
	}
}

/* Where the block at LEVEL lies in the tree: beside the one before, below the one above. */
static bool place_ok(struct walk *w, u32 level)
{
	const struct xfs_sb *sb = &w->sc->mp->fs.vol.sb;
	struct level *l = &w->lv[level];
	struct xfs_bt_key low, high;
	struct xfs_bt_block h;
	const u8 *up;

	xfs_bt_head(l->blk.data, &h);
	if (h.left != (l->some ? l->before : XFS_NULL32) || (l->some && l->before_right != l->agb))
		return false;
	l->some = true;
	l->before = l->agb;
	l->before_right = (u32)h.right;
	if (level + 1 == w->levels)
		return h.right == XFS_NULL32;
	if (!l->n || l->n < xfs_bt_max(sb, w->shape, level) / 2)
		return false;
	keys_of(w, level, &low, &high);
	up = entry(w, level + 1, w->lv[level + 1].at);
	return !w->shape->cmp(low.b, up) &&
	       (!w->shape->overlap || !w->shape->cmp(high.b, up + w->shape->key));
}

/* The first record of a leaf that may be asked for: the last that begins before FROM. */
static u32 first_at(const struct walk *w)
{
	u32 lo = 0, hi = w->lv[0].n;

	if (w->t->kind == XFS_BT_CNT || w->shape->overlap)
		return 0;
	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (xfs_get32(entry(w, 0, mid)) <= w->t->from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : 0;
}

static int enter(struct walk *w, u32 level, u32 agb)
{
	struct xfs_scrub *sc = w->sc;
	struct level *l = &w->lv[level];
	int e;

	if (!xfs_agb_ok(&sc->mp->fs.vol.sb, sc->agno, agb) ||
	    ++w->t->blocks > xfs_ag_blocks(&sc->mp->fs.vol.sb, sc->agno))
		return -XFS_CORRUPT;
	e = get_block(sc, w->t->kind, agb, &l->blk);
	if (e) {
		l->blk.data = NULL;
		return e;
	}
	l->agb = agb;
	l->at = 0;
	if (!head_ok(w, level, agb))
		return -XFS_CORRUPT;
	l->n = be16_get(((const struct xfs_dbt_short *)l->blk.data)->numrecs);
	if (w->t->check && !place_ok(w, level))
		return -XFS_CORRUPT;
	if (!level && w->t->from)
		l->at = first_at(w);
	return w->t->block ? w->t->block(sc, agb, w->t->ctx) : 0;
}

/* ---- records ---- */

static bool in_order(const struct walk *w, const u8 *a, const u8 *b)
{
	struct xfs_bt_key x, y;

	switch (w->t->kind) {
	case XFS_BT_BNO:
	case XFS_BT_REFC:
		return (u64)xfs_get32(a) + xfs_get32(a + 4) <= xfs_get32(b);
	case XFS_BT_INO:
	case XFS_BT_FINO:
		return (u64)xfs_get32(a) + 64 <= xfs_get32(b);
	case XFS_BT_RMAP:
		w->shape->key_of(a, &x);
		w->shape->key_of(b, &y);
		return w->shape->cmp(x.b, y.b) <= 0;
	default:
		return w->shape->cmp(a, b) < 0;
	}
}

static int record(struct walk *w)
{
	const struct xfs_sb *sb = &w->sc->mp->fs.vol.sb;
	struct level *l = &w->lv[0];
	const u8 *p = entry(w, 0, l->at);
	struct xfs_bt_rec r;
	u64 end;

	if (w->t->check && w->any && !in_order(w, w->last, p))
		return -XFS_CORRUPT;
	memcpy(w->last, p, w->shape->rec);
	w->any = true;
	xfs_bt_rec_at(sb, w->t->kind, l->blk.data, l->at, &r);
	end = (u64)r.start + (w->t->kind == XFS_BT_INO || w->t->kind == XFS_BT_FINO ? 64 : r.count);
	if (w->t->kind != XFS_BT_CNT && r.start > w->t->last) {
		l->at = l->n - 1;
		return 0;
	}
	if (end <= w->t->from)
		return 0;
	return w->t->rec ? w->t->rec(w->sc, &r, w->t->ctx) : 0;
}

/* May there be a record that is asked for below entry AT of a node? */
static bool leads(const struct walk *w, u32 level, u32 at)
{
	const u8 *p = entry(w, level, at);

	if (w->t->kind == XFS_BT_CNT)
		return w->t->last == U32_MAX ||
		       (w->shape->cmp(p, w->t->key.b) <= 0 &&
			(at + 1 == w->lv[level].n ||
			 w->shape->cmp(entry(w, level, at + 1), w->t->key.b) > 0));
	if (xfs_get32(p) > w->t->last)
		return false;
	if (w->shape->overlap)
		return xfs_get32(p + w->shape->key) >= w->t->from;
	return at + 1 == w->lv[level].n || xfs_get32(entry(w, level, at + 1)) > w->t->from;
}

static int go(struct walk *w, u32 root)
{
	const struct xfs_sb *sb = &w->sc->mp->fs.vol.sb;
	u32 l = w->levels - 1;
	int e = enter(w, l, root);

	while (!e) {
		struct level *at = &w->lv[l];

		if (at->at == at->n) {
			leave(w, l);
			if (++l == w->levels)
				break;
			w->lv[l].at++;
		} else if (!l) {
			e = record(w);
			at->at++;
		} else if (!leads(w, l, at->at)) {
			at->at++;
		} else {
			e = enter(w, l - 1, xfs_bt_ptr_at(sb, w->t->kind, at->blk.data, at->at));
			l--;
			cond_resched();
		}
		if (w->t->check && xfs_scrub_is_bad(w->sc))
			break;
		e = e ?: w->sc->error;
	}
	for (u32 i = 0; i < w->levels; i++)
		leave(w, i);
	return e;
}

static bool ends_ok(const struct walk *w)
{
	for (u32 i = 0; i < w->levels; i++)
		if (w->lv[i].some && w->lv[i].before_right != XFS_NULL32)
			return false;
	return true;
}

int xfs_scrub_add_later(struct xfs_scrub_later **l, u32 agb)
{
	struct xfs_scrub_later *new;

	if (!*l || (*l)->n == XFS_SCRUB_LATER) {
		new = kzalloc(sizeof(*new), GFP_NOFS);
		if (!new)
			return -ENOMEM;
		new->next = *l;
		*l = new;
	}
	(*l)->agb[(*l)->n++] = agb;
	return 0;
}

void xfs_scrub_each_later(struct xfs_scrub *sc, struct xfs_scrub_later *l,
			  void (*fn)(struct xfs_scrub *sc, u32 agb))
{
	while (l) {
		struct xfs_scrub_later *next = l->next;

		for (u32 i = 0; i < l->n && !sc->error; i++)
			fn(sc, l->agb[i]);
		kfree(l);
		l = next;
	}
}

int xfs_scrub_walk(struct xfs_scrub *sc, struct xfs_scrub_tree *t)
{
	struct xfs_btroot root = root_of(sc, t->kind);
	struct walk *w;
	int e;

	t->blocks = 0;
	if (!root.levels || root.levels > XFS_BT_MAXLEVELS) {
		if (t->check)
			xfs_scrub_bad(sc);
		return t->check ? 0 : -XFS_CORRUPT;
	}
	w = kzalloc(sizeof(*w), GFP_NOFS);
	if (!w)
		return -ENOMEM;
	w->sc = sc;
	w->t = t;
	w->shape = &xfs_bt_shapes[t->kind];
	w->levels = root.levels;
	e = go(w, root.block);
	if (t->check && (e == -XFS_CORRUPT || (!e && !xfs_scrub_is_bad(sc) && !ends_ok(w)))) {
		xfs_scrub_bad(sc);
		e = 0;
	}
	kfree(w);
	return e;
}
