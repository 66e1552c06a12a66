// SPDX-License-Identifier: MIT
/*
 * MLD (RFC 2710, RFC 3810): how the messages of net/group look over IPv6. All have a hop-by-hop
 * option with a router alert (RFC 2711), a link-local source, and go no hop farther.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/ip6/addr6.h"
#include "net/wire/icmp6.h"

#define ALERT_LEN 8u

static struct in6_device *in6_of(const struct mc_device *m)
{
	return container_of((struct mc_device *)m, struct in6_device, mc);
}

/* P has its ICMPv6 header, but for the sum. Within RCU. */
static void transmit(struct in6_device *in, struct packet *p, const struct ip6_addr *dst)
{
	static const u8 alert[ALERT_LEN] = { IP6_ICMP, 0, 5, 2, 0, 0, 1, 0 };
	struct ip6_route way = { .dev = in->dev,
				 .mtu = READ_ONCE(in->dev->mtu),
				 .type = RTN_MULTICAST,
				 .dst = *dst,
				 .next = *dst };
	struct ip6_tx t = { .protocol = IP6_HOPOPTS, .hops = 1, .dst = *dst };

	if (!in6_link_local(in->dev, &t.src))
		t.src = IP6_ANY;
	icmp6_finish(in->dev->net, p, &t);
	memcpy(packet_push(p, ALERT_LEN), alert, ALERT_LEN);
	ip6_send(in->dev->net, p, &way, &t);
}

static void send_report(struct mc_device *m, struct packet *p, u16 nr)
{
	struct ip6_addr routers = ip6_make(0xff020000, 0, 0, 0x16);
	struct icmp_wire *h = (struct icmp_wire *)packet_push(p, ICMP_HEADER);

	*h = (struct icmp_wire){ .type = ICMP6_MLD2_REPORT };
	h->rest = be32_make(nr);
	transmit(in6_of(m), p, &routers);
}

static void send_old(struct mc_device *m, const struct ip6_addr *group, enum mc_message what)
{
	struct ip6_addr routers = ip6_make(0xff020000, 0, 0, 2);
	struct packet *p = packet_alloc(GFP_ATOMIC);
	struct icmp_wire *h;

	if (!p)
		return;
	h = (struct icmp_wire *)packet_put(p, (u16)(ICMP_HEADER + sizeof(*group)));
	*h = (struct icmp_wire){ .type = what == MC_DONE ? ICMP6_MLD_DONE : ICMP6_MLD_REPORT };
	memcpy(h + 1, group, sizeof(*group));
	transmit(in6_of(m), p, what == MC_DONE ? &routers : group);
}

/* All nodes, and what does not leave this machine, is told to nobody. */
static bool is_reported(const struct mc_device *m, const struct ip6_addr *group)
{
	struct ip6_addr all = IP6_ALL_NODES;

	return ip6_mc_scope(group) > 1 && !ip6_equal(group, &all) &&
	       !(m->dev->flags & (IFF_LOOPBACK | IFF_NOARP));
}

static u32 forced(const struct mc_device *m)
{
	int v = READ_ONCE(m->dev->net->ip6->conf_all.force_mld_version) ?:
			READ_ONCE(in6_of(m)->conf.force_mld_version);

	return v == 1 ? MC_V2 : v == 2 ? MC_V3 : 0;
}

static u32 qrv(const struct mc_device *m)
{
	return (u32)READ_ONCE(m->dev->net->ip6->mld_qrv);
}

static u32 unsolicited_ms(const struct mc_device *m, enum mc_version v)
{
	const struct in6_conf *c = &in6_of(m)->conf;

	return (u32)max(v == MC_V3 ? READ_ONCE(c->mldv2_unsolicited_report_interval) :
				     READ_ONCE(c->mldv1_unsolicited_report_interval),
			1);
}

const struct mc_family in6_mc_family = { .six = true,
					 .overhead = IP6_HEADER + ALERT_LEN + ICMP_HEADER,
					 .send = send_report,
					 .send_old = send_old,
					 .is_reported = is_reported,
					 .link_address = ip6_group_mac,
					 .forced = forced,
					 .qrv = qrv,
					 .unsolicited_ms = unsolicited_ms };

/* ---- receiving ---- */

static void query(struct in6_device *in, struct packet *p)
{
	u8 head[MLD_QUERY_V2];
	u32 n = min_t(u32, p->len, sizeof(head));
	struct mc_query q;

	if (packet_read(p, 0, head, n) && !mld_decode_query(&q, head, n, p->len))
		mc_query_heard(&in->mc, &q, p);
}

static void report(struct in6_device *in, struct packet *p)
{
	struct ip6_addr group;

	if (packet_read(p, ICMP_HEADER, &group, sizeof(group)))
		mc_report_heard(&in->mc, &group);
}

void mld_receive(struct packet *p, u8 type)
{
	const struct ip6_wire *ip = (const struct ip6_wire *)packet_net(p);
	struct in6_device *in = in6_dev(p->dev);

	if (in && ip->hops == 1 && ip6_is_link_local(&ip->src) && p->pkt_type != PACKET_LOOPBACK) {
		if (type == ICMP6_MLD_QUERY)
			query(in, p);
		else
			report(in, p);
	}
	packet_consume(p);
}
