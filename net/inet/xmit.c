// SPDX-License-Identifier: MIT
/*
 * Sending for connected sockets: the route that is kept, and the header that the socket's options
 * ask for.
 */
#include <abi/errno.h>
#include "net/inet/inet_priv.h"
#include "net/ip4/addr.h"

int ip4_sock_route(struct inet_sock *s)
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
		.ttl = s->ttl < 0 ? 0 : (u8)s->ttl,
		.protocol = (u8)s->sk.protocol,
		.df = s->pmtudisc != IP_PMTUDISC_DONT && s->pmtudisc != IP_PMTUDISC_OMIT,
		.fragment = s->pmtudisc != IP_PMTUDISC_DO && s->pmtudisc != IP_PMTUDISC_PROBE,
		.mc_loop = inet_flag(s, INET_MC_LOOP),
		.opt = rcu_dereference(s->opt),
		.src = s->saddr,
		.dst = s->e.peer,
	};
}

int ip4_queue_xmit(struct inet_sock *s, struct packet *p)
{
	struct net *net = s->sk.net;
	struct ip4_tx t;
	int err;

	rcu_read_lock();
	err = ip4_sock_route(s);
	if (unlikely(err)) {
		rcu_read_unlock();
		packet_free(p, DROP_NO_ROUTE);
		return err;
	}
	inet_tx_of(s, &t);
	if (!t.src.v)
		t.src = s->route.src;
	t.id = s->id++;
	p->mark = s->sk.mark;
	p->priority = s->sk.priority;
	err = ip4_send(net, p, &s->route, &t);
	rcu_read_unlock();
	return err;
}
