// SPDX-License-Identifier: MIT
/*
 * What the CPU reports: exceptions, interrupts and system calls, after entry.S saved the registers.
 *
 * From user mode everything ends in x86_exit_to_user: interrupts off, one test of the task's work word. From kernel
 * mode a fault first looks for a repair in the exception table, else the kernel is broken (die).
 */
#include <arch/kasan.h>
#include <arch/smp.h>
#include <arch/stacktrace.h>
#include <arch/uaccess.h>
#include <asm/processor-flags.h>
#include <asm/signal.h>
#include <asm-generic/siginfo.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/time_priv.h>
#include "arch/shared/sched_trap.h"
#include "arch/x86_64/x86_priv.h"
#include "arch/x86_64/entry_priv.h"

DEFINE_PER_CPU(unsigned long, cpu_user_sp);

#define PF_PRESENT 1
#define PF_WRITE 2
#define PF_USER 4
#define PF_RSVD 8
#define PF_INSTR 16

void x86_exit_to_user(struct pt_regs *regs)
{
	/* entry.S asks first whether there is anything to do. */
	BUILD_BUG_ON(offsetof(struct task, work_flags) || TIF_EXIT_WORK_MASK != 0xffffffffUL);
	trap_exit_to_user(regs);
}

bool x86_fixup_exception(struct pt_regs *regs)
{
	const struct extable_entry *e = find_fixup(regs->rip);

	if (!e)
		return false;
	regs->rip = fixup_target(e);
	if (e->type == EX_EFAULT)
		regs->rax = (unsigned long)-14L;
	return true;
}

static void interrupt(struct pt_regs *regs, unsigned long vector)
{
	struct pt_regs *old = this_cpu_xchg(irq_regs, regs);

	irq_enter();
	switch (vector) {
	case VEC_TIMER:
		apic_eoi();
		timer_interrupt();
		break;
	case VEC_RESCHED:
		apic_eoi();
		sched_ipi();
		break;
	case VEC_CALL:
		apic_eoi();
		smp_call_interrupt();
		break;
	case VEC_STOP:
		arch_cpu_halt();
	case VEC_SPURIOUS:
		break;
	case VEC_ERROR:
		apic_eoi();
		break;
	default:
		x86_device_interrupt((u32)vector);
	}
	irq_exit();
	this_cpu_write(irq_regs, old);
}

static void user_signal(struct pt_regs *regs, int sig, int code, unsigned long addr, unsigned long vector,
			unsigned long error)
{
	current->thread.trap_nr = vector;
	current->thread.error_code = error;
	trap_to_signal(regs, sig, code, addr);
}

static unsigned int fault_flags(unsigned long error)
{
	unsigned int f = 0;

	if (error & PF_PRESENT)
		f |= FAULT_PRESENT;
	if (error & PF_WRITE)
		f |= FAULT_WRITE;
	if (error & PF_INSTR)
		f |= FAULT_EXEC;
	if (error & PF_USER)
		f |= FAULT_USER;
	return f;
}

static void user_page_fault(struct pt_regs *regs, unsigned long error)
{
	unsigned long addr = read_cr2();
	int r;

	arch_irq_enable();
	if (unlikely(addr >= TASK_SIZE_MAX)) {
		r = SIGSEGV | SEGV_MAPERR << 8;
		error |= PF_PRESENT;		/* tells nothing about the kernel's layout */
	} else {
		r = mm_handle_fault(regs, addr, fault_flags(error));
	}
	if (likely(!r))
		return;
	current->thread.cr2 = addr;
	user_signal(regs, r & 0xff, r >> 8 & 0xff, addr, VEC_PF, error);
}

/* Which of the unmasked conditions of an x87 or SSE status word are set (siginfo's FPE codes). */
static int fpe_code(unsigned int status)
{
	if (status & 0x01)
		return FPE_FLTINV;
	if (status & 0x04)
		return FPE_FLTDIV;
	if (status & 0x08)
		return FPE_FLTOVF;
	if (status & 0x12)
		return FPE_FLTUND;
	if (status & 0x20)
		return FPE_FLTRES;
	return 0;
}

static int math_code(unsigned long vector)
{
	if (vector == VEC_MF) {
		u16 cw, sw;

		__asm__ volatile("fnstcw %0; fnstsw %1" : "=m"(cw), "=m"(sw));
		return fpe_code(sw & ~cw & 0x3f);
	} else {
		u32 mxcsr;

		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		return fpe_code(mxcsr & ~(mxcsr >> 7) & 0x3f);
	}
}

static void user_debug(struct pt_regs *regs)
{
	unsigned long dr6;

	__asm__ volatile("movq %%dr6, %0" : "=r"(dr6));
	__asm__ volatile("movq %0, %%dr6" : : "r"(0xffff0ff0UL));
	current->thread.dr6 = dr6 ^ 0xffff0ff0UL;
	arch_irq_enable();
	user_signal(regs, SIGTRAP, dr6 & 0xf ? TRAP_HWBKPT : TRAP_TRACE, regs->rip, VEC_DB, 0);
}

static void user_exception(struct pt_regs *regs, unsigned long vector, unsigned long error)
{
	int sig = SIGSEGV, code = SI_KERNEL;
	unsigned long addr = 0;

	switch (vector) {
	case VEC_PF:
		user_page_fault(regs, error);
		return;
	case VEC_DB:
		user_debug(regs);
		return;
	case VEC_BP:
		sig = SIGTRAP;
		break;
	case VEC_DE:
		sig = SIGFPE, code = FPE_INTDIV, addr = regs->rip;
		break;
	case VEC_UD:
		sig = SIGILL, code = ILL_ILLOPN, addr = regs->rip;
		break;
	case VEC_MF:
	case VEC_XM:
		sig = SIGFPE, code = math_code(vector), addr = regs->rip;
		break;
	case VEC_AC:
		sig = SIGBUS, code = BUS_ADRALN;
		break;
	case VEC_NP:
	case VEC_SS:
		sig = SIGBUS;
		break;
	}
	arch_irq_enable();
	user_signal(regs, sig, code, addr, vector, error);
}

void x86_trap_user(struct pt_regs *regs, unsigned long vector)
{
	unsigned long error = regs->orig_rax;

	regs->orig_rax = (unsigned long)-1;
	if (vector >= 32)
		interrupt(regs, vector);
	else if (unlikely(vector == VEC_NMI || vector == VEC_MC))
		x86_nmi(regs, vector);
	else
		user_exception(regs, vector, error);
	x86_exit_to_user(regs);
}

static const char *const trap_names[32] = {
	[VEC_DE] = "divide error", [VEC_DB] = "debug", [VEC_NMI] = "NMI", [VEC_BP] = "breakpoint",
	[VEC_OF] = "overflow", [VEC_BR] = "bounds", [VEC_UD] = "invalid opcode", [VEC_NM] = "no FPU",
	[VEC_DF] = "double fault", [VEC_TS] = "invalid TSS", [VEC_NP] = "segment not present",
	[VEC_SS] = "stack segment", [VEC_GP] = "general protection fault", [VEC_PF] = "page fault",
	[VEC_MF] = "x87 error", [VEC_AC] = "alignment check", [VEC_MC] = "machine check", [VEC_XM] = "SIMD error",
};

static void say_bad_address(unsigned long addr, unsigned long error)
{
	const char *what = error & PF_INSTR ? "execution" : error & PF_WRITE ? "write" : "read";

	if (addr < PAGE_SIZE)
		pr_emerg("fault: null pointer: kernel %s of %#lx\n", error & PF_INSTR ? "call" : what, addr);
	else
		pr_emerg("fault: kernel %s of %#lx (%s)\n", what, addr, error & PF_PRESENT ? "not allowed" : "not mapped");
}

#ifdef CONFIG_KASAN
/* The memory operand of the instruction at RIP (base + index * scale + displacement), for the few forms that tests of shadow use. */
static unsigned long operand_address(const struct pt_regs *r)
{
	const unsigned long regs[16] = { r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
					 r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15 };
	u8 code[16], rex = 0, modrm, sib, i = 0;
	unsigned long a = 0;

	if (arch_copy_kernel_nofault(code, (const void *)r->rip, sizeof(code)))
		return 0;
	while (code[i] == 0x66 || (code[i] & 0xf0) == 0x40)
		rex = code[i++];
	i += code[i] == 0x0f ? 2 : 1;
	modrm = code[i++];
	if (modrm >> 6 == 3)
		return 0;
	if ((modrm & 7) == 4) {
		sib = code[i++];
		a = (sib >> 3 & 7) == 4 && !(rex & 2) ? 0 : regs[(sib >> 3 & 7) | (rex & 2) << 2] << (sib >> 6);
		if ((sib & 7) != 5 || modrm >> 6)
			a += regs[(sib & 7) | (rex & 1) << 3];
	} else {
		a = regs[(modrm & 7) | (rex & 1) << 3];
	}
	if (modrm >> 6 == 1)
		a += (unsigned long)(long)(s8)code[i];
	else if (modrm >> 6 == 2)
		a += (unsigned long)(long)(s32)(code[i] | code[i + 1] << 8 | code[i + 2] << 16 | (u32)code[i + 3] << 24);
	return a;
}

/* A test of the shadow of a bad pointer faults before the access itself would. */
static void explain_protection_fault(const struct pt_regs *regs)
{
	trap_explain_shadow(operand_address(regs));
}
#else
static void explain_protection_fault(const struct pt_regs *regs) { }
#endif

static void kernel_page_fault(struct pt_regs *regs, unsigned long error)
{
	unsigned long addr = read_cr2();
	bool smap = cpu_has(X86_FEATURE_SMAP) && !(regs->eflags & X86_EFLAGS_AC);

	if (addr < TASK_SIZE_MAX && (regs->eflags & X86_EFLAGS_IF) && !smap && current->mm &&
	    !faulthandler_disabled() && !(error & PF_RSVD)) {
		arch_irq_enable();
		if (!mm_handle_fault(regs, addr, fault_flags(error))) {
			arch_irq_disable();
			return;
		}
		arch_irq_disable();
	}
	if (x86_fixup_exception(regs))
		return;
	say_bad_address(addr, error);
	die("page fault", regs, error);
}

void x86_trap_kernel(struct pt_regs *regs, unsigned long vector)
{
	unsigned long error = regs->orig_rax;

	if (likely(vector >= 32)) {
		interrupt(regs, vector);
		if ((regs->eflags & X86_EFLAGS_IF) && should_resched(0))
			preempt_schedule_irq();
		return;
	}
	regs->orig_rax = (unsigned long)-1;
	if (vector == VEC_PF) {
		kernel_page_fault(regs, error);
		return;
	}
	if (x86_fixup_exception(regs))
		return;
	if (vector == VEC_GP)
		explain_protection_fault(regs);
	die(trap_names[vector] ? trap_names[vector] : "unknown trap", regs, error);
}

/* On an IST stack, from kernel mode. */
void x86_trap_ist(struct pt_regs *regs, unsigned long vector)
{
	unsigned long error = regs->orig_rax;

	regs->orig_rax = (unsigned long)-1;
	switch (vector) {
	case VEC_NMI:
	case VEC_MC:
		x86_nmi(regs, vector);
		return;
	case VEC_DB:
		/* Single steps do not go on in the kernel; watchpoints are for user addresses. */
		__asm__ volatile("movq %0, %%dr6" : : "r"(0xffff0ff0UL));
		regs->eflags &= ~X86_EFLAGS_TF;
		return;
	case VEC_DF:
		pr_emerg("fault: double fault; stack pointer %#lx, address %#lx%s\n", regs->rsp, read_cr2(),
			 regs->rsp - read_cr2() < PAGE_SIZE ? ": kernel stack overflow" : "");
		die("double fault", regs, error);
		arch_cpu_halt();
	}
}

/*
 * iretq to user mode faulted. FRAME is of the fault: its general registers are the user's, its rsp points at the five
 * words that iretq read, which are the end of the user's struct pt_regs.
 */
struct pt_regs *x86_bad_iret(struct pt_regs *frame, unsigned long vector)
{
	struct pt_regs tmp = *frame;
	struct pt_regs *user = (struct pt_regs *)(frame->rsp - offsetof(struct pt_regs, rip));

	__builtin_memcpy(user, &tmp, offsetof(struct pt_regs, orig_rax));
	user->orig_rax = (unsigned long)-1;
	/* What faulted cannot be loaded: the handler of SIGSEGV, if any, gets a sane frame. */
	user->cs = USER_CS;
	user->ss = USER_DS;
	arch_irq_enable();
	user_signal(user, SIGSEGV, SI_KERNEL, 0, vector, tmp.orig_rax);
	return user;
}
