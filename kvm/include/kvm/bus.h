/* SPDX-License-Identifier: MIT */
/*
 * Devices of a VM that answer in the kernel: ports and memory, and eventfds and rings that take
 * writes there. Defined in kvm/bus/.
 *
 * A bus is an array sorted by address, replaced whole under vm->slots_lock and read under vm->srcu:
 * an access costs a binary search. A device that was taken off its bus may be freed when
 * kvm_bus_remove() returns.
 */
#pragma once

#include <lib/types.h>

struct kvm_vcpu;
struct kvm_vm;
struct page;
struct uptr;

/* KVM_BUS_CCW: KVM_IOEVENTFD takes it on every CPU; only guests of s390 write there. */
enum kvm_bus_kind { KVM_BUS_MMIO, KVM_BUS_PORTS, KVM_BUS_CCW, KVM_BUSES };

struct kvm_bus_device;

struct kvm_bus_ops {
	/*
	 * LEN bytes, 1 to 8, at ADDR, all within the device; of a device without length they begin
	 * at its address. 0: done; -EOPNOTSUPP: not this one's, the next is asked. NULL: never this
	 * one's. V's thread, vm->srcu held; may sleep.
	 */
	int (*read)(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len, void *data);
	int (*write)(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len,
		     const void *data);
	/* Taken off its bus, and nobody is in it. */
	void (*gone)(struct kvm_bus_device *d);
	bool uncounted;		/* it is not one of the 1,000: an eventfd */
};

struct kvm_bus_device {
	const struct kvm_bus_ops *ops;
	u64 addr, len;	/* c: while it is on a bus; several may have the same */
};

/* -ENOSPC: 1,000 counted devices; -ENOMEM. vm->slots_lock is held. Sleeps. */
int kvm_bus_add(struct kvm_vm *vm, enum kvm_bus_kind kind, struct kvm_bus_device *d);
/*
 * D, which is on that bus. vm->slots_lock is held. Waits for readers; `gone` is called. Cannot
 * fail.
 */
void kvm_bus_remove(struct kvm_vm *vm, enum kvm_bus_kind kind, struct kvm_bus_device *d);
/* 0: a device did it; -EOPNOTSUPP: none. vm->srcu is held. */
int kvm_bus_read(struct kvm_vcpu *v, enum kvm_bus_kind kind, u64 addr, u32 len, void *data);
int kvm_bus_write(struct kvm_vcpu *v, enum kvm_bus_kind kind, u64 addr, u32 len, const void *data);

/* A VM begins: -ENOMEM. */
int kvm_buses_new(struct kvm_vm *vm);
/* No vCPU is left. All devices go. */
void kvm_buses_free(struct kvm_vm *vm);

/* The page of coalesced writes, which each vCPU's mapping shows. It is the VM's. */
struct page *kvm_coalesced_page(const struct kvm_vm *vm);

/* KVM_IOEVENTFD, KVM_REGISTER_COALESCED_MMIO, KVM_UNREGISTER_COALESCED_MMIO; else -ENOTTY. */
long kvm_bus_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg);
