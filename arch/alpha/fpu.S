/* SPDX-License-Identifier: MIT */
/* The floating-point registers to and from struct arch_fpu: $f0..$f30, then the control register. */
	.set noat
	.set noreorder
	.set nomacro
	.arch ev67

.macro MOVE_ALL op
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	\op	$f\n, \n * 8($16)
	.endr
.endm

	.text
	.globl	alpha_save_fp, alpha_load_fp
	.align	5
alpha_save_fp:
	trapb
	MOVE_ALL stt
	mf_fpcr	$f0
	stt	$f0, 31 * 8($16)
	ldt	$f0, 0($16)
	ret	$31, ($26), 1
	.align	5
alpha_load_fp:
	ldt	$f0, 31 * 8($16)
	mt_fpcr	$f0
	MOVE_ALL ldt
	ret	$31, ($26), 1

	.section .note.GNU-stack, "", @progbits
