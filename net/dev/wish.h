/* SPDX-License-Identifier: MIT */
/*
 * What a program says of a device that it makes or changes: the IFLA_* attributes of
 * rtnetlink(7), decoded; and the kinds of devices that programs can make.
 */
#pragma once

#include <net/netdev.h>
#include <net/netns.h>
#include <linux/if_link.h>
#include "net/wire/nlattr.h"

extern const struct nla_rule netdev_link_rules[IFLA_MAX + 1];

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
/* TB, by netdev_link_rules, into W. 0 or -EINVAL with the reason in E. */
int netdev_wish_parse(struct netdev_wish *w, const struct nlattr *const *tb, struct nla_error *e)
	__must_check;
/*
 * D, not registered yet, is as W says; KIND is the beginning of its name where W has none. 0 or
 * -EINVAL, -EADDRNOTAVAIL.
 */
int netdev_wish_apply(const struct netdev_wish *w, struct netdev *d, const char *kind) __must_check;
/*
 * The namespace that IFLA_NET_NS_PID or IFLA_NET_NS_FD names, referenced, over which the caller has
 * CAP_NET_ADMIN; NULL: none is named. ERR_PTR(-EPERM, -ESRCH, -EBADF, -EINVAL).
 */
struct net *netdev_wish_net(const struct nlattr *const *tb) __must_check;

/*
 * Of a task that the caller sees, and of a namespace's file, referenced. ERR_PTR(-ESRCH, -EBADF,
 * -EINVAL).
 */
struct net *netns_by_pid(int nr) __must_check;
struct net *netns_by_fd(int fd) __must_check;

void netdev_kind_register(struct netdev_kind *k);	/* at boot */
const struct netdev_kind *netdev_kind_find(const char *name);
