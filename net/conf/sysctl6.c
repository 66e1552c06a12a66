// SPDX-License-Identifier: MIT
/*
 * /proc/sys/net/ipv6: settings of the caller's network namespace, those that code reads. conf/ has
 * all and default alone, as of IPv4; what is written to all's two goes to every device.
 */
#include <lib/format.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <abi/errno.h>
#include "net/conf/conf.h"
#include "net/ip6/addr6.h"

static void *ip6_of_caller(void *value)
{
	return (u8 *)current_net()->ip6 + ((u8 *)value - (u8 *)init_net.ip6);
}

static void *neigh_of_caller(void *value)
{
	return (u8 *)current_net()->neigh + ((u8 *)value - (u8 *)init_net.neigh);
}

static ssize_t show_forward(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", READ_ONCE(current_net()->ip6->conf_all.forwarding));
}

static ssize_t show_disable(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", READ_ONCE(current_net()->ip6->conf_all.disable_ipv6));
}

static void forward(struct in6_device *in, int v)
{
	WRITE_ONCE(in->conf.forwarding, v);
	if (v && in->conf.accept_ra < 2)
		fib6_drop_auto(in->dev, true, 0);
}

static void disable(struct in6_device *in, int v)
{
	if (!in->conf.disable_ipv6 == !v)
		return;
	WRITE_ONCE(in->conf.disable_ipv6, v);
	in6_disable_changed(in);
}

/* TEXT is for all devices, and those to come. */
static ssize_t store_all(const char *text, size_t len, bool forwards)
{
	struct net *net = current_net();
	struct netdev *d;
	int v;

	if (kstrtoint(text, 10, &v))
		return -EINVAL;
	if (rtnl_lock_interruptible())
		return -ERESTARTSYS;
	WRITE_ONCE(*(forwards ? &net->ip6->conf_all.forwarding : &net->ip6->conf_all.disable_ipv6),
		   v);
	WRITE_ONCE(*(forwards ? &net->ip6->conf_default.forwarding :
				&net->ip6->conf_default.disable_ipv6),
		   v);
	list_for_each_entry(d, &net->devs, list)
		if (in6_dev(d))
			(forwards ? forward : disable)(in6_dev(d), v);
	fib6_changed(net);
	rtnl_unlock();
	return (ssize_t)len;
}

static ssize_t store_forward(struct show_node *n, const char *text, size_t len)
{
	return store_all(text, len, true);
}

static ssize_t store_disable(struct show_node *n, const char *text, size_t len)
{
	return store_all(text, len, false);
}

static void conf_settings(struct in6_conf *c)
{
	const struct {
		const char *name;
		int *value, least, most;
	} all[] = {
		{ "forwarding", &c->forwarding, 0, INT_MAX },
		{ "hop_limit", &c->hop_limit, 1, 255 },
		{ "mtu", &c->mtu, 0, 65536 },
		{ "accept_ra", &c->accept_ra, 0, 2 },
		{ "accept_ra_defrtr", &c->accept_ra_defrtr, 0, 1 },
		{ "accept_ra_pinfo", &c->accept_ra_pinfo, 0, 1 },
		{ "accept_ra_mtu", &c->accept_ra_mtu, 0, 1 },
		{ "autoconf", &c->autoconf, 0, 1 },
		{ "dad_transmits", &c->dad_transmits, 0, 255 },
		{ "accept_dad", &c->accept_dad, -1, 2 },
		{ "router_solicitations", &c->router_solicitations, -1, INT_MAX },
		{ "router_solicitation_interval", &c->router_solicitation_interval, 1, 3600 },
		{ "router_solicitation_delay", &c->router_solicitation_delay, 0, 3600 },
		{ "max_addresses", &c->max_addresses, 0, 1024 },
		{ "addr_gen_mode", &c->addr_gen_mode, 0, 1 },
		{ "disable_ipv6", &c->disable_ipv6, 0, 1 },
	};
	char path[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		snprintf(path, sizeof(path), "net/ipv6/conf/default/%s", all[i].name);
		conf_setting(path, all[i].value, all[i].least, all[i].most, ip6_of_caller);
	}
}

static int sysctl6_init(void)
{
	struct neigh_conf *c = &init_net.neigh->nd.conf;
	struct ip6_net *n = init_net.ip6;

	conf_setting("net/ipv6/bindv6only", &n->bindv6only, 0, 1, ip6_of_caller);
	conf_setting("net/ipv6/ip_nonlocal_bind", &n->ip_nonlocal_bind, 0, 1, ip6_of_caller);
	conf_setting("net/ipv6/icmp/ratelimit", &n->icmp_ratelimit_ms, 0, INT_MAX, ip6_of_caller);
	conf_setting("net/ipv6/icmp/echo_ignore_all", &n->echo_ignore_all, 0, 1, ip6_of_caller);
	conf_setting("net/ipv6/icmp/echo_ignore_multicast", &n->echo_ignore_multicast, 0, 1,
		     ip6_of_caller);
	conf_memory("net/ipv6/ip6frag_high_thresh", &n->frag_high, 0, ip6_of_caller);
	conf_memory("net/ipv6/ip6frag_time", &n->frag_time_s, 0, ip6_of_caller);
	conf_special("net/ipv6/conf/all", "forwarding", show_forward, store_forward);
	conf_special("net/ipv6/conf/all", "disable_ipv6", show_disable, store_disable);
	conf_settings(&n->conf_default);
	conf_memory("net/ipv6/neigh/default/gc_thresh1", &c->thresh[0], 0, neigh_of_caller);
	conf_memory("net/ipv6/neigh/default/gc_thresh2", &c->thresh[1], 0, neigh_of_caller);
	conf_memory("net/ipv6/neigh/default/gc_thresh3", &c->thresh[2], 0, neigh_of_caller);
	conf_memory("net/ipv6/neigh/default/gc_stale_time", &c->gc_stale_s, 1, neigh_of_caller);
	return 0;
}
INITCALL(late, sysctl6_init);
