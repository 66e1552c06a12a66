/* SPDX-License-Identifier: MIT */
/*
 * Code that depends on the CPU: the usual instructions stand in the text, padded with no-ops to the length of the other
 * choice, and the table says which feature swaps it in (arch_apply_alternatives, once at boot). Operands relative to the instruction pointer
 * are moved with the copy; the build refuses what cannot be (tools/mkalts.py).
 */
#pragma once

#include <arch_cpu/features.h>

#ifdef __ASSEMBLY__
.macro ALTERNATIVE old, new, feature
771:
	\old
772:
	.skip -(((775f - 774f) - (772b - 771b)) > 0) * ((775f - 774f) - (772b - 771b)), 0x90
773:
	.pushsection .alternatives, "a"
	.balign 4
	.long 771b - ., 774f - .
	.short \feature
	.byte 773b - 771b, 775f - 774f
	.popsection
	.pushsection .alt_text, "ax"
774:
	\new
775:
	.popsection
.endm
#else
#define ALTERNATIVE(old, new, feature)							\
	"771:\n" old "\n772:\n"								\
	".skip -(((775f - 774f) - (772b - 771b)) > 0) * ((775f - 774f) - (772b - 771b)), 0x90\n"	\
	"773:\n"									\
	".pushsection .alternatives, \"a\"\n"						\
	".balign 4\n"									\
	".long 771b - ., 774f - .\n"							\
	".short " __stringify(feature) "\n"						\
	".byte 773b - 771b, 775f - 774f\n"						\
	".popsection\n"									\
	".pushsection .alt_text, \"ax\"\n"						\
	"774:\n" new "\n775:\n"								\
	".popsection\n"
#endif
