/* SPDX-License-Identifier: MIT */
/*
 * One instruction that depends on the CPU: the usual one stands in the text, the table has the other and the feature that swaps it in
 * (arch_apply_alternatives, once at boot). The usual one of an atomic operation is a branch to a pair of exclusives behind the function.
 */
#pragma once

#define ALT_LSE 0		/* ID_AA64ISAR0_EL1.Atomic >= 2 */
#define ALT_MOPS 1		/* ID_AA64ISAR2_EL1.MOPS >= 1: the usual one branches around three of its instructions, a no-op does not */
#define NR_ALTS 2

#ifndef __ASSEMBLY__
#include <lib/types.h>

struct alt_entry {
	s32 site;		/* relative to this field */
	u32 feature;
	u32 code;		/* if the CPU has it */
};
extern const struct alt_entry __start_alternatives[], __stop_alternatives[];

/* At label 1 stands the usual instruction; CODE is assembled for the table. */
#define ALTERNATIVE(feature, code)			\
	".pushsection .alternatives, \"a\"\n"		\
	".balign 4\n"					\
	".long 1b - ., " __stringify(feature) "\n"	\
	code "\n"					\
	".popsection\n"
#endif
