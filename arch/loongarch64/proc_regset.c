// SPDX-License-Identifier: MIT
/* Register sets of a stopped task, for ptrace and core dumps (struct user_pt_regs, user_fp_state, user_lsx_state, user_lasx_state). */
#include <arch/ptrace.h>
#include <arch/switch.h>
#include <abi/errno.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/elf.h>
#include <sched/task.h>
#include "arch/loongarch64/la64_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

#define CPUCFG_WORDS 64

/* The vector sets' registers, in bytes each; 0: not such a set. */
static unsigned int vector_bytes(unsigned int type)
{
	return type == NT_LOONGARCH_LSX && la64_fpu_width() >= FPU_128 ? 16 :
	       type == NT_LOONGARCH_LASX && la64_fpu_width() >= FPU_256 ? 32 : 0;
}

size_t arch_regset_size(unsigned int type)
{
	switch (type) {
	case NT_PRSTATUS:
		return sizeof(struct user_pt_regs);
	case NT_PRFPREG:
		return sizeof(struct user_fp_state);
	case NT_LOONGARCH_CPUCFG:
		return CPUCFG_WORDS * 4;
	}
	return 32 * vector_bytes(type);
}

static void read_general(const struct pt_regs *r, struct user_pt_regs *u)
{
	*u = (struct user_pt_regs){ .orig_a0 = r->orig_a0, .csr_era = r->era, .csr_badv = r->badv };
	memcpy(u->regs, r->regs, sizeof(u->regs));
}

static struct arch_fpu *fpu_of(struct task *task)
{
	if (task->thread.fpu && task == current)
		fpu_sync();
	return task->thread.fpu;
}

static int get_fp(struct task *task, void *buf, size_t n)
{
	const struct arch_fpu *f = fpu_of(task);
	struct user_fp_state s = { 0 };

	if (!f)
		return -ENODEV;
	for (unsigned int i = 0; i < 32; i++)
		s.fpr[i] = f->v[i][0];
	s.fcc = f->fcc;
	s.fcsr = f->fcsr;
	memcpy(buf, &s, n);
	return (int)n;
}

static int get_vector(struct task *task, u8 *buf, size_t n, unsigned int bytes)
{
	const struct arch_fpu *f = fpu_of(task);

	if (!f || !bytes)
		return f ? -EINVAL : -ENODEV;
	for (size_t at = 0; at < n; at += bytes)
		memcpy(buf + at, f->v[at / bytes], min((size_t)bytes, n - at));
	return (int)n;
}

int arch_regset_get(struct task *task, unsigned int type, void *buf, size_t len)
{
	size_t n = min(len, arch_regset_size(type));
	struct user_pt_regs u;

	switch (type) {
	case NT_PRSTATUS:
		read_general(task_pt_regs(task), &u);
		memcpy(buf, &u, n);
		return (int)n;
	case NT_PRFPREG:
		return get_fp(task, buf, n);
	case NT_LOONGARCH_CPUCFG:
		for (size_t at = 0; at < n; at += 4) {
			u32 v = cpucfg((unsigned int)at / 4);

			memcpy((u8 *)buf + at, &v, min((size_t)4, n - at));
		}
		return (int)n;
	}
	return get_vector(task, buf, n, vector_bytes(type));
}

static int set_fp(struct task *task, const void *buf, size_t n)
{
	struct user_fp_state s;
	struct arch_fpu *f;
	int got = get_fp(task, &s, sizeof(s));

	if (got < 0)
		return got;
	memcpy(&s, buf, n);
	f = task->thread.fpu;
	for (unsigned int i = 0; i < 32; i++)
		f->v[i][0] = s.fpr[i];
	f->fcc = s.fcc;
	f->fcsr = s.fcsr;
	fpu_changed(task);
	return (int)n;
}

static int set_vector(struct task *task, const u8 *buf, size_t n, unsigned int bytes)
{
	struct arch_fpu *f = fpu_of(task);
	u32 width = bytes == 32 ? FPU_256 : FPU_128;

	if (!f || !bytes)
		return f ? -EINVAL : -ENODEV;
	for (size_t at = 0; at < n; at += bytes)
		memcpy(f->v[at / bytes], buf + at, min((size_t)bytes, n - at));
	if (f->width < width)
		f->width = width;
	fpu_changed(task);
	return (int)n;
}

int arch_regset_set(struct task *task, unsigned int type, const void *buf, size_t len)
{
	size_t n = min(len, arch_regset_size(type));
	struct pt_regs *r = task_pt_regs(task);
	struct user_pt_regs u;

	switch (type) {
	case NT_PRSTATUS:
		read_general(r, &u);
		memcpy(&u, buf, n);
		memcpy(&r->regs[1], &u.regs[1], sizeof(u.regs) - sizeof(u.regs[0]));
		r->orig_a0 = u.orig_a0;
		r->era = u.csr_era;
		return (int)n;
	case NT_PRFPREG:
		return set_fp(task, buf, n);
	case NT_LOONGARCH_CPUCFG:
		return -EINVAL;		/* the CPU's */
	}
	return set_vector(task, buf, n, vector_bytes(type));
}

/* Not offsets but numbers: 32 registers, the first argument, the instruction, the last bad address (<asm/ptrace.h>). */
int arch_peek_user(struct task *task, unsigned long off, unsigned long *val)
{
	const struct pt_regs *r = task_pt_regs(task);

	if (off > BADVADDR)
		return -EIO;
	*val = off < GPR_NUM ? r->regs[off] : off == ARG0 ? r->orig_a0 : off == PC ? r->era : r->badv;
	return 0;
}

int arch_poke_user(struct task *task, unsigned long off, unsigned long val)
{
	struct pt_regs *r = task_pt_regs(task);

	if (off > PC)
		return -EIO;
	if (off == PC)
		r->era = val;
	else if (off == ARG0)
		r->orig_a0 = val;
	else if (off)
		r->regs[off] = val;
	return 0;
}
