// SPDX-License-Identifier: MIT
/*
 * Kernel stacks: THREAD_SIZE bytes, aligned to themselves, at the top of an area twice as large
 * (and aligned to that) whose lower half is never mapped, so that running off the end faults. The
 * last few freed ones stay mapped on each CPU: fork and exit take a stack and give it back without
 * touching page tables. A stack goes back when its task is switched from for the last time; what is
 * more than the few is unmapped by RCU's thread, since that place must not do it: many at a time,
 * for each flush interrupts all CPUs. Until then a new task may have it.
 */
#include <alloc/vmalloc.h>
#include <alloc/kasan.h>
#include <alloc/kmemleak.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <arch/mmu.h>
#include <arch/pgtable.h>
#include <kernel/bug.h>
#include <kernel/irq.h>
#include <kernel/percpu.h>
#include <kernel/preempt.h>
#include <kernel/rcu.h>
#include <kernel/upcalls.h>
#include <lib/minmax.h>
#include "vmalloc_priv.h"

#define STACK_PAGES	(THREAD_SIZE / PAGE_SIZE)
#define STACK_CACHE	4
#define BATCH		16		/* unmapped by one flush */
#define BATCHES		64		/* by one callback */

/* Its CPU's, interrupts off. */
struct stack_cache {
	u32 nr;
	void *stack[STACK_CACHE];
	void *dead;			/* more: each begins with where the next one is */
	bool asked;			/* HEAD is queued */
	struct rcu_head head;
};
static DEFINE_PER_CPU(struct stack_cache, stack_cache);
static atomic64_t stacks;

static void destroy_some(void **stack, unsigned int n)
{
	struct page *pages[BATCH][STACK_PAGES];
	struct varea *area[BATCH];
	unsigned long low = ~0UL, high = 0;

	for (unsigned int k = 0; k < n; k++) {
		unsigned long va = (unsigned long)stack[k];

		for (unsigned int i = 0; i < STACK_PAGES; i++)
			pages[k][i] = vmalloc_to_page((char *)stack[k] + i * PAGE_SIZE);
		area[k] = varea_at(va);
		if (WARN_ON(!area[k]))
			continue;
		varea_dying(area[k]);
		arch_clear_kernel(va, THREAD_SIZE);
		low = min(low, va);
		high = max(high, va + THREAD_SIZE);
	}
	if (low < high)
		arch_tlb_flush_kernel_range(low, high);
	for (unsigned int k = 0; k < n; k++) {
		if (!area[k])
			continue;
		for (unsigned int i = 0; i < STACK_PAGES; i++)
			__free_page(pages[k][i]);
		varea_free(area[k]);
		atomic64_dec(&stacks);
	}
}

/*
 * RCU's thread of the CPU, which alone touches its list: what is dead on it, unless it is used
 * again before.
 */
static void destroy_dead(struct rcu_head *head)
{
	struct stack_cache *sc = container_of(head, struct stack_cache, head);
	void *some[BATCH];
	unsigned int n = 1;

	for (unsigned int i = 0; i < BATCHES && n; i++) {
		local_irq_disable();
		DEBUG_ON(sc != this_cpu_ptr(&stack_cache));
		for (n = 0; n < BATCH && sc->dead; n++) {
			some[n] = sc->dead;
			sc->dead = *(void **)some[n];
		}
		if (!n)
			sc->asked = false;
		local_irq_enable();
		destroy_some(some, n);
		rcu_callback_breath();
	}
	if (n)
		call_rcu(head, destroy_dead);
}

static void *stack_create(gfp_t gfp)
{
	struct page *pages[STACK_PAGES];
	struct varea *a;
	unsigned long va;
	unsigned int got;

	got = alloc_pages_bulk(gfp, STACK_PAGES, pages);
	if (got < STACK_PAGES)
		goto free_pages;
	a = varea_alloc(2 * THREAD_SIZE, 2 * THREAD_SIZE, gfp, "stack");
	if (!a)
		goto free_pages;
	va = a->start + THREAD_SIZE;
	for (unsigned int i = 0; i < STACK_PAGES; i++) {
		if (arch_map_kernel(va + i * PAGE_SIZE, page_to_phys(pages[i]), PAGE_SIZE,
				    PTE_P_KERNEL)) {
			if (i)
				arch_unmap_kernel(va, i * PAGE_SIZE);
			varea_free(a);
			goto free_pages;
		}
	}
	kasan_unpoison((void *)va, THREAD_SIZE);
	atomic64_inc(&stacks);
	return (void *)va;
free_pages:
	while (got)
		__free_page(pages[--got]);
	return NULL;
}

void *kstack_alloc(gfp_t gfp)
{
	struct stack_cache *sc;
	unsigned long flags;
	void *stack = NULL;

	local_irq_save(flags);
	sc = this_cpu_ptr(&stack_cache);
	if (sc->nr) {
		stack = sc->stack[--sc->nr];
	} else if (sc->dead) {
		stack = sc->dead;
		sc->dead = *(void **)stack;
	}
	local_irq_restore(flags);
	if (stack) {
		kasan_unpoison(stack, THREAD_SIZE);
		return stack;
	}
	return stack_create(gfp);
}

void kstack_free(void *stack)
{
	struct stack_cache *sc;
	unsigned long flags;

	if (!stack)
		return;
	kasan_unpoison(stack, THREAD_SIZE);
	kmemleak_stack_owner(stack, NULL);
	local_irq_save(flags);
	sc = this_cpu_ptr(&stack_cache);
	if (sc->nr < STACK_CACHE) {
		sc->stack[sc->nr++] = stack;
	} else {
		*(void **)stack = sc->dead;
		sc->dead = stack;
		if (!sc->asked) {
			sc->asked = true;
			call_rcu(&sc->head, destroy_dead);
		}
	}
	local_irq_restore(flags);
}

unsigned long kstack_nr_pages(void)
{
	return (unsigned long)atomic64_read(&stacks) * STACK_PAGES;
}
