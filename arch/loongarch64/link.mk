# SPDX-License-Identifier: MIT
# This one file moves the registers that the rest of the kernel does not use.
$(O)/arch/loongarch64/fpu.o: CFLAGS := $(filter-out -msoft-float,$(CFLAGS)) -mfpu=64 -mlasx

ld_emulation := elf64loongarch
ld_more := --no-relax
page_size := 16384
flat := Image
moves := 1
include arch/shared/link.mk
