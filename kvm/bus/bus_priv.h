/* SPDX-License-Identifier: MIT */
/* What the files of kvm/bus/ share. */
#pragma once

#include <kvm/bus.h>

/*
 * The next device from place *I on (0 at first) that has all of [FIRST, LAST], NULL: no more; *I is
 * the place behind it. vm->slots_lock is held.
 */
struct kvm_bus_device *kvm_bus_next(const struct kvm_vm *vm, enum kvm_bus_kind kind, u32 *i,
				    u64 first, u64 last);

/* ioeventfd.c, coalesced.c */
long kvm_ioeventfd(struct kvm_vm *vm, struct uptr arg);
int kvm_coalesced_new(struct kvm_vm *vm);
void kvm_coalesced_free(struct kvm_vm *vm);
long kvm_coalesced_zone(struct kvm_vm *vm, unsigned int cmd, struct uptr arg);
