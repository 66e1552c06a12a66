// SPDX-License-Identifier: MIT
/*
 * Streams, and what sequenced packets share with them: connecting, listening, accepting. A listener's queue holds the server's ends of
 * connections that nobody has accepted yet ("embryos"), each in a message of its own.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "net/unix/unix_priv.h"

#define CHUNK 32768UL

static void copy_peer_creds(struct unix_sock *to, struct unix_sock *from)
{
	put_pid(to->sk.peer_pid);
	to->sk.peer_pid = get_pid(from->sk.peer_pid);
	if (!to->sk.peer_cred)
		to->sk.peer_cred = get_cred(from->sk.peer_cred);	/* a socket that connects never listened, and does so once */
}

static bool backlog_full(const struct unix_sock *o)
{
	return o->queued > (unsigned int)o->backlog;
}

/* Waits until the listener has room. 0: look again. */
static int wait_for_backlog(struct unix_sock *o, long *timeo)
{
	long r;

	if (!*timeo)
		return -EAGAIN;
	r = wait_event_interruptible_timeout(o->peer_wait, sock_flag(&o->sk, SOCK_F_DEAD) || o->sk.state != UNIX_LISTEN || !backlog_full(o), *timeo);
	return sock_waited(r, timeo);
}

/* Both locked: may U connect to the listener OTHER? -EAGAIN: not yet, it is full. */
static int may_connect(const struct unix_sock *u, const struct unix_sock *other)
{
	if (u->sk.state == UNIX_CONNECTED)
		return -EISCONN;
	if (u->sk.state != UNIX_CLOSED || u == other)
		return -EINVAL;
	if (sock_flag(&other->sk, SOCK_F_DEAD) || other->sk.state != UNIX_LISTEN || (other->sk.shut & 1))
		return -ECONNREFUSED;
	return backlog_full(other) ? -EAGAIN : 0;
}

/* What an accepted socket takes over from the listener. */
static const enum sock_flag inherited[] = { SOCK_F_PASSCRED, SOCK_F_PASSPIDFD, SOCK_F_PASSSEC, SOCK_F_REFUSES_RIGHTS };

/* Both locked. N becomes the server's end: it has the listener's name and waits, in M, in its queue. */
static void join(struct unix_sock *u, struct unix_sock *other, struct unix_sock *n, struct unix_msg *m)
{
	refcount_inc(&u->sk.refs);
	n->peer = u;
	n->sk.state = UNIX_CONNECTED;
	(void)!unix_set_peer_creds(n);	/* new: there were none */
	if (other->path.dentry) {
		path_get(&other->path);
		n->path = other->path;
	}
	if (other->addr) {
		refcount_inc(&other->addr->refs);
		smp_store_release(&n->addr, other->addr);
	}
	copy_peer_creds(u, other);
	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++)
		sock_set_flag(&n->sk, inherited[i], sock_flag(&other->sk, inherited[i]));
	u->sk.state = UNIX_CONNECTED;
	u->peer = n;
	refcount_inc(&n->sk.refs);
	m->embryo = n;
	list_add_tail(&m->list, &other->queue);
	other->queued++;
}

int unix_stream_connect(struct socket *s, const struct __kernel_sockaddr_storage *sa, int len, int flags)
{
	struct unix_sock *u = s->sk, *other, *n;
	long timeo = flags & O_NONBLOCK ? 0 : u->sk.sndtimeo;
	struct unix_msg *m;
	int e = unix_wants_sender(u) ? unix_autobind(u) : 0;

	if (e)
		return e;
	n = unix_new(s, u->sk.net);
	m = n ? unix_msg_new(n, 0) : NULL;
	if (!m) {
		e = -ENOMEM;
		goto drop;
	}
	do {
		other = unix_find_other(u->sk.net, sa, len, s->type);
		if (IS_ERR(other)) {
			e = (int)PTR_ERR(other);
			goto drop;
		}
		unix_lock_two(u, other);
		e = may_connect(u, other);
		if (!e)
			join(u, other, n, m);
		unix_unlock_two(u, other);
		if (!e) {
			wake_up_interruptible_poll(&other->sk.wait, EPOLLIN | EPOLLRDNORM);
			unix_signal_data(other, POLL_IN);
			unix_put(other);
			return 0;
		}
		if (e == -EAGAIN)
			e = wait_for_backlog(other, &timeo);
		unix_put(other);
	} while (!e);
drop:
	if (m)
		unix_msg_free(m);
	if (n)
		unix_release_sock(n, false);
	return e;
}

int unix_listen(struct socket *s, int backlog)
{
	struct unix_sock *u = s->sk;
	const struct cred *old = NULL;
	int e = 0;

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (!READ_ONCE(u->addr))
		return -EINVAL;
	spin_lock(&u->sk.lock);
	if (u->sk.state == UNIX_CONNECTED) {
		e = -EINVAL;
	} else {
		u->backlog = min((unsigned int)backlog, (unsigned int)sock_conf(&u->sk)->somaxconn);
		u->sk.state = UNIX_LISTEN;
		old = unix_set_peer_creds(u);
	}
	spin_unlock(&u->sk.lock);
	if (old)
		put_cred(old);
	wake_up_interruptible_all(&u->peer_wait);
	return e;
}

int unix_accept(struct socket *s, struct socket *fresh, int flags)
{
	struct unix_sock *u = s->sk, *n;
	long timeo = flags & O_NONBLOCK ? 0 : u->sk.rcvtimeo;
	struct unix_msg *m = NULL;

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (u->sk.state != UNIX_LISTEN)
		return -EINVAL;
	for (;;) {
		long r;
		int e;

		spin_lock(&u->sk.lock);
		m = list_first_entry_or_null(&u->queue, struct unix_msg, list);
		if (m) {
			list_del(&m->list);
			u->queued--;
		}
		spin_unlock(&u->sk.lock);
		if (m)
			break;
		if (u->sk.shut & 1)
			return -EINVAL;
		if (!timeo)
			return -EAGAIN;
		r = wait_event_interruptible_timeout(u->sk.wait, !list_empty(&u->queue) || (u->sk.shut & 1), timeo);
		e = sock_waited(r, &timeo);
		if (e)
			return e;
	}
	wake_up_interruptible(&u->peer_wait);
	n = m->embryo;
	sock_graft(&n->sk, fresh);
	m->embryo = NULL;
	unix_msg_free(m);
	return 0;
}

ssize_t unix_stream_send(struct unix_sock *u, struct sock_msg *m, struct unix_control *c)
{
	long timeo = m->nonblock ? 0 : u->sk.sndtimeo;
	ssize_t done = 0;

	if (m->addr_len)
		return u->sk.state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	if (!READ_ONCE(u->peer))
		return -ENOTCONN;
	do {
		size_t len = min3(iter_count(m->iter), CHUNK, (size_t)max(u->sk.sndbuf / 2 - 64, 256));
		struct unix_sock *p;
		struct unix_msg *q;
		bool urgent = false;
		int e;

		if (u->sk.shut & 2)
			return sock_pipe_error(m, done);
		if (!unix_can_queue(u)) {
			e = unix_wait_room(u, &timeo);
			if (e)
				return done ?: e;
			continue;
		}
		if (!len)
			break;		/* what comes with no byte at all is not sent */
		if (unlikely(m->flags & MSG_OOB)) {	/* the last byte goes alone */
			urgent = iter_count(m->iter) == 1;
			len -= !urgent && len == iter_count(m->iter);
		}
		q = unix_build_msg(u, m, c, len);
		if (IS_ERR(q))
			return done ?: PTR_ERR(q);
		p = unix_peer_get(u);
		if (!p) {
			unix_msg_free(q);
			return sock_pipe_error(m, done);
		}
		unix_add_creds(q, u, p);
		spin_lock(&p->sk.lock);
		if (sock_flag(&p->sk, SOCK_F_DEAD) || (p->sk.shut & 1) || unix_refuses(p, q)) {
			e = unix_refuses(p, q) ? -EPERM : 0;
			spin_unlock(&p->sk.lock);
			unix_msg_free(q);
			unix_put(p);
			return e && !done ? e : sock_pipe_error(m, done);
		}
		unix_enqueue(p, q);
		p->bytes += len;
		if (unlikely(urgent))
			p->urgent = q;
		spin_unlock(&p->sk.lock);
		wake_up_interruptible_poll(&p->sk.wait, EPOLLIN | EPOLLRDNORM);
		if (unlikely(urgent))
			unix_signal_urgent(p);
		unix_signal_data(p, POLL_IN);
		unix_put(p);
		done += (ssize_t)len;
	} while (iter_count(m->iter));
	return done;
}

/* One call of recvmsg: io_lock is held but while it sleeps. */
struct reading {
	struct unix_sock *u;
	struct sock_msg *m;
	size_t done;			/* bytes given */
	size_t skip;			/* a peek: bytes before the first (SO_PEEK_OFF) */
	bool gave;			/* address and credentials, of: */
	bool over;			/* the read ends at a mark (urgent.c) */
	struct pid *pid;
	kuid_t uid;
	kgid_t gid;
	struct pid *sender;	/* referenced: whom a descriptor is to be given of, or NULL */
};

/* Bytes of the queue that a peek has behind it. */
static size_t peeked(const struct reading *r)
{
	return r->m->flags & MSG_PEEK ? r->skip + r->done : 0;
}

/* next_msg() by way of marks, or of bytes that were looked at. */
static noinline struct unix_msg *next_msg_slowly(struct reading *r, size_t *at)
{
	bool peek = r->m->flags & MSG_PEEK;
	struct unix_sock *u = r->u;
	struct unix_msg *q, *g;
	size_t skip = peeked(r);
	LIST_HEAD(gone);

	spin_lock(&u->sk.lock);
	q = list_first_entry_or_null(&u->queue, struct unix_msg, list);
	for (;;) {
		q = unix_pass_mark(u, q, peek, r->done && !skip, &r->over, &gone);
		if (!q || skip < q->len - q->off)
			break;
		skip -= q->len - q->off;
		q = list_is_last(&q->list, &u->queue) ? NULL : list_next_entry(q, list);
	}
	if (q)
		*at = q->off + skip;
	spin_unlock(&u->sk.lock);
	while ((g = list_first_entry_or_null(&gone, struct unix_msg, list))) {
		list_del_init(&g->list);
		unix_msg_free(g);
	}
	return q;
}

/* The first message with unread bytes, for a peek those behind it; and where they begin. */
static struct unix_msg *next_msg(struct reading *r, size_t *at)
{
	struct unix_sock *u = r->u;
	struct unix_msg *q;

	spin_lock(&u->sk.lock);
	q = list_first_entry_or_null(&u->queue, struct unix_msg, list);
	if (likely(q)) {
		*at = q->off;
		if (unlikely(q == u->urgent || q->off == q->len || peeked(r))) {
			spin_unlock(&u->sk.lock);
			return next_msg_slowly(r, at);
		}
	}
	spin_unlock(&u->sk.lock);
	return q;
}

/* N bytes of Q have been read. */
static void consume(struct unix_sock *u, struct unix_msg *q, size_t n)
{
	bool over;

	spin_lock(&u->sk.lock);
	q->off += n;
	u->bytes -= n;
	over = q->off == q->len;
	if (over)
		list_del_init(&q->list);
	spin_unlock(&u->sk.lock);
	if (over)
		unix_msg_free(q);
}

/* Bytes from different senders are not joined where the receiver wants to know who sent them. */
static bool same_sender(const struct reading *r, const struct unix_msg *q)
{
	return !r->gave || !unix_wants_sender(r->u) || (q->pid == r->pid && uid_eq(q->uid, r->uid) && gid_eq(q->gid, r->gid));
}

/* 0: go on; 1: no further (bytes that came with descriptors end a read); -EFAULT. */
static int read_msg(struct reading *r, struct unix_msg *q, size_t at)
{
	size_t n = min(iter_count(r->m->iter), q->len - at);
	bool had_fds = q->fds != NULL;

	if (!same_sender(r, q))
		return 1;
	if (copy_to_iter(q->data + at, n, r->m->iter) != n)
		return -EFAULT;
	if (!r->gave) {
		unix_give_address(r->m, q->from);
		unix_give_creds(r->u, r->m, q);
		r->gave = true;
		r->sender = sock_flag(&r->u->sk, SOCK_F_PASSPIDFD) ? get_pid(q->pid) : NULL;
		r->pid = q->pid;
		r->uid = q->uid;
		r->gid = q->gid;
	}
	unix_give_fds(r->u, r->m, q);
	r->done += n;
	if (!(r->m->flags & MSG_PEEK))
		consume(r->u, q, n);
	return had_fds;
}

ssize_t unix_stream_recv(struct unix_sock *u, struct sock_msg *m)
{
	long timeo = m->nonblock ? 0 : u->sk.rcvtimeo;
	size_t size = iter_count(m->iter), want = max(m->flags & MSG_WAITALL ? size : min((size_t)u->sk.rcvlowat, size), 1UL), at;
	struct reading r = { .u = u, .m = m };
	struct unix_msg *q;
	int e = 0;

	if (u->sk.state != UNIX_CONNECTED)
		return -EINVAL;
	mutex_lock(&u->io_lock);
	r.skip = sock_peek_skip(&u->sk, m);
	for (;;) {
		q = next_msg(&r, &at);
		if (q) {
			e = read_msg(&r, q, at);
			if (e || !iter_count(m->iter))
				break;
			continue;
		}
		if (r.done >= want || unlikely(r.over))
			break;
		e = sock_take_error(&u->sk);
		if (e || (u->sk.shut & 1))
			break;
		mutex_unlock(&u->io_lock);
		e = unix_wait_data(u, peeked(&r), &timeo);
		mutex_lock(&u->io_lock);
		if (e)
			break;
	}
	sock_peek_moved(&u->sk, m, r.done);
	mutex_unlock(&u->io_lock);
	unix_give_pidfd(m, r.sender);
	put_pid(r.sender);
	return r.done || e > 0 ? (ssize_t)r.done : e;
}
