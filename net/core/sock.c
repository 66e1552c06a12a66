// SPDX-License-Identifier: MIT
/*
 * struct sock: its life, ownership and errors (net/sock.h says how they go together).
 *
 * Ownership is a lock that packets do not wait for. lock_sock() marks the sock as owned under
 * sk->lock and lets that spinlock go, so that its holder may sleep; a packet that arrives for an
 * owned sock is put on the backlog. release_sock() runs the backlog before it gives ownership up.
 * As many bytes as two buffers hold may come between a lock_sock() and the end of its
 * release_sock(): a sender that is faster than the owner cannot keep it in there for ever.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <net/netns.h>
#include <net/sock.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "net/core/core_priv.h"

bool sock_capable(const struct sock *sk, int cap)
{
	return ns_capable(sk->net->user_ns, cap);
}

void sock_set_flag(struct sock *sk, enum sock_flag f, bool on)
{
	if (on)
		atomic_long_or(1l << f, &sk->flags);
	else
		atomic_long_andnot(1l << f, &sk->flags);
}

static void init_locks(struct sock *sk, const struct sock_kind *kind)
{
	spin_lock_init(&sk->lock);
	lockdep_init_map(&sk->lock.map, kind->lock_name, kind);
	lockdep_init_map(&sk->owner_map, kind->owner_name, (const char *)kind + 1);
	spin_lock_init(&sk->queue.lock);
	init_waitqueue_head(&sk->wait);
	init_waitqueue_head(&sk->owner_wait);
}

void sock_init(struct sock *sk, const struct sock_kind *kind, struct net *net, bool user,
	       int family, struct socket *s, int protocol)
{
	refcount_set(&sk->refs, 1);
	sk->kind = kind;
	sk->family = (u16)family;
	sk->type = s ? (u16)s->type : 0;
	sk->protocol = (u16)protocol;
	sk->net = net;
	sk->net_user = user;
	init_locks(sk, kind);
	packet_list_init(&sk->backlog);
	packet_list_init(&sk->queue.rx);
	packet_list_init(&sk->queue.errors);
	sk->sndbuf = READ_ONCE(net_limits.wmem_default);
	sk->rcvbuf = READ_ONCE(net_limits.rmem_default);
	sk->rcvlowat = 1;
	sk->rcvtimeo = sk->sndtimeo = MAX_SCHEDULE_TIMEOUT;
	sk->incoming_cpu = -1;
	sk->peek_off = -1;
	sk->rx_stamp_ns = SOCK_NO_STAMP;
	sk->pacing_rate = ~0UL;
	sk->uid = current_uid();
	sk->socket = s;
}

struct sock *sock_alloc(const struct sock_kind *kind, struct net *net, bool user, int family,
			struct socket *s, int protocol, gfp_t gfp)
{
	struct sock *sk = kzalloc(kind->size, gfp);

	if (!sk)
		return NULL;
	if (user)
		get_net(net);
	else
		net_pin(net);
	sock_init(sk, kind, net, user, family, s, protocol);
	return sk;
}

static void sock_free(struct rcu_head *h)
{
	kfree(container_of(h, struct sock, rcu));
}

void sock_put(struct sock *sk)
{
	if (!refcount_dec_and_test(&sk->refs))
		return;
	if (sk->kind->destruct)
		sk->kind->destruct(sk);
	DEBUG_ON(!packet_list_empty(&sk->backlog));
	sock_filter_drop(sk);
	put_pid(sk->peer_pid);
	if (sk->peer_cred)
		put_cred(sk->peer_cred);
	if (sk->net_user)
		put_net(sk->net);
	else
		net_unpin(sk->net);
	if (sock_flag(sk, SOCK_F_RCU_FREE))
		call_rcu(&sk->rcu, sock_free);
	else
		kfree(sk);
}

void sock_orphan(struct sock *sk)
{
	spin_lock(&sk->lock);
	sock_set_flag(sk, SOCK_F_DEAD, true);
	sk->socket = NULL;
	WRITE_ONCE(sk->ino, 0);
	spin_unlock(&sk->lock);
}

void sock_net_unuse(struct sock *sk)
{
	if (!sk->net_user)
		return;
	sk->net_user = false;
	net_pin(sk->net);
	put_net(sk->net);
}

void sock_graft(struct sock *sk, struct socket *s)
{
	spin_lock(&sk->lock);
	sk->socket = s;
	sk->uid = file_inode(s->file)->i_uid;
	WRITE_ONCE(sk->ino, file_inode(s->file)->i_ino);
	spin_unlock(&sk->lock);
	s->sk = sk;
}

u64 sock_cookie(struct sock *sk)
{
	static atomic64_t last = ATOMIC64_INIT(0);
	s64 none = 0;

	if (!atomic64_read(&sk->cookie))
		atomic64_try_cmpxchg(&sk->cookie, &none, atomic64_add_return(1, &last));
	return (u64)atomic64_read(&sk->cookie);
}

/* ---- ownership ---- */

static void own(struct sock *sk)
{
	spin_lock(&sk->lock);
	while (unlikely(sk->owner)) {
		spin_unlock(&sk->lock);
		(void)___wait_event(sk->owner_wait, !READ_ONCE(sk->owner), TASK_UNINTERRUPTIBLE, 1,
				    0, schedule());
		spin_lock(&sk->lock);
	}
	WRITE_ONCE(sk->owner, current);
	spin_unlock(&sk->lock);
}

void lock_sock(struct sock *sk)
{
	might_sleep();
	lock_acquire(&sk->owner_map, 0, false, 0, true, _RET_IP_);
	own(sk);
}

void lock_sock_nested(struct sock *sk)
{
	might_sleep();
	lock_acquire(&sk->owner_map, 1, false, 0, true, _RET_IP_);
	own(sk);
}

/* Owner, sk->lock held; let go in between. */
static void run_backlog(struct sock *sk) __must_hold(sk -> lock)
{
	struct packet *p;

	while ((p = packet_list_take(&sk->backlog))) {
		spin_unlock(&sk->lock);
		sk->kind->backlog_rcv(sk, p);
		cond_resched();
		spin_lock(&sk->lock);
	}
	sk->backlog_bytes = 0;
}

void release_sock(struct sock *sk)
{
	spin_lock(&sk->lock);
	DEBUG_ON(sk->owner != current);
	if (!packet_list_empty(&sk->backlog))
		run_backlog(sk);
	if (sk->kind->release_cb)
		sk->kind->release_cb(sk);
	WRITE_ONCE(sk->owner, NULL);
	spin_unlock(&sk->lock);
	lock_release(&sk->owner_map, _RET_IP_);
	if (wq_has_sleeper(&sk->owner_wait))
		wake_up(&sk->owner_wait);
}

bool sock_backlog_add(struct sock *sk, struct packet *p)
{
	lockdep_assert_held(&sk->lock);
	DEBUG_ON(!sk->owner);
	if ((u64)sk->backlog_bytes + p->truesize >
	    (u64)READ_ONCE(sk->rcvbuf) + (u64)READ_ONCE(sk->sndbuf)) {
		atomic_inc(&sk->drops);
		return false;
	}
	sk->backlog_bytes += p->truesize;
	packet_list_add(&sk->backlog, p);
	return true;
}

/* ---- errors ---- */

int sock_take_error(struct sock *sk)
{
	return READ_ONCE(sk->err) ? -xchg(&sk->err, 0) : 0;
}

void sock_report_error(struct sock *sk)
{
	wake_up_interruptible_poll(&sk->wait, EPOLLERR);
	if (unlikely(rcu_access_pointer(sk->fasync)))
		kill_fasync(&sk->fasync, SIGIO, POLL_ERR);
}

ssize_t sock_pipe_error(const struct sock_msg *m, ssize_t done)
{
	if (done)
		return done;
	if (!(m->flags & MSG_NOSIGNAL))
		send_sig(SIGPIPE, current, 0);
	return -EPIPE;
}
