/* SPDX-License-Identifier: MIT */
/*
 * Read-copy update. A read section disables preemption; a CPU that switches tasks, idles, runs user code or a guest or takes its tick
 * in preemptible code has left every section. Objects unpublished before call_rcu() or synchronize_rcu() are seen by no section afterwards.
 * SRCU: sections that may sleep, per domain.
 */
#pragma once

#include <lib/atomic.h>
#include <lib/list.h>
#include <kernel/bug.h>
#include <kernel/context.h>
#include <kernel/lockdep.h>
#include <kernel/preempt.h>
#include <kernel/spinlock.h>

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

#ifdef CONFIG_LOCKDEP
void rcu_lock_acquire(unsigned long ip);
void rcu_lock_release(unsigned long ip);
/* A section is open, or what keeps one just as well: preemption or interrupts are off. */
bool rcu_read_lock_held(void);
#define __RCU_CHECK(ok, p, what) WARN_ONCE(!(ok), "RCU: %s is read %s", #p, what)
#else
#define rcu_lock_acquire(ip) do { } while (0)
#define rcu_lock_release(ip) do { } while (0)
#define rcu_read_lock_held() true
#define __RCU_CHECK(ok, p, what) do { (void)sizeof(ok); } while (0)
#endif

static __always_inline void rcu_read_lock(void) { preempt_disable(); rcu_lock_acquire(_THIS_IP_); __acquire(RCU); }
static __always_inline void rcu_read_unlock(void) { __release(RCU); rcu_lock_release(_THIS_IP_); preempt_enable(); }

/*
 * Fields that are published are __rcu: sparse knows them by their address space, and reports one that is used without these as well as one
 * that these are used for and that is not.
 */
#ifdef __CHECKER__
#define __rcu_typed(p) ((void)(((__typeof__(*(p)) __rcu *)(p)) == (p)))
#define __rcu_read(p, value) ({ __rcu_typed(p); (__typeof__(*(p)) __plain __force *)(value); })
#define __rcu_write(p, value) ({ __typeof__(*(p)) __plain *__v = (value); __rcu_typed(p); (__typeof__(*(p)) __rcu __force *)__v; })
#else
#define __rcu_read(p, value) (value)
#endif

/* In a read section; _check: or where C holds (a lock that keeps writers out); _protected: only where C holds. */
#define rcu_dereference(p) rcu_dereference_check(p, false)
#define rcu_dereference_raw(p) __rcu_read(p, __atomic_load_n(&(p), __ATOMIC_CONSUME))
#define rcu_dereference_check(p, c) ({						\
	__RCU_CHECK((c) || rcu_read_lock_held(), p, "outside a read section");	\
	rcu_dereference_raw(p); })
/* Of what is not __rcu because it is not always published: a name that a dentry shares with look-ups, a link of a list. */
#define rcu_dereference_untyped(p) ({						\
	__RCU_CHECK(rcu_read_lock_held(), p, "outside a read section");		\
	__atomic_load_n(&(p), __ATOMIC_CONSUME); })
#define rcu_dereference_protected(p, c) ({					\
	__RCU_CHECK(c, p, "without what protects it");				\
	__rcu_read(p, p); })
/* Not to be followed; RCU_INIT_POINTER(): readers see V already, or nothing yet. */
#define rcu_access_pointer(p) __rcu_read(p, READ_ONCE(p))
#ifdef __CHECKER__
#define rcu_assign_pointer(p, v) ((p) = __rcu_write(p, v))
#define RCU_INIT_POINTER(p, v) ((p) = __rcu_write(p, v))
#define RCU_INITIALIZER(v) ((__typeof__(*(v)) __force __rcu *)(v))
#define rcu_replace_pointer(p, v, c) ({ __typeof__(*(p)) __plain *__old = __rcu_read(p, p); (p) = __rcu_write(p, v); __old; })
#else
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)
#define RCU_INIT_POINTER(p, v) WRITE_ONCE(p, v)
#define RCU_INITIALIZER(v) (v)
#define rcu_replace_pointer(p, v, c) __atomic_exchange_n(&(p), (v), __ATOMIC_ACQ_REL)
#endif

/* FUNC runs in a thread's context after every read section under way now has ended. Any context may call. */
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
/* Waits for that. Sleeps. */
void synchronize_rcu(void);
/* Waits until every call_rcu() so far has run. Sleeps. */
void rcu_barrier(void);

/* From the scheduler and at entries into guests, interrupts off: this CPU is in no read section. */
void rcu_note_context_switch(void);
/* The tick, in hard interrupt context, no lock held. C: what it interrupted. */
void rcu_tick(enum cpu_context c);
/* Idle brackets, interrupts off: between them the CPU is ignored by grace periods. The first interrupt ends it too. */
void rcu_idle_enter(void);
void rcu_idle_exit(void);

/*
 * SRCU, defined in sched/srcu.c. A section may sleep; it is entered and left in any context that may wake a task (not below the scheduler's
 * locks). synchronize_srcu() waits for every section of its domain that was open when it was called; the last of them to end wakes it.
 */
struct srcu_cpu;
struct srcu_inner;
struct srcu_struct {
	struct srcu_cpu *percpu;	/* counters of sections entered and left, for two epochs */
	struct srcu_inner *inner;
	u32 idx;			/* current epoch */
};

/* 0 or -ENOMEM. */
int init_srcu_struct(struct srcu_struct *s);
/* No section is open, and nobody waits. */
void cleanup_srcu_struct(struct srcu_struct *s);
int srcu_read_lock(struct srcu_struct *s) __must_check;
void srcu_read_unlock(struct srcu_struct *s, int idx);
/* Sleeps. The caller is in no section of S. */
void synchronize_srcu(struct srcu_struct *s);
#define srcu_dereference(p, s) rcu_dereference(p)
