// SPDX-License-Identifier: MIT
/*
 * What ACPI's tables say about this machine, into `machine`, where firmware gave them and no device tree is used: CPUs, interrupt
 * controllers, the timer, PSCI, the console. Without an AML interpreter: what is only in the DSDT is found by its encoded shape (virtio-mmio,
 * PL011) or not at all (lines of PCI functions, the clock's registers, buttons).
 */
#include <boot/info.h>
#include <arch/firmware.h>
#include <arch/pgtable.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/acpi.h>
#include <lib/dt.h>
#include "arch/aarch64/a64_priv.h"
#include "arch/shared/percpu_areas.h"

static void __init add_cpu(const struct acpi_madt_item *it)
{
	if (!it->enabled || it->mpidr == machine.mpidr[0])
		return;
	if (machine.nr_cpus == NR_CPUS) {
		cpu_left_off();
		return;
	}
	for (unsigned int i = 1; i < machine.nr_cpus; i++)
		if (machine.mpidr[i] == it->mpidr)
			return;
	machine.mpidr[machine.nr_cpus++] = it->mpidr;
}

#define GICV2_CPU_SIZE 0x2000
#define GICV3_FRAMES 0x20000

static void __init read_madt(const struct acpi_tables *t)
{
	struct acpi_madt_item it;
	u32 len, off = 0;
	const u8 *madt = acpi_find(t, "APIC", 0, &len);
	phys_addr_t v2_cpu = 0;

	while (madt && acpi_madt_next(madt, len, &off, &it)) {
		switch (it.type) {
		case MADT_GICC:
			add_cpu(&it);
			v2_cpu = it.addr ?: v2_cpu;
			if (it.redist && !machine.gic_cpu_size) {	/* one CPU's; a region of all of them is better */
				machine.gic_cpu = it.redist;
				machine.gic_cpu_size = GICV3_FRAMES;
			}
			break;
		case MADT_GICD:
			machine.gic_dist = it.addr;
			machine.gic = it.version >= 3 ? 3 : it.version == 2 ? 2 : 0;
			break;
		case MADT_GICR:
			if (machine.gic_cpu_size <= GICV3_FRAMES) {
				machine.gic_cpu = it.addr;
				machine.gic_cpu_size = it.size;
			}
			break;
		case MADT_MSI_FRAME:
			machine.msi_frame = it.addr;
			break;
		case MADT_ITS:
			machine.its = machine.its ?: it.addr;
			break;
		}
	}
	if (machine.gic == 2) {
		machine.gic_cpu = v2_cpu;
		machine.gic_cpu_size = GICV2_CPU_SIZE;
	}
	if (machine.gic != 3 || machine.msi_frame)
		machine.its = 0;
}

#define PSCI_CPU_ON 0xc4000003U

static void __init read_fadt(const struct acpi_tables *t)
{
	struct acpi_fadt f;
	u32 len;
	const u8 *p = acpi_find(t, "FACP", 0, &len);

	if (!p || acpi_decode_fadt(p, len, &f) || !(f.arm_boot & FADT_ARM_PSCI))
		return;
	machine.psci = true;
	machine.psci_smc = !(f.arm_boot & FADT_ARM_PSCI_HVC);
	machine.psci_cpu_on = PSCI_CPU_ON;
}

/* Which CPU is the boot one was read from the CPU itself. */
void __init a64_read_acpi(void)
{
	struct acpi_tables t;
	u32 len, irq;
	const u8 *p;

	machine.gic_node = machine.msi_node = DT_NONE;
	machine.timer_irq = 27;		/* Arm BSA, B_PPI_00 */
	if (acpi_open(&t, arch_map_firmware, boot_info.rsdp)) {
		pr_err("boot: ACPI's tables at %#llx cannot be used\n", boot_info.rsdp);
		boot_info.rsdp = 0;
		return;
	}
	read_madt(&t);
	read_fadt(&t);
	p = acpi_find(&t, "GTDT", 0, &len);
	irq = p ? acpi_gtdt_virtual_timer(p, len) : 0;
	if (irq >= 16 && irq < 32)
		machine.timer_irq = irq;
	p = acpi_find(&t, "SPCR", 0, &len);
	machine.uart = p ? acpi_spcr_pl011(p, len) : 0;
	pr_info("boot: devices are those of ACPI's tables\n");
}
