// SPDX-License-Identifier: MIT
/*
 * Walking kernel stacks by frame records, {next frame pointer, return address}. A record is followed only while it stays on the stack
 * it is on, and only upwards. Trap entry leaves a record inside struct pt_regs, so the walk goes on in what was interrupted; zeros end it.
 *
 * arch_cpu/stacktrace.h gives FRAME_RECORD_BELOW, how far below what the frame pointer says a record lies; regs_link(regs), the return address of
 * a function without a frame; stack_of_switch(sp), the frame pointer of a task that was switched away from with SP; show_cpu_regs(regs); and how code is shown: code_t,
 * the smallest instruction, CODE_FORMAT, CODE_UNKNOWN.
 */
#include <arch/stacktrace.h>
#include <arch/ptrace.h>
#include <arch/uaccess.h>
#include <kernel/printk.h>
#include <sched/task.h>
#include <arch_cpu/stacktrace.h>
#include "arch/shared/kaslr.h"

extern char boot_stack[];

/* [A, a + LEN) lies on a stack that T may be on. */
static bool on_stack(unsigned long a, size_t len, const struct task *t)
{
	unsigned long lo = (unsigned long)t->stack;

	if (lo && a >= lo && a + len <= lo + THREAD_SIZE)
		return true;
	lo = (unsigned long)boot_stack;
	return a >= lo && a + len <= lo + THREAD_SIZE;
}

static void walk(unsigned long fp, const struct task *t, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	for (unsigned int depth = 0; depth < 128; depth++) {
		const unsigned long *rec = (const unsigned long *)(fp - FRAME_RECORD_BELOW);

		if ((fp & 7) || !on_stack((unsigned long)rec, 16, t) || !rec[1] || !fn(arg, rec[1]) || rec[0] <= fp)
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
	if (user_mode(regs) || !fn(arg, regs_ip(regs)))
		return;
	/* A call to nowhere: the caller is in the link register. */
	if (!kernel_text_address(regs_ip(regs)) && kernel_text_address(regs_link(regs)) && !fn(arg, regs_link(regs)))
		return;
	walk(regs_fp(regs), current, fn, arg);
}

void arch_stack_walk_task(struct task *task, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	walk(stack_of_switch(task->thread.sp), task, fn, arg);
}

void arch_show_regs(const struct pt_regs *r)
{
	const int around = 16 / sizeof(code_t);

	show_cpu_regs(r);
	if (kernel_image_slide)
		pr_emerg("Kernel Offset: %#lx from %#lx\n", kernel_image_slide, KERNEL_IMAGE_VA);
	if (user_mode(r))
		return;
	pr_emerg("Code:");
	for (int i = -around; i < around; i++) {
		code_t w;

		if (arch_copy_kernel_nofault(&w, (const void *)(regs_ip(r) + (unsigned long)(i * (int)sizeof(w))), sizeof(w)))
			pr_cont(CODE_UNKNOWN);
		else
			pr_cont("%s" CODE_FORMAT "%s", i ? " " : " (", w, i ? "" : ")");
	}
	pr_cont("\n");
}
