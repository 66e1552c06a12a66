// SPDX-License-Identifier: MIT
/* A walk from an interrupt, wherever it comes: the functions that it interrupted, in their order. One of them calls nobody. */
#include <arch/stacktrace.h>
#include <kernel/ksyms.h>
#include <kernel/ktest.h>
#include <kernel/preempt.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <linux/time.h>

static volatile int walked, wrong;
static volatile bool inside;
static struct { int n, spin, outer, unknown; } walk_seen;

static bool note_walked(void *arg, unsigned long addr)
{
	unsigned long start, len;
	char name[32] = "?";

	(void)arg;
	if (!ksym_lookup(addr, &start, &len, name, sizeof(name)))
		walk_seen.unknown++;
	if (!strcmp(name, "walk_spin"))
		walk_seen.spin = walk_seen.n;
	if (!strcmp(name, "walk_outer"))
		walk_seen.outer = walk_seen.n;
	return ++walk_seen.n < 64;
}

static enum hrtimer_restart walk_in_irq(struct hrtimer *t)
{
	if (inside) {
		walk_seen.n = walk_seen.unknown = 0;
		walk_seen.spin = walk_seen.outer = -1;
		arch_stack_walk(NULL, note_walked, NULL);
		walked++;
		if (walk_seen.outer < 0 || (walk_seen.spin >= 0 && walk_seen.spin != walk_seen.outer - 1) || walk_seen.unknown)
			wrong++;
	}
	hrtimer_forward(t, (ktime_t)ktime_get_ns(), 50021);
	return HRTIMER_RESTART;
}

static noinline int walk_spin(int n)
{
	volatile int a[8];

	for (int i = 0; i < 8; i++)
		a[i] = 0;
	for (int i = 0; i < n; i++)
		a[i & 7] += i;
	return a[3];
}

static noinline int walk_outer(void)
{
	int sum = 0;

	inside = true;
	while (walked < 300)
		sum += walk_spin(3);
	inside = false;
	return sum;
}

KTEST(arch_stack_walk_from_interrupts)
{
	static struct hrtimer t;

	walked = wrong = 0;
	hrtimer_init(&t, CLOCK_MONOTONIC, walk_in_irq);
	preempt_disable();
	hrtimer_start(&t, 50021, HRTIMER_MODE_REL);
	walk_outer();
	preempt_enable();
	hrtimer_cancel(&t);
	KT_EQ(wrong, 0);
}
