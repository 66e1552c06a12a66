/* SPDX-License-Identifier: MIT */
/* Errors carried in pointers: the last page of the address space. */
#pragma once

#include <lib/types.h>

#define MAX_ERRNO 4095
#define IS_ERR_VALUE(x) unlikely((unsigned long)(x) >= (unsigned long)-MAX_ERRNO)

static inline void *__must_check ERR_PTR(long e) { return (void *)e; }
static inline long __must_check PTR_ERR(const void *p) { return (long)p; }
static inline bool __must_check IS_ERR(const void *p) { return IS_ERR_VALUE(p); }
static inline bool __must_check IS_ERR_OR_NULL(const void *p) { return unlikely(!p) || IS_ERR_VALUE(p); }
static inline void *__must_check ERR_CAST(const void *p) { return (void *)p; }
static inline int __must_check PTR_ERR_OR_ZERO(const void *p) { return IS_ERR(p) ? (int)PTR_ERR(p) : 0; }
