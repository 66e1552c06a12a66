/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel.lds.S asks. */
#pragma once

/* Physical and virtual addresses are the same. */
#define IMAGE_FORMAT "elf64-sparc"
#define IMAGE_ARCH "sparc:v9"
#define IMAGE_VA KERNEL_IMAGE_VA
#define IMAGE_OFFSET 0
#define IMAGE_ENTRY boot_entry
#define IMAGE_MAX (0x4000000 - IMAGE_VA)	/* the locked entries of head.S end there */
/* The code that traps branch to and their table: the second half of the locked 64 KiB (kernel_pgtable.c). */
#define IMAGE_ENTRY_TEXT *(.entry.text) . = ALIGN(0x8000); *(.trap_table)
#define IMAGE_CHECKS ASSERT(trap_table == 0x408000, "the code of traps and their table are not in the 64 KiB that the TLB keeps")
