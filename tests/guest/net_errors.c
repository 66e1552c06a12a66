// SPDX-License-Identifier: MIT
/*
 * What programs that look for a way (traceroute, tracepath, ip route get) hear of ICMP errors:
 * headers of the message in the error queue, sends while an error is pending, learned MTUs. A
 * router is played at the other end of a tun device.
 */
#include "nl.h"
#include "sum.h"
#include "wire.h"
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/ioctl.h>

#define OURS 0x0a090001u
#define ROUTER 0x0a090002u
#define FAR 0x0a090005u
#define MTU_6_DISCOVER 23

static int tun;

static void wire(void)
{
	tun = open_wire(OURS, IFF_TUN, 0, NULL);
}

/* The next IPv4 packet that we sent to FAR; its length. */
static int sent(unsigned char *b, int room)
{
	for (;;) {
		long n = OK(read(tun, b, (size_t)room));
		const struct iphdr *ip = (const void *)b;

		if (ip->version == 4 && ip->daddr == htonl(FAR))
			return (int)n;
	}
}

/* The router answers the N bytes of B with an error, in a packet of TTL 200. */
static void refuses(const unsigned char *b, int n, int type, int code, int mtu)
{
	unsigned char p[600] = {};
	struct iphdr *ip = (void *)p;
	struct icmphdr *i = (void *)(p + sizeof(*ip));

	n = n > 500 ? 500 : n;
	memcpy(i + 1, b, (size_t)n);
	n += (int)sizeof(*i);
	*i = (struct icmphdr){ .type = (unsigned char)type, .code = (unsigned char)code };
	i->un.frag.mtu = htons((unsigned short)mtu);
	i->checksum = sum(i, n);
	n += (int)sizeof(*ip);
	*ip = (struct iphdr){ .version = 4,
			      .ihl = 5,
			      .ttl = 200,
			      .tos = 8,
			      .protocol = IPPROTO_ICMP,
			      .tot_len = htons((unsigned short)n),
			      .saddr = htonl(ROUTER),
			      .daddr = htonl(OURS) };
	ip->check = sum(ip, sizeof(*ip));
	EQ(write(tun, p, (size_t)n), n);
}

static int far_socket(int type, int protocol)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(4000) };
	int s = OK(socket(AF_INET, type, protocol)), on = 1;

	to.sin_addr.s_addr = htonl(FAR);
	OK(connect(s, (void *)&to, sizeof(to)));
	OK(setsockopt(s, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)));
	return s;
}

/* Until S has an error. */
static void failed(int s)
{
	struct pollfd p = { .fd = s };

	EQ(poll(&p, 1, 10000), 1);
	EQ(p.revents, POLLERR);
}

static struct cmsghdr *cmsg(struct msghdr *m, int level, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return c;
	return NULL;
}

static struct msghdr *message(void)
{
	static char buf[2000], control[512] __attribute__((aligned(8)));
	static struct iovec v = { buf, sizeof(buf) };
	static struct msghdr m;

	m = (struct msghdr){ .msg_iov = &v,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control) };
	return &m;
}

/* The headers of the router's packet come with its error, and when it came. */
TEST(headers_of_errors)
{
	unsigned char b[2000];
	struct in_pktinfo info;
	struct sock_extended_err ee;
	struct msghdr *m = message();
	int s, on = 1, ttl, n;

	wire();
	s = far_socket(SOCK_DGRAM, 0);
	OK(setsockopt(s, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on)));
	OK(setsockopt(s, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on)));
	OK(setsockopt(s, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)));
	OK(setsockopt(s, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on)));
	EQ(send(s, "probe", 5, 0), 5);
	n = sent(b, sizeof(b));
	refuses(b, n, ICMP_TIMXCEED, 0, 0);
	failed(s);
	EQ(recvmsg(s, m, MSG_ERRQUEUE), 5);
	CHECK(cmsg(m, SOL_SOCKET, SO_TIMESTAMP));
	CHECK(cmsg(m, IPPROTO_IP, IP_TTL));
	memcpy(&ttl, CMSG_DATA(cmsg(m, IPPROTO_IP, IP_TTL)), sizeof(ttl));
	EQ(ttl, 200);
	CHECK(cmsg(m, IPPROTO_IP, IP_TOS));
	EQ(*CMSG_DATA(cmsg(m, IPPROTO_IP, IP_TOS)), 8);
	CHECK(cmsg(m, IPPROTO_IP, IP_PKTINFO));
	memcpy(&info, CMSG_DATA(cmsg(m, IPPROTO_IP, IP_PKTINFO)), sizeof(info));
	EQ(info.ipi_addr.s_addr, htonl(OURS));
	CHECK(cmsg(m, IPPROTO_IP, IP_RECVERR));
	memcpy(&ee, CMSG_DATA(cmsg(m, IPPROTO_IP, IP_RECVERR)), sizeof(ee));
	EQ(ee.ee_errno, EHOSTUNREACH);
	EQ(ee.ee_origin, SO_EE_ORIGIN_ICMP);
}

/* A datagram socket's next send returns the error; a raw socket's goes, unless it makes headers. */
TEST(sends_with_an_error_pending)
{
	unsigned char b[2000], whole[64] = { 0x45 };
	struct iphdr *ip = (void *)whole;
	int s, on = 1, n;

	wire();
	s = far_socket(SOCK_DGRAM, 0);
	EQ(send(s, "number 1", 8, 0), 8);
	n = sent(b, sizeof(b));
	refuses(b, n, ICMP_TIMXCEED, 0, 0);
	failed(s);
	ERR(send(s, "number 2", 8, 0), EHOSTUNREACH);
	EQ(send(s, "number 3", 8, 0), 8);
	sent(b, sizeof(b));
	close(s);
	s = far_socket(SOCK_RAW, 99);
	EQ(send(s, "number 1", 8, 0), 8);
	n = sent(b, sizeof(b));
	refuses(b, n, ICMP_TIMXCEED, 0, 0);
	failed(s);
	EQ(send(s, "number 2", 8, 0), 8);
	EQ(sent(b, sizeof(b)), 28);
	CHECK(!memcmp(b + 20, "number 2", 8));
	ERR(recv(s, b, sizeof(b), MSG_DONTWAIT), EHOSTUNREACH);
	EQ(recvmsg(s, message(), MSG_ERRQUEUE | MSG_DONTWAIT), 8);
	OK(setsockopt(s, IPPROTO_IP, IP_HDRINCL, &on, sizeof(on)));
	ERR(send(s, "number 3", 8, 0), EINVAL);
	ip->ttl = 9;
	ip->protocol = 99;
	ip->daddr = htonl(FAR);
	EQ(send(s, whole, sizeof(whole), 0), sizeof(whole));
	n = sent(b, sizeof(b));
	refuses(b, n, ICMP_TIMXCEED, 0, 0);
	failed(s);
	ERR(send(s, whole, sizeof(whole), 0), EHOSTUNREACH);
}

/* A raw socket that makes no headers waits for no room: packets for a neighbour that is silent. */
TEST(full_raw_socket)
{
	struct sockaddr_in far = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(FAR) };
	static char b[1000];
	int s, n = 0, v = 1;

	tun = open_wire(OURS, IFF_TAP, 0, NULL);
	s = OK(socket(AF_INET, SOCK_RAW, 253));
	OK(setsockopt(s, SOL_SOCKET, SO_SNDBUF, &v, sizeof(v)));
	alarm(60);
	while (sendto(s, b, sizeof(b), 0, (void *)&far, sizeof(far)) == sizeof(b))
		n++;
	EQ(errno, ENOBUFS);
	CHECK(n > 1 && n < 20);
	alarm(0);
	close(s);
}

/* The MTU that the route to FAR says; 0: none. EXPIRES: the ticks that it is kept yet. */
static unsigned int route_mtu(int *expires)
{
	struct rtmsg *q = begin(RTM_GETROUTE, 0, sizeof(*q));
	struct nlmsghdr *h = (void *)in;
	struct nlattr *a, *e;
	struct rta_cacheinfo c;
	unsigned int to = htonl(FAR);

	q->rtm_family = AF_INET;
	q->rtm_dst_len = 32;
	attr(RTA_DST, &to, sizeof(to));
	put();
	OK(recv(sock, in, sizeof(in), 0));
	EQ(h->nlmsg_type, RTM_NEWROUTE);
	a = find(h, sizeof(struct rtmsg), RTA_CACHEINFO);
	CHECK(a);
	memcpy(&c, a + 1, sizeof(c));
	*expires = c.rta_expires;
	a = find(h, sizeof(struct rtmsg), RTA_METRICS);
	for (e = a ? a + 1 : NULL; e && (char *)e < (char *)a + a->nla_len;
	     e = (void *)((char *)e + NLA_ALIGN(e->nla_len)))
		if (e->nla_type == RTAX_MTU)
			return u32_of(e);
	return 0;
}

/* A learned MTU is told with the route, and forgotten by route/flush. */
TEST(learned_mtu)
{
	static unsigned char b[2000];
	int s, f, n, ticks, v = IP_PMTUDISC_DO;
	socklen_t len = sizeof(v);

	wire();
	EQ(route_mtu(&ticks), 0);
	EQ(ticks, 0);
	s = far_socket(SOCK_DGRAM, 0);
	OK(setsockopt(s, IPPROTO_IP, IP_MTU_DISCOVER, &v, sizeof(v)));
	EQ(send(s, b, 1400, 0), 1400);
	n = sent(b, sizeof(b));
	EQ(n, 1428);
	refuses(b, n, ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG, 1300);
	failed(s);
	ERR(send(s, b, 5, 0), EMSGSIZE);
	EQ(route_mtu(&ticks), 1300);
	CHECK(ticks > 0 && ticks <= 60000);
	OK(getsockopt(s, IPPROTO_IP, IP_MTU, &v, &len));
	EQ(v, 1300);
	f = OK(open("/proc/sys/net/ipv4/route/flush", O_WRONLY));
	EQ(write(f, "1", 1), 1);
	close(f);
	EQ(route_mtu(&ticks), 0);
	EQ(ticks, 0);
	close(s);
	s = far_socket(SOCK_DGRAM, 0);	/* Linux's old one keeps its route for this question */
	OK(getsockopt(s, IPPROTO_IP, IP_MTU, &v, &len));
	EQ(v, 1500);
}

/* More bytes than any datagram of IPv6 has: the MTU is told, by which tracepath(8) begins. */
TEST(too_long_for_ipv6)
{
	static unsigned char b[128000];
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(4000) };
	struct sock_extended_err ee;
	struct msghdr *m = message();
	int s, on = 1, v = 3;

	own_net(NETLINK_ROUTE);
	to.sin6_addr.s6_addr[15] = 1;
	s = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	OK(ioctl(s, SIOCSIFFLAGS, &r));
	OK(setsockopt(s, IPPROTO_IPV6, MTU_6_DISCOVER, &v, sizeof(v)));
	ERR(sendto(s, b, sizeof(b), 0, (void *)&to, sizeof(to)), EMSGSIZE);
	ERR(recvmsg(s, m, MSG_ERRQUEUE), EAGAIN);
	OK(setsockopt(s, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)));
	OK(setsockopt(s, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)));
	ERR(sendto(s, b, sizeof(b), 0, (void *)&to, sizeof(to)), EMSGSIZE);
	EQ(recvmsg(s, message(), MSG_ERRQUEUE), 0);
	CHECK(cmsg(m, IPPROTO_IPV6, IPV6_RECVERR));
	CHECK(!cmsg(m, IPPROTO_IPV6, IPV6_HOPLIMIT));
	memcpy(&ee, CMSG_DATA(cmsg(m, IPPROTO_IPV6, IPV6_RECVERR)), sizeof(ee));
	EQ(ee.ee_errno, EMSGSIZE);
	EQ(ee.ee_origin, SO_EE_ORIGIN_LOCAL);
	EQ(ee.ee_info, 65536);
	/* nobody is there: the headers of the error come with it */
	EQ(sendto(s, b, 5, 0, (void *)&to, sizeof(to)), 5);
	EQ(recvmsg(s, message(), MSG_ERRQUEUE), 5);
	CHECK(cmsg(m, IPPROTO_IPV6, IPV6_HOPLIMIT));
	memcpy(&v, CMSG_DATA(cmsg(m, IPPROTO_IPV6, IPV6_HOPLIMIT)), sizeof(v));
	EQ(v, 64);
}

/* The TTL of the next datagram to GROUP that leaves. */
static int left_with(unsigned int group)
{
	static unsigned char b[2000];
	const struct iphdr *ip = (const void *)b;

	do
		OK(read(tun, b, sizeof(b)));
	while (ip->version != 4 || ip->daddr != htonl(group));
	return ip->ttl;
}

/* What has no hop to live stays here (ip(7), RFC 1112, 6.1): the copy for members here is all. */
TEST(no_hop_to_live)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(4001),
				  .sin_addr.s_addr = htonl(0xe0010101) };
	struct ip_mreqn m = { .imr_multiaddr = to.sin_addr };
	static const int kinds[] = { SOCK_DGRAM, SOCK_RAW };
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(4001) };
	int r, s, ttl, none = 0;
	char b[4];

	wire();
	m.imr_ifindex = (int)if_nametoindex("wire");
	r = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(bind(r, (void *)&any, sizeof(any)));
	OK(setsockopt(r, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
	for (unsigned int i = 0; i < 2; i++) {
		s = OK(socket(AF_INET, kinds[i], kinds[i] == SOCK_RAW ? 200 : 0));
		OK(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)));
		OK(setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, &none, sizeof(none)));
		EQ(sendto(s, "a", 1, 0, (void *)&to, sizeof(to)), 1);
		if (kinds[i] == SOCK_DGRAM)
			EQ(recv(r, b, sizeof(b), 0), 1);
		/* Were the other to leave, it would leave before this one. */
		ttl = 7;
		OK(setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)));
		EQ(sendto(s, "b", 1, 0, (void *)&to, sizeof(to)), 1);
		EQ(left_with(0xe0010101), 7);
		ttl = -1;
		OK(setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)));
		EQ(sendto(s, "c", 1, 0, (void *)&to, sizeof(to)), 1);
		EQ(left_with(0xe0010101), 1);
	}
}
