// SPDX-License-Identifier: MIT
/*
 * What one operation costs, for any kernel of Linux's ABI: process 1 of a machine that counts instructions as nanoseconds.
 *
 * Each operation is prepared, run some times to be warm, and then run N times between two readings of the time-stamp counter.
 * What a kernel puts off (freeing by RCU, work queues, reaping) counts too: after the N times the program computes for a while
 * before it reads the clock, long enough for what was put off to have run in between, and the time that this computing takes on
 * an idle kernel is subtracted.
 *
 * Says "idle INSTRUCTIONS WINDOW", "op NAME N INSTRUCTIONS LEAST WINDOW" for all N, and "end"; then powers off. WINDOW says which pair
 * of marks it was, for what count.c counted in between; LEAST is below INSTRUCTIONS where chance has a part and several readings were
 * taken. A word of its command line or environment that begins with ops= names the operations to run (commas between, _ for a
 * space), all without; company=N has each run on N CPUs at the same time, where only what count.c sees means something.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/reboot.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "cpu.h"

#define WINDOWS 5
#define COMPUTE 12000000L	/* instructions of computing after each operation: three ticks and more */

/* In user mode, where nothing is put off by it. */
static void compute(void)
{
	for (long i = 0; i < COMPUTE / 2; i++)
		__asm__ volatile("" : : : "memory");
}

static void must(int ok, const char *what)
{
	if (!ok) {
		printf("fatal %s: %s\n", what, strerror(errno));
		fflush(stdout);
		reboot(RB_POWER_OFF);
	}
}

/* --- what operations share --- */

static int fd = -1, fd2 = -1, pair[2] = { -1, -1 }, pair2[2] = { -1, -1 };
static char *buf, *map;
static size_t map_size;
static pid_t peer;
static pthread_t thread;
static volatile int stop, word;
static struct pollfd pfd[64];

static void setup_file(void)
{
	fd = open("/tmp/file", O_RDWR | O_CREAT | O_TRUNC, 0644);
	must(fd >= 0, "file");
	for (int i = 0; i < 32; i++)
		must(write(fd, buf, 65536) == 65536, "fill");
}

static void close_file(void)
{
	close(fd);
	unlink("/tmp/file");
}

static void open_zero(void) { fd = open("/dev/zero", O_RDWR); must(fd >= 0, "zero"); }
static void open_null(void) { fd = open("/dev/null", O_RDWR); must(fd >= 0, "null"); }
static void close_fd(void) { close(fd); }
static void make_pipe(void) { must(!pipe(pair), "pipe"); fcntl(pair[1], F_SETPIPE_SZ, 131072); }
static void close_pair(void) { close(pair[0]); close(pair[1]); }
static void make_sockets(void) { must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair"); }
static void make_dgram(void) { must(!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), "socketpair"); }

/* --- operations: each does its thing n times --- */

#define OP(name) static void name(long n)
#define LOOP for (long i = 0; i < n; i++)

OP(op_getppid) { LOOP syscall(SYS_getppid); }
OP(op_getuid) { LOOP syscall(SYS_getuid); }
OP(op_umask) { LOOP umask(022); }
OP(op_uname) { char u[400]; LOOP syscall(SYS_uname, u); }
OP(op_clock_vdso) { struct timespec t; LOOP clock_gettime(CLOCK_MONOTONIC, &t); }
OP(op_clock_call) { struct timespec t; LOOP syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t); }
OP(op_cputime) { struct timespec t; LOOP syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &t); }
OP(op_getrandom16) { LOOP syscall(SYS_getrandom, buf, 16, 0); }
OP(op_getrandom4k) { LOOP syscall(SYS_getrandom, buf, 4096, 0); }

OP(op_zero_1) { LOOP read(fd, buf, 1); }
OP(op_zero_4k) { LOOP read(fd, buf, 4096); }
OP(op_zero_64k) { LOOP read(fd, buf, 65536); }
OP(op_null_1) { LOOP write(fd, buf, 1); }
OP(op_null_64k) { LOOP write(fd, buf, 65536); }
OP(op_pipe_1) { LOOP { write(pair[1], buf, 1); read(pair[0], buf, 1); } }
OP(op_pipe_4k) { LOOP { write(pair[1], buf, 4096); read(pair[0], buf, 4096); } }
OP(op_pipe_64k) { LOOP { write(pair[1], buf, 65536); read(pair[0], buf, 65536); } }
OP(op_pread_1) { LOOP pread(fd, buf, 1, 4096 * (i & 255)); }
OP(op_pread_4k) { LOOP pread(fd, buf, 4096, 4096 * (i & 255)); }
OP(op_pread_64k) { LOOP pread(fd, buf, 65536, 65536 * (i & 15)); }
OP(op_pwrite_1) { LOOP pwrite(fd, buf, 1, 4096 * (i & 255)); }
OP(op_pwrite_4k) { LOOP pwrite(fd, buf, 4096, 4096 * (i & 255)); }
OP(op_pwrite_64k) { LOOP pwrite(fd, buf, 65536, 65536 * (i & 15)); }
OP(op_append_4k) { LOOP { if (!(i & 255)) ftruncate(fd, 0), lseek(fd, 0, SEEK_SET); write(fd, buf, 4096); } }
OP(op_lseek) { LOOP lseek(fd, i & 4095, SEEK_SET); }
OP(op_sendfile_64k) { LOOP { off_t o = 0; sendfile(fd2, fd, &o, 65536); } }
static void file_and_null(void) { setup_file(); fd2 = open("/dev/null", O_WRONLY); }
static void close_both(void) { close_file(); close(fd2); }

static void make_tree(void)
{
	mkdir("/tmp/a", 0755); mkdir("/tmp/a/b", 0755); mkdir("/tmp/a/b/c", 0755); mkdir("/tmp/a/b/c/d", 0755);
	close(open("/tmp/a/b/c/d/file", O_CREAT | O_RDWR, 0644));
	symlink("a/b/c/d/file", "/tmp/soft");
}
static void drop_tree(void)
{
	unlink("/tmp/soft"); unlink("/tmp/a/b/c/d/file");
	rmdir("/tmp/a/b/c/d"); rmdir("/tmp/a/b/c"); rmdir("/tmp/a/b"); rmdir("/tmp/a");
}
OP(op_open_close) { LOOP close(open("/tmp/a/b/c/d/file", O_RDONLY)); }
OP(op_open_missing) { LOOP open("/tmp/a/b/c/d/none", O_RDONLY); }
OP(op_stat) { struct stat s; LOOP stat("/tmp/a/b/c/d/file", &s); }
OP(op_statx) { char s[256]; LOOP syscall(SYS_statx, AT_FDCWD, "/tmp/a/b/c/d/file", 0, 0x7ff, s); }
OP(op_fstat) { struct stat s; LOOP fstat(1, &s); }
OP(op_access) { LOOP access("/tmp/a/b/c/d/file", R_OK); }
OP(op_readlink) { LOOP readlink("/tmp/soft", buf, 100); }
OP(op_follow) { struct stat s; LOOP stat("/tmp/soft", &s); }
OP(op_chdir) { LOOP chdir("/tmp"); }
OP(op_getcwd) { LOOP syscall(SYS_getcwd, buf, 4096); }
OP(op_create_unlink) { LOOP { close(open("/tmp/new", O_CREAT | O_RDWR | O_EXCL, 0644)); unlink("/tmp/new"); } }
OP(op_create_write_unlink) { LOOP { int f = open("/tmp/new", O_CREAT | O_RDWR | O_EXCL, 0644); write(f, buf, 16384); close(f); unlink("/tmp/new"); } }
OP(op_mkdir_rmdir) { LOOP { mkdir("/tmp/dir", 0755); rmdir("/tmp/dir"); } }
OP(op_rename) { LOOP { rename("/tmp/soft", "/tmp/hard"); rename("/tmp/hard", "/tmp/soft"); } }
OP(op_link_unlink) { LOOP { link("/tmp/a/b/c/d/file", "/tmp/l"); unlink("/tmp/l"); } }
OP(op_symlink_unlink) { LOOP { symlink("x", "/tmp/l"); unlink("/tmp/l"); } }
static void make_many(void) { mkdir("/tmp/many", 0755); for (int i = 0; i < 200; i++) { char p[40]; sprintf(p, "/tmp/many/%d", i); close(open(p, O_CREAT | O_RDWR, 0644)); } fd = open("/tmp/many", O_RDONLY); }
static void drop_many(void) { close(fd); for (int i = 0; i < 200; i++) { char p[40]; sprintf(p, "/tmp/many/%d", i); unlink(p); } rmdir("/tmp/many"); }
OP(op_getdents_200) { LOOP { lseek(fd, 0, SEEK_SET); while (syscall(SYS_getdents64, fd, buf, 65536) > 0) ; } }
OP(op_chmod) { LOOP chmod("/tmp/a/b/c/d/file", i & 1 ? 0600 : 0644); }
OP(op_utimens) { LOOP utimensat(AT_FDCWD, "/tmp/a/b/c/d/file", NULL, 0); }
OP(op_fcntl_getfl) { LOOP fcntl(1, F_GETFL); }
OP(op_dup_close) { LOOP close(dup(1)); }
OP(op_flock) { LOOP { flock(fd, LOCK_EX); flock(fd, LOCK_UN); } }
OP(op_fcntl_lock) { struct flock l = { .l_type = F_WRLCK, .l_len = 10 }, u = { .l_type = F_UNLCK, .l_len = 10 }; LOOP { fcntl(fd, F_SETLK, &l); fcntl(fd, F_SETLK, &u); } }
OP(op_ftruncate) { LOOP ftruncate(fd, i & 1 ? 0 : 65536); }

static void make_map(void) { map_size = 256 * 4096; map = mmap(NULL, map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); must(map != MAP_FAILED, "mmap"); madvise(map, map_size, MADV_NOHUGEPAGE); }
static void make_full_map(void) { make_map(); memset(map, 1, map_size); }
static void drop_map(void) { munmap(map, map_size); }
OP(op_mmap_munmap) { LOOP munmap(mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 65536); }
OP(op_map_touch_unmap) { LOOP { char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); for (int k = 0; k < 16; k++) p[k * 4096] = 1; munmap(p, 65536); } }
OP(op_mprotect) { LOOP mprotect(map + 4096 * 16, 65536, i & 1 ? PROT_READ | PROT_WRITE : PROT_READ); }
OP(op_fault_anon) { for (long i = 0; i < n; i += 256) { madvise(map, map_size, MADV_DONTNEED); for (int k = 0; k < 256; k++) map[k * 4096] = 1; } }
OP(op_fault_file) { for (long i = 0; i < n; i += 256) { char *p = mmap(NULL, 256 * 4096, PROT_READ, MAP_SHARED, fd, 0); madvise(p, 256 * 4096, MADV_RANDOM); for (int k = 0; k < 256; k++) (void)*(volatile char *)(p + k * 4096); munmap(p, 256 * 4096); } }
OP(op_map_file_read) { LOOP { char *p = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE, fd, 0); for (int k = 0; k < 16; k++) (void)*(volatile char *)(p + k * 4096); munmap(p, 65536); } }
OP(op_fault_cow) { for (long i = 0; i < n; i += 64) { pid_t p = fork(); if (!p) { for (int k = 0; k < 64; k++) map[k * 4096] = 2; _exit(0); } waitpid(p, NULL, 0); } }
OP(op_brk) { LOOP { char *p = (char *)syscall(SYS_brk, 0); syscall(SYS_brk, p + 65536); syscall(SYS_brk, p); } }
OP(op_mremap) { size_t s = 65536; char *p = mmap(NULL, s, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); LOOP { size_t t = i & 1 ? 65536 : 131072; p = mremap(p, s, t, MREMAP_MAYMOVE); s = t; } munmap(p, s); }

OP(op_fork_exit) { LOOP { pid_t p = fork(); if (!p) _exit(0); waitpid(p, NULL, 0); } }
OP(op_vfork_exit) { LOOP { pid_t p = vfork(); if (!p) _exit(0); waitpid(p, NULL, 0); } }
OP(op_vfork_exec) { static char *argv[] = { "/init", "nothing", NULL }, *env[] = { NULL }; LOOP { pid_t p = vfork(); if (!p) { execve("/init", argv, env); _exit(1); } waitpid(p, NULL, 0); } }
OP(op_fork_exec) { static char *argv[] = { "/init", "nothing", NULL }, *env[] = { NULL }; LOOP { pid_t p = fork(); if (!p) { execve("/init", argv, env); _exit(1); } waitpid(p, NULL, 0); } }
static void *nothing(void *a) { return a; }
OP(op_thread) { LOOP { pthread_t t; pthread_create(&t, NULL, nothing, NULL); pthread_join(t, NULL); } }

static void on_signal(int s) { (void)s; }
static void catch_signal(void) { signal(SIGUSR1, on_signal); }
static void drop_signal(void) { signal(SIGUSR1, SIG_DFL); }
OP(op_sigaction) { struct sigaction a = { .sa_handler = SIG_IGN }; LOOP sigaction(SIGUSR2, &a, NULL); }
OP(op_sigprocmask) { sigset_t s, o; sigemptyset(&s); LOOP sigprocmask(SIG_BLOCK, &s, &o); }
OP(op_signal_self) { pid_t p = getpid(); LOOP kill(p, SIGUSR1); }
OP(op_futex_wake_none) { int w = 0; LOOP syscall(SYS_futex, &w, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0); }
OP(op_futex_wait_again) { int w = 0; LOOP syscall(SYS_futex, &w, FUTEX_WAIT_PRIVATE, 1, 0, 0, 0); }

static void *futex_peer(void *a)
{
	(void)a;
	for (;;) {
		while (word == 0)
			syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
		if (stop)
			return NULL;
		word = 0;
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
	}
}
static void start_futex(void) { stop = 0; word = 0; must(!pthread_create(&thread, NULL, futex_peer, NULL), "thread"); }
static void end_futex(void) { stop = 1; word = 1; syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0); pthread_join(thread, NULL); }
OP(op_futex_pingpong) { LOOP { word = 1; syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0); while (word == 1) syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, 0, 0, 0); } }

static void echo_peer(void)
{
	peer = fork();
	if (!peer) {
		char c[4096];
		ssize_t k;

		close(pair[0]); close(pair2[1]);
		while ((k = read(pair2[0], c, sizeof(c))) > 0)
			write(pair[1], c, (size_t)k);
		_exit(0);
	}
	close(pair[1]); close(pair2[0]);
}
static void start_pipes(void) { must(!pipe(pair) && !pipe(pair2), "pipes"); echo_peer(); }
static void end_pipes(void) { close(pair2[1]); close(pair[0]); waitpid(peer, NULL, 0); }
OP(op_switch_pipe) { LOOP { write(pair2[1], buf, 1); read(pair[0], buf, 1); } }
static void start_socks(void)
{
	make_sockets();
	peer = fork();
	if (!peer) { char c[4096]; ssize_t k; close(pair[0]); while ((k = read(pair[1], c, sizeof(c))) > 0) write(pair[1], c, (size_t)k); _exit(0); }
	close(pair[1]);
}
static void end_socks(void) { close(pair[0]); waitpid(peer, NULL, 0); }
OP(op_switch_unix) { LOOP { write(pair[0], buf, 1); read(pair[0], buf, 1); } }
OP(op_yield_alone) { LOOP sched_yield(); }
OP(op_yield_two) { pid_t p; *map = 0; p = fork(); if (!p) { while (!*(volatile char *)map) sched_yield(); _exit(0); } LOOP sched_yield(); *map = 1; waitpid(p, NULL, 0); }
static void share_map(void) { map_size = 4096; map = mmap(NULL, map_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0); must(map != MAP_FAILED, "mmap"); }

OP(op_unix_1) { LOOP { write(pair[0], buf, 1); read(pair[1], buf, 1); } }
OP(op_unix_4k) { LOOP { write(pair[0], buf, 4096); read(pair[1], buf, 4096); } }
OP(op_unix_dgram) { LOOP { send(pair[0], buf, 100, 0); recv(pair[1], buf, 100, 0); } }
/* Two UDP sockets on loopback, connected to each other. */
static void make_udp(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct sockaddr_in a[2] = {};
	socklen_t len = sizeof(a[0]);

	for (int i = 0; i < 2; i++) {
		must((pair[i] = socket(AF_INET, SOCK_DGRAM, 0)) >= 0, "socket");
		must(!ioctl(pair[i], SIOCSIFFLAGS, &r), "lo up");
		a[i].sin_family = AF_INET;
		a[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		must(!bind(pair[i], (struct sockaddr *)&a[i], len) && !getsockname(pair[i], (struct sockaddr *)&a[i], &len), "bind");
	}
	must(!connect(pair[0], (struct sockaddr *)&a[1], len) && !connect(pair[1], (struct sockaddr *)&a[0], len), "connect");
}
OP(op_udp) { LOOP { send(pair[0], buf, 1, 0); recv(pair[1], buf, 1, 0); } }
OP(op_udp_1k) { LOOP { send(pair[0], buf, 1024, 0); recv(pair[1], buf, 1024, 0); } }
/* TCP over loopback: a listener, and connections to it. */
static struct sockaddr_in tcp_at;
static int tcp_listener;
static int tcp_connected(int *other)
{
	int c = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	must(c >= 0 && !connect(c, (struct sockaddr *)&tcp_at, sizeof(tcp_at)), "connect");
	must((*other = accept(tcp_listener, NULL, NULL)) >= 0, "accept");
	setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(*other, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return c;
}
static void make_listener(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	socklen_t len = sizeof(tcp_at);

	must((tcp_listener = socket(AF_INET, SOCK_STREAM, 0)) >= 0 && !ioctl(tcp_listener, SIOCSIFFLAGS, &r), "lo up");
	tcp_at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	must(!bind(tcp_listener, (struct sockaddr *)&tcp_at, len) && !listen(tcp_listener, 8), "listen");
	must(!getsockname(tcp_listener, (struct sockaddr *)&tcp_at, &len), "getsockname");
}
static void make_tcp(void) { make_listener(); pair[0] = tcp_connected(&pair[1]); close(tcp_listener); }
static void drop_listener(void) { close(tcp_listener); }
OP(op_tcp_pingpong) { LOOP { send(pair[0], buf, 1, 0); recv(pair[1], buf, 1, 0); send(pair[1], buf, 1, 0); recv(pair[0], buf, 1, 0); } }
OP(op_tcp_64k) { LOOP { send(pair[0], buf, 65536, 0); recv(pair[1], buf, 65536, MSG_WAITALL); } }
/* Closed by a RST: TIME-WAIT would take the ports away. */
OP(op_tcp_connect)
{
	struct linger none = { .l_onoff = 1 };

	LOOP { int other, c = tcp_connected(&other); close(other); setsockopt(c, SOL_SOCKET, SO_LINGER, &none, sizeof(none)); close(c); }
}
OP(op_socketpair) { LOOP { int p[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, p); close(p[0]); close(p[1]); } }
OP(op_pipe_close) { LOOP { int p[2]; pipe(p); close(p[0]); close(p[1]); } }

static void many_pipes(void) { for (int i = 0; i < 64; i += 2) { int p[2]; must(!pipe(p), "pipes"); pfd[i].fd = p[0]; pfd[i + 1].fd = p[1]; pfd[i].events = POLLIN; } write(pfd[63].fd, "x", 1); }
static void drop_pipes(void) { for (int i = 0; i < 64; i++) close(pfd[i].fd); }
OP(op_poll_32) { struct pollfd p[32]; for (int i = 0; i < 32; i++) p[i] = pfd[i * 2]; LOOP poll(p, 32, 0); }
OP(op_select_32) { LOOP { fd_set s; struct timeval t = { 0, 0 }; FD_ZERO(&s); for (int k = 0; k < 64; k += 2) FD_SET(pfd[k].fd, &s); select(pfd[63].fd + 1, &s, NULL, NULL, &t); } }
static void make_epoll(void) { many_pipes(); fd = epoll_create1(0); for (int i = 0; i < 64; i += 2) { struct epoll_event e = { .events = EPOLLIN }; epoll_ctl(fd, EPOLL_CTL_ADD, pfd[i].fd, &e); } }
static void drop_epoll(void) { close(fd); drop_pipes(); }
OP(op_epoll_wait) { struct epoll_event e[8]; LOOP epoll_wait(fd, e, 8, 0); }
OP(op_epoll_ctl) { struct epoll_event e = { .events = EPOLLIN }; LOOP { epoll_ctl(fd, EPOLL_CTL_DEL, pfd[0].fd, NULL); epoll_ctl(fd, EPOLL_CTL_ADD, pfd[0].fd, &e); } }
static void make_event(void) { fd = eventfd(0, 0); must(fd >= 0, "eventfd"); }
OP(op_eventfd) { uint64_t v = 1; LOOP { write(fd, &v, 8); read(fd, &v, 8); } }
static void make_timer(void) { fd = timerfd_create(CLOCK_MONOTONIC, 0); must(fd >= 0, "timerfd"); }
OP(op_timerfd_set) { struct itimerspec t = { .it_value = { 100, 0 } }; LOOP timerfd_settime(fd, 0, &t, NULL); }
OP(op_setitimer) { struct itimerval t = { .it_value = { 100, 0 } }, z = { 0 }; LOOP setitimer(ITIMER_REAL, &t, NULL); setitimer(ITIMER_REAL, &z, NULL); }

static void make_tty(void)
{
	int n = 0, z = 0;
	char name[40];
	struct termios t;

	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=666");
	fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY);
	must(fd >= 0 && !ioctl(fd, TIOCSPTLCK, &z) && !ioctl(fd, TIOCGPTN, &n), "pty");
	sprintf(name, "/dev/pts/%d", n);
	fd2 = open(name, O_RDWR | O_NOCTTY);
	must(fd2 >= 0, "pts");
	tcgetattr(fd2, &t);
	t.c_lflag &= ~(unsigned)ECHO;
	tcsetattr(fd2, TCSANOW, &t);
}
static void drop_tty(void) { close(fd2); close(fd); }
OP(op_tty_write) { LOOP { write(fd2, buf + 65536, 64); while (poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 0) == 1) read(fd, buf, 4096); } }
OP(op_tty_line) { LOOP { write(fd, "a line of text\n", 15); read(fd2, buf, 100); } }
OP(op_tty_ioctl) { struct termios t; LOOP ioctl(fd2, TCGETS, &t); }

#ifdef BINDER
#include "binder.h"
#else
#include "uring.h"
#ifdef __x86_64__
#include "kvm.h"
#endif
#endif

struct op {
	const char *name;
	long n;
	void (*run)(long n);
	void (*setup)(void), (*drop)(void);
	int chance;	/* when the ticks come decides who runs: the median of WINDOWS readings */
};

static const struct op ops[] = {
#ifdef BINDER
	{ "binder call 0 B", 2000, op_binder_0, binder_begin, binder_end, 1 },
	{ "binder call 4 KiB", 2000, op_binder_4k, binder_begin, binder_end, 1 },
#else
	{ "getppid", 20000, op_getppid, 0, 0, 0 },
	{ "getuid", 20000, op_getuid, 0, 0, 0 },
	{ "umask", 20000, op_umask, 0, 0, 0 },
	{ "uname", 20000, op_uname, 0, 0, 0 },
	{ "clock_gettime (vDSO)", 20000, op_clock_vdso, 0, 0, 0 },
	{ "clock_gettime (call)", 20000, op_clock_call, 0, 0, 0 },
	{ "thread CPU time", 10000, op_cputime, 0, 0, 0 },
	{ "getrandom 16 B", 5000, op_getrandom16, 0, 0, 0 },
	{ "getrandom 4 KiB", 500, op_getrandom4k, 0, 0, 0 },
	{ "read /dev/zero 1 B", 10000, op_zero_1, open_zero, close_fd, 0 },
	{ "read /dev/zero 4 KiB", 5000, op_zero_4k, open_zero, close_fd, 0 },
	{ "read /dev/zero 64 KiB", 500, op_zero_64k, open_zero, close_fd, 0 },
	{ "write /dev/null 1 B", 10000, op_null_1, open_null, close_fd, 0 },
	{ "write /dev/null 64 KiB", 10000, op_null_64k, open_null, close_fd, 0 },
	{ "pipe write + read 1 B", 5000, op_pipe_1, make_pipe, close_pair, 0 },
	{ "pipe write + read 4 KiB", 3000, op_pipe_4k, make_pipe, close_pair, 0 },
	{ "pipe write + read 64 KiB", 300, op_pipe_64k, make_pipe, close_pair, 0 },
	{ "pread 1 B", 10000, op_pread_1, setup_file, close_file, 0 },
	{ "pread 4 KiB", 5000, op_pread_4k, setup_file, close_file, 0 },
	{ "pread 64 KiB", 500, op_pread_64k, setup_file, close_file, 0 },
	{ "pwrite 1 B", 5000, op_pwrite_1, setup_file, close_file, 0 },
	{ "pwrite 4 KiB", 3000, op_pwrite_4k, setup_file, close_file, 0 },
	{ "pwrite 64 KiB", 300, op_pwrite_64k, setup_file, close_file, 0 },
	{ "append 4 KiB", 2048, op_append_4k, setup_file, close_file, 0 },
	{ "lseek", 10000, op_lseek, setup_file, close_file, 0 },
	{ "sendfile 64 KiB", 300, op_sendfile_64k, file_and_null, close_both, 0 },
	{ "open + close", 5000, op_open_close, make_tree, drop_tree, 0 },
	{ "open, no such file", 5000, op_open_missing, make_tree, drop_tree, 0 },
	{ "stat", 5000, op_stat, make_tree, drop_tree, 0 },
	{ "statx", 5000, op_statx, make_tree, drop_tree, 0 },
	{ "fstat", 10000, op_fstat, 0, 0, 0 },
	{ "access", 5000, op_access, make_tree, drop_tree, 0 },
	{ "readlink", 5000, op_readlink, make_tree, drop_tree, 0 },
	{ "stat by symlink", 5000, op_follow, make_tree, drop_tree, 0 },
	{ "chdir", 5000, op_chdir, 0, 0, 0 },
	{ "getcwd", 5000, op_getcwd, 0, 0, 0 },
	{ "create + unlink", 2000, op_create_unlink, 0, 0, 0 },
	{ "create + write 16 KiB + unlink", 1000, op_create_write_unlink, 0, 0, 0 },
	{ "mkdir + rmdir", 2000, op_mkdir_rmdir, 0, 0, 0 },
	{ "rename twice", 2000, op_rename, make_tree, drop_tree, 0 },
	{ "link + unlink", 2000, op_link_unlink, make_tree, drop_tree, 0 },
	{ "symlink + unlink", 2000, op_symlink_unlink, 0, 0, 0 },
	{ "getdents of 200", 100, op_getdents_200, make_many, drop_many, 0 },
	{ "chmod", 3000, op_chmod, make_tree, drop_tree, 0 },
	{ "utimensat", 3000, op_utimens, make_tree, drop_tree, 0 },
	{ "fcntl F_GETFL", 10000, op_fcntl_getfl, 0, 0, 0 },
	{ "dup + close", 5000, op_dup_close, 0, 0, 0 },
	{ "flock + unlock", 3000, op_flock, setup_file, close_file, 0 },
	{ "fcntl lock + unlock", 3000, op_fcntl_lock, setup_file, close_file, 0 },
	{ "ftruncate", 2000, op_ftruncate, setup_file, close_file, 0 },
	{ "mmap + munmap 64 KiB", 3000, op_mmap_munmap, 0, 0, 0 },
	{ "mmap + touch + munmap 64 KiB", 500, op_map_touch_unmap, 0, 0, 0 },
	{ "mprotect 64 KiB", 2000, op_mprotect, make_full_map, drop_map, 0 },
	{ "fault, anonymous", 2560, op_fault_anon, make_map, drop_map, 0 },
	{ "fault, file", 2560, op_fault_file, setup_file, close_file, 0 },
	{ "map + read + unmap 64 KiB of a file", 500, op_map_file_read, setup_file, close_file, 0 },
	{ "fault, copy on write", 640, op_fault_cow, make_full_map, drop_map, 1 },
	{ "brk up + down", 3000, op_brk, 0, 0, 0 },
	{ "mremap", 2000, op_mremap, 0, 0, 0 },
	{ "fork + exit + wait", 200, op_fork_exit, 0, 0, 1 },
	{ "fork + exit + wait, 1 MiB touched", 200, op_fork_exit, make_full_map, drop_map, 1 },
	{ "vfork + exit + wait", 300, op_vfork_exit, 0, 0, 1 },
	{ "vfork + exec + wait", 100, op_vfork_exec, 0, 0, 1 },
	{ "fork + exec + wait", 100, op_fork_exec, 0, 0, 1 },
	{ "thread create + join", 300, op_thread, 0, 0, 1 },
	{ "sigaction", 5000, op_sigaction, 0, 0, 0 },
	{ "sigprocmask", 10000, op_sigprocmask, 0, 0, 0 },
	{ "signal to self + handler", 2000, op_signal_self, catch_signal, drop_signal, 0 },
	{ "futex wake, none waits", 10000, op_futex_wake_none, 0, 0, 0 },
	{ "futex wait, changed", 10000, op_futex_wait_again, 0, 0, 0 },
	{ "futex ping-pong", 4000, op_futex_pingpong, start_futex, end_futex, 1 },
	{ "switch, by pipes", 4000, op_switch_pipe, start_pipes, end_pipes, 1 },
	{ "switch, by a socket", 4000, op_switch_unix, start_socks, end_socks, 1 },
	{ "sched_yield alone", 5000, op_yield_alone, 0, 0, 0 },
	{ "sched_yield of two", 2000, op_yield_two, share_map, drop_map, 1 },
	{ "udp send + receive 1 B", 3000, op_udp, make_udp, close_pair, 0 },
	{ "udp send + receive 1 KiB", 2000, op_udp_1k, make_udp, close_pair, 0 },
	{ "tcp ping-pong 1 B", 2000, op_tcp_pingpong, make_tcp, close_pair, 0 },
	{ "tcp stream 64 KiB", 300, op_tcp_64k, make_tcp, close_pair, 0 },
	{ "tcp connect + close", 300, op_tcp_connect, make_listener, drop_listener, 0 },
	{ "unix stream 1 B", 3000, op_unix_1, make_sockets, close_pair, 0 },
	{ "unix stream 4 KiB", 2000, op_unix_4k, make_sockets, close_pair, 0 },
	{ "unix datagram 100 B", 3000, op_unix_dgram, make_dgram, close_pair, 0 },
	{ "socketpair + close", 1000, op_socketpair, 0, 0, 0 },
	{ "pipe + close", 1000, op_pipe_close, 0, 0, 0 },
	{ "poll of 32", 1000, op_poll_32, many_pipes, drop_pipes, 0 },
	{ "select of 32", 1000, op_select_32, many_pipes, drop_pipes, 0 },
	{ "epoll_wait, one of 32 ready", 3000, op_epoll_wait, make_epoll, drop_epoll, 0 },
	{ "epoll_ctl del + add", 2000, op_epoll_ctl, make_epoll, drop_epoll, 0 },
	{ "eventfd write + read", 5000, op_eventfd, make_event, close_fd, 0 },
	{ "timerfd_settime", 3000, op_timerfd_set, make_timer, close_fd, 0 },
	{ "setitimer", 3000, op_setitimer, 0, 0, 0 },
	{ "tty write 64 B + read", 1000, op_tty_write, make_tty, drop_tty, 0 },
	{ "tty line in + read", 1000, op_tty_line, make_tty, drop_tty, 1 },
	{ "tty TCGETS", 5000, op_tty_ioctl, make_tty, drop_tty, 0 },
	{ "io_uring nop", 5000, op_uring_nop, make_uring, drop_uring, 0 },
	{ "io_uring nop, deferred", 5000, op_uring_nop, make_deferred, drop_uring, 0 },
	{ "io_uring 32 nops", 1000, op_uring_nops, make_uring, drop_uring, 0 },
	{ "io_uring read 4 KiB", 3000, op_uring_read, file_and_uring, drop_file_and_uring, 0 },
	{ "io_uring read 4 KiB, fixed", 3000, op_uring_read_fixed, fixed_file_and_uring, drop_file_and_uring, 0 },
	{ "io_uring 32 reads 4 KiB", 200, op_uring_reads, file_and_uring, drop_file_and_uring, 0 },
	{ "io_uring fsync", 1000, op_uring_fsync, file_and_uring, drop_file_and_uring, 1 },
	{ "io_uring open + close", 2000, op_uring_open, tree_and_uring, drop_tree_and_uring, 0 },
	{ "io_uring open + close, filter of 1", 2000, op_uring_open, tree_and_filter_of_1, drop_tree_and_uring, 0 },
	{ "io_uring open + close, filter of 4", 2000, op_uring_open, tree_and_filter_of_4, drop_tree_and_uring, 0 },
	{ "io_uring tcp echo 1 B", 1000, op_uring_echo, tcp_and_uring, drop_tcp_and_uring, 0 },
#ifdef __x86_64__
	{ "kvm CPUID", 5000, op_kvm_cpuid, kvm_make_cpuid, kvm_drop, 0 },
	{ "kvm out, to user space", 3000, op_kvm_exit, kvm_make_out, kvm_drop, 0 },
	{ "kvm hlt, to user space", 3000, op_kvm_exit, kvm_make_hlt, kvm_drop, 0 },
	{ "kvm GET_REGS", 5000, op_kvm_get_regs, kvm_make_hlt, kvm_drop, 0 },
	{ "kvm first touch of a page", 2560, op_kvm_touch, kvm_make_touch, kvm_drop, 0 },
	{ "kvm CREATE_VM + close", 50, op_kvm_create_vm, kvm_open, kvm_close, 0 },
	{ "kvm CREATE_VCPU + close", 50, op_kvm_create_vcpu, kvm_make_vm, kvm_drop_vm, 0 },
	{ "kvm memory region", 200, op_kvm_region, kvm_make_vm, kvm_drop_vm, 0 },
#endif
#endif
};

static uint64_t idle_cost = UINT64_MAX;
static int windows, idle_window;	/* pairs of marks so far; that of idle_cost */

/* Instructions from the first of N times to when what they put off is done with. */
static uint64_t window(const struct op *op, long n)
{
	uint64_t a, b;

	MARK_BEGIN();
	a = now();
	if (op)
		op->run(n);
	compute();
	b = now();
	MARK_END();
	windows++;
	return b - a;
}

struct reading { uint64_t cost; int window; };

static int by_cost(const void *a, const void *b)
{
	const struct reading *x = a, *y = b;

	return (x->cost > y->cost) - (x->cost < y->cost);
}

static void measure(const struct op *op)
{
	struct reading r[WINDOWS];
	int n = op->chance ? WINDOWS : 1;

	if (op->setup)
		op->setup();
	op->run(op->n / 8 < 16 ? 16 : op->n / 8);
	compute();
	compute();
	for (int i = 0; i < n; i++) {
		r[i].cost = window(op, op->n);
		r[i].window = windows - 1;
	}
	if (op->drop)
		op->drop();
	qsort(r, (size_t)n, sizeof(*r), by_cost);
	printf("op %s\t%ld\t%lld\t%lld\t%d\n", op->name, op->n, (long long)(r[n / 2].cost - idle_cost), (long long)(r[0].cost - idle_cost),
	       r[n / 2].window);
	fflush(stdout);
}

/* --- in company: the same on each CPU at the same time, each with files and memory of its own --- */

struct meeting { volatile int ready, go, done; };

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(!sched_setaffinity(0, sizeof(set), &set), "affinity");
}

/* Up to the meeting, and after it: what only prepares must not be counted. */
static void take_part(const struct op *op, struct meeting *m, int cpu)
{
	stay_on(cpu);
	must(!unshare(CLONE_NEWNS) && !mount("tmpfs", "/tmp", "tmpfs", 0, NULL), "tmpfs of its own");
	if (op->setup)
		op->setup();
	op->run(op->n / 8 < 16 ? 16 : op->n / 8);
	compute();
	__atomic_add_fetch(&m->ready, 1, __ATOMIC_SEQ_CST);
	while (!m->go)
		;
	op->run(op->n);
	compute();
	__atomic_add_fetch(&m->done, 1, __ATOMIC_SEQ_CST);
	while (m->go)
		;
	if (op->drop)
		op->drop();
	_exit(0);
}

static void measure_in_company(const struct op *op, int cpus)
{
	struct meeting *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(m != MAP_FAILED, "mmap");
	for (int i = 1; i < cpus; i++) {
		pid_t p = fork();

		must(p >= 0, "fork");
		if (!p)
			take_part(op, m, i);
	}
	if (op->setup)
		op->setup();
	op->run(op->n / 8 < 16 ? 16 : op->n / 8);
	compute();
	while (m->ready < cpus - 1)
		;
	compute();
	MARK_BEGIN();
	m->go = 1;
	op->run(op->n);
	compute();
	while (m->done < cpus - 1)
		;
	MARK_END();
	m->go = 0;
	if (op->drop)
		op->drop();
	while (wait(NULL) > 0)
		;
	munmap(m, 4096);
	printf("op %s\t%ld\t0\t0\t%d\n", op->name, op->n * cpus, windows++);
	fflush(stdout);
}

/* A kernel's command line has words only. */
static void without_underscores(char *s)
{
	for (; *s; s++)
		if (*s == '_')
			*s = ' ';
}

static int wanted(const char *list, const char *name)
{
	char l[1000], n[100], *save, *t;

	if (!list)
		return 1;
	snprintf(l, sizeof(l), "%s", list);
	snprintf(n, sizeof(n), "%s", name);
	without_underscores(l);
	without_underscores(n);
	for (t = strtok_r(l, ",", &save); t; t = strtok_r(NULL, ",", &save))
		if (strstr(n, t))
			return 1;
	return 0;
}

/* Where this program's memory lies decides how many page tables it has, so that must not be by chance. What it executes lies by chance. */
static void lie_still(char **argv)
{
	static char *again[] = { "/init", "again", NULL };

	if (!argv[1] || strcmp(argv[1], "again")) {
		personality(ADDR_NO_RANDOMIZE);
		execve("/init", again, environ);
		must(0, "exec");
	}
	personality(0);
}

int main(int argc, char **argv)
{
	const char *list = getenv("ops");
	int company = getenv("company") ? atoi(getenv("company")) : 1;
	struct timespec rest = { 1, 0 };

	if (argc > 1 && !strcmp(argv[1], "nothing"))
		return 0;
	lie_still(argv);
	mkdir("/proc", 0755); mkdir("/sys", 0755); mkdir("/dev", 0755); mkdir("/tmp", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	must(!mount("tmpfs", "/tmp", "tmpfs", 0, NULL), "tmpfs");
	if (getenv("settle")) {
		rest.tv_sec = atoi(getenv("settle"));
		nanosleep(&rest, NULL);		/* what boot puts off is done with */
	}
	buf = malloc(131072);
	memset(buf, 'x', 131072);
	if (company > 1)
		stay_on(0);
	for (int i = 0; i < 8; i++) {
		uint64_t cost = window(NULL, 0);

		if (cost < idle_cost) {
			idle_cost = cost;
			idle_window = windows - 1;
		}
	}
	printf("idle %lld\t%d\n", (long long)idle_cost, idle_window);
	for (unsigned int i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		if (!wanted(list, ops[i].name) || (!strncmp(ops[i].name, "kvm ", 4) && access("/dev/kvm", F_OK)))
			continue;
		if (company > 1)
			measure_in_company(&ops[i], company);
		else
			measure(&ops[i]);
	}
	printf("end\n");
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
