// SPDX-License-Identifier: MIT
/* Execution of KVM's instructions: operands, the choice of who executes, commit. */
#include "arch/x86_64/kvm_insn_exec_priv.h"

enum kvm_exec_status kvm_exec_fault(struct kvm_exec *e, u8 vector, u32 code)
{
	e->fault = (struct kvm_exec_fault){
		.vector = vector,
		.has_code = vector >= VECTOR_NP,
		.code = code,
	};
	return KVM_EXEC_FAULT;
}

u64 kvm_exec_reg_get(const struct kvm_exec *e, const struct kvm_operand *o)
{
	u64 v = e->next.gpr[o->reg];

	return (o->high ? v >> 8 : v) & kvm_exec_mask(o->size);
}

void kvm_exec_reg_put(struct kvm_exec *e, const struct kvm_operand *o, u64 value)
{
	u64 *reg = &e->next.gpr[o->reg];

	if (o->high)
		*reg = (*reg & ~0xff00ull) | (value & 0xff) << 8;
	else
		kvm_exec_merge(reg, value, o->size);
}

enum kvm_exec_status kvm_exec_get(struct kvm_exec *e, u32 operand, u64 *value, bool will_write)
{
	const struct kvm_operand *o = &e->insn.operands[operand];

	*value = 0;
	switch (o->kind) {
	case KVM_OPND_REG:
		*value = kvm_exec_reg_get(e, o);
		return KVM_EXEC_DONE;
	case KVM_OPND_SEG:
		*value = e->next.seg[o->reg].selector;
		return KVM_EXEC_DONE;
	case KVM_OPND_IMM:
		*value = e->insn.imm & kvm_exec_mask(o->size);
		return KVM_EXEC_DONE;
	case KVM_OPND_ONE:
		*value = 1;
		return KVM_EXEC_DONE;
	case KVM_OPND_MEM:
		return kvm_exec_read(e, e->insn.mem.seg, kvm_exec_offset(e), value, o->size,
				     will_write);
	default:
		return KVM_EXEC_UNHANDLED;
	}
}

enum kvm_exec_status kvm_exec_put(struct kvm_exec *e, u32 operand, u64 value)
{
	const struct kvm_operand *o = &e->insn.operands[operand];

	if (o->kind == KVM_OPND_REG) {
		kvm_exec_reg_put(e, o, value);
		return KVM_EXEC_DONE;
	}
	return kvm_exec_write(e, e->insn.mem.seg, kvm_exec_offset(e), &value, o->size);
}

enum kvm_exec_status kvm_exec_update(struct kvm_exec *e, u32 operand, u64 old, u64 value,
				     bool locked)
{
	const struct kvm_operand *o = &e->insn.operands[operand];

	if (o->kind != KVM_OPND_MEM || !locked)
		return kvm_exec_put(e, operand, value);
	return kvm_exec_exchange(e, e->insn.mem.seg, kvm_exec_offset(e), &old, &value, o->size);
}

bool kvm_exec_condition(u64 f, u8 code)
{
	bool less = !(f & FLAG_SF) != !(f & FLAG_OF), yes;

	switch (code >> 1 & 7) {
	case 0:
		yes = f & FLAG_OF;
		break;
	case 1:
		yes = f & FLAG_CF;
		break;
	case 2:
		yes = f & FLAG_ZF;
		break;
	case 3:
		yes = f & (FLAG_CF | FLAG_ZF);
		break;
	case 4:
		yes = f & FLAG_SF;
		break;
	case 5:
		yes = f & FLAG_PF;
		break;
	case 6:
		yes = less;
		break;
	default:
		yes = less || (f & FLAG_ZF);
	}
	return yes != (code & 1);
}

void kvm_exec_commit(struct kvm_exec *e)
{
	e->regs = e->next;
	e->nr_kept = 0;
	e->io_len = 0;
}

static enum kvm_exec_status dispatch(struct kvm_exec *e)
{
	switch (e->insn.op) {
	case KVM_OP_OTHER:
		return e->insn.encoding == KVM_ENC_LEGACY ? kvm_exec_other(e) : kvm_exec_vex(e);
	case KVM_OP_NOP:
		return KVM_EXEC_DONE;
	case KVM_OP_ADD ... KVM_OP_CMP:
	case KVM_OP_TEST ... KVM_OP_NEG:
	case KVM_OP_INC ... KVM_OP_DEC:
		return kvm_exec_alu(e);
	case KVM_OP_ROL ... KVM_OP_SAR:
	case KVM_OP_SHLD ... KVM_OP_SHRD:
		return kvm_exec_shift(e);
	case KVM_OP_MUL ... KVM_OP_IMUL_REG:
		return kvm_exec_multiply(e);
	case KVM_OP_BT ... KVM_OP_POPCNT:
		return kvm_exec_bits(e);
	case KVM_OP_MOV ... KVM_OP_CMOVCC:
	case KVM_OP_XLAT:
	case KVM_OP_MOV_SEG:
	case KVM_OP_LOAD_FAR:
		return kvm_exec_move(e);
	case KVM_OP_JCC ... KVM_OP_JCXZ:
	case KVM_OP_CALL ... KVM_OP_RET_FAR:
		return kvm_exec_flow(e);
	case KVM_OP_PUSH ... KVM_OP_POP:
	case KVM_OP_ENTER ... KVM_OP_LEAVE:
		return kvm_exec_stack(e);
	case KVM_OP_IN ... KVM_OP_OUT:
		return kvm_exec_port(e);
	case KVM_OP_MOVX:
		return kvm_exec_vector(e);
	default:
		return kvm_exec_system(e);
	}
}

enum kvm_exec_status kvm_insn_exec(struct kvm_exec *e)
{
	const struct kvm_insn *i = &e->insn;
	enum kvm_exec_status s;

	if (!e->pending) {
		e->nr_kept = 0;
		e->io_len = 0;
	}
	for (u32 k = 0; k < e->nr_kept; k++)
		e->kept[k].fresh = true;
	e->next = e->regs;
	e->next.shadow = 0;
	if (i->op >= KVM_OP_MOVS && i->op <= KVM_OP_OUTS) {
		s = kvm_exec_string(e);
	} else {
		e->next.rip += i->length;
		if (e->mode != KVM_MODE_LONG64)
			e->next.rip &= 0xffffffff;
		e->next.rflags &= ~FLAG_RF;
		s = dispatch(e);
		if (!s)
			kvm_exec_commit(e);
	}
	e->pending = s == KVM_EXEC_PENDING;
	return s;
}
