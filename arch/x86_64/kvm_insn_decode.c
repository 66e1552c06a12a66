// SPDX-License-Identifier: MIT
/*
 * From bytes to fields: prefixes, opcode, ModRM, SIB, displacement, immediates, in the order in
 * which they stand (APM 3, 1.1). Each byte is fetched once, by next_byte(); what needs more than
 * KVM_INSN_MAX is too long, what needs more than there is asks for more. An invalid encoding is one
 * as soon as it is known, whatever would follow.
 */
#include "arch/x86_64/kvm_insn_table.h"

struct cursor {
	const u8 *bytes;
	u32 count;
	u8 pos;
};

static enum kvm_insn_status next_byte(struct cursor *c, u8 *b)
{
	if (c->pos >= KVM_INSN_MAX)
		return KVM_INSN_TOO_LONG;
	if (c->pos >= c->count)
		return KVM_INSN_MORE;
	*b = c->bytes[c->pos++];
	return KVM_INSN_OK;
}

/* Little-endian, not extended. SIZE: 0 to 8. */
static enum kvm_insn_status next_value(struct cursor *c, u8 size, u64 *value)
{
	*value = 0;
	for (u8 i = 0; i < size; i++) {
		u8 b;
		enum kvm_insn_status s = next_byte(c, &b);

		if (s)
			return s;
		*value |= (u64)b << (8 * i);
	}
	return KVM_INSN_OK;
}

static s64 sign_extend(u64 v, u8 size)
{
	return size == 1 ? (s8)v : size == 2 ? (s16)v : size == 4 ? (s32)v : (s64)v;
}

static enum kvm_insn_segment segment_of(u8 b)
{
	return b >= 0x64 ? (b == 0x64 ? KVM_SEG_FS : KVM_SEG_GS) : (b >> 3 & 3);
}

/* Takes B in where it is a prefix. REX counts only if the opcode follows it at once. */
static bool take_prefix(struct kvm_insn *i, u8 b, enum kvm_insn_mode mode, u8 *rex)
{
	bool long64 = mode == KVM_MODE_LONG64;

	if (long64 && (b & 0xf0) == 0x40) {
		*rex = b;
		return true;
	}
	switch (b) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e: /* no segments in 64-bit mode (1.2.4) */
		if (!long64)
			i->seg_prefix = segment_of(b);
		break;
	case 0x64:
	case 0x65:
		i->seg_prefix = segment_of(b);
		break;
	case 0x66:
		i->opsize = 1;
		break;
	case 0x67:
		i->addrsize = 1;
		break;
	case 0xf0:
		i->lock = 1;
		break;
	case 0xf2:
	case 0xf3:
		i->rep = b;
		break;
	default:
		return false;
	}
	*rex = 0;
	return true;
}

static enum kvm_insn_status take_prefixes(struct kvm_insn *i, struct cursor *c,
					  enum kvm_insn_mode mode)
{
	u8 rex = 0, b;

	for (;;) {
		enum kvm_insn_status s = next_byte(c, &b);

		if (s)
			return s;
		if (!take_prefix(i, b, mode, &rex))
			break;
		i->prefixes++;
	}
	i->has_rex = rex != 0;
	i->w = rex >> 3 & 1;
	i->r = rex >> 2 & 1;
	i->x = rex >> 1 & 1;
	i->b = rex & 1;
	i->pp = i->rep == 0xf3 ? 2 : i->rep == 0xf2 ? 3 : i->opsize;
	i->opcode = b;
	return KVM_INSN_OK;
}

static u8 sized(bool wide, bool prefix)
{
	return wide != prefix ? 4 : 2;
}

static void take_sizes(struct kvm_insn *i, enum kvm_insn_mode mode, u8 flags)
{
	bool wide = mode >= KVM_MODE_PROT32;

	i->op_size = sized(wide, i->opsize);
	i->addr_size = sized(wide, i->addrsize);
	if (mode != KVM_MODE_LONG64)
		return;
	i->addr_size = i->addrsize ? 4 : 8;
	/* AMD heeds 66 with near branches too (APM 3, 1.2.2 and table B-5). */
	if (i->w || (flags & ROW_F64) || ((flags & ROW_D64) && !i->opsize))
		i->op_size = 8;
}

/*
 * What of LES, LDS, BOUND and POP is another encoding instead (APM 3, 1.7; VEX in real mode: #UD).
 */
static u8 vector_encoding(const struct kvm_insn *i, const struct cursor *c, enum kvm_insn_mode mode)
{
	u8 b = c->bytes[c->pos];

	if (mode == KVM_MODE_REAL)
		return KVM_ENC_LEGACY;
	if (i->opcode == 0x8f)
		return (b & 0x1f) >= 8 ? KVM_ENC_XOP : KVM_ENC_LEGACY;
	if (mode != KVM_MODE_LONG64 && b < 0xc0)
		return KVM_ENC_LEGACY;
	return i->opcode == 0x62 ? KVM_ENC_EVEX : KVM_ENC_VEX;
}

/* The bytes between the escape byte (in i->opcode) and the opcode. */
static enum kvm_insn_status take_vector(struct kvm_insn *i, struct cursor *c,
					enum kvm_insn_mode mode)
{
	u8 p[3] = { 0 }, n = i->opcode == 0x62 ? 3 : i->opcode == 0xc5 ? 1 : 2;
	u8 last;

	if (i->has_rex || i->lock || i->opsize || i->rep)
		return KVM_INSN_INVALID;
	for (u8 k = 0; k < n; k++) {
		enum kvm_insn_status s = next_byte(c, &p[k]);

		if (s)
			return s;
	}
	i->r = !(p[0] & 0x80);
	i->map = 1;
	last = p[0];
	if (n > 1) {
		i->x = !(p[0] & 0x40);
		i->b = !(p[0] & 0x20);
		i->map = p[0] & (i->encoding == KVM_ENC_EVEX ? 7 : 31);
		last = p[1];
		i->w = last >> 7;
	}
	i->pp = last & 3;
	i->vvvv = ~(last >> 3) & 15;
	i->vex_l = last >> 2 & 1;
	if (i->encoding == KVM_ENC_EVEX) {
		if ((p[0] & 8) || !(p[1] & 4))
			return KVM_INSN_INVALID;
		i->vex_l = p[2] >> 5 & 3;
	}
	if (mode != KVM_MODE_LONG64)
		i->r = i->x = i->b = 0;
	return next_byte(c, &i->opcode);
}

/* The opcode's map: 0F, 0F38, 0F3A; 3DNow's opcode comes last. */
static enum kvm_insn_status take_map(struct kvm_insn *i, struct cursor *c)
{
	enum kvm_insn_status s;

	if (i->opcode != 0x0f)
		return KVM_INSN_OK;
	i->map = 1;
	s = next_byte(c, &i->opcode);
	if (s)
		return s;
	if (i->opcode == 0x0f)
		i->encoding = KVM_ENC_3DNOW;
	if (i->opcode != 0x38 && i->opcode != 0x3a)
		return KVM_INSN_OK;
	i->map = i->opcode == 0x38 ? 2 : 3;
	return next_byte(c, &i->opcode);
}

static void address_16(struct kvm_insn *i)
{
	static const u8 base[8] = { 3, 3, 5, 5, 6, 7, 5, 3 };
	u8 rm = i->modrm & 7;

	i->mem.base = base[rm];
	if (rm < 4)
		i->mem.index = 6 + (rm & 1);
	i->disp_size = i->modrm >> 6;
	if (i->modrm < 0x40 && rm == 6) {
		i->mem.base = KVM_REG_NONE;
		i->disp_size = 2;
	}
	i->mem.seg = i->mem.base == 5 ? KVM_SEG_SS : KVM_SEG_DS;
}

static void address_32(struct kvm_insn *i, enum kvm_insn_mode mode)
{
	u8 base = i->has_sib ? i->sib & 7 : i->modrm & 7;

	i->mem.base = base | i->b << 3;
	i->disp_size = i->modrm >= 0x80 ? 4 : i->modrm >= 0x40;
	if (i->has_sib) {
		u8 index = (i->sib >> 3 & 7) | i->x << 3;

		i->mem.index = index == 4 ? KVM_REG_NONE : index;
		i->mem.scale = 1 << (i->sib >> 6);
	}
	if (i->modrm < 0x40 && base == 5) {
		i->mem.base = i->has_sib || mode != KVM_MODE_LONG64 ? KVM_REG_NONE : KVM_REG_RIP;
		i->disp_size = 4;
	}
	i->mem.seg = i->mem.base == 4 || i->mem.base == 5 ? KVM_SEG_SS : KVM_SEG_DS;
}

static enum kvm_insn_status take_address(struct kvm_insn *i, struct cursor *c,
					 enum kvm_insn_mode mode)
{
	enum kvm_insn_status s;
	u64 disp;

	i->mem.present = 1;
	i->mem.scale = 1;
	if (i->addr_size == 2) {
		address_16(i);
	} else {
		if ((i->modrm & 7) == 4) {
			s = next_byte(c, &i->sib);
			if (s)
				return s;
			i->has_sib = 1;
		}
		address_32(i, mode);
	}
	if (i->seg_prefix != KVM_REG_NONE)
		i->mem.seg = i->seg_prefix;
	s = next_value(c, i->disp_size, &disp);
	i->mem.disp = sign_extend(disp, i->disp_size);
	return s;
}

static u8 immediate_size(const struct kvm_insn *i, u8 code)
{
	switch (code) {
	case C_Ib:
	case C_Is:
	case C_Jb:
	case C_Ib2:
		return 1;
	case C_Iw:
		return 2;
	case C_Iv:
		return i->op_size;
	case C_Iz:
	case C_Jz:
	case C_Ap:
		return i->op_size == 2 ? 2 : 4;
	case C_Ob:
	case C_Ov:
		return i->addr_size;
	default:
		return 0;
	}
}

static enum kvm_insn_status take_offset(struct kvm_insn *i, struct cursor *c)
{
	u64 disp;
	enum kvm_insn_status s = next_value(c, i->addr_size, &disp);

	i->disp_size = i->addr_size;
	i->mem.present = 1;
	i->mem.scale = 1;
	i->mem.seg = i->seg_prefix != KVM_REG_NONE ? i->seg_prefix : KVM_SEG_DS;
	i->mem.disp = (s64)disp;
	return s;
}

static enum kvm_insn_status take_immediates(struct kvm_insn *i, struct cursor *c,
					    const struct kvm_form *f)
{
	enum kvm_insn_status s = KVM_INSN_OK;

	for (u32 k = 0; k < 3 && !s; k++) {
		u8 code = f->code[k], size = immediate_size(i, code);

		if (!size)
			continue;
		if (code == C_Ob || code == C_Ov) {
			s = take_offset(i, c);
		} else if (code == C_Ib2) {
			i->imm2_size = size;
			s = next_value(c, size, &i->imm2);
		} else {
			i->imm_size = size;
			s = next_value(c, size, &i->imm);
			/*
			 * Counts, ports and far offsets have no sign; a byte for a byte needs none.
			 */
			if (code != C_Ib && code != C_Iw && code != C_Ap)
				i->imm = (u64)sign_extend(i->imm, size);
		}
		if (code == C_Ap && !s) {
			i->imm2_size = 2;
			s = next_value(c, 2, &i->imm2);
		}
	}
	return s;
}

static bool has_modrm(const struct kvm_form *f)
{
	for (u32 k = 0; k < 3; k++)
		if ((f->code[k] >= C_E && f->code[k] <= C_Gz) ||
		    (f->code[k] >= C_Sw && f->code[k] <= C_Ds) || f->code[k] >= C_V)
			return true;
	return false;
}

/* What a row alone does not say. */
static bool special_valid(struct kvm_insn *i, enum kvm_insn_mode mode)
{
	u8 reg = i->modrm >> 3 & 7;
	bool memory = i->modrm < 0xc0;

	switch (i->map << 8 | i->opcode) {
	case 0x8c: /* there are six segments, and CS is not written */
		return reg < 6;
	case 0x8e:
		return reg < 6 && reg != KVM_SEG_CS;
	case 0x90 ... 0x97:
		if (i->opcode == 0x90 && (!i->b || i->pp == 2)) /* PAUSE */
			i->op = KVM_OP_NOP;
		return true;
	case 0xc6:
	case 0xc7: /* XABORT, XBEGIN */
		return i->modrm == 0xf8;
	case 0x3f0: /* HRESET */
		return i->modrm == 0xc0;
	case 0xd8 ... 0xdf:
		return kvm_insn_x87(i->opcode, i->modrm);
	case 0x101:
		if (memory)
			return true;
		i->op = KVM_OP_OTHER;
		return kvm_insn_0f01(i->modrm, i->pp, mode);
	case 0x112:
	case 0x116: /* MOVHLPS, MOVLHPS */
		if (!memory)
			i->op = KVM_OP_OTHER;
		return true;
	case 0x120:
	case 0x122: /* LOCK stands for the bit of CR8 (APM 3, MOV CRn) */
		reg |= (i->r | i->lock) << 3;
		return reg == 0 || (reg >= 2 && reg <= 4) || reg == 8;
	default: /* MOV DRn: there are eight */
		return !i->r;
	}
}

static bool moves_control(const struct kvm_insn *i)
{
	return i->map == 1 && i->opcode >= 0x20 && i->opcode <= 0x23;
}

static bool row_valid(struct kvm_insn *i, const struct kvm_row *row, u8 flags,
		      enum kvm_insn_mode mode)
{
	u8 reg = i->modrm >> 3 & 7;
	bool memory = !i->has_modrm || i->modrm < 0xc0;
	u8 pp = row->pp;

	if (flags & ROW_EXCEPT)
		pp &= ~kvm_insn_pp_without(i->map, i->opcode, reg, mode);
	if (!(pp >> (memory ? 0 : 4) >> i->pp & 1))
		return false;
	i->op = row->op;
	return !(flags & ROW_SPECIAL) || special_valid(i, mode);
}

/* Only what writes memory is locked (APM 3, 1.2.5), and MOV CR0, which is MOV CR8 then. */
static bool lock_valid(const struct kvm_insn *i, u8 flags)
{
	return !i->lock || ((flags & ROW_LOCK) && (i->mem.present || moves_control(i)));
}

static const struct kvm_row *row_of(const struct kvm_insn *i, enum kvm_insn_mode mode)
{
	const struct kvm_row *row = &kvm_insn_rows[i->map][i->opcode];

	return mode == KVM_MODE_LONG64 && !i->map && i->opcode == 0x63 ? &kvm_insn_movsxd : row;
}

static enum kvm_insn_status take_legacy(struct kvm_insn *i, struct cursor *c,
					enum kvm_insn_mode mode)
{
	const struct kvm_row *row = row_of(i, mode);
	u8 flags = row->flags;
	enum kvm_insn_status s;

	if (!row->pp || ((flags & ROW_NO64) && mode == KVM_MODE_LONG64))
		return KVM_INSN_INVALID;
	if (flags & ROW_BY_PP)
		row = &kvm_insn_groups[row->form][i->pp];
	if ((flags & ROW_BY_REG) || has_modrm(&kvm_insn_forms[row->form])) {
		s = next_byte(c, &i->modrm);
		if (s)
			return s;
		i->has_modrm = 1;
	}
	if (flags & ROW_BY_REG)
		row = &kvm_insn_groups[row->form][i->modrm >> 3 & 7];
	flags |= row->flags;
	take_sizes(i, mode, flags);
	if (!row_valid(i, row, flags, mode))
		return KVM_INSN_INVALID;
	if (i->has_modrm && i->modrm < 0xc0 && !moves_control(i)) {
		s = take_address(i, c, mode);
		if (s)
			return s;
	}
	s = take_immediates(i, c, &kvm_insn_forms[row->form]);
	if (s)
		return s;
	if (!lock_valid(i, flags))
		return KVM_INSN_INVALID;
	if (i->op != KVM_OP_OTHER && i->op != KVM_OP_NOP)
		kvm_insn_operands(i, &kvm_insn_forms[row->form], mode);
	return KVM_INSN_OK;
}

static enum kvm_insn_status take_modrm(struct kvm_insn *i, struct cursor *c,
				       enum kvm_insn_mode mode)
{
	enum kvm_insn_status s = next_byte(c, &i->modrm);

	i->has_modrm = 1;
	take_sizes(i, mode, 0);
	return s || i->modrm >= 0xc0 ? s : take_address(i, c, mode);
}

/* Length and address alone. */
static enum kvm_insn_status take_simd(struct kvm_insn *i, struct cursor *c, enum kvm_insn_mode mode)
{
	enum kvm_insn_status s = take_vector(i, c, mode);

	if (s)
		return s;
	if (!kvm_insn_vector(i->encoding, i->map, i->opcode, &i->imm_size))
		return KVM_INSN_INVALID;
	if (i->encoding == KVM_ENC_VEX && i->map == 1 && i->opcode == 0x77) { /* VZEROUPPER */
		take_sizes(i, mode, 0);
		return KVM_INSN_OK;
	}
	s = take_modrm(i, c, mode);
	return s ? s : next_value(c, i->imm_size, &i->imm);
}

static enum kvm_insn_status take_3dnow(struct kvm_insn *i, struct cursor *c,
				       enum kvm_insn_mode mode)
{
	enum kvm_insn_status s;

	if (i->lock)
		return KVM_INSN_INVALID;
	s = take_modrm(i, c, mode);
	if (s)
		return s;
	s = next_byte(c, &i->opcode);
	return s ? s : kvm_insn_3dnow(i->opcode) ? KVM_INSN_OK : KVM_INSN_INVALID;
}

static enum kvm_insn_status take_all(struct kvm_insn *i, struct cursor *c, enum kvm_insn_mode mode)
{
	enum kvm_insn_status s = take_prefixes(i, c, mode);

	if (s)
		return s;
	if (i->opcode == 0xc4 || i->opcode == 0xc5 || i->opcode == 0x62 || i->opcode == 0x8f) {
		if (c->pos >= KVM_INSN_MAX)
			return KVM_INSN_TOO_LONG;
		if (c->pos >= c->count)
			return KVM_INSN_MORE;
		i->encoding = vector_encoding(i, c, mode);
		if (i->encoding != KVM_ENC_LEGACY)
			return take_simd(i, c, mode);
	}
	s = take_map(i, c);
	if (s)
		return s;
	return i->encoding == KVM_ENC_3DNOW ? take_3dnow(i, c, mode) : take_legacy(i, c, mode);
}

enum kvm_insn_status kvm_insn_decode(const u8 *bytes, u32 count, enum kvm_insn_mode mode,
				     struct kvm_insn *out)
{
	struct cursor c = { .bytes = bytes, .count = count };
	enum kvm_insn_status s;

	*out = (struct kvm_insn){ .seg_prefix = KVM_REG_NONE };
	out->mem.base = out->mem.index = KVM_REG_NONE;
	s = take_all(out, &c, mode);
	out->length = c.pos;
	return s;
}
