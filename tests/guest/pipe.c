// SPDX-License-Identifier: MIT
/* Pipes and FIFOs. proves: pipe pipe2 tee splice vmsplice */
#include "t.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

TEST(bytes_in_order)
{
	char b[10];
	int p[2];

	OK(pipe(p));
	EQ(write(p[1], "abc", 3), 3);
	EQ(write(p[1], "def", 3), 3);
	int n;

	OK(ioctl(p[0], FIONREAD, &n));
	EQ(n, 6);
	EQ(read(p[0], b, 4), 4);
	EQ(read(p[0], b + 4, 6), 2);
	CHECK(!memcmp(b, "abcdef", 6));
	close(p[1]);
	EQ(read(p[0], b, 1), 0);
	ERR(lseek(p[0], 0, SEEK_SET), ESPIPE);
	ERR(pread(p[0], b, 1, 0), ESPIPE);
	ERR(write(p[0], b, 1), EBADF);
}

TEST(capacity)
{
	static char buf[PAGE];
	int p[2], next;
	long total = 0;

	OK(pipe2(p, O_NONBLOCK | O_CLOEXEC));
	EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	EQ(fcntl(p[1], F_GETPIPE_SZ), 16 * PAGE);
	while (write(p[1], buf, sizeof(buf)) > 0)
		total += sizeof(buf);
	EQ(errno, EAGAIN);
	EQ(total, 16 * PAGE);
	/* PIPE_BUF bytes go in whole or not at all. */
	EQ(read(p[0], buf, PAGE - 1), PAGE - 1);
	ERR(write(p[1], buf, 4096), EAGAIN);
	EQ(read(p[0], buf, 1), 1);
	EQ(write(p[1], buf, 4096), 4096);
	CHECK(fcntl(p[1], F_SETPIPE_SZ, 32 * PAGE) >= 32 * PAGE);
	EQ(write(p[1], buf, 4096), 4096);
	ERR(fcntl(p[1], F_SETPIPE_SZ, PAGE), EBUSY);
	ERR(pipe2(p, 0x100000), EINVAL);
	next = dup(0);
	close(next);
	ERR(pipe((int *)8), EFAULT);
	EQ(dup(0), next);		/* and both numbers are free again */
	close(next);
}

TEST(broken)
{
	int p[2];
	pid_t pid;

	OK(pipe(p));
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	ERR(write(p[1], "x", 1), EPIPE);
	pid = OK(fork());
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		write(p[1], "x", 1);
		_exit(0);
	}
	EQ(WTERMSIG(t_wait(pid)), SIGPIPE);
}

TEST(writer_waits_for_room)
{
	static char buf[200000];
	long got = 0;
	int p[2];
	pid_t pid;

	OK(pipe(p));
	pid = OK(fork());
	if (pid == 0) {
		for (unsigned int i = 0; i < sizeof(buf); i++)
			buf[i] = i % 253;
		EQ(write(p[1], buf, sizeof(buf)), sizeof(buf));
		_exit(0);
	}
	close(p[1]);
	for (;;) {
		char b[999];
		ssize_t n = OK(read(p[0], b, sizeof(b)));

		if (!n)
			break;
		for (ssize_t i = 0; i < n; i++)
			EQ((unsigned char)b[i], (got + i) % 253);
		got += n;
	}
	EQ(got, sizeof(buf));
	CHECK(t_child_ok(pid));
}

TEST(atomic_writes)
{
	enum { WRITERS = 4, EACH = 200, SIZE = 500 };
	char b[SIZE];
	int p[2];

	OK(pipe(p));
	for (int w = 0; w < WRITERS; w++) {
		if (OK(fork()) == 0) {
			memset(b, 'a' + w, SIZE);
			for (int i = 0; i < EACH; i++)
				EQ(write(p[1], b, SIZE), SIZE);
			_exit(0);
		}
	}
	close(p[1]);
	for (int i = 0; i < WRITERS * EACH; i++) {
		for (int n = 0; n < SIZE;) {
			ssize_t r = OK(read(p[0], b + n, SIZE - n));

			CHECK(r > 0);
			n += r;
		}
		for (int k = 1; k < SIZE; k++)
			EQ(b[k], b[0]);
	}
	for (int w = 0; w < WRITERS; w++)
		CHECK(t_child_ok(-1));
}

TEST(polling)
{
	int p[2];
	struct pollfd pf[2];

	OK(pipe(p));
	pf[0] = (struct pollfd){ p[0], POLLIN, 0 };
	pf[1] = (struct pollfd){ p[1], POLLOUT, 0 };
	EQ(poll(pf, 2, 0), 1);
	EQ(pf[0].revents, 0);
	EQ(pf[1].revents, POLLOUT);
	EQ(write(p[1], "x", 1), 1);
	EQ(poll(pf, 1, 0), 1);
	EQ(pf[0].revents, POLLIN);
	close(p[1]);
	EQ(poll(pf, 1, 0), 1);
	EQ(pf[0].revents, POLLIN | POLLHUP);
}

TEST(named)
{
	char c;
	int r, w;
	pid_t pid;

	unlink("/tmp/fifo");
	OK(mkfifo("/tmp/fifo", 0600));
	ERR(open("/tmp/fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	pid = OK(fork());
	if (pid == 0) {
		t_sleep_ms(100);
		w = OK(open("/tmp/fifo", O_WRONLY));
		EQ(write(w, "y", 1), 1);
		_exit(0);
	}
	r = OK(open("/tmp/fifo", O_RDONLY));	/* waits for the writer */
	EQ(read(r, &c, 1), 1);
	EQ(c, 'y');
	CHECK(t_child_ok(pid));
	EQ(read(r, &c, 1), 0);
	w = OK(open("/tmp/fifo", O_RDWR));
	EQ(write(w, "z", 1), 1);
	EQ(read(r, &c, 1), 1);
	unlink("/tmp/fifo");
}

TEST(interrupted_write_keeps_count)
{
	static char buf[25 * PAGE];
	struct sigaction sa = { .sa_handler = SIG_IGN };
	int p[2];
	pid_t pid, me = getpid();

	/* any handler: called with the signal's number */
	sa.sa_handler = (void (*)(int))(void *)t_sleep_ms;
	OK(pipe(p));
	OK(sigaction(SIGUSR1, &sa, NULL));
	pid = OK(fork());
	if (pid == 0) {
		t_sleep_ms(150);
		kill(me, SIGUSR1);
		_exit(0);
	}
	EQ(write(p[1], buf, sizeof(buf)), 16 * PAGE);
	t_wait(pid);
}

TEST(very_large)
{
	int p[2];

	OK(pipe(p));
	EQ(fcntl(p[1], F_SETPIPE_SZ, 1 << 28), 1 << 28);
	EQ(write(p[1], "abc", 3), 3);
	close(p[0]);
	close(p[1]);
}
