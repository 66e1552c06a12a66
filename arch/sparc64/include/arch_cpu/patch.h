/* SPDX-License-Identifier: MIT */
#pragma once

#define ARCH_JUMP_SIZE 4		/* the instruction in its delay slot stays a no-op */

/* True or false as the key stands; KEY is the address of a global object, BRANCH a constant (the unlikely side). */
static __always_inline bool arch_static_branch(const void *const key, const bool branch)
{
	__asm__ goto("1: nop\n\tnop\n"
		     ARCH_JUMP_ENTRY
		     : : "i"(key), "i"(branch) : : yes);
	return false;
yes:
	return true;
}

/* The same with the site compiled as a jump, for keys that are true in the usual case. */
static __always_inline bool arch_static_branch_jump(const void *const key, const bool branch)
{
	__asm__ goto("1: b %l[yes]\n\tnop\n"
		     ARCH_JUMP_ENTRY
		     : : "i"(key), "i"(branch) : : yes);
	return false;
yes:
	return true;
}
