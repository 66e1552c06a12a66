// SPDX-License-Identifier: MIT
/*
 * TIME-WAIT, and a FIN_WAIT2 that nobody has open: a small entry in the table of connections
 * answers for a sock that is gone, so that old duplicates find no new connection of the same ends
 * (RFC 9293, 3.6.1), and the last ACK can be said again. A SYN that is provably newer begins anew
 * at once (RFC 6191).
 */
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <net/netdev.h>
#include "net/tcp/tcp_priv.h"

static struct inet_table *table_of(const struct inet_entry *e)
{
	return &e->net->tcp->table;
}

/* W is in no table, and keeps no port. */
static void leave(struct tcp_timewait *w)
{
	struct inet_table *table = table_of(&w->e);

	if (!inet_connected_del(table, &w->e))
		return;
	inet_port_untie(table, &w->tie);
	inet_entry_put(table, &w->e);
}

void tcp_timewait_forget(struct tcp_timewait *w)
{
	struct inet_table *table = table_of(&w->e);

	leave(w);
	smp_mb();		/* with arm() */
	if (wheel_cancel(&w->timer))
		inet_entry_put(table, &w->e);
}

static void fired(struct wheel_timer *timer)
{
	struct tcp_timewait *w = container_of(timer, struct tcp_timewait, timer);
	struct inet_table *table = table_of(&w->e);

	tcp_count_net(w->e.net, TCP_TW);
	leave(w);
	inet_entry_put(table, &w->e);
}

/*
 * W may be forgotten at any time: by its namespace's end, or for a SYN on another CPU. Its timer
 * must not be left armed then: it would pin the namespace for a minute. tcp_timewait_forget() takes
 * W out of the table before it cancels the timer; the timer is armed here before the table is
 * looked at.
 */
static void arm(struct tcp_timewait *w, u64 ns)
{
	refcount_inc(&w->e.refs);
	if (wheel_arm(&w->timer, ns))
		inet_entry_put(table_of(&w->e), &w->e);
	smp_mb();		/* with tcp_timewait_forget() */
	if (ghash_unhashed(&w->e.node) && wheel_cancel(&w->timer))
		inet_entry_put(table_of(&w->e), &w->e);
}

/* NULL: no memory, or there are too many. */
static struct tcp_timewait *make(struct tcp_net *n)
{
	struct tcp_timewait *w = NULL;

	if (atomic_add_return(1, &n->nr_timewait) <= READ_ONCE(n->max_timewait))
		w = kzalloc(sizeof(*w), GFP_ATOMIC | __GFP_NOWARN);
	if (!w)
		atomic_dec(&n->nr_timewait);
	return w;
}

void tcp_time_wait(struct tcp_sock *t, bool fin_wait2, u64 ns)
{
	struct tcp_timewait *w = make(tcp_net(t));
	struct inet_table *table = &tcp_net(t)->table;

	if (!w)
		tcp_count(t, TCP_TIME_WAIT_OVERFLOW);
	if (w) {
		w->e = t->inet.e;
		if (w->e.v6) {
			w->v6 = *w->e.v6;
			w->e.v6 = &w->v6;
		}
		ghash_node_init(&w->e.node);
		w->e.kind = INET_TIMEWAIT;
		refcount_set(&w->e.refs, 2);	/* the table's and ours */
		wheel_init_timer(&w->timer, fired);
		w->snd_nxt = t->snd_nxt;
		w->rcv_nxt = t->rcv_nxt;
		w->rcv_wnd = tcp_rcv_right(t) - t->rcv_nxt;
		w->rcv_wscale = t->rcv_wscale;
		w->ts_ok = t->ts_ok;
		w->ts_recent = t->ts_recent;
		w->entered_ns = ktime_get_ns();
		w->ts_offset = t->ts_offset;
		w->fin_wait2 = fin_wait2;
		net_pin(w->e.net);
		w->tie.e = &w->e;
		inet_port_tie(&t->inet, &w->tie);
		if (inet_connected_replace(table, &t->inet.e, &w->e)) {
			arm(w, ns);
			inet_entry_put(table, &w->e);
			sock_put(&t->inet.sk);		/* the table's: the caller has one */
		} else {
			inet_port_untie(table, &w->tie);
			atomic_dec(&tcp_net(t)->nr_timewait);
			net_unpin(w->e.net);
			kfree(w);
		}
	}
	tcp_done(t, 0);
}

static bool is_loopback(const struct tcp_timewait *w)
{
	const struct inet_entry *e = &w->e;

	if (e->bound_dev && e->net->loopback && e->bound_dev == e->net->loopback->ifindex)
		return true;
	return e->v6 ? ip6_is_loopback(&e->v6->local) || ip6_is_loopback(&e->v6->peer) :
		       ip4_is_loopback(e->local) || ip4_is_loopback(e->peer);
}

u32 tcp_timewait_reuse(struct tcp_sock *t, struct tcp_timewait *w)
{
	const struct tcp_net *n = tcp_net(t);
	int mode = READ_ONCE(n->tw_reuse);
	bool may = mode == 1 || (mode == 2 && is_loopback(w));
	u64 delay = (u64)READ_ONCE(n->tw_reuse_delay_ms) * NSEC_PER_MS;

	if (!w->ts_ok)
		return 0;
	/* A port that bind(2) gave is the program's wish. */
	if (!(t->inet.bind_gave & BOUND_PORT) &&
	    (!may || w->fin_wait2 || ktime_get_ns() - w->entered_ns <= delay))
		return 0;
	tcp_timewait_forget(w);
	return (w->snd_nxt + 65537) ?: 1;	/* beyond any window without a scale */
}

static void answer(struct tcp_timewait *w)
{
	struct tcp_tx_options o = { 0 };

	if (w->ts_ok) {
		o.ts = true;
		o.ts_val = tcp_clock_ms() + w->ts_offset;
		o.ts_ecr = w->ts_recent;
	}
	tcp_reply(&w->e, w->snd_nxt, w->rcv_nxt, TCP_ACK,
		  (u16)min(w->rcv_wnd >> w->rcv_wscale, 65535u), &o);
}

/*
 * S has nothing that must be answered: two ends that disagree would answer each other for ever (RFC
 * 5961, 7).
 */
static bool may_answer(struct tcp_timewait *w, const struct tcp_seg *s)
{
	u64 now = ktime_get_ns();

	if (s->len || s->flags & (TCP_SYN | TCP_FIN))
		return true;
	if (w->answered_ns && now - w->answered_ns < NSEC_PER_SEC / 2)
		return false;
	w->answered_ns = now;
	return true;
}

static bool is_newer_syn(const struct tcp_timewait *w, const struct tcp_seg *s)
{
	if ((s->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_SYN || w->fin_wait2)
		return false;
	return after(s->seq, w->rcv_nxt) ||
	       (w->ts_ok && s->has_ts && (s32)(s->ts_val - w->ts_recent) > 0);
}

/* PAWS: an old duplicate by its timestamp (RFC 7323, 5.3). */
static bool is_old_duplicate(const struct tcp_timewait *w, const struct tcp_seg *s)
{
	return w->ts_ok && s->has_ts && (s32)(s->ts_val - w->ts_recent) < 0;
}

/* Part of S lies in the window (RFC 9293, 3.10.7.4, the first check). */
static bool in_window(const struct tcp_timewait *w, const struct tcp_seg *s)
{
	u32 right = w->rcv_nxt + w->rcv_wnd;

	if (s->seq == w->rcv_nxt || (s->seq == right && s->end == right))
		return true;
	return after(s->end, w->rcv_nxt) && before(s->seq, right);
}

/* The peer's FIN, all before which is here. */
static void enter_time_wait(struct tcp_timewait *w, const struct tcp_seg *s)
{
	w->rcv_nxt = s->end;
	if (w->ts_ok && s->has_ts)
		w->ts_recent = s->ts_val;
	w->fin_wait2 = false;
	answer(w);
	arm(w, TCP_TIMEWAIT_NS);
}

/* In FIN_WAIT2 a RST ends the wait where it is sure to be the peer's (RFC 5961, 3.2). */
static void fin_wait2_reset(struct tcp_timewait *w, const struct tcp_seg *s)
{
	if (s->seq == w->rcv_nxt)
		tcp_timewait_forget(w);
	else if (in_window(w, s) && may_answer(w, s))
		answer(w);
}

/*
 * FIN_WAIT2: as tcp_input() has it, step by step. A segment outside the window, or one that
 * acknowledges bytes that were not sent, ends nothing: an ACK answers it.
 */
static void fin_wait2_rcv(struct tcp_timewait *w, struct packet *p, const struct tcp_seg *s)
{
	bool old = is_old_duplicate(w, s);

	if (s->flags & TCP_RST) {
		fin_wait2_reset(w, s);
		return;
	}
	if (old)
		tcp_count_net(w->e.net, TCP_PAWS_ESTAB);
	if (old || !in_window(w, s) || s->flags & TCP_SYN ||
	    (s->flags & TCP_ACK && after(s->ack, w->snd_nxt))) {
		if (may_answer(w, s))
			answer(w);
		return;
	}
	if (!(s->flags & TCP_ACK) || s->seq == s->end)
		return;
	if (s->flags & TCP_FIN && s->end == w->rcv_nxt + 1) {
		enter_time_wait(w, s);
	} else if (after(s->seq + s->len, w->rcv_nxt)) {
		tcp_reply_reset(w->e.net, p, s);	/* there is no reader */
		tcp_timewait_forget(w);
	} else {
		answer(w);		/* a FIN beyond a gap */
	}
}

/* A RST ends TIME-WAIT, unless tcp_rfc1337 says that none does (RFC 1337). */
static void time_wait_reset(struct tcp_timewait *w, const struct tcp_seg *s)
{
	if (s->seq == w->rcv_nxt && !is_old_duplicate(w, s) && !READ_ONCE(w->e.net->tcp->rfc1337))
		tcp_timewait_forget(w);
}

static void time_wait_rcv(struct tcp_timewait *w, const struct tcp_seg *s)
{
	if (!s->len && !(s->flags & (TCP_SYN | TCP_FIN)) && s->seq == w->rcv_nxt)
		return;
	if (may_answer(w, s))
		answer(w);
	if (s->flags & TCP_FIN)
		arm(w, TCP_TIMEWAIT_NS);
}

bool tcp_timewait_rcv(struct tcp_timewait *w, struct packet *p, const struct tcp_seg *s)
{
	if (is_newer_syn(w, s)) {
		tcp_timewait_forget(w);
		return true;
	}
	if (w->fin_wait2)
		fin_wait2_rcv(w, p, s);
	else if (s->flags & TCP_RST)
		time_wait_reset(w, s);
	else
		time_wait_rcv(w, s);
	packet_consume(p);
	return false;
}
