// SPDX-License-Identifier: MIT
/*
 * A socket's memberships, of both families: see mcast.h. Each is one member to its device
 * (mc_change()), with the filter that the socket has.
 */
#include <lib/string.h>
#include <alloc/slab.h>
#include <abi/errno.h>
#include "net/inet/mcast.h"
#include "net/ip4/addr.h"
#include "net/ip6/addr6.h"

#define MEMBERS6_MOST 64u		/* of a socket, IPv6 */

static struct list_head *members(const struct inet_sock *s, bool six)
{
	return (struct list_head *)(six ? &s->six->mc : &s->mc);
}

/* rtnl. NULL: D has none of the family. */
static struct mc_device *mc_of(struct netdev *d, bool six)
{
	if (!d)
		return NULL;
	if (six)
		return in6_dev(d) ? &in6_dev(d)->mc : NULL;
	return in_dev(d) ? &in_dev(d)->mc : NULL;
}

/* rtnl. Where M is a member; NULL: that is gone, and another may have its index. */
static struct mc_device *device_of_member(const struct inet_sock *s, const struct inet_mc_member *m,
					  bool six)
{
	struct mc_device *mc = mc_of(netdev_by_index(s->sk.net, m->ifindex), six);

	return mc && mc->id == m->device_id ? mc : NULL;
}

static u32 members_most(const struct inet_sock *s, bool six)
{
	return six ? MEMBERS6_MOST : (u32)READ_ONCE(s->sk.net->ip4->mc.max_memberships);
}

u32 inet_mc_max_sources(const struct inet_sock *s, bool six)
{
	u32 n = (u32)(six ? READ_ONCE(s->sk.net->ip6->mld_max_msf) :
			    READ_ONCE(s->sk.net->ip4->mc.max_msf));

	return n < MC_SOURCES_MOST ? n : MC_SOURCES_MOST;
}

/* ---- devices ---- */

static struct netdev *device_of_address(struct net *net, be32 a)
{
	struct netdev *d;

	list_for_each_entry(d, &net->devs, list)
		if (in_dev(d) && in_addr_find(in_dev(d), a, -1))
			return d;
	return NULL;
}

static struct netdev *device_by_route(struct net *net, const struct inet_mc_where *w)
{
	struct ip4_flow f4 = { .dst = w->group.w[3] };
	struct ip6_flow f6 = { .dst = w->group, .src = IP6_ANY };
	struct netdev *found = NULL;
	struct ip6_route r6;
	struct ip4_route r4;

	rcu_read_lock();
	if (w->six && !route6_out(net, &f6, &r6))
		found = r6.dev;
	else if (!w->six && !route4_out(net, &f4, &r4))
		found = r4.dev;
	rcu_read_unlock();
	return found;
}

struct netdev *inet_mc_device(struct inet_sock *s, const struct inet_mc_where *w)
{
	if (w->ifindex)
		return netdev_by_index(s->sk.net, w->ifindex);
	if (w->address.v)
		return device_of_address(s->sk.net, w->address);
	return device_by_route(s->sk.net, w);
}

/* ---- filters ---- */

static struct inet_mc_filter *filter_alloc(enum mc_mode mode, u32 nr)
{
	struct inet_mc_filter *f =
		kzalloc(sizeof(*f) + nr * sizeof(f->sources[0]), GFP_KERNEL_ACCOUNT);

	if (f) {
		f->mode = mode;
		f->nr = nr;
		f->listed = nr;
	}
	return f;
}

static struct inet_mc_filter *filter_of(const struct inet_mc_member *m)
{
	return rcu_dereference_protected(m->filter, true);
}

static struct mc_filter as_seen(const struct inet_mc_filter *f)
{
	return (struct mc_filter){ .mode = f->mode, .nr = f->nr, .sources = f->sources };
}

/* M's filter becomes NOW, which is taken over. 0; -ENOBUFS, -ENOMEM: NOW is freed. */
static int refilter(struct inet_sock *s, struct inet_mc_member *m, bool six,
		    struct inet_mc_filter *now)
{
	struct mc_device *mc = device_of_member(s, m, six);
	struct inet_mc_filter *was = filter_of(m);
	struct mc_filter from = as_seen(was), to = as_seen(now);
	int err = mc ? mc_change(mc, &m->group, &from, &to) : -ENODEV;

	if (err) {
		kfree(now);
		return err;
	}
	now->listed |= was->listed && was->mode == now->mode;
	rcu_assign_pointer(m->filter, now);
	kfree_rcu(was, rcu);
	return 0;
}

/* ---- joining and leaving ---- */

static struct inet_mc_member *member(const struct inet_sock *s, bool six,
				     const struct ip6_addr *group, int ifindex)
{
	struct inet_mc_member *m;

	list_for_each_entry(m, members(s, six), list)
		if (ip6_equal(&m->group, group) && (!ifindex || m->ifindex == ifindex))
			return m;
	return NULL;
}

static bool is_group(const struct inet_mc_where *w)
{
	return w->six ? ip6_is_multicast(&w->group) : ip4_is_multicast(w->group.w[3]);
}

static int join(struct inet_sock *s, const struct inet_mc_where *w, struct netdev *d,
		struct mc_device *mc, enum mc_mode mode)
{
	struct inet_mc_member *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	struct inet_mc_filter *f = filter_alloc(mode, 0);
	struct mc_filter to = { .mode = mode };
	int err = m && f ? mc_change(mc, &w->group, NULL, &to) : -ENOBUFS;

	if (err) {
		kfree(m);
		kfree(f);
		return err;
	}
	m->group = w->group;
	m->ifindex = d->ifindex;
	m->device_id = mc->id;
	m->asked = w->address;
	rcu_assign_pointer(m->filter, f);
	list_add_rcu(&m->list, members(s, w->six));
	return 0;
}

int inet_mc_join(struct inet_sock *s, const struct inet_mc_where *w, enum mc_mode mode)
{
	struct inet_mc_member *m;
	struct netdev *d;
	u32 n = 0;

	if (!is_group(w))
		return -EINVAL;
	d = inet_mc_device(s, w);
	if (!mc_of(d, w->six))
		return -ENODEV;
	if (member(s, w->six, &w->group, d->ifindex))
		return -EADDRINUSE;
	list_for_each_entry(m, members(s, w->six), list)
		n++;
	if (n >= members_most(s, w->six))
		return -ENOBUFS;
	return join(s, w, d, mc_of(d, w->six), mode);
}

static void leave(struct inet_sock *s, struct inet_mc_member *m, bool six)
{
	struct mc_device *mc = device_of_member(s, m, six);
	struct inet_mc_filter *f = filter_of(m);
	struct mc_filter from = as_seen(f);

	list_del_rcu(&m->list);
	if (mc)
		mc_change(mc, &m->group, &from, NULL);
	kfree_rcu(f, rcu);
	kfree_rcu(m, rcu);
}

/* IPv4 goes by the device, or where that is not known by how it was asked for. */
static bool is_meant(const struct inet_mc_member *m, const struct inet_mc_where *w, int ifindex)
{
	if (!ip6_equal(&m->group, &w->group))
		return false;
	if (ifindex)
		return m->ifindex == ifindex;
	return !w->address.v || w->address.v == m->asked.v;
}

int inet_mc_leave(struct inet_sock *s, const struct inet_mc_where *w)
{
	int ifindex = w->ifindex;
	struct inet_mc_member *m;

	if (w->six && !is_group(w))
		return -EINVAL;
	if (!w->six && !ifindex) {
		struct netdev *d = inet_mc_device(s, w);

		if (!d && !w->address.v)
			return -ENODEV;
		ifindex = d ? d->ifindex : 0;
	}
	list_for_each_entry(m, members(s, w->six), list)
		if (is_meant(m, w, ifindex)) {
			leave(s, m, w->six);
			return 0;
		}
	return -EADDRNOTAVAIL;
}

void inet_mc_drop_all(struct inet_sock *s)
{
	struct inet_mc_member *m, *next;

	if (list_empty(&s->mc) && (!s->six || list_empty(&s->six->mc)))
		return;
	rtnl_lock();
	list_for_each_entry_safe(m, next, &s->mc, list)
		leave(s, m, false);
	if (s->six)
		list_for_each_entry_safe(m, next, &s->six->mc, list)
			leave(s, m, true);
	rtnl_unlock();
}

/* ---- sources ---- */

/* The member that W means: 0, -EINVAL no group, -ENODEV, or NONE. */
static int member_of(struct inet_sock *s, const struct inet_mc_where *w, int none,
		     struct inet_mc_member **m)
{
	struct netdev *d;

	if (!is_group(w))
		return -EINVAL;
	d = inet_mc_device(s, w);
	if (!mc_of(d, w->six))
		return -ENODEV;
	*m = member(s, w->six, &w->group, d->ifindex);
	return *m ? 0 : none;
}

const struct inet_mc_filter *inet_mc_filter_of(struct inet_sock *s, const struct inet_mc_where *w)
{
	struct inet_mc_member *m = member(s, w->six, &w->group, w->ifindex);

	return m ? filter_of(m) : NULL;
}

static u32 place(const struct inet_mc_filter *f, const struct ip6_addr *source)
{
	u32 i = 0;

	while (i < f->nr && !ip6_equal(&f->sources[i], source))
		i++;
	return i;
}

static int source_add(struct inet_sock *s, struct inet_mc_member *m, bool six, enum mc_mode mode,
		      const struct ip6_addr *source)
{
	const struct inet_mc_filter *was = filter_of(m);
	struct inet_mc_filter *f;

	if (was->nr >= inet_mc_max_sources(s, six))
		return -ENOBUFS;
	if (place(was, source) < was->nr)
		return -EADDRNOTAVAIL;
	f = filter_alloc(mode, was->nr + 1);
	if (!f)
		return -ENOBUFS;
	memcpy(f->sources, was->sources, was->nr * sizeof(*source));
	f->sources[was->nr] = *source;
	return refilter(s, m, six, f);
}

static int source_del(struct inet_sock *s, struct inet_mc_member *m, bool six, enum mc_mode mode,
		      const struct ip6_addr *source)
{
	const struct inet_mc_filter *was = filter_of(m);
	u32 at = place(was, source);
	struct inet_mc_filter *f;

	if (at == was->nr)
		return -EADDRNOTAVAIL;
	if (was->nr == 1 && mode == MC_INCLUDE) {
		leave(s, m, six);
		return 0;
	}
	f = filter_alloc(mode, was->nr - 1);
	if (!f)
		return -ENOBUFS;
	memcpy(f->sources, was->sources, at * sizeof(*source));
	memcpy(f->sources + at, was->sources + at + 1, (was->nr - at - 1) * sizeof(*source));
	return refilter(s, m, six, f);
}

int inet_mc_source(struct inet_sock *s, const struct inet_mc_where *w,
		   const struct ip6_addr *source, enum mc_mode mode, bool add)
{
	struct inet_mc_member *m;
	int err = member_of(s, w, -EINVAL, &m);

	if (err)
		return err;
	if (filter_of(m)->mode != mode) {
		struct inet_mc_filter *f;

		if (filter_of(m)->listed)
			return -EINVAL;
		f = filter_alloc(mode, 0);
		err = f ? refilter(s, m, w->six, f) : -ENOBUFS;
		if (err)
			return err;
	}
	return (add ? source_add : source_del)(s, m, w->six, mode, source);
}

int inet_mc_set_filter(struct inet_sock *s, const struct inet_mc_where *w,
		       const struct mc_filter *want)
{
	struct inet_mc_member *m;
	struct inet_mc_filter *f;
	int err = member_of(s, w, -EINVAL, &m);

	if (want->mode == MC_INCLUDE && !want->nr)
		return err == -ENODEV || !is_group(w) ? err : inet_mc_leave(s, w);
	if (err)
		return err;
	f = filter_alloc(want->mode, want->nr);
	if (!f)
		return -ENOBUFS;
	memcpy(f->sources, want->sources, want->nr * sizeof(f->sources[0]));
	err = refilter(s, m, w->six, f);
	if (!err)
		filter_of(m)->listed = want->nr;
	return err;
}

/* ---- packets ---- */

bool inet_mc_wants(const struct inet_sock *s, const struct ip6_addr *group,
		   const struct ip6_addr *src, int dif, bool six)
{
	const struct inet_mc_member *m;

	if (six && !s->six)
		return false;
	list_for_each_entry_rcu(m, members(s, six), list)
		if (ip6_equal(&m->group, group) && m->ifindex == dif) {
			const struct inet_mc_filter *f = rcu_dereference(m->filter);

			return (place(f, src) < f->nr) == (f->mode == MC_INCLUDE);
		}
	return inet_flag(s, six ? INET6_MC_ALL : INET_MC_ALL);
}

bool inet_mc_wants_group(const struct inet_sock *s, struct packet *p)
{
	if (packet_is_ip6(p)) {
		const struct ip6_wire *h = (const struct ip6_wire *)packet_net(p);

		return inet_mc_wants(s, &h->dst, &h->src, (int)p->iif, true);
	} else {
		const struct ip4_wire *h = (const struct ip4_wire *)packet_net(p);
		struct ip6_addr group = ip6_mapped(h->dst), src = ip6_mapped(h->src);

		return inet_mc_wants(s, &group, &src, (int)p->iif, false);
	}
}
