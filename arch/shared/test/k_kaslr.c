// SPDX-License-Identifier: MIT
#include <arch/pgtable.h>
#include <boot/info.h>
#include <kernel/ktest.h>
#include <lib/string.h>
#include "arch/shared/kaslr.h"

/* The image is where relocations say, unless nokaslr, and nothing is left where it was linked. */
KTEST(image_moved)
{
	static const char *const volatile pointer = _text;
	bool stays = strstr(boot_info.cmdline, "nokaslr");

	KT_EQ(!kernel_image_slide, stays);
	KT_EQ((unsigned long)_text, KERNEL_IMAGE_VA + kernel_image_slide);
	KT_EQ((unsigned long)pointer, (unsigned long)_text);
	KT_ASSERT(!(kernel_image_slide & (THREAD_SIZE - 1)));
	KT_EQ(*(u32 *)phys_to_virt(image_to_phys(_text)), *(u32 *)_text);
	KT_ASSERT(stays || !arch_kernel_pte(KERNEL_IMAGE_VA, NULL));
}
