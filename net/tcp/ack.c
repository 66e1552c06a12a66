// SPDX-License-Identifier: MIT
/*
 * Acknowledgements: what arrived, what is lost, how long a round trip takes, when to send again.
 *
 * Loss is found by time (rack.c). Three duplicate acknowledgements stand in for that where the peer
 * knows no SACK. A retransmission timeout (RFC 6298) takes all for lost.
 * While segments are lost, cwnd limits what is in flight: those sent, less those that arrived or
 * are lost, and those sent again.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/time.h>
#include <linux/time.h>
#include <linux/errqueue.h>
#include "net/tcp/tcp_priv.h"

/* ---- round trips (RFC 6298) ---- */

static void set_rto(struct tcp_sock *t)
{
	u64 us = (u64)(t->srtt8 >> 3) + max(t->rttvar4, t->rto_min_us);

	t->rto_us = (u32)min(us, (u64)TCP_RTO_MAX_US);
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
	t->rack_next = false;
	t->probe_next = tcp_may_probe(t);
	if (t->probe_next)
		us = min(us, tcp_probe_us(t));
	tcp_timer_arm(t, &t->rto_timer, us * 1000);
}

/* ---- marks ---- */

void tcp_mark_lost(struct tcp_sock *t, struct tcp_cb *cb)
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

/* CB's segment has arrived. */
static void arrived(struct tcp_sock *t, const struct tcp_cb *cb, u64 now, u64 *rtt)
{
	u64 took = now - cb->tx_ns;

	t->delivered++;
	if (!(cb->mark & TCPM_EVER) && (!*rtt || took < *rtt))
		*rtt = took;
	tcp_rack_arrived(t, cb, now);
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

/* S's first block is of a segment that the peer has twice (RFC 2883, 4). */
static bool tells_copy(const struct tcp_seg *s)
{
	const struct tcp_sack *b = s->sack;

	return before(b[0].begin, s->ack) ||
	       (s->nr_sack > 1 && !before(b[0].begin, b[1].begin) && !after(b[0].end, b[1].end));
}

static void sack_blocks(struct tcp_sock *t, const struct tcp_seg *s, u64 now, u64 *rtt)
{
	struct tcp_sack told[TCP_SACK_BLOCKS];
	u8 n = 0;

	for (u8 i = 0; i < s->nr_sack; i++) {
		const struct tcp_sack *b = &s->sack[i];

		if (!before(b->begin, b->end) || after(b->end, t->snd_nxt))
			continue;	/* nonsense */
		if (!i && tells_copy(s)) {
			tcp_undo_copy(t, b);
			tcp_rack_copy(t, b);
		}
		if (before(b->begin, t->snd_una))
			continue;
		sack_block(t, b, now, rtt);
		told[n++] = *b;
	}
	if (n)
		memcpy(t->sacked, told, n * sizeof(told[0]));
	if (n || !t->sacked_out)
		t->nr_sacked = n;
}

/* ---- what was acknowledged ---- */

/*
 * Takes off what is before ACK. How many segments. The send buffer bounds them, 704 bytes each at
 * least: 6,000 with the largest of tcp_wmem (4 MiB), and only where cwnd has grown so far.
 */
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
		if (unlikely(cb->mark & TCPM_STAMP))
			tcp_stamp(t, p, SCM_TSTAMP_ACK);
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

void tcp_enter_recovery(struct tcp_sock *t)
{
	tcp_count(t, t->sack_ok ? TCP_SACK_RECOVERY : TCP_RENO_RECOVERY);
	tcp_undo_begin(t);
	t->undo_late = true;
	if (!tcp_shrinks(t))
		tcp_prr_begin(t);
	t->probe_out = false;
	t->high_seq = t->snd_nxt;
	t->recovery = TCP_REC_RECOVERY;
	t->probe_out = false;
}

/* Marks all that was sent: as many segments as clean_queue() takes off at most. */
void tcp_enter_loss(struct tcp_sock *t)
{
	struct packet *p;
	bool reneged;

	tcp_undo_begin(t);
	t->undo_late = false;
	if (t->recovery != TCP_REC_LOSS || !before(t->snd_una, t->high_seq)) {
		t->ssthresh = t->cc->ssthresh(t);
		t->cc->timeout(t);
	}
	t->cwnd = 1;
	t->cwnd_count = 0;
	t->high_seq = t->snd_nxt;
	t->recovery = TCP_REC_LOSS;
	t->ecn_cwr = t->ecn_ok;
	t->probe_out = false;
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
		tcp_mark_lost(t, tcp_cb(p));
	}
}

/*
 * A peer without SACK: each duplicate means that some segment has arrived, three that the first is
 * lost.
 */
static void reno_dupack(struct tcp_sock *t)
{
	t->dupacks++;
	t->sacked_out++;
	t->delivered++;
	if (tcp_recovers(t) || t->dupacks < t->reordering)
		return;
	tcp_enter_recovery(t);
	tcp_mark_lost(t, tcp_cb(packet_list_first(&t->sndq)));
}

/*
 * N segments, of which one at least was missing, are acknowledged: the others are those that
 * duplicates told of.
 */
static void reno_progress(struct tcp_sock *t, u32 n)
{
	u32 known = min(t->sacked_out, n ? n - 1 : 0);

	t->delivered -= known;		/* duplicates told of them */
	t->sacked_out -= known;
	if (t->recovery != TCP_REC_RECOVERY || !before(t->snd_una, t->high_seq) || !t->packets_out)
		return;
	/* a partial one: the next is lost as well (RFC 6582) */
	tcp_mark_lost(t, tcp_cb(packet_list_first(&t->sndq)));
	t->fast = true;
}

/* N: how many segments were acknowledged now. */
static void find_losses(struct tcp_sock *t, u32 n, u64 now, bool progress, bool duplicate)
{
	t->rack_wait_ns = 0;
	if (t->sack_ok) {
		if ((t->sacked_out || tcp_recovers(t)) && tcp_rack_mark(t, now) && !tcp_recovers(t))
			tcp_enter_recovery(t);
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
	if (tcp_shrinks(t))
		t->cwnd = max(t->ssthresh, 2u);
	t->recovery = TCP_REC_OPEN;
	tcp_rack_recovered(t);
	t->dupacks = 0;
	if (!t->sack_ok)
		t->sacked_out = 0;
}

static void grow_cwnd(struct tcp_sock *t, u32 acked)
{
	if (!acked || !tcp_cwnd_is_limited(t))
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
	tcp_mark_lost(t, tcp_cb(p));
	t->fast = true;
}

/* NEWLY segments arrived. */
static void set_cwnd(struct tcp_sock *t, u32 newly, bool progress, bool lost)
{
	if (tcp_shrinks(t))
		tcp_prr_arrived(t, newly, progress && !lost);
	else if (progress || t->reordering > (u32)READ_ONCE(tcp_net(t)->reordering))
		grow_cwnd(t, newly);	/* SACKs count where they are no sign of loss */
}

/* What an ACK leads to: timers, writers, a lost segment. */
static void go_on(struct tcp_sock *t, bool progress, bool window)
{
	if (window)
		tcp_cwnd_after_idle(t);
	if (progress || window) {
		tcp_arm_rto(t);
		tcp_wake_writer(t);
	}
	if (unlikely(t->rack_wait_ns))
		tcp_rack_arm(t);
	if (t->lost_out && (tcp_in_flight(t) < t->cwnd || t->fast))
		tcp_retransmit_lost(t, 1);	/* the others behind this section */
	t->fast = false;
}

bool tcp_ack(struct tcp_sock *t, const struct tcp_seg *s)
{
	u64 now = ktime_get_ns(), rtt = 0;
	bool progress = after(s->ack, t->snd_una), window, duplicate, old;
	u32 n = 0, delivered = (u32)t->delivered, wnd = t->snd_wnd, lost = t->lost_out;

	if (after(s->ack, t->snd_nxt))
		return false;
	if (before(s->ack, t->snd_una) && t->snd_una - s->ack > max(t->max_window, 65535u))
		return false;		/* RFC 5961, 5.2 */
	t->inet.sk.err_soft = 0;		/* the peer is there */
	tcp_rack_begin(t);
	if (t->sack_ok)
		sack_blocks(t, s, now, &rtt);
	old = before(s->ack, t->snd_una);
	if (old && (u32)t->delivered == delivered)
		return true;
	window = !old && update_window(t, s);
	duplicate = !old && !progress && !window && !s->len && !(s->flags & (TCP_SYN | TCP_FIN)) &&
		    t->packets_out;
	if (progress) {
		t->snd_una = s->ack;
		if (before(t->snd_up, t->snd_una))
			t->snd_up = t->snd_una;
		n = clean_queue(t, s->ack, now, &rtt);
		if (packet_list_empty(&t->sndq))
			tcp_limit_leave(t, TCP_L_BUSY);
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
	if (rtt) {
		tcp_rtt_sample(t, rtt);
		if (t->cc->rtt)
			t->cc->rtt(t, (u32)min(rtt / NSEC_PER_USEC, (u64)U32_MAX));
	}
	if ((u32)t->delivered != delivered)
		tcp_count_net_add(t->inet.sk.net, TCP_DELIVERED, (u32)t->delivered - delivered);
	tcp_rack_end(t);
	tcp_undo_try(t, s, progress);
	find_losses(t, n, now, progress, duplicate);
	if (unlikely(t->probe_out))
		tcp_probe_acked(t, s, progress, !duplicate || (u32)t->delivered != delivered);
	leave_recovery(t);
	if (unlikely(tcp_ecn_acked(t, s)) && t->packets_out)
		tcp_enter_cwr(t);
	if (!wnd && t->snd_wnd && t->retries && t->packets_out)
		window_reopened(t);
	set_cwnd(t, (u32)t->delivered - delivered, progress, t->lost_out > lost);
	go_on(t, progress, window);
	return true;
}
