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

const struct uring_op uring_ops[IORING_OP_LAST] = {
	[IORING_OP_NOP] = { "nop", .tries = true, .prep = uring_nop_prep,
			    .issue = uring_nop_issue },
	[IORING_OP_READV] = { "readv", .file = true, .ioprio = true, .poll = EPOLLIN | EPOLLRDNORM,
			      .prep = uring_rwv_prep, .issue = uring_read_issue,
			      .event = uring_rw_event, .clean = uring_rw_clean },
	[IORING_OP_WRITEV] = { "writev", .file = true, .ioprio = true,
			       .poll = EPOLLOUT | EPOLLWRNORM, .prep = uring_rwv_prep,
			       .issue = uring_write_issue, .event = uring_rw_event,
			       .clean = uring_rw_clean },
	[IORING_OP_FSYNC] = { "fsync", .file = true, .sleeps = true, .prep = uring_fsync_prep,
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
	[IORING_OP_READ] = { "read", .file = true, .ioprio = true, .poll = EPOLLIN | EPOLLRDNORM,
			     .prep = uring_rw_prep, .issue = uring_read_issue,
			     .event = uring_rw_event },
	[IORING_OP_WRITE] = { "write", .file = true, .ioprio = true, .poll = EPOLLOUT | EPOLLWRNORM,
			      .prep = uring_rw_prep, .issue = uring_write_issue,
			      .event = uring_rw_event },
	[IORING_OP_READ_FIXED] = { "read_fixed", .file = true, .ioprio = true, .buffer = true,
				   .poll = EPOLLIN | EPOLLRDNORM, .prep = uring_rw_prep,
				   .issue = uring_read_issue, .event = uring_rw_event },
	[IORING_OP_WRITE_FIXED] = { "write_fixed", .file = true, .ioprio = true, .buffer = true,
				    .poll = EPOLLOUT | EPOLLWRNORM, .prep = uring_rw_prep,
				    .issue = uring_write_issue, .event = uring_rw_event },
	[IORING_OP_READV_FIXED] = { "readv_fixed", .file = true, .ioprio = true, .buffer = true,
				    .poll = EPOLLIN | EPOLLRDNORM, .prep = uring_rwv_prep,
				    .issue = uring_read_issue, .event = uring_rw_event,
				    .clean = uring_rw_clean },
	[IORING_OP_WRITEV_FIXED] = { "writev_fixed", .file = true, .ioprio = true, .buffer = true,
				     .poll = EPOLLOUT | EPOLLWRNORM, .prep = uring_rwv_prep,
				     .issue = uring_write_issue, .event = uring_rw_event,
				     .clean = uring_rw_clean },
	[IORING_OP_FILES_UPDATE] = { "files_update", .prep = uring_files_update_prep,
				     .issue = uring_files_update_issue },
	[IORING_OP_SENDMSG] = { "sendmsg", .file = true, .ioprio = true,
				.poll = EPOLLOUT | EPOLLWRNORM, .prep = uring_sendmsg_prep,
				.issue = uring_sendmsg_issue, .clean = uring_net_clean,
				.moved = uring_net_moved },
	[IORING_OP_RECVMSG] = { "recvmsg", .file = true, .ioprio = true,
				.poll = EPOLLIN | EPOLLRDNORM, .prep = uring_recvmsg_prep,
				.issue = uring_recvmsg_issue, .clean = uring_net_clean,
				.moved = uring_net_moved },
	[IORING_OP_SEND] = { "send", .file = true, .ioprio = true, .poll = EPOLLOUT | EPOLLWRNORM,
			     .prep = uring_send_prep, .issue = uring_send_issue,
			     .clean = uring_net_clean, .moved = uring_net_moved },
	[IORING_OP_RECV] = { "recv", .file = true, .ioprio = true, .poll = EPOLLIN | EPOLLRDNORM,
			     .prep = uring_recv_prep, .issue = uring_recv_issue,
			     .moved = uring_net_moved },
	[IORING_OP_ACCEPT] = { "accept", .file = true, .ioprio = true,
			       .poll = EPOLLIN | EPOLLRDNORM, .prep = uring_accept_prep,
			       .issue = uring_accept_issue },
	[IORING_OP_CONNECT] = { "connect", .file = true, .poll = EPOLLOUT | EPOLLWRNORM,
				.prep = uring_connect_prep, .issue = uring_connect_issue,
				.clean = uring_net_clean },
	[IORING_OP_SHUTDOWN] = { "shutdown", .file = true, .prep = uring_shutdown_prep,
				 .issue = uring_shutdown_issue },
	[IORING_OP_SOCKET] = { "socket", .prep = uring_socket_prep, .issue = uring_socket_issue },
	[IORING_OP_BIND] = { "bind", .file = true, .prep = uring_bind_prep,
			     .issue = uring_bind_issue, .clean = uring_net_clean },
#define NAME_OP(op, what)                                                                     \
	[IORING_OP_##op] = { #what, .sleeps = true, .prep = uring_##what##_prep,              \
			     .issue = uring_##what##_issue,                                   \
			     .clean = uring_name_clean }
	[IORING_OP_OPENAT] = { "openat", .tries = true, .prep = uring_openat_prep,
			       .issue = uring_open_issue, .clean = uring_name_clean },
	[IORING_OP_OPENAT2] = { "openat2", .tries = true, .prep = uring_openat2_prep,
				.issue = uring_open_issue, .clean = uring_name_clean },
	NAME_OP(STATX, statx),
	NAME_OP(RENAMEAT, rename),
	NAME_OP(UNLINKAT, unlink),
	NAME_OP(MKDIRAT, mkdir),
	NAME_OP(SYMLINKAT, symlink),
	NAME_OP(LINKAT, link),
#define FILE_OP(op, what)                                                                     \
	[IORING_OP_##op] = { #what, .file = true, .sleeps = true, .prep = uring_##what##_prep, \
			     .issue = uring_##what##_issue }
	FILE_OP(SYNC_FILE_RANGE, sync_range),
	FILE_OP(FALLOCATE, fallocate),
	FILE_OP(FADVISE, fadvise),
#define PIPE_OP(op, what)                                                                     \
	[IORING_OP_##op] = { #what, .file = true, .sleeps = true, .waits = true,              \
			     .prep = uring_##what##_prep, .issue = uring_##what##_issue }
	PIPE_OP(SPLICE, splice),
	PIPE_OP(TEE, tee),
	[IORING_OP_MADVISE] = { "madvise", .sleeps = true, .prep = uring_madvise_prep,
				.issue = uring_madvise_issue },
	[IORING_OP_EPOLL_CTL] = { "epoll_ctl", .prep = uring_epoll_ctl_prep,
				  .issue = uring_epoll_ctl_issue },
	[IORING_OP_MSG_RING] = { "msg_ring", .file = true, .prep = uring_msg_prep,
				 .issue = uring_msg_issue, .event = uring_msg_event },
	[IORING_OP_LISTEN] = { "listen", .file = true, .prep = uring_listen_prep,
			       .issue = uring_listen_issue },
};
