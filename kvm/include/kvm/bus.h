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
struct uptr;

enum kvm_bus_kind { KVM_BUS_MMIO, KVM_BUS_PORTS, KVM_BUS_FAST_MMIO, KVM_BUSES };

struct kvm_bus_device;

struct kvm_bus_ops {
	/*
	 * LEN bytes, 1 to 8, at ADDR, which begin within the device. 0: done; -EOPNOTSUPP: not this
	 * one's, the next is asked. V's thread, vm->srcu held; may sleep. `write` of a device on
	 * KVM_BUS_FAST_MMIO gets no data and does not sleep.
	 */
	int (*read)(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len, void *data);
	int (*write)(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len,
		     const void *data);
	/* Taken off its bus, and nobody is in it. */
	void (*gone)(struct kvm_bus_device *d);
};

struct kvm_bus_device {
	const struct kvm_bus_ops *ops;
	u64 addr, len;   /* c: while it is on a bus; several may have the same */
};

/* -ENOSPC: 1,000 devices, but for eventfds; -ENOMEM. vm->slots_lock is held. Sleeps. */
int kvm_bus_add(struct kvm_vm *vm, enum kvm_bus_kind kind, struct kvm_bus_device *d);
/* D, which is on that bus. vm->slots_lock is held. Waits for readers; `gone` is called. */
void kvm_bus_remove(struct kvm_vm *vm, enum kvm_bus_kind kind, struct kvm_bus_device *d);
/* 0: a device did it; -EOPNOTSUPP: none. vm->srcu is held. */
int kvm_bus_read(struct kvm_vcpu *v, enum kvm_bus_kind kind, u64 addr, u32 len, void *data);
int kvm_bus_write(struct kvm_vcpu *v, enum kvm_bus_kind kind, u64 addr, u32 len, const void *data);

void kvm_buses_new(struct kvm_vm *vm);
/* No vCPU is left. All devices go. */
void kvm_buses_free(struct kvm_vm *vm);

/* KVM_IOEVENTFD, KVM_REGISTER_COALESCED_MMIO, KVM_UNREGISTER_COALESCED_MMIO; else -ENOTTY. */
long kvm_bus_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg);
