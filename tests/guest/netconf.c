/* SPDX-License-Identifier: MIT */
/*
 * /proc/sys/net/ipv4/conf/DEV, net/ipv4/neigh/DEV, and the same of ipv6: they come and go with
 * devices, each namespace has its own, and what is set has its effect on that device.
 */
#include "nl.h"
#include "sum.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>

static int tun, udp;
static char path[200];

static const char *at(const char *rest)
{
	snprintf(path, sizeof(path), "/proc/sys/net/%s", rest);
	return path;
}

static long load(const char *rest)
{
	char b[40] = "";
	int f = open(at(rest), O_RDONLY);

	if (f < 0)
		return -errno;
	OK(read(f, b, sizeof(b) - 1));
	close(f);
	return strtol(b, NULL, 10);
}

static int store(const char *rest, const char *text)
{
	int f = open(at(rest), O_WRONLY), err = 0;

	if (f < 0)
		return errno;
	if (write(f, text, strlen(text)) < 0)
		err = errno;
	close(f);
	return err;
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
	OK(ioctl(udp, SIOCSIFFLAGS, named("lo", IFF_UP)));
}

static void device(int kind)
{
	tun = open("/dev/net/tun", O_RDWR);
	if (tun < 0 && (errno == ENOENT || errno == ENODEV))
		SKIP("no /dev/net/tun");
	OK(tun);
	OK(ioctl(tun, TUNSETIFF, named("m0", kind | IFF_NO_PI)));
}

static void address(void)
{
	struct ifreq *r = named("m0", 0);
	struct sockaddr_in *a = (struct sockaddr_in *)&r->ifr_addr;

	a->sin_family = AF_INET;
	a->sin_addr.s_addr = inet_addr("10.9.0.1");
	OK(ioctl(udp, SIOCSIFADDR, r));
	a->sin_addr.s_addr = inet_addr("255.255.255.0");
	OK(ioctl(udp, SIOCSIFNETMASK, r));
	OK(ioctl(udp, SIOCSIFFLAGS, named("m0", IFF_UP)));
}

static int lists(const char *dir, const char *name)
{
	DIR *d = opendir(at(dir));
	struct dirent *e;
	int n = 0;

	CHECK(d);
	while ((e = readdir(d)))
		n += !strcmp(e->d_name, name);
	closedir(d);
	return n;
}

TEST(directories_come_and_go)
{
	static const char *const dirs[] = { "ipv4/conf", "ipv4/neigh", "ipv6/conf", "ipv6/neigh" };
	char name[60];
	struct ifreq *r;

	network();
	for (int i = 0; i < 4; i++) {
		EQ(lists(dirs[i], "lo"), 1);
		if (!(i & 1))
			EQ(lists(dirs[i], "default"), 1);
		EQ(lists(dirs[i], "m0"), 0);
		sprintf(name, "%s/m0", dirs[i]);
		ERR(access(at(name), F_OK), ENOENT);
	}
	device(IFF_TAP);
	for (int i = 0; i < 4; i++) {
		EQ(lists(dirs[i], "m0"), 1);
		sprintf(name, "%s/m0", dirs[i]);
		OK(access(at(name), F_OK));
		EQ(lists(name, i & 1 ? "retrans_time_ms" : "forwarding"), 1);
	}
	r = named("m0", 0);
	strcpy(r->ifr_newname, "m1");
	OK(ioctl(udp, SIOCSIFNAME, r));
	for (int i = 0; i < 4; i++) {
		EQ(lists(dirs[i], "m0"), 0);
		EQ(lists(dirs[i], "m1"), 1);
		sprintf(name, "%s/m0", dirs[i]);
		ERR(access(at(name), F_OK), ENOENT);
		sprintf(name, "%s/m1", dirs[i]);
		OK(access(at(name), F_OK));
	}
	close(tun);
	for (int i = 0; i < 4; i++) {
		sprintf(name, "%s/m1", dirs[i]);
		ERR(access(at(name), F_OK), ENOENT);
	}
}

TEST(each_namespace_has_its_own)
{
	network();
	EQ(store("ipv4/conf/lo/arp_ignore", "2"), 0);
	EQ(load("ipv4/conf/lo/arp_ignore"), 2);
	OK(unshare(CLONE_NEWNET));
	EQ(load("ipv4/conf/lo/arp_ignore"), 0);
	EQ(store("ipv4/conf/default/arp_announce", "1"), 0);
	EQ(load("ipv4/conf/lo/arp_announce"), 1);	/* it had none of its own */
	EQ(store("ipv4/conf/lo/arp_announce", "2"), 0);
	EQ(store("ipv4/conf/default/arp_announce", "1"), 0);
	EQ(load("ipv4/conf/lo/arp_announce"), 2);
	device(IFF_TAP);
	EQ(load("ipv4/conf/m0/arp_announce"), 1);
	OK(unshare(CLONE_NEWNET));
	EQ(load("ipv4/conf/m0/arp_announce"), -ENOENT);
}

TEST(values)
{
	network();
	EQ(store("ipv4/conf/lo/rp_filter", "x"), EINVAL);
	EQ(store("ipv6/conf/lo/hop_limit", "256"), EINVAL);
	EQ(store("ipv6/conf/lo/hop_limit", "0"), EINVAL);
	EQ(store("ipv6/conf/lo/hop_limit", "9"), 0);
	EQ(load("ipv6/conf/lo/hop_limit"), 9);
	EQ(store("ipv4/neigh/lo/base_reachable_time_ms", "5000"), 0);
	EQ(load("ipv4/neigh/lo/base_reachable_time"), 5);
	EQ(store("ipv4/neigh/lo/base_reachable_time", "7"), 0);
	EQ(load("ipv4/neigh/lo/base_reachable_time_ms"), 7000);
	EQ(store("ipv4/conf/lo/forwarding", "1"), 0);
	EQ(load("ipv4/conf/lo/forwarding"), 1);
	EQ(load("ipv4/ip_forward"), 0);
	EQ(store("ipv4/ip_forward", "1"), 0);
	EQ(store("ipv4/ip_forward", "0"), 0);
	EQ(load("ipv4/conf/lo/forwarding"), 0);
	EQ(load("ipv4/conf/lo/nothing"), -ENOENT);
	OK(setresuid(1000, 1000, 1000));
	EQ(load("ipv4/conf/lo/rp_filter"), 0);
	EQ(store("ipv4/conf/lo/rp_filter", "1"), EACCES);
}

static int bind6(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int s = OK(socket(AF_INET6, SOCK_DGRAM, 0)), err;

	err = bind(s, (void *)&a, sizeof(a)) ? errno : 0;
	close(s);
	return err;
}

TEST(ipv6_of_one_device)
{
	network();
	EQ(bind6(), 0);
	EQ(store("ipv6/conf/lo/disable_ipv6", "1"), 0);
	EQ(bind6(), EADDRNOTAVAIL);
	EQ(load("ipv6/conf/all/disable_ipv6"), 0);
	EQ(store("ipv6/conf/lo/disable_ipv6", "0"), 0);
	EQ(bind6(), 0);
}

static void datagram(const char *from, char what)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
		char c;
	} __attribute__((packed)) p = {
		.ip = { .version = 4,
			.ihl = 5,
			.ttl = 9,
			.protocol = IPPROTO_UDP,
			.tot_len = htons(29),
			.saddr = inet_addr(from),
			.daddr = inet_addr("10.9.0.1") },
		.udp = { .source = htons(9), .dest = htons(7000), .len = htons(9) },
		.c = what,
	};

	p.ip.check = sum(&p, 20);
	EQ(write(tun, &p, 29), 29);
}

/* A source that is reached by no device is dropped where the device says so. */
TEST(rp_filter_of_one_device)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(7000) };
	char c = 0;

	network();
	EQ(store("ipv4/conf/all/rp_filter", "0"), 0);
	EQ(store("ipv4/conf/default/rp_filter", "0"), 0);
	device(IFF_TUN);
	address();
	OK(bind(udp, (void *)&here, sizeof(here)));
	datagram("192.168.7.7", 'a');
	EQ(recv(udp, &c, 1, 0), 1);
	EQ(c, 'a');
	EQ(store("ipv4/conf/m0/rp_filter", "1"), 0);
	datagram("192.168.7.7", 'b');
	datagram("10.9.0.2", 'c');
	EQ(recv(udp, &c, 1, 0), 1);
	EQ(c, 'c');
}

/* As many questions as are set, and then the sender is told. */
TEST(questions_of_one_device)
{
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(9) };
	unsigned char f[200];
	struct pollfd p;
	int asked = 0, on = 1;

	network();
	device(IFF_TAP);
	EQ(store("ipv6/conf/m0/disable_ipv6", "1"), 0);
	address();
	EQ(store("ipv4/neigh/m0/mcast_solicit", "2"), 0);
	EQ(store("ipv4/neigh/m0/retrans_time_ms", "40"), 0);
	there.sin_addr.s_addr = inet_addr("10.9.0.77");
	OK(setsockopt(udp, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)));
	OK(connect(udp, (void *)&there, sizeof(there)));
	EQ(send(udp, "x", 1, 0), 1);
	p = (struct pollfd){ .fd = udp };
	EQ(poll(&p, 1, -1), 1);
	ERR(recv(udp, f, 1, 0), EHOSTUNREACH);
	OK(fcntl(tun, F_SETFL, O_NONBLOCK));
	while (read(tun, f, sizeof(f)) > 0)
		asked += f[12] == 8 && f[13] == 6 && f[21] == 1 && f[41] == 77;
	EQ(asked, 2);
}

static const char *text_of(const char *file)
{
	static char b[8000];
	int f = OK(open(file, O_RDONLY)), n = 0, r;

	while ((r = (int)OK(read(f, b + n, sizeof(b) - 1 - (size_t)n))) > 0)
		n += r;
	b[n] = 0;
	close(f);
	return b;
}

/* The line behind TEXT in /proc/net/fib_trie is ROUTE. */
static void trie_has(const char *text, const char *route)
{
	const char *p = strstr(text_of("/proc/net/fib_trie"), text);

	CHECK(p);
	p += strlen(text);
	while (*p == ' ')
		p++;
	CHECK(!strncmp(p, route, strlen(route)));
}

TEST(routes_as_a_trie)
{
	const char *t;

	network();
	device(IFF_TAP);
	address();
	t = text_of("/proc/net/fib_trie");
	CHECK(!strncmp(t, "Main:\n  +-- ", 12));
	CHECK(strstr(t, "\nLocal:\n  +-- "));
	trie_has("|-- 127.0.0.1\n", "/32 host LOCAL\n");
	trie_has("|-- 127.0.0.0\n", "/8 host LOCAL\n");
	trie_has("|-- 10.9.0.0\n", "/24 link UNICAST\n");
	trie_has("|-- 10.9.0.1\n", "/32 host LOCAL\n");
	trie_has("|-- 10.9.0.255\n", "/32 link BROADCAST\n");
	CHECK(!strcmp(text_of("/proc/net/psched"), "000003e8 00000040 000f4240 3b9aca00\n"));
}
