// SPDX-License-Identifier: MIT
/*
 * Transactions against power cuts and failing disks. A small file system lies in memory: headers of
 * four AGs, blocks of symlinks that transactions change, a cluster of inodes, and a log of 1 MiB.
 * Transaction I writes I into a few blocks chosen by I. A power cut is the moment from which writes
 * no longer reach the bytes, in the middle of one; then fs/xfs/log replays them. What is found must
 * be the state after some transaction K, of which all blocks show all, and K is not before the last
 * that was forced.
 */
#include "fs/xfs/trans/test/ktx.h"
#include <alloc/slab.h>
#include <kernel/ktest.h>
#include <mm/mm.h>
#include <lib/hash.h>
#include <sched/kthread.h>
#include <sched/task.h>
#include <abi/errno.h>

/* ---- tests ---- */

/* More than the log holds several times, all brought to its place at the end. */
KTEST(xfs_trans_log_goes_round)
{
	const u64 n = 4000;

	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	for (u64 i = 1; i <= n; i++)
		KT_EQ(ktx_change(i, i % 97 ? 0 : XFS_TX_SYNC), 0);
	KT_ASSERT(ktx_mp->live->j->cycle > 2);
	KT_EQ(ktx_stop(), 0);
	KT_ASSERT(ktx_equals_model(n));
	/* It is clean, and goes on. */
	KT_EQ(ktx_start(), 0);
	KT_EQ(ktx_change(n + 1, XFS_TX_SYNC), 0);
	KT_EQ(ktx_stop(), 0);
	KT_EQ(ktx_replay(), 0);
	KT_ASSERT(ktx_equals_model(n + 1));
	ktx_end();
}

/*
 * Where memory is short, items that only the log keeps in memory are written, though the log has
 * room; later ones wait as before.
 */
KTEST(xfs_trans_memory_is_given_back)
{
	struct xfs_journal *j;

	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	j = ktx_mp->live->j;
	for (u64 i = 1; i <= 20; i++)
		KT_EQ(ktx_change(i, 0), 0);
	KT_EQ(xfs_journal_force(j, 0), 0);
	KT_EQ(READ_ONCE(j->nr_ail) >= 20, true);
	drop_caches(2);
	KT_EQ(wait_event_timeout(j->empty, !READ_ONCE(j->nr_ail), 60 * HZ) > 0, true);
	KT_EQ(READ_ONCE(j->target) <= READ_ONCE(j->done_lsn), true);
	KT_EQ(ktx_stop(), 0);
	ktx_end();
}

/* The block of inodes, with a reference and unlocked; NULL. */
static struct xfs_buf *inodes_block(void)
{
	const struct xfs_sb *sb = &ktx_mp->fs.vol.sb;
	struct xfs_run run = { INO_BB, xfs_cluster_blocks(sb) * 2 };
	struct xfs_fault f = { 0 };
	struct xfs_buf *b;

	if (xfs_buf_take(&ktx_mp->cache, sb, XFS_BLK_INODES, &run, 1, 0, &b, &f))
		return NULL;
	xfs_buf_unlock(b);
	return b;
}

/* A block without references in which an inode waits for a write is not given back. */
KTEST(xfs_trans_blocks_with_inodes_stay)
{
	struct list_head inode;
	struct xfs_buf *b;

	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	b = inodes_block();
	KT_ASSERT(b);
	list_add(&inode, &b->inodes);
	xfs_buf_rele(b);
	drop_caches(2);
	b = inodes_block();
	KT_ASSERT(b);
	KT_EQ(b->inodes.next == &inode, true);
	list_del_init(&inode);
	xfs_buf_rele(b);
	KT_EQ(ktx_stop(), 0);
	ktx_end();
}

/* FORGETS: a part of what the disk had in its cache is lost too. */
static void power_cuts(struct ktest_run *__kt, u32 rounds, u32 most, bool forgets)
{
	KT_ASSERT(ktx_begin());
	ktx_disk.cut_log = forgets;
	for (u32 round = 0; round < rounds; round++) {
		u64 i = 0, forced = 0, last;

		ktx_make_fs();
		ktx_disk.cut = false;
		ktx_disk.writes = 0;
		ktx_disk.cut_at = 3 + hash_64(round, 32) % (round < 6 ? 20 : most);
		KT_EQ(ktx_start(), 0);
		while (!READ_ONCE(ktx_disk.cut) && i < 20000) {
			i++;
			/* A tail that stays asks for no flush; one that moves past blocks does. */
			if (forgets && i % 82 == 1)
				KT_EQ(ktx_change_other(1), 0);
			if (forgets && i % 164 == 124)
				xfs_ail_drain(ktx_mp->live->j);
			KT_EQ(ktx_change(i, i % 41 ? 0 : XFS_TX_SYNC), 0);
			if (i % 41 == 0 && !READ_ONCE(ktx_disk.cut))
				forced = i;
		}
		KT_ASSERT(ktx_disk.cut);
		KT_EQ(ktx_stop(), 0);
		if (forgets)
			ktx_forget(round);
		KT_EQ(ktx_replay(), 0);
		last = ktx_last_on_disk();
		if (last < forced || !ktx_equals_model(last))
			pr_err("ktest: round %u: cut at write %llu, forced %llu, found %llu of %llu\n",
			       round, ktx_disk.cut_at, forced, last, i);
		KT_ASSERT(last >= forced);
		KT_ASSERT(ktx_equals_model(last));
	}
	ktx_end();
}

KTEST(xfs_trans_power_cuts)
{
	power_cuts(__kt, 9, 60, false);
}

/* What was forced is durable, and the tail passes only what is. */
KTEST(xfs_trans_cache_forgets)
{
	power_cuts(__kt, 16, 60, true);
}

static u32 running;
static int last_error;
static bool left_behind;

static int worker(void *arg)
{
	u64 i = (u64)(uintptr_t)arg * 1000000;
	int e = 0;

	for (; !e; i++)
		e = ktx_change(i, i % 7 ? 0 : XFS_TX_SYNC);
	WRITE_ONCE(last_error, e);
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
	return e;
}

/* Four tasks, of which some wait for the log or for space in it, when writing fails. */
static void failing(struct ktest_run *__kt, bool *what)
{
	struct task *t[4];

	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	if (what == &ktx_disk.fail_blocks) {
		KT_EQ(ktx_change_other(1), 0);
		ktx_disk.fail_blocks = true;
	}
	running = 4;
	for (u32 i = 0; i < 4; i++) {
		t[i] = kthread_run(worker, (void *)(uintptr_t)(i + 1), "ktest-xfs");
		KT_ASSERT(!IS_ERR(t[i]));
		get_task_struct(t[i]);
	}
	if (what == &ktx_disk.fail_log) {
		while (READ_ONCE(ktx_disk.writes) < 100)
			schedule_timeout_uninterruptible(1);
		WRITE_ONCE(*what, true);
	} else {
		/* The tail cannot pass the block that is not written: all wait in the end. */
		while (list_empty(&ktx_mp->live->j->reserve.waiters))
			schedule_timeout_uninterruptible(1);
		xfs_journal_kill(ktx_mp->live->j, XFS_WHY_ASKED, "the test says so");
	}
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		schedule_timeout_uninterruptible(1);
	for (u32 i = 0; i < 4; i++)
		put_task_struct(t[i]);
	KT_EQ(last_error, -EIO);
	KT_ASSERT(xfs_journal_dead(ktx_mp->live->j));
	KT_EQ(ktx_stop(), -EIO);
	*what = false;
	KT_EQ(ktx_replay(), 0);
	ktx_end();
}

KTEST(xfs_trans_log_fails)
{
	failing(__kt, &ktx_disk.fail_log);
}

KTEST(xfs_trans_blocks_fail)
{
	failing(__kt, &ktx_disk.fail_blocks);
}

static struct xfs_lino *read_ino(u64 ino)
{
	u32 size = xfs_literal_size(&ktx_mp->fs.vol.sb);
	struct xfs_lino *li = kzalloc(sizeof(*li) + size, GFP_KERNEL);

	if (!li)
		return NULL;
	li->ip.fs = &ktx_mp->fs;
	if (xfs_node_read(&ktx_mp->fs.vol, ino, (u8 *)(li + 1), &li->ip.node)) {
		kfree(li);
		return NULL;
	}
	xfs_lino_init(li, ktx_mp->live);
	return li;
}

/* Inodes come back from the log alone, and from their blocks. */
KTEST(xfs_trans_inodes)
{
	struct xfs_lino *li[16];
	struct xfs_tx *tx;
	int e;

	KT_ASSERT(ktx_begin());
	for (u32 round = 0; round < 2; round++) {
		KT_EQ(ktx_start(), 0);
		for (u32 i = 0; i < 16; i++) {
			li[i] = read_ino(INO_BB + i);
			KT_ASSERT(li[i]);
			KT_EQ(li[i]->ip.node.core.changecount, round * 3);
		}
		for (u32 n = 0; n < 48; n++) {
			struct xfs_lino *x = li[n % 16];

			KT_EQ(xfs_trans_begin(ktx_mp, 1024, 1, 0, n == 47 ? XFS_TX_SYNC : 0, &tx),
			      0);
			down_write(&x->lock);
			x->ip.node.core.changecount++;
			x->ip.node.core.size = n;
			xfs_tx_inode(tx, &x->ip, XFS_LI_CORE);
			e = xfs_trans_commit(tx);
			up_write(&x->lock);
			KT_EQ(e, 0);
		}
		/* The first time all after this is lost, the second time it is written. */
		ktx_disk.cut = !round;
		KT_EQ(ktx_stop(), 0);
		ktx_disk.cut = false;
		for (u32 i = 0; i < 16; i++) {
			KT_ASSERT(xfs_lino_idle(li[i]));
			kfree(li[i]);
		}
		KT_EQ(ktx_replay(), 0);
	}
	KT_EQ(ktx_start(), 0);
	for (u32 i = 0; i < 16; i++) {
		li[i] = read_ino(INO_BB + i);
		KT_ASSERT(li[i]);
		KT_EQ(li[i]->ip.node.core.changecount, 6);
		KT_EQ(li[i]->ip.node.core.size, 32 + i);
		kfree(li[i]);
	}
	KT_EQ(ktx_stop(), 0);
	ktx_end();
}

/* Inode I has another change count, which is in the log. */
static int change_ino(struct xfs_lino *li, u32 flags)
{
	struct xfs_tx *tx;
	int e = xfs_trans_begin(ktx_mp, 1024, 1, 0, flags, &tx);

	if (e)
		return e;
	down_write(&li->lock);
	li->ip.node.core.changecount++;
	xfs_tx_inode(tx, &li->ip, XFS_LI_CORE);
	e = xfs_trans_commit(tx);
	up_write(&li->lock);
	return e;
}

/* An inode that came into its block, which cannot be written, is let go at the end. */
KTEST(xfs_trans_inode_fails)
{
	struct xfs_lino *li;

	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	li = read_ino(INO_BB);
	KT_ASSERT(li);
	KT_EQ(change_ino(li, XFS_TX_SYNC), 0);
	ktx_disk.fail_blocks = true;
	KT_EQ(ktx_stop(), -EIO);
	KT_ASSERT(xfs_lino_idle(li));
	kfree(li);
	ktx_end();
}

static int stopper(void *arg)
{
	(void)arg;
	WRITE_ONCE(last_error, ktx_stop());
	/* No write was left behind. */
	WRITE_ONCE(left_behind, READ_ONCE(ktx_disk.hold) || READ_ONCE(ktx_disk.hold_log));
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
	return 0;
}

/* The end of a dead journal waits for writes that are on their way, of a block or of the log. */
static void end_waits(struct ktest_run *__kt, bool of_log)
{
	struct xfs_journal *j;
	struct xfs_lino *li;
	struct task *t;

	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	j = ktx_mp->live->j;
	li = read_ino(INO_BB);
	KT_ASSERT(li);
	KT_EQ(change_ino(li, of_log ? 0 : XFS_TX_SYNC), 0);	/* the log's part waits for us */
	ktx_disk.hold = !of_log;
	ktx_disk.hold_log = of_log;
	running = 1;
	left_behind = false;
	if (of_log)
		xfs_journal_force_async(j);
	t = of_log ? NULL : kthread_run(stopper, NULL, "ktest-xfs");
	KT_ASSERT(!IS_ERR(t));
	while (!READ_ONCE(ktx_disk.nr_held))
		schedule_timeout_uninterruptible(1);
	xfs_journal_kill(j, XFS_WHY_ASKED, "the test says so");
	if (of_log)
		t = kthread_run(stopper, NULL, "ktest-xfs");
	KT_ASSERT(!IS_ERR(t));
	/* As long as one that does not wait may take: then it finds that writes are still held. */
	for (u32 i = 0; i < 10 && __atomic_load_n(&running, __ATOMIC_ACQUIRE); i++)
		schedule_timeout_uninterruptible(1);
	ktx_let_go();
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		schedule_timeout_uninterruptible(1);
	KT_EQ(last_error, -EIO);
	KT_ASSERT(!left_behind);
	KT_ASSERT(xfs_lino_idle(li));
	kfree(li);
	ktx_end();
}

KTEST(xfs_trans_end_waits)
{
	end_waits(__kt, false);
}

KTEST(xfs_trans_end_waits_for_log)
{
	end_waits(__kt, true);
}

/* ---- a disk that mkfs.xfs made (tests/command/xfs_log.py) ---- */

static int read_disk_log(void *ctx, u64 bb, u32 n, void *buf)
{
	(void)ctx;
	return xfs_read_raw(ktx_disk.bdev,
			    xfs_fsb_daddr(&ktx_mp->fs.vol.sb, ktx_mp->fs.vol.sb.logstart) + bb, buf,
			    n * XFS_SECTOR);
}

static int start_disk(void)
{
	static const struct xfs_log_reader disk_reader = { read_disk_log, NULL };
	struct xfs_fault f = { 0 };
	struct xfs_log_state s;
	struct xfs_log l;
	u8 *p = kmalloc(4096, GFP_KERNEL);
	int e;

	ktx_mp = kzalloc(sizeof(*ktx_mp), GFP_KERNEL);
	if (!ktx_mp || !p) {
		kfree(p);
		return -ENOMEM;
	}
	xfs_vol_init(ktx_mp, NULL);
	ktx_mp->fs.vol.report = ktx_report;
	e = xfs_read_raw(ktx_disk.bdev, 0, p, 4096);
	e = e ?: xfs_sb_decode(p, 4096, &ktx_mp->fs.vol.sb, &f);
	e = e ?: xfs_log_open(&l, &ktx_mp->fs.vol.sb, &disk_reader, ktx_work, &f);
	e = e ?: xfs_log_find(&l, &s, &f);
	kfree(p);
	xfs_health_init(&ktx_mp->health);
	xfs_cache_init(&ktx_mp->cache, ktx_disk.bdev, "ktest");
	e = e ?: xfs_ags_open(ktx_mp);
	return e ?: s.clean ? xfs_live_open(ktx_mp, ktx_disk.bdev, "ktest", &s) : -EINVAL;
}

/* Headers and the root of a tree, logged whole as they are; inodes get another change count. */
static int touch(u64 i, struct xfs_lino **li)
{
	const struct xfs_sb *sb = &ktx_mp->fs.vol.sb;
	u32 per = sb->sectsize / XFS_SECTOR, ag = (u32)(i % sb->agcount);
	struct xfs_txbuf *agi, *agf, *root;
	struct xfs_tx *tx;
	struct xfs_dagf h;
	u64 at = xfs_agb_daddr(sb, ag, 0);
	int e = xfs_trans_begin(ktx_mp, 20000, 2, 0, i % 50 ? 0 : XFS_TX_SYNC, &tx);

	if (e)
		return e;
	down_write(&li[i % 3]->lock);
	e = xfs_tx_get(tx, XFS_BLK_AGI, at + 2 * per, per, 0, &agi);
	e = e ?: xfs_tx_get(tx, XFS_BLK_AGF, at + per, per, 0, &agf);
	if (!e) {
		memcpy(&h, agf->data, sizeof(h));
		e = xfs_tx_get(tx, XFS_BLK_BT + XFS_BT_BNO,
			       xfs_agb_daddr(sb, ag, be32_get(h.bno_root)),
			       sb->blocksize / XFS_SECTOR, 0, &root);
	}
	if (!e) {
		xfs_tx_log_all(tx, agi);
		xfs_tx_log(tx, agf, 0, sizeof(h));
		xfs_tx_log_all(tx, root);
		li[i % 3]->ip.node.core.changecount += 1000;
		xfs_tx_inode(tx, &li[i % 3]->ip, XFS_LI_DDATA | XFS_LI_DEXT);
		xfs_tx_hold(tx, agi);
		e = xfs_tx_roll(tx);
	}
	if (!e) {
		xfs_tx_log(tx, agi, 0, 128);
		xfs_tx_inode(tx, &li[i % 3]->ip, XFS_LI_CORE);
	}
	if (e)
		xfs_trans_cancel(tx);
	else
		e = xfs_trans_commit(tx);
	up_write(&li[i % 3]->lock);
	return e;
}

/* Its log is left dirty, or, where its blocks are of 1 KiB, clean. */
KTEST(xfs_trans_image)
{
	struct xfs_lino *li[3];
	bool clean;

	ktx_disk.bdev = bdev_get_by_name("vda");
	if (!ktx_disk.bdev)
		KT_SKIP("there is no disk");
	ktx_work = kvzalloc(sizeof(*ktx_work), GFP_KERNEL);
	KT_ASSERT(ktx_work);
	KT_EQ(start_disk(), 0);
	clean = ktx_mp->fs.vol.sb.blocksize == 1024;
	for (u32 i = 0; i < 3; i++) {
		li[i] = read_ino(ktx_mp->fs.vol.sb.rootino + i);
		KT_ASSERT(li[i]);
	}
	for (u64 i = 1; i <= 3000; i++)
		KT_EQ(touch(i, li), 0);
	KT_EQ(xfs_sync_sb(ktx_mp, true), 0);
	if (!clean)
		xfs_journal_kill(ktx_mp->live->j, XFS_WHY_ASKED, "the test leaves the log dirty");
	KT_EQ(ktx_stop(), clean ? 0 : -EIO);
	for (u32 i = 0; i < 3; i++)
		kfree(li[i]);
	kvfree(ktx_work);
	bdev_put(ktx_disk.bdev);
}

/* ---- freed blocks, ktx_work that was begun, new inodes ---- */

/* A block is changed, freed, and used again by another transaction, which waits for the log. */
KTEST(xfs_trans_freed_blocks)
{
	struct xfs_txbuf *b;
	struct xfs_tx *tx;
	u32 agb = 200, ended;

	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	KT_EQ(xfs_trans_begin(ktx_mp, 2000, 1, 0, 0, &tx), 0);
	KT_EQ(ktx_get_block(tx, 0, 0, &b), 0);
	ktx_put_be(b->data + 64, 77, 8);
	xfs_tx_log(tx, b, 64, 8);
	KT_EQ(xfs_trans_commit(tx), 0);
	KT_EQ(xfs_trans_begin(ktx_mp, 2000, 1, 0, 0, &tx), 0);
	KT_EQ(ktx_get_block(tx, 0, 0, &b), 0);
	xfs_tx_kill(tx, b);
	xfs_tx_kill_at(tx, BLOCK_AT(1), 2);
	xfs_tx_busy(tx, 0, 200, 2, true);
	ended = xfs_busy_ended(&ktx_mp->fs, 0);
	KT_EQ(xfs_busy_wait(tx, 0, ended), -EAGAIN);
	KT_EQ(xfs_busy_wait(tx, 0, ended - 1), 0);	/* one ended since then: look again */
	KT_EQ(xfs_trans_commit(tx), 0);
	/* Busy until that is durable: 198 and 199 before it are free, or all as metadata. */
	agb = 198;
	KT_EQ(xfs_busy_trim(&ktx_mp->fs, 0, &agb, 4, false), 2);
	KT_EQ(agb, 198);
	KT_EQ(xfs_busy_trim(&ktx_mp->fs, 0, &agb, 4, true), 4);
	KT_EQ(xfs_trans_begin(ktx_mp, 2000, 1, 0, XFS_TX_SYNC, &tx), 0);
	KT_EQ(ktx_get_block(tx, 0, XFS_GET_TRY | XFS_GET_NEW, &b), -EAGAIN);
	KT_EQ(ktx_get_block(tx, 0, XFS_GET_NEW, &b), 0);
	memcpy(b->data, ktx_disk.bytes + BLOCK_AT(0) * 512, 56);
	ktx_put_be(b->data + 96, 78, 8);
	xfs_tx_log_all(tx, b);
	KT_EQ(xfs_busy_trim(&ktx_mp->fs, 0, &agb, 4, false), 4);
	KT_EQ(xfs_trans_commit(tx), 0);
	ktx_disk.cut = true;
	KT_EQ(ktx_stop(), 0);
	KT_EQ(ktx_replay(), 0);
	KT_EQ(ktx_disk.bytes[BLOCK_AT(0) * 512 + 71], 0);
	KT_EQ(ktx_disk.bytes[BLOCK_AT(0) * 512 + 103], 78);
	ktx_end();
}

/* Begun ktx_work without its end keeps the log from being replayed; with it, it does not. */
KTEST(xfs_trans_intents)
{
	struct {
		u16 type, n;
		u32 count;
		u64 id;
		u8 extent[16];
	} efi = { XFS_LI_EFI, 1, 1, 0, { 0 } }, efd = { XFS_LI_EFD, 1, 1, 0, { 0 } };
	struct xfs_lpart part = { &efi, sizeof(efi) };
	struct xfs_intent *in;
	struct xfs_tx *tx;

	KT_ASSERT(ktx_begin());
	for (u32 finished = 0; finished < 2; finished++) {
		ktx_disk.cut = false;
		KT_EQ(ktx_start(), 0);
		KT_EQ(xfs_trans_begin(ktx_mp, 2000, 2, 0, 0, &tx), 0);
		in = xfs_tx_intent(tx, &part, 1);
		KT_ASSERT(in);
		KT_EQ(xfs_tx_roll(tx), 0);
		if (!finished) {
			KT_EQ(xfs_journal_force(ktx_mp->live->j, 0), 0);
			ktx_disk.cut = true;
		}
		xfs_tx_done(tx, in, &efd, sizeof(efd));
		KT_EQ(xfs_trans_commit(tx), 0);
		KT_EQ(xfs_journal_force(ktx_mp->live->j, 0), 0);
		ktx_disk.cut = true;
		KT_EQ(ktx_stop(), 0);
		KT_EQ(ktx_replay(), finished ? 0 : -EINVAL);
		if (!finished)
			ktx_make_fs();
	}
	ktx_end();
}

/* An EFI without extents, and its end. */
struct efi {
	u16 type, n;
	u32 count;
	u64 id;
	u8 extent[16];
};
static const struct efi no_efi = { XFS_LI_EFI, 1, 1, 0, { 0 } },
			no_efd = { XFS_LI_EFD, 1, 1, 0, { 0 } };

/* The power is cut between the beginning and the end of work. */
static void cut_in_work(struct ktest_run *__kt)
{
	struct xfs_lpart part = { &no_efi, sizeof(no_efi) };
	struct xfs_intent *in;
	struct xfs_tx *tx;

	KT_EQ(ktx_start(), 0);
	KT_EQ(ktx_change(1, XFS_TX_SYNC), 0);
	KT_EQ(xfs_trans_begin(ktx_mp, 2000, 2, 0, XFS_TX_SYNC, &tx), 0);
	in = xfs_tx_intent(tx, &part, 1);
	KT_ASSERT(in);
	KT_EQ(xfs_tx_roll(tx), 0);
	KT_EQ(xfs_journal_force(ktx_mp->live->j, 0), 0);
	ktx_disk.cut = true;
	xfs_tx_done(tx, in, &no_efd, sizeof(no_efd));
	KT_EQ(xfs_trans_commit(tx), 0);
	KT_EQ(ktx_stop(), 0);
	ktx_disk.cut = false;
}

/*
 * Work that recovery found keeps the log's tail, over another power cut too, until its end is
 * durable.
 */
KTEST(xfs_trans_intents_found)
{
	struct xfs_intent *in;
	struct ktx_found f, g;
	struct xfs_tx *tx;

	KT_ASSERT(ktx_begin());
	cut_in_work(__kt);
	KT_EQ(ktx_recover(&f), 0);
	KT_EQ(f.n, 1);
	KT_ASSERT(!f.next.clean);
	KT_EQ(f.next.tail, (u32)f.lsn);
	g = f;
	for (u32 round = 0; round < 2; round++) {
		KT_EQ(ktx_start_at(&g.next), 0);
		in = xfs_intent_found(ktx_mp->live, f.id, f.lsn);
		KT_ASSERT(in);
		/* Others go on; the tail does not. */
		for (u64 i = 2; i < 200; i++)
			KT_EQ(ktx_change(i, i % 40 ? 0 : XFS_TX_SYNC), 0);
		KT_EQ(ktx_mp->live->j->tail_lsn, f.lsn);
		if (round)
			break;
		ktx_disk.cut = true;
		xfs_journal_kill(ktx_mp->live->j, XFS_WHY_ASKED, "the power is cut");
		KT_EQ(ktx_stop(), -EIO);
		ktx_disk.cut = false;
		KT_EQ(ktx_recover(&g), 0);
		KT_ASSERT(g.n == 1 && g.id == f.id && g.lsn == f.lsn);
	}
	KT_EQ(xfs_trans_begin(ktx_mp, 2000, 1, 0, XFS_TX_SYNC, &tx), 0);
	xfs_tx_done(tx, in, &no_efd, sizeof(no_efd));
	KT_EQ(xfs_trans_commit(tx), 0);
	/* All is clean, and goes on. */
	KT_EQ(xfs_live_clean(ktx_mp), 0);
	KT_EQ(ktx_recover(&g), 0);
	KT_ASSERT(!g.n && g.next.clean);
	KT_EQ(ktx_change(200, XFS_TX_SYNC), 0);
	KT_EQ(ktx_stop(), 0);
	KT_EQ(ktx_recover(&g), 0);
	KT_ASSERT(!g.n && ktx_equals_model(200));
	ktx_end();
}

/* New inodes: by the log alone, and on the disk before the tail passes it. */
KTEST(xfs_trans_new_inodes)
{
	struct xfs_tx *tx;
	be64 ino;

	KT_ASSERT(ktx_begin());
	for (u32 round = 0; round < 2; round++) {
		ktx_make_fs();
		ktx_disk.cut = false;
		KT_EQ(ktx_start(), 0);
		KT_EQ(xfs_trans_begin(ktx_mp, 4000, 1, 0, XFS_TX_SYNC, &tx), 0);
		KT_EQ(xfs_tx_new_inodes(tx, 1, 64, 64, 32, 5), 0);
		KT_EQ(xfs_trans_commit(tx), 0);
		ktx_disk.cut = !round;
		KT_EQ(ktx_stop(), 0);
		KT_EQ(ktx_replay(), 0);
		for (u32 i = 0; i < 64; i++) {
			u8 *p = ktx_disk.bytes + (8192 + 128 + i) * 512ul;

			KT_ASSERT(p[0] == 'I' && p[1] == 'N');
			KT_ASSERT(xfs_crc_ok(p, 512, offsetof(struct xfs_dinode, crc)));
			memcpy(&ino, p + offsetof(struct xfs_dinode, ino), sizeof(ino));
			KT_EQ(be64_get(ino), (1 << 13) + 128 + i);
		}
	}
	ktx_end();
}
