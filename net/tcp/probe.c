// SPDX-License-Identifier: MIT
/*
 * Tail loss probes (RFC 8985, 7). Where the last segments of a flight are lost no later one arrives
 * that would say so, and only the retransmission timeout is left, which takes all for lost. A
 * probe goes before it, two round trips after the last segment: a new segment, or the last one
 * again. Its SACK lets RACK find what is missing.
 *
 * One probe is out at a time. Where it was the last segment again, and the acknowledgements do not
 * tell of a copy, it has filled a hole that nothing else shows: cwnd shrinks as upon a loss.
 */
#include <lib/minmax.h>
#include <kernel/time.h>
#include "net/tcp/tcp_priv.h"

#define PROBE_LEAST_US 2000u	/* beside the round trips: clocks and schedulers are not exact */

bool tcp_may_probe(const struct tcp_sock *t)
{
	return READ_ONCE(tcp_net(t)->early_retrans) >= 3 && t->packets_out && t->sack_ok &&
	       !tcp_recovers(t) && !t->sacked_out && !t->retries && !t->probe_out &&
	       !tcp_state_in(t, TCPS(SYN_SENT) | TCPS(SYN_RECV));
}

/* One segment alone may wait for the peer's delayed ACK. */
u64 tcp_probe_us(const struct tcp_sock *t)
{
	if (!t->srtt8)
		return TCP_RTO_INIT_US;
	return (t->srtt8 >> 2) + (t->packets_out == 1 ? t->rto_min_us : PROBE_LEAST_US);
}

u64 tcp_rto_left(const struct tcp_sock *t)
{
	u64 now = ktime_get_ns(), us = (u64)t->rto_us << min_t(u8, t->backoff, 16),
	    due = tcp_cb(packet_list_first((struct packet_list *)&t->sndq))->tx_ns +
		  min(us, (u64)TCP_RTO_MAX_US) * 1000;

	return due > now ? due - now : 0;
}

void tcp_arm_probe(struct tcp_sock *t)
{
	if (!tcp_may_probe(t))
		return;
	t->probe_next = true;
	tcp_timer_arm(t, &t->rto_timer, min(tcp_probe_us(t) * 1000, tcp_rto_left(t)));
}

/* The last segment that was sent, or as much of its end as one takes; NULL: no memory to cut it. */
static struct packet *last_sent(struct tcp_sock *t)
{
	struct packet *p = t->send_head ? list_prev_entry(t->send_head, list) :
					  list_last_entry(&t->sndq.head, struct packet, list);
	u32 whole = p->len / t->mss * t->mss;

	if (p->len <= t->mss)
		return p;
	if (!tcp_fragment(t, p, whole == p->len ? whole - t->mss : whole))
		return NULL;
	return list_next_entry(p, list);
}

/* Sends a new segment, or the last one again. */
static void probe(struct tcp_sock *t)
{
	bool again = !tcp_send_one(t), sent = true;
	struct packet *p;

	if (again) {
		p = last_sent(t);
		sent = p && !tcp_retransmit(t, p);
	}
	if (sent)
		tcp_count(t, TCP_LOSS_PROBES);
	t->probe_again = again && sent;
	t->probe_end = t->snd_nxt;
	t->probe_out = true;	/* also where memory was short: the timeout comes next */
	tcp_arm_rto(t);
}

bool tcp_probe_expired(struct tcp_sock *t)
{
	u64 left;

	if (!t->probe_next)
		return false;
	t->probe_next = false;
	if (tcp_may_probe(t)) {
		probe(t);
		return true;
	}
	left = t->packets_out ? tcp_rto_left(t) : 0;	/* an ACK told of a loss */
	if (left)
		tcp_timer_arm(t, &t->rto_timer, left);
	return left;
}

/* S tells that the probe's segment has come twice (RFC 2883). */
static bool tells_copy(const struct tcp_sock *t, const struct tcp_seg *s)
{
	return s->nr_sack && s->sack[0].end == t->probe_end && !after(s->sack[0].end, s->ack);
}

void tcp_probe_acked(struct tcp_sock *t, const struct tcp_seg *s, bool progress, bool news)
{
	if (before(s->ack, t->probe_end))
		return;
	if (!t->probe_again || tells_copy(t, s)) {
		t->probe_out = false;
	} else if (after(s->ack, t->probe_end)) {
		t->probe_out = false;
		t->ssthresh = t->cc->ssthresh(t);
		t->cwnd = max(t->ssthresh, 2u);
		t->cwnd_count = 0;
		tcp_count(t, TCP_LOSS_PROBE_RECOVERY);
	} else if (!progress && !news) {
		t->probe_out = false;	/* the copy's ACK: nothing was lost */
	}
}
