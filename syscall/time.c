// SPDX-License-Identifier: MIT
/* Clocks, sleeping and interval timers: clock_gettime(2), clock_nanosleep(2), setitimer(2), alarm(2), time(2). */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/itimer.h>
#include <proc/pid.h>
#include <proc/posix_timers.h>
#include <proc/signal.h>
#include <proc/wait.h>
#include <sched/sched.h>
#include <syscall/time_user.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/time.h>
#include <linux/timex.h>

/* CPU-time clocks carry a pid: ~pid << 3 | per-thread 4 | which (clock_getcpuclockid(3)). */
static int cpu_clock(clockid_t id, u64 *ns)
{
	pid_t pid = ~(id >> 3);
	bool thread = id & 4;
	struct task *t;
	u64 u, s;
	int e = -EINVAL;

	if ((id & 3) > 2)
		return -EINVAL;
	rcu_read_lock();
	t = pid ? find_task_by_vpid(pid) : current;
	if (t && (thread ? same_thread_group(t, current) : (!pid || thread_group_leader(t)))) {
		if (thread)
			task_cputime(t, &u, &s);
		else
			thread_group_cputime(t, &u, &s);
		*ns = (id & 3) == 1 ? u : u + s;
		e = 0;
	}
	rcu_read_unlock();
	return e;
}

static int clock_read(clockid_t id, u64 *ns)
{
	u64 u, s;

	switch (id) {
	case CLOCK_REALTIME: case CLOCK_REALTIME_ALARM: case CLOCK_TAI: *ns = ktime_get_real_ns(); return 0;
	case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_RAW: *ns = ktime_get_ns(); return 0;
	case CLOCK_BOOTTIME: case CLOCK_BOOTTIME_ALARM: *ns = ktime_get_boottime_ns(); return 0;
	case CLOCK_REALTIME_COARSE: *ns = ktime_get_real_coarse_ns(); return 0;
	case CLOCK_MONOTONIC_COARSE: *ns = ktime_get_coarse_ns(); return 0;
	case CLOCK_PROCESS_CPUTIME_ID: thread_group_cputime(current, &u, &s); *ns = u + s; return 0;
	case CLOCK_THREAD_CPUTIME_ID: *ns = task_sched_runtime(current); return 0;
	}
	return id < 0 ? cpu_clock(id, ns) : -EINVAL;
}

long sys_clock_gettime(int id, struct uptr tp)
{
	u64 ns;
	int e = clock_read(id, &ns);

	return e ?: put_timespec_ns((s64)ns, tp);
}

long sys_clock_getres(int id, struct uptr tp)
{
	u64 ns;
	int e = clock_read(id, &ns);

	if (e)
		return e;
	if (uptr_is_null(tp))
		return 0;
	return put_timespec_ns(id == CLOCK_REALTIME_COARSE || id == CLOCK_MONOTONIC_COARSE ? TICK_NSEC : 1, tp);
}

/* NS: no times before 1970, and KTIME_MAX for all later ones. */
static long set_real(s64 ns)
{
	if (!ktime_may_be_set((u64)ns))
		return -EINVAL;
	return capable(CAP_SYS_TIME) ? ktime_set_real_ns((u64)ns) : -EPERM;
}

long sys_clock_settime(int id, struct uptr tp)
{
	u64 unused;
	s64 ns;
	int e;

	if (id != CLOCK_REALTIME)
		return clock_read(id, &unused) ? -EINVAL : id < 0 ? -EPERM : -EINVAL;
	e = get_timespec_ns(&ns, tp);
	return e ?: set_real(ns);
}

/* What settimeofday(2) said last, for gettimeofday(2): nothing else heeds it. */
static union zone {
	struct { s32 west, dst; };	/* minutes */
	u64 both;
} zone;

long sys_gettimeofday(struct uptr tv, struct uptr tz)
{
	struct user_timeval u = ns_to_user_timeval(ktime_get_real_ns());
	union zone z = { .both = READ_ONCE(zone.both) };

	if (!uptr_is_null(tv) && copy_to_user(tv, &u, sizeof(u)))
		return -EFAULT;
	if (!uptr_is_null(tz) && copy_to_user(tz, &z, sizeof(z)))
		return -EFAULT;
	return 0;
}

static long set_zone(union zone z)
{
	if (z.west > 15 * 60 || z.west < -15 * 60)
		return -EINVAL;
	WRITE_ONCE(zone.both, z.both);
	return 0;
}

long sys_settimeofday(struct uptr tv, struct uptr tz)
{
	struct user_timeval u = { 0 };
	union zone z;
	s64 ns;
	long e;

	if (!uptr_is_null(tv) && copy_from_user(&u, tv, sizeof(u)))
		return -EFAULT;
	if (u.usec < 0 || u.usec >= USEC_PER_SEC || u.sec < 0)
		return -EINVAL;
	ns = u.sec > KTIME_MAX / NSEC_PER_SEC ? KTIME_MAX : u.sec * NSEC_PER_SEC + u.usec * NSEC_PER_USEC;
	if (!uptr_is_null(tz) && copy_from_user(&z, tz, sizeof(z)))
		return -EFAULT;
	if (!ktime_may_be_set((u64)ns))
		return -EINVAL;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	e = uptr_is_null(tz) ? 0 : set_zone(z);
	return e || uptr_is_null(tv) ? e : set_real(ns);
}

long sys_time(struct uptr tloc)
{
	s64 t = (s64)(ktime_get_real_coarse_ns() / NSEC_PER_SEC);

	if (!uptr_is_null(tloc) && put_user((u64)t, tloc))
		return -EFAULT;
	return t;
}

/* ---- sleeping ---- */

static long sleep_until(ktime_t when, clockid_t clock)
{
	int r;

	do {
		set_current_state(TASK_INTERRUPTIBLE);
		if (signal_pending(current)) {
			__set_current_state(TASK_RUNNING);
			return -ERESTARTNOHAND;
		}
		r = schedule_hrtimeout_until(&when, clock);
		if (!r)
			return 0;
	} while (!signal_pending(current));
	return -ERESTARTNOHAND;
}

static long report_rest(ktime_t when, struct uptr rmtp, clockid_t clock)
{
	s64 left = when - (s64)ktime_get_ns();

	if (left <= 0)
		return 0;
	if (!uptr_is_null(rmtp) && put_timespec_ns(left, rmtp))
		return -EFAULT;
	return -ERESTART_RESTARTBLOCK;
}

static long nanosleep_again(struct task *t)
{
	long r = sleep_until((ktime_t)t->restart.expires_ns, CLOCK_MONOTONIC);

	if (r)
		r = report_rest((ktime_t)t->restart.expires_ns, t->restart.rmtp, CLOCK_MONOTONIC);
	if (r == -ERESTART_RESTARTBLOCK)
		t->restart.fn = nanosleep_again;	/* each time that it is interrupted */
	return r;
}

static long sleep_relative(s64 ns, struct uptr rmtp)
{
	s64 slack = current->policy == 1 || current->policy == 2 ? 0 : (s64)min(current->timer_slack_ns, (u64)ns / 1000);
	ktime_t when = ktime_add_safe((ktime_t)ktime_get_ns(), ktime_add_safe(ns, slack));
	long r = sleep_until(when, CLOCK_MONOTONIC);

	if (!r)
		return 0;
	r = report_rest(when, rmtp, CLOCK_MONOTONIC);
	if (r == -ERESTART_RESTARTBLOCK) {
		current->restart.fn = nanosleep_again;
		current->restart.expires_ns = (u64)when;
		current->restart.rmtp = rmtp;
	}
	return r;
}

long sys_nanosleep(struct uptr rqtp, struct uptr rmtp)
{
	s64 ns;
	int e = get_timespec_ns(&ns, rqtp);

	return e ?: sleep_relative(ns, rmtp);
}

static long cpu_sleep_again(struct task *t);

/* The absolute sleep of a restart is told of its rest like the relative one it was. */
static long sleep_by_cpu(clockid_t clock, bool absolute, s64 ns, struct uptr rmtp)
{
	s64 when, now;
	int e = posix_cpu_sleep(clock, absolute, ns, &when);

	if (e != -EINTR)
		return e;
	if (absolute)
		return -ERESTARTNOHAND;
	if (posix_cpu_now(clock, &now) || now >= when)
		return 0;
	if (!uptr_is_null(rmtp) && put_timespec_ns(when - now, rmtp))
		return -EFAULT;
	current->restart.fn = cpu_sleep_again;
	current->restart.expires_ns = (u64)when;
	current->restart.clock = clock;
	current->restart.rmtp = rmtp;
	return -ERESTART_RESTARTBLOCK;
}

static long cpu_sleep_again(struct task *t)
{
	clockid_t clock = t->restart.clock;
	s64 now, when = (s64)t->restart.expires_ns;

	if (posix_cpu_now(clock, &now) || now >= when)
		return 0;
	return sleep_by_cpu(clock, false, when - now, t->restart.rmtp);
}

long sys_clock_nanosleep(int id, int flags, struct uptr rqtp, struct uptr rmtp)
{
	clockid_t clock = id;
	s64 ns;
	u64 unused;
	int e;

	switch (id) {
	case CLOCK_REALTIME: case CLOCK_MONOTONIC: case CLOCK_BOOTTIME: case CLOCK_TAI:
		break;
	case CLOCK_REALTIME_ALARM: case CLOCK_BOOTTIME_ALARM:
		if (!capable(CAP_WAKE_ALARM))
			return -EPERM;
		break;
	case CLOCK_PROCESS_CPUTIME_ID:
		break;
	default:
		if (id >= 0)
			return clock_read(id, &unused) ? -EINVAL : -EOPNOTSUPP;
	}
	e = get_timespec_ns(&ns, rqtp);
	if (e)
		return e;
	if (id < 0 || id == CLOCK_PROCESS_CPUTIME_ID)
		return sleep_by_cpu(clock, flags & TIMER_ABSTIME, ns, rmtp);
	if (flags & TIMER_ABSTIME)
		return sleep_until(ns, clock);
	return sleep_relative(ns, rmtp);
}

long sys_restart_syscall(void)
{
	long (*fn)(struct task *) = current->restart.fn;

	if (!fn)
		return -EINTR;
	current->restart.fn = NULL;
	return fn(current);
}

/* ---- interval timers ---- */

struct user_itimerval {
	struct user_timeval interval, value;
};

static int get_itimer(struct itimer_k *k, struct uptr p)
{
	struct user_itimerval u;

	if (copy_from_user(&u, p, sizeof(u)))
		return -EFAULT;
	if (u.value.usec < 0 || u.value.usec >= USEC_PER_SEC || u.interval.usec < 0 || u.interval.usec >= USEC_PER_SEC ||
	    u.value.sec < 0 || u.interval.sec < 0)
		return -EINVAL;
	k->value_ns = (u64)min(u.value.sec, KTIME_MAX / NSEC_PER_SEC - 1) * NSEC_PER_SEC + (u64)u.value.usec * NSEC_PER_USEC;
	k->interval_ns = (u64)min(u.interval.sec, KTIME_MAX / NSEC_PER_SEC - 1) * NSEC_PER_SEC + (u64)u.interval.usec * NSEC_PER_USEC;
	return 0;
}

static int put_itimer(const struct itimer_k *k, struct uptr p)
{
	struct user_itimerval u = { ns_to_user_timeval(k->interval_ns), ns_to_user_timeval(k->value_ns) };

	return copy_to_user(p, &u, sizeof(u)) ? -EFAULT : 0;
}

long sys_getitimer(int which, struct uptr value)
{
	struct itimer_k k;
	int e = itimer_get(which, &k);

	return e ?: put_itimer(&k, value);
}

long sys_setitimer(int which, struct uptr value, struct uptr ovalue)
{
	struct itimer_k n = { 0 }, o;
	int e = uptr_is_null(value) ? 0 : get_itimer(&n, value);

	e = e ?: itimer_set(which, &n, &o);
	if (e || uptr_is_null(ovalue))
		return e;
	return put_itimer(&o, ovalue);
}

long sys_alarm(unsigned int seconds)
{
	struct itimer_k n = { (u64)seconds * NSEC_PER_SEC, 0 }, o;

	itimer_set(ITIMER_REAL, &n, &o);
	return (long)((o.value_ns + NSEC_PER_SEC - 1) / NSEC_PER_SEC);	/* an alarm that is pending is at least 1 */
}

/* ---- adjusting ---- */

/* partial: clock_adjtime: only reading and ADJ_SETOFFSET; the clock's rate cannot be changed */
long sys_clock_adjtime(int id, struct uptr utx)
{
	struct __kernel_timex tx;
	unsigned int modes;
	s64 add, unit;
	u64 now;
	int e;

	if (copy_from_user(&tx, utx, sizeof(tx)))
		return -EFAULT;
	e = clock_read(id, &now);
	if (e)
		return e;
	if (id != CLOCK_REALTIME)
		return -EOPNOTSUPP;
	if (tx.modes && !capable(CAP_SYS_TIME))
		return -EPERM;
	if ((tx.modes & ~(unsigned int)(ADJ_SETOFFSET | ADJ_NANO)) || tx.modes == ADJ_NANO)
		return -EOPNOTSUPP;
	if (tx.modes & ADJ_SETOFFSET) {
		unit = tx.modes & ADJ_NANO ? 1 : NSEC_PER_USEC;
		if (tx.time.tv_usec < 0 || tx.time.tv_usec >= NSEC_PER_SEC / unit || tx.time.tv_sec > KTIME_MAX / NSEC_PER_SEC / 2 ||
		    tx.time.tv_sec < -(KTIME_MAX / NSEC_PER_SEC / 2))
			return -EINVAL;
		add = tx.time.tv_sec * NSEC_PER_SEC + tx.time.tv_usec * unit;
		e = (int)set_real((s64)now + add);
		if (e)
			return e;
		now = ktime_get_real_ns();
	}
	modes = tx.modes;
	memset(&tx, 0, sizeof(tx));		/* its padding too */
	tx.modes = modes;
	tx.maxerror = tx.esterror = 16000000;
	tx.status = STA_UNSYNC;
	tx.constant = 2;
	tx.precision = 1;
	tx.tolerance = 500 << 16;
	tx.tick = 1000000 / USER_HZ;
	tx.time.tv_sec = (s64)(now / NSEC_PER_SEC);
	tx.time.tv_usec = (s64)(now % NSEC_PER_SEC / NSEC_PER_USEC);
	if (copy_to_user(utx, &tx, sizeof(tx)))
		return -EFAULT;
	return TIME_ERROR;	/* nobody keeps it synchronised */
}

long sys_adjtimex(struct uptr txc_p)
{
	return sys_clock_adjtime(CLOCK_REALTIME, txc_p);
}
