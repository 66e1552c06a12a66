/* SPDX-License-Identifier: MIT */
/* Devices that programs make. */
#pragma once

#include <net/netdev.h>
#include <net/netns.h>

/*
 * rtnl. A pair, each end in its namespace: 0, and what netdev_register() says. The names may be
 * patterns.
 */
int veth_make(struct net *net, const char *name, struct net *peer_net, const char *peer_name)
	__must_check;
