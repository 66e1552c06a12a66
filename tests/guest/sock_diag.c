/* SPDX-License-Identifier: MIT */
/* Sockets and their state by sock_diag(7): of the internet protocols, and local ones. */
#include "nl.h"
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sys/un.h>

static unsigned int seen, seen_port;
static unsigned long inode;

static unsigned long inode_of(int fd)
{
	struct stat st;

	OK(fstat(fd, &st));
	return st.st_ino;
}

static void inet_seen(struct nlmsghdr *h)
{
	struct inet_diag_msg *m = NLMSG_DATA(h);

	seen++;
	EQ(m->idiag_family, AF_INET);
	if (m->idiag_inode == inode)
		seen_port = ntohs(m->id.idiag_sport);
}

static int diag_inet(int protocol, unsigned int states, const void *code, size_t len)
{
	struct inet_diag_req_v2 *q = begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*q));

	q->sdiag_family = AF_INET;
	q->sdiag_protocol = (unsigned char)protocol;
	q->idiag_states = states;
	q->idiag_ext = 0xff;
	if (len)
		attr(INET_DIAG_REQ_BYTECODE, code, len);
	put();
	seen = seen_port = 0;
	for (;;) {
		long n = OK(recv(sock, in, sizeof(in), 0));

		for (struct nlmsghdr *h = (void *)in; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return -((struct nlmsgerr *)NLMSG_DATA(h))->error;
			inet_seen(h);
		}
	}
}

TEST(diag_of_inet)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct inet_diag_bc_op code[2] = { { INET_DIAG_BC_S_EQ, 8, 12 }, {} },
			       bad = { INET_DIAG_BC_JMP, 4, 40 };
	socklen_t len = sizeof(a);
	int l, u;

	own_net(NETLINK_SOCK_DIAG);
	begin(16, 0, 16);	/* another protocol's */
	EQ(done(), EINVAL);
	l = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(bind(l, (void *)&a, sizeof(a)));
	OK(listen(l, 3));
	OK(getsockname(l, (void *)&a, &len));
	inode = inode_of(l);
	EQ(diag_inet(IPPROTO_TCP, ~0u, NULL, 0), 0);
	EQ(seen, 1);
	EQ(seen_port, ntohs(a.sin_port));
	EQ(diag_inet(IPPROTO_TCP, 1 << 1, NULL, 0), 0);
	EQ(seen, 0);
	code[1].no = ntohs(a.sin_port);
	EQ(diag_inet(IPPROTO_TCP, ~0u, code, sizeof(code)), 0);
	EQ(seen, 1);
	code[1].no++;
	EQ(diag_inet(IPPROTO_TCP, ~0u, code, sizeof(code)), 0);
	EQ(seen, 0);
	EQ(diag_inet(IPPROTO_TCP, ~0u, &bad, sizeof(bad)), EINVAL);
	for (int i = 0; i < 300; i++) {
		u = OK(socket(AF_INET, SOCK_DGRAM, 0));
		a.sin_port = 0;
		OK(bind(u, (void *)&a, sizeof(a)));
	}
	EQ(diag_inet(IPPROTO_UDP, ~0u, NULL, 0), 0);
	EQ(seen, 300);
	EQ(diag_inet(99, ~0u, NULL, 0), ENOENT);
}

TEST(diag_of_unix)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0diag" };
	struct unix_diag_req *q;
	struct unix_diag_msg *m;
	struct nlattr *at;
	int s = OK(socket(AF_UNIX, SOCK_STREAM, 0)), pair[2];

	own_net(NETLINK_SOCK_DIAG);
	s = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(bind(s, (void *)&a, offsetof(struct sockaddr_un, sun_path) + 5));
	OK(listen(s, 7));
	q = begin(SOCK_DIAG_BY_FAMILY, 0, sizeof(*q));
	q->sdiag_family = AF_UNIX;
	q->udiag_ino = (unsigned int)inode_of(s);
	q->udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN;
	q->udiag_cookie[0] = q->udiag_cookie[1] = ~0u;
	put();
	OK(recv(sock, in, sizeof(in), 0));
	m = NLMSG_DATA((struct nlmsghdr *)in);
	EQ(m->udiag_state, 10);
	EQ(m->udiag_ino, inode_of(s));
	at = find((void *)in, sizeof(*m), UNIX_DIAG_NAME);
	CHECK(at && at->nla_len == 4 + 5 && !memcmp(at + 1, "\0diag", 5));
	at = find((void *)in, sizeof(*m), UNIX_DIAG_RQLEN);
	CHECK(at);
	EQ(((struct unix_diag_rqlen *)(at + 1))->udiag_wqueue, 7);
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	q = begin(SOCK_DIAG_BY_FAMILY, 0, sizeof(*q));
	q->sdiag_family = AF_UNIX;
	q->udiag_ino = (unsigned int)inode_of(pair[0]);
	q->udiag_show = UDIAG_SHOW_PEER;
	q->udiag_cookie[0] = q->udiag_cookie[1] = ~0u;
	put();
	OK(recv(sock, in, sizeof(in), 0));
	EQ(u32_of(find((void *)in, sizeof(*m), UNIX_DIAG_PEER)), inode_of(pair[1]));
	q = begin(SOCK_DIAG_BY_FAMILY, 0, sizeof(*q));
	q->sdiag_family = AF_UNIX;
	q->udiag_ino = 1;
	EQ(done(), ENOENT);
}
