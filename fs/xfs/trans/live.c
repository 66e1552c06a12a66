// SPDX-License-Identifier: MIT
/* What a mount that writes has (trans.h), and the superblock's counters. */
#include "fs/xfs/trans/priv.h"
#include <lib/string.h>
#include <lib/minmax.h>
#include <abi/errno.h>

static void force(void *ctx)
{
	xfs_journal_force(((struct xfs_live *)ctx)->j, 0);
}

static void cover(void *ctx)
{
	struct xfs_live *live = ctx;

	xfs_sync_sb(live->mp, true);
}

/* Waiters of this room look whether the journal is dead. */
static void died(void *ctx, u32 reasons)
{
	struct xfs_live *live = ctx;

	xfs_health_down(&live->mp->health, reasons);

	for (u32 i = 0; i < live->mp->fs.vol.sb.agcount; i++)
		wake_up_all(&xfs_busy_of(live, i)->wait);
}

/* Ends of writes use the journal and its items. */
static void settle(void *ctx)
{
	xfs_cache_settle(&((struct xfs_live *)ctx)->mp->cache);
}

/*
 * Inodes and blocks that are in the log stay in memory until they are written to their places,
 * which the log alone wants late. As many as the log holds may be too many for a small machine.
 */
static unsigned long count_items(struct shrinker *s, struct shrink_control *sc)
{
	struct xfs_journal *j = container_of(s, struct xfs_live, shrinker)->j;

	(void)sc;
	return xfs_journal_dead(j) ? 0 : READ_ONCE(j->nr_ail);
}

static unsigned long write_items(struct shrinker *s, struct shrink_control *sc)
{
	struct xfs_journal *j = container_of(s, struct xfs_live, shrinker)->j;
	u32 n = xfs_ail_press(j, (u32)sc->nr_to_scan, sc->gfp_mask & __GFP_FS);

	return n ?: SHRINK_STOP;
}

static void free_live(struct xfs_mount *mp, struct xfs_live *live)
{
	mp->live = NULL;
	if (live->sb)
		xfs_buf_rele(live->sb);
	/* Which runs all that is queued: busy extents end there. */
	if (live->discard_wq)
		destroy_workqueue(live->discard_wq);
	if (live->written_wq)
		destroy_workqueue(live->written_wq);
	kvfree(live->busy);
	for (u32 k = 0; k < XFS_GROWN_MOST; k++)
		kvfree(live->more_busy[k]);
	kfree(live);
}

static void init_ag(struct xfs_ag *ag, const struct xfs_sb *sb, u32 agno)
{
	ag->agno = agno;
	ag->length = xfs_ag_blocks(sb, agno);
}

static void init_busy(struct xfs_live *live, u32 agno)
{
	struct xfs_busy_ag *busy = xfs_busy_of(live, agno);

	spin_lock_init(&busy->lock);
	init_waitqueue_head(&busy->wait);
}

int xfs_ags_open(struct xfs_mount *mp)
{
	const struct xfs_sb *sb = &mp->fs.vol.sb;
	struct xfs_ag *ags = kvcalloc(sb->agcount, sizeof(*ags), GFP_KERNEL_ACCOUNT);

	if (!ags)
		return -ENOMEM;
	for (u32 i = 0; i < sb->agcount; i++) {
		init_ag(&ags[i], sb, i);
		cond_resched();
	}
	mp->fs.nr_ags = sb->agcount;
	smp_store_release(&mp->fs.ags, ags); /* pairs with the acquire in xfs_ag_marks() */
	return 0;
}

void xfs_ags_close(struct xfs_mount *mp)
{
	kvfree(mp->fs.ags);
	mp->fs.ags = NULL;
	for (u32 k = 0; k < XFS_GROWN_MOST; k++) {
		kvfree(mp->fs.more_ags[k]);
		mp->fs.more_ags[k] = NULL;
	}
}

/* Ends of writing that run at once: more would wait for the same headers of AGs. */
#define AT_ONCE 16

static int init_all_busy(struct xfs_live *live)
{
	u32 nr = live->mp->fs.nr_ags;

	live->busy = kvcalloc(nr, sizeof(*live->busy), GFP_KERNEL_ACCOUNT);
	if (!live->busy)
		return -ENOMEM;
	for (u32 i = 0; i < nr; i++) {
		init_busy(live, i);
		cond_resched();
	}
	return 0;
}

int xfs_live_add_ags(struct xfs_mount *mp, const struct xfs_sb *sb)
{
	struct xfs_live *live = mp->live;
	u32 nr = mp->fs.nr_ags, at;

	for (u32 k = 0; k < XFS_GROWN_MOST && (u64)nr << k < sb->agcount; k++) {
		struct xfs_busy_ag **busy = &live->more_busy[k];
		struct xfs_ag **ags = &mp->fs.more_ags[k];

		if (!*busy)
			*busy = kvcalloc((size_t)nr << k, sizeof(**busy), GFP_KERNEL_ACCOUNT);
		if (!*ags)
			*ags = kvcalloc((size_t)nr << k, sizeof(**ags), GFP_KERNEL_ACCOUNT);
		if (!*busy || !*ags)
			return -ENOMEM;
	}
	for (at = mp->fs.vol.sb.agcount; at < sb->agcount; at++) {
		init_ag(xfs_ag_of(&mp->fs, at), sb, at);
		init_busy(live, at);
		cond_resched();
	}
	return 0;
}

static int hold_sb(struct xfs_live *live)
{
	struct xfs_mount *mp = live->mp;
	const struct xfs_sb *sb = &mp->fs.vol.sb;
	struct xfs_run run = { 0, sb->sectsize / XFS_SECTOR };
	struct xfs_fault f = { 0 };
	int e = xfs_buf_take(&mp->cache, sb, XFS_BLK_SB, &run, 1, 0, &live->sb, &f);

	if (e) {
		live->sb = NULL;
		return xfs_errno(e);
	}
	xfs_buf_unlock(live->sb);
	return 0;
}

int xfs_live_open(struct xfs_mount *mp, struct bdev *bdev, const char *id,
		  const struct xfs_log_state *s)
{
	struct xfs_live *live = kzalloc(sizeof(*live), GFP_KERNEL);
	int e;

	if (!live)
		return -ENOMEM;
	live->mp = mp;
	spin_lock_init(&live->gathered_lock);
	spin_lock_init(&live->busy_lists);
	INIT_LIST_HEAD(&live->gathered);
	xfs_discard_init(live);
	atomic64_set(&live->fdblocks, (s64)mp->fs.vol.sb.fdblocks);
	atomic64_set(&live->icount, (s64)mp->fs.vol.sb.icount);
	atomic64_set(&live->ifree, (s64)mp->fs.vol.sb.ifree);
	e = init_all_busy(live);
	/* One of each mount, with a rescuer of its own: a slow device delays no other. */
	live->written_wq = alloc_workqueue("xfs-written", WQ_UNBOUND | WQ_MEM_RECLAIM, AT_ONCE);
	if (!e && !live->written_wq)
		e = -ENOMEM;
	e = e ?: xfs_cache_writable(&mp->cache);
	e = e ?: hold_sb(live);
	if (e)
		goto bad;
	live->j = xfs_journal_open(&mp->fs.vol.sb, bdev, id, s);
	if (IS_ERR(live->j)) {
		e = (int)PTR_ERR(live->j);
		goto bad;
	}
	live->j->ctx = live;
	live->j->freed = xfs_busy_freed;
	live->j->pushed = xfs_write_gathered;
	live->j->died = died;
	live->j->settle = settle;
	live->j->cover = cover;
	xfs_cache_set_force(&mp->cache, force, live);
	snprintf(live->name, sizeof(live->name), "xfs-log:%s", id);
	live->shrinker =
		(struct shrinker){ .count_objects = count_items, .scan_objects = write_items };
	register_shrinker(&live->shrinker, live->name);
	/* A file system that is mounted read-only is in use: readers see all of it, or none. */
	smp_store_release(&mp->live, live);
	return 0;
bad:
	free_live(mp, live);
	return e;
}

u64 xfs_kept_blocks(struct xfs_mount *mp)
{
	u64 n = 0;

	for (u32 i = 0; i < mp->fs.vol.sb.agcount; i++)
		n += xfs_ag_kept_left(xfs_ag_of(&mp->fs, i));
	return n;
}

static int sync_sb(struct xfs_mount *mp, u32 flags);

int xfs_live_clean(struct xfs_mount *mp)
{
	int e;

	mp->fs.vol.sb.log_incompat = 0;	/* says what is in the log: nothing */
	e = sync_sb(mp, XFS_TX_SYNC | XFS_TX_FROZEN);
	return e ?: xfs_journal_clean(mp->live->j);
}

int xfs_live_quiesce(struct xfs_mount *mp)
{
	struct xfs_journal *j = mp->live->j;
	int e = xfs_journal_force(j, 0);

	if (!e)
		xfs_ail_drain(j);
	e = e ?: sync_sb(mp, XFS_TX_SYNC | XFS_TX_FROZEN);
	if (!e)
		xfs_ail_drain(j);
	/* An idle log has nothing to say to a device that stands still. */
	WRITE_ONCE(j->uncovered, 0);
	return e ?: xfs_journal_dead(j) ? -EIO : bdev_flush(j->bdev);
}

void xfs_live_ending(struct xfs_mount *mp)
{
	if (mp->live)
		WRITE_ONCE(mp->live->j->closing, true);
}

int xfs_live_close(struct xfs_mount *mp)
{
	struct xfs_live *live = mp->live;
	int e, e2;

	unregister_shrinker(&live->shrinker);
	xfs_live_ending(mp);
	mp->fs.vol.sb.log_incompat = 0;
	e = xfs_sync_sb(mp, true);
	e2 = xfs_journal_close(live->j);
	xfs_cache_set_force(&mp->cache, NULL, NULL);
	free_live(mp, live);
	return e ?: e2;
}

/* A counter may be below 0 for a moment: of two changes the one that takes may be counted first. */
static u64 counter(const atomic64_t *v)
{
	return (u64)max(atomic64_read(v), (s64)0);
}

struct xfs_counts xfs_counts_of(const struct xfs_mount *mp)
{
	const struct xfs_live *live = READ_ONCE(mp->live);
	const struct xfs_sb *sb = &mp->fs.vol.sb;

	if (!live)
		return (struct xfs_counts){ sb->fdblocks, sb->icount, sb->ifree };
	return (struct xfs_counts){ counter(&live->fdblocks), counter(&live->icount),
				    counter(&live->ifree) };
}

int xfs_tx_sb(struct xfs_tx *tx, struct xfs_mount *mp,
	      void (*change)(struct xfs_dsb *d, const void *arg), const void *arg,
	      struct xfs_dsb *out)
{
	struct xfs_counts c;
	struct xfs_txbuf *b;
	int e = xfs_tx_get(tx, XFS_BLK_SB, 0, mp->fs.vol.sb.sectsize / XFS_SECTOR, 0, &b);

	if (e)
		return e;
	c = xfs_counts_of(mp);
	memcpy(out, b->data, sizeof(*out));
	out->icount = be64_make(c.icount);
	out->ifree = be64_make(c.ifree);
	out->fdblocks = be64_make(c.fdblocks + xfs_kept_blocks(mp));
	out->qflags = be16_make((u16)mp->fs.vol.sb.qflags);
	out->log_incompat = be32_make(mp->fs.vol.sb.log_incompat);
	if (change)
		change(out, arg);
	memcpy(b->data, out, sizeof(*out));
	xfs_tx_log(tx, b, 0, sizeof(*out));
	return 0;
}

static int sync_sb(struct xfs_mount *mp, u32 flags)
{
	struct xfs_tx *tx;
	struct xfs_dsb d;
	int e = xfs_trans_begin(mp, XFS_SB_BYTES, 1, 0, flags, &tx);

	if (e)
		return e;
	e = xfs_tx_sb(tx, mp, NULL, NULL, &d);
	if (!e)
		return xfs_trans_commit(tx);
	xfs_trans_cancel(tx);
	return e;
}

int xfs_sync_sb(struct xfs_mount *mp, bool sync)
{
	return sync_sb(mp, sync ? XFS_TX_SYNC : 0);
}

int xfs_settle_sb(struct xfs_mount *mp)
{
	const struct xfs_sb *sb = &mp->fs.vol.sb;
	struct xfs_run run = { 0, sb->sectsize / XFS_SECTOR };
	struct xfs_journal *j = mp->live->j;
	struct xfs_fault f = { 0 };
	struct xfs_item *it;
	struct xfs_buf *b;
	int e = xfs_buf_take(&mp->cache, sb, XFS_BLK_SB, &run, 1, 0, &b, &f);

	e = xfs_errno(e);
	if (e == -XFS_CORRUPT)
		xfs_sick_block(&mp->fs.vol, XFS_BLK_SB, 0);
	if (e)
		return e;
	it = b->item ? &xfs_bli_of(b, mp->live)->item : NULL;
	xfs_buf_unlock(b);
	while (it && !e && (atomic_read(&b->pins) || xfs_ail_has(it))) {
		e = xfs_journal_dead(j) ? -EIO : fatal_signal_pending(current) ? -EINTR : 0;
		xfs_ail_press(j, 1, true);
	}
	xfs_buf_rele(b);
	return e ?: bdev_flush(mp->sb->s_bdev);
}

int xfs_shutdown(struct xfs_mount *mp, u32 how)
{
	static const char *const why[] = { "a program asked for it, all is on the disk",
					   "a program asked for it, all is in the log",
					   "a program asked for it" };
	struct xfs_live *live = mp->live;
	int e = 0;

	if (how > XFS_DOWN_NOW)
		return -EINVAL;
	if (!live)
		return -EROFS;
	if (how == XFS_DOWN_SYNCED)
		e = freeze_super(mp->sb, FREEZE_USER);
	else if (how == XFS_DOWN_LOGGED)
		xfs_journal_force(live->j, 0);
	if (e)
		return e;
	xfs_journal_kill(live->j, XFS_WHY_ASKED | (how == XFS_DOWN_NOW ? XFS_WHY_LOG_IO : 0),
			 why[how]);
	return how == XFS_DOWN_SYNCED ? thaw_super(mp->sb, FREEZE_USER) : 0;
}

void xfs_device_goes(struct xfs_mount *mp)
{
	if (mp->live)
		xfs_journal_kill(mp->live->j, XFS_WHY_DEVICE_GONE, "its device goes");
}
