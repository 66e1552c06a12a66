// SPDX-License-Identifier: MIT
/*
 * Arithmetic of KVM's instructions: add and its like, shifts and rotations, multiplication and
 * division. Flags that the manual leaves undefined are what falls out.
 */
#include "arch/x86_64/kvm_insn_exec_priv.h"

typedef unsigned __int128 u128;

static u64 top(u32 size)
{
	return 1ull << (size * 8 - 1);
}

static u64 flag(bool on, u64 bit)
{
	return on ? bit : 0;
}

/* Sets the flags of WHICH to what FLAGS has, and leaves the others. */
static void put_flags(struct kvm_exec *e, u64 which, u64 flags)
{
	e->next.rflags = (e->next.rflags & ~which) | (flags & which);
}

static u64 flags_of(u64 r, u32 size)
{
	u8 p = (u8)r;

	p ^= p >> 4;
	p ^= p >> 2;
	p ^= p >> 1;
	return flag(!(p & 1), FLAG_PF) | flag(!(r & kvm_exec_mask(size)), FLAG_ZF) |
	       flag(r & top(size), FLAG_SF);
}

static u64 add(u64 a, u64 b, u64 carry, u32 size, u64 *flags)
{
	u64 r = (a + b + carry) & kvm_exec_mask(size);

	*flags = flags_of(r, size) | flag(((a & b) | ((a | b) & ~r)) & top(size), FLAG_CF) |
		 flag((a ^ r) & (b ^ r) & top(size), FLAG_OF) | ((a ^ b ^ r) & FLAG_AF);
	return r;
}

static u64 sub(u64 a, u64 b, u64 borrow, u32 size, u64 *flags)
{
	u64 r = (a - b - borrow) & kvm_exec_mask(size);

	*flags = flags_of(r, size) | flag(((~a & b) | ((~a | b) & r)) & top(size), FLAG_CF) |
		 flag((a ^ b) & (a ^ r) & top(size), FLAG_OF) | ((a ^ b ^ r) & FLAG_AF);
	return r;
}

void kvm_exec_flags_sub(struct kvm_exec *e, u64 a, u64 b, u32 size)
{
	u64 flags;

	sub(a, b, 0, size, &flags);
	put_flags(e, FLAGS_STATUS, flags);
}

u64 kvm_exec_flags_add(struct kvm_exec *e, u64 a, u64 b, u32 size)
{
	u64 flags, r = add(a, b, 0, size, &flags);

	put_flags(e, FLAGS_STATUS, flags);
	return r;
}

static u64 compute(const struct kvm_exec *e, u64 a, u64 b, u32 size, u64 *flags)
{
	u64 r, carry = e->next.rflags & FLAG_CF;

	switch (e->insn.op) {
	case KVM_OP_ADD:
		return add(a, b, 0, size, flags);
	case KVM_OP_ADC:
		return add(a, b, carry, size, flags);
	case KVM_OP_INC:
		return add(a, 1, 0, size, flags);
	case KVM_OP_SBB:
		return sub(a, b, carry, size, flags);
	case KVM_OP_SUB:
	case KVM_OP_CMP:
		return sub(a, b, 0, size, flags);
	case KVM_OP_DEC:
		return sub(a, 1, 0, size, flags);
	case KVM_OP_NEG:
		return sub(0, a, 0, size, flags);
	case KVM_OP_OR:
		r = a | b;
		break;
	case KVM_OP_XOR:
		r = a ^ b;
		break;
	case KVM_OP_NOT:
		return ~a;
	default: /* AND, TEST */
		r = a & b;
	}
	*flags = flags_of(r, size);
	return r;
}

enum kvm_exec_status kvm_exec_alu(struct kvm_exec *e)
{
	u8 op = e->insn.op;
	bool compares = op == KVM_OP_CMP || op == KVM_OP_TEST;
	u32 size = e->insn.operands[0].size;
	u64 a, b = 0, r, flags = 0, which = FLAGS_STATUS;
	enum kvm_exec_status s = kvm_exec_get(e, 0, &a, !compares);

	if (!s && e->insn.nr_operands > 1)
		s = kvm_exec_get(e, 1, &b, false);
	if (s)
		return s;
	r = compute(e, a, b, size, &flags);
	if (op == KVM_OP_NOT)
		which = 0;
	else if (op == KVM_OP_INC || op == KVM_OP_DEC)
		which &= ~FLAG_CF;
	put_flags(e, which, flags);
	return compares ? KVM_EXEC_DONE : kvm_exec_update(e, 0, a, r, e->insn.lock);
}

/* One bit; RCL and RCR take the carry in and give it back in FLAGS. */
static u64 rotate_step(u8 op, u64 v, u32 size, u64 *flags)
{
	u64 low = v & 1, high = !!(v & top(size)), carry = *flags & FLAG_CF;

	switch (op) {
	case KVM_OP_ROL:
		*flags = high;
		return v << 1 | high;
	case KVM_OP_ROR:
		*flags = low;
		return v >> 1 | low << (size * 8 - 1);
	case KVM_OP_RCL:
		*flags = high;
		return v << 1 | carry;
	default:
		*flags = low;
		return v >> 1 | carry << (size * 8 - 1);
	}
}

static u64 rotate(struct kvm_exec *e, u64 v, u32 count, u32 size)
{
	u8 op = e->insn.op;
	u64 flags = e->next.rflags & FLAG_CF, next;

	for (u32 k = 0; k < count; k++)
		v = rotate_step(op, v, size, &flags) & kvm_exec_mask(size);
	next = v << 1;
	if (op == KVM_OP_ROL || op == KVM_OP_RCL)
		flags |= flag(!(v & top(size)) != !(flags & FLAG_CF), FLAG_OF);
	else
		flags |= flag((v ^ next) & top(size), FLAG_OF);
	put_flags(e, FLAG_CF | FLAG_OF, flags);
	return v;
}

/* COUNT is 1 at least, and may be more than the operand has bits. */
static u64 shift(struct kvm_exec *e, u64 v, u32 count, u32 size)
{
	u8 op = e->insn.op;
	u64 r, out, flags;

	if (op == KVM_OP_SHL) {
		out = size * 8 >= count ? v >> (size * 8 - count) & 1 : 0;
		r = v << count & kvm_exec_mask(size);
		flags = flag(!(r & top(size)) != !out, FLAG_OF);
	} else if (op == KVM_OP_SHR) {
		out = v >> (count - 1) & 1;
		r = v >> count;
		flags = flag(v & top(size), FLAG_OF);
	} else {
		s64 wide = (s64)kvm_exec_sign_extend(v, size);

		out = (u64)(wide >> (count - 1)) & 1;
		r = (u64)(wide >> count) & kvm_exec_mask(size);
		flags = 0;
	}
	put_flags(e, FLAGS_STATUS, flags | out | flags_of(r, size));
	return r;
}

/* SHLD, SHRD. With 16 bits a count of over 16 is undefined. */
static u64 shift_double(struct kvm_exec *e, u64 v, u64 from, u32 count, u32 size)
{
	u32 bits = size * 8;
	u64 r, out;

	if (count > bits)
		count -= bits;
	if (e->insn.op == KVM_OP_SHLD) {
		out = v >> (bits - count) & 1;
		r = count == bits ? from : v << count | from >> (bits - count);
	} else {
		out = v >> (count - 1) & 1;
		r = count == bits ? from : v >> count | from << (bits - count);
	}
	r &= kvm_exec_mask(size);
	put_flags(e, FLAGS_STATUS, out | flags_of(r, size) | flag((v ^ r) & top(size), FLAG_OF));
	return r;
}

enum kvm_exec_status kvm_exec_shift(struct kvm_exec *e)
{
	const struct kvm_insn *i = &e->insn;
	bool twice = i->op >= KVM_OP_SHLD;
	u32 size = i->operands[0].size;
	u64 v, from = 0, count, r;
	enum kvm_exec_status s = kvm_exec_get(e, 0, &v, true);

	if (!s && twice)
		s = kvm_exec_get(e, 1, &from, false);
	if (!s)
		s = kvm_exec_get(e, twice ? 2 : 1, &count, false);
	if (s)
		return s;
	count &= size == 8 ? 63 : 31;
	r = v;
	if (count)
		r = twice	       ? shift_double(e, v, from, (u32)count, size) :
		    i->op < KVM_OP_SHL ? rotate(e, v, (u32)count, size) :
					 shift(e, v, (u32)count, size);
	return kvm_exec_put(e, 0, r);
}

/* IMUL of two or three operands: the product cut to the first. */
static enum kvm_exec_status multiply_reg(struct kvm_exec *e)
{
	u32 size = e->insn.operands[0].size, last = e->insn.nr_operands - 1u;
	u64 a, b;
	__int128 wide;
	enum kvm_exec_status s = kvm_exec_get(e, last - 1, &a, false);

	if (!s)
		s = kvm_exec_get(e, last, &b, false);
	if (s)
		return s;
	wide = (__int128)(s64)kvm_exec_sign_extend(a, size) * (s64)kvm_exec_sign_extend(b, size);
	put_flags(e, FLAGS_STATUS,
		  flags_of((u64)wide, size) |
			  flag((s64)kvm_exec_sign_extend((u64)wide, size) != wide,
			       FLAG_CF | FLAG_OF));
	return kvm_exec_put(e, 0, (u64)wide);
}

/* rDX:rAX, which for bytes is AX. */
static void put_pair(struct kvm_exec *e, u64 low, u64 high, u32 size)
{
	if (size == 1) {
		kvm_exec_merge(&e->next.gpr[RAX], (high & 0xff) << 8 | (low & 0xff), 2);
		return;
	}
	kvm_exec_merge(&e->next.gpr[RAX], low, size);
	kvm_exec_merge(&e->next.gpr[RDX], high, size);
}

static void multiply_pair(struct kvm_exec *e, u64 b, u32 size)
{
	u64 a = e->next.gpr[RAX] & kvm_exec_mask(size);
	bool is_signed = e->insn.op == KVM_OP_IMUL, over;
	u128 wide;

	if (is_signed)
		wide = (u128)((__int128)(s64)kvm_exec_sign_extend(a, size) *
			      (s64)kvm_exec_sign_extend(b, size));
	else
		wide = (u128)a * b;
	over = is_signed ? (__int128)(s64)kvm_exec_sign_extend((u64)wide, size) != (__int128)wide :
			   wide >> (size * 8) != 0;
	put_pair(e, (u64)wide, (u64)(wide >> (size * 8)), size);
	put_flags(e, FLAGS_STATUS, flags_of((u64)wide, size) | flag(over, FLAG_CF | FLAG_OF));
}

/* By hand, as the compiler would call a library for it. HIGH is less than B. */
static u64 divide(u64 high, u64 low, u64 b, u64 *rest)
{
	u64 q = 0;

	for (u32 k = 0; k < 64; k++) {
		bool carry = high >> 63;

		high = high << 1 | low >> 63;
		low <<= 1;
		q <<= 1;
		if (carry || high >= b) {
			high -= b;
			q |= 1;
		}
	}
	*rest = high;
	return q;
}

static enum kvm_exec_status divide_pair(struct kvm_exec *e, u64 b, u32 size)
{
	u32 bits = size * 8;
	u64 ax = e->next.gpr[RAX], dx = e->next.gpr[RDX], q, rest;
	bool is_signed = e->insn.op == KVM_OP_IDIV, minus = false, minus_b = false;
	u128 wide = size == 1 ?
			    (ax & 0xffff) :
			    (u128)(dx & kvm_exec_mask(size)) << bits | (ax & kvm_exec_mask(size));

	if (is_signed) {
		minus = wide >> (bits * 2 - 1) & 1;
		if (minus)
			wide = -wide & (((u128)1 << (bits * 2 - 1)) * 2 - 1);
		minus_b = b & top(size);
		if (minus_b)
			b = -b & kvm_exec_mask(size);
	}
	if (!b || wide >> bits >= b)
		return kvm_exec_fault(e, VECTOR_DE, 0);
	q = divide((u64)(wide >> 64), (u64)wide, b, &rest);
	if (is_signed && q > top(size) - (minus == minus_b))
		return kvm_exec_fault(e, VECTOR_DE, 0);
	put_pair(e, minus != minus_b ? -q : q, minus ? -rest : rest, size);
	return KVM_EXEC_DONE;
}

enum kvm_exec_status kvm_exec_multiply(struct kvm_exec *e)
{
	u32 size = e->insn.operands[0].size;
	u64 b;
	enum kvm_exec_status s;

	if (e->insn.op == KVM_OP_IMUL_REG)
		return multiply_reg(e);
	s = kvm_exec_get(e, 0, &b, false);
	if (s)
		return s;
	if (e->insn.op >= KVM_OP_DIV)
		return divide_pair(e, b, size);
	multiply_pair(e, b, size);
	return KVM_EXEC_DONE;
}
