// SPDX-License-Identifier: MIT
/*
 * Stations of bridges (RTM_NEWNEIGH and its kin of AF_BRIDGE; bridge(8)'s fdb), and what devices
 * receive beside their own address, which a dump shows as NTF_SELF. A bridge's ports as `bridge
 * link` reads them. Devices keep no list of stations' addresses to receive here, so that NTF_SELF
 * is refused but for a bridge's own table.
 */
#include <lib/err.h>
#include <kernel/export.h>
#include <kernel/init.h>
#include <kernel/rcu.h>
#include <abi/errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <net/fdb.h>
#include "net/dev/if_flags.h"
#include "net/neigh/neigh.h"
#include "net/rtnl/rtnl.h"
#include "net/wire/eth.h"

#define STATES (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE)
#define PORT_PRIORITY 32		/* IEEE 802.1D's, of 8 bits shown as 6 */
#define PORT_COST 2			/* of 10 Gbit/s, which is what virtual devices say */

static const struct nla_rule rules[NDA_MAX + 1] = {
	[NDA_LLADDR] = { NLA_K_ANY, NETDEV_ADDR },
	[NDA_IFINDEX] = { NLA_K_U32, 0 },
	[NDA_MASTER] = { NLA_K_U32, 0 },
	[NDA_FLAGS_EXT] = { NLA_K_U32, 0 },
};

/*
 * The device that has the table in which D's stations are: its master, or D itself; NULL: there is
 * none. PORT is D where it is a port, else NULL. rtnl.
 */
static struct netdev *bridge_of(struct netdev *d, struct netdev **port)
{
	struct netdev *master = rcu_dereference_raw(d->master);

	*port = master ? d : NULL;
	if (!master)
		master = d;
	return master->kind && master->kind->fdb ? master : NULL;
}

static u16 state_of(const struct fdb_entry *e)
{
	if (e->flags & FDB_LOCAL)
		return NUD_PERMANENT;
	if (e->flags & FDB_STATIC)
		return NUD_NOARP;
	return e->old ? NUD_STALE : NUD_REACHABLE;
}

static bool put_station(struct nlmsg_buf *m, const struct fdb_entry *e, struct rtnl_head h)
{
	struct ndmsg *n = nlmsg_put(m, h.portid, h.seq, h.type, h.flags, sizeof(*n));
	u64 now = ktime_get_ns();
	struct nda_cacheinfo c = { .ndm_used = rtnl_ago(e->used_ns, now),
				   .ndm_updated = rtnl_ago(e->seen_ns, now) };

	if (n)
		*n = (struct ndmsg){ .ndm_family = AF_BRIDGE,
				     .ndm_ifindex = e->ifindex,
				     .ndm_state = state_of(e),
				     .ndm_flags = e->flags & FDB_STICKY ? NTF_STICKY : 0 };
	nla_put_bytes(m, NDA_LLADDR, e->addr, ETH_ADDR);
	nla_put_u32(m, NDA_MASTER, (u32)e->master);
	nla_put_u32(m, NDA_FLAGS_EXT, 0);
	nla_put_bytes(m, NDA_CACHEINFO, &c, sizeof(c));
	return nlmsg_end(m);
}

/* ---- dump ---- */

/*
 * args, behind netlink_dump_table()'s: the last device that was shown whole, how many groups of the
 * next one were, and FDB_ARG_PORT and FDB_ARG_BRIDGE, whose table is walked. The filters are the
 * index of a device and that of a bridge.
 */
#define ARG_DEVICE RTNL_ARG_AT3
#define ARG_GROUPS RTNL_ARG_AT4
_Static_assert(FDB_ARG_PORT == RTNL_ARG_AT5 && FDB_ARG_BRIDGE == RTNL_ARG_AT6, "a dump's place");

static int filter(struct nl_request *r, struct nl_dump *d)
{
	const struct nlattr *tb[NDA_MAX + 1];
	const struct ndmsg *m = r->body;
	int err;

	/* Old programs send a struct ifinfomsg, whose index is at the same place. */
	if (r->body_len < sizeof(*m))
		return r->strict ? -EINVAL : 0;
	d->args[RTNL_ARG_FILTER] = m->ndm_ifindex;
	if (!r->strict && r->body_len != sizeof(*m) && r->body_len != sizeof(*m) + 8)
		return 0;
	err = nl_request_attrs(r, sizeof(*m), tb, NDA_MAX, rules, r->strict);
	if (err)
		return r->strict ? err : 0;
	if (r->strict && (m->ndm_state || m->ndm_flags || m->ndm_type))
		return nl_refuse(r, -EINVAL, "Invalid values in header for fdb dump request");
	if (tb[NDA_IFINDEX])
		d->args[RTNL_ARG_FILTER] = nla_u32(tb[NDA_IFINDEX]);
	if (tb[NDA_MASTER])
		d->args[RTNL_ARG_FILTER2] = nla_u32(tb[NDA_MASTER]);
	return 0;
}

bool fdb_show(struct nlmsg_buf *b, struct nl_dump *d, const struct fdb_entry *e)
{
	return put_station(b, e, rtnl_entry(d, RTM_NEWNEIGH));
}
EXPORT(fdb_show);

struct groups {
	struct nlmsg_buf *b;
	struct nl_dump *dump;
	struct netdev *d;
	long at;
	bool full;
};

static void put_group(void *arg, const u8 *addr)
{
	struct groups *g = arg;
	struct rtnl_head h = rtnl_entry(g->dump, RTM_NEWNEIGH);
	struct ndmsg *n;

	if (g->full || g->at++ < g->dump->args[ARG_GROUPS])
		return;
	n = nlmsg_put(g->b, h.portid, h.seq, h.type, h.flags, sizeof(*n));
	if (n)
		*n = (struct ndmsg){ .ndm_family = AF_BRIDGE,
				     .ndm_ifindex = g->d->ifindex,
				     .ndm_state = NUD_PERMANENT,
				     .ndm_flags = NTF_SELF };
	nla_put_bytes(g->b, NDA_LLADDR, addr, ETH_ADDR);
	g->full = !nlmsg_end(g->b);
	g->dump->args[ARG_GROUPS] += g->full ? 0 : 1;
}

/* What is to be shown of D: 0, or 1 where there was no room. */
static int dump_device(struct nlmsg_buf *b, struct nl_dump *dump, struct netdev *d)
{
	struct groups g = { .b = b, .dump = dump, .d = d };
	long of = dump->args[RTNL_ARG_FILTER2];
	struct netdev *port, *br = bridge_of(d, &port);

	if (of && (!br || br->ifindex != of))
		return 0;
	if (d->type == ARPHRD_ETHER)
		netdev_mc_each(d, put_group, &g);
	if (g.full)
		return 1;
	/* A bridge's table is walked once, unless a port's alone was asked for. */
	if (!br || (port && !dump->args[RTNL_ARG_FILTER]))
		return 0;
	dump->args[FDB_ARG_PORT] = (long)port;
	dump->args[FDB_ARG_BRIDGE] = (long)br;
	return netlink_dump_table(b, dump, br->kind->fdb->table);
}

static int dump(struct nlmsg_buf *b, struct nl_dump *dump)
{
	long only = dump->args[RTNL_ARG_FILTER], last = dump->args[ARG_DEVICE];
	struct netdev *d;

	while ((d = rtnl_next_link(dump->net, &last))) {
		if ((!only || d->ifindex == only) && dump_device(b, dump, d))
			return 1;
		dump->args[ARG_DEVICE] = last;
		dump->args[ARG_GROUPS] = 0;
		dump->args[RTNL_ARG_AT] = dump->args[RTNL_ARG_AT2] = 0;
	}
	return 0;
}

/* ---- requests ---- */

struct wish {
	struct netdev *d, *bridge;
	struct netdev *port;		/* NULL: the bridge itself */
	const u8 *addr;
	const struct ndmsg *m;
};

/* What R names of a bridge's table. */
static int parse(struct nl_request *r, struct wish *w)
{
	const struct nlattr *tb[NDA_MAX + 1];
	int err = nl_request_attrs(r, sizeof(*w->m), tb, NDA_MAX, rules, false);

	if (err)
		return err;
	w->m = r->body;
	if (!w->m->ndm_ifindex)
		return nl_refuse(r, -EINVAL, "invalid ifindex");
	w->d = netdev_by_index(r->net, w->m->ndm_ifindex);
	if (!w->d)
		return nl_refuse(r, -ENODEV, "unknown ifindex");
	if (!tb[NDA_LLADDR] || nla_len(tb[NDA_LLADDR]) != ETH_ADDR)
		return nl_refuse(r, -EINVAL, "invalid address");
	if (w->d->type != ARPHRD_ETHER)
		return nl_refuse(r, -EINVAL, "FDB entries are of Ethernet devices alone");
	w->addr = nla_data(tb[NDA_LLADDR]);
	w->bridge = bridge_of(w->d, &w->port);
	if (tb[NDA_VLAN])
		return nl_refuse(r, -EOPNOTSUPP, "There are no VLANs");
	/* A port's is its master's business, the bridge's own. */
	if (!w->bridge || (w->port ? w->m->ndm_flags & NTF_SELF : !(w->m->ndm_flags & NTF_SELF)))
		return -EOPNOTSUPP;
	return 0;
}

/* A port that is down forwards nothing, and learns nothing. */
static bool is_forwarding(const struct netdev *d)
{
	return d->flags & IFF_UP && READ_ONCE(d->carrier);
}

/* The station is learned as from a packet. */
static int use(struct nl_request *r, const struct wish *w)
{
	if (!w->port)
		return nl_refuse(r, -EINVAL, "NTF_USE takes a port");
	if (!is_forwarding(w->d))
		return 0;
	w->bridge->kind->fdb->learn(w->bridge, w->port, w->addr);
	return 0;
}

static int add(struct nl_request *r)
{
	u16 how = r->hdr->nlmsg_flags;
	struct wish w;
	u8 flags = 0;
	int err = parse(r, &w);

	if (err)
		return err;
	if (!(w.m->ndm_state & STATES))
		return nl_refuse(r, -EINVAL, "An entry is local, static or dynamic");
	if (!eth_is_station(w.addr) && !eth_is_multicast(w.addr))
		return nl_refuse(r, -EINVAL, "invalid address");	/* of zeros */
	if (w.m->ndm_flags & NTF_USE)
		return use(r, &w);
	if (w.m->ndm_flags & NTF_EXT_LEARNED)
		return nl_refuse(r, -EOPNOTSUPP, "Nobody else learns for a bridge here");
	if (!w.port && !(w.m->ndm_state & NUD_PERMANENT))
		return nl_refuse(r, -EINVAL, "FDB entry towards bridge must be permanent");
	if (w.m->ndm_flags & NTF_STICKY && w.m->ndm_state & NUD_PERMANENT)
		return nl_refuse(r, -EINVAL, "A local entry is no sticky one");
	if (w.m->ndm_state & NUD_PERMANENT)
		flags = FDB_LOCAL | FDB_STATIC;
	else if (w.m->ndm_state & NUD_NOARP)
		flags = FDB_STATIC;
	else if (!is_forwarding(w.d))
		return -EPERM;
	if (w.m->ndm_flags & NTF_STICKY)
		flags |= FDB_STICKY;
	return w.bridge->kind->fdb->add(w.bridge, w.port, w.addr, flags, how & NLM_F_CREATE,
					how & NLM_F_EXCL);
}

static int del(struct nl_request *r)
{
	struct wish w;
	int err = parse(r, &w);

	return err ?: w.bridge->kind->fdb->del(w.bridge, w.port, w.addr);
}

/* The bridge in whose table R looks. */
static int get_where(struct nl_request *r, const struct nlattr *const *tb, struct netdev **b)
{
	const struct ndmsg *m = r->body;
	struct netdev *d, *port;

	if (m->ndm_ifindex && tb[NDA_MASTER])
		return nl_refuse(r, -EINVAL, "Master and device are mutually exclusive");
	if (!m->ndm_ifindex && !tb[NDA_MASTER])
		return nl_refuse(r, -ENODEV, "No device specified");
	d = netdev_by_index(r->net, m->ndm_ifindex ?: (int)nla_u32(tb[NDA_MASTER]));
	if (!d && m->ndm_ifindex)
		return nl_refuse(r, -ENODEV, "Unknown device ifindex");
	*b = d ? bridge_of(d, &port) : NULL;
	if (tb[NDA_MASTER] && (!*b || port))
		return nl_refuse(r, -EINVAL, "Invalid master ifindex");
	if (!*b && !(m->ndm_flags & NTF_SELF))
		return nl_refuse(r, -EINVAL, "Device is not a bridge port");
	if (!*b)
		return nl_refuse(r, -EOPNOTSUPP, "Fdb get operation not supported by device");
	return 0;
}

static int get_one(struct nl_request *r)
{
	const struct nlattr *tb[NDA_MAX + 1];
	struct fdb_entry e;
	struct nlmsg_buf m;
	struct netdev *b;
	int err = nl_request_attrs(r, sizeof(struct ndmsg), tb, NDA_MAX, rules, false);

	if (err)
		return err;
	if (!tb[NDA_LLADDR] || nla_len(tb[NDA_LLADDR]) != ETH_ADDR)
		return nl_refuse(r, -EINVAL, "Missing lookup address for fdb get request");
	err = get_where(r, tb, &b);
	if (err)
		return err;
	if (!b->kind->fdb->find(b, nla_data(tb[NDA_LLADDR]), &e))
		return nl_refuse(r, -ENOENT, "Fdb entry not found");
	err = nlmsg_init(&m, RTNL_ROOM, NLMSG_MOST, GFP_KERNEL);
	return err ?: netlink_answer(r, &m, put_station(&m, &e, rtnl_answer(r, RTM_NEWNEIGH)));
}

/* ---- notifications ---- */

void fdb_tell(struct net *net, const struct fdb_entry *e, bool gone)
{
	struct rtnl_head h = { .type = gone ? RTM_DELNEIGH : RTM_NEWNEIGH };
	struct rtnl_note note;

	if (rtnl_note_begin(&note, net, RTNLGRP_NEIGH, GFP_ATOMIC, NULL))
		rtnl_note_end(&note, put_station(&note.b, e, h));
}
EXPORT(fdb_tell);

/* ---- ports ---- */

static bool put_port(struct nlmsg_buf *b, struct netdev *d, struct netdev *master,
		     struct rtnl_head h)
{
	struct ifinfomsg *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));
	size_t nest;

	if (m)
		*m = (struct ifinfomsg){ .ifi_family = AF_BRIDGE,
					 .ifi_type = d->type,
					 .ifi_index = d->ifindex,
					 .ifi_flags = netdev_shown_flags(d) };
	nla_put_text(b, IFLA_IFNAME, d->name);
	nla_put_u32(b, IFLA_MASTER, (u32)master->ifindex);
	nla_put_u32(b, IFLA_MTU, d->mtu);
	nla_put_u8(b, IFLA_OPERSTATE, netdev_operstate(d));
	nla_put_bytes(b, IFLA_ADDRESS, d->addr, d->addr_len);
	if (netdev_link(d) != d)
		nla_put_u32(b, IFLA_LINK, (u32)netdev_link(d)->ifindex);
	nest = nla_nest(b, IFLA_PROTINFO | NLA_F_NESTED);
	nla_put_u8(b, IFLA_BRPORT_STATE,
		   is_forwarding(d) ? BR_STATE_FORWARDING : BR_STATE_DISABLED);
	nla_put_u16(b, IFLA_BRPORT_PRIORITY, PORT_PRIORITY);
	nla_put_u32(b, IFLA_BRPORT_COST, PORT_COST);
	nla_put_u8(b, IFLA_BRPORT_LEARNING, 1);
	nla_put_u8(b, IFLA_BRPORT_UNICAST_FLOOD, 1);
	nla_put_u8(b, IFLA_BRPORT_MCAST_FLOOD, 1);
	nla_put_u8(b, IFLA_BRPORT_BCAST_FLOOD, 1);
	nla_nest_end(b, nest);
	return nlmsg_end(b);
}

static int dump_ports(struct nlmsg_buf *b, struct nl_dump *dump)
{
	long last = dump->args[RTNL_ARG_AT];
	struct netdev *d, *port;

	while ((d = rtnl_next_link(dump->net, &last))) {
		struct netdev *br = bridge_of(d, &port);

		if (br && port && !put_port(b, d, br, rtnl_entry(dump, RTM_NEWLINK)))
			return 1;
		dump->args[RTNL_ARG_AT] = last;
	}
	return 0;
}

static struct rtnl_kind stations = { .base = RTM_NEWNEIGH,
				     .family = AF_BRIDGE,
				     .add = add,
				     .del = del,
				     .get = get_one,
				     .filter = filter,
				     .dump = dump };
static struct rtnl_kind ports = { .base = RTM_NEWLINK, .family = AF_BRIDGE, .dump = dump_ports };

static int fdb_init(void)
{
	rtnl_register(&stations);
	rtnl_register(&ports);
	return 0;
}
INITCALL(fs, fdb_init);
