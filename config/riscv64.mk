# SPDX-License-Identifier: MIT
# riscv64: toolchain and code-generation flags.
CC := $(if $(filter default undefined,$(origin CC)),$(or $(HOST_CLANG),clang-22),$(CC))
LD := $(if $(filter default undefined,$(origin LD)),$(or $(HOST_LLD),ld.lld-22),$(LD))
OBJCOPY ?= $(or $(HOST_OBJCOPY),llvm-objcopy-22)
NM ?= $(or $(HOST_NM),llvm-nm-22)
UAPI ?= $(or $(OCHRE_UAPI),$(firstword $(wildcard build/host/root/usr/include build/host/uapi/usr/include) /usr/include))
uapi_triplet := riscv64-linux-gnu
cc_target := $(if $(findstring clang,$(CC)),--target=riscv64-unknown-none-elf)
# gp and tp are the kernel's own (per-CPU distance, running task): no small data, no relaxation to gp.
cc_flags := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -msmall-data-limit=0 -fno-stack-protector -DCONFIG_MODULES $(if $(findstring clang,$(CC)),-momit-leaf-frame-pointer)
modules_supported := 1
# Nobody relaxes modules: the loader would have to move code.
module_cc_flags := -mno-relax
include config/debug.mk
$(call with_kasan,0xdfffffe000000000)
rust_target := riscv64imac-unknown-none-elf
rust_flags := -Ccode-model=medium -Crelocation-model=static
# What it takes of the code that CPUs have in common.
arch_shared := $(addprefix arch/shared/,alloc_kasan.c boot_kaslr.c boot_no_acpi.c kernel_counter.c kernel_maps.c kernel_percpu.c kernel_vdso.c mm_tlb.c mm_ucopy.c mm_user.c mm_young.c proc_no_step.c proc_no_user.c sched_fpu.c sched_ipi.c sched_irq_regs.c sched_plain.c sched_stacktrace.c test/k_kaslr.c test/k_stack_walk.c vdso_image.S)
