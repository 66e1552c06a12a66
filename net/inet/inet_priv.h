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
 * Those that serve the same packets equally well are a group, of which one is in the table
 * (bound.c).
 *
 * ports: by local port: the sockets that have it, for bind(2).
 *
 * Look-ups run under RCU and write nothing but the reference that they return: entries are gotten
 * with inet_entry_get(), which fails for one that is being freed, and compared again afterwards.
 * All memory of entries is freed after a grace period, so that none turns into another meanwhile.
 */
#pragma once

#include <alloc/ghash.h>
#include <lib/bitmap.h>
#include <lib/siphash.h>
#include <net/netns.h>
#include <net/sock.h>
#include <sched/mutex.h>
#include <linux/in.h>
#include <linux/in6.h>
#include "net/ip4/ip4_priv.h"
#include "net/ip4/options.h"
#include "net/ip6/ip6_priv.h"
#include "net/route/route4.h"
#include "net/route/route6.h"
#include "net/wire/icmp.h"

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
	struct ip6_addr local, peer;
};

/*
 * What the table of connections holds. Constant while it is in a table. Of IPv6, local and peer are
 * inet6_fold() of the addresses in v6, zero exactly for "any".
 */
struct inet_entry {
	struct ghash_node node;
	struct net *net;
	be32 local, peer;		/* peer zero: not connected */
	be16 local_port, peer_port;
	u8 kind;			/* enum inet_entry_kind */
	/*
	 * of the ends: AF_INET also where a socket of AF_INET6 has mapped ones. One of AF_INET6
	 * that is bound to "any", without INET_V6ONLY, serves both.
	 */
	u8 family;
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
		 INET_V6ONLY,
		 INET6_RECVERR,
		 INET6_MC_LOOP,
		 INET6_MC_ALL,
		 INET6_DONTFRAG,
		 INET6_FLOWINFO_SEND,
	 /* control messages that the reader wants */
		 INET_C_PKTINFO,
		 INET_C_TTL,
		 INET_C_TOS,
		 INET_C_RECVOPTS,
		 INET_C_RETOPTS,
		 INET_C_ORIGDST,
		 INET6_C_PKTINFO,
		 INET6_C_PKTINFO_OLD,	/* RFC 2292's number of the message */
		 INET6_C_HOPS,
		 INET6_C_HOPS_OLD,
		 INET6_C_TCLASS,
		 INET6_C_FLOWINFO,
		 INET6_C_ORIGDST,
		 INET6_C_HOPOPTS,
		 INET6_C_DSTOPTS,
		 INET6_C_RTHDR,
		 INET6_C_FRAGSIZE,
};

/* What sockets of AF_INET6 have besides. */
struct inet6_sock {
	struct rcu_head rcu;
	struct ip6_addr saddr;		/* o: source of what it sends, any: the route's */
	struct ip6_route route;		/* o: of a connected socket */
	s16 hops, mc_hops;		/* o: -1: the route's, 1 */
	u8 tclass;			/* o */
	u8 pmtudisc;			/* o: IPV6_PMTUDISC_* */
	u8 min_hops;			/* o */
	int mc_index, uc_index;		/* o */
	u32 label;			/* o: of the flow, as connect(2) said */
	u32 prefer;			/* o: IN6_PREFER_* */
	u32 prefer_shown;		/* o: IPV6_ADDR_PREFERENCES as it is read */
	u32 mtu;			/* o: IPV6_MTU: not more; 0 */
	struct ip6_addr info_addr;	/* o: IPV6_PKTINFO as an option */
	int info_index;
	int checksum_at;		/* o: raw sockets: -1: none */
	u32 icmp_filter[8];		/* o: types that are not wanted */
	struct list_head mc;		/* rtnl, RCU: struct inet_mc_member */
};

struct inet_tie;
struct inet_owner {
	struct list_head list;
	struct inet_sock *sock;		/* NULL: a tie, or the cursor of a walk */
	const struct inet_tie *tie;	/* NULL: not a tie */
};

/* What is left of a sock, in TIME-WAIT, and keeps its port from others. */
struct inet_tie {
	struct inet_owner owner;	/* the port's lock: in its list */
	struct inet_port *port;		/* c; NULL: none */
	const struct inet_entry *e;	/* c: its ends */
	bool reuse, group;		/* c: SO_REUSEADDR, SO_REUSEPORT of the sock */
	kuid_t uid;			/* c */
};

struct inet_sock {
	struct sock sk;			/* first */
	/*
	 * local is the address that it receives at, "any" where zero; local_port is chosen at bind
	 */
	struct inet_entry e;
	/* in the table of bound ones, for its group; its bucket's lock */
	struct ghash_node bound;
	struct inet_group __rcu *group; /* that lock, RCU; NULL: it is alone */
	struct list_head in_group;	/* that lock, RCU */
	u32 group_at;			/* that lock: which of the group it is */
	struct inet_table *bound_in;	/* o: which it was last in */
	bool group_port;		/* that lock: it had SO_REUSEPORT when it came */
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
	struct inet6_pair v6;		/* what e.v6 points to */
	struct inet6_sock *six;		/* c: NULL: made as AF_INET */
};

static inline struct inet_sock *inet_sk(const struct sock *sk)
{
	return (struct inet_sock *)sk;
}

static inline struct inet_sock *inet_of_entry(struct inet_entry *e)
{
	return container_of(e, struct inet_sock, e);
}

/* S's ends are addresses of IPv6. */
static inline bool inet_is_six(const struct inet_sock *s)
{
	return s->e.family == AF_INET6;
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
	u32 skip, seen, looked;
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

/* Ends to look for. */
struct inet_key {
	const struct net *net;
	be32 local, peer;		/* as in struct inet_entry */
	be16 local_port, peer_port;
	int dif;			/* index of the device that the packet came by */
	const struct inet6_pair *v6;	/* NULL: IPv4; else &pair */
	struct inet6_pair pair;
};
/* An address of IPv6 as one of 32 bits, by a secret key. Zero: any. */
be32 inet6_fold(const struct ip6_addr *a);
void inet6_key_received(struct inet_key *k, struct packet *p);
/* Who P, received, with its IP header at packet_net(), is for. */
static inline void inet_key_received(struct inet_key *k, struct packet *p, struct net *net,
				     be16 local_port, be16 peer_port)
{
	const struct ip4_wire *ip = (const struct ip4_wire *)packet_net(p);

	k->net = net;
	k->local_port = local_port;
	k->peer_port = peer_port;
	k->dif = (int)p->iif;
	k->v6 = NULL;
	if (likely(!packet_is_ip6(p))) {
		k->local = ip->dst;
		k->peer = ip->src;
	} else {
		inet6_key_received(k, p);
	}
}

/* IP_MINTTL and IPV6_MINHOPCOUNT of S: P, received, came from too far away. */
static inline bool inet_is_far(const struct inet_sock *s, struct packet *p)
{
	if (unlikely(packet_is_ip6(p)))
		return s->six &&
		       ((struct ip6_wire *)packet_net(p))->hops < READ_ONCE(s->six->min_hops);
	return ((struct ip4_wire *)packet_net(p))->ttl < READ_ONCE(s->min_ttl);
}

/* The route that S keeps is looked up again. */
static inline void inet_route_stale(struct inet_sock *s)
{
	WRITE_ONCE(s->route.gen, 0);
	if (s->six)
		WRITE_ONCE(s->six->route.gen, 0);
}

/* Q, about a packet that S's protocol knows to be its own, says what its way takes. */
static inline void inet_learn_mtu(struct net *net, const struct icmp_quote *q)
{
	if (q->six)
		icmp6_learn_mtu(net, q);
	else
		icmp_learn_mtu(net, q);
}

/* Who sent what Q quotes; P is the error. */
void inet_key_quoted(struct inet_key *k, const struct packet *p, struct net *net,
		     const struct icmp_quote *q, be16 local_port, be16 peer_port);

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
/* Within RCU. Referenced; NULL. */
struct inet_entry *inet_connected_find(struct inet_table *t, const struct inet_key *k);

/* S, its e.local and e.local_port set, can be found by those who send to it. Holds S. Atomic. */
void inet_bound_add(struct inet_table *t, struct inet_sock *s);
/*
 * True: it was in, and the table's reference is the caller's now. A grace period must pass before
 * it is added again.
 */
bool inet_bound_del(struct inet_table *t, struct inet_sock *s) __must_check;
/*
 * The socket that serves K's local end best: own address before any, own device before any, own
 * family before both; of several that are equal the one that a keyed hash of the flow chooses, if
 * all had SO_REUSEPORT when they were added, or else the youngest. Within RCU; referenced; NULL.
 */
struct inet_sock *inet_bound_find(struct inet_table *t, const struct inet_key *k);

/* S is of the device DEV (0: of any) from here on, whether it is in or not. Owner; atomic. */
void inet_bound_set_device(struct inet_sock *s, int dev);
/* How many S, a node of the table, stands for, and which they are. Its bucket is locked. */
u32 inet_bound_members(const struct inet_sock *s);
struct inet_sock *inet_bound_member(struct inet_sock *s, u32 i);

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
/*
 * S, which gets packets of a whole protocol, is an owner of PORT, which stands for it, beside any
 * others; e.local_port stays 0. 0, -ENOMEM. Sleeps.
 */
int inet_port_join(struct inet_table *t, struct inet_sock *s, be16 port) __must_check;
/* S gives its port up. Atomic. */
void inet_port_put(struct inet_table *t, struct inet_sock *s);
/* TIE, whose e is set, has S's port beside S, which has one or none. Atomic. */
void inet_port_tie(struct inet_sock *s, struct inet_tie *tie);
void inet_port_untie(struct inet_table *t, struct inet_tie *tie);	/* atomic */
/*
 * Some owners of PORT that WANT says yes to, MOST at most, referenced; how many, which may be 0
 * before the end. AT is zero at first and the place afterwards: ask again until its list.next is
 * NULL. Atomic.
 */
unsigned int inet_port_owners(struct inet_table *t, be16 port, struct inet_owner *at,
			      struct inet_sock **out, unsigned int most,
			      bool (*want)(struct inet_sock *s, const void *arg), const void *arg);
/* A place that inet_port_owners() left in AT is in TO, or is given up. Atomic. */
void inet_port_owners_move(struct inet_table *t, be16 port, struct inet_owner *at,
			   struct inet_owner *to);
void inet_port_owners_end(struct inet_table *t, be16 port, struct inet_owner *at);
/* How bind(2) judges of two sockets that want one port. */
bool inet_ports_conflict(const struct inet_sock *a, const struct inet_sock *b);

/* ---- protocols ---- */

/* struct inet_protocol: net/ip4/ip4_priv.h. */

/* What socket(AF_INET, TYPE, PROTOCOL) makes. */
struct inet_type {
	struct list_head list;
	int family;			/* 0: AF_INET and AF_INET6 */
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
int inet_queue_xmit(struct inet_sock *s, struct packet *p);
/* How S's settings want packets to its peer sent. Within RCU. */
void inet_tx_of(const struct inet_sock *s, struct ip4_tx *t);
void inet6_tx_of(const struct inet_sock *s, struct ip6_tx *t);
/* S's route is made fresh: 0, or what a look-up says. Owner or sk->lock, within RCU. */
int inet_sock_route(struct inet_sock *s);

/* How a packet goes, of either family. */
struct inet_way {
	bool six;
	union {
		struct {
			struct ip4_route r;
			struct ip4_tx t;
		} v4;
		struct {
			struct ip6_route r;
			struct ip6_tx t;
		} v6;
	};
};
static inline u32 inet_way_mtu(const struct inet_way *w)
{
	return w->six ? w->v6.r.mtu : w->v4.r.mtu;
}

/* The sum of the pseudo header of LEN bytes of PROTOCOL, not folded. */
u32 inet_way_pseudo(const struct inet_way *w, u8 protocol, u32 len);
/* W's destination, mapped if it is of IPv4. */
struct ip6_addr inet_way_dst(const struct inet_way *w);
/* P, which begins with its transport header, goes along W. Consumes P. Within RCU. */
int inet_way_send(struct net *net, struct packet *p, const struct inet_way *w);
/*
 * The way from E's local end to its peer, for what no socket sends. Within RCU. 0, or what a
 * look-up says; -EINVAL: the peer is a group or a broadcast address.
 */
int inet_reply_way(const struct inet_entry *e, u8 protocol, struct inet_way *w) __must_check;
/* Bytes of an IP header of E's family, without options. */
static inline u32 inet_header_len(const struct inet_entry *e)
{
	return e->v6 ? IP6_HEADER : IP4_HEADER;
}

/* The MTU of S's kept route; 0: it has none. */
static inline u32 inet_sock_mtu(const struct inet_sock *s)
{
	return inet_is_six(s) ? s->six->route.mtu : s->route.mtu;
}

static inline u32 inet_sock_advmss(const struct inet_sock *s)
{
	return inet_is_six(s) ? s->six->route.advmss : s->route.advmss;
}

/*
 * Bytes of a super-packet of TCP that the device of S's way takes, link header left out; 0: none.
 * By the owner.
 */
u32 inet_sock_gso_size(struct inet_sock *s);

/* RTAX_WINDOW, bytes, and RTAX_RTT, eighths of a millisecond; 0: not set. */
static inline u32 inet_sock_route_window(const struct inet_sock *s)
{
	return inet_is_six(s) ? s->six->route.window : s->route.window;
}

static inline u32 inet_sock_route_rtt(const struct inet_sock *s)
{
	return inet_is_six(s) ? s->six->route.rtt : s->route.rtt;
}

/* ---- what families' operations share (af_inet.c) ---- */

/* An address that a program gave. */
struct inet_name {
	bool six;			/* v6; else v4, also where it was a mapped one */
	be32 v4;
	struct ip6_addr v6;
	be16 port;
	int scope;			/* index of a device that goes with v6; 0 */
	u32 label;			/* of the flow */
};
static inline bool inet_name_is_any(const struct inet_name *n)
{
	return n->six ? ip6_is_any(&n->v6) : !n->v4.v;
}

/* May S be bound to A? *N: it. 0, -EINVAL, -EAFNOSUPPORT, -EADDRNOTAVAIL, -ENODEV. */
int inet_check_bind(struct inet_sock *s, const struct __kernel_sockaddr_storage *a, int len,
		    struct inet_name *n) __must_check;
/*
 * What connect(2) got into *N: 0: an address, 1: AF_UNSPEC, which disconnects, -EINVAL,
 * -EAFNOSUPPORT, -ENETUNREACH: a mapped one for a socket of IPv6 alone.
 */
int inet_check_peer(struct inet_sock *s, const struct __kernel_sockaddr_storage *a, int len,
		    struct inet_name *n) __must_check;
/* e's and the source address as N has them, or as a socket has them that is not bound. */
void inet_set_local(struct inet_sock *s, const struct inet_name *n);
void inet_reset_local(struct inet_sock *s);
/*
 * The device that S is bound to once N is its peer; 0: to none. -EINVAL: S has another, or N needs
 * one.
 */
int inet_scope_of(const struct inet_sock *s, const struct inet_name *n) __must_check;
/* The same of the peer. */
void inet_set_peer(struct inet_sock *s, const struct inet_name *n);
void inet_reset_peer(struct inet_sock *s);
/* e.local is the source address that was chosen. */
void inet_adopt_source(struct inet_sock *s);
/* af_inet6.c: the parts of these that are of AF_INET6. */
int inet6_init_sock(struct inet_sock *s, gfp_t gfp) __must_check;	/* 0, -ENOBUFS */
int inet6_check_bind(struct inet_sock *s, const struct sockaddr_in6 *in, int len,
		     struct inet_name *n) __must_check;
int inet6_check_peer(struct inet_sock *s, const struct sockaddr_in6 *in, int len,
		     struct inet_name *n) __must_check;
/* A, of DEVICE's link if it is of one, as a name. */
void inet6_put_name(struct sockaddr_in6 *in, const struct ip6_addr *a, be16 port, int device);
/* As ip4_sock_route(), of IPv6's ends. */
int ip6_sock_route(struct inet_sock *s);
/* What of S's settings a look-up heeds, but for the addresses. */
void inet6_flow_of(const struct inet_sock *s, struct ip6_flow *f);
int inet6_setsockopt(struct inet_sock *s, int name, struct uptr val, int len);
int inet6_getsockopt(struct inet_sock *s, int name, struct uptr val, struct uptr len);
/* What lies in the error queue goes. */
void inet_purge_errors(struct inet_sock *s);
long inet6_conf_ioctl(struct net *net, unsigned int cmd, struct uptr arg);

struct seq_file;
/* The two ends of a socket of FAMILY, as /proc/net has them, each after a blank. */
void inet_show_ends(struct seq_file *m, u16 family, const struct inet_entry *e, be32 saddr,
		    u32 local_port);
#define INET6_NAME_LEAST 24	/* RFC 2133's sockaddr_in6, without a scope */
int inet_getname(struct socket *s, struct __kernel_sockaddr_storage *a, bool peer);
/* The peer's name, also where the state says that there is none any more. */
int inet_last_peer(struct socket *s, struct __kernel_sockaddr_storage *a);
int inet_ioctl(struct socket *s, unsigned int cmd, unsigned long arg);
/* SOL_SOCKET, IPPROTO_IP and, of AF_INET6, IPPROTO_IPV6 */
int inet_setsockopt(struct socket *s, int level, int name, struct uptr val, int len);
int inet_getsockopt(struct socket *s, int level, int name, struct uptr val, struct uptr len);
int inet_fasync(int fd, struct file *f, int on, struct socket *s);
/* A (mapped: of IPv4) and PORT in M->addr, as S's family has it. */
void inet_put_name(const struct inet_sock *s, struct sock_msg *m, const struct ip6_addr *a,
		   be16 port, int device);
/* The sender of P, received. */
void inet_put_sender(const struct inet_sock *s, struct sock_msg *m, struct packet *p, be16 port);
/* destruct of struct sock_kind: what all inet sockets own. */
void inet_destruct(struct sock *sk);
/* sock_kind's: look-ups and routes follow sk->bound_dev. 0. */
int inet_bind_dev(struct sock *sk);
/* May NET's caller have PORT (host order) below ip_unprivileged_port_start? */
bool inet_may_bind(struct net *net, u16 port);
/* Control messages of IPPROTO_IP and IPPROTO_IPV6 for a received packet. */
void inet_recv_cmsgs(struct inet_sock *s, struct sock_msg *m, struct packet *p);
void inet6_recv_cmsgs(struct inet_sock *s, struct sock_msg *m, struct packet *p);
/* net/conf: ioctls of AF_INET sockets: addresses, routes, ARP. -ENOIOCTLCMD: none of them. */
long inet_conf_ioctl(struct net *net, unsigned int cmd, struct uptr arg);
#define INET_PORTS 65536u

/* Ports that nobody gets who does not ask for them (ip_local_reserved_ports). Constant. */
struct inet_reserved {
	struct rcu_head rcu;
	DECLARE_BITMAP(map, INET_PORTS);
};

/* Tables of a namespace. */
struct inet_net {
	struct inet_table udp, raw, ping, raw6, ping6;
	struct inet_table *tcp;		/* net/tcp makes it */
	u32 port_range;			/* low | high << 16 */
	struct inet_reserved __rcu *reserved;	/* rtnl; NULL: no port is */
	int unprivileged_port;
	/*
	 * udp_rmem_min, udp_wmem_min: what a socket may always have, however much all have
	 * together (ip-sysctl). There is no limit for all of them, so that each has it.
	 */
	int udp_least[2];
	int ping_group[2];		/* kgid values, low and high */
};
