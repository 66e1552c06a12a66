# SPDX-License-Identifier: MIT
# aarch64: toolchain and code-generation flags.
CC := $(if $(filter default undefined,$(origin CC)),$(or $(HOST_CLANG),clang-22),$(CC))
LD := $(if $(filter default undefined,$(origin LD)),$(or $(HOST_LLD),ld.lld-22),$(LD))
OBJCOPY ?= $(or $(HOST_OBJCOPY),llvm-objcopy-22)
NM ?= $(or $(HOST_NM),llvm-nm-22)
UAPI ?= $(or $(OCHRE_UAPI),$(firstword $(wildcard build/host/root/usr/include build/host/uapi/usr/include) /usr/include))
uapi_triplet := aarch64-linux-gnu
cc_target := $(if $(findstring clang,$(CC)),--target=aarch64-unknown-none-elf)
# -mno-outline-atomics: no helpers outside the kernel; the base set's exclusive pairs work on each CPU.
cc_flags := -march=armv8-a -mgeneral-regs-only -mstrict-align -mno-outline-atomics -fno-stack-protector
debug_defines := -DCONFIG_KMEMLEAK
rust_target := aarch64-unknown-none-softfloat
rust_flags := -Crelocation-model=static
# What it takes of the code that CPUs have in common.
arch_shared := $(addprefix arch/shared/,kernel_maps.c kernel_vdso.c mm_user.c mm_uatomic.c mm_ucopy.c vdso_image.S)
