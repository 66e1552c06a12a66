// SPDX-License-Identifier: MIT
/* Addresses and messages of socket calls, from and to user memory. */
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <net/user_msg.h>
#include <abi/errno.h>

#define VECTORS_MOST 1024u

int sock_get_addr(struct __kernel_sockaddr_storage *a, struct uptr p, int len)
{
	memset(a, 0, sizeof(*a));
	if (len < 0 || len > (int)sizeof(*a))
		return -EINVAL;
	return len && copy_from_user(a, p, (size_t)len) ? -EFAULT : 0;
}

int sock_put_addr(const struct __kernel_sockaddr_storage *a, int len, struct uptr p,
		  struct uptr ulen)
{
	s32 room;

	if (get_user(room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (copy_to_user(p, a, (size_t)min(room, len)) || put_user((s32)len, ulen))
		return -EFAULT;
	return 0;
}

static int read_name(struct sock_user_msg *u)
{
	struct user_msghdr *h = &u->h;

	if (!h->name || !h->namelen)
		return 0;
	if (h->namelen < 0 || h->namelen > (int)sizeof(u->addr))
		return -EINVAL;
	return copy_from_user(&u->addr, UPTR(h->name), (size_t)h->namelen) ? -EFAULT : 0;
}

int sock_user_msg_read(struct sock_user_msg *u, struct uptr at, bool send)
{
	struct iter it;
	ssize_t n;
	int e = 0;

	u->at = at;
	u->iov = u->fast;
	if (copy_from_user(&u->h, at, sizeof(u->h)))
		return -EFAULT;
	if (u->h.iovlen > VECTORS_MOST)
		return -EMSGSIZE;
	if (!send && u->h.namelen < 0)
		return -EINVAL;
	n = import_iovec(send ? ITER_SOURCE : ITER_DEST, UPTR(u->h.iov), u->h.iovlen, UIO_FASTIOV,
			 &u->iov, &it);
	if (n < 0) {
		u->iov = u->fast;
		return (int)n;
	}
	u->iov = u->iov ?: u->fast;
	u->bytes = (size_t)n;
	if (send)
		e = u->h.controllen > INT_MAX ? -ENOBUFS : read_name(u);
	if (e)
		sock_user_msg_done(u);
	return e;
}

void sock_user_msg_done(struct sock_user_msg *u)
{
	if (u->iov != u->fast)
		kfree(u->iov);
	u->iov = u->fast;
}

static void init(struct sock_msg *m, struct socket *s, struct iter *it,
		 const struct sock_user_msg *u, unsigned int dir, size_t skip, unsigned int flags)
{
	iter_init_iovec(it, dir, u->iov, u->h.iovlen, u->bytes);
	if (skip)
		iter_advance(it, skip);
	sock_init_msg(m, s, it, flags);
	m->control = UPTR(u->h.control);
	m->control_len = u->h.control ? u->h.controllen : 0;
}

long sock_user_msg_send(struct socket *s, const struct sock_user_msg *u, size_t skip,
			unsigned int flags)
{
	struct sock_msg m;
	struct iter it;

	init(&m, s, &it, u, ITER_SOURCE, skip, flags);
	if (skip)
		m.control_len = 0;	/* it went with the bytes before */
	if (u->h.name && u->h.namelen) {
		memcpy(&m.addr, &u->addr, (size_t)u->h.namelen);
		m.addr_len = u->h.namelen;
	}
	return s->ops->sendmsg(s, &m);
}

long sock_user_msg_recv(struct socket *s, struct sock_user_msg *u, size_t skip, unsigned int flags)
{
	struct user_msghdr *h = &u->h;
	struct sock_msg m;
	struct iter it;
	long r;

	init(&m, s, &it, u, ITER_DEST, skip, flags);
	r = s->ops->recvmsg(s, &m);
	u->left = m.left;
	if (r < 0)
		return r;
	if (h->name && copy_to_user(UPTR(h->name), &m.addr, (size_t)min(h->namelen, m.addr_len)))
		return -EFAULT;
	h->flags = m.out_flags | (flags & MSG_CMSG_CLOEXEC);
	if (put_user((u32)m.addr_len, uptr_add(u->at, offsetof(struct user_msghdr, namelen))) ||
	    put_user((u64)m.control_done,
		     uptr_add(u->at, offsetof(struct user_msghdr, controllen))) ||
	    put_user(h->flags, uptr_add(u->at, offsetof(struct user_msghdr, flags))))
		return -EFAULT;
	return r;
}
