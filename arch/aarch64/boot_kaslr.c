// SPDX-License-Identifier: MIT
/*
 * The image at a place of its own each time, as the very first C code: a slide in steps of 2 MiB inside the GiB that the early tables
 * map, so far that old and new do not overlap. Both are mapped while the relocations (tools/mkrelocs.py) are worked in; head.S then
 * goes on at the new one, and the final tables know only that. Nothing here may keep an address. nokaslr leaves the image
 * where it was linked. The direct map does not move.
 */
#include <arch/cpu.h>
#include <boot/efi.h>
#include <kernel/init.h>
#include <lib/string.h>
#include "arch/aarch64/a64_priv.h"

#define SLIDE_STEP (2UL << 20)
#define GIB (1UL << 30)

extern pte_t early_l2_image[];
extern char _end[];

/* What the loader gave for this, or for the generator, which gets it too; the counter alone says little. False: it says no. */
static bool __init early_random(phys_addr_t pa, const struct efi_handoff *efi, u64 *out)
{
	bool own_words = efi && efi->cmdline[0];
	const void *tree = pa && !(pa >> 39) ? phys_to_virt(pa) : NULL;
	u64 cycles = arch_cycles();

	if (efi && strstr(efi->cmdline, "nokaslr"))
		return false;
	*out = 0;
	kaslr_mix(out, &cycles, sizeof(cycles));
	if (efi)
		kaslr_mix(out, efi->seed, sizeof(efi->seed));
	return kaslr_tree(tree, GIB - (pa & (GIB - 1)), !own_words, out);
}

/* How far the image moved; where it was it stays mapped. */
u64 __init a64_randomize(phys_addr_t fdt, phys_addr_t efi)
{
	u64 pieces = ((u64)(_end - _text) + SLIDE_STEP - 1) / SLIDE_STEP, first, random;

	if (!early_random(fdt, efi ? phys_to_virt(efi) : NULL, &random))
		return 0;
	first = pieces + random % (PT_ENTRIES - 2 * pieces + 1);
	for (u64 i = 0; i < pieces; i++)
		ptep_set(&early_l2_image[first + i], early_l2_image[i]);
	__asm__ volatile("dsb ishst; isb" : : : "memory");
	kaslr_relocate(first * SLIDE_STEP);
	kernel_image_slide = first * SLIDE_STEP;
	return first * SLIDE_STEP;
}
