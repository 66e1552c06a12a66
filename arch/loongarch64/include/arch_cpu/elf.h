/* SPDX-License-Identifier: MIT */
#pragma once

#define ELF_ARCH 258			/* EM_LOONGARCH */
#define ELF_DATA 1			/* ELFDATA2LSB */
#define ELF_PLATFORM "loongarch"
#define ELF_MACHINE "loongarch64"		/* uname -m */
#define ELF_CORE_NREGS 45		/* words of struct user_pt_regs */
#define ARCH_ET_DYN_BASE (TASK_SIZE_MAX / 3 * 2)
#define ARCH_MMAP_RND_BITS 31
#define ARCH_STACK_RND_PAGES 0xffffUL	/* 1 GiB */
