/* SPDX-License-Identifier: MIT */
/* The areas of a task's floating-point and vector registers, shared by the switch, signals and ptrace. */
#pragma once

#include <arch/ptrace.h>
#include <arch/switch.h>
#include <lib/string.h>
#include "arch/riscv64/rv_priv.h"
#include <asm/sigcontext.h>

struct task;

struct pt_regs;

struct arch_fpu {
	struct __riscv_d_ext_state d;
};

void rv_fpu_save(struct __riscv_d_ext_state *regs);
void rv_fpu_load(const struct __riscv_d_ext_state *regs);

/* sched_vector.c. The state and, right behind it, 32 registers of vlenb bytes. */
extern unsigned int rv_vlenb;		/* 0: no vector unit */
void rv_vector_save(struct __riscv_v_ext_state *s);
void rv_vector_load(const struct __riscv_v_ext_state *s);
/* uaccess.S: words of user memory, both sides aligned, with the unit on; how many are left. */
size_t rv_vector_copy(unsigned long dst, unsigned long src, size_t words);
size_t rv_vector_clear(unsigned long dst, size_t words);
void rv_vector_detect(void);
void rv_vector_switch(struct task *prev, struct task *next);
void rv_vector_sync(void);
void rv_vector_changed(struct task *task);
int rv_vector_fork(struct task *child);
void rv_vector_exec(void);
void rv_vector_free(struct task *task);
/* An illegal instruction of user mode: true if it was the first use of the unit, which is on now. */
bool rv_vector_first_use(struct pt_regs *regs);

/* Saved where sstatus.FS says that the task had changed them. The kernel runs with the unit off. */
#define FPU_SIZE sizeof(struct arch_fpu)
#define FPU_ALIGN 16

static inline void fpu_regs_init(void) { rv_vector_detect(); }

static inline void fpu_regs_save(struct task *t, struct arch_fpu *f)
{
	struct pt_regs *r = task_pt_regs(t);

	if ((r->status & SR_FS) != SR_FS)		/* not dirty: the area is as good */
		return;
	csr_set(sstatus, SR_FS);
	rv_fpu_save(&f->d);
	csr_clear(sstatus, SR_FS);
	r->status = (r->status & ~SR_FS) | SR_FS_CLEAN;
}

static inline void fpu_regs_load(struct task *t, const struct arch_fpu *f)
{
	struct pt_regs *r;

	csr_set(sstatus, SR_FS);
	rv_fpu_load(&f->d);
	csr_clear(sstatus, SR_FS);
	r = task_pt_regs(t);
	r->status = (r->status & ~SR_FS) | SR_FS_CLEAN;
}

static inline void fpu_regs_initial(struct arch_fpu *f) { memset(f, 0, sizeof(*f)); }
static inline void fpu_kernel_on(void) { csr_set(sstatus, SR_FS); }
static inline void fpu_kernel_off(void) { csr_clear(sstatus, SR_FS); }

#define FPU_MORE
static inline int fpu_more_fork(struct task *child) { return rv_vector_fork(child); }
static inline void fpu_more_free(struct task *task) { rv_vector_free(task); }

/* A machine without the D extension has no floating-point registers. */
static inline bool fpu_more_exec(void)
{
	rv_vector_exec();
	return rv_has(RV_EXT_D);
}
