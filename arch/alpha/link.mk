# SPDX-License-Identifier: MIT
ld_emulation := elf64alpha
ld_more := --no-warn-rwx-segments --no-relax
page_size := 8192
include arch/shared/link.mk
