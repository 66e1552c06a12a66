// SPDX-License-Identifier: MIT
/* An initrd that firmware put where RAM ends. */
#include <boot/info.h>
#include <boot/memmap.h>
#include <arch/page.h>
#include <kernel/ktest.h>
#include <lib/memblock.h>

static struct boot_info bi;

static u64 left_of(u64 start, u64 size)
{
	bi.initrd = start;
	bi.initrd_size = size;
	boot_check_initrd(&bi);
	return bi.initrd == (bi.initrd_size ? start : 0) ? bi.initrd_size : ~0ULL;
}

KTEST(boot_initrd_where_ram_ends)
{
	phys_addr_t end = memblock.memory.r[memblock.memory.nr - 1].end;

	KT_EQ(left_of(end - 2 * PAGE_SIZE, PAGE_SIZE + 5), PAGE_SIZE + 5);
	KT_EQ(left_of(end - 2 * PAGE_SIZE, 2 * PAGE_SIZE), 2 * PAGE_SIZE);
	KT_EQ(left_of(end - 2 * PAGE_SIZE + 8, 4 * PAGE_SIZE), 2 * PAGE_SIZE - 8);
	KT_EQ(left_of(end, PAGE_SIZE), 0);
	KT_EQ(left_of(end - PAGE_SIZE, ~0ULL), 0);
	KT_EQ(left_of(0, PAGE_SIZE), 0);
}
