// SPDX-License-Identifier: MIT
/* Neighbours (RTM_NEWNEIGH and its kin; ip-neighbour(8)) of IPv4 and IPv6. */
#include <lib/err.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <abi/errno.h>
#include "net/ip6/addr6.h"
#include "net/neigh/neigh.h"
#include "net/rtnl/rtnl.h"

static const struct nla_rule rules[NDA_MAX + 1] = {
	[NDA_DST] = { NLA_K_LEAST, 4 },	  [NDA_LLADDR] = { NLA_K_ANY, NETDEV_ADDR },
	[NDA_IFINDEX] = { NLA_K_U32, 0 }, [NDA_MASTER] = { NLA_K_U32, 0 },
	[NDA_PROTOCOL] = { NLA_K_U8, 0 }, [NDA_FLAGS_EXT] = { NLA_K_U32, 0 },
};

static bool put_neigh(struct nlmsg_buf *b, struct neigh *n, struct rtnl_head h)
{
	struct ndmsg *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));
	u8 state = READ_ONCE(n->state), hw[NETDEV_ADDR];
	u64 now = ktime_get_coarse_ns();
	struct nda_cacheinfo c = { .ndm_confirmed = rtnl_ago(n->confirmed_ns, now),
				   .ndm_used = rtnl_ago(n->used_ns, now),
				   .ndm_updated = rtnl_ago(n->updated_ns, now),
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

/* args, behind netlink_dump_table()'s: how many tables are done, and the only family. */
#define ARG_TABLES RTNL_ARG_AT3
#define ARG_FAMILY RTNL_ARG_AT4

static int filter(struct nl_request *r, struct nl_dump *d)
{
	const struct nlattr *tb[NDA_MAX + 1];
	const struct ndmsg *m = r->body;
	int err;

	d->args[ARG_FAMILY] = *(const u8 *)r->body;
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

static const u8 families[] = { AF_INET, AF_INET6 };

static void walk(struct nl_dump *d, u64 *pos, void (*fn)(struct ghash_node *n, void *arg),
		 void *arg)
{
	ghash_walk(&table_of(d->net, families[d->args[ARG_TABLES]])->hash, pos, fn, arg);
}

static void *get(struct ghash_node *node, struct nl_dump *d)
{
	struct neigh *n = container_of(node, struct neigh, node);
	long only = d->args[RTNL_ARG_FILTER];

	if ((only && n->dev->ifindex != only) || n->dev->net != d->net)
		return NULL;
	return refcount_inc_not_zero(&n->refs) ? n : NULL;
}

static bool show(struct nlmsg_buf *b, struct nl_dump *d, void *object)
{
	return put_neigh(b, object, rtnl_entry(d, RTM_NEWNEIGH));
}

static void drop(void *object)
{
	neigh_put(object);
}

static const struct nl_table table = { .walk = walk, .get = get, .show = show, .put = drop };

static int dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	u8 only = (u8)d->args[ARG_FAMILY];

	if (d->args[RTNL_ARG_FILTER2])
		return 0;
	for (; d->args[ARG_TABLES] < (long)ARRAY_SIZE(families); d->args[ARG_TABLES]++) {
		u8 family = families[d->args[ARG_TABLES]];

		if ((!only || only == family) && netlink_dump_table(b, d, &table))
			return 1;
		d->args[RTNL_ARG_AT] = d->args[RTNL_ARG_AT2] = 0;
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
	if (!err)
		err = netlink_answer(r, &b, put_neigh(&b, n, rtnl_answer(r, RTM_NEWNEIGH)));
	neigh_put(n);
	return err;
}

/* ---- notifications: from any context, N's lock held or not ---- */

static void tell(struct neigh *n, bool gone)
{
	struct net *net = n->table->net;
	struct rtnl_head h = { .type = gone ? RTM_DELNEIGH : RTM_NEWNEIGH };
	struct rtnl_note note;

	if (rtnl_note_begin(&note, net, RTNLGRP_NEIGH, GFP_ATOMIC, NULL))
		rtnl_note_end(&note, put_neigh(&note.b, n, h));
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
