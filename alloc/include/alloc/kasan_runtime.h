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
	void __asan_load##n##_noabort(unsigned long a);			\
	void __asan_store##n##_noabort(unsigned long a);		\
	void __asan_report_load##n##_noabort(unsigned long a);		\
	void __asan_report_store##n##_noabort(unsigned long a);
KASAN_DECLARE(1)
KASAN_DECLARE(2)
KASAN_DECLARE(4)
KASAN_DECLARE(8)
KASAN_DECLARE(16)
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
void __asan_register_globals(struct asan_global *g, size_t n);
void __asan_unregister_globals(struct asan_global *g, size_t n);

/* slab.c: frees an object that left the quarantine. */
void kasan_free_now(void *cache, void *object);
void kasan_quarantine_drain(void);
void kasan_init_globals(void);
