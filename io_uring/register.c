// SPDX-License-Identifier: MIT
/* io_uring_register(2). */
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <io_uring/uring.h>
#include <ipc/fds.h>
#include <kernel/bug.h>
#include <mm/uaccess.h>
#include <vfs/file.h>
#include <abi/errno.h>
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

static int ring_fds(struct uptr arg, unsigned int nr, bool add)
{
	struct uring_task *t;
	unsigned int i;
	int e = 0;

	if (!nr || nr > URING_RING_FDS)
		return -EINVAL;
	t = uring_task_get();
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

/* ---- the call ---- */

static int enable(struct uring *u)
{
	if (!u->disabled)
		return -EBADFD;
	if (u->flags & IORING_SETUP_SINGLE_ISSUER && !u->submitter)
		u->submitter = current;
	WRITE_ONCE(u->disabled, false);
	return 0;
}

static int change(struct uring *u, unsigned int opcode, struct uptr arg, unsigned int nr)
{
	bool none = uptr_is_null(arg);

	switch (opcode) {
	case IORING_REGISTER_EVENTFD:
	case IORING_REGISTER_EVENTFD_ASYNC:
		return nr != 1 ? -EINVAL :
				 set_eventfd(u, arg, opcode == IORING_REGISTER_EVENTFD_ASYNC);
	case IORING_UNREGISTER_EVENTFD:
		return !none || nr ? -EINVAL : drop_eventfd(u);
	case IORING_REGISTER_PROBE:
		return none || nr > PROBE_MOST ? -EINVAL : probe(arg, nr);
	case IORING_REGISTER_ENABLE_RINGS:
		return !none || nr ? -EINVAL : enable(u);
	case IORING_REGISTER_RING_FDS:
	case IORING_UNREGISTER_RING_FDS:
		return ring_fds(arg, nr, opcode == IORING_REGISTER_RING_FDS);
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
	else
		e = change(u, opcode, arg, nr);
	mutex_unlock(&u->lock);
	fput(f);
	return e;
}
