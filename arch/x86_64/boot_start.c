// SPDX-License-Identifier: MIT
/*
 * First C code. Boot protocols become struct boot_info; then the machine is made ready for start_kernel: traps, final
 * page tables, firmware tables, per-CPU areas. Until x86_build_kernel_tables only the first GiB can be read.
 */
#include <boot/efi.h>
#include <boot/info.h>
#include <boot/memmap.h>
#include <arch/clock.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/fpu.h>
#include <arch/patch.h>
#include <arch/irq.h>
#include <arch/preempt.h>
#include <arch_cpu/boot_proto.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/memblock.h>
#include <lib/string.h>
#include "arch/shared/kasan_init.h"
#include "arch/x86_64/boot_decode.h"
#include "arch/x86_64/x86_priv.h"
#include "arch/x86_64/entry_priv.h"

struct boot_info boot_info;

#define EARLY_LIMIT (1ULL << 30)

/* What a boot loader handed over by address: readable only below the early limit. */
static const void *__init early_ptr(u64 pa, size_t len)
{
	return pa && pa < EARLY_LIMIT && len <= EARLY_LIMIT - pa ? phys_to_virt(pa) : NULL;
}

/* The stub put all of it below the early limit. */
static void __init look_at_efi(phys_addr_t pa)
{
	const struct efi_handoff *h = early_ptr(pa, sizeof(*h));

	boot_info.protocol = "efi";
	if (h && h->magic == EFI_HANDOFF_MAGIC)
		boot_efi_look(&boot_info, h, phys_to_virt(h->map));
}

void __init __noreturn x86_start(u32 protocol, phys_addr_t params)
{
	x86_detect_cpu();
	if (protocol == BOOT_PROTO_PVH) {
		boot_info.protocol = "pvh";
		x86_decode_pvh(&boot_info, params, early_ptr, EARLY_LIMIT);
	} else if (protocol == BOOT_PROTO_EFI) {
		look_at_efi(params);
	} else {
		boot_info.protocol = protocol == BOOT_PROTO_LINUX64 ? "linux64" : "bzimage";
		x86_decode_boot_params(&boot_info, params, early_ptr, EARLY_LIMIT);
	}
	arch_console_init(boot_info.cmdline);
	x86_idt_init();
	x86_cpu_tables(0);
	boot_register_console();
	boot_map_finish(&boot_info);
	boot_map_to_memblock(&boot_info);
	boot_limit_memory(&boot_info);
	if (!memblock_total())
		panic("boot: the loader named no memory");
	boot_check_initrd(&boot_info);
	x86_build_kernel_tables();
	kasan_init_shadow();
	x86_read_firmware_tables();
	x86_judge_bugs(strstr(boot_info.cmdline, "mitigations=off"));
	x86_override_features(boot_info.cmdline);
	x86_sha_init();
	if (!cpu_has(X86_FEATURE_NX))
		pr_warn("cpu: no NX: whatever can be read can be executed\n");
	x86_smp_reserve();
	x86_setup_percpu();
	x86_cpu_tables(0);
	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++)
		x86_map_ist(cpu);
	x86_use_ist(0);
	x86_cpu_registers();
	x86_mitigate_cpu();
	x86_fpu_detect();
	arch_fpu_init_cpu();
	arch_apply_alternatives();
	start_kernel();
}
