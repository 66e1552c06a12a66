/* SPDX-License-Identifier: MIT */
/*
 * Writeback's state of one device: the inodes with dirty data for it, how many pages are dirty or
 * under writeback, how fast the device writes, and the work that writes.
 *
 * Each mapping has a backing as long as it exists (mapping->backing; default_backing if no other is
 * set). Only a backing's own work writes in the background; a task that dirties too much waits
 * until the device has written enough.
 */
#pragma once

#include <lib/atomic.h>
#include <sched/mutex.h>
#include <sched/wait.h>
#include <sched/work.h>

struct address_space;

struct backing {
	spinlock_t lock;
	struct list_head dirty;		/* lock: vfs's inodes, oldest first */
	struct mutex walk_lock;		/* one walk of the list at a time */
	atomic64_t pages;		/* dirty or under writeback */
	atomic64_t writing;		/* under writeback */
	atomic64_t started, written;	/* pages, ever */
	unsigned long rate;		/* pages a second, as it was measured last; flush work */
	unsigned long measured;		/* jiffies: when that began; flush work */
	u64 written_then;		/* flush work */
	bool wanted;			/* atomic: write everything, not only what is old */
	wait_queue_head_t wait;		/* woken as pages are written */
	struct delayed_work work;
	/* c: most that the device takes at once, for readahead; 0: unknown */
	unsigned int io_pages;
	struct list_head all;		/* backings_lock */
};

extern struct backing default_backing;

void backing_init(struct backing *b);
/* No mapping uses it any more. Waits for its work. Sleeps. */
void backing_destroy(struct backing *b);
/*
 * N pages of the mapping became dirty; became clean or left it; are written from now on; were
 * written.
 */
void backing_dirtied(struct address_space *m, unsigned long n);
void backing_cleaned(struct address_space *m, unsigned long n);
void backing_writing(struct address_space *m, unsigned long n);
void backing_written(struct address_space *m, unsigned long n);
/*
 * Starts the work: at once and for all dirty data; or after vm.dirty_writeback_centisecs and for
 * old data. Any context.
 */
void backing_flush(struct backing *b);
void backing_flush_later(struct backing *b);
void backing_flush_all(void);
/* vm.dirty_writeback_centisecs changed. */
void backing_reschedule_all(void);
/* Waits until no more than about a second's worth of writes is in flight. For the flush work. */
void backing_wait_for_room(struct backing *b);
/*
 * For the OOM killer: if enough pages are dirty or under writeback that writing them may help,
 * waits at most ten seconds until one is written. True: one was.
 */
bool backing_wait_for_any(void);
/* How many devices have pages that are dirty or under writeback. */
int backings_busy(void);
