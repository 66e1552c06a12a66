// SPDX-License-Identifier: MIT
/*
 * Local sockets (unix(7)): streams, datagrams and sequenced packets between processes of one machine, with descriptors
 * and credentials. Here: their life, messages, waiting, and the way from a struct socket to unix_stream.c and unix_dgram.c.
 *
 * A message is queued at its receiver; its bytes count against the sender's buffer until it is read. A connected pair holds
 * references of each other.
 *
 * Locks: u->lock (state, peer, queues; two of them in the order of their addresses), a name's bucket (unix_name.c) outside of it.
 * u->io_lock keeps readers of one socket apart. Descriptors that are under way in messages may form cycles that no process can
 * reach: unix_gc.c collects them.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/resource.h>
#include "net/unix_priv.h"

int unix_wmem_default = 212992, unix_wmem_max = 4 << 20, unix_rmem_default = 212992, unix_rmem_max = 4 << 20;
int unix_max_dgram_qlen = 10, unix_somaxconn = 4096;	/* not a page */

void unix_addr_put(struct unix_addr *a)
{
	if (a && refcount_dec_and_test(&a->refs))
		kfree(a);
}

void unix_put(struct unix_sock *u)
{
	if (!refcount_dec_and_test(&u->refs))
		return;
	unix_addr_put(u->addr);
	if (u->path.dentry)
		path_put(&u->path);
	put_pid(u->peer_pid);
	if (u->peer_groups)
		put_group_info(u->peer_groups);
	kfree(u);
}

void unix_msg_free(struct unix_msg *m)
{
	struct unix_sock *from = m->from;

	atomic_sub((int)m->truesize, &from->wmem);
	if (atomic_read(&from->wmem) * 2 <= from->sndbuf) {
		wake_up_interruptible_poll(&from->wait, EPOLLOUT | EPOLLWRNORM);
		if (unlikely(rcu_access_pointer(from->fasync)) && xchg(&from->wants_space, false))
			kill_fasync(&from->fasync, SIGIO, POLL_OUT);
	}
	unix_put(from);
	if (m->fds)
		unix_fds_free(m->fds);
	put_pid(m->pid);
	kvfree(m);
}

static int relay_wake(struct wait_queue_entry *e, unsigned int mode, int flags, void *key);

struct unix_sock *unix_new(struct socket *s)
{
	struct unix_sock *u = kzalloc(sizeof(*u), GFP_KERNEL);

	if (!u)
		return NULL;
	refcount_set(&u->refs, 1);
	u->type = s->type;
	spin_lock_init(&u->lock);
	mutex_init(&u->io_lock);
	init_waitqueue_head(&u->wait);
	init_waitqueue_head(&u->peer_wait);
	init_waitqueue_func_entry(&u->relay, relay_wake);
	INIT_LIST_HEAD(&u->queue);
	INIT_LIST_HEAD(&u->carried);
	INIT_LIST_HEAD(&u->track);
	mutex_init(&u->bind_lock);
	u->sndbuf = unix_wmem_default;
	u->incoming_cpu = -1;
	u->pacing = ~0UL;
	u->rcvbuf = unix_rmem_default;
	u->rcvlowat = 1;
	u->rcvtimeo = u->sndtimeo = MAX_SCHEDULE_TIMEOUT;
	u->uid = current_uid();
	unix_list(u);
	return u;
}

void unix_lock_two(struct unix_sock *a, struct unix_sock *b) __acquires(a->lock)
{
	if (a > b)
		swap(a, b);
	spin_lock(&a->lock);
	if (a != b) {
		spin_lock_nested(&b->lock, 1);
		__release(b->lock);	/* both count as one */
	}
}

void unix_unlock_two(struct unix_sock *a, struct unix_sock *b) __releases(a->lock)
{
	spin_unlock(&a->lock);
	if (a != b) {
		__acquire(b->lock);
		spin_unlock(&b->lock);
	}
}

void unix_wake_state(struct unix_sock *u)
{
	wake_up_interruptible_all(&u->wait);
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
	wake_up_interruptible_poll(&u->wait, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	return 0;
}

static bool dgram_full(const struct unix_sock *p, const struct unix_sock *u)
{
	return p->peer != u && p->queued > (unsigned int)unix_max_dgram_qlen;
}

/* Is the peer full? Then U hears of it when that changes. */
static bool wait_for_peer_room(struct unix_sock *u)
{
	struct unix_sock *p;
	unsigned long flags;
	bool full = false;

	spin_lock(&u->lock);
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
	spin_unlock(&u->lock);
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

	spin_lock(&u->lock);
	p = u->peer;
	if (p)
		refcount_inc(&p->refs);
	spin_unlock(&u->lock);
	return p;
}

/* What is still queued at a socket that goes. */
static void drop_queue(struct unix_sock *u)
{
	for (;;) {
		struct unix_msg *m;

		spin_lock(&u->lock);
		m = list_first_entry_or_null(&u->queue, struct unix_msg, list);
		if (m)
			list_del(&m->list);
		spin_unlock(&u->lock);
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
	spin_lock(&u->lock);
	u->dead = true;
	u->shut = 3;
	u->state = UNIX_CLOSED;
	peer = u->peer;
	unix_relay_leave(u);
	u->peer = NULL;
	unread = !list_empty(&u->queue);
	spin_unlock(&u->lock);
	unix_wake_state(u);
	if (peer) {
		if (u->type != SOCK_DGRAM) {
			spin_lock(&peer->lock);
			peer->shut = 3;
			if (unread || embryo)
				peer->err = ECONNRESET;
			spin_unlock(&peer->lock);
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
		spin_lock(&u->lock);
		u->socket = NULL;
		spin_unlock(&u->lock);
		unix_release_sock(u, false);
	}
	return 0;
}

void unix_signal_data(struct unix_sock *u, int band)
{
	if (unlikely(rcu_access_pointer(u->fasync)) && !READ_ONCE(u->reader_waits))
		kill_fasync(&u->fasync, SIGIO, band);
}

void unix_signal_hangup(struct unix_sock *u, int shut)
{
	if (shut == 3)
		unix_signal_data(u, POLL_HUP);
	else if (shut & 1)
		unix_signal_data(u, POLL_IN);
}

static int unix_fasync(int fd, struct file *f, int on, struct socket *s)
{
	struct unix_sock *u = s->sk;
	int e = fasync_helper(fd, f, on, &u->fasync);

	return e < 0 ? e : 0;
}

struct group_info *unix_set_peer_creds(struct unix_sock *u)
{
	struct group_info *old = u->peer_groups;

	put_pid(u->peer_pid);
	u->peer_pid = get_pid(task_own_pid(current->group_leader));
	u->peer_uid = current_euid();
	u->peer_gid = current_egid();
	u->peer_groups = get_group_info(current_cred()->group_info);
	return old;
}

static int unix_socketpair(struct socket *sa, struct socket *sb)
{
	struct unix_sock *a = sa->sk, *b = sb->sk;

	refcount_inc(&a->refs);
	refcount_inc(&b->refs);
	a->peer = b;
	b->peer = a;
	(void)!unix_set_peer_creds(a);	/* new: there were none */
	(void)!unix_set_peer_creds(b);
	if (a->type != SOCK_DGRAM)
		a->state = b->state = UNIX_CONNECTED;
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
	refcount_inc(&from->refs);
	atomic_add((int)m->truesize, &from->wmem);
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
	spin_lock(&u->lock);
	u->shut |= mine;
	p = u->peer;
	if (p)
		refcount_inc(&p->refs);
	spin_unlock(&u->lock);
	unix_wake_state(u);
	if (p) {
		if (u->type != SOCK_DGRAM) {
			spin_lock(&p->lock);
			p->shut |= theirs;
			spin_unlock(&p->lock);
			unix_wake_state(p);
			unix_signal_hangup(p, theirs);
		}
		unix_put(p);
	} else if (u->type != SOCK_DGRAM && u->state != UNIX_LISTEN) {
		return -ENOTCONN;
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
	if (q->pid || !(from->passcred || to->passcred || !READ_ONCE(to->socket)))
		return;
	q->pid = get_pid(task_own_pid(current->group_leader));
	q->uid = current_uid();
	q->gid = current_gid();
}

bool unix_can_queue(struct unix_sock *u)
{
	return atomic_read(&u->wmem) < u->sndbuf;
}

/* What wait_event_interruptible_timeout() said, as an error; less is left of *timeo. */
int unix_waited(long r, long *timeo)
{
	if (r < 0)
		return *timeo == MAX_SCHEDULE_TIMEOUT ? -ERESTARTSYS : -EINTR;
	if (!r)
		return -EAGAIN;
	if (*timeo != MAX_SCHEDULE_TIMEOUT)
		*timeo = r;
	return 0;
}

int unix_shut_error(struct unix_sock *u)
{
	int e;

	spin_lock(&u->lock);	/* who shuts us also says why */
	e = unix_take_error(u);
	spin_unlock(&u->lock);
	return e ?: -EPIPE;
}

/* SIGIO for room is owed from now on, once, where SIGIO is asked for. */
static void unix_want_space(struct unix_sock *u)
{
	if (unlikely(rcu_access_pointer(u->fasync)))
		WRITE_ONCE(u->wants_space, true);
}

/* No SIGPIPE for who waited: as on Linux, it is for who finds the other end gone when he comes. */
int unix_wait_room(struct unix_sock *u, long *timeo)
{
	int e;

	unix_want_space(u);
	if (!*timeo)
		return -EAGAIN;
	e = unix_waited(wait_event_interruptible_timeout(u->wait, unix_can_queue(u) || (u->shut & 2) || u->dead, *timeo), timeo);
	return e || !(u->shut & 2) ? e : unix_shut_error(u);
}

ssize_t unix_pipe_error(struct sock_msg *m, ssize_t done)
{
	if (done)
		return done;
	if (!(m->flags & MSG_NOSIGNAL))
		send_sig(SIGPIPE, current, 0);
	return -EPIPE;
}

static ssize_t unix_sendmsg(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = s->sk;
	struct unix_control c = { 0 };
	ssize_t r;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	r = unix_read_control(m, &c);
	if (!r)
		r = s->type == SOCK_STREAM ? unix_stream_send(u, m, &c) : unix_dgram_send(u, m, &c);
	unix_control_free(&c);
	return r;
}

int unix_wait_data(struct unix_sock *u, long *timeo)
{
	long r;

	if (!*timeo)
		return -EAGAIN;
	WRITE_ONCE(u->reader_waits, true);
	r = wait_event_interruptible_timeout(u->wait, !list_empty(&u->queue) || u->err || (u->shut & 1) ||
					     (u->type != SOCK_DGRAM && u->state == UNIX_CONNECTED && !u->peer), *timeo);
	WRITE_ONCE(u->reader_waits, false);
	return unix_waited(r, timeo);
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

int unix_take_error(struct unix_sock *u)
{
	return -xchg(&u->err, 0);
}

static ssize_t unix_recvmsg(struct socket *s, struct sock_msg *m)
{
	if (m->flags & (MSG_OOB | MSG_ERRQUEUE))
		return m->flags & MSG_OOB ? -EOPNOTSUPP : -EAGAIN;
	m->addr_len = 0;
	return s->type == SOCK_STREAM ? unix_stream_recv(s->sk, m) : unix_dgram_recv(s->sk, m);
}

static u32 unix_poll(struct file *f, struct socket *s, struct poll_table_struct *p)
{
	struct unix_sock *u = s->sk;
	bool writable = unix_can_queue(u) && atomic_read(&u->wmem) * 4 <= u->sndbuf;
	u32 mask = 0;

	poll_wait(f, &u->wait, p);
	if (u->err)
		mask |= EPOLLERR;
	if (u->shut == 3)
		mask |= EPOLLHUP;
	if (u->shut & 1)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (!list_empty(&u->queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (u->type != SOCK_DGRAM && u->state == UNIX_CLOSED)
		mask |= EPOLLHUP;
	if (u->type == SOCK_DGRAM && writable && wait_for_peer_room(u))
		writable = false;
	if (u->type != SOCK_STREAM && !writable)
		unix_want_space(u);
	if (writable)
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}

static const struct sock_ops unix_ops = {
	.release = unix_release, .bind = unix_bind, .connect = unix_connect, .socketpair = unix_socketpair, .accept = unix_accept,
	.getname = unix_getname, .poll = unix_poll, .ioctl = unix_ioctl, .listen = unix_listen, .shutdown = unix_shutdown,
	.setsockopt = unix_setsockopt, .getsockopt = unix_getsockopt, .sendmsg = unix_sendmsg, .recvmsg = unix_recvmsg, .fasync = unix_fasync,
};

static int unix_create(struct socket *s, int protocol)
{
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (s->type == SOCK_RAW)
		s->type = SOCK_DGRAM;
	if (s->type != SOCK_STREAM && s->type != SOCK_DGRAM && s->type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	s->sk = unix_new(s);
	if (!s->sk)
		return -ENOMEM;
	((struct unix_sock *)s->sk)->socket = s;
	s->ops = &unix_ops;
	return 0;
}

static const struct socket_family unix_family = { AF_UNIX, unix_create };

static int unix_init(void)
{
	sysctl_int("net/unix/max_dgram_qlen", 0644, &unix_max_dgram_qlen, 0, INT_MAX);
	sysctl_int("net/core/somaxconn", 0644, &unix_somaxconn, 0, INT_MAX);
	sysctl_int("net/core/wmem_max", 0644, &unix_wmem_max, 4608, INT_MAX / 2);
	sysctl_int("net/core/rmem_max", 0644, &unix_rmem_max, 2304, INT_MAX / 2);
	sysctl_int("net/core/rmem_default", 0644, &unix_rmem_default, 2304, INT_MAX / 2);
	sysctl_int("net/core/wmem_default", 0644, &unix_wmem_default, 4608, INT_MAX / 2);
	return sock_register_family(&unix_family);
}
INITCALL(subsys, unix_init);
