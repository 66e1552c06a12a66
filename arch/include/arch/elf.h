/* SPDX-License-Identifier: MIT */
/* What an ELF file must say to run here: ELF_ARCH, ELF_PLATFORM, ELF_CORE_NREGS, ARCH_ET_DYN_BASE; and the auxiliary words. */
#pragma once

#include <lib/types.h>
#include <arch_cpu/elf.h>
#ifndef ELF_MACHINE
#define ELF_MACHINE ELF_PLATFORM	/* what uname says */
#endif
#ifndef ELF_MACHINE_32
#define ELF_MACHINE_32 ELF_MACHINE	/* what uname says with personality PER_LINUX32; NULL: there is no such personality */
#endif

/* The GNU property whose bits say what a program's code is made for, and the bit of guarded code (ARCH_PROT_GUARDED). */
#ifndef ELF_PROPERTY_GUARDED
#define ELF_PROPERTY_GUARDED 0
#define ELF_FEATURE_GUARDED 0
#endif

unsigned long arch_elf_hwcap(void);
unsigned long arch_elf_hwcap2(void);
