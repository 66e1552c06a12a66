/* SPDX-License-Identifier: MIT */
/* Memberships of multicast groups by rtnetlink: dumps (`ip maddr`) and notices. */
#include "nl.h"
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

/* Of Linux 6.15; some C libraries' headers are older. */
#ifndef RTM_NEWMULTICAST
#define RTM_NEWMULTICAST 56
#define RTM_DELMULTICAST 57
#endif
#define MC_USERS 12			/* IFA_MC_USERS */
#ifndef RTNLGRP_IPV4_MCADDR
#define RTNLGRP_IPV4_MCADDR 37
#define RTNLGRP_IPV6_MCADDR 38
#endif

static int d, listener;

static void dummy(void)
{
	struct ifinfomsg *m = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*m));
	struct nlattr *info;

	m->ifi_flags = m->ifi_change = 1;
	attr(IFLA_IFNAME, "d0", 3);
	info = attr(IFLA_LINKINFO, NULL, 0);
	attr(IFLA_INFO_KIND, "dummy", 6);
	ends(info);
	EQ(done(), 0);
	d = (int)OK(if_nametoindex("d0"));
}

/* A namespace with a device, and who hears of GROUP. */
static void network(int group)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };

	own_net(NETLINK_ROUTE);
	dummy();
	listener = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	OK(bind(listener, (void *)&any, sizeof(any)));
	if (setsockopt(listener, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		SKIP("no notices of memberships");
}

static int member4(int how)
{
	struct ip_mreqn r = { .imr_ifindex = d };
	int s = OK(socket(AF_INET, SOCK_DGRAM, 0));

	inet_pton(AF_INET, "239.1.2.3", &r.imr_multiaddr);
	OK(setsockopt(s, IPPROTO_IP, how, &r, sizeof(r)));
	return s;
}

static const unsigned char group4[4] = { 239, 1, 2, 3 };
static struct in6_addr group6;

static int is_of(struct nlmsghdr *h, const void *group, size_t len)
{
	struct nlattr *a = find(h, sizeof(struct ifaddrmsg), IFA_MULTICAST);

	CHECK(a && a->nla_len == NLA_HDRLEN + (a->nla_len > 12 ? 16 : 4));
	return a->nla_len == NLA_HDRLEN + len && !memcmp(a + 1, group, len);
}

/* H is about GROUP on d0, which is all that there is to say of it. */
static void is_right(struct nlmsghdr *h, int type, int family, int scope)
{
	struct ifaddrmsg *m = NLMSG_DATA(h);
	struct nlattr *c = find(h, sizeof(*m), IFA_CACHEINFO);

	EQ(h->nlmsg_type, type);
	EQ(m->ifa_family, family);
	EQ(m->ifa_prefixlen, family == AF_INET ? 32 : 128);
	EQ(m->ifa_flags, IFA_F_PERMANENT);
	EQ(m->ifa_scope, scope);
	EQ(m->ifa_index, d);
	CHECK(c && c->nla_len == NLA_HDRLEN + sizeof(struct ifa_cacheinfo));
	EQ(((struct ifa_cacheinfo *)(c + 1))->ifa_valid, 0xffffffffu);
}

/* The next notice about GROUP of LEN bytes. */
static struct nlmsghdr *hears(const void *group, size_t len)
{
	struct nlmsghdr *h = (void *)in;

	do
		OK(recv(listener, in, sizeof(in), 0));
	while (!is_of(h, group, len));
	return h;
}

static int seen;
static unsigned int users;

static void note4(struct nlmsghdr *h)
{
	if (!is_of(h, group4, 4))
		return;
	is_right(h, RTM_GETMULTICAST, AF_INET, RT_SCOPE_UNIVERSE);
	users = u32_of(find(h, sizeof(struct ifaddrmsg), MC_USERS));
	seen++;
}

static void note6(struct nlmsghdr *h)
{
	if (!is_of(h, &group6, 16))
		return;
	is_right(h, RTM_GETMULTICAST, AF_INET6, RT_SCOPE_SITE);
	seen++;
}

static int listed(int family)
{
	seen = 0;
	CHECK(dump(RTM_GETMULTICAST, family, sizeof(struct ifaddrmsg),
		   family == AF_INET ? note4 : note6) > 0);
	return seen;
}

TEST(ipv4)
{
	int s, t;

	network(RTNLGRP_IPV4_MCADDR);
	s = member4(IP_ADD_MEMBERSHIP);
	is_right(hears(group4, 4), RTM_NEWMULTICAST, AF_INET, RT_SCOPE_UNIVERSE);
	EQ(listed(AF_INET), 1);
	EQ(users, 1);
	t = member4(IP_ADD_MEMBERSHIP);
	EQ(listed(AF_INET), 1);
	EQ(users, 2);
	close(s);
	ERR(recv(listener, in, sizeof(in), MSG_DONTWAIT), EAGAIN);
	EQ(listed(AF_INET), 1);
	close(t);
	is_right(hears(group4, 4), RTM_DELMULTICAST, AF_INET, RT_SCOPE_UNIVERSE);
	EQ(listed(AF_INET), 0);
}

TEST(ipv6)
{
	struct ipv6_mreq r = {};
	int s;

	network(RTNLGRP_IPV6_MCADDR);
	inet_pton(AF_INET6, "ff05::77", &group6);
	r.ipv6mr_multiaddr = group6;
	r.ipv6mr_interface = (unsigned int)d;
	s = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	OK(setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &r, sizeof(r)));
	is_right(hears(&group6, 16), RTM_NEWMULTICAST, AF_INET6, RT_SCOPE_UNIVERSE);
	EQ(listed(AF_INET6), 1);
	close(s);
	is_right(hears(&group6, 16), RTM_DELMULTICAST, AF_INET6, RT_SCOPE_UNIVERSE);
	EQ(listed(AF_INET6), 0);
}

TEST(header_of_a_dump)
{
	struct ifaddrmsg *m;
	int one = 1;

	network(RTNLGRP_IPV4_MCADDR);
	OK(setsockopt(sock, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one)));
	m = begin(RTM_GETMULTICAST, NLM_F_DUMP, sizeof(*m));
	m->ifa_family = AF_INET;
	m->ifa_prefixlen = 1;
	put();
	OK(recv(sock, in, sizeof(in), 0));
	EQ(*(int *)NLMSG_DATA((struct nlmsghdr *)in), -EINVAL);
	m = begin(RTM_GETMULTICAST, NLM_F_DUMP, sizeof(*m));
	EQ(done(), EOPNOTSUPP);
}
