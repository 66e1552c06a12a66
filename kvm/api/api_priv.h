/* SPDX-License-Identifier: MIT */
/* What the files of /dev/kvm, of a VM and of a vCPU share. */
#pragma once

#include <kvm/vcpu.h>
#include <kvm/vm.h>
#include <mm/uaccess.h>
#include <sched/task.h>

/* As on Linux's x86. */
#define KVM_VCPUS_MAX 4096U		/* not a page */
#define KVM_VCPU_IDS_MAX 16384U

/* KVM_CHECK_EXTENSION, of VM or of /dev/kvm (NULL): 0: there is no such thing. */
long kvm_extension(const struct kvm_vm *vm, unsigned long what);

/* KVM_CREATE_VM: a descriptor, or -errno. */
long kvm_vm_create(unsigned long type);
void kvm_vm_put(struct kvm_vm *vm);
/* 0, or -EIO: the running task is not of the owner's space, or that has ended. */
static inline int kvm_vm_check_owner(const struct kvm_vm *vm)
{
	return current->mm == vm->mm && !READ_ONCE(vm->ended) ? 0 : -EIO;
}

/* KVM_CREATE_VCPU: a descriptor, or -errno. */
long kvm_vcpu_create(struct kvm_vm *vm, unsigned long id);
/* KVM_GET_STATS_FD: a descriptor, which holds the VM, or -ENOMEM, -EMFILE, -ENFILE. */
int kvm_vm_stats_fd(struct kvm_vm *vm);
int kvm_vcpu_stats_fd(struct kvm_vcpu *v);
/* All of VM's, which nobody uses any more. */
void kvm_vcpus_free(struct kvm_vm *vm);
