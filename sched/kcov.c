// SPDX-License-Identifier: MIT
/*
 * What the compiler calls at each branch and comparison of the debug build. A task that is traced notes where it was; what interrupts
 * it does not, since that would not come again with the same system call. Not instrumented itself, like everything else of this room.
 *
 * Comparisons are seldom asked for, and there are as many of them as there are branches: a function looks at its beginning whether any task
 * wants them, and calls nothing where none does. Compilers that cannot do that (LLVM before 22) call each time.
 */
#include <lib/types.h>

#ifdef CONFIG_KCOV
#include <kernel/preempt.h>
#include <kernel/section.h>
#include <sched/kcov.h>
#include <sched/kcov_runtime.h>
#include <sched/task.h>
#include <linux/kcov.h>

u64 __sancov_should_track;		/* (atomic) the compiler's name: how many tasks trace comparisons */

void kcov_start(enum kcov_mode mode, u64 *area, unsigned long words, void *owner)
{
	struct kcov_task *k = &current->kcov;

	k->area = area;
	k->words = words;
	k->owner = owner;
	if (mode == KCOV_COMPARISONS)
		__atomic_add_fetch(&__sancov_should_track, 1, __ATOMIC_RELAXED);
	barrier();
	WRITE_ONCE(k->mode, mode);
}

void kcov_stop(void)
{
	struct kcov_task *k = &current->kcov;

	if (k->mode == KCOV_COMPARISONS)
		__atomic_sub_fetch(&__sancov_should_track, 1, __ATOMIC_RELAXED);
	WRITE_ONCE(k->mode, KCOV_OFF);
	barrier();
	k->area = NULL;
	k->words = 0;
	k->owner = NULL;
}

/* Every branch of the kernel comes here. */
void __sanitizer_cov_trace_pc(void)
{
	struct kcov_task *k = &current->kcov;
	u64 *area, n;

	if (section_is_open())
		section_branch(_RET_IP_);
	if (likely(READ_ONCE(k->mode) != KCOV_PCS))
		return;
	area = k->area;
	n = READ_ONCE(area[0]);
	/*
	 * The program writes the count when it likes: it is read each time, and looked at before it is believed. What is not 0 in an interrupt
	 * makes it too large, for one branch instead of two.
	 */
	if ((n | (u64)in_interrupt() << 32) < k->words - 1) {
		WRITE_ONCE(area[0], n + 1);
		barrier();
		area[n + 1] = (u64)_RET_IP_;
	}
}

static noinline void note_comparison(struct kcov_task *k, u64 type, u64 a, u64 b, unsigned long ip)
{
	u64 n, at;

	if (in_interrupt())
		return;
	n = READ_ONCE(k->area[0]);
	at = 1 + n * 4;
	if (n < k->words / 4 && at + 4 <= k->words) {
		WRITE_ONCE(k->area[0], n + 1);
		barrier();
		k->area[at] = type;
		k->area[at + 1] = a;
		k->area[at + 2] = b;
		k->area[at + 3] = (u64)ip;
	}
}

static __always_inline void compared(u64 type, u64 a, u64 b, unsigned long ip)
{
	struct kcov_task *k = &current->kcov;

	if (unlikely(READ_ONCE(k->mode) == KCOV_COMPARISONS))
		note_comparison(k, type, a, b, ip);
}

#define COMPARISON(bytes, log, type)									\
	void __sanitizer_cov_trace_cmp##bytes(type a, type b)						\
	{												\
		compared(KCOV_CMP_SIZE(log), a, b, _RET_IP_);						\
	}												\
	void __sanitizer_cov_trace_const_cmp##bytes(type a, type b)					\
	{												\
		compared(KCOV_CMP_SIZE(log) | KCOV_CMP_CONST, a, b, _RET_IP_);				\
	}
COMPARISON(1, 0, u8)
COMPARISON(2, 1, u16)
COMPARISON(4, 2, u32)
COMPARISON(8, 3, u64)

/* CASES: how many, how wide in bits, then each. */
void __sanitizer_cov_trace_switch(u64 value, u64 *cases)
{
	u64 log = (u64)__builtin_ctzl(cases[1]) - 3;

	if (likely(READ_ONCE(current->kcov.mode) != KCOV_COMPARISONS) || cases[1] < 8 || log > 3)
		return;
	for (u64 i = 0; i < cases[0]; i++)
		compared(KCOV_CMP_SIZE(log) | KCOV_CMP_CONST, cases[i + 2], value, _RET_IP_);
}
#endif
