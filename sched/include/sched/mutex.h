/* SPDX-License-Identifier: MIT */
/*
 * Sleeping locks. mutex: one owner; a contender spins while the owner runs, then sleeps in line. rw_semaphore: many
 * readers or one writer, writers not starved. semaphore-like counting: <sched/completion.h> covers what is needed.
 */
#pragma once

#include <kernel/spinlock.h>
#include <kernel/current.h>
#include <sched/wait.h>

struct mutex {
	unsigned long owner;		/* task | waiters 1 | handoff 2 */
	spinlock_t wait_lock;
	struct list_head wait_list;	/* wait_lock */
#ifdef CONFIG_LOCKDEP
	struct lockdep_map map;
#endif
};

#ifdef CONFIG_LOCKDEP
#define __MUTEX_MAP(n) .map = { .name = LOCK_NAME(#n) },
#define __mutex_map_init(m) do {						\
	static struct lock_class_key __key;					\
	lockdep_init_map(&(m)->map, LOCK_NAME(#m), &__key);				\
} while (0)
#else
#define __MUTEX_MAP(n)
#define __mutex_map_init(m) do { } while (0)
#endif
#define __MUTEX_INITIALIZER(n) { .owner = 0, .wait_lock = __SPIN_LOCK_UNLOCKED(n.wait_lock), \
	.wait_list = LIST_HEAD_INIT((n).wait_list), __MUTEX_MAP(n) }
#define DEFINE_MUTEX(n) struct mutex n = __MUTEX_INITIALIZER(n)
#define mutex_init(m) do {							\
	(m)->owner = 0;								\
	spin_lock_init(&(m)->wait_lock);					\
	INIT_LIST_HEAD(&(m)->wait_list);					\
	__mutex_map_init(m);							\
} while (0)

void mutex_lock(struct mutex *m) __acquires(m);
void mutex_lock_nested(struct mutex *m, unsigned int subclass) __acquires(m);
int __must_check mutex_lock_interruptible(struct mutex *m);	/* 0 or -EINTR */
int __must_check mutex_lock_killable(struct mutex *m);
bool __must_check mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m) __releases(m);
#ifdef __CHECKER__
#define mutex_lock_interruptible(m) __acquires_if_zero(m, mutex_lock_interruptible(m))
#define mutex_lock_killable(m) __acquires_if_zero(m, mutex_lock_killable(m))
#define mutex_trylock(m) __acquires_if_true(m, mutex_trylock(m))
#endif
static inline bool mutex_is_locked(const struct mutex *m) { return READ_ONCE(m->owner) & ~3UL; }

struct rw_semaphore {
	s64 count;			/* readers << 8 | handoff 4 | waiters 2 | writer 1 */
	unsigned long owner;		/* the writer, for spinning on it */
	spinlock_t wait_lock;
	struct list_head wait_list;	/* wait_lock */
#ifdef CONFIG_LOCKDEP
	struct lockdep_map map;
#endif
};

#define __RWSEM_INITIALIZER(n) { .count = 0, .wait_lock = __SPIN_LOCK_UNLOCKED(n.wait_lock), \
	.wait_list = LIST_HEAD_INIT((n).wait_list), __MUTEX_MAP(n) }
#define DECLARE_RWSEM(n) struct rw_semaphore n = __RWSEM_INITIALIZER(n)
#define init_rwsem(s) do {							\
	(s)->count = 0;								\
	(s)->owner = 0;								\
	spin_lock_init(&(s)->wait_lock);					\
	INIT_LIST_HEAD(&(s)->wait_list);					\
	__mutex_map_init(s);							\
} while (0)

void down_read(struct rw_semaphore *s) __acquires(s);
void down_read_nested(struct rw_semaphore *s, int subclass) __acquires(s);
int __must_check down_read_killable(struct rw_semaphore *s);
int __must_check down_read_killable_nested(struct rw_semaphore *s, int subclass);
int __must_check down_read_interruptible(struct rw_semaphore *s);
bool __must_check down_read_trylock(struct rw_semaphore *s);
void up_read(struct rw_semaphore *s) __releases(s);
void down_write(struct rw_semaphore *s) __acquires(s);
void down_write_nested(struct rw_semaphore *s, int subclass) __acquires(s);
int __must_check down_write_killable(struct rw_semaphore *s);
bool __must_check down_write_trylock(struct rw_semaphore *s);
void up_write(struct rw_semaphore *s) __releases(s);
void downgrade_write(struct rw_semaphore *s) __must_hold(s);
#ifdef __CHECKER__
#define down_read_killable(s) __acquires_if_zero(s, down_read_killable(s))
#define down_read_killable_nested(s, c) __acquires_if_zero(s, down_read_killable_nested(s, c))
#define down_read_interruptible(s) __acquires_if_zero(s, down_read_interruptible(s))
#define down_read_trylock(s) __acquires_if_true(s, down_read_trylock(s))
#define down_write_killable(s) __acquires_if_zero(s, down_write_killable(s))
#define down_write_trylock(s) __acquires_if_true(s, down_write_trylock(s))
#endif
static inline bool rwsem_is_locked(const struct rw_semaphore *s) { return READ_ONCE(s->count) & ~6L; }

/* A read-write semaphore whose readers touch only their own CPU's line; writers wait a grace period. */
struct percpu_rw_semaphore {
	int *readers;			/* per-CPU */
	bool writer;
	struct mutex lock;
	wait_queue_head_t wq;
};

int percpu_init_rwsem(struct percpu_rw_semaphore *s);
void percpu_free_rwsem(struct percpu_rw_semaphore *s);
void percpu_down_read(struct percpu_rw_semaphore *s) __acquires(s);
void percpu_up_read(struct percpu_rw_semaphore *s) __releases(s);
void percpu_down_write(struct percpu_rw_semaphore *s) __acquires(s);
void percpu_up_write(struct percpu_rw_semaphore *s) __releases(s);
