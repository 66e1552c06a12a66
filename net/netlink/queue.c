// SPDX-License-Identifier: MIT
/*
 * Messages on their way to readers: packets, charged to the reader, with their origin before the
 * data. A reader that is behind loses messages: it reads ENOBUFS once, and poll(2) says so, unless
 * it said NETLINK_NO_ENOBUFS.
 */
#include <lib/string.h>
#include <kernel/bug.h>
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

int netlink_multicast(struct net *net, int protocol, unsigned int group, struct packet *p,
		      u32 except, gfp_t gfp)
{
	struct nl_group *g = net->netlink->groups[protocol];
	struct nl_member *m;
	struct packet *c;
	int ret = -ESRCH;

	rcu_read_lock();
	list_for_each_entry_rcu(m, &g[group].members, of_group) {
		if (READ_ONCE(m->sock->portid) == except && except)
			continue;
		c = packet_clone(p, gfp & ~(gfp_t)__GFP_DIRECT_RECLAIM);
		if (!c)
			netlink_overrun(m->sock);
		else if (!netlink_queue(m->sock, c))
			ret = 0;
		else if (netlink_flag(m->sock, NETLINK_F_BROADCAST_ERROR))
			ret = -ENOBUFS;
	}
	rcu_read_unlock();
	packet_consume(p);
	return ret;
}

bool netlink_has_listeners(struct net *net, int protocol, unsigned int group)
{
	const struct nl_group *g = net->netlink ? net->netlink->groups[protocol] : NULL;

	return g && !list_empty(&g[group].members);
}

void netlink_missed(struct net *net, int protocol, unsigned int group, int err)
{
	struct nl_group *g = net->netlink ? net->netlink->groups[protocol] : NULL;
	struct nl_member *m;

	if (!g)
		return;
	rcu_read_lock();
	list_for_each_entry_rcu(m, &g[group].members, of_group) {
		if (netlink_flag(m->sock, NETLINK_F_NO_ENOBUFS) && err == -ENOBUFS)
			continue;
		sock_set_error(&m->sock->sk, -err);
		sock_report_error(&m->sock->sk);
	}
	rcu_read_unlock();
}

static const struct nl_from kernel = {};

void netlink_notify(struct net *net, int protocol, unsigned int group, struct nlmsg_buf *b,
		    const struct nl_request *r)
{
	bool echo = r && r->hdr->nlmsg_flags & NLM_F_ECHO;
	struct nl_from from = kernel;
	struct packet *p;

	from.group = group;
	if (netlink_has_listeners(net, protocol, group)) {
		p = netlink_packet(b->data, b->len, &from, b->gfp);
		if (p)
			(void)netlink_multicast(net, protocol, group, p, echo ? r->portid : 0,
						b->gfp);
		else
			netlink_missed(net, protocol, group, -ENOBUFS);
	}
	if (echo && !netlink_reply(r, b))
		return;
	nlmsg_free(b);
}

int netlink_reply(const struct nl_request *r, struct nlmsg_buf *b)
{
	struct packet *p = netlink_packet(b->data, b->len, &kernel, b->gfp);

	nlmsg_free(b);
	return p ? netlink_queue(r->from, p) : -ENOMEM;
}
