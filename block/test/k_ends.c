// SPDX-License-Identifier: MIT
/* A disk that comes late wakes the boot; what it has in its cache is flushed at the end. */
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <block/blk.h>
#include <kernel/ktest.h>
#include <sched/completion.h>
#include <sched/kthread.h>

static struct completion woken;
static atomic_t flushes;

static int wait_for_disk(void *seen)
{
	block_wait_for_disk((unsigned int)(unsigned long)seen, LONG_MAX);
	complete(&woken);
	return 0;
}

static int queue(struct disk *d, unsigned int q, struct bio *b)
{
	(void)d;
	(void)q;
	if (bio_op(b) == REQ_FLUSH)
		atomic_inc(&flushes);
	bio_done(b, 0);
	return 0;
}

static const struct disk_ops ops = { .queue = queue };

static struct disk *add(const char *name, unsigned int minor, bool write_cache)
{
	struct disk *d = disk_alloc_numbered(name, BLKEXT_MAJOR, minor, 1, 4);

	if (!d)
		return NULL;
	d->ops = &ops;
	d->max_bytes = PAGE_SIZE;
	d->write_cache = write_cache;
	if (!disk_add(d))
		return d;
	disk_put(d);
	return NULL;
}

KTEST(block_ends)
{
	unsigned long seen = block_disks_added();
	struct disk *cached, *plain;
	dev_t *all, dev;
	struct bdev *b;
	int n, found = 0;

	init_completion(&woken);
	atomic_set(&flushes, 0);
	KT_ASSERT(!IS_ERR(kthread_run(wait_for_disk, (void *)seen, "ktest/disk")));
	cached = add("ktestcached", 1048001, true);
	wait_for_completion(&woken);
	plain = add("ktestplain", 1048002, false);
	KT_ASSERT(cached && plain);
	KT_ASSERT(block_disks_added() != seen);

	b = bdev_get_by_name("ktestplain");
	KT_ASSERT(b);
	dev = b->dev;
	found = *b->uuid != 0;
	bdev_put(b);
	KT_EQ(found, 0);
	KT_ASSERT(!bdev_get_by_partuuid(""));
	n = block_devices(&all);
	for (int i = 0; i < n; i++)
		found += all[i] == dev;
	KT_EQ(found, 1);
	kvfree(all);

	block_flush_all();
	KT_EQ(atomic_read(&flushes), 1);
	KT_EQ(disk_remove_unless_open(cached), 0);
	KT_EQ(disk_remove_unless_open(plain), 0);
	disk_put(cached);
	disk_put(plain);
}
