/* SPDX-License-Identifier: MIT */
/* What the machine itself sends by a bridge, whose ports are two taps. proves: ioctl sendto */
#include "nl.h"
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

#define OURS 0x88b5			/* the EtherType of our frames: IEEE's for experiments */

static int ctl, tap[2], out_of_it;

static struct ifreq *named(const char *name)
{
	static struct ifreq r;

	memset(&r, 0, sizeof(r));
	strcpy(r.ifr_name, name);
	return &r;
}

static void up(const char *name, const char *mac)
{
	struct ifreq *r = named(name);

	r->ifr_hwaddr.sa_family = 1;
	memcpy(r->ifr_hwaddr.sa_data, mac, 6);
	OK(ioctl(ctl, SIOCSIFHWADDR, r));
	r = named(name);
	r->ifr_flags = IFF_UP;
	OK(ioctl(ctl, SIOCSIFFLAGS, r));
}

static void port(int at, const char *name, const char *mac)
{
	struct ifreq *r = named(name);

	tap[at] = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	if (tap[at] < 0)
		SKIP("no /dev/net/tun");
	r->ifr_flags = IFF_TAP | IFF_NO_PI;
	OK(ioctl(tap[at], TUNSETIFF, r));
	up(name, mac);
	r = named("br0");
	r->ifr_ifindex = (int)OK(if_nametoindex(name));
	OK(ioctl(ctl, SIOCBRADDIF, r));
}

static void send_to(const char *mac)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	struct {
		char dst[6], src[6];
		unsigned short type;
		char text[46];
	} f = { .type = htons(OURS) };

	to.sll_ifindex = (int)OK(if_nametoindex("br0"));
	memcpy(f.dst, mac, 6);
	memcpy(f.src, "\2bridg", 6);
	EQ(sendto(out_of_it, &f, sizeof(f), 0, (void *)&to, sizeof(to)), (long)sizeof(f));
}

/* How many of our frames have left by the port. */
static int left_by(int at)
{
	unsigned char b[2000];
	int n = 0;

	while (read(tap[at], b, sizeof(b)) > 0)
		n += b[12] == OURS >> 8 && b[13] == (OURS & 0xff);
	EQ(errno, EAGAIN);
	return n;
}

static void left(int by_first, int by_second)
{
	EQ(left_by(0), by_first);
	EQ(left_by(1), by_second);
}

/* Linux lets frames go by new devices a little later. */
static void await_ports(void)
{
	bool first = false, second = false;

	while (!first || !second) {
		send_to("\2nobod");
		first |= left_by(0) > 0;
		second |= left_by(1) > 0;
		sched_yield();
	}
}

/* One to the bridge itself leaves by no port; one to nobody's address by all. */
TEST(frames_of_the_machine)
{
	own_net(NETLINK_ROUTE);
	ctl = OK(socket(AF_INET, SOCK_DGRAM, 0));
	out_of_it = OK(socket(AF_PACKET, SOCK_RAW, 0));
	if (ioctl(ctl, SIOCBRADDBR, "br0"))
		SKIP("no bridges");
	up("br0", "\2bridg");
	port(0, "t0", "\2port0");
	port(1, "t1", "\2port1");
	await_ports();
	send_to("\2nobod");
	left(1, 1);
	send_to("\2port1");
	left(0, 1);
	send_to("\2bridg");
	left(0, 0);
	send_to("\xff\xff\xff\xff\xff\xff");
	left(1, 1);
}
