// SPDX-License-Identifier: MIT
/*
 * rtnetlink: which function serves which message. A message type is base + 0 (new), 1 (delete), 2
 * (get) or 3 (set, of links alone).
 */
#include <kernel/bug.h>
#include <kernel/init.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include "net/rtnl/rtnl.h"

#define KINDS ((RTM_MAX + 1 - RTM_BASE) / 4)

static struct list_head kinds[KINDS];

static struct list_head *kinds_of(u16 type)
{
	return &kinds[(type - RTM_BASE) / 4];
}

void rtnl_register(struct rtnl_kind *k)
{
	list_add_tail(&k->list, kinds_of(k->base));
}

/* FAMILY's, or that for all families; NULL. */
static struct rtnl_kind *find(u16 type, u8 family)
{
	struct rtnl_kind *k, *any = NULL;

	list_for_each_entry(k, kinds_of(type), list) {
		if (k->family == family)
			return k;
		if (k->family == AF_UNSPEC)
			any = k;
	}
	return any;
}

/* ---- dumps ---- */

static int dump_one(struct nlmsg_buf *b, struct nl_dump *d)
{
	struct rtnl_kind *k = d->data;
	int r;

	rtnl_lock();
	r = k->dump(b, d);
	rtnl_unlock();
	return r;
}

/* One family after the other: args[RTNL_ARG_KIND] are behind us. */
static int dump_all(struct nlmsg_buf *b, struct nl_dump *d)
{
	struct rtnl_kind *k;
	long i = 0;
	int r = 0;

	rtnl_lock();
	list_for_each_entry(k, kinds_of(d->hdr.nlmsg_type), list) {
		if (i++ < d->args[RTNL_ARG_KIND])
			continue;
		r = k->dump ? k->dump(b, d) : 0;
		if (r)
			break;
		d->args[RTNL_ARG_KIND] = i;
		for (int at = RTNL_ARG_AT; at <= RTNL_ARG_AT6; at++)
			d->args[at] = 0;
	}
	rtnl_unlock();
	return r;
}

static int start_dump(struct nl_request *r, u8 family)
{
	struct rtnl_kind *k = find(r->hdr->nlmsg_type, family);
	struct nl_dump d = { .fn = dump_one, .data = k };
	int err = 0;

	if (!k && family == AF_UNSPEC && !list_empty(kinds_of(r->hdr->nlmsg_type))) {
		k = list_first_entry(kinds_of(r->hdr->nlmsg_type), struct rtnl_kind, list);
		d.fn = dump_all;
	}
	if (!k || !k->dump)
		return -EOPNOTSUPP;
	d.hdr = *r->hdr;
	if (k->filter)
		err = k->filter(r, &d);
	return err ?: netlink_start_dump(r, &d);
}

/* ---- notifications ---- */

bool rtnl_note_begin(struct rtnl_note *n, struct net *net, unsigned int group, gfp_t gfp,
		     const struct nl_request *r)
{
	if (!netlink_has_listeners(net, NETLINK_ROUTE, group) && !netlink_wants_echo(r))
		return false;
	n->net = net;
	n->group = group;
	n->r = r;
	if (!nlmsg_init(&n->b, RTNL_ROOM, NLMSG_MOST, gfp))
		return true;
	netlink_missed(net, NETLINK_ROUTE, group);
	return false;
}

void rtnl_note_end(struct rtnl_note *n, bool built)
{
	if (built) {
		netlink_notify(n->net, NETLINK_ROUTE, n->group, &n->b, n->r);
	} else {
		nlmsg_free(&n->b);
		netlink_missed(n->net, NETLINK_ROUTE, n->group);
	}
}

/* ---- requests ---- */

/* What a family's own kind does not make or look up, that of all families does. */
static int serve(struct nl_request *r, struct rtnl_kind *k)
{
	struct rtnl_kind *any = find(r->hdr->nlmsg_type, AF_UNSPEC);
	int (*fn)(struct nl_request *r) = NULL;
	int err;

	switch ((r->hdr->nlmsg_type - RTM_BASE) & 3) {
	case 0:
		fn = k->add ?: any ? any->add : NULL;
		break;
	case 1:
		if (r->hdr->nlmsg_flags & NLM_F_BULK)
			return nl_refuse(r, -EOPNOTSUPP, "Bulk delete is not supported");
		fn = k->del;
		break;
	case 2:
		fn = k->get ?: any ? any->get : NULL;
		break;
	case 3:				/* RTM_SETLINK: never makes one */
		fn = k->base == RTM_NEWLINK ? k->add : NULL;
		break;
	}
	if (!fn)
		return -EOPNOTSUPP;
	rtnl_lock();
	err = fn(r);
	rtnl_unlock();
	return err;
}

static int rtnl_request(struct nl_request *r)
{
	u16 type = r->hdr->nlmsg_type;
	const struct rtgenmsg *g = r->body;
	struct rtnl_kind *k;
	bool get = (type & 3) == 2;

	if (type < RTM_BASE || type > RTM_MAX)
		return -EOPNOTSUPP;
	if (r->body_len < sizeof(*g))
		return 0;
	if (!get && !nl_capable(r, CAP_NET_ADMIN))
		return -EPERM;
	if (get && r->hdr->nlmsg_flags & NLM_F_DUMP)
		return start_dump(r, g->rtgen_family);
	k = find(type, g->rtgen_family);
	return k ? serve(r, k) : -EOPNOTSUPP;
}

static const struct nl_protocol route = { .protocol = NETLINK_ROUTE,
					  .groups = RTNLGRP_MAX,
					  .anybody_joins = true,
					  .request = rtnl_request };

static int rtnl_init(void)
{
	for (unsigned int i = 0; i < KINDS; i++)
		INIT_LIST_HEAD(&kinds[i]);
	netlink_register(&route);
	return 0;
}
INITCALL(core, rtnl_init);
