/* SPDX-License-Identifier: MIT */
/*
 * Copies to and from user memory: by the CPU's own instructions where it has them (FEAT_MOPS; the branch at 10 becomes a no-op), else 32 bytes at a time, words, then what is left in pieces. A fault goes on by smaller pieces from where
 * the larger one began, in the end by bytes, so that all that can be copied is; a fault in a byte ends it. Normal memory takes unaligned accesses.
 * size_t fn(dst, src, n): bytes not copied. n > 0 and the range were checked by the caller.
 */
#include <arch_cpu/alternative.h>
#include <arch_cpu/page.h>

	.arch_extension mops

.macro EX from, to
	.pushsection .extable, "a"
	.balign 4
	.long \from - ., \to - ., 0
	.popsection
.endm

.macro WITHOUT_MOPS to
10:	b \to
	.pushsection .alternatives, "a"
	.balign 4
	.long 10b - ., ALT_MOPS
	nop
	.popsection
.endm

/* U: which side is the user's, as the instructions' names say it. */
.macro COPY name, u, ld, ldh, ldb, st, sth, stb
	.globl \name
\name:
	WITHOUT_MOPS 10f
80:	cpyfp\u [x0]!, [x1]!, x2!
81:	cpyfm\u [x0]!, [x1]!, x2!
82:	cpyfe\u [x0]!, [x1]!, x2!
	mov x0, x2
	ret
	/* A fault. A count below zero is what is missing up to the end, which both addresses are (option A of the architecture). */
83:	tbz x2, #63, 9f
	add x0, x0, x2
	add x1, x1, x2
	neg x2, x2
	b 9f
10:
	cmp x2, #32
	b.lo 2f
1:	\ld x3, [x1]
11:	\ld x4, [x1, #8]
12:	\ld x5, [x1, #16]
13:	\ld x6, [x1, #24]
14:	\st x3, [x0]
15:	\st x4, [x0, #8]
16:	\st x5, [x0, #16]
17:	\st x6, [x0, #24]
	add x1, x1, #32
	add x0, x0, #32
	sub x2, x2, #32
	cmp x2, #32
	b.hs 1b
2:	cmp x2, #8
	b.lo 4f
3:	\ld x3, [x1]
31:	\st x3, [x0]
	add x1, x1, #8
	add x0, x0, #8
	sub x2, x2, #8
	b 2b
	/* What is left goes in one piece of four, of two, of one: nobody sees half of an aligned word. */
4:	tbz x2, #2, 5f
41:	\ld w3, [x1]
42:	\st w3, [x0]
	add x1, x1, #4
	add x0, x0, #4
	sub x2, x2, #4
5:	tbz x2, #1, 6f
51:	\ldh w3, [x1]
52:	\sth w3, [x0]
	add x1, x1, #2
	add x0, x0, #2
	sub x2, x2, #2
6:	cbz x2, 7f
61:	\ldb w3, [x1]
62:	\stb w3, [x0]
	mov x2, #0
7:	mov x0, x2
	ret
9:	cbz x2, 7b
91:	\ldb w3, [x1]
92:	\stb w3, [x0]
	add x1, x1, #1
	add x0, x0, #1
	sub x2, x2, #1
	b 9b
	EX 80b, 83b
	EX 81b, 83b
	EX 82b, 83b
	EX 91b, 7b
	EX 92b, 7b
	EX 1b, 2b
	EX 11b, 2b
	EX 12b, 2b
	EX 13b, 2b
	EX 14b, 2b
	EX 15b, 2b
	EX 16b, 2b
	EX 17b, 2b
	EX 3b, 9b
	EX 31b, 9b
	EX 41b, 9b
	EX 42b, 9b
	EX 51b, 9b
	EX 52b, 9b
	EX 61b, 7b
	EX 62b, 7b
.endm

	.text
	COPY __copy_from_user, rt, ldtr, ldtrh, ldtrb, str, strh, strb
	COPY __copy_to_user, wt, ldr, ldrh, ldrb, sttr, sttrh, sttrb
	COPY __copy_kernel_nofault, , ldr, ldrh, ldrb, str, strh, strb

	/* size_t __clear_user(unsigned long dst, size_t n) */
	.globl __clear_user
__clear_user:
	WITHOUT_MOPS 10f
80:	setpt [x0]!, x1!, xzr
81:	setmt [x0]!, x1!, xzr
82:	setet [x0]!, x1!, xzr
	mov x0, x1
	ret
83:	tbz x1, #63, 4f
	add x0, x0, x1
	neg x1, x1
	b 4f
10:
	cmp x1, #32
	b.lo 2f
1:	sttr xzr, [x0]
11:	sttr xzr, [x0, #8]
12:	sttr xzr, [x0, #16]
13:	sttr xzr, [x0, #24]
	add x0, x0, #32
	sub x1, x1, #32
	cmp x1, #32
	b.hs 1b
2:	cmp x1, #8
	b.lo 4f
3:	sttr xzr, [x0]
	add x0, x0, #8
	sub x1, x1, #8
	b 2b
4:	cbz x1, 6f
5:	sttrb wzr, [x0]
	add x0, x0, #1
	sub x1, x1, #1
	b 4b
6:	mov x0, x1
	ret
	EX 80b, 83b
	EX 81b, 83b
	EX 82b, 83b
	EX 1b, 2b
	EX 11b, 2b
	EX 12b, 2b
	EX 13b, 2b
	EX 3b, 4b
	EX 5b, 6b

	/* void a64_fpu_save(void *regs), a64_fpu_load(const void *regs): struct user_fpsimd_state */
	.arch_extension fp
	.arch_extension simd
	.globl a64_fpu_save, a64_fpu_load
a64_fpu_save:
	stp q0, q1, [x0, #0]
	stp q2, q3, [x0, #32]
	stp q4, q5, [x0, #64]
	stp q6, q7, [x0, #96]
	stp q8, q9, [x0, #128]
	stp q10, q11, [x0, #160]
	stp q12, q13, [x0, #192]
	stp q14, q15, [x0, #224]
	stp q16, q17, [x0, #256]
	stp q18, q19, [x0, #288]
	stp q20, q21, [x0, #320]
	stp q22, q23, [x0, #352]
	stp q24, q25, [x0, #384]
	stp q26, q27, [x0, #416]
	stp q28, q29, [x0, #448]
	stp q30, q31, [x0, #480]
	mrs x1, fpsr
	mrs x2, fpcr
	str w1, [x0, #512]
	str w2, [x0, #516]
	ret
a64_fpu_load:
	ldp q0, q1, [x0, #0]
	ldp q2, q3, [x0, #32]
	ldp q4, q5, [x0, #64]
	ldp q6, q7, [x0, #96]
	ldp q8, q9, [x0, #128]
	ldp q10, q11, [x0, #160]
	ldp q12, q13, [x0, #192]
	ldp q14, q15, [x0, #224]
	ldp q16, q17, [x0, #256]
	ldp q18, q19, [x0, #288]
	ldp q20, q21, [x0, #320]
	ldp q22, q23, [x0, #352]
	ldp q24, q25, [x0, #384]
	ldp q26, q27, [x0, #416]
	ldp q28, q29, [x0, #448]
	ldp q30, q31, [x0, #480]
	ldr w1, [x0, #512]
	ldr w2, [x0, #516]
	msr fpsr, x1
	msr fpcr, x2
	ret

	/* void arch_clear_page(void *page), void arch_copy_page(void *dst, const void *src) */
	.globl arch_clear_page, arch_copy_page
arch_clear_page:
	add x1, x0, #PAGE_SIZE
1:	stp xzr, xzr, [x0]
	stp xzr, xzr, [x0, #16]
	stp xzr, xzr, [x0, #32]
	stp xzr, xzr, [x0, #48]
	add x0, x0, #64
	cmp x0, x1
	b.lo 1b
	ret
arch_copy_page:
	add x2, x1, #PAGE_SIZE
1:	ldp x3, x4, [x1]
	ldp x5, x6, [x1, #16]
	stp x3, x4, [x0]
	stp x5, x6, [x0, #16]
	add x1, x1, #32
	add x0, x0, #32
	cmp x1, x2
	b.lo 1b
	ret

	.section .note.GNU-stack, "", @progbits
