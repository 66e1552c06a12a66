/* SPDX-License-Identifier: MIT */
/*
 * Every way into the kernel and out of it.
 *
 * The CPU has sets of globals of its own for traps (AG), MMU misses (MG) and interrupt vectors (IG): their %g7 is the trap block, in MG at its
 * physical address. In the kernel %g6 is the running task and %g7 the distance to this CPU's variables.
 *
 * Register windows: while a program runs, wstate is WSTATE_USER and its windows are spilled to and filled from its stack. On entry what windows
 * it has become "other" windows: spills of those go to the task (struct arch_spilled), where nothing can fault; on the way out C writes
 * them to the program's stack and, if the window that trapped is not in the CPU any more, reads that back (sched_window.c).
 * A fault in a user's own spill or fill is taken as a fault of its save or restore.
 */
#include <arch_cpu/page.h>
#include "arch/sparc64/asm_priv.h"

	.register %g2, #scratch
	.register %g3, #scratch
	.register %g6, #scratch
	.register %g7, #scratch

	.section .entry.text, "ax"
	.globl entry_text, entry_text_end
entry_text:

.macro TO where, slots=1		/* \slots times eight instructions */
	.rept \slots
	ba,a,pt	%xcc, \where
	 nop
	.balign	32
	.endr
.endm


.macro CLEAN_WINDOW
	rdpr	%cleanwin, %l0
	add	%l0, 1, %l0
	wrpr	%l0, 0, %cleanwin
	.irp r, l0, l1, l2, l3, l4, l5, l6, l7, o0, o1, o2, o3, o4, o5, o6, o7
	mov	%g0, %\r
	.endr
	retry
	.balign	128
.endm

	/* Three loads through the tables. In: %g4 = address | context, %g2 = root. Out: %g2 = the entry. %g6 = 0x1ff8, 0 has no table. */
.macro WALK none
	.irp s, 30, 20
	srlx	%g4, \s, %g1
	and	%g1, %g6, %g1
	ldxa	[%g2 + %g1] ASI_PHYS, %g2
	brz,pn	%g2, \none
	 nop
	.endr
	srlx	%g4, 10, %g1
	and	%g1, %g6, %g1
	ldxa	[%g2 + %g1] ASI_PHYS, %g2
	brgez,pn %g2, \none
	 nop
.endm

.macro ITLB_MISS
	mov	MMU_TAG, %g1
	ba,pt	%xcc, itlb_miss
	 ldxa	[%g1] ASI_IMMU, %g4
	.balign	128
.endm

.macro DTLB_MISS
	mov	MMU_TAG, %g1
	ldxa	[%g1] ASI_DMMU, %g4
	sllx	%g4, 51, %g5			/* the context */
	brz,pn	%g5, dtlb_miss_kernel
	 srlx	%g4, 43, %g1
	brnz,pn	%g1, dtlb_slow			/* no user address */
	 ldxa	[%g7] ASI_PHYS, %g2
	WALK	dtlb_slow
	stxa	%g2, [%g0] ASI_DTLB_IN
	retry
	.balign	128
.endm


	/* To the kernel's stack, which the window's own stack pointer names. */
.macro SPILL_KERNEL
	.set	.Lat, BIAS
	.irp r, l0, l1, l2, l3, l4, l5, l6, l7, i0, i1, i2, i3, i4, i5, i6, i7
	stx	%\r, [%sp + .Lat]
	.set	.Lat, .Lat + 8
	.endr
	saved
	retry
	.balign	128
.endm

.macro FILL_KERNEL
	.set	.Lat, BIAS
	.irp r, l0, l1, l2, l3, l4, l5, l6, l7, i0, i1, i2, i3, i4, i5, i6, i7
	ldx	[%sp + .Lat], %\r
	.set	.Lat, .Lat + 8
	.endr
	restored
	retry
	.balign	128
.endm

	/* A program's window while the kernel runs: to the task. */
.macro SPILL_OTHER
	ldx	[%g7 + TB_SPILLED], %g6
	.set	.Lat, 0
	.irp r, l0, l1, l2, l3, l4, l5, l6, l7, i0, i1, i2, i3, i4, i5, i6, i7, sp
	stx	%\r, [%g6 + .Lat]
	.set	.Lat, .Lat + 8
	.endr
	add	%g6, .Lat, %g6
	stx	%g6, [%g7 + TB_SPILLED]
	saved
	retry
	.balign	128
.endm

.macro FOUR_TO_USER a, b, c, d
	stxa	%\a, [%g1] ASI_AS_IF_USER
	stxa	%\b, [%g1 + %g2] ASI_AS_IF_USER
	stxa	%\c, [%g1 + %g3] ASI_AS_IF_USER
	stxa	%\d, [%g1 + %g4] ASI_AS_IF_USER
	add	%g1, 32, %g1
.endm
.macro FOUR_FROM_USER a, b, c, d
	ldxa	[%g1] ASI_AS_IF_USER, %\a
	ldxa	[%g1 + %g2] ASI_AS_IF_USER, %\b
	ldxa	[%g1 + %g3] ASI_AS_IF_USER, %\c
	ldxa	[%g1 + %g4] ASI_AS_IF_USER, %\d
	add	%g1, 32, %g1
.endm
.macro USER_INDEXES
	add	%sp, BIAS, %g1
	mov	8, %g2
	mov	16, %g3
	mov	24, %g4
.endm
.macro SPILL_USER
	USER_INDEXES
	FOUR_TO_USER l0, l1, l2, l3
	FOUR_TO_USER l4, l5, l6, l7
	FOUR_TO_USER i0, i1, i2, i3
	FOUR_TO_USER i4, i5, i6, i7
	saved
	retry
	.balign	128
.endm
.macro FILL_USER
	USER_INDEXES
	FOUR_FROM_USER l0, l1, l2, l3
	FOUR_FROM_USER l4, l5, l6, l7
	FOUR_FROM_USER i0, i1, i2, i3
	FOUR_FROM_USER i4, i5, i6, i7
	restored
	retry
	.balign	128
.endm

	/* 512 vectors, the same from within a trap but for what goes wrong there. */
.macro VECTORS other
	TO	\other, 0x24
	CLEAN_WINDOW				/* 0x24 */
	TO	\other, 0x60 - 0x28
	TO	interrupt_vector
	TO	\other, 3
	ITLB_MISS				/* 0x64 */
	DTLB_MISS				/* 0x68 */
	TO	dtlb_protection, 4		/* 0x6c */
	TO	\other, 16			/* 0x70 */
	SPILL_KERNEL				/* 0x80 */
	SPILL_USER
	TO	\other, 24
	SPILL_OTHER				/* 0xa0 */
	TO	\other, 28
	FILL_KERNEL				/* 0xc0 */
	FILL_USER
	TO	\other, 56
	TO	\other, 256
.endm

	.section .trap_table, "ax"
	.globl	trap_table
trap_table:
	VECTORS	trap_plain
	.org	trap_table + 512 * 32		/* an error if they are longer */
	VECTORS	trap_in_trap

	.section .entry.text, "ax"
itlb_miss:
	sllx	%g4, 51, %g5
	srlx	%g4, 43, %g1
	brz,a,pn %g5, 1f
	 add	%g7, TB_KERNEL_ROOT, %g3
	brnz,pn	%g1, itlb_slow
	 mov	%g7, %g3
1:	ldxa	[%g3] ASI_PHYS, %g2
	WALK	itlb_slow
	andcc	%g2, 0x400, %g0			/* TTE_EXEC */
	be,pn	%xcc, itlb_slow
	 nop
	stxa	%g2, [%g0] ASI_ITLB_IN
	retry

	/* The kernel's: the upper half without bit 42 is the direct map. */
dtlb_miss_kernel:
	brgez,pn %g4, 1f
	 sllx	%g4, 21, %g1
	brgez,pt %g1, 2f
	 nop
1:	add	%g7, TB_KERNEL_ROOT, %g3
	ldxa	[%g3] ASI_PHYS, %g2
	WALK	dtlb_slow
	stxa	%g2, [%g0] ASI_DTLB_IN
	retry
2:	sllx	%g4, 23, %g2			/* 41 bits of it, by 4 MiB */
	srlx	%g2, 45, %g2
	sllx	%g2, 22, %g2
	mov	7, %g1				/* valid, 4 MiB */
	sllx	%g1, 61, %g1
	or	%g2, %g1, %g2
	or	%g2, 0x36, %g2			/* cached, privileged, writable */
	stxa	%g2, [%g0] ASI_DTLB_IN
	retry

	/* To the globals of traps, with the address and the trap's number. */
itlb_slow:
	wrpr	%g0, PSTATE_TRAP, %pstate
	mov	MMU_TAG, %g1
	ldxa	[%g1] ASI_IMMU, %g4
	ba,pt	%xcc, 1f
	 mov	0x64, %g5
dtlb_slow:
	wrpr	%g0, PSTATE_TRAP, %pstate
	mov	MMU_TAG, %g1
	ldxa	[%g1] ASI_DMMU, %g4
	ba,pt	%xcc, 1f
	 mov	0x68, %g5
dtlb_protection:
	wrpr	%g0, PSTATE_TRAP, %pstate
	mov	MMU_TAG, %g1
	ldxa	[%g1] ASI_DMMU, %g4
	mov	0x6c, %g5
1:	rdpr	%tl, %g1
	cmp	%g1, 1
	be,pt	%xcc, trap_entry
	 nop
	ba,pt	%xcc, nested
	 nop

	/* A program's spill or fill went wrong: that is its save or restore. Else the kernel is broken. */
trap_in_trap:
	rdpr	%tt, %g5
	mov	MMU_SFAR, %g1
	ldxa	[%g1] ASI_DMMU, %g4
nested:
	rdpr	%tl, %g1
	cmp	%g1, 2
	bne,pn	%xcc, broken
	 nop
	wrpr	%g0, 1, %tl
	rdpr	%tstate, %g1
	andcc	%g1, TSTATE_PRIV_BIT, %g0
	rdpr	%tt, %g2
	bne,pn	%xcc, broken_1
	 and	%g2, 0x1fc, %g2
	cmp	%g2, 0x84
	be,pn	%xcc, 1f
	 mov	FAULT_WINDOW_STORE, %g3
	cmp	%g2, 0xc4
	bne,pn	%xcc, broken_1
	 mov	FAULT_WINDOW_LOAD, %g3
1:	or	%g5, %g3, %g5
	and	%g1, 0x1f, %g1
	wrpr	%g1, 0, %cwp
	ba,pt	%xcc, trap_entry
	 nop

	/* Told on the boot stack, which nobody needs any more: what the registers point to may be the reason. */
broken:
	rdpr	%tl, %g1
	sub	%g1, 1, %g1
	wrpr	%g1, 0, %tl
broken_1:
	mov	%g4, %l4
	mov	%g5, %l5
	rdpr	%tpc, %l0
	rdpr	%tt, %l1
	rdpr	%tl, %l2
	mov	%sp, %l3
	wrpr	%g0, 0, %otherwin
	wrpr	%g0, 0, %canrestore
	wrpr	%g0, OTHER_WINDOWS, %cansave
	wrpr	%g0, 7, %cleanwin
	wrpr	%g0, WSTATE_KERNEL, %wstate
	mov	%g7, %l7
	wrpr	%g0, PSTATE_KERNEL, %pstate
	wrpr	%g0, 0, %tl
	mov	MMU_PRIMARY, %g1
	stxa	%g0, [%g1] ASI_DMMU
	membar	#Sync
	ldx	[%l7 + TB_CURRENT], %g6
	ldx	[%l7 + TB_PERCPU], %g7
	sethi	%hi(boot_stack_top), %g1
	or	%g1, %lo(boot_stack_top), %g1
	sub	%g1, WINDOW_FRAME + BIAS, %sp
	mov	%l5, %o0
	mov	%l4, %o1
	mov	%l0, %o2
	mov	%l1, %o3
	mov	%l2, %o4
	mov	%l3, %o5
	call	sparc_broken
	 nop

	/* No lines of devices are taken yet: the packet is dropped, so that the next can come. */
interrupt_vector:
	stxa	%g0, [%g0] ASI_IVEC_STATUS
	membar	#Sync
	retry

trap_plain:
	rdpr	%tt, %g5
	mov	MMU_SFAR, %g1
	ldxa	[%g1] ASI_DMMU, %g4

	/* %g4 = the address, %g5 = the trap; TL is 1 and the window that of who was interrupted. */
trap_entry:
	rdpr	%tstate, %g1
	andcc	%g1, TSTATE_PRIV_BIT, %g0
	bne,pn	%xcc, 1f
	 rdpr	%canrestore, %g2
	wrpr	%g2, 0, %otherwin
	wrpr	%g0, 0, %canrestore
	wrpr	%g0, 7, %cleanwin
	wrpr	%g0, WSTATE_KERNEL, %wstate
	mov	MMU_PRIMARY, %g3
	stxa	%g0, [%g3] ASI_DMMU
	membar	#Sync
	ldx	[%g7 + TB_STACK], %g2
	save	%g2, 0, %sp
	wrpr	%g0, 0, %canrestore
	rdpr	%otherwin, %l6
	add	%l6, 1, %l6
	ba,pt	%xcc, 2f
	 wrpr	%l6, 0, %otherwin
1:	sub	%sp, WINDOW_FRAME + R_SIZE, %g2
	save	%g2, 0, %sp
2:	mov	%g4, %l4
	mov	%g5, %l5
	mov	%g7, %l7
	rdpr	%tstate, %l0
	rdpr	%tpc, %l1
	rdpr	%tnpc, %l2
	rd	%y, %l3
	wrpr	%g0, PSTATE_KERNEL, %pstate
	wrpr	%g0, 0, %tl
	add	%sp, BIAS + WINDOW_FRAME, %l6
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	stx	%g\n, [%l6 + \n * 8]
	stx	%i\n, [%l6 + 64 + \n * 8]
	.endr
	stx	%l0, [%l6 + R_TSTATE]
	stx	%l1, [%l6 + R_TPC]
	stx	%l2, [%l6 + R_TNPC]
	st	%l3, [%l6 + R_Y]
	sethi	%hi(0x57ac6c00), %l1
	and	%l5, 0x1ff, %l2
	or	%l1, %l2, %l1
	st	%l1, [%l6 + R_MAGIC]
	stx	%l4, [%l6 + R_FAULT]
	stx	%i0, [%l6 + R_ORIG]
	mov	-1, %l1
	stx	%l1, [%l6 + R_NR]
	ldx	[%l7 + TB_CURRENT], %g6
	ldx	[%l7 + TB_PERCPU], %g7
	mov	%l5, %o1
	call	sparc_trap
	 mov	%l6, %o0
	ldx	[%l6 + R_TSTATE], %l0
	andcc	%l0, TSTATE_PRIV_BIT, %g0
	be,pt	%xcc, to_user
	 nop

	/* Back into the kernel: %g6 and %g7 are what they are now. */
	.irp n, 1, 2, 3, 4, 5
	ldx	[%l6 + \n * 8], %g\n
	.endr
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	ldx	[%l6 + 64 + \n * 8], %i\n
	.endr
	ld	[%l6 + R_Y], %l3
	wr	%l3, 0, %y
	ldx	[%l6 + R_TPC], %l1
	ldx	[%l6 + R_TNPC], %l2
	wrpr	%g0, 1, %tl
	wrpr	%g0, PSTATE_TRAP, %pstate
	wrpr	%l1, 0, %tpc
	wrpr	%l2, 0, %tnpc
	mov	%l0, %g1
	restore
	ba,pt	%xcc, leave
	 rdpr	%cwp, %g2

	/* %l6 = the registers, interrupts off; sparc_exit_to_user has run. */
to_user:
	ldx	[%l6 + R_TSTATE], %l0
	ldx	[%l6 + R_TPC], %l1
	ldx	[%l6 + R_TNPC], %l2
	ld	[%l6 + R_Y], %l3
	wr	%l3, 0, %y
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	ldx	[%l6 + 64 + \n * 8], %i\n
	.endr
	.irp n, 1, 2, 3, 4, 5, 6, 7
	ldx	[%l6 + \n * 8], %g\n
	.endr
	wrpr	%g0, 1, %tl
	wrpr	%g0, PSTATE_TRAP, %pstate
	wrpr	%l1, 0, %tpc
	wrpr	%l2, 0, %tnpc
	mov	%l0, %g1
	ldx	[%g7 + TB_CONTEXT], %g2
	mov	MMU_PRIMARY, %g3
	stxa	%g2, [%g3] ASI_DMMU
	membar	#Sync
	wrpr	%g0, WSTATE_USER, %wstate
	rdpr	%otherwin, %g2
	brz,pn	%g2, 1f
	 wrpr	%g0, 0, %otherwin
	wrpr	%g2, 0, %canrestore
	restore
	rdpr	%canrestore, %g2
	wrpr	%g2, 0, %cleanwin
	ba,pt	%xcc, leave
	 rdpr	%cwp, %g2
1:	wrpr	%g0, 1, %canrestore
	wrpr	%g0, OTHER_WINDOWS - 1, %cansave
	restore
	wrpr	%g0, 0, %cleanwin
	ldx	[%g7 + TB_WINDOW], %g2
	.set	.Lat, 0
	.irp r, l0, l1, l2, l3, l4, l5, l6, l7, i0, i1, i2, i3, i4, i5, i6, i7
	ldx	[%g2 + .Lat], %\r
	.set	.Lat, .Lat + 8
	.endr
	rdpr	%cwp, %g2
leave:
	andn	%g1, 0x1f, %g1
	or	%g1, %g2, %g1
	wrpr	%g1, 0, %tstate
	retry

	/* void arch_return_to_user(struct pt_regs *regs): REGS are at the top of the stack. */
	.globl	arch_return_to_user
arch_return_to_user:
	flushw
	mov	%o0, %l6
	sub	%l6, BIAS + WINDOW_FRAME, %sp
	call	sparc_exit_to_user
	 nop
	ba,pt	%xcc, to_user
	 nop

	/* First code of a task: %o0 = prev, %l0 = function or 0, %l1 = its argument; the stack pointer is below the user registers. */
	.globl	ret_from_fork
ret_from_fork:
	call	schedule_tail
	 add	%sp, BIAS + WINDOW_FRAME, %l6
	brz,pt	%l0, 1f
	 nop
	call	%l0
	 mov	%l1, %o0
1:	call	sparc_exit_to_user
	 mov	%l6, %o0
	ba,pt	%xcc, to_user
	 nop
entry_text_end:

	.text
	/*
	 * struct task *__switch_stacks(struct task *prev, struct task *next). Interrupts are off. Comes back on the other stack with prev
	 * as the result. All windows but this one go to memory; the caller's comes back from there by itself.
	 */
	.globl	__switch_stacks
__switch_stacks:
	save	%sp, -WINDOW_FRAME, %sp
	flushw
	sethi	%hi(trap_block), %l0
	or	%l0, %lo(trap_block), %l0
	stx	%i6, [%sp + BIAS + 14 * 8]
	stx	%i7, [%sp + BIAS + 15 * 8]
	add	%sp, BIAS, %l1
	stx	%l1, [%i0 + TASK_SP]
	ldx	[%l0 + TB_SPILLED], %l1
	stx	%l1, [%i0 + TASK_SPILLED]
	mov	%i1, %g6
	stx	%g6, [%l0 + TB_CURRENT]
	ldx	[%g6 + TASK_SPILLED], %l1
	stx	%l1, [%l0 + TB_SPILLED]
	add	%g6, TASK_WINDOW, %l1
	stx	%l1, [%l0 + TB_WINDOW]
	ldx	[%g6 + TASK_STACK], %l1
	set	THREAD_SIZE - R_SIZE - WINDOW_FRAME - BIAS, %l2
	add	%l1, %l2, %l1
	stx	%l1, [%l0 + TB_STACK]
	ldx	[%g6 + TASK_SP], %l1
	sub	%l1, BIAS, %sp
	ldx	[%sp + BIAS + 14 * 8], %i6
	ldx	[%sp + BIAS + 15 * 8], %i7
	ret
	 restore

	.section .note.GNU-stack, "", @progbits
