// SPDX-License-Identifier: MIT
/*
 * Binder: a party is killed at each step of a call, a one-way call and a death notification; the
 * other one hears so, and nothing of the killed one stays: each pipe whose writing end went along
 * hangs up, objects are let go of, threads go on. proves: ioctl
 */
#include "binder.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#define NEED(name) do { if (!b_mount(name)) SKIP("this kernel has no Binder"); } while (0)

/*
 * One side is a child, the victim: it runs until it says that it has come to the step, and is
 * killed there. The parent is the other side.
 */
struct victim {
	pid_t pid;
	int said;			/* a byte for each step; hangs up with the victim */
	int step;			/* the victim's end */
};

static void step(struct victim *v)
{
	EQ(write(v->step, "", 1), 1);
}

static void come_to_step(struct victim *v)
{
	char c;

	EQ(read(v->said, &c, 1), 1);
}

static void start(struct victim *v, const char *name, int keep,
		  void (*run)(struct b *, struct victim *, int))
{
	int fds[2];

	OK(pipe2(fds, O_CLOEXEC));
	v->pid = OK(fork());
	v->said = fds[0];
	v->step = fds[1];
	if (!v->pid) {
		struct b b;

		OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
		close(fds[0]);
		b_open(&b, name);
		run(&b, v, keep);
		for (;;)
			pause();
	}
	close(fds[1]);
	if (keep >= 0)
		close(keep);
}

static void kill_it(struct victim *v)
{
	int status;

	OK(kill(v->pid, SIGKILL));
	EQ(waitpid(v->pid, &status, 0), v->pid);
	EQ(WTERMSIG(status), SIGKILL);
}

/* A pipe whose writing end is to go with the victim: the reading end. */
static int tail(int *goes)
{
	int fds[2];

	OK(pipe2(fds, O_CLOEXEC));
	*goes = fds[1];
	return fds[0];
}

/* All writing ends are closed; nothing was written. */
static void gone(int end)
{
	char c;

	EQ(read(end, &c, 1), 0);
	close(end);
}

static void manage(struct b *b, const char *name)
{
	struct flat_binder_object o = { .hdr.type = BINDER_TYPE_BINDER,
					.flags = FLAT_BINDER_FLAG_ACCEPTS_FDS };

	if (name)
		b_open(b, name);
	OK(ioctl(b->fd, BINDER_SET_CONTEXT_MGR_EXT, &o));
	b_code(b, BC_ENTER_LOOPER);
}

static const uint64_t at_zero;

static void send_object(struct b *b, uint32_t handle, uint32_t flags, uint64_t ptr)
{
	struct flat_binder_object o = { .hdr.type = BINDER_TYPE_BINDER,
					.flags = FLAT_BINDER_FLAG_ACCEPTS_FDS,
					.binder = ptr,
					.cookie = ptr + 1 };

	b_send(b, BC_TRANSACTION, handle, 1, flags, &o, sizeof(o), &at_zero, 1);
}

static void send_file(struct b *b, uint32_t cmd, uint32_t flags, int fd)
{
	struct binder_fd_object o = { .hdr.type = BINDER_TYPE_FD, .fd = (uint32_t)fd };

	b_send(b, cmd, 0, 1, flags, &o, sizeof(o), &at_zero, 1);
}

static uint32_t handle_in(const struct binder_transaction_data *t)
{
	struct flat_binder_object o;

	EQ(t->data_size, sizeof(o));
	memcpy(&o, b_data(t), sizeof(o));
	EQ(o.hdr.type, BINDER_TYPE_HANDLE);
	return o.handle;
}

/* Asks to hear of the end of HANDLE's process. */
static void watch(struct b *b, uint32_t handle, uint64_t cookie)
{
	struct b_death ask = { BC_REQUEST_DEATH_NOTIFICATION, handle, cookie };

	b_put32(b, BC_ACQUIRE, handle);
	EQ(b_write(b, &ask, sizeof(ask)), sizeof(ask));
}

static void hear_of_death(struct b *b, uint64_t cookie)
{
	uint64_t c = 0;

	EQ(b_next(b, &c), BR_DEAD_BINDER);
	EQ(c, cookie);
	b_put64(b, BC_DEAD_BINDER_DONE, cookie);
}

/*
 * The device's next manager is the other side, and is called: nothing of the killed one is in its
 * way.
 */
static void works_again(const char *name)
{
	struct binder_transaction_data t;
	struct b b, c;
	pid_t pid;
	int status;

	b_open(&b, name);
	while (ioctl(b.fd, BINDER_SET_CONTEXT_MGR, 0))
		EQ(errno, EBUSY);	/* a kernel may undo a killed one behind its end */
	b_code(&b, BC_ENTER_LOOPER);
	pid = OK(fork());
	if (!pid) {
		b_open(&c, name);
		EQ(b_call(&c, 0, 5, "seven77", 8, NULL, 0, &t), BR_REPLY);
		CHECK(!strcmp(b_data(&t), "eight88"));
		_exit(0);
	}
	EQ(b_next(&b, &t), BR_TRANSACTION);
	EQ(t.code, 5);
	EQ(t.sender_pid, pid);
	b_reply(&b, "eight88", 8, NULL, 0);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	close(b.fd);
	munmap(b.area, AREA);
}

/* B is done with, and the next one works. */
static void done(struct b *b, const char *name)
{
	close(b->fd);
	munmap(b->area, AREA);
	works_again(name);
}

/* ---- who serves is killed ---- */

static void serve_nothing(struct b *b, struct victim *v, int keep)
{
	(void)keep;
	manage(b, NULL);
	step(v);
}

TEST(server_before_it_reads)
{
	struct binder_transaction_data t;
	struct victim v;
	struct b b;
	int goes, end;

	NEED("one");
	start(&v, "one", -1, serve_nothing);
	come_to_step(&v);
	b_open(&b, "one");
	watch(&b, 0, 7);
	end = tail(&goes);
	send_file(&b, BC_TRANSACTION, TF_ACCEPT_FDS, goes);	/* in flight */
	close(goes);
	kill_it(&v);
	gone(end);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	EQ(b_next(&b, NULL), BR_DEAD_REPLY);
	b_code(&b, BC_ENTER_LOOPER);
	hear_of_death(&b, 7);
	/* Its handle stays, and says so. */
	EQ(b_call(&b, 0, 1, NULL, 0, NULL, 0, &t), BR_DEAD_REPLY);
	b_put32(&b, BC_RELEASE, 0);
	works_again("one");
}

static void serve_once(struct b *b, struct victim *v, int keep)
{
	struct binder_transaction_data t;

	(void)keep;
	manage(b, NULL);
	step(v);
	EQ(b_next(b, &t), BR_TRANSACTION);
	step(v);
}

/* The descriptor is in its table by then. */
TEST(server_before_it_replies)
{
	struct victim v;
	struct b b;
	int goes, end;

	NEED("two");
	start(&v, "two", -1, serve_once);
	come_to_step(&v);
	b_open(&b, "two");
	end = tail(&goes);
	send_file(&b, BC_TRANSACTION, TF_ACCEPT_FDS, goes);
	close(goes);
	come_to_step(&v);
	kill_it(&v);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	EQ(b_next(&b, NULL), BR_DEAD_REPLY);
	gone(end);
	works_again("two");
}

static void serve_nested(struct b *b, struct victim *v, int keep)
{
	struct binder_transaction_data t;
	uint32_t h;

	(void)keep;
	manage(b, NULL);
	step(v);
	EQ(b_next(b, &t), BR_TRANSACTION);
	h = handle_in(&t);
	b_send(b, BC_TRANSACTION, h, 2, 0, NULL, 0, NULL, 0);
	step(v);
}

/* The nested call may be read or not when its caller goes. */
static void nested(const char *name, bool read)
{
	struct binder_transaction_data t;
	struct victim v;
	struct b b;

	start(&v, name, -1, serve_nested);
	come_to_step(&v);
	b_open(&b, name);
	b_code(&b, BC_ENTER_LOOPER);
	send_object(&b, 0, 0, 0x10);
	come_to_step(&v);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	if (read)
		EQ(b_next(&b, &t), BR_TRANSACTION);
	kill_it(&v);
	if (!read)
		EQ(b_next(&b, &t), BR_TRANSACTION);
	EQ(t.code, 2);
	EQ(t.target.ptr, 0x10);
	EQ(t.cookie, 0x11);
	b_send(&b, BC_REPLY, 0, 0, 0, NULL, 0, NULL, 0);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);	/* nobody hears it */
	EQ(b_next(&b, NULL), BR_DEAD_REPLY);		/* of the outer one */
	b_free(&b, &t);
	/* Nobody holds the object any more. */
	b_let_go(&b, 1);
	done(&b, name);
}

TEST(server_in_a_nested_call)
{
	NEED("three");
	nested("three", true);
}

TEST(server_whose_nested_call_is_not_read)
{
	NEED("unread");
	nested("unread", false);
}

static void reply_once(struct b *b, struct victim *v, int keep)
{
	struct binder_transaction_data t;

	manage(b, NULL);
	step(v);
	EQ(b_next(b, &t), BR_TRANSACTION);
	send_file(b, BC_REPLY, TF_ACCEPT_FDS, keep);
	close(keep);
	step(v);
}

/* What it replied is the caller's, with its descriptor. */
TEST(server_whose_reply_is_not_read)
{
	struct binder_transaction_data t;
	struct binder_fd_object o;
	struct victim v;
	struct b b;
	int goes, end;
	char c;

	NEED("four");
	end = tail(&goes);
	start(&v, "four", goes, reply_once);
	come_to_step(&v);
	b_open(&b, "four");
	b_send(&b, BC_TRANSACTION, 0, 1, TF_ACCEPT_FDS, NULL, 0, NULL, 0);
	come_to_step(&v);
	kill_it(&v);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	EQ(b_next(&b, &t), BR_REPLY);
	memcpy(&o, b_data(&t), sizeof(o));
	EQ(write((int)o.fd, "x", 1), 1);
	close((int)o.fd);
	EQ(read(end, &c, 1), 1);
	gone(end);
	b_free(&b, &t);
	works_again("four");
}

static void serve_one_way(struct b *b, struct victim *v, int keep)
{
	struct binder_transaction_data t;

	(void)keep;
	manage(b, NULL);
	step(v);
	EQ(b_next(b, &t), BR_TRANSACTION);	/* and keeps its buffer: the next one waits */
	step(v);
}

TEST(server_with_one_way_calls_that_wait)
{
	struct victim v;
	struct b b;
	int goes[3], end[3];

	NEED("five");
	start(&v, "five", -1, serve_one_way);
	come_to_step(&v);
	b_open(&b, "five");
	for (int i = 0; i < 3; i++) {
		end[i] = tail(&goes[i]);
		send_file(&b, BC_TRANSACTION, TF_ACCEPT_FDS | TF_ONE_WAY, goes[i]);
		close(goes[i]);
		EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	}
	come_to_step(&v);
	kill_it(&v);
	for (int i = 0; i < 3; i++)
		gone(end[i]);
	CHECK(b_rest(&b));	/* nobody tells who waits for nothing */
	works_again("five");
}

/* ---- who calls is killed ---- */

static void call_only(struct b *b, struct victim *v, int keep)
{
	if (keep >= 0)
		send_file(b, BC_TRANSACTION, TF_ACCEPT_FDS, keep);
	else
		b_send(b, BC_TRANSACTION, 0, 3, TF_ACCEPT_FDS, "data", 5, NULL, 0);
	step(v);
}

/* Its call comes all the same, from nobody; what is replied goes nowhere. */
TEST(caller_before_its_call_is_read)
{
	struct binder_transaction_data t;
	struct binder_fd_object o;
	struct victim v;
	struct b b;
	int goes, end;
	char c;

	NEED("six");
	manage(&b, "six");
	end = tail(&goes);
	start(&v, "six", goes, call_only);
	come_to_step(&v);
	kill_it(&v);
	EQ(b_next(&b, &t), BR_TRANSACTION);
	memcpy(&o, b_data(&t), sizeof(o));
	EQ(write((int)o.fd, "x", 1), 1);
	close((int)o.fd);
	EQ(read(end, &c, 1), 1);
	gone(end);
	end = tail(&goes);
	send_file(&b, BC_REPLY, TF_ACCEPT_FDS, goes);
	close(goes);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	gone(end);
	b_free(&b, &t);
	done(&b, "six");
}

TEST(caller_before_it_reads_the_reply)
{
	struct binder_transaction_data t;
	struct victim v;
	struct b b;
	int goes, end;

	NEED("seven");
	manage(&b, "seven");
	start(&v, "seven", -1, call_only);
	come_to_step(&v);
	EQ(b_next(&b, &t), BR_TRANSACTION);
	CHECK(!strcmp(b_data(&t), "data"));
	end = tail(&goes);
	send_file(&b, BC_REPLY, TF_ACCEPT_FDS, goes);
	close(goes);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	kill_it(&v);
	gone(end);
	b_free(&b, &t);
	done(&b, "seven");
}

static void call_and_read(struct b *b, struct victim *v, int keep)
{
	struct binder_transaction_data t;

	(void)keep;
	b_send(b, BC_TRANSACTION, 0, 3, TF_ACCEPT_FDS, NULL, 0, NULL, 0);
	EQ(b_next(b, NULL), BR_TRANSACTION_COMPLETE);
	EQ(b_next(b, &t), BR_REPLY);
	step(v);
}

TEST(caller_with_the_buffer_of_a_reply)
{
	struct binder_transaction_data t;
	struct victim v;
	struct b b;
	struct {
		struct flat_binder_object ours;
		struct binder_fd_object file;
	} __attribute__((packed)) o = {
		{ .hdr.type = BINDER_TYPE_BINDER, .binder = 0x20, .cookie = 0x21 },
		{ .hdr.type = BINDER_TYPE_FD },
	};
	uint64_t offsets[2] = { 0, sizeof(o.ours) };
	int goes, end;

	NEED("eight");
	manage(&b, "eight");
	start(&v, "eight", -1, call_and_read);
	EQ(b_next(&b, &t), BR_TRANSACTION);
	end = tail(&goes);
	o.file.fd = (uint32_t)goes;
	b_send(&b, BC_REPLY, 0, 0, TF_ACCEPT_FDS, &o, sizeof(o), offsets, 2);
	close(goes);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	come_to_step(&v);
	b_free(&b, &t);
	/* It holds our object with the buffer alone. */
	CHECK(b_rest(&b));
	EQ(b.acquires, 1);
	EQ(b.releases, 0);
	kill_it(&v);
	gone(end);
	b_let_go(&b, 1);
	done(&b, "eight");
}

static void call_with_object(struct b *b, struct victim *v, int keep)
{
	struct binder_transaction_data t;

	b_code(b, BC_ENTER_LOOPER);
	send_object(b, 0, 0, 0x30);
	step(v);
	if (keep < 0)
		return;
	EQ(b_next(b, NULL), BR_TRANSACTION_COMPLETE);
	EQ(b_next(b, &t), BR_TRANSACTION);	/* the nested one */
	EQ(t.target.ptr, 0x30);
	step(v);
}

/* The manager calls back; who is to serve that is killed with it unread, or read. */
static void calls_back(const char *name, bool read)
{
	struct binder_transaction_data t;
	struct victim v;
	struct b b;
	uint32_t h;
	int goes, end;

	manage(&b, name);
	end = tail(&goes);
	start(&v, name, read ? goes : -1, call_with_object);
	come_to_step(&v);
	EQ(b_next(&b, &t), BR_TRANSACTION);
	h = handle_in(&t);
	watch(&b, h, 9);
	b_send(&b, BC_TRANSACTION, h, 4, 0, NULL, 0, NULL, 0);
	if (read)
		come_to_step(&v);
	else
		close(goes);
	kill_it(&v);
	gone(end);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	EQ(b_next(&b, NULL), BR_DEAD_REPLY);
	/* The outer call is still to be replied, to nobody. */
	b_send(&b, BC_REPLY, 0, 0, 0, NULL, 0, NULL, 0);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	hear_of_death(&b, 9);
	b_put32(&b, BC_RELEASE, h);
	b_free(&b, &t);
	/* The handle is gone: an asking is ignored, a call fails. */
	EQ(b_call(&b, h, 1, NULL, 0, NULL, 0, &t), BR_FAILED_REPLY);
	done(&b, name);
}

TEST(caller_before_a_nested_call_is_read)
{
	NEED("nine");
	calls_back("nine", false);
}

TEST(caller_in_a_nested_call)
{
	NEED("inner");
	calls_back("inner", true);
}

static void one_ways(struct b *b, struct victim *v, int keep)
{
	b_code(b, BC_ENTER_LOOPER);
	send_object(b, 0, TF_ONE_WAY, 0x40);
	send_file(b, BC_TRANSACTION, TF_ACCEPT_FDS | TF_ONE_WAY, keep);
	close(keep);
	step(v);
}

/* One-way calls outlive their caller, in order. */
TEST(caller_of_one_way_calls)
{
	struct binder_transaction_data t;
	struct binder_fd_object o;
	struct victim v;
	struct b b;
	int goes, end;
	uint32_t h;

	NEED("ten");
	manage(&b, "ten");
	end = tail(&goes);
	start(&v, "ten", goes, one_ways);
	come_to_step(&v);
	kill_it(&v);
	EQ(b_next(&b, &t), BR_TRANSACTION);
	h = handle_in(&t);
	EQ(t.sender_pid, 0);
	watch(&b, h, 1);
	hear_of_death(&b, 1);
	CHECK(b_rest(&b));	/* the second waits for the buffer */
	b_free(&b, &t);
	EQ(b_next(&b, &t), BR_TRANSACTION);
	memcpy(&o, b_data(&t), sizeof(o));
	close((int)o.fd);
	gone(end);
	b_free(&b, &t);
	b_put32(&b, BC_RELEASE, h);
	done(&b, "ten");
}

/* ---- who waits for a death is killed ---- */

static void watcher(struct b *b, struct victim *v, int keep)
{
	uint64_t cookie;

	b_code(b, BC_ENTER_LOOPER);
	watch(b, 0, 3);
	step(v);
	if (keep < 0)
		return;
	EQ(b_next(b, &cookie), BR_DEAD_BINDER);	/* and does not confirm it */
	EQ(cookie, 3);
	step(v);
}

TEST(watcher_before_and_behind_the_notification)
{
	struct victim idle, told, early, m;
	int goes, end;

	NEED("last");
	start(&m, "last", -1, serve_nothing);
	come_to_step(&m);
	start(&early, "last", -1, watcher);
	come_to_step(&early);
	kill_it(&early);		/* asked, and is gone before the other */
	start(&idle, "last", -1, watcher);
	come_to_step(&idle);
	end = tail(&goes);
	start(&told, "last", goes, watcher);
	come_to_step(&told);
	kill_it(&m);
	come_to_step(&told);
	kill_it(&idle);			/* with the notification on its queue, at least soon */
	kill_it(&told);			/* with one to confirm */
	gone(end);
	works_again("last");
}

/*
 * All of it again, many times with a death in the middle of what happens, by chance: nothing of it
 * stays, or is too early.
 */
static void caller_for_ever(struct b *b, struct victim *v, int keep)
{
	(void)keep;
	step(v);
	for (;;) {
		struct binder_transaction_data t;
		struct flat_binder_object o = { .hdr.type = BINDER_TYPE_BINDER, .binder = 8 };

		if (b_call(b, 0, 1, &o, sizeof(o), &at_zero, 1, &t) == BR_REPLY)
			b_free(b, &t);
	}
}

TEST(callers_at_any_time)
{
	struct binder_transaction_data t;
	struct b b;

	NEED("any");
	manage(&b, "any");
	for (int i = 0; i < 100; i++) {
		struct victim v;
		int calls = 0;

		start(&v, "any", -1, caller_for_ever);
		come_to_step(&v);
		while (calls <= i % 7) {
			uint32_t cmd = b_next(&b, &t);

			if (cmd == BR_TRANSACTION_COMPLETE)
				continue;
			EQ(cmd, BR_TRANSACTION);
			b_send(&b, BC_REPLY, 0, 0, 0, "1234567", 8, NULL, 0);
			b_free(&b, &t);
			calls++;
		}
		kill_it(&v);		/* it reads, writes, or makes the next one */
		b_rest(&b);
		/*
		 * A call that came behind the last reply goes nowhere; without one there is nothing
		 * to reply.
		 */
		b_send(&b, BC_REPLY, 0, 0, 0, NULL, 0, NULL, 0);
		b_rest(&b);
	}
	done(&b, "any");
}
