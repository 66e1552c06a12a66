// SPDX-License-Identifier: MIT
/*
 * Recovery that was not needed is undone. A segment that is only late looks lost; it is sent again,
 * and cwnd shrinks. Two things tell afterwards that nothing was lost: an acknowledgement of new
 * data echoes a timestamp older than the first retransmission (Eifel, RFC 3522: the original
 * arrived); or the peer reports each retransmission as a copy (D-SACK, RFC 2883, RFC 3708). Then
 * cwnd and ssthresh are what they were (RFC 4015), and what waits to be sent again is in flight.
 *
 * An episode begins with recovery or a timeout, and ends when the next one begins or by being
 * undone: the reports of copies come when recovery is over.
 */
#include <lib/list.h>
#include <lib/minmax.h>
#include "net/tcp/tcp_priv.h"

void tcp_undo_begin(struct tcp_sock *t)
{
	if (t->recovery != TCP_REC_OPEN && before(t->snd_una, t->high_seq))
		return;		/* it goes on: what was before it counts */
	t->undo_cwnd = t->cwnd;
	t->undo_ssthresh = t->ssthresh;
	t->undo_sent = t->undo_copies = 0;
}

/* CB was sent again. Its own timestamp is not older than undo_ts: it was made after tx_ns. */
void tcp_undo_sent(struct tcp_sock *t, const struct tcp_cb *cb)
{
	if (!t->undo_cwnd)
		return;
	if (!t->undo_sent++) {
		t->undo_seq = cb->seq;
		t->undo_ts = tcp_ms(cb->tx_ns) + t->ts_offset;
	}
}

/* The peer has B twice. */
void tcp_undo_copy(struct tcp_sock *t, const struct tcp_sack *b)
{
	if (t->undo_cwnd && t->undo_sent && !before(b->begin, t->undo_seq))
		t->undo_copies++;
}

/* Walks what was sent: as many segments as clean_queue() takes off at most. */
static void undo(struct tcp_sock *t)
{
	struct tcp_cb *cb;

	list_splice_init(&t->lost, &t->in_flight);	/* older than what was sent again */
	list_for_each_entry(cb, &t->in_flight, tx)
		cb->mark &= (u8)~TCPM_LOST;
	t->lost_out = 0;
	t->cwnd = max(t->cwnd, t->undo_cwnd);
	t->ssthresh = max(t->ssthresh, t->undo_ssthresh);
	t->undo_cwnd = 0;
	t->rack_disorder += t->undo_late;
	t->recovery = TCP_REC_OPEN;
	t->dupacks = 0;
	if (!t->sack_ok)
		t->sacked_out = 0;
}

static bool echoes_original(const struct tcp_sock *t, const struct tcp_seg *s)
{
	return t->ts_ok && s->has_ts && s->ts_ecr && after(s->ack, t->undo_seq) &&
	       (s32)(s->ts_ecr - t->undo_ts) < 0;
}

void tcp_undo_try(struct tcp_sock *t, const struct tcp_seg *s, bool progress)
{
	if (!t->undo_cwnd || !t->undo_sent)
		return;
	if (t->undo_copies >= t->undo_sent || (progress && echoes_original(t, s)))
		undo(t);
}
