// SPDX-License-Identifier: MIT
/* From a device tree to struct boot_info, and the index over it that everybody asks later. */
#include <boot/dt.h>
#include <boot/memmap.h>
#include <abi/errno.h>
#include <arch/firmware.h>
#include <arch/page.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>

static struct dt tree __ro_after_init;
static bool tree_open __ro_after_init;
static struct fdt blob_of_tree __initdata;
static u8 rng_seed[64] __initdata;
static u32 rng_seed_size __initdata;

static void __init add_memory(void *arg, u64 addr, u64 size, bool ram)
{
	boot_map_add(&boot_info, addr, size, ram ? BOOT_MEM_RAM : BOOT_MEM_RESERVED);
}

/* Taken out of the tree, where anybody might read it later. */
static u32 __init take_seed(u8 *to, size_t room, const u8 *seed, u32 size)
{
	u32 n = (u32)min((size_t)size, room);

	if (!seed)
		return 0;
	memcpy(to, seed, n);
	memset((u8 *)(unsigned long)seed, 0, size);
	return n;
}

int __init boot_dt_look(const void *blob, phys_addr_t pa, size_t max)
{
	struct dt_chosen c;
	int err = fdt_open(&blob_of_tree, blob, max);

	if (!err)
		err = dt_first_look(&blob_of_tree, &c, add_memory, NULL);
	if (err)
		return err;
	boot_info.fdt = pa;
	if (c.bootargs)
		boot_set_cmdline(&boot_info, c.bootargs, BOOT_CMDLINE_MAX);
	boot_info.initrd = c.initrd;
	boot_info.initrd_size = c.initrd_size;
	rng_seed_size = take_seed(rng_seed, sizeof(rng_seed), c.rng_seed, c.rng_seed_size);
	take_seed((u8 *)&boot_info.kaslr_seed, sizeof(boot_info.kaslr_seed), c.kaslr_seed, 8);
	return 0;
}

int __init boot_dt_open(phys_addr_t lo, phys_addr_t hi)
{
	size_t size;
	phys_addr_t pa;

	if (!boot_info.fdt)
		return -ENOENT;
	memblock_reserve(boot_info.fdt & PAGE_MASK, PAGE_ALIGN(boot_info.fdt + blob_of_tree.size) - (boot_info.fdt & PAGE_MASK));
	size = dt_index_size(&blob_of_tree);
	pa = memblock_alloc_range(size, 8, lo, hi);
	if (!pa)
		return -ENOMEM;
	tree_open = !dt_open(&tree, &blob_of_tree, phys_to_virt(pa), size);
	return tree_open ? 0 : -ENOENT;
}

const struct dt *arch_dt(void)
{
	return tree_open ? &tree : NULL;
}

/* The seed is a boot loader's word, which Linux believes too (random.trust_bootloader). */
static int __init dt_seed_init(void)
{
	if (rng_seed_size)
		add_entropy(rng_seed, rng_seed_size, 8 * rng_seed_size);
	memset(rng_seed, 0, sizeof(rng_seed));
	return 0;
}
INITCALL(early, dt_seed_init);
