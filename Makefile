# SPDX-License-Identifier: MIT
# Builds the kernel out of tree under $(O). Sources are found by wildcard: a new file needs no line here.
#   make -j [ARCH=x86_64] [O=build/x86_64] [V=1] [DEBUG=1] [CC=gcc LD=ld.lld]
# The tools are those that ./ochre setup found (build/host/tools.mk); without it, what config/ names on PATH.
ARCH ?= x86_64
O ?= build/$(ARCH)$(if $(DEBUG),-debug)
srctree := $(CURDIR)
gen := $(O)/gen
.SUFFIXES:
MAKEFLAGS += -rR

.DELETE_ON_ERROR:
.PHONY: all clean commands compile_commands FORCE
all: $(O)/vmlinux

-include build/host/tools.mk
include config/$(ARCH).mk

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s%s\n' $(1) $(2);)

rooms := lib kernel alloc sched mm proc dev vfs block extent net ipc tty fs exec bpf io_uring kvm syscall boot
csrc := $(sort $(foreach r,$(filter-out $(if $(kvm_supported),,kvm),$(rooms)),$(filter-out $(if $(modules_supported),,syscall/module.c),$(wildcard $(r)/*.c $(r)/test/k_*.c))) \
	$(foreach r,fs dev ipc net block $(if $(kvm_supported),kvm),$(filter-out $(r)/test/% $(if $(modules_supported),,dev/module/%),$(wildcard $(r)/*/*.c))) \
	$(foreach f,$(wildcard fs/*/*/*.c),$(if $(findstring /test/,$f),,$f)) $(wildcard fs/*/*/test/k_*.c) \
	$(wildcard fs/*/test/k_*.c net/*/test/k_*.c) $(wildcard arch/$(ARCH)/*.c arch/$(ARCH)/test/k_*.c arch/test/k_*.c) \
	$(filter %.c,$(arch_shared)))
ssrc := $(filter-out %.lds.S,$(sort $(wildcard arch/$(ARCH)/*.S) $(filter %.S,$(arch_shared))))
objs := $(csrc:%.c=$(O)/%.o) $(ssrc:%.S=$(O)/%.o) $(O)/gen/abi/dispatch.o

# A compiler's own headers (stdarg.h and so on) are asked for once, not once a file.
cc_inc := $(shell $(CC) $(cc_target) $(if $(findstring clang,$(CC)),-print-resource-dir,-print-file-name=include) 2>/dev/null)
incdirs := $(foreach r,abi $(rooms) arch rust,-I$(r)/include) -Iarch/$(ARCH)/include -I. -I$(gen)
CPPFLAGS := -nostdinc -isystem $(cc_inc)$(if $(findstring clang,$(CC)),/include) \
	$(incdirs) -isystem $(UAPI)/$(uapi_triplet) -isystem $(UAPI) \
	-D__KERNEL_OCHRE__ $(if $(DEBUG),-DCONFIG_DEBUG $(debug_defines)) -include lib/include/lib/compiler.h
CFLAGS := $(cc_target) -std=gnu11 -O2 -g1 -ffreestanding -fno-pic -fno-strict-aliasing -fno-delete-null-pointer-checks \
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fno-common -fwrapv -ffunction-sections -fdata-sections \
	-Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wmissing-prototypes -Wstrict-prototypes \
	$(if $(findstring clang,$(CC)),-Wno-gnu-variable-sized-type-not-at-end) \
	-ffile-prefix-map=$(srctree)=. $(cc_flags)

# gdb learns the structures from the file that defines the first task; the others have lines alone.
cflags_sched/task := -g2
# Called at every branch: a frame of its own would be a third of it.
cflags_sched/kcov := $(if $(gcc_only_flags),,-momit-leaf-frame-pointer)
# A planted bug is to be found on the stack: its last call is a call.
cflags_sched/plant := -fno-optimize-sibling-calls
cflags_sched/test/k_plant := -fno-optimize-sibling-calls

# What runs once, or seldom and at length anyway, is compiled for size; the debug build's size is no matter.
small := $(if $(DEBUG),,$(filter %.c,$(filter $(foreach d,$(rooms) arch arch/$(ARCH) arch/shared fs/tmpfs fs/proc,$d/test/%) boot/% dev/% fs/sysfs/%,$(csrc))) \
	$(addprefix lib/,acpi.c cmdline.c dt.c dt_facts.c dt_irq.c fdt.c memblock.c options.c partition.c) \
	$(addprefix vfs/,mntns.c mount.c namespace.c newmount.c pnode.c fs_context.c) $(addprefix proc/,ns.c ptrace.c))
$(foreach f,$(filter $(csrc),$(small)),$(eval cflags_$(f:.c=) += -Os))
$(shell mkdir -p $(O) && echo '$(small)' | cmp -s - $(O)/small || echo '$(small)' > $(O)/small)
$(csrc:%.c=$(O)/%.o): $(O)/small

# The flags a build was made with: another set builds everything again.
$(shell mkdir -p $(O) && echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(if $(DEBUG),$(debug_flags) $(cov_flags))' | cmp -s - $(O)/flags || echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(if $(DEBUG),$(debug_flags) $(cov_flags))' > $(O)/flags)

# The system call table becomes C anew each time, and a file of it is touched only where it changed.
$(gen)/abi.stamp: FORCE
	$(Q)python3 tools/abi-gen.py --arch $(ARCH) $(if $(DEBUG),--debug) --out $(gen) --table abi/syscalls.tbl && { [ -e $@ ] || touch $@; }
$(gen)/abi/dispatch.c $(gen)/abi/syscalls.h: $(gen)/abi.stamp ;

# What the sanitizers must not look into: themselves, what they call, and what runs before their memory is there.
san_flags := $(if $(DEBUG),$(debug_flags))
nosan := alloc/kasan.c alloc/kmemleak.c alloc/kmemleak_scan.c alloc/slab.c kernel/ubsan.c kernel/lockdep.c kernel/section.c sched/kcov.c lib/string.c arch/shared/alloc_kasan.c $(arch_nosan)
$(nosan:%.c=$(O)/%.o): san_flags :=

# What a task's coverage leaves out: the tracer, and what runs for all tasks or by chance (locks, RCU, clocks, scheduling, allocation).
nocov := $(nosan) $(filter-out sched/plant.c,$(wildcard sched/*.c)) $(wildcard boot/*.c alloc/*.c) $(arch_nocov) lib/rbtree.c \
	$(addprefix kernel/,irq.c ksyms.c panic.c printk.c rcu.c smp.c spinlock.c time.c timer.c)
cov_flags_for = $(if $(DEBUG),$(if $(filter $(nocov),$1),,$(cov_flags)))

define cc_rule
	$(Q)mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) $(san_flags) $(call cov_flags_for,$<) $(cflags_$(<:.c=)) -MMD -MP -c $< -o $@
endef
$(O)/gen/abi/dispatch.o: $(gen)/abi/dispatch.c $(O)/flags
	$(cc_rule)
$(O)/%.o: %.c $(O)/flags | $(gen)/abi.stamp
	$(cc_rule)
$(O)/%.o: %.S $(O)/flags | $(gen)/abi.stamp
	$(Q)mkdir -p $(@D)
	$(call say,AS,$@)$(CC) $(CPPFLAGS) $(CFLAGS) -D__ASSEMBLY__ -MMD -MP -c $< -o $@

include config/rust.mk
include config/modules.mk
-include arch/$(ARCH)/link.mk
ifeq ($(arch_link),)
# No link step for this CPU yet: compiling everything is the check.
$(O)/vmlinux: $(objs) $(rust_objs)
	$(Q)touch $@
endif

uapi_flags := -isystem $(UAPI)/$(uapi_triplet) -isystem $(UAPI)
include fuzz/build.mk

# What tools/check-atomic reads: the code as LLVM's, with marks where sections begin and end, and with the types of what is loaded.
ir_files := $(foreach c,$(csrc) $(if $(modules_supported),$(either_sources)) $(wildcard rust/*.c),$(if $(findstring /test/,$c)$(filter sched/plant.c,$c),,$(c:%.c=$(O)/ir/%.ll)))
ir_flags = $(filter-out -g1 -Werror,$(CFLAGS)) -w -fstrict-aliasing -DCHECK_ATOMIC
$(O)/ir/%.ll: %.c $(O)/flags | $(gen)/abi.stamp
	$(Q)mkdir -p $(@D)
	$(call say,IR,$@)$(CC) $(CPPFLAGS) $(ir_flags) $(filter-out -g2,$(cflags_$(<:.c=))) -MMD -MP -MT $@ -MF $(@:.ll=.d) -S -emit-llvm -c $< -o $@
-include $(ir_files:.ll=.d)
.PHONY: ir
ir: $(ir_files) $(rust_ir)

# Decoders of outside bytes under clang's fuzzer: make fuzz-NAME of */test/host_fuzz_NAME.c [FUZZ_SECONDS=60]
FUZZ_SECONDS ?= 60
fuzz-%: FORCE
	$(Q)$(srctree)/ochre fuzz --target $* --time $(FUZZ_SECONDS)

# How each file is compiled.
commands:
	$(Q)$(MAKE) --no-print-directory -n -B V=1 $(objs) 2>/dev/null

# The same for editors (clangd), and what the Rust crates are (rust-analyzer).
compile_commands:
	$(Q)$(MAKE) --no-print-directory -n -B V=1 $(objs) 2>/dev/null | python3 tools/compdb.py $(srctree) $(RUST_SRC) $(rust_target)

clean:
	$(Q)rm -rf $(O)

-include $(objs:.o=.d)
