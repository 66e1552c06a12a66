// SPDX-License-Identifier: MIT
/*
 * IORING_REGISTER_QUERY: what there is, for programs that ask before they make a ring.
 *
 * The program gives a list of questions, in its own memory. Each is answered, or refused, by
 * itself; an answer is cut, or filled up with zeros, to the size that the program knows.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <proc/signal.h>
#include <sched/sched.h>
#include <abi/errno.h>
#include <linux/io_uring/query.h>
#include "io_uring/flags.h"
#include "io_uring/ring_priv.h"

#define QUESTIONS_MOST 1000u	/* of a list, which may be a circle */

union answer {
	struct io_uring_query_opcode ops;
	struct io_uring_query_scq scq;
};

/* The answer to OP, *A, which is zero: its bytes. -EOPNOTSUPP. */
static int answer(u32 op, union answer *a)
{
	switch (op) {
	case IO_URING_QUERY_OPCODES:
		a->ops.nr_request_opcodes = IORING_OP_LAST;
		a->ops.nr_register_opcodes = IORING_REGISTER_LAST;
		a->ops.feature_flags = URING_FEATURES;
		a->ops.ring_setup_flags = URING_SETUP_KNOWN;
		a->ops.enter_flags = URING_ENTER_KNOWN;
		a->ops.sqe_flags = URING_SQE_FLAGS;
		a->ops.nr_query_opcodes = __IO_URING_QUERY_MAX;
		return sizeof(a->ops);
	case IO_URING_QUERY_SCQ:
		a->scq.hdr_size = offsetof(struct uring_shared, cqes);
		a->scq.hdr_alignment = __alignof__(struct uring_shared);
		return sizeof(a->scq);
	}
	return -EOPNOTSUPP;
}

/* Answers the question at AT; *NEXT: where the next one is. 0, -EFAULT. */
static int one(struct uptr at, u64 *next)
{
	struct io_uring_query_hdr h;
	union answer a = {};
	u32 room, n = 0;
	struct uptr to;
	int e = -EINVAL;

	if (copy_from_user(&h, at, sizeof(h)))
		return -EFAULT;
	room = h.size;
	to = UPTR((unsigned long)h.query_data);
	if (h.query_op >= __IO_URING_QUERY_MAX) {
		e = -EOPNOTSUPP;
	} else if (!h.result && h.size && !memchr_inv(h.__resv, 0, sizeof(h.__resv))) {
		/* Nothing is asked there yet; but it is to be readable. */
		if (copy_from_user(&a, to, min(room + 0ul, sizeof(a))))
			return -EFAULT;
		memset(&a, 0, sizeof(a));
		e = answer(h.query_op, &a);
		if (e > 0)
			n = min(room, (u32)e);
	}
	h.result = min(e, 0);
	h.size = n;
	if (copy_to_user(to, &a, n) || clear_user(uptr_add(to, n), room - n) ||
	    copy_to_user(at, &h, sizeof(h)))
		return -EFAULT;
	*next = h.next_entry;
	return 0;
}

int uring_query(struct uptr arg, unsigned int nr)
{
	u64 next;
	int e;

	if (nr)
		return -EINVAL;
	for (unsigned int i = 0; !uptr_is_null(arg); i++) {
		if (i == QUESTIONS_MOST)
			return -ERANGE;
		if (fatal_signal_pending(current))
			return -EINTR;
		e = one(arg, &next);
		if (e)
			return e;
		arg = UPTR((unsigned long)next);
		cond_resched();
	}
	return 0;
}
