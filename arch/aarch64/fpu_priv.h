/* SPDX-License-Identifier: MIT */
/* The FPU area of a task, shared by the switch, signals and ptrace. SVE and SME stay off: user mode does not see them. */
#pragma once

#include <asm/ptrace.h>

struct task;

#define NR_PAC_KEYS 5		/* IA IB DA DB GA, as PR_PAC_AP*KEY number them */

#define ALL_PAC_KEYS ((1U << NR_PAC_KEYS) - 1)

/* Keys of pointer authentication. */
struct a64_keys {
	u64 key[NR_PAC_KEYS][2];
	u64 serial;		/* equal: the same keys. Threads and children have those of their maker */
	u64 sctlr;		/* the bits of SCTLR_EL1 that enable them */
};

/* What a user task owns beside its general registers. */
struct arch_fpu {
	struct user_fpsimd_state v;
	struct a64_keys keys;
};

#define FPU_NO_CPU 0xffffffffU

void a64_fpu_save(struct user_fpsimd_state *regs);
void a64_fpu_load(const struct user_fpsimd_state *regs);
void a64_fpu_switch(struct task *prev, struct task *next);
/* sched_pac.c: makes new keys of those in MASK (bits as PR_PAC_AP*KEY); the CPU has K's from now on. Interrupts off. */
void a64_keys_make(struct a64_keys *k, unsigned int mask);
void a64_keys_load(const struct a64_keys *k);
unsigned long a64_keys_enabled(const struct a64_keys *k);
int a64_keys_enable(struct a64_keys *k, unsigned long keys, unsigned long enabled);
/* Writes the running task's registers into its area. */
void a64_fpu_sync(void);
/* The area of a stopped or the running task was changed: registers anywhere are stale. */
void a64_fpu_changed(struct task *task);
