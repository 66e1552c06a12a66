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
cc_flags += -DCONFIG_ATOMIC_FULL -m64 -march=x86-64 -mcmodel=kernel -mno-red-zone -fno-stack-protector -fcf-protection=none
# Release code of clang keeps no frame pointers: tools/mkunwind.py makes the table that backtraces are found by.
ifneq ($(cc_is_clang),)
ifeq ($(DEBUG),)
unwind_table := 1
cc_flags += -fomit-frame-pointer -DCONFIG_UNWIND_TABLE
rust_frames := -Cforce-frame-pointers=n
endif
endif
debug_defines := -DCONFIG_KASAN -DCONFIG_UBSAN -DCONFIG_LOCKDEP -DCONFIG_KCOV -DCONFIG_FAULT_INJECTION -DCONFIG_KMEMLEAK
# The sanitizers know only systems by name; code for the kernel comes out the same.
debug_flags := --target=x86_64-linux-gnu -fsanitize=kernel-address -mllvm -asan-mapping-offset=0xdffffc0000000000 \
	-mllvm -asan-stack=1 -fsanitize-address-use-after-scope -mllvm -asan-globals=1 -mllvm -asan-kernel-mem-intrinsic-prefix=1 -mllvm -asan-instrumentation-with-call-threshold=10000 \
	-fsanitize=bounds,shift,integer-divide-by-zero,unreachable,bool,enum,returns-nonnull-attribute,nonnull-attribute,array-bounds

rust_debug_flags := --cfg lockdep --cfg kcov -Zsanitizer=kernel-address -Cllvm-args=-asan-mapping-offset=0xdffffc0000000000 -Cllvm-args=-asan-stack=0 \
	-Cllvm-args=-asan-kernel-mem-intrinsic-prefix=1
# Coverage: a call at each branch and comparison, kept out of what sets the processor up and takes exceptions (Makefile says what else).
# LLVM from 22 on can put comparisons' calls behind a word that a function reads at its beginning (sched/kcov.c).
llvm_gates = $(shell test "$$($(1) | sed -n 's/.*\(clang\|LLVM\) version:* \([0-9]*\).*/\2/p' | head -n 1)" -ge 22 2>/dev/null && echo yes)
ifneq ($(DEBUG),)
cov_gated := $(call llvm_gates,$(CC) --version)
rust_cov_gated := $(call llvm_gates,$(or $(RUSTC),rustc) --version --verbose)
endif
cov_flags := -fsanitize-coverage=trace-pc,trace-cmp $(if $(cov_gated),-mllvm -sanitizer-coverage-gated-trace-callbacks)
rust_cov_flags := -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 -Cllvm-args=-sanitizer-coverage-trace-pc \
	-Cllvm-args=-sanitizer-coverage-trace-compares $(if $(rust_cov_gated),-Cllvm-args=-sanitizer-coverage-gated-trace-callbacks)
arch_nocov := $(addprefix arch/x86_64/,boot_%.c kernel_%.c sched_%.c alloc_%.c) $(addprefix arch/shared/,kernel_%.c mm_tlb.c)
rust_target := x86_64-unknown-none
rust_flags := -Ccode-model=kernel -Crelocation-model=static -Cno-redzone=y -Ctarget-cpu=x86-64 -Zplt=yes -Zdirect-access-external-data=yes
# What it takes of the code that CPUs have in common.
arch_shared := $(addprefix arch/shared/,boot_efi.c kernel_maps.c kernel_vdso.c mm_tlb.c mm_user.c mm_uatomic.c vdso_image.S)
# The EFI stub runs where the firmware put it, before anything is set up.
arch_nosan := arch/shared/boot_efi.c arch/x86_64/boot_efi.c
$(foreach f,$(arch_nosan),$(eval cflags_$(f:.c=) := -fpie -mcmodel=small))
