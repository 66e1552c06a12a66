// SPDX-License-Identifier: MIT
/* io_uring_register(2). */
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <io_uring/uring.h>
#include <ipc/eventfd.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/time.h>
#include "io_uring/flags.h"
#include "io_uring/ring_priv.h"

/* ---- what there is ---- */

#define PROBE_MOST 256u

static int probe(struct uptr arg, unsigned int nr)
{
	struct io_uring_probe *p;
	size_t bytes;
	int e = 0;

	if (nr > PROBE_MOST)
		return -EINVAL;
	nr = min(nr, (unsigned int)IORING_OP_LAST);
	bytes = struct_size(p, ops, nr);
	p = kzalloc(bytes, GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	if (copy_from_user(p, arg, bytes))
		e = -EFAULT;
	else if (memchr_inv(p, 0, bytes))
		e = -EINVAL;
	if (!e) {
		p->last_op = IORING_OP_LAST - 1;
		p->ops_len = (u8)nr;
		for (unsigned int i = 0; i < nr; i++) {
			p->ops[i].op = (u8)i;
			if (uring_ops[i].issue)
				p->ops[i].flags = IO_URING_OP_SUPPORTED;
		}
		e = copy_to_user(arg, p, bytes) ? -EFAULT : 0;
	}
	kfree(p);
	return e;
}

/* ---- eventfds ---- */

static int set_eventfd(struct uring *u, struct uptr arg, bool async)
{
	struct eventfd *e;
	s32 fd;

	if (u->eventfd)
		return -EBUSY;
	if (get_user(fd, arg))
		return -EFAULT;
	e = eventfd_get((unsigned int)fd);
	if (IS_ERR(e))
		return (int)PTR_ERR(e);
	u->eventfd_async = async;
	WRITE_ONCE(u->eventfd, e);
	return 0;
}

static int drop_eventfd(struct uring *u)
{
	struct eventfd *e = u->eventfd;

	if (!e)
		return -ENXIO;
	WRITE_ONCE(u->eventfd, NULL);
	eventfd_put(e);
	return 0;
}

/* ---- descriptors of rings ---- */

static int add_fd(struct uring_task *t, struct io_uring_rsrc_update *one)
{
	unsigned int at = one->offset, end = at + 1;
	struct file *f;

	if (one->resv || (one->offset != ~0u && one->offset >= URING_RING_FDS))
		return -EINVAL;
	if (one->offset == ~0u) {
		at = 0;
		end = URING_RING_FDS;
	}
	while (at < end && t->fds[at])
		at++;
	if (at == end)
		return -EBUSY;
	f = fget((unsigned int)one->data);
	if (!f)
		return -EBADF;
	if (!uring_of(f)) {
		fput(f);
		return -EOPNOTSUPP;
	}
	t->fds[at] = f;
	one->offset = at;
	return 0;
}

static int drop_fd(struct uring_task *t, const struct io_uring_rsrc_update *one)
{
	if (one->resv || one->data || one->offset >= URING_RING_FDS)
		return -EINVAL;
	if (t->fds[one->offset])
		fput(t->fds[one->offset]);
	t->fds[one->offset] = NULL;
	return 0;
}

static int ring_fds(const struct uring *u, struct uptr arg, unsigned int nr, bool add)
{
	struct uring_task *t;
	unsigned int i;
	int e = 0;

	if (!nr || nr > URING_RING_FDS)
		return -EINVAL;
	t = uring_task_get(u);
	if (!t)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		struct io_uring_rsrc_update one;
		struct uptr at = uptr_add(arg, i * sizeof(one));

		if (copy_from_user(&one, at, sizeof(one))) {
			e = -EFAULT;
			break;
		}
		e = add ? add_fd(t, &one) : drop_fd(t, &one);
		if (e)
			break;
		if (add && copy_to_user(at, &one, sizeof(one))) {
			fput(t->fds[one.offset]);
			t->fds[one.offset] = NULL;
			e = -EFAULT;
			break;
		}
	}
	return i ? (int)i : e;
}

/* ---- personalities ---- */

static int add_personality(struct uring *u)
{
	const struct cred *c = get_current_cred();
	u32 id;
	int e = xa_alloc_cyclic(&u->personalities, &id, (void *)c, XA_LIMIT(1, U16_MAX),
				&u->next_personality, GFP_KERNEL_ACCOUNT);

	if (e < 0) {
		put_cred(c);
		return e;
	}
	return (int)id;
}

static int drop_personality(struct uring *u, u32 id)
{
	const struct cred *c = xa_erase(&u->personalities, id);

	if (!c)
		return -EINVAL;
	put_cred(c);
	return 0;
}

void uring_drop_personalities(struct uring *u)
{
	unsigned long i;
	const struct cred *c;

	xa_for_each(&u->personalities, i, c)
		put_cred(c);
	xa_destroy(&u->personalities);
}

/* ---- files and buffers ---- */

/* ARG is a struct io_uring_rsrc_register of NR bytes. */
static int register_tagged(struct uring *u, struct uptr arg, unsigned int nr, bool files)
{
	struct io_uring_rsrc_register rr;
	struct uptr data, tags;

	if (nr != sizeof(rr))
		return -EINVAL;
	if (copy_from_user(&rr, arg, sizeof(rr)))
		return -EFAULT;
	if (!rr.nr || rr.resv2 || rr.flags & ~IORING_RSRC_REGISTER_SPARSE)
		return -EINVAL;
	if (rr.flags & IORING_RSRC_REGISTER_SPARSE && rr.data)
		return -EINVAL;
	data = UPTR((unsigned long)rr.data);
	tags = UPTR((unsigned long)rr.tags);
	return files ? uring_register_files(u, data, tags, rr.nr) :
		       uring_register_buffers(u, data, tags, rr.nr);
}

static int update_files(struct uring *u, struct uptr arg, unsigned int nr)
{
	struct io_uring_files_update up;

	if (!nr)
		return -EINVAL;
	if (copy_from_user(&up, arg, sizeof(up)))
		return -EFAULT;
	if (up.resv)
		return -EINVAL;
	return uring_update_files(u, up.offset, UPTR((unsigned long)up.fds), UPTR_NULL, nr);
}

static int update_tagged(struct uring *u, struct uptr arg, unsigned int size, bool files)
{
	struct io_uring_rsrc_update2 up;
	struct uptr data, tags;

	if (size != sizeof(up))
		return -EINVAL;
	if (copy_from_user(&up, arg, sizeof(up)))
		return -EFAULT;
	if (!up.nr || up.resv || up.resv2)
		return -EINVAL;
	data = UPTR((unsigned long)up.data);
	tags = UPTR((unsigned long)up.tags);
	return files ? uring_update_files(u, up.offset, data, tags, up.nr) :
		       uring_update_buffers(u, up.offset, data, tags, up.nr);
}

static int alloc_range(struct uring *u, struct uptr arg)
{
	struct io_uring_file_index_range range;

	if (copy_from_user(&range, arg, sizeof(range)))
		return -EFAULT;
	return range.resv ? -EINVAL : uring_set_alloc_range(u, range.off, range.len);
}

/* *DONE: it was one of these. */
static int change_res(struct uring *u, unsigned int opcode, struct uptr arg, unsigned int nr,
		      bool *done)
{
	bool none = uptr_is_null(arg);

	*done = true;
	switch (opcode) {
	case IORING_REGISTER_BUFFERS:
		return none ? -EFAULT : uring_register_buffers(u, arg, UPTR_NULL, nr);
	case IORING_UNREGISTER_BUFFERS:
		return !none || nr ? -EINVAL : uring_drop_buffers(u);
	case IORING_REGISTER_FILES:
		return none ? -EFAULT : uring_register_files(u, arg, UPTR_NULL, nr);
	case IORING_UNREGISTER_FILES:
		return !none || nr ? -EINVAL : uring_drop_files(u);
	case IORING_REGISTER_FILES_UPDATE:
		return update_files(u, arg, nr);
	case IORING_REGISTER_FILES2:
	case IORING_REGISTER_BUFFERS2:
		return register_tagged(u, arg, nr, opcode == IORING_REGISTER_FILES2);
	case IORING_REGISTER_FILES_UPDATE2:
	case IORING_REGISTER_BUFFERS_UPDATE:
		return update_tagged(u, arg, nr, opcode == IORING_REGISTER_FILES_UPDATE2);
	case IORING_REGISTER_FILE_ALLOC_RANGE:
		return none || nr ? -EINVAL : alloc_range(u, arg);
	}
	*done = false;
	return 0;
}

/* ---- workers and clocks ---- */

static int set_limits(struct uring *u, struct uptr arg)
{
	struct uring_task *t = uring_task_get(u);
	u32 new[URING_ACCOUNTS], old[URING_ACCOUNTS];
	struct uring_node *n;

	if (!t)
		return -ENOMEM;
	if (copy_from_user(new, arg, sizeof(new)))
		return -EFAULT;
	for (unsigned int i = 0; i < URING_ACCOUNTS; i++) {
		if (new[i] > INT_MAX)
			return -EINVAL;
		u->worker_limits[i] = new[i] ?: u->worker_limits[i];
	}
	uring_pool_limits(&t->pool, new, old);
	if (copy_to_user(arg, old, sizeof(old)))
		return -EFAULT;
	list_for_each_entry(n, &u->tasks, list)
		uring_pool_limits(&n->task->pool, u->worker_limits, NULL);
	return 0;
}

/* BYTES at ARG; null: any CPU. */
static int set_cpus(const struct uring *u, struct uptr arg, unsigned int bytes)
{
	struct uring_task *t = uring_task_get(u);
	struct cpumask *mask;
	int e;

	if (!t)
		return -ENOMEM;
	if (uptr_is_null(arg))
		return uring_pool_cpus(&t->pool, NULL);
	mask = kzalloc(cpumask_size(), GFP_KERNEL);
	if (!mask)
		return -ENOMEM;
	if (copy_from_user(mask, arg, min(bytes + 0ul, cpumask_size())))
		e = -EFAULT;
	else
		e = uring_pool_cpus(&t->pool, mask);
	kfree(mask);
	return e;
}

static int set_clock(struct uring *u, struct uptr arg)
{
	struct io_uring_clock_register c;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (memchr_inv(c.__resv, 0, sizeof(c.__resv)))
		return -EINVAL;
	if (c.clockid != CLOCK_MONOTONIC && c.clockid != CLOCK_BOOTTIME)
		return -EINVAL;
	WRITE_ONCE(u->clock, (clockid_t)c.clockid);
	return 0;
}

/* *DONE: it was one of these. */
static int change_work(struct uring *u, unsigned int opcode, struct uptr arg, unsigned int nr,
		       bool *done)
{
	bool none = uptr_is_null(arg);

	*done = true;
	switch (opcode) {
	case IORING_REGISTER_IOWQ_AFF:
		return none || !nr ? -EINVAL : set_cpus(u, arg, nr);
	case IORING_UNREGISTER_IOWQ_AFF:
		return !none || nr ? -EINVAL : set_cpus(u, arg, 0);
	case IORING_REGISTER_IOWQ_MAX_WORKERS:
		return none || nr != URING_ACCOUNTS ? -EINVAL : set_limits(u, arg);
	case IORING_REGISTER_SYNC_CANCEL:
		return none || nr != 1 ? -EINVAL : uring_sync_cancel(u, arg);
	case IORING_REGISTER_CLOCK:
		return none || nr ? -EINVAL : set_clock(u, arg);
	}
	*done = false;
	return 0;
}

/* ---- without a ring ---- */

static int send_message(struct uptr arg, unsigned int nr)
{
	struct io_uring_sqe sqe;

	if (nr != 1)
		return -EINVAL;
	if (copy_from_user(&sqe, arg, sizeof(sqe)))
		return -EFAULT;
	if (sqe.flags || sqe.opcode != IORING_OP_MSG_RING)
		return -EINVAL;
	return uring_msg_send(&sqe);
}

static int change_none(unsigned int opcode, struct uptr arg, unsigned int nr)
{
	switch (opcode) {
	case IORING_REGISTER_SEND_MSG_RING:
		return send_message(arg, nr);
	case IORING_REGISTER_QUERY:
		return uring_query(arg, nr);
	case IORING_REGISTER_BPF_FILTER:
		return uring_filter_task(arg, nr);
	case IORING_REGISTER_RESTRICTIONS:
		return uring_restrict_task(arg, nr);
	}
	return -EINVAL;
}

/* ---- the call ---- */

static int enable(struct uring *u)
{
	if (!u->disabled)
		return -EBADFD;
	if (u->flags & IORING_SETUP_SINGLE_ISSUER && !u->submitter)
		uring_set_submitter(u);
	WRITE_ONCE(u->disabled, false);
	return 0;
}

static int change(struct uring *u, unsigned int opcode, struct uptr arg, unsigned int nr)
{
	bool none = uptr_is_null(arg), done;
	int e = change_res(u, opcode, arg, nr, &done);

	if (!done)
		e = change_work(u, opcode, arg, nr, &done);
	if (done)
		return e;
	switch (opcode) {
	case IORING_REGISTER_BPF_FILTER:
		return nr != 1 ? -EINVAL : uring_filter_ring(u, arg);
	case IORING_REGISTER_RESTRICTIONS:
		return uring_restrict_ring(u, arg, nr);
	case IORING_REGISTER_PERSONALITY:
		return !none || nr ? -EINVAL : add_personality(u);
	case IORING_UNREGISTER_PERSONALITY:
		return none ? drop_personality(u, nr) : -EINVAL;
	case IORING_REGISTER_EVENTFD:
	case IORING_REGISTER_EVENTFD_ASYNC:
		return nr != 1 ? -EINVAL :
				 set_eventfd(u, arg, opcode == IORING_REGISTER_EVENTFD_ASYNC);
	case IORING_UNREGISTER_EVENTFD:
		return !none || nr ? -EINVAL : drop_eventfd(u);
	case IORING_REGISTER_PROBE:
		return none || nr > PROBE_MOST ? -EINVAL : probe(arg, nr);
	case IORING_REGISTER_QUERY:
		return uring_query(arg, nr);
	case IORING_REGISTER_ENABLE_RINGS:
		return !none || nr ? -EINVAL : enable(u);
	case IORING_REGISTER_RING_FDS:
	case IORING_UNREGISTER_RING_FDS:
		return ring_fds(u, arg, nr, opcode == IORING_REGISTER_RING_FDS);
	}
	return -EINVAL;
}

long uring_register(unsigned int fd, unsigned int opcode, struct uptr arg, unsigned int nr)
{
	bool by_index = opcode & IORING_REGISTER_USE_REGISTERED_RING;
	struct uring_task *t = current->uring;
	struct file *f = NULL;
	struct uring *u;
	int e;

	opcode &= ~(unsigned int)IORING_REGISTER_USE_REGISTERED_RING;
	if (opcode >= IORING_REGISTER_LAST)
		return -EINVAL;
	if ((int)fd == -1)
		return change_none(opcode, arg, nr);
	if (!by_index)
		f = fget(fd);
	else if (t && fd < URING_RING_FDS && t->fds[fd])
		f = get_file(t->fds[fd]);
	else
		return by_index && fd >= URING_RING_FDS ? -EINVAL : -EBADF;
	if (!f)
		return -EBADF;
	u = uring_of(f);
	if (!u) {
		fput(f);
		return -EOPNOTSUPP;
	}
	mutex_lock(&u->lock);
	if (u->submitter && u->submitter != current)
		e = -EEXIST;
	else if (u->rules && (!u->disabled || u->born_ruled) &&
		 !uring_rules_register(u->rules, opcode))
		e = -EACCES;
	else
		e = change(u, opcode, arg, nr);
	uring_settle(u);		/* tags of what went */
	mutex_unlock(&u->lock);
	fput(f);
	return e;
}
