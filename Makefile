# SPDX-License-Identifier: MIT
# Builds the kernel out of tree under $(O). Sources are found by wildcard: a new file needs no line here.
#   make -j [ARCH=x86_64] [O=build/x86_64] [V=1] [DEBUG=1] [CC=gcc LD=ld.lld]
ARCH ?= x86_64
O ?= build/$(ARCH)$(if $(DEBUG),-debug)
srctree := $(CURDIR)
.SUFFIXES:
MAKEFLAGS += -rR

include config/$(ARCH).mk

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s%s\n' $(1) $(2);)

rooms := lib kernel alloc sched mm proc dev vfs block net ipc fs exec bpf io_uring kvm syscall boot
csrc := $(sort $(foreach r,$(rooms),$(wildcard $(r)/*.c $(r)/test/k_*.c)) \
	$(foreach r,fs dev ipc net block,$(filter-out $(r)/test/%,$(wildcard $(r)/*/*.c))) \
	$(wildcard fs/*/test/k_*.c) $(wildcard arch/$(ARCH)/*.c arch/test/k_*.c))
ssrc := $(filter-out %.lds.S,$(sort $(wildcard arch/$(ARCH)/*.S)))
objs := $(csrc:%.c=$(O)/%.o) $(ssrc:%.S=$(O)/%.o)
gen := $(O)/gen

incdirs := $(foreach r,abi $(rooms) arch rust,-I$(r)/include) -Iarch/$(ARCH)/include -I. -I$(gen)
CPPFLAGS += -nostdinc -isystem $(shell $(CC) $(cc_target) -print-resource-dir 2>/dev/null || true)/include \
	$(if $(gcc_inc),-isystem $(gcc_inc)) \
	$(incdirs) -isystem $(UAPI)/$(uapi_triplet) -isystem $(UAPI) \
	-D__KERNEL_OCHRE__ $(if $(DEBUG),-DCONFIG_DEBUG) -include lib/include/lib/compiler.h
CFLAGS += $(cc_target) -std=gnu11 -O2 -g1 -ffreestanding -fno-pic -fno-strict-aliasing -fno-delete-null-pointer-checks \
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fno-common -fwrapv -ffunction-sections -fdata-sections \
	-Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wmissing-prototypes -Wstrict-prototypes \
	-Wno-gnu-variable-sized-type-not-at-end \
	-ffile-prefix-map=$(srctree)/= $(cc_flags) $(if $(DEBUG),$(debug_flags))

.PHONY: all clean
all: $(O)/vmlinux

# What the generator makes of the syscall table (absent until the table is there).
ifneq ($(wildcard tools/abi-gen.py),)
gen_stamp := $(gen)/abi.stamp
syscall_src := $(wildcard syscall/*.c)
$(gen_stamp): abi/syscalls.tbl tools/abi-gen.py $(syscall_src)
	$(call say,GEN,$@)mkdir -p $(gen)/abi && python3 tools/abi-gen.py --arch $(ARCH) --out $(gen) --table abi/syscalls.tbl $(syscall_src) && touch $@
$(gen)/abi/dispatch.c: $(gen_stamp)
objs += $(O)/gen/abi/dispatch.o
$(O)/gen/abi/dispatch.o: $(gen_stamp)
	$(Q)mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $(gen)/abi/dispatch.c -o $@
endif

$(O)/%.o: %.c $(gen_stamp)
	$(Q)mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@
$(O)/%.o: %.S $(gen_stamp)
	$(Q)mkdir -p $(@D)
	$(call say,AS,$@)$(CC) $(CPPFLAGS) $(CFLAGS) -D__ASSEMBLY__ -MMD -MP -c $< -o $@

-include arch/$(ARCH)/link.mk
ifeq ($(arch_link),)
# No link step for this CPU yet: compiling everything is the check.
$(O)/vmlinux: $(objs)
	$(Q)touch $@
endif

clean:
	$(Q)rm -rf $(O)

-include $(objs:.o=.d)
