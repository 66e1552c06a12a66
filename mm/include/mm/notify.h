/* SPDX-License-Identifier: MIT */
/*
 * Who mirrors an address space elsewhere (guests, devices) is told before a page of it goes.
 *
 * Changing entries: mm_notify_start(), the changes and the flush of the CPUs' own translations,
 * mm_notify_changed(), only then pages are let go, mm_notify_end(). Without users each of the
 * first two costs a test of a pointer, the third one of a bool.
 *
 * Mirroring a page: mm_notify_seq(), the look-up (the page is held by a reference), the user's own
 * lock, which its invalidate() takes too, mm_notify_retry(); where that is false the page is put
 * into the mirror, else all begins anew. Compared are addresses of the space: what else the user
 * translates is its own business.
 *
 * A user that registers between a change and the look that follows it is told by that look:
 * start and end are always both counted, or neither is.
 */
#pragma once

#include <lib/list.h>
#include <lib/types.h>

struct mm;
struct mm_notify;
struct mm_notify_user;

struct mm_notify_ops {
	/*
	 * Takes [START, END) out of the mirror; when it returns nobody uses it any more and what
	 * was written has been noted (folio_mark_dirty). May sleep, must not allocate or fail;
	 * called with mmap_lock, VMAs, i_mmap_rwsem or a family locked. Required.
	 */
	void (*invalidate)(struct mm_notify_user *u, unsigned long start, unsigned long end);
	/*
	 * Whether [START, END) was used through the mirror since the last time, and with CLEAR
	 * that it was not. A page table is locked: does not sleep. NULL: never.
	 */
	bool (*young)(struct mm_notify_user *u, unsigned long start, unsigned long end, bool clear);
	/*
	 * The space ends: drops the whole mirror, which nothing enters again; invalidate() may
	 * still come. May sleep. NULL: nothing to do.
	 */
	void (*ended)(struct mm_notify_user *u);
};

struct mm_notify_user {
	const struct mm_notify_ops *ops;	/* c, the caller's */
	struct mm *mm;				/* c: mm_count is held */
	struct mm_notify *notify;		/* c */
	struct list_head link;			/* notify->count_lock, SRCU */
};

/*
 * U, whose ops are set, is told from now on. MM has a user (mm_users) of the caller's. Sleeps for
 * a grace period. 0 or -ENOMEM.
 */
int mm_notify_register(struct mm_notify_user *u, struct mm *mm);
/*
 * No function of U runs when it returns. Sleeps: no lock is held that one of them takes, and it is
 * not called from one. Also after the space's end.
 */
void mm_notify_unregister(struct mm_notify_user *u);

/* What mm_notify_retry() compares; before the look-up. Any context. */
unsigned long mm_notify_seq(const struct mm_notify_user *u);
/*
 * Whether what was looked up at ADDR after mm_notify_seq() gave SEQ may be on its way out, or gone.
 * Under the lock that U's invalidate() takes.
 */
bool mm_notify_retry(const struct mm_notify_user *u, unsigned long seq, unsigned long addr);

/* One change of entries; on the stack of who makes it (mm_priv.h). */
struct mm_notify_range {
	struct mm *mm;
	unsigned long start, end;
	bool told;
};
