// SPDX-License-Identifier: MIT
/* What becomes of the firmware's memory map: memblock's RAM, less what is taken and what mem= leaves out. */
#include <boot/memmap.h>
#include <kernel/init.h>
#include <lib/memblock.h>
#include <arch/page.h>

void boot_map_to_memblock(const struct boot_info *bi)
{
	for (unsigned int i = 0; i < bi->nr_map; i++) {
		phys_addr_t s = PAGE_ALIGN(bi->map[i].start), e = bi->map[i].end & PAGE_MASK;

		if (bi->map[i].type == BOOT_MEM_RAM && s < e)
			memblock_add(s, e - s);
	}
	memblock_reserve(0, PAGE_SIZE);
	memblock_reserve(image_to_phys(_text), (u64)(_end - _text));
	if (bi->initrd_size)
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
