/* SPDX-License-Identifier: MIT */
/*
 * Multicast: memberships with their filters of sources, what IGMP and MLD tell routers of them, and
 * answers to queries. The test is the router, at the other end of a tun or a tap.
 */
#define TEST_LIMIT 40
#include "nl.h"
#include <arpa/inet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>

#define OURS "10.9.0.1"
#define GROUP "239.1.2.3"
#define OTHER "239.1.2.4"
#define PORT 7000
enum { IS_IN = 1, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK };

static int tun, udp, ifindex, link_bytes;
static unsigned char pkt[2000];
static struct ip_mreqn where;		/* GROUP on the device */

static unsigned int ip(const char *s)
{
	return inet_addr(s);
}

static struct ifreq *named(const char *name, int flags)
{
	static struct ifreq r;

	memset(&r, 0, sizeof(r));
	strcpy(r.ifr_name, name);
	r.ifr_flags = (short)flags;
	return &r;
}

static void write_to(const char *path, const char *text)
{
	int f = OK(open(path, O_WRONLY));

	EQ(write(f, text, strlen(text)), (long)strlen(text));
	close(f);
}

static void set_address(int request, const char *a)
{
	struct ifreq *r = named("m0", 0);
	struct sockaddr_in *in4 = (struct sockaddr_in *)&r->ifr_addr;

	in4->sin_family = AF_INET;
	in4->sin_addr.s_addr = ip(a);
	OK(ioctl(udp, (unsigned long)request, r));
}

/* Each change is told QRV times. */
static void network(int qrv)
{
	char text[4];

	own_net(NETLINK_ROUTE);
	sprintf(text, "%d", qrv);
	write_to("/proc/sys/net/ipv4/igmp_qrv", text);
}

static void device(int kind)
{
	link_bytes = kind == IFF_TAP ? 14 : 0;
	udp = OK(socket(AF_INET, SOCK_DGRAM, 0));
	tun = open("/dev/net/tun", O_RDWR);
	if (tun < 0 && (errno == ENOENT || errno == ENODEV))
		SKIP("no /dev/net/tun");
	OK(tun);
	OK(ioctl(tun, TUNSETIFF, named("m0", kind | IFF_NO_PI)));
	set_address(SIOCSIFADDR, OURS);
	set_address(SIOCSIFNETMASK, "255.255.255.0");
	OK(ioctl(udp, SIOCSIFFLAGS, named("m0", IFF_UP | IFF_RUNNING | IFF_MULTICAST)));
	ifindex = (int)if_nametoindex("m0");
	where = (struct ip_mreqn){ .imr_multiaddr.s_addr = ip(GROUP), .imr_ifindex = ifindex };
}

/* The next IGMP message; its bytes. */
static unsigned char *igmp(void)
{
	struct iphdr *h = (void *)pkt;

	for (;;) {
		OK(read(tun, pkt, sizeof(pkt)));
		memmove(pkt, pkt + link_bytes, sizeof(pkt) - (size_t)link_bytes);
		if (h->version == 4 && h->protocol == IPPROTO_IGMP)
			break;
	}
	EQ(h->ihl, 6);
	EQ(h->ttl, 1);
	EQ(h->tos, 0xc0);
	CHECK(!memcmp(pkt + 20, "\x94\x04\0\0", 4));
	EQ(h->saddr, ip(OURS));
	return pkt + 24;
}

/* A report of version 3 with one record: of KIND, with SOURCES. */
static unsigned char *report(int kind, const char *group, int sources)
{
	unsigned char *m = igmp();
	struct iphdr *h = (void *)pkt;

	EQ(m[0], 0x22);
	EQ(h->daddr, ip("224.0.0.22"));
	EQ(m[7], 1);
	EQ(m[8], kind);
	EQ(m[11], sources);
	CHECK(!memcmp(m + 12, &(unsigned int){ ip(group) }, 4));
	EQ(ntohs(h->tot_len), 24 + 16 + 4 * sources);
	return m + 16;
}

static unsigned short sum(const void *p, size_t n, unsigned int s)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		s += i & 1 ? b[i] : (unsigned int)b[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons((unsigned short)~s);
}

static void inject(const char *from, const char *to, int protocol, const void *body, size_t n)
{
	unsigned char f[200] = { 1, 0, 0x5e, [6] = 2, 9, 9, 9, 9, 9, 8 }, *b = f + link_bytes;
	struct iphdr *h = (void *)b;

	*h = (struct iphdr){ .version = 4,
			     .ihl = 5,
			     .ttl = 1,
			     .protocol = (unsigned char)protocol,
			     .tot_len = htons((unsigned short)(20 + n)),
			     .saddr = ip(from),
			     .daddr = ip(to) };
	h->check = sum(h, 20, 0);
	memcpy(b + 20, body, n);
	if (link_bytes) {
		memcpy(f + 3, (char *)&h->daddr + 1, 3);
		f[3] &= 0x7f;
		f[6] = 2;
	}
	n += 20 + (size_t)link_bytes;
	EQ(write(tun, f, n), (long)n);
}

static void query(int code, const char *group, int len, const char *source)
{
	unsigned char q[16] = { 0x11, (unsigned char)code };
	unsigned int g = ip(group), s = source ? ip(source) : 0;
	unsigned short c;

	memcpy(q + 4, &g, 4);
	if (len > 8) {
		q[8] = 1;
		q[9] = 125;
		q[11] = !!source;
		memcpy(q + 12, &s, 4);
	}
	c = sum(q, (size_t)len, 0);
	memcpy(q + 2, &c, 2);
	inject("10.9.0.9", g ? group : "224.0.0.1", IPPROTO_IGMP, q, (size_t)len);
}

static void join(void)
{
	OK(setsockopt(udp, IPPROTO_IP, IP_ADD_MEMBERSHIP, &where, sizeof(where)));
}

static int source(int name, const char *group, const char *from)
{
	struct ip_mreq_source r = { .imr_multiaddr.s_addr = ip(group),
				    .imr_interface.s_addr = ip(OURS),
				    .imr_sourceaddr.s_addr = ip(from) };

	return setsockopt(udp, IPPROTO_IP, name, &r, sizeof(r));
}

static void contains(const char *path, const char *text, int yes)
{
	static char b[8000];
	int f = OK(open(path, O_RDONLY)), n = 0, r;

	while ((r = (int)OK(read(f, b + n, sizeof(b) - 1 - (size_t)n))) > 0)
		n += r;
	b[n] = 0;
	close(f);
	if (!strstr(b, text) == !!yes)
		printf("%s has not (or has) \"%s\":\n%s", path, text, b);
	CHECK(!strstr(b, text) == !yes);
}

/* Joining and leaving are told twice each. */
TEST(changes_are_reported)
{
	network(2);
	device(IFF_TUN);
	join();
	report(TO_EX, GROUP, 0);
	report(TO_EX, GROUP, 0);
	contains("/proc/net/igmp", "m0        :     2      V3\n", 1);
	contains("/proc/net/igmp", "\t\t\t\t030201EF     1 0:00000000\t\t0\n", 1);
	contains("/proc/net/igmp", "\t\t\t\t010000E0     1 0:00000000\t\t0\n", 1);
	OK(setsockopt(udp, IPPROTO_IP, IP_DROP_MEMBERSHIP, &where, sizeof(where)));
	report(TO_IN, GROUP, 0);
	report(TO_IN, GROUP, 0);
	contains("/proc/net/igmp", "030201EF", 0);
}

TEST(sources_are_reported)
{
	unsigned char *s;

	network(1);
	device(IFF_TUN);
	OK(source(IP_ADD_SOURCE_MEMBERSHIP, GROUP, "10.0.0.1"));
	s = report(ALLOW, GROUP, 1);
	CHECK(!memcmp(s, &(unsigned int){ ip("10.0.0.1") }, 4));
	OK(source(IP_ADD_SOURCE_MEMBERSHIP, GROUP, "10.0.0.2"));
	s = report(ALLOW, GROUP, 1);
	CHECK(!memcmp(s, &(unsigned int){ ip("10.0.0.2") }, 4));
	contains("/proc/net/mcfilter", "Idx Device        MCA        SRC    INC    EXC\n", 1);
	contains("/proc/net/mcfilter", "     m0 0xef010203 0x0a000002      1      0\n", 1);
	OK(source(IP_DROP_SOURCE_MEMBERSHIP, GROUP, "10.0.0.1"));
	s = report(BLOCK, GROUP, 1);
	CHECK(!memcmp(s, &(unsigned int){ ip("10.0.0.1") }, 4));

	/*
	 * Another member takes all but one: the device takes all, as the first includes that one.
	 */
	int other = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(setsockopt(other, IPPROTO_IP, IP_ADD_MEMBERSHIP, &where, sizeof(where)));
	report(TO_EX, GROUP, 0);
	close(udp);
	udp = other;
	OK(source(IP_BLOCK_SOURCE, GROUP, "10.0.0.2"));
	s = report(BLOCK, GROUP, 1);
	CHECK(!memcmp(s, &(unsigned int){ ip("10.0.0.2") }, 4));
	OK(source(IP_UNBLOCK_SOURCE, GROUP, "10.0.0.2"));
	report(ALLOW, GROUP, 1);
}

TEST(queries_are_answered)
{
	network(1);
	device(IFF_TUN);
	join();
	report(TO_EX, GROUP, 0);
	query(5, "0.0.0.0", 12, NULL);
	report(IS_EX, GROUP, 0);
	query(5, GROUP, 12, NULL);
	report(IS_EX, GROUP, 0);
	OK(source(IP_ADD_SOURCE_MEMBERSHIP, OTHER, "10.0.0.1"));
	report(ALLOW, OTHER, 1);
	query(5, OTHER, 16, "10.0.0.7");		/* nobody wants that one */
	query(5, OTHER, 16, "10.0.0.1");
	report(IS_IN, OTHER, 1);
	/* What is no query is not answered. */
	inject("10.9.0.9", "224.0.0.1", IPPROTO_IGMP, "\x11\0\0\0\0\0\0\0", 8);
	query(5, "10.0.0.1", 12, NULL);
	query(5, GROUP, 12, NULL);
	report(IS_EX, GROUP, 0);
}

static void old_report(int type, const char *group, const char *to)
{
	unsigned char *m = igmp();

	EQ(m[0], type);
	EQ(((struct iphdr *)pkt)->daddr, ip(to));
	CHECK(!memcmp(m + 4, &(unsigned int){ ip(group) }, 4));
}

TEST(older_queriers)
{
	network(1);
	device(IFF_TUN);
	join();
	report(TO_EX, GROUP, 0);
	query(3, "0.0.0.0", 8, NULL);
	old_report(0x16, GROUP, GROUP);
	contains("/proc/net/igmp", "m0        :     2      V2\n", 1);
	contains("/proc/net/igmp", "\t\t\t\t030201EF     1 0:00000000\t\t1\n", 1);
	OK(setsockopt(udp, IPPROTO_IP, IP_DROP_MEMBERSHIP, &where, sizeof(where)));
	old_report(0x17, GROUP, "224.0.0.2");
	query(0, "0.0.0.0", 8, NULL);
	contains("/proc/net/igmp", "m0        :     1      V1\n", 1);
	join();
	old_report(0x12, GROUP, GROUP);
}

TEST(another_station_reports)
{
	unsigned char r[8] = { 0x16, 0, 0, 0, 239, 1, 2, 3 };
	unsigned short c = sum(r, 8, 0);

	memcpy(r + 2, &c, 2);
	network(1);
	device(IFF_TAP);
	write_to("/proc/sys/net/ipv4/conf/all/force_igmp_version", "2");
	join();
	old_report(0x16, GROUP, GROUP);
	inject("10.9.0.8", GROUP, IPPROTO_IGMP, r, 8);
	contains("/proc/net/igmp", "\t\t\t\t030201EF     1 0:00000000\t\t0\n", 1);
	OK(setsockopt(udp, IPPROTO_IP, IP_DROP_MEMBERSHIP, &where, sizeof(where)));
	/* We were not the last to report: nothing is said of it. */
	where.imr_multiaddr.s_addr = ip(OTHER);
	join();
	old_report(0x16, OTHER, OTHER);
}

static void datagram(const char *from, const char *group)
{
	struct {
		struct udphdr h;
		char text[16];
	} u = { .h = { .source = htons(9), .dest = htons(PORT), .len = htons(sizeof(u)) } };

	strcpy(u.text, from);
	inject(from, group, IPPROTO_UDP, &u, sizeof(u));
}

static void hears(const char *from)
{
	char b[50];

	EQ(recv(udp, b, sizeof(b), 0), 16);
	CHECK(!strcmp(b, from));
}

static void filter(unsigned int mode, unsigned int n, const char *a, const char *b)
{
	struct {
		struct ip_msfilter f;
		unsigned int more[4];
	} q = { .f = { .imsf_multiaddr.s_addr = ip(GROUP),
		       .imsf_interface.s_addr = ip(OURS),
		       .imsf_fmode = mode,
		       .imsf_numsrc = n } };

	memcpy((char *)&q + 16, &(unsigned int){ ip(a) }, 4);
	memcpy((char *)&q + 20, &(unsigned int){ ip(b) }, 4);
	OK(setsockopt(udp, IPPROTO_IP, IP_MSFILTER, &q, 16 + 4 * n));
}

TEST(datagrams_are_filtered)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	network(1);
	device(IFF_TUN);
	write_to("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
	write_to("/proc/sys/net/ipv4/conf/default/rp_filter", "0");
	OK(bind(udp, (void *)&here, sizeof(here)));
	datagram("10.9.0.2", GROUP);			/* before it joins */
	OK(source(IP_ADD_SOURCE_MEMBERSHIP, GROUP, "10.9.0.3"));
	datagram("10.9.0.2", GROUP);
	datagram("10.9.0.3", GROUP);
	hears("10.9.0.3");
	filter(MCAST_INCLUDE, 2, "10.9.0.4", "10.9.0.5");
	datagram("10.9.0.3", GROUP);
	datagram("10.9.0.5", GROUP);
	hears("10.9.0.5");
	filter(MCAST_EXCLUDE, 1, "10.9.0.4", "10.9.0.4");
	datagram("10.9.0.4", GROUP);
	datagram("10.9.0.3", GROUP);
	hears("10.9.0.3");
	OK(source(IP_UNBLOCK_SOURCE, GROUP, "10.9.0.4"));
	datagram("10.9.0.4", GROUP);
	hears("10.9.0.4");
	ERR(recv(udp, pkt, 1, MSG_DONTWAIT), EAGAIN);
}

TEST(errors_of_sources)
{
	struct ip_mreq_source r = { .imr_multiaddr.s_addr = ip(GROUP) };

	network(1);
	device(IFF_TUN);
	ERR(setsockopt(udp, IPPROTO_IP, IP_BLOCK_SOURCE, &r, sizeof(r) - 1), EINVAL);
	ERR(setsockopt(udp, IPPROTO_IP, IP_BLOCK_SOURCE, &r, sizeof(r) + 1), EINVAL);
	ERR(setsockopt(udp, IPPROTO_IP, IP_BLOCK_SOURCE, NULL, sizeof(r)), EFAULT);
	ERR(source(IP_BLOCK_SOURCE, GROUP, "10.0.0.1"), EINVAL);	/* not joined */
	ERR(source(IP_DROP_SOURCE_MEMBERSHIP, GROUP, "10.0.0.1"), EINVAL);
	ERR(source(IP_BLOCK_SOURCE, "10.0.0.1", "10.0.0.1"), EINVAL);
	r.imr_interface.s_addr = ip("10.77.0.1");
	ERR(setsockopt(udp, IPPROTO_IP, IP_BLOCK_SOURCE, &r, sizeof(r)), ENODEV);
	ERR(setsockopt(udp, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, &r, sizeof(r)), ENODEV);
	OK(source(IP_ADD_SOURCE_MEMBERSHIP, GROUP, "10.0.0.1"));
	ERR(source(IP_ADD_SOURCE_MEMBERSHIP, GROUP, "10.0.0.1"), EADDRNOTAVAIL);
	ERR(source(IP_BLOCK_SOURCE, GROUP, "10.0.0.2"), EINVAL);	/* it includes */
	ERR(source(IP_DROP_SOURCE_MEMBERSHIP, GROUP, "10.0.0.2"), EADDRNOTAVAIL);
	ERR(setsockopt(udp, IPPROTO_IP, IP_ADD_MEMBERSHIP, &where, sizeof(where)), EADDRINUSE);
	OK(source(IP_DROP_SOURCE_MEMBERSHIP, GROUP, "10.0.0.1"));	/* the last: it leaves */
	ERR(source(IP_DROP_SOURCE_MEMBERSHIP, GROUP, "10.0.0.1"), EINVAL);
	ERR(setsockopt(udp, IPPROTO_IP, IP_DROP_MEMBERSHIP, &where, sizeof(where)), EADDRNOTAVAIL);
	join();
	ERR(source(IP_UNBLOCK_SOURCE, GROUP, "10.0.0.1"), EADDRNOTAVAIL);
	OK(source(IP_ADD_SOURCE_MEMBERSHIP, GROUP, "10.0.0.1"));	/* the mode turns */
	ERR(source(IP_BLOCK_SOURCE, GROUP, "10.0.0.1"), EINVAL);
}

TEST(limits)
{
	char a[32];

	network(1);
	device(IFF_TUN);
	write_to("/proc/sys/net/ipv4/igmp_max_memberships", "3");
	write_to("/proc/sys/net/ipv4/igmp_max_msf", "2");
	for (int i = 0; i < 4; i++) {
		where.imr_multiaddr.s_addr = htonl(0xef010200u + (unsigned int)i);
		if (i < 3)
			OK(setsockopt(udp, IPPROTO_IP, IP_ADD_MEMBERSHIP, &where, sizeof(where)));
		else
			ERR(setsockopt(udp, IPPROTO_IP, IP_ADD_MEMBERSHIP, &where, sizeof(where)),
			    ENOBUFS);
	}
	for (int i = 1; i < 4; i++) {
		sprintf(a, "10.0.0.%d", i);
		if (i < 3)
			OK(source(IP_BLOCK_SOURCE, "239.1.2.0", a));
		else
			ERR(source(IP_BLOCK_SOURCE, "239.1.2.0", a), ENOBUFS);
	}
}

static long get_msfilter(struct ip_msfilter *q, socklen_t *n)
{
	*q = (struct ip_msfilter){ .imsf_multiaddr.s_addr = ip(GROUP),
				   .imsf_interface.s_addr = ip(OURS),
				   .imsf_numsrc = 8 };
	return getsockopt(udp, IPPROTO_IP, IP_MSFILTER, q, n);
}

TEST(whole_filters)
{
	struct {
		struct ip_msfilter f;
		unsigned int more[16];
	} q = {};
	socklen_t n = sizeof(q);

	network(1);
	device(IFF_TUN);
	ERR(get_msfilter(&q.f, &n), EADDRNOTAVAIL);
	ERR(setsockopt(udp, IPPROTO_IP, IP_MSFILTER, &q, 15), EINVAL);
	ERR(setsockopt(udp, IPPROTO_IP, IP_MSFILTER, &q, 16), EINVAL);	/* no group */
	q.f = (struct ip_msfilter){ .imsf_multiaddr.s_addr = ip(GROUP),
				    .imsf_interface.s_addr = ip(OURS),
				    .imsf_fmode = MCAST_EXCLUDE,
				    .imsf_numsrc = 1 };
	ERR(setsockopt(udp, IPPROTO_IP, IP_MSFILTER, &q, 16), EINVAL);	/* shorter than it says */
	ERR(setsockopt(udp, IPPROTO_IP, IP_MSFILTER, &q, 20), EINVAL);	/* not joined */
	join();
	q.f.imsf_fmode = 2;
	ERR(setsockopt(udp, IPPROTO_IP, IP_MSFILTER, &q, 20), EINVAL);
	q.f.imsf_numsrc = 11;
	ERR(setsockopt(udp, IPPROTO_IP, IP_MSFILTER, &q, sizeof(q)), ENOBUFS);
	filter(MCAST_EXCLUDE, 2, "10.0.0.2", "10.0.0.1");
	n = sizeof(q);
	OK(get_msfilter(&q.f, &n));
	EQ(n, 24);
	EQ(q.f.imsf_fmode, MCAST_EXCLUDE);
	EQ(q.f.imsf_numsrc, 2);
	CHECK(!memcmp((char *)&q + 16, &(unsigned int){ ip("10.0.0.2") }, 4));
	CHECK(!memcmp((char *)&q + 20, &(unsigned int){ ip("10.0.0.1") }, 4));
	n = 15;
	ERR(get_msfilter(&q.f, &n), EINVAL);
	filter(MCAST_INCLUDE, 0, "0.0.0.0", "0.0.0.0");		/* it leaves */
	n = sizeof(q);
	ERR(get_msfilter(&q.f, &n), EADDRNOTAVAIL);
}

/* ---- IPv6 ---- */

static const struct in6_addr group6 = { .s6_addr = { 0xff, 0x15, [14] = 0x12, 0x34 } };

static int heard;

/* Of a report of version 2 of N bytes: the record about the group; NULL. */
static unsigned char *record_in(unsigned char *m, long n)
{
	unsigned char *r = m + 8;

	for (int i = 0; i < m[7] && r + 20 <= m + n; i++, r += 20 + 16 * r[3])
		if (!memcmp(r + 4, &group6, 16))
			return r;
	return NULL;
}

/* The next message of MLD about the group: its record, or of version 1 its ICMPv6 header. */
static unsigned char *mld(void)
{
	struct ip6_hdr *h = (void *)(pkt + 14);
	unsigned char *m = pkt + 14 + 48, *r;

	for (;;) {
		long n = OK(read(tun, pkt, sizeof(pkt)));

		if (pkt[12] != 0x86 || h->ip6_nxt || n < 14 + 48 + 24)
			continue;
		heard = m[0];
		r = m[0] == 143 ? record_in(m, n - 62) : !memcmp(m + 8, &group6, 16) ? m : NULL;
		if (r)
			break;
	}
	EQ(h->ip6_hlim, 1);
	CHECK(!memcmp(pkt + 54, "\x3a\0\5\2\0\0", 6));
	return r;
}

/* The next report of that kind: others are repeated ones. */
static unsigned char *mld_record(int kind)
{
	unsigned char *m;

	do
		m = mld();
	while (heard != 143 || m[0] != kind);
	return m;
}

static void query6(int len, int delay_ms)
{
	unsigned char f[14 + 40 + 8 + 28] = { 0x33, 0x33, 0, 0, 0, 1, 2, 9, 9, 9, 9, 9, 0x86, 0xdd };
	struct ip6_hdr *h = (void *)(f + 14);
	unsigned char *m = f + 62;
	unsigned short c;

	h->ip6_flow = htonl(0x60000000);
	h->ip6_plen = htons((unsigned short)(8 + len));
	h->ip6_hlim = 1;
	h->ip6_src.s6_addr[0] = 0xfe;
	h->ip6_src.s6_addr[1] = 0x80;
	h->ip6_src.s6_addr[15] = 9;
	h->ip6_dst.s6_addr[0] = 0xff;
	h->ip6_dst.s6_addr[1] = 2;
	h->ip6_dst.s6_addr[15] = 1;
	memcpy(f + 54, "\x3a\0\5\2\0\0\1\0", 8);
	m[0] = 130;
	m[4] = (unsigned char)(delay_ms >> 8);
	m[5] = (unsigned char)delay_ms;
	if (len > 24)
		m[24] = 2;
	c = sum(m, (size_t)len, 0x3a + (unsigned int)len + 0xfe80 + 9 + 0xff02 + 1);
	memcpy(m + 2, &c, 2);
	EQ(write(tun, f, (size_t)(62 + len)), 62 + len);
}

TEST(mld)
{
	struct ipv6_mreq r = { .ipv6mr_multiaddr = group6 };
	struct group_source_req g = {};
	struct sockaddr_in6 *a = (void *)&g.gsr_group, *s = (void *)&g.gsr_source;
	unsigned char *m;
	int f;

	network(1);
	device(IFF_TAP);
	f = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	r.ipv6mr_interface = (unsigned int)ifindex;
	OK(setsockopt(f, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &r, sizeof(r)));
	mld_record(TO_EX);
	contains("/proc/net/igmp6",
		 "m0              ff150000000000000000000000001234     1 00000004 0", 1);
	query6(28, 100);
	mld_record(IS_EX);
	OK(setsockopt(f, IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, &r, sizeof(r)));
	mld_record(TO_IN);

	g.gsr_interface = (unsigned int)ifindex;
	a->sin6_family = s->sin6_family = AF_INET6;
	a->sin6_addr = group6;
	s->sin6_addr.s6_addr[0] = 0x20;
	s->sin6_addr.s6_addr[15] = 1;
	OK(setsockopt(f, IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, &g, sizeof(g)));
	m = mld_record(ALLOW);
	EQ(m[3], 1);
	CHECK(!memcmp(m + 20, &s->sin6_addr, 16));
	contains("/proc/net/mcfilter6",
		 "m0 ff150000000000000000000000001234 "
		 "20000000000000000000000000000001      1      0",
		 1);
	ERR(setsockopt(f, IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, &g, sizeof(g)), EADDRNOTAVAIL);
	ERR(setsockopt(f, IPPROTO_IPV6, MCAST_BLOCK_SOURCE, &g, sizeof(g)), EINVAL);
	OK(setsockopt(f, IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP, &g, sizeof(g)));
	mld_record(BLOCK);

	OK(setsockopt(f, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &r, sizeof(r)));
	mld_record(TO_EX);
	query6(24, 100);
	do
		mld();
	while (heard != 131);
	CHECK(!memcmp(pkt + 38, &group6, 16));
	OK(setsockopt(f, IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, &r, sizeof(r)));
	do
		mld();
	while (heard != 132);
}

static void set_mtu(int mtu)
{
	struct ifreq *r = named("m0", 0);

	r->ifr_mtu = mtu;
	OK(ioctl(udp, SIOCSIFMTU, r));
}

/* A membership ends with the device's IPv6, though that comes back under the same number. */
TEST(members_of_before)
{
	struct ipv6_mreq r = { .ipv6mr_multiaddr = group6 };
	struct group_source_req g = {};
	struct sockaddr_in6 *a = (void *)&g.gsr_group, *s = (void *)&g.gsr_source;
	int before, after;

	network(1);
	device(IFF_TAP);
	before = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	after = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	r.ipv6mr_interface = (unsigned int)ifindex;
	g.gsr_interface = (unsigned int)ifindex;
	a->sin6_family = s->sin6_family = AF_INET6;
	a->sin6_addr = group6;
	s->sin6_addr.s6_addr[0] = 0x20;
	OK(setsockopt(before, IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, &g, sizeof(g)));
	set_mtu(1000);
	contains("/proc/net/igmp6", "ff150000000000000000000000001234", 0);
	set_mtu(1500);
	OK(setsockopt(after, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &r, sizeof(r)));
	close(before);
	contains("/proc/net/igmp6", "ff150000000000000000000000001234     1 ", 1);
	close(after);
	contains("/proc/net/igmp6", "ff150000000000000000000000001234", 0);
}

static void address6(int type, int flags)
{
	struct ifaddrmsg *m = begin(type, flags, sizeof(*m));

	m->ifa_family = AF_INET6;
	m->ifa_prefixlen = 64;
	m->ifa_index = (unsigned int)ifindex;
	attr(IFA_LOCAL, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\x12\x34", 16);
	EQ(done(), 0);
}

/* An address that was never used, as the device is down, takes no member with it. */
TEST(group_of_an_unused_address)
{
	struct group_source_req g = {};
	struct sockaddr_in6 *a = (void *)&g.gsr_group, *s = (void *)&g.gsr_source;
	int f;

	network(1);
	device(IFF_TAP);
	OK(ioctl(udp, SIOCSIFFLAGS, named("m0", IFF_MULTICAST)));
	address6(RTM_NEWADDR, NLM_F_CREATE);
	f = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	g.gsr_interface = (unsigned int)ifindex;
	a->sin6_family = s->sin6_family = AF_INET6;
	memcpy(&a->sin6_addr, "\xff\x02\0\0\0\0\0\0\0\0\0\1\xff\0\x12\x34", 16);
	s->sin6_addr.s6_addr[0] = 0x20;
	OK(setsockopt(f, IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, &g, sizeof(g)));
	address6(RTM_DELADDR, 0);
	contains("/proc/net/mcfilter6", "ff0200000000000000000001ff001234", 1);
	close(f);
	contains("/proc/net/mcfilter6", "ff0200000000000000000001ff001234", 0);
}
