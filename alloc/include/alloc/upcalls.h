// SPDX-License-Identifier: MIT
#pragma once
/* What the allocators need from rooms above. */
#include <lib/types.h>
#include <alloc/gfp.h>

/* mm: a zone went under its low watermark. Any context, must not allocate. */
void reclaim_wake_kswapd(void);
/* mm: free some pages now; returns how many were freed. May sleep. */
unsigned long reclaim_direct(gfp_t gfp, unsigned int order);
/* mm: how many pages stand where reclaim looks for what it may free. */
unsigned long reclaim_candidates(void);
/*
 * mm: nothing reclaimable is left. Kill somebody. True: try again (after the victim had time);
 * false: the allocation should fail (the caller itself is dying, or killing cannot help).
 */
bool reclaim_out_of_memory(gfp_t gfp, unsigned int order);
/* sched: may the current context sleep, and is it allowed to dip into the reserves? */
bool alloc_task_is_oom_victim(void);
bool alloc_task_is_memalloc(void);
/* sched: flags that the task's NOFS/NOIO scopes remove. */
gfp_t alloc_task_gfp_mask(void);
#ifdef CONFIG_FAULT_INJECTION
/* sched: this allocation of an object, of a block of pages, is to fail. Any context. */
bool fault_slab(gfp_t gfp, size_t size);
bool fault_pages(gfp_t gfp, unsigned int order);
#endif
#ifdef CONFIG_KMEMLEAK
/*
 * sched: from where on to its end the kernel stack at STACK holds what its task still needs, if that is the object at OWNER of SIZE bytes, which is
 * held still; its end: there is no such task, or it is the one that asks. Any context.
 */
unsigned long kmemleak_stack_used(const void *owner, size_t size, unsigned long stack);
#endif
/* sched: sleep about one tick. */
void alloc_backoff(void);
