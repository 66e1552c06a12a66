/* SPDX-License-Identifier: MIT */
/*
 * Rings of io_uring(7) and their requests, for all files of the room.
 *
 * A request goes through these states, always under its ring's lock:
 *
 *	prepared -> issued -> complete			most of them, within io_uring_enter(2)
 *	prepared -> issued -> later -> (issued ->) complete
 *	prepared -> (behind others: a link, a drain) -> issued ...
 *
 * "Later" means that something outside of the ring will happen: a file becomes ready, a timer
 * fires, a disk has written. A callback of that has one way in, uring_kick(): it notes the event
 * in req->run and puts the request on the list of its task, once, from any context. The task then
 * runs its list, takes the ring's lock and does whatever there is to do. So a request has one owner
 * at any time, the holder of the ring's lock: completion, cancellation and retry never race.
 *
 * Memory: a completed request may still be on its task's list; then the list's run frees it.
 */
#pragma once

#include <lib/atomic.h>
#include <lib/list.h>
#include <lib/types.h>
#include <alloc/xarray.h>
#include <kernel/rcu.h>
#include <kernel/refcount.h>
#include <kernel/spinlock.h>
#include <kernel/time.h>
#include <mm/iter.h>
#include <sched/mutex.h>
#include <sched/task.h>
#include <sched/wait.h>
#include <sched/work.h>
#include <linux/eventpoll.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>

struct cpumask;
struct cred;
struct eventfd;
struct file;
struct uring_rules;
struct user_struct;
struct sock_user_msg;
struct uring_names;
struct uring_req;
struct uring_task;

#define URING_RETRIES 16u	/* times that a file says that it is ready, and is not */
#define URING_ACCOUNTS 2	/* IO_WQ_BOUND, IO_WQ_UNBOUND */

/* What programs map at IORING_OFF_SQ_RING and IORING_OFF_CQ_RING; they write anything anywhere. */
struct uring_shared {
	u32 sq_head __aligned(64);
	u32 sq_tail __aligned(64);
	u32 cq_head __aligned(64);
	u32 cq_tail __aligned(64);
	u32 sq_mask, cq_mask, sq_entries, cq_entries;
	u32 sq_dropped;
	atomic_t sq_flags;		/* IORING_SQ_*: the kernel's alone */
	u32 cq_flags;			/* IORING_CQ_* */
	u32 cq_overflow;
	struct io_uring_cqe cqes[] __aligned(64);
	/* and the array of the SQ */
};

/* Registered: pages that are pinned. */
struct uring_buffer {
	unsigned long start, len;	/* c: user addresses */
	unsigned int nr;		/* c */
	struct bio_vec vecs[];		/* c: one a page */
};

/* What a place of a table has, by one reference; each request that uses it has another. */
struct uring_res {
	u32 refs;			/* l */
	u64 tag;			/* c: of the completion when it goes; 0: none */
	struct file *file;		/* c; NULL */
	struct uring_buffer *buffer;	/* c; NULL */
};

struct uring_table {
	struct uring_res **at;		/* l; NULL: nothing is registered */
	unsigned long *used;		/* l: which places have one */
	unsigned int nr;		/* l */
	unsigned int alloc_from, alloc_end, alloc_next;	/* l: places that the kernel may choose */
};

/* A completion for which the CQ had no room. */
struct uring_late_cqe {
	struct list_head list;
	u64 user_data;
	s32 res;
	u32 flags;
};

struct uring {
	/* One of the file, which stands for the requests; once it is closed, one of all of them. */
	refcount_t refs;
	u32 flags;		/* c: IORING_SETUP_* */
	u32 sq_entries, cq_entries;	/* c: powers of two */
	u8 sqe_shift, cqe_shift;	/* c: of their bytes, by the flags */
	struct uring_shared *shared;	/* c */
	size_t shared_bytes, sqe_bytes;	/* c: whole pages */
	u32 *array;		/* c: of the SQ, within shared; NULL: there is none */
	void *sqes;		/* c */
	struct task *submitter;	/* l, once: of SINGLE_ISSUER, referenced; compared only */
	/* c: whose locked memory buffers are, referenced; NULL: not counted */
	struct user_struct *user;
	clockid_t clock;		/* l to change: of waits */
	bool disabled;		/* l to change: IORING_REGISTER_ENABLE_RINGS did not come yet */

	struct mutex lock;	/* "l" */
	u32 sq_head;		/* l */
	u32 cq_tail;		/* l: may be ahead of shared->cq_tail until uring_flush() */
	u32 cq_room_to;		/* l: the tail may grow to here before cq_head is read again */
	bool posted;		/* l: since the last uring_flush() */
	struct list_head late;	/* l: struct uring_late_cqe, the oldest first */
	u32 nr_late;		/* l */
	u32 nr_lost;		/* l: completions for which there was no memory */
	u32 nr_silent;		/* l: requests that ended without one (CQE_SKIP_SUCCESS) */
	bool lost;		/* l to set: one, of which io_uring_enter(2) did not tell yet */
	u32 timeouts_fired;	/* l to change */

	struct list_head ready;	/* l: requests that are to be issued by whoever holds the lock */
	struct list_head drain;	/* l: requests behind a drain, in order */
	bool draining;		/* l: a drain is live, alone */
	bool no_drain;		/* l: it had an SQE with CQE_SKIP: no drain from here on */
	u32 live;		/* l: issued, and not complete */
	u32 nr_reqs;		/* l: requests that there are */
	u32 nr_spare;		/* l */
	struct uring_req *spare;	/* l: for requests to come, by their next */
	struct hlist_head *later;	/* l: of requests that are later, by user_data */
	u32 later_mask;		/* c */
	struct list_head counted;	/* l: timeouts that count completions, the next first */

	struct uring_rules *rules;	/* l: referenced; NULL: there are none */
	bool born_ruled;	 /* c: its maker had rules, which hold before it is enabled */
	struct uring_table files, buffers;	/* l */
	struct xarray personalities;	/* l: struct cred, referenced */
	u32 next_personality;	/* l */
	u32 worker_limits[URING_ACCOUNTS];	/* l: IORING_REGISTER_IOWQ_MAX_WORKERS; 0: none */
	struct list_head tasks;	/* l: struct uring_node */
	wait_queue_head_t cq_wait, poll_wait;
	struct llist_head work;	/* of DEFER_TASKRUN: requests to run */
	bool waiter;		/* of DEFER_TASKRUN: the submitter waits for work */
	bool closed;		/* l to change: its file is; work goes to the lists of tasks */
	struct work_struct tell;	/* of DEFER_TASKRUN: work is there */
	struct llist_head msgs;	/* requests of other rings that send to this one, with its file */
	struct work_struct msg_work;	/* there are some */
	unsigned long tell_eventfd;	/* a, bit 0: the eventfd too */
	struct eventfd *eventfd;	/* l to change, RCU */
	bool eventfd_async;	/* l */
	struct rcu_head rcu;
};

/* A task that has submitted to a ring. */
struct uring_node {
	struct list_head list;	/* ring->lock */
	struct uring *ring;	/* c */
	struct uring_task *task;	/* c */
};

/* Workers of one kind, and their requests: work.c. */
struct uring_account {
	struct list_head queue;		/* pool lock: requests */
	unsigned int nr_queued;		/* pool lock */
	unsigned int nr, nr_idle, most;	/* pool lock: workers that take requests; one may be */
	wait_queue_head_t more;
};

/* Threads that do what would make the task sleep. */
struct uring_pool {
	spinlock_t lock;
	struct uring_account account[URING_ACCOUNTS];
	struct list_head running;	/* lock: requests */
	unsigned int nr;		/* lock: workers */
	bool ends, unused;		/* lock to change; unused: its task is in no ring */
	wait_queue_head_t gone;
	struct cpumask *cpus;		/* lock: where they may run; NULL: where the task may */
	u32 cpus_seq;			/* lock to change: times that this changed */
};

#define URING_RING_FDS 16u

/* The io_uring of a task (task->uring). */
struct uring_task {
	struct task *task;	/* c */
	struct xarray rings;	/* by ring: struct uring_node; its lock */
	struct uring *last_ring;	/* the task's own: it is in it; compared only */
	struct llist_head work;	/* requests to run */
	unsigned long work_queued;	/* a, bit 0: task->uring_work is on the list of the task */
	/* Requests, and AHEAD, the task's own, for those to come; whoever makes it 0 wakes IDLE. */
	atomic_t in_flight;
	u32 ahead;
	struct uring_pool pool;
	bool ends;		/* waits at IDLE for its requests */
	wait_queue_head_t idle;
	struct file *fds[URING_RING_FDS];	/* the task's own: IORING_REGISTER_RING_FDS */
	struct rcu_head rcu;
};

/* req->run */
#define RUN_QUEUED	0x01u	/* on its task's or its ring's list */
#define RUN_POLL	0x02u	/* a queue of its file was woken */
#define RUN_TIMER	0x04u	/* its timer fired */
#define RUN_DONE	0x08u	/* what it began has ended: req->res */
#define RUN_START	0x10u	/* it is to be issued */
#define RUN_DEAD	0x20u	/* it is complete: to be freed */
#define RUN_OWN_WAKE	0x40u	/* with RUN_POLL: completions of a ring woke the queue */
#define RUN_TOLD	0x80u	/* and the queue is that of its own ring's eventfd */

/* req->flags: IOSQE_* in the low byte. */
#define R_FAIL		0x0100u	/* the rest of its chain is cancelled */
#define R_LATER		0x0400u	/* it is in ring->later */
#define R_HOOKED	0x0800u	/* it is on queues of its file: req->wait */
#define R_HAS_TIMER	0x2000u	/* of a chain: the next one is its IORING_OP_LINK_TIMEOUT */
#define R_TIMED		0x4000u	/* that timer runs */
#define R_CLEAN		0x10000u	/* op->clean() has something to free */
#define R_RUNNING	0x20000u	/* a worker has it, or will: it is on a list of the pool */
#define R_AGAIN		0x40000u	/* its task issues it again, and was told */
#define R_LINKS (IOSQE_IO_LINK | IOSQE_IO_HARDLINK)

struct uring_rw {
	struct kiocb k;
	loff_t off;		/* -1: the file's position */
	struct uptr buf;
	u32 rw_flags;
	u16 ioprio;
	struct iovec *iov;	/* vectors, ours; NULL: one buffer */
	struct bio_vec *vecs;	/* pieces of a registered buffer, ours; NULL: not made yet */
	unsigned long nr, nr_vecs;
	size_t bytes, done;	/* all of it; what was read before it was issued again */
};

struct uring_poll {
	__poll_t events;
	bool multi;
	/* of POLL_REMOVE */
	u64 old_user_data, new_user_data;
	bool set_events, set_user_data;
};

struct uring_timeout {
	struct hrtimer timer;
	ktime_t at;		/* of its clock, or from now on */
	enum hrtimer_mode mode;
	u32 target;		/* of what counts completions: the CQ's tail */
	u32 repeats;		/* of a multishot: how many more; 0: for ever */
	bool counts, multi, good;	/* good: ETIME is no failure */
	struct uring_req *head;	/* of LINK_TIMEOUT: which it limits; NULL: that has ended */
};

struct uring_change {		/* TIMEOUT_REMOVE, ASYNC_CANCEL */
	u64 user_data;
	u32 flags;
	s32 fd;
	u8 op;
	ktime_t at;
	enum hrtimer_mode mode;
	clockid_t clock;
};

struct uring_range {
	loff_t off, len;	/* of fsync: where it ends */
	u32 flags;		/* or advice, or a mode */
};

struct uring_splice {
	loff_t off_in, off_out;	/* -1: the file's position */
	size_t len;
	s32 fd_in;
	u32 flags;
};

struct uring_msg {
	u64 cmd;		/* IORING_MSG_* */
	u64 user_data;		/* of the completion there */
	u64 from;		/* SEND_FD: place in the sender's table */
	u32 len, flags;
	u32 to;			/* SEND_FD: place there plus 1; else the completion's flags */
	struct file *file;	/* SEND_FD, while it is on its way: referenced */
	struct llist_node node;	/* of the ring that it is for */
};

struct uring_epoll {
	int op, fd;
	struct epoll_event event;
};

struct uring_name {
	struct open_how how;
	struct uring_names *n;	/* name.c's */
	struct uptr to;
	u32 index;		/* of the registered file that it becomes; 0: a descriptor */
	u32 flags, mask;	/* mask: or a mode */
	int dfd2;
};

struct uring_net {
	struct uptr buf, len_at;
	size_t len;			/* bytes; or a call's number */
	size_t done;			/* with MSG_WAITALL: bytes that moved before */
	u32 flags;			/* MSG_*, SOCK_* */
	u32 index;		/* of the registered file that it becomes; 0: a descriptor */
	int addr_len;
	bool poll_first, under_way;
	struct __kernel_sockaddr_storage *addr;	/* ours; undefined where addr_len is 0 */
	struct sock_user_msg *msg;	/* ours; NULL */
};

#define WAIT_QUEUES 2	/* a file has one to read and one to write at most */
struct uring_wait {
	struct uring_wait_entry {
		struct wait_queue_entry entry;
		wait_queue_head_t *queue;	/* NULL: not on one, or that went */
		struct uring_req *req;		/* c */
	} on[WAIT_QUEUES];
	__poll_t events;
	atomic_t woken;	/* a: of POLL_ADD: what its wake-ups said, EPOLL*; WOKEN_ANY: one did not */
	unsigned int nr;
	bool too_many;
};
#define WOKEN_ANY (1 << 30)

struct uring_req {
	union {
		struct uring_rw rw;
		struct uring_poll poll;
		struct uring_timeout timeout;
		struct uring_change change;
		struct uring_range range;
		struct uring_splice splice;
		struct uring_epoll epoll;
		struct uring_msg msg;
		struct uring_name name;
		struct uring_net net;
	};
	struct uring *ring;	/* c */
	struct uring_task *task;	/* c */
	struct file *file;		/* l */
	u64 user_data;			/* l */
	s32 res;			/* l, or of the one who says RUN_DONE */
	u32 cqe_flags;			/* l */
	u32 flags;			/* l */
	s32 fd;				/* c */
	u8 retries;			/* l: ready, and then it was not */
	/* Of whoever issues it, a worker without the lock too: */
	bool nowait_only;		/* EAGAIN is its result */
	bool cur_pos;			/* at the file's position, which it moves */
	bool fell_short;		/* its chain wanted more than it did */
	u8 op;				/* c */
	u16 buf_index;			/* c */
	atomic_t run;			/* a: RUN_* */
	struct llist_node run_node;
	struct list_head list;		/* l: ring->ready, drain or counted */
	struct hlist_node later;	/* l */
	struct uring_req *next;		/* l: of its chain */
	struct uring_wait *wait;	/* l */
	struct uring_res *file_node, *buffer_node;	/* l: registered; NULL */
	struct task *worker;		/* pool lock: who runs it; NULL */
	const struct cred *cred;	/* c, once issued; NULL: those of the task as they are */
};

/* op->issue() */
#define URING_DONE 0		/* req->res is the result */
#define URING_LATER 1		/* an event comes */

struct uring_op {
	const char *name;
	bool file;			/* SQE's fd is a file's */
	bool sleeps;			/* it cannot say EAGAIN: for a worker */
	bool tries;			/* it can say EAGAIN, and then it is for a worker */
	bool waits;			/* its file may let it wait for ever */
	bool buffer;			/* buf_index is a registered buffer's */
	bool ioprio;			/* the SQE's ioprio means something; else it is 0 */
	__poll_t poll;			/* what EAGAIN waits for */
	/* All that it needs of the SQE, which is a copy; the rest is 0. 0 or -errno. */
	int (*prep)(struct uring_req *r, const struct io_uring_sqe *sqe);
	/*
	 * In the request's task, with its rights. NOWAIT: -EAGAIN rather than sleep for long.
	 * URING_*, or -errno.
	 */
	int (*issue)(struct uring_req *r, bool nowait);
	/* RUN_* of one that is later. */
	void (*event)(struct uring_req *r, u32 run);
	/* Of one that is later: no event comes any more. False: it cannot be stopped. */
	bool (*cancel)(struct uring_req *r);
	/* R_CLEAN. */
	void (*clean)(struct uring_req *r);
	/* Bytes that moved before R failed or was stopped: its result. NULL: none. */
	size_t (*moved)(const struct uring_req *r);
};

extern const struct uring_op uring_ops[IORING_OP_LAST];
static inline const struct uring_op *uring_op(const struct uring_req *r)
{
	return &uring_ops[r->op];
}

#define uring_assert(u) lockdep_assert_held(&(u)->lock)

/* ---- ring.c ---- */

/* Any context. */
void uring_put(struct uring *u);
/* register.c, lock held. */
void uring_drop_personalities(struct uring *u);
/* NULL: it is none. */
struct uring *uring_of(struct file *f);
static inline void uring_get(struct uring *u)
{
	refcount_inc(&u->refs);
}

/* ---- cq.c: lock held ---- */

/* False: there is no memory to keep it: u->lost; or no room where it may be left out (MORE). */
bool uring_post(struct uring *u, u64 user_data, s32 res, u32 flags);
/* The same with FLAGS that a program chose: none of them means anything here. */
bool uring_post_message(struct uring *u, u64 user_data, s32 res, u32 flags);
/* There is room: it is the CQ's next. */
static inline void uring_put_cqe(struct uring *u, u64 user_data, s32 res, u32 flags)
{
	u32 at = u->cq_tail++ & (u->cq_entries - 1);
	char *cqes = (char *)u->shared->cqes;
	struct io_uring_cqe *c = (void *)(cqes + ((size_t)at << u->cqe_shift));

	WRITE_ONCE(c->user_data, user_data);
	WRITE_ONCE(c->res, res);
	WRITE_ONCE(c->flags, flags);
	if (unlikely(u->flags & IORING_SETUP_CQE32))
		c->big_cqe[0] = c->big_cqe[1] = 0;
}

/* Whether the current task tells U's eventfd. Any lock, or none. */
bool uring_tells_eventfd(const struct uring *u);
/* What was posted is shown and told. */
void uring_flush(struct uring *u);
/* Completions that had no room go to the CQ. True: all have. */
bool uring_late_flush(struct uring *u);
static inline u32 uring_cq_events(const struct uring *u)
{
	return READ_ONCE(u->shared->cq_tail) - READ_ONCE(u->shared->cq_head);
}

/* ---- req.c ---- */

/* N of the ring's SQEs at most. How many; -EAGAIN, -ENOMEM where none. Lock held. */
int uring_submit(struct uring *u, struct uring_task *t, u32 n);
/* Something happened to R. Any context. */
void uring_kick(struct uring_req *r, u32 event);
/* R->res is its result. Lock held; uring_flush() follows. */
void uring_complete(struct uring_req *r);
/* The same of one that is in no chain and counts for no drain. */
void uring_end(struct uring_req *r);
/* Issues R, or what is left of it, in its task. Lock held. */
void uring_issue(struct uring_req *r);
/* R was issued: E is URING_DONE or -errno. Lock held; uring_flush() follows. */
void uring_issued(struct uring_req *r, int e);
/* U's file, which has just been closed, stands for its requests no more. Lock held. */
void uring_close_reqs(struct uring *u);
/* Issues what became ready meanwhile, and shows completions. Lock held. */
void uring_settle(struct uring *u);
/* The same where another ring's request is being issued: what is ready is left to its task. */
void uring_settle_later(struct uring *u);
void uring_run(struct uring_req *r);	/* what an event asks for; lock held */

/* ---- later.c: lock held ---- */

/* R is later, found by those who cancel. */
void uring_add_later(struct uring_req *r);
void uring_del_later(struct uring_req *r);
/* R fails with RES; where bytes moved before that, how many they are is its result. */
void uring_fail(struct uring_req *r, s32 res);
/* R, which is later, ends with RES: true. False: it cannot be stopped. */
bool uring_stop(struct uring_req *r, s32 res);
/* Those that are later with USER_DATA, among others; the one of operation OP. */
struct hlist_head *uring_later_of(struct uring *u, u64 user_data);
struct uring_req *uring_find_later(struct uring *u, u64 user_data, u8 op);

/* ---- wait.c: lock held ---- */

/*
 * R, which has no hooks, is on the queues of its file, to be told of EVENTS. What is ready of them
 * (and then, unless it is to STAY, it is on no queue), 0, -errno.
 */
int uring_hook(struct uring_req *r, __poll_t events, bool stay);
void uring_unhook(struct uring_req *r);
/* What its file has of EVENTS. */
__poll_t uring_look(struct uring_req *r, __poll_t events);

/* ---- enter.c: no lock held ---- */

/* Runs the current task's own work, of U and of other rings. */
void uring_run_work(struct uring *u);
/* Completions so far, with those that were lost, or not wanted. Any lock, or none. */
static inline u32 uring_posted(const struct uring *u)
{
	return READ_ONCE(u->cq_tail) + READ_ONCE(u->nr_late) + READ_ONCE(u->nr_lost) +
	       READ_ONCE(u->nr_silent);
}

/*
 * Until there are more completions than SEEN, or the task has work of its own. UNTIL: of
 * CLOCK_MONOTONIC; NULL: for ever. 0, -ETIME, -EINTR.
 */
int uring_sleep(struct uring *u, u32 seen, const ktime_t *until);

/* ---- the operations; uring_op says what each is ---- */

#define URING_PREP(name) int name(struct uring_req *r, const struct io_uring_sqe *sqe)
#define URING_ISSUE(name) int name(struct uring_req *r, bool nowait)
#define URING_EVENT(name) void name(struct uring_req *r, u32 run)
#define URING_CANCEL(name) bool name(struct uring_req *r)
URING_PREP(uring_timeout_prep);
URING_ISSUE(uring_timeout_issue);
URING_EVENT(uring_timeout_event);
URING_CANCEL(uring_timeout_cancel);
URING_PREP(uring_link_timeout_prep);
URING_ISSUE(uring_link_timeout_issue);
URING_EVENT(uring_link_timeout_event);
URING_PREP(uring_timeout_remove_prep);
URING_ISSUE(uring_timeout_remove_issue);
URING_PREP(uring_cancel_prep);
URING_ISSUE(uring_cancel_issue);
URING_PREP(uring_poll_prep);
URING_ISSUE(uring_poll_issue);
URING_EVENT(uring_poll_event);
URING_PREP(uring_poll_remove_prep);
URING_ISSUE(uring_poll_remove_issue);
URING_PREP(uring_rw_prep);
URING_PREP(uring_rwv_prep);
URING_ISSUE(uring_read_issue);
URING_ISSUE(uring_write_issue);
URING_EVENT(uring_rw_event);
void uring_rw_clean(struct uring_req *r);
URING_PREP(uring_fsync_prep);
URING_ISSUE(uring_fsync_issue);
URING_PREP(uring_close_prep);
URING_ISSUE(uring_close_issue);
URING_PREP(uring_send_prep);
URING_ISSUE(uring_send_issue);
URING_PREP(uring_recv_prep);
URING_ISSUE(uring_recv_issue);
URING_PREP(uring_sendmsg_prep);
URING_ISSUE(uring_sendmsg_issue);
URING_PREP(uring_recvmsg_prep);
URING_ISSUE(uring_recvmsg_issue);
void uring_net_clean(struct uring_req *r);
size_t uring_net_moved(const struct uring_req *r);
URING_PREP(uring_accept_prep);
URING_ISSUE(uring_accept_issue);
URING_PREP(uring_connect_prep);
URING_ISSUE(uring_connect_issue);
URING_PREP(uring_shutdown_prep);
URING_ISSUE(uring_shutdown_issue);
URING_PREP(uring_socket_prep);
URING_ISSUE(uring_socket_issue);
URING_PREP(uring_bind_prep);
URING_ISSUE(uring_bind_issue);
URING_PREP(uring_listen_prep);
URING_ISSUE(uring_listen_issue);
URING_PREP(uring_openat_prep);
URING_PREP(uring_openat2_prep);
URING_ISSUE(uring_open_issue);
void uring_name_clean(struct uring_req *r);
URING_PREP(uring_statx_prep);
URING_ISSUE(uring_statx_issue);
URING_PREP(uring_rename_prep);
URING_ISSUE(uring_rename_issue);
URING_PREP(uring_unlink_prep);
URING_ISSUE(uring_unlink_issue);
URING_PREP(uring_mkdir_prep);
URING_ISSUE(uring_mkdir_issue);
URING_PREP(uring_symlink_prep);
URING_ISSUE(uring_symlink_issue);
URING_PREP(uring_link_prep);
URING_ISSUE(uring_link_issue);
URING_PREP(uring_sync_range_prep);
URING_ISSUE(uring_sync_range_issue);
URING_PREP(uring_fallocate_prep);
URING_ISSUE(uring_fallocate_issue);
URING_PREP(uring_fadvise_prep);
URING_ISSUE(uring_fadvise_issue);
URING_PREP(uring_splice_prep);
URING_ISSUE(uring_splice_issue);
URING_PREP(uring_tee_prep);
URING_ISSUE(uring_tee_issue);
URING_PREP(uring_madvise_prep);
URING_ISSUE(uring_madvise_issue);
URING_PREP(uring_epoll_ctl_prep);
URING_ISSUE(uring_epoll_ctl_issue);
URING_PREP(uring_files_update_prep);
URING_ISSUE(uring_files_update_issue);
URING_PREP(uring_msg_prep);
URING_ISSUE(uring_msg_issue);
URING_EVENT(uring_msg_event);
void uring_deliver_msgs(struct work_struct *w);	/* of the ring that was locked */
URING_PREP(uring_nop_prep);
URING_ISSUE(uring_nop_issue);

/* ---- timeout.c: lock held ---- */

/* R is on its way: the timer of its chain runs. */
void uring_link_timer_start(struct uring_req *r);
/* R ends: the timer of its chain, which is taken out of it. */
void uring_link_timer_end(struct uring_req *r);
/* Timeouts that count completions. */
void uring_count_timeouts(struct uring *u);

/* ---- task.c ---- */

/* The current task, and no other, submits to U. Lock held, or U is new. */
void uring_set_submitter(struct uring *u);
/* The current task's; made where there is none, for U. NULL without memory. */
struct uring_task *uring_task_get(const struct uring *u);
/* The current task submits to U from here on. Lock held. 0, -EEXIST, -ENOMEM. */
int uring_task_join(struct uring *u, struct uring_task *t);
/* U's file is closed: nothing is issued any more, what is deferred is left to tasks. Lock held. */
void uring_tasks_close(struct uring *u);
/* Runs the requests that wait for the current task. No lock held. True: there were some. */
bool uring_run_tasks_own(struct uring_task *t);
/* Runs those of a ring of DEFER_TASKRUN. Lock held. */
bool uring_run_deferred(struct uring *u);
/* The first request came to the list of T. Any context, within RCU. */
void uring_work_came(struct uring_task *t);
/* The same of U, whose submitter is T. TOLD: its eventfd knows. */
void uring_deferred_came(struct uring *u, struct uring_task *t, bool told);

/* ---- work.c ---- */

/* Of a task whose first ring has so many ENTRIES. */
void uring_pool_init(struct uring_pool *p, u32 entries);
void uring_pool_free(struct uring_pool *p);
/*
 * A worker issues R: URING_LATER. -EAGAIN: there is none, and can be none, and the caller may issue
 * it; -ECANCELED: and it may not, for it could wait for ever. Lock held, by R's task.
 */
int uring_hand_over(struct uring_req *r);
/* IORING_REGISTER_IOWQ_*. NEW[I] 0: as it is; OLD, unless NULL: what it was. MASK NULL: any. */
void uring_pool_limits(struct uring_pool *p, const u32 *new, u32 *old);
int uring_pool_cpus(struct uring_pool *p, const struct cpumask *mask);
/* T came into a ring, or left one: without one its workers end as soon as they are idle. */
void uring_pool_used(struct uring_task *t);
/* R, handed over, is the caller's again. False: a worker has it, and was told. Lock held. */
bool uring_take_back(struct uring_req *r);
/* The current task's workers end. No lock held. */
void uring_pool_end(struct uring_task *t);

/* ---- filter.c ---- */

struct uring_rules *uring_rules_get(struct uring_rules *r);	/* NULL: NULL */
void uring_rules_put(struct uring_rules *r);
/* Whether a registration is taken. */
bool uring_rules_register(const struct uring_rules *rules, unsigned int opcode);
/* io_uring_register(2) of a ring, lock held, and of the current task. 0 or -errno. */
int uring_filter_ring(struct uring *u, struct uptr arg);
int uring_filter_task(struct uptr arg, unsigned int nr);
int uring_restrict_ring(struct uring *u, struct uptr arg, unsigned int nr);
int uring_restrict_task(struct uptr arg, unsigned int nr);

/* ---- res.c: lock held ---- */

void uring_node_put(struct uring *u, struct uring_res *n);
void uring_tables_drop(struct uring *u);
/* R's file is the one at place AT: 0, -EBADF. */
int uring_fixed_file(struct uring_req *r, unsigned int at);
/* R has the buffer of its index: 0, -EFAULT. */
int uring_fixed_buffer(struct uring_req *r);
/* LEN bytes at the user address AT, which are B's: 0, -EFAULT. */
int uring_buffer_iter(const struct uring_buffer *b, unsigned int dir, unsigned long at, size_t len,
		      struct iter *it);
/*
 * F, whose reference is taken, comes to place INDEX - 1: 0; or with IORING_FILE_INDEX_ALLOC to a
 * free one: which. -ENXIO, -EINVAL, -ENFILE, -EBADF, -ENOMEM. Of a worker: lock not held.
 */
int uring_install(struct uring_req *r, struct file *f, u32 index);
/* The same of any ring, locked. */
int uring_install_in(struct uring *u, struct file *f, u32 index);
int uring_close_fixed(struct uring *u, unsigned int at);
/* FDS, VECS null: all places are free. TAGS null: none. */
int uring_register_files(struct uring *u, struct uptr fds, struct uptr tags, unsigned int nr);
int uring_update_files(struct uring *u, unsigned int at, struct uptr fds, struct uptr tags,
		       unsigned int nr);
int uring_drop_files(struct uring *u);
int uring_set_alloc_range(struct uring *u, u32 from, u32 len);
int uring_register_buffers(struct uring *u, struct uptr vecs, struct uptr tags, unsigned int nr);
int uring_update_buffers(struct uring *u, unsigned int at, struct uptr vecs, struct uptr tags,
			 unsigned int nr);
int uring_drop_buffers(struct uring *u);

/* ---- cancel.c: lock held ---- */

/* All requests of T (NULL: of all tasks) that can be stopped. */
void uring_cancel_all(struct uring *u, const struct uring_task *t);
/* req.c: the same of those behind a drain. */
void uring_cancel_drained(struct uring *u, const struct uring_task *t);
/* IORING_REGISTER_SYNC_CANCEL: lock held, and not while it waits. */
int uring_sync_cancel(struct uring *u, struct uptr arg);
