/* SPDX-License-Identifier: MIT */
/* Between the files of local sockets. Lock letters: (l) sk.lock, (b) bind_lock, (h) a bucket, (g) gc_lock, (c) constant. */
#pragma once

#include <alloc/ghash.h>
#include <lib/list.h>
#include <kernel/refcount.h>
#include <kernel/spinlock.h>
#include <net/sock.h>
#include <proc/cred.h>
#include <sched/mutex.h>
#include <sched/wait.h>
#include <vfs/fs.h>
#include <vfs/namei.h>
#include <asm/siginfo.h>
#include <linux/un.h>

enum { UNIX_CLOSED, UNIX_LISTEN, UNIX_CONNECTED };

struct unix_addr {
	refcount_t refs;
	int len;
	struct sockaddr_un name;
};

/* Descriptors under way in one message. */
struct unix_fds {
	struct user_struct *user;
	unsigned int count;
	bool attached;		/* g: counted in inflight */
	struct unix_sock *at;	/* l of it, and g to take off: in whose queue the message is */
	struct unix_msg *msg;	/* the same */
	struct list_head all;	/* the same: at->carried; what the collector took, on a list of its own */
	struct file *file[SCM_MAX_FD];
};

/* sk.state is UNIX_*; sk.queue and ownership are not used: messages have their own list, whose bytes count to the sender's sk.wmem. */
struct unix_sock {
	struct sock sk;			/* first; l is sk.lock */
	struct unix_sock *peer;		/* l: referenced */
	struct mutex bind_lock;
	struct unix_addr *addr;		/* b: set once, release */
	struct path path;		/* b: set before addr */
	struct ghash_node name_node;	/* h */
	struct ghash_node all_node;	/* h */
	struct mutex io_lock;		/* readers of one stream */
	struct list_head queue;		/* l: struct unix_msg */
	struct list_head carried;	/* l, and g to take off: struct unix_fds of what is, or was just now, in queue */
	size_t bytes;			/* l: unread */
	struct unix_msg *urgent;	/* l: in the queue, of one byte; NULL: none (urgent.c) */
	unsigned int queued;		/* l: datagrams or connections */
	unsigned int backlog;		/* l */
	wait_queue_head_t peer_wait;	/* who waits to send to us or connect */
	struct wait_queue_entry relay;	/* on relay_of->peer_wait, under its lock: passes its wake-up on to sk.wait */
	struct unix_sock *relay_of;	/* l and that lock: NULL or peer */
	struct list_head track;		/* g: all that are under way */
	struct file *file;		/* g: set while a message carries it */
	int inflight, scan;		/* g: how often our file is under way; the collector's count */
	bool candidate, reached;	/* g */
	struct unix_sock *next_reached;	/* g: on the collector's list of those whose queue it has yet to look at */
	struct unix_sock *next_embryo;	/* g: on its list of a listener's */
};

static inline struct unix_sock *unix_sk(struct sock *sk) { return container_of(sk, struct unix_sock, sk); }

struct unix_msg {
	struct list_head list;		/* receiver's l */
	struct unix_sock *from;		/* referenced */
	struct unix_sock *embryo;	/* a connection to accept instead of data */
	struct unix_fds *fds;
	struct pid *pid;		/* of the sender; NULL, and no ids: nobody asked for them (unix_add_creds) */
	kuid_t uid;
	kgid_t gid;
	size_t len, off, truesize;
	u8 data[];
};

struct unix_creds {
	struct pid *pid;
	kuid_t uid;
	kgid_t gid;
};

/* The control messages of one sendmsg. */
struct unix_control {
	struct unix_fds *fds;
	struct unix_creds creds;
};

/* unix.c */
struct unix_sock *unix_new(struct socket *s, struct net *net);		/* of its type; NULL: no memory */
static inline void unix_put(struct unix_sock *u) { sock_put(&u->sk); }
void unix_addr_put(struct unix_addr *a);
void unix_release_sock(struct unix_sock *u, bool embryo);
void unix_lock_two(struct unix_sock *a, struct unix_sock *b) __acquires(a->lock);
void unix_unlock_two(struct unix_sock *a, struct unix_sock *b) __releases(a->lock);
void unix_wake_state(struct unix_sock *u);
void unix_relay_leave(struct unix_sock *u);	/* locked: U is about to lose its peer */
struct unix_sock *unix_peer_get(struct unix_sock *u);	/* referenced; NULL: none */
/* The caller's credentials become those that a peer sees. Returns the previous ones (NULL: none): put them without a spinlock. */
const struct cred *__must_check unix_set_peer_creds(struct unix_sock *u);
bool unix_may_send(struct unix_sock *to, struct unix_sock *from);
struct unix_msg *unix_msg_new(struct unix_sock *from, size_t len);
void unix_msg_free(struct unix_msg *m);
/* A message of LEN bytes from M and what C holds, which moves into it. ERR_PTR. */
struct unix_msg *unix_build_msg(struct unix_sock *u, struct sock_msg *m, struct unix_control *c, size_t len);
bool unix_can_queue(struct unix_sock *u);
int unix_wait_room(struct unix_sock *u, long *timeo);
/* Sleeps until there are more than SEEN bytes (0: or any message). 0: look again; -EAGAIN; -ERESTARTSYS or -EINTR. */
int unix_wait_data(struct unix_sock *u, size_t seen, long *timeo);
/* Locked, or Q is the caller's: the sender's credentials, where one end has asked for them or may before it accepts (unix(7)). */
void unix_add_creds(struct unix_msg *q, const struct unix_sock *from, const struct unix_sock *to);
void unix_signal_data(struct unix_sock *u, int band);	/* SIGIO, unless a reader waits */
void unix_signal_hangup(struct unix_sock *u, int shut);	/* SIGIO: SHUT of it is the other end's doing */
int unix_shut_error(struct unix_sock *u);	/* of a sender that no longer may: what the peer left, or EPIPE */
void unix_give_address(struct sock_msg *m, struct unix_sock *from);

/* name.c */
void unix_list(struct unix_sock *u);
void unix_unlist(struct unix_sock *u);
/* Calls FN for some sockets (their all_node) and advances *POS; it is over when that is 1 << 32. */
void unix_walk(u64 *pos, void (*fn)(struct ghash_node *all_node, void *arg), void *arg);
struct unix_sock *unix_find_other(struct net *net, const struct __kernel_sockaddr_storage *sa, int len, int type);
int unix_autobind(struct unix_sock *u);
int unix_bind(struct socket *s, const struct __kernel_sockaddr_storage *sa, int len);
int unix_getname(struct socket *s, struct __kernel_sockaddr_storage *sa, bool peer);

/* stream.c */
int unix_stream_connect(struct socket *s, const struct __kernel_sockaddr_storage *sa, int len, int flags);
int unix_listen(struct socket *s, int backlog);
int unix_accept(struct socket *s, struct socket *fresh, int flags);
ssize_t unix_stream_send(struct unix_sock *u, struct sock_msg *m, struct unix_control *c);
ssize_t unix_stream_recv(struct unix_sock *u, struct sock_msg *m);

/* dgram.c */
int unix_dgram_connect(struct unix_sock *u, const struct __kernel_sockaddr_storage *sa, int len);
ssize_t unix_dgram_send(struct unix_sock *u, struct sock_msg *m, struct unix_control *c);
ssize_t unix_dgram_recv(struct unix_sock *u, struct sock_msg *m);

/* scm.c */
int unix_read_control(struct sock_msg *m, struct unix_control *c);
void unix_control_free(struct unix_control *c);
void unix_give_creds(struct unix_sock *u, struct sock_msg *m, const struct unix_msg *q);
void unix_give_fds(struct unix_sock *u, struct sock_msg *m, struct unix_msg *q);
/* A descriptor of the process SENDER, which ends the control messages of M; none for NULL. */
void unix_give_pidfd(struct sock_msg *m, struct pid *sender);
/* Does U receive credentials with messages? */
static inline bool unix_wants_sender(const struct unix_sock *u)
{
	return sock_flag(&u->sk, SOCK_F_PASSCRED) || sock_flag(&u->sk, SOCK_F_PASSPIDFD);
}
/* Does U take no descriptors (SO_PASSRIGHTS), and Q has some? */
static inline bool unix_refuses(const struct unix_sock *u, const struct unix_msg *q)
{
	return q->fds && sock_flag(&u->sk, SOCK_F_REFUSES_RIGHTS);
}

/* opt.c */
/* SIOCINQ, sk.lock held: all unread bytes; of datagrams those of the first. */
u32 unix_unread(const struct unix_sock *u);
int unix_ioctl(struct socket *s, unsigned int cmd, unsigned long arg);
int unix_get_option(struct sock *sk, int name, struct uptr val, struct uptr len);
int unix_setsockopt(struct socket *s, int level, int name, struct uptr val, int len);
int unix_getsockopt(struct socket *s, int level, int name, struct uptr val, struct uptr len);

/* gc.c */
void unix_fds_attach(struct unix_fds *f);
void unix_enqueue(struct unix_sock *to, struct unix_msg *m);	/* to->lock held */
void unix_fds_detach(struct unix_fds *f);	/* the collector does not see them any more, and is not running over what it saw */
void unix_gc_pass(void);			/* a run of the collector that has begun is over */
void unix_fds_free(struct unix_fds *f);
/* Something was closed: look for cycles if descriptors are under way. */
void unix_gc_poke(void);

/* urgent.c */
/* U got urgent data: SIGURG to its owner, EPOLLPRI. */
void unix_signal_urgent(struct unix_sock *u);
/* MSG_OOB: 1; -EINVAL: there is none; -EOPNOTSUPP, -EFAULT. */
ssize_t unix_recv_urgent(struct unix_sock *u, struct sock_msg *m);
/*
 * The message from Q on that a read goes on with, past marks; NULL: none. *OVER: the read, which has
 * GIVEN something, ends at a mark. Messages that were passed go to GONE. sk.lock held.
 */
struct unix_msg *unix_pass_mark(struct unix_sock *u, struct unix_msg *q, bool peek, bool given,
				bool *over, struct list_head *gone);
/* SIOCATMARK */
int unix_at_mark(struct unix_sock *u);
