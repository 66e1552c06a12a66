// SPDX-License-Identifier: MIT
/*
 * Walking kernel stacks by frame records, {next frame pointer, return address}. Functions that call nobody may have none. A record is followed only
 * while it stays on the stack it is on, and only upwards. Trap entry leaves a record at the end of struct pt_regs, marked by bit 0 of its address, so the
 * walk goes on in what was interrupted; zeros end it.
 *
 * arch_cpu/stacktrace.h gives FRAME_RECORD_BELOW, how far below what the frame pointer says a record lies; regs_link(regs), the return address of
 * a function without a frame; stack_of_switch(sp), the frame pointer of a task that was switched away from with SP; show_cpu_regs(regs); and how code is
 * shown: code_t, the smallest instruction, CODE_FORMAT, CODE_UNKNOWN.
 */
#include <arch/stacktrace.h>
#include <arch/ptrace.h>
#include <arch/uaccess.h>
#include <kernel/ksyms.h>
#include <kernel/owner.h>
#include <kernel/printk.h>
#include <sched/task.h>
#include <arch_cpu/stacktrace.h>
#include "arch/shared/kaslr.h"
#include "arch/shared/sched_on_stack.h"

/* Of the frame pointer FP; NULL: nothing that could be one. */
static const unsigned long *record_of(unsigned long fp, const struct task *t)
{
	return (fp & 7) || !on_stack(fp - FRAME_RECORD_BELOW, 16, t) ? NULL : (const unsigned long *)(fp - FRAME_RECORD_BELOW);
}

/*
 * Was interrupted code's caller in the link register alone? It is where a function makes no frame, has not made it yet or has given it up, and
 * after a call to nowhere. Otherwise the register says what the frame does, or where the function itself called last.
 */
static __no_sanitize_address bool link_is_caller(const struct pt_regs *r, const struct task *t)
{
	const unsigned long *rec = record_of(regs_fp(r), t);
	unsigned long link = regs_link(r), start, len;

	/* Nobody knows where a module's functions begin: one that is interrupted without a frame hides its caller, if that is a module's too. */
	if (!kernel_text_address(link) && !(kernel_text_address(regs_ip(r)) && owner_is_text(link)))
		return false;
	if (rec && rec[1] == link)
		return false;
	return !ksym_lookup(regs_ip(r), &start, &len, NULL, 0) || link <= start || link > start + len;
}

static __no_sanitize_address bool tell_interrupted(const struct pt_regs *r, const struct task *t, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	return fn(arg, regs_ip(r)) && (!link_is_caller(r, t) || fn(arg, regs_link(r)));
}

/* Not tested: a task that runs elsewhere goes on while its stack is read. */
static __no_sanitize_address void walk(unsigned long fp, const struct task *t, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	for (unsigned int depth = 0; depth < 128; depth++) {
		const unsigned long *rec = record_of(fp, t);
		const struct pt_regs *r;

		if (!rec || !rec[1])
			return;
		r = (const struct pt_regs *)((unsigned long)rec - offsetof(struct pt_regs, frame));
		if (!(rec[1] & 1) ? !fn(arg, rec[1]) : !on_stack((unsigned long)r, sizeof(*r), t) || !tell_interrupted(r, t, fn, arg))
			return;
		if (rec[0] <= fp)
			return;
		fp = rec[0];
	}
}

void arch_stack_walk(const struct pt_regs *regs, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	if (!regs) {
		walk((unsigned long)__builtin_frame_address(0), current, fn, arg);
		barrier();		/* not as the last thing: the frame must be there still */
	} else if (!user_mode(regs) && tell_interrupted(regs, current, fn, arg)) {
		walk(regs_fp(regs), current, fn, arg);
	}
}

__no_sanitize_address void arch_stack_walk_task(struct task *task, bool (*fn)(void *arg, unsigned long addr), void *arg)
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
