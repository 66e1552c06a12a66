// SPDX-License-Identifier: MIT
/* eventfd(2), signalfd(2), timerfd_create(2), epoll(7), inotify(7) at the edge. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <ipc/fds.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <proc/signal.h>
#include <syscall/time_user.h>
#include <vfs/notify.h>
#include <abi/errno.h>
#include <linux/eventpoll.h>

long sys_eventfd(unsigned int count) { return eventfd_create(count, 0); }
long sys_eventfd2(unsigned int count, int flags) { return eventfd_create(count, flags); }

long sys_signalfd4(int ufd, struct uptr user_mask, size_t sizemask, int flags)
{
	u64 m;

	if (sizemask != sizeof(m))
		return -EINVAL;
	if (get_user(m, user_mask))
		return -EFAULT;
	return signalfd_create(ufd, m, flags);
}

long sys_signalfd(int ufd, struct uptr user_mask, size_t sizemask) { return sys_signalfd4(ufd, user_mask, sizemask, 0); }
long sys_timerfd_create(int clock, int flags) { return timerfd_create(clock, flags); }

/* struct itimerspec: interval, value. */
static int get_spec(struct timerfd_spec *s, struct uptr p)
{
	int e = get_timespec_ns(&s->interval_ns, p);

	return e ?: get_timespec_ns(&s->value_ns, uptr_add(p, sizeof(struct user_timespec)));
}

static int put_spec(const struct timerfd_spec *s, struct uptr p)
{
	int e = put_timespec_ns(s->interval_ns, p);

	return e ?: put_timespec_ns(s->value_ns, uptr_add(p, sizeof(struct user_timespec)));
}

long sys_timerfd_settime(int ufd, int flags, struct uptr utmr, struct uptr otmr)
{
	struct timerfd_spec n, old;
	int e = get_spec(&n, utmr);

	e = e ?: timerfd_set(ufd, flags, &n, &old);
	return e || uptr_is_null(otmr) ? e : put_spec(&old, otmr);
}

long sys_timerfd_gettime(int ufd, struct uptr otmr)
{
	struct timerfd_spec s;
	int e = timerfd_get(ufd, &s);

	return e ?: put_spec(&s, otmr);
}

long sys_epoll_create(int size) { return size <= 0 ? -EINVAL : epoll_create_fd(0); }
long sys_epoll_create1(int flags) { return epoll_create_fd(flags); }

long sys_epoll_ctl(int epfd, int op, int fd, struct uptr event)
{
	struct epoll_event ev;

	if (op == EPOLL_CTL_DEL)
		return epoll_control(epfd, op, fd, NULL);
	if (copy_from_user(&ev, event, sizeof(ev)))
		return -EFAULT;
	return epoll_control(epfd, op, fd, &ev);
}

static ktime_t ms_from_now(int ms)
{
	return ms ? ktime_add_safe((ktime_t)ktime_get_ns(), (ktime_t)ms * NSEC_PER_MSEC) : 0;
}

static long wait_events(int epfd, struct uptr events, int maxevents, const ktime_t *until)
{
	long r;

	do
		r = epoll_wait_events(epfd, events, maxevents, until);
	while (unlikely(r == -EINTR) && proc_ran_task_work());
	return r;
}

long sys_epoll_wait(int epfd, struct uptr events, int maxevents, int timeout)
{
	ktime_t until = timeout >= 0 ? ms_from_now(timeout) : 0;

	return wait_events(epfd, events, maxevents, timeout >= 0 ? &until : NULL);
}

static long masked_wait(int epfd, struct uptr events, int maxevents, const ktime_t *until, struct uptr sigmask, size_t size)
{
	long r = set_user_sigmask(sigmask, size);

	if (r)
		return r;
	r = wait_events(epfd, events, maxevents, until);
	restore_saved_sigmask_unless(r == -EINTR);
	return r;
}

long sys_epoll_pwait(int epfd, struct uptr events, int maxevents, int timeout, struct uptr sigmask, size_t size)
{
	ktime_t until = timeout >= 0 ? ms_from_now(timeout) : 0;

	return masked_wait(epfd, events, maxevents, timeout >= 0 ? &until : NULL, sigmask, size);
}

long sys_epoll_pwait2(int epfd, struct uptr events, int maxevents, struct uptr timeout, struct uptr sigmask, size_t size)
{
	ktime_t until = 0;
	s64 ns;
	int e;

	if (!uptr_is_null(timeout)) {
		e = get_timespec_ns(&ns, timeout);
		if (e)
			return e;
		until = ns ? ktime_add_safe((ktime_t)ktime_get_ns(), ns) : 0;
	}
	return masked_wait(epfd, events, maxevents, uptr_is_null(timeout) ? NULL : &until, sigmask, size);
}

long sys_inotify_init(void) { return inotify_create_fd(0); }
long sys_inotify_init1(int flags) { return inotify_create_fd(flags); }
long sys_inotify_add_watch(int fd, struct uptr path, u32 mask) { return inotify_add(fd, path, mask); }
long sys_inotify_rm_watch(int fd, int wd) { return inotify_remove(fd, wd); }
