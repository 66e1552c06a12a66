/* SPDX-License-Identifier: MIT */
/*
 * How long TCP's segments are (RFC 9293, 3.7.1; RFC 6691): TCP_MAXSEG of each side, the MTU, and
 * what TCP_INFO tells of them.
 * proves: getsockopt setsockopt
 */
#include "tcp.h"

struct sizes {
	int client, server, listener;	/* TCP_MAXSEG */
	unsigned int sent, told;	/* TCP_INFO of the client */
	unsigned int server_told;
};

static struct tcp_info info_of(int s)
{
	struct tcp_info i = { 0 };
	socklen_t len = sizeof(i);

	OK(getsockopt(s, IPPROTO_TCP, TCP_INFO, &i, &len));
	return i;
}

static void maxseg(int s, int v)
{
	OK(setsockopt(s, IPPROTO_TCP, TCP_MAXSEG, &v, sizeof(v)));
}

/* Connects C to L, of FAMILY, which listens by now. */
static struct sizes sizes_of(int c, int l)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	struct sizes z;
	int s;

	OK(getsockname(l, (struct sockaddr *)&a, &len));
	OK(connect(c, (struct sockaddr *)&a, len));
	s = OK(accept(l, NULL, NULL));
	maxseg(c, 400);			/* too late */
	z.client = option(c, IPPROTO_TCP, TCP_MAXSEG);
	z.server = option(s, IPPROTO_TCP, TCP_MAXSEG);
	z.listener = option(l, IPPROTO_TCP, TCP_MAXSEG);
	z.sent = info_of(c).tcpi_snd_mss;
	z.told = info_of(c).tcpi_advmss;
	z.server_told = info_of(s).tcpi_advmss;
	OK(close(c));
	OK(close(s));
	OK(close(l));
	return z;
}

static int listens(int family)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in b = lo(0);
	int l = OK(socket(family, SOCK_STREAM, 0));

	if (family == AF_INET6)
		OK(bind(l, (struct sockaddr *)&a, sizeof(a)));
	else
		OK(bind(l, (struct sockaddr *)&b, sizeof(b)));
	OK(listen(l, 1));
	return l;
}

/* What a pair of FAMILY has, where programs ask for these (0: for nothing). */
static struct sizes pair_of(int family, int client, int server)
{
	int l = listens(family), c = OK(socket(family, SOCK_STREAM, 0));

	EQ(option(c, IPPROTO_TCP, TCP_MAXSEG), 536);
	EQ(info_of(c).tcpi_advmss, 0);
	maxseg(c, client);
	maxseg(l, server);		/* after listen(2) is early enough */
	return sizes_of(c, l);
}

#define SIZES(z, c, s, l, told_by_c, told_by_s)                                                    \
	do {                                                                                       \
		struct sizes z_ = z;                                                               \
		EQ(z_.client, c);                                                                  \
		EQ(z_.server, s);                                                                  \
		EQ(z_.listener, l);                                                                \
		EQ(z_.sent, c);                                                                    \
		EQ(z_.told, told_by_c);                                                            \
		EQ(z_.server_told, told_by_s);                                                     \
	} while (0)

/* Time stamps take 12 bytes of each segment. */
TEST(ipv4)
{
	own_net_of_short();
	SIZES(pair_of(AF_INET, 0, 0), 1448, 1448, 536, 1448, 1448);
	SIZES(pair_of(AF_INET, 1000, 0), 988, 988, 536, 988, 1448);
	SIZES(pair_of(AF_INET, 0, 600), 588, 588, 600, 1448, 588);
	SIZES(pair_of(AF_INET, 700, 500), 488, 488, 500, 688, 488);
	setting("tcp_timestamps", "0");
	SIZES(pair_of(AF_INET, 0, 0), 1460, 1460, 536, 1460, 1460);
	SIZES(pair_of(AF_INET, 700, 500), 500, 500, 500, 700, 500);
}

TEST(ipv6)
{
	own_net_of_short();
	SIZES(pair_of(AF_INET6, 0, 0), 1428, 1428, 536, 1428, 1428);
	SIZES(pair_of(AF_INET6, 1000, 0), 988, 988, 536, 988, 1428);
	SIZES(pair_of(AF_INET6, 0, 600), 588, 588, 600, 1428, 588);
	setting("tcp_timestamps", "0");
	SIZES(pair_of(AF_INET6, 0, 0), 1440, 1440, 536, 1440, 1440);
}

/* A connection keeps what was agreed upon. */
TEST(told_once)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_mtu = 9000 };
	int c, l, s;

	own_net_of_short();
	l = listener(1);
	c = client(port_of(l));
	s = OK(accept(l, NULL, NULL));
	OK(ioctl(c, SIOCSIFMTU, &r));
	EQ(info_of(c).tcpi_advmss, 1448);
	EQ(info_of(s).tcpi_advmss, 1448);
	OK(shutdown(c, SHUT_RDWR));
	EQ(info_of(c).tcpi_advmss, 1448);
}
