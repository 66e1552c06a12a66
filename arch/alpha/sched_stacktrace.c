// SPDX-License-Identifier: MIT
/*
 * Walking kernel stacks. Each function keeps its frame's address in $15, and its prologue says where in the frame it stored its return address and
 * the caller's $15: the walk reads the instructions of the function that a return address lies in, up to the first branch. In
 * entry.S $15 points to the registers of what was interrupted. A frame is followed only while it stays on the stack it is on, and only upwards.
 */
#include <arch/stacktrace.h>
#include <arch/ptrace.h>
#include <arch/uaccess.h>
#include <kernel/ksyms.h>
#include <kernel/printk.h>
#include <sched/task.h>
#include "arch/alpha/alpha_priv.h"

#define STQ_RA 0xb75e0000U	/* stq $26, disp($30) */
#define STQ_FP 0xb5fe0000U	/* stq $15, disp($30) */
#define MOV_SP_FP 0x47fe040fU	/* bis $31, $30, $15 */
#define OP_CALL_PAL 0U
#define OP_JUMP 0x1aU
#define OP_BRANCHES 0x30U
#define PROLOGUE_MAX 96

struct place {
	unsigned long pc, fp;
	bool exact;		/* PC is where it was interrupted, not behind a call */
};

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

struct prologue {
	int ra, fp;		/* offsets in the frame; -1: not stored yet */
	bool framed;		/* $15 is this frame's */
};

static bool read_prologue(unsigned long pc, struct prologue *p)
{
	unsigned long start, len;
	char name[2];

	*p = (struct prologue){ -1, -1, false };
	if (!ksym_lookup(pc, &start, &len, name, sizeof(name)))
		return false;
	for (unsigned int i = 0; i < PROLOGUE_MAX && start + 4 * i < pc; i++) {
		u32 w;

		if (arch_copy_kernel_nofault(&w, (const void *)(start + 4 * i), 4))
			return false;
		if ((w & 0xffff8000) == STQ_RA)
			p->ra = (int)(w & 0x7fff);
		else if ((w & 0xffff8000) == STQ_FP)
			p->fp = (int)(w & 0x7fff);
		else if (w == MOV_SP_FP)
			p->framed = true;
		else if (w >> 26 >= OP_BRANCHES || w >> 26 == OP_JUMP || w >> 26 == OP_CALL_PAL)
			break;
	}
	return true;
}

/* From a function to its caller. */
static bool step(struct place *p, const struct task *t)
{
	struct prologue f;
	unsigned long fp;

	if (!kernel_text_address(p->pc) || !read_prologue(p->pc - (p->exact ? 0 : 4), &f) || !f.framed || f.fp < 0 || f.ra < 0)
		return false;
	if ((p->fp & 7) || !stack_end(p->fp, (size_t)(f.fp > f.ra ? f.fp : f.ra) + 8, t))
		return false;
	fp = *(const unsigned long *)(p->fp + (unsigned int)f.fp);
	p->pc = *(const unsigned long *)(p->fp + (unsigned int)f.ra);
	if (fp && fp <= p->fp)
		return false;
	p->fp = fp;
	p->exact = false;
	return true;
}

static bool in_entry(unsigned long pc)
{
	return pc >= (unsigned long)entry_text_begin && pc < (unsigned long)entry_text_end;
}

typedef bool (*walk_fn)(void *arg, unsigned long addr);

static void walk_regs(const struct pt_regs *regs, const struct task *t, walk_fn fn, void *arg, unsigned int depth);

static void walk(struct place p, const struct task *t, walk_fn fn, void *arg, unsigned int depth)
{
	for (; depth < 128; depth++) {
		if (in_entry(p.pc) && !p.exact) {
			const struct pt_regs *r = (const struct pt_regs *)p.fp;

			if (!(p.fp & 7) && stack_end(p.fp, sizeof(*r), t) && !user_mode(r) && r->pc)
				walk_regs(r, t, fn, arg, depth + 1);
			return;
		}
		if (!step(&p, t) || !p.pc || !fn(arg, p.pc))
			return;
	}
}

/* Interrupted anywhere: before its frame was made the caller's is still there, and the way back still in a register. */
static void walk_regs(const struct pt_regs *regs, const struct task *t, walk_fn fn, void *arg, unsigned int depth)
{
	struct place p = { regs->pc, regs->r[REG_FP], true };
	struct prologue f;

	if (!fn(arg, regs->pc))
		return;
	if (!kernel_text_address(regs->pc) || !read_prologue(regs->pc, &f) || !f.framed || f.ra < 0) {
		/* Of a call to nowhere too. */
		p.pc = regs->r[REG_RA];
		p.exact = false;
		if (f.framed)
			p.fp = f.fp >= 0 && stack_end(p.fp + (unsigned int)f.fp, 8, t) ? *(const unsigned long *)(p.fp + (unsigned int)f.fp) : 0;
		if (!kernel_text_address(p.pc) || !fn(arg, p.pc))
			return;
	}
	walk(p, t, fn, arg, depth);
}

void arch_stack_walk(const struct pt_regs *regs, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	struct place here = { 0, (unsigned long)__builtin_frame_address(0), false };

	if (!regs) {
		__asm__ volatile("br %0, 1f\n1:" : "=r"(here.pc));
		walk(here, current, fn, arg, 0);
	} else if (!user_mode(regs)) {
		walk_regs(regs, current, fn, arg, 0);
	}
}

void arch_stack_walk_task(struct task *task, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	const struct switch_frame *f = (const struct switch_frame *)READ_ONCE(task->thread.sp);
	struct place p = { 0 };

	if (!stack_end((unsigned long)f, sizeof(*f), task))
		return;
	p.pc = f->ra;
	p.fp = f->s[6];
	if (fn(arg, p.pc) && !in_entry(p.pc))
		walk(p, task, fn, arg, 0);
}

void arch_show_regs(const struct pt_regs *r)
{
	static const char *const names[] = {
		"v0", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "s0", "s1", "s2", "s3", "s4", "s5", "fp",
		"a0", "a1", "a2", "a3", "a4", "a5", "t8", "t9", "t10", "t11", "ra", "t12", "at", "gp", "sp", "zero",
	};
	struct pt_regs copy = *r;

	pr_emerg("pc : %016llx ra : %016llx sp : %016llx ps : %llx\n", r->pc, r->r[REG_RA], r->r[REG_SP], r->ps);
	for (unsigned int i = 0; i < 32; i += 4)
		pr_emerg("%-4s: %016llx %-4s: %016llx %-4s: %016llx %-4s: %016llx\n", names[i], *regs_general(&copy, i), names[i + 1],
			 *regs_general(&copy, i + 1), names[i + 2], *regs_general(&copy, i + 2), names[i + 3], *regs_general(&copy, i + 3));
	pr_emerg("trap: %016llx %llx %lld\n", r->trap[0], r->trap[1], (s64)r->trap[2]);
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
