/* SPDX-License-Identifier: MIT */
/* Sites are four bytes that lie in one aligned word, so that other CPUs see one instruction or the other. */
#pragma once

#define ARCH_JUMP_SIZE 4

#define __JUMP_SITE(insn)			\
	".balign 4\n"				\
	".option push\n"			\
	".option norelax\n"			\
	".option norvc\n"			\
	"1: " insn "\n"				\
	".option pop\n"				\
	ARCH_JUMP_ENTRY

/* True or false as the key stands; KEY is the address of a global object, BRANCH a constant (the unlikely side). */
static __always_inline bool arch_static_branch(const void *const key, const bool branch)
{
	__asm__ goto(__JUMP_SITE("nop") : : "i"(key), "i"(branch) : : yes);
	return false;
yes:
	return true;
}

/* The same with the site compiled as a jump, for keys that are true in the usual case. */
static __always_inline bool arch_static_branch_jump(const void *const key, const bool branch)
{
	__asm__ goto(__JUMP_SITE("j %l[yes]") : : "i"(key), "i"(branch) : : yes);
	return false;
yes:
	return true;
}
