/* SPDX-License-Identifier: MIT */
/*
 * Netlink between programs: senders that are filtered, and senders that wait. proves: connect
 * sendto recvfrom
 */
#include "t.h"
#include <linux/netlink.h>
#include <sys/socket.h>

static int usersock(unsigned int port)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_pid = port };
	int s = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK));

	OK(bind(s, (void *)&a, sizeof(a)));
	return s;
}

TEST(a_connected_one_hears_its_peer)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = 4100 }, peer = to,
			   none = { .nl_family = AF_UNSPEC };
	int t = usersock(4100), a = usersock(4101), b = usersock(4102);
	char c[4];

	peer.nl_pid = 4101;
	OK(connect(t, (void *)&peer, sizeof(peer)));
	EQ(sendto(a, "a", 1, 0, (void *)&to, sizeof(to)), 1);
	ERR(sendto(b, "b", 1, 0, (void *)&to, sizeof(to)), ECONNREFUSED);
	OK(connect(t, (void *)&none, sizeof(none)));
	EQ(sendto(b, "b", 1, 0, (void *)&to, sizeof(to)), 1);
	EQ(recv(t, c, sizeof(c), 0), 1);
	EQ(recv(t, c, sizeof(c), 0), 1);
	EQ(c[0], 'b');
}

/* A waiting sender goes on when there is room for its message, before the queue is empty. */
TEST(a_sender_waits_for_room)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = 4200 };
	int t = usersock(4200), s = usersock(4201), n = 0;
	static char b[4000];
	pid_t pid;

	while (sendto(s, b, sizeof(b), MSG_DONTWAIT, (void *)&to, sizeof(to)) > 0)
		n++;
	EQ(errno, EAGAIN);
	CHECK(n > 4);
	pid = OK(fork());
	if (!pid)
		_exit(sendto(s, b, sizeof(b), 0, (void *)&to, sizeof(to)) != sizeof(b));
	t_until_asleep(pid);
	/* Two, as the last may have fitted where another one does not. */
	EQ(recv(t, b, sizeof(b), 0), (long)sizeof(b));
	EQ(recv(t, b, sizeof(b), 0), (long)sizeof(b));
	CHECK(t_child_ok(pid));
	while (recv(t, b, sizeof(b), MSG_DONTWAIT) > 0)
		n--;
	EQ(n, 1);
}
