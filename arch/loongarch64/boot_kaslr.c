// SPDX-License-Identifier: MIT
/*
 * The image at a place of its own each time (arch/shared/kaslr.h). The image is mapped by pages, so it is its virtual address that moves: anywhere
 * in the 62 GiB that one table of level 1 holds above KERNEL_IMAGE_VA, in steps of a kernel stack, the coarsest alignment in it: 22 bits,
 * where a physical place in a small machine's RAM would have few and cost a copy. The windows on RAM do not move; where the image
 * lies in RAM is no secret. nokaslr leaves it where it was linked.
 */
#include <arch/cpu.h>
#include <boot/info.h>
#include <kernel/init.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "arch/loongarch64/la64_priv.h"

#define SLIDE_STEP ((u64)THREAD_SIZE)
#define WINDOW (62UL << 30)

extern pte_t early_l1[], early_l0[];	/* the second's first table maps the image where it was linked */
extern char _end[];

static bool __init words_say_no(phys_addr_t cmdline, phys_addr_t systab)
{
	const char *s = phys_to_virt(cmdline), *end = s + BOOT_CMDLINE_MAX;

	if (!systab || cmdline >= LA64_PA_LIMIT)		/* QEMU has it at 0 */
		return false;
	for (; s < end && *s; s++)
		if (!strncmp(s, "nokaslr", 7))
			return true;
	return false;
}

u64 __init la64_randomize(phys_addr_t cmdline, phys_addr_t systab)
{
	u64 size = PAGE_ALIGN((u64)(_end - _text)), span = pt_span(1), first = ALIGN(size, span), cycles = arch_cycles(), v = 0, slide;
	phys_addr_t tree = la64_find_tree(systab);

	if (words_say_no(cmdline, systab) || !kaslr_tree(tree ? phys_to_virt(tree) : NULL, LA64_FDT_MAX, true, &v))
		return 0;
	kaslr_mix(&v, &cycles, sizeof(cycles));
	slide = first + v % ((WINDOW - size - first) / SLIDE_STEP + 1) * SLIDE_STEP;
	for (u64 off = 0; off < size; off += PAGE_SIZE) {
		unsigned long va = (unsigned long)_text + slide + off;
		unsigned int second = pt_index(va, 1) != pt_index((unsigned long)_text + slide, 1);
		pte_t *t = early_l0 + (1 + second) * PT_ENTRIES;

		early_l1[pt_index(va, 1)] = pte_make_table(image_to_phys(t));
		t[pt_index(va, 0)] = early_l0[pt_index((unsigned long)_text + off, 0)];
	}
	kaslr_relocate(slide);
	kernel_image_slide = slide;
	kernel_image_pa -= slide;
	return slide;
}
