// SPDX-License-Identifier: MIT
/* /proc/net: sockets of datagrams, and counters. */
#include <lib/format.h>
#include <lib/string.h>
#include <vfs/seq_file.h>
#include <net/show.h>
#include "net/conf/conf.h"
#include "net/core/stats.h"
#include "net/ip4/addr.h"
#include "net/ip4/frags.h"
#include "net/tcp/tcp_priv.h"

/* ---- sockets ---- */

static void line(struct seq_file *m, struct inet_sock *s, unsigned int n)
{
	struct sock *sk = &s->sk;
	be32 saddr = s->sk.state == INET_ESTABLISHED ? s->saddr : be32_make(0);

	if (sk->family == AF_INET)
		seq_setwidth(m, 127);
	seq_printf(m, "%5u:", n);
	inet_show_ends(m, sk->family, &s->e, saddr,
		       sk->type == SOCK_RAW ? sk->protocol : be16_get(s->e.local_port));
	seq_printf(m, " %02X %08X:%08X %02X:%08lX %08X %5u %8d %llu %d %016lx %u", sk->state,
		   atomic_read(&sk->wmem), atomic_read(&sk->rmem), 0, 0ul, 0,
		   from_kuid_munged(current_user_ns(), sk->uid), 0, READ_ONCE(sk->ino),
		   (int)refcount_read(&sk->refs) - 1, 0ul, (u32)atomic_read(&sk->drops));
	if (sk->family == AF_INET)
		seq_pad(m, '\n');
	else
		seq_putc(m, '\n');
}

static void walk(struct seq_file *m, struct inet_table *t, bool bound, u16 family, unsigned int *nr)
{
	struct inet_walk w = { .table = t, .bound = bound, .family = family };

	while (inet_walk_next(&w))
		for (unsigned int i = 0; i < w.nr; i++)
			line(m, inet_of_entry(w.found[i]), ++*nr);
}

static void header(struct seq_file *m, u16 family)
{
	if (family == AF_INET6) {
		seq_puts(
			m,
			"  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n");
		return;
	}
	seq_setwidth(m, 127);
	seq_puts(
		m,
		"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops");
	seq_pad(m, '\n');
}

static void show(struct seq_file *m, struct inet_table *t, u16 family)
{
	unsigned int nr = 0;

	header(m, family);
	walk(m, t, true, family, &nr);
	walk(m, t, false, family, &nr);
}

void net_show_udp(struct seq_file *m, struct net *net)
{
	show(m, &net->inet->udp, AF_INET);
}

void net_show_udp6(struct seq_file *m, struct net *net)
{
	show(m, &net->inet->udp, AF_INET6);
}

void net_show_icmp(struct seq_file *m, struct net *net)
{
	show(m, &net->inet->ping, AF_INET);
}

void net_show_icmp6(struct seq_file *m, struct net *net)
{
	show(m, &net->inet->ping6, AF_INET6);
}

void net_show_raw(struct seq_file *m, struct net *net)
{
	show(m, &net->inet->raw, AF_INET);
}

void net_show_raw6(struct seq_file *m, struct net *net)
{
	show(m, &net->inet->raw6, AF_INET6);
}

void net_show_sockstat(struct seq_file *m, struct net *net)
{
	long udp = ghash_count(&net->inet->udp.bound) + ghash_count(&net->inet->udp.connected),
	     raw = ghash_count(&net->inet->raw.bound);

	seq_printf(m, "sockets: used %ld\n", udp + raw + ghash_count(&net->inet->ping.bound));
	tcp_show_sockstat(m, net);
	seq_printf(m, "UDP: inuse %ld mem 0\nUDPLITE: inuse 0\nRAW: inuse %ld\n", udp, raw);
	seq_printf(m, "FRAG: inuse %u memory %lu\n", frags_count(net->ip4->frags),
		   frags_bytes(net->ip4->frags));
}

/* ---- counters ---- */

struct shown {
	const char *name;
	int item;			/* -1: a constant 0 */
};

static void group(struct seq_file *m, struct net *net, const char *name, const struct shown *s,
		  unsigned int n)
{
	seq_printf(m, "%s:", name);
	for (unsigned int i = 0; i < n; i++)
		seq_printf(m, " %s", s[i].name);
	seq_printf(m, "\n%s:", name);
	for (unsigned int i = 0; i < n; i++)
		seq_printf(m, " %llu",
			   s[i].item < 0 ? 0ull :
					   net_counter_sum(net, (enum net_counter)s[i].item));
	seq_putc(m, '\n');
}

static const struct shown ip_items[] = {
	{ "InReceives", IP_IN_RECEIVES },
	{ "InHdrErrors", IP_IN_HDR_ERRORS },
	{ "InAddrErrors", IP_IN_ADDR_ERRORS },
	{ "ForwDatagrams", IP_FORW_DATAGRAMS },
	{ "InUnknownProtos", IP_IN_UNKNOWN_PROTOS },
	{ "InDiscards", IP_IN_DISCARDS },
	{ "InDelivers", IP_IN_DELIVERS },
	{ "OutRequests", IP_OUT_REQUESTS },
	{ "OutDiscards", IP_OUT_DISCARDS },
	{ "OutNoRoutes", IP_OUT_NO_ROUTES },
	{ "ReasmTimeout", IP_REASM_TIMEOUT },
	{ "ReasmReqds", IP_REASM_REQDS },
	{ "ReasmOKs", IP_REASM_OKS },
	{ "ReasmFails", IP_REASM_FAILS },
	{ "FragOKs", IP_FRAG_OKS },
	{ "FragFails", IP_FRAG_FAILS },
	{ "FragCreates", IP_FRAG_CREATES },
	{ "OutTransmits", IP_OUT_TRANSMITS },
};
static const struct shown icmp_items[] = {
	{ "InMsgs", ICMP_IN_MSGS },
	{ "InErrors", ICMP_IN_ERRORS },
	{ "InCsumErrors", ICMP_IN_CSUM_ERRORS },
	{ "InDestUnreachs", ICMP_IN_TYPE + 3 },
	{ "InTimeExcds", ICMP_IN_TYPE + 11 },
	{ "InParmProbs", ICMP_IN_TYPE + 12 },
	{ "InSrcQuenchs", ICMP_IN_TYPE + 4 },
	{ "InRedirects", ICMP_IN_TYPE + 5 },
	{ "InEchos", ICMP_IN_TYPE + 8 },
	{ "InEchoReps", ICMP_IN_TYPE },
	{ "InTimestamps", ICMP_IN_TYPE + 13 },
	{ "InTimestampReps", ICMP_IN_TYPE + 14 },
	{ "InAddrMasks", ICMP_IN_TYPE + 17 },
	{ "InAddrMaskReps", ICMP_IN_TYPE + 18 },
	{ "OutMsgs", ICMP_OUT_MSGS },
	{ "OutErrors", ICMP_OUT_ERRORS },
	{ "OutRateLimitGlobal", ICMP_OUT_RATE_GLOBAL },
	{ "OutRateLimitHost", ICMP_OUT_RATE_HOST },
	{ "OutDestUnreachs", ICMP_OUT_TYPE + 3 },
	{ "OutTimeExcds", ICMP_OUT_TYPE + 11 },
	{ "OutParmProbs", ICMP_OUT_TYPE + 12 },
	{ "OutSrcQuenchs", ICMP_OUT_TYPE + 4 },
	{ "OutRedirects", ICMP_OUT_TYPE + 5 },
	{ "OutEchos", ICMP_OUT_TYPE + 8 },
	{ "OutEchoReps", ICMP_OUT_TYPE },
	{ "OutTimestamps", ICMP_OUT_TYPE + 13 },
	{ "OutTimestampReps", ICMP_OUT_TYPE + 14 },
	{ "OutAddrMasks", ICMP_OUT_TYPE + 17 },
	{ "OutAddrMaskReps", ICMP_OUT_TYPE + 18 },
};
static const struct shown udp_items[] = {
	{ "InDatagrams", UDP_IN_DATAGRAMS },	{ "NoPorts", UDP_NO_PORTS },
	{ "InErrors", UDP_IN_ERRORS },		{ "OutDatagrams", UDP_OUT_DATAGRAMS },
	{ "RcvbufErrors", UDP_RCVBUF_ERRORS },	{ "SndbufErrors", UDP_SNDBUF_ERRORS },
	{ "InCsumErrors", UDP_IN_CSUM_ERRORS }, { "IgnoredMulti", UDP_IGNORED_MULTI },
	{ "MemErrors", UDP_MEM_ERRORS },
};
static const struct shown udplite_items[] = {
	{ "InDatagrams", -1 },	{ "NoPorts", -1 },	{ "InErrors", -1 },
	{ "OutDatagrams", -1 }, { "RcvbufErrors", -1 }, { "SndbufErrors", -1 },
	{ "InCsumErrors", -1 }, { "IgnoredMulti", -1 }, { "MemErrors", -1 },
};
static const struct shown ipext_items[] = {
	{ "InNoRoutes", IPEXT_IN_NO_ROUTES },
	{ "InTruncatedPkts", IPEXT_IN_TRUNCATED },
	{ "InMcastPkts", IPEXT_IN_MCAST },
	{ "OutMcastPkts", IPEXT_OUT_MCAST },
	{ "InBcastPkts", IPEXT_IN_BCAST },
	{ "OutBcastPkts", IPEXT_OUT_BCAST },
	{ "InOctets", IPEXT_IN_OCTETS },
	{ "OutOctets", IPEXT_OUT_OCTETS },
	{ "InMcastOctets", -1 },
	{ "OutMcastOctets", -1 },
	{ "InBcastOctets", -1 },
	{ "OutBcastOctets", -1 },
	{ "InCsumErrors", IPEXT_IN_CSUM_ERRORS },
	{ "InNoECTPkts", -1 },
	{ "InECT1Pkts", -1 },
	{ "InECT0Pkts", -1 },
	{ "InCEPkts", -1 },
	{ "ReasmOverlaps", IPEXT_REASM_OVERLAPS },
};

/* Forwarding and DefaultTTL come first, which are settings. */
static void ip_group(struct seq_file *m, struct net *net)
{
	seq_puts(m, "Ip: Forwarding DefaultTTL");
	for (unsigned int i = 0; i < ARRAY_SIZE(ip_items); i++)
		seq_printf(m, " %s", ip_items[i].name);
	seq_printf(m, "\nIp: %d %d", net->ip4->conf_all.forwarding ? 1 : 2, net->ip4->default_ttl);
	for (unsigned int i = 0; i < ARRAY_SIZE(ip_items); i++)
		seq_printf(m, " %llu", net_counter_sum(net, (enum net_counter)ip_items[i].item));
	seq_putc(m, '\n');
}

void net_show_snmp(struct seq_file *m, struct net *net)
{
	ip_group(m, net);
	group(m, net, "Icmp", icmp_items, ARRAY_SIZE(icmp_items));
	tcp_show_snmp(m, net);
	group(m, net, "Udp", udp_items, ARRAY_SIZE(udp_items));
	group(m, net, "UdpLite", udplite_items, ARRAY_SIZE(udplite_items));
}

void net_show_netstat(struct seq_file *m, struct net *net)
{
	tcp_show_netstat(m, net);
	group(m, net, "IpExt", ipext_items, ARRAY_SIZE(ipext_items));
}
