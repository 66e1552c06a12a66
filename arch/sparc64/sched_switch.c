// SPDX-License-Identifier: MIT
/*
 * Tasks on the CPU: the switch, the first steps of a new one. The preemption count belongs to the CPU but lives in the running task
 * (<arch_cpu/preempt.h>): the switch hands it on.
 */
#include <arch/switch.h>
#include <arch/fpu.h>
#include <arch/mmu.h>
#include <arch/ptrace.h>
#include <arch/syscall.h>
#include <arch/uaccess.h>
#include <kernel/preempt.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/sparc64/sparc_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

DEFINE_PER_CPU(struct task *, current_task) = &init_task;

static_assert(offsetof(struct task, thread.preempt) == TASK_PREEMPT_OFFSET, "<arch_cpu/thread.h>");
static_assert(offsetof(struct task, stack) == TASK_STACK && offsetof(struct task, thread.sp) == TASK_SP &&
	      offsetof(struct task, thread.next_spilled) == TASK_SPILLED && offsetof(struct task, thread.window) == TASK_WINDOW, "asm_priv.h");
static_assert(offsetof(struct trap_block, window) == TB_WINDOW && offsetof(struct trap_block, stack) == TB_STACK, "asm_priv.h");
static_assert(STACK_BIAS == BIAS && STACK_FRAME == WINDOW_FRAME && sizeof(struct trap_frame) == R_SIZE, "asm_priv.h");

/* What a function keeps where its stack pointer plus the bias says. */
struct kernel_frame {
	struct arch_window w;
	u64 args[6];
};
static_assert(sizeof(struct kernel_frame) == WINDOW_FRAME, "asm_priv.h");

struct task *arch_switch_to(struct task *prev, struct task *next)
{
	fpu_switch(prev, next);
	next->thread.preempt.both = prev->thread.preempt.both;
	this_cpu_write(current_task, next);
	return __switch_stacks(prev, next);
}

static unsigned long first_frame(struct task *task)
{
	return (unsigned long)task_pt_regs(task) - WINDOW_FRAME - BIAS;
}

void arch_set_current(struct task *task)
{
	struct arch_preempt p = current->thread.preempt;
	unsigned long flags = arch_irq_save();

	this_cpu_write(current_task, task);
	task->thread.preempt = p;
	trap_block.task = task;
	trap_block.next_spilled = task->thread.spilled;
	trap_block.window = &task->thread.window;
	trap_block.stack = first_frame(task);
	__asm__ volatile("mov %0, %%g6" : : "r"(task) : "memory");
	arch_irq_restore(flags);
}

struct pt_regs *task_pt_regs(struct task *task)
{
	return task_stack_regs(task->stack);
}

/* The frame of ret_from_fork below the user registers, and the one that the switch comes back from. */
static struct kernel_frame *new_frames(struct task *task)
{
	struct kernel_frame *first = (struct kernel_frame *)task_pt_regs(task) - 1, *f = first - 1;

	*first = (struct kernel_frame){ 0 };
	*f = (struct kernel_frame){ .w.in[6] = first_frame(task), .w.in[7] = (unsigned long)ret_from_fork - 8 };
	task->thread.sp = (unsigned long)f;
	task->thread.next_spilled = task->thread.spilled;
	return first;
}

void arch_thread_dup(struct task *task)
{
	task->thread.fpu = NULL;
	task->thread.fpu_cpu = FPU_NO_CPU;
	task->thread.next_spilled = task->thread.spilled;
}

void arch_thread_start_kernel(struct task *task, int (*fn)(void *), void *arg)
{
	struct kernel_frame *f = new_frames(task);

	memset(task_pt_regs(task), 0, sizeof(struct trap_frame));
	f->w.local[0] = (unsigned long)fn;
	f->w.local[1] = (unsigned long)arg;
}

/*
 * The caller's innermost frame goes to the new stack, which ends at TOP: a thread's first steps use it. The new stack pointer; 0: it
 * cannot be had, the child will not get far.
 */
static u64 copy_user_frame(u64 from, u64 top)
{
	struct arch_window w;
	u64 at = from + STACK_BIAS, size, to;
	u8 piece[256];

	top = (top + STACK_BIAS) & ~15ULL;
	if (arch_copy_from_user(&w, UPTR(at), sizeof(w)))
		return 0;
	size = w.in[6] - from;
	if (!w.in[6] || size > 65536)		/* bytes; not a page */
		size = WINDOW_FRAME;
	to = top - size;
	w.in[6] = top - STACK_BIAS;
	for (u64 done = 0; done < size; done += sizeof(piece)) {
		size_t n = size - done < sizeof(piece) ? size - done : sizeof(piece);

		if (arch_copy_from_user(piece, UPTR(at + done), n) || arch_copy_to_user(UPTR(to + done), piece, n))
			return 0;
	}
	return arch_copy_to_user(UPTR(to), &w, sizeof(w)) ? 0 : to - STACK_BIAS;
}

/* Two results: the other's number and, in the second, whether this is the child (fork(2) of this ABI). */
void arch_thread_fork(struct task *task, const struct pt_regs *regs, unsigned long newsp, bool set_tls, unsigned long tls)
{
	struct trap_frame *child = regs_frame(task_pt_regs(task));

	new_frames(task);
	*child = *regs_frame(regs);
	arch_syscall_set_ret2(task_pt_regs(current), 0);
	child->regs.u_regs[REG_O0] = (unsigned long)current->pid;
	arch_syscall_set_ret2(&child->regs, 1);
	child->regs.tstate &= ~REGS_TSTATE_CARRY;
	if (newsp && newsp != regs->u_regs[REG_SP])
		child->regs.u_regs[REG_SP] = copy_user_frame(regs->u_regs[REG_SP], newsp);
	if (set_tls)
		child->regs.u_regs[REG_G7] = tls;
}

int arch_thread_exec(struct pt_regs *regs, unsigned long ip, unsigned long sp)
{
	int err = arch_fpu_exec();

	if (err)
		return err;
	sparc_forget_windows();
	regs_init_user(regs, ip, sp);
	return 0;
}

void arch_thread_free(struct task *task)
{
	arch_fpu_free(task);
}

unsigned long arch_thread_ip(struct task *task)
{
	unsigned long f = READ_ONCE(task->thread.sp), base = (unsigned long)task->stack;

	if (f < base || f + sizeof(struct kernel_frame) > base + THREAD_SIZE)
		return 0;
	return READ_ONCE(((const struct kernel_frame *)f)->w.in[7]);
}
