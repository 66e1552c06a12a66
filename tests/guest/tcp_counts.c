/* SPDX-License-Identifier: MIT */
/*
 * TCP's counters: the Tcp group of /proc/net/snmp (RFC 4022) and TcpExt of /proc/net/netstat, of a
 * network namespace. proves: socket connect accept4 listen shutdown
 */
#include "t.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static void own_net(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int s;

	OK(unshare(CLONE_NEWNET));
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(ioctl(s, SIOCSIFFLAGS, &r));
	OK(close(s));
}

/* The column of NAME in the line HEAD, and the value below it. */
static long counter(const char *path, const char *head, const char *name)
{
	static char names[8192], values[8192];
	char *n, *v, *sn, *sv;
	FILE *f = fopen(path, "r");

	CHECK(f);
	while (fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		if (strncmp(names, head, strlen(head)))
			continue;
		fclose(f);
		n = strtok_r(names, " \n", &sn);
		v = strtok_r(values, " \n", &sv);
		while (n && v && strcmp(n, name)) {
			n = strtok_r(NULL, " \n", &sn);
			v = strtok_r(NULL, " \n", &sv);
		}
		CHECK(n && v);
		return strtol(v, NULL, 10);
	}
	FAIL("no %s in %s", head, path);
}

static long tcp(const char *name)
{
	return counter("/proc/net/snmp", "Tcp:", name);
}

static long ext(const char *name)
{
	return counter("/proc/net/netstat", "TcpExt:", name);
}

static struct sockaddr_in lo(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((unsigned short)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int listener(int port, int backlog)
{
	struct sockaddr_in a = lo(port);
	int l = OK(socket(AF_INET, SOCK_STREAM, 0)), one = 1;

	OK(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	OK(bind(l, (struct sockaddr *)&a, sizeof(a)));
	OK(listen(l, backlog));
	return l;
}

static void pair(int port, int s[2])
{
	struct sockaddr_in a = lo(port);
	int l = listener(port, 1);

	s[0] = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(connect(s[0], (struct sockaddr *)&a, sizeof(a)));
	s[1] = OK(accept(l, NULL, NULL));
	OK(close(l));
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
	pair(7001, s);
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
	pair(7002, s);
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
	struct sockaddr_in a = lo(7003);
	int c;

	own_net();
	listener(7003, 0);
	c = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(connect(c, (struct sockaddr *)&a, sizeof(a)));
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
	pair(7004, s);
	OK(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &none, sizeof(none)));
	OK(close(s[0]));
	EQ(ext("TCPAbortOnData"), 1);
	EQ(ext("TCPAbortOnClose"), 0);
	EQ(tcp("OutRsts"), 1);
}
