/* SPDX-License-Identifier: MIT */
/* What the C side of traps does alike on every CPU: the head of a CPU's sched_trap.c. */
#pragma once

#include <arch/entry.h>
#include <arch/irq.h>
#include <arch/irqflags.h>
#include <arch/kasan.h>
#include <arch/percpu.h>
#include <arch/page.h>
#include <arch/ptrace.h>
#include <kernel/printk.h>
#include <sched/task.h>

/* The registers that the interrupt being served found; NULL: none is. */
extern struct pt_regs *irq_regs;		/* per-CPU */

/* Instructions that may fault, and where to go on: EXTABLE in <arch_cpu/uaccess.h>. By ascending addresses (tools/sortextable.py). */
struct extable_entry {
	s32 insn, fixup;
	u32 type;
};
extern const struct extable_entry __start_extable[], __stop_extable[];

static inline unsigned long extable_insn(const struct extable_entry *e)
{
	return (unsigned long)&e->insn + (unsigned long)(long)e->insn;
}

static inline const struct extable_entry *find_fixup(unsigned long pc)
{
	const struct extable_entry *first = __start_extable;

	for (size_t n = (size_t)(__stop_extable - __start_extable); n; n >>= 1) {
		const struct extable_entry *e = first + (n >> 1);
		unsigned long at = extable_insn(e);

		if (at == pc)
			return e;
		if (at < pc) {
			first = e + 1;
			n--;
		}
	}
	return NULL;
}

static inline unsigned long fixup_target(const struct extable_entry *e)
{
	return (unsigned long)&e->fixup + (unsigned long)(long)e->fixup;
}

/* User mode is entered next: interrupts off, one test of the task's work word. */
static inline void trap_exit_to_user(struct pt_regs *regs)
{
	unsigned long flags;

	arch_irq_disable();
	flags = READ_ONCE(current->work_flags);
	if (unlikely(flags & TIF_EXIT_WORK_MASK))
		exit_to_user_work(regs, flags);
	lockdep_user_return();
}

/*
 * The sanitizer's test of a pointer that is no address of the kernel's faults before the access itself would: at A, where nothing is. What the
 * pointer was is said; false: A is no such shadow.
 */
static inline bool trap_explain_shadow(unsigned long a)
{
#ifdef CONFIG_KASAN
	unsigned long s = a - KASAN_SHADOW_OFFSET;

	if (a < KASAN_COVERED_START && s < KASAN_COVERED_START >> 3) {
		pr_emerg("fault: %s: kernel access near %#lx\n", s << 3 < PAGE_SIZE ? "null pointer" : "bad pointer", s << 3);
		return true;
	}
#endif
	return false;
}
