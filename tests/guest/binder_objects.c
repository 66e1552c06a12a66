// SPDX-License-Identifier: MIT
/*
 * Binder: descriptors in calls and replies, arrays of them, buffers beside the data with their
 * parents, and where all that goes when nobody takes it. proves: ioctl
 */
#include "binder.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define NEED(name) do { if (!b_mount(name)) SKIP("this kernel has no Binder"); } while (0)
#define FLAGS (FLAT_BINDER_FLAG_ACCEPTS_FDS)

/* What the server understands. */
enum { WRITE_TO = 1, READ_FROM, POINTERS, ARRAY, ITSELF, FULL, WAIT };

struct sg {
	uint32_t cmd;
	struct binder_transaction_data_sg t;
} __attribute__((packed));

static void send_sg(struct b *b, uint32_t cmd, uint32_t code, uint32_t flags, const void *data,
		    size_t len, const uint64_t *offsets, size_t count, size_t buffers)
{
	struct sg c = { .cmd = cmd,
			.t = { .transaction_data = { .code = code,
						     .flags = flags,
						     .data_size = len,
						     .offsets_size = count * 8,
						     .data.ptr = { .buffer = (uintptr_t)data,
								   .offsets = (uintptr_t)offsets } },
			       .buffers_size = buffers } };

	EQ(b_write(b, &c, sizeof(c)), sizeof(c));
}

static uint32_t end_of(struct b *b, struct binder_transaction_data *t)
{
	uint32_t end = b_next(b, t);

	return end == BR_TRANSACTION_COMPLETE ? b_next(b, t) : end;
}

/* The errno of the command that failed last. */
static int why(struct b *b)
{
	struct binder_extended_error e;

	OK(ioctl(b->fd, BINDER_GET_EXTENDED_ERROR, &e));
	EQ(e.command, BR_FAILED_REPLY);
	return -e.param;
}

static struct binder_fd_object file_object(int fd)
{
	return (struct binder_fd_object){ .hdr.type = BINDER_TYPE_FD,
					  .fd = (uint32_t)fd,
					  .cookie = 9 };
}

static struct binder_buffer_object pointer(const void *p, size_t n)
{
	return (struct binder_buffer_object){ .hdr.type = BINDER_TYPE_PTR,
					      .buffer = (uintptr_t)p,
					      .length = n };
}

static struct binder_buffer_object inside(const void *p, size_t n, size_t parent, size_t off)
{
	struct binder_buffer_object o = pointer(p, n);

	o.flags = BINDER_BUFFER_FLAG_HAS_PARENT;
	o.parent = parent;
	o.parent_offset = off;
	return o;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* The other end is gone everywhere: 1; it is not: 0. */
static bool hung_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	OK(poll(&p, 1, 0));
	return p.revents & POLLHUP;
}

static void wait_hung_up(int fd)
{
	struct pollfd p = { .fd = fd }; /* POLLHUP alone */

	EQ(poll(&p, 1, -1), 1);
	EQ(p.revents, POLLHUP);
}

/* Three levels: a list of two texts, and the list's address in the data. */
struct texts {
	uint64_t pad, one, two;
};

static void see_pointers(struct b *b, const struct binder_transaction_data *t)
{
	const char *d = b_data(t);
	struct binder_buffer_object o[3];
	const struct texts *x;

	EQ(t->data_size, 8 + sizeof(o));
	memcpy(o, d + 8, sizeof(o));
	x = (const void *)(uintptr_t)o[0].buffer;
	CHECK((const char *)x >= b->area && (const char *)(x + 1) <= b->area + AREA);
	EQ(o[0].length, sizeof(*x));
	EQ(x->pad, 7);
	EQ(x->one, o[1].buffer);
	EQ(x->two, o[2].buffer);
	CHECK(!strcmp((const char *)(uintptr_t)x->one, "first"));
	CHECK(!strcmp((const char *)(uintptr_t)x->two, "second of them"));
	EQ(o[2].flags, BINDER_BUFFER_FLAG_HAS_PARENT);
	EQ(o[2].parent_offset, 16);
}

static void see_array(struct b *b, const struct binder_transaction_data *t, uint32_t fds[3])
{
	const char *d = b_data(t);
	struct binder_buffer_object o;
	struct binder_fd_array_object a;
	struct binder_fd_object f;

	memcpy(&o, d + 8, sizeof(o));
	memcpy(&a, d + 8 + sizeof(o), sizeof(a));
	memcpy(&f, d + 8 + sizeof(o) + sizeof(a), sizeof(f));
	EQ(a.num_fds, 2);
	memcpy(fds, (const char *)(uintptr_t)o.buffer + 4, 8);
	fds[2] = f.fd;
	for (int i = 0; i < 3; i++) {
		EQ(fcntl((int)fds[i], F_GETFD), FD_CLOEXEC);
		EQ(write((int)fds[i], &"abc"[i], 1), 1);
	}
	(void)b;
}

/*
 * A buffer is freed that takes FD with it, which is the last descriptor of the device itself by
 * then.
 */
static void free_itself(struct b *b, const struct binder_transaction_data *t, int fd)
{
	struct b_u64 c = { BC_FREE_BUFFER, t->data.ptr.buffer };
	struct binder_write_read bwr = { .write_size = sizeof(c),
					 .write_buffer = (uintptr_t)&c,
					 .read_size = sizeof(b->in),
					 .read_buffer = (uintptr_t)b->in };

	EQ(dup2(b->fd, fd), fd);
	close(b->fd);
	OK(munmap(b->area, AREA));
	OK(ioctl(fd, BINDER_WRITE_READ, &bwr));	/* and goes on with it */
	EQ(bwr.write_consumed, sizeof(c));
	CHECK(!is_open(fd));
}

static void give_file(struct b *b)
{
	static const uint64_t zero;
	struct binder_fd_object o;
	int p[2];

	OK(pipe(p));
	EQ(write(p[1], "y", 1), 1);
	o = file_object(p[0]);
	b_send(b, BC_REPLY, 0, 0, 0, &o, sizeof(o), &zero, 1);
	EQ(b_next(b, NULL), BR_TRANSACTION_COMPLETE);
	close(p[0]);
	close(p[1]);
}

static void serve(struct b *b, int control)
{
	for (;;) {
		struct binder_transaction_data t;
		struct binder_fd_object o;
		struct rlimit none;
		uint32_t fds[3], cmd = b_next(b, &t);
		char c;

		if (cmd == BR_TRANSACTION_COMPLETE)
			continue;
		EQ(cmd, BR_TRANSACTION);
		memcpy(&o, b_data(&t), t.data_size >= sizeof(o) ? sizeof(o) : 0);
		switch (t.code) {
		case WRITE_TO:
			EQ(o.hdr.type, BINDER_TYPE_FD);
			EQ(o.cookie, 9);
			EQ(fcntl((int)o.fd, F_GETFD), FD_CLOEXEC);
			EQ(write((int)o.fd, "x", 1), 1);
			b_reply(b, NULL, 0, NULL, 0);
			b_free(b, &t);
			CHECK(is_open((int)o.fd)); /* it is ours */
			close((int)o.fd);
			continue;
		case READ_FROM:
			give_file(b);
			break;
		case POINTERS:
			see_pointers(b, &t);
			b_reply(b, NULL, 0, NULL, 0);
			break;
		case ARRAY:
			see_array(b, &t, fds);
			b_free(b, &t);
			CHECK(!is_open((int)fds[0]) && !is_open((int)fds[1]) &&
			      is_open((int)fds[2]));
			close((int)fds[2]);
			b_reply(b, NULL, 0, NULL, 0);
			continue;
		case ITSELF: /* the buffer takes the device with it that it is freed by */
			see_array(b, &t, fds);
			b_reply(b, NULL, 0, NULL, 0);
			free_itself(b, &t, (int)fds[0]);
			_exit(0);
		case FULL:
			OK(getrlimit(RLIMIT_NOFILE, &none));
			memcpy(&none.rlim_cur, b_data(&t), 8);
			OK(setrlimit(RLIMIT_NOFILE, &none));
			b_reply(b, NULL, 0, NULL, 0);
			break;
		case WAIT:  /* what comes now stays where it is, until the server ends */
			b_reply(b, NULL, 0, NULL, 0);
			EQ(read(control, &c, 1), 1);
			OK(munmap(b->area, AREA));
			EQ(read(control, &c, 1), 1);
			_exit(0);
		}
		b_free(b, &t);
	}
}

static int device; /* the server's descriptor of it */

/* The server of NAME, which is ready as this returns; *CONTROL: what it waits for. */
static pid_t start(const char *name, uint32_t flags, int *control)
{
	struct flat_binder_object me = { .hdr.type = BINDER_TYPE_BINDER, .flags = flags };
	int ready[2], says[2];
	pid_t pid;
	char c;

	OK(pipe(ready));
	OK(pipe2(says, O_CLOEXEC));
	pid = OK(fork());
	if (!pid) {
		struct b b;

		OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
		close(says[1]);
		b_open(&b, name);
		OK(ioctl(b.fd, BINDER_SET_CONTEXT_MGR_EXT, &me));
		b_code(&b, BC_ENTER_LOOPER);
		c = (char)b.fd;
		EQ(write(ready[1], &c, 1), 1);
		serve(&b, says[0]);
	}
	close(ready[1]);
	close(says[0]);
	EQ(read(ready[0], &c, 1), 1);
	close(ready[0]);
	device = c;
	*control = says[1];
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	EQ(waitpid(pid, NULL, 0), pid);
}

/* A call with one descriptor: how it ends. */
static uint32_t call_with(struct b *b, uint32_t code, int fd, struct binder_transaction_data *t)
{
	static const uint64_t zero;
	struct binder_fd_object o = file_object(fd);

	return b_call(b, 0, code, &o, sizeof(o), &zero, 1, t);
}

TEST(descriptors)
{
	struct binder_transaction_data t;
	struct binder_fd_object o;
	struct b b;
	int p[2], control;
	pid_t pid;
	char c;

	NEED("files");
	pid = start("files", FLAGS, &control);
	b_open(&b, "files");
	OK(pipe(p));
	EQ(call_with(&b, WRITE_TO, p[1], &t), BR_REPLY);
	b_free(&b, &t);
	EQ(read(p[0], &c, 1), 1);
	EQ(c, 'x');
	close(p[1]);
	wait_hung_up(p[0]);
	/* and one that is none */
	EQ(call_with(&b, WRITE_TO, p[1], &t), BR_FAILED_REPLY);
	EQ(why(&b), EBADF);
	EQ(call_with(&b, WRITE_TO, OK(open("/", O_PATH)), &t), BR_FAILED_REPLY);
	EQ(why(&b), EBADF);

	/* in replies, where they are wanted */
	b_send(&b, BC_TRANSACTION, 0, READ_FROM, TF_ACCEPT_FDS, NULL, 0, NULL, 0);
	EQ(end_of(&b, &t), BR_REPLY);
	EQ(t.offsets_size, 8);
	memcpy(&o, b_data(&t), sizeof(o));
	EQ(o.hdr.type, BINDER_TYPE_FD);
	EQ(fcntl((int)o.fd, F_GETFD), FD_CLOEXEC);
	EQ(read((int)o.fd, &c, 1), 1);
	EQ(c, 'y');
	b_free(&b, &t);
	CHECK(is_open((int)o.fd));
	close((int)o.fd);
	EQ(b_call(&b, 0, READ_FROM, NULL, 0, NULL, 0, &t), BR_FAILED_REPLY);
	stop(pid);

	pid = start("files", 0, &control);
	OK(pipe(p));
	EQ(call_with(&b, WRITE_TO, p[1], &t), BR_FAILED_REPLY);
	EQ(why(&b), EPERM);
	stop(pid);
}

TEST(no_room_in_the_table)
{
	struct binder_transaction_data t;
	struct rlimit was, none;
	uint64_t most = 3;
	struct b b;
	int p[2], control;
	pid_t pid;
	char c;

	NEED("table");
	pid = start("table", FLAGS, &control);
	b_open(&b, "table");
	OK(pipe(p));
	EQ(b_call(&b, 0, FULL, &most, 8, NULL, 0, &t), BR_REPLY);
	b_free(&b, &t);
	EQ(call_with(&b, WRITE_TO, p[1], &t), BR_FAILED_REPLY);
	close(p[1]);
	wait_hung_up(p[0]);  /* the file went */
	most = 100;
	EQ(b_call(&b, 0, FULL, &most, 8, NULL, 0, &t), BR_REPLY);
	b_free(&b, &t);

	/* a reply that cannot be taken */
	OK(getrlimit(RLIMIT_NOFILE, &was));
	none = was;
	none.rlim_cur = 0;
	OK(setrlimit(RLIMIT_NOFILE, &none));
	b_send(&b, BC_TRANSACTION, 0, READ_FROM, TF_ACCEPT_FDS, NULL, 0, NULL, 0);
	EQ(end_of(&b, &t), BR_FAILED_REPLY);
	OK(setrlimit(RLIMIT_NOFILE, &was));
	b_send(&b, BC_TRANSACTION, 0, READ_FROM, TF_ACCEPT_FDS, NULL, 0, NULL, 0);
	EQ(end_of(&b, &t), BR_REPLY);
	OK(pipe(p));
	EQ(call_with(&b, WRITE_TO, p[1], &t), BR_REPLY);
	EQ(read(p[0], &c, 1), 1);
	stop(pid);
}

/* 8 bytes, then what the test puts there. */
struct data {
	uint64_t token;
	struct binder_buffer_object o[3];
};

static const uint64_t at_three[] = { 8, 48, 88 };

TEST(pointers)
{
	struct texts x = { .pad = 7 };
	struct data d = { .token = 1 };
	struct binder_transaction_data t;
	struct b b;
	int control;
	pid_t pid;

	NEED("ptr");
	pid = start("ptr", FLAGS, &control);
	b_open(&b, "ptr");
	d.o[0] = pointer(&x, sizeof(x));
	d.o[1] = inside("first", 6, 0, 8);
	d.o[2] = inside("second of them", 15, 0, 16);
	/* 24 + 8 + 16 bytes, and not one less */
	for (size_t room = 0; room < 48; room += 8) {
		send_sg(&b, BC_TRANSACTION_SG, POINTERS, 0, &d, sizeof(d), at_three, 3, room);
		EQ(end_of(&b, &t), BR_FAILED_REPLY);
		EQ(why(&b), EINVAL);
	}
	send_sg(&b, BC_TRANSACTION_SG, POINTERS, 0, &d, sizeof(d), at_three, 3, 48);
	EQ(end_of(&b, &t), BR_REPLY);
	b_free(&b, &t);
	send_sg(&b, BC_TRANSACTION_SG, POINTERS, 0, &d, sizeof(d), at_three, 3, 49);
	EQ(end_of(&b, &t), BR_FAILED_REPLY);
	EQ(why(&b), EINVAL);
	/* without room beside the data there is none */
	b_send(&b, BC_TRANSACTION, 0, POINTERS, 0, &d, sizeof(d), at_three, 3);
	EQ(end_of(&b, &t), BR_FAILED_REPLY);
	EQ(why(&b), EINVAL);
	d.o[2].buffer = 16;
	send_sg(&b, BC_TRANSACTION_SG, POINTERS, 0, &d, sizeof(d), at_three, 3, 48);
	EQ(end_of(&b, &t), BR_FAILED_REPLY);
	EQ(why(&b), EINVAL);	/* not EFAULT */
	/* more than the area has, and more of it than one-way calls may have */
	send_sg(&b, BC_TRANSACTION_SG, 0, 0, &d, 8, NULL, 0, AREA);
	EQ(end_of(&b, &t), BR_FAILED_REPLY);
	EQ(why(&b), ENOSPC);
	send_sg(&b, BC_TRANSACTION_SG, 0, 0, &d, 8, NULL, 0, -8ULL);
	EQ(end_of(&b, &t), BR_FAILED_REPLY);
	EQ(why(&b), EINVAL);
	send_sg(&b, BC_TRANSACTION_SG, 0, TF_ONE_WAY, &d, 8, NULL, 0, AREA / 2);
	EQ(end_of(&b, &t), BR_FAILED_REPLY);
	EQ(why(&b), ENOSPC);
	stop(pid);
}

/* TF_CLEAR_BUF: all of the buffer is zeroes when its program has freed it. */
TEST(cleared)
{
	static const char secret[] = "a secret of our";
	static const uint64_t at = 8;
	struct {
		uint64_t token;
		struct binder_buffer_object o;
	} d = { .token = 0x1111111111111111 };
	struct binder_transaction_data t;
	struct b b;
	int status;

	NEED("clear");
	b_open(&b, "clear");
	OK(ioctl(b.fd, BINDER_SET_CONTEXT_MGR, 0));
	b_code(&b, BC_ENTER_LOOPER);
	if (!OK(fork())) {
		struct b c;

		b_open(&c, "clear");
		d.o = pointer(secret, sizeof(secret));
		send_sg(&c, BC_TRANSACTION_SG, 0, TF_ONE_WAY | TF_CLEAR_BUF, &d, sizeof(d), &at, 1,
			sizeof(secret));
		EQ(b_next(&c, NULL), BR_TRANSACTION_COMPLETE);
		_exit(0);
	}
	EQ(b_next(&b, &t), BR_TRANSACTION);
	EQ(t.data_size, sizeof(d));
	memcpy(&d, b_data(&t), sizeof(d));
	EQ(d.o.buffer, (uintptr_t)b_data(&t) + sizeof(d) + 8);
	CHECK(!memcmp((const void *)(uintptr_t)d.o.buffer, secret, sizeof(secret)));
	b_free(&b, &t);
	for (size_t i = 0; i < sizeof(d) + 8 + sizeof(secret); i++)
		EQ(((const char *)b_data(&t))[i], 0);
	OK(wait(&status));
	EQ(status, 0);
}

/* Three objects that must be refused. */
static void refused_with(struct b *b, const struct data *d, const uint64_t at[3], int error)
{
	struct binder_transaction_data t;

	send_sg(b, BC_TRANSACTION_SG, POINTERS, 0, d, sizeof(*d), at, 3, 256);
	EQ(end_of(b, &t), BR_FAILED_REPLY);
	EQ(why(b), error);
}

static void refused(struct b *b, const struct data *d, const uint64_t at[3])
{
	refused_with(b, d, at, EINVAL);
}

TEST(parents)
{
	struct texts x = { .pad = 7 }, y = { 0 };
	struct data d = { .token = 1 };
	struct b b;
	int control;
	pid_t pid;

	NEED("parents");
	pid = start("parents", FLAGS, &control);
	b_open(&b, "parents");
	d.o[0] = pointer(&x, sizeof(x));
	d.o[1] = inside("first", 6, 0, 8);
	d.o[2] = inside("second", 7, 0, 8); /* the same place */
	refused(&b, &d, at_three);
	d.o[2].parent_offset = 15;
	refused(&b, &d, at_three);
	d.o[2].parent_offset = 17;  /* beyond its end */
	refused(&b, &d, at_three);
	d.o[2].parent_offset = -8ULL;
	refused(&b, &d, at_three);
	d.o[2].parent_offset = 16;
	d.o[2].parent = 2;   /* itself */
	refused(&b, &d, at_three);
	d.o[2].parent = 3;
	refused(&b, &d, at_three);
	d.o[2].parent = -1ULL;
	refused(&b, &d, at_three);
	d.o[1] = pointer(&y, sizeof(y)); /* the first is done with */
	d.o[2] = inside("second", 7, 0, 8);
	refused(&b, &d, at_three);
	d.o[1] = inside(&y, 4, 0, 8);  /* an address needs 8 bytes */
	d.o[2] = inside("second", 7, 1, 0);
	refused(&b, &d, at_three);
	/* Linux takes no parent at offset 0 */
	memcpy(&d,
	       &(struct binder_buffer_object[]){ pointer(&x, sizeof(x)), inside("first", 6, 0, 8),
						 inside("second of them", 15, 0, 16) },
	       120);
	refused(&b, &d, (uint64_t[]){ 0, 40, 80 });
	/* objects in each other, out of order, not at a multiple of 4, cut */
	d.token = 1;
	d.o[0] = d.o[1] = d.o[2] = pointer(&x, sizeof(x));
	refused_with(&b, &d, (uint64_t[]){ 8, 44, 88 }, EFAULT);
	refused_with(&b, &d, (uint64_t[]){ 48, 8, 88 }, EFAULT);
	refused(&b, &d, (uint64_t[]){ 8, 50, 88 });
	refused(&b, &d, (uint64_t[]){ 8, 48, 92 });
	refused(&b, &d, (uint64_t[]){ 8, 48, 128 });
	refused_with(&b, &d, (uint64_t[]){ 8, 48, -4ULL }, EFAULT);
	stop(pid);
}

struct array {
	uint64_t token;
	struct binder_buffer_object o;
	struct binder_fd_array_object a;
	struct binder_fd_object f;
};

static const uint64_t at_array[] = { 8, 48, 80 };

static uint32_t call_array(struct b *b, const struct array *d, struct binder_transaction_data *t)
{
	send_sg(b, BC_TRANSACTION_SG, ARRAY, 0, d, sizeof(*d), at_array, 3, 64);
	return end_of(b, t);
}

TEST(arrays)
{
	struct binder_transaction_data t;
	uint32_t list[4] = { 0 };
	struct array d = { .token = 1 };
	struct b b;
	int p[3][2], control, status;
	pid_t pid;
	char c;

	NEED("fda");
	pid = start("fda", FLAGS, &control);
	b_open(&b, "fda");
	for (int i = 0; i < 3; i++)
		OK(pipe(p[i]));
	list[1] = (uint32_t)p[0][1];
	list[2] = (uint32_t)p[1][1];
	d.o = pointer(list, 12);
	d.a = (struct binder_fd_array_object){ .hdr.type = BINDER_TYPE_FDA,
					       .num_fds = 2,
					       .parent_offset = 4 };
	d.f = file_object(p[2][1]);
	EQ(call_array(&b, &d, &t), BR_REPLY);
	b_free(&b, &t);
	for (int i = 0; i < 3; i++) {
		EQ(read(p[i][0], &c, 1), 1);
		EQ(c, 'a' + i);
	}
	d.a.num_fds = 3;	 /* beyond the end */
	EQ(call_array(&b, &d, &t), BR_FAILED_REPLY);
	EQ(why(&b), EINVAL);
	d.a.num_fds = 1ULL << 62 | 2;
	EQ(call_array(&b, &d, &t), BR_FAILED_REPLY);
	EQ(why(&b), EINVAL);
	d.a.num_fds = 2;
	d.a.parent_offset = 2;  /* not at a multiple of 4 */
	EQ(call_array(&b, &d, &t), BR_FAILED_REPLY);
	EQ(why(&b), EINVAL);
	d.a.parent_offset = 4;
	d.a.parent = 1;
	EQ(call_array(&b, &d, &t), BR_FAILED_REPLY);
	EQ(why(&b), EINVAL);
	d.a.parent = 0;
	d.f.fd = 1000;   /* the others go back */
	EQ(call_array(&b, &d, &t), BR_FAILED_REPLY);
	EQ(why(&b), EBADF);
	for (int i = 0; i < 3; i++) {
		close(p[i][1]);
		wait_hung_up(p[i][0]);
	}
	stop(pid);

	pid = start("fda", FLAGS, &control);
	for (int i = 0; i < 3; i++)
		OK(pipe(p[i]));
	list[1] = (uint32_t)p[0][1];
	list[2] = (uint32_t)p[1][1];
	d.f = file_object(p[2][1]);
	send_sg(&b, BC_TRANSACTION_SG, ITSELF, 0, &d, sizeof(d), at_array, 3, 64);
	EQ(end_of(&b, &t), BR_REPLY);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
}

/* Files in calls that nobody takes go as soon as nobody can, those that keep the receiver's own
 * device open, too. */
TEST(never_taken)
{
	static const uint64_t at[] = { 0, 24 };
	struct binder_fd_object o[2];
	struct binder_transaction_data t;
	struct b b;
	int p[2], own, control;
	pid_t pid;

	if (access("/proc/sys/vm/user_lasting_kbytes", F_OK))
		SKIP("Linux keeps the calls until the server goes");
	NEED("left");
	pid = start("left", FLAGS, &control);
	b_open(&b, "left");
	OK(pipe(p));
	EQ(b_call(&b, 0, WAIT, NULL, 0, NULL, 0, &t), BR_REPLY);
	b_free(&b, &t);
	o[0] = file_object(p[1]);
	o[1] = file_object(b.fd); /* a device through which it could be called */
	b_send(&b, BC_TRANSACTION, 0, WRITE_TO, TF_ONE_WAY, o, sizeof(o), at, 2);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	b_send(&b, BC_TRANSACTION, 0, WRITE_TO, TF_ONE_WAY, o, sizeof(o), at, 2); /* waits behind */
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	close(p[1]);
	CHECK(!hung_up(p[0]));
	/* the server unmaps its area, and lives on */
	EQ(write(control, "", 1), 1);
	wait_hung_up(p[0]);
	EQ(b_call(&b, 0, WRITE_TO, NULL, 0, NULL, 0, &t), BR_DEAD_REPLY);
	EQ(write(control, "", 1), 1);
	EQ(waitpid(pid, NULL, 0), pid);

	/* The call holds the server's own device: it would keep that open, and that the call. */
	pid = start("left", FLAGS, &control);
	own = OK(
		(int)syscall(SYS_pidfd_getfd, OK((int)syscall(SYS_pidfd_open, pid, 0)), device, 0));
	EQ(b_call(&b, 0, WAIT, NULL, 0, NULL, 0, &t), BR_REPLY);
	b_free(&b, &t);
	OK(pipe(p));
	o[0] = file_object(p[1]);
	o[1] = file_object(own);
	b_send(&b, BC_TRANSACTION, 0, WRITE_TO, TF_ONE_WAY, o, sizeof(o), at, 2);
	EQ(b_next(&b, NULL), BR_TRANSACTION_COMPLETE);
	close(p[1]);
	close(own);
	CHECK(!hung_up(p[0]));
	stop(pid);
	wait_hung_up(p[0]);
}
