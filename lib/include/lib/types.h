/* SPDX-License-Identifier: MIT */
/* The basic integer types, for the kernel and for host builds of pure code alike. */
#pragma once

#include <lib/compiler.h>

#ifndef __ASSEMBLY__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;

#ifdef __KERNEL_OCHRE__
typedef long ssize_t;
typedef long long loff_t;
typedef unsigned int mode_t;
typedef unsigned short umode_t;
typedef int pid_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;
typedef u32 dev_t;		/* 12 bits major, 20 bits minor: major << 20 | minor */
typedef long clock_t;
typedef int clockid_t;
typedef int timer_t;
typedef s64 time64_t;
typedef unsigned int poll_mask_t;
#else
#include <sys/types.h>
typedef unsigned short umode_t;
#endif

typedef u64 phys_addr_t;
typedef u64 dma_addr_t;
typedef u64 sector_t;		/* units of 512 bytes */
typedef u64 blkcnt_t64;
typedef unsigned long pgoff_t;	/* index of a page in a file */
typedef s64 ktime_t;		/* nanoseconds */
typedef u32 gfp_t;
typedef u64 ino64_t;

/* A user-space address. Opaque: only <arch/uaccess.h> reads or writes through it. */
struct uptr {
	unsigned long addr;
};

static inline struct uptr uptr_make(unsigned long addr)
{
	return (struct uptr){ addr };
}

#define UPTR(x) uptr_make((unsigned long)(x))
#define UPTR_NULL uptr_make(0)

static inline struct uptr uptr_add(struct uptr p, unsigned long n)
{
	return (struct uptr){ p.addr + n };
}

static inline bool uptr_is_null(struct uptr p)
{
	return p.addr == 0;
}

/* User memory with a bound and a direction is built on this in mm/iter.h. */

#define U8_MAX ((u8)~0U)
#define U16_MAX ((u16)~0U)
#define U32_MAX ((u32)~0U)
#define S32_MAX ((s32)(U32_MAX >> 1))
#define S32_MIN ((s32)(-S32_MAX - 1))
#define U64_MAX ((u64)~0ULL)
#define S64_MAX ((s64)(U64_MAX >> 1))
#define S64_MIN ((s64)(-S64_MAX - 1))
#ifndef INT_MAX
#define INT_MAX S32_MAX
#define INT_MIN S32_MIN
#define UINT_MAX U32_MAX
#define LONG_MAX ((long)(~0UL >> 1))
#define LONG_MIN (-LONG_MAX - 1)
#define ULONG_MAX (~0UL)
#define LLONG_MAX S64_MAX
#endif
#ifndef SSIZE_MAX
#define SSIZE_MAX LONG_MAX
#endif
#define BITS_PER_LONG 64

/* On-disk and wire integers: the type says the byte order. */
typedef struct { u16 v; } __packed le16;
typedef struct { u32 v; } __packed le32;
typedef struct { u64 v; } __packed le64;
typedef struct { u16 v; } __packed be16;
typedef struct { u32 v; } __packed be32;
typedef struct { u64 v; } __packed be64;
#endif
