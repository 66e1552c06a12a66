// SPDX-License-Identifier: MIT
/* Numbers of other network namespaces: RTM_NEWNSID and RTM_GETNSID, as ip-netns(8) uses them. */
#include <lib/err.h>
#include <kernel/init.h>
#include <abi/errno.h>
#include <linux/net_namespace.h>
#include "net/dev/wish.h"
#include "net/rtnl/rtnl.h"

static const struct nla_rule rules[NETNSA_MAX + 1] = {
	[NETNSA_NSID] = { NLA_K_U32, 0 },
	[NETNSA_PID] = { NLA_K_U32, 0 },
	[NETNSA_FD] = { NLA_K_U32, 0 },
	[NETNSA_TARGET_NSID] = { NLA_K_U32, 0 },
};

static bool put_id(struct nlmsg_buf *b, int id, struct rtnl_head h)
{
	(void)nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(struct rtgenmsg));
	nla_put_u32(b, NETNSA_NSID, (u32)id);
	return nlmsg_end(b);
}

/* The namespace that R is about, referenced. ERR_PTR. */
static struct net *peer_of(struct nl_request *r, const struct nlattr *const *tb, bool by_id)
{
	struct net *peer;

	if (tb[NETNSA_PID])
		return netns_by_pid((int)nla_u32(tb[NETNSA_PID]));
	if (tb[NETNSA_FD])
		return netns_by_fd((int)nla_u32(tb[NETNSA_FD]));
	if (by_id && tb[NETNSA_NSID]) {
		peer = netns_by_peer_id(r->net, (int)nla_u32(tb[NETNSA_NSID]));
		return peer ?: ERR_PTR(-ENOENT);
	}
	return ERR_PTR(nl_refuse(r, -EINVAL, "Peer netns reference is missing"));
}

static int id_add(struct nl_request *r)
{
	const struct nlattr *tb[NETNSA_MAX + 1];
	struct rtnl_head h = { r->portid, r->hdr->nlmsg_seq, RTM_NEWNSID, 0 };
	struct rtnl_note n;
	struct net *peer;
	int err = nl_request_attrs(r, sizeof(struct rtgenmsg), tb, NETNSA_MAX, rules, false), want;

	if (err)
		return err;
	if (!tb[NETNSA_NSID])
		return nl_refuse(r, -EINVAL, "nsid is missing");
	want = (int)nla_u32(tb[NETNSA_NSID]);
	peer = peer_of(r, tb, false);
	if (IS_ERR(peer))
		return (int)PTR_ERR(peer);
	if (netns_peer_id(r->net, peer) != NETNS_NO_ID)
		err = nl_refuse(r, -EEXIST, "Peer netns already has a nsid assigned");
	else
		err = netns_peer_id_make(r->net, peer, want);
	put_net(peer);
	if (err == -ENOSPC)
		return nl_refuse(r, -EEXIST, "The specified nsid is already used");
	if (err < 0)
		return err;
	if (rtnl_note_begin(&n, r->net, RTNLGRP_NSID, GFP_KERNEL, r))
		rtnl_note_end(&n, put_id(&n.b, err, h));
	return 0;
}

static int id_get(struct nl_request *r)
{
	const struct nlattr *tb[NETNSA_MAX + 1];
	struct nlmsg_buf b;
	struct net *peer;
	int err = nl_request_attrs(r, sizeof(struct rtgenmsg), tb, NETNSA_MAX, rules, false), id;

	if (err)
		return err;
	if (tb[NETNSA_TARGET_NSID])
		return nl_refuse(r, -EOPNOTSUPP, "Only of one's own namespace");
	peer = peer_of(r, tb, true);
	if (IS_ERR(peer))
		return (int)PTR_ERR(peer);
	id = netns_peer_id(r->net, peer);
	put_net(peer);
	err = nlmsg_init(&b, 64, 64, GFP_KERNEL);
	if (err)
		return err;
	return netlink_answer(r, &b, put_id(&b, id, rtnl_answer(r, RTM_NEWNSID)));
}

static int id_dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	int id;

	/* args: one more than the last number that was shown */
	while ((id = netns_next_peer_id(d->net, (int)d->args[RTNL_ARG_AT] - 1)) != NETNS_NO_ID) {
		if (!put_id(b, id, rtnl_entry(d, RTM_NEWNSID)))
			return 1;
		d->args[RTNL_ARG_AT] = id + 1;
	}
	return 0;
}

static struct rtnl_kind ids = {
	.base = RTM_NEWNSID, .family = AF_UNSPEC, .add = id_add, .get = id_get, .dump = id_dump
};

static int nsid_init(void)
{
	rtnl_register(&ids);
	return 0;
}
INITCALL(fs, nsid_init);
