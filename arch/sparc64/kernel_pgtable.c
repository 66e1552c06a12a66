// SPDX-License-Identifier: MIT
/*
 * The kernel's own page tables: the image by the rights of its sections, vmalloc, the page array. RAM needs none (the miss handler knows
 * the direct map), devices are reached by physical address. The kernel is context 0 with a root of its own: address spaces share nothing.
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
#include "arch/sparc64/sparc_priv.h"

pte_t *kernel_pgd __ro_after_init = kernel_root;
static bool allocator_up;

#define ROOT (ARCH_PT_LEVELS - 1)
#define MAX_LEAF 0		/* the miss handlers know base pages only */

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

/* The kernel's root is in the trap block. */
void arch_pt_copy_kernel(pte_t *root)
{
}

static void __init must(int err, const char *what)
{
	if (err)
		panic("boot: no memory for the kernel's page tables (%s)", what);
}

static void __init map(unsigned long va, phys_addr_t pa, u64 size, unsigned int prot, int max_level, const char *what)
{
	must(map_level(kernel_pgd, ROOT, va, va + PAGE_ALIGN(size), pa, prot, max_level), what);
}

static void __init map_image(const char *from, const char *to, unsigned int prot)
{
	if (to > from)
		map((unsigned long)from, image_to_phys(from), (size_t)(to - from), prot, 0, "image");
}

extern char _sinittext[], _einittext[], __syms_end[];

void __init sparc_build_kernel_tables(void)
{
	map_image(_text, _etext, PTE_P_KERNEL_RX);
	map_image(__start_rodata, __end_rodata, PTE_P_KERNEL_RO);
	map_image(_data, __init_begin, PTE_P_KERNEL);
	map_image(_sinittext, _einittext, PTE_P_KERNEL_RX);
	map_image(_einittext, __init_end, PTE_P_KERNEL);
	map_image(__init_end, __syms_end, PTE_P_KERNEL_RO);
	map_image(__bss_start, _end, PTE_P_KERNEL);
	sparc_empty_tlbs();
	allocator_up = true;
}

extern char __start_ro_after_init[], __end_ro_after_init[];

/* What init wrote stays as it is; init's own code and data go, so that stray calls fault. */
void arch_finish_boot(void)
{
	arch_set_kernel_prot((unsigned long)__start_ro_after_init, (size_t)(__end_ro_after_init - __start_ro_after_init),
			     PTE_P_KERNEL_RO);
	arch_unmap_kernel((unsigned long)__init_begin, (size_t)(__init_end - __init_begin));
}

bool arch_init_memory(unsigned int i, phys_addr_t *start, phys_addr_t *end)
{
	*start = image_to_phys(__init_begin);
	*end = image_to_phys(__init_end);
	return i < 1;
}

/* Devices are reached by physical address (<arch_cpu/io.h>): nothing is mapped. */
void __iomem *arch_ioremap(phys_addr_t pa, size_t size, unsigned int prot)
{
	return (void __iomem *)pa;
}

void arch_iounmap(void __iomem *p, size_t size)
{
}
