/* SPDX-License-Identifier: MIT */
/*
 * The real-mode part of the bzImage (Linux/x86 boot protocol 2.15). Its first page is struct boot_params in the making: the
 * loader fills the header in place, this code adds the memory map and hands the page over in ESI. Code starts behind it.
 * The fields marked 'build' are filled by tools/mkbzimage.py, which also writes a PE header over the first 0x1f0 bytes: the file is an EFI
 * application too. The part is whole pages long, so that each byte of the file is as far from its start as the firmware puts it in memory.
 */
#define E820_COUNT 0x1e8
#define E820_TABLE 0x2d0
#define E820_MAX 128
#define EXT_MEM_K 0x02
#define ALT_MEM_K 0x1e0
#define SETUP_SECTS 15

	.code16
	.section .text, "ax"
	.globl _start
_start:
	.org 0x1f1
	.byte SETUP_SECTS
	.word 1				/* root_flags: read-only */
	.long 0				/* syssize, build */
	.word 0
	.word 0xffff			/* vid_mode: normal */
	.word 0
	.word 0xaa55
	.byte 0xeb, header_end - 0x202	/* 0x200: the entry, CS = segment + 0x20 */
	.ascii "HdrS"
	.word 0x020f
	.long 0
	.word 0
	.word version_string - 0x200
	.byte 0
	.byte 0x81			/* loadflags: loaded high, heap usable */
	.word 0
	.long 0x100000			/* code32_start */
	.long 0, 0			/* ramdisk */
	.long 0
	.word 0xe000			/* heap_end_ptr */
	.byte 0, 0
	.long 0				/* cmd_line_ptr */
	.long 0x7fffffff		/* initrd_addr_max */
	.long 0x200000			/* kernel_alignment */
	.byte 0				/* relocatable_kernel */
	.byte 21
	.word 1				/* xloadflags: 64-bit entry at 0x200 */
	.long 4095			/* cmdline_size */
	.long 0
	.quad 0
	.long 0, 0			/* payload: none that needs unpacking */
	.quad 0
	.quad 0x100000			/* pref_address */
	.long 0				/* init_size, build */
	.long 0
	.long 0
header_end:
	/* CS = segment + 0x20: go on with CS = segment, where offsets are those of this file. */
	movw %cs, %ax
	subw $0x20, %ax
	pushw %ax
	pushw $code
	lretw
	.org 0x2c0
version_string:
	.asciz "Ochre"

	.org 0x1000
code:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $0xfff0, %esp
	xorw %di, %di			/* what is there is the PE header of the file, and no boot_params */
	xorl %eax, %eax
	movw $0x1f0 / 4, %cx
	rep stosl
	sti

	/* E820 (ACPI 6.5, 15.1): EBX continues, 20-byte entries. */
	xorl %ebx, %ebx
	movw $E820_TABLE, %di
	xorw %bp, %bp
1:	movl $0xe820, %eax
	movl $20, %ecx
	movl $0x534d4150, %edx
	int $0x15
	jc 2f
	cmpl $0x534d4150, %eax
	jne 2f
	cmpl $20, %ecx
	jb 3f
	addw $20, %di
	incw %bp
	cmpw $E820_MAX, %bp
	jae 2f
3:	testl %ebx, %ebx
	jnz 1b
2:	movw %bp, %ax
	movb %al, E820_COUNT
	testw %ax, %ax
	jnz 4f
	/* Nothing: the size above 1 MiB the old way, in KiB. */
	movw $0xe801, %ax
	xorw %cx, %cx
	xorw %dx, %dx
	int $0x15
	jc 4f
	movzwl %dx, %edx
	shll $6, %edx
	movzwl %cx, %ecx
	addl %ecx, %edx
	movl %edx, ALT_MEM_K

4:	cli
	inb $0x92, %al			/* A20 */
	orb $2, %al
	andb $0xfe, %al
	outb %al, $0x92
	xorl %esi, %esi
	movw %ds, %si
	shll $4, %esi			/* boot_params */
	movl 0x214, %ebp		/* code32_start */
	movl %esi, %eax
	addl $gdt, %eax
	movl %eax, gdt_ptr + 2
	lgdtl gdt_ptr
	movl %esi, %eax
	addl $protected, %eax
	movl %eax, jump
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl *jump

	.code32
protected:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	xorl %ebx, %ebx
	xorl %edi, %edi
	movl %ebp, %eax
	xorl %ebp, %ebp
	jmp *%eax

	.balign 8
gdt:
	.quad 0
	.quad 0
	.quad 0x00cf9b000000ffff	/* 0x10 code */
	.quad 0x00cf93000000ffff	/* 0x18 data */
gdt_ptr:
	.word 31
	.long 0
jump:
	.long 0
	.word 0x10
	.org (SETUP_SECTS + 1) * 512
