/* SPDX-License-Identifier: MIT */
/*
 * The leak scanner (debug build): what allocators and owners of memory tell it, and how it is asked. Nothing of it is left without
 * CONFIG_KMEMLEAK. The theory is at the top of alloc/kmemleak.c.
 */
#pragma once

#include <lib/types.h>

struct page;

#ifdef CONFIG_KMEMLEAK
struct kmemleak_trace;

/*
 * What is known of one allocation, kept behind a slab's objects, in the area of a vmalloc, or apart for a large kmalloc. STATE is written by
 * who allocates and frees, and by the scanner as a compare-and-swap while the object is held still; the words after it are the scanner's.
 */
struct kmemleak_object {
	u32 state;		/* KL_*, and in the upper bits a number that each allocation has a new one of */
	u32 mark;		/* the scan that reached it last */
	u32 crc, crc_of;	/* of the contents when last unreferenced; the state's number then */
	u32 size;		/* as asked for */
	int pid;
	u64 born;		/* jiffies */
	const struct kmemleak_trace *trace;
	char comm[16];
};

enum { KL_LIVE = 1, KL_NOT_LEAK = 2, KL_NO_SCAN = 4, KL_REPORTED = 8, KL_FLAGS = 0xff, KL_NUMBER = 0x100 };

/* From the allocators. IP: where the allocator was called from, so that the backtrace begins there. */
void kmemleak_alloc(struct kmemleak_object *o, size_t size, unsigned long ip);
void kmemleak_free(struct kmemleak_object *o);
void kmemleak_alloc_slab(void *obj, size_t size, unsigned long ip);
void kmemleak_free_slab(void *obj);
/* Fewer bytes were asked for than the slab's object has. */
void kmemleak_set_size(const void *obj, size_t size);
void kmemleak_alloc_pages(struct page *page, size_t size, unsigned long ip);
void kmemleak_free_pages(struct page *page);
/* A page of the kernel's own that is not looked into for pointers: it has stale ones. */
void kmemleak_no_scan_page(struct page *page);
struct kmem_cache;
void kmemleak_cache_made(struct kmem_cache *c);
void kmemleak_cache_gone(struct kmem_cache *c);	/* sleeps */
/* TASK runs on STACK, as kstack_alloc() gave it. */
static inline void kmemleak_stack_owner(void *stack, void *task)
{
	*(void **)stack = task;
}

/* From an owner, of a pointer that an allocator gave: what it holds are no pointers. */
void kmemleak_no_scan(const void *ptr);

/* ---- asking ---- */

#define KMEMLEAK_FRAMES 16
struct kmemleak_report {
	unsigned long start;
	size_t size;
	char comm[16];
	int pid;
	u64 born;		/* jiffies */
	u32 crc, flags;
	bool referenced;	/* the last scan found a pointer to it */
	unsigned int nr_frames;
	unsigned long frames[KMEMLEAK_FRAMES];
	unsigned int nr_bytes;
	u8 bytes[32];
};

/*
 * Looks for leaks: how many are new. -EBUSY: a scan is under way; -ENOMEM; -EPERM: it was switched off. Sleeps.
 */
int kmemleak_scan(void);
/* The first suspect at *ADDR or above; *ADDR is then behind it. False: there is none. */
bool kmemleak_next(unsigned long *addr, struct kmemleak_report *r);
/* The live object that holds ADDR. */
bool kmemleak_look_up(unsigned long addr, struct kmemleak_report *r);
/* What is suspected now is not, from here on. */
void kmemleak_clear(void);
/* For good. */
void kmemleak_disable(void);
bool kmemleak_enabled(void);
/* Suspects are at least that old. */
extern unsigned int kmemleak_min_age_ms;
/* Whether kernel stacks are looked into. */
extern bool kmemleak_stacks;
#else
static inline void kmemleak_alloc_slab(void *obj, size_t size, unsigned long ip) { }
static inline void kmemleak_free_slab(void *obj) { }
static inline void kmemleak_set_size(const void *obj, size_t size) { }
static inline void kmemleak_alloc_pages(struct page *page, size_t size, unsigned long ip) { }
static inline void kmemleak_free_pages(struct page *page) { }
static inline void kmemleak_no_scan_page(struct page *page) { }
static inline void kmemleak_stack_owner(void *stack, void *task) { }
static inline void kmemleak_no_scan(const void *ptr) { }
#endif
