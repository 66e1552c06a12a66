// SPDX-License-Identifier: MIT
/*
 * The address sanitizer: every 8 bytes of kernel memory have one shadow byte that says how many of them may be touched (0: all;
 * 1..7: the first ones; negative: none, and why). The compiler puts a test before each access; the allocators say
 * here what lives. Freed objects wait in a quarantine before they are used again, so that a late access is seen.
 *
 * This file is not instrumented itself, and calls nothing that is on the paths which report.
 */
#include <lib/types.h>

#ifdef CONFIG_KASAN
#include <alloc/kasan.h>
#include <alloc/kasan_runtime.h>
#include <alloc/page.h>
#include <arch/irqflags.h>
#include <arch/kasan.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/ksyms.h>
#include <kernel/printk.h>
#include <kernel/spinlock.h>
#include <kernel/upcalls.h>
#include <lib/format.h>
#include <lib/minmax.h>
#undef memcpy
#undef memset
#undef memmove
#include <lib/string.h>

static u32 reporting;		/* atomic: one report at a time, none from within one */
static unsigned int reports;
static bool started;

/* The compiler's marks around variables on the stack. */
enum { STACK_LEFT = 0xf1, STACK_MID = 0xf2, STACK_RIGHT = 0xf3, STACK_OUT_OF_SCOPE = 0xf8, ALLOCA_LEFT = 0xca, ALLOCA_RIGHT = 0xcb };
#define MAX_REPORTS 50

typedef u64 u64_unaligned __attribute__((may_alias, aligned(1)));

void kasan_unpoison(const void *addr, size_t size)
{
	s8 *s = kasan_shadow((unsigned long)addr);

	if (!kasan_has_shadow((unsigned long)addr))
		return;
	__builtin_memset(s, 0, size >> 3);
	if (size & 7)
		s[size >> 3] = (s8)(size & 7);
}

void kasan_poison(const void *addr, size_t size, u8 why)
{
	if (kasan_has_shadow((unsigned long)addr))
		__builtin_memset(kasan_shadow((unsigned long)addr), why, (size + 7) >> 3);
}

static const char *reason(s8 v)
{
	switch ((u8)v) {
	case KASAN_FREE_PAGE: return "use-after-free (page)";
	case KASAN_SLAB_REDZONE: return "slab-out-of-bounds";
	case KASAN_SLAB_FREE: return "use-after-free";
	case KASAN_PAGE_REDZONE: return "page-out-of-bounds";
	case KASAN_VMALLOC_INVALID: return "vmalloc-out-of-bounds";
	case KASAN_GLOBAL_REDZONE: return "global-out-of-bounds";
	case STACK_LEFT: case STACK_MID: case STACK_RIGHT: case ALLOCA_LEFT: case ALLOCA_RIGHT: return "stack-out-of-bounds";
	case STACK_OUT_OF_SCOPE: return "stack-use-after-scope";
	}
	return v > 0 ? "out-of-bounds" : "invalid-access";
}

static void print_shadow(unsigned long addr)
{
	const s8 *row = (const s8 *)((unsigned long)kasan_shadow(addr) & ~15UL);

	for (const s8 *r = row - 32; r <= row + 32; r += 16) {
		char line[80];
		int n = 0;

		for (int i = 0; i < 16; i++)
			n += scnprintf(line + n, sizeof(line) - (size_t)n, " %02x", (u8)r[i]);
		pr_err("%s%016lx:%s\n", r == row ? ">" : " ", kasan_unshadow(r), line);
	}
}

static void report(unsigned long addr, size_t size, bool write, unsigned long ip)
{
	unsigned long flags, bad = addr;
	char name[160];
	u32 idle = 0;

	if (unlikely(!started))
		return;
	flags = arch_irq_save();
	if (reports >= MAX_REPORTS || !try_cmpxchg_acquire(&reporting, &idle, 1U)) {
		arch_irq_restore(flags);
		return;
	}
	reports++;
	while (bad < addr + size - 1 && !*kasan_shadow(bad))
		bad++;
	pr_err("==================================================================\n");
	pr_err("BUG: KASAN: %s in %s\n", reason(*kasan_shadow(bad) > 0 ? kasan_shadow(bad)[1] : *kasan_shadow(bad)),
	       ksym_describe(ip, name, sizeof(name)));
	pr_err("%s of size %zu at addr %016lx by task %s/%d\n", write ? "Write" : "Read", size, addr, current_task_name(),
	       current_task_pid());
	dump_stack();
	pr_err("Memory state around the buggy address:\n");
	print_shadow(bad);
	pr_err("==================================================================\n");
	smp_store_release(&reporting, 0);
	arch_irq_restore(flags);
	damage_reported();
}

/* The last byte decides within 8; of longer ranges eight bytes of shadow are looked at together. */
static bool bad_range(unsigned long addr, size_t size)
{
	unsigned long last = addr + size - 1;

	if (!size || !kasan_has_shadow(addr))
		return false;
	for (unsigned long a = addr & ~7UL; a <= last; a += 8) {
		s8 v;

		while (last - a >= 64 && !*(const u64_unaligned *)kasan_shadow(a))
			a += 64;
		v = *kasan_shadow(a);

		if (likely(!v))
			continue;
		if (v < 0 || (s8)(min(last, a + 7) & 7) >= v)
			return true;
	}
	return false;
}

static void check(unsigned long addr, size_t size, bool write, unsigned long ip)
{
	if (unlikely(bad_range(addr, size)))
		report(addr, size, write, ip);
}

/* Of the few bytes that an instruction reaches: mostly within one byte of shadow, which is 0. */
static __always_inline bool bad_access(unsigned long addr, size_t size)
{
	if (!kasan_has_shadow(addr))
		return false;
	if (likely((addr & 7) + size <= 8 && !*kasan_shadow(addr)))
		return false;
	return bad_range(addr, size);
}

/* Rust's code cannot go on after a bad access. */
static void __noreturn fatal(unsigned long addr, size_t size, bool write, unsigned long ip)
{
	report(addr, size, write, ip);
	panic("KASAN: bad access in Rust code");
}

#define ACCESS(n)									\
void __asan_report_load##n(unsigned long a) { fatal(a, n, false, _RET_IP_); }		\
void __asan_report_store##n(unsigned long a) { fatal(a, n, true, _RET_IP_); }		\
void __asan_load##n(unsigned long a) { if (unlikely(bad_access(a, n))) fatal(a, n, false, _RET_IP_); }		\
void __asan_store##n(unsigned long a) { if (unlikely(bad_access(a, n))) fatal(a, n, true, _RET_IP_); }		\
void __asan_load##n##_noabort(unsigned long a) { if (unlikely(bad_access(a, n))) report(a, n, false, _RET_IP_); }	\
void __asan_store##n##_noabort(unsigned long a) { if (unlikely(bad_access(a, n))) report(a, n, true, _RET_IP_); }	\
void __asan_report_load##n##_noabort(unsigned long a) { report(a, n, false, _RET_IP_); }	\
void __asan_report_store##n##_noabort(unsigned long a) { report(a, n, true, _RET_IP_); }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
void __asan_loadN(unsigned long a, size_t n) { if (unlikely(bad_range(a, n))) fatal(a, n, false, _RET_IP_); }
void __asan_storeN(unsigned long a, size_t n) { if (unlikely(bad_range(a, n))) fatal(a, n, true, _RET_IP_); }
void __asan_loadN_noabort(unsigned long a, size_t n) { check(a, n, false, _RET_IP_); }
void __asan_storeN_noabort(unsigned long a, size_t n) { check(a, n, true, _RET_IP_); }
void __asan_report_load_n_noabort(unsigned long a, size_t n) { report(a, n, false, _RET_IP_); }
void __asan_report_store_n_noabort(unsigned long a, size_t n) { report(a, n, true, _RET_IP_); }
void __asan_report_load_n(unsigned long a, size_t n) { fatal(a, n, false, _RET_IP_); }
void __asan_report_store_n(unsigned long a, size_t n) { fatal(a, n, true, _RET_IP_); }
/* Frames left without returning stay marked: a stack is cleared when it gets its next task. */
void __asan_handle_no_return(void) { }

#define SET_SHADOW(v) void __asan_set_shadow_##v(unsigned long s, size_t n) { __builtin_memset((void *)s, 0x##v, n); }
SET_SHADOW(00)
SET_SHADOW(01)
SET_SHADOW(02)
SET_SHADOW(03)
SET_SHADOW(04)
SET_SHADOW(05)
SET_SHADOW(06)
SET_SHADOW(07)
SET_SHADOW(f1)
SET_SHADOW(f2)
SET_SHADOW(f3)
SET_SHADOW(f5)
SET_SHADOW(f8)
void __asan_poison_stack_memory(const void *p, size_t n) { kasan_poison(p, n, STACK_OUT_OF_SCOPE); }
void __asan_unpoison_stack_memory(const void *p, size_t n) { kasan_unpoison(p, n); }

/* A variable of run-time size: 32 bytes on its left and, up to a multiple of 32, on its right. */
void __asan_alloca_poison(unsigned long a, size_t n)
{
	unsigned long end = a + n;

	kasan_poison((void *)(a - 32), 32, ALLOCA_LEFT);
	kasan_unpoison((void *)a, n);
	end = (end + 7) & ~7UL;
	kasan_poison((void *)end, ((a + n + 31) & ~31UL) + 32 - end, ALLOCA_RIGHT);
}

void __asan_allocas_unpoison(unsigned long top, unsigned long bottom)
{
	if (top && top < bottom)
		kasan_unpoison((void *)top, bottom - top);
}

void *__asan_memcpy(void *d, const void *s, size_t n)
{
	check((unsigned long)s, n, false, _RET_IP_);
	check((unsigned long)d, n, true, _RET_IP_);
	return memcpy(d, s, n);
}

void *__asan_memmove(void *d, const void *s, size_t n)
{
	check((unsigned long)s, n, false, _RET_IP_);
	check((unsigned long)d, n, true, _RET_IP_);
	return memmove(d, s, n);
}

void *__asan_memset(void *d, int c, size_t n)
{
	check((unsigned long)d, n, true, _RET_IP_);
	return memset(d, c, n);
}

void __asan_register_globals(struct asan_global *g, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t used = (g[i].size + 7) & ~7UL;

		kasan_unpoison(g[i].beg, g[i].size);
		kasan_poison((const char *)g[i].beg + used, g[i].size_with_redzone - used, KASAN_GLOBAL_REDZONE);
	}
}

void __asan_unregister_globals(struct asan_global *g, size_t n)
{
	for (size_t i = 0; i < n; i++)
		kasan_unpoison(g[i].beg, g[i].size_with_redzone);
}

/* ---- the allocators ---- */

void kasan_slab_alloc(void *cache, void *object, size_t size, size_t slot_size)
{
	size_t used = round_up(size, 8UL), slot = slot_size & ~7UL;

	/* Never all of it: readers under RCU may still look at the object that lay here, of a cache that is typesafe. */
	if (slot > used)
		kasan_poison((char *)object + used, slot - used, KASAN_SLAB_REDZONE);
	kasan_unpoison(object, size);
}

struct waiting {
	void *cache, *object;
	u32 size;
};

#define QUARANTINE_SLOTS 8192
#define QUARANTINE_BYTES (2UL << 20)
static struct waiting quarantine[QUARANTINE_SLOTS];	/* quarantine_lock */
static u32 q_head, q_count;				/* quarantine_lock */
static size_t q_bytes;					/* quarantine_lock */
static spinlock_t quarantine_lock = __SPIN_LOCK_UNLOCKED(quarantine_lock);

/* The object may be somebody's again: the leak scanner is not to find it here. */
static void forget(struct waiting *w)
{
	WRITE_ONCE(w->object, NULL);
}

/* The oldest leave for good once there are too many; two for one, so that it shrinks. */
bool kasan_slab_free(void *cache, void *object, size_t size)
{
	struct waiting out[2];
	unsigned long flags;
	unsigned int n = 0;

	kasan_poison(object, size & ~7UL, KASAN_SLAB_FREE);
	if (!object || size < 8)
		return false;
	flags = arch_irq_save();
	__raw_spin_lock(&quarantine_lock);
	while (n < 2 && q_count && (q_count == QUARANTINE_SLOTS || q_bytes + size > QUARANTINE_BYTES)) {
		out[n] = quarantine[(q_head - q_count) % QUARANTINE_SLOTS];
		forget(&quarantine[(q_head - q_count) % QUARANTINE_SLOTS]);
		q_bytes -= out[n++].size;
		q_count--;
	}
	quarantine[q_head++ % QUARANTINE_SLOTS] = (struct waiting){ cache, object, (u32)size };
	q_count++;
	q_bytes += size;
	__raw_spin_unlock(&quarantine_lock);
	arch_irq_restore(flags);
	while (n--)
		kasan_free_now(out[n].cache, out[n].object);
	return true;
}

/* Everything that waits is freed; for leak checks and when memory is short. */
void kasan_quarantine_drain(void)
{
	for (;;) {
		unsigned long flags = arch_irq_save();
		struct waiting w = { 0 };

		__raw_spin_lock(&quarantine_lock);
		if (q_count) {
			w = quarantine[(q_head - q_count) % QUARANTINE_SLOTS];
			forget(&quarantine[(q_head - q_count) % QUARANTINE_SLOTS]);
			q_count--;
			q_bytes -= w.size;
		}
		__raw_spin_unlock(&quarantine_lock);
		arch_irq_restore(flags);
		if (!w.object)
			return;
		kasan_free_now(w.cache, w.object);
	}
}

void kasan_start(void *zero_page)
{
	__builtin_memset((void *)zero_page, 0, PAGE_SIZE);
	started = true;
}

int kasan_populate_vmalloc(unsigned long start, size_t size)
{
	return arch_kasan_populate(start, size);
}

extern void (*const __start_init_array[])(void), (*const __stop_init_array[])(void);

/* Redzones of globals: each file's constructor registers its own. */
void __init kasan_init_globals(void)
{
	for (void (*const *fn)(void) = __start_init_array; fn < __stop_init_array; fn++)
		(*fn)();
}
#endif
