// SPDX-License-Identifier: MIT
/*
 * Floating-point and vector registers, kept eagerly: saved when their task is switched away from, loaded when another user task comes.
 * The registers of a CPU belong to fpu_owner if that area's task also remembers this CPU (fpu_cpu); so a user
 * task that only gave way to kernel threads need not be loaded again.
 */
#include <arch/fpu.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

static DEFINE_PER_CPU(struct arch_fpu *, fpu_owner);
static struct kmem_cache *fpu_cache;

#ifndef FPU_MORE
static inline int fpu_more_fork(struct task *child) { return 0; }
static inline void fpu_more_free(struct task *task) { }
static inline bool fpu_more_exec(void) { return true; }
#endif

void arch_fpu_init_cpu(void)
{
	fpu_regs_init();
	this_cpu_write(fpu_owner, NULL);
}

static int __init fpu_cache_init(void)
{
	fpu_cache = kmem_cache_create("fpu", FPU_SIZE, FPU_ALIGN, 0, NULL);
	return fpu_cache ? 0 : -ENOMEM;
}
INITCALL(early, fpu_cache_init);

static void fpu_load(struct task *t)
{
	fpu_regs_load(t, t->thread.fpu);
	this_cpu_write(fpu_owner, t->thread.fpu);
	t->thread.fpu_cpu = arch_cpu_number();
}

static bool fpu_is_loaded(const struct task *t)
{
	return this_cpu_read(fpu_owner) == t->thread.fpu && t->thread.fpu_cpu == arch_cpu_number();
}

void fpu_switch(struct task *prev, struct task *next)
{
	if (prev->thread.fpu)
		fpu_regs_save(prev, prev->thread.fpu);
	if (next->thread.fpu && !fpu_is_loaded(next))
		fpu_load(next);
}

void fpu_sync(void)
{
	unsigned long flags = arch_irq_save();

	if (current->thread.fpu)
		fpu_regs_save(current, current->thread.fpu);
	arch_irq_restore(flags);
}

void fpu_changed(struct task *task)
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

int arch_fpu_fork(struct task *child)
{
	child->thread.fpu = NULL;
	child->thread.fpu_cpu = FPU_NO_CPU;
	if (!current->thread.fpu)
		return 0;
	child->thread.fpu = kmem_cache_alloc(fpu_cache, GFP_KERNEL);
	if (!child->thread.fpu)
		return -ENOMEM;
	fpu_sync();
	memcpy(child->thread.fpu, current->thread.fpu, FPU_SIZE);
	if (fpu_more_fork(child)) {
		arch_fpu_free(child);
		return -ENOMEM;
	}
	return 0;
}

void arch_fpu_free(struct task *task)
{
	struct arch_fpu *f = task->thread.fpu;

	task->thread.fpu = NULL;
	if (f)
		kmem_cache_free(fpu_cache, f);
	fpu_more_free(task);
}

int arch_fpu_exec(void)
{
	struct arch_fpu *f = current->thread.fpu;
	unsigned long flags;

	if (!fpu_more_exec())
		return 0;
	if (!f) {
		f = kmem_cache_alloc(fpu_cache, GFP_KERNEL);
		if (!f)
			return -ENOMEM;
		current->thread.fpu_cpu = FPU_NO_CPU;
	}
	flags = arch_irq_save();
	fpu_regs_initial(f);
	current->thread.fpu = f;
	fpu_load(current);
	arch_irq_restore(flags);
	return 0;
}

void kernel_fpu_begin(void)
{
	preempt_disable();
	WARN_ON_ONCE(in_interrupt());
	fpu_sync();
	this_cpu_write(fpu_owner, NULL);
	fpu_kernel_on();
}

void kernel_fpu_end(void)
{
	fpu_kernel_off();
	if (current->thread.fpu)
		fpu_changed(current);
	preempt_enable();
}
