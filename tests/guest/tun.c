/* SPDX-License-Identifier: MIT */
/* /dev/net/tun. proves: ioctl read write poll */
#include "nl.h"
#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>

#define OURS 0x0a090001u
#define THEIRS 0x0a090002u
#define HDR 10

static int udp;

static int opened(int flags)
{
	int f = open("/dev/net/tun", O_RDWR | flags);

	if (f < 0 && (errno == ENOENT || errno == ENODEV))
		SKIP("no /dev/net/tun");
	return OK(f);
}

static struct ifreq *named(const char *name, int flags)
{
	static struct ifreq r;

	memset(&r, 0, sizeof(r));
	strcpy(r.ifr_name, name);
	r.ifr_flags = (short)flags;
	return &r;
}

static void network(void)
{
	own_net(NETLINK_ROUTE);
	udp = OK(socket(AF_INET, SOCK_DGRAM, 0));
}

static void set_flags(const char *name, int on, int off)
{
	struct ifreq *r = named(name, 0);

	OK(ioctl(udp, SIOCGIFFLAGS, r));
	r->ifr_flags = (short)((r->ifr_flags | on) & ~off);
	OK(ioctl(udp, SIOCSIFFLAGS, r));
}

static int shown_flags(const char *name)
{
	struct ifreq *r = named(name, 0);

	OK(ioctl(udp, SIOCGIFFLAGS, r));
	return r->ifr_flags;
}

static void address(const char *name)
{
	struct ifreq *r = named(name, 0);
	struct sockaddr_in *in = (struct sockaddr_in *)&r->ifr_addr;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(OURS);
	OK(ioctl(udp, SIOCSIFADDR, r));
	r = named(name, 0);
	in = (struct sockaddr_in *)&r->ifr_netmask;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(0xffffff00);
	OK(ioctl(udp, SIOCSIFNETMASK, r));
	set_flags(name, IFF_UP, 0);
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

static struct iphdr *ip_header(void *at, int protocol, int len)
{
	struct iphdr *h = at;

	*h = (struct iphdr){ .version = 4,
			     .ihl = 5,
			     .ttl = 64,
			     .id = htons(77),
			     .protocol = (unsigned char)protocol,
			     .tot_len = htons((unsigned short)len),
			     .saddr = htonl(THEIRS),
			     .daddr = htonl(OURS) };
	h->check = sum(h, sizeof(*h), 0);
	return h;
}

static int echo(char *at)
{
	struct icmphdr *c = (void *)(at + 20);

	memset(at, 'e', 60);
	ip_header(at, IPPROTO_ICMP, 60);
	*c = (struct icmphdr){ .type = ICMP_ECHO, .un.echo.id = htons(9) };
	c->checksum = sum(c, 40, 0);
	return 60;
}

static void to_them(int port, size_t len)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons((unsigned short)port),
				  .sin_addr.s_addr = htonl(THEIRS) };
	char b[2000] = "";

	EQ(sendto(udp, b, len, 0, (void *)&in, sizeof(in)), (long)len);
}

TEST(ping_through_tun)
{
	struct pollfd p = { .events = POLLIN | POLLOUT };
	char b[200], a[200];
	struct tun_pi pi;
	int f, n;

	network();
	p.fd = f = opened(O_NONBLOCK);
	ERR(read(f, b, sizeof(b)), EBADFD);
	ERR(write(f, b, sizeof(b)), EBADFD);
	EQ(poll(&p, 1, 0), 1);
	EQ(p.revents, POLLERR);
	OK(ioctl(f, TUNSETIFF, named("", IFF_TUN | IFF_NO_PI)));
	EQ(poll(&p, 1, 0), 0);
	n = echo(b);
	ERR(write(f, b, (size_t)n), EIO);	/* it is down */
	address("tun0");
	EQ(poll(&p, 1, 0), 1);
	EQ(p.revents, POLLOUT);
	ERR(read(f, a, sizeof(a)), EAGAIN);
	EQ(write(f, b, (size_t)n), n);
	EQ(poll(&p, 1, 0), 1);		/* the answer came as the call returned */
	EQ(p.revents, POLLOUT | POLLIN);
	EQ(read(f, a, sizeof(a)), n);
	EQ(((struct iphdr *)a)->saddr, htonl(OURS));
	EQ(a[20], ICMP_ECHOREPLY);
	EQ(sum(a + 20, n - 20, 0), 0);
	EQ(memcmp(a + 28, b + 28, (size_t)n - 28), 0);
	b[0] = 0x75;			/* neither IPv4 nor IPv6 */
	ERR(write(f, b, (size_t)n), EINVAL);
	EQ(ioctl(f, TUNGETIFF, named("", 0)), 0);
	close(f);
	ERR(ioctl(udp, SIOCGIFFLAGS, named("tun0", 0)), ENODEV);

	/* With struct tun_pi before each packet. */
	f = opened(O_NONBLOCK);
	OK(ioctl(f, TUNSETIFF, named("pi0", IFF_TUN)));
	address("pi0");
	to_them(9, 100);
	EQ(read(f, a, 50), 50);
	memcpy(&pi, a, sizeof(pi));
	EQ(pi.flags, TUN_PKT_STRIP);
	EQ(pi.proto, htons(ETH_P_IP));
	to_them(9, 100);
	EQ(read(f, a, sizeof(a)), 132);
	memcpy(&pi, a, sizeof(pi));
	EQ(pi.flags, 0);
	to_them(9, 10);
	ERR(read(f, a, 3), EINVAL);
	ERR(write(f, a, 3), EINVAL);
	memset(b, 0, 4);
	b[2] = ETH_P_IP >> 8;
	n = echo(b + 4) + 4;
	EQ(write(f, b, (size_t)n), n);
	EQ(read(f, a, sizeof(a)), n);
}

TEST(tap_answers_arp)
{
	struct {
		struct ethhdr e;
		struct arphdr h;
		unsigned char sha[6], spa[4], tha[6], tpa[4];
	} __attribute__((packed)) q = {};
	unsigned int ours = htonl(OURS), theirs = htonl(THEIRS);
	struct ifreq *r;
	char a[200];
	ssize_t n;
	int f;

	network();
	f = opened(O_NONBLOCK);
	OK(ioctl(f, TUNSETIFF, named("tap%d", IFF_TAP | IFF_NO_PI)));
	r = named("tap0", 0);
	r->ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(r->ifr_hwaddr.sa_data, "\2abcde", 6);
	OK(ioctl(f, SIOCSIFHWADDR, r));
	r->ifr_hwaddr.sa_data[0] = 1;
	ERR(ioctl(f, SIOCSIFHWADDR, r), EADDRNOTAVAIL);
	OK(ioctl(f, SIOCGIFHWADDR, r));
	EQ(memcmp(r->ifr_hwaddr.sa_data, "\2abcde", 6), 0);
	address("tap0");
	while (read(f, a, sizeof(a)) > 0)
		;			/* what IPv6 says as it begins */
	memset(q.e.h_dest, 0xff, 6);
	memcpy(q.e.h_source, "\2vwxyz", 6);
	q.e.h_proto = htons(ETH_P_ARP);
	q.h = (struct arphdr){ htons(1), htons(ETH_P_IP), 6, 4, htons(ARPOP_REQUEST) };
	memcpy(q.sha, "\2vwxyz", 6);
	memcpy(q.spa, &theirs, 4);
	memcpy(q.tpa, &ours, 4);
	ERR(write(f, &q, 13), EINVAL);
	EQ(write(f, &q, sizeof(q)), (long)sizeof(q));
	do				/* IPv6 may say more */
		n = OK(read(f, a, sizeof(a)));
	while (memcmp(a + 12, &q.e.h_proto, 2));
	EQ(n, sizeof(q));
	EQ(memcmp(a, "\2vwxyz\2abcde", 12), 0);
	EQ(memcmp(a + 28, &ours, 4), 0);
}

TEST(names_and_rights)
{
	int f, g;

	network();
	f = opened(0);
	g = opened(0);
	ERR(ioctl(f, TUNGETIFF, named("", 0)), EBADFD);
	ERR(ioctl(f, TUNSETPERSIST, 1), EBADFD);
	ERR(ioctl(f, TUNSETIFF, named("x", 0)), EINVAL);
	ERR(ioctl(f, TUNSETIFF, named("a/b", IFF_TUN)), EINVAL);
	ERR(ioctl(f, TUNSETIFF, named("lo", IFF_TUN)), EINVAL);
	OK(ioctl(f, TUNSETIFF, named("x", IFF_TUN | IFF_NO_PI)));
	ERR(ioctl(f, TUNSETIFF, named("y", IFF_TUN)), EEXIST);
	ERR(ioctl(g, TUNSETIFF, named("x", IFF_TUN)), EBUSY);
	ERR(ioctl(g, TUNSETIFF, named("x", IFF_TUN | IFF_TUN_EXCL)), EBUSY);
	ERR(ioctl(g, TUNSETIFF, named("x", IFF_TAP)), EINVAL);
	OK(ioctl(f, TUNGETIFF, named("", 0)));
	EQ(named("", 0)->ifr_flags, 0);
	ERR(ioctl(f, TUNSETLINK, ARPHRD_SLIP) ?:
						(set_flags("x", IFF_UP, 0), ioctl(f, TUNSETLINK, 5)),
	    EBUSY);
	ERR(ioctl(f, 0x54ff, 0), EINVAL);
	ERR(ioctl(f, TUNSETIFF, 1), EFAULT);

	/* A device that stays has no carrier without a file. */
	OK(ioctl(f, TUNSETPERSIST, 1));
	CHECK(shown_flags("x") & IFF_RUNNING);
	close(f);
	CHECK(!(shown_flags("x") & IFF_RUNNING));
	OK(ioctl(g, TUNSETIFF, named("x", IFF_TUN)));
	CHECK(shown_flags("x") & IFF_RUNNING);
	f = 0;
	OK(ioctl(g, TUNSETCARRIER, &f));
	CHECK(!(shown_flags("x") & IFF_RUNNING));
	OK(ioctl(g, TUNSETPERSIST, 0));
	close(g);
	ERR(ioctl(udp, SIOCGIFFLAGS, named("x", 0)), ENODEV);
}

static void as_user(int uid, int gid, const char *dev, int want)
{
	pid_t pid;
	int f = opened(0);

	pid = OK(fork());
	if (!pid) {
		OK(setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid));
		OK(setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid));
		if (want)
			ERR(ioctl(f, TUNSETIFF, named(dev, IFF_TUN)), want);
		else
			OK(ioctl(f, TUNSETIFF, named(dev, IFF_TUN)));
		_exit(0);
	}
	close(f);
	CHECK(t_child_ok(pid));
}

TEST(owners)
{
	int f;

	if (getuid())
		SKIP("not root");
	network();
	as_user(1000, 1000, "new0", EPERM);
	f = opened(0);
	OK(ioctl(f, TUNSETIFF, named("old0", IFF_TUN)));
	OK(ioctl(f, TUNSETPERSIST, 1));
	OK(ioctl(f, TUNSETOWNER, 1000));
	close(f);
	as_user(1001, 1001, "old0", EPERM);
	as_user(1000, 1001, "old0", 0);
	f = opened(0);
	OK(ioctl(f, TUNSETIFF, named("old0", IFF_TUN)));	/* CAP_NET_ADMIN */
	OK(ioctl(f, TUNSETGROUP, 1000));
	close(f);
	as_user(1000, 1001, "old0", EPERM);
	as_user(1000, 1000, "old0", 0);
}

TEST(header_values)
{
	unsigned int features;
	int f, v;

	network();
	f = opened(0);
	OK(ioctl(f, TUNGETFEATURES, &features));
	CHECK((features & (IFF_TUN | IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)) ==
	      (IFF_TUN | IFF_TAP | IFF_NO_PI | IFF_VNET_HDR));
	OK(ioctl(f, TUNSETIFF, named("v", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)));
	OK(ioctl(f, TUNGETVNETHDRSZ, &v));
	EQ(v, 10);
	v = 9;
	ERR(ioctl(f, TUNSETVNETHDRSZ, &v), EINVAL);
	v = 12;
	OK(ioctl(f, TUNSETVNETHDRSZ, &v));
	OK(ioctl(f, TUNGETVNETHDRSZ, &v));
	EQ(v, 12);
	v = 0;
	ERR(ioctl(f, TUNSETSNDBUF, &v), EINVAL);
	v = 70000;
	OK(ioctl(f, TUNSETSNDBUF, &v));
	v = 0;
	OK(ioctl(f, TUNGETSNDBUF, &v));
	EQ(v, 70000);
	v = 1;
	OK(ioctl(f, TUNSETVNETLE, &v));
	v = 0;
	OK(ioctl(f, TUNGETVNETLE, &v));
	EQ(v, 1);
	OK(ioctl(f, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6));
	OK(ioctl(f, TUNSETOFFLOAD, 0));
	ERR(ioctl(f, TUNSETOFFLOAD, TUN_F_TSO4), EINVAL);
	ERR(ioctl(f, TUNSETOFFLOAD, 0x10000), EINVAL);
}

static struct {
	unsigned char flags, gso_type;
	unsigned short hdr_len, gso_size, csum_start, csum_off;
	char frame[8000];
} v;

static int udp_frame(int len)
{
	unsigned short *u = (void *)(v.frame + 20);

	memset(&v, 0, sizeof(v));
	ip_header(v.frame, IPPROTO_UDP, 28 + len);
	u[0] = htons(5);
	u[1] = htons(6);
	u[2] = htons((unsigned short)(8 + len));
	return HDR + 28 + len;
}

TEST(what_a_writer_says_is_checked)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(6) };
	int f, n;
	char b[200];

	network();
	f = opened(O_NONBLOCK);
	OK(ioctl(f, TUNSETIFF, named("v", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)));
	address("v");
	OK(bind(udp, (void *)&in, sizeof(in)));
	n = udp_frame(50);
	v.flags = 1;
	v.csum_start = 20;
	v.csum_off = 6;
	EQ(write(f, &v, (size_t)n), n);
	EQ(recv(udp, b, sizeof(b), MSG_DONTWAIT), 50);
	ERR(write(f, &v, 9), EINVAL);
	v.csum_start = 73;
	ERR(write(f, &v, (size_t)n), EINVAL);
	v.csum_start = 65535;
	v.csum_off = 65535;
	ERR(write(f, &v, (size_t)n), EINVAL);
	v.flags = 0;
	v.hdr_len = 79;
	ERR(write(f, &v, (size_t)n), EINVAL);
	v.hdr_len = 0;
	for (int type = 1; type < 256; type++) {
		v.gso_type = (unsigned char)type;
		v.gso_size = 10;
		ERR(write(f, &v, (size_t)n), EINVAL);	/* it is UDP */
	}

	/* Sums are left to the reader where it said so. */
	to_them(9, 30);
	EQ(read(f, &v, sizeof(v)), HDR + 58);
	EQ(v.flags & 1, 0);
	OK(ioctl(f, TUNSETOFFLOAD, TUN_F_CSUM));
	to_them(9, 30);
	EQ(read(f, &v, sizeof(v)), HDR + 58);
	EQ(v.flags, 1);
	EQ(v.csum_start, 20);
	EQ(v.csum_off, 6);
}

/* A frame for many segments is received as one; its header must be true of it. */
TEST(segments)
{
	struct tcphdr *t = (void *)(v.frame + 20);
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP) };
	char b[8000];
	int f, p;

	network();
	f = opened(O_NONBLOCK);
	OK(ioctl(f, TUNSETIFF, named("v", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)));
	address("v");
	p = OK(socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, htons(ETH_P_IP)));
	ll.sll_ifindex = (int)if_nametoindex("v");
	OK(bind(p, (void *)&ll, sizeof(ll)));
	memset(&v, 0, sizeof(v));
	ip_header(v.frame, IPPROTO_TCP, 40 + 5000);
	*t = (struct tcphdr){ .source = htons(1),
			      .dest = htons(2),
			      .doff = 5,
			      .seq = htonl(100),
			      .ack = 1,
			      .psh = 1,
			      .fin = 1 };
	for (int i = 0; i < 5000; i++)
		v.frame[40 + i] = (char)(i / 7);
	v.flags = 1;
	v.csum_start = 20;
	v.csum_off = 16;
	v.gso_type = 1;
	v.gso_size = 1200;
	v.hdr_len = 40;
	EQ(write(f, &v, HDR + 5040), HDR + 5040);
	EQ(recv(p, b, sizeof(b), 0), 5040);
	EQ(memcmp(b + 40, v.frame + 40, 5000), 0);
	v.gso_size = 0;
	ERR(write(f, &v, HDR + 5040), EINVAL);
	v.gso_size = 2;			/* more than anybody needs */
	ERR(write(f, &v, HDR + 5040), EINVAL);
	v.gso_size = 1200;
	v.csum_off = 6;			/* UDP's */
	ERR(write(f, &v, HDR + 5040), EINVAL);
	v.csum_off = 16;
	v.gso_type = 4;
	ERR(write(f, &v, HDR + 5040), EINVAL);
}

TEST(waiting_packets_are_bounded)
{
	struct ifreq *r;
	char b[200];
	int f;

	network();
	f = opened(O_NONBLOCK);
	OK(ioctl(f, TUNSETIFF, named("q", IFF_TUN | IFF_NO_PI)));
	address("q");
	while (read(f, b, sizeof(b)) > 0)
		;
	r = named("q", 0);
	r->ifr_qlen = 3;
	OK(ioctl(udp, SIOCSIFTXQLEN, r));
	for (int i = 0; i < 10; i++)
		to_them(9, 10);
	for (int i = 0; i < 3; i++)
		EQ(read(f, b, sizeof(b)), 38);
	ERR(read(f, b, sizeof(b)), EAGAIN);
}

static void reader(void)
{
	char b[200];

	ERR(read(sock, b, sizeof(b)), EFAULT);
	ERR(read(sock, b, sizeof(b)), EBADFD);
	_exit(0);
}

TEST(device_goes_first)
{
	struct pollfd p = { .events = POLLIN };
	int f, nl;
	pid_t pid;

	network();
	p.fd = f = opened(0);
	OK(ioctl(f, TUNSETIFF, named("g", IFF_TUN)));
	address("g");
	nl = sock;
	sock = f;
	pid = OK(fork());
	if (!pid)
		reader();
	t_until_asleep(pid);
	sock = nl;
	begin(RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	attr(IFLA_IFNAME, "g", 2);
	EQ(done(), 0);
	CHECK(t_child_ok(pid));
	EQ(poll(&p, 1, 0), 1);
	EQ(p.revents, POLLERR);
	OK(ioctl(f, TUNSETIFF, named("h", IFF_TAP)));	/* the file takes another one */
	OK(ioctl(f, TUNGETIFF, named("", 0)));
}

TEST(namespace_goes_first)
{
	pid_t pid;

	close(opened(0));
	pid = OK(fork());
	if (!pid) {
		network();
		for (int i = 0; i < 20; i++) {
			int f = opened(O_NONBLOCK);

			OK(ioctl(f, TUNSETIFF, named("", i & 1 ? IFF_TAP : IFF_TUN)));
			if (i & 2)
				OK(ioctl(f, TUNSETPERSIST, 1));
			if (i & 4)
				set_flags(i & 1 ? "tap0" : "tun0", IFF_UP, 0);
			if (i & 8)
				close(f);
		}
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

static int type, persist, shown;

static void look(struct nlmsghdr *h)
{
	struct nlattr *info = find(h, sizeof(struct ifinfomsg), IFLA_LINKINFO), *d, *a;
	char *at;

	if (!info)
		return;
	/* Within: kind, then data. */
	at = (char *)(info + 1);
	d = (void *)at;
	EQ(strcmp((char *)(d + 1), "tun"), 0);
	d = (void *)(at + NLA_ALIGN(d->nla_len));
	EQ(d->nla_type & NLA_TYPE_MASK, IFLA_INFO_DATA);
	for (at = (char *)(d + 1); at < (char *)d + d->nla_len; at += NLA_ALIGN(a->nla_len)) {
		a = (void *)at;
		if (a->nla_type == IFLA_TUN_TYPE)
			type = *(unsigned char *)(a + 1);
		if (a->nla_type == IFLA_TUN_PERSIST)
			persist = *(unsigned char *)(a + 1);
	}
	shown++;
}

TEST(rtnetlink_shows_it)
{
	struct nlattr *info;
	int f;

	network();
	f = opened(0);
	OK(ioctl(f, TUNSETIFF, named("s", IFF_TAP)));
	OK(ioctl(f, TUNSETPERSIST, 1));
	dump(RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), look);
	EQ(shown, 1);
	EQ(type, IFF_TAP);
	EQ(persist, 1);
	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	info = attr(IFLA_LINKINFO, NULL, 0);
	attr(IFLA_INFO_KIND, "tun", 4);
	ends(info);
	EQ(done(), EOPNOTSUPP);
}

TEST(signal_for_a_packet)
{
	struct timespec none = {};
	sigset_t set;
	int f;

	network();
	f = opened(O_NONBLOCK);
	OK(ioctl(f, TUNSETIFF, named("s", IFF_TUN)));
	address("s");
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	OK(fcntl(f, F_SETFL, O_NONBLOCK | O_ASYNC));
	to_them(9, 10);
	EQ(sigtimedwait(&set, NULL, &none), SIGIO);
}
