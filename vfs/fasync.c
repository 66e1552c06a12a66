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
#include <sched/work.h>
#include <kernel/refcount.h>
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
	refcount_t	refs;		/* the file's, and that of work under way */
	struct work_struct work;	/* the signals to a large group */
	unsigned long	bands;		/* for it, atomic: what there is to tell; bit 0: SIGURG */
	int		fd;		/* for it: of the last */
	struct fasync_struct *listens;	/* its entries in lists of listeners [fasync_lock] */
};

#define TELL_AT_ONCE 64		/* listeners, before others on this CPU have their turn */

static DEFINE_SPINLOCK(fasync_lock);

static void tell_group(struct work_struct *w);

static void put_owner(struct fown_struct *o)
{
	if (!refcount_dec_and_test(&o->refs))
		return;
	put_pid(o->pid);
	kfree(o);
}

static struct fown_struct *get_owner(struct file *f)
{
	struct fown_struct *o = smp_load_acquire(&f->f_owner), *old = NULL;

	if (o)
		return o;
	o = kzalloc(sizeof(*o), GFP_KERNEL_ACCOUNT);
	if (!o)
		return NULL;
	o->file = f;
	refcount_set(&o->refs, 1);
	INIT_WORK(&o->work, tell_group);
	rwlock_init(&o->lock);
	if (!try_cmpxchg(&f->f_owner, &old, o)) {
		kfree(o);
		o = old;
	}
	return o;
}

void file_free_owner(struct file *f)
{
	put_owner(f->f_owner);
	f->f_owner = NULL;
}

int f_set_owner(struct file *f, struct pid *pid, enum pid_type type, bool force)
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
	err = f_set_owner(filp, pid, type, force);
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
	err = f_set_owner(filp, pid, type, true);
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

/* F_GETOWNER_UIDS: the real and effective user with whose rights the signal is sent. */
int f_getowner_uids(struct file *filp, struct uptr arg)
{
	struct fown_struct *o = smp_load_acquire(&filp->f_owner);
	struct user_namespace *ns = current_user_ns();
	uid_t ids[2] = { 0 };

	if (o) {
		read_lock_irq(&o->lock);
		ids[0] = from_kuid(ns, o->uid);
		ids[1] = from_kuid(ns, o->euid);
		read_unlock_irq(&o->lock);
	}
	return copy_to_user(arg, ids, sizeof(ids)) ? -EFAULT : 0;
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

/* ---- large groups ---- */

/* Tells a group of BAND, 0: of urgent data. */
struct told {
	struct fown_struct *o;
	int fd, band;
};

static void tell_task(struct task *t, const struct told *w)
{
	if (w->band)
		sigio_to_task(t, w->o, w->fd, w->band, PIDTYPE_PGID);
	else if (may_send(t, w->o, SIGURG))
		do_send_sig_info(SIGURG, SEND_SIG_PRIV, t, PIDTYPE_PGID);
}

static enum for_group tell_member(struct task *t, void *arg)
{
	struct told *w = arg;
	unsigned long flags;

	read_lock_irqsave(&w->o->lock, flags);
	tell_task(t, w);
	read_unlock_irqrestore(&w->o->lock, flags);
	return GO_ON;
}

/* A kworker sends, as the event may come under locks or in an interrupt. Events before the work begins are merged into one. */
static void tell_group(struct work_struct *work)
{
	struct told w = { .o = container_of(work, struct fown_struct, work) };
	unsigned long bands = xchg(&w.o->bands, 0);
	struct pid *pgrp;

	read_lock_irq(&w.o->lock);
	pgrp = w.o->pid_type == PIDTYPE_PGID ? get_pid(w.o->pid) : NULL;
	read_unlock_irq(&w.o->lock);
	w.fd = READ_ONCE(w.o->fd);
	for (w.band = 0; pgrp && w.band <= NSIGPOLL; w.band++)
		if (bands & 1UL << w.band)
			for_group(pgrp, tell_member, &w);
	put_pid(pgrp);
	put_owner(w.o);
}

/* o->lock held for reading, the owner is a group: its processes are told of BAND. */
static void tell_each(struct fown_struct *o, int fd, int band)
{
	struct told w = { .o = o, .fd = fd, .band = band };
	struct task *t;

	if (unlikely(READ_ONCE(o->pid->group_size) > GROUP_MOST)) {
		WRITE_ONCE(o->fd, fd);
		set_bit(band, &o->bands);
		refcount_inc(&o->refs);
		if (!queue_work(system_unbound_wq, &o->work))
			refcount_dec(&o->refs);		/* the file's is another */
		return;
	}
	rcu_read_lock();
	do_each_pid_task(o->pid, PIDTYPE_PGID, t)
		tell_task(t, &w);
	rcu_read_unlock();
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
			tell_each(o, fd, band);
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
		if (o->pid_type <= PIDTYPE_TGID) {
			rcu_read_lock();
			t = pid_task(o->pid, PIDTYPE_PID);
			if (t && may_send(t, o, SIGURG))
				do_send_sig_info(SIGURG, SEND_SIG_PRIV, t, o->pid_type);
			rcu_read_unlock();
		} else {
			tell_each(o, 0, 0);
		}
	}
	read_unlock_irqrestore(&o->lock, flags);
	return sent;
}

static void free_fasync_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct fasync_struct, fa_rcu));
}

static struct fasync_struct *fasync_alloc(gfp_t gfp)
{
	struct fasync_struct *new = kzalloc(sizeof(*new), gfp);

	if (new)
		spin_lock_init(&new->fa_lock);
	return new;
}

/* fasync_lock held. */
static void fasync_link(struct fasync_struct *fa, struct fasync_struct __rcu **at)
{
	struct fasync_struct *next = rcu_dereference_protected(*at, lockdep_is_held(&fasync_lock));

	fa->fa_pprev = at;
	RCU_INIT_POINTER(fa->fa_next, next);
	if (next)
		next->fa_pprev = &fa->fa_next;
	rcu_assign_pointer(*at, fa);
}

/* fasync_lock held. Those who stand on it go on; it is freed when they have. */
static void fasync_unlink(struct fasync_struct *fa)
{
	struct fasync_struct *next = rcu_dereference_protected(fa->fa_next, lockdep_is_held(&fasync_lock));

	rcu_assign_pointer(*fa->fa_pprev, next);
	if (next)
		next->fa_pprev = fa->fa_pprev;
	fa->fa_pprev = NULL;
	call_rcu(&fa->fa_rcu, free_fasync_rcu);
}

/* fasync_lock held. Where FILP's entry in LIST hangs among its own, or would: they are as many as its kind of file has lists. */
static struct fasync_struct **fasync_of(struct file *filp, struct fasync_struct __rcu **list)
{
	struct fasync_struct **p = &filp->f_owner->listens;

	while (*p && (*p)->fa_list != list)
		p = &(*p)->fa_other;
	return p;
}

static void fasync_set(struct fasync_struct *fa, struct file *filp, int fd)
{
	unsigned long flags;

	spin_lock_irqsave(&fa->fa_lock, flags);
	fa->fa_file = filp;
	fa->fa_fd = fd;
	spin_unlock_irqrestore(&fa->fa_lock, flags);
}

/* Adds or removes @filp in a list of listeners. > 0 changed, 0 nothing to do, -ENOMEM. */
int fasync_helper(int fd, struct file *filp, int on, struct fasync_struct __rcu **list)
{
	struct fasync_struct **p, *fa, *new = NULL;
	int res = 0;

	if (on) {
		if (!get_owner(filp))
			return -ENOMEM;
		new = fasync_alloc(GFP_KERNEL_ACCOUNT);
		if (!new)
			return -ENOMEM;
		new->fa_list = list;
	} else if (!smp_load_acquire(&filp->f_owner)) {
		return 0;
	}
	spin_lock(&filp->f_lock);
	spin_lock(&fasync_lock);
	p = fasync_of(filp, list);
	fa = *p;
	if (fa && on) {
		fasync_set(fa, filp, fd);
	} else if (fa) {
		fasync_set(fa, NULL, fa->fa_fd);
		*p = fa->fa_other;
		fasync_unlink(fa);
		filp->f_flags &= ~(unsigned int)FASYNC;
		res = 1;
	} else if (on) {
		fasync_set(new, filp, fd);
		fasync_link(new, list);
		*p = new;
		new = NULL;
		filp->f_flags |= FASYNC;
		res = 1;
	}
	spin_unlock(&fasync_lock);
	spin_unlock(&filp->f_lock);
	kfree(new);
	return res;
}

/*
 * RCU held; the caller keeps the list. Lets others have the CPU, if nothing else is held, and says who is next behind FA. An entry of our own keeps the place: whoever
 * comes meanwhile comes to the list's head, and is none of those to be told.
 */
static struct fasync_struct *fasync_breathe(struct fasync_struct *fa) __must_hold(RCU)
{
	struct fasync_struct *mark = NULL, *next;

	if (preempt_count() == 1 && !irqs_disabled())
		mark = fasync_alloc(GFP_NOWAIT);
	if (!mark)
		return rcu_dereference(fa->fa_next);
	spin_lock(&fasync_lock);
	if (fa->fa_pprev) {
		fasync_link(mark, &fa->fa_next);
	} else {
		kfree(mark);
		mark = NULL;
	}
	spin_unlock(&fasync_lock);
	if (!mark)
		return rcu_dereference(fa->fa_next);
	rcu_read_unlock();
	rcu_read_lock();
	next = rcu_dereference(mark->fa_next);
	spin_lock(&fasync_lock);
	fasync_unlink(mark);
	spin_unlock(&fasync_lock);
	return next;
}

void kill_fasync(struct fasync_struct __rcu **list, int sig, int band)
{
	struct fasync_struct *fa;
	unsigned long flags;
	unsigned int n = 0;

	if (likely(!rcu_access_pointer(*list)))
		return;
	rcu_read_lock();
	for (fa = rcu_dereference(*list); fa; fa = ++n % TELL_AT_ONCE ? rcu_dereference(fa->fa_next) : fasync_breathe(fa)) {
		spin_lock_irqsave(&fa->fa_lock, flags);
		if (fa->fa_file && fa->fa_file->f_owner &&
		    !(sig == SIGURG && !fa->fa_file->f_owner->signum))
			send_sigio(fa->fa_file->f_owner, fa->fa_fd, band);
		spin_unlock_irqrestore(&fa->fa_lock, flags);
	}
	rcu_read_unlock();
}
