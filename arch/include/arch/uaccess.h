/* SPDX-License-Identifier: MIT */
/*
 * The only code that touches user memory. A struct uptr is checked against TASK_SIZE_MAX here, each time.
 * Plain functions may fault, and so sleep; the _nofault ones return failure instead of waiting.
 * Sizes: get and put move 1, 2, 4 or 8 bytes, naturally aligned or not.
 */
#pragma once

#include <lib/types.h>
#include <arch/page.h>

static inline bool access_ok(struct uptr p, size_t n)
{
	unsigned long end;

	return !__builtin_add_overflow(p.addr, n, &end) && end <= TASK_SIZE_MAX;
}

/* Bytes NOT copied. Nothing is zeroed on failure. */
size_t __must_check arch_copy_from_user(void *dst, struct uptr src, size_t n);
size_t __must_check arch_copy_to_user(struct uptr dst, const void *src, size_t n);
size_t __must_check arch_clear_user(struct uptr dst, size_t n);
size_t __must_check arch_copy_from_user_nofault(void *dst, struct uptr src, size_t n);
size_t __must_check arch_copy_to_user_nofault(struct uptr dst, const void *src, size_t n);
/* Length without NUL of a string of at most MAX bytes; MAX when there is no NUL in it; -EFAULT. */
ssize_t arch_strnlen_user(struct uptr s, size_t max);
/* Copies until NUL (included) or N bytes; length without NUL, N when it did not fit; -EFAULT. */
ssize_t arch_strncpy_from_user(char *dst, struct uptr src, size_t n);

/*
 * 0 or -EFAULT:
 *   int arch_get_user_{1,2,4,8}(u8|u16|u32|u64 *val, struct uptr p)
 *   int arch_put_user_{1,2,4,8}(u8|u16|u32|u64 val, struct uptr p)
 */
#include <arch_cpu/uaccess.h>

/*
 * Atomic steps on an aligned user u32 with page faults disabled by the caller or not; 0, -EFAULT. *OLD is what was
 * there. The caller checks alignment.
 */
enum user_atomic { USER_ATOMIC_SET, USER_ATOMIC_ADD, USER_ATOMIC_OR, USER_ATOMIC_ANDN, USER_ATOMIC_XOR };
int arch_user_cmpxchg_u32(struct uptr p, u32 *old, u32 expect, u32 new);
int arch_user_atomic_u32(struct uptr p, enum user_atomic op, u32 operand, u32 *old);

/* Kernel memory that may not be there (kallsyms, backtraces, /proc/kcore): bytes NOT copied, never waits. */
size_t arch_copy_kernel_nofault(void *dst, const void *src, size_t n);
