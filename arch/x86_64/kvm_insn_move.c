// SPDX-License-Identifier: MIT
/* Moves of KVM's instructions between general registers, segments and memory. */
#include "arch/x86_64/kvm_insn_exec_priv.h"

static u64 swap_bytes(u64 v, u32 size)
{
	u64 r = 0;

	for (u32 k = 0; k < size; k++)
		r = r << 8 | (v >> (k * 8) & 0xff);
	return r;
}

/* MOV, MOVZX, MOVSX, MOVBE: one operand to another. */
static enum kvm_exec_status plain(struct kvm_exec *e)
{
	u8 op = e->insn.op;
	u32 from = e->insn.operands[1].size;
	u64 v;
	enum kvm_exec_status s = kvm_exec_get(e, 1, &v, false);

	if (s)
		return s;
	if (op == KVM_OP_MOVSX)
		v = kvm_exec_sign_extend(v, from);
	else if (op == KVM_OP_MOVBE)
		v = swap_bytes(v, from);
	return kvm_exec_put(e, 0, v);
}

/* XCHG, XADD. XCHG is locked without the prefix. */
static enum kvm_exec_status exchange(struct kvm_exec *e)
{
	bool adds = e->insn.op == KVM_OP_XADD;
	u64 a, b, fresh;
	enum kvm_exec_status s = kvm_exec_get(e, 0, &a, true);

	if (!s)
		s = kvm_exec_get(e, 1, &b, false);
	if (s)
		return s;
	fresh = adds ? kvm_exec_flags_add(e, a, b, e->insn.operands[0].size) : b;
	if (e->insn.operands[0].kind == KVM_OPND_MEM) {
		/* the register comes last: it may be part of the address */
		s = kvm_exec_update(e, 0, a, fresh, !adds || e->insn.lock);
		return s ? s : kvm_exec_put(e, 1, a);
	}
	/* XADD of a register with itself gives the sum. */
	kvm_exec_reg_put(e, &e->insn.operands[1], a);
	kvm_exec_reg_put(e, &e->insn.operands[0], fresh);
	return KVM_EXEC_DONE;
}

/* Memory is written in either case, a register where they are equal (APM 3, CMPXCHG). */
static enum kvm_exec_status compare_exchange(struct kvm_exec *e)
{
	u32 size = e->insn.operands[0].size;
	u64 old, source, accumulator = e->next.gpr[RAX] & kvm_exec_mask(size);
	enum kvm_exec_status s = kvm_exec_get(e, 0, &old, true);

	if (!s)
		s = kvm_exec_get(e, 1, &source, false);
	if (s)
		return s;
	kvm_exec_flags_sub(e, accumulator, old, size);
	if (old == accumulator || e->insn.operands[0].kind == KVM_OPND_MEM)
		s = kvm_exec_update(e, 0, old, old == accumulator ? source : old, e->insn.lock);
	if (!s && old != accumulator)
		kvm_exec_merge(&e->next.gpr[RAX], old, size);
	return s;
}

/* CMPXCHG8B and CMPXCHG16B; rDX:rAX with rCX:rBX. */
static enum kvm_exec_status compare_exchange_pair(struct kvm_exec *e)
{
	u32 size = e->insn.operands[0].size, half = size / 2;
	u64 *gpr = e->next.gpr, mask = kvm_exec_mask(half), old[2] = { 0 }, fresh[2], offset;
	u8 seg = e->insn.mem.seg, bytes[16], to[16];
	bool same;
	enum kvm_exec_status s;

	offset = kvm_exec_offset(e);
	if (size == 16 && (offset + (seg >= KVM_SEG_FS ? e->next.seg[seg].base : 0)) & 15)
		return kvm_exec_fault(e, VECTOR_GP, 0);
	s = kvm_exec_read(e, seg, offset, bytes, size, true);
	if (s)
		return s;
	for (u32 k = 0; k < size; k++)
		old[k / half] |= (u64)bytes[k] << (k % half * 8);
	same = old[0] == (gpr[RAX] & mask) && old[1] == (gpr[RDX] & mask);
	fresh[0] = same ? gpr[RBX] : old[0];
	fresh[1] = same ? gpr[RCX] : old[1];
	for (u32 k = 0; k < size; k++)
		to[k] = (u8)(fresh[k / half] >> (k % half * 8));
	s = e->insn.lock ? kvm_exec_exchange(e, seg, offset, bytes, to, size) :
			   kvm_exec_write(e, seg, offset, to, size);
	if (s)
		return s;
	e->next.rflags = (e->next.rflags & ~FLAG_ZF) | (same ? FLAG_ZF : 0);
	if (!same) {
		kvm_exec_merge(&gpr[RAX], old[0], half);
		kvm_exec_merge(&gpr[RDX], old[1], half);
	}
	return KVM_EXEC_DONE;
}

/* The source is read and 32 bits are extended whatever the condition (APM 3, CMOVcc). */
static enum kvm_exec_status move_if(struct kvm_exec *e)
{
	u64 v, old;
	enum kvm_exec_status s = kvm_exec_get(e, 1, &v, false);

	if (!s)
		s = kvm_exec_get(e, 0, &old, false);
	return s ? s :
		   kvm_exec_put(e, 0, kvm_exec_condition(e->next.rflags, e->insn.opcode) ? v : old);
}

static enum kvm_exec_status load_segment(struct kvm_exec *e, u8 seg, u64 selector)
{
	if (seg == KVM_SEG_SS && !(e->regs.shadow & KVM_SHADOW_MOV_SS))
		e->next.shadow = KVM_SHADOW_MOV_SS;
	return kvm_exec_load_segment(e, seg, (u16)selector);
}

static enum kvm_exec_status move_segment(struct kvm_exec *e)
{
	u64 v;
	enum kvm_exec_status s = kvm_exec_get(e, 1, &v, false);

	if (s)
		return s;
	if (e->insn.operands[0].kind == KVM_OPND_SEG)
		return load_segment(e, e->insn.operands[0].reg, v);
	return kvm_exec_put(e, 0, v);
}

/* LES, LDS, LSS, LFS, LGS: an offset, behind it a selector. */
static enum kvm_exec_status load_far(struct kvm_exec *e)
{
	const struct kvm_insn *i = &e->insn;
	u32 size = i->operands[0].size;
	u8 seg = i->opcode == 0xb2 ? KVM_SEG_SS :
		 i->opcode == 0xb4 ? KVM_SEG_FS :
		 i->opcode == 0xb5 ? KVM_SEG_GS :
		 i->opcode == 0xc4 ? KVM_SEG_ES :
				     KVM_SEG_DS;
	u64 v;
	enum kvm_exec_status s = kvm_exec_get(e, 1, &v, false);

	if (!s)
		s = kvm_exec_load_segment(e, seg, (u16)(v >> (size * 8)));
	return s ? s : kvm_exec_put(e, 0, v & kvm_exec_mask(size));
}

static enum kvm_exec_status translate(struct kvm_exec *e)
{
	u64 offset = kvm_exec_offset(e) + (e->next.gpr[RAX] & 0xff), v = 0;
	enum kvm_exec_status s = kvm_exec_read(
		e, e->insn.mem.seg, offset & kvm_exec_mask(e->insn.addr_size), &v, 1, false);

	return s ? s : kvm_exec_put(e, 0, v);
}

enum kvm_exec_status kvm_exec_move(struct kvm_exec *e)
{
	u64 v;

	switch (e->insn.op) {
	case KVM_OP_MOV ... KVM_OP_MOVBE:
		return plain(e);
	case KVM_OP_LEA:
		return kvm_exec_put(e, 0, kvm_exec_offset(e));
	case KVM_OP_BSWAP: /* of 16 bits: undefined, 0 as the CPUs have it */
		v = kvm_exec_reg_get(e, &e->insn.operands[0]);
		return kvm_exec_put(e, 0,
				    e->insn.op_size == 2 ? 0 : swap_bytes(v, e->insn.op_size));
	case KVM_OP_XCHG:
	case KVM_OP_XADD:
		return exchange(e);
	case KVM_OP_CMPXCHG:
		return compare_exchange(e);
	case KVM_OP_CMPXCHG8B:
		return compare_exchange_pair(e);
	case KVM_OP_SETCC:
		return kvm_exec_put(e, 0, kvm_exec_condition(e->next.rflags, e->insn.opcode));
	case KVM_OP_CMOVCC:
		return move_if(e);
	case KVM_OP_XLAT:
		return translate(e);
	case KVM_OP_MOV_SEG:
		return move_segment(e);
	default:
		return load_far(e);
	}
}
