// SPDX-License-Identifier: MIT
/*
 * What the CPU reports: exceptions, interrupts and system calls, after entry.S saved the registers.
 *
 * From user mode everything ends in rv_exit_to_user: interrupts off, one test of the task's work word. From kernel mode a
 * fault on a user address is served only at an instruction that the exception table knows; else the kernel is broken (die).
 */
#include <arch/smp.h>
#include <arch/stacktrace.h>
#include <arch/uaccess.h>
#include <asm/signal.h>
#include <asm-generic/siginfo.h>
#include <kernel/bug.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/time_priv.h>
#include "arch/shared/young.h"
#include "arch/shared/kernel_maps.h"
#include "arch/shared/sched_trap.h"
#include "arch/riscv64/rv_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

void rv_exit_to_user(struct pt_regs *regs)
{
	trap_exit_to_user(regs);
}

static void fix_up(struct pt_regs *regs, const struct extable_entry *e)
{
	regs->pc = fixup_target(e);
	if (e->type == EX_EFAULT)
		regs->a0 = (unsigned long)-14L;
}

static void interrupt(struct pt_regs *regs, unsigned long cause)
{
	struct pt_regs *old = this_cpu_xchg(irq_regs, regs);

	irq_enter();
	switch (cause & ~CAUSE_IRQ) {
	case IRQ_SOFT:
		rv_soft_interrupt();
		break;
	case IRQ_TIMER:
		rv_timer_interrupt();
		break;
	case IRQ_EXT:
		rv_irq_handle();
		break;
	}
	irq_exit();
	this_cpu_write(irq_regs, old);
}

void rv_user_irq(struct pt_regs *regs, unsigned long cause)
{
	interrupt(regs, cause);
	rv_exit_to_user(regs);
}

void rv_kernel_irq(struct pt_regs *regs, unsigned long cause)
{
	interrupt(regs, cause);
	if (regs_irqs_enabled(regs) && should_resched(0))
		preempt_schedule_irq();
}

static unsigned int fault_flags(unsigned long cause)
{
	return cause == CAUSE_STORE_PAGE ? FAULT_WRITE : cause == CAUSE_INSN_PAGE ? FAULT_EXEC : 0;
}

static bool is_page_fault(unsigned long cause)
{
	return cause == CAUSE_LOAD_PAGE || cause == CAUSE_STORE_PAGE || cause == CAUSE_INSN_PAGE;
}

/* 0, or the signal and its code as mm_handle_fault gives them. */
static int page_fault(struct pt_regs *regs, unsigned long cause, unsigned int flags)
{
	if (mark_access(regs->badaddr, cause == CAUSE_STORE_PAGE))
		return 0;
	return mm_handle_fault(regs, regs->badaddr, fault_flags(cause) | flags);
}

static void user_page_fault(struct pt_regs *regs, unsigned long cause)
{
	int r = SIGSEGV | SEGV_MAPERR << 8;

	arch_irq_enable();
	if (regs->badaddr < TASK_SIZE_MAX)
		r = page_fault(regs, cause, FAULT_USER);
	if (cause == CAUSE_INSN_PAGE && !r)
		rv_sync_icache();
	if (unlikely(r))
		trap_to_signal(regs, r & 0xff, r >> 8 & 0xff, regs->badaddr);
}

void rv_system_call(struct pt_regs *regs)
{
	regs->syscallno = (long)regs->a7;
	regs->pc += 4;
	regs->a0 = (unsigned long)-38L;
	arch_irq_enable();
	syscall_dispatch(regs);
	rv_exit_to_user(regs);
}

static void user_exception(struct pt_regs *regs, unsigned long cause)
{
	int sig = SIGILL, code = ILL_ILLTRP;
	unsigned long addr = regs->pc;

	arch_irq_enable();
	switch (cause) {
	case CAUSE_ILLEGAL:
		if (rv_vector_first_use(regs))
			return;
		code = ILL_ILLOPC;
		break;
	case CAUSE_BREAKPOINT:
		sig = SIGTRAP, code = TRAP_BRKPT;
		break;
	case CAUSE_INSN_MISALIGNED:
	case CAUSE_LOAD_MISALIGNED:
	case CAUSE_STORE_MISALIGNED:
		sig = SIGBUS, code = BUS_ADRALN, addr = regs->badaddr;
		break;
	case CAUSE_INSN_ACCESS:
	case CAUSE_LOAD_ACCESS:
	case CAUSE_STORE_ACCESS:
		sig = SIGSEGV, code = SEGV_ACCERR, addr = regs->badaddr;
		break;
	}
	trap_to_signal(regs, sig, code, addr);
}

void rv_user_trap(struct pt_regs *regs, unsigned long cause)
{
	if (likely(is_page_fault(cause)))
		user_page_fault(regs, cause);
	else
		user_exception(regs, cause);
	rv_exit_to_user(regs);
}

/* True when it was served or repaired. */
static bool kernel_page_fault(struct pt_regs *regs, unsigned long cause)
{
	unsigned long addr = regs->badaddr;
	const struct extable_entry *e = find_fixup(regs->pc);

	if (addr >= TASK_SIZE_MAX && rv_kernel_spurious(addr, cause))
		return true;
	if (addr < TASK_SIZE_MAX && e && cause != CAUSE_INSN_PAGE && current->mm) {
		if (regs_irqs_enabled(regs) && !faulthandler_disabled()) {
			int r;

			arch_irq_enable();
			r = page_fault(regs, cause, 0);
			arch_irq_disable();
			if (!r)
				return true;
		} else if (mark_access(addr, cause == CAUSE_STORE_PAGE)) {
			return true;		/* needs nobody's help, so it is done in every context */
		}
	}
	if (!e || cause == CAUSE_INSN_PAGE)
		return false;
	fix_up(regs, e);
	return true;
}

static const char *const names[] = {
	"misaligned jump", "instruction access fault", "illegal instruction", "breakpoint", "misaligned load", "load access fault",
	"misaligned store", "store access fault",
};

/* In the tables that are loaded, which stay as long as interrupts are off; the cause of a fault does not say it. */
static bool is_mapped(unsigned long addr)
{
	phys_addr_t root = (csr_read(satp) & ((1UL << SATP_ASID_SHIFT) - 1)) << PAGE_SHIFT;

	return (addr < TASK_SIZE_MAX || addr >= rv_direct_map) && kernel_maps_walk(phys_to_virt(root), addr, NULL);
}

void rv_kernel_trap(struct pt_regs *regs, unsigned long cause)
{
	unsigned long addr = regs->badaddr;
	const char *what = cause == CAUSE_INSN_PAGE ? "execution" : cause == CAUSE_STORE_PAGE ? "write" : "read";

	if (!is_page_fault(cause)) {
		const struct extable_entry *e = cause == CAUSE_LOAD_ACCESS || cause == CAUSE_STORE_ACCESS ? find_fixup(regs->pc) : NULL;

		if (e)
			fix_up(regs, e);
		else
			die(cause < ARRAY_SIZE(names) ? names[cause] : "unexpected exception", regs, cause);
		return;
	}
	if (kernel_page_fault(regs, cause))
		return;
	if (cause != CAUSE_INSN_PAGE && trap_explain_shadow(addr))
		;
	else if (addr < PAGE_SIZE)
		pr_emerg("fault: null pointer: kernel %s of %#lx\n", what, addr);
	else
		pr_emerg("fault: kernel %s of %#lx (%s)\n", what, addr,
			 is_mapped(addr) ? "not allowed" : "not mapped");
	die("page fault", regs, cause);
}

/* On the CPU's spare stack; what the task's held cannot go on. */
void rv_stack_overflow(struct pt_regs *regs)
{
	preempt_disable();
	pr_emerg("fault: kernel stack overflow; stack pointer %#lx, stack %#lx\n", regs->sp, (unsigned long)current->stack);
	die("kernel stack overflow", regs, regs->cause);
	arch_cpu_halt();
}
