/* SPDX-License-Identifier: MIT */
/*
 * Copies to and from user memory: by the destination's words, from a source that need not be aligned (two words that overlap it are put
 * together). A fault goes on by bytes, so that all that can be copied is; a fault in a byte ends it.
 * size_t fn(dst, src, n): bytes not copied. n > 0 and the range were checked by the caller.
 */
#include <arch_cpu/page.h>

	.set noat
	.set noreorder
	.set nomacro
	.arch ev67

.macro EX from, to
	.pushsection .extable, "a"
	.balign 4
	.long \from - ., \to - ., 0
	.popsection
.endm

	.text
	.globl	__copy_from_user, __copy_to_user, __copy_kernel_nofault
	.align	5
__copy_from_user:
__copy_to_user:
__copy_kernel_nofault:
	/* Up to a word of the destination; where both sides are aligned alike nobody sees half of an aligned piece. */
1:	and	$16, 7, $1
	beq	$1, 30f
	bis	$16, $17, $2
	cmpult	$18, 4, $3
	and	$2, 3, $4
	bis	$3, $4, $3
	bne	$3, 4f
2:	ldl	$5, 0($17)
3:	stl	$5, 0($16)
	lda	$16, 4($16)
	lda	$17, 4($17)
	lda	$18, -4($18)
	bne	$18, 1b
	br	$31, 60f
4:	cmpult	$18, 2, $3
	and	$2, 1, $4
	bis	$3, $4, $3
	bne	$3, 8f
5:	ldwu	$5, 0($17)
6:	stw	$5, 0($16)
	lda	$16, 2($16)
	lda	$17, 2($17)
	lda	$18, -2($18)
	bne	$18, 1b
	br	$31, 60f
8:	ldbu	$5, 0($17)
9:	stb	$5, 0($16)
	lda	$16, 1($16)
	lda	$17, 1($17)
	lda	$18, -1($18)
	bne	$18, 1b
	br	$31, 60f

30:	and	$17, 7, $1
	bne	$1, 40f
31:	cmpult	$18, 32, $3
	bne	$3, 36f
32:	ldq	$2, 0($17)
33:	ldq	$3, 8($17)
34:	ldq	$4, 16($17)
35:	ldq	$5, 24($17)
37:	stq	$2, 0($16)
38:	stq	$3, 8($16)
39:	stq	$4, 16($16)
29:	stq	$5, 24($16)
	lda	$16, 32($16)
	lda	$17, 32($17)
	lda	$18, -32($18)
	br	$31, 31b
36:	cmpult	$18, 8, $3
	bne	$3, 50f
27:	ldq	$2, 0($17)
28:	stq	$2, 0($16)
	lda	$16, 8($16)
	lda	$17, 8($17)
	lda	$18, -8($18)
	br	$31, 36b

40:	cmpult	$18, 8, $3
	bne	$3, 50f
41:	ldq_u	$2, 0($17)
42:	ldq_u	$3, 7($17)
	extql	$2, $17, $2
	extqh	$3, $17, $3
	bis	$2, $3, $2
43:	stq	$2, 0($16)
	lda	$16, 8($16)
	lda	$17, 8($17)
	lda	$18, -8($18)
	br	$31, 40b

	/* What is left: in one piece of four, of two, of one where the source allows it. */
50:	and	$18, 4, $1
	and	$17, 3, $2
	beq	$1, 53f
	bne	$2, 56f
51:	ldl	$3, 0($17)
52:	stl	$3, 0($16)
	lda	$16, 4($16)
	lda	$17, 4($17)
	lda	$18, -4($18)
53:	and	$18, 2, $1
	and	$17, 1, $2
	beq	$1, 56f
	bne	$2, 56f
54:	ldwu	$3, 0($17)
55:	stw	$3, 0($16)
	lda	$16, 2($16)
	lda	$17, 2($17)
	lda	$18, -2($18)
56:	beq	$18, 60f
57:	ldbu	$3, 0($17)
58:	stb	$3, 0($16)
	lda	$16, 1($16)
	lda	$17, 1($17)
	lda	$18, -1($18)
	br	$31, 56b
60:	bis	$31, $18, $0
	ret	$31, ($26), 1
	EX 2b, 56b
	EX 3b, 56b
	EX 5b, 56b
	EX 6b, 56b
	EX 8b, 60b
	EX 9b, 60b
	EX 27b, 56b
	EX 28b, 56b
	EX 29b, 56b
	EX 32b, 56b
	EX 33b, 56b
	EX 34b, 56b
	EX 35b, 56b
	EX 37b, 56b
	EX 38b, 56b
	EX 39b, 56b
	EX 41b, 56b
	EX 42b, 56b
	EX 43b, 56b
	EX 51b, 56b
	EX 52b, 56b
	EX 54b, 56b
	EX 55b, 56b
	EX 57b, 60b
	EX 58b, 60b

	/* size_t __clear_user(unsigned long dst, size_t n) */
	.globl	__clear_user
	.align	5
__clear_user:
1:	and	$16, 7, $1
	cmpult	$17, 8, $2
	bis	$1, $2, $1
	bne	$1, 3f
2:	stq	$31, 0($16)
	lda	$16, 8($16)
	lda	$17, -8($17)
	br	$31, 1b
3:	beq	$17, 5f
4:	stb	$31, 0($16)
	lda	$16, 1($16)
	lda	$17, -1($17)
	and	$16, 7, $1
	bne	$1, 3b
	br	$31, 1b
5:	bis	$31, $17, $0
	ret	$31, ($26), 1
	EX 2b, 6f
	EX 4b, 5b
6:	beq	$17, 5b
7:	stb	$31, 0($16)
	lda	$16, 1($16)
	lda	$17, -1($17)
	br	$31, 6b
	EX 7b, 5b

	/* void arch_clear_page(void *page), void arch_copy_page(void *dst, const void *src) */
	.globl	arch_clear_page, arch_copy_page
	.align	5
arch_clear_page:
	lda	$1, PAGE_SIZE($16)
1:	.irp n, 0, 8, 16, 24, 32, 40, 48, 56
	stq	$31, \n($16)
	.endr
	lda	$16, 64($16)
	cmpult	$16, $1, $2
	bne	$2, 1b
	ret	$31, ($26), 1
	.align	5
arch_copy_page:
	lda	$1, PAGE_SIZE($17)
1:	ldq	$2, 0($17)
	ldq	$3, 8($17)
	ldq	$4, 16($17)
	ldq	$5, 24($17)
	stq	$2, 0($16)
	stq	$3, 8($16)
	stq	$4, 16($16)
	stq	$5, 24($16)
	lda	$17, 32($17)
	lda	$16, 32($16)
	cmpult	$17, $1, $2
	bne	$2, 1b
	ret	$31, ($26), 1

	.section .note.GNU-stack, "", @progbits
