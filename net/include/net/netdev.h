/* SPDX-License-Identifier: MIT */
/*
 * Network devices: interfaces, whatever is behind them, and how packets move between them and the
 * protocols.
 *
 * Life. netdev_alloc(), netdev_register() (rtnl), then packets; netdev_unregister() (rtnl): the
 * device is closed, its name and index go, protocols hear of it (NETDEV_UNREGISTER) and drop what
 * they hold, a grace period passes, and when the last netdev_put() has come ops->free is called. A
 * packet that is on its way refers to its device without a count: packets move within RCU read
 * sections, and what is queued anywhere (poller, neighbour, fragment, socket backlog) is purged of
 * the device's packets, or has its own netdev_get(), before the grace period ends.
 *
 * Sending. dev_queue_xmit(p) takes a packet with its link header built, chooses a send queue, and
 * calls ops->xmit under that queue's lock. A queue that is full says BUSY; the packet waits in the
 * queue's list (tx_queue_len packets at most) until the driver calls netdev_wake_queue().
 *
 * Receiving. A hardware queue is a struct net_poll: its interrupt masks itself and calls
 * net_poll_schedule(); the claim bit has one holder at a time (the poller thread, bound to the
 * interrupt's CPU, a task that is about to wait, or an idle CPU), which calls ->poll(budget) and
 * then, after the last packet, ->arm(), which asks for interrupts again and says whether more came
 * meanwhile. Others leave a mark on the queue. poll() hands packets to netdev_receive(), at most
 * NET_BATCH of them within one RCU read section; nothing sleeps from there to the socket.
 *
 * Local delivery. Loopback, veth and tun call net_local_receive(): the packet goes to the list of
 * the sender's context (struct net_ctx, on the stack of its outermost socket operation) and is
 * delivered when that ends or the task is about to sleep; beyond a budget, and without a context,
 * this CPU's net thread does it. While that thread has packets of this CPU, new ones queue behind
 * them, so that order is kept.
 */
#pragma once

#include <lib/list.h>
#include <alloc/ghash.h>
#include <kernel/percpu.h>
#include <kernel/refcount.h>
#include <kernel/spinlock.h>
#include <net/packet.h>
#include <net/taps.h>
#include <sched/work.h>
#include <linux/if_ether.h>

struct net;
struct netdev;
struct netdev_wish;
struct nla_error;
struct net_poll;
struct net_queue;
struct in_device;			/* net/ip4: addresses and settings of the device */
struct in6_device;
struct bridge_port;
struct fdb_ops;
struct nlattr;
struct nlmsg_buf;
struct show_node;
struct task;

#define NETDEV_NAME 16			/* IFNAMSIZ */
#define NETDEV_ADDR 32			/* MAX_ADDR_LEN */
#define NET_BATCH 16			/* packets of one RCU read section */

/*
 * IFF_UP and its like are <linux/if.h>'s, which the kernel may include with __KERNEL_OCHRE__
 * (net/dev/if_flags.h wraps it).
 */

/* What the device does itself, or is able to; bits are ours, ethtool's names are in net/conf. */
enum netdev_feature {
	NETDEV_F_CSUM = 1u << 0,	/* completes PACKET_CSUM_PARTIAL */
	NETDEV_F_RXCSUM = 1u << 1,
	NETDEV_F_SG = 1u << 2,		/* pieces */
	NETDEV_F_TSO4 = 1u << 3,
	NETDEV_F_TSO6 = 1u << 4,
	NETDEV_F_TSO_ECN = 1u << 5,
	NETDEV_F_GSO_UDP = 1u << 6,
	NETDEV_F_GRO = 1u << 7,
	NETDEV_F_LOCAL = 1u << 8,	/* stays in this machine: checksums need not be computed */
	NETDEV_F_LRO = 1u << 9,
	/* super-packets are cut up in software: of each device, always */
	NETDEV_F_GSO = 1u << 11,
	NETDEV_F_NO_QUEUE = 1u << 10,	/* xmit() needs no lock and is never busy */
};

enum netdev_xmit { NETDEV_XMIT_OK, NETDEV_XMIT_BUSY };

struct netdev_stats {
	u64 rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped,
		tx_dropped, multicast, collisions, rx_length_errors, rx_over_errors, rx_crc_errors,
		rx_frame_errors, rx_fifo_errors, rx_missed_errors, tx_aborted_errors,
		tx_carrier_errors, tx_fifo_errors, tx_heartbeat_errors, tx_window_errors,
		rx_compressed, tx_compressed, rx_nohandler;
};

/* All under rtnl unless it says otherwise. Those that may be NULL say what happens then. */
struct netdev_ops {
	int (*open)(struct netdev *d);			/* IFF_UP begins: 0 or -errno */
	void (*stop)(struct netdev *d); /* no packet is in the driver any more when it returns */
	/*
	 * Under the queue's lock and RCU, does not sleep. OK: the packet is the driver's. BUSY: it
	 * is the caller's, and the queue was stopped. MORE: another follows at once.
	 */
	enum netdev_xmit (*xmit)(struct netdev *d, struct packet *p, u16 queue, bool more);
	/* flags or the list of multicast addresses changed; NULL: nothing to do */
	void (*set_rx_mode)(struct netdev *d);
	int (*set_mac)(struct netdev *d, const u8 *addr);	/* NULL: it is just stored */
	int (*set_mtu)(struct netdev *d, u32 mtu); /* within min_mtu..max_mtu; NULL: just stored */
	/* a program says whether there is a carrier; NULL: the device knows itself */
	int (*set_carrier)(struct netdev *d, bool on);
	/* adds what the per-CPU counters do not know; NULL */
	void (*get_stats)(struct netdev *d, struct netdev_stats *s);
	void (*free)(struct netdev *d);			/* the last reference is gone */
	/* the device at the other end, or below; NULL: itself */
	struct netdev *(*link)(struct netdev *d);
	long (*ioctl)(struct netdev *d, unsigned int cmd, struct uptr arg); /* NULL: -EOPNOTSUPP */
	/*
	 * The device works with N pairs of queues, 1..min(nr_tx, nr_rx), from now on: 0 or -errno.
	 * No packet comes to xmit() for one that goes. NULL: -EOPNOTSUPP
	 */
	int (*set_channels)(struct netdev *d, u16 n);
};

/* A kind that programs can make and remove (IFLA_INFO_KIND); NULL in netdev->kind: neither. */
struct netdev_kind {
	const char *name;
	struct list_head list;		/* rtnl */
	int devices;			/* rtnl to change: that are registered */
	/*
	 * rtnl. A device as W says (net/kind.h), with its kind set and registered in NET; DATA
	 * is IFLA_INFO_DATA, NULL: none. ERR_PTR, with the reason in E.
	 */
	struct netdev *(*make)(struct net *net, const struct netdev_wish *w,
			       const struct nlattr *data, struct nla_error *e);
	/* rtnl. D, and what goes with it, onto GOING; NULL: it alone. */
	void (*remove)(struct netdev *d, struct list_head *going);
	/* rtnl. D's attributes of IFLA_INFO_DATA; NULL: none. */
	void (*put_info)(struct nlmsg_buf *b, struct netdev *d);
	/*
	 * rtnl. D as the attributes of IFLA_INFO_DATA say: 0 or -errno, with E; NULL: -EOPNOTSUPP.
	 */
	int (*change)(struct netdev *d, const struct nlattr *data, struct nla_error *e);
	/* rtnl. Of a kind with ports: D becomes one of MASTER's, which says why not; or is none. */
	int (*add_port)(struct netdev *master, struct netdev *d, struct nla_error *e);
	void (*del_port)(struct netdev *d);
	/* RCU. P came in by PORT, after taps have seen it. True: it is taken. */
	bool (*receive)(struct netdev *port, struct packet *p);
	const struct fdb_ops *fdb;	/* its table of stations; NULL: it has none */
	bool stays;			/* it cannot move to another namespace */
	const char *devtype;		/* DEVTYPE in its file "uevent"; NULL: it has none */
};

struct netdev_tx_queue {
	spinlock_t lock;
	struct packet_list waiting;	/* lock: until the driver has room */
	bool stopped;			/* lock to change */
};

struct netdev_pcpu {
	u64 rx_packets, rx_bytes, tx_packets, tx_bytes, rx_dropped, tx_dropped, multicast,
		rx_nohandler;
};

struct netdev {
	char name[NETDEV_NAME];		/* rtnl to change; read under RCU by copying */
	char was[NETDEV_NAME];		/* rtnl: its name before the last change */
	int ifindex;			/* c */
	u16 type;			/* c: ARPHRD_* */
	u8 addr_len;			/* c */
	u8 hard_header_len;		/* c */
	u32 flags;			/* rtnl to change: IFF_* */
	u32 promiscuity, allmulti;	/* rtnl: how many want it */
	u32 asked_flags;		/* rtnl: IFF_PROMISC, IFF_ALLMULTI that a program set */
	u32 features;			/* rtnl: what is on */
	u32 hw_features;		/* rtnl: what can be switched */
	u32 wanted;			/* rtnl: of those, what programs want */
	u32 mtu, min_mtu, max_mtu;	/* rtnl to change */
	u32 tx_queue_len;		/* rtnl */
	/*
	 * rtnl to change: the pfifo that a program has put there, and how many packets it holds; 0:
	 * none, tx_queue_len bounds those that wait
	 */
	u32 qdisc_handle, qdisc_limit;
	u32 gso_max_size;		/* rtnl */
	char *alias;			/* rtnl: a text that programs give; NULL: none */
	u32 group;			/* rtnl: a number that programs give (ip link set group) */
	u32 carrier_ups, carrier_downs;	/* plain */
	u8 addr[NETDEV_ADDR];		/* rtnl to change */
	u8 broadcast[NETDEV_ADDR];	/* rtnl */
	u8 perm_addr[NETDEV_ADDR];	/* c */
	bool carrier;			/* any context: netdev_carrier() */
	bool dismantling;		/* rtnl */
	bool was_up;			/* rtnl: it has been up once */
	bool closing;			/* rtnl: netdev_unregister_all() closes it, with others */
	bool purging;			/* rtnl: net_local_purge() looks for packets to it */
	struct net *net;		/* rtnl to change, RCU */
	const struct netdev_ops *ops;	/* c */
	struct netdev_kind *kind;	/* c: NULL: a device that no program made */
	refcount_t refs;
	struct list_head list;		/* net->devs: rtnl, RCU */
	struct ghash_node by_name;	/* net->dev_by_name: rtnl, RCU */
	struct list_head going;		/* rtnl: of many that are unregistered or purged at once */
	u16 nr_tx, nr_rx;		/* c: queues that there are */
	u16 real_tx, real_rx;		/* rtnl to change: of those, how many are in use */
	struct netdev_tx_queue *tx;	/* nr_tx of them */
	struct netdev_pcpu *stats;	/* per CPU */
	/* c: the device in /sys/devices that it is a part of, which stays; NULL: it is virtual */
	struct show_node *parent;
	struct netdev __rcu *master;	/* rtnl, RCU: the bridge it is a port of */
	struct bridge_port __rcu *port;	/* rtnl, RCU: what that knows of it */
	struct in_device *ip4;		/* rtnl, RCU */
	struct in6_device *ip6;		/* rtnl, RCU */
	struct list_head mc;		/* rtnl: link-layer multicast addresses, counted */
	struct packet_taps taps;	/* what looks at its packets */
	struct list_head packet_bound;	/* rtnl: packet sockets that are bound to it */
	struct list_head packet_wants;	/* rtnl: what packet sockets want it to receive */
	struct show_node *show;		/* rtnl */
	struct list_head polls;		/* rtnl: its struct net_poll */
	const char *driver_name;	/* c: for ethtool; NULL */
	void *priv;			/* c: the driver's */
};

/*
 * A device of PRIV_SIZE bytes of driver's own, one send queue and one receive queue unless said
 * otherwise; ether_setup() or the like follows. NULL: no memory.
 */
struct netdev *netdev_alloc(size_t priv_size, const char *name_pattern, u16 nr_tx, u16 nr_rx,
			    const struct netdev_ops *ops) __must_check;
/*
 * Ethernet's constants: type, lengths, MTU 68..65535 with 1500, broadcast, IFF_BROADCAST |
 * IFF_MULTICAST.
 */
void ether_setup(struct netdev *d);
/*
 * Before D is registered: it is a part of the device PARENT in /sys/devices, which stays. Sleeps.
 * 0; -ENOMEM.
 */
int __must_check netdev_set_parent(struct netdev *d, struct show_node *parent);
/*
 * rtnl. Gives it a number, and a name where the pattern has a %d. 0; -EEXIST the name is taken;
 * -EINVAL it is none; -ENFILE no number is free; -ENODEV the namespace is dying.
 */
int netdev_register(struct netdev *d, struct net *net) __must_check;
/* rtnl. What is on GOING goes with netdev_unregister_all(): one grace period for many. */
void netdev_unregister(struct netdev *d);
void netdev_unregister_queue(struct netdev *d, struct list_head *going);
void netdev_unregister_all(struct list_head *going);
static inline void netdev_get(struct netdev *d)
{
	refcount_inc(&d->refs);
}

void netdev_put(struct netdev *d);

/* rtnl or RCU; not referenced. NULL: none. */
struct netdev *netdev_by_index(struct net *net, int ifindex);
struct netdev *netdev_by_name(struct net *net, const char *name);

/* rtnl. IFF_UP: 0 or -errno. */
int netdev_open(struct netdev *d);
void netdev_close(struct netdev *d);
int netdev_change_flags(struct netdev *d, u32 flags);
int netdev_set_mtu(struct netdev *d, u32 mtu);
int netdev_set_mac(struct netdev *d, const u8 *addr);
/* False: D has no address: -EOPNOTSUPP. */
bool netdev_changes_mac(const struct netdev *d);
/* The machine that D is in has moved: its neighbours hear of it. Takes rtnl; sleeps. */
void netdev_notify_peers(struct netdev *d);
/* By a program's wish: 0, -EOPNOTSUPP, or what the device says. */
int netdev_set_carrier(struct netdev *d, bool on);
/* rtnl. Of what can be switched, those of MASK are wanted as ON says; d->features follows. */
void netdev_want_features(struct netdev *d, u32 mask, u32 on);
/* rtnl. hw_features or wanted of a registered device changed. */
void netdev_update_features(struct netdev *d);
int netdev_rename(struct netdev *d, const char *pattern);
/* rtnl. D's alias is the LEN bytes of TEXT; 0: none. 0; -EINVAL: IFALIASZ or more; -ENOMEM. */
int netdev_set_alias(struct netdev *d, const char *text, size_t len);
int netdev_move(struct netdev *d, struct net *net, const char *pattern);
int netdev_mc_add(struct netdev *d, const u8 *addr);
int netdev_mc_del(struct netdev *d, const u8 *addr);
struct seq_file;
/* rtnl. D's lines of /proc/net/dev_mcast. */
void netdev_show_mc(struct seq_file *f, struct netdev *d);
/* rtnl. F is called with ARG and each link-layer multicast address of D. */
void netdev_mc_each(struct netdev *d, void (*f)(void *arg, const u8 *addr), void *arg);
void netdev_set_promiscuity(struct netdev *d, int by);
void netdev_set_allmulti(struct netdev *d, int by);

/* Any context: the link went up or down. Protocols and netlink hear of it from a worker. */
void netdev_carrier(struct netdev *d, bool on);
void netdev_get_stats(struct netdev *d, struct netdev_stats *s);
/* What programs see: IFF_* with those that follow from the carrier; IF_OPER_*. */
u32 netdev_shown_flags(const struct netdev *d);
u8 netdev_operstate(const struct netdev *d);
/* rtnl. The device at D's other end; D, where it has none. */
struct netdev *netdev_link(struct netdev *d);

/* Notices of changes, delivered under rtnl to each registered block. */
enum netdev_event {
	NETDEV_REGISTER,
	NETDEV_UNREGISTER,
	NETDEV_UP,
	NETDEV_GOING_DOWN,
	NETDEV_DOWN,
	NETDEV_CHANGE,
	NETDEV_CHANGEMTU,
	NETDEV_CHANGEADDR,
	NETDEV_CHANGENAME,		/* netdev->was is the old one */
	NETDEV_CHANGEFLAGS,
	NETDEV_CHANGEFEATURES,
	NETDEV_MOVED,
	NETDEV_NOTIFY_PEERS,		/* neighbours are told where its addresses are */
};
struct netdev_listener {
	struct list_head list;
	/* -errno (for REGISTER, UP, CHANGEMTU alone): it must not be. */
	int (*event)(struct netdev *d, enum netdev_event e);
};
/*
 * L hears from here on, or no more. Devices that are there already are not told of. Takes rtnl.
 */
void netdev_listen(struct netdev_listener *l);
void netdev_unlisten(struct netdev_listener *l);
/* rtnl. Listeners hear of it; their first -errno. */
int netdev_tell(struct netdev *d, enum netdev_event e);

/* ---- sending ---- */

/*
 * Takes P, its link header built, p->dev set. 0, or -ENETDOWN, -ENOBUFS (dropped), -ENOMEM. Within
 * RCU; not from hard interrupts.
 */
int dev_queue_xmit(struct packet *p);
/* Builds the link header: 0, or -errno (the packet stays the caller's). */
int dev_hard_header(struct packet *p, struct netdev *d, u16 protocol, const u8 *to, const u8 *from);
void netdev_stop_queue(struct netdev *d, u16 queue);	/* in ops->xmit */
/*
 * rtnl. N queues each way are in use: 0, -EOPNOTSUPP, -EINVAL (there are not as many), or what the
 * device says. Packets that wait in a queue that goes are dropped. Sleeps.
 */
int netdev_set_channels(struct netdev *d, u16 n);
void netdev_wake_queue(struct netdev *d, u16 queue);	/* any context but hard interrupts */

/* ---- receiving ---- */

/*
 * P came in by p->dev with the link header at packet_data(), which eth_type_trans() takes off and
 * reads. Within RCU, does not sleep.
 */
void eth_type_trans(struct packet *p, struct netdev *d);
void netdev_receive(struct packet *p);

/*
 * A handler for packets of an EtherType in all namespaces, or a tap: what a program has open to
 * look at packets, in one namespace. Both are called within RCU.
 */
struct packet_type {
	struct list_head list;
	struct list_head order;		/* taps: struct packet_taps */
	be16 protocol;			/* a tap of ETH_P_ALL sees sent packets too */
	struct netdev *dev;		/* taps: of this device alone; NULL: any */
	struct net *net;		/* taps: in this namespace; NULL: it is a handler */
	/* A handler: it owns P. */
	void (*receive)(struct packet *p, struct netdev *d, struct packet_type *t);
	/*
	 * A tap: P is lent, and is the same afterwards. It begins with its network header if it
	 * came in, with its link header if it goes out (PACKET_OUTGOING).
	 */
	void (*look)(struct packet *p, struct netdev *d, struct packet_type *t);
	const struct sock *sk;		/* taps: what it sends itself it does not see */
	bool no_outgoing;		/* taps: sees no sent packets (PACKET_IGNORE_OUTGOING) */
};
void packet_type_add(struct packet_type *t);
/* After it returns and a grace period nothing calls T any more. */
void packet_type_del(struct packet_type *t);
struct seq_file;
/* /proc/net/ptype: the handlers, and the taps of NET. */
void packet_types_show(struct seq_file *m, struct net *net);

struct net_poll_ops {
	/*
	 * At most BUDGET packets to netdev_receive(); how many. Fewer than BUDGET: the ring was
	 * empty.
	 */
	int (*poll)(struct net_poll *q, int budget);
	/* Interrupts on again. True: work had come before that took effect (they are off again). */
	bool (*arm)(struct net_poll *q);
};

/*
 * Segments of TCP that may become one packet (net/dev/gro.c): the first of each of a few flows, the
 * oldest first.
 */
#define NET_GRO_HELD 8
struct net_gro {
	struct packet *held[NET_GRO_HELD];
	unsigned int nr;
};

struct net_poll {
	unsigned long state; /* atomic: NET_POLL_CLAIMED, NET_POLL_MARKED, NET_POLL_OFF */
	const struct net_poll_ops *ops;	/* c */
	struct netdev *dev;		/* c */
	struct list_head list;		/* dev->polls */
	struct list_head scheduled;	/* its CPU's list: that lock */
	int cpu;			/* where its interrupt comes */
	u32 napi_id;			/* c */
	struct task *thread;		/* c: its poller */
	struct net_gro gro;		/* of the holder */
	void *priv;			/* c */
};
/* Bits of net_poll's state. */
enum { NET_POLL_CLAIMED, NET_POLL_MARKED, NET_POLL_OFF };
/* Q may be scheduled, which does nothing until net_poll_enable(). */
static inline void net_poll_prepare(struct net_poll *q)
{
	q->state = 1ul << NET_POLL_OFF;
}

/* rtnl, before the device is open. Starts the thread. */
int net_poll_add(struct netdev *d, struct net_poll *q, const struct net_poll_ops *ops, int cpu)
	__must_check;
void net_poll_del(struct net_poll *q);
void net_poll_enable(struct net_poll *q);
/* No poll() runs or begins when it returns. Sleeps. */
void net_poll_disable(struct net_poll *q);
/* Hard interrupts too: there is something to do. The driver has masked the queue's interrupt. */
void net_poll_schedule(struct net_poll *q);
/*
 * P came in by Q's device, whose link header eth_type_trans() took off. Within Q's poll(), at the
 * end of which it is received at the latest.
 */
void net_poll_receive(struct net_poll *q, struct packet *p);
/*
 * Before a task waits for packets: looks at this CPU's queues, within a budget. Does not sleep.
 * True: packets were handled.
 */
bool net_poll_look(void);

/* ---- local delivery ---- */

/*
 * Work that packets cause and that would make the section of their reception too long: it is done
 * between sections, by the task that received them.
 */
struct net_after {
	struct list_head node;		/* the context's; of its task alone */
	/* Some of it, with no lock held: at most NET_BATCH packets. True: there is more. */
	bool (*run)(struct net_after *a);
	/* There is more than the context's budget: A leaves it, and goes on elsewhere. */
	void (*late)(struct net_after *a);
};
/*
 * What is left to do with a packet that more want than one section has room for: each of them gets
 * it in a section of its own, before the next packet is received.
 */
struct net_rest {
	struct list_head node;
	struct work_struct work;
	/*
	 * A bounded piece of it, outside of RCU and with no spinlock held, in a task. False: that
	 * was all, and R is gone.
	 */
	bool (*step)(struct net_rest *r);
};
struct net_ctx {
	struct packet_list pending;
	struct list_head rest;		/* struct net_rest by node */
	struct list_head after;		/* struct net_after by node */
	struct net_ctx *outer;
	int flight; /* the section that packets under way lie in; -1: none are */
};
/* Around what may send packets: nests, and only the outermost delivers. */
void net_ctx_begin(struct net_ctx *c);
void net_ctx_end(struct net_ctx *c);
/*
 * The task is about to sleep inside of one, or goes on for long: what it sent is delivered. No
 * spinlock is held; answers to a sock that the task owns go to its backlog.
 */
void net_ctx_flush(void);
/* A, which is in no context, is run by this task, soon. False: the task has no context. */
bool net_ctx_after(struct net_after *a) __must_check;
/*
 * R, whose step is set, is done by this task when it leaves the section that it is in, after what
 * was added before it; by a worker if the task has no context. Not in an interrupt; atomic.
 */
void net_rest_add(struct net_rest *r);
/* From ops->xmit of a device whose other end is here: P is received, soon, by p->dev. */
void net_local_receive(struct packet *p);
