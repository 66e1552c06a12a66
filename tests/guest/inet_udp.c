/* SPDX-License-Identifier: MIT */
/*
 * UDP over loopback and the names of its sockets. proves: socket bind connect sendto recvfrom
 * sendmsg recvmsg getsockname getpeername setsockopt getsockopt shutdown
 */
#include "lo.h"
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int bound(const char *a, int port, struct sockaddr_in *name)
{
	int s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in in = in_addr_of(a, port);
	socklen_t len = sizeof(*name);

	OK(bind(s, SA(in)));
	OK(getsockname(s, (struct sockaddr *)name, &len));
	EQ(len, sizeof(*name));
	return s;
}

TEST(does_not_listen)
{
	int s = OK(socket(AF_INET, SOCK_DGRAM, 0));

	ERR(listen(s, 1), EOPNOTSUPP);
	ERR(accept(s, NULL, NULL), EOPNOTSUPP);
}

TEST(both_ways)
{
	struct sockaddr_in a, b, from;
	socklen_t len = sizeof(from);
	char buf[100];
	int x, y;

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = bound("127.0.0.2", 0, &b);
	CHECK(a.sin_port && b.sin_port);
	EQ(sendto(x, "hello", 5, 0, SA(b)), 5);
	EQ(recvfrom(y, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 5);
	CHECK(!memcmp(buf, "hello", 5) && !memcmp(&from, &a, sizeof(a)));
	EQ(sendto(y, "", 0, 0, SA(from)), 0);
	EQ(recvfrom(x, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 0);
	CHECK(!memcmp(&from, &b, sizeof(b)));
	ERR(recv(x, buf, 1, MSG_DONTWAIT), EAGAIN);
}

/* Payloads of all kinds of lengths come as they went: in the head, in pieces, in fragments. */
TEST(sizes)
{
	static const int sizes[] = { 1,	   100,	 117,  118,   159,   160,  161,
				     1472, 1473, 4096, 16384, 65000, 65507 };
	struct sockaddr_in a, b;
	static char out[65536], in[65536];
	int x, y, big = 1 << 20;

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = bound("127.0.0.1", 0, &b);
	setsockopt(y, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		int n = sizes[i];

		for (int k = 0; k < n; k++)
			out[k] = (char)(k * 31 + i);
		EQ(sendto(x, out, (size_t)n, 0, SA(b)), n);
		EQ(recv(y, in, sizeof(in), 0), n);
		CHECK(!memcmp(in, out, (size_t)n));
	}
	ERR(sendto(x, out, 65508, 0, SA(b)), EMSGSIZE);
	ERR(sendto(x, out, 65536, 0, SA(b)), EMSGSIZE);
}

/* The same by a link of 1500 bytes. */
TEST(fragments)
{
	struct ifreq r = { .ifr_name = "lo" };
	struct sockaddr_in a, b;
	static char out[65536], in[65536];
	int x, y, v, big = 1 << 20;

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = bound("127.0.0.1", 0, &b);
	setsockopt(y, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	r.ifr_mtu = 1500;
	OK(ioctl(x, SIOCSIFMTU, &r));
	for (int k = 0; k < 60000; k++)
		out[k] = (char)(k * 7 + (k >> 8));
	for (int n = 1460; n < 60000; n = n * 3 / 2 + 1) {
		EQ(sendto(x, out, (size_t)n, 0, SA(b)), n);
		EQ(recv(y, in, sizeof(in), 0), n);
		CHECK(!memcmp(in, out, (size_t)n));
	}
	v = IP_PMTUDISC_DO;
	OK(setsockopt(x, IPPROTO_IP, IP_MTU_DISCOVER, &v, sizeof(v)));
	ERR(sendto(x, out, 1473, 0, SA(b)), EMSGSIZE);
	EQ(sendto(x, out, 1472, 0, SA(b)), 1472);
	r.ifr_mtu = 65536;
	OK(ioctl(x, SIOCSIFMTU, &r));
}

TEST(truncation_and_peek)
{
	struct sockaddr_in a, b;
	char buf[16];
	struct iovec v = { buf, 4 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	int x, y;

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = bound("127.0.0.1", 0, &b);
	EQ(sendto(x, "0123456789", 10, 0, SA(b)), 10);
	EQ(recvmsg(y, &m, MSG_PEEK), 4);
	CHECK(m.msg_flags & MSG_TRUNC);
	EQ(recv(y, buf, 4, MSG_PEEK | MSG_TRUNC), 10);
	EQ(recv(y, buf, 4, MSG_TRUNC), 10);
	CHECK(!memcmp(buf, "0123", 4));
	ERR(recv(y, buf, 4, MSG_DONTWAIT | MSG_PEEK), EAGAIN);
}

/* What recvmsg() tells of the message that is next. */
struct told {
	struct sockaddr_storage name;
	char control[400], data[64];
	struct msghdr m;
};

static void ask(int s, int flags, struct told *t)
{
	struct iovec v = { t->data, sizeof(t->data) };

	memset(t, 0, sizeof(*t));
	t->m = (struct msghdr){ .msg_name = &t->name,
				.msg_namelen = sizeof(t->name),
				.msg_iov = &v,
				.msg_iovlen = 1,
				.msg_control = t->control,
				.msg_controllen = sizeof(t->control) };
	CHECK(recvmsg(s, &t->m, flags | MSG_DONTWAIT) > 0);
}

/* A peek tells all that the read after it does: recv(2). */
static void peek_and_read(int s)
{
	struct told peek, read;

	ask(s, MSG_PEEK, &peek);
	ask(s, 0, &read);
	EQ(peek.m.msg_namelen, read.m.msg_namelen);
	CHECK(!memcmp(&peek.name, &read.name, sizeof(read.name)));
	EQ(peek.m.msg_controllen, read.m.msg_controllen);
	CHECK(!memcmp(peek.control, read.control, sizeof(read.control)));
	EQ(peek.m.msg_flags, read.m.msg_flags);
	CHECK(!memcmp(peek.data, read.data, sizeof(read.data)));
}

TEST(peek_tells_the_same)
{
	static const int ask_for[] = { IP_PKTINFO, IP_RECVTTL,	       IP_RECVTOS,     IP_RECVOPTS,
				       IP_RETOPTS, IP_RECVORIGDSTADDR, IP_RECVFRAGSIZE };
	struct sockaddr_in a, b, other;
	int x, y, z, taps, on = 1;
	char buf[16];

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = bound("127.0.0.1", 0, &b);
	z = bound("127.0.0.2", 0, &other);
	for (unsigned int i = 0; i < sizeof(ask_for) / sizeof(*ask_for); i++)
		OK(setsockopt(y, IPPROTO_IP, ask_for[i], &on, sizeof(on)));
	taps = OK(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP)));
	for (int i = 0; i < 20; i++) {
		EQ(sendto(x, "hello", 5, 0, SA(b)), 5);
		/* Memory that the peek may be given has been another datagram's. */
		for (int k = 0; k < 4; k++)
			EQ(sendto(x, "other", 5, 0, SA(other)), 5);
		for (int k = 0; k < 4; k++)
			EQ(recv(z, buf, sizeof(buf), 0), 5);
		peek_and_read(y);
		peek_and_read(taps);
	}
}

/* Peeks of one datagram go on in it, the next begins in the next one. */
TEST(peeking_further)
{
	struct sockaddr_in a, b;
	int x, y, off = 1;
	char buf[16];
	socklen_t len = sizeof(off);

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = bound("127.0.0.1", 0, &b);
	OK(setsockopt(y, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)));
	EQ(sendto(x, "abc", 3, 0, SA(b)), 3);
	EQ(sendto(x, "de", 2, 0, SA(b)), 2);
	EQ(recv(y, buf, 1, MSG_PEEK), 1);
	EQ(buf[0], 'b');
	EQ(recv(y, buf, 16, MSG_PEEK), 1);
	EQ(buf[0], 'c');
	EQ(recv(y, buf, 16, MSG_PEEK), 2);
	CHECK(!memcmp(buf, "de", 2));
	ERR(recv(y, buf, 16, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	EQ(recv(y, buf, 16, 0), 3);
	OK(getsockopt(y, SOL_SOCKET, SO_PEEK_OFF, &off, &len));
	EQ(off, 2);
	EQ(recv(y, buf, 16, 0), 2);
	ERR(setsockopt(OK(socket(AF_INET, SOCK_RAW, IPPROTO_UDP)), SOL_SOCKET, SO_PEEK_OFF, &off,
		       sizeof(off)),
	    EOPNOTSUPP);
}

TEST(connected)
{
	struct sockaddr_in a, b, c, name;
	socklen_t len = sizeof(name);
	char buf[16];
	int x, y, z;

	own_net();
	x = OK(socket(AF_INET, SOCK_DGRAM, 0));
	y = bound("127.0.0.1", 0, &b);
	z = bound("127.0.0.1", 0, &c);
	ERR(send(x, "a", 1, 0), EDESTADDRREQ);
	ERR(getpeername(x, (struct sockaddr *)&name, &len), ENOTCONN);
	OK(connect(x, SA(b)));
	OK(getpeername(x, (struct sockaddr *)&name, &len));
	CHECK(!memcmp(&name, &b, sizeof(b)));
	OK(getsockname(x, (struct sockaddr *)&a, &len));
	EQ(a.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	EQ(send(x, "one", 3, 0), 3);
	EQ(recv(y, buf, sizeof(buf), 0), 3);
	/* Others are not heard. */
	EQ(sendto(z, "two", 3, 0, SA(a)), 3);
	ERR(recv(x, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	EQ(sendto(y, "three", 5, 0, SA(a)), 5);
	EQ(recv(x, buf, sizeof(buf), MSG_DONTWAIT), 5);
	name.sin_family = AF_UNSPEC;
	OK(connect(x, SA(name)));
	ERR(getpeername(x, (struct sockaddr *)&name, &len), ENOTCONN);
	OK(getsockname(x, (struct sockaddr *)&name, &len));
	CHECK(!name.sin_addr.s_addr && !name.sin_port);
	/* Whatever comes of sending, there is a port before. */
	ERR(send(x, "a", 1, 0), EDESTADDRREQ);
	OK(getsockname(x, (struct sockaddr *)&name, &len));
	CHECK(name.sin_port);
}

/* A call of connect(2) that fails changes nothing: S hears its PEER, under the same names. */
static void fails_to_connect(int s, const char *to, int err, int peer)
{
	struct sockaddr_in in = in_addr_of(to, 9), was[2], now[2];
	socklen_t len = sizeof(in);
	char b[4];
	int e = -1;

	OK(getsockname(s, (struct sockaddr *)&was[0], &len));
	OK(getpeername(s, (struct sockaddr *)&was[1], &len));
	ERR(connect(s, SA(in)), err);
	OK(getsockname(s, (struct sockaddr *)&now[0], &len));
	OK(getpeername(s, (struct sockaddr *)&now[1], &len));
	CHECK(!memcmp(was, now, sizeof(was)));
	EQ(send(peer, "x", 1, 0), 1);
	EQ(recv(s, b, sizeof(b), MSG_DONTWAIT), 1);
	EQ(send(s, "yy", 2, 0), 2);
	EQ(recv(peer, b, sizeof(b), MSG_DONTWAIT), 2);
	len = sizeof(e);
	OK(getsockopt(peer, SOL_SOCKET, SO_ERROR, &e, &len));
	EQ(e, 0);
}

TEST(failed_connect)
{
	struct sockaddr_in a, peer, any = in_addr_of("0.0.0.0", 0);
	socklen_t len = sizeof(a);

	own_net();
	for (int bind_first = 0; bind_first < 2; bind_first++) {
		int p = bound("127.0.0.1", 0, &peer), s = OK(socket(AF_INET, SOCK_DGRAM, 0));

		if (bind_first)
			OK(bind(s, SA(any)));
		OK(connect(s, SA(peer)));
		OK(getsockname(s, (struct sockaddr *)&a, &len));
		OK(connect(p, SA(a)));
		fails_to_connect(s, "255.255.255.255", EACCES, p);
		fails_to_connect(s, "203.0.113.1", ENETUNREACH, p);
	}
}

/* A connected socket hears that nobody is there. */
TEST(refused)
{
	struct sockaddr_in a, b;
	char buf[4];
	struct pollfd p;
	int x, y, e;
	socklen_t len = sizeof(e);

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = bound("127.0.0.1", 0, &b);
	close(y);
	EQ(sendto(x, "a", 1, 0, SA(b)), 1);
	ERR(recv(x, buf, 1, MSG_DONTWAIT), EAGAIN);
	OK(connect(x, SA(b)));
	EQ(send(x, "a", 1, 0), 1);
	p = (struct pollfd){ .fd = x, .events = POLLIN };
	EQ(poll(&p, 1, 1000), 1);
	CHECK(p.revents & POLLERR);
	ERR(recv(x, buf, 1, MSG_DONTWAIT), ECONNREFUSED);
	EQ(send(x, "a", 1, 0), 1);
	OK(getsockopt(x, SOL_SOCKET, SO_ERROR, &e, &len));
	EQ(e, ECONNREFUSED);
	ERR(recv(x, buf, 1, MSG_DONTWAIT), EAGAIN);
}

TEST(error_queue)
{
	struct sockaddr_in a, b, name;
	char buf[64], control[256];
	struct iovec v = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control),
			    .msg_name = &name,
			    .msg_namelen = sizeof(name) };
	struct cmsghdr *c;
	struct sock_extended_err *ee;
	int x, y, on = 1;

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = bound("127.0.0.1", 0, &b);
	close(y);
	OK(setsockopt(x, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)));
	ERR(recvmsg(x, &m, MSG_ERRQUEUE), EAGAIN);
	EQ(sendto(x, "lost one", 8, 0, SA(b)), 8);
	EQ(recvmsg(x, &m, MSG_ERRQUEUE), 8);
	CHECK(m.msg_flags & MSG_ERRQUEUE);
	CHECK(!memcmp(buf, "lost one", 8) && name.sin_port == b.sin_port &&
	      name.sin_addr.s_addr == b.sin_addr.s_addr);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR);
	ee = (struct sock_extended_err *)CMSG_DATA(c);
	EQ(ee->ee_errno, ECONNREFUSED);
	EQ(ee->ee_origin, SO_EE_ORIGIN_ICMP);
	EQ(ee->ee_type, 3);
	EQ(ee->ee_code, 3);
	EQ(((struct sockaddr_in *)SO_EE_OFFENDER(ee))->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
}

TEST(control_messages)
{
	struct sockaddr_in a, b;
	char buf[64], control[256];
	struct iovec v = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int x, y, on = 1, ttl = 33, seen = 0;

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = bound("0.0.0.0", 0, &b);
	OK(setsockopt(y, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)));
	OK(setsockopt(y, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on)));
	OK(setsockopt(y, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on)));
	OK(setsockopt(x, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)));
	b.sin_addr.s_addr = inet_addr("127.3.2.1");
	EQ(sendto(x, "a", 1, 0, SA(b)), 1);
	EQ(recvmsg(y, &m, 0), 1);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo *i = (struct in_pktinfo *)CMSG_DATA(c);

			EQ(i->ipi_ifindex, 1);
			EQ(i->ipi_addr.s_addr, b.sin_addr.s_addr);
			EQ(i->ipi_spec_dst.s_addr, b.sin_addr.s_addr);
			seen |= 1;
		} else if (c->cmsg_type == IP_TTL) {
			EQ(*(int *)CMSG_DATA(c), 33);
			seen |= 2;
		} else if (c->cmsg_type == IP_TOS) {
			EQ(*(unsigned char *)CMSG_DATA(c), 0);
			seen |= 4;
		}
	}
	EQ(seen, 7);
}

TEST(names)
{
	struct sockaddr_in a, in;
	int x, y, one = 1;

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = OK(socket(AF_INET, SOCK_DGRAM, 0));
	ERR(bind(y, SA(a)), EADDRINUSE);
	in = in_addr_of("0.0.0.0", ntohs(a.sin_port));
	ERR(bind(y, SA(in)), EADDRINUSE);
	in = in_addr_of("127.0.0.2", ntohs(a.sin_port));
	OK(bind(y, SA(in)));
	ERR(bind(y, SA(in)), EINVAL);
	close(y);
	y = OK(socket(AF_INET, SOCK_DGRAM, 0));
	in = in_addr_of("10.9.8.7", 0);
	ERR(bind(y, SA(in)), EADDRNOTAVAIL);
	OK(setsockopt(y, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)));
	OK(bind(y, SA(in)));
	close(y);
	y = OK(socket(AF_INET, SOCK_DGRAM, 0));
	ERR(bind(y, (struct sockaddr *)&in, 8), EINVAL);
	in.sin_family = AF_INET6;
	ERR(bind(y, SA(in)), EAFNOSUPPORT);
	in = in_addr_of("127.0.0.1", 0);
	ERR(sendto(y, "a", 1, 0, SA(in)), EINVAL);
	in = in_addr_of("192.0.2.1", 9);
	ERR(sendto(y, "a", 1, 0, SA(in)), ENETUNREACH);
	ERR(connect(y, SA(in)), ENETUNREACH);
	close(x);
	close(y);
	y = OK(socket(AF_INET, SOCK_DGRAM, 0));
	/* Both with SO_REUSEADDR: the port is shared. */
	x = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(setsockopt(x, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	OK(setsockopt(y, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	in = in_addr_of("127.0.0.1", 5353);
	OK(bind(x, SA(in)));
	OK(bind(y, SA(in)));
}

TEST(unprivileged_ports)
{
	struct sockaddr_in in = in_addr_of("0.0.0.0", 53);
	int x;

	own_net();
	x = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(setresuid(1000, 1000, 1000));
	ERR(bind(x, SA(in)), EACCES);
	in.sin_port = htons(1024);
	OK(bind(x, SA(in)));
}

TEST(kinds)
{
	ERR(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
	ERR(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
	ERR(socket(AF_INET, SOCK_DGRAM, 1000), EINVAL);
	ERR(socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE), EPROTONOSUPPORT);
	ERR(listen(OK(socket(AF_INET, SOCK_DGRAM, 0)), 1), EOPNOTSUPP);
	ERR(listen(OK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)), 1), EOPNOTSUPP);
	OK(setresuid(1000, 1000, 1000));
	ERR(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
	ERR(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
}

TEST(shut)
{
	struct sockaddr_in a, b;
	char buf[4];
	int x, y;

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = bound("127.0.0.1", 0, &b);
	OK(connect(x, SA(b)));
	ERR(shutdown(x, 3), EINVAL);
	OK(shutdown(x, SHUT_WR));
	ERR(send(x, "a", 1, MSG_NOSIGNAL), EPIPE);
	OK(shutdown(x, SHUT_RD));
	EQ(recv(x, buf, sizeof(buf), 0), 0);
	ERR(shutdown(y, SHUT_RD), ENOTCONN);
}

/* A full receive buffer loses what comes, and a reader gets what was before. */
TEST(full_buffer)
{
	struct sockaddr_in a, b;
	char buf[1000] = "";
	int x, y, small = 5000, n = 0;

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = bound("127.0.0.1", 0, &b);
	OK(setsockopt(y, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)));
	for (int i = 0; i < 100; i++) {
		buf[0] = (char)i;
		EQ(sendto(x, buf, sizeof(buf), 0, SA(b)), (int)sizeof(buf));
	}
	while (recv(y, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		EQ(buf[0], n++);
	CHECK(n > 1 && n < 20);
}

TEST(corked)
{
	struct sockaddr_in a, b;
	char buf[64];
	int x, y, on = 1, off = 0;

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = bound("127.0.0.1", 0, &b);
	OK(connect(x, SA(b)));
	EQ(send(x, "ab", 2, MSG_MORE), 2);
	ERR(recv(y, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	EQ(send(x, "cd", 2, 0), 2);
	EQ(recv(y, buf, sizeof(buf), MSG_DONTWAIT), 4);
	CHECK(!memcmp(buf, "abcd", 4));
	OK(setsockopt(x, IPPROTO_UDP, UDP_CORK, &on, sizeof(on)));
	EQ(send(x, "ef", 2, 0), 2);
	EQ(send(x, "gh", 2, 0), 2);
	ERR(recv(y, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	OK(setsockopt(x, IPPROTO_UDP, UDP_CORK, &off, sizeof(off)));
	EQ(recv(y, buf, sizeof(buf), MSG_DONTWAIT), 4);
	CHECK(!memcmp(buf, "efgh", 4));
}

/* A reader that sleeps is woken by a sender of another process. */
TEST(wakes)
{
	struct sockaddr_in a, b;
	char buf[16];
	int x, y, status;
	pid_t pid;

	own_net();
	x = bound("127.0.0.1", 0, &a);
	y = bound("127.0.0.1", 0, &b);
	pid = OK(fork());
	if (!pid) {
		for (int i = 0; i < 1000; i++) {
			if (recv(y, buf, sizeof(buf), 0) != 4 ||
			    sendto(y, "pong", 4, 0, SA(a)) != 4)
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < 1000; i++) {
		EQ(sendto(x, "ping", 4, 0, SA(b)), 4);
		EQ(recv(x, buf, sizeof(buf), 0), 4);
	}
	OK(waitpid(pid, &status, 0));
	EQ(status, 0);
}

/* A datagram that is larger than the receive buffer is received while nothing else waits. */
TEST(larger_than_the_buffer)
{
	static char out[60000], in[sizeof(out)];
	struct sockaddr_in to;
	int r, s, least = 1;

	own_net();
	r = bound("127.0.0.1", 0, &to);
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(setsockopt(r, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)));
	for (unsigned int i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7);
	for (int round = 0; round < 2; round++) {
		EQ(sendto(s, out, sizeof(out), 0, SA(to)), (long)sizeof(out));
		EQ(sendto(s, out, sizeof(out), 0, SA(to)), (long)sizeof(out));
		EQ(recv(r, in, sizeof(in), MSG_DONTWAIT), (long)sizeof(in));
		CHECK(!memcmp(in, out, sizeof(in)));
		ERR(recv(r, in, sizeof(in), MSG_DONTWAIT), EAGAIN);
	}
}

/* An ICMP error of somebody else: packets of UDP from A to B may have MTU bytes. */
static void frag_needed(int raw, struct sockaddr_in *a, struct sockaddr_in *b, int mtu)
{
	struct {
		struct icmphdr icmp;
		struct iphdr ip;
		struct udphdr udp;
	} m = { .icmp = { .type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED },
		.ip = { .version = 4, .ihl = 5, .protocol = IPPROTO_UDP, .ttl = 64 },
		.udp = { .source = a->sin_port, .dest = b->sin_port } };
	unsigned short w[sizeof(m) / 2];
	struct sockaddr_in to = in_addr_of("127.0.0.1", 0);
	unsigned int sum = 0;

	m.icmp.un.frag.mtu = htons((unsigned short)mtu);
	m.ip.tot_len = htons(2000);
	m.ip.frag_off = htons(IP_DF);
	m.ip.saddr = a->sin_addr.s_addr;
	m.ip.daddr = b->sin_addr.s_addr;
	m.udp.len = htons(1980);
	memcpy(w, &m, sizeof(m));
	for (unsigned int i = 0; i < sizeof(m) / 2; i++)
		sum += w[i];
	sum = (sum & 0xffff) + (sum >> 16);
	m.icmp.checksum = (unsigned short)~(sum + (sum >> 16));
	EQ(sendto(raw, &m, sizeof(m), 0, SA(to)), (long)sizeof(m));
}

static int mtu_of(struct sockaddr_in *to)
{
	int s = OK(socket(AF_INET, SOCK_DGRAM, 0)), mtu;
	socklen_t len = sizeof(mtu);

	OK(connect(s, SA(*to)));
	OK(getsockopt(s, IPPROTO_IP, IP_MTU, &mtu, &len));
	close(s);
	return mtu;
}

/* Linux believes any error about its own addresses. */
static bool on_linux(void)
{
	return access("/proc/sys/vm/user_lasting_kbytes", F_OK);
}

/* A shorter MTU is believed of a packet that a socket may have sent; here, and of no other. */
TEST(forged_mtu)
{
	struct sockaddr_in a, b, other = in_addr_of("127.0.0.1", 9);
	int s, whole, raw;

	own_net();
	s = bound("127.0.0.1", 0, &a);
	bound("127.0.0.2", 0, &b);
	OK(connect(s, SA(b)));
	raw = OK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	whole = mtu_of(&b);
	CHECK(whole > 60000);
	frag_needed(raw, &other, &b, 1000);
	EQ(mtu_of(&b), on_linux() ? 1000 : whole);
	frag_needed(raw, &a, &b, 1000);
	EQ(mtu_of(&b), 1000);
	EQ(mtu_of(&a), whole);
}

/* A broadcast is for all sockets of its port, however many. */
TEST(many_receivers)
{
	struct sockaddr_in to = in_addr_of("127.255.255.255", 4000),
			   any = in_addr_of("0.0.0.0", 4000);
	int s, r[100], on = 1;
	char b[4];

	own_net();
	for (unsigned int i = 0; i < 100; i++) {
		r[i] = OK(socket(AF_INET, SOCK_DGRAM, 0));
		OK(setsockopt(r[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
		OK(bind(r[i], SA(any)));
	}
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(setsockopt(s, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)));
	EQ(sendto(s, "abc", 3, 0, SA(to)), 3);
	for (unsigned int i = 0; i < 100; i++)
		EQ(recv(r[i], b, sizeof(b), MSG_DONTWAIT), 3);
}
