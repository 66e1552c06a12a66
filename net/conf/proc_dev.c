// SPDX-License-Identifier: MIT
/*
 * /proc/net: devices, routes, neighbours. The layouts are proc(5)'s, columns and all: programs cut
 * by them.
 */
#include <lib/format.h>
#include <lib/string.h>
#include <vfs/seq_file.h>
#include <net/show.h>
#include <linux/route.h>
#include "net/conf/conf.h"
#include "net/ip4/addr.h"
#include "net/neigh/neigh.h"
#include "net/wire/ip4.h"

void net_show_dev(struct seq_file *m, struct net *net)
{
	struct netdev_stats s;
	struct netdev *d;

	seq_puts(
		m,
		"Inter-|   Receive                                                |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n");
	rtnl_lock();
	list_for_each_entry(d, &net->devs, list) {
		netdev_get_stats(d, &s);
		seq_printf(
			m,
			"%6s: %7llu %7llu %4llu %4llu %4llu %5llu %10llu %9llu %8llu %7llu %4llu %4llu %4llu %5llu %7llu %10llu\n",
			d->name, s.rx_bytes, s.rx_packets, s.rx_errors,
			s.rx_dropped + s.rx_missed_errors, s.rx_fifo_errors,
			s.rx_length_errors + s.rx_over_errors + s.rx_crc_errors + s.rx_frame_errors,
			s.rx_compressed, s.multicast, s.tx_bytes, s.tx_packets, s.tx_errors,
			s.tx_dropped, s.tx_fifo_errors, s.collisions,
			s.tx_carrier_errors + s.tx_aborted_errors + s.tx_window_errors +
				s.tx_heartbeat_errors,
			s.tx_compressed);
	}
	rtnl_unlock();
}

/*
 * What tc(8) counts packet schedulers' time by: a microsecond in ns, a tick of theirs in ns, a
 * second in us, and in units of the clock that timers go by.
 */
void net_show_psched(struct seq_file *m, struct net *net)
{
	seq_printf(m, "%08x %08x %08x %08x\n", 1000, 64, 1000000, 1000000000);
}

void net_show_dev_mcast(struct seq_file *m, struct net *net)
{
	struct netdev *d;

	rtnl_lock();
	list_for_each_entry(d, &net->devs, list)
		netdev_show_mc(m, d);
	rtnl_unlock();
}

static u32 route_flags(const struct fib4_route *r)
{
	u32 flags = RTF_UP;

	if (r->type == RTN_UNREACHABLE || r->type == RTN_PROHIBIT)
		flags |= RTF_REJECT;
	if (r->gateway.v)
		flags |= RTF_GATEWAY;
	return r->prefix->len == 32 ? flags | RTF_HOST : flags;
}

void net_show_route(struct seq_file *m, struct net *net)
{
	struct fib4_table *t;
	struct fib4_route *r;
	struct rb_node *n;

	seq_printf(
		m, "%-127s\n",
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
	rtnl_lock();
	t = fib4_table(net, RT_TABLE_MAIN, false);
	for (n = t ? rb_first(&t->all) : NULL; n; n = rb_next(n)) {
		r = rb_entry(n, struct fib4_route, dump);
		if (r->type == RTN_BROADCAST || r->type == RTN_MULTICAST)
			continue;
		seq_setwidth(m, 127);
		seq_printf(m, "%s\t%08X\t%08X\t%04X\t%d\t%u\t%d\t%08X\t%d\t%u\t%u",
			   r->dev ? r->dev->name : "*", r->prefix->prefix.v, r->gateway.v,
			   route_flags(r), 0, 0, (int)r->metric, ip4_mask(r->prefix->len).v,
			   r->metrics[RTAX_ADVMSS] ? (int)r->metrics[RTAX_ADVMSS] + 40 : 0,
			   r->metrics[RTAX_WINDOW], r->metrics[RTAX_RTT] >> 3);
		seq_pad(m, '\n');
	}
	rtnl_unlock();
}

/* ---- neighbours ---- */

struct arp_lines {
	struct {
		be32 ip;
		u8 hw[6];
		u8 state;
		u16 type;
		char dev[NETDEV_NAME];
	} line[32];
	unsigned int nr;
	u32 seen, skip;			/* of this bucket */
	bool full;
};

static void take_line(struct ghash_node *node, void *arg)
{
	struct neigh *n = container_of(node, struct neigh, node);
	struct arp_lines *l = arg;
	u8 state = READ_ONCE(n->state);

	if (l->full || l->seen++ < l->skip || !state || state & NUD_NOARP)
		return;
	l->full = l->nr == ARRAY_SIZE(l->line);
	if (l->full) {
		l->seen--;
		return;
	}
	l->line[l->nr].ip.v = n->key[0];
	memcpy(l->line[l->nr].hw, n->hw, 6);
	memcpy(l->line[l->nr].dev, n->dev->name, NETDEV_NAME);
	l->line[l->nr].state = state;
	l->line[l->nr++].type = n->dev->type;
}

void net_show_arp(struct seq_file *m, struct net *net)
{
	u64 pos = 0;
	u32 skip = 0;

	seq_puts(
		m,
		"IP address       HW type     Flags       HW address            Mask     Device\n");
	while (pos < GHASH_END) {
		struct arp_lines l = { .skip = skip };
		u64 at = pos;

		ghash_walk(&arp_table(net)->hash, &pos, take_line, &l);
		skip = l.full ? l.seen : 0;
		if (l.full)
			pos = at;	/* there are more in this bucket */
		for (unsigned int i = 0; i < l.nr; i++) {
			const u8 *a = (const u8 *)&l.line[i].ip, *h = l.line[i].hw;
			char ip[16], hw[18];
			u32 flags = (l.line[i].state & NUD_PERMANENT ? ATF_PERM : 0) |
				    (l.line[i].state & NEIGH_VALID ? ATF_COM : 0);

			snprintf(ip, sizeof(ip), "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
			snprintf(hw, sizeof(hw), "%02x:%02x:%02x:%02x:%02x:%02x", h[0], h[1], h[2],
				 h[3], h[4], h[5]);
			seq_printf(m, "%-16s 0x%-10x0x%-10x%-17s     *        %s\n", ip,
				   l.line[i].type, flags, hw, l.line[i].dev);
		}
	}
}
