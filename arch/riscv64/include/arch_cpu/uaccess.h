/* SPDX-License-Identifier: MIT */
/*
 * User memory is reached by ordinary loads and stores while sstatus.SUM is set, for those instructions alone. Each instruction that
 * may fault has an exception-table entry: where it is, where to go on, and whether the handler also puts -EFAULT into a0.
 */
#pragma once

#define EX_JUMP 0		/* go on at the fix-up */
#define EX_EFAULT 1		/* the same with a0 = -EFAULT */

#define EXTABLE(from, to, type)					\
	".pushsection .extable, \"a\"\n"			\
	".balign 4\n"						\
	".long " #from " - ., " #to " - ., " __stringify(type) "\n"	\
	".popsection\n"

#define RV_SUM (1UL << 18)
static __always_inline void arch_user_access_begin(void) { __asm__ volatile("csrs sstatus, %0" : : "r"(RV_SUM) : "memory"); }
static __always_inline void arch_user_access_end(void) { __asm__ volatile("csrc sstatus, %0" : : "r"(RV_SUM) : "memory"); }

#define __GET_USER(size, type, ld, st)							\
static inline __must_check int arch_get_user_##size(type *val, struct uptr p)		\
{											\
	register long err __asm__("a0") = 0;						\
	type v = 0;									\
											\
	if (!access_ok(p, size))							\
		return -14;								\
	arch_user_access_begin();							\
	__asm__ volatile("1: " ld " %1, 0(%2)\n2:\n" EXTABLE(1b, 2b, EX_EFAULT)		\
			 : "+r"(err), "+r"(v) : "r"(p.addr) : "memory");		\
	arch_user_access_end();								\
	*val = v;									\
	return (int)err;								\
}											\
static inline __must_check int arch_put_user_##size(type v, struct uptr p)		\
{											\
	register long err __asm__("a0") = 0;						\
											\
	if (!access_ok(p, size))							\
		return -14;								\
	arch_user_access_begin();							\
	__asm__ volatile("1: " st " %z1, 0(%2)\n2:\n" EXTABLE(1b, 2b, EX_EFAULT)	\
			 : "+r"(err) : "rJ"(v), "r"(p.addr) : "memory");		\
	arch_user_access_end();								\
	return (int)err;								\
}
#define arch_unsafe_put_user_2(v, p, label)						\
	__asm__ goto("1: sh %0, 0(%1)\n" EXTABLE(1b, %l2, EX_JUMP) : : "r"(v), "r"((p).addr) : "memory" : label)

__GET_USER(1, u8, "lbu", "sb")
__GET_USER(2, u16, "lhu", "sh")
__GET_USER(4, u32, "lwu", "sw")
__GET_USER(8, u64, "ld", "sd")
#undef __GET_USER
