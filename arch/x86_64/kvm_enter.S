/* SPDX-License-Identifier: MIT */
/*
 * void kvm_svm_enter(struct svm_world *w): from the host into a guest and back (AMD APM vol. 2, 15.5).
 *
 * The global interrupt flag is clear, so that nothing comes between. VMRUN keeps the host's own CS, SS, DS, ES, GDTR, IDTR, CR0, CR3, CR4, EFER,
 * RFLAGS, RIP, RSP and RAX; VMLOAD and VMSAVE move FS, GS, TR, LDTR, the kernel's GS base, STAR to SFMASK and SYSENTER's registers. From VMLOAD of
 * the guest to VMLOAD of the host GS is the guest's: no per-CPU variable may be used, and no C runs.
 *
 * The host's interrupt flag is set for VMRUN: with V_INTR_MASKING it says that a device's interrupt ends the guest. None is taken here.
 * The guest's values leave every register before C runs: code that is executed speculatively finds none of them.
 */
#define W_VMCB 0
#define W_HOST 8
#define W_REG(n) (16 + 8 * (n))

	.text
	.globl kvm_svm_enter, kvm_svm_left
kvm_svm_enter:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rdi
	movq W_HOST(%rdi), %rax
	vmsave %rax
	movq W_VMCB(%rdi), %rax
	vmload %rax
	movq W_REG(1)(%rdi), %rcx
	movq W_REG(2)(%rdi), %rdx
	movq W_REG(3)(%rdi), %rbx
	movq W_REG(5)(%rdi), %rbp
	movq W_REG(6)(%rdi), %rsi
	movq W_REG(8)(%rdi), %r8
	movq W_REG(9)(%rdi), %r9
	movq W_REG(10)(%rdi), %r10
	movq W_REG(11)(%rdi), %r11
	movq W_REG(12)(%rdi), %r12
	movq W_REG(13)(%rdi), %r13
	movq W_REG(14)(%rdi), %r14
	movq W_REG(15)(%rdi), %r15
	movq W_REG(7)(%rdi), %rdi
	sti
	vmrun %rax
kvm_svm_left:
	cli
	vmsave %rax
	xchgq %rdi, (%rsp)		/* the guest's to the stack, the world's address back */
	movq %rcx, W_REG(1)(%rdi)
	movq %rdx, W_REG(2)(%rdi)
	movq %rbx, W_REG(3)(%rdi)
	movq %rbp, W_REG(5)(%rdi)
	movq %rsi, W_REG(6)(%rdi)
	movq %r8, W_REG(8)(%rdi)
	movq %r9, W_REG(9)(%rdi)
	movq %r10, W_REG(10)(%rdi)
	movq %r11, W_REG(11)(%rdi)
	movq %r12, W_REG(12)(%rdi)
	movq %r13, W_REG(13)(%rdi)
	movq %r14, W_REG(14)(%rdi)
	movq %r15, W_REG(15)(%rdi)
	popq %rcx
	movq %rcx, W_REG(7)(%rdi)
	movq W_HOST(%rdi), %rax
	vmload %rax
	xorl %eax, %eax
	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %esi, %esi
	xorl %edi, %edi
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
	xorl %r11d, %r11d
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
