// SPDX-License-Identifier: MIT
/*
 * What local sockets have of their own: ioctls, and options of SOL_SOCKET that differ (unix(7));
 * the others are net/core/sock_opt.c's.
 */
#include <lib/types.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include <asm/ioctls.h>
#include <linux/sockios.h>
#include "net/unix/unix_priv.h"

u32 unix_unread(const struct unix_sock *u)
{
	const struct unix_msg *q;

	if (u->sk.type != SOCK_DGRAM)
		return (u32)u->bytes;
	q = list_first_entry_or_null(&u->queue, const struct unix_msg, list);
	return q ? (u32)q->len : 0;
}

int unix_ioctl(struct socket *s, unsigned int cmd, unsigned long arg)
{
	struct unix_sock *u = s->sk;
	u32 n;

	switch (cmd) {
	case SIOCOUTQ:
		return put_user((u32)atomic_read(&u->sk.wmem), UPTR(arg)) ? -EFAULT : 0;
	case SIOCATMARK:
		if (u->sk.type != SOCK_STREAM)
			break;
		return put_user((u32)unix_at_mark(u), UPTR(arg)) ? -EFAULT : 0;
	case SIOCINQ:
		if (u->sk.state == UNIX_LISTEN)
			return -EINVAL;
		spin_lock(&u->sk.lock);
		n = unix_unread(u);
		spin_unlock(&u->sk.lock);
		return put_user(n, UPTR(arg)) ? -EFAULT : 0;
	}
	return -ENOIOCTLCMD;
}

int unix_get_option(struct sock *sk, int name, struct uptr val, struct uptr len)
{
	s32 v;

	if (name != SO_ACCEPTCONN)
		return -ENOIOCTLCMD;
	v = READ_ONCE(sk->state) == UNIX_LISTEN;
	return sock_put_option(&v, sizeof(v), val, len);
}

int unix_setsockopt(struct socket *s, int level, int name, struct uptr val, int len)
{
	return level == SOL_SOCKET ? sock_setsockopt(s, name, val, len) : -EOPNOTSUPP;
}

int unix_getsockopt(struct socket *s, int level, int name, struct uptr val, struct uptr len)
{
	return level == SOL_SOCKET ? sock_getsockopt(s, name, val, len) : -EOPNOTSUPP;
}
