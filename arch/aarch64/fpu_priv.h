/* SPDX-License-Identifier: MIT */
/* The FPU area of a task, shared by the switch, signals and ptrace. SME stays off: user mode does not see it. */
#pragma once

#include <asm/ptrace.h>
#include <lib/types.h>

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
	void *sve;		/* Z0-31, P0-15, FFR for VL, as signal frames have them; NULL: not used yet. True of a task with THREAD_SVE */
	u16 vl;			/* of a Z register, in bytes */
	u16 vl_onexec;		/* after execve; 0: the default */
	bool vl_inherit;	/* vl_onexec stays */
};

#define FPU_NO_CPU 0xffffffffU

void a64_fpu_save(struct user_fpsimd_state *regs);
void a64_fpu_load(const struct user_fpsimd_state *regs);
void a64_fpu_switch(struct task *prev, struct task *next);
/* Where one of the two has THREAD_*: all that is to be done. */
void a64_switch_extra(struct task *prev, struct task *next);
/* sched_pac.c: makes new keys of those in MASK (bits as PR_PAC_AP*KEY); the CPU has K's from now on. Interrupts off. */
void a64_keys_make(struct a64_keys *k, unsigned int mask);
void a64_keys_load(const struct a64_keys *k);
unsigned long a64_keys_enabled(const struct a64_keys *k);
int a64_keys_enable(struct a64_keys *k, unsigned long keys, unsigned long enabled);
/* Writes the running task's registers into its area. */
void a64_fpu_sync(void);
/* The area of a stopped or the running task was changed: registers anywhere are stale. */
void a64_fpu_changed(struct task *task);

/* sve.S: by ZCR_EL1's length */
unsigned long a64_sve_length(void);
void a64_sve_save(void *area);
void a64_sve_load(const void *area);
void a64_sve_flush(void);
/* sched_sve.c */
unsigned int a64_sve_max(void);
int a64_sve_alloc(struct arch_fpu *f);
void a64_sve_leave(struct task *t);
/* The unit for T, which runs now and has THREAD_SVE; LOAD: its registers too. */
void a64_sve_enter(const struct task *t, bool load);
/* T has the FPSIMD registers alone. Interrupts off if it runs. */
void a64_sve_drop(struct task *t);
/* What Z and V registers share, from v to the area and back. */
void a64_sve_from_fpsimd(struct arch_fpu *f);
void a64_sve_to_fpsimd(struct arch_fpu *f);
/* Whoever writes V registers in their own form leaves nothing else. */
void a64_sve_zero(struct arch_fpu *f);
/* For execve, interrupts off: F's settings become the new program's; what is to be freed. */
void *a64_sve_exec(struct arch_fpu *f);
/* As prctl(2) has it; HOW: PR_SVE_*. T is stopped or running this. */
int a64_sve_set_vl(struct task *t, unsigned long vl, unsigned long how);
long a64_sve_prctl(int option, unsigned long arg);

/* proc_sve.c: bytes of the running task's record in a signal frame; all of a64_sve_max's length. */
size_t a64_sve_record_size(void);
size_t a64_sve_record_max(void);
int a64_sve_put_record(struct uptr at, u32 size);
/* Of a frame's record, of SIZE bytes and with DATA behind those: into the area. 1: and it is to be loaded, 0: it says that there is no more than FPSIMD. -errno */
int a64_sve_take_record(struct uptr at, u32 size, u64 data);
size_t a64_sve_regset_size(void);
int a64_sve_regset_get(struct task *task, void *buf, size_t n);
int a64_sve_regset_set(struct task *task, const void *buf, size_t n);
