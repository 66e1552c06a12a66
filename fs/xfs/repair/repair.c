// SPDX-License-Identifier: MIT
/* One repair: its transaction with the locks of its AG, what it does, and what is left to free. */
#include "fs/xfs/repair/repair.h"
#include <alloc/slab.h>
#include <lib/minmax.h>
#include <sched/task.h>

static const struct repair {
	int (*fn)(struct xfs_repair *r);	/* NULL: none is built */
	bool agi, agf;			/* which headers must be sound */
	bool fill;			/* it takes blocks from the trees of free space */
} repairs[XFS_SCRUB_TYPES] = {
	[XFS_SCRUB_AGF] = { xfs_repair_agf, false, false, false },
	[XFS_SCRUB_AGFL] = { xfs_repair_agfl, false, true, false },
	[XFS_SCRUB_AGI] = { xfs_repair_agi, false, true, false },
	[XFS_SCRUB_BNOBT... XFS_SCRUB_CNTBT] = { xfs_repair_alloc, false, true, false },
	[XFS_SCRUB_INOBT... XFS_SCRUB_FINOBT] = { xfs_repair_ialloc, true, true, true },
	[XFS_SCRUB_REFCNTBT] = { xfs_repair_refcount, false, true, true },
};

/*
 * Of the log: what freeing four extents takes, PARTS times; the headers; and of each old block that
 * it will not be written.
 */
static u32 bytes_of(const struct xfs_mount *mp, u32 parts)
{
	return parts * mp->res[XFS_RES_TRUNCATE].bytes + 4 * mp->fs.vol.sb.sectsize +
	       XFS_REAP_MOST * 128;
}

#define PARTS 4u

static bool room_for(const struct xfs_repair *r, u32 parts)
{
	return bytes_of(r->mp, parts) + r->more_bytes <= r->mp->live->j->bytes / 8 * 3;
}

bool xfs_repair_has_room(const struct xfs_repair *r)
{
	return room_for(r, 1);
}

int xfs_repair_begin(struct xfs_repair *r)
{
	u32 parts = PARTS;
	int e;

	while (parts > 1 && !room_for(r, parts))
		parts--;
	r->most_pieces = max(max(XFS_PART_PIECES * parts, 8u), r->more_pieces);
	/* One batch of deferred frees is one transaction (ag/later.c); with four parts it fits. */
	r->most_extents = parts < 4 ? 4 * parts : 64;
	e = xfs_trans_begin(r->mp, bytes_of(r->mp, parts) + (u32)r->more_bytes, 1, 0,
			    XFS_TX_RESERVE | XFS_TX_SYNC, &r->tx);
	/* The log is too small for any. */
	return e == -EINVAL ? -ENOSPC : e;
}

/* A header, locked; damage is no error where the repair goes without it. */
static int lock_header(struct xfs_repair *r, enum xfs_kind kind, u32 sector, bool need,
		       struct xfs_txbuf **out)
{
	u32 bbs = r->sb->sectsize / XFS_SECTOR;
	int e = xfs_tx_get(r->tx, kind, xfs_agb_daddr(r->sb, r->ag->agno, 0) + sector * bbs, bbs, 0,
			   out);

	if (e)
		*out = NULL;
	return e == -XFS_CORRUPT && !need ? 0 : e;
}

/* The transaction, with both headers, while nothing is pending for the AG. */
static int begin(struct xfs_repair *r, const struct repair *what)
{
	for (;;) {
		int e;

		if (wait_event_killable(r->mp->drained, xfs_ag_drained(r->ag)))
			return -EINTR;
		e = xfs_repair_begin(r);
		if (e)
			return e;
		e = lock_header(r, XFS_BLK_AGI, 2, what->agi, &r->agi);
		e = e ?: lock_header(r, XFS_BLK_AGF, 1, what->agf, &r->agf);
		r->tx->lowest = r->ag->agno;
		r->sc.agi = r->agi ? xfs_buf_of(r->agi) : NULL;
		r->sc.agf = r->agf ? xfs_buf_of(r->agf) : NULL;
		if (!e && xfs_ag_drained(r->ag))
			return 0;
		xfs_trans_cancel(r->tx);
		if (e)
			return e;
	}
}

int xfs_lock_space(struct xfs_repair *r)
{
	int e;

	if (r->agf)
		return 0;
	r->ag = xfs_ag_of(&r->mp->fs, r->space);
	r->sc.agno = r->space;
	e = lock_header(r, XFS_BLK_AGI, 2, true, &r->agi);
	e = e ?: lock_header(r, XFS_BLK_AGF, 1, true, &r->agf);
	r->tx->lowest = r->space;
	if (e)
		return e;
	r->sc.agi = xfs_buf_of(r->agi);
	r->sc.agf = xfs_buf_of(r->agf);
	e = xfs_ag_drained(r->ag) ? 0 : -EDEADLK;
	e = e ?: xfs_gather_owners(r);
	e = e ?: xfs_repair_space_ok(r);
	/* The transaction has them. */
	r->sc.agi = r->sc.agf = NULL;
	return e;
}

int xfs_repair_fill(struct xfs_repair *r, u32 agno)
{
	struct xfs_mount *mp = r->mp;
	struct xfs_txbuf *agf;
	struct xfs_agop op;
	struct xfs_tx *tx;
	int e = xfs_trans_begin(mp, mp->res[XFS_RES_TRUNCATE].bytes, 1, 0, XFS_TX_RESERVE, &tx);

	if (e)
		return e;
	e = xfs_ag_agf(tx, agno, 0, &agf);
	if (!e) {
		xfs_agop_open(&op, tx, agno, agf);
		e = xfs_agop_fill(&op);
		xfs_agop_close(&op);
	}
	if (!e)
		return xfs_trans_commit(tx);
	xfs_trans_cancel(tx);
	return e;
}

/* The rest of the old blocks. What cannot be freed stays its owner's. */
static int reap_rest(struct xfs_repair *r, const struct repair *what)
{
	int e = 0;

	while (!e && r->gone < r->old.n) {
		e = begin(r, what);
		if (e)
			break;
		e = xfs_reap(r);
		if (e)
			xfs_trans_cancel(r->tx);
		else
			e = xfs_trans_commit(r->tx);
	}
	return e;
}

/* What was gathered is gathered anew, in a transaction with more log. -ENOSPC: there is no room. */
static int widen(struct xfs_repair *r)
{
	if (!xfs_repair_has_room(r))
		return -ENOSPC;
	xfs_gather_end(r);
	r->at_piece = r->at_block = r->rmap_blocks = 0;
	return 0;
}

static int run(struct xfs_repair *r, const struct repair *what)
{
	int e = what->fill ? xfs_repair_fill(r, r->ag->agno) : 0;

	while (!e) {
		e = begin(r, what);
		if (e)
			return e;
		e = what->fn(r);
		if (!e) {
			e = xfs_trans_commit(r->tx);
			break;
		}
		xfs_trans_cancel(r->tx);
		if (e == -E2BIG)
			e = widen(r);
	}
	return e ?: reap_rest(r, what);
}

void xfs_repair_init(struct xfs_repair *r, const struct xfs_scrub *sc)
{
	r->mp = sc->mp;
	r->sb = &sc->mp->fs.vol.sb;
	r->sc = (struct xfs_scrub){ .mp = sc->mp, .req = &r->req, .agno = sc->agno };
	INIT_LIST_HEAD(&r->busy);
}

static int repair_ag(struct xfs_scrub *sc)
{
	struct xfs_repair *r = kzalloc(sizeof(*r), GFP_KERNEL);
	int e;

	if (!r)
		return -ENOMEM;
	xfs_repair_init(r, sc);
	r->ag = xfs_ag_of(&sc->mp->fs, sc->agno);
	e = run(r, &repairs[sc->req->type]);
	xfs_gather_end(r);
	kfree(r->old_agi.tx.data);
	kfree(r->old_agf.tx.data);
	kfree(r);
	return e;
}

#define TRIES 10		/* while others keep blocks locked */

int xfs_repair_one(struct xfs_scrub *sc)
{
	u32 type = sc->req->type;
	bool of_inode = type >= XFS_SCRUB_INODE && type <= XFS_SCRUB_BMBTA;
	int e = -EDEADLK;

	if (sc->req->type == XFS_SCRUB_SB)
		return xfs_repair_sb(sc);
	if (sc->req->type == XFS_SCRUB_FSCOUNTERS)
		return xfs_repair_fscounters(sc);
	if ((!repairs[sc->req->type].fn && !of_inode) || !xfs_scrub_has(sc, XFS_BT_RMAP))
		return -EOPNOTSUPP;
	for (u32 i = 0; e == -EDEADLK && i < TRIES; i++)
		e = of_inode ? xfs_repair_inode(sc) : repair_ag(sc);
	return e == -EDEADLK ? -EBUSY : xfs_errno(e);
}

long xfs_repair_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return xfs_scrub_ioctl(file, cmd, arg, xfs_repair_one);
}
