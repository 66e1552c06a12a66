// SPDX-License-Identifier: MIT
/*
 * Detectors of what should not happen: a CPU that has run kernel code for 20 s without a switch while another task waits for
 * it (soft lockup), and tasks that sleep uninterruptibly for 120 s (hung). Both report with a backtrace.
 */
#include <lib/types.h>
#include <arch/smp.h>
#include <kernel/cpumask.h>
#include <lib/format.h>
#include <lib/string.h>
#include <lib/minmax.h>
#include <abi/errno.h>
#include <kernel/init.h>
#include <kernel/ksyms.h>
#include <kernel/printk.h>
#include <kernel/show.h>
#include <kernel/time.h>
#include <arch/stacktrace.h>
#include <sched/kthread.h>
#include <sched/sched_priv.h>
#include <sched/upcalls.h>

static int hung_task_timeout_secs = 120, watchdog_thresh = 10;
static int hung_task_panic, softlockup_panic;
static int hung_task_warnings = 10;
static struct task *hung_task;

static bool print_addr(void *arg, unsigned long addr)
{
	char name[160];

	printk(KERN_ERR "  [<%016lx>] %s\n", addr, ksym_describe(addr, name, sizeof(name)));
	return ++*(int *)arg < 30;
}

void sched_show_task(struct task *t)
{
	int n = 0;

	printk(KERN_ERR "task:%s state:%#x pid:%d\n", t->comm, t->state, t->pid);
	if (!try_get_task_stack(t))
		return;
	arch_stack_walk_task(t, print_addr, &n);
	put_task_stack(t);
}

static void check_one(struct task *t, u64 now)
{
	u64 switches = t->nvcsw + t->nivcsw;

	if ((READ_ONCE(t->state) & ~(unsigned int)TASK_WAKEKILL) != TASK_UNINTERRUPTIBLE || switches != t->last_switch_count) {
		t->last_switch_count = switches;
		t->last_switch_ns = now;
		return;
	}
	if (now - t->last_switch_ns < (u64)hung_task_timeout_secs * NSEC_PER_SEC || !hung_task_warnings)
		return;
	if (hung_task_warnings > 0)
		hung_task_warnings--;
	pr_err("INFO: task %s:%d blocked for more than %llu seconds.\n", t->comm, t->pid,
	       (now - t->last_switch_ns) / NSEC_PER_SEC);
	sched_show_task(t);
	if (hung_task_panic)
		panic("hung_task: blocked tasks");
	t->last_switch_ns = now;
}

static int hung_main(void *unused)
{
	for (;;) {
		u64 now;

		schedule_timeout_interruptible(max(hung_task_timeout_secs, 1) * HZ / 2);
		now = ktime_get_ns();
		if (!hung_task_timeout_secs)
			continue;
		proc_for_each_task(check_one, now);
	}
	return 0;
}

/* The tick. CURR has had the CPU since its last switch. */
void soft_lockup_tick(struct rq *rq, struct task *t, enum cpu_context c)
{
	unsigned int cpu;
	u64 limit = 2 * (u64)READ_ONCE(watchdog_thresh) * NSEC_PER_SEC, gap = rq->clock_ns - rq->last_tick_seen_ns;
	bool wanted;

	rq->last_tick_seen_ns = rq->clock_ns;
	/* A few ticks that did not come: a busy host ran others on this CPU's processor, which is not time that the task has had. */
	if (gap > TICK_NSEC && gap < NSEC_PER_SEC)
		rq->last_switch_seen_ns += gap - TICK_NSEC;
	/*
	 * Alone on its CPU a task may run in the kernel for long: the time counts from the first tick that finds another task waiting,
	 * or the first waker after 20 s would be a false report.
	 */
	wanted = rq->nr_running > 1 || test_tsk_flag(t, TIF_NEED_RESCHED);
	if (context_is_outside(c) || t == rq->idle || !wanted || rq->last_switches != rq->nr_switches) {
		rq->last_switches = rq->nr_switches;
		rq->last_switch_seen_ns = rq->clock_ns;
		return;
	}
	if (!limit || rq->clock_ns - rq->last_switch_seen_ns < limit)
		return;
	pr_emerg("watchdog: BUG: soft lockup - CPU#%d stuck for %llus! [%s:%d]\n", rq->cpu,
		 (rq->clock_ns - rq->last_switch_seen_ns) / NSEC_PER_SEC, t->comm, t->pid);
	dump_stack();
	/* It may wait for another CPU: where do they stand? */
	for_each_online_cpu(cpu)
		if ((int)cpu != rq->cpu)
			arch_smp_nmi_backtrace(cpu);
	if (softlockup_panic)
		panic("softlockup: hung tasks");
	rq->last_switch_seen_ns = rq->clock_ns;
}

static ssize_t show_hung_timeout(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", READ_ONCE(hung_task_timeout_secs));
}

/* The detector sleeps for half the time that it allows: a new time wakes it. */
static ssize_t store_hung_timeout(struct show_node *n, const char *text, size_t len)
{
	int secs, e = kstrtoint(text, 0, &secs);

	if (e)
		return e;
	if (secs < 0 || secs > INT_MAX / HZ)
		return -EINVAL;
	WRITE_ONCE(hung_task_timeout_secs, secs);
	wake_up_process(hung_task);
	return (ssize_t)len;
}

static int detect_init(void)
{
	struct task *t;

	sysctl_int("kernel/hung_task_warnings", 0644, &hung_task_warnings, -1, INT_MAX);
	sysctl_int("kernel/hung_task_panic", 0644, &hung_task_panic, 0, 1);
	sysctl_int("kernel/softlockup_panic", 0644, &softlockup_panic, 0, 1);
	sysctl_int("kernel/watchdog_thresh", 0644, &watchdog_thresh, 0, 60);
	t = kthread_run(hung_main, NULL, "khungtaskd");
	if (IS_ERR(t))
		return (int)PTR_ERR(t);
	hung_task = t;
	show_attr(show_path(SHOW_SYSCTL, "kernel"), "hung_task_timeout_secs", 0644, show_hung_timeout, store_hung_timeout, NULL);
	return 0;
}
INITCALL(late, detect_init);
