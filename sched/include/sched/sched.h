/* SPDX-License-Identifier: MIT */
/* The scheduler's policy side: priorities, affinity, load, accounting; and what other rooms hook into. */
#pragma once

#include <sched/task.h>

struct sched_attr_k {		/* checked form of struct sched_attr */
	u32 policy;
	u64 flags;
	s32 nice;
	u32 priority;
	u64 runtime_ns;		/* fair: the slice asked for, 0: default */
};

/* -EINVAL. Rights are the caller's business (syscall/). */
int sched_set_attr(struct task *t, const struct sched_attr_k *a);
int set_user_nice(struct task *t, int nice);
/* Migrates the task if its CPU is no longer in MASK. -EINVAL: no CPU in it is online. */
int set_cpus_allowed(struct task *t, const struct cpumask *mask);
void yield(void);
bool yield_to(struct task *t);
u64 sched_rr_interval_ns(struct task *t);

/* Times of a task, of the whole group (proc/ adds the dead threads). */
void task_cputime(struct task *t, u64 *utime_ns, u64 *stime_ns);
/* Of its user time, what the tick found in guests: not scaled, as Linux tells it. */
u64 task_guest_time(const struct task *t);
u64 task_sched_runtime(struct task *t);
/* Of all threads that a process had, however many. */
void group_cputime(const struct group_times *g, u64 *utime_ns, u64 *stime_ns);

/* avenrun in units of 1/2048, as the ABI has it. */
void get_avenrun(unsigned long out[3]);
unsigned int nr_running(void);
u64 nr_context_switches(void);
unsigned int nr_uninterruptible(void);
unsigned int nr_iowait(void);
struct cpu_times {
	u64 user, nice, system, idle, iowait, irq, softirq, steal;	/* ns */
	u64 guest, guest_nice;	/* of user and of nice */
};
void cpu_times_get(int cpu, struct cpu_times *out);
extern u64 total_forks;		/* atomic */

enum preempt_model { PREEMPT_LAZY, PREEMPT_FULL };
extern enum preempt_model preempt_model;

void sched_init(void);			/* boot CPU, before anything else of sched */
void __noreturn cpu_idle_loop(void);
struct task *idle_task(int cpu);
/* Starts every other CPU that the machine has and maxcpus= allows. */
void smp_init(void);
/* False: a CPU was started and may yet run the code that CPUs start by. */
bool smp_all_arrived(void);
/* Prints T's state and kernel stack. */
void sched_show_task(struct task *t);
/* Waits until the consoles have printed everything; not if for two seconds nothing comes out, and 30 s at most. Before power-off. */
void console_settle(void);
