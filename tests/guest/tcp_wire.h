/* SPDX-License-Identifier: MIT */
/*
 * A peer of TCP that says segment by segment what a test wants, at the other end of a tun device.
 * Sequence numbers count from 0 at each end's SYN; our address is 10.9.0.1, the peer's 10.9.0.2.
 */
#pragma once

#include "nl.h"
#include "sum.h"
#include "wire.h"
#include <arpa/inet.h>
#include <linux/if_tun.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sys/ioctl.h>

#define OURS 0x0a090001u
#define PEERS 0x0a090002u
#define PEER_PORT 7777
#define MSS 1000
#define FIN 1
#define SYN 2
#define RST 4
#define PSH 8
#define ACK 16
#define URG 32
#define ECE 64
#define CWR 128

struct seg {
	unsigned char flags, tos;
	unsigned int seq, ack, len;
	unsigned int sack[2];		/* to send: begin and end; both 0: none */
	unsigned short urgent;		/* to send: 0: no mark */
};

#define VNET_HEADER 10

static int tun, ifindex, port, vnet;	/* vnet: VNET_HEADER: the device is to cut long packets */
static unsigned int our_isn, window = 30000;
static bool sack_ok = true;
/*
 * false: what is sent again follows from the peer's words alone, however long a busy host stands
 * still
 */
static bool timeouts;
static unsigned int peer_clock;		/* the timestamp of what the peer sends; 0: it sends none */

static inline void set(const char *name, const char *text)
{
	char path[80];
	int f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	f = OK(open(path, O_WRONLY));
	EQ(write(f, text, strlen(text)), (long)strlen(text));
	close(f);
}

static void wire(void)
{
	tun = open_wire(OURS, IFF_TUN | (vnet ? IFF_VNET_HDR : 0), TUN_F_CSUM | TUN_F_TSO4,
			&ifindex);
	if (!timeouts) {
		set("tcp_rto_min_us", "1000000000");
		set("tcp_early_retrans", "0");
	}
}

/* The options of a SYN, or a SACK block. Bytes: a multiple of 4. */
static unsigned int options(unsigned char *o, const struct seg *s)
{
	unsigned int b[2] = { htonl(our_isn + s->sack[0]), htonl(our_isn + s->sack[1]) };

	unsigned int len = 0, now = htonl(peer_clock);

	if (s->flags & SYN) {
		memcpy(o, (unsigned char[]){ 2, 4, MSS >> 8, MSS & 255, 1, 1, 4, 2 }, 8);
		len = sack_ok ? 8 : 4;
	}
	if (peer_clock) {
		memcpy(o + len, (unsigned char[]){ 1, 1, 8, 10 }, 4);
		memcpy(o + len + 4, &now, 4);
		len += 12;		/* it echoes 0 */
	}
	if (s->flags & SYN || !s->sack[1])
		return len;
	memcpy(o + len, (unsigned char[]){ 1, 1, 5, 10 }, 4);
	memcpy(o + len + 4, b, 8);
	return len + 12;
}

/* The peer sends S; its payload is zeros. */
static void says(struct seg s)
{
	static unsigned char room[2000];
	unsigned char *b = room + vnet;
	struct iphdr *ip = (void *)b;
	struct tcphdr *t = (void *)(b + 20);
	unsigned int opt, all;

	memset(room, 0, sizeof(room));
	opt = options(b + 40, &s);
	all = 40 + opt + s.len;
	*t = (struct tcphdr){ .source = htons(PEER_PORT),
			      .dest = htons((unsigned short)port),
			      .seq = htonl(s.seq),
			      .ack_seq = htonl(our_isn + s.ack),
			      .doff = (5 + opt / 4) & 15,
			      .window = htons((unsigned short)window) };
	t->urg_ptr = htons(s.urgent);
	b[33] = (unsigned char)(s.flags | (s.urgent ? URG : 0));
	*ip = (struct iphdr){ .version = 4,
			      .ihl = 5,
			      .ttl = 64,
			      .tos = s.tos,
			      .protocol = IPPROTO_TCP,
			      .tot_len = htons((unsigned short)all),
			      .saddr = htonl(PEERS),
			      .daddr = htonl(OURS) };
	t->check = htons((unsigned short)~add_up(t, all - 20,
						 add_up(&ip->saddr, 8, IPPROTO_TCP + all - 20)));
	ip->check = htons((unsigned short)~add_up(ip, 20, 0));
	EQ(write(tun, room, all + (unsigned int)vnet), (long)all + vnet);
}

/* A segment comes within MS milliseconds. False: none does. */
static bool hears_within(struct seg *s, int ms)
{
	static unsigned char room[70000];
	unsigned char *b = room + vnet;
	struct pollfd f = { .fd = tun, .events = POLLIN };
	const struct iphdr *ip = (void *)b;
	const struct tcphdr *t;
	long n;

	do {
		if (!poll(&f, 1, ms))
			return false;
		n = OK(read(tun, room, sizeof(room))) - vnet;
		t = (void *)(b + ip->ihl * 4);
	} while (n < 40 || ip->version != 4 || ip->protocol != IPPROTO_TCP ||
		 t->dest != htons(PEER_PORT));
	memset(s, 0, sizeof(*s));
	s->flags = ((unsigned char *)t)[13];
	s->tos = ip->tos;
	if (s->flags & SYN)
		our_isn = ntohl(t->seq);
	port = ntohs(t->source);
	s->seq = ntohl(t->seq) - our_isn;
	s->ack = ntohl(t->ack_seq);
	s->len = ntohs(ip->tot_len) - ip->ihl * 4u - t->doff * 4u;
	return true;
}

static struct seg hears(void)
{
	struct seg s;

	CHECK(hears_within(&s, 10000));
	return s;
}

static unsigned int heard;		/* the end of the data that came */

/* S is data that came before: a busy host lets timers send it again. */
static inline bool is_repeated(const struct seg *s)
{
	return s->len && s->seq + s->len <= heard;
}

/* The next segment, but for repeated ones, is LEN bytes from AT on. */
static inline struct seg hears_data(unsigned int at, unsigned int len)
{
	struct seg s;

	do
		s = hears();
	while (s.seq != at && is_repeated(&s));
	if (s.seq + s.len > heard)
		heard = s.seq + s.len;
	EQ(s.seq, at);
	EQ(s.len, len);
	return s;
}

/* The next segment without data. */
static inline struct seg hears_ack(void)
{
	struct seg s;

	do
		s = hears();
	while (s.len);
	return s;
}

/* Nothing that did not come before is there now. */
static inline bool is_silent(void)
{
	struct seg s;

	while (hears_within(&s, 0))
		if (!is_repeated(&s))
			return false;
	return true;
}

/* A connection that the peer began, its handshake with FLAGS beside SYN. */
static inline int accepts(unsigned char flags, struct seg *synack)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(80) };
	int l = OK(socket(AF_INET, SOCK_STREAM, 0)), s;

	OK(bind(l, (void *)&a, sizeof(a)));
	OK(listen(l, 1));
	port = 80;
	says((struct seg){ .flags = SYN | flags });
	*synack = hears();
	CHECK((synack->flags & (SYN | ACK)) == (SYN | ACK));
	says((struct seg){ .flags = ACK, .seq = 1, .ack = 1 });
	s = OK(accept(l, NULL, NULL));
	close(l);
	return s;
}

static inline int accepted(void)
{
	struct seg s;

	wire();
	return accepts(0, &s);
}

/* A socket whose SYN is on its way to the peer. */
static inline int connects(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(PEER_PORT),
				 .sin_addr.s_addr = htonl(PEERS) };
	int s = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));

	ERR(connect(s, (void *)&a, sizeof(a)), EINPROGRESS);
	return s;
}

static inline struct tcp_info info_of(int s)
{
	struct tcp_info i;
	socklen_t len = sizeof(i);

	memset(&i, 0, sizeof(i));
	OK(getsockopt(s, IPPROTO_TCP, TCP_INFO, &i, &len));
	return i;
}

static inline int int_of(int s, int level, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	OK(getsockopt(s, level, name, &v, &len));
	return v;
}

/* S sends N bytes. */
static inline void sends(int s, size_t n, int flags)
{
	static char b[1 << 16];

	EQ(send(s, b, n, flags), (long)n);
}

/* The peer acknowledges up to ACK, with a SACK of SACK0..SACK1. */
static inline void acks(unsigned int upto, unsigned int from, unsigned int to)
{
	says((struct seg){ .flags = ACK, .seq = 1, .ack = upto, .sack = { from, to } });
}
