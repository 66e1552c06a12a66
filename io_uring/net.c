// SPDX-License-Identifier: MIT
/*
 * Sockets. An operation that would wait is issued again when the socket is ready; one that is to
 * move all bytes (MSG_WAITALL) goes on where it was. A connect that is under way is asked for its
 * end by the same call again.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <mm/iter.h>
#include <mm/uaccess.h>
#include <net/socket.h>
#include <net/user_msg.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include "io_uring/ring_priv.h"

static struct socket *socket_of(struct uring_req *r)
{
	return sock_from_file(r->file);
}

/* LEFT bytes are there for the next request. */
static void tell_left(struct uring_req *r, s32 left)
{
	r->cqe_flags = left > 0 ? IORING_CQE_F_SOCK_NONEMPTY : 0;
}

/* N of an operation that wants WANTED bytes in all, NET has moved some before. */
static int moved(struct uring_req *r, long n, size_t wanted, bool stream)
{
	struct uring_net *net = &r->net;

	if (n > 0 && stream && net->flags & MSG_WAITALL && net->done + (size_t)n < wanted) {
		net->done += (size_t)n;
		return -EAGAIN;
	}
	if (n == -EAGAIN && !r->nowait_only)
		return -EAGAIN;
	/* Bytes that moved are told, whatever came after them. */
	if (n < 0 && !net->done)
		return (int)n;
	n = (n > 0 ? n : 0) + (long)net->done;
	r->res = (s32)n;
	r->fell_short = net->flags & MSG_WAITALL && (size_t)n < wanted;
	return URING_DONE;
}

static bool is_stream(const struct socket *s)
{
	return s->type == SOCK_STREAM || s->type == SOCK_SEQPACKET;
}

static unsigned int flags_for(const struct uring_req *r, bool nowait)
{
	return r->net.flags | (nowait ? MSG_DONTWAIT : 0);
}

static int prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->ioprio & ~IORING_RECVSEND_POLL_FIRST)
		return -EINVAL;
	r->net.flags = sqe->msg_flags;
	r->net.done = 0;
	r->net.msg = NULL;
	r->net.poll_first = sqe->ioprio & IORING_RECVSEND_POLL_FIRST;
	r->nowait_only = r->net.flags & MSG_DONTWAIT;
	return 0;
}

/* It is to wait for its socket before it tries: once. */
static bool waits_first(struct uring_req *r, bool nowait)
{
	bool yes = r->net.poll_first && nowait && !r->nowait_only;

	r->net.poll_first = false;
	return yes;
}

/* ---- one buffer ---- */

int uring_send_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	int e = prep(r, sqe);

	if (e || sqe->__pad3[0])
		return e ?: -EINVAL;
	r->net.flags |= MSG_NOSIGNAL;
	r->net.buf = UPTR((unsigned long)sqe->addr);
	r->net.len = sqe->len;
	r->net.addr_len = sqe->addr2 ? sqe->addr_len : 0;
	if (!r->net.addr_len)
		return 0;
	r->net.addr = kmalloc(sizeof(*r->net.addr), GFP_KERNEL_ACCOUNT);
	if (!r->net.addr)
		return -ENOMEM;
	r->flags |= R_CLEAN;
	return sock_get_addr(r->net.addr, UPTR((unsigned long)sqe->addr2), r->net.addr_len);
}

int uring_send_issue(struct uring_req *r, bool nowait)
{
	struct socket *s = socket_of(r);
	struct uring_net *net = &r->net;
	struct sock_msg m;
	struct iter it;

	if (!s)
		return -ENOTSOCK;
	if (waits_first(r, nowait))
		return -EAGAIN;
	if (import_ubuf(ITER_SOURCE, net->buf, net->len, &it))
		return -EFAULT;
	iter_advance(&it, min(net->done, iter_count(&it)));
	sock_init_msg(&m, s, &it, flags_for(r, nowait) & ~(unsigned int)MSG_WAITALL);
	if (net->addr_len) {
		memcpy(&m.addr, net->addr, sizeof(m.addr));
		m.addr_len = net->addr_len;
	}
	return moved(r, s->ops->sendmsg(s, &m), net->len, is_stream(s));
}

int uring_recv_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->addr2 || sqe->file_index)
		return -EINVAL;
	r->net.buf = UPTR((unsigned long)sqe->addr);
	r->net.len = sqe->len;
	r->net.addr_len = 0;
	return prep(r, sqe);
}

int uring_recv_issue(struct uring_req *r, bool nowait)
{
	struct socket *s = socket_of(r);
	struct uring_net *net = &r->net;
	unsigned int flags = flags_for(r, nowait);
	struct sock_msg m;
	struct iter it;
	ssize_t n;

	if (!s)
		return -ENOTSOCK;
	if (waits_first(r, nowait))
		return -EAGAIN;
	if (import_ubuf(ITER_DEST, net->buf, net->len, &it))
		return -EFAULT;
	iter_advance(&it, min(net->done, iter_count(&it)));
	if (nowait)
		flags &= ~(unsigned int)MSG_WAITALL;
	sock_init_msg(&m, s, &it, flags);
	n = s->ops->recvmsg(s, &m);
	tell_left(r, m.left);
	return moved(r, n, net->len, is_stream(s));
}

/* ---- messages ---- */

static int msg_prep(struct uring_req *r, const struct io_uring_sqe *sqe, bool send)
{
	int e = prep(r, sqe);

	if (e || sqe->addr2 || sqe->file_index)
		return e ?: -EINVAL;
	if (send)
		r->net.flags |= MSG_NOSIGNAL;
	r->net.addr_len = 0;
	r->net.msg = kmalloc(sizeof(*r->net.msg), GFP_KERNEL_ACCOUNT);
	if (!r->net.msg)
		return -ENOMEM;
	e = sock_user_msg_read(r->net.msg, UPTR((unsigned long)sqe->addr), send);
	if (e) {
		kfree(r->net.msg);
		return e;
	}
	r->flags |= R_CLEAN;
	return 0;
}

int uring_sendmsg_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	return msg_prep(r, sqe, true);
}

int uring_recvmsg_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	return msg_prep(r, sqe, false);
}

void uring_net_clean(struct uring_req *r)
{
	if (r->net.msg) {
		sock_user_msg_done(r->net.msg);
		kfree(r->net.msg);
	} else {
		kfree(r->net.addr);
	}
}

size_t uring_net_moved(const struct uring_req *r)
{
	return r->net.done;
}

int uring_sendmsg_issue(struct uring_req *r, bool nowait)
{
	struct socket *s = socket_of(r);
	unsigned int flags = flags_for(r, nowait) & ~(unsigned int)MSG_WAITALL;

	if (!s)
		return -ENOTSOCK;
	if (waits_first(r, nowait))
		return -EAGAIN;
	return moved(r, sock_user_msg_send(s, r->net.msg, r->net.done, flags), r->net.msg->bytes,
		     is_stream(s));
}

int uring_recvmsg_issue(struct uring_req *r, bool nowait)
{
	struct socket *s = socket_of(r);
	unsigned int flags = flags_for(r, nowait);
	long n;

	if (!s)
		return -ENOTSOCK;
	if (waits_first(r, nowait))
		return -EAGAIN;
	if (nowait)
		flags &= ~(unsigned int)MSG_WAITALL;
	n = sock_user_msg_recv(s, r->net.msg, r->net.done, flags);
	tell_left(r, r->net.msg->left);
	return moved(r, n, r->net.msg->bytes, is_stream(s));
}

/* ---- connections ---- */

int uring_accept_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->len || sqe->buf_index)
		return -EINVAL;
	if (sqe->ioprio & ~(IORING_ACCEPT_DONTWAIT | IORING_ACCEPT_POLL_FIRST))
		return -EINVAL;
	r->net.index = sqe->file_index;
	if (r->net.index && sqe->accept_flags & SOCK_CLOEXEC)
		return -EINVAL;
	r->nowait_only = sqe->ioprio & IORING_ACCEPT_DONTWAIT;
	r->net.poll_first = sqe->ioprio & IORING_ACCEPT_POLL_FIRST;
	r->net.flags = sqe->accept_flags;
	r->net.buf = UPTR((unsigned long)sqe->addr);
	r->net.len_at = UPTR((unsigned long)sqe->addr2);
	if (r->net.flags & ~(u32)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	return 0;
}

/* F becomes a descriptor or a registered file. */
static int install(struct uring_req *r, struct file *f)
{
	int fd;

	if (r->net.index)
		return uring_install(r, f, r->net.index);
	fd = get_unused_fd_flags(r->net.flags & O_CLOEXEC);
	if (fd < 0)
		fput(f);
	else
		fd_install((unsigned int)fd, f);
	return fd;
}

int uring_accept_issue(struct uring_req *r, bool nowait)
{
	struct __kernel_sockaddr_storage a;
	struct socket *s = socket_of(r);
	int len, fd = -1, e = 0;
	struct file *f;

	if (!s)
		return -ENOTSOCK;
	if (waits_first(r, nowait))
		return -EAGAIN;
	/* No connection is taken that there is no number for. */
	if (!r->net.index) {
		fd = get_unused_fd_flags(r->net.flags & O_CLOEXEC);
		if (fd < 0)
			return fd;
	}
	memset(&a, 0, sizeof(a));
	f = sock_accept_file(s, &a, &len, (int)r->net.flags, nowait);
	if (IS_ERR(f))
		e = (int)PTR_ERR(f);
	else if (!uptr_is_null(r->net.buf))
		e = sock_put_addr(&a, len, r->net.buf, r->net.len_at);
	if (e && !IS_ERR(f))
		fput(f);
	if (e && fd >= 0)
		put_unused_fd((unsigned int)fd);
	if (e)
		return e;
	if (fd >= 0)
		fd_install((unsigned int)fd, f);
	r->res = fd >= 0 ? fd : uring_install(r, f, r->net.index);
	return r->res < 0 ? r->res : URING_DONE;
}

int uring_connect_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->len || sqe->buf_index || sqe->rw_flags || sqe->splice_fd_in)
		return -EINVAL;
	r->net.msg = NULL;
	r->net.under_way = false;
	r->net.addr_len = (int)sqe->addr2;
	if (sqe->addr2 > sizeof(*r->net.addr))
		return -EINVAL;
	r->net.addr = kmalloc(sizeof(*r->net.addr), GFP_KERNEL_ACCOUNT);
	if (!r->net.addr)
		return -ENOMEM;
	r->flags |= R_CLEAN;
	return sock_get_addr(r->net.addr, UPTR((unsigned long)sqe->addr), r->net.addr_len);
}

int uring_connect_issue(struct uring_req *r, bool nowait)
{
	struct socket *s = socket_of(r);
	int e;

	if (!s)
		return -ENOTSOCK;
	if (!s->ops->connect)
		return -EOPNOTSUPP;
	e = s->ops->connect(s, r->net.addr, r->net.addr_len, nowait ? O_NONBLOCK : 0);
	if (nowait && (e == -EINPROGRESS || (e == -EALREADY && r->net.under_way))) {
		r->net.under_way = true;
		return -EAGAIN;
	}
	if (e == -EISCONN && r->net.under_way)
		e = 0;
	return e;
}

int uring_shutdown_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->off || sqe->addr || sqe->rw_flags || sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	r->net.len = sqe->len;
	return 0;
}

int uring_shutdown_issue(struct uring_req *r, bool nowait)
{
	struct socket *s = socket_of(r);

	(void)nowait;
	if (!s)
		return -ENOTSOCK;
	return s->ops->shutdown ? s->ops->shutdown(s, (int)r->net.len) : -EOPNOTSUPP;
}

int uring_socket_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->addr || sqe->rw_flags || sqe->buf_index)
		return -EINVAL;
	r->net.index = sqe->file_index;
	if (r->net.index && sqe->off & SOCK_CLOEXEC)
		return -EINVAL;
	r->net.flags = (u32)sqe->off;
	r->net.len = sqe->len;
	if (r->net.flags & ~(u32)(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	return 0;
}

int uring_socket_issue(struct uring_req *r, bool nowait)
{
	struct file *f = sock_create_file(r->fd, (int)r->net.flags, (int)r->net.len);

	(void)nowait;
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	r->res = install(r, f);
	return r->res < 0 ? r->res : URING_DONE;
}

int uring_bind_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->len || sqe->buf_index || sqe->rw_flags || sqe->splice_fd_in)
		return -EINVAL;
	r->net.msg = NULL;
	r->net.addr_len = (int)sqe->addr2;
	if (sqe->addr2 > sizeof(*r->net.addr))
		return -EINVAL;
	r->net.addr = kmalloc(sizeof(*r->net.addr), GFP_KERNEL_ACCOUNT);
	if (!r->net.addr)
		return -ENOMEM;
	r->flags |= R_CLEAN;
	return sock_get_addr(r->net.addr, UPTR((unsigned long)sqe->addr), r->net.addr_len);
}

int uring_bind_issue(struct uring_req *r, bool nowait)
{
	struct socket *s = socket_of(r);

	(void)nowait;
	return s ? s->ops->bind(s, r->net.addr, r->net.addr_len) : -ENOTSOCK;
}

int uring_listen_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->addr || sqe->buf_index || sqe->rw_flags || sqe->splice_fd_in || sqe->addr2)
		return -EINVAL;
	r->net.len = sqe->len;
	return 0;
}

int uring_listen_issue(struct uring_req *r, bool nowait)
{
	struct socket *s = socket_of(r);

	(void)nowait;
	if (!s)
		return -ENOTSOCK;
	return s->ops->listen ? s->ops->listen(s, (int)r->net.len) : -EOPNOTSUPP;
}
