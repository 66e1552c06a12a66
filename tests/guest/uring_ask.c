// SPDX-License-Identifier: MIT
/*
 * io_uring(7): what programs do without a ring of their own: questions (REGISTER_QUERY), messages
 * to others' rings (REGISTER_SEND_MSG_RING).
 * proves: io_uring_register
 */
#include "uring.h"
#include <linux/io_uring/query.h>

static int reg(int fd, unsigned int op, const void *arg, unsigned int nr)
{
	return (int)syscall(SYS_io_uring_register, fd, op, arg, nr);
}

static struct io_uring_query_hdr question(unsigned int op, void *to, unsigned int size)
{
	return (struct io_uring_query_hdr){ .query_op = op,
					    .query_data = (uintptr_t)to,
					    .size = size };
}

static int ask(struct io_uring_query_hdr *h)
{
	return reg(-1, IORING_REGISTER_QUERY, h, 0);
}

TEST(what_there_is)
{
	struct io_uring_query_opcode o = { 0 };
	struct io_uring_query_hdr h = question(IO_URING_QUERY_OPCODES, &o, sizeof(o));
	struct ring r = ring(8);

	OK(ask(&h));
	EQ(h.result, 0);
	EQ(h.size, sizeof(o));
	CHECK(o.nr_request_opcodes > IORING_OP_LISTEN);
	CHECK(o.nr_register_opcodes > IORING_REGISTER_QUERY);
	EQ(o.feature_flags, r.p.features);
	CHECK(o.ring_setup_flags & IORING_SETUP_DEFER_TASKRUN);
	CHECK(o.enter_flags & IORING_ENTER_ABS_TIMER);
	CHECK(o.sqe_flags & IOSQE_CQE_SKIP_SUCCESS);
	CHECK(o.nr_query_opcodes > IO_URING_QUERY_OPCODES);
	EQ(o.__pad, 0);
	/* A ring answers too. */
	memset(&o, 0, sizeof(o));
	OK(reg(r.fd, IORING_REGISTER_QUERY, &h, 0));
	EQ(o.feature_flags, r.p.features);
	end(&r);
}

/* Programs that know less, and more, than the kernel. */
TEST(answers_of_any_size)
{
	struct {
		struct io_uring_query_opcode o;
		char more[40];
	} a;
	struct io_uring_query_hdr h = question(IO_URING_QUERY_OPCODES, &a, 8);

	enable();
	memset(&a, 0x5a, sizeof(a));
	OK(ask(&h));
	EQ(h.size, 8);
	CHECK(a.o.nr_request_opcodes > IORING_OP_LISTEN && a.o.nr_request_opcodes < 256);
	EQ(a.o.feature_flags, 0x5a5a5a5a5a5a5a5aull);
	h = question(IO_URING_QUERY_OPCODES, &a, sizeof(a));
	OK(ask(&h));
	EQ(h.result, 0);
	EQ(h.size, sizeof(a.o));
	for (unsigned int i = 0; i < sizeof(a.more); i++)
		EQ(a.more[i], 0);
}

TEST(questions_that_are_wrong)
{
	struct io_uring_query_opcode o;
	struct io_uring_query_hdr good = question(IO_URING_QUERY_OPCODES, &o, sizeof(o)), h = good;

	enable();
	ERR(reg(-1, IORING_REGISTER_QUERY, &h, 1), EINVAL);
	OK(reg(-1, IORING_REGISTER_QUERY, NULL, 0));
	ERR(reg(-1, IORING_REGISTER_QUERY, (void *)8, 0), EFAULT);
	/* These are answers: the list goes on. */
	memset(&o, 0x5a, sizeof(o));
	h.query_op = ~0u;
	OK(ask(&h));
	EQ(h.result, -EOPNOTSUPP);
	EQ(h.size, 0);
	EQ(o.nr_request_opcodes, 0);
	h = good;
	h.result = 1;
	OK(ask(&h));
	EQ(h.result, -EINVAL);
	h = good;
	h.__resv[2] = 1;
	OK(ask(&h));
	EQ(h.result, -EINVAL);
	h = good;
	h.size = 0;
	OK(ask(&h));
	EQ(h.result, -EINVAL);
	h = good;
	h.query_data = 8;
	ERR(ask(&h), EFAULT);
	h = good;
	h.next_entry = 8;
	ERR(ask(&h), EFAULT);
	/* A circle ends: what has an answer already is wrong, and still the list goes on. */
	h = good;
	h.next_entry = (uintptr_t)&h;
	ERR(ask(&h), ERANGE);
}

static struct io_uring_sqe message(int to)
{
	return (struct io_uring_sqe){
		.opcode = IORING_OP_MSG_RING, .fd = to, .addr = IORING_MSG_DATA, .off = 77, .len = 5
	};
}

static int say(const struct io_uring_sqe *s)
{
	return reg(-1, IORING_REGISTER_SEND_MSG_RING, s, 1);
}

TEST(a_message_without_a_ring)
{
	struct ring r = ring(1), off;
	struct io_uring_sqe s = message(r.fd);
	int other = file();

	OK(say(&s));
	is(&r, 77, 5);
	s.msg_ring_flags = IORING_MSG_RING_FLAGS_PASS;
	s.file_index = 64;
	OK(say(&s));
	EQ(next(&r).flags, 64);
	/* Where there is no room it is kept. */
	s = message(r.fd);
	for (int i = 0; i < 4; i++) {
		s.len = (unsigned int)i;
		OK(say(&s));
	}
	for (int i = 0; i < 4; i++) {
		if (!there(&r))
			wait_for(&r, 1);
		is(&r, 77, i);
	}
	s = message(r.fd);
	ERR(reg(-1, IORING_REGISTER_SEND_MSG_RING, &s, 2), EINVAL);
	ERR(reg(-1, IORING_REGISTER_SEND_MSG_RING, (void *)8, 1), EFAULT);
	ERR(reg(r.fd, IORING_REGISTER_SEND_MSG_RING, &s, 1), EINVAL);
	s.flags = IOSQE_ASYNC;
	ERR(say(&s), EINVAL);
	s = message(r.fd);
	s.opcode = IORING_OP_NOP;
	ERR(say(&s), EINVAL);
	s = message(r.fd);
	s.addr = IORING_MSG_SEND_FD;
	ERR(say(&s), EINVAL);
	s = message(r.fd);
	s.msg_ring_flags = IORING_MSG_RING_CQE_SKIP;
	ERR(say(&s), EINVAL);
	s = message(-1);
	ERR(say(&s), EBADF);
	s = message(other);
	ERR(say(&s), EBADFD);
	off = ring_of(1, (struct io_uring_params){ .flags = IORING_SETUP_R_DISABLED });
	s = message(off.fd);
	ERR(say(&s), EBADFD);
	EQ(there(&r), 0);
	close(other);
	end(&off);
	end(&r);
}

/* A restriction of the task is one of its rings; a message needs none. */
TEST(a_restricted_task_sends)
{
	struct {
		uint16_t flags, nr;
		uint32_t resv[3];
		struct io_uring_restriction r[1];
	} x = { .nr = 1,
		.r = { { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_NOP } } };
	struct ring r = ring(1);
	struct io_uring_sqe s = message(r.fd);

	OK(reg(-1, IORING_REGISTER_RESTRICTIONS, &x, 1));
	OK(say(&s));
	is(&r, 77, 5);
	end(&r);
}
