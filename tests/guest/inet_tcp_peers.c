/* SPDX-License-Identifier: MIT */
/* TCP as /proc, settings and peers of their own make see it (tcp(7)). */
#include "tcp.h"

/* How many lines of /proc/self/net/tcp have these ports; *STATE is the state of the last. */
static int proc_line(int port, int peer_port, unsigned int *state)
{
	static const char header[] =
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ";
	FILE *f = fopen("/proc/self/net/tcp", "r");
	unsigned int a, p, b, q, st, found = 0;
	char text[256];

	CHECK(f && fgets(text, sizeof(text), f));
	CHECK(!strncmp(text, header, strlen(header)));
	EQ(strlen(text), 150);
	while (fgets(text, sizeof(text), f)) {
		EQ(strlen(text), 150);
		EQ(sscanf(text, " %*u: %x:%x %x:%x %x", &a, &p, &b, &q, &st), 5);
		if ((int)p != port || (int)q != peer_port)
			continue;
		EQ(a, htonl(INADDR_LOOPBACK));
		*state = st;
		found++;
	}
	fclose(f);
	return (int)found;
}

TEST(shown_in_proc)
{
	int l = listener(1), c = client(port_of(l)), s = OK(accept(l, NULL, NULL)),
	    port = port_of(l), other = port_of(c);
	unsigned int st;

	EQ(proc_line(port, 0, &st), 1);
	EQ(st, TCP_LISTEN);
	EQ(proc_line(other, port, &st), 1);
	EQ(st, TCP_ESTABLISHED);
	OK(close(c));
	CHECK(wait_for(s, POLLRDHUP) & POLLRDHUP);
	EQ(proc_line(port, other, &st), 1);
	EQ(st, TCP_CLOSE_WAIT);
	do
		EQ(proc_line(other, port, &st), 1);
	while (st == TCP_FIN_WAIT1);
	EQ(st, TCP_FIN_WAIT2);
	OK(close(s));
	do
		EQ(proc_line(other, port, &st), 1);
	while (st != TCP_TIME_WAIT);
	while (proc_line(port, other, &st))	/* the last ACK is on its way */
		EQ(st, TCP_LAST_ACK);
}

TEST(settings)
{
	char cc[16], text[64];
	socklen_t len = sizeof(cc);
	int s, f, v[3];

	lo(0);
	CHECK(setting("tcp_rmem", "4096 65536 1048576\n") > 0);
	CHECK(setting("tcp_wmem", "4096\t32768") > 0);
	ERR(setting("tcp_rmem", "0 1 2"), EINVAL);
	ERR(setting("tcp_congestion_control", "nonesuch"), ENOENT);
	CHECK(setting("tcp_congestion_control", "reno\n") > 0);
	s = OK(socket(AF_INET, SOCK_STREAM, 0));
	EQ(option(s, SOL_SOCKET, SO_RCVBUF), 65536);
	EQ(option(s, SOL_SOCKET, SO_SNDBUF), 32768);
	OK(getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, cc, &len));
	CHECK(!strcmp(cc, "reno"));
	f = OK(open("/proc/sys/net/ipv4/tcp_rmem", O_RDONLY));
	memset(text, 0, sizeof(text));
	CHECK(read(f, text, sizeof(text) - 1) > 0);
	EQ(sscanf(text, "%d\t%d\t%d\n", &v[0], &v[1], &v[2]), 3);
	CHECK(v[0] == 4096 && v[1] == 65536 && v[2] == 1048576);
	f = OK(open("/proc/sys/net/ipv4/tcp_available_congestion_control", O_RDONLY));
	memset(text, 0, sizeof(text));
	CHECK(read(f, text, sizeof(text) - 1) > 0);
	CHECK(strstr(text, "reno") && strstr(text, "cubic"));
	ERR(setting("tcp_abort_on_overflow", "300"), EINVAL);
	CHECK(setting("tcp_max_syn_backlog", "128") > 0);
}

/* A server's segments are no longer than what the client's SYN says. */
TEST(peers_mss)
{
	int l = listener(1), c = OK(socket(AF_INET, SOCK_STREAM, 0)), s, mss = 500;
	struct sockaddr_in a = lo(port_of(l));
	socklen_t len = sizeof(mss);

	OK(setsockopt(c, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss)));
	OK(connect(c, (struct sockaddr *)&a, sizeof(a)));
	s = OK(accept(l, NULL, NULL));
	OK(getsockopt(s, IPPROTO_TCP, TCP_MAXSEG, &mss, &len));
	CHECK(mss <= 500 && mss >= 400);
}

/* A reset that ends a send(2) which had sent some is told by the next call, a reader's too. */
TEST(error_after_some)
{
	static char big[8 << 20];
	struct pollfd f;
	int s[2], status;
	char b[16];
	pid_t pid;

	pair(s);
	f = (struct pollfd){ .fd = s[1], .events = POLLIN };
	pid = OK(fork());
	if (!pid) {
		ssize_t n;

		close(s[1]);
		n = send(s[0], big, sizeof(big), MSG_NOSIGNAL);
		if (n <= 0 || n == (ssize_t)sizeof(big))
			_exit(1);
		_exit(recv(s[0], b, sizeof(b), 0) == -1 && errno == ECONNRESET ? 0 : 2);
	}
	close(s[0]);
	EQ(poll(&f, 1, -1), 1);
	close(s[1]);
	OK(waitpid(pid, &status, 0));
	EQ(status, 0);
}

static unsigned int add_up(const void *p, unsigned int n, unsigned int sum)
{
	const unsigned char *b = p;

	for (unsigned int i = 0; i < n; i++)
		sum += i & 1 ? b[i] : (unsigned int)b[i] << 8;
	return sum;
}

static void send_syn(int raw, const char *to, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(to) };
	struct tcphdr h = {
		.source = htons(7), .dest = htons(port), .doff = 5, .syn = 1, .window = htons(1000)
	};
	unsigned int me = htonl(INADDR_LOOPBACK), sum;

	sum = add_up(&h, sizeof(h), add_up(&me, 4, add_up(&a.sin_addr, 4, 6 + sizeof(h))));
	sum = (sum & 0xffff) + (sum >> 16);
	h.check = htons((unsigned short)~(sum + (sum >> 16)));
	EQ(sendto(raw, &h, sizeof(h), 0, (struct sockaddr *)&a, sizeof(a)), (long)sizeof(h));
}

/* A SYN to everybody on a link begins no connection. */
TEST(broadcast_syn)
{
	struct sockaddr_in any = { .sin_family = AF_INET }, me = lo(0);
	int l, raw, on = 1, port;
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
		char rest[60];
	} p;

	l = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(bind(l, (struct sockaddr *)&any, sizeof(any)));
	OK(listen(l, 5));
	port = port_of(l);
	raw = OK(socket(AF_INET, SOCK_RAW, IPPROTO_TCP));
	OK(bind(raw, (struct sockaddr *)&me, sizeof(me)));
	OK(setsockopt(raw, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)));
	send_syn(raw, "127.255.255.255", port);
	send_syn(raw, "127.0.0.1", port);
	do
		OK(recv(raw, &p, sizeof(p), 0));
	while (!p.tcp.syn || !p.tcp.ack);
	EQ(ntohl(p.ip.saddr), INADDR_LOOPBACK);
}

static int lines_of(const char *path)
{
	FILE *f = fopen(path, "r");
	int n = 0, c;

	CHECK(f);
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

/* Each socket has a line, also where many share a place in a table. */
TEST(all_lines)
{
	int was, s[40];

	own_net();
	was = lines_of("/proc/net/raw");
	for (unsigned int i = 0; i < 40; i++)
		s[i] = OK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	EQ(lines_of("/proc/net/raw"), was + 40);
	for (unsigned int i = 0; i < 40; i++)
		close(s[i]);
	EQ(lines_of("/proc/net/raw"), was);
	for (unsigned int i = 0; i < 40; i++)
		listener(1);
	EQ(lines_of("/proc/net/tcp"), 41);
}

/* A connect(2) that finds no port leaves the socket without a name. */
TEST(no_port_left)
{
	int l = listener(5), port = port_of(l), c[2], f;
	struct sockaddr_in a = lo(port), me;
	socklen_t len = sizeof(me);

	f = OK(open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY));
	EQ(write(f, "60000 60000", 11), 11);
	close(f);
	c[0] = OK(socket(AF_INET, SOCK_STREAM, 0));
	c[1] = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(connect(c[0], (struct sockaddr *)&a, sizeof(a)));
	ERR(connect(c[1], (struct sockaddr *)&a, sizeof(a)), EADDRNOTAVAIL);
	OK(getsockname(c[1], (struct sockaddr *)&me, &len));
	EQ(me.sin_addr.s_addr, 0);
	EQ(me.sin_port, 0);
}

TEST(urgent_byte_once)
{
	int s[2];
	char b[4];

	pair(s);
	EQ(send(s[0], "x", 1, MSG_OOB), 1);
	CHECK(wait_for(s[1], POLLPRI) & POLLPRI);
	EQ(recv(s[1], b, 1, MSG_OOB | MSG_PEEK), 1);
	EQ(recv(s[1], b, 1, MSG_OOB), 1);
	ERR(recv(s[1], b, 1, MSG_OOB), EINVAL);
}

/* What came from too far away is not there. */
TEST(least_ttl)
{
	int s[2], ttl = 65;
	char b[4];

	pair(s);
	OK(setsockopt(s[1], IPPROTO_IP, IP_MINTTL, &ttl, sizeof(ttl)));
	EQ(send(s[0], "x", 1, 0), 1);
	EQ(revents(s[1], POLLIN), 0);
	OK(setsockopt(s[0], IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)));
	EQ(recv(s[1], b, 4, 0), 1);
}

/* accept(2) finds a connection with data. */
TEST(deferred)
{
	int l = listener(5), wait = 10, c;

	OK(setsockopt(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, &wait, sizeof(wait)));
	EQ(option(l, IPPROTO_TCP, TCP_DEFER_ACCEPT), 15);
	c = client(port_of(l));
	EQ(revents(l, POLLIN), 0);
	EQ(send(c, "x", 1, 0), 1);
	CHECK(wait_for(l, POLLIN) & POLLIN);
	wait = 1;
	OK(setsockopt(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, &wait, sizeof(wait)));
	OK(accept(l, NULL, NULL));
	client(port_of(l));
	CHECK(wait_for(l, POLLIN) & POLLIN);	/* a second later, whatever it sends */
}

/* sockstat counts this network's connections. */
TEST(counted)
{
	char line[200];
	int s[2], inuse = -1, orphan, tw, alloc;
	FILE *f;

	pair(s);
	f = fopen("/proc/net/sockstat", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "TCP: inuse %d orphan %d tw %d alloc %d", &inuse, &orphan, &tw,
			   &alloc) == 4)
			break;
	fclose(f);
	EQ(inuse, 2);
	EQ(tw, 0);
	CHECK(alloc >= 2);
}
