// SPDX-License-Identifier: MIT
/* sources: arch/loongarch64/kernel_module.c */
/* fuzz: -max_len=48 */
#define VENEER 8
#include "arch/test/fuzz_reloc.h"

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const u16 types[] = { 1,	 2,  47, 51,  52,  56,	64,  65, 66,
				     71, 72, 99, 103, 105, 106, 109, 110 };
	struct reloc_input in = { .room = 8,
				  .bytes = { 1, 0, 0, 0x1e, 0x21, 0, 0, 0x4c },
				  .pc = 0xffffffff80000000 - 0x10000,
				  .value = 0xffffffff80000000 };

	if (i >= sizeof(types) / sizeof(types[0]))
		return 0;
	in.type = types[i];
	memcpy(buf, &in, sizeof(in));
	return sizeof(in);
}
