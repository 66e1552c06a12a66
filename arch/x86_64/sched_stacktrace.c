// SPDX-License-Identifier: MIT
/*
 * Walking kernel stacks by frame pointers. A frame pointer is followed only while it stays on the stack it is on (or moves to
 * the interrupted task's stack from an IST stack), and only upwards. Bit 0 set: a struct pt_regs lies there (entry.S).
 */
#include <arch/stacktrace.h>
#include <arch/ptrace.h>
#include <arch/uaccess.h>
#include <kernel/printk.h>
#include <sched/task.h>
#include "arch/x86_64/x86_priv.h"

/* The known stack that holds [a, a + len), by its end; 0: none. */
static unsigned long stack_end(unsigned long a, size_t len, const struct task *t)
{
	unsigned long lo = (unsigned long)t->stack;

	if (lo && a >= lo && a + len <= lo + THREAD_SIZE)
		return lo + THREAD_SIZE;
	lo = (unsigned long)boot_stack;
	if (a >= lo && a + len <= lo + THREAD_SIZE)
		return lo + THREAD_SIZE;
	lo = IST_AREA(0);
	if (a >= lo && a + len <= IST_AREA(machine.nr_cpus)) {
		unsigned long in = (a - lo) % IST_STRIDE;

		if (in >= PAGE_SIZE && in + len <= IST_STRIDE)
			return a - in + IST_STRIDE;
	}
	return 0;
}

static void walk(unsigned long fp, const struct task *t, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	for (unsigned int depth = 0; depth < 128; depth++) {
		unsigned long end, next;

		if (fp & 1) {
			const struct pt_regs *regs = (const struct pt_regs *)(fp - 1);

			if ((fp & 7) != 1 || !stack_end(fp - 1, sizeof(*regs), t) || user_mode(regs) || !regs->cs)
				return;
			if (!fn(arg, regs->rip))
				return;
			fp = regs->rbp;
			continue;
		}
		end = fp & 7 ? 0 : stack_end(fp, 16, t);
		if (!end)
			return;
		next = ((const unsigned long *)fp)[0];
		if (!((const unsigned long *)fp)[1] || !fn(arg, ((const unsigned long *)fp)[1]))
			return;
		if (!(next & 1) && next <= fp && next < end && stack_end(next, 16, t) == end)
			return;
		fp = next;
	}
}

void arch_stack_walk(const struct pt_regs *regs, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	if (!regs) {
		walk((unsigned long)__builtin_frame_address(0), current, fn, arg);
		return;
	}
	if (user_mode(regs) || !fn(arg, regs->rip))
		return;
	/* A call to nowhere: the caller is on top of the stack, not in a frame. */
	if (!kernel_text_address(regs->rip) && !(regs->rsp & 7) && stack_end(regs->rsp, 8, current) &&
	    !fn(arg, *(const unsigned long *)regs->rsp))
		return;
	walk(regs->rbp, current, fn, arg);
}

void arch_stack_walk_task(struct task *task, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	const unsigned long *frame = (const unsigned long *)task->thread.sp;

	/* __switch_stacks left r15 r14 r13 r12 rbx rbp and the return address. */
	if (!stack_end((unsigned long)frame, 7 * 8, task) || !fn(arg, frame[6]))
		return;
	walk(frame[5], task, fn, arg);
}

void arch_show_regs(const struct pt_regs *r)
{
	pr_emerg("RIP: %04lx:%016lx RSP: %04lx:%016lx EFLAGS: %08lx\n", r->cs, r->rip, r->ss, r->rsp, r->eflags);
	pr_emerg("RAX: %016lx RBX: %016lx RCX: %016lx\n", r->rax, r->rbx, r->rcx);
	pr_emerg("RDX: %016lx RSI: %016lx RDI: %016lx\n", r->rdx, r->rsi, r->rdi);
	pr_emerg("RBP: %016lx R08: %016lx R09: %016lx\n", r->rbp, r->r8, r->r9);
	pr_emerg("R10: %016lx R11: %016lx R12: %016lx\n", r->r10, r->r11, r->r12);
	pr_emerg("R13: %016lx R14: %016lx R15: %016lx\n", r->r13, r->r14, r->r15);
	pr_emerg("CR0: %016lx CR2: %016lx CR3: %016lx CR4: %08lx\n", read_cr0(), read_cr2(), read_cr3(), read_cr4());
	if (kernel_image_slide)
		pr_emerg("Kernel Offset: %#lx from %#lx\n", kernel_image_slide, KERNEL_IMAGE_VA);
	if (user_mode(r))
		return;
	pr_emerg("Code:");
	for (int i = -16; i < 24; i++) {
		u8 b;

		if (arch_copy_kernel_nofault(&b, (const void *)(r->rip + (unsigned long)(long)i), 1))
			pr_cont(" ??");
		else
			pr_cont("%s%02x%s", i ? " " : " <", b, i ? "" : ">");
	}
	pr_cont("\n");
}
