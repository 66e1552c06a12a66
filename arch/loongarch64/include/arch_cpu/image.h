/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel.lds.S asks. */
#pragma once

#define IMAGE_FORMAT "elf64-loongarch"
#define IMAGE_ARCH "loongarch"
#define IMAGE_VA KERNEL_IMAGE_VA
#define IMAGE_OFFSET (KERNEL_IMAGE_VA - 0x200000)
#define IMAGE_ENTRY boot_entry
#define IMAGE_MAX 0x2000000
