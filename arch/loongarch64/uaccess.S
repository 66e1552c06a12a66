/* SPDX-License-Identifier: MIT */
/*
 * Copies to and from user memory by words, then what is left in one piece of each size: nobody sees half of an aligned word. A fault goes on by
 * bytes, so that all that can be copied is; a fault in a byte ends it. Memory takes unaligned accesses.
 * size_t fn(dst, src, n): bytes not copied. n > 0 and the range were checked by the caller.
 */
#include <arch_cpu/page.h>

.macro EX from, to
	.pushsection .extable, "a"
	.balign 4
	.long \from - ., \to - ., 0
	.popsection
.endm
	/* An access of user memory that goes on at TO when it faults. */
.macro USER to, insn:vararg
771:	\insn
	EX 771b, \to
.endm
	/* Words to $a0 from $a1, the pointers moved behind them. */
.macro MOVE_32 to
	USER	\to, ld.d $t1, $a1, 0
	USER	\to, ld.d $t2, $a1, 8
	USER	\to, ld.d $t3, $a1, 16
	USER	\to, ld.d $t4, $a1, 24
	USER	\to, st.d $t1, $a0, 0
	USER	\to, st.d $t2, $a0, 8
	USER	\to, st.d $t3, $a0, 16
	USER	\to, st.d $t4, $a0, 24
	addi.d	$a1, $a1, 32
	addi.d	$a0, $a0, 32
.endm
.macro MOVE to, load, store, size
	USER	\to, \load $t1, $a1, 0
	USER	\to, \store $t1, $a0, 0
	addi.d	$a1, $a1, \size
	addi.d	$a0, $a0, \size
.endm

	.text
	.globl la64_copy_user, __copy_kernel_nofault
la64_copy_user:
__copy_kernel_nofault:
	add.d	$a3, $a0, $a2
	li.w	$t0, 8
	bltu	$a2, $t0, 5f
	li.w	$t0, 64
	bltu	$a2, $t0, 2f
1:	USER	8f, ld.d $t1, $a1, 0
	USER	8f, ld.d $t2, $a1, 8
	USER	8f, ld.d $t3, $a1, 16
	USER	8f, ld.d $t4, $a1, 24
	USER	8f, ld.d $t5, $a1, 32
	USER	8f, ld.d $t6, $a1, 40
	USER	8f, ld.d $t7, $a1, 48
	USER	8f, ld.d $t8, $a1, 56
	USER	8f, st.d $t1, $a0, 0
	USER	8f, st.d $t2, $a0, 8
	USER	8f, st.d $t3, $a0, 16
	USER	8f, st.d $t4, $a0, 24
	USER	8f, st.d $t5, $a0, 32
	USER	8f, st.d $t6, $a0, 40
	USER	8f, st.d $t7, $a0, 48
	USER	8f, st.d $t8, $a0, 56
	addi.d	$a1, $a1, 64
	addi.d	$a0, $a0, 64
	addi.d	$a2, $a2, -64
	bgeu	$a2, $t0, 1b
2:	andi	$t0, $a2, 32
	beqz	$t0, 3f
	MOVE_32	8f
3:	andi	$t0, $a2, 16
	beqz	$t0, 4f
	MOVE	8f, ld.d, st.d, 8
	MOVE	8f, ld.d, st.d, 8
4:	andi	$t0, $a2, 8
	beqz	$t0, 5f
	MOVE	8f, ld.d, st.d, 8
5:	andi	$t0, $a2, 4
	beqz	$t0, 6f
	MOVE	8f, ld.wu, st.w, 4
6:	andi	$t0, $a2, 2
	beqz	$t0, 7f
	MOVE	8f, ld.hu, st.h, 2
7:	andi	$t0, $a2, 1
	beqz	$t0, 9f
	MOVE	8f, ld.bu, st.b, 1
	b	9f
8:	beq	$a0, $a3, 9f
	MOVE	9f, ld.bu, st.b, 1
	b	8b
9:	sub.d	$a0, $a3, $a0
	ret

	/* size_t la64_clear_user(unsigned long dst, size_t n) */
	.globl la64_clear_user
la64_clear_user:
	add.d	$a3, $a0, $a1
	li.w	$t0, 64
	bltu	$a1, $t0, 2f
1:	.irp n, 0, 8, 16, 24, 32, 40, 48, 56
	USER	4f, st.d $zero, $a0, \n
	.endr
	addi.d	$a0, $a0, 64
	addi.d	$a1, $a1, -64
	bgeu	$a1, $t0, 1b
2:	li.w	$t0, 8
3:	bltu	$a1, $t0, 4f
	USER	4f, st.d $zero, $a0, 0
	addi.d	$a0, $a0, 8
	addi.d	$a1, $a1, -8
	b	3b
4:	beq	$a0, $a3, 5f
	USER	5f, st.b $zero, $a0, 0
	addi.d	$a0, $a0, 1
	b	4b
5:	sub.d	$a0, $a3, $a0
	ret

	/* void la64_clear_page(void *page), void la64_copy_page(void *dst, const void *src) */
	.globl la64_clear_page, la64_copy_page
la64_clear_page:
	li.d	$t0, PAGE_SIZE
	add.d	$t0, $a0, $t0
1:	.irp n, 0, 8, 16, 24, 32, 40, 48, 56
	st.d	$zero, $a0, \n
	.endr
	addi.d	$a0, $a0, 64
	bltu	$a0, $t0, 1b
	ret
la64_copy_page:
	li.d	$t0, PAGE_SIZE
	add.d	$t0, $a1, $t0
1:	ld.d	$t1, $a1, 0
	ld.d	$t2, $a1, 8
	ld.d	$t3, $a1, 16
	ld.d	$t4, $a1, 24
	ld.d	$t5, $a1, 32
	ld.d	$t6, $a1, 40
	ld.d	$t7, $a1, 48
	ld.d	$t8, $a1, 56
	st.d	$t1, $a0, 0
	st.d	$t2, $a0, 8
	st.d	$t3, $a0, 16
	st.d	$t4, $a0, 24
	st.d	$t5, $a0, 32
	st.d	$t6, $a0, 40
	st.d	$t7, $a0, 48
	st.d	$t8, $a0, 56
	addi.d	$a1, $a1, 64
	addi.d	$a0, $a0, 64
	bltu	$a1, $t0, 1b
	ret

	.section .note.GNU-stack, "", @progbits
