// SPDX-License-Identifier: MIT
/*
 * From the first C function above arch to the first program.
 *
 * start_kernel runs on the boot CPU as its idle task: memory, clocks, the early and core levels. Then the thread
 * kernel_init takes over (it becomes process 1), runs the remaining levels, gives init's memory back and executes the first
 * program, while start_kernel turns into the idle loop.
 */
#include <boot/info.h>
#include <abi/errno.h>
#include <alloc/kasan_runtime.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <alloc/xarray.h>
#include <arch/clock.h>
#include <arch/console.h>
#include <arch/irq.h>
#include <arch/irqflags.h>
#include <arch/power.h>
#include <arch/smp.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/ktest.h>
#include <kernel/printk.h>
#include <lib/memblock.h>
#include <sched/kthread.h>
#include <sched/sched.h>
#include "boot/boot_priv.h"

static void console_write(struct console *c, const char *text, size_t len)
{
	arch_console_write(text, len);
}

static struct console early_console = { .name = "uart", .write = console_write, .atomic = true };

void __init boot_register_console(void)
{
	if (arch_console_present())
		register_console(&early_console);
}

static void __init name_cpus(void)
{
	nr_cpu_ids = arch_smp_count();
	nr_cpu_words = (unsigned int)BITS_TO_LONGS(nr_cpu_ids);
	for (unsigned int i = 0; i < nr_cpu_ids; i++) {
		__cpumask_set_cpu(i, &cpu_possible_mask_);
		__cpumask_set_cpu(i, &cpu_present_mask_);
	}
	__cpumask_set_cpu(0, &cpu_online_mask_);
}

static void __init show_memory(void)
{
	pr_info("boot: %llu KiB of RAM, entered by %s\n", memblock_total() >> 10, boot_info.protocol);
	for (unsigned int i = 0; i < boot_info.nr_map; i++)
		pr_debug("boot: [%#012llx, %#012llx) type %d\n", boot_info.map[i].start, boot_info.map[i].end,
			 boot_info.map[i].type);
	if (boot_info.initrd_size)
		pr_debug("boot: initrd at %#llx, %llu KiB\n", boot_info.initrd, boot_info.initrd_size >> 10);
	if (boot_info.cmdline_cut)
		pr_warn("boot: the command line was longer than %u bytes and is cut\n", BOOT_CMDLINE_MAX - 1);
}

void __noreturn start_kernel(void)
{
	name_cpus();
	sched_init();
	parse_command_line(boot_info.cmdline);
	pr_notice("Ochre on %u CPU%s\n", nr_cpu_ids, nr_cpu_ids == 1 ? "" : "s");
	show_memory();
#ifdef CONFIG_KASAN
	kasan_init_globals();
#endif
	page_alloc_init();
	kmem_cache_init();
	vmalloc_init();
	xarray_init();
	arch_irq_init();
	arch_clock_init();
	arch_timer_init_cpu();
	do_initcalls(INIT_EARLY);
	arch_irq_enable();
	do_initcalls(INIT_CORE);
	system_state = SYSTEM_SCHEDULING;
	boot_start_init_thread();
	cpu_idle_loop();
}
