/* SPDX-License-Identifier: MIT */
/*
 * First code of each CPU. The firmware comes here in the superpage, on a page table of its own, interrupts off, $27 saying where this is:
 * the boot CPU by the ELF file's entry, others by the HWRPB's restart routine, with the context that was given with it.
 */
#include <arch_cpu/page.h>

	.set noat
	.set noreorder
	.set nomacro
	.arch ev67

	.section .head.text, "ax"
	.globl	_head
_head:
	br	$27, 1f
1:	ldah	$29, 0($27)		!gpdisp!1
	lda	$29, 0($29)		!gpdisp!1
	ldq	$1, __bss_start($29)	!literal
	ldq	$2, _end($29)		!literal
2:	stq	$31, 0($1)
	stq	$31, 8($1)
	lda	$1, 16($1)
	cmpult	$1, $2, $3
	bne	$3, 2b
	ldq	$30, boot_stack_top($29)	!literal
	lda	$30, -STACK_TOP_WORDS($30)
	ldq	$8, init_task($29)	!literal
	stq	$8, 0($30)
	bis	$31, $31, $7		/* the image's own variables until there are more CPUs' */
	stq	$31, 8($30)
	bis	$31, $31, $15
	bis	$31, $31, $26
	ldq	$27, alpha_start($29)	!literal
	jsr	$26, ($27), alpha_start
3:	br	$31, 3b

	/* The stack is the idle task's, ending in what it needs to know. */
	.globl	alpha_secondary_entry
alpha_secondary_entry:
	br	$27, 1f
1:	ldah	$29, 0($27)		!gpdisp!2
	lda	$29, 0($29)		!gpdisp!2
	ldq	$8, 0($30)
	ldq	$7, 8($30)
	bis	$31, $31, $15
	bis	$31, $31, $26
	ldq	$27, alpha_secondary_start($29)	!literal
	jsr	$26, ($27), alpha_secondary_start
2:	br	$31, 2b

	.section .bss..page_aligned, "aw", @nobits
	.balign PAGE_SIZE
	.globl	kernel_root
kernel_root:
	.skip	PAGE_SIZE
	.globl	boot_stack, boot_stack_top
	.balign THREAD_SIZE
boot_stack:
	.skip	THREAD_SIZE
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
