// SPDX-License-Identifier: MIT
/* sources: arch/riscv64/kernel_module.c */
/* Relocations of modules: exact values, the ends of each range, pairs. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arch/module_reloc.h>

#define PC 0xffffffff80001000ULL
#define GIB (1ULL << 30)

struct row {
	u32 type;
	u32 width;
	u64 insn, value, want;	/* want: as INSN where it is out of range */
};

/* The instructions are those of an assembler. */
static const struct row rows[] = {
	/* beq a0, a1: 4 KiB */
	{ 16, 4, 0x00b50063, PC + 4094, 0x7eb50fe3 },
	{ 16, 4, 0x00b50063, PC - 4096, 0x80b50063 },
	{ 16, 4, 0x00b50063, PC + 0x554, 0x54b50a63 },
	{ 16, 4, 0x00b50063, PC + 4096, 0x00b50063 },
	{ 16, 4, 0x00b50063, PC - 4098, 0x00b50063 },
	{ 16, 4, 0x00b50063, PC + 1, 0x00b50063 },
	/* jal ra: 1 MiB */
	{ 17, 4, 0x000000ef, PC + 1048574, 0x7ffff0ef },
	{ 17, 4, 0x000000ef, PC - 1048576, 0x800000ef },
	{ 17, 4, 0x000000ef, PC + 0x55554, 0x554550ef },
	{ 17, 4, 0x000000ef, PC + 1048576, 0x000000ef },
	{ 17, 4, 0x000000ef, PC - 1048578, 0x000000ef },
	/* c.beqz a0: 256 bytes; c.j: 2 KiB */
	{ 44, 2, 0xc101, PC + 254, 0xcd7d },
	{ 44, 2, 0xc101, PC - 256, 0xd101 },
	{ 44, 2, 0xc101, PC + 0x54, 0xc931 },
	{ 44, 2, 0xc101, PC + 256, 0xc101 },
	{ 44, 2, 0xc101, PC - 258, 0xc101 },
	{ 45, 2, 0xa001, PC + 2046, 0xaffd },
	{ 45, 2, 0xa001, PC - 2048, 0xb001 },
	{ 45, 2, 0xa001, PC + 0x554, 0xab91 },
	{ 45, 2, 0xa001, PC + 2048, 0xa001 },
	{ 45, 2, 0xa001, PC - 2050, 0xa001 },
	/* auipc ra, jalr ra: 2 GiB, less what the second half's sign takes */
	{ 19, 8, 0x000080e700000097, PC + 0x7fe, 0x7fe080e700000097 },
	{ 19, 8, 0x000080e700000097, PC + 0x800, 0x800080e700001097 },
	{ 18, 8, 0x000080e700000097, PC - 0x800, 0x800080e700000097 },
	{ 19, 8, 0x000080e700000097, PC + 2 * GIB - 0x802, 0x7fe080e77ffff097 },
	{ 19, 8, 0x000080e700000097, PC + 2 * GIB - 0x800, 0x000080e700000097 },
	{ 19, 8, 0x000080e700000097, PC - 2 * GIB - 0x800, 0x800080e780000097 },
	{ 19, 8, 0x000080e700000097, PC - 2 * GIB - 0x802, 0x000080e700000097 },
	/* auipc a0 */
	{ 23, 4, 0x00001517, PC + 0x7ff, 0x00000517 },
	{ 23, 4, 0x00000517, PC + 0x800, 0x00001517 },
	{ 23, 4, 0x00000517, PC + 2 * GIB - 0x801, 0x7ffff517 },
	{ 23, 4, 0x00000517, PC - 2 * GIB - 0x800, 0x80000517 },
	{ 23, 4, 0x00001517, PC + 2 * GIB - 0x800, 0x00001517 },
	{ 23, 4, 0x00001517, PC - 2 * GIB - 0x801, 0x00001517 },
	/* data */
	{ 1, 4, 7, 0xffffffff, 0xffffffff },
	{ 1, 4, 7, 0xffffffff80000000, 0x80000000 },
	{ 1, 4, 7, 0x100000000, 7 },
	{ 1, 4, 7, 0xffffffff7fffffff, 7 },
	{ 2, 8, 7, PC, PC },
	{ 57, 4, 7, PC + 0x7fffffff, 0x7fffffff },
	{ 57, 4, 7, PC - 0x80000000, 0x80000000 },
	{ 57, 4, 7, PC + 0x80000000, 7 },
	{ 57, 4, 7, PC - 0x80000001, 7 },
	/* what is added and taken away, in each width, and no byte more */
	{ 33, 8, 0x11111111111111f0, 0x20, 0x1111111111111110 },
	{ 34, 8, 0x111111111111fff0, 0x20, 0x1111111111110010 },
	{ 35, 8, 0x11111111fffffff0, 0x20, 0x1111111100000010 },
	{ 36, 8, 0xfffffffffffffff0, 0x20, 0x10 },
	{ 37, 8, 0x1111111111111110, 0x20, 0x11111111111111f0 },
	{ 38, 8, 0x1111111111110010, 0x20, 0x111111111111fff0 },
	{ 39, 8, 0x1111111100000010, 0x20, 0x11111111fffffff0 },
	{ 40, 8, 0x10, 0x20, 0xfffffffffffffff0 },
	{ 52, 8, 0x11111111111111c5, 0x06, 0x11111111111111ff },
	{ 53, 8, 0x11111111111111c5, 0x7f, 0x11111111111111ff },
	{ 54, 8, 0x1111111111111111, 0x1ab, 0x11111111111111ab },
	{ 55, 8, 0x1111111111111111, 0x1abcd, 0x111111111111abcd },
	{ 56, 8, 0x1111111111111111, 0x1abcdef01, 0x11111111abcdef01 },
};

static void table(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		u64 got = rows[i].insn;
		struct module_fix f = { .at = (u8 *)&got,
					.pc = PC,
					.room = rows[i].width,
					.value = rows[i].value,
					.type = rows[i].type };
		enum module_reloc r = arch_module_relocate(&f);

		if (got == rows[i].want &&
		    r == (got == rows[i].insn ? MODULE_RELOC_RANGE : MODULE_RELOC_DONE))
			continue;
		fprintf(stderr, "row %zu, type %u: %d, %#llx and not %#llx\n", i, rows[i].type, r,
			(unsigned long long)got, (unsigned long long)rows[i].want);
		abort();
	}
}

/* The second half has the first one's distance, whatever its own place and value are. */
static void pairs(void)
{
	static const struct {
		u32 type, insn;
		u64 first;
		u32 want;
	} t[] = {
		{ 24, 0x00053583, 0x7ff, 0x7ff53583 },
		{ 24, 0x00053583, 0x800, 0x80053583 },
		{ 24, 0x00053583, (u64)-0x800, 0x80053583 },
		{ 25, 0x00b53023, 0x7ff, 0x7eb53fa3 },
		{ 25, 0x00b53023, 0x800, 0x80b53023 },
		{ 25, 0x00b53023, 0x12345555, 0x54b53aa3 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		u32 got = t[i].insn;
		struct module_fix f = {
			.at = (u8 *)&got, .pc = PC + 64, .room = 4, .value = PC, .type = t[i].type
		};

		assert(arch_module_relocate(&f) == MODULE_RELOC_ALONE && got == t[i].insn);
		f.has_first = true;
		f.first = t[i].first;
		assert(arch_module_relocate(&f) == MODULE_RELOC_DONE && got == t[i].want);
	}
}

/* What is not known, relaxation among it; what is cut off. */
static void refused(void)
{
	static const u8 widths[64] = {
		[1] = 4,  [2] = 8,  [16] = 4, [17] = 4, [18] = 8, [19] = 8, [23] = 4,
		[24] = 4, [25] = 4, [33] = 1, [34] = 2, [35] = 4, [36] = 8, [37] = 1,
		[38] = 2, [39] = 4, [40] = 8, [44] = 2, [45] = 2, [52] = 1, [53] = 1,
		[54] = 1, [55] = 2, [56] = 4, [57] = 4
	};
	u8 bytes[8] = { 0 };

	for (u32 type = 0; type < 300; type++) {
		u8 width = type < 64 ? widths[type] : 0;
		struct module_fix f = { .at = bytes,
					.pc = PC,
					.room = width ? width - 1U : 8,
					.value = PC,
					.type = type };

		assert(arch_module_relocate(&f) ==
		       (width ? MODULE_RELOC_ROOM : MODULE_RELOC_UNKNOWN));
		f.room = width;
		assert(!width || arch_module_relocate(&f) != MODULE_RELOC_ROOM);
		assert(!arch_module_may_be_far(type));
		assert(arch_module_is_first_half(type) == (type == 23));
		assert(arch_module_is_second_half(type) == (type == 24 || type == 25));
	}
}

int main(void)
{
	table();
	pairs();
	refused();
	puts("ok");
	return 0;
}
