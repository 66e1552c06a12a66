// SPDX-License-Identifier: MIT
/* sources: arch/aarch64/kernel_module.c */
/* Relocations of modules: exact values, the ends of each range, veneers. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arch/module_reloc.h>

#define PC 0xffff80007f001000ULL
#define MIB (1ULL << 20)

/* TYPE at a word INSN that lies at PC, to VALUE: what becomes of it. */
static enum module_reloc fix(u32 type, u64 pc, u32 insn, u64 value, u32 *out)
{
	u8 bytes[8];
	struct module_fix f = { .at = bytes, .pc = pc, .room = 4, .value = value, .type = type };
	enum module_reloc r;

	memcpy(bytes, &insn, 4);
	r = arch_module_relocate(&f);
	memcpy(out, bytes, 4);
	assert(r == MODULE_RELOC_DONE || *out == insn);
	return r;
}

struct row {
	u32 type, insn;
	u64 value;
	u32 want;		/* 0: out of range */
};

static const struct row rows[] = {
	/* bl: 128 MiB back, one instruction less forth */
	{ 283, 0x94000000, PC, 0x94000000 },
	{ 283, 0x94000000, PC + 4, 0x94000001 },
	{ 283, 0x97ffffff, PC - 4, 0x97ffffff },
	{ 283, 0x94000000, PC - 128 * MIB, 0x96000000 },
	{ 283, 0x94000000, PC + 128 * MIB - 4, 0x95ffffff },
	{ 283, 0x94000000, PC - 128 * MIB - 4, 0 },
	{ 283, 0x94000000, PC + 128 * MIB, 0 },
	{ 283, 0x94000000, PC + 2, 0 },
	{ 282, 0x14000000, PC + 8, 0x14000002 },
	{ 282, 0x14000000, 0, 0 },
	/* b.eq, cbz: 1 MiB; tbz: 32 KiB */
	{ 280, 0x54000000, PC + MIB - 4, 0x547fffe0 },
	{ 280, 0x54000000, PC - MIB, 0x54800000 },
	{ 280, 0x54000000, PC + MIB, 0 },
	{ 273, 0x58000001, PC + 8, 0x58000041 },
	{ 273, 0x58000001, PC + 9, 0 },
	{ 279, 0x36000003, PC + 0x7ffc, 0x3603ffe3 },
	{ 279, 0x36000003, PC - 0x8000, 0x36040003 },
	{ 279, 0x36000003, PC + 0x8000, 0 },
	{ 279, 0x36000003, PC - 0x8004, 0 },
	/* adr: 1 MiB, each byte */
	{ 274, 0x10000005, PC + 3, 0x70000005 },
	{ 274, 0x10000005, PC + MIB - 1, 0x707fffe5 },
	{ 274, 0x10000005, PC - MIB, 0x10800005 },
	{ 274, 0x10000005, PC + MIB, 0 },
	{ 274, 0x10000005, PC - MIB - 1, 0 },
	/* adrp: 4 GiB, by pages */
	{ 275, 0x90000000, PC + 0xfff, 0x90000000 },
	{ 275, 0x90000000, PC + 0x1000, 0xb0000000 },
	{ 275, 0x90000000, PC + 0xfffff000, 0xf07fffe0 },
	{ 275, 0x90000000, PC + 0xffffffff, 0xf07fffe0 },
	{ 275, 0x90000000, PC + 0x100000000, 0 },
	{ 275, 0x90000000, PC - 0x100000000, 0x90800000 },
	{ 275, 0x90000000, PC - 0x100000001, 0 },
	{ 276, 0x90000000, PC + 0x100000000, 0x90800000 },	/* not checked */
	/* the low bits: of an add, and of loads of each width */
	{ 277, 0x91000000, PC + 0xabc, 0x912af000 },
	{ 278, 0x39400000, PC + 0xabd, 0x396af400 },
	{ 284, 0x79400000, PC + 0xabe, 0x79557c00 },
	{ 284, 0x79400000, PC + 0xabd, 0 },
	{ 285, 0xb9400000, PC + 0xabc, 0xb94abc00 },
	{ 285, 0xb9400000, PC + 0xabe, 0 },
	{ 286, 0xf9400000, PC + 0xab8, 0xf9455c00 },
	{ 286, 0xf9400000, PC + 0xabc, 0 },
	{ 299, 0x3dc00000, PC + 0xab0, 0x3dc2ac00 },
	{ 299, 0x3dc00000, PC + 0xab8, 0 },
	/* data: relative ones have a sign, absolute ones may have one */
	{ 261, 7, PC + 0x7fffffff, 0x7fffffff },
	{ 261, 7, PC - 0x80000000, 0x80000000 },
	{ 261, 7, PC + 0x80000000, 0 },
	{ 261, 7, PC - 0x80000001, 0 },
	{ 258, 7, 0xffffffff, 0xffffffff },
	{ 258, 7, 0xffffffff80000000, 0x80000000 },
	{ 258, 7, 0x100000000, 0 },
	{ 258, 7, 0xffffffff7fffffff, 0 },
	{ 259, 0xabcd0000, 0xffff, 0xabcdffff },
	{ 259, 0xabcd0000, 0x10000, 0 },
	{ 259, 0xabcd0000, (u64)-0x8000, 0xabcd8000 },
	{ 262, 0xabcd0000, PC + 0x7fff, 0xabcd7fff },
	{ 262, 0xabcd0000, PC + 0x8000, 0 },
};

static void table(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		u32 got;
		enum module_reloc r = fix(rows[i].type, PC, rows[i].insn, rows[i].value, &got);

		if (r == (rows[i].want ? MODULE_RELOC_DONE : MODULE_RELOC_RANGE) &&
		    (!rows[i].want || got == rows[i].want))
			continue;
		fprintf(stderr, "row %zu, type %u: %d, %#x and not %#x\n", i, rows[i].type, r, got,
			rows[i].want);
		abort();
	}
}

static void wide(void)
{
	u8 bytes[8] = { 0 };
	struct module_fix f = {
		.at = bytes, .pc = PC, .room = 8, .value = PC + 0x123456789a, .type = 257
	};
	u64 got;

	assert(arch_module_relocate(&f) == MODULE_RELOC_DONE);
	memcpy(&got, bytes, 8);
	assert(got == PC + 0x123456789a);
	f.type = 260;
	assert(arch_module_relocate(&f) == MODULE_RELOC_DONE);
	memcpy(&got, bytes, 8);
	assert(got == 0x123456789a);
	f.room = 7;
	assert(arch_module_relocate(&f) == MODULE_RELOC_ROOM);
}

/* An instruction that is cut off, or lies where none can; what is not known, a GOT's among them. */
static void refused(void)
{
	u8 bytes[4] = { 0 };
	struct module_fix f = { .at = bytes, .pc = PC, .room = 3, .value = PC, .type = 283 };
	u32 got;

	assert(arch_module_relocate(&f) == MODULE_RELOC_ROOM);
	f.type = 259;
	f.room = 1;
	assert(arch_module_relocate(&f) == MODULE_RELOC_ROOM);
	assert(fix(277, PC + 2, 0x91000000, PC, &got) == MODULE_RELOC_RANGE);
	for (u32 type = 0; type < 2048; type++) {
		static const u32 known[] = { 257, 258, 259, 260, 261, 262, 273, 274, 275, 276,
					     277, 278, 279, 280, 282, 283, 284, 285, 286, 299 };
		bool is_known = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			is_known |= type == known[i];
		f = (struct module_fix){ .at = bytes, .pc = PC, .value = PC, .type = type };
		assert(arch_module_relocate(&f) ==
		       (is_known ? MODULE_RELOC_ROOM : MODULE_RELOC_UNKNOWN));
		assert(arch_module_may_be_far(type) == (type == 282 || type == 283));
	}
}

/* What the three instructions of a veneer at PC make of x16. */
static u64 where(const u32 *v, u64 pc)
{
	u64 pages = (v[0] >> 29 & 3) | (u64)(v[0] >> 5 & 0x7ffff) << 2;

	assert((v[0] & 0x9f00001f) == 0x90000010);	/* adrp x16 */
	assert((v[1] & 0xffc003ff) == 0x91000210);	/* add x16, x16 */
	assert(v[2] == 0xd61f0200);			/* br x16 */
	pages = pages << 43 >> 31 | (pages >> 20 ? 0xffffffff00000000ULL : 0);
	return (pc & ~0xfffULL) + pages + (v[1] >> 10 & 0xfff);
}

static void veneers(void)
{
	static const u64 to[] = { PC + 128 * MIB, PC - 128 * MIB - 4, PC + 0xfffffffc - 0x1000,
				  PC + 2048 * MIB + 0xffc, PC - 0xffffe000 };
	u8 bytes[4];
	u32 veneer[3], insn = 0x94000000;
	struct module_fix f = {
		.at = bytes, .pc = PC, .room = 4, .type = 283, .veneer = (u8 *)veneer
	};

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		memset(veneer, 0, sizeof(veneer));
		memcpy(bytes, &insn, 4);
		f.value = to[i];
		f.veneer_pc = PC + 0x1238;
		assert(arch_module_relocate(&f) == MODULE_RELOC_DONE);
		assert(where(veneer, f.veneer_pc) == to[i]);
		assert(!memcmp(bytes, "\x8e\x04\x00\x94", 4));
	}
	/* within reach: the veneer stays as it is */
	memset(veneer, 0, sizeof(veneer));
	f.value = PC + 64;
	assert(arch_module_relocate(&f) == MODULE_RELOC_DONE && !veneer[0]);
	assert(!memcmp(bytes, "\x10\x00\x00\x94", 4));
	/*
	 * beyond a veneer's reach; in the middle of an instruction; with the veneer itself too far
	 */
	f.value = PC + 0x100002000;
	assert(arch_module_relocate(&f) == MODULE_RELOC_RANGE && !veneer[0]);
	f.value = PC + 256 * MIB + 1;
	assert(arch_module_relocate(&f) == MODULE_RELOC_RANGE && !veneer[0]);
	f.value = PC + 256 * MIB;
	f.veneer_pc = PC + 128 * MIB;
	assert(arch_module_relocate(&f) == MODULE_RELOC_RANGE && !veneer[0]);
	f.veneer_pc = PC + 128 * MIB - 4;
	assert(arch_module_relocate(&f) == MODULE_RELOC_DONE &&
	       where(veneer, f.veneer_pc) == f.value);
	/* another kind of branch has none */
	f.type = 280;
	assert(arch_module_relocate(&f) == MODULE_RELOC_RANGE);
}

int main(void)
{
	table();
	wide();
	refused();
	veneers();
	puts("ok");
	return 0;
}
