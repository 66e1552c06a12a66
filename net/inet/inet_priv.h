/* SPDX-License-Identifier: MIT */
/*
 * What the protocols over IP share: struct inet_sock, the tables in which they are found, local
 * ports, and how a protocol is registered.
 *
 * Tables, per namespace and protocol (struct inet_table):
 *
 * connected: by addresses and ports of both ends: full sockets, and for TCP requests (half-open)
 * and TIME-WAIT, small types of their own.
 *
 * bound: by local address and port: listeners of TCP, unconnected sockets of UDP. Address 0: any.
 *
 * ports: by local port: the sockets that have it, for bind(2).
 *
 * Look-ups run under RCU and write nothing but the reference that they return: entries are gotten
 * with inet_entry_get(), which fails for one that is being freed, and compared again afterwards.
 * All memory of entries is freed after a grace period, so that none turns into another meanwhile.
 */
#pragma once

#include <alloc/ghash.h>
#include <lib/siphash.h>
#include <net/netns.h>
#include <net/sock.h>
#include <sched/mutex.h>
#include <linux/in.h>
#include <linux/in6.h>
#include "net/ip4/ip4_priv.h"
#include "net/ip4/options.h"
#include "net/route/route4.h"

struct inet_mc_member;
struct inet_port;
struct inet_table;

/* In inet_sock->bind_gave: what bind(2) gave, which outlives a disconnection. */
#define BOUND_ADDRESS 1u
#define BOUND_PORT 2u
/* sk->state of sockets without a protocol's own states, in TCP's numbers. */
#define INET_ESTABLISHED 1
#define INET_CLOSED 7

enum inet_entry_kind { INET_FULL, INET_REQUEST, INET_TIMEWAIT };

struct inet6_pair {
	struct in6_addr local, peer;
};

/* What the table of connections holds. Constant while it is in a table. */
struct inet_entry {
	struct ghash_node node;
	struct net *net;
	be32 local, peer;		/* peer zero: not connected */
	be16 local_port, peer_port;
	u8 kind;			/* enum inet_entry_kind */
	u8 family;			/* AF_INET, AF_INET6 */
	int bound_dev;			/* 0: any */
	refcount_t refs;		/* of REQUEST and TIMEWAIT; FULL: the sock's count */
	const struct inet6_pair *v6;	/* AF_INET6 */
};

enum inet_flag {			/* inet->flags */
		 INET_RECVERR,
		 INET_HDRINCL,
		 INET_FREEBIND,
		 INET_TRANSPARENT,
		 INET_NODEFRAG,
		 INET_MC_LOOP,
		 INET_MC_ALL,
		 INET_BIND_NO_PORT,
		 INET_RECV_FRAGSIZE,
	 /* control messages that the reader wants */
		 INET_C_PKTINFO,
		 INET_C_TTL,
		 INET_C_TOS,
		 INET_C_RECVOPTS,
		 INET_C_RETOPTS,
		 INET_C_ORIGDST,
};

struct inet_owner {
	struct list_head list;
	struct inet_sock *sock;		/* NULL: the cursor of a walk */
};

struct inet_sock {
	struct sock sk;			/* first */
	/*
	 * local is the address that it receives at, "any" where zero; local_port is chosen at bind
	 */
	struct inet_entry e;
	struct ghash_node bound;	/* in the table of bound ones */
	be32 saddr;			/* o: source of what it sends, 0: the route's */
	struct inet_port *port;		/* its port's lock */
	struct inet_owner owner;	/* that lock: in the port's list */
	u8 tos;				/* o */
	s16 ttl;			/* o: -1: the namespace's */
	u8 mc_ttl;			/* o */
	u8 pmtudisc;			/* o: IP_PMTUDISC_* */
	u8 min_ttl;			/* o: IP_MINTTL */
	u8 bind_gave;			/* o: BOUND_* */
	unsigned long flags;		/* a: enum inet_flag */
	int uc_index, mc_index;		/* o */
	be32 mc_addr;			/* o */
	u16 id;				/* o: of the next header */
	u32 port_range;	/* o: IP_LOCAL_PORT_RANGE: low | high << 16, 0: the namespace's */
	struct list_head mc;		/* rtnl: struct inet_mc_member; RCU */
	struct inet_options __rcu *opt;	/* o, RCU */
	struct ip4_route route;		/* o: of a connected socket */
	struct inet6_pair v6;
};

static inline struct inet_sock *inet_sk(const struct sock *sk)
{
	return (struct inet_sock *)sk;
}

static inline struct inet_sock *inet_of_entry(struct inet_entry *e)
{
	return container_of(e, struct inet_sock, e);
}

static inline bool inet_flag(const struct inet_sock *s, enum inet_flag f)
{
	return READ_ONCE(s->flags) >> f & 1;
}

void inet_set_flag(struct inet_sock *s, enum inet_flag f, bool on);

/* ---- tables ---- */

struct inet_table {
	struct ghash connected, bound, ports;
	struct siphash_key key;		/* c: hashes; of the whole machine's making */
	/* c: the last reference to a REQUEST or TIMEWAIT is gone; frees after a grace period */
	void (*entry_free)(struct inet_entry *e);
};

int inet_table_init(struct inet_table *t) __must_check;
/* Empty, and not added to any more. */
void inet_table_destroy(struct inet_table *t);

/* False: it is going. */
static inline bool __must_check inet_entry_get(struct inet_entry *e)
{
	return e->kind == INET_FULL ? sock_get(&inet_of_entry(e)->sk) :
				      refcount_inc_not_zero(&e->refs);
}

void inet_entry_put(struct inet_table *t, struct inet_entry *e);

/* A look at all entries of a table, some at a time. */
struct inet_walk {
	struct inet_table *table;
	bool bound;			/* those by port, or else those by both ends */
	u16 family;
	struct inet_entry *found[32];	/* referenced until the next call */
	unsigned int nr;
	/* the place: of the next bucket, and how many of it were seen */
	u64 pos;
	u32 skip, seen;
	bool full;
};
/*
 * The next ones are in found, those of the last call are put. False: that was all. What comes and
 * goes meanwhile may be seen or not.
 */
bool inet_walk_next(struct inet_walk *w) __must_check;
/* Those in found are put: of a walk that is given up. */
void inet_walk_end(struct inet_walk *w);
/* T's hashes grow if they are full. Sleeps: for those who make sockets. */
void inet_table_reserve(struct inet_table *t);

/* E's addresses and ports, filled in before it is added. */
u32 inet_connected_hash(const struct inet_table *t, be32 local, be16 local_port, be32 peer,
			be16 peer_port);
/*
 * Adds E (a reference of the caller's goes to the table). 0; -EADDRNOTAVAIL: another has the same
 * ends (with WAS: that one, referenced, or NULL). Atomic.
 */
int inet_connected_add(struct inet_table *t, struct inet_entry *e, struct inet_entry **was)
	__must_check;
/* Adds E, which may have the same ends as others (UDP). */
void inet_connected_add_also(struct inet_table *t, struct inet_entry *e);
/*
 * E is in no table any more, and the table's reference is the caller's: true. False: it was not in.
 */
bool inet_connected_del(struct inet_table *t, struct inet_entry *e) __must_check;
/*
 * NOW, with the same ends, takes the place of OLD in one step, with OLD's reference given to the
 * caller: false: OLD was not in.
 */
bool inet_connected_replace(struct inet_table *t, struct inet_entry *old, struct inet_entry *now)
	__must_check;
/* Within RCU. Referenced; NULL. DIF: index of the device that the packet came by. */
struct inet_entry *inet_connected_find(struct inet_table *t, struct net *net, be32 local,
				       be16 local_port, be32 peer, be16 peer_port, int dif);

/* S, its e.local and e.local_port set, can be found by those who send to it. Holds S. Atomic. */
void inet_bound_add(struct inet_table *t, struct inet_sock *s);
/* True: it was in, and the table's reference is the caller's now. */
bool inet_bound_del(struct inet_table *t, struct inet_sock *s) __must_check;
/*
 * The socket that serves LOCAL:PORT best (own address before any, own device before any; of a
 * SO_REUSEPORT group the one that the hash chooses). Within RCU; referenced; NULL.
 */
struct inet_sock *inet_bound_find(struct inet_table *t, struct net *net, be32 local, be16 port,
				  be32 peer, be16 peer_port, int dif);

/* ---- ports ---- */

/*
 * bind(2): S gets PORT (host order; 0: one that is free, of its range) for e.local, which is set.
 * 0, -EADDRINUSE, -ENOMEM. Owner; sleeps. Afterwards e.local_port is set and S has the port until
 * inet_port_put().
 */
int inet_port_get(struct inet_table *t, struct inet_sock *s, u16 port) __must_check;
/*
 * connect(2) of a socket without a port: one is chosen by keyed hash of the ends (RFC 6056, 3.3.3),
 * such that TAKE(s) says 0; TAKE sees e.local_port set and adds the socket to the table of
 * connections. -EADDRNOTAVAIL: none is left. Owner; sleeps.
 */
int inet_port_connect(struct inet_table *t, struct inet_sock *s, int (*take)(struct inet_sock *s))
	__must_check;
/* CHILD, which a listener made, shares PARENT's port. Atomic. */
int inet_port_share(struct inet_table *t, struct inet_sock *child, const struct inet_sock *parent)
	__must_check;
/* S gives its port up. Atomic. */
void inet_port_put(struct inet_table *t, struct inet_sock *s);
/*
 * Some owners of PORT that WANT says yes to, MOST at most, referenced; how many, which may be 0
 * before the end. AT is zero at first and the place afterwards: ask again until its list.next is
 * NULL. Atomic.
 */
unsigned int inet_port_owners(struct inet_table *t, be16 port, struct inet_owner *at,
			      struct inet_sock **out, unsigned int most,
			      bool (*want)(struct inet_sock *s, const void *arg), const void *arg);
/* How bind(2) judges of two that want one port; also what TCP adds for TIME-WAIT is up to it. */
bool inet_ports_conflict(const struct inet_sock *a, const struct inet_sock *b);

/* ---- protocols ---- */

/* struct inet_protocol: net/ip4/ip4_priv.h. */

/* What socket(AF_INET, TYPE, PROTOCOL) makes. */
struct inet_type {
	struct list_head list;
	int type;			/* SOCK_* */
	int protocol;			/* IPPROTO_*; 0: any (SOCK_RAW) */
	bool is_default;		/* of its type, where the caller says 0 */
	int (*may)(struct net *net);	/* NULL: anybody; 0 or -EPERM, -EACCES */
	const struct sock_kind *kind;
	const struct sock_ops *ops;
	int (*init)(struct inet_sock *s);	/* 0 or -errno; NULL */
};
void inet_register_type(struct inet_type *t);

/* ---- sending for connected sockets (xmit.c) ---- */

/*
 * P, which begins with its transport header, is sent to S's peer: addresses, TOS, TTL, options, DF
 * and route are S's; the route is looked up again if it is not fresh. Owner or sk->lock. Takes the
 * RCU section itself. Consumes P. As ip4_send(), and what route4_out() says.
 */
int ip4_queue_xmit(struct inet_sock *s, struct packet *p);
/* How S's settings want packets to its peer sent. Within RCU. */
void inet_tx_of(const struct inet_sock *s, struct ip4_tx *t);
/* S's route is made fresh: 0, or what route4_out() says. Owner or sk->lock, within RCU. */
int ip4_sock_route(struct inet_sock *s);

/* ---- what families' operations share (af_inet.c) ---- */

/* May S be bound to IN? 0, -EINVAL, -EAFNOSUPPORT, -EADDRNOTAVAIL. */
int inet_check_bind(struct inet_sock *s, const struct sockaddr_in *in, int len) __must_check;
/* e.local and saddr for address A. */
void inet_set_local(struct inet_sock *s, be32 a);
int inet_getname(struct socket *s, struct __kernel_sockaddr_storage *a, bool peer);
int inet_ioctl(struct socket *s, unsigned int cmd, unsigned long arg);
/* SOL_SOCKET and IPPROTO_IP */
int inet_setsockopt(struct socket *s, int level, int name, struct uptr val, int len);
int inet_getsockopt(struct socket *s, int level, int name, struct uptr val, struct uptr len);
int inet_fasync(int fd, struct file *f, int on, struct socket *s);
/* An address as a sockaddr_in in M->addr. */
void inet_put_name(struct sock_msg *m, be32 a, be16 port);
/* destruct of struct sock_kind: what all inet sockets own. */
void inet_destruct(struct sock *sk);
/* sock_kind's: look-ups and routes follow sk->bound_dev. 0. */
int inet_bind_dev(struct sock *sk);
/* May NET's caller have PORT (host order) below ip_unprivileged_port_start? */
bool inet_may_bind(struct net *net, u16 port);
/* Control messages of IPPROTO_IP for a received packet. */
void inet_recv_cmsgs(struct inet_sock *s, struct sock_msg *m, struct packet *p);
/* net/conf: ioctls of AF_INET sockets: addresses, routes, ARP. -ENOIOCTLCMD: none of them. */
long inet_conf_ioctl(struct net *net, unsigned int cmd, struct uptr arg);
/* Tables of a namespace. */
struct inet_net {
	struct inet_table udp, raw, ping;
	struct inet_table *tcp;		/* net/tcp makes it */
	u32 port_range;			/* low | high << 16 */
	int unprivileged_port;
	int ping_group[2];		/* kgid values, low and high */
};
