/* SPDX-License-Identifier: MIT */
/*
 * A loader for tests: enters the kernel by the Linux 64-bit protocol as Firecracker and Cloud Hypervisor do. QEMU starts it by
 * PVH and has put the flat kernel at 1 MiB (-device loader,file=vmlinux.bin,addr=0x100000,force-raw=on). It turns the PVH
 * start information into struct boot_params, maps the first GiB to itself, and jumps to 1 MiB + 0x200.
 */
#define PARAMS 0x90000
#define TABLES 0x80000

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long start

	.text
	.code32
	.globl start
start:
	cld
	movl $stack_top, %esp
	movl %ebx, %ebp
	movl $PARAMS, %edi
	xorl %eax, %eax
	movl $1024, %ecx
	rep stosl
	movl $0x53726448, PARAMS + 0x202	/* HdrS */
	movw $0x020f, PARAMS + 0x206
	movb $0xff, PARAMS + 0x210
	movb $1, PARAMS + 0x211
	movl 24(%ebp), %eax			/* command line */
	movl %eax, PARAMS + 0x228
	movl $4095, PARAMS + 0x238
	movl 32(%ebp), %eax			/* RSDP */
	movl %eax, PARAMS + 0x70
	cmpl $0, 12(%ebp)			/* modules */
	je 1f
	movl 16(%ebp), %esi
	movl (%esi), %eax
	movl %eax, PARAMS + 0x218
	movl 8(%esi), %eax
	movl %eax, PARAMS + 0x21c
1:	movl 40(%ebp), %esi			/* memory map: 24-byte entries to 20-byte ones */
	movl 48(%ebp), %edx
	movb %dl, PARAMS + 0x1e8
	movl $PARAMS + 0x2d0, %edi
2:	testl %edx, %edx
	jz 3f
	movl $5, %ecx
	rep movsl
	addl $4, %esi
	decl %edx
	jmp 2b
3:	movl $TABLES, %edi			/* root, one directory pointer, 512 pages of 2 MiB */
	xorl %eax, %eax
	movl $3072, %ecx
	rep stosl
	movl $TABLES + 0x1003, TABLES
	movl $TABLES + 0x2003, TABLES + 0x1000
	movl $TABLES + 0x2000, %edi
	movl $0x83, %eax
	movl $512, %ecx
4:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 4b
	movl %cr4, %eax
	orl $0x20, %eax
	movl %eax, %cr4
	movl $TABLES, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl $0x80000001, %eax
	movl %eax, %cr0
	lgdt gdt_ptr
	ljmp $0x10, $long_mode
	.code64
long_mode:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $PARAMS, %esi
	movl $0x100200, %eax
	jmp *%rax

	.balign 8
gdt:	.quad 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_ptr:
	.word 31
	.long gdt
	.balign 16
	.skip 256
stack_top:
