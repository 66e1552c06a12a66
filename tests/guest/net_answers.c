/* SPDX-License-Identifier: MIT */
/*
 * What network programs were answered wrongly: each TEST is one report, or one kind.
 * proves: bind sendto recvmsg sendmsg ioctl setns
 */
#include "nl.h"
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/genetlink.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/in_route.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

typedef struct sockaddr SA;

static struct sockaddr_in v4(const char *ip, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	EQ(inet_pton(AF_INET, ip, &a.sin_addr), 1);
	return a;
}

static struct sockaddr_in6 v6(const char *ip, int port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	EQ(inet_pton(AF_INET6, ip, &a.sin6_addr), 1);
	return a;
}

static long to4(int s, const char *ip, int port)
{
	struct sockaddr_in a = v4(ip, port);

	return sendto(s, "x", 1, 0, (SA *)&a, sizeof(a));
}

static long to6(int s, const char *ip, int port)
{
	struct sockaddr_in6 a = v6(ip, port);

	return sendto(s, "x", 1, 0, (SA *)&a, sizeof(a));
}

static int bind4(int s, const char *ip, int port)
{
	struct sockaddr_in a = v4(ip, port);

	return bind(s, (SA *)&a, sizeof(a));
}

static int bind6(int s, const char *ip, int port)
{
	struct sockaddr_in6 a = v6(ip, port);

	return bind(s, (SA *)&a, sizeof(a));
}

static int conn4(int s, const char *ip, int port)
{
	struct sockaddr_in a = v4(ip, port);

	return connect(s, (SA *)&a, sizeof(a));
}

static int set(int s, int level, int name, int v)
{
	return setsockopt(s, level, name, &v, sizeof(v));
}

static int udp(void)
{
	return OK(socket(AF_INET, SOCK_DGRAM, 0));
}

static int interface(int cmd, const char *name, struct ifreq *r)
{
	int s = udp(), err;

	snprintf(r->ifr_name, sizeof(r->ifr_name), "%s", name);
	err = ioctl(s, (unsigned long)cmd, r);
	close(s);
	return err;
}

static void up(const char *name, int on)
{
	struct ifreq r = {};

	OK(interface(SIOCGIFFLAGS, name, &r));
	r.ifr_flags = (short)(on ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
	OK(interface(SIOCSIFFLAGS, name, &r));
}

static int index_of(const char *name)
{
	struct ifreq r = {};

	OK(interface(SIOCGIFINDEX, name, &r));
	return r.ifr_ifindex;
}

/* An empty address takes the device's away. */
static void address(const char *name, const char *ip)
{
	struct sockaddr_in a = v4(*ip ? ip : "0.0.0.0", 0);
	struct ifreq r = {};

	memcpy(&r.ifr_addr, &a, sizeof(a));
	OK(interface(SIOCSIFADDR, name, &r));
}

static void own_lo(void)
{
	own_net(NETLINK_ROUTE);
	up("lo", 1);
}

static int veth(const char *name, const char *peer)
{
	struct ifinfomsg nobody = {};
	struct nlattr *info, *data, *end;

	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	attr(IFLA_IFNAME, name, strlen(name) + 1);
	info = attr(IFLA_LINKINFO, NULL, 0);
	attr(IFLA_INFO_KIND, "veth", 5);
	data = attr(IFLA_INFO_DATA, NULL, 0);
	end = attr(VETH_INFO_PEER, &nobody, sizeof(nobody));
	attr(IFLA_IFNAME, peer, strlen(peer) + 1);
	ends(end);
	ends(data);
	ends(info);
	return done();
}

/* A pair of which va has 10.0.0.1/8, both up. */
static void pair(void)
{
	own_lo();
	EQ(veth("va", "vb"), 0);
	up("va", 1);
	up("vb", 1);
	address("va", "10.0.0.1");
}

static int give(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return (int)sendmsg(to, &m, 0);
}

/* Only sockets of AF_UNIX are kept account of while they are under way. */
TEST(inet_listener_under_way)
{
	int u[2], l, c;

	own_lo();
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, u));
	for (int i = 0; i < 3; i++) {
		l = OK(socket(AF_INET, SOCK_STREAM, 0));
		OK(bind4(l, "127.0.0.1", 4001 + i));
		OK(listen(l, 5));
		EQ(give(u[0], l), 1);
		EQ(give(u[0], udp()), 1);
		EQ(give(u[0], sock), 1);
		OK(close(l));
		c = OK(socket(AF_INET, SOCK_STREAM, 0));
		OK(conn4(c, "127.0.0.1", 4001 + i));
	}
	OK(close(u[1]));
	OK(close(u[0]));
	ERR(conn4(OK(socket(AF_INET, SOCK_STREAM, 0)), "127.0.0.1", 4001), ECONNREFUSED);
}

static int hears(int groups)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = (unsigned int)groups };
	int s = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));

	OK(bind(s, (SA *)&a, sizeof(a)));
	return s;
}

/* The notice of the first end is made before the second one is there. */
TEST(pair_made_under_a_listener)
{
	char b[8192];
	int s;

	own_lo();
	s = hears(RTMGRP_LINK);
	EQ(veth("va", "vb"), 0);
	CHECK(recv(s, b, sizeof(b), MSG_DONTWAIT) > 0);
	EQ(veth("", "vc"), EINVAL);
	EQ(veth("vc", ""), EINVAL);
	ERR(interface(SIOCGIFINDEX, "vc", &(struct ifreq){}), ENODEV);
}

static int route(int type, int flags, const char *to, int len, const char *by, int oif)
{
	struct rtmsg *m = begin(type, flags, sizeof(*m));
	struct in_addr a;

	*m = (struct rtmsg){ .rtm_family = AF_INET,
			     .rtm_dst_len = (unsigned char)len,
			     .rtm_table = RT_TABLE_MAIN,
			     .rtm_protocol = RTPROT_BOOT,
			     .rtm_scope = by ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
			     .rtm_type = RTN_UNICAST };
	if (len) {
		inet_pton(AF_INET, to, &a);
		attr(RTA_DST, &a, 4);
	}
	if (by) {
		inet_pton(AF_INET, by, &a);
		attr(RTA_GATEWAY, &a, 4);
	}
	if (oif)
		attr_u32(RTA_OIF, (unsigned int)oif);
	return done();
}

/* A device that goes down says so; its routes go without a word each. */
TEST(routes_go_silently)
{
	char b[8192];
	int s;

	pair();
	s = hears(RTMGRP_IPV4_ROUTE);
	EQ(route(RTM_NEWROUTE, NLM_F_CREATE, "10.5.0.0", 16, "10.0.0.9", 0), 0);
	CHECK(recv(s, b, sizeof(b), MSG_DONTWAIT) > 0);
	up("va", 0);
	ERR(recv(s, b, sizeof(b), MSG_DONTWAIT), EAGAIN);
}

static char order[64];

static void note(struct nlmsghdr *h)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	struct nlattr *a = find(h, sizeof(*m), RTA_GATEWAY);

	if (m->rtm_table == RT_TABLE_MAIN)
		snprintf(order + strlen(order), sizeof(order) - strlen(order), "%d/%d ",
			 m->rtm_dst_len, a ? ((unsigned char *)(a + 1))[3] : 0);
}

static const char *routes(void)
{
	order[0] = 0;
	dump(RTM_GETROUTE, AF_INET, sizeof(struct rtmsg), note);
	return order;
}

/* A dump has routes of one prefix in the order in which they are taken. */
TEST(order_of_routes)
{
	pair();
	EQ(route(RTM_NEWROUTE, NLM_F_CREATE, "", 0, "10.0.0.4", 0), 0);
	EQ(route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, "", 0, "10.0.0.3", 0), 0);
	EQ(route(RTM_NEWROUTE, NLM_F_CREATE, "", 0, "10.0.0.2", 0), 0);
	CHECK(!strcmp(routes(), "0/2 0/4 0/3 8/0 "));
	EQ(route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, "", 0, "10.255.255.255", 0), EINVAL);
	EQ(route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, "", 0, "10.0.0.7", 0), 0);
	CHECK(!strcmp(routes(), "0/7 0/4 0/3 8/0 "));
	EQ(route(RTM_NEWROUTE, NLM_F_CREATE, "11.0.0.0", 8, NULL, index_of("va")), 0);
	/* The last address takes what the device has. */
	address("va", "");
	CHECK(!strcmp(routes(), ""));
}

static struct rtmsg *way(const char *to, const char *from, unsigned int flags)
{
	struct rtmsg *m = begin(RTM_GETROUTE, 0, sizeof(*m));
	struct nlmsghdr *h = (void *)in;
	struct in_addr a;

	*m = (struct rtmsg){ .rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_flags = flags };
	inet_pton(AF_INET, to, &a);
	attr(RTA_DST, &a, 4);
	if (from) {
		inet_pton(AF_INET, from, &a);
		m->rtm_src_len = 32;
		attr(RTA_SRC, &a, 4);
	}
	put();
	OK(recv(sock, in, sizeof(in), 0));
	errno = h->nlmsg_type == NLMSG_ERROR ? -((struct nlmsgerr *)NLMSG_DATA(h))->error : 0;
	return errno ? NULL : NLMSG_DATA(h);
}

static struct nlattr *has(int type)
{
	return find((void *)in, sizeof(struct rtmsg), type);
}

TEST(route_get)
{
	struct rtmsg *m;

	pair();
	EQ(route(RTM_NEWROUTE, NLM_F_CREATE, "", 0, "10.0.0.9", 0), 0);
	m = way("127.0.0.1", NULL, 0);
	EQ(m->rtm_table, RT_TABLE_MAIN);
	EQ(m->rtm_flags, RTM_F_CLONED | RTCF_LOCAL);
	m = way("8.8.8.8", NULL, RTM_F_FIB_MATCH);
	EQ(m->rtm_dst_len, 0);
	CHECK(has(RTA_GATEWAY) && !has(RTA_PREFSRC) && !has(RTA_DST));
	m = way("10.0.0.5", NULL, RTM_F_FIB_MATCH);
	EQ(m->rtm_dst_len, 8);
	EQ(m->rtm_scope, RT_SCOPE_LINK);
	CHECK(way("8.8.8.8", "10.0.0.1", 0) && !has(RTA_PREFSRC));
	CHECK(!way("8.8.8.8", "10.0.0.77", 0) && errno == ENETUNREACH);
	/* Groups and broadcasts have no gateway. */
	m = way("239.1.1.1", NULL, 0);
	EQ(m->rtm_type, RTN_MULTICAST);
	EQ(m->rtm_flags, RTM_F_CLONED | RTCF_MULTICAST);
	CHECK(!has(RTA_GATEWAY));
	m = way("255.255.255.255", NULL, 0);
	EQ(m->rtm_type, RTN_BROADCAST);
	EQ(m->rtm_flags, RTM_F_CLONED | RTCF_BROADCAST | RTCF_LOCAL);
	CHECK(!has(RTA_GATEWAY));
}

/* A group that the sender itself is a member of: its own address as source is no forgery. */
TEST(multicast_loops_back)
{
	struct ip_mreqn m = {};
	int a, s;
	char b[8];

	pair();
	a = udp();
	s = udp();
	m.imr_ifindex = index_of("va");
	inet_pton(AF_INET, "239.1.1.1", &m.imr_multiaddr);
	OK(bind4(a, "0.0.0.0", 4001));
	OK(setsockopt(a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
	OK(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)));
	EQ(to4(s, "239.1.1.1", 4001), 1);
	EQ(poll(&(struct pollfd){ a, POLLIN, 0 }, 1, 10000), 1);
	EQ(recv(a, b, sizeof(b), 0), 1);
	OK(set(s, SOL_SOCKET, SO_BROADCAST, 1));
	EQ(to4(s, "10.255.255.255", 4001), 1);
	EQ(poll(&(struct pollfd){ a, POLLIN, 0 }, 1, 10000), 1);
}

/* An automatic port is free, whatever a program allows to be shared. */
TEST(automatic_ports)
{
	int fd, s[3];

	own_lo();
	fd = OK(open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY));
	EQ(write(fd, "40000 40001", 11), 11);
	for (int i = 0; i < 3; i++) {
		s[i] = OK(socket(AF_INET, SOCK_STREAM, 0));
		OK(set(s[i], SOL_SOCKET, SO_REUSEADDR, 1));
		OK(set(s[i], SOL_SOCKET, SO_REUSEPORT, 1));
	}
	OK(bind4(s[0], "127.0.0.1", 0));
	OK(bind4(s[1], "127.0.0.1", 0));
	ERR(bind4(s[2], "127.0.0.1", 0), EADDRINUSE);
	OK(bind4(s[2], "127.0.0.1", 40000));
}

TEST(mapped_targets)
{
	int s;

	own_lo();
	s = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	OK(bind6(s, "::ffff:127.0.0.1", 4001));
	ERR(to6(s, "::1", 4002), EAFNOSUPPORT);
	EQ(to6(s, "::ffff:127.0.0.1", 4002), 1);
	s = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	OK(bind6(s, "::1", 4003));
	ERR(to6(s, "::ffff:127.0.0.1", 4002), ENETUNREACH);
	ERR(to4(s, "127.0.0.1", 4002), ENETUNREACH);
	EQ(to6(s, "::1", 4003), 1);
	s = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	OK(set(s, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	ERR(to4(s, "127.0.0.1", 4002), ENETUNREACH);
	ERR(conn4(s, "127.0.0.1", 4002), EAFNOSUPPORT);
	s = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	EQ(to6(s, "::ffff:127.0.0.1", 4002), 1);
	EQ(to6(s, "::1", 4002), 1);
}

/* What is too long is told before an error that is pending, and that one afterwards. */
TEST(too_long_comes_first)
{
	struct sockaddr_in a = v4("127.0.0.1", 4009);
	struct ifreq r = { .ifr_mtu = 1500 };
	char big[3000] = {}, b[8];
	int s;

	own_lo();
	OK(interface(SIOCSIFMTU, "lo", &r));
	s = udp();
	OK(set(s, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO));
	OK(connect(s, (SA *)&a, sizeof(a)));
	EQ(send(s, "x", 1, 0), 1);
	EQ(poll(&(struct pollfd){ s, 0, 0 }, 1, 10000), 1);
	ERR(send(s, big, sizeof(big), 0), EMSGSIZE);
	ERR(recv(s, b, sizeof(b), MSG_DONTWAIT), ECONNREFUSED);
	/* UDP has no urgent data: the flag says nothing to a reader. */
	ERR(recv(s, b, sizeof(b), MSG_DONTWAIT | MSG_OOB), EAGAIN);
}

TEST(ping_ids)
{
	int fd, s, t;

	own_lo();
	fd = OK(open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY));
	EQ(write(fd, "0 1000", 6), 6);
	s = OK(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	t = OK(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	ERR(bind4(s, "224.0.0.1", 5), EADDRNOTAVAIL);
	ERR(bind4(s, "255.255.255.255", 5), EADDRNOTAVAIL);
	OK(bind4(s, "127.0.0.1", 1234));
	OK(bind4(t, "127.0.0.1", 1234));
	s = OK(socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6));
	ERR(bind6(s, "ff02::1", 5), EINVAL);
	OK(bind6(s, "::1", 5));
}

static unsigned long number(int fd)
{
	struct stat st;

	OK(fstat(fd, &st));
	return st.st_ino;
}

TEST(namespace_of_a_socket)
{
	int here = OK(open("/proc/self/ns/net", O_RDONLY)), s = udp(), n;
	pid_t p;

	own_lo();
	n = OK(ioctl(s, SIOCGSKNS));
	EQ(number(n), number(here));
	EQ(fcntl(n, F_GETFD), FD_CLOEXEC);
	OK(setns(n, CLONE_NEWNET));
	EQ(number(OK(ioctl(OK(socket(AF_UNIX, SOCK_STREAM, 0)), SIOCGSKNS))), number(here));
	p = OK(fork());
	if (!p) {
		OK(setuid(1000));
		ERR(ioctl(s, SIOCGSKNS), EPERM);
		_exit(0);
	}
	EQ(waitpid(p, &n, 0), p);
	EQ(n, 0);
}

/* A file of /proc/net shows the namespace in which it was opened. */
TEST(proc_net_keeps_its_namespace)
{
	char b[4096] = {};
	int fd;

	pair();
	fd = OK(open("/proc/net/dev", O_RDONLY));
	OK(unshare(CLONE_NEWNET));
	CHECK(read(fd, b, sizeof(b) - 1) > 0);
	CHECK(strstr(b, "va:"));
	fd = OK(open("/proc/net/dev", O_RDONLY));
	memset(b, 0, sizeof(b));
	CHECK(read(fd, b, sizeof(b) - 1) > 0);
	CHECK(!strstr(b, "va:"));
}

static int flags_of(const char *name)
{
	struct ifreq r = {};

	OK(interface(SIOCGIFFLAGS, name, &r));
	return (unsigned short)r.ifr_flags;
}

/* The flag is what a program set on the device; packet sockets count apart. */
TEST(promiscuous_flag)
{
	struct packet_mreq m = { .mr_type = PACKET_MR_PROMISC };
	struct ifreq r = {};
	int s;

	pair();
	s = OK(socket(AF_PACKET, SOCK_RAW, 0));
	m.mr_ifindex = index_of("va");
	OK(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m)));
	m.mr_type = PACKET_MR_ALLMULTI;
	OK(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m)));
	EQ(flags_of("va") & (IFF_PROMISC | IFF_ALLMULTI), 0);
	r.ifr_flags = (short)(flags_of("va") | IFF_PROMISC);
	OK(interface(SIOCSIFFLAGS, "va", &r));
	EQ(flags_of("va") & (IFF_PROMISC | IFF_ALLMULTI), IFF_PROMISC);
	OK(close(s));
	EQ(flags_of("va") & (IFF_PROMISC | IFF_ALLMULTI), IFF_PROMISC);
}

TEST(family_name_too_long)
{
	struct genlmsghdr *g;

	own_net(NETLINK_GENERIC);
	g = begin(GENL_ID_CTRL, 0, sizeof(*g));
	g->cmd = CTRL_CMD_GETFAMILY;
	attr(CTRL_ATTR_FAMILY_NAME, "a-name-of-17-chars", 19);
	EQ(done(), EINVAL);
}

/* The priority of a listener is not its connections'. */
TEST(priority_is_not_inherited)
{
	int l, c, s, v = -1;
	socklen_t len = sizeof(v);

	own_lo();
	l = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(set(l, SOL_SOCKET, SO_PRIORITY, 3));
	OK(bind4(l, "127.0.0.1", 4001));
	OK(listen(l, 1));
	c = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(conn4(c, "127.0.0.1", 4001));
	s = OK(accept(l, NULL, NULL));
	OK(getsockopt(s, SOL_SOCKET, SO_PRIORITY, &v, &len));
	EQ(v, 0);
}

static long counter(const char *text, const char *row, int column)
{
	const char *at = strstr(strstr(text, row) + 1, row);
	long v = -1;

	for (at += strlen(row); column--;)
		v = strtol(at, (char **)&at, 10);
	return v;
}

static long udp_in(void)
{
	char b[8192] = {};
	int fd = OK(open("/proc/net/snmp", O_RDONLY));

	CHECK(read(fd, b, sizeof(b) - 1) > 0);
	close(fd);
	return counter(b, "Udp:", 1);
}

/* A datagram counts as received when a program reads it. */
TEST(datagrams_that_were_read)
{
	char b[8];
	int r, s;

	own_lo();
	r = udp();
	s = udp();
	OK(bind4(r, "127.0.0.1", 4001));
	EQ(to4(s, "127.0.0.1", 4001), 1);
	EQ(poll(&(struct pollfd){ r, POLLIN, 0 }, 1, 10000), 1);
	EQ(udp_in(), 0);
	EQ(recv(r, b, sizeof(b), MSG_PEEK), 1);
	EQ(udp_in(), 0);
	EQ(recv(r, b, sizeof(b), 0), 1);
	EQ(udp_in(), 1);
}

/* recvmmsg(2): what is left of the time comes back, an error behind messages with the next call. */
TEST(many_messages)
{
	struct timespec t = { 1000, 0 };
	char b[8];
	struct iovec v[2] = { { b, sizeof(b) }, { b, sizeof(b) } };
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &v[0], .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_iov = &v[1], .msg_iovlen = 1 } } };
	int r, s;

	own_lo();
	r = udp();
	s = udp();
	OK(bind4(r, "127.0.0.1", 4001));
	EQ(to4(s, "127.0.0.1", 4001), 1);
	EQ(to4(s, "127.0.0.1", 4001), 1);
	EQ(recvmmsg(r, m, 2, 0, &t), 2);
	CHECK(t.tv_sec < 1000);
	EQ(to4(s, "127.0.0.1", 4001), 1);
	EQ(to4(s, "127.0.0.1", 4001), 1);
	v[1].iov_base = (void *)8;
	t.tv_sec = 1000;
	EQ(recvmmsg(r, m, 2, 0, &t), 1);
	ERR(recvmmsg(r, m, 2, MSG_DONTWAIT, NULL), EFAULT);
	ERR(recvmmsg(r, m, 2, MSG_DONTWAIT, NULL), EAGAIN);
}

static bool file_has(const char *path, const char *text)
{
	char b[8192] = {};
	int fd = OK(open(path, O_RDONLY));

	CHECK(read(fd, b, sizeof(b) - 1) > 0);
	close(fd);
	return strstr(b, text);
}

/* A listener joins by MCAST_JOIN_GROUP, its connections are in no group, and close(2) leaves. */
TEST(groups_of_streams)
{
	struct group_req g = {};
	struct sockaddr_in a = v4("239.1.1.1", 0);
	struct ip_mreqn m = {};
	int l, c, s;

	own_lo();
	g.gr_interface = (unsigned int)index_of("lo");
	memcpy(&g.gr_group, &a, sizeof(a));
	m.imr_multiaddr = a.sin_addr;
	m.imr_ifindex = (int)g.gr_interface;
	l = OK(socket(AF_INET, SOCK_STREAM, 0));
	ERR(setsockopt(l, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), EPROTO);
	OK(setsockopt(l, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof(g)));
	ERR(setsockopt(l, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof(g)), EADDRINUSE);
	CHECK(file_has("/proc/net/igmp", "010101EF"));
	OK(bind4(l, "127.0.0.1", 4001));
	OK(listen(l, 1));
	c = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(conn4(c, "127.0.0.1", 4001));
	s = OK(accept(l, NULL, NULL));
	ERR(setsockopt(s, IPPROTO_IP, MCAST_LEAVE_GROUP, &g, sizeof(g)), EADDRNOTAVAIL);
	OK(close(s));
	CHECK(file_has("/proc/net/igmp", "010101EF"));
	OK(close(l));
	CHECK(!file_has("/proc/net/igmp", "010101EF"));
}

TEST(groups_of_streams_of_ipv6)
{
	struct group_source_req g = {};
	struct sockaddr_in6 a = v6("ff15::1234", 0), from = v6("::1", 0);
	struct ipv6_mreq m = {};
	int s;

	own_lo();
	g.gsr_interface = m.ipv6mr_interface = (unsigned int)index_of("lo");
	memcpy(&g.gsr_group, &a, sizeof(a));
	memcpy(&g.gsr_source, &from, sizeof(from));
	m.ipv6mr_multiaddr = a.sin6_addr;
	s = OK(socket(AF_INET6, SOCK_STREAM, 0));
	ERR(setsockopt(s, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &m, sizeof(m)), EPROTO);
	OK(setsockopt(s, IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, &g, sizeof(g)));
	CHECK(file_has("/proc/net/igmp6", "ff150000000000000000000000001234"));
	OK(close(s));
	CHECK(!file_has("/proc/net/igmp6", "ff150000000000000000000000001234"));
}

/* Options of an unknown level: EOPNOTSUPP on IPv4, ENOPROTOOPT on IPv6. */
TEST(unknown_levels)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW };

	for (int i = 0; i < 3; i++) {
		int proto = types[i] == SOCK_RAW ? IPPROTO_UDP : 0, v = 1;
		int four = OK(socket(AF_INET, types[i], proto));
		int six = OK(socket(AF_INET6, types[i], proto));
		socklen_t len = sizeof(v);

		ERR(getsockopt(four, 500, SO_OOBINLINE, &v, &len), EOPNOTSUPP);
		ERR(setsockopt(four, 500, SO_OOBINLINE, &v, len), ENOPROTOOPT);
		ERR(getsockopt(six, 500, SO_OOBINLINE, &v, &len), ENOPROTOOPT);
		ERR(setsockopt(six, 500, SO_OOBINLINE, &v, len), ENOPROTOOPT);
	}
}
