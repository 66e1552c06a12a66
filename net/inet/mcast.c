// SPDX-License-Identifier: MIT
/*
 * Options about groups (ip(7)): joining, leaving, where packets to groups leave. A socket joins at
 * most MEMBERS_MOST.
 */
#include <lib/string.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include "net/inet/mcast.h"
#include "net/ip4/addr.h"
#include "net/wire/ip4.h"

#define MEMBERS_MOST 20

struct inet_mc_member {
	struct list_head list;		/* rtnl, RCU */
	struct rcu_head rcu;
	be32 group;
	int ifindex;
};

/*
 * The device that REQ means: by number, by an address of its own, or by the route to the group.
 * rtnl.
 */
static struct netdev *device_of(struct net *net, const struct ip_mreqn *q)
{
	struct ip4_flow f = { .dst = { q->imr_multiaddr.s_addr } };
	struct netdev *d, *found = NULL;
	struct ip4_route r;

	if (q->imr_ifindex)
		return netdev_by_index(net, q->imr_ifindex);
	if (q->imr_address.s_addr) {
		list_for_each_entry(d, &net->devs, list)
			if (in_dev(d) &&
			    in_addr_find(in_dev(d), (be32){ q->imr_address.s_addr }, -1))
				return d;
		return NULL;
	}
	rcu_read_lock();
	if (!route4_out(net, &f, &r))
		found = r.dev;
	rcu_read_unlock();
	return found;
}

static struct inet_mc_member *member(struct inet_sock *s, be32 group, int ifindex)
{
	struct inet_mc_member *m;

	list_for_each_entry(m, &s->mc, list)
		if (m->group.v == group.v && m->ifindex == ifindex)
			return m;
	return NULL;
}

static int join(struct inet_sock *s, const struct ip_mreqn *q)
{
	be32 group = { q->imr_multiaddr.s_addr };
	struct inet_mc_member *m;
	struct netdev *d;
	unsigned int n = 0;
	int err;

	if (!ip4_is_multicast(group))
		return -EINVAL;
	d = device_of(s->sk.net, q);
	if (!d || !in_dev(d))
		return -ENODEV;
	if (member(s, group, d->ifindex))
		return -EADDRINUSE;
	list_for_each_entry(m, &s->mc, list)
		n++;
	if (n >= MEMBERS_MOST)
		return -ENOBUFS;
	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return -ENOBUFS;
	err = in_group_join(in_dev(d), group);
	if (err) {
		kfree(m);
		return err;
	}
	m->group = group;
	m->ifindex = d->ifindex;
	list_add_tail_rcu(&m->list, &s->mc);
	return 0;
}

static void leave_one(struct inet_sock *s, struct inet_mc_member *m)
{
	struct netdev *d = netdev_by_index(s->sk.net, m->ifindex);

	list_del_rcu(&m->list);
	if (d && in_dev(d))
		in_group_leave(in_dev(d), m->group);
	kfree_rcu(m, rcu);
}

static int leave(struct inet_sock *s, const struct ip_mreqn *q)
{
	be32 group = { q->imr_multiaddr.s_addr };
	struct inet_mc_member *m;
	struct netdev *d = device_of(s->sk.net, q);

	if (!d && (q->imr_ifindex || q->imr_address.s_addr))
		return -ENODEV;
	list_for_each_entry(m, &s->mc, list)
		if (m->group.v == group.v && (!d || m->ifindex == d->ifindex)) {
			leave_one(s, m);
			return 0;
		}
	return -EADDRNOTAVAIL;
}

void inet_mc_drop_all(struct inet_sock *s)
{
	struct inet_mc_member *m, *next;

	if (s->six)
		inet6_mc_drop_all(s);
	if (list_empty(&s->mc))
		return;
	rtnl_lock();
	list_for_each_entry_safe(m, next, &s->mc, list)
		leave_one(s, m);
	rtnl_unlock();
}

bool inet_mc_wants(const struct inet_sock *s, be32 group, int dif)
{
	const struct inet_mc_member *m;

	if (!ip4_is_multicast(group))
		return true;
	list_for_each_entry_rcu(m, &s->mc, list)
		if (m->group.v == group.v && m->ifindex == dif)
			return true;
	return inet_flag(s, INET_MC_ALL);
}

/* ip_mreq, ip_mreqn, or what of the latter is there. */
static int read_request(struct ip_mreqn *q, struct uptr val, int len, int least)
{
	memset(q, 0, sizeof(*q));
	if (len < least)
		return -EINVAL;
	return copy_from_user(q, val,
			      len < (int)sizeof(*q) ? (size_t)(len < 8 ? len : 8) : sizeof(*q)) ?
		       -EFAULT :
		       0;
}

static int read_group(struct ip_mreqn *q, struct uptr val, int len)
{
	struct group_req g;
	struct sockaddr_in in;

	if (len < (int)sizeof(g))
		return -EINVAL;
	if (copy_from_user(&g, val, sizeof(g)))
		return -EFAULT;
	memcpy(&in, &g.gr_group, sizeof(in));
	if (in.sin_family != AF_INET)
		return -EINVAL;
	*q = (struct ip_mreqn){ .imr_multiaddr = in.sin_addr, .imr_ifindex = (int)g.gr_interface };
	return 0;
}

static int set_interface(struct inet_sock *s, struct uptr val, int len)
{
	struct ip_mreqn q;
	struct netdev *d;
	int err;

	if (s->sk.type == SOCK_STREAM)
		return -EINVAL;
	if (len >= (int)sizeof(struct ip_mreq)) {
		err = read_request(&q, val, len, 8);
	} else {
		memset(&q, 0, sizeof(q));
		err = len < 4 ? -EINVAL : copy_from_user(&q.imr_address, val, 4) ? -EFAULT : 0;
	}
	if (err)
		return err;
	if (!q.imr_ifindex && !q.imr_address.s_addr) {
		s->mc_index = 0;
		s->mc_addr = be32_make(0);
		return 0;
	}
	q.imr_multiaddr.s_addr = be32_make(0xe0000001).v;
	d = device_of(s->sk.net, &q);
	if (!d)
		return -EADDRNOTAVAIL;
	if (s->sk.bound_dev && s->sk.bound_dev != d->ifindex)
		return -EINVAL;
	s->mc_index = d->ifindex;
	s->mc_addr = (be32){ q.imr_address.s_addr };
	return 0;
}

int inet_mc_setsockopt(struct inet_sock *s, int name, struct uptr val, int len)
{
	struct ip_mreqn q;
	int err;

	switch (name) {
	case IP_ADD_MEMBERSHIP:
	case IP_DROP_MEMBERSHIP:
		err = read_request(&q, val, len, (int)sizeof(struct ip_mreq));
		break;
	case MCAST_JOIN_GROUP:
	case MCAST_LEAVE_GROUP:
		err = read_group(&q, val, len);
		break;
	case IP_MULTICAST_IF:
		err = 0;
		break;
	default:
		return -ENOIOCTLCMD;
	}
	if (err)
		return err;
	if (name != IP_MULTICAST_IF && s->sk.type == SOCK_STREAM)
		return -EPROTO;
	rtnl_lock();
	lock_sock(&s->sk);
	if (name == IP_MULTICAST_IF)
		err = set_interface(s, val, len);
	else if (name == IP_ADD_MEMBERSHIP || name == MCAST_JOIN_GROUP)
		err = join(s, &q);
	else
		err = leave(s, &q);
	release_sock(&s->sk);
	rtnl_unlock();
	return err;
}

int inet_mc_getsockopt(struct inet_sock *s, int name, struct uptr val, struct uptr len)
{
	be32 a;

	if (name != IP_MULTICAST_IF)
		return -ENOIOCTLCMD;
	a = s->mc_addr;
	return sock_put_option(&a, sizeof(a), val, len);
}
