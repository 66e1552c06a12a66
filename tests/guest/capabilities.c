// SPDX-License-Identifier: MIT
/*
 * A capability counts in the user namespace that owns the object (user_namespaces(7), "Interaction
 * of user namespaces and other types of namespaces"): user 1000, as he is and as root of a
 * namespace of his own, against what is root's and the machine's. proves: mq_unlink mq_open
 * sched_setscheduler sched_setattr setpriority clone3 truncate ftruncate open_tree
 */
#include "t.h"
#include <dirent.h>
#include <grp.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <linux/capability.h>

static void put(const char *name, const char *text)
{
	int fd = OK(open(name, O_WRONLY));

	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void become_user(void)
{
	OK(setgroups(0, NULL));
	OK(setresgid(1000, 1000, 1000));
	OK(setresuid(1000, 1000, 1000));
	OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

/* User 1000 as root of a user namespace, with the other namespaces of FLAGS. */
static void become_own_root(int flags)
{
	become_user();
	OK(unshare(CLONE_NEWUSER | flags));
	put("/proc/self/setgroups", "deny");
	put("/proc/self/gid_map", "0 1000 1");
	put("/proc/self/uid_map", "0 1000 1");
	EQ(geteuid(), 0);
}

/* FN as user 1000, then as root of his own namespace. */
static void as_both(void (*fn)(void))
{
	for (int own = 0; own < 2; own++) {
		pid_t pid = OK(fork());

		if (!pid) {
			if (own)
				become_own_root(0);
			else
				become_user();
			fn();
			_exit(0);
		}
		CHECK(t_child_ok(pid));
	}
}

/* The same in a child; a pid namespace of FLAGS has its first process then. */
static void as_own_root(int flags, void (*fn)(void))
{
	pid_t pid = OK(fork());

	if (!pid) {
		become_own_root(flags);
		if (flags & CLONE_NEWPID) {
			pid = OK(fork());
			if (pid)
				_exit(t_child_ok(pid) ? 0 : 1);
		}
		fn();
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

#define RENAME_WHITEOUT_ 4
#define EMPTY 0x1000	/* AT_EMPTY_PATH */

static int roots_fd;

static void link_own_and_whiteout(void)
{
	int fd = OK(open("/tmp/capabilities-user/f", O_CREAT | O_RDWR, 0600));

	OK(linkat(fd, "", AT_FDCWD, "/tmp/capabilities-user/linked", EMPTY));
	OK(unlink("/tmp/capabilities-user/linked"));
	ERR(linkat(roots_fd, "", AT_FDCWD, "/tmp/capabilities-user/linked", EMPTY), ENOENT);
	OK((int)syscall(SYS_renameat2, AT_FDCWD, "/tmp/capabilities-user/f", AT_FDCWD,
			"/tmp/capabilities-user/g", RENAME_WHITEOUT_));
	OK(unlink("/tmp/capabilities-user/f"));
	OK(unlink("/tmp/capabilities-user/g"));
}

/* A descriptor is its opener's; a whiteout is no device. */
TEST(links_and_whiteouts)
{
	umask(0);
	OK(mkdir("/tmp/capabilities-user", 0777));
	OK(mount("t", "/tmp/capabilities-user", "tmpfs", 0, NULL));
	roots_fd = OK(open("/tmp/capabilities-user/root", O_CREAT | O_RDWR, 0666));
	as_both(link_own_and_whiteout);
	OK(linkat(roots_fd, "", AT_FDCWD, "/tmp/capabilities-user/linked", EMPTY));
	close(roots_fd);
	OK(umount("/tmp/capabilities-user"));
	OK(rmdir("/tmp/capabilities-user"));
}

static const char *const file = "/tmp/capabilities-file";

/* Root's, and everybody may write it. */
static void make_file(mode_t mode)
{
	int fd;

	unlink(file);
	fd = OK(open(file, O_CREAT | O_WRONLY, 0600));
	EQ(write(fd, "contents", 8), 8);
	OK(fchmod(fd, mode));
	close(fd);
}

static mode_t mode_of(void)
{
	struct stat st;

	OK(stat(file, &st));
	return st.st_mode & 07777;
}

static void by_write(void)
{
	int fd = OK(open(file, O_WRONLY));

	EQ(write(fd, "x", 1), 1);
	close(fd);
}

static void by_truncate(void)
{
	OK(truncate(file, 3));
}

static void by_ftruncate(void)
{
	int fd = OK(open(file, O_WRONLY));

	OK(ftruncate(fd, 3));
	close(fd);
}

static void by_open(void)
{
	close(OK(open(file, O_WRONLY | O_TRUNC)));
}

static void (*const changes[])(void) = { by_write, by_truncate, by_ftruncate, by_open };

static void each_change(void)
{
	unsigned int n = sizeof(changes) / sizeof(changes[0]);
	char which[2] = "";
	int fd = OK(open("/tmp/capabilities-which", O_RDONLY));

	EQ(read(fd, which, 1), 1);
	CHECK((unsigned int)(which[0] - '0') < n);
	changes[which[0] - '0']();
}

TEST(set_id_bits_go_with_a_change)
{
	umask(0);
	for (unsigned int i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		char which[2] = { (char)('0' + i) };
		int fd = OK(open("/tmp/capabilities-which", O_CREAT | O_TRUNC | O_WRONLY, 0644));

		EQ(write(fd, which, 1), 1);
		close(fd);
		for (int own = 0; own < 2; own++) {
			pid_t pid;

			make_file(06777);
			pid = OK(fork());
			if (!pid) {
				if (own)
					become_own_root(0);
				else
					become_user();
				changes[i]();
				_exit(0);
			}
			CHECK(t_child_ok(pid));
			EQ(mode_of(), 0777);
		}
		make_file(02767);	/* not executable by the group, which is not the writer's */
		as_both(each_change);
		EQ(mode_of(), 0767);
		make_file(06777);	/* with CAP_FSETID they stay */
		changes[i]();
		EQ(mode_of(), 06777);
	}
	OK(unlink("/tmp/capabilities-which"));
	OK(unlink(file));
}

static void chown_fails(void)
{
	ERR(chown(file, getuid(), getgid()), EPERM);
	ERR(chmod(file, 0777), EPERM);
}

/* VFS_CAP_REVISION_2, CAP_NET_RAW */
static const unsigned int file_caps[5] = { 0x02000000, 1u << 13 };

TEST(file_capabilities_go_with_a_change)
{
	char b[64];

	umask(0);
	make_file(0777);
	if (setxattr(file, "security.capability", file_caps, 20, 0) && errno == EOPNOTSUPP)
		SKIP("no file capabilities here");
	EQ(getxattr(file, "security.capability", b, sizeof(b)), 20);
	as_both(chown_fails);			/* what is refused changes nothing */
	EQ(getxattr(file, "security.capability", b, sizeof(b)), 20);
	for (unsigned int i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		OK(setxattr(file, "security.capability", file_caps, 20, 0));
		changes[i]();			/* even root's */
		ERR(getxattr(file, "security.capability", b, sizeof(b)), ENODATA);
	}
	OK(unlink(file));
}

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

/* Some C libraries have none of it. */
static int set_scheduler(pid_t pid, int policy, int priority)
{
	return (int)syscall(SYS_sched_setscheduler, pid, policy, &priority);
}

static pid_t raised;

/*
 * Of the caller's user, with capabilities that the caller lacks, as a set-user-ID program has them.
 */
static void leaves_raised_alone(void)
{
	cpu_set_t all;

	CPU_ZERO(&all);
	CPU_SET(0, &all);
	OK(kill(raised, 0));
	ERR(setpriority(PRIO_PROCESS, (id_t)raised, 10), EPERM);
	ERR(set_scheduler(raised, SCHED_BATCH, 0), EPERM);
	ERR(set_scheduler(raised, SCHED_IDLE, 0), EPERM);
	ERR(sched_setaffinity(raised, sizeof(all), &all), EPERM);
	ERR(syscall(SYS_ioprio_set, 1, raised, 2 << 13 | 7 /* best effort */), EPERM);
	EQ(getpriority(PRIO_PROCESS, (id_t)raised), 0);
}

static void takes_no_time(void)
{
	struct attr a = { .size = sizeof(a), .nice = -10 };
	cpu_set_t all;

	ERR(set_scheduler(0, SCHED_FIFO, 1), EPERM);
	ERR(set_scheduler(0, SCHED_RR, 1), EPERM);
	ERR(syscall(SYS_sched_setattr, 0, &a, 0), EPERM);
	ERR(setpriority(PRIO_PROCESS, 0, -20), EACCES);
	OK(setpriority(PRIO_PROCESS, 0, 5));
	ERR(setpriority(PRIO_PROCESS, 0, 4), EACCES);
	EQ(getpriority(PRIO_PROCESS, 0), 5);
	ERR(syscall(SYS_ioprio_set, 1, 0, 1 << 13 | 4 /* real-time */), EPERM);
	if (geteuid())		/* the sets are compared: root of a namespace has as many */
		leaves_raised_alone();
	/* root's first process */
	ERR(set_scheduler(1, SCHED_BATCH, 0), EPERM);
	ERR(setpriority(PRIO_PROCESS, 1, 10), EPERM);
	CPU_ZERO(&all);
	CPU_SET(0, &all);
	ERR(sched_setaffinity(1, sizeof(all), &all), EPERM);
	/* an IDLE task of one's own, whose nice limit is 0, stays it */
	OK(set_scheduler(0, SCHED_IDLE, 0));
	ERR(set_scheduler(0, SCHED_OTHER, 0), EPERM);
}

TEST(scheduling)
{
	OK(setrlimit(RLIMIT_NICE, &(struct rlimit){ 0, 0 }));
	OK(setrlimit(RLIMIT_RTPRIO, &(struct rlimit){ 0, 0 }));
	raised = OK(fork());
	if (!raised) {
		OK((int)syscall(SYS_setresuid, 1000, 0, 0));
		for (;;)
			pause();
	}
	t_until_asleep(raised);
	as_both(takes_no_time);
	OK(kill(raised, SIGKILL));
	CHECK(!t_child_ok(raised));
}

static int queue(const char *name, int flags, long messages, long size)
{
	struct mq_attr a = { .mq_maxmsg = messages, .mq_msgsize = size };

	return (int)syscall(SYS_mq_open, name, flags, 0666, &a);
}

static void limits_hold(void)
{
	ERR(queue("capabilities-mine", O_CREAT | O_RDWR, 11, 64), EINVAL);	/* msg_max */
	ERR(queue("capabilities-mine", O_CREAT | O_RDWR, 1, 8193), EINVAL);	/* msgsize_max */
}

static void unlink_is_refused(void)
{
	ERR(syscall(SYS_mq_unlink, "capabilities-q"), EPERM);
	limits_hold();
}

static void own_queues(void)
{
	struct msqid_ds d;
	int id;

	limits_hold();
	ERR(syscall(SYS_mq_unlink, "capabilities-q"), ENOENT);
	OK(queue("capabilities-mine", O_CREAT | O_RDWR, 2, 64));
	OK((int)syscall(SYS_mq_unlink, "capabilities-mine"));
	id = OK(msgget(IPC_PRIVATE, 0600));
	OK(msgctl(id, IPC_STAT, &d));
	d.msg_qbytes++;
	ERR(msgctl(id, IPC_SET, &d), EPERM);
	OK(msgctl(id, IPC_RMID, NULL));
}

TEST(message_queues)
{
	int fd;

	umask(0);
	fd = queue("capabilities-q", O_CREAT | O_RDWR, 2, 64);
	if (fd < 0 && errno == ENOSYS)
		SKIP("no message queues here");
	OK(fd);
	as_both(unlink_is_refused);
	as_own_root(CLONE_NEWIPC, own_queues);
	OK((int)syscall(SYS_mq_unlink, "capabilities-q"));
	fd = OK(queue("capabilities-q", O_CREAT | O_RDWR, 11, 9000));	/* root's hands are free */
	OK((int)syscall(SYS_mq_unlink, "capabilities-q"));
}

/* send(2) with SCM_CREDENTIALS of that process. */
static int send_as(pid_t pid, uid_t uid)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} u;
	struct ucred c = { .pid = pid, .uid = uid, .gid = getgid() };
	struct iovec v = { "x", 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u)
	};
	int s[2], r, e;

	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	memset(&u, 0, sizeof(u));
	u.h = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_CREDENTIALS,
				.cmsg_len = CMSG_LEN(sizeof(c)) };
	memcpy(CMSG_DATA(&u.h), &c, sizeof(c));
	r = (int)sendmsg(s[0], &m, 0);
	e = errno;
	close(s[0]);
	close(s[1]);
	errno = e;
	return r;
}

static void no_others_pid(void)
{
	EQ(send_as(getpid(), getuid()), 1);
	ERR(send_as(1, getuid()), EPERM);
}

/* Its pid namespace is ours. */
static void pids_of_own(void)
{
	pid_t pid = OK(fork());

	if (!pid) {
		EQ(getppid(), 1);
		EQ(send_as(1, getuid()), 1);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

TEST(credentials_of_a_message)
{
	as_both(no_others_pid);
	as_own_root(CLONE_NEWPID, pids_of_own);
	EQ(send_as(1, 1234), 1);
}

struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size;
};

static pid_t fork_as(const int *tid, unsigned int n)
{
	struct clone3_args a = { .exit_signal = SIGCHLD,
				 .set_tid = (uintptr_t)tid,
				 .set_tid_size = n };
	pid_t pid = (pid_t)syscall(435, &a, sizeof(a));

	if (!pid)
		_exit(0);
	return pid;
}

static void numbers_of_own(void)
{
	int tid[3] = { 42, 31234, 5 };

	EQ(fork_as(tid, 1), 42);
	EQ(t_wait(42), 0);
	ERR(fork_as(tid, 2), EPERM);		/* the second is the outer namespace's */
	ERR(fork_as(tid, 3), EINVAL);		/* there is no third */
}

static void no_numbers(void)
{
	int tid = 31234;

	ERR(fork_as(&tid, 1), EPERM);
}

TEST(set_tid)
{
	int tid = 31234;

	as_both(no_numbers);
	as_own_root(CLONE_NEWPID, numbers_of_own);
	EQ(fork_as(&tid, 1), tid);
	EQ(t_wait(tid), 0);
}

static void no_proc_of_others(void)
{
	ERR(mount("p", "/tmp", "proc", 0, NULL), EPERM); /* it would show the host's processes */
	ERR(mount("s", "/tmp", "sysfs", 0, NULL), EPERM);
	OK(mount("t", "/tmp", "tmpfs", 0, NULL));
}

static void proc_of_own(void)
{
	char b[32] = "";

	OK(mount("p", "/tmp", "proc", 0, NULL));
	OK(readlink("/tmp/self", b, sizeof(b) - 1));
	CHECK(!strcmp(b, "1"));
	ERR(access("/tmp/2", F_OK), ENOENT);
	OK(access("/tmp/cpuinfo", F_OK));
}

static void proc_would_reveal(void)
{
	int fs;

	ERR(mount("p", "/tmp", "proc", 0, NULL), EPERM);
	ERR(mount("p", "/tmp", "proc", MS_RDONLY, NULL), EPERM);
	fs = OK((int)syscall(SYS_fsopen, "proc", 0));
	OK((int)syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0));
	ERR(syscall(SYS_fsmount, fs, 0, 0), EPERM);
}

/* /proc alone, nothing on it. */
static void plain_proc(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(umount2("/proc", MNT_DETACH));
	OK(mount("p", "/proc", "proc", 0, NULL));
}

/* Its maps come from outside, where /proc can be written. */
static void proc_read_only(int ready, int go)
{
	char c;
	pid_t pid;

	plain_proc();
	OK(mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	become_user();
	OK(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID));
	EQ(write(ready, "r", 1), 1);
	EQ(read(go, &c, 1), 1);
	pid = OK(fork());
	if (pid)
		_exit(t_child_ok(pid) ? 0 : 1);
	ERR(mount("p", "/tmp", "proc", 0, NULL), EPERM);
	OK(mount("p", "/tmp", "proc", MS_RDONLY, NULL));
	ERR(mount(NULL, "/tmp", NULL, MS_REMOUNT | MS_BIND, NULL), EPERM); /* that came along */
	_exit(0);
}

TEST(fresh_proc)
{
	plain_proc();
	as_own_root(CLONE_NEWNS, no_proc_of_others);
	as_own_root(CLONE_NEWNS | CLONE_NEWPID, proc_of_own);
	OK(mount("/proc/self/environ", "/proc/cpuinfo", NULL, MS_BIND, NULL));
	as_own_root(CLONE_NEWNS | CLONE_NEWPID, proc_would_reveal);
	OK(umount("/proc/cpuinfo"));
	as_own_root(CLONE_NEWNS | CLONE_NEWPID, proc_of_own);
	OK(mount("t", "/proc/sys", "tmpfs", MS_RDONLY, NULL));
	as_own_root(CLONE_NEWNS | CLONE_NEWPID, proc_would_reveal);
	OK(umount("/proc/sys"));
}

TEST(fresh_proc_read_only)
{
	int ready[2], go[2];
	char c, name[64];
	pid_t pid;

	OK(pipe(ready));
	OK(pipe(go));
	pid = OK(fork());
	if (!pid)
		proc_read_only(ready[1], go[0]);
	close(ready[1]);
	EQ(read(ready[0], &c, 1), 1);
	snprintf(name, sizeof(name), "/proc/%d/gid_map", pid);
	put(name, "0 1000 1");
	snprintf(name, sizeof(name), "/proc/%d/uid_map", pid);
	put(name, "0 1000 1");
	EQ(write(go[1], "g", 1), 1);
	CHECK(t_child_ok(pid));
}

static bool options_have(const char *at, const char *what)
{
	char line[512];
	bool found = false;
	FILE *f = fopen("/proc/self/mounts", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, at) && strstr(line, what))
			found = true;
	fclose(f);
	return found;
}

TEST(proc_options)
{
	struct dirent *e;
	DIR *d;

	plain_proc();
	OK(mount("t", "/mnt", "tmpfs", 0, NULL));
	OK(mkdir("/mnt/p", 0755));
	OK(mount("p", "/mnt/p", "proc", 0, "subset=pid,hidepid=invisible,gid=77"));
	OK(access("/mnt/p/self/status", F_OK));
	OK(access("/mnt/p/1/status", F_OK));
	ERR(access("/mnt/p/cpuinfo", F_OK), ENOENT);
	ERR(access("/mnt/p/sys", F_OK), ENOENT);
	d = opendir("/mnt/p");
	CHECK(d);
	while ((e = readdir(d)))
		CHECK(e->d_name[0] == '.' || strstr(e->d_name, "self") ||
		      (e->d_name[0] >= '0' && e->d_name[0] <= '9'));
	closedir(d);
	/* A remount leaves what it does not name. */
	OK(mount(NULL, "/mnt/p", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	CHECK(options_have("/mnt/p", "hidepid=invisible"));
	CHECK(options_have("/mnt/p", "gid=77"));
	CHECK(options_have("/mnt/p", "subset=pid"));
}

#define NAMESPACE 2	/* OPEN_TREE_NAMESPACE */

static int open_tree_(const char *path, int flags)
{
	return (int)syscall(428, AT_FDCWD, path, flags);
}

static void tree_stays_away(void)
{
	int fd, host;

	ERR(open_tree_("/mnt", NAMESPACE), EINVAL); /* what lies under /mnt/over would be seen */
	fd = OK(open_tree_("/mnt", NAMESPACE | 0x8000 /* AT_RECURSIVE */));
	host = OK(open("/", O_PATH));
	OK(setns(fd, CLONE_NEWNS));
	ERR(access("/over/hidden", F_OK), ENOENT);
	ERR(umount("/over"), EINVAL);
	ERR(umount2("/over", MNT_DETACH), EINVAL);
	/* and what is mounted here does not come back to the host */
	OK(mount("t", "/peer", "tmpfs", 0, NULL));
	close(OK(open("/peer/new", O_CREAT | O_WRONLY, 0600)));
	ERR(faccessat(host, "mnt/peer/new", F_OK, 0), ENOENT);
}

/* Left out of the copy it would uncover what it is on. */
static void unbindable_covers(void)
{
	int fd = open_tree_("/mnt", NAMESPACE | 0x8000);

	if (fd < 0) {
		EQ(errno, EPERM);
		return;
	}
	OK(setns(fd, CLONE_NEWNS));
	ERR(access("/over/hidden", F_OK), ENOENT);
}

TEST(tree_as_namespace)
{
	int fd = open_tree_("/", NAMESPACE);

	if (fd < 0 && errno == EINVAL)
		SKIP("older than Linux 7.0");
	OK(fd);
	close(fd);
	plain_proc();
	OK(mount("t", "/mnt", "tmpfs", 0, NULL));
	OK(mkdir("/mnt/over", 0755));
	OK(mkdir("/mnt/peer", 0777));
	close(OK(open("/mnt/over/hidden", O_CREAT | O_WRONLY, 0644)));
	OK(mount("t", "/mnt/over", "tmpfs", 0, NULL));
	OK(mount(NULL, "/mnt", NULL, MS_REC | MS_SHARED, NULL));
	as_own_root(0, tree_stays_away);
	OK(mount(NULL, "/mnt/over", NULL, MS_UNBINDABLE, NULL));
	as_own_root(0, unbindable_covers);
}

/* ---- what a file's mode gives, and what it does not ---- */

static void drop_all(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	OK(syscall(SYS_capset, &h, d));
}

/*
 * proc(5), syslog(2): the kernel's log is for who has CAP_SYSLOG as he opens it, and then his. The
 * host's name is its file's owner's.
 */
TEST(uid_0_without_capabilities)
{
	char name[65], text[4096];
	int log = OK(open("/proc/kmsg", O_RDONLY | O_NONBLOCK)), fd;

	OK(gethostname(name, sizeof(name)));
	drop_all();
	ERR(open("/proc/kmsg", O_RDONLY | O_NONBLOCK), EPERM);
	if (read(log, text, sizeof(text)) < 0)
		EQ(errno, EAGAIN);
	ERR(sethostname(name, strlen(name)), EPERM);
	fd = OK(open("/proc/sys/kernel/hostname", O_WRONLY));
	EQ(write(fd, name, strlen(name)), strlen(name));
	fd = OK(open("/proc/sys/kernel/dmesg_restrict", O_RDWR));
	EQ(read(fd, text, sizeof(text)), 2);
	ERR(pwrite(fd, text, 2, 0), EPERM);
}

static void namespaces_there_is_one_of(void)
{
	static const struct {
		const char *name;
		int flag;
	} of[] = { { "net", CLONE_NEWNET },
		   { "cgroup", CLONE_NEWCGROUP },
		   { "time", CLONE_NEWTIME } };
	char path[64];

	for (int i = 0; i < 3; i++) {
		int fd;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", of[i].name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		ERR(setns(fd, of[i].flag), EPERM);
		close(fd);
	}
}

static void time_namespace(void)
{
	ERR(unshare(CLONE_NEWTIME), EPERM);
}

TEST(namespaces_of_the_machine)
{
	pid_t pid = OK(fork());

	as_both(namespaces_there_is_one_of);
	if (!pid) {
		become_user();
		time_namespace();
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

static void put_file(const char *name, mode_t mode)
{
	int fd = OK(open(name, O_CREAT | O_WRONLY, 0600));

	OK(fchmod(fd, mode));
	close(fd);
}

/* On a mount that is read-only, who may not write hears that first. */
TEST(truncate_asks_for_the_right_first)
{
	pid_t pid;

	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("t", "/mnt", "tmpfs", 0, NULL));
	put_file("/mnt/root", 0600);
	put_file("/mnt/all", 0666);
	OK(mount(NULL, "/mnt", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	pid = OK(fork());
	if (!pid) {
		become_user();
		ERR(truncate("/mnt/root", 1), EACCES);
		ERR(truncate("/mnt/all", 1), EROFS);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	OK(umount("/mnt"));
}
