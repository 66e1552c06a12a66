// SPDX-License-Identifier: MIT
/*
 * Ports, and the string instructions. Each iteration of a string is committed alone, RIP with the
 * last one: an interrupt, a fault or user space can come between any two (APM 3, 1.2.6). INS and
 * OUTS take many at once where they are repeated, go upwards and stay within a page.
 */
#include <lib/string.h>
#include "arch/x86_64/kvm_insn_exec_priv.h"

#define TSS_BITMAP 102 /* where the TSS has the offset of its bitmap (APM 2, 12.2.5) */
#define TSS_MIN_LIMIT 103
#define PAGE 4096u

enum kvm_exec_status kvm_exec_port_allowed(struct kvm_exec *e, u16 port, u32 size)
{
	u32 type = e->tr.attr & 15, at;
	u16 bitmap, bits;
	enum kvm_exec_status s;

	if (e->mode == KVM_MODE_REAL ? !kvm_exec_v86(e) : e->cpl <= kvm_exec_iopl(e))
		return KVM_EXEC_DONE;
	if (!(e->tr.attr & KVM_ATTR_P) || type != 11 || e->tr.limit < TSS_MIN_LIMIT)
		return kvm_exec_fault(e, VECTOR_GP, 0);
	s = kvm_exec_read_at(e, e->tr.base + TSS_BITMAP, &bitmap, 2, KVM_READ_SYSTEM);
	if (s)
		return s;
	at = bitmap + port / 8u;
	if (at + 1 > e->tr.limit)
		return kvm_exec_fault(e, VECTOR_GP, 0);
	s = kvm_exec_read_at(e, e->tr.base + at, &bits, 2, KVM_READ_SYSTEM);
	if (s)
		return s;
	return bits >> (port & 7) & ((1u << size) - 1) ? kvm_exec_fault(e, VECTOR_GP, 0) :
							 KVM_EXEC_DONE;
}

/* COUNT values from a port into e->io, once. */
static enum kvm_exec_status take(struct kvm_exec *e, u16 port, u32 size, u32 count)
{
	enum kvm_exec_status s;

	if (e->io_len == size * count)
		return KVM_EXEC_DONE;
	if (!e->ops->in)
		return KVM_EXEC_UNHANDLED;
	s = e->ops->in(e, port, size, count, e->io);
	if (!s)
		e->io_len = (u16)(size * count);
	return s;
}

/* IN and OUT. The port is an operand of 2 bytes, DX, or of one byte. */
enum kvm_exec_status kvm_exec_port(struct kvm_exec *e)
{
	bool in = e->insn.op == KVM_OP_IN;
	u32 size = e->insn.operands[in ? 0 : 1].size;
	u64 port, v = 0;
	enum kvm_exec_status s = kvm_exec_get(e, in ? 1 : 0, &port, false);

	if (!s)
		s = kvm_exec_port_allowed(e, (u16)port, size);
	if (s)
		return s;
	if (in) {
		s = take(e, (u16)port, size, 1);
		memcpy(&v, e->io, size);
		return s ? s : kvm_exec_put(e, 0, v);
	}
	s = kvm_exec_get(e, 1, &v, false);
	return s ? s : !e->ops->out ? KVM_EXEC_UNHANDLED : e->ops->out(e, (u16)port, size, 1, &v);
}

static u64 at(const struct kvm_exec *e, u32 reg)
{
	return e->next.gpr[reg] & kvm_exec_mask(e->insn.addr_size);
}

/* Moves a string's register by COUNT elements. */
static void step(struct kvm_exec *e, u32 reg, u32 size, u32 count)
{
	u64 by = (u64)size * count;

	kvm_exec_merge(&e->next.gpr[reg], at(e, reg) + (e->next.rflags & FLAG_DF ? -by : by),
		       e->insn.addr_size);
}

static enum kvm_exec_status read_source(struct kvm_exec *e, void *data, u32 size)
{
	return kvm_exec_read(e, e->insn.mem.seg, at(e, RSI), data, size, false);
}

static enum kvm_exec_status movs(struct kvm_exec *e, u32 size)
{
	u64 v = 0;
	enum kvm_exec_status s = read_source(e, &v, size);

	if (!s)
		s = kvm_exec_write(e, KVM_SEG_ES, at(e, RDI), &v, size);
	step(e, RSI, size, 1);
	step(e, RDI, size, 1);
	return s;
}

static enum kvm_exec_status stos(struct kvm_exec *e, u32 size)
{
	enum kvm_exec_status s = kvm_exec_write(e, KVM_SEG_ES, at(e, RDI), &e->next.gpr[RAX], size);

	step(e, RDI, size, 1);
	return s;
}

static enum kvm_exec_status lods(struct kvm_exec *e, u32 size)
{
	u64 v = 0;
	enum kvm_exec_status s = read_source(e, &v, size);

	kvm_exec_merge(&e->next.gpr[RAX], v, size);
	step(e, RSI, size, 1);
	return s;
}

/* CMPS, and SCAS, whose first is rAX. */
static enum kvm_exec_status compare(struct kvm_exec *e, u32 size)
{
	bool scas = e->insn.op == KVM_OP_SCAS;
	u64 a = e->next.gpr[RAX] & kvm_exec_mask(size), b = 0;
	enum kvm_exec_status s = KVM_EXEC_DONE;

	if (!scas) {
		a = 0;
		s = read_source(e, &a, size);
		step(e, RSI, size, 1);
	}
	if (!s)
		s = kvm_exec_read(e, KVM_SEG_ES, at(e, RDI), &b, size, false);
	kvm_exec_flags_sub(e, a, b, size);
	step(e, RDI, size, 1);
	return s;
}

/*
 * How many of INS and OUTS go at once: MORE at most, of a page, of the segment's and the address
 * size's end. One where they go downwards, or where not even one fits: it will fault.
 */
static u32 how_many(struct kvm_exec *e, u8 seg, u32 reg, u32 size, u64 more)
{
	u64 offset = at(e, reg), linear, room = e->insn.addr_size == 2 ? 0x10000 - offset : PAGE;
	struct kvm_exec_fault before = e->fault;
	bool write = e->insn.op == KVM_OP_INS;
	u32 n;

	if (e->next.rflags & FLAG_DF || kvm_exec_linear(e, seg, offset, size, write, &linear))
		return 1;
	if (room > PAGE - (linear & (PAGE - 1)))
		room = PAGE - (linear & (PAGE - 1));
	if (room > KVM_EXEC_IO_MAX)
		room = KVM_EXEC_IO_MAX;
	n = (u32)(more < room / size ? more : room / size);
	if (n && kvm_exec_linear(e, seg, offset, n * size, write, &linear))
		n = 1;
	e->fault = before;
	return n ? n : 1;
}

/* COUNT: how many there are to do, then how many were done. */
static enum kvm_exec_status ins(struct kvm_exec *e, u32 size, u64 *count)
{
	u32 n = how_many(e, KVM_SEG_ES, RDI, size, *count);
	u64 linear;
	enum kvm_exec_status s =
		kvm_exec_linear(e, KVM_SEG_ES, at(e, RDI), n * size, true, &linear);

	*count = n;
	if (!s && e->ops->probe)
		s = e->ops->probe(e, linear, n * size);
	if (!s)
		s = take(e, (u16)e->next.gpr[RDX], size, n);
	if (!s)
		s = e->ops->write(e, linear, e->io, n * size);
	step(e, RDI, size, n);
	return s;
}

static enum kvm_exec_status outs(struct kvm_exec *e, u32 size, u64 *count)
{
	u32 n = how_many(e, e->insn.mem.seg, RSI, size, *count);
	enum kvm_exec_status s;

	*count = n;
	if (!e->ops->out)
		return KVM_EXEC_UNHANDLED;
	if (e->io_len != n * size) {
		s = read_source(e, e->io, n * size);
		if (s)
			return s;
		e->io_len = (u16)(n * size);
	}
	s = e->ops->out(e, (u16)e->next.gpr[RDX], size, n, e->io);
	step(e, RSI, size, n);
	return s;
}

static enum kvm_exec_status iterate(struct kvm_exec *e, u32 size, u64 *count)
{
	switch (e->insn.op) {
	case KVM_OP_INS:
		return ins(e, size, count);
	case KVM_OP_OUTS:
		return outs(e, size, count);
	default:
		*count = 1;
	}
	switch (e->insn.op) {
	case KVM_OP_MOVS:
		return movs(e, size);
	case KVM_OP_STOS:
		return stos(e, size);
	case KVM_OP_LODS:
		return lods(e, size);
	default:
		return compare(e, size);
	}
}

static void finish(struct kvm_exec *e)
{
	e->next.rip += e->insn.length;
	if (e->mode != KVM_MODE_LONG64)
		e->next.rip &= 0xffffffff;
	e->next.rflags &= ~FLAG_RF;
	kvm_exec_commit(e);
}

/* Whether rCX, of which N are done, or ZF ends the repetition. */
static bool ends(struct kvm_exec *e, u64 n)
{
	u64 left = at(e, RCX) - n;
	bool compares = e->insn.op == KVM_OP_CMPS || e->insn.op == KVM_OP_SCAS;

	kvm_exec_merge(&e->next.gpr[RCX], left, e->insn.addr_size);
	return !left || (compares && !(e->next.rflags & FLAG_ZF) == (e->insn.rep == 0xf3));
}

static enum kvm_exec_status repeat(struct kvm_exec *e, u32 size)
{
	enum kvm_exec_status s;

	for (u32 done = 0; at(e, RCX);) {
		u64 n = at(e, RCX);

		s = iterate(e, size, &n);
		if (s)
			return s;
		if (ends(e, n))
			break;
		kvm_exec_commit(e);
		done += (u32)n;
		if (done >= KVM_EXEC_BATCH || (e->ops->leave && e->ops->leave(e)))
			return KVM_EXEC_AGAIN;
	}
	finish(e);
	return KVM_EXEC_DONE;
}

enum kvm_exec_status kvm_exec_string(struct kvm_exec *e)
{
	const struct kvm_insn *i = &e->insn;
	u32 size = i->operands[i->op == KVM_OP_OUTS ? 1 : 0].size;
	u64 one = 1;
	enum kvm_exec_status s = KVM_EXEC_DONE;

	if (i->op == KVM_OP_INS || i->op == KVM_OP_OUTS)
		s = kvm_exec_port_allowed(e, (u16)e->next.gpr[RDX], size);
	if (s)
		return s;
	if (i->rep)
		return repeat(e, size);
	s = iterate(e, size, &one);
	if (!s)
		finish(e);
	return s;
}
