// SPDX-License-Identifier: MIT
/*
 * A local APIC's interrupts: from a message to a request, from there into service, and its end.
 *
 * Three sets of 256 bits: requested (IRR), in service (ISR), of level triggers (TMR). Any CPU sets
 * a bit of IRR, after the vector's bit in TMR; the rest is its vCPU's. A vector's class is its
 * upper four bits: what is requested interrupts if its class is above that of the task (TPR) and of
 * all that is in service.
 */
#include <lib/string.h>
#include "arch/x86_64/kvm_lapic_priv.h"

/* The register of SET that has VECTOR's bit. */
static u32 *word_of(struct kvm_lapic *l, u32 set, u8 vector)
{
	return &l->regs[(set + (vector >> 5) * 0x10U) / 4];
}

static u32 bit_of(u8 vector)
{
	return 1U << (vector & 31);
}

static int highest(const struct kvm_lapic *l, u32 set)
{
	for (int i = 7; i >= 0; i--) {
		u32 word = lapic_reg(l, set + (u32)i * 0x10);

		if (word)
			return i * 32 + 31 - __builtin_clz(word);
	}
	return -1;
}

u32 lapic_ppr(const struct kvm_lapic *l)
{
	u32 tpr = lapic_reg(l, APIC_TPR);
	int served = highest(l, APIC_ISR);
	u32 class = served < 0 ? 0 : (u32)served & 0xf0;

	return (tpr & 0xf0) >= class ? tpr : class;
}

int kvm_lapic_requested(const struct kvm_lapic *l)
{
	return highest(l, APIC_IRR);
}

int kvm_lapic_pending(struct kvm_lapic *l)
{
	int vector = highest(l, APIC_IRR);

	if (vector < 0 || !lapic_is_on(l) || ((u32)vector & 0xf0) <= (lapic_ppr(l) & 0xf0))
		return -1;
	return vector;
}

void kvm_lapic_serve(struct kvm_lapic *l, u8 vector)
{
	u32 *isr = word_of(l, APIC_ISR, vector);

	__atomic_fetch_and(word_of(l, APIC_IRR, vector), ~bit_of(vector), __ATOMIC_ACQUIRE);
	WRITE_ONCE(*isr, *isr | bit_of(vector));
}

void lapic_eoi(struct kvm_lapic *l)
{
	int vector = highest(l, APIC_ISR);
	u32 *isr;

	if (vector < 0)
		return;
	isr = word_of(l, APIC_ISR, (u8)vector);
	WRITE_ONCE(*isr, *isr & ~bit_of((u8)vector));
	l->ops->ended(l, (u8)vector,
		      READ_ONCE(*word_of(l, APIC_TMR, (u8)vector)) & bit_of((u8)vector));
}

/* ---- messages ---- */

static bool matches_logical(const struct kvm_lapic *l, u32 dest)
{
	u32 ldr = lapic_reg(l, APIC_LDR), mine;

	if (lapic_is_x2(l))
		return dest >> 16 == ldr >> 16 && dest & ldr & 0xffff;
	mine = ldr >> 24;
	if (dest >> 8)
		return false;
	switch (lapic_reg(l, APIC_DFR) >> 28) {
	case 0xf:
		return mine & dest & 0xff;
	case 0:
		return mine >> 4 == (dest >> 4 & 0xf) && mine & dest & 0xf;
	}
	return false;
}

static u32 id_now(const struct kvm_lapic *l)
{
	return lapic_is_x2(l) ? l->id : lapic_reg(l, APIC_ID) >> 24;
}

bool kvm_lapic_matches(const struct kvm_lapic *l, const struct kvm_message *m)
{
	if (!(READ_ONCE(l->base) & KVM_APIC_BASE_ENABLED))
		return false;
	if (m->dest == (m->wide ? ~0U : 0xffU))
		return true;
	return m->logical ? matches_logical(l, m->dest) : m->dest == id_now(l);
}

static int request(struct kvm_lapic *l, u8 vector, bool level)
{
	u32 *tmr = word_of(l, APIC_TMR, vector), bit = bit_of(vector);

	if (vector < FIRST_VECTOR) {
		__atomic_fetch_or(&l->errors, ESR_RECEIVE_VECTOR, __ATOMIC_RELAXED);
		return 1;
	}
	if (level)
		__atomic_fetch_or(tmr, bit, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(tmr, ~bit, __ATOMIC_RELAXED);
	if (__atomic_fetch_or(word_of(l, APIC_IRR, vector), bit, __ATOMIC_RELEASE) & bit)
		return 0;
	l->ops->requested(l);
	return 1;
}

int kvm_lapic_accept(struct kvm_lapic *l, const struct kvm_message *m)
{
	switch ((enum kvm_delivery)m->delivery) {
	case KVM_DELIVER_FIXED:
	case KVM_DELIVER_LOWEST:
		return lapic_is_on(l) ? request(l, m->vector, m->level) : -1;
	case KVM_DELIVER_NMI:
	case KVM_DELIVER_SMI:
	case KVM_DELIVER_INIT:
	case KVM_DELIVER_STARTUP:
		return l->ops->event(l, (enum kvm_delivery)m->delivery, m->vector);
	case KVM_DELIVER_EXTINT:	/* the 8259A's output is a wire of its own */
	case KVM_DELIVER_RESERVED:
		break;
	}
	return -1;
}

/* ---- local sources ---- */

bool kvm_lapic_local(struct kvm_lapic *l, u32 lvt)
{
	u32 v = lapic_reg(l, lvt);
	struct kvm_message m = { .vector = (u8)v,
				 .delivery = lvt == APIC_LVT_TIMER || lvt == APIC_LVT_ERROR ?
						     KVM_DELIVER_FIXED :
						     v >> 8 & 7,
				 .level = v & LVT_LEVEL };

	if (v & LVT_MASKED || !(l->base & KVM_APIC_BASE_ENABLED))
		return false;
	return kvm_lapic_accept(l, &m) >= 0;
}

void lapic_error(struct kvm_lapic *l, u32 error)
{
	__atomic_fetch_or(&l->errors, error, __ATOMIC_RELAXED);
	kvm_lapic_local(l, APIC_LVT_ERROR);
}

bool kvm_lapic_takes_extint(const struct kvm_lapic *l)
{
	u32 v = lapic_reg(l, APIC_LVT_LINT0);

	if (!(l->base & KVM_APIC_BASE_ENABLED))
		return true;
	return !(v & LVT_MASKED) && (v >> 8 & 7) == KVM_DELIVER_EXTINT;
}

u8 kvm_lapic_tpr(const struct kvm_lapic *l)
{
	return (u8)(lapic_reg(l, APIC_TPR) >> 4);
}

void kvm_lapic_set_tpr(struct kvm_lapic *l, u8 cr8)
{
	lapic_set(l, APIC_TPR, (cr8 & 0xfU) << 4);
}
