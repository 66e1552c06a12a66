/* SPDX-License-Identifier: MIT */
/*
 * A guest's memory as KVM itself reads and writes it: through the owner's own addresses, in the
 * owner's space, which is the running task's. Sleeps; vm->srcu or slots_lock is held.
 *
 * All answer 0; -ENXIO: a frame of it has no slot, or what is written has one that may only be
 * read: MMIO; -EFAULT: the owner has no memory there. Until an error, what came before it is done.
 */
#pragma once

#include <lib/types.h>

struct kvm_vm;

int kvm_guest_read(struct kvm_vm *vm, u64 gpa, void *to, size_t n);
int kvm_guest_write(struct kvm_vm *vm, u64 gpa, const void *from, size_t n);
/*
 * Atomically FRESH where OLD stands; -EAGAIN: it does not. SIZE: 1, 2, 4, 8 or 16, within one
 * multiple of it or else within one page (then not atomic with regard to other CPUs' accesses that
 * are not locked, as on real machines with a split lock disabled: each byte is written once).
 */
int kvm_guest_exchange(struct kvm_vm *vm, u64 gpa, const void *old, const void *fresh, u32 size);
