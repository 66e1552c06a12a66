// SPDX-License-Identifier: MIT
/* Register sets of a stopped task, for ptrace and core dumps (struct user_regs_struct, __riscv_d_ext_state, __riscv_v_regset_state). */
#include <arch/ptrace.h>
#include <arch/switch.h>
#include <abi/errno.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/elf.h>
#include <sched/task.h>
#include "arch/riscv64/rv_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

#define V_HEAD sizeof(struct __riscv_v_regset_state)

size_t arch_regset_size(unsigned int type)
{
	switch (type) {
	case NT_PRSTATUS:
		return sizeof(struct user_regs_struct);
	case NT_PRFPREG:
		return rv_has(RV_EXT_D) ? sizeof(struct __riscv_d_ext_state) : 0;
	case NT_RISCV_VECTOR:
		return rv_vlenb ? V_HEAD + 32UL * rv_vlenb : 0;
	}
	return 0;
}

static int get_vector(struct task *task, void *buf, size_t n)
{
	const struct __riscv_v_ext_state *s = task->thread.vector;
	struct __riscv_v_regset_state h;

	if (!s)
		return -ENODATA;
	if (task == current)
		rv_vector_sync();
	h = (struct __riscv_v_regset_state){ .vstart = s->vstart, .vl = s->vl, .vtype = s->vtype, .vcsr = s->vcsr, .vlenb = s->vlenb };
	memcpy(buf, &h, min(n, V_HEAD));
	if (n > V_HEAD)
		memcpy((char *)buf + V_HEAD, s + 1, n - V_HEAD);
	return (int)n;
}

static int set_vector(struct task *task, const void *buf, size_t n)
{
	struct __riscv_v_ext_state *s = task->thread.vector;
	struct __riscv_v_regset_state h;

	if (!s)
		return -ENODATA;
	if (n < V_HEAD)
		return -EINVAL;
	memcpy(&h, buf, V_HEAD);
	if (h.vlenb != rv_vlenb)
		return -EINVAL;
	if (task == current)
		rv_vector_sync();
	s->vstart = h.vstart;
	s->vl = h.vl;
	s->vtype = h.vtype;
	s->vcsr = h.vcsr;
	memcpy(s + 1, (const char *)buf + V_HEAD, n - V_HEAD);
	rv_vector_changed(task);
	return (int)n;
}

int arch_regset_get(struct task *task, unsigned int type, void *buf, size_t len)
{
	size_t n = min(len, arch_regset_size(type));

	switch (type) {
	case NT_PRSTATUS:
		memcpy(buf, &task_pt_regs(task)->user, n);
		return (int)n;
	case NT_PRFPREG:
		if (!task->thread.fpu)
			return -ENODEV;
		if (task == current)
			fpu_sync();
		memcpy(buf, &task->thread.fpu->d, n);
		return (int)n;
	case NT_RISCV_VECTOR:
		return n ? get_vector(task, buf, n) : -EINVAL;
	}
	return -EINVAL;
}

int arch_regset_set(struct task *task, unsigned int type, const void *buf, size_t len)
{
	size_t n = min(len, arch_regset_size(type));
	struct pt_regs *r = task_pt_regs(task);

	switch (type) {
	case NT_PRSTATUS:
		memcpy(&r->user, buf, n);
		if (r->syscallno != -1)
			r->syscallno = (long)r->a7;	/* a tracer chose another call, or none */
		return (int)n;
	case NT_PRFPREG:
		if (!task->thread.fpu)
			return -ENODEV;
		if (task == current)
			fpu_sync();
		memcpy(&task->thread.fpu->d, buf, n);
		fpu_changed(task);
		return (int)n;
	case NT_RISCV_VECTOR:
		return n ? set_vector(task, buf, n) : -EINVAL;
	}
	return -EINVAL;
}
