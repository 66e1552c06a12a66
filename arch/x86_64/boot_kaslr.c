// SPDX-License-Identifier: MIT
/*
 * Address-space randomisation of the kernel itself, as the very first C code: picks a slide for the image (in steps of 2 MiB,
 * within 1 GiB) and a place for the direct map (in steps of 1 GiB), maps both in the early tables, and corrects every
 * absolute reference in the image. Until head.S has jumped, this code runs at the address it was linked for; both
 * addresses lead to the same bytes, so it does not matter when a reference of its own changes.
 */
#include <arch/page.h>
#include <arch_cpu/boot_proto.h>
#include <asm/bootparam.h>
#include <boot/efi.h>
#include <kernel/init.h>
#include <lib/string.h>
#include "arch/shared/kaslr.h"
#include "arch/x86_64/x86_priv.h"
#include "arch/x86_64/entry_priv.h"

#define SLIDE_STEP (2UL << 20)
#define SLIDE_ROOM (1UL << 30)
#define DIRECT_STEPS (32UL << 10)	/* in GiB: half of what lies between the direct map and vmalloc */
#define EARLY_LIMIT (1ULL << 30)
#define PTE_TABLE 0x63

/* Whether the loader's command line has WORD; it is read in place, below the early limit only. */
static bool __init cmdline_says(u32 protocol, phys_addr_t params, const char *word)
{
	u64 at;

	if (!params || params >= EARLY_LIMIT - PAGE_SIZE)
		return true;
	if (protocol == BOOT_PROTO_EFI)
		at = params + offsetof(struct efi_handoff, cmdline);
	else if (protocol == BOOT_PROTO_PVH)
		at = *(const u64 *)phys_to_virt(params + 24);
	else
		at = *(const u32 *)phys_to_virt(params + offsetof(struct boot_params, hdr.cmd_line_ptr));
	if (!at || at >= EARLY_LIMIT - PAGE_SIZE)
		return false;
	return strstr(phys_to_virt(at), word);
}

/* What differs from boot to boot beside the CPU's own: the firmware's randomness, where it had any. */
static u64 __init loader_salt(u32 protocol, phys_addr_t params)
{
	const struct efi_handoff *h = phys_to_virt(params);
	u64 salt = params;

	if (protocol == BOOT_PROTO_EFI)
		kaslr_mix(&salt, h->seed, sizeof(h->seed));
	return salt;
}

/* Before the CPU's features are known to the rest: asks CPUID itself. */
static u64 __init early_random(u64 salt)
{
	u32 a, b, c, d;
	u64 r = 0, cycles;
	bool ok = false;

	cpuid(1, 0, &a, &b, &c, &d);
	if (c >> 30 & 1)
		for (int i = 0; i < 10 && !ok; i++)
			__asm__ volatile("rdrand %0" : "=r"(r), "=@ccc"(ok));
	cycles = arch_cycles();
	kaslr_mix(&salt, &r, sizeof(r));
	kaslr_mix(&salt, &cycles, sizeof(cycles));
	return salt;
}

static void __init slide_image(u64 slide)
{
	u64 first = slide / SLIDE_STEP, base = KERNEL_IMAGE_VA - kernel_image_delta;

	for (u64 i = 0; i < 512 - first; i++)
		early_pd_slid[first + i] = early_pd[i] + base;
	/* The addresses that this code runs at stay mapped: the slid table begins at FIRST, the old place is below it. */
	for (u64 i = 0; i < first && i < EARLY_IMAGE_ENTRIES; i++)
		early_pd_slid[i] = early_pd[i] + base;
	barrier();	/* the table is whole before the CPU walks it: from here on, whatever its TLB still has */
	WRITE_ONCE(early_pdpt_high[510], image_to_phys(early_pd_slid) + PTE_TABLE);
	write_cr3(read_cr3());
	kaslr_relocate(slide);
}

u64 __init x86_randomize(u32 protocol, phys_addr_t params)
{
	u64 slide, direct, image = (u64)(_end - _text) + KERNEL_LOAD_PA;

	/* The sanitizer's shadow lies at an address that is compiled in. */
#ifdef CONFIG_KASAN
	return 0;
#endif
	if (cmdline_says(protocol, params, "nokaslr"))
		return 0;
	/* At least 32 MiB away, so that the old and the new mapping do not overlap. */
	slide = (32UL << 20) + early_random(loader_salt(protocol, params)) % ((SLIDE_ROOM - image - (34UL << 20)) / SLIDE_STEP) * SLIDE_STEP;
	direct = DIRECT_MAP_DEFAULT + (early_random(slide) % DIRECT_STEPS << 30);
	early_root[direct >> 39 & 511] = image_to_phys(early_pdpt_direct) + PTE_TABLE;
	early_pdpt_direct[direct >> 30 & 511] = image_to_phys(early_pd) + PTE_TABLE;
	slide_image(slide);
	page_offset_base = direct;
	kernel_image_slide = slide;
	kernel_image_delta += slide;
	return slide;
}
