/* SPDX-License-Identifier: MIT */
/*
 * Process ids. A struct pid is the identity of a task, process, group or session in every pid namespace down to where
 * it was made; numbers are found by an RCU-readable index per namespace. Holding a struct pid does not hold a task.
 */
#pragma once

#include <lib/list.h>
#include <kernel/refcount.h>
#include <sched/task.h>
#include <sched/wait.h>

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
	wait_queue_head_t wait_pidfd;
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
struct pid *find_ge_pid(unsigned int *nr, struct pid_namespace *ns);
struct task *pid_task(struct pid *pid, enum pid_type type);	/* under RCU or tasklist_lock */
struct task *get_pid_task(struct pid *pid, enum pid_type type);
struct task *find_task_by_vpid(int nr);			/* under RCU */
struct task *find_get_task_by_vpid(int nr);
static inline struct pid *get_pid(struct pid *p) { if (p) refcount_inc(&p->count); return p; }
void put_pid(struct pid *p);
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
