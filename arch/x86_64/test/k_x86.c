// SPDX-License-Identifier: MIT
/* What only this CPU has: alternatives, and control registers that keep the kernel off user memory, the same on each CPU. */
#include <lib/types.h>
#include <lib/string.h>
#include <arch_cpu/alternative.h>
#include <arch/stacktrace.h>
#include <kernel/cpumask.h>
#include <kernel/irq.h>
#include <kernel/ksyms.h>
#include <kernel/ktest.h>
#include <kernel/preempt.h>
#include <kernel/time.h>
#include <linux/time.h>
#include "arch/x86_64/x86_priv.h"

/* 1: the usual code; 2: what stands for it where the CPU has the feature. The longer choice comes second, and first. */
#define WHICH(feature) ({							\
	u32 __w;								\
	__asm__ volatile(ALTERNATIVE("movl $1, %0", "nop; movl $2, %0; nop", feature) : "=r"(__w)); \
	__w; })
#define WHICH_SHORTER(feature) ({						\
	u32 __w;								\
	__asm__ volatile(ALTERNATIVE("movl $1, %0; nop; nop; nop", "movl $2, %0", feature) : "=r"(__w)); \
	__w; })

KTEST(arch_x86_alternatives)
{
	KT_EQ(WHICH(X86_FEATURE_SMAP), cpu_has(X86_FEATURE_SMAP) ? 2 : 1);
	KT_EQ(WHICH_SHORTER(X86_FEATURE_SMAP), cpu_has(X86_FEATURE_SMAP) ? 2 : 1);
	KT_EQ(WHICH(X86_FEATURE_ERMS), cpu_has(X86_FEATURE_ERMS) ? 2 : 1);
	KT_EQ(WHICH_SHORTER(X86_FEATURE_FSRM), cpu_has(X86_FEATURE_FSRM) ? 2 : 1);
	KT_EQ(WHICH(X86_FEATURE_PCID), cpu_has(X86_FEATURE_PCID) ? 2 : 1);
}

static unsigned long cr4_all;		/* atomic: what is set on each CPU */
static unsigned long cr0_all, efer_all;

static void collect(void *unused)
{
	__atomic_fetch_and(&cr4_all, read_cr4(), __ATOMIC_RELAXED);
	__atomic_fetch_and(&cr0_all, read_cr0(), __ATOMIC_RELAXED);
	__atomic_fetch_and(&efer_all, (unsigned long)rdmsr(MSR_EFER), __ATOMIC_RELAXED);
}

KTEST(arch_x86_protections_are_on)
{
	unsigned long cr0_wp = 1UL << 16;

	cr4_all = cr0_all = efer_all = ~0UL;
	preempt_disable();
	smp_call_function_many(cpu_online_mask, collect, NULL, true);
	collect(NULL);
	preempt_enable();
	KT_EQ(!!(cr4_all & CR4_SMEP), cpu_has(X86_FEATURE_SMEP));
	KT_EQ(!!(cr4_all & CR4_SMAP), cpu_has(X86_FEATURE_SMAP));
	KT_EQ(!!(cr4_all & CR4_UMIP), cpu_has(X86_FEATURE_UMIP));
	KT_EQ(!!(efer_all & EFER_NX), cpu_has(X86_FEATURE_NX));
	KT_ASSERT(cr0_all & cr0_wp);
}

/* From an interrupt, wherever it comes: the functions that it interrupted, in their order. */
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
	volatile int a[8] = { 0 };

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

KTEST(x86_stack_walk_from_interrupts)
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
