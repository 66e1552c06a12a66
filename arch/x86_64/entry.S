/* SPDX-License-Identifier: MIT */
/*
 * Every way into the kernel and out of it.
 *
 * On entry from user mode GS is the user's and is swapped; the kernel's holds the per-CPU distance. All registers are
 * pushed as struct pt_regs. Exceptions that may come before the swap was done (NMI, machine check, double fault, debug) have
 * stacks of their own (IST), whose top word holds this CPU's GS base, so that they need not guess.
 *
 * Code of .entry.text calls C with the registers on top of the stack; rbp is regs + 1 there. The unwinder knows both.
 */
#include <arch_cpu/page.h>
#include <arch_cpu/alternative.h>

/* Offsets in struct pt_regs. */
#define R_R15 0
#define R_R12 24
#define R_RBP 32
#define R_RBX 40
#define R_R11 48
#define R_RAX 80
#define R_RCX 88
#define R_RDX 96
#define R_RSI 104
#define R_RDI 112
#define R_ORIG 120
#define R_RIP 128
#define R_CS 136
#define R_FLAGS 144
#define R_RSP 152
#define R_SS 160
#define R_SIZE 168
#define USER_DS 0x2b
#define USER_CS 0x33

#define TSS_SP0 4
#define TASK_WORK_FLAGS 0	/* of its low half any bit is work before user mode: sched_trap.c checks */
#define NO_SYSRET (1 << 8 | 1 << 16)	/* TF, RF */

/*
 * For debuggers: where a call of C, made with the interrupted context's registers on top of the stack, finds them (DWARF 5, 6.4). Written out,
 * since the assembler leaves away the 'S' (a signal frame) that .cfi_signal_frame stands for when it writes .debug_frame: without it a debugger
 * takes the interrupted address for one behind a call, and looks up the instruction before it.
 */
#define CFA_DEF_CFA 0x0c
#define CFA_OFFSET 0x80
#define DWARF_RSP 7
#define DWARF_RIP 16

.macro CIE letters
	.long 2f - 1f
1:	.long 0xffffffff
	.byte 4				/* version */
	.asciz "\letters"
	.byte 8, 0			/* bytes of an address, of a segment */
	.uleb128 1			/* code addresses count in */
	.sleb128 -8			/* offsets count in */
	.uleb128 DWARF_RIP		/* the return address's column */
	.uleb128 0			/* bytes of the letters' data */
	.balign 8
2:
.endm

	.section .debug_frame, "", @progbits
	.balign 8
called:	CIE "z"
interrupted: CIE "zS"

.macro KEPT reg, at
	.byte CFA_OFFSET + \reg
	.uleb128 (R_SIZE - (\at)) / 8
.endm

	.section .entry.text, "ax"

.macro CALL_ON_REGS to, how=called
71:	call \to
72:	.pushsection .debug_frame, "", @progbits
	.long 74f - 73f
73:	.long \how
	.quad 71b, 72b - 71b + 1	/* the return address too: debuggers look it up as it is */
	.uleb128 0
	.byte CFA_DEF_CFA
	.uleb128 DWARF_RSP
	.uleb128 R_SIZE
	KEPT 15, R_R15
	KEPT 14, R_R15 + 8
	KEPT 13, R_R15 + 16
	KEPT 12, R_R12
	KEPT 6, R_RBP
	KEPT 3, R_RBX
	KEPT DWARF_RIP, R_RIP
	KEPT DWARF_RSP, R_RSP
	.balign 8
74:	.popsection
.endm

.macro PUSH_FROM_RSI
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
.endm

.macro POP_TO_RDI
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
.endm

/* VERW with a data selector empties the CPU's buffers where the microcode made it so. */
.macro CLEAR_CPU_BUFFERS
	ALTERNATIVE "", "verw verw_selector(%rip)", X86_FEATURE_CLEAR_CPU_BUF
.endm

	.globl entry_syscall
	.balign 64
entry_syscall:
	swapgs
	movq %rsp, %gs:cpu_user_sp(%rip)
	movq %gs:cpu_tss+TSS_SP0(%rip), %rsp
	pushq $USER_DS
	pushq %gs:cpu_user_sp(%rip)
	pushq %r11
	pushq $USER_CS
	pushq %rcx
	pushq %rax			/* orig_rax */
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq $-38			/* rax: -ENOSYS */
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, %rdi
	leaq 1(%rsp), %rbp
	sti
	CALL_ON_REGS syscall_dispatch
	cli
#ifndef CONFIG_LOCKDEP
	movq %gs:current_task(%rip), %rax
	cmpl $0, TASK_WORK_FLAGS(%rax)
	jne .Lsyscall_exit_work
#else
	jmp .Lsyscall_exit_work
#endif
.Lsyscall_exit:
	/* SYSRET takes rip from rcx and eflags from r11, and faults in kernel mode on a bad rip. */
	movq R_RCX(%rsp), %rcx
	movq R_R11(%rsp), %r11
	cmpq %rcx, R_RIP(%rsp)
	jne exit_by_iret
	cmpq %r11, R_FLAGS(%rsp)
	jne exit_by_iret
	testl $NO_SYSRET, %r11d
	jnz exit_by_iret
	movq %rcx, %rax
	shrq $47, %rax
	jnz exit_by_iret
	CLEAR_CPU_BUFFERS
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	addq $8, %rsp			/* r11 is eflags */
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	addq $8, %rsp			/* rcx is rip */
	popq %rdx
	popq %rsi
	popq %rdi
	movq 32(%rsp), %rsp
	swapgs
	sysretq

.Lsyscall_exit_work:
	movq %rsp, %rdi
	CALL_ON_REGS x86_exit_to_user
	jmp .Lsyscall_exit

exit_by_iret:
	CLEAR_CPU_BUFFERS
	POP_TO_RDI
	addq $8, %rsp
	swapgs
	.globl iret_to_user
iret_to_user:
	iretq

	/* void arch_return_to_user(struct pt_regs *regs) */
	.globl arch_return_to_user
arch_return_to_user:
	movq %rdi, %rsp
	leaq 1(%rsp), %rbp
	movq %rsp, %rdi
	CALL_ON_REGS x86_exit_to_user
	jmp exit_by_iret

	/* 32-bit system calls: none. */
	.globl entry_syscall32
entry_syscall32:
	movl $-38, %eax
	sysretl

/* Vectors 0..255: 16 bytes each. The vector stands where rdi belongs until the common part moves it. */
	.balign 16
	.globl vector_stubs
vector_stubs:
	.set v, 0
	.rept 256
	.balign 16
	.if v != 8 && !(v >= 10 && v <= 14) && v != 17 && v != 21 && v != 29 && v != 30
	pushq $0
	.endif
	pushq $v
	jmp trap_common
	.set v, v + 1
	.endr

	.balign 64
trap_common:
	cld
	ALTERNATIVE "", "clac", X86_FEATURE_SMAP
	PUSH_FROM_RSI
	movq R_RDI(%rsp), %rsi
	movq %rdi, R_RDI(%rsp)
	testb $3, R_CS(%rsp)
	jz trap_kernel
	swapgs
	lfence
	movq %rsp, %rdi
	leaq 1(%rsp), %rbp
	CALL_ON_REGS x86_trap_user
	jmp exit_by_iret

trap_kernel:
	lfence
	leaq iret_to_user(%rip), %rax
	cmpq %rax, R_RIP(%rsp)
	je trap_in_iret
1:	movq %rsp, %rdi
	leaq 1(%rsp), %rbp
	CALL_ON_REGS x86_trap_kernel, interrupted
exit_to_kernel:
	POP_TO_RDI
	addq $8, %rsp
	iretq

	/* The iretq to user mode itself faulted: GS is the user's already. Make it a fault of the user's context. */
trap_in_iret:
	swapgs
	movq %rsp, %rdi
	leaq 1(%rsp), %rbp
	CALL_ON_REGS x86_bad_iret		/* RDI: frame, RSI: vector; returns the user registers to use */
	movq %rax, %rsp
	leaq 1(%rsp), %rbp
	movq %rsp, %rdi
	CALL_ON_REGS x86_exit_to_user
	jmp exit_by_iret

/*
 * IST entries. From user mode they go on, on the task's stack, like any other. From kernel mode GS may be either: it is
 * saved, loaded from the stack's top word, and put back.
 */
.macro IST_STUB name, vector, errcode
	.globl \name
	.balign 16
\name:
	.if \errcode == 0
	pushq $0
	.endif
	pushq $\vector
	jmp ist_common
.endm
	IST_STUB ist_stub_df, 8, 1
	IST_STUB ist_stub_nmi, 2, 0
	IST_STUB ist_stub_mc, 18, 0
	IST_STUB ist_stub_db, 1, 0

ist_common:
	cld
	ALTERNATIVE "", "clac", X86_FEATURE_SMAP
	PUSH_FROM_RSI
	movq R_RDI(%rsp), %rsi
	movq %rdi, R_RDI(%rsp)
	testb $3, R_CS(%rsp)
	jnz ist_from_user
	movl $0xc0000101, %ecx
	rdmsr
	movl %eax, %r14d
	shlq $32, %rdx
	orq %rdx, %r14			/* r14: the base to put back */
	movq R_SIZE(%rsp), %rax		/* the word above the frame */
	movq %rax, %rdx
	shrq $32, %rdx
	wrmsr
	movq %rsp, %rdi
	leaq 1(%rsp), %rbp
	CALL_ON_REGS x86_trap_ist, interrupted
	movl $0xc0000101, %ecx
	movl %r14d, %eax
	movq %r14, %rdx
	shrq $32, %rdx
	wrmsr
	jmp exit_to_kernel

ist_from_user:
	swapgs
	lfence
	movq %rsp, %rdx
	movq %gs:cpu_tss+TSS_SP0(%rip), %rsp
	movl $21, %ecx
1:	pushq R_SS(%rdx)
	subq $8, %rdx
	decl %ecx
	jnz 1b
	movq %rsp, %rdi
	leaq 1(%rsp), %rbp
	CALL_ON_REGS x86_trap_user
	jmp exit_by_iret

	/*
	 * struct task *__switch_stacks(struct task *prev, unsigned long *save_sp, unsigned long load_sp)
	 * Comes back on the other stack with prev as the result.
	 */
	.text
	.globl __switch_stacks
__switch_stacks:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rsi)
	movq %rdx, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	movq %rdi, %rax
	ret

	/*
	 * First code of a task: __switch_stacks returns here with rax = prev, rbx = function or 0, r12 = its argument;
	 * the stack pointer is at the user registers.
	 */
	.section .entry.text, "ax"
	.globl ret_from_fork
ret_from_fork:
	movq %rax, %rdi
	leaq 1(%rsp), %rbp
	CALL_ON_REGS schedule_tail
	testq %rbx, %rbx
	jz 1f
	movq %r12, %rdi
	CALL_ON_REGS *%rbx
	movl $0, R_RAX(%rsp)
1:	movq %rsp, %rdi
	CALL_ON_REGS x86_exit_to_user
	jmp exit_by_iret

	.text
	/* bool rdmsr_safe(u32 msr, u64 *v), bool wrmsr_safe(u32 msr, u64 v) */
	.globl rdmsr_safe, wrmsr_safe
rdmsr_safe:
	movl %edi, %ecx
1:	rdmsr
	movl %eax, (%rsi)
	movl %edx, 4(%rsi)
	movl $1, %eax
	ret
wrmsr_safe:
	movl %edi, %ecx
	movl %esi, %eax
	movq %rsi, %rdx
	shrq $32, %rdx
2:	wrmsr
	movl $1, %eax
	ret
3:	xorl %eax, %eax
	ret
	.pushsection .extable, "a"
	.balign 4
	.long 1b - ., 3b - ., 0
	.long 2b - ., 3b - ., 0
	.popsection

	.section .rodata, "a"
verw_selector:
	.word 0x18

	.section .note.GNU-stack, "", @progbits
