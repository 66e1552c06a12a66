// SPDX-License-Identifier: MIT
/* What becomes of the firmware's memory map: memblock's RAM, less what is taken and what mem= leaves out. */
#include <boot/memmap.h>
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

/*
 * mem=SIZE leaves that much RAM in use, the lowest. Loaders put the initrd near the end of RAM: where it would be lost, its pages stay in
 * use in place of as many others.
 */
void boot_limit_memory(const struct boot_info *bi)
{
	u64 limit = boot_mem_option(bi->cmdline), start = bi->initrd & PAGE_MASK, end = PAGE_ALIGN(bi->initrd + bi->initrd_size);
	bool keep = bi->initrd_size && start < end && memblock_is_memory(start) && memblock_is_memory(end - 1);

	if (!limit)
		return;
	memblock_cap_memory(limit);
	if (!keep || (memblock_is_memory(start) && memblock_is_memory(end - 1)))
		return;
	if (limit > end - start + (1 << 20))
		memblock_cap_memory(limit - (end - start));
	memblock_add(start, end - start);
}
