/* SPDX-License-Identifier: MIT */
/* The run queue of a CPU. Everything in it is under rq->lock (irq-safe) unless it says otherwise. */
#pragma once

#include <lib/bitmap.h>
#include <lib/list.h>
#include <kernel/percpu.h>
#include <kernel/spinlock.h>
#include <sched/sched.h>
#include <sched/task.h>

#define NICE_0_LOAD 1024U
#define MAX_RT_PRIO 100		/* priorities 1 .. 99, and the stopper */
#define STOPPER_RANK 100
#define BASE_SLICE_NS (3 * NSEC_PER_MSEC)
#define RR_SLICE_TICKS (100 * HZ / 1000)
#define TASK_ON_RQ 1
#define TASK_ON_RQ_MOVING 2	/* between two queues, both locked */

/* Fair: a tree by deadline; sums give the weighted mean of virtual time without a walk. */
struct fair_rq {
	struct rb_root_cached tree;
	struct sched_entity *curr;	/* running: counted in no sum but mean_vruntime adds it */
	u64 min_vruntime;		/* origin of the sums; only forward */
	s64 sum_wv;			/* of weight * (vruntime - min_vruntime), queued ones */
	u64 sum_w;			/* of weights, queued ones */
	unsigned int nr;		/* with curr */
};

struct rt_rq {
	DECLARE_BITMAP(bits, MAX_RT_PRIO);
	struct list_head queue[MAX_RT_PRIO];	/* index STOPPER_RANK - rank */
	unsigned int nr;
	u64 window_start_ns, used_ns;	/* share of each second that real-time tasks take */
	bool throttled;
};

struct rq {
	spinlock_t lock;
	int cpu;
	unsigned int nr_running;	/* read without the lock for balancing */
	struct task *curr, *idle;
	struct task *stopper;		/* c: above every program's priority */
	struct fair_rq fair;
	struct rt_rq rt;
	u64 clock_ns;			/* updated at the head of each section */
	u64 nr_switches;
	long nr_uninterruptible;	/* may be negative: only the sum means something */
	unsigned int nr_iowait;		/* atomic */
	u64 next_balance_ns;
	u64 idle_since_ns;		/* 0: busy */
	struct cpu_times times;
	u64 last_switches, last_switch_seen_ns, last_tick_seen_ns;	/* soft-lockup detector */
	bool online;
	bool rcu_kick, console_kick;	/* own CPU: threads to wake at the next chance */
};

DECLARE_PER_CPU_ALIGNED(struct rq, runqueues);
#define cpu_rq(cpu) per_cpu_ptr(&runqueues, cpu)
#define this_rq() this_cpu_ptr(&runqueues)

extern struct cpumask idle_cpus;	/* atomic bits; a hint */

static inline bool policy_is_rt(int p) { return p == 1 || p == 2; }
static inline bool task_is_rt(const struct task *t) { return policy_is_rt(t->policy); }
/* The real-time task of the highest rank runs. The stopper's rank is above all priorities; it shows the highest priority. */
static inline int rt_rank(const struct task *t) { return cpu_rq(t->cpu)->stopper == t ? STOPPER_RANK : t->rt_priority; }
static inline bool task_is_idle_policy(const struct task *t) { return t->policy == 5; }
static inline struct task *se_task(struct sched_entity *se) { return container_of(se, struct task, se); }
static inline void update_rq_clock(struct rq *rq) { rq->clock_ns = sched_clock(); }

/* fair.c */
void fair_enqueue(struct rq *rq, struct task *t, bool initial);
void fair_dequeue(struct rq *rq, struct task *t, bool sleeping);
struct task *fair_pick(struct rq *rq);
void fair_set_curr(struct rq *rq, struct task *t);
void fair_put_prev(struct rq *rq, struct task *t);
void fair_update_curr(struct rq *rq);
void fair_check_preempt(struct rq *rq, struct task *woken);
void fair_tick(struct rq *rq, struct task *t);
void fair_yield(struct rq *rq);
u32 fair_weight(const struct task *t);
void fair_reweight(struct rq *rq, struct task *t);
struct task *fair_steal_candidate(struct rq *from, int to);
/* rt.c */
void rt_enqueue(struct rq *rq, struct task *t, bool head);
void rt_dequeue(struct rq *rq, struct task *t);
struct task *rt_pick(struct rq *rq);
/* RQ's running task, of a real-time policy: adds what it ran, and says how much. */
u64 account_rt(struct rq *rq, struct task *t);
void rt_update_curr(struct rq *rq, u64 delta_ns);
void rt_check_window(struct rq *rq);
void rt_tick(struct rq *rq, struct task *t);
void rt_requeue(struct rq *rq, struct task *t);
struct task *rt_steal_candidate(struct rq *from, int to);
/* core.c */
void resched_curr(struct rq *rq);
void resched_curr_lazy(struct rq *rq);
void activate_task(struct rq *rq, struct task *t);
void deactivate_task(struct rq *rq, struct task *t, bool sleeping);
void move_task(struct task *t, struct rq *from, struct rq *to);
struct rq *task_rq_lock(struct task *t, unsigned long *flags) __acquires(t->pi_lock) __acquires(rq->lock);
void task_rq_unlock(struct rq *rq, struct task *t, unsigned long *flags) __releases(rq->lock) __releases(t->pi_lock);
void double_rq_lock(struct rq *a, struct rq *b) __acquires(a->lock) __acquires(b->lock);
void work_worker_sleeps(struct task *t);	/* work.c */
/* For tests: how many workers the unbound pool may have; what it was, and how many there are. */
unsigned int work_set_most(unsigned int most, unsigned int *now);
void double_rq_unlock(struct rq *a, struct rq *b) __releases(a->lock) __releases(b->lock);
void __schedule(bool preempt);
void sched_init_cpu(int cpu, struct task *idle);
/* stopper.c: T runs on CPU and may not any more. Sleeps. 0. */
int stopper_migrate(struct task *t, int cpu);
/* balance.c */
int select_cpu(struct task *t, int prev);
bool newidle_balance(struct rq *rq) __must_hold(rq->lock);
void periodic_balance(struct rq *rq);
/* threads.c */
void sched_run_kicks(void);
int sched_threads_create(unsigned int cpu);
/* Ends those of a CPU that never joined. */
void sched_threads_destroy(unsigned int cpu);
void sched_threads_wake(unsigned int cpu);
/* detect.c */
void soft_lockup_tick(struct rq *rq, struct task *t, enum cpu_context c);
/* cputime.c */
void account_tick(enum cpu_context c);
void account_switch(struct rq *rq, struct task *prev);
void account_idle_end(struct rq *rq);
void loadavg_tick(u64 now);
