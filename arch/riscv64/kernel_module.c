// SPDX-License-Identifier: MIT
/*
 * Relocations of modules (RISC-V ELF psABI, 8.5). Modules lie in the GiB below the image, so the
 * pair of AUIPC and what adds the low bits (2 GiB) reaches all of it, and calls need no veneers.
 * The second half of a pair has the address of the first one for its symbol, and the low bits of
 * how far the first one's is. They are built without relaxation: what asks for it is refused.
 */
#include <arch/module_reloc.h>
#include <lib/string.h>

enum {
	R_32 = 1,
	R_64 = 2,
	R_BRANCH = 16,
	R_JAL = 17,
	R_CALL = 18,
	R_CALL_PLT = 19,
	R_PCREL_HI20 = 23,
	R_PCREL_LO12_I = 24,
	R_PCREL_LO12_S = 25,
	R_ADD8 = 33,
	R_ADD16 = 34,
	R_ADD32 = 35,
	R_ADD64 = 36,
	R_SUB8 = 37,
	R_SUB16 = 38,
	R_SUB32 = 39,
	R_SUB64 = 40,
	R_RVC_BRANCH = 44,
	R_RVC_JUMP = 45,
	R_SUB6 = 52,
	R_SET6 = 53,
	R_SET8 = 54,
	R_SET16 = 55,
	R_SET32 = 56,
	R_32_PCREL = 57,
};

/* V fits into BITS, as a number with a sign. */
static bool fits(u64 v, unsigned int bits)
{
	return v + (1ULL << (bits - 1)) < 1ULL << bits;
}

/* AUIPC adds its 20 bits, what adds the 12 others has a sign. */
static bool fits_pair(u64 v)
{
	return fits(v + 0x800, 32);
}

static u64 get(const u8 *at, size_t width)
{
	u64 v = 0;

	memcpy(&v, at, width);		/* little-endian, as the kernel */
	return v;
}

/* The field of MASK in the WIDTH bytes at AT. */
static enum module_reloc put(u8 *at, size_t width, u64 mask, u64 field)
{
	u64 v = (get(at, width) & ~mask) | (field & mask);

	memcpy(at, &v, width);
	return MODULE_RELOC_DONE;
}

/* The bits of V from FROM on, N of them, to bit TO. */
static u32 bits(u64 v, unsigned int from, unsigned int n, unsigned int to)
{
	return (u32)(v >> from & ((1U << n) - 1)) << to;
}

static enum module_reloc put_upper(u8 *at, u64 v)
{
	return put(at, 4, 0xfffff000, v + 0x800);
}

static enum module_reloc put_i(u8 *at, u64 v)
{
	return put(at, 4, 0xfff00000, bits(v, 0, 12, 20));
}

static enum module_reloc put_s(u8 *at, u64 v)
{
	return put(at, 4, 0xfe000f80, bits(v, 5, 7, 25) | bits(v, 0, 5, 7));
}

/*
 * Branches and jumps, by how far: each format has its own order of bits (unprivileged ISA, 2.3,
 * 28.4).
 */
static enum module_reloc put_jump(const struct module_fix *f)
{
	u64 v = f->value - f->pc;

	if (v & 1)
		return MODULE_RELOC_RANGE;
	switch (f->type) {
	case R_BRANCH:
		if (!fits(v, 13))
			return MODULE_RELOC_RANGE;
		return put(f->at, 4, 0xfe000f80,
			   bits(v, 12, 1, 31) | bits(v, 5, 6, 25) | bits(v, 1, 4, 8) |
				   bits(v, 11, 1, 7));
	case R_JAL:
		if (!fits(v, 21))
			return MODULE_RELOC_RANGE;
		return put(f->at, 4, 0xfffff000,
			   bits(v, 20, 1, 31) | bits(v, 1, 10, 21) | bits(v, 11, 1, 20) |
				   bits(v, 12, 8, 12));
	case R_RVC_BRANCH:
		if (!fits(v, 9))
			return MODULE_RELOC_RANGE;
		return put(f->at, 2, 0x1c7c,
			   bits(v, 8, 1, 12) | bits(v, 3, 2, 10) | bits(v, 6, 2, 5) |
				   bits(v, 1, 2, 3) | bits(v, 5, 1, 2));
	case R_RVC_JUMP:
		if (!fits(v, 12))
			return MODULE_RELOC_RANGE;
		return put(f->at, 2, 0x1ffc,
			   bits(v, 11, 1, 12) | bits(v, 4, 1, 11) | bits(v, 8, 2, 9) |
				   bits(v, 10, 1, 8) | bits(v, 6, 1, 7) | bits(v, 7, 1, 6) |
				   bits(v, 1, 3, 3) | bits(v, 5, 1, 2));
	default:	/* R_CALL, R_CALL_PLT: auipc, jalr */
		if (!fits_pair(v))
			return MODULE_RELOC_RANGE;
		put_upper(f->at, v);
		return put_i(f->at + 4, v);
	}
}

static enum module_reloc put_half(const struct module_fix *f)
{
	u64 v = f->value - f->pc;

	if (f->type == R_PCREL_HI20)
		return fits_pair(v) ? put_upper(f->at, v) : MODULE_RELOC_RANGE;
	if (!f->has_first)
		return MODULE_RELOC_ALONE;
	return f->type == R_PCREL_LO12_I ? put_i(f->at, f->first) : put_s(f->at, f->first);
}

/* Data; what is added and taken away wraps, as differences of labels are made of both. */
static enum module_reloc put_data(const struct module_fix *f, size_t width)
{
	u64 v = f->value, mask = width == 8 ? ~0ULL : (1ULL << width * 8) - 1;

	switch (f->type) {
	case R_64:
		break;
	case R_32:
		if (!fits(v, 32) && v >> 32)
			return MODULE_RELOC_RANGE;
		break;
	case R_32_PCREL:
		v -= f->pc;
		if (!fits(v, 32))
			return MODULE_RELOC_RANGE;
		break;
	case R_SUB6:
		v = get(f->at, 1) - v;
		mask = 0x3f;
		break;
	case R_SET6:
		mask = 0x3f;
		break;
	case R_SET8:
	case R_SET16:
	case R_SET32:
		break;
	default:
		v = get(f->at, width) + (f->type <= R_ADD64 ? v : -v);
	}
	return put(f->at, width, mask, v);
}

/* Bytes that a relocation of TYPE changes; 0: it is not known. */
static size_t width_of(u32 type)
{
	switch (type) {
	case R_ADD8:
	case R_SUB8:
	case R_SUB6:
	case R_SET6:
	case R_SET8:
		return 1;
	case R_ADD16:
	case R_SUB16:
	case R_SET16:
	case R_RVC_BRANCH:
	case R_RVC_JUMP:
		return 2;
	case R_64:
	case R_ADD64:
	case R_SUB64:
	case R_CALL:
	case R_CALL_PLT:
		return 8;
	case R_32:
	case R_BRANCH:
	case R_JAL:
	case R_PCREL_HI20:
	case R_PCREL_LO12_I:
	case R_PCREL_LO12_S:
	case R_ADD32:
	case R_SUB32:
	case R_SET32:
	case R_32_PCREL:
		return 4;
	}
	return 0;
}

enum module_reloc arch_module_relocate(const struct module_fix *f)
{
	size_t width = width_of(f->type);

	if (!width)
		return MODULE_RELOC_UNKNOWN;
	if (f->room < width)
		return MODULE_RELOC_ROOM;
	if (f->type >= R_PCREL_HI20 && f->type <= R_PCREL_LO12_S)
		return put_half(f);
	if ((f->type >= R_BRANCH && f->type <= R_CALL_PLT) || f->type == R_RVC_BRANCH ||
	    f->type == R_RVC_JUMP)
		return put_jump(f);
	return put_data(f, width);
}

bool arch_module_may_be_far(u32 type)
{
	return false;
}

bool arch_module_is_first_half(u32 type)
{
	return type == R_PCREL_HI20;
}

bool arch_module_is_second_half(u32 type)
{
	return type == R_PCREL_LO12_I || type == R_PCREL_LO12_S;
}
