// SPDX-License-Identifier: MIT
/*
 * The I/O APIC (Intel 82093AA, 290566). An edge is delivered as it comes, and is lost where its
 * input is masked. A level is delivered once, then the entry's remote IRR keeps it back until the
 * CPU has ended the interrupt.
 */
#include <lib/string.h>
#include "arch/x86_64/kvm_ioapic.h"

#define PINS KVM_IOAPIC_NUM_PINS
#define VERSION (0x11U | (PINS - 1) << 16)

#define REG_SELECT 0x00
#define REG_WINDOW 0x10
#define INDEX_ID 0
#define INDEX_VERSION 1
#define INDEX_ARBITRATION 2
#define INDEX_TABLE 0x10

#define ENTRY_LEVEL (1ULL << 15)
#define ENTRY_REMOTE_IRR (1ULL << 14)
#define ENTRY_MASK (1ULL << 16)
#define ENTRY_STATUS (1ULL << 12)
#define ENTRY_LOGICAL (1ULL << 11)
#define ENTRY_READ_ONLY (ENTRY_REMOTE_IRR | ENTRY_STATUS)

static int serve(struct kvm_ioapic *a, unsigned int pin)
{
	u64 e = a->state.redirtbl[pin].bits;
	struct kvm_message m = { .dest = (u32)(e >> 56),
				 .vector = (u8)e,
				 .delivery = e >> 8 & 7,
				 .logical = e & ENTRY_LOGICAL,
				 .level = e & ENTRY_LEVEL };
	int took;

	if (e & ENTRY_MASK || (e & ENTRY_LEVEL && e & ENTRY_REMOTE_IRR))
		return -1;
	took = a->deliver(a->context, &m);
	if (m.level && took > 0)
		a->state.redirtbl[pin].bits |= ENTRY_REMOTE_IRR;
	return took;
}

static bool is_high(const struct kvm_ioapic *a, unsigned int pin)
{
	return a->state.irr >> pin & 1;
}

int kvm_ioapic_line(struct kvm_ioapic *a, unsigned int pin, bool level)
{
	bool was = is_high(a, pin);

	if (!level) {
		a->state.irr &= ~(1U << pin);
		return 1;
	}
	a->state.irr |= 1U << pin;
	if (was && !(a->state.redirtbl[pin].bits & ENTRY_LEVEL))
		return 0;
	return serve(a, pin);
}

u32 kvm_ioapic_ended(struct kvm_ioapic *a, u8 vector)
{
	u32 pins = 0;

	for (unsigned int i = 0; i < PINS; i++) {
		u64 *e = &a->state.redirtbl[i].bits;

		if ((u8)*e != vector || !(*e & ENTRY_LEVEL))
			continue;
		pins |= 1U << i;
		*e &= ~ENTRY_REMOTE_IRR;
	}
	return pins;
}

void kvm_ioapic_again(struct kvm_ioapic *a, u32 pins)
{
	for (unsigned int i = 0; i < PINS; i++)
		if (pins >> i & 1 && is_high(a, i) && a->state.redirtbl[i].bits & ENTRY_LEVEL)
			serve(a, i);
}

void kvm_ioapic_settle(struct kvm_ioapic *a)
{
	kvm_ioapic_again(a, (1U << PINS) - 1);
}

/* ---- registers ---- */

static u32 read_index(const struct kvm_ioapic *a)
{
	u32 i = a->state.ioregsel;
	u64 e;

	switch (i) {
	case INDEX_VERSION:
		return VERSION;
	case INDEX_ID:
	case INDEX_ARBITRATION:
		return (a->state.id & 0xf) << 24;
	}
	if (i < INDEX_TABLE || i >= INDEX_TABLE + 2 * PINS)
		return i < INDEX_TABLE ? 0 : ~0U;
	e = a->state.redirtbl[(i - INDEX_TABLE) / 2].bits;
	return (u32)(i & 1 ? e >> 32 : e);
}

static void write_index(struct kvm_ioapic *a, u32 value)
{
	u32 i = a->state.ioregsel;
	unsigned int pin;
	u64 *e;

	if (i == INDEX_ID)
		a->state.id = value >> 24 & 0xf;
	if (i < INDEX_TABLE || i >= INDEX_TABLE + 2 * PINS)
		return;
	pin = (i - INDEX_TABLE) / 2;
	e = &a->state.redirtbl[pin].bits;
	if (i & 1) {
		*e = (u32)*e | (u64)value << 32;
	} else {
		*e = (*e & ~0xffffffffULL) | (value & 0x1ffff & (u32)~ENTRY_READ_ONLY) |
		     (*e & ENTRY_READ_ONLY);
		if (!(*e & ENTRY_LEVEL))
			*e &= ~ENTRY_REMOTE_IRR;
	}
	kvm_ioapic_again(a, 1U << pin);
}

u32 kvm_ioapic_read(const struct kvm_ioapic *a, u32 offset)
{
	switch (offset & (KVM_IOAPIC_SIZE - 1)) {
	case REG_SELECT:
		return a->state.ioregsel;
	case REG_WINDOW:
		return read_index(a);
	}
	return 0;
}

void kvm_ioapic_write(struct kvm_ioapic *a, u32 offset, u32 value)
{
	switch (offset & (KVM_IOAPIC_SIZE - 1)) {
	case REG_SELECT:
		a->state.ioregsel = value & 0xff;
		break;
	case REG_WINDOW:
		write_index(a, value);
		break;
	}
}

void kvm_ioapic_reset(struct kvm_ioapic *a)
{
	memset(&a->state, 0, sizeof(a->state));
	a->state.base_address = KVM_IOAPIC_BASE;
	for (unsigned int i = 0; i < PINS; i++)
		a->state.redirtbl[i].bits = ENTRY_MASK;
}
