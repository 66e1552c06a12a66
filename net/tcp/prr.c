// SPDX-License-Identifier: MIT
/*
 * cwnd shrinks in proportion to what arrives (RFC 6937). From its old value to ssthresh one segment
 * goes for each one or two that arrive, so that sending neither stops nor comes in a burst. Where
 * more is lost than cwnd is to shrink by, and less is in flight than ssthresh, it grows back, by
 * one segment for each that arrives and, as long as snd_una moves, one more.
 */
#include <lib/minmax.h>
#include "net/tcp/tcp_priv.h"

void tcp_prr_begin(struct tcp_sock *t)
{
	t->prr_cwnd = t->cwnd;
	t->prr_delivered = t->prr_out = 0;
	t->ssthresh = t->cc->ssthresh(t);
	t->cwnd_count = 0;
	t->probe_out = false;
	t->ecn_cwr = t->ecn_ok;
}

void tcp_prr_arrived(struct tcp_sock *t, u32 newly, bool progress)
{
	u32 flight = tcp_in_flight(t), may;

	if (!newly || !t->prr_cwnd)
		return;
	t->prr_delivered += newly;
	if (flight > t->ssthresh) {
		u64 all = (u64)t->ssthresh * t->prr_delivered + t->prr_cwnd - 1;

		may = (u32)(all / t->prr_cwnd);
		may -= min(may, t->prr_out);
	} else {
		may = t->prr_delivered - min(t->prr_delivered, t->prr_out);
		may = min(max(may, newly) + progress, t->ssthresh - flight);
	}
	/* The first that is lost goes again at once. */
	t->cwnd = max(flight + max(may, t->prr_out ? 0u : 1u), 1u);
}
