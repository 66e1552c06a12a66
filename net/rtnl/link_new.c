// SPDX-License-Identifier: MIT
/* Links come and go: RTM_NEWLINK with a kind, RTM_DELLINK. */
#include <lib/err.h>
#include <lib/string.h>
#include <abi/errno.h>
#include <dev/module.h>
#include "net/dev/if_flags.h"
#include "net/dev/wish.h"
#include "net/rtnl/rtnl.h"

static const struct nla_rule info_rules[IFLA_INFO_MAX + 1] = {
	[IFLA_INFO_KIND] = { NLA_K_TEXT, 15 },
	[IFLA_INFO_DATA] = { NLA_K_NESTED, 0 },
};

/*
 * A module may have the kind NAME. Its init takes rtnl, and another one may come and go meanwhile:
 * nothing that was found before is known any more.
 */
static struct netdev_kind *ask_for(const char *name)
{
	rtnl_unlock();
	(void)request_module("rtnl-link-%s", name); /* what counts is what is there afterwards */
	rtnl_lock();
	return netdev_kind_find(name);
}

/*
 * IFLA_LINKINFO's kind and data. *KIND is NULL: none is named. LOAD: one that is not there is asked
 * for, without rtnl.
 */
static int parse_info(struct nl_request *r, const struct nlattr *a, bool load,
		      struct netdev_kind **kind, const struct nlattr **data)
{
	const struct nlattr *tb[IFLA_INFO_MAX + 1];
	char name[16];
	int err;

	*kind = NULL;
	*data = NULL;
	if (!a)
		return 0;
	err = nl_request_nested(r, a, tb, IFLA_INFO_MAX, info_rules, false);
	if (err)
		return err;
	*data = tb[IFLA_INFO_DATA];
	if (!tb[IFLA_INFO_KIND])
		return 0;
	if (nla_text(tb[IFLA_INFO_KIND], name, sizeof(name)))
		*kind = netdev_kind_find(name) ?: load ? ask_for(name) : NULL;
	return *kind ? 0 : nl_refuse(r, -EOPNOTSUPP, "Unknown device type");
}

int rtnl_link_kind(struct nl_request *r, const struct nlattr *a, long *kind)
{
	struct netdev_kind *k;
	const struct nlattr *data;
	int err;

	rtnl_lock();
	err = parse_info(r, a, false, &k, &data);
	rtnl_unlock();
	if (err == -EOPNOTSUPP) {	/* a kind of which there is no device */
		r->err_text = NULL;
		*kind = 1;
		return 0;
	}
	*kind = (long)k;
	return err;
}

/* Removes D, which a program made, and the devices that depend on it. */
static void remove_link(struct netdev *d)
{
	LIST_HEAD(going);

	if (d->kind->remove)
		d->kind->remove(d, &going);
	else
		netdev_unregister_queue(d, &going);
	netdev_unregister_all(&going);
}

static int make(struct nl_request *r, const struct ifinfomsg *m, const struct nlattr *const *tb,
		struct netdev_kind *kind, const struct nlattr *data)
{
	struct nla_error e = {};
	struct netdev_wish w;
	struct net *net;
	struct netdev *d;
	int err = netdev_wish_parse(&w, tb, &e);

	if (!err && m->ifi_index > 0)
		return nl_refuse(r, -EOPNOTSUPP, "Numbers of new devices are chosen");
	net = err ? NULL : netdev_wish_net(tb);
	if (IS_ERR(net))
		return (int)PTR_ERR(net);
	d = err ? ERR_PTR(err) : kind->make(net ?: r->net, &w, data, &e);
	if (IS_ERR(d)) {
		err = (int)PTR_ERR(d);
		r->err_text = e.text ?: r->err_text;
		r->err_at = e.at ?: r->err_at;
	} else {
		if (m->ifi_flags & IFF_UP)
			err = netdev_open(d);
		if (!err && tb[IFLA_MASTER])
			err = rtnl_set_master(r, d, (int)nla_u32(tb[IFLA_MASTER]));
		if (err)
			remove_link(d);
	}
	put_net(net);
	return err;
}

static int change(struct nl_request *r, struct netdev *d, const struct nlattr *data)
{
	struct nla_error e = {};
	int err = d->kind->change ? d->kind->change(d, data, &e) : -EOPNOTSUPP;

	r->err_text = e.text ?: r->err_text;
	r->err_at = e.at ?: r->err_at;
	return err;
}

int rtnl_link_add(struct nl_request *r)
{
	const struct nlattr *tb[IFLA_MAX + 1], *data;
	const struct ifinfomsg *m = r->body;
	struct netdev_kind *kind;
	u16 flags = r->hdr->nlmsg_flags;
	bool may_make = r->hdr->nlmsg_type == RTM_NEWLINK && flags & NLM_F_CREATE;
	struct netdev *d;
	int err = nl_request_attrs(r, sizeof(*m), tb, IFLA_MAX, netdev_link_rules, false);

	if (err)
		return err;
	if (m->ifi_index < 0)
		return nl_refuse(r, -EINVAL, "ifindex can't be negative");
	err = parse_info(r, tb[IFLA_LINKINFO], r->hdr->nlmsg_type == RTM_NEWLINK, &kind, &data);
	if (err)
		return err;
	d = rtnl_find_link(r->net, m, tb);
	if (d) {
		if (r->hdr->nlmsg_type == RTM_NEWLINK && flags & NLM_F_EXCL)
			return -EEXIST;
		if (r->hdr->nlmsg_type == RTM_NEWLINK && flags & NLM_F_REPLACE)
			return -EOPNOTSUPP;
		if (kind && d->kind != kind)
			return -EOPNOTSUPP;
		if (kind && data)
			err = change(r, d, data);
		return err ?: rtnl_link_set(r, d, m, tb);
	}
	if (!may_make)
		return -ENODEV;
	if (!kind)
		return nl_refuse(r, -EOPNOTSUPP, "Unknown device type");
	return make(r, m, tb, kind, data);
}

int rtnl_link_del(struct nl_request *r)
{
	const struct nlattr *tb[IFLA_MAX + 1];
	struct netdev *d = rtnl_named_link(r, tb);

	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	if (!d->kind || d->dismantling)
		return -EOPNOTSUPP;
	remove_link(d);
	return 0;
}
