// SPDX-License-Identifier: MIT
/*
 * User strings and atomic steps on user words.
 */
#include <arch/uaccess.h>
#include <abi/errno.h>
#include <lib/minmax.h>
#include <sched/task.h>
#include "arch/sparc64/sparc_priv.h"

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

size_t arch_copy_from_user_nofault(void *dst, struct uptr src, size_t n)
{
	size_t left;

	pagefault_disable();
	left = arch_copy_from_user(dst, src, n);
	pagefault_enable();
	return left;
}

size_t arch_copy_to_user_nofault(struct uptr dst, const void *src, size_t n)
{
	size_t left;

	pagefault_disable();
	left = arch_copy_to_user(dst, src, n);
	pagefault_enable();
	return left;
}

/* An aligned word of the string. 0 or -EFAULT. */
static __always_inline int load_word(unsigned long addr, u64 *out)
{
	register long err __asm__("g1") = 0;
	u64 v = 0;

	__asm__ volatile("1: ldxa [%2] 0x11, %1\n2:\n" EXTABLE(1b, 2b, EX_EFAULT) : "+r"(err), "+r"(v) : "r"(addr) : "memory");
	*out = v;
	return (int)err;
}

#define LOW7 0x7f7f7f7f7f7f7f7fULL
/* The top bit of each byte that is zero, exactly: the first of a string is the highest, so none may be a carry's. */
static __always_inline u64 zero_bytes(u64 w)
{
	return ~(((w & LOW7) + LOW7) | w | LOW7);
}

/* Whole aligned words never cross into a page that the string does not touch. */
ssize_t arch_strnlen_user(struct uptr s, size_t max)
{
	unsigned long at = s.addr & ~7UL, limit;
	u64 w, z;
	int err;

	if (s.addr >= TASK_SIZE_MAX)
		return -EFAULT;
	limit = min(max, TASK_SIZE_MAX - s.addr);
	err = load_word(at, &w);
	if (s.addr > at)
		w |= ~0ULL << (8 - (s.addr - at)) * 8;	/* bytes before the string count as filled */
	while (!err && !(z = zero_bytes(w)) && at + 8 - s.addr < limit) {
		at += 8;
		err = load_word(at, &w);
	}
	if (err)
		return -EFAULT;
	z = zero_bytes(w);
	at += z ? (unsigned int)__builtin_clzll(z) / 8 : 8;
	if (at - s.addr < limit)
		return (ssize_t)(at - s.addr);
	return limit < max ? -EFAULT : (ssize_t)max;
}

ssize_t arch_strncpy_from_user(char *dst, struct uptr src, size_t n)
{
	size_t done = 0, limit;
	u64 w;

	if (src.addr >= TASK_SIZE_MAX)
		return n ? -EFAULT : 0;
	limit = min(n, TASK_SIZE_MAX - src.addr);
	while (done < limit) {
		unsigned long at = src.addr + done, base = at & ~7UL;
		size_t skip = at - base, take = min((size_t)8 - skip, limit - done);

		if (load_word(base, &w))
			return -EFAULT;
		w <<= skip * 8;
		for (size_t i = 0; i < take; i++, w <<= 8) {
			dst[done] = (char)(w >> 56);
			if (!(w >> 56))
				return (ssize_t)done;
			done++;
		}
	}
	return limit < n ? -EFAULT : (ssize_t)n;
}

int arch_user_cmpxchg_u32(struct uptr p, u32 *old, u32 expect, u32 new)
{
	register long err __asm__("g1") = 0;
	u32 was = new;

	if (!access_ok(p, 4))
		return -EFAULT;
	__asm__ volatile("   membar #StoreLoad\n"
			 "1: casa [%2] 0x11, %3, %1\n"
			 "2: membar #StoreLoad | #StoreStore\n" EXTABLE(1b, 2b, EX_EFAULT)
			 : "+r"(err), "+r"(was) : "r"(p.addr), "r"(expect) : "memory");
	*old = was;
	return (int)err;
}

int arch_user_atomic_u32(struct uptr p, enum user_atomic op, u32 operand, u32 *old)
{
	u32 cur, new, was;
	int err = arch_get_user_4(&cur, p);

	while (!err) {
		switch (op) {
		case USER_ATOMIC_SET: new = operand; break;
		case USER_ATOMIC_ADD: new = cur + operand; break;
		case USER_ATOMIC_OR: new = cur | operand; break;
		case USER_ATOMIC_ANDN: new = cur & ~operand; break;
		case USER_ATOMIC_XOR: new = cur ^ operand; break;
		default: return -ENOSYS;
		}
		err = arch_user_cmpxchg_u32(p, &was, cur, new);
		if (err)
			break;
		if (was == cur) {
			*old = cur;
			break;
		}
		cur = was;
	}
	return err;
}
