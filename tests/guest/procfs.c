// SPDX-License-Identifier: MIT
/* What /proc and /sys say, checked against what the process knows of itself. */
#include "t.h"
#include <dirent.h>
#include <elf.h>
#include <grp.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static char text[1 << 16];

static const char *slurp(const char *name)
{
	int fd = OK(open(name, O_RDONLY));
	size_t n = 0;
	ssize_t r;

	while ((r = OK(read(fd, text + n, sizeof(text) - 1 - n))) > 0)
		n += r;
	text[n] = 0;
	close(fd);
	return text;
}

/* The number after "key" at the start of a line. */
static long long field(const char *where, const char *key)
{
	const char *p = where;

	while (p && strncmp(p, key, strlen(key)))
		p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL;
	if (!p)
		FAIL("no %s", key);
	return strtoll(p + strlen(key), NULL, 10);
}

TEST(status_and_stat)
{
	struct rlimit r;
	char comm[64], state;
	int pid, ppid;

	slurp("/proc/self/status");
	EQ(field(text, "Pid:\t"), getpid());
	EQ(field(text, "PPid:\t"), getppid());
	EQ(field(text, "Uid:\t"), getuid());
	EQ(field(text, "Threads:\t"), 1);
	CHECK(field(text, "VmRSS:\t") > 0);
	OK(getrlimit(RLIMIT_NOFILE, &r));
	slurp("/proc/self/stat");
	EQ(sscanf(text, "%d (%63[^)]) %c %d", &pid, comm, &state, &ppid), 4);
	EQ(pid, getpid());
	EQ(ppid, getppid());
	EQ(state, 'R');
	int spaces = 0;

	for (char *p = text; *p; p++)
		spaces += *p == ' ';
	EQ(spaces, 51);			/* 52 fields */
	slurp("/proc/self/limits");
	CHECK(strstr(text, "Max open files"));
	slurp("/proc/thread-self/comm");
	text[strcspn(text, "\n")] = 0;
	CHECK(!strcmp(text, comm));
}

/* One mapping asked for by its address; its ID is what the linker wrote. */
TEST(a_mapping_by_address)
{
	unsigned long size = 4 * PAGE, a = (unsigned long)mmap(NULL, size, PROT_READ | PROT_WRITE,
							       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = OK(open("/proc/self/maps", O_RDONLY)), f;
	struct procmap_query q = { .size = sizeof(q), .query_addr = a + 5000 };
	/* A program header, its note segment, and in it another note before the ID. */
	struct {
		Elf64_Ehdr h;
		Elf64_Phdr p;
		struct {
			Elf64_Nhdr h;
			char name[8];
		} other;
		struct {
			Elf64_Nhdr h;
			char name[4];
			unsigned char id[8];
		} note;
	} elf = { .h = { .e_ident = ELFMAG "\2\1\1",
			 .e_type = ET_DYN,
			 .e_phoff = sizeof(Elf64_Ehdr),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 1 },
		  .p = { .p_type = PT_NOTE,
			 .p_offset = offsetof(__typeof__(elf), other),
			 .p_filesz = sizeof(elf) - offsetof(__typeof__(elf), other) },
		  .other = { { 5, 0, 3 }, "other" },
		  .note = { { 4, 7, 3 }, "GNU", { 1, 2, 3, 4, 5, 6, 7 } } };
	unsigned char id[20];
	char name[300];
	struct stat st;

	OK(munmap((void *)(a + 3 * PAGE), PAGE));
	OK(mprotect((void *)(a + 2 * PAGE), PAGE, PROT_READ));
	OK(ioctl(fd, PROCMAP_QUERY, &q));
	EQ(q.vma_end, a + 2 * PAGE);
	CHECK(q.vma_start <= a);
	EQ(q.vma_flags, PROCMAP_QUERY_VMA_READABLE | PROCMAP_QUERY_VMA_WRITABLE);
	EQ(q.vma_page_size, PAGE);
	EQ(q.inode + q.dev_major + q.dev_minor + q.vma_offset, 0);
	q.query_addr = a + 2 * PAGE;
	q.query_flags = PROCMAP_QUERY_VMA_WRITABLE;
	ERR(ioctl(fd, PROCMAP_QUERY, &q), ENOENT);
	q.query_addr = a + 3 * PAGE;
	q.query_flags = 0;
	ERR(ioctl(fd, PROCMAP_QUERY, &q), ENOENT);
	q.query_addr = 1;
	q.query_flags = PROCMAP_QUERY_COVERING_OR_NEXT_VMA;
	OK(ioctl(fd, PROCMAP_QUERY, &q));
	CHECK(q.vma_start > 1);

	unlink("/tmp/mapped");
	f = OK(open("/tmp/mapped", O_CREAT | O_RDWR, 0600));
	EQ(write(f, &elf, sizeof(elf)), sizeof(elf));
	OK(ftruncate(f, 2 * PAGE));
	OK(fstat(f, &st));
	CHECK(mmap((void *)a, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, f, PAGE) == (void *)a);
	memset(&q, 0, sizeof(q));
	q = (struct procmap_query){ .size = sizeof(q),
				    .query_addr = a,
				    .query_flags = PROCMAP_QUERY_FILE_BACKED_VMA,
				    .vma_name_addr = (unsigned long)name,
				    .vma_name_size = sizeof(name),
				    .build_id_addr = (unsigned long)id,
				    .build_id_size = sizeof(id) };
	OK(ioctl(fd, PROCMAP_QUERY, &q));
	EQ(q.vma_start, a);
	EQ(q.vma_offset, PAGE);
	EQ(q.inode, st.st_ino);
	EQ(q.vma_flags, PROCMAP_QUERY_VMA_READABLE | PROCMAP_QUERY_VMA_SHARED);
	EQ(q.vma_name_size, sizeof("/tmp/mapped"));
	CHECK(!strcmp(name, "/tmp/mapped"));
	EQ(q.build_id_size, 7);
	CHECK(!memcmp(id, elf.note.id, 7));
	q.vma_name_size = 5;
	ERR(ioctl(fd, PROCMAP_QUERY, &q), ENAMETOOLONG);
	q.vma_name_size = sizeof(name);
	q.build_id_size = 3;
	ERR(ioctl(fd, PROCMAP_QUERY, &q), ENAMETOOLONG);
	q.build_id_size = 0;
	ERR(ioctl(fd, PROCMAP_QUERY, &q), EINVAL);		/* an address without a size */
	q.build_id_addr = 0;
	q.query_flags = 0x40;
	ERR(ioctl(fd, PROCMAP_QUERY, &q), EINVAL);
	q.query_flags = 0;
	q.vma_name_addr = 8;
	ERR(ioctl(fd, PROCMAP_QUERY, &q), EFAULT);
	q.size = 16;
	ERR(ioctl(fd, PROCMAP_QUERY, &q), EINVAL);
	q.size = 1 << 20;
	ERR(ioctl(fd, PROCMAP_QUERY, &q), E2BIG);
	ERR(ioctl(fd, PROCMAP_QUERY, 8), EFAULT);
	ERR(ioctl(fd, 0x12345678, &q), ENOTTY);
	unlink("/tmp/mapped");
}

TEST(memory_maps)
{
	unsigned long a, b, size = 64 * 1024;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	     *line, *save;
	bool found = false;
	long rss = 0;

	CHECK(p != MAP_FAILED);
	memset(p, 1, size);
	OK(mprotect(p, PAGE, PROT_READ));
	slurp("/proc/self/maps");
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char prot[5];

		EQ(sscanf(line, "%lx-%lx %4s", &a, &b, prot), 3);
		CHECK(a < b);
		if (a == (unsigned long)p) {
			found = true;
			EQ(b - a, PAGE);
			CHECK(!strcmp(prot, "r--p"));
		}
	}
	CHECK(found);
	slurp("/proc/self/smaps_rollup");
	rss = field(text, "Rss:");
	CHECK(rss >= 64);
	CHECK(field(text, "Anonymous:") >= 64);
	int fd = OK(open("/proc/self/mem", O_RDWR));
	char c = 0;

	EQ(pread(fd, &c, 1, (off_t)p + 5), 1);
	EQ(c, 1);
	c = 7;
	EQ(pwrite(fd, &c, 1, (off_t)p + 5000), 1);
	EQ(p[5000], 7);
	ERR(pread(fd, &c, 1, 8), EIO);
	close(fd);
	fd = OK(open("/proc/self/pagemap", O_RDONLY));
	unsigned long long e;

	EQ(pread(fd, &e, 8, (unsigned long)p / PAGE * 8), 8);
	CHECK(e >> 63);			/* present */
	close(fd);
}

TEST(descriptors)
{
	char name[40], target[100];
	int fd = OK(open("/tmp/procfs-file", O_CREAT | O_RDWR, 0600)), p[2], again, n = 0;
	struct dirent *d;
	DIR *dir;

	EQ(write(fd, "abc", 3), 3);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	memset(target, 0, sizeof(target));
	CHECK(OK(readlink(name, target, 99)) > 0 && !strcmp(target, "/tmp/procfs-file"));
	again = OK(open(name, O_RDONLY));
	EQ(read(again, target, 10), 3);
	OK(unlink("/tmp/procfs-file"));
	memset(target, 0, sizeof(target));
	OK(readlink(name, target, 99));
	CHECK(!strcmp(target, "/tmp/procfs-file (deleted)"));
	close(OK(open(name, O_RDWR)));	/* still there through the link */
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	slurp(name);
	EQ(field(text, "pos:\t"), 3);
	OK(pipe(p));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", p[0]);
	OK(readlink(name, target, 99));
	CHECK(!strncmp(target, "pipe:[", 6));
	dir = opendir("/proc/self/fd");
	CHECK(dir);
	while ((d = readdir(dir)))
		n += d->d_name[0] != '.';
	closedir(dir);
	CHECK(n >= 7);
	ERR(open("/proc/self/fd/999", O_RDONLY), ENOENT);
	close(fd);
	close(again);
}

TEST(other_processes)
{
	pid_t pid = OK(fork());
	char name[60], buf[100];
	struct stat st;
	int fd;

	if (!pid) {
		OK(setuid(1234));
		pause();
	}
	t_until_asleep(pid);
	snprintf(name, sizeof(name), "/proc/%d", pid);
	OK(stat(name, &st));
	snprintf(name, sizeof(name), "/proc/%d/status", pid);
	slurp(name);
	EQ(field(text, "Uid:\t"), 1234);
	CHECK(strstr(text, "State:\tS"));
	fd = OK(open(name, O_RDONLY));
	kill(pid, SIGKILL);
	t_wait(pid);
	ERR(read(fd, buf, 10), ESRCH);
	ERR(access(name, F_OK), ENOENT);
	ERR(access("/proc/999999", F_OK), ENOENT);
	close(fd);
}

TEST(rights)
{
	pid_t parent = getpid();
	char name[60], buf[10];

	OK(setuid(1000));
	snprintf(name, sizeof(name), "/proc/1/environ");
	ERR(open(name, O_RDONLY), EACCES);
	ERR(readlink("/proc/1/cwd", buf, 10), EACCES);
	snprintf(name, sizeof(name), "/proc/%d/mem", parent);
	(void)name;
	ERR(open("/proc/sys/kernel/hostname", O_WRONLY), EACCES);
	ERR(open("/proc/meminfo", O_WRONLY), EACCES);
}

TEST(system_files)
{
	struct utsname u;
	char a[70];
	long total;

	slurp("/proc/meminfo");
	total = field(text, "MemTotal:");
	CHECK(total > 4000);
	CHECK(field(text, "MemFree:") < total);
	CHECK(field(text, "MemAvailable:") <= total);
	EQ(sysconf(_SC_PHYS_PAGES) * (sysconf(_SC_PAGESIZE) / 1024), total);
	slurp("/proc/stat");
	CHECK(!strncmp(text, "cpu  ", 5));
	CHECK(field(text, "btime ") > 1500000000 || field(text, "btime ") >= 0);
	CHECK(field(text, "processes ") > 1);
	double up, idle;

	EQ(sscanf(slurp("/proc/uptime"), "%lf %lf", &up, &idle), 2);
	CHECK(up > 0);
	int run, all, last;

	EQ(sscanf(slurp("/proc/loadavg"), "%*f %*f %*f %d/%d %d", &run, &all, &last), 3);
	CHECK(run >= 1 && all >= run && last >= getpid());
	slurp("/proc/cpuinfo");
	CHECK(strstr(text, "processor"));
	slurp("/proc/filesystems");
	CHECK(strstr(text, "nodev\ttmpfs\n") && strstr(text, "nodev\tproc\n"));
	slurp("/proc/devices");
	CHECK(strstr(text, "  1 mem\n"));
	OK(uname(&u));
	slurp("/proc/sys/kernel/osrelease");
	snprintf(a, sizeof(a), "%s\n", u.release);
	CHECK(!strcmp(text, a));
	slurp("/proc/version");
	CHECK(!strncmp(text, "Linux version ", 14));
	slurp("/proc/mounts");
	CHECK(strstr(text, " /proc proc "));
}

TEST(settings)
{
	char old[80];
	int fd;

	snprintf(old, sizeof(old), "%s", slurp("/proc/sys/kernel/hostname"));
	fd = OK(open("/proc/sys/kernel/hostname", O_WRONLY));
	EQ(write(fd, "somewhere\n", 10), 10);
	close(fd);
	struct utsname u;

	OK(uname(&u));
	CHECK(!strcmp(u.nodename, "somewhere"));
	fd = OK(open("/proc/sys/kernel/hostname", O_WRONLY));
	OK(write(fd, old, strlen(old)));
	close(fd);
	fd = OK(open("/proc/sys/fs/nr_open", O_WRONLY));
	ERR(write(fd, "nonsense", 8), EINVAL);
	close(fd);
	ERR(open("/proc/sys/kernel/ostype", O_WRONLY), EACCES);
	fd = OK(open("/proc/self/oom_score_adj", O_RDWR));
	EQ(write(fd, "500", 3), 3);
	ERR(write(fd, "5000", 4), EINVAL);
	close(fd);
	EQ(atoi(slurp("/proc/self/oom_score_adj")), 500);
	CHECK(atoi(slurp("/proc/self/oom_score")) > 0);
	fd = OK(open("/proc/self/comm", O_WRONLY));
	EQ(write(fd, "renamed", 7), 7);
	close(fd);
	CHECK(!strcmp(slurp("/proc/self/comm"), "renamed\n"));
}

TEST(threads_dir)
{
	int n = 0;
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;

	CHECK(d);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.') {
			EQ(atoi(e->d_name), getpid());
			n++;
		}
	EQ(n, 1);
	closedir(d);
}

/* What was looked up of processes does not outlive them in the dentry cache. */
TEST(dead_processes)
{
	enum { N = 200 };
	long long before = strtoll(slurp("/proc/sys/fs/dentry-state"), NULL, 10), after;
	pid_t pid[N];
	char path[64];

	for (int i = 0; i < N; i++) {
		pid[i] = OK(fork());
		if (!pid[i]) {
			pause();
			_exit(0);
		}
		sprintf(path, "/proc/%d/status", pid[i]);
		slurp(path);
		sprintf(path, "/proc/%d/task/%d/comm", pid[i], pid[i]);
		slurp(path);
	}
	EQ(strtoll(slurp("/proc/sys/fs/dentry-state"), NULL, 10) >= before + 5 * N, 1);
	for (int i = 0; i < N; i++) {
		kill(pid[i], SIGKILL);
		t_wait(pid[i]);
	}
	after = strtoll(slurp("/proc/sys/fs/dentry-state"), NULL, 10);
	if (after >= before + N)
		FAIL("%lld names are kept, before there were %lld", after, before);
}

/* A task's stack is looked at while it goes. A zombie has none. */
TEST(stacks_of_the_dying)
{
	static const char *const names[] = { "stack", "wchan", "syscall" };
	char path[64], buf[4096];

	for (int i = 0; i < 300; i++) {
		pid_t pid = OK(fork());
		siginfo_t si;

		if (pid == 0)
			_exit(0);
		for (int k = 0; k < 6; k++) {
			int fd;

			sprintf(path, "/proc/%d/%s", pid, names[k % 3]);
			fd = OK(open(path, O_RDONLY));
			OK(read(fd, buf, sizeof(buf)));
			close(fd);
		}
		OK(waitid(P_PID, pid, &si, WEXITED | WNOWAIT));
		sprintf(path, "/proc/%d/syscall", pid);
		while (strcmp(slurp(path), "-1 0x0 0x0\n"))
			sched_yield();		/* it is on its last instructions */
		CHECK(t_child_ok(pid));
	}
}

/* The call that a task sleeps in, with its arguments; of oneself the one that asks. */
TEST(syscall)
{
	long nr, fd, at, len, sp = 0, ip = 0;
	char path[64], c;
	pid_t pid;
	int p[2];

	OK(pipe(p));
	pid = OK(fork());
	if (!pid) {
		close(p[1]);
		_exit(read(p[0], &c, 1) != 0);
	}
	close(p[0]);
	t_until_asleep(pid);
	sprintf(path, "/proc/%d/syscall", pid);
	EQ(sscanf(slurp(path), "%ld 0x%lx 0x%lx 0x%lx 0x%*x 0x%*x 0x%*x 0x%lx 0x%lx\n", &nr,
		  (unsigned long *)&fd, (unsigned long *)&at, (unsigned long *)&len,
		  (unsigned long *)&sp, (unsigned long *)&ip),
	   6);
	EQ(nr, SYS_read);
	EQ(fd, p[0]);
	EQ(at, (long)&c);
	EQ(len, 1);
	CHECK(sp && ip);
	EQ(strtol(slurp("/proc/self/syscall"), NULL, 10), SYS_read);
	close(p[1]);
	t_wait(pid);
}

/* Where a task sleeps has a name; one that runs is nowhere. */
TEST(wchan)
{
	pid_t pid;
	char path[64];
	int p[2];

	OK(pipe(p));
	pid = OK(fork());
	if (!pid) {
		char c;

		close(p[1]);
		_exit(read(p[0], &c, 1) != 0);
	}
	close(p[0]);
	t_until_asleep(pid);
	sprintf(path, "/proc/%d/wchan", pid);
	if (!strstr(slurp(path), "pipe"))
		FAIL("a reader of a pipe sleeps in %s", text);
	EQ(strcmp(slurp("/proc/self/wchan"), "0"), 0);
	close(p[1]);
	t_wait(pid);
}

TEST(sysfs_is_there)
{
	struct stat st;

	OK(stat("/sys/kernel", &st));
	CHECK(S_ISDIR(st.st_mode));
	OK(stat("/sys/fs/cgroup", &st));
	ERR(mkdir("/sys/kernel/x", 0755), EPERM);
	ERR(open("/sys/none", O_RDONLY), ENOENT);
}

/* gid= lets a group see all processes, but not where only what may be traced is seen. */
TEST(no_group_sees_what_it_may_not_trace)
{
	static const struct {
		const char *options;
		bool seen;
	} t[] = { { "hidepid=invisible,gid=50", true }, { "hidepid=ptraceable,gid=50", false } };
	gid_t group = 50;

	OK(unshare(CLONE_NEWNS));
	OK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	for (int i = 0; i < 2; i++) {
		pid_t pid;

		OK(mount("p", "/mnt", "proc", 0, t[i].options));
		pid = OK(fork());
		if (!pid) {
			OK(setgroups(1, &group));
			OK(setgid(1000));
			OK(setuid(1000));
			if (t[i].seen)
				OK(access("/mnt/1/stat", F_OK));
			else
				ERR(access("/mnt/1/stat", F_OK), ENOENT);
			_exit(0);
		}
		CHECK(t_child_ok(pid));
		OK(umount("/mnt"));
	}
}

/* A number is set by pwrite(2), too, wherever; of a file that is more than that, nothing. */
TEST(numbers_are_set_at_any_place)
{
	char b[20] = "";
	int fd = OK(open("/proc/self/oom_score_adj", O_RDWR));

	EQ(pwrite(fd, "10", 2, 0), 2);
	EQ(pwrite(fd, "11", 2, 1), 2);
	EQ(pread(fd, b, sizeof(b), 0), 3);
	CHECK(!strcmp(b, "11\n"));
	close(fd);
	fd = OK(open("/proc/self/oom_score_adj", O_RDONLY));
	ERR(pwrite(fd, "10", 2, 0), EBADF);
	close(fd);
	fd = OK(open("/proc/self/coredump_filter", O_RDWR));
	EQ(pwrite(fd, "33", 2, 0), 2);
	close(fd);
	fd = OK(open("/proc/self/comm", O_RDWR));
	ERR(pwrite(fd, "name", 4, 0), ESPIPE);
	close(fd);
	fd = OK(open("/proc/sys/kernel/hostname", O_RDONLY));
	ERR(pwrite(fd, "name", 4, 0), EBADF);
	close(fd);
}

static int of_process(pid_t pid, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, flags);
}

/*
 * Memory that is gone is not found when the file is opened, which is also when the caller's right
 * to it is looked at.
 */
TEST(files_of_a_zombie)
{
	static const char *const gone[] = { "environ", "auxv", "mem", "pagemap", "smaps_rollup" };
	siginfo_t si;
	char b[64];
	pid_t pid = OK(fork());
	struct stat st;
	int fd;

	if (!pid)
		_exit(0);
	OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	for (unsigned int i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		ERR(of_process(pid, gone[i], O_RDONLY), ESRCH);
	OK(of_process(pid, "net", O_RDONLY | O_DIRECTORY));
	ERR(of_process(pid, "net/unix", O_RDONLY), ENOENT);
	snprintf(b, sizeof(b), "/proc/%d/net/unix", pid);
	ERR(stat(b, &st), ENOENT);
	t_wait(pid);
	fd = OK(of_process(getpid(), "smaps_rollup", O_RDONLY));
	OK(setgid(1000));
	OK(setuid(1000));
	CHECK(read(fd, b, sizeof(b)) > 0);
	ERR(of_process(1, "smaps_rollup", O_RDONLY), EACCES);
}

/* Those that went with the process are no names any more. */
TEST(namespaces_of_a_zombie)
{
	static const char *const gone[] = {
		"cgroup", "ipc", "mnt", "net", "pid_for_children", "time", "time_for_children",
		"uts"
	};
	static const char *const kept[] = { "pid", "user" };
	pid_t pid = OK(fork());
	char name[64], text[64];
	struct stat st;
	siginfo_t si;
	int fd;

	if (!pid)
		_exit(0);
	OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	for (unsigned int i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		snprintf(name, sizeof(name), "/proc/%d/ns/%s", pid, gone[i]);
		ERR(readlink(name, text, sizeof(text)), ENOENT);
		ERR(open(name, O_RDONLY), ENOENT);
		ERR(stat(name, &st), ENOENT);
		OK(lstat(name, &st));
	}
	for (unsigned int i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		snprintf(name, sizeof(name), "/proc/%d/ns/%s", pid, kept[i]);
		CHECK(OK(readlink(name, text, sizeof(text))) > 8);
		OK(stat(name, &st));
	}
	fd = OK((int)syscall(SYS_pidfd_open, pid, 0));
	for (unsigned int i = 1; i <= 10; i++)		/* PIDFD_GET_CGROUP_NAMESPACE and so on */
		ERR(ioctl(fd, _IO(0xff, i), 0), ESRCH);
	t_wait(pid);
}

TEST(slack_of_another)
{
	char b[32] = "";
	pid_t pid = OK(fork()), user;
	int fd;

	if (!pid)
		for (;;)
			pause();
	fd = OK(of_process(pid, "timerslack_ns", O_RDWR));
	EQ(write(fd, "1000\n", 5), 5);
	CHECK(pread(fd, b, sizeof(b), 0) == 5 && !strncmp(b, "1000\n", 5));
	EQ(write(fd, "0", 1), 1);
	CHECK(pread(fd, b, sizeof(b), 0) == 6 && !strncmp(b, "50000\n", 6));
	ERR(write(fd, "-1", 2), EINVAL);
	ERR(write(fd, "0x10", 4), EINVAL);
	ERR(write(fd, "18446744073709551616", 20), ERANGE);
	user = OK(fork());
	if (!user) {
		OK(setuid(1000));
		ERR(write(fd, "7", 1), EPERM);
		ERR(pread(fd, b, sizeof(b), 0), EPERM);
		fd = OK(open("/proc/self/timerslack_ns", O_RDWR));
		EQ(write(fd, "70000", 5), 5);
		EQ(prctl(PR_GET_TIMERSLACK), 70000);
		_exit(0);
	}
	EQ(t_wait(user), 0);
	kill(pid, SIGKILL);
	t_wait(pid);
}

static void login_is(const char *name, const char *text)
{
	char b[16] = "";
	int fd = OK(open(name, O_RDONLY));

	CHECK(read(fd, b, sizeof(b) - 1) > 0);
	CHECK(!strcmp(b, text));
	close(fd);
}

TEST(who_logged_in)
{
	char session[16] = "";
	pid_t pid;
	int fd;

	login_is("/proc/self/loginuid", "4294967295");
	login_is("/proc/self/sessionid", "4294967295");
	OK(setgid(1000));
	OK(prctl(PR_SET_KEEPCAPS, 1));
	pid = OK(fork());
	if (!pid) {
		OK(setuid(1000));
		OK(prctl(PR_SET_DUMPABLE, 1));
		fd = OK(open("/proc/self/loginuid", O_RDWR));
		EQ(write(fd, "1000", 4), 4);			/* once */
		login_is("/proc/self/loginuid", "1000");
		ERR(pwrite(fd, "1001", 4, 0), EPERM);
		ERR(pwrite(fd, "4294967295", 10, 0), EPERM);
		fd = OK(open("/proc/self/sessionid", O_RDONLY));
		CHECK(read(fd, session, sizeof(session) - 1) > 0);
		CHECK(strcmp(session, "4294967295"));
		pid = OK(fork());
		if (!pid) {
			login_is("/proc/self/loginuid", "1000");
			login_is("/proc/self/sessionid", session);
			fd = OK(of_process(getppid(), "loginuid", O_WRONLY));
			ERR(write(fd, "1000", 4), EPERM);	/* only one's own */
			_exit(0);
		}
		_exit(t_wait(pid));
	}
	EQ(t_wait(pid), 0);
	fd = OK(open("/proc/self/loginuid", O_WRONLY));
	EQ(write(fd, "5", 1), 1);
	ERR(pwrite(fd, "6", 1, 1), EINVAL);			/* not at the start */
	EQ(pwrite(fd, "6", 1, 0), 1);				/* CAP_AUDIT_CONTROL */
	login_is("/proc/self/loginuid", "6");
	EQ(pwrite(fd, "4294967295", 10, 0), 10);
	login_is("/proc/self/sessionid", "4294967295");
	ERR(pwrite(fd, "x", 1, 0), EINVAL);
}

TEST(memory_by_node)
{
	char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	     want[32], line[512];
	bool found = false, heap = false;
	unsigned long mask = 1;
	FILE *f;

	/* An area of its own: nothing beside it has this policy. */
	EQ(syscall(SYS_mbind, p, 4 * PAGE, 2 /* MPOL_BIND */, &mask, 64, 0), 0);
	memset(p, 1, 3 * PAGE);
	snprintf(want, sizeof(want), "%08lx bind:0 ", (unsigned long)p);
	f = fopen("/proc/self/numa_maps", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, want, strlen(want))) {
			found = true;
			CHECK(strstr(line, " anon=3 dirty=3 ") && strstr(line, " N0=3 "));
		}
		heap |= strstr(line, " heap") != NULL || strstr(line, " stack") != NULL;
		CHECK(strchr(line, '\n'));
	}
	CHECK(found && heap);
}

/* Each number that directory NAME lists is stat's; how many names. */
static int listed_as_stat_says(const char *name)
{
	DIR *d = opendir(name);
	struct stat dir, st;
	struct dirent *e;
	int n = 0;

	CHECK(d);
	OK(fstat(dirfd(d), &dir));
	while ((e = readdir(d))) {
		/* Processes of the system come and go. */
		if (!strcmp(e->d_name, "..") || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		/* What is mounted there has its own number. */
		if (st.st_dev == dir.st_dev && st.st_ino != e->d_ino)
			FAIL("%s/%s: listed as %lx, is %lx", name, e->d_name, (long)e->d_ino, (long)st.st_ino);
		n++;
	}
	closedir(d);
	return n;
}

TEST(listed_numbers)
{
	char task[64], fd[80];

	snprintf(task, sizeof(task), "/proc/self/task/%d", (int)gettid());
	snprintf(fd, sizeof(fd), "%s/fd", task);
	const char *const dirs[] = { "/proc", "/proc/self", "/proc/self/fd", "/proc/self/fdinfo", "/proc/self/ns", "/proc/self/net", "/proc/self/task", task, fd,
				     "/proc/net", "/proc/sys", "/proc/sys/fs", "/proc/sys/vm", "/proc/sys/user", "/proc/sys/kernel", "/proc/sys/net/ipv4/conf",
				     "/proc/sys/net/ipv4/conf/lo", "/sys", "/sys/class/net", "/sys/kernel" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		CHECK(listed_as_stat_says(dirs[i]) > 1);
	CHECK(open("/proc/sys/vm/drop_caches", O_WRONLY) < 0 || write(open("/proc/sys/vm/drop_caches", O_WRONLY), "2", 1) == 1);
	CHECK(listed_as_stat_says("/proc/self") > 20);
}

static ino_t number_of(const char *fmt, int a)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), fmt, a);
	OK(lstat(path, &st));
	return st.st_ino;
}

/* Files of a process, of its thread and of another process have different numbers. */
TEST(numbers_differ)
{
	int other = getppid(), tid = (int)gettid();
	ino_t n[] = { number_of("/proc/%d", tid), number_of("/proc/self/task/%d", tid), number_of("/proc/%d", other), number_of("/proc/%d/status", tid),
		      number_of("/proc/self/task/%d/status", tid), number_of("/proc/%d/status", other), number_of("/proc/%d/fd/0", tid),
		      number_of("/proc/%d/fdinfo/0", tid), number_of("/proc/%d/fd/1", tid), number_of("/proc/self/task/%d/fd/0", tid), number_of("/proc/%d/ns/net", tid) };

	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++)
		for (size_t k = 0; k < i; k++)
			CHECK(n[i] != n[k]);
}

/* The modes of a process's files are fixed. */
TEST(modes_of_a_process)
{
	char name[60];
	struct stat st;

	ERR(chmod("/proc/self/status", 0777), EPERM);
	ERR(chmod("/proc/self/environ", 0444), EPERM);
	ERR(chmod("/proc/self", 0), EPERM);
	ERR(chmod("/proc/self/fd", 0755), EPERM);
	ERR(chmod("/proc/self/task", 0700), EPERM);
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", OK(open("/dev/null", O_RDONLY)));
	ERR(chmod(name, 0777), EPERM);
	OK(stat("/proc/self/environ", &st));
	EQ(st.st_mode & 0777, 0400);
	close(OK(open("/proc/self/oom_score_adj", O_WRONLY | O_TRUNC)));
}

/* From the reader's namespace down to the task's own. */
TEST(numbers_in_each_namespace)
{
	char name[60], want[60];
	int outer, status, p[2];
	pid_t pid;

	OK(pipe(p));
	outer = getpid();
	OK(unshare(CLONE_NEWPID));
	pid = OK(fork());
	if (!pid) {
		OK(setsid());
		EQ(write(p[1], "x", 1), 1);
		pause();
	}
	EQ(read(p[0], want, 1), 1);
	snprintf(name, sizeof(name), "/proc/%d/status", pid);
	slurp(name);
	snprintf(want, sizeof(want), "\nNStgid:\t%d\t1\nNSpid:\t%d\t1\n", pid, pid);
	CHECK(strstr(text, want));
	snprintf(want, sizeof(want), "\nNSpgid:\t%d\t1\nNSsid:\t%d\t1\n", pid, pid);
	CHECK(strstr(text, want));
	slurp("/proc/self/status");
	snprintf(want, sizeof(want), "\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t", outer, outer);
	CHECK(strstr(text, want));
	OK(kill(pid, SIGKILL));
	EQ(waitpid(pid, &status, 0), pid);
}

static bool shows_frame(int fd)
{
	unsigned long long e;

	text[0] = 1;
	EQ(pread(fd, &e, sizeof(e), (off_t)((unsigned long)text / PAGE * sizeof(e))), sizeof(e));
	CHECK(e >> 63);
	return e & ((1ull << 55) - 1);
}

/* The opener's rights decide whether frame numbers are shown. */
TEST(frames_are_for_the_opener)
{
	int fd = OK(open("/proc/self/pagemap", O_RDONLY));

	CHECK(shows_frame(fd));
	OK(seteuid(1000));
	CHECK(shows_frame(fd));
	close(fd);
	OK(prctl(PR_SET_DUMPABLE, 1));
	fd = OK(open("/proc/self/pagemap", O_RDONLY));
	CHECK(!shows_frame(fd));
	OK(seteuid(0));
	CHECK(!shows_frame(fd));
	close(fd);
}
