// SPDX-License-Identifier: MIT
/* Process 1 before it is a program: the remaining initialisation levels, in-kernel tests, then init. */
#include <boot/info.h>
#include <alloc/page.h>
#include <arch/power.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/ktest.h>
#include <kernel/printk.h>
#include <lib/err.h>
#include <proc/proc_priv.h>
#include <sched/sched.h>
#include <sched/upcalls.h>
#include "boot/boot_priv.h"

static void run_tests(void)
{
	int failed = ktest_run_all(command_line_get("ktest"));

	console_flush();
	arch_exit_status(failed ? 1 : 0);
	arch_power_off();
}

static int kernel_init(void *arg)
{
	smp_init();
	for (int level = INIT_SCHED; level < INIT_LEVELS; level++)
		do_initcalls(level);
	system_state = SYSTEM_RUNNING;
	if (ktest_requested())
		run_tests();
	panic("No init found.");
}

void boot_start_init_thread(void)
{
	struct task *t = kernel_thread_create(kernel_init, NULL, "init");

	if (IS_ERR(t))
		panic("boot: the first thread could not be made: %ld", PTR_ERR(t));
	wake_up_process(t);
	if (proc_start_kthreadd())
		panic("boot: kthreadd could not be made");
}
