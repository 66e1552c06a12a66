// SPDX-License-Identifier: MIT
/*
 * Binder, case by case: handles and the objects behind them, what commands do in a row, who a
 * caller is, deaths. Each says what Linux does. proves: ioctl
 */
#include "binder.h"

#define NEED() do { if (!b_mount("case")) SKIP("this kernel has no Binder"); } while (0)

/* What the server understands; it answers all but ECHO and STATUS with a struct seen. */
enum { ECHO = 1, TELL, KEEP, GIVE, MAKE, STATUS, NEST, BYE };

struct seen {
	uint32_t pid, euid, flags, type;
	uint64_t what, cookie, left;
};

static const uint64_t zero;

static struct flat_binder_object object_of(uint32_t type, uint64_t ptr)
{
	struct flat_binder_object o = { .hdr.type = type, .binder = ptr, .cookie = ptr + 1 };

	return o;
}

/* How deep a call of NEST goes: an object that is called back, and how often. */
struct deep {
	struct flat_binder_object o;
	uint64_t left;
};

/*
 * Answers how many calls there were below, itself too: calls back, and serves what comes until that
 * ends.
 */
static void nest(struct b *b, const struct binder_transaction_data *t)
{
	struct binder_transaction_data inner;
	uint64_t calls = 0;
	uint32_t cmd = 0;
	struct deep d;

	memcpy(&d, b_data(t), sizeof(d));
	if (d.left) {
		d.left--;
		b_send(b, BC_TRANSACTION, d.o.handle, NEST, 0, &d.left, 8, NULL, 0);
		while (cmd != BR_REPLY) {
			cmd = b_next(b, &inner);
			if (cmd == BR_TRANSACTION)
				nest(b, &inner);
			else if (cmd == BR_REPLY)
				memcpy(&calls, b_data(&inner), 8);
			if (cmd != BR_TRANSACTION_COMPLETE)
				b_free(b, &inner);
		}
	}
	calls++;
	b_send(b, BC_REPLY, 0, 0, 0, &calls, 8, NULL, 0);
}

static void serve(struct b *b)
{
	struct binder_transaction_data t;
	uint32_t known = 0;

	b_rule(b);
	b_code(b, BC_ENTER_LOOPER);
	b_ready(b);
	for (;;) {
		struct seen s = { 0 };
		struct flat_binder_object o = { .hdr.type = 0 };
		int32_t error = -77;

		if (b_next(b, &t) != BR_TRANSACTION)
			continue;
		if (t.offsets_size)
			memcpy(&o, b_data(&t), sizeof(o));
		s = (struct seen){ (uint32_t)t.sender_pid,
				   t.sender_euid,
				   t.flags,
				   o.hdr.type,
				   o.handle,
				   o.cookie,
				   t.data_size };
		switch (t.code) {
		case ECHO:
			b_reply(b, b_data(&t), t.data_size, NULL, 0);
			break;
		case KEEP:
			known = o.handle;
			b_put32(b, BC_ACQUIRE, known);
			/* fall through */
		case TELL:	/* frees first: the caller's next call may need the room */
			b_free(b, &t);
			b_reply(b, &s, sizeof(s), NULL, 0);
			continue;
		case GIVE:
			o = object_of(BINDER_TYPE_HANDLE, known);
			b_reply(b, &o, sizeof(o), &zero, 1);
			break;
		case MAKE:
			o = object_of(BINDER_TYPE_BINDER, *(const uint64_t *)b_data(&t));
			b_reply(b, &o, sizeof(o), &zero, 1);
			break;
		case STATUS:
			b_send(b, BC_REPLY, 0, 0, TF_STATUS_CODE, &error, 4, NULL, 0);
			break;
		case NEST:
			nest(b, &t);
			break;
		case BYE:
			_exit(0);
		}
		b_free(b, &t);
	}
}

/* The manager, in a process of its own. */
static pid_t start(void)
{
	return b_child("case", serve);
}

/* A call with one object, or with none where TYPE is 0: what the server saw. */
static struct seen tell(struct b *b, uint32_t code, uint32_t type, uint64_t ptr)
{
	struct flat_binder_object o = object_of(type, ptr);
	struct binder_transaction_data t;
	struct seen s;

	EQ(b_call(b, 0, code, &o, sizeof(o), &zero, type != 0, &t), BR_REPLY);
	EQ(t.data_size, sizeof(s));
	memcpy(&s, b_data(&t), sizeof(s));
	b_free(b, &t);
	return s;
}

/*
 * A handle of an object that the server makes; HOW is done with it before the answer goes; 0:
 * nothing.
 */
static uint32_t make(struct b *b, uint64_t ptr, uint32_t how)
{
	const struct flat_binder_object *o;
	struct binder_transaction_data t;
	uint32_t handle;

	EQ(b_call(b, 0, MAKE, &ptr, 8, NULL, 0, &t), BR_REPLY);
	o = b_data(&t);
	EQ(o->hdr.type, BINDER_TYPE_HANDLE);
	EQ(o->cookie, 0);
	handle = o->handle;
	if (how)
		b_put32(b, how, handle);
	b_free(b, &t);
	return handle;
}

static uint32_t echo(struct b *b, uint32_t handle)
{
	struct binder_transaction_data t;
	uint32_t end = b_call(b, handle, ECHO, "ok", 3, NULL, 0, &t);

	if (end == BR_REPLY) {
		CHECK(!strcmp(b_data(&t), "ok"));
		b_free(b, &t);
	}
	return end;
}

/* Of the last command: minus the errno; 0: it did not fail. */
static int why(struct b *b)
{
	struct binder_extended_error e;

	OK(ioctl(b->fd, BINDER_GET_EXTENDED_ERROR, &e));
	return e.command == BR_OK ? 0 : e.param;
}

TEST(a_caller_is_who_it_is)
{
	struct seen s;
	struct b b;

	NEED();
	OK(chmod("/tmp/binder/case", 0666));
	start();
	b_open(&b, "case");
	s = tell(&b, TELL, 0, 0);
	EQ(s.pid, (uint32_t)getpid());
	EQ(s.euid, 0);
	OK(setresuid(1000, 1001, 1002));
	s = tell(&b, TELL, 0, 0);
	EQ(s.euid, 1001);
	EQ(s.flags, 0);
}

/* The number of a caller is the one that the server's namespace has for it. */
TEST(a_caller_of_another_pid_namespace)
{
	pid_t pid;
	int status, id[2];
	uint32_t seen;

	NEED();
	start();
	OK(pipe(id));
	OK(unshare(CLONE_NEWPID));
	pid = OK(fork());
	if (!pid) {
		struct b b;
		struct seen s;

		EQ(getpid(), 1);
		b_open(&b, "case");
		s = tell(&b, TELL, 0, 0);
		EQ(write(id[1], &s.pid, 4), 4);
		_exit(0);
	}
	EQ(read(id[0], &seen, 4), 4);
	EQ(seen, (uint32_t)pid);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
}

/* And 0 where it has none. */
TEST(a_server_in_a_pid_namespace)
{
	pid_t pid;
	struct b b;

	NEED();
	OK(unshare(CLONE_NEWPID));
	pid = start();
	b_open(&b, "case");
	EQ(tell(&b, TELL, 0, 0).pid, 0);
	OK(kill(pid, SIGKILL));
	EQ(waitpid(pid, NULL, 0), pid);
}

TEST(an_object_comes_back_as_itself)
{
	struct binder_transaction_data t;
	const struct flat_binder_object *o;
	struct seen s;
	struct b b;

	NEED();
	start();
	b_open(&b, "case");
	s = tell(&b, KEEP, BINDER_TYPE_BINDER, 0x1000);
	EQ(s.type, BINDER_TYPE_HANDLE);
	EQ(s.cookie, 0);
	EQ(b.acquires, 1);
	EQ(b_call(&b, 0, GIVE, NULL, 0, NULL, 0, &t), BR_REPLY);
	o = b_data(&t);
	EQ(o->hdr.type, BINDER_TYPE_BINDER);
	EQ(o->binder, 0x1000);
	EQ(o->cookie, 0x1001);
	b_free(&b, &t);
}

TEST(an_object_has_one_handle)
{
	uint64_t first, second;
	struct b b;

	NEED();
	start();
	b_open(&b, "case");
	first = tell(&b, KEEP, BINDER_TYPE_BINDER, 0x1000).what;
	second = tell(&b, KEEP, BINDER_TYPE_BINDER, 0x2000).what;
	CHECK(first && second && first != second);
	EQ(tell(&b, TELL, BINDER_TYPE_BINDER, 0x1000).what, first);
	EQ(tell(&b, TELL, BINDER_TYPE_BINDER, 0x2000).what, second);
}

TEST(a_weak_object_is_a_weak_handle)
{
	struct seen s;
	struct b b;

	NEED();
	start();
	b_open(&b, "case");
	s = tell(&b, TELL, BINDER_TYPE_WEAK_BINDER, 0x1000);
	EQ(s.type, BINDER_TYPE_WEAK_HANDLE);
	CHECK(s.what);
	EQ(s.cookie, 0);
	EQ(b.acquires, 0);
}

TEST(the_lowest_free_handle)
{
	struct b b;

	NEED();
	start();
	b_open(&b, "case");
	EQ(make(&b, 0x10, BC_ACQUIRE), 1);
	EQ(make(&b, 0x20, BC_ACQUIRE), 2);
	EQ(make(&b, 0x30, BC_ACQUIRE), 3);
	b_put32(&b, BC_RELEASE, 2);
	EQ(make(&b, 0x40, BC_ACQUIRE), 2);
	EQ(make(&b, 0x10, 0), 1);
	EQ(make(&b, 0x50, BC_ACQUIRE), 4);
}

TEST(a_handle_ends_with_its_buffer)
{
	uint32_t handle;
	struct b b;

	NEED();
	start();
	b_open(&b, "case");
	handle = make(&b, 0x10, 0);
	EQ(echo(&b, handle), BR_FAILED_REPLY);
	EQ(why(&b), -EINVAL);
	EQ(echo(&b, handle), BR_FAILED_REPLY);
	handle = make(&b, 0x10, BC_ACQUIRE);
	EQ(why(&b), 0);		/* a call that was made is no failed one */
	EQ(echo(&b, handle), BR_REPLY);
	b_put32(&b, BC_RELEASE, handle);
	EQ(echo(&b, handle), BR_FAILED_REPLY);
}

static void never_said(struct b *b)
{
	struct binder_transaction_data t;

	b_rule(b);
	b_ready(b);
	EQ(poll(&(struct pollfd){ b->fd, POLLIN, 0 }, 1, -1), 1);
	EQ(b_next(b, &t), BR_TRANSACTION);
	b_reply(b, b_data(&t), t.data_size, NULL, 0);
	_exit(0);
}

/* A thread that reads without BC_ENTER_LOOPER gets the process's work too. */
TEST(a_reader_that_never_said_it_serves)
{
	struct b b;

	NEED();
	b_child("case", never_said);
	b_open(&b, "case");
	EQ(echo(&b, 0), BR_REPLY);
}

TEST(a_weak_handle_is_not_called)
{
	uint32_t handle;
	struct b b;

	NEED();
	start();
	b_open(&b, "case");
	handle = make(&b, 0x10, BC_INCREFS);
	EQ(echo(&b, handle), BR_FAILED_REPLY);
	EQ(why(&b), -EINVAL);
	/* It is the same handle that comes again, and strong then. */
	EQ(make(&b, 0x10, BC_ACQUIRE), handle);
	EQ(echo(&b, handle), BR_REPLY);
	b_put32(&b, BC_DECREFS, handle);
	EQ(echo(&b, handle), BR_REPLY);
}

/* More is let go than was held: that is nothing. */
TEST(counts_do_not_go_below_none)
{
	uint32_t handle;
	struct b b;

	NEED();
	start();
	b_open(&b, "case");
	handle = make(&b, 0x10, BC_ACQUIRE);
	b_put32(&b, BC_DECREFS, handle);
	b_put32(&b, BC_DECREFS, 99);
	b_put32(&b, BC_RELEASE, 99);
	EQ(echo(&b, handle), BR_REPLY);
	b_put32(&b, BC_RELEASE, handle);
	b_put32(&b, BC_RELEASE, handle);
	EQ(echo(&b, 0), BR_REPLY);
}

TEST(an_answer_that_is_a_status)
{
	struct binder_transaction_data t;
	struct b b;

	NEED();
	start();
	b_open(&b, "case");
	EQ(b_call(&b, 0, STATUS, NULL, 0, NULL, 0, &t), BR_REPLY);
	EQ(t.flags, TF_STATUS_CODE);
	EQ(t.data_size, 4);
	EQ(*(const int32_t *)b_data(&t), -77);
	EQ(t.target.ptr, 0);
	EQ(t.sender_pid, 0);
	b_free(&b, &t);
	EQ(why(&b), 0);
}

TEST(a_manager_does_not_call_itself)
{
	struct b b;

	NEED();
	b_open(&b, "case");
	EQ(echo(&b, 0), BR_DEAD_REPLY); /* there is none */
	EQ(why(&b), -EINVAL);
	OK(ioctl(b.fd, BINDER_SET_CONTEXT_MGR, 0));
	EQ(echo(&b, 0), BR_FAILED_REPLY);
	EQ(why(&b), -EINVAL);
}

TEST(commands_in_a_row)
{
	struct {
		uint32_t skipped;
		struct b_u64 free;
		struct b_u32 hold;
		struct b_call call;
	} __attribute__((packed)) out = {
		0x12345678,
		{ BC_FREE_BUFFER, 0x1234 },
		{ BC_ACQUIRE, 0 },
		{ BC_TRANSACTION,
		  { .code = ECHO, .data_size = 3, .data.ptr.buffer = (uintptr_t)"ok" } }
	};
	struct binder_write_read w = { .write_size = sizeof(out),
				       .write_consumed = 4,
				       .write_buffer = (uintptr_t)&out };
	struct binder_transaction_data t;
	struct b b;

	NEED();
	start();
	b_open(&b, "case");
	OK(ioctl(b.fd, BINDER_WRITE_READ, &w));
	EQ(w.write_consumed, sizeof(out));
	EQ(w.read_consumed, 0);
	EQ(b_next(&b, &t), BR_TRANSACTION_COMPLETE);
	EQ(b_next(&b, &t), BR_REPLY);
	CHECK(!strcmp(b_data(&t), "ok"));
}

TEST(a_command_that_there_is_not)
{
	static const uint32_t bad[] = { 0xdeadbeef, BC_ACQUIRE_RESULT, BC_ATTEMPT_ACQUIRE,
					BR_NOOP };
	struct b b;

	NEED();
	b_open(&b, "case");
	for (size_t i = 0; i < sizeof(bad) / 4; i++) {
		uint32_t out[8] = { BC_ENTER_LOOPER, bad[i] };
		unsigned char in[256];
		struct binder_write_read w = { .write_size = sizeof(out),
					       .write_buffer = (uintptr_t)out,
					       .read_size = sizeof(in),
					       .read_buffer = (uintptr_t)in };

		ERR(ioctl(b.fd, BINDER_WRITE_READ, &w), EINVAL);
		EQ(w.write_consumed, 4);
		EQ(w.read_consumed, 0);
	}
}

TEST(buffers_that_are_not_ours_to_free)
{
	struct binder_transaction_data t;
	struct b b;

	NEED();
	start();
	b_open(&b, "case");
	EQ(b_call(&b, 0, ECHO, "12345678", 9, NULL, 0, &t), BR_REPLY);
	b_put64(&b, BC_FREE_BUFFER, t.data.ptr.buffer + 8);
	b_put64(&b, BC_FREE_BUFFER, (uintptr_t)&t);
	b_put64(&b, BC_FREE_BUFFER, 0);
	CHECK(!strcmp(b_data(&t), "12345678"));
	b_free(&b, &t);
	b_free(&b, &t);
	EQ(echo(&b, 0), BR_REPLY);
}

/* Calls may fill the area, one-way calls half of it. */
TEST(what_an_area_takes)
{
	static char big[AREA + 8];
	struct binder_transaction_data t;
	struct b b;

	NEED();
	start();
	b_open(&b, "case");
	EQ(b_call(&b, 0, TELL, big, AREA + 8, NULL, 0, &t), BR_FAILED_REPLY);
	EQ(why(&b), -ENOSPC);
	EQ(b_call(&b, 0, TELL, big, AREA, NULL, 0, &t), BR_REPLY);
	EQ(((const struct seen *)b_data(&t))->left, AREA);
	b_free(&b, &t);
	b_send(&b, BC_TRANSACTION, 0, TELL, TF_ONE_WAY, big, AREA / 2 + 8, NULL, 0);
	EQ(b_next(&b, NULL), BR_FAILED_REPLY);
	EQ(why(&b), -ENOSPC);
	EQ(echo(&b, 0), BR_REPLY);
}

static void leaves(struct b *b)
{
	struct binder_transaction_data t;

	b_rule(b);
	b_code(b, BC_ENTER_LOOPER);
	b_ready(b);
	EQ(b_next(b, &t), BR_TRANSACTION);
	OK(ioctl(b->fd, BINDER_THREAD_EXIT, 0));
	/* It begins anew, and serves again. */
	b_free(b, &t);
	b_code(b, BC_ENTER_LOOPER);
	EQ(b_next(b, &t), BR_TRANSACTION);
	b_reply(b, b_data(&t), t.data_size, NULL, 0);
	_exit(0);
}

/* A call that its server's thread leaves has no answer. */
TEST(a_thread_leaves_its_call)
{
	struct b b;

	NEED();
	b_child("case", leaves);
	b_open(&b, "case");
	EQ(echo(&b, 0), BR_DEAD_REPLY);
	EQ(echo(&b, 0), BR_REPLY);
}

/* One that waits comes back when a descriptor of the file is closed. */
TEST(a_closed_descriptor_sends_threads_back)
{
	int ready[2], status;
	struct b b;
	pid_t pid;
	char c;

	NEED();
	OK(pipe(ready));
	b_open(&b, "case");
	pid = OK(fork());
	if (!pid) {
		unsigned char in[256];
		struct binder_write_read w = { .read_size = sizeof(in),
					       .read_buffer = (uintptr_t)in };
		uint32_t n = 1;

		b_code(&b, BC_ENTER_LOOPER);
		OK(ioctl(b.fd, BINDER_SET_MAX_THREADS, &n));
		EQ(write(ready[1], "", 1), 1);
		OK(ioctl(b.fd, BINDER_WRITE_READ, &w));
		EQ(w.read_consumed, 4);
		_exit(0);
	}
	EQ(read(ready[0], &c, 1), 1);
	OK(close(OK(dup(b.fd))));
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
}

TEST(calls_within_calls)
{
	struct deep d = { object_of(BINDER_TYPE_BINDER, 0x1000), 12 };
	struct binder_transaction_data t;
	uint64_t calls, deepest = 0, depth = 0, left;
	struct b b;
	uint32_t cmd;

	NEED();
	start();
	b_open(&b, "case");
	b_send(&b, BC_TRANSACTION, 0, NEST, 0, &d, sizeof(d), &zero, 1);
	for (;;) {
		cmd = b_next(&b, &t);
		if (cmd == BR_TRANSACTION_COMPLETE)
			continue;
		if (cmd == BR_TRANSACTION) {
			EQ(t.target.ptr, 0x1000);
			EQ(t.cookie, 0x1001);
			memcpy(&left, b_data(&t), 8);
			b_free(&b, &t);
			deepest = ++depth > deepest ? depth : deepest;
			d.left = left;
			b_send(&b, BC_TRANSACTION, 0, NEST, 0, &d, sizeof(d), &zero, 1);
			continue;
		}
		EQ(cmd, BR_REPLY);
		memcpy(&calls, b_data(&t), 8);
		b_free(&b, &t);
		if (!depth--)
			break;
		b_send(&b, BC_REPLY, 0, 0, 0, &calls, 8, NULL, 0);
	}
	EQ(deepest, 12);
	EQ(calls, 13);
}

static void death(struct b *b, uint32_t cmd, uint32_t handle, uint64_t cookie)
{
	struct b_death d = { cmd, handle, cookie };

	EQ(b_write(b, &d, sizeof(d)), sizeof(d));
}

/* A second wish is ignored, and so is an end of one that was not made. */
TEST(wishes_to_hear_of_a_death)
{
	uint64_t cookie;
	uint32_t handle;
	struct b b;

	NEED();
	start();
	b_open(&b, "case");
	handle = make(&b, 0x10, BC_ACQUIRE);
	death(&b, BC_CLEAR_DEATH_NOTIFICATION, handle, 7);
	death(&b, BC_REQUEST_DEATH_NOTIFICATION, handle, 7);
	death(&b, BC_REQUEST_DEATH_NOTIFICATION, handle, 8);
	death(&b, BC_REQUEST_DEATH_NOTIFICATION, 99, 9);
	death(&b, BC_CLEAR_DEATH_NOTIFICATION, handle, 8);
	CHECK(b_rest(&b));
	EQ(echo(&b, handle), BR_REPLY);
	b_send(&b, BC_TRANSACTION, 0, BYE, TF_ONE_WAY, NULL, 0, NULL, 0);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	EQ(b_next(&b, &cookie), BR_DEAD_BINDER);
	EQ(cookie, 7);
	/* An end of the wish is answered when the death is confirmed. */
	death(&b, BC_CLEAR_DEATH_NOTIFICATION, handle, 7);
	CHECK(b_rest(&b));
	b_put64(&b, BC_DEAD_BINDER_DONE, 7);
	EQ(b_next(&b, &cookie), BR_CLEAR_DEATH_NOTIFICATION_DONE);
	EQ(cookie, 7);
	EQ(echo(&b, handle), BR_DEAD_REPLY);
	EQ(why(&b), -EINVAL);	/* where its process is still ending, ESRCH */
	/* Of the dead one hears at once. */
	death(&b, BC_REQUEST_DEATH_NOTIFICATION, handle, 10);
	EQ(b_next(&b, &cookie), BR_DEAD_BINDER);
	EQ(cookie, 10);
}

TEST(a_wish_that_ended)
{
	uint64_t cookie;
	uint32_t handle;
	struct b b;

	NEED();
	start();
	b_open(&b, "case");
	handle = make(&b, 0x10, BC_ACQUIRE);
	death(&b, BC_REQUEST_DEATH_NOTIFICATION, handle, 7);
	death(&b, BC_CLEAR_DEATH_NOTIFICATION, handle, 7);
	EQ(b_next(&b, &cookie), BR_CLEAR_DEATH_NOTIFICATION_DONE);
	EQ(cookie, 7);
	EQ(b_call(&b, 0, BYE, NULL, 0, NULL, 0, NULL), BR_DEAD_REPLY);
	EQ(echo(&b, handle), BR_DEAD_REPLY);
	CHECK(b_rest(&b));
}
