/* SPDX-License-Identifier: MIT */
/*
 * Packets that stand for many segments of TCP: between devices that take them and such that do not,
 * over paths whose MTU is small in the middle, and what counts them. proves: ioctl read write send
 * recv
 */
#define TEST_LIMIT 60
#include "nl.h"
#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>

#define HDR 10
#define NODES 4
#define BULK (1 << 20)
#define ETH_P_IP_ 0x0800
#define ETH_P_ALL_ 0x0003

static int ctl;

static struct ifreq *named(const char *name)
{
	static struct ifreq r;

	memset(&r, 0, sizeof(r));
	strcpy(r.ifr_name, name);
	return &r;
}

static void up(const char *name, unsigned int addr)
{
	struct ifreq *r = named(name);
	struct sockaddr_in *in = (void *)&r->ifr_addr;

	if (addr) {
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(addr);
		OK(ioctl(ctl, SIOCSIFADDR, r));
		r = named(name);
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(0xffffff00);
		OK(ioctl(ctl, SIOCSIFNETMASK, r));
	}
	r = named(name);
	OK(ioctl(ctl, SIOCGIFFLAGS, r));
	r->ifr_flags |= IFF_UP;
	OK(ioctl(ctl, SIOCSIFFLAGS, r));
}

static void set_mtu(const char *name, int mtu)
{
	struct ifreq *r = named(name);

	r->ifr_mtu = mtu;
	OK(ioctl(ctl, SIOCSIFMTU, r));
}

static void network(void)
{
	own_net(NETLINK_ROUTE);
	ctl = OK(socket(AF_INET, SOCK_DGRAM, 0));
}

static void write_file(const char *path, const char *text)
{
	int f = OK(open(path, O_WRONLY));

	EQ(write(f, text, strlen(text)), (long)strlen(text));
	close(f);
}

/* ---- ethtool ---- */

static int ethtool(const char *name, void *cmd)
{
	struct ifreq *r = named(name);

	r->ifr_data = cmd;
	return ioctl(ctl, SIOCETHTOOL, r);
}

static int one(const char *name, unsigned int cmd, int value)
{
	struct ethtool_value v = { cmd, (unsigned int)value };

	OK(ethtool(name, &v));
	return (int)v.data;
}

static int bit_named(const char *name)
{
	struct {
		struct ethtool_sset_info i;
		unsigned int n;
	} count = { { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_FEATURES }, 0 };
	struct {
		struct ethtool_gstrings g;
		char name[128][ETH_GSTRING_LEN];
	} *s = calloc(1, sizeof(*s));

	OK(ethtool("lo", &count));
	s->g = (struct ethtool_gstrings){ ETHTOOL_GSTRINGS, ETH_SS_FEATURES, count.n };
	OK(ethtool("lo", s));
	for (unsigned int i = 0; i < count.n; i++)
		if (!strcmp(s->name[i], name))
			return (int)i;
	FAIL("no feature %s", name);
}

struct features {
	struct ethtool_gfeatures g;
	struct ethtool_get_features_block b[3];
};

static int is_active(const char *dev, int bit)
{
	struct features f = { { ETHTOOL_GFEATURES, 3 }, {} };

	OK(ethtool(dev, &f));
	return f.b[bit / 32].active >> bit % 32 & 1;
}

static int blocks(const char *dev)
{
	struct features f = { { ETHTOOL_GFEATURES, 3 }, {} };

	OK(ethtool(dev, &f));
	return (int)f.g.size;
}

static int set_feature(const char *dev, int bit, int on)
{
	struct {
		struct ethtool_sfeatures s;
		struct ethtool_set_features_block b[3];
	} f = { { ETHTOOL_SFEATURES, (unsigned int)blocks(dev) }, {} };

	f.b[bit / 32].valid = 1u << bit % 32;
	f.b[bit / 32].requested = on ? 1u << bit % 32 : 0;
	return ethtool(dev, &f);
}

TEST(features_are_switched)
{
	int tso, sg, gen;

	network();
	tso = bit_named("tx-tcp-segmentation");
	sg = bit_named("tx-scatter-gather");
	gen = bit_named("tx-generic-segmentation");
	EQ(is_active("lo", tso), 1);
	EQ(is_active("lo", gen), 1);
	EQ(one("lo", ETHTOOL_GTSO, 0), 1);
	EQ(set_feature("lo", tso, 0), 0);
	EQ(is_active("lo", tso), 0);
	EQ(set_feature("lo", tso, 1), 0);
	EQ(is_active("lo", tso), 1);
	one("lo", ETHTOOL_STSO, 0);
	EQ(one("lo", ETHTOOL_GTSO, 0), 0);
	EQ(is_active("lo", tso), 0);
	one("lo", ETHTOOL_STSO, 1);
	EQ(is_active("lo", tso), 1);
	EQ(is_active("lo", sg), 1);
}

/* ---- tun to tun ---- */

static struct {
	unsigned char flags, gso_type;
	unsigned short hdr_len, gso_size, csum_start, csum_off;
	char frame[8000];
} v;

static int new_tun(const char *name, unsigned int addr)
{
	struct ifreq *r = named(name);
	int f = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	if (f < 0)
		SKIP("no /dev/net/tun");
	r->ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
	OK(ioctl(f, TUNSETIFF, r));
	up(name, addr);
	return f;
}

static unsigned short sum(const void *p, int n, unsigned int s)
{
	const unsigned char *b = p;

	for (int i = 0; i < n; i++)
		s += i & 1 ? b[i] : (unsigned int)b[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons((unsigned short)~s);
}

/* Of a TCP segment of N bytes behind the IPv4 header H: 0: it is right. */
static int tcp_sum(const struct iphdr *h, int n)
{
	return sum(h + 1, n,
		   6u + (unsigned int)n + (ntohl(h->saddr) >> 16) + (ntohl(h->saddr) & 0xffff) +
			   (ntohl(h->daddr) >> 16) + (ntohl(h->daddr) & 0xffff));
}

static int super_frame(int payload, int size)
{
	struct iphdr *h = (void *)v.frame;
	struct tcphdr *t = (void *)(v.frame + 20);

	memset(&v, 0, sizeof(v));
	*h = (struct iphdr){ .version = 4,
			     .ihl = 5,
			     .ttl = 64,
			     .id = htons(77),
			     .frag_off = htons(0x4000),
			     .protocol = IPPROTO_TCP,
			     .tot_len = htons((unsigned short)(40 + payload)),
			     .saddr = htonl(0x0a090102),
			     .daddr = htonl(0x0a090202) };
	h->check = sum(h, sizeof(*h), 0);
	*t = (struct tcphdr){ .source = htons(1),
			      .dest = htons(2),
			      .doff = 5,
			      .seq = htonl(100),
			      .ack = 1,
			      .psh = 1,
			      .fin = 1 };
	t->check = (unsigned short)~tcp_sum(h, 0);
	for (int i = 0; i < payload; i++)
		v.frame[40 + i] = (char)(i / 7);
	v.flags = 1;
	v.csum_start = 20;
	v.csum_off = 16;
	v.gso_type = 1;
	v.gso_size = (unsigned short)size;
	v.hdr_len = 40;
	return HDR + 40 + payload;
}

static void two_tuns(int f[2])
{
	network();
	f[0] = new_tun("a", 0x0a090101);
	f[1] = new_tun("b", 0x0a090201);
	write_file("/proc/sys/net/ipv4/ip_forward", "1");
}

TEST(tun_without_segmentation_gets_segments)
{
	static char sent[6000];
	int f[2], n, at = 0;

	two_tuns(f);
	n = super_frame(5000, 1200);
	memcpy(sent, v.frame + 40, 5000);
	EQ(write(f[0], &v, (size_t)n), n);
	for (int i = 0; i < 5; i++) {
		struct iphdr *h = (void *)v.frame;
		struct tcphdr *s = (void *)(v.frame + 20);
		int len = i < 4 ? 1200 : 200;

		EQ(read(f[1], &v, sizeof(v)), HDR + 40 + len);
		EQ(v.gso_type, 0);
		EQ(v.flags & 1, 0);
		EQ(ntohs(h->tot_len), 40 + len);
		EQ(ntohs(h->id), 77 + i);
		EQ(h->ttl, 63);
		EQ(sum(h, 20, 0), 0);
		EQ(tcp_sum(h, 20 + len), 0);
		EQ(ntohl(s->seq), 100 + at);
		EQ(s->fin, i == 4);
		EQ(s->psh, i == 4);
		EQ(memcmp(v.frame + 40, sent + at, (size_t)len), 0);
		at += len;
	}
	ERR(read(f[1], &v, sizeof(v)), EAGAIN);
}

TEST(tun_with_segmentation_gets_it_whole)
{
	int f[2], n;

	two_tuns(f);
	OK(ioctl(f[1], TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4));
	n = super_frame(5000, 1200);
	EQ(write(f[0], &v, (size_t)n), n);
	EQ(read(f[1], &v, sizeof(v)), n);
	EQ(v.gso_type, 1);
	EQ(v.gso_size, 1200);
	EQ(v.flags, 1);
	EQ(v.csum_start, 20);
	EQ(v.csum_off, 16);
	EQ(ntohs(((struct iphdr *)v.frame)->tot_len), 5040);
	for (int i = 0; i < 5000; i++)
		EQ(v.frame[40 + i], (char)(i / 7));
	ERR(read(f[1], &v, sizeof(v)), EAGAIN);
	/* Segments that are too long for the next link are refused as such packets are. */
	set_mtu("b", 1000);
	n = super_frame(5000, 1200);
	EQ(write(f[0], &v, (size_t)n), n);
	ERR(read(f[1], &v, sizeof(v)), EAGAIN);
	CHECK(read(f[0], &v, sizeof(v)) > HDR + 28);
	EQ(v.frame[20], ICMP_DEST_UNREACH);
	EQ(v.frame[21], ICMP_FRAG_NEEDED);
	/* Without DF they are cut up. */
	n = super_frame(5000, 1200);
	((struct iphdr *)v.frame)->frag_off = 0;
	((struct iphdr *)v.frame)->check = 0;
	((struct iphdr *)v.frame)->check = sum(v.frame, 20, 0);
	EQ(write(f[0], &v, (size_t)n), n);
	for (int i = 0; i < 9; i++) {
		CHECK(read(f[1], &v, sizeof(v)) > HDR + 20);
		EQ(!(ntohs(((struct iphdr *)v.frame)->frag_off) & 0x3fff), i == 8);
	}
	ERR(read(f[1], &v, sizeof(v)), EAGAIN);
}

/* ---- streams ---- */

static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 7 >> 3 ^ i >> 12);
}

static void *send_bulk(void *arg)
{
	static unsigned char b[50000];
	int s = *(int *)arg;

	for (size_t done = 0; done < BULK;) {
		size_t n = BULK - done < sizeof(b) ? BULK - done : sizeof(b);

		for (size_t i = 0; i < n; i++)
			b[i] = byte_at(done + i);
		if (write(s, b, n) != (ssize_t)n)
			return (void *)1;
		done += n;
	}
	return shutdown(s, SHUT_WR) ? (void *)1 : NULL;
}

static void read_bulk(int s)
{
	static unsigned char b[65536];
	size_t done = 0;
	ssize_t n;

	while ((n = OK(read(s, b, sizeof(b)))))
		for (ssize_t i = 0; i < n; i++, done++)
			EQ(b[i], byte_at(done));
	EQ(done, BULK);
}

static void stream(int from, int to)
{
	pthread_t t;
	void *bad;

	EQ(pthread_create(&t, NULL, send_bulk, &from), 0);
	read_bulk(to);
	EQ(pthread_join(t, &bad), 0);
	CHECK(!bad);
}

static void connected(int s[2], unsigned int addr, int family)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(addr) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr *name = family == AF_INET ? (void *)&a : (void *)&six;
	socklen_t len = family == AF_INET ? sizeof(a) : sizeof(six);
	int l = OK(socket(family, SOCK_STREAM, 0));

	OK(bind(l, name, len));
	OK(listen(l, 1));
	OK(getsockname(l, name, &len));
	s[0] = OK(socket(family, SOCK_STREAM, 0));
	OK(connect(s[0], name, len));
	s[1] = OK(accept(l, NULL, NULL));
	close(l);
}

static struct tcp_info info(int s)
{
	struct tcp_info i = {};
	socklen_t len = sizeof(i);

	OK(getsockopt(s, IPPROTO_TCP, TCP_INFO, &i, &len));
	return i;
}

/* The longest packet that the packet socket P has; it has none afterwards. */
static int longest(int p)
{
	char b[100];
	int most = 0;
	ssize_t n;

	while ((n = recv(p, b, sizeof(b), MSG_TRUNC | MSG_DONTWAIT)) > 0)
		if (n > most)
			most = (int)n;
	return most;
}

static void over_lo(int family)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL_) };
	int s[2], p, room = 8 << 20;
	struct tcp_info a, b;

	p = OK(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL_)));
	ll.sll_ifindex = (int)if_nametoindex("lo");
	OK(bind(p, (void *)&ll, sizeof(ll)));
	OK(setsockopt(p, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)));
	connected(s, INADDR_LOOPBACK, family);
	stream(s[0], s[1]);
	b = info(s[1]);
	a = info(s[0]);
	/* Segments are counted, not packets. */
	CHECK(a.tcpi_data_segs_out >= BULK / a.tcpi_snd_mss);
	CHECK(a.tcpi_data_segs_out < 2 * BULK / a.tcpi_snd_mss);
	CHECK(b.tcpi_data_segs_in + a.tcpi_total_retrans >= a.tcpi_data_segs_out);
	CHECK(b.tcpi_rcv_mss <= 1460);
	CHECK(longest(p) > 3000);
	close(s[0]);
	close(s[1]);
	longest(p);
	one("lo", ETHTOOL_STSO, 0);
	connected(s, INADDR_LOOPBACK, family);
	stream(s[0], s[1]);
	CHECK(longest(p) <= 1500);
	one("lo", ETHTOOL_STSO, 1);
	close(p);
}

TEST(loopback_with_short_segments)
{
	network();
	up("lo", 0);
	set_mtu("lo", 1500);
	over_lo(AF_INET);
}

TEST(loopback_with_short_segments_6)
{
	network();
	up("lo", 0);
	set_mtu("lo", 1500);
	over_lo(AF_INET6);
}

/* ---- a chain of namespaces ---- */

static int ns[NODES];

/* A cable from node I to the next one: l0 there, r0 here. */
static void cable(int i, int mtu)
{
	struct nlattr *link, *data, *peer;
	struct ifinfomsg m = {};
	int err;

	OK(setns(ns[i], CLONE_NEWNET));
	sock = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	attr(IFLA_IFNAME, "r0", 3);
	attr_u32(IFLA_MTU, (unsigned int)mtu);
	link = attr(IFLA_LINKINFO, NULL, 0);
	attr(IFLA_INFO_KIND, "veth", 4);
	data = attr(IFLA_INFO_DATA, NULL, 0);
	peer = attr(VETH_INFO_PEER, &m, sizeof(m));
	attr(IFLA_IFNAME, "l0", 3);
	attr_u32(IFLA_MTU, (unsigned int)mtu);
	attr_u32(IFLA_NET_NS_FD, (unsigned int)ns[i + 1]);
	ends(peer);
	ends(data);
	ends(link);
	err = done();
	if (err == EOPNOTSUPP)
		SKIP("no veth");
	EQ(err, 0);
	close(sock);
}

static void route_to(unsigned int net, unsigned int by)
{
	struct rtentry r = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct sockaddr_in *dst = (void *)&r.rt_dst, *mask = (void *)&r.rt_genmask,
			   *gw = (void *)&r.rt_gateway;

	dst->sin_family = mask->sin_family = gw->sin_family = AF_INET;
	dst->sin_addr.s_addr = htonl(net);
	mask->sin_addr.s_addr = htonl(0xffffff00);
	gw->sin_addr.s_addr = htonl(by);
	OK(ioctl(ctl, SIOCADDRT, &r));
}

/* 10.1.I.1 is the left end of cable I, 10.1.I.2 the right one. */
static unsigned int addr(int cable, int right)
{
	return 0x0a010001u + ((unsigned int)cable << 8) + (unsigned int)right;
}

static void chain(const int *mtu)
{
	for (int i = 0; i < NODES; i++) {
		network();
		ns[i] = OK(open("/proc/thread-self/ns/net", O_RDONLY));
	}
	for (int i = 0; i + 1 < NODES; i++)
		cable(i, mtu[i]);
	for (int i = 0; i < NODES; i++) {
		OK(setns(ns[i], CLONE_NEWNET));
		ctl = OK(socket(AF_INET, SOCK_DGRAM, 0));
		write_file("/proc/sys/net/ipv4/ip_forward", "1");
		if (i)
			up("l0", addr(i - 1, 1));
		if (i + 1 < NODES)
			up("r0", addr(i, 0));
		for (int k = 0; k + 1 < NODES; k++) {
			if (k > i)
				route_to(addr(k, 0) & 0xffffff00, addr(i, 1));
			else if (k < i - 1)
				route_to(addr(k, 0) & 0xffffff00, addr(i - 1, 0));
		}
	}
}

static void both_ways(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int l, c, s;

	a.sin_addr.s_addr = htonl(addr(NODES - 2, 1));
	OK(setns(ns[NODES - 1], CLONE_NEWNET));
	l = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(bind(l, (void *)&a, len));
	OK(listen(l, 1));
	OK(getsockname(l, (void *)&a, &len));
	OK(setns(ns[0], CLONE_NEWNET));
	c = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(connect(c, (void *)&a, len));
	s = OK(accept(l, NULL, NULL));
	stream(c, s);
	stream(s, c);
	close(l);
	close(c);
	close(s);
}

TEST(small_mtu_in_the_middle)
{
	static const int mtu[NODES - 1] = { 1500, 600, 1500 };

	chain(mtu);
	both_ways();
	/* The middle takes no such packets: its neighbours cut them up. */
	OK(setns(ns[1], CLONE_NEWNET));
	ctl = OK(socket(AF_INET, SOCK_DGRAM, 0));
	one("r0", ETHTOOL_STSO, 0);
	OK(setns(ns[2], CLONE_NEWNET));
	ctl = OK(socket(AF_INET, SOCK_DGRAM, 0));
	one("l0", ETHTOOL_STSO, 0);
	one("l0", ETHTOOL_STXCSUM, 0);
	both_ways();
}
