/* SPDX-License-Identifier: MIT */
/*
 * SYN cookies (RFC 4987; tcp(7), tcp_syncookies). A raw socket sends SYNs from addresses behind the
 * loopback device that nobody has, and a packet socket sees how they are answered.
 * proves: socket connect accept4 listen
 */
#include "tcp.h"
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/route.h>

#define THEIRS 0x0a090002u
#define HERE 0x7f000001u
#define FLOOD 40

static int raw, seen;

static void network(void)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP) };
	struct rtentry r = { .rt_flags = RTF_UP, .rt_dev = "lo" };
	struct sockaddr_in *in = (void *)&r.rt_dst;

	own_net();
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(THEIRS & ~255u);
	in = (void *)&r.rt_genmask;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(~255u);
	raw = OK(socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
	OK(ioctl(raw, SIOCADDRT, &r));
	seen = OK(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)));
	ll.sll_ifindex = (int)if_nametoindex("lo");
	OK(bind(seen, (void *)&ll, sizeof(ll)));
}

static unsigned int add_up(const void *p, size_t n, unsigned int s)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		s += i & 1 ? b[i] : (unsigned int)b[i] << 8;
	return s;
}

static unsigned short folded(unsigned int s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons((unsigned short)~s);
}

struct segment {
	struct iphdr ip;
	struct tcphdr t;
	unsigned char options[40];
};

static void send_segment(int sport, int dport, unsigned int seq, unsigned int ack, int flags,
			 const void *options, size_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(HERE) };
	struct segment s = {
		.ip = { .version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = IPPROTO_TCP,
			.saddr = htonl(THEIRS),
			.daddr = htonl(HERE) },
		.t = { .th_sport = htons((unsigned short)sport),
		       .th_dport = htons((unsigned short)dport),
		       .th_seq = htonl(seq),
		       .th_ack = htonl(ack),
		       .th_off = (unsigned char)((20 + len) / 4) & 15,
		       .th_flags = (unsigned char)flags,
		       .th_win = htons(60000) },
	};

	memcpy(s.options, options, len);
	s.ip.tot_len = htons((unsigned short)(40 + len));
	s.t.th_sum = folded(add_up(&s.t, 20 + len,
				   add_up(&s.ip.saddr, 8, IPPROTO_TCP + 20 + (unsigned int)len)));
	EQ(sendto(raw, &s, 40 + len, 0, (void *)&to, sizeof(to)), (long)(40 + len));
}

/* The next segment that went to PORT of theirs. */
static struct segment answer(int port)
{
	struct segment s;

	for (;;) {
		memset(&s, 0, sizeof(s));
		CHECK(OK(recv(seen, &s, sizeof(s), 0)) >= 40);
		if (s.ip.daddr == htonl(THEIRS) && s.t.th_dport == htons((unsigned short)port))
			return s;
	}
}

/* MSS 1460 and no more; the same with SACK, timestamps and a scale of 7. */
static const unsigned char plain[] = { 2, 4, 1460 >> 8, 1460 & 255 },
			   rich[] = { 2, 4, 1460 >> 8, 1460 & 255, 4, 2, 8, 10, 0, 0,
				      0, 9, 0,	       0,	   0, 0, 1, 3,	3, 7 };

static void flood(int port)
{
	for (int i = 0; i < FLOOD; i++)
		send_segment(1000 + i, port, 77, 0, TH_SYN, plain, sizeof(plain));
}

static void exchange(int c, int a)
{
	char b[8] = "";

	EQ(write(c, "there", 5), 5);
	EQ(read(a, b, sizeof(b)), 5);
	EQ(write(a, "back", 4), 4);
	EQ(read(c, b, sizeof(b)), 4);
}

static struct tcp_info info_of(int s)
{
	struct tcp_info i;
	socklen_t len = sizeof(i);

	OK(getsockopt(s, IPPROTO_TCP, TCP_INFO, &i, &len));
	return i;
}

TEST(connects_during_a_flood)
{
	int l, port, a, c;
	long sent;

	network();
	l = listener(4);
	port = port_of(l);
	flood(port);
	sent = ext("SyncookiesSent");
	CHECK(sent >= FLOOD - 10);
	CHECK(sent < FLOOD);
	CHECK(ext("TCPReqQFullDoCookies") == sent);
	c = client(port);
	a = OK(accept(l, NULL, NULL));
	EQ(ext("SyncookiesSent"), sent + 1);
	EQ(ext("SyncookiesRecv"), 1);
	EQ(ext("SyncookiesFailed"), 0);
	/* All options are kept by the timestamp. */
	EQ(info_of(a).tcpi_options & 7, TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	EQ(info_of(a).tcpi_snd_wscale, info_of(c).tcpi_rcv_wscale);
	EQ(info_of(a).tcpi_rcv_wscale, info_of(c).tcpi_snd_wscale);
	exchange(c, a);
}

/* Without timestamps there is no room for other options. */
TEST(without_timestamps)
{
	int l, a, c;

	network();
	EQ(setting("tcp_timestamps", "0"), 1);
	EQ(setting("tcp_syncookies", "2"), 1);
	l = listener(4);
	c = client(port_of(l));
	a = OK(accept(l, NULL, NULL));
	EQ(ext("SyncookiesSent"), 1);
	EQ(ext("SyncookiesRecv"), 1);
	EQ(info_of(a).tcpi_options & 7, 0);
	EQ(info_of(c).tcpi_options & 7, 0);
	exchange(c, a);
}

static int by_hand(int l, int from, const unsigned char *options, size_t len)
{
	unsigned char stamps[12] = { 1, 1, 8, 10, 0, 0, 0, 10 };
	struct segment s;
	bool ts = len > 4;

	send_segment(from, port_of(l), 500, 0, TH_SYN, options, len);
	s = answer(from);
	EQ(s.t.th_flags, TH_SYN | TH_ACK);
	EQ(ntohl(s.t.th_ack), 501);
	for (int i = 0; ts && i < 40;) {
		if (s.options[i] == 8)
			memcpy(stamps + 8, s.options + i + 2, 4);
		i += s.options[i] < 2 ? 1 : s.options[i + 1];
	}
	send_segment(from, port_of(l), 501, ntohl(s.t.th_seq) + 1, TH_ACK, stamps, ts ? 12 : 0);
	return OK(accept(l, NULL, NULL));
}

TEST(what_the_cookie_keeps)
{
	int l, a;

	network();
	EQ(setting("tcp_syncookies", "2"), 1);
	l = listener(4);
	a = by_hand(l, 2000, plain, sizeof(plain));
	EQ(option(a, IPPROTO_TCP, TCP_MAXSEG), 1460);
	EQ(info_of(a).tcpi_options & 7, 0);
	a = by_hand(l, 2001, rich, sizeof(rich));
	EQ(option(a, IPPROTO_TCP, TCP_MAXSEG), 1448);
	EQ(info_of(a).tcpi_options & 7, TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	EQ(info_of(a).tcpi_snd_wscale, 7);
	EQ(ext("SyncookiesRecv"), 2);
}

/* An ACK is believed only where a cookie was sent, and if it brings one of ours. */
TEST(forged)
{
	int l, port;
	struct segment s;

	network();
	l = listener(4);
	port = port_of(l);
	send_segment(3000, port, 9, 12345, TH_ACK, NULL, 0);
	EQ(answer(3000).t.th_flags & TH_RST, TH_RST);
	EQ(ext("SyncookiesFailed"), 0);
	EQ(setting("tcp_syncookies", "2"), 1);
	send_segment(3001, port, 8, 0, TH_SYN, plain, sizeof(plain));
	s = answer(3001);
	send_segment(3001, port, 9, ntohl(s.t.th_seq) + 2, TH_ACK, NULL, 0);
	EQ(answer(3001).t.th_flags & TH_RST, TH_RST);
	EQ(ext("SyncookiesFailed"), 1);
	/* It is good for its own ends alone. */
	send_segment(3002, port, 9, ntohl(s.t.th_seq) + 1, TH_ACK, NULL, 0);
	EQ(answer(3002).t.th_flags & TH_RST, TH_RST);
	EQ(ext("SyncookiesFailed"), 2);
	EQ(ext("SyncookiesRecv"), 0);
	OK(fcntl(l, F_SETFL, O_NONBLOCK));
	ERR(accept(l, NULL, NULL), EAGAIN);
	/* Nor is it while cookies are off. */
	EQ(setting("tcp_syncookies", "0"), 1);
	send_segment(3001, port, 9, ntohl(s.t.th_seq) + 1, TH_ACK, NULL, 0);
	EQ(answer(3001).t.th_flags & TH_RST, TH_RST);
	EQ(ext("SyncookiesFailed"), 2);
}

static void stays_unanswered(int l)
{
	int c = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	struct sockaddr_in to = lo(port_of(l));

	ERR(connect(c, (void *)&to, sizeof(to)), EINPROGRESS);
	EQ(revents(c, POLLOUT), 0);
}

TEST(switched_off)
{
	int l;

	network();
	EQ(setting("tcp_syncookies", "0"), 1);
	l = listener(4);
	flood(port_of(l));
	EQ(ext("SyncookiesSent"), 0);
	CHECK(ext("TCPReqQFullDrop") > 0);
	stays_unanswered(l);
}

TEST(full_accept_queue)
{
	int l;

	network();
	EQ(setting("tcp_syncookies", "2"), 1);
	l = listener(0);
	client(port_of(l));
	stays_unanswered(l);
	CHECK(ext("ListenOverflows") >= 1);
	EQ(ext("SyncookiesSent"), 1);
}

TEST(over_ipv6)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t len = sizeof(at);
	int l, c, a;

	network();
	l = socket(AF_INET6, SOCK_STREAM, 0);
	if (l < 0 || bind(l, (void *)&at, sizeof(at)))
		SKIP("no IPv6");
	OK(listen(l, 4));
	OK(getsockname(l, (void *)&at, &len));
	EQ(setting("tcp_syncookies", "2"), 1);
	c = OK(socket(AF_INET6, SOCK_STREAM, 0));
	OK(connect(c, (void *)&at, sizeof(at)));
	a = OK(accept(l, NULL, NULL));
	EQ(ext("SyncookiesSent"), 1);
	EQ(ext("SyncookiesRecv"), 1);
	EQ(info_of(a).tcpi_options & 7, TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	exchange(c, a);
}
