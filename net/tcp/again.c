// SPDX-License-Identifier: MIT
/*
 * Sending again: the first that is lost goes first, as cwnd allows; where the way takes shorter
 * packets than it did, what was too long goes again in parts.
 */
#include <lib/minmax.h>
#include <kernel/rcu.h>
#include <abi/errno.h>
#include "net/tcp/tcp_priv.h"

static void count_retransmit(const struct tcp_sock *t, int err)
{
	if (err)
		tcp_count(t, TCP_RETRANS_FAIL);
	else
		tcp_count(t, TCP_RETRANS_SEGS);
	if (!err && tcp_recovers(t))
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
	if (unlikely(cb->flags & TCP_SYN) && READ_ONCE(tcp_net(t)->ecn_fallback))
		cb->flags &= (u8) ~(TCP_ECE | TCP_CWR);
	tcp_sync_mss(t);
	if (p->len > t->mss && !tcp_fragment(t, p, t->mss))
		return -ENOMEM;
	if (cb->sent && p->len)
		t->bytes_retrans += p->len;
	e = tcp_transmit(t, p);
	count_retransmit(t, e);
	if (!t->stuck_since_ns)
		t->stuck_since_ns = cb->tx_ns;
	/* What the device's queue has no room for is lost as it was. */
	if (e == -ENOBUFS && (cb->mark & (TCPM_LOST | TCPM_RETRANS)) == TCPM_LOST)
		return e;
	t->total_retrans++;
	tcp_undo_sent(t, cb);
	if (!(cb->mark & TCPM_RETRANS)) {
		cb->mark |= TCPM_RETRANS | TCPM_EVER;
		t->retrans_out++;
	}
	list_move_tail(&cb->tx, &t->in_flight);
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
		if (tcp_is_paced(t))
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
