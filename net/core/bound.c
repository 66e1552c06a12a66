// SPDX-License-Identifier: MIT
/*
 * SO_BINDTODEVICE and SO_BINDTOIFINDEX (socket(7)): a sock receives from one device alone and sends
 * by it. Anybody may bind a sock that is bound to none, since Linux 5.7; changing or ending that
 * needs CAP_NET_RAW over its namespace. The number is kept, not the device: one that goes leaves
 * the sock without any.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/rcu.h>
#include <mm/uaccess.h>
#include <net/netdev.h>
#include <net/sock.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include "net/core/core_priv.h"

int sock_bind_index(struct sock *sk, int index)
{
	int err = 0;

	lock_sock(sk);
	if (sk->bound_dev && !sock_capable(sk, CAP_NET_RAW)) {
		err = -EPERM;
	} else if (index < 0) {
		err = -EINVAL;
	} else {
		spin_lock(&sk->lock);
		WRITE_ONCE(sk->bound_dev, index);
		spin_unlock(&sk->lock);
		if (sk->kind->bind_dev)
			err = sk->kind->bind_dev(sk);
	}
	release_sock(sk);
	return err;
}

int sock_bind_name(struct sock *sk, struct uptr val, int len)
{
	char name[NETDEV_NAME] = {};
	struct netdev *d;
	int index = 0;

	if (len < 0)
		return -EINVAL;
	if (copy_from_user(name, val, min_t(size_t, (size_t)len, sizeof(name) - 1)))
		return -EFAULT;
	if (name[0]) {
		rcu_read_lock();
		d = netdev_by_name(sk->net, name);
		index = d ? d->ifindex : -ENODEV;
		rcu_read_unlock();
	}
	return index < 0 ? index : sock_bind_index(sk, index);
}

int sock_put_bound_name(struct sock *sk, struct uptr val, struct uptr ulen)
{
	int index = READ_ONCE(sk->bound_dev);
	char name[NETDEV_NAME];
	struct netdev *d;
	s32 room;

	if (get_user(room, ulen))
		return -EFAULT;
	if (!index)
		return put_user((s32)0, ulen) ? -EFAULT : 0;
	if (room < NETDEV_NAME)
		return -EINVAL;
	rcu_read_lock();
	d = netdev_by_index(sk->net, index);
	if (d)
		strscpy(name, d->name, sizeof(name));
	rcu_read_unlock();
	return d ? sock_put_option(name, strlen(name) + 1, val, ulen) : -ENODEV;
}
