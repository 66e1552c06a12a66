# SPDX-License-Identifier: MIT
# aarch64: toolchain and code-generation flags.
CC := $(if $(filter default undefined,$(origin CC)),$(or $(HOST_CLANG),clang-22),$(CC))
LD := $(if $(filter default undefined,$(origin LD)),$(or $(HOST_LLD),ld.lld-22),$(LD))
OBJCOPY ?= $(or $(HOST_OBJCOPY),llvm-objcopy-22)
NM ?= $(or $(HOST_NM),llvm-nm-22)
UAPI ?= $(or $(OCHRE_UAPI),$(firstword $(wildcard build/host/root/usr/include build/host/uapi/usr/include) /usr/include))
uapi_triplet := aarch64-linux-gnu
cc_target := $(if $(findstring clang,$(CC)),--target=aarch64-unknown-none-elf)
# The builtins of C that are atomic are <arch_cpu/atomic.h>'s, Rust's go through lse.S: exclusives or FEAT_LSE, chosen at boot.
cc_flags := -march=armv8-a -mgeneral-regs-only -mstrict-align -mno-outline-atomics -fno-stack-protector -DCONFIG_MODULES -DCONFIG_ATOMIC_FULL -DCONFIG_PRESERVE_MOST -include arch/aarch64/include/arch_cpu/atomic.h
modules_supported := 1
include config/debug.mk
$(call with_kasan,0xdfff800000000000)
rust_target := aarch64-unknown-none-softfloat
rust_flags := -Crelocation-model=static -Ctarget-feature=+outline-atomics
# The compiler warns of the feature's name each time; what it warns of in the code is said by clippy, and on x86_64.
rust_quiet := -Awarnings
# What it takes of the code that CPUs have in common.
arch_shared := $(addprefix arch/shared/,alloc_kasan.c boot_acpi.c boot_efi.c boot_kaslr.c kernel_counter.c kernel_maps.c kernel_percpu.c kernel_vdso.c mm_uatomic.c mm_ucopy.c mm_user.c proc_no_user.c sched_ipi.c sched_irq_regs.c sched_plain.c sched_stacktrace.c test/k_stack_walk.c vdso_image.S)
