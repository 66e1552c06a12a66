// SPDX-License-Identifier: MIT
/*
 * First C code. The device tree becomes struct boot_info and struct a64_machine; then the machine is made ready for
 * start_kernel: traps, final page tables, per-CPU areas. Until a64_build_kernel_tables only the image's GiB of RAM and that of the
 * device tree can be read.
 */
#include <boot/info.h>
#include <boot/memmap.h>
#include <boot/boot_alloc.h>
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
#include <kernel/printk.h>
#include <lib/fdt.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "arch/aarch64/a64_priv.h"

struct boot_info boot_info;
struct a64_machine machine __ro_after_init;
u64 kernel_image_pa __ro_after_init;
static struct fdt tree __ro_after_init;

#define GIB (1ULL << 30)

static void __init read_memory(const struct fdt *f)
{
	u64 addr, size;

	for (int n = fdt_next_node(f, FDT_NONE, NULL); n != FDT_NONE; n = fdt_next_node(f, n, NULL)) {
		const char *type = fdt_string(f, n, "device_type");

		if (!type || strcmp(type, "memory") || !fdt_enabled(f, n))
			continue;
		for (unsigned int i = 0; fdt_reg(f, n, i, &addr, &size); i++)
			boot_map_add(&boot_info, addr, size, BOOT_MEM_RAM);
	}
	for (unsigned int i = 0; fdt_reserved(f, i, &addr, &size); i++)
		boot_map_add(&boot_info, addr, size, BOOT_MEM_RESERVED);
	for (int n = fdt_find_path(f, "/reserved-memory"), depth = 1, c = n; n != FDT_NONE; ) {
		c = fdt_next_node(f, c, &depth);
		if (c == FDT_NONE || depth <= 1)
			break;
		for (unsigned int i = 0; fdt_reg(f, c, i, &addr, &size); i++)
			boot_map_add(&boot_info, addr, size, BOOT_MEM_RESERVED);
	}
}

static void __init read_chosen(const struct fdt *f)
{
	int n = fdt_find_path(f, "/chosen");
	const char *args = fdt_string(f, n, "bootargs");
	u64 start, end;

	if (args)
		boot_set_cmdline(&boot_info, args, BOOT_CMDLINE_MAX);
	if (fdt_number(f, n, "linux,initrd-start", &start) && fdt_number(f, n, "linux,initrd-end", &end) && end > start) {
		boot_info.initrd = start;
		boot_info.initrd_size = end - start;
	}
}

#define MPIDR_AFFINITY 0xff00ffffffULL

static void __init read_cpus(const struct fdt *f)
{
	u64 self = read_sysreg(mpidr_el1) & MPIDR_AFFINITY, addr, size;

	machine.mpidr[0] = self;
	machine.nr_cpus = 1;
	for (int n = fdt_next_node(f, FDT_NONE, NULL); n != FDT_NONE; n = fdt_next_node(f, n, NULL)) {
		const char *type = fdt_string(f, n, "device_type");

		if (!type || strcmp(type, "cpu") || !fdt_enabled(f, n) || !fdt_reg(f, n, 0, &addr, &size))
			continue;
		if ((addr & MPIDR_AFFINITY) != self && machine.nr_cpus < NR_CPUS)
			machine.mpidr[machine.nr_cpus++] = addr & MPIDR_AFFINITY;
	}
}

static phys_addr_t __init find_device(const struct fdt *f, const char *compatible)
{
	int n = FDT_NONE;
	u64 addr, size;

	while ((n = fdt_find_compatible(f, n, compatible)) != FDT_NONE)
		if (fdt_enabled(f, n) && fdt_reg(f, n, 0, &addr, &size))
			return addr;
	return 0;
}

static void __init read_gic(const struct fdt *f)
{
	static const char *const v2[] = { "arm,cortex-a15-gic", "arm,gic-400" };
	u64 size;
	int n;

	for (unsigned int i = 0; i < ARRAY_SIZE(v2) && !machine.gic; i++) {
		n = fdt_find_compatible(f, FDT_NONE, v2[i]);
		if (fdt_reg(f, n, 0, &machine.gic_dist, &size) && fdt_reg(f, n, 1, &machine.gic_cpu, &machine.gic_cpu_size))
			machine.gic = 2;
	}
	n = fdt_find_compatible(f, FDT_NONE, "arm,gic-v3");
	if (!machine.gic && fdt_reg(f, n, 0, &machine.gic_dist, &size) &&
	    fdt_reg(f, n, 1, &machine.gic_cpu, &machine.gic_cpu_size))
		machine.gic = 3;
	machine.msi_frame = find_device(f, "arm,gic-v2m-frame");
}

static void __init read_devices(const struct fdt *f)
{
	int n = fdt_find_path(f, "/psci");
	const char *method = fdt_string(f, n, "method");

	machine.psci = method;
	machine.psci_smc = method && !strcmp(method, "smc");
	machine.uart = find_device(f, "arm,pl011");
	machine.timer_irq = 27;		/* the virtual timer's private interrupt (Arm BSA, B_PPI_00) */
	read_gic(f);
}

static void __init read_tree(phys_addr_t pa)
{
	size_t room = (size_t)(GIB - (pa & (GIB - 1)));

	boot_info.protocol = "image";
	machine.nr_cpus = 1;
	machine.mpidr[0] = read_sysreg(mpidr_el1) & MPIDR_AFFINITY;
	if (!pa || pa >> 39 || fdt_open(&tree, phys_to_virt(pa), room))
		return;
	boot_info.fdt = pa;
	read_memory(&tree);
	read_chosen(&tree);
	read_cpus(&tree);
	read_devices(&tree);
}

static void __init check_initrd(void)
{
	u64 end;

	if (!boot_info.initrd || !boot_info.initrd_size ||
	    check_add_overflow(boot_info.initrd, boot_info.initrd_size, &end) ||
	    !memblock_is_memory(boot_info.initrd) || !memblock_is_memory(end - 1)) {
		boot_info.initrd = 0;
		boot_info.initrd_size = 0;
	}
}

void *boot_alloc(size_t size, size_t align)
{
	phys_addr_t pa = memblock_alloc_phys(size, max(align, (size_t)16));
	void *p;

	if (!pa)
		panic("boot: out of memory");
	p = phys_to_virt(pa);
	memset(p, 0, size);
	return p;
}

const struct fdt *arch_fdt(void)
{
	return boot_info.fdt ? &tree : NULL;
}

/* Three cells: 0 for a shared line, its number, 1 rising, 2 falling, 4 high or 8 low (GIC binding). */
int arch_fdt_irq(int node, unsigned int i)
{
	const u8 *p;
	u32 len, v[3];

	p = boot_info.fdt ? fdt_prop(&tree, node, "interrupts", &len) : NULL;
	if (!p || len / 12 <= i)
		return -ENOENT;
	for (unsigned int k = 0; k < 3; k++, p += 4)
		v[k] = (u32)p[12 * i] << 24 | (u32)p[12 * i + 1] << 16 | (u32)p[12 * i + 2] << 8 | p[12 * i + 3];
	if (v[0] || v[1] >= NR_IRQS)
		return -EINVAL;
	return arch_irq_map_gsi(v[1] + 32, v[2] & 12 ? IRQ_LEVEL : 0);
}

/* Device trees only: ACPI tables are not read on this CPU. */
phys_addr_t arch_acpi_rsdp(void)
{
	return 0;
}

const void *arch_map_firmware(u64 pa, size_t len)
{
	return NULL;
}

void __init __noreturn a64_start(phys_addr_t fdt)
{
	preempt_count_set(1);
	clear_preempt_need_resched();
	a64_detect_cpu();
	read_tree(fdt);
	arch_console_init(boot_info.cmdline);
	boot_register_console();
	boot_map_finish(&boot_info);
	boot_map_to_memblock(&boot_info);
	if (boot_info.fdt)
		memblock_reserve(boot_info.fdt & PAGE_MASK, PAGE_ALIGN((u64)fdt_size(phys_to_virt(boot_info.fdt), GIB)) + PAGE_SIZE);
	boot_limit_memory(&boot_info);
	if (!memblock_total())
		panic("boot: the device tree names no memory");
	check_initrd();
	a64_build_kernel_tables();
	a64_console_window();
	a64_setup_percpu();
	a64_cpu_registers();
	arch_fpu_init_cpu();
	arch_apply_alternatives();
	start_kernel();
}
