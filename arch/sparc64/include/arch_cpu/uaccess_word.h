/* SPDX-License-Identifier: MIT */
#pragma once

/* ASI 0x19 is 0x11 with the bytes the other way round. */
static __always_inline int user_load_word(unsigned long addr, u64 *out)
{
	register long err __asm__("g1") = 0;
	u64 v = 0;

	__asm__ volatile("1: ldxa [%2] 0x19, %1\n2:\n" EXTABLE(1b, 2b, EX_EFAULT) : "+r"(err), "+r"(v) : "r"(addr) : "memory");
	*out = v;
	return (int)err;
}
