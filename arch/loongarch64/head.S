/* SPDX-License-Identifier: MIT */
/*
 * First code of each CPU. It comes with translation off. The boot CPU has in a1 the physical address of the command line and in
 * a2 that of the EFI system table (QEMU's direct boot and Linux's image protocol); others come by the firmware's mailbox, with their number
 * in mailbox 1. Windows on all of memory carry the step to the image's own addresses, which an early table maps; there la64_randomize moves it.
 */
#include <arch_cpu/page.h>
#include "arch/loongarch64/asm_priv.h"

#define LEAF 0x8000000000003d3	/* young; present, writable, dirty, global, normal memory, valid */

	.section .head.text, "ax"
	.globl _head
_head:
	.ascii "MZ"
	.balign 8
	.dword entry_pa
	.dword image_size
	.dword image_pa			/* load there */
	.dword 0, 0, 0
	.word 0x818223cd		/* Linux's mark */
	.word 0

	/* Windows: RAM at 0x9 (fetched through only until the image is mapped), devices at 0x8. Clobbers t0, t1. */
.macro OPEN_WINDOWS
	li.d	$t0, DIRECT_MAP_START | WINDOW_NORMAL | WINDOW_PLV0
	move	$t1, $t0
	csrwr	$t1, CSR_DMW0
	csrwr	$t0, CSR_DMW2
	csrwr	$zero, CSR_DMW1
	li.d	$t0, 0x8000000000000000 | WINDOW_PLV0
	csrwr	$t0, CSR_DMW3
	li.d	$t1, DIRECT_MAP_START
	la.pcrel $t0, 1f
	bstrpick.d $t0, $t0, 47, 0
	or	$t0, $t0, $t1
	jr	$t0
1:	li.w	$t0, CRMD_PAGING
	csrwr	$t0, CSR_CRMD
.endm

	/* Page walks, exception entries. In: s1 = the kernel's root (physical). Clobbers t0, t1. */
setup_translation:
	li.d	$t0, 14 | 11 << 5 | 25 << 10 | 11 << 15
	csrwr	$t0, CSR_PWCL
	li.d	$t0, 36 | 11 << 6
	csrwr	$t0, CSR_PWCH
	li.w	$t0, PAGE_SHIFT
	csrwr	$t0, CSR_STLBPS
	li.w	$t0, PAGE_SHIFT
	csrwr	$t0, CSR_TLBREHI
	csrwr	$zero, CSR_ASID
	csrwr	$s1, CSR_PGDH
	la.pcrel $t0, empty_root
	bstrpick.d $t0, $t0, 47, 0
	csrwr	$t0, CSR_PGDL
	la.pcrel $t0, tlb_refill
	bstrpick.d $t0, $t0, 47, 0
	csrwr	$t0, CSR_TLBRENTRY
	la.pcrel $t0, machine_error
	bstrpick.d $t0, $t0, 47, 0
	csrwr	$t0, CSR_MERRENTRY
	la.pcrel $t0, addresses
	ld.d	$t0, $t0, 0
	csrwr	$t0, CSR_EENTRY
	li.w	$t0, VECTOR_SHIFT << 16
	csrwr	$t0, CSR_ECFG
	csrwr	$zero, CSR_EUEN
	csrwr	$zero, CSR_TCFG
	invtlb	0, $zero, $zero
	ret

	.globl boot_entry
boot_entry:
	OPEN_WINDOWS
	move	$s2, $a1
	move	$s3, $a2
	la.pcrel $s4, _text		/* where we are, seen through the window */
	la.pcrel $t0, __bss_start	/* page aligned, as is _end */
	la.pcrel $t1, _end
1:	st.d	$zero, $t0, 0
	st.d	$zero, $t0, 8
	addi.d	$t0, $t0, 16
	bltu	$t0, $t1, 1b

	/* The image by pages; a table's entry is its address in the window. */
	la.pcrel $s1, early_root
	la.pcrel $t0, early_l1
	la.pcrel $t2, early_l0
	st.d	$t0, $s1, 0		/* bits 46..36 of KERNEL_IMAGE_VA */
	st.d	$t2, $t0, 64 * 8	/* bits 35..25 */
	bstrpick.d $t3, $s4, 47, 0
	bstrpick.d $t1, $t1, 47, 0
	li.d	$t4, LEAF
	li.d	$t5, PAGE_SIZE
2:	or	$t6, $t3, $t4
	st.d	$t6, $t2, 0
	addi.d	$t2, $t2, 8
	add.d	$t3, $t3, $t5
	bltu	$t3, $t1, 2b

#ifdef CONFIG_KASAN
	/* The sanitizer's shadow: one page for all of it, which functions scribble on, until the kernel has tables of its own. */
	la.pcrel $t0, early_shadow
	bstrpick.d $t0, $t0, 47, 0
	or	$t0, $t0, $t4
	la.pcrel $t1, early_shadow_l0
	la.pcrel $t2, early_shadow_l1
	la.pcrel $t3, early_shadow_end
	move	$t4, $t1
1:	st.d	$t0, $t4, 0
	addi.d	$t4, $t4, 8
	bltu	$t4, $t2, 1b
1:	st.d	$t1, $t4, 0
	addi.d	$t4, $t4, 8
	bltu	$t4, $t3, 1b
	li.w	$t0, 1152 * 8		/* bits 46..36 of KASAN_SHADOW_START */
	li.w	$t1, 1920 * 8
	add.d	$t0, $t0, $s1
	add.d	$t1, $t1, $s1
1:	st.d	$t2, $t0, 0
	addi.d	$t0, $t0, 8
	bltu	$t0, $t1, 1b
#endif
	bstrpick.d $s1, $s1, 47, 0
	bl	setup_translation
	la.pcrel $t0, addresses
	ld.d	$t0, $t0, 8
	jr	$t0

	.globl secondary_entry
secondary_entry:
	OPEN_WINDOWS
	la.pcrel $s1, kernel_root
	bstrpick.d $s1, $s1, 47, 0
	bl	setup_translation
	la.pcrel $t0, addresses
	ld.d	$t0, $t0, 16
	jr	$t0

	/* What runs through a window knows these of the mapped image; they move with it. */
	.balign 8
addresses:
	.dword	vectors
	.dword	boot_virtual
	.dword	secondary_virtual

	.text
boot_virtual:
	la.pcrel $t0, kernel_image_pa
	bstrpick.d $t1, $s4, 47, 0
	st.d	$t1, $t0, 0
	la.pcrel $sp, boot_stack_top
	la.pcrel $tp, init_task
	move	$r21, $zero
	move	$fp, $zero
	move	$a0, $s2
	move	$a1, $s3
	bl	la64_randomize
	la.pcrel $t0, 1f
	add.d	$t0, $t0, $a0
	jr	$t0
1:	la.pcrel $sp, boot_stack_top
	la.pcrel $tp, init_task
	la.pcrel $t0, vectors
	csrwr	$t0, CSR_EENTRY
	move	$fp, $zero
	move	$a0, $s2
	move	$a1, $s3
	bl	la64_start
1:	b	1b

secondary_virtual:
	li.w	$t0, 0x1028		/* mailbox 1 */
	iocsrrd.d $s0, $t0
	la.pcrel $t0, __per_cpu_offset
	slli.d	$t1, $s0, 3
	ldx.d	$r21, $t0, $t1
	la.pcrel $t0, current_task
	ldx.d	$tp, $t0, $r21
	ld.d	$sp, $tp, 8		/* task->stack */
	li.d	$t0, THREAD_SIZE
	add.d	$sp, $sp, $t0
	move	$fp, $zero
	move	$a0, $s0
	bl	la64_secondary_start
1:	b	1b

	.section .init.pgtables, "aw"
	.balign PAGE_SIZE
early_root:
	.skip PAGE_SIZE
	.globl early_l1, early_l0
early_l1:
	.skip PAGE_SIZE
early_l0:
	.skip PAGE_SIZE * 3		/* where it was linked; where it is to be, across a border maybe */
#ifdef CONFIG_KASAN
early_shadow:
	.skip PAGE_SIZE
early_shadow_l0:
	.skip PAGE_SIZE
early_shadow_l1:
	.skip PAGE_SIZE
early_shadow_end:
#endif

	.section .bss..page_aligned, "aw", @nobits
	.balign PAGE_SIZE
	.globl kernel_root
kernel_root:
	.skip PAGE_SIZE
	.globl empty_root
empty_root:
	.skip PAGE_SIZE
	.globl boot_stack, boot_stack_top
	.balign THREAD_SIZE
boot_stack:
	.skip THREAD_SIZE
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
