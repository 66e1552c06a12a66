/* SPDX-License-Identifier: MIT */
/*
 * First code of each CPU. The boot CPU comes with the MMU off and x0 = device tree (Linux's arm64 Image protocol; a raw ELF
 * gets x0 = 0); others come by PSCI with x0 = their number. An identity map of the image's GiB carries the step to
 * virtual addresses; the early map holds the image, the GiB of RAM around it and that of the device tree.
 */
#include <arch_cpu/page.h>

#define SPSR_EL1H_MASKED 0x3c5
#define MAIR_VALUE 0x4404ff		/* normal, device nGnRE, normal uncached */
#define SCTLR_OFF 0x30d00800
/* M C SA SA0 I DZE UCT nTWI nTWE UCI */
#define SCTLR_ON (SCTLR_OFF | 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 12 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 18 | 1 << 26)
#define PE_PAGE 0x1000
#define BLOCK 0x701			/* valid, inner shareable, accessed; normal memory */
#define TABLE 3
#define PAGE 0x703			/* as BLOCK */

	.section .head.text, "ax"
	.globl _head
_head:
	ccmp x18, #0, #13, pl		/* does nothing, and is "MZ" */
	b boot_entry
	.quad 0				/* text offset */
	.quad image_size
	.quad 0xa			/* little endian, 4 KiB pages, anywhere */
	.quad 0, 0, 0
	.ascii "ARM\x64"
	.long pe_header - _head

	/* The same as an EFI application (Microsoft PE format): its first page is header, the rest text, then data. */
	.balign 8
pe_header:
	.ascii "PE\0\0"
	.short 0xaa64, 2		/* machine, sections */
	.long 0, 0, 0
	.short sections - optional, 0x206	/* executable, no line numbers, no debug */
optional:
	.short 0x20b			/* PE32+ */
	.byte 2, 20
	.long pe_text_size, pe_data_size, 0, pe_entry, PE_PAGE
	.quad 0				/* image base */
	.long PE_PAGE, 0x200
	.short 0, 0, 0, 0, 0, 0
	.long 0, pe_image_size, PE_PAGE, 0
	.short 10, 0x100		/* EFI application; data is not executed */
	.quad 0, 0, 0, 0
	.long 0, 6
	.quad 0, 0, 0, 0, 0, 0
sections:
	.ascii ".text\0\0\0"
	.long pe_text_size, PE_PAGE, pe_text_size, PE_PAGE, 0, 0
	.short 0, 0
	.long 0x60000020
	.ascii ".data\0\0\0"
	.long pe_data_size, pe_data_start, pe_data_raw, pe_data_start, 0, 0
	.short 0, 0
	.long 0xc0000040

	/* From EL2 down to EL1; at EL1 nothing to do. Clobbers x9, x10. */
drop_to_el1:
	mrs x9, CurrentEL
	cmp x9, #8
	b.ne 1f
	mov x9, #1 << 31		/* EL1 is AArch64 */
	orr x9, x9, #3 << 40		/* and has pointer authentication and its keys */
	msr hcr_el2, x9
	mov x9, #3			/* EL1 reaches the physical timer */
	msr cnthctl_el2, x9
	msr cntvoff_el2, xzr
	mov x9, #0x33ff
	msr cptr_el2, x9
	msr hstr_el2, xzr
	mrs x9, id_aa64pfr0_el1
	ubfx x9, x9, #32, #4		/* SVE: EL1 and EL0 have it, of any length */
	cbz x9, 4f
	mov x9, #0x32ff
	msr cptr_el2, x9
	isb
	mov x9, #15
	msr s3_4_c1_c2_0, x9		/* ZCR_EL2 */
4:
	mrs x9, id_aa64mmfr1_el1
	ubfx x9, x9, #40, #4		/* FEAT_HCX */
	cbz x9, 3f
	mov x9, #1 << 11		/* EL1 and EL0 have FEAT_MOPS */
	msr s3_4_c1_c2_2, x9		/* HCRX_EL2 */
3:
	msr vttbr_el2, xzr
	mrs x9, midr_el1
	msr vpidr_el2, x9
	mrs x9, mpidr_el1
	msr vmpidr_el2, x9
	mrs x9, id_aa64pfr0_el1
	ubfx x9, x9, #24, #4
	cbz x9, 2f
	mrs x9, s3_4_c12_c9_5		/* ICC_SRE_EL2: EL1 uses the system registers */
	mov x10, #9
	orr x9, x9, x10
	msr s3_4_c12_c9_5, x9
	isb
2:	ldr x9, =SCTLR_OFF
	msr sctlr_el1, x9
	mov x9, #SPSR_EL1H_MASKED
	msr spsr_el2, x9
	msr elr_el2, x30
	eret
1:	ret

	/* Memory types, translation control. Clobbers x9, x10. */
setup_translation:
	ldr x9, =MAIR_VALUE
	msr mair_el1, x9
	/* T0SZ = T1SZ = 16, write-back inner-shareable walks, 4 KiB both */
	ldr x9, =(16 | 1 << 8 | 1 << 10 | 3 << 12 | 16 << 16 | 1 << 24 | 1 << 26 | 3 << 28 | 2 << 30)
	mrs x10, id_aa64mmfr0_el1
	and x10, x10, #15
	cmp x10, #5
	mov x11, #5
	csel x10, x11, x10, hi
	orr x9, x9, x10, lsl #32
	mrs x10, id_aa64mmfr0_el1
	ubfx x10, x10, #4, #4
	cmp x10, #2
	b.ne 1f
	orr x9, x9, #1 << 36		/* 16-bit address-space ids */
1:	msr tcr_el1, x9
	isb
	ret

boot_entry:
	mov x19, xzr			/* no EFI */
	.globl boot_entry_efi
boot_entry_efi:				/* x19 = the stub's hand-off */
	msr daifset, #15
	mov x20, x0			/* device tree */
	bl drop_to_el1
	adrp x21, _text			/* where we are */
	adrp x0, __bss_start		/* page aligned, as is _end */
	adrp x1, _end
1:	stp xzr, xzr, [x0], #16
	cmp x0, x1
	b.lo 1b

	/* QEMU leaves the tree at the start of RAM for an ELF file. */
	cbnz x20, 2f
	and x0, x21, #~((1 << 30) - 1)
	ldr w1, [x0]
	ldr w2, =0xedfe0dd0
	cmp w1, w2
	csel x20, x0, x20, eq
2:
	/* Identity: the image's GiB. */
	adrp x0, idmap_root
	adrp x1, idmap_l1
	orr x2, x1, #TABLE
	ubfx x3, x21, #39, #9
	str x2, [x0, x3, lsl #3]
	and x4, x21, #~((1 << 30) - 1)
	mov x5, #BLOCK
	orr x6, x4, x5
	ubfx x3, x21, #30, #9
	str x6, [x1, x3, lsl #3]

	/* Direct map: that GiB and the device tree's (below 512 GiB, else the image's alone). */
	adrp x0, early_root
	adrp x1, early_l1_direct
	orr x2, x1, #TABLE
	str x2, [x0]
	lsr x7, x21, #39
	cbnz x7, 3f
	str x6, [x1, x3, lsl #3]
	lsr x7, x20, #39
	cbnz x7, 3f
	ubfx x3, x20, #30, #9
	and x4, x20, #~((1 << 30) - 1)
	orr x6, x4, x5
	str x6, [x1, x3, lsl #3]
3:
	/* The image, in pieces of 2 MiB. */
	adrp x1, early_l1_image
	orr x2, x1, #TABLE
	str x2, [x0, #256 * 8]
	adrp x3, early_l2_image
	orr x2, x3, #TABLE
	str x2, [x1, #2 * 8]
	adrp x4, _end
	orr x6, x21, x5
4:	str x6, [x3], #8
	add x6, x6, #1 << 21
	cmp x6, x4
	b.lo 4b

#ifdef CONFIG_KASAN
	/* The sanitizer's shadow, until the kernel has tables of its own: one page for all, which functions scribble on. Root slots 192 to 255. */
	adrp x2, early_shadow
	mov x5, #PAGE
	orr x2, x2, x5
	adrp x1, early_shadow_l3
	bl fill_table
	orr x2, x7, #TABLE
	adrp x1, early_shadow_l2
	bl fill_table
	orr x2, x7, #TABLE
	adrp x1, early_shadow_l1
	bl fill_table
	orr x2, x7, #TABLE
	add x1, x0, #192 * 8
	mov x3, #64
	bl fill
#endif

	/* What the MMU will read was written past the caches: no stale lines of it may stay. */
	dmb sy
	adrp x0, __bss_start
5:	dc ivac, x0
	add x0, x0, #16
	cmp x0, x4
	b.lo 5b
	dsb sy

	bl setup_translation
	adrp x0, idmap_root
	adrp x1, early_root
	ldr x30, =boot_virtual
	b mmu_on

#ifdef CONFIG_KASAN
	/* x2 in all entries of the table at x1, or the x3 from there on; x7 = where that began. */
fill_table:
	mov x3, #512
fill:	mov x7, x1
1:	str x2, [x1], #8
	subs x3, x3, #1
	b.ne 1b
	ret
#endif

	/* x0, x1: TTBR0, TTBR1; goes on at the virtual address in x30. */
mmu_on:
	msr ttbr0_el1, x0
	msr ttbr1_el1, x1
	tlbi vmalle1
	ic iallu
	dsb nsh
	isb
	ldr x9, =SCTLR_ON
	msr sctlr_el1, x9
	isb
	ret

	/* PSCI brings another CPU here, by physical address: x0 = its number. */
	.globl secondary_entry
secondary_entry:
	msr daifset, #15
	mov x20, x0
	bl drop_to_el1
	bl setup_translation
	adrp x0, idmap_root
	adrp x1, kernel_root
	ldr x30, =secondary_virtual
	b mmu_on
	.ltorg

	.text
	/* void a64_efi_enter(entry, fdt, hand-off): off with the firmware's MMU and caches, on at ENTRY. All is mapped one to one. */
	.globl a64_efi_enter
a64_efi_enter:
	msr daifset, #15
	mov x20, x0
	mov x0, x1
	mov x19, x2
	mrs x9, CurrentEL
	cmp x9, #8
	b.eq 1f
	mrs x10, sctlr_el1
	bic x10, x10, #1
	bic x10, x10, #1 << 2
	bic x10, x10, #1 << 12
	msr sctlr_el1, x10
	b 2f
1:	mrs x10, sctlr_el2
	bic x10, x10, #1
	bic x10, x10, #1 << 2
	bic x10, x10, #1 << 12
	msr sctlr_el2, x10
2:	isb
	ic iallu
	dsb nsh
	isb
	br x20

boot_virtual:
	ldr x0, =boot_stack_top
	mov sp, x0
	ldr x0, =init_task
	msr sp_el0, x0
	mov x29, xzr
	mov x0, x20
	mov x1, x19
	bl a64_randomize
	sub x21, x21, x0		/* where the link address would lie */
	ldr x1, =boot_moved		/* the literals have moved with the rest */
	br x1
boot_moved:
	ldr x0, =kernel_image_pa
	str x21, [x0]
	ldr x0, =boot_stack_top
	mov sp, x0
	ldr x0, =init_task
	msr sp_el0, x0
	mov x29, xzr
	msr tpidr_el1, xzr
	ldr x0, =vectors
	msr vbar_el1, x0
	isb
	mov x0, x20
	mov x1, x19
	bl a64_start
	b .

secondary_virtual:
	ldr x0, =__per_cpu_offset
	ldr x1, [x0, x20, lsl #3]
	msr tpidr_el1, x1
	ldr x0, =current_task
	ldr x0, [x0, x1]
	msr sp_el0, x0
	ldr x1, [x0, #8]		/* task->stack */
	add x1, x1, #THREAD_SIZE
	mov sp, x1
	mov x29, xzr
	ldr x0, =vectors
	msr vbar_el1, x0
	isb
	mov x0, x20
	bl a64_secondary_start
	b .
	.ltorg

	.section .bss..page_aligned, "aw", @nobits
	/* The boot stack is the upper half of twice its size, as each stack is: entry.S sees an overflow by that bit of the address. */
	.balign 2 * THREAD_SIZE
lower_half:
idmap_root:
	.skip PAGE_SIZE
idmap_l1:
	.skip PAGE_SIZE
early_l1_direct:
	.skip PAGE_SIZE
early_l1_image:
	.skip PAGE_SIZE
	.org lower_half + THREAD_SIZE
	.globl boot_stack, boot_stack_top
boot_stack:
	.skip THREAD_SIZE
boot_stack_top:
	.globl early_root
early_root:
	.skip PAGE_SIZE
	.globl early_l2_image
early_l2_image:
	.skip PAGE_SIZE
#ifdef CONFIG_KASAN
early_shadow_l1:
	.skip PAGE_SIZE
early_shadow_l2:
	.skip PAGE_SIZE
early_shadow_l3:
	.skip PAGE_SIZE
early_shadow:
	.skip PAGE_SIZE
#endif
	.globl kernel_root
kernel_root:
	.skip PAGE_SIZE
	.globl empty_root
empty_root:
	.skip PAGE_SIZE

	.section .note.GNU-stack, "", @progbits
