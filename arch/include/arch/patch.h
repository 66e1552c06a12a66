/* SPDX-License-Identifier: MIT */
/*
 * Code that changes at run time. Kernel text is never writable at its own address: patches go through a
 * short-lived alias, with the other CPUs held off the bytes.
 *
 * A branch site compiles to one no-op or jump: `bool arch_static_branch(key, branch)` in <arch_cpu/patch.h>.
 * Each site leaves a struct jump_entry; <kernel/static_key.h> groups them by key.
 */
#pragma once

#include <lib/types.h>

struct jump_entry {
	s32 code;		/* relative to this field */
	s32 target;		/* relative to this field */
	s64 key;		/* relative to this field; bit 0: the site's straight path is the true one */
};

/* That of the site at label 1 of an asm goto: operand 0 is the key, 1 the branch; it jumps to the label yes. */
#define ARCH_JUMP_ENTRY				\
	".pushsection .jump_table, \"aw\"\n"	\
	".balign 8\n"				\
	".long 1b - ., %l[yes] - .\n"		\
	".quad %c0 + %c1 - .\n"			\
	".popsection"

extern struct jump_entry __start_jump_table[], __stop_jump_table[];

static inline unsigned long jump_entry_code(const struct jump_entry *e)
{
	return (unsigned long)&e->code + (long)e->code;
}

static inline unsigned long jump_entry_target(const struct jump_entry *e)
{
	return (unsigned long)&e->target + (long)e->target;
}

static inline void *jump_entry_key(const struct jump_entry *e)
{
	return (void *)(((unsigned long)&e->key + (unsigned long)e->key) & ~1UL);
}

static inline bool jump_entry_branch(const struct jump_entry *e)
{
	return ((unsigned long)&e->key + (unsigned long)e->key) & 1;
}

#include <arch_cpu/patch.h>

/* Makes the site jump to its target, or fall through. May sleep once SMP is up. */
void arch_jump_patch(const struct jump_entry *e, bool jump);
/* Writes LEN bytes of code at ADDR; instructions there may be running on other CPUs. */
void arch_text_poke(void *addr, const void *code, size_t len);
/* The kernel wrote N bytes at P, its own address of memory that a program executes (a debugger's breakpoint): fetches see them. */
void arch_code_written(const void *p, size_t n);
/* Applies the alternatives of the whole image for this machine's features. Once, before other CPUs start. */
void arch_apply_alternatives(void);
