// SPDX-License-Identifier: MIT
/* Processes at the edge: clone(2), execve(2), exit(2), wait(2), sessions and groups. */
#include <lib/types.h>
#include <lib/minmax.h>
#include <lib/err.h>
#include <lib/string.h>
#include <abi/syscalls.h>
#include <exec/exec.h>
#include <fs/pidfs.h>
#include <mm/uaccess.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <proc/proc_priv.h>
#include <proc/signal.h>
#include <proc/upcalls.h>
#include <proc/wait.h>
#include <sched/sched.h>
#include <syscall/rusage_user.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/sched.h>
#include <linux/wait.h>

long sys_fork(void)
{
	struct kernel_clone_args a = { .exit_signal = SIGCHLD };

	return kernel_clone(&a);
}

long sys_vfork(void)
{
	struct kernel_clone_args a = { .flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD };

	return kernel_clone(&a);
}

/* partial: clone: network and control-group namespaces */
long sys_clone(unsigned long flags, unsigned long newsp, struct uptr parent_tid, struct uptr child_tid, unsigned long tls)
{
	struct kernel_clone_args a = {
		.flags = (u32)flags & ~(u32)CSIGNAL, .exit_signal = (int)(flags & CSIGNAL), .pidfd = parent_tid,
		.child_tid = child_tid, .parent_tid = parent_tid, .stack = newsp, .tls = tls,
	};

	return kernel_clone(&a);
}

#define CLONE3_FLAGS (0xffffffffULL | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP)

/* partial: clone3: CLONE_INTO_CGROUP, time, network and control-group namespaces */
long sys_clone3(struct uptr uargs, size_t size)
{
	struct clone_args u;
	struct kernel_clone_args a;
	int e;

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	e = copy_struct_from_user(&u, sizeof(u), uargs, size);
	if (e)
		return e;
	if (u.set_tid_size > 32 || (!u.set_tid && u.set_tid_size) || (u.set_tid && !u.set_tid_size))
		return -EINVAL;
	if (u.exit_signal & ~(u64)CSIGNAL)
		return -EINVAL;
	if ((u.flags & ~CLONE3_FLAGS) || (u.flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME))))
		return -EINVAL;
	if (u.flags & (CLONE_INTO_CGROUP | CLONE_NEWTIME))
		return -EINVAL;
	if ((u.flags & (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND)) == (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((u.flags & (CLONE_THREAD | CLONE_PARENT)) && u.exit_signal)
		return -EINVAL;
	if (u.stack ? !u.stack_size : u.stack_size != 0)
		return -EINVAL;
	if (u.stack && !access_ok(UPTR(u.stack), u.stack_size))
		return -EINVAL;
	memset(&a, 0, sizeof(a));
	a.flags = u.flags;
	a.exit_signal = (int)u.exit_signal;
	a.pidfd = UPTR(u.pidfd);
	a.child_tid = UPTR(u.child_tid);
	a.parent_tid = UPTR(u.parent_tid);
	a.stack = u.stack ? u.stack + u.stack_size : 0;
	a.tls = u.tls;
	if (u.set_tid_size) {
		if (copy_from_user(a.set_tid, UPTR(u.set_tid), u.set_tid_size * sizeof(int)))
			return -EFAULT;
		for (u64 i = 0; i < u.set_tid_size; i++)
			if (a.set_tid[i] <= 0)
				return -EINVAL;
		a.set_tid_size = u.set_tid_size;
	}
	return kernel_clone(&a);
}

long sys_execve(struct uptr filename, struct uptr argv, struct uptr envp)
{
	return do_execveat(AT_FDCWD, filename, argv, envp, 0);
}

long sys_execveat(int dfd, struct uptr filename, struct uptr argv, struct uptr envp, int flags)
{
	return do_execveat(dfd, filename, argv, envp, flags);
}

long sys_exit(int code)
{
	do_exit((code & 0xff) << 8);
}

long sys_exit_group(int code)
{
	do_group_exit((code & 0xff) << 8);
}

long sys_wait4(pid_t upid, struct uptr stat, int options, struct uptr ru)
{
	struct wait_args a = { .options = options | WEXITED, .want_rusage = !uptr_is_null(ru) };
	long r;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (upid == INT_MIN)
		return -ESRCH;
	if (upid == -1) {
		a.type = PIDTYPE_MAX;
	} else if (upid < 0) {
		a.type = PIDTYPE_PGID;
		a.pid = find_get_pid(-upid);
	} else if (!upid) {
		a.type = PIDTYPE_PGID;
		a.pid = get_task_pid(current, PIDTYPE_PGID);
	} else {
		a.type = PIDTYPE_TGID;
		a.pid = find_get_pid(upid);
	}
	r = do_wait(&a);
	put_pid(a.pid);
	if (r > 0 && !uptr_is_null(stat) && put_user((u32)a.status, stat))
		r = -EFAULT;
	if (r > 0 && !uptr_is_null(ru) && put_rusage(&a.ru, ru))
		r = -EFAULT;
	return r;
}

/* What waitid(2) waits for, and the wait: 1 when *A tells of a child, 0 when none is ready. */
static long wait_for(struct wait_args *a, int which, pid_t upid, int options)
{
	unsigned int pidfd_flags = 0;
	long r;

	if (options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	switch (which) {
	case P_ALL:
		a->type = PIDTYPE_MAX;
		break;
	case P_PID:
		if (upid <= 0)
			return -EINVAL;
		a->type = PIDTYPE_TGID;
		a->pid = find_get_pid(upid);
		break;
	case P_PGID:
		if (upid < 0)
			return -EINVAL;
		a->type = PIDTYPE_PGID;
		a->pid = upid ? find_get_pid(upid) : get_task_pid(current, PIDTYPE_PGID);
		break;
	case P_PIDFD:
		if (upid < 0)
			return -EINVAL;
		a->type = PIDTYPE_TGID;
		a->pid = pidfd_get_pid(upid, &pidfd_flags);
		if (IS_ERR(a->pid))
			return PTR_ERR(a->pid);
		if (pidfd_flags & O_NONBLOCK)
			a->options |= WNOHANG;
		break;
	default:
		return -EINVAL;
	}
	r = do_wait(a);
	put_pid(a->pid);
	if (!r && (pidfd_flags & O_NONBLOCK) && !(options & WNOHANG))
		return -EAGAIN;
	return r;
}

/* What there is to tell is written, zeros where that is nothing, also where the call fails. */
static int put_child_info(struct uptr infop, const struct wait_args *a, bool told)
{
	struct siginfo info;

	clear_siginfo(&info);
	if (told) {
		info.si_signo = SIGCHLD;
		info.si_code = a->cause;
		info.si_pid = a->info_pid;
		info.si_uid = a->info_uid;
		info.si_status = a->info_status;
	}
	/* waitid(2) writes no other field of a siginfo_t. */
	return copy_to_user(infop, &info, 3 * sizeof(int)) ||
	       copy_to_user(uptr_add(infop, offsetof(struct siginfo, si_pid)), &info.si_pid, 3 * sizeof(int)) ? -EFAULT : 0;
}

long sys_waitid(int which, pid_t upid, struct uptr infop, int options, struct uptr ru)
{
	struct wait_args a = { .options = options, .want_rusage = !uptr_is_null(ru) };
	long r = wait_for(&a, which, upid, options);

	if (r > 0 && !uptr_is_null(ru) && put_rusage(&a.ru, ru))
		return -EFAULT;
	if (!uptr_is_null(infop) && put_child_info(infop, &a, r > 0))
		return -EFAULT;
	return min(r, 0l);
}

long sys_getpid(void) { return task_tgid_vnr(current); }
long sys_gettid(void) { return task_pid_vnr(current); }
long sys_getppid(void) { return task_ppid_nr_ns(current, task_active_pid_ns(current)); }

long sys_set_tid_address(struct uptr tidptr)
{
	current->clear_child_tid = tidptr;
	return task_pid_vnr(current);
}

static long id_of(pid_t pid, enum pid_type type)
{
	struct task *t;
	long r = -ESRCH;

	rcu_read_lock();
	t = pid ? find_task_by_vpid(pid) : current;
	if (t)
		r = task_pid_nr_type(t, type, NULL);
	rcu_read_unlock();
	return r;
}

long sys_getpgid(pid_t pid) { return id_of(pid, PIDTYPE_PGID); }
long sys_getpgrp(void) { return id_of(0, PIDTYPE_PGID); }
long sys_getsid(pid_t pid) { return id_of(pid, PIDTYPE_SID); }

long sys_setpgid(pid_t pid, pid_t pgid)
{
	struct task *leader = current->group_leader, *p;
	struct pid *pgrp, *freed = NULL;
	struct hold hold = { .is = false };
	int e;

	if (!pid)
		pid = task_pid_vnr(leader);
	if (!pgid)
		pgid = pid;
	if (pgid < 0)
		return -EINVAL;
again:
	e = -ESRCH;
	write_lock_irq(&tasklist_lock);
	p = find_task_by_vpid(pid);
	if (!p || !thread_group_leader(p)) {
		e = p ? -EINVAL : -ESRCH;
		goto out;
	}
	if (same_thread_group(task_real_parent(p), leader)) {
		if (task_pid_type(p, PIDTYPE_SID) != task_pid_type(leader, PIDTYPE_SID)) {
			e = -EPERM;
			goto out;
		}
		if (!(p->flags & PF_FORKNOEXEC)) {
			e = -EACCES;
			goto out;
		}
	} else if (p != leader) {
		goto out;
	}
	e = -EPERM;
	if (p->signal->leader)
		goto out;
	pgrp = task_own_pid(p);
	if (pgid != pid) {
		struct task *g;

		pgrp = find_vpid(pgid);
		g = pgrp ? pid_task(pgrp, PIDTYPE_PGID) : NULL;
		if (!g || task_pid_type(g, PIDTYPE_SID) != task_pid_type(leader, PIDTYPE_SID))
			goto out;
	}
	e = 0;
	if (task_pid_type(p, PIDTYPE_PGID) != pgrp) {
		if (pid_is_held(p, &hold))
			goto out;
		freed = change_pid(p, PIDTYPE_PGID, pgrp);
	}
out:
	write_unlock_irq(&tasklist_lock);
	if (unlikely(hold.is)) {
		e = hold_wait(&hold);
		if (!e)
			goto again;
	}
	if (freed)
		free_pid(freed);
	return e;
}

long sys_setsid(void)
{
	struct task *leader = current->group_leader;
	struct pid *sid, *old_pg = NULL, *old_sid = NULL;
	struct hold hold = { .is = false };
	long r;

again:
	r = -EPERM;
	write_lock_irq(&tasklist_lock);
	sid = task_own_pid(leader);
	if (leader->signal->leader || pid_task(sid, PIDTYPE_PGID))
		goto out;
	if (pid_is_held(leader, &hold))
		goto out;
	leader->signal->leader = true;
	if (task_pid_type(leader, PIDTYPE_SID) != sid)
		old_sid = change_pid(leader, PIDTYPE_SID, sid);
	if (task_pid_type(leader, PIDTYPE_PGID) != sid)
		old_pg = change_pid(leader, PIDTYPE_PGID, sid);
	proc_clear_tty(leader);
	r = pid_vnr(sid);
out:
	write_unlock_irq(&tasklist_lock);
	if (unlikely(hold.is)) {
		r = hold_wait(&hold);
		if (!r)
			goto again;
	}
	if (old_sid && old_sid != old_pg)
		free_pid(old_sid);
	if (old_pg)
		free_pid(old_pg);
	return r;
}

/* partial: unshare: time namespaces */
long sys_unshare(unsigned long flags)
{
	struct files_struct *files = NULL;
	struct fs_struct *fs = NULL;
	struct nsproxy *n = NULL;
	struct cred *c = NULL;
	int e;

	if (flags & ~(unsigned long)(CLONE_FS | CLONE_FILES | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
		      CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWTIME | CLONE_THREAD | CLONE_VM | CLONE_SIGHAND | CLONE_SYSVSEM))
		return -EINVAL;
	if (flags & CLONE_NEWUSER)
		flags |= CLONE_THREAD | CLONE_FS;
	if (flags & CLONE_NEWNS)
		flags |= CLONE_FS;
	if ((flags & (CLONE_THREAD | CLONE_VM | CLONE_SIGHAND)) && !list_is_singular(&current->signal->threads))
		return -EINVAL;
	/* clone(2) has no bit for a time namespace: it lies in those of the signal at exit. */
	e = flags & CLONE_NEWTIME ? ns_time_check(flags) : 0;
	if (e)
		return e;
	if (flags & CLONE_NEWUSER) {
		c = prepare_creds();
		if (!c)
			return -ENOMEM;
		e = create_user_ns(c);
		if (e)
			goto fail;
	}
	if (flags & (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)) {
		const struct cred *eff = c ? c : current_cred();

		e = -EPERM;
		if (!cred_capable(eff, eff->user_ns, CAP_SYS_ADMIN))
			goto fail;
	}
	/* Everything is made before anything is changed. */
	if (flags & CLONE_FS)
		fs = unshared_fs_struct();
	if (flags & CLONE_FILES)
		files = unshared_files();
	e = IS_ERR(fs) ? (int)PTR_ERR(fs) : IS_ERR(files) ? (int)PTR_ERR(files) : 0;
	if (e)
		goto fail;
	if (flags & (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)) {
		n = nsproxy_create(flags, fs ? fs : current->fs, c ? c->user_ns : current_user_ns());
		if (IS_ERR(n)) {
			e = (int)PTR_ERR(n);
			goto fail;
		}
	}
	if (fs)
		install_fs_struct(fs);
	if (files)
		install_files(files);
	if (n)
		switch_task_namespaces(current, n);
	if (flags & (CLONE_NEWIPC | CLONE_SYSVSEM))	/* what it had borrowed it gives back */
		exit_sysv_undo(current);
	if (c)
		commit_creds(c);
	return 0;
fail:
	if (!IS_ERR_OR_NULL(fs))
		free_fs_struct(fs);
	if (!IS_ERR_OR_NULL(files))
		put_files_struct(files);
	if (c)
		abort_creds(c);
	return e;
}
