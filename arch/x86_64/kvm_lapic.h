/* SPDX-License-Identifier: MIT */
/*
 * A local APIC (AMD APM vol. 2, chapter 16), in xAPIC and x2APIC mode. Pure: what lies outside it
 * is reached through its callbacks.
 *
 * Its vCPU's thread alone calls everything but kvm_lapic_accept() and kvm_lapic_matches(), which
 * any CPU may at any time: requests (IRR, TMR) are set by atomic operations.
 */
#pragma once

#include <lib/types.h>
#include <linux/kvm.h>
#include "arch/x86_64/kvm_ioapic.h"

struct kvm_lapic;

enum kvm_shorthand { KVM_TO_DEST, KVM_TO_SELF, KVM_TO_ALL, KVM_TO_OTHERS };

struct kvm_lapic_ops {
	u64 (*now)(const struct kvm_lapic *l);		/* ns, only grows; the timer's bus: 1 GHz */
	u64 (*tsc)(const struct kvm_lapic *l);		/* the guest's */
	/* Nanoseconds that TICKS of the guest's TSC take. */
	u64 (*tsc_to_ns)(const struct kvm_lapic *l, u64 ticks);
	void (*send)(struct kvm_lapic *l, const struct kvm_message *m, enum kvm_shorthand to);
	/* VECTOR's service ended; LEVEL: I/O APICs have to know. */
	void (*ended)(struct kvm_lapic *l, u8 vector, bool level);
	/* kvm_lapic_next() answers something new. */
	void (*timer)(struct kvm_lapic *l);
	/*
	 * NMI, SMI, INIT, STARTUP (of VECTOR) came; any CPU. False: that had no effect.
	 */
	bool (*event)(struct kvm_lapic *l, enum kvm_delivery what, u8 vector);
	/* IRR has a vector more; any CPU. */
	void (*requested)(struct kvm_lapic *l);
};

struct kvm_lapic {
	u32 regs[KVM_APIC_REG_SIZE / 4];	/* KVM_GET_LAPIC's image */
	u64 base;				/* MSR 1Bh */
	u32 id;					/* c: the vCPU's */
	u64 base_reserved;			/* bits of MSR 1Bh that the CPU does not have */
	u32 errors;				/* for the next write of ESR */
	u32 arbitrated;	/* messages of lowest priority that it got; a hint */
	u64 timer_end;				/* when the timer expires; 0: it stands */
	u64 tsc_deadline;			/* 0: none */
	const struct kvm_lapic_ops *ops;
};

#define KVM_APIC_BASE_DEFAULT 0xfee00000ULL
#define KVM_APIC_BASE_BSP (1ULL << 8)
#define KVM_APIC_BASE_X2APIC (1ULL << 10)
#define KVM_APIC_BASE_ENABLED (1ULL << 11)
#define KVM_APIC_NEVER (~0ULL)

/* As after power-on, its id L->id; BSP: it boots. INIT keeps the base and the x2APIC mode. */
void kvm_lapic_reset(struct kvm_lapic *l, bool bsp);
void kvm_lapic_init(struct kvm_lapic *l);

/* ---- any CPU ---- */

/* Whether M, of no shorthand, is for L. */
bool kvm_lapic_matches(const struct kvm_lapic *l, const struct kvm_message *m);
/* 1: M is requested now; 0: it was already; -1: L takes none. */
int kvm_lapic_accept(struct kvm_lapic *l, const struct kvm_message *m);

/* ---- its vCPU ---- */

/* The vector that is to be injected next, or -1. */
int kvm_lapic_pending(struct kvm_lapic *l);
/* Without regard to the priority: the highest that is requested, or -1. */
int kvm_lapic_requested(const struct kvm_lapic *l);
/* The CPU took VECTOR, of kvm_lapic_pending(). */
void kvm_lapic_serve(struct kvm_lapic *l, u8 vector);
/* Whether the 8259A's interrupts reach this CPU (LINT0 is EXTINT, or there is no APIC). */
bool kvm_lapic_takes_extint(const struct kvm_lapic *l);
/* LINT1 or another local source has an edge: LVT entry at register offset LVT. False: masked. */
bool kvm_lapic_local(struct kvm_lapic *l, u32 lvt);
u8 kvm_lapic_tpr(const struct kvm_lapic *l);		/* CR8's: bits 7:4 of TPR */
void kvm_lapic_set_tpr(struct kvm_lapic *l, u8 cr8);

/* The timer: when it expires, or KVM_APIC_NEVER; what is due by now is done. */
u64 kvm_lapic_next(const struct kvm_lapic *l);
void kvm_lapic_expire(struct kvm_lapic *l);

/* 4 bytes at OFFSET of the page, a multiple of 16. Nothing where there is no register. */
u32 kvm_lapic_read(struct kvm_lapic *l, u32 offset);
void kvm_lapic_write(struct kvm_lapic *l, u32 offset, u32 value);
/* MSRs 1Bh, 6E0h, 800h to 83Fh. False: #GP. */
bool kvm_lapic_rdmsr(struct kvm_lapic *l, u32 msr, u64 *value);
bool kvm_lapic_wrmsr(struct kvm_lapic *l, u32 msr, u64 value);
/*
 * KVM_GET_LAPIC's image, KVM_APIC_REG_SIZE bytes; an x2APIC's id is that of the register with WIDE,
 * else in the upper byte. The other way round both are understood; false: another APIC's.
 */
void kvm_lapic_get(const struct kvm_lapic *l, u32 *regs, bool wide);
bool kvm_lapic_set(struct kvm_lapic *l, const u32 *regs);
