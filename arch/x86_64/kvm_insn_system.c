// SPDX-License-Identifier: MIT
/*
 * Instructions of KVM that read and change the CPU's own state. The privilege is checked here, the
 * values by the callbacks, which come last: what they did is not undone.
 */
#include <lib/string.h>
#include "arch/x86_64/kvm_insn_exec_priv.h"

#define CR0_PE 1ull
#define CR0_TS (1ull << 3)
#define CR4_VME (1ull << 0)
#define CR4_PVI (1ull << 1)
#define CR4_TSD (1ull << 2)
#define CR4_DE (1ull << 3)
#define CR4_PCE (1ull << 8)
#define CR4_UMIP (1ull << 11)
#define DR6_BD (1ull << 13)
#define DR7_GD (1ull << 13)
#define MSR_TSC_AUX 0xc0000103

/* Calls what may not be there. */
#define CALL(e, op, ...) ((e)->ops->op ? (e)->ops->op((e), ##__VA_ARGS__) : KVM_EXEC_UNHANDLED)

static enum kvm_exec_status privileged(struct kvm_exec *e)
{
	return e->cpl ? kvm_exec_fault(e, VECTOR_GP, 0) : KVM_EXEC_DONE;
}

static enum kvm_exec_status move_cr(struct kvm_exec *e)
{
	const struct kvm_operand *to = &e->insn.operands[0], *from = &e->insn.operands[1];
	u64 v;
	enum kvm_exec_status s;

	if (to->kind == KVM_OPND_CR)
		return CALL(e, set_cr, to->reg, kvm_exec_reg_get(e, from));
	s = CALL(e, get_cr, from->reg, &v);
	if (!s)
		kvm_exec_reg_put(e, to, v);
	return s;
}

/* DR4 and DR5 are DR6 and DR7, or invalid; a breakpoint on the registers' use is #DB before it. */
static enum kvm_exec_status move_dr(struct kvm_exec *e)
{
	const struct kvm_operand *to = &e->insn.operands[0], *from = &e->insn.operands[1];
	bool sets = to->kind == KVM_OPND_DR;
	u8 n = sets ? to->reg : from->reg;
	u64 dr7 = 0, v;
	enum kvm_exec_status s;

	if (n == 4 || n == 5) {
		if (e->cr4 & CR4_DE)
			return kvm_exec_fault(e, VECTOR_UD, 0);
		n += 2;
	}
	s = CALL(e, get_dr, 7, &dr7);
	if (s)
		return s;
	if (dr7 & DR7_GD) {
		kvm_exec_fault(e, VECTOR_DB, 0);
		e->fault.address = DR6_BD;
		return KVM_EXEC_FAULT;
	}
	if (sets)
		return CALL(e, set_dr, n, kvm_exec_reg_get(e, from));
	s = CALL(e, get_dr, n, &v);
	if (!s)
		kvm_exec_reg_put(e, to, v);
	return s;
}

/* The four low bits of CR0, of which PE is set alone (APM 3, LMSW). */
static enum kvm_exec_status load_msw(struct kvm_exec *e)
{
	u64 v;
	enum kvm_exec_status s = kvm_exec_get(e, 0, &v, false);

	return s ? s : CALL(e, set_cr, 0, (e->cr0 & ~0xeull) | (v & 0xf));
}

/* LLDT, LTR. The decoder has none in real and virtual-8086 mode. */
static enum kvm_exec_status load_system(struct kvm_exec *e)
{
	u64 v;
	enum kvm_exec_status s = kvm_exec_get(e, 0, &v, false);

	if (!s && !e->ops->set_system)
		return KVM_EXEC_UNHANDLED;
	return s ? s : kvm_exec_load_system(e, e->insn.op == KVM_OP_LTR, (u16)v);
}

static enum kvm_exec_status store_table(struct kvm_exec *e, const struct kvm_exec_table *t)
{
	u8 data[10];

	memcpy(data, &t->limit, 2);
	memcpy(data + 2, &t->base, 8);
	return kvm_exec_write(e, e->insn.mem.seg, kvm_exec_offset(e), data,
			      e->insn.operands[0].size);
}

/* With an operand of 16 bits the base has 24 (APM 3, LGDT). */
static enum kvm_exec_status load_table(struct kvm_exec *e, struct kvm_exec_table *t)
{
	u32 size = e->insn.operands[0].size;
	u8 data[10] = { 0 };
	u64 base;
	enum kvm_exec_status s =
		kvm_exec_read(e, e->insn.mem.seg, kvm_exec_offset(e), data, size, false);

	if (s)
		return s;
	memcpy(&base, data + 2, 8);
	if (size == 6)
		base &= e->insn.op_size == 2 ? 0xffffff : 0xffffffff;
	if (!kvm_exec_canonical(e, base))
		return kvm_exec_fault(e, VECTOR_GP, 0);
	memcpy(&t->limit, data, 2);
	t->base = base;
	return KVM_EXEC_DONE;
}

/* What CR4.UMIP keeps from user mode. */
static enum kvm_exec_status store_system(struct kvm_exec *e)
{
	if (e->cpl && (e->cr4 & CR4_UMIP))
		return kvm_exec_fault(e, VECTOR_GP, 0);
	switch (e->insn.op) {
	case KVM_OP_SGDT:
		return store_table(e, &e->regs.gdt);
	case KVM_OP_SIDT:
		return store_table(e, &e->regs.idt);
	case KVM_OP_SLDT:
		return kvm_exec_put(e, 0, e->ldtr.selector);
	case KVM_OP_STR:
		return kvm_exec_put(e, 0, e->tr.selector);
	default:
		return kvm_exec_put(e, 0, e->cr0);
	}
}

static enum kvm_exec_status invalidate(struct kvm_exec *e)
{
	u8 seg = e->insn.mem.seg;
	u64 linear = kvm_exec_offset(e);

	if (e->mode != KVM_MODE_LONG64)
		linear = (u32)(linear + e->next.seg[seg].base);
	else if (seg >= KVM_SEG_FS)
		linear += e->next.seg[seg].base;
	return CALL(e, invlpg, linear);
}

enum kvm_exec_status kvm_exec_system(struct kvm_exec *e)
{
	enum kvm_exec_status s;

	switch (e->insn.op) {
	case KVM_OP_SMSW ... KVM_OP_SMSW:
	case KVM_OP_SGDT ... KVM_OP_SIDT:
	case KVM_OP_SLDT ... KVM_OP_STR:
		return store_system(e);
	case KVM_OP_MOV_CR ... KVM_OP_MOV_DR:
	case KVM_OP_CLTS ... KVM_OP_LMSW:
	case KVM_OP_INVLPG:
	case KVM_OP_LGDT ... KVM_OP_LIDT:
	case KVM_OP_LLDT ... KVM_OP_LTR:
		break;
	default:
		return KVM_EXEC_UNHANDLED;
	}
	s = privileged(e);
	if (s)
		return s;
	switch (e->insn.op) {
	case KVM_OP_MOV_CR:
		return move_cr(e);
	case KVM_OP_MOV_DR:
		return move_dr(e);
	case KVM_OP_CLTS:
		return CALL(e, set_cr, 0, e->cr0 & ~CR0_TS);
	case KVM_OP_LMSW:
		return load_msw(e);
	case KVM_OP_INVLPG:
		return invalidate(e);
	case KVM_OP_LLDT ... KVM_OP_LTR:
		return load_system(e);
	case KVM_OP_LGDT:
		return load_table(e, &e->next.gdt);
	default:
		return load_table(e, &e->next.idt);
	}
}

static u64 pair(u64 high, u64 low)
{
	return high << 32 | (u32)low;
}

static enum kvm_exec_status put_pair(struct kvm_exec *e, enum kvm_exec_status s, u64 v)
{
	if (s)
		return s;
	e->next.gpr[RAX] = (u32)v;
	e->next.gpr[RDX] = v >> 32;
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status read_msr(struct kvm_exec *e)
{
	u64 v = 0;
	enum kvm_exec_status s = privileged(e);

	if (!s)
		s = CALL(e, get_msr, (u32)e->next.gpr[RCX], &v);
	return put_pair(e, s, v);
}

static enum kvm_exec_status write_msr(struct kvm_exec *e)
{
	enum kvm_exec_status s = privileged(e);

	return s ? s :
		   CALL(e, set_msr, (u32)e->next.gpr[RCX],
			pair(e->next.gpr[RDX], e->next.gpr[RAX]));
}

/* Whether user mode may read a counter: the TSC unless TSD, others with PCE. */
static enum kvm_exec_status counter_allowed(struct kvm_exec *e, bool tsc)
{
	bool denied = tsc ? e->cr4 & CR4_TSD : !(e->cr4 & CR4_PCE);

	return e->cpl && denied ? kvm_exec_fault(e, VECTOR_GP, 0) : KVM_EXEC_DONE;
}

static enum kvm_exec_status read_tsc(struct kvm_exec *e, bool with_aux)
{
	u64 v = 0, aux = 0;
	enum kvm_exec_status s = counter_allowed(e, true);

	if (!s && with_aux)
		s = CALL(e, get_msr, MSR_TSC_AUX, &aux);
	if (!s)
		s = CALL(e, get_tsc, &v);
	if (with_aux)
		e->next.gpr[RCX] = (u32)aux;
	return put_pair(e, s, v);
}

static enum kvm_exec_status read_pmc(struct kvm_exec *e)
{
	u64 v = 0;
	enum kvm_exec_status s = counter_allowed(e, false);

	if (!s)
		s = CALL(e, get_pmc, (u32)e->next.gpr[RCX], &v);
	return put_pair(e, s, v);
}

static enum kvm_exec_status identify(struct kvm_exec *e)
{
	static const u8 to[4] = { RAX, RBX, RCX, RDX };
	u32 out[4];
	enum kvm_exec_status s = CALL(e, cpuid, (u32)e->next.gpr[RAX], (u32)e->next.gpr[RCX], out);

	for (u32 k = 0; k < 4 && !s; k++)
		e->next.gpr[to[k]] = out[k];
	return s;
}

/* CLI, STI: after STI, where interrupts were off, one instruction runs without any. */
static enum kvm_exec_status interrupts(struct kvm_exec *e, bool on)
{
	if (kvm_exec_v86(e) ? kvm_exec_iopl(e) < 3 : e->cpl > kvm_exec_iopl(e))
		return (kvm_exec_v86(e) && (e->cr4 & CR4_VME)) || (e->cr4 & CR4_PVI) ?
			       KVM_EXEC_UNHANDLED :
			       kvm_exec_fault(e, VECTOR_GP, 0);
	if (on && !(e->regs.rflags & FLAG_IF))
		e->next.shadow = KVM_SHADOW_STI;
	e->next.rflags = on ? e->next.rflags | FLAG_IF : e->next.rflags & ~FLAG_IF;
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status extend(struct kvm_exec *e)
{
	u32 size = e->insn.op_size;
	u64 *ax = &e->next.gpr[RAX];

	if (e->insn.opcode == 0x98) /* CBW, CWDE, CDQE */
		kvm_exec_merge(ax, kvm_exec_sign_extend(*ax, size / 2), size);
	else /* CWD, CDQ, CQO */
		kvm_exec_merge(&e->next.gpr[RDX], kvm_exec_sign_extend(*ax, size) >> 63 ? ~0ull : 0,
			       size);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status one_byte(struct kvm_exec *e)
{
	u64 *f = &e->next.rflags, mask = FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF | FLAG_CF;
	enum kvm_exec_status s;

	switch (e->insn.opcode) {
	case 0x98 ... 0x99:
		return extend(e);
	case 0x9c ... 0x9d:
		return kvm_exec_stack_flags(e);
	case 0x9e: /* SAHF */
		*f = (*f & ~mask) | (e->next.gpr[RAX] >> 8 & mask);
		return KVM_EXEC_DONE;
	case 0x9f: /* LAHF */
		e->next.gpr[RAX] = (e->next.gpr[RAX] & ~0xff00ull) | (*f & mask) << 8 | 0x200;
		return KVM_EXEC_DONE;
	case 0xf4:
		s = privileged(e);
		return s ? s : CALL(e, hlt);
	case 0xf5:
		*f ^= FLAG_CF;
		return KVM_EXEC_DONE;
	case 0xf8 ... 0xf9:
		*f = (*f & ~FLAG_CF) | (e->insn.opcode & 1);
		return KVM_EXEC_DONE;
	case 0xfa ... 0xfb:
		return interrupts(e, e->insn.opcode & 1);
	case 0xfc ... 0xfd:
		*f = e->insn.opcode & 1 ? *f | FLAG_DF : *f & ~FLAG_DF;
		return KVM_EXEC_DONE;
	default:
		return KVM_EXEC_UNHANDLED;
	}
}

static enum kvm_exec_status two_bytes(struct kvm_exec *e)
{
	enum kvm_exec_status s;

	switch (e->insn.opcode) {
	case 0x01:
		return e->insn.modrm == 0xf9 ? read_tsc(e, true) : KVM_EXEC_UNHANDLED;
	case 0x08 ... 0x09:
		s = privileged(e);
		return s ? s : CALL(e, flush, e->insn.opcode & 1);
	case 0x0d:
	case 0x18:
	case 0x1f: /* prefetches and NOP: their memory is not touched */
		return KVM_EXEC_DONE;
	case 0x30:
		return write_msr(e);
	case 0x31:
		return read_tsc(e, false);
	case 0x32:
		return read_msr(e);
	case 0x33:
		return read_pmc(e);
	case 0xa2:
		return identify(e);
	default:
		return KVM_EXEC_UNHANDLED;
	}
}

enum kvm_exec_status kvm_exec_other(struct kvm_exec *e)
{
	return e->insn.map == 0 ? one_byte(e) :
	       e->insn.map == 1 ? two_bytes(e) :
				  KVM_EXEC_UNHANDLED;
}
