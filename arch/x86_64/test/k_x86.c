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

static const u32 far_away[2] = { 3, 4 };

/* Operands relative to the instruction pointer, first, in the midst and behind one another; and a jump out of the alternative. */
KTEST(arch_x86_alternatives_are_moved)
{
	u32 one = 0, two = 0;

	__asm__ volatile(ALTERNATIVE("", "movl %2, %0; nop; movl 4+%2, %1", X86_FEATURE_ALWAYS)
			 : "+r"(one), "+r"(two) : "m"(far_away[0]));
	KT_EQ(one, 3);
	KT_EQ(two, 4);
	__asm__ volatile(ALTERNATIVE("", "cmpl $4, 4+%1; jne 9f; movl $7, %0; jmp 9f", X86_FEATURE_ALWAYS) "movl $5, %0; 9:\n"
			 : "+r"(one) : "m"(far_away[0]) : "cc");
	KT_EQ(one, 7);
	/* Of the two states of each choice, the one that this CPU does not use; VERW is older than all of them. */
	__asm__ volatile(ALTERNATIVE("movl %1, %0", "movl 4+%1, %0", X86_FEATURE_NEVER) : "=r"(one) : "m"(far_away[0]));
	KT_EQ(one, 3);
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
