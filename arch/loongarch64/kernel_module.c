// SPDX-License-Identifier: MIT
/*
 * Relocations of modules (ELF for the LoongArch architecture, "Relocations"). Modules lie in the
 * GiB below the image: PCALAU12I (2 GiB) reaches all of it. A branch reaches 128 MiB, and goes by a
 * veneer to what lies farther: two instructions that change $t8 alone, which a call may. They are
 * built without relaxation: what asks for it is refused, and so are tables of addresses (GOT).
 */
#include <arch/module_reloc.h>
#include <lib/string.h>

enum {
	R_32 = 1,
	R_64 = 2,
	R_ADD8 = 47,
	R_ADD16 = 48,
	R_ADD32 = 50,
	R_ADD64 = 51,
	R_SUB8 = 52,
	R_SUB16 = 53,
	R_SUB32 = 55,
	R_SUB64 = 56,
	R_B16 = 64,
	R_B21 = 65,
	R_B26 = 66,
	R_PCALA_HI20 = 71,
	R_PCALA_LO12 = 72,
	R_32_PCREL = 99,
	R_PCREL20_S2 = 103,
	R_ADD6 = 105,
	R_SUB6 = 106,
	R_64_PCREL = 109,
	R_CALL36 = 110,
};

#define JIRL 0x4c000000U
#define HI20 0x01ffffe0U	/* the field of 20 bits, at bit 5 */
#define PG(x) ((x) & ~0xfffULL)	/* not a page: what PCALAU12I counts in */

/* V fits into BITS, as a number with a sign. */
static bool fits(u64 v, unsigned int bits)
{
	return v + (1ULL << (bits - 1)) < 1ULL << bits;
}

/* The field of MASK in an instruction. */
static enum module_reloc put(u8 *at, u32 mask, u32 field)
{
	u32 insn;

	memcpy(&insn, at, 4);
	insn = (insn & ~mask) | (field & mask);
	memcpy(at, &insn, 4);
	return MODULE_RELOC_DONE;
}

/*
 * A distance of BITS bits that counts instructions: its low 16 stand at bit 10, the others at bit
 * 0.
 */
static enum module_reloc put_branch(const struct module_fix *f, u64 to, unsigned int bits)
{
	u64 v = to - f->pc;
	u32 high = (1U << (bits - 16)) - 1;

	if ((v & 3) || !fits(v, bits + 2))
		return MODULE_RELOC_RANGE;
	return put(f->at, 0x03fffc00U | high,
		   (u32)(v >> 2 & 0xffff) << 10 | ((u32)(v >> 18) & high));
}

/* pcaddu18i and jirl, which both are there: 128 GiB. */
static enum module_reloc put_far(u8 *at, u64 v)
{
	u8 *jump = at + 4;

	if ((v & 3) || !fits(v + 0x20000, 38))
		return MODULE_RELOC_RANGE;
	put(at, HI20, (u32)((v + 0x20000) >> 18) << 5);
	return put(jump, 0x03fffc00U, (u32)(v >> 2 & 0xffff) << 10);
}

/* pcaddu18i $t8, to; jirl $zero, $t8, to */
static enum module_reloc put_call(const struct module_fix *f)
{
	static const u32 code[2] = { 0x1e000014, JIRL | 20 << 5 };

	if (put_branch(f, f->value, 26) == MODULE_RELOC_DONE)
		return MODULE_RELOC_DONE;
	if (!f->veneer || ((f->veneer_pc | f->value) & 3) || !fits(f->veneer_pc - f->pc, 28) ||
	    !fits(f->value - f->veneer_pc + 0x20000, 38))
		return MODULE_RELOC_RANGE;
	memcpy(f->veneer, code, sizeof(code));
	if (put_far(f->veneer, f->value - f->veneer_pc) != MODULE_RELOC_DONE)
		return MODULE_RELOC_RANGE;
	return put_branch(f, f->veneer_pc, 26);
}

/* What adds the low bits has a sign. */
static enum module_reloc put_upper(const struct module_fix *f)
{
	u64 v = PG(f->value + 0x800) - PG(f->pc);

	if (!fits(v, 32))
		return MODULE_RELOC_RANGE;
	return put(f->at, HI20, (u32)(v >> 12 /* not a page: its unit */) << 5);
}

/* JIRL, whose field is another one, takes no part in code of this kind. */
static enum module_reloc put_low(const struct module_fix *f)
{
	u32 insn;

	memcpy(&insn, f->at, 4);
	if ((insn & 0xfc000000U) == JIRL)
		return MODULE_RELOC_UNKNOWN;
	return put(f->at, 0x003ffc00U, (u32)(f->value & 0xfff) << 10);
}

static enum module_reloc put_insn(const struct module_fix *f)
{
	u64 v = f->value - f->pc;

	switch (f->type) {
	case R_B16:
		return put_branch(f, f->value, 16);
	case R_B21:
		return put_branch(f, f->value, 21);
	case R_B26:
		return put_call(f);
	case R_CALL36:
		return put_far(f->at, v);
	case R_PCALA_HI20:
		return put_upper(f);
	case R_PCALA_LO12:
		return put_low(f);
	default:	/* R_PCREL20_S2 */
		if ((v & 3) || !fits(v, 22))
			return MODULE_RELOC_RANGE;
		return put(f->at, HI20, (u32)(v >> 2) << 5);
	}
}

/* Data; what is added and taken away wraps, as differences of labels are made of both. */
static enum module_reloc put_data(const struct module_fix *f, size_t width)
{
	u64 v = f->value, old = 0, mask = width == 8 ? ~0ULL : (1ULL << width * 8) - 1;

	memcpy(&old, f->at, width);	/* little-endian, as the kernel */
	switch (f->type) {
	case R_64:
		break;
	case R_32:
		if (!fits(v, 32) && v >> 32)
			return MODULE_RELOC_RANGE;
		break;
	case R_64_PCREL:
		v -= f->pc;
		break;
	case R_32_PCREL:
		v -= f->pc;
		if (!fits(v, 32))
			return MODULE_RELOC_RANGE;
		break;
	case R_ADD6:
	case R_SUB6:
		mask = 0x3f;
		v = old + (f->type == R_ADD6 ? v : -v);
		break;
	default:
		v = old + (f->type <= R_ADD64 ? v : -v);
	}
	v = (old & ~mask) | (v & mask);
	memcpy(f->at, &v, width);
	return MODULE_RELOC_DONE;
}

/* Bytes of data that a relocation of TYPE changes; 0: it is not of data. */
static size_t data_width(u32 type)
{
	switch (type) {
	case R_ADD6:
	case R_SUB6:
	case R_ADD8:
	case R_SUB8:
		return 1;
	case R_ADD16:
	case R_SUB16:
		return 2;
	case R_32:
	case R_ADD32:
	case R_SUB32:
	case R_32_PCREL:
		return 4;
	case R_64:
	case R_ADD64:
	case R_SUB64:
	case R_64_PCREL:
		return 8;
	}
	return 0;
}

/* Bytes of instructions; 0: it is not known. */
static size_t insn_width(u32 type)
{
	switch (type) {
	case R_B16:
	case R_B21:
	case R_B26:
	case R_PCALA_HI20:
	case R_PCALA_LO12:
	case R_PCREL20_S2:
		return 4;
	case R_CALL36:
		return 8;
	}
	return 0;
}

enum module_reloc arch_module_relocate(const struct module_fix *f)
{
	size_t data = data_width(f->type), insn = insn_width(f->type);

	if (!data && !insn)
		return MODULE_RELOC_UNKNOWN;
	if (f->room < (data ?: insn))
		return MODULE_RELOC_ROOM;
	if (data)
		return put_data(f, data);
	return f->pc & 3 ? MODULE_RELOC_RANGE : put_insn(f);
}

bool arch_module_may_be_far(u32 type)
{
	return type == R_B26;
}
