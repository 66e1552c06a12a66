// SPDX-License-Identifier: MIT
/* Process 1 before it is a program: the remaining initialisation levels, in-kernel tests, then init. */
#include <boot/info.h>
#include <alloc/page.h>
#include <arch/cpu.h>
#include <arch/power.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/ktest.h>
#include <kernel/printk.h>
#include <linux/sched.h>
#include <proc/proc_priv.h>
#include <sched/sched.h>
#include "boot/boot_priv.h"

static void run_tests(void)
{
	int failed = ktest_run_all(command_line_get("ktest"));

	console_flush();
	arch_exit_status(failed ? 1 : 0);
	arch_power_off();
}

static void free_init_memory(void)
{
	phys_addr_t start, end;
	u64 bytes = 0;

	arch_finish_boot();
	for (unsigned int i = 0; arch_init_memory(i, &start, &end); i++) {
		free_reserved_area(start, end);
		bytes += end - start;
	}
	pr_info("boot: %llu KiB of initialisation code and data given back\n", bytes >> 10);
}

static int kernel_init(void *arg)
{
	smp_init();
	for (int level = INIT_SCHED; level < INIT_LEVELS; level++)
		do_initcalls(level);
	if (ktest_requested())
		run_tests();
	free_init_memory();
	system_state = SYSTEM_RUNNING;
	panic("No init found.");
}

void boot_start_init_thread(void)
{
	struct kernel_clone_args init = { .flags = CLONE_FS, .fn = kernel_init, .name = "init" };
	pid_t pid = kernel_clone(&init);
	int err;

	if (pid != 1)
		panic("boot: the first thread could not be made: %d", pid);
	err = proc_start_kthreadd();
	if (err)
		panic("boot: kthreadd could not be made: %d", err);
}
