// SPDX-License-Identifier: MIT
/*
 * First C code at its linked address. The device tree becomes struct boot_info and struct rv_machine; then the machine is made
 * ready for start_kernel: final page tables, per-CPU areas. Until rv_build_kernel_tables only the image's GiB of RAM and that
 * of the device tree can be read.
 */
#include <boot/dt.h>
#include <boot/info.h>
#include <boot/memmap.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/firmware.h>
#include <arch/fpu.h>
#include <arch/irq.h>
#include <arch/patch.h>
#include <arch/preempt.h>
#include <abi/errno.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include "arch/shared/kasan_init.h"
#include "arch/riscv64/rv_priv.h"
#include "arch/shared/percpu_areas.h"

struct boot_info boot_info;
struct rv_machine machine __ro_after_init;

#define GIB (1ULL << 30)

static void __init add_cpu(const struct dt_cpu *c)
{
	unsigned int cpu = machine.nr_cpus;

	if (!c->enabled || c->id > 0xffffffff)
		return;
	if (c->id == machine.hart[0])
		cpu = 0;
	else if (cpu < NR_CPUS)
		machine.nr_cpus++;
	else
		cpu = NR_CPUS;
	if (cpu == NR_CPUS) {
		cpu_left_off();
		return;
	}
	machine.hart[cpu] = (unsigned int)c->id;
	machine.cpu_node[cpu] = c->node;
}

static void __init read_cpus(const struct dt *t)
{
	struct dt_cpu cpu;

	for (u32 n = dt_next_cpu(t, DT_NONE, &cpu); n != DT_NONE; n = dt_next_cpu(t, n, &cpu))
		add_cpu(&cpu);
	if (!dt_number(t, dt_path(t, "/cpus", 5), "timebase-frequency", &machine.timebase))
		dt_number(t, machine.cpu_node[0], "timebase-frequency", &machine.timebase);
}

static void __init read_devices(const struct dt *t)
{
	const char *options;
	u64 v, size;
	u32 n = dt_stdout(t, &options);

	if (n == DT_NONE || !fdt_compatible(&t->fdt, (int)t->nodes[n].at, "ns16550a") || !dt_reg(t, n, 0, &machine.uart, &size))
		n = dt_device(t, "ns16550a", &machine.uart, &size);
	if (n != DT_NONE) {
		machine.uart_shift = dt_number(t, n, "reg-shift", &v) && v <= 4 ? (unsigned int)v : 0;
		machine.uart_width = dt_number(t, n, "reg-io-width", &v) && v == 4 ? 4 : 1;
	}
	dt_device(t, "sifive,test0", &machine.test_device, &size);
	rv_read_intc(t, n);
}

static void __init look_at_tree(phys_addr_t pa)
{
	boot_info.protocol = "image";
	if (pa && pa < rv_direct_size)
		boot_dt_look(phys_to_virt(pa), pa, (size_t)(GIB - (pa & (GIB - 1))));
}

/* Only the image's GiB of RAM can be read as yet. */
static void __init open_tree(void)
{
	phys_addr_t gib = image_to_phys(_text) & ~(GIB - 1);

	if (boot_dt_open(gib, gib + GIB))
		return;
	read_cpus(arch_dt());
	read_devices(arch_dt());
}

void __init __noreturn rv_start(unsigned long hart, phys_addr_t fdt)
{
	preempt_count_set(1);
	clear_preempt_need_resched();
	machine.nr_cpus = 1;
	machine.hart[0] = (unsigned int)hart;
	rv_sbi_init();
	look_at_tree(fdt);
	boot_map_finish(&boot_info);
	boot_map_to_memblock(&boot_info);
	memblock_remove(rv_direct_size, ~0ULL - rv_direct_size);	/* what the direct map cannot hold is left alone */
	open_tree();
	rv_read_isa();
	arch_console_init(boot_info.cmdline);
	boot_register_console();
	boot_limit_memory(&boot_info);
	if (!memblock_total())
		panic("boot: the device tree names no memory");
	boot_check_initrd(&boot_info);
	rv_build_kernel_tables();
	kasan_init_shadow();
	rv_console_window();
	rv_setup_percpu();
	rv_cpu_registers();
	arch_fpu_init_cpu();
	arch_apply_alternatives();
	start_kernel();
}
