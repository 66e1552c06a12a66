// SPDX-License-Identifier: MIT
/*
 * Explicit congestion notification (RFC 3168). Ends that agree on it in their SYNs mark new data as
 * ECT(0); a congested router sets CE instead of dropping the packet. The receiver of CE sets ECE in
 * each segment until CWR arrives; the sender that receives ECE reduces cwnd as upon a loss, at most
 * once a round trip, and sets CWR.
 *
 * What is sent again, segments without data and SYNs are not marked (6.1). tcp_ecn: 0 no; 1 asked
 * for and accepted; 2 accepted. A SYN that is not answered is sent without it (tcp_ecn_fallback).
 */
#include <net/gso.h>
#include <net/packet.h>
#include "net/ip6/ip6_priv.h"
#include "net/tcp/tcp_priv.h"

#define ECT0 2u
#define CE 3u
#define ECN_MASK 3u

/* The ECN bits of P's IP header. */
static u8 bits_of(struct packet *p)
{
	const u8 *ip = packet_net(p);

	return packet_is_ip6(p) ? ip[1] >> 4 & ECN_MASK : ip[1] & ECN_MASK;
}

u8 tcp_ecn_syn_flags(struct tcp_sock *t)
{
	return READ_ONCE(tcp_net(t)->ecn) == 1 ? TCP_ECE | TCP_CWR : 0;
}

void tcp_ecn_synack(struct tcp_sock *t, const struct tcp_seg *s, u8 flags)
{
	t->ecn_ok = flags & TCP_ECE && s->flags & TCP_ECE && !(s->flags & TCP_CWR);
}

bool tcp_ecn_accepts(struct tcp_net *n, struct packet *p, const struct tcp_seg *s)
{
	return READ_ONCE(n->ecn) && s->flags & TCP_ECE && s->flags & TCP_CWR && !bits_of(p);
}

u8 tcp_ecn_send(struct tcp_sock *t, struct packet *p, bool fresh)
{
	u8 flags = 0;

	if (likely(!t->ecn_ok))
		return 0;
	if (fresh) {
		p->ecn = ECT0;
		if (t->ecn_cwr) {
			t->ecn_cwr = false;
			flags |= TCP_CWR;
			p->gso_type |= p->gso_size ? GSO_ECN : 0;
		}
	}
	return flags | (t->ecn_echo ? TCP_ECE : 0);
}

void tcp_ecn_data(struct tcp_sock *t, struct packet *p, const struct tcp_seg *s)
{
	if (likely(!t->ecn_ok))
		return;
	if (s->flags & TCP_CWR)
		t->ecn_echo = false;
	if (bits_of(p) == CE) {
		if (!t->ecn_echo)
			t->ack_now = true;
		t->ecn_echo = true;
	}
}

bool tcp_ecn_acked(const struct tcp_sock *t, const struct tcp_seg *s)
{
	return t->ecn_ok && s->flags & TCP_ECE && !(s->flags & TCP_SYN);
}

void tcp_enter_cwr(struct tcp_sock *t)
{
	if (t->recovery != TCP_REC_OPEN)
		return;
	t->undo_cwnd = 0;
	tcp_prr_begin(t);
	t->high_seq = t->snd_nxt;
	t->recovery = TCP_REC_CWR;
}
