// SPDX-License-Identifier: MIT
/* Requests in flight, and for how long a disk was busy. */
#include <lib/err.h>
#include <lib/format.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <block/blk.h>
#include <kernel/ktest.h>
#include <kernel/time.h>
#include <sched/completion.h>
#include <sched/task.h>
#include "block/blk_priv.h"

#define TICK 20

static struct page *memory;
static struct bio *held[2];	/* a read, a write */
static bool hold;		/* the driver keeps requests, there */

static int queue(struct disk *d, unsigned int q, struct bio *b)
{
	(void)d;
	(void)q;
	if (hold)
		held[b->op == REQ_WRITE] = b;
	else
		bio_done(b, 0);
	return 0;
}

static const struct disk_ops ops = { .queue = queue };

static void end(struct bio *b)
{
	complete(b->private);
	bio_free(b);
}

static void submit(struct bdev *v, unsigned int op, struct completion *done)
{
	struct bio *b = bio_alloc(v, op, 0, GFP_KERNEL);

	init_completion(done);
	b->private = done;
	b->end_io = end;
	bio_add_page(b, memory, PAGE_SIZE, 0);
	submit_bio(b);
}

static unsigned int busy_ms(struct bdev *v)
{
	struct show_node n = { .data = v };
	char line[300], *at = line;

	block_show_stat(&n, line, sizeof(line));
	for (int i = 0; i < 9; i++) {
		at = skip_spaces(at);
		at = strchr(at, ' ');
	}
	return (unsigned int)simple_strtoull(skip_spaces(at), NULL, 10);
}

/* Milliseconds that counted ticks are. */
static u64 ms_of(u64 ticks)
{
	return (ticks << TICK) / NSEC_PER_MSEC;
}

static void test_disk(struct ktest_run *__kt, struct bdev *v)
{
	struct show_node n = { .data = v };
	struct completion done[2];
	char line[40];
	u64 first, last;
	unsigned int busy;

	block_show_inflight(&n, line, sizeof(line));
	KT_ASSERT(!strcmp(line, "       0        0\n"));
	/* A while in which two are in flight, and one still is. */
	hold = true;
	busy = busy_ms(v);
	first = ktime_get_ns() >> TICK;
	submit(v, REQ_READ, &done[0]);
	submit(v, REQ_WRITE, &done[1]);
	block_show_inflight(&n, line, sizeof(line));
	KT_ASSERT(!strcmp(line, "       1        1\n"));
	msleep(5);
	bio_done(held[1], 0);
	wait_for_completion(&done[1]);
	block_show_inflight(&n, line, sizeof(line));
	KT_ASSERT(!strcmp(line, "       1        0\n"));
	msleep(5);
	bio_done(held[0], 0);
	wait_for_completion(&done[0]);
	last = ktime_get_ns() >> TICK;
	block_show_inflight(&n, line, sizeof(line));
	KT_ASSERT(!strcmp(line, "       0        0\n"));
	KT_ASSERT(busy_ms(v) - busy >= 8);
	KT_ASSERT(busy_ms(v) - busy <= ms_of(last - first) + 1);
	/* What lies between is not. */
	busy = busy_ms(v);
	msleep(20);
	hold = false;
	first = ktime_get_ns() >> TICK;
	submit(v, REQ_READ, &done[0]);
	wait_for_completion(&done[0]);
	last = ktime_get_ns() >> TICK;
	KT_ASSERT(busy_ms(v) - busy <= ms_of(last - first) + 1);
}

KTEST(block_stats)
{
	struct disk *d = disk_alloc_numbered("kteststats", BLKEXT_MAJOR, 1048004, 1, 4);
	struct bdev *b;

	memory = alloc_page(GFP_KERNEL);
	KT_ASSERT(d && memory);
	if (!d || !memory)
		return;
	d->ops = &ops;
	d->max_bytes = PAGE_SIZE;
	d->sectors = 64;
	KT_EQ(disk_add(d), 0);
	b = bdev_get_by_name("kteststats");
	KT_ASSERT(b);
	test_disk(__kt, b);
	bdev_put(b);
	KT_EQ(disk_remove_unless_open(d), 0);
	disk_put(d);
	__free_page(memory);
}
