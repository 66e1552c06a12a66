// SPDX-License-Identifier: MIT
/* Links: what programs read of devices, and notifications of their changes. */
#include <lib/err.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <abi/errno.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include "net/dev/if_flags.h"
#include "net/dev/wish.h"
#include "net/route/in6_device.h"
#include "net/route/in_device.h"
#include "net/rtnl/rtnl.h"

#define LINK_ROOM 2048u			/* bytes to begin an answer with */
#define IF6_READY 0x80000000u		/* IFLA_INET6_FLAGS: it has its link-local address */

static void put_stats(struct nlmsg_buf *b, struct netdev *d)
{
	struct rtnl_link_stats64 *w;
	struct rtnl_link_stats *n;
	struct netdev_stats s;

	netdev_get_stats(d, &s);
	if (!(b->len & 7))
		(void)nla_reserve(b, IFLA_PAD, 0);
	w = nla_reserve(b, IFLA_STATS64, sizeof(*w));
	if (w)
		*w = (struct rtnl_link_stats64){
			.rx_packets = s.rx_packets,
			.tx_packets = s.tx_packets,
			.rx_bytes = s.rx_bytes,
			.tx_bytes = s.tx_bytes,
			.rx_errors = s.rx_errors,
			.tx_errors = s.tx_errors,
			.rx_dropped = s.rx_dropped,
			.tx_dropped = s.tx_dropped,
			.multicast = s.multicast,
			.collisions = s.collisions,
			.rx_length_errors = s.rx_length_errors,
			.rx_over_errors = s.rx_over_errors,
			.rx_crc_errors = s.rx_crc_errors,
			.rx_frame_errors = s.rx_frame_errors,
			.rx_fifo_errors = s.rx_fifo_errors,
			.rx_missed_errors = s.rx_missed_errors,
			.tx_aborted_errors = s.tx_aborted_errors,
			.tx_carrier_errors = s.tx_carrier_errors,
			.tx_fifo_errors = s.tx_fifo_errors,
			.tx_heartbeat_errors = s.tx_heartbeat_errors,
			.tx_window_errors = s.tx_window_errors,
			.rx_nohandler = s.rx_nohandler,
		};
	n = nla_reserve(b, IFLA_STATS, sizeof(*n));
	if (n)
		*n = (struct rtnl_link_stats){
			.rx_packets = (u32)s.rx_packets,
			.tx_packets = (u32)s.tx_packets,
			.rx_bytes = (u32)s.rx_bytes,
			.tx_bytes = (u32)s.tx_bytes,
			.rx_errors = (u32)s.rx_errors,
			.tx_errors = (u32)s.tx_errors,
			.rx_dropped = (u32)s.rx_dropped,
			.tx_dropped = (u32)s.tx_dropped,
			.multicast = (u32)s.multicast,
			.collisions = (u32)s.collisions,
			.rx_nohandler = (u32)s.rx_nohandler,
		};
}

static void put_af_inet6(struct nlmsg_buf *b, struct netdev *d)
{
	const struct in6_device *in = in6_dev(d);
	const struct in6_conf *c;
	size_t nest;
	s32 *v;

	if (!in)
		return;
	c = &in->conf;
	nest = nla_nest(b, AF_INET6);
	nla_put_u32(b, IFLA_INET6_FLAGS, in->up ? IF6_READY : 0);
	v = nla_reserve(b, IFLA_INET6_CONF, DEVCONF_MAX * sizeof(s32));
	if (v) {
		v[DEVCONF_FORWARDING] = c->forwarding;
		v[DEVCONF_HOPLIMIT] = c->hop_limit;
		v[DEVCONF_MTU6] = c->mtu;
		v[DEVCONF_ACCEPT_RA] = c->accept_ra;
		v[DEVCONF_AUTOCONF] = c->autoconf;
		v[DEVCONF_DAD_TRANSMITS] = c->dad_transmits;
		v[DEVCONF_RTR_SOLICITS] = c->router_solicitations;
		v[DEVCONF_MAX_ADDRESSES] = c->max_addresses;
		v[DEVCONF_ACCEPT_RA_DEFRTR] = c->accept_ra_defrtr;
		v[DEVCONF_ACCEPT_RA_PINFO] = c->accept_ra_pinfo;
		v[DEVCONF_DISABLE_IPV6] = c->disable_ipv6;
		v[DEVCONF_ACCEPT_DAD] = c->accept_dad;
	}
	nla_put_u8(b, IFLA_INET6_ADDR_GEN_MODE, (u8)c->addr_gen_mode);
	nla_nest_end(b, nest);
}

/* What every protocol has to say: IPv4's settings, in the order of IPV4_DEVCONF_*. */
static void put_af_spec(struct nlmsg_buf *b, struct netdev *d)
{
	const struct in_device *in = in_dev(d);
	const struct in_conf *c;
	size_t nest = nla_nest(b, IFLA_AF_SPEC), inet;
	s32 *v;

	if (in) {
		c = &in->conf;
		inet = nla_nest(b, AF_INET);
		v = nla_reserve(b, IFLA_INET_CONF, IPV4_DEVCONF_MAX * sizeof(s32));
		if (v) {
			v[IPV4_DEVCONF_FORWARDING - 1] = c->forwarding;
			v[IPV4_DEVCONF_RP_FILTER - 1] = c->rp_filter;
			v[IPV4_DEVCONF_SECURE_REDIRECTS - 1] = c->secure_redirects;
			v[IPV4_DEVCONF_SEND_REDIRECTS - 1] = c->send_redirects;
			v[IPV4_DEVCONF_SHARED_MEDIA - 1] = c->shared_media;
			v[IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE - 1] = c->accept_source_route;
			v[IPV4_DEVCONF_PROMOTE_SECONDARIES - 1] = c->promote_secondaries;
			v[IPV4_DEVCONF_ARP_ANNOUNCE - 1] = c->arp_announce;
			v[IPV4_DEVCONF_ARP_IGNORE - 1] = c->arp_ignore;
			v[IPV4_DEVCONF_ARP_NOTIFY - 1] = c->arp_notify;
			v[IPV4_DEVCONF_ACCEPT_LOCAL - 1] = c->accept_local;
			v[IPV4_DEVCONF_ROUTE_LOCALNET - 1] = c->route_localnet;
		}
		nla_nest_end(b, inet);
	}
	put_af_inet6(b, d);
	nla_nest_end(b, nest);
}

static void put_numbers(struct nlmsg_buf *b, struct netdev *d)
{
	nla_put_u32(b, IFLA_TXQLEN, d->tx_queue_len);
	nla_put_u8(b, IFLA_OPERSTATE, netdev_operstate(d));
	nla_put_u8(b, IFLA_LINKMODE, 0);
	nla_put_u32(b, IFLA_MTU, d->mtu);
	nla_put_u32(b, IFLA_MIN_MTU, d->min_mtu);
	nla_put_u32(b, IFLA_MAX_MTU, d->type == ARPHRD_LOOPBACK ? 0 : d->max_mtu);
	nla_put_u32(b, IFLA_GROUP, d->group);
	nla_put_u32(b, IFLA_PROMISCUITY, d->promiscuity);
	nla_put_u32(b, IFLA_ALLMULTI, d->allmulti);
	nla_put_u32(b, IFLA_NUM_TX_QUEUES, d->nr_tx);
	nla_put_u32(b, IFLA_GSO_MAX_SEGS, 65535);
	nla_put_u32(b, IFLA_GSO_MAX_SIZE, d->gso_max_size);
	nla_put_u32(b, IFLA_NUM_RX_QUEUES, d->nr_rx);
	if (netdev_link(d) != d)
		nla_put_u32(b, IFLA_LINK, (u32)netdev_link(d)->ifindex);
	if (rcu_access_pointer(d->master))
		nla_put_u32(b, IFLA_MASTER, (u32)rcu_dereference_raw(d->master)->ifindex);
	nla_put_u8(b, IFLA_CARRIER, READ_ONCE(d->carrier));
	nla_put_text(b, IFLA_QDISC, rtnl_qdisc(d));
	if (d->alias)
		nla_put_text(b, IFLA_IFALIAS, d->alias);
	nla_put_u32(b, IFLA_CARRIER_CHANGES, d->carrier_ups + d->carrier_downs);
	nla_put_u32(b, IFLA_CARRIER_UP_COUNT, d->carrier_ups);
	nla_put_u32(b, IFLA_CARRIER_DOWN_COUNT, d->carrier_downs);
	nla_put_u8(b, IFLA_PROTO_DOWN, 0);
}

/* rtnl. False: it did not fit. */
static bool put_link(struct nlmsg_buf *b, struct netdev *d, struct rtnl_head h, u32 change,
		     u32 ext_mask)
{
	struct ifinfomsg *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));
	struct rtnl_link_ifmap *map;
	size_t nest, data;
	int id;

	if (m)
		*m = (struct ifinfomsg){ .ifi_type = d->type,
					 .ifi_index = d->ifindex,
					 .ifi_flags = netdev_shown_flags(d),
					 .ifi_change = change };
	nla_put_text(b, IFLA_IFNAME, d->name);
	put_numbers(b, d);
	if (!(b->len & 7))
		(void)nla_reserve(b, IFLA_PAD, 0);
	map = nla_reserve(b, IFLA_MAP, sizeof(*map));
	(void)map;			/* no device has any of it */
	if (d->addr_len) {
		nla_put_bytes(b, IFLA_ADDRESS, d->addr, d->addr_len);
		nla_put_bytes(b, IFLA_BROADCAST, d->broadcast, d->addr_len);
	}
	if (!(ext_mask & RTEXT_FILTER_SKIP_STATS))
		put_stats(b, d);
	if (d->kind) {
		/* older than the flag: programs compare it as it is */
		nest = nla_nest(b, IFLA_LINKINFO);
		nla_put_text(b, IFLA_INFO_KIND, d->kind->name);
		if (d->kind->put_info) {
			data = nla_nest(b, IFLA_INFO_DATA);
			d->kind->put_info(b, d);
			nla_nest_end(b, data);
		}
		nla_nest_end(b, nest);
	}
	if (netdev_link(d)->net != d->net) {
		id = netns_peer_id_make(d->net, netdev_link(d)->net, -1);
		if (id >= 0)
			nla_put_u32(b, IFLA_LINK_NETNSID, (u32)id);
	}
	put_af_spec(b, d);
	if (d->addr_len && d->type == ARPHRD_ETHER && !d->kind)
		nla_put_bytes(b, IFLA_PERM_ADDRESS, d->perm_addr, d->addr_len);
	return nlmsg_end(b);
}

struct netdev *rtnl_next_link(struct net *net, long *last)
{
	unsigned long i = (unsigned long)*last + 1;
	struct netdev *d = xa_find(&net->dev_by_index, &i, INT_MAX, XA_PRESENT);

	if (d)
		*last = (long)i;
	return d;
}

struct netdev *rtnl_find_link(struct net *net, const struct ifinfomsg *m,
			      const struct nlattr *const *tb)
{
	const struct nlattr *a = tb[IFLA_IFNAME] ?: tb[IFLA_ALT_IFNAME];
	char name[NETDEV_NAME];

	if (m->ifi_index > 0)
		return netdev_by_index(net, m->ifi_index);
	if (!a || !nla_text(a, name, sizeof(name)))
		return NULL;
	return netdev_by_name(net, name);
}

/* ---- dump and get ---- */

static int link_filter(struct nl_request *r, struct nl_dump *d)
{
	const struct nlattr *tb[IFLA_MAX + 1];
	const struct ifinfomsg *m = r->body;
	size_t head = sizeof(*m);
	int err;

	/* Old programs send a struct rtgenmsg, with or without attributes right behind it. */
	if (!r->strict && r->body_len < sizeof(*m))
		return 0;
	err = nl_request_attrs(r, head, tb, IFLA_MAX, netdev_link_rules, false);
	if (err)
		return r->strict ? err : 0;
	if (r->strict && (m->ifi_type || m->ifi_flags || m->ifi_change))
		return nl_refuse(r, -EINVAL, "Invalid values in header for link dump request");
	if (r->strict && m->ifi_index)
		return nl_refuse(r, -EINVAL, "Filter by device index not supported for link dumps");
	if (tb[IFLA_EXT_MASK])
		d->args[RTNL_ARG_AT2] = nla_u32(tb[IFLA_EXT_MASK]);
	if (tb[IFLA_MASTER])
		d->args[RTNL_ARG_FILTER] = nla_u32(tb[IFLA_MASTER]);
	if (tb[IFLA_LINKINFO])
		err = rtnl_link_kind(r, tb[IFLA_LINKINFO], &d->args[RTNL_ARG_FILTER2]);
	return err;
}

static bool wanted(const struct netdev *d, const struct nl_dump *dump)
{
	const struct netdev *master = rcu_dereference_raw(d->master);

	if (dump->args[RTNL_ARG_FILTER] &&
	    (!master || master->ifindex != dump->args[RTNL_ARG_FILTER]))
		return false;
	return !dump->args[RTNL_ARG_FILTER2] ||
	       (const void *)d->kind == (const void *)dump->args[RTNL_ARG_FILTER2];
}

static int link_dump(struct nlmsg_buf *b, struct nl_dump *dump)
{
	long last = dump->args[RTNL_ARG_AT];
	struct netdev *d;

	dump->seq = dump->net->dev_seq + 1;
	while ((d = rtnl_next_link(dump->net, &last))) {
		if (wanted(d, dump) && !put_link(b, d, rtnl_entry(dump, RTM_NEWLINK), 0,
						 (u32)dump->args[RTNL_ARG_AT2]))
			return 1;
		dump->args[RTNL_ARG_AT] = last;
	}
	return 0;
}

struct netdev *rtnl_named_link(struct nl_request *r, const struct nlattr **tb)
{
	const struct ifinfomsg *m = r->body;
	struct netdev *d;
	int err = nl_request_attrs(r, sizeof(*m), tb, IFLA_MAX, netdev_link_rules, false);

	if (err)
		return ERR_PTR(err);
	if (m->ifi_index <= 0 && !tb[IFLA_IFNAME] && !tb[IFLA_ALT_IFNAME])
		return ERR_PTR(-EINVAL);
	d = rtnl_find_link(r->net, m, tb);
	return d ?: ERR_PTR(-ENODEV);
}

static int link_get(struct nl_request *r)
{
	const struct nlattr *tb[IFLA_MAX + 1];
	struct netdev *d = rtnl_named_link(r, tb);
	struct nlmsg_buf b;
	u32 ext_mask;
	int err;

	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	err = nlmsg_init(&b, LINK_ROOM, NLMSG_MOST, GFP_KERNEL);
	if (err)
		return err;
	ext_mask = tb[IFLA_EXT_MASK] ? nla_u32(tb[IFLA_EXT_MASK]) : 0;
	return netlink_answer(r, &b, put_link(&b, d, rtnl_answer(r, RTM_NEWLINK), 0, ext_mask));
}

/* ---- notifications ---- */

static void tell(struct netdev *d, u16 type, u32 change)
{
	struct rtnl_head h = { .type = type };
	struct rtnl_note n;

	if (rtnl_note_begin(&n, d->net, RTNLGRP_LINK, GFP_KERNEL, NULL))
		rtnl_note_end(&n, put_link(&n.b, d, h, change, 0));
}

static int link_event(struct netdev *d, enum netdev_event e)
{
	switch (e) {
	case NETDEV_REGISTER:
		tell(d, RTM_NEWLINK, ~0u);
		break;
	case NETDEV_UNREGISTER:
		tell(d, RTM_DELLINK, ~0u);
		break;
	case NETDEV_UP:
	case NETDEV_DOWN:
		tell(d, RTM_NEWLINK, IFF_UP);
		break;
	case NETDEV_GOING_DOWN:
		break;
	default:
		tell(d, RTM_NEWLINK, 0);
	}
	return 0;
}

static struct rtnl_kind links = { .base = RTM_NEWLINK,
				  .family = AF_UNSPEC,
				  .add = rtnl_link_add,
				  .del = rtnl_link_del,
				  .get = link_get,
				  .filter = link_filter,
				  .dump = link_dump };
static struct netdev_listener listener = { .event = link_event };

static int link_init(void)
{
	rtnl_register(&links);
	netdev_listen(&listener);
	return 0;
}
INITCALL(fs, link_init);
