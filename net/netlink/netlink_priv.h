/* SPDX-License-Identifier: MIT */
/*
 * Between the files of net/netlink.
 *
 * Locks. lock_sock(): the name, the peer and the groups of a socket. dump_lock, a mutex: its dump.
 * later_lock of the namespace: messages that a worker sends. A port's bucket.
 */
#pragma once

#include <alloc/ghash.h>
#include <alloc/xarray.h>
#include <lib/siphash.h>
#include <net/netlink.h>
#include <net/sock.h>
#include <sched/mutex.h>
#include <sched/wait.h>
#include <sched/work.h>

#define AF_NETLINK 16
#define SOL_NETLINK 270
#define NETLINK_PROTOCOLS 32		/* not a page: MAX_LINKS */
#define NETLINK_FIRST_ROOM 3776u	/* a dump's first message, for readers of a page */
#define NETLINK_MOST_ROOM 32256u

enum netlink_flag {
	NETLINK_F_PKTINFO,
	NETLINK_F_BROADCAST_ERROR,
	NETLINK_F_NO_ENOBUFS,
	NETLINK_F_CAP_ACK,
	NETLINK_F_EXT_ACK,
	NETLINK_F_STRICT,
};

struct netlink_sock {
	struct sock sk;
	struct ghash_node node;		/* netlink_net->socks, once it has a port */
	const struct nl_protocol *protocol;	/* c */
	u32 portid;			/* o to change, once; 0: none yet */
	u32 dst_portid, dst_group;	/* o */
	unsigned long flags;		/* atomic: enum netlink_flag */
	unsigned long congested;	/* plain: a message was lost, and nobody has read since */
	struct list_head members;	/* o: struct nl_member */
	u32 groups;			/* o to change: the first 32 of them, as bits */
	size_t longest_read;		/* plain: of a reader's buffer */
	wait_queue_head_t room;		/* programs that send to it, and wait until it has room */

	struct mutex dump_lock;
	bool dumping;			/* dump_lock */
	struct nl_dump dump;		/* dump_lock */
	u32 dump_seq;			/* dump_lock: dump.seq of the last call */
};

/* A socket's membership in a group. */
struct nl_member {
	struct list_head of_sock;	/* netlink_sock->members */
	struct rcu_head rcu;
	struct netlink_sock *sock;	/* c: under RCU with sock_get() */
	unsigned int group;		/* c */
	unsigned long nr;		/* c: its index in nl_group->members */
};

/*
 * Members are numbered as they join, and no number is used again: a walk can let go of RCU and go
 * on behind the last number that it saw.
 */
struct nl_group {
	struct xarray members;		/* struct nl_member; RCU */
	atomic_long_t next, nr;		/* the next number; members */
	unsigned long missed;  /* a message was lost that the worker has not yet reported */
};

struct netlink_net {
	struct ghash socks;		/* by protocol and port */
	struct siphash_key key;		/* c: of socks */
	/* of each protocol, by number; NULL: there is no such protocol */
	struct nl_group *groups[NETLINK_PROTOCOLS];
	/* Messages of atomic contexts to groups with many members: queue.c */
	spinlock_t later_lock;
	struct packet_list later;	/* later_lock */
	atomic_t nr_later;		/* packets that have not reached all members */
	struct work_struct later_work;
};

/* Before the data of each packet in a queue: where it comes from. Peeking copies it. */
struct nl_from {
	u32 portid, group;
	int protocol;
	s32 pid;			/* in the initial namespace; 0: the kernel */
	kuid_t uid;
	kgid_t gid;
};

static inline struct netlink_sock *netlink_sk(struct socket *s)
{
	return s->sk;
}

static inline bool netlink_flag(const struct netlink_sock *n, enum netlink_flag f)
{
	return READ_ONCE(n->flags) >> f & 1;
}

static inline struct nl_from *nl_from(struct packet *p)
{
	return (struct nl_from *)packet_mac(p);
}

/* socket.c: the one that has PORTID, referenced; NULL. */
struct netlink_sock *netlink_find(struct net *net, int protocol, u32 portid);
/* queue.c: LEN bytes as a packet from FROM; NULL: no memory, or LEN is more than a packet holds. */
struct packet *netlink_packet(const void *data, size_t len, const struct nl_from *from, gfp_t gfp);
/* 0 or -ENOBUFS: it is full, and its reader will hear of it. Consumes P. */
int netlink_queue(struct netlink_sock *n, struct packet *p);
void netlink_overrun(struct netlink_sock *n);
/*
 * A clone of P to each member of the group that its nl_from names, but EXCEPT. Consumes P. Sleeps.
 */
void netlink_multicast(struct net *net, struct packet *p, u32 except);
void netlink_later_begin(struct netlink_net *nn);
/* No member is left and no message is sent any more: what waits is freed. Sleeps. */
void netlink_later_end(struct netlink_net *nn);
/* groups.c, o: 0, -ENOMEM. */
int netlink_join(struct netlink_sock *n, unsigned int group) __must_check;
void netlink_leave(struct netlink_sock *n, unsigned int group);
void netlink_leave_all(struct netlink_sock *n);
bool netlink_joined(const struct netlink_sock *n, unsigned int group);
int netlink_groups_begin(struct netlink_net *nn) __must_check;
void netlink_groups_end(struct netlink_net *nn);
/* request.c: LEN bytes in DATA are N's requests to the kernel. */
int netlink_requests(struct netlink_sock *n, const void *data, size_t len);
/* dump.c: as much as the reader's buffer holds, if a dump is under way. 0 or -ENOMEM. */
int netlink_dump_more(struct netlink_sock *n);
void netlink_dump_end(struct netlink_sock *n);
/* socket.c: of PROTOCOL; NULL: there is none. */
const struct nl_protocol *netlink_protocol(int protocol);
/* option.c */
int netlink_setsockopt(struct socket *s, int level, int name, struct uptr val, int len);
int netlink_getsockopt(struct socket *s, int level, int name, struct uptr val, struct uptr len);
/* May N's caller join, or send, where not everybody may? */
bool netlink_may(const struct netlink_sock *n, bool anybody);
