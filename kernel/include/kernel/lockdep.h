/* SPDX-License-Identifier: MIT */
/*
 * What locks tell the lock-dependency checker. Compiled to nothing unless CONFIG_LOCKDEP. A lock's class is the
 * place that initialised it (its static key), or the static variable itself.
 */
#pragma once

#include <lib/types.h>
#include <arch/cpu.h>

struct lock_class_key {
	char unused;
};

#ifdef CONFIG_LOCKDEP
struct lockdep_map {
	const char *name;
	const void *key;	/* the class */
	u16 class_idx;		/* cached; 0: not looked up yet */
	u8 subclass;
};

#define DEP_MAP_INIT(lname) .dep_map = { .name = #lname, .key = NULL },
void lockdep_init_map(struct lockdep_map *m, const char *name, const void *key);
/* READ: 0 write, 1 read (may share), 2 recursive read. TRY: cannot deadlock by itself. */
void lock_acquire(struct lockdep_map *m, unsigned int subclass, bool try, int read, bool sleeping, unsigned long ip);
void lock_release(struct lockdep_map *m, unsigned long ip);
bool lock_is_held(const struct lockdep_map *m);
#define lockdep_assert_held(l) WARN_ON(!lock_is_held(&(l)->map))
#define lockdep_set_class(l, k) lockdep_init_map(&(l)->map, #k, k)
#else
struct lockdep_map { };
#define DEP_MAP_INIT(lname)
#define lockdep_init_map(m, name, key) do { (void)(key); } while (0)
#define lock_acquire(m, sub, try, read, sleeping, ip) do { } while (0)
#define lock_release(m, ip) do { } while (0)
#define lockdep_assert_held(l) do { (void)(l); } while (0)
#define lockdep_set_class(l, k) do { (void)(k); } while (0)
#endif
#ifdef CONFIG_LOCKDEP
/* The task goes back to user mode: it may hold nothing. */
void lockdep_user_return(void);
#else
#define lockdep_user_return() do { } while (0)
#endif
#define _RET_IP_ ((unsigned long)__builtin_return_address(0))
#ifdef arch_this_ip
#define _THIS_IP_ arch_this_ip()
#else
#define _THIS_IP_ _RET_IP_
#endif
