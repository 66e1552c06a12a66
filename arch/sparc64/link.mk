# SPDX-License-Identifier: MIT
# How the objects become the images: vmlinux (ELF, debug information).
arch_link := 1
lds := $(O)/kernel.lds
ldflags := -m elf64_sparc -z max-page-size=8192 -z noexecstack --build-id=sha1 --gc-sections -static --no-pie --orphan-handling=warn $(LDEXTRA)

$(lds): arch/sparc64/kernel.lds.S arch/sparc64/include/arch_cpu/page.h
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cc_target) -E -P -x c -U sparc -Iarch/sparc64/include -Ilib/include $< -o $@

link_inputs = $(objs) $(rust_objs)

$(O)/vmlinux.1: $(link_inputs) $(lds)
	$(call say,LD,$@)$(LD) $(ldflags) -T $(lds) -o $@ $(link_inputs)

$(O)/ksyms.S: $(O)/vmlinux.1 tools/mksyms.py
	$(call say,SYMS,$@)python3 tools/mksyms.py $< $@

$(O)/ksyms.o: $(O)/ksyms.S
	$(Q)$(CC) $(cc_target) $(cc_flags) -c $< -o $@

$(O)/vmlinux: $(O)/vmlinux.1 $(O)/ksyms.o tools/checksyms.py
	$(call say,LD,$@)$(LD) $(ldflags) -T $(lds) -o $@ $(link_inputs) $(O)/ksyms.o
	$(Q)python3 tools/checksyms.py $(O)/vmlinux.1 $@
