/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel.lds.S asks. */
#pragma once

/* An Image may lie anywhere (2 MiB aligned). */
#define IMAGE_FORMAT "elf64-littleriscv"
#define IMAGE_ARCH "riscv"
#define IMAGE_VA KERNEL_IMAGE_VA
#define IMAGE_OFFSET (KERNEL_IMAGE_VA - 0x80200000)
#define IMAGE_ENTRY _head
#define IMAGE_MAX 0x1000000
