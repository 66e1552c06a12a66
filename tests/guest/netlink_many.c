/* SPDX-License-Identifier: MIT */
/*
 * Netlink: more listeners than one batch has, and programs that send to each other faster than they
 * read. proves: sendto recvfrom setsockopt
 */
#include "nl.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#define LISTENERS 50			/* more than three batches */

static int listeners[LISTENERS];

static void listen_to(unsigned int group)
{
	for (int i = 0; i < LISTENERS; i++) {
		struct sockaddr_nl any = { .nl_family = AF_NETLINK };

		listeners[i] = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
		OK(bind(listeners[i], (void *)&any, sizeof(any)));
		OK(setsockopt(listeners[i], SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
			      sizeof(group)));
	}
}

static int dummy(void)
{
	struct nlattr *info;
	struct nlmsghdr *h = (void *)in;

	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	attr(IFLA_IFNAME, "d0", 3);
	info = attr(IFLA_LINKINFO, NULL, 0);
	attr(IFLA_INFO_KIND, "dummy", 6);
	ends(info);
	EQ(done(), 0);
	begin(RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	attr(IFLA_IFNAME, "d0", 3);
	put();
	OK(recv(sock, in, sizeof(in), 0));
	EQ(h->nlmsg_type, RTM_NEWLINK);
	return ((struct ifinfomsg *)NLMSG_DATA(h))->ifi_index;
}

/* Each listener hears once, also where members before it left. */
TEST(each_hears_once)
{
	struct nlmsghdr *h = (void *)in;

	own_net(NETLINK_ROUTE);
	listen_to(RTNLGRP_LINK);
	for (int i = 0; i < LISTENERS; i += 3)
		close(listeners[i]);
	dummy();
	for (int i = 0; i < LISTENERS; i++) {
		if (!(i % 3))
			continue;
		OK(recv(listeners[i], in, sizeof(in), MSG_DONTWAIT));
		EQ(h->nlmsg_type, RTM_NEWLINK);
		ERR(recv(listeners[i], in, sizeof(in), MSG_DONTWAIT), EAGAIN);
	}
}

static void neighbour(int type, int index, int last)
{
	struct ndmsg *m = begin(type, NLM_F_CREATE, sizeof(*m));
	unsigned char mac[6] = { 2, 0, 0, 0, 0, 7 };
	unsigned int ip = htonl(0x0a000000u + (unsigned int)last);

	m->ndm_family = AF_INET;
	m->ndm_ifindex = index;
	m->ndm_state = NUD_PERMANENT;
	attr(NDA_DST, &ip, 4);
	attr(NDA_LLADDR, mac, 6);
	EQ(done(), 0);
}

/*
 * Neighbours change in contexts that cannot sleep: with many listeners a worker tells them, and the
 * order stays, also when few are left while it has not come so far.
 */
TEST(order_of_neighbours)
{
	struct nlmsghdr *h = (void *)in;
	int index;

	own_net(NETLINK_ROUTE);
	index = dummy();
	listen_to(RTNLGRP_NEIGH);
	for (int i = 1; i <= 20; i++)
		neighbour(RTM_NEWNEIGH, index, i);
	for (int i = 1; i < LISTENERS; i++)
		close(listeners[i]);
	for (int i = 21; i <= 40; i++)
		neighbour(RTM_NEWNEIGH, index, i);
	for (int i = 1; i <= 40; i++) {
		OK(recv(listeners[0], in, sizeof(in), 0));
		EQ(h->nlmsg_type, RTM_NEWNEIGH);
		EQ(ntohl(u32_of(find(h, sizeof(struct ndmsg), NDA_DST))), 0x0a000000u + i);
	}
	ERR(recv(listeners[0], in, sizeof(in), MSG_DONTWAIT), EAGAIN);
}

/* More notices than wait for the worker, or than a buffer holds: the reader learns of the loss. */
TEST(worker_that_is_behind)
{
	int index, small = 1, lost = 0;

	own_net(NETLINK_ROUTE);
	index = dummy();
	listen_to(RTNLGRP_NEIGH);
	OK(setsockopt(listeners[7], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)));
	for (int i = 1; i <= 100; i++)
		neighbour(RTM_NEWNEIGH, index, i);
	/* The last listener has all of them: so has every one before it. */
	for (int i = 1; i <= 100; i++)
		OK(recv(listeners[LISTENERS - 1], in, sizeof(in), 0));
	while (recv(listeners[7], in, sizeof(in), MSG_DONTWAIT) > 0 || errno == ENOBUFS)
		lost |= errno == ENOBUFS;
	CHECK(lost);
	/* It hears of what comes next. */
	neighbour(RTM_NEWNEIGH, index, 101);
	CHECK(recv(listeners[7], in, sizeof(in), 0) > 0);
}

static int neighbours;

static void is_ours(struct nlmsghdr *h)
{
	unsigned int ip = ntohl(u32_of(find(h, sizeof(struct ndmsg), NDA_DST)));

	CHECK(ip > 0x0a000000u && ip <= 0x0a000000u + 400);
	neighbours++;
}

/* More than a buffer holds: each is dumped once. */
TEST(dump_of_neighbours)
{
	int index;

	own_net(NETLINK_ROUTE);
	index = dummy();
	for (int i = 1; i <= 400; i++)
		neighbour(RTM_NEWNEIGH, index, i);
	sock = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));	/* with a short buffer at first */
	EQ(dump(RTM_GETNEIGH, AF_INET, sizeof(struct ndmsg), is_ours), 400);
	EQ(neighbours, 400);
}

/* The maker hears of the number that it gave, once, apart from the listeners. */
TEST(echo_of_a_number)
{
	int net = OK(open("/proc/self/ns/net", O_RDONLY));
	struct nlmsghdr *h = (void *)in;

	own_net(NETLINK_ROUTE);
	begin(RTM_NEWNSID, NLM_F_ECHO, sizeof(struct rtgenmsg));
	attr_u32(NETNSA_FD, (unsigned int)net);
	attr_u32(NETNSA_NSID, 5);
	put();
	OK(recv(sock, in, sizeof(in), 0));
	EQ(h->nlmsg_type, RTM_NEWNSID);
	EQ(h->nlmsg_seq, seq);
	EQ(u32_of(find(h, sizeof(struct rtgenmsg), NETNSA_NSID)), 5);
	ERR(recv(sock, in, sizeof(in), MSG_DONTWAIT), EAGAIN);
}

/* ---- between programs ---- */

#define MESSAGES 2000

static struct sockaddr_nl there = { .nl_family = AF_NETLINK, .nl_pid = 4000 };

static int receiver(void)
{
	int s = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK)), small = 1;

	OK(setsockopt(s, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)));
	OK(bind(s, (void *)&there, sizeof(there)));
	return s;
}

static pid_t sender(int messages)
{
	pid_t p = OK(fork());
	int s;

	if (p)
		return p;
	close(listeners[0]);
	s = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK));
	for (int i = 0; i < messages; i++)
		if (sendto(s, &i, sizeof(i), 0, (void *)&there, sizeof(there)) < 0)
			_exit(errno);
	_exit(0);
}

TEST(sender_waits)
{
	int status, v;
	pid_t p;

	listeners[0] = receiver();
	p = sender(MESSAGES);
	for (int i = 0; i < MESSAGES; i++) {
		EQ(recv(listeners[0], &v, sizeof(v), 0), (long)sizeof(v));
		EQ(v, i);
	}
	OK(waitpid(p, &status, 0));
	EQ(status, 0);
}

/* One that waits for a reader which goes is told. */
TEST(receiver_goes)
{
	int status, v;
	pid_t p;

	listeners[0] = receiver();
	p = sender(1 << 30);
	for (int i = 0; i < 100; i++)
		EQ(recv(listeners[0], &v, sizeof(v), 0), (long)sizeof(v));
	close(listeners[0]);
	OK(waitpid(p, &status, 0));
	CHECK(WIFEXITED(status));
	EQ(WEXITSTATUS(status), ECONNREFUSED);
}

/* What the receiver's filter refuses has arrived, as its sender sees it. */
TEST(filter_of_the_receiver)
{
	struct sock_filter none[] = { { BPF_RET | BPF_K, 0, 0, 0 } };
	struct sock_fprog prog = { 1, none };
	int s = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK)), to = receiver(), v = 1;

	OK(setsockopt(to, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)));
	EQ(sendto(s, &v, sizeof(v), 0, (void *)&there, sizeof(there)), (long)sizeof(v));
	ERR(recv(to, &v, sizeof(v), MSG_DONTWAIT), EAGAIN);
	/* Of what it cuts, what is left. */
	none[0].k = 3;
	OK(setsockopt(to, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)));
	EQ(sendto(s, &v, sizeof(v), 0, (void *)&there, sizeof(there)), 3);
	EQ(recv(to, &v, sizeof(v), MSG_DONTWAIT), 3);
}
