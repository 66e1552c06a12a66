// SPDX-License-Identifier: MIT
/*
 * The first program: makes a plain root usable, then runs a shell on the console or one command for
 * the host.
 *
 * It is process 1 of the default root, and is put beside any other root that ./ochre run boots, so
 * it expects nothing of that root but a shell, and nothing of the kernel but Linux's ABI.  With
 * OCHRE=host in its environment (the kernel's command line put it there) it talks to ./ochre over
 * the second serial port (proto.h):
 *
 *   command   three pipes to a child; what the child writes goes to the host in frames, what the
 * host sends goes to its stdin, with a window so that no byte is lost in a slow reader's line
 * discipline; then its status. shell     a session of its own on the console, so that job control
 * works; the host's window size is kept on it.
 *
 * Without a host it runs the shell alone. When the child is gone everything else is killed, file
 * systems of disks are unmounted or made read-only (root.h), and the machine is powered off. Its
 * root may be a disk, too (root.h).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "proto.h"

static int host = -1;		/* the line to ./ochre, or -1 */
static int child_pipe[2];	/* written by the SIGCHLD handler */

static void say(const char *what)
{
	dprintf(2, "init: %s: %s\n", what, strerror(errno));
}

#include "network.h"

static void mount_on(const char *type, const char *dir, unsigned long flags, const char *data)
{
	mkdir(dir, 0755);
	if (mount(type, dir, type, flags, data) && errno != EBUSY)
		say(dir);
}

#include "modules.h"
#include "coldplug.h"
#include "root.h"

static void prepare_root(void)
{
	static const char *const dirs[] = { "/proc", "/sys", "/dev", "/tmp", "/run",
					    "/root", "/etc", "/var", "/mnt" };

	for (unsigned int i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		mkdir(dirs[i], 0755);
	mount_on("devtmpfs", "/dev", MS_NOSUID, "mode=0755");
	mount_on("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_on("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_on("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666");
	mount_on("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_on("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_on("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755");
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
	if (sethostname("ochre", 5))
		say("host name");
}

/* Raw: every byte as it is, both ways. */
static void set_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t))
		return;
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&t, B115200);
	tcsetattr(fd, TCSANOW, &t);
}

static int write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd pf = { fd, POLLOUT, 0 };

			poll(&pf, 1, -1);
			continue;
		}
		if (n <= 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

static void send_frame(int type, const void *data, unsigned int len)
{
	unsigned char buf[3 + FRAME_MAX];

	if (host < 0)
		return;
	buf[0] = type;
	buf[1] = len & 255;
	buf[2] = len >> 8;
	memcpy(buf + 3, data, len);
	write_all(host, buf, len + 3);
}

/* Reads one frame. Its length, or -1 when the line is gone. The payload is ended by a NUL more. */
static int read_frame(int *type, unsigned char *buf)
{
	unsigned char head[3];
	unsigned int got = 0, len;

	while (got < sizeof(head)) {
		ssize_t n = read(host, head + got, sizeof(head) - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		got += n;
	}
	*type = head[0];
	len = head[1] | head[2] << 8;
	if (len > FRAME_MAX)
		return -1;
	for (got = 0; got < len;) {
		ssize_t n = read(host, buf + got, len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		got += n;
	}
	buf[len] = 0;
	return len;
}

/* The terminal behind /dev/console: only that can be a controlling terminal. */
static void console_name(char *name, size_t size)
{
	unsigned int dev = 0;
	char active[56] = "";
	int fd = open("/sys/class/tty/console/active", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		ssize_t n = read(fd, active, sizeof(active) - 1);

		close(fd);
		active[n > 0 ? n : 0] = 0;
		active[strcspn(active, "\n")] = 0;
		if (active[0]) {
			char *last = strrchr(active, ' ');

			snprintf(name, size, "/dev/%s", last ? last + 1 : active);
			return;
		}
	}
	fd = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0) {
		ioctl(fd, TIOCGDEV, &dev);
		close(fd);
	}
	if (major(dev) == 4 && minor(dev) >= 64)
		snprintf(name, size, "/dev/ttyS%u", minor(dev) - 64);
	else if (major(dev) == 229)
		snprintf(name, size, "/dev/hvc%u", minor(dev));
	else if (major(dev) == 204 && minor(dev) >= 64)
		snprintf(name, size, "/dev/ttyAMA%u", minor(dev) - 64);
	else
		snprintf(name, size, "/dev/console");
}

static void on_child(int sig)
{
	int e = errno;

	(void)sig;
	write(child_pipe[1], "", 1);
	errno = e;
}

/* Waits for whoever has ended. True, with the status, when it is pid. */
static int reap(pid_t pid, int *status)
{
	int st, found = 0;
	pid_t p;

	while ((p = waitpid(-1, &st, WNOHANG)) > 0) {
		if (p == pid) {
			*status = st;
			found = 1;
		}
	}
	return found;
}

static void child_signals(void)
{
	sigset_t none;

	for (int s = 1; s < 32; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void exec_shell(const char *tty, const char *term)
{
	static const char *const shells[] = { "/bin/bash", "/bin/sh", "/bin/ash", "/bin/dash" };
	int fd;

	child_signals();
	setsid();
	fd = open(tty, O_RDWR);
	if (fd < 0) {
		say(tty);
		fd = open("/dev/console", O_RDWR);
	}
	ioctl(fd, TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
	if (term && *term)
		setenv("TERM", term, 1);
	unsetenv("OCHRE");
	if (chdir("/root") && chdir("/"))
		say("/");
	for (unsigned int i = 0; i < sizeof(shells) / sizeof(*shells); i++) {
		setenv("SHELL", shells[i], 1);
		execl(shells[i], strrchr(shells[i], '/')[1] == 'b' ? "-bash" : "-sh", (char *)NULL);
	}
	say("no shell: /bin/bash, /bin/sh, /bin/ash, /bin/dash");
	_exit(127);
}

static void set_winsize(int tty, const unsigned char *p)
{
	struct winsize w = { .ws_row = p[0] | p[1] << 8, .ws_col = p[2] | p[3] << 8 };

	if (w.ws_row && w.ws_col)
		ioctl(tty, TIOCSWINSZ, &w);
}

static int run_shell(const unsigned char *setup, int len)
{
	unsigned char buf[FRAME_MAX + 1];
	char tty[64], none[8];
	int fd, status = 0, type;
	pid_t pid;

	console_name(tty, sizeof(tty));
	fd = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && len >= 4)
		set_winsize(fd, setup);
	pid = fork();
	if (pid == 0)
		exec_shell(tty, len > 4 ? (const char *)setup + 4 : getenv("TERM"));
	if (pid < 0) {
		say("fork");
		return 1 << 8;
	}
	for (;;) {
		struct pollfd p[2] = { { child_pipe[0], POLLIN, 0 }, { host, POLLIN, 0 } };

		if (poll(p, host >= 0 ? 2 : 1, -1) < 0 && errno != EINTR)
			say("poll");
		if (p[0].revents) {
			if (read(child_pipe[0], none, sizeof(none)) < 0)
				say("read");
			if (reap(pid, &status))
				return status;
		}
		if (host >= 0 && p[1].revents) {
			len = read_frame(&type, buf);
			if (len < 0) {
				close(host);
				host = -1;
			} else if (type == F_WINSIZE && len == 4 && fd >= 0) {
				set_winsize(fd, buf);
			} else if (type == F_HANGUP) {
				kill(-pid, SIGHUP);
			}
		}
	}
}

/* One command's three pipes; the parent's ends. */
struct job {
	pid_t pid;
	int in, out, err;
	uint32_t taken;			/* bytes of stdin written into the pipe */
	unsigned char pending[2 * STDIN_WINDOW];
	unsigned int npending;
	int eof;
};

static int start_job(struct job *j, char **argv)
{
	int in[2], out[2], err[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return -1;
	j->pid = fork();
	if (j->pid < 0)
		return -1;
	if (j->pid == 0) {
		child_signals();
		setsid();
		unsetenv("OCHRE");
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		if (chdir("/root") && chdir("/"))
			say("/");
		execvp(argv[0], argv);
		dprintf(2, "%s: %s\n", argv[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	j->in = in[1];
	j->out = out[0];
	j->err = err[0];
	return 0;
}

static void end_stdin(struct job *j)
{
	if (j->in >= 0)
		close(j->in);
	j->in = -1;
}

/* Passes on what the host sent, as far as the pipe takes it. */
static void feed_stdin(struct job *j)
{
	ssize_t n = 0;

	if (j->in < 0) {
		n = j->npending;	/* nobody reads it any more */
	} else if (j->npending) {
		n = write(j->in, j->pending, j->npending);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			end_stdin(j);
			n = j->npending;
		}
	}
	if (n > 0) {
		memmove(j->pending, j->pending + n, j->npending - n);
		j->npending -= n;
		j->taken += n;
		send_frame(F_ACK,
			   (unsigned char[]){ j->taken, j->taken >> 8, j->taken >> 16,
					      j->taken >> 24 },
			   4);
	}
	if (j->eof && !j->npending)
		end_stdin(j);
}

/* A file of a task, with its lines behind each other. */
static size_t task_file(char *text, size_t size, int dir, const char *tid, const char *file)
{
	int fd, at = openat(dir, tid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t n = 0;

	fd = at < 0 ? -1 : openat(at, file, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, text, size - 1);
	close(fd);
	close(at);
	text[n > 0 ? n : 0] = 0;
	return n > 0 ? n : 0;
}

static void tell_task(int dir, const char *tid)
{
	char text[FRAME_MAX];
	size_t n = task_file(text, 200, dir, tid, "stat");

	n = n ? strcspn(text, "\n") : 0;
	text[n++] = '\n';
	n += task_file(text + n, 200, dir, tid, "syscall");
	n += task_file(text + n, sizeof(text) - n, dir, tid, "stack");
	send_frame(F_STDERR, text, n);
}

/* Prints where each task of a user program is: to find why a command does not go on. */
static void tell_tasks(void)
{
	DIR *all = opendir("/proc"), *threads;
	struct dirent *d, *t;
	char path[300], exe[8];

	while (all && (d = readdir(all))) {
		snprintf(path, sizeof(path), "/proc/%s/exe", d->d_name);
		if (d->d_name[0] < '1' || d->d_name[0] > '9' ||
		    readlink(path, exe, sizeof(exe)) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/task", d->d_name);
		threads = opendir(path);
		while (threads && (t = readdir(threads)))
			if (t->d_name[0] != '.')
				tell_task(dirfd(threads), t->d_name);
		if (threads)
			closedir(threads);
	}
	if (all)
		closedir(all);
	send_frame(F_TASKS, "", 0);
}

static void host_input(struct job *j)
{
	unsigned char buf[FRAME_MAX + 1];
	int type, len = read_frame(&type, buf);

	if (len < 0) {
		close(host);
		host = -1;
		kill(-j->pid, SIGHUP);
	} else if (type == F_STDIN && j->npending + len <= sizeof(j->pending)) {
		memcpy(j->pending + j->npending, buf, len);
		j->npending += len;
	} else if (type == F_EOF) {
		j->eof = 1;
	} else if (type == F_HANGUP) {
		kill(-j->pid, SIGHUP);
	} else if (type == F_TASKS) {
		tell_tasks();
	}
	feed_stdin(j);
}

/* Moves what is there from a pipe to the host. False at its end. */
static int drain(int fd, int type)
{
	unsigned char buf[FRAME_MAX];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n)
		send_frame(type, buf, n);
	return n > 0;
}

static int run_command(char **argv)
{
	struct job j = { 0 };
	int status = 0, ended = 0;
	char none[8];

	if (start_job(&j, argv)) {
		say("start");
		return 126 << 8;
	}
	/*
	 * A daemon that the command leaves behind may hold its pipes: once it has ended, only what
	 * is there counts.
	 */
	while (!ended || j.out >= 0 || j.err >= 0) {
		struct pollfd p[5] = {
			{ child_pipe[0], POLLIN, 0 },
			{ host, POLLIN, 0 },
			{ j.out, POLLIN, 0 },
			{ j.err, POLLIN, 0 },
			{ j.npending ? j.in : -1, POLLOUT, 0 },
		};
		int n = poll(p, 5, ended ? 0 : -1);

		if (n < 0 && errno != EINTR)
			say("poll");
		if (ended && n == 0)
			break;
		if (p[0].revents && read(child_pipe[0], none, sizeof(none)) > 0 &&
		    reap(j.pid, &status))
			ended = 1;
		if (p[1].revents)
			host_input(&j);
		if (p[4].revents)
			feed_stdin(&j);
		if (p[2].revents && !drain(j.out, F_STDOUT)) {
			close(j.out);
			j.out = -1;
		}
		if (p[3].revents && !drain(j.err, F_STDERR)) {
			close(j.err);
			j.err = -1;
		}
	}
	return status;
}

static int talk_to_host(void)
{
	static unsigned char buf[FRAME_MAX + 1];
	char *text = NULL, **argv;
	size_t size = 0, argc = 0;
	int type, len;

	do {
		send_frame(F_READY, "1", 1);
		len = read_frame(&type, buf);
		if (len < 0 || (type != F_PART && type != F_COMMAND))
			return run_shell(buf, type == F_SHELL && len > 0 ? len : 0);
		text = realloc(text, size + len + 1);
		if (!text) {
			say("the command");
			return 126 << 8;
		}
		memcpy(text + size, buf, len);
		size += len;
	} while (type == F_PART);
	text[size] = 0;
	for (char *p = text; p < text + size; p += strlen(p) + 1)
		argc++;
	argv = calloc(argc + 1, sizeof(*argv));
	if (!argv) {
		say("the command");
		return 126 << 8;
	}
	argc = 0;
	for (char *p = text; p < text + size; p += strlen(p) + 1)
		argv[argc++] = p;
	return run_command(argv);
}

static void power_off(int status)
{
	unsigned char end[2] = { WIFSIGNALED(status),
				 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) };

	signal(SIGCHLD, SIG_DFL);
	kill(-1, SIGTERM);
	for (int i = 0; i < 20 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
		usleep(10000);
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	sync();
	leave_disks();
	if (host >= 0) {
		send_frame(F_EXIT, end, 2);
		tcdrain(host);
	}
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_child, .sa_flags = SA_RESTART };
	const char *env = getenv("OCHRE");

	if (getpid() != 1) {
		fprintf(stderr, "init: this is process 1's program\n");
		return 1;
	}
	if (getenv("OCHRE_ROOT"))
		enter_root(getenv("OCHRE_ROOT"));
	prepare_root();
	bring_drivers(access(BOOT_MODULES, F_OK) ? NULL : BOOT_MODULES);
	nftw(BOOT_MODULES, forget, 8, FTW_DEPTH | FTW_PHYS);
	prepare_network();
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	if (!getenv("TERM"))
		setenv("TERM", "linux", 1);
	signal(SIGPIPE, SIG_IGN);
	if (pipe2(child_pipe, O_CLOEXEC | O_NONBLOCK))
		say("pipe");
	sigaction(SIGCHLD, &sa, NULL);
	if (env && !strncmp(env, "host", 4)) {
		const char *line = env[4] == ':' ? env + 5 : "/dev/ttyS1";

		host = open(line, O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (host < 0)
			say(line);
		else
			set_raw(host);
	}
	power_off(host >= 0 ? talk_to_host() : run_shell(NULL, 0));
}
