/* SPDX-License-Identifier: MIT */
/*
 * Who owns code: the image, or a module. The owner is found by the address of the operations or
 * function; nobody passes it. A *use* is what a program has of a module (an open device): with one
 * it is not unloaded. A *hold* is what the kernel is about to call (a work item): unloading waits
 * for it. Code of the image calls into the module and drops the hold after that call has returned,
 * so no instruction of the module runs without one.
 */
#pragma once

#include <lib/atomic.h>
#include <lib/list.h>
#include <lib/types.h>
#include <arch/page.h>

#ifdef CONFIG_MODULES
#define OWNER_PARTS 3

struct owner {
	const char *name;
	struct owner_part {
		unsigned long start, size;
	} part[OWNER_PARTS]; /* c; text first */
	struct list_head list;		/* owner_lock; read under RCU */
	s32 uses;			/* atomic; < 0: none may begin */
	atomic_t holds;
};

/* O's addresses are known from here on; no use begins before owner_open(). */
void owner_add(struct owner *o);
/* After it nobody finds O, and who has found it is done. O has no uses and holds. Sleeps. */
void owner_remove(struct owner *o);
void owner_open(struct owner *o);
/* No use begins any more. False: there are some, and nothing has changed. */
bool owner_close(struct owner *o) __must_check;
/* The same of one that may be closed already: its init failed. */
bool owner_shut(struct owner *o) __must_check;

bool owner_module_use(unsigned long addr) __must_check;
void owner_module_unuse(unsigned long addr);
/* Uses may begin before the init of the module at ADDR, which runs, has returned. */
void owner_module_open(unsigned long addr);
void owner_module_hold(unsigned long addr, int by);
/*
 * The name of the module that ADDR lies in, by copy, and how far from its first byte of text.
 * False: no module.
 */
bool owner_describe(unsigned long addr, char *name, size_t size, unsigned long *offset);
/* ADDR is in the text of a module. */
bool owner_is_text(unsigned long addr);

static inline bool owned_by_module(const void *p)
{
	return (unsigned long)p - MODULES_START < MODULES_END - MODULES_START;
}
#else
static inline bool owned_by_module(const void *p)
{
	return false;
}

static inline bool owner_module_use(unsigned long addr)
{
	return true;
}

static inline void owner_module_unuse(unsigned long addr)
{
}

static inline void owner_module_open(unsigned long addr)
{
}

static inline void owner_module_hold(unsigned long addr, int by)
{
}

static inline bool owner_describe(unsigned long addr, char *name, size_t size,
				  unsigned long *offset)
{
	return false;
}

static inline bool owner_is_text(unsigned long addr)
{
	return false;
}
#endif

/* A use of the owner of OPS begins. False: it is being loaded or unloaded. Any context. */
static inline bool __must_check owner_use(const void *ops)
{
	return likely(!owned_by_module(ops)) || owner_module_use((unsigned long)ops);
}

static inline void owner_unuse(const void *ops)
{
	if (unlikely(owned_by_module(ops)))
		owner_module_unuse((unsigned long)ops);
}

/* FN is going to be called. Its owner is there: it asked for that. Any context. */
static inline void owner_hold(const void *fn)
{
	if (unlikely(owned_by_module(fn)))
		owner_module_hold((unsigned long)fn, 1);
}

/* FN has returned, or is not going to be called. */
static inline void owner_unhold(const void *fn)
{
	if (unlikely(owned_by_module(fn)))
		owner_module_hold((unsigned long)fn, -1);
}
