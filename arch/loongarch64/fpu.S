/* SPDX-License-Identifier: MIT */
/*
 * The floating-point registers and those that widen them, to and from struct arch_fpu: 32 places of 32 bytes, the eight condition flags,
 * the control and status word; or to and from the record of a signal frame, where the places are as wide as the registers. One pair of
 * functions for each width; the unit of that width is on.
 */

	.text
.macro FLAGS_OUT at
	movcf2gr $t0, $fcc0
	.irp n, 1, 2, 3, 4, 5, 6, 7
	movcf2gr $t1, $fcc\n
	bstrins.d $t0, $t1, \n * 8 + 7, \n * 8
	.endr
	movfcsr2gr $t1, $fcsr0
	st.d	$t0, $a0, \at
	st.w	$t1, $a0, \at + 8
.endm

.macro FLAGS_IN at
	ld.d	$t0, $a0, \at
	ld.w	$t1, $a0, \at + 8
	movgr2cf $fcc0, $t0
	.irp n, 1, 2, 3, 4, 5, 6, 7
	bstrpick.d $t2, $t0, \n * 8, \n * 8
	movgr2cf $fcc\n, $t2
	.endr
	movgr2fcsr $fcsr0, $t1
.endm

.macro MOVE_ALL op, reg, size
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	$\reg\()\n, $a0, \n * \size
	.endr
.endm

.macro PAIR name, store, load, reg, size
	.globl	la64_save_\name, la64_load_\name
la64_save_\name:
	MOVE_ALL \store, \reg, \size
	FLAGS_OUT \size * 32
	ret
la64_load_\name:
	MOVE_ALL \load, \reg, \size
	FLAGS_IN \size * 32
	ret
.endm
	PAIR	fp, fst.d, fld.d, f, 32
	PAIR	lsx, vst, vld, vr, 32
	PAIR	lasx, xvst, xvld, xr, 32
	PAIR	fp_record, fst.d, fld.d, f, 8
	PAIR	lsx_record, vst, vld, vr, 16	/* a record of LASX is as struct arch_fpu begins */

	.section .note.GNU-stack, "", @progbits
