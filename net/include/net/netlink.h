/* SPDX-License-Identifier: MIT */
/*
 * Netlink (netlink(7)): requests to parts of the kernel, their answers, dumps and notifications.
 *
 * A protocol (NETLINK_ROUTE ...) registers one function for requests. Requests run in the sender's
 * context. Answers are built in a struct nlmsg_buf, which grows up to a limit, and are queued at
 * the asker; a reader that does not read loses messages and is told once (ENOBUFS), as on Linux.
 *
 * Dumps. The answer to NLM_F_DUMP is made a buffer at a time as the reader reads: dump->fn is
 * called again with its own cursor until it returns 0. The protocol puts a sequence number of what
 * it walks into dump->seq; when that changes between calls, messages carry NLM_F_DUMP_INTR.
 *
 * Notifications go to the sockets that have joined a group in the namespace; they are clones of one
 * packet.
 */
#pragma once

#include <lib/list.h>
#include <lib/types.h>
#include <alloc/gfp.h>
#include <linux/netlink.h>

struct ghash_node;
struct net;
struct netlink_sock;
struct nla_error;
struct nlattr;

/* ---- messages under construction ---- */

/*
 * All put functions do nothing after one has failed. ROOM grows up to MOST, which is at most
 * NLMSG_MOST.
 */
#define NLMSG_MOST (60u << 10)
struct nlmsg_buf {
	u8 *data;
	size_t len, room, most;
	size_t start;			/* where the message under construction begins */
	gfp_t gfp;
	bool failed;
};

/* 0 or -ENOMEM. */
int nlmsg_init(struct nlmsg_buf *b, size_t room, size_t most, gfp_t gfp) __must_check;
void nlmsg_free(struct nlmsg_buf *b);
/* A header and BODY bytes, zeroed; the body. NULL: no room. */
void *nlmsg_put(struct nlmsg_buf *b, u32 portid, u32 seq, u16 type, u16 flags, size_t body);
/* The message is complete. False: it did not fit, and is taken off again. */
bool nlmsg_end(struct nlmsg_buf *b);
/* The message is taken off again. */
void nlmsg_cancel(struct nlmsg_buf *b);
/* LEN bytes, zeroed, to be filled in; NULL: no room. */
void *nla_reserve(struct nlmsg_buf *b, u16 type, size_t len);
void nla_put_bytes(struct nlmsg_buf *b, u16 type, const void *data, size_t len);
void nla_put_u8(struct nlmsg_buf *b, u16 type, u8 v);
void nla_put_u16(struct nlmsg_buf *b, u16 type, u16 v);
void nla_put_u32(struct nlmsg_buf *b, u16 type, u32 v);
void nla_put_text(struct nlmsg_buf *b, u16 type, const char *s);
/* What is put until nla_nest_end() lies within it. */
size_t nla_nest(struct nlmsg_buf *b, u16 type);
void nla_nest_end(struct nlmsg_buf *b, size_t nest);

/* ---- requests ---- */

struct nl_request {
	struct netlink_sock *from;
	struct net *net;
	const struct nlmsghdr *hdr;	/* checked against the bytes that are there */
	const void *body;		/* behind the header */
	size_t body_len;
	u32 portid;			/* of the asker */
	bool strict;			/* NETLINK_GET_STRICT_CHK */
	/* extended ACK */
	const char *err_text;		/* static */
	const void *err_at;		/* in the message; NULL */
	u32 err_missing;		/* an attribute that is not there; 0 */
};
/* The request fails with ERR because of TEXT. ERR. */
static inline int nl_refuse(struct nl_request *r, int err, const char *text)
{
	r->err_text = text;
	return err;
}

/*
 * What lies behind HEAD bytes of the body (rounded up), as attributes: nla_parse(). -EINVAL: the
 * body is shorter.
 */
struct nla_rule;
int nl_request_attrs(struct nl_request *r, size_t head, const struct nlattr *tb[],
		     unsigned int most, const struct nla_rule *rules, bool strict) __must_check;
/* The attributes within A. */
int nl_request_nested(struct nl_request *r, const struct nlattr *a, const struct nlattr *tb[],
		      unsigned int most, const struct nla_rule *rules, bool strict) __must_check;
/* Whether the sender, and the opener of its socket, have CAP over the socket's namespace. */
bool nl_capable(const struct nl_request *r, int cap);

#define NL_DUMP_ARGS 10
struct nl_dump {
	struct net *net;		/* the socket's */
	struct nlmsghdr hdr;		/* of the request */
	u32 portid;
	bool strict;
	u32 seq;			/* of what is walked: set by fn; 0: not known */
	long args[NL_DUMP_ARGS];	/* the protocol's cursor, 0 at first */
	void *data;			/* the protocol's, freed by done() */
	/*
	 * More messages into B until it is full. >0: call again, 0: that was all, -errno: the dump
	 * ends with it. Sleeps.
	 */
	int (*fn)(struct nlmsg_buf *b, struct nl_dump *d);
	void (*done)(struct nl_dump *d);	/* NULL */
};

/*
 * A dump of the objects of a hash table. They are referenced a few at a time, so that messages are
 * built with no lock held.
 */
struct nl_table {
	/* FN for the nodes at *POS, which is advanced: ghash_walk(). */
	void (*walk)(struct nl_dump *d, u64 *pos, void (*fn)(struct ghash_node *n, void *arg),
		     void *arg);
	/* The object of N, referenced; NULL: the dump leaves it out. Under its bucket's lock. */
	void *(*get)(struct ghash_node *n, struct nl_dump *d);
	/* False: there is no room in B. */
	bool (*show)(struct nlmsg_buf *b, struct nl_dump *d, void *object);
	void (*put)(void *object);
};
/* As nl_dump->fn. The cursor is d->args[0] and [1], both 0 at first. */
int netlink_dump_table(struct nlmsg_buf *b, struct nl_dump *d, const struct nl_table *t);

struct nl_protocol {
	int protocol;			/* NETLINK_* */
	unsigned int groups;		/* how many multicast groups */
	bool anybody_joins;		/* else CAP_NET_ADMIN over the namespace */
	bool anybody_sends;		/* to other programs' sockets, and to groups */
	/*
	 * 0: an ACK if it was asked for. -errno: an error message. -EINTR: neither, a dump has
	 * begun. Sleeps. NULL: there is no kernel's end.
	 */
	int (*request)(struct nl_request *r);
};
void netlink_register(const struct nl_protocol *p);	/* at boot */

/* ---- sending ---- */

/* The answer to R; B is empty afterwards. 0, -ENOBUFS, -ENOMEM. */
int netlink_reply(const struct nl_request *r, struct nlmsg_buf *b) __must_check;
/* The same of one message, if it was BUILT; else -ENOBUFS. */
int netlink_answer(const struct nl_request *r, struct nlmsg_buf *b, bool built) __must_check;
/* Whether R's sender wants to hear of what it changes. R may be NULL. */
static inline bool netlink_wants_echo(const struct nl_request *r)
{
	return r && r->hdr->nlmsg_flags & NLM_F_ECHO;
}

/* -EINTR: it has begun. -EBUSY: another one is under way. D is copied; done() is called. */
int netlink_start_dump(const struct nl_request *r, const struct nl_dump *d) __must_check;
/*
 * To all of GROUP in NET; B is empty afterwards. Atomic contexts too, where B's gfp is: a group of
 * many members hears of it later then. R: the request that made the change, whose sender hears of
 * it by itself with NLM_F_ECHO; NULL.
 */
void netlink_notify(struct net *net, int protocol, unsigned int group, struct nlmsg_buf *b,
		    const struct nl_request *r);
bool netlink_has_listeners(struct net *net, int protocol, unsigned int group);
/* NET's listeners of GROUP miss a message: they read ENOBUFS, soon. Any context. */
void netlink_missed(struct net *net, int protocol, unsigned int group);

/* ---- for net/diag ---- */

struct netlink_info {
	u32 portid, dst_portid, dst_group, groups, flags;
	unsigned int ngroups;
	u16 type, protocol;
	u8 state;
	bool dumping;
	u64 ino, cookie;
	u32 rmem, wmem, rcvbuf, sndbuf, drops, refs;
};
/* Fills in I with the state of N. Does not sleep. */
void netlink_describe(struct netlink_sock *n, struct netlink_info *i);
/*
 * NET's sockets that have a port: FN is called, under a bucket's lock, for those at *POS (0 at
 * first), which is advanced; the end is reached when it is GHASH_END.
 */
void netlink_walk(struct net *net, u64 *pos, void (*fn)(struct ghash_node *node, void *arg),
		  void *arg);
/* The socket of a node; _get: referenced, NULL: it goes. */
struct netlink_sock *netlink_of_node(struct ghash_node *node);
struct netlink_sock *netlink_get_node(struct ghash_node *node) __must_check;
void netlink_put(struct netlink_sock *n);
