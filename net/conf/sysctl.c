// SPDX-License-Identifier: MIT
/*
 * /proc/sys/net/ipv4: settings of the caller's network namespace (ip-sysctl). Each is an int in
 * struct ip4_net or struct inet_net, registered by where the initial namespace has it. conf/DEV
 * and neigh/DEV: conf_dev.c.
 */
#include <lib/bitmap.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <kernel/rcu.h>
#include <kernel/show.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include "net/conf/conf.h"
#include "net/conf/conf_dev.h"
#include "net/core/core_priv.h"
#include "net/ip4/addr.h"
#include "net/neigh/neigh.h"

static void *ip4_of_caller(void *value)
{
	return (u8 *)current_net()->ip4 + ((u8 *)value - (u8 *)init_net.ip4);
}

static void *inet_of_caller(void *value)
{
	return (u8 *)current_net()->inet + ((u8 *)value - (u8 *)init_net.inet);
}

static void *neigh_of_caller(void *value)
{
	return (u8 *)current_net()->neigh + ((u8 *)value - (u8 *)init_net.neigh);
}

static struct show_node *with_rights(const char *path, int *value, int least, int most,
				     void *(*of_caller)(void *value),
				     unsigned int (*rights)(const struct cred *cred))
{
	struct show_node *n = sysctl_int(path, 0644, value, least, most);

	if (n)
		n->of_caller = of_caller;
	net_setting(n, rights);
	return n;
}

void conf_setting(const char *path, int *value, int least, int most,
		  void *(*of_caller)(void *value))
{
	with_rights(path, value, least, most, of_caller, net_setting_rights);
}

/* What peers can make the namespace keep. */
void conf_memory(const char *path, int *value, int least, void *(*of_caller)(void *value))
{
	with_rights(path, value, least, INT_MAX, of_caller, net_memory_rights);
}

void conf_special(const char *dir, const char *name, show_fn show, store_fn store)
{
	struct show_node *n = show_attr(show_path(SHOW_SYSCTL, dir), name, 0644, show, store, NULL);

	net_setting(n, net_setting_rights);
}

/* ---- ip_forward, conf/all/forwarding: of all devices at once ---- */

static ssize_t show_forward(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", READ_ONCE(current_net()->ip4->conf_all.forwarding));
}

static ssize_t store_forward(struct show_node *n, const char *text, size_t len)
{
	struct net *net = current_net();
	struct netdev *d;
	int v;

	if (kstrtoint(text, 10, &v))
		return -EINVAL;
	if (rtnl_lock_interruptible())
		return -ERESTARTSYS;
	WRITE_ONCE(net->ip4->conf_all.forwarding, v);
	WRITE_ONCE(net->ip4->conf_default.forwarding, v);
	list_for_each_entry(d, &net->devs, list)
		if (in_dev(d))
			WRITE_ONCE(in_dev(d)->conf.forwarding, v);
	route4_flush(net);
	rtnl_unlock();
	return (ssize_t)len;
}

/* ---- route/flush: whatever is written, learned MTUs are forgotten ---- */

static ssize_t show_flush(struct show_node *n, char *buf, size_t size)
{
	return -EINVAL;
}

static ssize_t store_flush(struct show_node *n, const char *text, size_t len)
{
	rtnl_lock();
	route4_forget_mtus(current_net());
	rtnl_unlock();
	return (ssize_t)len;
}

/* ---- two numbers ---- */

/* "LOW HIGH" within TEXT. */
static int two_numbers(const char *text, u64 *low, u64 *high)
{
	u64 v[2];

	for (int i = 0; i < 2; i++) {
		int digits = 0;

		while (*text == ' ' || *text == '\t')
			text++;
		for (v[i] = 0; *text >= '0' && *text <= '9' && digits < 11; text++, digits++)
			v[i] = v[i] * 10 + (u64)(*text - '0');
		if (!digits)
			return -EINVAL;
	}
	while (*text == ' ' || *text == '\n' || *text == '\t')
		text++;
	*low = v[0];
	*high = v[1];
	return *text ? -EINVAL : 0;
}

static ssize_t show_ports(struct show_node *n, char *buf, size_t size)
{
	u32 r = READ_ONCE(current_net()->inet->port_range);

	return scnprintf(buf, size, "%u\t%u\n", r & 0xffff, r >> 16);
}

static ssize_t store_ports(struct show_node *n, const char *text, size_t len)
{
	struct inet_net *inet = current_net()->inet;
	u64 low, high;

	if (two_numbers(text, &low, &high) || !low || low > high || high > 65535 ||
	    low < (u64)READ_ONCE(inet->unprivileged_port))
		return -EINVAL;
	WRITE_ONCE(inet->port_range, (u32)(low | high << 16));
	return (ssize_t)len;
}

/* ---- ip_local_reserved_ports: a list of ranges ---- */

static ssize_t show_reserved(struct show_node *n, char *buf, size_t size)
{
	const struct inet_reserved *r;
	int len = 0;

	rtnl_lock();
	r = rcu_dereference_protected(current_net()->inet->reserved, true);
	if (r)
		len = bitmap_print_list(buf, size, r->map, INET_PORTS);
	rtnl_unlock();
	len = min(len, (int)size - 1);
	return len + scnprintf(buf + len, size - (size_t)len, "\n");
}

static ssize_t store_reserved(struct show_node *n, const char *text, size_t len)
{
	struct inet_net *inet = current_net()->inet;
	struct inet_reserved *now = kvzalloc(sizeof(*now), GFP_KERNEL_ACCOUNT), *was;

	if (!now)
		return -ENOMEM;
	if (bitmap_parselist(skip_spaces(text), now->map, INET_PORTS)) {
		kvfree(now);
		return -EINVAL;
	}
	if (bitmap_empty(now->map, INET_PORTS)) {
		kvfree(now);
		now = NULL;
	}
	rtnl_lock();
	was = rcu_replace_pointer(inet->reserved, now, true);
	rtnl_unlock();
	if (was)
		kvfree_rcu(was, rcu);
	return (ssize_t)len;
}

static ssize_t show_ping(struct show_node *n, char *buf, size_t size)
{
	const struct inet_net *inet = current_net()->inet;
	struct user_namespace *ns = current_user_ns();

	return scnprintf(buf, size, "%u\t%u\n",
			 from_kgid_munged(ns, (kgid_t){ (u32)READ_ONCE(inet->ping_group[0]) }),
			 from_kgid_munged(ns, (kgid_t){ (u32)READ_ONCE(inet->ping_group[1]) }));
}

static ssize_t store_ping(struct show_node *n, const char *text, size_t len)
{
	struct inet_net *inet = current_net()->inet;
	kgid_t low, high;
	u64 a, b;

	if (two_numbers(text, &a, &b) || a > 0x7fffffff || b > 0x7fffffff)
		return -EINVAL;
	low = make_kgid(current_user_ns(), (gid_t)a);
	high = make_kgid(current_user_ns(), (gid_t)b);
	if (!gid_valid(low) || !gid_valid(high))
		return -EINVAL;
	if (b < a) {		/* nobody */
		low.val = 1;
		high.val = 0;
	}
	WRITE_ONCE(inet->ping_group[0], (int)low.val);
	WRITE_ONCE(inet->ping_group[1], (int)high.val);
	return (ssize_t)len;
}

void conf_settings(const char *dir, const struct conf_value *v, unsigned int nr, void *base,
		   void *(*of_caller)(void *value))
{
	char path[96];

	for (unsigned int i = 0; i < nr; i++) {
		int *value = (int *)((u8 *)base + v[i].at);

		if (v[i].set || v[i].scale)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, v[i].name);
		if (v[i].memory)
			conf_memory(path, value, v[i].least, of_caller);
		else
			conf_setting(path, value, v[i].least, v[i].most, of_caller);
	}
}

/* ---- conf/default: also of devices that have no setting of their own ---- */

static store_fn store_int;		/* constant once it is registered */

static ssize_t store_default(struct show_node *n, const char *text, size_t len)
{
	const struct show_int *i = n->data;
	u32 at = (u32)((u8 *)i->value - (u8 *)&init_net.ip4->conf_default);
	ssize_t done = store_int(n, text, len);

	if (done <= 0)
		return done;
	rtnl_lock();
	conf4_copy_default(current_net(), at);
	rtnl_unlock();
	return done;
}

static void default_settings(struct in_conf *c)
{
	char path[96];

	for (unsigned int i = 0; i < conf4_nr; i++) {
		const struct conf_value *v = &conf4_values[i];
		struct show_node *n;

		snprintf(path, sizeof(path), "net/ipv4/conf/default/%s", v->name);
		n = with_rights(path, (int *)((u8 *)c + v->at), v->least, v->most, ip4_of_caller,
				net_setting_rights);
		if (n) {
			store_int = n->store;
			n->store = store_default;
		}
	}
}

static void neigh_settings(struct neigh_conf *c)
{
	conf_memory("net/ipv4/neigh/default/gc_thresh1", &c->thresh[0], 0, neigh_of_caller);
	conf_memory("net/ipv4/neigh/default/gc_thresh2", &c->thresh[1], 0, neigh_of_caller);
	conf_memory("net/ipv4/neigh/default/gc_thresh3", &c->thresh[2], 0, neigh_of_caller);
	conf_settings("net/ipv4/neigh/default", neigh_values, neigh_nr, &c->parms, neigh_of_caller);
}

static int sysctl_init(void)
{
	struct ip4_net *n = init_net.ip4;

	conf_special("net/ipv4", "ip_forward", show_forward, store_forward);
	conf_special("net/ipv4", "ip_local_port_range", show_ports, store_ports);
	conf_special("net/ipv4", "ip_local_reserved_ports", show_reserved, store_reserved);
	conf_special("net/ipv4", "ping_group_range", show_ping, store_ping);
	net_setting(show_attr(show_path(SHOW_SYSCTL, "net/ipv4/route"), "flush", 0200, show_flush,
			      store_flush, NULL),
		    net_setting_rights);
	conf_setting("net/ipv4/ip_unprivileged_port_start", &init_net.inet->unprivileged_port, 0,
		     65535, inet_of_caller);
	conf_setting("net/ipv4/udp_rmem_min", &init_net.inet->udp_least[0], 1, INT_MAX,
		     inet_of_caller);
	conf_setting("net/ipv4/udp_wmem_min", &init_net.inet->udp_least[1], 1, INT_MAX,
		     inet_of_caller);
	conf_setting("net/ipv4/ip_default_ttl", &n->default_ttl, 1, 255, ip4_of_caller);
	conf_setting("net/ipv4/ip_nonlocal_bind", &n->nonlocal_bind, 0, 1, ip4_of_caller);
	conf_setting("net/ipv4/ip_no_pmtu_disc", &n->no_pmtu_disc, 0, 3, ip4_of_caller);
	conf_setting("net/ipv4/igmp_max_memberships", &n->mc.max_memberships, 0, INT_MAX,
		     ip4_of_caller);
	conf_setting("net/ipv4/igmp_max_msf", &n->mc.max_msf, 0, INT_MAX, ip4_of_caller);
	conf_setting("net/ipv4/igmp_qrv", &n->mc.qrv, 1, INT_MAX, ip4_of_caller);
	conf_setting("net/ipv4/igmp_link_local_mcast_reports", &n->mc.link_local_reports, 0,
		     INT_MAX, ip4_of_caller);
	conf_memory("net/ipv4/ipfrag_high_thresh", &n->frag_high, 0, ip4_of_caller);
	conf_memory("net/ipv4/ipfrag_low_thresh", &n->frag_low, 0, ip4_of_caller);
	conf_memory("net/ipv4/ipfrag_time", &n->frag_time_s, 0, ip4_of_caller);
	conf_setting("net/ipv4/icmp_echo_ignore_all", &n->icmp.echo_ignore_all, 0, 1,
		     ip4_of_caller);
	conf_setting("net/ipv4/icmp_echo_ignore_broadcasts", &n->icmp.echo_ignore_broadcasts, 0, 1,
		     ip4_of_caller);
	conf_setting("net/ipv4/icmp_ignore_bogus_error_responses",
		     &n->icmp.ignore_bogus_error_responses, 0, 1, ip4_of_caller);
	conf_setting("net/ipv4/icmp_ratelimit", &n->icmp.ratelimit_ms, 0, INT_MAX, ip4_of_caller);
	conf_setting("net/ipv4/icmp_ratemask", &n->icmp.ratemask, 0, INT_MAX, ip4_of_caller);
	conf_setting("net/ipv4/icmp_msgs_per_sec", &n->icmp.msgs_per_sec, 0, INT_MAX,
		     ip4_of_caller);
	conf_setting("net/ipv4/icmp_msgs_burst", &n->icmp.msgs_burst, 0, INT_MAX, ip4_of_caller);
	conf_settings("net/ipv4/conf/all", conf4_values, conf4_nr, &n->conf_all, ip4_of_caller);
	default_settings(&n->conf_default);
	conf_special("net/ipv4/conf/all", "forwarding", show_forward, store_forward);
	neigh_settings(&init_net.neigh->arp.conf);
	return 0;
}
INITCALL(late, sysctl_init);
