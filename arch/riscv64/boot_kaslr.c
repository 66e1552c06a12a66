// SPDX-License-Identifier: MIT
/*
 * The image at a place of its own each time (arch/shared/kaslr.h): anywhere in the top 2 GiB in steps of a kernel stack, which is the coarsest
 * alignment in it, so 17 bits whatever the depth of the tables. It does not move physically, nor does the direct map. nokaslr leaves
 * the image where it was linked.
 */
#include <arch/cpu.h>
#include <arch/page.h>
#include <kernel/init.h>
#include <lib/minmax.h>
#include "arch/riscv64/rv_priv.h"

#define SLIDE_STEP ((u64)THREAD_SIZE)
#define PIECE (2UL << 20)		/* of the tables that map it where it was linked; also kept free at the end, where errors are in pointers */
#define WINDOW (2UL << 30)
#define GIB (1UL << 30)

#define SEED_STATE(v) ((v) >> 30 & 3)	/* RISC-V scalar cryptography 1.0, 4.1 */
#define SEED_VALID 2
#define SEED_DEAD 3

extern char _end[];

/* 64 bits of the CPU's entropy source, where it has one that S mode may read (Zkr). */
static void __init mix_cpu_seed(u64 *v)
{
	unsigned int got = 0;
	u64 word = 0;

	for (unsigned int tries = 0; got < 4 && tries < 200; tries++) {
		u64 s = rv_read_seed();

		if (!s || SEED_STATE(s) == SEED_DEAD)
			return;
		if (SEED_STATE(s) == SEED_VALID) {
			word = word << 16 | (s & 0xffff);
			got++;
		}
	}
	kaslr_mix(v, &word, sizeof(word));
}

u64 __init rv_randomize(phys_addr_t fdt)
{
	u64 size = PAGE_ALIGN((u64)(_end - _text)), first = ALIGN(size, PIECE), slide, v = 0, cycles = arch_cycles();

	if (!kaslr_tree(fdt && fdt < rv_direct_size ? phys_to_virt(fdt) : NULL, GIB - (fdt & (GIB - 1)), true, &v))
		return 0;
	kaslr_mix(&v, &cycles, sizeof(cycles));
	mix_cpu_seed(&v);
	slide = first + v % ((WINDOW - PIECE - size - first) / SLIDE_STEP + 1) * SLIDE_STEP;
	rv_early_image((unsigned long)_text + slide);
	kaslr_relocate(slide);
	kernel_image_slide = slide;
	kernel_image_pa -= slide;
	return slide;
}
