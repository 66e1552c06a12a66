// SPDX-License-Identifier: MIT
/*
 * KVM_RUN: the loop over what a CPU gives (kvm/cpu.h).
 *
 * Before each entry: signals and other work of the task, a switch if one is due, requests and
 * events. Then with interrupts off once more whether any of these has come, in the order that a
 * kick relies on (kvm/vcpu.h). After the guest, interrupts are let in before its time ends.
 */
#include <abi/errno.h>
#include <kernel/irq.h>
#include <kernel/preempt.h>
#include <kernel/time.h>
#include <kvm/cpu.h>
#include <kvm/vcpu.h>
#include <kvm/vm.h>
#include <linux/kvm.h>
#include <proc/signal.h>
#include <sched/sched.h>
#include <sched/task.h>

#define WORK (_TIF(TIF_SIGPENDING) | _TIF(TIF_NOTIFY_SIGNAL) | _TIF(TIF_NOTIFY_RESUME))

static bool work_pending(void)
{
	return READ_ONCE(current->work_flags) & WORK;
}

static void guest_out(struct guest_hooks *h)
{
	kvm_cpu_unload(container_of(h, struct kvm_vcpu, hooks));
}

static void guest_in(struct guest_hooks *h)
{
	kvm_cpu_load(container_of(h, struct kvm_vcpu, hooks));
}

static void load(struct kvm_vcpu *v)
{
	v->hooks = (struct guest_hooks){ .out = guest_out, .in = guest_in };
	preempt_disable();
	kvm_cpu_load(v);
	guest_hooks_set(&v->hooks);
	preempt_enable();
}

static void unload(struct kvm_vcpu *v)
{
	preempt_disable();
	guest_hooks_set(NULL);
	kvm_cpu_unload(v);
	preempt_enable();
}

/* Whether the guest ran. Preemption is off. */
static bool enter(struct kvm_vcpu *v)
{
	local_irq_disable();
	WRITE_ONCE(v->cpu, (int)raw_smp_processor_id());
	if (!kvm_vcpu_enter_mode(v)) {
		local_irq_enable();
		return false;
	}
	if (need_resched() || work_pending()) {
		kvm_vcpu_leave_mode(v);
		local_irq_enable();
		return false;
	}
	guest_enter();
	kvm_cpu_enter(v);
	kvm_count(&v->stat.exits);
	kvm_vcpu_leave_mode(v);
	local_irq_enable();		/* what ended the guest is taken here, in its time */
	guest_leave();
	return true;
}

/* The guest waits for an interrupt. 1 or -EINTR. */
static int block(struct kvm_vcpu *v)
{
	unsigned long ours = 1UL << KVM_REQUEST_LEAVE | 1UL << KVM_REQUEST_END;
	u64 begin = ktime_get_ns();
	int e;

	WRITE_ONCE(v->stat.blocking, 1);
	e = wait_event_interruptible(v->halted,
				     kvm_cpu_runnable(v) || READ_ONCE(v->requests) & ours);
	WRITE_ONCE(v->stat.blocking, 0);
	WRITE_ONCE(v->stat.halt_wait_ns, v->stat.halt_wait_ns + ktime_get_ns() - begin);
	if (e)
		return -EINTR;
	kvm_count(&v->stat.halt_wakeup);
	return 1;
}

/* One entry, and what comes of it. As kvm_cpu_exit(). */
static int run_once(struct kvm_vcpu *v)
{
	bool left, done;
	int idx, r;

	idx = srcu_read_lock(&v->vm->srcu);
	r = kvm_cpu_prepare(v);
	srcu_read_unlock(&v->vm->srcu, idx);
	if (r != 1)
		return r > 0 ? 1 : r;
	preempt_disable();
	left = enter(v);
	done = !left || kvm_cpu_exit_fast(v);
	preempt_enable();
	if (done)
		return 1;
	idx = srcu_read_lock(&v->vm->srcu);
	r = kvm_cpu_exit(v);
	srcu_read_unlock(&v->vm->srcu, idx);
	return r;
}

static int loop(struct kvm_vcpu *v)
{
	int r;

	do {
		if (work_pending())
			return -EINTR;
		cond_resched();
		kvm_request_take(v, KVM_REQUEST_LEAVE);
		if (kvm_request_take(v, KVM_REQUEST_END))
			return -EIO;
		r = kvm_cpu_runnable(v) ? run_once(v) : block(v);
	} while (r > 0);
	return r;
}

static long run(struct kvm_vcpu *v)
{
	bool at_once = READ_ONCE(v->run->immediate_exit);
	int idx = srcu_read_lock(&v->vm->srcu);
	int r = kvm_cpu_run_begin(v);

	srcu_read_unlock(&v->vm->srcu, idx);
	if (r)
		return r;
	if (at_once) {
		r = -EINTR;
	} else {
		WRITE_ONCE(v->run->exit_reason, KVM_EXIT_UNKNOWN);
		load(v);
		r = loop(v);
		unload(v);
		/* Task work alone, without a signal: the program is not to see an EINTR. */
		if (r == -EINTR && !test_thread_flag(TIF_SIGPENDING))
			r = -ERESTARTNOINTR;
		if (r == -EINTR) {
			WRITE_ONCE(v->run->exit_reason, KVM_EXIT_INTR);
			kvm_count(&v->stat.signal_exits);
		}
	}
	kvm_cpu_run_end(v);
	return r;
}

static void set_real_blocked(u64 mask)
{
	struct task *t = current;

	spin_lock_irq(&task_sighand(t)->siglock);
	t->real_blocked = mask;
	spin_unlock_irq(&task_sighand(t)->siglock);
}

long kvm_vcpu_run(struct kvm_vcpu *v)
{
	u64 before = current->blocked;
	long r;

	lockdep_assert_held(&v->lock);
	if (!v->has_sigmask)
		return run(v);
	/*
	 * A signal that the thread blocks otherwise is kept for it, even where nobody handles it.
	 */
	set_real_blocked(before);
	set_current_blocked(v->sigmask);
	r = run(v);
	set_current_blocked(before);
	set_real_blocked(0);
	return r;
}
