// SPDX-License-Identifier: MIT
/*
 * First C code. Boot protocols become struct boot_info; then the machine is made ready for start_kernel: traps, final
 * page tables, firmware tables, per-CPU areas. Until x86_build_kernel_tables only the first GiB can be read.
 */
#include <boot/info.h>
#include <boot/memmap.h>
#include <boot/boot_alloc.h>
#include <arch/clock.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/fpu.h>
#include <arch/patch.h>
#include <arch/irq.h>
#include <arch/preempt.h>
#include <arch_cpu/boot_proto.h>
#include <asm/bootparam.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "arch/x86_64/x86_priv.h"
#include "arch/x86_64/entry_priv.h"

struct boot_info boot_info;

#define EARLY_LIMIT (1ULL << 30)

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

/* What a boot loader handed over by address: readable only below the early limit. */
static const void *__init early_ptr(u64 pa, size_t len)
{
	return pa && pa < EARLY_LIMIT && len <= EARLY_LIMIT - pa ? phys_to_virt(pa) : NULL;
}

static void __init early_cmdline(u64 pa, size_t max)
{
	const char *s = early_ptr(pa, 1);

	if (s)
		boot_set_cmdline(&boot_info, s, min(max, (size_t)(EARLY_LIMIT - pa)));
}

static void __init read_pvh(phys_addr_t pa)
{
	const struct pvh_start_info *si = early_ptr(pa, sizeof(*si));
	const struct pvh_memmap *mm;
	const struct pvh_module *mod;

	boot_info.protocol = "pvh";
	if (!si || si->magic != PVH_MAGIC)
		return;
	early_cmdline(si->cmdline, BOOT_CMDLINE_MAX);
	boot_info.rsdp = si->rsdp;
	mod = si->nr_modules ? early_ptr(si->modlist, sizeof(*mod)) : NULL;
	if (mod) {
		boot_info.initrd = mod->addr;
		boot_info.initrd_size = mod->size;
	}
	mm = si->version >= 1 ? early_ptr(si->memmap, (size_t)si->memmap_entries * sizeof(*mm)) : NULL;
	for (u32 i = 0; mm && i < si->memmap_entries; i++)
		boot_map_add(&boot_info, mm[i].addr, mm[i].size, mm[i].type);
}

static void __init read_boot_params(phys_addr_t pa)
{
	const struct boot_params *bp = early_ptr(pa, sizeof(*bp));
	u64 cmdline;

	if (!bp)
		return;
	cmdline = bp->hdr.cmd_line_ptr | (u64)bp->ext_cmd_line_ptr << 32;
	early_cmdline(cmdline, bp->hdr.cmdline_size ? bp->hdr.cmdline_size + 1 : BOOT_CMDLINE_MAX);
	boot_info.initrd = bp->hdr.ramdisk_image | (u64)bp->ext_ramdisk_image << 32;
	boot_info.initrd_size = bp->hdr.ramdisk_size | (u64)bp->ext_ramdisk_size << 32;
	boot_info.rsdp = bp->acpi_rsdp_addr;
	for (u32 i = 0; i < bp->e820_entries && i < ARRAY_SIZE(bp->e820_table); i++)
		boot_map_add(&boot_info, bp->e820_table[i].addr, bp->e820_table[i].size, bp->e820_table[i].type);
	if (!bp->e820_entries) {
		boot_map_add(&boot_info, 0, 0x9f000, BOOT_MEM_RAM);
		boot_map_add(&boot_info, 0x100000, (u64)max(bp->alt_mem_k, (u32)bp->screen_info.ext_mem_k) << 10, BOOT_MEM_RAM);
	}
}

/* A loader may put the end of the archive where firmware then put its tables: what lies in RAM is what there is. */
static void __init check_initrd(void)
{
	u64 start = boot_info.initrd, end, have;

	if (!start || !boot_info.initrd_size)
		goto none;
	if (check_add_overflow(start, boot_info.initrd_size, &end) || !memblock_is_memory(start)) {
		pr_err("boot: the initrd at %#llx, %llu bytes, is not in RAM\n", start, boot_info.initrd_size);
		goto none;
	}
	for (have = round_down(start, PAGE_SIZE) + PAGE_SIZE; have < end && memblock_is_memory(have); have += PAGE_SIZE)
		;
	if (have < end) {
		pr_warn("boot: the last %llu bytes of the initrd are not in RAM\n", end - have);
		boot_info.initrd_size = have - start;
	}
	return;
none:
	boot_info.initrd = 0;
	boot_info.initrd_size = 0;
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

void __init __noreturn x86_start(u32 protocol, phys_addr_t params)
{
	x86_detect_cpu();
	if (protocol == BOOT_PROTO_PVH) {
		read_pvh(params);
	} else {
		boot_info.protocol = protocol == BOOT_PROTO_LINUX64 ? "linux64" : "bzimage";
		read_boot_params(params);
	}
	arch_console_init(boot_info.cmdline);
	x86_idt_init();
	x86_cpu_tables(0);
	boot_register_console();
	boot_map_finish(&boot_info);
	boot_map_to_memblock(&boot_info);
	boot_limit_memory(&boot_info);
	if (!memblock_total())
		panic("boot: the loader named no memory");
	check_initrd();
	x86_build_kernel_tables();
	x86_kasan_init_shadow();
	x86_read_firmware_tables();
	x86_judge_bugs(strstr(boot_info.cmdline, "mitigations=off"));
	x86_smp_reserve();
	x86_setup_percpu();
	x86_cpu_tables(0);
	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++)
		x86_map_ist(cpu);
	x86_use_ist(0);
	x86_cpu_registers();
	x86_mitigate_cpu();
	x86_fpu_detect();
	arch_fpu_init_cpu();
	arch_apply_alternatives();
	start_kernel();
}
