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
#include <lib/fdt.h>
#include <lib/string.h>
#include "arch/aarch64/a64_priv.h"

#define SLIDE_STEP (2UL << 20)
#define GIB (1UL << 30)

extern const u8 __start_relocs[];
extern pte_t early_l2_image[];
extern char _end[];
unsigned long kernel_image_slide __ro_after_init;

static u64 __init mix(u64 x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

/* What the loader gave for this, or for the generator, which gets it too; the counter alone says little. False: it says no. */
static bool __init early_random(phys_addr_t pa, const struct efi_handoff *efi, u64 *out)
{
	struct fdt f;
	const char *args;
	u64 v = arch_cycles();
	int chosen;

	if (efi && strstr(efi->cmdline, "nokaslr"))
		return false;
	for (unsigned int i = 0; efi && i < ARRAY_SIZE(efi->seed); i++)
		v = mix(v ^ efi->seed[i]);

	if (pa && !(pa >> 39) && !fdt_open(&f, phys_to_virt(pa), GIB - (pa & (GIB - 1)))) {
		chosen = fdt_find_path(&f, "/chosen");
		args = fdt_string(&f, chosen, "bootargs");
		if (args && !(efi && efi->cmdline[0]) && strstr(args, "nokaslr"))
			return false;
		for (unsigned int i = 0; i < 2; i++) {
			u32 len;
			u64 seed;
			const u8 *p = fdt_prop(&f, chosen, i ? "rng-seed" : "kaslr-seed", &len);

			for (u32 k = 0; p && k + 8 <= len; k += 8) {
				memcpy(&seed, p + k, 8);
				v = mix(v ^ seed);
			}
		}
	}
	*out = mix(v);
	return true;
}

/* Three counts, of which the first is of places of 8 bytes; the other kinds do not occur here. Distances in base 128. */
static void __init relocate(u64 slide)
{
	const u8 *p = __start_relocs + 12;	/* not a page: three counts */
	char *at = _text;
	u32 count;

	memcpy(&count, __start_relocs, sizeof(count));
	while (count--) {
		u32 d = 0, shift = 0;

		do {
			d |= (u32)(*p & 127) << shift;
			shift += 7;
		} while (*p++ & 128);
		at += d;
		*(u64 *)at += slide;
	}
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
	relocate(first * SLIDE_STEP);
	kernel_image_slide = first * SLIDE_STEP;
	return first * SLIDE_STEP;
}
