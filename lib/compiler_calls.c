// SPDX-License-Identifier: MIT
/*
 * What compilers call for operations that the CPU they build for may lack. gcc counts bits so where clang writes the
 * steps out; Rust divides 128-bit numbers so.
 */
#include <lib/types.h>

int __popcountdi2(unsigned long v);
int __popcountdi2(unsigned long v)
{
	v -= v >> 1 & 0x5555555555555555UL;
	v = (v & 0x3333333333333333UL) + (v >> 2 & 0x3333333333333333UL);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
	return (int)(v * 0x0101010101010101UL >> 56);
}
