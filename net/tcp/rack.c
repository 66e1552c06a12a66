// SPDX-License-Identifier: MIT
/*
 * Loss by time (RACK, RFC 8985): a segment is lost when one that was sent after it has arrived, a
 * round trip and a window ago. The window is for segments that overtake each other:
 *
 * - 0 while no segment has been seen to arrive out of order, during a recovery or once three were
 *   SACKed: as good as three duplicate acknowledgements;
 * - else a quarter of the least round trip, times 1 + rack_more; at most a mean round trip.
 *
 * rack_more grows by one in each round trip in which the peer tells of a copy (D-SACK): a segment
 * was only late. It is 0 again after 16 recoveries without such a report. A recovery that is undone
 * (undo.c) shows disorder, too.
 *
 * What may still be late is looked at again when its window is over. rto_timer does it (rack_next);
 * as with a loss probe, the retransmission timeout comes after it.
 */
#include <lib/minmax.h>
#include <kernel/time.h>
#include "net/tcp/tcp_priv.h"

#define PERSIST 16u	/* recoveries that a larger window lasts */
#define MORE_MOST 255u
#define MOST_REORDERING 300u
#define SLACK_NS (2 * NSEC_PER_MS)	/* the timer looks a little later: clocks are not exact */

/* CB's segment, sent once, arrived behind one that was sent after it. */
static void came_late(struct tcp_sock *t, const struct tcp_cb *cb)
{
	u32 by = (t->rack_top - cb->seq + t->mss - 1) / t->mss;

	t->rack_disorder += !t->rack_late;
	t->rack_late = true;
	t->reordering = max(t->reordering, min(by, MOST_REORDERING));
}

void tcp_rack_arrived(struct tcp_sock *t, const struct tcp_cb *cb, u64 now)
{
	if (after(cb->end, t->rack_top))
		t->rack_top_new = after(cb->end, t->rack_top_new) ? cb->end : t->rack_top_new;
	else if (before(cb->end, t->rack_top) && !(cb->mark & TCPM_EVER))
		came_late(t, cb);
	/* Of one sent twice, an answer that comes too soon is to the first. */
	if (cb->mark & TCPM_EVER && (now - cb->tx_ns) / 1000 < t->min_rtt_us)
		return;
	t->rack_rtt_ns = now - cb->tx_ns;
	if (cb->tx_ns > t->rack_ns || (cb->tx_ns == t->rack_ns && after(cb->end, t->rack_end))) {
		t->rack_ns = cb->tx_ns;
		t->rack_end = cb->end;
	}
}

void tcp_rack_begin(struct tcp_sock *t)
{
	if (t->rack_top - t->snd_una > t->snd_nxt - t->snd_una)
		t->rack_top = t->snd_una;	/* it was left behind, or never set */
	t->rack_top_new = t->rack_top;
	t->rack_late = false;
}

void tcp_rack_end(struct tcp_sock *t)
{
	t->rack_top = t->rack_top_new;
}

void tcp_rack_copy(struct tcp_sock *t, const struct tcp_sack *b)
{
	/* Not what the network or the peer made of one that was sent once. */
	if (t->copies >= t->total_retrans)
		return;
	t->copies++;
	if (!t->rack_disorder || (t->probe_out && t->probe_again && b->end == t->probe_end))
		return;
	if (t->rack_round && before(t->snd_una, t->rack_round_end))
		return;
	t->rack_round = true;
	t->rack_round_end = t->snd_nxt;
	t->rack_more = (u8)min(t->rack_more + 1u, MORE_MOST);
	t->rack_persist = PERSIST;
}

void tcp_rack_recovered(struct tcp_sock *t)
{
	if (t->rack_persist && !--t->rack_persist)
		t->rack_more = 0;
}

/* ns that a segment may be late. */
static u64 window(const struct tcp_sock *t)
{
	if (!t->rack_disorder && (tcp_recovers(t) || t->sacked_out >= t->reordering))
		return 0;
	return min((t->rack_more + 1ull) * t->min_rtt_us / 4, (u64)t->srtt8 >> 3) * 1000;
}

bool tcp_rack_mark(struct tcp_sock *t, u64 now)
{
	u32 was = t->lost_out;
	struct tcp_cb *cb, *next;
	u64 late;

	t->rack_wait_ns = 0;
	if (!t->rack_ns)
		return false;
	late = t->rack_rtt_ns + window(t);
	list_for_each_entry_safe(cb, next, &t->in_flight, tx) {
		if (cb->tx_ns > t->rack_ns ||
		    (cb->tx_ns == t->rack_ns && !before(cb->end, t->rack_end)))
			break;
		if (cb->tx_ns + late > now) {
			t->rack_wait_ns = cb->tx_ns + late - now;
			break;
		}
		tcp_mark_lost(t, cb);
	}
	return t->lost_out > was;
}

void tcp_rack_arm(struct tcp_sock *t)
{
	t->rack_next = true;
	t->probe_next = false;
	tcp_timer_arm(t, &t->rto_timer, min(t->rack_wait_ns + SLACK_NS, tcp_rto_left(t)));
}

bool tcp_rack_expired(struct tcp_sock *t)
{
	u64 left;

	if (!t->rack_next)
		return false;
	t->rack_next = false;
	if (!t->packets_out || !t->sack_ok)
		return false;
	if (!tcp_rack_mark(t, ktime_get_ns())) {
		left = tcp_rto_left(t);
		if (left && t->rack_wait_ns)
			tcp_rack_arm(t);
		else if (left)
			tcp_timer_arm(t, &t->rto_timer, left);
		return left;
	}
	if (!tcp_recovers(t)) {
		tcp_enter_recovery(t);
		tcp_prr_arrived(t, 1, false);
	}
	tcp_arm_rto(t);
	if (t->rack_wait_ns)
		tcp_rack_arm(t);
	tcp_retransmit_lost(t, 1);
	t->fast = false;
	t->push_wanted = true;		/* the others behind this section */
	return true;
}
