/* SPDX-License-Identifier: MIT */
/*
 * First code of each CPU. The boot CPU comes in S mode with the MMU off, a0 = its hart, a1 = device tree (Linux's riscv Image protocol;
 * an ELF file the same). rv_early_tables (C, run at physical addresses) makes tables that hold this code where it lies and where it
 * is linked, and turns the MMU on; there rv_randomize moves the image. Others come by SBI HSM with a1 = their number.
 */
#include <arch_cpu/page.h>

	.section .head.text, "ax"
	.option push
	.option norvc
	.globl _head
_head:
	j boot_entry
	nop
	.quad 0x200000			/* offset from the start of RAM */
	.quad image_size
	.quad 0				/* little endian */
	.long 2				/* version of this header */
	.long 0
	.quad 0
	.ascii "RISCV\0\0\0"
	.ascii "RSC\x05"
	.long 0
	.option pop

	/* No interrupts, no FPU, nothing of whoever was here before. */
.macro QUIET
	csrw sie, zero
	csrw sip, zero
	csrci sstatus, 2
	li t0, 3 << 13 | 3 << 9 | 1 << 18
	csrc sstatus, t0
	csrw sscratch, zero
	li gp, 0
	li s0, 0
.endm

boot_entry:
	QUIET
	mv s1, a0
	mv s2, a1
	lla t0, hang
	csrw stvec, t0
	lla t0, __bss_start
	lla t1, _end
1:	sd zero, 0(t0)
	addi t0, t0, 8
	bltu t0, t1, 1b
	lla sp, boot_stack_top
	lla tp, init_task
	lla s3, _text			/* where we are */
	lla t0, kernel_image_pa
	sd s3, 0(t0)
	mv a0, s2
	call rv_early_tables

	/* Identity still holds; go on where the code is linked, then where it is to be. */
	lla t0, boot_linked
	ld t0, 0(t0)
	jr t0
2:	lla sp, boot_stack_top
	lla tp, init_task
	li s0, 0
	mv a0, s2
	call rv_randomize
	lla t0, 3f
	add t0, t0, a0
	jr t0
3:	lla sp, boot_stack_top
	lla tp, init_task
	lla t0, rv_trap_entry
	csrw stvec, t0
	li s0, 0
	mv a0, s1
	mv a1, s2
	call rv_start

	.balign 8
boot_linked:
	.quad 2b			/* until it has moved */
secondary_linked:
	.quad secondary_virtual
	.balign 4
hang:
	wfi
	j hang

	/* SBI brings another hart here, by physical address: a0 = hart, a1 = its number. */
	.globl secondary_entry
	.balign 4
secondary_entry:
	QUIET
	mv s1, a1
	lla t0, hang
	csrw stvec, t0
	lla t0, rv_secondary_satp
	ld t1, 0(t0)
	ld t2, 8(t0)
	csrw satp, t1
	sfence.vma
	lla t0, secondary_linked
	ld t0, 0(t0)
	jr t0
secondary_virtual:
	csrw satp, t2
	sfence.vma
	lla t0, rv_trap_entry
	csrw stvec, t0
	lla t0, __per_cpu_offset
	slli t1, s1, 3
	add t0, t0, t1
	ld gp, 0(t0)
	lla t0, current_task
	add t0, t0, gp
	ld tp, 0(t0)
	ld sp, 8(tp)			/* task->stack */
	li t1, THREAD_SIZE
	add sp, sp, t1
	li s0, 0
	mv a0, s1
	call rv_secondary_start
	j hang

	.globl rv_read_seed
	.balign 4
rv_read_seed:
	csrr t0, stvec
	lla t1, 1f			/* where there is none it traps */
	csrw stvec, t1
	li a0, 0
	csrrw a0, 0x015, zero
	.balign 4
1:	csrw stvec, t0
	ret

	.section .bss..page_aligned, "aw", @nobits
	.balign PAGE_SIZE
	.globl kernel_root, idmap_root
kernel_root:
	.skip PAGE_SIZE
idmap_root:
	.skip PAGE_SIZE
	.globl boot_stack, boot_stack_top
	.balign THREAD_SIZE
boot_stack:
	.skip THREAD_SIZE
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
