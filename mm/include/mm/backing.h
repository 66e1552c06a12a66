/* SPDX-License-Identifier: MIT */
/*
 * What writeback knows of one device: which inodes have dirty data for it, how much is dirty or on
 * its way, how fast it is, and the work that writes.
 *
 * A mapping has a backing from its first day (mapping->backing; default_backing where nobody said
 * another). Only a backing's own work writes in the background; a task that dirties too much waits
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
	wait_queue_head_t wait;		/* for pages that are written */
	struct delayed_work work;
	struct list_head all;		/* backings_lock */
};

extern struct backing default_backing;

void backing_init(struct backing *b);
/* No mapping has it any more. Sleeps. */
void backing_destroy(struct backing *b);
/* N pages of the mapping became dirty; are clean or gone; go to the device; have come there. */
void backing_dirtied(struct address_space *m, unsigned long n);
void backing_cleaned(struct address_space *m, unsigned long n);
void backing_writing(struct address_space *m, unsigned long n);
void backing_written(struct address_space *m, unsigned long n);
/*
 * Write all that is dirty, soon; where it is old enough, after vm.dirty_writeback_centisecs. Any
 * context.
 */
void backing_flush(struct backing *b);
void backing_flush_later(struct backing *b);
void backing_flush_all(void);
/* vm.dirty_writeback_centisecs changed. */
void backing_reschedule_all(void);
/* Waits until the device has about a second's work or less. For the flush work. */
void backing_wait_for_room(struct backing *b);
/*
 * Before a process is killed for memory: much of it waits to be written. Waits for a page to be
 * written; true: one was.
 */
bool backing_wait_for_any(void);
