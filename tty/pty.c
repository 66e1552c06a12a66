// SPDX-License-Identifier: MIT
/*
 * Pseudo-terminals (pty(7)). Opening ptmx makes a pair: what is written to the master is the slave's input, and the other
 * way round. Each end's driver is the other end: write() inserts into the peer and room is the peer's.
 *
 * The master's line discipline is raw: it only carries. References: the master file holds the master tty, that holds the
 * slave (link) and the slave holds the master; the loop is cut when the master closes.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/format.h>
#include <lib/kdev.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <proc/signal.h>
#include <vfs/chrdev.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <tty/upcalls.h>
#include <abi/errno.h>
#include "tty/tty_priv.h"

#define PTY_ROOM 8192U

/* Beside the tty of a master. */
struct pty_pair {
	void *instance;		/* devpts */
	int index;
	bool locked;		/* TIOCSPTLCK: the slave cannot be opened */
	struct rcu_head rcu;	/* whoever opens the slave may just be looking */
};

static size_t pty_room(struct tty *t)
{
	struct tty *peer = READ_ONCE(t->link);
	unsigned long irq;
	u32 used;

	if (!peer || !peer->flip)
		return 0;
	spin_lock_irqsave(&peer->flip_lock, irq);
	used = peer->flip_head - peer->flip_tail;
	if (used + OUT_MOST > PTY_ROOM)
		peer->flip_full = true;		/* the reader tells us when he has made some (ld_input) */
	spin_unlock_irqrestore(&peer->flip_lock, irq);
	return used >= PTY_ROOM ? 0 : PTY_ROOM - used;
}

static size_t pty_write(struct tty *t, const u8 *buf, size_t n)
{
	struct tty *peer = READ_ONCE(t->link);

	return peer ? tty_insert_only(peer, buf, NULL, n) : 0;
}

/* The other end's input is worked on here and now: the writer is a process as good as any worker, and nobody has to be woken for it. The
 * slave's echo comes back the same way; the master has none, so that is as deep as it goes. */
static void pty_push(struct tty *t)
{
	struct tty *peer = READ_ONCE(t->link);

	if (peer && flip_has(peer))
		ld_input(peer);
}

static size_t pty_chars(struct tty *t)
{
	struct tty *peer = READ_ONCE(t->link);

	return peer ? READ_ONCE(peer->flip_head) - READ_ONCE(peer->flip_tail) : 0;
}

static void pty_flush(struct tty *t)
{
	struct tty *peer = READ_ONCE(t->link);
	unsigned long flags;

	if (!peer)
		return;
	spin_lock_irqsave(&peer->flip_lock, flags);
	WRITE_ONCE(peer->flip_tail, peer->flip_head);
	peer->flip_flagged = false;
	spin_unlock_irqrestore(&peer->flip_lock, flags);
	tty_wakeup(t);
}

/* T's reader took some: the other side may write. */
static void pty_unthrottle(struct tty *t)
{
	struct tty *peer = READ_ONCE(t->link);

	if (peer)
		tty_wakeup(peer);
}

static int slave_first_open(struct tty *t)
{
	struct pty_pair *p = t->link ? t->link->driver_data : NULL;

	if (!p || t->closed_other)
		return -EIO;
	t->link->closed_other = false;
	return 0;
}

/* The last descriptor of the slave is gone: the master reads EIO until somebody opens it again. */
static void slave_last_close(struct tty *t)
{
	struct tty *m = t->link;

	if (!m)
		return;
	m->closed_other = true;
	wake_up_interruptible_all(&m->read_wait);
	wake_up_interruptible_all(&m->write_wait);
}

static void master_last_close(struct tty *t)
{
	struct tty *s = t->link;
	struct pty_pair *p = t->driver_data;

	if (!s)
		return;
	s->closed_other = true;
	if (p) {
		devpts_remove_node(p->instance, p->index);
		devpts_kill_index(p->instance, p->index);
		devpts_release(p->instance);
		WRITE_ONCE(t->driver_data, NULL);
		kfree_rcu(p, rcu);
	}
	wake_up_interruptible_all(&s->read_wait);
	wake_up_interruptible_all(&s->write_wait);
	tty_hangup(s);
	/* Cut the loop of references. The worker on what the slave wrote last may be about to tell it that there is room. */
	WRITE_ONCE(t->link, NULL);
	cancel_work_sync(&t->input_work);
	tty_put(s);
}

static void slave_free(struct tty *t)
{
	tty_put(xchg(&t->link, (struct tty *)NULL));
}

static const struct tty_ops master_ops = {
	.close = master_last_close, .write = pty_write, .push = pty_push, .write_room = pty_room, .chars_in_buffer = pty_chars,
	.flush_buffer = pty_flush, .unthrottle = pty_unthrottle,
};
static const struct tty_ops slave_ops = {
	.open = slave_first_open, .close = slave_last_close, .write = pty_write, .push = pty_push, .write_room = pty_room,
	.chars_in_buffer = pty_chars, .flush_buffer = pty_flush, .unthrottle = pty_unthrottle, .free = slave_free,
};

static int make_pair(struct file *file, struct tty **master)
{
	struct pty_pair *p = kzalloc(sizeof(*p), GFP_KERNEL);
	struct tty *m = NULL, *s = NULL;
	char name[16];
	int e = -ENOMEM;

	if (!p)
		return -ENOMEM;
	p->instance = devpts_acquire(file);
	if (IS_ERR(p->instance)) {
		e = (int)PTR_ERR(p->instance);
		kfree(p);
		return e;
	}
	p->index = e = devpts_new_index(p->instance);
	if (e < 0)
		goto release;
	p->locked = true;
	snprintf(name, sizeof(name), "pts/%d", p->index);
	m = tty_alloc(&master_ops, "ptm", MKDEV(5, 2), p);
	s = tty_alloc(&slave_ops, name, MKDEV(136, (unsigned int)p->index), NULL);
	e = -ENOMEM;
	if (!m || !s || ld_open(m) || ld_open(s))
		goto free;
	m->is_pty_master = true;
	m->termios.c_iflag = 0;
	m->termios.c_oflag = 0;
	m->termios.c_lflag = 0;
	ld_set_termios(m, NULL);
	m->index = (unsigned int)p->index;
	s->is_pty = true;
	m->link = s;		/* the reference that tty_alloc gave */
	s->link = m;
	tty_get(m);
	e = devpts_add_node(p->instance, p->index, s);
	if (e) {
		s->link = NULL;
		refcount_dec(&m->refs);
		m->link = NULL;
		goto free;
	}
	*master = m;
	return 0;
free:
	if (s)
		tty_put(s);
	if (m) {
		m->driver_data = NULL;
		tty_put(m);
	}
	devpts_kill_index(p->instance, p->index);
release:
	devpts_release(p->instance);
	kfree(p);
	return e;
}

static int ptmx_open(struct inode *inode, struct file *file)
{
	struct tty *m;
	int e = make_pair(file, &m);

	if (e)
		return e;
	e = tty_open_file(m, file);
	if (e)
		master_last_close(m);
	tty_put(m);
	return e;
}

static int ptmx_release(struct inode *inode, struct file *file)
{
	return tty_fops.release(inode, file);
}

static ssize_t ptm_read(struct kiocb *k, struct iter *to) { return tty_fops.read_iter(k, to); }
static ssize_t ptm_write(struct kiocb *k, struct iter *from) { return tty_fops.write_iter(k, from); }
static int ptm_fasync(int fd, struct file *f, int on) { return tty_fops.fasync(fd, f, on); }
static __poll_t ptm_poll(struct file *f, struct poll_table_struct *p) { return tty_fops.poll(f, p); }

const struct file_operations pty_master_fops = {
	.llseek = no_llseek, .read_iter = ptm_read, .write_iter = ptm_write, .poll = ptm_poll, .ioctl = tty_ioctl,
	.splice_read = copy_splice_read, .splice_write = iter_file_splice_write,
	.open = ptmx_open, .release = ptmx_release, .fasync = ptm_fasync,
};

int pty_open_slave(struct file *file, struct tty **out)
{
	struct tty *t, *m;
	struct pty_pair *p;
	bool ok;

	/* The master may be closing: then either the node is empty already, or what it led to stays for this section. */
	rcu_read_lock();
	t = devpts_node_data(file_inode(file));
	if (t && !refcount_inc_not_zero(&t->refs))
		t = NULL;
	m = t ? READ_ONCE(t->link) : NULL;
	p = m ? READ_ONCE(m->driver_data) : NULL;
	ok = p && !READ_ONCE(p->locked);
	rcu_read_unlock();
	if (!ok) {
		tty_put(t);
		return -EIO;
	}
	*out = t;
	return 0;
}

static long open_peer(struct tty *m, struct file *file, int flags)
{
	struct pty_pair *p = m->driver_data;
	struct file *f;
	int fd;

	if (!p)
		return -EIO;
	fd = get_unused_fd_flags((unsigned int)flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	f = devpts_open_node(p->instance, file, p->index, flags);
	if (IS_ERR(f)) {
		put_unused_fd((unsigned int)fd);
		return PTR_ERR(f);
	}
	fd_install((unsigned int)fd, f);
	return fd;
}

static long master_ioctl(struct tty *t, struct file *file, unsigned int cmd, unsigned long arg)
{
	struct pty_pair *p = t->driver_data;
	u32 v;

	if (!p)
		return -EIO;
	switch (cmd) {
	case TIOCSPTLCK:
		if (get_user(v, UPTR(arg)))
			return -EFAULT;
		p->locked = v;
		return 0;
	case TIOCGPTLCK: return put_user((u32)p->locked, UPTR(arg)) ? -EFAULT : 0;
	case TIOCGPTN: return put_user((u32)p->index, UPTR(arg)) ? -EFAULT : 0;
	case TIOCGPTPEER: return open_peer(t, file, (int)arg);
	case TIOCPKT:
		if (get_user(v, UPTR(arg)))
			return -EFAULT;
		spin_lock_irq(&t->ctrl_lock);
		if (v && !t->packet)
			t->pkt_status = 0;
		t->packet = v;
		spin_unlock_irq(&t->ctrl_lock);
		return 0;
	case TIOCGPKT: return put_user((u32)t->packet, UPTR(arg)) ? -EFAULT : 0;
	case TIOCSIG:
		if (arg != SIGINT && arg != SIGQUIT && arg != SIGTSTP)
			return -EINVAL;
		if (t->link)
			tty_signal_foreground(t->link, (int)arg);
		return 0;
	}
	return -ENOIOCTLCMD;
}

long pty_ioctl(struct tty *t, struct file *file, unsigned int cmd, unsigned long arg)
{
	if (t->is_pty_master)
		return master_ioctl(t, file, cmd, arg);
	return cmd == TIOCGPTPEER ? -EIO : -ENOIOCTLCMD;	/* as Linux answers at this end */
}
