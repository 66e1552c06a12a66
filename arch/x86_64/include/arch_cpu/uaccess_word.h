/* SPDX-License-Identifier: MIT */
#pragma once

static __always_inline int user_load_word(unsigned long addr, u64 *out)
{
	int err = 0;
	u64 v = 0;

	__asm__ volatile("1: movq (%2), %1\n2:\n" EXTABLE(1b, 2b, EX_EFAULT) : "+a"(err), "+r"(v) : "r"(addr) : "memory");
	*out = v;
	return err;
}
