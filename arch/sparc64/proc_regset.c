// SPDX-License-Identifier: MIT
/* Register sets of a stopped task, for ptrace and core dumps. */
#include <arch/ptrace.h>
#include <arch/switch.h>
#include <abi/errno.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/elf.h>
#include <sched/task.h>
#include "arch/sparc64/sparc_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

/* NT_PRSTATUS: globals, outs, then locals and ins of the window that trapped, tstate, tpc, tnpc, y. */
struct general {
	u64 u_regs[16];
	struct arch_window w;
	u64 tstate, tpc, tnpc, y;
};
static_assert(sizeof(struct general) == 36 * 8, "ELF_CORE_NREGS");

size_t arch_regset_size(unsigned int type)
{
	switch (type) {
	case NT_PRSTATUS:
		return sizeof(struct general);
	case NT_PRFPREG:
		return sizeof(struct arch_fpu);
	}
	return 0;
}

/* The window of another task is on that task's stack in its address space; it is not read from there yet, and so not shown. */
static void read_general(struct task *task, struct general *g)
{
	const struct pt_regs *r = task_pt_regs(task);

	*g = (struct general){ .tstate = r->tstate, .tpc = r->tpc, .tnpc = r->tnpc, .y = r->y };
	memcpy(g->u_regs, r->u_regs, sizeof(g->u_regs));
	if (task == current && sparc_windows_to_user() && sparc_window_from_user(r))
		g->w = task->thread.window;
}

int arch_regset_get(struct task *task, unsigned int type, void *buf, size_t len)
{
	size_t n = min(len, arch_regset_size(type));
	struct general g;

	switch (type) {
	case NT_PRSTATUS:
		read_general(task, &g);
		memcpy(buf, &g, n);
		return (int)n;
	case NT_PRFPREG:
		if (!task->thread.fpu)
			return -ENODEV;
		if (task == current)
			fpu_sync();
		memcpy(buf, task->thread.fpu, n);
		return (int)n;
	}
	return -EINVAL;
}

int arch_regset_set(struct task *task, unsigned int type, const void *buf, size_t len)
{
	size_t n = min(len, arch_regset_size(type));
	struct pt_regs *r = task_pt_regs(task);
	struct general g;

	switch (type) {
	case NT_PRSTATUS:
		read_general(task, &g);
		memcpy(&g, buf, n);
		memcpy(&r->u_regs[1], &g.u_regs[1], sizeof(r->u_regs) - sizeof(r->u_regs[0]));
		r->tpc = g.tpc;
		r->tnpc = g.tnpc;
		r->y = (u32)g.y;
		r->tstate = (r->tstate & ~(0xffULL << 32)) | (g.tstate & 0xffULL << 32);
		return (int)n;
	case NT_PRFPREG:
		if (!task->thread.fpu)
			return -ENODEV;
		if (task == current)
			fpu_sync();
		memcpy(task->thread.fpu, buf, n);
		task->thread.fpu->fprs &= 7;
		fpu_changed(task);
		return (int)n;
	}
	return -EINVAL;
}
