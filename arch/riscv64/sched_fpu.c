// SPDX-License-Identifier: MIT
/*
 * Floating-point registers: saved when their task is switched away from and sstatus.FS said that it had changed them, loaded when
 * another user task comes. The registers of a CPU belong to fpu_owner if that area's task also remembers this CPU (fpu_cpu); so a
 * user task that only gave way to kernel threads need not be loaded again. The kernel runs with the unit off.
 */
#include <arch/fpu.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/ptrace.h>
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/riscv64/rv_priv.h"
#include "arch/riscv64/fpu_priv.h"

static DEFINE_PER_CPU(struct arch_fpu *, fpu_owner);
static struct kmem_cache *fpu_cache;

void arch_fpu_init_cpu(void)
{
	this_cpu_write(fpu_owner, NULL);
	rv_vector_detect();
}

static int __init fpu_cache_init(void)
{
	fpu_cache = kmem_cache_create("fpu", sizeof(struct arch_fpu), 16, 0, NULL);
	return fpu_cache ? 0 : -ENOMEM;
}
INITCALL(early, fpu_cache_init);

static unsigned long *status_of(struct task *t)
{
	return &task_pt_regs(t)->status;
}

static void set_clean(struct task *t)
{
	unsigned long *s = status_of(t);

	*s = (*s & ~SR_FS) | SR_FS_CLEAN;
}

static void save(struct task *t)
{
	if ((*status_of(t) & SR_FS) != SR_FS)		/* not dirty: the area is as good */
		return;
	csr_set(sstatus, SR_FS);
	rv_fpu_save(&t->thread.fpu->d);
	csr_clear(sstatus, SR_FS);
	set_clean(t);
}

static void load(struct task *t)
{
	csr_set(sstatus, SR_FS);
	rv_fpu_load(&t->thread.fpu->d);
	csr_clear(sstatus, SR_FS);
	set_clean(t);
	this_cpu_write(fpu_owner, t->thread.fpu);
	t->thread.fpu_cpu = arch_cpu_number();
}

static bool is_loaded(const struct task *t)
{
	return this_cpu_read(fpu_owner) == t->thread.fpu && t->thread.fpu_cpu == arch_cpu_number();
}

void rv_fpu_switch(struct task *prev, struct task *next)
{
	if (prev->thread.fpu)
		save(prev);
	if (next->thread.fpu && !is_loaded(next))
		load(next);
}

void rv_fpu_sync(void)
{
	unsigned long flags = arch_irq_save();

	if (current->thread.fpu)
		save(current);
	arch_irq_restore(flags);
}

void rv_fpu_changed(struct task *task)
{
	unsigned long flags;

	if (task != current) {
		task->thread.fpu_cpu = FPU_NO_CPU;
		return;
	}
	flags = arch_irq_save();
	load(task);
	arch_irq_restore(flags);
}

/* A machine without the D extension has no such state. */
int arch_fpu_fork(struct task *child)
{
	child->thread.fpu = NULL;
	child->thread.fpu_cpu = FPU_NO_CPU;
	if (!current->thread.fpu)
		return 0;
	child->thread.fpu = kmem_cache_alloc(fpu_cache, GFP_KERNEL);
	if (!child->thread.fpu)
		return -ENOMEM;
	rv_fpu_sync();
	*child->thread.fpu = *current->thread.fpu;
	if (rv_vector_fork(child)) {
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
	rv_vector_free(task);
}

int arch_fpu_exec(void)
{
	struct arch_fpu *f = current->thread.fpu;
	unsigned long flags;

	rv_vector_exec();
	if (!rv_has(RV_EXT_D))
		return 0;
	if (!f) {
		f = kmem_cache_alloc(fpu_cache, GFP_KERNEL);
		if (!f)
			return -ENOMEM;
		current->thread.fpu_cpu = FPU_NO_CPU;
	}
	flags = arch_irq_save();
	memset(f, 0, sizeof(*f));
	current->thread.fpu = f;
	load(current);
	arch_irq_restore(flags);
	return 0;
}

void kernel_fpu_begin(void)
{
	preempt_disable();
	WARN_ON_ONCE(in_interrupt());
	rv_fpu_sync();
	this_cpu_write(fpu_owner, NULL);
	csr_set(sstatus, SR_FS);
}

void kernel_fpu_end(void)
{
	csr_clear(sstatus, SR_FS);
	if (current->thread.fpu)
		rv_fpu_changed(current);
	preempt_enable();
}
