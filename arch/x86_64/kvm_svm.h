/* SPDX-License-Identifier: MIT */
/*
 * AMD's SVM on this machine: whether it may be used, switching it on and off, entering a guest.
 * What a guest is made of is its owner's.
 */
#pragma once

#include <lib/types.h>
#include "arch/x86_64/kvm_vmcb.h"

/* CPUID 8000_000A, and what decides whether there may be guests at all. */
struct svm_cpu {
	bool amd, svm;			/* the vendor; 8000_0001 ECX */
	u32 asids;			/* 8000_000A EBX: how many, the host's 0 among them */
	u32 features;			/* 8000_000A EDX: SVM_HAS_* */
	u64 vm_cr;			/* MSR C001_0114, 0 where there is none */
};
#define SVM_HAS_NPT (1U << 0)
#define SVM_HAS_LBR (1U << 1)
#define SVM_HAS_LOCK (1U << 2)
#define SVM_HAS_NRIP (1U << 3)
#define SVM_HAS_TSC_RATE (1U << 4)
#define SVM_HAS_CLEAN (1U << 5)
#define SVM_HAS_FLUSH_ASID (1U << 6)
#define SVM_HAS_DECODE (1U << 7)
#define SVM_HAS_PAUSE (1U << 10)
#define SVM_HAS_PAUSE_THRESHOLD (1U << 12)
#define SVM_HAS_AVIC (1U << 13)
#define SVM_HAS_VMLOAD (1U << 15)
#define SVM_HAS_VGIF (1U << 16)
#define SVM_HAS_X2AVIC (1U << 18)
#define SVM_HAS_SPEC_CTRL (1U << 20)
#define SVM_HAS_VNMI (1U << 25)
#define VM_CR_LOCK (1ULL << 3)
#define VM_CR_SVMDIS (1ULL << 4)

/* Why C runs no guests, in a few words; NULL: it does. Pure. */
const char *svm_refusal(const struct svm_cpu *c);
/* The running machine; the boot CPU speaks for all. */
const struct svm_cpu *svm_machine(void);

/*
 * One user more; the first switches SVM on, on each CPU (all are there before the first program is,
 * and none comes or goes later). 0; -ENOMEM; -EOPNOTSUPP where svm_refusal() has a reason; -EBUSY
 * where somebody else has it on already. Sleeps.
 */
int svm_get(void);
/* One less; the last switches it off. Sleeps. */
void svm_put(void);

/*
 * What an entry needs, and the guest's registers that its VMCB does not hold. The order is the
 * assembly's. All but `regs` are the caller's.
 */
struct svm_world {
	u64 vmcb_pa;
	u64 host_pa;			/* a page for what VMSAVE saves of the host */
	u64 regs[16];   /* by number; [0] and [4] (RAX, RSP) are unused: the VMCB's */
};

/*
 * Runs the guest of W until it leaves. Preemption and interrupts are off, svm_get() is held; the
 * host's FPU registers and debug registers are not touched. On return an interrupt or NMI that
 * ended it is still pending, or has been taken (NMI).
 */
void svm_run(struct svm_world *w);

/* kvm_enter.S: the switch itself. The global interrupt flag is clear. */
void kvm_svm_enter(struct svm_world *w);
/* Where VMRUN goes on in the host: a guest's RIP is never this. */
extern const char kvm_svm_left[];
