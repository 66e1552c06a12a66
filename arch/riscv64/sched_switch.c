// SPDX-License-Identifier: MIT
/*
 * Tasks on the CPU: the switch, the first steps of a new one. The preemption count belongs to the CPU
 * but lives in the running task (<arch_cpu/preempt.h>): the switch hands it on.
 */
#include <arch/switch.h>
#include <arch/fpu.h>
#include <arch/mmu.h>
#include <arch/ptrace.h>
#include <kernel/preempt.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/riscv64/rv_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

DEFINE_PER_CPU(struct task *, current_task) = &init_task;

static_assert(offsetof(struct task, thread.preempt) == TASK_PREEMPT_OFFSET, "<arch_cpu/thread.h>");
static_assert(offsetof(struct task, stack) == 8, "head.S, entry.S");
static_assert(offsetof(struct task, thread.percpu) == 24 && offsetof(struct task, thread.user_regs) == 32 &&
	      offsetof(struct task, thread.scratch) == 40, "entry.S");

static DEFINE_PER_CPU(u32, seen_map_gen);

struct switch_frame {
	unsigned long s1_s11[11], pad, s0, ra;
};
static_assert(sizeof(struct switch_frame) == 112, "entry.S");

struct task *arch_switch_to(struct task *prev, struct task *next)
{
	u32 gen = smp_load_acquire(&rv_map_gen);	/* pairs with arch_map_kernel's release */

	/* NEXT's stack may be newer than what this CPU remembers of its addresses (kernel_pgtable.c). */
	if (this_cpu_read(seen_map_gen) != gen && !rv_has(RV_EXT_SVVPTC)) {
		__this_cpu_write(seen_map_gen, gen);
		__asm__ volatile("sfence.vma" : : : "memory");
	}
	fpu_switch(prev, next);
	if (unlikely(prev->thread.vector || next->thread.vector))
		rv_vector_switch(prev, next);
	next->thread.preempt.both = prev->thread.preempt.both;
	next->thread.percpu = __my_cpu_offset();
	this_cpu_write(current_task, next);
	return __switch_stacks(prev, &prev->thread.sp, next->thread.sp, next);
}

void arch_set_current(struct task *task)
{
	struct arch_preempt p = current->thread.preempt;

	this_cpu_write(current_task, task);
	task->thread.preempt = p;
	task->thread.percpu = __my_cpu_offset();
	__asm__ volatile("mv tp, %0" : : "r"(task) : "memory");
}

struct pt_regs *task_pt_regs(struct task *task)
{
	return task_stack_regs(task->stack);
}

static struct switch_frame *new_frame(struct task *task)
{
	struct switch_frame *f = (struct switch_frame *)task_pt_regs(task) - 1;

	*f = (struct switch_frame){ .ra = (unsigned long)ret_from_fork };
	task->thread.user_regs = (unsigned long)task_pt_regs(task);
	task->thread.sp = (unsigned long)f;
	return f;
}

void arch_thread_dup(struct task *task)
{
	task->thread.fpu = NULL;
	task->thread.fpu_cpu = FPU_NO_CPU;
	task->thread.vector = NULL;
}

void arch_thread_start_kernel(struct task *task, int (*fn)(void *), void *arg)
{
	struct switch_frame *f = new_frame(task);

	memset(task_pt_regs(task), 0, sizeof(struct pt_regs));
	f->s1_s11[0] = (unsigned long)fn;
	f->s1_s11[1] = (unsigned long)arg;
}

void arch_thread_fork(struct task *task, const struct pt_regs *regs, unsigned long newsp, bool set_tls, unsigned long tls)
{
	struct pt_regs *child = task_pt_regs(task);

	new_frame(task);
	*child = *regs;
	child->a0 = 0;
	child->frame[0] = child->frame[1] = 0;
	if (newsp)
		child->sp = newsp;
	if (set_tls)
		child->tp = tls;
}

int arch_thread_exec(struct pt_regs *regs, unsigned long ip, unsigned long sp)
{
	regs_init_user(regs, ip, sp);
	return arch_fpu_exec();		/* writes the state of the unit into REGS */
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
