// SPDX-License-Identifier: MIT
/*
 * What PALcode reports: exceptions, interrupts and system calls, after entry.S saved the registers.
 *
 * From user mode everything ends in alpha_exit_to_user: interrupts off, one test of the task's work word. From kernel mode a
 * fault on a user address is served only at an instruction that the exception table knows; else the kernel is broken (die).
 */
#include <arch/smp.h>
#include <arch/stacktrace.h>
#include <arch/syscall.h>
#include <arch/uaccess.h>
#include <abi/errno.h>
#include <arch_cpu/tlb.h>
#include <asm/gentrap.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/time_priv.h>
#include "arch/shared/young.h"
#include "arch/shared/sched_trap.h"
#include "arch/alpha/alpha_priv.h"

void alpha_exit_to_user(struct pt_regs *regs)
{
	trap_exit_to_user(regs);
}

static void fix_up(struct pt_regs *regs, const struct extable_entry *e)
{
	regs->pc = fixup_target(e);
	if (e->type == EX_EFAULT)
		regs->r[REG_V0] = (u64)-(s64)EFAULT;
}

static void serve(struct pt_regs *regs)
{
	switch (regs->trap[0]) {
	case INT_IPI:
		alpha_ipi_handle();
		break;
	case INT_CLOCK:
		alpha_timer_handle();
		break;
	case INT_DEVICE:
		alpha_device_interrupt(regs->trap[1]);
		break;
	case INT_MACHINE:
		die("machine check", regs, regs->trap[1]);
		break;
	}
}

/* Where $7 and $8 may be a program's yet: what they are goes back into them (entry.S), so the task stays on this CPU. */
static bool in_entry_code(const struct pt_regs *regs)
{
	return regs->pc >= (unsigned long)entry_text_begin && regs->pc < (unsigned long)entry_text_end;
}

/* PALcode raised the level to the interrupt's own: others could come. */
void alpha_interrupt(struct pt_regs *regs)
{
	struct pt_regs *old;

	arch_irq_disable();
	/* Between letting interrupts in and waiting for one: this was the one. */
	if (!user_mode(regs) && regs->pc >= (unsigned long)idle_wait && regs->pc < (unsigned long)idle_wait_end)
		regs->pc = (unsigned long)idle_wait_end;
	old = this_cpu_xchg(irq_regs, regs);
	irq_enter();
	serve(regs);
	irq_exit();
	this_cpu_write(irq_regs, old);
	if (user_mode(regs))
		alpha_exit_to_user(regs);
	else if (regs_irqs_enabled(regs) && should_resched(0) && !in_entry_code(regs))
		preempt_schedule_irq();
}

static bool is_write(const struct pt_regs *regs)
{
	return (s64)regs->trap[2] > 0;
}

static bool is_fetch(const struct pt_regs *regs)
{
	return (s64)regs->trap[2] < 0;
}

static unsigned int fault_flags(const struct pt_regs *regs)
{
	return (regs->trap[1] == MM_NOT_VALID ? 0 : FAULT_PRESENT) | (is_write(regs) ? FAULT_WRITE : 0) | (is_fetch(regs) ? FAULT_EXEC : 0) |
	       (user_mode(regs) ? FAULT_USER : 0);
}

/* 0, or the signal and its code as mm_handle_fault gives them. */
static int page_fault(struct pt_regs *regs)
{
	unsigned long addr = regs->trap[0];
	int r;

	if (regs->trap[1] != MM_NOT_VALID && mark_access(addr, is_write(regs)))
		return 0;
	r = mm_handle_fault(regs, addr, fault_flags(regs));
	if (!r) {
		preempt_disable();
		tlb_flush_local_page(addr);
		preempt_enable();
	}
	return r;
}

static void user_fault(struct pt_regs *regs)
{
	int r = SIGSEGV | SEGV_MAPERR << 8;

	if (regs->trap[0] < TASK_SIZE_MAX)
		r = page_fault(regs);
	if (unlikely(r))
		trap_to_signal(regs, r & 0xff, r >> 8 & 0xff, regs->trap[0]);
}

/* True when it was served or repaired. */
static bool kernel_fault(struct pt_regs *regs)
{
	const struct extable_entry *e = find_fixup(regs->pc);
	unsigned long addr = regs->trap[0];

	if (addr < TASK_SIZE_MAX && e && regs_irqs_enabled(regs) && current->mm && !faulthandler_disabled()) {
		int r;

		arch_irq_enable();
		r = page_fault(regs);
		arch_irq_disable();
		if (!r)
			return true;
	} else if (addr < TASK_SIZE_MAX && e && current->mm && regs->trap[1] != MM_NOT_VALID && mark_access(addr, is_write(regs))) {
		return true;		/* needs nobody's help, so it is done in every context */
	}
	if (!e)
		return false;
	fix_up(regs, e);
	return true;
}

/* Memory management faults keep the interrupted code's level; we want none until we know more. */
void alpha_memory_fault(struct pt_regs *regs)
{
	const char *what = is_fetch(regs) ? "execution" : is_write(regs) ? "write" : "read";

	if (user_mode(regs)) {
		arch_irq_enable();
		user_fault(regs);
		alpha_exit_to_user(regs);
		return;
	}
	arch_irq_disable();
	if (!is_fetch(regs) && kernel_fault(regs))
		return;
	if (regs->trap[0] < PAGE_SIZE)
		pr_emerg("fault: null pointer: kernel %s of %#llx\n", what, regs->trap[0]);
	else
		pr_emerg("fault: kernel %s of %#llx (%s)\n", what, regs->trap[0], regs->trap[1] == MM_NOT_VALID ? "not mapped" : "not allowed");
	die("page fault", regs, regs->trap[1]);
}

void alpha_system_call(struct pt_regs *regs)
{
	regs->syscallno = (s32)regs->r[REG_V0];
	arch_syscall_set_ret(regs, -ENOSYS);
	arch_irq_enable();
	syscall_dispatch(regs);
	alpha_exit_to_user(regs);
}

/* The exception summary: 1 software completion, 2 invalid, 4 division by zero, 8 overflow, 16 underflow, 32 inexact, 64 integer overflow. */
static int fp_code(u64 summary)
{
	return summary & 2 ? FPE_FLTINV : summary & 4 ? FPE_FLTDIV : summary & 8 ? FPE_FLTOVF : summary & 16 ? FPE_FLTUND :
	       summary & 32 ? FPE_FLTRES : summary & 64 ? FPE_INTOVF : FPE_FLTINV;
}

void alpha_arith(struct pt_regs *regs)
{
	if (!user_mode(regs)) {
		die("arithmetic trap", regs, regs->trap[0]);
		return;
	}
	arch_irq_enable();
	trap_to_signal(regs, SIGFPE, fp_code(regs->trap[0]), regs->pc);
	alpha_exit_to_user(regs);
}

/* What a program's compiler found, by the number in $16. */
static int gentrap_code(long why)
{
	switch (why) {
	case GEN_INTOVF: return FPE_INTOVF;
	case GEN_INTDIV: return FPE_INTDIV;
	case GEN_FLTOVF: return FPE_FLTOVF;
	case GEN_FLTDIV: return FPE_FLTDIV;
	case GEN_FLTUND: return FPE_FLTUND;
	case GEN_FLTINV: return FPE_FLTINV;
	case GEN_FLTINE: return FPE_FLTRES;
	case GEN_ROPRAND: return FPE_FLTUNK;
	}
	return 0;
}

static void user_instruction_fault(struct pt_regs *regs)
{
	int code;

	switch (regs->trap[0]) {
	case IF_BREAK:
		regs->pc -= 4;		/* PALcode stands behind it */
		trap_to_signal(regs, SIGTRAP, TRAP_BRKPT, regs->pc);
		break;
	case IF_BUGCHECK:
		trap_to_signal(regs, SIGTRAP, TRAP_UNK, regs->pc);
		break;
	case IF_GENTRAP:
		code = gentrap_code((long)regs->a[0]);
		if (code)
			trap_to_signal(regs, SIGFPE, code, regs->pc);
		else
			trap_to_signal(regs, SIGTRAP, TRAP_UNK, regs->pc);
		break;
	default:		/* floating point is never off */
		trap_to_signal(regs, SIGILL, ILL_ILLOPC, regs->pc);
	}
}

void alpha_instruction_fault(struct pt_regs *regs)
{
	static const char *const what[] = { "breakpoint", "bugcheck", "division by zero", "floating point", "undefined instruction" };
	u64 kind = regs->trap[0];

	if (!user_mode(regs)) {
		die(kind < ARRAY_SIZE(what) ? what[kind] : "instruction fault", regs, kind);
		return;
	}
	arch_irq_enable();
	user_instruction_fault(regs);
	alpha_exit_to_user(regs);
}

/* PALcode stands behind the instruction. Nothing is done for it: of the kernel only copies may meet what a program did not align. */
void alpha_unaligned(struct pt_regs *regs)
{
	const struct extable_entry *e;

	regs->pc -= 4;
	if (user_mode(regs)) {
		arch_irq_enable();
		trap_to_signal(regs, SIGBUS, BUS_ADRALN, regs->trap[0]);
		alpha_exit_to_user(regs);
		return;
	}
	e = find_fixup(regs->pc);
	if (e) {
		fix_up(regs, e);
		return;
	}
	pr_emerg("fault: unaligned kernel access to %#llx\n", regs->trap[0]);
	die("unaligned access", regs, regs->trap[1]);
}
