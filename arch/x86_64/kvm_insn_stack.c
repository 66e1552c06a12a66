// SPDX-License-Identifier: MIT
/* PUSH, POP and what is made of them, in KVM's instructions. */
#include "arch/x86_64/kvm_insn_exec_priv.h"

#define FLAG_TF (1ull << 8)
#define FLAG_NT (1ull << 14)
#define FLAG_AC (1ull << 18)
#define FLAG_ID (1ull << 21)
#define CR4_VME (1ull << 0)

/* A selector takes the room of an operand, zeros above it. */
static enum kvm_exec_status push(struct kvm_exec *e)
{
	const struct kvm_operand *o = &e->insn.operands[0];
	u64 v = e->insn.imm;
	enum kvm_exec_status s = KVM_EXEC_DONE;

	if (o->kind != KVM_OPND_IMM)
		s = kvm_exec_get(e, 0, &v, false);
	return s ? s : kvm_exec_push(e, v, e->insn.op_size);
}

/* An address with rSP in it is that of after the POP, a popped rSP what was read (APM 3, POP). */
static enum kvm_exec_status pop(struct kvm_exec *e)
{
	const struct kvm_operand *o = &e->insn.operands[0];
	u64 v;
	enum kvm_exec_status s = kvm_exec_pop(e, &v, e->insn.op_size);

	if (s || o->kind != KVM_OPND_SEG)
		return s ? s : kvm_exec_put(e, 0, v);
	if (o->reg == KVM_SEG_SS && !(e->regs.shadow & KVM_SHADOW_MOV_SS))
		e->next.shadow = KVM_SHADOW_MOV_SS;
	return kvm_exec_load_segment(e, o->reg, (u16)v);
}

/*
 * Frames within frames are not executed. A frame that could not be written faults at once (APM 3,
 * ENTER).
 */
static enum kvm_exec_status enter(struct kvm_exec *e)
{
	u32 stack = kvm_exec_stack_size(e), size = e->insn.op_size;
	u64 pushed = (e->next.gpr[RSP] - size) & kvm_exec_mask(stack);
	u64 end = (pushed - e->insn.imm) & kvm_exec_mask(stack), linear;
	enum kvm_exec_status s;

	if (e->insn.imm2 & 31)
		return KVM_EXEC_UNHANDLED;
	s = kvm_exec_linear(e, KVM_SEG_SS, end, size, true, &linear);
	if (!s && e->ops->probe)
		s = e->ops->probe(e, linear, size);
	if (!s)
		s = kvm_exec_push(e, e->next.gpr[RBP], size);
	kvm_exec_merge(&e->next.gpr[RBP], pushed, size);
	kvm_exec_merge(&e->next.gpr[RSP], end, stack);
	return s;
}

static enum kvm_exec_status leave(struct kvm_exec *e)
{
	u64 v;
	enum kvm_exec_status s;

	kvm_exec_merge(&e->next.gpr[RSP], e->next.gpr[RBP], kvm_exec_stack_size(e));
	s = kvm_exec_pop(e, &v, e->insn.op_size);
	if (!s)
		kvm_exec_merge(&e->next.gpr[RBP], v, e->insn.op_size);
	return s;
}

enum kvm_exec_status kvm_exec_stack(struct kvm_exec *e)
{
	switch (e->insn.op) {
	case KVM_OP_PUSH:
		return push(e);
	case KVM_OP_POP:
		return pop(e);
	case KVM_OP_ENTER:
		return enter(e);
	default:
		return leave(e);
	}
}

/* What POPF changes: IOPL at CPL 0 alone, IF where the privilege allows it (APM 3, POPF). */
static u64 changeable(const struct kvm_exec *e)
{
	u64 mask = FLAGS_STATUS | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID;

	if (e->cpl <= kvm_exec_iopl(e) || kvm_exec_v86(e))
		mask |= FLAG_IF;
	if (!e->cpl)
		mask |= FLAG_IOPL;
	return mask & kvm_exec_mask(e->insn.op_size);
}

/* PUSHF and POPF; with virtual interrupts of virtual-8086 mode they are not executed. */
enum kvm_exec_status kvm_exec_stack_flags(struct kvm_exec *e)
{
	u64 v, mask = changeable(e);
	enum kvm_exec_status s;

	if (kvm_exec_v86(e) && kvm_exec_iopl(e) < 3)
		return e->cr4 & CR4_VME ? KVM_EXEC_UNHANDLED : kvm_exec_fault(e, VECTOR_GP, 0);
	if (e->insn.opcode == 0x9c)
		return kvm_exec_push(e, e->next.rflags & ~(FLAG_RF | FLAG_VM), e->insn.op_size);
	s = kvm_exec_pop(e, &v, e->insn.op_size);
	if (!s)
		e->next.rflags = (e->next.rflags & ~mask) | (v & mask);
	return s;
}
