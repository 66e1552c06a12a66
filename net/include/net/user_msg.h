/* SPDX-License-Identifier: MIT */
/* Addresses and messages of socket calls, from and to user memory: each is read once. */
#pragma once

#include <mm/iter.h>
#include <net/socket.h>

struct user_msghdr {
	u64 name;
	s32 namelen, pad1;
	u64 iov, iovlen;
	u64 control, controllen;
	u32 flags, pad2;
};

/* LEN bytes at P to A, the rest of which is 0. 0, -EINVAL, -EFAULT. */
int sock_get_addr(struct __kernel_sockaddr_storage *a, struct uptr p, int len);
/*
 * To P, as much as *ULEN says that there is room for, and the true length to ULEN. 0, -EINVAL,
 * -EFAULT.
 */
int sock_put_addr(const struct __kernel_sockaddr_storage *a, int len, struct uptr p,
		  struct uptr ulen);

/* What sendmsg(2) and recvmsg(2) take. */
struct sock_user_msg {
	struct user_msghdr h;
	struct uptr at;			/* where it came from */
	struct iovec *iov;		/* FAST, or to be freed */
	size_t bytes;
	s32 left;			/* received: sock_msg's */
	struct __kernel_sockaddr_storage addr; /* of one that is sent: h.namelen bytes, if h.name */
	struct iovec fast[UIO_FASTIOV];
};

/* The message at AT. 0, -EFAULT, -EMSGSIZE, -EINVAL, -ENOMEM, -ENOBUFS. */
int sock_user_msg_read(struct sock_user_msg *u, struct uptr at, bool send);
void sock_user_msg_done(struct sock_user_msg *u);
/* From byte SKIP on, without control messages unless that is 0. Bytes or -errno. */
long sock_user_msg_send(struct socket *s, const struct sock_user_msg *u, size_t skip,
			unsigned int flags);
/* What is told of the message goes to where U came from. Bytes or -errno. */
long sock_user_msg_recv(struct socket *s, struct sock_user_msg *u, size_t skip, unsigned int flags);
