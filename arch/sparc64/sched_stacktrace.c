// SPDX-License-Identifier: MIT
/*
 * Walking kernel stacks by register windows: once they are flushed, each frame has its window at its stack pointer plus the bias, with the
 * caller's stack pointer (%i6) and the address of the call (%i7). A frame is followed only on the stacks it may be on, and only upwards. A
 * call from entry.S is a trap: behind its frame lie the registers, and the walk goes on in what was interrupted.
 */
#include <arch/stacktrace.h>
#include <arch/ptrace.h>
#include <arch/uaccess.h>
#include <kernel/lockdep.h>
#include <kernel/printk.h>
#include <sched/task.h>
#include "arch/shared/sched_on_stack.h"
#include "arch/sparc64/sparc_priv.h"

static bool from_entry(unsigned long pc)
{
	return pc >= (unsigned long)entry_text && pc < (unsigned long)entry_text_end;
}

/* From the frame whose stack pointer is SP. */
static void walk(unsigned long sp, const struct task *t, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	for (unsigned int depth = 0; depth < 128; depth++) {
		const struct arch_window *w = (const struct arch_window *)(sp + BIAS);
		unsigned long up, pc;

		if ((sp & 7) != 1 || !on_stack(sp + BIAS, sizeof(*w), t))
			return;
		up = w->in[6];
		pc = w->in[7];
		if (!pc || up <= sp)
			return;
		if (from_entry(pc)) {
			const struct pt_regs *r = (const struct pt_regs *)(up + BIAS + WINDOW_FRAME);

			if (!on_stack((unsigned long)r, sizeof(*r), t) || (r->magic & ~0x1ffU) != PT_REGS_MAGIC || user_mode(r) ||
			    !fn(arg, r->tpc))
				return;
			up = r->u_regs[REG_SP];
		} else if (!fn(arg, pc + 8)) {
			return;
		}
		sp = up;
	}
}

static void flush_windows(void)
{
	__asm__ volatile("flushw" : : : "memory");
}

void arch_stack_walk(const struct pt_regs *regs, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	flush_windows();
	if (!regs) {
		unsigned long sp;

		__asm__ volatile("mov %%i6, %0" : "=r"(sp));
		if (fn(arg, _RET_IP_))
			walk(sp, current, fn, arg);
		return;
	}
	if (user_mode(regs) || !fn(arg, regs->tpc))
		return;
	/* A call to nowhere: the caller is in the link register. */
	if (!kernel_text_address(regs->tpc) && kernel_text_address(regs->u_regs[REG_O7]) && !fn(arg, regs->u_regs[REG_O7] + 8))
		return;
	walk(regs->u_regs[REG_SP], current, fn, arg);
}

void arch_stack_walk_task(struct task *task, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	walk(task->thread.sp - BIAS, task, fn, arg);
}

void arch_show_regs(const struct pt_regs *r)
{
	const struct arch_window *w = (const struct arch_window *)(r->u_regs[REG_SP] + BIAS);

	pr_emerg("pc : %016lx npc: %016lx tstate: %010lx y: %08x trap: %03x\n", r->tpc, r->tnpc, r->tstate, r->y, regs_trap(r));
	for (int i = 0; i < 16; i += 4)
		pr_emerg("%c%d: %016lx %c%d: %016lx %c%d: %016lx %c%d: %016lx\n", i < 8 ? 'g' : 'o', i & 7, r->u_regs[i], i < 8 ? 'g' : 'o',
			 (i & 7) + 1, r->u_regs[i + 1], i < 8 ? 'g' : 'o', (i & 7) + 2, r->u_regs[i + 2], i < 8 ? 'g' : 'o', (i & 7) + 3,
			 r->u_regs[i + 3]);
	if (user_mode(r))
		return;
	flush_windows();
	if ((r->u_regs[REG_SP] & 7) == 1 && on_stack((unsigned long)w, sizeof(*w), current))
		for (int i = 0; i < 16; i += 4)
			pr_emerg("%c%d: %016llx %c%d: %016llx %c%d: %016llx %c%d: %016llx\n", i < 8 ? 'l' : 'i', i & 7, ((const u64 *)w)[i], i < 8 ? 'l' : 'i',
				 (i & 7) + 1, ((const u64 *)w)[i + 1], i < 8 ? 'l' : 'i', (i & 7) + 2, ((const u64 *)w)[i + 2], i < 8 ? 'l' : 'i', (i & 7) + 3,
				 ((const u64 *)w)[i + 3]);
	pr_emerg("Code:");
	for (int i = -4; i < 4; i++) {
		u32 insn;

		if (arch_copy_kernel_nofault(&insn, (const void *)(r->tpc + (unsigned long)(long)(i * 4)), 4))
			pr_cont(" ????????");
		else
			pr_cont("%s%08x%s", i ? " " : " (", insn, i ? "" : ")");
	}
	pr_cont("\n");
}
