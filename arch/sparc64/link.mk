# SPDX-License-Identifier: MIT
ld_emulation := elf64_sparc
page_size := 8192
include arch/shared/link.mk
