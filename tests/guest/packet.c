/* SPDX-License-Identifier: MIT */
/*
 * Packet sockets (packet(7)) over loopback. proves: socket bind sendto recvfrom recvmsg setsockopt
 * getsockopt getsockname mmap poll ioctl
 */
#include "t.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <linux/sockios.h>

#define SA(x) ((struct sockaddr *)&(x)), sizeof(x)
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static int udp;
static struct sockaddr_in udp_at;

static void lo_is(int up)
{
	struct ifreq r = { .ifr_name = "lo" };

	OK(ioctl(udp, SIOCGIFFLAGS, &r));
	r.ifr_flags = (short)(up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
	OK(ioctl(udp, SIOCSIFFLAGS, &r));
}

/* A network of one's own with lo up, and a UDP socket that sends to itself. */
static void own_net(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(udp_at);

	if (unshare(CLONE_NEWNET))
		SKIP("no network namespaces");
	udp = OK(socket(AF_INET, SOCK_DGRAM, 0));
	lo_is(1);
	OK(bind(udp, SA(in)));
	OK(getsockname(udp, (struct sockaddr *)&udp_at, &len));
}

static void ping(const char *s)
{
	char b[70000];
	size_t n = strlen(s);

	EQ(sendto(udp, s, n, 0, SA(udp_at)), n);
	EQ(recv(udp, b, sizeof(b), 0), n);
}

static struct sockaddr_ll at_lo(int protocol)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_protocol = htons((unsigned short)protocol),
				  .sll_ifindex = 1 };

	return ll;
}

static int opened(int type, int protocol)
{
	return OK(socket(AF_PACKET, type | SOCK_NONBLOCK, htons((unsigned short)protocol)));
}

TEST(kinds)
{
	struct sockaddr_ll ll;
	socklen_t len = sizeof(ll);
	int s, v;

	own_net();
	ERR(socket(AF_PACKET, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
	s = opened(SOCK_RAW, 0);
	OK(getsockname(s, (struct sockaddr *)&ll, &len));
	EQ(len, 12);
	CHECK(ll.sll_family == AF_PACKET && !ll.sll_ifindex && !ll.sll_protocol && !ll.sll_halen);
	ERR(getpeername(s, (struct sockaddr *)&ll, &len), EOPNOTSUPP);
	ll = at_lo(ETH_P_ARP);
	ERR(bind(s, (struct sockaddr *)&ll, sizeof(ll) - 1), EINVAL);
	ll.sll_family = AF_INET;
	ERR(bind(s, SA(ll)), EINVAL);
	ll = at_lo(ETH_P_ARP);
	ll.sll_ifindex = 4711;
	ERR(bind(s, SA(ll)), ENODEV);
	ll = at_lo(ETH_P_ARP);
	OK(bind(s, SA(ll)));
	len = sizeof(ll);
	OK(getsockname(s, (struct sockaddr *)&ll, &len));
	EQ(len, 18);
	CHECK(ll.sll_ifindex == 1 && ll.sll_protocol == htons(ETH_P_ARP));
	CHECK(ll.sll_hatype == ARPHRD_LOOPBACK && ll.sll_halen == 6);
	ERR(listen(s, 1), EOPNOTSUPP);
	ERR(connect(s, SA(ll)), EOPNOTSUPP);
	ERR(recv(s, &v, sizeof(v), MSG_OOB), EINVAL);
	ERR(recv(s, &v, sizeof(v), 0), EAGAIN);
	ERR(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, s, 0) == MAP_FAILED ? -1 : 0, EINVAL);
	len = sizeof(v);
	OK(getsockopt(s, SOL_SOCKET, SO_DOMAIN, &v, &len));
	EQ(v, AF_PACKET);
}

TEST(rights)
{
	int s, pid, status;

	own_net();
	pid = OK(fork());
	if (!pid) {
		if (setuid(1000))
			_exit(1);
		s = socket(AF_PACKET, SOCK_RAW, 0);
		_exit(s >= 0 || errno != EPERM);
	}
	OK(waitpid(pid, &status, 0));
	EQ(status, 0);
}

/* Loopback shows each packet twice to ETH_P_ALL: as it goes and as it comes. */
TEST(raw)
{
	struct sockaddr_ll ll;
	socklen_t len = sizeof(ll);
	unsigned char b[200];
	int s, ip, v = 1;

	own_net();
	s = opened(SOCK_RAW, ETH_P_ALL);
	ip = opened(SOCK_RAW, ETH_P_IP);
	ping("hello");
	EQ(recvfrom(s, b, sizeof(b), 0, (struct sockaddr *)&ll, &len), 14 + 28 + 5);
	EQ(len, sizeof(ll));
	CHECK(ll.sll_family == AF_PACKET && ll.sll_protocol == htons(ETH_P_IP));
	EQ(ll.sll_ifindex, 1);
	EQ(ll.sll_pkttype, PACKET_OUTGOING);
	EQ(ll.sll_hatype, ARPHRD_LOOPBACK);
	EQ(ll.sll_halen, 6);
	CHECK(b[12] == 8 && !b[13] && b[14] == 0x45 && !memcmp(b + 42, "hello", 5));
	len = sizeof(ll);
	EQ(recvfrom(s, b, sizeof(b), MSG_PEEK | MSG_TRUNC, (struct sockaddr *)&ll, &len), 47);
	EQ(recvfrom(s, b, 20, MSG_TRUNC, (struct sockaddr *)&ll, &len), 47);
	EQ(ll.sll_pkttype, PACKET_HOST);
	CHECK(b[12] == 8 && b[14] == 0x45);
	ERR(recv(s, b, sizeof(b), 0), EAGAIN);
	EQ(recvfrom(ip, b, sizeof(b), 0, (struct sockaddr *)&ll, &len), 47); /* what comes alone */
	EQ(ll.sll_pkttype, PACKET_HOST);
	ERR(recv(ip, b, sizeof(b), 0), EAGAIN);
	OK(setsockopt(s, SOL_PACKET, PACKET_IGNORE_OUTGOING, &v, sizeof(v)));
	ping("again");
	EQ(recvfrom(s, b, sizeof(b), 0, (struct sockaddr *)&ll, &len), 47);
	EQ(ll.sll_pkttype, PACKET_HOST);
	ERR(recv(s, b, sizeof(b), 0), EAGAIN);
	v = 2;
	ERR(setsockopt(s, SOL_PACKET, PACKET_IGNORE_OUTGOING, &v, sizeof(v)), EINVAL);
}

/* Cooked ones begin with the network header; the rest of the message is in pages. */
TEST(cooked)
{
	static char big[3001];
	struct sockaddr_ll ll;
	socklen_t len = sizeof(ll);
	unsigned char b[4000];
	struct timeval tv;
	int s;

	own_net();
	s = opened(SOCK_DGRAM, ETH_P_ALL);
	ERR(ioctl(s, SIOCGSTAMP, &tv), ENOENT);
	memset(big, 'x', 3000);
	big[2999] = 'y';
	ping(big);
	for (int i = 0; i < 2; i++) {
		len = sizeof(ll);
		EQ(recvfrom(s, b, sizeof(b), 0, (struct sockaddr *)&ll, &len), 3028);
		CHECK(b[0] == 0x45 && b[28] == 'x' && b[3027] == 'y');
		EQ(ll.sll_pkttype, i ? PACKET_HOST : PACKET_OUTGOING);
	}
	OK(ioctl(s, SIOCGSTAMP, &tv));
	CHECK(tv.tv_sec > 0);
}

/* The UDP socket is one at an address A that lo gets. */
static void listen_at(const char *a)
{
	struct ifreq r = { .ifr_name = "lo:1" };
	struct sockaddr_in *in = (struct sockaddr_in *)&r.ifr_addr;
	socklen_t len = sizeof(udp_at);

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = inet_addr(a);
	OK(ioctl(udp, SIOCSIFADDR, &r));
	close(udp);
	udp = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(bind(udp, &r.ifr_addr, sizeof(*in)));
	OK(getsockname(udp, (struct sockaddr *)&udp_at, &len));
}

/* A frame that the program makes comes back by lo, to UDP too; its sender does not see it go. */
TEST(sending)
{
	struct sockaddr_ll ll = at_lo(ETH_P_IP), from;
	unsigned char frame[14 + 28 + 5] = {
		[12] = 8, [14] = 0x45, [17] = 33, [22] = 64, [23] = 17
	};
	unsigned char b[100];
	socklen_t len = sizeof(from);
	unsigned int sum = 0;
	int s, c, big = 70000;
	static char large[70000];

	own_net();
	listen_at("10.9.9.9");
	s = opened(SOCK_RAW, ETH_P_ALL);
	inet_pton(AF_INET, "192.0.2.1", frame + 26);
	memcpy(frame + 30, &udp_at.sin_addr, 4);
	for (int i = 14; i < 34; i += 2)
		sum += (unsigned int)(frame[i] << 8 | frame[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	frame[24] = (unsigned char)(sum >> 8);
	frame[25] = (unsigned char)sum;
	memcpy(frame + 34, &udp_at.sin_port, 2);
	memcpy(frame + 36, &udp_at.sin_port, 2);
	frame[39] = 13;
	memcpy(frame + 42, "frame", 5);
	ERR(send(s, frame, sizeof(frame), 0), ENXIO);
	ERR(sendto(s, frame, sizeof(frame), 0, (struct sockaddr *)&ll, 12), EINVAL);
	ERR(sendto(s, frame, 13, 0, SA(ll)), EINVAL);
	ERR(sendto(s, large, (size_t)big, 0, SA(ll)), EMSGSIZE);
	EQ(sendto(s, frame, sizeof(frame), 0, SA(ll)), sizeof(frame));
	EQ(recv(udp, b, sizeof(b), 0), 5);
	CHECK(!memcmp(b, "frame", 5));
	EQ(recvfrom(s, b, sizeof(b), 0, (struct sockaddr *)&from, &len), sizeof(frame));
	EQ(from.sll_pkttype, PACKET_HOST);	/* lo's address is zero, and so is the frame's */
	ERR(recv(s, b, sizeof(b), 0), EAGAIN);
	/* cooked: the header is made; bound: no address is needed by lo */
	c = opened(SOCK_DGRAM, 0);
	OK(bind(c, SA(ll)));
	EQ(sendto(c, frame + 14, sizeof(frame) - 14, 0, SA(ll)), sizeof(frame) - 14);
	EQ(recv(udp, b, sizeof(b), 0), 5);
	EQ(send(c, frame + 14, sizeof(frame) - 14, 0), sizeof(frame) - 14);
	EQ(recv(udp, b, sizeof(b), 0), 5);
	ll.sll_ifindex = 99;
	ERR(sendto(c, frame, 20, 0, SA(ll)), ENXIO);
	lo_is(0);
	ll.sll_ifindex = 1;
	ERR(sendto(c, frame, 20, 0, SA(ll)), ENETDOWN);
}

/* A device that goes down is told once; up again, packets come. */
TEST(down)
{
	struct sockaddr_ll ll = at_lo(ETH_P_ALL);
	struct pollfd p;
	char b[100];
	int s, v;
	socklen_t len = sizeof(v);

	own_net();
	s = opened(SOCK_RAW, 0);
	OK(bind(s, SA(ll)));
	p = (struct pollfd){ s, POLLIN, 0 };
	EQ(poll(&p, 1, 0), 0);
	lo_is(0);
	EQ(poll(&p, 1, 0), 1);
	EQ(p.revents, POLLERR);
	ERR(recv(s, b, sizeof(b), 0), ENETDOWN);
	ERR(recv(s, b, sizeof(b), 0), EAGAIN);
	lo_is(1);
	ping("x");
	EQ(poll(&p, 1, 0), 1);
	EQ(p.revents, POLLIN);
	EQ(recv(s, b, sizeof(b), 0), 43);
	lo_is(0);
	v = 0;
	OK(getsockopt(s, SOL_SOCKET, SO_ERROR, &v, &len));
	EQ(v, ENETDOWN);
	close(s);
	s = opened(SOCK_RAW, 0);
	OK(bind(s, SA(ll)));		/* to a device that is down: told, and bound */
	ERR(recv(s, b, sizeof(b), 0), ENETDOWN);
	lo_is(1);
	ping("x");
	EQ(recv(s, b, sizeof(b), 0), 43);
}

/* Filters speak before anything is kept; what they cut is told. */
TEST(filter)
{
	struct sock_filter f[] = { BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
				   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 3),
				   BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					    (unsigned int)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
				   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
				   BPF_STMT(BPF_RET | BPF_K, 30),
				   BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog p = { sizeof(f) / sizeof(*f), f };
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} c;
	char b[100];
	struct iovec v = { b, sizeof(b) };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c)
	};
	struct tpacket_auxdata a;
	int s, on = 1;

	own_net();
	s = opened(SOCK_RAW, ETH_P_ALL);
	OK(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)));
	OK(setsockopt(s, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)));
	ping("0123456789");
	EQ(recvmsg(s, &m, 0), 30);
	CHECK(!(m.msg_flags & MSG_TRUNC));
	CHECK(m.msg_controllen && c.h.cmsg_level == SOL_PACKET && c.h.cmsg_type == PACKET_AUXDATA);
	memcpy(&a, CMSG_DATA(&c.h), sizeof(a));
	EQ(a.tp_len, 52);
	EQ(a.tp_snaplen, 30);
	EQ(a.tp_net, 14);
	CHECK(a.tp_status & TP_STATUS_USER);
	ERR(recv(s, b, sizeof(b), 0), EAGAIN);
}

/* A reader that does not read loses packets, which are counted. */
TEST(losing)
{
	struct tpacket_stats st;
	socklen_t len = sizeof(st);
	int s, size = 1, got = 0;
	char b[100];

	own_net();
	s = opened(SOCK_RAW, ETH_P_IP);
	OK(setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	for (int i = 0; i < 100; i++)
		ping("x");
	OK(getsockopt(s, SOL_PACKET, PACKET_STATISTICS, &st, &len));
	EQ(st.tp_packets, 100);
	CHECK(st.tp_drops > 50 && st.tp_drops < 100);
	while (recv(s, b, sizeof(b), 0) > 0)
		got++;
	EQ(got, 100 - (int)st.tp_drops);
	OK(getsockopt(s, SOL_PACKET, PACKET_STATISTICS, &st, &len));
	EQ(st.tp_packets, 0);
	EQ(st.tp_drops, 0);
}

TEST(memberships)
{
	struct packet_mreq q = { .mr_ifindex = 1, .mr_type = PACKET_MR_PROMISC };
	char line[200] = "";
	int s, found = 0;
	FILE *f;

	own_net();
	s = opened(SOCK_RAW, 0);
	ERR(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof(q) - 1), EINVAL);
	OK(setsockopt(s, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &q, sizeof(q)));
	q.mr_ifindex = 77;
	ERR(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof(q)), ENODEV);
	q.mr_ifindex = 1;
	q.mr_type = PACKET_MR_MULTICAST;
	q.mr_alen = 5;
	ERR(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof(q)), EINVAL);
	q.mr_alen = 6;
	memcpy(q.mr_address, "\x01\x02\x03\x04\x05\x07", 6);
	OK(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof(q)));
	f = fopen("/proc/net/dev_mcast", "r");
	while (f && fgets(line, sizeof(line), f))
		found |= !!strstr(line, "010203040507");
	if (f)
		fclose(f);
	CHECK(found || !f);
	q = (struct packet_mreq){ .mr_ifindex = 1, .mr_type = PACKET_MR_ALLMULTI };
	OK(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof(q)));
	q.mr_type = PACKET_MR_PROMISC;
	OK(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof(q)));
	OK(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof(q)));
	OK(setsockopt(s, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &q, sizeof(q)));
	OK(setsockopt(s, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &q, sizeof(q)));
	OK(setsockopt(s, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &q, sizeof(q)));
}

/* Memberships are charged: there is an end to them. */
TEST(many_memberships)
{
	struct packet_mreq q = { .mr_ifindex = 1, .mr_type = PACKET_MR_MULTICAST, .mr_alen = 6 };
	int s, n, fd = open("/proc/sys/net/core/optmem_max", O_WRONLY);

	own_net();
	s = opened(SOCK_RAW, 0);
	for (n = 0; n < 100000; n++) {
		q.mr_address[0] = 1;
		memcpy(q.mr_address + 1, &n, 4);
		if (setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof(q)))
			break;
		if (n == 5000)
			SKIP("unlimited here");
	}
	EQ(errno, ENOBUFS);
	close(s);
	s = opened(SOCK_RAW, 0);
	OK(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof(q)));
	close(fd);
}

TEST(options)
{
	int s, v;
	socklen_t len = sizeof(v);

	own_net();
	s = opened(SOCK_RAW, 0);
	for (v = TPACKET_V1; v <= TPACKET_V2; v++) {
		int n = v;

		OK(getsockopt(s, SOL_PACKET, PACKET_HDRLEN, &n, &len));
		EQ(n, 32);
	}
	v = 9;
	ERR(getsockopt(s, SOL_PACKET, PACKET_HDRLEN, &v, &len), EINVAL);
	ERR(setsockopt(s, SOL_PACKET, PACKET_VERSION, &v, sizeof(v)), EINVAL);
	v = TPACKET_V2;
	ERR(setsockopt(s, SOL_PACKET, PACKET_VERSION, &v, sizeof(v) - 1), EINVAL);
	OK(setsockopt(s, SOL_PACKET, PACKET_VERSION, &v, sizeof(v)));
	v = 0;
	OK(getsockopt(s, SOL_PACKET, PACKET_VERSION, &v, &len));
	EQ(v, TPACKET_V2);
	ERR(setsockopt(s, SOL_PACKET, 200, &v, sizeof(v)), ENOPROTOOPT);
	ERR(getsockopt(s, SOL_PACKET, 200, &v, &len), ENOPROTOOPT);
	ERR(setsockopt(s, SOL_IP, 1, &v, sizeof(v)), ENOPROTOOPT);
}

/* The I-th frame at F holds the end of ping("frames"); it is given back. */
static void check_frame(unsigned char *f, int type, int version)
{
	struct tpacket_hdr *h1 = (void *)f;
	struct tpacket2_hdr *h2 = (void *)f;
	struct sockaddr_ll *ll = (void *)(f + 32);
	unsigned int mac = version ? h2->tp_mac : h1->tp_mac,
		     net = version ? h2->tp_net : h1->tp_net, want = type == SOCK_RAW ? 48 : 34;

	CHECK((version ? h2->tp_status : h1->tp_status) & TP_STATUS_USER);
	EQ(version ? h2->tp_len : h1->tp_len, want);
	EQ(version ? h2->tp_snaplen : h1->tp_snaplen, want);
	EQ(net, 80);
	EQ(mac, type == SOCK_RAW ? 66 : 80);
	CHECK(f[net] == 0x45 && !memcmp(f + net + 28, "frames", 6));
	CHECK(ll->sll_family == AF_PACKET && ll->sll_ifindex == 1);
	EQ(ll->sll_pkttype, PACKET_HOST);
	if (version)
		__atomic_store_n(&h2->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	else
		__atomic_store_n(&h1->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}

static void ring(int type, int version)
{
	struct tpacket_req q = {
		.tp_block_size = PAGE * 2, .tp_block_nr = 2, .tp_frame_size = PAGE, .tp_frame_nr = 4
	};
	int s = opened(type, ETH_P_IP), v = version;
	size_t size = PAGE * 4;
	struct tpacket_stats st;
	socklen_t len = sizeof(st);
	struct pollfd p = { s, POLLIN, 0 };
	unsigned char *m;

	OK(setsockopt(s, SOL_PACKET, PACKET_VERSION, &v, sizeof(v)));
	q.tp_frame_nr = 5;
	ERR(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)), EINVAL);
	q.tp_frame_nr = 4;
	q.tp_frame_size = 32;
	ERR(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)), EINVAL);
	q.tp_frame_size = PAGE;
	q.tp_block_size = 100;
	ERR(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)), EINVAL);
	q.tp_block_size = PAGE * 2;
	ERR(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q) - 1), EINVAL);
	ping("before");
	OK(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)));
	ERR(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)), EBUSY);
	ERR(setsockopt(s, SOL_PACKET, PACKET_VERSION, &v, sizeof(v)), EBUSY);
	CHECK(mmap(NULL, size - PAGE, PROT_READ, MAP_SHARED, s, 0) == MAP_FAILED);
	EQ(errno, EINVAL);
	m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, s, 0);
	CHECK(m != MAP_FAILED);
	EQ(poll(&p, 1, 0), 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 6; i++)		/* two more than there are frames */
			ping("frames");
		EQ(poll(&p, 1, 0), 1);
		for (int i = 0; i < 4; i++)
			check_frame(m + PAGE * i, type, version);
		EQ(poll(&p, 1, 0), 0);
		OK(getsockopt(s, SOL_PACKET, PACKET_STATISTICS, &st, &len));
		EQ(st.tp_drops, 2);
		EQ(st.tp_packets, round ? 6 : 6 + 1);	/* with what came before the ring */
	}
	q = (struct tpacket_req){ 0 };
	ERR(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)), EBUSY);
	OK(munmap(m, size));
	OK(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)));
	ping("queue");
	EQ(recv(s, &q, sizeof(q), MSG_TRUNC), type == SOCK_RAW ? 47 : 33);
	close(s);
}

TEST(rings)
{
	own_net();
	ring(SOCK_RAW, TPACKET_V2);
	ring(SOCK_RAW, TPACKET_V1);
	ring(SOCK_DGRAM, TPACKET_V2);
}

/* What is too long for a frame is cut, and comes whole by the queue if that was asked for. */
TEST(copy_thresh)
{
	struct tpacket_req q = { .tp_block_size = PAGE,
				 .tp_block_nr = 1,
				 .tp_frame_size = 256,
				 .tp_frame_nr = PAGE / 256 };
	int v = TPACKET_V2, s;
	static char big[2001], b[3000];
	struct tpacket2_hdr *h;
	unsigned int room;

	own_net();
	s = opened(SOCK_RAW, ETH_P_IP);
	OK(setsockopt(s, SOL_PACKET, PACKET_VERSION, &v, sizeof(v)));
	OK(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)));
	h = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, s, 0);
	CHECK(h != MAP_FAILED);
	memset(big, 'z', 2000);
	ping(big);
	room = 256u - h->tp_mac;
	EQ(h->tp_snaplen, room);
	EQ(h->tp_len, 2042);
	CHECK(!(h->tp_status & TP_STATUS_COPY));
	ERR(recv(s, b, sizeof(b), 0), EAGAIN);
	v = 1;
	OK(setsockopt(s, SOL_PACKET, PACKET_COPY_THRESH, &v, sizeof(v)));
	ping(big);
	h = (void *)((char *)h + 256);
	EQ(h->tp_snaplen, room);
	CHECK(h->tp_status & TP_STATUS_COPY);
	EQ(recv(s, b, sizeof(b), 0), 2042);
	CHECK(b[2041] == 'z');
	/* its end with the mapping in place, in two parts */
	OK(munmap((char *)h - 256, PAGE));
}

static int in_file(const char *path, const char *what)
{
	char line[300];
	FILE *f = fopen(path, "r");
	int found = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		found |= !!strstr(line, what);
	fclose(f);
	return found;
}

TEST(proc)
{
	int s;

	own_net();
	CHECK(!in_file("/proc/net/packet", "0806"));
	s = opened(SOCK_RAW, ETH_P_ARP);
	CHECK(in_file("/proc/net/packet", " 3    0806   0     1 "));
	CHECK(in_file("/proc/net/ptype", "0806          packet_"));
	CHECK(in_file("/proc/net/ptype", "0800          ip"));
	close(s);
	CHECK(!in_file("/proc/net/packet", "0806"));
}

/* Another network's packets are not seen, and its devices are not there. */
TEST(namespaces)
{
	int s;
	char b[10];

	own_net();
	s = opened(SOCK_RAW, ETH_P_ALL);
	close(udp);
	own_net();
	ping("here");
	ERR(recv(s, b, sizeof(b), 0), EAGAIN);
}

/* struct virtio_net_hdr, whose packaged header needs more than it */
struct vnet {
	unsigned char flags, gso_type;
	unsigned short hdr_len, gso_size, csum_start, csum_off;
};

/* A datagram of "hello" to the UDP socket, whose sum is left to the machine: N bytes of header. */
static int vnet_datagram(unsigned char *b, int n)
{
	struct vnet h = { .flags = 1, .csum_start = 34, .csum_off = 6 };
	static const unsigned char ip[] = { 0x45, 0,	0,   33, 0, 0, 0,   0, 64, 17,
					    0x7c, 0xca, 127, 0,	 0, 1, 127, 0, 0,  1 };
	unsigned int sum = 2 * 0x7f00 + 2 + 17 + 13;

	memset(b, 0, (size_t)n + 47);
	memcpy(b, &h, sizeof(h));
	b[n + 12] = 8;
	memcpy(b + n + 14, ip, sizeof(ip));
	memcpy(b + n + 34, &udp_at.sin_port, 2);
	memcpy(b + n + 36, &udp_at.sin_port, 2);
	b[n + 39] = 13;
	b[n + 40] = (unsigned char)(sum >> 8);
	b[n + 41] = (unsigned char)sum;
	memcpy(b + n + 42, "hello", 5);
	return n + 47;
}

TEST(vnet_header)
{
	struct sockaddr_ll to = at_lo(ETH_P_IP);
	unsigned char b[100];
	int s, r, n, v = 1;
	socklen_t len = sizeof(v);

	own_net();
	s = opened(SOCK_DGRAM, ETH_P_IP);
	ERR(setsockopt(s, SOL_PACKET, PACKET_VNET_HDR, &v, sizeof(v)), EINVAL);
	s = opened(SOCK_RAW, 0);
	r = opened(SOCK_RAW, ETH_P_IP);
	for (int size = 10; size <= 12; size += 2) {
		int name = size == 10 ? PACKET_VNET_HDR : 24 /* PACKET_VNET_HDR_SZ */;

		v = size == 10 ? 1 : size;
		OK(setsockopt(s, SOL_PACKET, name, &v, sizeof(v)));
		OK(setsockopt(r, SOL_PACKET, name, &v, sizeof(v)));
		OK(getsockopt(r, SOL_PACKET, 24, &v, &len));
		EQ(v, size);
		n = vnet_datagram(b, size);
		ERR(sendto(s, b, 9, 0, SA(to)), EINVAL);
		b[6] = 46;			/* the sum would lie behind the frame */
		ERR(sendto(s, b, (size_t)n, 0, SA(to)), EINVAL);
		b[6] = 34;
		for (int i = 0; i < 2; i++)
			EQ(sendto(s, b, (size_t)n, 0, SA(to)), n);
		ERR(recv(r, b, 9, MSG_TRUNC), EINVAL);	/* that one is lost */
		EQ(recv(r, b, sizeof(b), MSG_TRUNC), n);
		CHECK(b[0] == 1 && !b[1] && b[6] == 34 && b[8] == 6 && !b[size - 1]);
		CHECK(!memcmp(b + size + 42, "hello", 5));
		ERR(recv(r, b, sizeof(b), 0), EAGAIN);
	}
	v = 11;
	ERR(setsockopt(s, SOL_PACKET, 24, &v, sizeof(v)), EINVAL);
}

TEST(vnet_header_in_ring)
{
	struct tpacket_req q = {
		.tp_block_size = PAGE, .tp_block_nr = 1, .tp_frame_size = PAGE / 4, .tp_frame_nr = 4
	};
	struct sockaddr_ll to = at_lo(ETH_P_IP);
	int s, r, n, v = TPACKET_V2;
	struct tpacket2_hdr *h;
	unsigned char b[100];

	own_net();
	s = opened(SOCK_RAW, 0);
	r = opened(SOCK_RAW, ETH_P_ALL);
	OK(setsockopt(r, SOL_PACKET, PACKET_VERSION, &v, sizeof(v)));
	v = 1;
	OK(setsockopt(s, SOL_PACKET, PACKET_VNET_HDR, &v, sizeof(v)));
	OK(setsockopt(r, SOL_PACKET, PACKET_VNET_HDR, &v, sizeof(v)));
	OK(setsockopt(r, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)));
	ERR(setsockopt(r, SOL_PACKET, PACKET_VNET_HDR, &v, sizeof(v)), EBUSY);
	h = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r, 0);
	CHECK(h != MAP_FAILED);
	n = vnet_datagram(b, 10);
	EQ(sendto(s, b, (size_t)n, 0, SA(to)), n);
	EQ(poll(&(struct pollfd){ r, POLLIN, 0 }, 1, 10000), 1);
	EQ(h->tp_snaplen, 47);
	EQ(h->tp_net - h->tp_mac, 14);
	memcpy(b, (unsigned char *)h + h->tp_mac - 10, (size_t)n);
	CHECK(b[0] == 1 && !b[1] && b[6] == 34 && b[8] == 6 && !memcmp(b + 52, "hello", 5));
}
