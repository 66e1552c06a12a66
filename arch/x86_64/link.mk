# SPDX-License-Identifier: MIT
# How the objects become the images: vmlinux (ELF, debug information, PVH), vmlinux.stripped, bzImage.
arch_link := 1
lds := $(O)/kernel.lds
ldflags := -m elf_x86_64 -z max-page-size=4096 -z noexecstack --build-id=sha1 --gc-sections -static --no-pie --orphan-handling=warn

$(lds): arch/x86_64/kernel.lds.S arch/x86_64/include/arch_cpu/page.h
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cc_target) -E -P -x c -Iarch/x86_64/include -Ilib/include $< -o $@

link_inputs = $(objs) $(rust_objs)

$(O)/vmlinux.1: $(link_inputs) $(lds)
	$(call say,LD,$@)$(LD) $(ldflags) -T $(lds) -o $@ --emit-relocs $(link_inputs)

$(O)/ksyms.S: $(O)/vmlinux.1 tools/mksyms.py
	$(call say,SYMS,$@)python3 tools/mksyms.py $< $@

$(O)/ksyms.o: $(O)/ksyms.S
	$(Q)$(CC) $(cc_target) -c $< -o $@

$(O)/unwind.S: $(O)/vmlinux.1 tools/mkunwind.py
	$(call say,UNWIND,$@)python3 tools/mkunwind.py $< $@

$(O)/unwind.o: $(O)/unwind.S
	$(Q)$(CC) $(cc_target) -c $< -o $@

unwind_obj := $(if $(unwind_table),$(O)/unwind.o)

$(O)/relocs.S: $(O)/vmlinux.1 tools/mkrelocs.py
	$(Q)python3 tools/mkrelocs.py $< $@

$(O)/relocs.o: $(O)/relocs.S
	$(Q)$(CC) $(cc_target) -c $< -o $@

$(O)/vmlinux: $(O)/vmlinux.1 $(O)/ksyms.o $(unwind_obj) $(O)/relocs.o tools/checksyms.py
	$(call say,LD,$@)$(LD) $(ldflags) -T $(lds) -o $@ $(link_inputs) $(O)/ksyms.o $(unwind_obj) $(O)/relocs.o
	$(Q)python3 tools/checksyms.py $(O)/vmlinux.1 $@

$(O)/vmlinux.bin: $(O)/vmlinux
	$(Q)$(OBJCOPY) -O binary -j .text -j .rodata -j .notes -j .data -j .init.text -j .init.data -j .percpu_init -j .ksyms -j .relocs $< $@

# The vDSO: an ELF shared object of its own, carried inside the kernel.
vdso_flags := $(filter-out -mcmodel=kernel -fno-pic -ffunction-sections -fdata-sections -fno-omit-frame-pointer -fno-asynchronous-unwind-tables,$(CFLAGS)) \
	-fPIC -fasynchronous-unwind-tables -fomit-frame-pointer -fvisibility=default
$(gen)/vdso.so: arch/x86_64/vdso/vdso.c arch/x86_64/vdso/vdso.lds arch/x86_64/include/arch_cpu/vdso_data.h
	$(call say,VDSO,$@)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(vdso_flags) -c $< -o $(O)/vdso.o
	$(Q)$(LD) -m elf_x86_64 -shared -soname linux-vdso.so.1 --hash-style=both --build-id=sha1 --eh-frame-hdr -Bsymbolic \
		-z max-page-size=4096 -T arch/x86_64/vdso/vdso.lds -o $(O)/vdso.full $(O)/vdso.o
	$(Q)$(OBJCOPY) --strip-debug --strip-all $(O)/vdso.full $@
$(O)/arch/x86_64/vdso_image.o: $(gen)/vdso.so

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
