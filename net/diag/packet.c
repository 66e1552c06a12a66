// SPDX-License-Identifier: MIT
/* Packet sockets: packet_diag. */
#include <lib/string.h>
#include <kernel/init.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/packet_diag.h>
#include "net/core/core_priv.h"
#include "net/diag/diag.h"
#include "net/packet/psock.h"

enum { ARG_SHOW = 2, ARG_ADMIN };	/* behind netlink_dump_table()'s */

static void put_info(struct nlmsg_buf *b, const struct packet_sock *k)
{
	struct packet_diag_info i = {
		.pdi_index = (u32)READ_ONCE(k->ifindex),
		.pdi_version = (u32)READ_ONCE(k->version),
		.pdi_reserve = READ_ONCE(k->reserve),
		.pdi_copy_thresh = READ_ONCE(k->copy_thresh),
		.pdi_flags = (READ_ONCE(k->hooked) ? PDI_RUNNING : 0u) |
			     (READ_ONCE(k->auxdata) ? PDI_AUXDATA : 0u) |
			     (READ_ONCE(k->origdev) ? PDI_ORIGDEV : 0u),
	};

	nla_put_bytes(b, PACKET_DIAG_INFO, &i, sizeof(i));
	nla_put_u32(b, PACKET_DIAG_UID, from_kuid_munged(current_user_ns(), k->sk.uid));
}

static void put_wants(struct nlmsg_buf *b, struct packet_sock *k)
{
	struct packet_diag_mclist *at;
	u32 n;

	rtnl_lock();
	n = packet_wants_describe(k, NULL, 0);
	at = nla_reserve(b, PACKET_DIAG_MCLIST, n * sizeof(*at));
	if (at)
		packet_wants_describe(k, at, n);
	rtnl_unlock();
}

static void put_filter(void *arg, const struct sock_filter *insns, u32 nr)
{
	nla_put_bytes(arg, PACKET_DIAG_FILTER, insns, nr * sizeof(*insns));
}

static bool put(struct nlmsg_buf *b, struct nl_dump *d, struct packet_sock *k)
{
	struct packet_diag_msg *m = nlmsg_put(b, d->portid, d->hdr.nlmsg_seq, SOCK_DIAG_BY_FAMILY,
					      NLM_F_MULTI, sizeof(*m));
	u32 show = (u32)d->args[ARG_SHOW];
	struct packet_diag_ring ring;

	if (m) {
		*m = (struct packet_diag_msg){ .pdiag_family = AF_PACKET,
					       .pdiag_type = (u8)k->sk.type,
					       .pdiag_num = be16_get(k->num),
					       .pdiag_ino = (u32)diag_ino(&k->sk) };
		diag_put_cookie(&k->sk, m->pdiag_cookie);
	}
	if (show & PACKET_SHOW_INFO)
		put_info(b, k);
	if (show & PACKET_SHOW_MCLIST)
		put_wants(b, k);
	if (show & PACKET_SHOW_RING_CFG && packet_ring_describe(k, &ring))
		nla_put_bytes(b, PACKET_DIAG_RX_RING, &ring, sizeof(ring));
	if (show & PACKET_SHOW_MEMINFO)
		diag_put_meminfo(b, &k->sk, PACKET_DIAG_MEMINFO);
	if (show & PACKET_SHOW_FILTER && d->args[ARG_ADMIN])
		sock_filter_describe(&k->sk, b, put_filter);
	else if (show & PACKET_SHOW_FILTER)
		(void)nla_reserve(b, PACKET_DIAG_FILTER, 0);
	return nlmsg_end(b);
}

static void walk(struct nl_dump *d, u64 *pos, void (*fn)(struct ghash_node *n, void *arg),
		 void *arg)
{
	ghash_walk(&d->net->packet->socks, pos, fn, arg);
}

static void *get(struct ghash_node *node, struct nl_dump *d)
{
	struct packet_sock *k = container_of(node, struct packet_sock, node);

	return sock_get(&k->sk) ? k : NULL;
}

static bool show(struct nlmsg_buf *b, struct nl_dump *d, void *object)
{
	return put(b, d, object);
}

static void drop(void *object)
{
	sock_put(&((struct packet_sock *)object)->sk);
}

static const struct nl_table table = { .walk = walk, .get = get, .show = show, .put = drop };

static int dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	return netlink_dump_table(b, d, &table);
}

static int request(struct nl_request *r)
{
	const struct packet_diag_req *q = r->body;
	struct nl_dump d = { .fn = dump };

	if (r->body_len < sizeof(*q) || q->sdiag_protocol)
		return -EINVAL;
	if (!(r->hdr->nlmsg_flags & NLM_F_DUMP))
		return -EOPNOTSUPP;
	d.args[ARG_SHOW] = q->pdiag_show;
	d.args[ARG_ADMIN] = nl_capable(r, CAP_NET_ADMIN);
	return netlink_start_dump(r, &d);
}

static struct diag_family family = { .family = AF_PACKET, .request = request };

static int packet_diag_init(void)
{
	diag_register(&family);
	return 0;
}
INITCALL(fs, packet_diag_init);
