// SPDX-License-Identifier: MIT
/* sources: arch/aarch64/kernel_module.c */
/* fuzz: -max_len=48 */
#define VENEER 12
#include "arch/test/fuzz_reloc.h"

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const u16 types[] = { 257, 261, 275, 277, 279, 282, 283, 286, 299 };
	struct reloc_input in = { .room = 8,
				  .has_veneer = 1,
				  .bytes = { 0, 0, 0, 0x94 },
				  .pc = 0xffff800080000000 - 0x10000,
				  .value = 0xffff800080000000,
				  .veneer_pc = 0xffff800080000000 - 0x8000 };

	if (i >= sizeof(types) / sizeof(types[0]))
		return 0;
	in.type = types[i];
	memcpy(buf, &in, sizeof(in));
	return sizeof(in);
}
