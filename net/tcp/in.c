// SPDX-License-Identifier: MIT
/*
 * A segment for a full sock, step by step as RFC 9293, 3.10.7 has it: is its sequence acceptable
 * (with PAWS, RFC 7323, 5); RST; SYN; ACK; urgent pointer; data; FIN. Blind attacks on RST, SYN and
 * ACK are answered as RFC 5961 says, a few times a second.
 *
 * Data in order goes to the receive queue, what came early to a tree; what fills a hole brings the
 * early ones behind it along. Each byte is charged with what holds it, and a receiver that is out
 * of room drops the early ones first.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <net/netdev.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "net/ip4/ip4_priv.h"
#include "net/tcp/tcp_priv.h"
#include "net/wire/csum.h"

#define CHALLENGES_A_SECOND 100
#define PAWS_DAYS_NS (24ull * 24 * 3600 * NSEC_PER_SEC)
#define DATA_STATES (TCPS(ESTABLISHED) | TCPS(FIN_WAIT1) | TCPS(FIN_WAIT2))

/* ---- answers ---- */

static void challenge_ack(struct tcp_sock *t)
{
	u64 now = ktime_get_ns();

	if (now - t->challenge_ns >= NSEC_PER_SEC) {
		t->challenge_ns = now;
		t->challenges = 0;
	}
	if (t->challenges++ < CHALLENGES_A_SECOND) {
		tcp_count(t, TCP_CHALLENGE_ACK);
		tcp_send_ack(t);
	}
}

/* Sends an ACK, now or soon. */
static void ack_for_data(struct tcp_sock *t)
{
	u32 owed = t->rcv_nxt - t->rcv_wup;

	if (t->ack_now || t->quickacks || !RB_EMPTY_ROOT(&t->early) ||
	    (owed > t->rcv_mss && tcp_space(t) >= t->rcv_wnd)) {
		tcp_send_ack(t);
		return;
	}
	if (owed && !wheel_is_armed(&t->delack_timer))
		tcp_timer_arm(t, &t->delack_timer, TCP_DELACK_NS);
}

/* ---- SACK of ours ---- */

/* BEGIN..END came early: it is told first, joined with what it touches. */
static void note_early(struct tcp_sock *t, u32 begin, u32 end)
{
	struct tcp_sack now = { begin, end };
	u8 n = 0;

	for (u8 i = 0; i < t->nr_recent; i++) {
		struct tcp_sack b = t->recent[i];

		if (before(now.end, b.begin) || before(b.end, now.begin)) {
			t->recent[n++] = b;
			continue;
		}
		now.begin = before(b.begin, now.begin) ? b.begin : now.begin;
		now.end = after(b.end, now.end) ? b.end : now.end;
	}
	if (n == TCP_SACK_BLOCKS)
		n--;
	memmove(t->recent + 1, t->recent, n * sizeof(now));
	t->recent[0] = now;
	t->nr_recent = n + 1;
}

/* What lies before rcv_nxt is not early any more. */
static void forget_early(struct tcp_sock *t)
{
	u8 n = 0;

	for (u8 i = 0; i < t->nr_recent; i++)
		if (after(t->recent[i].begin, t->rcv_nxt))
			t->recent[n++] = t->recent[i];
	t->nr_recent = n;
}

u32 tcp_sack_options(struct tcp_sock *t, struct tcp_tx_options *o, u32 room)
{
	u32 most = room < 12 ? 0 : min((room - 4) / 8, (u32)TCP_SACK_BLOCKS);

	if (!t->sack_ok)
		return 0;
	if (!READ_ONCE(tcp_net(t)->dsack))
		t->dsack = (struct tcp_sack){ 0 };
	if (t->dsack.begin != t->dsack.end && o->nr_sack < most) {
		o->sack[o->nr_sack++] = t->dsack;
		tcp_count(t, after(t->dsack.end, t->rcv_nxt) ? TCP_DSACK_OFO_SENT :
							       TCP_DSACK_OLD_SENT);
	}
	for (u8 i = 0; i < t->nr_recent && o->nr_sack < most; i++)
		o->sack[o->nr_sack++] = t->recent[i];
	return o->nr_sack;
}

/* ---- data ---- */

static void charge(struct tcp_sock *t, struct packet *p)
{
	packet_orphan(p);
	atomic_add((int)p->truesize, &t->inet.sk.rmem);
}

static void drop_early(struct tcp_sock *t, struct packet *p)
{
	rb_erase(&tcp_cb(p)->rb, &t->early);
	atomic_sub((int)p->truesize, &t->inet.sk.rmem);
	packet_free(p, DROP_RCVBUF);
	tcp_mem_release(t);
}

static void drop_all_early(struct tcp_sock *t)
{
	while (!RB_EMPTY_ROOT(&t->early))
		drop_early(t, tcp_packet_of(rb_first(&t->early)));
	t->nr_recent = 0;
}

/*
 * All sockets together have memory for P: what came early goes first; a reader that has nothing
 * gets the next packet in any case.
 */
static bool has_memory(struct tcp_sock *t, struct packet *p)
{
	bool next = tcp_cb(p)->seq == t->rcv_nxt;

	if (likely(tcp_mem_charge(t, p->truesize, false)))
		return true;
	if (next && !RB_EMPTY_ROOT(&t->early)) {
		drop_all_early(t);
		tcp_count(t, TCP_PRUNE_CALLED);
		tcp_count(t, TCP_OFO_PRUNED);
	}
	return tcp_mem_charge(t, p->truesize, next && packet_list_empty(&t->inet.sk.queue.rx));
}

/*
 * Makes room by dropping what came early, the last first. True: P has room; one packet may be
 * longer than there is.
 */
static bool make_room(struct tcp_sock *t, struct packet *p)
{
	struct sock *sk = &t->inet.sk;
	bool pruned = false;

	while ((s64)atomic_read(&sk->rmem) + p->truesize > 2 * (s64)READ_ONCE(sk->rcvbuf) &&
	       !RB_EMPTY_ROOT(&t->early)) {
		drop_early(t, tcp_packet_of(rb_last(&t->early)));
		t->nr_recent = 0;	/* nothing is promised any more */
		pruned = true;
	}
	if (pruned) {
		tcp_count(t, TCP_PRUNE_CALLED);
		tcp_count(t, TCP_OFO_PRUNED);
	}
	return (atomic_read(&sk->rmem) <= READ_ONCE(sk->rcvbuf) ||
		(s64)atomic_read(&sk->rmem) + p->truesize <= 2 * (s64)READ_ONCE(sk->rcvbuf)) &&
	       has_memory(t, p);
}

/* The peer's FIN, in order. What it sent beyond its own end is nothing. */
static void got_fin(struct tcp_sock *t)
{
	struct sock *sk = &t->inet.sk;

	drop_all_early(t);
	sk->shut |= 1;
	t->ack_now = true;
	switch (sk->state) {
	case TCPS_SYN_RECV:
	case TCPS_ESTABLISHED:
		tcp_set_state(t, TCPS_CLOSE_WAIT);
		break;
	case TCPS_FIN_WAIT1:
		tcp_set_state(t, TCPS_CLOSING);
		break;
	case TCPS_FIN_WAIT2:
		tcp_send_ack(t);
		tcp_time_wait(t, false, TCP_TIMEWAIT_NS);
		return;
	}
	sock_wake_state(sk);
	if (unlikely(rcu_access_pointer(sk->fasync)))
		kill_fasync(&sk->fasync, SIGIO, sk->shut == 3 ? POLL_HUP : POLL_IN);
}

/* P begins at rcv_nxt: it is the reader's. True: it had the FIN. */
static bool take_in_order(struct tcp_sock *t, struct packet *p)
{
	struct tcp_cb *cb = tcp_cb(p);
	bool fin = cb->flags & TCP_FIN;

	t->rcv_nxt = cb->end;
	t->bytes_received += p->len;
	if (!p->len) {
		atomic_sub((int)p->truesize, &t->inet.sk.rmem);
		packet_consume(p);
	} else {
		packet_list_add(&t->inet.sk.queue.rx, p);
	}
	return fin;
}

/* P begins before rcv_nxt, or what came before it: what is there already is cut off. */
static void cut_front(struct packet *p, u32 upto)
{
	struct tcp_cb *cb = tcp_cb(p);

	packet_drop_front(p, min(upto - cb->seq, p->len));
	cb->seq = upto;
}

/*
 * The hole before the early ones is filled: those that follow are in order. True: one had the FIN.
 * The receive buffer bounds them (make_room()), 704 bytes each at least: 18,000 with the largest of
 * tcp_rmem (6 MiB), of a peer that sends a byte each.
 */
static bool take_early(struct tcp_sock *t)
{
	struct packet *p;
	bool fin = false;

	while (!fin && (p = tcp_packet_of(rb_first(&t->early))) &&
	       !after(tcp_cb(p)->seq, t->rcv_nxt)) {
		struct tcp_cb *cb = tcp_cb(p);

		if (!after(cb->end, t->rcv_nxt)) {
			drop_early(t, p);
			continue;
		}
		rb_erase(&cb->rb, &t->early);
		if (before(cb->seq, t->rcv_nxt))
			cut_front(p, t->rcv_nxt);
		fin = take_in_order(t, p);
	}
	forget_early(t);
	return fin;
}

/* P came early. Of what is there already one copy is kept. */
static void put_early(struct tcp_sock *t, struct packet *p)
{
	struct rb_node **link = &t->early.node, *parent = NULL;
	struct tcp_cb *cb = tcp_cb(p);

	while (*link) {
		struct tcp_cb *b = tcp_cb(tcp_packet_of(*link));

		parent = *link;
		if (!before(cb->seq, b->seq) && !after(cb->end, b->end)) {
			t->dsack = (struct tcp_sack){ cb->seq, cb->end };
			note_early(t, b->seq, b->end);
			tcp_count(t, TCP_OFO_MERGE);
			packet_free(p, DROP_TCP);
			return;
		}
		link = before(cb->seq, b->seq) ? &parent->left : &parent->right;
	}
	note_early(t, cb->seq, cb->end);
	tcp_count(t, TCP_OFO_QUEUE);
	charge(t, p);
	rb_link_node(&cb->rb, parent, link);
	rb_insert_color(&cb->rb, &t->early);
}

/*
 * How much the peer sends at a time: an ACK goes for two such segments. One that is shorter, or
 * pushed, may be the last for now.
 */
static void measure_mss(struct tcp_sock *t, const struct packet *p, const struct tcp_seg *s)
{
	u32 len = p->gso_size ? min_t(u32, s->len, p->gso_size) : s->len;

	if (len < t->rcv_mss)
		t->pushed = t->pushed ? 2 : 1;
	else if (s->flags & TCP_PSH && !t->pushed)
		t->pushed = 1;
	if (len >= t->rcv_mss)
		t->rcv_mss = min(len, 65535u);
}

/* What the window has no room for is cut off. False: that is all of P. */
static bool cut_back(struct tcp_sock *t, struct packet *p)
{
	struct tcp_cb *cb = tcp_cb(p);

	if (!after(cb->end, tcp_rcv_right(t)) || !p->len)
		return true;
	if (!after(tcp_rcv_right(t), cb->seq))
		return false;
	packet_trim(p, min(p->len, tcp_rcv_right(t) - cb->seq));
	cb->end = cb->seq + p->len;
	cb->flags &= (u8)~TCP_FIN;
	return true;
}

/* P begins at rcv_nxt, has room and may fill a hole. */
static void next_in_order(struct tcp_sock *t, struct packet *p)
{
	struct sock *sk = &t->inet.sk;
	bool fin;

	charge(t, p);
	fin = take_in_order(t, p);
	if (!fin && !RB_EMPTY_ROOT(&t->early)) {
		t->ack_now = true;
		fin = take_early(t);
	}
	if (fin)
		got_fin(t);
	else if (!packet_list_empty(&sk->queue.rx) && tcp_is_readable(t))
		sock_wake_readable(sk);
}

/* The payload and FIN of S. Consumes P. */
static void data(struct tcp_sock *t, struct packet *p, const struct tcp_seg *s)
{
	struct sock *sk = &t->inet.sk;
	struct tcp_cb *cb = tcp_cb(p);
	u32 end = s->end;

	packet_pull(p, s->hdr);
	*cb = (struct tcp_cb){ .seq = s->seq, .end = end, .flags = s->flags & (TCP_FIN | TCP_PSH) };
	if (!after(end, t->rcv_nxt)) {			/* all of it is old */
		t->dsack = (struct tcp_sack){ s->seq, end };
		tcp_count(t, TCP_DELAYED_ACK_LOST);
		t->ack_now = true;
		goto drop;
	}
	if (before(s->seq, t->rcv_nxt)) {
		t->dsack = (struct tcp_sack){ s->seq, t->rcv_nxt };
		cut_front(p, t->rcv_nxt);
	}
	/*
	 * The window is shut, but for what came early alone: nobody could ever read that before
	 * this segment.
	 */
	if (cb->seq == t->rcv_nxt && !after(tcp_rcv_right(t), cb->seq) &&
	    packet_list_empty(&sk->queue.rx)) {
		drop_all_early(t);
		t->rcv_wup = t->rcv_nxt;
		t->rcv_wnd = end - t->rcv_nxt;
	}
	if (!cut_back(t, p)) {
		tcp_count(t, TCP_ZERO_WINDOW_DROP);
		t->ack_now = true;
		goto drop;
	}
	if (!make_room(t, p)) {
		t->no_room = t->ack_now = true;
		tcp_count(t, TCP_RCVQ_DROP);
		tcp_count(t, TCP_RCV_PRUNED);
		atomic_inc(&sk->drops);
		if (!packet_list_empty(&sk->queue.rx))
			/* more than this does not come, whatever SO_RCVLOWAT says */
			sock_wake_readable(sk);
		goto drop;
	}
	t->data_segs_in += p->gso_segs ?: 1;
	t->last_data_rx_ns = t->last_rx_ns;
	tcp_ecn_data(t, p, s);
	measure_mss(t, p, s);
	if (cb->seq != t->rcv_nxt) {
		t->ack_now = true;
		put_early(t, p);
		return;
	}
	next_in_order(t, p);
	return;
drop:
	packet_free(p, DROP_TCP);
}

/* ---- urgent data (RFC 6093): the mark is the byte before the pointer, as everybody has it ---- */

/* S tells of a mark, which may lie behind its own bytes. */
static void mark(struct tcp_sock *t, const struct tcp_seg *s)
{
	u32 at = s->seq + s->urgent - 1;

	if (!s->urgent || before(at, t->copied_seq) || (t->urg_valid && !after(at, t->urg_seq)))
		return;
	/*
	 * A reader at the last mark has read all bytes before it: the mark's byte does not
	 * become a part of the stream.
	 */
	if (t->urg_valid && t->urg_seq == t->copied_seq && after(t->rcv_nxt, t->urg_seq) &&
	    !sock_flag(&t->inet.sk, SOCK_F_OOBINLINE))
		tcp_pass_mark(t);
	t->urg_valid = true;
	t->urg_have = t->urg_read = false;
	t->urg_seq = at;
	if (unlikely(rcu_access_pointer(t->inet.sk.fasync)) || t->inet.sk.socket)
		sock_urgent(&t->inet.sk);
}

/* The mark is known, its byte is waited for: any segment may bring it, with or without URG. */
static void take_marked(struct tcp_sock *t, struct packet *p, const struct tcp_seg *s)
{
	u32 off = t->urg_seq - s->seq;

	if (off < s->len && packet_read(p, s->hdr + off, &t->urg_byte, 1)) {
		t->urg_have = true;
		wake_up_interruptible_poll(&t->inet.sk.wait, EPOLLPRI);
	}
}

/* ---- the steps ---- */

/* PAWS: an old duplicate by its timestamp (RFC 7323, 5.3); a RST is believed all the same. */
static bool is_old_duplicate(const struct tcp_sock *t, const struct tcp_seg *s)
{
	return t->ts_ok && s->has_ts && !(s->flags & TCP_RST) &&
	       (s32)(s->ts_val - t->ts_recent) < 0 &&
	       ktime_get_ns() - t->ts_recent_ns < PAWS_DAYS_NS;
}

static bool in_window(const struct tcp_sock *t, const struct tcp_seg *s)
{
	return !after(s->seq, tcp_rcv_right(t)) && !before(s->end, t->rcv_wup);
}

static void remember_ts(struct tcp_sock *t, const struct tcp_seg *s)
{
	if (!t->ts_ok || !s->has_ts || after(s->seq, t->rcv_wup) ||
	    (s32)(s->ts_val - t->ts_recent) < 0)
		return;
	t->ts_recent = s->ts_val;
	t->ts_recent_ns = ktime_get_ns();
}

static void reset(struct tcp_sock *t)
{
	int err = t->inet.sk.state == TCPS_SYN_SENT   ? ECONNREFUSED :
		  t->inet.sk.state == TCPS_CLOSE_WAIT ? EPIPE :
							ECONNRESET;

	tcp_done(t, err);
}

/* The route knows of longer round trips than the handshake's: the first timeout allows for them. */
static void expect_route_rtt(struct tcp_sock *t)
{
	u64 us = (u64)inet_sock_route_rtt(&t->inet) * 1000 / 8;

	if (us <= t->srtt8 >> 3)
		return;
	t->rto_us = (u32)clamp(us + max(2 * us, (u64)t->rto_min_us), (u64)t->rto_us,
			       (u64)TCP_RTO_MAX_US);
}

void tcp_established(struct tcp_sock *t)
{
	struct sock *sk = &t->inet.sk;

	tcp_set_state(t, TCPS_ESTABLISHED);
	tcp_sync_mss(t);
	t->rcv_mss =
		max(min3((u32)t->mss, t->rcv_wnd / 2, (u32)TCPC_MSS_DEFAULT), (u32)TCP_MSS_MIN);
	t->copied_seq = t->rcv_nxt;
	t->drs_seq = t->copied_seq;
	t->drs_begin_ns = t->last_rx_ns = t->last_data_rx_ns = ktime_get_ns();
	t->push_seq = t->write_seq;
	t->cwnd_round_end = t->snd_una;
	t->quickacks = TCP_QUICKACKS;
	t->retries = t->backoff = 0;
	t->stuck_since_ns = 0;
	expect_route_rtt(t);
	if (!(sk->buf_locks & SOCK_SNDBUF_LOCK))
		WRITE_ONCE(sk->sndbuf, max(sk->sndbuf, min(4 * TCP_INIT_CWND * (t->mss + 1024),
							   tcp_net(t)->wmem[2])));
	if (sock_flag(sk, SOCK_F_KEEPALIVE))
		tcp_keepalive(sk, true);
}

/* The options of a SYN that answers ours, or comes to a listener. */
static void peer_options(struct tcp_sock *t, const struct tcp_seg *s)
{
	t->wscale_ok = t->wscale_ok && s->has_wscale;
	t->snd_wscale = t->wscale_ok ? s->wscale : 0;
	if (!t->wscale_ok)
		t->rcv_wscale = 0;
	t->sack_ok = t->sack_ok && s->sack_ok;
	t->ts_ok = t->ts_ok && s->has_ts;
	if (t->ts_ok) {
		t->ts_recent = s->ts_val;
		t->ts_recent_ns = ktime_get_ns();
	}
	t->mss_peer = tcp_agreed_mss(t, s);
	t->rcv_nxt = t->rcv_wup = t->copied_seq = s->seq + 1;
	t->snd_wnd = t->max_window = s->window;
	t->snd_wl1 = s->seq;
}

/* RFC 9293, 3.10.7.3. */
static void syn_sent(struct tcp_sock *t, struct packet *p, const struct tcp_seg *s)
{
	if (s->flags & TCP_ACK && (!after(s->ack, t->snd_una) || after(s->ack, t->snd_nxt))) {
		if (!(s->flags & TCP_RST))
			tcp_reply_reset(t->inet.sk.net, p, s);
		goto drop;
	}
	if (s->flags & TCP_RST) {
		if (s->flags & TCP_ACK)
			reset(t);
		goto drop;
	}
	if (!(s->flags & TCP_SYN))
		goto drop;
	peer_options(t, s);
	tcp_ecn_synack(t, s, tcp_cb(packet_list_first(&t->sndq))->flags);
	if (s->flags & TCP_ACK) {
		tcp_ack(t, s);
		tcp_established(t);
		sock_wake_state(&t->inet.sk);
		if (unlikely(rcu_access_pointer(t->inet.sk.fasync)))
			kill_fasync(&t->inet.sk.fasync, SIGIO, POLL_OUT);
		if (t->send_head && t->packets_out == 0)
			tcp_push(t, TCP_PUSH_NAGLE);
		tcp_send_ack(t);
	} else {				/* both ends at once: our SYN again, with the ACK */
		tcp_set_state(t, TCPS_SYN_RECV);
		tcp_retransmit(t, packet_list_first(&t->sndq));
	}
drop:
	packet_consume(p);
}

void tcp_await_fin(struct tcp_sock *t)
{
	int linger = t->linger2_s;

	if (linger < 0) {
		tcp_count(t, TCP_ABORT_ON_LINGER);
		tcp_abort(t, 0);
	} else {
		tcp_time_wait(t, true, (u64)(linger ?: tcp_net(t)->fin_timeout) * NSEC_PER_SEC);
	}
}

/* Our FIN was acknowledged, by S. True: T is gone. */
static bool fin_acked(struct tcp_sock *t, const struct tcp_seg *s)
{
	struct sock *sk = &t->inet.sk;

	switch (sk->state) {
	case TCPS_FIN_WAIT1:
		tcp_set_state(t, TCPS_FIN_WAIT2);
		sock_wake_state(sk);
		if (!sock_flag(sk, SOCK_F_DEAD) || s->flags & TCP_FIN)
			return false;		/* S may bring the FIN that we would wait for */
		tcp_await_fin(t);
		return true;
	case TCPS_CLOSING:
		tcp_time_wait(t, false, TCP_TIMEWAIT_NS);
		return true;
	case TCPS_LAST_ACK:
		tcp_done(t, 0);
		return true;
	}
	return false;
}

/* The ACK field. False: the segment is done with, and so may T be. */
static bool ack_step(struct tcp_sock *t, const struct tcp_seg *s)
{
	if (t->inet.sk.state == TCPS_SYN_RECV) {
		if (!after(s->ack, t->snd_una) || after(s->ack, t->snd_nxt)) {
			tcp_send_reset(t);
			return false;
		}
		tcp_ack(t, s);
		tcp_established(t);
		sock_wake_state(&t->inet.sk);
	} else if (!tcp_ack(t, s)) {
		challenge_ack(t);
		return false;
	}
	/* The FIN is the last of the queue: all is acknowledged, and it was sent. */
	if (tcp_state_in(t, TCPS(FIN_WAIT1) | TCPS(CLOSING) | TCPS(LAST_ACK)) &&
	    t->snd_una == t->write_seq)
		return !fin_acked(t, s);
	return true;
}

/* Sequence, RST, SYN and ACK, in that order. False: the segment is done with, and so may T be. */
static bool is_acceptable(struct tcp_sock *t, const struct tcp_seg *s)
{
	bool paws = is_old_duplicate(t, s);

	if (paws || !in_window(t, s)) {
		if (s->flags & TCP_RST)
			return false;
		if (paws)
			tcp_count(t, TCP_PAWS_ESTAB);
		if (s->len && !after(s->end, t->rcv_nxt)) {
			t->dsack = (struct tcp_sack){ s->seq, s->end };
			tcp_count(t, TCP_DELAYED_ACK_LOST);
		}
		challenge_ack(t);
		return false;
	}
	if (s->flags & TCP_RST) {
		if (s->seq == t->rcv_nxt)
			reset(t);
		else
			challenge_ack(t);
		return false;
	}
	if (s->flags & TCP_SYN) {
		tcp_count(t, TCP_SYN_CHALLENGE);
		challenge_ack(t);
		return false;
	}
	return s->flags & TCP_ACK && ack_step(t, s);
}

void tcp_input(struct tcp_sock *t, struct packet *p, const struct tcp_seg *s)
{
	struct sock *sk = &t->inet.sk;

	t->segs_in += p->gso_segs ?: 1;
	t->last_rx_ns = ktime_get_ns();
	t->keep_sent = 0;
	if (sk->state == TCPS_SYN_SENT) {
		syn_sent(t, p, s);
		return;
	}
	if (tcp_state_in(t, TCPS(CLOSE) | TCPS(LISTEN)))
		goto drop;
	if (!is_acceptable(t, s))
		goto drop;
	remember_ts(t, s);
	if (s->flags & TCP_URG)
		mark(t, s);
	if (unlikely(t->urg_valid && !t->urg_have && !t->urg_read))
		take_marked(t, p, s);
	if (!s->len && !(s->flags & TCP_FIN)) {
		packet_consume(p);
		goto out;
	}
	/* after its FIN a peer has nothing to say, but may not have heard that we have it */
	if (!tcp_state_in(t, DATA_STATES)) {
		if (before(s->seq, t->rcv_nxt))
			challenge_ack(t);
		goto drop;
	}
	if (s->len && sk->shut & 1 && after(s->seq + s->len, t->rcv_nxt) &&
	    sock_flag(sk, SOCK_F_DEAD)) {
		tcp_count(t, TCP_ABORT_ON_DATA);
		tcp_reply_reset(sk->net, p, s);	/* nobody will read it (RFC 1122, 4.2.2.13) */
		tcp_done(t, 0);
		goto drop;
	}
	data(t, p, s);
	if (tcp_state_in(t, TCPS(CLOSE)))
		return;
	if (tcp_state_in(t, TCPS(FIN_WAIT2)) && sock_flag(sk, SOCK_F_DEAD)) {
		tcp_await_fin(t);		/* it came early, and will come again */
		return;
	}
	ack_for_data(t);
out:
	if (t->send_head)
		t->push_wanted = true;
	return;
drop:
	packet_free(p, DROP_TCP);
}
