# SPDX-License-Identifier: MIT
# Rust: `core` from the packaged source, the kernel crate (rust/), the drivers (drivers/), each one object.
# A CPU without rust_target (LLVM does not know it) is built without.
rust_objs :=
ifneq ($(and $(rust_target),$(wildcard rust/lib.rs)),)
RUSTC ?= /usr/bin/rustc
BINDGEN ?= bindgen
RUST_SRC ?= $(firstword $(wildcard /usr/src/rustc-*/library))
CLIPPY ?= /usr/bin/clippy-driver
ifeq ($(RUST_SRC),)
$(error no Rust source: run ./ochre setup)
endif

r := $(O)/rust
rust_edition := 2024
rust_common := --target $(rust_target) -Zunstable-options -Cpanic=abort -Cembed-bitcode=n $(or $(rust_frames),-Cforce-frame-pointers=y) \
	-Cdebuginfo=1 -Copt-level=2 $(rust_align) -Ccodegen-units=1 --sysroot=$(r)/none -L $(r) -Ztemps-dir=$(r) \
	--remap-path-prefix=$(srctree)/= --remap-path-prefix=$(RUST_SRC)=rust-src $(rust_flags) $(if $(DEBUG),$(rust_debug_flags))
# Not of core: what a driver uses of it is built into the driver.
rust_cov := $(if $(DEBUG),$(rust_cov_flags))
rust_lints := --edition=$(rust_edition) --check-cfg 'cfg(lockdep)' --check-cfg 'cfg(kcov)' --check-cfg 'cfg(module)' --check-cfg 'cfg(dormant)' -Dwarnings -Aunknown_lints -Dunsafe_op_in_unsafe_fn -Drust_2018_idioms
clippy_lints := -Dclippy::undocumented_unsafe_blocks -Dclippy::unwrap_used -Dclippy::expect_used -Dclippy::indexing_slicing \
	-Dclippy::panic -Aclippy::missing_safety_doc
# A stable compiler builds core when told that it bootstraps.
rustc := env -u MAKEFLAGS -u MFLAGS RUSTC_BOOTSTRAP=1 $(RUSTC)

# core is built once for a compiler and its flags, then kept: 15 s.
core_edition := $(or $(shell sed -n 's/^edition = "\(.*\)"/\1/p' $(RUST_SRC)/core/Cargo.toml),2021)
core_flags := $(rust_common) --edition=$(core_edition) --cap-lints allow
$(shell mkdir -p $(r) && echo '$(RUSTC) $(RUST_SRC) $(core_flags)' | cmp -s - $(r)/flags || echo '$(RUSTC) $(RUST_SRC) $(core_flags)' > $(r)/flags)

$(r)/core.o: $(r)/flags
	$(call say,RUSTC,$@)$(rustc) $(core_flags) --crate-type=rlib --crate-name core --cfg no_fp_fmt_parse \
		--emit=obj=$@,metadata=$(r)/libcore.rmeta $(RUST_SRC)/core/src/lib.rs
$(r)/compiler_builtins.o: $(r)/core.o
	$(Q)printf '#![feature(compiler_builtins)]\n#![compiler_builtins]\n#![no_std]\n' > $(r)/compiler_builtins.rs
	$(Q)$(rustc) $(core_flags) --crate-type=rlib --crate-name compiler_builtins \
		--emit=obj=$@,metadata=$(r)/libcompiler_builtins.rmeta $(r)/compiler_builtins.rs

# What the kernel's C headers declare, for Rust.
clang_args := $(filter-out $(gcc_only_flags) -ffile-prefix-map=% -fwrapv -Werror,$(CPPFLAGS) $(filter-out --target=%,$(CFLAGS)))
$(r)/bindings.rs: rust/bindings.h config/rust.mk $(O)/flags | $(gen)/abi.stamp
	$(call say,BINDGEN,$@)LIBCLANG_PATH=$(LIBCLANG_PATH) $(BINDGEN) $< --use-core --rust-target 1.85 --rust-edition 2024 \
		--no-doc-comments --no-layout-tests --blocklist-item '__ktest.*|_Static.*' --ctypes-prefix core::ffi \
		--allowlist-item 'RTC_.*|rtc_(time|wkalrm|param)' --allowlist-file '.*/(lib|kernel|alloc|sched|mm|proc|dev|vfs|block|net|ipc|tty|fs|arch|arch_cpu|abi|rust|asm-generic)/[^/]*\.h' --allowlist-file '.*/asm/errno\.h' \
		--wrap-static-fns --wrap-static-fns-path $(r)/extern.c --experimental --default-enum-style consts \
		--depfile $@.d -o $@ -- --target=$(ARCH)-unknown-linux-gnu $(clang_args) -UCONFIG_PRESERVE_MOST $(bindgen_args) >$(r)/bindgen.log 2>&1 || { cat $(r)/bindgen.log; exit 1; }
$(r)/extern.c: $(r)/bindings.rs ;
$(r)/extern.o: $(r)/extern.c $(O)/flags
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-missing-prototypes -Wno-unused-variable -c $< -o $@

rust_kernel_src := $(shell find rust -name '*.rs' 2>/dev/null | sort)
rust_driver_src := $(shell find drivers -name '*.rs' 2>/dev/null | sort)
# Drivers that are crates of their own, drivers/NAME/lib.rs: modules, but for those named in BUILTIN, and on a CPU without modules.
driver_crates := $(patsubst drivers/%/lib.rs,%,$(wildcard drivers/*/lib.rs))
BUILTIN ?=
builtin_crates := $(filter $(if $(modules_supported),$(BUILTIN),%),$(driver_crates))
# Crates whose tests need more than what is pure: the tests, and what they call, are part of the image, which does not start the crate.
dormant_crates := $(filter-out $(builtin_crates),$(patsubst drivers/%/test,%,$(foreach c,$(driver_crates),$(wildcard drivers/$c/test))))
$(shell echo '$(builtin_crates)' | cmp -s - $(r)/builtin || echo '$(builtin_crates)' > $(r)/builtin)
$(O)/vmlinux.1: $(r)/builtin

rust_macros := $(wildcard rust/macros/lib.rs)
ifneq ($(rust_macros),)
# Procedural macros run in the compiler: a host library, built with the machine's own standard library.
$(r)/libmacros.so: $(shell find rust/macros -name '*.rs')
	$(call say,RUSTC,$@)env -u MAKEFLAGS -u MFLAGS $(RUSTC) --edition=$(rust_edition) -O --crate-type=proc-macro --crate-name macros -Cdebuginfo=0 \
		--remap-path-prefix=$(srctree)/= -o $@ rust/macros/lib.rs
macros_dep := $(r)/libmacros.so
macros_flag := --extern macros=$(r)/libmacros.so
endif

$(r)/kernel.o: $(filter-out rust/macros/%,$(rust_kernel_src)) $(r)/core.o $(r)/compiler_builtins.o $(r)/bindings.rs $(macros_dep)
	$(call say,RUSTC,$@)OCHRE_BINDINGS=$(abspath $(r))/bindings.rs $(rustc) $(rust_common) $(rust_lints) $(macros_flag) --crate-type=rlib \
		--crate-name kernel --emit=obj=$@,metadata=$(r)/libkernel.rmeta $(rust_quiet) $(rust_cov) rust/lib.rs
$(r)/drivers.o: $(rust_driver_src) $(r)/kernel.o
	$(call say,RUSTC,$@)$(rustc) $(rust_common) $(rust_lints) -Funsafe_code $(macros_flag) --extern kernel=$(r)/libkernel.rmeta --crate-type=rlib \
		--crate-name drivers --emit=obj=$@,metadata=$(r)/libdrivers.rmeta $(rust_quiet) $(rust_cov) drivers/lib.rs

# Those that are part of the image.
define rust_crate_rule
$$(r)/$1.o: $$(shell find drivers/$1 -name '*.rs') $$(r)/drivers.o $$(r)/builtin
	$$(call say,RUSTC,$$@)$$(rustc) $$(rust_common) $$(rust_lints) $2 -Funsafe_code $$(macros_flag) $$(externs) --crate-type=rlib \
		--crate-name $1 --emit=obj=$$@ $$(rust_quiet) $$(rust_cov) drivers/$1/lib.rs
endef
externs := --extern kernel=$(r)/libkernel.rmeta --extern drivers=$(r)/libdrivers.rmeta
$(foreach c,$(builtin_crates),$(eval $(call rust_crate_rule,$c)))
$(foreach c,$(dormant_crates),$(eval $(call rust_crate_rule,$c,--cfg dormant)))
# As code of LLVM's, whether they are modules or not.
$(patsubst %,$(O)/ir/rust/%.ll,$(driver_crates)): $(O)/ir/rust/%.ll: $(rust_driver_src) $(r)/drivers.o
	$(Q)mkdir -p $(@D)
	$(call say,IR,$@)$(rustc) $(rust_common) $(rust_lints) $(macros_flag) -Cdebuginfo=0 $(externs) --crate-type=rlib \
		--crate-name $* --emit=llvm-ir=$@ drivers/$*/lib.rs

# Both crates, and what C's inline functions are for Rust, as LLVM's code: see the Makefile.
$(O)/ir/rust/kernel.ll: $(r)/kernel.o
	$(Q)mkdir -p $(@D)
	$(call say,IR,$@)OCHRE_BINDINGS=$(abspath $(r))/bindings.rs $(rustc) $(rust_common) $(rust_lints) $(macros_flag) -Cdebuginfo=0 --crate-type=rlib \
		--crate-name kernel --emit=llvm-ir=$@ rust/lib.rs
$(O)/ir/rust/drivers.ll: $(r)/drivers.o
	$(Q)mkdir -p $(@D)
	$(call say,IR,$@)$(rustc) $(rust_common) $(rust_lints) $(macros_flag) -Cdebuginfo=0 --extern kernel=$(r)/libkernel.rmeta --crate-type=rlib \
		--crate-name drivers --emit=llvm-ir=$@ drivers/lib.rs
$(O)/ir/rust/extern.ll: $(r)/extern.c $(O)/flags
	$(Q)mkdir -p $(@D)
	$(call say,IR,$@)$(CC) $(CPPFLAGS) $(ir_flags) -S -emit-llvm -c $< -o $@
rust_ir := $(addprefix $(O)/ir/rust/,kernel.ll drivers.ll extern.ll $(driver_crates:%=%.ll))

# The documentation's examples, as in-kernel tests.
$(r)/doctests.rs: tools/rustdoc.py $(rust_kernel_src) $(rust_driver_src)
	$(Q)python3 tools/rustdoc.py $@
$(r)/doctests.o: $(r)/doctests.rs $(r)/drivers.o
	$(call say,RUSTC,$@)$(rustc) $(rust_common) $(rust_lints) $(macros_flag) --extern kernel=$(r)/libkernel.rmeta \
		--extern drivers=$(r)/libdrivers.rmeta --crate-type=rlib -Copt-level=s --crate-name doctests --emit=obj=$@ $(rust_quiet) $<

# clippy's word on the crates; not part of a build, but of the tests.
.PHONY: clippy
clippy: $(r)/kernel.o $(if $(wildcard drivers/lib.rs),$(r)/drivers.o)
	$(Q)OCHRE_BINDINGS=$(abspath $(r))/bindings.rs RUSTC_BOOTSTRAP=1 $(CLIPPY) $(rust_common) $(rust_lints) $(clippy_lints) $(macros_flag) --crate-type=rlib \
		--crate-name kernel --emit=metadata=$(r)/clippy-kernel.rmeta rust/lib.rs
	$(if $(wildcard drivers/lib.rs),$(Q)RUSTC_BOOTSTRAP=1 $(CLIPPY) $(rust_common) $(rust_lints) $(clippy_lints) -Funsafe_code $(macros_flag) \
		--extern kernel=$(r)/libkernel.rmeta --crate-type=rlib --crate-name drivers --emit=metadata=$(r)/clippy-drivers.rmeta drivers/lib.rs)
	$(Q)set -e; for c in $(driver_crates); do RUSTC_BOOTSTRAP=1 $(CLIPPY) $(rust_common) $(rust_lints) $(clippy_lints) -Funsafe_code $(macros_flag) \
		$(externs) --crate-type=rlib --crate-name $$c --emit=metadata=$(r)/clippy-$$c.rmeta drivers/$$c/lib.rs; done

# How a driver's file is compiled, for tests/rust.
.PHONY: rust-command
rust-command: $(r)/kernel.o
	$(info RUSTC_BOOTSTRAP=1 $(RUSTC) $(rust_common) $(rust_lints) -Aunused -Adead_code -Funsafe_code $(macros_flag) --extern kernel=$(r)/libkernel.rmeta)@:

rust_c := $(wildcard rust/*.c)
rust_objs := $(r)/core.o $(rust_c:%.c=$(O)/%.o) $(r)/kernel.o $(r)/extern.o $(if $(wildcard drivers/lib.rs),$(r)/drivers.o $(r)/doctests.o) $(patsubst %,$(r)/%.o,$(builtin_crates) $(dormant_crates))
-include $(r)/bindings.rs.d $(rust_c:%.c=$(O)/%.d)
endif
