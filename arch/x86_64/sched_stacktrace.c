// SPDX-License-Identifier: MIT
/*
 * Walking kernel stacks. Code with frame pointers (the debug build, gcc's) is walked along them; code without by the table of stack
 * layouts (unwind.h), which is as exact and costs running code nothing. A frame is followed only while it is on a known stack, and only
 * upwards, but for the way from an IST stack to the one that it interrupted. Entry code calls C with a struct pt_regs on top of the stack,
 * and marks that by bit 0 of rbp. What is read is not tested: a task that runs again goes on while its stack is walked.
 */
#include <arch/stacktrace.h>
#include <arch/ptrace.h>
#include <arch/uaccess.h>
#include <kernel/ksyms.h>
#include <kernel/owner.h>
#include <kernel/printk.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/x86_64/x86_priv.h"
#include "arch/x86_64/unwind.h"

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

/* The interrupted code's registers, if kernel code was interrupted. */
static __no_sanitize_address const struct pt_regs *kernel_regs(unsigned long at, const struct task *t)
{
	const struct pt_regs *regs = (const struct pt_regs *)at;

	return (at & 7) || !stack_end(at, sizeof(*regs), t) || user_mode(regs) || !regs->cs ? NULL : regs;
}

#define DEPTH 128

#ifdef CONFIG_UNWIND_TABLE
extern char __entry_text_begin[], __entry_text_end[];

struct cursor {
	unsigned long ip, sp, fp;
	bool exact;		/* IP is the next instruction, not where a call comes back to */
};

static bool in_entry(unsigned long ip)
{
	return ip >= (unsigned long)__entry_text_begin && ip < (unsigned long)__entry_text_end;
}

/* One frame up. False: the end, or where nobody knows on. */
static bool step(struct cursor *c, const struct task *t)
{
	struct unwind_state s = { .cfa = 8 };
	unsigned long cfa;
	bool assembly;

	/* A call may be a function's last instruction. Assembly is only ever interrupted, and keeps nothing on the stack but on entry. */
	if (c->exact && in_entry(c->ip))
		return false;
	if (!x86_unwind_find(c->ip - !c->exact, &s, &assembly) && !(assembly && c->exact))
		return false;
	cfa = (s.cfa & 1 ? c->fp : c->sp) + (s.cfa & ~1U);
	if ((cfa & 7) || cfa <= c->sp || !stack_end(cfa - 8, 8, t) || stack_end(cfa - 8, 8, t) != stack_end(c->sp, 8, t))
		return false;
	if (s.rbp) {
		if (cfa - s.rbp < c->sp)
			return false;
		c->fp = *(const unsigned long *)(cfa - s.rbp);
	}
	c->ip = *(const unsigned long *)(cfa - 8);
	c->sp = cfa;
	c->exact = false;
	return c->ip;
}

static bool to_regs(struct cursor *c, const struct task *t)
{
	const struct pt_regs *regs = kernel_regs(c->sp, t);

	if (regs)
		*c = (struct cursor){ .ip = regs->rip, .sp = regs->rsp, .fp = regs->rbp, .exact = true };
	return regs;
}

static void walk(struct cursor *c, const struct task *t, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	for (unsigned int depth = 0; depth < DEPTH; depth++) {
		if (!c->exact && in_entry(c->ip)) {
			if (!to_regs(c, t) || !fn(arg, c->ip))
				return;
			continue;
		}
		if (!step(c, t) || !fn(arg, c->ip))
			return;
	}
}

static void walk_here(bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	struct cursor c = { .exact = true };

	/* rbp first: it may be the register that another of them is put into. */
	__asm__ volatile("movq %%rbp, %2\n movq %%rsp, %1\n leaq 0(%%rip), %0" : "=&r"(c.ip), "=&r"(c.sp), "=&r"(c.fp));
	walk(&c, current, fn, arg);
}

static void walk_regs(const struct pt_regs *regs, bool in_stack, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	struct cursor c = { .ip = regs->rip, .sp = regs->rsp, .fp = regs->rbp, .exact = true };

	if (in_stack) {
		c.ip = *(const unsigned long *)regs->rsp;
		c.sp += 8;
		c.exact = false;
	}
	walk(&c, current, fn, arg);
}

static void walk_switched(const unsigned long *frame, const struct task *t, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	struct cursor c = { .ip = frame[6], .sp = (unsigned long)(frame + 7), .fp = frame[5] };

	walk(&c, t, fn, arg);
}
#else
/* push %rbp; mov %rsp, %rbp: a function's first instructions, or behind a way out of it that needs no frame. */
static const u8 make_frame[4] = { 0x55, 0x48, 0x89, 0xe5 };
#define POP_RBP 0x5d
#define RET     0xc3

/* Whether the code at IP has its frame. Assembly never has; what C does before its frame is made keeps nothing on the stack. */
static bool has_frame(unsigned long ip)
{
	unsigned long start, len;
	const u8 *code = (const u8 *)ip;

	if (code[0] == RET || code[-1] == POP_RBP || !ksym_lookup(ip, &start, &len, NULL, 0))
		return false;
	for (const u8 *at = (const u8 *)start; at + sizeof(make_frame) <= code; at++)
		if (!memcmp(at, make_frame, sizeof(make_frame)))
			return true;
	return false;
}

/*
 * Where the interrupted function returns to while it has no frame: rbp is its caller's then, and only the stack knows the place.
 * 0: it has a frame.
 */
static __no_sanitize_address unsigned long return_without_frame(const struct pt_regs *regs, const struct task *t)
{
	unsigned long at = regs->rsp, to;

	if (!is_kernel_text(regs->rip) || !is_kernel_text(regs->rip - 1) || has_frame(regs->rip))
		return 0;
	if (!memcmp((const u8 *)regs->rip, make_frame + 1, sizeof(make_frame) - 1))
		at += 8;
	if ((at & 7) || !stack_end(at, 8, t))
		return 0;
	to = *(const unsigned long *)at;
	return kernel_text_address(to) ? to : 0;
}

static __no_sanitize_address void walk(unsigned long fp, const struct task *t, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	for (unsigned int depth = 0; depth < DEPTH; depth++) {
		unsigned long end, next, from;

		if (fp & 1) {
			const struct pt_regs *regs = kernel_regs(fp - 1, t);
			unsigned long to;

			if (!regs || !fn(arg, regs->rip))
				return;
			to = return_without_frame(regs, t);
			if (to && !fn(arg, to))
				return;
			fp = regs->rbp;
			continue;
		}
		end = fp & 7 ? 0 : stack_end(fp, 16, t);
		if (!end)
			return;
		next = READ_ONCE(((const unsigned long *)fp)[0]);
		from = READ_ONCE(((const unsigned long *)fp)[1]);
		if (!from || !fn(arg, from))
			return;
		if (!(next & 1) && next <= fp && next < end && stack_end(next, 16, t) == end)
			return;
		fp = next;
	}
}

static void walk_here(bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	walk((unsigned long)__builtin_frame_address(0), current, fn, arg);
}

static __no_sanitize_address void walk_regs(const struct pt_regs *regs, bool in_stack, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	unsigned long to = in_stack ? 0 : return_without_frame(regs, current);

	if (!to || fn(arg, to))
		walk(regs->rbp, current, fn, arg);
}

static __no_sanitize_address void walk_switched(const unsigned long *frame, const struct task *t, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	walk(frame[5], t, fn, arg);
}
#endif

void arch_stack_walk(const struct pt_regs *regs, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	bool in_stack;

	if (!regs) {
		walk_here(fn, arg);
		return;
	}
	if (user_mode(regs) || !fn(arg, regs->rip))
		return;
	/* A call to nowhere: the caller is on top of the stack, not in a frame. */
	in_stack = !kernel_text_address(regs->rip) && !owner_is_text(regs->rip) && !(regs->rsp & 7) && stack_end(regs->rsp, 8, current);
	if (in_stack && !fn(arg, *(const unsigned long *)regs->rsp))
		return;
	walk_regs(regs, in_stack, fn, arg);
}

__no_sanitize_address void arch_stack_walk_task(struct task *task, bool (*fn)(void *arg, unsigned long addr), void *arg)
{
	const unsigned long *frame = (const unsigned long *)task->thread.sp;

	/* __switch_stacks left r15 r14 r13 r12 rbx rbp and the return address. */
	if (!stack_end((unsigned long)frame, 7 * 8, task) || !fn(arg, frame[6]))
		return;
	walk_switched(frame, task, fn, arg);
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
