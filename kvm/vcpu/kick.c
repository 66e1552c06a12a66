// SPDX-License-Identifier: MIT
/*
 * How a vCPU's attention is got (kvm/vcpu.h).
 *
 * The two sides are a store and a load each, with a full barrier between: the request and the mode,
 * the mode and the request. One of them sees the other, so that no vCPU enters its guest with a
 * request that nobody interrupts it for. To interrupt is to send the CPU where it runs an
 * interrupt, any one: it ends the guest, and the vCPU looks again.
 */
#include <arch/smp.h>
#include <kernel/cpumask.h>
#include <kernel/irq.h>
#include <kernel/preempt.h>
#include <kvm/vcpu.h>
#include <kvm/vm.h>
#include <kernel/bug.h>
#include <kernel/rcu.h>

bool kvm_vcpu_enter_mode(struct kvm_vcpu *v)
{
	DEBUG_ON(!irqs_disabled() || !preempt_count());
	WRITE_ONCE(v->mode, KVM_IN_GUEST);
	/* before the look at the requests; pairs with kvm_vcpu_kick()'s (tests/litmus/kvm-kick) */
	smp_mb();
	if (!READ_ONCE(v->requests))
		return true;
	WRITE_ONCE(v->mode, KVM_OUTSIDE);
	return false;
}

void kvm_vcpu_leave_mode(struct kvm_vcpu *v)
{
	DEBUG_ON(!irqs_disabled());
	smp_store_release(&v->mode, KVM_OUTSIDE);	/* after all that the guest did */
}

void kvm_request(struct kvm_vcpu *v, unsigned int request)
{
	__atomic_fetch_or(&v->requests, 1UL << request, __ATOMIC_RELEASE);
}

bool kvm_request_take(struct kvm_vcpu *v, unsigned int request)
{
	if (!(READ_ONCE(v->requests) & 1UL << request))
		return false;
	__atomic_fetch_and(&v->requests, ~(1UL << request), __ATOMIC_ACQUIRE);
	/* what the requester wrote is seen, and a request from now on is another one */
	__atomic_full();
	return true;
}

void kvm_vcpu_kick(struct kvm_vcpu *v)
{
	int cpu;

	smp_mb();		/* the request before the look at the mode */
	if (wq_has_sleeper(&v->halted))
		wake_up(&v->halted);
	preempt_disable();
	cpu = READ_ONCE(v->cpu);
	if (READ_ONCE(v->mode) == KVM_IN_GUEST && cpu != (int)raw_smp_processor_id())
		arch_send_reschedule((unsigned int)cpu);
	preempt_enable();
}

/* The interrupt itself is all: it is taken once the guest has been left. */
static void leave_guest(void *unused)
{
}

/* By index; it stays as long as the VM does. */
static struct kvm_vcpu *vcpu_at(struct kvm_vm *vm, u32 i)
{
	struct kvm_vcpu *v;

	rcu_read_lock();
	v = xa_load(&vm->vcpus, i);
	rcu_read_unlock();
	return v;
}

bool kvm_request_all(struct kvm_vm *vm, unsigned int request)
{
	u32 n = smp_load_acquire(&vm->nr_vcpus);
	struct cpumask in_guest;

	for (u32 i = 0; i < n; i++)
		kvm_request(vcpu_at(vm, i), request);
	smp_mb();		/* the requests before the look at the modes */
	cpumask_clear(&in_guest);
	for (u32 i = 0; i < n; i++) {
		struct kvm_vcpu *v = vcpu_at(vm, i);

		if (READ_ONCE(v->mode) == KVM_IN_GUEST)
			cpumask_set_cpu((unsigned int)READ_ONCE(v->cpu), &in_guest);
	}
	preempt_disable();
	smp_call_function_many(&in_guest, leave_guest, NULL, true);
	preempt_enable();
	/* One that was outside: what its guest did is seen. Pairs with kvm_vcpu_leave_mode(). */
	smp_mb();
	return !cpumask_empty(&in_guest);
}
