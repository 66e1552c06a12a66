/* SPDX-License-Identifier: MIT */
/* For tests of TCP over loopback: listeners, clients, pairs, what poll(2) says. */
#pragma once

#include "t.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Each test has a network of its own, so that what waits in TIME-WAIT goes with it. */
static inline void own_net(void)
{
	static int done;
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int s;

	if (done++)
		return;
	OK(unshare(CLONE_NEWNET));
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(ioctl(s, SIOCSIFFLAGS, &r));
	OK(close(s));
}

static inline struct sockaddr_in lo(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	own_net();
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static inline int port_of(int s)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	OK(getsockname(s, (struct sockaddr *)&a, &len));
	EQ(len, sizeof(a));
	return ntohs(a.sin_port);
}

static inline int listener(int backlog)
{
	struct sockaddr_in a = lo(0);
	int l = OK(socket(AF_INET, SOCK_STREAM, 0));

	OK(bind(l, (struct sockaddr *)&a, sizeof(a)));
	OK(listen(l, backlog));
	return l;
}

static inline int client(int port)
{
	struct sockaddr_in a = lo(port);
	int c = OK(socket(AF_INET, SOCK_STREAM, 0));

	OK(connect(c, (struct sockaddr *)&a, sizeof(a)));
	return c;
}

static inline void pair(int s[2])
{
	int l = listener(1);

	s[0] = client(port_of(l));
	s[1] = OK(accept(l, NULL, NULL));
	OK(close(l));
}

static inline int option(int s, int level, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	OK(getsockopt(s, level, name, &v, &len));
	return v;
}

static inline int revents(int s, int events)
{
	struct pollfd p = { s, events, 0 };

	OK(poll(&p, 1, 0));
	return p.revents;
}

static inline int wait_for(int s, int events)
{
	struct pollfd p = { s, events, 0 };

	EQ(poll(&p, 1, 10000), 1);
	return p.revents;
}
