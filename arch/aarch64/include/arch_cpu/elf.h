/* SPDX-License-Identifier: MIT */
#pragma once

#define ELF_ARCH 183			/* EM_AARCH64 */
#define ELF_DATA 1			/* ELFDATA2LSB */
#define ELF_PLATFORM "aarch64"
#define ELF_CORE_NREGS 34		/* words of struct user_pt_regs */
#define ARCH_ET_DYN_BASE (TASK_SIZE_MAX / 3 * 2)
#define ARCH_MMAP_RND_BITS 33
#define ARCH_STACK_RND_PAGES 0x3ffffUL	/* 1 GiB */
