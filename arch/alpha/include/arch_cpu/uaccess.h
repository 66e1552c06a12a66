/* SPDX-License-Identifier: MIT */
/*
 * User memory is reached by ordinary loads and stores: this CPU has no way to keep the kernel from it at other times. Each
 * instruction that may fault has an exception-table entry: where it is, where to go on, and whether the handler also puts
 * -EFAULT into $0. What is not aligned goes by bytes.
 */
#pragma once

#define EX_JUMP 0		/* go on at the fix-up */
#define EX_EFAULT 1		/* the same with $0 = -EFAULT */

#define EXTABLE(from, to, type)					\
	".pushsection .extable, \"a\"\n"			\
	".balign 4\n"						\
	".long " #from " - ., " #to " - ., " __stringify(type) "\n"	\
	".popsection\n"

#define __GET_USER(size, type, ld, st)							\
static inline __must_check int arch_get_user_##size(type *val, struct uptr p)		\
{											\
	register long err __asm__("$0") = 0;						\
	type v = 0;									\
											\
	if (!access_ok(p, size))							\
		return -14;								\
	if (size > 1 && unlikely(p.addr & (size - 1)))					\
		return arch_copy_from_user(val, p, size) ? -14 : 0;			\
	__asm__ volatile("1: " ld " %1, 0(%2)\n2:\n" EXTABLE(1b, 2b, EX_EFAULT)		\
			 : "+r"(err), "+r"(v) : "r"(p.addr) : "memory");		\
	*val = v;									\
	return (int)err;								\
}											\
static inline __must_check int arch_put_user_##size(type v, struct uptr p)		\
{											\
	register long err __asm__("$0") = 0;						\
											\
	if (!access_ok(p, size))							\
		return -14;								\
	if (size > 1 && unlikely(p.addr & (size - 1)))					\
		return arch_copy_to_user(p, &v, size) ? -14 : 0;			\
	__asm__ volatile("1: " st " %1, 0(%2)\n2:\n" EXTABLE(1b, 2b, EX_EFAULT)		\
			 : "+r"(err) : "r"(v), "r"(p.addr) : "memory");			\
	return (int)err;								\
}
static inline void arch_user_access_begin(void) { }
static inline void arch_user_access_end(void) { }
/* The caller's addresses are aligned. */
#define arch_unsafe_put_user_2(v, p, label)						\
	__asm__ goto("1: stw %0, 0(%1)\n" EXTABLE(1b, %l2, EX_JUMP) : : "r"(v), "r"((p).addr) : "memory" : label)

__GET_USER(1, u8, "ldbu", "stb")
__GET_USER(2, u16, "ldwu", "stw")
__GET_USER(4, u32, "ldl", "stl")
__GET_USER(8, u64, "ldq", "stq")
#undef __GET_USER
