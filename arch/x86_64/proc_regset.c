// SPDX-License-Identifier: MIT
/* Register sets of a stopped task, for ptrace and core dumps (struct user_regs_struct of <sys/user.h>, elf notes). */
#include <arch/ptrace.h>
#include <arch/switch.h>
#include <abi/errno.h>
#include <kernel/bug.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/elf.h>
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <asm/ptrace-abi.h>
#include <mm/uaccess.h>
#include <sched/task.h>
#include "arch/x86_64/x86_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

#define NR_USER_REGS 27
#define REG_FS_BASE 21
#define REG_GS_BASE 22
#define DEBUGREG_OFF 848		/* u_debugreg in struct user */
#define USER_SIZE 928			/* sizeof(struct user) */
#define DR6_FIXED 0xffff0ff0UL		/* thread.dr6 has these the other way round: 0 is as after a reset */

#define USER_FLAGS (X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_TF | \
		    X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_NT)

/* r15 .. ss are struct pt_regs itself; then fs_base, gs_base, ds, es, fs, gs. */
static void get_gp(struct task *task, unsigned long *u)
{
	const struct arch_thread *t = &task->thread;

	x86_sync_bases(task);
	memcpy(u, task_pt_regs(task), sizeof(struct pt_regs));
	if (test_tsk_flag(task, TIF_SINGLESTEP))
		u[18] &= ~X86_EFLAGS_TF;
	u[REG_FS_BASE] = t->fsbase;
	u[REG_GS_BASE] = t->gsbase;
	u[23] = t->ds;
	u[24] = t->es;
	u[25] = t->fs;
	u[26] = t->gs;
}

static int set_gp(struct task *task, const unsigned long *u)
{
	struct pt_regs *r = task_pt_regs(task);
	unsigned long flags = r->eflags;

	if (u[REG_FS_BASE] >= TASK_SIZE_MAX || u[REG_GS_BASE] >= TASK_SIZE_MAX)
		return -EIO;
	/* cs and ss; ds, es, fs, gs, of which 0 is one, too. */
	if ((u[17] & 3) != 3 || (u[20] & 3) != 3)
		return -EIO;
	for (unsigned int i = 23; i < NR_USER_REGS; i++)
		if ((u16)u[i] && (u[i] & 3) != 3)
			return -EIO;
	memcpy(r, u, sizeof(*r));
	r->cs = USER_CS;
	r->ss = USER_DS;
	r->eflags = (flags & ~USER_FLAGS) | (r->eflags & USER_FLAGS);
	x86_sync_bases(task);
	task->thread.fsbase = u[REG_FS_BASE];
	task->thread.gsbase = u[REG_GS_BASE];
	x86_load_bases(task);
	return 0;
}

size_t arch_regset_size(unsigned int type)
{
	switch (type) {
	case NT_PRSTATUS:
		return NR_USER_REGS * sizeof(unsigned long);
	case NT_PRFPREG:
		return FXSAVE_SIZE;
	case NT_X86_XSTATE:
		return xsave_size;
	}
	return 0;
}

/* What XSAVE alone tells of is not there without it. */
static bool has_set(const struct task *task, unsigned int type)
{
	return x86_own_fpu(task) && (type == NT_PRFPREG || cpu_has(X86_FEATURE_XSAVE));
}

/* XSAVE's header (Intel SDM 1, 13.4.2): components that there are, in the standard form, and zeroes. */
static bool header_valid(const struct arch_fpu *f)
{
	u64 any = (f->xstate_bv & ~xfeatures_mask) | f->xcomp_bv;

	for (unsigned int i = 0; i < 48; i++)
		any |= f->rest[i];
	return !any;
}

/* A whole image: FXSAVE's part alone leaves the other components as they are. */
static int set_fpu(struct task *task, unsigned int type, const struct arch_fpu *from, size_t n)
{
	struct arch_fpu *f = x86_own_fpu(task);

	if (!x86_mxcsr_valid(from) || (type == NT_X86_XSTATE && !header_valid(from)))
		return -EINVAL;
	if (task == current)
		fpu_sync();
	memcpy(f, from, n);
	if (type == NT_PRFPREG && cpu_has(X86_FEATURE_XSAVE))
		f->xstate_bv |= 3;
	BUG_ON(x86_fpu_sanitize(f, xsave_size));
	fpu_changed(task);
	return (int)n;
}

int arch_regset_get(struct task *task, unsigned int type, void *buf, size_t len)
{
	size_t n = min(len, arch_regset_size(type));
	unsigned long u[NR_USER_REGS];

	if (!arch_regset_size(type))
		return -EINVAL;
	if (type == NT_PRSTATUS) {
		get_gp(task, u);
		memcpy(buf, u, n);
		return (int)n;
	}
	if (!has_set(task, type))
		return -ENODEV;
	if (task == current)
		fpu_sync();
	memcpy(buf, x86_own_fpu(task), n);
	if (type == NT_X86_XSTATE && n >= FXSAVE_SIZE)		/* the software words tell which components there are */
		memcpy((u8 *)buf + 464, &xfeatures_mask, 8);
	return (int)n;
}

int arch_regset_set(struct task *task, unsigned int type, const void *buf, size_t len)
{
	size_t size = arch_regset_size(type), n = min(len, size);
	unsigned long u[NR_USER_REGS];
	int err;

	if (!size)
		return -EINVAL;
	if (type == NT_PRSTATUS) {
		if (len % sizeof(unsigned long))
			return -EINVAL;
		get_gp(task, u);
		memcpy(u, buf, n);
		err = set_gp(task, u);
		return err ? err : (int)n;
	}
	if (!has_set(task, type))
		return -ENODEV;
	return n < size ? -EINVAL : set_fpu(task, type, buf, n);
}

int arch_peek_user(struct task *task, unsigned long off, unsigned long *val)
{
	unsigned long u[NR_USER_REGS];

	if (off % 8 || off >= USER_SIZE)
		return -EIO;
	if (off < sizeof(u)) {
		get_gp(task, u);
		*val = u[off / 8];
		return 0;
	}
	if (off >= DEBUGREG_OFF && off < DEBUGREG_OFF + 64) {
		unsigned int i = (unsigned int)(off - DEBUGREG_OFF) / 8;

		*val = i < 4 ? task->thread.debugreg[i] : i == 6 ? task->thread.dr6 ^ DR6_FIXED : i == 7 ? task->thread.dr7 : 0;
		return 0;
	}
	*val = 0;	/* what core dumps of old have there */
	return 0;
}

/* R/W fields of DR7, two bits at 16 + 4 i (Intel SDM 3, 18.2.4): 2 is I/O, which no user has a debugger's business with. */
static bool breaks_on_io(unsigned long dr7)
{
	for (unsigned int i = 0; i < 4; i++)
		if ((dr7 >> (16 + 4 * i) & 3) == 2 && dr7 >> 2 * i & 3)
			return true;
	return false;
}

/* Watchpoints: user addresses only, no general-detect bit. */
static int set_debugreg(struct task *task, unsigned int i, unsigned long v)
{
	if (i < 4) {
		if (v >= TASK_SIZE_MAX - 7)
			return -EINVAL;
		task->thread.debugreg[i] = v;
	} else if (i == 6) {
		task->thread.dr6 = v ^ DR6_FIXED;
	} else if (i == 7) {
		if (breaks_on_io(v))
			return -EINVAL;
		task->thread.dr7 = v;
		task->thread.rare = (task->thread.rare & ~THREAD_DEBUG) | (v ? THREAD_DEBUG : 0);
	} else {
		return -EIO;
	}
	return 0;
}

int arch_poke_user(struct task *task, unsigned long off, unsigned long val)
{
	unsigned long u[NR_USER_REGS];

	if (off % 8)
		return -EIO;
	if (off < sizeof(u)) {
		get_gp(task, u);
		u[off / 8] = val;
		return set_gp(task, u);
	}
	if (off >= DEBUGREG_OFF && off < DEBUGREG_OFF + 64)
		return set_debugreg(task, (unsigned int)(off - DEBUGREG_OFF) / 8, val);
	return -EIO;
}

/* ptrace(2), PTRACE_ARCH_PRCTL: what arch_prctl(2) of the bases would do in TASK. */
static long arch_prctl_of(struct task *task, int code, unsigned long arg)
{
	struct arch_thread *t = &task->thread;
	bool gs = code == ARCH_SET_GS || code == ARCH_GET_GS;

	switch (code) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (arg >= TASK_SIZE_MAX)
			return -EPERM;
		x86_sync_bases(task);
		*(gs ? &t->gsbase : &t->fsbase) = arg;
		x86_load_bases(task);
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		x86_sync_bases(task);
		return put_user(gs ? t->gsbase : t->fsbase, UPTR(arg)) ? -EFAULT : 0;
	}
	return -EINVAL;
}

#define FIRST_TLS 12			/* entries of the GDT that 32-bit programs set: none has been */
#define LAST_TLS 14

static long get_thread_area(unsigned long entry, struct uptr to)
{
	struct user_desc d = { .entry_number = (unsigned int)entry, .read_exec_only = 1, .seg_not_present = 1 };

	if ((int)entry < 0)
		return -EIO;
	if (entry < FIRST_TLS || entry > LAST_TLS)
		return -EINVAL;
	return copy_to_user(to, &d, sizeof(d)) ? -EFAULT : 0;
}

long arch_ptrace(struct task *task, long request, unsigned long addr, unsigned long data)
{
	switch (request) {
	case PTRACE_ARCH_PRCTL:
		return arch_prctl_of(task, (int)data, addr);
	case PTRACE_GET_THREAD_AREA:
		return get_thread_area(addr, UPTR(data));
	}
	return -EIO;
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
	struct pt_regs *r = task_pt_regs(task);

	if (on)
		r->eflags |= X86_EFLAGS_TF;
	else
		r->eflags &= ~X86_EFLAGS_TF;
}
