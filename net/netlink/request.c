// SPDX-License-Identifier: MIT
/*
 * Requests to the kernel: one after the other out of what a program sent, each answered by what its
 * protocol says, and by an ACK or an error message (netlink(7), NLMSG_ERROR).
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <proc/cred.h>
#include <vfs/file.h>
#include <net/nlattr.h>
#include <abi/errno.h>
#include "net/netlink/netlink_priv.h"

bool nl_capable(const struct nl_request *r, int cap)
{
	struct user_namespace *ns = r->net->user_ns;
	struct socket *s = r->from->sk.socket;

	return ns_capable(ns, cap) && (!s || cred_capable(s->file->f_cred, ns, cap));
}

static void explain(struct nl_request *r, const struct nla_error *e)
{
	if (e->text)
		r->err_text = e->text;
	if (e->at)
		r->err_at = e->at;
}

int nl_request_attrs(struct nl_request *r, size_t head, const struct nlattr *tb[],
		     unsigned int most, const struct nla_rule *rules, bool strict)
{
	struct nla_error e = {};
	int err;

	head = NLMSG_ALIGN(head);
	if (r->body_len < head)
		return nl_refuse(r, -EINVAL, "Invalid header length");
	err = nla_parse(tb, most, (const u8 *)r->body + head, r->body_len - head, rules, strict,
			&e);
	explain(r, &e);
	return err;
}

int nl_request_nested(struct nl_request *r, const struct nlattr *a, const struct nlattr *tb[],
		      unsigned int most, const struct nla_rule *rules, bool strict)
{
	struct nla_error e = {};
	int err = nla_parse(tb, most, nla_data(a), nla_len(a), rules, strict, &e);

	explain(r, &e);
	return err;
}

/* Attributes behind an NLMSG_ERROR. */
static bool put_why(struct nlmsg_buf *b, const struct nl_request *r, int err)
{
	size_t before = b->len;

	if (r->err_text)
		nla_put_text(b, NLMSGERR_ATTR_MSG, r->err_text);
	if (err && r->err_at)
		nla_put_u32(b, NLMSGERR_ATTR_OFFS,
			    (u32)((const u8 *)r->err_at - (const u8 *)r->hdr));
	if (err && r->err_missing)
		nla_put_u32(b, NLMSGERR_ATTR_MISS_TYPE, r->err_missing);
	return b->len > before;
}

/*
 * The whole request goes back with an error, its header alone with an ACK, or if the program wants
 * no more (NETLINK_CAP_ACK).
 */
static void answer(const struct nl_request *r, int err)
{
	const struct nlmsghdr *h = r->hdr;
	size_t back = NLMSG_HDRLEN, room;
	u16 flags = NLM_F_CAPPED;
	struct nlmsghdr *head;
	struct nlmsgerr *body;
	struct nlmsg_buf b;

	if (err && !netlink_flag(r->from, NETLINK_F_CAP_ACK) && h->nlmsg_len < NLMSG_MOST / 2) {
		back = h->nlmsg_len;
		flags = 0;
	}
	room = back + 256;
	if (nlmsg_init(&b, room, room, GFP_KERNEL)) {
		netlink_overrun(r->from);
		return;
	}
	body = nlmsg_put(&b, r->portid, h->nlmsg_seq, NLMSG_ERROR, flags, sizeof(int) + back);
	if (body) {
		body->error = err;
		memcpy(&body->msg, h, back);
		head = (struct nlmsghdr *)b.data;
		if (netlink_flag(r->from, NETLINK_F_EXT_ACK) && put_why(&b, r, err))
			head->nlmsg_flags |= NLM_F_ACK_TLVS;
	}
	if (nlmsg_end(&b) && !netlink_reply(r, &b))
		return;
	nlmsg_free(&b);
}

static void request(struct netlink_sock *n, const struct nlmsghdr *h)
{
	struct nl_request r = { .from = n,
				.net = n->sk.net,
				.hdr = h,
				.body = NLMSG_DATA(h),
				.body_len = h->nlmsg_len - NLMSG_HDRLEN,
				.portid = n->portid,
				.strict = netlink_flag(n, NETLINK_F_STRICT) };
	int err = 0;

	if (!(h->nlmsg_flags & NLM_F_REQUEST))
		goto ack;
	if (h->nlmsg_type >= NLMSG_MIN_TYPE)
		err = n->protocol->request(&r);
	if (err == -EINTR)
		return;
ack:
	if (err || h->nlmsg_flags & NLM_F_ACK)
		answer(&r, err);
}

int netlink_requests(struct netlink_sock *n, const void *data, size_t len)
{
	if (!n->protocol->request)
		return -ECONNREFUSED;
	while (len >= NLMSG_HDRLEN) {
		const struct nlmsghdr *h = data;
		size_t whole = NLMSG_ALIGN((size_t)h->nlmsg_len);

		if (h->nlmsg_len < NLMSG_HDRLEN || h->nlmsg_len > len)
			break;
		request(n, h);
		whole = min(whole, len);
		data = (const u8 *)data + whole;
		len -= whole;
	}
	return 0;
}
