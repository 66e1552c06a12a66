// SPDX-License-Identifier: MIT
/* Processes by descriptor: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), process_madvise(2), process_mrelease(2). */
#include <lib/types.h>
#include <lib/err.h>
#include <abi/syscalls.h>
#include <alloc/slab.h>
#include <fs/pidfs.h>
#include <linux/capability.h>
#include <linux/pidfd.h>
#include <linux/signal.h>
#include <mm/iter.h>
#include <mm/mm.h>
#include <mm/mman.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <proc/ptrace.h>
#include <proc/signal.h>
#include <proc/threads.h>
#include <vfs/file.h>
#include <abi/errno.h>

long sys_pidfd_open(pid_t nr, unsigned int flags)
{
	struct file *file;
	struct pid *pid;
	long r = 0;
	int fd;

	if (flags & ~(unsigned int)(PIDFD_NONBLOCK | PIDFD_THREAD))
		return -EINVAL;
	if (nr <= 0)
		return -EINVAL;
	pid = find_get_pid(nr);
	if (!pid)
		return -ESRCH;
	rcu_read_lock();
	if (!pid_task(pid, PIDTYPE_PID))
		r = -ESRCH;
	else if (!(flags & PIDFD_THREAD) && !pid_task(pid, PIDTYPE_TGID))
		r = -ENOENT;		/* a thread that leads no process */
	rcu_read_unlock();
	if (r)
		goto out;
	r = fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		goto out;
	file = pidfs_file(pid, flags);
	if (IS_ERR(file)) {
		put_unused_fd((unsigned int)fd);
		r = PTR_ERR(file);
		goto out;
	}
	fd_install((unsigned int)fd, file);
out:
	put_pid(pid);
	return r;
}

/* The caller's namespace must be the process's or above it. */
static bool sees(struct pid *pid)
{
	return pid_vnr(pid) > 0;
}

long sys_pidfd_send_signal(int pidfd, int sig, struct uptr info, unsigned int flags)
{
	const unsigned int known = PIDFD_SIGNAL_THREAD | PIDFD_SIGNAL_THREAD_GROUP | PIDFD_SIGNAL_PROCESS_GROUP;
	enum pid_type type;
	unsigned int f_flags;
	struct siginfo i;
	struct pid *pid;
	long r = -EINVAL;

	if ((flags & ~known) || (flags & (flags - 1)))
		return -EINVAL;
	pid = pidfd_get_pid_or_dir(pidfd, &f_flags);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	type = flags & PIDFD_SIGNAL_THREAD ? PIDTYPE_PID : flags & PIDFD_SIGNAL_THREAD_GROUP ? PIDTYPE_TGID :
	       flags & PIDFD_SIGNAL_PROCESS_GROUP ? PIDTYPE_PGID : f_flags & PIDFD_THREAD ? PIDTYPE_PID : PIDTYPE_TGID;
	if (!sees(pid)) {
		rcu_read_lock();
		r = pid_task(pid, PIDTYPE_PID) ? -EINVAL : -ESRCH;
		rcu_read_unlock();
		goto out;
	}
	if (uptr_is_null(info)) {
		clear_siginfo(&i);
		i.si_signo = sig;
		i.si_code = type == PIDTYPE_PID ? SI_TKILL : SI_USER;
		i.si_pid = task_tgid_vnr(current);
		i.si_uid = from_kuid_munged(current_user_ns(), current_uid());
	} else {
		r = copy_siginfo_from_user(&i, info);
		if (r)
			goto out;
		r = -EINVAL;
		if (i.si_signo != sig)
			goto out;
		/* si_code of the kernel or of kill(2): a thread may send it to itself alone. */
		r = -EPERM;
		if ((i.si_code >= 0 || i.si_code == SI_TKILL) && (pid != task_own_pid(current) || type == PIDTYPE_PGID))
			goto out;
	}
	r = type == PIDTYPE_PGID ? kill_pgrp_info(sig, &i, pid) : kill_pid_info(sig, &i, pid, type);
out:
	put_pid(pid);
	return r;
}

long sys_pidfd_getfd(int pidfd, int fd, unsigned int flags)
{
	unsigned int f_flags;
	struct file *file;
	struct pid *pid;
	struct task *t;
	long r;

	if (flags)
		return -EINVAL;
	pid = pidfd_get_pid(pidfd, &f_flags);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	t = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	if (!t)
		return -ESRCH;
	r = ptrace_begin_access(t, PTRACE_MODE_ATTACH_REALCREDS);
	if (!r) {
		file = fget_task(t, (unsigned int)fd);
		ptrace_end_access(t);
		r = file ? receive_fd(file, UPTR_NULL, O_CLOEXEC) : t->flags & PF_EXITING ? -ESRCH : -EBADF;
		if (file)
			fput(file);
	}
	put_task_struct(t);
	return r;
}

static ssize_t advise(struct mm *mm, const struct iovec *iov, unsigned long n, int behavior)
{
	ssize_t done = 0;

	for (unsigned long i = 0; i < n; i++) {
		int e = mm_madvise(mm, (unsigned long)iov[i].iov_base, iov[i].iov_len, behavior);

		if (e)
			return done ? done : e;
		done += (ssize_t)iov[i].iov_len;
	}
	return done;
}

static ssize_t advise_task(struct task *t, const struct iovec *iov, unsigned long n, int behavior)
{
	struct mm *mm;
	ssize_t r;

	mm = ptrace_get_mm(t, PTRACE_MODE_READ_FSCREDS);
	if (IS_ERR_OR_NULL(mm))
		return !mm ? -ESRCH : mm == ERR_PTR(-EPERM) ? -EACCES : PTR_ERR(mm);
	if (mm != current->mm && !madvise_allowed_remote(behavior))
		r = -EINVAL;
	else if (mm != current->mm && !capable(CAP_SYS_NICE))
		r = -EPERM;
	else
		r = advise(mm, iov, n, behavior);
	mmput(mm);
	return r;
}

long sys_process_madvise(int pidfd, struct uptr vec, size_t vlen, int behavior, unsigned int flags)
{
	struct iovec fast[UIO_FASTIOV], *iov = fast;
	unsigned int f_flags;
	struct iter it;
	struct pid *pid;
	struct task *t;
	ssize_t r;

	if (flags)
		return -EINVAL;
	r = import_iovec(ITER_DEST, vec, vlen, UIO_FASTIOV, &iov, &it);
	if (r < 0)
		return r;
	if (vlen == 1) {
		fast[0].iov_base = (void *)it.ubuf;
		fast[0].iov_len = it.count;
	}
	pid = pidfd_get_pid(pidfd, &f_flags);
	if (IS_ERR(pid)) {
		r = PTR_ERR(pid);
	} else {
		t = get_pid_task(pid, PIDTYPE_PID);
		put_pid(pid);
		r = t ? advise_task(t, iov && vlen > 1 ? iov : fast, vlen, behavior) : -ESRCH;
		if (t)
			put_task_struct(t);
	}
	kfree(iov);
	return r;
}

/* ---- process_mrelease(2): frees the memory of a dying process at once ---- */

/* The memory of the first thread that still has it (the leader may have exited), referenced; or NULL. */
static struct mm *mm_of_process(struct task *leader)
{
	struct mm *mm = get_task_mm(leader);
	u64 stamp = 0;

	while (!mm) {
		struct sighand_struct *h;
		unsigned long flags;
		struct task *t;

		h = lock_threads(leader->signal, &flags);
		if (!h)
			break;
		t = thread_after(leader->signal, stamp);
		if (t) {
			get_task_struct(t);
			stamp = t->thread_stamp;
		}
		spin_unlock_irqrestore(&h->siglock, flags);
		if (!t)
			break;
		mm = get_task_mm(t);
		put_task_struct(t);
		cond_resched();
	}
	return mm;
}

/*
 * 0 if all processes that use MM are dying, -EINVAL if one is not. A dying process forks no more, so the walk misses nobody. It looks at every
 * process of the machine: vfork(2) and CLONE_VM share memory across all of them.
 */
static int all_dying(const struct mm *mm)
{
	unsigned int nr = 1;
	struct task *t;
	int e = 0;

	for (; !e && (t = next_process(&init_pid_ns, &nr)); nr++) {
		if (!is_kthread(t) && !process_is_dying(t)) {
			struct mm *theirs = mm_of_process(t);

			if (theirs == mm)
				e = -EINVAL;
			if (theirs)
				mmput_async(theirs);
		}
		put_task_struct(t);
		if (fatal_signal_pending(current))
			e = -EINTR;
		cond_resched();
	}
	return e;
}

long sys_process_mrelease(int pidfd, unsigned int flags)
{
	unsigned int f_flags;
	struct task *t;
	struct pid *pid;
	struct mm *mm;
	int e = -ESRCH;

	if (flags)
		return -EINVAL;
	pid = pidfd_get_pid(pidfd, &f_flags);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	t = get_pid_task(pid, f_flags & PIDFD_THREAD ? PIDTYPE_PID : PIDTYPE_TGID);
	put_pid(pid);
	if (!t)
		return -ESRCH;
	mm = mm_of_process(t);
	if (mm) {
		e = process_is_dying(t) ? all_dying(mm) : -EINVAL;
		if (!e)
			e = mm_reap_dying(mm);
		mmput_async(mm);
	}
	put_task_struct(t);
	return e;
}
