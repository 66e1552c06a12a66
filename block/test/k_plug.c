// SPDX-License-Identifier: MIT
/*
 * What a plug holds back becomes few requests: neighbours join before and behind, up to the limits
 * of the disk; each bio ends with the status of its request; what flushes is neither held nor
 * joined; a task that sleeps holds nothing back.
 */
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <block/blk.h>
#include <kernel/ktest.h>
#include <sched/completion.h>
#include <sched/plug.h>
#include <sched/task.h>
#include "block/blk_priv.h"

#define BIOS 8U
#define MOST 16U

static struct {
	unsigned int n, commits;	/* queue lock */
	struct {
		u64 sector;
		u32 bytes, segs;
		unsigned int op, flags;
	} seen[MOST];			/* queue lock: requests, in the driver's order */
	u64 bad_sector;			/* a request that begins here fails */
} dev;

static struct {
	struct completion all;
	atomic_t left;
	int status[BIOS];
} run;

static int queue(struct disk *d, unsigned int q, struct bio *b)
{
	struct bio *at = b;
	unsigned int i = 0;
	u32 len, segs = 0, bytes = 0;
	u64 phys;

	(void)d;
	(void)q;
	while (b->nvecs && bio_next_segment(&at, &i, &phys, &len)) {
		segs++;
		bytes += len;
	}
	if (dev.n < MOST) {
		dev.seen[dev.n].sector = b->disk_sector;
		dev.seen[dev.n].bytes = bytes;
		dev.seen[dev.n].segs = segs;
		dev.seen[dev.n].flags = b->flags;
		dev.seen[dev.n++].op = bio_op(b);
	}
	bio_done(b, b->nvecs && b->disk_sector == dev.bad_sector ? -EIO : 0);
	return 0;
}

static void commit(struct disk *d, unsigned int q)
{
	(void)d;
	(void)q;
	dev.commits++;
}

static const struct disk_ops ops = { .queue = queue, .commit = commit };

static void end(struct bio *b)
{
	run.status[(uintptr_t)b->private] = b->status;
	bio_free(b);
	if (atomic_dec_and_test(&run.left))
		complete(&run.all);
}

static struct page *memory;	/* BIOS pages that touch */

static void reset(unsigned int bios, u64 bad_sector)
{
	memset(&dev, 0, sizeof(dev));
	dev.bad_sector = bad_sector;
	init_completion(&run.all);
	atomic_set(&run.left, (int)bios);
	for (unsigned int i = 0; i < BIOS; i++)
		run.status[i] = 1;
}

/* A page at page PLACE of the disk, from page MEM of the memory. */
static void submit(struct bdev *v, unsigned int i, unsigned int op, unsigned int flags, u64 place,
		   unsigned int mem)
{
	struct bio *b = bio_alloc(v, op, flags, GFP_KERNEL);

	b->sector = place * (PAGE_SIZE >> SECTOR_SHIFT);
	b->private = (void *)(uintptr_t)i;
	b->end_io = end;
	bio_add_page(b, memory + mem, PAGE_SIZE, 0);
	submit_bio(b);
}

#define SECTOR_OF(page) ((u64)(page) * (PAGE_SIZE >> SECTOR_SHIFT))

/* Of all CPUs. */
static struct disk_stats sum(struct bdev *v)
{
	struct disk_stats s = { 0 };
	int cpu;

	for_each_possible_cpu(cpu) {
		s.ios[STAT_WRITE] += per_cpu_ptr(v->stats, cpu)->ios[STAT_WRITE];
		s.merges[STAT_WRITE] += per_cpu_ptr(v->stats, cpu)->merges[STAT_WRITE];
	}
	return s;
}

/*
 * Behind, before, into the gap: one request, one word to the device, no piece of memory for each
 * bio.
 */
static void test_joins(struct ktest_run *__kt, struct bdev *v)
{
	struct disk_stats before = sum(v), after;
	struct plug plug, inner;

	reset(4, ~0ull);
	plug_start(&plug);
	submit(v, 0, REQ_WRITE, 0, 10, 1);
	plug_start(&inner);	/* changes nothing */
	submit(v, 1, REQ_WRITE, 0, 9, 0);
	submit(v, 2, REQ_WRITE, 0, 12, 3);
	plug_finish(&inner);
	KT_EQ(dev.n, 0);
	submit(v, 3, REQ_WRITE, 0, 11, 2);
	KT_EQ(plug.count, 1);
	plug_finish(&plug);
	wait_for_completion(&run.all);
	KT_EQ(dev.n, 1);
	KT_EQ(dev.commits, 1);
	KT_EQ(dev.seen[0].sector, SECTOR_OF(9));
	KT_EQ(dev.seen[0].bytes, 4 * PAGE_SIZE);
	KT_EQ(dev.seen[0].segs, 1);
	for (unsigned int i = 0; i < 4; i++)
		KT_EQ(run.status[i], 0);
	after = sum(v);
	KT_EQ(after.merges[STAT_WRITE] - before.merges[STAT_WRITE], 3);
	KT_EQ(after.ios[STAT_WRITE] - before.ios[STAT_WRITE], 1);
	KT_ASSERT(!current->plug);
}

/*
 * Other operations and places stay apart, in order of place, and the device is told once of all of
 * them.
 */
static void test_apart(struct ktest_run *__kt, struct bdev *v)
{
	struct plug plug;

	reset(5, SECTOR_OF(20));
	plug_start(&plug);
	submit(v, 0, REQ_WRITE, 0, 30, 0);
	submit(v, 1, REQ_READ, 0, 31, 1);
	submit(v, 2, REQ_WRITE, 0, 20, 2);
	submit(v, 3, REQ_WRITE, 0, 21, 5);
	submit(v, 4, REQ_WRITE, 0, 40, 6);
	plug_finish(&plug);
	wait_for_completion(&run.all);
	KT_EQ(dev.n, 4);
	KT_EQ(dev.commits, 1);
	KT_EQ(dev.seen[0].op, REQ_READ);
	KT_EQ(dev.seen[1].sector, SECTOR_OF(20));
	KT_EQ(dev.seen[1].segs, 2);
	KT_EQ(dev.seen[2].sector, SECTOR_OF(30));
	KT_EQ(dev.seen[3].sector, SECTOR_OF(40));
	/* The request that failed had two bios, and no other one. */
	for (unsigned int i = 0; i < 5; i++)
		KT_EQ(run.status[i], i == 2 || i == 3 ? -EIO : 0);
}

static void test_limits(struct ktest_run *__kt, struct bdev *v)
{
	struct plug plug;

	/* Two pieces of memory at most. */
	reset(4, ~0ull);
	plug_start(&plug);
	for (unsigned int i = 0; i < 4; i++)
		submit(v, i, REQ_WRITE, 0, i, 6 - 2 * i);
	KT_EQ(plug.count, 2);
	plug_finish(&plug);
	wait_for_completion(&run.all);
	KT_EQ(dev.n, 2);
	KT_EQ(dev.seen[0].segs, 2);
	KT_EQ(dev.seen[1].bytes, 2 * PAGE_SIZE);

	/* Five pages at most. */
	reset(6, ~0ull);
	plug_start(&plug);
	for (unsigned int i = 0; i < 6; i++)
		submit(v, i, REQ_WRITE, 0, i, i);
	plug_finish(&plug);
	wait_for_completion(&run.all);
	KT_EQ(dev.n, 2);
	KT_EQ(dev.seen[0].bytes, 5 * PAGE_SIZE);
	KT_EQ(dev.seen[1].sector, SECTOR_OF(5));
}

/* What flushes goes at once and alone, behind what was held. */
static void test_flush(struct ktest_run *__kt, struct bdev *v)
{
	struct plug plug;

	reset(3, ~0ull);
	plug_start(&plug);
	submit(v, 0, REQ_WRITE, 0, 1, 0);
	submit(v, 1, REQ_WRITE, REQ_PREFLUSH | REQ_FUA, 2, 1);
	KT_EQ(plug.count, 0);
	submit(v, 2, REQ_WRITE, 0, 3, 2);
	KT_EQ(plug.count, 1);
	plug_finish(&plug);
	wait_for_completion(&run.all);
	/*
	 * The write, the flush before, the write, the flush that stands for FUA; where the last
	 * write is does not matter.
	 */
	KT_EQ(dev.n, 5);
	KT_EQ(dev.seen[0].sector, SECTOR_OF(1));
	KT_EQ(dev.seen[0].bytes, PAGE_SIZE);
	KT_EQ(dev.seen[1].op, REQ_FLUSH);
	for (unsigned int i = 0; i < dev.n; i++)
		KT_ASSERT(dev.seen[i].op == REQ_FLUSH || dev.seen[i].bytes == PAGE_SIZE);
}

/* A task that waits for what it holds does not wait for ever. */
static void test_sleep(struct ktest_run *__kt, struct bdev *v)
{
	struct plug plug;

	reset(2, ~0ull);
	plug_start(&plug);
	submit(v, 0, REQ_READ, 0, 1, 0);
	submit(v, 1, REQ_READ, 0, 2, 1);
	cond_resched();		/* runs on: not a sleep */
	KT_EQ(plug.count, 1);
	wait_for_completion(&run.all);
	KT_EQ(plug.count, 0);
	KT_EQ(dev.n, 1);
	plug_finish(&plug);
}

/* A disk whose driver takes single bios gets each at once. */
static void test_single(struct ktest_run *__kt, struct bdev *v)
{
	struct plug plug;

	v->disk->max_segments = 0;
	reset(2, ~0ull);
	plug_start(&plug);
	submit(v, 0, REQ_WRITE, 0, 1, 0);
	submit(v, 1, REQ_WRITE, 0, 2, 1);
	KT_EQ(dev.n, 2);
	plug_finish(&plug);
	wait_for_completion(&run.all);
}

/* A disk that is gone fails what is held. */
static void test_dead(struct ktest_run *__kt, struct bdev *v)
{
	struct plug plug;

	v->disk->max_segments = 2;
	reset(2, ~0ull);
	plug_start(&plug);
	submit(v, 0, REQ_WRITE, 0, 1, 0);
	submit(v, 1, REQ_WRITE, 0, 2, 1);
	disk_kill(v->disk);
	plug_finish(&plug);
	wait_for_completion(&run.all);
	KT_EQ(dev.n, 0);
	KT_EQ(run.status[0], -EIO);
	KT_EQ(run.status[1], -EIO);
}

KTEST(block_plug)
{
	struct disk *d = disk_alloc_numbered("ktestplug", BLKEXT_MAJOR, 1048003, 1, 4);
	struct bdev *v;

	memory = alloc_pages(GFP_KERNEL, 3);
	KT_ASSERT(d && memory);
	if (!d || !memory)
		return;
	d->ops = &ops;
	d->sectors = SECTOR_OF(64);
	d->write_cache = true;
	d->max_segments = 2;
	d->max_request = 5 * PAGE_SIZE;
	KT_EQ(disk_add(d), 0);
	v = bdev_get_by_name("ktestplug");
	KT_ASSERT(v);
	if (v) {
		test_joins(__kt, v);
		test_apart(__kt, v);
		test_limits(__kt, v);
		test_flush(__kt, v);
		test_sleep(__kt, v);
		test_single(__kt, v);
		test_dead(__kt, v);
		bdev_put(v);
	}
	KT_EQ(disk_remove_unless_open(d), 0);
	disk_put(d);
	__free_pages(memory, 3);
}
