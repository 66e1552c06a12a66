// SPDX-License-Identifier: MIT
/*
 * Relocations of modules (ELF for the Arm 64-bit architecture, 5.7). Modules lie below the image,
 * within 2 GiB of it: ADRP (4 GiB) reaches all of it. A branch reaches 128 MiB, and goes by a
 * veneer to what lies farther: three instructions that change x16 alone, which a call may
 * (AAPCS64, 6.1.1).
 */
#include <arch/module_reloc.h>
#include <lib/string.h>

enum {
	R_ABS64 = 257,
	R_ABS32 = 258,
	R_ABS16 = 259,
	R_PREL64 = 260,
	R_PREL32 = 261,
	R_PREL16 = 262,
	R_LD_PREL_LO19 = 273,
	R_ADR_PREL_LO21 = 274,
	R_ADR_PREL_PG_HI21 = 275,
	R_ADR_PREL_PG_HI21_NC = 276,
	R_ADD_ABS_LO12_NC = 277,
	R_LDST8_ABS_LO12_NC = 278,
	R_TSTBR14 = 279,
	R_CONDBR19 = 280,
	R_JUMP26 = 282,
	R_CALL26 = 283,
	R_LDST16_ABS_LO12_NC = 284,
	R_LDST32_ABS_LO12_NC = 285,
	R_LDST64_ABS_LO12_NC = 286,
	R_LDST128_ABS_LO12_NC = 299,
};

#define PG(x) ((x) & ~0xfffULL)		/* not a page: what ADRP counts in */

/* V fits into BITS, as a number with a sign. */
static bool fits(u64 v, unsigned int bits)
{
	return v + (1ULL << (bits - 1)) < 1ULL << bits;
}

/* Data of WIDTH bytes; absolute ones may be numbers with a sign or without. */
static enum module_reloc put_data(const struct module_fix *f, u64 v, size_t width, bool relative)
{
	unsigned int bits = (unsigned int)width * 8;

	if (width < 8 && !fits(v, bits) && (relative || v >> bits))
		return MODULE_RELOC_RANGE;
	memcpy(f->at, &v, width);	/* little-endian, as the kernel */
	return MODULE_RELOC_DONE;
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

/* ADR and ADRP: two bits stand apart. */
static u32 adr_field(u64 v)
{
	return (u32)(v & 3) << 29 | (u32)(v >> 2 & 0x7ffff) << 5;
}
#define ADR_MASK 0x60ffffe0U

static enum module_reloc put_page(u8 *at, u64 pc, u64 value, bool check)
{
	u64 v = PG(value) - PG(pc);

	if (check && !fits(v, 33))
		return MODULE_RELOC_RANGE;
	return put(at, ADR_MASK, adr_field(v >> 12 /* not a page: ADRP's unit */));
}

/* A distance of BITS bits that count instructions, at bit SHIFT. */
static enum module_reloc put_branch(const struct module_fix *f, u64 to, unsigned int bits,
				    unsigned int shift)
{
	u64 v = to - f->pc;

	if ((v & 3) || !fits(v, bits + 2))
		return MODULE_RELOC_RANGE;
	return put(f->at, ((1U << bits) - 1) << shift, (u32)(v >> 2) << shift);
}

/* The low bits of an address, in units of 1 << SCALE. */
static enum module_reloc put_low(const struct module_fix *f, unsigned int scale)
{
	if (f->value & ((1U << scale) - 1))
		return MODULE_RELOC_RANGE;
	return put(f->at, 0xfffU << 10, (u32)(f->value & 0xfff) >> scale << 10);
}

/* adrp x16, to; add x16, x16, :lo12:to; br x16 */
static enum module_reloc make_veneer(u8 *at, u64 pc, u64 to)
{
	static const u32 code[3] = { 0x90000010, 0x91000210, 0xd61f0200 };
	u8 *add = at + 4;

	if (!fits(PG(to) - PG(pc), 33))
		return MODULE_RELOC_RANGE;
	memcpy(at, code, sizeof(code));
	put_page(at, pc, to, false);
	return put(add, 0xfffU << 10, (u32)(to & 0xfff) << 10);
}

static enum module_reloc put_call(const struct module_fix *f)
{
	if (put_branch(f, f->value, 26, 0) == MODULE_RELOC_DONE)
		return MODULE_RELOC_DONE;
	if (!f->veneer || (f->value & 3) || (f->veneer_pc & 3) || !fits(f->veneer_pc - f->pc, 28) ||
	    make_veneer(f->veneer, f->veneer_pc, f->value) != MODULE_RELOC_DONE)
		return MODULE_RELOC_RANGE;
	return put_branch(f, f->veneer_pc, 26, 0);
}

static size_t data_width(u32 type)
{
	if (type == R_ABS64 || type == R_PREL64)
		return 8;
	if (type == R_ABS32 || type == R_PREL32)
		return 4;
	return type == R_ABS16 || type == R_PREL16 ? 2 : 0;
}

static enum module_reloc put_insn(const struct module_fix *f)
{
	switch (f->type) {
	case R_LD_PREL_LO19:
	case R_CONDBR19:
		return put_branch(f, f->value, 19, 5);
	case R_TSTBR14:
		return put_branch(f, f->value, 14, 5);
	case R_JUMP26:
	case R_CALL26:
		return put_call(f);
	case R_ADR_PREL_LO21:
		if (!fits(f->value - f->pc, 21))
			return MODULE_RELOC_RANGE;
		return put(f->at, ADR_MASK, adr_field(f->value - f->pc));
	case R_ADR_PREL_PG_HI21:
	case R_ADR_PREL_PG_HI21_NC:
		return put_page(f->at, f->pc, f->value, f->type == R_ADR_PREL_PG_HI21);
	case R_ADD_ABS_LO12_NC:
	case R_LDST8_ABS_LO12_NC:
		return put_low(f, 0);
	case R_LDST16_ABS_LO12_NC:
		return put_low(f, 1);
	case R_LDST32_ABS_LO12_NC:
		return put_low(f, 2);
	case R_LDST64_ABS_LO12_NC:
		return put_low(f, 3);
	case R_LDST128_ABS_LO12_NC:
		return put_low(f, 4);
	}
	return MODULE_RELOC_UNKNOWN;
}

static bool is_insn(u32 type)
{
	return (type >= R_LD_PREL_LO19 && type <= R_CONDBR19) || type == R_LDST128_ABS_LO12_NC ||
	       (type >= R_JUMP26 && type <= R_LDST64_ABS_LO12_NC);
}

enum module_reloc arch_module_relocate(const struct module_fix *f)
{
	size_t width = data_width(f->type);
	bool relative = f->type >= R_PREL64;

	if (!width && !is_insn(f->type))
		return MODULE_RELOC_UNKNOWN;
	if (f->room < (width ?: 4))
		return MODULE_RELOC_ROOM;
	if (width)
		return put_data(f, f->value - (relative ? f->pc : 0), width, relative);
	return f->pc & 3 ? MODULE_RELOC_RANGE : put_insn(f);
}

bool arch_module_may_be_far(u32 type)
{
	return type == R_JUMP26 || type == R_CALL26;
}
