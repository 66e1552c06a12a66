// SPDX-License-Identifier: MIT
/*
 * Kernel stacks: THREAD_SIZE bytes, aligned to themselves, at the top of an area twice as large (and aligned to that) whose
 * lower half is never mapped, so that running off the end faults. The last few freed ones stay mapped on
 * each CPU: fork and exit take a stack and give it back without touching page tables. A stack goes back when
 * its task is switched from for the last time; what is more than the few is unmapped by RCU's thread, since
 * that place must not do it.
 */
#include <alloc/vmalloc.h>
#include <alloc/kasan.h>
#include <alloc/kmemleak.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <arch/pgtable.h>
#include <kernel/bug.h>
#include <kernel/percpu.h>
#include <kernel/preempt.h>
#include <kernel/rcu.h>
#include "vmalloc_priv.h"

#define STACK_PAGES	(THREAD_SIZE / PAGE_SIZE)
#define STACK_CACHE	4

struct stack_cache {
	u32 nr;
	void *stack[STACK_CACHE];
};
static DEFINE_PER_CPU(struct stack_cache, stack_cache);
static atomic64_t stacks;

static void stack_destroy(void *stack)
{
	unsigned long va = (unsigned long)stack;
	struct page *pages[STACK_PAGES];
	struct varea *a;

	for (unsigned int i = 0; i < STACK_PAGES; i++)
		pages[i] = vmalloc_to_page((char *)stack + i * PAGE_SIZE);
	a = varea_at(va);
	if (WARN_ON(!a))
		return;
	varea_dying(a);
	arch_unmap_kernel(va, THREAD_SIZE);
	for (unsigned int i = 0; i < STACK_PAGES; i++)
		__free_page(pages[i]);
	varea_free(a);
	atomic64_dec(&stacks);
}

/* The head is the stack's lowest words, which nobody uses any more. */
static void stack_destroy_rcu(struct rcu_head *head)
{
	stack_destroy(head);
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
		if (arch_map_kernel(va + i * PAGE_SIZE, page_to_phys(pages[i]), PAGE_SIZE, PTE_P_KERNEL)) {
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
	if (sc->nr)
		stack = sc->stack[--sc->nr];
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
		stack = NULL;
	}
	local_irq_restore(flags);
	if (!stack)
		return;
	if (preemptible())
		stack_destroy(stack);
	else
		call_rcu((struct rcu_head *)stack, stack_destroy_rcu);
}

unsigned long kstack_nr_pages(void)
{
	return (unsigned long)atomic64_read(&stacks) * STACK_PAGES;
}
