// SPDX-License-Identifier: MIT
/* POSIX timers at the edge: timer_create(2), timer_settime(2), timer_gettime, timer_getoverrun(2), timer_delete(2). */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <mm/uaccess.h>
#include <proc/posix_timers.h>
#include <syscall/time_user.h>
#include <abi/errno.h>
#include <linux/time.h>

struct user_itimerspec {	/* struct __kernel_itimerspec */
	struct user_timespec interval, value;
};

long sys_timer_create(int clock, struct uptr event, struct uptr idp)
{
	struct sigevent se;
	int id;

	if (!uptr_is_null(event) && copy_from_user(&se, event, sizeof(se)))
		return -EFAULT;
	id = posix_timer_create(clock, uptr_is_null(event) ? NULL : &se);
	if (id < 0)
		return id;
	if (put_user((u32)id, idp)) {
		posix_timer_remove(id);
		return -EFAULT;
	}
	return 0;
}

static int put_spec(const struct posix_timer_spec *k, struct uptr p)
{
	struct timespec64 v = ns_to_timespec64(k->value_ns), i = ns_to_timespec64(k->interval_ns);
	struct user_itimerspec u = { { i.tv_sec, i.tv_nsec }, { v.tv_sec, v.tv_nsec } };

	return copy_to_user(p, &u, sizeof(u)) ? -EFAULT : 0;
}

static int get_spec(struct posix_timer_spec *k, struct uptr p)
{
	int e = get_timespec_ns(&k->interval_ns, uptr_add(p, offsetof(struct user_itimerspec, interval)));

	return e ?: get_timespec_ns(&k->value_ns, uptr_add(p, offsetof(struct user_itimerspec, value)));
}

long sys_timer_settime(int id, int flags, struct uptr new_setting, struct uptr old_setting)
{
	struct posix_timer_spec n, o;
	int e;

	if (uptr_is_null(new_setting))
		return -EINVAL;
	e = get_spec(&n, new_setting);
	e = e ?: posix_timer_set(id, flags & TIMER_ABSTIME, &n, &o);
	return e || uptr_is_null(old_setting) ? e : put_spec(&o, old_setting);
}

long sys_timer_gettime(int id, struct uptr setting)
{
	struct posix_timer_spec k;
	int e = posix_timer_get(id, &k);

	return e ?: put_spec(&k, setting);
}

long sys_timer_getoverrun(int id) { return posix_timer_overrun(id); }
long sys_timer_delete(int id) { return posix_timer_remove(id); }
