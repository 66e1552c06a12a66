// SPDX-License-Identifier: MIT
/*
 * Job control (POSIX, 11.1): the session that a terminal controls and the group in its foreground.
 *
 * tty->session and pgrp are under ctrl_lock; signal->tty, which points back, under siglock of its process. The order is
 * tasklist_lock, siglock, ctrl_lock.
 */
#include <lib/types.h>
#include <kernel/bug.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <proc/signal_sets.h>
#include <proc/upcalls.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include "tty/tty_priv.h"

/* signal->tty is declared for a struct of another name so that proc/ knows nothing of ours. */
static inline struct tty *signal_tty(struct signal_struct *s)
{
	return (struct tty *)s->tty;
}

static inline void set_signal_tty(struct signal_struct *s, struct tty *t)
{
	s->tty = (struct tty_struct *)t;
}

static struct pid *get_pgrp(struct tty *t)
{
	unsigned long flags;
	struct pid *p;

	spin_lock_irqsave(&t->ctrl_lock, flags);
	p = get_pid(t->pgrp);
	spin_unlock_irqrestore(&t->ctrl_lock, flags);
	return p;
}

void tty_signal_foreground(struct tty *t, int sig)
{
	struct pid *p = get_pgrp(t);

	if (p) {
		kill_pgrp(p, sig, 1);
		put_pid(p);
	}
}

int tty_check_change(struct tty *t, int sig)
{
	struct pid *mine, *fg;
	int e = 0;

	if (signal_tty(current->signal) != t)
		return 0;
	rcu_read_lock();
	mine = task_pid_type(current, PIDTYPE_PGID);
	fg = READ_ONCE(t->pgrp);
	rcu_read_unlock();
	if (!fg || fg == mine)
		return 0;
	if ((current->blocked & sigmask_of(sig)) || sig_ignored_by(current, sig))
		return sig == SIGTTIN ? -EIO : 0;
	if (is_current_pgrp_orphaned())
		return -EIO;
	mine = get_task_pid(current, PIDTYPE_PGID);
	kill_pgrp(mine, sig, 1);
	put_pid(mine);
	set_thread_flag(TIF_SIGPENDING);
	e = -ERESTARTSYS;
	return e;
}

struct tty *get_current_tty(void)
{
	struct tty *t;

	spin_lock_irq(&my_sighand()->siglock);
	t = signal_tty(current->signal);
	if (t)
		tty_get(t);
	spin_unlock_irq(&my_sighand()->siglock);
	return t;
}

/* RCU or tasklist_lock held. */
static void drop_tty_of(struct task *p)
{
	struct tty *t;
	struct sighand_struct *h;
	unsigned long flags;

	h = lock_task_sighand(p, &flags);
	if (!h)
		return;
	t = signal_tty(p->signal);
	set_signal_tty(p->signal, NULL);
	unlock_task_sighand(p, &flags);
	if (t)
		tty_put(t);
}

#define SESSION_MOST 64

/* Nobody of the session has a terminal any more: some of a large one at a time, which makes no process meanwhile. */
static void drop_session_tty(struct pid *session)
{
	struct pid *pid;
	struct task *p;
	bool large;

	read_lock(&tasklist_lock);
	large = session->session_size > SESSION_MOST;
	if (large)
		pid_hold(session);
	else
		do_each_pid_task(session, PIDTYPE_SID, p)
			drop_tty_of(p);
	read_unlock(&tasklist_lock);
	if (!large)
		return;
	rcu_read_lock();
	for (unsigned int i = 1, n = 1; (pid = find_ge_pid(&i, &init_pid_ns)); i++, n++) {
		p = pid_task(pid, PIDTYPE_TGID);
		if (p && task_pid_type(p, PIDTYPE_SID) == session)
			drop_tty_of(p);
		if (n % SESSION_MOST)
			continue;
		rcu_read_unlock();
		cond_resched();
		rcu_read_lock();
	}
	rcu_read_unlock();
	pid_let_go(session);
}

static void set_ids(struct tty *t, struct pid *session, struct pid *pgrp)
{
	struct pid *os, *op;

	spin_lock_irq(&t->ctrl_lock);
	os = t->session;
	op = t->pgrp;
	t->session = get_pid(session);
	t->pgrp = get_pid(pgrp);
	spin_unlock_irq(&t->ctrl_lock);
	put_pid(os);
	put_pid(op);
}

/* The terminal is nobody's, unless another session has taken it meanwhile. */
static void clear_ids(struct tty *t, struct pid *session)
{
	struct pid *pgrp = NULL;
	bool mine;

	spin_lock_irq(&t->ctrl_lock);
	mine = t->session == session;
	if (mine) {
		pgrp = t->pgrp;
		t->session = t->pgrp = NULL;
	}
	spin_unlock_irq(&t->ctrl_lock);
	if (mine) {
		put_pid(session);		/* the terminal's own reference */
		put_pid(pgrp);
	}
}

static struct pid *get_session(struct tty *t)
{
	struct pid *p;

	spin_lock_irq(&t->ctrl_lock);
	p = get_pid(t->session);
	spin_unlock_irq(&t->ctrl_lock);
	return p;
}

/* A hang-up: the leader gets SIGHUP and SIGCONT, so does the foreground; the session has no terminal from here on. */
void session_clear(struct tty *t)
{
	struct pid *session = get_session(t), *pgrp = get_pgrp(t);
	struct task *p;

	if (session) {
		read_lock(&tasklist_lock);
		p = pid_task(session, PIDTYPE_TGID);
		if (p && p->signal->leader) {
			do_send_sig_info(SIGHUP, SEND_SIG_PRIV, p, PIDTYPE_TGID);
			do_send_sig_info(SIGCONT, SEND_SIG_PRIV, p, PIDTYPE_TGID);
		}
		read_unlock(&tasklist_lock);
		drop_session_tty(session);
	}
	if (pgrp) {
		kill_pgrp(pgrp, SIGHUP, 1);
		kill_pgrp(pgrp, SIGCONT, 1);
	}
	clear_ids(t, session);
	put_pid(session);
	put_pid(pgrp);
}

/* From exit of a session leader, and TIOCNOTTY. */
void disassociate_ctty(bool on_exit)
{
	struct tty *t;
	struct pid *pgrp, *session;

	if (!current->signal->leader)
		return;
	t = get_current_tty();
	if (!t)
		return;
	pgrp = get_pgrp(t);
	if (pgrp) {
		kill_pgrp(pgrp, SIGHUP, 1);
		if (!on_exit || !t->is_pty)
			kill_pgrp(pgrp, SIGCONT, 1);
		put_pid(pgrp);
	}
	/* A line is hung up for the next one to log in; a pty belongs to who has its master (pty(7)). */
	if (on_exit && !t->is_pty)
		tty_hangup(t);
	session = get_task_pid(current, PIDTYPE_SID);
	drop_session_tty(session);
	clear_ids(t, session);
	put_pid(session);
	tty_put(t);
}

/* setsid: tasklist_lock write-held. */
void proc_clear_tty(struct task *t)
{
	struct tty *old;

	spin_lock(&task_sighand(t)->siglock);
	old = signal_tty(t->signal);
	set_signal_tty(t->signal, NULL);
	spin_unlock(&task_sighand(t)->siglock);
	if (old)
		tty_put(old);
}

/* fork and exit keep the reference count right. */
void proc_tty_inherited(struct signal_struct *s)
{
	struct tty *t = signal_tty(s);

	if (t)
		tty_get(t);
}

void proc_tty_released(struct signal_struct *s)
{
	tty_put(signal_tty(s));
	set_signal_tty(s, NULL);
}

int tty_set_ctty(struct tty *t, struct file *file, unsigned long arg)
{
	static DEFINE_MUTEX(taking);		/* of two leaders one gets it */
	struct pid *session = NULL, *sid = get_task_pid(current, PIDTYPE_SID), *pg = get_task_pid(current, PIDTYPE_PGID);
	struct tty *old;
	int e = -EPERM;

	mutex_lock(&taking);
	if (current->signal->leader && t->session == sid) {
		e = 0;
		goto out;
	}
	if (!current->signal->leader || signal_tty(current->signal))
		goto out;
	session = get_session(t);
	if (session) {
		/* Only root may steal it. */
		if (arg != 1 || !capable(CAP_SYS_ADMIN))
			goto out;
		drop_session_tty(session);
	}
	if (!(file->f_mode & FMODE_READ) && !capable(CAP_SYS_ADMIN))
		goto out;
	set_ids(t, sid, pg);
	tty_get(t);
	spin_lock_irq(&my_sighand()->siglock);
	old = signal_tty(current->signal);
	set_signal_tty(current->signal, t);
	spin_unlock_irq(&my_sighand()->siglock);
	tty_put(old);
	e = 0;
out:
	mutex_unlock(&taking);
	put_pid(session);
	put_pid(sid);
	put_pid(pg);
	return e;
}

/* RCU held. The session of the group PGRP; as on Linux also of a process that leads no group (yet). */
static struct pid *session_of_group(struct pid *pgrp)
{
	struct task *p = pid_task(pgrp, PIDTYPE_PGID) ?: pid_task(pgrp, PIDTYPE_PID);

	return p ? task_pid_type(p, PIDTYPE_SID) : NULL;
}

static long set_pgrp(struct tty *t, struct uptr arg)
{
	struct pid *pgrp, *old = NULL;
	s32 nr;
	int e = tty_check_change(t, SIGTTOU);

	if (e == -EIO)
		return -ENOTTY;
	if (e)
		return e;
	if (get_user(nr, arg))
		return -EFAULT;
	if (nr < 0)
		return -EINVAL;
	spin_lock_irq(&t->ctrl_lock);
	rcu_read_lock();
	pgrp = find_vpid(nr);
	if (signal_tty(current->signal) != t || t->session != task_pid_type(current, PIDTYPE_SID))
		e = -ENOTTY;
	else if (!pgrp)
		e = -ESRCH;
	else if (session_of_group(pgrp) != t->session)
		e = -EPERM;
	else if (!refcount_inc_not_zero(&pgrp->count))
		e = -ESRCH;
	rcu_read_unlock();
	if (!e) {
		old = t->pgrp;
		t->pgrp = pgrp;
	}
	spin_unlock_irq(&t->ctrl_lock);
	put_pid(old);
	return e;
}

long tty_job_ioctl(struct tty *t, struct tty *real, unsigned int cmd, unsigned long arg, struct file *file)
{
	struct pid *p;
	s32 nr;

	switch (cmd) {
	case TIOCSCTTY:
		return tty_set_ctty(real, file, arg);
	case TIOCNOTTY:
		if (signal_tty(current->signal) != t)
			return -ENOTTY;
		if (current->signal->leader) {
			disassociate_ctty(false);
		} else {
			write_lock_irq(&tasklist_lock);
			proc_clear_tty(current->group_leader);
			write_unlock_irq(&tasklist_lock);
		}
		return 0;
	case TIOCGPGRP:
		/* The master may ask for its slave's. */
		if (t == real && signal_tty(current->signal) != real)
			return -ENOTTY;
		p = get_pgrp(real);
		nr = pid_vnr(p);
		put_pid(p);
		return put_user(nr, UPTR(arg)) ? -EFAULT : 0;
	case TIOCSPGRP:
		return set_pgrp(real, UPTR(arg));
	case TIOCGSID:
		if (t == real && signal_tty(current->signal) != real)
			return -ENOTTY;
		spin_lock_irq(&real->ctrl_lock);
		p = get_pid(real->session);
		spin_unlock_irq(&real->ctrl_lock);
		if (!p)
			return -ENOTTY;
		nr = pid_vnr(p);
		put_pid(p);
		return put_user(nr, UPTR(arg)) ? -EFAULT : 0;
	}
	return -ENOIOCTLCMD;
}
