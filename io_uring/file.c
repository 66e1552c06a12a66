// SPDX-License-Identifier: MIT
/* Operations on open files and on memory, but for reading and writing. */
#include <ipc/fds.h>
#include <kernel/bug.h>
#include <mm/mm.h>
#include <mm/mman.h>
#include <mm/uaccess.h>
#include <vfs/calls.h>
#include <vfs/file.h>
#include <vfs/pipe.h>
#include <vfs/splice.h>
#include <abi/errno.h>
#include <linux/eventpoll.h>
#include "io_uring/ring_priv.h"

int uring_fsync_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->addr || sqe->buf_index || sqe->splice_fd_in ||
	    sqe->fsync_flags & ~IORING_FSYNC_DATASYNC)
		return -EINVAL;
	r->range.off = (loff_t)sqe->off;
	if (r->range.off < 0)
		return -EINVAL;
	r->range.len = sqe->len ? r->range.off + sqe->len : MAX_LFS_FILESIZE;
	r->range.flags = sqe->fsync_flags;
	return 0;
}

int uring_fsync_issue(struct uring_req *r, bool nowait)
{
	(void)nowait;
	return vfs_fsync_range(r->file, r->range.off, r->range.len,
			       r->range.flags & IORING_FSYNC_DATASYNC);
}

int uring_sync_range_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->addr || sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	r->range.off = (loff_t)sqe->off;
	r->range.len = sqe->len;
	r->range.flags = sqe->sync_range_flags;
	return 0;
}

int uring_sync_range_issue(struct uring_req *r, bool nowait)
{
	(void)nowait;
	return vfs_sync_file_range(r->file, r->range.off, r->range.len, r->range.flags);
}

int uring_fallocate_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->buf_index || sqe->rw_flags || sqe->splice_fd_in)
		return -EINVAL;
	r->range.off = (loff_t)sqe->off;
	r->range.len = (loff_t)sqe->addr;
	r->range.flags = sqe->len;
	return 0;
}

int uring_fallocate_issue(struct uring_req *r, bool nowait)
{
	(void)nowait;
	return vfs_fallocate(r->file, (int)r->range.flags, r->range.off, r->range.len);
}

int uring_fadvise_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	r->range.off = (loff_t)sqe->off;
	r->range.len = sqe->addr ? (loff_t)sqe->addr : (loff_t)sqe->len;
	r->range.flags = sqe->fadvise_advice;
	return 0;
}

int uring_fadvise_issue(struct uring_req *r, bool nowait)
{
	(void)nowait;
	return vfs_fadvise(r->file, r->range.off, r->range.len, (int)r->range.flags);
}

int uring_madvise_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	r->range.off = (loff_t)sqe->addr;
	r->range.len = sqe->off ? (loff_t)sqe->off : (loff_t)sqe->len;
	r->range.flags = sqe->fadvise_advice;
	return 0;
}

int uring_madvise_issue(struct uring_req *r, bool nowait)
{
	(void)nowait;
	return mm_madvise(current->mm, (unsigned long)r->range.off, (size_t)r->range.len,
			  (int)r->range.flags);
}

/* ---- pipes ---- */

static int splice_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	r->splice.fd_in = sqe->splice_fd_in;
	r->splice.len = sqe->len;
	r->splice.flags = sqe->splice_flags;
	return r->splice.flags & ~(SPLICE_F_ALL | SPLICE_F_FD_IN_FIXED) ? -EINVAL : 0;
}

static struct file *registered(const struct uring_table *t, unsigned int at)
{
	return at < t->nr && t->at[at] ? get_file(t->at[at]->file) : NULL;
}

/* Where it reads from, referenced; NULL. */
static struct file *input(struct uring_req *r)
{
	unsigned int at = (unsigned int)r->splice.fd_in;
	struct uring *u = r->ring;
	struct file *f;

	if (!(r->splice.flags & SPLICE_F_FD_IN_FIXED))
		return fget(at);
	if (!(r->flags & R_RUNNING))
		return registered(&u->files, at);
	/* A worker issues it without the lock. */
	mutex_lock(&u->lock);
	f = registered(&u->files, at);
	mutex_unlock(&u->lock);
	return f;
}

int uring_splice_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	r->splice.off_in = (loff_t)sqe->splice_off_in;
	r->splice.off_out = (loff_t)sqe->off;
	return splice_prep(r, sqe);
}

int uring_tee_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	return sqe->splice_off_in || sqe->off ? -EINVAL : splice_prep(r, sqe);
}

static int spliced(struct uring_req *r, long n)
{
	if (n < 0)
		return (int)n;
	r->res = (s32)n;
	r->fell_short = (size_t)n != r->splice.len;
	return URING_DONE;
}

int uring_splice_issue(struct uring_req *r, bool nowait)
{
	struct file *in = input(r);
	loff_t from = r->splice.off_in, to = r->splice.off_out;
	long n = -ESPIPE;

	(void)nowait;
	if (!in)
		return -EBADF;
	/* Pipes have no offsets. */
	if ((from == -1 || !get_pipe_info(in, true)) && (to == -1 || !get_pipe_info(r->file, true)))
		n = !r->splice.len ?
			    0 :
			    do_splice(in, from == -1 ? NULL : &from, r->file, to == -1 ? NULL : &to,
				      r->splice.len, r->splice.flags & ~SPLICE_F_FD_IN_FIXED);
	fput(in);
	return spliced(r, n);
}

int uring_tee_issue(struct uring_req *r, bool nowait)
{
	struct file *in = input(r);
	long n;

	(void)nowait;
	if (!in)
		return -EBADF;
	n = r->splice.len ?
		    do_tee(in, r->file, r->splice.len, r->splice.flags & ~SPLICE_F_FD_IN_FIXED) :
		    0;
	fput(in);
	return spliced(r, n);
}

/* ---- descriptors ---- */

int uring_close_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->off || sqe->addr || sqe->len || sqe->rw_flags || sqe->buf_index)
		return -EINVAL;
	if (r->flags & IOSQE_FIXED_FILE)
		return -EBADF;
	r->name.index = sqe->file_index;
	return r->name.index && sqe->fd ? -EINVAL : 0;
}

int uring_close_issue(struct uring_req *r, bool nowait)
{
	struct file *f;
	bool ring;

	(void)nowait;
	if (r->name.index)
		return uring_close_fixed(r->ring, r->name.index - 1);
	f = fget_raw((unsigned int)r->fd);
	ring = f && uring_of(f);
	if (f)
		fput(f);
	if (!f || ring)
		return -EBADF;
	/* Its last reference ends without the ring's lock: by now it may be another, a ring too. */
	f = file_close_fd((unsigned int)r->fd);
	return f ? filp_close(f, current->files) : -EBADF;
}

int uring_epoll_ctl_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	r->epoll.op = (int)sqe->len;
	r->epoll.fd = (int)sqe->off;
	if (r->epoll.op == EPOLL_CTL_DEL)
		return 0;
	return copy_from_user(&r->epoll.event, UPTR((unsigned long)sqe->addr),
			      sizeof(r->epoll.event)) ?
		       -EFAULT :
		       0;
}

int uring_epoll_ctl_issue(struct uring_req *r, bool nowait)
{
	(void)nowait;
	return epoll_control(r->fd, r->epoll.op, r->epoll.fd,
			     r->epoll.op == EPOLL_CTL_DEL ? NULL : &r->epoll.event);
}

int uring_files_update_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (r->flags & IOSQE_FIXED_FILE || sqe->rw_flags || sqe->splice_fd_in || !sqe->len)
		return -EINVAL;
	r->range.off = (loff_t)sqe->off;
	r->range.len = (loff_t)sqe->addr;
	r->range.flags = sqe->len;
	return 0;
}

/* The descriptors come to free places, whose numbers are written in their stead. How many. */
static int install_all(struct uring_req *r, struct uptr fds)
{
	unsigned int i;
	int e = 0;

	if (!r->ring->files.at)
		return -ENXIO;
	for (i = 0; i < r->range.flags; i++) {
		struct uptr at = uptr_add(fds, i * sizeof(s32));
		struct file *f;
		s32 fd;

		if (get_user(fd, at)) {
			e = -EFAULT;
			break;
		}
		f = fget((unsigned int)fd);
		e = f ? uring_install(r, f, IORING_FILE_INDEX_ALLOC) : -EBADF;
		if (e < 0)
			break;
		if (put_user((s32)e, at)) {
			uring_close_fixed(r->ring, (unsigned int)e);
			e = -EFAULT;
			break;
		}
		cond_resched();
	}
	return i ? (int)i : e;
}

int uring_files_update_issue(struct uring_req *r, bool nowait)
{
	struct uptr fds = UPTR((unsigned long)r->range.len);

	(void)nowait;
	if ((u32)r->range.off == IORING_FILE_INDEX_ALLOC)
		r->res = install_all(r, fds);
	else
		r->res = uring_update_files(r->ring, (u32)r->range.off, fds, UPTR_NULL,
					    r->range.flags);
	return r->res < 0 ? r->res : URING_DONE;
}
