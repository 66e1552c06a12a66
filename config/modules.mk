# SPDX-License-Identifier: MIT
# Modules: a row says NAME=SOURCE, C (several with commas between) or the root of a crate in Rust (see rust/module.rs), and `make` builds $(O)/modules/NAME.ko, signed by the key in $(MODULE_KEY), which the first build makes. Drivers that are crates of their own (drivers/NAME/lib.rs) are modules, too, but for those that BUILTIN="NAME..." makes part of the image. They have frame pointers (no table describes their stack), and in the
# debug build neither sanitizers nor coverage. A CPU without modules_supported builds none.
modules := hello=tests/modules/hello.c hello_base=tests/modules/hello_base.c hello_user=tests/modules/hello_user.c
ifneq ($(rust_objs),)
modules += hello_rust=tests/modules/hello_rust.rs $(foreach c,$(filter-out $(builtin_crates),$(driver_crates)),$c=drivers/$c/lib.rs)
endif
# Modules where a CPU has them, parts of the image elsewhere: one source (kernel/module.h).
comma := ,
either := dummy=net/virt/dummy.c
either += bridge=net/virt/bridge.c,net/virt/bridge_fdb.c,net/virt/bridge_forward.c,net/virt/bridge_stations.c,net/virt/bridge_table.c
modules += $(either)
either_sources := $(foreach m,$(either),$(subst $(comma), ,$(lastword $(subst =, ,$m))))
ifneq ($(modules_supported),)
csrc := $(filter-out $(either_sources),$(csrc))
objs := $(filter-out $(either_sources:%.c=$(O)/%.o),$(objs))
endif
$(foreach m,$(either),$(foreach f,$(subst $(comma), ,$(lastword $(subst =, ,$m))),$(eval cflags_$(f:.c=) += -DMODULE_NAME='"$(firstword $(subst =, ,$m))"')))
MODULE_KEY ?= build/host/module-key

module_names := $(if $(modules_supported),$(foreach m,$(modules),$(firstword $(subst =, ,$m))))
module_source = $(subst $(comma), ,$(word 2,$(subst =, ,$(filter $1=%,$(modules)))))
module_flags := $(filter-out -ffunction-sections -fdata-sections -fomit-frame-pointer,$(CFLAGS)) -fno-omit-frame-pointer -fno-optimize-sibling-calls -g2 $(module_cc_flags)
# What each module in C exports, for the others.
c_symvers = $(foreach m,$(module_names),$(if $(filter %.c,$(call module_source,$m)),$(O)/modules/$m.symvers))

# What comes of the sources $2 (in C) in the folder $3, with flags $4. Its objects and dependencies lie in $3/$1.objects.
# The digest that costs least: CPUs of x86-64 have instructions for SHA-256, on others the longer words of SHA-512 make it cheaper.
module_digest := $(if $(filter x86_64,$(ARCH)),sha256,sha512)

define module_rule
$3/$1.symvers: $2 $(O)/flags config/modules.mk tools/mkexports.py tools/mktypes.py | $(gen)/abi.stamp
	$$(Q)mkdir -p $3/$1.objects
	$$(Q)set -e; for f in $2; do o=$3/$1.objects/$$$$(basename $$$$f .c); \
		$$(CC) $$(CPPFLAGS) $$(module_flags) $4 -DMODULE -DMODULE_NAME='"$1"' -MMD -MP -MT $$@ -MF $$$$o.d -c $$$$f -o $$$$o.o; done
	$$(Q)$$(LD) -m $$(ld_emulation) -r -o $3/$1.c.o $$(patsubst %.c,$3/$1.objects/%.o,$$(notdir $2))
	$$(Q)python3 tools/mkexports.py $1 $3/$1.c.o $$(dwarfdump) $3/$1.exports.S $$@
	$$(Q)$$(OBJCOPY) --strip-debug --remove-section=.discard.exports --remove-section=.rela.discard.exports -w --strip-symbol='__exported_*' $3/$1.c.o
	$$(Q)$$(CC) $$(cc_target) $$(cc_abi) -c $3/$1.exports.S -o $3/$1.exports.o
	$$(Q)$$(LD) -m $$(ld_emulation) -r -o $3/$1.o $3/$1.c.o $3/$1.exports.o
$3/$1.ko: $3/$1.symvers $(c_symvers) tools/signmodule.py tools/mkversions.py $(gen)/Module.symvers $(MODULE_KEY)/cert.pem
	$$(call say,KO,$$@)python3 tools/mkversions.py $3/$1.o $(gen)/Module.symvers $3/$1.versions $(c_symvers)
	$$(Q)$$(OBJCOPY) --strip-debug --add-section __versions=$3/$1.versions $3/$1.o $3/$1.stripped
	$$(Q)python3 tools/signmodule.py $(MODULE_KEY) $3/$1.stripped $$@ $(module_digest)
-include $$(wildcard $3/$1.objects/*.d)
endef

# The address sanitizer's constructors, which nobody would call, would keep all of core. The parts of core that it needs are linked into it; what it imports must be in the list of what the image exports to Rust.
define rust_module_rule
$3/$1.ko: $2 $(if $(filter %/lib.rs,$2),$(shell find $(dir $2) -name '*.rs')) $(gen)/rust_exports.stamp rust/module/info.c rust/module/link.lds $(O)/flags config/modules.mk tools/signmodule.py \
		tools/mkversions.py $(MODULE_KEY)/cert.pem
	$$(Q)mkdir -p $$(@D)
	$$(call say,KO,$$@)$$(rustc) $$(rust_common) -Cforce-frame-pointers=y $$(rust_lints) --cfg module -Funsafe_code --extern kernel=$$(r)/libkernel.rmeta --extern drivers=$$(r)/libdrivers.rmeta --crate-type=rlib \
		--crate-name $1 -Ztemps-dir=$3 --emit=obj=$3/$1.rust.o $$(rust_quiet) $5 $$<
	$$(Q)$$(CC) $$(CPPFLAGS) $$(module_flags) $4 -DMODULE -DMODULE_NAME='"$1"' -DMODULE_RUST_KERNEL="\"$$$$(head -1 $(gen)/rust_exports)\"" -c rust/module/info.c -o $3/$1.info.o
	$$(Q)for f in $3/$1.rust.o $$(r)/core.o; do $$(OBJCOPY) --strip-debug -w \
		$$(foreach s,.init_array* .fini_array* .text.asan.module_* .eh_frame,--remove-section='$$s' --remove-section='.rela$$s') $$$$f $3/$1.$$$$(basename $$$$f .rust.o).part || exit; done
	$$(Q)$$(LD) -m $$(ld_emulation) -r --gc-sections -u init_module -u cleanup_module -T rust/module/link.lds -o $3/$1.o $3/$1.$1.part \
		$3/$1.info.o $3/$1.core.o.part
	$$(Q)python3 tools/mkversions.py $3/$1.o $(gen)/rust_exports
	$$(Q)$$(OBJCOPY) --strip-debug --strip-unneeded --keep-symbol=init_module --keep-symbol=cleanup_module $3/$1.o $3/$1.stripped
	$$(Q)python3 tools/signmodule.py $(MODULE_KEY) $3/$1.stripped $$@ $(module_digest)
endef
module_of = $(if $(filter %.rs,$2),rust_)module_rule
$(foreach m,$(module_names),$(eval $(call $(call module_of,$m,$(call module_source,$m)),$m,$(call module_source,$m),$(O)/modules))$(eval all: $(O)/modules/$m.ko))

# What is a module no more (BUILTIN now names it, or its row went) is not installed: whoever installs takes all that lie there.
.PHONY: stale_modules
all: stale_modules
stale_modules:
	$(Q)rm -f $(filter-out $(module_names:%=$(O)/modules/%.ko),$(wildcard $(O)/modules/*.ko))

# One from outside of the tree, for ./ochre module: MODULE_OUTSIDE is its name; the folder MODULE_AT has its sources in src/ and gets what comes of them. MODULE_SOURCES are their names there, in Rust the crate's
# root; MODULE_USES are more tables of what other modules export. A warning is no error in it.
ifneq ($(MODULE_OUTSIDE),)
c_symvers += $(MODULE_USES)
$(eval $(call $(call module_of,,$(MODULE_SOURCES)),$(MODULE_OUTSIDE),$(addprefix $(MODULE_AT)/src/,$(MODULE_SOURCES)),$(MODULE_AT),-Wno-error -DMODULE_OUTSIDE \
	-ffile-prefix-map=$(MODULE_AT)/src=.,-Wwarnings --remap-path-prefix=$(MODULE_AT)/src=.))
.PHONY: module
module: $(MODULE_AT)/$(MODULE_OUTSIDE).ko
endif

# The image has the public half of the key.
ifneq ($(module_names),)
$(MODULE_KEY)/cert.pem:
	$(Q)python3 tools/modkey.py $(MODULE_KEY)
$(gen)/module_key.c: $(MODULE_KEY)/cert.pem tools/modkey.py
	$(Q)mkdir -p $(@D)
	$(Q)python3 tools/modkey.py $(MODULE_KEY) $@
$(O)/gen/module_key.o: $(gen)/module_key.c $(O)/flags | $(gen)/abi.stamp
	$(cc_rule)
objs += $(O)/gen/module_key.o

# What it exports to modules in Rust.
ifneq ($(rust_objs),)
rust_helpers := $(if $(filter aarch64,$(ARCH)),$(O)/arch/aarch64/lse.o)
$(gen)/rust_exports.stamp: $(r)/kernel.o $(r)/drivers.o $(r)/extern.o $(rust_helpers) rust/module/exports tools/rustexports.py
	$(Q)mkdir -p $(@D)
	$(Q)python3 tools/rustexports.py rust/module/exports $(NM) $(r)/libkernel.rmeta $(r)/libdrivers.rmeta $(r)/kernel.o $(r)/drivers.o $(r)/extern.o $(rust_helpers) $(gen)/rust_exports.S $(gen)/rust_exports
	$(Q)touch $@
$(O)/gen/rust_exports.o: $(gen)/rust_exports.stamp
	$(Q)$(CC) $(cc_target) $(cc_abi) -c $(gen)/rust_exports.S -o $@
objs += $(O)/gen/rust_exports.o
endif

# The types of what the image exports: debug information of one file, and the hashes of it.
export_sources := $(shell grep -lE '^EXPORT(_DEBUG)?\b' $(csrc))
types_flags := $(filter-out -g1,$(CFLAGS)) -g2 $(if $(findstring clang,$(CC)),-fstandalone-debug)
dwarfdump = $(dir $(OBJCOPY))llvm-dwarfdump$(patsubst llvm-objcopy%,%,$(notdir $(OBJCOPY)))
$(gen)/export_types.c: $(export_sources) tools/mktypes.py
	$(Q)mkdir -p $(@D)
	$(Q)python3 tools/mktypes.py source . lib,kernel,alloc,sched,mm,proc,dev,vfs,net $(export_sources) > $@
$(gen)/export_types.o: $(gen)/export_types.c $(O)/flags | $(gen)/abi.stamp
	$(Q)$(CC) $(CPPFLAGS) $(types_flags) -MMD -MP -c $< -o $@
-include $(gen)/export_types.d
# Touched only where it changed: modules and the image depend on it.
$(gen)/types.stamp: $(gen)/export_types.o tools/mktypes.py
	$(Q)python3 tools/mktypes.py hash $< $(dwarfdump) > $(gen)/Module.symvers.new
	$(Q)cmp -s $(gen)/Module.symvers.new $(gen)/Module.symvers || cp $(gen)/Module.symvers.new $(gen)/Module.symvers
	$(Q)touch $@
$(gen)/Module.symvers: $(gen)/types.stamp ;
endif
