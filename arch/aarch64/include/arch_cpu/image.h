/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel.lds.S asks. */
#pragma once

/* An Image may lie anywhere (2 MiB aligned). */
#define IMAGE_FORMAT "elf64-littleaarch64"
#define IMAGE_ARCH "aarch64"
#define IMAGE_VA KERNEL_IMAGE_VA
#define IMAGE_OFFSET (KERNEL_IMAGE_VA - 0x40200000)
#define IMAGE_ENTRY _head
#define IMAGE_MAX 0x4000000
#define IMAGE_EFI_ENTRY efi_stub
