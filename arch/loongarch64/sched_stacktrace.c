// SPDX-License-Identifier: MIT
/*
 * Walking kernel stacks by frame pointers: $fp is the caller's stack pointer, below it lie the return address and the caller's
 * $fp. A frame is followed only while it stays on the stack it is on, and only upwards. Trap entry leaves a record at the end of struct
 * pt_regs, so the walk goes on in what was interrupted; zeros end it.
 */
#include <arch/stacktrace.h>
#include <arch/ptrace.h>
#include <arch/uaccess.h>
#include <kernel/printk.h>
#include <sched/task.h>
#include "arch/loongarch64/la64_priv.h"

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
	if (user_mode(regs) || !fn(arg, regs->era))
		return;
	/* A call to nowhere: the caller is in the link register. */
	if (!kernel_text_address(regs->era) && kernel_text_address(regs->regs[REG_RA]) && !fn(arg, regs->regs[REG_RA]))
		return;
	walk(regs->regs[REG_FP], current, fn, arg);
}

void arch_stack_walk_task(struct task *task, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	walk(task->thread.sp + sizeof(struct switch_frame), task, fn, arg);	/* which ends in such a record */
}

void arch_show_regs(const struct pt_regs *r)
{
	static const char *const names[] = {
		"zero", "ra", "tp", "sp", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3",
		"t4", "t5", "t6", "t7", "t8", "u0", "fp", "s9", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7",
	};

	pr_emerg("pc : %016llx ra : %016llx sp : %016llx prmd: %llx\n", r->era, r->regs[REG_RA], r->regs[REG_SP], r->prmd);
	for (int i = 0; i < 32; i += 4)
		pr_emerg("%-4s: %016llx %-3s: %016llx %-3s: %016llx %-3s: %016llx\n", names[i], r->regs[i], names[i + 1], r->regs[i + 1],
			 names[i + 2], r->regs[i + 2], names[i + 3], r->regs[i + 3]);
	pr_emerg("ESTAT: %08llx BADV: %016llx PGDL: %016llx ASID: %llx\n", r->estat, r->badv, csr_read(CSR_PGDL), csr_read(CSR_ASID) & 0x3ff);
	if (kernel_image_slide)
		pr_emerg("Kernel Offset: %#lx from %#lx\n", kernel_image_slide, KERNEL_IMAGE_VA);
	if (user_mode(r))
		return;
	pr_emerg("Code:");
	for (int i = -4; i < 4; i++) {
		u32 w;

		if (arch_copy_kernel_nofault(&w, (const void *)(r->era + (u64)(s64)(i * 4)), 4))
			pr_cont(" ????????");
		else
			pr_cont("%s%08x%s", i ? " " : " (", w, i ? "" : ")");
	}
	pr_cont("\n");
}
