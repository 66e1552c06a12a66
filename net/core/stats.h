/* SPDX-License-Identifier: MIT */
/*
 * Counters of a namespace that /proc/net/snmp and netstat show (RFC 4293, 4022, 4113 and Linux's
 * own), per CPU.
 */
#pragma once

#include <kernel/percpu.h>
#include <net/netns.h>

enum net_counter {
	/* Ip */
	IP_IN_RECEIVES,
	IP_IN_HDR_ERRORS,
	IP_IN_ADDR_ERRORS,
	IP_FORW_DATAGRAMS,
	IP_IN_UNKNOWN_PROTOS,
	IP_IN_DISCARDS,
	IP_IN_DELIVERS,
	IP_OUT_REQUESTS,
	IP_OUT_DISCARDS,
	IP_OUT_NO_ROUTES,
	IP_REASM_TIMEOUT,
	IP_REASM_REQDS,
	IP_REASM_OKS,
	IP_REASM_FAILS,
	IP_FRAG_OKS,
	IP_FRAG_FAILS,
	IP_FRAG_CREATES,
	IP_OUT_TRANSMITS,
	/* IpExt */
	IPEXT_IN_NO_ROUTES,
	IPEXT_IN_TRUNCATED,
	IPEXT_IN_MCAST,
	IPEXT_OUT_MCAST,
	IPEXT_IN_BCAST,
	IPEXT_OUT_BCAST,
	IPEXT_IN_OCTETS,
	IPEXT_OUT_OCTETS,
	IPEXT_IN_CSUM_ERRORS,
	IPEXT_REASM_OVERLAPS,
	/* Icmp; by type: IcmpMsg */
	ICMP_IN_MSGS,
	ICMP_IN_ERRORS,
	ICMP_IN_CSUM_ERRORS,
	ICMP_OUT_MSGS,
	ICMP_OUT_ERRORS,
	ICMP_OUT_RATE_GLOBAL,
	ICMP_OUT_RATE_HOST,
	ICMP_IN_TYPE,
	ICMP_IN_TYPE_LAST = ICMP_IN_TYPE + 18,
	ICMP_OUT_TYPE,
	ICMP_OUT_TYPE_LAST = ICMP_OUT_TYPE + 18,
	/* Udp */
	UDP_IN_DATAGRAMS,
	UDP_NO_PORTS,
	UDP_IN_ERRORS,
	UDP_OUT_DATAGRAMS,
	UDP_RCVBUF_ERRORS,
	UDP_SNDBUF_ERRORS,
	UDP_IN_CSUM_ERRORS,
	UDP_IGNORED_MULTI,
	UDP_MEM_ERRORS,
	/* Tcp: net/tcp's own follow */
	NET_COUNTERS_TCP,
	NET_COUNTERS = NET_COUNTERS_TCP + 160
};

#define NET_COUNTERS_CHUNK 64
#define NET_COUNTERS_CHUNKS ((NET_COUNTERS + NET_COUNTERS_CHUNK - 1) / NET_COUNTERS_CHUNK)

struct net_stats {
	struct net_counters {
		u64 n[NET_COUNTERS_CHUNK];
	} *chunk[NET_COUNTERS_CHUNKS];	/* per CPU */
};

#define net_count_add(net, item, by) this_cpu_add((net)->stats->chunk[(item) / NET_COUNTERS_CHUNK]->n[(item) % NET_COUNTERS_CHUNK], (by))
#define net_count(net, item) net_count_add(net, item, 1)
u64 net_counter_sum(const struct net *net, enum net_counter item);
