// SPDX-License-Identifier: MIT
/*
 * Calls upon listeners: listen(2), accept(2), and the end of one, with what it has not given away
 * (listen.c says how it comes to that).
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <kernel/rcu.h>
#include <net/netdev.h>
#include <sched/task.h>
#include <vfs/fcntl.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "net/ip4/ip4_priv.h"
#include "net/tcp/tcp_priv.h"

static bool is_rival(struct inet_sock *s, const void *arg)
{
	return READ_ONCE(s->sk.state) == TCPS_LISTEN && inet_ports_conflict(arg, s);
}

/*
 * Another listens at T's port, which both could be bound to as long as neither did. T is in LISTEN,
 * so that of two at once one sees the other.
 */
static bool has_rival(struct tcp_sock *t)
{
	struct inet_sock *s = &t->inet, *other;
	struct inet_table *table = &tcp_net(t)->table;
	struct inet_key k = { .net = s->sk.net,
			      .local = s->e.local,
			      .local_port = s->e.local_port,
			      .dif = s->sk.bound_dev,
			      .v6 = s->e.v6 };
	struct inet_owner at = { .sock = NULL };
	bool rival = false;

	do
		if (inet_port_owners(table, s->e.local_port, &at, &other, 1, is_rival, s)) {
			rival = true;
			sock_put(&other->sk);
		}
	while (at.list.next);
	rcu_read_lock();
	other = rival ? NULL : inet_bound_find(table, &k);
	rcu_read_unlock();
	if (other) {
		rival = is_rival(other, s);
		sock_put(&other->sk);
	}
	return rival;
}

int tcp_listen(struct socket *s, int backlog)
{
	struct tcp_sock *t = tcp_sk(s->sk);
	struct sock *sk = s->sk;
	struct inet_table *table = &tcp_net(t)->table;
	int e = 0;

	lock_sock(sk);
	if (!tcp_state_in(t, TCPS(CLOSE) | TCPS(LISTEN)) ||
	    (sk->state == TCPS_CLOSE && sk->shut && t->inet.e.peer.v)) {
		e = -EINVAL;
		goto out;
	}
	t->accept_max = min((u32)backlog, (u32)sock_conf(sk)->somaxconn);
	if (sk->state == TCPS_LISTEN)
		goto out;
	if (!t->inet.port)
		e = inet_port_get(table, &t->inet, 0);
	if (e)
		goto out;
	tcp_may_hash(t);
	spin_lock(&sk->lock);
	tcp_set_state(t, TCPS_LISTEN);
	spin_unlock(&sk->lock);
	if (has_rival(t)) {
		spin_lock(&sk->lock);
		tcp_set_state(t, TCPS_CLOSE);
		spin_unlock(&sk->lock);
		e = -EADDRINUSE;
		goto out;
	}
	inet_bound_add(table, &t->inet);
out:
	release_sock(sk);
	return e;
}

/* The first child that waits, off the queue; NULL. */
static struct tcp_sock *next_child(struct tcp_sock *l)
{
	struct tcp_sock *t;

	spin_lock(&l->inet.sk.lock);
	t = list_first_entry_or_null(&l->accept_queue, struct tcp_sock, accept_node);
	if (t) {
		list_del_init(&t->accept_node);
		l->accept_len--;
	}
	spin_unlock(&l->inet.sk.lock);
	return t;
}

int tcp_accept(struct socket *s, struct socket *fresh, int flags)
{
	struct tcp_sock *l = tcp_sk(s->sk), *t;
	struct sock *sk = s->sk;
	long timeo = sock_rcvtimeo(sk, flags & O_NONBLOCK);
	int e;

	for (;;) {
		if (READ_ONCE(sk->state) != TCPS_LISTEN)
			return -EINVAL;
		inet_table_reserve(&tcp_net(l)->table);	/* packets made children, and cannot */
		t = next_child(l);
		if (t)
			break;
		net_poll_look();
		net_ctx_flush();
		t = next_child(l);
		if (t)
			break;
		if (!timeo)
			return -EAGAIN;
		e = sock_waited(wait_event_interruptible_exclusive_timeout(
					sk->wait,
					READ_ONCE(l->accept_len) ||
						READ_ONCE(sk->state) != TCPS_LISTEN,
					timeo),
				&timeo);
		if (e)
			return e;
	}
	sock_graft(tcp_sock_of(t), fresh);
	return 0;
}

void tcp_listen_stop(struct tcp_sock *l)
{
	struct inet_table *table = &tcp_net(l)->table;
	struct tcp_request *q;
	struct tcp_sock *t;

	for (;;) {
		spin_lock(&l->inet.sk.lock);
		q = list_first_entry_or_null(&l->requests, struct tcp_request, node);
		if (q)
			refcount_inc(&q->e.refs);
		spin_unlock(&l->inet.sk.lock);
		if (!q)
			break;
		tcp_drop_request(q);
		inet_entry_put(table, &q->e);
		cond_resched();
	}
	while ((t = next_child(l))) {
		struct sock *sk = tcp_sock_of(t);

		lock_sock_nested(sk);
		sock_orphan(sk);
		rcu_read_lock();
		tcp_abort(t, 0);
		rcu_read_unlock();
		release_sock(sk);
		sock_put(sk);
		net_ctx_flush();	/* a RST each, and there may be many */
		cond_resched();
	}
}
