// SPDX-License-Identifier: MIT
/*
 * A local APIC's timer: counts down from TMICT at the bus's 1 GHz divided by TDCR, once or again
 * and again; or interrupts when the TSC reaches a value. Nothing runs: the count follows from the
 * time, and the owner asks for the next expiry.
 */
#include "arch/x86_64/kvm_lapic_priv.h"

/* 2, 4, 8, 16, 32, 64, 128, 1, from bits 3, 1, 0 of TDCR. */
static u32 divisor(const struct kvm_lapic *l)
{
	u32 v = lapic_reg(l, APIC_TDCR), n = (v & 3) | (v >> 1 & 4);

	return 1U << ((n + 1) & 7);
}

static u32 mode(const struct kvm_lapic *l)
{
	return TIMER_MODE(lapic_reg(l, APIC_LVT_TIMER));
}

/* A guest cannot make its host do nothing but expire its timer. */
#define SHORTEST_PERIOD 200000ULL

static u64 period(const struct kvm_lapic *l)
{
	u64 p = (u64)lapic_reg(l, APIC_TMICT) * divisor(l);

	return mode(l) == TIMER_PERIODIC && p < SHORTEST_PERIOD ? SHORTEST_PERIOD : p;
}

u32 lapic_timer_count(const struct kvm_lapic *l)
{
	u64 now, left;

	if (!l->timer_end || mode(l) == TIMER_DEADLINE)
		return 0;
	now = l->ops->now(l);
	if (now < l->timer_end)
		left = l->timer_end - now;
	else if (mode(l) != TIMER_PERIODIC)
		return 0;
	else
		left = period(l) - (now - l->timer_end) % period(l);
	return (u32)((left + divisor(l) - 1) / divisor(l));
}

void lapic_timer_stop(struct kvm_lapic *l)
{
	l->timer_end = l->tsc_deadline = 0;
	l->ops->timer(l);
}

void lapic_timer_start(struct kvm_lapic *l, u32 count)
{
	lapic_set(l, APIC_TMICT, count);
	l->timer_end = count ? l->ops->now(l) + period(l) : 0;
	l->ops->timer(l);
}

void lapic_timer_resume(struct kvm_lapic *l, u32 left)
{
	bool stands = !lapic_reg(l, APIC_TMICT) || (!left && mode(l) != TIMER_PERIODIC);
	u64 ns = (u64)left * divisor(l);

	if (!ns || ns > period(l))
		ns = period(l);
	l->timer_end = stands || mode(l) == TIMER_DEADLINE ? 0 : l->ops->now(l) + ns;
	l->ops->timer(l);
}

/* What is left of the count goes on at the new speed. */
void lapic_timer_divide(struct kvm_lapic *l, u32 tdcr)
{
	u32 left = lapic_timer_count(l);

	lapic_set(l, APIC_TDCR, tdcr & 0xb);
	if (!l->timer_end || mode(l) == TIMER_DEADLINE)
		return;
	l->timer_end = l->ops->now(l) + (u64)left * divisor(l);
	l->ops->timer(l);
}

void lapic_timer_deadline(struct kvm_lapic *l, u64 tsc)
{
	if (mode(l) != TIMER_DEADLINE)
		return;
	l->timer_end = 0;
	l->tsc_deadline = tsc;
	if (tsc) {
		u64 at = l->ops->tsc(l);

		l->timer_end = l->ops->now(l) + (tsc > at ? l->ops->tsc_to_ns(l, tsc - at) : 0);
	}
	l->ops->timer(l);
}

u64 kvm_lapic_next(const struct kvm_lapic *l)
{
	return l->timer_end ? l->timer_end : KVM_APIC_NEVER;
}

void kvm_lapic_expire(struct kvm_lapic *l)
{
	u64 now = l->ops->now(l), every;

	if (!l->timer_end || now < l->timer_end)
		return;
	kvm_lapic_local(l, APIC_LVT_TIMER);
	every = mode(l) == TIMER_PERIODIC ? period(l) : 0;
	if (every)
		l->timer_end += ((now - l->timer_end) / every + 1) * every;
	else
		l->timer_end = l->tsc_deadline = 0;
}
