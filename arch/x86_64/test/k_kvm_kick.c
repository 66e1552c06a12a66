// SPDX-License-Identifier: MIT
/*
 * Requests and kicks, against a vCPU whose guest never leaves by itself: see k_kvm_svm.c for the
 * guest.
 */
#include <kernel/cpumask.h>
#include <kernel/irq.h>
#include <kernel/ktest.h>
#include <kernel/preempt.h>
#include <kvm/vcpu.h>
#include <kvm/vm.h>
#include <lib/err.h>
#include <lib/string.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <sched/sched.h>
#include "arch/x86_64/kvm_svm.h"
#include "arch/x86_64/test/kvm_guest.h"

static struct kvm_vm vm;
static struct kvm_vcpu vcpu;
static struct completion over;
static u64 entered, left;		/* the vCPU's thread writes: numbers of entries */
static unsigned int flushed;

static int run_vcpu(void *unused)
{
	while (!kvm_request_take(&vcpu, KVM_REQUEST_END)) {
		preempt_disable();
		WRITE_ONCE(vcpu.cpu, (int)raw_smp_processor_id());
		local_irq_disable();
		if (kvm_vcpu_enter_mode(&vcpu)) {
			WRITE_ONCE(entered, entered + 1);
			svm_run(test_guest_world());
			WRITE_ONCE(left, entered);
			kvm_vcpu_leave_mode(&vcpu);
		}
		local_irq_enable();
		preempt_enable();
		if (kvm_request_take(&vcpu, KVM_REQUEST_FLUSH))
			smp_store_release(&flushed, flushed + 1);
		cond_resched();
	}
	complete(&over);
	return 0;
}

static bool start(void)
{
	struct task *t;

	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	xa_init(&vm.vcpus);
	vcpu.vm = &vm;
	vcpu.cpu = -1;
	init_waitqueue_head(&vcpu.halted);
	init_completion(&over);
	entered = left = 0;
	flushed = 0;
	if (xa_err(xa_store(&vm.vcpus, 0, &vcpu, GFP_KERNEL)))
		return false;
	vm.nr_vcpus = 1;
	t = kthread_create(run_vcpu, NULL, "ktest/vcpu");
	if (IS_ERR(t))
		return false;
	wake_up_process(t);
	return true;
}

static void finish(void)
{
	kvm_request(&vcpu, KVM_REQUEST_END);
	kvm_vcpu_kick(&vcpu);
	wait_for_completion(&over);
	xa_destroy(&vm.vcpus);
}

/* jmp . */
static const char for_ever[] = "\xeb\xfe";

/*
 * Once kvm_request_all() has returned, an entry from before is over, and the request is taken
 * before the next.
 */
KTEST(kvm_requests_reach_a_running_guest)
{
	u64 missed = 0, late = 0;

	if (svm_refusal(svm_machine()))
		KT_SKIP("no SVM");
	KT_EQ(svm_get(), 0);
	KT_ASSERT(test_guest_begin(for_ever, sizeof(for_ever) - 1));
	KT_ASSERT(start());
	for (int i = 0; i < 300; i++) {
		unsigned int before = READ_ONCE(flushed);
		u64 number;

		while (READ_ONCE(entered) <= (u64)i)
			schedule_timeout_uninterruptible(1);
		number = READ_ONCE(entered);
		kvm_request_all(&vm, KVM_REQUEST_FLUSH);
		missed += READ_ONCE(left) < number;
		for (;;) {
			u64 now = READ_ONCE(entered);

			smp_rmb();
			if (READ_ONCE(flushed) != before)
				break;
			late += now > number + 1;	/* one may have begun before the request */
			cond_resched();
		}
	}
	finish();
	KT_EQ(missed, 0);
	KT_EQ(late, 0);
	test_guest_end();
	svm_put();
}

static int halt_vcpu(void *unused)
{
	wait_event(vcpu.halted, kvm_request_take(&vcpu, KVM_REQUEST_END));
	complete(&over);
	return 0;
}

KTEST(kvm_kick_wakes_a_halted_vcpu)
{
	struct task *t;

	init_waitqueue_head(&vcpu.halted);
	init_completion(&over);
	vcpu.requests = 0;
	vcpu.mode = KVM_OUTSIDE;
	t = kthread_create(halt_vcpu, NULL, "ktest/vcpu");
	KT_ASSERT(!IS_ERR(t));
	wake_up_process(t);
	while (!wq_has_sleeper(&vcpu.halted))
		schedule_timeout_uninterruptible(1);
	kvm_request(&vcpu, KVM_REQUEST_END);
	kvm_vcpu_kick(&vcpu);
	wait_for_completion(&over);
	KT_EQ(vcpu.requests, 0);
}
