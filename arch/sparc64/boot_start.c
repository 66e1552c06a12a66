// SPDX-License-Identifier: MIT
/*
 * First C code. What the firmware says becomes struct boot_info and struct sparc_machine; then the machine is made ready for
 * start_kernel: our trap table, final page tables, per-CPU areas.
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
#include <kernel/printk.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <sched/task.h>
#include "arch/sparc64/sparc_priv.h"

struct boot_info boot_info;
struct trap_block trap_block;

#define PA_LIMIT (1ULL << 41)

static void __init read_memory(void)
{
	for (unsigned int i = 0; i < machine.nr_memory; i++)
		if (machine.memory[i].start < PA_LIMIT)
			boot_map_add(&boot_info, machine.memory[i].start, min(machine.memory[i].size, PA_LIMIT - machine.memory[i].start),
				     BOOT_MEM_RAM);
	boot_map_finish(&boot_info);
}

static void __init init_trap_block(void)
{
	trap_block.user_root = image_to_phys(empty_root);
	trap_block.kernel_root = image_to_phys(kernel_root);
	trap_block.task = &init_task;
	trap_block.next_spilled = init_task.thread.spilled;
	trap_block.window = &init_task.thread.window;
	trap_block.stack = (unsigned long)boot_stack_top - WINDOW_FRAME - BIAS;
}

void __init __noreturn sparc_start(int (*client)(void *args))
{
	preempt_count_set(1);
	clear_preempt_need_resched();
	boot_info.protocol = "openfirmware";
	sparc_read_firmware(client);
	boot_info.initrd_size = boot_initrd[1];	/* QEMU counts the address from the image on */
	boot_info.initrd = boot_initrd[1] ? boot_initrd[0] - image_to_phys(_text) : 0;
	read_memory();
	init_trap_block();
	sparc_own_traps(&trap_block);
	boot_map_to_memblock(&boot_info);
	arch_console_init(boot_info.cmdline);
	boot_register_console();
	pr_info("openfirmware: %s, %s, %u ranges of memory, initramfs %#llx + %#llx\n", machine.model, machine.cpu_name, machine.nr_memory,
		boot_info.initrd, boot_info.initrd_size);
	boot_limit_memory(&boot_info);
	if (!memblock_total())
		panic("boot: the firmware names no memory");
	boot_check_initrd(&boot_info);
	sparc_build_kernel_tables();
	sparc_setup_percpu();
	arch_fpu_init_cpu();
	arch_apply_alternatives();
	start_kernel();
}
