// SPDX-License-Identifier: MIT
/* Neighbours (RTM_NEWNEIGH and its kin; ip-neighbour(8)) of IPv4 and IPv6. */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include "net/ip6/addr6.h"
#include "net/neigh/neigh.h"
#include "net/rtnl/rtnl.h"

static const struct nla_rule rules[NDA_MAX + 1] = {
	[NDA_DST] = { NLA_K_LEAST, 4 },	  [NDA_LLADDR] = { NLA_K_ANY, NETDEV_ADDR },
	[NDA_IFINDEX] = { NLA_K_U32, 0 }, [NDA_MASTER] = { NLA_K_U32, 0 },
	[NDA_PROTOCOL] = { NLA_K_U8, 0 }, [NDA_FLAGS_EXT] = { NLA_K_U32, 0 },
};

static u32 ago(u64 then, u64 now)
{
	return (u32)min_t(u64, now > then ? (now - then) / (NSEC_PER_SEC / 100) : 0, U32_MAX);
}

static bool put_neigh(struct nlmsg_buf *b, struct neigh *n, struct rtnl_head h)
{
	struct ndmsg *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));
	u8 state = READ_ONCE(n->state), hw[NETDEV_ADDR];
	u64 now = ktime_get_coarse_ns();
	struct nda_cacheinfo c = { .ndm_confirmed = ago(n->confirmed_ns, now),
				   .ndm_used = ago(n->used_ns, now),
				   .ndm_updated = ago(n->updated_ns, now),
				   .ndm_refcnt = (u32)refcount_read(&n->refs) };
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&n->seq);
		memcpy(hw, n->hw, sizeof(hw));
	} while (read_seqcount_retry(&n->seq, seq));
	if (m)
		*m = (struct ndmsg){ .ndm_family = (u8)n->table->family->family,
				     .ndm_ifindex = n->dev->ifindex,
				     .ndm_state = state,
				     .ndm_flags = READ_ONCE(n->flags),
				     .ndm_type = RTN_UNICAST };
	nla_put_bytes(b, NDA_DST, n->key, n->table->family->key_words * sizeof(u32));
	if (state & NEIGH_VALID)
		nla_put_bytes(b, NDA_LLADDR, hw, n->dev->addr_len);
	nla_put_u32(b, NDA_PROBES, READ_ONCE(n->probes));
	nla_put_bytes(b, NDA_CACHEINFO, &c, sizeof(c));
	if (READ_ONCE(n->protocol))
		nla_put_u8(b, NDA_PROTOCOL, READ_ONCE(n->protocol));
	return nlmsg_end(b);
}

static struct neigh_table *table_of(struct net *net, u8 family)
{
	return family == AF_INET ? arp_table(net) : family == AF_INET6 ? nd_table(net) : NULL;
}

/* ---- dump ---- */

static int filter(struct nl_request *r, struct nl_dump *d)
{
	const struct nlattr *tb[NDA_MAX + 1];
	const struct ndmsg *m = r->body;
	int err;

	d->args[RTNL_ARG_AT4] = *(const u8 *)r->body;	/* the family */
	if (r->body_len < sizeof(*m))
		return r->strict ? -EINVAL : 0;
	err = nl_request_attrs(r, sizeof(*m), tb, NDA_MAX, rules, r->strict);
	if (err)
		return r->strict ? err : 0;
	if (r->strict && (m->ndm_state || m->ndm_type || m->ndm_ifindex))
		return nl_refuse(r, -EINVAL, "Invalid values in header for neighbor dump request");
	if (m->ndm_flags & NTF_PROXY || (tb[NDA_MASTER] && nla_u32(tb[NDA_MASTER])))
		d->args[RTNL_ARG_FILTER2] = -1;	/* there are none */
	if (tb[NDA_IFINDEX])
		d->args[RTNL_ARG_FILTER] = nla_u32(tb[NDA_IFINDEX]);
	return 0;
}

struct walk {
	struct nlmsg_buf *b;
	struct nl_dump *d;
	long skip, nr;			/* of this bucket: behind us; seen */
	bool full;
};

static void show(struct ghash_node *node, void *arg)
{
	struct neigh *n = container_of(node, struct neigh, node);
	struct walk *w = arg;

	if (w->full || w->nr++ < w->skip)
		return;
	if (w->d->args[RTNL_ARG_FILTER] && n->dev->ifindex != w->d->args[RTNL_ARG_FILTER])
		return;
	if (n->dev->net != w->d->net)
		return;
	if (!put_neigh(w->b, n, rtnl_entry(w->d, RTM_NEWNEIGH))) {
		w->full = true;
		w->nr--;
	}
}

static bool dump_table(struct nlmsg_buf *b, struct nl_dump *d, struct neigh_table *t)
{
	u64 pos = (u64)d->args[RTNL_ARG_AT];

	while (pos < GHASH_END) {
		struct walk w = { .b = b, .d = d, .skip = d->args[RTNL_ARG_AT2] };

		d->args[RTNL_ARG_AT] = (long)pos;
		ghash_walk(&t->hash, &pos, show, &w);
		d->args[RTNL_ARG_AT2] = w.full ? w.nr : 0;
		if (w.full)
			return false;
	}
	d->args[RTNL_ARG_AT] = 0;
	return true;
}

/* args: the bucket, how many of it are done, and how many tables. */
static int dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	static const u8 families[] = { AF_INET, AF_INET6 };
	u8 only = (u8)d->args[RTNL_ARG_AT4];

	if (d->args[RTNL_ARG_FILTER2])
		return 0;
	for (; d->args[RTNL_ARG_AT3] < 2; d->args[RTNL_ARG_AT3]++) {
		u8 family = families[d->args[RTNL_ARG_AT3]];

		if ((!only || only == family) && !dump_table(b, d, table_of(d->net, family)))
			return 1;
	}
	return 0;
}

/* ---- requests ---- */

static int parse(struct nl_request *r, const struct nlattr **tb, struct netdev **d,
		 struct neigh_table **t)
{
	const struct ndmsg *m = r->body;
	int err = nl_request_attrs(r, sizeof(*m), tb, NDA_MAX, rules, false);

	if (err)
		return err;
	if (!tb[NDA_DST])
		return nl_refuse(r, -EINVAL, "Network address not specified");
	*d = NULL;
	if (m->ndm_ifindex) {
		*d = netdev_by_index(r->net, m->ndm_ifindex);
		if (!*d)
			return -ENODEV;
		if (tb[NDA_LLADDR] && nla_len(tb[NDA_LLADDR]) < (*d)->addr_len)
			return nl_refuse(r, -EINVAL, "Invalid link address");
	}
	*t = table_of(r->net, m->ndm_family);
	if (!*t)
		return -EAFNOSUPPORT;
	if (nla_len(tb[NDA_DST]) < (*t)->family->key_words * sizeof(u32))
		return nl_refuse(r, -EINVAL, "Invalid network address");
	if (m->ndm_flags & NTF_PROXY)
		return nl_refuse(r, -EOPNOTSUPP, "There are no proxies");
	return *d ? 0 : -EINVAL;
}

/* Referenced; NULL. */
static struct neigh *lookup(struct neigh_table *t, struct netdev *d, const struct nlattr *dst)
{
	struct neigh *n;

	rcu_read_lock();
	n = neigh_find(t, d, nla_data(dst));
	if (n && !refcount_inc_not_zero(&n->refs))
		n = NULL;
	rcu_read_unlock();
	return n;
}

static int neigh_add(struct nl_request *r)
{
	const struct nlattr *tb[NDA_MAX + 1];
	const struct ndmsg *m = r->body;
	u16 flags = r->hdr->nlmsg_flags;
	struct neigh_table *t;
	struct netdev *d;
	struct neigh *n;
	int err = parse(r, tb, &d, &t);

	if (err)
		return err;
	n = lookup(t, d, tb[NDA_DST]);
	if (n && flags & NLM_F_EXCL)
		err = -EEXIST;
	else if (!n && !(flags & NLM_F_CREATE))
		err = -ENOENT;
	else if (!tb[NDA_LLADDR] && !n && m->ndm_state & NEIGH_VALID && !(m->ndm_state & NUD_NOARP))
		err = nl_refuse(r, -EINVAL, "No link layer address given");
	if (!err && !n) {
		n = neigh_get(t, d, nla_data(tb[NDA_DST]));
		if (IS_ERR(n))
			return (int)PTR_ERR(n);
	}
	if (!err)
		neigh_update(n, tb[NDA_LLADDR] ? nla_data(tb[NDA_LLADDR]) : NULL, (u8)m->ndm_state,
			     NEIGH_ADMIN | (flags & NLM_F_REPLACE ? NEIGH_OVERRIDE : 0));
	if (!err && tb[NDA_PROTOCOL])
		WRITE_ONCE(n->protocol, nla_u8(tb[NDA_PROTOCOL]));
	if (n)
		neigh_put(n);
	return err;
}

static int neigh_del(struct nl_request *r)
{
	const struct nlattr *tb[NDA_MAX + 1];
	struct neigh_table *t;
	struct netdev *d;
	struct neigh *n;
	int err = parse(r, tb, &d, &t);

	if (err)
		return err;
	n = lookup(t, d, tb[NDA_DST]);
	if (!n)
		return -ENOENT;
	neigh_delete(n);
	neigh_put(n);
	return 0;
}

static int neigh_get_one(struct nl_request *r)
{
	const struct nlattr *tb[NDA_MAX + 1];
	struct neigh_table *t;
	struct netdev *d;
	struct neigh *n;
	struct nlmsg_buf b;
	int err = parse(r, tb, &d, &t);

	if (err)
		return err;
	n = lookup(t, d, tb[NDA_DST]);
	if (!n)
		return nl_refuse(r, -ENOENT, "Neighbour entry not found");
	err = nlmsg_init(&b, RTNL_ROOM, NLMSG_MOST, GFP_KERNEL);
	if (!err && put_neigh(&b, n, rtnl_answer(r, RTM_NEWNEIGH)))
		err = netlink_reply(r, &b);
	neigh_put(n);
	return err;
}

/* ---- notifications: from any context, N's lock held or not ---- */

static void tell(struct neigh *n, bool gone)
{
	struct net *net = n->table->net;
	struct rtnl_head h = { .type = gone ? RTM_DELNEIGH : RTM_NEWNEIGH };
	struct nlmsg_buf b;

	if (!netlink_has_listeners(net, NETLINK_ROUTE, RTNLGRP_NEIGH))
		return;
	if (nlmsg_init(&b, RTNL_ROOM, NLMSG_MOST, GFP_ATOMIC)) {
		netlink_missed(net, NETLINK_ROUTE, RTNLGRP_NEIGH, -ENOBUFS);
		return;
	}
	if (put_neigh(&b, n, h))
		netlink_notify(net, NETLINK_ROUTE, RTNLGRP_NEIGH, &b, NULL);
	else
		nlmsg_free(&b);
}

static struct rtnl_kind neighs = { .base = RTM_NEWNEIGH,
				   .family = AF_UNSPEC,
				   .add = neigh_add,
				   .del = neigh_del,
				   .get = neigh_get_one,
				   .filter = filter,
				   .dump = dump };

static int neigh_init(void)
{
	rtnl_register(&neighs);
	neigh_set_listener(tell);
	return 0;
}
INITCALL(fs, neigh_init);
