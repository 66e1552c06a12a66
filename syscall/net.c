// SPDX-License-Identifier: MIT
/* Sockets at the edge: socket(2), bind(2), connect(2), send(2), recv(2), getsockopt(2). */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/syscalls.h>
#include <kernel/time.h>
#include <mm/iter.h>
#include <mm/uaccess.h>
#include <net/sock.h>
#include <net/socket.h>
#include <net/user_msg.h>
#include <sched/task.h>
#include <syscall/time_user.h>
#include <vfs/file.h>
#include <abi/errno.h>

struct user_mmsghdr {
	struct user_msghdr hdr;
	u32 len, pad;
};

/* Runs BODY with the socket of FD as S. */
#define WITH_SOCKET(fd, s, body) ({						\
	struct socket *s = sock_from_fd(fd);					\
	long __r;								\
	if (IS_ERR(s)) {							\
		__r = PTR_ERR(s);						\
	} else {								\
		struct file *__f = s->file;					\
		__r = body;							\
		fput(__f);							\
	}									\
	__r; })

long sys_socket(int family, int type, int protocol) { return sock_create_fd(family, type, protocol); }

long sys_socketpair(int family, int type, int protocol, struct uptr usockvec)
{
	int fds[2], e = sock_pair_fds(family, type, protocol, fds);

	if (e)
		return e;
	if (copy_to_user(usockvec, fds, sizeof(fds))) {
		close_fd((unsigned int)fds[0]);
		close_fd((unsigned int)fds[1]);
		return -EFAULT;
	}
	return 0;
}

long sys_bind(int fd, struct uptr addr, int len)
{
	struct __kernel_sockaddr_storage a;
	int e = sock_get_addr(&a, addr, len);

	return WITH_SOCKET(fd, s, e ?: s->ops->bind(s, &a, len));
}

long sys_connect(int fd, struct uptr addr, int len)
{
	struct __kernel_sockaddr_storage a;
	int e = sock_get_addr(&a, addr, len);

	return WITH_SOCKET(fd, s, e ?: !s->ops->connect ? -EOPNOTSUPP : s->ops->connect(s, &a, len, (int)s->file->f_flags));
}

long sys_listen(int fd, int backlog) { return WITH_SOCKET(fd, s, s->ops->listen ? s->ops->listen(s, backlog) : -EOPNOTSUPP); }
long sys_shutdown(int fd, int how) { return WITH_SOCKET(fd, s, s->ops->shutdown ? s->ops->shutdown(s, how) : -EOPNOTSUPP); }

static long accept_one(struct socket *s, struct uptr addr, struct uptr ulen, int flags)
{
	struct __kernel_sockaddr_storage a;
	int len, e, fd;

	memset(&a, 0, sizeof(a));
	fd = sock_accept_fd(s, &a, &len, flags);
	if (fd < 0 || uptr_is_null(addr))
		return fd;
	e = sock_put_addr(&a, len, addr, ulen);
	if (!e)
		return fd;
	close_fd((unsigned int)fd);
	return e;
}

long sys_accept4(int fd, struct uptr addr, struct uptr ulen, int flags)
{
	return WITH_SOCKET(fd, s, accept_one(s, addr, ulen, flags));
}

long sys_accept(int fd, struct uptr addr, struct uptr ulen) { return sys_accept4(fd, addr, ulen, 0); }

static long name_of(struct socket *s, struct uptr addr, struct uptr ulen, bool peer)
{
	struct __kernel_sockaddr_storage a;
	int len;

	memset(&a, 0, sizeof(a));
	len = s->ops->getname(s, &a, peer);
	return len < 0 ? len : sock_put_addr(&a, len, addr, ulen);
}

long sys_getsockname(int fd, struct uptr addr, struct uptr len) { return WITH_SOCKET(fd, s, name_of(s, addr, len, false)); }
long sys_getpeername(int fd, struct uptr addr, struct uptr len) { return WITH_SOCKET(fd, s, name_of(s, addr, len, true)); }

long sys_setsockopt(int fd, int level, int name, struct uptr val, int len)
{
	return WITH_SOCKET(fd, s, len < 0 ? -EINVAL : s->ops->setsockopt(s, level, name, val, len));
}

long sys_getsockopt(int fd, int level, int name, struct uptr val, struct uptr len)
{
	return WITH_SOCKET(fd, s, s->ops->getsockopt(s, level, name, val, len));
}

static long send_one(struct socket *s, struct uptr buf, size_t len, unsigned int flags, struct uptr addr, int addr_len)
{
	struct iter i;
	struct sock_msg m;
	int e = import_ubuf(ITER_SOURCE, buf, len, &i);

	if (e)
		return e;
	sock_init_msg(&m, s, &i, flags);
	if (!uptr_is_null(addr)) {
		e = sock_get_addr(&m.addr, addr, addr_len);
		if (e)
			return e;
		m.addr_len = addr_len;
	}
	return s->ops->sendmsg(s, &m);
}

long sys_sendto(int fd, struct uptr buf, size_t len, unsigned int flags, struct uptr addr, int addr_len)
{
	return WITH_SOCKET(fd, s, send_one(s, buf, len, flags, addr, addr_len));
}

static long recv_one(struct socket *s, struct uptr buf, size_t len, unsigned int flags, struct uptr addr, struct uptr addr_len)
{
	struct iter i;
	struct sock_msg m;
	long r;
	int e = import_ubuf(ITER_DEST, buf, len, &i);

	if (e)
		return e;
	sock_init_msg(&m, s, &i, flags);
	r = s->ops->recvmsg(s, &m);
	if (r >= 0 && !uptr_is_null(addr)) {
		e = sock_put_addr(&m.addr, m.addr_len, addr, addr_len);
		if (e)
			return e;
	}
	return r;
}

long sys_recvfrom(int fd, struct uptr buf, size_t len, unsigned int flags, struct uptr addr, struct uptr addr_len)
{
	return WITH_SOCKET(fd, s, recv_one(s, buf, len, flags, addr, addr_len));
}

static long send_msg(struct socket *s, struct uptr umsg, unsigned int flags)
{
	struct sock_user_msg u;
	long r = sock_user_msg_read(&u, umsg, true);

	if (r)
		return r;
	r = sock_user_msg_send(s, &u, 0, flags);
	sock_user_msg_done(&u);
	return r;
}

static long recv_msg(struct socket *s, struct uptr umsg, unsigned int flags)
{
	struct sock_user_msg u;
	long r = sock_user_msg_read(&u, umsg, false);

	if (r)
		return r;
	r = sock_user_msg_recv(s, &u, 0, flags);
	sock_user_msg_done(&u);
	return r;
}

long sys_sendmsg(int fd, struct uptr msg, unsigned int flags) { return WITH_SOCKET(fd, s, send_msg(s, msg, flags)); }
long sys_recvmsg(int fd, struct uptr msg, unsigned int flags) { return WITH_SOCKET(fd, s, recv_msg(s, msg, flags)); }

/* The count that went through; an error only if it was the first. */
static long send_many(struct socket *s, struct uptr vec, unsigned int n, unsigned int flags)
{
	long r = 0;
	unsigned int i;

	for (i = 0; i < min(n, 1024U); i++) {
		struct uptr at = uptr_add(vec, i * sizeof(struct user_mmsghdr));

		r = send_msg(s, at, flags);
		if (r < 0)
			break;
		if (put_user((u32)r, uptr_add(at, offsetof(struct user_mmsghdr, len)))) {
			r = -EFAULT;
			break;
		}
		cond_resched();
	}
	return i ?: r;
}

static long recv_many(struct socket *s, struct uptr vec, unsigned int n, unsigned int flags, const ktime_t *until)
{
	bool wait_one = flags & MSG_WAITFORONE;
	long r = 0;
	unsigned int i;

	flags &= ~(unsigned int)MSG_WAITFORONE;
	for (i = 0; i < min(n, 1024U); i++) {
		struct uptr at = uptr_add(vec, i * sizeof(struct user_mmsghdr));

		r = recv_msg(s, at, flags);
		if (r < 0)
			break;
		if (put_user((u32)r, uptr_add(at, offsetof(struct user_mmsghdr, len)))) {
			r = -EFAULT;
			break;
		}
		if (wait_one)
			flags |= MSG_DONTWAIT;
		if (until && (ktime_t)ktime_get_ns() >= *until) {
			i++;
			break;
		}
		cond_resched();
	}
	/* An error behind messages is told by the next call. */
	if (i && r < 0 && r != -EAGAIN)
		sock_set_error(s->sk, (int)-r);
	return i ?: r;
}

long sys_sendmmsg(int fd, struct uptr vec, unsigned int n, unsigned int flags)
{
	return WITH_SOCKET(fd, s, send_many(s, vec, n, flags));
}

long sys_recvmmsg(int fd, struct uptr vec, unsigned int n, unsigned int flags, struct uptr timeout)
{
	ktime_t until;
	long n_read;
	s64 ns;
	int e;

	if (uptr_is_null(timeout))
		return WITH_SOCKET(fd, s, recv_many(s, vec, n, flags, NULL));
	e = get_timespec_ns(&ns, timeout);
	if (e)
		return e;
	until = ktime_add_safe((ktime_t)ktime_get_ns(), ns);
	n_read = WITH_SOCKET(fd, s, recv_many(s, vec, n, flags, &until));
	ns = max(until - (ktime_t)ktime_get_ns(), (ktime_t)0);
	return n_read > 0 && put_timespec_ns(ns, timeout) ? -EFAULT : n_read;
}
