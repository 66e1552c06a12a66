/* SPDX-License-Identifier: MIT */
/* Fragments on their way to be whole, and what goes with errors, within net/ip4. */
#pragma once

#include <net/packet.h>

struct icmp_quote;
struct net;

/* Packets of which fragments wait, and the bytes that they hold. */
unsigned int ip4_frags_count(struct net *net);
unsigned long ip4_frags_bytes(struct net *net);
/*
 * P is a fragment for us, its IP header at its data. The whole packet, or NULL: P waits, or is
 * gone.
 */
struct packet *ip4_reassemble(struct net *net, struct packet *p);
/* An error to whom it may concern: raw sockets and the protocol of Q. */
void ip4_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal);
/* P was made here: its socket hears of it as of an ICMP error. P stays the caller's. */
void icmp_tell_sender(struct packet *p, u8 type, u8 code);
