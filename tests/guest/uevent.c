// SPDX-License-Identifier: MIT
/*
 * Events of devices on NETLINK_KOBJECT_UEVENT, as udev hears them: network devices that come, go
 * and are renamed, in their own network namespace alone, and what is written to files "uevent".
 * proves: socket bind recvmsg
 */
#include "nl.h"
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/if_link.h>
#include <linux/loop.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>

static char event[4096];
static size_t event_len;

static int listener(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = OK(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT));

	OK(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

/* The next event: from the kernel, to group 1, with root's credentials. */
static void next_event(int fd)
{
	struct sockaddr_nl from;
	struct iovec v = { event, sizeof(event) - 1 };
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &v, .msg_iovlen = 1
	};

	event_len = (size_t)OK(recvmsg(fd, &m, 0));
	event[event_len] = 0;
	EQ(from.nl_pid, 0);
	EQ(from.nl_groups, 1);
	EQ(event[event_len - 1], 0);
}

/* The value of a variable; "" where there is none. */
static const char *value(const char *name)
{
	size_t n = strlen(name);

	for (size_t at = strlen(event) + 1; at < event_len; at += strlen(event + at) + 1)
		if (!strncmp(event + at, name, n) && event[at + n] == '=')
			return event + at + n + 1;
	return "";
}

static void same(const char *a, const char *b)
{
	if (strcmp(a, b))
		FAIL("'%s', not '%s'", a, b);
}

/* The next event of SUBSYSTEM: its head is HEAD. */
static void expect(int fd, const char *subsystem, const char *head)
{
	do
		next_event(fd);
	while (strcmp(value("SUBSYSTEM"), subsystem));
	if (strcmp(event, head))
		FAIL("%s, not %s", event, head);
	if (strncmp(event, value("ACTION"), strlen(value("ACTION"))) ||
	    strcmp(strchr(event, '@') + 1, value("DEVPATH")))
		FAIL("%s: ACTION=%s DEVPATH=%s", event, value("ACTION"), value("DEVPATH"));
}

static void nothing_waits(int fd)
{
	ERR(recv(fd, event, sizeof(event), MSG_DONTWAIT), EAGAIN);
}

static unsigned long long seqnum(void)
{
	char text[32] = "";
	int fd = OK(open("/sys/kernel/uevent_seqnum", O_RDONLY));

	OK(read(fd, text, sizeof(text) - 1));
	OK(close(fd));
	return strtoull(text, NULL, 10);
}

/* A network and a sysfs of its own. */
static void own_network(void)
{
	own_net(NETLINK_ROUTE);
	OK(unshare(CLONE_NEWNS));
	OK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("sysfs", "/sys", "sysfs", 0, NULL));
}

static void make(const char *name, const char *kind)
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
	EQ(e, 0);
}

static void delete_link(const char *name)
{
	struct ifinfomsg *m = begin(RTM_DELLINK, 0, sizeof(*m));

	m->ifi_index = (int)if_nametoindex(name);
	EQ(done(), 0);
}

static void rename_link(const char *from, const char *to)
{
	struct ifreq r = { 0 };
	int fd = OK(socket(AF_INET, SOCK_DGRAM, 0));

	strcpy(r.ifr_name, from);
	strcpy(r.ifr_newname, to);
	OK(ioctl(fd, SIOCSIFNAME, &r));
	OK(close(fd));
}

#define LO "/sys/class/net/lo/uevent"

static int write_to(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY));
	ssize_t n = write(fd, text, strlen(text));
	int e = n < 0 ? errno : n == (ssize_t)strlen(text) ? 0 : -1;

	OK(close(fd));
	return e;
}

TEST(devices_that_come_and_go)
{
	unsigned long long before;
	int fd;

	own_network();
	fd = listener();
	before = seqnum();
	make("dum0", "dummy");
	expect(fd, "net", "add@/devices/virtual/net/dum0");
	same(value("INTERFACE"), "dum0");
	EQ(atoi(value("IFINDEX")), (int)if_nametoindex("dum0"));
	CHECK(strtoull(value("SEQNUM"), NULL, 10) > before);
	expect(fd, "queues", "add@/devices/virtual/net/dum0/queues/rx-0");
	expect(fd, "queues", "add@/devices/virtual/net/dum0/queues/tx-0");
	rename_link("dum0", "other");
	expect(fd, "net", "move@/devices/virtual/net/other");
	same(value("DEVPATH_OLD"), "/devices/virtual/net/dum0");
	same(value("INTERFACE"), "other");
	delete_link("other");
	expect(fd, "net", "remove@/devices/virtual/net/other");
	same(value("INTERFACE"), "other");
	nothing_waits(fd);
	CHECK(seqnum() >= strtoull(value("SEQNUM"), NULL, 10));
}

TEST(kinds_of_devices)
{
	int fd;

	own_network();
	fd = listener();
	make("br0", "bridge");
	expect(fd, "net", "add@/devices/virtual/net/br0");
	same(value("DEVTYPE"), "bridge");
	same(value("INTERFACE"), "br0");
	EQ(write_to(LO, "change"), 0);
	expect(fd, "net", "change@/devices/virtual/net/lo");
	same(value("DEVTYPE"), "");
}

/* A listener in another network namespace gets no event. */
TEST(each_network_by_itself)
{
	int fd = listener(), mine;

	own_network();
	mine = listener();
	make("dum0", "dummy");
	expect(mine, "net", "add@/devices/virtual/net/dum0");
	nothing_waits(fd);
}

#define UUID "01234567-89ab-cdef-ABCD-ef0123456789"

TEST(events_that_are_written)
{
	static const char *const wrong[] = {
		"",
		"ad",
		"adds",
		"add ",
		"add x",
		"add " UUID " ",
		"add " UUID "A=B",
		"add " UUID " A",
		"add " UUID " A=",
		"add " UUID " =B",
		"add  " UUID,
		"add " UUID " A=B-C",
		"add " UUID " A=B  C=D",
		"ADD",
		"add 0123456789abcdef0123456789abcdef0123",
	};
	int fd;

	own_network();
	fd = listener();
	EQ(write_to(LO, "change"), 0);
	expect(fd, "net", "change@/devices/virtual/net/lo");
	same(value("SYNTH_UUID"), "0");
	same(value("INTERFACE"), "lo");
	same(value("IFINDEX"), "1");
	EQ(write_to(LO, "add\n"), 0);
	expect(fd, "net", "add@/devices/virtual/net/lo");
	EQ(write_to(LO, "bind " UUID " A=1 BC2=Def\n"), 0);
	expect(fd, "net", "bind@/devices/virtual/net/lo");
	same(value("SYNTH_UUID"), UUID);
	same(value("SYNTH_ARG_A"), "1");
	same(value("SYNTH_ARG_BC2"), "Def");
	for (size_t i = 1; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (write_to(LO, wrong[i]) != EINVAL)
			FAIL("'%s' was taken", wrong[i]);
	nothing_waits(fd);
}

/* The file is root's. */
TEST(only_its_owner_writes)
{
	pid_t child = OK(fork());
	int status;

	if (!child) {
		OK(setresuid(1000, 1000, 1000));
		ERR(open(LO, O_WRONLY), EACCES);
		OK(open(LO, O_RDONLY));
		_exit(0);
	}
	OK(waitpid(child, &status, 0));
	EQ(status, 0);
}

/* ---- disks ---- */

static char way[64];			/* of the loop device, and of what is below it */

static const char *event_of(const char *action, const char *below)
{
	static char text[160];

	snprintf(text, sizeof(text), "%s@%s%s", action, way, below);
	return text;
}

static int partition(int fd, int op)
{
	struct blkpg_partition p = { .start = 4096, .length = 8192, .pno = 3 };
	struct blkpg_ioctl_arg a = { .op = op, .datalen = sizeof(p), .data = &p };

	return ioctl(fd, BLKPG, &a);
}

/* A device without a file, bound to one, with a partition, and without again. */
static void use(int events, int nr)
{
	char name[32], part[32];
	int file = OK(open("/tmp", O_TMPFILE | O_RDWR, 0600)), fd;

	snprintf(name, sizeof(name), "/dev/loop%d", nr);
	snprintf(part, sizeof(part), "/loop%dp3", nr);
	OK(ftruncate(file, 65536));
	fd = OK(open(name, O_RDWR));
	OK(ioctl(fd, LOOP_SET_FD, file));
	expect(events, "block", event_of("change", ""));
	same(value("DEVNAME"), name + 5);
	same(value("DEVTYPE"), "disk");
	EQ(atoi(value("MAJOR")), 7);
	same(value("RESIZE"), "");
	OK(partition(fd, BLKPG_ADD_PARTITION));
	expect(events, "block", event_of("add", part));
	same(value("DEVTYPE"), "partition");
	same(value("PARTN"), "3");
	OK(partition(fd, BLKPG_DEL_PARTITION));
	expect(events, "block", event_of("remove", part));
	OK(ftruncate(file, 131072));
	OK(ioctl(fd, LOOP_SET_CAPACITY, 0));
	expect(events, "block", event_of("change", ""));
	same(value("RESIZE"), "1");
	OK(ioctl(fd, LOOP_CLR_FD, 0));
	OK(close(fd));
	expect(events, "block", event_of("change", ""));
	same(value("DISK_MEDIA_CHANGE"), "");
	expect(events, "block", event_of("change", ""));
	same(value("DISK_MEDIA_CHANGE"), "1");
	OK(close(file));
}

TEST(disks)
{
	int control = open("/dev/loop-control", O_RDWR), events, nr;
	char path[96];

	if (control < 0)
		SKIP("no loop devices");
	events = listener();
	nr = OK(ioctl(control, LOOP_CTL_ADD, 40));
	snprintf(way, sizeof(way), "/devices/virtual/block/loop%d", nr);
	expect(events, "block", event_of("add", ""));
	EQ(atoi(value("MINOR")), nr);
	use(events, nr);
	snprintf(path, sizeof(path), "/sys%s/uevent", way);
	EQ(write_to(path, "change"), 0);
	expect(events, "block", event_of("change", ""));
	same(value("SYNTH_UUID"), "0");
	while (ioctl(control, LOOP_CTL_REMOVE, nr) < 0) {
		EQ(errno, EBUSY);	/* its last file is being closed */
		sched_yield();
	}
	expect(events, "block", event_of("remove", ""));
	OK(close(control));
}

/*
 * Events of the machine's devices reach each network namespace of the initial user namespace, and
 * no other.
 */
TEST(of_the_machine)
{
	const char *host = "/sys/bus/pci/devices/0000:00:00.0/uevent";
	int here, other, status, ready[2], go[2];
	pid_t child;
	char c = 0;

	if (access(host, F_OK))
		SKIP("no PCI");
	here = listener();
	OK(unshare(CLONE_NEWNET));
	other = listener();
	OK(pipe(ready));
	OK(pipe(go));
	child = OK(fork());
	if (!child) {
		int fd;

		OK(unshare(CLONE_NEWUSER | CLONE_NEWNET));
		fd = listener();
		EQ(write(ready[1], &c, 1), 1);
		EQ(read(go[0], &c, 1), 1);
		nothing_waits(fd);
		_exit(0);
	}
	EQ(read(ready[0], &c, 1), 1);
	EQ(write_to(host, "change"), 0);
	EQ(write(go[1], &c, 1), 1);
	OK(waitpid(child, &status, 0));
	EQ(status, 0);
	for (int i = 0; i < 2; i++) {
		do
			next_event(i ? other : here);
		while (strcmp(value("SUBSYSTEM"), "pci"));
		same(value("PCI_SLOT_NAME"), "0000:00:00.0");
		same(value("SYNTH_UUID"), "0");
	}
}
