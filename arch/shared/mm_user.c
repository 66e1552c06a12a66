// SPDX-License-Identifier: MIT
/*
 * User strings, a word at a time, and copies that do not wait. arch_cpu/uaccess_word.h gives USER_LOAD_WORD, the instruction that loads the aligned
 * word at %2 to %1, its first byte lowest, and USER_ERROR_REG, the register that a fault leaves -EFAULT in.
 */
#include <arch/uaccess.h>
#include <abi/errno.h>
#include <arch_cpu/uaccess_word.h>
#include <lib/byteorder.h>
#include <lib/minmax.h>
#include <sched/task.h>

/* 0 or -EFAULT. User access is open meanwhile. */
static __always_inline int user_load_word(unsigned long addr, u64 *out)
{
	register long err __asm__(USER_ERROR_REG) = 0;
	u64 v = 0;

	__asm__ volatile("1: " USER_LOAD_WORD "\n2:\n" EXTABLE(1b, 2b, EX_EFAULT) : "+r"(err), "+r"(v) : "r"(addr) : "memory");
	*out = v;
	return (int)err;
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

#define ONES 0x0101010101010101ULL
static __always_inline u64 zero_bytes(u64 w)
{
	return (w - ONES) & ~w & (ONES << 7);
}

static __always_inline void put_word(char *dst, u64 w)
{
	w = le64_raw(w);
	__builtin_memcpy(dst, &w, 8);
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
	arch_user_access_begin();
	err = user_load_word(at, &w);
	w |= (1ULL << (s.addr - at) * 8) - 1;	/* bytes before the string count as filled */
	while (!err && !(z = zero_bytes(w)) && at + 8 - s.addr < limit) {
		at += 8;
		err = user_load_word(at, &w);
	}
	arch_user_access_end();
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

		if (user_load_word(at & ~7UL, &w)) {
			arch_user_access_end();
			return -EFAULT;
		}
		dst[done] = (char)(w >> (at & 7) * 8);
		if (!dst[done]) {
			arch_user_access_end();
			return (ssize_t)done;
		}
	}
	arch_user_access_end();
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
	arch_user_access_begin();
	if (unlikely(limit < 8))
		return strncpy_bytes(dst, src.addr, 0, limit, n);
	/* Whole words are stored: the bytes behind the end are ours to overwrite. The first comes without what precedes the string. */
	if (user_load_word(src.addr - skip, &w))
		goto fault;
	w >>= skip * 8;
	put_word(dst, w);
	zero = zero_bytes(w | ~(~0ULL >> skip * 8));
	for (done = 8 - skip; !zero; done += 8) {
		if (unlikely(done + 8 > limit))
			return strncpy_bytes(dst, src.addr, done, limit, n);
		if (user_load_word(src.addr + done, &w))
			goto fault;
		put_word(dst + done, w);
		zero = zero_bytes(w);
		skip = 0;
	}
	arch_user_access_end();
	return (ssize_t)(done - 8 + skip + ((unsigned int)__builtin_ctzll(zero) >> 3));
fault:
	arch_user_access_end();
	return -EFAULT;
}
