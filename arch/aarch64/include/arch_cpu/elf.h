/* SPDX-License-Identifier: MIT */
#pragma once

#define ELF_ARCH 183			/* EM_AARCH64 */
#define ELF_DATA 1			/* ELFDATA2LSB */
#define ELF_PLATFORM "aarch64"
#define ELF_MACHINE_32 NULL		/* a CPU that runs 32-bit programs would say armv8l */
#define ELF_PROPERTY_GUARDED 0xc0000000U	/* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
#define ELF_FEATURE_GUARDED 1U		/* BTI */
#define ELF_CORE_NREGS 34		/* words of struct user_pt_regs */
#define ARCH_ET_DYN_BASE (TASK_SIZE_MAX / 3 * 2)
#define ARCH_MMAP_RND_BITS 33
#define ARCH_STACK_RND_PAGES 0x3ffffUL	/* 1 GiB */
