/* SPDX-License-Identifier: MIT */
#pragma once

#define ELF_ARCH 62			/* EM_X86_64 */
#define ELF_DATA 1			/* ELFDATA2LSB */
#define ELF_PLATFORM "x86_64"
#define ELF_MACHINE_32 "i686"
#define ELF_CORE_NREGS 27		/* words of struct user_regs_struct */
#define ARCH_ET_DYN_BASE (TASK_SIZE_MAX / 3 * 2)
#define ARCH_MMAP_RND_BITS 28
#define ARCH_STACK_RND_PAGES 0x3fffffUL	/* 16 GiB */
