// SPDX-License-Identifier: MIT
/*
 * User strings and atomic steps on user words.
 */
#include <arch/uaccess.h>
#include <abi/errno.h>
#include <lib/minmax.h>
#include <sched/task.h>

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

/* An aligned word of the string; the caller opened user access. 0 or -EFAULT. */
static __always_inline int load_word(unsigned long addr, u64 *out)
{
	int err = 0;
	u64 v = 0;

	__asm__ volatile("1: movq (%2), %1\n2:\n" EXTABLE(1b, 2b, EX_EFAULT) : "+a"(err), "+r"(v) : "r"(addr) : "memory");
	*out = v;
	return err;
}

#define ONES 0x0101010101010101ULL
static __always_inline u64 zero_bytes(u64 w)
{
	return (w - ONES) & ~w & (ONES << 7);
}

static __always_inline void user_begin(void)
{
	__asm__ volatile(UACCESS_BEGIN : : : "memory");
}

static __always_inline void user_end(void)
{
	__asm__ volatile(UACCESS_END : : : "memory");
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
	user_begin();
	err = load_word(at, &w);
	w |= (1ULL << (s.addr - at) * 8) - 1;	/* bytes before the string count as filled */
	while (!err && !(z = zero_bytes(w)) && at + 8 - s.addr < limit) {
		at += 8;
		err = load_word(at, &w);
	}
	user_end();
	if (err)
		return -EFAULT;
	z = zero_bytes(w);
	at += z ? (unsigned int)__builtin_ctzll(z) / 8 : 8;
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
	user_begin();
	while (done < limit) {
		unsigned long at = src.addr + done, base = at & ~7UL;
		size_t skip = at - base, take = min((size_t)8 - skip, limit - done);

		if (load_word(base, &w)) {
			user_end();
			return -EFAULT;
		}
		w >>= skip * 8;
		if (likely(n - done >= 8)) {
			/* The bytes behind the end are ours to overwrite. */
			u64 zero = (w - 0x0101010101010101ULL) & ~w & 0x8080808080808080ULL;

			__builtin_memcpy(dst + done, &w, 8);
			if (take < 8)
				zero &= ~0ULL >> (64 - 8 * take);
			if (zero) {
				user_end();
				return (ssize_t)(done + ((size_t)__builtin_ctzll(zero) >> 3));
			}
			done += take;
			continue;
		}
		for (size_t i = 0; i < take; i++, w >>= 8) {
			dst[done] = (char)w;
			if (!(u8)w) {
				user_end();
				return (ssize_t)done;
			}
			done++;
		}
	}
	user_end();
	return limit < n ? -EFAULT : (ssize_t)n;
}

int arch_user_cmpxchg_u32(struct uptr p, u32 *old, u32 expect, u32 new)
{
	int err = 0;
	u32 was = expect;

	if (!access_ok(p, 4))
		return -EFAULT;
	/* rax is the compared value, so the fault cannot be told there: it sets edx through the fix-up's path. */
	user_begin();
	__asm__ volatile("1: lock; cmpxchgl %3, (%2)\n"
			 "   jmp 3f\n"
			 "2: movl $-14, %1\n"
			 "3:\n" EXTABLE(1b, 2b, EX_JUMP)
			 : "+a"(was), "+r"(err) : "r"(p.addr), "r"(new) : "memory", "cc");
	user_end();
	*old = was;
	return err;
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
		if (!err && was == cur) {
			*old = cur;
			break;
		}
		cur = was;
	}
	return err;
}
