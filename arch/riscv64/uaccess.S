/* SPDX-License-Identifier: MIT */
/*
 * Copies to and from user memory, and memcpy. Words where source and destination are aligned alike, eight at a time, else words put together
 * from two aligned ones (a CPU may be slow with unaligned accesses), then 4 bytes where that is aligned, then bytes. A fault in words goes on by bytes, so
 * that all that can be copied is; a fault in a byte ends it.
 * size_t fn(dst, src, n): bytes not copied. n > 0 and the range were checked by the caller.
 */
#include <arch_cpu/page.h>

#define SUM (1 << 18)

.macro EX from, to
	.pushsection .extable, "a"
	.balign 4
	.4byte \from - ., \to - ., 0
	.popsection
.endm

/* a0 dst, a1 src, a2 left. */
.macro COPY_BODY
	or t1, a0, a1
	andi t1, t1, 7
	beqz t1, 25f
	li t0, 24
	bltu a2, t0, 70f
	/* Bytes until dst is aligned. */
10:	andi t1, a0, 7
	beqz t1, 20f
11:	lbu t2, 0(a1)
12:	sb t2, 0(a0)
	addi a0, a0, 1
	addi a1, a1, 1
	addi a2, a2, -1
	j 10b
20:	andi t1, a1, 7
	bnez t1, 50f
25:	li t0, 64
	bltu a2, t0, 40f
30:	ld t2, 0(a1)
31:	ld t3, 8(a1)
32:	ld t4, 16(a1)
33:	ld t5, 24(a1)
130:	ld t6, 32(a1)
131:	ld a3, 40(a1)
132:	ld a6, 48(a1)
133:	ld a7, 56(a1)
34:	sd t2, 0(a0)
35:	sd t3, 8(a0)
36:	sd t4, 16(a0)
37:	sd t5, 24(a0)
134:	sd t6, 32(a0)
135:	sd a3, 40(a0)
136:	sd a6, 48(a0)
137:	sd a7, 56(a0)
	addi a1, a1, 64
	addi a0, a0, 64
	addi a2, a2, -64
	bgeu a2, t0, 30b
40:	li t0, 8
41:	bltu a2, t0, 70f
42:	ld t2, 0(a1)
43:	sd t2, 0(a0)
	addi a1, a1, 8
	addi a0, a0, 8
	addi a2, a2, -8
	j 41b
	/* The source lies t1 bytes behind a word: t4 its bits, t5 the rest, t2 the word read last. */
50:	slli t4, t1, 3
	li t5, 64
	sub t5, t5, t4
	sub t6, a1, t1
	li t0, 16
51:	ld t2, 0(t6)
52:	bltu a2, t0, 80f
53:	ld t3, 8(t6)
	srl t2, t2, t4
	sll a3, t3, t5
	or t2, t2, a3
54:	sd t2, 0(a0)
	mv t2, t3
	addi t6, t6, 8
	addi a1, a1, 8
	addi a0, a0, 8
	addi a2, a2, -8
	j 52b
	/* An aligned word is never torn, also if it is the last. */
70:	li t0, 4
	bltu a2, t0, 80f
	or t1, a0, a1
	andi t1, t1, 3
	bnez t1, 80f
71:	lw t2, 0(a1)
72:	sw t2, 0(a0)
	addi a0, a0, 4
	addi a1, a1, 4
	addi a2, a2, -4
	j 70b
80:	beqz a2, 90f
81:	lbu t2, 0(a1)
82:	sb t2, 0(a0)
	addi a0, a0, 1
	addi a1, a1, 1
	addi a2, a2, -1
	j 80b
90:
	EX 11b, 90b
	EX 12b, 90b
	EX 30b, 80b
	EX 31b, 80b
	EX 32b, 80b
	EX 33b, 80b
	EX 34b, 80b
	EX 35b, 80b
	EX 36b, 80b
	EX 37b, 80b
	EX 130b, 80b
	EX 131b, 80b
	EX 132b, 80b
	EX 133b, 80b
	EX 134b, 80b
	EX 135b, 80b
	EX 136b, 80b
	EX 137b, 80b
	EX 42b, 80b
	EX 43b, 80b
	EX 51b, 80b
	EX 53b, 80b
	EX 54b, 80b
	EX 71b, 80b
	EX 72b, 80b
	EX 81b, 90b
	EX 82b, 90b
.endm

	.text
	.globl rv_copy_user, __copy_kernel_nofault, memcpy, memset
rv_copy_user:
	li a4, SUM
	csrs sstatus, a4
	COPY_BODY
	csrc sstatus, a4
	mv a0, a2
	ret

__copy_kernel_nofault:
	COPY_BODY
	mv a0, a2
	ret

	/* void *memcpy(void *d, const void *s, size_t n): forwards */
memcpy:
	mv a5, a0
	COPY_BODY
	mv a0, a5
	ret

	/* void *memset(void *d, int c, size_t n) */
memset:
	mv a5, a0
	andi a1, a1, 0xff
	slli t1, a1, 8
	or a1, a1, t1
	slli t1, a1, 16
	or a1, a1, t1
	slli t1, a1, 32
	or a1, a1, t1
	li t0, 8
	bltu a2, t0, 5f
1:	andi t1, a5, 7
	beqz t1, 2f
	sb a1, 0(a5)
	addi a5, a5, 1
	addi a2, a2, -1
	j 1b
2:	li t1, 64
	bltu a2, t1, 4f
3:	sd a1, 0(a5)
	sd a1, 8(a5)
	sd a1, 16(a5)
	sd a1, 24(a5)
	sd a1, 32(a5)
	sd a1, 40(a5)
	sd a1, 48(a5)
	sd a1, 56(a5)
	addi a5, a5, 64
	addi a2, a2, -64
	bgeu a2, t1, 3b
4:	bltu a2, t0, 5f
	sd a1, 0(a5)
	addi a5, a5, 8
	addi a2, a2, -8
	j 4b
5:	beqz a2, 6f
	sb a1, 0(a5)
	addi a5, a5, 1
	addi a2, a2, -1
	j 5b
6:	ret

	/* size_t rv_clear_user(unsigned long dst, size_t n) */
	.globl rv_clear_user
rv_clear_user:
	li a4, SUM
	csrs sstatus, a4
	li t0, 8
1:	andi t1, a0, 7
	beqz t1, 3f
	beqz a1, 9f
2:	sb zero, 0(a0)
	addi a0, a0, 1
	addi a1, a1, -1
	j 1b
3:	li t1, 64
	bltu a1, t1, 34f
30:	sd zero, 0(a0)
31:	sd zero, 8(a0)
32:	sd zero, 16(a0)
33:	sd zero, 24(a0)
130:	sd zero, 32(a0)
131:	sd zero, 40(a0)
132:	sd zero, 48(a0)
133:	sd zero, 56(a0)
	addi a0, a0, 64
	addi a1, a1, -64
	bgeu a1, t1, 30b
34:	bltu a1, t0, 5f
4:	sd zero, 0(a0)
	addi a0, a0, 8
	addi a1, a1, -8
	j 34b
5:	beqz a1, 9f
6:	sb zero, 0(a0)
	addi a0, a0, 1
	addi a1, a1, -1
	j 5b
9:	csrc sstatus, a4
	mv a0, a1
	ret
	.irp n, 30, 31, 32, 33, 130, 131, 132, 133
	EX \n\()b, 34b
	.endr
	EX 2b, 9b
	EX 4b, 5b
	EX 6b, 9b

	/* void arch_clear_page(void *page), void arch_copy_page(void *dst, const void *src) */
	.globl arch_clear_page, arch_copy_page
arch_clear_page:
	li t0, PAGE_SIZE
	add t0, a0, t0
1:	sd zero, 0(a0)
	sd zero, 8(a0)
	sd zero, 16(a0)
	sd zero, 24(a0)
	sd zero, 32(a0)
	sd zero, 40(a0)
	sd zero, 48(a0)
	sd zero, 56(a0)
	addi a0, a0, 64
	bltu a0, t0, 1b
	ret
arch_copy_page:
	li t0, PAGE_SIZE
	add t0, a1, t0
1:	ld t1, 0(a1)
	ld t2, 8(a1)
	ld t3, 16(a1)
	ld t4, 24(a1)
	ld t5, 32(a1)
	ld t6, 40(a1)
	ld a2, 48(a1)
	ld a3, 56(a1)
	sd t1, 0(a0)
	sd t2, 8(a0)
	sd t3, 16(a0)
	sd t4, 24(a0)
	sd t5, 32(a0)
	sd t6, 40(a0)
	sd a2, 48(a0)
	sd a3, 56(a0)
	addi a1, a1, 64
	addi a0, a0, 64
	bltu a1, t0, 1b
	ret

	/* void rv_fpu_save(void *regs), rv_fpu_load(const void *regs): struct __riscv_d_ext_state; sstatus.FS is on */
	.option arch, +d
	.globl rv_fpu_save, rv_fpu_load
rv_fpu_save:
	frcsr t0
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	fsd f\n, \n*8(a0)
	.endr
	sw t0, 256(a0)
	ret
rv_fpu_load:
	lw t0, 256(a0)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	fld f\n, \n*8(a0)
	.endr
	fscsr t0
	ret

	.option push
	.option arch, +v
	/*
	 * size_t rv_vector_copy(unsigned long dst, unsigned long src, size_t words), rv_vector_clear(unsigned long dst, size_t words): of user memory, both
	 * sides aligned; sstatus.VS is on. Words that are left; a word is never torn, each is an element.
	 */
	.globl rv_vector_copy, rv_vector_clear
rv_vector_copy:
	li t0, SUM
	csrs sstatus, t0
1:	vsetvli t1, a2, e64, m8, ta, ma
2:	vle64.v v0, (a1)
3:	vse64.v v0, (a0)
	slli t2, t1, 3
	add a1, a1, t2
	add a0, a0, t2
	sub a2, a2, t1
	bnez a2, 1b
4:	csrc sstatus, t0
	csrw vstart, zero
	mv a0, a2
	ret
	EX 2b, 4b
	EX 3b, 4b
rv_vector_clear:
	li t0, SUM
	csrs sstatus, t0
	vsetvli t1, zero, e64, m8, ta, ma
	vmv.v.i v0, 0
1:	vsetvli t1, a1, e64, m8, ta, ma
2:	vse64.v v0, (a0)
	slli t2, t1, 3
	add a0, a0, t2
	sub a1, a1, t1
	bnez a1, 1b
3:	csrc sstatus, t0
	csrw vstart, zero
	mv a0, a1
	ret
	EX 2b, 3b
	.option pop

	/* void rv_vector_save(struct __riscv_v_ext_state *s), rv_vector_load: s->datap is the registers; sstatus.VS is on */
	.option arch, +v
	.globl rv_vector_save, rv_vector_load
rv_vector_save:
	csrr t0, vstart
	csrr t1, vl
	csrr t2, vtype
	csrr t3, vcsr
	csrr t4, vlenb
	sd t0, 0(a0)
	sd t1, 8(a0)
	sd t2, 16(a0)
	sd t3, 24(a0)
	sd t4, 32(a0)
	ld a1, 40(a0)
	slli t5, t4, 3
	vsetvli t6, zero, e8, m8, ta, ma
	vse8.v v0, (a1)
	add a1, a1, t5
	vse8.v v8, (a1)
	add a1, a1, t5
	vse8.v v16, (a1)
	add a1, a1, t5
	vse8.v v24, (a1)
	vsetvl zero, t1, t2
	csrw vstart, t0
	ret
rv_vector_load:
	ld t0, 0(a0)
	ld t1, 8(a0)
	ld t2, 16(a0)
	ld t3, 24(a0)
	ld t4, 32(a0)
	ld a1, 40(a0)
	slli t5, t4, 3
	vsetvli t6, zero, e8, m8, ta, ma
	vle8.v v0, (a1)
	add a1, a1, t5
	vle8.v v8, (a1)
	add a1, a1, t5
	vle8.v v16, (a1)
	add a1, a1, t5
	vle8.v v24, (a1)
	vsetvl zero, t1, t2
	csrw vstart, t0
	csrw vcsr, t3
	ret

	.section .note.GNU-stack, "", @progbits
