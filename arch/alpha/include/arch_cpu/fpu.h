/* SPDX-License-Identifier: MIT */
/* The floating-point area of a task, shared by the switch, signals and ptrace. */
#pragma once

#include <asm/fpu.h>
#include <lib/string.h>
#include "arch/alpha/alpha_priv.h"
#include <lib/types.h>

struct task;

struct arch_fpu {
	u64 f[31];		/* $f31 is zero */
	u64 fpcr;
};
static_assert(sizeof(struct arch_fpu) == 256, "fpu.S");

#define FPU_SIZE sizeof(struct arch_fpu)
#define FPU_ALIGN 32

static inline void fpu_regs_init(void) { }
static inline void fpu_regs_save(struct task *t, struct arch_fpu *f) { alpha_save_fp(f); }
static inline void fpu_regs_load(struct task *t, const struct arch_fpu *f) { alpha_load_fp(f); }

static inline void fpu_regs_initial(struct arch_fpu *f)
{
	memset(f, 0, sizeof(*f));
	f->fpcr = FPCR_DYN_NORMAL | ieee_swcr_to_fpcr(0);
}

static inline void fpu_kernel_on(void) { }
static inline void fpu_kernel_off(void) { }
