/* SPDX-License-Identifier: MIT */
/* For kvm_lapic*.c: the registers by their offsets. */
#pragma once

#include <lib/atomic.h>
#include "arch/x86_64/kvm_lapic.h"

#define APIC_ID 0x20
#define APIC_VERSION 0x30
#define APIC_TPR 0x80
#define APIC_APR 0x90
#define APIC_PPR 0xa0
#define APIC_EOI 0xb0
#define APIC_RRR 0xc0
#define APIC_LDR 0xd0
#define APIC_DFR 0xe0
#define APIC_SVR 0xf0
#define APIC_ISR 0x100
#define APIC_TMR 0x180
#define APIC_IRR 0x200
#define APIC_ESR 0x280
#define APIC_ICR 0x300
#define APIC_ICR2 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_THERMAL 0x330
#define APIC_LVT_PERF 0x340
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_LVT_ERROR 0x370
#define APIC_TMICT 0x380
#define APIC_TMCCT 0x390
#define APIC_TDCR 0x3e0
#define APIC_SELF 0x3f0

#define SVR_ENABLED 0x100U
#define LVT_MASKED (1U << 16)
#define LVT_LEVEL (1U << 15)
#define ESR_SEND_VECTOR 0x20U
#define ESR_RECEIVE_VECTOR 0x40U
#define ESR_REGISTER 0x80U
#define FIRST_VECTOR 16		/* those below are exceptions: none can be sent */

#define TIMER_MODE(lvt) ((lvt) >> 17 & 3)
enum { TIMER_ONCE, TIMER_PERIODIC, TIMER_DEADLINE };

#define BASE_RESERVED 0x2ffULL

static inline u32 lapic_reg(const struct kvm_lapic *l, u32 offset)
{
	return READ_ONCE(l->regs[offset / 4]);
}

static inline void lapic_set(struct kvm_lapic *l, u32 offset, u32 value)
{
	WRITE_ONCE(l->regs[offset / 4], value);
}

static inline bool lapic_is_x2(const struct kvm_lapic *l)
{
	return (READ_ONCE(l->base) & (KVM_APIC_BASE_ENABLED | KVM_APIC_BASE_X2APIC)) ==
	       (KVM_APIC_BASE_ENABLED | KVM_APIC_BASE_X2APIC);
}

static inline bool lapic_is_on(const struct kvm_lapic *l)
{
	return READ_ONCE(l->base) & KVM_APIC_BASE_ENABLED && lapic_reg(l, APIC_SVR) & SVR_ENABLED;
}

/* kvm_lapic.c: an error of ESR_* happened here. */
void lapic_error(struct kvm_lapic *l, u32 error);
/* The end of the highest vector in service. */
void lapic_eoi(struct kvm_lapic *l);
u32 lapic_ppr(const struct kvm_lapic *l);

/* kvm_lapic_timer.c */
u32 lapic_timer_count(const struct kvm_lapic *l);
/* TMICT is written. */
void lapic_timer_start(struct kvm_lapic *l, u32 count);
/* LEFT of TMICT is left. */
void lapic_timer_resume(struct kvm_lapic *l, u32 left);
void lapic_timer_stop(struct kvm_lapic *l);
void lapic_timer_divide(struct kvm_lapic *l, u32 tdcr);
void lapic_timer_deadline(struct kvm_lapic *l, u64 tsc);
