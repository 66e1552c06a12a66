// SPDX-License-Identifier: MIT
/*
 * FPU and vector registers, kept eagerly: saved when their task is switched away from, loaded when another user task comes.
 * The registers of a CPU belong to fpu_owner if that area's task also remembers this CPU (fpu_cpu); so a user
 * task that only gave way to kernel threads need not be loaded again.
 */
#include <arch/fpu.h>
#include <abi/errno.h>
#include <alloc/slab.h>
#include <arch/irqflags.h>
#include <arch/cpu.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/x86_64/x86_priv.h"
#include "arch/x86_64/fpu_priv.h"

static DEFINE_PER_CPU(struct arch_fpu *, fpu_owner);
static struct kmem_cache *fpu_cache;
static u32 mxcsr_mask = 0xffbf;
static struct {
	struct arch_fpu fpu;
	u8 header_rest[64];		/* the header; components in their initial state are not read */
} init_fpu __aligned(64);

static inline void xsave(struct arch_fpu *f)
{
	if (cpu_has(X86_FEATURE_XSAVEOPT))
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(f), "a"((u32)xfeatures_mask), "d"((u32)(xfeatures_mask >> 32)) : "memory");
	else if (cpu_has(X86_FEATURE_XSAVE))
		__asm__ volatile("xsave64 (%0)" : : "r"(f), "a"((u32)xfeatures_mask), "d"((u32)(xfeatures_mask >> 32)) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(f) : "memory");
}

static inline void xrstor_some(const struct arch_fpu *f, u64 mask)
{
	__asm__ volatile("xrstor64 (%0)" : : "r"(f), "a"((u32)mask), "d"((u32)(mask >> 32)) : "memory");
}

static inline void xrstor(const struct arch_fpu *f)
{
	if (cpu_has(X86_FEATURE_XSAVE))
		xrstor_some(f, xfeatures_mask);
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(f) : "memory");
}

void x86_fpu_reset(struct arch_fpu *fpu)
{
	memset(fpu, 0, xsave_size);
	memcpy(fpu, &init_fpu, 576);
}

/* Once, on the boot CPU, with the FPU enabled. */
void x86_fpu_detect(void)
{
	u32 mask;

	__asm__ volatile("fninit");
	__asm__ volatile("fxsave64 %0" : "=m"(init_fpu));
	memcpy(&mask, init_fpu.fpu.legacy + 28, 4);
	if (mask)
		mxcsr_mask = mask;
	memset(&init_fpu, 0, sizeof(init_fpu));
	init_fpu.fpu.legacy[0] = 0x7f;		/* FCW 0x37f */
	init_fpu.fpu.legacy[1] = 0x03;
	init_fpu.fpu.legacy[24] = 0x80;		/* MXCSR 0x1f80 */
	init_fpu.fpu.legacy[25] = 0x1f;
}

/* The CPU's registers start out as a fresh task's. */
void arch_fpu_init_cpu(void)
{
	xrstor(&init_fpu.fpu);
	this_cpu_write(fpu_owner, NULL);
}

static int __init fpu_cache_init(void)
{
	fpu_cache = kmem_cache_create("fpu", xsave_size, 64, 0, NULL);
	return fpu_cache ? 0 : -ENOMEM;
}
INITCALL(early, fpu_cache_init);

static void fpu_load(struct task *t)
{
	xrstor(t->thread.fpu);
	this_cpu_write(fpu_owner, t->thread.fpu);
	t->thread.fpu_cpu = arch_cpu_number();
}

static bool fpu_is_loaded(const struct task *t)
{
	return this_cpu_read(fpu_owner) == t->thread.fpu && t->thread.fpu_cpu == arch_cpu_number();
}

void x86_fpu_switch(struct task *prev, struct task *next)
{
	if (prev->thread.fpu)
		xsave(prev->thread.fpu);
	if (next->thread.fpu && !fpu_is_loaded(next))
		fpu_load(next);
}

void x86_fpu_sync(void)
{
	unsigned long flags = arch_irq_save();

	if (current->thread.fpu)
		xsave(current->thread.fpu);
	arch_irq_restore(flags);
}

void x86_fpu_changed(struct task *task)
{
	unsigned long flags;

	if (task != current) {
		task->thread.fpu_cpu = FPU_NO_CPU;
		return;
	}
	flags = arch_irq_save();
	fpu_load(task);
	arch_irq_restore(flags);
}

void x86_fpu_reset_some(u64 components)
{
	xrstor_some(&init_fpu.fpu, components);
}

int x86_fpu_sanitize(struct arch_fpu *fpu, size_t len)
{
	u32 mxcsr;

	memcpy(&mxcsr, fpu->legacy + 24, 4);
	if (mxcsr & ~mxcsr_mask)
		return -EINVAL;
	if (!cpu_has(X86_FEATURE_XSAVE))
		return 0;
	if (len < 576)
		fpu->xstate_bv = 3;
	else if (fpu->xstate_bv & ~xfeatures_mask)
		return -EINVAL;
	fpu->xcomp_bv = 0;
	memset(fpu->rest, 0, 48);
	return 0;
}

int arch_fpu_fork(struct task *child)
{
	unsigned long flags;

	child->thread.fpu = NULL;
	child->thread.fpu_cpu = FPU_NO_CPU;
	if (!current->thread.fpu)
		return 0;
	child->thread.fpu = kmem_cache_alloc(fpu_cache, GFP_KERNEL);
	if (!child->thread.fpu)
		return -ENOMEM;
	flags = arch_irq_save();
	xsave(current->thread.fpu);
	arch_irq_restore(flags);
	memcpy(child->thread.fpu, current->thread.fpu, xsave_size);
	return 0;
}

void arch_fpu_free(struct task *task)
{
	struct arch_fpu *f = task->thread.fpu;

	task->thread.fpu = NULL;
	if (f)
		kmem_cache_free(fpu_cache, f);
}

int arch_fpu_exec(void)
{
	if (!current->thread.fpu) {
		struct arch_fpu *f = kmem_cache_alloc(fpu_cache, GFP_KERNEL);

		if (!f)
			return -ENOMEM;
		x86_fpu_reset(f);
		current->thread.fpu_cpu = FPU_NO_CPU;
		barrier();
		current->thread.fpu = f;
	} else {
		unsigned long flags = arch_irq_save();

		x86_fpu_reset(current->thread.fpu);
		arch_irq_restore(flags);
	}
	x86_fpu_changed(current);
	return 0;
}

void kernel_fpu_begin(void)
{
	preempt_disable();
	WARN_ON_ONCE(in_interrupt());
	if (current->thread.fpu)
		x86_fpu_sync();
	this_cpu_write(fpu_owner, NULL);
	__asm__ volatile("fninit");
	__asm__ volatile("ldmxcsr %0" : : "m"(*(const u32 *)(init_fpu.fpu.legacy + 24)));
}

void kernel_fpu_end(void)
{
	if (current->thread.fpu)
		x86_fpu_changed(current);
	preempt_enable();
}
