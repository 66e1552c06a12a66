# SPDX-License-Identifier: MIT
# x86_64: toolchain and code-generation flags.
CC := $(if $(filter default undefined,$(origin CC)),$(or $(HOST_CLANG),clang-22),$(CC))
LD := $(if $(filter default undefined,$(origin LD)),$(or $(HOST_LLD),ld.lld-22),$(LD))
OBJCOPY ?= $(or $(HOST_OBJCOPY),llvm-objcopy-22)
NM ?= $(or $(HOST_NM),llvm-nm-22)
UAPI ?= $(or $(OCHRE_UAPI),$(firstword $(wildcard build/host/root/usr/include build/host/uapi/usr/include) /usr/include))
uapi_triplet := x86_64-linux-gnu
cc_is_clang := $(findstring clang,$(CC))
ifeq ($(cc_is_clang),)
cc_flags := -mgeneral-regs-only -Wno-maybe-uninitialized
else
cc_target := --target=x86_64-unknown-none-elf
cc_flags := -mno-mmx -mno-sse -mno-sse2 -mno-80387 -Xclang -target-feature -Xclang +soft-float
endif
# A locked instruction orders all that is around it.
cc_flags += -DCONFIG_MODULES -DCONFIG_ATOMIC_FULL -DCONFIG_PRESERVE_MOST -m64 -march=x86-64 -mcmodel=kernel -mno-red-zone -fno-stack-protector -fcf-protection=none
# Modern CPUs fetch from a cache of decoded instructions: loops need no padding.
cc_flags += -falign-loops=1
# Release code of clang keeps no frame pointers: tools/mkunwind.py makes the table that backtraces are found by.
modules_supported := 1
kvm_supported := 1
ifneq ($(cc_is_clang),)
ifeq ($(DEBUG),)
unwind_table := 1
cc_flags += -fomit-frame-pointer -DCONFIG_UNWIND_TABLE
rust_frames := -Cforce-frame-pointers=n
endif
endif
include config/debug.mk
$(call with_kasan,0xdffffc0000000000)
rust_target := x86_64-unknown-none
rust_align := -Cllvm-args=-align-loops=1
rust_flags := -Ccode-model=kernel -Crelocation-model=static -Cno-redzone=y -Ctarget-cpu=x86-64 -Zplt=yes -Zdirect-access-external-data=yes
# What it takes of the code that CPUs have in common.
arch_shared := $(addprefix arch/shared/,alloc_kasan.c boot_acpi.c boot_efi.c boot_kaslr.c boot_no_dt.c kernel_maps.c kernel_percpu.c kernel_vdso.c mm_tlb.c mm_uatomic.c mm_user.c sched_fpu.c sched_irq_regs.c test/k_stack_walk.c vdso_image.S)
# The EFI stub runs where the firmware put it.
$(foreach f,arch/shared/boot_efi.c arch/x86_64/boot_efi.c,$(eval cflags_$(f:.c=) := -fpie -mcmodel=small))
