// SPDX-License-Identifier: MIT
/*
 * Floating-point and vector registers, kept eagerly: saved when their task is switched away from, loaded when another user
 * task comes. The registers of a CPU belong to fpu_owner if that area's task also remembers this CPU (fpu_cpu); so a user
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
#include "arch/aarch64/a64_priv.h"
#include "arch/aarch64/fpu_priv.h"

static DEFINE_PER_CPU(struct arch_fpu *, fpu_owner);
static struct kmem_cache *fpu_cache;
static struct arch_fpu init_fpu __aligned(16);

void arch_fpu_init_cpu(void)
{
	a64_fpu_load(&init_fpu.v);
	this_cpu_write(fpu_owner, NULL);
}

static int __init fpu_cache_init(void)
{
	fpu_cache = kmem_cache_create("fpu", sizeof(struct arch_fpu), 16, 0, NULL);
	return fpu_cache ? 0 : -ENOMEM;
}
INITCALL(early, fpu_cache_init);

static void fpu_load(struct task *t)
{
	a64_fpu_load(&t->thread.fpu->v);
	this_cpu_write(fpu_owner, t->thread.fpu);
	t->thread.fpu_cpu = arch_cpu_number();
}

static bool fpu_is_loaded(const struct task *t)
{
	return this_cpu_read(fpu_owner) == t->thread.fpu && t->thread.fpu_cpu == arch_cpu_number();
}

void a64_fpu_switch(struct task *prev, struct task *next)
{
	if (prev->thread.fpu)
		a64_fpu_save(&prev->thread.fpu->v);
	if (next->thread.fpu && !fpu_is_loaded(next))
		fpu_load(next);
	if (next->thread.fpu)
		a64_keys_load(&next->thread.fpu->keys);
}

void a64_switch_extra(struct task *prev, struct task *next)
{
	bool loaded = next->thread.fpu && fpu_is_loaded(next);

	a64_sve_leave(prev);
	a64_fpu_switch(prev, next);
	if (next->thread.extra & THREAD_SVE)
		a64_sve_enter(next, !loaded);
	if ((prev->thread.extra | next->thread.extra) & THREAD_DEBUG)
		a64_debug_load(next);
}

void a64_fpu_sync(void)
{
	unsigned long flags = arch_irq_save();

	if (current->thread.fpu)
		a64_fpu_save(&current->thread.fpu->v);
	if (current->thread.extra & THREAD_SVE)
		a64_sve_save(current->thread.fpu->sve);
	arch_irq_restore(flags);
}

void a64_fpu_changed(struct task *task)
{
	unsigned long flags;

	flags = arch_irq_save();
	if (task->thread.extra & THREAD_SVE)
		a64_sve_from_fpsimd(task->thread.fpu);
	if (task != current) {
		task->thread.fpu_cpu = FPU_NO_CPU;
	} else {
		fpu_load(task);
		if (task->thread.extra & THREAD_SVE)
			a64_sve_enter(task, true);
	}
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
	a64_fpu_sync();
	*child->thread.fpu = *current->thread.fpu;
	child->thread.fpu->sve = NULL;		/* this is a system call */
	return 0;
}

void arch_fpu_free(struct task *task)
{
	struct arch_fpu *f = task->thread.fpu;

	task->thread.fpu = NULL;
	if (!f)
		return;
	kfree(f->sve);
	kmem_cache_free(fpu_cache, f);
}

int arch_fpu_exec(void)
{
	struct arch_fpu *f = current->thread.fpu;
	unsigned long flags;
	void *sve;

	if (!f) {
		f = kmem_cache_alloc(fpu_cache, GFP_KERNEL);
		if (!f)
			return -ENOMEM;
		memset(f, 0, sizeof(*f));
		current->thread.fpu_cpu = FPU_NO_CPU;
	}
	flags = arch_irq_save();
	memset(&f->v, 0, sizeof(f->v));
	memset(&f->keys, 0, sizeof(f->keys));
	sve = a64_sve_exec(f);
	a64_keys_make(&f->keys, ALL_PAC_KEYS);
	current->thread.fpu = f;
	fpu_load(current);
	a64_keys_load(&f->keys);
	arch_irq_restore(flags);
	kfree(sve);
	return 0;
}

void kernel_fpu_begin(void)
{
	preempt_disable();
	WARN_ON_ONCE(in_interrupt());
	a64_fpu_sync();
	this_cpu_write(fpu_owner, NULL);
}

void kernel_fpu_end(void)
{
	if (current->thread.fpu)
		a64_fpu_changed(current);
	preempt_enable();
}
