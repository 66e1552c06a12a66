/* SPDX-License-Identifier: MIT */
/*
 * Kinds of devices that programs make: what the image or a module has of them. A device is no use
 * of its module, which may be unloaded: its devices go then.
 */
#pragma once

#include <net/netdev.h>
#include <net/netns.h>

/* A device to be made. */
struct netdev_wish {
	char name[NETDEV_NAME];		/* or a pattern; empty: the kind's name and a number */
	bool has_addr, has_qlen;
	bool named;			/* a name was given, if only an empty one */
	u8 addr[NETDEV_ADDR];
	u8 addr_len;
	u32 mtu;			/* 0: the kind's */
	u32 qlen, group;
};
/*
 * D, not registered yet, is as W says; KIND is the beginning of its name where W has none. 0 or
 * -EINVAL, -EADDRNOTAVAIL.
 */
int netdev_wish_apply(const struct netdev_wish *w, struct netdev *d, const char *kind) __must_check;
/* 0, or -EEXIST: there is one of that name. Takes rtnl. */
int netdev_kind_register(struct netdev_kind *k) __must_check;
/*
 * K is not found any more and has no device: those that there are go, in all namespaces. Takes
 * rtnl, and waits for namespaces that end. Packets, and who has a reference, may still be in its
 * devices' functions: the end of a module waits for them (kernel/owner.h: a device is a hold).
 */
void netdev_kind_unregister(struct netdev_kind *k);
/* rtnl. NULL: there is none, or it goes. */
struct netdev_kind *netdev_kind_find(const char *name);
