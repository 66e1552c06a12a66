/* SPDX-License-Identifier: MIT */
/*
 * Every way into the kernel and out of it.
 *
 * From user mode SP_EL1 is the top of the task's stack; SP_EL0 holds the user's stack pointer and is loaded with
 * the running task. All registers are saved as struct pt_regs; its last two words are a frame record, so that a walk by
 * frame pointers goes from the handler to what it interrupted (bit 0 of its address says that
 * all registers are before it; zeros: nothing, it was user mode).
 */
#include <arch_cpu/page.h>

#define R_X30 240
#define R_SP 248
#define R_PC 256
#define R_PSTATE 264
#define R_ORIG 272
#define R_NR 280
#define R_FRAME 288
#define R_SIZE 304

	.section .entry.text, "ax"

.macro SAVE_GENERAL
	stp x0, x1, [sp, #0]
	stp x2, x3, [sp, #16]
	stp x4, x5, [sp, #32]
	stp x6, x7, [sp, #48]
	stp x8, x9, [sp, #64]
	stp x10, x11, [sp, #80]
	stp x12, x13, [sp, #96]
	stp x14, x15, [sp, #112]
	stp x16, x17, [sp, #128]
	stp x18, x19, [sp, #144]
	stp x20, x21, [sp, #160]
	stp x22, x23, [sp, #176]
	stp x24, x25, [sp, #192]
	stp x26, x27, [sp, #208]
	stp x28, x29, [sp, #224]
.endm

.macro LOAD_GENERAL
	ldp x0, x1, [sp, #0]
	ldp x2, x3, [sp, #16]
	ldp x4, x5, [sp, #32]
	ldp x6, x7, [sp, #48]
	ldp x8, x9, [sp, #64]
	ldp x10, x11, [sp, #80]
	ldp x12, x13, [sp, #96]
	ldp x14, x15, [sp, #112]
	ldp x16, x17, [sp, #128]
	ldp x18, x19, [sp, #144]
	ldp x20, x21, [sp, #160]
	ldp x22, x23, [sp, #176]
	ldp x24, x25, [sp, #192]
	ldp x26, x27, [sp, #208]
	ldp x28, x29, [sp, #224]
	ldr x30, [sp, #R_X30]
.endm

.macro VECTOR el, handler
	.balign 128
	sub sp, sp, #R_SIZE
	.if \el == 1
	add sp, sp, x0			/* without another register: x0 = sp, tested, and back */
	sub x0, sp, x0
	tbz x0, #THREAD_SHIFT, stack_overflow
	sub x0, sp, x0
	sub sp, sp, x0
	.endif
	SAVE_GENERAL
	mrs x22, elr_el1
	mrs x23, spsr_el1
	.if \el == 0
	mrs x21, sp_el0
	.else
	add x21, sp, #R_SIZE
	.endif
	adr x24, \handler
	b common_el\el
.endm

	.balign 2048
	.globl vectors
vectors:
	VECTOR 1, call_bad		/* on SP_EL0: never used */
	VECTOR 1, call_bad
	VECTOR 1, call_bad
	VECTOR 1, call_bad
	VECTOR 1, call_kernel_sync
	VECTOR 1, call_kernel_irq
	VECTOR 1, call_bad
	VECTOR 1, call_serror
	VECTOR 0, call_user_sync
	VECTOR 0, call_user_irq
	VECTOR 0, call_bad
	VECTOR 0, call_serror
	VECTOR 0, call_bad		/* 32-bit programs are not run */
	VECTOR 0, call_bad
	VECTOR 0, call_bad
	VECTOR 0, call_bad

/* The handlers may be far away: near stubs. */
call_kernel_sync:
	b a64_kernel_sync
call_kernel_irq:
	b a64_kernel_irq
call_user_sync:
	b a64_user_sync
call_user_irq:
	b a64_user_irq
call_overflow:
	b a64_stack_overflow
call_serror:
	b a64_serror
call_bad:
	b a64_bad

	/*
	 * A kernel stack is full (its upper half begins where the bit is set): x0 is what the stack pointer was, sp that and x0's value.
	 * The user's thread pointers are scratch, nothing of this task goes on.
	 */
stack_overflow:
	msr tpidrro_el0, x0
	sub x0, sp, x0
	msr tpidr_el0, x0
	adrp x0, overflow_stack + OVERFLOW_STACK_SIZE
	add x0, x0, :lo12:overflow_stack + OVERFLOW_STACK_SIZE
	mov sp, x0
	mrs x0, tpidr_el1
	add sp, sp, x0
	sub sp, sp, #R_SIZE
	mrs x0, tpidr_el0
	SAVE_GENERAL
	mrs x21, tpidrro_el0
	msr tpidrro_el0, xzr
	add x21, x21, #R_SIZE
	mrs x22, elr_el1
	mrs x23, spsr_el1
	adr x24, call_overflow
	b common_el1

common_el0:
	stp x30, x21, [sp, #R_X30]
	stp x22, x23, [sp, #R_PC]
	mov x9, #-1
	stp x0, x9, [sp, #R_ORIG]
	stp xzr, xzr, [sp, #R_FRAME]
	add x29, sp, #R_FRAME
	mrs x9, tpidr_el1
	adrp x10, current_task
	add x10, x10, :lo12:current_task
	ldr x10, [x10, x9]
	msr sp_el0, x10
	mov x0, sp
	mrs x1, esr_el1
	blr x24
exit_to_user:
	ldp x21, x22, [sp, #R_SP]
	ldr x23, [sp, #R_PSTATE]
	msr sp_el0, x21
	msr elr_el1, x22
	msr spsr_el1, x23
	LOAD_GENERAL
	add sp, sp, #R_SIZE
	eret

common_el1:
	stp x30, x21, [sp, #R_X30]
	stp x22, x23, [sp, #R_PC]
	mov x9, #-1
	stp x0, x9, [sp, #R_ORIG]
	orr x22, x22, #1
	stp x29, x22, [sp, #R_FRAME]
	add x29, sp, #R_FRAME
	mov x0, sp
	mrs x1, esr_el1
	blr x24
	ldp x22, x23, [sp, #R_PC]
	msr elr_el1, x22
	msr spsr_el1, x23
	LOAD_GENERAL
	add sp, sp, #R_SIZE
	eret

	/* void arch_return_to_user(struct pt_regs *regs): REGS are at the top of the stack. */
	.globl arch_return_to_user
arch_return_to_user:
	mov sp, x0
	add x29, sp, #R_FRAME
	stp xzr, xzr, [x29]
	bl a64_exit_to_user
	b exit_to_user

	/*
	 * struct task *__switch_stacks(struct task *prev, unsigned long *save_sp, unsigned long load_sp, struct task *next)
	 * Comes back on the other stack with prev as the result.
	 */
	.text
	.globl __switch_stacks
__switch_stacks:
	stp x29, x30, [sp, #-96]!
	stp x19, x20, [sp, #16]
	stp x21, x22, [sp, #32]
	stp x23, x24, [sp, #48]
	stp x25, x26, [sp, #64]
	stp x27, x28, [sp, #80]
	mov x9, sp
	str x9, [x1]
	mov sp, x2
	msr sp_el0, x3
	ldp x19, x20, [sp, #16]
	ldp x21, x22, [sp, #32]
	ldp x23, x24, [sp, #48]
	ldp x25, x26, [sp, #64]
	ldp x27, x28, [sp, #80]
	ldp x29, x30, [sp], #96
	ret

	/* First code of a task: x0 = prev, x19 = function or 0, x20 = its argument; the stack pointer is at the user registers. */
	.globl ret_from_fork
ret_from_fork:
	add x29, sp, #R_FRAME
	bl schedule_tail
	cbz x19, 1f
	mov x0, x20
	blr x19
	str xzr, [sp]
1:	mov x0, sp
	bl a64_exit_to_user
	b exit_to_user

	.section .note.GNU-stack, "", @progbits
