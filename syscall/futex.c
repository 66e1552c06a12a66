// SPDX-License-Identifier: MIT
/* futex(2) at the edge. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <ipc/futex.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <syscall/time_user.h>
#include <abi/errno.h>
#include <linux/futex.h>
#include <linux/time.h>

static int get_timeout(struct uptr utime, int op, ktime_t *until, clockid_t *clock)
{
	int cmd = op & FUTEX_CMD_MASK, e;
	s64 ns;

	e = get_timespec_ns(&ns, utime);
	if (e)
		return e;
	*clock = op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	/* FUTEX_WAIT's is relative, the others' absolute. */
	*until = cmd == FUTEX_WAIT ? ktime_add_safe((ktime_t)(*clock == CLOCK_REALTIME ? ktime_get_real_ns() : ktime_get_ns()), ns) : ns;
	return 0;
}

/* partial: futex: FUTEX_LOCK_PI and the other priority-inheritance operations */
long sys_futex(struct uptr uaddr, int op, u32 val, struct uptr utime, struct uptr uaddr2, u32 val3)
{
	int cmd = op & FUTEX_CMD_MASK, e;
	bool shared = !(op & FUTEX_PRIVATE_FLAG), timed = false;
	ktime_t until;
	clockid_t clock = CLOCK_MONOTONIC;

	if ((op & FUTEX_CLOCK_REALTIME) && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_WAIT)
		return -ENOSYS;
	if ((cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET) && !uptr_is_null(utime)) {
		e = get_timeout(utime, op, &until, &clock);
		if (e)
			return e;
		timed = true;
	}
	switch (cmd) {
	case FUTEX_WAIT: val3 = FUTEX_BITSET_MATCH_ANY; fallthrough;
	case FUTEX_WAIT_BITSET: return futex_wait(uaddr, shared, val, timed ? &until : NULL, clock, val3);
	case FUTEX_WAKE: val3 = FUTEX_BITSET_MATCH_ANY; fallthrough;
	case FUTEX_WAKE_BITSET: return futex_wake(uaddr, shared, (int)val, val3);
	case FUTEX_REQUEUE: return futex_requeue(uaddr, uaddr2, shared, (int)val, (int)utime.addr, NULL);
	case FUTEX_CMP_REQUEUE: return futex_requeue(uaddr, uaddr2, shared, (int)val, (int)utime.addr, &val3);
	case FUTEX_WAKE_OP: return futex_wake_op(uaddr, uaddr2, shared, (int)val, (int)utime.addr, val3);
	}
	return -ENOSYS;
}

long sys_set_robust_list(struct uptr head, size_t len)
{
	if (len != 24)
		return -EINVAL;
	current->robust_list = head;
	return 0;
}

long sys_get_robust_list(int pid, struct uptr head_ptr, struct uptr len_ptr)
{
	struct task *t = pid ? find_get_task_by_vpid(pid) : NULL;
	u64 head, len = 24;
	bool ok = true;

	if (pid && !t)
		return -ESRCH;
	if (t) {
		const struct cred *c = current_cred(), *tc;

		rcu_read_lock();
		tc = __task_cred(t);
		ok = same_thread_group(t, current) || (uid_eq(c->uid, tc->uid) && uid_eq(c->uid, tc->euid) && uid_eq(c->uid, tc->suid)) ||
		     ns_capable(tc->user_ns, 19 /* CAP_SYS_PTRACE */);
		rcu_read_unlock();
	}
	head = (t ? t : current)->robust_list.addr;
	if (t)
		put_task_struct(t);
	if (!ok)
		return -EPERM;
	return put_user(len, len_ptr) || put_user(head, head_ptr) ? -EFAULT : 0;
}
