// SPDX-License-Identifier: MIT
/*
 * Listeners. A SYN makes a struct tcp_request, which lies in the table of connections and is all
 * that a peer gets for one packet; the ACK that proves that the peer hears us makes the child,
 * which takes the request's place in the table, in one step, and joins the accept queue.
 *
 * The listener's sk->lock guards both queues. A listener that closes gives its requests up, and
 * resets the children that nobody accepted. At most accept_max children wait, and as many requests:
 * a SYN beyond that is answered by a cookie (cookies.c), or where those are off dropped: the peer
 * will say it again.
 *
 * Locks: the listener's sk->lock, then the child's (nested).
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <kernel/printk.h>
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

void tcp_drop_request(struct tcp_request *q)
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
		o.ts_val = q->is_cookie ? tcp_cookie_stamp(q) : tcp_clock_ms() + q->ts_offset;
		o.ts_ecr = READ_ONCE(q->ts_recent);
	}
	q->sent_ns = q->was_sent ? 0 : ktime_get_ns();
	q->was_sent = true;
	tcp_reply(&q->e, q->snd_isn, q->rcv_isn + 1, TCP_SYN | TCP_ACK | (q->ecn_ok ? TCP_ECE : 0),
		  (u16)q->rcv_wnd, &o);
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
		tcp_drop_request(q);
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

/*
 * Q's ends and our part of it; the SYN, or the ACK of a cookie, has the rest. 0; -errno: there is
 * no way back.
 */
static int begin_request(struct tcp_request *q, struct tcp_sock *l, struct packet *p,
			 const struct tcp_seg *s)
{
	struct inet_way w;
	int e;

	*q = (struct tcp_request){ .listener = l };
	take_ends(q, l, p, s);
	e = inet_reply_way(&q->e, IPPROTO_TCP, &w);
	if (e)
		return e;
	INIT_LIST_HEAD(&q->node);
	q->mss = tcp_advertised_mss(l, inet_way_mtu(&w), w.six ? w.v6.r.advmss : w.v4.r.advmss,
				    inet_header_len(&q->e));
	q->ts_offset = tcp_make_ts_offset(q->e.net, q->e.local, q->e.peer);
	q->rcv_wnd = tcp_first_window(l, w.six ? w.v6.r.window : w.v4.r.window);
	return 0;
}

/* The options and the number of the SYN S. */
static void heed_syn(struct tcp_request *q, const struct tcp_seg *s)
{
	const struct tcp_net *n = q->e.net->tcp;

	q->rcv_isn = s->seq;
	q->mss_peer = tcp_agreed_mss(q->listener, s);
	q->wscale_ok = s->has_wscale && n->window_scaling;
	q->snd_wscale = q->wscale_ok ? s->wscale : 0;
	q->rcv_wscale = q->wscale_ok ? tcp_choose_wscale(n) : 0;
	q->sack_ok = s->sack_ok && n->sack;
	q->ts_ok = s->has_ts && n->timestamps;
	q->ts_recent = s->ts_val;
}

/* NULL: no memory, or no way back. */
static struct tcp_request *make_request(struct tcp_sock *l, struct packet *p,
					const struct tcp_seg *s)
{
	struct tcp_request *q = kmalloc(sizeof(*q), GFP_ATOMIC | __GFP_NOWARN);
	struct net *net = l->inet.sk.net;

	if (!q)
		return NULL;
	if (begin_request(q, l, p, s)) {
		kfree(q);
		return NULL;
	}
	heed_syn(q, s);
	q->ecn_ok = tcp_ecn_accepts(net->tcp, p, s);
	net_pin(net);
	refcount_set(&q->e.refs, 1);
	wheel_init_timer(&q->timer, request_timer);
	sock_hold(tcp_sock_of(l));
	q->snd_isn = tcp_make_isn(net, q->e.local, s->dst, q->e.peer, s->src);
	return q;
}

/*
 * How many may be half open. Where cookies stand in for those beyond, it is what the program asked
 * for.
 */
static u32 request_limit(const struct tcp_sock *l)
{
	if (READ_ONCE(tcp_net(l)->syncookies))
		return l->accept_max;
	return min(max(l->accept_max, 7u), (u32)READ_ONCE(tcp_net(l)->syn_backlog));
}

/* L's lock is held. 0: L takes one more connection, open or half open; else -EAGAIN, -ENOBUFS. */
static int may_take(struct tcp_sock *l)
{
	lockdep_assert_held(&l->inet.sk.lock);
	if (l->accept_len > l->accept_max)
		tcp_count(l, TCP_LISTEN_OVERFLOWS);
	if (l->inet.sk.state != TCPS_LISTEN || l->accept_len > l->accept_max)
		return -EAGAIN;
	return tcp_mem_is_out() ? -ENOBUFS : 0;
}

/* Q is L's, and in the table. 0, or -errno: it is neither. */
static int add_request(struct tcp_sock *l, struct tcp_request *q)
{
	struct inet_table *table = table_of(&q->e);
	int e;

	spin_lock(&l->inet.sk.lock);
	e = may_take(l);
	if (!e && l->nr_requests > request_limit(l))
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

/* The SYN S gets a cookie: always (tcp_syncookies is 2), or as too many are half open. */
static bool wants_cookie(struct tcp_sock *l, const struct tcp_seg *s)
{
	int mode = READ_ONCE(tcp_net(l)->syncookies);
	bool full = READ_ONCE(l->nr_requests) > request_limit(l);

	if (full)
		tcp_count(l, mode ? TCP_REQ_Q_FULL_DO_COOKIES : TCP_REQ_Q_FULL_DROP);
	if (full && mode != 2 && !READ_ONCE(l->flood_told)) {
		WRITE_ONCE(l->flood_told, true);
		pr_info_ratelimited("TCP: possible SYN flooding on port %u. %s.\n",
				    be16_get(s->dst),
				    mode ? "Sending cookies" : "Dropping request");
	}
	return mode && (full || mode == 2);
}

/* Answers the SYN S, and keeps nothing. False: L takes none. */
static bool send_cookie(struct tcp_sock *l, struct packet *p, const struct tcp_seg *s)
{
	struct tcp_request q;
	int e;

	spin_lock(&l->inet.sk.lock);
	e = may_take(l);
	spin_unlock(&l->inet.sk.lock);
	if (e || begin_request(&q, l, p, s))
		return false;
	heed_syn(&q, s);
	q.is_cookie = true;
	tcp_cookie_make(&q);
	tcp_cookie_sent(l);
	send_synack(&q);
	return true;
}

/* A request of S's, kept until it is answered. False: L takes none. */
static bool keep_request(struct tcp_sock *l, struct packet *p, const struct tcp_seg *s)
{
	struct tcp_request *q = make_request(l, p, s);
	struct inet_table *table;
	bool took;

	if (!q)
		return false;
	table = table_of(&q->e);
	refcount_inc(&q->e.refs);		/* ours beside the one that the table gets */
	took = !add_request(l, q);
	if (took)
		send_synack(q);
	else
		inet_entry_put(table, &q->e);
	inet_entry_put(table, &q->e);
	return took;
}

static bool cookie_acked(struct tcp_sock *l, struct packet *p, const struct tcp_seg *s);

void tcp_listen_rcv(struct tcp_sock *l, struct packet *p, const struct tcp_seg *s)
{
	if (s->flags & TCP_RST)
		goto drop;
	if (s->flags & TCP_ACK) {
		if (cookie_acked(l, p, s))
			return;
		goto drop;
	}
	if (!(s->flags & TCP_SYN) || s->flags & TCP_FIN || !s->src.v)
		goto drop;
	if (wants_cookie(l, s) ? send_cookie(l, p, s) : keep_request(l, p, s)) {
		packet_consume(p);
		return;
	}
	tcp_count(l, TCP_LISTEN_DROPS);
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
	t->ecn_ok = q->ecn_ok;
	t->ts_recent = READ_ONCE(q->ts_recent);
	t->ts_recent_ns = ktime_get_ns();
	t->ts_offset = q->ts_offset;
	t->mss_peer = q->mss_peer;
	t->advmss = q->mss;
	t->snd_wl1 = s->seq;
	t->snd_wnd = t->max_window = (u32)s->window << q->snd_wscale;
	if (q->sent_ns)
		tcp_rtt_sample(t, ktime_get_ns() - q->sent_ns);
}

/* L's lock is held, Q is a request of it, or was one. The child, locked, or NULL. */
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
	if (q->is_cookie ? inet_connected_add(table, &t->inet.e, NULL) :
			   !inet_connected_replace(table, &q->e, &t->inet.e)) {
		inet_port_put(table, &t->inet);
		spin_unlock(&sk->lock);
		sock_put(sk);
		sock_put(sk);
		return NULL;
	}
	if (!q->is_cookie)
		inet_entry_put(table, &q->e);
	tcp_count(t, TCP_PASSIVE_OPENS);
	return t;
}

/* T, a child of L, waits for accept(2), and has its first segment. Both are locked, and let go. */
static void admit(struct tcp_sock *l, struct tcp_sock *t, struct packet *p, const struct tcp_seg *s)
	__releases(l -> inet.sk.lock) __releases(t->inet.sk.lock)
{
	tcp_established(t);
	list_add_tail(&t->accept_node, &l->accept_queue);	/* with the first reference */
	l->accept_len++;
	spin_unlock(&l->inet.sk.lock);
	tcp_input(t, p, s);
	if (t->push_wanted)
		tcp_queue_push(t);
	spin_unlock(&t->inet.sk.lock);
	sock_wake_readable(&l->inet.sk);
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
	admit(l, t, p, s);
	return true;
}

/*
 * The ACK S, of no connection and no request: it may bring a cookie, and make a child. True: the
 * child has P. Any other ACK gets a RST; where L takes none now, the peer says it again.
 */
static bool cookie_acked(struct tcp_sock *l, struct packet *p, const struct tcp_seg *s)
{
	struct tcp_sock *t = NULL;
	struct tcp_request q;
	bool good = false;

	if (!(s->flags & TCP_SYN) && tcp_cookie_expected(l) && !begin_request(&q, l, p, s)) {
		good = tcp_cookie_read(&q, s);
		tcp_count(l, good ? TCP_SYNCOOKIES_RECV : TCP_SYNCOOKIES_FAILED);
	}
	if (!good) {
		tcp_reply_reset(l->inet.sk.net, p, s);
		return false;
	}
	q.is_cookie = true;
	spin_lock(&l->inet.sk.lock);
	if (!may_take(l))
		t = make_child(l, &q, s);
	if (t) {
		admit(l, t, p, s);
		return true;
	}
	spin_unlock(&l->inet.sk.lock);
	tcp_count(l, TCP_LISTEN_DROPS);
	return false;
}

/* PAWS: an old duplicate by its timestamp (RFC 7323, 5.3). */
static bool is_old_duplicate(const struct tcp_request *q, const struct tcp_seg *s)
{
	return q->ts_ok && s->has_ts && (s32)(s->ts_val - READ_ONCE(q->ts_recent)) < 0;
}

/* Part of S lies in the window that the SYN-ACK offered (RFC 9293, 3.10.7.4, the first check). */
static bool in_window(const struct tcp_request *q, const struct tcp_seg *s)
{
	u32 left = q->rcv_isn + 1, right = left + q->rcv_wnd;

	if (s->seq == left || (s->seq == right && s->end == right))
		return true;
	return after(s->end, left) && before(s->seq, right);
}

/*
 * S does not belong to Q's connection: an ACK says what does. Two ends that disagree would answer
 * each other for ever: one that carries no data is answered twice a second at most.
 */
static void answer_stray(struct tcp_request *q, const struct tcp_seg *s)
{
	struct tcp_tx_options o = { 0 };
	u64 now = ktime_get_ns(), last = READ_ONCE(q->answered_ns);

	if (!s->len || s->flags & TCP_SYN) {
		if (last && now - last < NSEC_PER_SEC / 2)
			return;
		WRITE_ONCE(q->answered_ns, now);
	}
	if (q->ts_ok) {
		o.ts = true;
		o.ts_val = tcp_ms(now) + q->ts_offset;
		o.ts_ecr = READ_ONCE(q->ts_recent);
	}
	tcp_reply(&q->e, q->snd_isn + 1, q->rcv_isn + 1, TCP_ACK,
		  (u16)(q->rcv_wnd >> q->rcv_wscale), &o);
}

void tcp_request_rcv(struct tcp_request *q, struct packet *p, const struct tcp_seg *s)
{
	bool full, old = is_old_duplicate(q, s);

	if (s->flags & TCP_RST) {
		if (s->seq == q->rcv_isn + 1) {
			tcp_count_net(q->e.net, TCP_EMBRYONIC_RSTS);
			tcp_count_net(q->e.net, TCP_ATTEMPT_FAILS);
			tcp_drop_request(q);
		}
		goto drop;
	}
	if ((s->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && s->seq == q->rcv_isn && !old) {
		send_synack(q);		/* it did not hear us */
		goto drop;
	}
	if (s->flags & TCP_ACK && s->ack != q->snd_isn + 1) {
		tcp_reply_reset(q->e.net, p, s);
		goto drop;
	}
	if (old || !in_window(q, s)) {
		if (old)
			tcp_count_net(q->e.net, TCP_PAWS_ESTAB);
		answer_stray(q, s);
		goto drop;
	}
	if (q->ts_ok && s->has_ts && !after(s->seq, q->rcv_isn + 1))
		WRITE_ONCE(q->ts_recent, s->ts_val);
	if (!(s->flags & TCP_ACK) || s->flags & TCP_SYN)
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
		tcp_drop_request(q);
	}
drop:
	packet_free(p, DROP_TCP);
}
