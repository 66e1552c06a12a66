/* SPDX-License-Identifier: MIT */
/*
 * Sockets of IPv6 whose peers are of both families, one after the other (ipv6(7)): which names they
 * have, and which change is refused.
 * proves: connect getsockname
 */
#include "tcp.h"

static struct sockaddr_in6 at(const char *ip, int port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	own_net();
	EQ(inet_pton(AF_INET6, ip, &a.sin6_addr), 1);
	return a;
}

static int to(int s, const char *ip)
{
	struct sockaddr_in6 a = at(ip, 4001);

	return connect(s, (struct sockaddr *)&a, sizeof(a));
}

static void is_named(int s, const char *ip)
{
	struct sockaddr_in6 a, want = at(ip, 0);
	socklen_t len = sizeof(a);

	OK(getsockname(s, (struct sockaddr *)&a, &len));
	EQ(memcmp(&a.sin6_addr, &want.sin6_addr, 16), 0);
}

static int udp6(void)
{
	at("::1", 0);
	return OK(socket(AF_INET6, SOCK_DGRAM, 0));
}

/* The name that the first peer gave stays until the association is dissolved. */
TEST(first_ipv6_then_ipv4)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int s = udp6(), r = OK(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in a = lo(4001);
	char b[4];

	OK(bind(r, (struct sockaddr *)&a, sizeof(a)));
	OK(to(s, "::1"));
	is_named(s, "::1");
	OK(to(s, "::ffff:127.0.0.1"));
	is_named(s, "::1");
	EQ(send(s, "abc", 3, 0), 3);
	EQ(recv(r, b, sizeof(b), 0), 3);
	OK(to(s, "::1"));
	is_named(s, "::1");
	OK(connect(s, &none, sizeof(none)));
	is_named(s, "::");
	OK(to(s, "::ffff:127.0.0.1"));
	is_named(s, "::ffff:127.0.0.1");
}

TEST(first_ipv4_then_ipv6)
{
	int s = udp6();

	OK(to(s, "::ffff:127.0.0.1"));
	ERR(to(s, "::1"), EAFNOSUPPORT);
	is_named(s, "::ffff:127.0.0.1");
	OK(to(s, "::ffff:127.0.0.2"));
	is_named(s, "::ffff:127.0.0.1");
}

TEST(bound)
{
	struct sockaddr_in6 a = at("::1", 0);
	int s = udp6();

	OK(bind(s, (struct sockaddr *)&a, sizeof(a)));
	ERR(to(s, "::ffff:127.0.0.1"), ENETUNREACH);
	is_named(s, "::1");
}

/* IPv4's sockets keep the source of their first peer, too. */
TEST(source_stays)
{
	struct sockaddr_in a = lo(4001), name;
	socklen_t len = sizeof(name);
	int s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	unsigned int first;

	a.sin_addr.s_addr = htonl(0x7f000003);
	OK(connect(s, (struct sockaddr *)&a, sizeof(a)));
	OK(getsockname(s, (struct sockaddr *)&name, &len));
	first = name.sin_addr.s_addr;
	a.sin_addr.s_addr = htonl(0x7f000004);
	OK(connect(s, (struct sockaddr *)&a, sizeof(a)));
	OK(getsockname(s, (struct sockaddr *)&name, &len));
	EQ(name.sin_addr.s_addr, first);
}

/* TCP's sockets of IPv6 take IPv4's addresses only mapped. */
TEST(tcp_takes_mapped)
{
	struct sockaddr_storage a = { 0 };
	int l = listener(1), s;

	*(struct sockaddr_in *)&a = lo(port_of(l));
	s = OK(socket(AF_INET6, SOCK_STREAM, 0));
	ERR(connect(s, (struct sockaddr *)&a, sizeof(struct sockaddr_in)), EINVAL);
	ERR(connect(s, (struct sockaddr *)&a, sizeof(struct sockaddr_in6)), EAFNOSUPPORT);
}
