# SPDX-License-Identifier: MIT
# alpha: toolchain and code-generation flags. LLVM has no backend for it: gcc's cross compiler (./ochre setup brings it), and no Rust.
gcc_prefix := $(if $(wildcard build/host/gcc-alpha/bin),build/host/gcc-alpha/bin/)alpha-linux-gnu-
CC := $(if $(filter default undefined,$(origin CC)),$(gcc_prefix)gcc,$(CC))
LD := $(if $(filter default undefined,$(origin LD)),$(gcc_prefix)ld,$(LD))
UAPI ?= $(or $(OCHRE_UAPI),$(firstword $(wildcard build/host/root/usr/include build/host/uapi/usr/include) /usr/include))
uapi_triplet := alpha-linux-gnu
cc_target :=
# $7 is the CPU's distance to its variables, $8 the running task. Backtraces read prologues (sched_stacktrace.c): no function is split, each
# begins with its own.
gcc_only_flags := -mcpu=ev67 -mno-fp-regs -ffixed-7 -ffixed-8 -fno-shrink-wrap -fno-reorder-blocks-and-partition -Wno-maybe-uninitialized
cc_flags := $(gcc_only_flags) -fno-stack-protector -DCONFIG_DEPENDENT_MB -DCONFIG_ATOMIC_FULL
debug_defines := -DCONFIG_KMEMLEAK
# What it takes of the code that CPUs have in common.
arch_shared := $(addprefix arch/shared/,boot_no_acpi.c boot_no_dt.c kernel_maps.c kernel_no_vdso.c kernel_percpu.c kernel_uart.c mm_tlb.c mm_uatomic.c mm_ucopy.c mm_user.c mm_young.c proc_no_step.c sched_fpu.c sched_ipi.c sched_irq_regs.c sched_plain.c)
