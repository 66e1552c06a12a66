// SPDX-License-Identifier: MIT
#pragma once
/*
 * User memory for everybody: the arch contract's raw copies behind Linux's names, with struct uptr.
 * copy_*, clear_user: return the number of bytes NOT done (0: all). May sleep (page faults).
 */
#include <lib/types.h>
#include <lib/string.h>
#include <arch/uaccess.h>
#include <sched/fault.h>
#include <abi/errno.h>

#define USER_COPY_MAX	0x7ffff000ul	/* MAX_RW_COUNT */

#ifdef __clang_analyzer__	/* which does not see what assembly writes */
size_t __must_check copy_from_user(void *dst, struct uptr src, size_t n);
#else
static inline size_t __must_check copy_from_user(void *dst, struct uptr src, size_t n)
{
	return fault_usercopy() ? n : arch_copy_from_user(dst, src, n);
}
#endif
static inline size_t __must_check copy_to_user(struct uptr dst, const void *src, size_t n)
{
	return fault_usercopy() ? n : arch_copy_to_user(dst, src, n);
}
static inline size_t __must_check clear_user(struct uptr dst, size_t n)
{
	return arch_clear_user(dst, n);
}
#define copy_from_user_nofault(d, s, n)	arch_copy_from_user_nofault(d, s, n)
#define copy_to_user_nofault(d, s, n)	arch_copy_to_user_nofault(d, s, n)

/* One value of 1, 2, 4 or 8 bytes; the size is x's. 0 or -EFAULT. */
#ifdef __cppcheck__		/* which loses what a switch in an expression writes */
#define get_user(x, up) ((x) = 0, arch_get_user_8(NULL, up))
#else
#define get_user(x, up) ({							\
	int gu_err_;								\
	_Static_assert(sizeof(x) <= 8, "get_user moves up to 8 bytes");	\
	switch (sizeof(x)) {							\
	case 1: { u8 gu_v_ = 0; gu_err_ = arch_get_user_1(&gu_v_, (up)); (x) = (__typeof__(x))(unsigned long)gu_v_; break; }	\
	case 2: { u16 gu_v_ = 0; gu_err_ = arch_get_user_2(&gu_v_, (up)); (x) = (__typeof__(x))(unsigned long)gu_v_; break; }	\
	case 4: { u32 gu_v_ = 0; gu_err_ = arch_get_user_4(&gu_v_, (up)); (x) = (__typeof__(x))(unsigned long)gu_v_; break; }	\
	default: { u64 gu_v_ = 0; gu_err_ = arch_get_user_8(&gu_v_, (up)); (x) = (__typeof__(x))(unsigned long)gu_v_; break; }	\
	}									\
	gu_err_; })
#endif
#define put_user(x, up) ({							\
	int pu_err_;								\
	__typeof__(x) pu_x_ = (x);						\
	_Static_assert(sizeof(pu_x_) <= 8, "put_user moves up to 8 bytes");	\
	switch (sizeof(pu_x_)) {						\
	case 1: pu_err_ = arch_put_user_1((u8)(unsigned long)pu_x_, (up)); break;	\
	case 2: pu_err_ = arch_put_user_2((u16)(unsigned long)pu_x_, (up)); break;	\
	case 4: pu_err_ = arch_put_user_4((u32)(unsigned long)pu_x_, (up)); break;	\
	default: pu_err_ = arch_put_user_8((u64)(unsigned long)pu_x_, (up)); break;	\
	}									\
	pu_err_; })

/*
 * Many values in a row: user_access_begin() checks the range once and opens user memory, user_access_end() closes it, also behind LABEL,
 * where unsafe_put_user_2() goes on after a fault. Nothing but such stores between them.
 */
static inline bool __must_check user_access_begin(struct uptr p, size_t n)
{
	if (unlikely(!access_ok(p, n)))
		return false;
	arch_user_access_begin();
	return true;
}
#define user_access_end() arch_user_access_end()
#define unsafe_put_user_2(v, p, label) arch_unsafe_put_user_2(v, p, label)

/*
 * Length of the string at s including its NUL, at most n + 1; 0 on a fault.
 * strncpy_from_user: length without NUL, n if it did not fit, or -EFAULT.
 */
size_t strnlen_user(struct uptr s, size_t n);
static inline long strncpy_from_user(char *dst, struct uptr src, size_t n)
{
	return fault_usercopy() ? -EFAULT : arch_strncpy_from_user(dst, src, n);
}

/* New kernel copies. ERR_PTR(-EFAULT, -ENOMEM, -EINVAL too long). Free with kfree/kvfree. */
void *memdup_user(struct uptr src, size_t len) __must_check;
void *vmemdup_user(struct uptr src, size_t len) __must_check;
char *strndup_user(struct uptr s, size_t max) __must_check;

/* Copy a versioned struct: usize is the caller's size. -E2BIG if unknown tail bytes are not zero. */
int copy_struct_from_user(void *dst, size_t ksize, struct uptr src, size_t usize);
/* 1 all zero, 0 not, -EFAULT. */
int check_zeroed_user(struct uptr from, size_t size);
/* Touch the range so that a following atomic copy succeeds; bytes that cannot be reached. */
size_t fault_in_readable(struct uptr p, size_t size);
size_t fault_in_writeable(struct uptr p, size_t size);
