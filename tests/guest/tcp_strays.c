// SPDX-License-Identifier: MIT
/*
 * Segments that are not what the connection waits for: old duplicates and strangers to one that is
 * half open, RSTs in TIME-WAIT (RFC 1337).
 */
#include "tcp_wire.h"

/* The next segment, but for a SYN-ACK that comes again. */
static struct seg hears_next(void)
{
	struct seg s;

	do
		s = hears();
	while (s.flags & SYN);
	return s;
}

/* A listener of port 80, and the peer's SYN with the timestamp 1000, answered. */
static int half_open(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(80) };
	int l;

	wire();
	l = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	OK(bind(l, (void *)&a, sizeof(a)));
	OK(listen(l, 1));
	port = 80;
	peer_clock = 1000;
	says((struct seg){ .flags = SYN });
	EQ(hears().flags, SYN | ACK);
	return l;
}

/* PAWSEstab: the namespace is the test's. */
static long old_ones(void)
{
	static char names[8192], values[8192];
	char *n, *v, *sn, *sv;
	FILE *f = fopen("/proc/net/netstat", "r");

	CHECK(f && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f));
	fclose(f);
	n = strtok_r(names, " \n", &sn);
	v = strtok_r(values, " \n", &sv);
	while (n && v && strcmp(n, "PAWSEstab")) {
		n = strtok_r(NULL, " \n", &sn);
		v = strtok_r(NULL, " \n", &sv);
	}
	CHECK(n && v);
	return strtol(v, NULL, 10);
}

static void answered(void)
{
	struct seg s = hears_next();

	EQ(s.flags, ACK);
	EQ(s.seq, 1);
	EQ(s.ack, 1);
	EQ(s.len, 0);
}

/* An old duplicate does not complete a handshake: an ACK says what would. */
TEST(old_timestamp_of_a_request)
{
	int l = half_open();

	peer_clock = 999;
	says((struct seg){ .flags = ACK, .seq = 1, .ack = 1, .len = 10 });
	answered();
	EQ(old_ones(), 1);
	ERR(accept(l, NULL, NULL), EAGAIN);
	/* Of another connection altogether. */
	says((struct seg){ .flags = ACK, .seq = 1, .ack = 7 });
	EQ(hears_next().flags, RST);
	EQ(old_ones(), 1);
	peer_clock = 1000;
	says((struct seg){ .flags = ACK, .seq = 1, .ack = 1 });
	OK(accept(l, NULL, NULL));
}

/* Nor does one that lies outside the window. */
TEST(request_out_of_window)
{
	int l = half_open();

	says((struct seg){ .flags = ACK, .seq = 1000000, .ack = 1, .len = 10 });
	answered();
	says((struct seg){ .flags = ACK, .seq = -500u, .ack = 1, .len = 10 });
	answered();
	ERR(accept(l, NULL, NULL), EAGAIN);
	says((struct seg){ .flags = ACK, .seq = 1, .ack = 1 });
	OK(accept(l, NULL, NULL));
}

/* A connection in TIME-WAIT, whose peer sends a RST and its FIN again: what comes back. */
static unsigned char after_reset(const char *rfc1337)
{
	struct seg s;
	int c;

	peer_clock = 0;
	c = accepted();
	set("tcp_rfc1337", rfc1337);
	close(c);
	s = hears_next();
	EQ(s.flags, FIN | ACK);
	says((struct seg){ .flags = FIN | ACK, .seq = 1, .ack = 2 });
	EQ(hears_ack().ack, 2);
	says((struct seg){ .flags = RST, .seq = 2 });
	says((struct seg){ .flags = FIN | ACK, .seq = 1, .ack = 2 });
	return hears().flags;
}

TEST(reset_ends_time_wait)
{
	EQ(after_reset("0"), RST);
}

TEST(reset_does_not_end_time_wait)
{
	EQ(after_reset("1"), ACK);
}
