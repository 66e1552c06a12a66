/* SPDX-License-Identifier: MIT */
/* Devices that programs make. */
#pragma once

#include <kernel/random.h>
#include <net/kind.h>
#include <net/netdev.h>
#include <net/netns.h>
#include "net/dev/wish.h"

/*
 * rtnl. A pair, each end in its namespace: the first end, or ERR_PTR() of what netdev_register()
 * says. The names may be patterns.
 */
struct netdev *veth_make(struct net *net, const struct netdev_wish *w, struct net *peer_net,
			 const struct netdev_wish *peer) __must_check;

/* A station's address of one's own choice (IEEE 802: locally administered). */
static inline void virt_random_addr(struct netdev *d)
{
	get_random_bytes(d->addr, ETH_ALEN);
	d->addr[0] = (u8)((d->addr[0] & ~1u) | 2);
}
