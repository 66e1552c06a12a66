/* SPDX-License-Identifier: MIT */
/*
 * The doors into the kernel. All run at physical addresses and lead to x86_start(protocol, parameters) in long mode on
 * the boot stack, with the early page tables: the first GiB at 0, at the direct map's default place and at
 * KERNEL_IMAGE_VA.
 *   startup_32  offset 0      32-bit protected mode, paging off, ESI = struct boot_params (bzImage)
 *   startup_64  offset 0x200  long mode, RSI = struct boot_params (the Linux 64-bit protocol)
 *   pvh_start   by ELF note   32-bit protected mode, paging off, EBX = struct hvm_start_info
 *   boot_entry_efi            long mode, from the EFI stub, wherever in the first GiB it put the image; ESI = struct efi_handoff
 *   secondary_64              another CPU, from the trampoline, in long mode on the kernel's final tables
 */
#include <arch_cpu/page.h>
#include <arch_cpu/boot_proto.h>

#define PA(sym) ((sym) - KERNEL_IMAGE_VA)

	.section .head.text, "ax"
	.code32
	.globl startup_32
startup_32:
	cld
	cli
	movl $BOOT_PROTO_LINUX32, %edi
	movl %esi, %ebx
	jmp to_long_mode

	.globl pvh_start
pvh_start:
	cld
	cli
	movl $BOOT_PROTO_PVH, %edi

to_long_mode:
	/* EDI: protocol, EBX: parameters. Both survive. */
	movl $PA(boot_stack_top), %esp
	movl %cr4, %eax
	orl $0x20, %eax			/* PAE */
	movl %eax, %cr4
	movl $PA(early_root), %eax
	movl %eax, %cr3
	movl $0x80000001, %eax
	pushl %ebx
	cpuid
	popl %ebx
	movl %edx, %esi
	movl $0xc0000080, %ecx		/* EFER */
	rdmsr
	orl $0x100, %eax		/* LME */
	btl $20, %esi
	jnc 1f
	orl $0x800, %eax		/* NXE */
1:	wrmsr
	movl $0x80010033, %eax		/* PG WP NE ET MP PE */
	movl %eax, %cr0
	lgdt PA(early_gdt_ptr32)
	ljmp $0x10, $PA(long_mode_pa)

	.code64
long_mode_pa:
	movl %ebx, %esi
	jmp common_64

	.org 0x200
	.globl startup_64
startup_64:
	cld
	cli
	movl $BOOT_PROTO_LINUX64, %edi
	/* The image must lie where it was linked; a loader that put it elsewhere gets it moved. */
	leaq startup_64(%rip), %rax
	cmpq $PA(startup_64), %rax
	jne move_image
loaded:
	leaq PA(early_root), %rax
	movq %cr4, %rdx
	testl $0x1000, %edx		/* five levels cannot be left from here */
	jnz hang
	andl $~0x80, %edx		/* flushes what is global */
	movq %rdx, %cr4
	movq %rax, %cr3
	movl $0x80000001, %eax
	cpuid
	btl $20, %edx
	jnc 1f
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x800, %eax		/* NXE */
	wrmsr
1:
	lgdt PA(early_gdt_ptr32)

common_64:
	/* EDI: protocol, RSI: parameters. */
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	movq $high_64, %rax
	jmp *%rax

hang:	hlt
	jmp hang

	/* Copies down to where the image was linked, then goes on in the copy. */
move_image:
	movq %rsi, %r8
	leaq startup_32(%rip), %rsi
	movq $KERNEL_LOAD_PA, %rbx
	movq $_file_end, %rcx
	subq $_text, %rcx
	addq $7, %rcx
	shrq $3, %rcx
	movq %rsi, %rax
	subq %rbx, %rax
	jb hang
	shrq $3, %rax
	cmpq %rcx, %rax			/* too near: the copy would run over this code */
	jb hang
	movq %rdi, %r9
	movq %rbx, %rdi
	rep movsq
	movq %r9, %rdi
	movq %r8, %rsi
	movq $PA(loaded), %rax
	jmp *%rax

	/* Interrupts are off, the stub's page tables on. Through 32-bit mode: so a fifth level of page tables is left, if the firmware had it on. */
	.globl boot_entry_efi
boot_entry_efi:
	cld
	leaq boot_stack_top(%rip), %rsp
	leaq early_gdt(%rip), %rax
	movq %rax, early_gdt_ptr32 + 2(%rip)
	lgdt early_gdt_ptr32(%rip)
	leaq early_root(%rip), %rbx
	leaq efi_64(%rip), %rbp
	leaq efi_32(%rip), %rax
	pushq $0x20
	pushq %rax
	lretq
	.code32
efi_32:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %ss
	movl %cr0, %eax
	andl $0x7fffffff, %eax
	movl %eax, %cr0
	movl $0x20, %eax		/* PAE */
	movl %eax, %cr4
	movl %ebx, %cr3
	movl $0x80000001, %eax
	cpuid
	movl %edx, %ebx
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x100, %eax		/* LME */
	btl $20, %ebx
	jnc 1f
	orl $0x800, %eax		/* NXE */
1:	wrmsr
	movl $0x80010033, %eax		/* PG WP NE ET MP PE */
	movl %eax, %cr0
	pushl $0x10
	pushl %ebp
	lretl
	.code64
efi_64:
	movl $BOOT_PROTO_EFI, %edi
	jmp common_64

	.text
	/* void x86_efi_step(root, entry, hand-off): on at ENTRY by the tables ROOT. Within 64 bytes, so that one large page has all of it. */
	.balign 64
	.globl x86_efi_step
x86_efi_step:
	cli
	movq %rsi, %rcx
	movq %rdx, %rsi
	movq %cr4, %rax
	andl $0x1000, %eax		/* five levels cannot be left here; what else was on is off, global entries are gone */
	orl $0x20, %eax
	movq %rax, %cr4
	movq %rdi, %cr3
	jmp *%rcx

high_64:
	leaq boot_stack_top(%rip), %rsp
	/* bss may hold what the loader left. */
	movl %edi, %ebx
	movq %rsi, %rbp
	leaq __bss_start(%rip), %rdi
	leaq __bss_stop(%rip), %rcx
	subq %rdi, %rcx
	shrq $3, %rcx
	xorl %eax, %eax
	rep stosq
	movl $0xc0000101, %ecx		/* GS base 0: the per-CPU template */
	xorl %eax, %eax
	xorl %edx, %edx
	wrmsr
	movl %ebx, %edi
	movq %rbp, %rsi
	movq %rbp, %r12
	xorl %ebp, %ebp
	call x86_randomize
	addq %rax, %rsp			/* from here on at the address that everything now refers to */
	leaq slid(%rip), %rcx
	addq %rax, %rcx
	jmp *%rcx
slid:	movl %ebx, %edi
	movq %r12, %rsi
	call x86_start
	ud2

	/* Another CPU, from the trampoline, on the start-up tables: finds out who it is, takes its stack and GS base. */
	.globl secondary_64
secondary_64:
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	cmpb $0, x2apic_mode(%rip)
	jne 1f
	movl $1, %eax
	cpuid
	shrl $24, %ebx
	movl %ebx, %edx
	jmp 2f
1:	movl $0xb, %eax
	xorl %ecx, %ecx
	cpuid
2:	leaq machine(%rip), %rsi		/* nr_cpus, apic_id[] */
	xorl %edi, %edi
3:	cmpl %edx, 4(%rsi, %rdi, 4)
	je 4f
	incl %edi
	cmpl (%rsi), %edi
	jb 3b
5:	hlt
	jmp 5b
4:	leaq __per_cpu_offset(%rip), %rsi
	movq (%rsi, %rdi, 8), %rdx
	leaq secondary_stack(%rip), %rsi
	movq (%rsi, %rdx), %rsp
	movl %edx, %eax
	shrq $32, %rdx
	movl $0xc0000101, %ecx
	wrmsr
	xorl %ebp, %ebp
	call x86_secondary_start
	ud2

	.section .init.data, "aw"
	.balign 8
early_gdt:
	.quad 0
	.quad 0
	.quad 0x00af9b000000ffff	/* 0x10: 64-bit code, as KERNEL_CS */
	.quad 0x00cf93000000ffff	/* 0x18: data */
	.quad 0x00cf9b000000ffff	/* 0x20: 32-bit code */
early_gdt_end:
early_gdt_ptr32:
	.word early_gdt_end - early_gdt - 1
	.quad PA(early_gdt)

	.section .bss..page_aligned, "aw", @nobits
	.balign PAGE_SIZE
	.globl boot_stack, boot_stack_top
boot_stack:
	.skip THREAD_SIZE
boot_stack_top:

	/* Present, writable, accessed, dirty: 0x63; with size: 0xe3. Relocation leaves this section alone. */
	.section .init.pgtables, "aw"
	.balign PAGE_SIZE
	.globl early_root
early_root:
	.quad PA(early_pdpt_low) + 0x63
	.skip 8 * 272
	.quad PA(early_pdpt_low) + 0x63	/* slot 273: 0xffff888000000000 */
#ifdef CONFIG_KASAN
	/* The sanitizer's shadow: one page for all, which functions scribble on, until the kernel has tables of its own: slots 472 to 503. */
	.skip 8 * (472 - 274)
	.rept 32
	.quad PA(early_shadow_pdpt) + 0x63
	.endr
	.skip 8 * (511 - 504)
#else
	.skip 8 * (511 - 274)
#endif
	.quad PA(early_pdpt_high) + 0x63
	.globl early_pdpt_low, early_pdpt_high, early_pd
early_pdpt_low:
	.quad PA(early_pd) + 0x63
	.skip 8 * 511
early_pdpt_high:
	.skip 8 * 510
	.quad PA(early_pd) + 0x63
	.quad 0
	.globl early_pd_slid, early_pdpt_direct
early_pd_slid:
	.skip 8 * 512
early_pdpt_direct:
	.skip 8 * 512
early_pd:
	.set i, 0
	.rept 512
	.quad (i << 21) + 0xe3
	.set i, i + 1
	.endr

#ifdef CONFIG_KASAN
early_shadow_pdpt:
	.rept 512
	.quad PA(early_shadow_pd) + 0x63
	.endr
early_shadow_pd:
	.rept 512
	.quad PA(early_shadow_pt) + 0x63
	.endr
early_shadow_pt:
	.rept 512
	.quad PA(early_shadow_zero) + 0x63
	.endr
early_shadow_zero:
	.skip PAGE_SIZE
#endif
	.globl early_tables_end
early_tables_end:

	/* Xen's PHYS32_ENTRY note. */
	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long PA(pvh_start)

	.section .note.GNU-stack, "", @progbits
