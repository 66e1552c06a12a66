// SPDX-License-Identifier: MIT
/* The structures of boot protocols: PVH's start_info, Linux's boot_params ("zero page"). */
#include "arch/x86_64/boot_decode.h"
#include <boot/memmap.h>
#include <lib/minmax.h>
#include <asm/bootparam.h>

/* The Xen project's boot ABI (xen/include/public/arch-x86/hvm/start_info.h). */
struct pvh_start_info {
	u32 magic, version, flags, nr_modules;
	u64 modlist, cmdline, rsdp, memmap;
	u32 memmap_entries, reserved;
};
struct pvh_module {
	u64 addr, size, cmdline, reserved;
};
struct pvh_memmap {
	u64 addr, size;
	u32 type, reserved;
};
#define PVH_MAGIC 0x336ec578

static void __init decode_cmdline(struct boot_info *bi, u64 pa, u64 most, x86_early_ptr ptr, u64 limit)
{
	const char *s = ptr(pa, 1);

	if (s)
		boot_set_cmdline(bi, s, (size_t)min(most, limit - pa));
}

void __init x86_decode_pvh(struct boot_info *bi, phys_addr_t pa, x86_early_ptr ptr, u64 limit)
{
	const struct pvh_start_info *si = ptr(pa, sizeof(*si));
	const struct pvh_memmap *mm;
	const struct pvh_module *mod;

	if (!si || si->magic != PVH_MAGIC)
		return;
	decode_cmdline(bi, si->cmdline, BOOT_CMDLINE_MAX, ptr, limit);
	bi->rsdp = si->rsdp;
	mod = si->nr_modules ? ptr(si->modlist, sizeof(*mod)) : NULL;
	if (mod) {
		bi->initrd = mod->addr;
		bi->initrd_size = mod->size;
	}
	mm = si->version >= 1 ? ptr(si->memmap, (size_t)si->memmap_entries * sizeof(*mm)) : NULL;
	for (u32 i = 0; mm && i < si->memmap_entries; i++)
		boot_map_add(bi, mm[i].addr, mm[i].size, mm[i].type);
}

void __init x86_decode_boot_params(struct boot_info *bi, phys_addr_t pa, x86_early_ptr ptr, u64 limit)
{
	const struct boot_params *bp = ptr(pa, sizeof(*bp));
	u64 cmdline;

	if (!bp)
		return;
	cmdline = bp->hdr.cmd_line_ptr | (u64)bp->ext_cmd_line_ptr << 32;
	decode_cmdline(bi, cmdline, bp->hdr.cmdline_size ? (u64)bp->hdr.cmdline_size + 1 : BOOT_CMDLINE_MAX, ptr, limit);
	bi->initrd = bp->hdr.ramdisk_image | (u64)bp->ext_ramdisk_image << 32;
	bi->initrd_size = bp->hdr.ramdisk_size | (u64)bp->ext_ramdisk_size << 32;
	bi->rsdp = bp->acpi_rsdp_addr;
	for (u32 i = 0; i < bp->e820_entries && i < sizeof(bp->e820_table) / sizeof(*bp->e820_table); i++)
		boot_map_add(bi, bp->e820_table[i].addr, bp->e820_table[i].size, bp->e820_table[i].type);
	if (!bp->e820_entries) {
		boot_map_add(bi, 0, 0x9f000, BOOT_MEM_RAM);
		boot_map_add(bi, 0x100000, (u64)max(bp->alt_mem_k, (u32)bp->screen_info.ext_mem_k) << 10, BOOT_MEM_RAM);
	}
}
