/* SPDX-License-Identifier: MIT */
/*
 * One packet and very many sockets: groups of SO_REUSEPORT, receivers of a broadcast, raw sockets,
 * taps; and one with a filter that takes long. Each gets what it should; the debug kernel counts
 * how long sections are (guest/sections). proves: socket bind connect sendto recv setsockopt close
 */
#define TEST_LIMIT 120
#include "lo.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define MOST 6000

static int socks[MOST];

/* A network of its own, and room for many files. */
static void many_files(void)
{
	struct rlimit l = { MOST + 100, MOST + 100 };

	own_net();
	OK(setrlimit(RLIMIT_NOFILE, &l));
}

static void set(int s, int level, int name, int v)
{
	OK(setsockopt(s, level, name, &v, sizeof(v)));
}

static int udp(const char *a, int port, int option)
{
	int s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in in = in_addr_of(a, port);

	set(s, SOL_SOCKET, option, 1);
	OK(bind(s, SA(in)));
	return s;
}

static void send_byte(int s, const char *a, int port, char c)
{
	struct sockaddr_in to = in_addr_of(a, port);

	EQ(sendto(s, &c, 1, 0, SA(to)), 1);
}

/* What S has next; -1: nothing. */
static int next(int s)
{
	unsigned char c[100];
	ssize_t n = recv(s, c, sizeof(c), MSG_DONTWAIT);

	if (n < 0)
		CHECK(errno == EAGAIN);
	return n > 0 ? c[n - 1] : -1;
}

static void close_all(int n)
{
	for (int i = 0; i < n; i++)
		close(socks[i]);
}

/* Which of N has C, alone. */
static int holder(int n, char c)
{
	int who = -1;

	for (int i = 0; i < n; i++) {
		int v = next(socks[i]);

		if (v < 0)
			continue;
		EQ(v, c);
		EQ(who, -1);
		who = i;
	}
	CHECK(who >= 0);
	return who;
}

TEST(group_of_many)
{
	int n = 5000, from, who;

	many_files();
	for (int i = 0; i < n; i++)
		socks[i] = udp("127.0.0.1", 4002, SO_REUSEPORT);
	from = OK(socket(AF_INET, SOCK_DGRAM, 0));
	send_byte(from, "127.0.0.1", 4002, 'a');
	who = holder(n, 'a');
	send_byte(from, "127.0.0.1", 4002, 'b');
	EQ(holder(n, 'b'), who);	/* a flow stays */
	/* its member goes: another has the flow */
	close(socks[who]);
	socks[who] = socks[--n];
	send_byte(from, "127.0.0.1", 4002, 'c');
	holder(n, 'c');
	close_all(n);
}

TEST(group_shares_flows)
{
	int n = 4, got[4] = { 0 }, total = 0;

	many_files();
	for (int i = 0; i < n; i++)
		socks[i] = udp("127.0.0.1", 4002, SO_REUSEPORT);
	for (int i = 0; i < 400; i++) {
		int from = OK(socket(AF_INET, SOCK_DGRAM, 0));

		send_byte(from, "127.0.0.1", 4002, 'x');
		got[holder(n, 'x')]++;
		close(from);
	}
	for (int i = 0; i < n; i++) {
		CHECK(got[i] > 20);	/* 100 are expected */
		total += got[i];
	}
	EQ(total, 400);
}

TEST(the_youngest_has_a_shared_port)
{
	int n = 3, from;

	many_files();
	for (int i = 0; i < n; i++)
		socks[i] = udp("127.0.0.1", 4002, SO_REUSEADDR);
	from = OK(socket(AF_INET, SOCK_DGRAM, 0));
	for (; n; n--) {
		send_byte(from, "127.0.0.1", 4002, 'a');
		EQ(holder(n, 'a'), n - 1);
		close(socks[n - 1]);
	}
	/* one of a device before those of none, whenever it became so */
	for (; n < 3; n++)
		socks[n] = udp("127.0.0.1", 4002, SO_REUSEADDR);
	OK(setsockopt(socks[1], SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	send_byte(from, "127.0.0.1", 4002, 'b');
	EQ(holder(n, 'b'), 1);
	close(socks[1]);
	socks[1] = socks[2];
	send_byte(from, "127.0.0.1", 4002, 'c');
	EQ(holder(2, 'c'), 1);
}

TEST(many_hear_a_broadcast)
{
	int n = 1500, from;

	many_files();
	for (int i = 0; i < n; i++)
		socks[i] = udp("0.0.0.0", 4001, SO_REUSEADDR);
	from = OK(socket(AF_INET, SOCK_DGRAM, 0));
	set(from, SOL_SOCKET, SO_BROADCAST, 1);
	send_byte(from, "127.255.255.255", 4001, 'a');
	send_byte(from, "127.255.255.255", 4001, 'b');
	for (int i = 0; i < n; i++) {
		EQ(next(socks[i]), 'a');
		EQ(next(socks[i]), 'b');
		EQ(next(socks[i]), -1);
	}
	close_all(n);
}

/* Those of /proc/net/FILE with the port, or protocol, NR. */
static int lines_of(const char *file, int nr)
{
	char line[300], want[10];
	FILE *f = fopen(file, "r");
	int n = 0;

	CHECK(f);
	snprintf(want, sizeof(want), ":%04X ", nr);
	while (fgets(line, sizeof(line), f)) {
		char *p = strstr(line, want);

		n += p && p < line + 30;
	}
	fclose(f);
	return n;
}

TEST(many_are_listed)
{
	int n = 3000;

	many_files();
	for (int i = 0; i < n; i++)
		socks[i] = udp("127.0.0.1", 4003, SO_REUSEADDR);
	EQ(lines_of("/proc/net/udp", 4003), n);
	close_all(n);
	EQ(lines_of("/proc/net/udp", 4003), 0);
}

#define PROTOCOL 253		/* for experiments (RFC 3692); nobody handles it */

TEST(many_raw)
{
	struct sockaddr_in me = in_addr_of("127.0.0.1", 0), to = in_addr_of("127.0.0.2", 0),
			   other = in_addr_of("127.0.0.9", 0);
	int n = 1000, from;

	many_files();
	for (int i = 0; i < n; i++)
		socks[i] = OK(socket(AF_INET, SOCK_RAW, PROTOCOL));
	EQ(lines_of("/proc/net/raw", PROTOCOL), n);
	from = OK(socket(AF_INET, SOCK_RAW, PROTOCOL));
	OK(bind(from, SA(me)));
	OK(connect(from, SA(to)));
	EQ(send(from, "a", 1, 0), 1);
	for (int i = 0; i < n; i++) {
		EQ(next(socks[i]), 'a');
		EQ(next(socks[i]), -1);
	}
	ERR(recv(from, me.sin_zero, 1, MSG_DONTWAIT), EAGAIN);
	/* None of them wants it: the sender hears that nobody speaks the protocol. */
	for (int i = 0; i < n; i++)
		OK(connect(socks[i], SA(other)));
	EQ(send(from, "8 bytes", 8, 0), 8);
	ERR(recv(from, me.sin_zero, 1, MSG_DONTWAIT), ENOPROTOOPT);
	for (int i = 0; i < n; i++)
		EQ(next(socks[i]), -1);
	close_all(n);
	EQ(lines_of("/proc/net/raw", PROTOCOL), 1);
}

static int taps_listed(void)
{
	FILE *f = fopen("/proc/net/ptype", "r");
	char line[200];
	int n = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n += !strncmp(line, "ALL ", 4);
	fclose(f);
	return n;
}

/* A packet of lo is sent and received: taps see it twice. */
TEST(many_taps)
{
	struct sockaddr_ll from;
	int n = 400, s, other;

	many_files();
	other = OK(socket(AF_INET, SOCK_DGRAM, 0));
	for (int i = 0; i < n; i++)
		socks[i] = OK(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)));
	EQ(taps_listed(), n);
	send_byte(other, "127.0.0.1", 9, 't');
	for (int i = 0; i < n; i++) {
		unsigned char b[200];
		socklen_t len = sizeof(from);

		s = socks[i];
		EQ(recvfrom(s, b, sizeof(b), MSG_DONTWAIT, (struct sockaddr *)&from, &len), 29);
		EQ(from.sll_pkttype, PACKET_OUTGOING);
		EQ(b[28], 't');
		len = sizeof(from);
		EQ(recvfrom(s, b, sizeof(b), MSG_DONTWAIT, (struct sockaddr *)&from, &len), 29);
		EQ(from.sll_pkttype, PACKET_HOST);
	}
	close_all(n);
	EQ(taps_listed(), 0);
}

#define SEARCHES 2000
#define ATTRS 3900

/*
 * A filter that searches a packet for an attribute, again and again. It keeps what lies before the
 * attribute; one of many pages is not searched.
 */
TEST(searching_filter)
{
	static struct sock_filter f[2 * SEARCHES + 2];
	static unsigned int b[15000];
	struct sock_fprog prog = { 2 * SEARCHES + 2, f };
	int s, r, n = 0;

	many_files();
	f[n++] = (struct sock_filter){ BPF_LDX | BPF_IMM, 0, 0, 7 };
	for (int i = 0; i < SEARCHES; i++) {
		/* behind UDP's header */
		f[n++] = (struct sock_filter){ BPF_LD | BPF_IMM, 0, 0, 8 };
		f[n++] = (struct sock_filter){ BPF_LD | BPF_W | BPF_ABS, 0, 0,
					       (unsigned int)SKF_AD_OFF + SKF_AD_NLATTR };
	}
	f[n++] = (struct sock_filter){ BPF_RET | BPF_A, 0, 0, 0 };
	EQ(n, prog.len);
	for (int i = 0; i < 15000; i++)
		b[i] = i == ATTRS ? 7u << 16 | 4 : 1u << 16 | 4;
	r = udp("127.0.0.1", 4004, SO_REUSEADDR);
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(setsockopt(r, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)));
	for (int size = 4 * ATTRS; size <= 4 * ATTRS + 4; size += 4) {
		struct sockaddr_in to = in_addr_of("127.0.0.1", 4004);

		EQ(sendto(s, b, (size_t)size, 0, SA(to)), size);
	}
	/* The first has no such attribute: it is dropped. */
	EQ(recv(r, b, sizeof(b), MSG_DONTWAIT), 4 * ATTRS);
	ERR(recv(r, b, sizeof(b), MSG_DONTWAIT), EAGAIN);
	{
		struct sockaddr_in to = in_addr_of("127.0.0.1", 4004);

		b[ATTRS] = 7u << 16 | 4;
		EQ(sendto(s, b, sizeof(b), 0, SA(to)), (long)sizeof(b));
	}
	ERR(recv(r, b, sizeof(b), MSG_DONTWAIT), EAGAIN);
}
