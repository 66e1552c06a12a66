// SPDX-License-Identifier: MIT
/*
 * The EFI stub's last step (the rest: arch/shared/boot_efi.c). The image's early page tables learn where in RAM it lies now, and page tables of the
 * stub's own carry the step there: they map this code and, one to one, the first GiB, all of it executable, whatever the firmware's say.
 * Compiled position independent, as the rest of the stub is (config/x86_64.mk).
 */
#pragma GCC visibility push(hidden)	/* nothing is looked up in a table of addresses */
#include <arch/page.h>
#include "arch/shared/boot_efi.h"
#include "arch/x86_64/x86_priv.h"

#define TABLE 0x63
#define LARGE 0xe3		/* 2 MiB */
#define PS 0x80
#define MIB2 (2ULL << 20)

extern char early_tables_end[], boot_entry_efi[];

/* SYM of the image at its new place. */
static u64 moved(const struct efi_stub *s, const void *sym)
{
	return s->base + (u64)((const char *)sym - _text);
}

static void correct_tables(const struct efi_stub *s, u64 by)
{
	u64 *end = (u64 *)moved(s, early_tables_end), *image = (u64 *)moved(s, early_pd_slid);

	for (u64 *e = (u64 *)moved(s, early_root); e < end; e++)
		if (*e && !(*e & PS))
			*e += by;
	for (unsigned int i = 0; i < EARLY_IMAGE_ENTRIES; i++)
		image[i] = i * MIB2 + by + LARGE;
	((u64 *)moved(s, early_pdpt_high))[510] = (u64)image + TABLE;
	*(u64 *)moved(s, &kernel_image_delta) -= by;
}

/* A root for the step from HERE, which may be anywhere, to the image; with five levels, if that is how the CPU runs. */
static u64 step_root(const struct efi_stub *s, u64 here)
{
	u64 *top = (u64 *)s->more, *root = top + PT_ENTRIES, *low = root + PT_ENTRIES, *other = low + PT_ENTRIES, *pd = other + PT_ENTRIES;
	u64 *pdpt = here >> 39 ? other : low;

	for (u64 *e = top; e < pd + PT_ENTRIES; e++)
		*e = 0;
	top[0] = (u64)root + TABLE;
	root[0] = (u64)low + TABLE;
	low[0] = moved(s, early_pd) + TABLE;
	if (here >> 30) {
		root[here >> 39 & 511] = (u64)pdpt + TABLE;
		pdpt[here >> 30 & 511] = (u64)pd + TABLE;
		pd[here >> 21 & 511] = (here & ~(MIB2 - 1)) + LARGE;
	}
	return read_cr4() & CR4_LA57 ? (u64)top : (u64)root;
}

void __noreturn arch_efi_enter(const struct efi_stub *s)
{
	correct_tables(s, s->base - KERNEL_LOAD_PA);
	x86_efi_step(step_root(s, (u64)x86_efi_step), moved(s, boot_entry_efi), (u64)s->h);
}
