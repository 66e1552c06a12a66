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

/* The rest byte by byte, where less than a word of room or of user space is left. User access is open; closes it. */
static noinline ssize_t strncpy_bytes(char *dst, unsigned long src, size_t done, size_t limit, size_t n)
{
	u64 w;

	for (; done < limit; done++) {
		unsigned long at = src + done;

		if (load_word(at & ~7UL, &w)) {
			user_end();
			return -EFAULT;
		}
		dst[done] = (char)(w >> (at & 7) * 8);
		if (!dst[done]) {
			user_end();
			return (ssize_t)done;
		}
	}
	user_end();
	return limit < n ? -EFAULT : (ssize_t)n;
}

ssize_t arch_strncpy_from_user(char *dst, struct uptr src, size_t n)
{
	unsigned int skip = src.addr & 7;
	size_t done = 0, limit;
	u64 w, zero;

	if (unlikely(src.addr >= TASK_SIZE_MAX))
		return n ? -EFAULT : 0;
	limit = min(n, TASK_SIZE_MAX - src.addr);
	user_begin();
	if (unlikely(limit < 8))
		return strncpy_bytes(dst, src.addr, 0, limit, n);
	/* Whole words are stored: the bytes behind the end are ours to overwrite. The first comes without what precedes the string. */
	if (load_word(src.addr - skip, &w))
		goto fault;
	w >>= skip * 8;
	__builtin_memcpy(dst, &w, 8);
	zero = zero_bytes(w | ~(~0ULL >> skip * 8));
	for (done = 8 - skip; !zero; done += 8) {
		if (unlikely(done + 8 > limit))
			return strncpy_bytes(dst, src.addr, done, limit, n);
		if (load_word(src.addr + done, &w))
			goto fault;
		__builtin_memcpy(dst + done, &w, 8);
		zero = zero_bytes(w);
		skip = 0;
	}
	user_end();
	return (ssize_t)(done - 8 + skip + ((unsigned int)__builtin_ctzll(zero) >> 3));
fault:
	user_end();
	return -EFAULT;
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
