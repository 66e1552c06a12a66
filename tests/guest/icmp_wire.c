/* SPDX-License-Identifier: MIT */
/*
 * ICMP errors over a tun device: which sockets have the error, and which connections end. proves:
 * connect getsockopt poll
 */
#include "tcp_wire.h"
#include <netinet/udp.h>

/*
 * A router tells of each packet that is too large, whatever the limits of errors are: paths' MTUs
 * depend on it.
 */
TEST(too_large_is_always_told)
{
	int told = 0, s;
	struct ifreq r = { .ifr_name = "wire", .ifr_mtu = 1000 };
	struct {
		struct iphdr ip;
		struct udphdr udp;
		char data[1372];
	} p = { .ip = { .version = 4,
			.ihl = 5,
			.ttl = 9,
			.protocol = IPPROTO_UDP,
			.frag_off = htons(0x4000),
			.tot_len = htons(sizeof(p)),
			.saddr = htonl(0x0a090002),
			.daddr = htonl(0x0a090003) },
		.udp = { .source = htons(9), .dest = htons(99), .len = htons(sizeof(p) - 20) } };
	unsigned char b[2000];

	wire();
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	set("ip_forward", "1");
	OK(ioctl(s, SIOCSIFMTU, &r));
	p.ip.check = sum(&p.ip, 20);
	for (int i = 0; i < 20; i++)
		EQ(write(tun, &p, sizeof(p)), (long)sizeof(p));
	while (told < 20) {
		struct pollfd pf = { .fd = tun, .events = POLLIN };

		EQ(poll(&pf, 1, 10000), 1);
		CHECK(read(tun, b, sizeof(b)) > 0);
		told += b[0] >> 4 == 4 && b[9] == IPPROTO_ICMP && b[20] == 3 && b[21] == 4;
	}
}

/* The peer's host says with an ICMP error of TYPE and CODE what became of S. */
static void refuses(const struct seg *s, unsigned char type, unsigned char code)
{
	struct {
		struct iphdr ip;
		unsigned char icmp[8];
		struct iphdr was;
		unsigned short from, to;
		unsigned int seq;
	} p = { .ip = { .version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = IPPROTO_ICMP,
			.tot_len = htons(sizeof(p)),
			.saddr = htonl(PEERS),
			.daddr = htonl(OURS) },
		.icmp = { type, code },
		.was = { .version = 4,
			 .ihl = 5,
			 .ttl = 64,
			 .protocol = IPPROTO_TCP,
			 .tot_len = htons(40),
			 .saddr = htonl(OURS),
			 .daddr = htonl(PEERS) },
		.from = htons((unsigned short)port),
		.to = htons(PEER_PORT),
		.seq = htonl(our_isn + s->seq) };
	unsigned short c;

	p.ip.check = sum(&p.ip, 20);
	c = sum(p.icmp, sizeof(p) - 20);
	memcpy(p.icmp + 2, &c, 2);
	EQ(write(tun, &p, sizeof(p)), (long)sizeof(p));
}

/* Any ICMP error ends an attempt to connect. */
TEST(connecting_ends_with_an_icmp_error)
{
	static const struct {
		unsigned char type, code;
		int err;
	} errors[] = { { 3, 0, ENETUNREACH }, { 3, 1, EHOSTUNREACH },  { 3, 3, ECONNREFUSED },
		       { 3, 5, EOPNOTSUPP },  { 11, 0, EHOSTUNREACH }, { 12, 0, EPROTO } };

	wire();
	for (unsigned int i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		int s = connects();
		struct seg syn = hears();
		struct pollfd f = { .fd = s, .events = POLLOUT };

		EQ(syn.flags & SYN, SYN);
		refuses(&syn, errors[i].type, errors[i].code);
		EQ(poll(&f, 1, 10000), 1);
		EQ(int_of(s, SOL_SOCKET, SO_ERROR), errors[i].err);
		close(s);
	}
}
