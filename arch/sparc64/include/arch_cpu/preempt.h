/* SPDX-License-Identifier: MIT */
/*
 * The count lives in the running task (arch_thread.preempt), where no migration can come between reading and writing
 * it; the context switch hands it on, so that it behaves as the CPU's. Count and flag are the halves of one word: an
 * interrupt that sets the flag is not overwritten by a step of the count, and both are tested at once.
 */
#pragma once

#include <arch/current.h>
#include <arch_cpu/thread.h>

static __always_inline struct arch_preempt *__preempt(void)
{
	struct task *t;

	__asm__ volatile("mov %%g6, %0" : "=r"(t));
	return (struct arch_preempt *)((char *)t + TASK_PREEMPT_OFFSET);
}

static __always_inline int preempt_count(void) { return (int)__preempt()->count; }
static __always_inline void preempt_count_set(int n) { __preempt()->count = (u32)n; }

static __always_inline void __preempt_count_add(int n)
{
	struct arch_preempt *p = __preempt();

	p->count = p->count + (u32)n;
}

static __always_inline void __preempt_count_sub(int n)
{
	__preempt_count_add(-n);
}

static __always_inline bool should_resched(int offset)
{
	return __preempt()->both == (u64)(u32)offset;
}

static __always_inline bool __preempt_count_dec_and_test(void)
{
	struct arch_preempt *p = __preempt();

	p->count = p->count - 1;
	return p->both == 0;
}

static __always_inline void set_preempt_need_resched(void) { __preempt()->no_resched = 0; }
static __always_inline void clear_preempt_need_resched(void) { __preempt()->no_resched = 1; }
static __always_inline bool test_preempt_need_resched(void) { return !__preempt()->no_resched; }
