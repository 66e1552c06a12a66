// SPDX-License-Identifier: MIT
/*
 * Tasks on the CPU: the switch, the first steps of a new one. The thread pointer is PALcode's "unique" word, which programs write without us. The
 * preemption count belongs to the CPU but lives in the running task (<arch_cpu/preempt.h>): the switch hands it on.
 */
#include <arch/switch.h>
#include <arch/fpu.h>
#include <arch/mmu.h>
#include <arch/ptrace.h>
#include <kernel/preempt.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/alpha/alpha_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

DEFINE_PER_CPU(struct task *, current_task) = &init_task;

static_assert(offsetof(struct task, thread.preempt) == TASK_PREEMPT_OFFSET, "<arch_cpu/thread.h>");

/* The end of a stack, where entry.S finds whose it is. */
static void name_stack(struct task *task)
{
	unsigned long *top = (unsigned long *)(task_pt_regs(task) + 1);

	top[0] = (unsigned long)task;
	top[1] = __my_cpu_offset();
}

struct task *arch_switch_to(struct task *prev, struct task *next)
{
	fpu_switch(prev, next);
	if (prev->thread.fpu)
		prev->thread.unique = pal_call0(PAL_rdunique);
	if (next->thread.fpu)
		pal_call1(PAL_wrunique, next->thread.unique);
	next->thread.preempt.both = prev->thread.preempt.both;
	this_cpu_write(current_task, next);
	name_stack(next);
	return __switch_stacks(prev, &prev->thread.sp, next->thread.sp, next);
}

void arch_set_current(struct task *task)
{
	struct arch_preempt p = current->thread.preempt;

	this_cpu_write(current_task, task);
	task->thread.preempt = p;
	name_stack(task);
	__asm__ volatile("mov %0, $8" : : "r"(task) : "memory");
}

struct pt_regs *task_pt_regs(struct task *task)
{
	return task_stack_regs(task->stack);
}

static struct switch_frame *new_frame(struct task *task)
{
	struct switch_frame *f = (struct switch_frame *)task_pt_regs(task) - 1;

	*f = (struct switch_frame){ .ra = (unsigned long)ret_from_fork };
	task->thread.sp = (unsigned long)f;
	return f;
}

void arch_thread_dup(struct task *task)
{
	task->thread.fpu = NULL;
	task->thread.fpu_cpu = FPU_NO_CPU;
}

void arch_thread_start_kernel(struct task *task, int (*fn)(void *), void *arg)
{
	struct switch_frame *f = new_frame(task);

	memset(task_pt_regs(task), 0, sizeof(struct pt_regs));
	f->s[0] = (unsigned long)fn;
	f->s[1] = (unsigned long)arg;
}

/* The second result tells the two apart as well: 0 in the parent, 1 in the child. */
void arch_thread_fork(struct task *task, const struct pt_regs *regs, unsigned long newsp, bool set_tls, unsigned long tls)
{
	struct pt_regs *child = task_pt_regs(task);

	new_frame(task);
	*child = *regs;
	child->r[REG_V0] = 0;
	child->r[REG_A3] = 0;
	child->r[REG_A4] = 1;
	task_pt_regs(current)->r[REG_A4] = 0;
	if (newsp)
		child->r[REG_SP] = newsp;
	task->thread.unique = set_tls ? tls : pal_call0(PAL_rdunique);
}

int arch_thread_exec(struct pt_regs *regs, unsigned long ip, unsigned long sp)
{
	int err = arch_fpu_exec();

	if (err)
		return err;
	pal_call1(PAL_wrunique, 0);
	regs_init_user(regs, ip, sp);
	return 0;
}

void arch_thread_free(struct task *task)
{
	arch_fpu_free(task);
}

unsigned long arch_thread_ip(struct task *task)
{
	const struct switch_frame *f = (const struct switch_frame *)READ_ONCE(task->thread.sp);
	unsigned long base = (unsigned long)task->stack;

	if ((unsigned long)f < base || (unsigned long)(f + 1) > base + THREAD_SIZE)
		return 0;
	return READ_ONCE(f->ra);
}
