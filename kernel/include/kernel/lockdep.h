/* SPDX-License-Identifier: MIT */
/*
 * What locks tell the lock-dependency checker. Compiled to nothing unless CONFIG_LOCKDEP. A lock's
 * class is the place that initialised it (its static key), or the static variable itself.
 */
#pragma once

#include <lib/types.h>
#include <arch/cpu.h>

struct lock_class_key {
	char unused;
};

#ifdef CONFIG_LOCKDEP
struct lockdep_map {
	/* as written, and the file that initialised it: "&r->lock (kernel/rcu.c)" */
	const char *name;
	const void *key;	/* the class */
	u16 class_idx[2];	/* cached, of subclass 0 and 1; 0: not looked up yet */
	u32 line;		/* of a lock in Rust: where it is made */
};

struct held_lock {
	const struct lockdep_map *map;
	unsigned long ip;
	u16 class_idx;
	bool sleeping, try;
	u8 read;
};

#define LOCKDEP_MAX_HELD 40

/* What a task holds, oldest first. A part of the task: own CPU writes, interrupts off. */
struct lockdep_stack {
	u16 depth;
	u16 lost;		/* taken when it was full */
	struct held_lock h[LOCKDEP_MAX_HELD];
};

#define LOCK_NAME(text) text " (" __FILE__ ")"
void lockdep_init_map(struct lockdep_map *m, const char *name, const void *key);
/* READ: 0 write, 1 read (may share), 2 recursive read. TRY: cannot deadlock by itself. */
void lock_acquire(struct lockdep_map *m, unsigned int subclass, bool try, int read, bool sleeping,
		  unsigned long ip);
void lock_release(struct lockdep_map *m, unsigned long ip);
bool lock_is_held(const struct lockdep_map *m);
#define lockdep_is_held(l) lock_is_held(&(l)->map)
#define lockdep_assert_held(l) WARN_ON(!lockdep_is_held(l))
#define lockdep_set_class(l, k) lockdep_init_map(&(l)->map, LOCK_NAME(#k), k)
/* The task goes back to user mode: it may hold nothing. */
void lockdep_user_return(void);
/* SIZE bytes at P are freed: no lock in them may be held. */
void lockdep_check_freed(const void *p, size_t size, unsigned long ip);
/* Names what the running task holds, for an oops. */
void lockdep_print_held(void);
/* For a warning about sleeping: ", in an RCU read section begun at ...", or "". */
const char *rcu_section_describe(char *buf, size_t size);
#else
struct lockdep_map {
};
#define lockdep_init_map(m, name, key) do { (void)(key); } while (0)
#define lock_acquire(m, sub, try, read, sleeping, ip) do { } while (0)
#define lock_release(m, ip) do { } while (0)
static inline bool __lockdep_unknown(const void *lock)
{
	return true;
}
#define lockdep_is_held(l) __lockdep_unknown(l)
#define lockdep_assert_held(l) do { (void)(l); } while (0)
#define lockdep_set_class(l, k) do { (void)(k); } while (0)
#define lockdep_user_return() do { } while (0)
#define lockdep_check_freed(p, size, ip) do { } while (0)
#define lockdep_print_held() do { } while (0)
#endif
#define _RET_IP_ ((unsigned long)__builtin_extract_return_addr(__builtin_return_address(0)))
#ifdef arch_this_ip
#define _THIS_IP_ arch_this_ip()
#else
#define _THIS_IP_ _RET_IP_
#endif
