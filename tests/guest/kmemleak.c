// SPDX-License-Identifier: MIT
/*
 * The leak scanner of the debug build: its file, what it finds, and that it finds nothing where all
 * is in use. The release build has no trace of it.
 */
#include "t.h"
#include <pthread.h>
#include <pty.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#define DEBUG "/sys/kernel/debug"
#define FILE_NAME DEBUG "/kmemleak"

static void need_debug(void)
{
	if (access(DEBUG "/plant", F_OK))
		mount("debugfs", DEBUG, "debugfs", 0, NULL);
	if (access(DEBUG "/plant", F_OK)) {
		ERR(open(FILE_NAME, O_RDWR), ENOENT);
		SKIP("a release kernel");
	}
}

/* 0 or the error. */
static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), err = 0;

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static void ask(const char *command)
{
	EQ(put(FILE_NAME, command), 0);
}

/* The second finds what the first did not reach either. */
static void scan_twice(void)
{
	ask("min_age=0");
	ask("scan");
	ask("scan\n");
	ask("min_age=5000");
}

static char text[1 << 20];

static const char *read_leaks(size_t piece)
{
	int fd = OK(open(FILE_NAME, O_RDONLY));
	size_t len = 0;
	ssize_t n;

	while ((n = OK(read(fd, text + len,
			    piece < sizeof(text) - 1 - len ? piece : sizeof(text) - 1 - len))) > 0)
		len += (size_t)n;
	text[len] = 0;
	close(fd);
	return text;
}

static int count(const char *in, const char *what)
{
	int n = 0;

	for (const char *p = in; (p = strstr(p, what)); p++)
		n++;
	return n;
}

static void expect_none(void)
{
	const char *t = read_leaks(4096);

	if (*t)
		printf("%s\n", t);
	EQ(count(t, "unreferenced object"), 0);
}

TEST(words_that_are_understood)
{
	char longer[100];
	struct stat st;
	pid_t pid;

	need_debug();
	OK(stat(FILE_NAME, &st));
	EQ(st.st_mode, S_IFREG | 0644);
	EQ(put(FILE_NAME, "scna"), EINVAL);
	EQ(put(FILE_NAME, "scan "), EINVAL);
	EQ(put(FILE_NAME, "scan="), EINVAL);
	EQ(put(FILE_NAME, "scan=often"), EINVAL);
	EQ(put(FILE_NAME, "stack=maybe"), EINVAL);
	EQ(put(FILE_NAME, "dump=here"), EINVAL);
	EQ(put(FILE_NAME, "dump=0"), EINVAL);
	EQ(put(FILE_NAME, "dump=0xffffffffffffffff"), EINVAL);
	EQ(put(FILE_NAME, "min_age="), EINVAL);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	EQ(put(FILE_NAME, longer), EINVAL);
	ask("stack=off");
	ask("stack=on");
	ask("scan");
	ask("clear");
	/* The thread scans at once, then now and then. */
	ask("scan=on");
	ask("scan=on");
	ask("scan=3600");
	ask("scan=0");
	ask("scan=off");
	ask("scan=off");
	pid = OK(fork());
	if (!pid) {
		if (setuid(1000))
			_exit(1);
		_exit(put(FILE_NAME, "scan") == EACCES ? 0 : 2);
	}
	int status;
	OK(waitpid(pid, &status, 0));
	EQ(status, 0);
}

/* One report, line by line as Linux has it, less what depends on where things lie. */
static void check_report(const char *t, size_t size)
{
	unsigned long addr, n, jiffies, crc, ip;
	char comm[20], line[200];
	int pid, used = 0;

	EQ(sscanf(t, "unreferenced object 0x%lx (size %lu):\n%n", &addr, &n, &used), 2);
	EQ(n, size);
	CHECK(addr >> 47);
	t += used;
	EQ(sscanf(t, "  comm \"%16[^\"]\", pid %d, jiffies %lu\n", comm, &pid, &jiffies), 3);
	CHECK(!strcmp(comm, "kmemleak"));
	EQ(pid, getpid());
	t = strchr(t, '\n') + 1;
	CHECK(!strncmp(t, "  hex dump (first 32 bytes):\n    ", 33));
	t = strchr(strchr(strchr(t, '\n') + 1, '\n') + 1, '\n') + 1;
	EQ(sscanf(t, "  backtrace (crc %lx):\n%n", &crc, &used), 1);
	t = strchr(t, '\n') + 1;
	for (bool plant = false; !plant; t = strchr(t, '\n') + 1) {
		EQ(sscanf(t, "    [<%lx>] %199[^\n]", &ip, line), 2);
		plant = strstr(line, "leak_one_set+0x");
	}
	/* The kernel's log has it, too. */
	snprintf(line, sizeof(line), "dump=0x%lx", addr + 3);
	ask(line);
}

TEST(a_leak_is_listed_until_it_is_cleared)
{
	/* as asked for, or as the object that it lies in */
	const size_t page = (size_t)getpagesize(), sizes[][2] = {
		{ 72, 96 }, { 40, 64 }, { 3 * page, 3 * page }, { 2 * page, 2 * page }
	};
	static char small[sizeof(text)];
	const char *t;

	need_debug();
	EQ(put(DEBUG "/plant", "leak"), 0);
	EQ(count(read_leaks(4096), "unreferenced object"), 0);
	scan_twice();
	memcpy(small, read_leaks(7), sizeof(small));
	t = read_leaks(65536);
	CHECK(!strcmp(t, small));		/* whatever the size of the reads */
	/* of 8 sets; a stale word may point to one by chance */
	CHECK(count(t, "unreferenced object") >= 24);
	for (int i = 0; i < 4; i++) {
		const char *p = t;
		size_t n;

		while (sscanf(strchr(p + 20, '('), "(size %zu):", &n) != 1 ||
		       (n != sizes[i][0] && n != sizes[i][1])) {
			p = strstr(p + 1, "unreferenced");
			CHECK(p);
		}
		check_report(p, n);
	}
	ask("clear");
	expect_none();
	scan_twice();
	expect_none();
	/* one that a stale word pointed to would be found later */
	EQ(put(DEBUG "/plant", "no_leak"), 0);
}

/* ---- all kinds of things in use ---- */

static void *sleeper(void *fd)
{
	char c;

	return (void *)(long)read((int)(long)fd, &c, 1);
}

static void use_files(void)
{
	char name[64];

	OK(mkdir("/tmp/leak", 0755));
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "/tmp/leak/file%d", i);
		int fd = OK(open(name, O_RDWR | O_CREAT, 0644));

		OK((int)write(fd, text, 5000));
		OK(setxattr(name, "user.colour", "red", 3, 0));
		if (i % 4)
			close(fd);
		else if (i % 8)
			OK(unlink(name));
	}
	OK(symlink("file1", "/tmp/leak/link"));
	OK(mkdir("/tmp/leak/mount", 0755));
	OK(mount("leak", "/tmp/leak/mount", "tmpfs", 0, "size=1m"));
	OK(open("/tmp/leak/mount/x", O_RDWR | O_CREAT, 0600));
}

static void use_descriptors(void)
{
	struct sockaddr_un a = { AF_UNIX, "/tmp/leak/socket" };
	struct epoll_event ev = { .events = EPOLLIN };
	struct itimerspec ts = { .it_value = { 3600, 0 } };
	struct f_owner_ex own = { F_OWNER_PID, getpid() };
	int ep = OK(epoll_create1(0)), fd[2], s, t, master, slave;
	sigset_t set;

	for (int i = 0; i < 30; i++) {
		OK(pipe(fd));
		OK(fcntl(fd[1], F_SETPIPE_SZ, 1 << 16));
		OK((int)write(fd[1], text, 10000));
		OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &ev));
		OK(socketpair(AF_UNIX, i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0, fd));
		OK((int)write(fd[1], text, 1000));
		OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &ev));
	}
	s = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(bind(s, (struct sockaddr *)&a, sizeof(a)));
	OK(listen(s, 5));
	OK(connect(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)&a, sizeof(a)));
	OK(fcntl(s, F_SETOWN_EX, &own));
	t = OK(timerfd_create(CLOCK_MONOTONIC, 0));
	OK(timerfd_settime(t, 0, &ts, NULL));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, t, &ev));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, OK(eventfd(0, 0)), &ev));
	sigfillset(&set);
	OK(signalfd(-1, &set, 0));
	t = OK(inotify_init());
	OK(inotify_add_watch(t, "/tmp/leak", IN_ALL_EVENTS));
	OK(unlink("/tmp/leak/file8"));
	OK(openpty(&master, &slave, NULL, NULL, NULL));
	OK((int)write(slave, "waiting\n", 8));
	OK(open("/proc/self/maps", O_RDONLY));
	OK(open(DEBUG "/kcov", O_RDWR));
}

static void use_memory(void)
{
	char *p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int id;

	CHECK(p != MAP_FAILED);
	memset(p, 1, 4 << 20);
	for (int i = 0; i < 64; i += 2)
		OK(mprotect(p + i * 65536, 65536, PROT_READ));
	OK(munmap(p + (1 << 20), 1 << 20));
	CHECK(mmap(NULL, 1 << 20, PROT_READ, MAP_SHARED, OK(open("/proc/self/exe", O_RDONLY)), 0) !=
	      MAP_FAILED);
	id = OK(shmget(IPC_PRIVATE, 100000, IPC_CREAT | 0600));
	CHECK(shmat(id, NULL, 0) != (void *)-1);
	OK(shmctl(id, IPC_RMID, NULL));
}

static int sysv[2];

static void use_ipc(void)
{
	struct {
		long type;
		char text[100];
	} m = { 1, "hello" };
	struct sembuf up = { 0, 1, SEM_UNDO };

	sysv[0] = OK(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
	OK(msgsnd(sysv[0], &m, sizeof(m.text), 0));
	sysv[1] = OK(semget(IPC_PRIVATE, 3, IPC_CREAT | 0600));
	OK(semop(sysv[1], &up, 1));
}

static void use_tasks(int end, int other_end)
{
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	timer_t timer;
	pthread_t th;

	OK(timer_create(CLOCK_MONOTONIC, &none, &timer));
	for (int i = 0; i < 8; i++)
		EQ(pthread_create(&th, NULL, sleeper, (void *)(long)end), 0);
	for (int i = 0; i < 12; i++) {
		pid_t pid = OK(fork());

		if (!pid) {
			close(other_end);
			if (i % 3 == 2)
				execl("/proc/self/exe", "kmemleak", "nothing", (char *)NULL);
			if (i % 3)
				sleeper((void *)(long)end);
			_exit(0);		/* some stay zombies */
		}
	}
}

TEST(what_is_in_use_is_no_leak)
{
	int gate[2];

	need_debug();
	OK(pipe(gate));
	use_files();
	use_descriptors();
	use_memory();
	use_ipc();
	use_tasks(gate[0], gate[1]);
	scan_twice();
	expect_none();
	/* And when it has gone. */
	close(gate[1]);
	OK(msgctl(sysv[0], IPC_RMID, NULL));
	OK(semctl(sysv[1], 0, IPC_RMID));
	OK(umount2("/tmp/leak/mount", MNT_DETACH));
	if (!fork()) {
		execl("/bin/rm", "rm", "-r", "/tmp/leak", (char *)NULL);
		_exit(1);
	}
	while (wait(NULL) > 0)
		;
	ERR(access("/tmp/leak", F_OK), ENOENT);
	scan_twice();
	expect_none();
}
