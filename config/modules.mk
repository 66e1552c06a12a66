# SPDX-License-Identifier: MIT
# Modules: a row says NAME=SOURCE, and `make` builds $(O)/modules/NAME.ko, signed by the key in $(MODULE_KEY), which the first build makes. They have frame pointers (no table describes their stack), and in the
# debug build neither sanitizers nor coverage. A CPU without modules_supported builds none.
modules := hello=tests/modules/hello.c
MODULE_KEY ?= build/host/module-key

module_names := $(if $(modules_supported),$(foreach m,$(modules),$(firstword $(subst =, ,$m))))
module_source = $(word 2,$(subst =, ,$(filter $1=%,$(modules))))
module_flags := $(filter-out -ffunction-sections -fdata-sections -fomit-frame-pointer,$(CFLAGS)) -fno-omit-frame-pointer -fno-optimize-sibling-calls

define module_rule
$(O)/modules/$1.ko: $(call module_source,$1) $(O)/flags config/modules.mk tools/signmodule.py tools/mkversions.py $(gen)/Module.symvers $(MODULE_KEY)/cert.pem | $(gen)/abi.stamp
	$$(Q)mkdir -p $$(@D)
	$$(call say,KO,$$@)$$(CC) $$(CPPFLAGS) $$(module_flags) -DMODULE -DMODULE_NAME='"$1"' -MMD -MP -MT $$@ -MF $(O)/modules/$1.d -c $$< -o $(O)/modules/$1.o
	$$(Q)python3 tools/mkversions.py $(O)/modules/$1.o $(gen)/Module.symvers $(O)/modules/$1.versions
	$$(Q)$$(OBJCOPY) --strip-debug --add-section __versions=$(O)/modules/$1.versions $(O)/modules/$1.o $(O)/modules/$1.stripped
	$$(Q)python3 tools/signmodule.py $(MODULE_KEY) $(O)/modules/$1.stripped $$@
-include $(O)/modules/$1.d
all: $(O)/modules/$1.ko
endef
$(foreach m,$(module_names),$(eval $(call module_rule,$m)))

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

# The types of what the image exports: debug information of one file, and the hashes of it.
export_sources := $(shell grep -l '^EXPORT\b' $(csrc))
types_flags := $(filter-out -g1,$(CFLAGS)) -g2 $(if $(findstring clang,$(CC)),-fstandalone-debug)
dwarfdump = $(dir $(OBJCOPY))llvm-dwarfdump$(patsubst llvm-objcopy%,%,$(notdir $(OBJCOPY)))
$(gen)/export_types.c: $(export_sources) tools/mktypes.py
	$(Q)mkdir -p $(@D)
	$(Q)python3 tools/mktypes.py source . lib,kernel,alloc,sched,mm,proc,dev,vfs $(export_sources) > $@
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
