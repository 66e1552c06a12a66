// SPDX-License-Identifier: MIT
/* sources: arch/x86_64/kvm_insn_decode.c arch/x86_64/kvm_insn_table.c */
/* sources: arch/x86_64/kvm_insn_operand.c */
/* KVM's decoder of instructions: bytes, and what they are taken apart into. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/x86_64/kvm_insn.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Length, the operands as kind, register, size in bytes and access (r, w, m for both; n for the
 * address alone), then [segment:base+index*scale+displacement].
 */
struct row {
	u8 mode;
	const char *bytes;
	u8 op;
	const char *text;
};

#define R16 KVM_MODE_REAL
#define P16 KVM_MODE_PROT16
#define P32 KVM_MODE_PROT32
#define L64 KVM_MODE_LONG64

static const char *const segs[] = { "es", "cs", "ss", "ds", "fs", "gs" };

static u32 hex(const char *text, u8 *out)
{
	u32 n = 0;

	for (char *end; *text; text = end + (*end == ' ')) {
		assert(n < 32);
		out[n++] = (u8)strtoul(text, &end, 16);
	}
	return n;
}

static void show_operand(char *to, const struct kvm_operand *o, const struct kvm_insn *i)
{
	static const char *const kinds[] = { "?",   "r",   "s", "cr", "dr",  "mm",  "xmm", "mem",
					     "src", "dst", "i", "j",  "rel", "far", "one" };
	static const char access[] = "nrwm";
	char value[64] = "";

	if (o->kind <= KVM_OPND_XMM)
		snprintf(value, sizeof(value), "%u%s", o->reg, o->high ? "h" : "");
	else if (o->kind == KVM_OPND_IMM || o->kind == KVM_OPND_REL)
		snprintf(value, sizeof(value), "=%lld", (s64)i->imm);
	else if (o->kind == KVM_OPND_IMM2)
		snprintf(value, sizeof(value), "=%llu", i->imm2);
	else if (o->kind == KVM_OPND_FAR)
		snprintf(value, sizeof(value), "=%llx:%llx", i->imm2, i->imm);
	sprintf(to + strlen(to), " %s%s:%u%c", kinds[o->kind], value, o->size, access[o->access]);
}

static void show(char *to, const struct kvm_insn *i)
{
	const struct kvm_insn_mem *m = &i->mem;

	sprintf(to, "%u", i->length);
	for (u32 k = 0; k < i->nr_operands; k++)
		show_operand(to, &i->operands[k], i);
	if (!m->present)
		return;
	sprintf(to + strlen(to), " [%s:", segs[m->seg]);
	if (m->base == KVM_REG_RIP)
		strcat(to, "rip");
	else if (m->base != KVM_REG_NONE)
		sprintf(to + strlen(to), "r%u", m->base);
	if (m->index != KVM_REG_NONE)
		sprintf(to + strlen(to), "+r%u*%u", m->index, m->scale);
	sprintf(to + strlen(to), "%+lld]", m->disp);
}

static const struct row rows[] = {
	{ L64, "88 03", KVM_OP_MOV, "2 mem:1w r0:1r [ds:r3+0]" },
	{ L64, "40 88 23", KVM_OP_MOV, "3 mem:1w r4:1r [ds:r3+0]" },
	{ L64, "88 23", KVM_OP_MOV, "2 mem:1w r0h:1r [ds:r3+0]" },
	{ L64, "89 44 8b 10", KVM_OP_MOV, "4 mem:4w r0:4r [ds:r3+r1*4+16]" },
	{ L64, "48 89 05 78 56 34 12", KVM_OP_MOV, "7 mem:8w r0:8r [ds:rip+305419896]" },
	{ L64, "66 41 89 45 00", KVM_OP_MOV, "5 mem:2w r0:2r [ds:r13+0]" },
	{ L64, "4c 8b 3c 25 00 10 00 80", KVM_OP_MOV, "8 r15:8w mem:8r [ds:-2147479552]" },
	{ L64, "67 8b 06", KVM_OP_MOV, "3 r0:4w mem:4r [ds:r6+0]" },
	{ L64, "64 48 8b 04 25 28 00 00 00", KVM_OP_MOV, "9 r0:8w mem:8r [fs:+40]" },
	{ L64, "2e 8b 00", KVM_OP_MOV, "3 r0:4w mem:4r [ds:r0+0]" },
	{ L64, "64 2e 8b 00", KVM_OP_MOV, "4 r0:4w mem:4r [fs:r0+0]" },
	{ L64, "8b 04 24", KVM_OP_MOV, "3 r0:4w mem:4r [ss:r4+0]" },
	{ L64, "41 8b 04 24", KVM_OP_MOV, "4 r0:4w mem:4r [ds:r12+0]" },
	{ L64, "42 8b 04 a0", KVM_OP_MOV, "4 r0:4w mem:4r [ds:r0+r12*4+0]" },
	{ L64, "43 8b 44 e5 f0", KVM_OP_MOV, "5 r0:4w mem:4r [ds:r13+r12*8-16]" },
	{ L64, "c6 00 7f", KVM_OP_MOV, "3 mem:1w i=127:1r [ds:r0+0]" },
	{ L64, "c7 00 ff ff ff ff", KVM_OP_MOV, "6 mem:4w i=-1:4r [ds:r0+0]" },
	{ L64, "48 c7 40 08 ff ff ff ff", KVM_OP_MOV, "8 mem:8w i=-1:8r [ds:r0+8]" },
	{ L64, "66 c7 00 34 12", KVM_OP_MOV, "5 mem:2w i=4660:2r [ds:r0+0]" },
	{ L64, "b4 05", KVM_OP_MOV, "2 r0h:1w i=5:1r" },
	{ L64, "41 b4 05", KVM_OP_MOV, "3 r12:1w i=5:1r" },
	{ L64, "48 b8 88 77 66 55 44 33 22 11", KVM_OP_MOV, "10 r0:8w i=1234605616436508552:8r" },
	{ L64, "66 b8 34 12", KVM_OP_MOV, "4 r0:2w i=4660:2r" },
	{ L64, "a0 88 77 66 55 44 33 22 11", KVM_OP_MOV,
	  "9 r0:1w mem:1r [ds:+1234605616436508552]" },
	{ L64, "48 a3 88 77 66 55 44 33 22 11", KVM_OP_MOV,
	  "10 mem:8w r0:8r [ds:+1234605616436508552]" },
	{ L64, "67 a1 44 33 22 11", KVM_OP_MOV, "6 r0:4w mem:4r [ds:+287454020]" },
	{ R16, "a1 34 12", KVM_OP_MOV, "3 r0:2w mem:2r [ds:+4660]" },
	{ P32, "a3 44 33 22 11", KVM_OP_MOV, "5 mem:4w r0:4r [ds:+287454020]" },
	{ R16, "8b 00", KVM_OP_MOV, "2 r0:2w mem:2r [ds:r3+r6*1+0]" },
	{ R16, "8b 42 fe", KVM_OP_MOV, "3 r0:2w mem:2r [ss:r5+r6*1-2]" },
	{ R16, "8b 83 34 12", KVM_OP_MOV, "4 r0:2w mem:2r [ss:r5+r7*1+4660]" },
	{ R16, "8b 0e 34 12", KVM_OP_MOV, "4 r1:2w mem:2r [ds:+4660]" },
	{ R16, "8b 46 00", KVM_OP_MOV, "3 r0:2w mem:2r [ss:r5+0]" },
	{ R16, "66 8b 07", KVM_OP_MOV, "3 r0:4w mem:4r [ds:r3+0]" },
	{ R16, "67 8b 44 24 04", KVM_OP_MOV, "5 r0:2w mem:2r [ss:r4+4]" },
	{ R16, "26 8b 07", KVM_OP_MOV, "3 r0:2w mem:2r [es:r3+0]" },
	{ P16, "67 66 89 05 78 56 34 12", KVM_OP_MOV, "8 mem:4w r0:4r [ds:+305419896]" },
	{ P32, "8b 05 78 56 34 12", KVM_OP_MOV, "6 r0:4w mem:4r [ds:+305419896]" },
	{ P32, "8b 44 25 00", KVM_OP_MOV, "4 r0:4w mem:4r [ss:r5+0]" },
	{ P32, "67 8b 41 05", KVM_OP_MOV, "4 r0:4w mem:4r [ds:r3+r7*1+5]" },
	{ P32, "36 8b 00", KVM_OP_MOV, "3 r0:4w mem:4r [ss:r0+0]" },
	{ P32, "40", KVM_OP_INC, "1 r0:4m" },
	{ L64, "4c 40 89 c0", KVM_OP_MOV, "4 r0:4w r0:4r" },
	{ L64, "49 66 89 c0", KVM_OP_MOV, "4 r0:2w r0:2r" },
	{ L64, "0f b6 03", KVM_OP_MOVZX, "3 r0:4w mem:1r [ds:r3+0]" },
	{ L64, "48 0f b7 03", KVM_OP_MOVZX, "4 r0:8w mem:2r [ds:r3+0]" },
	{ L64, "66 0f b6 c4", KVM_OP_MOVZX, "4 r0:2w r0h:1r" },
	{ L64, "0f be 03", KVM_OP_MOVSX, "3 r0:4w mem:1r [ds:r3+0]" },
	{ L64, "4c 0f bf 00", KVM_OP_MOVSX, "4 r8:8w mem:2r [ds:r0+0]" },
	{ L64, "48 63 01", KVM_OP_MOVSX, "3 r0:8w mem:4r [ds:r1+0]" },
	{ L64, "63 c1", KVM_OP_MOVSX, "2 r0:4w r1:4r" },
	{ L64, "0f 38 f0 01", KVM_OP_MOVBE, "4 r0:4w mem:4r [ds:r1+0]" },
	{ L64, "66 0f 38 f1 01", KVM_OP_MOVBE, "5 mem:2w r0:2r [ds:r1+0]" },
	{ L64, "48 8d 44 8b 10", KVM_OP_LEA, "5 r0:8w mem:8n [ds:r3+r1*4+16]" },
	{ L64, "66 8d 00", KVM_OP_LEA, "3 r0:2w mem:2n [ds:r0+0]" },
	{ L64, "00 00", KVM_OP_ADD, "2 mem:1m r0:1r [ds:r0+0]" },
	{ L64, "f0 48 01 03", KVM_OP_ADD, "4 mem:8m r0:8r [ds:r3+0]" },
	{ L64, "0b 03", KVM_OP_OR, "2 r0:4m mem:4r [ds:r3+0]" },
	{ L64, "14 05", KVM_OP_ADC, "2 r0:1m i=5:1r" },
	{ L64, "48 1d ff ff ff ff", KVM_OP_SBB, "6 r0:8m i=-1:8r" },
	{ L64, "80 20 fe", KVM_OP_AND, "3 mem:1m i=254:1r [ds:r0+0]" },
	{ L64, "81 28 00 00 00 80", KVM_OP_SUB, "6 mem:4m i=-2147483648:4r [ds:r0+0]" },
	{ L64, "48 83 30 ff", KVM_OP_XOR, "4 mem:8m i=-1:8r [ds:r0+0]" },
	{ L64, "48 83 3d 04 00 00 00 01", KVM_OP_CMP, "8 mem:8r i=1:8r [ds:rip+4]" },
	{ L64, "3a 03", KVM_OP_CMP, "2 r0:1r mem:1r [ds:r3+0]" },
	{ L64, "66 3d 34 12", KVM_OP_CMP, "4 r0:2r i=4660:2r" },
	{ P32, "82 00 01", KVM_OP_ADD, "3 mem:1m i=1:1r [ds:r0+0]" },
	{ L64, "84 03", KVM_OP_TEST, "2 mem:1r r0:1r [ds:r3+0]" },
	{ L64, "f6 00 80", KVM_OP_TEST, "3 mem:1r i=128:1r [ds:r0+0]" },
	{ L64, "f7 08 00 00 00 80", KVM_OP_TEST, "6 mem:4r i=-2147483648:4r [ds:r0+0]" },
	{ L64, "a8 01", KVM_OP_TEST, "2 r0:1r i=1:1r" },
	{ L64, "f7 10", KVM_OP_NOT, "2 mem:4m [ds:r0+0]" },
	{ L64, "f0 f6 18", KVM_OP_NEG, "3 mem:1m [ds:r0+0]" },
	{ L64, "f6 20", KVM_OP_MUL, "2 mem:1r [ds:r0+0]" },
	{ L64, "48 f7 e1", KVM_OP_MUL, "3 r1:8r" },
	{ L64, "f7 28", KVM_OP_IMUL, "2 mem:4r [ds:r0+0]" },
	{ L64, "f6 f4", KVM_OP_DIV, "2 r0h:1r" },
	{ L64, "66 f7 38", KVM_OP_IDIV, "3 mem:2r [ds:r0+0]" },
	{ L64, "69 03 10 00 00 00", KVM_OP_IMUL_REG, "6 r0:4w mem:4r i=16:4r [ds:r3+0]" },
	{ L64, "6b 03 f0", KVM_OP_IMUL_REG, "3 r0:4w mem:4r i=-16:4r [ds:r3+0]" },
	{ L64, "48 0f af 03", KVM_OP_IMUL_REG, "4 r0:8m mem:8r [ds:r3+0]" },
	{ L64, "fe 00", KVM_OP_INC, "2 mem:1m [ds:r0+0]" },
	{ L64, "f0 48 ff 08", KVM_OP_DEC, "4 mem:8m [ds:r0+0]" },
	{ L64, "c1 20 03", KVM_OP_SHL, "3 mem:4m i=3:1r [ds:r0+0]" },
	{ L64, "d0 28", KVM_OP_SHR, "2 mem:1m one:1r [ds:r0+0]" },
	{ L64, "48 d3 38", KVM_OP_SAR, "3 mem:8m r1:1r [ds:r0+0]" },
	{ L64, "d1 10", KVM_OP_RCL, "2 mem:4m one:1r [ds:r0+0]" },
	{ L64, "0f a4 03 05", KVM_OP_SHLD, "4 mem:4m r0:4r i=5:1r [ds:r3+0]" },
	{ L64, "0f ad 03", KVM_OP_SHRD, "3 mem:4m r0:4r r1:1r [ds:r3+0]" },
	{ L64, "0f a3 03", KVM_OP_BT, "3 mem:4r r0:4r [ds:r3+0]" },
	{ L64, "f0 0f ab 03", KVM_OP_BTS, "4 mem:4m r0:4r [ds:r3+0]" },
	{ L64, "0f ba 33 05", KVM_OP_BTR, "4 mem:4m i=5:1r [ds:r3+0]" },
	{ L64, "48 0f bb 03", KVM_OP_BTC, "4 mem:8m r0:8r [ds:r3+0]" },
	{ L64, "0f bc 03", KVM_OP_BSF, "3 r0:4w mem:4r [ds:r3+0]" },
	{ L64, "f3 0f bc 03", KVM_OP_TZCNT, "4 r0:4w mem:4r [ds:r3+0]" },
	{ L64, "f3 48 0f bd 03", KVM_OP_LZCNT, "5 r0:8w mem:8r [ds:r3+0]" },
	{ L64, "66 f3 0f b8 03", KVM_OP_POPCNT, "5 r0:2w mem:2r [ds:r3+0]" },
	{ L64, "87 03", KVM_OP_XCHG, "2 mem:4m r0:4m [ds:r3+0]" },
	{ L64, "41 90", KVM_OP_XCHG, "2 r8:4m r0:4m" },
	{ L64, "90", KVM_OP_NOP, "1" },
	{ L64, "f3 90", KVM_OP_NOP, "2" },
	{ L64, "f0 0f c1 03", KVM_OP_XADD, "4 mem:4m r0:4m [ds:r3+0]" },
	{ L64, "0f b0 0b", KVM_OP_CMPXCHG, "3 mem:1m r1:1r [ds:r3+0]" },
	{ L64, "f0 48 0f b1 0b", KVM_OP_CMPXCHG, "5 mem:8m r1:8r [ds:r3+0]" },
	{ L64, "0f c7 0b", KVM_OP_CMPXCHG8B, "3 mem:8m [ds:r3+0]" },
	{ L64, "f0 48 0f c7 0b", KVM_OP_CMPXCHG8B, "5 mem:16m [ds:r3+0]" },
	{ L64, "48 0f c8", KVM_OP_BSWAP, "3 r0:8m" },
	{ L64, "0f 94 00", KVM_OP_SETCC, "3 mem:1w [ds:r0+0]" },
	{ L64, "48 0f 44 03", KVM_OP_CMOVCC, "4 r0:8w mem:8r [ds:r3+0]" },
	{ L64, "50", KVM_OP_PUSH, "1 r0:8r" },
	{ L64, "41 57", KVM_OP_PUSH, "2 r15:8r" },
	{ L64, "66 50", KVM_OP_PUSH, "2 r0:2r" },
	{ L64, "6a ff", KVM_OP_PUSH, "2 i=-1:8r" },
	{ L64, "68 00 00 00 80", KVM_OP_PUSH, "5 i=-2147483648:8r" },
	{ L64, "ff 33", KVM_OP_PUSH, "2 mem:8r [ds:r3+0]" },
	{ L64, "0f a0", KVM_OP_PUSH, "2 s4:8r" },
	{ L64, "8f 03", KVM_OP_POP, "2 mem:8w [ds:r3+0]" },
	{ L64, "66 8f 03", KVM_OP_POP, "3 mem:2w [ds:r3+0]" },
	{ P32, "1e", KVM_OP_PUSH, "1 s3:4r" },
	{ P32, "17", KVM_OP_POP, "1 s2:4w" },
	{ L64, "e8 fc ff ff ff", KVM_OP_CALL, "5 rel=-4:8r" },
	{ L64, "66 e8 fc ff", KVM_OP_CALL, "4 rel=-4:2r" },
	{ L64, "ff 13", KVM_OP_CALL, "2 mem:8r [ds:r3+0]" },
	{ L64, "66 ff 13", KVM_OP_CALL, "3 mem:2r [ds:r3+0]" },
	{ P32, "ff 13", KVM_OP_CALL, "2 mem:4r [ds:r3+0]" },
	{ L64, "ff 1b", KVM_OP_CALL_FAR, "2 mem:6r [ds:r3+0]" },
	{ L64, "48 ff 1b", KVM_OP_CALL_FAR, "3 mem:6r [ds:r3+0]" },
	{ P32, "9a 78 56 34 12 08 00", KVM_OP_CALL_FAR, "7 far=8:12345678:4r" },
	{ R16, "ea 00 10 00 f0", KVM_OP_JMP_FAR, "5 far=f000:1000:2r" },
	{ L64, "ff 23", KVM_OP_JMP, "2 mem:8r [ds:r3+0]" },
	{ L64, "66 ff 2b", KVM_OP_JMP_FAR, "3 mem:4r [ds:r3+0]" },
	{ L64, "eb fe", KVM_OP_JMP, "2 rel=-2:8r" },
	{ L64, "74 10", KVM_OP_JCC, "2 rel=16:8r" },
	{ L64, "0f 85 00 01 00 00", KVM_OP_JCC, "6 rel=256:8r" },
	{ R16, "0f 85 00 01", KVM_OP_JCC, "4 rel=256:2r" },
	{ L64, "e2 fe", KVM_OP_LOOP, "2 rel=-2:8r" },
	{ L64, "67 e3 00", KVM_OP_JCXZ, "3 rel=0:8r" },
	{ L64, "c3", KVM_OP_RET, "1" },
	{ L64, "c2 08 00", KVM_OP_RET, "3 i=8:2r" },
	{ L64, "cb", KVM_OP_RET_FAR, "1" },
	{ L64, "c8 10 00 01", KVM_OP_ENTER, "4 i=16:2r j=1:1r" },
	{ L64, "c9", KVM_OP_LEAVE, "1" },
	{ L64, "a4", KVM_OP_MOVS, "1 dst:1w src:1r [ds:r6+0]" },
	{ L64, "f3 48 a5", KVM_OP_MOVS, "3 dst:8w src:8r [ds:r6+0]" },
	{ L64, "64 67 a5", KVM_OP_MOVS, "3 dst:4w src:4r [fs:r6+0]" },
	{ R16, "f3 66 a5", KVM_OP_MOVS, "3 dst:4w src:4r [ds:r6+0]" },
	{ L64, "f2 a6", KVM_OP_CMPS, "2 src:1r dst:1r [ds:r6+0]" },
	{ L64, "f3 aa", KVM_OP_STOS, "2 dst:1w r0:1r" },
	{ L64, "66 ab", KVM_OP_STOS, "2 dst:2w r0:2r" },
	{ L64, "2e ac", KVM_OP_LODS, "2 r0:1w src:1r [ds:r6+0]" },
	{ L64, "65 48 ad", KVM_OP_LODS, "3 r0:8w src:8r [gs:r6+0]" },
	{ L64, "f2 ae", KVM_OP_SCAS, "2 r0:1r dst:1r" },
	{ L64, "f3 6c", KVM_OP_INS, "2 dst:1w r2:2r" },
	{ L64, "48 6d", KVM_OP_INS, "2 dst:4w r2:2r" },
	{ L64, "f3 66 6f", KVM_OP_OUTS, "3 r2:2r src:2r [ds:r6+0]" },
	{ R16, "26 6e", KVM_OP_OUTS, "2 r2:2r src:1r [es:r6+0]" },
	{ L64, "d7", KVM_OP_XLAT, "1 r0:1m src:1r [ds:r3+0]" },
	{ L64, "e4 71", KVM_OP_IN, "2 r0:1w i=113:1r" },
	{ L64, "66 e5 71", KVM_OP_IN, "3 r0:2w i=113:1r" },
	{ L64, "ec", KVM_OP_IN, "1 r0:1w r2:2r" },
	{ L64, "48 ed", KVM_OP_IN, "2 r0:4w r2:2r" },
	{ L64, "e6 80", KVM_OP_OUT, "2 i=128:1r r0:1r" },
	{ L64, "ee", KVM_OP_OUT, "1 r2:2r r0:1r" },
	{ R16, "66 ef", KVM_OP_OUT, "2 r2:2r r0:4r" },
	{ L64, "0f 20 c0", KVM_OP_MOV_CR, "3 r0:8w cr0:8r" },
	{ L64, "0f 22 df", KVM_OP_MOV_CR, "3 cr3:8w r7:8r" },
	{ L64, "44 0f 22 c0", KVM_OP_MOV_CR, "4 cr8:8w r0:8r" },
	{ L64, "0f 22 18", KVM_OP_MOV_CR, "3 cr3:8w r0:8r" },
	{ P32, "0f 20 e0", KVM_OP_MOV_CR, "3 r0:4w cr4:4r" },
	{ P32, "f0 0f 22 c0", KVM_OP_MOV_CR, "4 cr8:4w r0:4r" },
	{ L64, "0f 21 f8", KVM_OP_MOV_DR, "3 r0:8w dr7:8r" },
	{ P32, "0f 23 c3", KVM_OP_MOV_DR, "3 dr0:4w r3:4r" },
	{ L64, "8c d8", KVM_OP_MOV_SEG, "2 r0:4w s3:2r" },
	{ L64, "48 8c 18", KVM_OP_MOV_SEG, "3 mem:2w s3:2r [ds:r0+0]" },
	{ L64, "8e 18", KVM_OP_MOV_SEG, "2 s3:2w mem:2r [ds:r0+0]" },
	{ R16, "c4 1f", KVM_OP_LOAD_FAR, "2 r3:2w mem:4r [ds:r3+0]" },
	{ P32, "c5 18", KVM_OP_LOAD_FAR, "2 r3:4w mem:6r [ds:r0+0]" },
	{ L64, "48 0f b2 18", KVM_OP_LOAD_FAR, "4 r3:4w mem:6r [ds:r0+0]" },
	{ L64, "0f 06", KVM_OP_CLTS, "2" },
	{ L64, "0f 01 f0", KVM_OP_LMSW, "3 r0:2r" },
	{ L64, "0f 01 e0", KVM_OP_SMSW, "3 r0:4w" },
	{ L64, "0f 01 20", KVM_OP_SMSW, "3 mem:2w [ds:r0+0]" },
	{ L64, "0f 01 38", KVM_OP_INVLPG, "3 mem:4n [ds:r0+0]" },
	{ L64, "0f 01 10", KVM_OP_LGDT, "3 mem:10r [ds:r0+0]" },
	{ P32, "0f 01 18", KVM_OP_LIDT, "3 mem:6r [ds:r0+0]" },
	{ L64, "0f 01 00", KVM_OP_SGDT, "3 mem:10w [ds:r0+0]" },
	{ P32, "0f 00 c0", KVM_OP_SLDT, "3 r0:4w" },
	{ P32, "0f 00 18", KVM_OP_LTR, "3 mem:2r [ds:r0+0]" },
	{ L64, "0f 10 00", KVM_OP_MOVX, "3 xmm0:16w mem:16r [ds:r0+0]" },
	{ L64, "f3 0f 11 00", KVM_OP_MOVX, "4 mem:4w xmm0:16r [ds:r0+0]" },
	{ L64, "f2 0f 10 00", KVM_OP_MOVX, "4 xmm0:16w mem:8r [ds:r0+0]" },
	{ L64, "44 0f 28 00", KVM_OP_MOVX, "4 xmm8:16w mem:16r [ds:r0+0]" },
	{ L64, "66 0f 7f 40 10", KVM_OP_MOVX, "5 mem:16w xmm0:16r [ds:r0+16]" },
	{ L64, "f3 0f 6f 00", KVM_OP_MOVX, "4 xmm0:16w mem:16r [ds:r0+0]" },
	{ L64, "0f 6f 00", KVM_OP_MOVX, "3 mm0:8w mem:8r [ds:r0+0]" },
	{ L64, "66 48 0f 6e 00", KVM_OP_MOVX, "5 xmm0:16w mem:8r [ds:r0+0]" },
	{ L64, "66 0f d6 00", KVM_OP_MOVX, "4 mem:8w xmm0:16r [ds:r0+0]" },
	{ L64, "f3 0f 7e 00", KVM_OP_MOVX, "4 xmm0:16w mem:8r [ds:r0+0]" },
	{ L64, "66 0f e7 00", KVM_OP_MOVX, "4 mem:16w xmm0:16r [ds:r0+0]" },
	{ L64, "0f 16 00", KVM_OP_MOVX, "3 xmm0:16m mem:8r [ds:r0+0]" },
	{ L64, "f2 0f f0 00", KVM_OP_MOVX, "4 xmm0:16w mem:16r [ds:r0+0]" },
	{ L64, "66 0f 38 2a 00", KVM_OP_MOVX, "5 xmm0:16w mem:16r [ds:r0+0]" },
	{ L64, "48 0f c3 00", KVM_OP_MOV, "4 mem:8w r0:8r [ds:r0+0]" },
	{ L64, "0f 58 00", KVM_OP_OTHER, "3 [ds:r0+0]" },
	{ L64, "66 0f 3a 0f 00 05", KVM_OP_OTHER, "6 [ds:r0+0]" },
	{ L64, "0f 0f 00 9e", KVM_OP_OTHER, "4 [ds:r0+0]" },
	{ L64, "c5 f8 10 00", KVM_OP_OTHER, "4 [ds:r0+0]" },
	{ L64, "c4 e3 7d 19 00 01", KVM_OP_OTHER, "6 [ds:r0+0]" },
	{ L64, "c5 f8 77", KVM_OP_OTHER, "3" },
	{ P32, "c5 f8 10 c0", KVM_OP_OTHER, "4" },
	{ P32, "c5 38", KVM_OP_LOAD_FAR, "2 r7:4w mem:6r [ds:r0+0]" },
	{ L64, "62 f1 7c 48 10 40 01", KVM_OP_OTHER, "7 [ds:r0+1]" },
	{ L64, "62 f3 7d 48 1f 00 01", KVM_OP_OTHER, "7 [ds:r0+0]" },
	{ L64, "8f e8 78 a2 c0 10", KVM_OP_OTHER, "6" },
	{ L64, "8f e9 78 01 c8", KVM_OP_OTHER, "5" },
	{ L64, "8f ea 78 10 c0 01 02 03 04", KVM_OP_OTHER, "9" },
	{ L64, "0f 01 d9", KVM_OP_OTHER, "3" },
	{ L64, "f4", KVM_OP_OTHER, "1" },
	{ L64, "0f a2", KVM_OP_OTHER, "2" },
	{ L64, "dd 00", KVM_OP_OTHER, "2 [ds:r0+0]" },
	{ L64, "d9 e8", KVM_OP_OTHER, "2" },
	{ L64, "66 0f 78 c0 01 02", KVM_OP_OTHER, "6" },
	{ L64, "0f c7 f0", KVM_OP_OTHER, "3" },
	{ L64, "f3 0f ae c0", KVM_OP_OTHER, "4" },
	{ L64, "c7 f8 00 00 00 00", KVM_OP_OTHER, "6" },
	{ L64, "66 66 66 66 66 66 66 66 66 66 66 66 66 89 c0", KVM_OP_MOV, "15 r0:2w r0:2r" },
};

/* What is not an instruction, and why. */
static const struct fault {
	u8 mode;
	u8 status;
	const char *bytes;
} faults[] = {
	{ L64, KVM_INSN_MORE, "" },
	{ L64, KVM_INSN_MORE, "66" },
	{ L64, KVM_INSN_MORE, "48" },
	{ L64, KVM_INSN_MORE, "0f" },
	{ L64, KVM_INSN_MORE, "c5" },
	{ L64, KVM_INSN_MORE, "62 f1 7c" },
	{ L64, KVM_INSN_MORE, "89 44 8b" },
	{ L64, KVM_INSN_MORE, "48 b8 88 77 66 55 44 33 22" },
	{ L64, KVM_INSN_MORE, "0f 0f 00" },
	{ L64, KVM_INSN_INVALID, "06" },
	{ L64, KVM_INSN_INVALID, "27" },
	{ L64, KVM_INSN_INVALID, "60" },
	{ L64, KVM_INSN_INVALID, "82 00 01" },
	{ L64, KVM_INSN_INVALID, "9a" },
	{ L64, KVM_INSN_INVALID, "ce" },
	{ L64, KVM_INSN_INVALID, "d6" },
	{ L64, KVM_INSN_INVALID, "f0 8b 03" },
	{ L64, KVM_INSN_INVALID, "f0 01 c3" },
	{ L64, KVM_INSN_INVALID, "f0 39 03" },
	{ L64, KVM_INSN_INVALID, "8d c0" },
	{ L64, KVM_INSN_INVALID, "8c f0" },
	{ L64, KVM_INSN_INVALID, "8e c8" },
	{ L64, KVM_INSN_INVALID, "8f 20" },
	{ R16, KVM_INSN_INVALID, "8f 08" },
	{ L64, KVM_INSN_INVALID, "c6 08" },
	{ L64, KVM_INSN_INVALID, "fe 10" },
	{ L64, KVM_INSN_INVALID, "ff 38" },
	{ L64, KVM_INSN_INVALID, "ff d8" },
	{ L64, KVM_INSN_INVALID, "0f 04" },
	{ L64, KVM_INSN_INVALID, "0f 20 c8" },
	{ L64, KVM_INSN_INVALID, "44 0f 21 c0" },
	{ L64, KVM_INSN_INVALID, "f0 0f 22 d8" },
	{ L64, KVM_INSN_INVALID, "0f 0f 00 00" },
	{ L64, KVM_INSN_INVALID, "0f b2 c0" },
	{ L64, KVM_INSN_INVALID, "0f ba 03" },
	{ L64, KVM_INSN_INVALID, "0f c7 c8" },
	{ L64, KVM_INSN_INVALID, "0f c7 00" },
	{ L64, KVM_INSN_INVALID, "f3 0f 28 00" },
	{ L64, KVM_INSN_INVALID, "0f 38 0c" },
	{ L64, KVM_INSN_INVALID, "d9 08" },
	{ L64, KVM_INSN_INVALID, "66 c5 f8 10 00" },
	{ L64, KVM_INSN_INVALID, "48 c5 f8 10 00" },
	{ L64, KVM_INSN_INVALID, "f0 62 f1 7c 48 10 00" },
	{ L64, KVM_INSN_INVALID, "c4 e0 78 10" },
	{ L64, KVM_INSN_INVALID, "0f a7 c0" },
	{ P32, KVM_INSN_INVALID, "0f 01 f8" },
	{ P32, KVM_INSN_INVALID, "f3 0f ae c0" },
	{ R16, KVM_INSN_INVALID, "63 c0" },
	{ R16, KVM_INSN_INVALID, "0f 00 c0" },
	{ R16, KVM_INSN_INVALID, "c5 f8 10 c0" },
	{ R16, KVM_INSN_INVALID, "62 f1 7c 48 10 c0" },
	{ R16, KVM_INSN_INVALID, "8f e9 78 01 c8" },
	{ L64, KVM_INSN_TOO_LONG, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66" },
	{ L64, KVM_INSN_TOO_LONG, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 89 c0" },
	{ L64, KVM_INSN_TOO_LONG, "2e 2e 2e 2e 2e 2e 48 b8 88 77 66 55 44 33 22 11" },
	{ R16, KVM_INSN_TOO_LONG, "66 67 26 26 26 26 26 c7 84 24 00 00 00 00 01 00 00 00" },
};

/* General registers read and written. */
static const struct regs {
	u8 mode;
	const char *bytes;
	u16 read, written;
} regs[] = {
	{ L64, "89 44 8b 10", 0x000b, 0 },
	{ L64, "4c 8b 3c 25 00 10 00 80", 0, 0x8000 },
	{ L64, "88 23", 0x0009, 0 },
	{ L64, "48 01 d8", 0x0009, 0x0001 },
	{ L64, "f0 48 0f b1 0b", 0x000b, 0x0001 },
	{ L64, "48 0f c7 0e", 0x004f, 0x0005 },
	{ L64, "f7 e1", 0x0003, 0x0005 },
	{ L64, "f6 e1", 0x0003, 0x0001 },
	{ L64, "f7 f1", 0x0007, 0x0005 },
	{ L64, "41 57", 0x8010, 0x0010 },
	{ L64, "ff 13", 0x0018, 0x0010 },
	{ L64, "f3 a4", 0x00c2, 0x00c2 },
	{ L64, "a4", 0x00c0, 0x00c0 },
	{ L64, "f3 ab", 0x0083, 0x0082 },
	{ L64, "ac", 0x0040, 0x0041 },
	{ L64, "f3 6c", 0x0086, 0x0082 },
	{ L64, "6e", 0x0044, 0x0040 },
	{ L64, "ee", 0x0005, 0 },
	{ L64, "48 d3 38", 0x0003, 0 },
	{ L64, "c9", 0x0030, 0x0030 },
	{ R16, "8b 42 fe", 0x0060, 0x0001 },
	{ L64, "0f a2", 0, 0 },
};

static void good(void)
{
	for (u32 k = 0; k < COUNT(rows); k++) {
		struct kvm_insn i;
		char text[256];
		u8 b[32];
		u32 n = hex(rows[k].bytes, b);
		enum kvm_insn_status s = kvm_insn_decode(b, n, rows[k].mode, &i);

		show(text, &i);
		if (s || i.length != n || i.op != rows[k].op || strcmp(text, rows[k].text)) {
			fprintf(stderr, "%s: status %d, operation %d, '%s', not '%s'\n",
				rows[k].bytes, s, i.op, text, rows[k].text);
			abort();
		}
		while (n--)
			assert(kvm_insn_decode(b, n, rows[k].mode, &i) == KVM_INSN_MORE);
	}
}

static void bad(void)
{
	for (u32 k = 0; k < COUNT(faults); k++) {
		struct kvm_insn i;
		u8 b[32];
		u32 n = hex(faults[k].bytes, b);
		enum kvm_insn_status s = kvm_insn_decode(b, n, faults[k].mode, &i);

		if (s != faults[k].status) {
			fprintf(stderr, "'%s': status %d, not %d\n", faults[k].bytes, s,
				faults[k].status);
			abort();
		}
	}
}

static void registers(void)
{
	for (u32 k = 0; k < COUNT(regs); k++) {
		struct kvm_insn i;
		u8 b[32];

		assert(!kvm_insn_decode(b, hex(regs[k].bytes, b), regs[k].mode, &i));
		if (i.regs_read != regs[k].read || i.regs_written != regs[k].written) {
			fprintf(stderr, "%s: reads %x, writes %x\n", regs[k].bytes, i.regs_read,
				i.regs_written);
			abort();
		}
	}
}

static struct kvm_insn decode(u8 mode, const char *text)
{
	struct kvm_insn i;
	u8 b[32];

	assert(!kvm_insn_decode(b, hex(text, b), mode, &i));
	return i;
}

static void fields(void)
{
	struct kvm_insn i = decode(L64, "f2 66 f3 65 4f 0f c1 44 8b 10");

	assert(i.prefixes == 5 && i.rep == 0xf3 && i.pp == 2 && i.opsize && !i.addrsize && !i.lock);
	assert(i.has_rex && i.w && i.r && i.x && i.b && i.seg_prefix == KVM_SEG_GS);
	assert(i.map == 1 && i.opcode == 0xc1 && i.modrm == 0x44 && i.sib == 0x8b);
	assert(i.disp_size == 1 && !i.imm_size && i.op_size == 8 && i.addr_size == 8);
	i = decode(P32, "67 f0 66 81 07 34 12");
	assert(i.lock && i.addrsize && i.opsize && i.op_size == 2 && i.addr_size == 2);
	assert(!i.has_rex && i.seg_prefix == KVM_REG_NONE && i.imm_size == 2 && i.imm == 0x1234);
	i = decode(P16, "c8 ff ff 1f");
	assert(i.imm == 0xffff && i.imm2 == 0x1f && i.imm_size == 2 && i.imm2_size == 1);
	/* vfmadd213ps %xmm10, %xmm1, %xmm9 and vaddpd (%rax), %zmm31, %zmm0 */
	i = decode(L64, "c4 42 71 a8 ca");
	assert(i.encoding == KVM_ENC_VEX && i.map == 2 && i.opcode == 0xa8 && i.pp == 1);
	assert(i.r && !i.x && i.b && !i.w && !i.vex_l && i.vvvv == 1);
	i = decode(L64, "62 f1 85 40 58 00");
	assert(i.encoding == KVM_ENC_EVEX && i.map == 1 && i.w && i.vex_l == 2 && i.vvvv == 15 &&
	       i.pp == 1);
	i = decode(L64, "0f 0f c1 9e");
	assert(i.encoding == KVM_ENC_3DNOW && i.map == 1 && i.opcode == 0x9e);
}

int main(void)
{
	good();
	bad();
	registers();
	fields();
	printf("%zu instructions, %zu that are none\n", COUNT(rows), COUNT(faults));
	return 0;
}
