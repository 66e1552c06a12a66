// SPDX-License-Identifier: MIT
/*
 * Begun work and its end are freed when their checkpoint is durable, which may be before the commit
 * has returned: so they leave their transaction while the checkpoint cannot be closed.
 */
#include "fs/xfs/trans/test/ktx.h"
#include "fs/xfs/trans/priv.h"
#include <kernel/ktest.h>
#include <abi/errno.h>

struct efi {
	u16 type, n;
	u32 count;
	u64 id;
	u8 extent[16];
};

/* The items of TX, which is cancelled then, come into the open checkpoint. */
static bool commit_items(struct xfs_tx *tx)
{
	struct xfs_ktx *k = xfs_ktx(tx);
	u64 seq;
	bool left = !xfs_journal_commit(k->live->j, &k->ticket, &k->items, &k->busy, &seq) &&
		    list_empty(&k->items);

	tx->dirty = false;
	xfs_trans_cancel(tx);
	return left;
}

KTEST(xfs_trans_intents_leave)
{
	struct efi efi = { XFS_LI_EFI, 1, 1, 0, { 0 } }, efd = { XFS_LI_EFD, 1, 1, 0, { 0 } };
	struct xfs_lpart part = { &efi, sizeof(efi) };
	struct xfs_intent *in;
	struct xfs_tx *tx;

	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	KT_EQ(xfs_trans_begin(ktx_mp, 2000, 1, 0, 0, &tx), 0);
	in = xfs_tx_intent(tx, &part, 1);
	KT_ASSERT(in);
	KT_EQ(commit_items(tx), true);
	KT_EQ(xfs_trans_begin(ktx_mp, 2000, 1, 0, 0, &tx), 0);
	xfs_tx_done(tx, in, &efd, sizeof(efd));
	KT_EQ(commit_items(tx), true);
	KT_EQ(xfs_journal_force(ktx_mp->live->j, 0), 0);
	KT_EQ(ktx_stop(), 0);
	KT_EQ(ktx_replay(), 0);
	ktx_end();
}

/* A transaction with the end of begun work fails before the beginning is in the log. */
KTEST(xfs_trans_intents_die)
{
	struct efi efi = { XFS_LI_EFI, 1, 1, 0, { 0 } }, efd = { XFS_LI_EFD, 1, 1, 0, { 0 } };
	struct xfs_lpart part = { &efi, sizeof(efi) };
	struct xfs_intent *in;
	struct xfs_tx *tx;

	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	KT_EQ(xfs_trans_begin(ktx_mp, 2000, 1, 0, 0, &tx), 0);
	in = xfs_tx_intent(tx, &part, 1);
	KT_ASSERT(in);
	KT_EQ(xfs_trans_commit(tx), 0);
	KT_EQ(xfs_trans_begin(ktx_mp, 2000, 1, 0, 0, &tx), 0);
	xfs_tx_done(tx, in, &efd, sizeof(efd));
	xfs_trans_cancel(tx);
	KT_EQ(xfs_journal_dead(ktx_mp->live->j), true);
	KT_EQ(ktx_stop(), -EIO);
	ktx_end();
}
