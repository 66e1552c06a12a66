// SPDX-License-Identifier: MIT
/*
 * First C code. The HWRPB and the page of parameters below the image (the command line, the initramfs) become struct boot_info and struct
 * alpha_machine; then the machine is made ready for start_kernel: entry points, page tables, per-CPU areas. The superpage
 * reaches all of memory and all devices from the first instruction on.
 */
#include <boot/info.h>
#include <boot/memmap.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/fpu.h>
#include <arch/patch.h>
#include <arch/preempt.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <lib/memblock.h>
#include "arch/alpha/alpha_priv.h"

struct boot_info boot_info;
struct alpha_machine machine __ro_after_init;

#define HWRPB_VA 0x10000000UL		/* as the firmware maps it; its first word says where it is */

/* What a loader leaves 0x6000 bytes below the image: Linux's, and QEMU's -append and -initrd. */
struct parameters {
	char cmdline[256];
	u64 initrd;		/* in the superpage */
	u64 initrd_size;
};
#define PARAMETERS ((const struct parameters *)(KERNEL_VA - 0x6000))
#define KERNEL_VA 0xfffffc0000310000UL

static void __init read_loader(void)
{
	const struct parameters *p = PARAMETERS;

	boot_info.protocol = "hwrpb";
	boot_set_cmdline(&boot_info, p->cmdline, sizeof(p->cmdline));
	if (p->initrd < DIRECT_MAP_START || p->initrd - DIRECT_MAP_START >= DIRECT_MAP_SIZE)
		return;
	boot_info.initrd = p->initrd - DIRECT_MAP_START;
	boot_info.initrd_size = p->initrd_size;
}

void __init __noreturn alpha_start(void)
{
	bool found;

	preempt_count_set(1);
	clear_preempt_need_resched();
	found = alpha_read_hwrpb(*(const volatile u64 *)HWRPB_VA % DIRECT_MAP_SIZE);
	read_loader();
	boot_map_finish(&boot_info);
	boot_map_to_memblock(&boot_info);
	arch_console_init(boot_info.cmdline);
	boot_register_console();
	alpha_entry_points();
	if (!found)
		panic("boot: the firmware left no HWRPB");
	boot_limit_memory(&boot_info);
	if (!memblock_total())
		panic("boot: the HWRPB names no memory");
	boot_check_initrd(&boot_info);
	alpha_setup_percpu();
	alpha_build_kernel_tables();
	alpha_pcb_init_cpu(0);
	arch_fpu_init_cpu();
	arch_apply_alternatives();
	start_kernel();
}
