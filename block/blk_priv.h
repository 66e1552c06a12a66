/* SPDX-License-Identifier: MIT */
/* Between the files of this room. */
#pragma once

#include <block/blk.h>
#include <kernel/show.h>

struct seq_file;

/* stats.c: request B goes to a queue, after its start_ns was set; it has ended. Tasks. */
void block_stats_begin(struct bio *b);
void block_stats_end(const struct bio *b);
/* The flush that B began with, ends with, or is, has ended. Interrupts disabled. */
void block_stats_flushed(const struct bio *b);
/* The line of B in /proc/diskstats; its files stat and inflight. */
void block_stats_line(struct seq_file *m, struct bdev *b);
ssize_t block_show_stat(struct show_node *n, char *buf, size_t size);
ssize_t block_show_inflight(struct show_node *n, char *buf, size_t size);
/* queue_show.c: /sys/block/NAME/queue. */
void disk_show_queue(struct disk *d);
int disk_queue_init(struct disk_queue *q, struct disk *d, unsigned int index);
/* bio.c: N requests, linked by list, of one disk go to a queue of this CPU in that order. HEAD is empty afterwards. */
void bio_queue(struct disk *d, struct list_head *head);
/* plug.c: B, whose disk_sector is set, is held back by the plug of this task. False: it has none, or B is not for that: after what is held was sent. */
bool plug_hold(struct bio *b);
/* After disk->dead was set. */
void disk_queue_fail_pending(struct disk_queue *q);
/* All disks that there are, each with a reference, and NULL behind the last: kvfree(). -ENOMEM. Sleeps. */
struct disk **disks_get(void);
/*
 * ends.c: the name of a partition as PARTUUID= and udev have it: a GPT's GUID, whose first three fields are little-endian, or the MBR's signature and the number.
 */
struct partition;
void block_partition_name(char *buf, size_t size, const struct partition *p);
/* A disk is there, and its partitions are: wakes block_wait_for_disk(). */
void block_disk_added(void);
/* bdev.c: drops the cache and the inode. */
void bdev_free_cache(struct bdev *b);
bool bdev_is_open(const struct bdev *b);

/* disk.c: guards the lists of disks and of their partitions. */
extern struct mutex disks_lock;
/*
 * disk.c: partition PARTNO of D (0: the whole disk), with its nodes, on the list. D->parts_lock is
 * held where D is known to others. ERR_PTR. bdev_del(): it is off the list and closed. Sleep.
 */
struct bdev *bdev_add(struct disk *d, unsigned int partno, sector_t start, sector_t sectors);
void bdev_del(struct bdev *b);
/*
 * The two halves of bdev_del(). bdev_hide() removes B from /dev and /sys; bdev_free() frees it, when
 * no file has it open. Both sleep.
 */
void bdev_hide(struct bdev *b);
void bdev_free(struct bdev *b);
/*
 * names.c: gives D, which has no name yet, the next name of PREFIX and its numbers; disk_unname()
 * frees them. 0, -ENOMEM, or -EBUSY: all are taken. Sleeps.
 */
int disk_name(struct disk *d, const char *prefix);
void disk_unname(struct disk *d);
/* PREFIX and the letters of the disk INDEX, counted from 0; its major, first minor and how many minors; 0: all are of BLKEXT_MAJOR. */
void disk_letters(char *buf, size_t size, const char *prefix, unsigned int index);
void disk_numbers(const char *prefix, unsigned int index, int *major, unsigned int *first, unsigned int *minors);
/*
 * gone.c: attributes in /sys pin the memory of the disk or bdev that they show. disk_attr() and
 * bdev_attr() make such an attribute, the other two drop a pin.
 */
void disk_unpin(void *d);
void bdev_unpin(void *b);
/*
 * disk_enter() lets a caller who has D open into its driver, until disk_leave(); disk_remove() waits for it. -ENODEV: the device is gone. Any context.
 */
int __must_check disk_enter(struct disk *d);
void disk_leave(struct disk *d);
void disk_attr(struct show_node *dir, const char *name, umode_t mode, show_fn show, store_fn store,
	       struct disk *d);
void bdev_attr(struct show_node *dir, const char *name, umode_t mode, show_fn show, store_fn store,
	       struct bdev *b);
/*
 * super.c: shuts down the file system mounted on B, if there is one; syncs it first unless SURPRISE.
 * Sleeps.
 */
void block_tell_super(struct bdev *b, bool surprise);
/* parts.c: the partitions of a new disk. 0 or -errno. */
int disk_scan(struct disk *d, struct bdev *whole);
/* parts.c: BLKPG of the device V. 0 or -errno. */
struct uptr;
long block_blkpg(struct bdev *v, struct uptr arg);

/* What procfs shows of us (weak there). */
void block_show_majors(struct seq_file *m);
void block_show_partitions(struct seq_file *m);
void block_show_diskstats(struct seq_file *m);
