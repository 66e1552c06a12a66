// SPDX-License-Identifier: MIT
/* What only this CPU has: alternatives, and control registers that keep the kernel off user memory, the same on each CPU. */
#include <lib/types.h>
#include <lib/minmax.h>
#include <lib/sha2.h>
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
#include <alloc/slab.h>
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

static void digest_by(size_t step, const u8 *p, size_t n, u8 *out)
{
	struct sha2 s;

	sha2_init(&s, SHA2_256);
	for (size_t at = 0; at < n; at += step)
		sha2_update(&s, p + at, min(step, n - at));
	sha2_final(&s, out);
}

/* A byte at a time is hashed by what every CPU has; whole blocks by the CPU's own instructions, also more than are hashed at once. */
KTEST(arch_x86_sha256)
{
	static const size_t sizes[] = { 63, 64, 65, 128, 191, 8192, 8256, 20000 };
	u8 *p, one[32], all[32];

	if (!cpu_has(X86_FEATURE_SHA))
		KT_SKIP("this CPU has no instructions for it");
	p = kvmalloc(20001, GFP_KERNEL);
	KT_ASSERT(p && sha2_blocks_256);
	for (size_t i = 0; i < 20001; i++)
		p[i] = (u8)(i * i >> 3);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		digest_by(1, p + i % 2, sizes[i], one);
		digest_by(sizes[i], p + i % 2, sizes[i], all);
		KT_ASSERT(!memcmp(one, all, sizeof(one)));
		digest_by(100, p + i % 2, sizes[i], all);
		KT_ASSERT(!memcmp(one, all, sizeof(one)));
	}
	kvfree(p);
}
