// SPDX-License-Identifier: MIT
/*
 * Messages on their way to readers: packets, charged to the reader, with their origin before the
 * data. A reader that is behind loses messages: it reads ENOBUFS once, and poll(2) says so, unless
 * it said NETLINK_NO_ENOBUFS.
 */
#include <lib/string.h>
#include <kernel/bug.h>
#include <net/netdev.h>
#include <sched/task.h>
#include <abi/errno.h>
#include "net/netlink/netlink_priv.h"

struct packet *netlink_packet(const void *data, size_t len, const struct nl_from *from, gfp_t gfp)
{
	struct packet *p = packet_alloc(gfp);
	struct kvec v = { (void *)data, len };
	struct iter it;
	u8 *at;

	if (!p)
		return NULL;
	at = packet_put(p, sizeof(*from));
	if (WARN_ON(!at)) {
		packet_free(p, DROP_TOO_BIG);
		return NULL;
	}
	memcpy(at, from, sizeof(*from));
	packet_set_mac(p);
	packet_pull(p, sizeof(*from));
	iter_init_kvec(&it, ITER_SOURCE, &v, 1, len);
	if (len && packet_from_iter(p, &it, (u32)len, gfp)) {
		packet_free(p, DROP_NOMEM);
		return NULL;
	}
	return p;
}

void netlink_overrun(struct netlink_sock *n)
{
	atomic_inc(&n->sk.drops);
	if (netlink_flag(n, NETLINK_F_NO_ENOBUFS))
		return;
	if (!xchg(&n->congested, 1ul)) {
		sock_set_error(&n->sk, ENOBUFS);
		sock_report_error(&n->sk);
	}
}

int netlink_queue(struct netlink_sock *n, struct packet *p)
{
	int err;

	if (!sk_filter(&n->sk, p, 0)) {	/* as if it had come: the sender hears nothing of it */
		packet_free(p, DROP_FILTER);
		return 0;
	}
	err = READ_ONCE(n->congested) ? -ENOBUFS : sock_queue_rx(&n->sk, p);
	if (err) {
		packet_free(p, DROP_RCVBUF);
		netlink_overrun(n);
	}
	return err;
}

/* ---- to groups ---- */

/*
 * The next members of G from *AT on, referenced, in FOUND: NET_BATCH are looked at. *NR of them are
 * there. False: that was all.
 */
static bool next_members(struct nl_group *g, unsigned long *at, struct netlink_sock **found,
			 unsigned int *nr)
{
	struct nl_member *m;
	unsigned int i;

	*nr = 0;
	rcu_read_lock();
	for (i = 0; i < NET_BATCH; i++) {
		m = xa_find(&g->members, at, ULONG_MAX, XA_PRESENT);
		if (!m)
			break;
		if (sock_get(&m->sock->sk))
			found[(*nr)++] = m->sock;
		++*at;
	}
	rcu_read_unlock();
	return i;
}

static void give(struct netlink_sock *n, const struct packet *p, gfp_t gfp)
{
	struct packet *c = packet_clone(p, gfp);

	if (c)
		(void)netlink_queue(n, c);	/* its reader hears of a loss */
	else
		netlink_overrun(n);
}

static struct nl_group *group_of(struct net *net, const struct nl_from *from)
{
	return &net->netlink->groups[from->protocol][from->group];
}

static void multicast(struct nl_group *g, struct packet *p, u32 except, gfp_t gfp)
{
	struct netlink_sock *found[NET_BATCH];
	unsigned long at = 0;
	unsigned int nr;

	while (next_members(g, &at, found, &nr))
		for (unsigned int i = 0; i < nr; i++) {
			if (!except || READ_ONCE(found[i]->portid) != except)
				give(found[i], p, gfp);
			sock_put(&found[i]->sk);
		}
	packet_consume(p);
}

void netlink_multicast(struct net *net, struct packet *p, u32 except)
{
	might_sleep();
	multicast(group_of(net, nl_from(p)), p, except, GFP_KERNEL);
}

/*
 * net->netlink is NULL while sub-rooms that registered before netlink begin and end: on the one
 * thread that makes, or ends, the namespace.
 */
bool netlink_has_listeners(struct net *net, int protocol, unsigned int group)
{
	return net->netlink && atomic_long_read(&net->netlink->groups[protocol][group].nr);
}

static void report_missed(struct nl_group *g)
{
	struct netlink_sock *found[NET_BATCH];
	unsigned long at = 0;
	unsigned int nr;

	while (next_members(g, &at, found, &nr))
		for (unsigned int i = 0; i < nr; i++) {
			netlink_overrun(found[i]);
			sock_put(&found[i]->sk);
		}
}

/* ---- from atomic contexts ---- */

/*
 * Where a sender may not sleep, as many members as one batch has get their message at once. For
 * more a worker sends it, as programs decide how many there are, and the sender may hold a lock.
 * While messages wait there, later ones from such contexts queue behind them. All messages of a
 * group come from such contexts (RTNLGRP_NEIGH), or none do, so that each group keeps its order.
 */
#define LATER_MOST 256			/* messages that wait in a namespace */

static void run_later(struct work_struct *w)
{
	struct netlink_net *nn = container_of(w, struct netlink_net, later_work);
	const struct nl_from *from;
	struct packet *p;

	for (;;) {
		spin_lock(&nn->later_lock);
		p = packet_list_take(&nn->later);
		spin_unlock(&nn->later_lock);
		if (!p)
			break;
		from = nl_from(p);
		multicast(&nn->groups[from->protocol][from->group], p, 0, GFP_KERNEL);
		atomic_dec(&nn->nr_later);
		cond_resched();
	}
	for (int i = 0; i < NETLINK_PROTOCOLS; i++)
		for (unsigned int g = 1; nn->groups[i] && g <= netlink_protocol(i)->groups; g++)
			if (xchg(&nn->groups[i][g].missed, 0ul))
				report_missed(&nn->groups[i][g]);
}

void netlink_missed(struct net *net, int protocol, unsigned int group)
{
	struct netlink_net *nn = net->netlink;

	WRITE_ONCE(nn->groups[protocol][group].missed, 1ul);
	queue_work(system_unbound_wq, &nn->later_work);
}

static void send_later(struct net *net, struct packet *p)
{
	struct netlink_net *nn = net->netlink;
	struct nl_from from = *nl_from(p);
	bool room;

	spin_lock(&nn->later_lock);
	room = nn->later.nr < LATER_MOST;
	if (room) {
		packet_list_add(&nn->later, p);
		atomic_inc(&nn->nr_later);
	}
	spin_unlock(&nn->later_lock);
	if (room) {
		queue_work(system_unbound_wq, &nn->later_work);
	} else {
		packet_free(p, DROP_RCVBUF);
		netlink_missed(net, from.protocol, from.group);
	}
}

static void multicast_atomic(struct net *net, struct packet *p)
{
	struct nl_group *g = group_of(net, nl_from(p));

	if (atomic_long_read(&g->nr) <= NET_BATCH && !atomic_read(&net->netlink->nr_later))
		multicast(g, p, 0, GFP_ATOMIC);
	else
		send_later(net, p);
}

void netlink_later_begin(struct netlink_net *nn)
{
	spin_lock_init(&nn->later_lock);
	packet_list_init(&nn->later);
	INIT_WORK(&nn->later_work, run_later);
}

void netlink_later_end(struct netlink_net *nn)
{
	cancel_work_sync(&nn->later_work);
	packet_list_free(&nn->later, DROP_QUEUE_FLUSH);
}

/* ---- from the kernel ---- */

static const struct nl_from kernel = {};

static void notify(struct net *net, int protocol, unsigned int group, const struct nlmsg_buf *b,
		   u32 except)
{
	struct nl_from from = { .group = group, .protocol = protocol };
	struct packet *p = netlink_packet(b->data, b->len, &from, b->gfp);

	if (!p)
		netlink_missed(net, protocol, group);
	else if (gfpflags_allow_blocking(b->gfp))
		netlink_multicast(net, p, except);
	else
		multicast_atomic(net, p);
}

void netlink_notify(struct net *net, int protocol, unsigned int group, struct nlmsg_buf *b,
		    const struct nl_request *r)
{
	bool echo = netlink_wants_echo(r);

	if (netlink_has_listeners(net, protocol, group))
		notify(net, protocol, group, b, echo ? r->portid : 0);
	if (!echo || netlink_reply(r, b))
		nlmsg_free(b);
}

int netlink_reply(const struct nl_request *r, struct nlmsg_buf *b)
{
	struct packet *p = netlink_packet(b->data, b->len, &kernel, b->gfp);

	nlmsg_free(b);
	return p ? netlink_queue(r->from, p) : -ENOMEM;
}

int netlink_answer(const struct nl_request *r, struct nlmsg_buf *b, bool built)
{
	if (built)
		return netlink_reply(r, b);
	nlmsg_free(b);
	return -ENOBUFS;
}
