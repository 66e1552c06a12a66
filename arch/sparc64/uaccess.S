/* SPDX-License-Identifier: MIT */
/*
 * Copies to and from user memory, by the largest pieces that both addresses are aligned for, then what is left in pieces. A fault goes
 * on by bytes, so that all that can be copied is; a fault in a byte ends it.
 * size_t fn(dst, src, n): bytes not copied. n > 0 and the range were checked by the caller.
 */
#include <arch_cpu/page.h>
#include "arch/sparc64/asm_priv.h"

	.register %g2, #scratch
	.register %g3, #scratch

#define ASI_KERNEL 0x80

.macro EX from, to
	.pushsection .extable, "a"
	.balign 4
	.long \from - ., \to - ., 0
	.popsection
.endm

	/* While at least \size is left: one piece. Labels are \base + 0 .. 2. */
.macro PIECES ld, st, size, from, to
77:	cmp	%o2, \size
	blu,pn	%xcc, 79f
	 nop
88:	\ld	[%o1] \from, %g1
89:	\st	%g1, [%o0] \to
	EX	88b, 60f
	EX	89b, 60f
	add	%o1, \size, %o1
	sub	%o2, \size, %o2
	ba,pt	%xcc, 77b
	 add	%o0, \size, %o0
79:
.endm

.macro COPY from, to
	/* Bytes until the destination is aligned, as far as the two can be alike. */
	or	%o0, %o1, %g2
	xor	%o0, %o1, %g3
	andcc	%g3, 7, %g0
	bne,pn	%xcc, 20f
	 nop
10:	andcc	%o0, 7, %g0
	be,pt	%xcc, 11f
	 nop
	brz,pn	%o2, 61f
12:	 lduba	[%o1] \from, %g1
13:	stba	%g1, [%o0] \to
	EX	12b, 60f
	EX	13b, 60f
	add	%o1, 1, %o1
	sub	%o2, 1, %o2
	ba,pt	%xcc, 10b
	 add	%o0, 1, %o0
11:	PIECES	ldxa, stxa, 8, \from, \to
	PIECES	lduwa, stwa, 4, \from, \to
	PIECES	lduha, stha, 2, \from, \to
	ba,a,pt	%xcc, 60f
	 nop
20:	andcc	%g2, 3, %g0
	bne,pn	%xcc, 30f
	 nop
	PIECES	lduwa, stwa, 4, \from, \to
	PIECES	lduha, stha, 2, \from, \to
	ba,a,pt	%xcc, 60f
	 nop
30:	andcc	%g2, 1, %g0
	bne,pn	%xcc, 60f
	 nop
	PIECES	lduha, stha, 2, \from, \to
60:	brz,pn	%o2, 61f
	 nop
62:	lduba	[%o1] \from, %g1
63:	stba	%g1, [%o0] \to
	EX	62b, 61f
	EX	63b, 61f
	add	%o1, 1, %o1
	sub	%o2, 1, %o2
	ba,pt	%xcc, 60b
	 add	%o0, 1, %o0
61:	retl
	 mov	%o2, %o0
.endm

	.text
	.globl	__copy_from_user, __copy_to_user, __copy_kernel_nofault
__copy_from_user:
	COPY	ASI_AS_IF_USER, ASI_KERNEL
__copy_to_user:
	COPY	ASI_KERNEL, ASI_AS_IF_USER
__copy_kernel_nofault:
	COPY	ASI_KERNEL, ASI_KERNEL

	/* size_t __clear_user(unsigned long dst, size_t n) */
	.globl	__clear_user
__clear_user:
1:	brz,pn	%o1, 5f
	 andcc	%o0, 7, %g0
	bne,pn	%xcc, 3f
	 cmp	%o1, 8
	blu,pn	%xcc, 3f
	 nop
2:	stxa	%g0, [%o0] ASI_AS_IF_USER
	sub	%o1, 8, %o1
	ba,pt	%xcc, 1b
	 add	%o0, 8, %o0
3:	stba	%g0, [%o0] ASI_AS_IF_USER
	sub	%o1, 1, %o1
	ba,pt	%xcc, 1b
	 add	%o0, 1, %o0
4:	brz,pn	%o1, 5f
	 nop
	ba,a,pt	%xcc, 3b
	 nop
5:	retl
	 mov	%o1, %o0
	EX	2b, 4b
	EX	3b, 5b

	/* void arch_clear_page(void *page), void arch_copy_page(void *dst, const void *src) */
	.globl	arch_clear_page, arch_copy_page
arch_clear_page:
	set	PAGE_SIZE, %o1
1:	.irp n, 0, 8, 16, 24, 32, 40, 48, 56
	stx	%g0, [%o0 + \n]
	.endr
	subcc	%o1, 64, %o1
	bne,pt	%xcc, 1b
	 add	%o0, 64, %o0
	retl
	 nop
arch_copy_page:
	set	PAGE_SIZE, %o2
1:	ldx	[%o1], %o3
	ldx	[%o1 + 8], %o4
	ldx	[%o1 + 16], %o5
	ldx	[%o1 + 24], %g1
	stx	%o3, [%o0]
	stx	%o4, [%o0 + 8]
	stx	%o5, [%o0 + 16]
	stx	%g1, [%o0 + 24]
	subcc	%o2, 32, %o2
	add	%o1, 32, %o1
	bne,pt	%xcc, 1b
	 add	%o0, 32, %o0
	retl
	 nop

	.section .note.GNU-stack, "", @progbits
