// SPDX-License-Identifier: MIT
/* Register sets of a stopped task, for ptrace and core dumps (struct user_pt_regs, struct user_fpsimd_state, TLS). */
#include <arch/ptrace.h>
#include <arch/switch.h>
#include <abi/errno.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/elf.h>
#include <sched/task.h>
#include "arch/aarch64/a64_priv.h"
#include "arch/aarch64/fpu_priv.h"

size_t arch_regset_size(unsigned int type)
{
	switch (type) {
	case NT_PRSTATUS:
		return sizeof(struct user_pt_regs);
	case NT_PRFPREG:
		return sizeof(struct user_fpsimd_state);
	case NT_ARM_SVE:
		return a64_sve_regset_size();
	case NT_ARM_HW_BREAK:
	case NT_ARM_HW_WATCH:
		return sizeof(struct user_hwdebug_state);
	case NT_ARM_PAC_MASK:
		return a64_has_paca ? sizeof(struct user_pac_mask) : 0;
	case NT_ARM_PAC_ENABLED_KEYS:
		return a64_has_paca ? 8 : 0;
	case NT_ARM_TLS:
	case NT_ARM_SYSTEM_CALL:
		return type == NT_ARM_TLS ? 8 : 4;
	}
	return 0;
}

/* Where an address has its signature: what is above user addresses but for bit 55, which says whose it is. There are no tags (TBI). */
#define PAC_BITS 0xff7f000000000000ULL

static u64 tls_of(const struct task *task)
{
	return task == current ? read_sysreg(tpidr_el0) : task->thread.tls;
}

int arch_regset_get(struct task *task, unsigned int type, void *buf, size_t len)
{
	size_t n = min(len, arch_regset_size(type));
	struct pt_regs *r = task_pt_regs(task);
	struct user_hwdebug_state debug;
	struct user_pac_mask pac = { PAC_BITS, PAC_BITS };
	u64 tls = tls_of(task), keys;
	s32 nr = (s32)r->syscallno;

	switch (type) {
	case NT_PRSTATUS:
		memcpy(buf, &r->user, n);
		return (int)n;
	case NT_PRFPREG:
		if (!task->thread.fpu)
			return -ENODEV;
		if (task == current)
			a64_fpu_sync();
		memcpy(buf, &task->thread.fpu->v, n);
		return (int)n;
	case NT_ARM_SVE:
		return a64_sve_regset_get(task, buf, n);
	case NT_ARM_HW_BREAK:
	case NT_ARM_HW_WATCH:
		a64_debug_get(task, type == NT_ARM_HW_WATCH, &debug);
		memcpy(buf, &debug, n);
		return (int)n;
	case NT_ARM_PAC_MASK:
		memcpy(buf, &pac, n);
		return (int)n;
	case NT_ARM_PAC_ENABLED_KEYS:
		if (!task->thread.fpu)
			return -ENODEV;
		keys = a64_keys_enabled(&task->thread.fpu->keys);
		memcpy(buf, &keys, n);
		return (int)n;
	case NT_ARM_TLS:
		memcpy(buf, &tls, n);
		return (int)n;
	case NT_ARM_SYSTEM_CALL:
		memcpy(buf, &nr, n);
		return (int)n;
	}
	return -EINVAL;
}

int arch_regset_set(struct task *task, unsigned int type, const void *buf, size_t len)
{
	size_t n = min(len, arch_regset_size(type));
	struct pt_regs *r = task_pt_regs(task);
	struct user_pt_regs u = r->user;
	u64 tls = tls_of(task);
	s32 nr = (s32)r->syscallno;

	switch (type) {
	case NT_PRSTATUS:
		memcpy(&u, buf, n);
		u.pstate = (u.pstate & a64_user_pstate) | PSR_MODE_EL0t;
		r->user = u;
		return (int)n;
	case NT_PRFPREG:
		if (!task->thread.fpu)
			return -ENODEV;
		if (task == current)
			a64_fpu_sync();
		memcpy(&task->thread.fpu->v, buf, n);
		a64_sve_zero(task->thread.fpu);
		a64_fpu_changed(task);
		return (int)n;
	case NT_ARM_SVE:
		return a64_sve_regset_set(task, buf, n);
	case NT_ARM_HW_BREAK:
	case NT_ARM_HW_WATCH:
		return a64_debug_set(task, type == NT_ARM_HW_WATCH, buf, n) ?: (int)n;
	case NT_ARM_PAC_MASK:
		return -EOPNOTSUPP;
	case NT_ARM_PAC_ENABLED_KEYS: {
		u64 on = 0;
		int err;

		if (!task->thread.fpu)
			return -ENODEV;
		on = a64_keys_enabled(&task->thread.fpu->keys);
		memcpy(&on, buf, n);
		err = a64_keys_enable(&task->thread.fpu->keys, 15, on);
		return err ?: (int)n;
	}
	case NT_ARM_TLS:
		memcpy(&tls, buf, n);
		if (task == current)
			write_sysreg(tls, tpidr_el0);
		else
			task->thread.tls = tls;
		return (int)n;
	case NT_ARM_SYSTEM_CALL:
		memcpy(&nr, buf, n);
		r->syscallno = nr;
		return (int)n;
	}
	return -EINVAL;
}

void arch_set_single_step_flag(struct task *task, bool on)
{
	if (on)
		set_tsk_flag(task, TIF_SINGLESTEP);
	else
		clear_tsk_flag(task, TIF_SINGLESTEP);
}

void arch_set_single_step(struct task *task, bool on)
{
	task->thread.single_step = on;
}
