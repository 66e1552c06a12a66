// SPDX-License-Identifier: MIT
/* sources: arch/x86_64/kvm_insn_decode.c arch/x86_64/kvm_insn_table.c */
/* sources: arch/x86_64/kvm_insn_operand.c */
/* judge: zydis */
/*
 * KVM's decoder and libzydis of the same instructions: random bytes, instructions made of prefixes,
 * opcode and ModRM, and mutations of what was valid. Whether it is an instruction, its length, its
 * fields, address, operands and registers have to be equal. OCHRE_INSN_ROUNDS: how many a mode;
 * 1,000,000 in a run with --full.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/x86_64/kvm_insn.h"
#include <Zydis/Zydis.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct judged {
	ZyanStatus status;
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
};

static const struct {
	const char *name;
	ZydisMachineMode mode;
	ZydisStackWidth stack;
} modes[] = {
	{ "real", ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16 },
	{ "prot16", ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16 },
	{ "prot32", ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32 },
	{ "long64", ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64 },
};

static u64 seed;

static u32 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)(seed >> 16);
}

/* --- what is compared --- */

static u8 gpr(ZydisRegister r, bool *high)
{
	ZydisRegisterClass c = ZydisRegisterGetClass(r);
	ZyanI8 id = ZydisRegisterGetId(r);

	*high = r >= ZYDIS_REGISTER_AH && r <= ZYDIS_REGISTER_BH;
	if (c == ZYDIS_REGCLASS_GPR8)
		return *high		      ? r - ZYDIS_REGISTER_AH :
		       r <= ZYDIS_REGISTER_BL ? r - ZYDIS_REGISTER_AL :
						r - ZYDIS_REGISTER_SPL + 4;
	return (u8)id;
}

static u64 cut(u64 v, u32 size)
{
	return size >= 8 ? v : v & ((1ull << (size * 8)) - 1);
}

static u8 base_of(ZydisRegister r)
{
	bool high;

	return r == ZYDIS_REGISTER_NONE			     ? KVM_REG_NONE :
	       ZydisRegisterGetClass(r) == ZYDIS_REGCLASS_IP ? KVM_REG_RIP :
							       gpr(r, &high);
}

static bool same_address(const struct kvm_insn *i, const struct judged *z,
			 const ZydisDecodedOperand *o)
{
	const struct kvm_insn_mem *m = &i->mem;
	bool evex = i->encoding == KVM_ENC_EVEX;

	return o->type == ZYDIS_OPERAND_TYPE_MEMORY && m->base == base_of(o->mem.base) &&
	       (o->mem.type == ZYDIS_MEMOP_TYPE_VSIB || m->index == base_of(o->mem.index)) &&
	       (m->index == KVM_REG_NONE || o->mem.type == ZYDIS_MEMOP_TYPE_VSIB ||
		i->addr_size == 2 || m->scale == o->mem.scale) &&
	       (evex ||
		cut((u64)m->disp, i->addr_size) == cut((u64)o->mem.disp.value, i->addr_size)) &&
	       (o->mem.type == ZYDIS_MEMOP_TYPE_AGEN ||
		m->seg == ZydisRegisterGetId(o->mem.segment));
}

static bool same_register(const struct kvm_operand *o, const ZydisDecodedOperand *z)
{
	ZydisRegisterClass c = ZydisRegisterGetClass(z->reg.value);
	bool high;

	if (z->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return false;
	switch (o->kind) {
	case KVM_OPND_REG:
		return c >= ZYDIS_REGCLASS_GPR8 && c <= ZYDIS_REGCLASS_GPR64 &&
		       gpr(z->reg.value, &high) == o->reg && high == o->high;
	case KVM_OPND_SEG:
		return c == ZYDIS_REGCLASS_SEGMENT && ZydisRegisterGetId(z->reg.value) == o->reg;
	case KVM_OPND_CR:
		return c == ZYDIS_REGCLASS_CONTROL && ZydisRegisterGetId(z->reg.value) == o->reg;
	case KVM_OPND_DR:
		return c == ZYDIS_REGCLASS_DEBUG && ZydisRegisterGetId(z->reg.value) == o->reg;
	case KVM_OPND_MMX:
		return c == ZYDIS_REGCLASS_MMX && ZydisRegisterGetId(z->reg.value) == o->reg;
	default:
		return c == ZYDIS_REGCLASS_XMM && ZydisRegisterGetId(z->reg.value) == o->reg;
	}
}

static bool same_operand(const struct kvm_insn *i, const struct kvm_operand *o,
			 const struct judged *j, const ZydisDecodedOperand *z)
{
	u8 access = (z->actions & ZYDIS_OPERAND_ACTION_MASK_READ ? KVM_ACCESS_READ : 0) |
		    (z->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE ? KVM_ACCESS_WRITE : 0);
	bool simd = o->kind == KVM_OPND_MMX || o->kind == KVM_OPND_XMM;

	switch (o->kind) {
	case KVM_OPND_MEM:
	case KVM_OPND_SOURCE:
		if (!same_address(i, j, z))
			return false;
		if (z->mem.type == ZYDIS_MEMOP_TYPE_AGEN || i->op == KVM_OP_INVLPG)
			return true;
		break;
	case KVM_OPND_DEST:
		if (z->type != ZYDIS_OPERAND_TYPE_MEMORY || base_of(z->mem.base) != 7 ||
		    z->mem.segment != ZYDIS_REGISTER_ES)
			return false;
		break;
	case KVM_OPND_IMM2:
		return z->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && z->imm.value.u == i->imm2;
	case KVM_OPND_ONE:
		return z->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && z->imm.value.u == 1;
	case KVM_OPND_FAR:
		return z->type == ZYDIS_OPERAND_TYPE_POINTER && z->ptr.offset == i->imm &&
		       z->ptr.segment == i->imm2;
	case KVM_OPND_IMM:
	case KVM_OPND_REL:
		return z->type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
		       cut(z->imm.value.u, o->size) == cut(i->imm, o->size);
	default:
		if (!same_register(o, z))
			return false;
	}
	if (i->op == KVM_OP_XLAT)
		access |= KVM_ACCESS_READ;
	return (simd || o->kind == KVM_OPND_SEG || o->size * 8 == z->size) && o->access == access;
}

/* What libzydis calls each operation; no other instruction has such a name. */
static const char *const names[KVM_OP_COUNT] = {
#define N(op, text) [KVM_OP_##op] = " " text " "
	N(ADD, "add"),
	N(OR, "or"),
	N(ADC, "adc"),
	N(SBB, "sbb"),
	N(AND, "and"),
	N(SUB, "sub"),
	N(XOR, "xor"),
	N(CMP, "cmp"),
	N(ROL, "rol"),
	N(ROR, "ror"),
	N(RCL, "rcl"),
	N(RCR, "rcr"),
	N(SHL, "shl"),
	N(SHR, "shr"),
	N(SAR, "sar"),
	N(TEST, "test"),
	N(NOT, "not"),
	N(NEG, "neg"),
	N(MUL, "mul"),
	N(IMUL, "imul"),
	N(DIV, "div"),
	N(IDIV, "idiv"),
	N(IMUL_REG, "imul"),
	N(INC, "inc"),
	N(DEC, "dec"),
	N(SHLD, "shld"),
	N(SHRD, "shrd"),
	N(BT, "bt"),
	N(BTS, "bts"),
	N(BTR, "btr"),
	N(BTC, "btc"),
	N(BSF, "bsf"),
	N(BSR, "bsr"),
	N(TZCNT, "tzcnt"),
	N(LZCNT, "lzcnt"),
	N(POPCNT, "popcnt"),
	N(MOV, "mov movnti movdiri"),
	N(MOVZX, "movzx"),
	N(MOVSX, "movsx movsxd"),
	N(MOVBE, "movbe"),
	N(LEA, "lea"),
	N(BSWAP, "bswap"),
	N(XCHG, "xchg"),
	N(XADD, "xadd"),
	N(CMPXCHG, "cmpxchg"),
	N(CMPXCHG8B, "cmpxchg8b cmpxchg16b"),
	N(SETCC, "seto setno setb setnb setz setnz setbe setnbe sets setns setp setnp setl setnl "
		 "setle setnle"),
	N(CMOVCC, "cmovo cmovno cmovb cmovnb cmovz cmovnz cmovbe cmovnbe cmovs cmovns cmovp cmovnp "
		  "cmovl cmovnl cmovle cmovnle"),
	N(JCC, "jo jno jb jnb jz jnz jbe jnbe js jns jp jnp jl jnl jle jnle"),
	N(LOOP, "loop loope loopne"),
	N(JCXZ, "jcxz jecxz jrcxz"),
	N(PUSH, "push"),
	N(POP, "pop"),
	N(CALL, "call"),
	N(CALL_FAR, "call"),
	N(JMP, "jmp"),
	N(JMP_FAR, "jmp"),
	N(RET, "ret"),
	N(RET_FAR, "ret"),
	N(ENTER, "enter"),
	N(LEAVE, "leave"),
	N(MOVS, "movsb movsw movsd movsq"),
	N(CMPS, "cmpsb cmpsw cmpsd cmpsq"),
	N(STOS, "stosb stosw stosd stosq"),
	N(LODS, "lodsb lodsw lodsd lodsq"),
	N(SCAS, "scasb scasw scasd scasq"),
	N(INS, "insb insw insd"),
	N(OUTS, "outsb outsw outsd"),
	N(XLAT, "xlat"),
	N(IN, "in"),
	N(OUT, "out"),
	N(MOV_CR, "mov"),
	N(MOV_DR, "mov"),
	N(MOV_SEG, "mov"),
	N(LOAD_FAR, "les lds lss lfs lgs"),
	N(CLTS, "clts"),
	N(LMSW, "lmsw"),
	N(SMSW, "smsw"),
	N(INVLPG, "invlpg"),
	N(SGDT, "sgdt"),
	N(SIDT, "sidt"),
	N(LGDT, "lgdt"),
	N(LIDT, "lidt"),
	N(SLDT, "sldt"),
	N(STR, "str"),
	N(LLDT, "lldt"),
	N(LTR, "ltr"),
	N(VERR, "verr"),
	N(VERW, "verw"),
	N(NOP, "nop pause"),
	N(MOVX,
	  "movups movupd movss movsd movaps movapd movlps movlpd movhps movhpd movntps movntpd "
	  "movntss movntsd movd movq movdqa movdqu movntdq movntq movntdqa lddqu"),
#undef N
};

static bool named(u32 op, ZydisMnemonic mnemonic)
{
	char word[40];

	snprintf(word, sizeof(word), " %s ", ZydisMnemonicGetString(mnemonic));
	return names[op] && strstr(names[op], word);
}

static const char *operation_differs(const struct kvm_insn *i, const ZydisDecodedInstruction *z)
{
	static const char plain[] = " nop call jmp mov movd movq movsd cmpsd ";
	char word[40];

	if (i->op != KVM_OP_OTHER)
		return named(i->op, z->mnemonic) ? NULL : "operation";
	/* The hints are NOPs of another kind, vector moves are OTHER. */
	snprintf(word, sizeof(word), " %s ", ZydisMnemonicGetString(z->mnemonic));
	if (strstr(plain, word) && i->opcode != 0x8c)
		return NULL;
	for (u32 op = 1; op < KVM_OP_COUNT; op++)
		if (named(op, z->mnemonic))
			return "operation is not seen";
	return NULL;
}

static const char *operands_differ(const struct kvm_insn *i, const struct judged *j)
{
	for (u32 k = 0; k < i->nr_operands; k++) {
		u32 n = 0;

		while (n < j->insn.operand_count &&
		       !same_operand(i, &i->operands[k], j, &j->ops[n]))
			n++;
		if (n == j->insn.operand_count)
			return k == 0 ? "first operand" :
			       k == 1 ? "second operand" :
					"third operand";
	}
	return i->op != KVM_OP_OTHER && i->op != KVM_OP_NOP &&
			       j->insn.operand_count_visible > i->nr_operands ?
		       "number of operands" :
		       NULL;
}

static const char *registers_differ(const struct kvm_insn *i, const struct judged *j)
{
	u16 read = 0, written = 0;

	if (i->op == KVM_OP_OTHER || i->op == KVM_OP_NOP)
		return NULL;
	for (u32 k = 0; k < j->insn.operand_count; k++) {
		const ZydisDecodedOperand *o = &j->ops[k];
		ZydisRegister regs[2] = { ZYDIS_REGISTER_NONE, ZYDIS_REGISTER_NONE };
		bool reg = o->type == ZYDIS_OPERAND_TYPE_REGISTER, high;

		if (reg)
			regs[0] = o->reg.value;
		else if (o->type == ZYDIS_OPERAND_TYPE_MEMORY)
			regs[0] = o->mem.base, regs[1] = o->mem.index;
		for (u32 n = 0; n < 2; n++) {
			ZydisRegisterClass c = ZydisRegisterGetClass(regs[n]);

			if (c < ZYDIS_REGCLASS_GPR8 || c > ZYDIS_REGCLASS_GPR64)
				continue;
			if (!reg || (o->actions & ZYDIS_OPERAND_ACTION_MASK_READ))
				read |= 1u << gpr(regs[n], &high);
			if (reg && (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
				written |= 1u << gpr(regs[n], &high);
		}
	}
	/* It leaves out that a string's registers go on (APM 3, MOVS), and XLAT's index. */
	if (i->op >= KVM_OP_MOVS && i->op <= KVM_OP_OUTS)
		written |= read & ((1u << 6) | (1u << 7));
	if (i->op == KVM_OP_XLAT)
		read |= 1;
	return read != i->regs_read	  ? "registers read" :
	       written != i->regs_written ? "registers written" :
					    NULL;
}

static const char *address_differs(const struct kvm_insn *i, const struct judged *j)
{
	u32 memory = 0, same = 0;

	for (u32 k = 0; k < j->insn.operand_count; k++)
		if (j->ops[k].type == ZYDIS_OPERAND_TYPE_MEMORY) {
			memory++;
			same += same_address(i, j, &j->ops[k]);
		}
	return i->mem.present && memory && !same ? "address" : NULL;
}

static bool same_vector(const struct kvm_insn *i, const ZydisDecodedInstruction *z, u32 mode)
{
	const ZydisDecodedInstructionRawXop *x = &z->raw.xop;
	const ZydisDecodedInstructionRawVex *v = &z->raw.vex;
	const ZydisDecodedInstructionRawEvex *e = &z->raw.evex;
	u8 seen[7] = { i->map, i->w, i->vvvv, i->pp, i->r, i->x, i->b };

	if (i->encoding == KVM_ENC_XOP) {
		u8 t[7] = { x->m_mmmm, x->W, ~x->vvvv & 15, x->pp, !x->R, !x->X, !x->B };

		return i->vex_l == x->L && !memcmp(seen, t, mode == KVM_MODE_LONG64 ? 7 : 4);
	}
	if (i->encoding == KVM_ENC_VEX) {
		u8 t[7] = { v->m_mmmm, v->W, ~v->vvvv & 15, v->pp, !v->R, !v->X, !v->B };

		return i->vex_l == v->L && !memcmp(seen, t, mode == KVM_MODE_LONG64 ? 7 : 4);
	}
	if (i->encoding == KVM_ENC_EVEX) {
		u8 t[7] = { e->mmm, e->W, ~e->vvvv & 15, e->pp, !e->R, !e->X, !e->B };

		return i->vex_l == (e->L2 << 1 | e->L) &&
		       !memcmp(seen, t, mode == KVM_MODE_LONG64 ? 7 : 4);
	}
	return true;
}

static const char *fields_differ(const struct kvm_insn *i, const ZydisDecodedInstruction *z,
				 u32 mode)
{
	bool reads = z->attributes & ZYDIS_ATTRIB_HAS_MODRM;
	u8 modrm = z->raw.modrm.mod << 6 | z->raw.modrm.reg << 3 | z->raw.modrm.rm;
	u8 sib = z->raw.sib.scale << 6 | z->raw.sib.index << 3 | z->raw.sib.base;

	if (i->length != z->length)
		return "length";
	if (!same_vector(i, z, mode))
		return "a field of VEX, EVEX or XOP";
	if (i->opcode != z->opcode && i->encoding != KVM_ENC_3DNOW)
		return "opcode";
	if (i->has_modrm != reads || (reads && i->modrm != modrm))
		return "ModRM";
	if (i->has_sib != !!(z->attributes & ZYDIS_ATTRIB_HAS_SIB) || (i->has_sib && i->sib != sib))
		return "SIB";
	if (i->disp_size * 8 != z->raw.disp.size)
		return "size of the displacement";
	if (i->disp_size &&
	    cut((u64)i->mem.disp, i->addr_size) != cut((u64)z->raw.disp.value, i->addr_size))
		return "displacement";
	if (i->encoding != KVM_ENC_3DNOW && i->nr_operands &&
	    (i->imm_size * 8 != z->raw.imm[0].size || i->imm2_size * 8 != z->raw.imm[1].size))
		return "size of the immediate";
	if (i->prefixes != z->raw.prefix_count && i->encoding < KVM_ENC_VEX)
		return "number of prefixes";
	if (i->encoding < KVM_ENC_VEX && i->has_rex &&
	    (i->w != z->raw.rex.W || i->r != z->raw.rex.R || i->x != z->raw.rex.X ||
	     i->b != z->raw.rex.B))
		return "REX";
	if ((i->mem.present || i->op != KVM_OP_OTHER) && i->addr_size * 8 != z->address_width)
		return "address size";
	return NULL;
}

/* --- differences that are meant --- */

enum meant {
	NOT_MEANT,
	VECTOR,
	OTHER_VENDOR,
	CR8,
	FAR64,
	BRANCH16,
	NOTRACK,
	R13,
	VMX_REAL,
	BOTH,
	MEANT_COUNT
};

/* APM: AMD64 Architecture Programmer's Manual; SDM: Intel's. The rule, and where it stands. */
static const char *const meant_text[MEANT_COUNT] = {
	[VECTOR] =
		"VEX, EVEX, XOP: the CPU judges reserved fields and tied registers, not the decoder "
		"(kvm_insn.h)",
	[OTHER_VENDOR] = "0F A6, 0F A7 and MVEX are reserved (APM 3, appendix A): VIA's PadLock, "
			 "Knights Corner's masks and vectors",
	[CR8] = "LOCK before MOV CR0 addresses CR8 outside 64-bit mode (APM 3, MOV CRn)",
	[FAR64] =
		"far pointers have offsets of 16 or 32 bits, with REX.W too (APM 3, CALL far, JMP far, "
		"LSS)",
	[BRANCH16] =
		"66 makes the target of a near branch 16 bits in 64-bit mode (APM 3, CALL near, JMP "
		"near)",
	[NOTRACK] =
		"3E before an indirect branch is DS: AMD has shadow stacks, no tracking (APM 2, 18)",
	[R13] = "mod 00 with SIB's base 101 is no base, whatever REX.B (APM 3, 1.4.4)",
	[VMX_REAL] = "VMWRITE is not recognised in real mode (SDM 3, VMWRITE)",
	[BOTH] = "invalid and over 15 bytes: no manual says which fault comes first",
};

static enum meant meant(enum kvm_insn_status s, const struct kvm_insn *i, const struct judged *j,
			u32 mode)
{
	bool theirs = ZYAN_SUCCESS(j->status),
	     far = i->op == KVM_OP_CALL_FAR || i->op == KVM_OP_JMP_FAR;
	const ZydisDecodedInstruction *z = &j->insn;

	if (s && theirs)
		return z->meta.isa_ext == ZYDIS_ISA_EXT_PADLOCK ||
				       (z->meta.isa_ext >= ZYDIS_ISA_EXT_KNC &&
					z->meta.isa_ext <= ZYDIS_ISA_EXT_KNCV) ?
			       OTHER_VENDOR :
		       mode == KVM_MODE_REAL && z->mnemonic == ZYDIS_MNEMONIC_VMWRITE ? VMX_REAL :
											NOT_MEANT;
	if (s)
		return BOTH;
	if (!theirs)
		return i->encoding >= KVM_ENC_VEX ? VECTOR :
		       i->op == KVM_OP_MOV_CR && i->lock && j->status == ZYDIS_STATUS_ILLEGAL_LOCK ?
						    CR8 :
						    NOT_MEANT;
	if (mode == KVM_MODE_LONG64 && i->w && (far || i->op == KVM_OP_LOAD_FAR))
		return FAR64;
	if (i->opcode == 0xff && (i->op == KVM_OP_CALL || i->op == KVM_OP_JMP)) {
		if (z->attributes & ZYDIS_ATTRIB_HAS_NOTRACK && mode != KVM_MODE_LONG64)
			return NOTRACK;
		if (i->opsize && !i->w && mode == KVM_MODE_LONG64)
			return BRANCH16;
	}
	return i->addrsize && i->has_sib && i->b && i->modrm < 0x40 && (i->sib & 7) == 5 ?
		       R13 :
		       NOT_MEANT;
}

static const char *differ(enum kvm_insn_status s, const struct kvm_insn *i, const struct judged *j,
			  u32 mode)
{
	const char *what;

	if (ZYAN_SUCCESS(j->status) != !s)
		return "validity";
	if (s)
		return (s == KVM_INSN_TOO_LONG) !=
				       (j->status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG) ?
			       "too long" :
			       NULL;
	what = fields_differ(i, &j->insn, mode);
	what = what ? what : operation_differs(i, &j->insn);
	what = what ? what : operands_differ(i, j);
	what = what ? what : registers_differ(i, j);
	return what ? what : address_differs(i, j);
}

/* --- what is decoded --- */

#define BYTES 24

static u32 make_escape(u8 *b)
{
	switch (rnd() % 16) {
	case 0 ... 4:
		b[0] = 0x0f;
		return 1;
	case 5 ... 8:
		b[0] = 0x0f;
		b[1] = rnd() % 2 ? 0x38 : 0x3a;
		return 2;
	case 9:
		b[0] = b[1] = 0x0f;
		return 2;
	case 10: /* fields as they mostly are: no vvvv */
		b[0] = 0xc4;
		b[1] = (b[1] & 0xe0) | rnd() % 4;
		b[2] |= 0x78;
		return 3;
	case 11:
		b[0] = 0xc5;
		b[1] |= 0x78;
		return 2;
	case 12:
		b[0] = 0x8f;
		b[1] = (b[1] & 0xe0) | (8 + rnd() % 3);
		b[2] |= 0x78;
		return 3;
	case 13:
		b[0] = 0x62;
		b[1] = (b[1] | 0xf0) & 0xf7;
		b[2] |= 0x7c;
		b[3] = (b[3] & 0x60) | 8;
		return 4;
	default:
		return 0;
	}
}

/* An instruction, LAST with some bytes changed, or any bytes. */
static void make(u8 *b, const u8 *last)
{
	static const u8 prefixes[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36,
				       0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3 };
	u32 n = 0, kind = rnd() % 8;

	for (u32 k = 0; k < BYTES; k++)
		b[k] = (u8)rnd();
	if (!kind)
		return;
	if (kind < 3) {
		memcpy(b, last, KVM_INSN_MAX);
		for (u32 k = rnd() % 3; k < 3; k++)
			b[rnd() % 8] ^= rnd() % 2 ? 1u << rnd() % 8 : (u8)rnd();
		return;
	}
	for (u32 k = rnd() % 16 ? rnd() % 3 : rnd() % 15; k; k--)
		b[n++] = prefixes[rnd() % COUNT(prefixes)];
	if (rnd() % 3 == 0)
		b[n++] = 0x40 | rnd() % 16;
	make_escape(b + n);
}

static u64 seen[MEANT_COUNT];

static void complain(const char *mode, const char *what, const u8 *b, const struct kvm_insn *i,
		     enum kvm_insn_status s, const struct judged *j)
{
	printf("%s: %s differs:", mode, what);
	for (u32 k = 0; k < KVM_INSN_MAX; k++)
		printf(" %02x", b[k]);
	printf("\n  ours: status %d, %u bytes, map %u opcode %02x, operation %u; libzydis: status %x, %u bytes, %s\n",
	       s, i->length, i->map, i->opcode, i->op, j->status & 0xff, j->insn.length,
	       ZYAN_SUCCESS(j->status) ? ZydisMnemonicGetString(j->insn.mnemonic) : "none");
}

/* How many differences there are that are not meant. */
static u32 compare(u32 m, u32 rounds)
{
	u8 b[BYTES], last[BYTES] = { 0 };
	u32 bad = 0, valid = 0;
	ZydisDecoder d;

	ZydisDecoderInit(&d, modes[m].mode, modes[m].stack);
	ZydisDecoderEnableMode(&d, ZYDIS_DECODER_MODE_AMD_BRANCHES, 1);
	ZydisDecoderEnableMode(&d, ZYDIS_DECODER_MODE_MPX, 0);
	ZydisDecoderEnableMode(&d, ZYDIS_DECODER_MODE_CLDEMOTE, 0);
	seed = 0x9e3779b97f4a7c15ull + m;
	for (u32 r = 0; r < rounds; r++) {
		struct judged j = { 0 };
		struct kvm_insn i;
		enum kvm_insn_status s;
		const char *what;
		enum meant why;

		make(b, last);
		j.status = ZydisDecoderDecodeFull(&d, b, BYTES, &j.insn, j.ops);
		s = kvm_insn_decode(b, BYTES, (enum kvm_insn_mode)m, &i);
		if (!s) {
			memcpy(last, b, BYTES);
			valid++;
		}
		what = differ(s, &i, &j, m);
		if (!what)
			continue;
		why = meant(s, &i, &j, m);
		seen[why]++;
		if (why == NOT_MEANT && bad++ < 20)
			complain(modes[m].name, what, b, &i, s, &j);
	}
	printf("%s: %u of %u are instructions, %u differ\n", modes[m].name, valid, rounds, bad);
	return bad;
}

int main(void)
{
	const char *env = getenv("OCHRE_INSN_ROUNDS");
	u32 rounds = getenv("OCHRE_FULL") ? 1000000 : 200000, bad = 0;

	if (env)
		rounds = (u32)strtoul(env, NULL, 10);
	for (u32 m = 0; m < COUNT(modes); m++)
		bad += compare(m, rounds);
	for (u32 k = 1; k < MEANT_COUNT; k++)
		printf("meant %llu times: %s\n", seen[k], meant_text[k]);
	return bad != 0;
}
