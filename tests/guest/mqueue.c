// SPDX-License-Identifier: MIT
/*
 * POSIX message queues. proves: mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify
 * mq_getsetattr
 */
#include "t.h"
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static volatile siginfo_t seen;
static volatile int hits;

static void note(int sig, siginfo_t *i, void *ctx)
{
	(void)sig;
	(void)ctx;
	memcpy((void *)&seen, i, sizeof(*i));
	hits++;
}

/* The calls themselves: the library's take a leading slash and do more. */
static int mopen(const char *name, int flags, int mode, struct mq_attr *a)
{
	return (int)syscall(SYS_mq_open, name, flags, mode, a);
}

static long put(int q, const char *text, unsigned int prio)
{
	return syscall(SYS_mq_timedsend, q, text, strlen(text), prio, NULL);
}

static long get(int q, char *buf, size_t n, unsigned int *prio)
{
	memset(buf, 0, n);
	return syscall(SYS_mq_timedreceive, q, buf, n, prio, NULL);
}

static void alone(void)
{
	OK(unshare(CLONE_NEWIPC));
}

TEST(order_and_sizes)
{
	struct mq_attr a = { .mq_maxmsg = 4, .mq_msgsize = 16 }, b;
	unsigned int prio;
	char buf[16];
	int q, again;

	alone();
	q = mopen("test", O_CREAT | O_RDWR, 0600, &a);
	if (q < 0 && errno == ENOSYS)
		SKIP("built without it");
	EQ(fcntl(q, F_GETFD), FD_CLOEXEC);
	OK(put(q, "low", 1));
	OK(put(q, "high", 9));
	OK(put(q, "low too", 1));
	OK(put(q, "", 0));
	OK(syscall(SYS_mq_getsetattr, q, NULL, &b));
	EQ(b.mq_curmsgs, 4);
	EQ(b.mq_maxmsg, 4);
	EQ(b.mq_msgsize, 16);
	EQ(b.mq_flags, 0);
	again = OK(mopen("test", O_RDONLY, 0, NULL));
	EQ(get(again, buf, 16, &prio), 4);
	EQ(prio, 9);
	CHECK(!strcmp(buf, "high"));
	EQ(get(again, buf, 16, &prio), 3);
	CHECK(!strcmp(buf, "low"));			/* of one priority the oldest */
	EQ(get(again, buf, 16, NULL), 7);
	EQ(get(q, buf, 16, &prio), 0);
	EQ(prio, 0);
	ERR(get(q, buf, 15, NULL), EMSGSIZE);
	ERR(put(q, "far too long a text", 0), EMSGSIZE);
	ERR(put(q, "x", 32768), EINVAL);
	ERR(put(again, "x", 0), EBADF);
	ERR(syscall(SYS_mq_timedsend, q, 8, 4, 0, NULL), EFAULT);
	ERR(put(0, "x", 0), EBADF);
	ERR(put(99, "x", 0), EBADF);
	OK(syscall(SYS_mq_unlink, "test"));
	OK(put(q, "still", 0));				/* lives while it is open */
	EQ(get(again, buf, 16, NULL), 5);
	ERR(mopen("test", O_RDWR, 0, NULL), ENOENT);
}

TEST(opening)
{
	struct mq_attr a = { .mq_maxmsg = 0, .mq_msgsize = 16 };
	struct rlimit none = { 100, 100 };
	char long_name[300];
	int q;
	pid_t pid;

	alone();
	q = mopen("o", O_CREAT | O_EXCL | O_RDWR, 0600, NULL);
	if (q < 0 && errno == ENOSYS)
		SKIP("built without it");
	ERR(mopen("o", O_CREAT | O_EXCL | O_RDWR, 0600, NULL), EEXIST);
	ERR(mopen("none", O_RDWR, 0600, NULL), ENOENT);
	ERR(mopen("", O_RDWR | O_CREAT, 0600, NULL), ENOENT);
	ERR(mopen("a/b", O_RDWR | O_CREAT, 0600, NULL), EACCES);
	memset(long_name, 'n', sizeof(long_name));
	long_name[299] = 0;
	ERR(mopen(long_name, O_RDWR | O_CREAT, 0600, NULL), ENAMETOOLONG);
	ERR(mopen("bad", O_RDWR | O_CREAT, 0600, &a), EINVAL);
	a.mq_maxmsg = -1;
	ERR(mopen("bad", O_RDWR | O_CREAT, 0600, &a), EINVAL);
	ERR(mopen((void *)8, O_RDWR, 0600, NULL), EFAULT);
	ERR(mopen("bad", O_RDWR | O_CREAT, 0600, (void *)8), EFAULT);
	ERR(syscall(SYS_mq_unlink, "none"), ENOENT);
	pid = OK(fork());
	if (pid == 0) {
		if (setgid(1234) || setuid(1234))
			_exit(1);
		ERR(mopen("o", O_RDONLY, 0, NULL), EACCES);
		errno = 0;
		CHECK(syscall(SYS_mq_unlink, "o") == -1 && (errno == EPERM || errno == EACCES));
		a.mq_maxmsg = 11;			/* more than everybody may have */
		a.mq_msgsize = 10;
		ERR(mopen("mine", O_RDWR | O_CREAT, 0600, &a), EINVAL);
		a.mq_maxmsg = 10;
		OK(mopen("mine", O_RDWR | O_CREAT, 0600, &a));
		OK(setrlimit(RLIMIT_MSGQUEUE, &none));
		ERR(mopen("mine too", O_RDWR | O_CREAT, 0600, &a), EMFILE);
		OK(syscall(SYS_mq_unlink, "mine"));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

TEST(waiting)
{
	struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 8 }, nb = { .mq_flags = O_NONBLOCK },
		       bad = { .mq_flags = O_APPEND };
	struct timespec past = { 1, 0 }, wrong = { 1, 1000000000 };
	struct pollfd p;
	char buf[8];
	int q;
	pid_t pid;

	alone();
	q = mopen("w", O_CREAT | O_RDWR, 0600, &a);
	if (q < 0 && errno == ENOSYS)
		SKIP("built without it");
	p = (struct pollfd){ q, POLLIN | POLLOUT, 0 };
	OK(poll(&p, 1, 0));
	EQ(p.revents & (POLLIN | POLLOUT), POLLOUT);
	ERR(syscall(SYS_mq_timedreceive, q, buf, 8, NULL, &past), ETIMEDOUT);
	ERR(syscall(SYS_mq_timedreceive, q, buf, 8, NULL, &wrong), EINVAL);
	pid = OK(fork());
	if (pid == 0)
		_exit(get(q, buf, 8, NULL) == 5 && !strcmp(buf, "hello") ? 0 : 1);
	OK(put(q, "hello", 3));
	CHECK(t_child_ok(pid));
	OK(put(q, "one", 0));
	OK(poll(&p, 1, 0));
	EQ(p.revents & (POLLIN | POLLOUT), POLLIN);
	ERR(syscall(SYS_mq_timedsend, q, "two", 3, 0, &past), ETIMEDOUT);
	pid = OK(fork());
	if (pid == 0)
		_exit(put(q, "two", 0) ? 1 : 0);
	EQ(get(q, buf, 8, NULL), 3);
	CHECK(t_child_ok(pid));
	ERR(syscall(SYS_mq_getsetattr, q, &bad, NULL), EINVAL);
	OK(syscall(SYS_mq_getsetattr, q, &nb, NULL));
	CHECK(fcntl(q, F_GETFL) & O_NONBLOCK);
	ERR(put(q, "x", 0), EAGAIN);
	EQ(get(q, buf, 8, NULL), 3);
	ERR(get(q, buf, 8, NULL), EAGAIN);
}

/* A child of this niceness that runs FN(Q, TO, NAME), once it sleeps there. */
static pid_t sleeper(int nice, void (*fn)(int q, int to, char name), int q, int to, char name)
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		OK(setpriority(PRIO_PROCESS, 0, nice));
		fn(q, to, name);
		_exit(0);
	}
	t_until_asleep(pid);
	return pid;
}

static void receiver(int q, int to, char name)
{
	char buf[8];

	CHECK(get(q, buf, 8, NULL) >= 0);
	EQ(write(to, &name, 1), 1);
}

static void sender(int q, int to, char name)
{
	char text[2] = { name, 0 };

	(void)to;
	OK(put(q, text, 0));
}

static void disturbed(int q, int to, char name)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	char buf[8];

	OK(sigaction(SIGUSR1, &sa, NULL));
	ERR(get(q, buf, 8, NULL), EINTR);
	EQ(write(to, &name, 1), 1);
}

/*
 * Of those who wait the one of the highest priority is served, of these the one who waits longest;
 * nobody comes in between.
 */
TEST(who_is_served)
{
	struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 8 }, nb = { .mq_flags = O_NONBLOCK };
	pid_t pid[3];
	char buf[8], c;
	int q, hasty, p[2];

	alone();
	q = mopen("s", O_CREAT | O_RDWR, 0600, &a);
	if (q < 0 && errno == ENOSYS)
		SKIP("built without it");
	hasty = OK(mopen("s", O_RDWR, 0, NULL));
	OK(syscall(SYS_mq_getsetattr, hasty, &nb, NULL));
	OK(pipe(p));
	pid[0] = sleeper(0, receiver, q, p[1], 'a');
	pid[1] = sleeper(0, receiver, q, p[1], 'b');
	pid[2] = sleeper(-5, receiver, q, p[1], 'c');
	for (int i = 0; i < 3; i++) {
		OK(put(q, "x", 0));
		ERR(get(hasty, buf, 8, NULL), EAGAIN);	/* it is another's already */
		EQ(read(p[0], &c, 1), 1);
		EQ(c, "cab"[i]);
	}
	for (int i = 0; i < 3; i++)
		CHECK(t_child_ok(pid[i]));
	OK(put(q, "x", 0));
	pid[0] = sleeper(0, sender, q, -1, 'a');
	pid[1] = sleeper(0, sender, q, -1, 'b');
	pid[2] = sleeper(-5, sender, q, -1, 'c');
	for (int i = 0; i < 4; i++) {
		EQ(get(q, buf, 8, NULL), 1);
		EQ(buf[0], "xcab"[i]);
		if (i < 3)
			ERR(put(hasty, "y", 0), EAGAIN);
	}
	for (int i = 0; i < 3; i++)
		CHECK(t_child_ok(pid[i]));
	pid[0] = sleeper(0, disturbed, q, p[1], 'd');
	OK(kill(pid[0], SIGUSR1));
	EQ(read(p[0], &c, 1), 1);
	OK(put(q, "x", 0));				/* who gave up is not served */
	EQ(get(hasty, buf, 8, NULL), 1);
	CHECK(t_child_ok(pid[0]));
}

/* The first message in an empty queue is told of, once, to one process. */
TEST(notification)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	struct sigevent se = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct mq_attr a = { .mq_maxmsg = 4, .mq_msgsize = 8 };
	char buf[8];
	int q;
	pid_t pid;

	alone();
	q = mopen("n", O_CREAT | O_RDWR, 0600, &a);
	if (q < 0 && errno == ENOSYS)
		SKIP("built without it");
	OK(sigaction(SIGUSR1, &sa, NULL));
	se.sigev_value.sival_int = 99;
	OK(syscall(SYS_mq_notify, q, &se));
	ERR(syscall(SYS_mq_notify, q, &se), EBUSY);
	pid = OK(fork());
	if (pid == 0) {
		ERR(syscall(SYS_mq_notify, q, &se), EBUSY);
		OK(syscall(SYS_mq_notify, q, NULL));	/* not ours to end */
		OK(put(q, "a", 0));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	EQ(hits, 1);
	EQ(seen.si_code, SI_MESGQ);
	EQ(seen.si_value.sival_int, 99);
	EQ(seen.si_pid, pid);
	OK(put(q, "b", 0));
	EQ(hits, 1);
	OK(syscall(SYS_mq_notify, q, &se));
	OK(put(q, "c", 0));				/* not empty: nothing to tell */
	EQ(hits, 1);
	OK(syscall(SYS_mq_notify, q, NULL));
	for (int i = 0; i < 3; i++)
		EQ(get(q, buf, 8, NULL), 1);
	OK(put(q, "d", 0));
	EQ(hits, 1);
	/* No signal is one, too: the registration ends and nobody is told. */
	EQ(get(q, buf, 8, NULL), 1);
	se.sigev_signo = 0;
	OK(syscall(SYS_mq_notify, q, &se));
	ERR(syscall(SYS_mq_notify, q, &se), EBUSY);
	OK(put(q, "e", 0));
	EQ(hits, 1);
	OK(syscall(SYS_mq_notify, q, &se));
	OK(syscall(SYS_mq_notify, q, NULL));
	for (int i = -1; i < 66; i += 66) {
		se.sigev_signo = i;
		ERR(syscall(SYS_mq_notify, q, &se), EINVAL);
	}
	se.sigev_notify = 77;
	ERR(syscall(SYS_mq_notify, q, &se), EINVAL);
	ERR(syscall(SYS_mq_notify, q, 8), EFAULT);
	ERR(syscall(SYS_mq_notify, 99, NULL), EBADF);
}

/* A registered process gets the sender's ids as its own namespaces number them. */
TEST(notification_across_namespaces)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	struct sigevent se = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct timespec most = { 60, 0 };
	int q, ready[2];
	char buf[8192];
	siginfo_t info;
	sigset_t set;
	pid_t pid;

	alone();
	q = mopen("x", O_CREAT | O_RDWR, 0600, NULL);
	if (q < 0 && errno == ENOSYS)
		SKIP("built without it");
	OK(pipe(ready));
	OK(sigaction(SIGUSR1, &sa, NULL));
	OK(syscall(SYS_mq_notify, q, &se));
	OK(unshare(CLONE_NEWPID));
	pid = OK(fork());
	if (pid == 0) {
		EQ(getpid(), 1);
		OK(put(q, "a", 0));			/* from below */
		EQ(get(q, buf, sizeof(buf), NULL), 1);
		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		OK(sigprocmask(SIG_BLOCK, &set, NULL));
		OK(syscall(SYS_mq_notify, q, &se));
		EQ(write(ready[1], "r", 1), 1);
		EQ(sigtimedwait(&set, &info, &most), SIGUSR1);
		EQ(info.si_code, SI_MESGQ);
		EQ(info.si_pid, 0);			/* from above */
		_exit(0);
	}
	while (read(ready[0], buf, 1) < 0)
		EQ(errno, EINTR);
	EQ(hits, 1);
	EQ(seen.si_pid, pid);
	EQ(seen.si_uid, 0);
	OK(put(q, "b", 0));
	CHECK(t_child_ok(pid));
}

TEST(namespaces)
{
	int q;
	pid_t pid;

	alone();
	q = mopen("ns", O_CREAT | O_RDWR, 0600, NULL);
	if (q < 0 && errno == ENOSYS)
		SKIP("built without it");
	pid = OK(fork());
	if (pid == 0) {
		alone();
		ERR(mopen("ns", O_RDWR, 0, NULL), ENOENT);
		OK(mopen("left behind", O_CREAT | O_RDWR, 0600, NULL));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

/*
 * A queue is a file too: its status is read at any place, its mode and owner are changed, its size
 * is only told.
 */
TEST(a_queue_as_a_file)
{
	char b[100], c[100];
	struct stat st;
	int q, r, w;

	alone();
	q = mopen("test", O_CREAT | O_RDWR, 0600, NULL);
	if (q < 0 && errno == ENOSYS)
		SKIP("built without it");
	OK(fstat(q, &st));
	EQ(st.st_size, 80);
	EQ(pread(q, b, sizeof(b), 0), 60);
	EQ(pread(q, c, sizeof(c), 6), 54);
	CHECK(!memcmp(b + 6, c, 54));
	EQ(pread(q, b, 10, 100), 0);
	ERR(pwrite(q, b, 10, 0), EINVAL);
	EQ(lseek(q, 0, SEEK_END), 80);
	OK(ftruncate(q, 1000));
	OK(fstat(q, &st));
	EQ(st.st_size, 1000);
	EQ(pread(q, b, sizeof(b), 0), 60);
	OK(futimens(q, NULL));
	OK(fchown(q, 1000, 1000));
	OK(fchmod(q, 0440));
	OK(fstat(q, &st));
	EQ(st.st_mode, S_IFREG | 0440);
	EQ(st.st_uid, 1000);
	r = OK(mopen("test", O_RDONLY, 0, NULL));
	ERR(pwrite(r, b, 1, 0), EBADF);
	ERR(ftruncate(r, 0), EINVAL);
	w = OK(mopen("test", O_WRONLY, 0, NULL));
	ERR(pread(w, b, 1, 0), EBADF);
	OK(setgid(1001));
	OK(setuid(1001));
	ERR(fchmod(q, 0666), EPERM);
	ERR(mopen("test", O_RDONLY, 0, NULL), EACCES);	/* the mode counts */
}

/* ---- the file system ---- */

#define PLACE "/tmp/queues"

static void mount_queues(void)
{
	OK(unshare(CLONE_NEWNS | CLONE_NEWIPC));
	OK(mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (mkdir(PLACE, 0755))
		EQ(errno, EEXIST);
	OK(mount("mqueue", PLACE, "mqueue", 0, NULL));
}

static void be(uid_t id)
{
	OK(setgid(id));
	OK(setuid(id));
}

/* What FN, called by a child, comes to: it is killed, or fails a check of its own. */
static void in_child(void (*fn)(void))
{
	pid_t pid = OK(fork());

	if (!pid) {
		fn();
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

TEST(queues_are_files)
{
	struct mq_attr a = { .mq_maxmsg = 3, .mq_msgsize = 20 }, got;
	char text[100], place[40], path[100];
	struct stat st;
	int q, f;

	mount_queues();
	q = OK(mopen("one", O_CREAT | O_RDWR, 0600, &a));
	OK(stat(PLACE, &st));
	EQ(st.st_mode, S_IFDIR | S_ISVTX | 0777);
	EQ(st.st_size, 60);
	OK(stat(PLACE "/one", &st));
	EQ(st.st_mode, S_IFREG | 0600);
	EQ(st.st_size, 80);
	EQ(syscall(SYS_mq_timedsend, q, "hello", 5, 1, NULL), 0);
	f = OK(open(PLACE "/one", O_RDONLY));
	EQ(read(f, text, sizeof(text)), 60);
	CHECK(!memcmp(text, "QSIZE:5 ", 8));
	/* by path or by name is the same */
	EQ(syscall(SYS_mq_timedreceive, f, text, 20, NULL, NULL), 5);
	ERR(syscall(SYS_mq_timedsend, f, "x", 1, 0, NULL), EBADF);
	/* By its descriptor, as long as there is one. */
	snprintf(place, sizeof(place), "/proc/self/fd/%d", q);
	f = OK(open(place, O_WRONLY | O_NONBLOCK));
	EQ(syscall(SYS_mq_timedsend, f, "again", 5, 0, NULL), 0);
	EQ(syscall(SYS_mq_timedreceive, q, text, 20, NULL, NULL), 5);
	path[OK(readlink(place, path, sizeof(path) - 1))] = 0;
	CHECK(!strcmp(path, "/one"));
	OK(unlink(PLACE "/one"));
	OK(open(place, O_RDONLY));
	ERR(mopen("one", O_RDWR, 0, NULL), ENOENT);
	/* Made by open(2): with the defaults. */
	f = OK(open(PLACE "/two", O_CREAT | O_EXCL | O_RDWR, 0640));
	q = OK(mopen("two", O_RDONLY, 0, NULL));
	EQ(syscall(SYS_mq_getsetattr, q, NULL, &got), 0);
	EQ(got.mq_maxmsg, 10);
	EQ(got.mq_msgsize, 8192);
	ERR(mkdir(PLACE "/dir", 0755), EPERM);
	ERR(link(PLACE "/two", PLACE "/three"), EPERM);
	ERR(rename(PLACE "/two", PLACE "/three"), EPERM);
	OK(umount2(PLACE, MNT_DETACH));
	OK(mopen("two", O_RDONLY, 0, NULL));		/* it needs no mount */
}

static void another_user(void)
{
	be(1001);
	ERR(unlink(PLACE "/his"), EPERM);		/* the directory is sticky */
	ERR(syscall(SYS_mq_unlink, "his"), EPERM);
	OK(mopen("his", O_RDONLY, 0, NULL));
	ERR(open(PLACE "/his", O_RDWR), EACCES);
	OK(mopen("mine", O_CREAT | O_RDWR, 0600, NULL));
	OK(unlink(PLACE "/mine"));
}

static void user_of_a_closed_place(void)
{
	be(1000);
	ERR(mopen("more", O_CREAT | O_RDWR, 0600, NULL), EACCES);
	ERR(syscall(SYS_mq_unlink, "his"), EACCES);
}

static void user(void)
{
	be(1000);
	OK(mopen("his", O_CREAT | O_RDWR, 0644, NULL));
}

TEST(whose_queues)
{
	mount_queues();
	in_child(user);
	in_child(another_user);
	OK(chmod(PLACE, 0755));
	in_child(user_of_a_closed_place);		/* mq_open(2) asks the same directory */
	OK(unlink(PLACE "/his"));
}

static void of_a_dead_namespace(void)
{
	OK(unshare(CLONE_NEWIPC));
	OK(mopen("late", O_CREAT | O_RDWR, 0600, NULL));
	OK(mount("mqueue", PLACE "2", "mqueue", 0, NULL));
	OK(access(PLACE "2/late", F_OK));
	ERR(access(PLACE "/late", F_OK), ENOENT);
	OK(open(PLACE "/early", O_CREAT | O_RDWR, 0600)); /* in the other's: by path, not by name */
	ERR(mopen("early", O_RDWR, 0, NULL), ENOENT);
}

TEST(one_for_each_namespace)
{
	mount_queues();
	if (mkdir(PLACE "2", 0755))
		EQ(errno, EEXIST);
	in_child(of_a_dead_namespace);
	OK(mopen("early", O_RDWR, 0, NULL));
	OK(open(PLACE "2/late", O_RDWR));			/* what was mounted stays */
	ERR(open(PLACE "2/later", O_CREAT | O_RDWR, 0600), EACCES);	/* without a namespace */
	OK(unlink(PLACE "2/late"));
	OK(umount2(PLACE "2", MNT_DETACH));
}

static void tell(const char *file, const char *text)
{
	int fd = OK(open(file, O_WRONLY));

	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void root_of_a_user_namespace(void)
{
	struct stat st;

	be(1000);
	OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	tell("/proc/self/setgroups", "deny");
	tell("/proc/self/uid_map", "0 1000 1");
	tell("/proc/self/gid_map", "0 1000 1");
	ERR(mount("mqueue", PLACE, "mqueue", 0, NULL), EPERM);	/* of a namespace that is not his */
	OK(unshare(CLONE_NEWIPC));
	OK(mount("mqueue", PLACE, "mqueue", 0, NULL));
	OK(mopen("his", O_CREAT | O_RDWR, 0600, NULL));
	OK(stat(PLACE "/his", &st));
	EQ(st.st_uid, 0);
	OK(stat(PLACE, &st));
	EQ(st.st_uid, 0);
}

TEST(mounting_by_a_user)
{
	mount_queues();
	in_child(root_of_a_user_namespace);
	ERR(mount("mqueue", PLACE, "mqueue", 0, "what=1"), EINVAL);
}

static void too_many(void)
{
	int a, b;

	be(1000);
	a = OK(mopen("a", O_CREAT | O_RDWR, 0600, NULL));
	b = OK(open(PLACE "/b", O_CREAT | O_RDWR, 0600));
	ERR(mopen("c", O_CREAT | O_RDWR, 0600, NULL), ENOSPC);
	ERR(open(PLACE "/c", O_CREAT | O_RDWR, 0600), ENOSPC);
	OK(syscall(SYS_mq_unlink, "a"));
	ERR(mopen("c", O_CREAT | O_RDWR, 0600, NULL), ENOSPC);	/* it is still there */
	close(a);
	OK(mopen("c", O_CREAT | O_RDWR, 0600, NULL));
	close(b);
}

TEST(names_and_queues_are_counted)
{
	mount_queues();
	tell("/proc/sys/fs/mqueue/queues_max", "2");
	in_child(too_many);
}
