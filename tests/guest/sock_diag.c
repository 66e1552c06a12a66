/* SPDX-License-Identifier: MIT */
/* Sockets and their state by sock_diag(7): of the internet protocols, local ones, netlink. */
#include "nl.h"
#include <linux/inet_diag.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/un.h>

static unsigned int seen, seen_port;
static unsigned long inode;

static unsigned long inode_of(int fd)
{
	struct stat st;

	OK(fstat(fd, &st));
	return st.st_ino;
}

/* Reads a dump by buffers of ROOM bytes, and calls FN for each message: 0, or its error. */
static int answers(size_t room, void (*fn)(struct nlmsghdr *h))
{
	for (;;) {
		long n = OK(recv(sock, in, room, 0));

		for (struct nlmsghdr *h = (void *)in; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return -((struct nlmsgerr *)NLMSG_DATA(h))->error;
			fn(h);
		}
	}
}

static void inet_seen(struct nlmsghdr *h)
{
	struct inet_diag_msg *m = NLMSG_DATA(h);

	seen++;
	EQ(m->idiag_family, AF_INET);
	if (m->idiag_inode == inode)
		seen_port = ntohs(m->id.idiag_sport);
}

static int diag_inet(int protocol, unsigned int states, const void *code, size_t len)
{
	struct inet_diag_req_v2 *q = begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*q));

	q->sdiag_family = AF_INET;
	q->sdiag_protocol = (unsigned char)protocol;
	q->idiag_states = states;
	q->idiag_ext = 0xff;
	if (len)
		attr(INET_DIAG_REQ_BYTECODE, code, len);
	put();
	seen = seen_port = 0;
	return answers(sizeof(in), inet_seen);
}

TEST(diag_of_inet)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct inet_diag_bc_op code[2] = { { INET_DIAG_BC_S_EQ, 8, 12 }, {} },
			       bad = { INET_DIAG_BC_JMP, 4, 40 };
	socklen_t len = sizeof(a);
	int l, u;

	own_net(NETLINK_SOCK_DIAG);
	begin(16, 0, 16);	/* another protocol's */
	EQ(done(), EINVAL);
	l = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(bind(l, (void *)&a, sizeof(a)));
	OK(listen(l, 3));
	OK(getsockname(l, (void *)&a, &len));
	inode = inode_of(l);
	EQ(diag_inet(IPPROTO_TCP, ~0u, NULL, 0), 0);
	EQ(seen, 1);
	EQ(seen_port, ntohs(a.sin_port));
	EQ(diag_inet(IPPROTO_TCP, 1 << 1, NULL, 0), 0);
	EQ(seen, 0);
	code[1].no = ntohs(a.sin_port);
	EQ(diag_inet(IPPROTO_TCP, ~0u, code, sizeof(code)), 0);
	EQ(seen, 1);
	code[1].no++;
	EQ(diag_inet(IPPROTO_TCP, ~0u, code, sizeof(code)), 0);
	EQ(seen, 0);
	EQ(diag_inet(IPPROTO_TCP, ~0u, &bad, sizeof(bad)), EINVAL);
	for (int i = 0; i < 300; i++) {
		u = OK(socket(AF_INET, SOCK_DGRAM, 0));
		a.sin_port = 0;
		OK(bind(u, (void *)&a, sizeof(a)));
	}
	EQ(diag_inet(IPPROTO_UDP, ~0u, NULL, 0), 0);
	EQ(seen, 300);
	EQ(diag_inet(99, ~0u, NULL, 0), ENOENT);
}

static void ask_for(unsigned int protocol, int in_header)
{
	struct inet_diag_req_v2 *q = begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*q));
	int err;

	q->sdiag_family = AF_INET;
	q->sdiag_protocol = (unsigned char)in_header;
	q->idiag_states = ~0u;
	attr_u32(INET_DIAG_REQ_PROTOCOL, protocol);
	put();
	seen = 0;
	err = answers(sizeof(in), inet_seen);
	CHECK(!err || (protocol == 262 && err == ENOENT));
}

/* MPTCP's number has no room in the header: what fits of it there is TCP's. */
TEST(protocol_as_an_attribute)
{
	int l;

	own_net(NETLINK_SOCK_DIAG);
	l = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(listen(l, 1));
	ask_for(262, IPPROTO_TCP);
	EQ(seen, 0);
	ask_for(IPPROTO_TCP, IPPROTO_UDP);
	EQ(seen, 1);
	ask_for(IPPROTO_UDP, IPPROTO_TCP);
	EQ(seen, 0);
}

TEST(diag_of_unix)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0diag" };
	struct unix_diag_req *q;
	struct unix_diag_msg *m;
	struct nlattr *at;
	int s = OK(socket(AF_UNIX, SOCK_STREAM, 0)), pair[2];

	own_net(NETLINK_SOCK_DIAG);
	s = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(bind(s, (void *)&a, offsetof(struct sockaddr_un, sun_path) + 5));
	OK(listen(s, 7));
	q = begin(SOCK_DIAG_BY_FAMILY, 0, sizeof(*q));
	q->sdiag_family = AF_UNIX;
	q->udiag_ino = (unsigned int)inode_of(s);
	q->udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN;
	q->udiag_cookie[0] = q->udiag_cookie[1] = ~0u;
	put();
	OK(recv(sock, in, sizeof(in), 0));
	m = NLMSG_DATA((struct nlmsghdr *)in);
	EQ(m->udiag_state, 10);
	EQ(m->udiag_ino, inode_of(s));
	at = find((void *)in, sizeof(*m), UNIX_DIAG_NAME);
	CHECK(at && at->nla_len == 4 + 5 && !memcmp(at + 1, "\0diag", 5));
	at = find((void *)in, sizeof(*m), UNIX_DIAG_RQLEN);
	CHECK(at);
	EQ(((struct unix_diag_rqlen *)(at + 1))->udiag_wqueue, 7);
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	q = begin(SOCK_DIAG_BY_FAMILY, 0, sizeof(*q));
	q->sdiag_family = AF_UNIX;
	q->udiag_ino = (unsigned int)inode_of(pair[0]);
	q->udiag_show = UDIAG_SHOW_PEER;
	q->udiag_cookie[0] = q->udiag_cookie[1] = ~0u;
	put();
	OK(recv(sock, in, sizeof(in), 0));
	EQ(u32_of(find((void *)in, sizeof(*m), UNIX_DIAG_PEER)), inode_of(pair[1]));
	q = begin(SOCK_DIAG_BY_FAMILY, 0, sizeof(*q));
	q->sdiag_family = AF_UNIX;
	q->udiag_ino = 1;
	EQ(done(), ENOENT);
}

static void unix_seen(struct nlmsghdr *h)
{
	struct unix_diag_msg *m = NLMSG_DATA(h);

	EQ(m->udiag_family, AF_UNIX);
	if (!(m->udiag_state == 1))
		return;
	/* Of a pair one names the other. */
	seen++;
	CHECK(find(h, sizeof(*m), UNIX_DIAG_PEER));
	seen_port += u32_of(find(h, sizeof(*m), UNIX_DIAG_PEER)) == m->udiag_ino;
}

static int diag_dump(const void *q, size_t len, void (*fn)(struct nlmsghdr *h))
{
	memcpy(begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, len), q, len);
	put();
	/* A short buffer: a bucket's sockets do not fit into one message. */
	return answers(4096, fn);
}

TEST(dump_of_many_pairs)
{
	struct unix_diag_req q = { .sdiag_family = AF_UNIX,
				   .udiag_states = ~0u,
				   .udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN };
	int pair[2];

	own_net(NETLINK_SOCK_DIAG);
	for (int i = 0; i < 400; i++)
		OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	EQ(diag_dump(&q, sizeof(q), unix_seen), 0);
	EQ(seen, 800);
	EQ(seen_port, 0);
}

static void listener_seen(struct nlmsghdr *h)
{
	struct unix_diag_msg *m = NLMSG_DATA(h);
	struct nlattr *icons = find(h, sizeof(*m), UNIX_DIAG_ICONS);

	if (m->udiag_state != 10)
		return;
	CHECK(icons);
	seen = (unsigned int)(icons->nla_len - NLA_HDRLEN) / 4;
	for (unsigned int i = 0; i < seen; i++)
		seen_port += ((unsigned int *)(icons + 1))[i];
}

/* Connections that wait to be accepted are listed with their clients. */
TEST(waiting_connections)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0diag" };
	struct unix_diag_req q = { .sdiag_family = AF_UNIX,
				   .udiag_states = ~0u,
				   .udiag_show = UDIAG_SHOW_ICONS };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 5;
	unsigned int inodes = 0;
	int l;

	own_net(NETLINK_SOCK_DIAG);
	l = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(bind(l, (void *)&a, len));
	OK(listen(l, 100));
	for (int i = 0; i < 50; i++) {
		int c = OK(socket(AF_UNIX, SOCK_STREAM, 0));

		OK(connect(c, (void *)&a, len));
		inodes += (unsigned int)inode_of(c);
	}
	EQ(diag_dump(&q, sizeof(q), listener_seen), 0);
	EQ(seen, 50);
	EQ(seen_port, inodes);
}

/* ---- the inode of a socket ---- */

/* How many lines of FILE have the inode of FD. */
static int lines_of(const char *file, int fd)
{
	char line[400], want[24], *save;
	FILE *f = fopen(file, "r");
	int n = 0;

	CHECK(f);
	snprintf(want, sizeof(want), "%lu", inode_of(fd));
	while (fgets(line, sizeof(line), f))
		for (char *w = strtok_r(line, " \n", &save); w; w = strtok_r(NULL, " \n", &save))
			if (!strcmp(w, want)) {
				n++;
				break;
			}
	fclose(f);
	return n;
}

static int bound(int family, int type, int protocol, const void *a, socklen_t len)
{
	int s = OK(socket(family, type, protocol));

	OK(bind(s, a, len));
	return s;
}

TEST(proc_names_inodes)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6 };
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(a);
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int l, c, s, pair[2];

	own_net(NETLINK_SOCK_DIAG);
	OK(ioctl(OK(socket(AF_INET, SOCK_DGRAM, 0)), SIOCSIFFLAGS, &lo));
	l = bound(AF_INET, SOCK_STREAM, 0, &a, sizeof(a));
	OK(listen(l, 3));
	OK(getsockname(l, (void *)&a, &len));
	c = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(connect(c, (void *)&a, sizeof(a)));
	s = OK(accept(l, NULL, NULL));
	EQ(lines_of("/proc/net/tcp", l), 1);
	EQ(lines_of("/proc/net/tcp", c), 1);
	EQ(lines_of("/proc/net/tcp", s), 1);
	a.sin_port = 0;
	s = bound(AF_INET, SOCK_DGRAM, 0, &a, sizeof(a));
	EQ(lines_of("/proc/net/udp", s), 1);
	s = bound(AF_INET6, SOCK_DGRAM, 0, &a6, sizeof(a6));
	EQ(lines_of("/proc/net/udp6", s), 1);
	s = OK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	EQ(lines_of("/proc/net/raw", s), 1);
	s = OK(socket(AF_PACKET, SOCK_RAW, 0));
	EQ(lines_of("/proc/net/packet", s), 1);
	s = bound(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK, &nl, sizeof(nl));
	EQ(lines_of("/proc/net/netlink", s), 1);
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	EQ(lines_of("/proc/net/unix", pair[0]), 1);
	EQ(lines_of("/proc/net/unix", pair[1]), 1);
}

static void netlink_seen(struct nlmsghdr *h)
{
	struct netlink_diag_msg *m = NLMSG_DATA(h);

	EQ(m->ndiag_protocol, NETLINK_USERSOCK);
	seen++;
	seen_port += m->ndiag_portid;
}

TEST(dump_of_netlink)
{
	struct netlink_diag_req q = { .sdiag_family = AF_NETLINK,
				      .sdiag_protocol = NETLINK_USERSOCK,
				      .ndiag_show = NDIAG_SHOW_MEMINFO };
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	unsigned int sum = 0;

	own_net(NETLINK_SOCK_DIAG);
	for (unsigned int i = 1; i <= 300; i++) {
		a.nl_pid = i << 20;
		sum += a.nl_pid;
		OK(bind(OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK)), (void *)&a, sizeof(a)));
	}
	EQ(diag_dump(&q, sizeof(q), netlink_seen), 0);
	EQ(seen, 300);
	EQ(seen_port, sum);
}

/* ---- both families at once ---- */

static struct inet_diag_msg found;
static int found_v6only;

static void six_seen(struct nlmsghdr *h)
{
	struct inet_diag_msg *m = NLMSG_DATA(h);
	struct nlattr *a = (void *)(m + 1);

	if (m->idiag_inode != inode)
		return;
	seen++;
	found = *m;
	found_v6only = -1;
	for (; (char *)a < (char *)h + h->nlmsg_len;
	     a = (void *)((char *)a + NLA_ALIGN(a->nla_len)))
		if (a->nla_type == INET_DIAG_SKV6ONLY)
			found_v6only = *(char *)(a + 1);
}

static void diag_six(int protocol, int fd)
{
	struct inet_diag_req_v2 q = { .sdiag_family = AF_INET6,
				      .sdiag_protocol = (unsigned char)protocol,
				      .idiag_states = ~0u,
				      .idiag_ext = 0xff };

	inode = inode_of(fd);
	seen = 0;
	EQ(diag_dump(&q, sizeof(q), six_seen), 0);
	EQ(seen, 1);
	EQ(found.idiag_family, AF_INET6);
}

static int six(int type, int only)
{
	int s = OK(socket(AF_INET6, type, 0));

	OK(setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)));
	return s;
}

TEST(sockets_of_both_families)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 }, c = a;
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	socklen_t len = sizeof(a);
	static const unsigned int none[4];
	unsigned int mapped[4] = { 0, 0, htonl(0xffff), htonl(INADDR_LOOPBACK) };
	int l, s;

	own_net(NETLINK_SOCK_DIAG);
	OK(ioctl(OK(socket(AF_INET, SOCK_DGRAM, 0)), SIOCSIFFLAGS, &up));
	l = six(SOCK_STREAM, 0);
	OK(bind(l, (void *)&a, sizeof(a)));
	OK(listen(l, 3));
	OK(getsockname(l, (void *)&a, &len));
	diag_six(IPPROTO_TCP, l);
	EQ(found_v6only, 0);
	CHECK(!memcmp(found.id.idiag_src, none, 16));
	s = six(SOCK_STREAM, 1);
	OK(bind(s, (void *)&c, sizeof(c)));
	OK(listen(s, 3));
	diag_six(IPPROTO_TCP, s);
	EQ(found_v6only, 1);

	/* Its ends are addresses of IPv4. */
	s = six(SOCK_STREAM, 0);
	memcpy(&a.sin6_addr, mapped, 16);
	OK(connect(s, (void *)&a, sizeof(a)));
	diag_six(IPPROTO_TCP, s);
	EQ(found_v6only, -1);
	CHECK(!memcmp(found.id.idiag_src, mapped, 16));
	CHECK(!memcmp(found.id.idiag_dst, mapped, 16));
	EQ(found.id.idiag_dport, a.sin6_port);
	inode = inode_of(s);
	EQ(diag_inet(IPPROTO_TCP, 1 << 1, NULL, 0), 0);
	EQ(seen, 0);

	s = six(SOCK_DGRAM, 0);
	OK(bind(s, (void *)&c, sizeof(c)));
	diag_six(IPPROTO_UDP, s);
	EQ(found_v6only, 0);
}

/* ---- packet sockets ---- */

static struct packet_diag_info info;
static struct packet_diag_mclist want;
static struct packet_diag_ring ring;
static int filter_len;

static void packet_seen(struct nlmsghdr *h)
{
	struct packet_diag_msg *m = NLMSG_DATA(h);
	struct nlattr *a = (void *)(m + 1);

	if (m->pdiag_ino != inode)
		return;
	seen++;
	EQ(m->pdiag_family, AF_PACKET);
	EQ(m->pdiag_type, SOCK_RAW);
	EQ(m->pdiag_num, 0x0806);
	filter_len = -1;
	for (; (char *)a < (char *)h + h->nlmsg_len;
	     a = (void *)((char *)a + NLA_ALIGN(a->nla_len))) {
		if (a->nla_type == PACKET_DIAG_INFO)
			memcpy(&info, a + 1, sizeof(info));
		if (a->nla_type == PACKET_DIAG_MCLIST && a->nla_len == NLA_HDRLEN + sizeof(want))
			memcpy(&want, a + 1, sizeof(want));
		if (a->nla_type == PACKET_DIAG_RX_RING)
			memcpy(&ring, a + 1, sizeof(ring));
		if (a->nla_type == PACKET_DIAG_FILTER)
			filter_len = a->nla_len - NLA_HDRLEN;
	}
}

TEST(dump_of_packet_sockets)
{
	struct packet_diag_req q = { .sdiag_family = AF_PACKET, .pdiag_show = 0x3f };
	struct sock_filter take = BPF_STMT(BPF_RET | BPF_K, 100);
	struct sock_fprog prog = { 1, &take };
	struct tpacket_req r = { 4096, 2, 2048, 4 };
	struct packet_mreq mr = { .mr_ifindex = 1, .mr_type = PACKET_MR_PROMISC };
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(0x0806),
				  .sll_ifindex = 1 };
	int p, on = 1;

	own_net(NETLINK_SOCK_DIAG);
	p = OK(socket(AF_PACKET, SOCK_RAW, 0));
	OK(bind(p, (void *)&ll, sizeof(ll)));
	OK(setsockopt(p, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)));
	OK(setsockopt(p, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr, sizeof(mr)));
	OK(setsockopt(p, SOL_PACKET, PACKET_RX_RING, &r, sizeof(r)));
	OK(setsockopt(p, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)));
	inode = inode_of(p);
	seen = 0;
	EQ(diag_dump(&q, sizeof(q), packet_seen), 0);
	EQ(seen, 1);
	EQ(info.pdi_index, 1);
	EQ(info.pdi_flags & PDI_AUXDATA, PDI_AUXDATA);
	EQ(want.pdmc_type, PACKET_MR_PROMISC);
	EQ(want.pdmc_count, 1);
	EQ(ring.pdr_block_size, 4096);
	EQ(ring.pdr_frame_nr, 4);
	EQ(filter_len, 8);
	q.sdiag_protocol = 1;
	EQ(diag_dump(&q, sizeof(q), packet_seen), EINVAL);
}
