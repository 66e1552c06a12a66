/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel.lds.S asks. */
#pragma once

/* It runs where it is loaded, in the superpage. */
#define IMAGE_FORMAT "elf64-alpha"
#define IMAGE_ARCH "alpha"
#define IMAGE_VA KERNEL_IMAGE_VA
#define IMAGE_OFFSET 0
#define IMAGE_ENTRY _head
#define IMAGE_MAX 0x4000000
