/* SPDX-License-Identifier: MIT */
/*
 * TCP over IPv6: both families at one listener, names, refusals, small links, /proc/net/tcp6.
 * proves: socket connect accept4 listen bind getsockname getpeername
 */
#include "t.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SA(x) ((struct sockaddr *)&(x)), sizeof(x)

static void own_net(int mtu)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int s;

	OK(unshare(CLONE_NEWNET));
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(ioctl(s, SIOCSIFFLAGS, &r));
	r.ifr_mtu = mtu;
	OK(ioctl(s, SIOCSIFMTU, &r));
	OK(close(s));
}

static struct sockaddr_in6 at(const char *a, int port)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6,
				   .sin6_port = htons((unsigned short)port) };

	EQ(inet_pton(AF_INET6, a, &in.sin6_addr), 1);
	return in;
}

static struct sockaddr_in6 name_of(int s, int peer)
{
	struct sockaddr_in6 in;
	socklen_t len = sizeof(in);

	if (peer)
		OK(getpeername(s, (struct sockaddr *)&in, &len));
	else
		OK(getsockname(s, (struct sockaddr *)&in, &len));
	EQ(len, sizeof(in));
	return in;
}

static int listener(const char *a, int port)
{
	struct sockaddr_in6 in = at(a, port);
	int l = OK(socket(AF_INET6, SOCK_STREAM, 0));

	OK(bind(l, SA(in)));
	OK(listen(l, 5));
	return l;
}

static int is_at(const struct sockaddr_in6 *in, const char *a)
{
	struct sockaddr_in6 want = at(a, 0);

	return in->sin6_family == AF_INET6 && !memcmp(&in->sin6_addr, &want.sin6_addr, 16);
}

static void talk(int a, int b)
{
	char buf[16];

	EQ(write(a, "hello", 5), 5);
	EQ(read(b, buf, sizeof(buf)), 5);
	EQ(write(b, "back", 4), 4);
	EQ(read(a, buf, sizeof(buf)), 4);
}

TEST(both_families)
{
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_addr.s_addr = inet_addr("127.0.0.1") };
	struct sockaddr_in6 in, six;
	socklen_t len = sizeof(in);
	int l, c, s, v = -1;

	own_net(1500);
	l = listener("::", 0);
	in = name_of(l, 0);
	CHECK(is_at(&in, "::"));
	six = at("::1", ntohs(in.sin6_port));
	c = OK(socket(AF_INET6, SOCK_STREAM, 0));
	OK(connect(c, SA(six)));
	s = OK(accept(l, (struct sockaddr *)&in, &len));
	EQ(len, sizeof(in));
	CHECK(is_at(&in, "::1"));
	CHECK(in.sin6_port == name_of(c, 0).sin6_port);
	in = name_of(s, 0);
	CHECK(!memcmp(&in, &six, sizeof(in)));
	in = name_of(c, 1);
	CHECK(!memcmp(&in, &six, sizeof(in)));
	talk(c, s);
	len = sizeof(v);
	OK(getsockopt(c, IPPROTO_TCP, TCP_MAXSEG, &v, &len));
	EQ(v, 1500 - 40 - 20 - 12);
	close(c);
	close(s);
	/* IPv4, of an old socket and of a new one with a mapped address */
	four.sin_port = six.sin6_port;
	c = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(connect(c, SA(four)));
	len = sizeof(in);
	s = OK(accept(l, (struct sockaddr *)&in, &len));
	CHECK(is_at(&in, "::ffff:127.0.0.1"));
	in = name_of(s, 0);
	CHECK(is_at(&in, "::ffff:127.0.0.1"));
	talk(c, s);
	close(c);
	close(s);
	six = at("::ffff:127.0.0.1", ntohs(six.sin6_port));
	c = OK(socket(AF_INET6, SOCK_STREAM, 0));
	OK(connect(c, SA(six)));
	s = OK(accept(l, NULL, NULL));
	in = name_of(c, 1);
	CHECK(is_at(&in, "::ffff:127.0.0.1"));
	talk(c, s);
}

TEST(alone)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six;
	int l, l4, c, one = 1;

	own_net(1500);
	l = OK(socket(AF_INET6, SOCK_STREAM, 0));
	OK(setsockopt(l, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)));
	six = at("::", 7000);
	OK(bind(l, SA(six)));
	OK(listen(l, 5));
	l4 = OK(socket(AF_INET, SOCK_STREAM, 0));
	four.sin_port = htons(7000);
	c = OK(socket(AF_INET, SOCK_STREAM, 0));
	four.sin_addr.s_addr = inet_addr("127.0.0.1");
	ERR(connect(c, SA(four)), ECONNREFUSED);
	OK(bind(l4, SA(four)));
	OK(listen(l4, 5));
	OK(connect(c, SA(four)));
	OK(accept(l4, NULL, NULL));
	six = at("::1", 7000);
	c = OK(socket(AF_INET6, SOCK_STREAM, 0));
	OK(connect(c, SA(six)));
	OK(accept(l, NULL, NULL));
	six = at("::1", 7001);
	ERR(connect(socket(AF_INET6, SOCK_STREAM, 0), SA(six)), ECONNREFUSED);
	six = at("2001:db8::1", 7001);
	ERR(connect(socket(AF_INET6, SOCK_STREAM, 0), SA(six)), ENETUNREACH);
	six = at("fe80::1", 7001);
	ERR(connect(socket(AF_INET6, SOCK_STREAM, 0), SA(six)), EINVAL);
	six = at("::", 7000);
	c = OK(socket(AF_INET6, SOCK_STREAM, 0));
	OK(connect(c, SA(six)));	/* "any" is this host */
	six = name_of(c, 1);
	CHECK(is_at(&six, "::1"));
	/* no second one beside a listener of both */
	six = at("::", 7002);
	l = listener("::", 7002);
	four.sin_port = htons(7002);
	ERR(bind(socket(AF_INET, SOCK_STREAM, 0), SA(four)), EADDRINUSE);
	ERR(bind(socket(AF_INET6, SOCK_STREAM, 0), SA(six)), EADDRINUSE);
	close(l);
}

#define BULK (8 << 20)

static void *send_bulk(void *arg)
{
	static char out[65536];
	size_t done = 0;

	while (done < BULK) {
		for (size_t i = 0; i < sizeof(out); i++)
			out[i] = (char)((done + i) * 7 >> 3);
		if (write(*(int *)arg, out, sizeof(out)) != sizeof(out))
			break;
		done += sizeof(out);
	}
	shutdown(*(int *)arg, SHUT_WR);
	return NULL;
}

TEST(bulk)
{
	static char in[65536];
	struct sockaddr_in6 six;
	size_t done = 0;
	pthread_t t;
	int l, c, s, bad = 0;
	ssize_t n;

	own_net(65536);
	l = listener("::1", 0);
	six = name_of(l, 0);
	c = OK(socket(AF_INET6, SOCK_STREAM, 0));
	OK(connect(c, SA(six)));
	s = OK(accept(l, NULL, NULL));
	EQ(pthread_create(&t, NULL, send_bulk, &c), 0);
	while ((n = read(s, in, sizeof(in))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			bad |= in[i] !=
			       (char)((done % 65536 + (size_t)i + done / 65536 * 65536) * 7 >> 3);
		done += (size_t)n;
	}
	EQ(pthread_join(t, NULL), 0);
	EQ(done, BULK);
	CHECK(!bad);
}

TEST(shown)
{
	static char text[16384];
	struct sockaddr_in6 six;
	int c, fd;
	ssize_t n;

	own_net(1500);
	listener("::1", 7003);
	six = at("::1", 7003);
	c = OK(socket(AF_INET6, SOCK_STREAM, 0));
	OK(connect(c, SA(six)));
	fd = OK(open("/proc/net/tcp6", O_RDONLY));
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n] = 0;
	CHECK(strstr(
		text,
		"   0: 00000000000000000000000001000000:1B5B 00000000000000000000000000000000:0000 0A "));
	CHECK(strstr(text, " 00000000000000000000000001000000:1B5B 01 "));
}

/*
 * The device of a scope is the socket's as soon as it is named, whether the peer is reached or not.
 */
TEST(failed_connect)
{
	struct sockaddr_in6 in = at("ff02::1", 9);
	int s, index = -1;
	socklen_t len = sizeof(index);

	own_net(65536);
	in.sin6_scope_id = 1;
	s = OK(socket(AF_INET6, SOCK_STREAM, 0));
	ERR(connect(s, SA(in)), ENETUNREACH);
	OK(getsockopt(s, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &len));
	EQ(index, 0);
	in = at("::1", 9);
	ERR(connect(s, SA(in)), ECONNREFUSED);
	in = name_of(s, 0);
	CHECK(IN6_IS_ADDR_UNSPECIFIED(&in.sin6_addr));
	in = at("fe80::1", 9);
	in.sin6_scope_id = 77;
	ERR(connect(s, SA(in)), ENETUNREACH);
	OK(getsockopt(s, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &len));
	EQ(index, 77);
	in = at("::1", 9);
	ERR(connect(s, SA(in)), ENETUNREACH);
}
