// SPDX-License-Identifier: MIT
/*
 * Interval timers (setitimer(2)) and the CPU-time limit. ITIMER_REAL is a high-resolution timer; the CPU-time ones are
 * looked at by the tick, which a running task always has, and kept in the process under siglock.
 */
#include <lib/types.h>
#include <kernel/time.h>
#include <proc/itimer.h>
#include <proc/posix_timers.h>
#include <proc/proc_priv.h>
#include <proc/signal.h>
#include <proc/wait.h>
#include <sched/sched.h>
#include <sched/upcalls.h>
#include <abi/errno.h>
#include <linux/resource.h>
#include <linux/time.h>

/*
 * A periodic timer is set again when its signal is taken: the shortest interval costs no more than the signals that are taken of it. Whoever sets
 * the timer does not wait for this function, which may be about to take siglock: it looks again whether it is still wanted.
 */
static enum hrtimer_restart real_fire(struct hrtimer *t)
{
	struct signal_struct *s = container_of(t, struct signal_struct, real_timer);
	struct task *leader, *before = NULL;
	unsigned long flags;
	struct pid *pid;

	rcu_read_lock();
	pid = rcu_dereference(s->pids[PIDTYPE_TGID]);
	/* Gone as we looked at it, a thread in exec may have taken its place. */
	while (pid && (leader = pid_task(pid, PIDTYPE_PID)) && leader != before) {
		if (lock_task_sighand(leader, &flags)) {
			if (s->it_real == ITIMER_ARMED && !hrtimer_is_queued(t)) {
				s->it_real = ITIMER_FIRED;
				send_kernel_signal_locked(SIGALRM, leader, PIDTYPE_TGID);
			}
			unlock_task_sighand(leader, &flags);
			break;
		}
		before = leader;
	}
	rcu_read_unlock();
	return HRTIMER_NORESTART;
}

void itimer_taken(struct signal_struct *s)
{
	struct hrtimer *t = &s->real_timer;

	if (s->it_real != ITIMER_FIRED || !s->it_real_incr)
		return;
	s->it_real = ITIMER_ARMED;
	hrtimer_forward(t, hrtimer_cb_get_time(t), s->it_real_incr);
	hrtimer_start(t, t->expires, HRTIMER_MODE_ABS);
}

void itimer_init(struct signal_struct *s)
{
	hrtimer_init(&s->real_timer, CLOCK_MONOTONIC, real_fire);
	s->it_real_incr = 0;
	s->it_real = ITIMER_OFF;
}

void exit_itimers(struct signal_struct *s)
{
	s->it_real = ITIMER_OFF;	/* whatever fires now finds nothing wanted */
	hrtimer_cancel(&s->real_timer);
	posix_timers_drop_all(s);
}

static u64 cpu_now(struct task *t, int which)
{
	u64 u, s;

	thread_group_cputime(t, &u, &s);
	return which == ITIMER_PROF ? u + s : u;
}

/* (siglock) */
static void real_get(const struct signal_struct *s, struct itimer_k *out)
{
	s64 left;

	out->interval_ns = (u64)s->it_real_incr;
	out->value_ns = 0;
	if (s->it_real != ITIMER_ARMED)
		return;
	left = hrtimer_get_remaining(&s->real_timer);
	out->value_ns = left > 1000 ? (u64)left : 1000;
}

/* The new setting for the old one, in one step for all threads. */
static void real_set(struct signal_struct *s, const struct itimer_k *new, struct itimer_k *old)
{
	spin_lock_irq(&my_sighand()->siglock);
	real_get(s, old);
	s->it_real = new->value_ns ? ITIMER_ARMED : ITIMER_OFF;
	s->it_real_incr = new->value_ns ? (ktime_t)new->interval_ns : 0;
	if (new->value_ns)
		hrtimer_start(&s->real_timer, (ktime_t)new->value_ns, HRTIMER_MODE_REL);
	else
		hrtimer_try_to_cancel(&s->real_timer);
	spin_unlock_irq(&my_sighand()->siglock);
}

/* siglock held. */
static void cpu_get(const struct signal_struct *s, int which, struct itimer_k *out)
{
	*out = (struct itimer_k){ s->it_cpu[which == ITIMER_VIRTUAL].expires_ns, s->it_cpu[which == ITIMER_VIRTUAL].incr_ns };
	if (out->value_ns) {
		u64 now = cpu_now(current, which);

		out->value_ns = out->value_ns > now ? out->value_ns - now : TICK_NSEC;
	}
}

int itimer_get(int which, struct itimer_k *out)
{
	struct signal_struct *s = current->signal;

	if (which == ITIMER_REAL) {
		spin_lock_irq(&my_sighand()->siglock);
		real_get(s, out);
		spin_unlock_irq(&my_sighand()->siglock);
		return 0;
	}
	if (which != ITIMER_VIRTUAL && which != ITIMER_PROF)
		return -EINVAL;
	spin_lock_irq(&my_sighand()->siglock);
	cpu_get(s, which, out);
	spin_unlock_irq(&my_sighand()->siglock);
	return 0;
}

int itimer_set(int which, const struct itimer_k *new, struct itimer_k *old)
{
	struct signal_struct *s = current->signal;
	u64 now;

	if (which == ITIMER_REAL) {
		real_set(s, new, old);
		return 0;
	}
	if (which != ITIMER_VIRTUAL && which != ITIMER_PROF)
		return -EINVAL;
	spin_lock_irq(&my_sighand()->siglock);
	cpu_get(s, which, old);
	now = new->value_ns ? cpu_now(current, which) : 0;
	s->it_cpu[which == ITIMER_VIRTUAL].expires_ns = new->value_ns ? now + new->value_ns : 0;
	s->it_cpu[which == ITIMER_VIRTUAL].incr_ns = new->interval_ns;
	spin_unlock_irq(&my_sighand()->siglock);
	return 0;
}

/* T is current. Another thread may set the timer at this moment, or see it go off, too. */
static void check_cpu_timer(struct signal_struct *s, int i, u64 now, int sig, struct task *t)
{
	u64 expires = READ_ONCE(s->it_cpu[i].expires_ns);

	if (!expires || now < expires)
		return;
	spin_lock(&task_sighand(t)->siglock);
	expires = s->it_cpu[i].expires_ns;
	if (expires && now >= expires) {
		s->it_cpu[i].expires_ns = s->it_cpu[i].incr_ns ? expires + s->it_cpu[i].incr_ns : 0;
		send_kernel_signal_locked(sig, t, PIDTYPE_TGID);
	}
	spin_unlock(&task_sighand(t)->siglock);
}

/* The tick, interrupts off. T is current. */
void cpu_timers_tick(struct task *t)
{
	struct signal_struct *s = t->signal;
	u64 soft = READ_ONCE(s->rlim[RLIMIT_CPU].cur), hard, used, u, st;

	if (unlikely(!RB_EMPTY_ROOT(&s->cpu_timers)) && !(t->flags & (PF_EXITING | PF_KTHREAD)))
		posix_timers_tick(t);
	if (likely(soft == RLIM_INFINITY && !READ_ONCE(s->it_cpu[0].expires_ns) && !READ_ONCE(s->it_cpu[1].expires_ns)))
		return;
	if (t->flags & (PF_EXITING | PF_KTHREAD))
		return;
	thread_group_cputime(t, &u, &st);
	check_cpu_timer(s, 0, u + st, SIGPROF, t);
	check_cpu_timer(s, 1, u, SIGVTALRM, t);
	if (soft == RLIM_INFINITY)
		return;
	hard = READ_ONCE(s->rlim[RLIMIT_CPU].max);
	used = (u + st) / NSEC_PER_SEC;		/* a limit in nanoseconds may be more than fits */
	if (hard != RLIM_INFINITY && used >= hard) {
		do_send_sig_info(SIGKILL, SEND_SIG_PRIV, t, PIDTYPE_TGID);
	} else if (used >= soft) {
		do_send_sig_info(SIGXCPU, SEND_SIG_PRIV, t, PIDTYPE_TGID);
		/* Once a second from here on, unless somebody sets it at this moment. */
		cmpxchg(&s->rlim[RLIMIT_CPU].cur, soft, soft + 1);
	}
}

/* setitimer(2): timers survive an exec. */
