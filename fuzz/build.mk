# The fuzzer: a program for the guest, with LLVM's libFuzzer as its engine, and a tool for this machine.
fuzz_cflags := -std=gnu11 -O2 -g -Wall -Wextra -Werror -I$(srctree)
fuzz_clang := $(or $(HOST_CLANG),clang-22)
fuzz_engine = $(dir $(shell $(fuzz_clang) -print-runtime-dir))linux/libclang_rt.fuzzer_no_main-x86_64.a
fuzz_headers := $(wildcard fuzz/*.h)

$(O)/fuzz/desc.c: abi/syscalls.tbl fuzz/values.txt tools/mkfuzzdesc.py tools/abi-gen.py
	$(call say,GEN,$@)python3 tools/mkfuzzdesc.py $(ARCH) $@
$(O)/fuzz/desc.o: $(O)/fuzz/desc.c fuzz/desc.h
	$(call say,CC,$@)$(fuzz_clang) $(fuzz_cflags) -nostdlibinc $(uapi_flags) -c $< -o $@
$(O)/fuzz/%.o: fuzz/%.c $(fuzz_headers)
	$(Q)mkdir -p $(@D)
	$(call say,CC,$@)$(fuzz_clang) $(fuzz_cflags) -c $< -o $@
$(O)/fuzz/toc.o: fuzz/uring.c
$(O)/fuzz/fuzz: $(addprefix $(O)/fuzz/,main.o watch.o balloon.o exec.o exec_calls.o uring.o parties.o stage.o referee.o mutate.o prog.o desc.o)
	$(call say,LD,$@)$(fuzz_clang) -static $^ $(fuzz_engine) -lstdc++ -lm -o $@
# A program of root's in the stage that programs are played against.
$(O)/fuzz/setuid: fuzz/setuid.c
	$(Q)mkdir -p $(@D)
	$(call say,LD,$@)$(fuzz_clang) $(fuzz_cflags) -static -nostdlib -ffreestanding -fno-stack-protector $< -o $@
$(O)/fuzz/tool: $(addprefix $(O)/fuzz/,tool.o toc.o mutate.o prog.o desc.o)
	$(call say,LD,$@)$(fuzz_clang) $^ -o $@
