/* SPDX-License-Identifier: MIT */
/*
 * memcpy and memset: by the CPU's own instructions where it has them (FEAT_MOPS; the branch at 1 becomes a no-op), else 64 bytes at a time. What a CPU
 * began another goes on with (again_from_its_first).
 */
#include <arch_cpu/alternative.h>

	.arch_extension mops
	.text

.macro WITHOUT_MOPS to
1:	b \to
	.pushsection .alternatives, "a"
	.balign 4
	.long 1b - ., ALT_MOPS
	nop
	.popsection
.endm

	/* void *memcpy(void *d, const void *s, size_t n): forwards */
	.globl memcpy
memcpy:
	mov x3, x0
	WITHOUT_MOPS 2f
	cpyfp [x3]!, [x1]!, x2!
	cpyfm [x3]!, [x1]!, x2!
	cpyfe [x3]!, [x1]!, x2!
	ret
2:	cmp x2, #64
	b.lo 4f
3:	ldp x4, x5, [x1], #16
	ldp x6, x7, [x1], #16
	ldp x8, x9, [x1], #16
	ldp x10, x11, [x1], #16
	sub x2, x2, #64
	stp x4, x5, [x3], #16
	stp x6, x7, [x3], #16
	stp x8, x9, [x3], #16
	stp x10, x11, [x3], #16
	cmp x2, #64
	b.hs 3b
4:	tbz x2, #5, 5f
	ldp x4, x5, [x1], #16
	ldp x6, x7, [x1], #16
	stp x4, x5, [x3], #16
	stp x6, x7, [x3], #16
5:	tbz x2, #4, 6f
	ldp x4, x5, [x1], #16
	stp x4, x5, [x3], #16
6:	tbz x2, #3, 7f
	ldr x4, [x1], #8
	str x4, [x3], #8
7:	tbz x2, #2, 8f
	ldr w4, [x1], #4
	str w4, [x3], #4
8:	tbz x2, #1, 9f
	ldrh w4, [x1], #2
	strh w4, [x3], #2
9:	tbz x2, #0, 10f
	ldrb w4, [x1]
	strb w4, [x3]
10:	ret

	/* void *memset(void *d, int c, size_t n) */
	.globl memset
memset:
	mov x3, x0
	WITHOUT_MOPS 2f
	setp [x3]!, x2!, x1
	setm [x3]!, x2!, x1
	sete [x3]!, x2!, x1
	ret
2:	and x1, x1, #0xff
	orr x1, x1, x1, lsl #8
	orr x1, x1, x1, lsl #16
	orr x1, x1, x1, lsl #32
	cmp x2, #64
	b.lo 4f
3:	stp x1, x1, [x3], #16
	stp x1, x1, [x3], #16
	stp x1, x1, [x3], #16
	stp x1, x1, [x3], #16
	sub x2, x2, #64
	cmp x2, #64
	b.hs 3b
4:	tbz x2, #5, 5f
	stp x1, x1, [x3], #16
	stp x1, x1, [x3], #16
5:	tbz x2, #4, 6f
	stp x1, x1, [x3], #16
6:	tbz x2, #3, 7f
	str x1, [x3], #8
7:	tbz x2, #2, 8f
	str w1, [x3], #4
8:	tbz x2, #1, 9f
	strh w1, [x3], #2
9:	tbz x2, #0, 10f
	strb w1, [x3]
10:	ret
