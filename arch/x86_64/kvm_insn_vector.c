// SPDX-License-Identifier: MIT
/*
 * Moves of KVM's instructions between vector registers and memory: MMX, SSE and, of 16 and 32
 * bytes, VEX. What computes is not executed.
 */
#include <lib/string.h>
#include "arch/x86_64/kvm_insn_exec_priv.h"

#define CR0_EM (1ull << 2)
#define CR0_TS (1ull << 3)
#define CR4_OSFXSR (1ull << 9)
#define CR4_OSXSAVE (1ull << 18)

static enum kvm_exec_status usable(struct kvm_exec *e, bool mmx)
{
	bool vex = e->insn.encoding == KVM_ENC_VEX;
	bool off = vex ? !(e->cr4 & CR4_OSXSAVE) :
			 (e->cr0 & CR0_EM) || (!mmx && !(e->cr4 & CR4_OSFXSR));

	return off	       ? kvm_exec_fault(e, VECTOR_UD, 0) :
	       e->cr0 & CR0_TS ? kvm_exec_fault(e, VECTOR_NM, 0) :
				 KVM_EXEC_DONE;
}

/* MOVAPS, MOVAPD, MOVDQA and the moves that pass the caches ask for alignment. */
static bool aligned(const struct kvm_insn *i)
{
	if (i->map == 2)
		return true;
	switch (i->opcode) {
	case 0x28 ... 0x29:
	case 0x2b:
	case 0xe7:
		return true;
	case 0x6f:
	case 0x7f:
		return i->pp == 1;
	default:
		return false;
	}
}

/* The linear address of insn.mem, aligned where it has to be. */
static enum kvm_exec_status vector_linear(struct kvm_exec *e, u32 size, bool write, u64 *linear)
{
	enum kvm_exec_status s =
		kvm_exec_linear(e, e->insn.mem.seg, kvm_exec_offset(e), size, write, linear);

	if (!s && size >= 16 && aligned(&e->insn) && (*linear & (size - 1)))
		s = kvm_exec_fault(e, VECTOR_GP, 0);
	return s;
}

/* MOVLPS, MOVLPD, MOVHPS, MOVHPD: half of a register. */
static bool is_half(const struct kvm_insn *i)
{
	return i->map == 1 && i->opcode >= 0x12 && i->opcode <= 0x17;
}

static enum kvm_exec_status load(struct kvm_exec *e, const struct kvm_operand *to, u32 size)
{
	u8 data[32] = { 0 }, from[32] = { 0 };
	u64 linear, v;
	enum kvm_exec_status s = vector_linear(e, size, false, &linear);

	if (!s)
		s = kvm_exec_read_at(e, linear, from, size, 0);
	if (s)
		return s;
	if (to->kind == KVM_OPND_MMX) {
		memcpy(&v, from, 8);
		return e->ops->set_mmx(e, to->reg, v);
	}
	if (is_half(&e->insn)) {
		s = e->ops->get_vec(e, to->reg, data, 16);
		if (s)
			return s;
		memcpy(data + (e->insn.opcode == 0x16 ? 8 : 0), from, 8);
	} else {
		memcpy(data, from, size);
	}
	return e->ops->set_vec(e, to->reg, data, 16, false);
}

static enum kvm_exec_status store(struct kvm_exec *e, const struct kvm_operand *from, u32 size)
{
	u8 data[32] = { 0 };
	u64 linear, v;
	enum kvm_exec_status s = vector_linear(e, size, true, &linear);

	if (s)
		return s;
	if (from->kind == KVM_OPND_MMX) {
		s = e->ops->get_mmx(e, from->reg, &v);
		memcpy(data, &v, 8);
	} else {
		s = e->ops->get_vec(e, from->reg, data, 16);
	}
	if (s)
		return s;
	s = e->ops->write(e, linear, data + (e->insn.opcode == 0x17 ? 8 : 0), size);
	/* also a store makes the registers MMX's */
	return s || from->kind != KVM_OPND_MMX ? s : e->ops->set_mmx(e, from->reg, v);
}

enum kvm_exec_status kvm_exec_vector(struct kvm_exec *e)
{
	const struct kvm_operand *to = &e->insn.operands[0], *from = &e->insn.operands[1];
	const struct kvm_exec_ops *ops = e->ops;
	bool mmx = to->kind == KVM_OPND_MMX || from->kind == KVM_OPND_MMX;
	enum kvm_exec_status s;

	/* Between registers nothing is trapped. */
	if (!e->insn.mem.present ||
	    !(mmx ? ops->get_mmx && ops->set_mmx : ops->get_vec && ops->set_vec))
		return KVM_EXEC_UNHANDLED;
	s = usable(e, mmx);
	if (s)
		return s;
	return to->kind == KVM_OPND_MEM ? store(e, from, to->size) : load(e, to, from->size);
}

/* Whether a VEX instruction is one of the moves: nothing in vvvv, memory, and no half. */
static bool is_vex_move(const struct kvm_insn *i, bool *stores)
{
	if (i->encoding != KVM_ENC_VEX || !i->mem.present || i->vvvv)
		return false;
	*stores = i->opcode == 0x11 || i->opcode == 0x29 || i->opcode == 0x2b ||
		  i->opcode == 0x7f || i->opcode == 0xe7;
	if (i->map == 2)
		return i->opcode == 0x2a && i->pp == 1; /* VMOVNTDQA */
	if (i->map != 1)
		return false;
	switch (i->opcode) {
	case 0x10 ... 0x11:
	case 0x28 ... 0x29:
	case 0x2b:
		return i->pp < 2;
	case 0x6f:
	case 0x7f:
		return i->pp == 1 || i->pp == 2;
	case 0xe7:
		return i->pp == 1;
	case 0xf0:
		return i->pp == 3;
	default:
		return false;
	}
}

enum kvm_exec_status kvm_exec_vex(struct kvm_exec *e)
{
	const struct kvm_insn *i = &e->insn;
	u32 size = i->vex_l ? 32 : 16;
	u8 reg = (u8)((i->modrm >> 3 & 7) | i->r << 3), data[32];
	bool stores;
	u64 linear;
	enum kvm_exec_status s;

	if (!is_vex_move(i, &stores) || !e->ops->get_vec || !e->ops->set_vec)
		return KVM_EXEC_UNHANDLED;
	s = usable(e, false);
	if (!s)
		s = vector_linear(e, size, stores, &linear);
	if (s)
		return s;
	if (stores) {
		s = e->ops->get_vec(e, reg, data, size);
		return s ? s : e->ops->write(e, linear, data, size);
	}
	s = kvm_exec_read_at(e, linear, data, size, 0);
	return s ? s : e->ops->set_vec(e, reg, data, size, true);
}
