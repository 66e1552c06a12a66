/* SPDX-License-Identifier: MIT */
/*
 * Copies to and from user memory. A fault in the middle is repaired by going on byte by byte from where it stood, so the
 * result is exact. Kept: rdi, rsi advance together, rdx is what is left.
 */
#include <arch_cpu/page.h>
#include <arch_cpu/alternative.h>

#define TASK_LIMIT 0x7ffffffff000

.macro EX from, to, type=0
	.pushsection .extable, "a"
	.balign 4
	.long \from - ., \to - ., \type
	.popsection
.endm

	.text
	/* size_t arch_copy_from_user(void *dst, struct uptr src, size_t n): what is left */
	.globl arch_copy_from_user, arch_copy_to_user
	.balign 16
arch_copy_from_user:
	movq $TASK_LIMIT, %rcx
	movq %rsi, %rax
	jmp 1f
	.balign 16
arch_copy_to_user:
	movq $TASK_LIMIT, %rcx
	movq %rdi, %rax
1:	addq %rdx, %rax
	jc copy_refused
	cmpq %rcx, %rax
	ja copy_refused
copy_user:
	ALTERNATIVE "", "stac", X86_FEATURE_SMAP
	cmpq $32, %rdx
	jb 4f
	ALTERNATIVE "jmp 2f", "", X86_FEATURE_FSRM
	movq %rdx, %rcx
10:	rep movsb
	EX 10b, 20f
	xorl %eax, %eax
	ALTERNATIVE "", "clac", X86_FEATURE_SMAP
	ret
2:	movq %rdx, %rcx
	shrq $3, %rcx
	andl $7, %edx
11:	rep movsq
	EX 11b, 21f
	testl %edx, %edx
	jnz 6f
	xorl %eax, %eax
	ALTERNATIVE "", "clac", X86_FEATURE_SMAP
	ret
4:	cmpl $8, %edx
	jb 6f
12:	movq (%rsi), %rax
13:	movq %rax, (%rdi)
	EX 12b, copy_bytes
	EX 13b, copy_bytes
	addq $8, %rsi
	addq $8, %rdi
	subl $8, %edx
	jmp 4b
6:	testb $4, %dl
	jz 7f
14:	movl (%rsi), %eax
15:	movl %eax, (%rdi)
	EX 14b, copy_bytes
	EX 15b, copy_bytes
	addq $4, %rsi
	addq $4, %rdi
	subl $4, %edx
7:	movl %edx, %ecx
16:	rep movsb
	EX 16b, 20f
	xorl %eax, %eax
	ALTERNATIVE "", "clac", X86_FEATURE_SMAP
	ret

20:	movq %rcx, %rax			/* rep movsb stopped: exact already */
	ALTERNATIVE "", "clac", X86_FEATURE_SMAP
	ret
21:	leaq (%rdx, %rcx, 8), %rdx	/* rep movsq stopped: up to 7 bytes may still go */
copy_bytes:
	movq %rdx, %rcx
	cmpq $8, %rcx
	jbe 17f
	movl $8, %ecx
17:	movq %rcx, %rax
	subq %rcx, %rdx
18:	rep movsb
	EX 18b, 19f
19:	leaq (%rdx, %rcx), %rax
	ALTERNATIVE "", "clac", X86_FEATURE_SMAP
	ret
copy_refused:
	movq %rdx, %rax
	ret

	/* size_t arch_copy_kernel_nofault(void *dst, const void *src, size_t n) */
	.globl arch_copy_kernel_nofault
arch_copy_kernel_nofault:
	movq %rdx, %rcx
1:	rep movsb
	EX 1b, 2f
2:	movq %rcx, %rax
	ret

	/* size_t arch_clear_user(struct uptr dst, size_t n): what is left */
	.globl arch_clear_user
	.balign 16
arch_clear_user:
	movq $TASK_LIMIT, %rcx
	movq %rdi, %rax
	addq %rsi, %rax
	jc 5f
	cmpq %rcx, %rax
	ja 5f
	ALTERNATIVE "", "stac", X86_FEATURE_SMAP
	movq %rsi, %rcx
	xorl %eax, %eax
	cmpq $8, %rsi
	jb 2f
	movl %esi, %edx
	shrq $3, %rcx
	andl $7, %edx
1:	rep stosq
	EX 1b, 3f
	movl %edx, %ecx
2:	rep stosb
	EX 2b, 4f
	ALTERNATIVE "", "clac", X86_FEATURE_SMAP
	ret
3:	leaq (%rdx, %rcx, 8), %rsi	/* a qword that straddles the edge: try its bytes */
	movl $8, %ecx
	cmpq %rcx, %rsi
	cmovb %rsi, %rcx
	subq %rcx, %rsi
	movl $0, %edx
	jmp 6f
6:	rep stosb
	EX 6b, 7f
7:	leaq (%rsi, %rcx), %rax
	ALTERNATIVE "", "clac", X86_FEATURE_SMAP
	ret
4:	movq %rcx, %rax
	ALTERNATIVE "", "clac", X86_FEATURE_SMAP
	ret
5:	movq %rsi, %rax
	ret

	/* void arch_clear_page(void *), void arch_copy_page(void *dst, const void *src) */
	.globl arch_clear_page, arch_copy_page
	.balign 16
arch_clear_page:
	xorl %eax, %eax
	ALTERNATIVE "jmp 1f", "", X86_FEATURE_ERMS
	movl $PAGE_SIZE, %ecx
	rep stosb
	ret
1:	movl $PAGE_SIZE / 8, %ecx
	rep stosq
	ret
	.balign 16
arch_copy_page:
	ALTERNATIVE "jmp 1f", "", X86_FEATURE_ERMS
	movl $PAGE_SIZE, %ecx
	rep movsb
	ret
1:	movl $PAGE_SIZE / 8, %ecx
	rep movsq
	ret

	.section .note.GNU-stack, "", @progbits
