// SPDX-License-Identifier: MIT
/*
 * Online discard (-o discard): each extent that was freed is discarded after its freeing is durable
 * and before the extent may be used again. Until then it stays busy (busy.c).
 *
 * A worker of the mount does it, with a queue and a rescuer of its own: tasks that want the space
 * wait for it, ends of writes among them. It allocates nothing that needs the file system. Extents
 * are taken in the order in which they were freed; one that continues the one before is discarded
 * with it. Blocks of trees are left out: they are used again soon.
 *
 * The first discard that fails is logged; failures have no other effect, as the space is free
 * either way.
 */
#include "fs/xfs/trans/priv.h"
#include <kernel/printk.h>
#include <sched/work.h>
#include <abi/errno.h>

/* The extent of the first of LIST and those that continue it, which go to DONE. */
static void take_run(struct list_head *list, struct list_head *done, u32 *agno, u32 *agb, u32 *len)
{
	u32 end = *len = 0;

	while (!list_empty(list)) {
		struct xfs_busy *b = list_first_entry(list, struct xfs_busy, list);

		if (*len && (b->agno != *agno || b->agb != end))
			return;
		if (!*len) {
			*agno = b->agno;
			*agb = b->agb;
		}
		*len += b->len;
		end = b->agb + b->len;
		list_move_tail(&b->list, done);
	}
}

static void discard_run(struct xfs_live *live, u32 agno, u32 agb, u32 len)
{
	const struct xfs_sb *sb = &live->mp->fs.vol.sb;
	int e = bdev_discard(live->mp->sb->s_bdev, xfs_agb_daddr(sb, agno, agb),
			     (u64)len << (sb->blocklog - SECTOR_SHIFT), false);

	if (!e || live->discard_failed)
		return;
	live->discard_failed = true;
	pr_err("xfs: %s: the device does not discard free space: error %d\n", live->mp->sb->s_id,
	       e);
}

static void discard_all(struct work_struct *w)
{
	struct xfs_live *live = container_of(w, struct xfs_live, discard_work);
	unsigned int flags = memalloc_noio_save();
	LIST_HEAD(list);

	spin_lock(&live->busy_lists);
	list_splice_init(&live->discards, &list);
	spin_unlock(&live->busy_lists);
	while (!list_empty(&list)) {
		u32 agno = 0, agb = 0, len;
		LIST_HEAD(done);

		take_run(&list, &done, &agno, &agb, &len);
		discard_run(live, agno, agb, len);	/* also after a shutdown: it is durable */
		xfs_busy_end(live, &done);
		cond_resched();
	}
	memalloc_noio_restore(flags);
}

void xfs_discard_later(struct xfs_live *live, struct list_head *list)
{
	struct xfs_busy *b, *next;
	bool any = false;

	spin_lock(&live->busy_lists);
	list_for_each_entry_safe(b, next, list, list) {
		if (!b->len || b->keep)
			continue;
		list_move_tail(&b->list, &live->discards);
		any = true;
	}
	spin_unlock(&live->busy_lists);
	if (any)
		queue_work(live->discard_wq, &live->discard_work);
}

int xfs_discard_set(struct xfs_mount *mp, bool on)
{
	struct xfs_live *live = mp->live;

	if (on && !mp->sb->s_bdev->disk->max_discard_sectors) {
		pr_warn("xfs: %s: mounted with discard, which the device does not do\n",
			mp->sb->s_id);
		mp->discard = on = false;
	}
	if (on && !live->discard_wq)
		live->discard_wq = alloc_workqueue("xfs-discard", WQ_UNBOUND | WQ_MEM_RECLAIM, 1);
	if (on && !live->discard_wq)
		return -ENOMEM;
	/* Behind the queue, for xfs_busy_freed(). */
	smp_store_release(&live->discard, on);
	return 0;
}

void xfs_discard_init(struct xfs_live *live)
{
	INIT_LIST_HEAD(&live->discards);
	INIT_WORK(&live->discard_work, discard_all);
}
