// SPDX-License-Identifier: MIT
/* signalfd(2): signals read from a file. */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <ipc/fds.h>
#include <mm/iter.h>
#include <proc/signal.h>
#include <proc/signal_sets.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include <linux/signalfd.h>

struct signalfd {
	u64 mask;		/* what it reads; siglock of the setter */
};

static int signalfd_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static __poll_t signalfd_poll(struct file *file, struct poll_table_struct *p)
{
	struct signalfd *s = file->private_data;
	u64 pending;

	poll_wait(file, &my_sighand()->signalfd_wqh, p);
	spin_lock_irq(&my_sighand()->siglock);
	settle_signals(current);
	pending = (current->pending.signal | current->signal->shared_pending.signal) & s->mask;
	spin_unlock_irq(&my_sighand()->siglock);
	return pending ? EPOLLIN : 0;
}

/* The fields that come with a signal: the forms of sigaction(2). */
enum form { FROM_TASK, FROM_QUEUE, FROM_TIMER, FROM_CHILD, FROM_FAULT, FROM_FILE, FROM_SYSCALL };

static enum form form_of(const struct siginfo *i)
{
	if (i->si_code == SI_TIMER)
		return FROM_TIMER;
	if (i->si_code == SI_SIGIO)
		return FROM_FILE;
	if (i->si_code < 0)
		return FROM_QUEUE;
	if (i->si_code == SI_USER || i->si_code >= SI_KERNEL)
		return FROM_TASK;
	switch (i->si_signo) {
	case SIGCHLD:
		return FROM_CHILD;
	case SIGSEGV: case SIGBUS: case SIGILL: case SIGFPE: case SIGTRAP:
		return FROM_FAULT;
	case SIGSYS:
		return FROM_SYSCALL;
	}
	return i->si_code <= NSIGPOLL ? FROM_FILE : FROM_TASK;		/* of a file: any signal (fcntl(2), F_SETSIG) */
}

static void fill(struct signalfd_siginfo *o, const struct siginfo *i)
{
	enum form form = form_of(i);

	memset(o, 0, sizeof(*o));
	o->ssi_signo = (u32)i->si_signo;
	o->ssi_errno = i->si_errno;
	o->ssi_code = i->si_code;
	switch (form) {
	case FROM_TASK: case FROM_QUEUE: case FROM_CHILD:
		o->ssi_pid = (u32)i->si_pid;
		o->ssi_uid = i->si_uid;
		break;
	case FROM_TIMER:
		o->ssi_tid = (u32)i->si_tid;
		o->ssi_overrun = (u32)i->si_overrun;
		break;
	case FROM_FAULT:
		o->ssi_addr = (u64)(unsigned long)i->si_addr;
		if (i->si_signo == SIGBUS && (i->si_code == BUS_MCEERR_AR || i->si_code == BUS_MCEERR_AO))
			o->ssi_addr_lsb = (u16)i->si_addr_lsb;
		break;
	case FROM_FILE:
		o->ssi_band = (u32)i->si_band;
		o->ssi_fd = i->si_fd;
		break;
	case FROM_SYSCALL:
		o->ssi_call_addr = (u64)(unsigned long)i->si_call_addr;
		o->ssi_syscall = i->si_syscall;
		o->ssi_arch = i->si_arch;
		break;
	}
	if (form == FROM_QUEUE || form == FROM_TIMER) {
		o->ssi_ptr = (u64)(unsigned long)i->si_ptr;
		o->ssi_int = i->si_int;
	} else if (form == FROM_CHILD) {
		o->ssi_status = i->si_status;
		o->ssi_utime = (u64)i->si_utime;
		o->ssi_stime = (u64)i->si_stime;
	}
}

static int next(struct signalfd *s, struct siginfo *info, bool nonblock)
{
	DEFINE_WAIT_FUNC(w, default_wake_function);
	int sig;

	spin_lock_irq(&my_sighand()->siglock);
	sig = dequeue_signal(s->mask, info);
	spin_unlock_irq(&my_sighand()->siglock);
	if (sig || nonblock)
		return sig ?: -EAGAIN;
	add_wait_queue(&my_sighand()->signalfd_wqh, &w);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		spin_lock_irq(&my_sighand()->siglock);
		sig = dequeue_signal(s->mask, info);
		spin_unlock_irq(&my_sighand()->siglock);
		if (sig)
			break;
		if (signal_pending(current)) {
			sig = -ERESTARTSYS;
			break;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	remove_wait_queue(&my_sighand()->signalfd_wqh, &w);
	return sig;
}

static ssize_t signalfd_read(struct kiocb *k, struct iter *to)
{
	bool nonblock = (k->ki_filp->f_flags & O_NONBLOCK) || (k->ki_flags & IOCB_NOWAIT);
	struct signalfd_siginfo o;
	struct siginfo info;
	ssize_t done = 0;

	if (iter_count(to) < sizeof(o))
		return -EINVAL;
	while (iter_count(to) >= sizeof(o)) {
		int sig = next(k->ki_filp->private_data, &info, nonblock || done);

		if (sig < 0)
			return done ?: sig;
		fill(&o, &info);
		if (copy_to_iter(&o, sizeof(o), to) != sizeof(o))
			return done ?: -EFAULT;
		done += (ssize_t)sizeof(o);
	}
	return done;
}

static void signalfd_fdinfo(struct seq_file *m, struct file *f)
{
	seq_printf(m, "sigmask:\t%016llx\n", ((struct signalfd *)f->private_data)->mask);
}

static const struct file_operations signalfd_fops = {
	.fop_flags = FOP_NOWAIT, .llseek = noop_llseek, .read_iter = signalfd_read, .poll = signalfd_poll,
	.release = signalfd_release,
	.show_fdinfo = signalfd_fdinfo,
};

int signalfd_create(int fd, u64 mask, int flags)
{
	struct signalfd *s;

	if (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK))
		return -EINVAL;
	mask &= ~(sigmask_of(SIGKILL) | sigmask_of(SIGSTOP));
	if (fd == -1) {
		s = kzalloc(sizeof(*s), GFP_KERNEL);
		if (!s)
			return -ENOMEM;
		s->mask = mask;
		fd = anon_inode_getfd("[signalfd]", &signalfd_fops, s, O_RDWR | (flags & (O_CLOEXEC | O_NONBLOCK)));
		if (fd < 0)
			kfree(s);
	} else {
		struct file *f = fget((unsigned int)fd);

		if (!f)
			return -EBADF;
		if (f->f_op != &signalfd_fops) {
			fput(f);
			return -EINVAL;
		}
		s = f->private_data;
		spin_lock_irq(&my_sighand()->siglock);
		s->mask = mask;
		spin_unlock_irq(&my_sighand()->siglock);
		wake_up(&my_sighand()->signalfd_wqh);
		fput(f);
	}
	return fd;
}
