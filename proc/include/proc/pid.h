/* SPDX-License-Identifier: MIT */
/*
 * Process ids. A struct pid is the identity of a task, process, group or session in every pid namespace down to where
 * it was made; numbers are found by an RCU-readable index per namespace. Holding a struct pid does not hold a task.
 */
#pragma once

#include <lib/list.h>
#include <lib/rbtree.h>
#include <lib/atomic.h>
#include <kernel/refcount.h>
#include <sched/task.h>
#include <sched/wait.h>
#include <sched/work.h>

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	refcount_t count;
	unsigned int level;		/* c */
	spinlock_t lock;		/* inodes; first of file systems' locks of inodes */
	struct hlist_head inodes;	/* lock: directories that show its task, to be dropped with it */
	struct hlist_head tasks[PIDTYPE_MAX];	/* tasklist_lock; R */
	struct rb_root group;		/* tasklist_lock: the processes of the group that it names, by signal->group_stamp, if they are many */
	bool group_has_tree;		/* tasklist_lock */
	unsigned int group_size, session_size;	/* tasklist_lock: processes */
	atomic_t holds;			/* raised under tasklist_lock: struct hold; wait_pidfd for the end of the last */
	struct list_head orphan;	/* tasklist_lock: on orphaned_groups (exit.c) */
	wait_queue_head_t wait_pidfd;
	struct work_struct tell_pidfd;	/* of an end, where many wait for it; holds a reference */
	struct rcu_head rcu;
	u64 ino;			/* c: never used twice */
	int exit_code;			/* wait status form, once EXITED */
	bool exited;			/* its task was waited for; release order */
	struct upid numbers[];		/* c: level + 1 of them */
};

/* Protects parent, child, group and session links. Irq-safe. */
extern rwlock_t tasklist_lock;

/* Under RCU or tasklist_lock, which is as good for readers; a task's own pid also where the task cannot be released. */
#define task_parent(t) rcu_dereference((t)->parent)
#define task_real_parent(t) rcu_dereference((t)->real_parent)
#define task_own_pid(t) rcu_dereference_protected((t)->thread_pid, true)

struct pid *find_vpid(int nr);				/* in the caller's namespace; under RCU */
struct pid *find_pid_ns(int nr, struct pid_namespace *ns);
struct pid *find_get_pid(int nr);
/* The first at or after *NR, which becomes its number: what the pid itself says may not be set yet. Under RCU. */
/*
 * What is done to many processes is done some at a time. Meanwhile the group, the session or the namespace's processes are held: they make no process, and
 * do not leave the group, before all is done. Who finds so under tasklist_lock, held for writing, lets go of it, waits and begins again.
 */
struct hold {
	bool is;
	struct pid *pid;	/* of the group or session; a reference */
	int walk;		/* without PID: how many signals to everybody had ended */
};
extern atomic_t holds_of_all;	/* how many there are; raised under tasklist_lock */
bool __pid_is_held(struct task *t, struct hold *h);
bool __task_is_held(struct task *t, struct hold *h);
/* T's group or session. */
static inline bool pid_is_held(struct task *t, struct hold *h) { return unlikely(atomic_read(&holds_of_all)) && __pid_is_held(t, h); }
/* These, or T by a signal to everybody. */
static inline bool task_is_held(struct task *t, struct hold *h) { return unlikely(atomic_read(&holds_of_all)) && __task_is_held(t, h); }
int hold_wait(struct hold *h);				/* 0, or -ERESTARTNOINTR for a signal */
void pid_hold(struct pid *pid);				/* tasklist_lock held */
void pid_let_go(struct pid *pid);			/* without it */
enum for_group { GO_ON, GO_ON_HELD, ENOUGH };
#define GROUP_MOST 32U
/*
 * FN for the processes that are in the group as the call begins, in the order in which they joined it, GROUP_MOST at a time under tasklist_lock and RCU.
 * May sleep. After GO_ON_HELD, for what none may escape, a large group is held: who is in it makes no child and goes to no other group until the call
 * ends, so that there is nobody but whom FN sees.
 */
void for_group(struct pid *pgrp, enum for_group (*fn)(struct task *leader, void *arg), void *arg);
struct pid *find_ge_pid(unsigned int *nr, struct pid_namespace *ns);
/* The first process whose number in NS is *NR or more, referenced; *NR becomes its number. NULL: there is none. May sleep. */
struct task *next_process(struct pid_namespace *ns, unsigned int *nr);
struct task *pid_task(struct pid *pid, enum pid_type type);	/* under RCU or tasklist_lock */
struct task *get_pid_task(struct pid *pid, enum pid_type type);
struct task *find_task_by_vpid(int nr);			/* under RCU */
struct task *find_get_task_by_vpid(int nr);
static inline struct pid *get_pid(struct pid *p) { if (p) refcount_inc(&p->count); return p; }
void put_pid(struct pid *p);
/* tasklist_lock held for writing: wakes the pollers of P's pidfds, as its task has ended or goes. */
void pid_tell_end(struct pid *p);
struct pid *get_task_pid(struct task *t, enum pid_type type);
struct pid *task_pid_type(struct task *t, enum pid_type type);	/* under RCU or tasklist_lock */

int pid_nr_ns(const struct pid *pid, const struct pid_namespace *ns);	/* 0: not visible there */
int pid_vnr(const struct pid *pid);
static inline int pid_nr(const struct pid *p) { return p ? p->numbers[0].nr : 0; }
pid_t task_pid_nr_type(struct task *t, enum pid_type type, struct pid_namespace *ns);
pid_t task_pid_vnr(struct task *t);
pid_t task_tgid_vnr(struct task *t);
pid_t task_pgrp_vnr(struct task *t);
pid_t task_session_vnr(struct task *t);
#define task_pid_nr_ns(t, ns) task_pid_nr_type(t, PIDTYPE_PID, ns)
#define task_tgid_nr_ns(t, ns) task_pid_nr_type(t, PIDTYPE_TGID, ns)
#define task_pgrp_nr_ns(t, ns) task_pid_nr_type(t, PIDTYPE_PGID, ns)
#define task_session_nr_ns(t, ns) task_pid_nr_type(t, PIDTYPE_SID, ns)
/* Parent's thread-group id as NS sees it. */
pid_t task_ppid_nr_ns(struct task *t, struct pid_namespace *ns);

#define thread_group_leader(t) ((t)->exit_signal >= 0)
static inline bool same_thread_group(const struct task *a, const struct task *b) { return a->signal == b->signal; }
#define for_each_process(p) \
	for ((p) = list_entry_rcu(init_task.tasks.next, struct task, tasks); (p) != &init_task; \
	     (p) = list_entry_rcu((p)->tasks.next, struct task, tasks))
#define for_each_thread(p, t) list_for_each_entry_rcu(t, &(p)->signal->threads, thread_node)
#define for_each_process_thread(p, t) for_each_process(p) for_each_thread(p, t)
#define do_each_pid_task(pid, type, t) \
	hlist_for_each_entry_rcu(t, &(pid)->tasks[type], pid_links[type])
bool thread_group_empty(struct task *t);
/* Whoever watches the thread or process T by descriptor is to look again. */
void proc_notify_pidfd(struct task *t);
