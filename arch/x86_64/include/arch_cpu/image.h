/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel.lds.S asks. */
#pragma once

#define IMAGE_FORMAT "elf64-x86-64"
#define IMAGE_ARCH "i386:x86-64"
#define IMAGE_VA (KERNEL_IMAGE_VA + KERNEL_LOAD_PA)
#define IMAGE_OFFSET KERNEL_IMAGE_VA
#define IMAGE_ENTRY startup_64
#define IMAGE_MAX 0x1000000
#define IMAGE_EFI_ENTRY efi_stub
