// SPDX-License-Identifier: MIT
/*
 * Queueing disciplines (tc(8)). Each device begins with one of its own, whose handle is 0: what its
 * driver has no room for waits, at most tx_queue_len packets. In its place programs put a pfifo as
 * the root, which has a limit of its own. No other kind is there, and no classes, filters or
 * ingress.
 */
#include <lib/err.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <abi/errno.h>
#include <linux/pkt_sched.h>
#include "net/dev/if_flags.h"
#include "net/rtnl/rtnl.h"

#define PFIFO "pfifo"
#define KIND_NAME 16
#define HANDLE_FIRST 0x80000000u	/* handles that are chosen here lie above it */

static const struct nla_rule rules[TCA_MAX + 1] = { [TCA_KIND] = { NLA_K_TEXT, KIND_NAME - 1 } };

static bool put_qdisc(struct nlmsg_buf *b, struct netdev *d, struct rtnl_head h)
{
	struct tcmsg *m = nlmsg_put(b, h.portid, h.seq, h.type, h.flags, sizeof(*m));

	if (m)
		*m = (struct tcmsg){ .tcm_family = AF_UNSPEC,
				     .tcm_ifindex = d->ifindex,
				     .tcm_handle = d->qdisc_handle,
				     .tcm_parent = TC_H_ROOT,
				     .tcm_info = 2 };
	nla_put_text(b, TCA_KIND, rtnl_qdisc(d));
	if (d->qdisc_handle)
		nla_put_u32(b, TCA_OPTIONS, d->qdisc_limit);
	else if (!(d->features & NETDEV_F_NO_QUEUE) && d->was_up)
		nla_put_u32(b, TCA_OPTIONS, d->tx_queue_len);
	return nlmsg_end(b);
}

static int qdisc_dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	long last = d->args[RTNL_ARG_AT];
	struct netdev *dev;

	d->seq = d->net->dev_seq + 1;
	while ((dev = rtnl_next_link(d->net, &last))) {
		if (!put_qdisc(b, dev, rtnl_entry(d, RTM_NEWQDISC)))
			return 1;
		d->args[RTNL_ARG_AT] = last;
	}
	return 0;
}

static void tell(struct nl_request *r, struct netdev *d, u16 type)
{
	struct rtnl_head h = { r->portid, r->hdr->nlmsg_seq, type, 0 };
	struct rtnl_note n;

	if (rtnl_note_begin(&n, r->net, RTNLGRP_TC, GFP_KERNEL, r))
		rtnl_note_end(&n, put_qdisc(&n.b, d, h));
}

/* The device of R, whose attributes are parsed into TB. ERR_PTR. */
static struct netdev *device_of(struct nl_request *r, const struct nlattr **tb)
{
	const struct tcmsg *m = r->body;
	int err = nl_request_attrs(r, sizeof(*m), tb, TCA_MAX, rules, false);
	struct netdev *d;

	if (err)
		return ERR_PTR(err);
	d = netdev_by_index(r->net, m->tcm_ifindex);
	return d ?: ERR_PTR(-ENODEV);
}

/* The limit that TB asks for; without one WITHOUT. 0 or -EINVAL. */
static int limit_of(const struct nlattr *const *tb, u32 without, u32 *limit)
{
	struct tc_fifo_qopt o = { .limit = without };

	if (tb[TCA_OPTIONS]) {
		if (nla_len(tb[TCA_OPTIONS]) < sizeof(o))
			return -EINVAL;
		memcpy(&o, nla_data(tb[TCA_OPTIONS]), sizeof(o));
	}
	*limit = o.limit;
	return 0;
}

static bool is_pfifo(const struct nlattr *kind)
{
	char name[KIND_NAME];

	return nla_text(kind, name, sizeof(name)) && !strcmp(name, PFIFO);
}

/* D's pfifo gets another limit. */
static int change(struct nl_request *r, struct netdev *d, const struct nlattr *const *tb)
{
	u32 limit;
	int err;

	if (!d->qdisc_handle)
		return nl_refuse(r, -ENOENT,
				 "Qdisc not found. To create specify NLM_F_CREATE flag");
	if (r->hdr->nlmsg_flags & NLM_F_EXCL)
		return nl_refuse(r, -EEXIST, "Exclusivity flag on, cannot modify");
	if (tb[TCA_KIND] && !is_pfifo(tb[TCA_KIND]))
		return nl_refuse(r, -EINVAL, "Invalid qdisc name: must match existing qdisc");
	err = limit_of(tb, d->tx_queue_len, &limit);
	if (err)
		return err;
	WRITE_ONCE(d->qdisc_limit, limit);
	tell(r, d, RTM_NEWQDISC);
	return 0;
}

static int qdisc_add(struct nl_request *r)
{
	const struct nlattr *tb[TCA_MAX + 1];
	struct netdev *d = device_of(r, tb);
	const struct tcmsg *m = r->body;
	u16 flags = r->hdr->nlmsg_flags;
	u32 limit;
	int err;

	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	if (m->tcm_parent != TC_H_ROOT)
		return nl_refuse(r, m->tcm_parent ? -EOPNOTSUPP : -EINVAL,
				 "Only a root qdisc can be made");
	if (m->tcm_handle && d->qdisc_handle && m->tcm_handle != d->qdisc_handle &&
	    !(flags & NLM_F_REPLACE))
		return nl_refuse(r, -EEXIST, "Exclusivity flag on, cannot override");
	if (TC_H_MIN(m->tcm_handle))
		return nl_refuse(r, -EINVAL, "Invalid minor handle");
	if (d->qdisc_handle && (!m->tcm_handle || m->tcm_handle == d->qdisc_handle) &&
	    (!(flags & NLM_F_CREATE) || !(flags & NLM_F_REPLACE) || !(flags & NLM_F_EXCL)))
		return change(r, d, tb);
	if (!(flags & NLM_F_CREATE))
		return nl_refuse(r, -ENOENT,
				 "Qdisc not found. To create specify NLM_F_CREATE flag");
	if (!tb[TCA_KIND])
		return -EINVAL;
	if (!is_pfifo(tb[TCA_KIND]))
		return nl_refuse(r, -ENOENT, "Specified qdisc kind is unknown");
	err = limit_of(tb, d->tx_queue_len, &limit);
	if (err)
		return err;
	WRITE_ONCE(d->qdisc_limit, limit);
	WRITE_ONCE(d->qdisc_handle, m->tcm_handle ?: HANDLE_FIRST + TC_H_MAKE(1u << 16, 0));
	tell(r, d, RTM_NEWQDISC);
	return 0;
}

static int qdisc_del(struct nl_request *r)
{
	const struct nlattr *tb[TCA_MAX + 1];
	struct netdev *d = device_of(r, tb);
	const struct tcmsg *m = r->body;

	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	if (m->tcm_parent != TC_H_ROOT)
		return nl_refuse(r, -ENOENT, "Cannot find specified qdisc on specified device");
	if (m->tcm_handle && m->tcm_handle != d->qdisc_handle)
		return nl_refuse(r, -EINVAL, "Invalid handle");
	if (tb[TCA_KIND] && strcmp(rtnl_qdisc(d), PFIFO))
		return nl_refuse(r, -EINVAL, "Invalid qdisc name");
	if (!d->qdisc_handle)
		return nl_refuse(r, -ENOENT, "Cannot delete qdisc with handle of zero");
	tell(r, d, RTM_DELQDISC);
	WRITE_ONCE(d->qdisc_handle, 0);
	return 0;
}

static struct rtnl_kind qdiscs = {
	.base = RTM_NEWQDISC,
	.family = AF_UNSPEC,
	.add = qdisc_add,
	.del = qdisc_del,
	.dump = qdisc_dump,
};

static int qdisc_init(void)
{
	rtnl_register(&qdiscs);
	return 0;
}
INITCALL(fs, qdisc_init);
