// SPDX-License-Identifier: MIT
/*
 * Removal of disks that may be open and mounted. disk_detach() takes the disk off the list, so that
 * no look-up finds it, shuts down the file systems on it and fails all requests. disk_remove()
 * takes it out of /dev and /sys and releases the driver if no request is in flight; otherwise the
 * last disk_put() does. The disk with its bdevs, their caches, its name and its numbers is freed
 * when its last file is closed.
 *
 * Once disk->gone is set (under parts_lock) the set of partitions does not change: the functions
 * here walk the list without a lock.
 *
 * An ioctl that reaches the driver is counted (disk_enter()). disk_remove() waits for those that
 * run: the driver has made all that sleep in it return before; later ones are refused.
 *
 * An open attribute pins only the memory of the disk or bdev that it shows.
 */
#include <lib/types.h>
#include <lib/list.h>
#include <alloc/slab.h>
#include <mm/filemap.h>
#include <sched/mutex.h>
#include <vfs/inode.h>
#include <abi/errno.h>
#include "block/blk_priv.h"

void disk_unpin(void *data)
{
	struct disk *d = data;

	if (refcount_dec_and_test(&d->pins))
		kfree(d);
}

void bdev_unpin(void *data)
{
	struct bdev *b = data;

	if (!refcount_dec_and_test(&b->pins))
		return;
	disk_unpin(b->disk);
	free_percpu(b->stats);
	kfree(b);
}

void disk_attr(struct show_node *dir, const char *name, umode_t mode, show_fn show, store_fn store,
	       struct disk *d)
{
	refcount_inc(&d->pins);
	show_attr_pinned(dir, name, mode, show, store, d, disk_unpin);
}

void bdev_attr(struct show_node *dir, const char *name, umode_t mode, show_fn show, store_fn store,
	       struct bdev *b)
{
	refcount_inc(&b->pins);
	show_attr_pinned(dir, name, mode, show, store, b, bdev_unpin);
}

/* Writes B's dirty pages unless SURPRISE, and shuts down the file system on it. */
static void part(struct bdev *b, bool surprise)
{
	block_tell_super(b, surprise);
	if (!surprise)
		filemap_write_and_wait(b->inode->i_mapping);
	invalidate_mapping_pages(b->inode->i_mapping, 0, (pgoff_t)-1);
}

/* The size of the whole disk becomes 0; its partitions keep their sizes. As on Linux. */
static void set_empty(struct disk *d)
{
	struct bdev *whole;

	mutex_lock(&disks_lock);
	whole = list_first_entry_or_null(&d->parts, struct bdev, list);
	WRITE_ONCE(d->sectors, 0);
	if (whole)
		WRITE_ONCE(whole->sectors, 0);
	mutex_unlock(&disks_lock);
	if (whole)
		i_size_write(whole->inode, 0);
}

void disk_detach(struct disk *d, bool surprise)
{
	struct bdev *b;

	mutex_lock(&d->parts_lock);
	mutex_lock(&disks_lock);
	list_del_init(&d->list);
	WRITE_ONCE(d->gone, true);
	mutex_unlock(&disks_lock);
	mutex_unlock(&d->parts_lock);
	if (surprise)
		disk_kill(d);
	list_for_each_entry(b, &d->parts, list)
		part(b, surprise);
	disk_kill(d);
	set_empty(d);
}

int disk_enter(struct disk *d)
{
	atomic_inc(&d->calls);
	/* with wait_for_calls(): it sees the call, or the call sees that the disk is gone */
	smp_mb__after_atomic();
	if (!READ_ONCE(d->gone))
		return 0;
	disk_leave(d);
	return -ENODEV;
}

void disk_leave(struct disk *d)
{
	smp_mb__before_atomic();
	if (atomic_dec_and_test(&d->calls) && READ_ONCE(d->gone))
		wake_up_all(&d->calls_done);
}

/* D is gone: what waits in its driver is on its way out. */
static void wait_for_calls(struct disk *d)
{
	smp_mb();	/* d->gone before the look: see disk_enter() */
	wait_event(d->calls_done, !atomic_read(&d->calls));
}

/* D is dead. True: no request is in flight or queued, so the driver is not called again. */
static bool is_idle(struct disk *d)
{
	bool idle = true;

	for (unsigned int i = 0; i < d->nr_queues; i++) {
		struct disk_queue *q = &d->queues[i];

		spin_lock_irq(&q->lock);
		idle &= !q->used && list_empty(&q->pending);
		spin_unlock_irq(&q->lock);
	}
	return idle;
}

void disk_remove(struct disk *d)
{
	struct bdev *b;

	wait_for_calls(d);
	/* The worker that completed the last request may still use its queue. */
	for (unsigned int i = 0; i < d->nr_queues; i++)
		flush_work(&d->queues[i].work);
	/* In reverse: the whole disk is the first entry and goes last. */
	list_for_each_entry_reverse(b, &d->parts, list)
		bdev_hide(b);
	show_remove(d->show);
	/*
	 * With requests in flight, which a device that cannot be reset keeps, disk_put() releases.
	 */
	if (is_idle(d) && d->ops->release) {
		d->released = true;
		d->ops->release(d);
	}
}
