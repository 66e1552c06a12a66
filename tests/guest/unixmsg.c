// SPDX-License-Identifier: MIT
/*
 * Local sockets: what comes with a message, and what a socket is as a file. proves: recvmsg ioctl
 * fcntl setsockopt getsockopt bind
 */
#include "t.h"
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <linux/sockios.h>

#ifndef SCM_CREDENTIALS
#define SCM_CREDENTIALS 2
#endif

/* One recvmsg of up to SIZE bytes. *CR: pid -1 where no credentials came. Its flags in *FLAGS. */
static ssize_t receive(int s, void *b, size_t size, struct ucred *cr, int *flags)
{
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(struct ucred))];
	} u;
	struct iovec iov = { b, size };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u.b)
	};
	ssize_t n = recvmsg(s, &m, 0);
	struct cmsghdr *h = n < 0 ? NULL : CMSG_FIRSTHDR(&m);

	*cr = (struct ucred){ -1, 0, 0 };
	if (h && h->cmsg_type == SCM_CREDENTIALS)
		memcpy(cr, CMSG_DATA(h), sizeof(*cr));
	if (flags)
		*flags = m.msg_flags;
	return n;
}

static void passcred(int s)
{
	int on = 1;

	OK(setsockopt(s, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
}

TEST(who_sent_is_not_told_of_before_it_was_asked)
{
	struct ucred cr;
	char b[10];
	int s[2];

	for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++) {
		if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
			continue;
		OK(socketpair(AF_UNIX, type, 0, s));
		EQ(write(s[0], "a", 1), 1);
		passcred(s[1]);
		EQ(write(s[0], "b", 1), 1);
		/* and no more: the next has a sender */
		EQ(receive(s[1], b, sizeof(b), &cr, NULL), 1);
		EQ(b[0], 'a');
		EQ(cr.pid, 0);
		EQ(cr.uid, 65534);
		EQ(cr.gid, 65534);
		EQ(receive(s[1], b, sizeof(b), &cr, NULL), 1);
		EQ(b[0], 'b');
		EQ(cr.pid, getpid());
		EQ(cr.uid, getuid());
		close(s[0]);
		close(s[1]);
	}
}

TEST(the_sender_may_ask_for_it_too)
{
	struct ucred cr;
	char b[10];
	int s[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	passcred(s[0]);
	EQ(write(s[0], "a", 1), 1);
	passcred(s[1]);
	EQ(receive(s[1], b, sizeof(b), &cr, NULL), 1);
	EQ(cr.pid, getpid());
}

/* Who has not been accepted yet may still ask. */
TEST(before_the_connection_is_accepted)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/tmp/unixmsg.accept" };
	int l = OK(socket(AF_UNIX, SOCK_STREAM, 0)), c = OK(socket(AF_UNIX, SOCK_STREAM, 0)), n;
	struct ucred cr;
	char b[10];

	unlink(a.sun_path);
	OK(bind(l, (void *)&a, sizeof(a)));
	OK(listen(l, 1));
	OK(connect(c, (void *)&a, sizeof(a)));
	EQ(write(c, "a", 1), 1);
	n = OK(accept(l, NULL, NULL));
	EQ(write(c, "b", 1), 1);
	passcred(n);
	EQ(receive(n, b, sizeof(b), &cr, NULL), 1);
	EQ(cr.pid, getpid());
	EQ(receive(n, b, sizeof(b), &cr, NULL), 1);
	EQ(cr.pid, 0);
	unlink(a.sun_path);
}

/* Without anybody who asks, all that fits comes at once. */
TEST(unasked_bytes_are_joined)
{
	int s[2];
	char b[10];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	EQ(write(s[0], "a", 1), 1);
	EQ(write(s[0], "b", 1), 1);
	EQ(read(s[1], b, sizeof(b)), 2);
}

TEST(records_end_without_a_flag)
{
	struct ucred cr;
	int s[2], flags;
	char b[2];

	OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	EQ(send(s[0], "a", 1, MSG_EOR), 1);
	EQ(receive(s[1], b, sizeof(b), &cr, &flags), 1);
	EQ(flags, 0);
	EQ(send(s[0], "abc", 3, 0), 3);
	EQ(receive(s[1], b, sizeof(b), &cr, &flags), 2);
	EQ(flags, MSG_TRUNC);
}

TEST(nothing_is_awaited_like_something)
{
	int s[2];
	char b[1];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	ERR(recv(s[1], b, 0, MSG_DONTWAIT), EAGAIN);
	EQ(read(s[1], b, 0), 0);
	EQ(write(s[0], "a", 1), 1);
	EQ(recv(s[1], b, 0, MSG_DONTWAIT), 0);
	EQ(recv(s[1], b, 1, MSG_DONTWAIT), 1);
	close(s[0]);
	EQ(recv(s[1], b, 0, 0), 0);
}

TEST(an_option_that_is_kept)
{
	int s = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), v = 1;
	socklen_t len = sizeof(v);

	OK(setsockopt(s, SOL_SOCKET, SO_NO_CHECK, &v, sizeof(v)));
	v = 0;
	OK(getsockopt(s, SOL_SOCKET, SO_NO_CHECK, &v, &len));
	EQ(v, 1);
	v = 0;
	OK(setsockopt(s, SOL_SOCKET, SO_NO_CHECK, &v, sizeof(v)));
	v = 1;
	OK(getsockopt(s, SOL_SOCKET, SO_NO_CHECK, &v, &len));
	EQ(v, 0);
}

TEST(buffers_as_large_as_allowed)
{
	int s = OK(socket(AF_UNIX, SOCK_STREAM, 0)), v = 1 << 30;
	socklen_t len = sizeof(v);

	OK(setsockopt(s, SOL_SOCKET, SO_SNDBUF, &v, sizeof(v)));
	OK(getsockopt(s, SOL_SOCKET, SO_SNDBUF, &v, &len));
	EQ(v, 8 << 20);
	v = 1 << 30;
	OK(setsockopt(s, SOL_SOCKET, SO_RCVBUF, &v, sizeof(v)));
	OK(getsockopt(s, SOL_SOCKET, SO_RCVBUF, &v, &len));
	EQ(v, 8 << 20);
}

static mode_t bound_mode(mode_t own, mode_t mask)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/tmp/unixmsg.mode" };
	int s = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	struct stat st;

	unlink(a.sun_path);
	umask(mask);
	OK(fchmod(s, own));
	OK(bind(s, (void *)&a, sizeof(a)));
	OK(stat(a.sun_path, &st));
	unlink(a.sun_path);
	close(s);
	return st.st_mode;
}

TEST(a_bound_name_has_the_sockets_mode)
{
	EQ(bound_mode(0777, 022), S_IFSOCK | 0755);
	EQ(bound_mode(0600, 022), S_IFSOCK | 0600);
	EQ(bound_mode(0666, 0), S_IFSOCK | 0666);
}

TEST(an_owner_by_ioctl)
{
	int s = OK(socket(AF_UNIX, SOCK_STREAM, 0)), who = getpid();

	OK(ioctl(s, FIOSETOWN, &who));
	EQ(fcntl(s, F_GETOWN), who);
	who = 0;
	OK(ioctl(s, FIOGETOWN, &who));
	EQ(who, getpid());
	who = -getpgrp();
	OK(ioctl(s, SIOCSPGRP, &who));
	who = 0;
	OK(ioctl(s, SIOCGPGRP, &who));
	EQ(who, -getpgrp());
	who = 0x7ffffff0;
	ERR(ioctl(s, SIOCSPGRP, &who), ESRCH);
	ERR(ioctl(s, SIOCSPGRP, NULL), EFAULT);
}

static siginfo_t got;
static volatile int signals;

static void on_signal(int sig, siginfo_t *i, void *c)
{
	(void)sig;
	(void)c;
	got = *i;
	signals++;
}

static void listen_to(int s, int sig)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	int on = 1;

	OK(sigaction(sig, &sa, NULL));
	OK(fcntl(s, F_SETOWN, getpid()));
	if (sig != SIGIO)
		OK(fcntl(s, F_SETSIG, sig));
	signals = 0;
	OK(ioctl(s, FIOASYNC, &on));
	CHECK(fcntl(s, F_GETFL) & O_ASYNC);
}

TEST(a_signal_when_data_come)
{
	int s[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	listen_to(s[1], SIGRTMIN);
	EQ(write(s[0], "a", 1), 1);
	EQ(signals, 1);
	EQ(got.si_code, POLL_IN);
	EQ(got.si_band, POLLIN | POLLRDNORM);
	EQ(got.si_fd, s[1]);
	OK(fcntl(s[1], F_SETFL, 0));
	EQ(write(s[0], "a", 1), 1);
	EQ(signals, 1);
	OK(fcntl(s[1], F_SETFL, O_ASYNC));
	OK(shutdown(s[0], SHUT_WR));
	EQ(signals, 2);
	EQ(got.si_band, POLLIN | POLLRDNORM);
	close(s[0]);
	EQ(signals, 3);
	EQ(got.si_code, POLL_HUP);
	EQ(got.si_band, POLLHUP | POLLERR);
}

/* Its si_code would mean something else there. */
TEST(a_signal_with_codes_of_its_own)
{
	int s[2];

	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	listen_to(s[1], SIGTRAP);
	EQ(write(s[0], "a", 1), 1);
	EQ(signals, 1);
	EQ(got.si_code, SI_SIGIO);
	EQ(got.si_band, POLLIN | POLLRDNORM);
}

TEST(a_signal_when_there_is_room)
{
	static char b[4096];
	int s[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	OK(fcntl(s[0], F_SETFL, O_NONBLOCK));
	listen_to(s[0], SIGRTMIN);
	while (write(s[0], b, sizeof(b)) > 0)
		;
	EQ(errno, EAGAIN);
	EQ(signals, 0);
	while (!signals && recv(s[1], b, sizeof(b), MSG_DONTWAIT) > 0)
		;
	EQ(signals, 1);
	EQ(got.si_code, POLL_OUT);
	while (recv(s[1], b, sizeof(b), MSG_DONTWAIT) > 0)
		;
	EQ(signals, 1);		/* once for one wait */
}

TEST(a_connection_is_data)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/tmp/unixmsg.listen" };
	int l = OK(socket(AF_UNIX, SOCK_STREAM, 0)), c = OK(socket(AF_UNIX, SOCK_STREAM, 0));

	unlink(a.sun_path);
	OK(bind(l, (void *)&a, sizeof(a)));
	OK(listen(l, 1));
	listen_to(l, SIGRTMIN);
	OK(connect(c, (void *)&a, sizeof(a)));
	EQ(signals, 1);
	EQ(got.si_code, POLL_IN);
	unlink(a.sun_path);
}

TEST(no_such_interface)
{
	static const unsigned long asks[] = { SIOCGIFFLAGS, SIOCGIFMTU,	   SIOCGIFHWADDR,
					      SIOCGIFINDEX, SIOCGIFMETRIC, SIOCGIFMAP };
	int s = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
	struct ifreq r = { .ifr_name = "nosuch0" };
	char list[64];
	struct ifconf c = { .ifc_len = 0, .ifc_buf = list };

	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
		ERR(ioctl(s, asks[i], &r), ENODEV);
	r.ifr_ifindex = 12345;
	ERR(ioctl(s, SIOCGIFNAME, &r), ENODEV);
	strcpy(r.ifr_name, "nosuch0");
	ERR(ioctl(s, SIOCSIFFLAGS, &r), ENODEV);
	ERR(ioctl(s, SIOCGIFFLAGS, NULL), EFAULT);
	ERR(ioctl(s, 0x5401 /* TCGETS */, &r), ENOTTY);
	OK(ioctl(s, SIOCGIFCONF, &c));
	OK(setuid(1000));
	ERR(ioctl(s, SIOCSIFFLAGS, &r), EPERM);
	ERR(ioctl(s, SIOCGIFFLAGS, &r), ENODEV);
}

/* ---- processes as descriptors ---- */

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif
#define SCM_PIDFD 4

static void set_option(int s, int name, int v)
{
	OK(setsockopt(s, SOL_SOCKET, name, &v, sizeof(v)));
}

/*
 * The control messages that came with one byte, of up to ROOM bytes, as a text: c credentials, r
 * rights, p a process. *FD: of the last that is a descriptor.
 */
static const char *control(int s, size_t room, int *fd, int *flags)
{
	static char text[10];
	union {
		struct cmsghdr h;
		char b[200];
	} u;
	char b;
	struct iovec iov = { &b, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = room
	};
	int n = 0;

	EQ(recvmsg(s, &m, MSG_CMSG_CLOEXEC), 1);
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		text[n++] = h->cmsg_type == SCM_CREDENTIALS ? 'c' :
			    h->cmsg_type == SCM_RIGHTS	    ? 'r' :
			    h->cmsg_type == SCM_PIDFD	    ? 'p' :
							      '?';
		if (h->cmsg_type != SCM_CREDENTIALS)
			memcpy(fd, CMSG_DATA(h), sizeof(*fd));
	}
	text[n] = 0;
	*flags = m.msg_flags & ~MSG_CMSG_CLOEXEC;
	return text;
}

static ssize_t send_rights(int s)
{
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(int))];
	} u = { .h = { .cmsg_len = CMSG_LEN(sizeof(int)),
		       .cmsg_level = SOL_SOCKET,
		       .cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { "r", 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u.b)
	};

	memcpy(CMSG_DATA(&u.h), &s, sizeof(s));
	return sendmsg(s, &m, 0);
}

static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

TEST(the_sender_as_a_descriptor)
{
	int s[2], fd, flags, status;
	pid_t pid;

	for (int i = 0; i < 3; i++) {
		OK(socketpair(AF_UNIX, types[i], 0, s));
		set_option(s[1], SO_PASSPIDFD, 1);
		pid = OK(fork());
		if (pid == 0)
			_exit(write(s[0], "a", 1) != 1 || pause());
		CHECK(!strcmp(control(s[1], 200, &fd, &flags), "p"));
		EQ(flags, 0);
		EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
		OK(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
		status = t_wait(pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
		close(fd);
		passcred(s[1]);
		EQ(send_rights(s[0]), 1);
		CHECK(!strcmp(control(s[1], 200, &fd, &flags), "crp"));
		/* Without room for it: none, and it is told. */
		EQ(write(s[0], "a", 1), 1);
		CHECK(!strcmp(control(s[1], CMSG_SPACE(sizeof(struct ucred)) + 19, &fd, &flags),
			      "c"));
		EQ(flags, MSG_CTRUNC);
		close(s[0]);
		close(s[1]);
	}
}

TEST(who_takes_no_descriptors)
{
	int s[2], fd, flags, on = 9;
	socklen_t len = sizeof(on);

	for (int i = 0; i < 3; i++) {
		OK(socketpair(AF_UNIX, types[i], 0, s));
		OK(getsockopt(s[1], SOL_SOCKET, SO_PASSRIGHTS, &on, &len));
		EQ(on, 1);
		set_option(s[1], SO_PASSRIGHTS, 0);
		ERR(send_rights(s[0]), EPERM);
		EQ(write(s[0], "a", 1), 1);
		CHECK(!strcmp(control(s[1], 200, &fd, &flags), ""));
		set_option(s[1], SO_PASSRIGHTS, 1);
		EQ(send_rights(s[0]), 1);
		CHECK(!strcmp(control(s[1], 200, &fd, &flags), "r"));
		close(s[0]);
		close(s[1]);
	}
}

/* ---- what poll(2), shutdown(2) and bind(2) say ---- */

static short polled(int s)
{
	struct pollfd p = { s, (short)~POLLNVAL, 0 };

	OK(poll(&p, 1, 0));
	return p.revents;
}

static int listener(struct sockaddr_un *a, socklen_t *len, int type)
{
	int s = OK(socket(AF_UNIX, type, 0));

	OK(bind(s, (struct sockaddr *)&(struct sockaddr_un){ .sun_family = AF_UNIX }, 2));
	OK(listen(s, 2));
	*len = sizeof(*a);
	OK(getsockname(s, (struct sockaddr *)a, len));
	return s;
}

TEST(a_listener_is_only_read)
{
	struct sockaddr_un a;
	socklen_t len;
	int s, c;

	for (int i = 0; i < 3; i += 2) {
		s = listener(&a, &len, types[i]);
		EQ(polled(s), 0);
		ERR(send(s, "x", 1, MSG_NOSIGNAL), ENOTCONN);
		c = OK(socket(AF_UNIX, types[i], 0));
		OK(connect(c, (struct sockaddr *)&a, len));
		EQ(polled(s), POLLIN | POLLRDNORM);
		close(s);
		close(c);
	}
}

TEST(shut_before_it_is_connected)
{
	struct sockaddr_un a;
	socklen_t len;
	int l, s;

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 3; i += 2) {
		s = OK(socket(AF_UNIX, types[i], 0));
		OK(shutdown(s, SHUT_WR));
		ERR(write(s, "x", 1), ENOTCONN);
		l = listener(&a, &len, types[i]);
		OK(connect(s, (struct sockaddr *)&a, len));
		ERR(write(s, "x", 1), EPIPE);
		close(l);
		close(s);
	}
	s = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
	OK(shutdown(s, SHUT_RD));
	ERR(recv(s, &a, 1, MSG_DONTWAIT), EAGAIN);
	EQ(recv(s, &a, 1, 0), 0);
}

TEST(a_second_name)
{
	struct sockaddr_un a = { AF_UNIX, "/tmp/name" }, none = { AF_UNIX, "/tmp/none/x" },
			   free_name = { AF_UNIX, "/tmp/free" };
	int s = OK(socket(AF_UNIX, SOCK_STREAM, 0));

	unlink("/tmp/name");
	OK(bind(s, (struct sockaddr *)&a, sizeof(a)));
	ERR(bind(s, (struct sockaddr *)&a, sizeof(a)), EADDRINUSE);
	ERR(bind(s, (struct sockaddr *)&none, sizeof(none)), ENOENT);
	ERR(bind(s, (struct sockaddr *)&free_name, sizeof(free_name)), EINVAL);
	ERR(access("/tmp/free", F_OK), ENOENT);
	OK(bind(s, (struct sockaddr *)&a, 2));		/* any name will do, and it has one */
	unlink("/tmp/name");
}

static int peek_off(int s, int off)
{
	return setsockopt(s, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off));
}

static int peek_off_of(int s)
{
	int off = -7;
	socklen_t n = sizeof(off);

	OK(getsockopt(s, SOL_SOCKET, SO_PEEK_OFF, &off, &n));
	return off;
}

/* Peeks go on where the last one ended; a read takes its bytes from before. */
TEST(peeking_further)
{
	char b[8];
	int s[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	EQ(peek_off_of(s[1]), -1);
	OK(peek_off(s[1], 2));
	EQ(write(s[0], "abcd", 4), 4);
	EQ(write(s[0], "efg", 3), 3);
	EQ(recv(s[1], b, 1, MSG_PEEK), 1);
	EQ(b[0], 'c');
	EQ(recv(s[1], b, 8, MSG_PEEK), 4);
	CHECK(!memcmp(b, "defg", 4));
	EQ(peek_off_of(s[1]), 7);
	ERR(recv(s[1], b, 1, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	EQ(recv(s[1], b, 3, 0), 3);
	CHECK(!memcmp(b, "abc", 3));
	EQ(peek_off_of(s[1]), 4);
	EQ(write(s[0], "h", 1), 1);
	EQ(recv(s[1], b, 8, MSG_PEEK), 1);
	EQ(b[0], 'h');
	EQ(recv(s[1], b, 8, 0), 5);
	EQ(peek_off_of(s[1]), 0);
	OK(peek_off(s[1], -1));
	EQ(write(s[0], "ij", 2), 2);
	EQ(recv(s[1], b, 1, MSG_PEEK), 1);
	EQ(recv(s[1], b, 1, MSG_PEEK), 1);
	EQ(b[0], 'i');
	ERR(peek_off(OK(socket(AF_NETLINK, SOCK_RAW, 0)), 0), EOPNOTSUPP);
}

TEST(peeking_further_into_messages)
{
	char b[8];
	int s[2];

	for (int type = SOCK_DGRAM; type <= SOCK_SEQPACKET; type += SOCK_SEQPACKET - SOCK_DGRAM) {
		OK(socketpair(AF_UNIX, type, 0, s));
		OK(peek_off(s[1], 1));
		EQ(write(s[0], "abc", 3), 3);
		EQ(write(s[0], "de", 2), 2);
		EQ(recv(s[1], b, 1, MSG_PEEK), 1);
		EQ(b[0], 'b');
		EQ(recv(s[1], b, 8, MSG_PEEK), 1);	/* never of two */
		EQ(b[0], 'c');
		EQ(recv(s[1], b, 8, MSG_PEEK), 2);
		CHECK(!memcmp(b, "de", 2));
		ERR(recv(s[1], b, 8, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
		EQ(recv(s[1], b, 8, 0), 3);
		EQ(peek_off_of(s[1]), 2);
		EQ(recv(s[1], b, 1, MSG_TRUNC), 2);
		EQ(peek_off_of(s[1]), 0);
	}
}

static void nothing(int sig)
{
	(void)sig;
}

/* A look at more than there is waits, and a signal ends that. */
TEST(a_peek_that_waits_for_more)
{
	struct itimerval t = { { 0, 10000 }, { 0, 10000 } };
	struct sigaction a = { .sa_handler = nothing };
	char b[8];
	int s[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	EQ(write(s[0], "ab", 2), 2);
	OK(sigaction(SIGALRM, &a, NULL));
	OK(setitimer(ITIMER_REAL, &t, NULL));
	EQ(recv(s[1], b, 4, MSG_PEEK | MSG_WAITALL), 2);
	OK(peek_off(s[1], 2));
	ERR(recv(s[1], b, 4, MSG_PEEK), EINTR);
}
