/* SPDX-License-Identifier: MIT */
/*
 * Netlink (netlink(7)): requests to parts of the kernel, their answers, dumps and notifications.
 *
 * A family (NETLINK_ROUTE ...) registers one function for requests, per namespace if it wants.
 * Requests run in the sender's context, one after the other per socket. Answers are built in a
 * struct nlmsg_buf, which grows up to a limit, and are queued at the asker; a reader that does not
 * read loses messages and is told once (ENOBUFS), as on Linux.
 *
 * Dumps. The answer to NLM_F_DUMP is made a buffer at a time as the reader reads: dump->fn is
 * called again with its own cursor until it returns 0. The family puts a sequence number of what it
 * walks into dump->seq; when that changes between calls, messages carry NLM_F_DUMP_INTR.
 */
#pragma once

#include <lib/list.h>
#include <lib/types.h>
#include <linux/netlink.h>

struct net;
struct netlink_sock;
struct packet;

/*
 * A message under construction. All put functions are no-ops after one failed: nlmsg_ok() tells at
 * the end.
 */
struct nlmsg_buf {
	u8 *data;
	size_t len, room, most;
	bool failed;
};

/* One decoded request. Attributes point into the request's copy in kernel memory. */
struct nl_request {
	struct netlink_sock *from;
	struct net *net;
	const struct nlmsghdr *hdr;	/* checked against the bytes that are there */
	const void *body;		/* behind the header */
	size_t body_len;
	bool strict;			/* NETLINK_GET_STRICT_CHK */
	const char *err_text;		/* extended ACK: what is wrong; static */
	size_t err_at;			/* and where, from the header on; 0: nowhere */
	int err_missing;		/* attribute type that lacks; 0 */
};

struct nl_dump {
	struct net *net;		/* pinned as a user */
	/* valid in the first call; later calls have what the family kept in args */
	const struct nl_request *request;
	struct nlmsghdr hdr;		/* of the request: seq, pid, type, flags */
	u32 seq, prev_seq;
	long args[6];			/* the family's cursor, 0 at first */
	void *data;			/* the family's, freed by done() */
	/*
	 * More messages into B until it is full. >0: call again, 0: that was all, -errno: the dump
	 * ends with it.
	 */
	int (*fn)(struct nlmsg_buf *b, struct nl_dump *d);
	void (*done)(struct nl_dump *d);
};

struct netlink_family {
	int protocol;			/* NETLINK_* */
	unsigned int groups;		/* how many multicast groups */
	bool user_groups;  /* anybody may join; else CAP_NET_ADMIN over the namespace */
	/*
	 * 0: ack if asked for. -errno: an error message. -EINTR and no message: a dump was begun.
	 * Sleeps.
	 */
	int (*request)(struct nl_request *r);
	int (*may_join)(struct net *net, unsigned int group);	/* NULL: as user_groups */
};
int netlink_register(const struct netlink_family *f);	/* at boot */

/* ---- building ---- */

/* A header and BODY bytes, zeroed; the body. NULL: no room. */
void *nlmsg_put(struct nlmsg_buf *b, u32 portid, u32 seq, u16 type, u16 flags, size_t body);
/* Ends the message that began at START (as nlmsg_mark() gave it): its length is set. */
size_t nlmsg_mark(const struct nlmsg_buf *b);
void nlmsg_end(struct nlmsg_buf *b, size_t start);
/* Takes everything from START off again: a message that did not fit. */
void nlmsg_cancel(struct nlmsg_buf *b, size_t start);
void nla_put_bytes(struct nlmsg_buf *b, u16 type, const void *data, size_t len);
void nla_put_u8(struct nlmsg_buf *b, u16 type, u8 v);
void nla_put_u16(struct nlmsg_buf *b, u16 type, u16 v);
void nla_put_u32(struct nlmsg_buf *b, u16 type, u32 v);
void nla_put_u64(struct nlmsg_buf *b, u16 type, u64 v, u16 pad_type);
void nla_put_string(struct nlmsg_buf *b, u16 type, const char *s);
size_t nla_nest(struct nlmsg_buf *b, u16 type);
void nla_nest_end(struct nlmsg_buf *b, size_t start);

/* ---- decoding: net/wire/nlattr ---- */

enum nla_kind {
	NLA_ANY,
	NLA_U8,
	NLA_U16,
	NLA_U32,
	NLA_U64,
	NLA_TEXT,
	NLA_NESTED_,
	NLA_EXACT,
	NLA_FLAG_,
	NLA_REFUSED
};
struct nla_rule {
	u8 kind;			/* enum nla_kind */
	u16 len;			/* EXACT: bytes; TEXT, ANY: at most, 0: any */
};
/*
 * tb[0..MOST] point at the last attribute of each type. 0, -EINVAL, -ERANGE with the reason in R.
 */
int nla_parse(const struct nlattr *tb[], int most, const void *data, size_t len,
	      const struct nla_rule *rules, struct nl_request *r);

/* ---- sending ---- */

/* The answer to R; B is empty afterwards. 0 or -ENOBUFS. */
int netlink_reply(const struct nl_request *r, struct nlmsg_buf *b);
int netlink_start_dump(const struct nl_request *r, const struct nl_dump *d);
/* To all of GROUP in NET; B is empty afterwards. Any context that may allocate atomically. */
void netlink_notify(struct net *net, int protocol, unsigned int group, struct nlmsg_buf *b,
		    u32 except_portid);
bool netlink_has_listeners(struct net *net, int protocol, unsigned int group);
int nlmsg_buf_init(struct nlmsg_buf *b, size_t room, size_t most, gfp_t gfp);
void nlmsg_buf_free(struct nlmsg_buf *b);
