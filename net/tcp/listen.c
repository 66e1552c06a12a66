// SPDX-License-Identifier: MIT
/*
 * Listeners. A SYN makes a struct tcp_request, which lies in the table of connections and is all
 * that a peer gets for one packet; the ACK that proves that the peer hears us makes the child,
 * which takes the request's place in the table, in one step, and joins the accept queue.
 *
 * The listener's sk->lock guards both queues. A listener that closes gives its requests up, and
 * resets the children that nobody accepted. At most accept_max children wait, and as many requests:
 * a SYN beyond that is dropped, the peer will say it again.
 *
 * Locks: the listener's sk->lock, then the child's (nested).
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <net/netdev.h>
#include <sched/task.h>
#include <vfs/fcntl.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "net/ip4/ip4_priv.h"
#include "net/tcp/tcp_priv.h"

static struct inet_table *table_of(const struct inet_entry *e)
{
	return &e->net->tcp->table;
}

static void request_free(struct rcu_head *h)
{
	struct tcp_request *q = container_of(h, struct tcp_request, rcu);
	struct net *net = q->e.net;

	kfree(q);
	net_unpin(net);
}

static void timewait_free(struct rcu_head *h)
{
	struct tcp_timewait *w = container_of(h, struct tcp_timewait, rcu);
	struct net *net = w->e.net;

	atomic_dec(&net->tcp->nr_timewait);
	kfree(w);
	net_unpin(net);
}

void tcp_entry_free(struct inet_entry *e)
{
	struct tcp_request *q = container_of(e, struct tcp_request, e);

	if (e->kind == INET_TIMEWAIT) {
		call_rcu(&container_of(e, struct tcp_timewait, e)->rcu, timewait_free);
		return;
	}
	sock_put(tcp_sock_of(q->listener));
	call_rcu(&q->rcu, request_free);
}

/* ---- requests ---- */

/*
 * The listener's lock is held. True: Q was one of its requests, and the list's reference is the
 * caller's.
 */
static bool unlink_request(struct tcp_sock *l, struct tcp_request *q)
{
	if (list_empty(&q->node))
		return false;
	list_del_init(&q->node);
	l->nr_requests--;
	return true;
}

/* Q is over: out of table, list and wheel. No lock held. */
static void drop_request(struct tcp_request *q)
{
	struct inet_table *table = table_of(&q->e);
	struct tcp_sock *l = q->listener;
	bool mine;

	spin_lock(&l->inet.sk.lock);
	mine = unlink_request(l, q);
	spin_unlock(&l->inet.sk.lock);
	if (inet_connected_del(table, &q->e))
		inet_entry_put(table, &q->e);
	if (wheel_cancel(&q->timer))
		inet_entry_put(table, &q->e);
	if (mine)
		inet_entry_put(table, &q->e);
}

static void send_synack(struct tcp_request *q)
{
	struct tcp_tx_options o = {
		.mss = q->mss, .sack_ok = q->sack_ok, .wscale = q->wscale_ok, .shift = q->rcv_wscale
	};

	if (q->ts_ok) {
		o.ts = true;
		o.ts_val = tcp_clock_ms() + q->ts_offset;
		o.ts_ecr = q->ts_recent;
	}
	tcp_reply(&q->e, q->snd_isn, q->rcv_isn + 1, TCP_SYN | TCP_ACK, (u16)q->rcv_wnd, &o);
}

/*
 * The listener's lock is held, and Q is a request of it: who takes it away cancels the timer
 * afterwards.
 */
static void arm_request(struct tcp_request *q)
{
	lockdep_assert_held(&q->listener->inet.sk.lock);
	refcount_inc(&q->e.refs);
	if (wheel_arm(&q->timer, (u64)TCP_RTO_INIT_US * 1000 << min_t(u8, q->tries, 6)))
		inet_entry_put(table_of(&q->e), &q->e);
}

/*
 * The peer has answered Q, whose listener wants data first (TCP_DEFER_ACCEPT): it is not asked
 * again before the time for that is over.
 */
static bool is_deferred(const struct tcp_request *q)
{
	return q->acked && q->tries < READ_ONCE(q->listener->defer_tries);
}

static void request_timer(struct wheel_timer *w)
{
	struct tcp_request *q = container_of(w, struct tcp_request, timer);
	spinlock_t *lock = &q->listener->inet.sk.lock;
	struct net_ctx c;
	bool again, quiet;

	net_ctx_begin(&c);
	spin_lock(lock);
	again = !list_empty(&q->node) &&
		(q->tries < q->e.net->tcp->synack_retries || is_deferred(q));
	q->tries++;
	quiet = is_deferred(q);
	if (again)
		arm_request(q);
	spin_unlock(lock);
	if (!again) {
		drop_request(q);
	} else if (!quiet) {
		tcp_count_net(q->e.net, TCP_RETRANS_SEGS);
		rcu_read_lock();
		send_synack(q);
		rcu_read_unlock();
	}
	net_ctx_end(&c);
	inet_entry_put(table_of(&q->e), &q->e);
}

/* Q's ends are those of P, received by L. */
static void take_ends(struct tcp_request *q, const struct tcp_sock *l, struct packet *p,
		      const struct tcp_seg *s)
{
	struct inet_key k;

	inet_key_received(&k, p, l->inet.sk.net, s->dst, s->src);
	q->e = (struct inet_entry){
		.net = l->inet.sk.net,
		.local = k.local,
		.peer = k.peer,
		.local_port = s->dst,
		.peer_port = s->src,
		.kind = INET_REQUEST,
		.family = AF_INET,
		.bound_dev = l->inet.sk.bound_dev,
	};
	if (!k.v6)
		return;
	q->v6 = k.pair;
	q->e.v6 = &q->v6;
	q->e.family = AF_INET6;
	if (ip6_needs_scope(&q->v6.peer))
		q->e.bound_dev = k.dif;
}

/* NULL: no memory, or no way back. */
static struct tcp_request *make_request(struct tcp_sock *l, struct packet *p,
					const struct tcp_seg *s)
{
	struct tcp_request *q = kzalloc(sizeof(*q), GFP_ATOMIC | __GFP_NOWARN);
	struct tcp_net *n = tcp_net(l);
	struct net *net = l->inet.sk.net;
	struct inet_way w;

	if (!q)
		return NULL;
	take_ends(q, l, p, s);
	if (inet_reply_way(&q->e, IPPROTO_TCP, &w)) {
		kfree(q);
		return NULL;
	}
	net_pin(net);
	refcount_set(&q->e.refs, 1);
	INIT_LIST_HEAD(&q->node);
	wheel_init_timer(&q->timer, request_timer);
	sock_hold(tcp_sock_of(l));
	q->listener = l;
	q->rcv_isn = s->seq;
	q->snd_isn = tcp_make_isn(net, q->e.local, s->dst, q->e.peer, s->src);
	q->mss = tcp_advertised_mss(l, inet_way_mtu(&w), w.six ? w.v6.r.advmss : w.v4.r.advmss,
				    inet_header_len(&q->e));
	q->mss_peer = max_t(u16, s->mss ?: TCPC_MSS_DEFAULT, TCP_MSS_MIN);
	q->wscale_ok = s->has_wscale && n->window_scaling;
	q->snd_wscale = q->wscale_ok ? s->wscale : 0;
	q->rcv_wscale = q->wscale_ok ? tcp_choose_wscale(n) : 0;
	q->sack_ok = s->sack_ok && n->sack;
	q->ts_ok = s->has_ts && n->timestamps;
	q->ts_recent = s->ts_val;
	q->ts_offset = tcp_make_ts_offset(net, q->e.local, q->e.peer);
	q->rcv_wnd = tcp_first_window(l, w.six ? w.v6.r.window : w.v4.r.window);
	return q;
}

static u32 request_limit(const struct tcp_sock *l)
{
	return min(max(l->accept_max, 7u), (u32)READ_ONCE(tcp_net(l)->syn_backlog));
}

/* Q is L's, and in the table. 0, or -errno: it is neither. */
static int add_request(struct tcp_sock *l, struct tcp_request *q)
{
	struct inet_table *table = table_of(&q->e);
	int e = 0;

	spin_lock(&l->inet.sk.lock);
	if (l->accept_len > l->accept_max)
		tcp_count(l, TCP_LISTEN_OVERFLOWS);
	if (tcp_mem_is_out())
		e = -ENOBUFS;
	if (l->inet.sk.state != TCPS_LISTEN || l->accept_len > l->accept_max ||
	    l->nr_requests > request_limit(l))
		e = -EAGAIN;
	if (!e)
		e = inet_connected_add(table, &q->e, NULL);	/* takes our reference */
	if (!e) {
		refcount_inc(&q->e.refs);
		list_add_tail(&q->node, &l->requests);
		l->nr_requests++;
		arm_request(q);
	}
	spin_unlock(&l->inet.sk.lock);
	return e;
}

void tcp_listen_rcv(struct tcp_sock *l, struct packet *p, const struct tcp_seg *s)
{
	struct tcp_request *q;

	if (s->flags & TCP_RST)
		goto drop;
	if (s->flags & TCP_ACK) {
		tcp_reply_reset(l->inet.sk.net, p, s);
		goto drop;
	}
	if (!(s->flags & TCP_SYN) || s->flags & TCP_FIN || !s->src.v)
		goto drop;
	q = make_request(l, p, s);
	if (!q)
		goto drop;
	refcount_inc(&q->e.refs);		/* ours beside the one that the table gets */
	if (add_request(l, q)) {
		tcp_count(l, TCP_LISTEN_DROPS);
		inet_entry_put(table_of(&q->e), &q->e);
	} else {
		send_synack(q);
	}
	inet_entry_put(table_of(&q->e), &q->e);
	packet_consume(p);
	return;
drop:
	packet_free(p, DROP_TCP);
}

/* ---- from a request to a child ---- */

static void fill_child(struct tcp_sock *t, const struct tcp_request *q, const struct tcp_seg *s)
{
	t->inet.e = q->e;
	ghash_node_init(&t->inet.e.node);
	t->inet.e.kind = INET_FULL;
	if (q->e.v6) {
		t->inet.v6 = q->v6;
		t->inet.e.v6 = &t->inet.v6;
		t->inet.six->saddr = q->v6.local;
		t->inet.sk.bound_dev = q->e.bound_dev;
	} else {
		t->inet.saddr = q->e.local;
	}
	t->isn = q->snd_isn;
	t->snd_una = t->snd_nxt = t->write_seq = q->snd_isn + 1;
	t->snd_up = t->snd_una;
	t->rcv_nxt = t->rcv_wup = t->copied_seq = q->rcv_isn + 1;
	t->rcv_wnd = q->rcv_wnd;
	t->snd_wscale = q->snd_wscale;
	t->rcv_wscale = q->rcv_wscale;
	t->wscale_ok = q->wscale_ok;
	t->sack_ok = q->sack_ok;
	t->ts_ok = q->ts_ok;
	t->ts_recent = q->ts_recent;
	t->ts_recent_ns = ktime_get_ns();
	t->ts_offset = q->ts_offset;
	t->mss_peer = q->mss_peer;
	t->snd_wl1 = s->seq;
	t->snd_wnd = t->max_window = (u32)s->window << q->snd_wscale;
}

/* L's lock is held, Q is a request of it. The child, locked, or NULL. */
static struct tcp_sock *make_child(struct tcp_sock *l, struct tcp_request *q,
				   const struct tcp_seg *s)
{
	struct inet_table *table = table_of(&q->e);
	struct tcp_sock *t = tcp_child(l);
	struct sock *sk;

	lockdep_assert_held(&l->inet.sk.lock);
	if (!t)
		return NULL;
	sk = &t->inet.sk;
	fill_child(t, q, s);
	spin_lock_nested(&sk->lock, 1);
	if (inet_port_share(table, &t->inet, &l->inet)) {
		spin_unlock(&sk->lock);
		sock_put(sk);
		return NULL;
	}
	inet_sock_route(&t->inet);
	t->route_window = inet_sock_route_window(&t->inet);
	sock_hold(sk);				/* the table's */
	if (!inet_connected_replace(table, &q->e, &t->inet.e)) {
		inet_port_put(table, &t->inet);
		spin_unlock(&sk->lock);
		sock_put(sk);
		sock_put(sk);
		return NULL;
	}
	inet_entry_put(table, &q->e);
	tcp_count(t, TCP_PASSIVE_OPENS);
	return t;
}

/*
 * The ACK that completes the handshake. True: P was consumed by the child. *FULL: no, as too many
 * wait.
 */
static bool complete(struct tcp_request *q, struct packet *p, const struct tcp_seg *s, bool *full)
{
	struct inet_table *table = table_of(&q->e);
	struct tcp_sock *l = q->listener, *t;

	spin_lock(&l->inet.sk.lock);
	*full = !list_empty(&q->node) && (l->accept_len > l->accept_max || tcp_mem_is_out());
	if (*full) {
		tcp_count(l, TCP_LISTEN_OVERFLOWS);
		tcp_count(l, TCP_LISTEN_DROPS);
	}
	if (l->inet.sk.state != TCPS_LISTEN || list_empty(&q->node) || *full) {
		spin_unlock(&l->inet.sk.lock);
		return false;		/* full: the peer's data, or our SYN-ACK, comes again */
	}
	t = make_child(l, q, s);
	if (!t) {
		spin_unlock(&l->inet.sk.lock);
		return false;
	}
	unlink_request(l, q);
	inet_entry_put(table, &q->e);
	if (wheel_cancel(&q->timer))
		inet_entry_put(table, &q->e);
	tcp_established(t);
	list_add_tail(&t->accept_node, &l->accept_queue);	/* with the first reference */
	l->accept_len++;
	spin_unlock(&l->inet.sk.lock);
	tcp_input(t, p, s);
	if (t->push_wanted)
		tcp_queue_push(t);
	spin_unlock(&t->inet.sk.lock);
	sock_wake_readable(&l->inet.sk);
	return true;
}

void tcp_request_rcv(struct tcp_request *q, struct packet *p, const struct tcp_seg *s)
{
	bool full;

	if (q->ts_ok && s->has_ts && (s32)(s->ts_val - q->ts_recent) < 0 && !(s->flags & TCP_RST)) {
		tcp_count_net(q->e.net, TCP_PAWS_ESTAB);
		goto drop;
	}
	if (s->flags & TCP_RST) {
		if (s->seq == q->rcv_isn + 1) {
			tcp_count_net(q->e.net, TCP_EMBRYONIC_RSTS);
			tcp_count_net(q->e.net, TCP_ATTEMPT_FAILS);
			drop_request(q);
		}
		goto drop;
	}
	if (s->flags & TCP_SYN) {
		if (s->seq == q->rcv_isn)
			send_synack(q);		/* it did not hear us */
		goto drop;
	}
	if (!(s->flags & TCP_ACK))
		goto drop;
	if (s->ack != q->snd_isn + 1) {
		tcp_reply_reset(q->e.net, p, s);
		goto drop;
	}
	if (before(s->seq, q->rcv_isn + 1) || after(s->seq, q->rcv_isn + 1 + q->rcv_wnd))
		goto drop;
	if (!s->len && !(s->flags & TCP_FIN)) {
		WRITE_ONCE(q->acked, true);
		if (is_deferred(q))
			goto drop;
	}
	if (complete(q, p, s, &full))
		return;
	if (full && READ_ONCE(q->e.net->tcp->abort_on_overflow)) {
		tcp_reply_reset(q->e.net, p, s);
		drop_request(q);
	}
drop:
	packet_free(p, DROP_TCP);
}

/* ---- calls ---- */

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
		drop_request(q);
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
		cond_resched();
	}
}
