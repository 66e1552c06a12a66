/* SPDX-License-Identifier: MIT */
/*
 * struct task: a thread of execution, user or kernel.
 *
 * Life: made by task_alloc() (fork or kthread), first run by wake_up_new_task(), ends in task_exit(); the structure
 * and its stack go when the last reference is put, after a grace period. Each room keeps one pointer here and gets the
 * fork and exit hooks it needs by upcall.
 *
 * Lock letters: (c) constant after creation; (t) touched only by the task itself; (p) pi_lock; (r) run-queue lock;
 * (T) tasklist_lock; (s) sighand lock; (a) alloc_lock (task_lock); (R) read under RCU; (w) atomic word.
 */
#pragma once

#include <lib/list.h>
#include <lib/rbtree.h>
#include <kernel/cpumask.h>
#include <kernel/current.h>
#include <kernel/rcu.h>
#include <kernel/refcount.h>
#include <kernel/spinlock.h>
#include <kernel/time.h>
#include <arch/switch.h>
#include <sched/kcov.h>
#include <sched/wait.h>

#define TASK_COMM_LEN 16

/* work_flags: reasons to take the slow way back to user mode, and a few states that entry code asks for. */
#define TIF_NEED_RESCHED 0
#define TIF_NEED_RESCHED_LAZY 1
#define TIF_SIGPENDING 2
#define TIF_NOTIFY_RESUME 3	/* task work */
#define TIF_NOTIFY_SIGNAL 4
#define TIF_FPU_LOAD 5		/* the FPU registers are not the task's */
#define TIF_RSEQ 6
#define TIF_SINGLESTEP 7
#define TIF_SYSCALL_SHIFT 16	/* from here on: slow system-call entry */
#define TIF_SYSCALL_TRACE 16
#define TIF_SECCOMP 17
#define TIF_SYSCALL_LOG 18
#define TIF_SYSCALL_EMU 19
#define TIF_RSEQ_SLICE 20	/* its slice was extended: a call gives the rest back (proc/rseq_slice.c) */
#define TIF_SYSCALL_SHARED_MASK 0xffff0000UL
/* These do not count as work. */
#define TIF_MEMDIE 40
#define TIF_POLLING 41
#define TIF_RESTORE_SIGMASK 42
#define _TIF(n) (1UL << (n))
#define TIF_EXIT_WORK_MASK 0x00000000ffffffffUL

#define PF_KTHREAD 0x00200000
#define PF_EXITING 0x00000004
#define PF_FORKNOEXEC 0x00000040
#define PF_MCE_PROCESS 0x00000080	/* its policy for failed memory (PR_MCE_KILL) is its own: early or late */
#define PF_MCE_EARLY 0x08000000
#define PF_SUPERPRIV 0x00000100
#define PF_DUMPCORE 0x00000200
#define PF_SIGNALED 0x00000400
#define PF_MEMALLOC 0x00000800
#define PF_NPROC_EXCEEDED 0x00001000	/* its user has too many processes since it became his: no exec until then, or a fork, finds fewer */
#define PF_NOFS 0x00040000
#define PF_NOIO 0x00080000
#define PF_IO_WORKER 0x00000010		/* a thread of a process that never leaves the kernel: t->uring says whose */
#define PF_IDLE 0x00000002
#define PF_WQ_WORKER 0x00000020
#define PF_KSWAPD 0x00020000
#define PF_NO_SETAFFINITY 0x04000000
#define PF_RANDOMIZE 0x00400000

struct mm;
struct files_struct;
struct fs_struct;
struct cred;
struct nsproxy;
struct signal_struct;
struct sighand_struct;
struct pid;
struct rq;
struct io_context;
struct guest_hooks;

/* A node of the fair run queue (EEVDF): virtual times are weighted nanoseconds. */
struct sched_entity {
	struct rb_node node;		/* r */
	u64 deadline;			/* r */
	u64 min_vruntime;		/* r: augmented, smallest in this subtree */
	u64 vruntime;			/* r */
	s64 vlag;			/* r: kept over sleep */
	u64 slice;			/* r */
	u64 exec_start;			/* r */
	u64 sum_exec_ns;		/* r */
	u64 prev_sum_exec_ns;		/* r */
	u32 weight;			/* r */
	bool on_rq;			/* r */
	bool custom_slice;		/* r */
};

struct sched_rt {
	struct list_head list;		/* r */
	u32 slice_left;			/* r: ticks, SCHED_RR */
	bool on_list;			/* r */
};

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPE_MAX };

/* What all threads of a process used, and those that have ended: as of the last switch or tick of each. */
struct group_times {
	atomic64_t run_ns;
	atomic64_t utime_ns, stime_ns, gtime_ns;	/* sampled by the tick; utime has gtime in it */
};

/* Runs FUNC in the task's context before it returns to user mode. */
struct task_work {
	struct llist_node node;
	void (*func)(struct task_work *w);
};

struct task {
	unsigned long work_flags;	/* w: TIF_*; first: tested by entry code */
	void *stack;			/* c: lowest address */
	struct arch_thread thread;	/* arch's */

	unsigned int state;		/* p, waker's order: TASK_* */
	unsigned int flags;		/* t: PF_* */
	u8 on_rq;			/* r */
	u8 on_cpu;			/* w: running, or not switched away from yet */
	u8 policy;			/* r: SCHED_* */
	u8 reset_on_fork;		/* r */
	int nice;			/* r: -20 .. 19 */
	int rt_priority;		/* r: 1 .. 99, or 0 */
	int cpu;			/* r: run queue it is on or was last on */
	int wake_cpu;
	int migrate_disabled;		/* t */
	struct sched_entity se;
	struct sched_rt rt;
	int nr_cpus_allowed;		/* r, p */
	spinlock_t pi_lock;		/* irq-safe: state changes and affinity */
	struct llist_node wake_entry;
	u64 nvcsw, nivcsw;		/* r */
	u64 utime_ns, stime_ns, gtime_ns;	/* r: sampled by the tick; utime has gtime, of guests, in it */
	u64 prev_utime_ns, prev_stime_ns;	/* what was last told: never goes back */
	struct group_times *group_times;	/* c: its process's */
	u64 run_delay_ns, last_queued_ns, pcount;	/* r: schedstat */
	u64 start_ns, start_boottime_ns;	/* c */
	unsigned long min_flt, maj_flt;	/* t */

	refcount_t usage;
	refcount_t stack_refs;		/* the scheduler's until the last switch, and of those who look */
	struct rcu_head rcu;

	/* mm/ */
	struct mm *mm;			/* a */
	struct mm *active_mm;		/* r: whose tables the CPU has loaded */
	unsigned int nofault;		/* t: page faults are not to be served (pagefault_disable) */
	void *mm_data;			/* mm's own */

	/* vfs/ */
	struct files_struct *files;	/* a */
	struct fs_struct *fs;		/* a */
	int link_count, total_link_count;	/* t */
	void *vfs_data;

	/* proc/ */
	const struct cred __rcu *cred;	/* R: effective, may be overridden */
	const struct cred __rcu *real_cred;	/* R: what others see */
	struct nsproxy *nsproxy;	/* a */
	struct net *acting_net;		/* t: current_net() while a setting of it is read or written; NULL */
	struct signal_struct *signal;	/* c: shared by the thread group */
	struct sighand_struct __rcu *sighand;	/* R, s */
	struct {
		struct list_head list;	/* s: queued siginfos */
		struct rb_root tree;	/* s: the same where they are many, by signal */
		u64 signal;		/* s */
		unsigned int nr;	/* s: of the list */
	} pending;
	u64 blocked, real_blocked;	/* s */
	u64 saved_sigmask;		/* t */
	unsigned long sas_ss_sp;	/* t */
	size_t sas_ss_size;		/* t */
	unsigned int sas_ss_flags;	/* t */
	unsigned long jobctl;		/* s */
	u64 job_seq, stop_round;	/* s: how much of its process's it has heeded (proc/signal_many.c) */
	int exit_state;			/* T: 0, EXIT_ZOMBIE, EXIT_DEAD */
	int exit_code;
	int exit_signal;		/* c-ish, T */
	int pdeath_signal;		/* t */
	unsigned int ptrace;		/* s: PT_* */
	const struct cred __rcu *ptracer_cred;	/* T, R: of who began to trace it; NULL: nobody */
	unsigned int personality;	/* t */
	pid_t pid, tgid;		/* c: in the initial namespace */
	struct pid __rcu *thread_pid;	/* T, R */
	struct hlist_node pid_links[PIDTYPE_MAX];	/* T, R */
	struct task __rcu *real_parent;	/* T, R */
	struct task __rcu *parent;	/* T, R: who waits (ptracer or real_parent) */
	struct list_head children;	/* T */
	struct list_head sibling;	/* T */
	struct task *group_leader;	/* T, R */
	struct list_head thread_node;	/* T, R: in signal->threads */
	struct rb_node thread_rb;	/* T: in its process's tree of threads, if that has one */
	u64 thread_stamp;		/* T: when it came to its process: no two of one are alike, and it only grows */
	struct list_head tasks;		/* T, R: all thread-group leaders */
	struct list_head ptraced, ptrace_entry;	/* T */
	struct completion *vfork_done;	/* a */
	struct uptr set_child_tid, clear_child_tid;	/* t */
	struct uptr robust_list;	/* t */
	size_t robust_list_len;		/* t */
	void *restart_block_fn;
	struct {
		long (*fn)(struct task *t);
		u64 expires_ns;
		clockid_t clock;
		struct uptr uaddr, rmtp;
		u32 val, bitset, flags;
		int nfds;
		bool has_timeout;
	} restart;			/* t */
	u64 parent_exec_id, self_exec_id;	/* a */
	unsigned int seccomp_mode;	/* t */
	void *seccomp_filter;
	bool no_new_privs;		/* t, set only */
	bool did_exec, in_execve;	/* t */
	bool ended_dumpable;		/* a: was its address space dumpable when it gave that up? */
	u16 ioprio;			/* w: ioprio_set(2): class and data */
	u16 mempolicy;			/* t: set_mempolicy(2)'s MPOL_* with flags */
	u32 login_uid, login_session;	/* t: who logged in, as a kuid, and which login; -1: nobody (/proc/PID/loginuid) */
	u64 timer_slack_ns;		/* a */
	u64 default_timer_slack_ns;	/* t: the parent's at fork */
	struct llist_head task_work;
	void *ptrace_message;
	void *ptrace_siginfo;
	spinlock_t alloc_lock;		/* task_lock(): mm, fs, files, comm */
	char comm[TASK_COMM_LEN];	/* a */

	/* kvm/ */
	struct guest_hooks *guest;	/* t, and the switch: sched/guest.h; NULL */

	/* block/ */
	struct plug *plug;		/* t: holds its requests back (sched/plug.h); NULL */
#ifdef CONFIG_DEBUG
	bool nowait;			/* t: a sleep is reported (sched/nowait.h) */
#endif

	/* ipc/ */
	void *futex_state;
	unsigned int futex_op;
	void *sysv_undo;

	/* io_uring/ */
	void *uring;			/* t; NULL: it has submitted nothing */
	void *uring_rules;		/* t: of the rings that it makes, referenced; NULL */
	struct task_work uring_work;	/* io_uring/task.c */

	/* net/ */
	struct net_ctx *net_ctx;	/* t: where local packets that it sends wait */

	/* kernel/, debug */
	void *kthread;			/* c */
	void *worker;
#ifdef CONFIG_LOCKDEP
	struct lockdep_stack lockdep;	/* c, irqs off */
#endif
#ifdef CONFIG_FAULT_INJECTION
	unsigned int fail_nth;		/* w: the chance to fail that is taken next; 0: none */
	bool make_it_fail;		/* w: where task-filter is set, only such tasks' fail */
#endif
#ifdef CONFIG_KCOV
	struct kcov_task kcov;		/* t */
#endif
	void *rseq;			/* t: the user address of its area; never followed here */
	u32 rseq_len, rseq_sig;		/* t */
	bool slice_enabled, slice_granted, slice_yielded;	/* t: proc/rseq_slice.c */
	u64 last_switch_count;		/* hung-task detector */
	u64 last_switch_ns;
	unsigned long io_bytes[6];	/* t: rchar wchar syscr syscw read_bytes write_bytes */
	struct cpumask cpus_mask;	/* r, p: affinity; last: cut to cpumask_size() in all tasks but init_task */
};

static inline bool test_tsk_flag(const struct task *t, int f) { return READ_ONCE(t->work_flags) >> f & 1; }
static inline void set_tsk_flag(struct task *t, int f) { set_bit(f, &t->work_flags); }
static inline void clear_tsk_flag(struct task *t, int f) { clear_bit(f, &t->work_flags); }
#define test_thread_flag(f) test_tsk_flag(current, f)
#define set_thread_flag(f) set_tsk_flag(current, f)
#define clear_thread_flag(f) clear_tsk_flag(current, f)
static inline bool need_resched(void) { return test_thread_flag(TIF_NEED_RESCHED); }

#define set_current_state(s) smp_store_mb(current->state, (s))
#define __set_current_state(s) WRITE_ONCE(current->state, (s))
/*
 * For a state that no stray wake-up may undo (dead, stopped, traced): a waker that saw an earlier one under pi_lock has finished
 * before it is set.
 */
void set_special_state(unsigned int state);

static inline void task_lock(struct task *t) { spin_lock(&t->alloc_lock); }
static inline void task_unlock(struct task *t) { spin_unlock(&t->alloc_lock); }
static inline void get_task_struct(struct task *t) { refcount_inc(&t->usage); }
void put_task_struct(struct task *t);
/* Whoever looks at the stack or the user registers of another task that may end meanwhile. False: there is no stack any more. */
static inline bool __must_check try_get_task_stack(struct task *t) { return refcount_inc_not_zero(&t->stack_refs); }
void put_task_stack(struct task *t);
static inline int task_cpu(const struct task *t) { return READ_ONCE(t->cpu); }
static inline bool is_kthread(const struct task *t) { return t->flags & PF_KTHREAD; }

/* True when a signal (or a call for attention) waits for the running task. */
static inline bool signal_pending(const struct task *t)
{
	return unlikely(READ_ONCE(t->work_flags) & (_TIF(TIF_SIGPENDING) | _TIF(TIF_NOTIFY_SIGNAL)));
}
bool fatal_signal_pending(const struct task *t);	/* upcall, proc/ */

extern struct task init_task;

/* Wakes T if its state is in STATES; true when it did. Any context. */
bool try_to_wake_up(struct task *t, unsigned int states, int wake_flags);
#define wake_up_process(t) try_to_wake_up(t, TASK_NORMAL | TASK_NEW, 0)
#define wake_up_state(t, s) try_to_wake_up(t, s, 0)
void wake_up_new_task(struct task *t);
/* Makes T, if it runs in user mode on another CPU, come into the kernel. */
void kick_process(struct task *t);
long schedule_timeout_interruptible(long timeout);
long schedule_timeout_uninterruptible(long timeout);
long io_schedule_timeout(long timeout);
void io_schedule(void);
void msleep(unsigned int ms);
/* Gives the CPU away if somebody waits for it; true when it did. */
bool __cond_resched(void);
#define cond_resched() ({ might_sleep(); need_resched() ? __cond_resched() : false; })
void set_task_comm(struct task *t, const char *name);
void get_task_comm(char *buf, struct task *t);	/* TASK_COMM_LEN bytes */

/* -ESRCH: the task is past its last return. W is in no list. INTERRUPT: task_work_interrupt() too. */
int task_work_add(struct task *t, struct task_work *w, bool interrupt);
/*
 * Ends the interruptible sleep of T, or the next one that it would begin, and brings it into the kernel if it runs: it looks at its work. No
 * signal is pending for that. T may be current, which may be an interrupt's. Any context.
 */
void task_work_interrupt(struct task *t);
/*
 * Runs w->func without the locks held here: before current returns to user mode; by a kworker where it never does (a kernel thread,
 * an exiting task) or must not be touched (atomic context). The func may sleep.
 */
void task_work_defer(struct task_work *w);
/* What waited for the kworker is done when this returns. Sleeps. */
void task_work_flush_deferred(void);
void task_work_run(void);

/* Scoped allocation context. */
static inline unsigned int memalloc_nofs_save(void) { unsigned int f = current->flags & PF_NOFS; current->flags |= PF_NOFS; return f; }
static inline void memalloc_nofs_restore(unsigned int f) { current->flags = (current->flags & ~PF_NOFS) | f; }
static inline unsigned int memalloc_noio_save(void) { unsigned int f = current->flags & PF_NOIO; current->flags |= PF_NOIO; return f; }
static inline void memalloc_noio_restore(unsigned int f) { current->flags = (current->flags & ~PF_NOIO) | f; }
static inline void pagefault_disable(void) { current->nofault++; barrier(); }
static inline void pagefault_enable(void) { barrier(); current->nofault--; }
static inline bool pagefault_disabled(void) { return current->nofault; }
static inline bool faulthandler_disabled(void) { return current->nofault || in_atomic(); }
