# SPDX-License-Identifier: MIT
ld_emulation := aarch64elf
page_size := 4096
flat := Image
moves := 1
include arch/shared/link.mk
