# SPDX-License-Identifier: MIT
# x86_64: toolchain and code-generation flags.
CC := $(if $(filter default,$(origin CC)),clang-22,$(CC))
LD := $(if $(filter default,$(origin LD)),ld.lld-22,$(LD))
OBJCOPY ?= llvm-objcopy-22
NM ?= llvm-nm-22
UAPI ?= $(firstword $(wildcard build/host/root/usr/include) $(OCHRE_UAPI) /usr/include)
uapi_triplet := x86_64-linux-gnu
cc_is_clang := $(findstring clang,$(CC))
ifeq ($(cc_is_clang),)
cc_flags := -mgeneral-regs-only
gcc_inc := $(shell $(CC) -print-file-name=include)
else
cc_target := --target=x86_64-unknown-none-elf
cc_flags := -mno-mmx -mno-sse -mno-sse2 -mno-80387 -Xclang -target-feature -Xclang +soft-float
endif
cc_flags += -m64 -march=x86-64 -mcmodel=kernel -mno-red-zone -fno-stack-protector -fcf-protection=none
debug_flags :=
