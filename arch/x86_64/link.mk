# SPDX-License-Identifier: MIT
ld_emulation := elf_x86_64
page_size := 4096
flat := vmlinux.bin
moves := 1
alts := 1
include arch/shared/link.mk

# The bzImage: the real-mode part, then the kernel as it lies in memory. Nothing is compressed.
$(O)/setup.bin: arch/x86_64/setup/setup.S
	$(Q)$(CC) $(cc_target) -c $< -o $(O)/setup.o
	$(Q)$(LD) -m elf_x86_64 --image-base=0 -Ttext=0 --oformat=binary -e _start -o $@ $(O)/setup.o
$(O)/bzImage: $(O)/setup.bin $(O)/vmlinux.bin $(O)/vmlinux tools/mkbzimage.py
	$(call say,BZIMAGE,$@)python3 tools/mkbzimage.py $(O)/setup.bin $(O)/vmlinux.bin $(O)/vmlinux $@
all: $(O)/bzImage

# A test's loader for the 64-bit protocol (see its head); not part of `all`.
$(O)/stub64: arch/x86_64/setup/stub64.S
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) --target=i386-unknown-none-elf -c $< -o $(O)/stub64.o
	$(Q)$(LD) -m elf_i386 --image-base=0x2000000 -Ttext=0x2001000 -z noexecstack --omagic -e start -o $@ $(O)/stub64.o
