/* SPDX-License-Identifier: MIT */
/*
 * What a program says of a device that it makes or changes: the IFLA_* attributes of
 * rtnetlink(7), decoded.
 */
#pragma once

#include <net/kind.h>
#include <net/netdev.h>
#include <net/netns.h>
#include <net/nlattr.h>
#include <linux/if_link.h>

extern const struct nla_rule netdev_link_rules[IFLA_MAX + 1];

/* TB, by netdev_link_rules, into W. 0 or -EINVAL with the reason in E. */
int netdev_wish_parse(struct netdev_wish *w, const struct nlattr *const *tb, struct nla_error *e)
	__must_check;
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
