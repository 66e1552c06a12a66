// SPDX-License-Identifier: MIT
/*
 * What the CPU reports: exceptions, interrupts and system calls, after entry.S saved the registers.
 *
 * From user mode everything ends in sparc_exit_to_user: interrupts off, no window of the program kept back, one test of the task's work word. From
 * kernel mode a fault on a user address is served only at an instruction that the exception table knows; else the kernel is
 * broken (die).
 */
#include <arch/stacktrace.h>
#include <arch/syscall.h>
#include <arch/uaccess.h>
#include <asm/signal.h>
#include <asm-generic/siginfo.h>
#include <abi/errno.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/time_priv.h>
#include <arch_cpu/tlb.h>
#include "arch/shared/young.h"
#include "arch/shared/sched_trap.h"
#include "arch/sparc64/sparc_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

static unsigned long other_windows(void)
{
	unsigned long n;

	__asm__ volatile("rdpr %%otherwin, %0" : "=r"(n));
	return n;
}

/*
 * Nothing may be called between the last look at the windows and the way out: a call may push one out of the CPU. A window that cannot go to the
 * stack or come from there is fatal, as on Linux.
 */
void sparc_exit_to_user(struct pt_regs *regs)
{
	bool have_window = false;

	for (;;) {
		unsigned long flags;

		arch_irq_disable();
		flags = READ_ONCE(current->work_flags);
		if (unlikely(flags & TIF_EXIT_WORK_MASK)) {
			exit_to_user_work(regs, flags);
			have_window = false;
			continue;
		}
		lockdep_user_return();
		if (sparc_windows_kept()) {
			arch_irq_enable();
			if (!sparc_windows_to_user())
				trap_to_signal(regs, SIGILL, ILL_BADSTK, regs->u_regs[REG_SP] + STACK_BIAS);
			have_window = false;
		} else if (!other_windows() && !have_window) {
			arch_irq_enable();
			have_window = true;
			if (!sparc_window_from_user(regs)) {
				trap_to_signal(regs, SIGSEGV, SEGV_MAPERR, regs->u_regs[REG_SP] + STACK_BIAS);
				have_window = fatal_signal_pending(current);
			}
		} else {
			return;
		}
	}
}

static void fix_up(struct pt_regs *regs, const struct extable_entry *e)
{
	regs_set_ip(regs, fixup_target(e));
	if (e->type == EX_EFAULT)
		regs->u_regs[REG_G1] = (unsigned long)-14L;
}

static void interrupt(struct pt_regs *regs, unsigned int level)
{
	struct pt_regs *old = this_cpu_xchg(irq_regs, regs);

	irq_enter();
	if (level == LEVEL_TICK)
		sparc_timer_handle();
	else
		__asm__ volatile("wr %0, 0, %%asr21" : : "r"(1UL << level) : "memory");	/* nobody raised it */
	irq_exit();
	this_cpu_write(irq_regs, old);
}

/* The instruction at the faulting address writes: a store, an atomic step. A miss does not say so itself. */
static bool insn_writes(u32 insn)
{
	unsigned int op3 = insn >> 19 & 0x3f;

	if (insn >> 30 != 3)
		return false;
	switch (op3 & 0x2f) {
	case 0x0d: case 0x0f:			/* ldstub, swap */
		return true;
	case 0x2d:				/* prefetch */
		return false;
	}
	if ((op3 & 0x3d) == 0x3c)		/* casa, casxa */
		return true;
	return op3 & 4;
}

static bool is_write(struct pt_regs *regs, unsigned long what)
{
	u32 insn = 0;

	if (what & FAULT_WINDOW_STORE)
		return true;
	if ((what & 0x1ff) == TT_DTLB_PROTECTION)
		return true;
	if (what & FAULT_WINDOW_LOAD || (what & 0x1ff) != TT_DTLB_MISS)
		return false;
	if (!user_mode(regs))
		insn = *(const u32 *)regs->tpc;
	else if (arch_get_user_4(&insn, UPTR(regs->tpc)))
		return false;
	return insn_writes(insn);
}

static unsigned int fault_flags(const struct pt_regs *regs, unsigned int tt, bool write)
{
	return (tt == TT_DTLB_PROTECTION ? FAULT_PRESENT : 0) | (write ? FAULT_WRITE : 0) | (tt == TT_ITLB_MISS ? FAULT_EXEC : 0) |
	       (user_mode(regs) ? FAULT_USER : 0);
}

static bool is_page_fault(unsigned int tt)
{
	return tt == TT_ITLB_MISS || tt == TT_DTLB_MISS || tt == TT_DTLB_PROTECTION;
}

static unsigned long fault_address(const struct pt_regs *regs)
{
	unsigned int tt = regs_trap(regs);

	if (tt == TT_ITLB_MISS)
		return regs->tpc;
	/* Of a miss the page alone is known. */
	return is_page_fault(tt) ? regs_frame(regs)->fault_addr & PAGE_MASK : regs_frame(regs)->fault_addr;
}

/* 0, or the signal and its code as mm_handle_fault gives them. */
static int page_fault(struct pt_regs *regs, unsigned long addr, unsigned int tt, bool write)
{
	int r;

	if (tt != TT_ITLB_MISS && mark_access(addr, write))
		return 0;
	r = mm_handle_fault(regs, addr, fault_flags(regs, tt, write));
	if (!r) {
		preempt_disable();
		if (tt == TT_ITLB_MISS)
			mark_access(addr, false);
		tlb_flush_local_page(addr);
		preempt_enable();
	}
	return r;
}

static void user_fault(struct pt_regs *regs, unsigned int tt, unsigned long what)
{
	unsigned long addr = fault_address(regs);
	bool write = is_write(regs, what);
	int r = SIGSEGV | SEGV_MAPERR << 8;

	if (addr < TASK_SIZE_MAX)
		r = page_fault(regs, addr, tt, write);
	if (unlikely(r))
		trap_to_signal(regs, r & 0xff, r >> 8 & 0xff, addr);
}

static void system_call(struct pt_regs *regs)
{
	struct trap_frame *f = regs_frame(regs);

	regs->tpc = regs->tnpc;
	regs->tnpc += 4;
	f->syscallno = (s32)regs->u_regs[REG_G1];
	arch_syscall_set_ret(regs, -ENOSYS);
	/* A child's copy of the stack is to have its callers' windows; what cannot be written is told on the way out. */
	if (f->syscallno == __NR_fork || f->syscallno == __NR_vfork || f->syscallno == __NR_clone || f->syscallno == __NR_clone3)
		sparc_windows_to_user();
	syscall_dispatch(regs);
}

static int fp_code(void)
{
	u64 fsr;

	fpu_sync();
	fsr = current->thread.fpu ? current->thread.fpu->fsr : 0;
	return fsr & 16 ? FPE_FLTINV : fsr & 8 ? FPE_FLTOVF : fsr & 4 ? FPE_FLTUND : fsr & 2 ? FPE_FLTDIV : fsr & 1 ? FPE_FLTRES : 0;
}

static void user_trap(struct pt_regs *regs, unsigned int tt)
{
	unsigned long pc = regs->tpc;

	switch (tt) {
	case TT_SYSCALL:
		system_call(regs);
		break;
	case TT_FLUSH_WINDOWS:
		regs->tpc = regs->tnpc;
		regs->tnpc += 4;
		sparc_windows_to_user();
		break;
	case TT_DATA_EXCEPTION:
		trap_to_signal(regs, SIGSEGV, SEGV_ACCERR, fault_address(regs));
		break;
	case TT_INSN_EXCEPTION:
		trap_to_signal(regs, SIGSEGV, SEGV_ACCERR, pc);
		break;
	case TT_UNALIGNED:
	case TT_UNALIGNED_LDDF:
	case TT_UNALIGNED_STDF:
		trap_to_signal(regs, SIGBUS, BUS_ADRALN, fault_address(regs));
		break;
	case TT_FP_IEEE:
		trap_to_signal(regs, SIGFPE, fp_code(), pc);
		break;
	case TT_DIV_ZERO:
		trap_to_signal(regs, SIGFPE, FPE_INTDIV, pc);
		break;
	case TT_TAG_OVERFLOW:
		trap_to_signal(regs, SIGEMT, EMT_TAGOVF, pc);
		break;
	case TT_BREAKPOINT:
		trap_to_signal(regs, SIGTRAP, TRAP_BRKPT, pc);
		break;
	case TT_PRIVILEGED:
	case TT_PRIVILEGED_ACTION:
		trap_to_signal(regs, SIGILL, ILL_PRVOPC, pc);
		break;
	default:
		trap_to_signal(regs, SIGILL, tt >= 0x100 ? ILL_ILLTRP : ILL_ILLOPC, pc);
	}
}

static bool is_interrupt(unsigned int tt)
{
	return tt > TT_INTERRUPT && tt < TT_INTERRUPT + 16;
}

static void from_user(struct pt_regs *regs, unsigned int tt, unsigned long what)
{
	if (is_interrupt(tt)) {
		interrupt(regs, tt - TT_INTERRUPT);
	} else {
		arch_irq_enable();
		if (is_page_fault(tt))
			user_fault(regs, tt, what);
		else
			user_trap(regs, tt);
	}
	sparc_exit_to_user(regs);
}

/* True when it was served or repaired. */
static bool kernel_fault(struct pt_regs *regs, unsigned int tt, unsigned long what)
{
	const struct extable_entry *e = find_fixup(regs->tpc);
	unsigned long addr = fault_address(regs);
	bool write;

	if (!e)
		return false;
	/* The context says whose address it is: the numbers alone do not. */
	if (is_page_fault(tt) && regs_frame(regs)->fault_addr & ~PAGE_MASK && addr < TASK_SIZE_MAX && current->mm) {
		write = is_write(regs, what);
		if (regs_irqs_enabled(regs) && !faulthandler_disabled()) {
			int r;

			arch_irq_enable();
			r = page_fault(regs, addr, tt, write);
			arch_irq_disable();
			if (!r)
				return true;
		} else if (mark_access(addr, write)) {
			return true;		/* needs nobody's help, so it is done in every context */
		}
	}
	fix_up(regs, e);
	return true;
}

static void kernel_trap(struct pt_regs *regs, unsigned int tt, unsigned long what)
{
	unsigned long addr = fault_address(regs);

	if (!is_page_fault(tt) && tt != TT_DATA_EXCEPTION && tt != TT_UNALIGNED) {
		die(tt == TT_BREAKPOINT || tt == 0x105 ? "breakpoint" : tt == TT_ILLEGAL ? "undefined instruction" : "unexpected exception", regs, tt);
		return;
	}
	if (tt != TT_ITLB_MISS && kernel_fault(regs, tt, what))
		return;
	if (tt == TT_UNALIGNED)
		pr_emerg("fault: kernel access of %#lx is not aligned\n", addr);
	else if (addr < PAGE_SIZE)
		pr_emerg("fault: null pointer: kernel %s of %#lx\n", tt == TT_ITLB_MISS ? "execution" : is_write(regs, what) ? "write" : "read", addr);
	else
		pr_emerg("fault: kernel %s of %#lx (%s)\n", tt == TT_ITLB_MISS ? "execution" : is_write(regs, what) ? "write" : "read", addr,
			 tt == TT_DTLB_PROTECTION || tt == TT_DATA_EXCEPTION ? "not allowed" : "not mapped");
	die("page fault", regs, tt);
}

void sparc_trap(struct pt_regs *regs, unsigned long what)
{
	unsigned int tt = what & 0x1ff;

	if (user_mode(regs)) {
		from_user(regs, tt, what);
	} else if (is_interrupt(tt)) {
		interrupt(regs, tt - TT_INTERRUPT);
		if (regs_irqs_enabled(regs) && should_resched(0))
			preempt_schedule_irq();
	} else {
		kernel_trap(regs, tt, what);
	}
}

/* A trap within a trap of the kernel: a window had no stack to go to, or the way in itself broke. */
void sparc_broken(unsigned long what, unsigned long addr, unsigned long pc, unsigned long tt, unsigned long tl, unsigned long sp)
{
	pr_emerg("fault: trap %#lx of %#lx within trap %#lx of %#lx, level %lu, stack pointer %#lx\n", what & 0x1ff, addr, tt, pc, tl, sp);
	panic("trap within a trap%s", current->stack && sp + BIAS - (unsigned long)current->stack >= THREAD_SIZE ? ": the kernel stack is full" : "");
}
