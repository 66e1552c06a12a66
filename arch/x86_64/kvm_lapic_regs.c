// SPDX-License-Identifier: MIT
/*
 * A local APIC's registers, as a page (xAPIC) and as MSRs 800h to 83Fh (x2APIC), and what writing
 * them does.
 */
#include <lib/string.h>
#include "arch/x86_64/kvm_lapic_priv.h"

#define MSR_BASE 0x1bU
#define MSR_DEADLINE 0x6e0U
#define MSR_X2 0x800U
#define MSR_X2_LAST 0x83fU
#define VERSION 0x14U
#define LVTS 6U

#define ICR_BUSY (1U << 12)
#define ICR_ASSERT (1U << 14)
#define ICR_LEVEL (1U << 15)
#define ICR_LOGICAL (1U << 11)

struct lvt {
	u32 offset, writable;
};

/* The timer has modes, LINT0 and LINT1 polarity and trigger, all but the timer and the error modes
 * of delivery. */
static const struct lvt lvts[] = {
	{ APIC_LVT_TIMER, 0x700ff }, { APIC_LVT_THERMAL, 0x107ff }, { APIC_LVT_PERF, 0x107ff },
	{ APIC_LVT_LINT0, 0x1a7ff }, { APIC_LVT_LINT1, 0x1a7ff },   { APIC_LVT_ERROR, 0x100ff },
};

static const struct lvt *lvt_at(u32 offset)
{
	for (unsigned int i = 0; i < LVTS; i++)
		if (lvts[i].offset == offset)
			return &lvts[i];
	return NULL;
}

static u32 logical_x2(u32 id)
{
	return id >> 4 << 16 | 1U << (id & 0xf);
}

/* ---- reset ---- */

void kvm_lapic_init(struct kvm_lapic *l)
{
	bool x2 = lapic_is_x2(l);

	memset(l->regs, 0, sizeof(l->regs));
	l->errors = 0;
	lapic_set(l, APIC_ID, x2 ? l->id : l->id << 24);
	lapic_set(l, APIC_VERSION, VERSION | (LVTS - 1) << 16);
	lapic_set(l, APIC_LDR, x2 ? logical_x2(l->id) : 0);
	lapic_set(l, APIC_DFR, ~0U);
	lapic_set(l, APIC_SVR, 0xff);
	for (unsigned int i = 0; i < LVTS; i++)
		lapic_set(l, lvts[i].offset, LVT_MASKED);
	lapic_timer_stop(l);
}

void kvm_lapic_reset(struct kvm_lapic *l, bool bsp)
{
	l->base = KVM_APIC_BASE_DEFAULT | KVM_APIC_BASE_ENABLED | (bsp ? KVM_APIC_BASE_BSP : 0);
	kvm_lapic_init(l);
	/* a PC's firmware expects the 8259A behind LINT0 of the CPU that boots, before it looks */
	if (bsp)
		lapic_set(l, APIC_LVT_LINT0, KVM_DELIVER_EXTINT << 8);
}

/* ---- what writing does ---- */

static void send(struct kvm_lapic *l, u32 low, u32 dest)
{
	struct kvm_message m = { .dest = dest,
				 .vector = (u8)low,
				 .delivery = low >> 8 & 7,
				 .logical = low & ICR_LOGICAL,
				 .wide = lapic_is_x2(l) };	/* never level: edges only */

	/* the end of an INIT, which was for APICs that are no more */
	if (m.delivery == KVM_DELIVER_INIT && (low & (ICR_LEVEL | ICR_ASSERT)) == ICR_LEVEL)
		return;
	if (m.delivery <= KVM_DELIVER_LOWEST && m.vector < FIRST_VECTOR) {
		lapic_error(l, ESR_SEND_VECTOR);
		return;
	}
	l->ops->send(l, &m, (enum kvm_shorthand)(low >> 18 & 3));
}

static void write_lvt(struct kvm_lapic *l, const struct lvt *lvt, u32 value)
{
	u32 before = lapic_reg(l, lvt->offset);

	value &= lvt->writable;
	if (!(lapic_reg(l, APIC_SVR) & SVR_ENABLED))
		value |= LVT_MASKED;
	if (lvt->offset == APIC_LVT_TIMER && TIMER_MODE(before) != TIMER_MODE(value)) {
		lapic_set(l, lvt->offset, value);
		/* once and again share the counter; the deadline begins and ends without one */
		if (TIMER_MODE(before) == TIMER_DEADLINE || TIMER_MODE(value) == TIMER_DEADLINE) {
			lapic_set(l, APIC_TMICT, 0);
			lapic_timer_stop(l);
		}
	}
	lapic_set(l, lvt->offset, value);
}

static void write_svr(struct kvm_lapic *l, u32 value)
{
	lapic_set(l, APIC_SVR, value & 0x3ff);
	if (value & SVR_ENABLED)
		return;
	for (unsigned int i = 0; i < LVTS; i++)
		lapic_set(l, lvts[i].offset, lapic_reg(l, lvts[i].offset) | LVT_MASKED);
}

/* What both modes have; false: no register that can be written is there. */
static bool write_common(struct kvm_lapic *l, u32 offset, u32 value)
{
	const struct lvt *lvt = lvt_at(offset);

	if (lvt) {
		write_lvt(l, lvt, value);
		return true;
	}
	switch (offset) {
	case APIC_TPR:
		lapic_set(l, APIC_TPR, value & 0xff);
		break;
	case APIC_EOI:
		lapic_eoi(l);
		break;
	case APIC_SVR:
		write_svr(l, value);
		break;
	case APIC_ESR:
		lapic_set(l, APIC_ESR, __atomic_exchange_n(&l->errors, 0, __ATOMIC_RELAXED));
		break;
	case APIC_TMICT:
		if (TIMER_MODE(lapic_reg(l, APIC_LVT_TIMER)) != TIMER_DEADLINE)
			lapic_timer_start(l, value);
		break;
	case APIC_TDCR:
		lapic_timer_divide(l, value);
		break;
	default:
		return false;
	}
	return true;
}

void kvm_lapic_write(struct kvm_lapic *l, u32 offset, u32 value)
{
	switch (offset) {
	case APIC_ID:
		lapic_set(l, APIC_ID, value & 0xff000000);
		break;
	case APIC_LDR:
		lapic_set(l, APIC_LDR, value & 0xff000000);
		break;
	case APIC_DFR:
		lapic_set(l, APIC_DFR, value | 0x0fffffff);
		break;
	case APIC_ICR2:
		lapic_set(l, APIC_ICR2, value & 0xff000000);
		break;
	case APIC_ICR:
		lapic_set(l, APIC_ICR, value & ~ICR_BUSY);
		send(l, value, lapic_reg(l, APIC_ICR2) >> 24);
		break;
	default:
		if (!write_common(l, offset, value))
			lapic_error(l, ESR_REGISTER);
	}
}

static bool can_be_read(u32 offset)
{
	switch (offset) {
	case APIC_ID:
	case APIC_VERSION:
	case APIC_TPR:
	case APIC_PPR:
	case APIC_LDR:
	case APIC_SVR:
	case APIC_ESR:
	case APIC_ICR:
	case APIC_TMICT:
	case APIC_TMCCT:
	case APIC_TDCR:
		return true;
	}
	return (offset >= APIC_ISR && offset < APIC_ESR) || lvt_at(offset);
}

static u32 read_common(struct kvm_lapic *l, u32 offset)
{
	if (offset == APIC_PPR)
		return lapic_ppr(l);
	if (offset == APIC_TMCCT)
		return lapic_timer_count(l);
	return lapic_reg(l, offset);
}

u32 kvm_lapic_read(struct kvm_lapic *l, u32 offset)
{
	if (can_be_read(offset) || offset == APIC_DFR || offset == APIC_ICR2)
		return read_common(l, offset);
	if (offset != APIC_APR && offset != APIC_RRR && offset != APIC_EOI)
		lapic_error(l, ESR_REGISTER);
	return 0;
}

/* ---- as MSRs ---- */

bool kvm_lapic_rdmsr(struct kvm_lapic *l, u32 msr, u64 *value)
{
	u32 offset = (msr - MSR_X2) << 4;

	if (msr == MSR_BASE) {
		*value = l->base;
		return true;
	}
	if (msr == MSR_DEADLINE) {
		*value = l->tsc_deadline;
		return true;
	}
	if (msr < MSR_X2 || msr > MSR_X2_LAST || !lapic_is_x2(l) || !can_be_read(offset))
		return false;
	*value = read_common(l, offset);
	if (offset == APIC_ICR)
		*value |= (u64)lapic_reg(l, APIC_ICR2) << 32;
	return true;
}

/* Off, xAPIC, x2APIC: from the last there is no way but off. */
static bool write_base(struct kvm_lapic *l, u64 value)
{
	u64 modes = KVM_APIC_BASE_ENABLED | KVM_APIC_BASE_X2APIC;
	u64 before = l->base & modes, after = value & modes;

	if (value & (BASE_RESERVED | l->base_reserved))
		return false;
	if (after == KVM_APIC_BASE_X2APIC)
		return false;
	if (before == modes && after == KVM_APIC_BASE_ENABLED)
		return false;
	if (!before && after == modes)
		return false;
	WRITE_ONCE(l->base, value);
	if (before == after)
		return true;
	if (!after || !before) {
		kvm_lapic_init(l);
	} else {
		lapic_set(l, APIC_ID, l->id);
		lapic_set(l, APIC_LDR, logical_x2(l->id));
	}
	return true;
}

static bool write_x2(struct kvm_lapic *l, u32 offset, u64 value)
{
	if (offset == APIC_ICR) {
		lapic_set(l, APIC_ICR, (u32)value & ~ICR_BUSY);
		lapic_set(l, APIC_ICR2, (u32)(value >> 32));
		send(l, (u32)value, (u32)(value >> 32));
		return true;
	}
	if (value >> 32)
		return false;
	if ((offset == APIC_EOI || offset == APIC_ESR) && value)
		return false;
	if (offset == APIC_SELF) {
		if (value & ~0xffULL)
			return false;
		send(l, (u32)value | KVM_TO_SELF << 18, 0);
		return true;
	}
	return write_common(l, offset, (u32)value);
}

bool kvm_lapic_wrmsr(struct kvm_lapic *l, u32 msr, u64 value)
{
	if (msr == MSR_BASE)
		return write_base(l, value);
	if (msr == MSR_DEADLINE) {
		lapic_timer_deadline(l, value);
		return true;
	}
	if (msr < MSR_X2 || msr > MSR_X2_LAST || !lapic_is_x2(l))
		return false;
	return write_x2(l, (msr - MSR_X2) << 4, value);
}

void kvm_lapic_get(const struct kvm_lapic *l, u32 *regs, bool wide)
{
	for (u32 i = 0; i < KVM_APIC_REG_SIZE / 4; i++)
		regs[i] = READ_ONCE(l->regs[i]);
	regs[APIC_PPR / 4] = lapic_ppr(l);
	regs[APIC_TMCCT / 4] = lapic_timer_count(l);
	if (lapic_is_x2(l) && !wide)
		regs[APIC_ID / 4] = l->id << 24;
}

/* Of the register at OFFSET: vectors of ISR, TMR, IRR that none can send. */
static u32 cannot_be(u32 offset)
{
	bool first = offset == APIC_ISR || offset == APIC_TMR || offset == APIC_IRR;

	return first ? (1U << FIRST_VECTOR) - 1 : 0;
}

bool kvm_lapic_set(struct kvm_lapic *l, const u32 *regs)
{
	u32 id = regs[APIC_ID / 4];
	bool x2 = lapic_is_x2(l);

	if (x2 && id != l->id && id != l->id << 24)
		return false;
	/* Each word once: what is requested after that stays. */
	for (u32 i = 0; i < KVM_APIC_REG_SIZE / 4; i++)
		WRITE_ONCE(l->regs[i], regs[i] & ~cannot_be(i * 4));
	lapic_set(l, APIC_VERSION, VERSION | (LVTS - 1) << 16);
	if (x2) {
		lapic_set(l, APIC_ID, l->id);
		lapic_set(l, APIC_LDR, logical_x2(l->id));
	}
	lapic_timer_resume(l, regs[APIC_TMCCT / 4]);
	return true;
}
