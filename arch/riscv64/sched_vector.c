// SPDX-License-Identifier: MIT
/*
 * The vector unit. It is off until a task's first vector instruction, which is illegal then: the task gets memory for the registers
 * (their length is the machine's) and the unit. From there on they are saved when it is switched away from and had changed them,
 * and loaded when it comes back.
 */
#include <arch/cpu.h>
#include <arch/fpu.h>
#include <arch/irqflags.h>
#include <arch/ptrace.h>
#include <arch/uaccess.h>
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/riscv64/rv_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

unsigned int rv_vlenb __ro_after_init;

/* All CPUs must have the same length. */
void rv_vector_detect(void)
{
	unsigned int n;

	if (!rv_has(RV_EXT_V))
		return;
	csr_set(sstatus, SR_VS);
	__asm__ volatile("csrr %0, 0xc22" : "=r"(n));		/* vlenb */
	csr_clear(sstatus, SR_VS);
	if (!arch_cpu_number())
		rv_vlenb = n;
	else if (n != rv_vlenb)
		panic("cpu: vector registers of %u bytes on CPU %u, %u on CPU 0", n, arch_cpu_number(), rv_vlenb);
}

static struct __riscv_v_ext_state *new_area(void)
{
	struct __riscv_v_ext_state *s = kzalloc(sizeof(*s) + 32UL * rv_vlenb, GFP_KERNEL);

	if (s) {
		s->datap = s + 1;
		s->vlenb = rv_vlenb;
		s->vtype = 1UL << 63;	/* vill: as after reset */
	}
	return s;
}

static unsigned long *status_of(struct task *t)
{
	return &task_pt_regs(t)->status;
}

static void set_clean(struct task *t)
{
	unsigned long *s = status_of(t);

	*s = (*s & ~SR_VS) | SR_VS_CLEAN;
}

static void save(struct task *t)
{
	if ((*status_of(t) & SR_VS) != SR_VS)
		return;
	csr_set(sstatus, SR_VS);
	rv_vector_save(t->thread.vector);
	csr_clear(sstatus, SR_VS);
	set_clean(t);
}

static void load(struct task *t)
{
	csr_set(sstatus, SR_VS);
	rv_vector_load(t->thread.vector);
	csr_clear(sstatus, SR_VS);
	set_clean(t);
}

void rv_vector_switch(struct task *prev, struct task *next)
{
	if (prev->thread.vector)
		save(prev);
	if (next->thread.vector)
		load(next);
}

void rv_vector_sync(void)
{
	unsigned long flags = arch_irq_save();

	if (current->thread.vector)
		save(current);
	arch_irq_restore(flags);
}

void rv_vector_changed(struct task *task)
{
	unsigned long flags;

	if (task != current)
		return;
	flags = arch_irq_save();
	load(task);
	arch_irq_restore(flags);
}

int rv_vector_fork(struct task *child)
{
	const struct __riscv_v_ext_state *mine = current->thread.vector;
	struct __riscv_v_ext_state *s;

	if (!mine)
		return 0;
	s = new_area();
	if (!s)
		return -ENOMEM;
	rv_vector_sync();
	memcpy(s, mine, sizeof(*s) + 32UL * rv_vlenb);
	s->datap = s + 1;
	child->thread.vector = s;
	return 0;
}

void rv_vector_exec(void)
{
	void *old = current->thread.vector;
	unsigned long flags = arch_irq_save();

	current->thread.vector = NULL;
	arch_irq_restore(flags);
	kfree(old);
}

void rv_vector_free(struct task *task)
{
	kfree(task->thread.vector);
	task->thread.vector = NULL;
}

/* Arithmetic and configuration; loads and stores by width; a register of the unit (fcsr's are lower). */
static bool is_vector_insn(u32 insn)
{
	u32 op = insn & 0x7f, width = insn >> 12 & 7, csr = insn >> 20; /* not a page */

	switch (op) {
	case 0x57:
		return true;
	case 0x07:
	case 0x27:
		return width == 0 || width >= 5;
	case 0x73:
		return (width & 3) && ((csr >= 0x008 && csr <= 0x00f) || (csr >= 0xc20 && csr <= 0xc22));
	}
	return false;
}

bool rv_vector_first_use(struct pt_regs *regs)
{
	struct __riscv_v_ext_state *s;
	unsigned long flags;
	u16 half[2];

	if (!rv_vlenb || current->thread.vector || (regs->status & SR_VS) ||
	    arch_copy_from_user(half, UPTR(regs->pc), sizeof(half)) || !is_vector_insn(half[0] | (u32)half[1] << 16))
		return false;
	s = new_area();
	if (!s)
		return false;
	flags = arch_irq_save();
	current->thread.vector = s;
	load(current);
	arch_irq_restore(flags);
	return true;
}
