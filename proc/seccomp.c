// SPDX-License-Identifier: MIT
/*
 * seccomp(2): filters are programs of classic BPF over the call's number and arguments. A task's filters are a chain, newest
 * first, shared with whoever was forked from it; one can be added, never taken away. All are run, and the strictest answer counts.
 *
 * A filter is immutable once it is in a chain and lives as long as a task or a newer filter refers to it. The task's pointer and
 * mode change under siglock, of other threads too (SECCOMP_FILTER_FLAG_TSYNC); the task itself reads them with acquire order.
 */
#include <lib/types.h>
#include <lib/cbpf.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <arch/ptrace.h>
#include <arch/syscall.h>
#include <kernel/printk.h>
#include <kernel/refcount.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/proc_priv.h>
#include <proc/ptrace.h>
#include <proc/seccomp.h>
#include <proc/signal.h>
#include <proc/threads.h>
#include <proc/upcalls.h>
#include <sched/task.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <linux/signal.h>

#define MAX_CHAIN ((1 << 18) / sizeof(struct sock_filter))	/* instructions of all filters of a task, and 4 for each */

struct seccomp_filter {
	refcount_t refs;
	struct seccomp_filter *prev;	/* c: the one before it, referenced */
	bool log;			/* c */
	unsigned int len;		/* c */
	struct sock_filter insns[];	/* c: checked */
};

static void put_filter(struct seccomp_filter *f)
{
	while (f && refcount_dec_and_test(&f->refs)) {
		struct seccomp_filter *prev = f->prev;

		kvfree(f);
		f = prev;
	}
}

static struct seccomp_filter *filter_of(struct task *t)
{
	return smp_load_acquire((struct seccomp_filter **)&t->seccomp_filter);
}

/* ---- making a filter ---- */

static int check_program(struct seccomp_filter *f)
{
	u16 *room = kvmalloc_array(f->len, sizeof(*room), GFP_KERNEL);
	int e;

	if (!room)
		return -ENOMEM;
	e = cbpf_check_words(f->insns, f->len, sizeof(struct seccomp_data), room);
	kvfree(room);
	return e;
}

static struct seccomp_filter *read_filter(struct uptr uprog)
{
	struct { u16 len; u16 pad[3]; u64 filter; } p;
	struct seccomp_filter *f;
	int e = -EFAULT;

	if (copy_from_user(&p, uprog, sizeof(p)))
		return ERR_PTR(-EFAULT);
	if (!p.len || p.len > BPF_MAXINSNS)
		return ERR_PTR(-EINVAL);
	/* Without this an unprivileged one could make a set-user-ID program misbehave. */
	if (!current->no_new_privs && !ns_capable(current_user_ns(), CAP_SYS_ADMIN))
		return ERR_PTR(-EACCES);
	f = kvmalloc(sizeof(*f) + p.len * sizeof(struct sock_filter), GFP_KERNEL);
	if (!f)
		return ERR_PTR(-ENOMEM);
	refcount_set(&f->refs, 1);
	f->prev = NULL;
	f->log = false;
	f->len = p.len;
	if (!copy_from_user(f->insns, UPTR(p.filter), p.len * sizeof(struct sock_filter)))
		e = check_program(f);
	if (e) {
		kvfree(f);
		return ERR_PTR(e);
	}
	return f;
}

/* ---- giving it to tasks; siglock held ---- */

static bool may_set_mode(unsigned int mode)
{
	return !current->seccomp_mode || current->seccomp_mode == mode;
}

static void set_mode(struct task *t, unsigned int mode)
{
	t->seccomp_mode = mode;
	smp_mb();
	set_tsk_flag(t, TIF_SECCOMP);
}

#define STEPS_OF_A_THREAD 32	/* filters that are looked at as fast as a thread is */

/* *STEPS: how many filters were looked at. */
static bool is_ancestor(const struct seccomp_filter *a, const struct seccomp_filter *f, unsigned int *steps)
{
	if (!a)
		return true;
	for (; f; f = f->prev, ++*steps)
		if (f == a)
			return true;
	return false;
}

/*
 * All threads get the caller's filters, some at a time. While cred_guard_mutex is held no thread of a process of several changes its own, so that what was
 * found of all still holds when they follow; a new thread has what its maker has, and comes behind it.
 */
static unsigned int look_at_follower(struct task *t, void *arg)
{
	pid_t *other_way = arg;
	unsigned int steps = 0;

	if (t == current || (t->flags & PF_EXITING) || *other_way || !t->seccomp_mode)
		return 1;
	if (t->seccomp_mode != SECCOMP_MODE_FILTER || !is_ancestor(t->seccomp_filter, current->seccomp_filter, &steps))
		*other_way = task_pid_vnr(t);
	return 1 + steps / STEPS_OF_A_THREAD;
}

static unsigned int follow(struct task *t, void *filter)
{
	struct seccomp_filter *f = filter, *old = t->seccomp_filter;

	if (t == current || (t->flags & PF_EXITING) || old == f)
		return 1;
	refcount_inc(&f->refs);
	smp_store_release((struct seccomp_filter **)&t->seccomp_filter, f);
	put_filter(old);
	if (current->no_new_privs)
		t->no_new_privs = true;
	if (!t->seccomp_mode)
		set_mode(t, SECCOMP_MODE_FILTER);
	return 1;
}

static long attach(struct seccomp_filter *f, unsigned int flags)
{
	size_t total = f->len;

	if (!may_set_mode(SECCOMP_MODE_FILTER))
		return -EINVAL;
	for (struct seccomp_filter *x = current->seccomp_filter; x; x = x->prev)
		total += x->len + 4;
	if (total > MAX_CHAIN)
		return -ENOMEM;
	f->log = flags & SECCOMP_FILTER_FLAG_LOG;
	f->prev = current->seccomp_filter;	/* its reference goes over */
	smp_store_release((struct seccomp_filter **)&current->seccomp_filter, f);
	set_mode(current, SECCOMP_MODE_FILTER);
	return 0;
}

static long attach_locked(struct seccomp_filter *f, unsigned int flags)
{
	long r;

	spin_lock_irq(&my_sighand()->siglock);
	r = attach(f, flags);
	spin_unlock_irq(&my_sighand()->siglock);
	return r;
}

/* cred_guard_mutex held. */
static long attach_to_all(struct seccomp_filter *f, unsigned int flags)
{
	pid_t other_way = 0;
	long r;

	/* What is wrong with the filter counts before what is wrong with a thread. */
	if (!may_set_mode(SECCOMP_MODE_FILTER))
		return -EINVAL;
	if (!walk_threads(current->signal, look_at_follower, &other_way))
		return -EINTR;
	if (other_way)
		return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : other_way;
	r = attach_locked(f, flags);
	if (!r)
		(void)!walk_threads(current->signal, follow, f);	/* where it is killed all are */
	return r;
}

/* A process of several threads changes under cred_guard_mutex, so that all can follow one (attach_to_all) and none becomes another program meanwhile. */
static int begin_change(bool all)
{
	if (!all && list_is_singular(&current->signal->threads))
		return 0;
	return mutex_lock_killable(&current->signal->cred_guard_mutex) ? -EINTR : 1;
}

static void end_change(int locked)
{
	if (locked)
		mutex_unlock(&current->signal->cred_guard_mutex);
}

long seccomp_set_filter(unsigned int flags, struct uptr uprog)
{
	const unsigned int known = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
				   SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	bool all = flags & SECCOMP_FILTER_FLAG_TSYNC;
	struct seccomp_filter *f;
	int locked;
	long r;

	if (flags & ~known)
		return -EINVAL;
	f = read_filter(uprog);
	if (IS_ERR(f))
		return PTR_ERR(f);
	locked = begin_change(all);
	r = locked < 0 ? locked : all ? attach_to_all(f, flags) : attach_locked(f, flags);
	end_change(locked > 0);
	if (r)
		put_filter(f);
	return r;
}

long seccomp_set_strict(void)
{
	int locked = begin_change(false);
	long r = -EINVAL;

	if (locked < 0)
		return locked;
	spin_lock_irq(&my_sighand()->siglock);
	if (may_set_mode(SECCOMP_MODE_STRICT)) {
		set_mode(current, SECCOMP_MODE_STRICT);
		r = 0;
	}
	spin_unlock_irq(&my_sighand()->siglock);
	end_change(locked);
	return r;
}

void seccomp_fork(struct task *child)
{
	struct seccomp_filter *f = current->seccomp_filter;

	if (f)
		refcount_inc(&f->refs);
	child->seccomp_filter = f;
	child->no_new_privs = current->no_new_privs;
	if (current->seccomp_mode)
		set_mode(child, current->seccomp_mode);
}

void seccomp_release(struct task *t)
{
	struct seccomp_filter *f = t->seccomp_filter;

	t->seccomp_filter = NULL;
	put_filter(f);
}

unsigned int seccomp_count(struct task *t)
{
	unsigned long flags;
	unsigned int n = 0;

	if (!lock_task_sighand(t, &flags))
		return 0;
	for (struct seccomp_filter *f = t->seccomp_filter; f; f = f->prev)
		n++;
	unlock_task_sighand(t, &flags);
	return n;
}

/* ---- at a call ---- */

bool seccomp_knows_action(u32 action)
{
	switch (action) {
	case SECCOMP_RET_KILL_PROCESS: case SECCOMP_RET_KILL_THREAD: case SECCOMP_RET_TRAP: case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRACE: case SECCOMP_RET_LOG: case SECCOMP_RET_ALLOW:
		return true;
	}
	return false;
}

/* The strictest answer of all filters; of equals the newest filter's. */
static u32 run_all(const struct pt_regs *regs, bool *log)
{
	struct seccomp_data d = { .nr = (int)arch_syscall_nr(regs), .arch = ARCH_AUDIT, .instruction_pointer = regs_ip(regs) };
	u32 ret = SECCOMP_RET_ALLOW;

	for (unsigned int i = 0; i < 6; i++)
		d.args[i] = arch_syscall_arg(regs, i);
	for (struct seccomp_filter *f = filter_of(current); f; f = f->prev) {
		u32 r = cbpf_run(f->insns, &d, sizeof(d), true);

		if ((s32)(r & SECCOMP_RET_ACTION_FULL) < (s32)(ret & SECCOMP_RET_ACTION_FULL)) {
			ret = r;
			*log = f->log;
		}
	}
	return ret;
}

static void note(const struct pt_regs *regs, u32 action)
{
	static struct ratelimit rl = RATELIMIT_INIT;

	if (ratelimit_ok(&rl))
		pr_notice("seccomp: %s[%d]: call %ld at %lx: action %#x\n", current->comm, current->pid, arch_syscall_nr(regs),
			  regs_ip(regs), action);
}

static void __noreturn end_task(struct pt_regs *regs, u32 ret)
{
	bool whole = (ret & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_KILL_THREAD;

	note(regs, ret);
	if (whole || atomic_read(&current->signal->live) == 1)
		end_by_signal(SIGSYS);
	do_exit(SIGSYS);
}

/* The tracer decides, and may change the call. True: to be made. */
static bool ask_tracer(struct pt_regs *regs, u32 data)
{
	if (!current->ptrace || !ptrace_event_enabled(current, PTRACE_EVENT_SECCOMP)) {
		arch_syscall_set_ret(regs, -ENOSYS);
		return false;
	}
	ptrace_event(PTRACE_EVENT_SECCOMP, data);
	return !fatal_signal_pending(current) && (int)arch_syscall_nr(regs) >= 0;
}

static bool by_filters(struct pt_regs *regs, bool asked)
{
	bool log = false;
	u32 ret = run_all(regs, &log), data = ret & SECCOMP_RET_DATA;

	if (unlikely(log))
		note(regs, ret);
	switch (ret & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		return true;
	case SECCOMP_RET_LOG:
		note(regs, ret);
		return true;
	case SECCOMP_RET_ERRNO:
		arch_syscall_set_ret(regs, -(long)min(data, 4095u));
		return false;
	case SECCOMP_RET_TRAP:
		/* As if the call had not been begun, for the handler to look at. */
		arch_syscall_set_ret(regs, arch_syscall_nr(regs));
		force_sig_seccomp(regs_ip(regs), (int)arch_syscall_nr(regs), ARCH_AUDIT, (int)data);
		return false;
	case SECCOMP_RET_TRACE:
		/* What the tracer made of it is looked at once more, but not asked about again. */
		return asked || (ask_tracer(regs, data) && by_filters(regs, true));
	case SECCOMP_RET_USER_NOTIF:	/* nobody listens */
		arch_syscall_set_ret(regs, -ENOSYS);
		return false;
	}
	end_task(regs, ret);
}

bool seccomp_allows(struct pt_regs *regs)
{
	long nr = arch_syscall_nr(regs);

	if (current->seccomp_mode == SECCOMP_MODE_FILTER)
		return by_filters(regs, false);
	if (current->seccomp_mode != SECCOMP_MODE_STRICT)
		return true;
	if (nr == __NR_read || nr == __NR_write || nr == __NR_exit || nr == __NR_rt_sigreturn)
		return true;
	note(regs, SECCOMP_RET_KILL_THREAD);
	do_exit(SIGKILL);
}
