// SPDX-License-Identifier: MIT
/*
 * connect(2): the ends of a connection are chosen, of either family, and take their place in the
 * table before the SYN goes; connect(2) to AF_UNSPEC takes all of it back.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/random.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <net/netdev.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/fcntl.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "net/ip4/ip4_priv.h"
#include "net/core/core_priv.h"
#include "net/tcp/tcp_priv.h"
#include "net/wire/csum.h"

static int take_ends(struct inet_sock *s)
{
	struct inet_table *table = &s->sk.net->tcp->table;
	struct tcp_sock *t = container_of(s, struct tcp_sock, inet);
	struct inet_entry *was;
	int e;

	t->reuse_isn = 0;
	sock_hold(&s->sk);
	e = inet_connected_add(table, &s->e, &was);
	if (was) {
		if (was->kind == INET_TIMEWAIT)
			t->reuse_isn =
				tcp_timewait_reuse(t, container_of(was, struct tcp_timewait, e));
		inet_entry_put(table, was);
		if (t->reuse_isn)
			e = inet_connected_add(table, &s->e, NULL);
	}
	if (e)
		sock_put(&s->sk);
	return e;
}

/* S's route to N, and its source where it has none. Within RCU. */
static int route_to(struct inet_sock *s, const struct inet_name *n)
{
	struct ip4_flow f = {
		.dst = n->v4,
		.src = s->saddr,
		.oif = s->sk.bound_dev,
		.mark = s->sk.mark,
		.tos = s->tos,
		.protocol = IPPROTO_TCP,
		.any_src = inet_flag(s, INET_FREEBIND) || inet_flag(s, INET_TRANSPARENT),
		.uid = s->sk.uid,
	};
	int e;

	if (n->six) {
		e = inet_sock_route(s);
		if (!e && ip6_is_any(&s->six->saddr))
			s->six->saddr = s->six->route.src;
		return e;
	}
	e = route4_out(s->sk.net, &f, &s->route);
	if (e)
		return e;
	if (s->route.type == RTN_BROADCAST || s->route.type == RTN_MULTICAST)
		return -ENETUNREACH;
	s->e.peer = s->route.dst;
	if (ip4_is_zero(s->saddr))
		s->saddr = s->route.src;
	return 0;
}

/* The ends are chosen and T is in the table. Owner. */
static int choose_ends(struct tcp_sock *t, const struct inet_name *n)
{
	struct inet_sock *s = &t->inet;
	be16 port = s->e.local_port;
	int e;

	if (s->bind_gave & BOUND_ADDRESS && inet_is_six(s) != n->six)
		return n->six ? -EAFNOSUPPORT : -EINVAL;
	tcp_may_hash(t);
	if (s->six && !(s->bind_gave & BOUND_ADDRESS))
		inet_reset_local(s);
	if (n->six && ip6_is_multicast(&n->v6))
		return -ENETUNREACH;
	/* As on Linux the device of the scope is S's from here on, even if this fails. */
	e = inet_scope_of(s, n);
	if (e < 0)
		return e;
	s->sk.bound_dev = e;
	inet_set_peer(s, n);
	rcu_read_lock();
	e = route_to(s, n);
	rcu_read_unlock();
	if (!e) {
		inet_adopt_source(s);
		s->e.bound_dev = s->sk.bound_dev;
		e = s->port ? take_ends(s) : inet_port_connect(&tcp_net(t)->table, s, take_ends);
	}
	if (e) {
		inet_reset_peer(s);
		if (!(s->bind_gave & BOUND_ADDRESS))
			inet_reset_local(s);
		s->e.local_port = port;	/* also one that it had: getsockname(2) tells it */
	}
	return e;
}

static int start(struct tcp_sock *t, const struct inet_name *to)
{
	struct tcp_net *n = tcp_net(t);
	struct inet_entry *e = &t->inet.e;
	int err;

	err = choose_ends(t, to);
	if (err)
		return err;
	t->isn = t->reuse_isn ?:
				tcp_make_isn(e->net, e->local, e->local_port, e->peer, e->peer_port);
	t->ts_offset = tcp_make_ts_offset(e->net, e->local, e->peer);
	t->snd_una = t->snd_nxt = t->write_seq = t->snd_up = t->isn;
	t->rcv_nxt = t->rcv_wup = t->copied_seq = 0;
	t->sack_ok = n->sack;
	t->ts_ok = n->timestamps;
	t->wscale_ok = n->window_scaling;
	t->rcv_wscale = tcp_choose_wscale(n);
	t->route_window = inet_sock_route_window(&t->inet);
	t->rcv_wnd = tcp_first_window(t, t->route_window);
	t->mss_peer = TCPC_MSS_DEFAULT;
	tcp_set_state(t, TCPS_SYN_SENT);
	tcp_count(t, TCP_ACTIVE_OPENS);
	t->inet.sk.shut = 0;
	err = tcp_start_syn(t);
	if (err)
		tcp_done(t, 0);
	return err;
}

static int wait_connected(struct tcp_sock *t, long timeo)
{
	struct sock *sk = &t->inet.sk;
	long r;

	release_sock(sk);
	net_poll_look();
	net_ctx_flush();
	r = wait_event_interruptible_timeout(
		sk->wait, !tcp_state_in(t, TCPS(SYN_SENT) | TCPS(SYN_RECV)), timeo);
	lock_sock(sk);
	if (!tcp_state_in(t, TCPS(SYN_SENT) | TCPS(SYN_RECV)))
		return 0;
	return r < 0 ? (timeo == MAX_SCHEDULE_TIMEOUT ? -ERESTARTSYS : -EINTR) : -EINPROGRESS;
}

void tcp_disconnect(struct tcp_sock *t)
{
	const u32 open = TCPS(ESTABLISHED) | TCPS(CLOSE_WAIT) | TCPS(FIN_WAIT1) | TCPS(FIN_WAIT2);
	struct sock *sk = &t->inet.sk;
	bool listened = sk->state == TCPS_LISTEN;

	if (tcp_state_in(t, open))
		tcp_send_reset(t);
	if (tcp_state_in(t, open | TCPS(SYN_SENT)))
		sock_set_error(sk, ECONNRESET);
	tcp_done_for_now(t);
	if (listened)
		tcp_listen_stop(t);
	t->connecting = false;
	tcp_purge_received(t);
	sk->shut = 0;
	inet_reset_peer(&t->inet);
	if (!(t->inet.bind_gave & BOUND_ADDRESS))
		inet_reset_local(&t->inet);
	t->srtt8 = t->rttvar4 = t->min_rtt_us = t->cwnd_count = 0;
	t->rto_us = TCP_RTO_INIT_US;
	t->cwnd = TCP_INIT_CWND;
	t->ssthresh = U32_MAX / 2;
	t->recovery = TCP_REC_OPEN;
	t->nr_recent = t->quickacks = t->pushed = 0;
	t->dsack = (struct tcp_sack){ 0 };
	t->rack_ns = t->pace_next_ns = 0;
	t->undo_cwnd = 0;
	t->ecn_ok = t->ecn_echo = t->ecn_cwr = false;
	t->cwnd_limited = false;
	t->reordering = (u32)READ_ONCE(tcp_net(t)->reordering);
	t->probe_next = t->probe_out = false;
	t->no_room = t->ack_now = t->pingpong = false;
	t->urg_valid = t->urg_have = false;
	t->retries = t->backoff = 0;
	t->stuck_since_ns = 0;
	t->cc->init(t);
}

/*
 * A connect has ended, and this call is the first that tells how: 0 or -errno. One that failed
 * leaves nothing of the connection.
 */
static int outcome(struct tcp_sock *t)
{
	struct sock *sk = &t->inet.sk;
	int e = 0;

	t->connecting = false;
	if (sk->state == TCPS_CLOSE) {
		e = sock_take_error(sk) ?: -ECONNABORTED;
		tcp_disconnect(t);
	}
	return e;
}

static int connect_locked(struct tcp_sock *t, const struct __kernel_sockaddr_storage *a, int len,
			  long timeo)
{
	struct inet_name to;
	struct sock *sk = &t->inet.sk;
	bool fresh = false;
	int e;

	/* A mapped address is what it takes. */
	if (sk->state == TCPS_CLOSE && sk->family == AF_INET6 && len >= (int)sizeof(short) &&
	    a->ss_family == AF_INET)
		return len < INET6_NAME_LEAST ? -EINVAL : -EAFNOSUPPORT;
	e = inet_check_peer(&t->inet, a, len, &to);
	if (e > 0)
		tcp_disconnect(t);
	if (e)
		return e < 0 ? e : 0;
	if (t->connecting && !tcp_state_in(t, TCPS(SYN_SENT) | TCPS(SYN_RECV)))
		return outcome(t);
	if (sk->state == TCPS_CLOSE) {
		e = sock_take_error(sk);
		if (e && t->inet.e.peer.v)
			return e;
		if (sk->shut && t->inet.e.peer.v)
			tcp_disconnect(t);
		e = start(t, &to);
		if (e)
			return e;
		t->connecting = fresh = true;
	} else if (!tcp_state_in(t, TCPS(SYN_SENT) | TCPS(SYN_RECV))) {
		return -EISCONN;
	}
	if (tcp_state_in(t, TCPS(SYN_SENT) | TCPS(SYN_RECV))) {
		if (!timeo)
			return fresh ? -EINPROGRESS : -EALREADY;
		e = wait_connected(t, timeo);
		if (e)
			return e;
	}
	return outcome(t);
}

int tcp_connect(struct socket *s, const struct __kernel_sockaddr_storage *a, int len, int flags)
{
	struct sock *sk = s->sk;
	struct net_ctx ctx;
	int e;

	net_ctx_begin(&ctx);
	lock_sock(sk);
	e = connect_locked(tcp_sk(sk), a, len, sock_sndtimeo(sk, flags & O_NONBLOCK));
	release_sock(sk);
	net_ctx_end(&ctx);
	return e;
}
