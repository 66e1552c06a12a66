// SPDX-License-Identifier: MIT
/*
 * ICMP (RFC 792; RFC 1122, 3.2.2; RFC 1812, 4.3). Questions are answered, errors handed to the
 * protocol of the packet that they quote, and errors sent.
 *
 * Limits of rate, for the types in ratemask and not on loopback: msgs_per_sec of a namespace, with
 * bursts of msgs_burst; and one in ratelimit_ms to one destination, with bursts of PEER_BURST. Both
 * are leaky buckets kept as one moment: when the bucket will be empty. Destinations share RATE_SLOTS
 * such moments by keyed hash; two that share one are limited together. Updates race without harm.
 */
#include <lib/minmax.h>
#include <lib/siphash.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include <linux/icmp.h>
#include <linux/in.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/ip4/addr.h"
#include "net/ip4/frags.h"
#include "net/ip4/ip4_priv.h"
#include "net/wire/csum.h"
#include "net/wire/icmp.h"

#define QUOTE_MOST 576u			/* bytes of an error with its IP header (RFC 1812, 4.3.2.3) */
#define PEER_BURST 6
#define RATE_SLOTS 512u

struct icmp_rates {
	struct siphash_key key;
	u64 empty_ns[RATE_SLOTS];
};

static bool (*reply_to_sockets)(struct packet *p);
static struct inet_protocol icmp_protocol;

void icmp_register_reply(bool (*fn)(struct packet *p),
			 void (*error)(struct packet *p, const struct icmp_quote *q, int err,
				       bool fatal))
{
	reply_to_sockets = fn;
	icmp_protocol.error = error;
}

int icmp_errno(u8 type, u8 code, bool *fatal)
{
	static const struct {
		u8 err;
		bool fatal;
	} unreach[] = {
		[ICMP_NET_UNREACH] = { ENETUNREACH, false },
		[ICMP_HOST_UNREACH] = { EHOSTUNREACH, false },
		[ICMP_PROT_UNREACH] = { ENOPROTOOPT, true },
		[ICMP_PORT_UNREACH] = { ECONNREFUSED, true },
		[ICMP_FRAG_NEEDED] = { EMSGSIZE, false },
		[ICMP_SR_FAILED] = { EOPNOTSUPP, false },
		[ICMP_NET_UNKNOWN] = { ENETUNREACH, true },
		[ICMP_HOST_UNKNOWN] = { EHOSTDOWN, true },
		[ICMP_HOST_ISOLATED] = { ENONET, true },
		[ICMP_NET_ANO] = { ENETUNREACH, true },
		[ICMP_HOST_ANO] = { EHOSTUNREACH, true },
		[ICMP_NET_UNR_TOS] = { ENETUNREACH, false },
		[ICMP_HOST_UNR_TOS] = { EHOSTUNREACH, false },
		[ICMP_PKT_FILTERED] = { EHOSTUNREACH, true },
		[ICMP_PREC_VIOLATION] = { EHOSTUNREACH, true },
		[ICMP_PREC_CUTOFF] = { EHOSTUNREACH, true },
	};

	*fatal = false;
	switch (type) {
	case ICMP_DEST_UNREACH:
		if (code >= ARRAY_SIZE(unreach))
			return EHOSTUNREACH;
		*fatal = unreach[code].fatal;
		return unreach[code].err;
	case ICMP_TIME_EXCEEDED:
		return EHOSTUNREACH;
	case ICMP_PARAMETERPROB:
		*fatal = true;
		return EPROTO;
	}
	return 0;
}

/* ---- limits ---- */

/* A bucket that fills by PERIOD a message and holds BURST of them. */
static bool bucket_takes(u64 *empty_ns, u64 now, u64 period, u64 burst)
{
	u64 at = max(READ_ONCE(*empty_ns), now);

	if (at - now > period * (burst - 1))
		return false;
	WRITE_ONCE(*empty_ns, at + period);
	return true;
}

bool icmp_may(struct net *net, int ratelimit_ms, const u64 *peer, unsigned int words,
	      enum net_counter refused)
{
	const struct icmp_conf *c = &net->ip4->icmp;
	struct icmp_rates *rates = net->ip4->rates;
	u64 now = ktime_get_ns(), per_sec = (u64)max(READ_ONCE(c->msgs_per_sec), 1);

	if (!bucket_takes(&net->ip4->icmp_empty_ns, now, NSEC_PER_SEC / per_sec,
			  (u64)max(READ_ONCE(c->msgs_burst), 1))) {
		net_count(net, ICMP_OUT_RATE_GLOBAL);
		return false;
	}
	if (!ratelimit_ms ||
	    bucket_takes(&rates->empty_ns[siphash_13(&rates->key, peer, words) % RATE_SLOTS], now,
			 (u64)ratelimit_ms * NSEC_PER_MSEC, PEER_BURST))
		return true;
	net_count(net, refused);
	return false;
}

/* What path MTUs are found by is never held back. */
static bool allowed(struct net *net, const struct ip4_route *r, u8 type, u8 code, be32 dst)
{
	const struct icmp_conf *c = &net->ip4->icmp;
	u64 w[1] = { dst.v };

	if (type >= 32 || (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED) ||
	    !((u32)READ_ONCE(c->ratemask) >> type & 1) || r->dev->flags & IFF_LOOPBACK)
		return true;
	return icmp_may(net, READ_ONCE(c->ratelimit_ms), w, 1, ICMP_OUT_RATE_HOST);
}

/* ---- sending ---- */

static void count_out(struct net *net, u8 type)
{
	net_count(net, ICMP_OUT_MSGS);
	if (type <= NR_ICMP_TYPES)
		net_count(net, ICMP_OUT_TYPE + type);
}

/* P is a message from its ICMP header on, without a sum. */
static void transmit(struct net *net, struct packet *p, const struct ip4_route *r,
		     const struct ip4_tx *t)
{
	struct icmp_wire *h = (struct icmp_wire *)packet_data(p);

	h->csum.v = 0;
	h->csum.v = csum_fold(packet_sum(p, 0, p->len, 0));
	count_out(net, h->type);
	ip4_send(net, p, r, t);
}

/* The way back to P's sender: 0 or -errno. SRC: the address that it was sent to, if it is ours. */
static int way_back(struct net *net, const struct packet *p, const struct ip4_wire *h, be32 src,
		    struct ip4_route *r)
{
	struct ip4_flow f = {
		.dst = h->src, .src = src, .tos = h->tos & 0x1c, .protocol = IPPROTO_ICMP
	};

	if (ip4_is_link_local(h->src))
		f.oif = (int)p->iif;
	return route4_out(net, &f, r);
}

/* May an error be sent about P (RFC 1122, 3.2.2)? */
static bool deserves(struct net *net, struct packet *p, const struct ip4_wire *h, u8 type)
{
	u32 hdr = ip4_header_len(h), at = (u32)(p->net_at - p->data) + hdr;
	u8 quoted;

	if (p->pkt_type != PACKET_HOST || be16_get(h->frag) & IP4_OFFSET)
		return false;
	if (ip4_is_multicast(h->dst) || ip4_is_broadcast(h->dst) ||
	    ip4_is_martian_source(h->src) !=
		    (p->dev->flags & IFF_LOOPBACK && ip4_is_loopback(h->src)))
		return false;
	if (route4_addr_type(net, h->dst, NULL) == RTN_BROADCAST)
		return false;
	if (h->protocol != IPPROTO_ICMP || !icmp_is_error(type))
		return true;
	/* Where the header was pulled off, data lies behind it. */
	at = p->data > p->net_at ? hdr - (u32)(p->data - p->net_at) : at;
	return packet_read(p, at, &quoted, 1) && !icmp_is_error(quoted);
}

bool icmp_quote_packet(struct packet *e, struct packet *p, u32 most)
{
	u32 back = (u32)(p->data - p->net_at), n = min(p->len + back, most);
	u32 linear = min(n, back);

	/* First what lies before the data, pulled off already, then the rest. */
	for (u32 off = 0; off < n;) {
		u8 piece[128];
		u32 len = min_t(u32, n - off, sizeof(piece));
		struct kvec v = { piece, len };
		struct iter it;

		if (off < linear) {
			len = min(len, linear - off);
			v.iov_len = len;
			memcpy(piece, packet_net(p) + off, len);
		} else if (!packet_read(p, off - linear, piece, len)) {
			return false;
		}
		iter_init_kvec(&it, ITER_SOURCE, &v, 1, len);
		if (packet_from_iter(e, &it, len, GFP_ATOMIC))
			return false;
		off += len;
	}
	return true;
}

void icmp_send(struct packet *p, u8 type, u8 code, u32 info)
{
	const struct ip4_wire *h = (const struct ip4_wire *)packet_net(p);
	struct net *net = p->dev->net;
	struct ip4_route r;
	struct ip4_tx t = { .protocol = IPPROTO_ICMP,
			    .ttl = -1,
			    .tos = icmp_is_error(type) ? (u8)((h->tos & 0x1e) | 0xc0) : h->tos };
	be32 src = route4_addr_type(net, h->dst, NULL) == RTN_LOCAL ? h->dst : be32_make(0);
	struct packet *e;
	struct icmp_wire *w;

	if (!deserves(net, p, h, type) || way_back(net, p, h, src, &r) ||
	    !allowed(net, &r, type, code, h->src))
		return;
	e = packet_alloc(GFP_ATOMIC);
	if (!e)
		return;
	w = (struct icmp_wire *)packet_put(e, ICMP_HEADER);
	*w = (struct icmp_wire){ .type = type, .code = code };
	if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED)
		w->frag.mtu = be16_make((u16)min(info, 65535u));
	else
		w->rest = be32_make(info);
	if (!icmp_quote_packet(e, p, min(QUOTE_MOST, r.mtu) - IP4_HEADER - ICMP_HEADER)) {
		packet_free(e, DROP_NOMEM);
		return;
	}
	e->mark = 0;
	t.dst = h->src;
	t.src = src.v ? src : r.src;
	transmit(net, e, &r, &t);
}

/* ---- receiving ---- */

/* P, from its ICMP header on, goes back to its sender with TYPE. Consumes P. */
static void answer(struct net *net, struct packet *p, u8 type)
{
	const struct ip4_wire *h = (const struct ip4_wire *)packet_net(p);
	struct ip4_cb *cb = ip4_cb(p);
	struct ip4_tx t = {
		.protocol = IPPROTO_ICMP, .ttl = -1, .tos = h->tos, .dst = h->src, .fragment = true
	};
	be32 src = cb->dst_type == RTN_LOCAL ? h->dst : be32_make(0);
	struct icmp_wire *w = (struct icmp_wire *)packet_data(p);
	struct ip4_route r;

	if (way_back(net, p, h, src, &r) || !allowed(net, &r, type, 0, h->src)) {
		packet_free(p, DROP_NO_ROUTE);
		return;
	}
	t.src = src.v ? src : r.src;
	packet_orphan(p);
	w->type = type;
	w->code = 0;
	p->iif = 0;
	p->pkt_type = PACKET_HOST;
	p->csum_state = PACKET_CSUM_NONE;
	p->mac_at = p->net_at = PACKET_NO_HEADER;
	transmit(net, p, &r, &t);
}

static void echo(struct net *net, struct packet *p)
{
	const struct icmp_conf *c = &net->ip4->icmp;

	if (READ_ONCE(c->echo_ignore_all) ||
	    (ip4_cb(p)->dst_type != RTN_LOCAL && READ_ONCE(c->echo_ignore_broadcasts)))
		packet_free(p, DROP_FILTER);
	else
		answer(net, p, ICMP_ECHOREPLY);
}

/* Milliseconds since midnight UT. */
static void timestamp(struct net *net, struct packet *p)
{
	be32 now = be32_make((u32)(ktime_get_real_ns() / NSEC_PER_MSEC % 86400000));

	/* Written into memory that is not shared: pieces may be. */
	if (ip4_cb(p)->dst_type != RTN_LOCAL || !packet_need(p, ICMP_HEADER + 12)) {
		packet_free(p, DROP_TOO_SHORT);
		return;
	}
	memcpy(packet_data(p) + ICMP_HEADER + 4, &now, sizeof(now));
	memcpy(packet_data(p) + ICMP_HEADER + 8, &now, sizeof(now));
	answer(net, p, ICMP_TIMESTAMPREPLY);
}

/*
 * The bytes that the path of a packet of ours carries, where the router does not say it: RFC 1191,
 * 5 and 7.1.
 */
static void guess_mtu(struct icmp_quote *q, const struct ip4_wire *quoted)
{
	static const u16 plateaus[] = { 32000, 17914, 8166, 4352, 2002, 1492, 576, 216, 128, 68 };
	u32 total = be16_get(quoted->tot_len);

	for (unsigned int i = 0; i < ARRAY_SIZE(plateaus) && !q->info; i++)
		if (plateaus[i] < total)
			q->info = plateaus[i];
}

void icmp_learn_mtu(struct net *net, const struct icmp_quote *q)
{
	u32 least = (u32)max(READ_ONCE(net->ip4->min_pmtu), 68);

	if (q->type == ICMP_DEST_UNREACH && q->code == ICMP_FRAG_NEEDED && q->info &&
	    q->info < 65535 && route4_addr_type(net, q->src, NULL) == RTN_LOCAL &&
	    !READ_ONCE(net->ip4->no_pmtu_disc))
		route4_learn_mtu(net, q->dst, max(q->info, least));
}

static void error(struct net *net, struct packet *p)
{
	const u16 most = (u16)min_t(u32, p->len, ICMP_HEADER + IP4_HEADER_MOST + 8);
	struct icmp_quote q;
	bool fatal;
	int err;

	if (!packet_need(p, most) || icmp_decode_error(&q, packet_data(p), p->linear)) {
		net_count(net, ICMP_IN_ERRORS);
		packet_free(p, DROP_BAD_HEADER);
		return;
	}
	err = icmp_errno(q.type, q.code, &fatal);
	if (q.type == ICMP_DEST_UNREACH && q.code == ICMP_FRAG_NEEDED)
		guess_mtu(&q, (const struct ip4_wire *)(packet_data(p) + ICMP_HEADER));
	if (err)
		ip4_error(p, &q, err, fatal);
	packet_consume(p);
}

static void icmp_receive(struct packet *p)
{
	struct net *net = p->dev->net;
	u8 type;

	net_count(net, ICMP_IN_MSGS);
	if (!packet_need(p, ICMP_HEADER)) {
		net_count(net, ICMP_IN_ERRORS);
		packet_free(p, DROP_TOO_SHORT);
		return;
	}
	if (p->csum_state != PACKET_CSUM_VERIFIED && csum_fold(packet_sum(p, 0, p->len, 0))) {
		net_count(net, ICMP_IN_CSUM_ERRORS);
		net_count(net, ICMP_IN_ERRORS);
		packet_free(p, DROP_CSUM);
		return;
	}
	type = packet_data(p)[0];
	if (type <= NR_ICMP_TYPES)
		net_count(net, ICMP_IN_TYPE + type);
	switch (type) {
	case ICMP_ECHO:
		echo(net, p);
		return;
	case ICMP_TIMESTAMP:
		timestamp(net, p);
		return;
	case ICMP_ECHOREPLY:
		if (!reply_to_sockets || !reply_to_sockets(p))
			packet_consume(p);
		return;
	case ICMP_DEST_UNREACH:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
	case ICMP_SOURCE_QUENCH:
	case ICMP_REDIRECT:
		error(net, p);
		return;
	}
	if (type > NR_ICMP_TYPES)
		net_count(net, ICMP_IN_ERRORS);
	packet_free(p, DROP_NO_PROTOCOL);
}

void icmp_tell_sender(struct packet *p, u8 type, u8 code)
{
	struct packet *e;
	struct icmp_quote q;
	struct icmp_wire *w;
	bool fatal;
	int err = icmp_errno(type, code, &fatal);

	if (p->net_at == PACKET_NO_HEADER || !p->dev)
		return;
	e = packet_alloc(GFP_ATOMIC);
	if (!e)
		return;
	w = (struct icmp_wire *)packet_put(e, ICMP_HEADER);
	*w = (struct icmp_wire){ .type = type, .code = code };
	e->dev = p->dev;
	if (icmp_quote_packet(e, p, 96) && packet_need(e, (u16)min(e->len, 96u)) &&
	    !icmp_decode_error(&q, packet_data(e), e->linear))
		ip4_error(e, &q, err, fatal);
	packet_consume(e);
}

int icmp_begin(struct net *net)
{
	net->ip4->icmp = (struct icmp_conf){ .echo_ignore_broadcasts = 1,
					     .ignore_bogus_error_responses = 1,
					     .ratelimit_ms = 1000,
					     .ratemask = 6168,
					     .msgs_per_sec = 10000,
					     .msgs_burst = 10000 };
	net->ip4->min_pmtu = 552;
	net->ip4->rates = kzalloc(sizeof(*net->ip4->rates), GFP_KERNEL_ACCOUNT);
	if (!net->ip4->rates)
		return -ENOMEM;
	get_random_bytes(&net->ip4->rates->key, sizeof(net->ip4->rates->key));
	return 0;
}

void icmp_end(struct net *net)
{
	synchronize_rcu();
	kfree(net->ip4->rates);
}

static int icmp_init(void)
{
	icmp_protocol.receive = icmp_receive;
	inet_register_protocol(IPPROTO_ICMP, &icmp_protocol);
	return 0;
}
INITCALL(fs, icmp_init);
