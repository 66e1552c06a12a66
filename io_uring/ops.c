// SPDX-License-Identifier: MIT
/* The table of operations, and those that are short. */
#include <kernel/bug.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include "io_uring/ring_priv.h"

int uring_nop_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	u32 flags = (u32)sqe->rw_flags;

	if (flags & ~IORING_NOP_INJECT_RESULT)
		return -EINVAL;
	r->res = flags & IORING_NOP_INJECT_RESULT ? (s32)sqe->len : 0;
	if (r->res < 0)
		r->flags |= R_FAIL;
	return 0;
}

int uring_nop_issue(struct uring_req *r, bool nowait)
{
	(void)r;
	(void)nowait;
	return URING_DONE;
}

int uring_fsync_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->addr || sqe->buf_index || sqe->splice_fd_in ||
	    sqe->fsync_flags & ~IORING_FSYNC_DATASYNC)
		return -EINVAL;
	r->sync.off = (loff_t)sqe->off;
	if (r->sync.off < 0)
		return -EINVAL;
	r->sync.end = sqe->len ? r->sync.off + sqe->len : MAX_LFS_FILESIZE;
	r->sync.datasync = sqe->fsync_flags & IORING_FSYNC_DATASYNC;
	return 0;
}

int uring_fsync_issue(struct uring_req *r, bool nowait)
{
	(void)nowait;
	return vfs_fsync_range(r->file, r->sync.off, r->sync.end, r->sync.datasync);
}

int uring_close_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->off || sqe->addr || sqe->len || sqe->rw_flags || sqe->buf_index || sqe->file_index)
		return -EINVAL;
	return r->flags & IOSQE_FIXED_FILE ? -EBADF : 0;
}

int uring_close_issue(struct uring_req *r, bool nowait)
{
	struct file *f = fget_raw((unsigned int)r->fd);
	bool ring = f && uring_of(f);

	(void)nowait;
	if (f)
		fput(f);
	return !f || ring ? -EBADF : close_fd((unsigned int)r->fd);
}

const struct uring_op uring_ops[IORING_OP_LAST] = {
	[IORING_OP_NOP] = { "nop", .prep = uring_nop_prep, .issue = uring_nop_issue },
	[IORING_OP_READV] = { "readv", .file = true, .poll = EPOLLIN | EPOLLRDNORM,
			      .prep = uring_rwv_prep, .issue = uring_read_issue,
			      .event = uring_rw_event, .clean = uring_rw_clean },
	[IORING_OP_WRITEV] = { "writev", .file = true, .poll = EPOLLOUT | EPOLLWRNORM,
			       .prep = uring_rwv_prep, .issue = uring_write_issue,
			       .event = uring_rw_event, .clean = uring_rw_clean },
	[IORING_OP_FSYNC] = { "fsync", .file = true, .prep = uring_fsync_prep,
			      .issue = uring_fsync_issue },
	[IORING_OP_POLL_ADD] = { "poll_add", .file = true, .prep = uring_poll_prep,
				 .issue = uring_poll_issue, .event = uring_poll_event },
	[IORING_OP_POLL_REMOVE] = { "poll_remove", .prep = uring_poll_remove_prep,
				    .issue = uring_poll_remove_issue },
	[IORING_OP_TIMEOUT] = { "timeout", .prep = uring_timeout_prep, .issue = uring_timeout_issue,
				.event = uring_timeout_event, .cancel = uring_timeout_cancel },
	[IORING_OP_TIMEOUT_REMOVE] = { "timeout_remove", .prep = uring_timeout_remove_prep,
				       .issue = uring_timeout_remove_issue },
	[IORING_OP_ASYNC_CANCEL] = { "async_cancel", .prep = uring_cancel_prep,
				     .issue = uring_cancel_issue },
	[IORING_OP_LINK_TIMEOUT] = { "link_timeout", .prep = uring_link_timeout_prep,
				     .issue = uring_link_timeout_issue,
				     .event = uring_link_timeout_event },
	[IORING_OP_CLOSE] = { "close", .prep = uring_close_prep, .issue = uring_close_issue },
	[IORING_OP_READ] = { "read", .file = true, .poll = EPOLLIN | EPOLLRDNORM,
			     .prep = uring_rw_prep, .issue = uring_read_issue,
			     .event = uring_rw_event },
	[IORING_OP_WRITE] = { "write", .file = true, .poll = EPOLLOUT | EPOLLWRNORM,
			      .prep = uring_rw_prep, .issue = uring_write_issue,
			      .event = uring_rw_event },
};
