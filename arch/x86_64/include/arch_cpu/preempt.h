/* SPDX-License-Identifier: MIT */
#pragma once

DECLARE_PER_CPU(int, __preempt_count);

#define PREEMPT_NEED_RESCHED 0x80000000U	/* inverted: set means no reschedule is wanted */

static __always_inline int preempt_count(void)
{
	return (int)((u32)this_cpu_read(__preempt_count) & ~PREEMPT_NEED_RESCHED);
}

/* Interrupts may set the flag meanwhile: compare and exchange. */
static __always_inline void preempt_count_set(int n)
{
	int old, new;

	do {
		old = this_cpu_read(__preempt_count);
		new = (int)(((u32)old & PREEMPT_NEED_RESCHED) | ((u32)n & ~PREEMPT_NEED_RESCHED));
	} while (this_cpu_cmpxchg(__preempt_count, old, new) != old);
}

static __always_inline void __preempt_count_add(int n)
{
	this_cpu_add(__preempt_count, n);
}

static __always_inline void __preempt_count_sub(int n)
{
	this_cpu_sub(__preempt_count, n);
}

static __always_inline bool __preempt_count_dec_and_test(void)
{
	bool zero;

	__asm__ volatile("decl %%gs:%0" : "+m"(__preempt_count), "=@ccz"(zero));
	return zero;
}

/* The count is exactly OFFSET and a reschedule is wanted. */
static __always_inline bool should_resched(int offset)
{
	return this_cpu_read(__preempt_count) == offset;
}

static __always_inline void set_preempt_need_resched(void)
{
	this_cpu_and(__preempt_count, (int)~PREEMPT_NEED_RESCHED);
}

static __always_inline void clear_preempt_need_resched(void)
{
	this_cpu_or(__preempt_count, (int)PREEMPT_NEED_RESCHED);
}

static __always_inline bool test_preempt_need_resched(void)
{
	return !((u32)this_cpu_read(__preempt_count) & PREEMPT_NEED_RESCHED);
}
