// SPDX-License-Identifier: MIT
/* What becomes of the firmware's memory map: memblock's RAM, less what is taken and what mem= leaves out; early allocation from it. */
#include <boot/memmap.h>
#include <boot/boot_alloc.h>
#include <arch/page.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>

void boot_map_to_memblock(struct boot_info *bi)
{
	boot_initrd_option(bi->cmdline, &bi->initrd, &bi->initrd_size);
	for (unsigned int i = 0; i < bi->nr_map; i++) {
		phys_addr_t s = PAGE_ALIGN(bi->map[i].start), e = bi->map[i].end & PAGE_MASK;

		if (bi->map[i].type == BOOT_MEM_RAM && s < e)
			memblock_add(s, e - s);
	}
	memblock_reserve(0, PAGE_SIZE);
	memblock_reserve(image_to_phys(_text), (u64)(_end - _text));
	if (!bi->initrd_size)
		return;
	/* Its pages are given back once it was read: not the kernel's own. */
	if (memblock_is_reserved(bi->initrd, bi->initrd_size)) {
		pr_err("boot: the initrd at %#llx, %llu bytes, lies where the kernel does\n", bi->initrd, bi->initrd_size);
		bi->initrd = bi->initrd_size = 0;
		return;
	}
	memblock_reserve(bi->initrd & PAGE_MASK, PAGE_ALIGN(bi->initrd + bi->initrd_size) - (bi->initrd & PAGE_MASK));
}

static bool in_memory(const struct memblock_range *r)
{
	return memblock_is_memory(r->start & PAGE_MASK) && memblock_is_memory(PAGE_ALIGN(r->end) - 1);
}

/*
 * mem=SIZE leaves that much RAM in use, the lowest. Loaders put the initrd and the device tree near the end of RAM: what is reserved where it
 * would be lost stays in use, its pages in place of as many others.
 */
void __init boot_limit_memory(const struct boot_info *bi)
{
	static bool was_memory[MEMBLOCK_MAX] __initdata;
	const struct memblock_list *taken = &memblock.reserved;
	u64 limit = boot_mem_option(bi->cmdline), lost = 0;

	if (!limit)
		return;
	for (unsigned int i = 0; i < taken->nr; i++)
		was_memory[i] = in_memory(&taken->r[i]);
	memblock_cap_memory(limit);
	for (unsigned int i = 0; i < taken->nr; i++)
		if (was_memory[i] && !in_memory(&taken->r[i]))
			lost += PAGE_ALIGN(taken->r[i].end) - (taken->r[i].start & PAGE_MASK);
	if (lost && limit > lost + (1 << 20))
		memblock_cap_memory(limit - lost);
	for (unsigned int i = 0; i < taken->nr; i++) {
		phys_addr_t start = taken->r[i].start & PAGE_MASK;

		if (was_memory[i] && !in_memory(&taken->r[i]))
			memblock_add(start, PAGE_ALIGN(taken->r[i].end) - start);
	}
}

/* A loader may put the end of the archive where firmware then put its tables: what lies in RAM is what there is. */
void __init boot_check_initrd(struct boot_info *bi)
{
	u64 start = bi->initrd, end, have;

	if (!start || !bi->initrd_size)
		goto none;
	if (check_add_overflow(start, bi->initrd_size, &end) || !memblock_is_memory(start)) {
		pr_err("boot: the initrd at %#llx, %llu bytes, is not in RAM\n", start, bi->initrd_size);
		goto none;
	}
	for (have = round_down(start, PAGE_SIZE) + PAGE_SIZE; have < end && memblock_is_memory(have); have += PAGE_SIZE)
		;
	if (have < end) {
		pr_warn("boot: the last %llu bytes of the initrd are not in RAM\n", end - have);
		bi->initrd_size = have - start;
	}
	return;
none:
	bi->initrd = 0;
	bi->initrd_size = 0;
}

void *boot_alloc(size_t size, size_t align)
{
	phys_addr_t pa = memblock_alloc_phys(size, max(align, (size_t)16));
	void *p;

	if (!pa)
		panic("boot: out of memory");
	p = phys_to_virt(pa);
	memset(p, 0, size);
	return p;
}
