// SPDX-License-Identifier: MIT
/*
 * Use of the congestion window. It grows only where it was the limit: a program that sends little
 * learns nothing of the network. In slow start it may be twice what was in flight (RFC 7661, 4.3),
 * so that the window of a program that sends in bursts grows with these.
 *
 * A window that was not used for a retransmission timeout says nothing of the network any more: it
 * is halved for each such time, down to what a connection begins with (RFC 5681, 4.1).
 *
 * Deferring: a small part of a large packet costs as much as the whole one. Where the next
 * acknowledgement is a moment away, and little fits, the packet waits for it.
 */
#include <lib/minmax.h>
#include <kernel/time.h>
#include "net/tcp/tcp_priv.h"

#define MOMENT_NS NSEC_PER_MS

void tcp_cwnd_used(struct tcp_sock *t, bool limit)
{
	bool new_round = !before(t->snd_una, t->cwnd_round_end);

	if (new_round || limit || (!t->cwnd_limited && t->packets_out > t->cwnd_peak)) {
		t->cwnd_limited = limit;
		t->cwnd_peak = t->packets_out;
		t->cwnd_round_end = t->snd_nxt;
	}
	if (!t->cwnd_limited && !t->send_head && READ_ONCE(t->room_wanted))
		tcp_limit_enter(t, TCP_L_BUFFER);
}

bool tcp_cwnd_is_limited(const struct tcp_sock *t)
{
	return t->cwnd_limited || (t->cwnd < t->ssthresh && t->cwnd < 2 * t->cwnd_peak);
}

u32 tcp_current_ssthresh(const struct tcp_sock *t)
{
	return tcp_shrinks(t) ? t->ssthresh : max(t->ssthresh, t->cwnd / 2 + t->cwnd / 4);
}

void tcp_cwnd_after_idle(struct tcp_sock *t)
{
	u64 idle, rto = (u64)t->rto_us * 1000;
	u32 first = TCP_INIT_CWND;

	if (t->packets_out || !READ_ONCE(tcp_net(t)->slow_start_after_idle) || !t->last_data_tx_ns)
		return;
	idle = ktime_get_ns() - t->last_data_tx_ns;
	if (idle <= rto || t->cwnd <= first)
		return;
	t->ssthresh = tcp_current_ssthresh(t);
	for (; idle > rto && t->cwnd > first; idle -= rto)
		t->cwnd /= 2;
	t->cwnd = max(t->cwnd, first);
	t->cwnd_limited = false;
	t->cwnd_peak = 0;
}

bool tcp_defers(struct tcp_sock *t, const struct packet *p, u32 room)
{
	u32 divisor = (u32)READ_ONCE(tcp_net(t)->tso_win_divisor),
	    free = (t->cwnd - tcp_in_flight(t)) * t->mss, limit = min(room, free), enough;
	u64 now, srtt_ns = (u64)t->srtt8 * 125, due;

	if (!t->packets_out || tcp_recovers(t) || limit >= p->len)
		return false;
	now = ktime_get_ns();
	if (now - t->last_data_tx_ns > MOMENT_NS)
		return false;
	enough = divisor ? min(t->snd_wnd, t->cwnd * t->mss) / divisor : 3 * t->mss;
	if (limit >= enough || limit >= tcp_burst_bytes(t))
		return false;
	due = tcp_cb(packet_list_first(&t->sndq))->tx_ns + srtt_ns;
	return due < now + min(srtt_ns / 2, MOMENT_NS);
}
