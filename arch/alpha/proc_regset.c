// SPDX-License-Identifier: MIT
/* Register sets of a stopped task, for ptrace and core dumps: $0..$30, pc, the thread pointer; $f0..$f30, the control register. */
#include <arch/ptrace.h>
#include <arch/switch.h>
#include <abi/errno.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/elf.h>
#include <sched/task.h>
#include "arch/alpha/alpha_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

#define SET_PC 31
#define SET_UNIQUE 32
#define SET_WORDS 33

size_t arch_regset_size(unsigned int type)
{
	return type == NT_PRSTATUS ? SET_WORDS * 8 : type == NT_PRFPREG ? sizeof(struct arch_fpu) : 0;
}

static u64 unique_of(const struct task *task)
{
	return task == current ? pal_call0(PAL_rdunique) : task->thread.unique;
}

static void set_unique(struct task *task, u64 v)
{
	if (task == current)
		pal_call1(PAL_wrunique, v);
	else
		task->thread.unique = v;
}

static void read_general(struct task *task, u64 *set)
{
	struct pt_regs *r = task_pt_regs(task);

	for (unsigned int i = 0; i < 31; i++)
		set[i] = *regs_general(r, i);
	set[SET_PC] = r->pc;
	set[SET_UNIQUE] = unique_of(task);
}

static struct arch_fpu *fpu_of(struct task *task)
{
	if (task->thread.fpu && task == current)
		fpu_sync();
	return task->thread.fpu;
}

int arch_regset_get(struct task *task, unsigned int type, void *buf, size_t len)
{
	size_t n = min(len, arch_regset_size(type));
	u64 set[SET_WORDS];

	if (type == NT_PRSTATUS) {
		read_general(task, set);
		memcpy(buf, set, n);
		return (int)n;
	}
	if (type != NT_PRFPREG)
		return -EINVAL;
	if (!fpu_of(task))
		return -ENODEV;
	memcpy(buf, task->thread.fpu, n);
	return (int)n;
}

int arch_regset_set(struct task *task, unsigned int type, const void *buf, size_t len)
{
	size_t n = min(len, arch_regset_size(type));
	struct pt_regs *r = task_pt_regs(task);
	u64 set[SET_WORDS];

	if (type == NT_PRSTATUS) {
		read_general(task, set);
		memcpy(set, buf, n);
		for (unsigned int i = 0; i < 31; i++)
			*regs_general(r, i) = set[i];
		r->pc = set[SET_PC];
		set_unique(task, set[SET_UNIQUE]);
		return (int)n;
	}
	if (type != NT_PRFPREG)
		return -EINVAL;
	if (!fpu_of(task))
		return -ENODEV;
	memcpy(task->thread.fpu, buf, n);
	fpu_changed(task);
	return (int)n;
}

/* Not offsets but numbers: 0..30 $n, 32..62 $f(n - 32), 63 the control register, 64 pc, 65 the thread pointer. */
enum { PEEK_FP = 32, PEEK_PC = 64, PEEK_UNIQUE = 65 };

int arch_peek_user(struct task *task, unsigned long off, unsigned long *val)
{
	if (off > PEEK_UNIQUE)
		return -EIO;
	if (off == PEEK_UNIQUE)
		*val = unique_of(task);
	else if (off == PEEK_PC)
		*val = task_pt_regs(task)->pc;
	else if (off < PEEK_FP)
		*val = off == 31 ? 0 : *regs_general(task_pt_regs(task), (unsigned int)off);
	else if (fpu_of(task))
		*val = ((const u64 *)task->thread.fpu)[off - PEEK_FP];
	else
		return -EIO;
	return 0;
}

int arch_poke_user(struct task *task, unsigned long off, unsigned long val)
{
	if (off > PEEK_UNIQUE)
		return -EIO;
	if (off == PEEK_UNIQUE) {
		set_unique(task, val);
	} else if (off == PEEK_PC) {
		task_pt_regs(task)->pc = val;
	} else if (off < PEEK_FP) {
		if (off != 31)
			*regs_general(task_pt_regs(task), (unsigned int)off) = val;
	} else if (fpu_of(task)) {
		((u64 *)task->thread.fpu)[off - PEEK_FP] = val;
		fpu_changed(task);
	} else {
		return -EIO;
	}
	return 0;
}
