// SPDX-License-Identifier: MIT
/*
 * Blocks that cannot be written: they are tried again, new inodes too, whose record keeps the log's
 * tail until they are there; and the end of a file system is not delayed by them. And blocks that
 * are freed on their way.
 */
#include "fs/xfs/trans/test/ktx.h"
#include "fs/xfs/btree/btree.h"
#include "fs/xfs/journal/priv.h"
#include "fs/xfs/trans/priv.h"
#include <kernel/ktest.h>
#include <sched/kthread.h>

#define AGB 640u			/* of new inodes, two a block */
#define NEW_BLOCKS 8u
#define NEW_AT(i) ((AGB * 2 + (u64)(i)) * XFS_SECTOR)

static u32 running;
static int last_error;
static bool left_behind;

static int make_inodes(void)
{
	struct xfs_tx *tx;
	int e = xfs_trans_begin(ktx_mp, 4096, 1, 0, XFS_TX_SYNC, &tx);

	if (e)
		return e;
	e = xfs_tx_new_inodes(tx, 0, AGB, 2 * NEW_BLOCKS, NEW_BLOCKS, 7);
	if (!e)
		return xfs_trans_commit(tx);
	xfs_trans_cancel(tx);
	return e;
}

static u16 magic_at(u32 i)
{
	return (u16)(ktx_disk.bytes[NEW_AT(i)] << 8 | ktx_disk.bytes[NEW_AT(i) + 1]);
}

/* A disk that fails for a while is no reason to shut down. */
KTEST(xfs_trans_new_inodes_fail)
{
	struct xfs_journal *j;

	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	j = ktx_mp->live->j;
	KT_EQ(make_inodes(), 0);
	ktx_disk.fail_first = 9;
	xfs_ail_drain(j);
	KT_ASSERT(!xfs_journal_dead(j));
	KT_EQ(ktx_disk.fail_first, 0);
	for (u32 i = 0; i < NEW_BLOCKS * 2; i++)
		KT_EQ(magic_at(i), XFS_DI_MAGIC);
	KT_EQ(ktx_stop(), 0);
	ktx_end();
}

/* The unlinked link of the first new inode becomes LINK; *BI: of its block. */
static int change_link(u32 link, struct xfs_bli **bi)
{
	struct xfs_txbuf *b;
	struct xfs_tx *tx;
	int e = xfs_trans_begin(ktx_mp, 4096, 1, 0, XFS_TX_SYNC, &tx);

	if (e)
		return e;
	e = xfs_tx_get(tx, XFS_BLK_INODES, AGB * 2, xfs_cluster_blocks(&ktx_mp->fs.vol.sb) * 2, 0,
		       &b);
	if (e) {
		xfs_trans_cancel(tx);
		return e;
	}
	xfs_put32(b->data + offsetof(struct xfs_dinode, next_unlinked), link);
	xfs_tx_log(tx, b, offsetof(struct xfs_dinode, next_unlinked), 4);
	*bi = xfs_buf_of(b)->item;
	return xfs_trans_commit(tx);
}

/* A change that is committed while new inodes are on their way leaves the tail before them. */
KTEST(xfs_trans_new_inodes_keep_tail)
{
	struct xfs_bli *bi = NULL;
	struct xfs_journal *j;
	u64 tail;

	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	j = ktx_mp->live->j;
	KT_EQ(make_inodes(), 0);
	tail = READ_ONCE(j->tail_lsn);
	ktx_disk.hold = true;
	xfs_ail_want(j, 1);
	while (READ_ONCE(ktx_disk.nr_held) < NEW_BLOCKS / xfs_cluster_blocks(&ktx_mp->fs.vol.sb))
		schedule_timeout_uninterruptible(1);
	KT_EQ(change_link(77, &bi), 0);
	KT_ASSERT(bi);
	while (atomic_read(&bi->b->pins))
		schedule_timeout_uninterruptible(1);
	KT_EQ(READ_ONCE(j->tail_lsn), tail);
	ktx_let_go();
	xfs_ail_drain(j);
	KT_ASSERT(READ_ONCE(j->tail_lsn) != tail);
	KT_EQ(magic_at(0), XFS_DI_MAGIC);
	KT_EQ(xfs_get32(ktx_disk.bytes + NEW_AT(0) + offsetof(struct xfs_dinode, next_unlinked)),
	      77);
	KT_EQ(ktx_stop(), 0);
	ktx_end();
}

static int killer(void *arg)
{
	struct xfs_txbuf *b;
	struct xfs_tx *tx;
	int e = xfs_trans_begin(ktx_mp, 2000, 1, 0, XFS_TX_SYNC, &tx);

	(void)arg;
	e = e ?: ktx_get_block(tx, BLOCKS, 0, &b);
	if (!e) {
		xfs_tx_kill(tx, b);
		/* No write was left behind. */
		WRITE_ONCE(left_behind, READ_ONCE(ktx_disk.hold));
		e = xfs_trans_commit(tx);
	}
	WRITE_ONCE(last_error, e);
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
	return e;
}

/*
 * A block that is freed while it is on its way: others may write there once that is in the log, so
 * the freeing waits.
 */
KTEST(xfs_trans_kill_waits)
{
	struct task *t;

	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	KT_EQ(ktx_change_other(77), 0);
	ktx_disk.hold = true;
	xfs_ail_want(ktx_mp->live->j, 1);
	while (!READ_ONCE(ktx_disk.nr_held))
		schedule_timeout_uninterruptible(1);
	running = 1;
	left_behind = false;
	t = kthread_run(killer, NULL, "ktest-xfs");
	KT_ASSERT(!IS_ERR(t));
	/* As long as one that does not wait may take. */
	for (u32 i = 0; i < 10 && __atomic_load_n(&running, __ATOMIC_ACQUIRE); i++)
		schedule_timeout_uninterruptible(1);
	ktx_let_go();
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		schedule_timeout_uninterruptible(1);
	KT_EQ(last_error, 0);
	KT_ASSERT(!left_behind);
	KT_EQ(ktx_stop(), 0);
	ktx_end();
}

/* One write that fails at the end is tried once more. */
KTEST(xfs_trans_end_tries_again)
{
	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	KT_EQ(ktx_change(1, XFS_TX_SYNC), 0);
	ktx_disk.fail_first = 1;
	KT_EQ(ktx_stop(), 0);
	KT_EQ(ktx_disk.fail_first, 0);
	KT_ASSERT(ktx_equals_model(1));
	ktx_end();
}

static int worker(void *arg)
{
	int e = 0;

	(void)arg;
	for (u64 i = 1; !e; i++)
		e = ktx_change(i, i % 7 ? 0 : XFS_TX_SYNC);
	WRITE_ONCE(last_error, e);
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
	return e;
}

/* The log is full, as no block can be written: who waits for space gets an answer at the end. */
KTEST(xfs_trans_end_of_full_log)
{
	struct task *t;

	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	KT_EQ(make_inodes(), 0);	/* which the tail does not pass */
	ktx_disk.fail_blocks = true;
	running = 1;
	t = kthread_run(worker, NULL, "ktest-xfs");
	KT_ASSERT(!IS_ERR(t));
	while (list_empty(&ktx_mp->live->j->reserve.waiters))
		schedule_timeout_uninterruptible(1);
	xfs_live_ending(ktx_mp);
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		schedule_timeout_uninterruptible(1);
	KT_EQ(last_error, -EIO);
	KT_EQ(ktx_stop(), -EIO);
	ktx_disk.fail_blocks = false;
	KT_EQ(ktx_replay(), 0);
	ktx_end();
}
