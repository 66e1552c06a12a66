// SPDX-License-Identifier: MIT
/* SVE's registers in signal frames (struct sve_context) and as a register set (NT_ARM_SVE: struct user_sve_header and what follows it). */
#include <arch/ptrace.h>
#include <arch/irqflags.h>
#include <arch/uaccess.h>
#include <abi/errno.h>
#include <asm/sigcontext.h>
#include <lib/bits.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/prctl.h>
#include <sched/task.h>
#include "arch/aarch64/a64_priv.h"
#include "arch/aarch64/fpu_priv.h"

static unsigned int quadwords(const struct task *t)
{
	return sve_vq_from_vl(t->thread.fpu->vl);
}

/* A program that does not use it, or is in a system call, has the head alone. */
size_t a64_sve_record_size(void)
{
	if (!a64_has_sve || !current->thread.fpu)
		return 0;
	return current->thread.extra & THREAD_SVE ? ALIGN(SVE_SIG_CONTEXT_SIZE(quadwords(current)), 16) : sizeof(struct sve_context);
}

size_t a64_sve_record_max(void)
{
	return a64_has_sve ? ALIGN(SVE_SIG_CONTEXT_SIZE(sve_vq_from_vl(a64_sve_max())), 16) : 0;
}

/* a64_fpu_sync was done. */
int a64_sve_put_record(struct uptr at, u32 size)
{
	const struct arch_fpu *f = current->thread.fpu;
	struct sve_context head = { .head = { SVE_MAGIC, size }, .vl = f->vl };

	return arch_copy_to_user(at, &head, sizeof(head)) ||
	       arch_copy_to_user(uptr_add(at, SVE_SIG_REGS_OFFSET), f->sve, SVE_SIG_REGS_SIZE(quadwords(current))) ? -EFAULT : 0;
}

int a64_sve_take_record(struct uptr at, u32 size, u64 data)
{
	struct arch_fpu *f = current->thread.fpu;
	unsigned long flags;

	if ((u32)data != f->vl)			/* flags are above it */
		return -EFAULT;
	if (size == sizeof(struct sve_context))
		return 0;
	if (size < SVE_SIG_CONTEXT_SIZE(quadwords(current)))
		return -EFAULT;
	if (a64_sve_alloc(f))
		return -ENOMEM;
	/* The registers are being replaced: a switch from now on must not save them over what is read. */
	flags = arch_irq_save();
	a64_sve_drop(current);
	arch_irq_restore(flags);
	return arch_copy_from_user(f->sve, uptr_add(at, SVE_SIG_REGS_OFFSET), SVE_SIG_REGS_SIZE(quadwords(current))) ? -EFAULT : 1;
}

/* ---- ptrace ---- */

size_t a64_sve_regset_size(void)
{
	return a64_has_sve ? SVE_PT_SIZE(sve_vq_from_vl(a64_sve_max()), SVE_PT_REGS_SVE) : 0;
}

/* Of a set's N bytes those at OFF: LEN bytes from P. */
static void put(void *buf, size_t n, size_t off, const void *p, size_t len)
{
	if (off < n)
		memcpy((u8 *)buf + off, p, min(len, n - off));
}

static void take(const void *buf, size_t n, size_t off, void *p, size_t len)
{
	if (off < n)
		memcpy(p, (const u8 *)buf + off, min(len, n - off));
}

/* fpsr and fpcr, one behind the other in both layouts */
#define CONTROL_SIZE (SVE_PT_SVE_FPSR_SIZE + SVE_PT_SVE_FPCR_SIZE)
static_assert(offsetof(struct user_fpsimd_state, fpcr) == offsetof(struct user_fpsimd_state, fpsr) + SVE_PT_SVE_FPSR_SIZE, "two words");

int a64_sve_regset_get(struct task *task, void *buf, size_t n)
{
	const struct arch_fpu *f = task->thread.fpu;
	bool live = task->thread.extra & THREAD_SVE;
	struct user_sve_header h = { .max_size = (u32)a64_sve_regset_size(), .max_vl = (u16)a64_sve_max() };
	unsigned int vq;

	if (!a64_has_sve || !f)
		return a64_has_sve ? -ENODEV : -EINVAL;
	if (task == current)
		a64_fpu_sync();
	vq = quadwords(task);
	h.vl = f->vl;
	h.flags = (live ? SVE_PT_REGS_SVE : SVE_PT_REGS_FPSIMD) | (f->vl_inherit ? SVE_PT_VL_INHERIT : 0);
	h.size = (u32)SVE_PT_SIZE(vq, h.flags);
	n = min(n, (size_t)h.size);
	memset(buf, 0, n);
	put(buf, n, 0, &h, sizeof(h));
	if (live) {
		put(buf, n, SVE_PT_SVE_OFFSET, f->sve, SVE_SIG_REGS_SIZE(vq));
		put(buf, n, SVE_PT_SVE_FPSR_OFFSET(vq), &f->v.fpsr, CONTROL_SIZE);
	} else {
		put(buf, n, SVE_PT_FPSIMD_OFFSET, &f->v, sizeof(f->v));
	}
	return (int)n;
}

static int set_sve(struct task *task, const void *buf, size_t n)
{
	struct arch_fpu *f = task->thread.fpu;
	unsigned int vq = quadwords(task);

	if (a64_sve_alloc(f))
		return -ENOMEM;
	if (!(task->thread.extra & THREAD_SVE))
		a64_sve_zero(f);
	a64_sve_from_fpsimd(f);
	take(buf, n, SVE_PT_SVE_OFFSET, f->sve, SVE_SIG_REGS_SIZE(vq));
	take(buf, n, SVE_PT_SVE_FPSR_OFFSET(vq), &f->v.fpsr, CONTROL_SIZE);
	a64_sve_to_fpsimd(f);
	task->thread.extra |= THREAD_SVE;
	return 0;
}

/* Of a stopped task. What a short set does not reach stays. */
int a64_sve_regset_set(struct task *task, const void *buf, size_t n)
{
	struct user_sve_header h;
	int err;

	if (!a64_has_sve || task == current || n < sizeof(h) || n % SVE_VQ_BYTES)
		return -EINVAL;
	if (!task->thread.fpu)
		return -ENODEV;
	memcpy(&h, buf, sizeof(h));
	err = a64_sve_set_vl(task, h.vl, (unsigned long)(h.flags & ~SVE_PT_REGS_MASK) << 16);
	if (err)
		return err;
	if ((h.flags & SVE_PT_REGS_MASK) == SVE_PT_REGS_FPSIMD) {
		a64_sve_drop(task);
		take(buf, n, SVE_PT_FPSIMD_OFFSET, &task->thread.fpu->v, sizeof(task->thread.fpu->v));
	} else {
		/* Of another length than was asked for, so the registers lie elsewhere. */
		err = n > sizeof(h) && task->thread.fpu->vl != h.vl ? -EIO : set_sve(task, buf, n);
	}
	a64_fpu_changed(task);
	return err ?: (int)n;
}
