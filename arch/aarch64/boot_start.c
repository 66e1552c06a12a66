// SPDX-License-Identifier: MIT
/*
 * First C code. The device tree becomes struct boot_info and struct a64_machine; then the machine is made ready for
 * start_kernel: traps, final page tables, per-CPU areas. Until a64_build_kernel_tables only the image's GiB of RAM and that of the
 * device tree can be read.
 */
#include <boot/dt.h>
#include <boot/efi.h>
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
#include <lib/memblock.h>
#include <lib/minmax.h>
#include "arch/shared/kasan_init.h"
#include "arch/aarch64/a64_priv.h"
#include "arch/shared/percpu_areas.h"

struct boot_info boot_info;
struct a64_machine machine __ro_after_init;
u64 kernel_image_pa __ro_after_init;

#define GIB (1ULL << 30)

#define MPIDR_AFFINITY 0xff00ffffffULL

static void __init read_cpus(const struct dt *t)
{
	u64 self = machine.mpidr[0];
	struct dt_cpu cpu;

	for (u32 n = dt_next_cpu(t, DT_NONE, &cpu); n != DT_NONE; n = dt_next_cpu(t, n, &cpu)) {
		if (!cpu.enabled || (cpu.id & MPIDR_AFFINITY) == self)
			continue;
		if (machine.nr_cpus < NR_CPUS)
			machine.mpidr[machine.nr_cpus++] = cpu.id & MPIDR_AFFINITY;
		else
			cpu_left_off();
	}
}

static void __init read_gic(const struct dt *t)
{
	static const struct { const char *name; unsigned int version; } known[] = {
		{ "arm,cortex-a15-gic", 2 }, { "arm,gic-400", 2 }, { "arm,gic-v3", 3 },
	};

	u64 size;

	machine.gic_node = DT_NONE;
	for (unsigned int i = 0; i < ARRAY_SIZE(known) && !machine.gic; i++) {
		u32 n = dt_device(t, known[i].name, &machine.gic_dist, &size);

		if (n == DT_NONE || !dt_reg(t, n, 1, &machine.gic_cpu, &machine.gic_cpu_size))
			continue;
		machine.gic = known[i].version;
		machine.gic_node = n;
	}
	machine.msi_node = dt_device(t, "arm,gic-v2m-frame", &machine.msi_frame, &size);
	if (machine.gic != 3 || machine.msi_node != DT_NONE)
		return;
	machine.msi_node = dt_device(t, "arm,gic-v3-its", &machine.its, &size);
}

/* The virtual timer's private interrupt: the third of the binding's four; unsaid, what Arm BSA (B_PPI_00) says. */
static unsigned int __init timer_irq(const struct dt *t)
{
	struct dt_irq irq;
	u32 n = dt_compatible(t, "arm,armv8-timer", 0);

	if (n == DT_NONE || dt_irq(t, n, 2, &irq) || irq.count < 2 || irq.cell[0] != 1 || irq.cell[1] >= 16)
		return 27;
	return 16 + irq.cell[1];
}

static void __init read_devices(const struct dt *t)
{
	const char *options;
	struct dt_psci psci;
	u64 size;
	u32 uart;

	if (!dt_psci(t, &psci)) {
		machine.psci = true;
		machine.psci_smc = psci.smc;
		machine.psci_cpu_on = psci.cpu_on;
	}
	uart = dt_stdout(t, &options);
	if (uart == DT_NONE || !fdt_compatible(&t->fdt, (int)t->nodes[uart].at, "arm,pl011") || !dt_reg(t, uart, 0, &machine.uart, &size))
		dt_device(t, "arm,pl011", &machine.uart, &size);
	machine.timer_irq = timer_irq(t);
	read_gic(t);
}

static void __init look_at_tree(phys_addr_t pa)
{
	size_t room = (size_t)(GIB - (pa & (GIB - 1)));

	boot_info.protocol = "image";
	machine.nr_cpus = 1;
	machine.mpidr[0] = read_sysreg(mpidr_el1) & MPIDR_AFFINITY;
	if (pa && !(pa >> 39))
		boot_dt_look(phys_to_virt(pa), pa, room);
}

/* The stub put all of it into the image's GiB. */
static void __init look_at_efi(phys_addr_t pa)
{
	const struct efi_handoff *h = pa ? phys_to_virt(pa) : NULL;

	if (!h || h->magic != EFI_HANDOFF_MAGIC)
		return;
	boot_info.protocol = "efi";
	boot_efi_look(&boot_info, h, phys_to_virt(h->map));
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

/* Three cells: 0 for a shared line, its number, 1 rising, 2 falling, 4 high or 8 low (GIC binding). */
int arch_dt_irq(const struct dt_irq *irq)
{
	if (irq->controller != machine.gic_node || irq->count < 3 || irq->cell[0] || irq->cell[1] >= NR_IRQS)
		return -EINVAL;
	return arch_irq_map_gsi(irq->cell[1] + 32, irq->cell[2] & 12 ? IRQ_LEVEL : 0);
}

bool arch_dt_msi(u32 controller)
{
	return controller != DT_NONE && controller == machine.msi_node;
}

/* Memory of the redistributors' that is never given back: what is pending lies at multiples of 64 KiB. */
static void __init reserve_lpi_memory(void)
{
	if (!machine.its)
		return;
	machine.lpi_config = boot_alloc(1UL << LPI_BITS, PAGE_SIZE);
	machine.lpi_pending = boot_alloc(LPI_PENDING_BYTES(machine.nr_cpus), LPI_PENDING_STRIDE);
}

void __init __noreturn a64_start(phys_addr_t fdt, phys_addr_t efi)
{
	bool acpi;

	preempt_count_set(1);
	clear_preempt_need_resched();
	a64_detect_cpu();
	look_at_tree(fdt);
	look_at_efi(efi);
	acpi = boot_use_acpi(boot_info.cmdline, boot_info.rsdp, boot_info.fdt);
	if (acpi)
		boot_info.fdt = 0;
	else
		boot_info.rsdp = 0;
	boot_map_finish(&boot_info);
	boot_map_to_memblock(&boot_info);
	open_tree();
	arch_console_init(boot_info.cmdline);
	if (!acpi)
		boot_register_console();
	boot_limit_memory(&boot_info);
	if (!memblock_total())
		panic("boot: neither a device tree nor firmware names memory");
	boot_check_initrd(&boot_info);
	a64_build_kernel_tables();
	kasan_init_shadow();
	if (acpi)
		a64_read_acpi();
	a64_console_window(boot_info.cmdline);
	if (acpi)			/* only now is it known where */
		boot_register_console();
	reserve_lpi_memory();
	a64_setup_percpu();
	a64_cpu_registers();
	arch_fpu_init_cpu();
	arch_apply_alternatives();
	start_kernel();
}
