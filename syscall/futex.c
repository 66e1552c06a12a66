// SPDX-License-Identifier: MIT
/* futex(2) at the edge. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <alloc/slab.h>
#include <ipc/futex.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/ptrace.h>
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
	case FUTEX_REQUEUE: return futex_requeue(uaddr, shared, uaddr2, shared, (int)val, (int)utime.addr, NULL);
	case FUTEX_CMP_REQUEUE: return futex_requeue(uaddr, shared, uaddr2, shared, (int)val, (int)utime.addr, &val3);
	case FUTEX_WAKE_OP: return futex_wake_op(uaddr, uaddr2, shared, (int)val, (int)utime.addr, val3);
	}
	return -ENOSYS;
}

/* ---- the calls of one operation each ---- */

#define FUTEX2_KNOWN (FUTEX2_SIZE_MASK | FUTEX2_PRIVATE)

/* Words of 32 bits are what there is. */
static int check_flags2(unsigned int flags)
{
	return (flags & ~(unsigned int)FUTEX2_KNOWN) || (flags & FUTEX2_SIZE_MASK) != FUTEX2_SIZE_U32 ? -EINVAL : 0;
}

static int get_until2(ktime_t *until, struct uptr timeout, clockid_t clock)
{
	s64 ns;
	int e;

	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return -EINVAL;
	e = get_timespec_ns(&ns, timeout);
	*until = ns;
	return e;
}

long sys_futex_wake(struct uptr uaddr, unsigned long mask, int nr, unsigned int flags)
{
	if (check_flags2(flags) || mask > U32_MAX)
		return -EINVAL;
	return nr > 0 ? futex_wake(uaddr, !(flags & FUTEX2_PRIVATE), nr, (u32)mask) : !mask ? -EINVAL : 0;
}

long sys_futex_wait(struct uptr uaddr, unsigned long val, unsigned long mask, unsigned int flags, struct uptr timeout, int clock)
{
	ktime_t until;
	int e = check_flags2(flags);

	if (e || mask > U32_MAX || val > U32_MAX)
		return -EINVAL;
	if (!uptr_is_null(timeout)) {
		e = get_until2(&until, timeout, clock);
		if (e)
			return e;
	}
	return futex_wait(uaddr, !(flags & FUTEX2_PRIVATE), (u32)val, uptr_is_null(timeout) ? NULL : &until, clock, (u32)mask);
}

static int get_waiters(struct futex_spec *s, struct uptr from, unsigned int n)
{
	struct futex_waitv w;

	for (unsigned int i = 0; i < n; i++) {
		if (copy_from_user(&w, uptr_add(from, i * sizeof(w)), sizeof(w)))
			return -EFAULT;
		if (check_flags2(w.flags) || w.__reserved || w.val > U32_MAX)
			return -EINVAL;
		s[i] = (struct futex_spec){ UPTR((unsigned long)w.uaddr), (u32)w.val, !(w.flags & FUTEX2_PRIVATE) };
	}
	return 0;
}

long sys_futex_waitv(struct uptr waiters, unsigned int n, unsigned int flags, struct uptr timeout, int clock)
{
	struct futex_spec *s;
	ktime_t until;
	long r;

	if (flags || !n || n > FUTEX_WAITV_MAX || uptr_is_null(waiters))
		return -EINVAL;
	if (!uptr_is_null(timeout)) {
		r = get_until2(&until, timeout, clock);
		if (r)
			return r;
	}
	s = kmalloc_array(n, sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	r = get_waiters(s, waiters, n);
	if (!r)
		r = futex_wait_many(s, n, uptr_is_null(timeout) ? NULL : &until, clock);
	kfree(s);
	return r;
}

long sys_futex_requeue(struct uptr waiters, unsigned int flags, int nr_wake, int nr_requeue)
{
	struct futex_spec s[2];
	int e;

	if (flags || uptr_is_null(waiters))
		return -EINVAL;
	e = get_waiters(s, waiters, 2);
	return e ? e : futex_requeue(s[0].p, s[0].shared, s[1].p, s[1].shared, nr_wake, nr_requeue, &s[0].val);
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
	int e;

	if (pid && !t)
		return -ESRCH;
	e = ptrace_begin_access(t ? t : current, PTRACE_MODE_READ_REALCREDS);
	if (!e) {
		head = (t ? t : current)->robust_list.addr;
		ptrace_end_access(t ? t : current);
	}
	if (t)
		put_task_struct(t);
	if (e)
		return e;
	return put_user(len, len_ptr) || put_user(head, head_ptr) ? -EFAULT : 0;
}
