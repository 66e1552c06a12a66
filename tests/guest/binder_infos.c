// SPDX-License-Identifier: MIT
/*
 * Binder: what programs can ask of objects, and what they are told of senders that fill an area
 * with one-way calls. proves: ioctl
 */
#include "binder.h"

#define NEED(name) do { if (!b_mount(name)) SKIP("this kernel has no Binder"); } while (0)

/* A manager that keeps the buffers of one-way calls, and ends with the first other one. */
static void keep(struct b *b)
{
	struct binder_transaction_data t = { .flags = TF_ONE_WAY };

	b_rule(b);
	b_code(b, BC_ENTER_LOOPER);
	b_ready(b);
	while (t.flags & TF_ONE_WAY)
		EQ(b_next(b, &t), BR_TRANSACTION);
	_exit(0);
}

/* Nobody frees the calls: the sender is told once, as little is left for such, if it asked. */
TEST(one_way_spam)
{
	static char data[4096];
	struct binder_transaction_data t;
	uint32_t on = 1;
	struct b b;
	pid_t manager;

	NEED("spam");
	for (int wants = 0; wants < 2; wants++) {
		manager = b_child("spam", keep);
		b_open(&b, "spam");
		ERR(ioctl(b.fd, BINDER_ENABLE_ONEWAY_SPAM_DETECTION, NULL), EFAULT);
		if (wants)
			OK(ioctl(b.fd, BINDER_ENABLE_ONEWAY_SPAM_DETECTION, &on));
		for (int i = 0; i < 8; i++) {	/* all that the half of its area takes */
			b_send(&b, BC_TRANSACTION, 0, 1, TF_ONE_WAY, data, sizeof(data), NULL, 0);
			EQ(b_next(&b, NULL),
			   wants && i == 6 ? BR_ONEWAY_SPAM_SUSPECT : BR_TRANSACTION_COMPLETE);
		}
		b_send(&b, BC_TRANSACTION, 0, 1, TF_ONE_WAY, data, 8, NULL, 0);
		EQ(b_next(&b, NULL), BR_FAILED_REPLY);
		EQ(b_call(&b, 0, 2, NULL, 0, NULL, 0, &t), BR_DEAD_REPLY);
		EQ(waitpid(manager, NULL, 0), manager);
		close(b.fd);
		munmap(b.area, AREA);
	}
}

/* Its object goes to the manager; it does not confirm that it holds it. */
static void owner(int ready)
{
	struct binder_node_debug_info d = { 0 };
	struct binder_node_info_for_ref r = { 0 };
	struct flat_binder_object o = { .hdr.type = BINDER_TYPE_BINDER,
					.binder = 0x5000,
					.cookie = 0x5001 };
	static const uint64_t zero;
	struct b c;

	b_open(&c, "infos");
	c.hold = true;
	OK(ioctl(c.fd, BINDER_GET_NODE_DEBUG_INFO, &d));
	EQ(d.ptr, 0);
	b_send(&c, BC_TRANSACTION, 0, 1, 0, &o, sizeof(o), &zero, 1);
	EQ(b_next(&c, NULL), BR_TRANSACTION_COMPLETE);
	EQ(b_next(&c, NULL), BR_REPLY);
	d.ptr = 0;
	OK(ioctl(c.fd, BINDER_GET_NODE_DEBUG_INFO, &d));
	EQ(d.ptr, 0x5000);
	EQ(d.cookie, 0x5001);
	EQ(d.has_strong_ref, 1);
	EQ(d.has_weak_ref, 1);
	OK(ioctl(c.fd, BINDER_GET_NODE_DEBUG_INFO, &d));
	EQ(d.ptr, 0);
	ERR(ioctl(c.fd, BINDER_GET_NODE_INFO_FOR_REF, &r), EPERM);
	EQ(write(ready, "", 1), 1);
	pause();
}

/* What a process can ask of its objects, and the manager of those that it has a handle of. */
TEST(node_infos)
{
	struct binder_node_debug_info d = { 0 };
	struct binder_node_info_for_ref r = { 0 };
	struct flat_binder_object of_other;
	struct binder_transaction_data t;
	struct b b;
	pid_t pid;
	int status, ready[2];
	char x;

	NEED("infos");
	b_open(&b, "infos");
	ERR(ioctl(b.fd, BINDER_GET_NODE_INFO_FOR_REF, &r), EPERM);
	OK(ioctl(b.fd, BINDER_SET_CONTEXT_MGR, 0));
	b_code(&b, BC_ENTER_LOOPER);
	ERR(ioctl(b.fd, BINDER_GET_NODE_DEBUG_INFO, NULL), EFAULT);
	ERR(ioctl(b.fd, BINDER_GET_NODE_INFO_FOR_REF, NULL), EFAULT);
	d = (struct binder_node_debug_info){ .cookie = 9, .has_weak_ref = 7 };
	OK(ioctl(b.fd, BINDER_GET_NODE_DEBUG_INFO, &d)); /* its own object has the number 0 */
	EQ(d.ptr, 0);
	EQ(d.cookie, 0);
	EQ(d.has_weak_ref, 0);
	OK(pipe(ready));
	pid = OK(fork());
	if (!pid)
		owner(ready[1]);
	EQ(b_next(&b, &t), BR_TRANSACTION);
	memcpy(&of_other, b_data(&t), sizeof(of_other));
	b_put32(&b, BC_ACQUIRE, of_other.handle);
	b_reply(&b, NULL, 0, NULL, 0);
	EQ(read(ready[0], &x, 1), 1);
	r.handle = of_other.handle;
	OK(ioctl(b.fd, BINDER_GET_NODE_INFO_FOR_REF, &r));
	EQ(r.handle, of_other.handle);
	EQ(r.strong_count, 2);	/* ours, and what the program has not confirmed */
	EQ(r.weak_count, 1);
	ERR(ioctl(b.fd, BINDER_GET_NODE_INFO_FOR_REF, &r), EINVAL);
	r = (struct binder_node_info_for_ref){ .handle = 77 };
	ERR(ioctl(b.fd, BINDER_GET_NODE_INFO_FOR_REF, &r), EINVAL);
	r = (struct binder_node_info_for_ref){ .reserved3 = 1 };
	ERR(ioctl(b.fd, BINDER_GET_NODE_INFO_FOR_REF, &r), EINVAL);
	kill(pid, SIGKILL);
	EQ(waitpid(pid, &status, 0), pid);
}

/* What is said of a read that fails is what was said before. */
TEST(nothing_read)
{
	uint32_t in[64];
	struct binder_write_read bwr = { .read_size = sizeof(in), .read_buffer = (uintptr_t)in };
	struct b b;

	NEED("nothing");
	b_open(&b, "nothing");
	b_code(&b, BC_ENTER_LOOPER);
	OK(fcntl(b.fd, F_SETFL, O_NONBLOCK));
	ERR(ioctl(b.fd, BINDER_WRITE_READ, &bwr), EAGAIN);
	EQ(bwr.read_consumed, 0);
	bwr.read_consumed = 8;
	ERR(ioctl(b.fd, BINDER_WRITE_READ, &bwr), EAGAIN);
	EQ(bwr.read_consumed, 8);
}
