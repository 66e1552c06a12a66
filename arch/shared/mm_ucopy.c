// SPDX-License-Identifier: MIT
/* User copies as functions, about the CPU's uaccess.S. */
#include <arch/uaccess.h>
#include <sched/task.h>
#include "arch/shared/ucopy.h"

size_t arch_copy_from_user(void *dst, struct uptr src, size_t n)
{
	return access_ok(src, n) && n ? __copy_from_user(dst, src.addr, n) : n;
}

size_t arch_copy_to_user(struct uptr dst, const void *src, size_t n)
{
	return access_ok(dst, n) && n ? __copy_to_user(dst.addr, src, n) : n;
}

size_t arch_clear_user(struct uptr dst, size_t n)
{
	return access_ok(dst, n) && n ? __clear_user(dst.addr, n) : n;
}

size_t arch_copy_kernel_nofault(void *dst, const void *src, size_t n)
{
	size_t left;

	pagefault_disable();
	left = __copy_kernel_nofault(dst, src, n);
	pagefault_enable();
	return left;
}
