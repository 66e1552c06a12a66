// SPDX-License-Identifier: MIT
#pragma once
/*
 * The one way translations are taken away: collect pages and tables, flush the TLBs once, then free.
 * Whoever mirrors page tables elsewhere (guests, devices) hears of it (mm/notify.h).
 */
#include <lib/types.h>
#include <arch/page.h>
#include <mm/notify.h>

struct mm;
struct page;

#define GATHER_INLINE	32

struct gather_batch {
	struct gather_batch *next;
	unsigned int nr, max;
	u64 page[];		/* struct page *; bit 0: mark dirty after the flush */
};

struct mmu_gather {
	struct mm *mm;
	unsigned long start, end;	/* range to flush; start >= end: nothing */
	bool fullmm;			/* the whole space goes: entries need no atomic access */
	bool freed_tables;
	bool keep_markers;		/* guard entries stay (madvise) */
	struct mm_notify_range range;	/* what those who mirror the space are told */
	struct page *tables;		/* page tables to free by RCU, linked by lru_next */
	unsigned int nr_inline;
	struct gather_batch *batch;
	u64 page[GATHER_INLINE];
};

/* Start taking [start, end) away (told to those who mirror the space). */
void gather_init(struct mmu_gather *tlb, struct mm *mm, unsigned long start, unsigned long end, bool fullmm);
/* Flush and free all that was collected; the gather can go on. Sleeps only where the space is mirrored; interrupts on. */
void gather_flush(struct mmu_gather *tlb);
void gather_finish(struct mmu_gather *tlb);

static inline void gather_range(struct mmu_gather *tlb, unsigned long start, unsigned long end)
{
	if (start < tlb->start)
		tlb->start = start;
	if (end > tlb->end)
		tlb->end = end;
}
/* Remember a page whose entry was cleared. True: full, call gather_flush() before the next. */
bool __gather_page(struct mmu_gather *tlb, u64 page);
static inline bool gather_page(struct mmu_gather *tlb, struct page *page, bool redirty)
{
	u64 v = (u64)(uintptr_t)page | redirty;

	if (tlb->nr_inline < GATHER_INLINE - 1) {
		tlb->page[tlb->nr_inline++] = v;
		return false;
	}
	return __gather_page(tlb, v);
}
