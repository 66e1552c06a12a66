// SPDX-License-Identifier: MIT
/*
 * The log's recovery on a device that is about to be mounted: memory, transfers and messages for
 * fs/xfs/log.
 */
#include "fs/xfs/super/super.h"
#include <alloc/page.h>
#include <alloc/slab.h>
#include <sched/task.h>

/* The memory is charged to the mounting task; a log that needs a quarter of all is not replayed. */
#define MOST(pages) ((size_t)(pages) / 4 * PAGE_SIZE)

struct ctx {
	struct xfs_mount *mp;
	struct xfs_recovery *r;
};

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
	struct xfs_mount *mp = ((struct ctx *)ctx)->mp;

	return xfs_read_raw(mp->sb->s_bdev, daddr, buf, len);
}

static int env_write(void *ctx, u64 daddr, const void *buf, u32 len)
{
	struct xfs_mount *mp = ((struct ctx *)ctx)->mp;

	return xfs_write_raw(mp->sb->s_bdev, daddr, buf, len);
}

static int env_flush(void *ctx)
{
	struct xfs_mount *mp = ((struct ctx *)ctx)->mp;

	return bdev_flush(mp->sb->s_bdev);
}

static bool env_stop(void *ctx)
{
	(void)ctx;
	cond_resched();
	return fatal_signal_pending(current);
}

static int env_intent(void *ctx, u64 lsn, const struct xfs_litem *it)
{
	struct ctx *c = ctx;

	return xfs_recovery_add(c->mp, c->r, lsn, it);
}

static void say(struct xfs_mount *mp, int e, const struct xfs_replay_result *res,
		const struct xfs_fault *f)
{
	const char *id = mp->sb->s_id;

	if (!e && !res->clean)
		pr_notice(
			"xfs: %s: the log was dirty: %llu transactions were replayed, %llu sectors written\n",
			id, res->transactions, res->blocks);
	else if (e && res->why)
		pr_err("xfs: %s: the log is dirty and cannot be replayed: %s (%#x)\n", id, res->why,
		       res->bits);
	else if (e && f->what)
		pr_err("xfs: %s: the log cannot be replayed: %s %llu: %s is wrong (%llu)\n", id,
		       f->what, f->place, f->field, f->value);
	else if (e)
		pr_err("xfs: %s: the log cannot be replayed: error %d\n", id, e);
}

int xfs_recover(struct xfs_mount *mp, struct xfs_recovery *r)
{
	struct bdev *b = mp->sb->s_bdev;
	bool writable = !(b->disk->read_only || b->read_only);
	struct ctx ctx = { mp, r };
	struct xfs_replay_env env = { .ctx = &ctx,
				      .alloc = env_alloc,
				      .free = env_free,
				      .read = env_read,
				      .write = env_write,
				      .flush = env_flush,
				      .stop = env_stop,
				      .intent = writable ? env_intent : NULL,
				      .most = MOST(totalram_pages()),
				      .sectors = b->sectors };
	struct xfs_fault f = { 0 };
	int e;

	*r = (struct xfs_recovery){ 0 };
	INIT_LIST_HEAD(&r->begun);
	if (mp->norecovery)
		return 0;
	e = xfs_replay(&mp->fs.vol.sb, &env, writable, &r->res, &f);
	say(mp, e, &r->res, &f);
	return xfs_errno(e);
}
