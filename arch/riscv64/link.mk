# SPDX-License-Identifier: MIT
ld_emulation := elf64lriscv
ld_more := --discard-locals
page_size := 4096
flat := Image
moves := 1
include arch/shared/link.mk
