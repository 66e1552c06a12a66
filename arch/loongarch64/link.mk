# SPDX-License-Identifier: MIT
# These files move the registers that the rest of the kernel does not use.
$(O)/arch/loongarch64/fpu.o $(O)/arch/loongarch64/vcopy.o: CFLAGS := $(filter-out -msoft-float,$(CFLAGS)) -mfpu=64 -mlasx

ld_emulation := elf64loongarch
ld_more := --no-relax
page_size := 16384
flat := Image
moves := 1
include arch/shared/link.mk
