// SPDX-License-Identifier: MIT
/*
 * Acknowledgements: what arrived, what is lost, how long a round trip takes, when to send again.
 *
 * Loss is found by time (RACK, RFC 8985): a segment is lost when one that was sent later has
 * arrived, by more than a quarter of the least round trip. Three duplicate acknowledgements stand
 * in for that where the peer knows no SACK. A retransmission timeout (RFC 6298) takes all for lost.
 * While segments are lost, cwnd limits what is in flight: those sent, less those that arrived or
 * are lost, and those sent again.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/time.h>
#include "net/tcp/tcp_priv.h"

/* ---- round trips (RFC 6298) ---- */

static void set_rto(struct tcp_sock *t)
{
	t->rto_us = clamp((t->srtt8 >> 3) + max(t->rttvar4, TCPC_RTO_MIN_US), TCPC_RTO_MIN_US,
			  TCP_RTO_MAX_US);
}

void tcp_rtt_sample(struct tcp_sock *t, u64 rtt_ns)
{
	u32 us = (u32)clamp(rtt_ns / 1000, 1ull, 60000000ull), err;

	if (!t->min_rtt_us || us < t->min_rtt_us)
		t->min_rtt_us = us;
	if (!t->srtt8) {
		t->srtt8 = us << 3;
		t->rttvar4 = us << 1;
	} else {
		err = us > t->srtt8 >> 3 ? us - (t->srtt8 >> 3) : (t->srtt8 >> 3) - us;
		t->rttvar4 += err - (t->rttvar4 >> 2);
		t->srtt8 += us - (t->srtt8 >> 3);
	}
	set_rto(t);
}

void tcp_arm_rto(struct tcp_sock *t)
{
	u64 us = t->rto_us ?: TCP_RTO_INIT_US;

	if (!t->packets_out && !t->send_head) {
		tcp_timer_cancel(t, &t->rto_timer);
		return;
	}
	us = min(us << min_t(u8, t->backoff, 16), (u64)TCP_RTO_MAX_US);
	tcp_timer_arm(t, &t->rto_timer, us * 1000);
}

/* ---- marks ---- */

static void mark_lost(struct tcp_sock *t, struct tcp_cb *cb)
{
	if (cb->mark & TCPM_SACKED)
		return;
	if (cb->mark & TCPM_RETRANS) {
		cb->mark &= (u8)~TCPM_RETRANS;
		t->retrans_out--;
	}
	if (!(cb->mark & TCPM_LOST)) {
		cb->mark |= TCPM_LOST;
		t->lost_out++;
	}
	list_move_tail(&cb->tx, &t->lost);
}

static void unmark(struct tcp_sock *t, struct tcp_cb *cb)
{
	t->lost_out -= !!(cb->mark & TCPM_LOST);
	t->retrans_out -= !!(cb->mark & TCPM_RETRANS);
	t->sacked_out -= !!(cb->mark & TCPM_SACKED);
	cb->mark &= (u8) ~(TCPM_LOST | TCPM_RETRANS | TCPM_SACKED);
}

/* CB's segment has arrived: the latest sent of all that did is what RACK compares with. */
static void arrived(struct tcp_sock *t, const struct tcp_cb *cb, u64 now, u64 *rtt)
{
	u64 took = now - cb->tx_ns;

	t->delivered++;
	/* Of one sent twice, an answer that comes too soon is to the first. */
	if (cb->mark & TCPM_EVER && took / 1000 < t->min_rtt_us)
		return;
	if (!(cb->mark & TCPM_EVER) && (!*rtt || took < *rtt))
		*rtt = took;
	if (cb->tx_ns > t->rack_ns || (cb->tx_ns == t->rack_ns && after(cb->end, t->rack_end))) {
		t->rack_ns = cb->tx_ns;
		t->rack_end = cb->end;
	}
}

/* ---- SACK (RFC 2018) ---- */

/* The first segment sent whose end is behind SEQ. */
static struct packet *sent_from(struct tcp_sock *t, u32 seq)
{
	struct rb_node *n = t->sent.node, *found = NULL;

	while (n) {
		if (after(tcp_cb(tcp_packet_of(n))->end, seq)) {
			found = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return tcp_packet_of(found);
}

/* Those of B's segments that begin before UPTO, from the one at FROM on, have arrived. */
static void mark_sacked(struct tcp_sock *t, const struct tcp_sack *b, u32 from, u32 upto, u64 now,
			u64 *rtt)
{
	struct packet *p;

	for (p = sent_from(t, from); p; p = tcp_packet_of(rb_next(&tcp_cb(p)->rb))) {
		struct tcp_cb *cb = tcp_cb(p);

		if (!before(cb->seq, upto))
			return;
		if (before(cb->seq, b->begin) || after(cb->end, b->end) || cb->mark & TCPM_SACKED)
			continue;	/* a part of one counts for nothing */
		arrived(t, cb, now, rtt);
		unmark(t, cb);
		list_del_init(&cb->tx);
		cb->mark |= TCPM_SACKED;
		t->sacked_out++;
	}
}

/*
 * One block. A peer tells the same again and again, a little longer each time: what one of the last
 * ACK's blocks covers is passed over.
 */
static void sack_block(struct tcp_sock *t, const struct tcp_sack *b, u64 now, u64 *rtt)
{
	const struct tcp_sack *known = NULL;

	for (u8 i = 0; i < t->nr_sacked && !known; i++)
		if (before(t->sacked[i].begin, b->end) && after(t->sacked[i].end, b->begin))
			known = &t->sacked[i];
	if (!known) {
		mark_sacked(t, b, b->begin, b->end, now, rtt);
		return;
	}
	if (before(b->begin, known->begin))
		mark_sacked(t, b, b->begin, known->begin, now, rtt);
	if (before(known->end, b->end))
		mark_sacked(t, b, known->end, b->end, now, rtt);
}

static void sack_blocks(struct tcp_sock *t, const struct tcp_seg *s, u64 now, u64 *rtt)
{
	struct tcp_sack told[TCP_SACK_BLOCKS];
	u8 n = 0;

	for (u8 i = 0; i < s->nr_sack; i++) {
		const struct tcp_sack *b = &s->sack[i];

		if (!before(b->begin, b->end) || before(b->begin, t->snd_una) ||
		    after(b->end, t->snd_nxt))
			continue;	/* nonsense, or a duplicate's report (RFC 2883) */
		sack_block(t, b, now, rtt);
		told[n++] = *b;
	}
	if (n)
		memcpy(t->sacked, told, n * sizeof(told[0]));
	if (n || !t->sacked_out)
		t->nr_sacked = n;
}

/* ---- what was acknowledged ---- */

/* Takes off what is before ACK. How many segments. */
static u32 clean_queue(struct tcp_sock *t, u32 ack, u64 now, u64 *rtt)
{
	struct packet *p;
	u32 n = 0;

	while ((p = packet_list_first(&t->sndq)) && p != t->send_head) {
		struct tcp_cb *cb = tcp_cb(p);

		if (after(cb->end, ack))
			break;
		if (!(cb->mark & TCPM_SACKED))
			arrived(t, cb, now, rtt);
		unmark(t, cb);
		t->packets_out--;
		rb_erase(&cb->rb, &t->sent);
		list_del(&cb->tx);
		t->bytes_acked += p->len;
		packet_list_del(&t->sndq, p);
		tcp_free_sent(t, p);
		n++;
	}
	return n;
}

/* ---- states of recovery ---- */

static void enter_recovery(struct tcp_sock *t)
{
	tcp_count(t, t->sack_ok ? TCP_SACK_RECOVERY : TCP_RENO_RECOVERY);
	t->ssthresh = t->cc->ssthresh(t);
	t->cwnd = max(t->ssthresh, 2u);
	t->cwnd_count = 0;
	t->high_seq = t->snd_nxt;
	t->recovery = TCP_REC_RECOVERY;
}

void tcp_enter_loss(struct tcp_sock *t)
{
	struct packet *p;
	bool reneged;

	if (t->recovery != TCP_REC_LOSS || !before(t->snd_una, t->high_seq)) {
		t->ssthresh = t->cc->ssthresh(t);
		t->cc->timeout(t);
	}
	t->cwnd = 1;
	t->cwnd_count = 0;
	t->high_seq = t->snd_nxt;
	t->recovery = TCP_REC_LOSS;
	t->dupacks = 0;
	p = packet_list_first(&t->sndq);
	reneged = tcp_cb(p)->mark & TCPM_SACKED; /* else snd_una would be behind it (RFC 2018, 8) */
	if (reneged) {
		t->nr_sacked = 0;
		tcp_count(t, TCP_SACK_RENEGING);
	}
	if (!t->sack_ok)
		t->sacked_out = 0;
	list_for_each_entry(p, &t->sndq.head, list) {
		if (p == t->send_head)
			break;
		if (reneged)
			unmark(t, tcp_cb(p));
		mark_lost(t, tcp_cb(p));
	}
}

/*
 * RACK: what was sent well before the latest that arrived, and has not, is lost. True: something
 * new is.
 */
static bool rack_mark(struct tcp_sock *t)
{
	u64 wait = (u64)t->min_rtt_us * 1000 / 4;
	u32 was = t->lost_out;
	struct tcp_cb *cb, *next;

	if (!t->rack_ns)
		return false;
	if (t->sacked_out >= 3)
		wait = 0;		/* as good as three duplicates: order is not to blame */
	list_for_each_entry_safe(cb, next, &t->in_flight, tx) {
		if (cb->tx_ns + wait > t->rack_ns)
			break;
		if (cb->tx_ns + wait < t->rack_ns ||
		    (cb->tx_ns == t->rack_ns && before(cb->end, t->rack_end) && !wait))
			mark_lost(t, cb);
	}
	return t->lost_out > was;
}

/*
 * A peer without SACK: each duplicate means that some segment has arrived, three that the first is
 * lost.
 */
static void reno_dupack(struct tcp_sock *t)
{
	t->dupacks++;
	t->sacked_out++;
	if (t->recovery != TCP_REC_OPEN || t->dupacks < 3)
		return;
	enter_recovery(t);
	mark_lost(t, tcp_cb(packet_list_first(&t->sndq)));
	t->fast = true;
}

/*
 * N segments, of which one at least was missing, are acknowledged: the others are those that
 * duplicates told of.
 */
static void reno_progress(struct tcp_sock *t, u32 n)
{
	t->sacked_out -= min(t->sacked_out, n ? n - 1 : 0);
	if (t->recovery != TCP_REC_RECOVERY || !before(t->snd_una, t->high_seq) || !t->packets_out)
		return;
	/* a partial one: the next is lost as well (RFC 6582) */
	mark_lost(t, tcp_cb(packet_list_first(&t->sndq)));
	t->fast = true;
}

/* N: how many segments were acknowledged now. */
static void find_losses(struct tcp_sock *t, u32 n, bool progress, bool duplicate)
{
	if (t->sack_ok) {
		if ((t->sacked_out || t->recovery != TCP_REC_OPEN) && rack_mark(t) &&
		    t->recovery == TCP_REC_OPEN) {
			enter_recovery(t);
			t->fast = true;
		}
		return;
	}
	if (duplicate)
		reno_dupack(t);
	else if (progress)
		reno_progress(t, n);
	t->sacked_out = min(t->sacked_out, t->packets_out - t->lost_out);
}

/* All that was out when recovery began is acknowledged. */
static void leave_recovery(struct tcp_sock *t)
{
	if (t->recovery == TCP_REC_OPEN || before(t->snd_una, t->high_seq))
		return;
	if (t->recovery == TCP_REC_RECOVERY)
		t->cwnd = min(t->cwnd, max(t->ssthresh, 2u));
	t->recovery = TCP_REC_OPEN;
	t->dupacks = 0;
	if (!t->sack_ok)
		t->sacked_out = 0;
}

static void grow_cwnd(struct tcp_sock *t, u32 acked)
{
	if (t->recovery == TCP_REC_RECOVERY || !acked)
		return;
	if (!t->cwnd_limited && t->recovery == TCP_REC_OPEN)
		return;
	if (t->cwnd < t->ssthresh)
		acked = tcp_slow_start(t, acked);
	if (acked && t->cwnd >= t->ssthresh)
		t->cc->avoid(t, acked);
}

/* The send window (RFC 9293, 3.10.7.4). True: it changed. */
static bool update_window(struct tcp_sock *t, const struct tcp_seg *s)
{
	u32 w = (u32)s->window << (s->flags & TCP_SYN ? 0 : t->snd_wscale), was = t->snd_wnd;

	if (!after(s->ack, t->snd_una) && !after(s->seq, t->snd_wl1) &&
	    !(s->seq == t->snd_wl1 && w > t->snd_wnd))
		return false;
	t->snd_wl1 = s->seq;
	t->snd_wnd = w;
	if (w > t->max_window) {
		t->max_window = w;
		tcp_sync_mss(t);
	}
	return w != was;
}

/*
 * The window is open again, and timeouts say that what was sent meanwhile was dropped: it goes
 * again by these ACKs, and does not wait for a timer that has been put off again and again.
 */
static void window_reopened(struct tcp_sock *t)
{
	struct packet *p = packet_list_first(&t->sndq);

	t->retries = t->backoff = 0;
	mark_lost(t, tcp_cb(p));
	t->fast = true;
}

bool tcp_ack(struct tcp_sock *t, const struct tcp_seg *s)
{
	u64 now = ktime_get_ns(), rtt = 0;
	bool progress = after(s->ack, t->snd_una), window, duplicate;
	u32 n = 0, delivered = (u32)t->delivered, wnd = t->snd_wnd;

	if (after(s->ack, t->snd_nxt))
		return false;
	if (before(s->ack, t->snd_una) && t->snd_una - s->ack > max(t->max_window, 65535u))
		return false;		/* RFC 5961, 5.2 */
	t->inet.sk.err_soft = 0;		/* the peer is there */
	if (t->sack_ok)
		sack_blocks(t, s, now, &rtt);
	if (before(s->ack, t->snd_una))
		return true;
	window = update_window(t, s);
	duplicate = !progress && !window && !s->len && !(s->flags & (TCP_SYN | TCP_FIN)) &&
		    t->packets_out;
	if (progress) {
		t->snd_una = s->ack;
		if (before(t->snd_up, t->snd_una))
			t->snd_up = t->snd_una;
		n = clean_queue(t, s->ack, now, &rtt);
		t->retries = t->backoff = 0;
		t->stuck_since_ns = 0;
		t->dupacks = 0;
		if (s->has_ts && t->ts_ok && s->ts_ecr && !rtt)
			rtt = (u64)(u32)(tcp_clock_ms() + t->ts_offset - s->ts_ecr) * NSEC_PER_MS;
	} else if (!t->packets_out) { /* an answer to a probe; the next waits longer all the same */
		t->retries = 0;
		if (window && t->snd_wnd)
			t->backoff = 0;
		t->stuck_since_ns = 0;
	}
	if (rtt)
		tcp_rtt_sample(t, rtt);
	if ((u32)t->delivered != delivered)
		tcp_count_net_add(t->inet.sk.net, TCP_DELIVERED, (u32)t->delivered - delivered);
	find_losses(t, n, progress, duplicate);
	leave_recovery(t);
	if (!wnd && t->snd_wnd && t->retries && t->packets_out)
		window_reopened(t);
	if (progress)
		grow_cwnd(t, min(n, (u32)t->delivered - delivered));
	if (!t->send_head)
		t->cwnd_limited = false;	/* else the next push finds out */
	if (progress || window) {
		tcp_arm_rto(t);
		tcp_wake_writer(t);
	}
	if (t->lost_out)
		tcp_retransmit_lost(t, t->fast);	/* the others behind this section */
	t->fast = false;
	return true;
}
