/* SPDX-License-Identifier: MIT */
/*
 * Headers of IPv4 and what they leave of a packet: long options, identifications, fragments.
 * proves: setsockopt send recv
 */
#include "t.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SA(x) ((struct sockaddr *)&(x)), sizeof(x)

static unsigned char buf[70000];

/* A namespace of its own, with lo up. */
static void own_net(int mtu)
{
	struct ifreq r = { .ifr_name = "lo" };
	int s;

	if (unshare(CLONE_NEWNET))
		SKIP("no network namespaces");
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	r.ifr_mtu = mtu;
	OK(ioctl(s, SIOCSIFMTU, &r));
	OK(ioctl(s, SIOCGIFFLAGS, &r));
	r.ifr_flags |= IFF_UP;
	OK(ioctl(s, SIOCSIFFLAGS, &r));
	close(s);
}

static struct sockaddr_in at(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((unsigned short)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void set(int s, int level, int name, int v)
{
	OK(setsockopt(s, level, name, &v, sizeof(v)));
}

/* With timestamps TCP's header has 32 bytes, and IP's 60: whatever is written arrives. */
TEST(longest_headers)
{
	struct sockaddr_in a = at(4001);
	struct timeval soon = { 10, 0 };
	unsigned char nop[40];
	int l, s, r;

	own_net(65536);
	memset(nop, 1, sizeof(nop));
	l = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(bind(l, SA(a)));
	OK(listen(l, 1));
	s = OK(socket(AF_INET, SOCK_STREAM, 0));
	set(s, IPPROTO_TCP, TCP_NODELAY, 1);
	OK(setsockopt(s, IPPROTO_IP, IP_OPTIONS, nop, sizeof(nop)));
	OK(connect(s, SA(a)));
	r = OK(accept(l, NULL, NULL));
	OK(setsockopt(r, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)));
	for (size_t n = 140; n <= 180; n++) {
		for (size_t i = 0; i < n; i++)
			buf[i] = (unsigned char)(n + i);
		EQ(send(s, buf, n, 0), (long)n);
		memset(buf, 0, n);
		EQ(recv(r, buf, n, MSG_WAITALL), (long)n);
		for (size_t i = 0; i < n; i++)
			EQ(buf[i], (unsigned char)(n + i));
	}
}

/* The header of what S sent, as a raw socket of its protocol hears it. */
static int id_of(int from, int heard, struct sockaddr_in *to)
{
	int n = to ? (int)sendto(from, "data", 4, 0, SA(*to)) : (int)send(from, "data", 4, 0);

	EQ(n, 4);
	EQ(recv(heard, buf, sizeof(buf), MSG_DONTWAIT), 24);
	EQ(buf[6], 0x40);	/* do not fragment */
	return buf[4] << 8 | buf[5];
}

/*
 * One that may be fragmented on its way, by the option, has an id though it has DF; else it needs
 * none.
 */
TEST(identification)
{
	struct sockaddr_in a = at(0);
	int s, r, first, none = 0;

	own_net(65536);
	r = OK(socket(AF_INET, SOCK_RAW, 200));
	s = OK(socket(AF_INET, SOCK_RAW, 200));
	recv(s, buf, 1, MSG_DONTWAIT);
	/* One in 65536 is 0. */
	for (int i = 0; i < 3; i++)
		none += !id_of(s, r, &a);
	CHECK(none < 2);
	set(s, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	EQ(id_of(s, r, &a), 0);
	/* Of a connected one they follow each other. */
	OK(connect(s, SA(a)));
	set(s, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_WANT);
	first = id_of(s, r, NULL);
	EQ(id_of(s, r, NULL), (first + 1) & 0xffff);
}

/* A fragment counts for its own bytes: many of a large datagram fit into the buffers. */
TEST(fragments_are_counted_for_what_they_hold)
{
	static const int mtus[] = { 1500, 600, 200 };

	for (unsigned int i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
		struct sockaddr_in a = at(4001);
		struct timeval soon = { 10, 0 };
		int s, r;

		own_net(mtus[i]);
		r = OK(socket(AF_INET, SOCK_DGRAM, 0));
		set(r, SOL_SOCKET, SO_RCVBUF, 1000000);
		OK(setsockopt(r, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)));
		OK(bind(r, SA(a)));
		s = OK(socket(AF_INET, SOCK_DGRAM, 0));
		set(s, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
		EQ(sendto(s, buf, 30000, 0, SA(a)), 30000);
		EQ(recv(r, buf, sizeof(buf), 0), 30000);
		close(s);
		close(r);
	}
}
