/* SPDX-License-Identifier: MIT */
/*
 * One page of an address space for who mirrors it (mm/notify.h), or wants it for a moment. Where
 * nobody changes the layout there, the VMA's read lock is all that is taken.
 */
#pragma once

#include <lib/types.h>

struct mm;
struct page;

#define LOOKUP_WRITE		0x1u	/* the page as it is written to: private, and writable */
/* Waits for no other task and no file: -EAGAIN instead. Anonymous memory is still made. */
#define LOOKUP_NOWAIT		0x2u
/* any signal ends it before the next wait, not fatal ones alone */
#define LOOKUP_INTERRUPTIBLE	0x4u

struct mm_looked_up {
	struct page *page;	/* referenced: put_page() */
	/*
	 * The entry lets it be written, and is dirty: so may a mirror, until it is told otherwise.
	 * Always with LOOKUP_WRITE; without, only where it costs nothing.
	 */
	bool writable;
};

/*
 * The page at ADDR, brought there if need be. MM has a user (mm_users) of the caller's. May sleep;
 * neither mmap_lock nor a VMA of MM is locked, unless LOOKUP_NOWAIT is given and no VMA for
 * writing. 0; -EFAULT: nothing may be read, or written, there, or a file has no page for it;
 * -EAGAIN; -EINTR; -ENOMEM.
 */
int mm_look_up(struct mm *mm, unsigned long addr, unsigned int how, struct mm_looked_up *out);
