// SPDX-License-Identifier: MIT
/*
 * What the CPU reports: exceptions, interrupts and system calls, after entry.S saved the registers.
 *
 * From user mode everything ends in la64_exit_to_user: interrupts off, one test of the task's work word. From kernel mode a
 * fault on a user address is served only at an instruction that the exception table knows; else the kernel is broken (die).
 */
#include <arch/smp.h>
#include <arch/stacktrace.h>
#include <arch/uaccess.h>
#include <asm/sigcontext.h>
#include <asm/signal.h>
#include <asm-generic/siginfo.h>
#include <kernel/bug.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/time_priv.h>
#include <arch_cpu/tlb.h>
#include "arch/shared/young.h"
#include "arch/shared/sched_trap.h"
#include "arch/loongarch64/la64_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

static_assert(offsetof(struct task, work_flags) == 0 && TIF_EXIT_WORK_MASK == 0xffffffffUL, "entry.S looks at them after a system call");

void la64_exit_to_user(struct pt_regs *regs)
{
	trap_exit_to_user(regs);
}

static void fix_up(struct pt_regs *regs, const struct extable_entry *e)
{
	regs->era = fixup_target(e);
	if (e->type == EX_EFAULT)
		regs->regs[REG_A0] = (u64)-14LL;
}

static void interrupt(struct pt_regs *regs)
{
	struct pt_regs *old = this_cpu_xchg(irq_regs, regs);
	u64 pending = csr_read(CSR_ESTAT);

	irq_enter();
	la64_irq_handle(pending);
	irq_exit();
	this_cpu_write(irq_regs, old);
}

void la64_user_irq(struct pt_regs *regs)
{
	interrupt(regs);
	la64_exit_to_user(regs);
}

void la64_kernel_irq(struct pt_regs *regs)
{
	/* Between letting interrupts in and waiting for one: this was the one. */
	if (regs->era >= (unsigned long)idle_wait && regs->era < (unsigned long)idle_wait_end)
		regs->era = (unsigned long)idle_wait_end;
	interrupt(regs);
	if (regs_irqs_enabled(regs) && should_resched(0))
		preempt_schedule_irq();
}

static bool is_page_fault(unsigned int ex)
{
	return ex >= EX_LOAD && ex <= EX_PRIVILEGE;
}

static bool is_write(unsigned int ex)
{
	return ex == EX_STORE || ex == EX_MODIFY;
}

static unsigned int fault_flags(const struct pt_regs *regs, unsigned int ex)
{
	return (ex >= EX_MODIFY ? FAULT_PRESENT : 0) | (is_write(ex) ? FAULT_WRITE : 0) |
	       (ex == EX_FETCH || ex == EX_NO_EXEC ? FAULT_EXEC : 0) | (user_mode(regs) ? FAULT_USER : 0);
}

/* Faults of rights alone are nothing that marking an entry could help. */
static bool may_be_mark(unsigned int ex)
{
	return ex <= EX_MODIFY;
}

/* 0, or the signal and its code as mm_handle_fault gives them. */
static int page_fault(struct pt_regs *regs, unsigned long addr, unsigned int ex)
{
	int r;

	if (may_be_mark(ex) && mark_access(addr, is_write(ex)))
		return 0;
	r = mm_handle_fault(regs, addr, fault_flags(regs, ex));
	/* The TLB holds what it found missing; another CPU's keeps it until it faults there. */
	if (!r) {
		preempt_disable();
		tlb_flush_local_page(addr);
		preempt_enable();
	}
	return r;
}

static void user_signal(struct pt_regs *regs, int sig, int code, unsigned long addr)
{
	unsigned int ex = ESTAT_CODE(regs->estat);

	current->thread.sc_flags = is_page_fault(ex) ? (is_write(ex) ? (u32)SC_ADDRERR_WR : (u32)SC_ADDRERR_RD) : 0;
	trap_to_signal(regs, sig, code, addr);
}

static void user_fault(struct pt_regs *regs, unsigned int ex)
{
	unsigned long addr = regs->badv;
	int r = SIGSEGV | SEGV_MAPERR << 8;

	if (addr < TASK_SIZE_MAX)
		r = page_fault(regs, addr, ex);
	if (unlikely(r))
		user_signal(regs, r & 0xff, r >> 8 & 0xff, addr);
}

static int fp_code(void)
{
	u32 fcsr, cause;

	fpu_sync();
	fcsr = current->thread.fpu ? current->thread.fpu->fcsr : 0;
	cause = fcsr >> 24;
	return cause & 16 ? FPE_FLTINV : cause & 8 ? FPE_FLTDIV : cause & 4 ? FPE_FLTOVF : cause & 2 ? FPE_FLTUND :
	       cause & 1 ? FPE_FLTRES : 0;
}

/* The number in a break instruction says what its compiler found. */
static void user_break(struct pt_regs *regs)
{
	u32 insn = 0;

	if (arch_get_user_4(&insn, UPTR(regs->era)))
		insn = 0;
	switch (insn & 0x7fff) {
	case 6:
		user_signal(regs, SIGFPE, FPE_INTOVF, regs->era);
		break;
	case 7:
		user_signal(regs, SIGFPE, FPE_INTDIV, regs->era);
		break;
	default:
		user_signal(regs, SIGTRAP, TRAP_BRKPT, regs->era);
	}
}

static void user_trap(struct pt_regs *regs, unsigned int ex)
{
	switch (ex) {
	case EX_ADDRESS:
		user_signal(regs, SIGBUS, BUS_ADRERR, regs->badv);
		break;
	case EX_ALIGN:
		user_signal(regs, SIGBUS, BUS_ADRALN, regs->badv);
		break;
	case EX_BOUND:
		user_signal(regs, SIGSEGV, SEGV_BNDERR, regs->badv);
		break;
	case EX_BREAK:
		user_break(regs);
		break;
	case EX_FP:
		user_signal(regs, SIGFPE, fp_code(), regs->era);
		break;
	case EX_WATCH:
		user_signal(regs, SIGTRAP, TRAP_HWBKPT, regs->era);
		break;
	case EX_FP_OFF:
	case EX_LSX_OFF:
	case EX_LASX_OFF:
		if (la64_fpu_widen(ex == EX_FP_OFF ? FPU_64 : ex == EX_LSX_OFF ? FPU_128 : FPU_256))
			break;
		user_signal(regs, SIGILL, ILL_ILLOPC, regs->era);
		break;
	default:
		user_signal(regs, SIGILL, ex == EX_PRIV_INSN ? ILL_PRVOPC : ILL_ILLOPC, regs->era);
	}
}

void la64_user_exception(struct pt_regs *regs)
{
	unsigned int ex = ESTAT_CODE(regs->estat);

	arch_irq_enable();
	if (is_page_fault(ex))
		user_fault(regs, ex);
	else
		user_trap(regs, ex);
	la64_exit_to_user(regs);
}

/* True when it was served or repaired. */
static bool kernel_fault(struct pt_regs *regs, unsigned int ex)
{
	const struct extable_entry *e = find_fixup(regs->era);
	unsigned long addr = regs->badv;

	if (addr < TASK_SIZE_MAX && e && is_page_fault(ex) && regs_irqs_enabled(regs) && current->mm && !faulthandler_disabled()) {
		int r;

		arch_irq_enable();
		r = page_fault(regs, addr, ex);
		arch_irq_disable();
		if (!r)
			return true;
	} else if (addr < TASK_SIZE_MAX && e && current->mm && may_be_mark(ex) && mark_access(addr, is_write(ex))) {
		return true;		/* needs nobody's help, so it is done in every context */
	}
	if (!e)
		return false;
	fix_up(regs, e);
	return true;
}

void la64_kernel_exception(struct pt_regs *regs)
{
	unsigned int ex = ESTAT_CODE(regs->estat);
	const char *what = ex == EX_FETCH || ex == EX_NO_EXEC ? "execution" : is_write(ex) ? "write" : "read";

	if (!is_page_fault(ex) && ex != EX_ADDRESS && ex != EX_ALIGN) {
		die(ex == EX_BREAK ? "breakpoint" : ex == EX_NO_INSN ? "undefined instruction" : "unexpected exception", regs,
		    (unsigned long)regs->estat);
		return;
	}
	if (ex != EX_FETCH && ex != EX_NO_EXEC && kernel_fault(regs, ex))
		return;
	if (regs->badv < PAGE_SIZE)
		pr_emerg("fault: null pointer: kernel %s of %#llx\n", what, regs->badv);
	else
		pr_emerg("fault: kernel %s of %#llx (%s)\n", what, regs->badv, ex >= EX_MODIFY ? "not allowed" : "not mapped");
	die("page fault", regs, (unsigned long)regs->estat);
}

/* On the CPU's spare stack; what the task's held cannot go on. */
void la64_stack_overflow(struct pt_regs *regs)
{
	preempt_disable();
	pr_emerg("fault: kernel stack overflow; stack pointer %#llx, address %#llx\n", regs->regs[3], regs->badv);
	die("kernel stack overflow", regs, (unsigned long)regs->estat);
	arch_cpu_halt();
}

/* On the CPU's spare stack, with what the CPU tells of the place. */
void __noreturn la64_machine_error(void)
{
	panic("machine error: the CPU reports %#llx %#llx at %#llx", csr_read(CSR_MERRINFO1), csr_read(CSR_MERRINFO2), csr_read(CSR_MERRERA));
}
