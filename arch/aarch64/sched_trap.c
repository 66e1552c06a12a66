// SPDX-License-Identifier: MIT
/*
 * What the CPU reports: exceptions, interrupts and system calls, after entry.S saved the registers.
 *
 * From user mode everything ends in a64_exit_to_user: interrupts off, one test of the task's work word. From kernel mode a
 * fault on a user address is served only at an instruction that the exception table knows; else the kernel is broken (die).
 */
#include <arch/smp.h>
#include <arch/stacktrace.h>
#include <arch/uaccess.h>
#include <abi/errno.h>
#include <asm/signal.h>
#include <asm-generic/siginfo.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/time_priv.h>
#include "arch/shared/sched_trap.h"
#include "arch/aarch64/a64_priv.h"

static DEFINE_PER_CPU(bool, stepping);		/* MDSCR_EL1.SS is set */

#define PSTATE_SS (1ULL << 21)
#define MDSCR_SS 1UL

/* The debug exception mask stays set in the kernel, so stepping begins at the eret. */
static void prepare_step(struct pt_regs *regs)
{
	bool on = current->thread.single_step;

	if (on)
		regs->pstate |= PSTATE_SS;
	else
		regs->pstate &= ~PSTATE_SS;
	if (on != this_cpu_read(stepping)) {
		u64 v = read_sysreg(mdscr_el1);

		write_sysreg(on ? v | MDSCR_SS : v & ~MDSCR_SS, mdscr_el1);
		this_cpu_write(stepping, on);
	}
}

void a64_exit_to_user(struct pt_regs *regs)
{
	trap_exit_to_user(regs);
	if (unlikely(current->thread.single_step || this_cpu_read(stepping)))
		prepare_step(regs);
}

static void fix_up(struct pt_regs *regs, const struct extable_entry *e)
{
	regs->pc = fixup_target(e);
	if (e->type == EX_EFAULT)
		regs->regs[0] = (u64)-14LL;
}

static void interrupt(struct pt_regs *regs)
{
	struct pt_regs *old = this_cpu_xchg(irq_regs, regs);

	irq_enter();
	a64_gic_handle();
	irq_exit();
	this_cpu_write(irq_regs, old);
}

void a64_user_irq(struct pt_regs *regs)
{
	interrupt(regs);
	a64_exit_to_user(regs);
}

void a64_kernel_irq(struct pt_regs *regs)
{
	interrupt(regs);
	if (regs_irqs_enabled(regs) && should_resched(0))
		preempt_schedule_irq();
}

static void user_signal(struct pt_regs *regs, int sig, int code, unsigned long addr, u64 esr)
{
	current->thread.fault_address = addr;
	current->thread.fault_code = esr;
	trap_to_signal(regs, sig, code, addr);
}

static bool is_write(u64 esr)
{
	unsigned int ec = ESR_EC(esr);

	return (ec == EC_DABORT_USER || ec == EC_DABORT_KERNEL) && (esr & ESR_WNR) && !(esr & ESR_CM);
}

static unsigned int fault_flags(u64 esr)
{
	unsigned int ec = ESR_EC(esr), f = 0;

	if (FSC_TYPE(esr) == FSC_PERMISSION || FSC_TYPE(esr) == FSC_ACCESS)
		f |= FAULT_PRESENT;
	if (is_write(esr))
		f |= FAULT_WRITE;
	if (ec == EC_IABORT_USER || ec == EC_IABORT_KERNEL)
		f |= FAULT_EXEC;
	if (ec == EC_IABORT_USER || ec == EC_DABORT_USER)
		f |= FAULT_USER;
	return f;
}

/* A fault of the tables' contents, as opposed to a bus error or a bad alignment. */
static bool is_page_fault(u64 esr)
{
	return FSC_TYPE(esr) == FSC_TRANSLATION || FSC_TYPE(esr) == FSC_ACCESS || FSC_TYPE(esr) == FSC_PERMISSION;
}

/* 0, or the signal and its code as mm_handle_fault gives them. */
static int page_fault(struct pt_regs *regs, unsigned long addr, u64 esr)
{
	if (FSC_TYPE(esr) != FSC_TRANSLATION && a64_mark_access(addr, is_write(esr), ESR_EC(esr) == EC_IABORT_USER))
		return 0;
	return mm_handle_fault(regs, addr, fault_flags(esr));
}

static void user_abort(struct pt_regs *regs, u64 esr)
{
	unsigned long addr = read_sysreg(far_el1);
	int r;

	arch_irq_enable();
	if ((esr & 0x3f) == FSC_ALIGNMENT)
		r = SIGBUS | BUS_ADRALN << 8;
	else if (!is_page_fault(esr))
		r = SIGBUS | BUS_OBJERR << 8;
	else if (addr >= TASK_SIZE_MAX)
		r = SIGSEGV | SEGV_MAPERR << 8;
	else
		r = page_fault(regs, addr, esr);
	if (likely(!r))
		return;
	user_signal(regs, r & 0xff, r >> 8 & 0xff, addr, esr);
}

static void system_call(struct pt_regs *regs)
{
	regs->syscallno = (s32)regs->regs[8];
	regs->orig_x0 = regs->regs[0];
	regs->regs[0] = (u64)-38LL;
	arch_irq_enable();
	syscall_dispatch(regs);
}

/*
 * A copy or a filling that began on a CPU which counts another way (Arm ARM, FEAT_MOPS: options A and B), or with registers that somebody
 * changed: its registers become those of one that begins with what is left, at its first instruction.
 */
static void again_from_its_first(struct pt_regs *regs, u64 esr)
{
	u64 *dst = &regs->regs[esr >> 10 & 31], *src = &regs->regs[esr >> 5 & 31], *n = &regs->regs[esr & 31];
	bool fill = esr & 1 << 24, from_last = esr & 1 << 18, other = esr & 1 << 17, option_a = esr & 1 << 16;

	if (option_a != other) {	/* what stands there is option A's: below zero forwards, both addresses are the end */
		if ((s64)*n < 0) {
			*dst += *n;
			if (!fill)
				*src += *n;
			*n = -*n;
		}
	} else if (!fill && (regs->pstate & PSR_N_BIT)) {	/* B's, backwards: both are the end of what is left */
		*dst -= *n;
		*src -= *n;
	}
	regs->pc -= from_last ? 8 : 4;
}

/* Of a task that has more than most: see thread.extra. */
static noinline void system_call_extra(struct pt_regs *regs)
{
	a64_sve_begin_call();
	system_call(regs);
	a64_exit_to_user(regs);
	a64_sve_end_call();
}

void a64_user_sync(struct pt_regs *regs, u64 esr)
{
	int sig = SIGILL, code = ILL_ILLOPC, err;
	unsigned long addr = regs->pc;

	switch (ESR_EC(esr)) {
	case EC_SVC64:
		if (unlikely(current->thread.extra)) {
			system_call_extra(regs);
			return;
		}
		system_call(regs);
		a64_exit_to_user(regs);
		return;
	case EC_DABORT_USER:
	case EC_IABORT_USER:
		user_abort(regs, esr);
		a64_exit_to_user(regs);
		return;
	case EC_UNKNOWN:
	case EC_SYSREG:
		arch_irq_enable();
		if (a64_emulate_mrs(regs)) {
			if (current->thread.single_step)
				user_signal(regs, SIGTRAP, TRAP_TRACE, regs->pc, esr);
			a64_exit_to_user(regs);
			return;
		}
		break;
	case EC_SVE:
		arch_irq_enable();
		err = a64_sve_first_use();
		if (err == -ENOMEM)
			sig = SIGKILL, code = SI_KERNEL;
		if (err)
			break;
		a64_exit_to_user(regs);
		return;
	case EC_MOPS:
		again_from_its_first(regs, esr);
		a64_exit_to_user(regs);
		return;
	case EC_PC_ALIGN:
	case EC_SP_ALIGN:
		sig = SIGBUS, code = BUS_ADRALN;
		break;
	case EC_PAC_FAIL:
		code = ILL_ILLOPN;
		break;
	case EC_FP_EXC:
		sig = SIGFPE;
		code = esr & 1 ? FPE_FLTINV : esr & 2 ? FPE_FLTDIV : esr & 4 ? FPE_FLTOVF : esr & 8 ? FPE_FLTUND :
		       esr & 16 ? FPE_FLTRES : 0;
		break;
	case EC_BRK:
		sig = SIGTRAP, code = TRAP_BRKPT;
		break;
	case EC_STEP_USER:
		sig = SIGTRAP, code = TRAP_TRACE;
		break;
	case EC_WATCH_USER:
		addr = read_sysreg(far_el1);
		sig = SIGTRAP, code = TRAP_HWBKPT;
		break;
	case EC_BREAK_USER:
		sig = SIGTRAP, code = TRAP_HWBKPT;
		break;
	}
	arch_irq_enable();
	user_signal(regs, sig, code, addr, esr);
	a64_exit_to_user(regs);
}

/* True when it was served or repaired. */
static bool kernel_abort(struct pt_regs *regs, u64 esr)
{
	unsigned long addr = read_sysreg(far_el1);
	const struct extable_entry *e = find_fixup(regs->pc);

	if (addr < TASK_SIZE_MAX && e && is_page_fault(esr) && regs_irqs_enabled(regs) && current->mm &&
	    !faulthandler_disabled()) {
		int r;

		arch_irq_enable();
		r = page_fault(regs, addr, esr);
		arch_irq_disable();
		if (!r)
			return true;
	} else if (addr < TASK_SIZE_MAX && e && current->mm && is_page_fault(esr) && FSC_TYPE(esr) != FSC_TRANSLATION &&
		   a64_mark_access(addr, is_write(esr), false)) {
		return true;		/* needs nobody's help, so it is done in every context */
	}
	if (!e)
		return false;
	fix_up(regs, e);
	return true;
}

void a64_kernel_sync(struct pt_regs *regs, u64 esr)
{
	unsigned int ec = ESR_EC(esr);
	unsigned long addr = read_sysreg(far_el1);
	bool exec = ec == EC_IABORT_KERNEL;
	const char *what = exec ? "execution" : is_write(esr) ? "write" : "read";

	if (ec == EC_MOPS) {
		again_from_its_first(regs, esr);
		return;
	}
	if (ec != EC_DABORT_KERNEL && ec != EC_IABORT_KERNEL) {
		die(ec == EC_BRK ? "breakpoint" : ec == EC_UNKNOWN ? "undefined instruction" : ec == EC_SP_ALIGN ?
		    "stack pointer alignment" : "unexpected exception", regs, (unsigned long)esr);
		return;
	}
	if (!exec && kernel_abort(regs, esr))
		return;
	if (!exec && trap_explain_shadow(addr))
		;
	else if (addr < PAGE_SIZE)
		pr_emerg("fault: null pointer: kernel %s of %#lx\n", what, addr);
	else
		pr_emerg("fault: kernel %s of %#lx (%s)\n", what, addr,
			 FSC_TYPE(esr) == FSC_PERMISSION ? "not allowed" : "not mapped");
	die("page fault", regs, (unsigned long)esr);
}

DEFINE_PER_CPU(char, overflow_stack[OVERFLOW_STACK_SIZE]) __aligned(16);

/* On a stack of this CPU's. The task may hold anything and has no room to let go of it: this is the end. */
void a64_stack_overflow(struct pt_regs *regs, u64 esr)
{
	preempt_disable();
	pr_emerg("fault: kernel stack overflow; stack pointer %#llx, address %#llx\n", regs->sp, read_sysreg(far_el1));
	die("kernel stack overflow", regs, (unsigned long)esr);
	arch_cpu_halt();
}

/* An asynchronous error belongs to nobody in particular: memory or a device is broken. */
void a64_serror(struct pt_regs *regs, u64 esr)
{
	die("SError", regs, (unsigned long)esr);
	arch_cpu_halt();
}

void a64_bad(struct pt_regs *regs, u64 esr)
{
	if (user_mode(regs)) {		/* FIQ, or AArch32 code */
		arch_irq_enable();
		user_signal(regs, SIGILL, ILL_ILLOPC, regs->pc, esr);
		a64_exit_to_user(regs);
		return;
	}
	die("bad exception vector", regs, (unsigned long)esr);
	arch_cpu_halt();
}
