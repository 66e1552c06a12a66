// SPDX-License-Identifier: MIT
/*
 * The kernel's own page tables. x86_build_kernel_tables makes them once, from the memory map: the direct map of RAM (never
 * executable), the image by the rights of its sections, and the root slots of vmalloc and of the struct page array,
 * so that root entries never change afterwards and every address space can share them by copy.
 */
#include <arch/pgtable.h>
#include <arch/kasan.h>
#include <arch/mmu.h>
#include <abi/errno.h>
#include <arch/upcalls.h>
#include <kernel/bug.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "arch/x86_64/x86_priv.h"

unsigned long page_offset_base __ro_after_init = DIRECT_MAP_DEFAULT;
unsigned long kernel_image_slide __ro_after_init;
static pte_t root_page[PT_ENTRIES] __section(".bss..page_aligned") __aligned(PAGE_SIZE);
pte_t *kernel_pgd __ro_after_init = root_page;
static bool allocator_up;

#define ROOT (ARCH_PT_LEVELS - 1)
#define EARLY_LIMIT (1ULL << 30)

/* A zeroed page for tables: of the part that the first tables map, until ours are in use. */
pte_t *x86_new_table(void)
{
	phys_addr_t pa;
	void *t;

	if (allocator_up)
		return pt_alloc_table();
	pa = memblock_alloc_range(PAGE_SIZE, PAGE_SIZE, 0, min(memblock.limit, (phys_addr_t)EARLY_LIMIT));
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
	t = x86_new_table();
	if (!t)
		return NULL;
	if (ptep_cmpxchg(e, PTE_NONE, pte_make_table(kaddr_to_phys(t))))
		return t;
	pt_free_table(t);
	return pte_table(ptep_read(e));
}

static int map_level(pte_t *table, int level, unsigned long va, unsigned long end, phys_addr_t pa, unsigned int prot)
{
	unsigned long span = pt_span(level), next;

	for (; va < end; pa += next - va, va = next) {
		pte_t *e = &table[pt_index(va, level)];
		pte_t old = ptep_read(e);
		bool fits;

		next = min(end, (va & ~(span - 1)) + span);
		if (!next)
			next = end;
		fits = next - va == span && !(pa & (span - 1)) && (level < 2 || (level == 2 && pte_has_1g));
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
			err = map_level(t, level - 1, va, next, pa, prot);
			if (err)
				return err;
		}
	}
	return 0;
}

int arch_map_kernel(unsigned long va, phys_addr_t pa, size_t size, unsigned int prot)
{
	return map_level(kernel_pgd, ROOT, va, va + PAGE_ALIGN(size), pa, prot);
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

/* Replaces a large leaf by a table of smaller ones with the same rights. */
static int split_leaf(pte_t *e, int level)
{
	pte_t old = ptep_read(e);
	u64 flags = old.v & ~X86_PTE_FRAME;
	u64 frame = old.v & X86_PTE_FRAME & ~(pt_span(level) - 1);
	pte_t *t = x86_new_table();

	if (!t)
		return -ENOMEM;
	if (level == 1)
		flags &= ~X86_PTE_PS;
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		t[i].v = (frame + i * pt_span(level - 1)) | flags;
	ptep_set(e, pte_make_table(kaddr_to_phys(t)));
	return 0;
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
			err = split_leaf(e, level);
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

void arch_pt_copy_kernel(pte_t *root)
{
	memcpy(root + PT_USER_ROOT_ENTRIES, kernel_pgd + PT_USER_ROOT_ENTRIES,
	       (PT_ENTRIES - PT_USER_ROOT_ENTRIES) * sizeof(pte_t));
}

static void __init must(int err, const char *what)
{
	if (err)
		panic("boot: no memory for the kernel's page tables (%s)", what);
}

/* The root slot of VA gets a table now and for ever. */
static void __init preallocate(unsigned long va)
{
	if (!get_table(&kernel_pgd[pt_index(va, ROOT)]))
		must(-ENOMEM, "root");
}

static void __init map_image(const char *from, const char *to, unsigned int prot)
{
	size_t size = PAGE_ALIGN((size_t)(to - from));

	if (size)
		must(arch_map_kernel((unsigned long)from, image_to_phys(from), size, prot), "image");
}

extern char _sinittext[], _einittext[], __relocs_begin[], __relocs_end[];

/* RAM by its ranges; the legacy MiB, holes and ROMs included, is one piece. */
static void __init map_ram(void)
{
	phys_addr_t done = 0;

	for (unsigned int i = 0; i < memblock.memory.nr; i++) {
		phys_addr_t s = memblock.memory.r[i].start, e = memblock.memory.r[i].end;

		if (s < 0x100000)
			s = 0;
		if (s == 0x100000 || e < 0x100000) {	/* joined to the MiB below */
			s = 0;
			e = max(e, (phys_addr_t)0x100000);
			if (i + 1 < memblock.memory.nr && memblock.memory.r[i + 1].start <= 0x100000)
				continue;
		}
		s = max(s, done);
		if (s < e)
			must(arch_map_kernel((unsigned long)phys_to_virt(s), s, e - s, PTE_P_KERNEL), "RAM");
		done = max(done, e);
	}
}

void __init x86_build_kernel_tables(void)
{
	unsigned long text_alias;

	map_ram();
	preallocate(VMALLOC_START);
	preallocate(VMEMMAP_START);
	map_image(_text, _etext, PTE_P_KERNEL_RX);
	map_image(__start_rodata, __end_rodata, PTE_P_KERNEL_RO);
	map_image(_data, __init_begin, PTE_P_KERNEL);
	map_image(_sinittext, _einittext, PTE_P_KERNEL_RX);
	map_image(_einittext, __init_end, PTE_P_KERNEL);
	map_image(__init_end, __relocs_end, PTE_P_KERNEL_RO);
	map_image(__bss_start, _end, PTE_P_KERNEL);
	x86_kasan_init_tables();
	write_cr3(image_to_phys(kernel_pgd));
	allocator_up = true;		/* every page that it may hand out can be reached now */
	/* Text and constants are read-only through the direct map too. */
	text_alias = (unsigned long)phys_to_virt(image_to_phys(_text));
	must(arch_set_kernel_prot(text_alias, (size_t)(__end_rodata - _text), PTE_P_KERNEL_RO), "alias");
}

extern char __start_ro_after_init[], __end_ro_after_init[];

/* What init wrote stays as it is; init's own code and data go, so that stray calls fault. */
void arch_finish_boot(void)
{
	arch_set_kernel_prot((unsigned long)__start_ro_after_init, (size_t)(__end_ro_after_init - __start_ro_after_init),
			     PTE_P_KERNEL_RO);
	arch_unmap_kernel((unsigned long)__init_begin, (size_t)(__init_end - __init_begin));
	arch_unmap_kernel((unsigned long)__relocs_begin, (size_t)(__relocs_end - __relocs_begin));
}

bool arch_init_memory(unsigned int i, phys_addr_t *start, phys_addr_t *end)
{
	*start = image_to_phys(i ? __relocs_begin : __init_begin);
	*end = image_to_phys(i ? __relocs_end : __init_end);
	return i < 2;
}

/*
 * Windows on devices and firmware tables, handed out upwards for ever: there are a dozen of them, made at boot.
 */
#define WINDOW_START (FIXMAP_START + 0x400000)
#define WINDOW_END (FIXMAP_END - 0x20000)
static unsigned long window_next = WINDOW_START;

void __iomem *arch_ioremap(phys_addr_t pa, size_t size, unsigned int prot)
{
	unsigned long off = offset_in_page(pa), va;

	size = PAGE_ALIGN(size + off);
	va = __atomic_fetch_add(&window_next, size, __ATOMIC_RELAXED);
	if (va + size > WINDOW_END || arch_map_kernel(va, pa - off, size, prot))
		return NULL;
	return (void __iomem *)(va + off);
}

void arch_iounmap(void __iomem *p, size_t size)
{
	unsigned long va = (unsigned long)p & PAGE_MASK;

	arch_unmap_kernel(va, PAGE_ALIGN(size + offset_in_page(p)));
}

/* The IST stacks of CPU, with the unmapped page below each. */
void x86_map_ist(unsigned int cpu)
{
	for (unsigned int i = IST_DF; i < IST_COUNT; i++) {
		phys_addr_t pa = memblock_alloc_phys(IST_STACK_SIZE, PAGE_SIZE);

		if (!pa)
			panic("boot: no memory for CPU %u's stacks", cpu);
		must(arch_map_kernel(IST_TOP(cpu, i) - IST_STACK_SIZE, pa, IST_STACK_SIZE, PTE_P_KERNEL), "stacks");
	}
	must(arch_kasan_populate(IST_AREA(cpu), IST_AREA(cpu + 1) - IST_AREA(cpu)), "the stacks' shadow");
}
