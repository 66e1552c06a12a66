// SPDX-License-Identifier: MIT
/*
 * Kernel threads. Each has a struct kthread until its task goes: the function, the stop request, and the
 * completion that kthread_stop() waits for.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/format.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/preempt.h>
#include <arch/upcalls.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <sched/sched_priv.h>
#include <sched/task_life.h>
#include <sched/upcalls.h>
#include <abi/errno.h>

struct kthread {
	int (*fn)(void *data);
	void *data;
	bool should_stop;
	int result;
	refcount_t refs;		/* the task's and kthread_stop()'s */
	struct completion exited;
};

static void kthread_put(struct kthread *k)
{
	if (refcount_dec_and_test(&k->refs))
		kfree(k);
}

static int kthread_main(void *arg)
{
	struct kthread *k = arg;
	int r = -EINTR;

	if (!READ_ONCE(k->should_stop))
		r = k->fn(k->data);
	k->result = r;
	complete_all(&k->exited);
	current->kthread = NULL;
	kthread_put(k);
	kernel_thread_exit(0);
}

static struct task *kthread_vcreate(int (*fn)(void *data), void *data, const char *fmt, va_list ap)
{
	struct kthread *k = kzalloc(sizeof(*k), GFP_KERNEL);
	char name[TASK_COMM_LEN];
	struct task *t;

	if (!k)
		return ERR_PTR(-ENOMEM);
	k->fn = fn;
	k->data = data;
	refcount_set(&k->refs, 1);
	init_completion(&k->exited);
	vsnprintf(name, sizeof(name), fmt, ap);
	t = kernel_thread_create(kthread_main, k, name);
	if (IS_ERR(t)) {
		kfree(k);
		return t;
	}
	t->kthread = k;
	return t;
}

struct task *kthread_create(int (*fn)(void *data), void *data, const char *fmt, ...)
{
	struct task *t;
	va_list ap;

	va_start(ap, fmt);
	t = kthread_vcreate(fn, data, fmt, ap);
	va_end(ap);
	return t;
}

struct task *kthread_run(int (*fn)(void *data), void *data, const char *fmt, ...)
{
	struct task *t;
	va_list ap;

	va_start(ap, fmt);
	t = kthread_vcreate(fn, data, fmt, ap);
	va_end(ap);
	if (!IS_ERR(t))
		wake_up_process(t);
	return t;
}

void kthread_bind(struct task *t, unsigned int cpu)
{
	cpumask_clear(&t->cpus_mask);
	__cpumask_set_cpu(cpu, &t->cpus_mask);
	t->nr_cpus_allowed = 1;
	t->flags |= PF_NO_SETAFFINITY;
	if (t->state == TASK_NEW)
		t->cpu = (int)cpu;
}

int kthread_stop(struct task *t)
{
	struct kthread *k = t->kthread;
	int r;

	get_task_struct(t);
	refcount_inc(&k->refs);
	WRITE_ONCE(k->should_stop, true);
	try_to_wake_up(t, TASK_NORMAL | TASK_NEW, 0);
	wait_for_completion(&k->exited);
	r = k->result;
	kthread_put(k);
	put_task_struct(t);
	return r;
}

bool kthread_should_stop(void)
{
	return READ_ONCE(((struct kthread *)current->kthread)->should_stop);
}

void sched_exit(void)
{
	preempt_disable();
	set_special_state(TASK_DEAD);
	__schedule(false);
	BUG();
	for (;;)
		;
}
