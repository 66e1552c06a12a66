// SPDX-License-Identifier: MIT
/*
 * First C code. The HWRPB and the page of parameters below the image (the command line, the initramfs) become struct boot_info and struct
 * alpha_machine; then the machine is made ready for start_kernel: entry points, page tables, per-CPU areas. The superpage
 * reaches all of memory and all devices from the first instruction on.
 */
#include <boot/info.h>
#include <boot/memmap.h>
#include <boot/boot_alloc.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/firmware.h>
#include <arch/fpu.h>
#include <arch/patch.h>
#include <arch/preempt.h>
#include <abi/errno.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>
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

static void __init check_initrd(void)
{
	u64 end;

	if (!boot_info.initrd || !boot_info.initrd_size ||
	    check_add_overflow(boot_info.initrd, boot_info.initrd_size, &end) ||
	    !memblock_is_memory(boot_info.initrd) || !memblock_is_memory(end - 1)) {
		boot_info.initrd = 0;
		boot_info.initrd_size = 0;
	}
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

/* No device tree names anything here. */
int arch_dt_irq(const struct dt_irq *irq)
{
	return -EINVAL;
}

bool arch_dt_msi(u32 controller)
{
	return false;
}

phys_addr_t arch_acpi_rsdp(void)
{
	return 0;
}

const void *arch_map_firmware(u64 pa, size_t len)
{
	return NULL;
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
	check_initrd();
	alpha_setup_percpu();
	alpha_build_kernel_tables();
	alpha_pcb_init_cpu(0);
	arch_fpu_init_cpu();
	arch_apply_alternatives();
	start_kernel();
}
