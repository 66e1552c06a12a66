// SPDX-License-Identifier: MIT
/*
 * Run in the guest: monitor DEVICE DIR, a device with an XFS that nobody has mounted, and where to
 * mount it. What the health monitor tells of damage met at work, of a shutdown and of the unmount;
 * who may have one. The same on Linux, but for how many events are lost.
 */
#define _GNU_SOURCE
#include "harm.h"
#include <linux/fs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>

struct request {
	uint64_t flags;
	uint8_t format, pad[23];
};
struct on_fs {
	int32_t fd;
	uint32_t flags;
};
struct event {
	uint32_t domain, type;
	uint64_t time_ns;
	uint32_t a, b;		/* mask or reasons; number of the AG, or generation */
	uint64_t ino, rest[2], pad[2];
};
_Static_assert(sizeof(struct request) == 32 && sizeof(struct event) == 64, "the ABI");
#define MONITOR _IOW('X', 68, struct request)
#define ON_FS _IOW('X', 69, struct on_fs)
#define GOINGDOWN _IOR('X', 125, uint32_t)
#define AG_GEOMETRY (int)_IOWR('X', 61, unsigned char[128])

enum { MOUNT, FS, AG, INODE };
enum { RUNNING, LOST, UNMOUNT, SICK, CORRUPT, HEALTHY, SHUTDOWN };
enum { AGF = 1 << 1, AGI = 1 << 3, BMBTD = 1 << 1 };

static const char *dev, *dir;
static int root;
static bool ochre;

static void begin(void)
{
	CHECK(!mount(dev, dir, "xfs", 0, NULL) && !chdir(dir));
	CHECK((root = open(".", O_RDONLY)) >= 0);
}

static void end(void)
{
	CHECK(!close(root) && !chdir("/") && !umount(dir));
}

static int monitor(int flags)
{
	struct request r = { 0 };
	int m = ioctl(root, MONITOR, &r);

	CHECK(m >= 0 && !fcntl(m, F_SETFL, flags));
	return m;
}

/* The next event is of that DOMAIN and TYPE. */
static struct event next(int m, uint32_t domain, uint32_t type)
{
	struct event e;

	CHECK(read(m, &e, sizeof(e)) == sizeof(e));
	if (e.domain != domain || e.type != type)
		printf("domain %u type %u, not %u %u\n", e.domain, e.type, domain, type);
	CHECK(e.domain == domain && e.type == type && !e.pad[0] && !e.pad[1] && e.time_ns);
	return e;
}

static void no_more(int m)
{
	struct pollfd p = { .fd = m, .events = POLLIN | POLLOUT | POLLRDNORM };
	struct event e;

	FAILS(read(m, &e, sizeof(e)), EAGAIN);
	CHECK(!poll(&p, 1, 0));
}

static void is_readable(int m)
{
	struct pollfd p = { .fd = m, .events = POLLIN | POLLOUT | POLLRDNORM };

	CHECK(poll(&p, 1, -1) == 1 && p.revents == POLLIN);
}

/* What /proc says behind the lines of all files. */
static void see_shown(int m, const char *state, unsigned events, unsigned lost)
{
	char path[100], text[1000], want[200], *at;
	struct stat st;
	ssize_t n;
	int fd;

	CHECK(!stat(dev, &st));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", m);
	CHECK((fd = open(path, O_RDONLY)) >= 0 && (n = read(fd, text, sizeof(text) - 1)) > 0);
	text[n] = 0;
	close(fd);
	snprintf(want, sizeof(want),
		 "state:\t%s\ndev:\t%u:%u\nformat:\tv0\nevents:\t%u\nlost:\t%u\n", state,
		 major(st.st_rdev), minor(st.st_rdev), events, lost);
	at = strstr(text, "state:");
	if (!at || strcmp(at, want))
		printf("%s", text);
	CHECK(at && !strcmp(at, want));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", m);
	CHECK((n = readlink(path, text, sizeof(text) - 1)) > 0);
	text[n] = 0;
	CHECK(!strcmp(text, "anon_inode:xfs_healthmon"));
}

/*
 * ---- what is damaged ----
 *
 * A tree that was read whole once may stay in memory: "a" after marks().
 */

static char big[4096];

static void make_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0644);

	CHECK(fd >= 0);
	for (int i = 0; i < 200; i++)
		CHECK(pwrite(fd, big, sizeof(big), i * 8192) == sizeof(big));
	CHECK(!fsync(fd) && !close(fd));
}

/* Reads the tree of extents. */
static void meet(const char *name, int error)
{
	int fd = open(name, O_RDONLY);

	CHECK(fd >= 0);
	if (error)
		FAILS(lseek(fd, 0, SEEK_HOLE), error);
	else
		CHECK(lseek(fd, 0, SEEK_HOLE) >= 0);
	close(fd);
}

static void meet_ag(uint64_t at)
{
	struct {
		uint32_t number, rest[31];
	} g = { .number = 1 };

	damage(at);
	FAILS(ioctl(root, AG_GEOMETRY, &g), EUCLEAN);
	make_whole(at);
}

static void is_of(struct event e, const char *name)
{
	struct stat st;
	int fd = open(name, O_RDONLY), gen;

	CHECK(fd >= 0 && !fstat(fd, &st) && !ioctl(fd, FS_IOC_GETVERSION, &gen));
	close(fd);
	CHECK(e.a == BMBTD && e.ino == st.st_ino && e.b == (uint32_t)gen);
	CHECK(!e.rest[0] && !e.rest[1]);
}

/* ---- the tests ---- */

static void asks(struct request r, int error)
{
	FAILS(ioctl(root, MONITOR, &r), error);
}

/* In a child that is another user, or the root of a namespace. */
static void refused(bool ns)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (ns)
			CHECK(!unshare(CLONE_NEWUSER));
		else
			CHECK(!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000));
		asks((struct request){ 0 }, EPERM);
		fflush(stdout);
		_exit(0);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
}

static void rights(void)
{
	struct request r = { 0 };
	int fd = open("a", O_RDWR), d = open("dir", O_RDONLY);

	CHECK(fd >= 0 && d >= 0);
	FAILS(ioctl(fd, MONITOR, &r), EPERM);
	FAILS(ioctl(d, MONITOR, &r), EPERM);
	FAILS(ioctl(fd, MONITOR, NULL), EPERM);
	FAILS(ioctl(root, MONITOR, NULL), EFAULT);
	close(fd);
	close(d);
	asks((struct request){ .flags = 2 }, EINVAL);
	asks((struct request){ .flags = 1ull << 63 }, EINVAL);
	asks((struct request){ .format = 1 }, EINVAL);
	asks((struct request){ .pad[22] = 1 }, EINVAL);
	refused(false);
	refused(true);
}

static void which_fs(int m)
{
	struct on_fs r = { .fd = root };
	int fd = open("a", O_RDONLY), other = open("/proc", O_RDONLY);

	CHECK(!ioctl(m, ON_FS, &r));
	r.fd = fd;
	CHECK(!ioctl(m, ON_FS, &r));
	r.fd = other;
	FAILS(ioctl(m, ON_FS, &r), ESTALE);
	r.fd = 999;
	FAILS(ioctl(m, ON_FS, &r), EBADF);
	r.flags = 1;
	FAILS(ioctl(m, ON_FS, &r), EINVAL);
	FAILS(ioctl(m, ON_FS, NULL), EFAULT);
	r = (struct on_fs){ .fd = root };
	FAILS(ioctl(root, ON_FS, &r), ENOTTY);
	FAILS(ioctl(m, GOINGDOWN, &r), ENOTTY);
	close(fd);
	close(other);
}

static void descriptor(void)
{
	struct request r = { .flags = 1 };
	int m = monitor(O_NONBLOCK);
	char part[64], *nowhere = (char *)8;

	asks((struct request){ 0 }, EEXIST);
	CHECK(fcntl(m, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(m, F_GETFL) & O_ACCMODE) == O_RDONLY);
	is_readable(m);
	see_shown(m, "alive", 1, 0);
	/* In parts, of which none is lost. */
	FAILS(read(m, nowhere, 64), EFAULT);
	CHECK(read(m, part, 10) == 10);
	is_readable(m);
	CHECK(read(m, part + 10, sizeof(part) - 10) == 54);
	CHECK(((struct event *)part)->type == RUNNING && ((struct event *)part)->time_ns);
	no_more(m);
	see_shown(m, "alive", 1, 0);
	FAILS(write(m, part, 1), EBADF);
	FAILS(lseek(m, 0, SEEK_SET), ESPIPE);
	CHECK(!ioctl(m, MONITOR, &r));
	r.flags = 4;
	FAILS(ioctl(m, MONITOR, &r), EINVAL);
	which_fs(m);
	close(m);
	/* There is room for another. */
	close(monitor(0));
}

static void marks(void)
{
	uint64_t a = fork_at("a", false, 3) + 16;
	int m = monitor(O_NONBLOCK);
	struct event e;

	next(m, MOUNT, RUNNING);
	damage(a);
	/* Equal ones are one. */
	for (int i = 0; i < 3; i++)
		meet("a", EUCLEAN);
	make_whole(a);
	meet("a", 0);
	is_readable(m);
	is_of(next(m, INODE, SICK), "a");
	no_more(m);
	/* Those of one AG too. */
	meet_ag(ag_at(1) + sector + 40);
	meet_ag(ag_at(1) + 2 * sector + 100);
	e = next(m, AG, SICK);
	CHECK(e.a == (AGF | AGI) && e.b == 1 && !e.ino);
	no_more(m);
	see_shown(m, "alive", 3, 0);
	close(m);
}

static void nothing(int sig)
{
	(void)sig;
}

/* Reads wait: until a signal, and for damage that another process meets. */
static void waits(void)
{
	struct itimerval often = { { 0, 10000 }, { 0, 10000 } }, off = { 0 };
	struct sigaction act = { .sa_handler = nothing };
	uint64_t b = fork_at("b", false, 3) + 16;
	int m = monitor(0), status;
	struct event e;
	pid_t pid;

	next(m, MOUNT, RUNNING);
	CHECK(!sigaction(SIGALRM, &act, NULL) && !setitimer(ITIMER_REAL, &often, NULL));
	FAILS(read(m, &e, sizeof(e)), EINTR);
	CHECK(!setitimer(ITIMER_REAL, &off, NULL));
	damage(b);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		meet("b", EUCLEAN);
		_exit(0);
	}
	is_of(next(m, INODE, SICK), "b");
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
	make_whole(b);
	close(m);
}

#define MET 700		/* events, of which no two neighbours are of one object */
#define ROOM 512	/* Ochre's queue */

/* Nobody reads. */
static void lost(void)
{
	uint64_t b = fork_at("b", false, 3) + 16, c = fork_at("c", false, 3) + 16, count;
	int m = monitor(O_NONBLOCK), nr = 1;
	struct event e;

	damage(b);
	damage(c);
	for (int i = 0; i < MET / 2; i++) {
		meet("b", EUCLEAN);
		meet("c", EUCLEAN);
	}
	if (ochre)
		see_shown(m, "alive", ROOM, MET + 1 - ROOM);
	next(m, MOUNT, RUNNING);
	while (read(m, &e, sizeof(e)) == sizeof(e) && e.type == SICK)
		is_of(e, nr++ % 2 ? "b" : "c");
	CHECK(nr > 300 && nr < MET);
	/* Linux says it with the next event. */
	meet("b", EUCLEAN);
	if (!ochre)
		e = next(m, MOUNT, LOST);
	memcpy(&count, &e.a, sizeof(count));
	CHECK(e.type == LOST && e.domain == MOUNT && count);
	if (ochre)
		CHECK(nr == ROOM && count == MET + 1 - ROOM);
	is_of(next(m, INODE, SICK), "b");
	no_more(m);
	make_whole(c);
	damage(b);	/* once more: it is whole */
	close(m);
}

/* Told first, whatever else is there; then the rest, then the end, for each process. */
static void unmount(void)
{
	uint64_t b = fork_at("b", false, 3) + 16;
	int m = monitor(0), status, m2;
	struct on_fs r = { 0 };
	struct event e;
	pid_t pid;

	damage(b);
	meet("b", EUCLEAN);
	make_whole(b);
	end();
	r.fd = open("/", O_RDONLY);
	next(m, MOUNT, UNMOUNT);
	next(m, MOUNT, RUNNING);
	CHECK(next(m, INODE, SICK).a == BMBTD);
	CHECK(!read(m, &e, sizeof(e)) && !read(m, &e, sizeof(e)));
	is_readable(m);
	see_shown(m, "dead", 3, 0);
	FAILS(ioctl(m, ON_FS, &r), ESTALE);
	close(r.fd);
	begin();
	/* One that is dead is in nobody's way. */
	m2 = monitor(0);
	r.fd = root;
	FAILS(ioctl(m, ON_FS, &r), ESTALE);
	CHECK(!ioctl(m2, ON_FS, &r));
	close(m);
	FAILS(ioctl(root, MONITOR, &(struct request){ 0 }), EEXIST);
	next(m2, MOUNT, RUNNING);
	/* A reader that waits, with the only descriptor. */
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(root);
		CHECK(!chdir("/"));
		next(m2, MOUNT, UNMOUNT);
		CHECK(!read(m2, &e, sizeof(e)));
		fflush(stdout);
		_exit(0);
	}
	close(m2);
	CHECK(pid > 0 && !close(root) && !chdir("/"));
	/* Until the child has left it. */
	while (umount(dir))
		CHECK(errno == EBUSY);
	CHECK(waitpid(pid, &status, 0) == pid && !status);
}

static void down(uint32_t how, uint32_t reasons)
{
	int m;

	begin();
	m = monitor(O_NONBLOCK);
	next(m, MOUNT, RUNNING);
	CHECK(!ioctl(root, GOINGDOWN, &how));
	CHECK(next(m, MOUNT, SHUTDOWN).a == reasons);
	no_more(m);
	end();
	next(m, MOUNT, UNMOUNT);
	close(m);
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	dev = argv[1];
	dir = argv[2];
	open_device(dev);
	begin();
	make_file("a");
	make_file("b");
	make_file("c");
	CHECK(!mkdir("dir", 0755));
	end();
	begin();
	ochre = !access("/sys/fs/xfs/vda/health", R_OK);
	rights();
	descriptor();
	marks();
	waits();
	lost();
	unmount();
	down(0, 1 << 2);
	down(1, 1 << 2);
	down(2, 1 << 2 | 1 << 1);
	/* The log is clean again. */
	begin();
	end();
	printf("monitor: ok\n");
	return 0;
}
