/* SPDX-License-Identifier: MIT */
/* Between the files of this room. */
#pragma once

#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <proc/signal.h>

/* Has the init of NS, or of a namespace above it, ended? Forks into NS fail then. */
bool pid_ns_is_dying(const struct pid_namespace *ns);
struct pid *alloc_pid(struct pid_namespace *ns, const int *set_tid, size_t set_tid_size);
void free_pid(struct pid *p);
void attach_pid(struct task *t, enum pid_type type);
void attach_pids(struct task *t);		/* a new process */
struct pid *change_pid(struct task *t, enum pid_type type, struct pid *n);	/* to another group or session */
/* The end of a thread, or of a process. GONE: see change_pid(); left alone where there is none. */
void detach_pids(struct task *t, bool leader, struct pid *gone[PIDTYPE_MAX]);

/* Of signal.c, for task_is_held() and hold_wait(). */
bool everybody_held(struct task *t, int *walk);
int wait_for_everybody(int walk);

struct pid_namespace *copy_pid_ns(struct user_namespace *user_ns, struct pid_namespace *old);
void proc_mark_subreaper(void);
/* tasklist_lock write-held: S, a new process, is PARENT's child. */
void proc_inherit_subreaper(struct signal_struct *s, struct signal_struct *parent);
int proc_reboot_pid_ns(struct pid_namespace *ns, unsigned int cmd);
void zap_pid_ns_processes(struct pid_namespace *ns);

int copy_creds(struct task *child, unsigned long clone_flags);
int create_user_ns(struct cred *n);
int copy_namespaces(unsigned long flags, struct task *child);
void exit_task_namespaces(struct task *t);

/* fork.c */
struct kernel_clone_args {
	u64 flags;
	int exit_signal;
	struct uptr pidfd, child_tid, parent_tid;
	unsigned long stack, stack_size, tls;
	int set_tid[32];
	size_t set_tid_size;
	bool set_tls;
	int trace_event;		/* PTRACE_EVENT_*; kernel_clone sets it */
	u64 group_seq;			/* of the caller's process when its copy was begun */
	bool again;			/* copy_process: a signal to the group came since, begin anew */
	/* kernel thread instead */
	int (*fn)(void *);
	void *fn_arg;
	const char *name;
	bool worker;			/* a thread of the running task's process that stays in the kernel */
};
pid_t kernel_clone(struct kernel_clone_args *args);
/*
 * A new task, not yet running; ERR_PTR. HOLD may be NULL for the kernel's tasks. Nothing was done if HOLD says
 * that the caller is to wait (hold_wait()), or A->again that it is to call anew.
 */
struct task *copy_process(struct kernel_clone_args *a, struct hold *hold);
extern struct task *kthreadd_task;
extern int max_threads;

/* exit.c */
void release_task(struct task *t);
void exit_notify_thread(struct task *t);

void put_signal(struct signal_struct *s);

/* sigqueue.c, signal.c */
void flush_sigqueue(struct sigpending *p);
/* The same of MOST signals. Whether there are more. */
bool flush_some(struct sigpending *p, unsigned int most);
void flush_signals_for_exec(struct task *t);
void exit_signals(struct task *t);
bool do_notify_parent(struct task *t, int sig);
void do_notify_parent_cldstop(struct task *t, bool for_ptracer, int why);
/* siglock held, and released in between: all threads but T are killed. Those that come meanwhile are not (copy_process refuses: group_exec_task). */
void zap_other_threads(struct task *t);
/* siglock held: T leaves the list of threads. */
void zap_forget(struct signal_struct *s, struct task *t);
void sigqueue_free_all(struct task *t);
/* siglock held: SIG is no longer pending in the process of T. True: in some of its threads it may be; then proc_forget_rest() is to do the rest. */
bool __must_check proc_forget_signal(struct task *t, int sig);
/* SIG, which the running task's process ignores, is no longer pending in it. May sleep. */
void proc_forget_rest(int sig);
/* siglock held. */
int send_signal_locked(int sig, struct siginfo *info, struct task *t, enum pid_type type);
/* The same of SEND_SIG_PRIV, which even the init of a pid namespace hears. */
int send_kernel_signal_locked(int sig, struct task *t, enum pid_type type);
void signal_wake_up_state(struct task *t, unsigned int state);
/* The Nth queued signal of T, a frozen tracee, or of its process. May sleep. */
bool signal_peek(struct task *t, bool shared, u64 n, struct siginfo *out);
bool may_signal(const struct cred *from, struct task *t);
extern struct kmem_cache *sighand_cache;
/* A queued signal that belongs to a timer and is used again and again; NULL over RLIMIT_SIGPENDING. */
struct sigqueue;
struct posix_timer;
struct sigqueue *signal_alloc_owned(struct posix_timer *owner, int sig);
struct siginfo *signal_owned_info(struct sigqueue *q);
bool signal_owned_is_queued(const struct sigqueue *q);		/* siglock held */
void signal_free_owned(struct sigqueue *q);
/* siglock of T held. False: it is ignored. One that is queued already stays so. */
bool signal_queue_owned(struct sigqueue *q, struct task *t, enum pid_type type);
/* siglock of the process held: no longer pending. */
void signal_unqueue_owned(struct sigqueue *q);
void put_sighand(struct sighand_struct *s);	/* may sleep */
void init_signalfd(struct sighand_struct *h);

/* itimer.c */
void exit_itimers(struct signal_struct *sig);
/* exec: ME takes the pid and place of its dead LEADER. tasklist_lock write-held, released. */
void proc_take_leadership(struct task *me, struct task *leader) __releases(tasklist_lock);

/* exec_rules.c, cred.c */
void cred_changed_dumpable(struct task *t);

/* ns.c */
struct nsproxy *nsproxy_create(unsigned long flags, struct fs_struct *fs, struct user_namespace *user_ns);
int ns_time_check(unsigned long flags);
void switch_task_namespaces(struct task *t, struct nsproxy *n);
void itimer_init(struct signal_struct *s);
/* A SIGALRM of the process was taken. (siglock) */
void itimer_taken(struct signal_struct *s);
int proc_start_kthreadd(void);
/*
 * A kernel thread that is going to execute a program (exec/), not started yet: rights, namespaces
 * and limits of the kernel's, no descriptors, a root of its own; its parent, kthreadd, does not
 * wait for it. By a kernel thread. ERR_PTR(-ENOMEM, -EAGAIN).
 */
struct task *proc_helper_create(int (*fn)(void *), void *arg, const char *name);
void proc_schedule_tail(void);
