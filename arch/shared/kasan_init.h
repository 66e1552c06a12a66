/* SPDX-License-Identifier: MIT */
/* When a CPU's boot has the sanitizer's shadow made: see alloc_kasan.c. */
#pragma once

#ifdef CONFIG_KASAN
/* In the kernel's own tables, before they are loaded for the first time. */
void kasan_init_tables(void);
/* Once they are, and the map of memory is there: RAM and the image; from here on bad accesses are reported. */
void kasan_init_shadow(void);
#else
static inline void kasan_init_tables(void) { }
static inline void kasan_init_shadow(void) { }
#endif
