// SPDX-License-Identifier: MIT
/* Local sockets. proves: socket socketpair bind listen accept accept4 connect getsockname
 * getpeername sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg shutdown setsockopt getsockopt */
#include "t.h"
#include <grp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static struct sockaddr_un at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path, path);
	return a;
}

/* A socket cannot be opened again by its name in /proc; with O_PATH it can be looked at. */
TEST(no_second_open)
{
	int s = OK(socket(AF_UNIX, SOCK_STREAM, 0)), p;
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", s);
	ERR(open(path, O_RDONLY), ENXIO);
	ERR(open(path, O_RDWR | O_NONBLOCK), ENXIO);
	p = OK(open(path, O_PATH));
	close(p);
	close(s);
}

TEST(pair_stream)
{
	char b[100];
	int s[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	EQ(write(s[0], "abc", 3), 3);
	EQ(send(s[0], "def", 3, 0), 3);
	EQ(recv(s[1], b, 4, MSG_PEEK), 4);
	EQ(recv(s[1], b, sizeof(b), 0), 6);
	CHECK(!memcmp(b, "abcdef", 6));
	ERR(recv(s[1], b, 1, MSG_DONTWAIT), EAGAIN);
	EQ(write(s[1], "x", 1), 1);
	int n;

	OK(ioctl(s[0], FIONREAD, &n));
	EQ(n, 1);
	OK(shutdown(s[0], SHUT_WR));
	EQ(read(s[1], b, 1), 0);
	ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	close(s[1]);
	EQ(read(s[0], b, 10), 1);
	EQ(read(s[0], b, 10), 0);
	pid_t pid = OK(fork());

	if (pid == 0) {
		OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		close(s[1]);
		write(s[0], "x", 1);
		_exit(0);
	}
	EQ(WTERMSIG(t_wait(pid)), SIGPIPE);
}

static volatile sig_atomic_t broken_pipes;

static void count_broken_pipe(int sig)
{
	(void)sig;
	broken_pipes++;
}

/*
 * In a child: fills the other end until the call that had to wait for room fails so; then one send
 * more, then nothing to read.
 */
static pid_t fill_until(int fd, int other, int err, int next_signals)
{
	pid_t pid = OK(fork());

	if (pid)
		return pid;
	close(other);
	while (send(fd, "0123456789", 10, 0) == 10)
		;
	EQ(errno, err);
	EQ(broken_pipes, 0);
	ERR(send(fd, "x", 1, 0), EPIPE);
	EQ(broken_pipes, next_signals);
	EQ(recv(fd, (char[1]){ 0 }, 1, MSG_DONTWAIT), 0);
	_exit(0);
}

/*
 * SIGPIPE is for who finds the other end of a stream gone when he comes; who waited for room gets
 * the error alone.
 */
TEST(broken_pipe_only_for_who_comes_to_a_closed_stream)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };

	signal(SIGPIPE, count_broken_pipe);
	for (int i = 0; i < 4; i++) {
		bool close_it = i & 1;
		int s[2];
		pid_t pid;

		OK(socketpair(AF_UNIX, types[i / 2], 0, s));
		pid = fill_until(s[0], s[1], close_it ? ECONNRESET : EPIPE, i / 2 == 0);
		close(s[0]);
		t_until_asleep(pid);
		OK(close_it ? close(s[1]) : shutdown(s[1], SHUT_RDWR));
		CHECK(t_child_ok(pid));
		if (!close_it)
			close(s[1]);
	}
}

TEST(no_broken_pipe_for_packets)
{
	static const int types[] = { SOCK_DGRAM, SOCK_SEQPACKET };

	signal(SIGPIPE, count_broken_pipe);
	for (int i = 0; i < 2; i++) {
		int s[2];

		OK(socketpair(AF_UNIX, types[i], 0, s));
		OK(shutdown(s[0], SHUT_WR));
		ERR(send(s[0], "x", 1, 0), EPIPE);
		OK(socketpair(AF_UNIX, types[i], 0, s));
		OK(shutdown(s[1], SHUT_RD));
		ERR(send(s[0], "x", 1, 0), EPIPE);
		OK(socketpair(AF_UNIX, types[i], 0, s));
		EQ(send(s[0], "x", 1, 0), 1);
		close(s[1]);		/* with something unread */
		ERR(send(s[0], "x", 1, 0), types[i] == SOCK_DGRAM ? ECONNREFUSED : ECONNRESET);
		ERR(send(s[0], "x", 1, 0), types[i] == SOCK_DGRAM ? ENOTCONN : EPIPE);
	}
	EQ(broken_pipes, 0);
}

/*
 * Who waits for room at a full receiver sleeps on when his own end is shut and another took the
 * room.
 */
TEST(shut_sender_waits_asleep)
{
	for (int round = 0; round < 4; round++) {
		struct sockaddr_un a = at("/tmp/full");
		int r = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), s[2], done;
		pid_t pid[2];

		unlink("/tmp/full");
		OK(bind(r, (struct sockaddr *)&a, sizeof(a)));
		for (int i = 0; i < 2; i++) {
			s[i] = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
			OK(connect(s[i], (struct sockaddr *)&a, sizeof(a)));
		}
		while (send(s[0], "x", 1, MSG_DONTWAIT) == 1)
			;
		EQ(errno, EAGAIN);
		for (int i = 0; i < 2; i++) {
			pid[i] = OK(fork());
			if (pid[i] == 0)
				_exit(send(s[i], "x", 1, 0) != 1);
			t_until_asleep(pid[i]);
		}
		OK(shutdown(s[1], SHUT_WR));
		EQ(recv(r, (char[1]){ 0 }, 1, 0), 1);
		done = OK(waitpid(-1, NULL, 0)) == pid[1];
		t_until_asleep(pid[!done]);
		OK(kill(pid[!done], SIGKILL));
		EQ(waitpid(pid[!done], NULL, 0), pid[!done]);
		close(r);
		close(s[0]);
		close(s[1]);
	}
}

TEST(pair_message_boundaries)
{
	static const int types[] = { SOCK_DGRAM, SOCK_SEQPACKET };

	for (int i = 0; i < 2; i++) {
		char b[100];
		int s[2];

		OK(socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s));
		EQ(fcntl(s[0], F_GETFD), FD_CLOEXEC);
		EQ(write(s[0], "first", 5), 5);
		EQ(write(s[0], "second", 6), 6);
		EQ(recv(s[1], b, 2, MSG_TRUNC), 5);	/* the rest of it is gone */
		EQ(recv(s[1], b, sizeof(b), 0), 6);
		ERR(recv(s[1], b, 1, 0), EAGAIN);
		EQ(write(s[0], "", 0), 0);
		if (types[i] == SOCK_DGRAM)
			EQ(recv(s[1], b, 1, 0), 0);
	}
}

static int waiting(int s)
{
	int n = -1;

	OK(ioctl(s, FIONREAD, &n));
	return n;
}

/* SIOCINQ: the next datagram's bytes; of other types all bytes. */
TEST(bytes_that_wait)
{
	static const int types[] = { SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM };

	for (int i = 0; i < 3; i++) {
		char b[100];
		int s[2];

		OK(socketpair(AF_UNIX, types[i], 0, s));
		EQ(waiting(s[1]), 0);
		EQ(write(s[0], "first", 5), 5);
		EQ(write(s[0], "second", 6), 6);
		EQ(waiting(s[1]), types[i] == SOCK_DGRAM ? 5 : 11);
		EQ(read(s[1], b, 5), 5);
		EQ(waiting(s[1]), 6);
	}
}

static int named(const char *path)
{
	struct sockaddr_un a = at(path);
	int s = OK(socket(AF_UNIX, SOCK_DGRAM, 0));

	unlink(path);
	OK(bind(s, (void *)&a, sizeof(a)));
	return s;
}

static int error_of(int s)
{
	socklen_t len = sizeof(int);
	int e;

	OK(getsockopt(s, SOL_SOCKET, SO_ERROR, &e, &len));
	return e;
}

/* A socket that connects to another peer loses its unread datagrams, and the old peer gets an error. */
TEST(datagrams_of_the_last_peer)
{
	struct sockaddr_un a = at("/tmp/dg a"), b = at("/tmp/dg b"), c = at("/tmp/dg c"),
			   none = { .sun_family = AF_UNSPEC };
	int sa = named(a.sun_path), sb = named(b.sun_path), sc = named(c.sun_path);
	char buf[10];

	OK(connect(sa, (void *)&b, sizeof(b)));
	OK(connect(sb, (void *)&a, sizeof(a)));
	EQ(send(sb, "x", 1, 0), 1);
	OK(connect(sa, (void *)&b, sizeof(b)));		/* the same: nothing is lost */
	EQ(error_of(sb), 0);
	EQ(recv(sa, buf, sizeof(buf), MSG_DONTWAIT), 1);
	EQ(send(sb, "xy", 2, 0), 2);
	OK(connect(sa, (void *)&c, sizeof(c)));
	ERR(recv(sa, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	EQ(waiting(sa), 0);
	EQ(error_of(sb), ECONNRESET);
	ERR(send(sb, "x", 1, 0), EPERM);
	EQ(send(sc, "x", 0, 0) < 0 && errno == ENOTCONN, 1);
	EQ(sendto(sc, "xyz", 3, 0, (void *)&a, sizeof(a)), 3);
	OK(connect(sa, (void *)&none, sizeof(none)));
	ERR(recv(sa, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	EQ(error_of(sc), 0);				/* it sends to whomever */
	EQ(sendto(sc, "xyz", 3, 0, (void *)&a, sizeof(a)), 3);
	OK(connect(sa, (void *)&none, sizeof(none)));
	EQ(recv(sa, buf, sizeof(buf), MSG_DONTWAIT), 3);
	unlink(a.sun_path);
	unlink(b.sun_path);
	unlink(c.sun_path);
}

TEST(server_and_client)
{
	struct sockaddr_un a = at("/tmp/sock"), who;
	socklen_t len = sizeof(who);
	int l = OK(socket(AF_UNIX, SOCK_STREAM, 0)), c;
	struct stat st;
	char b[10];
	pid_t pid;

	unlink("/tmp/sock");
	ERR(connect(l, (void *)&a, sizeof(a)), ENOENT);
	ERR(listen(l, 5), EINVAL);
	OK(bind(l, (void *)&a, sizeof(a)));
	OK(stat("/tmp/sock", &st));
	CHECK(S_ISSOCK(st.st_mode));
	c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	ERR(bind(c, (void *)&a, sizeof(a)), EADDRINUSE);
	ERR(connect(c, (void *)&a, sizeof(a)), ECONNREFUSED);
	ERR(accept(l, NULL, NULL), EINVAL);
	OK(listen(l, 5));
	ERR(open("/tmp/sock", O_RDWR), ENXIO);
	pid = OK(fork());
	if (pid == 0) {
		t_sleep_ms(50);
		OK(connect(c, (void *)&a, sizeof(a)));
		ERR(connect(c, (void *)&a, sizeof(a)), EISCONN);
		EQ(write(c, "hello", 5), 5);
		EQ(read(c, b, 10), 3);
		_exit(0);
	}
	close(c);
	int s = OK(accept4(l, (void *)&who, &len, SOCK_CLOEXEC));

	EQ(who.sun_family, AF_UNIX);
	EQ(len, 2);
	struct ucred cr;

	len = sizeof(cr);
	OK(getsockopt(s, SOL_SOCKET, SO_PEERCRED, &cr, &len));
	EQ(cr.pid, pid);
	EQ(read(s, b, 10), 5);
	EQ(write(s, "bye", 3), 3);
	len = sizeof(who);
	OK(getsockname(s, (void *)&who, &len));
	CHECK(!strcmp(who.sun_path, "/tmp/sock"));
	CHECK(t_child_ok(pid));
	struct pollfd pf = { s, POLLIN, 0 };

	EQ(poll(&pf, 1, 1000), 1);
	CHECK(pf.revents & POLLHUP);
	EQ(read(s, b, 10), 0);
	unlink("/tmp/sock");
}

TEST(abstract_names)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0name" },
			   auto_a = { .sun_family = AF_UNIX };
	int s = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), c = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
	socklen_t len = 2 + 5, flen = sizeof(auto_a);
	char b[20];

	OK(bind(s, (void *)&a, len));
	ERR(bind(c, (void *)&a, len), EADDRINUSE);
	OK(bind(c, (void *)&auto_a, 2));		/* the kernel chooses one */
	EQ(sendto(c, "hi", 2, 0, (void *)&a, len), 2);
	EQ(recvfrom(s, b, sizeof(b), 0, (void *)&auto_a, &flen), 2);
	EQ(flen, 2 + 6);
	EQ(sendto(s, "back", 4, 0, (void *)&auto_a, flen), 4);
	EQ(recv(c, b, sizeof(b), 0), 4);
	close(s);
	ERR(sendto(c, "x", 1, 0, (void *)&a, len), ECONNREFUSED);
}

static int send_fd(int s, int fd)
{
	char c = 'f';
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(int))];
	} u = { 0 };
	struct iovec iov = { &c, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u.b)
	};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(int));
	return sendmsg(s, &m, 0);
}

static int recv_fd(int s, int flags)
{
	char c;
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(int))];
	} u = { 0 };
	struct iovec iov = { &c, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u.b)
	};
	struct cmsghdr *h;
	int fd = -1;

	EQ(recvmsg(s, &m, flags), 1);
	h = CMSG_FIRSTHDR(&m);
	CHECK(h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(h), sizeof(int));
	return fd;
}

/* What was opened by name alone travels, and is no more than that where it arrives. */
TEST(name_alone_travels)
{
	int s[2], fd;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	fd = OK(open("/etc/passwd", O_PATH));
	EQ(send_fd(s[0], fd), 1);
	close(fd);
	fd = recv_fd(s[1], 0);
	EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	ERR(read(fd, &s, 1), EBADF);
	close(fd);
}

TEST(descriptors_travel)
{
	int s[2], p[2], got;
	char c;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	OK(pipe(p));
	EQ(send_fd(s[0], p[0]), 1);
	close(p[0]);				/* on its way it stays open */
	EQ(write(p[1], "z", 1), 1);
	got = recv_fd(s[1], MSG_CMSG_CLOEXEC);
	EQ(fcntl(got, F_GETFD), FD_CLOEXEC);
	EQ(read(got, &c, 1), 1);
	EQ(c, 'z');
	ERR(send_fd(s[0], 99), EBADF);
	/*
	 * A socket that carries itself is given back all the same: the test runner would see a
	 * leak.
	 */
	for (int i = 0; i < 20; i++) {
		OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		EQ(send_fd(s[0], s[1]), 1);
		EQ(send_fd(s[1], s[0]), 1);
		close(s[0]);
		close(s[1]);
	}
}

/* unix(7): descriptors are a barrier behind their bytes, not before them. */
TEST(descriptors_end_a_read)
{
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(4 * sizeof(int))];
	} u = { 0 };
	char b[20];
	struct iovec iov = { b, sizeof(b) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u.b)
	};
	int s[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	EQ(write(s[0], "aaaa", 4), 4);
	EQ(send_fd(s[0], 0), 1);
	EQ(write(s[0], "bbbb", 4), 4);
	EQ(recvmsg(s[1], &m, 0), 5);
	CHECK(CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_type == SCM_RIGHTS);
	EQ(read(s[1], b, sizeof(b)), 4);
	CHECK(!memcmp(b, "bbbb", 4));
	/* Nothing to carry them: they are not sent. */
	iov.iov_len = 0;
	m.msg_control = &u;
	m.msg_controllen = CMSG_SPACE(sizeof(int));
	u.h.cmsg_level = SOL_SOCKET;
	u.h.cmsg_type = SCM_RIGHTS;
	u.h.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&u.h), &s[0], sizeof(int));
	EQ(sendmsg(s[0], &m, 0), 0);
	ERR(recv(s[1], b, 1, MSG_DONTWAIT | MSG_PEEK), EAGAIN);
}

/* As many names as no fixed table likes, and each still leads to its socket. */
TEST(many_names)
{
	enum { N = 3000 };
	static int fd[N];
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int c = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), len;
	struct rlimit lim = { N + 50, N + 50 };

	OK(setrlimit(RLIMIT_NOFILE, &lim));
	for (int i = 0; i < N; i++) {
		fd[i] = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
		len = (int)offsetof(struct sockaddr_un, sun_path) + 1 +
		      sprintf(a.sun_path + 1, "name %d", i);
		OK(bind(fd[i], (void *)&a, len));
		ERR(bind(fd[i], (void *)&a, len), EINVAL);
		ERR(bind(c, (void *)&a, len), EADDRINUSE);
	}
	for (int i = 0; i < N; i++) {
		int got = -1;

		len = (int)offsetof(struct sockaddr_un, sun_path) + 1 +
		      sprintf(a.sun_path + 1, "name %d", i);
		EQ(sendto(c, &i, sizeof(i), 0, (void *)&a, len), sizeof(i));
		EQ(recv(fd[i], &got, sizeof(got), MSG_DONTWAIT), sizeof(got));
		EQ(got, i);
		close(fd[i]);
		ERR(sendto(c, &i, sizeof(i), 0, (void *)&a, len), ECONNREFUSED);
	}
}

/* Names that a hash without a secret would have in one bucket: "Aa" and "BB" are one to a sum of powers of 31. The debug kernel counts (guest/sections). */
TEST(names_of_one_sum)
{
	struct rlimit lim = { 5000, 5000 };

	OK(setrlimit(RLIMIT_NOFILE, &lim));
	for (int i = 0; i < 4096; i++) {
		struct sockaddr_un a = { .sun_family = AF_UNIX };

		for (int bit = 0; bit < 12; bit++)
			memcpy(a.sun_path + 1 + 2 * bit, i >> bit & 1 ? "Aa" : "BB", 2);
		OK(bind(OK(socket(AF_UNIX, SOCK_DGRAM, 0)), (void *)&a, sizeof(a.sun_family) + 1 + 24));
	}
}

TEST(listed)
{
	struct sockaddr_un a = at("/tmp/listed socket");
	char line[256], want[64];
	int s = OK(socket(AF_UNIX, SOCK_STREAM, 0)), n = 0;
	struct stat st;
	FILE *f;

	unlink(a.sun_path);
	OK(bind(s, (void *)&a, sizeof(a)));
	OK(listen(s, 5));
	OK(fstat(s, &st));
	snprintf(want, sizeof(want), " 00010000 0001 01 %5lu /tmp/listed socket\n",
		 (unsigned long)st.st_ino);
	f = fopen("/proc/net/unix", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, want) != NULL;
	EQ(n, 1);
	unlink(a.sun_path);
}

TEST(credentials_travel)
{
	int s[2], on = 1;
	char c = 'c';
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(struct ucred))];
	} u;
	struct iovec iov = { &c, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u.b)
	};
	struct ucred cr;
	pid_t pid;

	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	OK(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	pid = OK(fork());
	if (pid == 0) {
		OK(setgid(77));
		OK(setuid(66));
		EQ(write(s[0], "c", 1), 1);
		_exit(0);
	}
	EQ(recvmsg(s[1], &m, 0), 1);
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	CHECK(h && h->cmsg_type == 2 /* SCM_CREDENTIALS */);
	memcpy(&cr, CMSG_DATA(h), sizeof(cr));
	EQ(cr.pid, pid);
	EQ(cr.uid, 66);
	EQ(cr.gid, 77);
	CHECK(t_child_ok(pid));
}

TEST(a_full_one_waits)
{
	static char buf[65536];
	long total = 0;
	int s[2];
	struct pollfd pf;

	OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	for (;;) {
		ssize_t n = write(s[0], buf, sizeof(buf));

		if (n < 0)
			break;
		total += n;
	}
	EQ(errno, EAGAIN);
	CHECK(total >= 100000 && total < 4000000);
	pf = (struct pollfd){ s[0], POLLOUT, 0 };
	EQ(poll(&pf, 1, 0), 0);
	for (long left = total; left > 0;)
		left -= OK(read(s[1], buf, sizeof(buf)));
	EQ(poll(&pf, 1, 0), 1);
}

TEST(much_data)
{
	static unsigned char b[70000];
	long got = 0;
	int s[2];
	pid_t pid;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	pid = OK(fork());
	if (pid == 0) {
		close(s[1]);
		for (long n = 0; n < 3000000;) {
			for (unsigned int i = 0; i < sizeof(b); i++)
				b[i] = (n + i) % 251;
			EQ(write(s[0], b, sizeof(b)), sizeof(b));
			n += sizeof(b);
		}
		_exit(0);
	}
	close(s[0]);
	for (;;) {
		ssize_t n = OK(read(s[1], b, 33333));

		if (!n)
			break;
		for (ssize_t i = 0; i < n; i += 97)
			EQ(b[i], (got + i) % 251);
		got += n;
	}
	CHECK(got >= 3000000);
	CHECK(t_child_ok(pid));
}

TEST(errors)
{
	struct sockaddr_un a = at("/tmp/x");
	int s = OK(socket(AF_UNIX, SOCK_STREAM, 0)), v;
	socklen_t len = sizeof(v);

	ERR(socket(AF_UNIX, 9, 0), ESOCKTNOSUPPORT);
	ERR(socket(AF_UNIX, 77, 0), EINVAL);
	ERR(socket(77, SOCK_STREAM, 0), EAFNOSUPPORT);
	ERR(socketpair(AF_UNIX, SOCK_STREAM, 5, &v), EPROTONOSUPPORT);
	ERR(bind(s, (void *)&a, 1), EINVAL);
	ERR(bind(99, (void *)&a, sizeof(a)), EBADF);
	ERR(bind(0, (void *)&a, sizeof(a)), ENOTSOCK);
	ERR(send(s, "x", 1, MSG_NOSIGNAL), ENOTCONN);
	ERR(getpeername(s, (void *)&a, &len), ENOTCONN);
	OK(getsockopt(s, SOL_SOCKET, SO_TYPE, &v, &len));
	EQ(v, SOCK_STREAM);
	ERR(getsockopt(s, SOL_SOCKET, 9999, &v, &len), ENOPROTOOPT);
	OK(getsockopt(s, SOL_SOCKET, SO_ERROR, &v, &len));
	EQ(v, 0);
}

/* What is set is what is said, also where it means nothing to a local socket. */
TEST(options_kept)
{
	static const int flags[] = { SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST, SO_DONTROUTE,
				     SO_OOBINLINE };
	int s = OK(socket(AF_UNIX, SOCK_STREAM, 0)), v;
	struct linger l = { 7, 30 };
	socklen_t len = sizeof(v);
	pid_t pid;

	for (int i = 0; i < 5; i++) {
		v = 2;
		OK(setsockopt(s, SOL_SOCKET, flags[i], &v, sizeof(v)));
		OK(getsockopt(s, SOL_SOCKET, flags[i], &v, &len));
		EQ(v, 1);
	}
	OK(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	memset(&l, 0, sizeof(l));
	len = sizeof(l);
	OK(getsockopt(s, SOL_SOCKET, SO_LINGER, &l, &len));
	CHECK(l.l_onoff == 1 && l.l_linger == 30 && len == sizeof(l));
	ERR(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, 4), EINVAL);
	ERR(setsockopt(s, SOL_SOCKET, SO_LINGER, (void *)8, sizeof(l)), EFAULT);
	v = 6;
	OK(setsockopt(s, SOL_SOCKET, SO_PRIORITY, &v, sizeof(v)));
	v = 0;
	len = sizeof(v);
	OK(getsockopt(s, SOL_SOCKET, SO_PRIORITY, &v, &len));
	EQ(v, 6);
	OK(getsockopt(s, SOL_SOCKET, SO_REUSEPORT, &v, &len));
	EQ(v, 0);
	OK(setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &v, sizeof(v)));
	v = 1;
	ERR(setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &v, sizeof(v)), EOPNOTSUPP);
	pid = OK(fork());
	if (pid == 0) {
		OK(setgid(1000));
		OK(setuid(1000));
		v = 7;
		ERR(setsockopt(s, SOL_SOCKET, SO_PRIORITY, &v, sizeof(v)), EPERM);
		v = -1;
		ERR(setsockopt(s, SOL_SOCKET, SO_PRIORITY, &v, sizeof(v)), EPERM);
		v = 5;
		OK(setsockopt(s, SOL_SOCKET, SO_PRIORITY, &v, sizeof(v)));
		_exit(0);
	}
	EQ(t_wait(pid), 0);
}

TEST(timeouts)
{
	struct timeval tv = { 0, 60000 };
	long long a = t_now_ns();
	int s[2];
	char c;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	OK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	ERR(read(s[0], &c, 1), EAGAIN);
	CHECK(t_now_ns() - a >= 55000000);
}

static long open_files(void)
{
	long n = 0;
	FILE *f = fopen("/proc/sys/fs/file-nr", "r");

	CHECK(f && fscanf(f, "%ld", &n) == 1);
	fclose(f);
	return n;
}

/* A listener whose descriptor waits in a connection that nobody can accept any more. */
TEST(a_listener_that_carries_itself)
{
	for (int i = 0; i < 20; i++) {
		struct sockaddr_un a = at("/tmp/unix-self");
		int l = OK(socket(AF_UNIX, SOCK_STREAM, 0)),
		    c = OK(socket(AF_UNIX, SOCK_STREAM, 0));

		unlink(a.sun_path);
		OK(bind(l, (struct sockaddr *)&a, sizeof(a)));
		OK(listen(l, 1));
		OK(connect(c, (struct sockaddr *)&a, sizeof(a)));
		EQ(send_fd(c, l), 1);
		close(l);
		close(c);
	}
	CHECK(open_files() > 0);		/* the test runner would see the leak */
}

/* Polls for room at a peer that is another one, and the old one gone, before he is done. */
TEST(poll_outlives_the_peer)
{
	struct sockaddr_un to[2] = { at("/tmp/unix-peer0"), at("/tmp/unix-peer1") };
	int u = OK(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)), p[2];
	struct pollfd pf = { u, POLLOUT, 0 };
	pid_t pid;

	for (int i = 0; i < 2; i++) {
		unlink(to[i].sun_path);
		p[i] = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
		OK(bind(p[i], (struct sockaddr *)&to[i], sizeof(to[i])));
	}
	OK(connect(u, (struct sockaddr *)&to[0], sizeof(to[0])));
	while (write(u, "x", 1) == 1)
		;
	EQ(errno, EAGAIN);
	EQ(poll(&pf, 1, 0), 0);
	pid = OK(fork());
	if (pid == 0) {
		close(p[0]);
		close(p[1]);
		EQ(poll(&pf, 1, -1), 1);
		EQ(pf.revents, POLLOUT);
		EQ(poll(&pf, 1, 0), 1);
		_exit(0);
	}
	t_until_asleep(pid);
	OK(connect(u, (struct sockaddr *)&to[1], sizeof(to[1])));
	close(p[0]);
	CHECK(t_child_ok(pid));
	/* And where it stays with its peer, room there is heard of. */
	while (write(u, "x", 1) == 1)
		;
	pid = OK(fork());
	if (pid == 0) {
		EQ(poll(&pf, 1, -1), 1);
		_exit(0);
	}
	t_until_asleep(pid);
	char c;

	while (poll(&(struct pollfd){ p[1], POLLIN, 0 }, 1, 0) == 1)
		EQ(read(p[1], &c, 1), 1);
	CHECK(t_child_ok(pid));
}

/*
 * The C library's headers lack the newer ones, which all CPUs but alpha and sparc64 number alike.
 */
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static int option(int s, int name)
{
	socklen_t len = sizeof(int);
	int v = -7;

	OK(getsockopt(s, SOL_SOCKET, name, &v, &len));
	EQ(len, sizeof(v));
	return v;
}

static int set_option(int s, int name, int v)
{
	return setsockopt(s, SOL_SOCKET, name, &v, sizeof(v));
}

TEST(options_of_networks)
{
	int s = OK(socket(AF_UNIX, SOCK_STREAM, 0)), other = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
	uint64_t rate = 1ull << 40, a = 0, b = 0;
	socklen_t len = sizeof(rate);

	EQ(option(s, SO_INCOMING_CPU), -1);
	OK(set_option(s, SO_INCOMING_CPU, 3));
	EQ(option(s, SO_INCOMING_CPU), 3);
	OK(set_option(s, SO_BUSY_POLL, 50));
	EQ(option(s, SO_BUSY_POLL), 50);
	ERR(set_option(s, SO_BUSY_POLL, -1), EINVAL);
	EQ(option(s, SO_MAX_PACING_RATE), -1);
	OK(setsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)));
	EQ(option(s, SO_MAX_PACING_RATE), -1);		/* too much for an int */
	rate = 0;
	OK(getsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &len));
	CHECK(rate == 1ull << 40 && len == sizeof(rate));
	OK(set_option(s, SO_RXQ_OVFL, 5));
	EQ(option(s, SO_RXQ_OVFL), 1);
	EQ(option(s, SO_BUF_LOCK), 0);
	OK(set_option(s, SO_SNDBUF, 10000));
	EQ(option(s, SO_BUF_LOCK), 1);
	OK(set_option(s, SO_BUF_LOCK, 2));
	EQ(option(s, SO_BUF_LOCK), 2);
	ERR(set_option(s, SO_BUF_LOCK, 4), EINVAL);
	ERR(set_option(s, SO_ZEROCOPY, 1), EOPNOTSUPP);
	len = sizeof(a);
	OK(getsockopt(s, SOL_SOCKET, SO_COOKIE, &a, &len));
	OK(getsockopt(other, SOL_SOCKET, SO_COOKIE, &b, &len));
	CHECK(a && b && a != b);
	OK(getsockopt(s, SOL_SOCKET, SO_COOKIE, &b, &len));
	EQ(a, b);
	OK(set_option(s, SO_DEBUG, 1));
	EQ(option(s, SO_DEBUG), 1);
	OK(set_option(s, SO_MARK, 77));
	EQ(option(s, SO_MARK), 77);
	OK(setuid(1000));
	ERR(set_option(s, SO_MARK, 78), EPERM);
	ERR(set_option(s, SO_DEBUG, 1), EACCES);
	OK(set_option(s, SO_DEBUG, 0));
	EQ(option(s, SO_MARK), 77);
}

/* Whom a socket is connected to, by descriptor, groups and name. */
TEST(the_peer)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0the peer" }, name;
	int l = OK(socket(AF_UNIX, SOCK_STREAM, 0)), c, s, fd = -1;
	gid_t groups[3] = { 5, 70, 9999 }, got[3] = { 0 };
	socklen_t len = sizeof(fd);
	char path[64], text[512] = "";
	pid_t pid;

	ERR(getsockopt(l, SOL_SOCKET, SO_PEERPIDFD, &fd, &len), ENODATA);
	len = sizeof(got);
	ERR(getsockopt(l, SOL_SOCKET, SO_PEERGROUPS, got, &len), ENODATA);
	len = 2;
	ERR(getsockopt(l, SOL_SOCKET, SO_PEERNAME, &name, &len), ENOTCONN);
	OK(bind(l, (struct sockaddr *)&a, offsetof(struct sockaddr_un, sun_path) + 9));
	OK(setgroups(3, groups));
	OK(listen(l, 1));
	OK(setgroups(0, NULL));
	c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	pid = OK(fork());
	if (!pid) {
		OK(connect(c, (struct sockaddr *)&a, offsetof(struct sockaddr_un, sun_path) + 9));
		len = sizeof(got[0]);
		ERR(getsockopt(c, SOL_SOCKET, SO_PEERGROUPS, got, &len), ERANGE);
		EQ(len, sizeof(got));
		OK(getsockopt(c, SOL_SOCKET, SO_PEERGROUPS, got, &len));
		CHECK(!memcmp(got, groups, sizeof(got)));
		len = sizeof(name);
		ERR(getsockopt(c, SOL_SOCKET, SO_PEERNAME, &name, &len), EINVAL);
		len = offsetof(struct sockaddr_un, sun_path) + 9;
		OK(getsockopt(c, SOL_SOCKET, SO_PEERNAME, &name, &len));
		CHECK(!memcmp(&name, &a, len));
		pause();
	}
	s = OK(accept(l, NULL, NULL));
	len = sizeof(got);
	OK(getsockopt(s, SOL_SOCKET, SO_PEERGROUPS, got, &len));
	EQ(len, 0);
	len = sizeof(fd);
	OK(getsockopt(s, SOL_SOCKET, SO_PEERPIDFD, &fd, &len));
	EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	l = OK(open(path, O_RDONLY));
	CHECK(read(l, text, sizeof(text) - 1) > 0);
	snprintf(path, sizeof(path), "\nPid:\t%d\n", pid);
	CHECK(strstr(text, path));
	OK(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
	EQ(WTERMSIG(t_wait(pid)), SIGKILL);
}

/*
 * A control message of TYPE with a time of PART (nano or micro) seconds a second, between BEFORE
 * and now.
 */
static void one_stamp(int s, int type, long parts, time_t before)
{
	char control[128], c;
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *h;
	struct {
		long sec, part;
	} t;

	EQ(recvmsg(s, &m, 0), 1);
	h = CMSG_FIRSTHDR(&m);
	CHECK(h);
	EQ(h->cmsg_level, SOL_SOCKET);
	EQ(h->cmsg_type, type);
	EQ(h->cmsg_len, CMSG_LEN(sizeof(t)));
	memcpy(&t, CMSG_DATA(h), sizeof(t));
	CHECK(t.sec >= before && t.sec <= time(NULL));
	CHECK(t.part >= 0 && t.part < parts);
	CHECK(!CMSG_NXTHDR(&m, h));
}

TEST(timestamps)
{
	/* the last two: SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW */
	static const int types[] = { SO_TIMESTAMP, SO_TIMESTAMPNS, 63, 64 };
	int s[2], on = 1, got;
	socklen_t len = sizeof(got);
	time_t before = time(NULL);

	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	for (int i = 0; i < 4; i++) {
		OK(setsockopt(s[1], SOL_SOCKET, types[i], &on, sizeof(on)));
		for (int k = 0; k < 4; k++) {
			OK(getsockopt(s[1], SOL_SOCKET, types[k], &got, &len));
			EQ(got, k == i || (i == 3 && k == 2));
		}
		EQ(write(s[0], "x", 1), 1);
		one_stamp(s[1], types[i],
			  types[i] == SO_TIMESTAMP || types[i] == 63 ? 1000000 : 1000000000,
			  before);
	}
	on = 0;
	OK(setsockopt(s[1], SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on)));
	OK(getsockopt(s[1], SOL_SOCKET, 64, &got, &len));
	EQ(got, 0);
}

TEST(memory_in_use)
{
	unsigned int m[16];
	socklen_t len = sizeof(m);
	int s[2], size;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	EQ(write(s[0], "data", 4), 4);
	OK(getsockopt(s[0], SOL_SOCKET, 55, m, &len));	/* SO_MEMINFO */
	EQ(len, 9 * sizeof(m[0]));
	CHECK(m[2] >= 4);		/* in flight */
	len = sizeof(size);
	OK(getsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &size, &len));
	EQ(m[3], size);
	len = 8;
	OK(getsockopt(s[0], SOL_SOCKET, 55, m, &len));
	EQ(len, 8);
}

/*
 * Abstract names belong to a network namespace, paths do not; settings are the namespace's, sizes
 * of buffers the machine's.
 */
TEST(network_namespaces)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0ofnet" },
			   p = { .sun_family = AF_UNIX, .sun_path = "/tmp/ofnet" };
	socklen_t alen = offsetof(struct sockaddr_un, sun_path) + 6;
	char text[64];
	int l = OK(socket(AF_UNIX, SOCK_STREAM, 0)), m = OK(socket(AF_UNIX, SOCK_STREAM, 0)), c, f;

	unlink(p.sun_path);
	OK(bind(l, (struct sockaddr *)&a, alen));
	OK(listen(l, 1));
	OK(bind(m, (struct sockaddr *)&p, sizeof(p)));
	OK(listen(m, 1));
	if (syscall(SYS_unshare, 0x40000000))	/* CLONE_NEWNET */
		SKIP("not root");
	c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	ERR(connect(c, (struct sockaddr *)&a, alen), ECONNREFUSED);
	OK(bind(c, (struct sockaddr *)&a, alen));
	c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(connect(c, (struct sockaddr *)&p, sizeof(p)));
	f = OK(open("/proc/sys/net/core/somaxconn", O_RDWR));
	EQ(write(f, "77\n", 3), 3);
	f = OK(open("/proc/sys/net/core/somaxconn", O_RDONLY));
	EQ(read(f, text, sizeof(text)), 3);
	ERR(open("/proc/sys/net/core/wmem_max", O_RDWR), EACCES);
	f = OK(open("/proc/self/net/unix", O_RDONLY));
	f = (int)read(f, text, sizeof(text));
	CHECK(f > 0);
	OK(unlink(p.sun_path));
}
