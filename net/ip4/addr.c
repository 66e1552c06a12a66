// SPDX-License-Identifier: MIT
/*
 * IPv4 addresses of devices, and the routes that follow from them. An address makes: itself, local;
 * its prefix, by the device (on loopback the whole prefix is local); and the link's broadcast
 * addresses. Under rtnl.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/ip4/addr.h"
#include "net/neigh/neigh.h"
#include "net/wire/ip4.h"

/* ---- routes of an address ---- */

static void magic(struct in_device *in, bool add, u8 type, be32 dst, u8 len, be32 src)
{
	struct fib4_config c = {
		.dst = dst,
		.len = len,
		.type = type,
		.src = src,
		.oif = in->dev->ifindex,
		.protocol = RTPROT_KERNEL,
		.create = true,
		.append = true,
		.table = type == RTN_UNICAST ? RT_TABLE_MAIN : RT_TABLE_LOCAL,
		.scope = type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_LINK,
	};
	int err = add ? fib4_add(in->dev->net, &c) : fib4_del(in->dev->net, &c);

	/* Another address of the prefix may have made it already, and keeps it. */
	if (err && err != -EEXIST && err != -ESRCH && err != -ENOMEM)
		WARN_ONCE(1, "ip4: route of an address: %d", err);
}

static be32 prefix_of(const struct in_addr4 *a)
{
	return (be32){ a->peer.v & ip4_mask(a->bits).v };
}

static be32 last_of(const struct in_addr4 *a)
{
	return (be32){ a->peer.v | ~ip4_mask(a->bits).v };
}

static void routes_add(struct in_addr4 *a)
{
	struct in_device *in = a->dev;
	be32 prefix = prefix_of(a);

	magic(in, true, RTN_LOCAL, a->local, 32, a->local);
	if (!(in->dev->flags & IFF_UP))
		return;
	if (a->broadcast.v && a->broadcast.v != U32_MAX)
		magic(in, true, RTN_BROADCAST, a->broadcast, 32, a->local);
	if (ip4_is_zeronet(prefix) || a->flags & IFA_F_SECONDARY ||
	    (prefix.v == a->local.v && a->bits == 32))
		return;
	if (!(a->flags & IFA_F_NOPREFIXROUTE))
		magic(in, true, in->dev->flags & IFF_LOOPBACK ? RTN_LOCAL : RTN_UNICAST, prefix,
		      a->bits, a->local);
	if (a->bits < 31)
		magic(in, true, RTN_BROADCAST, last_of(a), 32, a->local);
}

static bool other_has(struct in_device *in, const struct in_addr4 *but,
		      bool (*has)(const struct in_addr4 *a, be32 v), be32 v)
{
	struct in_addr4 *a;

	list_for_each_entry(a, &in->addrs, list)
		if (a != but && has(a, v))
			return true;
	return false;
}

static bool has_local(const struct in_addr4 *a, be32 v)
{
	return a->local.v == v.v;
}

static bool has_broadcast(const struct in_addr4 *a, be32 v)
{
	return a->broadcast.v == v.v || (a->bits < 31 && last_of(a).v == v.v);
}

static void routes_del(struct in_addr4 *a)
{
	struct in_device *in = a->dev;
	be32 last = last_of(a);

	if (!(a->flags & IFA_F_SECONDARY) && a->bits < 32 && !(a->flags & IFA_F_NOPREFIXROUTE))
		magic(in, false, in->dev->flags & IFF_LOOPBACK ? RTN_LOCAL : RTN_UNICAST,
		      prefix_of(a), a->bits, a->local);
	if (a->bits < 31 && !other_has(in, a, has_broadcast, last))
		magic(in, false, RTN_BROADCAST, last, 32, a->local);
	if (a->broadcast.v && !other_has(in, a, has_broadcast, a->broadcast))
		magic(in, false, RTN_BROADCAST, a->broadcast, 32, a->local);
	if (other_has(in, a, has_local, a->local))
		return;
	magic(in, false, RTN_LOCAL, a->local, 32, a->local);
	if (!in_is_local(in->dev->net, a->local))
		fib4_source_gone(in->dev->net, a->local);
}

/* ---- addresses ---- */

static bool same_prefix(const struct in_addr4 *a, be32 addr, u8 bits)
{
	return a->bits == bits && !((a->peer.v ^ addr.v) & ip4_mask(bits).v);
}

static u8 least_scope(be32 a)
{
	if (ip4_is_loopback(a))
		return RT_SCOPE_HOST;
	return ip4_is_link_local(a) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

int in_addr_add(struct in_device *in, const struct in_addr4 *want)
{
	struct in_addr4 *a, *n;
	bool secondary = false;

	rtnl_assert();
	if (!want->local.v || want->bits > 32 || ip4_is_multicast(want->local) ||
	    ip4_is_broadcast(want->local))
		return -EINVAL;
	list_for_each_entry(a, &in->addrs, list) {
		if (!same_prefix(a, want->peer, want->bits))
			continue;
		if (a->local.v == want->local.v)
			return -EEXIST;
		if (!(a->flags & IFA_F_SECONDARY))
			secondary = true;
	}
	n = kmemdup(want, sizeof(*want), GFP_KERNEL_ACCOUNT);
	if (!n)
		return -ENOMEM;
	n->dev = in;
	if (!n->preferred_s)
		n->flags |= IFA_F_DEPRECATED;
	n->flags = (n->flags & ~(u32)IFA_F_SECONDARY) | (secondary ? IFA_F_SECONDARY : 0) |
		   IFA_F_PERMANENT;
	if (n->valid_s != U32_MAX)
		n->flags &= ~(u32)IFA_F_PERMANENT;
	n->made_ns = n->changed_ns = ktime_get_ns();
	if (!n->label[0])
		memcpy(n->label, in->dev->name, NETDEV_NAME);
	list_add_tail_rcu(&n->list, &in->addrs);
	in_addr_tell(n, true);
	routes_add(n);
	fib4_changed(in->dev->net);
	in_addr_watch(n);
	arp_announce_if(in, n->local);
	return 0;
}

static void addr_free(struct in_addr4 *a)
{
	list_del_rcu(&a->list);
	kfree_rcu(a, rcu);
}

/* Secondary addresses of A's prefix go with it, or one of them takes its place. */
static void secondaries_of(struct in_device *in, struct in_addr4 *gone)
{
	struct in_addr4 *a, *next;
	bool promote = in_conf_or(in, promote_secondaries);

	list_for_each_entry_safe(a, next, &in->addrs, list) {
		if (a == gone || !(a->flags & IFA_F_SECONDARY) ||
		    !same_prefix(a, gone->peer, gone->bits))
			continue;
		if (promote) {
			a->flags &= ~(u32)IFA_F_SECONDARY;
			routes_add(a);
			in_addr_tell(a, true);
			return;
		}
		in_addr_tell(a, false);
		routes_del(a);
		addr_free(a);
	}
}

void in_addr_del(struct in_addr4 *a)
{
	struct in_device *in = a->dev;

	rtnl_assert();
	in_addr_tell(a, false);		/* as on Linux: the address, then its routes */
	routes_del(a);
	if (!(a->flags & IFA_F_SECONDARY))
		secondaries_of(in, a);
	addr_free(a);
	/* Without an address the device has no IPv4, and so no routes. */
	if (list_empty(&in->addrs))
		fib4_dev_down(in->dev, true);
	fib4_changed(in->dev->net);
}

struct in_addr4 *in_addr_find(struct in_device *in, be32 local, int bits)
{
	struct in_addr4 *a;

	list_for_each_entry(a, &in->addrs, list)
		if (a->local.v == local.v && (bits < 0 || a->bits == bits))
			return a;
	return NULL;
}

int in_addr_set(struct in_device *in, const char *label, be32 local, u8 bits)
{
	struct in_addr4 a = { .local = local,
			      .peer = local,
			      .bits = bits,
			      .scope = least_scope(local),
			      .valid_s = U32_MAX,
			      .preferred_s = U32_MAX };

	if (bits < 31 && in->dev->flags & IFF_BROADCAST)
		a.broadcast.v = local.v | ~ip4_mask(bits).v;
	strscpy(a.label, label, sizeof(a.label));
	return in_addr_add(in, &a);
}

/* ---- life ---- */

struct in_device *in_device_get(struct netdev *d)
{
	struct in_device *in = in_dev(d);

	rtnl_assert();
	if (in || d->mtu < 68)
		return in;
	in = kzalloc(sizeof(*in), GFP_KERNEL_ACCOUNT);
	if (!in)
		return NULL;
	if (mc_device_init(&in->mc, d, &in_mc_family)) {
		kfree(in);
		return NULL;
	}
	in->dev = d;
	in->conf = d->net->ip4->conf_default;
	in->neigh = arp_table(d->net)->conf.parms;
	in->all = &d->net->ip4->conf_all;
	INIT_LIST_HEAD(&in->addrs);
	__atomic_store_n(&d->ip4, in, __ATOMIC_RELEASE);
	return in;
}

/* Readers that found the device's state before it went are done. */
static void device_free(struct rcu_head *head)
{
	struct in_device *in = container_of(head, struct in_device, rcu);

	mc_device_free(&in->mc);
	kfree(in);
}

static void in_device_drop(struct netdev *d)
{
	struct in_device *in = in_dev(d);
	struct in_addr4 *a;

	if (!in)
		return;
	while ((a = list_first_entry_or_null(&in->addrs, struct in_addr4, list)))
		in_addr_del(a);
	mc_device_end(&in->mc);
	WRITE_ONCE(d->ip4, NULL);
	call_rcu(&in->rcu, device_free);
}

static void device_up(struct netdev *d)
{
	struct in_device *in = in_dev(d);
	struct in_addr4 *a;

	if (!in)
		return;
	if (in_mc_up(in))
		pr_warn("ip4: %s: no memory for the group of all hosts\n", d->name);
	if (d->flags & IFF_LOOPBACK && list_empty(&in->addrs) &&
	    in_addr_set(in, d->name, be32_make(0x7f000001), 8))
		return;
	list_for_each_entry(a, &in->addrs, list)
		routes_add(a);
	fib4_changed(d->net);
	list_for_each_entry(a, &in->addrs, list)
		arp_announce_if(in, a->local);
}

static void device_renamed(struct netdev *d)
{
	struct in_device *in = in_dev(d);
	struct in_addr4 *a;

	if (in)
		list_for_each_entry(a, &in->addrs, list) {
			char *colon = strchr(a->label, ':');
			char rest[NETDEV_NAME] = "";

			if (colon)
				strscpy(rest, colon, sizeof(rest));
			memset(a->label, 0, sizeof(a->label));
			strscpy(a->label, d->name, sizeof(a->label));
			if (strlen(d->name) + strlen(rest) < NETDEV_NAME)
				strscpy(a->label + strlen(d->name), rest,
					sizeof(a->label) - strlen(d->name));
		}
}

/* Neighbours hear of all addresses of D, whatever arp_notify says. */
static void announce_all(struct netdev *d)
{
	const struct in_device *in = in_dev(d);
	struct in_addr4 *a;

	if (in)
		list_for_each_entry(a, &in->addrs, list)
			arp_announce(d, a->local);
}

static int addr_event(struct netdev *d, enum netdev_event e)
{
	switch (e) {
	case NETDEV_REGISTER:
		return in_device_get(d) || d->mtu < 68 ? 0 : -ENOMEM;
	case NETDEV_UP:
		device_up(d);
		break;
	case NETDEV_DOWN:
		if (in_dev(d))
			in_mc_down(in_dev(d));
		fib4_dev_down(d, false);
		break;
	case NETDEV_UNREGISTER:
		in_device_drop(d);
		fib4_dev_down(d, true);
		break;
	case NETDEV_CHANGEMTU:
		if (d->mtu < 68)
			in_device_drop(d);
		else if (!in_dev(d) && in_device_get(d) && d->flags & IFF_UP)
			device_up(d);
		fib4_changed(d->net);
		break;
	case NETDEV_CHANGENAME:
		device_renamed(d);
		break;
	case NETDEV_NOTIFY_PEERS:
		announce_all(d);
		break;
	default:
		fib4_changed(d->net);
	}
	return 0;
}

void arp_announce_if(struct in_device *in, be32 a)
{
	if (in_conf_max(in, arp_notify))
		arp_announce(in->dev, a);
}

static struct netdev_listener addr_listener = { .event = addr_event };

static int addr_begin(struct net *net)
{
	struct ip4_net *n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	int err;

	if (!n)
		return -ENOMEM;
	n->default_ttl = 64;
	n->mc = (struct mc_conf){
		.max_memberships = 20, .max_msf = 10, .qrv = MC_QRV, .link_local_reports = 1
	};
	n->conf_all.igmpv2_unsolicited_report_interval =
		n->conf_default.igmpv2_unsolicited_report_interval = 10000;
	n->conf_all.igmpv3_unsolicited_report_interval =
		n->conf_default.igmpv3_unsolicited_report_interval = 1000;
	in_addr_life_begin(net, n);
	net->ip4 = n;
	err = ip4_frags_begin(net);
	if (!err)
		err = icmp_begin(net);
	if (err) {
		ip4_frags_end(net);
		net->ip4 = NULL;
		kfree(n);
	}
	return err;
}

static void addr_end(struct net *net)
{
	struct ip4_net *n = net->ip4;

	in_addr_life_end(n);
	icmp_end(net);
	ip4_frags_end(net);
	synchronize_rcu();
	net->ip4 = NULL;
	kfree(n);
}

static struct net_ops addr_ops = { .init = addr_begin, .end = addr_end };

static int addr_init(void)
{
	int err = net_register_ops(&addr_ops);

	if (!err)
		netdev_listen(&addr_listener);
	return err;
}
INITCALL(fs, addr_init);
