// SPDX-License-Identifier: MIT
/* Runs the in-kernel tests that the image holds. */
#include <lib/types.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/ktest.h>
#include <kernel/printk.h>

extern const struct ktest __ktest_start[], __ktest_end[];

bool ktest_requested(void)
{
	return command_line_get("ktest") != NULL;
}

int ktest_run_all(const char *filter)
{
	int failed = 0, ran = 0, skipped = 0;

	for (const struct ktest *t = __ktest_start; t < __ktest_end; t++) {
		struct ktest_run run = { 0 };

		if (filter && *filter && !strstr(t->name, filter))
			continue;
		t->fn(&run);
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
