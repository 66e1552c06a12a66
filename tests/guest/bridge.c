/* SPDX-License-Identifier: MIT */
/* Bridges, whose ports are taps. proves: ioctl sendto */
#include "nl.h"
#include <arpa/inet.h>
#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#define OURS 0x88b5			/* the EtherType of our frames: IEEE's for experiments */
#define ALL "\xff\xff\xff\xff\xff\xff"

static int ctl, tap[3];

static struct ifreq *named(const char *name)
{
	static struct ifreq r;

	memset(&r, 0, sizeof(r));
	strcpy(r.ifr_name, name);
	return &r;
}

static void flags(const char *name, int on, int off)
{
	struct ifreq *r = named(name);

	OK(ioctl(ctl, SIOCGIFFLAGS, r));
	r->ifr_flags = (short)((r->ifr_flags | on) & ~off);
	OK(ioctl(ctl, SIOCSIFFLAGS, r));
}

static int is_running(const char *name)
{
	struct ifreq *r = named(name);

	OK(ioctl(ctl, SIOCGIFFLAGS, r));
	return !!(r->ifr_flags & IFF_RUNNING);
}

static int link_with(const char *name, const char *kind, int type, unsigned int value)
{
	struct nlattr *info, *data;

	begin(RTM_NEWLINK, NLM_F_CREATE, sizeof(struct ifinfomsg));
	attr(IFLA_IFNAME, name, strlen(name) + 1);
	info = attr(IFLA_LINKINFO, NULL, 0);
	attr(IFLA_INFO_KIND, kind, strlen(kind));
	if (type) {
		data = attr(IFLA_INFO_DATA, NULL, 0);
		attr_u32(type, value);
		ends(data);
	}
	ends(info);
	return done();
}

static int master(const char *port, const char *bridge)
{
	struct ifinfomsg *m = begin(RTM_SETLINK, 0, sizeof(*m));

	m->ifi_index = (int)OK(if_nametoindex(port));
	attr_u32(IFLA_MASTER, bridge ? if_nametoindex(bridge) : 0);
	return done();
}

static int new_tap(const char *name, const char *mac)
{
	struct ifreq *r = named(name);
	int f = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	if (f < 0)
		SKIP("no /dev/net/tun");
	r->ifr_flags = IFF_TAP | IFF_NO_PI;
	OK(ioctl(f, TUNSETIFF, r));
	r = named(name);
	r->ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(r->ifr_hwaddr.sa_data, mac, 6);
	OK(ioctl(f, SIOCSIFHWADDR, r));
	flags(name, IFF_UP, 0);
	return f;
}

/* br0 with three taps as its ports, all up. */
static void network(void)
{
	own_net(NETLINK_ROUTE);
	ctl = OK(socket(AF_INET, SOCK_DGRAM, 0));
	if (link_with("br0", "bridge", 0, 0) == EOPNOTSUPP)
		SKIP("no bridges");
	flags("br0", IFF_UP, 0);
	tap[0] = new_tap("t0", "\2port0");
	tap[1] = new_tap("t1", "\2port1");
	tap[2] = new_tap("t2", "\2port2");
	for (int i = 0; i < 3; i++) {
		char name[3] = { 't', (char)('0' + i) };

		EQ(master(name, "br0"), 0);
	}
}

struct frame {
	unsigned char dst[6], src[6];
	unsigned short type;
	char text[46];
};

static void put_frame(int at, const char *dst, const char *src, const char *s)
{
	struct frame f = { .type = htons(OURS) };

	memcpy(f.dst, dst, 6);
	memcpy(f.src, src, 6);
	strcpy(f.text, s);
	EQ(write(tap[at], &f, sizeof(f)), (long)sizeof(f));
}

/* The next of our frames that left by AT says S; NULL: there is none. */
static void comes(int at, const char *s)
{
	char b[2000];
	struct frame *f = (void *)b;

	for (;;) {
		if (read(tap[at], b, sizeof(b)) < 0) {
			if (s)
				FAIL("port %d: nothing comes, not '%s'", at, s);
			return;
		}
		if (f->type != htons(OURS))
			continue;	/* of IPv6's own */
		if (!s || strcmp(f->text, s))
			FAIL("port %d: '%s' comes, not '%s'", at, f->text, s ?: "nothing");
		return;
	}
}

static void arrive(int at, const char *s)
{
	for (int i = 0; i < 3; i++)
		comes(i, at & 1 << i ? s : NULL);
}

TEST(learns_and_floods)
{
	network();
	put_frame(0, ALL, "\2alice", "all");
	arrive(6, "all");
	put_frame(1, "\2carol", "\2bobby", "unknown");
	arrive(5, "unknown");
	put_frame(1, "\2alice", "\2bobby", "known");
	arrive(1, "known");
	put_frame(0, "\2bobby", "\2alice", "back");
	arrive(2, "back");
	put_frame(1, "\2bobby", "\2dorah", "same link");
	arrive(0, NULL);
	put_frame(2, "\2dorah", "\2alice", "moves");
	arrive(2, "moves");
	put_frame(1, "\2alice", "\2bobby", "moved");
	arrive(4, "moved");
	put_frame(0, "\1\x80\xc2\0\0\1", "\2alice", "pause");
	put_frame(0, "\1\x80\xc2\0\0\x0e", "\2alice", "one link's");
	put_frame(0, "\2bobby", "\1alice", "from a group");
	arrive(0, NULL);
	/* Nobody takes an address of ours. */
	put_frame(1, ALL, "\2port0", "a lie");
	arrive(5, "a lie");
	put_frame(1, ALL, "\2port2", "a lie");
	arrive(5, "a lie");
	put_frame(2, "\2port0", "\2carol", "to the bridge");
	put_frame(0, "\2port2", "\2alice", "to a port");
	arrive(0, NULL);
	put_frame(0, "\2carol", "\2dorah", "x");
	arrive(4, "x");
	put_frame(2, "\2carol", "\2alice", "moves");
	arrive(0, NULL);
	/* What a port learned goes with it. */
	EQ(master("t2", NULL), 0);
	put_frame(1, "\2alice", "\2bobby", "gone");
	arrive(1, "gone");
	put_frame(2, "\2bobby", "\2alice", "no port");
	arrive(0, NULL);
	/* Without ageing all is flooded. */
	EQ(link_with("br0", "bridge", IFLA_BR_AGEING_TIME, 0), 0);
	put_frame(0, "\2bobby", "\2alice", "x");
	arrive(2, "x");
	put_frame(1, "\2carol", "\2bobby", "y");
	arrive(1, "y");
	flags("br0", 0, IFF_UP);
	put_frame(0, ALL, "\2alice", "down");
	arrive(0, NULL);
}

TEST(the_machine_is_a_station)
{
	struct {
		struct ethhdr e;
		struct arphdr h;
		unsigned char sha[6], spa[4], tha[6], tpa[4];
	} __attribute__((packed)) q = {}, a;
	unsigned int ours = htonl(0x0a090001), theirs = htonl(0x0a090002);
	struct ifreq *r;
	long n;

	network();
	r = named("br0");
	((struct sockaddr_in *)&r->ifr_addr)->sin_family = AF_INET;
	((struct sockaddr_in *)&r->ifr_addr)->sin_addr.s_addr = ours;
	OK(ioctl(ctl, SIOCSIFADDR, r));
	memset(q.e.h_dest, 0xff, 6);
	memcpy(q.e.h_source, "\2alice", 6);
	q.e.h_proto = htons(ETH_P_ARP);
	q.h = (struct arphdr){ htons(1), htons(ETH_P_IP), 6, 4, htons(ARPOP_REQUEST) };
	memcpy(q.sha, "\2alice", 6);
	memcpy(q.spa, &theirs, 4);
	memcpy(q.tpa, &ours, 4);
	EQ(write(tap[1], &q, sizeof(q)), (long)sizeof(q));
	do
		n = OK(read(tap[1], &a, sizeof(a)));
	while (n != sizeof(a) || a.e.h_proto != htons(ETH_P_ARP));
	EQ(memcmp(a.sha, "\2port0", 6), 0);	/* the lowest address of the ports */
	EQ(memcmp(a.spa, &ours, 4), 0);
	EQ(memcmp(a.e.h_dest, "\2alice", 6), 0);
}

/* Linux tells of a link a little later. */
static void await_running(const char *name, int on)
{
	while (is_running(name) != on)
		sched_yield();
}

static int states;			/* IFLA_OPERSTATE * 2 + IFLA_CARRIER of br1 */

static void look_at_states(struct nlmsghdr *h)
{
	struct ifinfomsg *m = NLMSG_DATA(h);
	struct nlattr *state = find(h, sizeof(*m), IFLA_OPERSTATE),
		      *carrier = find(h, sizeof(*m), IFLA_CARRIER);

	if (m->ifi_index == (int)if_nametoindex("br1"))
		states = *(char *)(state + 1) * 2 + *(char *)(carrier + 1);
}

static void await_state(int operstate, int carrier)
{
	do
		dump(RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), look_at_states);
	while (states != operstate * 2 + carrier);
}

/* A bridge has a carrier until its first port comes; then it is that of its ports. */
TEST(carrier_of_a_bridge)
{
	network();
	EQ(link_with("br1", "bridge", 0, 0), 0);
	await_state(2, 1);			/* IF_OPER_DOWN */
	flags("br1", IFF_UP, 0);
	await_state(0, 1);			/* IF_OPER_UNKNOWN */
	flags("br1", 0, IFF_UP);
	EQ(master("t1", "br1"), 0);
	await_state(2, 0);
	flags("br1", IFF_UP, 0);
	await_state(6, 1);			/* IF_OPER_UP */
	flags("t1", 0, IFF_UP);
	await_state(2, 0);
	flags("t1", IFF_UP, 0);
	await_state(6, 1);
	flags("br1", 0, IFF_UP);
	await_state(2, 0);
	flags("br1", IFF_UP, 0);
	await_state(6, 1);
	EQ(master("t1", NULL), 0);
	await_state(2, 0);
}

TEST(follows_its_ports)
{
	struct ifreq *r;

	network();
	CHECK(is_running("br0"));
	for (int i = 0; i < 3; i++) {
		char name[3] = { 't', (char)('0' + i) };

		CHECK(is_running("br0"));
		flags(name, 0, IFF_UP);
	}
	await_running("br0", 0);
	flags("t1", IFF_UP, 0);
	await_running("br0", 1);
	r = named("t1");
	r->ifr_mtu = 1300;
	OK(ioctl(ctl, SIOCSIFMTU, r));
	r = named("br0");
	OK(ioctl(ctl, SIOCGIFMTU, r));
	EQ(r->ifr_mtu, 1300);
	EQ(master("t1", NULL), 0);
	r = named("br0");
	OK(ioctl(ctl, SIOCGIFMTU, r));
	EQ(r->ifr_mtu, 1500);
	close(tap[0]);			/* its device goes, and is no port any more */
	r = named("br0");
	OK(ioctl(ctl, SIOCGIFHWADDR, r));
	EQ(memcmp(r->ifr_hwaddr.sa_data, "\2port2", 6), 0);
}

static unsigned int master_of_t1;

static void look(struct nlmsghdr *h)
{
	struct ifinfomsg *m = NLMSG_DATA(h);
	struct nlattr *a = find(h, sizeof(*m), IFLA_MASTER);

	if (m->ifi_index == (int)if_nametoindex("t1"))
		master_of_t1 = a ? u32_of(a) : 0;
}

TEST(by_rtnetlink)
{
	/* Linux has spanning trees and priorities. */
	int no = access("/proc/sys/vm/user_lasting_kbytes", F_OK) ? 0 : EOPNOTSUPP;

	network();
	dump(RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), look);
	EQ(master_of_t1, if_nametoindex("br0"));
	EQ(link_with("br1", "bridge", 0, 0), 0);
	EQ(master("br1", "br0"), ELOOP);
	EQ(master("lo", "br0"), EINVAL);
	EQ(master("t1", "t0"), EOPNOTSUPP);
	EQ(master("t1", "br0"), 0);	/* it is */
	EQ(master("t1", "br1"), 0);
	dump(RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), look);
	EQ(master_of_t1, if_nametoindex("br1"));
	EQ(link_with("br1", "bridge", IFLA_BR_STP_STATE, 1), no);
	EQ(link_with("br1", "bridge", IFLA_BR_STP_STATE, 0), 0);
	EQ(link_with("br2", "bridge", IFLA_BR_PRIORITY, 1), no);
	begin(RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	attr(IFLA_IFNAME, "br1", 4);
	EQ(done(), 0);
	dump(RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), look);
	EQ(master_of_t1, 0);
}

TEST(by_ioctl)
{
	struct ifreq *r;

	network();
	ERR(ioctl(ctl, SIOCBRADDBR, "br0"), EEXIST);
	OK(ioctl(ctl, SIOCBRADDBR, "br9"));
	r = named("br9");
	r->ifr_ifindex = (int)if_nametoindex("t1");
	ERR(ioctl(ctl, SIOCBRADDIF, r), EBUSY);
	ERR(ioctl(ctl, SIOCBRDELIF, r), EINVAL);
	strcpy(r->ifr_name, "br0");
	OK(ioctl(ctl, SIOCBRDELIF, r));
	strcpy(r->ifr_name, "br9");
	OK(ioctl(ctl, SIOCBRADDIF, r));
	r->ifr_ifindex = 9999;
	ERR(ioctl(ctl, SIOCBRADDIF, r), EINVAL);
	strcpy(r->ifr_name, "t1");
	ERR(ioctl(ctl, SIOCBRADDIF, r), EOPNOTSUPP);
	ERR(ioctl(ctl, SIOCBRDELBR, "none"), ENXIO);
	ERR(ioctl(ctl, SIOCBRDELBR, "t1"), EPERM);
	ERR(ioctl(ctl, SIOCBRDELBR, "br0"), EBUSY);	/* it is up */
	OK(ioctl(ctl, SIOCBRDELBR, "br9"));
	if (!getuid()) {
		OK(setuid(1000));
		ERR(ioctl(ctl, SIOCBRADDBR, "br8"), EPERM);
	}
}

/* ---- the table of stations, as bridge(8) reads and writes it ---- */

static const char *wanted;		/* an address */
static struct ndmsg seen;		/* how the dump shows it; ndm_family 0: not */
static int seen_master;

static void look_for(struct nlmsghdr *h)
{
	struct ndmsg *n = NLMSG_DATA(h);
	struct nlattr *a = find(h, sizeof(*n), NDA_LLADDR);

	EQ(n->ndm_family, AF_BRIDGE);
	if (find(h, sizeof(*n), NDA_VLAN) || n->ndm_flags & NTF_SELF || memcmp(a + 1, wanted, 6))
		return;
	CHECK(find(h, sizeof(*n), NDA_CACHEINFO));
	seen = *n;
	seen_master = (int)u32_of(find(h, sizeof(*n), NDA_MASTER));
}

/* MAC is behind the device NAME, in STATE; NULL: it is not in the table. */
static void is_at(const char *mac, const char *name, int state)
{
	wanted = mac;
	memset(&seen, 0, sizeof(seen));
	dump(RTM_GETNEIGH, AF_BRIDGE, sizeof(struct ndmsg), look_for);
	if (!name) {
		EQ(seen.ndm_family, 0);
		return;
	}
	EQ(seen.ndm_ifindex, (int)if_nametoindex(name));
	EQ(seen.ndm_state, state);
	EQ(seen_master, (int)if_nametoindex("br0"));
}

static void begin_fdb(int type, int flags, int index, int state, int ntf)
{
	struct ndmsg *n = begin(type, flags, sizeof(*n));

	n->ndm_family = AF_BRIDGE;
	n->ndm_ifindex = index;
	n->ndm_state = (unsigned short)state;
	n->ndm_flags = (unsigned char)ntf;
}

static int fdb(int type, int flags, const char *name, const char *mac, int state, int ntf)
{
	begin_fdb(type, flags, (int)if_nametoindex(name), state, ntf);
	attr(NDA_LLADDR, mac, 6);
	return done();
}

static int add(const char *name, const char *mac, int state, int ntf)
{
	return fdb(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, name, mac, state, ntf);
}

static int del(const char *name, const char *mac, int ntf)
{
	return fdb(RTM_DELNEIGH, 0, name, mac, 0, ntf);
}

TEST(stations_are_read)
{
	network();
	put_frame(0, ALL, "\2alice", "x");
	arrive(6, "x");
	is_at("\2alice", "t0", NUD_REACHABLE);
	is_at("\2port0", "t0", NUD_PERMANENT);
	is_at("\2port2", "t2", NUD_PERMANENT);
	is_at("\2bobby", NULL, 0);
	put_frame(2, ALL, "\2alice", "x");
	arrive(3, "x");
	is_at("\2alice", "t2", NUD_REACHABLE);
	begin_fdb(RTM_GETNEIGH, 0, (int)if_nametoindex("t0"), 0, NTF_MASTER);
	attr(NDA_LLADDR, "\2alice", 6);
	put();
	OK(recv(sock, in, sizeof(in), 0));
	EQ(((struct nlmsghdr *)in)->nlmsg_type, RTM_NEWNEIGH);
	wanted = "\2alice";
	look_for((void *)in);
	EQ(seen.ndm_ifindex, (int)if_nametoindex("t2"));
	EQ(fdb(RTM_GETNEIGH, 0, "t0", "\2bobby", 0, NTF_MASTER), ENOENT);
	begin_fdb(RTM_GETNEIGH, 0, 0, 0, 0);
	attr(NDA_LLADDR, "\2alice", 6);
	EQ(done(), ENODEV);
	EQ(link_with("br0", "bridge", IFLA_BR_AGEING_TIME, 0), 0);
	EQ(master("t2", NULL), 0);
	is_at("\2alice", NULL, 0);
	is_at("\2port2", NULL, 0);
}

TEST(stations_are_written)
{
	network();
	EQ(add("t2", "\2carol", NUD_NOARP, NTF_MASTER), 0);
	is_at("\2carol", "t2", NUD_NOARP);
	put_frame(0, "\2carol", "\2alice", "static");
	arrive(4, "static");
	EQ(add("t1", "\2carol", NUD_NOARP, NTF_MASTER), EEXIST);
	EQ(fdb(RTM_NEWNEIGH, 0, "t1", "\2bobby", NUD_NOARP, NTF_MASTER), ENOENT);
	EQ(fdb(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, "t1", "\2carol", NUD_NOARP, NTF_MASTER),
	   0);
	put_frame(0, "\2carol", "\2alice", "moved");
	arrive(2, "moved");
	EQ(link_with("br0", "bridge", IFLA_BR_AGEING_TIME, 0), 0);
	put_frame(0, "\2carol", "\2alice", "does not age");
	arrive(2, "does not age");
	EQ(del("t2", "\2carol", NTF_MASTER), ENOENT);
	EQ(del("t1", "\2carol", NTF_MASTER), 0);
	put_frame(0, "\2carol", "\2alice", "unknown");
	arrive(6, "unknown");
	/* One that is ours; one that stays where it is. */
	EQ(add("t1", "\2dorah", NUD_PERMANENT, NTF_MASTER), 0);
	put_frame(0, "\2dorah", "\2alice", "local");
	arrive(0, NULL);
	EQ(add("br0", "\2frank", NUD_PERMANENT, NTF_SELF), 0);
	is_at("\2frank", "br0", NUD_PERMANENT);
	put_frame(0, "\2frank", "\2alice", "local");
	arrive(0, NULL);
	EQ(del("br0", "\2frank", NTF_SELF), 0);
	EQ(add("t2", "\2emily", NUD_NOARP, NTF_MASTER | NTF_STICKY), 0);
	put_frame(1, ALL, "\2emily", "x");
	arrive(5, "x");
	is_at("\2emily", "t2", NUD_NOARP);
	EQ(seen.ndm_flags, NTF_STICKY);
	EQ(link_with("br0", "bridge", IFLA_BR_AGEING_TIME, 30000), 0);
	EQ(add("t1", "\2emily", NUD_REACHABLE, NTF_MASTER), EEXIST);
	EQ(add("t1", "\2gregs", NUD_REACHABLE, NTF_MASTER), 0);
	is_at("\2gregs", "t1", NUD_REACHABLE);
	EQ(add("t1", "\2henry", NUD_REACHABLE, NTF_MASTER | NTF_USE), 0);
	is_at("\2henry", "t1", NUD_REACHABLE);
}

TEST(stations_that_cannot_be)
{
	network();
	new_tap("t9", "\2port9");
	EQ(add("t9", "\2carol", NUD_NOARP, NTF_MASTER), EOPNOTSUPP);
	EQ(add("t0", "\2carol", 0, NTF_MASTER), EINVAL);
	EQ(add("t0", "\2carol", NUD_STALE, NTF_MASTER), EINVAL);
	EQ(add("t0", "\0\0\0\0\0\0", NUD_NOARP, NTF_MASTER), EINVAL);
	EQ(add("t0", "\2carol", NUD_PERMANENT, NTF_MASTER | NTF_STICKY), EINVAL);
	EQ(add("br0", "\2carol", NUD_NOARP, NTF_SELF), EINVAL);
	EQ(add("lo", "\2carol", NUD_NOARP, NTF_MASTER), EINVAL);
	begin_fdb(RTM_NEWNEIGH, NLM_F_CREATE, 0, NUD_NOARP, NTF_MASTER);
	attr(NDA_LLADDR, "\2carol", 6);
	EQ(done(), EINVAL);
	begin_fdb(RTM_NEWNEIGH, NLM_F_CREATE, 9999, NUD_NOARP, NTF_MASTER);
	attr(NDA_LLADDR, "\2carol", 6);
	EQ(done(), ENODEV);
	begin_fdb(RTM_NEWNEIGH, NLM_F_CREATE, (int)if_nametoindex("t0"), NUD_NOARP, NTF_MASTER);
	attr(NDA_LLADDR, "\2carol", 5);
	EQ(done(), EINVAL);
	begin_fdb(RTM_NEWNEIGH, NLM_F_CREATE, (int)if_nametoindex("t0"), NUD_NOARP, NTF_MASTER);
	EQ(done(), EINVAL);
	flags("t1", 0, IFF_UP);
	EQ(add("t1", "\2carol", NUD_REACHABLE, NTF_MASTER), EPERM);
	EQ(add("t1", "\2carol", NUD_NOARP, NTF_MASTER), 0);
	EQ(add("t1", "\2emily", NUD_REACHABLE, NTF_MASTER | NTF_USE), 0);
	is_at("\2emily", NULL, 0);	/* a port that is down learns nothing */
	((struct ndmsg *)begin(RTM_DELNEIGH, NLM_F_BULK, sizeof(struct ndmsg)))->ndm_family =
		AF_INET;
	EQ(done(), EOPNOTSUPP);
	if (!getuid()) {
		OK(setuid(1000));
		EQ(add("t0", "\2bobby", NUD_NOARP, NTF_MASTER), EPERM);
	}
}

static void set_mac(const char *name, const char *mac)
{
	struct ifreq *r = named(name);

	r->ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(r->ifr_hwaddr.sa_data, mac, 6);
	OK(ioctl(ctl, SIOCSIFHWADDR, r));
}

/* The machine's addresses are in the table as long as a port or the bridge has them. */
TEST(own_stations)
{
	network();
	set_mac("t1", "\2portx");
	is_at("\2portx", "t1", NUD_PERMANENT);
	is_at("\2port1", NULL, 0);
	put_frame(0, "\2port1", "\2alice", "nobody's now");
	arrive(6, "nobody's now");
	set_mac("t1", "\2port2");
	is_at("\2port2", "t2", NUD_PERMANENT);
	EQ(master("t2", NULL), 0);
	is_at("\2port2", "t1", NUD_PERMANENT);
	set_mac("br0", "\2ownbr");
	is_at("\2ownbr", "br0", NUD_PERMANENT);
	put_frame(1, "\2ownbr", "\2alice", "to the bridge");
	arrive(0, NULL);
	set_mac("br0", "\2newbr");
	is_at("\2ownbr", NULL, 0);
}

static int heard(int group)
{
	struct ndmsg *n = NLMSG_DATA((struct nlmsghdr *)in);
	struct nlmsghdr *h = (void *)in;

	do {				/* of VLAN 1, which Linux keeps too */
		if (recv(group, in, sizeof(in), MSG_DONTWAIT) < 0)
			return 0;
	} while (n->ndm_family != AF_BRIDGE || find(h, sizeof(*n), NDA_VLAN) ||
		 memcmp(find(h, sizeof(*n), NDA_LLADDR) + 1, wanted, 6));
	seen = *n;
	return h->nlmsg_type;
}

TEST(stations_are_told)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_NEIGH };
	int group;

	network();
	group = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	OK(bind(group, (void *)&at, sizeof(at)));
	wanted = "\2alice";
	put_frame(0, ALL, "\2alice", "x");
	arrive(6, "x");
	EQ(heard(group), RTM_NEWNEIGH);
	EQ(seen.ndm_state, NUD_REACHABLE);
	put_frame(0, ALL, "\2alice", "x");
	arrive(6, "x");
	EQ(heard(group), 0);
	put_frame(1, ALL, "\2alice", "x");
	arrive(5, "x");
	EQ(heard(group), RTM_NEWNEIGH);
	EQ(seen.ndm_ifindex, (int)if_nametoindex("t1"));
	EQ(del("t1", "\2alice", NTF_MASTER), 0);
	EQ(heard(group), RTM_DELNEIGH);
	wanted = "\2port1";
	EQ(master("t1", NULL), 0);
	EQ(heard(group), RTM_DELNEIGH);
	EQ(heard(group), 0);
}

static int forwarding;

static void look_at_port(struct nlmsghdr *h)
{
	struct ifinfomsg *m = NLMSG_DATA(h);
	struct nlattr *a = find(h, sizeof(*m), IFLA_PROTINFO), *state;

	EQ(m->ifi_family, AF_BRIDGE);
	if (!a)
		return;			/* the bridge itself, on Linux */
	EQ(u32_of(find(h, sizeof(*m), IFLA_MASTER)), if_nametoindex("br0"));
	state = a + 1;
	EQ(state->nla_type, IFLA_BRPORT_STATE);
	forwarding += *(unsigned char *)(state + 1) == BR_STATE_FORWARDING;
}

TEST(ports_are_read)
{
	network();
	dump(RTM_GETLINK, AF_BRIDGE, sizeof(struct ifinfomsg), look_at_port);
	EQ(forwarding, 3);
	flags("t1", 0, IFF_UP);
	forwarding = 0;
	dump(RTM_GETLINK, AF_BRIDGE, sizeof(struct ifinfomsg), look_at_port);
	EQ(forwarding, 2);
}

static unsigned char shown[20000];

static void count_station(struct nlmsghdr *h)
{
	struct ndmsg *n = NLMSG_DATA(h);
	unsigned char *mac = (void *)(find(h, sizeof(*n), NDA_LLADDR) + 1);
	int i = mac[3] << 16 | mac[4] << 8 | mac[5];

	if (n->ndm_state != NUD_PERMANENT)
		shown[i]++;
}

/* Many senders: what is learned is bounded, all frames come, and a dump has each station once. */
TEST(many_stations)
{
	int known = 0;

	network();
	for (int i = 0; i < 20000; i++) {
		char mac[6] = { 2, 0, 0, (char)(i >> 16), (char)(i >> 8), (char)i };

		put_frame(0, "\2bobby", mac, "n");
		if (!(i & 127)) {
			while (read(tap[1], &(char[2000]){ 0 }, 2000) > 0)
				;
			while (read(tap[2], &(char[2000]){ 0 }, 2000) > 0)
				;
		}
	}
	dump(RTM_GETNEIGH, AF_BRIDGE, sizeof(struct ndmsg), count_station);
	for (int i = 0; i < 20000; i++) {
		CHECK(shown[i] <= 1);
		known += shown[i];
	}
	CHECK(known == 16384 || known == 20000); /* Linux learns without a limit by default */
}

TEST(namespace_goes_with_traffic)
{
	pid_t pid;

	if (access("/dev/net/tun", F_OK))
		SKIP("no /dev/net/tun");
	pid = OK(fork());
	if (!pid) {
		network();
		for (int i = 0; i < 50; i++)
			put_frame(i % 3, ALL, "\2alice", "x");
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}
