// SPDX-License-Identifier: MIT
/* What the operands of a decoded instruction are, and which general registers it touches. */
#include "arch/x86_64/kvm_insn_table.h"

#define AX (1 << 0)
#define CX (1 << 1)
#define DX (1 << 2)
#define BX (1 << 3)
#define SP (1 << 4)
#define BP (1 << 5)
#define SI (1 << 6)
#define DI (1 << 7)

/* Registers that an operation uses without naming them (APM 3, chapter 3). */
static const struct implicit {
	u16 read, written;
} implicit[KVM_OP_COUNT] = {
	[KVM_OP_MUL... KVM_OP_IMUL] = { AX, AX | DX },
	[KVM_OP_DIV... KVM_OP_IDIV] = { AX | DX, AX | DX },
	[KVM_OP_CMPXCHG] = { AX, AX },
	[KVM_OP_CMPXCHG8B] = { AX | BX | CX | DX, AX | DX },
	[KVM_OP_PUSH... KVM_OP_CALL_FAR] = { SP, SP },
	[KVM_OP_RET... KVM_OP_RET_FAR] = { SP, SP },
	[KVM_OP_ENTER] = { SP | BP, SP | BP },
	[KVM_OP_LEAVE] = { SP | BP, SP | BP },
	[KVM_OP_LOOP] = { CX, CX },
	[KVM_OP_JCXZ] = { CX, 0 },
	[KVM_OP_MOVS... KVM_OP_CMPS] = { SI | DI, SI | DI },
	[KVM_OP_STOS] = { DI, DI },
	[KVM_OP_LODS] = { SI, SI },
	[KVM_OP_SCAS... KVM_OP_INS] = { DI, DI },
	[KVM_OP_OUTS] = { SI, SI },
	[KVM_OP_XLAT] = { BX, 0 },
};

static u8 reg_field(const struct kvm_insn *i)
{
	return (i->modrm >> 3 & 7) | i->r << 3;
}

static u8 opcode_field(const struct kvm_insn *i)
{
	return (i->opcode & 7) | i->b << 3;
}

static u8 at_most_4(u8 size)
{
	return size > 4 ? 4 : size;
}

/* The size of what a code names; 0 where it names nothing of a size. */
static u8 size_of(const struct kvm_insn *i, u8 code, enum kvm_insn_mode mode)
{
	switch (code) {
	case C_Eb:
	case C_Gb:
	case C_Zb:
	case C_AL:
	case C_CL:
	case C_Ib:
	case C_Ib2:
	case C_Ob:
	case C_Xb:
	case C_Yb:
	case C_XLAT:
	case C_1:
		return 1;
	case C_Ew:
	case C_DX:
	case C_Iw:
	case C_Sw:
		return 2;
	case C_Emw:
		return i->modrm < 0xc0 ? 2 : i->op_size;
	case C_Ed: /* MOVSXD's */
		return i->mem.present ? 4 : at_most_4(i->op_size);
	case C_Wd:
	case C_Md:
		return 4;
	case C_Wq:
	case C_Mq:
	case C_Qq:
	case C_P:
		return 8;
	case C_Wx:
	case C_Mx:
	case C_V:
		return 16;
	case C_Ey:
	case C_Gy:
		return i->w ? 8 : 4;
	case C_M2y:
		return i->w ? 16 : 8;
	case C_Es:
	case C_Cs:
	case C_Ds:
		return mode == KVM_MODE_LONG64 ? 8 : 4;
	case C_Ms: /* a limit of 2 bytes, then the base */
		return mode == KVM_MODE_LONG64 ? 10 : 6;
	case C_Mp:
		return at_most_4(i->op_size) + 2;
	case C_Az:
	case C_Gz:
	case C_Xz:
	case C_Yz:
		return at_most_4(i->op_size);
	default:
		return i->op_size;
	}
}

static void general(struct kvm_operand *o, const struct kvm_insn *i, u8 reg)
{
	o->kind = KVM_OPND_REG;
	o->reg = reg;
	if (o->size == 1 && !i->has_rex && reg >= 4) {
		o->high = 1;
		o->reg = reg - 4;
	}
}

static void vector(struct kvm_operand *o, u8 kind, u8 reg)
{
	o->kind = kind;
	o->reg = kind == KVM_OPND_MMX ? reg & 7 : reg;
	o->size = kind == KVM_OPND_MMX ? 8 : 16;
}

/* ModRM's register or memory. */
static void by_modrm(struct kvm_operand *o, const struct kvm_insn *i, u8 code)
{
	u8 rm = (i->modrm & 7) | i->b << 3;

	if (i->mem.present)
		o->kind = KVM_OPND_MEM;
	else if (code == C_Qq)
		vector(o, KVM_OPND_MMX, rm);
	else if (code >= C_V)
		vector(o, KVM_OPND_XMM, rm);
	else
		general(o, i, rm);
}

/* A string's source, or the byte of XLAT's table: what ModRM says elsewhere. */
static void string_source(struct kvm_operand *o, struct kvm_insn *i, u8 base)
{
	o->kind = KVM_OPND_SOURCE;
	i->mem.present = 1;
	i->mem.base = base;
	i->mem.scale = 1;
	i->mem.seg = i->seg_prefix != KVM_REG_NONE ? i->seg_prefix : KVM_SEG_DS;
}

static void immediate(struct kvm_operand *o, u8 code)
{
	o->kind = code == C_Ib2		       ? KVM_OPND_IMM2 :
		  code == C_1		       ? KVM_OPND_ONE :
		  code == C_Ap		       ? KVM_OPND_FAR :
		  code == C_Jb || code == C_Jz ? KVM_OPND_REL :
						 KVM_OPND_IMM;
}

static void operand(struct kvm_operand *o, struct kvm_insn *i, u8 code)
{
	switch (code) {
	case C_Eb ... C_Mv:
	case C_Wx ... C_Md:
	case C_Qq:
		by_modrm(o, i, code);
		break;
	case C_Gb ... C_Gz:
		general(o, i, reg_field(i));
		break;
	case C_Zb ... C_Zv:
		general(o, i, opcode_field(i));
		break;
	case C_AL ... C_Az:
		general(o, i, 0);
		break;
	case C_CL:
		general(o, i, 1);
		break;
	case C_DX:
		general(o, i, 2);
		break;
	case C_Ob ... C_Ov:
		o->kind = KVM_OPND_MEM;
		break;
	case C_Xb ... C_Xz:
		string_source(o, i, 6);
		break;
	case C_XLAT:
		string_source(o, i, 3);
		break;
	case C_Yb ... C_Yz:
		o->kind = KVM_OPND_DEST;
		break;
	case C_Sw:
		o->kind = KVM_OPND_SEG;
		o->reg = i->modrm >> 3 & 7;
		break;
	case C_Cs:
		o->kind = KVM_OPND_CR;
		o->reg = reg_field(i) | i->lock << 3;
		break;
	case C_Ds:
		o->kind = KVM_OPND_DR;
		o->reg = reg_field(i);
		break;
	case C_ES ... C_GS:
		o->kind = KVM_OPND_SEG;
		o->reg = code - C_ES;
		break;
	case C_V:
		vector(o, KVM_OPND_XMM, reg_field(i));
		break;
	case C_P:
		vector(o, KVM_OPND_MMX, reg_field(i));
		break;
	default:
		immediate(o, code);
	}
}

static u16 bit(u8 reg)
{
	return reg < 16 ? 1 << reg : 0;
}

static bool is_string(u8 op)
{
	return op >= KVM_OP_MOVS && op <= KVM_OP_OUTS;
}

static void note_registers(struct kvm_insn *i)
{
	const struct implicit *im = &implicit[i->op];
	bool byte_muldiv = i->op >= KVM_OP_MUL && i->op <= KVM_OP_IDIV && !(i->opcode & 1);

	i->regs_read = im->read & (byte_muldiv ? AX : 0xffff);
	i->regs_written = im->written & (byte_muldiv ? AX : 0xffff);
	if (is_string(i->op) && i->rep) {
		i->regs_read |= CX;
		i->regs_written |= CX;
	}
	if (i->mem.present)
		i->regs_read |= bit(i->mem.base) | bit(i->mem.index);
	for (u32 k = 0; k < i->nr_operands; k++) {
		const struct kvm_operand *o = &i->operands[k];

		if (o->kind != KVM_OPND_REG)
			continue;
		i->regs_read |= o->access & KVM_ACCESS_READ ? bit(o->reg) : 0;
		i->regs_written |= o->access & KVM_ACCESS_WRITE ? bit(o->reg) : 0;
	}
}

void kvm_insn_operands(struct kvm_insn *i, const struct kvm_form *f, enum kvm_insn_mode mode)
{
	for (u32 k = 0; k < 3 && f->code[k]; k++) {
		struct kvm_operand *o = &i->operands[i->nr_operands++];

		o->size = size_of(i, f->code[k], mode);
		o->access = f->access >> (k * 2) & 3;
		operand(o, i, f->code[k]);
	}
	note_registers(i);
}
