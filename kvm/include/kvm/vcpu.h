/* SPDX-License-Identifier: MIT */
/*
 * A virtual CPU, and how others get its attention.
 *
 * Requests are bits that anybody sets and the vCPU's thread takes before it enters the guest. One
 * who sets a bit and then kicks knows: the vCPU does not enter again before it has looked. Kicker:
 * request, barrier, mode; vCPU: mode, barrier, requests, with interrupts off until the guest runs.
 * A vCPU that sleeps (HLT) looks at its requests behind the wait queue's own barrier.
 */
#pragma once

#include <kernel/cpumask.h>
#include <kvm/stat.h>
#include <lib/atomic.h>
#include <lib/types.h>
#include <sched/guest.h>
#include <sched/mutex.h>
#include <sched/wait.h>

struct kvm_run;
struct kvm_vm;
struct kvm_cpu_vcpu;			/* the CPU's part (kvm/cpu.h) */

enum kvm_vcpu_mode { KVM_OUTSIDE, KVM_IN_GUEST };

/* Requests to every CPU; the CPU's own begin at KVM_REQUESTS_CPU. */
enum { KVM_REQUEST_LEAVE, KVM_REQUEST_FLUSH, KVM_REQUEST_END, KVM_REQUESTS_CPU = 8 };

struct kvm_vcpu {
	struct kvm_vm *vm;		/* c */
	u32 id, index;			/* c: the owner's name for it; its place in vm->vcpus */
	struct mutex lock;		/* all ioctls of its descriptor, KVM_RUN among them */
	struct kvm_run *run; /* c: shared with the owner, who changes it at any time: read once */
	unsigned long requests;		/* atomic bits */
	u32 mode;			/* enum kvm_vcpu_mode; its thread writes */
	/* its thread writes with preemption off: where it runs, or ran last; -1: nowhere yet */
	int cpu;
	wait_queue_head_t halted;	/* its thread, while the guest waits for an interrupt */
	struct guest_hooks hooks;	/* c */
	bool has_sigmask;		/* lock: KVM_RUN blocks SIGMASK in place of the thread's */
	u64 sigmask;			/* lock */
	struct kvm_vcpu_stat stat;	/* its thread in KVM_RUN; read without */
	struct kvm_cpu_vcpu *arch;	/* c */
};

/* ---- its thread ---- */

/*
 * Interrupts and preemption are off. True: the guest may be entered, for nothing is requested; who
 * requests something from now on interrupts this CPU. False: something is, and the mode is as
 * before.
 */
bool kvm_vcpu_enter_mode(struct kvm_vcpu *v);
/* Interrupts are off, and the guest does not run. */
void kvm_vcpu_leave_mode(struct kvm_vcpu *v);
/* Whether REQUEST was there; it is taken. What the requester wrote before is seen. */
bool kvm_request_take(struct kvm_vcpu *v, unsigned int request);

/* ---- others, in any context that may wake a task ---- */

/* Sets REQUEST. It is seen at the next entry; kvm_vcpu_kick() makes that soon. */
void kvm_request(struct kvm_vcpu *v, unsigned int request);
/* Makes V leave its guest, or its sleep, if it is in one. Does not wait. */
void kvm_vcpu_kick(struct kvm_vcpu *v);
/*
 * REQUEST to all vCPUs of VM, and returns when no CPU runs a guest of it that was entered before.
 * Interrupts are on. vCPUs that sleep go on sleeping. Whether any CPU was interrupted.
 */
bool kvm_request_all(struct kvm_vm *vm, unsigned int request);

/* ---- KVM_RUN ---- */

/*
 * Runs the guest until it needs the owner, who is the running task: 0, v->run says why. -EINTR: a
 * signal; -ERESTARTNOINTR: only other work waits for the task. v->lock is held.
 */
long kvm_vcpu_run(struct kvm_vcpu *v);
