/* SPDX-License-Identifier: MIT */
/*
 * tun and tap: devices whose other end is a file (/dev/net/tun). What the device is to send waits
 * in the file's queue for read(2); what is written is received by the device, in the writer's
 * context (net_local_receive()).
 *
 * Device and file refer to each other: both pointers change under rtnl and are read under RCU. The
 * file's release detaches it; so does the device's end. A file has at most one device at a time,
 * a device one file. The file holds its opener's namespace, in which TUNSETIFF looks for devices;
 * the device may be in another one.
 *
 * Memory: at most tx_queue_len packets and TUN_QUEUE_BYTES wait in a file.
 *
 * Locks: rtnl > tun_file->lock.
 */
#pragma once

#include <lib/byteorder.h>
#include <kernel/refcount.h>
#include <net/netdev.h>
#include <net/netns.h>
#include <proc/cred.h>
#include <sched/wait.h>
#include <vfs/file.h>
#include <linux/if_tun.h>
#include "net/wire/vnet.h"

#define TUN_QUEUE_BYTES (32u << 20)
#define TUN_QUEUE_TUN 500		/* tx_queue_len that a device without addresses begins with */

struct tun_file {
	struct net *net;		/* c: the opener's, referenced */
	struct netdev __rcu *dev;	/* rtnl, RCU; NULL: not attached */
	spinlock_t lock;
	struct packet_list queue;	/* lock: for readers */
	wait_queue_head_t wait;
	struct fasync_struct __rcu *fasync;
	int ifindex;			/* rtnl: TUNSETIFINDEX: of the device to be made; 0 */
	int sndbuf;   /* plain: nothing that was written is under way afterwards */
};

struct tun {
	struct tun_file __rcu *file;	/* rtnl, RCU */
	u32 flags;			/* rtnl to change: IFF_TUN or IFF_TAP, and TUN_KEPT */
	kuid_t owner;			/* rtnl: may attach; invalid: not said */
	kgid_t group;			/* rtnl */
	int hdr_size;			/* rtnl to change: bytes of the header of IFF_VNET_HDR */
	bool little;			/* rtnl to change: that header is little-endian */
	atomic_t bad_frames;
};

/* Flags of TUNSETIFF that a device keeps. */
#define TUN_KEPT (IFF_NO_PI | IFF_ONE_QUEUE | IFF_VNET_HDR)

extern const struct netdev_ops tun_ops;

static inline struct tun *tun_of(const struct netdev *d)
{
	return d->priv;
}

static inline bool tun_is_tap(const struct netdev *d)
{
	return tun_of(d)->flags & IFF_TAP;
}

/* F's device, referenced; NULL: it has none. */
struct netdev *tun_file_dev(struct tun_file *f) __must_check;

/* rtnl. A device with these flags, registered in NET, or ERR_PTR. INDEX 0: any. */
struct netdev *tun_new(struct net *net, const char *name, int index, u32 flags) __must_check;
/* rtnl. D begins to belong to F, which has none. -EBUSY: it has a file. */
int tun_attach(struct netdev *d, struct tun_file *f) __must_check;
/* rtnl. F has no device any more. One that is not persistent goes. */
void tun_detach(struct tun_file *f);

/* A reader's and a writer's call. */
ssize_t tun_read_iter(struct kiocb *k, struct iter *to);
ssize_t tun_write_iter(struct kiocb *k, struct iter *from);
long tun_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
