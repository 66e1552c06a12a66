/* SPDX-License-Identifier: MIT */
/*
 * TCP: much data by many short segments. An acknowledgement that lets hundreds go does not send
 * them within the section of its reception. proves: socket connect accept4 listen read write
 */
#include "t.h"
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define SA(x) ((struct sockaddr *)&(x)), sizeof(x)
#define BULK (8 << 20)
#define LIMIT 20000	/* kernel/section.c */

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

/* Both ends of a connection. */
static void pair(int family, int s[2])
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *a = family == AF_INET ? (void *)&four : (void *)&six;
	socklen_t len = family == AF_INET ? sizeof(four) : sizeof(six);
	int l = OK(socket(family, SOCK_STREAM, 0));

	OK(bind(l, a, len));
	OK(listen(l, 1));
	OK(getsockname(l, a, &len));
	s[0] = OK(socket(family, SOCK_STREAM, 0));
	OK(connect(s[0], a, len));
	s[1] = OK(accept(l, NULL, NULL));
	OK(close(l));
}

static char byte_at(size_t i)
{
	return (char)(i * 7 >> 3 ^ i >> 16);
}

static void *send_bulk(void *arg)
{
	static char out[65536];

	for (size_t done = 0; done < BULK; done += sizeof(out)) {
		for (size_t i = 0; i < sizeof(out); i++)
			out[i] = byte_at(done + i);
		if (write(*(int *)arg, out, sizeof(out)) != sizeof(out))
			break;
	}
	shutdown(*(int *)arg, SHUT_WR);
	return NULL;
}

/* Bytes that came; -1: one was wrong. */
static long read_all(int fd)
{
	static char in[65536];
	size_t done = 0;
	int bad = 0;
	ssize_t n;

	while ((n = read(fd, in, sizeof(in))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			bad |= in[i] != byte_at(done + (size_t)i);
		done += (size_t)n;
	}
	return bad || n ? -1 : (long)done;
}

/* In the debug build: no section that TCP opens, or that is opened for it, is too long. */
static void check_sections(void)
{
	static const char *const places[] = { "deliver+",      "to_sock+", "push_after+",
					      "release_sock+", "run+",	   "net_local_receive+" };
	char line[500];
	FILE *f;

	mkdir("debug", 0755);	/* there, and mounted, where another test was first */
	mount("debugfs", "debug", "debugfs", 0, NULL);
	OK(access("debug", X_OK));
	f = fopen("debug/sections", "r");
	while (f && fgets(line, sizeof(line), f))
		for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++)
			if (strstr(line, places[i]) && atoi(line) > LIMIT)
				FAIL("%s", line);
}

static void bulk(int family)
{
	pthread_t t;
	int s[2];

	own_net(1500);
	pair(family, s);
	EQ(pthread_create(&t, NULL, send_bulk, &s[0]), 0);
	EQ(read_all(s[1]), BULK);
	EQ(pthread_join(t, NULL), 0);
	check_sections();
}

TEST(bulk4)
{
	bulk(AF_INET);
}

TEST(bulk6)
{
	bulk(AF_INET6);
}

/* A packet that stands for several segments has PSH: who joins segments stops there. */
TEST(long_packets_push)
{
	static char b[60000];
	int s[2], tap, n, found = 0;

	own_net(1500);
	tap = OK(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)));
	pair(AF_INET, s);
	EQ(write(s[0], b, sizeof(b)), sizeof(b));
	EQ(recv(s[1], b, sizeof(b), MSG_WAITALL), sizeof(b));
	while ((n = (int)recv(tap, b, sizeof(b), MSG_DONTWAIT | MSG_TRUNC)) > 0) {
		const struct iphdr *ip = (void *)b;
		const struct tcphdr *tcp = (void *)(b + ip->ihl * 4);

		if (n <= 1500 || ip->protocol != IPPROTO_TCP)
			continue;
		found++;
		CHECK(tcp->psh);
	}
	CHECK(found);
}
