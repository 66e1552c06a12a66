/* SPDX-License-Identifier: MIT */
/*
 * struct sock: what the sockets of all families share (socket(7)): options of SOL_SOCKET, buffers
 * and what lies in them, waiting, errors, filters, owner, namespace. A family embeds it as its
 * structure's first member.
 *
 * Life. sock_init() gives one reference, the file's; the tables, timers and packets of a family
 * take their own with sock_hold(), or sock_get() where they found the sock under RCU. The last
 * sock_put() calls ops->destruct and frees the memory after a grace period (SOCK_RCU_FREE) or at
 * once. sk->socket is NULL once no program has it open (SOCK_DEAD), and before accept(2).
 *
 * Locks. sk->lock, a spinlock, guards the fields marked l; it is held for short. A family whose
 * calls take long (TCP, UDP's corking) also uses ownership: lock_sock() makes the task the owner,
 * and may sleep; packets that come meanwhile go to the backlog, which release_sock() runs. A
 * receiver of packets does spin_lock(&sk->lock); if (sock_owned(sk)) sock_backlog_add(); else ...;
 * spin_unlock(). queue_lock guards the receive queue and the error queue and nests inside of
 * sk->lock. Lock letters: (l) sk->lock; (o) owner, or sk->lock while there is none; (q) queue.lock;
 * (c) constant; (a) atomic; none: plain stores of one word.
 *
 * Memory. sk->wmem counts truesize that the socket has under way until packets are freed; sk->rmem
 * what waits for a reader. A packet is charged by sock_charge_rx/tx and gives back by its
 * uncharge().
 */
#pragma once

#include <kernel/lockdep.h>
#include <kernel/rcu.h>
#include <kernel/refcount.h>
#include <kernel/spinlock.h>
#include <kernel/time.h>
#include <net/netns.h>
#include <net/packet.h>
#include <net/socket.h>
#include <proc/cred.h>
#include <sched/wait.h>

struct fasync_struct;
struct pid;
struct sock;
struct sock_filter_prog;		/* classic BPF, attached */

/* Settings of net/core/, of each namespace. */
struct net_conf {
	int somaxconn, optmem_max, unix_max_dgram_qlen;
};
/* Sizes of buffers before they are doubled, the machine's. */
struct net_limits {
	int wmem_default, wmem_max, rmem_default, rmem_max;
};
extern struct net_limits net_limits;

enum sock_flag {
	SOCK_F_DEAD,			/* no program has it open any more */
	SOCK_F_DEBUG,
	SOCK_F_REUSEADDR,
	SOCK_F_REUSEPORT,
	SOCK_F_KEEPALIVE,
	SOCK_F_BROADCAST,
	SOCK_F_DONTROUTE,
	SOCK_F_OOBINLINE,
	SOCK_F_LINGER,
	SOCK_F_NO_CHECK,
	SOCK_F_RXQ_OVFL,
	SOCK_F_PASSCRED,
	SOCK_F_PASSPIDFD,
	SOCK_F_TIMESTAMP,
	SOCK_F_TIMESTAMPNS,
	SOCK_F_TSTAMP_NEW,
	SOCK_F_FILTER_LOCKED,
	SOCK_F_RCU_FREE,
	SOCK_F_SELECT_ERR_QUEUE,
	SOCK_F_NOFCS,
	SOCK_F_PASSSEC,
	SOCK_F_REFUSES_RIGHTS,
};

#ifdef CONFIG_LOCKDEP
#define SOCK_LOCKS(lock, ownership) .lock_name = LOCK_NAME(lock), .owner_name = LOCK_NAME(ownership),
#else
#define SOCK_LOCKS(lock, ownership)
#endif

#define SOCK_NO_STAMP (~0ull)		/* no packet was read yet */

/* What a kind of socket does beneath the calls. NULL: nothing to do, unless it says otherwise. */
struct sock_kind {
	const char *name;		/* /proc/net/protocols */
#ifdef CONFIG_LOCKDEP
	/* what docs/lock-order.md calls sk->lock and ownership: SOCK_LOCKS() */
	const char *lock_name, *owner_name;
#endif
	size_t size;			/* of the family's structure */
	bool peeks_on;			/* SO_PEEK_OFF has an effect: else EOPNOTSUPP */
	void (*destruct)(struct sock *sk);	/* the last reference is gone; may not sleep */
	/* A packet of the backlog: owner's, with sk->lock not held; consumes P. */
	void (*backlog_rcv)(struct sock *sk, struct packet *p);
	void (*release_cb)(struct sock *sk);	/* owner, as it gives up: what timers left to do */
	/* An option of SOL_SOCKET that the family answers itself; -ENOIOCTLCMD: as all do. */
	int (*get)(struct sock *sk, int name, struct uptr val, struct uptr len);
	void (*buf_changed)(struct sock *sk);	/* o: SO_SNDBUF or SO_RCVBUF was set */
	void (*keepalive)(struct sock *sk, bool on);	/* o */
	/*
	 * o: SO_TIMESTAMPING is set to FLAGS, with OPT_ID: ts_key is 0, or what the family begins
	 * with. 0, -EINVAL. NULL: what it sends is not stamped.
	 */
	int (*stamps)(struct sock *sk, u32 flags);
	int (*bind_dev)(struct sock *sk);	/* o: SO_BINDTODEVICE changed sk->bound_dev */
};

struct sock {
	refcount_t refs;
	u16 family, type;		/* c: AF_*, SOCK_* */
	u16 protocol;			/* c */
	u8 state;			/* l: the family's; TCP's numbers where diag shows it */
	u8 shut;			/* l: bit 0: no more reading, bit 1: no more writing */
	atomic_long_t flags;		/* enum sock_flag */
	const struct sock_kind *kind;	/* c */
	struct net *net;		/* c: a user reference if net_user, else a pin */
	bool net_user;			/* c */
	spinlock_t lock;
	struct task *owner;		/* l: the task that has it by lock_sock() */
	struct packet_list backlog;	/* l */
	/* l: truesize of all that came since the owner last let go: bounds release_sock() */
	u32 backlog_bytes;
	struct socket *socket;		/* l: NULL while no program has it open */
	wait_queue_head_t wait;		/* readers and writers, with poll keys */
	wait_queue_head_t owner_wait;	/* for ownership */
	struct lockdep_map owner_map;
	struct fasync_struct __rcu *fasync;	/* SIGIO: vfs/fasync.c's lock */
	int err;			/* a: positive errno, taken by sock_take_error() */
	int err_soft;			/* o: the error to report when it times out */

	u32 ts_flags;			/* o to change: SO_TIMESTAMPING */
	atomic_t ts_key;		/* number of the next message, or of the first byte */
	struct {
		spinlock_t lock;
		struct packet_list rx;	/* q: for the reader */
		struct packet_list errors;	/* q: IP_RECVERR, timestamps */
	} queue;
	atomic_t rmem;			/* truesize in rx and errors */
	atomic_t wmem;			/* truesize under way */
	atomic_t omem;			/* bytes of filters and the like, up to optmem_max */
	atomic_t drops;			/* SO_RXQ_OVFL, /proc/net/udp */
	int rcvbuf, sndbuf;		/* doubled as Linux shows them */
	int rcvlowat;
	long rcvtimeo, sndtimeo;	/* jiffies; MAX_SCHEDULE_TIMEOUT: for ever */
	unsigned int buf_locks;		/* SOCK_SNDBUF_LOCK, SOCK_RCVBUF_LOCK */
	u32 linger_s, priority, mark;
	int busy_poll_us, incoming_cpu;
	u32 napi_id;			/* of the queue that its last packet came by */
	unsigned long pacing_rate;	/* bytes a second; ~0: no limit */
	int bound_dev;			/* l: ifindex, 0: any */
	int peek_off;			/* -1: off (SO_PEEK_OFF) */
	/* no SIGIO for data, one for room: hints, set by a waiter or a sender without room */
	bool reader_waits, wants_space;
	kuid_t uid;			/* of the maker, shown and used by routing */
	u64 ino;	 /* l to change: of the file, 0: none: idiag_inode, /proc/net */
	atomic64_t cookie;		/* 0: not given yet */
	/* SIOCGSTAMP: when the last packet read came; 0: that was not recorded */
	u64 rx_stamp_ns;
	struct sock_filter_prog __rcu *filter;	/* l to change */
	struct pid *peer_pid;		/* l: SO_PEERCRED */
	const struct cred *peer_cred;	/* l */
	struct rcu_head rcu;
};

static inline bool sock_flag(const struct sock *sk, enum sock_flag f)
{
	return atomic_long_read(&sk->flags) >> f & 1;
}

/* The settings of its namespace. */
static inline const struct net_conf *sock_conf(const struct sock *sk)
{
	return sk->net->conf;
}

/* Whether the caller has CAP over the socket's namespace. */
bool sock_capable(const struct sock *sk, int cap);
void sock_set_flag(struct sock *sk, enum sock_flag f, bool on);

/*
 * Zeroed memory of KIND->size, initialised for S (NULL: nobody's file) in NET, with a user
 * reference of it if USER. NULL: no memory.
 */
struct sock *sock_alloc(const struct sock_kind *kind, struct net *net, bool user, int family,
			struct socket *s, int protocol, gfp_t gfp) __must_check;
/* SK, which is embedded in something allocated otherwise, as sock_alloc() leaves it. */
void sock_init(struct sock *sk, const struct sock_kind *kind, struct net *net, bool user,
	       int family, struct socket *s, int protocol);
static inline void sock_hold(struct sock *sk)
{
	refcount_inc(&sk->refs);
}

static inline bool __must_check sock_get(struct sock *sk)
{
	return refcount_inc_not_zero(&sk->refs);
}

void sock_put(struct sock *sk);
/*
 * The file goes: sk->socket is NULL and SOCK_F_DEAD set; the family drops its reference afterwards.
 */
void sock_orphan(struct sock *sk);
/*
 * SK, which no program has open any more, holds its namespace as a pin alone: it does not keep it
 * from its end.
 */
void sock_net_unuse(struct sock *sk);
/* The file of a connection that accept(2) hands out. */
void sock_graft(struct sock *sk, struct socket *s);
u64 sock_cookie(struct sock *sk);

/* Ownership. Not in atomic context. */
void lock_sock(struct sock *sk);
/* the caller owns a sock that is always locked before SK: its listener */
void lock_sock_nested(struct sock *sk);
void release_sock(struct sock *sk);
static inline bool sock_owned(const struct sock *sk)
{
	return sk->owner;
}

/* sk->lock held, and somebody owns it. False: the backlog is full, P stays the caller's. */
bool sock_backlog_add(struct sock *sk, struct packet *p) __must_check;

/* Errors. */
static inline void sock_set_error(struct sock *sk, int positive)
{
	WRITE_ONCE(sk->err, positive);
}

int sock_take_error(struct sock *sk);	/* 0 or -errno, and none is left */
void sock_report_error(struct sock *sk);	/* wakes and signals */
/* -EPIPE after SIGPIPE, unless MSG_NOSIGNAL or something was DONE. */
ssize_t sock_pipe_error(const struct sock_msg *m, ssize_t done);

/*
 * What wait_event_interruptible_timeout() returned, as 0 (and *TIMEO is what is left), -EAGAIN,
 * -ERESTARTSYS or -EINTR.
 */
int sock_waited(long r, long *timeo);
static inline long sock_rcvtimeo(const struct sock *sk, bool nonblock)
{
	return nonblock ? 0 : READ_ONCE(sk->rcvtimeo);
}

static inline long sock_sndtimeo(const struct sock *sk, bool nonblock)
{
	return nonblock ? 0 : READ_ONCE(sk->sndtimeo);
}

void sock_wake_readable(struct sock *sk);	/* and SIGIO POLL_IN */
/* if half of the buffer is free; SIGIO POLL_OUT where owed */
void sock_wake_writable(struct sock *sk);
void sock_wake_state(struct sock *sk);
void sock_urgent(struct sock *sk);	/* SIGURG, and EPOLLPRI */
void sock_want_space(struct sock *sk);
/* What poll(2) says of what all families share: errors, shutdown. */
u32 sock_poll_common(struct sock *sk);
/* struct sock_ops' poll, of sockets that read packet by packet. */
u32 sock_poll_dgram(struct file *f, struct socket *s, struct poll_table_struct *pt);

/* Buffers. */
static inline bool sock_wspace_free(const struct sock *sk)
{
	return atomic_read(&sk->wmem) < READ_ONCE(sk->sndbuf);
}

/* P counts against SK's send buffer until it is freed; P holds SK. */
void sock_charge_tx(struct sock *sk, struct packet *p);
/* An empty queue takes any packet: a datagram that is larger than the buffer can be received. */
static inline bool sock_rx_fits(const struct sock *sk, const struct packet *p)
{
	u32 there = (u32)atomic_read(&sk->rmem);

	return !there || (u64)there + p->truesize <= (u64)(u32)READ_ONCE(sk->rcvbuf);
}

/*
 * 0: P counts against the receive buffer; -ENOBUFS: it is full (drops is raised), or the family's
 * memory is.
 */
int sock_charge_rx(struct sock *sk, struct packet *p) __must_check;
/*
 * Waits until the send buffer has room. 0, -EAGAIN, -ERESTARTSYS, -EINTR, the socket's error,
 * -EPIPE. Not under a lock; flushes the task's net_ctx.
 */
int sock_wait_wspace(struct sock *sk, long *timeo) __must_check;
/*
 * A packet with LEN bytes of M, charged to SK, which first waits as sock_wait_wspace() does.
 * ERR_PTR of its errors, -EFAULT, -EMSGSIZE, -ENOBUFS.
 */
struct packet *sock_packet_from(struct sock *sk, struct sock_msg *m, u32 len) __must_check;
/*
 * The same without a wait: -ENOBUFS where the send buffer is full twice over. The socket's error
 * stays for who reads.
 */
struct packet *sock_packet_now(struct sock *sk, struct sock_msg *m, u32 len) __must_check;
/*
 * 0: P, which passed the filter, is charged and lies in the receive queue, and readers are awake.
 * Else -errno, P stays the caller's.
 */
int sock_queue_rx(struct sock *sk, struct packet *p) __must_check;
/*
 * The first packet of the receive queue, for a datagram reader: taken off, or with MSG_PEEK
 * cloned... (a counted look: see net/core/wait.c), and M->skip says where in it the peek begins.
 * Waits as flags and rcvtimeo say.
 * ERR_PTR(-EAGAIN, -ERESTARTSYS, -EINTR, -ENOTCONN, the socket's error); NULL: shut down for
 * reading.
 */
struct packet *sock_recv_packet(struct sock *sk, struct sock_msg *m) __must_check;
/* SO_PEEK_OFF: where a receive of M begins, in bytes of what is unread. */
static inline u32 sock_peek_skip(const struct sock *sk, const struct sock_msg *m)
{
	int off;

	if (likely(!(m->flags & MSG_PEEK)))
		return 0;
	off = READ_ONCE(sk->peek_off);
	return off > 0 ? (u32)off : 0;
}

/* Flags of SO_TIMESTAMPING that ask for times of sending. */
#define SOCK_STAMPS_TX								\
	(SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_ACK)
/* stamp.c: SO_TIMESTAMPING. 0, -EINVAL, -EOPNOTSUPP. */
int sock_set_timestamping(struct sock *sk, u32 flags, bool new);
int sock_put_timestamping(struct sock *sk, bool new, struct uptr val, struct uptr len);
/* The control message of a time of the real clock. */
void sock_put_stamps(const struct sock *sk, struct sock_msg *m, u64 real_ns);
bool sock_stamps_rx(const struct sock *sk);	/* what it receives */
u32 sock_next_stamp(struct sock *sk);		/* the number of the message that goes now */
void sock_peek_move(struct sock *sk, const struct sock_msg *m, size_t n);
/* M gave N bytes: the next peek begins behind them; or they were taken from before it. */
static inline void sock_peek_moved(struct sock *sk, const struct sock_msg *m, size_t n)
{
	if (unlikely(READ_ONCE(sk->peek_off) >= 0))
		sock_peek_move(sk, m, n);
}

/* for MSG_ERRQUEUE; -ENOBUFS */
int sock_queue_error(struct sock *sk, struct packet *p) __must_check;
/* struct sock_kind's destruct: frees packets that were not read. */
void sock_free_queues(struct sock *sk);
/* Control messages that all families give with a packet: timestamps, drops, mark, napi. */
/* the timestamp alone, if asked for; 0: now */
void sock_recv_stamp(struct sock *sk, struct sock_msg *m, u64 real_ns);
void sock_recv_cmsgs(struct sock *sk, struct sock_msg *m, const struct packet *p);
/* A control message of SOL_SOCKET on the way out: 0 or -EINVAL, -EPERM. */
struct sock_tx {
	u32 mark, priority;
};
/* All of M's, of SOL_SOCKET alone; others are left. 0, -EINVAL, -EPERM, -EFAULT. */
int sock_send_cmsgs(struct sock *sk, const struct sock_msg *m, struct sock_tx *t);
int sock_send_cmsg(struct sock *sk, struct sock_tx *t, int type, const void *data, size_t len);

/*
 * Filters (SO_ATTACH_FILTER): the bytes to keep of a packet, from its data on, or of a message of
 * LEN bytes; 0: drop it; U32_MAX: there is no filter.
 */
u32 sock_filter_run(const struct sock *sk, const struct packet *p);
/*
 * SK's filter may take many steps for each instruction: it is run outside of sections, see
 * sock_later(). Atomic.
 */
bool sock_filter_searches(const struct sock *sk);
/*
 * GIVE, which consumes P, is called when the task has left the section that it is in, outside of
 * RCU and with no spinlock held. SK is referenced or found under RCU. Atomic.
 */
void sock_later(struct sock *sk, struct packet *p, void (*give)(struct sock *sk, struct packet *p));
u32 sock_filter_run_flat(const struct sock *sk, const void *data, u32 len);
bool sk_filter_apply(const struct sock *sk, struct packet *p, u32 least);
/*
 * SK's filter lets P through, cut to what it keeps, but not to fewer than LEAST bytes (headers that
 * were checked). False: P is to be dropped.
 */
static inline bool __must_check sk_filter(const struct sock *sk, struct packet *p, u32 least)
{
	return likely(!rcu_access_pointer(sk->filter)) || sk_filter_apply(sk, p, least);
}

/* CHILD, a new connection that no other code knows yet, gets the filter of its listener FROM. */
void sock_filter_inherit(struct sock *child, struct sock *from);

/* SOL_SOCKET. Under no lock; sleeps. -ENOPROTOOPT and what socket(7) says. */
int sock_setsockopt(struct socket *s, int name, struct uptr val, int len);
int sock_getsockopt(struct socket *s, int name, struct uptr val, struct uptr len);
/* For a family's own options: the value of SIZE bytes, cut to what *LEN says. */
int sock_put_option(const void *v, size_t size, struct uptr val, struct uptr len);
int sock_get_int_option(u32 *v, struct uptr val, int len);	/* 0, -EINVAL, -EFAULT */
/* SIOCGSTAMP and its kin: 0, -EFAULT, -ENOENT (no packet was read); -ENOIOCTLCMD: none of them. */
int sock_ioctl(struct sock *sk, unsigned int cmd, struct uptr arg);
int sock_fasync(int fd, struct file *f, int on, struct socket *s);
