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
#include <net/gso.h>
#include <net/netdev.h>
#include <abi/errno.h>
#include <linux/time.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include "net/ip4/ip4_priv.h"
#include "net/route/in6_device.h"
#include "net/tcp/tcp_priv.h"
#include "net/wire/csum.h"

#define PACE_BURST_NS (4 * NSEC_PER_MS)	/* some ticks of the timer */
/* Segments of super-packets that cost as much as one that goes alone. */
#define BURSTS 4
/* The window while memory is scarce, and all was read. */
#define PRESSED_SEGMENTS 4u

/* ---- windows ---- */

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

/* ---- one segment ---- */

void tcp_put_header(struct packet *p, const struct inet_entry *e, u32 seq, u32 ack, u8 flags,
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

/* P has its payload, if any, FRESH: that goes for the first time; consumed. */
static int send_segment(struct tcp_sock *t, struct packet *p, u32 seq, u8 flags, bool fresh,
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
	flags |= tcp_ecn_send(t, p, fresh);
	tcp_put_header(p, &s->e, seq, flags & TCP_ACK ? t->rcv_nxt : 0, flags, window, urgent, o);
	t->segs_out += p->gso_segs ?: 1;
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
	return TCP_HEADER_MOST - TCP_HEADER - (t->ts_ok ? TCP_STAMP_LEN : 0);
}

/* ---- SO_MAX_PACING_RATE ---- */

static u64 rate_of(const struct tcp_sock *t)
{
	unsigned long rate = READ_ONCE(t->inet.sk.pacing_rate);

	return rate == ~0ul ? 0 : rate;
}

bool tcp_is_paced(struct tcp_sock *t)
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

/* P of sndq goes, maybe again. */
static __always_inline void note_sent(struct tcp_sock *t, struct packet *p)
{
	struct tcp_cb *cb = tcp_cb(p);

	if (!cb->sent)
		tcp_count(t, TCP_OUT_SEGS);
	if (!cb->sent && p->len)
		tcp_count(t, TCP_ORIG_DATA_SENT);
	cb->sent++;
	t->prr_out++;
	if (unlikely(cb->mark & TCPM_STAMP))
		tcp_stamp(t, p, SCM_TSTAMP_SCHED);
	if (!p->len)
		return;
	t->last_data_tx_ns = cb->tx_ns;
	pace(t, p->len);
	t->data_segs_out++;
	t->bytes_sent += p->len;
}

/* The payload of the NR - 1 packets behind P too, as far as it fits. How many C stands for. */
static noinline u32 add_segments(struct tcp_sock *t, struct packet *c, struct packet *p, u32 nr,
				 u8 *flags)
{
	u32 n = 1;

	for (; n < nr; n++) {
		p = list_next_entry(p, list);
		if (!packet_append(c, p, 0, p->len))
			break;
		tcp_cb(p)->tx_ns = tcp_cb(list_prev_entry(p, list))->tx_ns;
		note_sent(t, p);
		*flags |= tcp_cb(p)->flags;
	}
	if (n == 1)
		return n;
	c->gso_size = t->mss;
	c->gso_segs = (u16)n;
	c->gso_type = inet_is_six(&t->inet) ? GSO_TCP6 : 0;
	return n;
}

/* The device has P and what went with it, NR packets of sndq. */
static noinline void stamp_sent(struct tcp_sock *t, struct packet *p, u32 nr)
{
	for (; nr--; p = list_next_entry(p, list))
		if (tcp_cb(p)->mark & TCPM_STAMP)
			tcp_stamp(t, p, SCM_TSTAMP_SND);
}

/*
 * One packet of P of sndq and, where *NR is more than one, of those behind it: P's length is t->mss
 * then, and so are theirs, but for the last. *NR: for how many it stands. 0 or -errno.
 */
static __always_inline int transmit(struct tcp_sock *t, struct packet *p, u32 *nr)
{
	struct tcp_cb *cb = tcp_cb(p);
	struct tcp_tx_options o = { 0 };
	struct packet *c = packet_clone(p, GFP_ATOMIC);
	bool fresh = !cb->sent && p->len;
	u8 flags = cb->flags;
	u32 asked = *nr;
	int err;

	*nr = 1;
	cb->tx_ns = ktime_get_ns();	/* without memory as well: in_flight is in this order */

	if (!c)
		return -ENOBUFS;
	if (flags & TCP_SYN) {
		t->advmss = tcp_advertised_mss(t, inet_sock_mtu(&t->inet),
					       inet_sock_advmss(&t->inet),
					       inet_header_len(&t->inet.e));
		o.mss = t->advmss;
		o.sack_ok = t->sack_ok;
		o.ts = t->ts_ok;
		o.wscale = t->wscale_ok;
		o.shift = t->rcv_wscale;
	} else {
		/* What is told beside payload may not make the packet longer than its way takes. */
		tcp_sack_options(t, &o, min(most_sack(t), (u32)t->mss - min(p->len, (u32)t->mss)));
	}
	note_sent(t, p);
	if (asked > 1)
		*nr = add_segments(t, c, p, asked, &flags);
	if (*nr > 1 || p->len > t->mss)
		flags |= TCP_PSH;	/* the receiver's GRO stops here */
	if (t->inet.sk.state != TCPS_SYN_SENT)
		flags |= TCP_ACK;
	c->mac_at = c->net_at = PACKET_NO_HEADER;
	err = send_segment(t, c, cb->seq, flags, fresh, &o);
	if (unlikely(t->inet.sk.ts_flags) && !err)
		stamp_sent(t, p, *nr);
	return err;
}

int tcp_transmit(struct tcp_sock *t, struct packet *p)
{
	u32 one = 1;

	return transmit(t, p, &one);
}

/* A segment without payload. */
static void send_bare(struct tcp_sock *t, struct packet *p, u32 seq, u8 flags,
		      struct tcp_tx_options *o)
{
	tcp_count(t, TCP_OUT_SEGS);
	if (flags & TCP_RST)
		tcp_count(t, TCP_OUT_RSTS);
	send_segment(t, p, seq, flags, false, o);
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
	a->mark &= (u8)~TCPM_EOR;
	tcp_stamp_cut(a, b);
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

/* Segments of sndq that follow one another and are accounted as sent, but did not go yet. */
struct burst {
	struct packet *first;
	u32 nr, len;
	u32 most;			/* bytes; 0: not looked at yet */
	bool armed; /* the timer was armed by the last that was accounted; there was none */
};

/* B goes. What memory is short for was accounted all the same, and the timer sends it again. */
static noinline void burst_send(struct tcp_sock *t, struct burst *b)
{
	struct packet *p = b->first;

	while (b->nr) {
		u32 n = b->nr;

		transmit(t, p, &n);
		b->nr -= n;
		while (b->nr && n--)
			p = list_next_entry(p, list);
	}
	b->len = 0;
}

/* P, which is next, may go in one packet with B's. */
static bool burst_takes(struct tcp_sock *t, struct burst *b, const struct packet *p)
{
	if (!b->most)
		b->most = tcp_burst_bytes(t);
	return p->len && b->len + p->len <= b->most;
}

/* The next segment does not go with B. */
static bool burst_ends(const struct tcp_sock *t, const struct burst *b)
{
	return !b->nr || (b->most && b->len + t->mss > b->most);
}

/* P, which was accounted, may wait for company: it is a full segment, and nothing is special. */
static bool burst_goes_on(const struct tcp_sock *t, const struct packet *p)
{
	return unlikely(t->tso > t->mss) && p->len == t->mss && t->send_head &&
	       t->snd_up == t->snd_una &&
	       !(tcp_cb((struct packet *)p)->flags & (TCP_FIN | TCP_SYN | TCP_PSH)) && !rate_of(t);
}

/* The first packet that was not sent is accounted as sent, and goes now or with B. */
static void send_next(struct tcp_sock *t, struct burst *b)
{
	struct packet *p = t->send_head;
	bool first = !t->packets_out;

	if (b->nr && !burst_takes(t, b, p))
		burst_send(t, b);
	t->send_head = list_is_last(&p->list, &t->sndq.head) ? NULL : list_next_entry(p, list);
	link_sent(t, p);
	list_add_tail(&tcp_cb(p)->tx, &t->in_flight);
	t->packets_out++;
	t->snd_nxt = tcp_cb(p)->end;
	if (likely(!b->nr && !burst_goes_on(t, p))) {
		tcp_transmit(t, p);
	} else {
		if (!b->nr++)
			b->first = p;
		b->len += p->len;
		if (!burst_goes_on(t, p))
			burst_send(t, b);
	}
	b->armed = first || !wheel_is_armed(&t->rto_timer);
	if (b->armed)
		tcp_arm_rto(t);
}

/*
 * May the packet at send_head, the last of the queue if LAST, go now for all that Nagle says (RFC
 * 9293, 3.7.4)?
 */
static bool nagle_allows(const struct tcp_sock *t, struct packet *p, bool last, enum tcp_push how)
{
	bool now = how == TCP_PUSH_NOW;

	if (p->len >= t->mss || !last || tcp_cb(p)->flags & TCP_FIN)
		return true;
	if (how == TCP_PUSH_CORK || (t->corked && !now))
		return false;
	return now || t->nodelay || !t->packets_out || after(t->snd_up, t->snd_una);
}

/*
 * P, which is next, is cut to a segment, and to the LEFT bytes of the peer's window. False: it
 * waits for more room, as a part of a segment does, unless it is half of the largest window that
 * there was, or the timer asks for it; or there is no memory.
 */
static bool fit_window(struct tcp_sock *t, struct packet *p, u32 left, enum tcp_push how)
{
	if (p->len > t->mss && !tcp_fragment(t, p, t->mss))
		return false;
	if (p->len <= left && (p->len || left || tcp_cb(p)->flags & TCP_FIN))
		return true;
	if (!left || (left < t->max_window / 2 && (t->packets_out || how != TCP_PUSH_NOW)))
		return false;
	return p->len > left && tcp_fragment(t, p, left);
}

/* What windows and Nagle allow, at most MOST segments; where more could go, push_wanted is set. */
static void push_some(struct tcp_sock *t, enum tcp_push how, u32 most)
{
	struct burst b = { .armed = true };
	bool shut = false, defers = false, cwnd_full;
	u32 left, limit, before_all;
	struct packet *p;

	if (!tcp_state_in(t, TCPS(ESTABLISHED) | TCPS(CLOSE_WAIT) | TCPS(FIN_WAIT1) |
				     TCPS(CLOSING) | TCPS(LAST_ACK)))
		return;
	limit = t->snd_una + t->snd_wnd;
	before_all = t->snd_nxt;
	while ((p = t->send_head)) {
		if (tcp_in_flight(t) >= t->cwnd)
			goto out;
		left = after(limit, tcp_cb(p)->seq) ? limit - tcp_cb(p)->seq : 0;
		if (p->len > t->mss && how != TCP_PUSH_NOW && burst_ends(t, &b) &&
		    tcp_defers(t, p, left)) {
			defers = true;
			goto out;
		}
		if (!fit_window(t, p, left, how)) {
			shut = p->len > left;
			break;
		}
		if (!nagle_allows(t, p, list_is_last(&p->list, &t->sndq.head), how))
			break;
		if (!most--) {
			t->push_wanted = true;
			goto out;
		}
		if (tcp_is_paced(t))
			goto out;
		send_next(t, &b);
	}
	if (t->send_head && !t->packets_out && !wheel_is_armed(&t->rto_timer))
		tcp_arm_rto(t);		/* a window that stays shut is asked for */
out:
	if (unlikely(b.nr))
		burst_send(t, &b);
	if (shut)
		tcp_limit_enter(t, TCP_L_WINDOW);
	else if (unlikely(t->limit == TCP_L_WINDOW))
		tcp_limit_leave(t, TCP_L_WINDOW);
	cwnd_full = defers || tcp_in_flight(t) >= t->cwnd;
	if (t->snd_nxt != before_all || cwnd_full)
		tcp_cwnd_used(t, cwnd_full);
	if (!b.armed)
		tcp_arm_probe(t);
}

bool tcp_send_one(struct tcp_sock *t)
{
	u32 limit = t->snd_una + t->snd_wnd;
	struct packet *p = t->send_head;
	struct burst b = { 0 };

	if (!p || (p->len > t->mss && !tcp_fragment(t, p, t->mss)) || after(tcp_cb(p)->end, limit))
		return false;
	send_next(t, &b);
	burst_send(t, &b);
	return true;
}

void tcp_push(struct tcp_sock *t, enum tcp_push how)
{
	push_some(t, how, U32_MAX);
}

void tcp_push_batch(struct tcp_sock *t)
{
	u32 left, was = t->snd_nxt;

	t->push_wanted = false;
	left = tcp_retransmit_lost(t, NET_BATCH);
	push_some(t, TCP_PUSH_NAGLE, t->tso > t->mss ? BURSTS * left : left);
	if (t->snd_nxt != was && tcp_has_lowat(t))
		tcp_wake_writer(t);	/* less is unsent */
}

bool tcp_send_window_probe(struct tcp_sock *t)
{
	struct packet *p = t->send_head;

	if (!p || tcp_in_flight(t))
		return true;
	if (after(t->snd_una + t->snd_wnd, tcp_cb(p)->seq)) {
		tcp_cb(p)->flags |= TCP_PSH;
		push_some(t, TCP_PUSH_NOW, NET_BATCH);
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
	tcp_push(t, TCP_PUSH_NOW);
}

int tcp_start_syn(struct tcp_sock *t)
{
	struct burst b = { 0 };

	if (!queue_empty(t, TCP_SYN | tcp_ecn_syn_flags(t), GFP_KERNEL))
		return -ENOBUFS;
	send_next(t, &b);
	return 0;
}
