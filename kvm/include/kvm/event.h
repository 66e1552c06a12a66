/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of a VM's devices: GSIs, the routes that they have (KVM_SET_GSI_ROUTING), eventfds
 * that raise them. Defined in kvm/event/; the controllers are the CPU's part (kvm/cpu.h).
 *
 * The table of routes is replaced whole under vm->lock and read under vm->srcu. A GSI of a table
 * leads to any number of inputs of controllers, or to one message.
 */
#pragma once

#include <lib/types.h>

struct kvm_irq_routing_entry;
struct kvm_vm;
struct uptr;

/* Of a table, and of GSIs, as on Linux: KVM_CAP_IRQ_ROUTING. */
#define KVM_ROUTES_MAX 4096U		/* not a page */

/* Who holds an input: it is high while any source of it is. */
enum kvm_irq_source { KVM_IRQ_USER, KVM_IRQ_PIT, KVM_IRQ_RESAMPLE, KVM_IRQ_SOURCES };

struct kvm_route {
	u32 gsi;
	u32 type;	  /* KVM_IRQ_ROUTING_IRQCHIP or KVM_IRQ_ROUTING_MSI */
	union {
		struct {
			u32 chip, pin;
		} input;
		struct {
			u64 address;
			u32 data;
		} msi;
	};
};

/* A VM begins: no routes. It ends: eventfds are let go, nothing is in flight. Sleeps. */
int kvm_events_new(struct kvm_vm *vm);
void kvm_events_free(struct kvm_vm *vm);

/*
 * The table becomes ENTRIES; what was there is let go. -EINVAL: one that the CPU does not have, or
 * a GSI with a message and something else; -ENOMEM. vm->lock is held. Sleeps.
 */
int kvm_routes_set(struct kvm_vm *vm, const struct kvm_irq_routing_entry *entries, u32 nr);
/*
 * GSI has LEVEL, as SOURCE sees it. How many CPUs took it, 0: it was requested there already, -1:
 * no route, or masked. Sleeps not; vm->srcu is held; interrupts are on.
 */
int kvm_gsi_set(struct kvm_vm *vm, enum kvm_irq_source source, u32 gsi, bool level);
/*
 * A controller's input CHIP, PIN: the service of its interrupt ended. Called by the CPU's part, in
 * a vCPU's thread, srcu held, with no lock held.
 */
void kvm_gsi_ended(struct kvm_vm *vm, u32 chip, u32 pin);

/* KVM_SET_GSI_ROUTING, KVM_IRQFD, KVM_SIGNAL_MSI, KVM_IRQ_LINE, KVM_IRQ_LINE_STATUS; else -ENOTTY. */
long kvm_event_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg);
