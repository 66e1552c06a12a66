// SPDX-License-Identifier: MIT
/*
 * Sending: from the queue to segments, and segments without data.
 *
 * A packet of sndq has payload alone. To send it is to put a header before a clone of it; what the
 * clone shares is the payload's pages. A packet that is longer than the segment size of now, or
 * than the window, is cut in two first.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <net/netdev.h>
#include <abi/errno.h>
#include <linux/if_packet.h>
#include "net/ip4/ip4_priv.h"
#include "net/route/in6_device.h"
#include "net/tcp/tcp_priv.h"
#include "net/wire/csum.h"

#define MOST_SHIFT 14
#define PACE_BURST_NS (4 * NSEC_PER_MS)	/* some ticks of the timer */
/* The window while memory is scarce, and all was read. */
#define PRESSED_SEGMENTS 4u

/* ---- windows and sizes ---- */

u32 tcp_space(const struct tcp_sock *t)
{
	const struct sock *sk = &t->inet.sk;
	s64 room = (s64)READ_ONCE(sk->rcvbuf) - atomic_read(&sk->rmem);

	/* the other half is for what packets take beside their payload */
	return room <= 0 ? 0 : (u32)room / 2;
}

u32 tcp_silly_window(const struct tcp_sock *t)
{
	return min((u32)READ_ONCE(t->inet.sk.rcvbuf) / 4, READ_ONCE(t->rcv_mss));
}

u8 tcp_choose_wscale(const struct tcp_net *n)
{
	u32 most = (u32)max(n->rmem[2], net_limits.rmem_max);
	u8 shift = 0;

	if (!n->window_scaling)
		return 0;
	while (most > 65535 && shift < MOST_SHIFT) {
		most >>= 1;
		shift++;
	}
	return shift;
}

u32 tcp_first_window(const struct tcp_sock *t, u32 route)
{
	return min3(min(tcp_space(t), route ?: 65535u), 65535u, t->window_clamp ?: 65535u);
}

/*
 * The window for the next segment; what was promised once is not taken back (RFC 9293, 3.8.6.2.2).
 */
static u16 select_window(struct tcp_sock *t)
{
	u32 left = after(tcp_rcv_right(t), t->rcv_nxt) ? tcp_rcv_right(t) - t->rcv_nxt : 0,
	    space = tcp_space(t);

	if (t->no_room) {
		t->no_room = false;
		space = left = 0;
	}
	if (space < tcp_silly_window(t))
		space = 0;		/* a silly window is none */
	if (t->window_clamp)
		space = min(space, t->window_clamp);
	if (t->route_window)
		space = min(space, t->route_window);
	if (unlikely(READ_ONCE(tcp_mem_pressure)))
		space = atomic_read(&t->inet.sk.rmem) ? 0 :
							min(space, PRESSED_SEGMENTS * t->rcv_mss);
	space = min(space, 65535u << t->rcv_wscale);
	if (space < left)
		space = left;
	space = t->rcv_wscale ? space >> t->rcv_wscale << t->rcv_wscale : min(space, 65535u);
	if (space < left)
		space += 1u << t->rcv_wscale;
	if (!space != !t->rcv_wnd)
		tcp_count(t, space ? TCP_FROM_ZERO_WINDOW_ADV : TCP_TO_ZERO_WINDOW_ADV);
	t->rcv_wnd = space;
	t->rcv_wup = t->rcv_nxt;
	return (u16)min(space >> t->rcv_wscale, 65535u);
}

u16 tcp_advertised_mss(const struct tcp_sock *t, u32 mtu, u32 advmss, u32 header)
{
	u32 mss = advmss ?: mtu - header - TCP_HEADER;

	if (t->user_mss)
		mss = min(mss, (u32)t->user_mss);
	return (u16)clamp(mss, (u32)TCP_MSS_MIN, 65535u - header - TCP_HEADER);
}

void tcp_sync_mss(struct tcp_sock *t)
{
	u32 mtu = inet_sock_mtu(&t->inet) ?: (inet_is_six(&t->inet) ? IP6_MTU_LEAST : 576),
	    hdr = inet_header_len(&t->inet.e) + TCP_HEADER, mss;
	const struct inet_options *opt;

	rcu_read_lock();
	opt = inet_is_six(&t->inet) ? NULL : rcu_dereference(t->inet.opt);
	hdr += opt ? opt->len : 0;
	rcu_read_unlock();
	mss = mtu - min(mtu, hdr);

	mss = min(mss, (u32)t->mss_peer);
	if (t->user_mss)
		mss = min(mss, (u32)t->user_mss);
	mss = max(mss, (u32)TCP_MSS_MIN) - (t->ts_ok ? 12 : 0);
	/* A peer with a small window never sees it full of one segment. */
	if (t->max_window > TCPC_MSS_DEFAULT && mss > t->max_window / 2)
		mss = max(t->max_window / 2, (u32)TCP_MSS_MIN);
	t->mss = (u16)mss;
}

/* ---- one segment ---- */

static void put_header(struct packet *p, const struct inet_entry *e, u32 seq, u32 ack, u8 flags,
		       u16 window, u16 urgent, const struct tcp_tx_options *o)
{
	u32 hdr = TCP_HEADER + tcp_options_len(o);
	struct tcp_wire *h = (struct tcp_wire *)packet_push(p, (u16)hdr);
	u16 sum = csum_fold_raw(
		e->v6 ? csum_pseudo6(&e->v6->local, &e->v6->peer, IPPROTO_TCP, p->len, 0) :
			csum_pseudo4(e->local, e->peer, IPPROTO_TCP, p->len, 0));

	*h = (struct tcp_wire){
		.src = e->local_port,
		.dst = e->peer_port,
		.seq = be32_make(seq),
		.ack = be32_make(ack),
		.off = (u8)(hdr / 4 << 4),
		.flags = flags,
		.window = be16_make(window),
		.urgent = be16_make(urgent),
	};
	memcpy(&h->csum, &sum, sizeof(sum));
	tcp_options_encode((u8 *)(h + 1), o);
	packet_set_transport(p);
	p->csum_state = PACKET_CSUM_PARTIAL;
	p->csum_start = p->data;
	p->csum_off = offsetof(struct tcp_wire, csum);
}

/* P has its payload, if any; consumed. */
static int send_segment(struct tcp_sock *t, struct packet *p, u32 seq, u8 flags,
			struct tcp_tx_options *o)
{
	struct inet_sock *s = &t->inet;
	u16 window, urgent = 0;

	if (t->ts_ok || (flags & TCP_SYN && o->ts)) {
		o->ts = true;
		o->ts_val = tcp_clock_ms() + t->ts_offset;
		o->ts_ecr = flags & TCP_ACK ? t->ts_recent : 0;
	}
	window = flags & TCP_SYN ? (u16)min(t->rcv_wnd, 65535u) : select_window(t);
	/* A probe is sent from before snd_una on, which says nothing of a mark. */
	if (t->snd_up != t->snd_una && after(t->snd_up, seq) && t->snd_up - seq <= 65535) {
		urgent = (u16)(t->snd_up - seq);
		flags |= TCP_URG;
	}
	put_header(p, &s->e, seq, flags & TCP_ACK ? t->rcv_nxt : 0, flags, window, urgent, o);
	t->segs_out++;
	t->last_tx_ns = ktime_get_ns();
	p->priority = s->sk.priority;
	p->mark = s->sk.mark;
	if (flags & TCP_ACK) {
		t->ack_now = false;
		t->pushed = 0;
		t->dsack = (struct tcp_sack){ 0 };
		tcp_timer_cancel(t, &t->delack_timer);
	}
	return inet_queue_xmit(s, p);
}

/* Bytes of options that SACK may take. */
static u32 most_sack(const struct tcp_sock *t)
{
	return TCP_HEADER_MOST - TCP_HEADER - (t->ts_ok ? 12 : 0);
}

/* ---- SO_MAX_PACING_RATE ---- */

static u64 rate_of(const struct tcp_sock *t)
{
	unsigned long rate = READ_ONCE(t->inet.sk.pacing_rate);

	return rate == ~0ul ? 0 : rate;
}

/* Nothing may go yet: push_timer sends when it may. */
static bool is_paced(struct tcp_sock *t)
{
	u64 rate = rate_of(t), now, wait;

	if (likely(!rate))
		return false;
	now = ktime_get_ns();
	if (t->pace_next_ns <= now)
		return false;
	/* no longer than the longest segment takes, if the rate was lower when it was sent */
	wait = min(t->pace_next_ns - now, 65536 * NSEC_PER_SEC / rate);
	t->pace_next_ns = now + wait;
	tcp_timer_arm(t, &t->push_timer, wait);
	return true;
}

/* LEN bytes go. What a timer was late is made up for, up to PACE_BURST_NS. */
static void pace(struct tcp_sock *t, u32 len)
{
	u64 rate = rate_of(t), now;

	if (likely(!rate))
		return;
	now = ktime_get_ns();
	t->pace_next_ns =
		max(t->pace_next_ns, now - min(now, PACE_BURST_NS)) + len * NSEC_PER_SEC / rate;
}

int tcp_transmit(struct tcp_sock *t, struct packet *p)
{
	struct tcp_cb *cb = tcp_cb(p);
	struct tcp_tx_options o = { 0 };
	struct packet *c = packet_clone(p, GFP_ATOMIC);
	u8 flags = cb->flags;

	cb->tx_ns = ktime_get_ns();	/* without memory as well: in_flight is in this order */

	if (!c)
		return -ENOBUFS;
	if (flags & TCP_SYN) {
		o.mss = tcp_advertised_mss(t, inet_sock_mtu(&t->inet), inet_sock_advmss(&t->inet),
					   inet_header_len(&t->inet.e));
		o.sack_ok = t->sack_ok;
		o.ts = t->ts_ok;
		o.wscale = t->wscale_ok;
		o.shift = t->rcv_wscale;
	} else {
		/* What is told beside payload may not make the packet longer than its way takes. */
		tcp_sack_options(t, &o, min(most_sack(t), (u32)t->mss - min(p->len, (u32)t->mss)));
	}
	if (t->inet.sk.state != TCPS_SYN_SENT)
		flags |= TCP_ACK;
	c->mac_at = c->net_at = PACKET_NO_HEADER;
	if (!cb->sent)
		tcp_count(t, TCP_OUT_SEGS);
	if (!cb->sent && p->len)
		tcp_count(t, TCP_ORIG_DATA_SENT);
	cb->sent++;
	if (p->len) {
		pace(t, p->len);
		t->data_segs_out++;
		t->bytes_sent += p->len;
	}
	return send_segment(t, c, cb->seq, flags, &o);
}

/* A segment without payload. */
static void send_bare(struct tcp_sock *t, struct packet *p, u32 seq, u8 flags,
		      struct tcp_tx_options *o)
{
	tcp_count(t, TCP_OUT_SEGS);
	if (flags & TCP_RST)
		tcp_count(t, TCP_OUT_RSTS);
	send_segment(t, p, seq, flags, o);
}

void tcp_send_ack(struct tcp_sock *t)
{
	struct tcp_tx_options o = { 0 };
	struct packet *p;

	if (tcp_state_in(t, TCPS(CLOSE) | TCPS(LISTEN) | TCPS(SYN_SENT)))
		return;
	p = packet_alloc(GFP_ATOMIC);
	if (!p) {			/* later */
		tcp_timer_arm(t, &t->delack_timer, TCP_DELACK_NS);
		return;
	}
	tcp_sack_options(t, &o, most_sack(t));
	if (t->quickacks)
		t->quickacks--;
	send_bare(t, p, t->snd_nxt, TCP_ACK, &o);
}

void tcp_send_probe(struct tcp_sock *t)
{
	struct packet *p = packet_alloc(GFP_ATOMIC);
	struct tcp_tx_options o = { 0 };

	if (p)
		send_bare(t, p, t->snd_una - 1, TCP_ACK, &o);
}

void tcp_send_reset(struct tcp_sock *t)
{
	struct packet *p = packet_alloc(GFP_ATOMIC);
	struct tcp_tx_options o = { 0 };

	if (p)
		send_bare(t, p, t->snd_nxt, TCP_RST | TCP_ACK, &o);
}

/* ---- the queue ---- */

static void link_sent(struct tcp_sock *t, struct packet *p)
{
	struct rb_node **link = &t->sent.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = before(tcp_cb(p)->seq, tcp_cb(tcp_packet_of(parent))->seq) ? &parent->left :
										    &parent->right;
	}
	rb_link_node(&tcp_cb(p)->rb, parent, link);
	rb_insert_color(&tcp_cb(p)->rb, &t->sent);
}

bool tcp_fragment(struct tcp_sock *t, struct packet *p, u32 len)
{
	struct packet *rest = packet_clone(p, GFP_ATOMIC);
	struct tcp_cb *a = tcp_cb(p), *b;
	bool sent = before(a->seq, t->snd_nxt);
	u32 was = p->truesize, payload = was - sizeof(*p), all = p->len;

	if (!rest)
		return false;
	DEBUG_ON(len >= p->len);
	b = tcp_cb(rest);
	*b = *a;
	packet_drop_front(rest, len);
	packet_trim(p, len);
	/* Both share the memory of the payload: each counts for its part. */
	p->truesize = (u32)(sizeof(*p) + (u64)payload * len / all);
	rest->truesize = (u32)(sizeof(*rest) + payload - (u64)payload * len / all);
	tcp_recount(t, p, was);
	b->seq = a->end = a->seq + len;
	a->flags &= (u8) ~(TCP_FIN | TCP_PSH);
	list_add(&rest->list, &p->list);
	t->sndq.nr++;
	t->sndq.bytes += rest->truesize;
	atomic_add((int)rest->truesize, &t->inet.sk.wmem);
	(void)tcp_mem_charge(t, 0, true);	/* the payload is counted, the packet is new */
	if (!sent)
		return true;
	t->nr_sacked = 0;	/* a block may cover one of the two */
	link_sent(t, rest);
	if (list_empty(&a->tx))
		INIT_LIST_HEAD(&b->tx);
	else
		list_add(&b->tx, &a->tx);
	t->packets_out++;
	t->lost_out += !!(b->mark & TCPM_LOST);
	t->sacked_out += !!(b->mark & TCPM_SACKED);
	t->retrans_out += !!(b->mark & TCPM_RETRANS);
	return true;
}

/*
 * The first packet that was not sent is sent; it is accounted even if memory was short, and the
 * timer sends it again.
 */
static void send_next(struct tcp_sock *t)
{
	struct packet *p = t->send_head;
	bool first = !t->packets_out;

	t->send_head = list_is_last(&p->list, &t->sndq.head) ? NULL : list_next_entry(p, list);
	if (!t->send_head && p->len)
		tcp_cb(p)->flags |= TCP_PSH;
	link_sent(t, p);
	list_add_tail(&tcp_cb(p)->tx, &t->in_flight);
	t->packets_out++;
	t->snd_nxt = tcp_cb(p)->end;
	tcp_transmit(t, p);
	if (first || !wheel_is_armed(&t->rto_timer))
		tcp_arm_rto(t);
}

/*
 * May the packet at send_head, the last of the queue if LAST, go now for all that Nagle says (RFC
 * 9293, 3.7.4)?
 */
static bool nagle_allows(const struct tcp_sock *t, struct packet *p, bool last, bool now)
{
	if (p->len >= t->mss || !last || tcp_cb(p)->flags & TCP_FIN)
		return true;
	if (t->corked && !now)
		return false;
	return now || t->nodelay || !t->packets_out || after(t->snd_up, t->snd_una);
}

/* What windows and Nagle allow, at most MOST segments; where more could go, push_wanted is set. */
static void push_some(struct tcp_sock *t, bool now, u32 most)
{
	u32 left, limit;
	struct packet *p;

	if (!tcp_state_in(t, TCPS(ESTABLISHED) | TCPS(CLOSE_WAIT) | TCPS(FIN_WAIT1) |
				     TCPS(CLOSING) | TCPS(LAST_ACK)))
		return;
	limit = t->snd_una + t->snd_wnd;
	while ((p = t->send_head)) {
		if (tcp_in_flight(t) >= t->cwnd) {
			t->cwnd_limited = true;
			return;
		}
		left = after(limit, tcp_cb(p)->seq) ? limit - tcp_cb(p)->seq : 0;
		if (p->len > t->mss && !tcp_fragment(t, p, t->mss))
			break;
		if (p->len > left || (!p->len && !left && !(tcp_cb(p)->flags & TCP_FIN))) {
			/*
			 * A part of a segment waits for more room, unless it is half of the largest
			 * window that there was.
			 */
			if (!left || (t->packets_out && left < t->max_window / 2) ||
			    !tcp_fragment(t, p, left))
				break;
		}
		if (!nagle_allows(t, p, list_is_last(&p->list, &t->sndq.head), now))
			break;
		if (!most--) {
			t->push_wanted = true;
			return;
		}
		if (is_paced(t))
			return;
		send_next(t);
	}
	if (t->send_head && !t->packets_out && !wheel_is_armed(&t->rto_timer))
		tcp_arm_rto(t);		/* a window that stays shut is asked for */
}

void tcp_push(struct tcp_sock *t, bool now)
{
	push_some(t, now, U32_MAX);
}

void tcp_push_batch(struct tcp_sock *t)
{
	u32 left;

	t->push_wanted = t->cwnd_limited = false;
	left = tcp_retransmit_lost(t, NET_BATCH);
	push_some(t, false, left);
}

bool tcp_send_window_probe(struct tcp_sock *t)
{
	struct packet *p = t->send_head;

	if (!p || tcp_in_flight(t))
		return true;
	if (after(t->snd_una + t->snd_wnd, tcp_cb(p)->seq)) {
		push_some(t, true, NET_BATCH);
		return true;
	}
	tcp_count(t, TCP_WIN_PROBE);
	tcp_send_probe(t);
	return true;
}

static struct packet *queue_empty(struct tcp_sock *t, u8 flags, gfp_t gfp)
{
	struct packet *p = packet_alloc(gfp);
	struct tcp_cb *cb;

	if (!p)
		return NULL;
	cb = tcp_cb(p);
	*cb = (struct tcp_cb){ .seq = t->write_seq, .end = t->write_seq + 1, .flags = flags };
	t->write_seq++;
	packet_list_add(&t->sndq, p);
	atomic_add((int)p->truesize, &t->inet.sk.wmem);
	(void)tcp_mem_charge(t, 0, true);	/* a connection begins and ends in any case */
	if (!t->send_head)
		t->send_head = p;
	return p;
}

void tcp_send_fin(struct tcp_sock *t)
{
	if (t->send_head) {	/* not sent yet: the FIN goes with it */
		struct packet *p = list_last_entry(&t->sndq.head, struct packet, list);

		tcp_cb(p)->flags |= TCP_FIN;
		tcp_cb(p)->end++;
		t->write_seq++;
	} else if (!queue_empty(t, TCP_FIN, GFP_ATOMIC)) {
		tcp_abort(t, 0); /* no memory for even that: the peer hears it the hard way */
		return;
	}
	tcp_push(t, true);
}

int tcp_start_syn(struct tcp_sock *t)
{
	if (!queue_empty(t, TCP_SYN, GFP_KERNEL))
		return -ENOBUFS;
	send_next(t);
	return 0;
}

/* ---- again ---- */

static void count_retransmit(const struct tcp_sock *t, int err)
{
	if (err)
		tcp_count(t, TCP_RETRANS_FAIL);
	else
		tcp_count(t, TCP_RETRANS_SEGS);
	if (!err && t->recovery != TCP_REC_OPEN)
		tcp_count(t,
			  t->recovery == TCP_REC_LOSS ? TCP_SLOW_START_RETRANS : TCP_FAST_RETRANS);
}

int tcp_retransmit(struct tcp_sock *t, struct packet *p)
{
	struct tcp_cb *cb = tcp_cb(p);
	u32 done;
	int e;

	/* What was acknowledged of it is not sent again. */
	if (before(cb->seq, t->snd_una) && !(cb->flags & TCP_SYN)) {
		done = min(t->snd_una - cb->seq, p->len);
		packet_drop_front(p, done);
		cb->seq += done;
	}
	tcp_sync_mss(t);
	if (p->len > t->mss && !tcp_fragment(t, p, t->mss))
		return -ENOMEM;
	if (cb->sent && p->len)
		t->bytes_retrans += p->len;
	t->total_retrans++;
	if (!(cb->mark & TCPM_RETRANS)) {
		cb->mark |= TCPM_RETRANS | TCPM_EVER;
		t->retrans_out++;
	}
	list_move_tail(&cb->tx, &t->in_flight);
	e = tcp_transmit(t, p);
	count_retransmit(t, e);
	if (!t->stuck_since_ns)
		t->stuck_since_ns = cb->tx_ns;
	return e;
}

u32 tcp_retransmit_lost(struct tcp_sock *t, u32 most)
{
	while (!list_empty(&t->lost) && (tcp_in_flight(t) < t->cwnd || t->fast)) {
		struct tcp_cb *cb = list_first_entry(&t->lost, struct tcp_cb, tx);

		if (!most) {
			t->push_wanted = true;
			break;
		}
		if (is_paced(t))
			break;
		most--;
		t->fast = false;
		if (tcp_retransmit(t, tcp_packet_of(&cb->rb)))
			break;
	}
	return most;
}

void tcp_mtu_changed(struct tcp_sock *t)
{
	struct packet *p = packet_list_first(&t->sndq);

	inet_route_stale(&t->inet);
	rcu_read_lock();
	inet_sock_route(&t->inet);
	rcu_read_unlock();
	tcp_sync_mss(t);
	if (p && t->packets_out && p->len > t->mss &&
	    !tcp_state_in(t, TCPS(CLOSE) | TCPS(SYN_SENT) | TCPS(SYN_RECV)))
		tcp_retransmit(t, p);
}

/* ---- without a sock ---- */

void tcp_reply(const struct inet_entry *e, u32 seq, u32 ack, u8 flags, u16 window,
	       const struct tcp_tx_options *o)
{
	struct packet *p = packet_alloc(GFP_ATOMIC);
	struct inet_way w;

	if (!p)
		return;
	if (inet_reply_way(e, IPPROTO_TCP, &w)) {
		packet_free(p, DROP_NO_ROUTE);
		return;
	}
	tcp_count_net(e->net, TCP_OUT_SEGS);
	if (flags & TCP_RST)
		tcp_count_net(e->net, TCP_OUT_RSTS);
	put_header(p, e, seq, ack, flags, window, 0, o);
	inet_way_send(e->net, p, &w);
}

/* What a packet was sent to is an address of ours. */
static bool is_ours(struct net *net, const struct inet_key *k)
{
	return k->v6 ? in6_is_local(net, &k->v6->local, NULL) :
		       route4_addr_type(net, k->local, NULL) == RTN_LOCAL;
}

void tcp_reply_reset(struct net *net, struct packet *p, const struct tcp_seg *s)
{
	struct inet_key k;
	struct inet_entry e;
	struct tcp_tx_options none = { 0 };

	if (s->flags & TCP_RST || p->pkt_type != PACKET_HOST)
		return;
	inet_key_received(&k, p, net, s->dst, s->src);
	if (!is_ours(net, &k))
		return;
	e = (struct inet_entry){ .net = net,
				 .local = k.local,
				 .peer = k.peer,
				 .local_port = s->dst,
				 .peer_port = s->src,
				 .v6 = k.v6 };
	if (k.v6 && ip6_needs_scope(&k.v6->peer))
		e.bound_dev = k.dif;
	if (s->flags & TCP_ACK)
		tcp_reply(&e, s->ack, 0, TCP_RST, 0, &none);
	else
		tcp_reply(&e, 0, s->end, TCP_RST | TCP_ACK, 0, &none);
}
