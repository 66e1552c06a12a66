// SPDX-License-Identifier: MIT
/*
 * Binder as a module (/binder.ko): what keeps it loaded, what does not, and that it leaves nothing
 * behind. For modules_binder.py.
 */
#define TEST_LIMIT 300
#include "../guest/binder.h"
#include <sys/prctl.h>
#include <sys/stat.h>

#define DIR "/tmp/binder"

static int load(void)
{
	int fd = OK(open("/binder.ko", O_RDONLY | O_CLOEXEC));
	int r = (int)syscall(SYS_finit_module, fd, "", 0), e = errno;

	close(fd);
	errno = e;
	return r;
}

static int unload(void)
{
	return (int)syscall(SYS_delete_module, "binder", O_NONBLOCK);
}

static const char *text(const char *name)
{
	static char buf[4096];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	return buf;
}

static long uses(void)
{
	return atol(text("/sys/module/binder/refcnt"));
}

static bool known(void)
{
	return strstr(text("/proc/filesystems"), "nodev\tbinder\n");
}

static void enter(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("none", "/tmp", "tmpfs", 0, NULL));
	OK(mkdir(DIR, 0755));
}

/* An instance with one device. */
static void bring(void)
{
	struct binderfs_device d = { .name = "one" };
	int fd;

	OK(mount("binder", DIR, "binder", 0, NULL));
	fd = OK(open(DIR "/binder-control", O_RDONLY | O_CLOEXEC));
	OK(ioctl(fd, BINDER_CTL_ADD, &d));
	close(fd);
}

static void let_go(struct b *b)
{
	OK(munmap(b->area, AREA));
	close(b->fd);
}

/* Answers each call with what came; the code 2 is never answered. */
static void serve(int ready)
{
	struct binder_transaction_data t;
	struct b b;

	OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
	b_open(&b, "one");
	OK(ioctl(b.fd, BINDER_SET_CONTEXT_MGR, 0));
	b_code(&b, BC_ENTER_LOOPER);
	EQ(write(ready, "", 1), 1);
	for (;;) {
		if (b_next(&b, &t) != BR_TRANSACTION)
			continue;
		if (t.code == 2)
			EQ(write(ready, "", 1), 1);
		else
			b_reply(&b, b_data(&t), t.data_size, NULL, 0);
	}
}

static pid_t start(int *ready)
{
	int p[2];
	pid_t pid;
	char c;

	OK(pipe(p));
	pid = OK(fork());
	if (!pid)
		serve(p[1]);
	close(p[1]);
	EQ(read(p[0], &c, 1), 1);
	*ready = p[0];
	return pid;
}

static void stop(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	EQ(waitpid(pid, &status, 0), pid);
}

static void ping(struct b *b, uint64_t n)
{
	struct binder_transaction_data t;

	EQ(b_call(b, 0, 1, &n, sizeof(n), NULL, 0, &t), BR_REPLY);
	EQ(t.data_size, sizeof(n));
	CHECK(!memcmp(b_data(&t), &n, sizeof(n)));
	b_free(b, &t);
}

TEST(known_while_it_is_loaded)
{
	enter();
	CHECK(!known());
	OK(load());
	CHECK(known());
	EQ(uses(), 0);
	ERR(load(), EEXIST);
	OK(unload());
	CHECK(!known());
}

TEST(a_mount_is_a_use)
{
	int fd;

	enter();
	OK(load());
	bring();
	EQ(uses(), 1);
	ERR(unload(), EWOULDBLOCK);
	CHECK(known());
	OK(umount(DIR));
	OK(unload());
	OK(load());
	fd = OK((int)syscall(SYS_fsopen, "binder", 0));
	EQ(uses(), 1);
	ERR(unload(), EWOULDBLOCK);
	close(fd);
	OK(unload());
}

TEST(an_open_device_is_a_use)
{
	struct b b;

	enter();
	OK(load());
	bring();
	ERR(open(DIR "/two", O_RDWR), ENOENT);
	EQ(uses(), 1);
	b_open(&b, "one");
	EQ(uses(), 2);
	OK(umount2(DIR, MNT_DETACH));
	EQ(uses(), 2);		/* the file keeps the instance */
	ERR(unload(), EWOULDBLOCK);
	close(b.fd);
	EQ(uses(), 2);		/* the mapping keeps the file */
	ERR(unload(), EWOULDBLOCK);
	OK(munmap(b.area, AREA));
	EQ(uses(), 0);
	OK(unload());		/* what follows the mapping's end is waited for */
}

TEST(a_device_that_was_removed)
{
	struct b b;

	enter();
	OK(load());
	bring();
	b_open(&b, "one");
	OK(unlink(DIR "/one"));
	EQ(uses(), 2);
	let_go(&b);
	EQ(uses(), 1);
	OK(umount(DIR));
	OK(unload());
}

/* The server dies with a call that it took and one that it did not, the caller with its answer. */
TEST(a_killed_server)
{
	struct binder_transaction_data t;
	int ready;
	pid_t pid;
	struct b b;
	char c = 0;

	enter();
	OK(load());
	bring();
	pid = start(&ready);
	b_open(&b, "one");
	ping(&b, 7);
	b_send(&b, BC_TRANSACTION, 0, 2, 0, &c, 1, NULL, 0);
	EQ(read(ready, &c, 1), 1);
	ERR(unload(), EWOULDBLOCK);
	stop(pid);
	EQ(b_next(&b, &t), BR_TRANSACTION_COMPLETE);
	EQ(b_next(&b, &t), BR_DEAD_REPLY);
	EQ(uses(), 2);
	let_go(&b);
	OK(umount(DIR));
	OK(unload());
}

TEST(a_killed_caller)
{
	int ready, status;
	pid_t pid, caller;
	char c = 0;

	enter();
	OK(load());
	bring();
	pid = start(&ready);
	caller = OK(fork());
	if (!caller) {
		struct binder_transaction_data t;
		struct b b;

		b_open(&b, "one");
		b_call(&b, 0, 2, &c, 1, NULL, 0, &t);
		_exit(1);
	}
	EQ(read(ready, &c, 1), 1);
	kill(caller, SIGKILL);
	EQ(waitpid(caller, &status, 0), caller);
	EQ(uses(), 2);
	stop(pid);
	OK(umount(DIR));
	OK(unload());
}

static long free_kib(void)
{
	const char *p = strstr(text("/proc/meminfo"), "MemFree:");

	return p ? atol(p + 8) : 0;
}

/* How many of N rounds: a tenth where only what depends on the CPU is tried. */
static int of(int n)
{
	return getenv("SHORT") ? n / 10 : n;
}

static void rounds(int n)
{
	for (int i = 0; i < n; i++) {
		struct b b;
		int ready;
		pid_t pid;

		OK(load());
		bring();
		pid = start(&ready);
		b_open(&b, "one");
		for (uint64_t k = 0; k < 10; k++)
			ping(&b, k);
		stop(pid);
		close(ready);
		let_go(&b);
		OK(umount(DIR));
		OK(unload());
	}
}

TEST(a_hundred_rounds)
{
	long before;

	enter();
	rounds(of(30));	/* what the debug kernel keeps for a while */
	before = free_kib();
	rounds(of(100));
	/* One page that is lost each time would be 400 KiB. */
	CHECK(before - free_kib() < 380);
}

/* Mapped, unmapped and gone on other CPUs, with unloading behind it. */
TEST(unloading_behind_mappings)
{
	enter();
	for (int i = 0; i < of(100); i++) {
		struct b b[8];

		OK(load());
		bring();
		for (int k = 0; k < 8; k++)
			b_open(&b[k], "one");
		for (int k = 0; k < 8; k++)
			let_go(&b[k]);
		OK(umount(DIR));
		OK(unload());
	}
}

/* Programs that mount while others load and unload: there is an instance or there is none. */
TEST(mounts_while_it_comes_and_goes)
{
	pid_t child[3];
	int status;

	enter();
	for (int i = 0; i < 3; i++) {
		child[i] = OK(fork());
		if (child[i])
			continue;
		OK(unshare(CLONE_NEWNS));
		for (int k = 0; k < 300; k++) {
			struct binderfs_device d = { .name = "one" };
			int fd;

			if (mount("binder", DIR, "binder", 0, NULL)) {
				EQ(errno, ENODEV);
				continue;
			}
			fd = OK(open(DIR "/binder-control", O_RDONLY));
			OK(ioctl(fd, BINDER_CTL_ADD, &d));
			close(fd);
			close(OK(open(DIR "/one", O_RDWR)));
			OK(umount(DIR));
		}
		_exit(0);
	}
	for (int k = 0; k < 200; k++) {
		if (load())
			EQ(errno, EEXIST);
		if (unload())
			EQ(errno, EWOULDBLOCK);
	}
	for (int i = 0; i < 3; i++) {
		EQ(waitpid(child[i], &status, 0), child[i]);
		EQ(status, 0);
	}
	if (unload())
		EQ(errno, ENOENT);
}
