// SPDX-License-Identifier: MIT
/*
 * Which settings devices have, those that code reads (ip-sysctl). Packets that ask for a way of
 * their own are dropped, redirects are neither sent nor followed: those settings are 0, and can be
 * set to nothing else.
 */
#include <lib/types.h>
#include "net/conf/conf_dev.h"
#include "net/ip4/addr.h"
#include "net/ip6/addr6.h"

static void set_forwarding(struct netdev *d, int v)
{
	WRITE_ONCE(in_dev(d)->conf.forwarding, v);
	route4_flush(d->net);
}

#define V4(field, greatest) \
	{ .name = #field, .at = offsetof(struct in_conf, field), .most = greatest }
const struct conf_value conf4_values[] = {
	{ .name = "forwarding",
	  .at = offsetof(struct in_conf, forwarding),
	  .least = INT_MIN,
	  .most = INT_MAX,
	  .set = set_forwarding },
	V4(rp_filter, INT_MAX),
	V4(promote_secondaries, INT_MAX),
	V4(accept_local, INT_MAX),
	V4(route_localnet, INT_MAX),
	V4(arp_ignore, INT_MAX),
	V4(arp_announce, INT_MAX),
	V4(arp_notify, INT_MAX),
	V4(force_igmp_version, INT_MAX),
	V4(igmpv2_unsolicited_report_interval, INT_MAX),
	V4(igmpv3_unsolicited_report_interval, INT_MAX),
	V4(accept_source_route, 0),
	V4(accept_redirects, 0),
	V4(send_redirects, 0),
};
const unsigned int conf4_nr = ARRAY_SIZE(conf4_values);

#define V6(field, lowest, greatest)                  \
	{ .name = #field,                            \
	  .at = offsetof(struct in6_conf, field),    \
	  .least = lowest,                           \
	  .most = greatest }
const struct conf_value conf6_values[] = {
	{ .name = "forwarding",
	  .at = offsetof(struct in6_conf, forwarding),
	  .least = 0,
	  .most = INT_MAX,
	  .set = conf6_set_forwarding },
	{ .name = "disable_ipv6",
	  .at = offsetof(struct in6_conf, disable_ipv6),
	  .least = 0,
	  .most = 1,
	  .set = conf6_set_disable },
	V6(hop_limit, 1, 255),
	V6(mtu, 0, 65536),
	V6(accept_ra, 0, 2),
	V6(accept_ra_defrtr, 0, 1),
	V6(accept_ra_pinfo, 0, 1),
	V6(accept_ra_mtu, 0, 1),
	V6(autoconf, 0, 1),
	V6(dad_transmits, 0, 255),
	V6(accept_dad, -1, 2),
	V6(router_solicitations, -1, INT_MAX),
	V6(router_solicitation_interval, 1, 3600),
	V6(router_solicitation_delay, 0, 3600),
	V6(max_addresses, 0, 1024),
	V6(addr_gen_mode, 0, 1),
	V6(force_mld_version, 0, INT_MAX),
	V6(mldv1_unsolicited_report_interval, 0, INT_MAX),
	V6(mldv2_unsolicited_report_interval, 0, INT_MAX),
};
const unsigned int conf6_nr = ARRAY_SIZE(conf6_values);

#define NEIGH(text, field, lowest)                   \
	{ .name = text,                              \
	  .at = offsetof(struct neigh_parms, field), \
	  .least = lowest,                           \
	  .most = INT_MAX }
const struct conf_value neigh_values[] = {
	NEIGH("base_reachable_time_ms", base_reachable_ms, 1),
	NEIGH("retrans_time_ms", retrans_ms, 1),
	NEIGH("delay_first_probe_time", delay_probe_s, 0),
	NEIGH("ucast_solicit", ucast_probes, 0),
	NEIGH("mcast_solicit", mcast_probes, 0),
	{ .name = "base_reachable_time",
	  .at = offsetof(struct neigh_parms, base_reachable_ms),
	  .least = 1,
	  .most = INT_MAX,
	  .scale = 1000 },
	{ .name = "gc_stale_time",
	  .at = offsetof(struct neigh_parms, gc_stale_s),
	  .least = 1,
	  .most = INT_MAX,
	  .memory = true },
	{ .name = "unres_qlen_bytes",
	  .at = offsetof(struct neigh_parms, unres_bytes),
	  .least = 0,
	  .most = INT_MAX,
	  .memory = true },
};
const unsigned int neigh_nr = ARRAY_SIZE(neigh_values);
