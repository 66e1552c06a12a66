// SPDX-License-Identifier: MIT
/*
 * IPv6 addresses of devices and the routes that follow from them. An address makes: its prefix, by
 * the device; the group of its solicited node; and, once no other has it (net/ip6/auto.c), itself,
 * local. A device that is up has the groups that every node has. All under rtnl.
 */
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include <linux/ipv6_route.h>
#include "net/dev/if_flags.h"
#include "net/ip6/addr6.h"
#include "net/wire/eth.h"

/* ---- routes of an address ---- */

static void route(struct in6_device *in, bool add, struct fib6_config *c)
{
	int err;

	c->oif = in->dev->ifindex;
	c->protocol = RTPROT_KERNEL;
	c->create = true;
	c->excl = false;
	err = add ? fib6_add(in->dev->net, c) : fib6_del(in->dev->net, c);
	/* Another address of the prefix may have made it, and keeps it. */
	if (err && err != -EEXIST && err != -ESRCH && err != -ENOMEM && err != -ENETDOWN &&
	    err != -ENODEV)
		WARN_ONCE(1, "ip6: route of an address: %d", err);
}

static void local_route(struct in6_address *a, bool add)
{
	struct fib6_config c = {
		.dst = a->local, .len = 128, .type = RTN_LOCAL, .table = RT_TABLE_LOCAL
	};

	if (a->local_route == add)
		return;
	a->local_route = add;
	route(a->dev, add, &c);
}

static void prefix_route(struct in6_address *a, bool add)
{
	struct fib6_config c = { .dst = a->peer,
				 .len = a->bits,
				 .type = RTN_UNICAST,
				 .metric = a->metric ?: FIB6_METRIC_KERNEL,
				 .table = RT_TABLE_MAIN };

	if (!(a->flags & IFA_F_NOPREFIXROUTE) && a->protocol != IFAPROT_KERNEL_LO)
		route(a->dev, add, &c);
}

static void group_route(struct in6_device *in, bool add)
{
	struct fib6_config c = { .dst = ip6_make(0xff000000, 0, 0, 0),
				 .len = 8,
				 .type = RTN_MULTICAST,
				 .metric = FIB6_METRIC_KERNEL,
				 .table = RT_TABLE_LOCAL };

	route(in, add, &c);
}

/* ---- addresses ---- */

static bool needs_dad(const struct in6_device *in, u32 flags)
{
	return !(flags & IFA_F_NODAD) && !(in->dev->flags & (IFF_NOARP | IFF_LOOPBACK)) &&
	       in->conf.accept_dad > 0 && in->conf.dad_transmits > 0;
}

static int check(const struct in6_device *in, const struct in6_address *want)
{
	if (want->bits > 128 || ip6_is_mapped(&want->local) || !want->valid_s ||
	    want->preferred_s > want->valid_s)
		return -EINVAL;
	if (ip6_is_any(&want->local) || ip6_is_multicast(&want->local))
		return -EADDRNOTAVAIL;
	if (in->dead)
		return -ENODEV;
	if (in->conf.disable_ipv6)
		return -EACCES;
	if (ip6_is_loopback(&want->local) && !(in->dev->flags & IFF_LOOPBACK))
		return -EADDRNOTAVAIL;
	return 0;
}

static u8 scope_of(const struct ip6_addr *a)
{
	if (ip6_is_loopback(a))
		return RT_SCOPE_HOST;
	if (ip6_is_link_local(a))
		return RT_SCOPE_LINK;
	return ip6_is_site_local(a) ? RT_SCOPE_SITE : RT_SCOPE_UNIVERSE;
}

static void (*listener)(const struct in6_address *a, bool gone);	/* set at boot */

void in6_addr_set_listener(void (*fn)(const struct in6_address *a, bool gone))
{
	listener = fn;
}

static void tell(const struct in6_address *a, bool gone)
{
	if (listener)
		listener(a, gone);
}

/* Addresses that reach farther come first. */
static void list_in(struct in6_device *in, struct in6_address *n)
{
	struct list_head *before = &in->addrs;
	u32 hash = in6_hash(&n->local);
	struct in6_address *a;
	unsigned long *b;

	list_for_each_entry(a, &in->addrs, list)
		if (a->scope > n->scope) {
			before = &a->list;
			break;
		}
	list_add_tail_rcu(&n->list, before);
	ghash_reserve(&in->addr_hash);
	b = ghash_lock(&in->addr_hash, hash);
	ghash_add(&in->addr_hash, b, &n->node, hash);
	ghash_unlock(b);
}

int in6_addr_add(struct in6_device *in, const struct in6_address *want)
{
	struct ip6_addr group = ip6_solicited_node(&want->local);
	int err = check(in, want);
	struct in6_address *n;

	rtnl_assert();
	if (!err && in6_addr_find(in, &want->local, -1))
		err = -EEXIST;
	if (err)
		return err;
	n = kmemdup(want, sizeof(*want), GFP_KERNEL_ACCOUNT);
	if (!n)
		return -ENOMEM;
	n->dev = in;
	n->scope = scope_of(&n->local);
	n->local_route = false;
	if (ip6_is_any(&n->peer))
		n->peer = n->local;
	n->flags &= ~(u32)(IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_PERMANENT | IFA_F_DEPRECATED);
	if (n->valid_s == U32_MAX)
		n->flags |= IFA_F_PERMANENT;
	if (!n->preferred_s)
		n->flags |= IFA_F_DEPRECATED;
	if (needs_dad(in, n->flags))
		n->flags |= IFA_F_TENTATIVE;
	n->made_ns = n->changed_ns = ktime_get_ns();
	list_in(in, n);
	if (n->automatic)
		in->nr_auto++;
	if (n->flags & IFA_F_TENTATIVE || !(in->dev->flags & IFF_UP))
		tell(n, false);		/* else when it is as good as any */
	if (in->dev->flags & IFF_UP) {
		if (mc_join(&in->mc, &group))
			pr_err("ip6: %s: no memory for a group\n", in->dev->name);
		prefix_route(n, true);
		in6_dad_start(n);
	}
	fib6_changed(in->dev->net);
	return 0;
}

static bool prefix_is_shared(const struct in6_address *gone)
{
	struct in6_address *a;

	list_for_each_entry(a, &gone->dev->addrs, list)
		if (a != gone && a->bits == gone->bits &&
		    ip6_common_bits(&a->peer, &gone->peer) >= a->bits)
			return true;
	return false;
}

void in6_addr_del(struct in6_address *a)
{
	struct in6_device *in = a->dev;
	struct ip6_addr group = ip6_solicited_node(&a->local), was = a->local;
	struct net *net = in->dev->net;
	bool gone;

	rtnl_assert();
	tell(a, true);
	local_route(a, false);
	if (!prefix_is_shared(a))
		prefix_route(a, false);
	mc_leave(&in->mc, &group);
	if (a->automatic)
		in->nr_auto--;
	list_del_rcu(&a->list);
	ghash_del(&in->addr_hash, &a->node);
	kfree_rcu(a, rcu);
	rcu_read_lock();
	gone = !in6_is_local(net, &was, NULL);
	rcu_read_unlock();
	if (gone)
		fib6_source_gone(net, &was);
	fib6_changed(net);
}

struct in6_address *in6_addr_find(struct in6_device *in, const struct ip6_addr *local, int bits)
{
	struct in6_address *a;

	rtnl_assert();
	rcu_read_lock();
	a = in6_address_of(in, local);
	rcu_read_unlock();
	return a && (bits < 0 || a->bits == bits) ? a : NULL;
}

void in6_addr_change(struct in6_address *a, u32 valid_s, u32 preferred_s, u32 flags)
{
	const u32 fixed = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_TEMPORARY;
	u32 now = (a->flags & fixed) | (flags & ~(fixed | IFA_F_PERMANENT | IFA_F_DEPRECATED));

	u32 was = a->flags;

	rtnl_assert();
	if (valid_s == U32_MAX)
		now |= IFA_F_PERMANENT;
	if (!preferred_s)
		now |= IFA_F_DEPRECATED;
	a->valid_s = valid_s;
	a->preferred_s = preferred_s;
	a->changed_ns = ktime_get_ns();
	if (now & ~was & IFA_F_NOPREFIXROUTE && !prefix_is_shared(a))
		prefix_route(a, false);
	WRITE_ONCE(a->flags, now);
	if (was & ~now & IFA_F_NOPREFIXROUTE && a->dev->dev->flags & IFF_UP)
		prefix_route(a, true);
	/* Lifetimes alone, which every advertisement renews, change no choice of a source. */
	if (now != was)
		fib6_changed(a->dev->dev->net);
	tell(a, false);
	in6_kick(a->dev);
}

void in6_dad_done(struct in6_address *a)
{
	WRITE_ONCE(a->flags, a->flags & ~(u32)(IFA_F_TENTATIVE | IFA_F_DADFAILED));
	tell(a, false);
	local_route(a, true);
	fib6_changed(a->dev->dev->net);
	if (ip6_is_link_local(&a->local))
		in6_rs_start(a->dev);
}

/* ---- a device's life ---- */

static void add_link_local(struct in6_device *in)
{
	struct in6_address a = { .local = ip6_make(0xfe800000, 0, 0, 0),
				 .bits = 64,
				 .valid_s = U32_MAX,
				 .preferred_s = U32_MAX,
				 .protocol = IFAPROT_KERNEL_LL };

	if (in->dev->addr_len != ETH_ADDR || in->conf.addr_gen_mode == 1)
		return;
	ip6_eui64(a.local.b + 8, in->dev->addr);
	if (in6_addr_add(in, &a))
		return;
}

static void add_loopback(struct in6_device *in)
{
	struct in6_address a = { .local = IP6_LOOPBACK,
				 .bits = 128,
				 .valid_s = U32_MAX,
				 .preferred_s = U32_MAX,
				 .protocol = IFAPROT_KERNEL_LO };

	if (in6_addr_add(in, &a))
		return;
}

/* Addresses that were given before the device came up begin to be used. */
static void start_addresses(struct in6_device *in)
{
	struct in6_address *a;

	list_for_each_entry(a, &in->addrs, list) {
		struct ip6_addr group = ip6_solicited_node(&a->local);

		if (mc_join(&in->mc, &group))
			continue;
		prefix_route(a, true);
		if (needs_dad(in, a->flags))
			WRITE_ONCE(a->flags, a->flags | IFA_F_TENTATIVE);
		in6_dad_start(a);
	}
}

/* What every node listens to: all nodes, of the interface and of the link. */
static const struct ip6_addr every_node[] = {
	{ .b = { 0xff, 1, [15] = 1 } },
	{ .b = { 0xff, 2, [15] = 1 } },
};

static void device_up(struct in6_device *in)
{
	if (in->conf.disable_ipv6 || in->dead || in->up)
		return;
	in->up = true;
	mc_device_up(&in->mc);
	for (unsigned int i = 0; i < ARRAY_SIZE(every_node); i++)
		if (mc_join(&in->mc, &every_node[i]))
			pr_err("ip6: %s: no memory for a group\n", in->dev->name);
	if (in->dev->flags & IFF_MULTICAST)
		group_route(in, true);
	start_addresses(in);
	if (in->dev->flags & IFF_LOOPBACK)
		add_loopback(in);
	else if (in->dev->type == ARPHRD_ETHER)
		add_link_local(in);
	fib6_changed(in->dev->net);
}

static void device_down(struct in6_device *in)
{
	struct in6_address *a;

	while ((a = list_first_entry_or_null(&in->addrs, struct in6_address, list)))
		in6_addr_del(a);
	for (unsigned int i = 0; in->up && i < ARRAY_SIZE(every_node); i++)
		mc_leave(&in->mc, &every_node[i]);
	mc_device_down(&in->mc);
	in->up = false;
	in->rs_left = 0;
	in->rs_at_ns = 0;
}

/*
 * Nothing of its namespace's IPv6 points to D any more, whether it has IPv6 now or ever had: each
 * way in which a device goes (shut, moved, unregistered, a small MTU) comes here.
 */
static void leave(struct netdev *d)
{
	struct in6_device *in = in6_dev(d);

	if (in)
		device_down(in);
	fib6_dev_down(d);
	neigh_dev_down(nd_table(d->net), d, false);
	fib6_changed(d->net);
}

void in6_disable_changed(struct in6_device *in)
{
	if (!(in->dev->flags & IFF_UP))
		return;
	if (in->conf.disable_ipv6)
		leave(in->dev);
	else
		device_up(in);
}

/* Readers that found IN before it left its device are done. */
static void device_free(struct rcu_head *head)
{
	struct in6_device *in = container_of(head, struct in6_device, rcu);

	ghash_destroy(&in->addr_hash);
	mc_device_free(&in->mc);
	kfree(in);
}

void in6_put(struct in6_device *in)
{
	if (refcount_dec_and_test(&in->refs)) {
		netdev_put(in->dev);
		call_rcu(&in->rcu, device_free);
	}
}

struct in6_device *in6_device_get(struct netdev *d)
{
	struct in6_device *in = in6_dev(d);

	rtnl_assert();
	if (in || d->mtu < IP6_MTU_LEAST)
		return in;
	in = kzalloc(sizeof(*in), GFP_KERNEL_ACCOUNT);
	if (!in)
		return NULL;
	if (ghash_init(&in->addr_hash, 2) || mc_device_init(&in->mc, d, &in6_mc_family)) {
		ghash_destroy(&in->addr_hash);
		kfree(in);
		return NULL;
	}
	netdev_get(d);
	in->dev = d;
	in->conf = d->net->ip6->conf_default;
	in->neigh = nd_table(d->net)->conf.parms;
	refcount_set(&in->refs, 1);
	INIT_LIST_HEAD(&in->addrs);
	spin_lock_init(&in->lock);
	packet_list_init(&in->ras);
	INIT_DELAYED_WORK(&in->work, in6_work);
	__atomic_store_n(&d->ip6, in, __ATOMIC_RELEASE);
	return in;
}

static void in6_device_drop(struct netdev *d)
{
	struct in6_device *in = in6_dev(d);
	struct packet_list gone;

	leave(d);
	if (!in)
		return;
	mc_device_end(&in->mc);
	in->dead = true;
	WRITE_ONCE(d->ip6, NULL);
	if (cancel_delayed_work(&in->work))
		in6_put(in);
	spin_lock(&in->lock);
	packet_list_move(&gone, &in->ras);
	in->closed = true;
	spin_unlock(&in->lock);
	packet_list_free(&gone, DROP_DEV_DOWN);
	in6_put(in);
}

/* Neighbours hear of all addresses that are good. */
static void announce_all(struct in6_device *in)
{
	struct in6_address *a;

	rcu_read_lock();
	list_for_each_entry(a, &in->addrs, list)
		if (in6_is_usable(a))
			nd_announce(in, &a->local);
	rcu_read_unlock();
}

static int addr_event(struct netdev *d, enum netdev_event e)
{
	struct in6_device *in = in6_dev(d);

	switch (e) {
	case NETDEV_REGISTER:
		return in6_device_get(d) || d->mtu < IP6_MTU_LEAST ? 0 : -ENOMEM;
	case NETDEV_UP:
		if (in)
			device_up(in);
		break;
	case NETDEV_DOWN:
		leave(d);
		break;
	case NETDEV_UNREGISTER:
		in6_device_drop(d);
		fib6_changed(d->net);	/* kept routes lead to D, whatever it had of IPv6's */
		break;
	case NETDEV_CHANGEMTU:
		if (d->mtu < IP6_MTU_LEAST)
			in6_device_drop(d);
		else if (!in && in6_device_get(d) && d->flags & IFF_UP)
			device_up(in6_dev(d));
		fib6_changed(d->net);
		break;
	case NETDEV_CHANGEADDR:
		neigh_dev_down(nd_table(d->net), d, true);
		break;
	case NETDEV_NOTIFY_PEERS:
		if (in)
			announce_all(in);
		break;
	default:
		fib6_changed(d->net);
	}
	return 0;
}

/* ---- namespaces ---- */

static struct netdev_listener addr_listener = { .event = addr_event };

static int addr_begin(struct net *net)
{
	static const struct in6_conf first = { .hop_limit = 64,
					       .accept_ra = 1,
					       .autoconf = 1,
					       .dad_transmits = 1,
					       .router_solicitations = -1,
					       .router_solicitation_interval = 4,
					       .router_solicitation_delay = 1,
					       .accept_dad = 1,
					       .max_addresses = 16,
					       .accept_ra_defrtr = 1,
					       .accept_ra_pinfo = 1,
					       .accept_ra_mtu = 1,
					       .mldv1_unsolicited_report_interval = 10000,
					       .mldv2_unsolicited_report_interval = 1000 };
	struct ip6_net *n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	int err;

	if (!n)
		return -ENOMEM;
	n->conf_all = n->conf_default = first;
	n->icmp_ratelimit_ms = 1000;
	n->mld_max_msf = 64;
	n->mld_qrv = MC_QRV;
	n->frag_high = 4 << 20;
	n->frag_time_s = 60;
	net->ip6 = n;
	err = ip6_frags_begin(net);
	if (err) {
		net->ip6 = NULL;
		kfree(n);
	}
	return err;
}

static void addr_end(struct net *net)
{
	struct ip6_net *n = net->ip6;

	ip6_frags_end(net);
	synchronize_rcu();
	net->ip6 = NULL;
	kfree(n);
}

static struct net_ops addr_ops = { .init = addr_begin, .end = addr_end };

static int addr_init(void)
{
	int err = net_register_ops(&addr_ops);

	nd_init();
	if (!err)
		netdev_listen(&addr_listener);
	return err;
}
INITCALL(fs, addr_init);
