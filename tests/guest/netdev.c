/* SPDX-License-Identifier: MIT */
/* Interfaces by ioctl: flags, addresses, masks, MTU, names, routes. proves: ioctl socket */
#include "t.h"
#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int sock;

static void own_net(void)
{
	if (unshare(CLONE_NEWNET))
		SKIP("no network namespaces");
	sock = OK(socket(AF_INET, SOCK_DGRAM, 0));
}

static struct ifreq *named(const char *name)
{
	static struct ifreq r;

	memset(&r, 0, sizeof(r));
	strcpy(r.ifr_name, name);
	return &r;
}

static struct ifreq *with_addr(const char *name, const char *a)
{
	struct ifreq *r = named(name);
	struct sockaddr_in *in = (struct sockaddr_in *)&r->ifr_addr;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = inet_addr(a);
	return r;
}

static void up(const char *name, int on)
{
	struct ifreq *r = named(name);

	OK(ioctl(sock, SIOCGIFFLAGS, r));
	r->ifr_flags = (short)(on ? r->ifr_flags | IFF_UP : r->ifr_flags & ~IFF_UP);
	OK(ioctl(sock, SIOCSIFFLAGS, r));
}

static unsigned int asked(unsigned long cmd, const char *name)
{
	struct ifreq *r = named(name);

	OK(ioctl(sock, cmd, r));
	return ((struct sockaddr_in *)&r->ifr_addr)->sin_addr.s_addr;
}

TEST(lo)
{
	struct ifreq *r;

	own_net();
	r = named("lo");
	OK(ioctl(sock, SIOCGIFINDEX, r));
	EQ(r->ifr_ifindex, 1);
	r = named("");
	r->ifr_ifindex = 1;
	OK(ioctl(sock, SIOCGIFNAME, r));
	CHECK(!strcmp(r->ifr_name, "lo"));
	r = named("lo");
	OK(ioctl(sock, SIOCGIFMTU, r));
	EQ(r->ifr_mtu, 65536);
	r = named("lo");
	OK(ioctl(sock, SIOCGIFHWADDR, r));
	EQ(r->ifr_hwaddr.sa_family, ARPHRD_LOOPBACK);
	r = named("lo");
	OK(ioctl(sock, SIOCGIFTXQLEN, r));
	EQ(r->ifr_qlen, 1000);
	r = named("lo");
	OK(ioctl(sock, SIOCGIFFLAGS, r));
	EQ(r->ifr_flags, IFF_LOOPBACK);
	ERR(ioctl(sock, SIOCGIFADDR, named("lo")), EADDRNOTAVAIL);
	up("lo", 1);
	r = named("lo");
	OK(ioctl(sock, SIOCGIFFLAGS, r));
	EQ(r->ifr_flags, IFF_LOOPBACK | IFF_UP | IFF_RUNNING);
	EQ(asked(SIOCGIFADDR, "lo"), htonl(INADDR_LOOPBACK));
	EQ(asked(SIOCGIFNETMASK, "lo"), htonl(0xff000000));
	EQ(asked(SIOCGIFBRDADDR, "lo"), 0);
	up("lo", 0);
	EQ(asked(SIOCGIFADDR, "lo"), htonl(INADDR_LOOPBACK));
}

TEST(none)
{
	struct ifreq *r;

	own_net();
	ERR(ioctl(sock, SIOCGIFFLAGS, named("nobody")), ENODEV);
	ERR(ioctl(sock, SIOCGIFADDR, named("nobody")), ENODEV);
	ERR(ioctl(sock, SIOCSIFFLAGS, named("nobody")), ENODEV);
	r = named("");
	r->ifr_ifindex = 77;
	ERR(ioctl(sock, SIOCGIFNAME, r), ENODEV);
	ERR(ioctl(sock, SIOCGIFFLAGS, (void *)8), EFAULT);
	OK(setresuid(1000, 1000, 1000));
	ERR(ioctl(sock, SIOCSIFFLAGS, named("nobody")), EPERM);
	ERR(ioctl(sock, SIOCSIFMTU, named("lo")), EPERM);
	ERR(ioctl(sock, SIOCSIFADDR, with_addr("lo", "127.0.0.1")), EPERM);
	OK(ioctl(sock, SIOCGIFMTU, named("lo")));
}

TEST(addresses)
{
	struct ifreq many[8];
	struct ifconf c = { .ifc_len = sizeof(many), .ifc_req = many };

	own_net();
	up("lo", 1);
	OK(ioctl(sock, SIOCSIFADDR, with_addr("lo:1", "10.1.2.3")));
	EQ(asked(SIOCGIFADDR, "lo:1"), inet_addr("10.1.2.3"));
	EQ(asked(SIOCGIFNETMASK, "lo:1"), inet_addr("255.0.0.0"));
	OK(ioctl(sock, SIOCSIFNETMASK, with_addr("lo:1", "255.255.255.0")));
	EQ(asked(SIOCGIFNETMASK, "lo:1"), inet_addr("255.255.255.0"));
	ERR(ioctl(sock, SIOCSIFNETMASK, with_addr("lo:1", "255.0.255.0")), EINVAL);
	ERR(ioctl(sock, SIOCSIFADDR, with_addr("lo:1", "224.0.0.1")), EINVAL);
	OK(ioctl(sock, SIOCGIFCONF, &c));
	EQ(c.ifc_len, 2 * (int)sizeof(struct ifreq));
	CHECK(!strcmp(many[0].ifr_name, "lo") && !strcmp(many[1].ifr_name, "lo:1"));
	c.ifc_req = NULL;
	c.ifc_len = 0;
	OK(ioctl(sock, SIOCGIFCONF, &c));
	EQ(c.ifc_len, 2 * (int)sizeof(struct ifreq));
	/* 0.0.0.0 takes it away. */
	OK(ioctl(sock, SIOCSIFADDR, with_addr("lo:1", "0.0.0.0")));
	ERR(ioctl(sock, SIOCGIFADDR, named("lo:1")), EADDRNOTAVAIL);
	EQ(asked(SIOCGIFADDR, "lo"), htonl(INADDR_LOOPBACK));
}

TEST(mtu_and_names)
{
	struct ifreq *r;

	own_net();
	r = named("lo");
	r->ifr_mtu = 1400;
	OK(ioctl(sock, SIOCSIFMTU, r));
	r = named("lo");
	OK(ioctl(sock, SIOCGIFMTU, r));
	EQ(r->ifr_mtu, 1400);
	r = named("lo");
	r->ifr_mtu = -1;
	ERR(ioctl(sock, SIOCSIFMTU, r), EINVAL);
	r = named("lo");
	r->ifr_qlen = 77;
	OK(ioctl(sock, SIOCSIFTXQLEN, r));
	r = named("lo");
	OK(ioctl(sock, SIOCGIFTXQLEN, r));
	EQ(r->ifr_qlen, 77);
	r = named("lo");
	strcpy(r->ifr_newname, "a/b");
	ERR(ioctl(sock, SIOCSIFNAME, r), EINVAL);
	r = named("lo");
	strcpy(r->ifr_newname, "back%d");
	OK(ioctl(sock, SIOCSIFNAME, r));
	r = named("back0");
	OK(ioctl(sock, SIOCGIFINDEX, r));
	EQ(r->ifr_ifindex, 1);
	ERR(ioctl(sock, SIOCGIFINDEX, named("lo")), ENODEV);
}

static struct rtentry route(const char *dst, const char *mask, const char *gw, char *dev)
{
	struct rtentry r = { .rt_flags = RTF_UP, .rt_dev = dev };

	((struct sockaddr_in *)&r.rt_dst)->sin_family = AF_INET;
	((struct sockaddr_in *)&r.rt_dst)->sin_addr.s_addr = inet_addr(dst);
	((struct sockaddr_in *)&r.rt_genmask)->sin_family = AF_INET;
	((struct sockaddr_in *)&r.rt_genmask)->sin_addr.s_addr = inet_addr(mask);
	if (gw) {
		((struct sockaddr_in *)&r.rt_gateway)->sin_family = AF_INET;
		((struct sockaddr_in *)&r.rt_gateway)->sin_addr.s_addr = inet_addr(gw);
		r.rt_flags |= RTF_GATEWAY;
	}
	return r;
}

TEST(routes)
{
	struct rtentry r;
	char text[4096];
	int f, n;

	own_net();
	up("lo", 1);
	OK(ioctl(sock, SIOCSIFADDR, with_addr("lo:1", "10.1.2.3")));
	r = route("10.5.0.0", "255.255.0.0", NULL, (char *)"lo");
	OK(ioctl(sock, SIOCADDRT, &r));
	ERR(ioctl(sock, SIOCADDRT, &r), EEXIST);
	r = route("10.5.0.1", "255.255.0.0", NULL, (char *)"lo");
	ERR(ioctl(sock, SIOCADDRT, &r), EINVAL);
	r = route("10.6.0.0", "255.255.0.0", "192.0.2.1", NULL);
	ERR(ioctl(sock, SIOCADDRT, &r), ENETUNREACH);
	r = route("10.6.0.0", "255.255.0.0", "10.1.2.3", NULL);	/* an address of ours */
	OK(ioctl(sock, SIOCADDRT, &r));
	r = route("10.6.0.0", "255.255.0.0", NULL, (char *)"nobody");
	ERR(ioctl(sock, SIOCADDRT, &r), ENODEV);
	f = OK(open("/proc/self/net/route", O_RDONLY));
	n = OK((int)read(f, text, sizeof(text) - 1));
	text[n] = 0;
	CHECK(strstr(text, "lo\t0000050A\t00000000\t0001\t0\t0\t0\t0000FFFF"));
	r = route("10.5.0.0", "255.255.0.0", NULL, (char *)"lo");
	OK(ioctl(sock, SIOCDELRT, &r));
	ERR(ioctl(sock, SIOCDELRT, &r), ESRCH);
	OK(setresuid(1000, 1000, 1000));
	ERR(ioctl(sock, SIOCADDRT, &r), EPERM);
}

/* All of 127/8 and what lo was given is here; the rest is not. */
TEST(what_is_local)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	own_net();
	in.sin_addr.s_addr = inet_addr("127.200.1.1");
	up("lo", 1);
	OK(bind(sock, (struct sockaddr *)&in, sizeof(in)));
	sock = OK(socket(AF_INET, SOCK_DGRAM, 0));
	in.sin_addr.s_addr = inet_addr("10.1.2.3");
	ERR(bind(sock, (struct sockaddr *)&in, sizeof(in)), EADDRNOTAVAIL);
	OK(ioctl(sock, SIOCSIFADDR, with_addr("lo:1", "10.1.2.3")));
	OK(bind(sock, (struct sockaddr *)&in, sizeof(in)));
}

/* SO_BINDTODEVICE: anybody may bind a socket that is bound to none; the rest is for CAP_NET_RAW. */
TEST(bound_to_device)
{
	char name[IFNAMSIZ] = "none";
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(name);
	int s, v = 0;

	own_net();
	up("lo", 1);
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	EQ(len, 0);
	ERR(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "eth7", 5), ENODEV);
	OK(setresuid(-1, 1000, -1));
	OK(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
	ERR(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "", 0), EPERM);
	ERR(setsockopt(s, SOL_SOCKET, SO_BINDTOIFINDEX, &v, sizeof(v)), EPERM);
	OK(setresuid(-1, 0, -1));
	len = 3;
	ERR(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len), EINVAL);
	len = sizeof(name);
	OK(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	EQ(len, 3);
	CHECK(!strcmp(name, "lo"));
	len = sizeof(v);
	OK(getsockopt(s, SOL_SOCKET, SO_BINDTOIFINDEX, &v, &len));
	EQ(v, 1);
	OK(bind(s, (struct sockaddr *)&a, sizeof(a)));
	len = sizeof(a);
	OK(getsockname(s, (struct sockaddr *)&a, &len));
	EQ(sendto(s, "a", 1, 0, (struct sockaddr *)&a, sizeof(a)), 1);
	EQ(recv(s, name, 1, MSG_DONTWAIT), 1);
	v = 99;			/* a number that no device has: nothing comes, nothing goes */
	OK(setsockopt(s, SOL_SOCKET, SO_BINDTOIFINDEX, &v, sizeof(v)));
	EQ(sendto(sock, "a", 1, 0, (struct sockaddr *)&a, sizeof(a)), 1);
	ERR(recv(s, name, 1, MSG_DONTWAIT), EAGAIN);
	CHECK(sendto(s, "a", 1, 0, (struct sockaddr *)&a, sizeof(a)) == -1);
	CHECK(errno == ENODEV || errno == ENETUNREACH);
	v = -1;
	ERR(setsockopt(s, SOL_SOCKET, SO_BINDTOIFINDEX, &v, sizeof(v)), EINVAL);
	OK(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
	EQ(sendto(s, "a", 1, 0, (struct sockaddr *)&a, sizeof(a)), 1);
	EQ(recv(s, name, 1, MSG_DONTWAIT), 1);
}

static int ethtool(const char *name, void *what)
{
	struct ifreq r;

	memset(&r, 0, sizeof(r));
	strcpy(r.ifr_name, name);
	r.ifr_data = what;
	return ioctl(sock, SIOCETHTOOL, &r);
}

/* SIOCETHTOOL, of lo, which knows little. */
TEST(ethtool_of_lo)
{
	struct ethtool_value v = { .cmd = ETHTOOL_GLINK };
	struct ethtool_drvinfo drv = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_link_settings ls = { .cmd = ETHTOOL_GLINKSETTINGS };
	struct ethtool_channels ch = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_stats st = { .cmd = ETHTOOL_GSTATS };
	struct ethtool_perm_addr *pa = calloc(1, sizeof(*pa) + 32);
	struct ethtool_sset_info *ss = calloc(1, sizeof(*ss) + 8);
	struct ethtool_gstrings *gs = calloc(1, sizeof(*gs) + 200 * ETH_GSTRING_LEN);
	struct ethtool_gfeatures *f = calloc(1, sizeof(*f) + 7 * sizeof(f->features[0]));
	int found = -1;

	own_net();
	ERR(ethtool("none", &v), ENODEV);
	ERR(ethtool("lo", NULL), EFAULT);
	OK(ethtool("lo", &v));
	EQ(v.data, 0);
	up("lo", 1);
	OK(ethtool("lo", &v));
	EQ(v.data, 1);
	ERR(ethtool("lo", &drv), EOPNOTSUPP);
	ERR(ethtool("lo", &ls), EOPNOTSUPP);
	ERR(ethtool("lo", &ch), EOPNOTSUPP);
	ch.cmd = ETHTOOL_SCHANNELS;
	ch.combined_count = 1;
	ERR(ethtool("lo", &ch), EOPNOTSUPP);
	ERR(ethtool("lo", &st), EOPNOTSUPP);
	*pa = (struct ethtool_perm_addr){ .cmd = ETHTOOL_GPERMADDR, .size = 3 };
	ERR(ethtool("lo", pa), 525);
	pa->size = 32;
	OK(ethtool("lo", pa));
	EQ(pa->size, 6);
	ss->cmd = ETHTOOL_GSSET_INFO;
	ss->sset_mask = 1ull << ETH_SS_FEATURES | 1ull << ETH_SS_STATS;
	OK(ethtool("lo", ss));
	EQ(ss->sset_mask, 1ull << ETH_SS_FEATURES);
	CHECK(ss->data[0] && ss->data[0] < 200);
	gs->cmd = ETHTOOL_GSTRINGS;
	gs->string_set = ETH_SS_FEATURES;
	OK(ethtool("lo", gs));
	EQ(gs->len, ss->data[0]);
	for (unsigned int i = 0; i < gs->len; i++)
		if (!strcmp((char *)gs->data + i * ETH_GSTRING_LEN, "tx-scatter-gather"))
			found = (int)i;
	CHECK(found >= 0);
	*f = (struct ethtool_gfeatures){ .cmd = ETHTOOL_GFEATURES, .size = 7 };
	OK(ethtool("lo", f));
	CHECK(f->size == (gs->len + 31) / 32);
	CHECK(f->features[found / 32].active >> found % 32 & 1);
	v.cmd = 0x1fff;
	ERR(ethtool("lo", &v), EOPNOTSUPP);
	OK(setresuid(1000, 1000, 1000));
	ERR(ethtool("lo", &v), EPERM);
	v.cmd = ETHTOOL_GLINK;
	OK(ethtool("lo", &v));
}
