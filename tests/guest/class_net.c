/* SPDX-License-Identifier: MIT */
/* /sys/class/net of each network namespace. proves: read write mount umount2 */
#include "nl.h"
#include <dirent.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

static int ctl;

/* A network, and a mount of sysfs that shows it. */
static void network(void)
{
	own_net(NETLINK_ROUTE);
	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("sysfs", "/sys", "sysfs", 0, NULL));
	ctl = OK(socket(AF_INET, SOCK_DGRAM, 0));
}

static int made(const char *name, const char *kind)
{
	struct nlattr *info;
	int e;

	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	attr(IFLA_IFNAME, name, strlen(name) + 1);
	info = attr(IFLA_LINKINFO, NULL, 0);
	attr(IFLA_INFO_KIND, kind, strlen(kind));
	ends(info);
	e = done();
	if (e == EOPNOTSUPP)
		SKIP("no such devices");
	return e;
}

static int dummy(const char *name)
{
	return made(name, "dummy");
}

static void delete(const char *name)
{
	begin(RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	attr(IFLA_IFNAME, name, strlen(name) + 1);
	EQ(done(), 0);
}

static void rename_to(const char *was, const char *now)
{
	struct ifreq r = {};

	strcpy(r.ifr_name, was);
	strcpy(r.ifr_newname, now);
	OK(ioctl(ctl, SIOCSIFNAME, &r));
}

static int at(const char *dev, const char *file, int how)
{
	char path[200];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", dev, file);
	return open(path, how);
}

/* The file's text without its newline. */
static const char *text(const char *dev, const char *file)
{
	static char b[4000];
	int f = OK(at(dev, file, O_RDONLY));
	ssize_t n = OK(read(f, b, sizeof(b) - 1));

	close(f);
	b[n] = 0;
	if (n && b[n - 1] == '\n')
		b[n - 1] = 0;
	return b;
}

#define IS(dev, file, want) \
	do { \
		const char *t_is = text(dev, file); \
		if (strcmp(t_is, want)) \
			FAIL("%s of %s is '%s', not '%s'", file, dev, t_is, want); \
	} while (0)

static int put_text(const char *dev, const char *file, const char *s)
{
	int f = OK(at(dev, file, O_WRONLY)), e;

	errno = 0;
	e = write(f, s, strlen(s)) < 0 ? errno : 0;
	close(f);
	return e;
}

static int entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static int fails(const char *dev, const char *file)
{
	int f = OK(at(dev, file, O_RDONLY));
	char b[10];

	ERR(read(f, b, sizeof(b)), errno);
	close(f);
	return errno;
}

TEST(values_of_lo)
{
	char b[100];
	ssize_t n;

	network();
	EQ(entries("/sys/class/net"), 1);
	EQ(entries("/sys/devices/virtual/net"), 1);
	n = OK(readlink("/sys/class/net/lo", b, sizeof(b)));
	b[n] = 0;
	EQ(strcmp(b, "../../devices/virtual/net/lo"), 0);
	IS("lo", "address", "00:00:00:00:00:00");
	IS("lo", "addr_len", "6");
	IS("lo", "type", "772");
	IS("lo", "ifindex", "1");
	IS("lo", "iflink", "1");
	IS("lo", "mtu", "65536");
	IS("lo", "flags", "0x8");
	IS("lo", "operstate", "down");
	IS("lo", "tx_queue_len", "1000");
	IS("lo", "statistics/rx_packets", "0");
	ERR(at("lo", "phys_port_id", O_RDONLY), ENOENT);
	IS("lo", "uevent", "INTERFACE=lo\nIFINDEX=1");
	EQ(fails("lo", "carrier"), EINVAL);
	EQ(fails("lo", "speed"), EINVAL);
	EQ(fails("lo", "duplex"), EINVAL);
	EQ(put_text("lo", "flags", "0x9\n"), 0);
	IS("lo", "flags", "0x9");
	IS("lo", "operstate", "unknown");
	IS("lo", "carrier", "1");
	EQ(put_text("lo", "carrier", "0"), EOPNOTSUPP);
	EQ(entries("/sys/class/net/lo/statistics"), 24);
	CHECK(!access("/sys/class/net/lo/queues/rx-0", F_OK));
	CHECK(!access("/sys/class/net/lo/queues/tx-0/tx_timeout", F_OK));
	ERR(access("/sys/class/net/lo/queues/tx-1", F_OK), ENOENT);
	ERR(access("/sys/class/net/l", F_OK), ENOENT);
	ERR(access("/sys/class/net/lo/mt", F_OK), ENOENT);
	ERR(at("lo", "type", O_WRONLY), EACCES);
	CHECK(!access("/sys/class/net/lo/subsystem/lo/mtu", F_OK));
}

TEST(changes)
{
	network();
	EQ(dummy("d"), 0);
	EQ(put_text("d", "mtu", "1400\n"), 0);
	IS("d", "mtu", "1400");
	EQ(put_text("d", "mtu", "4294967295"), EINVAL);
	EQ(put_text("d", "mtu", "4294967297"), 0);
	IS("d", "mtu", "1");
	EQ(put_text("d", "mtu", "x"), EINVAL);
	EQ(put_text("d", "tx_queue_len", "7"), 0);
	IS("d", "tx_queue_len", "7");
	EQ(put_text("d", "tx_queue_len", "4294967296"), ERANGE);
	EQ(put_text("d", "netdev_group", "3"), 0);
	IS("d", "netdev_group", "3");
	EQ(put_text("d", "carrier", "0"), EINVAL);
	EQ(put_text("d", "flags", "1"), 0);
	EQ(put_text("d", "carrier", "0"), 0);
	IS("d", "carrier", "0");
	IS("d", "carrier_changes", "1");
	IS("d", "carrier_down_count", "1");
}

/* RTM_SETLINK of the device NAME, to which attributes are added. */
static struct ifinfomsg *set_link(const char *name)
{
	struct ifinfomsg *m = begin(RTM_SETLINK, 0, sizeof(*m));

	m->ifi_index = (int)OK(if_nametoindex(name));
	return m;
}

/* The alias that RTM_GETLINK tells of NAME is WANT; NULL: there is none. */
static int alias_is(const char *name, const char *want)
{
	struct ifinfomsg *m = begin(RTM_GETLINK, 0, sizeof(*m));
	struct nlattr *a;

	m->ifi_index = (int)OK(if_nametoindex(name));
	put();
	OK(recv(sock, in, sizeof(in), 0));
	a = find((void *)in, sizeof(*m), IFLA_IFALIAS);
	if (!a || !want)
		return !a && !want;
	EQ(a->nla_len, NLA_HDRLEN + strlen(want) + 1);
	return !strcmp((char *)(a + 1), want);
}

TEST(alias)
{
	char much[256];
	int name;

	network();
	EQ(dummy("d"), 0);
	IS("d", "ifalias", "");
	CHECK(alias_is("d", NULL));
	set_link("d");
	attr(IFLA_IFALIAS, "to the left", 11);
	EQ(done(), 0);
	IS("d", "ifalias", "to the left");
	CHECK(alias_is("d", "to the left"));
	EQ(put_text("d", "ifalias", "up there\n"), 0);
	CHECK(alias_is("d", "up there"));
	rename_to("d", "e");
	IS("e", "ifalias", "up there");
	set_link("e");
	attr(IFLA_IFALIAS, NULL, 0);
	EQ(done(), 0);
	IS("e", "ifalias", "");
	memset(much, 'x', sizeof(much));
	EQ(put_text("e", "ifalias", "x"), 0);
	set_link("e");
	attr(IFLA_IFALIAS, much, 256);
	EQ(done(), ERANGE);
	name = OK(at("e", "ifalias", O_WRONLY));
	ERR(write(name, much, 256), EINVAL);
	EQ(write(name, much, 255), 255);
	CHECK(alias_is("e", NULL) == 0);
	EQ(strlen(text("e", "ifalias")), 255);
	EQ(put_text("e", "ifalias", "\n"), 0);
	CHECK(alias_is("e", NULL));
}

/* What can be seen to be wrong is refused before anything is done. */
TEST(request_is_checked_whole)
{
	network();
	EQ(dummy("d"), 0);
	set_link("d");
	attr(IFLA_IFALIAS, "x", 1);
	attr_u32(IFLA_MTU, 1400);
	attr(IFLA_BROADCAST, "abc", 3);
	EQ(done(), EINVAL);
	set_link("d");
	attr_u32(IFLA_MTU, 1400);
	attr(IFLA_ADDRESS, "abc", 3);
	EQ(done(), EINVAL);
	IS("d", "mtu", "1500");
	IS("d", "ifalias", "");
	CHECK(alias_is("d", NULL));
}

TEST(names_come_and_go)
{
	char b[20];
	int f;

	network();
	EQ(dummy("a"), 0);
	f = OK(at("a", "ifindex", O_RDONLY));
	rename_to("a", "b");
	ERR(at("a", "ifindex", O_RDONLY), ENOENT);
	CHECK(pread(f, b, sizeof(b), 0) > 0);
	IS("b", "mtu", "1500");
	EQ(dummy("a"), 0);		/* another one under the old name */
	EQ(entries("/sys/class/net"), 3);
	CHECK(strcmp(text("a", "ifindex"), text("b", "ifindex")) || 1);
	delete ("b");
	EQ(entries("/sys/class/net"), 2);
	ERR(at("b", "mtu", O_RDONLY), ENOENT);
	close(f);
	f = OK(at("a", "mtu", O_RDWR));
	delete ("a");
	ERR(read(f, b, sizeof(b)), ENODEV);
	ERR(write(f, "1400", 4), ENODEV);
}

static void set_master(const char *port, const char *bridge)
{
	struct ifinfomsg *m = begin(RTM_SETLINK, 0, sizeof(*m));

	m->ifi_index = (int)OK(if_nametoindex(port));
	attr_u32(IFLA_MASTER, bridge ? if_nametoindex(bridge) : 0);
	EQ(done(), 0);
}

TEST(link_to_the_bridge)
{
	char b[100] = "";

	network();
	EQ(dummy("d"), 0);
	EQ(made("br0", "bridge"), 0);
	EQ(made("br1", "bridge"), 0);
	ERR(readlink("/sys/class/net/d/master", b, sizeof(b)), ENOENT);
	set_master("d", "br0");
	OK(readlink("/sys/class/net/d/master", b, sizeof(b) - 1));
	EQ(strcmp(b, "../br0"), 0);
	CHECK(!access("/sys/class/net/d/master/mtu", F_OK));
	set_master("d", "br1");
	OK(readlink("/sys/class/net/d/master", b, sizeof(b) - 1));
	EQ(strcmp(b, "../br1"), 0);
	set_master("d", NULL);
	ERR(readlink("/sys/class/net/d/master", b, sizeof(b)), ENOENT);
}

/* A mount shows the network that it was made in, whoever reads it. */
TEST(mounts_of_two_networks)
{
	int fd;

	network();
	EQ(dummy("first"), 0);
	fd = OK(open("/sys/class/net", O_RDONLY | O_DIRECTORY));
	OK(unshare(CLONE_NEWNET));
	CHECK(!access("/sys/class/net/first", F_OK));
	OK(mkdir("/tmp/sys2", 0700) ?: 0);
	OK(mount("sysfs", "/tmp/sys2", "sysfs", 0, NULL));
	ERR(access("/tmp/sys2/class/net/first", F_OK), ENOENT);
	EQ(entries("/tmp/sys2/class/net"), 1);
	EQ(entries("/sys/class/net"), 2);
	CHECK(!faccessat(fd, "first/mtu", F_OK, 0));
	/* The first network ends; its mounts stay, empty. */
	close(sock);
	close(ctl);
	while (entries("/sys/class/net"))
		sched_yield();
	OK(umount2("/tmp/sys2", 0));
	OK(rmdir("/tmp/sys2"));
}

TEST(rights)
{
	pid_t pid;
	int f;

	if (getuid())
		SKIP("not root");
	network();
	f = OK(at("lo", "mtu", O_RDWR));
	pid = OK(fork());
	if (!pid) {
		OK(setresgid(1000, 1000, 1000));
		OK(setresuid(1000, 1000, 1000));
		ERR(at("lo", "mtu", O_WRONLY), EACCES);
		ERR(write(f, "1400", 4), EPERM);
		/* Root of a namespace of his own owns what is in its network. */
		if (unshare(CLONE_NEWUSER))
			_exit(0);
		OK(unshare(CLONE_NEWNET | CLONE_NEWNS));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}
