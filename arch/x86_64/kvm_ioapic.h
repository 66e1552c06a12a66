/* SPDX-License-Identifier: MIT */
/*
 * An I/O APIC with 24 inputs (Intel 82093AA), and the messages that interrupt controllers send to
 * local APICs. Pure: the caller excludes others.
 */
#pragma once

#include <lib/types.h>
#include <linux/kvm.h>

/* How an interrupt is delivered: bits 10:8 of a redirection entry, of an MSI and of an ICR. */
enum kvm_delivery {
	KVM_DELIVER_FIXED,
	KVM_DELIVER_LOWEST,
	KVM_DELIVER_SMI,
	KVM_DELIVER_RESERVED,
	KVM_DELIVER_NMI,
	KVM_DELIVER_INIT,
	KVM_DELIVER_STARTUP,
	KVM_DELIVER_EXTINT,
};

struct kvm_message {
	u32 dest;		/* an APIC's id, or with LOGICAL a set of them */
	u8 vector;
	u8 delivery;		/* enum kvm_delivery */
	bool logical;
	bool level;		/* its end is told to I/O APICs */
	bool wide;		/* dest has 32 bits: FFh is an id, FFFFFFFFh is all */
};

struct kvm_ioapic {
	struct kvm_ioapic_state state;	/* as KVM_GET_IRQCHIP has it; irr: levels of the inputs */
	/*
	 * Delivers M: how many APICs took it, 0: it was requested there already, -1: none is meant
	 * by it. Called with all that the caller holds.
	 */
	int (*deliver)(void *context, const struct kvm_message *m);
	void *context;
};

#define KVM_IOAPIC_BASE 0xfec00000ULL
#define KVM_IOAPIC_SIZE 0x100U

/* As after power-on; `deliver` and `context` stay. */
void kvm_ioapic_reset(struct kvm_ioapic *a);
/*
 * Input PIN has LEVEL. As `deliver` answers; 1 where nothing was to be delivered, -1 where the
 * input is masked.
 */
int kvm_ioapic_line(struct kvm_ioapic *a, unsigned int pin, bool level);
/*
 * A CPU ended VECTOR, a level interrupt. The inputs that it was of: those of devices that keep an
 * input high until then look again; then kvm_ioapic_again() delivers what is still high.
 */
u32 kvm_ioapic_ended(struct kvm_ioapic *a, u8 vector);
void kvm_ioapic_again(struct kvm_ioapic *a, u32 pins);
/* 4 bytes at OFFSET of its registers, which repeat every 256 bytes. */
u32 kvm_ioapic_read(const struct kvm_ioapic *a, u32 offset);
void kvm_ioapic_write(struct kvm_ioapic *a, u32 offset, u32 value);
/* The state was set from outside: what is high and was not delivered is. */
void kvm_ioapic_settle(struct kvm_ioapic *a);
