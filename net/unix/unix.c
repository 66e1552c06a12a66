// SPDX-License-Identifier: MIT
/*
 * Local sockets (unix(7)): streams, datagrams and sequenced packets between processes of one machine, with descriptors
 * and credentials. Here: their life, messages, waiting, and the way from a struct socket to stream.c and dgram.c.
 *
 * A message is queued at its receiver; its bytes count against the sender's buffer until it is read. A connected pair holds
 * references of each other.
 *
 * Locks: u->sk.lock (state, peer, queues; two of them in the order of their addresses), a name's bucket (name.c) outside of it.
 * u->io_lock keeps readers of one socket apart. Descriptors that are under way in messages may form cycles that no process can
 * reach: gc.c collects them.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kernel/init.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/resource.h>
#include "net/unix/unix_priv.h"

void unix_addr_put(struct unix_addr *a)
{
	if (a && refcount_dec_and_test(&a->refs))
		kfree(a);
}

static void unix_destruct(struct sock *sk)
{
	struct unix_sock *u = unix_sk(sk);

	unix_addr_put(u->addr);
	if (u->path.dentry)
		path_put(&u->path);
}

static const struct sock_kind unix_kind = {
	.name = "UNIX", .size = sizeof(struct unix_sock), .destruct = unix_destruct, .get = unix_get_option, .peeks_on = true,
	SOCK_LOCKS("&u->sk.lock", "&u->sk.owner")
};

void unix_msg_free(struct unix_msg *m)
{
	struct unix_sock *from = m->from;

	atomic_sub((int)m->truesize, &from->sk.wmem);
	if (atomic_read(&from->sk.wmem) * 2 <= from->sk.sndbuf) {
		wake_up_interruptible_poll(&from->sk.wait, EPOLLOUT | EPOLLWRNORM);
		if (unlikely(rcu_access_pointer(from->sk.fasync)) && xchg(&from->sk.wants_space, false))
			kill_fasync(&from->sk.fasync, SIGIO, POLL_OUT);
	}
	unix_put(from);
	if (m->fds)
		unix_fds_free(m->fds);
	put_pid(m->pid);
	kvfree(m);
}

static int relay_wake(struct wait_queue_entry *e, unsigned int mode, int flags, void *key);

struct unix_sock *unix_new(struct socket *s, struct net *net)
{
	struct sock *sk = sock_alloc(&unix_kind, net, true, AF_UNIX, s, s->protocol, GFP_KERNEL);
	struct unix_sock *u = sk ? unix_sk(sk) : NULL;

	if (!u)
		return NULL;
	sk->socket = NULL;	/* the family's to set */
	mutex_init(&u->io_lock);
	init_waitqueue_head(&u->peer_wait);
	init_waitqueue_func_entry(&u->relay, relay_wake);
	INIT_LIST_HEAD(&u->queue);
	INIT_LIST_HEAD(&u->carried);
	INIT_LIST_HEAD(&u->track);
	mutex_init(&u->bind_lock);
	unix_list(u);
	return u;
}

void unix_lock_two(struct unix_sock *a, struct unix_sock *b) __acquires(a->sk.lock)
{
	if (a > b)
		swap(a, b);
	spin_lock(&a->sk.lock);
	if (a != b) {
		spin_lock_nested(&b->sk.lock, 1);
		__release(b->sk.lock);	/* both count as one */
	}
}

void unix_unlock_two(struct unix_sock *a, struct unix_sock *b) __releases(a->sk.lock)
{
	spin_unlock(&a->sk.lock);
	if (a != b) {
		__acquire(b->sk.lock);
		spin_unlock(&b->sk.lock);
	}
}

void unix_wake_state(struct unix_sock *u)
{
	wake_up_interruptible_all(&u->sk.wait);
	wake_up_interruptible_all(&u->peer_wait);
}

/*
 * Who polls a datagram socket for room at its peer waits at the socket, never at the peer, which may be another one, and the old one gone,
 * before he has done waiting. The peer's wake-up is passed on, once.
 */
static int relay_wake(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	struct unix_sock *u = container_of(e, struct unix_sock, relay);

	list_del_init(&e->entry);
	WRITE_ONCE(u->relay_of, NULL);
	wake_up_interruptible_poll(&u->sk.wait, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	return 0;
}

static bool dgram_full(const struct unix_sock *p, const struct unix_sock *u)
{
	return p->peer != u && p->queued > (unsigned int)sock_conf(&u->sk)->unix_max_dgram_qlen;
}

/* Is the peer full? Then U hears of it when that changes. */
static bool wait_for_peer_room(struct unix_sock *u)
{
	struct unix_sock *p;
	unsigned long flags;
	bool full = false;

	spin_lock(&u->sk.lock);
	p = u->peer;
	if (p && p != u && dgram_full(p, u)) {
		spin_lock_irqsave(&p->peer_wait.lock, flags);
		if (!u->relay_of) {
			u->relay_of = p;
			list_add(&u->relay.entry, &p->peer_wait.head);
		}
		spin_unlock_irqrestore(&p->peer_wait.lock, flags);
		smp_mb();	/* listed before the second look; pairs with the receiver, who takes one off and then looks for waiters */
		full = dgram_full(p, u);
	}
	spin_unlock(&u->sk.lock);
	return full;
}

void unix_relay_leave(struct unix_sock *u)
{
	struct unix_sock *p = u->peer;
	unsigned long flags;

	if (!p)
		return;
	spin_lock_irqsave(&p->peer_wait.lock, flags);
	if (u->relay_of == p) {
		list_del_init(&u->relay.entry);
		u->relay_of = NULL;
	}
	spin_unlock_irqrestore(&p->peer_wait.lock, flags);
}

/* The peer, referenced; NULL: none. */
struct unix_sock *unix_peer_get(struct unix_sock *u)
{
	struct unix_sock *p;

	spin_lock(&u->sk.lock);
	p = u->peer;
	if (p)
		refcount_inc(&p->sk.refs);
	spin_unlock(&u->sk.lock);
	return p;
}

/* What is still queued at a socket that goes. */
static void drop_queue(struct unix_sock *u)
{
	for (;;) {
		struct unix_msg *m;

		spin_lock(&u->sk.lock);
		m = list_first_entry_or_null(&u->queue, struct unix_msg, list);
		if (m)
			list_del(&m->list);
		spin_unlock(&u->sk.lock);
		if (!m)
			return;
		if (m->embryo) {		/* a connection that nobody accepted */
			unix_release_sock(m->embryo, true);
			m->embryo = NULL;
		}
		unix_msg_free(m);
	}
}

void unix_release_sock(struct unix_sock *u, bool embryo)
{
	struct unix_sock *peer;
	bool unread;

	unix_unlist(u);
	spin_lock(&u->sk.lock);
	sock_set_flag(&u->sk, SOCK_F_DEAD, true);
	u->sk.shut = 3;
	u->sk.state = UNIX_CLOSED;
	peer = u->peer;
	unix_relay_leave(u);
	u->peer = NULL;
	unread = !list_empty(&u->queue);
	spin_unlock(&u->sk.lock);
	unix_wake_state(u);
	if (peer) {
		if (u->sk.type != SOCK_DGRAM) {
			spin_lock(&peer->sk.lock);
			peer->sk.shut = 3;
			if (unread || embryo)
				peer->sk.err = ECONNRESET;
			spin_unlock(&peer->sk.lock);
			unix_signal_hangup(peer, 3);
		}
		unix_wake_state(peer);
		unix_put(peer);
	}
	drop_queue(u);
	unix_put(u);
	unix_gc_poke();
}

static int unix_release(struct socket *s)
{
	struct unix_sock *u = s->sk;

	s->sk = NULL;
	if (u) {
		spin_lock(&u->sk.lock);
		u->sk.socket = NULL;
		WRITE_ONCE(u->sk.ino, 0);
		spin_unlock(&u->sk.lock);
		unix_release_sock(u, false);
	}
	return 0;
}

void unix_signal_data(struct unix_sock *u, int band)
{
	if (unlikely(rcu_access_pointer(u->sk.fasync)) && !READ_ONCE(u->sk.reader_waits))
		kill_fasync(&u->sk.fasync, SIGIO, band);
}

void unix_signal_hangup(struct unix_sock *u, int shut)
{
	if (shut == 3)
		unix_signal_data(u, POLL_HUP);
	else if (shut & 1)
		unix_signal_data(u, POLL_IN);
}

const struct cred *unix_set_peer_creds(struct unix_sock *u)
{
	const struct cred *old = u->sk.peer_cred;

	put_pid(u->sk.peer_pid);
	u->sk.peer_pid = get_pid(task_own_pid(current->group_leader));
	u->sk.peer_cred = get_cred(current_cred());
	return old;
}

static int unix_socketpair(struct socket *sa, struct socket *sb)
{
	struct unix_sock *a = sa->sk, *b = sb->sk;

	refcount_inc(&a->sk.refs);
	refcount_inc(&b->sk.refs);
	a->peer = b;
	b->peer = a;
	(void)!unix_set_peer_creds(a);	/* new: there were none */
	(void)!unix_set_peer_creds(b);
	if (a->sk.type != SOCK_DGRAM)
		a->sk.state = b->sk.state = UNIX_CONNECTED;
	return 0;
}

bool unix_may_send(struct unix_sock *to, struct unix_sock *from)
{
	return !to->peer || to->peer == from;
}

struct unix_msg *unix_msg_new(struct unix_sock *from, size_t len)
{
	struct unix_msg *m = kvmalloc(sizeof(*m) + len, GFP_KERNEL);

	if (!m)
		return NULL;
	*m = (struct unix_msg){ .from = from, .len = len, .truesize = sizeof(*m) + len, .uid = INVALID_UID, .gid = INVALID_GID };
	INIT_LIST_HEAD(&m->list);
	refcount_inc(&from->sk.refs);
	atomic_add((int)m->truesize, &from->sk.wmem);
	return m;
}

static int unix_connect(struct socket *s, const struct __kernel_sockaddr_storage *sa, int len, int flags)
{
	if (s->type == SOCK_DGRAM)
		return unix_dgram_connect(s->sk, sa, len);
	return unix_stream_connect(s, sa, len, flags);
}

static int unix_shutdown(struct socket *s, int how)
{
	struct unix_sock *u = s->sk, *p;
	int mine = how + 1, theirs = (mine & 1) << 1 | mine >> 1;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	spin_lock(&u->sk.lock);
	u->sk.shut |= mine;
	p = u->peer;
	if (p)
		refcount_inc(&p->sk.refs);
	spin_unlock(&u->sk.lock);
	unix_wake_state(u);
	if (p) {
		if (u->sk.type != SOCK_DGRAM) {
			spin_lock(&p->sk.lock);
			p->sk.shut |= theirs;
			spin_unlock(&p->sk.lock);
			unix_wake_state(p);
			unix_signal_hangup(p, theirs);
		}
		unix_put(p);
	}
	return 0;
}

/* What a user has under way he has not open: it is limited like what he has (unix(7)). */
static bool too_many_under_way(const struct unix_fds *f)
{
	return atomic_long_read(&f->user->unix_inflight) > (long)min(rlimit(RLIMIT_NOFILE), (u64)LONG_MAX) &&
	       !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN);
}

struct unix_msg *unix_build_msg(struct unix_sock *u, struct sock_msg *m, struct unix_control *c, size_t len)
{
	struct unix_msg *q;

	if (c->fds && too_many_under_way(c->fds))
		return ERR_PTR(-ETOOMANYREFS);
	q = unix_msg_new(u, len);
	if (!q)
		return ERR_PTR(-ENOMEM);
	if (len && copy_from_iter(q->data, len, m->iter) != len) {
		unix_msg_free(q);
		return ERR_PTR(-EFAULT);
	}
	if (c->creds.pid) {
		q->pid = get_pid(c->creds.pid);
		q->uid = c->creds.uid;
		q->gid = c->creds.gid;
	}
	q->fds = c->fds;
	c->fds = NULL;
	if (q->fds)
		unix_fds_attach(q->fds);
	return q;
}

void unix_add_creds(struct unix_msg *q, const struct unix_sock *from, const struct unix_sock *to)
{
	if (q->pid || !(unix_wants_sender(from) || unix_wants_sender(to) || !READ_ONCE(to->sk.socket)))
		return;
	q->pid = get_pid(task_own_pid(current->group_leader));
	q->uid = current_uid();
	q->gid = current_gid();
}

bool unix_can_queue(struct unix_sock *u)
{
	return atomic_read(&u->sk.wmem) < u->sk.sndbuf;
}

int unix_shut_error(struct unix_sock *u)
{
	int e;

	spin_lock(&u->sk.lock);	/* a peer that shuts us down sets the error under it */
	e = sock_take_error(&u->sk);
	spin_unlock(&u->sk.lock);
	return e ?: -EPIPE;
}

/* No SIGPIPE for who waited: as on Linux, it is for who finds the other end gone when he comes. */
int unix_wait_room(struct unix_sock *u, long *timeo)
{
	int e;

	sock_want_space(&u->sk);
	if (!*timeo)
		return -EAGAIN;
	e = sock_waited(wait_event_interruptible_timeout(u->sk.wait, unix_can_queue(u) || (u->sk.shut & 2) || sock_flag(&u->sk, SOCK_F_DEAD), *timeo), timeo);
	return e || !(u->sk.shut & 2) ? e : unix_shut_error(u);
}

static ssize_t unix_sendmsg(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = s->sk;
	struct unix_control c = { 0 };
	ssize_t r;

	if (m->flags & MSG_OOB && (s->type != SOCK_STREAM || !iter_count(m->iter)))
		return -EOPNOTSUPP;
	r = unix_read_control(m, &c);
	if (!r)
		r = s->type == SOCK_STREAM ? unix_stream_send(u, m, &c) : unix_dgram_send(u, m, &c);
	unix_control_free(&c);
	return r;
}

/* A reader that has seen SEEN bytes finds more. An urgent byte does not count unless SO_OOBINLINE is set. */
static bool has_data(const struct unix_sock *u, size_t seen)
{
	if (u->sk.type != SOCK_STREAM && !seen)
		return !list_empty(&u->queue);
	if (READ_ONCE(u->urgent) && !sock_flag(&u->sk, SOCK_F_OOBINLINE))
		seen++;
	return READ_ONCE(u->bytes) > seen;
}

int unix_wait_data(struct unix_sock *u, size_t seen, long *timeo)
{
	long r;

	if (!*timeo)
		return -EAGAIN;
	WRITE_ONCE(u->sk.reader_waits, true);
	r = wait_event_interruptible_timeout(u->sk.wait, has_data(u, seen) || u->sk.err || (u->sk.shut & 1) ||
					     (u->sk.type != SOCK_DGRAM && u->sk.state == UNIX_CONNECTED && !u->peer), *timeo);
	WRITE_ONCE(u->sk.reader_waits, false);
	return sock_waited(r, timeo);
}

void unix_give_address(struct sock_msg *m, struct unix_sock *from)
{
	struct unix_addr *a = smp_load_acquire(&from->addr);

	m->addr_len = 0;
	if (a) {
		memcpy(&m->addr, &a->name, (size_t)a->len);
		m->addr_len = a->len;
	}
}

static ssize_t unix_recvmsg(struct socket *s, struct sock_msg *m)
{
	ssize_t r;

	m->addr_len = 0;
	if (m->flags & (MSG_OOB | MSG_ERRQUEUE))
		return m->flags & MSG_OOB ? unix_recv_urgent(s->sk, m) : -EAGAIN;
	if (s->type != SOCK_STREAM)
		return unix_dgram_recv(s->sk, m);
	r = unix_stream_recv(s->sk, m);
	m->left = (s32)READ_ONCE(((struct unix_sock *)s->sk)->bytes);
	return r;
}

static u32 unix_poll(struct file *f, struct socket *s, struct poll_table_struct *p)
{
	struct unix_sock *u = s->sk;
	bool writable = u->sk.state != UNIX_LISTEN && unix_can_queue(u) && atomic_read(&u->sk.wmem) * 4 <= u->sk.sndbuf;
	u32 mask;

	poll_wait(f, &u->sk.wait, p);
	mask = sock_poll_common(&u->sk);
	if (!list_empty(&u->queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(u->urgent))
		mask |= EPOLLPRI;
	if (u->sk.type != SOCK_DGRAM && u->sk.state == UNIX_CLOSED)
		mask |= EPOLLHUP;
	if (u->sk.type == SOCK_DGRAM && writable && wait_for_peer_room(u))
		writable = false;
	if (u->sk.type != SOCK_STREAM && !writable)
		sock_want_space(&u->sk);
	if (writable)
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}

static const struct sock_ops unix_ops = {
	.release = unix_release, .bind = unix_bind, .connect = unix_connect, .socketpair = unix_socketpair, .accept = unix_accept,
	.getname = unix_getname, .poll = unix_poll, .ioctl = unix_ioctl, .listen = unix_listen, .shutdown = unix_shutdown,
	.setsockopt = unix_setsockopt, .getsockopt = unix_getsockopt, .sendmsg = unix_sendmsg, .recvmsg = unix_recvmsg, .fasync = sock_fasync,
};

static int unix_create(struct socket *s, int protocol)
{
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (s->type == SOCK_RAW)
		s->type = SOCK_DGRAM;
	if (s->type != SOCK_STREAM && s->type != SOCK_DGRAM && s->type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	s->sk = unix_new(s, current_net());
	if (!s->sk)
		return -ENOMEM;
	((struct sock *)s->sk)->socket = s;
	s->ops = &unix_ops;
	return 0;
}

static const struct socket_family unix_family = { AF_UNIX, unix_create };

static int unix_init(void)
{
	return sock_register_family(&unix_family);
}
INITCALL(subsys, unix_init);
