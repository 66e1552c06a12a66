/* SPDX-License-Identifier: MIT */
/*
 * Where another CPU starts: real mode, at the start of a page below 1 MiB that this code was copied to. Goes straight to
 * long mode on the start-up tables (which map low memory at its own address) and into secondary_64.
 * The words at the end are filled in with the copy.
 */
#include <arch_cpu/page.h>

	.section .rodata, "a"
	.balign 16
	.globl trampoline_start, trampoline_end, trampoline_cr3, trampoline_base, trampoline_gdt_ptr, trampoline_jump
	.code16
trampoline_start:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	lgdtl trampoline_gdt_ptr - trampoline_start
	movl %cr4, %eax
	orl $0x20, %eax			/* PAE */
	movl %eax, %cr4
	movl trampoline_cr3 - trampoline_start, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx		/* EFER: LME, NXE, SCE */
	rdmsr
	orl trampoline_efer - trampoline_start, %eax
	wrmsr
	movl $0x80010033, %eax		/* PG WP NE ET MP PE: long mode at once */
	movl %eax, %cr0
	ljmpl *(trampoline_jump - trampoline_start)
	.code64
trampoline_64:
	movq trampoline_entry(%rip), %rax
	jmp *%rax

	.balign 8
trampoline_jump:
	.long trampoline_64 - trampoline_start	/* + base */
	.word 0x10
	.balign 8
trampoline_gdt_ptr:
	.word 31
	.long trampoline_gdt - trampoline_start	/* + base */
	.balign 8
trampoline_gdt:
	.quad 0
	.quad 0
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
trampoline_cr3:
	.long 0
	.globl trampoline_efer, trampoline_entry
trampoline_efer:
	.long 0
	.balign 8
trampoline_entry:
	.quad 0
trampoline_end:

	.section .note.GNU-stack, "", @progbits
