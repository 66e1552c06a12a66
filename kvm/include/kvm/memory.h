/* SPDX-License-Identifier: MIT */
/*
 * A guest's memory as KVM itself reads and writes it: through the owner's own addresses, in the
 * owner's space, which is the running task's. Sleeps; vm->srcu or slots_lock is held.
 *
 * The three answer 0; -ENXIO: a frame of it has no slot, or what is written has one that may only be
 * read: MMIO; -EFAULT: the owner has no memory there. Until an error, what came before it is done.
 */
#pragma once

#include <lib/types.h>

struct kvm_vm;
struct mm_notify_ops;

int kvm_guest_read(struct kvm_vm *vm, u64 gpa, void *to, size_t n);
int kvm_guest_write(struct kvm_vm *vm, u64 gpa, const void *from, size_t n);
/*
 * Compares SIZE bytes (1, 2, 4, 8 or 16) at GPA, all of one page, with OLD, and writes FRESH where
 * they are equal; -EAGAIN: they are not, and nothing was written. GPA is a multiple of SIZE: one
 * atomic operation. Otherwise the bytes are compared first and then each is written once, and a
 * write of another CPU in between may be lost.
 */
int kvm_guest_exchange(struct kvm_vm *vm, u64 gpa, const void *old, const void *fresh, u32 size);

/* ---- the owner's changes, and what the host takes away ---- */

struct kvm_dirty_log;
struct kvm_userspace_memory_region;

/*
 * KVM_SET_USER_MEMORY_REGION: what R says is done when it returns, and no vCPU reaches what went.
 * 0, or as kvm_region_judge(); -ENOMEM. Sleeps; in no section of vm->srcu.
 */
int kvm_region_set(struct kvm_vm *vm, const struct kvm_userspace_memory_region *r);
/*
 * KVM_GET_DIRTY_LOG: the pages of a slot that were written to since the last time. 0; -ENOENT: no
 * such slot, or it has no log; -EINVAL; -EFAULT: a part of the log is lost. Sleeps.
 */
int kvm_region_log(struct kvm_vm *vm, const struct kvm_dirty_log *log);
/* All slots are freed; nobody else uses the VM. */
void kvm_regions_free(struct kvm_vm *vm);
/* vm->notify's. */
extern const struct mm_notify_ops kvm_notify_ops;
