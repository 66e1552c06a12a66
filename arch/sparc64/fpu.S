/* SPDX-License-Identifier: MIT */
/* void sparc_save_fp(struct arch_fpu *f), void sparc_load_fp(const struct arch_fpu *f): the kernel itself computes with none of it. */
#define FPRS_ON 4

	.macro	REGISTERS insn, load
	.set	.Lat, 0
	.irp	n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62
	.if	\load
	ldd	[%o0 + .Lat], %f\n
	.else
	std	%f\n, [%o0 + .Lat]
	.endif
	.set	.Lat, .Lat + 8
	.endr
	.endm

	.text
	.globl	sparc_save_fp, sparc_load_fp
sparc_save_fp:
	rd	%fprs, %o1
	stx	%o1, [%o0 + 272]
	wr	%g0, FPRS_ON, %fprs
	REGISTERS std, 0
	stx	%fsr, [%o0 + 256]
	rd	%gsr, %o2
	stx	%o2, [%o0 + 264]
	wr	%o1, 0, %fprs
	retl
	 nop
sparc_load_fp:
	wr	%g0, FPRS_ON, %fprs
	REGISTERS ldd, 1
	ldx	[%o0 + 256], %fsr
	ldx	[%o0 + 264], %o1
	wr	%o1, 0, %gsr
	ldx	[%o0 + 272], %o1
	wr	%o1, 0, %fprs
	retl
	 nop

	.section .note.GNU-stack, "", @progbits
