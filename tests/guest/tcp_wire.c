/* SPDX-License-Identifier: MIT */
/*
 * TCP segment by segment: what a peer sees of congestion control, ECN, PSH, small windows, and what
 * TCP_INFO says meanwhile. proves: socket sendto recvmsg setsockopt getsockopt splice
 */
#define TEST_LIMIT 60
#include "tcp_wire.h"
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#define CA_DISORDER 1
#define CA_CWR 2
#define CA_RECOVERY 3

/* ---- congestion window ---- */

/* Slow start goes to twice of what was in flight, also where cwnd was not full. */
TEST(window_grows_with_use)
{
	int s = accepted();

	sends(s, 6 * MSS, 0);
	for (unsigned int i = 0; i < 6; i++)
		hears_data(1 + i * MSS, MSS);
	EQ(info_of(s).tcpi_snd_cwnd, 10);
	acks(1 + 2 * MSS, 0, 0);
	EQ(info_of(s).tcpi_snd_cwnd, 12);
	acks(1 + 6 * MSS, 0, 0);
	EQ(info_of(s).tcpi_snd_cwnd, 12);
}

static void wait_idle(int s)
{
	struct tcp_info i;

	do {
		poll(NULL, 0, 20);
		i = info_of(s);
	} while (i.tcpi_last_data_sent <= 4 * i.tcpi_rto / 1000);
}

TEST(window_after_idle)
{
	int s;

	timeouts = true;
	s = accepted();
	for (unsigned int turn = 0, at = 1; turn < 2; turn++) {
		sends(s, 20 * MSS, 0);
		for (unsigned int n = 0; n < 20; n++) {
			hears_data(at, MSS);
			at += MSS;
			acks(at, 0, 0);
		}
		CHECK(info_of(s).tcpi_snd_cwnd > 12);
		if (turn)
			break;
		set("tcp_slow_start_after_idle", "0");
		wait_idle(s);
		sends(s, MSS, 0);
		hears_data(at, MSS);
		CHECK(info_of(s).tcpi_snd_cwnd > 12);
		at += MSS;
		acks(at, 0, 0);
		set("tcp_slow_start_after_idle", "1");
		wait_idle(s);
		sends(s, 1, 0);
		hears_data(at, 1);
		EQ(info_of(s).tcpi_snd_cwnd, 10);
		at++;
		acks(at, 0, 0);
	}
}

/* One segment for each that arrives while cwnd shrinks (RFC 6937), the lost one first. */
TEST(shrinks_in_proportion)
{
	struct tcp_info i;
	int s = accepted();

	sends(s, 10 * MSS, 0);
	for (unsigned int n = 0; n < 10; n++)
		hears_data(1 + n * MSS, MSS);
	acks(1, 1 + MSS, 1 + 4 * MSS);
	hears_data(1, MSS);
	sends(s, 7 * MSS, 0);
	CHECK(is_silent());
	i = info_of(s);
	EQ(i.tcpi_ca_state, CA_RECOVERY);
	EQ(i.tcpi_snd_ssthresh, 7);
	EQ(i.tcpi_snd_cwnd, 7);
	EQ(i.tcpi_lost, 1);
	EQ(i.tcpi_retrans, 1);
	acks(1, 1 + MSS, 1 + 6 * MSS);
	hears_data(1 + 10 * MSS, MSS);
	hears_data(1 + 11 * MSS, MSS);
	CHECK(is_silent());
	acks(1 + 12 * MSS, 0, 0);
	CHECK(info_of(s).tcpi_snd_cwnd <= 8);
	EQ(info_of(s).tcpi_ca_state, 0);
}

/* All that came late with one ACK is one event; as many SACKs as it was late by are no loss. */
TEST(reordering)
{
	struct tcp_info i;
	int s = accepted();

	sends(s, 10 * MSS, 0);
	for (unsigned int n = 0; n < 10; n++)
		hears_data(1 + n * MSS, MSS);
	EQ(info_of(s).tcpi_reordering, 3);
	acks(1, 1 + 9 * MSS, 1 + 10 * MSS);
	acks(1 + 10 * MSS, 0, 0);
	i = info_of(s);
	/* What goes again, on a host that stood still, tells nothing of an order. */
	if (!i.tcpi_total_retrans) {
		EQ(i.tcpi_reordering, 10);
		EQ(i.tcpi_reord_seen, 1);
	}
	set("tcp_reordering", "20");
	EQ(info_of(OK(socket(AF_INET, SOCK_STREAM, 0))).tcpi_reordering, 20);
}

/* The handshake is a round trip, so that what is lost goes again soon. */
TEST(handshake_is_timed)
{
	struct tcp_info i;

	timeouts = true;
	i = info_of(accepted());
	CHECK(i.tcpi_rtt && i.tcpi_rto < 1000000);
	EQ(i.tcpi_options & (TCPI_OPT_TIMESTAMPS | TCPI_OPT_WSCALE), 0);
}

/*
 * The network namespace says how long a timeout is at least; a socket keeps what it was made with.
 */
TEST(least_timeout)
{
	struct tcp_info i;
	int f;

	timeouts = true;
	wire();
	f = OK(open("/proc/sys/net/ipv4/tcp_rto_min_us", O_RDWR));
	{
		char b[16] = "";

		CHECK(read(f, b, 15) > 0);
		EQ(atoi(b), 200000);
	}
	ERR(pwrite(f, "0", 1, 0), EINVAL);
	set("tcp_rto_min_us", "3000000");
	i = info_of(accepts(0, &(struct seg){ 0 }));
	CHECK(i.tcpi_rto >= 3000000 && i.tcpi_rto < 4000000);
}

/* ---- ECN (RFC 3168) ---- */

TEST(ecn_of_a_server)
{
	struct seg a;
	int s;

	wire();
	s = accepts(ECE | CWR, &a);
	EQ(a.flags & (ECE | CWR), ECE);
	EQ(a.tos & 3, 0);
	CHECK(info_of(s).tcpi_options & TCPI_OPT_ECN);
	sends(s, 4 * MSS, 0);
	for (unsigned int n = 0; n < 4; n++)
		EQ(hears_data(1 + n * MSS, MSS).tos & 3, 2);
	says((struct seg){ .flags = ACK | ECE, .seq = 1, .ack = 1 + MSS });
	EQ(info_of(s).tcpi_ca_state, CA_CWR);
	EQ(info_of(s).tcpi_snd_ssthresh, 7);
	acks(1 + 4 * MSS, 0, 0);
	sends(s, 2 * MSS, 0);
	EQ(hears_data(1 + 4 * MSS, MSS).flags & CWR, CWR);
	EQ(hears_data(1 + 5 * MSS, MSS).flags & CWR, 0);
	/* CE is told of until CWR is heard. */
	says((struct seg){ .flags = ACK, .seq = 1, .ack = 1 + 6 * MSS, .len = 10, .tos = 3 });
	EQ(hears_ack().flags & ECE, ECE);
	says((struct seg){ .flags = ACK, .seq = 11, .ack = 1 + 6 * MSS, .len = 10, .tos = 2 });
	EQ(hears_ack().flags & ECE, ECE);
	says((struct seg){
		.flags = ACK | CWR, .seq = 21, .ack = 1 + 6 * MSS, .len = 10, .tos = 2 });
	EQ(hears_ack().flags & ECE, 0);
}

/* A mark may be told of before its byte: that comes with any segment, with URG or without. */
TEST(mark_before_its_byte)
{
	int s = accepted();
	char b[4];

	for (unsigned int with = 0; with < 2; with++) {
		unsigned int at = 1 + 3 * with;
		struct pollfd f = { .fd = s, .events = POLLPRI };

		says((struct seg){ .flags = ACK, .seq = at, .ack = 1, .len = 1, .urgent = 3 });
		EQ(poll(&f, 1, 0), 0);
		ERR(recv(s, b, 1, MSG_OOB), EAGAIN);
		says((struct seg){
			.flags = ACK, .seq = at + 1, .ack = 1, .len = 2, .urgent = with ? 2 : 0 });
		EQ(poll(&f, 1, 10000), 1);
		EQ(recv(s, b, 4, 0), 2);
		EQ(recv(s, b, 1, MSG_OOB), 1);
		ERR(recv(s, b, 1, MSG_OOB), EINVAL);
	}
}

TEST(ecn_of_a_client)
{
	struct seg a;
	int s;

	wire();
	s = connects();
	EQ(hears().flags & (ECE | CWR), 0);	/* 2: only where the peer asks */
	close(s);
	set("tcp_ecn", "1");
	s = connects();
	EQ(hears().flags, SYN | ECE | CWR);
	a = hears();				/* again, without: somebody may drop the other */
	EQ(a.flags, SYN);
	says((struct seg){ .flags = SYN | ACK, .ack = 1 });
	EQ(hears().flags, ACK);
	EQ(info_of(s).tcpi_options & TCPI_OPT_ECN, 0);
	close(s);
	while (!(hears().flags & FIN))
		;
	s = connects();
	EQ(hears().flags, SYN | ECE | CWR);
	says((struct seg){ .flags = SYN | ACK | ECE, .ack = 1 });
	EQ(hears().tos & 3, 0);
	sends(s, MSS, 0);
	EQ(hears_data(1, MSS).tos & 3, 2);
}

TEST(ecn_is_off)
{
	struct seg a;

	wire();
	set("tcp_ecn", "0");
	accepts(ECE | CWR, &a);
	EQ(a.flags & (ECE | CWR), 0);
}

/* ---- what goes together, and what is pushed ---- */

TEST(push_at_the_end)
{
	int s, on = 1;

	timeouts = true;
	s = accepted();
	OK(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	sends(s, 40, MSG_MORE);
	sends(s, 40, 0);
	EQ(hears_data(1, 80).flags & PSH, PSH);
	acks(81, 0, 0);
	/* Corked, and let go: nothing says that it is the end. */
	sends(s, 40, MSG_MORE);
	OK(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	EQ(hears_data(81, 40).flags & PSH, 0);
	acks(121, 0, 0);
	/* By the timer alone. */
	sends(s, 10, MSG_MORE);
	EQ(hears_data(121, 10).flags & PSH, PSH);
}

/* A packet for the device to cut has half of cwnd at most, and ends with PSH. */
TEST(half_a_window_at_once)
{
	struct seg a;
	int s;

	vnet = VNET_HEADER;
	wire();
	set("tcp_min_tso_segs", "10");
	s = accepts(0, &a);
	sends(s, 10 * MSS, 0);
	EQ(hears_data(1, 5 * MSS).flags & PSH, PSH);
	EQ(hears_data(1 + 5 * MSS, 5 * MSS).flags & PSH, PSH);
}

/* Nothing joins what MSG_EOR ended. */
TEST(end_of_record)
{
	int s = accepted();

	sends(s, 10 * MSS + 400, 0);		/* cwnd, and 400 bytes that wait */
	sends(s, 100, MSG_EOR);
	sends(s, 300, 0);
	for (unsigned int n = 0; n < 10; n++)
		hears_data(1 + n * MSS, MSS);
	acks(1 + 10 * MSS, 0, 0);
	EQ(hears_data(1 + 10 * MSS, 500).flags & PSH, PSH);
	acks(1 + 10 * MSS + 500, 0, 0);
	hears_data(1 + 10 * MSS + 500, 300);
}

/*
 * A few bytes of window are not worth a segment, unless nothing else comes (RFC 9293, 3.8.6.2.1).
 */
TEST(silly_window)
{
	struct tcp_info i;
	int s = accepted();

	sends(s, MSS, 0);
	hears_data(1, MSS);
	window = 10;
	acks(1 + MSS, 0, 0);
	sends(s, MSS, 0);
	CHECK(is_silent());
	do {
		poll(NULL, 0, 5);
		i = info_of(s);
	} while (i.tcpi_rwnd_limited < 20000);
	CHECK(i.tcpi_busy_time >= i.tcpi_rwnd_limited);
	window = 30000;
	acks(1 + MSS, 0, 0);
	hears_data(1 + MSS, MSS);
	acks(1 + 2 * MSS, 0, 0);
	i = info_of(s);
	EQ(info_of(s).tcpi_rwnd_limited, i.tcpi_rwnd_limited);
	EQ(info_of(s).tcpi_busy_time, i.tcpi_busy_time);	/* nothing is left to do */
}

/* A writer is let go when half of the bound on unsent bytes is free. */
TEST(unsent_bound)
{
	int s = accepted(), low = 4 * MSS;
	struct pollfd p = { .fd = s, .events = POLLOUT };
	char b[60000] = "";
	long n;

	OK(setsockopt(s, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof(low)));
	n = OK(send(s, b, sizeof(b), MSG_DONTWAIT));
	CHECK(n >= 14 * MSS && n < 40 * MSS);
	for (unsigned int at = 0; at < 10; at++)
		hears_data(1 + at * MSS, MSS);
	EQ(poll(&p, 1, 0), 0);
	for (unsigned int at = 10; at < (unsigned int)n / MSS; at++) {
		acks(1 + at * MSS, 0, 0);
		hears_data(1 + at * MSS, MSS);
	}
	EQ(poll(&p, 1, 10000), 1);
	set("tcp_notsent_lowat", "4000");
	EQ(int_of(s, IPPROTO_TCP, TCP_NOTSENT_LOWAT), low);
}

/* What comes for a program that is gone is answered as if there had never been one. */
TEST(late_data)
{
	struct seg r;
	int s = accepted();

	OK(close(s));
	EQ(hears().flags & FIN, FIN);
	says((struct seg){ .flags = ACK, .seq = 1, .ack = 1, .len = 1 });
	do
		r = hears();
	while (!(r.flags & RST));
	EQ(r.flags, RST);
	EQ(r.seq, 1);
}

/* ---- readers and options ---- */

TEST(inq)
{
	int s = accepted(), on = 1, two = 2;
	char b[100], c[CMSG_SPACE(sizeof(int))];
	struct iovec v = { b, 40 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = c };

	ERR(setsockopt(s, IPPROTO_TCP, TCP_INQ, &two, sizeof(two)), EINVAL);
	OK(setsockopt(s, IPPROTO_TCP, TCP_INQ, &on, sizeof(on)));
	says((struct seg){ .flags = ACK | FIN, .seq = 1, .ack = 1, .len = 100 });
	hears();
	for (int left = 60; left >= 0; left -= 40) {
		m.msg_controllen = sizeof(c);
		EQ(recvmsg(s, &m, 0), 40);
		CHECK(CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_level == IPPROTO_TCP);
		EQ(CMSG_FIRSTHDR(&m)->cmsg_type, TCP_CM_INQ);
		EQ(*(int *)CMSG_DATA(CMSG_FIRSTHDR(&m)), left + 1);	/* the FIN is one */
	}
}

/* splice(2) ends at the mark, and does not wait there. */
TEST(splice_at_mark)
{
	int s = accepted(), p[2];

	OK(pipe(p));
	says((struct seg){ .flags = ACK, .seq = 1, .ack = 1, .len = 99 });
	says((struct seg){ .flags = ACK, .seq = 100, .ack = 1, .len = 1, .urgent = 1 });
	EQ(splice(s, NULL, p[1], NULL, 99, 0), 99);
	EQ(splice(s, NULL, p[1], NULL, 1, 0), 0);
}

TEST(advertised_size)
{
	int s, mss = 700;

	wire();
	s = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	OK(setsockopt(s, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss)));
	ERR(connect(s,
		    (void *)&(struct sockaddr_in){ .sin_family = AF_INET,
						   .sin_port = htons(PEER_PORT),
						   .sin_addr.s_addr = htonl(PEERS) },
		    sizeof(struct sockaddr_in)),
	    EINPROGRESS);
	hears();
	says((struct seg){ .flags = SYN | ACK, .ack = 1 });
	hears();
	EQ(info_of(s).tcpi_advmss, mss);
	EQ(info_of(s).tcpi_snd_mss, mss);
}

/* ---- times of sending ---- */

/* The next message of S's error queue is of TYPE, about the byte KEY. */
static void stamped(int s, unsigned int type, unsigned int key)
{
	char c[256], b[64];
	struct iovec v = { b, sizeof(b) };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = c, .msg_controllen = sizeof(c)
	};
	struct sock_extended_err *e = NULL;
	struct timespec *t = NULL;

	OK(recvmsg(s, &m, MSG_ERRQUEUE));
	CHECK(m.msg_flags & MSG_ERRQUEUE);
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SO_TIMESTAMPING)
			t = (void *)CMSG_DATA(h);
		else if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_RECVERR)
			e = (void *)CMSG_DATA(h);
	}
	CHECK(t && t->tv_sec);
	CHECK(e && e->ee_errno == ENOMSG && e->ee_origin == SO_EE_ORIGIN_TIMESTAMPING);
	EQ(e->ee_info, type);
	EQ(e->ee_data, key);
}

TEST(stamps)
{
	int flags = SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE |
		    SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID,
	    bad = 1 << 30, l = OK(socket(AF_INET, SOCK_STREAM, 0)), s;
	struct pollfd p;
	char b;

	ERR(setsockopt(l, SOL_SOCKET, SO_TIMESTAMPING, &bad, sizeof(bad)), EINVAL);
	ERR(setsockopt(l, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)), EINVAL);
	s = accepted();
	ERR(recv(s, &b, 1, MSG_ERRQUEUE), EAGAIN);
	OK(setsockopt(s, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)));
	sends(s, 11 * MSS, 0);
	for (unsigned int n = 0; n < 10; n++)
		hears_data(1 + n * MSS, MSS);
	ERR(recv(s, &b, 1, MSG_ERRQUEUE), EAGAIN);	/* the last byte waits for cwnd */
	acks(1 + 10 * MSS, 0, 0);
	hears_data(1 + 10 * MSS, MSS);
	p = (struct pollfd){ .fd = s };
	EQ(poll(&p, 1, 10000), 1);
	EQ(p.revents, POLLERR);
	stamped(s, SCM_TSTAMP_SCHED, 11 * MSS - 1);
	stamped(s, SCM_TSTAMP_SND, 11 * MSS - 1);
	ERR(recv(s, &b, 1, MSG_ERRQUEUE), EAGAIN);
	acks(1 + 11 * MSS, 0, 0);
	stamped(s, SCM_TSTAMP_ACK, 11 * MSS - 1);
	EQ(int_of(s, SOL_SOCKET, SO_ERROR), 0);
}

TEST(stamps_of_datagrams)
{
	int flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
		    SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY,
	    u = OK(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(PEER_PORT),
				 .sin_addr.s_addr = htonl(PEERS) };
	char b;

	wire();
	OK(setsockopt(u, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)));
	EQ(int_of(u, SOL_SOCKET, SO_TIMESTAMPING), flags);
	u = OK(socket(AF_INET, SOCK_DGRAM, 0));		/* in the network of the test */
	OK(setsockopt(u, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)));
	OK(connect(u, (void *)&a, sizeof(a)));
	EQ(send(u, "x", 1, 0), 1);
	EQ(send(u, "y", 1, 0), 1);
	stamped(u, SCM_TSTAMP_SND, 0);
	stamped(u, SCM_TSTAMP_SND, 1);
	ERR(recv(u, &b, 1, MSG_ERRQUEUE), EAGAIN);
}

/* ---- a queue without room ---- */

static int qdisc(int type, int flags, const char *kind, int limit)
{
	struct tcmsg *m = begin(type, flags, sizeof(*m));

	m->tcm_ifindex = ifindex;
	m->tcm_parent = TC_H_ROOT;
	if (kind)
		attr(TCA_KIND, kind, strlen(kind) + 1);
	if (limit >= 0)
		attr_u32(TCA_OPTIONS, (unsigned int)limit);
	return done();
}

static unsigned int limit_seen;

static void look(struct nlmsghdr *h)
{
	struct tcmsg *m = NLMSG_DATA(h);

	if (m->tcm_ifindex != ifindex)
		return;
	CHECK(!strcmp((char *)(find(h, sizeof(*m), TCA_KIND) + 1), "pfifo"));
	CHECK(m->tcm_handle);
	limit_seen = u32_of(find(h, sizeof(*m), TCA_OPTIONS));
}

#define CREATE (NLM_F_CREATE | NLM_F_EXCL)

TEST(pfifo)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(PEER_PORT),
				 .sin_addr.s_addr = htonl(PEERS) };
	int u;

	wire();
	EQ(qdisc(RTM_DELQDISC, 0, NULL, -1), ENOENT);
	EQ(qdisc(RTM_NEWQDISC, 0, "pfifo", 5), ENOENT);
	EQ(qdisc(RTM_NEWQDISC, CREATE, "no-such", -1), ENOENT);
	EQ(qdisc(RTM_NEWQDISC, CREATE, "pfifo", 5), 0);
	EQ(qdisc(RTM_NEWQDISC, CREATE, "pfifo", 5), EEXIST);
	EQ(qdisc(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, "pfifo", 7), 0);
	dump(RTM_GETQDISC, AF_UNSPEC, sizeof(struct tcmsg), look);
	EQ(limit_seen, 7);
	u = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(connect(u, (void *)&a, sizeof(a)));
	EQ(send(u, "x", 1, 0), 1);
	EQ(qdisc(RTM_NEWQDISC, 0, "pfifo", 0), 0);
	OK(setsockopt(u, IPPROTO_IP, IP_RECVERR, &(int){ 1 }, sizeof(int)));
	ERR(send(u, "x", 1, 0), ENOBUFS);
	EQ(qdisc(RTM_DELQDISC, 0, NULL, -1), 0);
	EQ(send(u, "x", 1, 0), 1);
}

/* What the device's queue refuses is lost as it was, and nothing is in flight. */
TEST(retransmission_refused)
{
	struct tcp_info i;
	bool again;		/* a timer sent some of it, on a host that stood still */
	int s;

	timeouts = true;
	s = accepted();
	sends(s, 10 * MSS, 0);
	for (unsigned int n = 0; n < 10; n++)
		hears_data(1 + n * MSS, MSS);
	EQ(qdisc(RTM_NEWQDISC, CREATE, "pfifo", 0), 0);
	again = info_of(s).tcpi_total_retrans;
	acks(1, 1 + MSS, 1 + 10 * MSS);
	do
		i = info_of(s);
	while (i.tcpi_ca_state < CA_RECOVERY);
	EQ(i.tcpi_sacked, 9);
	if (!again) {
		EQ(i.tcpi_lost, 1);
		EQ(i.tcpi_retrans, 0);
	}
	EQ(qdisc(RTM_DELQDISC, 0, NULL, -1), 0);
	hears_data(1, MSS);
	acks(1 + 10 * MSS, 0, 0);
	EQ(info_of(s).tcpi_lost, 0);
}

/* ---- a connection that nobody has open ---- */

/* It waits for the peer's FIN. */
static void orphan(void)
{
	OK(close(accepted()));
	while (!(hears().flags & FIN))
		;
	says((struct seg){ .flags = ACK, .seq = 1, .ack = 2 });
}

/* The segment that answers S, but for the FIN, which a busy host lets a timer send again. */
static struct seg answer_to(struct seg s)
{
	says(s);
	do
		s = hears();
	while (s.flags & FIN);
	return s;
}

/* A RST outside the window, or with an old timestamp, ends no connection (RFC 9293, 3.10.7.4). */
TEST(orphan_and_strangers)
{
	static const unsigned int wrong[] = { 1 + (1u << 30), 2000000, -99u };
	struct seg s;

	peer_clock = 1000;
	orphan();
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		s = answer_to((struct seg){ .flags = ACK, .seq = wrong[i], .ack = 2, .len = 5 });
		EQ(s.flags, ACK);
		EQ(s.ack, 1);
	}
	peer_clock = 1;
	s = answer_to((struct seg){ .flags = ACK, .seq = 1, .ack = 2, .len = 5 });
	EQ(s.flags, ACK);
	peer_clock = 1001;
	s = answer_to((struct seg){ .flags = FIN | ACK, .seq = 1, .ack = 2 });
	EQ(s.flags, ACK);
	EQ(s.ack, 2);
}

/* Data that it would have to keep for nobody is refused (RFC 1122, 4.2.2.13). */
TEST(orphan_and_data)
{
	orphan();
	CHECK(answer_to((struct seg){ .flags = ACK, .seq = 1, .ack = 2, .len = 5 }).flags & RST);
	CHECK(answer_to((struct seg){ .flags = FIN | ACK, .seq = 1, .ack = 2 }).flags & RST);
}
