/* SPDX-License-Identifier: MIT */
/*
 * Socket filters (SO_ATTACH_FILTER) of local, UDP, raw, TCP and netlink sockets. proves: setsockopt
 * getsockopt
 */
#include "t.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef SO_LOCK_FILTER
#define SO_LOCK_FILTER 44
#endif
#define S(c, k) BPF_STMT(c, k)
#define ATTACH(s, ...) ({ struct sock_filter f_[] = { __VA_ARGS__ };				\
	struct sock_fprog p_ = { sizeof(f_) / sizeof(*f_), f_ };				\
	setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p_, sizeof(p_)); })
#define RET(k) S(BPF_RET | BPF_K, k)
#define IF(v, ...) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, v, 0, 1), RET(0xffff)
#define FACT(x) S(BPF_LD | BPF_W | BPF_ABS, (unsigned int)(SKF_AD_OFF + (x)))
#define SA(x) ((struct sockaddr *)&(x)), sizeof(x)

static void own_net(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	int s;

	if (unshare(CLONE_NEWNET))
		SKIP("no network namespaces");
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	r.ifr_flags = IFF_UP;
	OK(ioctl(s, SIOCSIFFLAGS, &r));
	close(s);
}

static int bound(int type, struct sockaddr_in *name)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = OK(socket(AF_INET, type, 0));
	socklen_t len = sizeof(*name);

	OK(bind(s, SA(in)));
	OK(getsockname(s, (struct sockaddr *)name, &len));
	return s;
}

TEST(errors)
{
	struct sock_filter ret = RET(1), bad = S(BPF_LD | BPF_IMM, 1), got[2];
	struct sock_fprog p = { 1, &ret };
	int s = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), v = 1;
	socklen_t len;

	ERR(setsockopt(s, SOL_SOCKET, SO_DETACH_FILTER, &v, sizeof(v)), ENOENT);
	ERR(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p) - 1), EINVAL);
	ERR(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p) + 1), EINVAL);
	p.filter = (void *)8;
	ERR(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)), EFAULT);
	p.filter = NULL;
	ERR(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)), EINVAL);
	p = (struct sock_fprog){ 0, &ret };
	ERR(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)), EINVAL);
	p = (struct sock_fprog){ 4097, &ret };
	ERR(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)), EINVAL);
	p = (struct sock_fprog){ 1, &bad };
	ERR(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)), EINVAL);
	len = 0;
	OK(getsockopt(s, SOL_SOCKET, SO_GET_FILTER, got, &len));
	EQ(len, 0);
	EQ(ATTACH(s, S(BPF_LD | BPF_IMM, 7), S(BPF_RET | BPF_A, 0)), 0);
	len = 0;
	OK(getsockopt(s, SOL_SOCKET, SO_GET_FILTER, got, &len));
	EQ(len, 2);
	len = 1;
	ERR(getsockopt(s, SOL_SOCKET, SO_GET_FILTER, got, &len), EINVAL);
	len = 2;
	OK(getsockopt(s, SOL_SOCKET, SO_GET_FILTER, got, &len));
	EQ(len, 2);
	CHECK(got[0].code == (BPF_LD | BPF_IMM) && got[0].k == 7);
	OK(setsockopt(s, SOL_SOCKET, SO_DETACH_FILTER, &v, sizeof(v)));
	EQ(ATTACH(s, RET(1)), 0);
	v = 0;
	OK(setsockopt(s, SOL_SOCKET, SO_LOCK_FILTER, &v, sizeof(v)));
	v = 1;
	OK(setsockopt(s, SOL_SOCKET, SO_LOCK_FILTER, &v, sizeof(v)));
	ERR(ATTACH(s, RET(2)), EPERM);
	ERR(setsockopt(s, SOL_SOCKET, SO_DETACH_FILTER, &v, sizeof(v)), EPERM);
	v = 0;
	ERR(setsockopt(s, SOL_SOCKET, SO_LOCK_FILTER, &v, sizeof(v)), EPERM);
	len = sizeof(v);
	OK(getsockopt(s, SOL_SOCKET, SO_LOCK_FILTER, &v, &len));
	EQ(v, 1);
}

/* Programs of more than net.core.optmem_max are refused. */
TEST(limit)
{
	static struct sock_filter f[4096];
	struct sock_fprog p = { 4096, f };
	int s, fd = open("/proc/sys/net/core/optmem_max", O_RDWR);

	if (fd < 0)
		SKIP("no optmem_max");
	s = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
	for (int i = 0; i < 4096; i++)
		f[i] = (struct sock_filter)RET(1);
	EQ(pwrite(fd, "20000", 5, 0), 5);
	ERR(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)), ENOMEM);
	EQ(ATTACH(s, RET(1)), 0);
	EQ(pwrite(fd, "131072", 6, 0), 6);
	p.len = 1000;
	for (int i = 0; i < 20; i++)	/* what was there before is given back */
		OK(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)));
}

TEST(local)
{
	char b[16];
	int v[2];

	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, v));
	EQ(ATTACH(v[1], S(BPF_LD | BPF_B | BPF_ABS, 0), IF('a'), S(BPF_LD | BPF_B | BPF_ABS, 3),
		  IF('d'), RET(0)),
	   0);
	EQ(send(v[0], "nothing", 7, 0), 7);	/* dropped, and nobody is told */
	EQ(send(v[0], "abc", 3, 0), 3);
	EQ(send(v[0], "xxxd", 4, 0), 4);
	EQ(send(v[0], "xx", 2, 0), 2);		/* a load past the end */
	EQ(recv(v[1], b, sizeof(b), 0), 3);
	EQ(recv(v[1], b, sizeof(b), 0), 4);
	ERR(recv(v[1], b, sizeof(b), MSG_DONTWAIT), EAGAIN);
	EQ(ATTACH(v[1], RET(2)), 0);
	EQ(send(v[0], "long", 4, 0), 4);
	EQ(recv(v[1], b, sizeof(b), MSG_TRUNC), 2);
	/* A shift by X counts its low five bits; one by more than a constant 31 is none. */
	EQ(ATTACH(v[1], S(BPF_LD | BPF_IMM, 1), S(BPF_LDX | BPF_IMM, 33),
		  S(BPF_ALU | BPF_LSH | BPF_X, 0), S(BPF_RET | BPF_A, 0)),
	   0);
	EQ(send(v[0], "long", 4, 0), 4);
	EQ(recv(v[1], b, sizeof(b), MSG_TRUNC), 2);
	ERR(ATTACH(v[1], S(BPF_LD | BPF_IMM, 1), S(BPF_ALU | BPF_LSH | BPF_K, 32),
		   S(BPF_RET | BPF_A, 0)),
	    EINVAL);
	ERR(ATTACH(v[1], S(BPF_LD | BPF_IMM, 1), S(BPF_ALU | BPF_RSH | BPF_K, 32),
		   S(BPF_RET | BPF_A, 0)),
	    EINVAL);
}

/* A UDP socket's filter begins at the UDP header, which it cannot cut. */
TEST(udp)
{
	struct sockaddr_in a, from;
	socklen_t len = sizeof(from);
	static char b[70000];
	int s, x, big = 1 << 20;

	own_net();
	s = bound(SOCK_DGRAM, &a);
	x = bound(SOCK_DGRAM, &from);
	setsockopt(s, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	EQ(ATTACH(s, S(BPF_LD | BPF_H | BPF_ABS, 2), IF(ntohs(a.sin_port)), RET(0)), 0);
	EQ(sendto(x, "hi", 2, 0, SA(a)), 2);
	EQ(recvfrom(s, b, sizeof(b), 0, (struct sockaddr *)&from, &len), 2);
	EQ(ATTACH(s, RET(1)), 0);
	EQ(sendto(x, "hi", 2, 0, SA(a)), 2);
	EQ(recv(s, b, sizeof(b), 0), 0);
	EQ(ATTACH(s, RET(8 + 5)), 0);
	EQ(sendto(x, "more than that", 14, 0, SA(a)), 14);
	EQ(recv(s, b, sizeof(b), MSG_TRUNC), 5);
	/* bytes far behind, in pages */
	memset(b, 'x', sizeof(b));
	b[30000] = 7;
	EQ(ATTACH(s, S(BPF_LD | BPF_W | BPF_ABS, 8 + 29998), IF(0x78780778), RET(0)), 0);
	EQ(sendto(x, b, 29999, 0, SA(a)), 29999);
	EQ(sendto(x, b, 40000, 0, SA(a)), 40000);
	EQ(recv(s, b, sizeof(b), MSG_DONTWAIT), 40000);
	/* the IP header, the link's, and the length */
	EQ(ATTACH(s, S(BPF_LD | BPF_W | BPF_ABS, (unsigned int)SKF_NET_OFF + 16), IF(0x7f000001),
		  RET(0)),
	   0);
	EQ(sendto(x, "a", 1, 0, SA(a)), 1);
	EQ(recv(s, b, sizeof(b), MSG_DONTWAIT), 1);
	EQ(ATTACH(s, S(BPF_LD | BPF_H | BPF_ABS, (unsigned int)SKF_LL_OFF + 12), IF(0x800), RET(0)),
	   0);
	EQ(sendto(x, "a", 1, 0, SA(a)), 1);
	EQ(recv(s, b, sizeof(b), MSG_DONTWAIT), 1);
	EQ(ATTACH(s, S(BPF_LD | BPF_LEN, 0), IF(9), RET(0)), 0);
	EQ(sendto(x, "aa", 2, 0, SA(a)), 2);
	EQ(sendto(x, "a", 1, 0, SA(a)), 1);
	EQ(recv(s, b, sizeof(b), MSG_DONTWAIT), 1);
}

TEST(facts)
{
	static const struct {
		unsigned int fact, value;
	} facts[] = {
		{ SKF_AD_PROTOCOL, 0x800 },	{ SKF_AD_PKTTYPE, 0 },
		{ SKF_AD_IFINDEX, 1 },		{ SKF_AD_HATYPE, 772 },
		{ SKF_AD_VLAN_TAG_PRESENT, 0 }, { SKF_AD_PAY_OFFSET, 8 },
	};
	struct sockaddr_in a;
	char b[10];
	int s;

	own_net();
	s = bound(SOCK_DGRAM, &a);
	for (unsigned int i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		EQ(ATTACH(s, FACT(facts[i].fact), IF(facts[i].value), RET(0)), 0);
		EQ(sendto(s, "a", 1, 0, SA(a)), 1);
		EQ(recv(s, b, sizeof(b), MSG_DONTWAIT), 1);
	}
	ERR(ATTACH(s, FACT(SKF_AD_MAX), RET(0)), EINVAL);
	EQ(ATTACH(s, S(BPF_LDX | BPF_IMM, 5), S(BPF_LD | BPF_IMM, 6), FACT(SKF_AD_ALU_XOR_X), IF(3),
		  RET(0)),
	   0);
	EQ(sendto(s, "a", 1, 0, SA(a)), 1);
	EQ(recv(s, b, sizeof(b), MSG_DONTWAIT), 1);
}

TEST(raw)
{
	struct sockaddr_in a;
	char b[100];
	int s, x;

	own_net();
	s = OK(socket(AF_INET, SOCK_RAW, IPPROTO_UDP));
	x = bound(SOCK_DGRAM, &a);
	EQ(ATTACH(s, S(BPF_LDX | BPF_B | BPF_MSH, 0), S(BPF_LD | BPF_B | BPF_IND, 8), IF('y'),
		  RET(0)),
	   0);
	EQ(sendto(x, "no", 2, 0, SA(a)), 2);
	EQ(sendto(x, "yes", 3, 0, SA(a)), 3);
	EQ(recv(s, b, sizeof(b), 0), 31);
	CHECK(!memcmp(b + 28, "yes", 3));
	ERR(recv(s, b, sizeof(b), MSG_DONTWAIT), EAGAIN);
}

/*
 * A listener's filter drops SYNs; a connection has that of its listener, and what it drops is sent
 * again.
 */
TEST(tcp)
{
	struct sockaddr_in a;
	struct pollfd p;
	int l, c, s, v = 1;
	char b[10];

	own_net();
	l = bound(SOCK_STREAM, &a);
	OK(listen(l, 5));
	EQ(ATTACH(l, RET(0)), 0);
	c = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	ERR(connect(c, SA(a)), EINPROGRESS);
	p = (struct pollfd){ l, POLLIN, 0 };
	EQ(poll(&p, 1, 100), 0);
	/*
	 * segments with data, whose header is 32 bytes, are dropped: len == 32 passes; so do SYNs
	 */
	EQ(ATTACH(l, S(BPF_LD | BPF_LEN, 0), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 40, 0, 1), RET(0),
		  RET(0xffff)),
	   0);
	EQ(poll(&p, 1, 15000), 1);
	s = OK(accept(l, NULL, NULL));
	EQ(send(c, "0123456789", 10, 0), 10);
	p.fd = s;
	EQ(poll(&p, 1, 100), 0);
	OK(setsockopt(s, SOL_SOCKET, SO_DETACH_FILTER, &v, sizeof(v)));
	EQ(poll(&p, 1, 15000), 1);
	EQ(recv(s, b, 10, 0), 10);
	/* what is cut off was never received: the rest comes again and again in parts */
	EQ(ATTACH(s, RET(32 + 4)), 0);
	EQ(send(c, "abcdefgh", 8, 0), 8);
	EQ(recv(s, b, 10, 0), 4);
	EQ(poll(&p, 1, 15000), 1);
	EQ(recv(s, b + 4, 6, 0), 4);
	CHECK(!memcmp(b, "abcdefgh", 8));
}

/*
 * A netlink socket's filter begins at the message's header: of two answers the errors alone come.
 */
TEST(netlink)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg m;
	} q = { { sizeof(q), RTM_GETLINK, NLM_F_REQUEST, 1, 0 }, { .ifi_index = 1 } };
	struct nlmsghdr *h;
	char b[4096];
	int s;

	own_net();
	s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	if (s < 0)
		SKIP("no netlink");
	EQ(send(s, &q, sizeof(q), 0), sizeof(q));
	CHECK(recv(s, b, sizeof(b), MSG_DONTWAIT) > (int)sizeof(*h));
	EQ(ATTACH(s, S(BPF_LD | BPF_H | BPF_ABS, 4), IF(htons(NLMSG_ERROR)), RET(0)), 0);
	EQ(send(s, &q, sizeof(q), 0), sizeof(q));
	ERR(recv(s, b, sizeof(b), MSG_DONTWAIT), EAGAIN);
	/* an attribute: RTM_NEWLINK's IFLA_IFNAME, whose text lies 4 bytes behind its offset */
	EQ(ATTACH(s, S(BPF_LDX | BPF_IMM, IFLA_IFNAME), S(BPF_LD | BPF_IMM, sizeof(q)),
		  FACT(SKF_AD_NLATTR), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0),
		  S(BPF_MISC | BPF_TAX, 0), S(BPF_LD | BPF_H | BPF_IND, 4), IF('l' << 8 | 'o'),
		  RET(0)),
	   0);
	EQ(send(s, &q, sizeof(q), 0), sizeof(q));
	CHECK(recv(s, b, sizeof(b), MSG_DONTWAIT) > (int)sizeof(*h));
	EQ(ATTACH(s, S(BPF_LD | BPF_H | BPF_ABS, 4), IF(htons(NLMSG_ERROR)), RET(0)), 0);
	q.m.ifi_index = 4711;
	EQ(send(s, &q, sizeof(q), 0), sizeof(q));
	CHECK(recv(s, b, sizeof(b), MSG_DONTWAIT) >= (int)sizeof(*h));
	h = (struct nlmsghdr *)b;
	EQ(h->nlmsg_type, NLMSG_ERROR);
}
