// SPDX-License-Identifier: MIT
/*
 * Options about groups of IPv6 (ipv6(7), RFC 3493): joining, leaving, where packets to groups
 * leave. A socket joins at most MEMBERS_MOST.
 */
#include <lib/string.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/inet/mcast.h"
#include "net/ip6/addr6.h"

#define MEMBERS_MOST 64

struct inet6_mc_member {
	struct list_head list;		/* rtnl, RCU */
	struct rcu_head rcu;
	struct ip6_addr group;
	int ifindex;
};

struct request {
	struct ip6_addr group;
	int ifindex;			/* 0: by the route to the group */
};

static struct netdev *device_of(struct net *net, const struct request *q)
{
	struct ip6_flow f = { .dst = q->group, .src = IP6_ANY };
	struct netdev *found = NULL;
	struct ip6_route r;

	if (q->ifindex)
		return netdev_by_index(net, q->ifindex);
	rcu_read_lock();
	if (!route6_out(net, &f, &r))
		found = r.dev;
	rcu_read_unlock();
	return found;
}

static struct inet6_mc_member *member(struct inet_sock *s, const struct ip6_addr *group,
				      int ifindex)
{
	struct inet6_mc_member *m;

	list_for_each_entry(m, &s->six->mc, list)
		if (ip6_equal(&m->group, group) && (!ifindex || m->ifindex == ifindex))
			return m;
	return NULL;
}

static int join(struct inet_sock *s, const struct request *q)
{
	struct inet6_mc_member *m;
	struct netdev *d;
	unsigned int n = 0;
	int err;

	if (!ip6_is_multicast(&q->group))
		return -EINVAL;
	d = device_of(s->sk.net, q);
	if (!d || !in6_dev(d))
		return -ENODEV;
	if (member(s, &q->group, d->ifindex))
		return -EADDRINUSE;
	list_for_each_entry(m, &s->six->mc, list)
		n++;
	if (n >= MEMBERS_MOST)
		return -ENOBUFS;
	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return -ENOMEM;
	err = in6_group_join(in6_dev(d), &q->group);
	if (err) {
		kfree(m);
		return err;
	}
	m->group = q->group;
	m->ifindex = d->ifindex;
	list_add_tail_rcu(&m->list, &s->six->mc);
	return 0;
}

static void leave_one(struct inet_sock *s, struct inet6_mc_member *m)
{
	struct netdev *d = netdev_by_index(s->sk.net, m->ifindex);

	list_del_rcu(&m->list);
	if (d && in6_dev(d))
		in6_group_leave(in6_dev(d), &m->group);
	kfree_rcu(m, rcu);
}

static int leave(struct inet_sock *s, const struct request *q)
{
	struct inet6_mc_member *m = member(s, &q->group, q->ifindex);

	if (!ip6_is_multicast(&q->group))
		return -EINVAL;
	if (!m)
		return -EADDRNOTAVAIL;
	leave_one(s, m);
	return 0;
}

void inet6_mc_drop_all(struct inet_sock *s)
{
	struct inet6_mc_member *m, *next;

	if (list_empty(&s->six->mc))
		return;
	rtnl_lock();
	list_for_each_entry_safe(m, next, &s->six->mc, list)
		leave_one(s, m);
	rtnl_unlock();
}

bool inet6_mc_wants(const struct inet_sock *s, const struct ip6_addr *group, int dif)
{
	const struct inet6_mc_member *m;

	if (!ip6_is_multicast(group))
		return true;
	if (!s->six)
		return false;
	list_for_each_entry_rcu(m, &s->six->mc, list)
		if (ip6_equal(&m->group, group) && m->ifindex == dif)
			return true;
	return inet_flag(s, INET6_MC_ALL);
}

static int read_mreq(struct request *q, struct uptr val, int len)
{
	struct ipv6_mreq r;

	if (len < (int)sizeof(r))
		return -EINVAL;
	if (copy_from_user(&r, val, sizeof(r)))
		return -EFAULT;
	memcpy(&q->group, &r.ipv6mr_multiaddr, sizeof(q->group));
	q->ifindex = r.ipv6mr_ifindex;
	return 0;
}

static int read_group(struct request *q, struct uptr val, int len)
{
	struct sockaddr_in6 in;
	struct group_req g;

	if (len < (int)sizeof(g))
		return -EINVAL;
	if (copy_from_user(&g, val, sizeof(g)))
		return -EFAULT;
	memcpy(&in, &g.gr_group, sizeof(in));
	if (in.sin6_family != AF_INET6)
		return -EADDRNOTAVAIL;
	memcpy(&q->group, &in.sin6_addr, sizeof(q->group));
	q->ifindex = (int)g.gr_interface;
	return 0;
}

int inet6_mc_setsockopt(struct inet_sock *s, int name, struct uptr val, int len)
{
	struct request q;
	bool joins = name == IPV6_ADD_MEMBERSHIP || name == MCAST_JOIN_GROUP;
	int err;

	if (name == IPV6_ADD_MEMBERSHIP || name == IPV6_DROP_MEMBERSHIP)
		err = read_mreq(&q, val, len);
	else if (name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP)
		err = read_group(&q, val, len);
	else
		return -ENOIOCTLCMD;
	if (err)
		return err;
	if (s->sk.type == SOCK_STREAM)
		return -EPROTO;
	rtnl_lock();
	lock_sock(&s->sk);
	err = joins ? join(s, &q) : leave(s, &q);
	release_sock(&s->sk);
	rtnl_unlock();
	return err;
}
