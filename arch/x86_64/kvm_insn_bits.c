// SPDX-License-Identifier: MIT
/* Instructions of KVM on single bits: BT and its like with their bit strings, scans, counts. */
#include "arch/x86_64/kvm_insn_exec_priv.h"

static void put_flags(struct kvm_exec *e, u64 which, u64 flags)
{
	e->next.rflags = (e->next.rflags & ~which) | flags;
}

static u64 change_bit(u8 op, u64 v, u64 bit)
{
	return op == KVM_OP_BTS ? v | bit : op == KVM_OP_BTR ? v & ~bit : v ^ bit;
}

/*
 * With a register as index, memory is a string of bits: the index is signed and addresses what lies
 * before and behind the operand too (APM 3, BT).
 */
static enum kvm_exec_status test_bit(struct kvm_exec *e)
{
	const struct kvm_insn *i = &e->insn;
	u32 size = i->operands[0].size, bits = size * 8;
	bool changes = i->op != KVM_OP_BT;
	bool memory = i->operands[0].kind == KVM_OPND_MEM;
	u64 v = 0, index, bit, at = memory ? kvm_exec_offset(e) : 0;
	enum kvm_exec_status s = kvm_exec_get(e, 1, &index, false);

	if (s)
		return s;
	if (memory && i->operands[1].kind == KVM_OPND_REG) {
		at += (u64)((s64)kvm_exec_sign_extend(index, size) >> 3) & ~(u64)(size - 1);
		at &= kvm_exec_mask(i->addr_size);
	}
	s = memory ? kvm_exec_read(e, i->mem.seg, at, &v, size, changes) :
		     kvm_exec_get(e, 0, &v, false);
	if (s)
		return s;
	bit = 1ull << (index & (bits - 1));
	put_flags(e, FLAG_CF, v & bit ? FLAG_CF : 0);
	if (!changes)
		return KVM_EXEC_DONE;
	bit = change_bit(i->op, v, bit);
	if (!memory)
		return kvm_exec_put(e, 0, bit);
	return i->lock ? kvm_exec_exchange(e, i->mem.seg, at, &v, &bit, size) :
			 kvm_exec_write(e, i->mem.seg, at, &bit, size);
}

static u32 count_ones(u64 v)
{
	u32 n = 0;

	for (; v; v &= v - 1)
		n++;
	return n;
}

/* Zeros below the lowest one; V is not 0. */
static u32 zeros_below(u64 v)
{
	return count_ones((v & -v) - 1);
}

static u32 highest(u64 v)
{
	u32 n = 0;

	while (v >>= 1)
		n++;
	return n;
}

/* BSF and BSR leave the destination where the source is 0 (APM 3, BSF). */
static enum kvm_exec_status scan(struct kvm_exec *e, u64 v)
{
	put_flags(e, FLAG_ZF, v ? 0 : FLAG_ZF);
	if (!v)
		return KVM_EXEC_DONE;
	return kvm_exec_put(e, 0, e->insn.op == KVM_OP_BSF ? zeros_below(v) : highest(v));
}

static enum kvm_exec_status count_bits(struct kvm_exec *e, u64 v)
{
	u32 bits = e->insn.operands[0].size * 8u, n;

	if (e->insn.op == KVM_OP_POPCNT) {
		put_flags(e, FLAGS_STATUS, v ? 0 : FLAG_ZF);
		return kvm_exec_put(e, 0, count_ones(v));
	}
	n = !v ? bits : e->insn.op == KVM_OP_TZCNT ? zeros_below(v) : bits - 1 - highest(v);
	put_flags(e, FLAG_CF | FLAG_ZF, (v ? 0 : FLAG_CF) | (n ? 0 : FLAG_ZF));
	return kvm_exec_put(e, 0, n);
}

enum kvm_exec_status kvm_exec_bits(struct kvm_exec *e)
{
	u64 v;
	enum kvm_exec_status s;

	if (e->insn.op <= KVM_OP_BTC)
		return test_bit(e);
	s = kvm_exec_get(e, 1, &v, false);
	if (s)
		return s;
	return e->insn.op <= KVM_OP_BSR ? scan(e, v) : count_bits(e, v);
}
