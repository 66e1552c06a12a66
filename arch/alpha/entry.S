/* SPDX-License-Identifier: MIT */
/*
 * Every way into the kernel and out of it. PALcode switches to the kernel's stack, where it saves $29, $16..$18, the program counter and the
 * processor status, and loads $29 with the kernel's. The rest of struct pt_regs is saved below that.
 *
 * In the kernel $8 is the running task and $7 the distance to this CPU's variables: both lie at the end of the task's stack. While a handler
 * runs $15 points to the registers, so that a walk by frames finds what it interrupted (sched_stacktrace.c).
 *
 * PALcode leaves interrupts as they were: one may come on the first instruction of an exception of a program, where the processor status says
 * "kernel" and $7 and $8 are the program's. So they are loaded whoever was interrupted, and what was interrupted in here gets its own back.
 */
#include <arch_cpu/page.h>

#define R_ORIG_V0 256
#define R_ORIG_A3 264
#define R_NR 272
#define R_TRAP 280
#define R_PS 304
#define R_PC 312
#define R_SIZE 352
#define OURS 304		/* of it, what PALcode does not save */
#define PS_USER 8

	.set noat
	.set noreorder
	.set nomacro
	.arch ev67

	.section .entry.text, "ax"
	.globl entry_text_begin
entry_text_begin:

	/* All but $16..$18 and $29, which PALcode saved, $30 and $31. Then $7, $8, and the user's stack pointer or the interrupted kernel's. */
.macro SAVE_ALL
	lda	$30, -OURS($30)
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28
	stq	$\n, \n * 8($30)
	.endr
	stq	$16, R_TRAP($30)
	stq	$17, R_TRAP + 8($30)
	stq	$18, R_TRAP + 16($30)
	stq	$0, R_ORIG_V0($30)
	stq	$19, R_ORIG_A3($30)
	lda	$1, -1($31)
	stq	$1, R_NR($30)
	stq	$31, 31 * 8($30)
	ldq	$9, R_PS($30)
	and	$9, PS_USER, $9
	lda	$0, R_SIZE($30)		/* where the kernel's stack was */
	beq	$9, 1f
	call_pal 0x3a			/* rdusp */
1:	lda	$1, THREAD_SIZE - 1($31)
	bis	$30, $1, $1
	ldq	$8, -15($1)
	ldq	$7, -7($1)
	stq	$0, 30 * 8($30)
	bis	$31, $30, $15
.endm

.macro CALL fn
	ldq	$27, \fn($29)		!literal
	jsr	$26, ($27), \fn
	ldah	$29, 0($26)		!gpdisp!\@
	lda	$29, 0($29)		!gpdisp!\@
.endm

.macro ENTRY name, handler
	.globl	\name
	.align	5
\name:
	SAVE_ALL
	bis	$31, $30, $16
	CALL	\handler
	br	$31, exit
.endm

	ENTRY	alpha_ent_int, alpha_interrupt
	ENTRY	alpha_ent_arith, alpha_arith
	ENTRY	alpha_ent_mm, alpha_memory_fault
	ENTRY	alpha_ent_if, alpha_instruction_fault
	ENTRY	alpha_ent_una, alpha_unaligned
	ENTRY	alpha_ent_sys, alpha_system_call

	/*
	 * $30: the registers; interrupts are off where they go on in user mode. $7 and $8 stay as they are within the kernel, where a task may go on
	 * on another CPU; not so in here (alpha_interrupt).
	 */
	.align	5
exit:
	ldq	$9, R_PS($30)
	and	$9, PS_USER, $9
	bne	$9, 2f
	ldq	$1, R_PC($30)
	ldq	$2, entry_text_begin($29)	!literal
	cmpult	$1, $2, $3
	bne	$3, 1f
	ldq	$2, entry_text_end($29)		!literal
	cmpult	$1, $2, $3
	beq	$3, 1f
	br	$31, 3f
2:	ldq	$16, 30 * 8($30)
	call_pal 0x38			/* wrusp */
3:	ldq	$7, 7 * 8($30)
	ldq	$8, 8 * 8($30)
1:	.irp n, 0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28
	ldq	$\n, \n * 8($30)
	.endr
	lda	$30, OURS($30)
	call_pal 0x3f			/* rti */

	/* void arch_return_to_user(struct pt_regs *regs): REGS are at the top of the stack. */
	.globl	arch_return_to_user
	.align	5
arch_return_to_user:
	ldah	$29, 0($27)		!gpdisp!90
	lda	$29, 0($29)		!gpdisp!90
	bis	$31, $16, $30
	bis	$31, $30, $15
	CALL	alpha_exit_to_user
	br	$31, exit

	/* First code of a task: $16 = the one before, $9 = function or 0, $10 = its argument; the stack pointer is at the user registers. */
	.globl	ret_from_fork
	.align	5
ret_from_fork:
	ldah	$29, 0($26)		!gpdisp!91
	lda	$29, 0($29)		!gpdisp!91
	bis	$31, $30, $15
	CALL	schedule_tail
	beq	$9, 1f
	bis	$31, $10, $16
	bis	$31, $9, $27
	jsr	$26, ($27)
	ldah	$29, 0($26)		!gpdisp!92
	lda	$29, 0($29)		!gpdisp!92
1:	bis	$31, $30, $16
	CALL	alpha_exit_to_user
	br	$31, exit
	.globl entry_text_end
entry_text_end:

	.text
	/*
	 * struct task *__switch_stacks(struct task *prev, unsigned long *save_sp, unsigned long load_sp, struct task *next)
	 * Comes back on the other stack with prev as the result, and as first argument of ret_from_fork.
	 */
	.globl	__switch_stacks
	.align	5
__switch_stacks:
	lda	$30, -64($30)
	.irp n, 9, 10, 11, 12, 13, 14, 15
	stq	$\n, (\n - 9) * 8($30)
	.endr
	stq	$26, 56($30)
	stq	$30, 0($17)
	bis	$31, $18, $30
	bis	$31, $19, $8
	.irp n, 9, 10, 11, 12, 13, 14, 15
	ldq	$\n, (\n - 9) * 8($30)
	.endr
	ldq	$26, 56($30)
	lda	$30, 64($30)
	bis	$31, $16, $0
	ret	$31, ($26), 1

	/* void __swap_context(struct pcb *pcb, phys_addr_t pa) */
	.globl	__swap_context
	.align	5
__swap_context:
	stq	$30, 0($16)		/* PALcode does it only where this context is the running one */
	bis	$31, $17, $16
	call_pal 0x30			/* swpctx */
	ret	$31, ($26), 1

	/* Lets interrupts in and waits for one. One that comes in between goes on behind the wait (sched_trap.c). */
	.globl	arch_cpu_idle, idle_wait, idle_wait_end
	.align	5
arch_cpu_idle:
	bis	$31, $31, $16
	call_pal 0x35			/* swpipl */
idle_wait:
	bis	$31, $31, $16
	call_pal 0x3e			/* wtint */
idle_wait_end:
	ret	$31, ($26), 1

	.section .note.GNU-stack, "", @progbits
