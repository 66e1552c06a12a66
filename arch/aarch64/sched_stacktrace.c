// SPDX-License-Identifier: MIT
/*
 * Walking kernel stacks by frame records (AAPCS64, 6.4.6): {next x29, return address}. A record is followed only while it stays
 * on the stack it is on, and only upwards. Trap entry leaves a record inside struct pt_regs, so the walk goes on in
 * what was interrupted; zeros end it.
 */
#include <arch/stacktrace.h>
#include <arch/ptrace.h>
#include <arch/uaccess.h>
#include <kernel/printk.h>
#include <sched/task.h>
#include "arch/aarch64/a64_priv.h"

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
		const unsigned long *rec = (const unsigned long *)fp;

		if ((fp & 7) || !stack_end(fp, 16, t) || !rec[1] || !fn(arg, rec[1]) || rec[0] <= fp)
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
	if (!kernel_text_address(regs->pc) && kernel_text_address(regs->regs[30]) && !fn(arg, regs->regs[30]))
		return;
	walk(regs->regs[29], current, fn, arg);
}

void arch_stack_walk_task(struct task *task, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	/* __switch_stacks left x29 and x30 as a frame record. */
	walk(task->thread.sp, task, fn, arg);
}

void arch_show_regs(const struct pt_regs *r)
{
	pr_emerg("pc : %016llx lr : %016llx sp : %016llx pstate: %08llx\n", r->pc, r->regs[30], r->sp, r->pstate);
	for (int i = 29; i >= 0; i -= 3)
		pr_emerg("x%-2d: %016llx x%-2d: %016llx x%-2d: %016llx\n", i, r->regs[i], i - 1, r->regs[i - 1], i - 2,
			 r->regs[i - 2]);
	pr_emerg("ESR: %08llx FAR: %016llx TTBR0: %016llx\n", read_sysreg(esr_el1), read_sysreg(far_el1), read_sysreg(ttbr0_el1));
	if (kernel_image_slide)
		pr_emerg("Kernel Offset: %#lx from %#lx\n", kernel_image_slide, KERNEL_IMAGE_VA);
	if (user_mode(r))
		return;
	pr_emerg("Code:");
	for (int i = -4; i < 4; i++) {
		u32 w;

		if (arch_copy_kernel_nofault(&w, (const void *)(r->pc + (u64)(s64)(i * 4)), 4))
			pr_cont(" ????????");
		else
			pr_cont("%s%08x%s", i ? " " : " (", w, i ? "" : ")");
	}
	pr_cont("\n");
}
