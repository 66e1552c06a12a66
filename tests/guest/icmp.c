/* SPDX-License-Identifier: MIT */
/*
 * Raw ICMP, packets with a header of their own, ping sockets. proves: socket sendto recvfrom
 * setsockopt
 */
#include "lo.h"
#include "sum.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef ICMP_FILTER
#define ICMP_FILTER 1
#endif

static struct sockaddr_in lo = { .sin_family = AF_INET };
static struct echo {
	struct icmphdr h;
	char data[56];
} request(int type, int id)
{
	struct echo e = { .h.type = (unsigned char)type,
			  .h.un.echo.id = htons((unsigned short)id),
			  .h.un.echo.sequence = htons(7) };

	memset(e.data, 'x', sizeof(e.data));
	e.h.checksum = sum(&e, sizeof(e));
	return e;
}

TEST(raw_echo)
{
	struct echo e = request(ICMP_ECHO, 99);
	unsigned char buf[200];
	struct iphdr *ip = (struct iphdr *)buf;
	struct icmphdr *h = (struct icmphdr *)(buf + 20);
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	int s, ttl = 17;

	own_net();
	lo.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s = OK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	OK(setsockopt(s, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)));
	EQ(sendto(s, &e, sizeof(e), 0, SA(lo)), (int)sizeof(e));
	/* The question itself, then its answer. */
	EQ(recvfrom(s, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 20 + (int)sizeof(e));
	EQ(h->type, ICMP_ECHO);
	EQ(ip->ttl, 17);
	EQ(ip->protocol, IPPROTO_ICMP);
	EQ(ntohs(ip->tot_len), 20 + (int)sizeof(e));
	EQ(recvfrom(s, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 20 + (int)sizeof(e));
	EQ(h->type, ICMP_ECHOREPLY);
	EQ(h->un.echo.id, htons(99));
	EQ(ip->ttl, 64);
	EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	EQ(from.sin_port, 0);
	EQ(sum(h, sizeof(e)), 0);
	EQ(sum(ip, 20), 0);
}

TEST(raw_filter)
{
	struct echo e = request(ICMP_ECHO, 5);
	unsigned int not = ~(1u << ICMP_ECHOREPLY);
	unsigned char buf[200];
	int s;

	own_net();
	lo.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s = OK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	OK(setsockopt(s, SOL_RAW, ICMP_FILTER, &not, sizeof(not)));
	EQ(sendto(s, &e, sizeof(e), 0, SA(lo)), (int)sizeof(e));
	EQ(recv(s, buf, sizeof(buf), 0), 20 + (int)sizeof(e));
	EQ(buf[20], ICMP_ECHOREPLY);
	ERR(recv(s, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	e.h.checksum ^= 1;		/* a wrong sum has no answer */
	EQ(sendto(s, &e, sizeof(e), 0, SA(lo)), (int)sizeof(e));
	ERR(recv(s, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
}

/* A header that the program makes; what it left out is filled in. */
TEST(own_header)
{
	struct {
		struct iphdr ip;
		struct echo e;
	} __attribute__((packed)) p = {};
	unsigned char buf[200];
	struct iphdr *ip = (struct iphdr *)buf;
	unsigned int not = ~(1u << ICMP_ECHOREPLY);
	int s, r;

	own_net();
	lo.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s = OK(socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
	r = OK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	OK(setsockopt(r, SOL_RAW, ICMP_FILTER, &not, sizeof(not)));
	p.e = request(ICMP_ECHO, 3);
	p.ip = (struct iphdr){ .version = 4,
			       .ihl = 5,
			       .ttl = 9,
			       .protocol = IPPROTO_ICMP,
			       .daddr = htonl(INADDR_LOOPBACK),
			       .saddr = inet_addr("127.0.0.9") };
	EQ(sendto(s, &p, sizeof(p), 0, SA(lo)), (int)sizeof(p));
	EQ(recv(r, buf, sizeof(buf), 0), (int)sizeof(p));
	EQ(ip->daddr, inet_addr("127.0.0.9"));
	ERR(sendto(s, &p, 10, 0, SA(lo)), EINVAL);
	ERR(recv(s, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
}

TEST(ping_sockets)
{
	struct echo e = request(ICMP_ECHO, 1);
	struct sockaddr_in name, from;
	socklen_t len = sizeof(name);
	char buf[200];
	struct icmphdr *h = (struct icmphdr *)buf;
	int s, f;

	own_net();
	lo.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ERR(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), EACCES);
	f = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY);
	if (f < 0)
		SKIP("no ping_group_range");
	EQ(write(f, "0 2147483647", 12), 12);
	s = OK(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	EQ(sendto(s, &e, sizeof(e), 0, SA(lo)), (int)sizeof(e));
	OK(getsockname(s, (struct sockaddr *)&name, &len));
	CHECK(name.sin_port);
	EQ(recvfrom(s, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), (int)sizeof(e));
	EQ(h->type, ICMP_ECHOREPLY);
	EQ(h->un.echo.id, name.sin_port);
	EQ(h->un.echo.sequence, htons(7));
	EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	e.h.type = ICMP_ECHOREPLY;
	ERR(sendto(s, &e, sizeof(e), 0, SA(lo)), EINVAL);
	ERR(sendto(s, &e, 4, 0, SA(lo)), EINVAL);
}

/* A large echo comes back whole, in fragments both ways. */
TEST(large)
{
	static unsigned char out[20000], in[20100];
	struct icmphdr *h = (struct icmphdr *)out;
	unsigned int not = ~(1u << ICMP_ECHOREPLY);
	struct ifreq r = { .ifr_name = "lo" };
	int s, big = 1 << 20;

	own_net();
	lo.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s = OK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	setsockopt(s, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	r.ifr_mtu = 1500;
	OK(ioctl(s, SIOCSIFMTU, &r));
	OK(setsockopt(s, SOL_RAW, ICMP_FILTER, &not, sizeof(not)));
	for (unsigned int i = 8; i < sizeof(out); i++)
		out[i] = (unsigned char)(i * 13);
	h->type = ICMP_ECHO;
	h->checksum = sum(out, sizeof(out));
	EQ(sendto(s, out, sizeof(out), 0, SA(lo)), (int)sizeof(out));
	EQ(recv(s, in, sizeof(in), 0), 20 + (int)sizeof(out));
	CHECK(!memcmp(in + 28, out + 8, sizeof(out) - 8));
}
