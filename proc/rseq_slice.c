// SPDX-License-Identifier: MIT
/*
 * Extended slices: a thread that is just about to let go of a lock may ask, by a byte in its rseq
 * area, not to be preempted there. When it is to be scheduled away as it returns to user mode from
 * an interrupt, it gets a few microseconds instead, is told so in the next byte, and shall give the
 * rest back by rseq_slice_yield(2) when it is done; any other call ends it too. A timer of the CPU
 * ends it otherwise, by asking for the switch again.
 *
 * What is asked for is the task's own affair, so that only it is held up: whoever waits for the CPU
 * waits no longer than slice_ns. slice_granted, with its work flag, is looked at and changed by the
 * task itself, and by its CPU's timer in between.
 */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/string.h>
#include <arch/preempt.h>
#include <arch/ptrace.h>
#include <arch/syscall.h>
#include <arch/uaccess.h>
#include <kernel/init.h>
#include <kernel/cpumask.h>
#include <kernel/percpu.h>
#include <kernel/show.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <proc/rseq.h>
#include <proc/signal.h>
#include <sched/sched.h>
#include <sched/task.h>
#include <abi/errno.h>
#include <asm/unistd.h>
#include <linux/rseq.h>
#include <linux/time.h>

#define FIELD(t, f) uptr_add(UPTR((unsigned long)(t)->rseq), offsetof(struct rseq, f))
#define SLICE_MOST_NS 50000

static int slice_ns = 5000;		/* debugfs rseq/slice_ext_nsec */
static DEFINE_PER_CPU(struct hrtimer, slice_timer);

/* Own CPU, interrupts off: the running task is to be scheduled away as soon as it can be. */
static void ask_for_switch(void)
{
	set_tsk_flag(current, TIF_NEED_RESCHED);
	set_preempt_need_resched();
}

static enum hrtimer_restart slice_over(struct hrtimer *h)
{
	if (current->slice_granted)
		ask_for_switch();
	return HRTIMER_NORESTART;
}

/* The request of the running task, taken back; false: there is none. */
static bool take_request(struct task *t)
{
	struct rseq_slice_ctrl c;
	u32 all;

	if (get_user(all, FIELD(t, slice_ctrl)))
		goto bad;
	c.all = all;
	if (!c.request)
		return false;
	c.request = 0;
	c.granted = 1;
	all = c.all;
	if (put_user(all, FIELD(t, slice_ctrl)))
		goto bad;
	return true;
bad:
	force_sig(SIGSEGV);
	return false;
}

bool rseq_extend_slice(struct pt_regs *regs)
{
	struct task *t = current;

	if (likely(!t->slice_enabled) || t->slice_granted || !t->rseq ||
	    arch_syscall_nr(regs) >= 0 || !take_request(t))
		return false;
	local_irq_disable();
	t->slice_granted = true;
	set_tsk_flag(t, TIF_RSEQ_SLICE);
	clear_bit(TIF_NEED_RESCHED, &t->work_flags);
	clear_bit(TIF_NEED_RESCHED_LAZY, &t->work_flags);
	clear_preempt_need_resched();
	hrtimer_start(this_cpu_ptr(&slice_timer), (ktime_t)READ_ONCE(slice_ns), HRTIMER_MODE_REL);
	local_irq_enable();
	return true;
}

void rseq_end_slice(void)
{
	struct task *t = current;
	u32 zero = 0;

	if (likely(!t->slice_granted))
		return;
	t->slice_granted = false;
	clear_thread_flag(TIF_RSEQ_SLICE);
	if (t->rseq && put_user(zero, FIELD(t, slice_ctrl)))
		force_sig(SIGSEGV);
}

void rseq_slice_syscall(long nr)
{
	current->slice_yielded = nr == __NR_rseq_slice_yield;
	rseq_end_slice();
	local_irq_disable();
	ask_for_switch();
	local_irq_enable();
	cond_resched();
}

long rseq_slice_yielded(void)
{
	bool yielded = current->slice_yielded;

	current->slice_yielded = false;
	return yielded;
}

long rseq_slice_get(void)
{
	return current->slice_enabled;
}

long rseq_slice_set(bool on)
{
	const u32 ours = RSEQ_CS_FLAG_SLICE_EXT_AVAILABLE | RSEQ_CS_FLAG_SLICE_EXT_ENABLED;
	struct task *t = current;
	u32 flags;

	if (!t->rseq)
		return -ENXIO;
	if (on == t->slice_enabled)
		return 0;
	if (get_user(flags, FIELD(t, flags)) ||
	    (flags & ours) != (RSEQ_CS_FLAG_SLICE_EXT_AVAILABLE |
			       (t->slice_enabled ? RSEQ_CS_FLAG_SLICE_EXT_ENABLED : 0)))
		goto bad;
	flags = on ? flags | RSEQ_CS_FLAG_SLICE_EXT_ENABLED :
		     flags & ~(u32)RSEQ_CS_FLAG_SLICE_EXT_ENABLED;
	if (put_user(flags, FIELD(t, flags)))
		goto bad;
	t->slice_enabled = on;
	return 0;
bad:
	force_sig(SIGSEGV);
	return -EFAULT;
}

void rseq_slice_forget(struct task *t)
{
	t->slice_enabled = t->slice_granted = t->slice_yielded = false;
	clear_bit(TIF_RSEQ_SLICE, &t->work_flags);
}

static int rseq_slice_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		hrtimer_init(per_cpu_ptr(&slice_timer, cpu), CLOCK_MONOTONIC, slice_over);
	return 0;
}
INITCALL(core, rseq_slice_init);

static ssize_t show_slice(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", READ_ONCE(slice_ns));
}

static ssize_t store_slice(struct show_node *n, const char *text, size_t len)
{
	int v;

	if (kstrtoint(text, 0, &v) || v < 0 || v > SLICE_MOST_NS)
		return -EINVAL;
	WRITE_ONCE(slice_ns, v);
	return (ssize_t)len;
}

static int rseq_slice_publish(void)
{
	show_attr(show_path(SHOW_DEBUG, "rseq"), "slice_ext_nsec", 0644, show_slice, store_slice,
		  NULL);
	return 0;
}
INITCALL(fs, rseq_slice_publish);
