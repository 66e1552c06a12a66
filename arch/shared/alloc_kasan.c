// SPDX-License-Identifier: MIT
/*
 * The shadow's page tables. All of it is first mapped, through shared tables, one for each level, to one page of zeros; where
 * memory gets a shadow of its own the shared tables are replaced by private copies on the way down.
 *
 * Instrumented functions write to the shadow of their stack frames from the first on. Until the boot stack has a shadow of its own these
 * writes end up in the shared page, which is writable so long (as the page is that the CPU's first tables have there, before), and nothing is
 * reported: what the page says is nonsense. Then it is cleared and made read-only, and kasan_start() is called.
 */
#include <lib/types.h>

#ifdef CONFIG_KASAN
#include <abi/errno.h>
#include <alloc/kasan_runtime.h>
#include <arch/kasan.h>
#include <arch/mmu.h>
#include <arch/pgtable.h>
#include <arch/upcalls.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include "arch/shared/kasan_init.h"
#include "arch/shared/kernel_maps.h"

#define ROOT (ARCH_PT_LEVELS - 1)
#define MAX_LEVELS 5
static pte_t *shared[MAX_LEVELS];		/* shared[level]: the table of that level; all entries alike */
static pte_t shared_entry[MAX_LEVELS];		/* what stands in such a table; [0] maps the zero page */
static void *zero_page;

/* The shared entries of [A, LAST] in T, and in the tables below it that hold other things too. */
static void __init map_shared(pte_t *t, int level, unsigned long a, unsigned long last)
{
	for (;;) {
		unsigned long end = a | (pt_span(level) - 1);
		pte_t *e = &t[pt_index(a, level)];

		if (!(a & (pt_span(level) - 1)) && end <= last) {
			*e = shared_entry[level];
		} else {
			if (!pte_present(*e)) {
				pte_t *below = kernel_maps_new_table();

				if (!below)
					panic("kasan: no memory");
				*e = pte_make_table(kaddr_to_phys(below));
			}
			map_shared(pte_table(*e), level - 1, a, min(end, last));
		}
		if (end >= last)
			return;
		a = end + 1;
	}
}

void __init kasan_init_tables(void)
{
	zero_page = kernel_maps_new_table();
	if (!zero_page)
		panic("kasan: no memory");
	shared_entry[0] = pte_make(virt_to_pfn(zero_page), PTE_P_READ | PTE_P_WRITE, 0);
	for (int level = 0; level < ROOT; level++) {
		shared[level] = kernel_maps_new_table();
		if (!shared[level])
			panic("kasan: no memory");
		for (unsigned int i = 0; i < PT_ENTRIES; i++)
			shared[level][i] = shared_entry[level];
		shared_entry[level + 1] = pte_make_table(virt_to_phys(shared[level]));
	}
	map_shared(kernel_pgd, ROOT, KASAN_SHADOW_START, KASAN_SHADOW_END - 1);
}

static pte_t *private_table(pte_t *e, int level)
{
	pte_t old = ptep_read(e);
	pte_t *t;

	if (!pte_same(old, shared_entry[level]))
		return pte_table(old);
	t = pt_alloc_table();
	if (!t)
		return NULL;
	__builtin_memcpy(t, shared[level - 1], PAGE_SIZE);
	if (!ptep_cmpxchg(e, old, pte_make_table(virt_to_phys(t))))
		pt_free_table(t);	/* another CPU was first */
	return pte_table(ptep_read(e));
}

static int populate_page(unsigned long s)
{
	pte_t *t = kernel_pgd;
	pte_t old;
	void *page;

	for (int level = ROOT; level; level--) {
		t = private_table(&t[pt_index(s, level)], level);
		if (!t)
			return -ENOMEM;
	}
	t += pt_index(s, 0);
	old = ptep_read(t);
	if (pte_pfn(old) != virt_to_pfn(zero_page))
		return 0;
	page = pt_alloc_table();
	if (!page)
		return -ENOMEM;
	if (!ptep_cmpxchg(t, old, pte_make(virt_to_pfn(page), PTE_P_READ | PTE_P_WRITE, 0)))
		pt_free_table(page);
	return 0;
}

int arch_kasan_populate(unsigned long start, size_t size)
{
	unsigned long s = (unsigned long)kasan_shadow(start) & PAGE_MASK, end = PAGE_ALIGN((unsigned long)kasan_shadow(start + size - 1) + 1);

	for (unsigned long a = s; a < end; a += PAGE_SIZE)
		if (populate_page(a))
			return -ENOMEM;
	arch_tlb_flush_kernel_range(s, end);
	return 0;
}

/* The zero page read-only for [A, LAST] in T and in the tables below it that are nobody else's. */
static void __init protect_zero_page(pte_t *t, int level, unsigned long a, unsigned long last)
{
	for (;;) {
		unsigned long end = min(a | (pt_span(level) - 1), last);
		pte_t *e = &t[pt_index(a, level)], old = ptep_read(e);

		if (level && !pte_same(old, shared_entry[level]))
			protect_zero_page(pte_table(old), level - 1, a, end);
		else if (!level && pte_pfn(old) == virt_to_pfn(zero_page))
			ptep_cmpxchg(e, old, pte_make(virt_to_pfn(zero_page), PTE_P_READ, 0));
		if (end >= last)
			return;
		a = end + 1;
	}
}

void __init kasan_init_shadow(void)
{
	unsigned int first = pt_index(KASAN_SHADOW_START, ROOT), last = pt_index(KASAN_SHADOW_END - 1, ROOT);

	/* Root slots never change once address spaces copied them: where they do, all of them get private tables now. */
	for (unsigned int i = first; PT_KERNEL_ROOT_FIRST && i <= last; i++)
		if (!private_table(&kernel_pgd[i], ROOT))
			panic("kasan: no memory");
	if (arch_kasan_populate((unsigned long)_text, (size_t)(_end - _text)))
		panic("kasan: no memory for the shadow");
	for (unsigned int i = 0; i < memblock.memory.nr; i++)
		if (arch_kasan_populate((unsigned long)phys_to_virt(memblock.memory.r[i].start),
					memblock.memory.r[i].end - memblock.memory.r[i].start))
			panic("kasan: no memory for the shadow");
	protect_zero_page(kernel_pgd, ROOT, KASAN_SHADOW_START, KASAN_SHADOW_END - 1);
	protect_zero_page(shared[0], 0, 0, pt_span(1) - 1);
	shared_entry[0] = pte_make(virt_to_pfn(zero_page), PTE_P_READ, 0);
	arch_tlb_flush_kernel_range(KASAN_SHADOW_START, KASAN_SHADOW_END);
	kasan_start(zero_page);
}
#endif
