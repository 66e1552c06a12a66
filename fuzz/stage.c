// SPDX-License-Identifier: MIT
/* What programs of the attacker's are played against (parties.h): files, mounts, queues, a terminal and processes of root's, and a container. */
#define _GNU_SOURCE
#include "parties.h"
#include "exec_in.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* ---- what programs are aimed at ---- */

#define PROC_OF(n) "/proc/" #n "/mem", "/proc/" #n "/maps", "/proc/" #n "/fd", "/proc/" #n "/environ", "/proc/" #n "/root", "/proc/" #n "/cwd", \
	"/proc/" #n "/oom_score_adj", "/proc/" #n "/exe", "/proc/" #n "/ns/mnt", "/proc/" #n "/ns/user", "/proc/" #n "/status", "/proc/" #n "/fd/0", \
	"/proc/" #n "/root/v/secret", "/proc/" #n "/comm", "/proc/" #n "/limits", "/proc/" #n "/clear_refs", "/proc/" #n "/coredump_filter", \
	"/proc/" #n "/uid_map", "/proc/" #n "/setgroups", "/proc/" #n "/timerslack_ns", "/proc/" #n "/attr", "/proc/" #n "/task", "/proc/" #n "/fd/3"

static const char *const aimed_paths[] = {
	"/v", "/v/readable", "/v/secret", "/v/setuid", "/v/setgid", "/v/execute", "/v/xattrs", "/v/acl", "/v/capable", "/v/append", "/v/private", "/v/private/inside", "/v/link",
	"/v/fifo", "/v/socket", "/v/ro", "/v/ro/file", "/v/nosuid", "/v/nosuid/setuid", "/v/masked", "/v/masked/secret", "/v/source", "/v/source/file", "/v/held", "/v/locked",
	"/v/group", "/v/new", "/tmp", "/tmp/roots", "/tmp/roots2", "/tmp/dir", "/tmp/dir/f", "/tmp/link", "/tmp/open", "/tmp/opensetuid", "/tmp/w", "/tmp/w/../roots",
	"/dev/pts/0", "/dev/pts/1", "/dev/pts/2", "/dev/mqueue/roots", "/dev/mqueue/readable", "/dev/mqueue", "/dev/shm/roots", "/dev/shm", "/dev/vda", "/dev/mem", "/dev/kmsg", "/dev/console",
	"/dev/tty", "/init", "/", "/fuzz.args", "/dev/null", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname", "/proc/sys/kernel/core_pattern", "/proc/sys/fs/mount-max",
	"/proc/sys/vm/mmap_min_addr", "/proc/sys/fs/protected_symlinks", "/proc/sys/fs/suid_dumpable", "/proc/sys/kernel/pid_max", "/proc/sys/fs/mqueue/msg_max",
	"/proc/sys/kernel/dmesg_restrict", "/proc/sys/kernel/msgmnb", "/proc/sys/kernel/shm_rmid_forced", "/proc/sys/user/max_user_namespaces", "/proc/sysrq-trigger",
	"/proc/self/fd/20", "/proc/self/fd/21", "/proc/self/fd/22", "/proc/self/fd/23", "/proc/self/fd/29", "/proc/self/fd/30", "/proc/self/fd/31", "/proc/self/root/v/secret",
	"/proc/1/ns/net", "/proc/8/ns/net", "/proc/1/net/tcp", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv4/ip_unprivileged_port_start", "/proc/sys/net/core/somaxconn",
	"/proc/sys/net/ipv4/conf/lo/forwarding", "/proc/sys/net/ipv4/tcp_mem", "/sys/class/net/lo/mtu", "/dev/net/tun",
	PROC_OF(1), PROC_OF(2), PROC_OF(5), PROC_OF(6), PROC_OF(7), PROC_OF(8),
};
static const char *const aimed_names[] = { "/roots", "/readable", "user.a", "trusted.a", "security.capability", "security.a", "system.posix_acl_access", "system.posix_acl_default" };
static const char *const aimed_sockets[] = { "/v/socket", "/v/datagrams" };
static const uint64_t aimed_pids[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, (uint64_t)-2, (uint64_t)-3, (uint64_t)-6, (uint64_t)-7, (uint64_t)-1 };
static const uint64_t aimed_fds[] = { 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32 };
static const uint64_t aimed_pidfds[] = { 25, 26, 27 };
static const uint64_t aimed_nsfds[] = { 28, 29, 30 };
static const uint64_t aimed_ids[] = { 0, 1 };
static const uint64_t aimed_keys[] = { 1000, 1001 };
static const uint64_t aimed_uids[] = { 0, ATTACKER, 5 };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NUMBERS(kind, a) { kind, NULL, a, COUNT(a) }
#define TEXTS(kind, a) { kind, a, NULL, COUNT(a) }
const struct aim stage_aims[] = {
	TEXTS("path", aimed_paths), TEXTS("local", aimed_paths), TEXTS("nspath", aimed_paths), TEXTS("str", aimed_names), TEXTS("sockpath", aimed_sockets),
	NUMBERS("pid", aimed_pids), NUMBERS("pidfd", aimed_pidfds), NUMBERS("nsfd", aimed_nsfds), NUMBERS("fd", aimed_fds), NUMBERS("shmid", aimed_ids),
	NUMBERS("semid", aimed_ids), NUMBERS("msqid", aimed_ids), NUMBERS("key", aimed_keys), NUMBERS("uid", aimed_uids), { 0 },
};

/* ---- staging ---- */

static int ready_fd = -1;

/* Whatever cannot be staged ends the stage: a victim that is not there is compared with nothing. */
static void must(long r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "fuzz: the stage's %s: %s\n", what, strerror(errno));
	if (ready_fd >= 0 && write(ready_fd, "x", 1) != 1)
		perror("fuzz: stage");
	_exit(1);
}

static void put_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	must(fd, path);
	for (int i = 0; i < 100; i++)
		must(write(fd, text, strlen(text)), path);
	close(fd);
	must(chmod(path, mode), path);
}

static void put_program(const char *path, mode_t mode)
{
	int from = open("/setuid", O_RDONLY | O_CLOEXEC), to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	static char b[65536];
	ssize_t n;

	must(from, "/setuid");
	must(to, path);
	while ((n = read(from, b, sizeof(b))) > 0)
		must(write(to, b, (size_t)n), path);
	close(from);
	close(to);
	must(chmod(path, mode), path);
}

static void mount_at(const char *source, const char *at, const char *type, unsigned long flags, const char *options)
{
	must(mount(source, at, type, flags, options), at);
}

static void stage_mounts(void)
{
	mount_at("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mount_at("none", "/", NULL, MS_REC | MS_SHARED, NULL);		/* what the attacker's copies are slaves of */
	mkdir("/v", 0755);
	mount_at("victims", "/v", "tmpfs", 0, "size=8m,mode=0755");
	mount_at("none", "/tmp", "tmpfs", 0, "size=32m,mode=1777");
	mount_at("none", "/proc", "proc", 0, NULL);
	mount_at("none", "/dev/shm", "tmpfs", 0, "size=8m,mode=1777");
	mount_at("none", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=0620,gid=5");
}

/* A version 2 capability: CAP_NET_RAW, effective. */
static const uint32_t file_capability[5] = { 0x02000001, 1 << 13 };
/* Version 2 of POSIX ACLs: user 1000 may read, beside what the mode says. */
static const struct acl { uint32_t version; struct { uint16_t tag, perm; uint32_t id; } e[5]; } file_acl = {
	2, { { 1, 6, ~0u }, { 2, 4, ATTACKER }, { 4, 0, ~0u }, { 0x10, 4, ~0u }, { 0x20, 0, ~0u } }
};

static void stage_files(void)
{
	put_file("/v/readable", "all may read this\n", 0644);
	put_file("/v/secret", "nobody may read this\n", 0600);
	put_file("/v/held", "held\n", 0600);
	put_file("/v/locked", "locked\n", 0644);
	put_program("/v/setuid", 04755);
	put_program("/v/setgid", 02755);
	must(chown("/v/setgid", 0, 5), "group");
	must(chmod("/v/setgid", 02755), "group");
	put_program("/v/execute", 0711);
	put_program("/v/capable", 0755);
	must(setxattr("/v/capable", "security.capability", file_capability, sizeof(file_capability), 0), "file capability");
	put_file("/v/xattrs", "x\n", 0644);
	must(setxattr("/v/xattrs", "user.a", "root's", 6, 0), "user xattr");
	must(setxattr("/v/xattrs", "trusted.a", "root's", 6, 0), "trusted xattr");
	put_file("/v/acl", "acl\n", 0600);
	must(setxattr("/v/acl", "system.posix_acl_access", &file_acl, sizeof(file_acl), 0), "ACL");
	must(mkdir("/v/private", 0700), "directory");
	put_file("/v/private/inside", "inside\n", 0644);
	must(symlink("readable", "/v/link"), "link");
	must(mkfifo("/v/fifo", 0600), "fifo");
	must(mkdir("/v/group", 0775), "directory");
	must(mkdir("/v/source", 0755), "directory");
	put_file("/v/source/file", "bound\n", 0666);
	put_program("/v/source/setuid", 04755);
	must(mkdir("/v/ro", 0755) + mkdir("/v/nosuid", 0755) + mkdir("/v/masked", 0755), "directory");
	put_file("/v/masked/secret", "under a mount\n", 0644);
	mount_at("/v/source", "/v/ro", NULL, MS_BIND, NULL);
	mount_at("none", "/v/ro", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
	mount_at("/v/source", "/v/nosuid", NULL, MS_BIND, NULL);
	mount_at("none", "/v/nosuid", NULL, MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV, NULL);
	must(chmod("/v/source", 0700), "directory");		/* its files by way of the mounts only */
	/* A directory for all, in which each has his own. */
	put_file("/tmp/roots", "in a sticky directory\n", 0644);
	put_file("/tmp/roots2", "in a sticky directory too\n", 0600);
	must(mkdir("/tmp/dir", 0755), "directory");
	put_file("/tmp/dir/f", "f\n", 0644);
	must(symlink("/v/secret", "/tmp/link"), "link");
	put_program("/tmp/opensetuid", 06777);
	must(mkdir("/tmp/w", 0777), "directory");
	must(chown("/tmp/w", ATTACKER, ATTACKER), "directory");
	put_file("/dev/shm/roots", "shared memory\n", 0600);
}

static void stage_ipc(void)
{
	struct mq_attr a = { .mq_maxmsg = 4, .mq_msgsize = 64 };
	struct { long type; char text[16]; } m = { 1, "root's message" };
	int shm, sem, msg;
	mqd_t q;

	for (int i = 0; i < 2; i++) {
		mode_t mode = i ? 0644 : 0600;
		void *p;

		shm = shmget(1000 + i, 4096, IPC_CREAT | IPC_EXCL | mode);
		must(shm, "shared memory");
		p = shmat(shm, NULL, 0);
		must(p == (void *)-1 ? -1 : 0, "shared memory");
		memset(p, 'R', 4096);
		shmdt(p);
		sem = semget(1000 + i, 3, IPC_CREAT | IPC_EXCL | mode);
		must(sem, "semaphores");
		must(semctl(sem, 1, SETVAL, 7), "semaphores");
		msg = msgget(1000 + i, IPC_CREAT | IPC_EXCL | (i ? 0200 : 0600));
		must(msg, "queue");
		must(msgsnd(msg, &m, sizeof(m.text), 0), "queue");
		must(msgsnd(msg, &m, 3, 0), "queue");
		must(shm == i && sem == i && msg == i ? 0 : -1, "ids");
		q = mq_open(i ? "/readable" : "/roots", O_CREAT | O_EXCL | O_RDWR, 0600, &a);
		must(q, "message queue");
		must(mq_send(q, "message", 7, 3), "message queue");
	}
}

/* ---- processes ---- */

static int master, slave;

static void ready(void)
{
	must(write(ready_fd, "r", 1), "pipe");
}

static void fill_pattern(void)
{
	uint32_t *p = mmap((void *)PATTERN_AT, PATTERN_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	must(p == MAP_FAILED ? -1 : 0, "memory");
	for (uint32_t i = 0; i < PATTERN_SIZE / 4; i++)
		p[i] = i * 2654435761u;
}

static _Noreturn void wait_for_ever(void)
{
	ready();
	for (;;)
		pause();
}

static void sleeper(void)
{
	cpu_set_t one;
	sigset_t set;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	must(sched_setaffinity(0, sizeof(one), &one), "affinity");
	must(setpriority(PRIO_PROCESS, 0, -5), "nice");
	must(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 100, 200 }), "limit");
	must(setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 1000 }), "limit");
	must(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 3), "ioprio");
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	must(open(SECRET, O_RDWR), SECRET);
	umask(077);
	wait_for_ever();
}

static void locker(void)
{
	int a = open("/v/locked", O_RDWR), b = open("/v/held", O_RDWR), c = open("/v/readable", O_RDWR), d = open("/v/locked", O_RDWR);

	must(a < 0 || b < 0 || c < 0 || d < 0 ? -1 : 0, "files to lock");
	must(fcntl(a, F_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_len = 10 }), "lock");
	must(fcntl(d, F_OFD_SETLK, &(struct flock){ .l_type = F_RDLCK, .l_start = 20, .l_len = 10 }), "lock");
	must(flock(c, LOCK_SH), "lock");
	must(flock(b, LOCK_EX), "lock");
	wait_for_ever();
}

/* User 1001 becomes root again and again. */
static void executer(void)
{
	ready();
	must(setgroups(0, NULL) | setresgid(1001, 1001, 1001) | setresuid(1001, 1001, 1001), "user");
	execl("/v/setuid", "a", NULL);
	must(-1, "set-user-ID program");
}

static void sender(void)
{
	struct sockaddr_un at = { AF_UNIX, "/v/socket" }, gram = { AF_UNIX, "/v/datagrams" };
	int pair[2], fd = open(SECRET, O_RDWR), l = socket(AF_UNIX, SOCK_STREAM, 0), g = socket(AF_UNIX, SOCK_DGRAM, 0);
	char room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };

	must(bind(l, (void *)&at, sizeof(at)) | listen(l, 3) | chmod(at.sun_path, 0600), "socket");
	must(bind(g, (void *)&gram, sizeof(gram)) | chmod(gram.sun_path, 0600), "socket");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socket");
	*CMSG_FIRSTHDR(&m) = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(fd));
	must(sendmsg(pair[0], &m, 0), "descriptor in flight");
	wait_for_ever();
}

/* A session of root's at its terminal; the foreground is another process's. */
static void shell(void)
{
	pid_t pid;
	char c;

	must(setsid(), "session");
	must(ioctl(slave, TIOCSCTTY, 0), "terminal");
	dup2(slave, 0);
	pid = fork();
	must(pid, "process");
	if (!pid) {
		must(setpgid(0, 0), "group");
		signal(SIGTTOU, SIG_IGN);
		must(tcsetpgrp(0, getpid()), "foreground");
		ready();
		while (read(0, &c, 1) > 0)
			;
		_exit(0);
	}
	wait_for_ever();
}

static void container(void)
{
	char go;
	int up[2], down[2];
	pid_t pid;

	must(pipe2(up, O_CLOEXEC) | pipe2(down, O_CLOEXEC), "pipe");
	pid = fork();
	must(pid, "process");
	if (!pid) {		/* who is outside writes the maps, and is gone then */
		char path[40];
		bool ok;

		must(read(up[0], &go, 1), "pipe");
		snprintf(path, sizeof(path), "/proc/%d/uid_map", CONTAINER);
		ok = write_file(path, "0 100000 65536");
		snprintf(path, sizeof(path), "/proc/%d/gid_map", CONTAINER);
		ok = ok && write_file(path, "0 100000 65536");
		must(write(down[1], "g", 1), "pipe");
		_exit(!ok);
	}
	must(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS), "container");
	must(write(up[1], "g", 1), "pipe");
	must(read(down[0], &go, 1), "pipe");
	must(waitpid(pid, NULL, 0), "container");
	must(setresgid(0, 0, 0) | setresuid(0, 0, 0), "container");
	must(sethostname("container", 9), "container");
	mount_at("none", "/tmp", "tmpfs", 0, "size=1m,mode=0755");
	put_file("/tmp/inside", "inside of the container\n", 0644);
	must(shmget(1000, 4096, IPC_CREAT | 0600), "container");
	must(unshare(CLONE_NEWPID), "container");
	pid = fork();
	must(pid, "container");
	if (!pid) {
		prctl(PR_SET_NAME, "inner");
		must(setresgid(33, 33, 33) | setresuid(33, 33, 33), "container");
		wait_for_ever();
	}
	wait_for_ever();
}

static void begin(enum victim which, void (*fn)(void), int readies, int from)
{
	pid_t pid = fork();
	char c;

	must(pid, "process");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, 0);
		fill_pattern();
		fn();
	}
	must(pid == (pid_t)which ? 0 : -1, "process ids");
	while (readies--)
		must(read(from, &c, 1) == 1 && c == 'r' ? 0 : -1, "process");
}

static void stage_processes(void)
{
	static const struct { enum victim which; void (*fn)(void); int readies; } all[] = {
		{ SLEEPER, sleeper, 1 }, { LOCKER, locker, 1 }, { EXECUTER, executer, 1 }, { SENDER, sender, 1 }, { SHELL, shell, 2 }, { CONTAINER, container, 2 },
	};
	struct winsize w = { 25, 81, 0, 0 };
	int p[2];

	must(openpty(&master, &slave, NULL, NULL, &w), "terminal");
	must(dup2(master, FD_MASTER), "terminal");
	must(pipe2(p, O_CLOEXEC), "pipe");
	ready_fd = p[1];
	for (size_t i = 0; i < COUNT(all); i++)
		begin(all[i].which, all[i].fn, all[i].readies, p[0]);
	close(p[0]);
	close(p[1]);
}

/* Loopback, a bridge with an address, and a listener at a port that is root's alone. */
static void stage_network(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP }, br = { .ifr_name = "b0" };
	struct sockaddr_in *of_br = (struct sockaddr_in *)&br.ifr_addr;
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(ioctl(s, SIOCSIFFLAGS, &lo), "loopback");
	must(ioctl(s, SIOCBRADDBR, br.ifr_name), "bridge");
	of_br->sin_family = AF_INET;
	of_br->sin_addr.s_addr = htonl(0x0a090001);
	must(ioctl(s, SIOCSIFADDR, &br), "address");
	must(bind(s, (void *)&at, sizeof(at)) | listen(s, 1), "listener");
	must(dup2(s, FD_LISTENER), "listener");
	close(s);
}

static _Noreturn void stage(int tell)
{
	int hidden, memfd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	write_file("/proc/self/oom_score_adj", "-900");
	stage_mounts();
	stage_files();
	must(sethostname("stage", 5) | setdomainname("of.roots", 8), "name");
	stage_ipc();
	stage_network();
	hidden = open(MASKED, O_RDONLY | O_CLOEXEC);
	must(hidden, MASKED);
	memfd = memfd_create("sealed", MFD_ALLOW_SEALING);
	must(memfd, "memfd");
	must(write(memfd, "sealed", 6) | fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL), "memfd");
	must(dup2(hidden, FD_HIDDEN) | dup2(memfd, FD_SEALED), "descriptors");
	close(hidden);
	close(memfd);
	mount_at("mask", "/v/masked", "tmpfs", MS_RDONLY, "size=4k,mode=0755");
	fill_pattern();
	stage_processes();
	must(write(tell, "r", 1), "pipe");
	close(tell);
	for (;;)
		waitpid(-1, NULL, 0) < 0 ? pause() : 0;
}

pid_t stage_set(void)
{
	struct clone_args { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; } a = { 0 };
	int p[2];
	pid_t pid;
	char c;

	if (pipe2(p, O_CLOEXEC))
		return -1;
	a.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
	a.exit_signal = SIGCHLD;
	pid = (pid_t)syscall(SYS_clone3, &a, sizeof(a));
	if (!pid) {
		close(p[0]);
		stage(p[1]);
	}
	close(p[1]);
	if (pid > 0 && read(p[0], &c, 1) != 1) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(p[0]);
	return pid;
}

static bool give(int at, int fd)
{
	bool ok = fd >= 0 && dup2(fd, at) == at;

	if (!ok)
		fprintf(stderr, "fuzz: descriptor %d for the attacker: %s\n", at, strerror(errno));
	if (fd >= 0 && fd != at)
		close(fd);
	return ok;
}

bool stage_descriptors(void)
{
	return give(20, open("/v/readable", O_RDONLY)) && give(21, open(SECRET, O_PATH)) && give(22, open("/v/setuid", O_PATH)) && give(23, open("/v", O_RDONLY)) &&
	       give(24, open("/dev/pts/0", O_PATH)) && give(25, (int)syscall(SYS_pidfd_open, SLEEPER, 0)) && give(26, (int)syscall(SYS_pidfd_open, STAGE_INIT, 0)) &&
	       give(27, (int)syscall(SYS_pidfd_open, CONTAINER, 0)) && give(28, open("/proc/8/ns/mnt", O_RDONLY)) && give(29, open("/proc/8/ns/user", O_RDONLY)) &&
	       give(30, open("/proc/1/ns/pid", O_RDONLY)) && give(31, open("/proc/1/fd/51", O_RDONLY)) && give(32, open("/v/ro", O_PATH));
}
