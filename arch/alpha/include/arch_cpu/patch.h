/* SPDX-License-Identifier: MIT */
#pragma once

#define ARCH_JUMP_SIZE 4

/* As ARCH_JUMP_ENTRY: gcc's alpha has no %c for addresses, and needs none. */
#define ALPHA_JUMP_ENTRY			\
	".pushsection .jump_table, \"aw\"\n"	\
	".balign 8\n"				\
	".long 1b - ., %l[yes] - .\n"		\
	".quad %0 + %1 - .\n"			\
	".popsection"

/* True or false as the key stands; KEY is the address of a global object, BRANCH a constant (the unlikely side). */
static __always_inline bool arch_static_branch(const void *const key, const bool branch)
{
	__asm__ goto("1: bis $31, $31, $31\n"
		     ALPHA_JUMP_ENTRY
		     : : "i"(key), "i"(branch) : : yes);
	return false;
yes:
	return true;
}

/* The same with the site compiled as a jump, for keys that are true in the usual case. */
static __always_inline bool arch_static_branch_jump(const void *const key, const bool branch)
{
	__asm__ goto("1: br $31, %l[yes]\n"
		     ALPHA_JUMP_ENTRY
		     : : "i"(key), "i"(branch) : : yes);
	return false;
yes:
	return true;
}
