/* SPDX-License-Identifier: MIT */
/*
 * Every way into the kernel and out of it.
 *
 * In the kernel $tp is the running task and $r21 the distance to this CPU's variables; for user mode both wait in scratch registers of
 * the CPU, with the place where the task's user registers go. All registers are saved as struct pt_regs; its last two
 * words are a frame record, so that a walk by frame pointers goes from the handler to what it interrupted: bit 0 of the address says that
 * all registers are before it (zeros: nothing, it was user mode).
 */
#include <arch_cpu/page.h>
#include "arch/loongarch64/asm_priv.h"

#define R_A0 32
#define R_ORIG 256
#define R_ERA 264
#define R_BADV 272
#define R_PRMD 280
#define R_ESTAT 288
#define R_NR 296
#define R_FRAME 304
#define R_SIZE 320

	.section .entry.text, "ax"

	/* All but $zero and $sp. */
.macro SAVE_GENERAL
	.irp n, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	st.d	$r\n, $sp, \n * 8
	.endr
.endm

	/* All but $sp and $r21, which is the CPU's in the kernel. */
.macro LOAD_GENERAL
	.irp n, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ld.d	$r\n, $sp, \n * 8
	.endr
.endm

	/* What is the same from both modes; $sp is the frame, the interrupted one waits in KS_SCRATCH. */
.macro SAVE_REST exception
	st.d	$zero, $sp, 0
	csrrd	$t0, KS_SCRATCH
	csrrd	$t1, CSR_ERA
	csrrd	$t2, CSR_PRMD
	st.d	$t0, $sp, 24
	st.d	$t1, $sp, R_ERA
	st.d	$t2, $sp, R_PRMD
	.if \exception
	csrrd	$t0, CSR_BADV
	csrrd	$t2, CSR_ESTAT
	st.d	$t0, $sp, R_BADV
	st.d	$t2, $sp, R_ESTAT
	.endif
	li.w	$t0, -1
	st.d	$a0, $sp, R_ORIG
	st.d	$t0, $sp, R_NR
.endm

	/* $sp = \used bytes below the end of this CPU's spare stack. Clobbers t0. */
.macro SPARE_STACK used
#ifdef CONFIG_KASAN
	csrrd	$t0, CSR_TID			/* the CPU's number */
	slli.d	$t0, $t0, 3
	la.pcrel $sp, overflow_stacks
	ldx.d	$sp, $sp, $t0
	li.w	$t0, OVERFLOW_STACK_SIZE - \used
	add.d	$sp, $sp, $t0
#else
	la.pcrel $sp, overflow_stack
	add.d	$sp, $sp, $r21
	li.w	$t0, OVERFLOW_STACK_SIZE - \used
	add.d	$sp, $sp, $t0
#endif
.endm

.macro FROM_USER handler, exception
	csrrd	$sp, KS_FRAME
	SAVE_GENERAL
	SAVE_REST \exception
	st.d	$zero, $sp, R_FRAME
	st.d	$zero, $sp, R_FRAME + 8
	csrrd	$tp, KS_TASK
	csrrd	$r21, KS_PERCPU
	addi.d	$fp, $sp, R_SIZE
	move	$a0, $sp
	bl	\handler
	b	exit_to_user
.endm

.macro ENTRY kernel, user, exception
	csrwr	$sp, KS_SCRATCH
	csrrd	$sp, CSR_PRMD
	andi	$sp, $sp, 3
	bnez	$sp, 1f
	csrrd	$sp, KS_SCRATCH
	csrwr	$t0, KS_SCRATCH2
	addi.d	$sp, $sp, -R_SIZE
	ld.d	$t0, $tp, 8		/* task->stack */
	sub.d	$t0, $sp, $t0
	srli.d	$t0, $t0, THREAD_SHIFT
	bnez	$t0, stack_overflow
	csrrd	$t0, KS_SCRATCH2
	SAVE_GENERAL
	SAVE_REST \exception
	ori	$t1, $t1, 1
	st.d	$fp, $sp, R_FRAME
	st.d	$t1, $sp, R_FRAME + 8
	addi.d	$fp, $sp, R_SIZE
	move	$a0, $sp
	bl	\kernel
	b	exit_to_kernel
1:	FROM_USER \user, \exception
.endm

.macro VECTOR to
	.balign 4 << VECTOR_SHIFT
	b	\to
.endm

	.balign 4096			/* not a page: what EENTRY takes */
	.globl vectors
vectors:
	VECTOR	exception		/* 0: not used, interrupts have their own */
	VECTOR	no_entry		/* 1..3: load, store, fetch of what is not valid */
	VECTOR	no_entry
	VECTOR	no_entry
	.rept 7
	VECTOR	exception
	.endr
	VECTOR	system_call		/* 11 */
	.rept 52
	VECTOR	exception
	.endr
	.rept 14			/* 64: one for each interrupt line */
	VECTOR	interrupt
	.endr

	/*
	 * A CPU may remember that a kernel page is not there, or that its neighbour in the pair was not, and nobody tells it
	 * when one is mapped. So before anything else the tables are asked, without touching memory that may be missing.
	 */
no_entry:
	csrwr	$t0, KS_SCRATCH
	csrrd	$t0, CSR_BADV
	bgez	$t0, 3f
	csrwr	$t1, KS_SCRATCH2
	csrrd	$t0, CSR_PGDH
	lu52i.d	$t1, $zero, -1792	/* DIRECT_MAP_START, in which the entries of tables are too */
	or	$t0, $t0, $t1
	csrrd	$t1, CSR_BADV
	bstrpick.d $t1, $t1, 46, 36
	alsl.d	$t0, $t1, $t0, 3
	ld.d	$t0, $t0, 0
	beqz	$t0, 2f
	csrrd	$t1, CSR_BADV
	bstrpick.d $t1, $t1, 35, 25
	alsl.d	$t0, $t1, $t0, 3
	ld.d	$t0, $t0, 0
	beqz	$t0, 2f
	csrrd	$t1, CSR_BADV
	bstrpick.d $t1, $t1, 24, 14
	alsl.d	$t0, $t1, $t0, 3
	ld.d	$t0, $t0, 0
	andi	$t0, $t0, 1
	beqz	$t0, 2f
	csrrd	$t0, CSR_BADV
	invtlb	6, $zero, $t0
	csrrd	$t1, KS_SCRATCH2
	csrrd	$t0, KS_SCRATCH
	ertn
2:	csrrd	$t1, KS_SCRATCH2
3:	csrrd	$t0, KS_SCRATCH
exception:
	ENTRY	la64_kernel_exception, la64_user_exception, 1

interrupt:
	ENTRY	la64_kernel_irq, la64_user_irq, 0

	/* The stack pointer is not where this task's stack is. What is left is to say so, on a stack kept for that. */
stack_overflow:
	SPARE_STACK R_SIZE
	csrrd	$t0, KS_SCRATCH2
	SAVE_GENERAL
	SAVE_REST 1
	ori	$t1, $t1, 1
	st.d	$fp, $sp, R_FRAME
	st.d	$t1, $sp, R_FRAME + 8
	addi.d	$fp, $sp, R_SIZE
	move	$a0, $sp
	bl	la64_stack_overflow
1:	b	1b

	/*
	 * The kernel makes none. The ABI leaves $t0 to $t8 to the callee: not saved, they come back as what they were when last saved (never the
	 * kernel's). The call goes on behind the instruction; until it is made its result is -ENOSYS.
	 */
system_call:
	csrwr	$sp, KS_SCRATCH
	csrrd	$sp, KS_FRAME
	.irp n, 1, 2, 5, 6, 7, 8, 9, 10, 11, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	st.d	$r\n, $sp, \n * 8
	.endr
	csrrd	$t0, KS_SCRATCH
	csrrd	$t1, CSR_ERA
	csrrd	$t2, CSR_PRMD
	addi.d	$t1, $t1, 4
	addi.w	$t3, $a7, 0
	li.w	$t4, -38
	st.d	$t0, $sp, 24
	st.d	$t1, $sp, R_ERA
	st.d	$t2, $sp, R_PRMD
	st.d	$t3, $sp, R_NR
	st.d	$t4, $sp, R_A0
	st.d	$a0, $sp, R_ORIG
	st.d	$zero, $sp, R_FRAME
	st.d	$zero, $sp, R_FRAME + 8
	csrrd	$tp, KS_TASK
	csrrd	$r21, KS_PERCPU
	addi.d	$fp, $sp, R_SIZE
	move	$a0, $sp
	li.w	$t0, CRMD_INTERRUPTS
	csrxchg	$t0, $t0, CSR_CRMD
	bl	syscall_dispatch
#ifndef CONFIG_DEBUG			/* whose checks are in C */
	li.w	$t0, CRMD_INTERRUPTS
	csrxchg	$zero, $t0, CSR_CRMD
	ld.wu	$t0, $tp, 0		/* task->work_flags, TIF_EXIT_WORK_MASK */
	beqz	$t0, exit_to_user
#endif
	move	$a0, $sp
	bl	la64_exit_to_user
	b	exit_to_user

exit_to_kernel:
	ld.d	$t0, $sp, R_ERA
	ld.d	$t1, $sp, R_PRMD
	csrwr	$t0, CSR_ERA
	csrwr	$t1, CSR_PRMD
	LOAD_GENERAL
	ld.d	$sp, $sp, 24
	ertn

exit_to_user:
	ld.d	$t0, $sp, R_ERA
	ld.d	$t1, $sp, R_PRMD
	csrwr	$t0, CSR_ERA
	csrwr	$t1, CSR_PRMD
	LOAD_GENERAL
	ld.d	$r21, $sp, 21 * 8
	ld.d	$sp, $sp, 24
	ertn

	/* void arch_return_to_user(struct pt_regs *regs): REGS are at the top of the stack. */
	.globl arch_return_to_user
arch_return_to_user:
	move	$sp, $a0
	addi.d	$fp, $sp, R_SIZE
	st.d	$zero, $sp, R_FRAME
	st.d	$zero, $sp, R_FRAME + 8
	bl	la64_exit_to_user
	b	exit_to_user

	/*
	 * Translation is off here. Two pages are one TLB entry, global where both halves say so: an absent neighbour of a
	 * kernel page has to say it too. Absent tables give an entry that is not valid, which faults. All leaves are base pages, so the
	 * size in TLBREHI stays as head.S set it. Not by ldpte: QEMU's (10.0) leaves the right to execute out.
	 */
.macro WALK root, none
	csrrd	$t0, \root
	lddir	$t0, $t0, 3
	beqz	$t0, \none
	lddir	$t0, $t0, 1
	beqz	$t0, \none
	bstrpick.d $t1, $t1, 24, 15
	alsl.d	$t0, $t1, $t0, 4
	ld.d	$t1, $t0, 8
	ld.d	$t0, $t0, 0
.endm
	.balign 4096			/* not a page: what TLBRENTRY takes */
	.globl tlb_refill
tlb_refill:
	csrwr	$t0, CSR_TLBRSAVE
	csrwr	$t1, KS_REFILL
	csrrd	$t1, CSR_TLBRBADV
	bltz	$t1, 2f
	csrrd	$t0, CSR_TLBRERA
	bstrins.d $t0, $zero, 1, 0
	beq	$t0, $t1, 5f
	WALK	CSR_PGDL, 3f
1:	csrwr	$t0, CSR_TLBRELO0
	csrwr	$t1, CSR_TLBRELO1
	tlbfill
	csrrd	$t1, KS_REFILL
	csrrd	$t0, CSR_TLBRSAVE
	ertn
2:	WALK	CSR_PGDH, 4f
	ori	$t0, $t0, 0x40
	ori	$t1, $t1, 0x40
	b	1b
3:	move	$t1, $zero
	b	1b
4:	ori	$t0, $zero, 0x40
	ori	$t1, $zero, 0x40
	b	1b
	/* A fetch: what must not be executed is not valid for it. QEMU (10.0) takes the fault of the right itself for ever. */
5:	WALK	CSR_PGDL, 3b
	csrwr	$t2, KS_REFILL2
	csrrd	$t2, CSR_TLBRBADV
	bstrpick.d $t2, $t2, 14, 14
	bnez	$t2, 6f
	srli.d	$t2, $t0, 62		/* LA64_PTE_NX; above it is nothing */
	andn	$t0, $t0, $t2		/* LA64_PTE_VALID */
	csrrd	$t2, KS_REFILL2
	b	1b
6:	srli.d	$t2, $t1, 62
	andn	$t1, $t1, $t2
	csrrd	$t2, KS_REFILL2
	b	1b

	/*
	 * Memory or a cache is broken, translation is off. Nothing can go on, whatever ran here; what is left is to say so. Through a window on
	 * memory to where the image is mapped, then to C on the spare stack.
	 */
	.balign 4096			/* not a page */
	.globl machine_error
machine_error:
	li.d	$t0, DIRECT_MAP_START | WINDOW_NORMAL | WINDOW_PLV0
	csrwr	$t0, CSR_DMW0
	li.d	$t1, DIRECT_MAP_START
	la.pcrel $t0, 1f
	bstrpick.d $t0, $t0, 47, 0
	or	$t0, $t0, $t1
	jr	$t0
1:	li.w	$t0, CRMD_PAGING
	csrwr	$t0, CSR_CRMD
	la.pcrel $t0, error_virtual
	ld.d	$t0, $t0, 0
	jr	$t0
	.balign 8
error_virtual:
	.dword	2f			/* in the mapped image, wherever that is */
2:	csrwr	$zero, CSR_DMW0
	csrrd	$tp, KS_TASK
	csrrd	$r21, KS_PERCPU
	SPARE_STACK 0
	move	$fp, $zero
	bl	la64_machine_error
3:	b	3b

	.text
	/*
	 * struct task *__switch_stacks(struct task *prev, unsigned long *save_sp, unsigned long load_sp, struct task *next)
	 * Comes back on the other stack with prev as the result.
	 */
	.globl __switch_stacks
__switch_stacks:
	addi.d	$sp, $sp, -96
	st.d	$ra, $sp, 88
	st.d	$fp, $sp, 80
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8
	st.d	$s\n, $sp, \n * 8
	.endr
	st.d	$sp, $a1, 0
	move	$sp, $a2
	move	$tp, $a3
	csrwr	$a3, KS_TASK
	ld.d	$t0, $tp, 8		/* task->stack */
	li.d	$t1, THREAD_SIZE - R_SIZE
	add.d	$t0, $t0, $t1
	csrwr	$t0, KS_FRAME
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8
	ld.d	$s\n, $sp, \n * 8
	.endr
	ld.d	$fp, $sp, 80
	ld.d	$ra, $sp, 88
	addi.d	$sp, $sp, 96
	ret

	/* First code of a task: a0 = prev, s0 = function or 0, s1 = its argument; the stack pointer is at the user registers. */
	.globl ret_from_fork
ret_from_fork:
	addi.d	$fp, $sp, R_SIZE
	bl	schedule_tail
	beqz	$s0, 1f
	move	$a0, $s1
	jirl	$ra, $s0, 0
	st.d	$zero, $sp, 4 * 8
1:	move	$a0, $sp
	bl	la64_exit_to_user
	b	exit_to_user

	/* Lets interrupts in and waits for one. One that comes in between goes on behind the wait (sched_trap.c). */
	.globl idle_wait, idle_wait_end, arch_cpu_idle
arch_cpu_idle:
	li.w	$t0, CRMD_INTERRUPTS
	csrxchg	$t0, $t0, CSR_CRMD
idle_wait:
	idle	0
idle_wait_end:
	ret

	.section .note.GNU-stack, "", @progbits
