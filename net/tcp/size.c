// SPDX-License-Identifier: MIT
/* How long segments are, what goes to a device in one packet, and what windows begin with. */
#include <lib/minmax.h>
#include <kernel/rcu.h>
#include <net/gso.h>
#include "net/tcp/tcp_priv.h"

#define MOST_SHIFT 14
#define RATE_SHIFT 10			/* a packet has what goes within 1 s >> RATE_SHIFT */
#define HEADERS_MOST 120u		/* of IP and of TCP, with options */

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

u16 tcp_advertised_mss(const struct tcp_sock *t, u32 mtu, u32 advmss, u32 header)
{
	u32 mss = advmss ?: mtu - min(mtu, header + TCP_HEADER);

	if (t->user_mss)
		mss = min(mss, (u32)t->user_mss);
	return (u16)clamp(mss, (u32)TCP_MSS_MIN, 65535u - header - TCP_HEADER);
}

u16 tcp_agreed_mss(const struct tcp_sock *t, const struct tcp_seg *syn)
{
	u16 mss = syn->mss ?: TCPC_MSS_DEFAULT, user = READ_ONCE(t->user_mss);

	return max_t(u16, user ? min(mss, user) : mss, TCP_MSS_MIN);
}

u32 tcp_tso_bytes(struct tcp_sock *t)
{
	u32 mss = t->mss, most;

	if (2 * mss > U16_MAX - HEADERS_MOST)
		return mss;	/* loopback's */
	most = inet_sock_gso_size(&t->inet);
	most -= min(most, HEADERS_MOST);
	return max(min(most / mss, GSO_SEGMENTS_MOST), 1u) * mss;
}

u64 tcp_send_rate(const struct tcp_sock *t)
{
	const struct tcp_net *n = tcp_net(t);
	bool grows = t->cwnd < t->ssthresh / 2;
	u32 percent = (u32)(grows ? READ_ONCE(n->pacing_ss_ratio) : READ_ONCE(n->pacing_ca_ratio));
	u64 most = READ_ONCE(t->inet.sk.pacing_rate), rate;

	if (!t->srtt8)
		return most;
	rate = (u64)t->mss * max(t->cwnd, t->packets_out) * (NSEC_PER_SEC / 1000 / 100 * 8);
	return min(rate / t->srtt8 * percent, most);
}

u32 tcp_burst_bytes(struct tcp_sock *t)
{
	const struct tcp_net *n = tcp_net(t);
	u32 most = tcp_tso_bytes(t), half = max(t->cwnd / 2, 1u), far, segs;
	u64 bytes;

	if (most <= t->mss)
		return most;
	bytes = tcp_send_rate(t) >> RATE_SHIFT;
	/* A peer that is near costs more in packets than a queue of them does. */
	far = t->min_rtt_us >> min(READ_ONCE(n->tso_rtt_log), 31);
	if (far < 32)
		bytes += most >> far;
	segs = (u32)(min(bytes, (u64)most) / t->mss);
	segs = max(segs, (u32)READ_ONCE(n->min_tso_segs));
	return min(min(segs, half) * t->mss, most);
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
	mss = max(mss, (u32)TCP_MSS_MIN) - (t->ts_ok ? TCP_STAMP_LEN : 0);
	/* A peer with a small window never sees it full of one segment. */
	if (t->max_window > TCPC_MSS_DEFAULT && mss > t->max_window / 2)
		mss = max(t->max_window / 2, (u32)TCP_MSS_MIN);
	t->mss = (u16)mss;
	t->tso = tcp_tso_bytes(t);
}
