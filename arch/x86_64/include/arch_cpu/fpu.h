/* SPDX-License-Identifier: MIT */
/* The FPU area of a task, shared by the switch, signals and ptrace. */
#pragma once

#include "arch/x86_64/x86_priv.h"
#include <lib/types.h>

struct task;

/* The XSAVE area in the standard format (Intel SDM vol. 1, 13.4), or an FXSAVE image. xsave_size bytes. */
#define FXSAVE_SIZE 512
struct arch_fpu {
	u8 legacy[FXSAVE_SIZE];
	u64 xstate_bv, xcomp_bv;
	u8 rest[];
} __aligned(64);

/* Makes an area that came from outside loadable: reserved bits cleared, unknown components refused. 0 or -EINVAL. */
bool x86_mxcsr_valid(const struct arch_fpu *fpu);
int x86_fpu_sanitize(struct arch_fpu *fpu, size_t len);
void x86_fpu_reset(struct arch_fpu *fpu);
/* These components of the running task's registers take their initial state. The CPU has XSAVE. */
void x86_fpu_reset_some(u64 components);
void x86_sync_bases(struct task *task);
void x86_load_bases(struct task *task);

/* The task's own area, for who shows or changes its registers; NULL: it has none. */
struct arch_fpu *x86_own_fpu(const struct task *task);

#define FPU_SIZE xsave_size
#define FPU_ALIGN 64

static inline void fpu_regs_save(struct task *t, struct arch_fpu *f)
{
	if (cpu_has(X86_FEATURE_XSAVEOPT))
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(f), "a"((u32)xfeatures_mask), "d"((u32)(xfeatures_mask >> 32)) : "memory");
	else if (cpu_has(X86_FEATURE_XSAVE))
		__asm__ volatile("xsave64 (%0)" : : "r"(f), "a"((u32)xfeatures_mask), "d"((u32)(xfeatures_mask >> 32)) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(f) : "memory");
}

static inline void x86_xrstor_some(const struct arch_fpu *f, u64 mask)
{
	__asm__ volatile("xrstor64 (%0)" : : "r"(f), "a"((u32)mask), "d"((u32)(mask >> 32)) : "memory");
}

static inline void x86_xrstor(const struct arch_fpu *f)
{
	if (cpu_has(X86_FEATURE_XSAVE))
		x86_xrstor_some(f, xfeatures_mask);
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(f) : "memory");
}

/* sched_fpu.c: the registers start out as a fresh task's. */
void fpu_regs_init(void);
void fpu_kernel_on(void);
static inline void fpu_regs_load(struct task *t, const struct arch_fpu *f) { x86_xrstor(f); }
static inline void fpu_regs_initial(struct arch_fpu *f) { x86_fpu_reset(f); }
static inline void fpu_kernel_off(void) { }
