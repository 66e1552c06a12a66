// SPDX-License-Identifier: MIT
/* Options about groups of IPv6 (ipv6(7), RFC 3493); those of RFC 3678 are in mcast_source.c. */
#include <lib/string.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include "net/inet/mcast.h"

int inet6_mc_setsockopt(struct inet_sock *s, int name, struct uptr val, int len)
{
	struct inet_mc_where w = { .six = true };
	struct ipv6_mreq r;
	int err;

	if (name != IPV6_ADD_MEMBERSHIP && name != IPV6_DROP_MEMBERSHIP)
		return inet_mc_set_common(s, true, name, val, len);
	if (len < (int)sizeof(r))
		return -EINVAL;
	if (copy_from_user(&r, val, sizeof(r)))
		return -EFAULT;
	if (s->sk.type == SOCK_STREAM)
		return -EPROTO;
	memcpy(&w.group, &r.ipv6mr_multiaddr, sizeof(w.group));
	w.ifindex = r.ipv6mr_ifindex;
	rtnl_lock();
	lock_sock(&s->sk);
	err = name == IPV6_ADD_MEMBERSHIP ? inet_mc_join(s, &w, MC_EXCLUDE) : inet_mc_leave(s, &w);
	release_sock(&s->sk);
	rtnl_unlock();
	return err;
}

int inet6_mc_getsockopt(struct inet_sock *s, int name, struct uptr val, struct uptr len)
{
	return name == MCAST_MSFILTER ? inet_mc_get_filter(s, true, val, len) : -ENOIOCTLCMD;
}
