/* SPDX-License-Identifier: MIT */
/*
 * Copies and clears by registers of 256 bits, in blocks of 256 bytes. Whoever calls sees to it that the CPU is not switched to another task meanwhile.
 * Which units are on, and the registers used here, are as before when it comes back, whoever's they are. A fault on user memory ends it.
 */
#include "arch/loongarch64/asm_priv.h"

#define SAVED 272			/* eight registers, the units that were on */

.macro USER to, insn:vararg
771:	\insn
	.pushsection .extable, "a"
	.balign 4
	.long 771b - ., \to - ., 0
	.popsection
.endm

.macro UNITS_ON
	addi.d	$sp, $sp, -SAVED
	csrrd	$t0, CSR_EUEN
	ori	$t1, $t0, 7
	csrwr	$t1, CSR_EUEN
	st.d	$t0, $sp, 256
.endm

.macro UNITS_BACK
	ld.d	$t0, $sp, 256
	csrwr	$t0, CSR_EUEN
	addi.d	$sp, $sp, SAVED
.endm

	.text
	/* size_t la64_copy_blocks(void *dst, const void *src, size_t blocks): how many blocks are left */
	.globl la64_copy_blocks
la64_copy_blocks:
	UNITS_ON
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	xvst	$xr\n, $sp, \n * 32
	.endr
1:	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	USER	2f, xvld $xr\n, $a1, \n * 32
	.endr
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	USER	2f, xvst $xr\n, $a0, \n * 32
	.endr
	addi.d	$a1, $a1, 256
	addi.d	$a0, $a0, 256
	addi.d	$a2, $a2, -1
	bnez	$a2, 1b
2:	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	xvld	$xr\n, $sp, \n * 32
	.endr
	UNITS_BACK
	move	$a0, $a2
	ret

	/* size_t la64_clear_blocks(void *dst, size_t blocks): how many blocks are left */
	.globl la64_clear_blocks
la64_clear_blocks:
	UNITS_ON
	xvst	$xr0, $sp, 0
	xvxor.v	$xr0, $xr0, $xr0
1:	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	USER	2f, xvst $xr0, $a0, \n * 32
	.endr
	addi.d	$a0, $a0, 256
	addi.d	$a1, $a1, -1
	bnez	$a1, 1b
2:	xvld	$xr0, $sp, 0
	UNITS_BACK
	move	$a0, $a1
	ret

	.section .note.GNU-stack, "", @progbits
