# SPDX-License-Identifier: MIT
# loongarch64: toolchain and code-generation flags.
CC := $(if $(filter default undefined,$(origin CC)),$(or $(HOST_CLANG),clang-22),$(CC))
LD := $(if $(filter default undefined,$(origin LD)),$(or $(HOST_LLD),ld.lld-22),$(LD))
OBJCOPY ?= $(or $(HOST_OBJCOPY),llvm-objcopy-22)
NM ?= $(or $(HOST_NM),llvm-nm-22)
UAPI ?= $(or $(OCHRE_UAPI),$(firstword $(wildcard build/host/root/usr/include build/host/uapi/usr/include) /usr/include))
uapi_triplet := loongarch64-linux-gnu
cc_target := $(if $(findstring clang,$(CC)),--target=loongarch64-unknown-none)
# Variables of other files are reached without a table of their addresses. -mno-relax (and the linker's): both link passes must lay the code out
# alike. The image is smaller than a call reaches (128 MiB).
cc_flags := -march=loongarch64 -mabi=lp64s -fdirect-access-external-data -msoft-float -mcmodel=normal -mno-relax -fno-stack-protector $(if $(DEBUG),,-DCONFIG_MODULES) $(if $(findstring clang,$(CC)),-momit-leaf-frame-pointer)
# The debug build has none.
modules_supported := $(if $(DEBUG),,1)
# Of assembly that is made: the linker wants one ABI.
cc_abi := -mabi=lp64s -msoft-float
include config/debug.mk
# Accesses are checked by calls: one offset does not serve both RAM's window and what is mapped by pages (arch_cpu/kasan.h).
$(call with_kasan,0xdffff80000000000,0)
# rustc (1.96) does not know that its target of that name takes the sanitizer.
rust_target := $(if $(DEBUG),config/loongarch64-unknown-none-softfloat.json,loongarch64-unknown-none-softfloat)
rust_flags := -Crelocation-model=static -Ccode-model=small
# What it takes of the code that CPUs have in common.
arch_shared := $(addprefix arch/shared/,alloc_kasan.c boot_kaslr.c boot_no_acpi.c kernel_counter.c kernel_maps.c kernel_percpu.c kernel_uart.c kernel_vdso.c mm_tlb.c mm_uatomic.c mm_ucopy.c mm_user.c mm_young.c proc_no_step.c sched_fpu.c sched_ipi.c sched_irq_regs.c sched_plain.c sched_stacktrace.c test/k_kaslr.c test/k_stack_walk.c vdso_image.S)
