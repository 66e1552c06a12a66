/* SPDX-License-Identifier: MIT */
/*
 * What this room needs of the scheduler above it, which defines all of these (sched/), and the inner side of RCU that
 * the scheduler's threads drive.
 */
#pragma once

#include <lib/types.h>
#include <kernel/context.h>

struct task;
struct pt_regs;

/* Wakes the grace-period thread; from any context that may take scheduler locks. */
void rcu_wake_gp(void);
/* The same from inside the scheduler: by the next interrupt or tick. */
void rcu_wake_gp_deferred(void);
/* Wakes the callback thread of CPU. */
void rcu_wake_callbacks(int cpu);
/* Makes CPU pass through the scheduler soon. */
void rcu_nudge_cpu(int cpu);
/* Between callbacks: lets others run. */
void rcu_callback_breath(void);

/* Driven by sched/rcu_threads.c. */
void rcu_init_cpu(int cpu);
bool rcu_gp_needed(void);
void rcu_gp_begin(void);
int rcu_gp_holdout(bool nudge);
void rcu_gp_end(void);
unsigned int rcu_run_callbacks(int cpu);
bool rcu_callbacks_ready(int cpu);
void rcu_threads_started(void);
bool rcu_is_alone(void);		/* no threads yet: nobody but the boot CPU runs */
unsigned long rcu_callbacks_queued(void);

/* Wakes the console thread. */
void console_wake(void);
/* Name and number of the running task, for messages. Any context. */
const char *current_task_name(void);
int current_task_pid(void);
#ifdef CONFIG_LOCKDEP
/* What the running task holds. */
struct lockdep_stack *current_lockdep(void);
#endif
/* The oops is printed: end the running task if that is safe, else return. */
void oops_end_task(struct pt_regs *regs);
/* The tick: accounting, time slices, balancing. Interrupts off. */
void sched_tick(enum cpu_context c);

/* Threaded interrupt handlers, defined in sched/: a thread that loops irq_action_take/irq_action_run. */
struct irq_action;
int irq_thread_start(struct irq_action *a, int irq, const char *name, void **thread);
void irq_thread_stop(void *thread);
void irq_thread_wake_one(void *thread);
bool irq_action_take(struct irq_action *a);
void irq_action_run(struct irq_action *a, int irq);

/* One round of the console thread: serves every console, may sleep. */
void console_thread_round(void);

/* alloc/: zeroed memory that may be waited for (NULL: none), and its release. */
void *kernel_zalloc(size_t size) __must_check;
void kernel_free(const void *p);
/*
 * net/: events of devices (kernel/uevent.h). NET: a network namespace; NULL: all that belong to the initial user namespace.
 * uevent_is_heard(): some socket there has joined the group. uevent_deliver() queues MSG at these sockets; uevent_missed() has
 * them read ENOBUFS. All three sleep.
 */
bool uevent_is_heard(void *net);
void uevent_deliver(void *net, const char *msg, size_t len);
void uevent_missed(void *net);
/* sched/: the generator got its seed: wakes who waits in wait_for_random(). Any context. */
void random_ready(void);
