/* SPDX-License-Identifier: MIT */
/* Between netns.c and netns_end.c. */
#pragma once

#include <net/netns.h>

extern struct rw_semaphore net_ops_lock;
extern struct list_head net_ops_list;	/* net_ops_lock */
extern spinlock_t net_list_lock;
extern struct list_head net_list;	/* net_list_lock: struct net.all */

/* NET, just made, can end. */
void net_init_end(struct net *net);
