/* SPDX-License-Identifier: MIT */
/* What instrumented code calls (the compiler names these), and the seams of the sanitizer. */
#pragma once

#include <lib/types.h>

struct asan_global {
	const void *beg;
	size_t size, size_with_redzone;
	const void *name, *module_name;
	unsigned long has_dynamic_init;
	const void *location;
	unsigned long odr_indicator;
};

#define KASAN_GLOBAL_REDZONE 0xf9

#define KASAN_DECLARE(n)						\
	void __asan_report_load##n(unsigned long a) __noreturn;		\
	void __asan_report_store##n(unsigned long a) __noreturn;	\
	void __asan_load##n(unsigned long a);				\
	void __asan_store##n(unsigned long a);				\
	void __asan_load##n##_noabort(unsigned long a);			\
	void __asan_store##n##_noabort(unsigned long a);		\
	void __asan_report_load##n##_noabort(unsigned long a);		\
	void __asan_report_store##n##_noabort(unsigned long a);
KASAN_DECLARE(1)
KASAN_DECLARE(2)
KASAN_DECLARE(4)
KASAN_DECLARE(8)
KASAN_DECLARE(16)
void __asan_loadN(unsigned long a, size_t n);
void __asan_storeN(unsigned long a, size_t n);
void __asan_loadN_noabort(unsigned long a, size_t n);
void __asan_storeN_noabort(unsigned long a, size_t n);
void __asan_report_load_n_noabort(unsigned long a, size_t n);
void __asan_report_store_n_noabort(unsigned long a, size_t n);
void __asan_report_load_n(unsigned long a, size_t n) __noreturn;
void __asan_report_store_n(unsigned long a, size_t n) __noreturn;
void __asan_handle_no_return(void);
void *__asan_memcpy(void *d, const void *s, size_t n);
void *__asan_memmove(void *d, const void *s, size_t n);
void *__asan_memset(void *d, int c, size_t n);
void __asan_set_shadow_00(unsigned long s, size_t n);
void __asan_set_shadow_01(unsigned long s, size_t n);
void __asan_set_shadow_02(unsigned long s, size_t n);
void __asan_set_shadow_03(unsigned long s, size_t n);
void __asan_set_shadow_04(unsigned long s, size_t n);
void __asan_set_shadow_05(unsigned long s, size_t n);
void __asan_set_shadow_06(unsigned long s, size_t n);
void __asan_set_shadow_07(unsigned long s, size_t n);
void __asan_set_shadow_f1(unsigned long s, size_t n);
void __asan_set_shadow_f2(unsigned long s, size_t n);
void __asan_set_shadow_f3(unsigned long s, size_t n);
void __asan_set_shadow_f5(unsigned long s, size_t n);
void __asan_set_shadow_f8(unsigned long s, size_t n);
void __asan_poison_stack_memory(const void *p, size_t n);
void __asan_unpoison_stack_memory(const void *p, size_t n);
void __asan_alloca_poison(unsigned long a, size_t n);
void __asan_allocas_unpoison(unsigned long top, unsigned long bottom);
void __asan_register_globals(struct asan_global *g, size_t n);
void __asan_unregister_globals(struct asan_global *g, size_t n);

/* slab.c: frees an object that left the quarantine. */
void kasan_free_now(void *cache, void *object);
void kasan_quarantine_drain(void);
void kasan_init_globals(void);
/* The shadow is complete: ZERO_PAGE is what memory without one shares, now read-only; bad accesses are reported from here on. */
void kasan_start(void *zero_page);
