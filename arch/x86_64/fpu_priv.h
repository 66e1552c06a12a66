/* SPDX-License-Identifier: MIT */
/* The FPU area of a task, shared by the switch, signals and ptrace. */
#pragma once

#include <lib/types.h>

struct task;

/* The XSAVE area in the standard format (Intel SDM vol. 1, 13.4), or an FXSAVE image. xsave_size bytes. */
struct arch_fpu {
	u8 legacy[512];
	u64 xstate_bv, xcomp_bv;
	u8 rest[];
} __aligned(64);

#define FPU_NO_CPU 0xffffffffU

void x86_fpu_switch(struct task *prev, struct task *next);
/* Writes the running task's registers into its area. */
void x86_fpu_sync(void);
/* The area of a stopped or the running task was changed: registers anywhere are stale. Reloads for the running one. */
void x86_fpu_changed(struct task *task);
/* Makes an area that came from outside loadable: reserved bits cleared, unknown components refused. 0 or -EINVAL. */
int x86_fpu_sanitize(struct arch_fpu *fpu, size_t len);
void x86_fpu_reset(struct arch_fpu *fpu);
/* These components of the running task's registers take their initial state. The CPU has XSAVE. */
void x86_fpu_reset_some(u64 components);
void x86_sync_bases(struct task *task);
void x86_load_bases(struct task *task);
