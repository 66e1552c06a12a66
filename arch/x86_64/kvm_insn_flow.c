// SPDX-License-Identifier: MIT
/*
 * Near branches of KVM's instructions, and jumps to what a far pointer in memory says. Other far
 * ones are not executed.
 */
#include <lib/string.h>
#include "arch/x86_64/kvm_insn_exec_priv.h"

/* Whether RIP may be TARGET, which is cut to the operand size. */
static enum kvm_exec_status jump(struct kvm_exec *e, u64 target)
{
	target &= kvm_exec_mask(e->insn.op_size);
	if (e->mode == KVM_MODE_LONG64 ? !kvm_exec_canonical(e, target) :
					 target > e->next.seg[KVM_SEG_CS].limit)
		return kvm_exec_fault(e, VECTOR_GP, 0);
	e->next.rip = target;
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status jump_relative(struct kvm_exec *e)
{
	return jump(e, e->next.rip + e->insn.imm);
}

static bool loops(struct kvm_exec *e)
{
	u32 size = e->insn.addr_size;
	u64 count = (e->next.gpr[RCX] - (e->insn.op == KVM_OP_LOOP)) & kvm_exec_mask(size);
	bool zero = e->next.rflags & FLAG_ZF;

	if (e->insn.op == KVM_OP_JCXZ)
		return !count;
	kvm_exec_merge(&e->next.gpr[RCX], count, size);
	return count && (e->insn.opcode == 0xe2 || zero == (e->insn.opcode == 0xe1));
}

/* JMP and CALL: relative, or to what a register or memory holds. */
static enum kvm_exec_status go(struct kvm_exec *e)
{
	u64 target, back = e->next.rip;
	enum kvm_exec_status s;

	if (e->insn.operands[0].kind == KVM_OPND_REL) {
		s = jump_relative(e);
	} else {
		s = kvm_exec_get(e, 0, &target, false);
		if (!s)
			s = jump(e, target);
	}
	if (s || e->insn.op == KVM_OP_JMP)
		return s;
	return kvm_exec_push(e, back, e->insn.op_size);
}

static enum kvm_exec_status give_back(struct kvm_exec *e)
{
	u32 stack = kvm_exec_stack_size(e);
	u64 target;
	enum kvm_exec_status s = kvm_exec_pop(e, &target, e->insn.op_size);

	if (s)
		return s;
	if (e->insn.nr_operands)
		kvm_exec_merge(&e->next.gpr[RSP], e->next.gpr[RSP] + e->insn.imm, stack);
	return jump(e, target);
}

static enum kvm_exec_status go_far(struct kvm_exec *e)
{
	u32 size = e->insn.op_size;
	u8 data[10] = { 0 };
	u64 target = 0;
	u16 selector;
	enum kvm_exec_status s;

	if (!e->insn.mem.present)
		return KVM_EXEC_UNHANDLED;
	s = kvm_exec_read(e, e->insn.mem.seg, kvm_exec_offset(e), data, size + 2, false);
	if (s)
		return s;
	memcpy(&target, data, size);
	memcpy(&selector, data + size, 2);
	return kvm_exec_jump_far(e, selector, target);
}

enum kvm_exec_status kvm_exec_flow(struct kvm_exec *e)
{
	switch (e->insn.op) {
	case KVM_OP_JCC:
		return kvm_exec_condition(e->next.rflags, e->insn.opcode) ? jump_relative(e) :
									    KVM_EXEC_DONE;
	case KVM_OP_LOOP:
	case KVM_OP_JCXZ:
		return loops(e) ? jump_relative(e) : KVM_EXEC_DONE;
	case KVM_OP_JMP:
	case KVM_OP_CALL:
		return go(e);
	case KVM_OP_JMP_FAR:
		return go_far(e);
	case KVM_OP_RET:
		return give_back(e);
	default:
		return KVM_EXEC_UNHANDLED;
	}
}
