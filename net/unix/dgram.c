// SPDX-License-Identifier: MIT
/*
 * Datagrams and sequenced packets between local sockets: a message keeps its ends and its sender. A receiver holds max_dgram_qlen of them
 * from senders that it is not connected to; who has more waits.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <sched/task.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "net/unix/unix_priv.h"

/*
 * U has disconnected from OLD: U loses its unread datagrams, and OLD gets an error if it sends to U
 * (Linux).
 */
static void disconnected(struct unix_sock *u, struct unix_sock *old)
{
	struct unix_msg *q, *next;
	LIST_HEAD(lost);
	bool hears;

	mutex_lock(&u->io_lock);	/* a reader may be peeking at one of them */
	spin_lock(&u->sk.lock);
	list_splice_init(&u->queue, &lost);
	u->bytes = 0;
	u->queued = 0;
	spin_unlock(&u->sk.lock);
	mutex_unlock(&u->io_lock);
	if (list_empty(&lost))
		return;
	list_for_each_entry_safe(q, next, &lost, list)
		unix_msg_free(q);
	wake_up_interruptible_all(&u->peer_wait);
	spin_lock(&old->sk.lock);
	hears = old->peer == u && !sock_flag(&old->sk, SOCK_F_DEAD);
	if (hears)
		sock_set_error(&old->sk, ECONNRESET);
	spin_unlock(&old->sk.lock);
	if (hears)
		sock_report_error(&old->sk);
}

int unix_dgram_connect(struct unix_sock *u, const struct __kernel_sockaddr_storage *sa, int len)
{
	struct unix_sock *other = NULL, *old;
	int e = 0;

	if (sa->ss_family != AF_UNSPEC) {
		if (unix_wants_sender(u))
			e = unix_autobind(u);
		if (e)
			return e;
		other = unix_find_other(u->sk.net, sa, len, u->sk.type);
		if (IS_ERR(other))
			return (int)PTR_ERR(other);
		unix_lock_two(u, other);
		if (!unix_may_send(other, u))
			e = -EPERM;
		if (sock_flag(&other->sk, SOCK_F_DEAD))
			e = -ECONNREFUSED;
		if (e) {
			unix_unlock_two(u, other);
			unix_put(other);
			return e;
		}
		old = u->peer;
		unix_relay_leave(u);
		u->peer = other;
		unix_unlock_two(u, other);
	} else {
		spin_lock(&u->sk.lock);
		old = u->peer;
		unix_relay_leave(u);
		u->peer = NULL;
		spin_unlock(&u->sk.lock);
	}
	if (old) {
		if (old != other) {
			disconnected(u, old);
			unix_wake_state(old);
		}
		wake_up_interruptible_poll(&u->sk.wait, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);	/* there may be room where it sends to now */
		unix_put(old);
	}
	return 0;
}

/* A datagram's receiver is full. 0: try again. */
static int wait_for_peer(struct unix_sock *u, struct unix_sock *p, long *timeo)
{
	long r;

	if (!*timeo)
		return -EAGAIN;
	r = wait_event_interruptible_timeout(p->peer_wait, sock_flag(&p->sk, SOCK_F_DEAD) || (p->sk.shut & 1) ||
					     p->queued <= (unsigned int)sock_conf(&u->sk)->unix_max_dgram_qlen, *timeo);
	return sock_waited(r, timeo);
}

/* Puts Q into P's queue. 0; -EAGAIN: full; -ECONNREFUSED; -EPERM; -EPIPE. */
static int deliver(struct unix_sock *u, struct unix_sock *p, struct unix_msg *q)
{
	int e = 0;

	spin_lock(&p->sk.lock);
	if (sock_flag(&p->sk, SOCK_F_DEAD))
		e = -ECONNREFUSED;
	else if (!unix_may_send(p, u))
		e = -EPERM;
	else if (p->sk.shut & 1)
		e = -EPIPE;
	else if (p != u && p->peer != u && p->queued > (unsigned int)sock_conf(&u->sk)->unix_max_dgram_qlen)
		e = -EAGAIN;
	if (!e) {
		unix_enqueue(p, q);
		p->bytes += q->len;
		p->queued++;
	}
	spin_unlock(&p->sk.lock);
	if (!e) {
		wake_up_interruptible_poll(&p->sk.wait, EPOLLIN | EPOLLRDNORM);
		unix_signal_data(p, POLL_IN);
	}
	return e;
}

ssize_t unix_dgram_send(struct unix_sock *u, struct sock_msg *m, struct unix_control *c)
{
	long timeo = m->nonblock ? 0 : u->sk.sndtimeo;
	size_t len = iter_count(m->iter);
	struct unix_sock *p;
	struct unix_msg *q;
	ssize_t r;

	if (u->sk.type == SOCK_SEQPACKET && u->sk.state != UNIX_CONNECTED)
		return -ENOTCONN;
	if (u->sk.type == SOCK_SEQPACKET)
		m->addr_len = 0;
	if (unix_wants_sender(u) && !READ_ONCE(u->addr)) {
		r = unix_autobind(u);
		if (r)
			return r;
	}
	if (len > (size_t)u->sk.sndbuf - 32)
		return -EMSGSIZE;
	if (u->sk.shut & 2)
		return unix_shut_error(u);
	while (!unix_can_queue(u)) {
		r = unix_wait_room(u, &timeo);
		if (r)
			return r;
	}
	if (m->addr_len) {
		p = unix_find_other(u->sk.net, &m->addr, m->addr_len, u->sk.type);
		if (IS_ERR(p))
			return PTR_ERR(p);
	} else {
		p = unix_peer_get(u);
		if (!p)
			return -ENOTCONN;
	}
	q = unix_build_msg(u, m, c, len);
	if (IS_ERR(q)) {
		unix_put(p);
		return PTR_ERR(q);
	}
	unix_add_creds(q, u, p);
	if (unlikely(rcu_access_pointer(p->sk.filter))) {
		u32 keep = sock_filter_run_flat(&p->sk, q->data, (u32)q->len);

		if (!keep) {		/* unix(7): dropped without a word */
			unix_msg_free(q);
			unix_put(p);
			return (ssize_t)len;
		}
		q->len = min_t(size_t, q->len, keep);
	}
	for (;;) {
		r = unix_refuses(p, q) ? -EPERM : deliver(u, p, q);
		if (r != -EAGAIN)
			break;
		r = wait_for_peer(u, p, &timeo);
		if (r)
			break;
	}
	if (r) {
		unix_msg_free(q);
		if (r == -ECONNREFUSED && !m->addr_len) {
			/* The connected peer is gone: so is the connection. */
			bool was;

			spin_lock(&u->sk.lock);
			was = u->peer == p;
			if (was) {
				unix_relay_leave(u);
				u->peer = NULL;
			}
			spin_unlock(&u->sk.lock);
			if (was) {
				disconnected(u, p);
				unix_put(p);
			}
		}
	}
	unix_put(p);
	return r ?: (ssize_t)len;
}

/* The message with the *SKIPth byte of the queue, whose *SKIPth it is then. sk.lock held. */
static struct unix_msg *peek_at(struct unix_sock *u, size_t *skip)
{
	struct unix_msg *q;

	list_for_each_entry(q, &u->queue, list) {
		if (*skip < q->len)
			return q;
		*skip -= q->len;
	}
	return NULL;
}

ssize_t unix_dgram_recv(struct unix_sock *u, struct sock_msg *m)
{
	long timeo = m->nonblock ? 0 : u->sk.rcvtimeo;
	struct unix_msg *q;
	size_t n, skip;
	int e;

	if (u->sk.type == SOCK_SEQPACKET && u->sk.state != UNIX_CONNECTED)
		return -ENOTCONN;
	mutex_lock(&u->io_lock);
	for (;;) {
		spin_lock(&u->sk.lock);
		skip = sock_peek_skip(&u->sk, m);
		q = skip ? peek_at(u, &skip) : list_first_entry_or_null(&u->queue, struct unix_msg, list);
		if (q && !(m->flags & MSG_PEEK)) {
			list_del_init(&q->list);
			u->bytes -= q->len;
			if (u->queued)
				u->queued--;
		}
		spin_unlock(&u->sk.lock);
		if (q)
			break;
		e = sock_take_error(&u->sk);
		if (!e && (u->sk.shut & 1)) {
			mutex_unlock(&u->io_lock);
			return u->sk.type == SOCK_DGRAM && !timeo ? -EAGAIN : 0;	/* as Linux: only a reader that would wait sees the end */
		}
		mutex_unlock(&u->io_lock);
		if (e)
			return e;
		e = unix_wait_data(u, sock_peek_skip(&u->sk, m), &timeo);
		if (e)
			return e;
		mutex_lock(&u->io_lock);
	}
	n = min(iter_count(m->iter), q->len - skip);
	if (copy_to_iter(q->data + skip, n, m->iter) != n) {
		e = -EFAULT;
	} else {
		e = 0;
		if (n < q->len - skip)
			m->out_flags |= MSG_TRUNC;
		sock_peek_moved(&u->sk, m, m->flags & MSG_PEEK ? n : q->len);
		unix_give_address(m, q->from);
		sock_recv_stamp(&u->sk, m, 0);
		unix_give_creds(u, m, q);
		unix_give_fds(u, m, q);
		unix_give_pidfd(m, sock_flag(&u->sk, SOCK_F_PASSPIDFD) ? q->pid : NULL);
	}
	n = m->flags & MSG_TRUNC ? q->len - skip : n;
	if (!(m->flags & MSG_PEEK)) {
		unix_msg_free(q);
		wake_up_interruptible(&u->peer_wait);
	}
	mutex_unlock(&u->io_lock);
	return e ?: (ssize_t)n;
}
