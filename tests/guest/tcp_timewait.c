/* SPDX-License-Identifier: MIT */
/*
 * TIME-WAIT keeps its port from bind(2), unless both ask to share it (SO_REUSEADDR), and its ends
 * from connect(2), unless timestamps tell the connections apart (tcp_tw_reuse). proves: bind connect
 */
#include "tcp.h"

static int waiting(void)
{
	char line[200];
	int n = -1, o;
	FILE *f = fopen("/proc/net/sockstat", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "TCP: inuse %d orphan %d tw %d", &o, &o, &n) == 3)
			break;
	fclose(f);
	return n;
}

/* FIRST ends the connection first, and has TIME-WAIT. */
static void end(int first, int second)
{
	int was = waiting();
	char c;

	OK(close(first));
	EQ(read(second, &c, 1), 0);
	OK(close(second));
	while (waiting() == was)
		sched_yield();
}

static int fresh(int reuse)
{
	int s = OK(socket(AF_INET, SOCK_STREAM, 0));

	OK(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)));
	return s;
}

static int bind_to(int s, unsigned int address, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((unsigned short)port),
				 .sin_addr.s_addr = htonl(address) };

	return bind(s, (struct sockaddr *)&a, sizeof(a));
}

static int connect_to(int s, int port)
{
	struct sockaddr_in a = lo(port);

	return connect(s, (struct sockaddr *)&a, sizeof(a));
}

/* A server with SO_REUSEADDR or without ended its connection and is gone: its port. */
static int server_ended(int reuse)
{
	int l, c, port;

	own_net();
	l = fresh(reuse);
	OK(bind_to(l, INADDR_LOOPBACK, 0));
	OK(listen(l, 1));
	port = port_of(l);
	c = client(port);
	end(OK(accept(l, NULL, NULL)), c);
	OK(close(l));
	return port;
}

TEST(without_reuse)
{
	int port = server_ended(0);

	ERR(bind_to(fresh(0), INADDR_LOOPBACK, port), EADDRINUSE);
	ERR(bind_to(fresh(0), INADDR_ANY, port), EADDRINUSE);
	/* Both ask for it, or it is not shared. */
	ERR(bind_to(fresh(1), INADDR_LOOPBACK, port), EADDRINUSE);
	OK(bind_to(fresh(0), INADDR_LOOPBACK + 1, port));
}

TEST(with_reuse)
{
	int port = server_ended(1), s = fresh(1);

	ERR(bind_to(fresh(0), INADDR_LOOPBACK, port), EADDRINUSE);
	ERR(bind_to(fresh(0), INADDR_ANY, port), EADDRINUSE);
	OK(bind_to(s, INADDR_ANY, port));
	OK(listen(s, 1));
	client(port);
	OK(accept(s, NULL, NULL));
}

/* The address of an IPv6 socket that serves both families. */
TEST(both_families)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int port = server_ended(0), s = socket(AF_INET6, SOCK_STREAM, 0), one = 1;

	if (s < 0)
		SKIP("no IPv6");
	any.sin6_port = htons((unsigned short)port);
	ERR(bind(s, (struct sockaddr *)&any, sizeof(any)), EADDRINUSE);
	OK(setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)));
	OK(bind(s, (struct sockaddr *)&any, sizeof(any)));
}

/* A client that was bound, and ended first, connects again by the same port, to *AT. */
static int again(int *at)
{
	int l = listener(4), c = fresh(1), port;

	*at = l;
	OK(bind_to(c, INADDR_LOOPBACK, 0));
	port = port_of(c);
	OK(connect_to(c, port_of(l)));
	end(c, OK(accept(l, NULL, NULL)));
	ERR(bind_to(fresh(0), INADDR_LOOPBACK, port), EADDRINUSE);
	c = fresh(1);
	OK(bind_to(c, INADDR_LOOPBACK, port));
	return connect_to(c, port_of(l));
}

/* A port of the program's choice is taken where timestamps tell old from new. */
TEST(bound_client)
{
	int l;

	OK(again(&l));
	OK(accept(l, NULL, NULL));
}

TEST(bound_client_without_timestamps)
{
	int l;

	own_net();
	EQ(setting("tcp_timestamps", "0"), 1);
	ERR(again(&l), EADDRNOTAVAIL);
}

/* There is one port to choose from. */
TEST(chosen_port)
{
	int l, c, a, port;
	char b[4];

	own_net();
	l = listener(4);
	port = port_of(l);
	EQ(setting("ip_local_port_range", "5000 5000"), 9);
	c = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(connect_to(c, port));
	EQ(port_of(c), 5000);
	end(c, OK(accept(l, NULL, NULL)));
	EQ(setting("tcp_tw_reuse", "0"), 1);
	ERR(connect_to(OK(socket(AF_INET, SOCK_STREAM, 0)), port), EADDRNOTAVAIL);
	EQ(setting("tcp_tw_reuse_delay", "60000"), 5);
	EQ(setting("tcp_tw_reuse", "2"), 1);	/* over loopback, once the time is over */
	ERR(connect_to(OK(socket(AF_INET, SOCK_STREAM, 0)), port), EADDRNOTAVAIL);
	EQ(setting("tcp_tw_reuse_delay", "1"), 1);
	c = OK(socket(AF_INET, SOCK_STREAM, 0));
	while (connect_to(c, port) < 0)
		EQ(errno, EADDRNOTAVAIL);
	a = OK(accept(l, NULL, NULL));
	EQ(write(c, "new", 3), 3);
	EQ(read(a, b, 4), 3);
	while (waiting())
		sched_yield();
}
