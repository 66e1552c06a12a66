// SPDX-License-Identifier: MIT
/*
 * What recovery leaves to transactions, in this order: work that was begun and not finished
 * (begun.c); files that have no name and were open when the power went; blocks that were staged for
 * copying on write and are in no file. All of it can be begun again: the log stays dirty until the
 * file system is unmounted.
 */
#include "fs/xfs/ag/ialloc.h"
#include "fs/xfs/ag/intents.h"
#include "fs/xfs/bmap/reflink.h"
#include "fs/xfs/super/super.h"
#include <sched/task.h>

/* A transaction that frees space. */
static int begin(struct xfs_mount *mp, struct xfs_tx **tx)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	return xfs_trans_begin(mp, mp->res[XFS_RES_TRUNCATE].bytes, 1, 0, XFS_TX_RESERVE, tx);
}

/* ---- files without a name ---- */

/* The head of a list; XFS_NULL32: it is empty. */
static int head_of(struct xfs_mount *mp, u32 agno, u32 bucket, u32 *head)
{
	struct xfs_txbuf *agi;
	struct xfs_tx *tx;
	struct xfs_dagi d;
	int e = begin(mp, &tx);

	if (e)
		return e;
	e = xfs_ag_agi(tx, agno, 0, &agi);
	if (!e) {
		memcpy(&d, agi->data, sizeof(d));
		*head = be32_get(d.unlinked[bucket]);
	}
	xfs_trans_cancel(tx);
	return e;
}

/* The eviction of an inode without a name frees it, and takes it out of its list. */
static int free_list(struct xfs_mount *mp, u32 agno, u32 bucket, u32 *freed)
{
	const struct xfs_sb *sb = &mp->fs.vol.sb;
	u32 was = XFS_NULL32, head;
	int e;

	for (;;) {
		struct inode *inode;

		e = head_of(mp, agno, bucket, &head);
		if (e || head == XFS_NULL32)
			return e;
		if (head == was || !xfs_agino_ok(sb, agno, head))
			break;
		was = head;
		inode = xfs_iget(mp, xfs_ino_make(sb, agno, head));
		if (IS_ERR(inode))
			break;
		if (inode->i_nlink) {
			iput(inode);
			break;
		}
		iput(inode);
		++*freed;
	}
	pr_err("xfs: %s: AG %u: the list %u of files without a name is damaged: what is left of it is not freed\n",
	       mp->sb->s_id, agno, bucket);
	return 0;
}

static int free_lists(struct xfs_mount *mp, u32 *freed)
{
	struct xfs_txbuf *agi;
	int e = 0;

	for (u32 agno = 0; !e && agno < mp->fs.vol.sb.agcount; agno++) {
		struct xfs_dagi d;
		struct xfs_tx *tx;

		e = begin(mp, &tx);
		if (e)
			return e;
		e = xfs_ag_agi(tx, agno, 0, &agi);
		if (!e)
			memcpy(&d, agi->data, sizeof(d));
		xfs_trans_cancel(tx);
		for (u32 i = 0; !e && i < XFS_AGI_BUCKETS; i++)
			if (be32_get(d.unlinked[i]) != XFS_NULL32)
				e = free_list(mp, agno, i, freed);
	}
	return e;
}

/* ---- staged blocks ---- */

static int first_staged(struct xfs_tx *tx, u32 agno, u32 *agb, u32 *len)
{
	struct xfs_txbuf *agf;
	struct xfs_bt_cur c;
	struct xfs_agop op;
	int e = xfs_ag_agf(tx, agno, 0, &agf);

	if (e)
		return e;
	xfs_agop_open(&op, tx, agno, agf);
	xfs_refc_open(&c, &op);
	e = xfs_refcount_staged(&c, agb, len);
	xfs_bt_close(&c);
	xfs_agop_close(&op);
	return e;
}

/* The first run at or behind *AGB, which becomes its end; *LEN 0: there is none. */
static int free_staged(struct xfs_mount *mp, u32 agno, u32 *agb, u32 *len)
{
	static const struct xfs_owner nobody = { XFS_OWN_NULL, 0, false };
	struct xfs_tx *tx;
	u64 fsb;
	int e = begin(mp, &tx);

	if (e)
		return e;
	e = first_staged(tx, agno, agb, len);
	if (e || !*len) {
		xfs_trans_cancel(tx);
		return e;
	}
	fsb = xfs_fsb_make(&mp->fs.vol.sb, agno, *agb);
	e = xfs_refcount_later(tx, XFS_REFC_UNSTAGE, fsb, *len);
	e = e ?: xfs_free_later(tx, fsb, *len, &nobody, false);
	if (e) {
		xfs_trans_cancel(tx);
		return e;
	}
	*agb += *len;
	return xfs_trans_commit(tx);
}

static int free_all_staged(struct xfs_mount *mp, u64 *blocks)
{
	const struct xfs_sb *sb = &mp->fs.vol.sb;
	int e = 0;

	if (!(sb->ro_compat & XFS_RO_REFLINK))
		return 0;
	for (u32 agno = 0; !e && agno < sb->agcount; agno++) {
		u32 agb = 0, len;

		do {
			e = free_staged(mp, agno, &agb, &len);
			*blocks += e ? 0 : len;
		} while (!e && len);
	}
	return e;
}

int xfs_recovery_finish(struct xfs_mount *mp, struct xfs_recovery *r)
{
	u64 blocks = 0, work = 0;
	u32 freed = 0;
	int e;

	if (!r->res.left)
		return 0;
	e = xfs_finish_begun(mp, r, &work);
	e = e ?: free_lists(mp, &freed);
	e = e ?: free_all_staged(mp, &blocks);
	if (!e)
		pr_notice(
			"xfs: %s: recovery finished %llu pieces of work, freed %u files without a name and %llu staged blocks\n",
			mp->sb->s_id, work, freed, blocks);
	return e;
}
