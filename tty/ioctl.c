// SPDX-License-Identifier: MIT
/* ioctl_tty(2) but for job control and pty: settings, flow, window size, queues. */
#include <lib/types.h>
#include <lib/kdev.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/tty.h>
#include "tty/tty_priv.h"

void tty_stop(struct tty *t)
{
	unsigned long flags;
	bool was;

	spin_lock_irqsave(&t->ctrl_lock, flags);
	was = t->stopped;
	t->stopped = true;
	if (!was && t->link && t->link->packet) {
		t->link->pkt_status = (u8)((t->link->pkt_status & ~TIOCPKT_START) | TIOCPKT_STOP);
		wake_up_interruptible_poll(&t->link->read_wait, 1);
	}
	spin_unlock_irqrestore(&t->ctrl_lock, flags);
	if (!was && t->ops->stop)
		t->ops->stop(t);
}

void tty_start(struct tty *t)
{
	unsigned long flags;
	bool was;

	spin_lock_irqsave(&t->ctrl_lock, flags);
	was = t->stopped;
	t->stopped = false;
	if (was && t->link && t->link->packet) {
		t->link->pkt_status = (u8)((t->link->pkt_status & ~TIOCPKT_STOP) | TIOCPKT_START);
		wake_up_interruptible_poll(&t->link->read_wait, 1);
	}
	spin_unlock_irqrestore(&t->ctrl_lock, flags);
	if (!was)
		return;
	if (t->ops->start)
		t->ops->start(t);
	tty_wakeup(t);
}

void tty_wait_until_sent(struct tty *t, long timeout)
{
	while (t->ops->chars_in_buffer(t)) {
		long left = wait_event_interruptible_timeout(t->write_wait, !t->ops->chars_in_buffer(t), timeout);

		if (left <= 0)
			return;
	}
}

int tty_set_winsize(struct tty *t, const struct winsize *ws)
{
	bool changed;

	mutex_lock(&t->open_lock);
	changed = memcmp(&t->winsize, ws, sizeof(*ws)) != 0;
	t->winsize = *ws;
	mutex_unlock(&t->open_lock);
	if (t->link) {
		mutex_lock_nested(&t->link->open_lock, 1);
		t->link->winsize = *ws;
		mutex_unlock(&t->link->open_lock);
	}
	if (changed) {
		tty_signal_foreground(t, SIGWINCH);
		if (t->link)
			tty_signal_foreground(t->link, SIGWINCH);
	}
	return 0;
}

/* ---- termios ---- */

static const u32 baud_table[] = {
	0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800,
	500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
};

static u32 baud_of(u32 cbaud, u32 arbitrary)
{
	u32 i = cbaud & CBAUD;

	if (i == BOTHER)
		return arbitrary;
	if (i & CBAUDEX)
		i = (i & ~(u32)CBAUDEX) + 15;
	return i < sizeof(baud_table) / sizeof(baud_table[0]) ? baud_table[i] : 38400;
}

static void fix_speeds(struct ktermios *k)
{
	u32 in = k->c_cflag >> IBSHIFT & CBAUD;

	k->c_ospeed = baud_of(k->c_cflag, k->c_ospeed);
	k->c_ispeed = in ? baud_of(in, k->c_ispeed) : k->c_ospeed;
}

static int get_termios(struct tty *t, struct uptr arg, bool v2)
{
	struct ktermios k;

	down_read(&t->termios_lock);
	k = t->termios;
	up_read(&t->termios_lock);
	return copy_to_user(arg, &k, v2 ? sizeof(struct termios2) : sizeof(struct termios)) ? -EFAULT : 0;
}

/* System V's form: the lower halves of the flags, and the first characters. */
static int get_termio(struct tty *t, struct uptr arg)
{
	struct ktermios k;
	struct termio o;

	down_read(&t->termios_lock);
	k = t->termios;
	up_read(&t->termios_lock);
	o = (struct termio){
		.c_iflag = (u16)k.c_iflag, .c_oflag = (u16)k.c_oflag, .c_cflag = (u16)k.c_cflag, .c_lflag = (u16)k.c_lflag,
		.c_line = k.c_line,
	};
	memcpy(o.c_cc, k.c_cc, sizeof(o.c_cc));
	return copy_to_user(arg, &o, sizeof(o)) ? -EFAULT : 0;
}

static int copy_termio(struct ktermios *k, struct uptr arg)
{
	struct termio o;

	if (copy_from_user(&o, arg, sizeof(o)))
		return -EFAULT;
	k->c_iflag = (k->c_iflag & ~0xffffu) | o.c_iflag;
	k->c_oflag = (k->c_oflag & ~0xffffu) | o.c_oflag;
	k->c_cflag = (k->c_cflag & ~0xffffu) | o.c_cflag;
	k->c_lflag = (k->c_lflag & ~0xffffu) | o.c_lflag;
	k->c_line = o.c_line;
	memcpy(k->c_cc, o.c_cc, sizeof(o.c_cc));
	return 0;
}

enum form { TERMIO, TERMIOS, TERMIOS2 };

static int get_locks(struct tty *t, struct uptr arg)
{
	struct ktermios k;

	down_read(&t->termios_lock);
	k = t->termios_locked;
	up_read(&t->termios_lock);
	return copy_to_user(arg, &k, sizeof(struct termios)) ? -EFAULT : 0;
}

static int set_locks(struct tty *t, struct uptr arg)
{
	struct ktermios k = { 0 };

	if (!capable(CAP_SYS_ADMIN) && !capable(CAP_CHECKPOINT_RESTORE))
		return -EPERM;
	if (copy_from_user(&k, arg, sizeof(struct termios)))
		return -EFAULT;
	down_write(&t->termios_lock);
	t->termios_locked = k;
	up_write(&t->termios_lock);
	return 0;
}

/* Bits and characters whose lock is not zero stay (TIOCSLCKTRMIOS). */
static void keep_locked(struct ktermios *n, const struct ktermios *old, const struct ktermios *lock)
{
	n->c_iflag = (n->c_iflag & ~lock->c_iflag) | (old->c_iflag & lock->c_iflag);
	n->c_oflag = (n->c_oflag & ~lock->c_oflag) | (old->c_oflag & lock->c_oflag);
	n->c_cflag = (n->c_cflag & ~lock->c_cflag) | (old->c_cflag & lock->c_cflag);
	n->c_lflag = (n->c_lflag & ~lock->c_lflag) | (old->c_lflag & lock->c_lflag);
	if (lock->c_line)
		n->c_line = old->c_line;
	for (unsigned int i = 0; i < NCCS; i++)
		if (lock->c_cc[i])
			n->c_cc[i] = old->c_cc[i];
}

static int set_termios(struct tty *t, struct uptr arg, enum form form, bool drain, bool flush)
{
	struct ktermios n, old;
	int e = tty_check_change(t, SIGTTOU);

	if (e)
		return e;
	down_read(&t->termios_lock);
	n = t->termios;
	up_read(&t->termios_lock);
	if (form == TERMIO)
		e = copy_termio(&n, arg);
	else if (copy_from_user(&n, arg, form == TERMIOS2 ? sizeof(struct termios2) : sizeof(struct termios)))
		e = -EFAULT;
	if (e)
		return e;
	fix_speeds(&n);
	if (flush)
		ld_flush_input(t);
	if (drain) {
		tty_wait_until_sent(t, MAX_SCHEDULE_TIMEOUT);
		if (signal_pending(current))
			return -ERESTARTSYS;
	}
	down_write(&t->termios_lock);
	old = t->termios;
	keep_locked(&n, &old, &t->termios_locked);
	t->termios = n;
	if (t->ops->set_termios)
		t->ops->set_termios(t, &old);
	up_write(&t->termios_lock);
	ld_set_termios(t, &old);
	if (t->link && t->link->packet) {
		bool old_flow = (old.c_iflag & IXON) && old.c_cc[VSTOP] == 19 && old.c_cc[VSTART] == 17;
		bool new_flow = (n.c_iflag & IXON) && n.c_cc[VSTOP] == 19 && n.c_cc[VSTART] == 17;

		if (old_flow != new_flow) {
			spin_lock_irq(&t->ctrl_lock);
			t->link->pkt_status &= (u8)~(TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
			t->link->pkt_status |= new_flow ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP;
			spin_unlock_irq(&t->ctrl_lock);
			wake_up_interruptible_poll(&t->link->read_wait, 1);
		}
	}
	return 0;
}

/* ---- queues and flow ---- */

static int flush_queues(struct tty *t, unsigned long what)
{
	int e = tty_check_change(t, SIGTTOU);

	if (e)
		return e;
	if (what > TCIOFLUSH)
		return -EINVAL;
	if (what == TCIFLUSH || what == TCIOFLUSH)
		ld_flush_input(t);
	if (what == TCOFLUSH || what == TCIOFLUSH) {
		mutex_lock(&t->out_lock);
		t->echo_tail = t->echo_head;
		mutex_unlock(&t->out_lock);
		if (t->ops->flush_buffer)
			t->ops->flush_buffer(t);
		tty_wakeup(t);
	}
	if (t->link && t->link->packet) {
		spin_lock_irq(&t->link->ctrl_lock);
		t->link->pkt_status |= what == TCIFLUSH ? TIOCPKT_FLUSHREAD : what == TCOFLUSH ? TIOCPKT_FLUSHWRITE :
			TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE;
		spin_unlock_irq(&t->link->ctrl_lock);
		wake_up_interruptible_poll(&t->link->read_wait, 1);
	}
	return 0;
}

static int flow(struct tty *t, unsigned long what)
{
	int e = tty_check_change(t, SIGTTOU);
	u8 c;

	if (e)
		return e;
	switch (what) {
	case TCOOFF: tty_stop(t); return 0;
	case TCOON: tty_start(t); return 0;
	case TCIOFF: case TCION:
		c = t->termios.c_cc[what == TCIOFF ? VSTOP : VSTART];
		if (c)
			t->ops->write(t, &c, 1);
		tty_push(t);
		return 0;
	}
	return -EINVAL;
}

static int send_break(struct tty *t, unsigned int ms)
{
	int e = tty_check_change(t, SIGTTOU);

	if (e)
		return e;
	tty_wait_until_sent(t, MAX_SCHEDULE_TIMEOUT);
	if (signal_pending(current))
		return -EINTR;
	if (!t->ops->break_ctl)
		return 0;	/* a line without breaks: POSIX lets tcsendbreak do nothing */
	e = t->ops->break_ctl(t, true);
	if (e)
		return e;
	set_current_state(TASK_INTERRUPTIBLE);
	schedule_timeout((long)msecs_to_jiffies(ms));
	e = t->ops->break_ctl(t, false);
	return signal_pending(current) ? -EINTR : e;
}

static int legacy_tiocsti;	/* dev.tty.legacy_tiocsti */

static int tty_sysctl(void)
{
	sysctl_int("dev/tty/legacy_tiocsti", 0644, &legacy_tiocsti, 0, 1);
	return 0;
}
INITCALL(fs, tty_sysctl);

/* TIOCSTI types for whoever reads the terminal next, who may be root: a right of programs before 2023 only. */
static int insert_char(struct tty *t, struct uptr p)
{
	u8 c;

	if (!READ_ONCE(legacy_tiocsti) && !capable(CAP_SYS_ADMIN))
		return -EIO;
	if ((struct tty *)current->signal->tty != t && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user(c, p))
		return -EFAULT;
	tty_insert(t, &c, NULL, 1);
	return 0;
}

static long modem(struct tty *t, unsigned int cmd, struct uptr arg)
{
	u32 v;
	int r;

	if (!t->ops->tiocmget)
		return -ENOTTY;
	if (cmd == TIOCMGET) {
		r = t->ops->tiocmget(t);
		return r < 0 ? r : put_user((u32)r, arg) ? -EFAULT : 0;
	}
	if (get_user(v, arg))
		return -EFAULT;
	switch (cmd) {
	case TIOCMBIS: return t->ops->tiocmset(t, v, 0);
	case TIOCMBIC: return t->ops->tiocmset(t, 0, v);
	default: return t->ops->tiocmset(t, v, ~v);
	}
}

long tty_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct tty_file *f = file->private_data;
	struct tty *t = f->tty, *real = t->is_pty_master && t->link ? t->link : t;
	struct uptr p = UPTR(arg);
	struct winsize ws;
	long r;

	if (tty_file_hung(f))
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	if (t->is_pty_master || t->is_pty) {
		r = pty_ioctl(t, file, cmd, arg);
		if (r != -ENOIOCTLCMD)
			return r;
	}
	if (t->ops->ioctl) {
		r = t->ops->ioctl(t, cmd, arg);
		if (r != -ENOIOCTLCMD)
			return r;
	}
	r = tty_job_ioctl(t, real, cmd, arg, file);
	if (r != -ENOIOCTLCMD)
		return r;
	switch (cmd) {
	case TCGETS: return get_termios(real, p, false);
	case TCGETS2: return get_termios(real, p, true);
	case TCGETA: return get_termio(real, p);
	case TCSETS: return set_termios(real, p, TERMIOS, false, false);
	case TCSETSW: return set_termios(real, p, TERMIOS, true, false);
	case TCSETSF: return set_termios(real, p, TERMIOS, true, true);
	case TCSETS2: return set_termios(real, p, TERMIOS2, false, false);
	case TCSETSW2: return set_termios(real, p, TERMIOS2, true, false);
	case TCSETSF2: return set_termios(real, p, TERMIOS2, true, true);
	case TCSETA: return set_termios(real, p, TERMIO, false, false);
	case TCSETAW: return set_termios(real, p, TERMIO, true, false);
	case TCSETAF: return set_termios(real, p, TERMIO, true, true);
	case TIOCGLCKTRMIOS: return get_locks(real, p);
	case TIOCSLCKTRMIOS: return set_locks(real, p);
	case TCFLSH: return flush_queues(t, arg);
	case TCXONC: return flow(t, arg);
	case TCSBRK:
		if (arg) {		/* tcdrain(3) */
			int e = tty_check_change(t, SIGTTOU);

			if (e)
				return e;
			tty_wait_until_sent(t, MAX_SCHEDULE_TIMEOUT);
			return signal_pending(current) ? -ERESTARTSYS : 0;
		}
		return send_break(t, 250);
	case TCSBRKP: return send_break(t, arg ? (unsigned int)arg * 100 : 250);
	case TIOCSBRK: case TIOCCBRK: return t->ops->break_ctl ? t->ops->break_ctl(t, cmd == TIOCSBRK) : 0;
	case TIOCGWINSZ:
		mutex_lock(&real->open_lock);
		ws = real->winsize;
		mutex_unlock(&real->open_lock);
		return copy_to_user(p, &ws, sizeof(ws)) ? -EFAULT : 0;
	case TIOCSWINSZ:
		if (copy_from_user(&ws, p, sizeof(ws)))
			return -EFAULT;
		return tty_set_winsize(real, &ws);
	case FIONREAD: return put_user((u32)ld_chars(t), p) ? -EFAULT : 0;
	case TIOCOUTQ: return put_user((u32)t->ops->chars_in_buffer(t), p) ? -EFAULT : 0;
	case TIOCSTI: return insert_char(t, p);
	case TIOCEXCL: t->exclusive = true; return 0;
	case TIOCNXCL: t->exclusive = false; return 0;
	case TIOCGEXCL: return put_user((u32)t->exclusive, p) ? -EFAULT : 0;
	case TIOCGETD: return put_user((u32)N_TTY, p) ? -EFAULT : 0;
	case TIOCSETD: {
		u32 ld;

		if (get_user(ld, p))
			return -EFAULT;
		return ld == N_TTY ? 0 : -EINVAL;
	}
	case TIOCVHANGUP:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		tty_hangup(t);
		return 0;
	case TIOCGDEV: return put_user(new_encode_dev(t->dev), p) ? -EFAULT : 0;
	case TIOCGSOFTCAR: return put_user((u32)!!(real->termios.c_cflag & CLOCAL), p) ? -EFAULT : 0;
	case TIOCSSOFTCAR: {
		u32 on;

		if (get_user(on, p))
			return -EFAULT;
		down_write(&real->termios_lock);
		real->termios.c_cflag = on ? real->termios.c_cflag | CLOCAL : real->termios.c_cflag & ~(u32)CLOCAL;
		up_write(&real->termios_lock);
		return 0;
	}
	case TIOCMGET: case TIOCMSET: case TIOCMBIS: case TIOCMBIC: return modem(t, cmd, p);
	}
	return -ENOTTY;
}
