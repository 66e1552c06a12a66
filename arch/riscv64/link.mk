# SPDX-License-Identifier: MIT
# How the objects become the images: vmlinux (ELF, debug information) and Image (what boot loaders take).
arch_link := 1
lds := $(O)/kernel.lds
ldflags := -m elf64lriscv -z max-page-size=4096 -z noexecstack --build-id=sha1 --gc-sections -static --no-pie --discard-locals --orphan-handling=warn $(LDEXTRA)

$(lds): arch/riscv64/kernel.lds.S arch/riscv64/include/arch_cpu/page.h
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cc_target) -E -P -x c -Iarch/riscv64/include -Ilib/include $< -o $@

link_inputs = $(objs) $(rust_objs)

$(O)/vmlinux.1: $(link_inputs) $(lds)
	$(call say,LD,$@)$(LD) $(ldflags) -T $(lds) -o $@ $(link_inputs)

$(O)/ksyms.S: $(O)/vmlinux.1 tools/mksyms.py
	$(call say,SYMS,$@)python3 tools/mksyms.py $< $@

$(O)/ksyms.o: $(O)/ksyms.S
	$(Q)$(CC) $(cc_target) -c $< -o $@

$(O)/vmlinux: $(O)/vmlinux.1 $(O)/ksyms.o tools/checksyms.py
	$(call say,LD,$@)$(LD) $(ldflags) -T $(lds) -o $@ $(link_inputs) $(O)/ksyms.o
	$(Q)python3 tools/checksyms.py $(O)/vmlinux.1 $@

$(O)/Image: $(O)/vmlinux
	$(call say,OBJCOPY,$@)$(OBJCOPY) -O binary -j .text -j .rodata -j .notes -j .data -j .init.text -j .init.data -j .percpu_init -j .ksyms $< $@
all: $(O)/Image

# The vDSO: an ELF shared object of its own, carried inside the kernel.
vdso_flags := $(filter-out -fno-pic -ffunction-sections -fdata-sections -fno-omit-frame-pointer -fno-asynchronous-unwind-tables,$(CFLAGS)) \
	-fPIC -fasynchronous-unwind-tables -fomit-frame-pointer -fvisibility=default
$(gen)/vdso.so: arch/riscv64/vdso/vdso.c arch/riscv64/vdso/vdso.lds arch/riscv64/include/arch_cpu/vdso_data.h
	$(call say,VDSO,$@)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(vdso_flags) -c $< -o $(O)/vdso.o
	$(Q)$(LD) -m elf64lriscv -shared -soname linux-vdso.so.1 --hash-style=both --build-id=sha1 --eh-frame-hdr -Bsymbolic \
		-z max-page-size=4096 -T arch/riscv64/vdso/vdso.lds -o $(O)/vdso.full $(O)/vdso.o
	$(Q)$(OBJCOPY) --strip-debug --strip-all $(O)/vdso.full $@
$(O)/arch/riscv64/vdso_image.o: $(gen)/vdso.so
