/* SPDX-License-Identifier: MIT */
/*
 * TCP's counters: the Tcp group of /proc/net/snmp (RFC 4022) and TcpExt of /proc/net/netstat, of a
 * network namespace. proves: socket connect accept4 listen shutdown
 */
#include "tcp.h"

static long tcp(const char *name)
{
	return counter("/proc/net/snmp", "Tcp:", name);
}

TEST(opens_and_ends)
{
	struct sockaddr_in a = lo(9);
	char c[10] = "";
	int s[2], r;

	own_net();
	EQ(tcp("RtoAlgorithm"), 1);
	EQ(tcp("MaxConn"), -1);
	EQ(tcp("InSegs"), 0);
	pair(s);
	EQ(tcp("ActiveOpens"), 1);
	EQ(tcp("PassiveOpens"), 1);
	EQ(tcp("CurrEstab"), 2);
	EQ(tcp("AttemptFails"), 0);
	r = OK(socket(AF_INET, SOCK_STREAM, 0));
	EQ(connect(r, (struct sockaddr *)&a, sizeof(a)), -1);
	EQ(tcp("AttemptFails"), 1);
	EQ(tcp("OutRsts"), 1);
	EQ(tcp("ActiveOpens"), 2);
	/* What was not read is answered by a RST. */
	EQ(write(s[0], c, 10), 10);
	EQ(ext("TCPOrigDataSent"), 1);
	CHECK(poll(&(struct pollfd){ .fd = s[1], .events = POLLIN }, 1, -1) == 1);
	OK(close(s[1]));
	CHECK(poll(&(struct pollfd){ .fd = s[0], .events = POLLIN }, 1, -1) == 1);
	EQ(read(s[0], c, 10), -1);
	EQ(ext("TCPAbortOnClose"), 1);
	EQ(tcp("EstabResets"), 2);
	EQ(tcp("OutRsts"), 2);
	EQ(tcp("CurrEstab"), 0);
	EQ(tcp("InErrs"), 0);
	EQ(tcp("RetransSegs"), 0);
	EQ(tcp("InSegs"), tcp("OutSegs"));
}

/* A connection whose peer has ended is established all the same (RFC 4022). */
TEST(half_closed)
{
	int s[2];
	char c;

	own_net();
	pair(s);
	OK(shutdown(s[0], SHUT_WR));
	EQ(read(s[1], &c, 1), 0);
	EQ(tcp("CurrEstab"), 1);
	OK(shutdown(s[1], SHUT_WR));
	EQ(read(s[0], &c, 1), 0);
	EQ(tcp("CurrEstab"), 0);
	EQ(tcp("EstabResets"), 0);
}

TEST(listener_is_full)
{
	struct sockaddr_in a = lo(port_of(listener(0)));
	int c;

	client(ntohs(a.sin_port));
	while (tcp("PassiveOpens") < 1)
		sched_yield();
	c = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	EQ(connect(c, (struct sockaddr *)&a, sizeof(a)), -1);
	while (ext("ListenOverflows") < 1)
		sched_yield();
	while (ext("ListenDrops") < 1)
		sched_yield();
}

TEST(lingers_for_nothing)
{
	struct linger none = { .l_onoff = 1 };
	int s[2];

	own_net();
	pair(s);
	OK(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &none, sizeof(none)));
	OK(close(s[0]));
	EQ(ext("TCPAbortOnData"), 1);
	EQ(ext("TCPAbortOnClose"), 0);
	EQ(tcp("OutRsts"), 1);
}

/* A program that gives an attempt up, in any way, is no failed attempt. */
TEST(given_up)
{
	struct sockaddr_in a = lo(4001), nobody = lo(9);
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int l = listener(0), c[3];

	a.sin_port = htons((uint16_t)port_of(l));
	client(port_of(l));
	for (int i = 0; i < 3; i++) {
		c[i] = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
		ERR(connect(c[i], (struct sockaddr *)&a, sizeof(a)), EINPROGRESS);
	}
	OK(close(c[0]));
	OK(shutdown(c[1], SHUT_RDWR));
	OK(connect(c[2], &none, sizeof(none)));
	EQ(tcp("ActiveOpens"), 4);
	EQ(tcp("AttemptFails"), 0);
	c[0] = OK(socket(AF_INET, SOCK_STREAM, 0));
	ERR(connect(c[0], (struct sockaddr *)&nobody, sizeof(nobody)), ECONNREFUSED);
	EQ(tcp("AttemptFails"), 1);
}
