/* SPDX-License-Identifier: MIT */
/* rtnetlink of IPv6: addresses, routes and neighbours, made, shown and removed. */
#include "nl.h"
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#define CREATE (NLM_F_CREATE | NLM_F_EXCL)

static int d;

static struct in6_addr ip(const char *text)
{
	struct in6_addr a;

	EQ(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static void attr_ip(int type, const char *text)
{
	struct in6_addr a = ip(text);

	attr(type, &a, sizeof(a));
}

/* A dummy device that is up. */
static void dummy(void)
{
	struct ifinfomsg *m;
	struct nlattr *info;

	m = begin(RTM_NEWLINK, CREATE, sizeof(*m));
	m->ifi_flags = 1;
	m->ifi_change = 1;
	attr(IFLA_IFNAME, "d0", 3);
	info = attr(IFLA_LINKINFO, NULL, 0);
	attr(IFLA_INFO_KIND, "dummy", 6);
	ends(info);
	EQ(done(), 0);
	m = begin(RTM_GETLINK, 0, sizeof(*m));
	attr(IFLA_IFNAME, "d0", 3);
	put();
	OK(recv(sock, in, sizeof(in), 0));
	d = ((struct ifinfomsg *)NLMSG_DATA((struct nlmsghdr *)in))->ifi_index;
}

/* A namespace with one. */
static void with_dummy(void)
{
	own_net(NETLINK_ROUTE);
	dummy();
}

static int address(int type, int flags, const char *text, int bits)
{
	struct ifaddrmsg *m = begin(type, flags, sizeof(*m));

	m->ifa_family = AF_INET6;
	m->ifa_prefixlen = (unsigned char)bits;
	m->ifa_index = (unsigned int)d;
	m->ifa_flags = IFA_F_NODAD;
	attr_ip(IFA_LOCAL, text);
	return done();
}

static int route(int type, int flags, const char *dst, int bits, const char *via, int table)
{
	struct rtmsg *m = begin(type, flags, sizeof(*m));

	m->rtm_family = AF_INET6;
	m->rtm_dst_len = (unsigned char)bits;
	m->rtm_table = (unsigned char)table;
	m->rtm_protocol = RTPROT_BOOT;
	m->rtm_type = RTN_UNICAST;
	attr_ip(RTA_DST, dst);
	attr_ip(RTA_GATEWAY, via);
	return done();
}

static int seen;

static void has_address(struct nlmsghdr *h)
{
	struct nlattr *a = find(h, sizeof(struct ifaddrmsg), IFA_ADDRESS);
	struct in6_addr want = ip("fd00::1");

	CHECK(a && a->nla_len == 20);
	if (!memcmp(a + 1, &want, 16))
		seen++;
}

TEST(addresses)
{
	with_dummy();
	EQ(address(RTM_NEWADDR, CREATE, "fd00::1", 64), 0);
	EQ(address(RTM_NEWADDR, CREATE, "fd00::1", 64), EEXIST);
	EQ(address(RTM_NEWADDR, NLM_F_REPLACE, "fd00::1", 64), 0);
	EQ(address(RTM_NEWADDR, CREATE, "fd00::2", 129), EINVAL);
	EQ(address(RTM_NEWADDR, CREATE, "ff02::1", 64), EADDRNOTAVAIL);
	dump(RTM_GETADDR, AF_INET6, sizeof(struct ifaddrmsg), has_address);
	EQ(seen, 1);
	EQ(address(RTM_DELADDR, 0, "fd00::1", 64), 0);
	EQ(address(RTM_DELADDR, 0, "fd00::1", 64), EADDRNOTAVAIL);
	seen = 0;
	dump(RTM_GETADDR, AF_UNSPEC, sizeof(struct ifaddrmsg), NULL);
	EQ(seen, 0);
}

static void in_table(struct nlmsghdr *h)
{
	if (u32_of(find(h, sizeof(struct rtmsg), RTA_TABLE)) == 100)
		seen++;
}

TEST(routes)
{
	struct in6_addr want = ip("fd00::9"), src = ip("fd00::1");
	struct nlmsghdr *h = (void *)in;
	struct rtmsg *m;

	with_dummy();
	EQ(address(RTM_NEWADDR, CREATE, "fd00::1", 64), 0);
	EQ(route(RTM_NEWROUTE, CREATE, "2001:db8::", 32, "fd00::9", RT_TABLE_MAIN), 0);
	EQ(route(RTM_NEWROUTE, CREATE, "2001:db8::", 32, "fd00::9", RT_TABLE_MAIN), EEXIST);
	EQ(route(RTM_NEWROUTE, CREATE, "2001:db9::", 32, "2001:dead::1", RT_TABLE_MAIN),
	   EHOSTUNREACH);
	m = begin(RTM_GETROUTE, 0, sizeof(*m));
	m->rtm_family = AF_INET6;
	m->rtm_dst_len = 128;
	attr_ip(RTA_DST, "2001:db8::5");
	put();
	OK(recv(sock, in, sizeof(in), 0));
	EQ(h->nlmsg_type, RTM_NEWROUTE);
	CHECK(!memcmp(find(h, sizeof(*m), RTA_GATEWAY) + 1, &want, 16));
	CHECK(!memcmp(find(h, sizeof(*m), RTA_PREFSRC) + 1, &src, 16));
	EQ(route(RTM_DELROUTE, 0, "2001:db8::", 32, "fd00::9", RT_TABLE_MAIN), 0);
	EQ(route(RTM_DELROUTE, 0, "2001:db8::", 32, "fd00::9", RT_TABLE_MAIN), ESRCH);
	for (int i = 0; i < 500; i++) {
		char dst[40];

		snprintf(dst, sizeof(dst), "2001:db8:%x::", i);
		EQ(route(RTM_NEWROUTE, CREATE, dst, 48, "fd00::9", 100), 0);
	}
	dump(RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg), in_table);
	EQ(seen, 500);
}

static void is_by_device(struct nlmsghdr *h)
{
	struct nlattr *dst = find(h, sizeof(struct rtmsg), RTA_DST);
	struct in6_addr want = ip("2001:db8::");

	if (dst && dst->nla_len == 20 && !memcmp(dst + 1, &want, 16))
		seen++;
}

static int routes_by_device(void)
{
	seen = 0;
	dump(RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg), is_by_device);
	return seen;
}

/* The beginning of a route to 2001:db8::/32. */
static void begin_route(void)
{
	struct rtmsg *m = begin(RTM_NEWROUTE, CREATE, sizeof(*m));

	m->rtm_family = AF_INET6;
	m->rtm_dst_len = 32;
	m->rtm_table = RT_TABLE_MAIN;
	m->rtm_protocol = RTPROT_BOOT;
	m->rtm_type = RTN_UNICAST;
	attr_ip(RTA_DST, "2001:db8::");
}

static int route_by_device(void)
{
	begin_route();
	attr(RTA_OIF, &d, 4);
	return done();
}

/* Sets d0's MTU, or with 0 whether it is up. */
static void change(unsigned int mtu, bool up)
{
	struct ifinfomsg *m = begin(RTM_SETLINK, 0, sizeof(*m));

	m->ifi_index = d;
	m->ifi_flags = up;
	m->ifi_change = !mtu;
	if (mtu)
		attr(IFLA_MTU, &mtu, 4);
	EQ(done(), 0);
}

/* A device whose MTU is too small for IPv6 has no route; a route goes with its device's IPv6. */
TEST(routes_go_with_their_device)
{
	struct ifinfomsg *m;

	with_dummy();
	change(1000, 0);
	EQ(route_by_device(), ENODEV);
	EQ(routes_by_device(), 0);
	change(1500, 0);
	EQ(route_by_device(), 0);
	EQ(routes_by_device(), 1);
	change(1000, 0);
	EQ(routes_by_device(), 0);
	change(1500, 0);
	EQ(route_by_device(), 0);
	change(0, false);
	EQ(routes_by_device(), 0);
	change(0, true);
	EQ(route_by_device(), 0);
	m = begin(RTM_DELLINK, 0, sizeof(*m));
	m->ifi_index = d;
	EQ(done(), 0);
	EQ(routes_by_device(), 0);
}

/*
 * Own addresses are reached by lo, whatever its MTU is: without IPv6 it takes what IPv6 asks of
 * any.
 */
TEST(own_address_by_small_loopback)
{
	static const int mtus[] = { 65536, 1000, 100, 56, 55, 50, 48, 47, 40, 1, 0 };
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_port = htons(4001),
				  .sin6_addr = ip("fd00::1") };
	struct ifreq r = { .ifr_name = "lo" };
	char b[200] = "";
	int s;

	with_dummy();
	EQ(address(RTM_NEWADDR, CREATE, "fd00::1", 64), 0);
	s = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	r.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
	OK(ioctl(s, SIOCSIFFLAGS, &r));
	for (unsigned int i = 0; i < sizeof(mtus) / sizeof(*mtus); i++) {
		r.ifr_mtu = mtus[i];
		OK(ioctl(s, SIOCSIFMTU, &r));
		EQ(sendto(s, b, sizeof(b), 0, (void *)&a, sizeof(a)), 200);
	}
}

/* A route whose time is over goes by itself, and listeners hear of it; only its gateway is said. */
TEST(route_that_ends)
{
	int listener, group = RTNLGRP_IPV6_ROUTE;
	struct in6_addr dst = ip("2001:db8::");
	struct nlmsghdr *h = (void *)in;
	int f;

	own_net(NETLINK_ROUTE);
	/* Nothing else makes the kernel look at the device's state again and again. */
	f = OK(open("/proc/sys/net/ipv6/conf/default/router_solicitations", O_WRONLY));
	EQ(write(f, "0", 1), 1);
	f = open("/proc/sys/net/ipv6/route/gc_interval", O_WRONLY);
	if (f >= 0)	/* Linux looks every 30 s */
		EQ(write(f, "1", 1), 1);
	dummy();
	EQ(address(RTM_NEWADDR, CREATE, "fd00::1", 64), 0);
	listener = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	OK(bind(listener, (void *)&(struct sockaddr_nl){ .nl_family = AF_NETLINK },
		sizeof(struct sockaddr_nl)));
	OK(setsockopt(listener, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)));
	begin_route();
	attr_ip(RTA_GATEWAY, "fd00::9");
	attr_u32(RTA_EXPIRES, 2);
	EQ(done(), 0);
	do
		OK(recv(listener, in, sizeof(in), 0));
	while (h->nlmsg_type != RTM_DELROUTE);
	CHECK(!memcmp(find(h, sizeof(struct rtmsg), RTA_DST) + 1, &dst, 16));
}

/* A device that has no address (yet): what goes by it comes from what there is. */
TEST(source_without_addresses)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(9) }, me;
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	socklen_t len = sizeof(me);
	int f, s;

	own_net(NETLINK_ROUTE);
	f = OK(open("/proc/sys/net/ipv6/conf/default/addr_gen_mode", O_WRONLY));
	EQ(write(f, "1", 1), 1);
	s = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	OK(ioctl(s, SIOCSIFFLAGS, &r));
	dummy();
	begin_route();
	attr_u32(RTA_OIF, (unsigned int)d);
	EQ(done(), 0);
	to.sin6_addr = ip("2001:db8::5");
	EQ(sendto(s, "x", 1, 0, (void *)&to, sizeof(to)), 1);
	OK(connect(s, (void *)&to, sizeof(to)));
	OK(getsockname(s, (void *)&me, &len));
	CHECK(IN6_IS_ADDR_LOOPBACK(&me.sin6_addr));
	/* One of the device's own is better, for a socket that has no source yet. */
	EQ(address(RTM_NEWADDR, CREATE, "fd00::1", 64), 0);
	s = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	OK(connect(s, (void *)&to, sizeof(to)));
	OK(getsockname(s, (void *)&me, &len));
	to.sin6_addr = ip("fd00::1");
	CHECK(IN6_ARE_ADDR_EQUAL(&me.sin6_addr, &to.sin6_addr));
}

static void is_neighbour(struct nlmsghdr *h)
{
	struct ndmsg *m = NLMSG_DATA(h);

	if (m->ndm_ifindex == d && m->ndm_state == NUD_PERMANENT)
		seen |= m->ndm_family == AF_INET6 ? 2 : 1;
}

static int neighbour(int type, int flags, int family, const void *addr, size_t len)
{
	struct ndmsg *m = begin(type, flags, sizeof(*m));
	unsigned char mac[6] = { 2, 0, 0, 0, 0, 7 };

	m->ndm_family = (unsigned char)family;
	m->ndm_ifindex = d;
	m->ndm_state = NUD_PERMANENT;
	attr(NDA_DST, addr, len);
	attr(NDA_LLADDR, mac, 6);
	return done();
}

TEST(neighbours)
{
	struct in6_addr six = ip("fd00::7");
	unsigned int four = inet_addr("10.0.0.7");

	with_dummy();
	EQ(neighbour(RTM_NEWNEIGH, CREATE, AF_INET6, &six, 16), 0);
	EQ(neighbour(RTM_NEWNEIGH, CREATE, AF_INET6, &six, 16), EEXIST);
	EQ(neighbour(RTM_NEWNEIGH, CREATE, AF_INET, &four, 4), 0);
	EQ(neighbour(RTM_NEWNEIGH, CREATE, AF_INET6, &four, 4), EINVAL);
	dump(RTM_GETNEIGH, AF_UNSPEC, sizeof(struct ndmsg), is_neighbour);
	EQ(seen, 3);
	seen = 0;
	dump(RTM_GETNEIGH, AF_INET6, sizeof(struct ndmsg), is_neighbour);
	EQ(seen, 2);
	EQ(neighbour(RTM_DELNEIGH, 0, AF_INET6, &six, 16), 0);
	EQ(neighbour(RTM_DELNEIGH, 0, AF_INET6, &six, 16), ENOENT);
}
