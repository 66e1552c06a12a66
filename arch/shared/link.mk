# SPDX-License-Identifier: MIT
# How the objects become the images: vmlinux (ELF, debug information) and a flat one, as it lies in memory. A CPU's link.mk says, and then includes
# this: ld_emulation; page_size in bytes; where wanted flat, the flat image's name; ld_more, more for the linker; moves, the image finds its
# relocations behind itself; alts, its alternatives have operands that
# change with their place (tools/mkalts.py); unwind_table, a table of stack layouts.
arch_link := 1
lds := $(O)/kernel.lds
ldflags := -m $(ld_emulation) -z max-page-size=$(page_size) -z noexecstack --build-id=sha1 --gc-sections -static --no-pie --orphan-handling=warn $(ld_more) $(LDEXTRA)
as_flags := $(cc_target) -fno-pic $(filter -m%,$(cc_flags))
link_inputs = $(objs) $(rust_objs)
link_tables := $(O)/ksyms.o $(if $(unwind_table),$(O)/unwind.o) $(if $(moves),$(O)/relocs.o) $(if $(alts),$(O)/alts.o)

$(lds): arch/shared/kernel.lds.S arch/$(ARCH)/include/arch_cpu/image.h arch/$(ARCH)/include/arch_cpu/page.h
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cc_target) -E -P -x c -Iarch/$(ARCH)/include -Ilib/include $< -o $@

# The first pass has everything but the tables that are made from it; they come last, so nothing moves (tools/checksyms.py).
$(O)/vmlinux.1: $(link_inputs) $(lds) arch/shared/link.mk
	$(call say,LD,$@)$(LD) $(ldflags) -T $(lds) -o $@ $(if $(moves),--emit-relocs) $(link_inputs)

$(O)/ksyms.S: $(O)/vmlinux.1 tools/mksyms.py
	$(call say,SYMS,$@)python3 tools/mksyms.py $< $@

$(O)/unwind.S: $(O)/vmlinux.1 tools/mkunwind.py
	$(call say,UNWIND,$@)python3 tools/mkunwind.py $< $@

$(O)/relocs.S: $(O)/vmlinux.1 tools/mkrelocs.py
	$(Q)python3 tools/mkrelocs.py $< $@

$(O)/alts.S: $(O)/vmlinux.1 tools/mkalts.py
	$(Q)python3 tools/mkalts.py $< $@

$(link_tables): $(O)/%.o: $(O)/%.S
	$(Q)$(CC) $(as_flags) -c $< -o $@

$(O)/vmlinux: $(O)/vmlinux.1 $(link_tables) tools/checksyms.py tools/sortextable.py $(if $(modules_supported),tools/sortexports.py $(gen)/Module.symvers)
	$(call say,LD,$@)$(LD) $(ldflags) -T $(lds) -o $@ $(link_inputs) $(link_tables)
	$(Q)python3 tools/checksyms.py $(O)/vmlinux.1 $@
	$(Q)python3 tools/sortextable.py $@
	$(if $(modules_supported),$(Q)python3 tools/sortexports.py $@ $(gen)/Module.symvers)

ifneq ($(flat),)
$(O)/$(flat): $(O)/vmlinux
	$(call say,OBJCOPY,$@)$(OBJCOPY) -O binary $(foreach s,text rodata notes data init.text init.data percpu_init ksyms $(if $(moves),relocs),-j .$(s)) $< $@
all: $(O)/$(flat)
endif

# The vDSO: an ELF shared object of its own, carried inside the kernel.
vdso_flags := $(filter-out -mcmodel=kernel -fno-pic -ffunction-sections -fdata-sections -fno-omit-frame-pointer -fno-asynchronous-unwind-tables,$(CFLAGS)) \
	-fPIC -fasynchronous-unwind-tables -fomit-frame-pointer -fvisibility=default
$(gen)/vdso.lds: arch/$(ARCH)/vdso/vdso.lds.S arch/shared/vdso_sections.h arch/$(ARCH)/include/arch_cpu/vdso_data.h
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cc_target) -E -P -x c -I. -Iarch/$(ARCH)/include -DVDSO_PAGE=$(page_size) $< -o $@
$(gen)/vdso.so: arch/$(ARCH)/vdso/vdso.c $(gen)/vdso.lds arch/$(ARCH)/include/arch_cpu/vdso_data.h $(wildcard arch/shared/vdso*.h)
	$(call say,VDSO,$@)$(CC) $(CPPFLAGS) $(vdso_flags) -c $< -o $(O)/vdso.o
	$(Q)$(LD) -m $(ld_emulation) -shared -soname linux-vdso.so.1 --hash-style=both --build-id=sha1 --eh-frame-hdr -Bsymbolic \
		-z max-page-size=$(page_size) -T $(gen)/vdso.lds -o $(O)/vdso.full $(O)/vdso.o
	$(Q)$(OBJCOPY) --strip-debug --strip-all $(O)/vdso.full $@
$(O)/arch/shared/vdso_image.o: $(gen)/vdso.so
