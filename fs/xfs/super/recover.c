// SPDX-License-Identifier: MIT
/*
 * The log's recovery on a device that is about to be mounted: memory, transfers and messages for
 * fs/xfs/log.
 */
#include "fs/xfs/log/replay.h"
#include "fs/xfs/super/super.h"
#include <alloc/page.h>
#include <alloc/slab.h>
#include <sched/task.h>

/* Who mounts pays; a log that needs a quarter of all memory is not replayed. */
#define MOST(pages) ((size_t)(pages) / 4 * PAGE_SIZE)

static void *env_alloc(void *ctx, size_t n)
{
	(void)ctx;
	return kvzalloc(n, GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
}

static void env_free(void *ctx, void *p, size_t n)
{
	(void)ctx;
	(void)n;
	kvfree(p);
}

static int env_read(void *ctx, u64 daddr, void *buf, u32 len)
{
	struct xfs_mount *mp = ctx;

	return xfs_read_raw(mp->sb->s_bdev, daddr, buf, len);
}

static int env_write(void *ctx, u64 daddr, const void *buf, u32 len)
{
	struct xfs_mount *mp = ctx;

	return xfs_write_raw(mp->sb->s_bdev, daddr, buf, len);
}

static int env_flush(void *ctx)
{
	struct xfs_mount *mp = ctx;

	return bdev_flush(mp->sb->s_bdev);
}

static bool env_stop(void *ctx)
{
	(void)ctx;
	cond_resched();
	return fatal_signal_pending(current);
}

static void say(struct xfs_mount *mp, int e, const struct xfs_replay_result *res,
		const struct xfs_fault *f)
{
	const char *id = mp->sb->s_id;

	if (!e && !res->clean)
		pr_notice(
			"xfs: %s: the log was dirty: %llu transactions were replayed, %llu sectors written%s\n",
			id, res->transactions, res->blocks,
			res->left ? "; it stays dirty, as removed files are left to be freed" : "");
	else if (e && res->why)
		pr_err("xfs: %s: the log is dirty and cannot be replayed: %s (%#x)\n", id, res->why,
		       res->bits);
	else if (e && f->what)
		pr_err("xfs: %s: the log cannot be replayed: %s %llu: %s is wrong (%llu)\n", id,
		       f->what, f->place, f->field, f->value);
	else if (e)
		pr_err("xfs: %s: the log cannot be replayed: error %d\n", id, e);
}

int xfs_recover(struct xfs_mount *mp)
{
	struct bdev *b = mp->sb->s_bdev;
	struct xfs_replay_env env = { .ctx = mp,
				      .alloc = env_alloc,
				      .free = env_free,
				      .read = env_read,
				      .write = env_write,
				      .flush = env_flush,
				      .stop = env_stop,
				      .most = MOST(totalram_pages()),
				      .sectors = b->sectors };
	struct xfs_replay_result res;
	struct xfs_fault f = { 0 };
	int e;

	if (mp->norecovery)
		return 0;
	e = xfs_replay(&mp->vol.sb, &env, !(b->disk->read_only || b->read_only), &res, &f);
	say(mp, e, &res, &f);
	return xfs_errno(e);
}
