# SPDX-License-Identifier: MIT
# Modules: a row says NAME=SOURCE, and `make` builds $(O)/modules/NAME.ko. They have frame pointers (no table describes their stack), and in the
# debug build neither sanitizers nor coverage. A CPU without modules_supported builds none.
modules := hello=tests/modules/hello.c

module_names := $(if $(modules_supported),$(foreach m,$(modules),$(firstword $(subst =, ,$m))))
module_source = $(word 2,$(subst =, ,$(filter $1=%,$(modules))))
module_flags := $(filter-out -ffunction-sections -fdata-sections -fomit-frame-pointer,$(CFLAGS)) -fno-omit-frame-pointer -fno-optimize-sibling-calls

define module_rule
$(O)/modules/$1.ko: $(call module_source,$1) $(O)/flags config/modules.mk | $(gen)/abi.stamp
	$$(Q)mkdir -p $$(@D)
	$$(call say,KO,$$@)$$(CC) $$(CPPFLAGS) $$(module_flags) -DMODULE -DMODULE_NAME='"$1"' -MMD -MP -MT $$@ -MF $(O)/modules/$1.d -c $$< -o $(O)/modules/$1.o
	$$(Q)$$(OBJCOPY) --strip-debug $(O)/modules/$1.o $$@
-include $(O)/modules/$1.d
all: $(O)/modules/$1.ko
endef
$(foreach m,$(module_names),$(eval $(call module_rule,$m)))
