// SPDX-License-Identifier: MIT
/*
 * Choosing an extent. An AG is looked at only if its header says that it has enough, beside what
 * its free list needs, what it keeps for its own trees and what the caller will need later: so
 * nothing is changed in an AG that cannot do it. First all AGs are tried whose locks are free, then
 * those above the highest that is locked are waited for.
 */
#include "fs/xfs/ag/ag.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

#define NEAR_STEPS 32u		/* free extents that are looked at, in each direction */
#define LONG_STEPS 1000u	/* by length, once there is one that will do */

/* A search in one AG. */
struct pick {
	struct xfs_agop op;
	struct xfs_alloc *a;
	u32 most;			/* at most so many blocks */
	u32 want;			/* near this block */
	bool busy;			/* some was too short because it is busy */
	u32 agb, len;			/* the best so far; LEN 0: none */
};

/* Blocks that only kept allocations may take. */
static u32 kept(const struct xfs_agop *op, bool for_kept)
{
	u32 rmap = be32_get(xfs_agop_agf(op)->rmap_blocks), n;

	n = op->ag->kept_rmap > rmap ? op->ag->kept_rmap - rmap : 0;
	if (!for_kept && op->ag->kept_other > op->ag->used_other)
		n += op->ag->kept_other - op->ag->used_other;
	return n;
}

/* Does the AG have enough? Sets how many it may give. */
static bool enough(struct pick *p)
{
	const struct xfs_alloc *a = p->a;
	struct xfs_ag *ag = p->op.ag;
	u32 need = xfs_ag_list_need(&p->op.tx->fs->vol.sb, xfs_agop_agf(&p->op)), delta, longest;
	u64 held = (u64)need + kept(&p->op, a->kept) + a->minleft,
	    have = ag->freeblks + ag->flcount;

	if (have < held + a->minlen || have < held + a->total - min(a->total, a->minleft))
		return false;
	p->most = (u32)min((u64)a->maxlen, have - held);
	if (!a->kept)
		p->most = min(p->most, p->op.tx->blocks);
	/* The free list may take from the longest; where all are short it takes others, too. */
	delta = need > ag->flcount ? need - ag->flcount : 0;
	longest = ag->longest > delta ? ag->longest - delta : min(ag->longest, 1u);
	return p->most >= a->minlen && longest >= a->minlen + (a->align > 1 ? a->align - 1 : 0);
}

static u32 fit_length(const struct xfs_alloc *a, u32 len)
{
	u32 over;

	if (a->prod <= 1 || len < a->minlen)
		return len;
	over = (len % a->prod + a->prod - a->mod % a->prod) % a->prod;
	return len > over && len - over >= a->minlen ? len - over : len;
}

/*
 * What of a free extent can be used: the part that begins near the wanted block, where it does not
 * cost length.
 */
static u32 usable(struct pick *p, u32 *agb, u32 len)
{
	u32 align = max(p->a->align, 1u), end = *agb + len, at, all;

	*agb = max(*agb, p->a->from);
	end = p->a->below ? min(end, p->a->below) : end;
	if (end <= *agb)
		return 0;
	all = end - *agb;
	len = xfs_busy_trim(p->op.tx->fs, p->op.ag->agno, agb, all, p->a->metadata);
	if (len < all)
		p->busy = true;
	end = *agb + len;
	at = DIV_ROUND_UP(*agb, align) * align;
	if (!len || at < *agb || at >= end)
		return 0;
	if (p->want > at && end - at > p->most) {	/* it may begin later */
		u32 last = end - p->most;
		u32 to = min(p->want, last) / align * align;

		at = max(at, to);
	}
	*agb = at;
	len = fit_length(p->a, min(end - at, p->most));
	return len >= p->a->minlen ? len : 0;
}

static u32 distance(const struct pick *p, u32 agb)
{
	return agb > p->want ? agb - p->want : p->want - agb;
}

/* Takes the cursor's extent if it is better. */
static void consider(struct pick *p, struct xfs_bt_cur *c, bool near)
{
	u32 agb, len, n;

	xfs_space_rec(c, &agb, &len);
	n = usable(p, &agb, len);
	if (n > p->len || (n && n == p->len && near && distance(p, agb) < distance(p, p->agb))) {
		p->agb = agb;
		p->len = n;
	}
}

static int find_exact(struct pick *p)
{
	struct xfs_bt_cur *c = &p->op.bno;
	u32 agb, len, at = p->want;
	struct xfs_bt_key k;
	bool found;
	int e;

	xfs_put32(k.b, at);
	e = xfs_bt_lookup(c, &k, XFS_BT_LE, &found);
	if (e || !found)
		return e;
	xfs_space_rec(c, &agb, &len);
	if (at - agb >= len)
		return 0;
	len -= at - agb;
	agb = at;
	len = min(len, p->most);
	for (;;) {	/* the part that is not busy, where it is the first */
		u32 n = xfs_busy_trim(p->op.tx->fs, p->op.ag->agno, &agb, len, p->a->metadata);

		p->busy |= n < len;
		if (agb == at) {
			len = n;
			break;
		}
		len = n ? agb - at - 1 : 0;
		agb = at;
		if (!len)
			return 0;
	}
	len = fit_length(p->a, len);
	if (len >= p->a->minlen) {
		p->agb = at;
		p->len = len;
	}
	return 0;
}

/* One direction from the wanted block; ends where one is long enough. */
static int scan_near(struct pick *p, enum xfs_bt_dir dir)
{
	struct xfs_bt_cur *c = &p->op.bno;
	struct xfs_bt_key k;
	bool found;
	int e;

	xfs_put32(k.b, dir == XFS_BT_LE ? p->want : p->want + 1);
	e = xfs_bt_lookup(c, &k, dir, &found);
	for (u32 i = 0; !e && found && i < NEAR_STEPS; i++) {
		u32 before = p->len;

		consider(p, c, true);
		if (p->len == p->most && p->len > before)
			return 0;
		e = dir == XFS_BT_LE ? xfs_bt_prev(c, &found) : xfs_bt_next(c, &found);
	}
	return e;
}

static int find_near(struct pick *p)
{
	int e = scan_near(p, XFS_BT_LE);

	return e ?: scan_near(p, XFS_BT_GE);
}

/* The shortest that has all; else the longest. */
static int find_size(struct pick *p)
{
	struct xfs_bt_cur *c = &p->op.cnt;
	struct xfs_bt_key k = { { 0 } };
	u32 agb, len;
	bool found;
	int e;

	xfs_put32(k.b + 4, p->most);
	e = xfs_bt_lookup(c, &k, XFS_BT_GE, &found);
	for (u32 i = 0; !e && found && p->len < p->most && (!p->len || i < LONG_STEPS); i++) {
		consider(p, c, false);
		e = xfs_bt_next(c, &found);
	}
	if (e || p->len >= p->most)
		return e;
	e = xfs_bt_lookup(c, &k, XFS_BT_LE, &found);
	for (u32 i = 0; !e && found && (!p->len || i < LONG_STEPS); i++) {
		xfs_space_rec(c, &agb, &len);
		if (len <= p->len || len < p->a->minlen)
			return 0;
		consider(p, c, false);
		e = xfs_bt_prev(c, &found);
	}
	return e;
}

static int find(struct pick *p, bool here)
{
	int e = 0;

	p->len = 0;
	p->busy = false;
	if (p->a->where == XFS_ALLOC_EXACT)
		return find_exact(p);
	if (p->a->where == XFS_ALLOC_NEAR && here)
		e = find_near(p);
	if (!e && p->len < p->most) {
		u32 agb = p->agb, len = p->len;

		p->len = 0;
		e = find_size(p);
		if (p->len <= len) {	/* no longer than the near one */
			p->agb = agb;
			p->len = len;
		}
	}
	return e;
}

static int take(struct pick *p)
{
	struct xfs_alloc *a = p->a;
	struct xfs_tx *tx = p->op.tx;
	int e = xfs_space_take(&p->op, p->agb, p->len);

	e = e ?: xfs_rmap_map(&p->op, p->agb, p->len, &a->owner);
	if (e)
		return e;
	if (a->metadata)
		xfs_tx_unbusy(tx, p->op.ag->agno, p->agb, p->len);
	tx->fdblocks -= p->len;
	if (a->kept)
		xfs_ag_use_kept(tx, p->op.ag, (s32)p->len);
	else
		tx->blocks -= p->len;
	a->fsb = xfs_fsb_make(&tx->fs->vol.sb, p->op.ag->agno, p->agb);
	a->len = p->len;
	return 0;
}

/* Looks until there is one, or none even when nothing of others is busy: -ENOSPC. */
static int search(struct pick *p, bool here)
{
	for (;;) {
		u32 ended = xfs_busy_ended(p->op.tx->fs, p->op.ag->agno);
		int e = find(p, here);

		if (e || p->len)
			return e;
		e = p->busy ? xfs_busy_wait(p->op.tx, p->op.ag->agno, ended) : -EAGAIN;
		if (e)
			return e == -EAGAIN ? -ENOSPC : e;
	}
}

/* In an AG that is locked: 0, -ENOSPC: not here. */
static int from_ag(struct pick *p, bool here)
{
	int e = enough(p) ? 0 : -ENOSPC;

	/* Nothing is changed for an allocation that fails then. */
	if (!e &&
	    p->op.ag->flcount != xfs_ag_list_need(&p->op.tx->fs->vol.sb, xfs_agop_agf(&p->op)))
		e = search(p, here);
	e = e ?: xfs_agop_fill(&p->op);
	if (!e && !enough(p))
		e = -ENOSPC;
	e = e ?: search(p, here);
	return e ?: take(p);
}

static int try_ag(struct xfs_tx *tx, struct xfs_alloc *a, u32 agno, u32 flags, bool *skipped)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	bool here = agno == xfs_fsb_ag(sb, a->near);
	struct pick p = { .a = a, .want = here ? xfs_fsb_agb(sb, a->near) : 0 };
	const struct xfs_ag *ag = xfs_ag_of(tx->fs, agno);
	struct xfs_txbuf *agf;
	int e;

	if (ag->agf_known && ag->longest < a->minlen)
		return -ENOSPC;
	e = xfs_ag_agf(tx, agno, flags, &agf);
	if (e == -EAGAIN) {
		*skipped = true;
		return -ENOSPC;
	}
	if (e)
		return e;
	xfs_agop_open(&p.op, tx, agno, agf);
	e = from_ag(&p, here);
	xfs_agop_close(&p.op);
	return e;
}

/* All AGs from that of NEAR on. */
static int try_all(struct xfs_tx *tx, struct xfs_alloc *a, u32 flags, bool *skipped)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u32 first = xfs_fsb_ag(sb, a->near);
	int e = -ENOSPC;

	*skipped = false;
	for (u32 i = 0; e == -ENOSPC && i < sb->agcount; i++) {
		u32 agno = (first + i) % sb->agcount;

		e = try_ag(tx, a, agno, flags, skipped);
		if (a->same_ag || a->where == XFS_ALLOC_EXACT)
			break;
	}
	return e;
}

int xfs_alloc(struct xfs_tx *tx, struct xfs_alloc *a)
{
	bool skipped;
	int e;

	if (xfs_fsb_ag(&tx->fs->vol.sb, a->near) >= tx->fs->vol.sb.agcount || !a->minlen ||
	    a->minlen > a->maxlen)
		return -EINVAL;
	e = try_all(tx, a, XFS_GET_TRY, &skipped);
	if (e == -ENOSPC && skipped)
		e = try_all(tx, a, 0, &skipped);
	return e;
}

int xfs_tree_block(struct xfs_bt_cur *c, u64 near, const struct xfs_owner *owner, bool kept,
		   u64 *ptr)
{
	const struct xfs_sb *sb = &c->tx->fs->vol.sb;
	struct xfs_alloc a = { .near = xfs_fsb_make(sb, c->agno, (u32)near),
			       .minlen = 1,
			       .maxlen = 1,
			       .where = XFS_ALLOC_NEAR,
			       .same_ag = true,
			       .metadata = true,
			       .kept = kept,
			       .owner = *owner };
	int e = xfs_alloc(c->tx, &a);

	if (!e)
		*ptr = xfs_fsb_agb(sb, a.fsb);
	return e;
}
