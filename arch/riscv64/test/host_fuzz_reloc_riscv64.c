// SPDX-License-Identifier: MIT
/* sources: arch/riscv64/kernel_module.c */
/* fuzz: -max_len=48 */
#define VENEER 0
#include "arch/test/fuzz_reloc.h"

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const u16 types[] = { 2, 16, 17, 19, 23, 24, 25, 35, 39, 44, 45, 52, 57 };
	struct reloc_input in = { .room = 8,
				  .bytes = { 0x97, 0, 0, 0, 0xe7, 0x80 },
				  .pc = 0xffffffff80000000 - 0x10000,
				  .value = 0xffffffff80000000 };

	if (i >= sizeof(types) / sizeof(types[0]))
		return 0;
	in.type = types[i];
	memcpy(buf, &in, sizeof(in));
	return sizeof(in);
}
