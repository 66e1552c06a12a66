// SPDX-License-Identifier: MIT
/* sources: arch/loongarch64/kernel_module.c */
/* Relocations of modules: exact values, the ends of each range, veneers. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arch/module_reloc.h>

#define PC 0xffff80007f001000ULL
#define KIB (1ULL << 10)
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

/* TYPE at the WIDTH bytes of WORD, which lie at PC, to VALUE: what becomes of them. */
static enum module_reloc fix(u32 type, u64 word, u64 width, u64 value, u64 *out)
{
	u8 bytes[16];
	struct module_fix f = { .at = bytes, .pc = PC, .room = width, .value = value, .type = type };
	enum module_reloc r;

	memset(bytes, 0xa5, sizeof(bytes));
	memcpy(bytes, &word, width);
	r = arch_module_relocate(&f);
	*out = 0;
	memcpy(out, bytes, width);
	for (size_t i = width; i < sizeof(bytes); i++)
		assert(bytes[i] == 0xa5);
	assert(r == MODULE_RELOC_DONE || *out == word);
	return r;
}

#define NO (~0ULL)
struct row {
	u32 type, width;
	u64 word, value;
	u64 want;		/* NO: out of range */
};

static const struct row rows[] = {
	/* bl, b: 128 MiB back, one instruction less forth */
	{ 66, 4, 0x54000000, PC, 0x54000000 },
	{ 66, 4, 0x54000000, PC + 4, 0x54000400 },
	{ 66, 4, 0x54000000, PC - 4, 0x57ffffff },
	{ 66, 4, 0x54000000, PC - 128 * MIB, 0x54000200 },
	{ 66, 4, 0x54000000, PC + 128 * MIB - 4, 0x57fffdff },
	{ 66, 4, 0x54000000, PC - 128 * MIB - 4, NO },
	{ 66, 4, 0x54000000, PC + 128 * MIB, NO },
	{ 66, 4, 0x54000000, PC + 2, NO },
	{ 66, 4, 0x53ffffff, PC + 8, 0x50000800 },
	/* bnez $a0: 4 MiB */
	{ 65, 4, 0x44000080, PC + 4 * MIB - 4, 0x47fffc8f },
	{ 65, 4, 0x44000080, PC - 4 * MIB, 0x44000090 },
	{ 65, 4, 0x44000080, PC + 4 * MIB, NO },
	{ 65, 4, 0x44000080, PC - 4 * MIB - 4, NO },
	{ 65, 4, 0x44000080, PC + 6, NO },
	/* beq $a0, $a1: 128 KiB */
	{ 64, 4, 0x58000085, PC + 128 * KIB - 4, 0x59fffc85 },
	{ 64, 4, 0x58000085, PC - 128 * KIB, 0x5a000085 },
	{ 64, 4, 0x58000085, PC + 128 * KIB, NO },
	{ 64, 4, 0x58000085, PC - 128 * KIB - 4, NO },
	/* pcalau12i $a0: 2 GiB, rounded, since the low bits have a sign */
	{ 71, 4, 0x1a000004, PC + 0x7ff, 0x1a000004 },
	{ 71, 4, 0x1bffffe4, PC + 0x800, 0x1a000024 },
	{ 71, 4, 0x1a000004, PC - 0x800, 0x1a000004 },
	{ 71, 4, 0x1a000004, PC - 0x801, 0x1bffffe4 },
	{ 71, 4, 0x1a000004, PC + 0x7ffff7ff, 0x1affffe4 },
	{ 71, 4, 0x1a000004, PC + 0x7ffff800, NO },
	{ 71, 4, 0x1a000004, PC - 0x80000800, 0x1b000004 },
	{ 71, 4, 0x1a000004, PC - 0x80000801, NO },
	/* the low bits: addi.d, ld.d */
	{ 72, 4, 0x02c00084, PC + 0xabc, 0x02eaf084 },
	{ 72, 4, 0x28fffc84, PC + 0x001, 0x28c00484 },
	/* pcaddi $a0: 2 MiB */
	{ 103, 4, 0x18000004, PC + 2 * MIB - 4, 0x18ffffe4 },
	{ 103, 4, 0x18000004, PC - 2 * MIB, 0x19000004 },
	{ 103, 4, 0x18000004, PC + 2 * MIB, NO },
	{ 103, 4, 0x18000004, PC - 2 * MIB - 4, NO },
	{ 103, 4, 0x18000004, PC + 1, NO },
	/* pcaddu18i $ra and jirl $ra, $ra: 128 GiB, rounded too */
	{ 110, 8, 0x4c0000211e000001, PC + 0x12345678, 0x4c5678211e0091a1 },
	{ 110, 8, 0x4c0000211e000001, PC + 0x20000, 0x4e0000211e000021 },
	{ 110, 8, 0x4c0000211e000001, PC + 0x1fffc, 0x4dfffc211e000001 },
	{ 110, 8, 0x4c0000211e000001, PC + 128 * GIB - 0x20004, 0x4dfffc211effffe1 },
	{ 110, 8, 0x4c0000211e000001, PC + 128 * GIB - 0x20000, NO },
	{ 110, 8, 0x4c0000211e000001, PC - 128 * GIB - 0x20000, 0x4e0000211f000001 },
	{ 110, 8, 0x4c0000211e000001, PC - 128 * GIB - 0x20004, NO },
	{ 110, 8, 0x4c0000211e000001, PC + 2, NO },
	/* data: relative ones have a sign, absolute ones may have one */
	{ 99, 4, 7, PC + 0x7fffffff, 0x7fffffff },
	{ 99, 4, 7, PC - 0x80000000, 0x80000000 },
	{ 99, 4, 7, PC + 0x80000000, NO },
	{ 99, 4, 7, PC - 0x80000001, NO },
	{ 1, 4, 7, 0xffffffff, 0xffffffff },
	{ 1, 4, 7, 0xffffffff80000000, 0x80000000 },
	{ 1, 4, 7, 0x100000000, NO },
	{ 1, 4, 7, 0xffffffff7fffffff, NO },
	{ 2, 8, 7, 0x123456789abcdef0, 0x123456789abcdef0 },
	{ 109, 8, 7, PC - 2, 0xfffffffffffffffe },
	/* differences: what was there counts */
	{ 47, 1, 0xf0, 0x123, 0x13 },
	{ 48, 2, 0xfff0, 0x12345, 0x2335 },
	{ 50, 4, 0xfffffff0, 0x100000012, 2 },
	{ 51, 8, 5, 0xffffffffffffffff, 4 },
	{ 52, 1, 0x10, 0x123, 0xed },
	{ 53, 2, 0x10, 0x11, 0xffff },
	{ 55, 4, 0x10, 0x11, 0xffffffff },
	{ 56, 8, 0x10, 0x12, 0xfffffffffffffffe },
	{ 105, 1, 0xbf, 1, 0x80 },
	{ 106, 1, 0x80, 1, 0xbf },
};

static void table(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *w = &rows[i];
		enum module_reloc r, want = w->want == NO ? MODULE_RELOC_RANGE : MODULE_RELOC_DONE;
		u64 got, same;

		r = fix(w->type, w->word, w->width, w->value, &got);
		same = want == MODULE_RELOC_DONE ? w->want : w->word;
		if (r != want || got != same) {
			fprintf(stderr, "row %zu, type %u: %d, %#llx and not %#llx\n", i, w->type,
				r, (unsigned long long)got, (unsigned long long)same);
			abort();
		}
		if (fix(w->type, w->word & ((1ULL << (w->width - 1) * 8) - 1), w->width - 1,
			w->value, &got) != MODULE_RELOC_ROOM)
			abort();
	}
}

/* What code of this kind has not: a table of addresses, relaxation, a jump by low bits. */
static void refused(void)
{
	static const u32 types[] = { 0,	 3,  20, 46,  49,  54,	57,  63,  67,  70,  73,
				     75, 76, 98, 100, 101, 102, 104, 107, 108, 111, ~0U };
	u64 got;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		assert(fix(types[i], 0x1122334455667788, 8, PC, &got) == MODULE_RELOC_UNKNOWN);
	assert(fix(72, 0x4c000021, 4, PC, &got) == MODULE_RELOC_UNKNOWN);
}

static void odd_place(void)
{
	u8 bytes[4] = { 0, 0, 0, 0x54 };
	struct module_fix f = { .at = bytes, .pc = PC + 2, .room = 4, .value = PC + 6, .type = 66 };

	assert(arch_module_relocate(&f) == MODULE_RELOC_RANGE);
	/* what pcalau12i counts from is rounded */
	f.pc = PC + 0xffc;
	f.value = PC + 0x7ff;
	f.type = 71;
	assert(arch_module_relocate(&f) == MODULE_RELOC_DONE &&
	       !memcmp(bytes, "\x00\x00\x00\x54", 4));
	f.value = PC + 0x800;
	assert(arch_module_relocate(&f) == MODULE_RELOC_DONE &&
	       !memcmp(bytes, "\x20\x00\x00\x54", 4));
}

/* bl at PC by a veneer at VENEER_PC, or without. */
static enum module_reloc call(u64 value, u64 veneer_pc, u32 *insn, u32 code[2])
{
	u8 bytes[4] = { 0, 0, 0, 0x54 }, veneer[8] = { 0 };
	struct module_fix f = { .at = bytes,
				.pc = PC,
				.room = 4,
				.value = value,
				.type = 66,
				.veneer = veneer_pc ? veneer : NULL,
				.veneer_pc = veneer_pc };
	enum module_reloc r = arch_module_relocate(&f);

	memcpy(insn, bytes, 4);
	memcpy(code, veneer, 8);
	return r;
}

static void veneers(void)
{
	u32 insn, code[2];

	assert(call(PC + 0x100 + 0x12345678, PC + 0x100, &insn, code) == MODULE_RELOC_DONE);
	assert(insn == 0x54010000 && code[0] == 0x1e0091b4 && code[1] == 0x4c567a80);
	assert(call(PC + 0x100 - 0x12345678, PC + 0x100, &insn, code) == MODULE_RELOC_DONE);
	assert(insn == 0x54010000 && code[0] == 0x1fff6e74 && code[1] == 0x4fa98a80);
	/* near: without one */
	assert(call(PC + 8, PC + 0x100, &insn, code) == MODULE_RELOC_DONE);
	assert(insn == 0x54000800 && !code[0] && !code[1]);
	/* none; too far from it; it too far from there; odd */
	assert(call(PC + GIB, 0, &insn, code) == MODULE_RELOC_RANGE);
	assert(call(PC + GIB, PC + 128 * MIB, &insn, code) == MODULE_RELOC_RANGE && !code[0]);
	assert(call(PC + 129 * GIB, PC + 0x100, &insn, code) == MODULE_RELOC_RANGE && !code[0]);
	assert(call(PC + GIB + 2, PC + 0x100, &insn, code) == MODULE_RELOC_RANGE && !code[0]);
	assert(call(PC + GIB, PC + 0x102, &insn, code) == MODULE_RELOC_RANGE && insn == 0x54000000);
	assert(arch_module_may_be_far(66) && !arch_module_may_be_far(110) &&
	       !arch_module_may_be_far(65));
}

int main(void)
{
	table();
	refused();
	odd_place();
	veneers();
	puts("ok");
	return 0;
}
