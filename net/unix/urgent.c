// SPDX-License-Identifier: MIT
/*
 * Urgent data of streams (MSG_OOB): the last byte of such a send is a message of its own, which the
 * receiver's socket points to until it is read, or another one comes (then it is data like any
 * other). Its place in the stream is the mark: a read ends there, and what is urgent and was not
 * read by MSG_OOB is left out by the read that begins there, unless SO_OOBINLINE is set. An urgent
 * byte that was read stays in the queue, empty, to be the mark.
 */
#include <lib/types.h>
#include <mm/iter.h>
#include <mm/uaccess.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include "net/unix/unix_priv.h"

static bool is_empty(const struct unix_msg *q)
{
	return q->off == q->len;
}

static struct unix_msg *after(struct unix_sock *u, struct unix_msg *q)
{
	return list_is_last(&q->list, &u->queue) ? NULL : list_next_entry(q, list);
}

void unix_signal_urgent(struct unix_sock *u)
{
	struct file *f;

	spin_lock(&u->sk.lock);
	f = u->sk.socket ? u->sk.socket->file : NULL;
	if (f && !get_file_rcu(f))
		f = NULL;
	spin_unlock(&u->sk.lock);
	wake_up_interruptible_poll(&u->sk.wait, EPOLLPRI);
	if (!f)
		return;
	send_sigurg(f);
	fput(f);
}

ssize_t unix_recv_urgent(struct unix_sock *u, struct sock_msg *m)
{
	struct unix_msg *q;
	ssize_t r = 1;
	u8 byte;

	if (u->sk.type != SOCK_STREAM)
		return -EOPNOTSUPP;
	if (u->sk.state != UNIX_CONNECTED || sock_flag(&u->sk, SOCK_F_OOBINLINE))
		return -EINVAL;
	mutex_lock(&u->io_lock);
	spin_lock(&u->sk.lock);
	q = u->urgent;
	if (q) {
		byte = q->data[0];
		if (!(m->flags & MSG_PEEK)) {
			u->urgent = NULL;
			q->off = q->len;
			u->bytes--;
		}
	}
	spin_unlock(&u->sk.lock);
	mutex_unlock(&u->io_lock);
	if (!q)
		return -EINVAL;
	m->out_flags |= MSG_OOB;
	if (iter_count(m->iter) && copy_to_iter(&byte, 1, m->iter) != 1)
		r = -EFAULT;
	return r;
}

/* A read that has given something ends before Q. */
static bool ends_at(const struct unix_sock *u, const struct unix_msg *q)
{
	return q == u->urgent || (is_empty(q) && !u->urgent);
}

struct unix_msg *unix_pass_mark(struct unix_sock *u, struct unix_msg *q, bool peek, bool given,
				bool *over, struct list_head *gone)
{
	struct unix_msg *next;

	while (q && (is_empty(q) || q == u->urgent)) {
		bool inlined = sock_flag(&u->sk, SOCK_F_OOBINLINE) && !is_empty(q);

		*over = given && ends_at(u, q);
		if (*over)
			return NULL;
		if (inlined && peek)
			return q;
		if (!peek && q == u->urgent)
			u->urgent = NULL;
		if (inlined)
			return q;
		next = after(u, q);
		if (!peek) {
			u->bytes -= q->len - q->off;
			list_move_tail(&q->list, gone);
		}
		q = next;
	}
	return q;
}

int unix_at_mark(struct unix_sock *u)
{
	struct unix_msg *q;
	int at = 0;

	spin_lock(&u->sk.lock);
	q = list_first_entry_or_null(&u->queue, struct unix_msg, list);
	if (q)
		at = q == u->urgent || (is_empty(q) && (!u->urgent || after(u, q) == u->urgent));
	spin_unlock(&u->sk.lock);
	return at;
}
