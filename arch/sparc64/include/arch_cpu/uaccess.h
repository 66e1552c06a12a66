/* SPDX-License-Identifier: MIT */
/*
 * User memory is another address space: it is reached by loads and stores that name it (ASI 0x11, the secondary context as a user), and by
 * no other. Each instruction that may fault has an exception-table entry: where it is, where to go on, and whether the
 * handler also puts -EFAULT into %g1. The CPU takes no unaligned access, so those go by bytes.
 */
#pragma once

#define EX_JUMP 0		/* go on at the fix-up */
#define EX_EFAULT 1		/* the same with %g1 = -EFAULT */

#define EXTABLE(from, to, type)					\
	".pushsection .extable, \"a\"\n"			\
	".balign 4\n"						\
	".long " #from " - ., " #to " - ., " __stringify(type) "\n"	\
	".popsection\n"

#define __GET_USER(size, type, ld, st)							\
static inline __must_check int arch_get_user_##size(type *val, struct uptr p)		\
{											\
	register long err __asm__("g1") = 0;						\
	type v = 0;									\
											\
	if (unlikely(p.addr & (size - 1)))						\
		return arch_copy_from_user(val, p, size) ? -14 : 0;			\
	if (!access_ok(p, size))							\
		return -14;								\
	__asm__ volatile("1: " ld " [%2] 0x11, %1\n2:\n" EXTABLE(1b, 2b, EX_EFAULT)	\
			 : "+r"(err), "+r"(v) : "r"(p.addr) : "memory");		\
	*val = v;									\
	return (int)err;								\
}											\
static inline __must_check int arch_put_user_##size(type v, struct uptr p)		\
{											\
	register long err __asm__("g1") = 0;						\
											\
	if (unlikely(p.addr & (size - 1)))						\
		return arch_copy_to_user(p, &v, size) ? -14 : 0;			\
	if (!access_ok(p, size))							\
		return -14;								\
	__asm__ volatile("1: " st " %1, [%2] 0x11\n2:\n" EXTABLE(1b, 2b, EX_EFAULT)	\
			 : "+r"(err) : "r"(v), "r"(p.addr) : "memory");			\
	return (int)err;								\
}
static inline void arch_user_access_begin(void) { }
static inline void arch_user_access_end(void) { }
#define arch_unsafe_put_user_2(v, p, label)						\
	__asm__ goto("1: stha %0, [%1] 0x11\n" EXTABLE(1b, %l2, EX_JUMP) : : "r"(v), "r"((p).addr) : "memory" : label)

__GET_USER(1, u8, "lduba", "stba")
__GET_USER(2, u16, "lduha", "stha")
__GET_USER(4, u32, "lduwa", "stwa")
__GET_USER(8, u64, "ldxa", "stxa")
#undef __GET_USER
