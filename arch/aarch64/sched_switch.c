// SPDX-License-Identifier: MIT
/*
 * Tasks on the CPU: the switch, the first steps of a new one, the thread pointer. The preemption count belongs to the CPU
 * but lives in the running task (<arch_cpu/preempt.h>): the switch hands it on.
 */
#include <arch/switch.h>
#include <arch/fpu.h>
#include <arch/mmu.h>
#include <arch/ptrace.h>
#include <kernel/preempt.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/aarch64/a64_priv.h"
#include "arch/aarch64/fpu_priv.h"

DEFINE_PER_CPU(struct task *, current_task) = &init_task;

static_assert(offsetof(struct task, thread.preempt) == TASK_PREEMPT_OFFSET, "<arch_cpu/thread.h>");
static_assert(offsetof(struct task, stack) == 8, "head.S");

struct switch_frame {
	unsigned long x29, x30, x19_x28[10];
};

struct task *arch_switch_to(struct task *prev, struct task *next)
{
	prev->thread.tls = read_sysreg(tpidr_el0);
	write_sysreg(next->thread.tls, tpidr_el0);
	if (unlikely(prev->thread.extra | next->thread.extra))
		a64_switch_extra(prev, next);
	else
		a64_fpu_switch(prev, next);
	next->thread.preempt.both = prev->thread.preempt.both;
	this_cpu_write(current_task, next);
	return __switch_stacks(prev, &prev->thread.sp, next->thread.sp, next);
}

void arch_set_current(struct task *task)
{
	struct arch_preempt p = current->thread.preempt;

	this_cpu_write(current_task, task);
	task->thread.preempt = p;
	write_sysreg(task, sp_el0);
}

struct pt_regs *task_pt_regs(struct task *task)
{
	return task_stack_regs(task->stack);
}

static struct switch_frame *new_frame(struct task *task)
{
	struct switch_frame *f = (struct switch_frame *)task_pt_regs(task) - 1;

	*f = (struct switch_frame){ .x30 = (unsigned long)ret_from_fork };
	task->thread.sp = (unsigned long)f;
	return f;
}

void arch_thread_dup(struct task *task)
{
	task->thread.fpu = NULL;
	task->thread.fpu_cpu = FPU_NO_CPU;
	task->thread.single_step = false;
	task->thread.debug = NULL;
	task->thread.extra = 0;
}

void arch_thread_start_kernel(struct task *task, int (*fn)(void *), void *arg)
{
	struct switch_frame *f = new_frame(task);

	memset(task_pt_regs(task), 0, sizeof(struct pt_regs));
	f->x19_x28[0] = (unsigned long)fn;
	f->x19_x28[1] = (unsigned long)arg;
	task->thread.tls = 0;
}

void arch_thread_fork(struct task *task, const struct pt_regs *regs, unsigned long newsp, bool set_tls, unsigned long tls)
{
	struct pt_regs *child = task_pt_regs(task);

	new_frame(task);
	*child = *regs;
	child->regs[0] = 0;
	child->frame[0] = child->frame[1] = 0;
	if (newsp)
		child->sp = newsp;
	task->thread.tls = set_tls ? tls : read_sysreg(tpidr_el0);
}

/* The FPU is fresh already: exec_commit called arch_fpu_exec, and a length of vectors for the next program is taken once. */
int arch_thread_exec(struct pt_regs *regs, unsigned long ip, unsigned long sp)
{
	a64_debug_free(current);
	write_sysreg(0, tpidr_el0);
	regs_init_user(regs, ip, sp);
	return 0;
}

void arch_thread_free(struct task *task)
{
	arch_fpu_free(task);
	a64_debug_free(task);
}

unsigned long arch_thread_ip(struct task *task)
{
	const struct switch_frame *f = (const struct switch_frame *)READ_ONCE(task->thread.sp);
	unsigned long base = (unsigned long)task->stack;

	if ((unsigned long)f < base || (unsigned long)(f + 1) > base + THREAD_SIZE)
		return 0;
	return READ_ONCE(f->x30);
}
