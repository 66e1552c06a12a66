/* SPDX-License-Identifier: MIT */
/*
 * All that a CPU gives to KVM; defined in arch/CPU/kvm_*.c, where config/CPU.mk says kvm_supported.
 * Everything else in kvm/ is common.
 *
 * Errors are -errno. `arch` ioctls are those that common code does not know: -ENOTTY from there is
 * the ioctl's.
 */
#pragma once

#include <lib/types.h>

struct kvm_irq_routing_entry;
struct kvm_route;
struct kvm_slot;
struct kvm_vcpu;
struct kvm_vm;
struct uptr;

/* ---- the machine ---- */

/* Why there are no guests here, for the one line at boot; NULL: there are. */
const char *kvm_cpu_refusal(void);
/* One VM more: virtualization is on, on each CPU, while there are any. Sleeps. */
int kvm_cpu_get(void);
void kvm_cpu_put(void);
/* KVM_CHECK_EXTENSION of what the CPU knows: 0: absent. VM NULL: asked of /dev/kvm. */
long kvm_cpu_extension(const struct kvm_vm *vm, unsigned long what);
/* /dev/kvm's own ioctls: supported CPUID, lists of MSRs. */
long kvm_cpu_dev_ioctl(unsigned int cmd, struct uptr arg);
/* Bytes that one vCPU's mapping has, kvm_run first. */
size_t kvm_cpu_run_size(void);

/* ---- a VM ---- */

/* vm->cpu is made, for KVM_CREATE_VM's TYPE (-EINVAL: not known). */
int kvm_cpu_vm_new(struct kvm_vm *vm, unsigned long type);
/* No vCPU will run any more; the VM's own devices raise no interrupt from now on. Sleeps. */
void kvm_cpu_vm_stop(struct kvm_vm *vm);
/* No vCPU is left, and the mirror of memory has ended. */
void kvm_cpu_vm_free(struct kvm_vm *vm);
long kvm_cpu_vm_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg);

/* ---- memory: called by kvm/memory/, srcu or slots_lock held ---- */

/* The last frame that a guest can have. */
u64 kvm_cpu_last_gfn(void);
/*
 * Nothing leads from [GFN, GFN + PAGES) any more when it returns, and what was written through it
 * is noted (folio_mark_dirty, dirty logs). Sleeps, allocates nothing.
 */
void kvm_cpu_zap(struct kvm_vm *vm, u64 gfn, u64 pages);
/* The guest's next write of each frame of [GFN, GFN + PAGES) faults. Sleeps, allocates nothing. */
void kvm_cpu_protect(struct kvm_vm *vm, u64 gfn, u64 pages);
/*
 * Whether the guest used [GFN, GFN + PAGES) since it was last cleared; CLEAR clears. Does not
 * sleep.
 */
bool kvm_cpu_young(struct kvm_vm *vm, u64 gfn, u64 pages, bool clear);
/*
 * Atomically, 16 bytes at TO, which is a multiple of that: FRESH where OLD stands; false: it does
 * not.
 */
bool kvm_cpu_exchange_16(void *to, const void *old, const void *fresh);
/* The owner's space ends: all nested tables go, and nothing is mapped from now on. Sleeps. */
void kvm_cpu_mirror_ends(struct kvm_vm *vm);

/* ---- interrupts: called by kvm/event/, srcu held ---- */

/* Whether VM has controllers of its own; once true it stays. */
bool kvm_cpu_has_irqchip(const struct kvm_vm *vm);
/* TO is FROM, checked; -EINVAL: no such input. */
int kvm_cpu_route(const struct kvm_vm *vm, const struct kvm_irq_routing_entry *from,
		  struct kvm_route *to);
/*
 * R has LEVEL, SOURCE says (enum kvm_irq_source; a message: true alone). How many CPUs took it, 0:
 * it was requested there already, -1: masked, or for none. Interrupts are on; does not sleep.
 */
int kvm_cpu_route_set(struct kvm_vm *vm, const struct kvm_route *r, unsigned int source,
		      bool level);
/*
 * The same of a message, in any context that may wake a task. -EWOULDBLOCK: it is for many CPUs, or
 * of another kind that takes longer: a worker calls kvm_cpu_route_set().
 */
int kvm_cpu_route_fast(struct kvm_vm *vm, const struct kvm_route *r);

/* ---- a vCPU ---- */

/* v->arch is made, in the state after reset; an id that the CPU does not have: -EINVAL. */
int kvm_cpu_vcpu_new(struct kvm_vcpu *v);
void kvm_cpu_vcpu_free(struct kvm_vcpu *v);
/*
 * V is about to be one of its VM's, vm->nr_vcpus its index: 0, or -ENOMEM. Then it is one. vm->lock
 * is held. Sleeps.
 */
int kvm_cpu_vcpu_join(struct kvm_vcpu *v);
void kvm_cpu_vcpu_joined(struct kvm_vcpu *v);
/* v->lock held, in an srcu section. */
long kvm_cpu_vcpu_ioctl(struct kvm_vcpu *v, unsigned int cmd, struct uptr arg);

/*
 * The steps of KVM_RUN (kvm/vcpu/run.c has the loop). Before all of them, in an srcu section: what
 * user space answered to an exit is done. 0, or -errno, and KVM_RUN ends without
 * kvm_cpu_run_end(), which comes after all of them.
 */
int kvm_cpu_run_begin(struct kvm_vcpu *v);
void kvm_cpu_run_end(struct kvm_vcpu *v);
/*
 * Whether the vCPU runs at all, and is not halted with nothing to wake it (a request of the CPU's
 * own is something). Any context.
 */
bool kvm_cpu_runnable(const struct kvm_vcpu *v);
/*
 * Takes requests and injects at most one event. Sleeps, in an srcu section; before each entry, the
 * registers loaded. 1: go on; 2: the guest does not run now: ask kvm_cpu_runnable() again; 0: to
 * user space, v->run says why; -errno.
 */
int kvm_cpu_prepare(struct kvm_vcpu *v);
/*
 * The registers are on this CPU from the beginning of KVM_RUN to its end; preemption off. And off
 * again. Both also as guest_hooks (unload: the queue locked). v->cpu is where they were before.
 */
void kvm_cpu_load(struct kvm_vcpu *v);
void kvm_cpu_unload(struct kvm_vcpu *v);
/* Runs the guest until it leaves. Interrupts and preemption are off. */
void kvm_cpu_enter(struct kvm_vcpu *v);
/*
 * What it left for, as far as it may be done with preemption off: 1: done; 0: kvm_cpu_exit() does
 * it.
 */
int kvm_cpu_exit_fast(struct kvm_vcpu *v);
/* The same, sleeping, in an srcu section. As kvm_cpu_prepare(). */
int kvm_cpu_exit(struct kvm_vcpu *v);
