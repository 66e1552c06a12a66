/* SPDX-License-Identifier: MIT */
/*
 * Every way into the kernel and out of it.
 *
 * sscratch is the running task while user mode runs and 0 in the kernel, so that entry knows where it comes from; tp is the task in the
 * kernel, gp the distance to the CPU's variables. All registers are saved as struct pt_regs; its last two words are a frame
 * record, so that a walk by frame pointers goes from the handler to what it interrupted (bit 0 of its address says that
 * all registers are before it; zeros: nothing, it was user mode).
 */
#include <arch_cpu/page.h>

#define T_STACK 8
#define T_PERCPU 24
#define T_USER_REGS 32
#define T_SCRATCH 40

#define R_PC 0
#define R_RA 8
#define R_SP 16
#define R_GP 24
#define R_TP 32
#define R_T0 40
#define R_T1 48
#define R_T2 56
#define R_S0 64
#define R_A0 80
#define R_STATUS 256
#define R_BADADDR 264
#define R_CAUSE 272
#define R_ORIG 280
#define R_NR 288
#define R_FRAME 304
#define R_SIZE 320

#define OVERFLOW_STACK_SIZE 8192	/* not a page */
#define SR_CLEAR (1 << 18 | 3 << 13 | 3 << 9)	/* SUM, FS, VS */
#define CAUSE_ECALL_USER 8

	.section .entry.text, "ax"

/* All but pc, sp, gp, tp. */
.macro SAVE_GENERAL
	sd ra, R_RA(sp)
	sd t0, R_T0(sp)
	sd t1, R_T1(sp)
	sd t2, R_T2(sp)
	sd s0, R_S0(sp)
	sd s1, 72(sp)
	sd a0, 80(sp)
	sd a1, 88(sp)
	sd a2, 96(sp)
	sd a3, 104(sp)
	sd a4, 112(sp)
	sd a5, 120(sp)
	sd a6, 128(sp)
	sd a7, 136(sp)
	sd s2, 144(sp)
	sd s3, 152(sp)
	sd s4, 160(sp)
	sd s5, 168(sp)
	sd s6, 176(sp)
	sd s7, 184(sp)
	sd s8, 192(sp)
	sd s9, 200(sp)
	sd s10, 208(sp)
	sd s11, 216(sp)
	sd t3, 224(sp)
	sd t4, 232(sp)
	sd t5, 240(sp)
	sd t6, 248(sp)
.endm

/* Also ends a reservation that somebody's load-reserved left (the store is of what lies there). */
.macro LOAD_GENERAL
	ld t0, R_PC(sp)
	ld t1, R_STATUS(sp)
	sc.d zero, t0, (sp)
	csrw sepc, t0
	csrw sstatus, t1
	ld ra, R_RA(sp)
	ld t0, R_T0(sp)
	ld t1, R_T1(sp)
	ld t2, R_T2(sp)
	ld s0, R_S0(sp)
	ld s1, 72(sp)
	ld a0, 80(sp)
	ld a1, 88(sp)
	ld a2, 96(sp)
	ld a3, 104(sp)
	ld a4, 112(sp)
	ld a5, 120(sp)
	ld a6, 128(sp)
	ld a7, 136(sp)
	ld s2, 144(sp)
	ld s3, 152(sp)
	ld s4, 160(sp)
	ld s5, 168(sp)
	ld s6, 176(sp)
	ld s7, 184(sp)
	ld s8, 192(sp)
	ld s9, 200(sp)
	ld s10, 208(sp)
	ld s11, 216(sp)
	ld t3, 224(sp)
	ld t4, 232(sp)
	ld t5, 240(sp)
	ld t6, 248(sp)
.endm

	.balign 4
	.globl rv_trap_entry
rv_trap_entry:
	csrrw tp, sscratch, tp
	beqz tp, from_kernel

	sd sp, T_SCRATCH(tp)
	ld sp, T_USER_REGS(tp)
	SAVE_GENERAL
	sd gp, R_GP(sp)
	ld t0, T_SCRATCH(tp)
	csrrw t1, sscratch, zero
	li t2, SR_CLEAR
	csrrc t2, sstatus, t2
	csrr t3, sepc
	csrr t4, stval
	csrr a1, scause
	li t5, -1
	sd t0, R_SP(sp)
	sd t1, R_TP(sp)
	sd t2, R_STATUS(sp)
	sd t3, R_PC(sp)
	sd t4, R_BADADDR(sp)
	sd a1, R_CAUSE(sp)
	sd a0, R_ORIG(sp)
	sd t5, R_NR(sp)
	sd zero, R_FRAME(sp)
	sd zero, R_FRAME+8(sp)
	ld gp, T_PERCPU(tp)
	addi s0, sp, R_SIZE
	mv a0, sp
	lla ra, exit_to_user
	li t0, CAUSE_ECALL_USER
	bne a1, t0, 1f
	tail rv_system_call
1:	bltz a1, 2f
	tail rv_user_trap
2:	tail rv_user_irq

exit_to_user:
	csrw sscratch, tp
	LOAD_GENERAL
	ld gp, R_GP(sp)
	ld tp, R_TP(sp)
	ld sp, R_SP(sp)
	sret

from_kernel:
	csrrw tp, sscratch, tp
	sd t0, T_SCRATCH(tp)
	ld t0, T_STACK(tp)
	addi sp, sp, -R_SIZE
	sub t0, sp, t0
	srli t0, t0, THREAD_SHIFT
	bnez t0, overflow
	ld t0, T_SCRATCH(tp)
	SAVE_GENERAL
	addi t0, sp, R_SIZE
	lla ra, exit_to_kernel
common_kernel:
	li t2, SR_CLEAR
	csrrc t2, sstatus, t2
	csrr t3, sepc
	csrr t4, stval
	csrr a1, scause
	li t5, -1
	sd t0, R_SP(sp)
	sd gp, R_GP(sp)
	sd tp, R_TP(sp)
	sd t2, R_STATUS(sp)
	sd t3, R_PC(sp)
	sd t4, R_BADADDR(sp)
	sd a1, R_CAUSE(sp)
	sd a0, R_ORIG(sp)
	sd t5, R_NR(sp)
	ori t3, t3, 1
	sd s0, R_FRAME(sp)
	sd t3, R_FRAME+8(sp)
	addi s0, sp, R_SIZE
	mv a0, sp
	bltz a1, 1f
	tail rv_kernel_trap
1:	tail rv_kernel_irq

/* gp stays: the task may have been moved to another CPU meanwhile. */
exit_to_kernel:
	LOAD_GENERAL
	ld sp, R_SP(sp)
	sret

/* The stack pointer is not where this task's stack is. What is left is to say so, on a stack kept for that. */
overflow:
	addi sp, sp, R_SIZE
	sd sp, T_USER_REGS(tp)
	lla sp, overflow_stack
	add sp, sp, gp
	li t0, OVERFLOW_STACK_SIZE - R_SIZE
	add sp, sp, t0
	ld t0, T_SCRATCH(tp)
	SAVE_GENERAL
	ld t0, T_USER_REGS(tp)
	li t2, SR_CLEAR
	csrrc t2, sstatus, t2
	csrr t3, sepc
	csrr t4, stval
	csrr a1, scause
	sd t0, R_SP(sp)
	sd gp, R_GP(sp)
	sd tp, R_TP(sp)
	sd t2, R_STATUS(sp)
	sd t3, R_PC(sp)
	sd t4, R_BADADDR(sp)
	sd a1, R_CAUSE(sp)
	ori t3, t3, 1
	sd s0, R_FRAME(sp)
	sd t3, R_FRAME+8(sp)
	addi s0, sp, R_SIZE
	mv a0, sp
	call rv_stack_overflow
1:	wfi
	j 1b

	/* void arch_return_to_user(struct pt_regs *regs): REGS are at the top of the stack. */
	.globl arch_return_to_user
arch_return_to_user:
	mv sp, a0
	addi s0, sp, R_SIZE
	sd zero, R_FRAME(sp)
	sd zero, R_FRAME+8(sp)
	call rv_exit_to_user
	j exit_to_user

	/*
	 * struct task *__switch_stacks(struct task *prev, unsigned long *save_sp, unsigned long load_sp, struct task *next)
	 * Comes back on the other stack with prev as the result. What it leaves ends with a frame record.
	 */
	.text
	.globl __switch_stacks
__switch_stacks:
	addi sp, sp, -112
	sd s1, 0(sp)
	sd s2, 8(sp)
	sd s3, 16(sp)
	sd s4, 24(sp)
	sd s5, 32(sp)
	sd s6, 40(sp)
	sd s7, 48(sp)
	sd s8, 56(sp)
	sd s9, 64(sp)
	sd s10, 72(sp)
	sd s11, 80(sp)
	sd s0, 96(sp)
	sd ra, 104(sp)
	sd sp, 0(a1)
	mv sp, a2
	mv tp, a3
	ld s1, 0(sp)
	ld s2, 8(sp)
	ld s3, 16(sp)
	ld s4, 24(sp)
	ld s5, 32(sp)
	ld s6, 40(sp)
	ld s7, 48(sp)
	ld s8, 56(sp)
	ld s9, 64(sp)
	ld s10, 72(sp)
	ld s11, 80(sp)
	ld s0, 96(sp)
	ld ra, 104(sp)
	addi sp, sp, 112
	ret

	/* First code of a task: a0 = prev, s1 = function or 0, s2 = its argument; the stack pointer is at the user registers. */
	.globl ret_from_fork
ret_from_fork:
	addi s0, sp, R_SIZE
	call schedule_tail
	beqz s1, 1f
	mv a0, s2
	jalr s1
	sd zero, R_A0(sp)
1:	mv a0, sp
	call rv_exit_to_user
	la t0, exit_to_user
	jr t0

	.section .note.GNU-stack, "", @progbits
