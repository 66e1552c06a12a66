/* SPDX-License-Identifier: MIT */
#pragma once

static __always_inline int user_load_word(unsigned long addr, u64 *out)
{
	register long err __asm__("$0") = 0;
	u64 v = 0;

	__asm__ volatile("1: ldq %1, 0(%2)\n2:\n" EXTABLE(1b, 2b, EX_EFAULT) : "+r"(err), "+r"(v) : "r"(addr) : "memory");
	*out = v;
	return (int)err;
}
