// SPDX-License-Identifier: MIT
/* Waiting for files: poll, ppoll, select, pselect6. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <vfs/fs.h>
#include <vfs/select.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <sched/task.h>
#include <linux/personality.h>
#include <proc/signal.h>
#include <syscall/time_user.h>

struct deadline {
	ktime_t		when;
	ktime_t		*expires;	/* NULL: none */
	bool		now;		/* only look */
};

static void set_deadline(struct deadline *d, s64 ns)
{
	d->now = !ns;
	d->expires = NULL;
	if (ns) {
		d->when = ktime_add_safe((ktime_t)ktime_get_ns(), ns);
		d->expires = &d->when;
	}
}

static void no_deadline(struct deadline *d)
{
	d->now = false;
	d->expires = NULL;
}

/*
 * What is left goes back to the caller, unless his memory has become read-only, which is his affair. RET is the call's; with a personality
 * of STICKY_TIMEOUTS the caller's time stays as it was, so that a call which was interrupted cannot begin again with what is left.
 */
static int put_rest(int ret, const struct deadline *d, struct uptr tsp, bool timeval)
{
	s64 left = 0;

	if (uptr_is_null(tsp))
		return ret;
	if (current->personality & STICKY_TIMEOUTS)
		return ret == -ERESTARTNOHAND ? -EINTR : ret;
	if (d->expires) {
		left = d->when - (s64)ktime_get_ns();
		if (left < 0)
			left = 0;
	}
	if (timeval) {
		struct user_timeval tv = ns_to_user_timeval((u64)left);

		(void)!copy_to_user(tsp, &tv, sizeof(tv));
	} else {
		(void)!put_timespec_ns(left, tsp);
	}
	return ret;
}

/* poll. */

static long poll_again(struct task *t)
{
	ktime_t when = (ktime_t)t->restart.expires_ns;
	int ret = do_poll(t->restart.uaddr, (unsigned int)t->restart.nfds,
			  t->restart.has_timeout ? &when : NULL, false);

	if (ret == -ERESTARTNOHAND) {
		t->restart.fn = poll_again;
		return -ERESTART_RESTARTBLOCK;
	}
	return ret;
}

long sys_poll(struct uptr fds, unsigned int nfds, int timeout_ms)
{
	struct deadline d;
	int ret;

	no_deadline(&d);
	if (timeout_ms >= 0)
		set_deadline(&d, (s64)timeout_ms * NSEC_PER_MSEC);
	ret = do_poll(fds, nfds, d.expires, d.now);
	if (ret == -ERESTARTNOHAND) {
		current->restart.fn = poll_again;
		current->restart.uaddr = fds;
		current->restart.nfds = (int)nfds;
		current->restart.has_timeout = d.expires;
		current->restart.expires_ns = d.expires ? (u64)d.when : 0;
		return -ERESTART_RESTARTBLOCK;
	}
	return ret;
}

long sys_ppoll(struct uptr fds, unsigned int nfds, struct uptr tsp, struct uptr sigmask, size_t sigsetsize)
{
	struct deadline d;
	s64 ns;
	int ret;

	no_deadline(&d);
	if (!uptr_is_null(tsp)) {
		ret = get_timespec_ns(&ns, tsp);
		if (ret)
			return ret;
		set_deadline(&d, ns);
	}
	ret = set_user_sigmask(sigmask, sigsetsize);
	if (ret)
		return ret;
	ret = do_poll(fds, nfds, d.expires, d.now);
	restore_saved_sigmask_unless(ret == -ERESTARTNOHAND);
	return put_rest(ret, &d, tsp, false);
}

/* select. */

long sys_select(int n, struct uptr inp, struct uptr outp, struct uptr exp, struct uptr tvp)
{
	struct user_timeval tv;
	struct deadline d;
	int ret;

	no_deadline(&d);
	if (!uptr_is_null(tvp)) {
		if (copy_from_user(&tv, tvp, sizeof(tv)))
			return -EFAULT;
		/* Microseconds may overflow into seconds here, as they always could. */
		if (tv.sec < 0 || tv.usec < 0)
			return -EINVAL;
		tv.sec += tv.usec / USEC_PER_SEC;
		tv.usec %= USEC_PER_SEC;
		set_deadline(&d, tv.sec >= KTIME_MAX / NSEC_PER_SEC ? KTIME_MAX :
			     tv.sec * NSEC_PER_SEC + tv.usec * NSEC_PER_USEC);
	}
	ret = do_select(n, inp, outp, exp, d.expires, d.now);
	return put_rest(ret, &d, tvp, true);
}

long sys_pselect6(int n, struct uptr inp, struct uptr outp, struct uptr exp, struct uptr tsp, struct uptr sig)
{
	struct { u64 mask; u64 size; } arg = { 0, 0 };
	struct deadline d;
	s64 ns;
	int ret;

	if (!uptr_is_null(sig) && copy_from_user(&arg, sig, sizeof(arg)))
		return -EFAULT;
	no_deadline(&d);
	if (!uptr_is_null(tsp)) {
		ret = get_timespec_ns(&ns, tsp);
		if (ret)
			return ret;
		set_deadline(&d, ns);
	}
	ret = set_user_sigmask(UPTR(arg.mask), arg.size);
	if (ret)
		return ret;
	ret = do_select(n, inp, outp, exp, d.expires, d.now);
	restore_saved_sigmask_unless(ret == -ERESTARTNOHAND);
	return put_rest(ret, &d, tsp, false);
}
