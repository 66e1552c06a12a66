// SPDX-License-Identifier: MIT
/* A disk whose device goes while it is open, read and shown. */
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <block/blk.h>
#include <kernel/ktest.h>
#include <kernel/show.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <vfs/inode.h>
#include <abi/errno.h>

static struct bio *under_way;
static struct completion reached, ended;
static int status;
static atomic_t released, asked;

/* The device keeps what it gets. */
static int queue(struct disk *d, unsigned int q, struct bio *b)
{
	(void)d;
	(void)q;
	atomic_inc(&asked);
	under_way = b;
	complete(&reached);
	return 0;
}

static void release(struct disk *d)
{
	(void)d;
	atomic_inc(&released);
}

static const struct disk_ops ops = { .queue = queue, .release = release };

static int flusher(void *b)
{
	status = bdev_flush(b);
	complete(&ended);
	return 0;
}

static struct disk *add(const char *name, unsigned int minor)
{
	struct disk *d = disk_alloc_numbered(name, BLKEXT_MAJOR, minor, 1, 4);

	if (!d)
		return NULL;
	d->ops = &ops;
	d->max_bytes = PAGE_SIZE;
	d->write_cache = true;
	if (!disk_add(d))
		return d;
	disk_put(d);
	return NULL;
}

KTEST(block_gone)
{
	struct show_node *dir, *size;
	char text[16];
	struct disk *d;
	struct bdev *b;

	init_completion(&reached);
	init_completion(&ended);
	atomic_set(&released, 0);
	atomic_set(&asked, 0);
	d = add("ktestgone", 1048003);
	KT_ASSERT(d);
	dir = show_lookup(show_path(SHOW_SYS, "devices/virtual/block"), "ktestgone", 9);
	KT_ASSERT(dir);
	size = show_lookup(dir, "size", 4);
	KT_ASSERT(size);
	b = bdev_open_by_dev(MKDEV(BLKEXT_MAJOR, 1048003));
	KT_ASSERT(!IS_ERR(b));
	KT_ASSERT(!IS_ERR(kthread_run(flusher, b, "ktest/flush")));
	wait_for_completion(&reached);

	disk_detach(d, true);
	KT_EQ(bdev_flush(b), -EIO);
	KT_EQ(bdev_discard(b, 0, 1, false), -EOPNOTSUPP);
	KT_ASSERT(IS_ERR(bdev_open_by_dev(MKDEV(BLKEXT_MAJOR, 1048003))));
	KT_EQ(disk_rescan(d), -ENXIO);
	/* What the device has is the driver's to complete. */
	KT_EQ(atomic_read(&asked), 1);
	bio_done(under_way, -EIO);
	wait_for_completion(&ended);
	KT_EQ(status, -EIO);
	disk_remove(d);
	KT_EQ(atomic_read(&released), 1);
	KT_ASSERT(!show_lookup(show_path(SHOW_SYS, "devices/virtual/block"), "ktestgone", 9));
	KT_ASSERT(!show_attr(dir, "late", 0444, NULL, NULL, NULL));
	disk_put(d);

	KT_EQ(bdev_flush(b), -EIO);
	KT_EQ(bdev_close(b), 0);
	KT_EQ(atomic_read(&released), 1);
	KT_EQ(atomic_read(&asked), 1);
	/* The disk is gone; an attribute that is being read has its memory. */
	KT_EQ(size->show(size, text, sizeof(text)), 2);
	KT_EQ(strcmp(text, "0\n"), 0);
	show_put(size);
	show_put(dir);
}

/* A device that keeps a request has it, and its driver, until it gives it back. */
KTEST(block_gone_keeps)
{
	struct disk *d;
	struct bdev *b;

	init_completion(&reached);
	init_completion(&ended);
	atomic_set(&released, 0);
	d = add("ktestkeeps", 1048004);
	KT_ASSERT(d);
	b = bdev_open_by_dev(MKDEV(BLKEXT_MAJOR, 1048004));
	KT_ASSERT(!IS_ERR(b));
	KT_ASSERT(!IS_ERR(kthread_run(flusher, b, "ktest/flush")));
	wait_for_completion(&reached);
	disk_detach(d, true);
	disk_remove(d);
	disk_put(d);
	KT_EQ(atomic_read(&released), 0);
	bio_done(under_way, 0);
	wait_for_completion(&ended);
	KT_EQ(status, 0);
	KT_EQ(bdev_close(b), 0);
	KT_EQ(atomic_read(&released), 1);
}
