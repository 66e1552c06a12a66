// SPDX-License-Identifier: MIT
/*
 * IGMP (RFC 1112, 2236, 3376): how the messages of net/group look over IPv4. All carry the router
 * alert option (RFC 2113) and go no hop farther. Settings: ip-sysctl.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <linux/in.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/ip4/addr.h"
#include "net/ip4/ip4_priv.h"
#include "net/ip4/options.h"
#include "net/wire/csum.h"

#define ALL_HOSTS 0xe0000001u
#define ALL_ROUTERS 0xe0000002u
#define ALL_IGMPV3 0xe0000016u
#define ALERT_LEN 4u
#define INTERNET_CONTROL 0xc0		/* precedence */

static struct in_device *in_of(const struct mc_device *m)
{
	return container_of((struct mc_device *)m, struct in_device, mc);
}

/* P has its IGMP header, but for the sum. */
static void transmit(struct in_device *in, struct packet *p, be32 dst)
{
	static const struct inet_options alert = { .len = ALERT_LEN, .bytes = { 0x94, 4, 0, 0 } };
	struct ip4_route way = { .dev = in->dev,
				 .mtu = READ_ONCE(in->dev->mtu),
				 .type = RTN_MULTICAST,
				 .dst = dst,
				 .next = dst };
	struct ip4_tx t = { .tos = INTERNET_CONTROL,
			    .ttl = 1,
			    .protocol = IPPROTO_IGMP,
			    .df = true,
			    .opt = &alert,
			    .src = in_select_source(in->dev, be32_make(0), RT_SCOPE_LINK),
			    .dst = dst };
	struct igmp_wire *h = (struct igmp_wire *)packet_data(p);

	h->csum = csum_fold(packet_sum(p, 0, p->len, 0));
	ip4_send(in->dev->net, p, &way, &t);
}

static void send_report(struct mc_device *m, struct packet *p, u16 nr)
{
	struct igmp_wire *h = (struct igmp_wire *)packet_push(p, IGMP_HEADER);

	*h = (struct igmp_wire){ .type = IGMP_REPORT_V3, .group = be32_make(nr) };
	transmit(in_of(m), p, be32_make(ALL_IGMPV3));
}

static void send_old(struct mc_device *m, const struct ip6_addr *group, enum mc_message what)
{
	static const u8 types[] = {
		[MC_REPORT_V1] = IGMP_REPORT_V1, [MC_REPORT_V2] = IGMP_REPORT_V2, [MC_DONE] = IGMP_LEAVE
	};
	struct packet *p = packet_alloc(GFP_ATOMIC);

	if (!p)
		return;
	*(struct igmp_wire *)packet_put(p, IGMP_HEADER) =
		(struct igmp_wire){ .type = types[what], .group = group->w[3] };
	transmit(in_of(m), p, what == MC_DONE ? be32_make(ALL_ROUTERS) : group->w[3]);
}

/* All know that all hosts are in their group. */
static bool is_reported(const struct mc_device *m, const struct ip6_addr *group)
{
	be32 g = group->w[3];

	if (m->dev->flags & IFF_LOOPBACK || be32_get(g) == ALL_HOSTS)
		return false;
	return !ip4_is_local_multicast(g) || READ_ONCE(m->dev->net->ip4->mc.link_local_reports);
}

static void link_address(u8 *mac, const struct ip6_addr *group)
{
	mac[0] = 1;
	mac[2] = 0x5e;
	mac[3] = group->b[13] & 0x7f;
	mac[4] = group->b[14];
	mac[5] = group->b[15];
}

static u32 forced(const struct mc_device *m)
{
	const struct in_device *in = in_of(m);
	int v = READ_ONCE(in->all->force_igmp_version) ?: READ_ONCE(in->conf.force_igmp_version);

	return v >= 1 && v <= 3 ? (u32)v : 0;
}

static u32 qrv(const struct mc_device *m)
{
	return (u32)READ_ONCE(m->dev->net->ip4->mc.qrv);
}

static u32 unsolicited_ms(const struct mc_device *m, enum mc_version v)
{
	const struct in_device *in = in_of(m);

	return (u32)max(v == MC_V3 ? in_conf_max(in, igmpv3_unsolicited_report_interval) :
				     in_conf_max(in, igmpv2_unsolicited_report_interval),
			1);
}

const struct mc_family in_mc_family = { .overhead = IP4_HEADER + ALERT_LEN + IGMP_HEADER,
					.send = send_report,
					.send_old = send_old,
					.is_reported = is_reported,
					.link_address = link_address,
					.forced = forced,
					.qrv = qrv,
					.unsolicited_ms = unsolicited_ms };

int in_mc_up(struct in_device *in)
{
	struct ip6_addr all = ip6_mapped(be32_make(ALL_HOSTS));

	mc_device_up(&in->mc);
	return mc_join(&in->mc, &all);
}

void in_mc_down(struct in_device *in)
{
	struct ip6_addr all = ip6_mapped(be32_make(ALL_HOSTS));

	mc_device_down(&in->mc);
	mc_leave(&in->mc, &all);
}

/* ---- receiving ---- */

static void query(struct in_device *in, struct packet *p)
{
	u8 head[12];
	u32 n = min_t(u32, p->len, sizeof(head));
	struct mc_query q;

	if (packet_read(p, 0, head, n) && !igmp_decode_query(&q, head, n, p->len))
		mc_query_heard(&in->mc, &q, p);
}

static void receive(struct packet *p)
{
	struct in_device *in = in_dev(p->dev);
	struct igmp_wire h;
	struct ip6_addr group;

	if (!in || !packet_read(p, 0, &h, sizeof(h)) || csum_fold(packet_sum(p, 0, p->len, 0))) {
		packet_free(p, DROP_BAD_HEADER);
		return;
	}
	group = ip6_mapped(h.group);
	if (h.type == IGMP_QUERY)
		query(in, p);
	else if ((h.type == IGMP_REPORT_V1 || h.type == IGMP_REPORT_V2) &&
		 (p->pkt_type == PACKET_MULTICAST || p->pkt_type == PACKET_BROADCAST))
		mc_report_heard(&in->mc, &group);
	packet_consume(p);
}

static void no_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal)
{
}

static const struct inet_protocol igmp = { .receive = receive, .error = no_error };

static int igmp_init(void)
{
	inet_register_protocol(IPPROTO_IGMP, &igmp);
	return 0;
}
INITCALL(fs, igmp_init);
