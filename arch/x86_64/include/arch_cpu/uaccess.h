/* SPDX-License-Identifier: MIT */
/*
 * Each instruction that may fault on a user address has an exception-table entry: where it is, where to go on, and
 * whether the handler also puts -EFAULT into eax. STAC and CLAC are no-ops until the CPU is known to have SMAP.
 */
#pragma once

#include <arch_cpu/alternative.h>

#define EX_JUMP 0		/* go on at the fix-up */
#define EX_EFAULT 1		/* the same with eax = -EFAULT */

#define EXTABLE(from, to, type)					\
	".pushsection .extable, \"a\"\n"			\
	".balign 4\n"						\
	".long " #from " - ., " #to " - ., " __stringify(type) "\n"	\
	".popsection\n"

#define UACCESS_BEGIN ALTERNATIVE("", "stac", X86_FEATURE_SMAP)
#define UACCESS_END ALTERNATIVE("", "clac", X86_FEATURE_SMAP)

#define __GET_USER(size, type, insn, reg)						\
static inline __must_check int arch_get_user_##size(type *val, struct uptr p)		\
{											\
	int err = 0;									\
	type v = 0;									\
											\
	if (!access_ok(p, size))							\
		return -14;								\
	__asm__ volatile(UACCESS_BEGIN "1: " insn " (%2), %1\n2:\n" UACCESS_END		\
			 EXTABLE(1b, 2b, EX_EFAULT)					\
			 : "+a"(err), "+" reg(v) : "r"(p.addr) : "memory");		\
	*val = v;									\
	return err;									\
}											\
static inline __must_check int arch_put_user_##size(type v, struct uptr p)		\
{											\
	int err = 0;									\
											\
	if (!access_ok(p, size))							\
		return -14;								\
	__asm__ volatile(UACCESS_BEGIN "1: " insn " %1, (%2)\n2:\n" UACCESS_END		\
			 EXTABLE(1b, 2b, EX_EFAULT)					\
			 : "+a"(err) : reg(v), "r"(p.addr) : "memory");			\
	return err;									\
}
static inline void arch_user_access_begin(void) { __asm__ volatile(UACCESS_BEGIN : : : "memory"); }
static inline void arch_user_access_end(void) { __asm__ volatile(UACCESS_END : : : "memory"); }
#define arch_unsafe_put_user_2(v, p, label)						\
	__asm__ goto("1: movw %0, (%1)\n" EXTABLE(1b, %l2, EX_JUMP) : : "r"(v), "r"((p).addr) : "memory" : label)

__GET_USER(1, u8, "movb", "q")
__GET_USER(2, u16, "movw", "r")
__GET_USER(4, u32, "movl", "r")
__GET_USER(8, u64, "movq", "r")
#undef __GET_USER
