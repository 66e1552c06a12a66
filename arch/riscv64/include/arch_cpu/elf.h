/* SPDX-License-Identifier: MIT */
#pragma once

#define ELF_ARCH 243			/* EM_RISCV */
#define ELF_DATA 1			/* ELFDATA2LSB */
#define ELF_PLATFORM "riscv64"
#define ELF_MACHINE_32 "riscv"
#define ELF_CORE_NREGS 32		/* words of struct user_regs_struct */
#define ARCH_ET_DYN_BASE (TASK_SIZE_MAX / 3 * 2)
#define ARCH_MMAP_RND_BITS 24		/* what 38 bits of addresses leave room for */
#define ARCH_STACK_RND_PAGES 0x3ffffUL	/* 1 GiB */
