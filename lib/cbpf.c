// SPDX-License-Identifier: MIT
/* Classic BPF: McCanne and Jacobson, "The BSD Packet Filter"; opcodes as in <linux/bpf_common.h>. */
#include <lib/types.h>
#include <lib/cbpf.h>
#include <lib/string.h>
#include <asm-generic/errno-base.h>

#ifndef BPF_MOD
#define BPF_MOD 0x90
#define BPF_XOR 0xa0
#endif

static bool known_alu(u16 code, u32 k)
{
	switch (BPF_OP(code)) {
	case BPF_ADD: case BPF_SUB: case BPF_MUL: case BPF_OR: case BPF_AND: case BPF_XOR:
		return true;
	case BPF_DIV: case BPF_MOD:
		return BPF_SRC(code) == BPF_X || k;
	case BPF_LSH: case BPF_RSH:
		return BPF_SRC(code) == BPF_X || k < 32;
	case BPF_NEG:
		return BPF_SRC(code) == BPF_K;
	}
	return false;
}

static bool known_load(u16 code, u32 k)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS: case BPF_LD | BPF_H | BPF_ABS: case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND: case BPF_LD | BPF_H | BPF_IND: case BPF_LD | BPF_B | BPF_IND:
	case BPF_LD | BPF_W | BPF_LEN: case BPF_LDX | BPF_W | BPF_LEN: case BPF_LD | BPF_IMM: case BPF_LDX | BPF_IMM:
	case BPF_LDX | BPF_B | BPF_MSH:
		return true;
	case BPF_LD | BPF_MEM: case BPF_LDX | BPF_MEM: case BPF_ST: case BPF_STX:
		return k < BPF_MEMWORDS;
	}
	return false;
}

/* An offset from SKF_AD_OFF on names a fact about the packet. */
static bool known_fact(u32 k)
{
	u32 fact = k - (u32)SKF_AD_OFF;

	return k < (u32)SKF_AD_OFF || (fact < SKF_AD_MAX && !(fact % 4));
}

static bool known(const struct sock_filter *f, unsigned int left)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_LD: case BPF_LDX: case BPF_ST: case BPF_STX:
		if (BPF_CLASS(f->code) == BPF_LD && BPF_MODE(f->code) == BPF_ABS && !known_fact(f->k))
			return false;
		return known_load(f->code, f->k);
	case BPF_ALU:
		return !(f->code & 0xff00) && known_alu(f->code, f->k);
	case BPF_JMP:
		if (f->code == (BPF_JMP | BPF_JA))
			return f->k < left;
		if ((f->code & 0xff00) || BPF_OP(f->code) > BPF_JSET || BPF_OP(f->code) == BPF_JA)
			return false;
		return f->jt < left && f->jf < left;
	case BPF_RET:
		return f->code == (BPF_RET | BPF_K) || f->code == (BPF_RET | BPF_A);
	case BPF_MISC:
		return f->code == (BPF_MISC | BPF_TAX) || f->code == (BPF_MISC | BPF_TXA);
	}
	return false;
}

/* Jumps go forward only, so one pass knows what scratch words are written on every way to an instruction. AT is room for LEN sets. */
static int check_scratch(const struct sock_filter *f, unsigned int len, u16 *at)
{
	u16 now = 0;

	memset(at, 0xff, len * sizeof(*at));
	for (unsigned int i = 0; i < len; i++) {
		const struct sock_filter *x = &f[i];

		now &= at[i];
		switch (x->code) {
		case BPF_ST: case BPF_STX:
			now |= (u16)(1u << x->k);
			break;
		case BPF_LD | BPF_MEM: case BPF_LDX | BPF_MEM:
			if (!(now >> x->k & 1))
				return -EINVAL;
			break;
		case BPF_JMP | BPF_JA:
			at[i + 1 + x->k] &= now;
			now = 0xffff;
			break;
		case BPF_RET | BPF_K: case BPF_RET | BPF_A:
			now = 0xffff;
			break;
		default:
			if (BPF_CLASS(x->code) == BPF_JMP) {
				at[i + 1 + x->jt] &= now;
				at[i + 1 + x->jf] &= now;
				now = 0xffff;
			}
		}
	}
	return 0;
}

int cbpf_check(const struct sock_filter *f, unsigned int len, u16 *scratch)
{
	if (!len || len > BPF_MAXINSNS)
		return -EINVAL;
	for (unsigned int i = 0; i < len; i++)
		if (!known(&f[i], len - i - 1))
			return -EINVAL;
	if (BPF_CLASS(f[len - 1].code) != BPF_RET)
		return -EINVAL;
	return check_scratch(f, len, scratch);
}

/* What such a program may do beyond being sound: look at its data by words, no more. */
static bool by_words(const struct sock_filter *f, u32 size)
{
	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return f->k < size && !(f->k & 3);
	case BPF_LD | BPF_W | BPF_LEN: case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM: case BPF_LDX | BPF_IMM: case BPF_LD | BPF_MEM: case BPF_LDX | BPF_MEM: case BPF_ST: case BPF_STX:
		return true;
	}
	switch (BPF_CLASS(f->code)) {
	case BPF_ALU: return BPF_OP(f->code) != BPF_MOD;
	case BPF_JMP: case BPF_RET: case BPF_MISC: return true;
	}
	return false;
}

int cbpf_check_words(const struct sock_filter *f, unsigned int len, u32 size, u16 *scratch)
{
	int e = cbpf_check(f, len, scratch);

	for (unsigned int i = 0; i < len && !e; i++)
		if (!by_words(&f[i], size))
			e = -EINVAL;
	return e;
}

static u32 flat(const u8 *d, u32 size, bool native)
{
	u32 v = 0;
	u16 h;

	if (native && size == 4) {
		memcpy(&v, d, 4);
	} else if (native && size == 2) {
		memcpy(&h, d, 2);
		v = h;
	} else {
		for (u32 i = 0; i < size; i++)
			v = v << 8 | d[i];
	}
	return v;
}

static u32 size_of(u16 code)
{
	return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

/* Loads SIZE bytes from OFF on into *OUT. */
static bool load(const struct cbpf_input *in, u32 off, u32 size, u32 *out)
{
	if (off <= in->linear && size <= in->linear - off) {
		*out = flat((const u8 *)in->data + off, size, in->native);
		return true;
	}
	return in->far && in->far(in, off, size, out);
}

/* BPF_LD with BPF_ABS: from SKF_AD_OFF on a fact about the packet. */
static bool load_abs(const struct cbpf_input *in, const struct sock_filter *f, u32 x, u32 *a)
{
	if (f->k >= (u32)SKF_AD_OFF && in->fact)
		return in->fact(in, f->k - (u32)SKF_AD_OFF, x, a);
	return load(in, f->k, size_of(f->code), a);
}

static u32 alu(u16 op, u32 a, u32 b)
{
	switch (op) {
	case BPF_ADD: return a + b;
	case BPF_SUB: return a - b;
	case BPF_MUL: return a * b;
	case BPF_DIV: return a / b;
	case BPF_MOD: return a % b;
	case BPF_OR: return a | b;
	case BPF_AND: return a & b;
	case BPF_XOR: return a ^ b;
	case BPF_LSH: return a << (b & 31);	/* as on Linux: the low five bits of X */
	case BPF_RSH: return a >> (b & 31);
	}
	return -a;		/* BPF_NEG */
}

static bool holds(u16 op, u32 a, u32 b)
{
	switch (op) {
	case BPF_JEQ: return a == b;
	case BPF_JGT: return a > b;
	case BPF_JGE: return a >= b;
	}
	return a & b;		/* BPF_JSET */
}

static bool run_ld(const struct cbpf_input *in, const struct sock_filter *f, u32 x, const u32 *m, u32 *a)
{
	switch (BPF_MODE(f->code)) {
	case BPF_ABS:
		return load_abs(in, f, x, a);
	case BPF_IND:
		return load(in, x + f->k, size_of(f->code), a);
	case BPF_LEN: *a = in->len; break;
	case BPF_IMM: *a = f->k; break;
	default: *a = m[f->k % BPF_MEMWORDS];
	}
	return true;
}

static bool run_ldx(const struct cbpf_input *in, const struct sock_filter *f, const u32 *m, u32 *x)
{
	switch (BPF_MODE(f->code)) {
	case BPF_LEN: *x = in->len; break;
	case BPF_IMM: *x = f->k; break;
	case BPF_MSH:
		if (!load(in, f->k, 1, x))
			return false;
		*x = (*x & 0xf) << 2;
		break;
	default: *x = m[f->k % BPF_MEMWORDS];
	}
	return true;
}

u32 cbpf_run_input(const struct sock_filter *f, const struct cbpf_input *in)
{
	u32 a = 0, x = 0, m[BPF_MEMWORDS] = { 0 }, b;

	for (;; f++) {
		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			if (!run_ld(in, f, x, m, &a))
				return 0;
			break;
		case BPF_LDX:
			if (!run_ldx(in, f, m, &x))
				return 0;
			break;
		case BPF_ST: m[f->k % BPF_MEMWORDS] = a; break;
		case BPF_STX: m[f->k % BPF_MEMWORDS] = x; break;
		case BPF_ALU:
			b = BPF_SRC(f->code) == BPF_X ? x : f->k;
			if (!b && (BPF_OP(f->code) == BPF_DIV || BPF_OP(f->code) == BPF_MOD))
				return 0;
			a = alu(BPF_OP(f->code), a, b);
			break;
		case BPF_JMP:
			if (f->code == (BPF_JMP | BPF_JA))
				f += f->k;
			else
				f += holds(BPF_OP(f->code), a, BPF_SRC(f->code) == BPF_X ? x : f->k) ? f->jt : f->jf;
			break;
		case BPF_RET:
			return f->code == (BPF_RET | BPF_K) ? f->k : a;
		default:
			if (f->code == (BPF_MISC | BPF_TAX))
				x = a;
			else
				a = x;
		}
	}
}

u32 cbpf_run(const struct sock_filter *f, const void *data, u32 len, bool native)
{
	const struct cbpf_input in = { .data = data, .linear = len, .len = len, .native = native };

	return cbpf_run_input(f, &in);
}
