// SPDX-License-Identifier: MIT
/* Netlink sockets: netlink_diag. */
#include <kernel/init.h>
#include <abi/errno.h>
#include <linux/netlink_diag.h>
#include "net/diag/diag.h"

#define AF_NETLINK 16
#define ALL_PROTOCOLS 255

enum { ARG_POS, ARG_DONE, ARG_PROTOCOL, ARG_SHOW };

struct walk {
	struct nlmsg_buf *b;
	struct nl_dump *d;
	long seen;
	bool full;
};

static bool put(struct walk *w, const struct netlink_info *i)
{
	struct netlink_diag_msg *m = nlmsg_put(w->b, w->d->portid, w->d->hdr.nlmsg_seq,
					       SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, sizeof(*m));
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
	if (w->d->args[ARG_SHOW] & NDIAG_SHOW_GROUPS)
		nla_put_bytes(w->b, NETLINK_DIAG_GROUPS, groups,
			      i->ngroups > 32 ? sizeof(groups) : sizeof(groups[0]));
	if (w->d->args[ARG_SHOW] & NDIAG_SHOW_MEMINFO) {
		mem[SK_MEMINFO_RMEM_ALLOC] = i->rmem;
		mem[SK_MEMINFO_RCVBUF] = i->rcvbuf;
		mem[SK_MEMINFO_WMEM_ALLOC] = i->wmem;
		mem[SK_MEMINFO_SNDBUF] = i->sndbuf;
		mem[SK_MEMINFO_DROPS] = i->drops;
		nla_put_bytes(w->b, NETLINK_DIAG_MEMINFO, mem, sizeof(mem));
	}
	return nlmsg_end(w->b);
}

static void show(const struct netlink_info *i, void *arg)
{
	struct walk *w = arg;

	if (w->full || w->seen++ < w->d->args[ARG_DONE])
		return;
	if (w->d->args[ARG_PROTOCOL] != ALL_PROTOCOLS && w->d->args[ARG_PROTOCOL] != i->protocol)
		return;
	if (!put(w, i)) {
		w->full = true;
		w->seen--;
	}
}

static int dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	u64 pos = (u64)d->args[ARG_POS];

	while (pos < GHASH_END) {
		struct walk w = { .b = b, .d = d };

		d->args[ARG_POS] = (long)pos;
		netlink_walk(d->net, &pos, show, &w);
		d->args[ARG_DONE] = w.full ? w.seen : 0;
		if (w.full)
			return 1;
	}
	d->args[ARG_POS] = (long)GHASH_END;
	return 0;
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
