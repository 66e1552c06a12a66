// SPDX-License-Identifier: MIT
/*
 * Sending for connected sockets: the route that is kept, and the header that the socket's options
 * ask for.
 */
#include <abi/errno.h>
#include "net/inet/inet_priv.h"
#include "net/ip4/addr.h"
#include "net/ip6/ip6_priv.h"
#include "net/wire/csum.h"

static int ip4_sock_route(struct inet_sock *s)
{
	struct net *net = s->sk.net;
	struct ip4_flow f;

	if (likely(route4_is_fresh(net, &s->route)))
		return 0;
	f = (struct ip4_flow){
		.dst = s->e.peer,
		.src = s->saddr,
		.oif = s->sk.bound_dev,
		.mark = s->sk.mark,
		.tos = s->tos & 0x1c,
		.protocol = (u8)s->sk.protocol,
		.uid = s->sk.uid,
		.any_src = inet_flag(s, INET_TRANSPARENT) || inet_flag(s, INET_FREEBIND),
		.scope = sock_flag(&s->sk, SOCK_F_DONTROUTE) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
	};
	return route4_out(net, &f, &s->route);
}

void inet_tx_of(const struct inet_sock *s, struct ip4_tx *t)
{
	*t = (struct ip4_tx){
		.tos = s->tos,
		.ttl = s->ttl,
		.protocol = (u8)s->sk.protocol,
		.df = s->pmtudisc != IP_PMTUDISC_DONT && s->pmtudisc != IP_PMTUDISC_OMIT,
		.fragment = s->pmtudisc != IP_PMTUDISC_DO && s->pmtudisc != IP_PMTUDISC_PROBE,
		.mc_loop = inet_flag(s, INET_MC_LOOP),
		.opt = rcu_dereference(s->opt),
		.src = s->saddr,
		.dst = s->e.peer,
	};
}

int inet_sock_route(struct inet_sock *s)
{
	return likely(!inet_is_six(s)) ? ip4_sock_route(s) : ip6_sock_route(s);
}

static int xmit4(struct inet_sock *s, struct packet *p)
{
	struct ip4_tx t;

	inet_tx_of(s, &t);
	t.tos |= p->ecn;
	if (!t.src.v)
		t.src = s->route.src;
	t.id = s->id;
	s->id = (u16)(s->id + (p->gso_segs ?: 1));
	return ip4_send(s->sk.net, p, &s->route, &t);
}

static int xmit6(struct inet_sock *s, struct packet *p)
{
	struct ip6_tx t;

	inet6_tx_of(s, &t);
	t.tclass |= p->ecn;
	if (ip6_is_any(&t.src))
		t.src = s->six->route.src;
	return ip6_send(s->sk.net, p, &s->six->route, &t);
}

u32 inet_sock_gso_size(struct inet_sock *s)
{
	bool six = inet_is_six(s);
	u32 need = NETDEV_F_SG | NETDEV_F_CSUM | (six ? NETDEV_F_TSO6 : NETDEV_F_TSO4), most = 0;
	const struct netdev *d;

	rcu_read_lock();
	if (!inet_sock_route(s)) {
		d = six ? s->six->route.dev : s->route.dev;
		/* Else dev_queue_xmit() cuts it: all that comes before is done once. */
		most = (READ_ONCE(d->features) & need) == need ? READ_ONCE(d->gso_max_size) :
								 U16_MAX;
	}
	rcu_read_unlock();
	return most < U16_MAX ? most : U16_MAX;
}

int inet_queue_xmit(struct inet_sock *s, struct packet *p)
{
	int err;

	rcu_read_lock();
	err = inet_sock_route(s);
	if (unlikely(err)) {
		rcu_read_unlock();
		packet_free(p, DROP_NO_ROUTE);
		return err;
	}
	p->mark = s->sk.mark;
	p->priority = s->sk.priority;
	err = likely(!inet_is_six(s)) ? xmit4(s, p) : xmit6(s, p);
	rcu_read_unlock();
	return err;
}

/* ---- either family's way ---- */

u32 inet_way_pseudo(const struct inet_way *w, u8 protocol, u32 len)
{
	return likely(!w->six) ? csum_pseudo4(w->v4.t.src, w->v4.t.dst, protocol, len, 0) :
				 csum_pseudo6(&w->v6.t.src, &w->v6.t.dst, protocol, len, 0);
}

struct ip6_addr inet_way_dst(const struct inet_way *w)
{
	return w->six ? w->v6.t.dst : ip6_mapped(w->v4.t.dst);
}

int inet_way_send(struct net *net, struct packet *p, const struct inet_way *w)
{
	return likely(!w->six) ? ip4_send(net, p, &w->v4.r, &w->v4.t) :
				 ip6_send(net, p, &w->v6.r, &w->v6.t);
}

static int reply4(const struct inet_entry *e, u8 protocol, struct inet_way *w)
{
	const struct ip4_flow f = { .src = e->local,
				    .dst = e->peer,
				    .oif = e->bound_dev,
				    .protocol = protocol,
				    .any_src = true };
	int err = route4_out(e->net, &f, &w->v4.r);

	w->v4.t = (struct ip4_tx){
		.protocol = protocol, .ttl = -1, .src = e->local, .dst = e->peer, .df = true
	};
	if (!err && (w->v4.r.type == RTN_BROADCAST || w->v4.r.type == RTN_MULTICAST))
		err = -EINVAL;
	return err;
}

static int reply6(const struct inet_entry *e, u8 protocol, struct inet_way *w)
{
	const struct ip6_flow f = {
		.src = e->v6->local, .dst = e->v6->peer, .oif = e->bound_dev, .protocol = protocol
	};
	int err = route6_out(e->net, &f, &w->v6.r);

	w->v6.t = (struct ip6_tx){
		.protocol = protocol, .src = e->v6->local, .dst = e->v6->peer, .hops = -1
	};
	return err ?: w->v6.r.type == RTN_MULTICAST ? -EINVAL : 0;
}

int inet_reply_way(const struct inet_entry *e, u8 protocol, struct inet_way *w)
{
	w->six = e->v6;
	return e->v6 ? reply6(e, protocol, w) : reply4(e, protocol, w);
}
