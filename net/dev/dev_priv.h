/* SPDX-License-Identifier: MIT */
/* Between the files of net/dev. */
#pragma once

#include <net/netdev.h>
#include <net/netns.h>

struct seq_file;

/* receive.c. types_lock: the protocol's packets go to T from here on. */
void packet_handler_add(struct packet_type *t);
void packet_handlers_show(struct seq_file *m);
/* A line of /proc/net/ptype. */
void packet_type_show(struct seq_file *m, be16 protocol, const char *dev, const void *function);
/* kind.c, rtnl: D, which is registered, counts with its kind (BY is 1), or no more (-1). */
void netdev_kind_count(struct netdev *d, int by);
/* names.c, rtnl: 0, -EINVAL, -EEXIST, -ENFILE: PATTERN's name for D in NET into NAME. */
int netdev_make_name(struct net *net, const char *pattern, char name[NETDEV_NAME]) __must_check;
u32 netdev_name_hash(const char *name);
/* D is in the tables of d->net: 0 or -ENOMEM; or is no more. rtnl. */
int netdev_publish(struct netdev *d, gfp_t gfp) __must_check;
void netdev_unpublish(struct netdev *d);
/* loopback.c: NET gets its lo. */
int loopback_begin(struct net *net) __must_check;
/*
 * local.c. rtnl: packets under way to the devices of GOING (netdev->going), of which no new ones
 * come, are gone. Sleeps, for two grace periods however many devices there are.
 */
void net_local_purge(struct list_head *going);
/*
 * gro.c. P, which begins with its network header, is held in G or goes onto OUT, with what must be
 * received before it.
 */
void net_gro_add(struct net_gro *g, struct packet *p, struct packet_list *out);
/* Whatever G holds goes onto OUT. */
void net_gro_flush(struct net_gro *g, struct packet_list *out);
/* Whatever Q holds is received. Within RCU, by Q's holder. */
void net_poll_flush(struct net_poll *q);
/* send.c: what waits for the driver goes. */
void netdev_tx_purge(struct netdev *d);
/* local.c: what is left of the packets of a section that the task has just left. */
void net_rest_run(void);
/*
 * taps.c, within RCU. Taps see P, which D received. True: one that asked for its protocol may have
 * seen it, so that it found somebody.
 */
bool netdev_tap_received(struct packet *p, struct netdev *d);
/* Taps see P, which D sends. */
void netdev_tap_sent(struct packet *p, struct netdev *d);
static inline bool netdev_has_taps(const struct netdev *d)
{
	return READ_ONCE(d->net->nr_taps);
}
