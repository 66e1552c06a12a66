/* SPDX-License-Identifier: MIT */
/*
 * IPv6 over loopback: datagrams, both families on one socket, ping, raw, fragments, errors, names
 * and options. proves: socket bind connect sendto recvfrom sendmsg recvmsg getsockname getpeername
 * setsockopt getsockopt
 */
#include "lo.h"
#include "sum.h"
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef IPV6_RECVPKTINFO
#define IPV6_RECVPKTINFO 49
#endif

static struct sockaddr_in6 at(const char *a, int port)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6,
				   .sin6_port = htons((unsigned short)port) };

	EQ(inet_pton(AF_INET6, a, &in.sin6_addr), 1);
	return in;
}

static int bound(const char *a, int port, struct sockaddr_in6 *name)
{
	int s = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	struct sockaddr_in6 in = at(a, port);
	socklen_t len = sizeof(*name);

	OK(bind(s, SA(in)));
	OK(getsockname(s, (struct sockaddr *)name, &len));
	EQ(len, sizeof(*name));
	return s;
}

static int set(int s, int name, int v)
{
	return setsockopt(s, IPPROTO_IPV6, name, &v, sizeof(v));
}

static int got(int s, int name)
{
	int v = -77;
	socklen_t len = sizeof(v);

	OK(getsockopt(s, IPPROTO_IPV6, name, &v, &len));
	return v;
}

TEST(both_ways)
{
	struct sockaddr_in6 a, b, from;
	socklen_t len = sizeof(from);
	char buf[100];
	int x, y;

	own_net();
	x = bound("::1", 0, &a);
	y = bound("::", 0, &b);
	CHECK(a.sin6_port && b.sin6_port);
	b = at("::1", ntohs(b.sin6_port));
	EQ(sendto(x, "hello", 5, 0, SA(b)), 5);
	EQ(recvfrom(y, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 5);
	EQ(len, sizeof(from));
	CHECK(!memcmp(buf, "hello", 5) && !memcmp(&from, &a, sizeof(a)));
	OK(connect(y, SA(a)));
	EQ(send(y, "", 0, 0), 0);
	EQ(recvfrom(x, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 0);
	CHECK(!memcmp(&from, &b, sizeof(b)));
	ERR(recv(x, buf, 1, MSG_DONTWAIT), EAGAIN);
	len = sizeof(from);
	OK(getpeername(y, (struct sockaddr *)&from, &len));
	CHECK(!memcmp(&from, &a, sizeof(a)));
	OK(getsockname(y, (struct sockaddr *)&from, &len));
	CHECK(!memcmp(&from, &b, sizeof(b)));
	a.sin6_family = AF_UNSPEC;
	OK(connect(y, SA(a)));
	ERR(getpeername(y, (struct sockaddr *)&from, &len), ENOTCONN);
	b = at("2001:db8::1", 9);
	ERR(sendto(x, "x", 1, 0, SA(b)), ENETUNREACH);
	b = at("fe80::1", 9);
	ERR(sendto(x, "x", 1, 0, SA(b)), ENETUNREACH);
	ERR(connect(socket(AF_INET6, SOCK_DGRAM, 0), SA(b)), EINVAL);
	b = at("::1", 0);
	ERR(sendto(x, "x", 1, 0, SA(b)), EINVAL);
	b = at("2001:db8::1", 9);
	ERR(bind(socket(AF_INET6, SOCK_DGRAM, 0), SA(b)), EADDRNOTAVAIL);
	b.sin6_family = AF_INET;
	ERR(bind(socket(AF_INET6, SOCK_DGRAM, 0), SA(b)), EAFNOSUPPORT);
	ERR(bind(socket(AF_INET6, SOCK_DGRAM, 0), (struct sockaddr *)&b, 23), EINVAL);
}

/* One socket hears and speaks both families; mapped addresses stand for IPv4's. */
TEST(mapped)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_addr.s_addr = inet_addr("127.0.0.1") },
			   from4;
	struct sockaddr_in6 a, from, m;
	socklen_t len = sizeof(from4);
	char buf[10];
	int x, y = OK(socket(AF_INET, SOCK_DGRAM, 0)), z;

	own_net();
	y = OK(socket(AF_INET, SOCK_DGRAM, 0));
	x = bound("::", 0, &a);
	v4.sin_port = a.sin6_port;
	EQ(sendto(y, "four", 4, 0, SA(v4)), 4);
	len = sizeof(from);
	EQ(recvfrom(x, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 4);
	m = at("::ffff:127.0.0.1", ntohs(from.sin6_port));
	EQ(from.sin6_family, AF_INET6);
	CHECK(!memcmp(&from.sin6_addr, &m.sin6_addr, 16));
	EQ(sendto(x, "back", 4, 0, SA(from)), 4);
	len = sizeof(from4);
	EQ(recvfrom(y, buf, sizeof(buf), 0, (struct sockaddr *)&from4, &len), 4);
	EQ(from4.sin_port, a.sin6_port);
	EQ(from4.sin_addr.s_addr, inet_addr("127.0.0.1"));
	/* connected to a mapped peer */
	z = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	OK(connect(z, SA(from)));
	len = sizeof(from);
	OK(getsockname(z, (struct sockaddr *)&from, &len));
	CHECK(!memcmp(&from.sin6_addr, &m.sin6_addr, 16));
	EQ(send(z, "z", 1, 0), 1);
	EQ(recv(y, buf, sizeof(buf), 0), 1);
	EQ(got(z, IPV6_ADDRFORM), AF_INET6);
	OK(set(z, IPV6_ADDRFORM, AF_INET));
	len = sizeof(from);
	OK(getsockname(z, (struct sockaddr *)&from, &len));
	EQ(len, sizeof(struct sockaddr_in));
	/* of IPv6 alone */
	z = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	OK(set(z, IPV6_V6ONLY, 1));
	ERR(sendto(z, "z", 1, 0, SA(m)), ENETUNREACH);
	ERR(connect(z, SA(m)), ENETUNREACH);
	m.sin6_port = 0;
	ERR(bind(z, SA(m)), EINVAL);
}

/* Who may have a port beside whom. */
TEST(conflicts)
{
	struct sockaddr_in any4 = { .sin_family = AF_INET }, one4;
	struct sockaddr_in6 a, six;
	int x, y, z;

	own_net();
	x = bound("::", 0, &a);
	any4.sin_port = a.sin6_port;
	one4 = any4;
	one4.sin_addr.s_addr = inet_addr("127.0.0.1");
	y = OK(socket(AF_INET, SOCK_DGRAM, 0));
	ERR(bind(y, SA(any4)), EADDRINUSE);
	ERR(bind(y, SA(one4)), EADDRINUSE);
	ERR(set(x, IPV6_V6ONLY, 1), EINVAL);
	close(x);
	OK(bind(y, SA(any4)));
	x = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	six = at("::", ntohs(a.sin6_port));
	ERR(bind(x, SA(six)), EADDRINUSE);
	OK(set(x, IPV6_V6ONLY, 1));
	EQ(got(x, IPV6_V6ONLY), 1);
	OK(bind(x, SA(six)));
	z = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	six = at("::1", ntohs(a.sin6_port));
	ERR(bind(z, SA(six)), EADDRINUSE);
	close(x);
	OK(bind(z, SA(six)));
}

TEST(sizes)
{
	static const int sizes[] = { 1, 100, 159, 160, 1452, 1453, 4096, 16384, 65000, 65507 };
	struct ifreq r = { .ifr_name = "lo", .ifr_mtu = 1500 };
	struct sockaddr_in6 a, b;
	static char out[65536], in[65536];
	int x, y, big = 1 << 20;

	own_net();
	x = bound("::1", 0, &a);
	y = bound("::1", 0, &b);
	setsockopt(y, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	for (int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			int n = sizes[i];

			for (int k = 0; k < n; k++)
				out[k] = (char)(k * 31 + i);
			EQ(sendto(x, out, (size_t)n, 0, SA(b)), n);
			EQ(recv(y, in, sizeof(in), 0), n);
			CHECK(!memcmp(in, out, (size_t)n));
		}
		OK(ioctl(x, SIOCSIFMTU, &r));	/* the second time in fragments */
	}
	ERR(sendto(x, out, 65536, 0, SA(b)), EMSGSIZE);
	OK(set(x, IPV6_DONTFRAG, 1));
	ERR(sendto(x, out, 1453, 0, SA(b)), EMSGSIZE);
	EQ(sendto(x, out, 1452, 0, SA(b)), 1452);
	OK(connect(x, SA(b)));
	EQ(got(x, IPV6_MTU), 1500);
}

/*
 * Headers before that of a fragment may be long (RFC 8200, 4.5), also where it is alone (RFC 6946).
 */
TEST(long_unfragmentable_part)
{
	struct sockaddr_in6 to = at("::1", 0), a;
	struct in6_addr one = IN6ADDR_LOOPBACK_INIT;
	int u, r;

	own_net();
	u = bound("::1", 0, &a);
	for (unsigned int opt = 80; opt <= 128; opt += 16) {
		unsigned char b[200] = { IPPROTO_FRAGMENT, (unsigned char)(opt / 8 - 1), 0x1e,
					 (unsigned char)(opt - 4) };
		unsigned char *f = b + opt, *h = f + 8, got[9];
		unsigned int udp = 8 + 5, s;

		f[0] = IPPROTO_UDP;
		f[7] = (unsigned char)opt;	/* its number */
		memcpy(h + 2, &a.sin6_port, 2);
		h[1] = 9;
		h[5] = (unsigned char)udp;
		memcpy(h + 8, "hello", 5);
		s = add_up(&one, 16, add_up(&one, 16, IPPROTO_UDP + udp));
		s = htons((unsigned short)~add_up(h, udp, s));
		memcpy(h + 6, &s, 2);
		r = OK(socket(AF_INET6, SOCK_RAW, IPPROTO_DSTOPTS));
		EQ(sendto(r, b, opt + 8 + udp, 0, SA(to)), opt + 8 + udp);
		EQ(recv(u, got, sizeof(got), 0), 5);
		CHECK(!memcmp(got, "hello", 5));
		close(r);
	}
}

static struct cmsghdr *find_cmsg(struct msghdr *m, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == type)
			return c;
	return NULL;
}

TEST(control)
{
	struct sockaddr_in6 a, b;
	char buf[64], control[256] __attribute__((aligned(8)));
	struct iovec v = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct in6_pktinfo i;
	struct cmsghdr *c;
	int x, y, n;

	own_net();
	x = bound("::", 0, &a);
	y = bound("::", 0, &b);
	b = at("::1", ntohs(b.sin6_port));
	OK(set(y, IPV6_RECVPKTINFO, 1));
	OK(set(y, IPV6_RECVHOPLIMIT, 1));
	OK(set(y, IPV6_RECVTCLASS, 1));
	EQ(got(y, IPV6_RECVTCLASS), 1);
	OK(set(x, IPV6_UNICAST_HOPS, 33));
	OK(set(x, IPV6_TCLASS, 0x20));
	ERR(set(x, IPV6_TCLASS, 256), EINVAL);
	ERR(set(x, IPV6_UNICAST_HOPS, 256), EINVAL);
	EQ(sendto(x, "x", 1, 0, SA(b)), 1);
	EQ(recvmsg(y, &m, 0), 1);
	c = find_cmsg(&m, IPV6_PKTINFO);
	CHECK(c);
	memcpy(&i, CMSG_DATA(c), sizeof(i));
	EQ(i.ipi6_ifindex, 1);
	CHECK(!memcmp(&i.ipi6_addr, &b.sin6_addr, 16));
	c = find_cmsg(&m, IPV6_HOPLIMIT);
	CHECK(c);
	memcpy(&n, CMSG_DATA(c), sizeof(n));
	EQ(n, 33);
	c = find_cmsg(&m, IPV6_TCLASS);
	CHECK(c);
	memcpy(&n, CMSG_DATA(c), sizeof(n));
	EQ(n, 0x20);
	/* said with one message */
	memset(control, 0, sizeof(control));
	m = (struct msghdr){ .msg_name = &b,
			     .msg_namelen = sizeof(b),
			     .msg_iov = &v,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = CMSG_SPACE(sizeof(int)) };
	c = CMSG_FIRSTHDR(&m);
	*c = (struct cmsghdr){ .cmsg_level = IPPROTO_IPV6,
			       .cmsg_type = IPV6_HOPLIMIT,
			       .cmsg_len = CMSG_LEN(sizeof(int)) };
	n = 7;
	memcpy(CMSG_DATA(c), &n, sizeof(n));
	v.iov_len = 1;
	EQ(sendmsg(x, &m, 0), 1);
	m.msg_controllen = sizeof(control);
	EQ(recvmsg(y, &m, 0), 1);
	c = find_cmsg(&m, IPV6_HOPLIMIT);
	CHECK(c);
	memcpy(&n, CMSG_DATA(c), sizeof(n));
	EQ(n, 7);
}

/* A header that is too short for ports has none: no message tells of what lies behind it. */
TEST(no_ports)
{
	struct sockaddr_in6 to, in;
	char buf[16], control[256] __attribute__((aligned(8)));
	struct cmsghdr *c;
	int r, one = 1;

	own_net();
	to = at("::1", 0);
	r = OK(socket(AF_INET6, SOCK_RAW, 253));
	OK(setsockopt(r, IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, &one, sizeof(one)));
	for (int len = 0; len < 6; len++) {
		struct iovec v = { buf, sizeof(buf) };
		struct msghdr m = { .msg_iov = &v,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };

		EQ(sendto(r, "\x11\x22\x33\x44\x55\x66", (size_t)len, 0, SA(to)), len);
		EQ(recvmsg(r, &m, 0), len);
		c = find_cmsg(&m, IPV6_ORIGDSTADDR);
		if (len < 4) {
			CHECK(!c);
			continue;
		}
		CHECK(c);
		memcpy(&in, CMSG_DATA(c), sizeof(in));
		EQ(in.sin6_port, htons(0x3344));
		CHECK(!memcmp(&in.sin6_addr, &to.sin6_addr, 16));
	}
}

/* A port that nobody has is refused, and the error queue says by whom. */
TEST(refused)
{
	struct sockaddr_in6 a, b, off;
	char buf[64], control[256] __attribute__((aligned(8)));
	struct iovec v = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control),
			    .msg_name = &a,
			    .msg_namelen = sizeof(a) };
	struct sock_extended_err ee;
	struct cmsghdr *c;
	int x, y;

	own_net();
	x = bound("::1", 0, &a);
	y = bound("::1", 0, &b);
	close(y);
	OK(connect(x, SA(b)));
	EQ(send(x, "lost", 4, 0), 4);
	ERR(recv(x, buf, sizeof(buf), MSG_DONTWAIT), ECONNREFUSED);
	ERR(recv(x, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	OK(set(x, IPV6_RECVERR, 1));
	EQ(send(x, "lost", 4, 0), 4);
	EQ(recvmsg(x, &m, MSG_ERRQUEUE), 4);
	CHECK(!memcmp(buf, "lost", 4) && m.msg_flags & MSG_ERRQUEUE);
	CHECK(!memcmp(&a, &b, sizeof(a)));
	c = find_cmsg(&m, IPV6_RECVERR);
	CHECK(c);
	memcpy(&ee, CMSG_DATA(c), sizeof(ee));
	memcpy(&off, (char *)CMSG_DATA(c) + sizeof(ee), sizeof(off));
	EQ(ee.ee_errno, ECONNREFUSED);
	EQ(ee.ee_origin, SO_EE_ORIGIN_ICMP6);
	EQ(ee.ee_type, 1);
	EQ(ee.ee_code, 4);
	EQ(off.sin6_family, AF_INET6);
	CHECK(!memcmp(&off.sin6_addr, &b.sin6_addr, 16));
}

static int echo(int s, struct sockaddr_in6 *to, struct icmp6hdr *answer)
{
	struct icmp6hdr h = { .icmp6_type = ICMPV6_ECHO_REQUEST, .icmp6_sequence = htons(5) };

	EQ(sendto(s, &h, sizeof(h), 0, (struct sockaddr *)to, sizeof(*to)), sizeof(h));
	return (int)recv(s, answer, sizeof(*answer), 0);
}

TEST(ping)
{
	struct sockaddr_in6 lo = at("::1", 0), a;
	struct icmp6hdr h;
	struct icmp6_filter f;
	socklen_t len = sizeof(a);
	int s, fd = OK(open("/proc/sys/net/ipv4/ping_group_range", O_RDWR));

	own_net();
	close(fd);
	fd = OK(open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY));
	EQ(write(fd, "0 0", 3), 3);
	s = OK(socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6));
	EQ(echo(s, &lo, &h), sizeof(h));
	EQ(h.icmp6_type, ICMPV6_ECHO_REPLY);
	EQ(h.icmp6_sequence, htons(5));
	OK(getsockname(s, (struct sockaddr *)&a, &len));
	EQ(h.icmp6_identifier, a.sin6_port);
	/* raw: without the IPv6 header, the sum made, filtered */
	s = OK(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
	memset(&f, 0xff, sizeof(f));
	f.data[ICMPV6_ECHO_REPLY / 32] &= ~(1u << ICMPV6_ECHO_REPLY % 32);
	OK(setsockopt(s, IPPROTO_ICMPV6, ICMPV6_FILTER, &f, sizeof(f)));
	EQ(echo(s, &lo, &h), sizeof(h));
	EQ(h.icmp6_type, ICMPV6_ECHO_REPLY);
	CHECK(h.icmp6_cksum);
	ERR(set(s, IPV6_CHECKSUM, 2), EINVAL);
	s = OK(socket(AF_INET6, SOCK_RAW, 200));
	ERR(set(s, IPV6_CHECKSUM, 3), EINVAL);
	OK(set(s, IPV6_CHECKSUM, 2));
	EQ(got(s, IPV6_CHECKSUM), 2);
	EQ(sendto(s, "abcdefgh", 8, 0, SA(lo)), 8);
	EQ(recv(s, &h, sizeof(h), 0), 8);
	CHECK(!memcmp(&h, "ab", 2) && memcmp((char *)&h + 2, "cd", 2));
}

TEST(groups)
{
	struct sockaddr_in6 a, g = at("ff02::1234", 0);
	struct ipv6_mreq q = { .ipv6mr_interface = 1 };
	int x, y;

	own_net();
	x = bound("::", 0, &a);
	y = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	q.ipv6mr_multiaddr = g.sin6_addr;
	OK(setsockopt(x, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &q, sizeof(q)));
	ERR(setsockopt(x, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &q, sizeof(q)), EADDRINUSE);
	ERR(set(y, IPV6_MULTICAST_IF, 77), ENODEV);
	OK(set(y, IPV6_MULTICAST_IF, 1));
	EQ(got(y, IPV6_MULTICAST_IF), 1);
	g.sin6_port = a.sin6_port;
	g.sin6_scope_id = 1;
	ERR(sendto(y, "group", 5, 0, SA(g)), ENETUNREACH);	/* lo has no route for groups */
	OK(setsockopt(x, IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, &q, sizeof(q)));
	ERR(setsockopt(x, IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, &q, sizeof(q)), EADDRNOTAVAIL);
}

static int in_file(const char *path, const char *what)
{
	static char text[16384];
	int fd = OK(open(path, O_RDONLY));
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n < 0 ? 0 : n] = 0;
	return !!strstr(text, what);
}

TEST(addresses)
{
	struct in6_ifreq r = { .ifr6_prefixlen = 64, .ifr6_ifindex = 1 };
	struct sockaddr_in6 a, b;
	char buf[4];
	int x, y, s;

	own_net();
	s = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	CHECK(in_file("/proc/net/if_inet6",
		      "00000000000000000000000000000001 01 80 10 80       lo"));
	inet_pton(AF_INET6, "2001:db8::5", &r.ifr6_addr);
	OK(ioctl(s, SIOCSIFADDR, &r));
	ERR(ioctl(s, SIOCSIFADDR, &r), EEXIST);
	CHECK(in_file("/proc/net/if_inet6", "20010db8000000000000000000000005 01 40 00 "));
	CHECK(in_file("/proc/net/ipv6_route", "20010db8000000000000000000000000 40"));
	x = bound("2001:db8::5", 0, &a);
	y = bound("::", 0, &b);
	CHECK(in_file("/proc/net/udp6", "B80D0120000000000000000005000000:"));
	EQ(sendto(y, "y", 1, 0, SA(a)), 1);
	EQ(recv(x, buf, sizeof(buf), 0), 1);
	OK(ioctl(s, SIOCDIFADDR, &r));
	ERR(ioctl(s, SIOCDIFADDR, &r), EADDRNOTAVAIL);
	ERR(sendto(y, "y", 1, 0, SA(a)), ENETUNREACH);
	CHECK(!in_file("/proc/net/ipv6_route", "20010db8000000000000000000000000 40"));
	CHECK(in_file("/proc/net/snmp6", "Udp6InDatagrams                 \t1\n"));
}

/* Without IPv6 a device has no address, and nobody can be reached. */
TEST(disabled)
{
	struct sockaddr_in6 a, b = at("::1", 9);
	int x, fd;

	own_net();
	x = bound("::1", 0, &a);
	fd = OK(open("/proc/sys/net/ipv6/conf/all/disable_ipv6", O_WRONLY));
	EQ(write(fd, "1\n", 2), 2);
	CHECK(!in_file("/proc/net/if_inet6", "00000001"));
	ERR(sendto(x, "x", 1, 0, SA(b)), ENETUNREACH);
	ERR(bind(socket(AF_INET6, SOCK_DGRAM, 0), SA(b)), EADDRNOTAVAIL);
	EQ(pwrite(fd, "0\n", 2, 0), 2);
	CHECK(in_file("/proc/net/if_inet6", "00000001"));
	EQ(sendto(x, "x", 1, 0, SA(b)), 1);
}
