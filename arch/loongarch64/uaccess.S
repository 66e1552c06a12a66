/* SPDX-License-Identifier: MIT */
/*
 * Copies to and from user memory, by words where both sides have 8 bytes left, then what is left in pieces. A fault goes on by bytes, so
 * that all that can be copied is; a fault in a byte ends it. Memory takes unaligned accesses.
 * size_t fn(dst, src, n): bytes not copied. n > 0 and the range were checked by the caller.
 */
#include <arch_cpu/page.h>

.macro EX from, to
	.pushsection .extable, "a"
	.balign 4
	.long \from - ., \to - ., 0
	.popsection
.endm

	.text
	.globl __copy_from_user, __copy_to_user, __copy_kernel_nofault
__copy_from_user:
__copy_to_user:
__copy_kernel_nofault:
	li.w	$t1, 32
1:	bltu	$a2, $t1, 11f
2:	ld.d	$t2, $a1, 0
3:	ld.d	$t3, $a1, 8
4:	ld.d	$t4, $a1, 16
5:	ld.d	$t5, $a1, 24
6:	st.d	$t2, $a0, 0
7:	st.d	$t3, $a0, 8
8:	st.d	$t4, $a0, 16
9:	st.d	$t5, $a0, 24
	addi.d	$a1, $a1, 32
	addi.d	$a0, $a0, 32
	addi.d	$a2, $a2, -32
	b	1b
11:	li.w	$t1, 8
12:	bltu	$a2, $t1, 20f
13:	ld.d	$t2, $a1, 0
14:	st.d	$t2, $a0, 0
	addi.d	$a1, $a1, 8
	addi.d	$a0, $a0, 8
	addi.d	$a2, $a2, -8
	b	12b
	/* What is left goes in one piece of four, of two, of one: nobody sees half of an aligned word. */
20:	andi	$t1, $a2, 4
	beqz	$t1, 23f
21:	ld.w	$t2, $a1, 0
22:	st.w	$t2, $a0, 0
	addi.d	$a1, $a1, 4
	addi.d	$a0, $a0, 4
	addi.d	$a2, $a2, -4
23:	andi	$t1, $a2, 2
	beqz	$t1, 15f
24:	ld.h	$t2, $a1, 0
25:	st.h	$t2, $a0, 0
	addi.d	$a1, $a1, 2
	addi.d	$a0, $a0, 2
	addi.d	$a2, $a2, -2
15:	beqz	$a2, 18f
16:	ld.b	$t2, $a1, 0
17:	st.b	$t2, $a0, 0
	addi.d	$a1, $a1, 1
	addi.d	$a0, $a0, 1
	addi.d	$a2, $a2, -1
	b	15b
18:	move	$a0, $a2
	ret
	EX 2b, 11b
	EX 3b, 11b
	EX 4b, 11b
	EX 5b, 11b
	EX 6b, 11b
	EX 7b, 11b
	EX 8b, 11b
	EX 9b, 11b
	EX 13b, 15b
	EX 14b, 15b
	EX 21b, 15b
	EX 22b, 15b
	EX 24b, 15b
	EX 25b, 15b
	EX 16b, 18b
	EX 17b, 18b

	/* size_t __clear_user(unsigned long dst, size_t n) */
	.globl __clear_user
__clear_user:
	li.w	$t1, 8
1:	bltu	$a1, $t1, 3f
2:	st.d	$zero, $a0, 0
	addi.d	$a0, $a0, 8
	addi.d	$a1, $a1, -8
	b	1b
3:	beqz	$a1, 5f
4:	st.b	$zero, $a0, 0
	addi.d	$a0, $a0, 1
	addi.d	$a1, $a1, -1
	b	3b
5:	move	$a0, $a1
	ret
	EX 2b, 3b
	EX 4b, 5b

	/* void arch_clear_page(void *page), void arch_copy_page(void *dst, const void *src) */
	.globl arch_clear_page, arch_copy_page
arch_clear_page:
	li.d	$t0, PAGE_SIZE
	add.d	$t0, $a0, $t0
1:	.irp n, 0, 8, 16, 24, 32, 40, 48, 56
	st.d	$zero, $a0, \n
	.endr
	addi.d	$a0, $a0, 64
	bltu	$a0, $t0, 1b
	ret
arch_copy_page:
	li.d	$t0, PAGE_SIZE
	add.d	$t0, $a1, $t0
1:	ld.d	$t1, $a1, 0
	ld.d	$t2, $a1, 8
	ld.d	$t3, $a1, 16
	ld.d	$t4, $a1, 24
	st.d	$t1, $a0, 0
	st.d	$t2, $a0, 8
	st.d	$t3, $a0, 16
	st.d	$t4, $a0, 24
	addi.d	$a1, $a1, 32
	addi.d	$a0, $a0, 32
	bltu	$a1, $t0, 1b
	ret

	.section .note.GNU-stack, "", @progbits
