# SPDX-License-Identifier: MIT
# What clang's debug builds have on each CPU: undefined behaviour, lock order, coverage, failures on purpose, leaks. (KASAN needs a CPU's shadow: with_kasan.)
debug_defines := -DCONFIG_UBSAN -DCONFIG_LOCKDEP -DCONFIG_KCOV -DCONFIG_SECTIONS -DCONFIG_FAULT_INJECTION -DCONFIG_KMEMLEAK
# The sanitizers know only systems by name; code for the kernel comes out the same.
debug_flags := --target=$(uapi_triplet) \
	-fsanitize=bounds,shift,integer-divide-by-zero,unreachable,bool,enum,returns-nonnull-attribute,nonnull-attribute,array-bounds
rust_debug_flags := --cfg lockdep --cfg kcov
# The address sanitizer, where the CPU has arch_cpu/kasan.h: $(call with_kasan,OFFSET[,CALLS]), that file's KASAN_SHADOW_OFFSET;
# functions of more than CALLS accesses (10000) check them by calls.
define kasan_settings
debug_defines += -DCONFIG_KASAN
debug_flags += -fsanitize=kernel-address -mllvm -asan-mapping-offset=$(1) \
	-mllvm -asan-stack=1 -fsanitize-address-use-after-scope -mllvm -asan-globals=1 -mllvm -asan-kernel-mem-intrinsic-prefix=1 -mllvm -asan-instrumentation-with-call-threshold=$(or $(2),10000)
rust_debug_flags += -Zsanitizer=kernel-address -Cllvm-args=-asan-mapping-offset=$(1) -Cllvm-args=-asan-stack=0 \
	-Cllvm-args=-asan-kernel-mem-intrinsic-prefix=1 $(if $(2),-Cllvm-args=-asan-instrumentation-with-call-threshold=$(2))
endef
with_kasan = $(eval $(kasan_settings))
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
arch_nocov := $(addprefix arch/$(ARCH)/,boot_%.c kernel_%.c sched_%.c alloc_%.c mm_fault.c mm_tlb.c mm_cache.c mm_icache.c) $(addprefix arch/shared/,boot_%.c kernel_%.c sched_%.c mm_tlb.c mm_young.c)
# Not where code runs before it was moved to its place, or by physical addresses.
arch_nosan := $(wildcard $(addprefix arch/shared/,boot_efi.c boot_kaslr.c) $(addprefix arch/$(ARCH)/,boot_efi.c boot_early.c boot_kaslr.c))
