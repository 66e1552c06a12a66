// SPDX-License-Identifier: MIT
/*
 * The partitions of a disk: those of its table, which is read when the disk is added and by
 * BLKRRPART, and those that programs add, remove and resize one by one (BLKPG), which leaves the
 * table unchanged.
 *
 * The set changes under the disk's parts_lock; the list is disks_lock's too, for those that look.
 * An open partition is neither removed nor moved. Lock order: parts_lock > disks_lock.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/partition.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <kernel/printk.h>
#include <mm/filemap.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <sched/mutex.h>
#include <vfs/inode.h>
#include <abi/errno.h>
#include <linux/blkpg.h>
#include <linux/capability.h>
#include "block/blk_priv.h"

#define MOST 256		/* Linux's: numbers are below it */

/* ---- the table ---- */

struct scan {
	struct disk *d;
	struct bdev *whole;
	struct page *page;
};

static int read_block(void *ctx, u64 lba, void *buf)
{
	struct scan *s = ctx;
	struct bio *b = bio_alloc(s->whole, REQ_READ, 0, GFP_KERNEL);
	int e;

	if (!b)
		return -ENOMEM;
	b->sector = lba * (s->d->block_size >> SECTOR_SHIFT);
	bio_add_page(b, s->page, s->d->block_size, 0);
	e = submit_bio_wait(b);
	if (!e)
		memcpy(buf, page_address(s->page), s->d->block_size);
	return e;
}

static int add_partition(void *arg, const struct partition *p)
{
	struct scan *s = arg;
	u32 per = s->d->block_size >> SECTOR_SHIFT;
	struct bdev *b;

	if (p->cut)
		pr_warn("block: %s: partition %u goes beyond the end of the disk: cut\n",
			s->d->name, p->number);
	b = bdev_add(s->d, p->number, p->start * per, p->count * per);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	block_partition_name(b->uuid, sizeof(b->uuid), p);
	return 0;
}

static int scan_partitions(struct disk *d, struct bdev *whole)
{
	struct scan s = { .d = d, .whole = whole, .page = alloc_page(GFP_KERNEL) };
	struct partition_reader r = { read_block, &s, d->block_size,
				      d->sectors / (d->block_size >> SECTOR_SHIFT) };
	u8 *buf = kmalloc(2 * d->block_size, GFP_KERNEL);
	int n = -ENOMEM;

	if (s.page && buf)
		n = partitions_scan(&r, buf, add_partition, &s);
	kfree(buf);
	if (s.page)
		put_page(s.page);
	if (n < 0)
		pr_err("block: %s: reading the partition table failed: %d\n", d->name, n);
	return n < 0 ? n : 0;
}

int disk_scan(struct disk *d, struct bdev *whole)
{
	int e;

	mutex_lock(&d->parts_lock);
	e = d->gone ? -ENXIO : scan_partitions(d, whole);
	mutex_unlock(&d->parts_lock);
	return e;
}

/* All partitions onto GONE, *WHOLE: the disk. -EBUSY: one is open; -ENXIO: the device is gone. */
static int take_partitions(struct disk *d, struct list_head *gone, struct bdev **whole)
{
	struct bdev *b, *n;
	int e = 0;

	mutex_lock(&disks_lock);
	list_for_each_entry(b, &d->parts, list)
		if (b->partno && bdev_is_open(b))
			e = -EBUSY;
	if (!e && d->gone)
		e = -ENXIO;
	list_for_each_entry_safe(b, n, &d->parts, list) {
		if (e)
			break;
		if (b->partno)
			list_move(&b->list, gone);
		else
			*whole = b;
	}
	mutex_unlock(&disks_lock);
	return e;
}

int disk_rescan(struct disk *d)
{
	struct bdev *b, *n, *whole = NULL;
	LIST_HEAD(gone);
	int e;

	if (d->no_partitions)
		return -EINVAL;
	mutex_lock(&d->parts_lock);
	e = take_partitions(d, &gone, &whole);
	list_for_each_entry_safe(b, n, &gone, list)
		bdev_del(b);
	if (!e && !whole)
		e = -ENXIO;
	if (!e && d->sectors)
		e = scan_partitions(d, whole);
	mutex_unlock(&d->parts_lock);
	return e;
}

/* ---- one by one ---- */

static struct bdev *find_partition(struct disk *d, unsigned int number)
{
	struct bdev *b;

	lockdep_assert_held(&disks_lock);
	list_for_each_entry(b, &d->parts, list)
		if (b->partno == number)
			return b;
	return NULL;
}

/* Another than EXCEPT, which may be NULL, has a sector of START to END. */
static bool overlaps(struct disk *d, u64 start, u64 end, const struct bdev *except)
{
	struct bdev *b;

	lockdep_assert_held(&disks_lock);
	list_for_each_entry(b, &d->parts, list)
		if (b->partno && b != except && b->start < end && start < b->start + b->sectors)
			return true;
	return false;
}

static int add_one(struct disk *d, unsigned int number, u64 start, u64 sectors)
{
	struct bdev *b;
	int e;

	mutex_lock(&disks_lock);
	e = find_partition(d, number) || overlaps(d, start, start + sectors, NULL) ? -EBUSY : 0;
	mutex_unlock(&disks_lock);
	if (e)
		return e;
	b = bdev_add(d, number, start, sectors);
	return IS_ERR(b) ? (int)PTR_ERR(b) : 0;
}

static int delete_one(struct disk *d, unsigned int number)
{
	struct bdev *b;
	int e;

	mutex_lock(&disks_lock);
	b = find_partition(d, number);
	e = !b ? -ENXIO : bdev_is_open(b) ? -EBUSY : 0;
	if (!e)
		list_del(&b->list);
	mutex_unlock(&disks_lock);
	if (!e)
		bdev_del(b);
	return e;
}

/* It may be open and mounted: it begins where it began. */
static int resize_one(struct disk *d, unsigned int number, u64 start, u64 sectors)
{
	struct inode *inode = NULL;
	struct bdev *b;
	int e;

	mutex_lock(&disks_lock);
	b = find_partition(d, number);
	e = !b					   ? -ENXIO :
	    b->start != start			   ? -EINVAL :
	    overlaps(d, start, start + sectors, b) ? -EBUSY :
						     0;
	if (!e) {
		WRITE_ONCE(b->sectors, sectors);
		inode = b->inode;
	}
	mutex_unlock(&disks_lock);
	if (!e) {
		i_size_write(inode, (loff_t)(sectors << SECTOR_SHIFT));
		truncate_inode_pages(inode->i_mapping, (loff_t)(sectors << SECTOR_SHIFT));
	}
	return e;
}

/* P in sectors: 0; -EINVAL: it is misaligned, empty, or not on the disk. */
static int check_place(const struct disk *d, const struct blkpg_partition *p, u64 *start,
		       u64 *sectors)
{
	u64 size = READ_ONCE(d->sectors) << SECTOR_SHIFT;

	if (p->start < 0 || p->length <= 0 || (u64)(p->start | p->length) & (d->block_size - 1) ||
	    (u64)p->start >= size || (u64)p->length > size - (u64)p->start)
		return -EINVAL;
	*start = (u64)p->start >> SECTOR_SHIFT;
	*sectors = (u64)p->length >> SECTOR_SHIFT;
	return 0;
}

long block_blkpg(struct bdev *v, struct uptr arg)
{
	struct blkpg_partition p;
	struct blkpg_ioctl_arg a;
	struct disk *d = v->disk;
	u64 start, sectors;
	int e;

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	if (copy_from_user(&a, arg, sizeof(a)) ||
	    copy_from_user(&p, UPTR((unsigned long)a.data), sizeof(p)))
		return -EFAULT;
	if (v->partno || d->no_partitions || p.pno <= 0 || p.pno >= MOST ||
	    a.op < BLKPG_ADD_PARTITION || a.op > BLKPG_RESIZE_PARTITION)
		return -EINVAL;
	e = a.op == BLKPG_DEL_PARTITION ? 0 : check_place(d, &p, &start, &sectors);
	if (e)
		return e;
	mutex_lock(&d->parts_lock);
	if (d->gone)
		e = -ENXIO;
	else if (a.op == BLKPG_ADD_PARTITION)
		e = add_one(d, (unsigned int)p.pno, start, sectors);
	else if (a.op == BLKPG_DEL_PARTITION)
		e = delete_one(d, (unsigned int)p.pno);
	else
		e = resize_one(d, (unsigned int)p.pno, start, sectors);
	mutex_unlock(&d->parts_lock);
	return e;
}
