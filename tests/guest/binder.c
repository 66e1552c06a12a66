// SPDX-License-Identifier: MIT
/*
 * Binder: devices of binderfs, calls, references, deaths, what programs get wrong. proves: mount
 * umount2 ioctl
 */
#include "binder.h"
#include <sys/sysmacros.h>

#define NEED(name) do { if (!b_mount(name)) SKIP("this kernel has no Binder"); } while (0)

/* What the server understands. */
enum { PING = 1, REGISTER, LOOKUP, NEST, DIE, KEEP, COUNT, DROP, READY };

static struct flat_binder_object object_of(uint64_t ptr)
{
	struct flat_binder_object o = { .hdr.type = BINDER_TYPE_BINDER,
					.binder = ptr,
					.cookie = ptr + 1 };

	return o;
}

/* The manager: keeps one handle. Runs until it is told to die, or its parent does. */
static void manage(struct b *b)
{
	static const uint64_t zero;
	uint32_t known = 0, count = 0;

	b_rule(b);
	b_code(b, BC_ENTER_LOOPER);
	b_ready(b);
	for (;;) {
		struct binder_transaction_data t, inner;
		struct flat_binder_object o;
		uint32_t cmd = b_next(b, &t);

		if (cmd == BR_TRANSACTION_COMPLETE)
			continue;
		EQ(cmd, BR_TRANSACTION);
		EQ(t.target.ptr, 0);
		EQ(t.cookie, 0);
		memcpy(&o, b_data(&t), t.data_size >= sizeof(o) ? sizeof(o) : 0);
		switch (t.code) {
		case PING:
			b_reply(b, b_data(&t), t.data_size, NULL, 0);
			break;
		case REGISTER:
			EQ(o.hdr.type, BINDER_TYPE_HANDLE);
			EQ(o.cookie, 0);
			known = o.handle;
			b_put32(b, BC_ACQUIRE, known);
			b_reply(b, &known, 4, NULL, 0);
			break;
		case LOOKUP:
			o = (struct flat_binder_object){ .hdr.type = BINDER_TYPE_HANDLE,
							 .handle = known };
			b_reply(b, &o, sizeof(o), &zero, 1);
			break;
		case NEST:
			EQ(b_call(b, o.handle, PING, &o, 8, NULL, 0, &inner), BR_REPLY);
			b_reply(b, b_data(&inner), inner.data_size, NULL, 0);
			b_free(b, &inner);
			break;
		case DIE:
			_exit(0);
		case KEEP:		/* one-way: the buffer stays, and with it the node's turn */
			continue;
		case COUNT:
			if (t.flags & TF_ONE_WAY) {
				EQ(t.sender_pid, 0);
				count++;
			} else {
				b_reply(b, &count, 4, NULL, 0);
			}
			break;
		case DROP:
			b_put32(b, BC_RELEASE, known);
			b_reply(b, NULL, 0, NULL, 0);
			break;
		}
		b_free(b, &t);
	}
}

/* Starts the manager of NAME in a process of its own, which is ready as this returns. */
static pid_t start(const char *name)
{
	return b_child(name, manage);
}

static void stop(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);	/* not a check of its own */
}

TEST(devices)
{
	struct binderfs_device d = { .name = "one" };
	char text[8] = "";
	struct stat s;
	int fd, f;

	NEED("first");
	fd = OK(open("/tmp/binder/binder-control", O_RDWR));
	OK(fstat(fd, &s));
	EQ(s.st_mode, S_IFCHR | 0600);
	EQ(s.st_ino, 2);
	OK(ioctl(fd, BINDER_CTL_ADD, &d));
	OK(stat("/tmp/binder/one", &s));
	EQ(s.st_mode, S_IFCHR | 0600);
	EQ(major(s.st_rdev), d.major);
	EQ(minor(s.st_rdev), d.minor);
	ERR(ioctl(fd, BINDER_CTL_ADD, &d), EEXIST);
	strcpy(d.name, "a/b");
	ERR(ioctl(fd, BINDER_CTL_ADD, &d), EACCES);
	d.name[0] = 0;
	ERR(ioctl(fd, BINDER_CTL_ADD, &d), EACCES);
	ERR(ioctl(fd, BINDER_CTL_ADD, NULL), EFAULT);
	ERR(ioctl(fd, BINDER_VERSION, &d), EINVAL);
	ERR(unlink("/tmp/binder/binder-control"), EPERM);
	ERR(rename("/tmp/binder/one", "/tmp/binder/binder-control"), EPERM);
	ERR(rename("/tmp/binder/binder-control", "/tmp/binder/two"), EPERM);
	ERR(open("/tmp/binder/new", O_CREAT | O_RDWR, 0600), EACCES);
	OK(rename("/tmp/binder/one", "/tmp/binder/two"));
	f = OK(open("/tmp/binder/two", O_RDWR));
	OK(unlink("/tmp/binder/two"));
	/* an open file keeps its device */
	OK(ioctl(f, BINDER_VERSION, &(struct binder_version){ 0 }));
	close(f);
	ERR(open("/tmp/binder/two", O_RDWR), ENOENT);
	f = OK(open("/tmp/binder/features/extended_error", O_RDONLY));
	EQ(read(f, text, sizeof(text)), 2);
	CHECK(!strcmp(text, "1\n"));
	close(f);
	OK(access("/tmp/binder/features/oneway_spam_detection", R_OK));
	close(fd);
	OK(umount("/tmp/binder"));
}

TEST(max_of_a_mount)
{
	struct binderfs_device d = { .name = "a" };
	char max[16];
	int fd, f;

	NEED("first");
	ERR(mount("binder", "/tmp/binder", "binder", 0, "max=1048577"), EINVAL);
	ERR(mount("binder", "/tmp/binder", "binder", 0, "none=1"), EINVAL);
	/* A Linux makes some that it was built to make. */
	snprintf(max, sizeof(max), "max=%d", 2 + (access("/tmp/binder/hwbinder", F_OK) ? 0 : 3));
	OK(mount("binder", "/tmp/binder", "binder", 0, max));
	fd = OK(open("/tmp/binder/binder-control", O_RDWR));
	ERR(access("/tmp/binder/first", F_OK), ENOENT);	/* each mount has its own */
	OK(ioctl(fd, BINDER_CTL_ADD, &d));
	strcpy(d.name, "b");
	OK(ioctl(fd, BINDER_CTL_ADD, &d));
	strcpy(d.name, "c");
	ERR(ioctl(fd, BINDER_CTL_ADD, &d), ENOSPC);
	f = OK(open("/tmp/binder/a", O_RDWR));
	OK(unlink("/tmp/binder/a"));
	ERR(ioctl(fd, BINDER_CTL_ADD, &d), ENOSPC);
	close(f);
	strcpy(d.name, "b");
	ERR(ioctl(fd, BINDER_CTL_ADD, &d), EEXIST);	/* and does not count */
	strcpy(d.name, "c");
	OK(ioctl(fd, BINDER_CTL_ADD, &d));
}

TEST(other_user_namespace)
{
	struct stat s;
	int fd;

	NEED("first");
	OK(setresuid(1000, 1000, 1000));
	OK(prctl(PR_SET_DUMPABLE, 1));
	OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	fd = OK(open("/proc/self/uid_map", O_WRONLY));
	EQ(write(fd, "0 1000 1", 8), 8);
	close(fd);
	OK(mount("binder", "/tmp/binder", "binder", 0, NULL));
	ERR(access("/tmp/binder/first", F_OK), ENOENT);
	OK(stat("/tmp/binder/binder-control", &s));
	EQ(s.st_uid, 0);
	fd = OK(open("/tmp/binder/binder-control", O_RDWR));
	OK(ioctl(fd, BINDER_CTL_ADD, &(struct binderfs_device){ .name = "mine" }));
	OK(stat("/tmp/binder/mine", &s));
	EQ(s.st_uid, 0);
	fd = OK(open("/tmp/binder/mine", O_RDWR));
	OK(ioctl(fd, BINDER_SET_CONTEXT_MGR, 0));
}

TEST(ioctls)
{
	struct binder_version v = { 0 };
	struct flat_binder_object o = { 0 };
	uint32_t n = 3;
	struct b b;
	int fd;

	NEED("ioctls");
	b_open(&b, "ioctls");
	OK(ioctl(b.fd, BINDER_VERSION, &v));
	EQ(v.protocol_version, 8);
	ERR(ioctl(b.fd, BINDER_VERSION, NULL), EINVAL);
	OK(ioctl(b.fd, BINDER_SET_MAX_THREADS, &n));
	ERR(ioctl(b.fd, BINDER_SET_MAX_THREADS, NULL), EINVAL);
	ERR(ioctl(b.fd, BINDER_WRITE_READ, NULL), EFAULT);
	ERR(ioctl(b.fd, 0x1234, 0), EINVAL);
	ERR(ioctl(b.fd, BINDER_SET_CONTEXT_MGR_EXT, NULL), EINVAL);
	OK(ioctl(b.fd, BINDER_SET_CONTEXT_MGR_EXT, &o));
	ERR(ioctl(b.fd, BINDER_SET_CONTEXT_MGR, 0), EBUSY);
	OK(ioctl(b.fd, BINDER_THREAD_EXIT, 0));
	/* The area: one, not to be written, its opener's. */
	fd = OK(open("/tmp/binder/ioctls", O_RDWR));
	ERR(mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0,
	    EPERM);
	ERR(mmap(NULL, AREA, PROT_READ, MAP_PRIVATE, b.fd, 0) == MAP_FAILED ? -1 : 0, EBUSY);
	ERR(mprotect(b.area, AREA, PROT_READ | PROT_WRITE), EACCES);
	if (!OK(fork())) {
		ERR(mmap(NULL, AREA, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0, EINVAL);
		_exit(0);
	}
	OK(wait(&fd));
	EQ(fd, 0);
	/* Another user is not the manager after the first. */
	close(b.fd);
	OK(munmap(b.area, AREA));
	OK(chmod("/tmp/binder/ioctls", 0666));
	OK(setresuid(1000, 1000, 1000));
	fd = OK(open("/tmp/binder/ioctls", O_RDWR));
	while (ioctl(fd, BINDER_SET_CONTEXT_MGR, 0) < 0 && errno == EBUSY)
		;	/* a kernel may undo a closed one later */
	ERR(ioctl(fd, BINDER_SET_CONTEXT_MGR, 0), EPERM);
}

TEST(ping)
{
	static char big[4096];
	struct binder_transaction_data t;
	struct b b;
	pid_t pid;

	NEED("ping");
	b_open(&b, "ping");
	EQ(b_call(&b, 0, PING, NULL, 0, NULL, 0, &t), BR_DEAD_REPLY);	/* nobody manages */
	pid = start("ping");
	EQ(b_call(&b, 0, PING, NULL, 0, NULL, 0, &t), BR_REPLY);
	EQ(t.data_size, 0);
	EQ(t.offsets_size, 0);
	EQ(t.sender_pid, 0);
	EQ(t.sender_euid, 0);
	b_free(&b, &t);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7);
	for (int i = 0; i < 100; i++) {
		big[0] = (char)i;
		EQ(b_call(&b, 0, PING, big, sizeof(big), NULL, 0, &t), BR_REPLY);
		EQ(t.data_size, sizeof(big));
		CHECK(t.data.ptr.buffer >= (uintptr_t)b.area &&
		      t.data.ptr.buffer + sizeof(big) <= (uintptr_t)b.area + AREA);
		CHECK(!memcmp(b_data(&t), big, sizeof(big)));
		b_free(&b, &t);
	}
	stop(pid);
	EQ(b_call(&b, 0, PING, NULL, 0, NULL, 0, &t), BR_DEAD_REPLY);
}

static void serve_client(struct b *server, pid_t pid)
{
	struct binder_transaction_data t;

	EQ(b_next(server, &t), BR_TRANSACTION);
	EQ(t.target.ptr, 0x1000);
	EQ(t.cookie, 0x1001);
	EQ(t.code, 77);
	EQ(t.sender_pid, pid);
	EQ(t.sender_euid, 0);
	CHECK(!strcmp(b_data(&t), "hello"));
	b_reply(server, "world", 6, NULL, 0);
	b_free(server, &t);
}

TEST(register_and_call)
{
	static const uint64_t zero;
	struct flat_binder_object o = object_of(0x1000), got;
	struct binder_transaction_data t;
	struct b server, client;
	pid_t manager, pid;
	int status;

	NEED("register");
	manager = start("register");
	b_open(&server, "register");
	b_code(&server, BC_ENTER_LOOPER);
	EQ(b_call(&server, 0, REGISTER, &o, sizeof(o), &zero, 1, &t), BR_REPLY);
	EQ(*(const uint32_t *)b_data(&t), 1);		/* the lowest number but the manager's */
	b_free(&server, &t);
	EQ(server.incs, 1);
	EQ(server.acquires, 1);
	pid = OK(fork());
	if (!pid) {
		b_open(&client, "register");
		EQ(b_call(&client, 0, LOOKUP, NULL, 0, NULL, 0, &t), BR_REPLY);
		memcpy(&got, b_data(&t), sizeof(got));
		EQ(got.hdr.type, BINDER_TYPE_HANDLE);
		EQ(got.handle, 1);
		EQ(*(const uint64_t *)(uintptr_t)t.data.ptr.offsets, 0);
		b_put32(&client, BC_ACQUIRE, 1);
		b_free(&client, &t);
		EQ(b_call(&client, 1, 77, "hello", 6, NULL, 0, &t), BR_REPLY);
		CHECK(!strcmp(b_data(&t), "world"));
		b_free(&client, &t);
		b_put32(&client, BC_RELEASE, 1);
		/* no handle of it any more */
		EQ(b_call(&client, 1, 77, NULL, 0, NULL, 0, &t), BR_FAILED_REPLY);
		_exit(0);
	}
	serve_client(&server, pid);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	/* Our object comes home as what it is. */
	EQ(b_call(&server, 0, LOOKUP, NULL, 0, NULL, 0, &t), BR_REPLY);
	memcpy(&got, b_data(&t), sizeof(got));
	EQ(got.hdr.type, BINDER_TYPE_BINDER);
	EQ(got.binder, 0x1000);
	EQ(got.cookie, 0x1001);
	b_free(&server, &t);
	/* The last holder lets go: so may we. */
	EQ(server.releases, 0);
	EQ(b_call(&server, 0, DROP, NULL, 0, NULL, 0, &t), BR_REPLY);
	b_free(&server, &t);
	OK(fcntl(server.fd, F_SETFL, O_NONBLOCK));
	ERR(b_next_of(&server, NULL, true), EAGAIN);
	EQ(server.releases, 1);
	EQ(server.decs, 1);
	EQ(server.incs, 1);
	EQ(server.acquires, 1);
	stop(manager);
}

TEST(nested)
{
	static const uint64_t zero;
	struct flat_binder_object o = object_of(0x2000);
	struct binder_transaction_data t, inner;
	struct b b;
	pid_t manager;

	NEED("nested");
	manager = start("nested");
	b_open(&b, "nested");		/* no looper: a call back comes to the thread that waits */
	b_send(&b, BC_TRANSACTION, 0, NEST, 0, &o, sizeof(o), &zero, 1);
	EQ(b_next(&b, &inner), BR_TRANSACTION_COMPLETE);
	EQ(b_next(&b, &inner), BR_TRANSACTION);
	EQ(inner.target.ptr, 0x2000);
	EQ(inner.sender_pid, manager);
	EQ(inner.data_size, 8);
	b_reply(&b, "inner", 6, NULL, 0);
	b_free(&b, &inner);
	EQ(b_next(&b, &t), BR_REPLY);
	CHECK(!strcmp(b_data(&t), "inner"));
	b_free(&b, &t);
	stop(manager);
}

TEST(one_way)
{
	struct binder_transaction_data t;
	struct b b;
	pid_t manager;

	NEED("oneway");
	manager = start("oneway");
	b_open(&b, "oneway");
	for (int i = 0; i < 50; i++) {
		b_send(&b, BC_TRANSACTION, 0, COUNT, TF_ONE_WAY, NULL, 0, NULL, 0);
		EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	}
	/* They are done one after the other; a call does not wait for them. */
	do {
		EQ(b_call(&b, 0, COUNT, NULL, 0, NULL, 0, &t), BR_REPLY);
		EQ(t.data_size, 4);
		b_free(&b, &t);
	} while (*(const uint32_t *)b_data(&t) != 50);
	/* While one is not freed the next waits, in half of the area at most. */
	b_send(&b, BC_TRANSACTION, 0, KEEP, TF_ONE_WAY, NULL, 0, NULL, 0);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	for (int i = 0; i < 7; i++) {
		b_send(&b, BC_TRANSACTION, 0, COUNT, TF_ONE_WAY, b.in, 0, NULL, 0);
		EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	}
	EQ(b_call(&b, 0, COUNT, NULL, 0, NULL, 0, &t), BR_REPLY);
	EQ(*(const uint32_t *)b_data(&t), 50);
	b_free(&b, &t);
	{
		static char half[AREA / 2];

		b_send(&b, BC_TRANSACTION, 0, COUNT, TF_ONE_WAY, half, sizeof(half) - 64, NULL, 0);
		EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
		b_send(&b, BC_TRANSACTION, 0, COUNT, TF_ONE_WAY, half, 8, NULL, 0);
		EQ(b_next(&b, NULL), BR_FAILED_REPLY);
		/* the other half */
		EQ(b_call(&b, 0, PING, half, sizeof(half) - 64, NULL, 0, &t), BR_REPLY);
		b_free(&b, &t);
	}
	stop(manager);
}

TEST(death)
{
	struct b_death ask = { BC_REQUEST_DEATH_NOTIFICATION, 0, 0xdead };
	struct binder_transaction_data t;
	uint64_t cookie = 0;
	struct b b;
	pid_t manager;
	int status;

	NEED("death");
	manager = start("death");
	b_open(&b, "death");
	b_put32(&b, BC_ACQUIRE, 0);
	b_code(&b, BC_ENTER_LOOPER);
	EQ(b_write(&b, &ask, sizeof(ask)), sizeof(ask));
	EQ(b_write(&b, &ask, sizeof(ask)), sizeof(ask));	/* again: ignored */
	/* Taken back, and asked for again. */
	ask.cmd = BC_CLEAR_DEATH_NOTIFICATION;
	EQ(b_write(&b, &ask, sizeof(ask)), sizeof(ask));
	EQ(b_next(&b, &cookie), BR_CLEAR_DEATH_NOTIFICATION_DONE);
	EQ(cookie, 0xdead);
	ask.cmd = BC_REQUEST_DEATH_NOTIFICATION;
	ask.cookie = 0xbeef;
	EQ(b_write(&b, &ask, sizeof(ask)), sizeof(ask));
	/* It dies with our call. */
	EQ(b_call(&b, 0, DIE, NULL, 0, NULL, 0, &t), BR_DEAD_REPLY);
	EQ(b_next(&b, &cookie), BR_DEAD_BINDER);
	EQ(cookie, 0xbeef);
	ask.cmd = BC_CLEAR_DEATH_NOTIFICATION;
	EQ(b_write(&b, &ask, sizeof(ask)), sizeof(ask));
	b_put64(&b, BC_DEAD_BINDER_DONE, 1);			/* not that one */
	b_put64(&b, BC_DEAD_BINDER_DONE, 0xbeef);
	EQ(b_next(&b, &cookie), BR_CLEAR_DEATH_NOTIFICATION_DONE);
	EQ(cookie, 0xbeef);
	/* Of one that is dead already. */
	ask.cmd = BC_REQUEST_DEATH_NOTIFICATION;
	ask.cookie = 5;
	EQ(b_write(&b, &ask, sizeof(ask)), sizeof(ask));
	EQ(b_next(&b, &cookie), BR_DEAD_BINDER);
	EQ(cookie, 5);
	EQ(waitpid(manager, &status, 0), manager);
	EQ(status, 0);
	/* Taken back behind the confirmation. */
	b_put64(&b, BC_DEAD_BINDER_DONE, 5);
	ask.cmd = BC_CLEAR_DEATH_NOTIFICATION;
	EQ(b_write(&b, &ask, sizeof(ask)), sizeof(ask));
	OK(fcntl(b.fd, F_SETFL, O_NONBLOCK));
	EQ(b_next(&b, &cookie), BR_CLEAR_DEATH_NOTIFICATION_DONE);
	EQ(cookie, 5);
}

/* Handle 0 of a manager that died stays that one's, whoever is the manager now. */
TEST(death_before_another_manager)
{
	struct b_death ask = { BC_REQUEST_DEATH_NOTIFICATION, 0, 7 };
	struct binder_transaction_data t;
	uint64_t cookie = 0;
	struct b b;
	pid_t manager;

	NEED("another");
	manager = start("another");
	b_open(&b, "another");
	b_put32(&b, BC_ACQUIRE, 0);
	b_code(&b, BC_ENTER_LOOPER);
	EQ(b_write(&b, &ask, sizeof(ask)), sizeof(ask));
	stop(manager);
	EQ(b_next(&b, &cookie), BR_DEAD_BINDER);
	EQ(cookie, 7);
	manager = start("another");
	b_put32(&b, BC_ACQUIRE, 0);
	ask.cmd = BC_CLEAR_DEATH_NOTIFICATION;
	EQ(b_write(&b, &ask, sizeof(ask)), sizeof(ask));
	b_put64(&b, BC_DEAD_BINDER_DONE, 7);
	OK(fcntl(b.fd, F_SETFL, O_NONBLOCK));
	EQ(b_next(&b, &cookie), BR_CLEAR_DEATH_NOTIFICATION_DONE);
	EQ(cookie, 7);
	OK(fcntl(b.fd, F_SETFL, 0));
	/* The new one has a handle of its own, and calls of 0 are for it. */
	for (uint32_t handle = 0; handle < 2; handle++) {
		EQ(b_call(&b, handle, PING, "12345678", 8, NULL, 0, &t), BR_REPLY);
		b_free(&b, &t);
	}
	stop(manager);
}

TEST(death_of_a_caller)
{
	struct binder_transaction_data t;
	struct b b;
	pid_t caller;
	int status;

	NEED("caller");
	b_open(&b, "caller");
	OK(ioctl(b.fd, BINDER_SET_CONTEXT_MGR, 0));
	b_code(&b, BC_ENTER_LOOPER);
	caller = OK(fork());
	if (!caller) {
		struct b c;

		b_open(&c, "caller");
		b_call(&c, 0, PING, NULL, 0, NULL, 0, &t);
		_exit(1);
	}
	EQ(b_next(&b, &t), BR_TRANSACTION);
	kill(caller, SIGKILL);
	EQ(waitpid(caller, &status, 0), caller);
	b_send(&b, BC_REPLY, 0, 0, 0, NULL, 0, NULL, 0);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);	/* nobody hears it */
	b_free(&b, &t);
}

TEST(exhaustion)
{
	static char data[16 * 1024];
	struct binder_transaction_data t[8];
	struct b b;
	pid_t manager;

	NEED("exhaustion");
	manager = start("exhaustion");
	b_open(&b, "exhaustion");
	/* Replies that we keep fill our area: four of 16 KiB. */
	for (int i = 0; i < 4; i++) {
		data[0] = (char)i;
		EQ(b_call(&b, 0, PING, data, sizeof(data), NULL, 0, &t[i]), BR_REPLY);
	}
	EQ(b_call(&b, 0, PING, data, 8, NULL, 0, &t[4]), BR_FAILED_REPLY);
	for (int i = 0; i < 4; i++)
		EQ(((const char *)b_data(&t[i]))[0], i);
	b_free(&b, &t[1]);
	b_free(&b, &t[1]);		/* twice: ignored */
	b_put64(&b, BC_FREE_BUFFER, 8);
	b_put64(&b, BC_FREE_BUFFER, t[2].data.ptr.buffer + 8);
	EQ(b_call(&b, 0, PING, data, sizeof(data), NULL, 0, &t[4]), BR_REPLY);
	EQ(t[4].data.ptr.buffer, t[1].data.ptr.buffer);
	EQ(b_call(&b, 0, PING, data, 8, NULL, 0, &t[5]), BR_FAILED_REPLY);
	/* More than the other has. */
	b_send(&b, BC_TRANSACTION, 0, PING, 0, data, AREA + 8, NULL, 0);
	EQ(b_next(&b, NULL), BR_FAILED_REPLY);
	b_send(&b, BC_TRANSACTION, 0, PING, 0, data, (size_t)-8, NULL, 0);
	EQ(b_next(&b, NULL), BR_FAILED_REPLY);
	stop(manager);
}

static void no_commands(struct b *b)
{
	/* What is no command, and half of one; what is before it is done. */
	{
		uint32_t w[2] = { BC_ENTER_LOOPER, 0x1234 };
		struct binder_write_read bwr = { .write_size = 8, .write_buffer = (uintptr_t)w };

		ERR(ioctl(b->fd, BINDER_WRITE_READ, &bwr), EINVAL);
		EQ(bwr.write_consumed, 4);
		bwr = (struct binder_write_read){ .write_size = 8, .write_buffer = 16 };
		ERR(ioctl(b->fd, BINDER_WRITE_READ, &bwr), EFAULT);
	}
	/* Handles and objects that we have not are ignored. */
	b_put32(b, BC_RELEASE, 7);
	b_put32(b, BC_DECREFS, 7);
	b_put32(b, BC_INCREFS, 7);
	b_put64(b, BC_DEAD_BINDER_DONE, 7);
}

static int why(struct b *b)
{
	struct binder_extended_error e;

	OK(ioctl(b->fd, BINDER_GET_EXTENDED_ERROR, &e));
	EQ(e.command, BR_FAILED_REPLY);
	return -e.param;
}

TEST(malformed)
{
	struct flat_binder_object o[2] = { object_of(0x3000), object_of(0x4000) };
	static const struct {
		uint64_t at[2];
		int n, error;
	} bad[] = {
		{ { 0, 16 }, 2, EFAULT },	/* they overlap */
		{ { 24, 0 }, 2, EFAULT },	 { { 0, 0 }, 2, EFAULT },
		{ { 52 }, 1, EFAULT },		/* behind the end */
		{ { (uint64_t)-8 }, 1, EFAULT }, { { 2 }, 1, EINVAL }, /* not at a multiple of 4 */
		{ { 28 }, 1, EINVAL },		/* cut */
		{ { 48 }, 1, EINVAL },
	};
	struct binder_extended_error e;
	struct binder_transaction_data t;
	struct b_call c;
	struct b b;
	pid_t manager;

	NEED("malformed");
	manager = start("malformed");
	b_open(&b, "malformed");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EQ(b_call(&b, 0, READY, o, sizeof(o), bad[i].at, (size_t)bad[i].n, &t),
		   BR_FAILED_REPLY);
		EQ(why(&b), bad[i].error);
	}
	OK(ioctl(b.fd, BINDER_GET_EXTENDED_ERROR, &e));
	EQ(e.command, BR_OK);
	o[0].hdr.type = 0;
	EQ(b_call(&b, 0, READY, o, sizeof(o), bad[0].at, 1, &t), BR_FAILED_REPLY);
	o[0].hdr.type = BINDER_TYPE_FD;		/* absent */
	EQ(b_call(&b, 0, READY, o, sizeof(o), bad[0].at, 1, &t), BR_FAILED_REPLY);
	o[0].hdr.type = BINDER_TYPE_HANDLE;	/* that we have not */
	o[0].handle = 9;
	EQ(b_call(&b, 0, READY, o, sizeof(o), bad[0].at, 1, &t), BR_FAILED_REPLY);
	o[0] = object_of(0x4000);
	o[0].cookie = 3;			/* two cookies of one object */
	EQ(b_call(&b, 0, READY, o, sizeof(o), (const uint64_t[]){ 0, 24 }, 2, &t), BR_FAILED_REPLY);
	EQ(b_call(&b, 0, READY, (void *)8, 8, NULL, 0, &t), BR_FAILED_REPLY);
	EQ(b_call(&b, 5, PING, NULL, 0, NULL, 0, &t), BR_FAILED_REPLY);
	c = (struct b_call){ .cmd = BC_TRANSACTION };
	c.t.offsets_size = 4;
	c.t.data_size = 8;
	c.t.data.ptr.buffer = (uintptr_t)o;
	EQ(b_write(&b, &c, sizeof(c)), sizeof(c));
	EQ(b_next(&b, NULL), BR_FAILED_REPLY);
	/* A reply to nothing. */
	b_send(&b, BC_REPLY, 0, 0, 0, NULL, 0, NULL, 0);
	EQ(b_next(&b, NULL), BR_FAILED_REPLY);
	no_commands(&b);
	/* And the other end is whole. */
	EQ(b_call(&b, 0, PING, "ok", 3, NULL, 0, &t), BR_REPLY);
	CHECK(!strcmp(b_data(&t), "ok"));
	stop(manager);
}

TEST(threads_and_poll)
{
	struct binder_write_read bwr;
	struct binder_transaction_data t;
	uint32_t in[64], max = 1, enter = BC_ENTER_LOOPER;
	struct b b;
	pid_t pid;

	NEED("threads");
	b_open(&b, "threads");
	OK(ioctl(b.fd, BINDER_SET_CONTEXT_MGR, 0));
	OK(ioctl(b.fd, BINDER_SET_MAX_THREADS, &max));
	EQ(poll(&(struct pollfd){ b.fd, POLLIN, 0 }, 1, 0), 0);
	pid = OK(fork());
	if (!pid) {
		struct b c;

		b_open(&c, "threads");
		EQ(b_call(&c, 0, PING, NULL, 0, NULL, 0, &t), BR_REPLY);
		_exit(0);
	}
	EQ(b_write(&b, &enter, 4), 4);
	EQ(poll(&(struct pollfd){ b.fd, POLLIN, 0 }, 1, -1), 1);
	bwr = (struct binder_write_read){ .read_size = sizeof(in), .read_buffer = (uintptr_t)in };
	OK(ioctl(b.fd, BINDER_WRITE_READ, &bwr));
	EQ(bwr.read_consumed, 4 + 68);
	EQ(in[0], BR_SPAWN_LOOPER);		/* nobody waits now */
	EQ(in[1], BR_TRANSACTION);
	b_reply(&b, NULL, 0, NULL, 0);
	OK(wait(NULL));
	/* No room for the largest answer: nothing but what was there. */
	OK(fcntl(b.fd, F_SETFL, O_NONBLOCK));
	ERR(b_next_of(&b, NULL, true), EAGAIN);
}
