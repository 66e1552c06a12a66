// SPDX-License-Identifier: MIT
/*
 * The kernel's own page tables: vmalloc and the page array. RAM, the image and devices need none, the superpage shows them. One root holds
 * both halves: the kernel's entries are made at boot and copied into each space.
 */
#include <arch/pgtable.h>
#include <arch/mmu.h>
#include <abi/errno.h>
#include <arch/upcalls.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "arch/alpha/alpha_priv.h"

pte_t *kernel_pgd __ro_after_init = kernel_root;
static bool allocator_up;

#define ROOT (ARCH_PT_LEVELS - 1)
#define MAX_LEAF 0		/* what a granularity hint joins is of no use here */

static pte_t *new_table(void)
{
	phys_addr_t pa;
	void *t;

	if (allocator_up)
		return pt_alloc_table();
	pa = memblock_alloc_phys(PAGE_SIZE, PAGE_SIZE);
	if (!pa)
		return NULL;
	t = phys_to_virt(pa);
	memset(t, 0, PAGE_SIZE);
	return t;
}

/* The table below *E, made when there is none. Two makers race: the loser gives its page back. */
static pte_t *get_table(pte_t *e)
{
	pte_t old = ptep_read(e), *t;

	if (pte_present(old))
		return pte_table(old);
	t = new_table();
	if (!t)
		return NULL;
	if (ptep_cmpxchg(e, PTE_NONE, pte_make_table(kaddr_to_phys(t))))
		return t;
	pt_free_table(t);
	return pte_table(ptep_read(e));
}

static int map_level(pte_t *table, int level, unsigned long va, unsigned long end, phys_addr_t pa, unsigned int prot,
		     int max_level)
{
	unsigned long span = pt_span(level), next;

	for (; va < end; pa += next - va, va = next) {
		pte_t *e = &table[pt_index(va, level)];
		pte_t old = ptep_read(e);
		bool fits;

		next = min(end, (va & ~(span - 1)) + span);
		if (!next)
			next = end;
		fits = next - va == span && !(pa & (span - 1)) && level <= max_level;
		if (level == 0 || (fits && pte_none(old))) {
			if (!pte_none(old))
				return -EEXIST;
			ptep_set(e, pte_make(PFN_DOWN(pa), prot, level));
		} else if (pte_leaf(old, level)) {
			return -EEXIST;
		} else {
			pte_t *t = get_table(e);
			int err;

			if (!t)
				return -ENOMEM;
			err = map_level(t, level - 1, va, next, pa, prot, max_level);
			if (err)
				return err;
		}
	}
	return 0;
}

int arch_map_kernel(unsigned long va, phys_addr_t pa, size_t size, unsigned int prot)
{
	return map_level(kernel_pgd, ROOT, va, va + PAGE_ALIGN(size), pa, prot, MAX_LEAF);
}

pte_t *arch_kernel_pte(unsigned long va, int *level)
{
	pte_t *t = kernel_pgd;

	for (int l = ROOT; ; l--) {
		pte_t *e = &t[pt_index(va, l)];
		pte_t v = ptep_read(e);

		if (!pte_present(v))
			return NULL;
		if (pte_leaf(v, l)) {
			if (level)
				*level = l;
			return e;
		}
		t = pte_table(v);
	}
}

void arch_unmap_kernel(unsigned long va, size_t size)
{
	unsigned long end = va + PAGE_ALIGN(size), at = va;

	while (at < end) {
		int level = 0;
		pte_t *e = arch_kernel_pte(at, &level);

		if (e)
			ptep_set(e, PTE_NONE);
		at = (at & ~(pt_span(level) - 1)) + pt_span(level);
	}
	arch_tlb_flush_kernel_range(va, end);
}

int arch_set_kernel_prot(unsigned long va, size_t size, unsigned int prot)
{
	unsigned long end = va + PAGE_ALIGN(size), at = va;

	while (at < end) {
		int level = 0;
		pte_t *e = arch_kernel_pte(at, &level);

		if (!e) {
			at += PAGE_SIZE;
			continue;
		}
		if (level && ((at & (pt_span(level) - 1)) || end - at < pt_span(level)))
			return -EBUSY;
		ptep_set(e, pte_make(pte_pfn(ptep_read(e)), prot, level));
		at += pt_span(level);
	}
	arch_tlb_flush_kernel_range(va, end);
	return 0;
}

/* Entries that exist from boot on. */
void arch_pt_copy_kernel(pte_t *root)
{
	memcpy(root + ARCH_PT_KERNEL_ROOT_FIRST, kernel_root + ARCH_PT_KERNEL_ROOT_FIRST,
	       (PT_ENTRIES - ARCH_PT_KERNEL_ROOT_FIRST) * sizeof(pte_t));
}

static void __init make_tables(unsigned long from, unsigned long to)
{
	for (unsigned long va = from; va < to; va += pt_span(ROOT))
		if (!get_table(&kernel_root[pt_index(va, ROOT)]))
			panic("boot: no memory for the kernel's page tables");
}

void __init alpha_build_kernel_tables(void)
{
	make_tables(VMALLOC_START, VMALLOC_END);
	make_tables(VMEMMAP_START, VMEMMAP_END);
	allocator_up = true;
}

/* The superpage has no rights to be taken away: init's memory is given back, and what it sealed is sealed by nothing. */
void arch_finish_boot(void)
{
}

bool arch_init_memory(unsigned int i, phys_addr_t *start, phys_addr_t *end)
{
	*start = kaddr_to_phys(__init_begin);
	*end = kaddr_to_phys(__init_end);
	return i < 1;
}

/* Devices are seen through the superpage whatever kind of memory is wanted: their half of it is never cached. */
void __iomem *arch_ioremap(phys_addr_t pa, size_t size, unsigned int prot)
{
	return (void __iomem __force *)(DIRECT_MAP_START + pa);
}

void arch_iounmap(void __iomem *p, size_t size)
{
}
