// SPDX-License-Identifier: MIT
/*
 * The sums of free blocks, inodes and free inodes, which are kept in memory while the file system
 * is mounted for writing, and what the headers of all AGs say.
 *
 * Sums change with each transaction, when it ends, and blocks that a transaction reserved are in
 * none of them. So what the headers say must first only lie between the sums before and after
 * looking. If it does not, the file system is frozen: then both must be equal.
 */
#include "fs/xfs/scrub/scrub.h"
#include "fs/xfs/ag/ialloc.h"
#include <lib/minmax.h>
#include <sched/task.h>

#define TRIES	     3u		/* while it is written to */
#define FREEZE_TRIES 50u	/* while somebody else begins or ends a freeze; a jiffy each */

/* As they are, may they be negative. */
static struct xfs_sums sums_of(const struct xfs_mount *mp)
{
	const struct xfs_live *live = READ_ONCE(mp->live);
	const struct xfs_sb *sb = &mp->fs.vol.sb;

	if (!live)
		return (struct xfs_sums){ (s64)sb->fdblocks, (s64)sb->icount, (s64)sb->ifree };
	return (struct xfs_sums){ atomic64_read(&live->fdblocks) + atomic64_read(&live->delayed),
				  atomic64_read(&live->icount), atomic64_read(&live->ifree) };
}

static int add_ag(struct xfs_mount *mp, u32 agno, struct xfs_sums *n)
{
	struct xfs_txbuf *agi, *agf;
	struct xfs_tx *tx;
	int e = xfs_begin_look(mp, &tx);

	if (e)
		return e;
	e = xfs_ag_agi(tx, agno, 0, &agi);
	e = e ?: xfs_ag_agf(tx, agno, 0, &agf);
	if (!e) {
		const struct xfs_ag *ag = xfs_ag_of(&mp->fs, agno);

		n->fdblocks +=
			(s64)ag->freeblks + ag->flcount + ag->btreeblks - xfs_ag_kept_left(ag);
		n->icount += ag->inodes;
		n->ifree += ag->freeinodes;
	}
	xfs_trans_cancel(tx);
	return e;
}

int xfs_scrub_count(struct xfs_mount *mp, struct xfs_sums *n)
{
	u32 ags = smp_load_acquire(&mp->fs.vol.sb.agcount);
	int e = 0;

	*n = (struct xfs_sums){ 0 };
	for (u32 i = 0; !e && i < ags; i++) {
		e = fatal_signal_pending(current) ? -EINTR : add_ag(mp, i, n);
		cond_resched();
	}
	return e;
}

static bool between(s64 n, s64 a, s64 b)
{
	return n >= min(a, b) && n <= max(a, b);
}

/* *OK: the sums may be right. */
static int look(struct xfs_mount *mp, bool *ok)
{
	struct xfs_sums before = sums_of(mp), n, now;
	int e = xfs_scrub_count(mp, &n);

	now = sums_of(mp);
	*ok = between(n.fdblocks, before.fdblocks, now.fdblocks) &&
	      between(n.icount, before.icount, now.icount) &&
	      between(n.ifree, before.ifree, now.ifree);
	return e;
}

static int freeze(struct xfs_mount *mp)
{
	for (u32 i = 0; i < FREEZE_TRIES; i++) {
		int e = freeze_super(mp->sb, FREEZE_KERNEL);

		if (e != -EBUSY)
			return e;
		if (fatal_signal_pending(current))
			return -EINTR;
		schedule_timeout_uninterruptible(1);
	}
	return -EBUSY;
}

int xfs_scrub_frozen(struct xfs_scrub *sc, int (*fn)(void *ctx), void *ctx)
{
	struct xfs_mount *mp = sc->mp;
	int e;

	if (sc->own)
		return call_frozen(mp->sb, fn, ctx);
	e = freeze(mp);
	if (e)
		return e;
	e = fn(ctx);
	/* Of the last holder it fails only when the file system is shut down. */
	(void)thaw_super(mp->sb, FREEZE_KERNEL);
	return e;
}

struct last_look {
	struct xfs_mount *mp;
	bool ok;
};

static int look_frozen(void *ctx)
{
	struct last_look *l = ctx;

	return look(l->mp, &l->ok);
}

int xfs_scrub_fscounters(struct xfs_scrub *sc)
{
	struct xfs_mount *mp = sc->mp;
	struct last_look last = { .mp = mp };
	bool ok = false;
	int e = 0;

	for (u32 i = 0; !e && !ok && i < TRIES; i++)
		e = look(mp, &ok);
	if (e || ok)
		return e;
	e = xfs_scrub_frozen(sc, look_frozen, &last);
	if (!e && !last.ok)
		xfs_scrub_bad(sc);
	return e;
}
