/* SPDX-License-Identifier: MIT */
/* SVE's registers. An area has them as signal frames do (<asm/sve_context.h>): Z0-31, P0-15, FFR, each of the length that ZCR_EL1 says. */
	.arch_extension fp
	.arch_extension simd
	.arch_extension sve
	.text

	/* unsigned long a64_sve_length(void): of a Z register, in bytes */
	.globl a64_sve_length
a64_sve_length:
	rdvl x0, #1
	ret

#define NUMBERS_16 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
#define NUMBERS_32 NUMBERS_16, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31

.macro EACH_Z op, area
	.irp n, NUMBERS_32
	\op z\n, [\area, #\n, mul vl]
	.endr
.endm

.macro EACH_P op, area
	.irp n, NUMBERS_16
	\op p\n, [\area, #\n, mul vl]
	.endr
.endm

	/* void a64_sve_save(void *area), a64_sve_load(const void *area) */
	.globl a64_sve_save, a64_sve_load
a64_sve_save:
	EACH_Z str, x0
	addvl x0, x0, #16
	addvl x0, x0, #16
	EACH_P str, x0
	rdffr p0.b
	str p0, [x0, #16, mul vl]
	ldr p0, [x0]
	ret
a64_sve_load:
	EACH_Z ldr, x0
	addvl x0, x0, #16
	addvl x0, x0, #16
	ldr p0, [x0, #16, mul vl]
	wrffr p0.b
	EACH_P ldr, x0
	ret

	/* void a64_sve_flush(void): nothing stays but the FPSIMD registers */
	.globl a64_sve_flush
a64_sve_flush:
	.irp n, NUMBERS_32
	mov v\n\().16b, v\n\().16b
	.endr
	.irp n, NUMBERS_16
	pfalse p\n\().b
	.endr
	wrffr p0.b
	ret

	.section .note.GNU-stack, "", @progbits
