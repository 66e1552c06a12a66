/* SPDX-License-Identifier: MIT */
/*
 * Packet sockets (packet(7)): between the files of net/packet.
 *
 * A socket has a hook in the device layer (struct packet_type) while it has a protocol and its
 * device, if it is bound to one, is up. Its hook, its device and what it wants its devices to
 * receive change under rtnl; the answers of getsockname(2) are single words.
 *
 * A packet that the hook sees goes to the receive queue as a clone, or is copied into the ring
 * (PACKET_RX_RING) that the program maps. Either is full at some point: then packets are lost, and
 * counted.
 *
 * Locks: rtnl > ring_mutex > ring_lock. ring_mutex: the ring comes and goes, and is mapped;
 * ring_lock: its frames, from the hook too.
 */
#pragma once

#include <net/netdev.h>
#include <net/sock.h>
#include <sched/mutex.h>
#include <linux/if_packet.h>
#include "net/wire/vnet.h"

#define AF_PACKET 17
#define SOL_PACKET 263

struct packet_ring;

struct packet_net {
	struct ghash socks;		/* by cookie: for /proc/net/packet */
};

struct packet_sock {
	struct sock sk;			/* first */
	struct packet_type hook;	/* rtnl; the device layer's while it is hooked */
	struct ghash_node node;		/* packet_net's */
	be16 num;			/* rtnl to change: its protocol */
	int ifindex;			/* rtnl to change: 0: all devices, -1: its device is gone */
	bool hooked;			/* rtnl to change */
	bool auxdata, origdev;		/* PACKET_AUXDATA, PACKET_ORIGDEV */
	u8 vnet_size;			/* ring_mutex to change; 0: no PACKET_VNET_HDR */
	u32 copy_thresh;		/* PACKET_COPY_THRESH */
	struct list_head on_dev;	/* rtnl: dev->packet_bound; empty: bound to none */
	struct list_head wants;		/* rtnl: struct packet_want */
	atomic_t packets, lost;		/* PACKET_STATISTICS, since it was last asked for */
	struct mutex ring_mutex;
	spinlock_t ring_lock;
	struct packet_ring *ring;	/* both locks to change */
	atomic_t mapped;		/* VMAs of the ring; from 0 under ring_mutex */
	int version;			/* ring_mutex: TPACKET_V1, V2 */
	u32 reserve;			/* ring_mutex: PACKET_RESERVE */
};

/* In p->cb of what lies in the receive queue. */
struct packet_cb {
	u32 len;			/* before it was cut */
	struct sockaddr_ll from;
};
_Static_assert(sizeof(struct packet_cb) <= PACKET_CB, "fits");

static inline struct packet_sock *packet_sk(struct sock *sk)
{
	return (struct packet_sock *)sk;
}

/* recv.c */
void packet_look(struct packet *p, struct netdev *d, struct packet_type *t);
ssize_t packet_recvmsg(struct socket *sock, struct sock_msg *m);
/* TP_STATUS_*: what is known of P's checksum. */
u32 packet_csum_status(const struct packet *p);
/* P, which begins where its socket wants it, LEN bytes of it, into the receive queue. */
bool packet_queue(struct packet_sock *k, const struct packet *p, const struct packet_cb *cb,
		  u32 len);

/* send.c */
ssize_t packet_sendmsg(struct socket *sock, struct sock_msg *m);

/* vnet.c: PACKET_VNET_HDR */
/* V is the size, BY_SIZE, or whether there is one. 0, -EINVAL, -EBUSY: K has a ring. */
int packet_vnet_set(struct packet_sock *k, bool by_size, u32 v);
/* The header before a message into H, all 0 where K has none: its size; -EINVAL, -EFAULT. */
int packet_vnet_read(const struct packet_sock *k, struct iter *from, struct vnet_wire *h);
/*
 * Writes P's header to TO; P begins with its link header. Its size, 0 if K has none, -EINVAL or
 * -EFAULT.
 */
int packet_vnet_write(const struct packet_sock *k, const struct packet *p, struct iter *to);

/* opt.c */
int packet_setsockopt(struct socket *sock, int level, int name, struct uptr val, int len);
int packet_getsockopt(struct socket *sock, int level, int name, struct uptr val, struct uptr ulen);

/* want.c: PACKET_ADD_MEMBERSHIP and its kin. */
int packet_want_change(struct packet_sock *k, bool add, struct uptr val, int len);
/* rtnl. K wants nothing any more; D, which goes, is wanted nothing of. */
void packet_want_none(struct packet_sock *k);
void packet_want_gone(struct netdev *d);

struct packet_diag_mclist;
/* rtnl. K's wants into OUT, MOST at most (0: none is written); how many there are. */
u32 packet_wants_describe(struct packet_sock *k, struct packet_diag_mclist *out, u32 most);

/* ring.c */
struct packet_diag_ring;
/* False: K has no ring. Sleeps. */
bool packet_ring_describe(struct packet_sock *k, struct packet_diag_ring *out);
int packet_ring_set(struct packet_sock *k, struct uptr val, int len);
void packet_ring_free(struct packet_sock *k);
int packet_ring_mmap(struct socket *sock, struct vma *vma);
/* False: K has no ring. Else P, as packet_queue() has it, is in it, or is lost. */
bool packet_ring_put(struct packet_sock *k, struct packet *p, const struct packet_cb *cb, u32 len);
bool packet_ring_readable(struct packet_sock *k);
