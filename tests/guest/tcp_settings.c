// SPDX-License-Identifier: MIT
/*
 * Settings of net.ipv4 by what they do: a receive buffer that grows by itself, ports that nobody
 * gets who does not name them.
 */
#include "tcp.h"

static void set(const char *name, const char *text)
{
	EQ(setting(name, text), (int)strlen(text));
}

/* Reads and writes MiB over a connection: how large the reader's buffer is then. */
static int buffer_after(const char *moderate, int mib)
{
	static char b[65536];
	int s[2], was;

	own_net();
	set("tcp_moderate_rcvbuf", moderate);
	pair(s);
	was = option(s[1], SOL_SOCKET, SO_RCVBUF);
	for (int i = 0; i < mib * 16 && option(s[1], SOL_SOCKET, SO_RCVBUF) == was; i++) {
		EQ(write(s[0], b, sizeof(b)), (long)sizeof(b));
		EQ(recv(s[1], b, sizeof(b), MSG_WAITALL), (long)sizeof(b));
	}
	return option(s[1], SOL_SOCKET, SO_RCVBUF) - was;
}

TEST(receive_buffer_grows)
{
	CHECK(buffer_after("1", 4096) > 0);
}

TEST(receive_buffer_stays)
{
	EQ(buffer_after("0", 16), 0);
	ERR(setting("tcp_moderate_rcvbuf", "256"), EINVAL);
	ERR(setting("tcp_rfc1337", "-1"), EINVAL);
}

static void reads(const char *name, const char *text)
{
	static char path[80], b[100];
	int f;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	f = OK(open(path, O_RDONLY));
	n = OK(read(f, b, sizeof(b) - 1));
	b[n] = 0;
	close(f);
	CHECK(!strcmp(b, text));
}

/* Where nothing is kept of connections, that is what the setting says. */
TEST(metrics)
{
	own_net();
	set("tcp_no_metrics_save", "1");
	reads("tcp_no_metrics_save", "1\n");
	ERR(setting("tcp_no_metrics_save", "256"), EINVAL);
	if (setting("tcp_no_metrics_save", "0") != 1) {
		EQ(errno, EINVAL);
		reads("tcp_no_metrics_save", "1\n");
	}
}

TEST(least_buffers_of_udp)
{
	own_net();
	reads("udp_rmem_min", "4096\n");
	set("udp_rmem_min", "8192");
	reads("udp_rmem_min", "8192\n");
	ERR(setting("udp_rmem_min", "0"), EINVAL);
	ERR(setting("udp_wmem_min", "-1"), EINVAL);
}

static int bound(int type, int to)
{
	struct sockaddr_in a = lo(to);
	int s = OK(socket(AF_INET, type, 0));

	if (bind(s, (void *)&a, sizeof(a)))
		return -1;
	return port_of(s);
}

/* Of four ports one is left for those who take any. */
TEST(reserved_ports)
{
	struct sockaddr_in a;
	int l = listener(4), c;

	set("ip_local_port_range", "5000 5003");
	reads("ip_local_reserved_ports", "\n");
	set("ip_local_reserved_ports", "8080,5001-5002,5000,65535\n");
	reads("ip_local_reserved_ports", "5000-5002,8080,65535\n");
	ERR(setting("ip_local_reserved_ports", "65536"), EINVAL);
	ERR(setting("ip_local_reserved_ports", "7-6"), EINVAL);
	ERR(setting("ip_local_reserved_ports", "x"), EINVAL);
	ERR(setting("ip_local_reserved_ports", "1,,2"), EINVAL);
	reads("ip_local_reserved_ports", "5000-5002,8080,65535\n");
	EQ(bound(SOCK_DGRAM, 0), 5003);
	c = client(port_of(l));
	EQ(port_of(c), 5003);
	a = lo(port_of(l));
	ERR(connect(OK(socket(AF_INET, SOCK_STREAM, 0)), (void *)&a, sizeof(a)), EADDRNOTAVAIL);
	ERR(bound(SOCK_STREAM, 0), EADDRINUSE);
	EQ(bound(SOCK_STREAM, 5001), 5001);
	set("ip_local_reserved_ports", "\n");
	reads("ip_local_reserved_ports", "\n");
	EQ(bound(SOCK_STREAM, 0) / 10, 500);
	set("ip_local_reserved_ports", "5000-5002");
	OK(unshare(CLONE_NEWNET));
	reads("ip_local_reserved_ports", "\n");
}
