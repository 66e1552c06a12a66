// SPDX-License-Identifier: MIT
/* sources: boot/memmap.c lib/numbers.c lib/string.c */
/* initrdmem=ADDRESS,SIZE */
#include <assert.h>
#include <boot/memmap.h>

int main(void)
{
	phys_addr_t start = 7;
	u64 size = 9;

	assert(!boot_initrd_option("", &start, &size));
	assert(!boot_initrd_option("quiet initrdmem= initrdmem=1M initrdmem=1M, initrdmem=1M,0 xinitrdmem=1,1", &start, &size));
	assert(!boot_initrd_option("initrdmem=1M,2Mx initrdmem=1M,2,3 initrdmem=0xfffffffffffff000,0x2000", &start, &size));
	assert(start == 7 && size == 9);
	assert(boot_initrd_option("initrdmem=0x90000000,0x1234 quiet", &start, &size) && start == 0x90000000 && size == 0x1234);
	assert(boot_initrd_option("initrdmem=1G,3M a initrdmem=2G,4K initrdmem=", &start, &size) && start == 2UL << 30 && size == 4096);
	return 0;
}
