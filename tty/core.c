// SPDX-License-Identifier: MIT
/*
 * Terminals as files: opening, closing, hanging up, and the bytes between driver and line discipline.
 *
 * A tty lives as long as somebody holds it: its driver, open files, a session that it controls. A hang-up raises a count; files
 * opened before it read end-of-file and cannot write any more (POSIX, 11.1.10).
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <mm/iter.h>
#include <sched/mutex.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <vfs/chrdev.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <lib/kdev.h>
#include <linux/capability.h>
#include "tty/tty_priv.h"

const struct ktermios tty_std_termios = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD | HUPCL,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = { [VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VSTART] = 17, [VSTOP] = 19,
		  [VSUSP] = 26, [VREPRINT] = 18, [VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22,
#if VMIN != VEOF		/* one place for both on some CPUs: this terminal begins canonical */
		  [VMIN] = 1,
#endif
	},
	.c_ispeed = 38400, .c_ospeed = 38400,
};

static struct tty *console_tty;		/* what /dev/console is */

static void hangup_work(struct work_struct *w);

struct tty *tty_alloc(const struct tty_ops *ops, const char *name, dev_t dev, void *driver_data)
{
	struct tty *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	refcount_set(&t->refs, 1);
	t->ops = ops;
	t->dev = dev;
	t->index = MINOR(dev);
	t->driver_data = driver_data;
	strscpy(t->name, name, sizeof(t->name));
	mutex_init(&t->open_lock);
	INIT_LIST_HEAD(&t->files);
	init_rwsem(&t->termios_lock);
	t->termios = tty_std_termios;
	spin_lock_init(&t->ctrl_lock);
	spin_lock_init(&t->flip_lock);
	mutex_init(&t->ld_lock);
	mutex_init(&t->out_lock);
	mutex_init(&t->write_lock);
	init_waitqueue_head(&t->read_wait);
	init_waitqueue_head(&t->write_wait);
	INIT_WORK(&t->input_work, ld_input_work);
	INIT_WORK(&t->hangup_work, hangup_work);
	ld_set_termios(t, NULL);
	return t;
}

void tty_get(struct tty *t)
{
	refcount_inc(&t->refs);
}

static void free_work(struct work_struct *w)
{
	struct tty *t = container_of(w, struct tty, hangup_work);

	cancel_work_sync(&t->input_work);
	ld_free(t);
	put_pid(t->session);
	put_pid(t->pgrp);
	if (t->ops->free)
		t->ops->free(t);
	kfree_rcu(t, rcu);
}

void tty_put(struct tty *t)
{
	if (!t || !refcount_dec_and_test(&t->refs))
		return;
	/* May come from anywhere: what sleeps is done by a worker. */
	INIT_WORK(&t->hangup_work, free_work);
	queue_work(system_unbound_wq, &t->hangup_work);
}

/* ---- bytes in ---- */

/* One piece of the ring. flip_lock held. */
static void flip_put(struct tty *t, const u8 *buf, const u8 *flags, u32 n)
{
	u32 pos = t->flip_head % TTY_FLIP_SIZE;

	memcpy(t->flip + pos, buf, n);
	if (flags && !t->flip_flagged && memchr_inv(flags, TTY_NORMAL, n)) {
		for (u32 i = t->flip_tail; i != t->flip_head; i++)
			t->flip_flags[i % TTY_FLIP_SIZE] = TTY_NORMAL;
		t->flip_flagged = true;
	}
	if (t->flip_flagged) {
		if (flags)
			memcpy(t->flip_flags + pos, flags, n);
		else
			memset(t->flip_flags + pos, TTY_NORMAL, n);
	}
	WRITE_ONCE(t->flip_head, t->flip_head + n);
}

size_t tty_insert_only(struct tty *t, const u8 *buf, const u8 *flags, size_t n)
{
	unsigned long irq;
	size_t done = 0;

	spin_lock_irqsave(&t->flip_lock, irq);
	while (t->flip && done < n && t->flip_head - t->flip_tail < TTY_FLIP_SIZE) {
		u32 room = min(TTY_FLIP_SIZE - (t->flip_head - t->flip_tail), TTY_FLIP_SIZE - t->flip_head % TTY_FLIP_SIZE);
		u32 part = (u32)min(n - done, (size_t)room);

		flip_put(t, buf + done, flags ? flags + done : NULL, part);
		done += part;
	}
	if (done < n)
		t->flip_full = true;
	spin_unlock_irqrestore(&t->flip_lock, irq);
	return done;
}

size_t tty_insert(struct tty *t, const u8 *buf, const u8 *flags, size_t n)
{
	size_t done = tty_insert_only(t, buf, flags, n);

	if (done)
		queue_work(system_unbound_wq, &t->input_work);
	return done;
}

size_t tty_insert_room(struct tty *t)
{
	unsigned long irq;
	size_t n;

	spin_lock_irqsave(&t->flip_lock, irq);
	n = t->flip ? TTY_FLIP_SIZE - (t->flip_head - t->flip_tail) : 0;
	spin_unlock_irqrestore(&t->flip_lock, irq);
	return n;
}

void tty_wakeup(struct tty *t)
{
	wake_up_interruptible_poll(&t->write_wait, EPOLLOUT | EPOLLWRNORM);
	/* Signals are sent by the worker: drivers call with their locks held, which a message on the console takes under others. */
	if (READ_ONCE(t->echo_head) != READ_ONCE(t->echo_tail) || unlikely(READ_ONCE(t->wants_room)))
		queue_work(system_unbound_wq, &t->input_work);
}

/* ---- opening and closing ---- */

int tty_open_file(struct tty *t, struct file *file)
{
	struct tty_file *f = kmalloc(sizeof(*f), GFP_KERNEL);
	int e;

	if (!f)
		return -ENOMEM;
	mutex_lock(&t->open_lock);
	e = t->exclusive && !capable(CAP_SYS_ADMIN) ? -EBUSY : ld_open(t);
	if (!e && !t->count && t->ops->open)
		e = t->ops->open(t);
	if (e) {
		mutex_unlock(&t->open_lock);
		kfree(f);
		return e;
	}
	t->count++;
	f->tty = t;
	f->file = file;
	f->hangups = t->hangups;
	list_add(&f->node, &t->files);
	file->private_data = f;
	tty_get(t);
	mutex_unlock(&t->open_lock);
	return nonseekable_open(file_inode(file), file);
}

static int tty_release(struct inode *inode, struct file *file)
{
	struct tty_file *f = file->private_data;
	struct tty *t = f->tty;

	mutex_lock(&t->open_lock);
	list_del(&f->node);
	if (!--t->count) {
		t->exclusive = false;
		if (t->ops->close)
			t->ops->close(t);
		if (!t->is_pty_master && !t->is_pty) {
			struct ktermios old = t->termios;

			t->termios.c_lflag = tty_std_termios.c_lflag;
			memset(&t->termios_locked, 0, sizeof(t->termios_locked));
			ld_set_termios(t, &old);
		}
	}
	mutex_unlock(&t->open_lock);
	kfree(f);
	tty_put(t);
	return 0;
}

/* Gives the session's leader its terminal if it has none and the terminal is free. Who may only write to it would otherwise get the right to read, by /dev/tty. */
static void maybe_take_ctty(struct tty *t, struct file *file, bool console)
{
	if ((file->f_flags & O_NOCTTY) || t->is_pty_master || console || !(file->f_mode & FMODE_READ))
		return;
	if (current->signal->leader && !current->signal->tty)
		tty_set_ctty(t, file, 0);
}

static int open_tty(struct tty *t, struct file *file, bool console)
{
	int e = tty_open_file(t, file);

	if (!e)
		maybe_take_ctty(t, file, console);
	return e;
}

static int cdev_open(struct inode *inode, struct file *file)
{
	/* vfs passes the cdev's owner as private_data. */
	return open_tty(file->private_data, file, false);
}

static int console_open(struct inode *inode, struct file *file)
{
	struct tty *t = READ_ONCE(console_tty);

	return t ? open_tty(t, file, true) : -ENODEV;
}

static int current_open(struct inode *inode, struct file *file)
{
	struct tty *t = get_current_tty();
	int e;

	if (!t)
		return -ENXIO;
	e = tty_open_file(t, file);
	tty_put(t);
	return e;
}

static int pts_open(struct inode *inode, struct file *file)
{
	struct tty *t;
	int e = pty_open_slave(file, &t);

	if (e)
		return e;
	e = open_tty(t, file, false);
	tty_put(t);
	return e;
}

static ssize_t tty_read(struct kiocb *k, struct iter *to)
{
	struct tty_file *f = k->ki_filp->private_data;

	return tty_file_hung(f) ? 0 : ld_read(f, k, to);
}

static ssize_t tty_write(struct kiocb *k, struct iter *from)
{
	struct tty_file *f = k->ki_filp->private_data;

	return tty_file_hung(f) ? -EIO : ld_write(f, k, from);
}

static __poll_t tty_poll(struct file *file, struct poll_table_struct *p)
{
	return ld_poll(file->private_data, file, p);
}

/* SIGIO, unless somebody was named already, to the foreground group, or where there is none to the caller. open_lock held. */
static int listen(struct tty *t, int fd, struct file *file)
{
	struct pid *who;
	enum pid_type type = PIDTYPE_PGID;
	int e = fasync_helper(fd, file, 1, &t->fasync);

	if (e <= 0)
		return e;
	spin_lock_irq(&t->ctrl_lock);
	who = get_pid(t->pgrp);
	spin_unlock_irq(&t->ctrl_lock);
	if (!who) {
		type = PIDTYPE_TGID;
		who = get_task_pid(current, type);
	}
	e = f_set_owner(file, who, type, false);
	put_pid(who);
	return e;
}

static int tty_fasync(int fd, struct file *file, int on)
{
	struct tty_file *f = file->private_data;
	int e;

	mutex_lock(&f->tty->open_lock);
	if (tty_file_hung(f))
		e = -ENOTTY;
	else if (on)
		e = listen(f->tty, fd, file);
	else
		e = fasync_helper(fd, file, 0, &f->tty->fasync);
	mutex_unlock(&f->tty->open_lock);
	return e;
}

/* Files that are dead from now on hear nothing of what becomes of the terminal. open_lock held. */
static void drop_files(struct tty *t)
{
	struct tty_file *f, *n;

	list_for_each_entry_safe(f, n, &t->files, node) {
		list_del_init(&f->node);
		fasync_helper(-1, f->file, 0, &t->fasync);
		cond_resched();
	}
}

const struct file_operations tty_fops = {
	.llseek = no_llseek, .read_iter = tty_read, .write_iter = tty_write, .poll = tty_poll, .ioctl = tty_ioctl,
	.open = cdev_open, .release = tty_release, .fasync = tty_fasync, .splice_read = copy_splice_read, .splice_write = iter_file_splice_write,
};
static const struct file_operations console_fops = {
	.llseek = no_llseek, .read_iter = tty_read, .write_iter = tty_write, .poll = tty_poll, .ioctl = tty_ioctl,
	.open = console_open, .release = tty_release, .fasync = tty_fasync, .splice_read = copy_splice_read, .splice_write = iter_file_splice_write,
};
static const struct file_operations current_fops = {
	.llseek = no_llseek, .read_iter = tty_read, .write_iter = tty_write, .poll = tty_poll, .ioctl = tty_ioctl,
	.open = current_open, .release = tty_release, .fasync = tty_fasync, .splice_read = copy_splice_read, .splice_write = iter_file_splice_write,
};
static const struct file_operations pts_fops = {
	.llseek = no_llseek, .read_iter = tty_read, .write_iter = tty_write, .poll = tty_poll, .ioctl = tty_ioctl,
	.open = pts_open, .release = tty_release, .fasync = tty_fasync, .splice_read = copy_splice_read, .splice_write = iter_file_splice_write,
};

/* ---- hanging up ---- */

void tty_hangup(struct tty *t)
{
	struct ktermios old;

	/* The last close of a master, its open_lock held, hangs up its slave. */
	mutex_lock_nested(&t->open_lock, t->is_pty);
	WRITE_ONCE(t->hangups, t->hangups + 1);
	drop_files(t);
	mutex_unlock(&t->open_lock);
	wake_up_interruptible_all(&t->read_wait);
	wake_up_interruptible_all(&t->write_wait);
	session_clear(t);
	down_write(&t->termios_lock);
	old = t->termios;
	if (!t->is_pty && !t->is_pty_master)
		t->termios = tty_std_termios;
	up_write(&t->termios_lock);
	ld_set_termios(t, &old);
	if (t->read_buf)
		ld_flush_input(t);
	tty_start(t);
	if (t->ops->hangup)
		t->ops->hangup(t);
}

static void hangup_work(struct work_struct *w)
{
	struct tty *t = container_of(w, struct tty, hangup_work);

	tty_hangup(t);
	tty_put(t);
}

void tty_hangup_async(struct tty *t)
{
	tty_get(t);
	if (!queue_work(system_unbound_wq, &t->hangup_work))
		refcount_dec(&t->refs);		/* one is on its way, which holds its own */
}

/* ---- registration ---- */

int tty_register(struct tty *t)
{
	struct cdev *c = chrdev_create(t->name, t->dev, 0600, &tty_fops, t);

	if (IS_ERR(c))
		return (int)PTR_ERR(c);
	tty_get(t);
	pr_info("tty: %s\n", t->name);
	return 0;
}

bool tty_is_named_console(const struct tty *t)
{
	const char *want = command_line_get("console");
	size_t n = strlen(t->name);

	return want && !strncmp(want, t->name, n) && (!want[n] || want[n] == ',');
}

void tty_offer_console(struct tty *t, bool fallback)
{
	static DEFINE_MUTEX(console_lock);
	struct tty *old = NULL;

	mutex_lock(&console_lock);
	if (tty_is_named_console(t) || (fallback && !console_tty)) {
		tty_get(t);
		old = xchg(&console_tty, t);
	}
	mutex_unlock(&console_lock);
	tty_put(old);
}

static struct cdev pts_cdev;

static int tty_init(void)
{
	struct cdev *c;
	int e;

	c = chrdev_create("tty", MKDEV(5, 0), 0666, &current_fops, NULL);
	if (!IS_ERR(c))
		c = chrdev_create("console", MKDEV(5, 1), 0600, &console_fops, NULL);
	if (!IS_ERR(c))
		c = chrdev_create("ptmx", MKDEV(5, 2), 0666, &pty_master_fops, NULL);
	if (IS_ERR(c))
		return (int)PTR_ERR(c);
	e = register_chrdev_region(MKDEV(136, 0), 1U << 20, "pts");
	if (e)
		return e;
	cdev_init(&pts_cdev, &pts_fops);
	pts_cdev.name = "pts";
	return cdev_add(&pts_cdev, MKDEV(136, 0), 1U << 20);
}
INITCALL(subsys, tty_init);
