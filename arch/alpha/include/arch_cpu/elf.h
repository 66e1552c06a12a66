/* SPDX-License-Identifier: MIT */
#pragma once

#define ELF_ARCH 0x9026			/* EM_ALPHA */
#define ELF_DATA 1			/* ELFDATA2LSB */
#define ELF_PLATFORM "ev67"
#define ELF_MACHINE "alpha"		/* uname -m */
#define ELF_CORE_NREGS 33		/* $0 .. $30, pc, the thread pointer */
#define ARCH_ET_DYN_BASE (TASK_SIZE_MAX / 3 * 2)
#define ARCH_MMAP_RND_BITS 28
#define ARCH_STACK_RND_PAGES 0x1ffffUL	/* 1 GiB */
