/* SPDX-License-Identifier: MIT */
/* For tests of netlink: a request is built, sent, and its answer read. */
#pragma once

#include "t.h"
#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

static int sock;			/* of the test's protocol */
static unsigned int seq;
static char in[1 << 16] __attribute__((aligned(8)));

/* ---- a message that is built ---- */

static struct {
	struct nlmsghdr h;
	char body[2000];
} out;

static void *begin(int type, int flags, size_t body)
{
	memset(&out, 0, sizeof(out));
	out.h.nlmsg_len = (unsigned int)NLMSG_LENGTH(body);
	out.h.nlmsg_type = (unsigned short)type;
	out.h.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags);
	out.h.nlmsg_seq = ++seq;
	return out.body;
}

static struct nlattr *attr(int type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)((char *)&out + NLMSG_ALIGN(out.h.nlmsg_len));

	a->nla_type = (unsigned short)type;
	a->nla_len = (unsigned short)(NLA_HDRLEN + len);
	if (len)
		memcpy(a + 1, data, len);
	out.h.nlmsg_len = (unsigned int)(NLMSG_ALIGN(out.h.nlmsg_len) + NLA_ALIGN(a->nla_len));
	return a;
}

static inline void attr_u32(int type, unsigned int v)
{
	attr(type, &v, sizeof(v));
}

static inline void ends(struct nlattr *nest)
{
	nest->nla_len = (unsigned short)((char *)&out + out.h.nlmsg_len - (char *)nest);
}

static void put(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	EQ(sendto(sock, &out, out.h.nlmsg_len, 0, (void *)&kernel, sizeof(kernel)),
	   (long)out.h.nlmsg_len);
}

/* Sends it and returns the error of its ACK, as a positive number. */
static inline int done(void)
{
	struct nlmsghdr *h = (void *)in;
	long n;

	out.h.nlmsg_flags |= NLM_F_ACK;
	put();
	n = OK(recv(sock, in, sizeof(in), 0));
	CHECK(n >= (long)NLMSG_LENGTH(sizeof(struct nlmsgerr)));
	EQ(h->nlmsg_type, NLMSG_ERROR);
	EQ(h->nlmsg_seq, seq);
	return -((struct nlmsgerr *)NLMSG_DATA(h))->error;
}

/* The attribute TYPE of the message H with BODY bytes before its attributes. */
static inline struct nlattr *find(struct nlmsghdr *h, size_t body, int type)
{
	char *at = (char *)h + NLMSG_LENGTH(NLMSG_ALIGN(body)), *end = (char *)h + h->nlmsg_len;

	while (end - at >= NLA_HDRLEN) {
		struct nlattr *a = (void *)at;

		if (a->nla_len < NLA_HDRLEN)
			break;
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		at += NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

static inline unsigned int u32_of(struct nlattr *a)
{
	unsigned int v;

	CHECK(a && a->nla_len >= NLA_HDRLEN + sizeof(v));
	memcpy(&v, a + 1, sizeof(v));
	return v;
}

/* Dumps TYPE for FAMILY; calls FN for each message; how many there were. */
static inline int dump(int type, int family, size_t body, void (*fn)(struct nlmsghdr *h))
{
	unsigned char *m = begin(type, NLM_F_DUMP, body);
	int count = 0;

	m[0] = (unsigned char)family;
	put();
	for (;;) {
		long n = OK(recv(sock, in, sizeof(in), 0));

		for (struct nlmsghdr *h = (void *)in; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			EQ(h->nlmsg_seq, seq);
			CHECK(h->nlmsg_flags & NLM_F_MULTI);
			if (h->nlmsg_type == NLMSG_DONE) {
				EQ(*(int *)NLMSG_DATA(h), 0);
				return count;
			}
			CHECK(h->nlmsg_type != NLMSG_ERROR);
			count++;
			if (fn)
				fn(h);
		}
	}
}

/* A network namespace of one's own, and a socket of PROTOCOL in it. */
static inline void own_net(int protocol)
{
	if (unshare(CLONE_NEWNET))
		SKIP("no network namespaces");
	sock = OK(socket(AF_NETLINK, SOCK_RAW, protocol));
}
