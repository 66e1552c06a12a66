// SPDX-License-Identifier: MIT
/*
 * Look-ups: from what a packet has to where it goes. What Linux's routing does for the odd cases
 * stands at each.
 */
#include <lib/minmax.h>
#include <kernel/bug.h>
#include <abi/errno.h>
#include <linux/in.h>
#include "net/dev/if_flags.h"
#include "net/route/fib4_priv.h"
#include "net/route/in_device.h"
#include "net/wire/ip4.h"

#define IP4_MTU_LEAST 68u

bool route4_is_fresh(const struct net *net, const struct ip4_route *r)
{
	return r->gen && r->gen == smp_load_acquire(&net->fib4->gen);
}

static void fill(struct net *net, struct ip4_route *r, struct netdev *d, u8 type, be32 dst,
		 be32 src)
{
	*r = (struct ip4_route){
		.dev = d, .dst = dst, .src = src, .next = dst, .type = type, .scope = RT_SCOPE_LINK
	};
	r->mtu = min(READ_ONCE(d->mtu), IP4_MTU_MOST);
}

static void fill_from(struct net *net, struct ip4_route *r, const struct fib4_route *f)
{
	const u32 *m = f->metrics;
	u32 learned;

	r->scope = f->scope;
	r->table = (u8)min(f->table, 255u);
	r->protocol = f->protocol;
	if (f->gateway.v) {
		r->next = f->gateway;
		r->gateway = true;
	}
	if (m[RTAX_MTU])
		r->mtu = min(r->mtu, m[RTAX_MTU]);
	r->mtu_locked = m[RTAX_LOCK] & 1u << RTAX_MTU;
	r->advmss = m[RTAX_ADVMSS];
	r->window = m[RTAX_WINDOW];
	r->rtt = m[RTAX_RTT];
	r->hoplimit = m[RTAX_HOPLIMIT];
	r->initcwnd = m[RTAX_INITCWND];
	r->initrwnd = m[RTAX_INITRWND];
	learned = r->mtu_locked ? 0 : fib4_mtu_of(net->fib4, r->dst);
	if (learned)
		r->mtu = min(r->mtu, max(learned, IP4_MTU_LEAST));
}

static u8 special_type(be32 dst, u8 type)
{
	if (ip4_is_broadcast(dst))
		return RTN_BROADCAST;
	return ip4_is_multicast(dst) ? RTN_MULTICAST : type;
}

/* The device is settled: what is left to check. */
static int leave_by(struct net *net, const struct ip4_flow *f, struct netdev *d, be32 dst, be32 src,
		    u8 type, struct ip4_route *r)
{
	if (ip4_is_loopback(src) && !(d->flags & IFF_LOOPBACK))
		return -EINVAL;
	if (ip4_is_zeronet(dst) && dst.v)
		return -EINVAL;
	fill(net, r, d, special_type(dst, type), dst, src);
	return 0;
}

/*
 * F's source, if it has one, must be ours; a group or everybody on a link is sent from the device
 * that has it.
 */
static int check_source(struct net *net, const struct ip4_flow *f, int *oif)
{
	struct fib4_route *own;

	if (!f->src.v)
		return 0;
	if (ip4_is_multicast(f->src) || ip4_is_broadcast(f->src) || ip4_is_zeronet(f->src))
		return -EINVAL;
	own = fib4_find(rcu_dereference(net->fib4->local), f->src, 0, 0, RT_SCOPE_UNIVERSE);
	if (own && own->type != RTN_LOCAL)
		own = NULL;
	if (!*oif && own && own->dev && (ip4_is_multicast(f->dst) || ip4_is_broadcast(f->dst)))
		*oif = own->dev->ifindex;
	return own || f->any_src ? 0 : -ENETUNREACH;
}

static int local_route(struct net *net, const struct ip4_flow *f, be32 dst, be32 src,
		       const struct fib4_route *found, struct ip4_route *r)
{
	struct netdev *lo = READ_ONCE(net->loopback);

	if (!lo)
		return -ENETUNREACH;
	fill(net, r, lo, RTN_LOCAL, dst, src.v ? src : found && found->src.v ? found->src : dst);
	if (found)
		fill_from(net, r, found);
	r->next = dst;
	r->gateway = false;
	r->scope = RT_SCOPE_HOST;
	return 0;
}

/* What F's device settles alone. 1: nothing. */
static int by_device(struct net *net, const struct ip4_flow *f, struct netdev *d, be32 *src,
		     struct ip4_route *r)
{
	if (!(READ_ONCE(d->flags) & IFF_UP) || !in_dev(d))
		return -ENETUNREACH;
	if (ip4_is_local_multicast(f->dst) || ip4_is_broadcast(f->dst)) {
		if (!src->v)
			*src = in_select_source(d, be32_make(0), RT_SCOPE_LINK);
		return leave_by(net, f, d, f->dst, *src, RTN_UNICAST, r);
	}
	if (!src->v && ip4_is_multicast(f->dst))
		*src = in_select_source(d, be32_make(0), RT_SCOPE_LINK);
	else if (!src->v && !f->dst.v)
		*src = in_select_source(d, be32_make(0), RT_SCOPE_HOST);
	return 1;
}

static int lookup_out(struct net *net, const struct ip4_flow *f, struct ip4_route *r)
{
	struct fib4_route *found;
	struct netdev *d = NULL;
	be32 src = f->src, dst = f->dst;
	int oif = f->oif, err = check_source(net, f, &oif);

	if (err)
		return err;
	if (oif) {
		d = netdev_by_index(net, oif);
		if (!d)
			return -ENODEV;
		err = by_device(net, f, d, &src, r);
		if (err <= 0)
			return err;
	}
	if (!dst.v) {
		dst = src.v ? src : be32_make(0x7f000001);
		return local_route(net, f, dst, src, NULL, r);
	}
	err = fib4_lookup(net, dst, f->oif, f->tos, f->scope, &found);
	/* Told the device, and no route: it is on that link. */
	if (err == -ENETUNREACH && d)
		return leave_by(net, f, d, dst,
				src.v ? src : in_select_source(d, be32_make(0), RT_SCOPE_LINK),
				RTN_UNICAST, r);
	if (err)
		return err;
	if (found->type == RTN_LOCAL)
		return local_route(net, f, dst, src, found, r);
	d = found->dev;
	if (!src.v)
		src = found->src.v ? found->src :
				     in_select_source(d, found->gateway.v ? found->gateway : dst,
						      found->scope);
	err = leave_by(net, f, d, dst, src, found->type, r);
	/* A broadcast has no gateway, a group one only by a route for groups. */
	if (!err && r->type != RTN_BROADCAST &&
	    (r->type != RTN_MULTICAST || found->prefix->len >= 4))
		fill_from(net, r, found);
	return err;
}

int route4_out(struct net *net, const struct ip4_flow *f, struct ip4_route *r)
{
	u64 gen = smp_load_acquire(&net->fib4->gen);
	int err = lookup_out(net, f, r);

	r->gen = err ? 0 : gen;
	return err;
}

/* ---- what came in ---- */

/*
 * May a packet with this source come by DEV? RFC 1812, 5.3.8; rp_filter 1: by the way that answers
 * take, 2: by any.
 */
static int validate_source(struct net *net, struct netdev *d, const struct in_device *in, be32 src)
{
	struct fib4_route *back;
	int rp = in_conf_max(in, rp_filter);

	if (!src.v)
		return 0;
	if (d->flags & IFF_LOOPBACK)
		return 0;
	back = fib4_find(rcu_dereference(net->fib4->local), src, 0, 0, RT_SCOPE_UNIVERSE);
	if (back && (back->type != RTN_LOCAL || !in_conf_or(in, accept_local)))
		return -EXDEV;
	if (!rp)
		return 0;
	if (fib4_lookup(net, src, 0, 0, RT_SCOPE_UNIVERSE, &back))
		return -EXDEV;
	return rp == 2 || back->dev == d ? 0 : -EXDEV;
}

static bool addresses_are_sane(const struct netdev *d, const struct in_device *in,
			       const struct ip4_flow *f)
{
	bool loopback_ok = d->flags & IFF_LOOPBACK || in_conf_or(in, route_localnet);

	if (ip4_is_multicast(f->src) || ip4_is_broadcast(f->src))
		return false;
	if (ip4_is_zeronet(f->src) &&
	    !(ip4_is_broadcast(f->dst) || (!f->src.v && ip4_is_multicast(f->dst))))
		return false;
	if (ip4_is_zeronet(f->dst) && (f->dst.v || f->src.v))
		return false;
	return loopback_ok || (!ip4_is_loopback(f->src) && !ip4_is_loopback(f->dst));
}

int route4_in(struct net *net, struct netdev *d, const struct ip4_flow *f, struct ip4_route *r)
{
	const struct in_device *in = in_dev(d);
	struct fib4_route *found;
	int err;

	if (!in)
		return -EHOSTUNREACH;
	if (!addresses_are_sane(d, in, f))
		return -EXDEV;
	if (ip4_is_multicast(f->dst)) {
		/* Queries and reports come from anybody. */
		be32 heard = f->protocol == IPPROTO_IGMP ? be32_make(0) : f->src;

		if (!ip4_is_local_multicast(f->dst))
			err = validate_source(net, d, in, f->src);
		else
			err = 0;
		fill(net, r, d, RTN_MULTICAST, f->dst, f->dst);
		return err ?: in_group_joined(in, f->dst, heard) ? 0 : -EHOSTUNREACH;
	}
	if (ip4_is_broadcast(f->dst) || !f->dst.v) {
		fill(net, r, d, RTN_BROADCAST, f->dst, in_select_source(d, f->src, RT_SCOPE_LINK));
		return validate_source(net, d, in, f->src);
	}
	err = fib4_lookup(net, f->dst, 0, f->tos, RT_SCOPE_UNIVERSE, &found);
	if (!err && (found->type == RTN_LOCAL || found->type == RTN_BROADCAST)) {
		fill(net, r, d, found->type, f->dst,
		     found->type == RTN_LOCAL ? f->dst :
						in_select_source(d, f->src, RT_SCOPE_LINK));
		return validate_source(net, d, in, f->src);
	}
	if (!READ_ONCE(in->conf.forwarding))
		return -EHOSTUNREACH;
	if (err)
		return err;
	if (found->type != RTN_UNICAST)
		return -EXDEV;
	err = validate_source(net, d, in, f->src);
	if (err)
		return err;
	fill(net, r, found->dev, RTN_UNICAST, f->dst, f->src);
	fill_from(net, r, found);
	return 0;
}

u8 route4_addr_type(struct net *net, be32 a, const struct netdev *dev)
{
	struct fib4_route *r;

	if (ip4_is_zeronet(a) || ip4_is_broadcast(a))
		return RTN_BROADCAST;
	if (ip4_is_multicast(a))
		return RTN_MULTICAST;
	r = fib4_find(rcu_dereference(net->fib4->local), a, 0, 0, RT_SCOPE_UNIVERSE);
	if (r && (!dev || r->dev == dev))
		return r->type;
	return RTN_UNICAST;
}
