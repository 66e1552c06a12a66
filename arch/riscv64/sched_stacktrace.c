// SPDX-License-Identifier: MIT
/*
 * Walking kernel stacks by frame records (psABI, 2.3.1): s0 points behind {next s0, return address}. A record is followed only while it
 * stays on the stack it is on, and only upwards. Trap entry leaves a record inside struct pt_regs, so the walk goes on in
 * what was interrupted; zeros end it.
 */
#include <arch/stacktrace.h>
#include <arch/ptrace.h>
#include <arch/uaccess.h>
#include <kernel/printk.h>
#include <sched/task.h>
#include "arch/riscv64/rv_priv.h"

DEFINE_PER_CPU_ALIGNED(char, overflow_stack[OVERFLOW_STACK_SIZE]);

/* The known stack that holds [a, a + len), by its end; 0: none. */
static unsigned long stack_end(unsigned long a, size_t len, const struct task *t)
{
	unsigned long lo = (unsigned long)t->stack;

	if (lo && a >= lo && a + len <= lo + THREAD_SIZE)
		return lo + THREAD_SIZE;
	lo = (unsigned long)boot_stack;
	if (a >= lo && a + len <= lo + THREAD_SIZE)
		return lo + THREAD_SIZE;
	return 0;
}

static void walk(unsigned long fp, const struct task *t, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	for (unsigned int depth = 0; depth < 128; depth++) {
		const unsigned long *rec = (const unsigned long *)fp - 2;

		if ((fp & 7) || !stack_end(fp - 16, 16, t) || !rec[1] || !fn(arg, rec[1]) || rec[0] <= fp)
			return;
		fp = rec[0];
	}
}

void arch_stack_walk(const struct pt_regs *regs, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	if (!regs) {
		walk((unsigned long)__builtin_frame_address(0), current, fn, arg);
		return;
	}
	if (user_mode(regs) || !fn(arg, regs->pc))
		return;
	/* A call to nowhere: the caller is in the link register. */
	if (!kernel_text_address(regs->pc) && kernel_text_address(regs->ra) && !fn(arg, regs->ra))
		return;
	walk(regs->s0, current, fn, arg);
}

void arch_stack_walk_task(struct task *task, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	/* What __switch_stacks left ends with a frame record. */
	walk(task->thread.sp + 112, task, fn, arg);
}

void arch_show_regs(const struct pt_regs *r)
{
	static const char *const names[] = {
		"pc", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3",
		"s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
	};
	const unsigned long *v = &r->pc;

	for (unsigned int i = 0; i < 32; i += 4)
		pr_emerg("%-3s: %016lx %-3s: %016lx %-3s: %016lx %-3s: %016lx\n", names[i], v[i], names[i + 1], v[i + 1], names[i + 2],
			 v[i + 2], names[i + 3], v[i + 3]);
	pr_emerg("status: %016lx cause: %016lx badaddr: %016lx satp: %016lx\n", r->status, r->cause, r->badaddr, csr_read(satp));
	if (kernel_image_slide)
		pr_emerg("Kernel Offset: %#lx from %#lx\n", kernel_image_slide, KERNEL_IMAGE_VA);
	if (user_mode(r))
		return;
	pr_emerg("Code:");
	for (int i = -8; i < 8; i++) {
		u16 w;

		if (arch_copy_kernel_nofault(&w, (const void *)(r->pc + (u64)(s64)(i * 2)), 2))
			pr_cont(" ????");
		else
			pr_cont("%s%04x%s", i ? " " : " (", w, i ? "" : ")");
	}
	pr_cont("\n");
}
