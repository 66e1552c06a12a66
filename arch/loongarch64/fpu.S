/* SPDX-License-Identifier: MIT */
/*
 * The floating-point registers and those that widen them, to and from struct arch_fpu: 32 places of 32 bytes, the eight condition flags,
 * the control and status word. One pair of functions for each width; the unit of that width is on.
 */

	.text
.macro FLAGS_OUT
	movcf2gr $t0, $fcc0
	.irp n, 1, 2, 3, 4, 5, 6, 7
	movcf2gr $t1, $fcc\n
	bstrins.d $t0, $t1, \n * 8 + 7, \n * 8
	.endr
	movfcsr2gr $t1, $fcsr0
	st.d	$t0, $a0, 1024
	st.w	$t1, $a0, 1032
.endm

.macro FLAGS_IN
	ld.d	$t0, $a0, 1024
	ld.w	$t1, $a0, 1032
	movgr2cf $fcc0, $t0
	.irp n, 1, 2, 3, 4, 5, 6, 7
	bstrpick.d $t2, $t0, \n * 8, \n * 8
	movgr2cf $fcc\n, $t2
	.endr
	movgr2fcsr $fcsr0, $t1
.endm

.macro MOVE_ALL op, reg
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	$\reg\()\n, $a0, \n * 32
	.endr
.endm

	.globl la64_save_fp, la64_save_lsx, la64_save_lasx
la64_save_fp:
	MOVE_ALL fst.d, f
	FLAGS_OUT
	ret
la64_save_lsx:
	MOVE_ALL vst, vr
	FLAGS_OUT
	ret
la64_save_lasx:
	MOVE_ALL xvst, xr
	FLAGS_OUT
	ret

	.globl la64_load_fp, la64_load_lsx, la64_load_lasx
la64_load_fp:
	MOVE_ALL fld.d, f
	FLAGS_IN
	ret
la64_load_lsx:
	MOVE_ALL vld, vr
	FLAGS_IN
	ret
la64_load_lasx:
	MOVE_ALL xvld, xr
	FLAGS_IN
	ret

	.section .note.GNU-stack, "", @progbits
