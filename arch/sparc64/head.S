/* SPDX-License-Identifier: MIT */
/*
 * First code. OpenBIOS has put the image at its physical addresses and enters it at another virtual one (0x40000000 higher, less 4 MiB), with its
 * client interface in %o4 and its own trap table, which is kept until it has been asked everything (boot_of.c). Locked entries of the TLBs
 * carry the step to the image's own addresses; sparc_own_traps then changes to our trap table, and sparc_build_kernel_tables forgets what was mapped before.
 */
#include <arch_cpu/page.h>
#include "arch/sparc64/asm_priv.h"

	.register %g2, #scratch
	.register %g3, #scratch
	.register %g6, #scratch
	.register %g7, #scratch

	.section .head.text, "ax"
	.globl	boot_entry
boot_entry:
	ba,a,pt	%xcc, 1f
	 nop
	/* Where QEMU leaves the initramfs: found by its mark at the eighth byte. */
	.globl	boot_initrd
	.ascii	"HdrS"
	.word	0				/* no version of Linux's */
	.word	0, 0
boot_initrd:
	.word	0, 0				/* address, size */
1:	wrpr	%g0, PSTATE_KERNEL, %pstate
	mov	%o4, %l7
	/* 4 MiB pages, valid, locked, cached, privileged, writable: VA = PA = 0x400000 up to _end. */
	sethi	%hi(_end), %l0
	or	%l0, %lo(_end), %l0
	sethi	%hi(0x400000), %l1
	sethi	%hi(0x400000), %l5
	mov	7, %l2
	sllx	%l2, 61, %l2
	or	%l2, 0x76, %l2
	mov	MMU_TAG, %l3
2:	or	%l1, %l2, %l4
	stxa	%l1, [%l3] ASI_DMMU
	stxa	%l4, [%g0] ASI_DTLB_IN
	membar	#Sync
	stxa	%l1, [%l3] ASI_IMMU
	stxa	%l4, [%g0] ASI_ITLB_IN
	membar	#Sync
	add	%l1, %l5, %l1
	cmp	%l1, %l0
	blu,pt	%xcc, 2b
	 nop
	sethi	%hi(boot_virtual), %l0
	jmp	%l0 + %lo(boot_virtual)
	 nop

	.text
boot_virtual:
	sethi	%hi(__bss_start), %l0
	or	%l0, %lo(__bss_start), %l0
	sethi	%hi(_end), %l1
	or	%l1, %lo(_end), %l1
1:	stx	%g0, [%l0]
	stx	%g0, [%l0 + 8]
	add	%l0, 16, %l0
	cmp	%l0, %l1
	blu,pt	%xcc, 1b
	 nop
	flushw					/* the firmware's, by its own handler */
	sethi	%hi(boot_stack_top), %l0
	or	%l0, %lo(boot_stack_top), %l0
	sub	%l0, WINDOW_FRAME + BIAS, %sp
	mov	%g0, %fp
	mov	%g0, %i7
	sethi	%hi(init_task), %g6
	or	%g6, %lo(init_task), %g6
	mov	%g0, %g7
	call	sparc_start
	 mov	%l7, %o0
1:	ba,a,pt	%xcc, 1b
	 nop

	/*
	 * void sparc_own_traps(struct trap_block *tb): the trap table, the globals of traps; what locked entries map stays. The caller's windows are in memory or
	 * will be spilled by our handlers.
	 */
	.globl	sparc_own_traps
sparc_own_traps:
	flushw
	rdpr	%pstate, %o5
	wrpr	%g0, PSTATE_TRAP, %pstate
	mov	%o0, %g7
	wrpr	%g0, PSTATE_VECTOR, %pstate
	mov	%o0, %g7
	wrpr	%g0, PSTATE_MISS, %pstate
	mov	%o0, %g7
	sethi	%hi(0x1ff8), %g6
	or	%g6, 0x3f8, %g6
	wrpr	%g0, PSTATE_KERNEL, %pstate
	sethi	%hi(trap_table), %o1
	wrpr	%o1, %lo(trap_table), %tba
	wrpr	%g0, WSTATE_KERNEL, %wstate
	wrpr	%g0, 7, %cleanwin
	wrpr	%g0, 0, %pil
	mov	MMU_PRIMARY, %o1
	stxa	%g0, [%o1] ASI_DMMU
	mov	MMU_SECONDARY, %o1
	stxa	%g0, [%o1] ASI_DMMU
	membar	#Sync
	retl
	 nop

	.section .bss..page_aligned, "aw", @nobits
	.balign	PAGE_SIZE
	.globl	kernel_root, empty_root
kernel_root:
	.skip	PAGE_SIZE
empty_root:
	.skip	PAGE_SIZE
	.globl	boot_stack, boot_stack_top
	.balign	THREAD_SIZE
boot_stack:
	.skip	THREAD_SIZE
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
