// SPDX-License-Identifier: MIT
/* One repair: its transaction with the locks of its AG, what it does, and what is left to free. */
#include "fs/xfs/repair/repair.h"
#include <alloc/slab.h>
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

/* A transaction, of as many parts as a small log has room for. */
static int begin_tx(struct xfs_repair *r)
{
	u32 parts = 4;

	while (parts > 1 && bytes_of(r->mp, parts) > r->mp->live->j->bytes / 4)
		parts--;
	/* One batch of deferred frees is one transaction (ag/later.c); with four parts it fits. */
	r->most_extents = parts < 4 ? 4 * parts : 64;
	return xfs_trans_begin(r->mp, bytes_of(r->mp, parts), 1, 0, XFS_TX_RESERVE | XFS_TX_SYNC,
			       &r->tx);
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
		e = begin_tx(r);
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

/* The free list of an AG whose trees of free space are sound has what the next change may take. */
static int fill(struct xfs_mount *mp, u32 agno)
{
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

static int run(struct xfs_repair *r, const struct repair *what)
{
	int e = what->fill ? fill(r->mp, r->ag->agno) : 0;

	e = e ?: begin(r, what);
	if (e)
		return e;
	e = what->fn(r);
	if (e)
		xfs_trans_cancel(r->tx);
	else
		e = xfs_trans_commit(r->tx);
	return e ?: reap_rest(r, what);
}

static int repair_ag(struct xfs_scrub *sc)
{
	struct xfs_repair *r = kzalloc(sizeof(*r), GFP_KERNEL);
	int e;

	if (!r)
		return -ENOMEM;
	r->mp = sc->mp;
	r->sb = &sc->mp->fs.vol.sb;
	r->ag = xfs_ag_of(&sc->mp->fs, sc->agno);
	r->sc = (struct xfs_scrub){ .mp = sc->mp, .req = &r->req, .agno = sc->agno };
	INIT_LIST_HEAD(&r->busy);
	e = run(r, &repairs[sc->req->type]);
	xfs_gather_end(r);
	kfree(r->old_agi.tx.data);
	kfree(r->old_agf.tx.data);
	kfree(r);
	return e;
}

#define TRIES 10		/* while others keep blocks locked */

static int repair(struct xfs_scrub *sc)
{
	int e = -EDEADLK;

	if (sc->req->type == XFS_SCRUB_SB)
		return xfs_repair_sb(sc);
	if (!repairs[sc->req->type].fn || !xfs_scrub_has(sc, XFS_BT_RMAP))
		return -EOPNOTSUPP;
	for (u32 i = 0; e == -EDEADLK && i < TRIES; i++)
		e = repair_ag(sc);
	return e == -EDEADLK ? -EBUSY : xfs_errno(e);
}

long xfs_repair_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return xfs_scrub_ioctl(file, cmd, arg, repair);
}
