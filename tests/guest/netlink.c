/* SPDX-License-Identifier: MIT */
/*
 * Netlink sockets and rtnetlink: ports, errors and extended ACKs, dumps, groups, and links,
 * addresses and routes made and removed. proves: socket bind sendto recvfrom setsockopt
 */
#include "nl.h"
#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>

/* ---- sockets ---- */

TEST(families)
{
	ERR(socket(AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE), ESOCKTNOSUPPORT);
	ERR(socket(AF_NETLINK, SOCK_RAW, 31), EPROTONOSUPPORT);
	ERR(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER), EPROTONOSUPPORT);
	ERR(socket(AF_NETLINK, SOCK_RAW, -1), EPROTONOSUPPORT);
	OK(socket(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE));
	OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC));
	OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT));
}

TEST(ports)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK }, got;
	socklen_t len = sizeof(got);
	int other;

	own_net(NETLINK_ROUTE);
	OK(bind(sock, (void *)&a, sizeof(a)));
	OK(getsockname(sock, (void *)&got, &len));
	EQ(len, (int)sizeof(got));
	EQ(got.nl_pid, getpid());
	other = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	a.nl_pid = (unsigned int)getpid();
	ERR(bind(other, (void *)&a, sizeof(a)), EADDRINUSE);
	a.nl_pid = 77;
	ERR(bind(sock, (void *)&a, sizeof(a)), EINVAL);
	OK(bind(other, (void *)&a, sizeof(a)));
	a.nl_family = AF_INET;
	ERR(bind(other, (void *)&a, sizeof(a)), EINVAL);
	a.nl_family = AF_NETLINK;
	ERR(bind(other, (void *)&a, sizeof(a) - 1), EINVAL);
	ERR(listen(sock, 1), EOPNOTSUPP);
	ERR(shutdown(sock, SHUT_RD), EOPNOTSUPP);
	ERR(send(sock, "", 0, 0), ENODATA);
	ERR(send(sock, "x", 1, MSG_OOB), EOPNOTSUPP);
}

TEST(between_programs)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_pid = 4000 }, from;
	int s = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK)),
	    t = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK)), on = 1;
	char control[64], b[16];
	struct iovec v = { b, sizeof(b) };
	struct msghdr m = { .msg_name = &from,
			    .msg_namelen = sizeof(from),
			    .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct ucred *c;

	OK(bind(t, (void *)&a, sizeof(a)));
	OK(setsockopt(t, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	a.nl_pid = 4001;
	ERR(sendto(s, "hello", 5, 0, (void *)&a, sizeof(a)), ECONNREFUSED);
	a.nl_pid = 4000;
	EQ(sendto(s, "hello", 5, 0, (void *)&a, sizeof(a)), 5);
	EQ(recvmsg(t, &m, 0), 5);
	CHECK(!memcmp(b, "hello", 5));
	EQ(from.nl_pid, getpid());
	EQ(CMSG_FIRSTHDR(&m)->cmsg_type, SCM_CREDENTIALS);
	c = (void *)CMSG_DATA(CMSG_FIRSTHDR(&m));
	EQ(c->pid, getpid());
	EQ(c->uid, getuid());
	/* A message that is longer than the reader's buffer; then by its length alone. */
	EQ(sendto(s, "hello", 5, 0, (void *)&a, sizeof(a)), 5);
	EQ(recv(t, b, 2, MSG_PEEK | MSG_TRUNC), 5);
	EQ(recv(t, b, 2, 0), 2);
	ERR(recv(t, b, 2, MSG_DONTWAIT), EAGAIN);
	/* The kernel has no end of this protocol. */
	a.nl_pid = 0;
	ERR(sendto(s, "hello", 5, 0, (void *)&a, sizeof(a)), ECONNREFUSED);
}

TEST(groups)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = 5 };
	unsigned int list[4] = {}, g = 2;
	socklen_t len = sizeof(list);

	own_net(NETLINK_ROUTE);
	OK(bind(sock, (void *)&a, sizeof(a)));
	OK(setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &g, sizeof(g)));
	OK(getsockopt(sock, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, list, &len));
	EQ(list[0], 7);
	EQ(len, 8);
	g = 3;
	OK(setsockopt(sock, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &g, sizeof(g)));
	len = sizeof(a);
	OK(getsockname(sock, (void *)&a, &len));
	EQ(a.nl_groups, 3);
	g = 0;
	ERR(setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &g, sizeof(g)), EINVAL);
	g = 1000;
	ERR(setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &g, sizeof(g)), EINVAL);
	ERR(setsockopt(sock, SOL_NETLINK, 99, &g, sizeof(g)), ENOPROTOOPT);
}

/* ---- requests ---- */

TEST(errors)
{
	int on = 1;
	struct nlmsghdr *h = (void *)in;
	struct ifinfomsg *m;
	struct nlattr *text;

	own_net(NETLINK_ROUTE);
	begin(RTM_GETLINK, 0, sizeof(*m));
	EQ(done(), EINVAL);
	/* The whole request comes back, unless the program does not want it. */
	EQ(h->nlmsg_len, NLMSG_LENGTH(sizeof(struct nlmsgerr)) + sizeof(*m));
	OK(setsockopt(sock, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)));
	m = begin(RTM_GETLINK, 0, sizeof(*m));
	m->ifi_index = 99;
	EQ(done(), ENODEV);
	EQ(h->nlmsg_len, NLMSG_LENGTH(sizeof(struct nlmsgerr)));
	CHECK(h->nlmsg_flags & NLM_F_CAPPED);
	begin(RTM_MAX + 1, 0, 4);
	EQ(done(), EOPNOTSUPP);
	begin(NLMSG_NOOP, 0, 0);
	EQ(done(), 0);
	OK(setsockopt(sock, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)));
	m = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*m));
	text = attr(IFLA_LINKINFO, NULL, 0);
	attr(IFLA_INFO_KIND, "nonesuch", 9);
	ends(text);
	EQ(done(), EOPNOTSUPP);
	CHECK(h->nlmsg_flags & NLM_F_ACK_TLVS);
	text = find(h, sizeof(struct nlmsgerr), NLMSGERR_ATTR_MSG);
	CHECK(text && !strcmp((char *)(text + 1), "Unknown device type"));
}

TEST(needs_capability)
{
	own_net(NETLINK_ROUTE);
	begin(RTM_NEWLINK, NLM_F_CREATE, sizeof(struct ifinfomsg));
	OK(setuid(1000));
	EQ(done(), EPERM);
	CHECK(dump(RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), NULL) == 1);
}

TEST(groups_of_others)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	unsigned int g = 1;

	own_net(NETLINK_SOCK_DIAG);
	OK(setuid(1000));
	ERR(setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &g, sizeof(g)), EPERM);
	ERR(bind(sock, (void *)&a, sizeof(a)), EPERM);
	ERR(sendto(sock, "x", 1, 0, (void *)&a, sizeof(a)), EPERM);
	ERR(connect(sock, (void *)&a, sizeof(a)), EPERM);
}

static int found_index;
static const char *wanted;

static void look_for(struct nlmsghdr *h)
{
	struct nlattr *a = find(h, sizeof(struct ifinfomsg), IFLA_IFNAME);

	EQ(h->nlmsg_type, RTM_NEWLINK);
	CHECK(a);
	if (!strcmp((char *)(a + 1), wanted))
		found_index = ((struct ifinfomsg *)NLMSG_DATA(h))->ifi_index;
}

static int index_of(const char *name)
{
	found_index = 0;
	wanted = name;
	dump(RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), look_for);
	return found_index;
}

static int link_new(const char *kind, const char *name, const char *peer)
{
	struct ifinfomsg nobody = {};
	struct nlattr *info, *data, *end;

	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	attr(IFLA_IFNAME, name, strlen(name) + 1);
	info = attr(IFLA_LINKINFO, NULL, 0);
	attr(IFLA_INFO_KIND, kind, strlen(kind) + 1);
	if (peer) {
		data = attr(IFLA_INFO_DATA, NULL, 0);
		end = attr(VETH_INFO_PEER, &nobody, sizeof(nobody));
		attr(IFLA_IFNAME, peer, strlen(peer) + 1);
		ends(end);
		ends(data);
	}
	ends(info);
	return done();
}

static int link_up(int index, int on)
{
	struct ifinfomsg *m = begin(RTM_NEWLINK, 0, sizeof(*m));

	m->ifi_index = index;
	m->ifi_flags = on;
	m->ifi_change = 1;
	return done();
}

static int address(int type, int flags, int index, const char *ip, int bits)
{
	struct ifaddrmsg *m = begin(type, flags, sizeof(*m));
	unsigned int a = inet_addr(ip);

	m->ifa_family = AF_INET;
	m->ifa_prefixlen = (unsigned char)bits;
	m->ifa_index = (unsigned int)index;
	attr_u32(IFA_LOCAL, a);
	attr_u32(IFA_ADDRESS, a);
	return done();
}

static int route(int type, int flags, const char *dst, int bits, const char *via, int table)
{
	struct rtmsg *m = begin(type, flags, sizeof(*m));

	m->rtm_family = AF_INET;
	m->rtm_dst_len = (unsigned char)bits;
	m->rtm_table = (unsigned char)table;
	m->rtm_protocol = RTPROT_BOOT;
	m->rtm_type = RTN_UNICAST;
	attr_u32(RTA_DST, inet_addr(dst));
	attr_u32(RTA_GATEWAY, inet_addr(via));
	return done();
}

#define CREATE (NLM_F_CREATE | NLM_F_EXCL)

TEST(links)
{
	struct ifinfomsg *m;
	unsigned char mac[6] = { 2, 0, 0, 0, 0, 9 }, group[6] = { 1, 0, 0, 0, 0, 9 };
	int d, v;

	own_net(NETLINK_ROUTE);
	EQ(index_of("lo"), 1);
	EQ(link_new("dummy", "d0", NULL), 0);
	EQ(link_new("dummy", "d0", NULL), EEXIST);
	d = index_of("d0");
	CHECK(d > 1);
	EQ(link_up(d, 1), 0);
	m = begin(RTM_NEWLINK, 0, sizeof(*m));
	m->ifi_index = d;
	attr_u32(IFLA_MTU, 1400);
	attr(IFLA_ADDRESS, mac, 6);
	attr(IFLA_IFNAME, "other", 6);
	EQ(done(), 0);
	EQ(index_of("other"), d);
	m = begin(RTM_GETLINK, 0, sizeof(*m));
	m->ifi_index = d;
	put();
	OK(recv(sock, in, sizeof(in), 0));
	EQ(u32_of(find((void *)in, sizeof(*m), IFLA_MTU)), 1400);
	CHECK(!memcmp(find((void *)in, sizeof(*m), IFLA_ADDRESS) + 1, mac, 6));
	/* Nests that are older than their flag are without it. */
	EQ(find((void *)in, sizeof(*m), IFLA_LINKINFO)->nla_type, IFLA_LINKINFO);
	EQ(find((void *)in, sizeof(*m), IFLA_AF_SPEC)->nla_type, IFLA_AF_SPEC);
	m = begin(RTM_NEWLINK, 0, sizeof(*m));
	m->ifi_index = d;
	attr(IFLA_ADDRESS, group, 6);
	EQ(done(), EADDRNOTAVAIL);
	m = begin(RTM_NEWLINK, 0, sizeof(*m));
	m->ifi_index = d;
	attr(IFLA_ADDRESS, mac, 4);
	EQ(done(), EINVAL);
	/* A pair: either end takes the other along. */
	EQ(link_new("veth", "va", "vb"), 0);
	v = index_of("vb");
	CHECK(v > d);
	CHECK(index_of("va") > d);
	m = begin(RTM_DELLINK, 0, sizeof(*m));
	m->ifi_index = v;
	EQ(done(), 0);
	EQ(index_of("va"), 0);
	EQ(index_of("vb"), 0);
	m = begin(RTM_DELLINK, 0, sizeof(*m));
	m->ifi_index = 1;
	EQ(done(), EOPNOTSUPP);
	m = begin(RTM_DELLINK, 0, sizeof(*m));
	m->ifi_index = d;
	EQ(done(), 0);
	EQ(done(), ENODEV);
}

/* A new link that cannot have every attribute is not made. */
TEST(no_half_links)
{
	struct nlattr *info;

	own_net(NETLINK_ROUTE);
	for (int i = 0; i < 2; i++) {
		begin(RTM_NEWLINK, CREATE, sizeof(struct ifinfomsg));
		attr(IFLA_IFNAME, "half", 5);
		info = attr(IFLA_LINKINFO, NULL, 0);
		attr(IFLA_INFO_KIND, "veth", 5);
		ends(info);
		attr_u32(IFLA_MASTER, i ? 1 : 999);	/* lo has no ports */
		EQ(done(), i ? EOPNOTSUPP : EINVAL);
		EQ(index_of("half"), 0);
		EQ(index_of("veth0"), 0);
	}
	EQ(link_new("veth", "half", "other"), 0);
}

/* A tun device has no address, whatever its type; lo has one that can be changed. */
TEST(addresses_of_lo_and_tun)
{
	static const unsigned char mac[6] = { 2, 0, 0, 0, 0, 9 };
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	struct ifreq r = {};
	struct ifinfomsg *m;
	int f, index;

	own_net(NETLINK_ROUTE);
	m = begin(RTM_SETLINK, 0, sizeof(*m));
	m->ifi_index = 1;
	attr(IFLA_ADDRESS, "\1\0\0\0\0\1", 6);
	EQ(done(), EADDRNOTAVAIL);
	m = begin(RTM_SETLINK, 0, sizeof(*m));
	m->ifi_index = 1;
	attr(IFLA_ADDRESS, mac, 6);
	EQ(done(), 0);
	strcpy(r.ifr_name, "lo");
	OK(ioctl(sock, SIOCGIFHWADDR, &r));
	EQ(r.ifr_hwaddr.sa_family, 772);	/* ARPHRD_LOOPBACK */
	CHECK(!memcmp(r.ifr_hwaddr.sa_data, mac, 6));
	r.ifr_hwaddr.sa_data[5] = 0;
	OK(ioctl(sock, SIOCSIFHWADDR, &r));
	memset(r.ifr_hwaddr.sa_data, 0, 6);
	ERR(ioctl(sock, SIOCSIFHWADDR, &r), EADDRNOTAVAIL);
	EQ(link_up(1, 1), 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(bind(f, (void *)&a, sizeof(a)));
	OK(getsockname(f, (void *)&a, &len));
	OK(connect(f, (void *)&a, len));
	EQ(send(f, "still there", 11, 0), 11);
	EQ(recv(f, in, sizeof(in), 0), 11);
	strcpy(r.ifr_name, "np");
	r.ifr_flags = IFF_TUN | IFF_NO_PI;
	f = open("/dev/net/tun", O_RDWR);
	if (f < 0)
		SKIP("no /dev/net/tun");
	OK(ioctl(f, TUNSETIFF, &r));
	OK(ioctl(f, TUNSETLINK, 1));
	index = index_of("np");
	m = begin(RTM_SETLINK, 0, sizeof(*m));
	m->ifi_index = index;
	attr(IFLA_ADDRESS, mac, 6);
	EQ(done(), EOPNOTSUPP);
	r.ifr_hwaddr.sa_family = 1;
	memcpy(r.ifr_hwaddr.sa_data, mac, 6);
	ERR(ioctl(f, SIOCSIFHWADDR, &r), EOPNOTSUPP);
}

TEST(link_to_other_namespace)
{
	int fds[2], gone[2], d;
	char c;
	pid_t p;
	struct ifinfomsg *m;

	own_net(NETLINK_ROUTE);
	OK(pipe(fds));
	OK(pipe(gone));
	p = OK(fork());
	if (!p) {
		OK(unshare(CLONE_NEWNET));
		EQ(write(fds[1], "x", 1), 1);
		EQ(read(gone[0], &c, 1), 1);
		sock = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
		CHECK(index_of("moved") > 1);
		_exit(0);
	}
	EQ(read(fds[0], &c, 1), 1);
	EQ(link_new("dummy", "moved", NULL), 0);
	d = index_of("moved");
	m = begin(RTM_NEWLINK, 0, sizeof(*m));
	m->ifi_index = d;
	attr_u32(IFLA_NET_NS_PID, (unsigned int)p);
	EQ(done(), 0);
	EQ(index_of("moved"), 0);
	m = begin(RTM_NEWLINK, 0, sizeof(*m));
	m->ifi_index = 1;
	attr_u32(IFLA_NET_NS_PID, (unsigned int)p);
	EQ(done(), EINVAL);
	m = begin(RTM_NEWLINK, 0, sizeof(*m));
	m->ifi_index = 1;
	attr_u32(IFLA_NET_NS_FD, 999);
	EQ(done(), EBADF);
	EQ(write(gone[1], "x", 1), 1);
	EQ(waitpid(p, &d, 0), p);
	EQ(d, 0);
}

/* Root of a user namespace may not put a device into a network that another one owns. */
TEST(other_owner)
{
	struct ifinfomsg *m;
	int d, net = OK(open("/proc/self/ns/net", O_RDONLY));

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		SKIP("no user namespaces");
	sock = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	EQ(link_new("dummy", "d0", NULL), 0);
	d = index_of("d0");
	m = begin(RTM_NEWLINK, 0, sizeof(*m));
	m->ifi_index = d;
	attr_u32(IFLA_NET_NS_FD, (unsigned int)net);
	EQ(done(), EPERM);
	EQ(index_of("d0"), d);
}

TEST(numbers_of_namespaces)
{
	int net = OK(open("/proc/self/ns/net", O_RDONLY)), far = -1;
	struct nlattr *info, *data, *end, *a;
	struct ifinfomsg nobody = {}, *m;
	struct nlmsghdr *h = (void *)in;

	own_net(NETLINK_ROUTE);
	begin(RTM_GETNSID, 0, sizeof(struct rtgenmsg));
	attr_u32(NETNSA_FD, (unsigned int)net);
	put();
	OK(recv(sock, in, sizeof(in), 0));
	EQ(h->nlmsg_type, RTM_NEWNSID);
	EQ((int)u32_of(find(h, sizeof(struct rtgenmsg), NETNSA_NSID)), NETNSA_NSID_NOT_ASSIGNED);
	/* A pair whose other end is there: it gets a number. */
	begin(RTM_NEWLINK, CREATE, sizeof(struct ifinfomsg));
	attr(IFLA_IFNAME, "va", 3);
	info = attr(IFLA_LINKINFO, NULL, 0);
	attr(IFLA_INFO_KIND, "veth", 5);
	data = attr(IFLA_INFO_DATA, NULL, 0);
	end = attr(VETH_INFO_PEER, &nobody, sizeof(nobody));
	attr(IFLA_IFNAME, "far", 4);
	attr_u32(IFLA_NET_NS_FD, (unsigned int)net);
	ends(end);
	ends(data);
	ends(info);
	EQ(done(), 0);
	CHECK(index_of("va") > 0);
	m = begin(RTM_GETLINK, 0, sizeof(*m));
	m->ifi_index = found_index;
	put();
	OK(recv(sock, in, sizeof(in), 0));
	a = find(h, sizeof(*m), IFLA_LINK_NETNSID);
	EQ(u32_of(a), 0);
	far = (int)u32_of(find(h, sizeof(*m), IFLA_LINK));
	CHECK(far > 0);
	begin(RTM_NEWNSID, 0, sizeof(struct rtgenmsg));
	attr_u32(NETNSA_FD, (unsigned int)net);
	attr_u32(NETNSA_NSID, 7);
	EQ(done(), EEXIST);
	EQ(dump(RTM_GETNSID, 0, sizeof(struct rtgenmsg), NULL), 1);
	m = begin(RTM_DELLINK, 0, sizeof(*m));
	m->ifi_index = found_index;
	EQ(done(), 0);
}

static int addresses(void)
{
	return dump(RTM_GETADDR, AF_INET, sizeof(struct ifaddrmsg), NULL);
}

TEST(addresses_expire)
{
	struct ifa_cacheinfo c = { .ifa_prefered = 1, .ifa_valid = 1 };
	struct ifaddrmsg *m;
	unsigned int g = RTNLGRP_IPV4_IFADDR;
	struct nlmsghdr *h = (void *)in;
	int listener;

	own_net(NETLINK_ROUTE);
	listener = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	m = begin(RTM_NEWADDR, CREATE, sizeof(*m));
	m->ifa_family = AF_INET;
	m->ifa_prefixlen = 24;
	m->ifa_index = 1;
	attr_u32(IFA_LOCAL, inet_addr("10.1.0.1"));
	attr(IFA_CACHEINFO, &c, sizeof(c));
	EQ(done(), 0);
	EQ(address(RTM_NEWADDR, CREATE, 1, "10.2.0.1", 24), 0);
	EQ(addresses(), 2);
	OK(setsockopt(listener, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &g, sizeof(g)));
	do
		OK(recv(listener, in, sizeof(in), 0));
	while (h->nlmsg_type != RTM_DELADDR);
	EQ(u32_of(find(h, sizeof(*m), IFA_LOCAL)), inet_addr("10.1.0.1"));
	EQ(addresses(), 1);
	c.ifa_valid = 0;
	m = begin(RTM_NEWADDR, CREATE, sizeof(*m));
	m->ifa_family = AF_INET;
	m->ifa_prefixlen = 24;
	m->ifa_index = 1;
	attr_u32(IFA_LOCAL, inet_addr("10.1.0.1"));
	attr(IFA_CACHEINFO, &c, sizeof(c));
	EQ(done(), EINVAL);
}

static int count_table;

static void in_table(struct nlmsghdr *h)
{
	if ((int)u32_of(find(h, sizeof(struct rtmsg), RTA_TABLE)) == 100)
		count_table++;
}

TEST(addresses_and_routes)
{
	struct rtmsg *m;
	int d;

	own_net(NETLINK_ROUTE);
	EQ(link_new("dummy", "d0", NULL), 0);
	d = index_of("d0");
	EQ(link_up(d, 1), 0);
	EQ(address(RTM_NEWADDR, CREATE, d, "10.1.0.1", 24), 0);
	EQ(address(RTM_NEWADDR, CREATE, d, "10.1.0.1", 24), EEXIST);
	EQ(address(RTM_NEWADDR, CREATE, 99, "10.1.0.2", 24), ENODEV);
	EQ(address(RTM_NEWADDR, CREATE, d, "10.1.0.2", 33), EINVAL);
	EQ(dump(RTM_GETADDR, AF_INET, sizeof(struct ifaddrmsg), NULL), 1);
	EQ(route(RTM_NEWROUTE, CREATE, "10.2.0.0", 16, "10.1.0.9", RT_TABLE_MAIN), 0);
	EQ(route(RTM_NEWROUTE, CREATE, "10.2.0.0", 16, "10.1.0.9", RT_TABLE_MAIN), EEXIST);
	EQ(route(RTM_NEWROUTE, CREATE, "10.3.0.0", 16, "99.9.9.9", RT_TABLE_MAIN), ENETUNREACH);
	EQ(route(RTM_NEWROUTE, CREATE, "10.3.0.1", 16, "10.1.0.9", RT_TABLE_MAIN), EINVAL);
	m = begin(RTM_GETROUTE, 0, sizeof(*m));
	m->rtm_family = AF_INET;
	m->rtm_dst_len = 32;
	attr_u32(RTA_DST, inet_addr("10.2.3.4"));
	put();
	OK(recv(sock, in, sizeof(in), 0));
	EQ(((struct nlmsghdr *)in)->nlmsg_type, RTM_NEWROUTE);
	EQ(u32_of(find((void *)in, sizeof(*m), RTA_GATEWAY)), inet_addr("10.1.0.9"));
	EQ(u32_of(find((void *)in, sizeof(*m), RTA_PREFSRC)), inet_addr("10.1.0.1"));
	EQ(route(RTM_DELROUTE, 0, "10.2.0.0", 16, "10.1.0.9", RT_TABLE_MAIN), 0);
	EQ(route(RTM_DELROUTE, 0, "10.2.0.0", 16, "10.1.0.9", RT_TABLE_MAIN), ESRCH);
	/* More routes than a buffer holds: each is dumped once. */
	for (int i = 0; i < 1000; i++) {
		char dst[32];

		snprintf(dst, sizeof(dst), "20.%d.%d.0", i / 250, i % 250);
		EQ(route(RTM_NEWROUTE, CREATE, dst, 24, "10.1.0.9", 100), 0);
	}
	dump(RTM_GETROUTE, AF_INET, sizeof(struct rtmsg), in_table);
	EQ(count_table, 1000);
	EQ(address(RTM_DELADDR, 0, d, "10.1.0.1", 24), 0);
	EQ(address(RTM_DELADDR, 0, d, "10.1.0.1", 24), EADDRNOTAVAIL);
}

TEST(two_dumps)
{
	struct pollfd p;
	int r;

	own_net(NETLINK_ROUTE);
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "d%d", i);
		EQ(link_new("dummy", name, NULL), 0);
	}
	/* nobody has read a long buffer from it */
	sock = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	begin(RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	put();
	/* The first one goes on as it is read; another one has to wait for its end. */
	begin(RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	put();
	p = (struct pollfd){ sock, POLLIN, 0 };
	r = 0;
	for (int ended = 0; !ended || r;) {
		long n = OK(recv(sock, in, 8192, 0));

		for (struct nlmsghdr *h = (void *)in; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE)
				ended = 1;
			if (h->nlmsg_type == NLMSG_ERROR) {
				EQ(((struct nlmsgerr *)NLMSG_DATA(h))->error, -EBUSY);
				r = -1;
			}
		}
		if (ended) {
			CHECK(r == -1);
			break;
		}
	}
	EQ(poll(&p, 1, 0), 0);
}

TEST(notifications)
{
	unsigned int g = RTNLGRP_LINK, ga = RTNLGRP_IPV4_IFADDR, gr = RTNLGRP_IPV4_ROUTE;
	int listener, d, types[8] = {}, n = 0;
	struct nlmsghdr *h = (void *)in;

	own_net(NETLINK_ROUTE);
	listener = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	OK(setsockopt(listener, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &g, sizeof(g)));
	OK(setsockopt(listener, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &ga, sizeof(ga)));
	OK(setsockopt(listener, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &gr, sizeof(gr)));
	EQ(link_new("dummy", "d0", NULL), 0);
	OK(recv(listener, in, sizeof(in), MSG_DONTWAIT));
	EQ(h->nlmsg_type, RTM_NEWLINK);
	EQ(h->nlmsg_pid, 0);
	d = ((struct ifinfomsg *)NLMSG_DATA(h))->ifi_index;
	EQ(link_up(d, 1), 0);
	while (recv(listener, in, sizeof(in), MSG_DONTWAIT) > 0)
		EQ(h->nlmsg_type, RTM_NEWLINK);
	EQ(address(RTM_NEWADDR, CREATE, d, "10.1.0.1", 24), 0);
	while (recv(listener, in, sizeof(in), MSG_DONTWAIT) > 0 && n < 8)
		types[n++] = h->nlmsg_type;
	CHECK(n >= 2);
	for (int i = 0; i < n; i++)
		CHECK(types[i] == RTM_NEWADDR || types[i] == RTM_NEWROUTE);
}

TEST(reader_that_does_not_read)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int listener, small = 1, d;

	own_net(NETLINK_ROUTE);
	listener = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	OK(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)));
	OK(bind(listener, (void *)&a, sizeof(a)));
	EQ(link_new("dummy", "d0", NULL), 0);
	d = index_of("d0");
	for (int i = 0; i < 20; i++)
		EQ(link_up(d, i & 1), 0);
	ERR(recv(listener, in, sizeof(in), MSG_DONTWAIT), ENOBUFS);
	/* Once; what had come before is there, and what comes later. */
	while (recv(listener, in, sizeof(in), MSG_DONTWAIT) > 0)
		;
	EQ(errno, EAGAIN);
	EQ(link_up(d, 0), 0);
	if (recv(listener, in, sizeof(in), MSG_DONTWAIT) < 0) {	/* the second was too many again */
		EQ(errno, ENOBUFS);
		CHECK(recv(listener, in, sizeof(in), MSG_DONTWAIT) > 0);
	}
}

TEST(generic)
{
	struct genlmsghdr *g;
	unsigned short id;
	struct nlattr *a;

	sock = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC));
	g = begin(GENL_ID_CTRL, 0, sizeof(*g));
	g->cmd = CTRL_CMD_GETFAMILY;
	attr(CTRL_ATTR_FAMILY_NAME, "nlctrl", 7);
	put();
	OK(recv(sock, in, sizeof(in), 0));
	a = find((void *)in, sizeof(*g), CTRL_ATTR_FAMILY_ID);
	CHECK(a);
	memcpy(&id, a + 1, sizeof(id));
	EQ(id, GENL_ID_CTRL);
	g = begin(GENL_ID_CTRL, 0, sizeof(*g));
	g->cmd = CTRL_CMD_GETFAMILY;
	attr(CTRL_ATTR_FAMILY_NAME, "nonesuch", 9);
	EQ(done(), ENOENT);
	begin(99, 0, sizeof(*g));
	EQ(done(), ENOENT);
}
