/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine: memory slots, vCPUs, and the CPU's part of it.
 *
 * Lives. Descriptors hold the VM: its own, each vCPU's, each device's; a vCPU lives as long as its
 * VM. The VM holds its owner's struct mm, not its contents (mm_count): when the owner's space ends,
 * by exit or exec, mm_notify's `ended` drops the nested tables and from then on every ioctl answers
 * EIO. An ioctl of another space than the owner's does so always.
 *
 * Locks, in this order: vcpu->lock, vm->lock, vm->slots_lock; then the host's (mmap_lock, tables),
 * then the CPU's part (nested tables). What vCPUs read while they run (slots, buses and routes) is
 * read under `srcu`, which no vCPU holds while its guest runs, and in which none takes vm->lock or
 * vm->slots_lock: their holders wait for readers.
 */
#pragma once

#include <alloc/xarray.h>
#include <kernel/rcu.h>
#include <kernel/refcount.h>
#include <kvm/bus.h>
#include <kvm/slot.h>
#include <kvm/stat.h>
#include <mm/notify.h>
#include <sched/mutex.h>

struct kvm_cpu_vm;			/* the CPU's part (kvm/cpu.h) */
struct kvm_bus;				/* kvm/bus/ */
struct kvm_coalesced;			/* kvm/bus/ */
struct kvm_events_of_vm;		/* kvm/event/ */
struct kvm_vcpu;

struct kvm_vm {
	refcount_t refs;	 /* of descriptors */
	struct mm *mm;   /* c */
	int pid;	 /* c: of the thread that made it; names its statistics */
	struct kvm_vm_stat stat;
	/* once: the owner's space is gone; the CPU's lock of nested tables, read without */
	bool ended;
	/* which vCPUs and devices there are, what must be set before the first of them */
	struct mutex lock;
	struct mutex slots_lock; /* writers of slots */
	struct srcu_struct srcu;
	struct kvm_slot_map slots; /* slots_lock; readers srcu */
	struct xarray slot_by_id; /* slots_lock */
	struct mm_notify_user notify;
	/* vm->lock; readers RCU: by index, none ever goes before the VM does */
	struct xarray vcpus;
	struct xarray by_id;	/* vm->lock; the same, by the owner's name */
	u32 nr_vcpus;   /* vm->lock; read without: those below it are in `vcpus` */
	struct kvm_bus *buses[KVM_BUSES]; /* slots_lock; readers srcu; NULL: empty */
	struct kvm_coalesced *coalesced; /* c: the ring of writes */
	struct kvm_events_of_vm *events; /* its end; readers srcu: routes and eventfds */
	struct kvm_cpu_vm *cpu;	/* c */
};
