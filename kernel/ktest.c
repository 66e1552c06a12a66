// SPDX-License-Identifier: MIT
/* Runs the in-kernel tests that the image holds. */
#include <lib/types.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/irq.h>
#include <kernel/ktest.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>

extern const struct ktest __ktest_start[], __ktest_end[];

bool ktest_requested(void)
{
	return command_line_get("ktest") != NULL;
}

/*
 * Runs T. What it leaves behind is a failure of its own, and put right: a test that ends inside a section where the CPU
 * may not switch would take the console with it. So is a report.
 */
static void run_one(const struct ktest *t, struct ktest_run *run)
{
	bool tainted = kernel_tainted;
	int count = preempt_count();

	kernel_tainted = false;
	t->fn(run);
	if (irqs_disabled()) {
		local_irq_enable();
		run->failures++;
		pr_err("ktest: %s leaves interrupts off\n", t->name);
	}
	if (preempt_count() != count) {
		run->failures++;
		pr_err("ktest: %s leaves the preempt count at %#x, not %#x\n", t->name, (unsigned int)preempt_count(), (unsigned int)count);
		preempt_count_set(count);
	}
	if (kernel_tainted) {
		run->failures++;
		pr_err("ktest: %s: the kernel has reported something\n", t->name);
	}
	kernel_tainted |= tainted;
}

int ktest_run_all(const char *filter)
{
	int failed = 0, ran = 0, skipped = 0;

	for (const struct ktest *t = __ktest_start; t < __ktest_end; t++) {
		struct ktest_run run = { 0 };

		if (filter && *filter && !strstr(t->name, filter))
			continue;
		run_one(t, &run);
		ran++;
		if (run.failures) {
			failed++;
			pr_err("ktest: %s: FAILED\n", t->name);
		} else if (run.skip) {
			skipped++;
			pr_info("ktest: %s: skipped: %s\n", t->name, run.skip);
		} else {
			pr_info("ktest: %s: ok\n", t->name);
		}
	}
	pr_info("ktest: %d passed, %d failed, %d skipped\n", ran - failed - skipped, failed, skipped);
	return failed;
}
