// SPDX-License-Identifier: MIT
/* Netlink sockets: netlink_diag. */
#include <kernel/init.h>
#include <abi/errno.h>
#include <linux/netlink_diag.h>
#include "net/diag/diag.h"

#define AF_NETLINK 16
#define ALL_PROTOCOLS 255

enum { ARG_PROTOCOL = 2, ARG_SHOW };	/* behind netlink_dump_table()'s */

static bool put(struct nlmsg_buf *b, struct nl_dump *d, const struct netlink_info *i)
{
	struct netlink_diag_msg *m = nlmsg_put(b, d->portid, d->hdr.nlmsg_seq, SOCK_DIAG_BY_FAMILY,
					       NLM_F_MULTI, sizeof(*m));
	u32 mem[SK_MEMINFO_VARS] = { 0 }, groups[2] = { i->groups, 0 };

	if (m)
		*m = (struct netlink_diag_msg){
			.ndiag_family = AF_NETLINK,
			.ndiag_type = (u8)i->type,
			.ndiag_protocol = (u8)i->protocol,
			.ndiag_state = i->dst_portid ? 1 : 0,
			.ndiag_portid = i->portid,
			.ndiag_dst_portid = i->dst_portid,
			.ndiag_dst_group = i->dst_group,
			.ndiag_ino = (u32)i->ino,
			.ndiag_cookie = { (u32)i->cookie, (u32)(i->cookie >> 32) },
		};
	if (d->args[ARG_SHOW] & NDIAG_SHOW_GROUPS)
		nla_put_bytes(b, NETLINK_DIAG_GROUPS, groups,
			      i->ngroups > 32 ? sizeof(groups) : sizeof(groups[0]));
	if (d->args[ARG_SHOW] & NDIAG_SHOW_MEMINFO) {
		mem[SK_MEMINFO_RMEM_ALLOC] = i->rmem;
		mem[SK_MEMINFO_RCVBUF] = i->rcvbuf;
		mem[SK_MEMINFO_WMEM_ALLOC] = i->wmem;
		mem[SK_MEMINFO_SNDBUF] = i->sndbuf;
		mem[SK_MEMINFO_DROPS] = i->drops;
		nla_put_bytes(b, NETLINK_DIAG_MEMINFO, mem, sizeof(mem));
	}
	return nlmsg_end(b);
}

static void walk(struct nl_dump *d, u64 *pos, void (*fn)(struct ghash_node *n, void *arg),
		 void *arg)
{
	netlink_walk(d->net, pos, fn, arg);
}

static void *get(struct ghash_node *node, struct nl_dump *d)
{
	return netlink_get_node(node);
}

static bool show(struct nlmsg_buf *b, struct nl_dump *d, void *object)
{
	struct netlink_info i;

	netlink_describe(object, &i);
	if (d->args[ARG_PROTOCOL] != ALL_PROTOCOLS && d->args[ARG_PROTOCOL] != i.protocol)
		return true;
	return put(b, d, &i);
}

static void drop(void *object)
{
	netlink_put(object);
}

static const struct nl_table table = { .walk = walk, .get = get, .show = show, .put = drop };

static int dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	return netlink_dump_table(b, d, &table);
}

static int request(struct nl_request *r)
{
	const struct netlink_diag_req *q = r->body;
	struct nl_dump d = { .fn = dump };

	if (r->body_len < sizeof(*q))
		return -EINVAL;
	if (!(r->hdr->nlmsg_flags & NLM_F_DUMP))
		return -EOPNOTSUPP;
	d.args[ARG_PROTOCOL] = q->sdiag_protocol;
	d.args[ARG_SHOW] = q->ndiag_show;
	return netlink_start_dump(r, &d);
}

static struct diag_family family = { .family = AF_NETLINK, .request = request };

static int netlink_diag_init(void)
{
	diag_register(&family);
	return 0;
}
INITCALL(fs, netlink_diag_init);
