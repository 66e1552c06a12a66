/* SPDX-License-Identifier: MIT */
/*
 * Blocks of SHA-256 (FIPS 180-4) by the CPU's own instructions. SHA256RNDS2 does two rounds: of the
 * words C D G H in its destination and A B E F in its source it makes the new A B E F in its
 * destination, and what was the source is the new C D G H. Four words of the message are in one
 * register; SHA256MSG1 and SHA256MSG2 make the four that come 16 later.
 */
	.section .rodata
	.balign 64
constants:
	.long 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5
	.long 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
	.long 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3
	.long 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
	.long 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc
	.long 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
	.long 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7
	.long 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
	.long 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13
	.long 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
	.long 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3
	.long 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
	.long 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5
	.long 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
	.long 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208
	.long 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
bytes_of_words:
	.long 0x00010203, 0x04050607, 0x08090a0b, 0x0c0d0e0f

/* Four rounds with the constants N and the words in \now. */
.macro ROUNDS n, now
	movdqa constants+16*\n(%rip), %xmm0
	paddd \now, %xmm0
	sha256rnds2 %xmm0, %xmm1, %xmm2
	punpckhqdq %xmm0, %xmm0
	sha256rnds2 %xmm0, %xmm2, %xmm1
.endm

/* The words 16 later than those in \now, to its place; the next ones are in \one, \two, \three. */
.macro WORDS now, one, two, three
	movdqa \three, %xmm7
	palignr $4, \two, %xmm7
	sha256msg1 \one, \now
	paddd %xmm7, \now
	sha256msg2 \three, \now
.endm

/* Sixteen rounds from the constants N on, and the words for the next sixteen. */
.macro SIXTEEN n
	ROUNDS \n, %xmm3
	WORDS %xmm3, %xmm4, %xmm5, %xmm6
	ROUNDS (\n+1), %xmm4
	WORDS %xmm4, %xmm5, %xmm6, %xmm3
	ROUNDS (\n+2), %xmm5
	WORDS %xmm5, %xmm6, %xmm3, %xmm4
	ROUNDS (\n+3), %xmm6
	WORDS %xmm6, %xmm3, %xmm4, %xmm5
.endm

	.text
	/* void x86_sha256(u32 *words, const u8 *p, size_t blocks): F E B A H G D C; one block or more */
	.globl x86_sha256
	.balign 16
x86_sha256:
	movdqu (%rdi), %xmm1
	movdqu 16(%rdi), %xmm2
	movdqa bytes_of_words(%rip), %xmm8
1:	movdqa %xmm1, %xmm9
	movdqa %xmm2, %xmm10
	movdqu (%rsi), %xmm3
	movdqu 16(%rsi), %xmm4
	movdqu 32(%rsi), %xmm5
	movdqu 48(%rsi), %xmm6
	pshufb %xmm8, %xmm3
	pshufb %xmm8, %xmm4
	pshufb %xmm8, %xmm5
	pshufb %xmm8, %xmm6
	SIXTEEN 0
	SIXTEEN 4
	SIXTEEN 8
	ROUNDS 12, %xmm3
	ROUNDS 13, %xmm4
	ROUNDS 14, %xmm5
	ROUNDS 15, %xmm6
	paddd %xmm9, %xmm1
	paddd %xmm10, %xmm2
	addq $64, %rsi
	decq %rdx
	jnz 1b
	movdqu %xmm1, (%rdi)
	movdqu %xmm2, 16(%rdi)
	ret
