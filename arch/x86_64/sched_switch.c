// SPDX-License-Identifier: MIT
/*
 * Tasks on the CPU: the switch, the first steps of a new one, thread pointers.
 *
 * What a switch moves besides the stack: the stack top for entries (TSS), `current`, FS and GS base of user mode, FPU
 * registers. Selectors in FS and GS are always 0 in 64-bit programs that use bases; others are kept too.
 */
#include <arch/switch.h>
#include <arch/fpu.h>
#include <arch/mmu.h>
#include <arch/ptrace.h>
#include <arch/uaccess.h>
#include <abi/errno.h>
#include <abi/syscalls.h>
#include <asm/prctl.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <kernel/preempt.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/x86_64/x86_priv.h"
#include "arch/x86_64/entry_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

DEFINE_PER_CPU(struct task *, current_task) = &init_task;
EXPORT(current_task);

struct switch_frame {
	unsigned long r15, r14, r13, r12, rbx, rbp, ret;
};

static inline unsigned long rdfsbase(void)
{
	unsigned long v;

	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}

static inline void wrfsbase(unsigned long v)
{
	__asm__ volatile("wrfsbase %0" : : "r"(v));
}

/* An interrupt between two swaps would run on the user's GS base as if it were the kernel's. */
static inline void check_interrupts_off(void)
{
#ifdef CONFIG_DEBUG
	WARN_ON_ONCE(!irqs_disabled());
#endif
}

/* The user's GS base waits in the other slot: swap, access, swap. Interrupts are off, and NMIs do not rely on GS. */
static inline unsigned long read_user_gsbase(void)
{
	unsigned long v;

	check_interrupts_off();
	if (!cpu_has(X86_FEATURE_FSGSBASE))
		return rdmsr(MSR_KERNEL_GS_BASE);
	__asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(v) : : "memory");
	return v;
}

static inline void write_user_gsbase(unsigned long v)
{
	check_interrupts_off();
	if (!cpu_has(X86_FEATURE_FSGSBASE))
		wrmsr(MSR_KERNEL_GS_BASE, v);
	else
		__asm__ volatile("swapgs; wrgsbase %0; swapgs" : : "r"(v) : "memory");
}

static void save_bases(struct arch_thread *t)
{
	if (cpu_has(X86_FEATURE_FSGSBASE)) {
		t->fsbase = rdfsbase();
		t->gsbase = read_user_gsbase();
	}
	/* Without it only the kernel changes the bases, and it records them as it does. */
}

static void load_bases(const struct arch_thread *prev, const struct arch_thread *next)
{
	if (prev->fsbase != next->fsbase) {
		if (cpu_has(X86_FEATURE_FSGSBASE))
			wrfsbase(next->fsbase);
		else
			wrmsr(MSR_FS_BASE, next->fsbase);
	}
	if (prev->gsbase != next->gsbase)
		write_user_gsbase(next->gsbase);
}

static void switch_debug_registers(const struct arch_thread *next)
{
	__asm__ volatile("movq %0, %%dr0" : : "r"(next->debugreg[0]));
	__asm__ volatile("movq %0, %%dr1" : : "r"(next->debugreg[1]));
	__asm__ volatile("movq %0, %%dr2" : : "r"(next->debugreg[2]));
	__asm__ volatile("movq %0, %%dr3" : : "r"(next->debugreg[3]));
	__asm__ volatile("movq %0, %%dr7" : : "r"(next->dr7 & DR7_USED));
}

static void switch_rare(const struct arch_thread *prev, const struct arch_thread *next)
{
	if ((prev->rare | next->rare) & THREAD_DEBUG)
		switch_debug_registers(next);
	if ((prev->rare ^ next->rare) & THREAD_NO_TSC)
		write_cr4(read_cr4() ^ CR4_TSD);
}

struct task *arch_switch_to(struct task *prev, struct task *next)
{
	save_bases(&prev->thread);
	load_bases(&prev->thread, &next->thread);
	fpu_switch(prev, next);
	if (unlikely(prev->thread.rare | next->thread.rare))
		switch_rare(&prev->thread, &next->thread);
	this_cpu_write(current_task, next);
	this_cpu_write(cpu_tss.sp[0], (unsigned long)next->stack + THREAD_SIZE);
	return __switch_stacks(prev, &prev->thread.sp, next->thread.sp);
}

void arch_set_current(struct task *task)
{
	this_cpu_write(current_task, task);
	this_cpu_write(cpu_tss.sp[0], (unsigned long)task->stack + THREAD_SIZE);
}

struct pt_regs *task_pt_regs(struct task *task)
{
	return task_stack_regs(task->stack);
}

static struct switch_frame *new_frame(struct task *task)
{
	struct switch_frame *f = (struct switch_frame *)task_pt_regs(task) - 1;

	*f = (struct switch_frame){ .ret = (unsigned long)ret_from_fork };
	task->thread.sp = (unsigned long)f;
	return f;
}

void arch_thread_dup(struct task *task)
{
	task->thread.fpu = NULL;
	task->thread.fpu_cpu = FPU_NO_CPU;
}

void arch_thread_start_kernel(struct task *task, int (*fn)(void *), void *arg)
{
	struct switch_frame *f = new_frame(task);

	memset(task_pt_regs(task), 0, sizeof(struct pt_regs));
	f->rbx = (unsigned long)fn;
	f->r12 = (unsigned long)arg;
	task->thread.fsbase = task->thread.gsbase = 0;
	task->thread.dr7 = 0;
	task->thread.rare = 0;
}

bool arch_tls_allowed(unsigned long tls)
{
	return tls < TASK_SIZE_MAX;
}

void arch_thread_fork(struct task *task, const struct pt_regs *regs, unsigned long newsp, bool set_tls, unsigned long tls)
{
	struct pt_regs *child = task_pt_regs(task);
	unsigned long flags;

	new_frame(task);
	*child = *regs;
	child->rax = 0;
	if (newsp)
		child->rsp = newsp;
	local_irq_save(flags);
	save_bases(&current->thread);
	task->thread.fsbase = set_tls ? tls : current->thread.fsbase;
	task->thread.gsbase = current->thread.gsbase;
	local_irq_restore(flags);
	task->thread.dr7 = 0;
	task->thread.rare = current->thread.rare & THREAD_NO_TSC;
	memset(task->thread.debugreg, 0, sizeof(task->thread.debugreg));
}

int arch_thread_exec(struct pt_regs *regs, unsigned long ip, unsigned long sp)
{
	int err = arch_fpu_exec();
	unsigned long flags;

	if (err)
		return err;
	local_irq_save(flags);
	__asm__ volatile("movl %0, %%fs; movl %0, %%ds; movl %0, %%es" : : "r"(0));
	if (cpu_has(X86_FEATURE_FSGSBASE))
		wrfsbase(0);
	else
		wrmsr(MSR_FS_BASE, 0);
	write_user_gsbase(0);
	current->thread.fsbase = current->thread.gsbase = 0;
	memset(current->thread.debugreg, 0, sizeof(current->thread.debugreg));
	if (current->thread.dr7) {
		current->thread.dr7 = 0;
		current->thread.rare &= ~THREAD_DEBUG;
		switch_debug_registers(&current->thread);
	}
	local_irq_restore(flags);
	regs_init_user(regs, ip, sp);
	return 0;
}

void arch_thread_free(struct task *task)
{
	arch_fpu_free(task);
}

unsigned long arch_thread_ip(struct task *task)
{
	const struct switch_frame *f = (const struct switch_frame *)READ_ONCE(task->thread.sp);
	unsigned long base = (unsigned long)task->stack;

	if ((unsigned long)f < base || (unsigned long)(f + 1) > base + THREAD_SIZE)
		return 0;
	return READ_ONCE(f->ret);
}

static long set_base(int code, unsigned long addr)
{
	unsigned long flags;

	if (addr >= TASK_SIZE_MAX)
		return -EPERM;
	local_irq_save(flags);
	if (code == ARCH_SET_FS) {
		current->thread.fsbase = addr;
		if (cpu_has(X86_FEATURE_FSGSBASE))
			wrfsbase(addr);
		else
			wrmsr(MSR_FS_BASE, addr);
	} else {
		current->thread.gsbase = addr;
		write_user_gsbase(addr);
	}
	local_irq_restore(flags);
	return 0;
}

long arch_prctl_current(int code, unsigned long addr)
{
	unsigned long flags, v;

	switch (code) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		return set_base(code, addr);
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		local_irq_save(flags);
		save_bases(&current->thread);
		v = code == ARCH_GET_FS ? current->thread.fsbase : current->thread.gsbase;
		local_irq_restore(flags);
		return arch_put_user_8(v, UPTR(addr));
	case ARCH_GET_CPUID:
		return 1;
	case ARCH_SET_CPUID:
		return -ENODEV;
	case ARCH_GET_XCOMP_SUPP:
	case ARCH_GET_XCOMP_PERM:
		return arch_put_user_8(xfeatures_mask, UPTR(addr));
	}
	return -EINVAL;
}

bool arch_tsc_refused(void)
{
	return current->thread.rare & THREAD_NO_TSC;
}

int arch_refuse_tsc(bool refuse)
{
	unsigned long flags;

	if (refuse == arch_tsc_refused())
		return 0;
	local_irq_save(flags);
	current->thread.rare ^= THREAD_NO_TSC;
	write_cr4(read_cr4() ^ CR4_TSD);
	local_irq_restore(flags);
	return 0;
}

/* For ptrace and core dumps: the bases of a task that is stopped, or of the current one. */
void x86_sync_bases(struct task *task)
{
	unsigned long flags;

	if (task != current)
		return;
	local_irq_save(flags);
	save_bases(&task->thread);
	local_irq_restore(flags);
}

void x86_load_bases(struct task *task)
{
	if (task != current)
		return;
	set_base(ARCH_SET_FS, task->thread.fsbase);
	set_base(ARCH_SET_GS, task->thread.gsbase);
}
