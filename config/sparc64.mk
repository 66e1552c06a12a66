# SPDX-License-Identifier: MIT
# sparc64: toolchain and code-generation flags. GNU's compiler and linker: lld (22) lacks the relocations of V9's branches.
cross := build/host/gcc-sparc64/bin/sparc64-linux-gnu-
CC := $(if $(filter default undefined,$(origin CC)),$(cross)gcc,$(CC))
LD := $(if $(filter default undefined,$(origin LD)),$(cross)ld,$(LD))
OBJCOPY ?= $(or $(HOST_OBJCOPY),llvm-objcopy-22)
NM ?= $(or $(HOST_NM),llvm-nm-22)
UAPI ?= $(or $(OCHRE_UAPI),$(firstword $(wildcard build/host/root/usr/include build/host/uapi/usr/include) /usr/include))
uapi_triplet := sparc64-linux-gnu
# %g6 and %g7 are the kernel's own (running task, per-CPU distance); no compiler touches them. The image is in the low 32 bits.
# No warning of what may be uninitialized: gcc's guesses depend on what it inlines; and a volatile that a test only writes is used.
gcc_only_flags := -mcpu=ultrasparc -mcmodel=medlow -mno-fpu -mno-app-regs -mmemory-model=tso -Wno-maybe-uninitialized \
	-Wno-unused-but-set-variable
cc_flags := -m64 -DCONFIG_ATOMIC_FULL $(gcc_only_flags) -fno-stack-protector
debug_defines := -DCONFIG_KMEMLEAK
rust_target := config/sparc64-unknown-none.json
# What gcc takes and clang, which reads the headers for Rust, does not, is in gcc_only_flags.
rust_flags := -Crelocation-model=static -Ccode-model=small
# What it takes of the code that CPUs have in common.
arch_shared := $(addprefix arch/shared/,boot_no_acpi.c boot_no_dt.c kernel_counter.c kernel_maps.c kernel_no_vdso.c kernel_percpu.c kernel_uart.c mm_tlb.c mm_uatomic.c mm_ucopy.c mm_user.c mm_young.c proc_no_step.c proc_no_user.c sched_fpu.c sched_irq_regs.c sched_plain.c)
