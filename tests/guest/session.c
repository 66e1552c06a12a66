// SPDX-License-Identifier: MIT
// slow: hundreds of sessions come and go
/*
 * Sessions, process groups and terminals. proves: setsid getsid setpgid getpgid getpgrp vhangup
 * ioctl
 */
#include "t.h"
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <termios.h>

static int open_pty(char *name, size_t len)
{
	int m = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY)), n, zero = 0;

	OK(ioctl(m, TIOCSPTLCK, &zero));
	OK(ioctl(m, TIOCGPTN, &n));
	snprintf(name, len, "/dev/pts/%d", n);
	return m;
}

/* What the master says within a while. */
static int hear(int m, char *b, int len)
{
	int n = 0;

	for (;;) {
		struct pollfd pf = { m, POLLIN, 0 };

		if (poll(&pf, 1, 200) <= 0)
			break;
		int r = read(m, b + n, len - 1 - n);

		if (r <= 0)
			break;
		n += r;
	}
	b[n] = 0;
	return n;
}

TEST(groups)
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		EQ(getpgid(0), getpgrp());
		OK(setpgid(0, 0));
		EQ(getpgrp(), getpid());
		EQ(getsid(0), getsid(getppid()));
		ERR(setsid(), EPERM);		/* a group's leader */
		ERR(setpgid(0, 999999), EPERM);
		ERR(setpgid(999999, 0), ESRCH);
		ERR(setpgid(0, -1), EINVAL);
		ERR(getpgid(999999), ESRCH);
		pid = OK(fork());
		if (pid == 0) {
			EQ(getpgrp(), getppid());
			EQ(setsid(), getpid());
			EQ(getsid(0), getpid());
			EQ(getpgrp(), getpid());
			ERR(setpgid(0, 0), EPERM);	/* a session's leader */
			ERR(open("/dev/tty", O_RDWR), ENXIO);
			_exit(0);
		}
		CHECK(t_child_ok(pid));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

TEST(signal_to_a_group)
{
	pid_t a = OK(fork()), b;

	if (a == 0) {
		setpgid(0, 0);
		for (;;)
			pause();
	}
	setpgid(a, a);
	b = OK(fork());
	if (b == 0) {
		setpgid(0, a);
		for (;;)
			pause();
	}
	setpgid(b, a);
	OK(kill(-a, SIGTERM));
	EQ(WTERMSIG(t_wait(a)), SIGTERM);
	EQ(WTERMSIG(t_wait(b)), SIGTERM);
	ERR(kill(-a, SIGTERM), ESRCH);
}

TEST(controlling_terminal)
{
	char name[40];
	int m = open_pty(name, sizeof(name));
	pid_t pid = OK(fork());

	if (pid == 0) {
		int s, pg;

		OK(setsid());
		s = OK(open(name, O_RDWR));	/* the first terminal a leader opens */
		EQ(tcgetsid(s), getpid());
		close(OK(open("/dev/tty", O_RDWR)));
		OK(ioctl(s, TIOCGPGRP, &pg));
		EQ(pg, getpid());
		pid = OK(fork());
		if (pid == 0) {
			setpgid(0, 0);
			signal(SIGTTOU, SIG_IGN);
			OK(tcsetpgrp(s, getpid()));
			EQ(tcgetpgrp(s), getpid());
			_exit(0);
		}
		CHECK(t_child_ok(pid));
		signal(SIGTTOU, SIG_IGN);
		OK(tcsetpgrp(s, getpid()));
		ERR(tcsetpgrp(s, 999999), ESRCH);
		OK(ioctl(s, TIOCNOTTY));
		_exit(1);	  /* SIGHUP to the foreground: us; not reached if it kills */
	}
	int st = t_wait(pid);

	CHECK(WIFSIGNALED(st) ? WTERMSIG(st) == SIGHUP : WEXITSTATUS(st) == 1);
	close(m);
}

static int in_session(void (*fn)(int slave), int *master)
{
	char name[40];
	pid_t pid;

	*master = open_pty(name, sizeof(name));
	pid = OK(fork());
	if (pid == 0) {
		int s;

		OK(setsid());
		s = OK(open(name, O_RDWR));
		close(*master);
		fn(s);
		_exit(0);
	}
	return pid;
}

static void reader(int s)
{
	char b[100];
	int n;

	for (int i = 0; i < 3; i++) {
		n = OK(read(s, b, sizeof(b)));
		EQ(write(s, "<", 1), 1);
		EQ(write(s, b, n), n);
		EQ(write(s, ">", 1), 1);
	}
}

/* Who opens a terminal only to write gets no right to read from it as /dev/tty. */
TEST(no_controlling_terminal_to_who_writes)
{
	char name[40];
	int m, s;

	OK(setsid());
	signal(SIGHUP, SIG_IGN);
	m = open_pty(name, sizeof(name));
	s = OK(open(name, O_WRONLY));
	ERR(open("/dev/tty", O_RDWR), ENXIO);
	OK(open(name, O_RDWR));
	OK(open("/dev/tty", O_RDWR));
	OK(ioctl(s, TIOCNOTTY));
	EQ(ioctl(m, TIOCGPTPEER, O_WRONLY) >= 0, 1);
	ERR(open("/dev/tty", O_RDWR), ENXIO);
	pid_t pid = OK(fork());

	if (pid == 0) {
		OK(setsid());
		OK(setuid(1000));
		ERR(ioctl(s, TIOCSCTTY, 0), EPERM);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	OK(ioctl(s, TIOCSCTTY, 0));		/* root asks for it */
	OK(open("/dev/tty", O_RDWR));
}

TEST(line_discipline)
{
	char b[200];
	int m;
	pid_t pid = in_session(reader, &m);

	EQ(write(m, "hel", 3), 3);
	hear(m, b, sizeof(b));
	CHECK(!strcmp(b, "hel"));			/* echoed, not yet given */
	EQ(write(m, "lx\x7fo\n", 6 - 1), 5);
	hear(m, b, sizeof(b));
	CHECK(strstr(b, "<hello\r\n>"));
	EQ(write(m, "kill me\x15word one\x17two\n", 21), 21);
	hear(m, b, sizeof(b));
	CHECK(strstr(b, "<word two\r\n>"));
	EQ(write(m, "no newline\x04", 11), 11);
	hear(m, b, sizeof(b));
	CHECK(strstr(b, "<no newline>"));
	CHECK(t_child_ok(pid));
}

static void raw_reader(int s)
{
	struct termios t;
	char b[100];
	long long start;

	OK(tcgetattr(s, &t));
	CHECK(t.c_lflag & ICANON && t.c_lflag & ECHO && t.c_oflag & OPOST && t.c_cc[VINTR] == 3 &&
	      t.c_cc[VMIN] == 1);
	cfmakeraw(&t);
	t.c_cc[VMIN] = 3;
	t.c_cc[VTIME] = 0;
	OK(tcsetattr(s, TCSANOW, &t));
	EQ(write(s, "R", 1), 1);
	EQ(read(s, b, sizeof(b)), 3);
	CHECK(!memcmp(b, "\x03\rz", 3));
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 2;
	OK(tcsetattr(s, TCSANOW, &t));
	start = t_now_ns();
	EQ(read(s, b, sizeof(b)), 0);
	CHECK(t_now_ns() - start > 150000000);
	EQ(write(s, "a\nb", 3), 3);
	t_sleep_ms(300);
}

/* The master's flush of what it wrote leaves the lines that the slave has. */
TEST(flushing_at_the_master)
{
	char name[40];
	int m = open_pty(name, sizeof(name)), s = OK(open(name, O_RDWR | O_NOCTTY | O_NONBLOCK)), n;

	for (int raw = 0; raw < 2; raw++) {
		struct termios t;

		OK(tcgetattr(s, &t));
		if (raw)
			cfmakeraw(&t);
		OK(tcsetattr(s, TCSANOW, &t));
		EQ(write(m, "ab\ncd\n", 6), 6);
		while (!ioctl(s, FIONREAD, &n) && n < 6)
			;
		OK(tcflush(m, TCOFLUSH));
		OK(tcflush(m, TCIOFLUSH));
		OK(ioctl(s, FIONREAD, &n));
		EQ(n, 6);
		OK(tcflush(s, TCIFLUSH));
		OK(ioctl(s, FIONREAD, &n));
		EQ(n, 0);
	}
	ERR(ioctl(m, TCFLSH, 3), EINVAL);
}

TEST(raw_mode)
{
	char b[100];
	int m;
	pid_t pid = in_session(raw_reader, &m);

	EQ(read(m, b, 1), 1);
	EQ(write(m, "\x03", 1), 1);
	EQ(write(m, "\r", 1), 1);
	EQ(write(m, "z", 1), 1);
	t_sleep_ms(300);
	EQ(read(m, b, sizeof(b)), 3);
	CHECK(!memcmp(b, "a\nb", 3));
	CHECK(t_child_ok(pid));
}

TEST(termio_and_locked_settings)
{
	struct {
		unsigned short i, o, c, l;
		unsigned char line, cc[8];
	} old;
	struct {
		unsigned int i, o, c, l;
		unsigned char line, cc[19];
	} k, lock, none = { 0 };
	char name[32];
	int m = open_pty(name, sizeof(name)), s = OK(open(name, O_RDWR | O_NOCTTY));

	/*
	 * termio(7) holds the lower half of the flags and eight characters; setting it leaves the
	 * rest.
	 */
	OK(ioctl(s, 0x5401 /* TCGETS */, &k));
	OK(ioctl(s, 0x5405 /* TCGETA */, &old));
	CHECK(old.i == (k.i & 0xffff) && old.o == (k.o & 0xffff) && old.c == (k.c & 0xffff) &&
	      old.l == (k.l & 0xffff));
	CHECK(!memcmp(old.cc, k.cc, 8));
	k.l |= EXTPROC;		/* above */
	k.cc[VSTART] = 'q';	/* the ninth */
	OK(ioctl(s, 0x5402 /* TCSETS */, &k));
	for (unsigned int set = 0x5406 /* TCSETA, TCSETAW, TCSETAF */; set <= 0x5408; set++) {
		old.l ^= ECHO;
		old.cc[VINTR]++;
		OK(ioctl(s, set, &old));
		OK(ioctl(s, 0x5401, &k));
		EQ(k.l & ECHO, old.l & ECHO);
		EQ(k.cc[VINTR], old.cc[VINTR]);
		CHECK((k.l & EXTPROC) && k.cc[VSTART] == 'q');
	}
	ERR(ioctl(s, 0x5406, 8), EFAULT);
	/* Locked bits and characters stay, what is set besides is set. */
	OK(ioctl(s, 0x5456 /* TIOCGLCKTRMIOS */, &lock));
	CHECK(!memcmp(&lock, &none, sizeof(none)));
	lock.l = ISIG;
	lock.cc[VERASE] = 1;
	OK(ioctl(s, 0x5457 /* TIOCSLCKTRMIOS */, &lock));
	OK(ioctl(m, 0x5456, &none));
	CHECK(!memcmp(&lock, &none, sizeof(none)));
	old.l ^= ISIG | ICANON;
	old.cc[VERASE]++;
	old.cc[VKILL]++;
	OK(ioctl(s, 0x5406, &old));
	OK(ioctl(s, 0x5401, &k));
	EQ(k.l & ICANON, old.l & ICANON);
	EQ(k.l & ISIG, ~old.l & ISIG);
	EQ(k.cc[VERASE], old.cc[VERASE] - 1);
	EQ(k.cc[VKILL], old.cc[VKILL]);
	OK(setuid(1000));
	ERR(ioctl(s, 0x5457, &none), EPERM);
}

static void waiter(int s)
{
	EQ(write(s, "R", 1), 1);
	for (;;)
		pause();
}

TEST(keys_that_signal)
{
	char b[100];
	int m;
	pid_t pid = in_session(waiter, &m);
	int st;

	EQ(read(m, b, 1), 1);
	EQ(write(m, "\x03", 1), 1);
	EQ(WTERMSIG(t_wait(pid)), SIGINT);
	close(m);
	pid = in_session(waiter, &m);
	EQ(read(m, b, 1), 1);
	EQ(write(m, "\x1c", 1), 1);
	EQ(WTERMSIG(t_wait(pid)), SIGQUIT);
	close(m);
	pid = in_session(waiter, &m);
	EQ(read(m, b, 1), 1);
	close(m);				/* the line is gone */
	EQ(WTERMSIG(t_wait(pid)), SIGHUP);
	(void)st;
}

static void background(int s)
{
	int st, fg = OK(fork());

	if (fg == 0) {
		char c;

		setpgid(0, 0);
		t_sleep_ms(50);
		read(s, &c, 1);			/* from the background: SIGTTIN */
		_exit(0);
	}
	EQ(waitpid(fg, &st, WUNTRACED), fg);
	CHECK(WIFSTOPPED(st));
	EQ(WSTOPSIG(st), SIGTTIN);
	signal(SIGTTOU, SIG_IGN);
	OK(tcsetpgrp(s, fg));
	OK(kill(fg, SIGCONT));
	EQ(write(s, "G", 1), 1);
	EQ(waitpid(fg, &st, 0), fg);
	EQ(st, 0);
	OK(tcsetpgrp(s, getpid()));
	/* With TOSTOP, writing stops too. */
	struct termios t;

	OK(tcgetattr(s, &t));
	t.c_lflag |= TOSTOP;
	OK(tcsetattr(s, TCSANOW, &t));
	signal(SIGTTOU, SIG_DFL);
	fg = OK(fork());
	if (fg == 0) {
		setpgid(0, 0);
		write(s, "x", 1);
		_exit(0);
	}
	EQ(waitpid(fg, &st, WUNTRACED), fg);
	CHECK(WIFSTOPPED(st));
	EQ(WSTOPSIG(st), SIGTTOU);
	kill(fg, SIGKILL);
	t_wait(fg);
}

TEST(background_reading_and_writing_stop)
{
	char b[100];
	int m;
	pid_t pid = in_session(background, &m);

	EQ(read(m, b, 1), 1);
	EQ(write(m, "line\n", 5), 5);
	CHECK(t_child_ok(pid));
}

static volatile int winch;

static void on_winch(int sig)
{
	winch++;
}

static void sized(int s)
{
	struct winsize w;

	signal(SIGWINCH, on_winch);
	EQ(write(s, "R", 1), 1);
	for (int i = 0; i < 200 && !winch; i++)
		t_sleep_ms(10);
	EQ(winch, 1);
	OK(ioctl(s, TIOCGWINSZ, &w));
	EQ(w.ws_row, 33);
	EQ(w.ws_col, 77);
}

TEST(window_size)
{
	struct winsize w = { 33, 77, 0, 0 };
	char b[10];
	int m;
	pid_t pid = in_session(sized, &m);

	EQ(read(m, b, 1), 1);
	OK(ioctl(m, TIOCSWINSZ, &w));
	CHECK(t_child_ok(pid));
}

TEST(orphaned_stopped_group_is_hung_up)
{
	int p[2];
	char c = 0;

	OK(pipe(p));
	if (OK(fork()) == 0) {
		setsid();
		pid_t pid = fork();

		if (pid == 0) {
			setpgid(0, 0);
			raise(SIGSTOP);
			_exit(0);
		}
		setpgid(pid, pid);
		waitpid(pid, NULL, WUNTRACED);
		/* A watcher outside tells when the stopped one is gone. */
		if (fork() == 0) {
			setsid();
			for (int i = 0; i < 300 && !kill(pid, 0); i++)
				t_sleep_ms(10);
			c = kill(pid, 0) ? 'y' : 'n';
			write(p[1], &c, 1);
			_exit(0);
		}
		_exit(0);
	}
	EQ(read(p[0], &c, 1), 1);
	EQ(c, 'y');
	t_wait(-1);
}

/* The other end opened through the master has the name that everybody else knows it by. */
TEST(peer)
{
	char name[32], link[40], seen[64] = "";
	int m = open_pty(name, sizeof(name));
	int s = OK(ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));

	snprintf(link, sizeof(link), "/proc/self/fd/%d", s);
	OK(readlink(link, seen, sizeof(seen) - 1));
	CHECK(!strcmp(seen, name));
	CHECK(isatty(s));
	EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
	EQ(write(m, "ab\n", 3), 3);
	EQ(read(s, seen, sizeof(seen)), 3);
	ERR(ioctl(s, TIOCGPTPEER, O_RDWR), EIO);
}

TEST(not_a_terminal)
{
	struct termios t;
	int fd = OK(open("/dev/null", O_RDWR));

	ERR(tcgetattr(fd, &t), ENOTTY);
	ERR(ioctl(fd, 0x12345678, 0), ENOTTY);
	ERR(ioctl(99, TCGETS, &t), EBADF);
	CHECK(!isatty(fd));
}

/*
 * vhangup takes the terminal from its session: what is open there is dead, the leader hears SIGHUP.
 */
TEST(hang_up_oneself)
{
	char name[40], b[4];
	int m = open_pty(name, sizeof(name)), s;
	pid_t pid = OK(fork());

	if (pid == 0) {
		sigset_t hup;

		sigemptyset(&hup);
		sigaddset(&hup, SIGHUP);
		sigprocmask(SIG_BLOCK, &hup, NULL);
		OK(setsid());
		OK(syscall(SYS_vhangup));		/* no terminal: nothing to do */
		s = OK(open(name, O_RDWR));
		OK(ioctl(s, TIOCSCTTY, 0));
		OK(syscall(SYS_vhangup));
		EQ(sigwaitinfo(&hup, NULL), SIGHUP);
		EQ(read(s, b, 1), 0);
		ERR(write(s, "x", 1), EIO);
		ERR(open("/dev/tty", O_RDWR), ENXIO);
		OK(setuid(1234));
		ERR(syscall(SYS_vhangup), EPERM);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	close(m);
}

/* A writer that found no room goes on when the reader has made some. */
TEST(reader_makes_room)
{
	static char out[100000], in[4096];
	char name[32];
	int m = open_pty(name, sizeof(name)), s = OK(open(name, O_RDWR | O_NOCTTY));
	struct termios t;
	long got = 0;
	pid_t pid;

	OK(tcgetattr(s, &t));
	cfmakeraw(&t);
	OK(tcsetattr(s, TCSANOW, &t));
	for (int way = 0; way < 2; way++) {
		int from = way ? s : m, to = way ? m : s;

		pid = OK(fork());
		if (pid == 0) {
			for (long n = 0; n < (long)sizeof(out);)
				n += OK(write(from, out + n, sizeof(out) - n));
			_exit(0);
		}
		t_until_asleep(pid);
		for (got = 0; got < (long)sizeof(out);)
			got += OK(read(to, in, sizeof(in)));
		CHECK(t_child_ok(pid));
	}
}

static void set_flags(int s, tcflag_t in, tcflag_t out, tcflag_t local)
{
	struct termios t;

	OK(tcgetattr(s, &t));
	t.c_iflag = in;
	t.c_oflag = out;
	t.c_lflag = local;
	OK(tcsetattr(s, TCSANOW, &t));
}

/* All values of a byte, both ways, in pieces that end everywhere in the rings. */
TEST(bytes_pass_unharmed)
{
	static unsigned char buf[5000];
	char name[32];
	int m = open_pty(name, sizeof(name)), s = OK(open(name, O_RDWR | O_NOCTTY));

	set_flags(s, 0, 0, 0);
	for (int way = 0; way < 2; way++) {
		int from = way ? s : m, to = way ? m : s;
		long total = 300000, got = 0;
		pid_t pid = OK(fork());

		if (pid == 0) {
			for (long n = 0, k = 1; n < total; k = k % 4900 + 37) {
				long part = k < total - n ? k : total - n;

				for (long i = 0; i < part; i++)
					buf[i] = (unsigned char)((n + i) * 7 + ((n + i) >> 8));
				n += OK(write(from, buf, part));
			}
			_exit(0);
		}
		for (long k = 1; got < total; k = k % 4900 + 91) {
			long r = OK(read(to, buf, k));

			for (long i = 0; i < r; i++, got++)
				if (buf[i] != (unsigned char)(got * 7 + (got >> 8)))
					FAIL("byte %ld is %d", got, buf[i]);
		}
		CHECK(t_child_ok(pid));
	}
}

/* Lines of many lengths, read in pieces; an end-of-file mark is not read. */
TEST(lines_in_pieces)
{
	static char line[600], in[600];
	char name[32];
	int m = open_pty(name, sizeof(name)), s = OK(open(name, O_RDWR | O_NOCTTY));

	set_flags(s, 0, 0, ICANON);
	for (int len = 0; len < 500; len += 7) {
		memset(line, 'a' + len % 26, len);
		line[len] = '\n';
		EQ(write(m, line, len + 1), len + 1);
		for (int got = 0; got < len + 1;) {
			int want = len % 13 + 1, r = read(s, in, want);

			EQ(r, want < len + 1 - got ? want : len + 1 - got);
			CHECK(!memcmp(in, line + got, r));
			got += r;
		}
		EQ(write(m, "abc\x04xy\n", 7), 7);
		EQ(read(s, in, len % 2 ? 3 : sizeof(in)), 3);	/* also with exactly its room */
		EQ(read(s, in, sizeof(in)), 3);
		CHECK(!memcmp(in, "xy\n", 3));
		EQ(write(m, "\x04", 1), 1);
		EQ(read(s, in, sizeof(in)), 0);
	}
}

/* What input settings do to bytes: PARMRK doubles 0xff, ISTRIP, ICRNL, and a literal next. */
TEST(bytes_with_a_meaning)
{
	char name[32], in[32];
	int m = open_pty(name, sizeof(name)), s = OK(open(name, O_RDWR | O_NOCTTY));

	set_flags(s, PARMRK, 0, 0);
	EQ(write(m,
		 "a\xff"
		 "b",
		 3),
	   3);
	EQ(read(s, in, sizeof(in)), 4);
	CHECK(!memcmp(in,
		      "a\xff\xff"
		      "b",
		      4));
	set_flags(s, ISTRIP | INLCR, 0, 0);
	EQ(write(m, "a\xe2\n\xffz", 5), 5);
	EQ(read(s, in, sizeof(in)), 5);
	CHECK(!memcmp(in, "ab\r\x7fz", 5));
	set_flags(s, ICRNL, 0, ICANON | IEXTEN);
	EQ(write(m,
		 "a\x16\x04"
		 "b\r",
		 5),
	   5);
	EQ(read(s, in, sizeof(in)), 4);
	CHECK(!memcmp(in,
		      "a\x04"
		      "b\n",
		      4));
	set_flags(s, 0, OPOST | ONLCR, 0);
	EQ(write(s, "caf\xc3\xa9 \x7f word and another\n", 25), 25);
	EQ(read(m, in, sizeof(in)), 26);
	CHECK(!memcmp(in, "caf\xc3\xa9 \x7f word and another\r\n", 26));
}

TEST(packets)
{
	char name[32], in[32];
	int m = open_pty(name, sizeof(name)), s = OK(open(name, O_RDWR | O_NOCTTY)), one = 1;
	struct pollfd p = { m, POLLIN | POLLPRI, 0 };

	set_flags(s, 0, 0, 0);
	OK(ioctl(m, TIOCPKT, &one));
	EQ(poll(&p, 1, 0), 0);
	EQ(write(s, "hi", 2), 2);
	EQ(read(m, in, sizeof(in)), 3);
	CHECK(!memcmp(in, "\0hi", 3));
	OK(tcflush(s, TCIFLUSH));
	EQ(poll(&p, 1, 0), 1);
	CHECK(p.revents & POLLPRI);
	EQ(read(m, in, sizeof(in)), 1);
	EQ(in[0], TIOCPKT_FLUSHREAD);
	OK(fcntl(m, F_SETFL, O_NONBLOCK));
	ERR(read(m, in, sizeof(in)), EAGAIN);
}

/* A tab that is written as spaces waits until there is room for all of them. */
TEST(tab_waits_for_room)
{
	static char tabs[3000], in[4096];
	char name[32];
	int m = open_pty(name, sizeof(name)), s = OK(open(name, O_RDWR | O_NOCTTY));
	long got = 0;
	pid_t pid;

	set_flags(s, 0, OPOST | XTABS, 0);
	memset(tabs, '\t', sizeof(tabs));
	pid = OK(fork());
	if (pid == 0) {
		EQ(write(s, tabs, sizeof(tabs)), sizeof(tabs));
		_exit(0);
	}
	t_until_asleep(pid);
	while (got < (long)sizeof(tabs) * 8) {
		int r = OK(read(m, in, sizeof(in)));

		for (int i = 0; i < r; i++)
			EQ(in[i], ' ');
		got += r;
	}
	CHECK(t_child_ok(pid));
}

/* What was written before the last close of the slave is read, then the master hears of it. */
TEST(last_words)
{
	char name[32], in[32];
	int m = open_pty(name, sizeof(name));

	for (int i = 0; i < 200; i++) {
		int s = OK(open(name, O_RDWR | O_NOCTTY));
		pid_t pid = OK(fork());

		if (pid == 0) {
			EQ(write(s, "bye", 3), 3);
			_exit(0);
		}
		close(s);
		EQ(read(m, in, sizeof(in)), 3);
		ERR(read(m, in, sizeof(in)), EIO);
		CHECK(t_child_ok(pid));
	}
}

/* Of two leaders who want a terminal one gets it. */
TEST(one_session_a_terminal)
{
	volatile int *tried =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (int round = 0; round < 100; round++) {
		char name[32], c;
		int m = open_pty(name, sizeof(name)), s = OK(open(name, O_RDWR | O_NOCTTY)), go[2],
		    won = 0, status;
		pid_t pid[2];

		*tried = 0;
		OK(pipe(go));
		for (int k = 0; k < 2; k++) {
			pid[k] = OK(fork());
			if (pid[k])
				continue;
			OK(setsid());
			signal(SIGHUP, SIG_IGN);
			close(go[1]);
			read(go[0], &c, 1);
			int got = !ioctl(s, TIOCSCTTY, 0);

			if (!got)
				EQ(errno, EPERM);
			/* The end of the one who has it would make it free again. */
			__sync_fetch_and_add(tried, 1);
			while (*tried < 2)
				t_sleep_ms(1);
			_exit(got ? 10 : 0);
		}
		close(go[0]);
		close(go[1]);
		for (int k = 0; k < 2; k++) {
			EQ(waitpid(pid[k], &status, 0), pid[k]);
			CHECK(WIFEXITED(status));
			won += WEXITSTATUS(status);
		}
		EQ(won, 10);
		close(s);
		close(m);
	}
}

/* A slave is opened while its master closes. */
TEST(open_as_the_master_closes)
{
	char name[32];
	pid_t pid = OK(fork());

	if (pid == 0) {
		for (int i = 0; i < 3000; i++) {
			char n[32];

			snprintf(n, sizeof(n), "/dev/pts/%d", i % 3);
			int fd = open(n, O_RDWR | O_NOCTTY | O_NONBLOCK);

			if (fd >= 0)
				close(fd);
		}
		_exit(0);
	}
	for (int i = 0; i < 300; i++)
		close(open_pty(name, sizeof(name)));
	CHECK(t_child_ok(pid));
}

/* From process to process: each makes the next and ends. */
static void hop(volatile int *said, volatile int *escaped)
{
	for (;;) {
		int before = *said;
		pid_t pid = fork();

		if (pid > 0)
			_exit(0);
		if (!pid && before) {		/* a process that has been killed makes no other */
			__sync_fetch_and_add(escaped, 1);
			_exit(0);
		}
	}
}

/* A signal to a large group, whose members go on making others, reaches all of them. */
TEST(nobody_escapes_a_signal_to_the_group)
{
	volatile int *said =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (int round = 0; round < 3; round++) {
		pid_t pid = OK(fork()), group;
		int status;

		*said = 0;
		if (pid) {
			CHECK(t_child_ok(pid));
			EQ(said[1], 0);
			continue;
		}
		OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
		CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
		group = OK(fork());
		if (!group) {
			OK(setpgid(0, 0));
			for (int i = 0; i < 90; i++)
				if (!OK(fork())) {
					if (i % 45 == 0)
						hop(said, said + 1);
					for (;;)
						pause();
				}
			raise(SIGSTOP);
			for (;;)
				pause();
		}
		EQ(waitpid(group, &status, WUNTRACED), group);
		CHECK(WIFSTOPPED(status));
		OK(kill(-group, 0));
		OK(kill(-group, SIGCONT));
		OK(kill(-group, SIGKILL));
		*said = 1;
		while (waitpid(-1, &status, 0) > 0)
			;
		EQ(errno, ECHILD);
		_exit(0);
	}
}

/*
 * Who is of a group that gets a signal makes children and leaves the group all the same, when all
 * have it.
 */
TEST(a_group_goes_on_after_a_signal)
{
	volatile int *made =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = OK(fork());
	int status;

	if (!pid) {
		OK(setpgid(0, 0));
		for (int i = 0; i < 60; i++)
			if (!OK(fork())) {
				while (!*made)
					t_sleep_ms(1);
				pid = OK(fork());
				if (!pid)
					_exit(0);
				CHECK(t_child_ok(pid));
				if (i % 2)
					OK(setsid());
				else
					OK(setpgid(0, 0));
				__sync_fetch_and_add(made + 1, 1);
				_exit(0);
			}
		*made = 1;
		for (int i = 0; i < 50; i++)
			OK(kill(0, i % 2 ? SIGURG : SIGCONT));
		for (int i = 0; i < 60; i++) {
			OK(wait(&status));
			EQ(status, 0);
		}
		EQ(made[1], 60);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

/* N processes that wait for a signal, made by the caller; CALL first. */
static void crowd(int n, void (*call)(void))
{
	for (int i = 0; i < n; i++)
		if (!OK(fork())) {
			if (call)
				call();
			for (;;)
				pause();
		}
}

/* kill(2) of -1 reaches all that its sender sees, and nobody makes another that it misses. */
TEST(nobody_escapes_a_signal_to_everybody)
{
	volatile int *said =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (int round = 0; round < 3; round++) {
		pid_t pid;
		int status;

		*said = 0;
		pid = OK((pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL));
		if (pid) {
			CHECK(t_child_ok(pid));
			EQ(said[1], 0);
			continue;
		}
		CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
		for (int i = 0; i < 90; i++)
			if (!OK(fork())) {
				if (i % 45 == 0)
					hop(said, said + 1);
				if (i % 3 == 0)
					OK(setsid());
				for (;;)
					pause();
			}
		OK(kill(-1, 0));
		OK(kill(-1, SIGCONT));
		OK(kill(-1, SIGKILL));
		*said = 1;
		while (waitpid(-1, &status, 0) > 0)
			;
		EQ(errno, ECHILD);
		_exit(0);
	}
}

/* setpriority(2) and getpriority(2) of a group of many. */
TEST(priority_of_a_large_group)
{
	pid_t pid = OK(fork());
	int status;

	if (!pid) {
		pid_t first = getpid(), other;

		OK(setpgid(0, 0));
		crowd(80, NULL);
		other = OK(fork());
		if (!other) {
			OK(setpgid(0, 0));
			for (;;)
				pause();
		}
		OK(setpgid(other, other));
		OK(setpriority(PRIO_PGRP, 0, 7));
		for (pid_t p = first; p < other; p++) {
			errno = 0;
			if (getpgid(p) == first)
				EQ(getpriority(PRIO_PROCESS, (id_t)p), 7);
		}
		EQ(getpriority(PRIO_PROCESS, (id_t)other), 0);
		OK(setpriority(PRIO_PROCESS, (id_t)first, 9));
		EQ(getpriority(PRIO_PGRP, (id_t)first), 7);
		ERR(setpriority(PRIO_PGRP, 0x3fffffff, 1), ESRCH);
		OK(kill(other, SIGKILL));
		EQ(waitpid(other, &status, 0), other);
		OK(kill(0, SIGKILL));
	}
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static volatile int *hung_up;
static void on_hup(int sig)
{
	(void)sig;
	__sync_fetch_and_add(hung_up, 1);
	_exit(0);
}

/* A group of many, one of which is stopped, loses its last link to the session. */
TEST(a_large_group_becomes_an_orphan)
{
	pid_t pid = OK(fork());

	hung_up = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(hung_up != MAP_FAILED);
	if (!pid) {
		pid_t leader;
		int status;

		OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
		leader = OK(fork());
		if (!leader) {
			pid_t link;

			OK(setsid());
			link = OK(fork());
			if (!link) {
				/* Of the group, with a parent of another group of the session. */
				OK(setpgid(0, 0));
				CHECK(signal(SIGHUP, on_hup) != SIG_ERR);
				crowd(60, NULL);
				link = OK(fork());
				if (!link)
					for (raise(SIGSTOP);;)
						pause();
				EQ(waitpid(link, &status, WUNTRACED), link);
				CHECK(WIFSTOPPED(status));
				_exit(0);
			}
			EQ(waitpid(link, &status, 0), link);
			for (;;)
				pause();
		}
		for (int n = 0; n < 61; n++) {
			OK(wait(&status));
			EQ(status, 0);
		}
		EQ(*hung_up, 61);
		OK(kill(leader, SIGKILL));
		EQ(wait(&status), leader);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

/* All of a large session lose the terminal that is given back. */
TEST(a_large_session_loses_its_terminal)
{
	char name[32], c;
	int master = open_pty(name, sizeof(name)), status, ready[2], go[2];
	pid_t pid = OK(fork());

	if (!pid) {
		int tty;

		OK(setsid());
		tty = OK(open(name, O_RDWR));
		CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR);
		close(master);
		OK(pipe(ready));
		OK(pipe(go));
		for (int i = 0; i < 80; i++)
			if (!OK(fork())) {
				close(go[1]);
				close(OK(open("/dev/tty", O_RDWR)));
				EQ(write(ready[1], "r", 1), 1);
				EQ(read(go[0], &c, 1), 0);
				ERR(open("/dev/tty", O_RDWR), ENXIO);
				_exit(0);
			}
		for (int i = 0; i < 80; i++)
			EQ(read(ready[0], &c, 1), 1);
		OK(ioctl(tty, TIOCNOTTY));
		ERR(open("/dev/tty", O_RDWR), ENXIO);
		close(go[1]);
		for (int i = 0; i < 80; i++) {
			OK(wait(&status));
			EQ(status, 0);
		}
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	close(master);
}

static void close_files(void)
{
	for (int fd = 3; fd < 16; fd++)
		close(fd);
}

/* Who becomes a subreaper does so for descendants that there are, however many and however deep. */
TEST(a_subreaper_of_many)
{
	pid_t pid = OK(fork());
	int status;

	if (!pid) {
		pid_t chain, me;
		int gate[2];
		char c;

		OK(setpgid(0, 0));
		OK(pipe(gate));
		me = getpid();
		chain = OK(fork());
		if (!chain) {
			close(gate[1]);
			for (int deep = 0; deep < 100; deep++) {
				pid_t next = OK(fork());

				if (next) {
					EQ(read(gate[0], &c, 1), 0);
					if (deep < 98)
						waitpid(next, &status, 0);
					_exit(0);	/* the last but one leaves the last */
				}
			}
			while (getppid() != me)
				t_sleep_ms(1);
			_exit(7);
		}
		close(gate[0]);
		crowd(200, close_files);
		OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
		close(gate[1]);
		do
			OK(wait(&status));
		while (!WIFEXITED(status) || WEXITSTATUS(status) != 7);
		CHECK(signal(SIGTERM, SIG_IGN) != SIG_ERR);
		OK(kill(0, SIGTERM));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

/* A line that is longer than the queue loses its end, but not the end of line, and the next line nothing. */
TEST(a_line_longer_than_the_queue)
{
	static char in[9000], out[9000];
	struct termios t;
	char name[40];
	int m = open_pty(name, sizeof(name)), s = OK(open(name, O_RDWR | O_NOCTTY));

	OK(tcgetattr(s, &t));
	t.c_lflag &= ~(tcflag_t)ECHO;
	OK(tcsetattr(s, TCSANOW, &t));
	memset(in, 'a', 5000);
	memcpy(in + 5000, "\nb\nc\n", 5);
	EQ(write(m, in, 5005), 5005);
	EQ(read(s, out, sizeof(out)), 4096);
	CHECK(!memcmp(out, in, 4095));
	EQ(out[4095], '\n');
	EQ(read(s, out, sizeof(out)), 2);
	CHECK(!memcmp(out, "b\n", 2));
	EQ(read(s, out, sizeof(out)), 2);
	CHECK(!memcmp(out, "c\n", 2));
	/* A full line can still be edited. */
	memset(in, 'd', 5000);
	memcpy(in + 5000, "\x7f\x7fyz\n", 5);
	EQ(write(m, in, 5005), 5005);
	EQ(read(s, out, sizeof(out)), 4096);
	CHECK(!memcmp(out, in, 4093));
	CHECK(!memcmp(out + 4093, "yz\n", 3));
	close(s);
	close(m);
}

static void choose_foreground(int s)
{
	int go[2];
	pid_t here, away;
	char c;

	signal(SIGTTOU, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	OK(pipe(go));
	here = OK(fork());
	if (here == 0)
		_exit((int)read(go[0], &c, 1) - 1);
	away = OK(fork());
	if (away == 0) {
		OK(setsid());
		EQ(write(go[1], "x", 1), 1);
		for (;;)
			pause();
	}
	ERR(tcsetpgrp(s, -1), EINVAL);
	ERR(tcsetpgrp(s, 999999), ESRCH);
	EQ(tcgetpgrp(s), getpid());
	/* A process of the session that leads no group will do. */
	OK(tcsetpgrp(s, here));
	EQ(tcgetpgrp(s), here);
	OK(tcsetpgrp(s, getpid()));
	CHECK(t_child_ok(here));
	ERR(tcsetpgrp(s, away), EPERM);		/* of a session of its own by now */
	OK(kill(away, SIGKILL));
	t_wait(away);
	ERR(tcsetpgrp(s, away), ESRCH);
}

TEST(foreground_of_ones_session)
{
	int m;

	CHECK(t_child_ok(in_session(choose_foreground, &m)));
	close(m);
}
