// SPDX-License-Identifier: MIT
/*
 * /proc/sys/net/ipv6: settings of the caller's network namespace, those that code reads. What is
 * written to conf/all's two goes to every device; conf/DEV and neigh/DEV: conf_dev.c.
 */
#include <lib/format.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <abi/errno.h>
#include "net/conf/conf.h"
#include "net/conf/conf_dev.h"
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

void conf6_set_forwarding(struct netdev *d, int v)
{
	struct in6_device *in = in6_dev(d);

	WRITE_ONCE(in->conf.forwarding, v);
	if (v && in->conf.accept_ra < 2)
		fib6_drop_auto(d);
	fib6_changed(d->net);
}

void conf6_set_disable(struct netdev *d, int v)
{
	struct in6_device *in = in6_dev(d);

	if (!in->conf.disable_ipv6 == !v)
		return;
	WRITE_ONCE(in->conf.disable_ipv6, v);
	in6_disable_changed(in);
	fib6_changed(d->net);
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
			(forwards ? conf6_set_forwarding : conf6_set_disable)(d, v);
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
	conf_setting("net/ipv6/mld_max_msf", &n->mld_max_msf, 0, INT_MAX, ip6_of_caller);
	conf_setting("net/ipv6/mld_qrv", &n->mld_qrv, 1, INT_MAX, ip6_of_caller);
	conf_memory("net/ipv6/ip6frag_high_thresh", &n->frag_high, 0, ip6_of_caller);
	conf_memory("net/ipv6/ip6frag_time", &n->frag_time_s, 0, ip6_of_caller);
	conf_special("net/ipv6/conf/all", "forwarding", show_forward, store_forward);
	conf_special("net/ipv6/conf/all", "disable_ipv6", show_disable, store_disable);
	conf_settings("net/ipv6/conf/default", conf6_values, conf6_nr, &n->conf_default,
		      ip6_of_caller);
	conf_setting("net/ipv6/conf/default/forwarding", &n->conf_default.forwarding, 0, INT_MAX,
		     ip6_of_caller);
	conf_setting("net/ipv6/conf/default/disable_ipv6", &n->conf_default.disable_ipv6, 0, 1,
		     ip6_of_caller);
	conf_setting("net/ipv6/conf/all/force_mld_version", &n->conf_all.force_mld_version, 0,
		     INT_MAX, ip6_of_caller);
	conf_memory("net/ipv6/neigh/default/gc_thresh1", &c->thresh[0], 0, neigh_of_caller);
	conf_memory("net/ipv6/neigh/default/gc_thresh2", &c->thresh[1], 0, neigh_of_caller);
	conf_memory("net/ipv6/neigh/default/gc_thresh3", &c->thresh[2], 0, neigh_of_caller);
	conf_settings("net/ipv6/neigh/default", neigh_values, neigh_nr, &c->parms, neigh_of_caller);
	return 0;
}
INITCALL(late, sysctl6_init);
