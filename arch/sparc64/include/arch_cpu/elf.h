/* SPDX-License-Identifier: MIT */
#pragma once

#define ELF_ARCH 43			/* EM_SPARCV9 */
#define ELF_DATA 2			/* ELFDATA2MSB */
#define ELF_PLATFORM "sparc64"
#define ELF_MACHINE_32 "sparc"
#define ELF_CORE_NREGS 36		/* words of elf_gregset_t */
#define ARCH_ET_DYN_BASE (TASK_SIZE_MAX / 3 * 2)
#define ARCH_MMAP_RND_BITS 28
#define ARCH_STACK_RND_PAGES 0x1ffffUL	/* 1 GiB */
