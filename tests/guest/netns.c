/* SPDX-License-Identifier: MIT */
/* Network namespaces: made, entered, counted, ended. proves: unshare setns clone */
#include "t.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static long number(const char *path)
{
	char text[64] = "";
	long n = OK(readlink(path, text, sizeof(text) - 1));

	CHECK(n > 5 && !strncmp(text, "net:[", 5));
	return atol(text + 5);
}

static void lo_up(int s)
{
	struct ifreq r = { .ifr_name = "lo" };

	OK(ioctl(s, SIOCGIFFLAGS, &r));
	r.ifr_flags |= IFF_UP;
	OK(ioctl(s, SIOCSIFFLAGS, &r));
}

TEST(unshared)
{
	long was = number("/proc/self/ns/net");
	int here = OK(open("/proc/self/ns/net", O_RDONLY)), other;
	struct stat st;

	OK(fstat(here, &st));
	EQ(st.st_ino, (ino_t)was);
	OK(unshare(CLONE_NEWNET));
	CHECK(number("/proc/self/ns/net") != was);
	other = OK(open("/proc/self/ns/net", O_RDONLY));
	OK(setns(here, CLONE_NEWNET));
	EQ(number("/proc/self/ns/net"), was);
	ERR(setns(other, CLONE_NEWUTS), EINVAL);
	OK(setns(other, 0));
	CHECK(number("/proc/self/ns/net") != was);
}

/* A socket stays in the namespace that it was made in, also when nothing else is there. */
TEST(sockets_stay)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(4000),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int here = OK(open("/proc/self/ns/net", O_RDONLY)), s, t;
	char buf[8];

	OK(unshare(CLONE_NEWNET));
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	lo_up(s);
	OK(bind(s, (struct sockaddr *)&in, sizeof(in)));
	OK(unshare(CLONE_NEWNET));
	/* The same address here is another one, and this lo is down. */
	t = OK(socket(AF_INET, SOCK_DGRAM, 0));
	ERR(sendto(t, "a", 1, 0, (struct sockaddr *)&in, sizeof(in)), ENETUNREACH);
	lo_up(t);
	EQ(sendto(t, "a", 1, 0, (struct sockaddr *)&in, sizeof(in)), 1);
	ERR(recv(s, buf, 1, MSG_DONTWAIT), EAGAIN);
	EQ(sendto(s, "b", 1, 0, (struct sockaddr *)&in, sizeof(in)), 1);
	EQ(recv(s, buf, 1, MSG_DONTWAIT), 1);
	EQ(buf[0], 'b');
	OK(setns(here, CLONE_NEWNET));
	close(t);
	EQ(sendto(s, "c", 1, 0, (struct sockaddr *)&in, sizeof(in)), 1);
	EQ(recv(s, buf, 1, 0), 1);
}

TEST(rights)
{
	int s;

	OK(setresuid(1000, 1000, 1000));
	ERR(unshare(CLONE_NEWNET), EPERM);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		SKIP("no user namespaces for users");
	/* Root of the user namespace that owns it. */
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	lo_up(s);
	OK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

TEST(others_namespace)
{
	int s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	OK(setresuid(1000, 1000, 1000));
	if (unshare(CLONE_NEWUSER))
		SKIP("no user namespaces for users");
	/* All-powerful inside, but this network is the outer one's. */
	ERR(ioctl(s, SIOCSIFFLAGS, &r), EPERM);
	ERR(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
}

/* Many, one after the other and at once, with sockets in them. */
TEST(many)
{
	for (int i = 0; i < 40; i++) {
		int status;
		pid_t pid = OK(fork());

		if (!pid) {
			for (int k = 0; k < 5; k++) {
				struct sockaddr_in in = { .sin_family = AF_INET,
							  .sin_port = htons(9),
							  .sin_addr.s_addr =
								  htonl(INADDR_LOOPBACK) };
				int s;

				if (unshare(CLONE_NEWNET))
					_exit(1);
				s = socket(AF_INET, SOCK_DGRAM, 0);
				lo_up(s);
				sendto(s, "x", 1, 0, (struct sockaddr *)&in, sizeof(in));
			}
			_exit(0);
		}
		if (i % 2)
			continue;
		OK(waitpid(pid, &status, 0));
		EQ(status, 0);
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
}

TEST(limit)
{
	int f = open("/proc/sys/user/max_net_namespaces", O_RDWR), status;
	pid_t pid;

	if (f < 0)
		SKIP("no limit");
	pid = OK(fork());
	if (!pid) {
		if (unshare(CLONE_NEWUSER))
			_exit(0);
		f = open("/proc/sys/user/max_net_namespaces", O_RDWR);
		if (f < 0 || write(f, "1", 1) != 1 || unshare(CLONE_NEWNET))
			_exit(1);
		_exit(unshare(CLONE_NEWNET) == -1 && errno == ENOSPC ? 0 : 2);
	}
	OK(waitpid(pid, &status, 0));
	EQ(status, 0);
}

static int store(const char *name, const char *v)
{
	char path[96];
	int f, r;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	f = open(path, O_WRONLY);
	if (f < 0)
		return -errno;
	r = write(f, v, strlen(v)) < 0 ? -errno : 0;
	close(f);
	return r;
}

static int load(const char *name)
{
	char path[96], b[16] = "";
	int f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	f = OK(open(path, O_RDONLY));
	OK(read(f, b, sizeof(b) - 1));
	close(f);
	return atoi(b);
}

/* conf/all/forwarding is ip_forward, and new devices begin with it. */
TEST(forwarding)
{
	OK(unshare(CLONE_NEWNET));
	EQ(load("ip_forward"), 0);
	EQ(store("conf/all/forwarding", "1"), 0);
	EQ(load("ip_forward"), 1);
	EQ(load("conf/default/forwarding"), 1);
	EQ(store("conf/default/forwarding", "0"), 0);
	EQ(load("conf/all/forwarding"), 1);
	EQ(store("conf/all/rp_filter", "1"), 0);
	EQ(load("conf/all/rp_filter"), 1);
	EQ(store("conf/all/accept_source_route", "0"), 0);
}

/* The root of a user namespace has no say in how much memory of the machine neighbours take. */
TEST(limits_of_memory)
{
	int r;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		SKIP("no user namespaces");
	r = store("neigh/default/gc_thresh3", "1000000");
	CHECK(r == -EACCES || r == -ENOENT);
}

/* An open setting stays that of the namespace in which it was opened, and goes with it. */
TEST(setting_of_the_opener)
{
	int home = OK(open("/proc/self/ns/net", O_RDONLY)), f, g;
	char b[8] = "";

	OK(unshare(CLONE_NEWNET));
	f = OK(open("/proc/sys/net/ipv4/ip_default_ttl", O_RDWR));
	g = OK(open("/proc/self/ns/net", O_RDONLY));
	OK(unshare(CLONE_NEWNET));
	EQ(write(f, "77", 2), 2);
	EQ(pread(f, b, 2, 0), 2);
	EQ(memcmp(b, "77", 2), 0);
	EQ(load("ip_default_ttl"), 64);
	OK(setns(g, CLONE_NEWNET));
	EQ(load("ip_default_ttl"), 77);
	OK(setns(home, CLONE_NEWNET));
	OK(close(g));
	while (pread(f, b, 2, 0) > 0)
		sched_yield();
	EQ(errno, ENOENT);
}
