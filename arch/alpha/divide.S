/* SPDX-License-Identifier: MIT */
/*
 * This CPU does not divide; the compiler calls these: $27 = $24 by $25, back to $23, and nothing but $28 may change besides. By
 * shifting and subtracting, from the first bit that the quotient can have.
 */
	.set noat
	.set noreorder
	.set nomacro
	.arch ev67

#define GEN_INTDIV -2

	/* $0 = $24 / $25, $1 = $24 % $25, both unsigned; $2, $3, $28 are lost. */
	.text
	.align	5
divide:
	bis	$31, $24, $1
	bis	$31, $31, $0
	cmpule	$25, $1, $28
	beq	$28, 3f
	ctlz	$25, $2
	ctlz	$1, $3
	subq	$2, $3, $2
	sll	$25, $2, $3		/* the divisor, moved up */
	lda	$28, 1($31)
	sll	$28, $2, $2		/* the quotient's bit */
1:	cmpule	$3, $1, $28
	beq	$28, 2f
	subq	$1, $3, $1
	bis	$0, $2, $0
2:	srl	$2, 1, $2
	srl	$3, 1, $3
	bne	$2, 1b
3:	ret	$31, ($27), 1

.macro DIVIDE name, signed, long, want
	.globl	\name
	.align	5
\name:
	lda	$30, -64($30)
	stq	$0, 0($30)
	stq	$1, 8($30)
	stq	$2, 16($30)
	stq	$3, 24($30)
	stq	$24, 32($30)
	stq	$25, 40($30)
	.if \long
	.if \signed
	addl	$24, $31, $24
	addl	$25, $31, $25
	.else
	zapnot	$24, 15, $24
	zapnot	$25, 15, $25
	.endif
	.endif
	beq	$25, 9f
	.if \signed
	.if \want
	bis	$31, $24, $28		/* a remainder has the dividend's sign */
	.else
	xor	$24, $25, $28
	.endif
	stq	$28, 48($30)
	subq	$31, $24, $28
	cmovlt	$24, $28, $24
	subq	$31, $25, $28
	cmovlt	$25, $28, $25
	.endif
	bsr	$27, divide
	.if \want
	bis	$31, $1, $27
	.else
	bis	$31, $0, $27
	.endif
	.if \signed
	ldq	$28, 48($30)
	subq	$31, $27, $0
	cmovlt	$28, $0, $27
	.endif
	.if \long
	addl	$27, $31, $27
	.endif
8:	ldq	$0, 0($30)
	ldq	$1, 8($30)
	ldq	$2, 16($30)
	ldq	$3, 24($30)
	ldq	$24, 32($30)
	ldq	$25, 40($30)
	lda	$30, 64($30)
	ret	$31, ($23), 1
9:	stq	$16, 56($30)
	lda	$16, GEN_INTDIV($31)
	call_pal 0xaa
	ldq	$16, 56($30)
	bis	$31, $31, $27
	br	$31, 8b
.endm

	DIVIDE	__divqu, 0, 0, 0
	DIVIDE	__divq, 1, 0, 0
	DIVIDE	__divlu, 0, 1, 0
	DIVIDE	__divl, 1, 1, 0
	DIVIDE	__remqu, 0, 0, 1
	DIVIDE	__remq, 1, 0, 1
	DIVIDE	__remlu, 0, 1, 1
	DIVIDE	__reml, 1, 1, 1

	.section .note.GNU-stack, "", @progbits
