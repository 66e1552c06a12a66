// SPDX-License-Identifier: MIT
/*
 * SIGIO: files that send a signal when they become ready, and whom they send it to. The owner is kept in
 * a structure of its own, made when somebody asks for it, so that files that never do stay small.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/fcntl.h>
#include <vfs/poll.h>
#include <alloc/slab.h>
#include <sched/task.h>
#include <proc/pid.h>
#include <proc/cred.h>
#include <proc/signal.h>
#include <mm/uaccess.h>
#include "file_priv.h"

struct fown_struct {
	struct file	*file;
	rwlock_t	lock;		/* everything below */
	struct pid	*pid;
	enum pid_type	pid_type;
	kuid_t		uid, euid;	/* of who set it */
	int		signum;
};

static DEFINE_SPINLOCK(fasync_lock);

static struct fown_struct *get_owner(struct file *f)
{
	struct fown_struct *o = smp_load_acquire(&f->f_owner), *old = NULL;

	if (o)
		return o;
	o = kzalloc(sizeof(*o), GFP_KERNEL_ACCOUNT);
	if (!o)
		return NULL;
	o->file = f;
	rwlock_init(&o->lock);
	if (!try_cmpxchg(&f->f_owner, &old, o)) {
		kfree(o);
		o = old;
	}
	return o;
}

void file_free_owner(struct file *f)
{
	put_pid(f->f_owner->pid);
	kfree(f->f_owner);
	f->f_owner = NULL;
}

static int set_owner(struct file *f, struct pid *pid, enum pid_type type, bool force)
{
	struct fown_struct *o = get_owner(f);
	const struct cred *cred = current_cred();

	if (!o)
		return -ENOMEM;
	write_lock_irq(&o->lock);
	if (force || !o->pid) {
		put_pid(o->pid);
		o->pid = get_pid(pid);
		o->pid_type = type;
		if (pid) {
			o->uid = cred->uid;
			o->euid = cred->euid;
		}
	}
	write_unlock_irq(&o->lock);
	return 0;
}

/* F_SETOWN: > 0 a process, < 0 a group. */
int f_setown(struct file *filp, int who, int force)
{
	enum pid_type type = PIDTYPE_TGID;
	struct pid *pid = NULL;
	int err = 0;

	if (who < 0) {
		if (who == INT_MIN)
			return -EINVAL;
		type = PIDTYPE_PGID;
		who = -who;
	}
	if (who) {
		pid = find_get_pid(who);
		if (!pid)
			return -ESRCH;
	}
	err = set_owner(filp, pid, type, force);
	put_pid(pid);
	return err;
}

int f_getown(struct file *filp)
{
	struct fown_struct *o = smp_load_acquire(&filp->f_owner);
	int nr = 0;

	if (!o)
		return 0;
	read_lock_irq(&o->lock);
	nr = o->pid ? pid_vnr(o->pid) : 0;
	if (o->pid_type == PIDTYPE_PGID)
		nr = -nr;
	read_unlock_irq(&o->lock);
	return nr;
}

int f_setown_ex(struct file *filp, struct uptr arg)
{
	struct f_owner_ex ex;
	enum pid_type type;
	struct pid *pid;
	int err;

	if (copy_from_user(&ex, arg, sizeof(ex)))
		return -EFAULT;
	switch (ex.type) {
	case F_OWNER_TID:
		type = PIDTYPE_PID;
		break;
	case F_OWNER_PID:
		type = PIDTYPE_TGID;
		break;
	case F_OWNER_PGRP:
		type = PIDTYPE_PGID;
		break;
	default:
		return -EINVAL;
	}
	pid = ex.pid ? find_get_pid(ex.pid) : NULL;
	if (ex.pid && !pid)
		return -ESRCH;
	err = set_owner(filp, pid, type, true);
	put_pid(pid);
	return err;
}

int f_getown_ex(struct file *filp, struct uptr arg)
{
	struct fown_struct *o = smp_load_acquire(&filp->f_owner);
	struct f_owner_ex ex = { .type = F_OWNER_PID, .pid = 0 };

	if (o) {
		read_lock_irq(&o->lock);
		ex.pid = o->pid ? pid_vnr(o->pid) : 0;
		ex.type = o->pid_type == PIDTYPE_PID ? F_OWNER_TID :
			  o->pid_type == PIDTYPE_PGID ? F_OWNER_PGRP : F_OWNER_PID;
		read_unlock_irq(&o->lock);
	}
	return copy_to_user(arg, &ex, sizeof(ex)) ? -EFAULT : 0;
}

int f_setsig(struct file *filp, int sig)
{
	struct fown_struct *o;

	if (sig < 0 || sig > _NSIG)
		return -EINVAL;
	o = get_owner(filp);
	if (!o)
		return -ENOMEM;
	o->signum = sig;
	return 0;
}

int f_getsig(struct file *filp)
{
	struct fown_struct *o = smp_load_acquire(&filp->f_owner);

	return o ? o->signum : 0;
}

/* May who set the owner signal @t? */
static bool may_send(struct task *t, const struct fown_struct *o, int sig)
{
	const struct cred *c;
	bool ok;

	(void)sig;
	rcu_read_lock();
	c = __task_cred(t);
	ok = uid_eq(o->euid, GLOBAL_ROOT_UID) || uid_eq(o->euid, c->suid) || uid_eq(o->euid, c->uid) ||
	     uid_eq(o->uid, c->suid) || uid_eq(o->uid, c->uid);
	rcu_read_unlock();
	return ok;
}

/* siginfo's si_band by its si_code: what poll(2) would say (fcntl(2), F_SETSIG). */
static long band_events(int band)
{
	static const long events[NSIGPOLL] = {
		POLLIN | POLLRDNORM, POLLOUT | POLLWRNORM | POLLWRBAND, POLLIN | POLLRDNORM | POLLMSG,
		POLLERR, POLLPRI | POLLRDBAND, POLLHUP | POLLERR,
	};

	return events[band - POLL_IN];
}

/* Signals whose si_code has meanings of its own: POLL_IN would be read as one of them (sigaction(2)). */
static bool sicodes_taken(int sig)
{
	return sig == SIGILL || sig == SIGFPE || sig == SIGSEGV || sig == SIGBUS || sig == SIGTRAP || sig == SIGCHLD || sig == SIGSYS;
}

static void sigio_to_task(struct task *t, struct fown_struct *o, int fd, int band, enum pid_type type)
{
	struct siginfo si;

	if (!may_send(t, o, o->signum ? o->signum : SIGIO))
		return;
	if (o->signum) {
		clear_siginfo(&si);
		si.si_signo = o->signum;
		si.si_code = sicodes_taken(o->signum) ? SI_SIGIO : band;
		si.si_band = band_events(band);
		si.si_fd = fd;
		if (!do_send_sig_info(o->signum, &si, t, type))
			return;
		/* The queue is full: fall back to plain SIGIO. */
	}
	do_send_sig_info(SIGIO, SEND_SIG_PRIV, t, type);
}

/* band: POLL_IN... */
void send_sigio(struct fown_struct *o, int fd, int band)
{
	enum pid_type type;
	struct task *t;
	unsigned long flags;

	read_lock_irqsave(&o->lock, flags);
	type = o->pid_type;
	if (o->pid) {
		if (type <= PIDTYPE_TGID) {
			rcu_read_lock();
			t = pid_task(o->pid, PIDTYPE_PID);
			if (t)
				sigio_to_task(t, o, fd, band, type);
			rcu_read_unlock();
		} else {
			rcu_read_lock();
			do_each_pid_task(o->pid, type, t)
				sigio_to_task(t, o, fd, band, type);
			rcu_read_unlock();
		}
	}
	read_unlock_irqrestore(&o->lock, flags);
}

int send_sigurg(struct file *file)
{
	struct fown_struct *o = smp_load_acquire(&file->f_owner);
	struct task *t;
	unsigned long flags;
	int sent = 0;

	if (!o)
		return 0;
	read_lock_irqsave(&o->lock, flags);
	if (o->pid) {
		sent = 1;
		rcu_read_lock();
		if (o->pid_type <= PIDTYPE_TGID) {
			t = pid_task(o->pid, PIDTYPE_PID);
			if (t && may_send(t, o, SIGURG))
				do_send_sig_info(SIGURG, SEND_SIG_PRIV, t, o->pid_type);
		} else {
			do_each_pid_task(o->pid, o->pid_type, t) {
				if (may_send(t, o, SIGURG))
					do_send_sig_info(SIGURG, SEND_SIG_PRIV, t, o->pid_type);
			}
		}
		rcu_read_unlock();
	}
	read_unlock_irqrestore(&o->lock, flags);
	return sent;
}

static void free_fasync_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct fasync_struct, fa_rcu));
}

/* Adds or removes @filp in a list of listeners. > 0 changed, 0 nothing to do, -ENOMEM. */
int fasync_helper(int fd, struct file *filp, int on, struct fasync_struct __rcu **list)
{
	struct fasync_struct __rcu **p;
	struct fasync_struct *fa, *new = NULL;
	int res = 0;

	if (on) {
		if (!get_owner(filp))
			return -ENOMEM;
		new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
		if (!new)
			return -ENOMEM;
		spin_lock_init(&new->fa_lock);
	}
	spin_lock(&filp->f_lock);
	spin_lock(&fasync_lock);
	for (p = list; (fa = rcu_dereference_protected(*p, lockdep_is_held(&fasync_lock))); p = &fa->fa_next) {
		unsigned long flags;

		if (fa->fa_file != filp)
			continue;
		spin_lock_irqsave(&fa->fa_lock, flags);
		if (on)
			fa->fa_fd = fd;
		else
			fa->fa_file = NULL;
		spin_unlock_irqrestore(&fa->fa_lock, flags);
		if (!on) {
			rcu_assign_pointer(*p, rcu_dereference_protected(fa->fa_next, lockdep_is_held(&fasync_lock)));
			call_rcu(&fa->fa_rcu, free_fasync_rcu);
			filp->f_flags &= ~(unsigned int)FASYNC;
			res = 1;
		}
		goto out;
	}
	if (on) {
		new->fa_file = filp;
		new->fa_fd = fd;
		RCU_INIT_POINTER(new->fa_next, rcu_dereference_protected(*list, lockdep_is_held(&fasync_lock)));
		rcu_assign_pointer(*list, new);
		new = NULL;
		filp->f_flags |= FASYNC;
		res = 1;
	}
out:
	spin_unlock(&fasync_lock);
	spin_unlock(&filp->f_lock);
	kfree(new);
	return res;
}

void kill_fasync(struct fasync_struct __rcu **list, int sig, int band)
{
	struct fasync_struct *fa;
	unsigned long flags;

	if (likely(!rcu_access_pointer(*list)))
		return;
	rcu_read_lock();
	for (fa = rcu_dereference(*list); fa; fa = rcu_dereference(fa->fa_next)) {
		spin_lock_irqsave(&fa->fa_lock, flags);
		if (fa->fa_file && fa->fa_file->f_owner &&
		    !(sig == SIGURG && !fa->fa_file->f_owner->signum))
			send_sigio(fa->fa_file->f_owner, fa->fa_fd, band);
		spin_unlock_irqrestore(&fa->fa_lock, flags);
	}
	rcu_read_unlock();
}
