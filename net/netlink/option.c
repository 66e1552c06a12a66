// SPDX-License-Identifier: MIT
/* Options of SOL_NETLINK (netlink(7)). */
#include <lib/minmax.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include "net/netlink/netlink_priv.h"

/* The flag that a boolean option is; -1: it is none. */
static int flag_of(int name)
{
	switch (name) {
	case NETLINK_PKTINFO:
		return NETLINK_F_PKTINFO;
	case NETLINK_BROADCAST_ERROR:
		return NETLINK_F_BROADCAST_ERROR;
	case NETLINK_NO_ENOBUFS:
		return NETLINK_F_NO_ENOBUFS;
	case NETLINK_CAP_ACK:
		return NETLINK_F_CAP_ACK;
	case NETLINK_EXT_ACK:
		return NETLINK_F_EXT_ACK;
	case NETLINK_GET_STRICT_CHK:
		return NETLINK_F_STRICT;
	}
	return -1;
}

static int membership(struct netlink_sock *n, int name, u32 group)
{
	int err = 0;

	if (!netlink_may(n, n->protocol->anybody_joins))
		return -EPERM;
	if (!group || group > n->protocol->groups)
		return -EINVAL;
	lock_sock(&n->sk);
	if (name == NETLINK_ADD_MEMBERSHIP)
		err = netlink_join(n, group);
	else
		netlink_leave(n, group);
	release_sock(&n->sk);
	return err;
}

int netlink_setsockopt(struct socket *s, int level, int name, struct uptr val, int len)
{
	struct netlink_sock *n = netlink_sk(s);
	int flag = flag_of(name);
	u32 v;

	if (level == SOL_SOCKET)
		return sock_setsockopt(s, name, val, len);
	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (len >= (int)sizeof(v) && get_user(v, val))
		return -EFAULT;
	if (len < (int)sizeof(v))
		v = 0;
	if (name == NETLINK_ADD_MEMBERSHIP || name == NETLINK_DROP_MEMBERSHIP)
		return membership(n, name, v);
	if (flag < 0)
		return -ENOPROTOOPT;
	if (v)
		__atomic_fetch_or(&n->flags, 1ul << flag, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&n->flags, ~(1ul << flag), __ATOMIC_RELAXED);
	if (name == NETLINK_NO_ENOBUFS && v)
		WRITE_ONCE(n->congested, 0);
	return 0;
}

/* The groups as words of 32 bits, and how many bytes all of them take. */
static int list_memberships(struct netlink_sock *n, struct uptr val, struct uptr ulen, s32 len)
{
	u32 words = DIV_ROUND_UP(n->protocol->groups, 32u);
	s32 whole = (s32)ALIGN(words * sizeof(u32), sizeof(long));
	int err = 0;

	lock_sock(&n->sk);
	for (u32 w = 0; w < words && (s32)((w + 1) * sizeof(u32)) <= len && !err; w++) {
		u32 bits = 0;

		for (u32 i = 1; i <= 32 && w * 32 + i <= n->protocol->groups; i++)
			if (netlink_joined(n, w * 32 + i))
				bits |= 1u << (i - 1);
		if (put_user(bits, uptr_add(val, w * sizeof(u32))))
			err = -EFAULT;
	}
	release_sock(&n->sk);
	return err ?: put_user(whole, ulen) ? -EFAULT : 0;
}

int netlink_getsockopt(struct socket *s, int level, int name, struct uptr val, struct uptr ulen)
{
	struct netlink_sock *n = netlink_sk(s);
	int flag = flag_of(name), v;
	s32 len;

	if (level == SOL_SOCKET)
		return sock_getsockopt(s, name, val, ulen);
	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (get_user(len, ulen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	if (name == NETLINK_LIST_MEMBERSHIPS)
		return list_memberships(n, val, ulen, len);
	if (flag < 0)
		return -ENOPROTOOPT;
	if (len < (s32)sizeof(v))
		return -EINVAL;
	v = netlink_flag(n, (enum netlink_flag)flag);
	return sock_put_option(&v, sizeof(v), val, ulen);
}
