// SPDX-License-Identifier: MIT
/*
 * The kernel's own page tables: what is done alike on every CPU. They are made once at boot, from the memory map: RAM (never executable), the
 * image by the rights of its sections. arch_cpu/kernel_maps.h says what is the CPU's own (see kernel_maps.h).
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
#include "arch/shared/kernel_maps.h"

static bool allocator_up;

#define ROOT (ARCH_PT_LEVELS - 1)

pte_t *kernel_maps_new_table(void)
{
	phys_addr_t pa;
	void *t;

	if (allocator_up)
		return pt_alloc_table();
	pa = memblock_alloc_range(PAGE_SIZE, PAGE_SIZE, EARLY_TABLES_LOW, min(memblock.limit, (phys_addr_t)EARLY_TABLES_HIGH));
	if (!pa)
		return NULL;
	t = phys_to_virt(pa);
	memset(t, 0, PAGE_SIZE);
	return t;
}

void __init kernel_maps_in_use(void)
{
	allocator_up = true;
}

/* The table below *E, made when there is none. Two makers race: the loser gives its page back. */
static pte_t *get_table(pte_t *e)
{
	pte_t old = ptep_read(e), *t;

	if (pte_present(old))
		return pte_table(old);
	t = kernel_maps_new_table();
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
	int err = map_level(kernel_pgd, ROOT, va, va + PAGE_ALIGN(size), pa, prot, KERNEL_LEAF_LEVEL);

	kernel_maps_publish();
	return err;
}

pte_t *kernel_maps_walk(pte_t *root, unsigned long va, int *level)
{
	pte_t *t = root;

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

pte_t *arch_kernel_pte(unsigned long va, int *level)
{
	return kernel_maps_walk(kernel_pgd, va, level);
}

void arch_clear_kernel(unsigned long va, size_t size)
{
	unsigned long end = va + PAGE_ALIGN(size), at = va;

	while (at < end) {
		int level = 0;
		pte_t *e = arch_kernel_pte(at, &level);

		if (e)
			ptep_set(e, PTE_NONE);
		at = (at & ~(pt_span(level) - 1)) + pt_span(level);
	}
}

void arch_unmap_kernel(unsigned long va, size_t size)
{
	arch_clear_kernel(va, size);
	arch_tlb_flush_kernel_range(va, va + PAGE_ALIGN(size));
}

int arch_set_kernel_prot(unsigned long va, size_t size, unsigned int prot)
{
	unsigned long end = va + PAGE_ALIGN(size), at = va;

	while (at < end) {
		int level = 0, err;
		pte_t *e = arch_kernel_pte(at, &level);

		if (!e) {
			at += PAGE_SIZE;
			continue;
		}
		if (level && ((at & (pt_span(level) - 1)) || end - at < pt_span(level))) {
			err = kernel_maps_split(e, level);
			if (err)
				return err;
			continue;
		}
		ptep_set(e, pte_make(pte_pfn(ptep_read(e)), prot, level));
		at += pt_span(level);
	}
	arch_tlb_flush_kernel_range(va, end);
	return 0;
}

void __init kernel_maps_must(int err, const char *what)
{
	if (err)
		panic("boot: no memory for the kernel's page tables (%s)", what);
}

static void __init map(unsigned long va, phys_addr_t pa, u64 size, unsigned int prot, int max_level, const char *what)
{
	kernel_maps_must(map_level(kernel_pgd, ROOT, va, va + PAGE_ALIGN(size), pa, prot, max_level), what);
}

static void __init map_image(const char *from, const char *to, unsigned int prot)
{
	if (to > from)
		map((unsigned long)from, image_to_phys(from), (size_t)(to - from), prot, KERNEL_IMAGE_LEAF_LEVEL, "image");
}

static void __init map_direct(phys_addr_t s, phys_addr_t e, unsigned int prot)
{
	if (s < e)
		map((unsigned long)phys_to_virt(s), s, e - s, prot, KERNEL_LEAF_LEVEL, "RAM");
}

/* RAM by its whole pages; text and constants of the image are read-only here too. */
void __init kernel_maps_ram(void)
{
	phys_addr_t ro = image_to_phys(_text), ro_end = image_to_phys(__end_rodata);

	for (unsigned int i = 0; i < memblock.memory.nr; i++) {
		phys_addr_t s = memblock.memory.r[i].start, e = memblock.memory.r[i].end;

		map_direct(s, min(e, max(s, ro)), PTE_P_KERNEL);
		map_direct(max(s, ro), min(e, ro_end), PTE_P_KERNEL_RO);
		map_direct(max(s, ro_end), e, PTE_P_KERNEL);
	}
}

void __init kernel_maps_reserve(unsigned long from, unsigned long to)
{
	for (unsigned long va = from; va < to; va = (va & ~(pt_span(ROOT) - 1)) + pt_span(ROOT)) {
		pte_t *e = &kernel_pgd[pt_index(va, ROOT)];

		kernel_maps_must(!pte_leaf(ptep_read(e), ROOT) && !get_table(e) ? -ENOMEM : 0, "roots");
		if (pt_index(va, ROOT) == PT_ENTRIES - 1)
			break;
	}
}

extern char _sinittext[], _einittext[], __relocs_begin[], __relocs_end[];

void __init kernel_maps_image(void)
{
	map_image(_text, _etext, PTE_P_KERNEL_RX);
	map_image(__start_rodata, __end_rodata, PTE_P_KERNEL_RO);
	map_image(_data, __init_begin, PTE_P_KERNEL);
	map_image(_sinittext, _einittext, PTE_P_KERNEL_RX);
	map_image(_einittext, __init_end, PTE_P_KERNEL);
	map_image(__init_end, __relocs_end, PTE_P_KERNEL_RO);
	map_image(__bss_start, _end, PTE_P_KERNEL);
}

extern char __start_ro_after_init[], __end_ro_after_init[];

/* What init wrote stays as it is; init's own code and data go, unless another CPU may still start by them, so that stray calls fault. */
void arch_finish_boot(bool keep_init)
{
	arch_set_kernel_prot((unsigned long)__start_ro_after_init, (size_t)(__end_ro_after_init - __start_ro_after_init),
			     PTE_P_KERNEL_RO);
	if (keep_init)
		return;
	arch_unmap_kernel((unsigned long)__init_begin, (size_t)(__init_end - __init_begin));
	arch_unmap_kernel((unsigned long)__relocs_begin, (size_t)(__relocs_end - __relocs_begin));
}

bool arch_init_memory(unsigned int i, phys_addr_t *start, phys_addr_t *end)
{
	*start = image_to_phys(i ? __relocs_begin : __init_begin);
	*end = image_to_phys(i ? __relocs_end : __init_end);
	return i < 2 && *start < *end;
}

/* Windows on devices and firmware tables, handed out upwards for ever: there are a few dozen of them, made at boot. */
static unsigned long window_next = KERNEL_WINDOWS_START;

void __iomem *arch_ioremap(phys_addr_t pa, size_t size, unsigned int prot)
{
	void __iomem *seen = kernel_maps_device(pa, prot);
	unsigned long off = offset_in_page(pa), va;

	if (seen)
		return seen;
	size = PAGE_ALIGN(size + off);
	va = __atomic_fetch_add(&window_next, size, __ATOMIC_RELAXED);
	if (va + size > KERNEL_WINDOWS_END || arch_map_kernel(va, pa - off, size, prot))
		return NULL;
	return (void __iomem *)(va + off);
}

void arch_iounmap(void __iomem *p, size_t size)
{
	unsigned long va = (unsigned long)p & PAGE_MASK;

	if (va >= KERNEL_WINDOWS_START && va < KERNEL_WINDOWS_END)
		arch_unmap_kernel(va, PAGE_ALIGN(size + offset_in_page(p)));
}
