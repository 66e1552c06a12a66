// SPDX-License-Identifier: MIT
/*
 * The kernel's own page tables. rv_build_kernel_tables makes them once, from the memory map: the direct map of RAM (never
 * executable), the image by the rights of its sections. All roots share the kernel's half: its entries exist from boot on and
 * never change, so the tables below them are made for all that the kernel will ever map.
 *
 * What changes its rights later, the image, is mapped by pages from the start: no large leaf is ever split.
 *
 * A CPU may remember that an entry was not there. New mappings raise rv_map_gen, and a CPU that switches tasks and lags behind
 * forgets what it knew (sched_switch.c): so stacks, which nobody could fault on, are safe. Everything else faults and is
 * found good (mm_fault.c).
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
#include "arch/riscv64/rv_priv.h"

pte_t *kernel_pgd __ro_after_init = kernel_root;
u32 rv_map_gen;
u64 rv_pte_nc __ro_after_init, rv_pte_io __ro_after_init;
unsigned long rv_secondary_satp[2] __ro_after_init;	/* what another CPU loads before and after its jump to the linked addresses */
static bool allocator_up;

#define ROOT (ARCH_PT_LEVELS - 1)
#define GIB (1ULL << 30)

static pte_t *new_table(void)
{
	phys_addr_t pa, lo = kernel_image_pa & ~(GIB - 1);
	void *t;

	if (allocator_up)
		return pt_alloc_table();
	pa = memblock_alloc_range(PAGE_SIZE, PAGE_SIZE, lo, min(memblock.limit, lo + GIB));
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
	int err = map_level(kernel_pgd, ROOT, va, va + PAGE_ALIGN(size), pa, prot, 2);

	__atomic_fetch_add(&rv_map_gen, 1, __ATOMIC_RELEASE);	/* pairs with arch_switch_to's acquire */
	__asm__ volatile("sfence.vma" : : : "memory");
	return err;
}

pte_t *rv_walk(pte_t *root, unsigned long va, int *level)
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
	return rv_walk(kernel_pgd, va, level);
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

/* The root's slots in use, so that a new space need not copy all 256. */
static u16 root_slots[PT_ENTRIES - PT_KERNEL_ROOT_FIRST] __ro_after_init;
static unsigned int nr_root_slots __ro_after_init;

void arch_pt_copy_kernel(pte_t *root)
{
	for (unsigned int i = 0; i < nr_root_slots; i++)
		root[root_slots[i]] = kernel_root[root_slots[i]];
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

static void __init map_direct(phys_addr_t s, phys_addr_t e, unsigned int prot)
{
	if (s < e)
		map((unsigned long)phys_to_virt(s), s, e - s, prot, ROOT > 2 ? 2 : 1, "RAM");	/* no leaf in the root */
}

/* RAM by its whole pages; text and constants of the image are read-only here too. */
static void __init map_ram(void)
{
	phys_addr_t ro = image_to_phys(_text), ro_end = image_to_phys(__end_rodata);

	for (unsigned int i = 0; i < memblock.memory.nr; i++) {
		phys_addr_t s = memblock.memory.r[i].start, e = memblock.memory.r[i].end;

		map_direct(s, min(e, max(s, ro)), PTE_P_KERNEL);
		map_direct(max(s, ro), min(e, ro_end), PTE_P_KERNEL_RO);
		map_direct(max(s, ro_end), e, PTE_P_KERNEL);
	}
}

/* The tables right below the root for [from, to). */
static void __init reserve(unsigned long from, unsigned long to)
{
	for (unsigned long va = from; va < to; va = (va & ~(pt_span(ROOT) - 1)) + pt_span(ROOT)) {
		pte_t *e = &kernel_root[pt_index(va, ROOT)];

		must(!pte_leaf(ptep_read(e), ROOT) && !get_table(e) ? -ENOMEM : 0, "roots");
		if (pt_index(va, ROOT) == PT_ENTRIES - 1)
			break;
	}
}

/* Where another CPU's first instructions lie, at the address that they lie at. */
static void __init make_idmap(void)
{
	unsigned long at = kernel_image_pa & ~(pt_span(ROOT) - 1);

	memcpy(idmap_root, kernel_root, PAGE_SIZE);
	idmap_root[pt_index(at, ROOT)] = pte_make(PFN_DOWN(at), PTE_P_READ | PTE_P_EXEC, ROOT);
	rv_secondary_satp[0] = rv_make_satp(image_to_phys(idmap_root), 0);
	rv_secondary_satp[1] = rv_make_satp(image_to_phys(kernel_root), 0);
}

void __init rv_build_kernel_tables(void)
{
	map_ram();
	map_image(_text, _etext, PTE_P_KERNEL_RX);
	map_image(__start_rodata, __end_rodata, PTE_P_KERNEL_RO);
	map_image(_data, __init_begin, PTE_P_KERNEL);
	map_image(_sinittext, _einittext, PTE_P_KERNEL_RX);
	map_image(_einittext, __init_end, PTE_P_KERNEL);
	map_image(__init_end, __syms_end, PTE_P_KERNEL_RO);
	map_image(__bss_start, _end, PTE_P_KERNEL);
	reserve(VMALLOC_START, VMALLOC_END);
	reserve(VMEMMAP_START, VMEMMAP_START + rv_direct_size / PAGE_SIZE * 64);	/* a struct page has 64 bytes */
	reserve(FIXMAP_START, FIXMAP_END);
	for (unsigned int i = PT_KERNEL_ROOT_FIRST; i < PT_ENTRIES; i++)
		if (!pte_none(kernel_root[i]))
			root_slots[nr_root_slots++] = (u16)i;
	make_idmap();
	csr_write(satp, rv_make_satp(image_to_phys(kernel_root), 0));
	__asm__ volatile("sfence.vma" : : : "memory");
	allocator_up = true;		/* every page that it may hand out can be reached now */
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

/* Windows on devices, handed out upwards for ever: there are a few dozen of them, made at boot. */
static unsigned long window_next = FIXMAP_START;

void __iomem *arch_ioremap(phys_addr_t pa, size_t size, unsigned int prot)
{
	unsigned long off = offset_in_page(pa), va;

	size = PAGE_ALIGN(size + off);
	va = __atomic_fetch_add(&window_next, size, __ATOMIC_RELAXED);
	if (va + size > TEXT_POKE_VA || arch_map_kernel(va, pa - off, size, prot))
		return NULL;
	return (void __iomem *)(va + off);
}

void arch_iounmap(void __iomem *p, size_t size)
{
	unsigned long va = (unsigned long)p & PAGE_MASK;

	arch_unmap_kernel(va, PAGE_ALIGN(size + offset_in_page(p)));
}
