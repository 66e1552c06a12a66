/* SPDX-License-Identifier: MIT */
/* What the C side of traps does alike on every CPU: the head of a CPU's sched_trap.c. */
#pragma once

#include <arch/entry.h>
#include <arch/irq.h>
#include <arch/irqflags.h>
#include <arch/percpu.h>
#include <arch/ptrace.h>
#include <sched/task.h>

/* The registers that the interrupt being served found; NULL: none is. */
extern struct pt_regs *irq_regs;		/* per-CPU */

/* Instructions that may fault, and where to go on: EXTABLE in <arch_cpu/uaccess.h>. */
struct extable_entry {
	s32 insn, fixup;
	u32 type;
};
extern const struct extable_entry __start_extable[], __stop_extable[];

static inline const struct extable_entry *find_fixup(unsigned long pc)
{
	for (const struct extable_entry *e = __start_extable; e < __stop_extable; e++)
		if ((unsigned long)&e->insn + (unsigned long)(long)e->insn == pc)
			return e;
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
