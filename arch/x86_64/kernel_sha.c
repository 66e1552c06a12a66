// SPDX-License-Identifier: MIT
/* SHA-256 by the CPU's own instructions. */
#include <arch/fpu.h>
#include <arch_cpu/features.h>
#include <lib/minmax.h>
#include <lib/sha2.h>
#include "arch/x86_64/x86_priv.h"

#define BLOCKS 128	/* 8 KiB, some microseconds: preemption is off meanwhile */

/* Which word of the state is where in the registers: F E B A, H G D C. */
static const u8 order[8] = { 5, 4, 1, 0, 7, 6, 3, 2 };

static void blocks_256(u64 *h, const u8 *p, size_t n)
{
	u32 words[8];
	size_t some;

	for (int i = 0; i < 8; i++)
		words[i] = (u32)h[order[i]];
	for (; n; n -= some, p += 64 * some) {
		some = min(n, (size_t)BLOCKS);
		kernel_fpu_begin();
		x86_sha256(words, p, some);
		kernel_fpu_end();
	}
	for (int i = 0; i < 8; i++)
		h[order[i]] = words[i];
}

void __init x86_sha_init(void)
{
	if (cpu_has(X86_FEATURE_SHA) && cpu_has(X86_FEATURE_SSSE3))
		sha2_blocks_256 = blocks_256;
}
