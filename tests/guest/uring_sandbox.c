// SPDX-License-Identifier: MIT
/*
 * The sandbox of docs/uring_sandbox.h, and a program that tries to get around it.
 * proves: io_uring_register seccomp
 */
#include "uring.h"
#include "../../docs/uring_sandbox.h"
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct sock_filter yes[] = { BPF_STMT(BPF_RET | BPF_K, 1) };

/* An old kernel has no filters. */
static void enter_sandbox(void)
{
	struct ring r = ring(8);	/* lets rings be made */

	end(&r);
	if (sandbox_enter(AF_UNIX) && errno == EINVAL)
		SKIP("no filters");
}

static int run(struct ring *r)
{
	struct cqe c;

	EQ(enter(r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	c = next(r);
	EQ(c.user_data, 1);
	return c.res;
}

/* A ring without a look at the sysctl, which the sandbox does not let it open. */
static struct ring new_ring(unsigned int flags)
{
	struct ring r = { .p = { .flags = flags } };

	r.fd = OK(setup(8, &r.p));
	r.bytes = r.p.sq_off.array + r.p.sq_entries * 4;
	if (flags & IORING_SETUP_NO_SQARRAY)
		r.bytes = r.p.cq_off.cqes + r.p.cq_entries * sizeof(struct io_uring_cqe);
	r.shared =
		mmap(NULL, r.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, IORING_OFF_SQ_RING);
	r.sqes = mmap(NULL, r.p.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
		      MAP_SHARED, r.fd, IORING_OFF_SQES);
	CHECK(r.shared != MAP_FAILED && r.sqes != MAP_FAILED);
	return r;
}

static struct io_uring_sqe *sock(struct ring *r, int family)
{
	struct io_uring_sqe *s = sqe(r, IORING_OP_SOCKET, family, 1);

	s->off = SOCK_STREAM;
	return s;
}

static struct io_uring_sqe *open2(struct ring *r, int dir, const char *name, uint64_t resolve)
{
	static struct open_how how;
	struct io_uring_sqe *s = sqe(r, IORING_OP_OPENAT2, dir, 1);

	how = (struct open_how){ .resolve = resolve };
	s->addr = (uintptr_t)name;
	s->addr2 = (uintptr_t)&how;
	s->len = sizeof(how);
	return s;
}

static struct io_uring_sqe *open1(struct ring *r, const char *name)
{
	struct io_uring_sqe *s = sqe(r, IORING_OP_OPENAT, AT_FDCWD, 1);

	s->addr = (uintptr_t)name;
	return s;
}

/* None of what is denied works by R. */
static void is_kept(struct ring *r)
{
	sock(r, AF_INET);
	EQ(run(r), -EACCES);
	open1(r, "/proc/version");
	EQ(run(r), -EACCES);
	open2(r, AT_FDCWD, "/proc/version", 0);
	EQ(run(r), -EACCES);
}

TEST(what_is_allowed)
{
	int dir = OK(open("/proc", O_RDONLY | O_DIRECTORY)), fd;
	struct ring r;
	char b[6];

	enter_sandbox();
	r = new_ring(0);
	sock(&r, AF_UNIX);
	fd = run(&r);
	CHECK(fd >= 0);
	close(fd);
	open2(&r, dir, "version", RESOLVE_BENEATH);
	fd = run(&r);
	CHECK(fd >= 0);
	rw(&r, IORING_OP_READ, fd, b, 5, 0, 1);
	EQ(run(&r), 5);
	sqe(&r, IORING_OP_CLOSE, fd, 1);
	EQ(run(&r), 0);
	is_kept(&r);
	ERR(open("/proc/version", O_RDONLY), EPERM);
	ERR(socket(AF_UNIX, SOCK_STREAM, 0), EPERM);
	end(&r);
}

TEST(names_that_lead_out)
{
	static const char *const names[] = { "../etc", "/etc", "out", "self/root/etc" };
	char tmp[] = "/tmp/sandbox-XXXXXX", link[40];
	int dir, proc = OK(open("/proc", O_RDONLY | O_DIRECTORY));
	struct ring r;

	CHECK(mkdtemp(tmp));
	snprintf(link, sizeof(link), "%s/out", tmp);
	OK(symlink("/proc/version", link));
	dir = OK(open(tmp, O_RDONLY | O_DIRECTORY));
	enter_sandbox();
	r = new_ring(0);
	for (int i = 0; i < 4; i++) {
		open2(&r, i == 3 ? proc : dir, names[i], RESOLVE_BENEATH);
		EQ(run(&r), -EXDEV);
	}
	unlink(link);
	rmdir(tmp);
	end(&r);
}

TEST(other_rings)
{
	static const unsigned int flags[] = {
		IORING_SETUP_NO_SQARRAY,
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		IORING_SETUP_SUBMIT_ALL,
	};

	enter_sandbox();
	for (int i = 0; i < 3; i++) {
		struct ring r = new_ring(flags[i]);

		is_kept(&r);
		end(&r);
	}
}

TEST(chains_and_workers)
{
	struct ring r;

	enter_sandbox();
	r = new_ring(0);
	/* One that is denied takes its chain with it, also what is before it. */
	sqe(&r, IORING_OP_NOP, -1, 5)->flags = IOSQE_IO_LINK;
	sock(&r, AF_INET)->flags = IOSQE_IO_LINK;
	open1(&r, "/proc/version");
	enter(&r, 3, 2, IORING_ENTER_GETEVENTS);
	while (there(&r)) {
		struct cqe c = next(&r);

		CHECK(c.res == -EACCES || c.res == -ECANCELED);
	}
	end(&r);
	r = new_ring(0);
	sock(&r, AF_INET)->flags = IOSQE_ASYNC;
	EQ(run(&r), -EACCES);
	open1(&r, "/proc/version")->flags = IOSQE_ASYNC;
	EQ(run(&r), -EACCES);
	/* Registered files. */
	EQ(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_FILES, (int[]){ -1, -1 }, 2), 0);
	sock(&r, AF_INET)->file_index = IORING_FILE_INDEX_ALLOC;
	EQ(run(&r), -EACCES);
	open1(&r, "/proc/version")->file_index = 1;
	EQ(run(&r), -EACCES);
	end(&r);
}

TEST(a_looser_filter)
{
	struct ring r;

	enter_sandbox();
	EQ(sandbox_filter(IORING_OP_SOCKET, yes, 1, 0), 0);
	EQ(sandbox_filter(IORING_OP_OPENAT, yes, 1, 0), 0);
	r = new_ring(0);
	is_kept(&r);
	OK(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_PERSONALITY, NULL, 0));
	sock(&r, AF_INET)->personality = 1;
	CHECK(run(&r) < 0);
	end(&r);
}

/* ---- other tasks ---- */

static void *in_thread(void *arg)
{
	struct ring r = new_ring(0);

	is_kept(&r);
	end(&r);
	return arg;
}

/* Of the program that one in the sandbox executes. */
__attribute__((constructor)) static void as_a_new_program(void)
{
	if (!getenv("IN_SANDBOX"))
		return;
	in_thread(NULL);
	_exit(0);
}

TEST(threads_children_and_programs)
{
	char *env[] = { (char[]){ "IN_SANDBOX=1" }, NULL };
	pthread_t t;
	pid_t pid;
	int status;

	enter_sandbox();
	EQ(pthread_create(&t, NULL, in_thread, NULL), 0);
	EQ(pthread_join(t, NULL), 0);
	for (int i = 0; i < 2; i++) {
		pid = OK(fork());
		if (!pid) {
			if (i)
				execle("/proc/self/exe", "uring_sandbox", (char *)NULL, env);
			in_thread(NULL);
			_exit(0);
		}
		EQ(waitpid(pid, &status, 0), pid);
		EQ(status, 0);
	}
}

/* ---- a request that is rewritten ---- */

static volatile int stop;

static void *rewrite(void *arg)
{
	struct io_uring_sqe *s = arg;

	while (!stop) {
		__atomic_store_n(&s->fd, AF_INET, __ATOMIC_RELAXED);
		__atomic_store_n(&s->fd, AF_UNIX, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST(a_request_that_is_rewritten)
{
	int allowed = 0, denied = 0;
	struct ring r;
	pthread_t t;

	enter_sandbox();
	r = new_ring(0);
	/* All places name the one request that is rewritten. */
	for (unsigned int i = 0; i < r.p.sq_entries; i++)
		at(&r, r.p.sq_off.array)[i] = 0;
	memset(&r.sqes[0], 0, sizeof(r.sqes[0]));
	r.sqes[0].opcode = IORING_OP_SOCKET;
	r.sqes[0].off = SOCK_STREAM;
	EQ(pthread_create(&t, NULL, rewrite, &r.sqes[0]), 0);
	for (int i = 0; i < 2000; i++) {
		int fd, family;
		socklen_t len = sizeof(family);

		r.tail++;
		EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
		fd = next(&r).res;
		if (fd < 0) {
			EQ(fd, -EACCES);
			denied++;
			continue;
		}
		OK(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len));
		EQ(family, AF_UNIX);
		allowed++;
		close(fd);
	}
	stop = 1;
	EQ(pthread_join(t, NULL), 0);
	EQ(allowed + denied, 2000);
	end(&r);
}
