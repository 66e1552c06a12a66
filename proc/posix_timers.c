// SPDX-License-Identifier: MIT
/*
 * POSIX timers (timer_create(2)). A timer owns one queued signal. It goes off, queues that signal and rests until the signal is
 * taken; then a periodic one is set for its next time and what it missed is the overrun. So the shortest interval costs no more
 * than the process asks for. If the signal is ignored the timer goes on by itself, no faster than the tick.
 *
 * A timer is either a high-resolution timer or one that the tick of its task looks at (processor-time clocks), which sees of each
 * clock only what goes off next. All fields are
 * under the siglock of the process (s), but what is constant (c). The timer's function takes that lock; who cancels must not
 * hold it while waiting, and marks the timer dead first.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/list.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <kernel/time.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/posix_timers.h>
#include <proc/proc_priv.h>
#include <proc/signal.h>
#include <proc/wait.h>
#include <sched/sched.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/time.h>

enum cpu_clock { NOT_CPU, CPU_PROF, CPU_VIRT, CPU_SCHED };

struct posix_timer {
	struct rb_node by_id;		/* s: in signal->posix_timers */
	struct rb_node by_expiry;	/* s: in signal->cpu_timers while it is one and armed */
	struct signal_struct *signal;	/* c: whose time counts */
	struct hrtimer hr;
	clockid_t clock;		/* c */
	int id;				/* c */
	int notify;			/* c: SIGEV_* without SIGEV_THREAD_ID */
	bool to_thread;			/* c */
	int signo;			/* c */
	sigval_t value;			/* c */
	struct pid *target;		/* c: who gets the signal */
	enum cpu_clock cpu;		/* c */
	struct pid *measured;		/* c: the thread whose time counts; NULL: the process */
	struct sigqueue *queued;	/* c: its signal */
	struct task *sleeper;		/* c: who is woken instead (posix_cpu_sleep) */
	s64 interval_ns;		/* s */
	s64 cpu_expires;		/* s: processor time */
	s64 overrun, last_overrun;	/* s */
	bool armed;			/* s: will go off */
	bool listed;			/* s: by_expiry is in the tree */
	bool waiting;			/* s: went off, goes on when the signal is taken */
	bool dead;			/* s */
};

/* ---- processor time ---- */

static s64 cpu_time(struct posix_timer *p, struct task *t)
{
	u64 u, s;

	if (p->measured)
		task_cputime(t, &u, &s);
	else
		thread_group_cputime(t, &u, &s);
	if (p->cpu == CPU_SCHED && p->measured)
		return (s64)task_sched_runtime(t);
	return (s64)(p->cpu == CPU_VIRT ? u : u + s);
}

static s64 cpu_now(struct posix_timer *p)
{
	struct task *t;
	s64 now = 0;

	if (!p->measured)
		return cpu_time(p, current);
	rcu_read_lock();
	t = pid_task(p->measured, PIDTYPE_PID);
	if (t)
		now = cpu_time(p, t);
	rcu_read_unlock();
	return now;
}

/* ---- those that count processor time, by what they measure and when they go off ---- */

static int order_of(const struct posix_timer *p, const struct pid *measured, enum cpu_clock cpu)
{
	if (p->measured != measured)
		return p->measured < measured ? -1 : 1;
	return (int)p->cpu - (int)cpu;
}

static bool expires_before(struct rb_node *a, const struct rb_node *b)
{
	const struct posix_timer *p = rb_entry(a, struct posix_timer, by_expiry);
	const struct posix_timer *q = rb_entry(b, struct posix_timer, by_expiry);
	int order = order_of(p, q->measured, q->cpu);

	return order ? order < 0 : p->cpu_expires < q->cpu_expires;
}

/* siglock held. The one of its kind that goes off next. */
static struct posix_timer *next_to_expire(struct signal_struct *s, const struct pid *measured, enum cpu_clock cpu)
{
	struct rb_node *n = s->cpu_timers.node;
	struct posix_timer *found = NULL;

	while (n) {
		struct posix_timer *p = rb_entry(n, struct posix_timer, by_expiry);
		int order = order_of(p, measured, cpu);

		if (!order)
			found = p;
		n = order < 0 ? n->right : n->left;
	}
	return found;
}

/* siglock held. */
static void list_timer(struct posix_timer *p)
{
	if (p->cpu && !p->listed) {
		rb_add(&p->by_expiry, &p->signal->cpu_timers, expires_before);
		p->listed = true;
	}
}

/* siglock held. */
static void unlist_timer(struct posix_timer *p)
{
	if (p->listed) {
		rb_erase(&p->by_expiry, &p->signal->cpu_timers);
		p->listed = false;
	}
}

/* ---- going off ---- */

static s64 now_of(struct posix_timer *p)
{
	return p->cpu ? cpu_now(p) : hrtimer_cb_get_time(&p->hr);
}

/* Sets the expiry past NOW; the number of intervals it took. */
static u64 forward(struct posix_timer *p, s64 now)
{
	u64 n;

	if (!p->cpu)
		return hrtimer_forward(&p->hr, now, p->interval_ns);
	if (now < p->cpu_expires)
		return 0;
	n = (u64)(now - p->cpu_expires) / (u64)p->interval_ns + 1;
	/* N - 1 intervals end before now, the last one may end after KTIME_MAX. */
	p->cpu_expires = ktime_add_safe(p->cpu_expires + (s64)(n - 1) * p->interval_ns, p->interval_ns);
	return n;
}

/* siglock held. A periodic timer whose signal is out of the way runs again. */
static void go_on(struct posix_timer *p, s64 not_before)
{
	if (!p->waiting || p->dead)
		return;
	p->waiting = false;
	if (!p->interval_ns)
		return;
	p->overrun += (s64)forward(p, now_of(p)) - 1;
	p->armed = true;
	list_timer(p);
	if (!p->cpu)
		hrtimer_start(&p->hr, max(p->hr.expires, not_before), HRTIMER_MODE_ABS);
}

void posix_timer_taken(struct posix_timer *p, struct siginfo *info)
{
	go_on(p, 0);
	p->last_overrun = p->overrun;
	p->overrun = 0;
	info->si_overrun = (int)min(p->last_overrun, (s64)INT_MAX);
}

void posix_timer_discarded(struct posix_timer *p)
{
	go_on(p, hrtimer_cb_get_time(&p->hr) + TICK_NSEC);
}

/* siglock held, T is whom the signal is for. */
static void expire(struct posix_timer *p, struct task *t)
{
	p->armed = false;
	if (p->sleeper) {
		wake_up_process(p->sleeper);
		return;
	}
	p->waiting = true;
	if (p->notify == SIGEV_NONE)
		return;
	if (!signal_queue_owned(p->queued, t, p->to_thread ? PIDTYPE_PID : PIDTYPE_TGID))
		posix_timer_discarded(p);
}

static enum hrtimer_restart fire(struct hrtimer *h)
{
	struct posix_timer *p = container_of(h, struct posix_timer, hr);
	unsigned long flags;
	struct task *t;

	rcu_read_lock();
	t = pid_task(p->target, PIDTYPE_PID);
	if (t && lock_task_sighand(t, &flags)) {
		if (!p->dead && p->armed)
			expire(p, t);
		unlock_task_sighand(t, &flags);
	}
	rcu_read_unlock();
	return HRTIMER_NORESTART;
}

/* What one tick handles; the rest, as late as it is, waits for the next one. */
#define EXPIRE_MAX 20

/* siglock held, ME is current. How many may go off after those of one kind did. */
static int expire_due(struct task *me, const struct pid *measured, enum cpu_clock cpu, int left)
{
	struct posix_timer *p = next_to_expire(me->signal, measured, cpu);
	s64 now = p ? cpu_time(p, me) : 0;
	struct task *t;

	for (; left && p && p->cpu_expires <= now; left--, p = next_to_expire(me->signal, measured, cpu)) {
		unlist_timer(p);
		t = p->sleeper ? me : pid_task(p->target, PIDTYPE_PID);
		if (t) {
			expire(p, t);
		} else {
			p->armed = false;
			p->waiting = true;
		}
	}
	return left;
}

void posix_timers_tick(struct task *me)
{
	int left = EXPIRE_MAX;

	spin_lock(&task_sighand(me)->siglock);
	rcu_read_lock();
	for (enum cpu_clock cpu = CPU_PROF; cpu <= CPU_SCHED; cpu++) {
		left = expire_due(me, NULL, cpu, left);
		left = expire_due(me, task_own_pid(me), cpu, left);
	}
	rcu_read_unlock();
	spin_unlock(&task_sighand(me)->siglock);
}

/* ---- making and removing ---- */

static void free_timer(struct posix_timer *p)
{
	signal_free_owned(p->queued);
	put_pid(p->target);
	put_pid(p->measured);
	kfree(p);
}

/* The clock's kind into P. A clock of another process is none that a timer here can have. */
static int choose_clock(struct posix_timer *p, clockid_t clock)
{
	struct task *t;
	pid_t nr;

	switch (clock) {
	case CLOCK_REALTIME_ALARM: case CLOCK_BOOTTIME_ALARM:
		if (!capable(CAP_WAKE_ALARM))
			return -EPERM;
		return 0;
	case CLOCK_REALTIME: case CLOCK_MONOTONIC: case CLOCK_BOOTTIME: case CLOCK_TAI:
		return 0;
	case CLOCK_MONOTONIC_RAW: case CLOCK_REALTIME_COARSE: case CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	case CLOCK_PROCESS_CPUTIME_ID:
		p->cpu = CPU_SCHED;
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		p->cpu = CPU_SCHED;
		p->measured = get_task_pid(current, PIDTYPE_PID);
		return 0;
	}
	if (clock >= 0 || (clock & 3) > 2)
		return -EINVAL;
	nr = ~(clock >> 3);
	p->cpu = CPU_PROF + (clock & 3);
	rcu_read_lock();
	t = nr ? find_task_by_vpid(nr) : current;
	if (!t || !same_thread_group(t, current)) {
		rcu_read_unlock();
		return -EINVAL;
	}
	if (clock & 4)
		p->measured = get_pid(task_own_pid(t));
	rcu_read_unlock();
	return 0;
}

static int choose_target(struct posix_timer *p, const struct sigevent *se)
{
	int how = se ? se->sigev_notify : SIGEV_SIGNAL;
	struct task *t;
	int e = 0;

	p->signo = se ? se->sigev_signo : SIGALRM;
	p->to_thread = how == (SIGEV_SIGNAL | SIGEV_THREAD_ID);
	p->notify = how & ~SIGEV_THREAD_ID;
	if (how != SIGEV_NONE && how != SIGEV_SIGNAL && how != SIGEV_THREAD && !p->to_thread)
		return -EINVAL;
	if (how != SIGEV_NONE && (p->signo < 1 || p->signo > _NSIG))
		return -EINVAL;
	if (!p->to_thread) {
		p->target = get_task_pid(current, PIDTYPE_TGID);
		return 0;
	}
	rcu_read_lock();
	t = find_task_by_vpid(se->sigev_notify_thread_id);
	if (t && same_thread_group(t, current))
		p->target = get_pid(task_own_pid(t));
	else
		e = -EINVAL;
	rcu_read_unlock();
	return e;
}

/* siglock held. */
static struct posix_timer *find(int id)
{
	struct rb_node *n = current->signal->posix_timers.node;

	while (n) {
		struct posix_timer *p = rb_entry(n, struct posix_timer, by_id);

		if (p->id == id)
			return p;
		n = id < p->id ? n->left : n->right;
	}
	return NULL;
}

static bool id_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct posix_timer, by_id)->id < rb_entry(b, struct posix_timer, by_id)->id;
}

/* siglock held. Gives P the next number that no other has; they are used again only after INT_MAX. */
static void add(struct posix_timer *p, struct signal_struct *s)
{
	do {
		p->id = s->next_timer_id;
		s->next_timer_id = p->id == INT_MAX ? 0 : p->id + 1;
	} while (find(p->id));
	rb_add(&p->by_id, &s->posix_timers, id_less);
}

int posix_timer_create(clockid_t clock, const struct sigevent *se)
{
	struct posix_timer *p = kzalloc(sizeof(*p), GFP_KERNEL);
	struct signal_struct *s = current->signal;
	struct siginfo *i;
	int e, id;

	if (!p)
		return -ENOMEM;
	e = choose_clock(p, clock);
	if (!e)
		e = choose_target(p, se);
	if (e)
		goto fail;
	e = -EAGAIN;
	p->signal = s;
	p->queued = signal_alloc_owned(p, p->signo ? p->signo : SIGALRM);
	if (!p->queued)
		goto fail;
	p->clock = p->cpu ? CLOCK_MONOTONIC : clock;
	hrtimer_init(&p->hr, p->clock, fire);
	spin_lock_irq(&my_sighand()->siglock);
	add(p, s);
	id = p->id;
	i = signal_owned_info(p->queued);
	i->si_code = SI_TIMER;
	i->si_tid = p->id;
	if (se)
		i->si_value = se->sigev_value;
	else
		i->si_value.sival_int = p->id;
	spin_unlock_irq(&my_sighand()->siglock);
	return id;		/* another thread may have removed the timer */
fail:
	free_timer(p);
	return e;
}

/* siglock held, released. */
static void remove(struct posix_timer *p, struct signal_struct *s) __releases(current->sighand->siglock)
{
	p->dead = true;
	rb_erase(&p->by_id, &s->posix_timers);
	unlist_timer(p);
	signal_unqueue_owned(p->queued);
	spin_unlock_irq(&my_sighand()->siglock);
	hrtimer_cancel(&p->hr);
	free_timer(p);
}

int posix_timer_remove(int id)
{
	struct posix_timer *p;

	spin_lock_irq(&my_sighand()->siglock);
	p = find(id);
	if (!p) {
		spin_unlock_irq(&my_sighand()->siglock);
		return -EINVAL;
	}
	remove(p, current->signal);
	return 0;
}

void posix_timers_drop_all(struct signal_struct *s)
{
	for (;;) {
		spin_lock_irq(&my_sighand()->siglock);
		if (RB_EMPTY_ROOT(&s->posix_timers))
			break;
		remove(rb_entry(s->posix_timers.node, struct posix_timer, by_id), s);
	}
	spin_unlock_irq(&my_sighand()->siglock);
}

/* ---- setting and asking ---- */

static void read_timer(struct posix_timer *p, struct posix_timer_spec *out)
{
	s64 now = now_of(p), expires;

	out->interval_ns = p->interval_ns;
	out->value_ns = 0;
	/* One that waits for its signal to be taken, or has none, is where it would be by now. */
	if (p->waiting && p->interval_ns) {
		u64 n = forward(p, now);

		p->overrun += (s64)n;
	} else if (!p->armed) {
		return;
	}
	expires = p->cpu ? p->cpu_expires : p->hr.expires;
	if (p->armed && p->notify == SIGEV_NONE && expires <= now && !p->interval_ns)
		return;
	out->value_ns = max(expires - now, (s64)1);
}

int posix_timer_get(int id, struct posix_timer_spec *out)
{
	struct posix_timer *p;

	spin_lock_irq(&my_sighand()->siglock);
	p = find(id);
	if (p)
		read_timer(p, out);
	spin_unlock_irq(&my_sighand()->siglock);
	return p ? 0 : -EINVAL;
}

/* siglock held. A time that has gone by goes off at once. */
static void start(struct posix_timer *p, bool absolute, s64 value)
{
	struct task *t = NULL;
	s64 when;

	/* Setting the clock affects absolute timers only. */
	hrtimer_set_clock(&p->hr, absolute ? p->clock : CLOCK_MONOTONIC);
	when = absolute ? value : ktime_add_safe(now_of(p), value);
	p->armed = true;
	p->hr.expires = p->cpu_expires = when;
	rcu_read_lock();
	if (when <= now_of(p))
		t = pid_task(p->target, PIDTYPE_PID);
	if (t)
		expire(p, t);
	else if (p->cpu)
		list_timer(p);
	else
		hrtimer_start(&p->hr, when, HRTIMER_MODE_ABS);
	rcu_read_unlock();
}

int posix_timer_set(int id, bool absolute, const struct posix_timer_spec *n, struct posix_timer_spec *old)
{
	struct posix_timer *p;

	for (;;) {
		spin_lock_irq(&my_sighand()->siglock);
		p = find(id);
		if (!p) {
			spin_unlock_irq(&my_sighand()->siglock);
			return -EINVAL;
		}
		/* Its function may be waiting for our lock. */
		if (p->cpu || hrtimer_try_to_cancel(&p->hr) >= 0)
			break;
		spin_unlock_irq(&my_sighand()->siglock);
		cpu_relax();
	}
	read_timer(p, old);
	unlist_timer(p);
	p->armed = p->waiting = false;
	p->interval_ns = n->value_ns ? n->interval_ns : 0;
	p->overrun = 0;
	/* A signal of the old setting says nothing about the new one. */
	signal_unqueue_owned(p->queued);
	if (n->value_ns)
		start(p, absolute, n->value_ns);
	spin_unlock_irq(&my_sighand()->siglock);
	return 0;
}

int posix_timer_overrun(int id)
{
	struct posix_timer *p;
	int r = -EINVAL;

	spin_lock_irq(&my_sighand()->siglock);
	p = find(id);
	if (p)
		r = (int)min(p->last_overrun, (s64)INT_MAX);
	spin_unlock_irq(&my_sighand()->siglock);
	return r;
}

/* ---- sleeping by processor time ---- */

/* RCU held. Whose time CLOCK counts, and into P how; NULL: there is no such clock. */
static struct task *clock_owner(struct posix_timer *p, clockid_t clock)
{
	pid_t nr = ~(clock >> 3);
	struct task *t;

	if (clock == CLOCK_PROCESS_CPUTIME_ID) {
		p->cpu = CPU_SCHED;
		return current;
	}
	if (clock >= 0 || (clock & 3) > 2)
		return NULL;
	p->cpu = CPU_PROF + (clock & 3);
	t = nr ? find_task_by_vpid(nr) : current;
	if (!t || (clock & 4 ? !same_thread_group(t, current) : nr && !thread_group_leader(t)))
		return NULL;
	if (clock & 4)
		p->measured = task_own_pid(t);
	return t;
}

int posix_cpu_now(clockid_t clock, s64 *now)
{
	struct posix_timer p = { 0 };
	struct task *t;

	rcu_read_lock();
	t = clock_owner(&p, clock);
	if (t)
		*now = cpu_time(&p, t);
	rcu_read_unlock();
	return t ? 0 : -EINVAL;
}

/*
 * Puts P into the tree that the tick of GROUP's process looks at, or takes it off; tasklist_lock keeps an exec from changing the leader and
 * its locks meanwhile. Once the process has gone P is in no tree (posix_sleepers_leave): nothing counts, and the sleeper waits for a signal.
 */
static void attach(struct posix_timer *p, struct pid *group)
{
	struct task *leader, *t;

	read_lock(&tasklist_lock);
	leader = pid_task(group, PIDTYPE_TGID);
	t = p->measured ? pid_task(p->measured, PIDTYPE_PID) : leader;
	if (leader && t) {
		spin_lock_irq(&task_sighand(leader)->siglock);
		p->signal = leader->signal;
		if (cpu_time(p, t) >= p->cpu_expires)
			p->armed = false;
		else
			list_timer(p);
		spin_unlock_irq(&task_sighand(leader)->siglock);
	}
	read_unlock(&tasklist_lock);
}

static void detach(struct posix_timer *p, struct pid *group)
{
	struct task *leader;

	read_lock(&tasklist_lock);
	leader = pid_task(group, PIDTYPE_TGID);
	if (leader) {
		spin_lock_irq(&task_sighand(leader)->siglock);
		unlist_timer(p);
		spin_unlock_irq(&task_sighand(leader)->siglock);
	}
	read_unlock(&tasklist_lock);
}

void posix_sleepers_leave(struct signal_struct *s)
{
	while (!RB_EMPTY_ROOT(&s->cpu_timers))
		unlist_timer(rb_entry(s->cpu_timers.node, struct posix_timer, by_expiry));
}

int posix_cpu_sleep(clockid_t clock, bool absolute, s64 ns, s64 *when)
{
	struct posix_timer p = { .sleeper = current, .armed = true };
	struct pid *group;
	struct task *t;

	rcu_read_lock();
	t = clock_owner(&p, clock);
	if (!t || p.measured == task_own_pid(current)) {
		rcu_read_unlock();
		return -EINVAL;
	}
	p.cpu_expires = absolute ? ns : ktime_add_safe(cpu_time(&p, t), ns);
	get_pid(p.measured);
	group = get_pid(task_own_pid(t->group_leader));
	rcu_read_unlock();
	attach(&p, group);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!READ_ONCE(p.armed) || signal_pending(current))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	detach(&p, group);
	put_pid(p.measured);
	put_pid(group);
	*when = p.cpu_expires;
	return p.armed ? -EINTR : 0;
}
