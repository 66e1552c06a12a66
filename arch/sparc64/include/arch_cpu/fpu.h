/* SPDX-License-Identifier: MIT */
/* The FPU area of a task, shared by the switch, signals and ptrace. */
#pragma once

#include <lib/string.h>
#include "arch/sparc64/sparc_priv.h"
#include <lib/types.h>

struct task;

struct arch_fpu {
	u64 v[32];		/* %f0, %f2 .. %f62 */
	u64 fsr, gsr, fprs;
};
static_assert(offsetof(struct arch_fpu, fsr) == 256, "fpu.S");

#define FPU_SIZE sizeof(struct arch_fpu)
#define FPU_ALIGN 16
#define FPRS_ON 4

static inline void fpu_regs_init(void) { __asm__ volatile("wr %%g0, 0, %%fprs" : : : "memory"); }
static inline void fpu_regs_save(struct task *t, struct arch_fpu *f) { sparc_save_fp(f); }
static inline void fpu_regs_load(struct task *t, const struct arch_fpu *f) { sparc_load_fp(f); }

static inline void fpu_regs_initial(struct arch_fpu *f)
{
	memset(f, 0, sizeof(*f));
	f->fprs = FPRS_ON;
}

static inline void fpu_kernel_on(void) { __asm__ volatile("wr %%g0, %0, %%fprs" : : "i"(FPRS_ON) : "memory"); }
static inline void fpu_kernel_off(void) { }
