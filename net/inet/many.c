// SPDX-License-Identifier: MIT
/*
 * A packet for many sockets: groups and broadcasts of UDP, raw sockets of a protocol and the errors
 * that they hear of.
 *
 * How many there are is the programs' choice. If one look at the owners of the port finds more than
 * one, or does not come to their end, a clone of the packet is kept behind the section that the
 * packet is received in (struct net_rest), with a place in the port's list. Owners are asked a few
 * at a time, by reference, and each gets the packet in a section of its own: its filter may be long.
 */
#include <alloc/slab.h>
#include <kernel/bug.h>
#include "net/inet/many.h"

static void put_all(struct inet_many *m)
{
	for (unsigned int i = 0; i < m->nr; i++)
		sock_put(&m->to[i]->sk);
	m->nr = 0;
}

static bool wants(struct inet_sock *s, const void *arg)
{
	const struct inet_many *m = arg;

	return m->kind->wants(s, m);
}

static void ask(struct inet_many *m, unsigned int most)
{
	m->nr = inet_port_owners(m->table, m->port, &m->at, m->to, most, wants, m);
}

static bool step(struct net_rest *r)
{
	struct inet_many *m = container_of(r, struct inet_many, rest);

	for (unsigned int i = 0; i < m->nr; i++) {
		rcu_read_lock();
		m->kind->give(m->to[i], m);
		rcu_read_unlock();
	}
	m->given += m->nr;
	put_all(m);
	if (m->at.list.next) {
		rcu_read_lock();
		ask(m, INET_MANY_STEP);
		rcu_read_unlock();
		return true;
	}
	rcu_read_lock();
	m->kind->end(m);
	rcu_read_unlock();
	netdev_put(m->dev);
	put_net(m->net);
	kfree(m);
	return false;
}

/* M goes on behind the section. False: no memory, or its namespace ends. */
static bool later(struct inet_many *from)
{
	struct net *net = from->p->dev->net;
	struct inet_many *m = kmalloc(sizeof(*m), GFP_ATOMIC);
	struct packet *p = m ? packet_clone(from->p, GFP_ATOMIC) : NULL;

	if (!p || !get_net_unless_zero(net)) {
		packet_free(p, DROP_NOMEM);
		kfree(m);
		return false;
	}
	*m = *from;
	if (m->k.v6)
		m->k.v6 = &m->k.pair;
	if (m->at.list.next)
		inet_port_owners_move(m->table, m->port, &from->at, &m->at);
	m->p = p;
	m->net = net;
	m->dev = p->dev;
	netdev_get(m->dev);
	m->rest.step = step;
	net_rest_add(&m->rest);
	return true;
}

enum inet_many_answer inet_many_ask(struct inet_many *m, struct inet_sock **one)
{
	m->at = (struct inet_owner){ .sock = NULL };
	m->given = 0;
	ask(m, 2);
	if (likely(!m->at.list.next && m->nr <= 1)) {
		*one = m->nr ? m->to[0] : NULL;
		return m->nr ? INET_MANY_ONE : INET_MANY_NONE;
	}
	if (!later(m)) {
		put_all(m);
		inet_port_owners_end(m->table, m->port, &m->at);
	}
	return INET_MANY_LATER;
}
