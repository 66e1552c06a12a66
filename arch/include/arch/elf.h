/* SPDX-License-Identifier: MIT */
/* What an ELF file must say to run here: ELF_ARCH, ELF_PLATFORM, ELF_CORE_NREGS, ARCH_ET_DYN_BASE; and the auxiliary words. */
#pragma once

#include <lib/types.h>
#include <arch_cpu/elf.h>
#ifndef ELF_MACHINE
#define ELF_MACHINE ELF_PLATFORM	/* what uname says */
#endif

unsigned long arch_elf_hwcap(void);
unsigned long arch_elf_hwcap2(void);
