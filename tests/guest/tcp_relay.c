/* SPDX-License-Identifier: MIT */
/*
 * TCP over a bad road: two network namespaces with a tap each, and a relay between them that loses,
 * delays, reorders, repeats and damages frames by seed. Each condition sends 64 KiB either way, and
 * then an end either way; every byte arrives once and in order, or the connection times out.
 *
 * A condition is one process with one loop: both taps, both ends. It depends on its number alone.
 * The normal run takes a few, all at once. RELAY=200 in the environment takes all, one after
 * another, and prints how long each took; RELAY_STEP=5 every fifth, RELAY_FROM=100 those from there
 * on. Under -icount with sleep=off that is quick, since nothing but timers makes it slow
 * (net/README.md has the table).
 *
 * ARP is delayed and nothing else: three requests are too few for such a road, on Linux too.
 * proves: socket connect accept4 listen read write poll
 */
#define TEST_LIMIT 3000
#include "t.h"
#include <arpa/inet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SIZE 65536
#define SIZE_MOST (4 * SIZE)
#define ETH 14
#define MOST_NS (600 * 1000000000LL)	/* of one condition */
#define CONDITIONS 200

static const int losses[] = { 0, 1, 5, 10, 20 };	/* percent */
static const int delays[] = { 0, 10, 50, 100, 300 };	/* ms, one way */
static const int mtus[] = { 576, 1500, 4000, 9000 };

struct condition {
	int loss, delay, mtu;
	bool rough;	/* reorders 10 %, repeats 3 %, damages 2 % */
	int late, by;	/* this long frame of the first end comes so many ms late; 0: none */
	bool each;	/* every one whose number `late` divides */
	int lost;	/* this one never comes */
	bool plain;	/* no timestamps */
};

static struct condition condition(int i)
{
	return (struct condition){ .loss = losses[i % 5],
				   .delay = delays[i / 5 % 5],
				   .mtu = mtus[i / 25 % 4],
				   .rough = i >= 100 };
}

/* ---- the relay ---- */

struct frame {
	struct frame *next;
	long long due;
	int to, len;
	unsigned char bytes[];
};

static struct frame *queue;	/* by `due`, the earliest first */
static unsigned int seed;
static struct condition c;
static int size = SIZE;

/* 0..99 */
static int roll(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return (int)(seed % 100);
}

static void enqueue(int to, const unsigned char *bytes, int len, long long due)
{
	struct frame *f = malloc(sizeof(*f) + (size_t)len), **at = &queue;

	CHECK(f);
	f->to = to;
	f->len = len;
	f->due = due;
	memcpy(f->bytes, bytes, (size_t)len);
	while (*at && (*at)->due <= due)
		at = &(*at)->next;
	f->next = *at;
	*at = f;
}

static bool is_picked(int frame)
{
	return frame == c.lost || frame == c.late || (c.each && frame % c.late == 0);
}

static void relay(int from, int to)
{
	static unsigned char b[9100];
	static int long_frames;
	long long due = t_now_ns() + c.delay * 1000000LL;
	int n;

	while ((n = (int)read(from, b, sizeof(b))) > 0) {
		bool ip4 = n > ETH && b[12] == 8 && b[13] == 0;

		if (!ip4) {
			enqueue(to, b, n, due);
			continue;
		}
		if (roll() < c.loss)
			continue;
		if (from < to && n > 1000 && is_picked(++long_frames)) {
			if (long_frames != c.lost)
				enqueue(to, b, n, due + c.by * 1000000LL);
			continue;
		}
		if (c.rough && roll() < 3)
			enqueue(to, b, n, due);
		if (c.rough && roll() < 2)
			b[ETH + (roll() * 100 + roll()) % (n - ETH)] ^=
				(unsigned char)(1 << roll() % 8);
		enqueue(to, b, n,
			due + (c.rough && roll() < 10 ? 2000000 + c.delay * 250000LL : 0));
	}
	EQ(errno, EAGAIN);
}

static void deliver(void)
{
	long long now = t_now_ns();

	while (queue && queue->due <= now) {
		struct frame *f = queue;

		queue = f->next;
		EQ(write(f->to, f->bytes, (size_t)f->len), f->len);
		free(f);
	}
}

/* ---- the ends ---- */

struct end {
	int fd, sent, got;
	bool ended;
};

/* The bytes that END sends. */
static unsigned char byte_at(int end, int i)
{
	return (unsigned char)(i * 7 + (i >> 8) + end);
}

/* -1: the connection timed out. */
static int step(struct end *e, int nr)
{
	static unsigned char b[SIZE_MOST];
	int n;

	for (int i = e->sent; i < size; i++)
		b[i] = byte_at(nr, i);
	while (e->sent < size) {
		n = (int)write(e->fd, b + e->sent, (size_t)(size - e->sent));
		if (n < 0)
			break;
		e->sent += n;
		if (e->sent == size)
			OK(shutdown(e->fd, SHUT_WR));
	}
	if (e->sent < size && errno == ETIMEDOUT)
		return -1;
	if (e->sent < size)
		EQ(errno, EAGAIN);
	while (!e->ended && (n = (int)read(e->fd, b, sizeof(b))) >= 0) {
		for (int i = 0; i < n; i++)
			if (b[i] != byte_at(!nr, e->got + i))
				FAIL("byte %d of end %d is wrong", e->got + i, nr);
		e->got += n;
		e->ended = !n;
	}
	if (!e->ended && errno == ETIMEDOUT)
		return -1;
	if (!e->ended)
		EQ(errno, EAGAIN);
	return 0;
}

static struct ifreq *named(const char *name)
{
	static struct ifreq r;

	memset(&r, 0, sizeof(r));
	strcpy(r.ifr_name, name);
	return &r;
}

static struct sockaddr_in address(int nr)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(7000),
				     .sin_addr.s_addr = htonl(0x0a090001u + (unsigned int)nr) };
}

static int netstat;	/* the first end's counters */

/* A namespace with its tap, which it returns; *sock is a socket of TCP there. */
static int make_net(int nr, int *sock)
{
	struct sockaddr_in in = address(nr);
	struct ifreq *r = named("t");
	int tap, s;

	if (unshare(CLONE_NEWNET))
		SKIP("no network namespaces");
	tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	if (tap < 0)
		SKIP("no /dev/net/tun");
	r->ifr_flags = IFF_TAP | IFF_NO_PI;
	OK(ioctl(tap, TUNSETIFF, r));
	if (!nr)
		netstat = OK(open("/proc/thread-self/net/netstat", O_RDONLY));
	*sock = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	if (c.plain) {
		s = OK(open("/proc/sys/net/ipv4/tcp_timestamps", O_WRONLY));
		EQ(write(s, "0", 1), 1);
		OK(close(s));
	}
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	r = named("t");
	r->ifr_mtu = c.mtu;
	OK(ioctl(s, SIOCSIFMTU, r));
	in.sin_port = 0;
	r = named("t");
	memcpy(&r->ifr_addr, &in, sizeof(in));
	OK(ioctl(s, SIOCSIFADDR, r));
	r = named("t");
	OK(ioctl(s, SIOCGIFFLAGS, r));
	r->ifr_flags |= IFF_UP;
	OK(ioctl(s, SIOCSIFFLAGS, r));
	OK(close(s));
	return tap;
}

static int poll_all(const int tap[2], const struct end end[2], int listener)
{
	struct pollfd p[5] = { { tap[0], POLLIN, 0 },
			       { tap[1], POLLIN, 0 },
			       { listener, POLLIN, 0 } };
	long long wait = queue ? queue->due - t_now_ns() : 1000000000;
	struct timespec ts = { 0 };
	int n = 3;

	if (wait > 0)
		ts = (struct timespec){ wait / 1000000000, wait % 1000000000 };
	for (int i = 0; i < 2; i++)
		if (end[i].fd >= 0 && !(end[i].ended && end[i].sent == size))
			p[n++] = (struct pollfd){ end[i].fd,
						  (short)((end[i].ended ? 0 : POLLIN) |
							  (end[i].sent < size ? POLLOUT : 0)),
						  0 };
	return ppoll(p, (nfds_t)n, &ts, NULL);
}

static struct tcp_info info;	/* of the first end, when all is over */

/* ms that it took, or -1 for ETIMEDOUT. */
static long run(int nr)
{
	struct sockaddr_in there;
	struct end end[2] = { { .fd = -1 }, { .fd = -1 } };
	int tap[2], listener, client;
	long long start;

	seed = 0x9e3779b9u * (unsigned int)(nr + 1);
	tap[0] = make_net(0, &client);
	tap[1] = make_net(1, &listener);
	there = address(1);
	OK(bind(listener, (void *)&there, sizeof(there)));
	OK(listen(listener, 1));
	start = t_now_ns();
	ERR(connect(client, (void *)&there, sizeof(there)), EINPROGRESS);
	end[0].fd = client;
	while (!end[0].ended || !end[1].ended) {
		if (t_now_ns() - start > MOST_NS)
			FAIL("condition %d: sent %d and %d, read %d and %d", nr, end[0].sent,
			     end[1].sent, end[0].got, end[1].got);
		OK(poll_all(tap, end, end[1].fd < 0 ? listener : -1));
		deliver();
		if (end[1].fd < 0)
			end[1].fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		for (int i = 0; i < 2; i++)
			if (end[i].fd >= 0 && step(&end[i], i))
				return -1;
		for (int i = 0; i < 2; i++)
			relay(tap[i], tap[!i]);
	}
	EQ(end[0].got, size);
	EQ(end[1].got, size);
	OK(getsockopt(end[0].fd, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){ sizeof(info) }));
	return (long)((t_now_ns() - start) / 1000000);
}

static pid_t started(int nr)
{
	pid_t pid = OK(fork());
	long ms;

	if (pid)
		return pid;
	c = condition(nr);
	ms = run(nr);
	if (getenv("RELAY"))
		printf("%d: loss %d%% delay %d ms mtu %d%s: %ld ms\n", nr, c.loss, c.delay, c.mtu,
		       c.rough ? " rough" : "", ms);
	exit(0);
}

static bool was_skipped(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == T_SKIPPED;
}

/* In this machine's time they take as long as the slowest. */
static const int few[] = { 5, 31, 57, 84, 101, 103, 108, 112, 127, 134, 157, 184 };
#define NR_FEW (sizeof(few) / sizeof(few[0]))

TEST(conditions)
{
	const char *all = getenv("RELAY"), *by = getenv("RELAY_STEP"), *from = getenv("RELAY_FROM");
	pid_t pids[NR_FEW];

	for (int i = from ? atoi(from) : 0; all && i < atoi(all) && i < CONDITIONS;
	     i += by ? atoi(by) : 1)
		EQ(t_wait(started(i)), 0);
	for (unsigned int i = 0; !all && i < NR_FEW; i++)
		pids[i] = started(few[i]);
	for (unsigned int i = 0; !all && i < NR_FEW; i++) {
		int status = t_wait(pids[i]);

		if (was_skipped(status))
			SKIP("no tap");
		EQ(status, 0);
	}
}

/*
 * The relay's delays are of this machine's time, and a busy host adds its own: how many segments go
 * again is checked where the clock counts instructions (command/tcp_relay).
 */
static bool exact(void)
{
	return getenv("RELAY_EXACT");
}

/* Sent again for nothing: cwnd and ssthresh are what they were. */
static void late(bool plain)
{
	c = (struct condition){ .delay = 50, .mtu = 1500, .late = 20, .by = 60, .plain = plain };
	CHECK(run(0) > 0);
	if (!exact())
		return;
	CHECK(info.tcpi_total_retrans > 0);
	CHECK(info.tcpi_snd_ssthresh > 100);
	CHECK(info.tcpi_snd_cwnd >= 20);
}

TEST(late_by_timestamps)
{
	late(false);
}

TEST(late_by_copies)
{
	late(true);
}

/* Every fifth segment comes MS late; AT_MOST segments go again for nothing. */
static void disorder(int ms, unsigned int at_most)
{
	c = (struct condition){ .delay = 50, .mtu = 1500, .late = 5, .each = true, .by = ms };
	size = SIZE_MOST;
	CHECK(run(0) > 0);
	if (getenv("RELAY"))
		printf("%d ms late: %u sent again, disorder %u, copies %u\n", ms,
		       info.tcpi_total_retrans, info.tcpi_reord_seen, info.tcpi_dsack_dups);
	if (!exact())
		return;
	CHECK(info.tcpi_reord_seen);
	CHECK(info.tcpi_total_retrans && info.tcpi_total_retrans <= at_most);
}

/* A quarter of a round trip is enough, once one has been late. */
TEST(disorder_is_known)
{
	disorder(15, 3);
}

/* It is not, and the reports of copies tell so. */
TEST(window_grows)
{
	disorder(40, 12);
}

/* The first end's TcpExt counter NAME. */
static int counter(const char *name)
{
	static char text[16384];
	int n = OK((int)pread(netstat, text, sizeof(text) - 1, 0)), at = 0;
	char *save, *word;

	text[n] = 0;
	for (word = strtok_r(text, " \n", &save); word && strcmp(word, name); at++)
		word = strtok_r(NULL, " \n", &save);
	while (word && strcmp(word, "TcpExt:"))
		word = strtok_r(NULL, " \n", &save);
	while (word && at--)
		word = strtok_r(NULL, " \n", &save);
	CHECK(word);
	return atoi(word);
}

/* One segment came after the lost one: the end of the window finds it, not a timeout. */
TEST(lost_near_end)
{
	c = (struct condition){ .delay = 50, .mtu = 1500, .lost = 45 };
	CHECK(run(0) > 0);
	if (!exact())
		return;
	EQ(info.tcpi_total_retrans, 1);
	EQ(counter("TCPTimeouts"), 0);
}
