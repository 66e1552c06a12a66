/* SPDX-License-Identifier: MIT */
/* Between the files of this room. */
#pragma once

#include <block/blk.h>

/* queue_show.c: /sys/block/NAME/queue. */
void disk_show_queue(struct disk *d);
int disk_queue_init(struct disk_queue *q, struct disk *d, unsigned int index);
/* After disk->dead was set. */
void disk_queue_fail_pending(struct disk_queue *q);
/* All disks that there are, each with a reference, and NULL behind the last: kvfree(). -ENOMEM. Sleeps. */
struct disk **disks_get(void);
/* bdev.c: drops the cache and the inode. */
void bdev_free_cache(struct bdev *b);
bool bdev_is_open(const struct bdev *b);

/* What procfs shows of us (weak there). */
struct seq_file;
void block_show_majors(struct seq_file *m);
void block_show_partitions(struct seq_file *m);
void block_show_diskstats(struct seq_file *m);
