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

/* The same, with segments as short as Ethernet's, not of 64 KiB. */
static inline void own_net_of_short(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_mtu = 1500 };
	int s;

	own_net();
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(ioctl(s, SIOCSIFMTU, &r));
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

/* Writes a setting of net.ipv4: as write(2). */
static inline int setting(const char *name, const char *text)
{
	char path[64];
	int f, r;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	f = OK(open(path, O_WRONLY));
	r = (int)write(f, text, strlen(text));
	close(f);
	return r;
}

/* The column of NAME in the line HEAD, and the value below it. */
static inline long counter(const char *path, const char *head, const char *name)
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

static inline long ext(const char *name)
{
	return counter("/proc/net/netstat", "TcpExt:", name);
}
