/* SPDX-License-Identifier: MIT */
/*
 * Signals. Actions belong to the process (struct sighand_struct), pending signals to a thread or to the process
 * (struct signal_struct). All of it is under sighand->siglock, which is irq-safe.
 */
#pragma once

#include <lib/rbtree.h>
#include <lib/list.h>
#include <kernel/refcount.h>
#include <sched/task.h>
#include <proc/pid.h>
#include <sched/mutex.h>
#include <sched/work.h>
#include <asm/signal.h>
#include <asm/siginfo.h>

#ifndef _NSIG
#define _NSIG 64		/* on every CPU of ours; SIGRTMAX is one of them */
#endif

#define SIG_KERNEL_DFL 0UL
#define SIG_KERNEL_IGN 1UL

typedef struct siginfo kernel_siginfo_t;

struct k_sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	u64 mask;
};

struct sighand_struct {
	spinlock_t siglock;
	refcount_t count;
	wait_queue_head_t signalfd_wqh;
	struct work_struct tell_signalfd;	/* of a signal, where many wait for one */
	bool tell_used;			/* siglock: it was queued at some time */
	struct rcu_head rcu;
	struct k_sigaction action[_NSIG];	/* s */
};

struct rlimit_k {
	u64 cur, max;
};

struct tty_struct;
struct taskstats_k;

struct sigpending {		/* as struct task has one, too */
	struct list_head list;
	struct rb_root tree;
	u64 signal;
	unsigned int nr;
};

struct signal_struct {
	refcount_t sigcnt;
	int nr_threads;			/* s */
	atomic_t live;
	struct list_head threads;	/* T, R: by thread_stamp */
	struct rb_root thread_tree;	/* T: the same of a process with many (threads.c) */
	bool has_thread_tree;		/* T */
	u64 last_thread_stamp;		/* T */
	struct group_times times;
	u64 told_utime_ns, told_stime_ns;	/* what was last told: never goes back */
	wait_queue_head_t wait_chldexit;
	struct task *curr_target;	/* s */
	struct sigpending shared_pending;	/* s */
	u64 group_seq;			/* s: how many signals came that went to more than this process */
	int group_exit_code;		/* s */
	int notify_count;
	struct task *group_exec_task;
	struct task *zap_next, *zap_not;	/* s: of a group that ends or executes, the first thread that is still to be killed; the one that is not */
	/* s: signals to many threads (signal_many.c) */
	u64 seek, seek_again, seek_after;	/* signals that a thread is sought for: now, behind the stamp SEEK_AFTER; then from the first one on */
	u64 last_taker;			/* the stamp of the thread that took the last one */
	struct task *stopper;		/* the thread that is stopping the others, until it has told all */
	u64 stop_round;			/* how often somebody did */
	u64 job_seq, cont_seq, stop_seq;	/* how many SIGCONT and stop signals were sent; which was the last of either */
	u64 cont_after;			/* threads behind this stamp are still to be continued */
	bool cont_some, cont_again;	/* there are such; and then all once more */
	struct work_struct many_work;	/* holds a reference while it is queued or runs */
	int group_stop_count;		/* s */
	unsigned int flags;		/* s: SIGNAL_* */
	bool is_child_subreaper;	/* T */
	struct signal_struct *subreaper;	/* T: the nearest ancestor that was one, referenced; see exit.c */
	struct pid __rcu *pids[PIDTYPE_MAX];	/* T, R: TGID, PGID, SID */
	bool leader;			/* T: session leader */
	struct rb_node group_node;	/* T: in its group's tree, if that has one */
	u64 group_stamp;		/* T: when it joined its group: no two are alike */
	struct tty_struct *tty;		/* s */
	struct pid *tty_old_pgrp;
	u64 utime_ns, stime_ns, cutime_ns, cstime_ns, cgtime_ns;	/* s: of dead threads; of waited-for children */
	unsigned long nvcsw, nivcsw, cnvcsw, cnivcsw, min_flt, maj_flt, cmin_flt, cmaj_flt;
	unsigned long inblock, oublock, cinblock, coublock;
	unsigned long maxrss, cmaxrss;	/* pages */
	u64 sum_sched_runtime;
	unsigned long io_bytes[6];
	struct rlimit_k rlim[16];	/* group leader's task_lock to write */
	struct hrtimer real_timer;
	ktime_t it_real_incr;		/* s */
	enum { ITIMER_OFF, ITIMER_ARMED, ITIMER_FIRED } it_real;	/* s; fired: its signal was sent, and the next time is not set yet */
	struct { u64 expires_ns, incr_ns; } it_cpu[2];	/* s: ITIMER_PROF, ITIMER_VIRTUAL */
	struct rb_root posix_timers;	/* s: by id */
	struct rb_root cpu_timers;	/* s: those of them that the tick looks at (posix_timers.c) */
	int next_timer_id;		/* s */
	short oom_score_adj, oom_score_adj_min;
	bool oom_flag_origin;
	struct mm *oom_mm;
	struct mutex cred_guard_mutex;	/* exec against ptrace */
	struct rw_semaphore exec_update_lock;
};

#define SIGNAL_STOP_STOPPED 0x1
#define SIGNAL_STOP_CONTINUED 0x2
#define SIGNAL_GROUP_EXIT 0x4
#define SIGNAL_CLD_STOPPED 0x10
#define SIGNAL_CLD_CONTINUED 0x20
#define SIGNAL_UNKILLABLE 0x40

#define EXIT_DEAD 0x10
#define EXIT_ZOMBIE 0x20
#define EXIT_TRACE (EXIT_ZOMBIE | EXIT_DEAD)	/* its tracer reaps it; then it is a zombie again */

static inline u64 rlimit(unsigned int which) { return READ_ONCE(current->signal->rlim[which].cur); }
static inline u64 task_rlimit(const struct task *t, unsigned int which) { return READ_ONCE(t->signal->rlim[which].cur); }
static inline u64 rlimit_max(unsigned int which) { return READ_ONCE(current->signal->rlim[which].max); }

#define SEND_SIG_NOINFO ((struct siginfo *)0)	/* from the running task, no details */
#define SEND_SIG_PRIV ((struct siginfo *)1)	/* from the kernel */
/*
 * The first bytes of a siginfo_t hold all that any of its forms has; the kernel keeps and copies no more, and users get zeroes behind them.
 * So the rest of a struct siginfo is never read.
 */
#define SIGINFO_USED 48
static inline void clear_siginfo(struct siginfo *i) { __builtin_memset(i, 0, SIGINFO_USED); }
static inline void copy_siginfo(struct siginfo *to, const struct siginfo *from) { __builtin_memcpy(to, from, SIGINFO_USED); }

/* To one thread, to its process, to a group. 0, or -EAGAIN when a queue limit was met. No rights are checked. */
int send_sig(int sig, struct task *t, int priv);
int send_sig_info(int sig, struct siginfo *info, struct task *t);
int group_send_sig_info(int sig, struct siginfo *info, struct task *t, enum pid_type type);	/* checks rights */
int do_send_sig_info(int sig, struct siginfo *info, struct task *t, enum pid_type type);
int kill_pid(struct pid *pid, int sig, int priv);
int kill_pid_info(int sig, struct siginfo *info, struct pid *pid, enum pid_type type);	/* TYPE: the thread PID, or its process */
int kill_pgrp(struct pid *pgrp, int sig, int priv);
int kill_pgrp_info(int sig, struct siginfo *info, struct pid *pgrp);
/* To the running task, even if blocked or ignored (then the default is taken). */
void force_sig(int sig);
void force_sig_fault(int sig, int code, unsigned long addr);
void force_fatal_sig(int sig);
/* SIGSYS for a call that a filter forbids. */
void force_sig_seccomp(unsigned long addr, int nr, u32 arch, int data);
/* The process ends as by SIG's default action, and nothing can be in the way: no handler, mask or tracer, nor that it is an init. */
void __noreturn end_by_signal(int sig);

/* Of the running task, which keeps it until it ends; of one that cannot be released: its siglock or tasklist_lock is held, or it has not run yet. */
#define my_sighand() rcu_dereference_protected(current->sighand, true)
#define task_sighand(t) rcu_dereference_protected((t)->sighand, true)
struct sighand_struct *lock_task_sighand(struct task *t, unsigned long *flags);	/* NULL: it is gone */
#ifdef __CHECKER__
#define lock_task_sighand(t, flags) __acquires_unless_null(siglock, lock_task_sighand(t, flags))
#endif
static inline void unlock_task_sighand(struct task *t, unsigned long *flags)
{
	spin_unlock_irqrestore(&task_sighand(t)->siglock, *flags);
}

/* siglock held: what SIGCONT and stop signals undid in T since it, or anybody for it, last looked. Before T's jobctl, or its own pending signals, are looked at. */
void settle_signals_slow(struct task *t);
static inline void settle_signals(struct task *t)
{
	if (unlikely(t->job_seq != t->signal->job_seq))
		settle_signals_slow(t);
}

void recalc_sigpending(void);
/* The same, but never takes the work flag away. siglock. */
void note_sigpending(void);
void set_current_blocked(u64 mask);
int set_user_sigmask(struct uptr mask, size_t size);	/* for ppoll and its like; restored on the way out */
void restore_saved_sigmask_unless(bool interrupted);
/*
 * A wait of the running task was interrupted, by task work alone: true, and that was run. The call that waited goes on then: no program
 * sees an EINTR that no signal made. At the edge, where nothing is locked and no descriptor borrowed.
 */
bool proc_ran_task_work(void);
/*
 * A thread of the running task's process that runs FN(arg) in the kernel, with all that its process has, and ends by do_exit(); not started yet
 * (wake_up_new_task()). Its signals are blocked but for SIGKILL and SIGSTOP; its t->uring is ARG. ERR_PTR(-EAGAIN, -ENOMEM).
 */
struct task *proc_worker_create(int (*fn)(void *), void *arg, const char *name);
/* Of such a thread, in which a signal or task work is pending: it stops with its process, or ends with it. */
void proc_worker_signal(void);
/* One signal of MASK for the running task, with its info; 0 when there is none. siglock held. */
int dequeue_signal(u64 mask, struct siginfo *info);
int copy_siginfo_to_user(struct uptr to, const struct siginfo *from);
/* -EFAULT; -E2BIG where it says of itself that it is of no known form, and does not end after SIGINFO_USED bytes. */
int copy_siginfo_from_user(struct siginfo *to, struct uptr from);
bool sig_ignored_by(struct task *t, int sig);
/* Everything of the process ends with CODE (wait status form). */
void __noreturn do_group_exit(int code);
void __noreturn do_exit(long code);
bool is_current_pgrp_orphaned(void);
bool process_is_dying(struct task *t);	/* its group is ending, or its only thread */
void ignore_signals(struct task *t);
struct pt_regs;
long proc_sigreturn(struct pt_regs *regs);
extern int print_fatal_signals;
